"""Robots that drive in a house: by a navigator, or by the truth to show a localiser around."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from memory_core.planning.body import Lift, Motion, Scan
from memory_core.planning.navigation.localisation import Localiser
from memory_core.planning.navigation.navigator import GridNavigator
from memory_core.planning.navigation.planar import Planar, wrap
from memory_core.types import FloatArray, Pose
from tests.planning.navigation.flatland import FlatRobot

TOUR = (
    (2, 7.5), (4, 8.45), (5.4, 8.45), (6.6, 7.5), (6.6, 5), (6.6, 3), (5.4, 1.95), (3.9, 1.95),
    (2.05, 3), (2.05, 5), (6.6, 5), (11.6, 5), (11.6, 6.5), (11.7, 8.45), (9.8, 8.45), (8.4, 8.45),
    (6.6, 7.5), (6.6, 5), (11.6, 5), (11.6, 3), (9.8, 1.95), (8, 1.95), (6.6, 3), (6.6, 5), (2, 5),
)  # fmt: skip


def steps(
    robot: FlatRobot, corners: Sequence[tuple[float, float]]
) -> Iterator[tuple[Motion, Scan]]:
    """Drive along corners, a fifth of a second at a time."""
    yield robot.drive(0.0, 0.0, 0.1), robot.scan()
    for x, y in corners:
        while math.hypot(x - robot.x, y - robot.y) > 0.2:
            off = wrap(math.atan2(y - robot.y, x - robot.x) - robot.yaw)
            if abs(off) > 0.4:
                command = (0.0, float(np.clip(2 * off, -1.2, 1.2)))
            else:
                command = (0.4, 1.5 * off)
            yield robot.drive(*command, 0.2), robot.scan()


def navigating(
    walls: Sequence[FloatArray],
    start: Planar = (2.0, 5.0, 0.0),
    *,
    seed: int = 0,
    heights_m: Sequence[float] = (0.0,),
    lifts: Sequence[Lift] = (),
    upper: Sequence[FloatArray] = (),
) -> tuple[FlatRobot, GridNavigator]:
    """A robot between walls, and what takes it to poses."""
    robot = FlatRobot(walls, start, seed=seed, lifts=lifts, upper=upper)
    pose = Pose.from_yaw(start[0], start[1], yaw=start[2])
    return robot, GridNavigator(robot, Localiser(start=pose, heights_m=heights_m), lifts=lifts)
