"""Where on a surface something can be put down, from the points of a depth picture."""

from __future__ import annotations

import math

import numpy as np

from memory_core.types import FloatArray, Vector3

CELL_M = 0.025
LEVEL_M = 0.02
LOWEST_M, HIGHEST_M = 0.25, 1.4
CLEAR_M = 0.08
MOST, APART_M = 4, 0.15


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
) -> list[Vector3]:
    """Free spots on the largest level surface about a point, the closest to the robot first.

    Args:
        cloud: Points of a look, `map`, metres, shape (n, 3).
        near: About here.
        floor_m: Height of the floor, `map`.
        toward: Where the robot stands, x and y.
        within_m: At most so far from `near` along the floor.

    Returns:
        Points of the surface with a hand's breadth of free surface around each, 15 cm or more
        from each other, 4 at most.
    """
    from scipy.ndimage import binary_closing, binary_erosion

    offset = cloud - np.array([near[0], near[1], floor_m])
    close = np.hypot(offset[:, 0], offset[:, 1]) <= within_m
    points = offset[close & (offset[:, 2] > LOWEST_M) & (offset[:, 2] < HIGHEST_M)]
    if not len(points):
        return []
    side = 2 * math.ceil(within_m / CELL_M) + 1
    cells = np.rint(points[:, :2] / CELL_M).astype(int) + side // 2
    height = np.full((side, side), -np.inf)
    np.maximum.at(height, (cells[:, 0], cells[:, 1]), points[:, 2])
    seen = height[np.isfinite(height)]
    count, edges = np.histogram(seen, np.arange(LOWEST_M, HIGHEST_M + LEVEL_M, LEVEL_M))
    level = edges[int(count.argmax())] + LEVEL_M / 2
    level = float(np.median(seen[np.abs(seen - level) <= LEVEL_M]))
    flat = np.abs(height - level) <= LEVEL_M
    # seen at a grazing angle the rows of points lie further apart than cells
    flat |= ~np.isfinite(height) & binary_closing(flat, np.ones((3, 3), bool))
    reach = math.ceil(CLEAR_M / CELL_M)
    grid = np.indices((2 * reach + 1, 2 * reach + 1)) - reach
    disc = np.hypot(*grid) <= reach
    free = np.argwhere(binary_erosion(flat, disc))
    spots = (free - side // 2) * CELL_M + np.array(near[:2])
    spots = spots[np.argsort(np.linalg.norm(spots - np.array(toward), axis=1), kind="stable")]
    chosen: list[Vector3] = []
    while len(spots) and len(chosen) < MOST:
        x, y = spots[0].tolist()
        chosen.append((x, y, level + floor_m))
        spots = spots[np.linalg.norm(spots - spots[0], axis=1) >= APART_M]
    return chosen
