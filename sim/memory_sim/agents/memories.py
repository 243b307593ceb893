"""What an agent may remember with: all that was seen, the last steps, the last one, or nothing.

The four differ in one number, how many of the last steps they reach back to; what they store, and
how it is found again, is the same.
"""

from __future__ import annotations

import tempfile
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import ExitStack
from typing import Any, Protocol, runtime_checkable

from memory_core.errors import InvalidQuery
from memory_core.memory import RobotMemory
from memory_core.perception.text import TextEncoder
from memory_core.types import Filters, Observation, TimeSpan

WINDOW_STEPS = 32
REACH: dict[str, int | None] = {"memory": None, "window": WINDOW_STEPS, "last-frame": 1, "none": 0}
"""How many of the last steps each reaches back to; None is all."""


@runtime_checkable
class TaskMemory(Protocol):
    """Remembers one episode, step by step."""

    def begin(self) -> None:
        """Begin an episode: nothing is remembered."""

    def remember(self, now_ns: int, observations: Sequence[Observation]) -> None:
        """Take in one step.

        Args:
            now_ns: When it is; later than the last, by the agent's own clock.
            observations: What was worth remembering of it; often nothing.
        """

    def moments(self) -> Sequence[Observation]:
        """What is remembered, oldest first."""

    def close(self) -> None:
        """Let go of everything."""


class EpisodeMemory:
    """A `RobotMemory` for each episode, in a folder of its own; of it, the last steps count."""

    def __init__(self, reach: int | None = None, *, encoder: TextEncoder | None = None) -> None:
        """Nothing is opened yet.

        Args:
            reach: To how many of the last steps it reaches back, the present one included; None for
                all, 0 for no memory at all.
            encoder: Of texts; None leaves words to their spelling.
        """
        self._reach, self._encoder = reach, encoder
        self._stack = ExitStack()
        self._memory: RobotMemory | None = None
        self._steps: deque[int] = deque(maxlen=reach)
        self._pending: list[Future[Any]] = []

    def begin(self) -> None:
        """See `TaskMemory.begin`."""
        self.close()
        if self._reach != 0:
            folder = self._stack.enter_context(tempfile.TemporaryDirectory())
            opened = RobotMemory.open(folder, text_encoder=self._encoder)
            self._memory = self._stack.enter_context(opened)

    def remember(self, now_ns: int, observations: Sequence[Observation]) -> None:
        """See `TaskMemory.remember`."""
        if self._memory is not None:
            self._steps.append(now_ns)
            self._pending += [self._memory.submit(seen) for seen in observations]

    def moments(self) -> Sequence[Observation]:
        """See `TaskMemory.moments`."""
        memory = self._settled()
        if memory is None or not self._steps:
            return []
        within = Filters(span=TimeSpan(self._steps[0], None))
        found = memory.store.fetch(memory.select(within).tolist())
        return sorted((row.observation for row in found), key=lambda seen: seen.stamp_ns)

    def close(self) -> None:
        """See `TaskMemory.close`."""
        self._settled()
        self._stack.close()
        self._memory = None
        self._steps.clear()

    def _settled(self) -> RobotMemory | None:
        """The memory, once all that was handed in is on disk."""
        for waiting in self._pending:
            waiting.result()
        self._pending.clear()
        return self._memory


def memory_named(name: str, *, encoder: TextEncoder | None = None) -> EpisodeMemory:
    """One of the four memories.

    Args:
        name: `memory`, `window`, `last-frame` or `none`.
        encoder: Of texts; None leaves words to their spelling.

    Raises:
        InvalidQuery: There is no such memory.
    """
    if name not in REACH:
        raise InvalidQuery(f"memory {name!r}; expected one of {', '.join(REACH)}")
    return EpisodeMemory(REACH[name], encoder=encoder)
