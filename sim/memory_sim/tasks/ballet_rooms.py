"""Room ballet as Gymnasium environments (Cho et al. 2024); importing this registers their ids.

Which rooms are visited, who dances there and what is asked: see `room_ballet`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from memory_sim.tasks.ballet import StageEnv  # first: it says what to install

# isort: split
import gymnasium
from gymnasium import spaces

from memory_sim.tasks.ballet_dances import COLOURS, DANCE_STEPS, PLACES, WATCH, path_of
from memory_sim.tasks.ballet_stage import OnStage
from memory_sim.tasks.room_ballet import MOVES, VARIANTS, Episode, room_ballet

ASK = "Which dance did you see this dancer dance in this room?"
DELAY = 16
_FARTHEST_SEED = 2**31 - 1
_SIDE = 3
_STAND = 0
"""The place in a room, of `PLACES`, where its dancer stands."""


class RoomBalletEnv(StageEnv):
    """Be led through nine rooms, see 18 dances, then say what somebody danced somewhere.

    Beside what is seen, an observation tells the `room`, column and row of a square of 3 by 3: a
    robot knows where it is. Nobody moves for 16 steps after each dance. The eight actions name the
    dances of `room_ballet.MOVES`; the first step after the question answers it, with a reward of 1
    where that is right.
    """

    def __init__(self, *, variant: str = "recent", **options: Any) -> None:
        """Set the environment up.

        Args:
            variant: One of `room_ballet.VARIANTS`: what may be asked about.
            **options: As `StageEnv` takes them.

        Raises:
            InvalidQuery: There is no such variant.
        """
        room_ballet(variant, 0)  # refuses what there is not
        super().__init__(**options)
        self.action_space = spaces.Discrete(len(MOVES))
        self.chance = 1 / len(MOVES)
        self._variant = variant

    def _spaces(self) -> dict[str, Any]:
        return super()._spaces() | {"room": spaces.Box(0, _SIDE - 1, (2,), np.int8)}

    def _begin(self, random: np.random.Generator) -> None:
        seed = int(random.integers(_FARTHEST_SEED))
        self._episode: Episode = room_ballet(self._variant, seed)
        self._named: int | None = None
        self._answered = False

    @property
    def _question_step(self) -> int:
        return len(self._episode.dances) * (DANCE_STEPS + DELAY)

    @property
    def _words(self) -> str:
        return ASK if self._step >= self._question_step else WATCH

    @property
    def _visit(self) -> int:
        """Which dance it is, or is just over."""
        last = len(self._episode.dances) - 1
        return min(max(self._step - 1, 0) // (DANCE_STEPS + DELAY), last)

    def _on_stage(self) -> list[OnStage]:
        asking = self._step >= self._question_step
        dance = self._episode.dances[self._visit]
        dancer = self._episode.question.dancer if asking else dance.dancer
        east, north = PLACES[_STAND]
        since = (self._step - 1) % (DANCE_STEPS + DELAY)
        if self._step > 0 and not asking and since < DANCE_STEPS:
            east, north = PLACES[_STAND] + path_of(MOVES[dance.move])[since]
        shape, colour = divmod(dancer, len(COLOURS))
        return [OnStage(_STAND, colour, shape, int(east), int(north))]

    def _observed(self) -> dict[str, Any]:
        question = self._episode.question
        asking = self._step >= self._question_step
        room = question.room if asking else self._episode.dances[self._visit].room
        row, column = divmod(room, _SIDE)
        return super()._observed() | {"room": np.array((column, row), np.int8)}

    def _answer(self, action: int) -> None:
        self._named, self._answered = action, True

    def _conditions(self) -> dict[str, bool]:
        return {
            "answered": self._answered,
            "the right dance": self._answered and self._named == self._episode.answer,
        }

    def _state(self) -> dict[str, Any]:
        return {"answer": self._episode.answer}


def room_ballet_id(variant: str, *, symbols: bool = False) -> str:
    """Under which a variant is registered."""
    name = "".join(word.capitalize() for word in variant.split("-"))
    return f"RoomBallet/{name}{'Symbols' if symbols else ''}-v0"


IDS = tuple(
    room_ballet_id(variant, symbols=shown) for shown in (False, True) for variant in VARIANTS
)
"""Under which the tasks are registered."""

for _variant in VARIANTS:
    for _shown in (False, True):
        gymnasium.register(
            room_ballet_id(_variant, symbols=_shown),
            entry_point="memory_sim.tasks.ballet_rooms:RoomBalletEnv",
            kwargs={"variant": _variant, "symbols": _shown},
        )
