"""Moves a base by control steps: each drives, scans, localises, and tells the caller."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable

from memory_core.planning.body import Base, Interrupted, Localisation, Motion, Scan
from memory_core.planning.navigation.localisation import Localiser
from memory_core.planning.navigation.matching import scan_points
from memory_core.planning.navigation.pace import Pace
from memory_core.planning.navigation.planar import STILL, Planar, planar, spatial, wrap
from memory_core.planning.navigation.pursuit import Limits, turn_speed
from memory_core.types import FloatArray, Pose

NO_PROGRESS_S = 6.0
_DRIVEN = 150
_FACES_S = 20.0

Moved = Callable[[Localisation, Motion], None]


class Driver:
    """The wheels of a robot that knows where it is.

    Attributes:
        base: The wheels and the scanner.
        localiser: Knows where the robot is, and the map.
        limits: Speeds.
        moved: Called after every control step, to perceive or record.
        step_s: Length of a control step, seconds.
        scan: The last.
        obstacles: What it shows, base frame, metres, shape (n, 2).
        wheels: The base in `odom`.
        travelled_m: Way driven so far, by the wheels.
        driven: The last control steps that can be undone, by the wheels: metres forward, and
            radians.
    """

    scan: Scan
    obstacles: FloatArray

    def __init__(
        self, base: Base, localiser: Localiser, *, limits: Limits, moved: Moved, step_s: float
    ) -> None:
        """Stand still for one control step, and scan."""
        self.base = base
        self.localiser = localiser
        self.limits = limits
        self.moved = moved
        self.step_s = step_s
        self.wheels: Planar = STILL
        self.travelled_m = 0.0
        self.driven: deque[tuple[float, float]] = deque(maxlen=_DRIVEN)
        self._pace = Pace(base.radius_m)
        self.step(0.0, 0.0)

    def step(self, linear: float, angular: float, *, noted: bool = True) -> Motion:
        """One control step.

        Args:
            linear: Forward, m/s; less where that is not safe.
            angular: Counter-clockwise, rad/s.
            noted: Whether it may be undone later.
        """
        share = self._pace.share(self.localiser, linear, angular, self.step_s)
        motion = self.base.drive(share * linear, share * angular, self.step_s)
        self.scan = self.base.scan()
        self.obstacles = scan_points(self.scan)
        before, self.wheels = self.wheels, planar(motion.odometry)
        step_m = math.dist(before[:2], self.wheels[:2])
        self.travelled_m += min(step_m, 2 * abs(linear) * self.step_s)
        if noted and (linear or angular):
            turned = wrap(self.wheels[2] - before[2])
            self.driven.append((math.copysign(step_m, linear), turned))
        self.moved(self.localiser.update(motion, self.scan), motion)
        return motion

    def turn(self, angle_rad: float, interrupted: Interrupted) -> str:
        """Turn on the spot by an angle of the wheels; says `reached` or why not."""
        left, waited = angle_rad, 0.0
        while abs(left) > 0.02:
            if interrupted():
                return "interrupted"
            before = self.wheels
            self.step(0.0, turn_speed(left, self.limits, seconds=self.step_s))
            turned = wrap(self.wheels[2] - before[2])
            left -= turned
            waited = 0.0 if abs(turned) > 1e-3 else waited + self.step_s
            if waited > NO_PROGRESS_S:
                return "blocked"
        return "reached"

    def face(self, yaw: float, within_rad: float, interrupted: Interrupted) -> str:
        """Turn on the spot to a heading in the map; says `reached` or why not."""
        for _ in range(math.ceil(_FACES_S / self.step_s)):
            error = wrap(yaw - self.localiser.pose[2])
            if abs(error) <= 0.6 * within_rad:
                return "reached"
            if interrupted():
                return "interrupted"
            speed = turn_speed(error, self.limits, seconds=self.step_s)
            if self.step(0.0, speed).bumped:
                return "bumped"
        return "blocked"

    def ride(self, stop: int, floor: int, inside: Planar, arrived: Pose) -> None:
        """Ride the lift that the base stands in.

        Args:
            stop: Of the lift, 0 the lowest.
            floor: Of the map, at that stop.
            inside: The base, as seen from where one stands in the lift.
            arrived: That, at the stop, in the map.
        """
        motion = self.base.ride(stop)
        self.wheels = planar(motion.odometry)
        self.driven.clear()
        self.localiser.ride(motion, floor, arrived.compose(spatial(inside)))
        self.step(0.0, 0.0)

    def careful_near(self, floor: int, at: tuple[float, float], radius_m: float) -> None:
        """Something was moved around a place of the map: slow there, and no way back blindly."""
        self._pace.careful_near(floor, at, radius_m)
        self.driven.clear()
