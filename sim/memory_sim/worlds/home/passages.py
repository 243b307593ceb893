"""Whether a robot gets everywhere: free floor on a grid, and what of it hangs together."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
from scipy import ndimage

from memory_core.types import BoolArray, IntArray

CELL_M = 0.05
Rectangle = tuple[float, float, float, float]
"""Smallest x, smallest y, largest x, largest y, metres."""


class FloorGrid:
    """The floor of one storey as cells, those that a round robot's middle may be on, and regions."""

    def __init__(self, obstacles: Iterable[Rectangle], *, radius_m: float) -> None:
        """Find the free cells.

        Args:
            obstacles: Walls and furniture.
            radius_m: Of the robot.
        """
        rectangles = np.array(list(obstacles), dtype=np.float64).reshape(-1, 4)
        self._low = rectangles[:, :2].min(axis=0) - CELL_M
        high = rectangles[:, 2:].max(axis=0) + CELL_M
        shape = np.ceil((high - self._low) / CELL_M).astype(int) + 1
        taken = np.zeros(shape, dtype=bool)
        for x0, y0, x1, y1 in rectangles:
            (i0, j0), (i1, j1) = self._cell(x0, y0), self._cell(x1, y1)
            taken[i0 : i1 + 1, j0 : j1 + 1] = True
        distance = ndimage.distance_transform_edt(~taken) * CELL_M
        self.clearance_m = distance
        self.free: BoolArray = distance > radius_m
        regions, _ = ndimage.label(self.free)
        self._regions: IntArray = regions

    def _cell(self, x: float, y: float) -> tuple[int, int]:
        return (
            math.floor((x - self._low[0]) / CELL_M),
            math.floor((y - self._low[1]) / CELL_M),
        )

    def region(self, x: float, y: float) -> int:
        """Number of the connected region a point is in; 0 where the robot cannot be."""
        i, j = self._cell(x, y)
        rows, columns = self._regions.shape
        return int(self._regions[i, j]) if 0 <= i < rows and 0 <= j < columns else 0

    def clearance(self, x: float, y: float) -> float:
        """Distance from a point to the nearest obstacle, metres."""
        i, j = self._cell(x, y)
        return float(self.clearance_m[i, j])
