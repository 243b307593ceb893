"""Where on a surface something can be put down, from the points of a depth picture."""

from __future__ import annotations

import math

import numpy as np

from memory_core.types import FloatArray, Vector3

CELL_M = 0.025
LEVEL_M = 0.02
LOWEST_M, HIGHEST_M = 0.25, 1.4
CLEAR_M = 0.08


def free_spot(
    cloud: FloatArray,
    near: Vector3,
    *,
    floor_m: float,
    toward: tuple[float, float],
    within_m: float = 0.8,
) -> Vector3 | None:
    """The free spot on the largest level surface about a point that is closest to the robot.

    Args:
        cloud: Points of a look, `map`, metres, shape (n, 3).
        near: About here.
        floor_m: Height of the floor, `map`.
        toward: Where the robot stands, x and y.
        within_m: At most so far from `near` along the floor.

    Returns:
        A point of the surface with a hand's breadth of free surface around it; None where there
        is none.
    """
    from scipy.ndimage import binary_erosion

    offset = cloud - np.array([near[0], near[1], floor_m])
    close = np.hypot(offset[:, 0], offset[:, 1]) <= within_m
    points = offset[close & (offset[:, 2] > LOWEST_M) & (offset[:, 2] < HIGHEST_M)]
    if not len(points):
        return None
    side = 2 * math.ceil(within_m / CELL_M) + 1
    cells = np.rint(points[:, :2] / CELL_M).astype(int) + side // 2
    height = np.full((side, side), -np.inf)
    np.maximum.at(height, (cells[:, 0], cells[:, 1]), points[:, 2])
    seen = height[np.isfinite(height)]
    count, edges = np.histogram(seen, np.arange(LOWEST_M, HIGHEST_M + LEVEL_M, LEVEL_M))
    level = edges[int(count.argmax())] + LEVEL_M / 2
    level = float(np.median(seen[np.abs(seen - level) <= LEVEL_M]))
    flat = np.abs(height - level) <= LEVEL_M
    reach = math.ceil(CLEAR_M / CELL_M)
    grid = np.indices((2 * reach + 1, 2 * reach + 1)) - reach
    disc = np.hypot(*grid) <= reach
    free = np.argwhere(binary_erosion(flat, disc))
    if not len(free):
        return None
    spots = (free - side // 2) * CELL_M + np.array(near[:2])
    best = spots[np.linalg.norm(spots - np.array(toward), axis=1).argmin()]
    return (float(best[0]), float(best[1]), level + floor_m)
