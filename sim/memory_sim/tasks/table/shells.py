"""The shell game: balls are seen, then cups cover them and the places beside them (MIKASA-Robo).

Cherepanov et al. 2025, with one ball and three cups.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from memory_sim.tasks.table.choosing import LIFT_M, Choice
from memory_sim.tasks.table.task import ORDERS, Task, in_order
from memory_sim.worlds.table.models import BALL, CUP, PALETTE
from memory_sim.worlds.table.world import TableWorld

SEEN_STEPS = 5
_TOUCH_M = 0.08
_BESIDE_M, _ROW_M, _ROW = 0.2, 0.17, 3
_WORDS = {
    "touch": "touch",
    "push": "push 10 cm away from where it stands",
    "pick": f"lift by {round(LIFT_M * 100)} cm",
}


@dataclass(frozen=True, slots=True)
class Shells:
    """What is to be remembered.

    Attributes:
        deed: What is done to the cups over balls: `touch`, `push` or `pick`.
        cups: 2 to 6.
        balls: Under so many of them.
        manner: The balls are seen `together` or `in turn`.
        order: In which the cups are due, one of `ORDERS`; matters for balls seen in turn.
        empty_steps: How long nothing can be seen between the last ball and the cups.
    """

    deed: str
    cups: int = 3
    balls: int = 1
    manner: str = "together"
    order: str = "any"
    empty_steps: int = 0

    @property
    def chance(self) -> float:
        """Of choosing right without having seen."""
        count = math.comb if self.order == "any" else math.perm
        return 1 / count(self.cups, self.balls)

    @property
    def choice_from(self) -> int:
        """The step at which the cups come."""
        shown = 1 if self.manner == "together" else self.balls
        return SEEN_STEPS * shown + self.empty_steps

    def instruction(self) -> str:
        """In words."""
        deed = _WORDS[self.deed]
        if self.balls == 1:
            return f"Remember where the ball is. When cups stand on the table, {deed} the cup that it is under."
        when = "at the same time" if self.manner == "together" else "one after the other"
        return (
            f"Remember where the balls are that are shown {when}. When cups stand on the table, "
            f"{deed} each cup that a ball was shown at, {ORDERS[self.order]}, and no others."
        )


class ShellGame(Task):
    """One episode: where is the ball?"""

    def __init__(self, table: TableWorld, random: np.random.Generator, *, kind: Shells) -> None:
        """Draw where the cups will stand and which cover balls."""
        super().__init__(table, random)
        self._kind, self.instruction = kind, kind.instruction()
        ball, cup = random.choice(list(PALETTE), 2, replace=False)
        self._cups = [f"cup {number + 1}" for number in range(kind.cups)]
        self._places = dict(zip(self._cups, self._grid(), strict=True))
        shown = random.choice(self._cups, kind.balls, replace=False).tolist()
        self._balls = {f"ball {number + 1}": name for number, name in enumerate(shown)}
        for name in self._balls:
            table.add(name, BALL, PALETTE[ball])
        for name in self._cups:
            table.add(name, CUP, PALETTE[cup])
        self._choice = Choice(table, self._cups, in_order(shown, kind.order), deed=kind.deed,
                              ordered=kind.order != "any", within_m=_TOUCH_M)  # fmt: skip
        self.goal = self._choice.goal

    def change(self, step: int) -> None:
        """Balls are put down; later all cups come at once, over the balls too."""
        turn, since = divmod(step, SEEN_STEPS)
        seen_until = self._kind.choice_from - self._kind.empty_steps
        if step == self._kind.choice_from:
            for name, cup in self._balls.items():
                self.table.place(name, *self._places[cup])
            for cup, place in self._places.items():
                self.table.place(cup, *place)
            self._choice.begin()
        elif not since and step <= seen_until:
            for number, (name, cup) in enumerate(self._balls.items()):
                if step < seen_until and (self._kind.manner == "together" or number == turn):
                    self.table.place(name, *self._places[cup])
                else:
                    self.table.put_away(name)

    def judge(self, step: int) -> None:
        """See what is done to the cups."""
        self.spoiled = self._choice.judge()

    def answer(self) -> dict[str, Any]:
        """The cups over balls that are still due."""
        return {
            "things": self._choice.left,
            "deed": self._kind.deed,
            "from_step": self._kind.choice_from,
        }

    def _grid(self) -> list[tuple[float, float]]:
        """Places beside one another, in rows of up to three."""
        rows = math.ceil(self._kind.cups / _ROW)
        x, y = self.random.uniform((0.42, -0.06), (0.58 if rows == 1 else 0.44, 0.06)).tolist()
        return [
            (x + number // _ROW * _ROW_M, y + (number % _ROW - 1) * _BESIDE_M)
            for number in range(self._kind.cups)
        ]
