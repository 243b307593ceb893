"""What a robot does when something is wrong: it is blocked, has bumped into something, or is lost.

A robot that gets nowhere backs off, and forgets what only the depth camera believed. After a bump it
undoes its last movements, as far as the scanner shows them free, or slips free by whichever movement
goes. One that does not know where it is looks for open space until it does.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from memory_core.planning.body import Interrupted
from memory_core.planning.navigation.driving import Driver
from memory_core.planning.navigation.planar import Planar, compose, distance, turn_between, wrap
from memory_core.planning.navigation.pursuit import free_along, turn_speed

_LOOKS = 4
_BACK_OFF = (0.15, 1.2)
"""So fast, m/s, and so long, s."""
_BUMPED_M, _BUMPED_AGAIN_M = 0.15, 0.8
"""So far back after a bump, and after those that follow."""
_SLIP_M_S, _SLIP_RAD_S, _SLIPS = 0.1, 0.4, 6
"""So slowly, and so many steps, it leaves what touches it."""
_STIRRED_M, _STIRRED_RAD = 0.02, 0.1
"""Who moved no farther has not left."""
_WANDERS_S, _HEADS_S = 90.0, 20.0
_WANDERING_MARGIN_M = 0.08


class Recovery:
    """Gets a driver out of what keeps it."""

    def __init__(self, driver: Driver) -> None:
        """Of this robot."""
        self._driver = driver

    def note_obstacles(self) -> None:
        """What stopped the robot stands: it is in the map at once."""
        localiser = self._driver.localiser
        for _ in range(3):
            localiser.grid.insert(self._driver.scan, localiser.pose)

    def note_bump(self) -> None:
        """What was touched but not seen is taken to be as wide as the robot."""
        localiser = self._driver.localiser
        radius, cell = self._driver.base.radius_m, localiser.grid.cell_m
        for aside in np.arange(-radius, radius + cell / 2, cell):
            x, y, _ = compose(localiser.pose, (radius + cell, float(aside), 0.0))
            localiser.grid.mark(x, y)

    def back_off(self, interrupted: Interrupted) -> None:
        """Leave what is in the way where there is room behind, look, and doubt what is near.

        The depth camera may have seen what is not there.
        """
        driver = self._driver
        radius = driver.base.radius_m + driver.limits.margin_m
        for _ in range(math.ceil(_BACK_OFF[1] / driver.step_s)):
            room = free_along(0.0, -driver.obstacles, reach_m=0.3, radius_m=radius)
            if interrupted() or room < 0.1:
                break
            driver.step(-_BACK_OFF[0], 0.0, noted=False)
            driver.driven.clear()
        self._look(interrupted)
        driver.localiser.grid.clear_depth(driver.localiser.pose, 2 * driver.base.radius_m)

    def leave_what_touches(self, interrupted: Interrupted, *, again: bool) -> None:
        """After a bump: back the way it came, farther where that is not the first, and look."""
        if not self.retrace(_BUMPED_AGAIN_M if again else _BUMPED_M, interrupted):
            self._slip_free(interrupted)
        self._look(interrupted)

    def retrace(self, metres: float, interrupted: Interrupted) -> bool:
        """Undo the last movements, slowly: it fitted through a moment ago.

        Ends where the scanner shows something there now, and where the movements are not known.

        Returns:
            Whether it went back at all.
        """
        driver, went = self._driver, False
        while driver.driven and metres > 0 and not interrupted():
            forward, turned = driver.driven.pop()
            metres -= abs(forward) + driver.base.radius_m * abs(turned)
            step_m = abs(forward) + driver.limits.margin_m
            if forward and self._room_m(-forward, -turned, step_m) < step_m:
                return went
            pieces = max(1, math.ceil(abs(forward) / (_BACK_OFF[0] * driver.step_s)))
            seconds = pieces * driver.step_s
            for _ in range(pieces):
                if driver.step(-forward / seconds, -turned / seconds, noted=False).bumped:
                    driver.driven.clear()
                    return went
                went = went or bool(forward or turned)
        return went

    def find_itself(self, interrupted: Interrupted) -> bool:
        """Drive to where it has not been since it got lost, until the scans fit one place only.

        Returns:
            Whether it knows where it is.
        """
        driver = self._driver
        until_ns = driver.base.stamp_ns + round(_WANDERS_S * 1e9)
        been = [driver.wheels]
        while driver.base.stamp_ns < until_ns and not interrupted():
            if driver.localiser.localised:
                return True
            bearing, way = self._somewhere_new(been)
            driver.driven.clear()
            self._wander(bearing, way, interrupted)
            been.append(driver.wheels)
        return driver.localiser.localised

    def _look(self, interrupted: Interrupted) -> None:
        """Stand still for some scans."""
        for _ in range(_LOOKS):
            if not interrupted():
                self._driver.step(0.0, 0.0)

    def _slip_free(self, interrupted: Interrupted) -> None:
        """Leave what touches the robot, a door that was swung against it: any way that goes.

        Where the scanner shows most room is tried first, and back before ahead.
        """
        driver = self._driver
        ways = [
            (linear, angular)
            for linear in (-_SLIP_M_S, _SLIP_M_S, 0.0)
            for angular in (0.0, _SLIP_RAD_S, -_SLIP_RAD_S)
            if linear or angular
        ]
        slip_m = _SLIPS * driver.step_s * _SLIP_M_S

        def room_m(way: tuple[float, float]) -> float:
            return self._room_m(*way, slip_m) if way[0] else 0.0  # a turn goes nowhere

        before = driver.wheels
        for linear, angular in sorted(ways, key=room_m, reverse=True):
            for _ in range(_SLIPS):
                if interrupted() or driver.step(linear, angular, noted=False).bumped:
                    break
            if interrupted() or self._has_left(before):
                break
        driver.driven.clear()

    def _room_m(self, linear: float, turned: float, reach_m: float) -> float:
        """How far an arc, ahead or back, goes before it meets what the scanner shows.

        Args:
            linear: Not 0.
            turned: With it.
            reach_m: No farther.
        """
        ahead = math.copysign(1.0, linear) * self._driver.obstacles
        curve, radius_m = turned / abs(linear), self._driver.base.radius_m
        return free_along(curve, ahead, reach_m=reach_m, radius_m=radius_m)

    def _has_left(self, before: Planar) -> bool:
        """Whether the wheels moved on from where they were."""
        here = self._driver.wheels
        return distance(before, here) > _STIRRED_M or turn_between(before, here) > _STIRRED_RAD

    def _somewhere_new(self, been: Sequence[Planar]) -> tuple[float, float]:
        """A direction off the robot's own, and how far to go there."""
        here = self._driver.wheels
        radius = self._driver.base.radius_m + _WANDERING_MARGIN_M
        best = (-math.inf, 0.0, 0.0)
        for bearing in np.linspace(-math.pi, math.pi, 36, endpoint=False):
            x, y = math.cos(bearing), math.sin(bearing)
            turned = self._driver.obstacles @ np.array([[x, -y], [y, x]])
            way = min(2.0, free_along(0.0, turned, reach_m=4.0, radius_m=radius))
            end = compose(here, (way * x, way * y, 0.0))
            best = max(best, (min(math.dist(end[:2], past[:2]) for past in been), bearing, way))
        return float(best[1]), float(best[2])

    def _wander(self, bearing: float, way: float, interrupted: Interrupted) -> None:
        """Turn, then drive straight on while there is room; ends when localised."""
        driver = self._driver
        start = driver.wheels
        radius = driver.base.radius_m + 0.5 * _WANDERING_MARGIN_M
        for _ in range(math.ceil(_HEADS_S / driver.step_s)):
            if driver.localiser.localised or interrupted():
                return
            left = wrap(start[2] + bearing - driver.wheels[2])
            gone = math.dist(start[:2], driver.wheels[:2])
            room = free_along(0.0, driver.obstacles, reach_m=0.6, radius_m=radius)
            if gone == 0 and abs(left) > 0.05:
                driver.step(0.0, turn_speed(left, driver.limits, seconds=driver.step_s))
            elif gone < way and room > 0.2:
                driver.step(min(0.3, driver.limits.speed_m_s), 0.0)
            else:
                break
        driver.step(0.0, 0.0)
