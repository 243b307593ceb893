"""Choosing among things that stand on the table: what is done to which, and whether it was due.

Whatever is done counts: one deed to a thing that was not due spoils the episode, so that guessing is
worth what chance says.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from memory_sim.tasks.table.task import TOUCH_M, Check, Goal, touched
from memory_sim.worlds.table.world import TableWorld

DEEDS = ("touch", "push", "pick")
PUSH_M, LIFT_M = 0.10, 0.05
_PUSHED_ASIDE_M, _LIFTED_ASIDE_M = 0.04, 0.02
_SAID = {"touch": "touched", "push": "pushed", "pick": "picked up"}


class Choice:
    """Deeds that are due to some of the things that stand there."""

    def __init__(
        self, table: TableWorld, names: Sequence[str], due: Sequence[str], *, deed: str,
        ordered: bool, within_m: float = TOUCH_M,
    ) -> None:  # fmt: skip
        """Say what is due.

        Args:
            table: With the things, wherever they are now.
            names: All things that will stand for choice.
            due: Those to which the deed is due.
            deed: One of `DEEDS`.
            ordered: Whether it is due in this order.
            within_m: What counts as touching.
        """
        self.due, self.done = tuple(due), list[str]()
        self._table, self._names, self._deed = table, tuple(names), deed
        self._ordered, self._within_m = ordered, within_m
        self._stood: dict[str, tuple[float, float, float]] = {}
        count = len(self.due)
        self.goal = Goal(
            tuple((f"{_SAID[deed]} {n + 1} of {count}", self._has_done(n)) for n in range(count))
        )

    @property
    def left(self) -> list[str]:
        """To which the deed is still due, in order."""
        return [name for name in self.due if name not in self.done]

    def begin(self) -> None:
        """The things stand for choice from now on."""
        self._stood = {name: self._table.pose(name).position for name in self._names}

    def judge(self) -> str:
        """See what was done.

        Returns:
            What spoils the episode; empty where nothing does.
        """
        if not self._stood:
            return ""
        chosen = (
            [touched(self._table, self._names, within_m=self._within_m)]
            if self._deed == "touch"
            else [name for name in self._names if self._stirred(name)]
        )
        for name in chosen:
            if name and name not in self.done:
                if name not in (self.left[:1] if self._ordered else self.left):
                    return f"{_SAID[self._deed]} the {name}"
                if self._deed == "touch" or self._carried_out(name):
                    self.done.append(name)
        self.goal.check()
        return ""

    def _stirred(self, name: str) -> bool:
        """Whether a deed to it has begun that cannot be a mere brush."""
        if self._deed == "pick":
            return self._raised(name) > _LIFTED_ASIDE_M
        return self._shifted(name) > _PUSHED_ASIDE_M

    def _carried_out(self, name: str) -> bool:
        if self._deed == "push":
            return self._shifted(name) >= PUSH_M and self._raised(name) < _LIFTED_ASIDE_M
        held = self._table.arm.holds(self._table.bodies[name])
        return held and self._raised(name) >= LIFT_M

    def _shifted(self, name: str) -> float:
        x, y, _ = self._stood[name]
        pose = self._table.pose(name)
        return math.hypot(pose.x - x, pose.y - y)

    def _raised(self, name: str) -> float:
        return self._table.pose(name).z - self._stood[name][2]

    def _has_done(self, number: int) -> Check:
        return lambda: len(self.done) > number
