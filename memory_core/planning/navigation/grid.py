"""A map of one floor: which cells are free, which are occupied, which nobody has seen.

Occupancy grid in log-odds (Moravec & Elfes 1985), clamped so that what is contradicted gives way
after a few looks (Hornung et al. 2013): doors, people and moved furniture. Two layers: what the
range scanner says in its plane, which localisation matches against, and what a depth camera says
between ankle and head, which the scanner passes under. Planning keeps off both.
"""

from __future__ import annotations

import math

import numpy as np
from scipy import ndimage

from memory_core.planning.body import Scan
from memory_core.planning.navigation.planar import Planar
from memory_core.types import BoolArray, FloatArray, IntArray, Vector3

CELL_M = 0.05
HIT = 0.85
FREE = -0.4
LOWEST = -2.0
HIGHEST = 3.5
OCCUPIED = 0.5
OBSTACLE_M = (0.1, 1.3)
_FLOOR_M = 0.05
_MOST_POINTS = 8_000
_BLOCK = 64
_CAP_M = 0.75

Window = tuple[slice, slice]


class _Layer:
    """Log-odds of one sensor."""

    def __init__(self, shape: tuple[int, int]) -> None:
        self.odds = np.zeros(shape, np.float32)

    def add(self, window: Window, hit: BoolArray, free: BoolArray) -> BoolArray:
        """Count hits and passages in a window; True where a cell became occupied or free."""
        odds = self.odds[window]
        before = odds > OCCUPIED
        unknown = odds == 0
        odds += HIT * hit + FREE * (free & ~hit)
        np.clip(odds, LOWEST, HIGHEST, out=odds)
        changed: BoolArray = (before != (odds > OCCUPIED)) | (unknown != (odds == 0))
        return changed


class _Distances:
    """Distance to the nearest occupied cell, metres, capped; recomputed only where it changed."""

    def __init__(self) -> None:
        self._values: FloatArray | None = None
        self._stale: list[int] | None = None

    def forget(self) -> None:
        self._values = None

    def touch(self, low: IntArray, high: IntArray) -> None:
        box = [int(low[0]), int(low[1]), int(high[0]), int(high[1])]
        if self._stale is None:
            self._stale = box
        else:
            old = self._stale
            self._stale = [*map(min, old[:2], box[:2]), *map(max, old[2:], box[2:])]

    def values(self, occupied: BoolArray, cell_m: float) -> FloatArray:
        if self._values is None:
            self._values = capped_distance(occupied, cell_m)
        elif self._stale is not None:
            reach = math.ceil(_CAP_M / cell_m)
            outer = _window(self._stale, 2 * reach, occupied.shape)
            inner = _window(self._stale, reach, occupied.shape)
            fresh = capped_distance(occupied[outer], cell_m)
            rows, columns = (
                slice(part.start - whole.start, part.stop - whole.start)
                for part, whole in zip(inner, outer, strict=True)
            )
            self._values[inner] = fresh[rows, columns]
        self._stale = None
        return np.asarray(self._values)


def capped_distance(occupied: BoolArray, cell_m: float) -> FloatArray:
    """Distance from each cell's centre to that of the nearest occupied cell, at most 0.75 m."""
    if not occupied.any():
        return np.full(occupied.shape, _CAP_M, np.float32)
    cells = ndimage.distance_transform_edt(~occupied)
    return np.asarray(np.minimum(cells * cell_m, _CAP_M), np.float32)


def _window(box: list[int], margin: int, shape: tuple[int, ...]) -> Window:
    rows = slice(max(0, box[0] - margin), min(shape[0], box[2] + 1 + margin))
    return rows, slice(max(0, box[1] - margin), min(shape[1], box[3] + 1 + margin))


class OccupancyGrid:
    """Free, occupied and unknown cells of one floor; grows as more is seen.

    Cells are squares; row r, column c covers y from `(corner[0] + r) * cell_m`, x from
    `(corner[1] + c) * cell_m`.

    Attributes:
        cell_m: Side of a cell, metres.
        corner: Row and column numbers of the first cell, counted from the frame's origin.
        revision: Rises whenever a cell becomes free, occupied or known.
    """

    def __init__(self, *, cell_m: float = CELL_M) -> None:
        self.cell_m = cell_m
        self.corner = (0, 0)
        self.revision = 0
        self._scan = _Layer((0, 0))
        self._depth = _Layer((0, 0))
        self._walls = _Distances()
        self._all = _Distances()

    @classmethod
    def from_odds(
        cls, scan: FloatArray, depth: FloatArray, *, corner: tuple[int, int], cell_m: float = CELL_M
    ) -> OccupancyGrid:
        """A grid of known log-odds, each of shape (rows, columns)."""
        grid = cls(cell_m=cell_m)
        grid.corner = corner
        grid._scan.odds = np.array(scan, np.float32)
        grid._depth.odds = np.array(depth, np.float32)
        return grid

    # -- reading ----------------------------------------------------------------------------

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        rows, columns = self._scan.odds.shape
        return rows, columns

    @property
    def scan_odds(self) -> FloatArray:
        """Log-odds of the scanner's layer, shape (rows, columns); 0 is unknown."""
        return self._scan.odds

    @property
    def depth_odds(self) -> FloatArray:
        """Log-odds of the depth camera's layer, shape (rows, columns); 0 is unknown."""
        return self._depth.odds

    @property
    def walls(self) -> BoolArray:
        """Cells that the scanner found occupied."""
        return np.asarray(self._scan.odds > OCCUPIED)

    @property
    def occupied(self) -> BoolArray:
        """Cells that either sensor found occupied."""
        return np.asarray((self._scan.odds > OCCUPIED) | (self._depth.odds > OCCUPIED))

    @property
    def known(self) -> BoolArray:
        """Cells that either sensor has seen."""
        return np.asarray((self._scan.odds != 0) | (self._depth.odds != 0))

    @property
    def free(self) -> BoolArray:
        """Cells seen, and not occupied."""
        return self.known & ~self.occupied

    def wall_distance_m(self) -> FloatArray:
        """Distance to what the scanner found, metres, at most 0.75, shape (rows, columns)."""
        return self._walls.values(self.walls, self.cell_m)

    def clearance_m(self) -> FloatArray:
        """Distance to anything occupied, metres, at most 0.75, shape (rows, columns)."""
        return self._all.values(self.occupied, self.cell_m)

    def distance_to_occupied_m(self, points: FloatArray, *, within_m: float) -> float:
        """From the nearest of some points, shape (n, 2), to anything occupied; at most `within_m`.

        Cheaper than `clearance_m` for a few points on a map that has just changed.
        """
        low, high = self.cells(np.array([points.min(axis=0), points.max(axis=0)]))
        margin = math.ceil(within_m / self.cell_m)
        rows = slice(max(0, int(low[0]) - margin), max(0, int(high[0]) + margin + 1))
        columns = slice(max(0, int(low[1]) - margin), max(0, int(high[1]) + margin + 1))
        window = (rows, columns)
        found = (self._scan.odds[window] > OCCUPIED) | (self._depth.odds[window] > OCCUPIED)
        cells = np.argwhere(found) + (rows.start, columns.start)
        if not len(cells):
            return within_m
        apart = self.centres(cells)[:, None, :] - points[None, :, :]
        return min(within_m, float(np.sqrt((apart**2).sum(axis=2).min())))

    def cells(self, points: FloatArray) -> IntArray:
        """Rows and columns of points of the floor, shape (n, 2); may lie outside."""
        return np.asarray(np.floor(points[:, 1::-1] / self.cell_m).astype(np.int64) - self.corner)

    def cell(self, x: float, y: float) -> tuple[int, int]:
        """Row and column of one point; may lie outside."""
        return (
            math.floor(y / self.cell_m) - self.corner[0],
            math.floor(x / self.cell_m) - self.corner[1],
        )

    def centres(self, cells: IntArray) -> FloatArray:
        """Centres of cells given by row and column, shape (n, 2), as x and y in metres."""
        return ((np.asarray(cells) + self.corner)[:, ::-1] + 0.5) * self.cell_m

    def holds(self, cell: tuple[int, int]) -> bool:
        """Whether a row and column lie within the grid."""
        return 0 <= cell[0] < self.shape[0] and 0 <= cell[1] < self.shape[1]

    # -- writing ----------------------------------------------------------------------------

    def insert(self, scan: Scan, pose: Planar) -> None:
        """Add one turn of the scanner, made from a pose of the base in the grid's frame.

        A cell that several beams hit or pass counts once; one that is hit is not freed by the
        same turn.
        """
        x, y, yaw = pose
        hit = np.isfinite(scan.ranges_m) & (scan.ranges_m < scan.range_m)
        reach = np.where(hit, scan.ranges_m, scan.range_m)
        cosine, sine = np.cos(scan.angles + yaw), np.sin(scan.angles + yaw)
        ends = np.stack([x + cosine * reach, y + sine * reach], axis=1)
        corners = np.vstack([ends, [[x, y]]])
        window = self._cover(corners.min(axis=0), corners.max(axis=0))
        rows, columns = window
        height, width = rows.stop - rows.start, columns.stop - columns.start
        counts = np.maximum(0, np.floor(reach / self.cell_m - 0.5)).astype(np.int64)
        first = np.cumsum(counts) - counts
        along = (np.arange(counts.sum()) - np.repeat(first, counts) + 0.5).astype(np.float32)
        left = x / self.cell_m - self.corner[1] - columns.start
        low = y / self.cell_m - self.corner[0] - rows.start
        passed_column = (left + np.repeat(cosine.astype(np.float32), counts) * along).astype(
            np.int32
        )
        passed_row = (low + np.repeat(sine.astype(np.float32), counts) * along).astype(np.int32)
        free = np.zeros(height * width, bool)
        free[passed_row * width + passed_column] = True
        struck = np.zeros(height * width, bool)
        cells = self.cells(ends[hit]) - (rows.start, columns.start)
        struck[cells[:, 0] * width + cells[:, 1]] = True
        shape = (height, width)
        changed = self._scan.add(window, struck.reshape(shape), free.reshape(shape))
        self._changed(window, changed, walls=True)

    def insert_points(self, points: FloatArray, *, floor_m: float = 0.0) -> None:
        """Add points of a depth camera.

        What stands 0.1 to 1.3 m above the floor occupies its cell where two points agree; floor
        that is seen with nothing above it frees its cell.

        Args:
            points: In the grid's frame, shape (n, 3), metres.
            floor_m: Height of the floor in that frame.
        """
        points = points[:: max(1, len(points) // _MOST_POINTS)]
        height = points[:, 2] - floor_m
        standing = (height > OBSTACLE_M[0]) & (height < OBSTACLE_M[1])
        used = standing | (np.abs(height) < _FLOOR_M)
        if not used.any():
            return
        points, standing = points[used, :2], standing[used]
        window = self._cover(points.min(axis=0), points.max(axis=0))
        rows, columns = window
        shape = (rows.stop - rows.start, columns.stop - columns.start)
        cells = self.cells(points) - (rows.start, columns.start)
        flat = cells[:, 0] * shape[1] + cells[:, 1]
        size = shape[0] * shape[1]
        above = np.bincount(flat[standing], minlength=size).reshape(shape)
        floor = np.bincount(flat[~standing], minlength=size).reshape(shape)
        changed = self._depth.add(window, above >= 2, (floor > 0) & (above == 0))
        self._changed(window, changed, walls=False)

    def include(self, points: FloatArray) -> None:
        """Grow until some points, shape (n, 2), lie within; nothing is known there yet."""
        self._cover(points.min(axis=0), points.max(axis=0))

    def set_depth(self, points: FloatArray, odds: FloatArray) -> None:
        """Take over what the depth camera saw: log-odds, shape (n,), of places, shape (n, 2)."""
        window = self._cover(points.min(axis=0), points.max(axis=0))
        cells = self.cells(points)
        self._depth.odds[cells[:, 0], cells[:, 1]] = odds
        self._changed(window, np.ones(self._depth.odds[window].shape, bool), walls=False)

    def mark(self, x: float, y: float) -> None:
        """Something was touched here: occupy the cell until floor is seen there again."""
        window = self._cover(np.array([x, y]), np.array([x, y]))
        row, column = self.cell(x, y)
        self._depth.odds[row, column] = HIGHEST
        self._changed(window, np.ones(self._depth.odds[window].shape, bool), walls=False)

    def clear_depth(self, around: Vector3 | Planar, radius_m: float) -> None:
        """Forget what the depth camera found within a radius: noise may have walled us in."""
        low = np.array(around[:2]) - radius_m
        window = self._cover(low, low + 2 * radius_m)
        rows, columns = np.ogrid[window]
        y = (rows + self.corner[0] + 0.5) * self.cell_m - around[1]
        x = (columns + self.corner[1] + 0.5) * self.cell_m - around[0]
        within = x * x + y * y <= radius_m**2
        self._depth.odds[window][within] = 0
        self._changed(window, within, walls=False)

    def _changed(self, window: Window, changed: BoolArray, *, walls: bool) -> None:
        rows, columns = np.nonzero(changed)
        if not len(rows):
            return
        start = np.array([window[0].start, window[1].start])
        low = start + np.array([rows.min(), columns.min()])
        high = start + np.array([rows.max(), columns.max()])
        self._all.touch(low, high)
        if walls:
            self._walls.touch(low, high)
        self.revision += 1

    def _cover(self, low: FloatArray, high: FloatArray) -> Window:
        """Grow until a box (x and y, metres) fits; returns its rows and columns."""
        first = np.floor(low[::-1] / self.cell_m).astype(int) - 1
        last = np.floor(high[::-1] / self.cell_m).astype(int) + 1
        shape = np.array(self.shape)
        corner = np.array(self.corner) if shape.all() else first
        if not shape.all() or (first < corner).any() or (last >= corner + shape).any():
            wanted = np.minimum(corner, first) // _BLOCK * _BLOCK
            end = -(-np.maximum(corner + shape, last + 1) // _BLOCK) * _BLOCK
            before = corner - wanted if shape.all() else np.zeros(2, int)
            self.corner = (int(wanted[0]), int(wanted[1]))
            for layer in (self._scan, self._depth):
                grown = np.zeros(tuple(end - wanted), np.float32)
                grown[before[0] : before[0] + shape[0], before[1] : before[1] + shape[1]] = (
                    layer.odds
                )
                layer.odds = grown
            self._walls.forget()
            self._all.forget()
            self.revision += 1
        first, last = first - self.corner, last - self.corner
        return slice(int(first[0]), int(last[0]) + 1), slice(int(first[1]), int(last[1]) + 1)
