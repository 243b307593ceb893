"""Rigid motion: quaternions (x, y, z, w), 4x4 matrices, and poses over arrays.

Frames follow REP-103 (x forward, y left, z up; metres, radians), quaternions are Hamilton,
scalar last, as in ROS messages. The array functions work on n poses at once, because a map
correction moves everything an anchor carries in one pass.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.floating[Any]]


def quaternion_to_matrix(quaternion: FloatArray) -> FloatArray:
    """Rotation matrices of unit quaternions.

    Args:
        quaternion: Shape (..., 4), order x, y, z, w.

    Returns:
        Shape (..., 3, 3), float64.
    """
    q = np.asarray(quaternion, dtype=np.float64)
    x, y, z, w = q[..., 0], q[..., 1], q[..., 2], q[..., 3]
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ]
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)


def is_rigid(matrix: FloatArray, *, tolerance: float = 1e-2) -> bool:
    """Whether a 4x4 matrix turns and moves things and nothing else (no scale, shear, mirror).

    Args:
        matrix: Shape (4, 4).
        tolerance: Largest deviation of an entry.
    """
    rotation = np.asarray(matrix, np.float64)[:3, :3]
    return bool(
        np.isfinite(matrix).all()
        and np.abs(matrix[3] - [0, 0, 0, 1]).max() <= tolerance
        and np.abs(rotation.T @ rotation - np.eye(3)).max() <= tolerance
        and np.linalg.det(rotation) > 0
    )


def matrix_to_quaternion(rotation: FloatArray) -> FloatArray:
    """The unit quaternion of a rotation matrix (largest-component method, Shepperd 1978).

    Args:
        rotation: Shape (3, 3), orthonormal.

    Returns:
        Shape (4,), order x, y, z, w, with w ≥ 0.
    """
    r = np.asarray(rotation, dtype=np.float64)
    trace = float(np.trace(r))
    squares = np.array([r[0, 0], r[1, 1], r[2, 2], trace])
    largest = int(np.argmax(squares))
    if largest == 3:
        q = np.array([r[2, 1] - r[1, 2], r[0, 2] - r[2, 0], r[1, 0] - r[0, 1], 1 + trace])
    else:
        i, j, k = largest, (largest + 1) % 3, (largest + 2) % 3
        q = np.empty(4)
        q[i] = 1 - trace + 2 * r[i, i]
        q[j] = r[j, i] + r[i, j]
        q[k] = r[k, i] + r[i, k]
        q[3] = r[k, j] - r[j, k]
    q /= np.linalg.norm(q)
    return -q if q[3] < 0 else q


def slerp(start: FloatArray, end: FloatArray, fraction: float | FloatArray) -> FloatArray:
    """Spherical interpolation between two orientations (Shoemake 1985).

    Args:
        start: Shape (4,), unit quaternion.
        end: Shape (4,), unit quaternion.
        fraction: 0 gives `start`, 1 gives `end`; one number, or shape (n,).

    Returns:
        Shape (4,) or (n, 4), unit length.
    """
    cosine = float(np.dot(start, end))
    if cosine < 0:
        end, cosine = -end, -cosine
    share = np.asarray(fraction)[..., None]
    if cosine > 0.9995:
        mixed = start + share * (end - start)
    else:
        angle = float(np.arccos(min(1.0, cosine)))
        mixed = np.sin((1 - share) * angle) * start + np.sin(share * angle) * end
    return np.asarray(mixed / np.linalg.norm(mixed, axis=-1, keepdims=True))


def transform_points(
    translation: Sequence[float] | FloatArray,
    quaternion: Sequence[float] | FloatArray,
    points: FloatArray,
) -> FloatArray:
    """Carry points from the inner frame to the outer one.

    Args:
        translation: Shape (3,) or (n, 3): the inner frame's origin in the outer frame, metres.
        quaternion: Shape (4,) or (n, 4): the inner frame's orientation.
        points: Shape (n, 3), in the inner frame.

    Returns:
        Shape (n, 3), in the outer frame, float64.
    """
    rotation = quaternion_to_matrix(np.asarray(quaternion, np.float64))
    turned = np.einsum("...ij,...j->...i", rotation, np.asarray(points, np.float64))
    return np.asarray(turned + np.asarray(translation, np.float64))


def angle_between(first: FloatArray, second: FloatArray) -> float:
    """The rotation between two orientations.

    Args:
        first: Shape (4,), unit quaternion.
        second: Shape (4,), unit quaternion.

    Returns:
        Radians, 0 to pi.
    """
    return float(angles_between(first, second))


def angles_between(first: FloatArray, second: FloatArray) -> FloatArray:
    """The rotations between orientations, pair by pair.

    Args:
        first: Shape (..., 4), unit quaternions.
        second: Shape (..., 4), unit quaternions.

    Returns:
        Shape (...), radians, 0 to pi.
    """
    cosines = np.abs(np.einsum("...i,...i->...", first, second))
    return np.asarray(2 * np.arccos(np.minimum(1.0, cosines)))


def bearing_direction(azimuth: float, elevation: float) -> FloatArray:
    """The unit vector of a bearing in a REP-103 frame.

    Args:
        azimuth: Radians, counter-clockwise from +x.
        elevation: Radians, up from the x-y plane.

    Returns:
        Shape (3,).
    """
    return np.array(
        [
            np.cos(elevation) * np.cos(azimuth),
            np.cos(elevation) * np.sin(azimuth),
            np.sin(elevation),
        ]
    )


def triangulate(origins: FloatArray, directions: FloatArray) -> tuple[FloatArray, float]:
    """The point nearest to several lines of sight, in the least-squares sense.

    Args:
        origins: Shape (n, 3), metres, n ≥ 2.
        directions: Shape (n, 3), unit vectors.

    Returns:
        The point, shape (3,), and the root mean square distance of the lines from it, metres.

    Raises:
        ValueError: The lines are (nearly) parallel, or the point lies behind an origin.
    """
    projectors = np.eye(3) - np.einsum("ni,nj->nij", directions, directions)
    system = projectors.sum(axis=0)
    if np.linalg.cond(system) > 1e4:
        raise ValueError("the lines of sight are parallel: no point can be told from them")
    point = np.linalg.solve(system, np.einsum("nij,nj->i", projectors, origins))
    offsets = point - origins
    if np.any(np.einsum("ni,ni->n", offsets, directions) <= 0):
        raise ValueError("the lines of sight meet behind an observer")
    residuals = np.einsum("nij,nj->ni", projectors, offsets)
    return point, float(np.sqrt((residuals**2).sum(axis=1).mean()))
