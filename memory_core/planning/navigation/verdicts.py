"""Whether a scan lies where it was laid."""

from __future__ import annotations

from memory_core.planning.navigation.grid import OccupancyGrid
from memory_core.planning.navigation.matching import Match, Pyramid, Space, crossings, refine
from memory_core.planning.navigation.planar import Planar, distance
from memory_core.types import FloatArray

FITS_WELL = 0.7
FITS_SURELY = 0.8
_FITS = 0.6
_IN_KNOWN_PARTS = 0.3
_OVERLAPS = 0.5
_CROSSES = 0.15


def fits(match: Match) -> bool:
    """Enough to go on with where the robot was known to be."""
    return match.support > _FITS and match.overlap > _IN_KNOWN_PARTS


def lies_well(grid: OccupancyGrid, points: FloatArray, match: Match, *, support: float) -> bool:
    """Enough to believe a place that the robot was not known to be at.

    Args:
        grid: The map.
        points: Ends of beams, base frame, shape (n, 2).
        match: How they were laid.
        support: Least support.
    """
    return (
        match.support > support
        and match.overlap > _OVERLAPS
        and crossings(grid, points, match.pose) < _CROSSES
    )


def look_around(
    pyramid: Pyramid, points: FloatArray, guess: Planar, *, reach_m: float
) -> Match | None:
    """The place near a guess where a scan surely lies, the nearest of equals; None without one.

    Args:
        pyramid: The map.
        points: Ends of beams, base frame, shape (n, 2).
        guess: The base in the map's frame.
        reach_m: How far to look.
    """
    space = Space(guess, reach_m, 0.2 + 0.3 * reach_m)
    best: Match | None = None
    value = 0.0
    for _, pose in pyramid.search(points, space)[:6]:
        match = refine(pyramid.grid, points, pose)
        worth = match.quality - 0.1 * distance(match.pose, guess)
        if worth > value and lies_well(pyramid.grid, points, match, support=FITS_SURELY):
            best, value = match, worth
    return best
