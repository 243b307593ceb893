"""Take it back: bring a cube to the target, then back to where it was (MIKASA-Robo).

Cherepanov et al. 2025. The target changes its colour when the cube has reached it. Leaving the cube
elsewhere afterwards spoils the episode.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from memory_sim.tasks.table.task import Goal, Task, left_alone, lies_at
from memory_sim.worlds.table.models import CUBE, PALETTE, target
from memory_sim.worlds.table.world import TableWorld

TARGET_M = 0.08
RETURN_M = 0.05
_STARTS = ((0.34, -0.30), (0.48, 0.30))
_TARGETS = ((0.62, -0.10), (0.66, 0.10))
CHANCE = math.pi * RETURN_M**2 / float(np.prod(np.subtract(_STARTS[1], _STARTS[0])))
"""Of the best blind guess: a spot of the table out of all where the cube may have stood."""


class TakeItBack(Task):
    """One episode."""

    instruction = (
        "Bring the cube to the round target. When the target changes its colour, bring the cube back "
        "to where it was at first."
    )

    def __init__(self, table: TableWorld, random: np.random.Generator) -> None:
        """Draw where the cube and the target are."""
        super().__init__(table, random)
        self._start = random.uniform(*_STARTS)
        self._target = random.uniform(*_TARGETS)
        cube, before, after = random.choice(list(PALETTE), 3, replace=False)
        table.add("cube", CUBE, PALETTE[cube])
        table.add("target", target(TARGET_M), PALETTE[before])
        self._after = PALETTE[after]
        self.goal = Goal((
            ("on the target", lambda: lies_at(table, "cube", self._target, within_m=TARGET_M)),
            ("back", lambda: lies_at(table, "cube", self._start, within_m=RETURN_M)),
        ))  # fmt: skip

    def change(self, step: int) -> None:
        """Both stand there from the beginning; the target changes once it was reached."""
        if step == 0:
            self.table.place("cube", *self._start, yaw=self.random.uniform(-0.5, 0.5))
            self.table.place("target", *self._target)
        if self.goal.met == 1:
            self.table.paint("target", self._after)

    def judge(self, step: int) -> None:
        """See where the cube lies."""
        super().judge(step)
        if self.goal.met == 1 and left_alone(self.table, "cube"):
            pose = self.table.pose("cube")
            if math.dist((pose.x, pose.y), self._target) > TARGET_M:
                self.spoiled = "left the cube elsewhere"

    def answer(self) -> dict[str, Any]:
        """Where the cube is to be brought now."""
        place = self._start if self.goal.met else self._target
        return {"things": ["cube"], "place": tuple(place.tolist())}
