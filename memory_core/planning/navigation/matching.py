"""Where was this scan made? Laying the points of a scan on a map.

Near a guess, Gauss-Newton on the distance to the nearest wall (the likelihood field of Thrun et
al. 2005 in the manner of Hector SLAM, Kohlbrecher et al. 2011), with the guess as a prior: along
a bare corridor, where the scan says nothing, the wheels decide. Far from a guess, correlative
search from coarse to fine over maxima of the likelihood field (Olson 2009; Hess et al. 2016).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from memory_core.planning.body import Scan
from memory_core.planning.navigation.grid import OccupancyGrid
from memory_core.planning.navigation.planar import Planar, apply, distance, turn_between, wrap
from memory_core.types import BoolArray, FloatArray, IntArray

MATCHED_POINTS = 180
_SEARCHED_POINTS = 72
_SIGMA_M = 0.1
_BLUR_M = 0.15
_ROBUST_M = 0.15
_KEPT = 4_000
_STEPS = 10


@dataclass(frozen=True, slots=True)
class Match:
    """A scan laid on a map.

    Attributes:
        pose: The base in the map's frame.
        covariance: Of x, y and heading, shape (3, 3), from the curvature of the score.
        support: How well the ends of beams lie on walls, 0 to 1, of those in known parts.
        overlap: Which part of the beams ends in known parts, 0 to 1.
    """

    pose: Planar
    covariance: FloatArray
    support: float
    overlap: float

    @property
    def quality(self) -> float:
        """Support and overlap in one number, 0 to 1."""
        return self.support * self.overlap


@dataclass(frozen=True, slots=True)
class Space:
    """Poses to search: a box of positions and an arc of headings."""

    centre: Planar
    reach_m: float
    reach_rad: float


def scan_points(scan: Scan, *, most: int = MATCHED_POINTS) -> FloatArray:
    """Ends of the beams that hit something, base frame, at most `most`, shape (n, 2)."""
    hit = np.isfinite(scan.ranges_m) & (scan.ranges_m < scan.range_m)
    angles, ranges = scan.angles[hit], scan.ranges_m[hit]
    if len(angles) > most:
        kept = np.linspace(0, len(angles) - 1, most).astype(int)
        angles, ranges = angles[kept], ranges[kept]
    return np.stack([np.cos(angles) * ranges, np.sin(angles) * ranges], axis=1)


def refine(
    grid: OccupancyGrid, points: FloatArray, guess: Planar, *, information: FloatArray | None = None
) -> Match:
    """Move a guess to where the scan fits best.

    Args:
        grid: The map.
        points: Ends of beams, base frame, shape (n, 2).
        guess: The base in the map's frame; right within about 0.3 m and 0.2 rad.
        information: Inverse covariance of the guess, shape (3, 3); None trusts the scan alone.

    Returns:
        The fit; with `information`, its covariance counts both.
    """
    prior = np.zeros((3, 3)) if information is None else information
    field = grid.wall_distance_m()
    start = np.array(guess)
    estimate = start.copy()
    hessian = prior
    for step in range(_STEPS):
        offsets, gradients, arms = _residuals(grid, field, points, estimate)
        scale = _ROBUST_M * (2.0 if step < 2 else 1.0)
        weights = 1 / (1 + (offsets / scale) ** 2) ** 2 / _SIGMA_M**2
        rows = np.stack(
            [
                gradients[:, 0],
                gradients[:, 1],
                gradients[:, 1] * arms[:, 0] - gradients[:, 0] * arms[:, 1],
            ]
        )
        weighted = rows * weights
        away = start - estimate
        away[2] = wrap(away[2])
        hessian = weighted @ rows.T + prior
        change = np.linalg.solve(hessian + 1e-3 * np.eye(3), prior @ away - weighted @ offsets)
        change *= min(1.0, 0.2 / max(float(np.abs(change).max()), 1e-9))
        estimate += change
        if np.abs(change).max() < 1e-3:
            break
    pose = (float(estimate[0]), float(estimate[1]), wrap(float(estimate[2])))
    support, overlap = fit(grid, points, pose)
    covariance = np.linalg.inv(hessian + np.diag([1e-2, 1e-2, 1e-2]))
    return Match(pose, covariance, support, overlap)


def _residuals(
    grid: OccupancyGrid, field: FloatArray, points: FloatArray, pose: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Distances of the points from walls, their gradients, and the points about the base."""
    arms = apply((0.0, 0.0, float(pose[2])), points)
    place = (arms + pose[:2]) / grid.cell_m - (grid.corner[1] + 0.5, grid.corner[0] + 0.5)
    rows, columns = grid.shape
    place = np.clip(place, 0, (columns - 1.001, rows - 1.001))
    whole = place.astype(np.int64)
    part = place - whole
    at = whole[:, 1] * columns + whole[:, 0]
    flat = field.ravel()
    a, b, c, d = flat[at], flat[at + 1], flat[at + columns], flat[at + columns + 1]
    u, v = part[:, 0], part[:, 1]
    along_x, along_x_above = b - a, d - c
    low = a + u * along_x
    rise = c + u * along_x_above - low
    slope = np.stack([along_x + v * (along_x_above - along_x), rise], axis=1) / grid.cell_m
    return low + v * rise, slope, arms


def fit(grid: OccupancyGrid, points: FloatArray, pose: Planar) -> tuple[float, float]:
    """How well a scan fits where it is: support and overlap (see `Match`)."""
    if not len(points):
        return 0.0, 0.0
    cells = _inside(grid, apply(pose, points))[1]
    distances = grid.wall_distance_m()[cells[:, 0], cells[:, 1]]
    seen = (grid.scan_odds[cells[:, 0], cells[:, 1]] != 0) | (distances < 3 * grid.cell_m)
    known = int(seen.sum())
    if not known:
        return 0.0, 0.0
    support = float(np.exp(-0.5 * (distances[seen] / _SIGMA_M) ** 2).sum()) / known
    return support, known / len(points)


def crossings(grid: OccupancyGrid, points: FloatArray, pose: Planar) -> float:
    """Which part of the beams, as laid on the map, passes through a wall before its end."""
    lengths = np.hypot(points[:, 0], points[:, 1])
    shares = np.linspace(0.05, 0.95, 24)
    along = points[:, None, :] * shares[None, :, None]
    short_of_end = (1 - shares)[None, :] * lengths[:, None] > 0.25
    inside, cells = _inside(grid, apply(pose, along.reshape(-1, 2)))
    hit = np.zeros(len(inside), bool)
    hit[inside] = grid.scan_odds[cells[:, 0], cells[:, 1]] > 2 * 0.85
    return float((hit.reshape(short_of_end.shape) & short_of_end).any(axis=1).mean())


def _inside(grid: OccupancyGrid, points: FloatArray) -> tuple[BoolArray, IntArray]:
    """Which points lie on the grid, and the cells of those."""
    cells = grid.cells(points)
    inside = np.asarray(((cells >= 0) & (cells < grid.shape)).all(axis=1))
    return inside, cells[inside]


class Pyramid:
    """A map's likelihood field, and its maxima over ever larger squares, for searching.

    Attributes:
        grid: The map.
        revision: The map's revision it was made of.
    """

    def __init__(self, grid: OccupancyGrid, *, levels: int = 4) -> None:
        self.grid = grid
        self.revision = grid.revision
        rows, columns = grid.shape
        self._margin = int(8.0 / grid.cell_m)
        likelihood = 255 * np.exp(-0.5 * (grid.wall_distance_m() / _BLUR_M) ** 2)
        field = np.zeros((rows + 2 * self._margin, columns + 2 * self._margin), np.uint8)
        field[self._margin : -self._margin, self._margin : -self._margin] = likelihood
        self._levels = [field]
        for level in range(levels - 1):
            side = 1 << level
            wider = field.copy()
            np.maximum(wider[:-side], field[side:], out=wider[:-side])
            tall = wider.copy()
            np.maximum(tall[:, :-side], wider[:, side:], out=tall[:, :-side])
            self._levels.append(tall)
            field = tall

    def search(
        self, points: FloatArray, space: Space, *, step_rad: float = math.radians(3.0),
        standing: BoolArray | None = None,
    ) -> list[tuple[float, Planar]]:  # fmt: skip
        """Poses where a scan may fit, the likeliest first, each found within about 5 cm.

        Args:
            points: Ends of beams, base frame, shape (n, 2).
            space: Where to look.
            step_rad: Between headings.
            standing: Cells the base can stand on, the grid's shape; None is all.

        Returns:
            Score (0 to 1) and pose; poses less than 0.4 m and 0.25 rad from a better one are
            left out.
        """
        used = points[np.hypot(points[:, 0], points[:, 1]) < 7.5]
        used = used[:: max(1, len(used) // _SEARCHED_POINTS)]
        if len(used) < 8:
            return []
        turns = max(1, math.ceil(space.reach_rad / step_rad))
        count = 2 * turns + 1 if space.reach_rad < math.pi else 2 * turns
        headings = space.centre[2] + (np.arange(count) - turns) * (space.reach_rad / turns)
        level = len(self._levels) - 1
        rows, columns = self._lattice(space, 1 << level, standing)
        heading = np.repeat(np.arange(count), len(rows))
        rows, columns = np.tile(rows, count), np.tile(columns, count)
        rotated = [self._offsets(used, float(angle)) for angle in headings]
        while True:
            scores = self._scores(level, rotated, heading, rows, columns)
            kept = np.argsort(-scores, kind="stable")[:_KEPT]
            kept = kept[scores[kept] > 0.35]
            heading, rows, columns, scores = heading[kept], rows[kept], columns[kept], scores[kept]
            if level == 0:
                break
            level -= 1
            side = 1 << level
            heading = np.repeat(heading, 4)
            rows = np.repeat(rows, 4) + np.tile([0, 0, side, side], len(rows))
            columns = np.repeat(columns, 4) + np.tile([0, side, 0, side], len(columns))
        centres = self.grid.centres(np.stack([rows, columns], axis=1))
        poses = [
            (float(x), float(y), wrap(float(headings[turn])))
            for (x, y), turn in zip(centres[:1000], heading, strict=False)
        ]
        return apart(list(zip(map(float, scores), poses, strict=False)))

    def _lattice(
        self, space: Space, side: int, standing: BoolArray | None
    ) -> tuple[IntArray, IntArray]:
        reach = space.reach_m
        low = self.grid.cell(space.centre[0] - reach, space.centre[1] - reach)
        high = self.grid.cell(space.centre[0] + reach, space.centre[1] + reach)
        shape = self.grid.shape
        rows = np.arange(max(0, low[0]), min(shape[0] - 1, high[0]) + 1, side)
        columns = np.arange(max(0, low[1]), min(shape[1] - 1, high[1]) + 1, side)
        row, column = (part.ravel() for part in np.meshgrid(rows, columns, indexing="ij"))
        if standing is not None:
            padded = np.pad(standing, ((0, side), (0, side)))
            sums = padded.cumsum(axis=0).cumsum(axis=1)
            sums = np.pad(sums, ((1, 0), (1, 0)))
            some = (
                sums[row + side, column + side] - sums[row, column + side]
                - sums[row + side, column] + sums[row, column]
            ) > 0  # fmt: skip
            row, column = row[some], column[some]
        return row, column

    def _offsets(self, points: FloatArray, heading: float) -> IntArray:
        """Flat index offsets of the points, for the base in the middle of a cell."""
        cells = np.floor(apply((0.0, 0.0, heading), points) / self.grid.cell_m + 0.5).astype(int)
        return np.asarray(cells[:, 1] * self._levels[0].shape[1] + cells[:, 0])

    def _scores(
        self, level: int, rotated: Sequence[IntArray], heading: IntArray, rows: IntArray,
        columns: IntArray,
    ) -> FloatArray:  # fmt: skip
        field = self._levels[level]
        flat = field.ravel()
        start = (rows + self._margin) * field.shape[1] + columns + self._margin
        scores = np.zeros(len(start), np.float32)
        order = np.argsort(heading, kind="stable")
        ends = np.searchsorted(heading[order], np.arange(len(rotated) + 1))
        for turn, offsets in enumerate(rotated):
            at = order[ends[turn] : ends[turn + 1]]
            if len(at):
                cells = start[at][:, None] + offsets[None, :]
                scores[at] = flat[cells].mean(axis=1, dtype=np.float32) / 255
        return scores


def apart(scored: Sequence[tuple[float, Planar]], *, most: int = 40) -> list[tuple[float, Planar]]:
    """The best of each group of neighbouring poses, best first."""
    kept: list[tuple[float, Planar]] = []
    for score, pose in scored:
        if not any(same_place(pose, other) for _, other in kept):
            kept.append((score, pose))
            if len(kept) == most:
                break
    return kept


def same_place(first: Planar, second: Planar) -> bool:
    """Whether two poses are one for all that a search can tell: within 0.4 m and 0.25 rad."""
    return distance(first, second) < 0.4 and turn_between(first, second) < 0.25
