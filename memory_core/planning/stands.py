"""Which of the places where one can stand are straight before what a thing stands in."""

from __future__ import annotations

import cmath
from collections.abc import Callable, Sequence

from memory_core.types import Pose, Vector3

SQUARE_RAD, ONE_SIDED = 0.3, 0.5
"""A hand that reaches between boards comes so straight; stands are on one side from so close on."""


def askew(poses: Sequence[Pose], target: Vector3) -> Callable[[Pose], bool]:
    """Tells which poses are not straight before what a target stands in or on.

    Straight before it is the middle of where one can stand; nothing is askew where that is all
    around.
    """

    def bearing(pose: Pose) -> complex:
        way = complex(pose.x - target[0], pose.y - target[1])
        return way / max(abs(way), 1e-9)

    middle = sum(map(bearing, poses)) / max(len(poses), 1)
    one_sided = abs(middle) > ONE_SIDED

    def aside(pose: Pose) -> bool:
        return one_sided and abs(cmath.phase(bearing(pose) / middle)) > SQUARE_RAD

    return aside
