"""What is seen in passing: furniture that was looked over on the way need not be gone to first."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from memory_core.planning.body import Seen
from memory_core.planning.candidates import SAME_SPOT_M
from memory_core.planning.regions import Region, has_boards, supports
from memory_core.types import Vector3

PASSED_M, PASSED_FRAMES, PASSED_SHARE = 2.5, 3, 0.6
"""Furniture of which so much was seen, as on a floor plan, from so near in so many frames was looked
over in passing; of a chair from behind and of a high cabinet little is seen."""
LEAST_M2, CELL_M = 0.25, 0.1
WIDE_M = 1.0
OVERLOOKED, OVERLOOKED_WIDE = 0.15, 0.5
"""Chance that a thing on furniture is not noticed in passing; wide pieces are passed in part."""


class Passed:
    """Furniture that was passed, and how much of it was seen."""

    def __init__(self) -> None:
        self._seen: list[tuple[str, Vector3, float]] = []

    def note(self, noticed: Sequence[Seen]) -> None:
        """Remember what was seen from near, of what things are put on."""
        for item in noticed:
            near = np.linalg.norm(item.cloud[:, :2].mean(axis=0)) <= PASSED_M
            if near and supports(item.label):
                self._seen.append((item.label, item.position, _covered_m2(item)))

    def overlooked(self, region: Region) -> float:
        """The chance that a thing which is there was not noticed; 1 where it was not passed."""
        if region.shut or has_boards(region.name):
            return 1.0
        needed_m2 = PASSED_SHARE * max(LEAST_M2, region.size[0] * region.size[1])
        frames = sum(
            name == region.name
            and math.dist(at, region.centre) <= SAME_SPOT_M
            and covered_m2 >= needed_m2
            for name, at, covered_m2 in self._seen
        )
        if frames < PASSED_FRAMES:
            return 1.0
        return OVERLOOKED_WIDE if max(region.size[:2]) > WIDE_M else OVERLOOKED


def _covered_m2(seen: Seen) -> float:
    """What the points on something cover of the floor plan."""
    cells = np.unique(np.floor(seen.cloud[:, :2] / CELL_M), axis=0)
    return len(cells) * CELL_M**2
