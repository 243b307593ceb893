"""Pinhole cameras: pixels and depth to points and bearings.

Optical frames have x right, y down, z forward (REP-103 suffix `_optical`); observations' own
frames have x forward, y left, z up.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from memory_core.errors import InputRejected
from memory_core.types import BoolArray, FloatArray, IntArray, Pose, Vector3

FINEST_M, MOST_CELLS = 0.02, 40
"""Clouds are thinned to cells of this side, and to so many along their longest."""
LUMP_M, APART_M = 0.06, 0.15
"""A thing's points fill lumps of this side; one further than this from all others is not its."""
MOST_PIXELS = 1_500
"""Of a thing: what is large is placed as well by fewer."""
OPTICAL_IN_BODY = Pose(qx=-0.5, qy=0.5, qz=-0.5, qw=0.5)
"""Orientation of an optical frame in a REP-103 body frame."""


@dataclass(frozen=True, slots=True)
class Intrinsics:
    """Focal lengths and principal point, pixels, and image size."""

    fx: float
    fy: float
    cx: float
    cy: float
    width: int
    height: int

    def __post_init__(self) -> None:
        """Refuse intrinsics no camera has."""
        numbers = (self.fx, self.fy, self.cx, self.cy)
        if not all(map(math.isfinite, numbers)) or self.fx <= 0 or self.fy <= 0:
            raise InputRejected(f"camera intrinsics {numbers} are not those of a camera")

    def rays(self, pixels: FloatArray) -> FloatArray:
        """Directions of pixels (u, v), shape (n, 2), at depth 1 in the optical frame: (n, 3)."""
        pixels = np.asarray(pixels, np.float64)
        return np.stack(
            [
                (pixels[:, 0] - self.cx) / self.fx,
                (pixels[:, 1] - self.cy) / self.fy,
                np.ones(len(pixels)),
            ],
            axis=1,
        )

    def bearing(self, u: float, v: float) -> tuple[float, float]:
        """Azimuth and elevation (radians) of a pixel in the REP-103 frame of the camera."""
        x, y, z = self.rays(np.array([[u, v]]))[0]
        forward, left, up = z, -x, -y
        return float(np.arctan2(left, forward)), float(np.arctan2(up, np.hypot(forward, left)))


def back_project(
    depth_m: FloatArray, intrinsics: Intrinsics, *, mask: BoolArray | None = None
) -> FloatArray:
    """Depth pixels to points in the camera's REP-103 frame (x forward, y left, z up).

    Args:
        depth_m: Shape (h, w), metres along the optical axis; 0 or not finite is no reading.
        intrinsics: The camera.
        mask: Shape (h, w): which pixels; None for all.

    Returns:
        Shape (n, 3), metres.
    """
    readings = np.asarray(depth_m).ravel()
    pixels = np.arange(readings.size) if mask is None else np.flatnonzero(mask)
    forward = readings[pixels].astype(np.float64)
    valid = np.isfinite(forward) & (forward > 0)
    forward = forward[valid]
    rows, columns = np.divmod(pixels[valid], np.shape(depth_m)[1])
    left = (intrinsics.cx - columns) / intrinsics.fx * forward
    up = (intrinsics.cy - rows) / intrinsics.fy * forward
    return np.stack([forward, left, up], axis=1)


def thinned(mask: BoolArray) -> BoolArray:
    """Every so many rows and columns of a large mask, shape (h, w), so that few pixels are left."""
    stride = math.ceil(math.sqrt(np.count_nonzero(mask) / MOST_PIXELS))
    if stride <= 1:
        return mask
    kept = np.zeros_like(mask)
    kept[::stride, ::stride] = mask[::stride, ::stride]
    return kept


def object_position(
    depth_m: FloatArray, intrinsics: Intrinsics, mask: BoolArray, *, min_points: int = 8
) -> tuple[Vector3, tuple[float, ...], Vector3] | None:
    """Where a masked thing is; see `position_of`.

    Args:
        depth_m: Shape (h, w), metres.
        intrinsics: The camera.
        mask: Shape (h, w), True on the thing.
        min_points: Fewer valid depth pixels give None.

    Returns:
        Centre (metres, the camera's REP-103 frame), row-major 3x3 covariance of the centre
        (square metres), and extent along the axes (metres); None without enough depth.
    """
    points = back_project(depth_m, intrinsics, mask=thinned(mask))
    return position_of(points) if len(points) >= min_points else None


def position_of(points: FloatArray) -> tuple[Vector3, tuple[float, ...], Vector3]:
    """Where a thing is whose pixels are known: the middle of its largest cluster of points.

    Points are thinned on a grid of 2 cm (coarser for large things). Lumps of them that follow each
    other at 15 cm or less are one cluster (single linkage, Sibson 1973), so that pixels of the
    wall behind the thing's edge do not pull its middle away. The largest cluster is the one with
    most pixels: surfaces further away fill more cells of the grid.

    Args:
        points: Of its pixels, the camera's REP-103 frame, shape (n, 3), metres; at least one.

    Returns:
        See `object_position`.
    """
    extent_m = float(np.ptp(points, axis=0).max())
    cells, _, pixels = _cells(points, max(FINEST_M, extent_m / MOST_CELLS))
    cells = cells[_largest_cluster(cells, pixels)]
    low, high = np.percentile(cells, [5, 95], axis=0) if len(cells) > 20 else (
        cells.min(axis=0), cells.max(axis=0))  # fmt: skip
    centre = (low + high) / 2
    spread = np.maximum((high - low) / 4, 0.005)
    covariance = np.diag(spread**2 + (0.002 * np.linalg.norm(centre) ** 2) ** 2)
    return (
        (float(centre[0]), float(centre[1]), float(centre[2])),
        tuple(map(float, covariance.ravel())),
        (float(high[0] - low[0]), float(high[1] - low[1]), float(high[2] - low[2])),
    )


def _cells(points: FloatArray, side_m: float) -> tuple[FloatArray, IntArray, IntArray]:
    """Points by the cells of a grid: the mean in each, each point's cell, and how many they are."""
    place = ((points - points.min(axis=0)) / side_m).astype(np.int64)
    _, high, wide = place.max(axis=0) + 1
    numbers = (place[:, 0] * high + place[:, 1]) * wide + place[:, 2]
    _, cell, counts = np.unique(numbers, return_inverse=True, return_counts=True)
    sums = [np.bincount(cell, points[:, axis]) for axis in range(3)]
    return np.stack(sums, axis=1) / counts[:, None], cell, counts


def _largest_cluster(points: FloatArray, weights: IntArray) -> BoolArray:
    """Which of some points, shape (n, 3), are in the cluster of greatest weight."""
    lumps, lump, _ = _cells(points, LUMP_M)
    near = cKDTree(lumps).query_pairs(APART_M, output_type="ndarray")
    joined = coo_array((np.ones(len(near)), near.T), shape=(len(lumps), len(lumps)))
    cluster = connected_components(joined, directed=False)[1][lump]
    return np.asarray(cluster == np.bincount(cluster, weights).argmax())
