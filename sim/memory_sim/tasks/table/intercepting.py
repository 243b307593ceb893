"""A ball rolls past: hit it to a target, or catch it (Intercept, InterceptGrab of MIKASA-Robo).

Cherepanov et al. 2025. One picture does not tell where a ball will be.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from memory_sim.tasks.table.task import Goal, Task
from memory_sim.worlds.table.models import BALL, PALETTE, target
from memory_sim.worlds.table.world import TableWorld

TARGET_M = 0.1
_LIFT_M = 0.05
_STARTS = ((0.36, -0.90), (0.52, -0.70))
_DRIFT = 0.05
_ASIDE_M = 0.2


class Intercept(Task):
    """One episode."""

    def __init__(
        self, table: TableWorld, random: np.random.Generator, *, speeds: tuple[float, float],
        grab: bool,
    ) -> None:  # fmt: skip
        """Draw where the ball comes from and how fast.

        Args:
            table: An empty one.
            random: All that is drawn comes from it.
            speeds: Least and largest, metres a second.
            grab: Catch it; else hit it to the target.
        """
        super().__init__(table, random)
        self._start = random.uniform(*_STARTS)
        drift, speed = random.uniform(-_DRIFT, _DRIFT), random.uniform(*speeds)
        self._velocity = (float(drift), float(speed), 0.0)
        colours = random.choice(list(PALETTE), 2, replace=False)
        table.add("ball", BALL, PALETTE[colours[0]])
        self._grab = grab
        if grab:
            self.instruction = "A ball rolls over the table. Catch it and lift it up."
            self.goal = Goal((("held", self._held), ("lifted 5 cm", self._lifted)))
            return
        self.instruction = (
            "A ball rolls over the table. Hit it so that it comes to the round target."
        )
        self._target = (float(self._start[0]) + _ASIDE_M, float(random.uniform(-0.2, 0.2)))
        table.add("target", target(TARGET_M), PALETTE[colours[1]])
        self.goal = Goal((("hit", self._hit), ("on the target", self._on_target)))

    def change(self, step: int) -> None:
        """The ball is let go at once."""
        if step == 0:
            self.table.place("ball", *self._start)
            self.table.roll("ball", self._velocity)
            if not self._grab:
                self.table.place("target", *self._target)

    def judge(self, step: int) -> None:
        """See where the ball is."""
        super().judge(step)
        if not self.goal.reached and not self.table.stands("ball"):
            self.spoiled = "the ball is gone"

    def answer(self) -> dict[str, Any]:
        """How the ball rolled at first, and where it is to come to."""
        found: dict[str, Any] = {"things": ["ball"], "velocity": self._velocity}
        return found if self._grab else found | {"place": self._target}

    def _hit(self) -> bool:
        return self.table.touched_by_arm("ball")

    def _on_target(self) -> bool:
        ball = self.table.pose("ball")
        return math.dist((ball.x, ball.y), self._target) < TARGET_M

    def _held(self) -> bool:
        return self.table.arm.holds(self.table.bodies["ball"])

    def _lifted(self) -> bool:
        high = self.table.pose("ball").z > BALL.size[2] / 2 + _LIFT_M
        return self._held() and high and self.table.arm.at_rest()
