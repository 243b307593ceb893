"""Cubes are shown where they belong; later each has to be put back there."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from memory_sim.tasks.table.task import Goal, Task, left_alone, lies_at, spread
from memory_sim.worlds.table.models import CUBE, PALETTE
from memory_sim.worlds.table.world import TableWorld

SHOWN_STEPS = 5
WITHIN_M = 0.05
_BELONG = ((0.48, -0.30), (0.67, 0.30))
_ROW_X_M, _ROW_APART_M = 0.36, 0.12
_APART_M = 0.13
_STIRRED_M = 0.03
_AREA = float(np.prod(np.subtract(_BELONG[1], _BELONG[0])))


@dataclass(frozen=True, slots=True)
class Belongings:
    """What is to be remembered.

    Attributes:
        cubes: 1 to 5.
        manner: They are shown `together` or `in turn`.
        empty_steps: How long the table is empty before they come back.
    """

    cubes: int
    manner: str
    empty_steps: int

    @property
    def chance(self) -> float:
        """About that of the best blind guess, spot by spot."""
        return float((math.pi * WITHIN_M**2 / _AREA) ** self.cubes)

    @property
    def back_from(self) -> int:
        """The step at which the cubes stand in a row."""
        turns = 1 if self.manner == "together" else self.cubes
        return SHOWN_STEPS * turns + self.empty_steps

    def instruction(self) -> str:
        """In words."""
        if self.cubes == 1:
            return "Remember where the cube is shown. When it comes back elsewhere, put it where it was shown."
        when = "together" if self.manner == "together" else "one after the other"
        return (
            f"Remember where the cubes are that are shown {when}. When they stand in a row, put each "
            "where it was shown, in any order."
        )


class PutEachBack(Task):
    """One episode."""

    def __init__(self, table: TableWorld, random: np.random.Generator, *, kind: Belongings) -> None:
        """Draw where each belongs."""
        super().__init__(table, random)
        self._kind, self.instruction = kind, kind.instruction()
        colours = random.choice(list(PALETTE), kind.cubes, replace=False).tolist()
        self._names = [f"{colour} cube" for colour in colours]
        for name, colour in zip(self._names, colours, strict=True):
            table.add(name, CUBE, PALETTE[colour])
        low, high = _BELONG
        belong = spread(kind.cubes, random, apart_m=_APART_M, low=low, high=high)
        self._belong = dict(zip(self._names, belong, strict=True))
        across = (np.arange(kind.cubes) - (kind.cubes - 1) / 2) * _ROW_APART_M
        row = [(_ROW_X_M, y) for y in random.permutation(across).tolist()]
        self._row = dict(zip(self._names, row, strict=True))
        self.goal = Goal(
            tuple((f"{n + 1} of {kind.cubes} back", self._are_back(n)) for n in range(kind.cubes))
        )

    def change(self, step: int) -> None:
        """Cubes are shown, taken away, and come back in a row."""
        turn, since = divmod(step, SHOWN_STEPS)
        if step == self._kind.back_from:
            for name, place in self._row.items():
                self.table.place(name, *place)
        elif not since and step < self._kind.back_from:
            for number, name in enumerate(self._names):
                shown = turn == 0 if self._kind.manner == "together" else number == turn
                if shown:
                    self.table.place(name, *self._belong[name])
                else:
                    self.table.put_away(name)

    def judge(self, step: int) -> None:
        """See where the cubes lie."""
        if step <= self._kind.back_from:
            return
        super().judge(step)
        for name in self._left():
            pose = self.table.pose(name)
            stirred = math.dist((pose.x, pose.y), self._row[name]) > _STIRRED_M
            if stirred and left_alone(self.table, name):
                self.spoiled = f"left the {name} elsewhere"

    def answer(self) -> dict[str, Any]:
        """The cubes that are not back yet, and where the first of them belongs."""
        left = self._left() if self.table.steps > self._kind.back_from else self._names
        place = tuple(self._belong[left[0]].tolist()) if left else None
        return {"things": left, "place": place, "from_step": self._kind.back_from}

    def _left(self) -> list[str]:
        return [
            name for name in self._names
            if not lies_at(self.table, name, self._belong[name], within_m=WITHIN_M)
        ]  # fmt: skip

    def _are_back(self, number: int) -> Any:
        return lambda: len(self._names) - len(self._left()) > number
