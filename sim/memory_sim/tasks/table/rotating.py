"""Turn a peg by an angle that was told before it came (RotateLenient, RotateStrict of MIKASA-Robo).

Cherepanov et al. 2025. There the angle can be read all the time; here it is told first and the peg
comes later, so that the angle has to be remembered.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from memory_sim.tasks.table.task import Goal, Task
from memory_sim.worlds.table.models import PALETTE, PEG
from memory_sim.worlds.table.world import TableWorld

TOLD_STEPS = 5
_LEAST_RAD = 0.1
_WITHIN_RAD, _WITHIN_M = 0.1, 0.05


class Rotate(Task):
    """One episode."""

    def __init__(
        self, table: TableWorld, random: np.random.Generator, *, both_ways: bool, strict: bool
    ) -> None:
        """Draw the angle and where the peg will lie.

        Args:
            table: An empty one.
            random: All that is drawn comes from it.
            both_ways: Up to 45 degrees either way; else up to 90 counter-clockwise.
            strict: Whether its middle is to stay where it is.
        """
        super().__init__(table, random)
        degrees = np.degrees(random.uniform(_LEAST_RAD, math.pi / (4 if both_ways else 2)))
        way = -1 if both_ways and random.random() < 0.5 else 1
        self._angle = way * math.radians(round(float(degrees)))
        self._strict = strict
        stay = " and keep its middle where it is" if strict else ""
        side = "counter-clockwise" if way > 0 else "clockwise"
        self.instruction = (
            f"Remember: when a peg lies on the table, turn it by {round(float(degrees))} degrees {side}, "
            f"seen from above{stay}, and let go of it."
        )
        self._later = f"Turn the peg by the angle that you were told{stay}, and let go of it."
        self._place = random.uniform((0.44, -0.12), (0.56, 0.12))
        self._yaw = float(random.uniform(-math.pi, math.pi))
        table.add("peg", PEG, PALETTE[str(random.choice(list(PALETTE)))])
        name = "turned, its middle kept" if strict else "turned"
        self.goal = Goal(((name, self._turned),))

    def change(self, step: int) -> None:
        """The angle is told, then the peg comes."""
        if step == TOLD_STEPS:
            self.table.place("peg", *self._place, yaw=self._yaw)
            self.instruction = self._later

    def judge(self, step: int) -> None:
        """See how the peg lies when nobody touches it."""
        if step > TOLD_STEPS:
            super().judge(step)

    def answer(self) -> dict[str, Any]:
        """The angle that is left to turn, radians counter-clockwise, and where the middle was."""
        return {
            "things": ["peg"], "angle_rad": self._left(), "place": tuple(self._place.tolist()),
            "from_step": TOLD_STEPS,
        }  # fmt: skip

    def _left(self) -> float:
        turned = self.table.pose("peg").yaw - self._yaw if self.table.shows("peg") else 0.0
        return (self._angle - turned + math.pi) % (2 * math.pi) - math.pi

    def _turned(self) -> bool:
        arm = self.table.arm
        free = arm.at_rest() and not max(arm.finger_forces(self.table.bodies["peg"]))
        return free and abs(self._left()) < _WITHIN_RAD and self._kept()

    def _kept(self) -> bool:
        pose = self.table.pose("peg")
        return not self._strict or math.dist((pose.x, pose.y), self._place) < _WITHIN_M
