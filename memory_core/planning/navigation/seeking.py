"""Where might a robot be that does not know? Everywhere in the map that its scan fits.

Several places often do: rooms resemble each other. All are kept while the robot moves, each is
checked against the next scans (multi-hypothesis localisation, Jensfelt & Kristensen 2001), and
only one that is left alone, or that place recognition alone supports, is believed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from memory_core.planning.navigation.atlas import Atlas
from memory_core.planning.navigation.grid import OccupancyGrid
from memory_core.planning.navigation.matching import (
    Match,
    Space,
    crossings,
    refine,
    same_place,
)
from memory_core.planning.navigation.planar import Planar, compose, distance, turn_between
from memory_core.types import FloatArray

_FITS = 0.78
_STILL_FITS = 0.65
_OVERLAPS = 0.6
_CROSSES = 0.12
_AS_GOOD = 0.85
_FALLEN_BEHIND = 0.3
_REFINED = 24
_RECOGNISED = (1.5, 0.8)


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """A place the robot may be at.

    Attributes:
        floor: Number of the floor.
        pose: The base in the map.
        quality: How well scans fit there, 0 to 1 each, summed over the scans since it came up.
    """

    floor: int
    pose: Planar
    quality: float

    def moved(self, step: Planar) -> Hypothesis:
        """After a step of the wheels."""
        return replace(self, pose=compose(self.pose, step))


def still_fitting(
    atlas: Atlas, points: FloatArray, hypotheses: Sequence[Hypothesis]
) -> list[Hypothesis]:
    """The hypotheses that a new scan does not speak against, corrected by it.

    One that has fitted worse than the best over several scans is given up too.
    """
    checked = []
    for one in hypotheses:
        guess = np.diag([25.0, 25.0, 50.0])
        match = refine(atlas.grids[one.floor], points, one.pose, information=guess)
        if _fits(atlas.grids[one.floor], points, match, support=_STILL_FITS):
            checked.append(Hypothesis(one.floor, match.pose, one.quality + match.quality))
    best = max((one.quality for one in checked), default=0.0)
    return [one for one in checked if one.quality > best - _FALLEN_BEHIND]


def places_that_fit(atlas: Atlas, points: FloatArray) -> list[Hypothesis]:
    """All places of a map, on any floor, that a scan fits nearly as well as the best, best first.

    Args:
        atlas: The map.
        points: Ends of beams, base frame, shape (n, 2).
    """
    found = []
    for floor, grid in enumerate(atlas.grids):
        if not grid.walls.any():
            continue
        low, high = grid.centres(np.array([[0, 0], grid.shape]))
        middle = (low + high) / 2
        space = Space(
            (float(middle[0]), float(middle[1]), 0.0), float(np.ptp([low, high], axis=0).max()) / 2,
            math.pi,
        )  # fmt: skip
        searched = atlas.pyramid(floor).search(points, space, standing=grid.scan_odds < 0)
        for _, pose in searched[:_REFINED]:
            match = refine(grid, points, pose)
            if _fits(grid, points, match, support=_FITS):
                found.append(Hypothesis(floor, match.pose, match.quality))
    found.sort(key=lambda hypothesis: -hypothesis.quality)
    kept: list[Hypothesis] = []
    for one in found:
        doubled = any(k.floor == one.floor and same_place(k.pose, one.pose) for k in kept)
        if not doubled and one.quality > _AS_GOOD * found[0].quality:
            kept.append(one)
    return kept


def told_apart(hypotheses: Sequence[Hypothesis], recognised: Sequence[Planar]) -> Hypothesis | None:
    """The one place left, or the one that place recognition alone supports; else None."""
    if len(hypotheses) == 1:
        return hypotheses[0]
    supported = [
        hypothesis
        for hypothesis in hypotheses
        if any(
            distance(pose, hypothesis.pose) < _RECOGNISED[0]
            and turn_between(pose, hypothesis.pose) < _RECOGNISED[1]
            for pose in recognised
        )
    ]
    return supported[0] if len(supported) == 1 else None


def _fits(grid: OccupancyGrid, points: FloatArray, match: Match, *, support: float) -> bool:
    if match.support < support or match.overlap < _OVERLAPS:
        return False
    return crossings(grid, points, match.pose) < _CROSSES
