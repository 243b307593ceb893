"""A robot's path, thinned: the fewest poses between which interpolation stays close to all."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from memory_core.geometry import angles_between, slerp
from memory_core.types import Pose

PATH_TOLERANCE_M = 0.004
PATH_TOLERANCE_RAD = 0.0087
LONGEST_WINDOW = 200


class PathThinner:
    """Thins a path as it comes, greedily: an opening window (Meratnia & de By 2004) over time.

    A window grows until some pose inside it is further from the interpolated one than the
    tolerance; then the pose before the last is kept, and a window begins there.
    """

    def __init__(
        self,
        *,
        tolerance_m: float = PATH_TOLERANCE_M,
        tolerance_rad: float = PATH_TOLERANCE_RAD,
    ) -> None:
        """No pose came yet.

        Args:
            tolerance_m: Largest distance, metres.
            tolerance_rad: Largest angle, radians.
        """
        self._tolerance_m = tolerance_m
        self._tolerance_rad = tolerance_rad
        self._window: list[tuple[int, Pose]] = []

    def add(self, stamp_ns: int, pose: Pose) -> tuple[int, Pose] | None:
        """Take the next pose; returns one that is kept, if it is certain by now.

        Args:
            stamp_ns: Later than that of the last one.
            pose: In a fixed frame.
        """
        window = self._window
        window.append((stamp_ns, pose))
        if len(window) == 1:
            return window[0]
        if len(window) == 2 or not self._strays():
            return None
        del window[:-2]
        return window[0]

    def end(self) -> tuple[int, Pose] | None:
        """The last pose, where it was not kept yet; a new path may begin after."""
        window, self._window = self._window, []
        return window[-1] if len(window) > 1 else None

    def _strays(self) -> bool:
        """Whether a pose inside the window is too far from the line between its ends."""
        window = self._window
        stamps = np.array([entry[0] for entry in window], np.float64)
        positions = np.array([entry[1].position for entry in window])
        quaternions = np.array([entry[1].quaternion for entry in window])
        fractions = (stamps[1:-1] - stamps[0]) / max(stamps[-1] - stamps[0], 1.0)
        line = positions[0] + fractions[:, None] * (positions[-1] - positions[0])
        worst = np.linalg.norm(positions[1:-1] - line, axis=1).max()
        turned = slerp(quaternions[0], quaternions[-1], fractions)
        angle = angles_between(turned, quaternions[1:-1]).max()
        return bool(
            worst > self._tolerance_m
            or angle > self._tolerance_rad
            or len(window) > LONGEST_WINDOW + 1
        )


def thin_path(
    path: Sequence[tuple[int, Pose]],
    *,
    tolerance_m: float = PATH_TOLERANCE_M,
    tolerance_rad: float = PATH_TOLERANCE_RAD,
) -> list[tuple[int, Pose]]:
    """The poses of a whole path that `PathThinner` keeps.

    Args:
        path: Stamped poses in order of time.
        tolerance_m: Largest distance, metres.
        tolerance_rad: Largest angle, radians.
    """
    thinner = PathThinner(tolerance_m=tolerance_m, tolerance_rad=tolerance_rad)
    found = [*(thinner.add(*entry) for entry in path), thinner.end()]
    return [entry for entry in found if entry is not None]
