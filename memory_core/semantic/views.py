"""What region a look covered: as the observer tells it, or as what was seen shows it.

An observer tells it in `Observation.extra["view"]`, a JSON object about a pinhole picture taken
along the x axis of the observation's own frame (REP-103):

- `width_rad`, `height_rad`: angles of view, between 0 and pi.
- `range_m`: how far away things can be made out, metres.
- `ranges`, optional: how far one could see in each cell of a coarse grid over the picture, from
  the top left, row by row, one byte a cell in base64: depth along the axis of view in units of
  `range_m` / 255, 0 where that is not known.
- `columns`: how many cells a row of `ranges` has.
"""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from memory_core.semantic.tracks import MISS_RATE, Thing, Track
from memory_core.types import BoolArray, FloatArray, Json, Pose, Vector3

CLEAR_BEYOND_M = 0.5
CLEAR_BEHIND_M = 0.25
ROWS, COLUMNS = 9, 16
ROOMY = 1.2
UNFAMILIAR_MISS_RATE = 0.35
FAMILIAR_M, FAMILIAR_SHARE, USUAL_SHARE = 1.5, 0.5, 1.2
NEAR_SHARE = 0.2


@dataclass(frozen=True, slots=True)
class View:
    """What region a look covered.

    Attributes:
        contains: Which points of shape (n, 3), map frame, metres, were in view, shape (n,).
        range_m: No point farther than this from the standpoint was.
        framed: As `contains`, whatever stood in between; None where that is not known apart:
            then the picture reaches beyond what is known to have been in view.
    """

    contains: Callable[[FloatArray], BoolArray]
    range_m: float = 8.0
    framed: Callable[[FloatArray], BoolArray] | None = None

    def covers(self, points: FloatArray) -> BoolArray:
        """Whether things would have been seen: whole in the picture, and at least half unhidden.

        Args:
            points: Some of each thing, its middle first, map frame, metres, shape (n, k, 3).

        Returns:
            Shape (n,).
        """
        count, each, _ = points.shape
        if self.framed is None:
            return self.contains(points[:, 0])
        clear = self.contains(points.reshape(-1, 3)).reshape(count, each)
        framed = self.framed(points.reshape(-1, 3)).reshape(count, each)
        return np.asarray(framed.all(axis=1) & (2 * clear.sum(axis=1) >= each))


def view_between(standpoint: Vector3, positions: FloatArray) -> View:
    """The least a look must have covered to show things at some positions.

    A camera's picture is a rectangle: a direction between directions seen, in azimuth and in
    elevation, was in the picture. How far one could see there is what the thing seen nearest to
    that direction shows.

    Args:
        standpoint: Metres.
        positions: Of what was seen, shape (n, 3), metres.
    """
    if len(positions) == 0:
        return View(lambda points: np.zeros(len(points), bool), 0.0)
    offsets = positions - np.array(standpoint)
    distances = np.linalg.norm(offsets, axis=1)
    middle = offsets[:, :2].sum(axis=0)
    heading = float(np.arctan2(middle[1], middle[0]))
    seen = _directions(offsets, heading)
    low, high = seen.min(axis=0), seen.max(axis=0)

    def contains(points: FloatArray) -> BoolArray:
        away = points - np.array(standpoint)
        asked = _directions(away, heading)
        inside = ((asked >= low) & (asked <= high)).all(axis=1)
        nearest = np.linalg.norm(asked[:, None] - seen[None], axis=2).argmin(axis=1)
        clear = np.linalg.norm(away, axis=1) <= distances[nearest] + CLEAR_BEYOND_M
        return np.asarray(inside & clear)

    return View(contains, float(distances.max()) + CLEAR_BEYOND_M)


def view_told(extra: Mapping[str, Json], pose: Pose) -> View | None:
    """The view an observation tells; None where it tells none that can be understood.

    Args:
        extra: Of the observation.
        pose: Of its frame in the map.
    """
    told = extra.get("view")
    if not isinstance(told, Mapping):
        return None
    try:
        angles = (float(told["width_rad"]), float(told["height_rad"]))
        range_m = float(told["range_m"])
        ranges = _ranges(told, range_m)
    except (KeyError, TypeError, ValueError, binascii.Error):
        return None
    if not (all(0 < angle < math.pi for angle in angles) and 0 < range_m < math.inf):
        return None
    edges = np.tan(np.array(angles) / 2)
    inverse = pose.inverse()

    def pictured(points: FloatArray) -> tuple[FloatArray, FloatArray, BoolArray]:
        """How far ahead points are, where in the picture (-1 to 1), and whether they are in it."""
        own = inverse.transform(np.asarray(points, np.float64))
        ahead = own[:, 0]
        across = own[:, 1:] / np.maximum(ahead, 1e-6)[:, None] / edges
        inside = (ahead > 0) & (np.abs(across) <= 1).all(axis=1)
        return ahead, across, inside & (np.linalg.norm(own, axis=1) <= range_m)

    def framed(points: FloatArray) -> BoolArray:
        return pictured(points)[2]

    def contains(points: FloatArray) -> BoolArray:
        ahead, across, inside = pictured(points)
        if ranges is None:
            return inside
        shape = np.array(ranges.shape)
        cells = ((1 - across[:, ::-1].clip(-1, 1)) / 2 * shape).astype(np.int64)
        rows, columns = np.minimum(cells, shape - 1).T
        return np.asarray(inside & (ahead <= ranges[rows, columns] + CLEAR_BEHIND_M))

    return View(contains, range_m, framed)


def _ranges(told: Mapping[str, Json], range_m: float) -> FloatArray | None:
    """Depths by row and column, metres; minus infinity where nothing is known."""
    if "ranges" not in told:
        return None
    cells = np.frombuffer(base64.b64decode(told["ranges"], validate=True), np.uint8)
    depths = cells.reshape(-1, int(told["columns"])) * (range_m / 255)
    if not depths.size:
        raise ValueError("a grid without cells")
    return np.where(depths > 0, depths, -np.inf)


def _quantile(values: FloatArray, share: float) -> float:
    """As `numpy.quantile` of a flat array, without what it spends on anything else."""
    place = share * (values.size - 1)
    low = int(place)
    high = min(low + 1, values.size - 1)
    ordered = np.partition(values, (low, high))
    return float(ordered[low] + (place - low) * (ordered[high] - ordered[low]))


def telling(
    depth_m: FloatArray, *, width_rad: float, height_rad: float, range_m: float
) -> dict[str, Json]:
    """What an observer with a depth picture tells of its view, for `Observation.extra`.

    Of each cell the near fifth of its depths counts: what is behind it may be hidden.

    Args:
        depth_m: Shape (h, w), metres along the axis of view; 0 or not finite is no reading.
        width_rad: Angle of view across.
        height_rad: Angle of view from top to bottom.
        range_m: How far away things can be made out.

    Returns:
        About 300 bytes of JSON.
    """
    valid = np.where(np.isfinite(depth_m) & (depth_m > 0), depth_m, np.nan)
    cells = np.zeros((ROWS, COLUMNS), np.uint8)
    for row, band in enumerate(np.array_split(valid, ROWS, axis=0)):
        for column, cell in enumerate(np.array_split(band, COLUMNS, axis=1)):
            known = cell[~np.isnan(cell)]
            if 2 * known.size >= cell.size > 0:
                near = _quantile(known, NEAR_SHARE)
                cells[row, column] = min(max(round(near / range_m * 255), 1), 255)
    return {
        "width_rad": round(width_rad, 4),
        "height_rad": round(height_rad, 4),
        "range_m": range_m,
        "columns": COLUMNS,
        "ranges": base64.b64encode(cells.tobytes()).decode("ascii"),
    }


def _directions(offsets: FloatArray, heading: float) -> FloatArray:
    """Azimuth from a heading, and elevation, radians, shape (n, 2)."""
    azimuth = np.arctan2(offsets[:, 1], offsets[:, 0]) - heading
    azimuth = np.arctan2(np.sin(azimuth), np.cos(azimuth))
    elevation = np.arctan2(offsets[:, 2], np.linalg.norm(offsets[:, :2], axis=1))
    return np.stack([azimuth, elevation], axis=1)


def within_usual_distance(item: Track | Thing, standpoint: Vector3) -> bool:
    """Whether a place is about as near to a thing as places that it was seen from."""
    where = item.where.mean.tolist()
    usual = max((math.dist(seen, where) for seen in item.vantages), default=0.0)
    return math.dist(standpoint, where) <= max(FAMILIAR_M, USUAL_SHARE * usual)


def miss_rate(item: Track | Thing, standpoint: Vector3) -> float:
    """How often a thing is missed from a place: little from near where it was seen before.

    What was often overlooked although it was there, is missed more often.
    """
    near = max(FAMILIAR_M, FAMILIAR_SHARE * math.dist(standpoint, item.where.mean.tolist()))
    familiar = any(math.dist(standpoint, seen) <= near for seen in item.vantages)
    return item.miss_rate(MISS_RATE if familiar else UNFAMILIAR_MISS_RATE)


def room(item: Track | Thing, sides: FloatArray) -> FloatArray:
    """Sides of a box that a thing of some sides is surely inside of, shape (3,), metres."""
    spread = np.sqrt(np.diag(item.where.covariance))
    return np.asarray(ROOMY * sides + 2 * spread * (sides > 0))
