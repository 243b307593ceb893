"""An agent at a table: it watches, remembers what stood where, and acts when it is time.

Between two steps nothing outlasts but the memory and the skill that is being carried out.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from memory_core.types import FloatArray, Observation, Pose
from memory_sim.agents.memories import TaskMemory
from memory_sim.agents.table.ball_skills import Catch, Hit
from memory_sim.agents.table.instructions import plan_of
from memory_sim.agents.table.perception import things_in
from memory_sim.agents.table.planner import Deed, Present, came_about, due
from memory_sim.agents.table.recall import Look, Remembered, deed_told, look_told
from memory_sim.agents.table.skills import (
    LOOKOUT,
    Instant,
    Moves,
    Open,
    Put,
    Shut,
    Track,
    Turn,
    go_and_look,
    pointing_down,
)
from memory_sim.agents.table.tracking import ball_in, ball_told, track_of
from memory_sim.tasks.table.spaces import Proprioception, step_towards
from memory_sim.worlds.table.camera import View
from memory_sim.worlds.table.robot import CONTROL_HZ, WIDEST_M

STEP_NS = 10**9 // CONTROL_HZ
FIRST_NS = STEP_NS
_HIGH_M, _AT_LOOKOUT_M = 0.25, 0.05
"""From this height of the tool pictures are taken; at the lookout they show the whole table."""
_TO_BE_SEEN = (Put, Shut, Open, Turn)
"""Deeds after which the agent looks whether they came about."""


class TableAgent:
    """Watches with a memory, and acts from it; it guesses where that knows nothing."""

    def __init__(self, memory: TaskMemory) -> None:
        """Take a memory; nothing else outlasts a step but the skill that is carried out."""
        self._memory = memory

    def reset(self, instruction: str, *, seed: int = 0) -> None:
        """See `Agent.reset`.

        Raises:
            GoalNotUnderstood: The instruction asks for something that is not known.
        """
        plan_of(instruction)
        self._memory.begin()
        self._random = np.random.default_rng(seed)
        self._doing: tuple[Deed, Moves] | None = None

    def act(self, observation: Mapping[str, Any]) -> FloatArray:
        """See `Agent.act`.

        Raises:
            GoalNotUnderstood: What is told now asks for something that is not known.
        """
        now_ns = FIRST_NS + round(CONTROL_HZ * float(observation["clock"][0])) * STEP_NS
        felt = Proprioception.read(observation["proprioception"])
        if self._doing is None:
            return self._decide(observation, felt, now_ns, None)
        deed, moves = self._doing
        meets = isinstance(deed, Catch | Hit)
        if meets:
            self._follow(observation["look"], now_ns)
        try:
            action = moves.send(Instant(felt, lambda: self._track(now_ns)))
        except StopIteration:
            self._doing = None
            return _watch(felt) if meets else self._decide(observation, felt, now_ns, deed)
        if not meets:
            self._memory.remember(now_ns, [])
        return action

    def close(self) -> None:
        """See `Agent.close`."""
        self._memory.close()

    def _decide(
        self, observation: Mapping[str, Any], felt: Proprioception, now_ns: int, deed: Deed | None
    ) -> FloatArray:
        """Look, remember what is seen and what was done, recall, and begin what is due."""
        told = observation["instruction"]
        seen = Look(now_ns, told, ())
        noted: list[Observation] = []
        if felt.tool.z > _HIGH_M:
            seen = Look(now_ns, told, tuple(things_in(observation["look"]("wrist"))))
            noted.append(look_told(now_ns, told, seen.things))
        if deed is not None and came_about(deed, seen):
            noted.append(deed_told(now_ns, type(deed).__name__))
        self._memory.remember(now_ns, noted)
        remembered = Remembered(self._memory.moments())
        overview = math.dist(felt.tool.position, LOOKOUT) < _AT_LOOKOUT_M
        shown = seen if overview else Look(now_ns, told, ())
        next_deed = due(plan_of(told), Present(shown, remembered, FIRST_NS, self._random))
        if next_deed is None:
            return _watch(felt)
        now = Instant(felt, lambda: self._track(now_ns))
        self._doing = (next_deed, _seen_to(next_deed, now))
        return next(self._doing[1])

    def _follow(self, look: Callable[[str], View], now_ns: int) -> None:
        """Remember where a ball is."""
        at = ball_in(look)
        self._memory.remember(now_ns, [] if at is None else [ball_told(now_ns, at)])

    def _track(self, now_ns: int) -> Track | None:
        return track_of(self._memory.moments(), now_ns)


def _seen_to(deed: Deed, now: Instant) -> Moves:
    """A deed, and, where that shows whether it came about, a look at the table."""
    now = yield from deed.moves(now)
    if isinstance(deed, _TO_BE_SEEN):
        now = yield from go_and_look(now)
    return now


def _watch(felt: Proprioception) -> FloatArray:
    """A step to where the wrist camera sees the whole table, or stay there."""
    return step_towards(felt, Pose(*LOOKOUT, *pointing_down(0.0)), WIDEST_M)
