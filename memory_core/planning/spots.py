"""Where on a surface something can be put down, from the points of a depth picture."""

from __future__ import annotations

import itertools
import math

import numpy as np

from memory_core.types import FloatArray, Vector3

CELL_M = 0.025
LEVEL_M = 0.02
LOWEST_M, HIGHEST_M = 0.25, 1.4
CLEAR_M, TIGHT_M = 0.1, 0.06
"""Around where a thing is put so much of the surface is free; where no such place is, so much."""
MOST, APART_M = 3, 0.15
BOARDS, HAND_M = 3, 0.2
"""So many boards are tried, where the next one above is so far off."""


def points_over(
    cloud: FloatArray, own: FloatArray, *, centre: Vector3, reach_m: float, beside_m: float
) -> FloatArray:
    """Points over a piece of furniture, and not over what stands beside it.

    What is remembered of furniture is often its front alone; its own points tell how deep it is.

    Args:
        cloud: Points of a look, `map`, metres, shape (n, 3).
        own: Those of the furniture itself, shape (m, 3); none where it is not in view.
        centre: Where it is remembered, `map`.
        reach_m: So near to that points are over it in any case.
        beside_m: What is so near to its own points along the floor is over it.
    """
    from scipy.spatial import cKDTree

    over = np.hypot(cloud[:, 0] - centre[0], cloud[:, 1] - centre[1]) <= reach_m
    if len(own):
        gap, _ = cKDTree(own[:, :2]).query(cloud[:, :2], distance_upper_bound=beside_m)
        over |= np.isfinite(gap)
    return np.asarray(cloud[over])


def free_spots(
    cloud: FloatArray,
    near: Vector3,
    *,
    floor_m: float,
    toward: tuple[float, float],
    within_m: float = 0.8,
    boards: bool = False,
    clear_m: float = CLEAR_M,
) -> list[Vector3]:
    """Free spots on the largest level surface about a point, the closest to the robot first.

    Args:
        cloud: Points of a look, `map`, metres, shape (n, 3).
        near: About here.
        floor_m: Height of the floor, `map`.
        toward: Where the robot stands, x and y.
        within_m: At most so far from `near` along the floor.
        boards: Whether surfaces lie one above the other. Each of them counts then, those closest
            to the height of `near` first, if what is over it leaves room for a hand.
        clear_m: So much of the surface is free around each spot.

    Returns:
        Points of the surface, 15 cm or more from each other, 3 at most.
    """
    offset = cloud - np.array([near[0], near[1], floor_m])
    close = np.hypot(offset[:, 0], offset[:, 1]) <= within_m
    points = offset[close & (offset[:, 2] > LOWEST_M) & (offset[:, 2] < HIGHEST_M)]
    if not len(points):
        return []
    side = 2 * math.ceil(within_m / CELL_M) + 1
    if boards:
        surfaces = [
            (level, _heights(points[points[:, 2] <= level + HAND_M], side))
            for level in _levels(points, side, near_m=near[2] - floor_m)
        ]
    else:
        height = _heights(points, side)
        surfaces = [(_level_of(height[np.isfinite(height)]), height)]
    found = [_spots_on(*surface, np.array(toward) - near[:2], clear_m) for surface in surfaces]
    return [
        (x + near[0], y + near[1], level + floor_m)
        for turn in itertools.zip_longest(*found)
        for x, y, level in filter(None, turn)
    ][:MOST]


def _heights(points: FloatArray, side: int) -> FloatArray:
    """The highest point over each cell, shape (side, side); -inf where there is none."""
    cells = np.rint(points[:, :2] / CELL_M).astype(int) + side // 2
    height = np.full((side, side), -np.inf)
    np.maximum.at(height, (cells[:, 0], cells[:, 1]), points[:, 2])
    return height


def _level_of(heights: FloatArray) -> float:
    """The level at which most of some heights lie."""
    count, edges = np.histogram(heights, np.arange(LOWEST_M, HIGHEST_M + LEVEL_M, LEVEL_M))
    level = edges[int(count.argmax())] + LEVEL_M / 2
    return float(np.median(heights[np.abs(heights - level) <= LEVEL_M]))


def _levels(points: FloatArray, side: int, *, near_m: float) -> list[float]:
    """Levels of surfaces that lie one above the other, the closest to a height first."""
    cells = np.rint(points[:, :2] / CELL_M).astype(int) + side // 2
    layer = np.floor(points[:, 2] / LEVEL_M).astype(int)
    _, first = np.unique(np.column_stack([cells, layer]), axis=0, return_index=True)
    left = points[first, 2]
    levels: list[float] = []
    while len(left) and len(levels) < BOARDS:
        levels.append(_level_of(left))
        left = left[np.abs(left - levels[-1]) > HAND_M / 2]
    return sorted(levels, key=lambda level: abs(level - near_m))


def _spots_on(
    level: float, height: FloatArray, toward: FloatArray, clear_m: float
) -> list[Vector3]:
    """Free spots on the surface at a level of a map of heights, from its middle, metres."""
    from scipy.ndimage import binary_closing, binary_erosion

    flat = np.abs(height - level) <= LEVEL_M
    # seen at a grazing angle the rows of points lie further apart than cells
    flat |= ~np.isfinite(height) & binary_closing(flat, np.ones((3, 3), bool))
    reach = round(clear_m / CELL_M)
    grid = np.indices((2 * reach + 1, 2 * reach + 1)) - reach
    disc = np.hypot(*grid) <= reach
    free = np.argwhere(binary_erosion(flat, disc))
    spots = (free - len(height) // 2) * CELL_M
    spots = spots[np.argsort(np.linalg.norm(spots - toward, axis=1), kind="stable")]
    chosen: list[Vector3] = []
    while len(spots) and len(chosen) < MOST:
        x, y = spots[0].tolist()
        chosen.append((x, y, level))
        spots = spots[np.linalg.norm(spots - spots[0], axis=1) >= APART_M]
    return chosen
