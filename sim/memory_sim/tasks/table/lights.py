"""Buttons light up one after the other; press them as they lit up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from memory_sim.tasks.table.task import ORDERS, Goal, Task, in_order, spread
from memory_sim.worlds.home.solids import COLOURS
from memory_sim.worlds.table.fittings import PRESSED_M
from memory_sim.worlds.table.models import PALETTE, target
from memory_sim.worlds.table.world import TableWorld

LIT_STEPS = 5
_DARK = COLOURS["grey"]
_APART_M = 0.17
_RELEASED_M = 0.001
_SPOT_M, _SPOT = 0.05, (0.27, 0.0)


@dataclass(frozen=True, slots=True)
class Lights:
    """What is to be remembered.

    Attributes:
        buttons: 2 to 6.
        lit: How often one lights up; never the same twice in a row.
        order: `shown` or `reverse`.
        empty_steps: How long none is lit before they are due.
    """

    buttons: int
    lit: int
    order: str
    empty_steps: int

    @property
    def chance(self) -> float:
        """Of pressing right without having seen."""
        return float(1 / (self.buttons * (self.buttons - 1) ** (self.lit - 1)))

    @property
    def due_from(self) -> int:
        """The step from which presses count."""
        return LIT_STEPS * self.lit + self.empty_steps

    def instruction(self) -> str:
        """In words."""
        return (
            "Remember which buttons light up, one after the other. When the round spot appears, press "
            f"them {ORDERS[self.order]}, as often as each was lit, and no others."
        )


class PressLights(Task):
    """One episode."""

    def __init__(self, table: TableWorld, random: np.random.Generator, *, kind: Lights) -> None:
        """Draw where the buttons are and which light up."""
        super().__init__(table, random)
        self._kind, self.instruction = kind, kind.instruction()
        self._names = [f"button {number + 1}" for number in range(kind.buttons)]
        for name, (x, y) in zip(
            self._names, spread(kind.buttons, random, apart_m=_APART_M), strict=True
        ):
            table.add_button(name, (x, y), _DARK)
        self._bright, spot = (
            PALETTE[str(c)] for c in random.choice(list(PALETTE), 2, replace=False)
        )
        table.add("spot", target(_SPOT_M), spot)
        self._lit: list[str] = []
        for _ in range(kind.lit):
            others = [name for name in self._names if name not in self._lit[-1:]]
            self._lit.append(str(random.choice(others)))
        self._due = in_order(self._lit, kind.order)
        self._pressed: list[str] = []
        self._down = ""
        self.goal = Goal(
            tuple((f"pressed {n + 1} of {kind.lit}", self._has_pressed(n)) for n in range(kind.lit))
        )

    def change(self, step: int) -> None:
        """Buttons light up and go out; then a spot appears."""
        turn, since = divmod(step, LIT_STEPS)
        if not since and turn <= len(self._lit):
            for name in self._names:
                lit = turn < len(self._lit) and self._lit[turn] == name
                self.table.fittings[name].paint(self._bright if lit else _DARK)
        if step == self._kind.due_from:
            self.table.place("spot", *_SPOT)

    def judge(self, step: int) -> None:
        """See which buttons are pressed."""
        travels = {name: self.table.fittings[name].travel_m for name in self._names}
        if self._down and travels[self._down] < _RELEASED_M:
            self._down = ""
        pressed = [
            name for name, travel in travels.items() if travel > PRESSED_M and name != self._down
        ]
        if pressed and step > self._kind.due_from:
            self._down = pressed[0]
            self._pressed.append(self._down)
            if self._pressed != self._due[: len(self._pressed)]:
                self.spoiled = f"pressed {self._down}"
                return
        super().judge(step)

    def answer(self) -> dict[str, Any]:
        """The buttons that are still to be pressed, in order."""
        return {"press": self._due[len(self._pressed) :], "from_step": self._kind.due_from}

    def _has_pressed(self, number: int) -> Any:
        return lambda: len(self._pressed) > number
