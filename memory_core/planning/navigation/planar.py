"""Poses on a floor, as plain numbers: (x, y, heading) in metres and radians.

A robot that drives does this arithmetic a few hundred times a second, on single poses, where
arrays would cost more than the sums.
"""

from __future__ import annotations

import math

import numpy as np

from memory_core.types import FloatArray, Pose

Planar = tuple[float, float, float]
STILL: Planar = (0.0, 0.0, 0.0)


def wrap(angle: float) -> float:
    """The same direction within [-pi, pi)."""
    return (angle + math.pi) % (2 * math.pi) - math.pi


def compose(outer: Planar, inner: Planar) -> Planar:
    """The pose of `inner`, given in the frame `outer`, in the reference frame of `outer`."""
    x, y, yaw = outer
    cosine, sine = math.cos(yaw), math.sin(yaw)
    return (
        x + cosine * inner[0] - sine * inner[1],
        y + sine * inner[0] + cosine * inner[1],
        wrap(yaw + inner[2]),
    )


def between(reference: Planar, pose: Planar) -> Planar:
    """A pose as seen from another, both in one frame."""
    cosine, sine = math.cos(reference[2]), math.sin(reference[2])
    dx, dy = pose[0] - reference[0], pose[1] - reference[1]
    turn = wrap(pose[2] - reference[2])
    return (cosine * dx + sine * dy, -sine * dx + cosine * dy, turn)


def distance(first: Planar, second: Planar) -> float:
    """Metres between two poses."""
    return math.hypot(first[0] - second[0], first[1] - second[1])


def turn_between(first: Planar, second: Planar) -> float:
    """Radians between two headings, 0 to pi."""
    return abs(wrap(first[2] - second[2]))


def apply(pose: Planar, points: FloatArray) -> FloatArray:
    """Carry points, shape (n, 2), from the frame of a pose to its reference frame."""
    cosine, sine = math.cos(pose[2]), math.sin(pose[2])
    carried = np.empty_like(points)
    carried[:, 0] = pose[0] + cosine * points[:, 0] - sine * points[:, 1]
    carried[:, 1] = pose[1] + sine * points[:, 0] + cosine * points[:, 1]
    return carried


def turned(covariance: FloatArray, yaw: float) -> FloatArray:
    """A covariance of (x, y, heading), shape (3, 3), in axes turned by an angle."""
    turn = np.eye(3)
    turn[:2, :2] = [[math.cos(yaw), -math.sin(yaw)], [math.sin(yaw), math.cos(yaw)]]
    return np.asarray(turn @ covariance @ turn.T)


def planar(pose: Pose) -> Planar:
    """What of a pose lies on the floor."""
    return (pose.x, pose.y, pose.yaw)


def spatial(pose: Planar, *, z: float = 0.0) -> Pose:
    """A pose on a floor of the given height, metres."""
    return Pose.from_yaw(pose[0], pose[1], z=z, yaw=pose[2])
