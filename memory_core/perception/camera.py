"""Pinhole cameras: pixels and depth to points and bearings.

Optical frames have x right, y down, z forward (REP-103 suffix `_optical`); observations' own
frames have x forward, y left, z up. Point clouds and their cleaning go through Open3D.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from memory_core.errors import InputRejected, NotInstalled
from memory_core.types import BoolArray, FloatArray, Pose, Vector3

FINEST_M, MOST_CELLS = 0.02, 40
"""Clouds are thinned to cells of this side, and to so many along their longest."""
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
    valid = np.isfinite(depth_m) & (depth_m > 0)
    if mask is not None:
        valid &= mask
    rows, columns = np.nonzero(valid)
    z = np.asarray(depth_m, np.float64)[rows, columns]
    x, y, _ = (intrinsics.rays(np.stack([columns, rows], axis=1)) * z[:, None]).T
    return np.stack([z, -x, -y], axis=1)


def object_position(
    depth_m: FloatArray, intrinsics: Intrinsics, mask: BoolArray, *, min_points: int = 8
) -> tuple[Vector3, tuple[float, ...], Vector3] | None:
    """Where a masked thing is: the centre of its largest cluster of depth points.

    Points are thinned on a grid of 2 cm (coarser for large things) and clustered with Open3D's DBSCAN (Ester et al. 1996),
    so that pixels of the wall behind the object's edge do not pull its centre away. The largest
    cluster is the one with most pixels: surfaces further away fill more cells of the grid.

    Args:
        depth_m: Shape (h, w), metres.
        intrinsics: The camera.
        mask: Shape (h, w), True on the thing.
        min_points: Fewer valid depth pixels give None.

    Returns:
        Centre (metres, the camera's REP-103 frame), row-major 3x3 covariance of the centre
        (square metres), and extent along the axes (metres); None without enough depth.

    Raises:
        NotInstalled: Open3D is missing.
    """
    points = back_project(depth_m, intrinsics, mask=mask)
    if len(points) < min_points:
        return None
    o3d = _open3d()
    cloud = o3d.geometry.PointCloud(o3d.utility.Vector3dVector(points))
    low, high = points.min(axis=0), points.max(axis=0)
    cell_m = max(FINEST_M, float((high - low).max()) / MOST_CELLS)
    cloud, _, pixels = cloud.voxel_down_sample_and_trace(cell_m, low, high)
    labels = np.asarray(cloud.cluster_dbscan(eps=0.12, min_points=3))
    thinned = np.asarray(cloud.points)
    if labels.size and labels.max() >= 0:
        known = labels >= 0
        weights = np.array([len(traced) for traced in pixels])
        thinned = thinned[labels == np.bincount(labels[known], weights[known]).argmax()]
    low, high = np.percentile(thinned, [5, 95], axis=0) if len(thinned) > 20 else (
        thinned.min(axis=0), thinned.max(axis=0))  # fmt: skip
    centre = (low + high) / 2
    spread = np.maximum((high - low) / 4, 0.005)
    covariance = np.diag(spread**2 + (0.002 * np.linalg.norm(centre) ** 2) ** 2)
    return (
        (float(centre[0]), float(centre[1]), float(centre[2])),
        tuple(map(float, covariance.ravel())),
        (float(high[0] - low[0]), float(high[1] - low[1]), float(high[2] - low[2])),
    )


def _open3d() -> Any:
    try:
        import open3d
    except ImportError as error:
        raise NotInstalled.part("open3d", "perception") from error
    return open3d
