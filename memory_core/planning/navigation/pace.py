"""How fast is safe: slow near what may stand where the map has nothing."""

from __future__ import annotations

import math

import numpy as np

from memory_core.planning.navigation.localisation import Localiser
from memory_core.planning.navigation.planar import apply, compose

_SLOW_M_S = 0.4
"""The rim goes so fast where care is taken: what is low is under the scanner's plane."""
_MOVED, _NEAR_M = 16, 0.3
"""So many of the places where the robot moved doors and drawers are kept, and how near is near."""
_AHEAD = np.radians(np.arange(-75.0, 76.0, 15.0))
_FRONT = np.stack([np.cos(_AHEAD), np.sin(_AHEAD)], axis=1)
"""The side of the rim that goes first, shape (n, 2)."""
_AROUND = np.stack(np.meshgrid((-1, 0, 1), (-1, 0, 1)), axis=-1).reshape(-1, 2)
"""A cell and those around it, shape (9, 2): pictures are thinned, so some cells are left out."""


class Pace:
    """Takes a round base slowly near what it moved, and onto floor that no picture showed."""

    def __init__(self, radius_m: float) -> None:
        """Of the base."""
        self._radius_m = radius_m
        self._moved: list[tuple[int, float, float, float]] = []
        """Floor, place and radius of what was moved last."""

    def careful_near(self, floor: int, at: tuple[float, float], radius_m: float) -> None:
        """Something was moved around a place of the map."""
        others = [one for one in self._moved if math.dist(one[1:3], at) > radius_m]
        self._moved = [*others[1 - _MOVED :], (floor, *at, radius_m)]

    def share(
        self, localiser: Localiser, linear_m_s: float, angular_rad_s: float, seconds: float
    ) -> float:
        """The share of a speed that is safe for the next control step.

        Args:
            localiser: Knows where the base is, and the map.
            linear_m_s: Forward.
            angular_rad_s: Counter-clockwise.
            seconds: How long the step will last.
        """
        rim_m_s = abs(linear_m_s) + self._radius_m * abs(angular_rad_s)
        if rim_m_s <= _SLOW_M_S:
            return 1.0
        careful = self._is_near_what_moved(localiser) or self._enters_unseen(
            localiser, linear_m_s * seconds, angular_rad_s * seconds
        )
        return _SLOW_M_S / rim_m_s if careful else 1.0

    def _is_near_what_moved(self, localiser: Localiser) -> bool:
        here, near_m = localiser.pose[:2], self._radius_m + _NEAR_M
        return any(
            floor == localiser.floor and math.dist(here, at) <= radius_m + near_m
            for floor, *at, radius_m in self._moved
        )

    def _enters_unseen(self, localiser: Localiser, way_m: float, turn_rad: float) -> bool:
        """Whether a step leads over floor that no picture showed, where there are pictures."""
        if not way_m:
            return False
        grid = localiser.grid
        after = compose(localiser.pose, (way_m, 0.0, turn_rad))
        cells = grid.cells(apply(after, math.copysign(self._radius_m, way_m) * _FRONT))
        inside = ((cells >= 0) & (cells < grid.shape)).all()
        near = (cells[:, None] + _AROUND[None]).clip(0, np.array(grid.shape) - 1)
        odds = grid.depth_odds
        shown = inside and (odds[near[..., 0], near[..., 1]] != 0).any(axis=1).all()
        return not shown and bool((odds < 0).any())
