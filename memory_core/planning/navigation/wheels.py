"""What the wheels say, and how far it can be believed."""

from __future__ import annotations

import math

import numpy as np

from memory_core.planning.body import Motion
from memory_core.planning.navigation.planar import (
    STILL,
    Planar,
    between,
    distance,
    planar,
    turn_between,
)
from memory_core.types import FloatArray, Pose

_FASTEST_M_S = 2.5
_FASTEST_RAD_S = 5.0
_WAY_NOISE = 0.1
_TURN_NOISE = 0.1
_DRIFT_RAD_M = 0.06


class Wheels:
    """Turns odometry into steps, and notices steps that no robot makes.

    Attributes:
        odometry: The last pose in `odom`; None before the first.
        stamp_ns: When that was.
    """

    def __init__(self) -> None:
        self.odometry: Pose | None = None
        self.stamp_ns = 0

    def step(self, motion: Motion) -> tuple[Planar, bool]:
        """How far the robot went since the last motion, and whether the odometry leapt instead.

        A leap is no step: the robot is taken to have stood.
        """
        before, stamp_ns = self.odometry, self.stamp_ns
        self.odometry, self.stamp_ns = motion.odometry, motion.stamp_ns
        if before is None:
            return STILL, False
        step = between(planar(before), planar(motion.odometry))
        seconds = max(0.1, (motion.stamp_ns - stamp_ns) * 1e-9)
        far = math.hypot(step[0], step[1]) > _FASTEST_M_S * seconds
        if far or abs(step[2]) > max(0.5, _FASTEST_RAD_S * seconds):
            return STILL, True
        return step, False


def grown(covariance: FloatArray, before: Planar, after: Planar) -> FloatArray:
    """The uncertainty of a pose after a step of the wheels (Thrun et al. 2005).

    Args:
        covariance: Of x, y and heading before, shape (3, 3).
        before: Where the step began.
        after: Where it ended.
    """
    way, turn = distance(before, after), turn_between(before, after)
    if way == 0 and turn == 0:
        return covariance
    jacobian = np.eye(3)
    jacobian[0, 2] = before[1] - after[1]
    jacobian[1, 2] = after[0] - before[0]
    # Generous: errors of wheels keep their sign, so that those of steps are not independent.
    spread = [_WAY_NOISE * way, _WAY_NOISE * way, _DRIFT_RAD_M * way + _TURN_NOISE * turn]
    return np.asarray(jacobian @ covariance @ jacobian.T + np.diag(spread) ** 2)
