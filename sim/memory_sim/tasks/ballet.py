"""The ballet as Gymnasium environments; importing this registers their ids.

`Ballet/Dances8Delay48-v0` shows pixels, `Ballet/Dances8Delay48Symbols-v0` the same as symbols; 2, 4
and 8 dances with delays of 16 and 48 are published, a delay of 480 is there to go beyond.
"""

from __future__ import annotations

import string
from typing import Any, ClassVar

import numpy as np

from memory_core.errors import NotInstalled
from memory_core.types import IntArray
from memory_sim.tasks.ballet_dances import (
    COLOURS,
    DIRECTIONS,
    HALF_ROOM,
    SHAPES,
    WATCH,
    Ballet,
    draw_ballet,
)
from memory_sim.tasks.ballet_stage import FARTHEST, PICTURE_PX, OnStage, picture, symbols
from memory_sim.tasks.closing import Closable

try:
    import gymnasium
    from gymnasium import spaces
    from gymnasium.error import InvalidAction, ResetNeeded
except ImportError as missing:
    raise NotInstalled.part("gymnasium", "sim") from missing

DANCES = (2, 4, 8)
DELAYS = (16, 48, 480)
ANSWER_STEPS = 32
_LETTERS = string.ascii_letters + " .,?-"
_LONGEST = 120
_ENLARGED = 4


class StageEnv(Closable, gymnasium.Env[dict[str, Any], np.int64]):  # type: ignore[misc]
    """What all tasks with dancers share: spaces, what is refused, pictures.

    An observation is `rgb`, shape (99, 99, 3), or, with `symbols`, `symbols`, shape (8, 4), see
    `ballet_stage`; and `instruction`. Actions during the dances change nothing. `info` holds
    `conditions`, in the order in which they come about, and `success`.

    Attributes:
        chance: Share of successes of somebody who guesses.
    """

    metadata: ClassVar[dict[str, Any]] = {"render_modes": ["rgb_array"], "render_fps": 8}
    chance: float

    def __init__(
        self, *, symbols: bool = False, privileged: bool = False, render_mode: str | None = None
    ) -> None:
        """Set the environment up.

        Args:
            symbols: Observations are symbols in place of pixels.
            privileged: Whether `info["state"]` tells what is asked and what is right: for oracles
                and debugging, never for an agent that is measured.
            render_mode: `rgb_array` or None.

        Raises:
            ValueError: There is no such render mode.
        """
        if render_mode not in (None, *self.metadata["render_modes"]):
            raise ValueError(f"render mode {render_mode!r}; expected rgb_array or None")
        self.render_mode = render_mode
        self._symbols, self._privileged = symbols, privileged
        self._running = self._begun = False
        self.observation_space = spaces.Dict(self._spaces())

    def _spaces(self) -> dict[str, Any]:
        shown: dict[str, Any] = {
            "instruction": spaces.Text(_LONGEST, min_length=1, charset=_LETTERS)
        }
        if not self._symbols:
            return {"rgb": spaces.Box(0, 255, (PICTURE_PX, PICTURE_PX, 3), np.uint8), **shown}
        low = np.tile(np.array((-1, -1, -FARTHEST, -FARTHEST), np.int8), (8, 1))
        high = np.tile(
            np.array((len(COLOURS) - 1, len(SHAPES) - 1, FARTHEST, FARTHEST), np.int8), (8, 1)
        )
        return {"symbols": spaces.Box(low, high, dtype=np.int8), **shown}

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Begin an evening.

        Args:
            seed: The same seed gives the same evening.
            options: None are known.

        Raises:
            ClosedEnvironmentError: The environment was closed.
        """
        self._refuse_when_closed()
        super().reset(seed=seed)
        self._step = 0
        self._running = self._begun = True
        self._begin(self.np_random)
        return self._observed(), self._info()

    def step(self, action: Any) -> tuple[dict[str, Any], float, bool, bool, dict[str, Any]]:
        """Watch for a step, or answer.

        Raises:
            ClosedEnvironmentError: The environment was closed.
            ResetNeeded: `reset` was not called, or the episode has ended.
            InvalidAction: The action is not in the action space; nothing was done.
        """
        self._refuse_when_closed()
        if not self._running:
            raise ResetNeeded("no episode is under way; call reset first")
        if not self.action_space.contains(action):
            raise InvalidAction(f"action {action!r}; expected one of {self.action_space}")
        if self._step >= self._question_step:
            self._answer(int(action))
        self._step += 1
        info = self._info()
        ended = self._answered
        truncated = not ended and self._step >= self._question_step + ANSWER_STEPS
        self._running = not (ended or truncated)
        return self._observed(), float(info["success"]), ended, truncated, info

    def render(self) -> IntArray | None:
        """What the robot sees, enlarged, with the instruction below.

        Returns:
            Shape (h, w, 3), uint8; None where no render mode was asked for.

        Raises:
            ClosedEnvironmentError: The environment was closed.
            ResetNeeded: `reset` was not called.
        """
        self._refuse_when_closed()
        if not self._begun:
            raise ResetNeeded("there is nothing to render yet; call reset first")
        if self.render_mode is None:
            return None
        from memory_sim.task_pictures import captioned

        seen = picture(self._on_stage(), self._robot)
        return captioned(np.kron(seen, np.ones((_ENLARGED, _ENLARGED, 1), np.uint8)), self._words)

    # -- what tasks say ------------------------------------------------------------------------

    _robot: tuple[int, int] = (0, 0)
    _answered = False

    def _begin(self, random: np.random.Generator) -> None:
        """Draw an evening."""
        raise NotImplementedError

    @property
    def _question_step(self) -> int:
        raise NotImplementedError

    @property
    def _words(self) -> str:
        """The instruction."""
        raise NotImplementedError

    def _on_stage(self) -> list[OnStage]:
        """Who stands where now."""
        raise NotImplementedError

    def _answer(self, action: int) -> None:
        """Take a step of the answer; `_answered` says whether it was the last."""
        raise NotImplementedError

    def _conditions(self) -> dict[str, bool]:
        raise NotImplementedError

    def _state(self) -> dict[str, Any]:
        raise NotImplementedError

    # ------------------------------------------------------------------------------------------

    def _observed(self) -> dict[str, Any]:
        on_stage = self._on_stage()
        if self._symbols:
            return {"symbols": symbols(on_stage), "instruction": self._words}
        return {"rgb": picture(on_stage, self._robot), "instruction": self._words}

    def _info(self) -> dict[str, Any]:
        conditions = self._conditions()
        info: dict[str, Any] = {"conditions": conditions, "success": all(conditions.values())}
        if self._privileged:
            info["state"] = self._state()
        return info


class BalletEnv(StageEnv):
    """Watch dancers dance, one after the other, then go to the one whose dance is named.

    The eight actions walk one square, n, ne, e, … nw; the robot starts in the middle, three steps
    from every place. The episode ends at the first dancer it reaches, with a reward of 1 where that
    is the right one, or, truncated, 32 steps after the question.
    """

    def __init__(self, *, dances: int = 8, delay: int = 48, **options: Any) -> None:
        """Set the environment up.

        Args:
            dances: 1 to 8, each by another dancer.
            delay: Steps after each dance in which nobody moves.
            **options: As `StageEnv` takes them.
        """
        super().__init__(**options)
        self.action_space = spaces.Discrete(len(DIRECTIONS))
        self.chance = 1 / dances
        self._dances, self._delay = dances, delay
        draw_ballet(dances, delay, np.random.default_rng(0))  # refuses what cannot be danced

    def _begin(self, random: np.random.Generator) -> None:
        self._ballet: Ballet = draw_ballet(self._dances, self._delay, random)
        self._robot, self._reached = (0, 0), -1
        self._answered = False

    @property
    def _question_step(self) -> int:
        return self._ballet.question_step

    @property
    def _words(self) -> str:
        return self._ballet.question if self._step >= self._question_step else WATCH

    def _on_stage(self) -> list[OnStage]:
        places = (self._ballet.whereabouts(self._step) - self._robot).tolist()
        return [
            OnStage(dancer.place, dancer.colour, dancer.shape, east, north)
            for dancer, (east, north) in zip(self._ballet.dancers, places, strict=True)
        ]

    def _answer(self, action: int) -> None:
        wanted = np.array(self._robot) + DIRECTIONS[action]
        if np.abs(wanted).max() <= HALF_ROOM:
            self._robot = (int(wanted[0]), int(wanted[1]))
        reached = [n for n, d in enumerate(self._on_stage()) if d.east == d.north == 0]
        self._answered = bool(reached)
        self._reached = reached[0] if reached else -1

    def _conditions(self) -> dict[str, bool]:
        return {
            "at a dancer": self._answered,
            "at the right one": self._answered and self._reached == self._ballet.asked,
        }

    def _state(self) -> dict[str, Any]:
        right = self._on_stage()[self._ballet.asked]
        return {"target": (right.east, right.north)}


def ballet_id(dances: int, delay: int, *, symbols: bool = False) -> str:
    """Under which a ballet is registered."""
    return f"Ballet/Dances{dances}Delay{delay}{'Symbols' if symbols else ''}-v0"


IDS = tuple(
    ballet_id(dances, delay, symbols=shown)
    for shown in (False, True) for delay in DELAYS for dances in DANCES
)  # fmt: skip
"""Under which the tasks are registered."""

for _dances in DANCES:
    for _delay in DELAYS:
        for _shown in (False, True):
            gymnasium.register(
                ballet_id(_dances, _delay, symbols=_shown),
                entry_point="memory_sim.tasks.ballet:BalletEnv",
                kwargs={"dances": _dances, "delay": _delay, "symbols": _shown},
            )
