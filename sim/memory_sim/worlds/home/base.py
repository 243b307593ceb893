"""A round base with two driven wheels: it drives, drifts, bumps, scans and rides lifts.

The world is kinematic: driving moves the true pose along arcs and stops at the first touch.
What leaves is what such a robot measures: drifting odometry, a bumper and ranges.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from memory_core.errors import SkillFailed
from memory_core.planning.body import Motion, Scan
from memory_core.types import Pose
from memory_sim.worlds.home.camera import head_pose
from memory_sim.worlds.home.robot import Part, RobotBody
from memory_sim.worlds.home.robot_model import BASE_RADIUS_M, PAN_RAD, TILT_RAD
from memory_sim.worlds.home.section import Section, beams
from memory_sim.worlds.home.world import World

FASTEST_M_S = 0.6
FASTEST_RAD_S = 1.5
_STEP_S = 0.1
_BISECTIONS = 4
_RAYS = 360
_RANGE_M = 8.0
_RANGE_NOISE_M = 0.01
_HEAD_RAD_S = 1.5
_LIFT_SECONDS_PER_FLOOR = 6.0
_CABIN_M = 0.6


@dataclass(frozen=True, slots=True)
class OdometryNoise:
    """How wheels lie, as standard deviations (after Thrun, Burgard & Fox 2005, section 5.4).

    Attributes:
        scale: Of the error of all distances, drawn once for a robot.
        turn_scale: Of the error of all turns, drawn once for a robot.
        drift_rad_m: Of the turn that is not felt, radians a metre, drawn once for a robot.
        distance: Metres in a metre, drawn anew each step.
        turn: Radians in a radian, drawn anew each step.
    """

    scale: float = 0.01
    turn_scale: float = 0.01
    drift_rad_m: float = 0.005
    distance: float = 0.01
    turn: float = 0.01


EXACT = OdometryNoise(0.0, 0.0, 0.0, 0.0, 0.0)


class SimBase:
    """The simulated base; implements `Base` of `memory_core.planning.body`."""

    radius_m = BASE_RADIUS_M

    def __init__(
        self, world: World, *, odometry_noise: OdometryNoise | None = None,
        scan_heights_m: tuple[float, ...] = (0.25,), start_ns: int = 0, seed: int = 0,
    ) -> None:  # fmt: skip
        """Stand at the dock of a home.

        Args:
            world: Where to drive.
            odometry_noise: How the wheels lie.
            scan_heights_m: Of the scanner's planes above the floor; a ray reports the nearest hit.
            start_ns: What the clock shows at first, nanoseconds since the epoch.
            seed: Of all noise.
        """
        self._world, self.robot = world, RobotBody(world)
        noise = odometry_noise if odometry_noise is not None else OdometryNoise()
        self._noise, self._random = noise, np.random.default_rng(seed)
        self._scale, self._turn_scale, self._drift = self._random.normal(
            0.0, (noise.scale, noise.turn_scale, noise.drift_rad_m)
        )
        self._heights = scan_heights_m
        self._sections: dict[int, Section] = {}
        self._odometry = Pose()
        self._head = (0.0, 0.0)
        self.stamp_ns = start_ns
        self.contact_speeds_m_s: list[float] = []
        """Of the rim at each bump; for scoring."""
        self.robot.stand(world.plan.dock)

    @property
    def true_pose(self) -> Pose:
        """Where the base really is: for rendering and scoring alone."""
        return self.robot.pose

    @property
    def head(self) -> tuple[float, float]:
        """Pan (to the left) and tilt (upwards) of the head, radians."""
        return self._head

    @property
    def camera_pose(self) -> Pose:
        """The camera's REP-103 frame in the base's frame."""
        pan, tilt = self._head
        return head_pose(Pose(), pan_rad=pan, tilt_rad=tilt)

    def look_towards(self, pan: float, tilt: float) -> None:
        """Turn the head, radians, as far as it goes; it takes its time."""
        pan = min(max(pan, PAN_RAD[0]), PAN_RAD[1])
        tilt = min(max(tilt, TILT_RAD[0]), TILT_RAD[1])
        turn = max(abs(pan - self._head[0]), abs(tilt - self._head[1]))
        self._head = (pan, tilt)
        self.robot.turn_head(pan, tilt)
        self.wait(turn / _HEAD_RAD_S)

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.stamp_ns += round(seconds * 1e9)

    def put(self, pose: Pose) -> None:
        """Stand elsewhere, as if carried there unseen: for set-up and fault tests alone."""
        self.robot.stand(pose)
        self.robot.settle()

    def jump(self, forward_m: float, left_m: float, turn_rad: float) -> None:
        """A fault: the odometry leaps, as after a shove or a slip of the wheels."""
        leap = Pose.from_yaw(forward_m, left_m, yaw=turn_rad)
        self._odometry = self._odometry.compose(leap)

    def drive(self, linear_m_s: float, angular_rad_s: float, seconds: float) -> Motion:
        """Drive on an arc for a while, at most as fast as the base can; ends at a touch."""
        linear = min(max(linear_m_s, -FASTEST_M_S), FASTEST_M_S)
        angular = min(max(angular_rad_s, -FASTEST_RAD_S), FASTEST_RAD_S)
        steps = math.ceil(seconds / _STEP_S - 1e-9)
        for _ in range(steps):
            moved = self._step(linear, angular, seconds / steps)
            self._feel(linear * moved, angular * moved)
            self.wait(moved)
            if moved < seconds / steps:
                self.contact_speeds_m_s.append(abs(linear) + abs(angular) * BASE_RADIUS_M)
                self.robot.settle()
                return Motion(self.stamp_ns, self._odometry, bumped=True)
        self.robot.settle()
        return Motion(self.stamp_ns, self._odometry)

    def _step(self, linear: float, angular: float, seconds: float) -> float:
        """Move the true pose; returns for how long it moved, shorter where something was met."""
        start = self.robot.pose
        if linear == 0 and angular == 0:
            return seconds
        self.robot.stand(start.compose(_arc(linear * seconds, angular * seconds)))
        parts = self._met()
        if not parts:
            return seconds
        touched_before = self._depth_at(start, parts)
        free, hit = 0.0, seconds
        for _ in range(_BISECTIONS):
            middle = (free + hit) / 2
            there = start.compose(_arc(linear * middle, angular * middle))
            if self._depth_at(there, parts) > touched_before + 1e-4:
                hit = middle
            else:
                free = middle
        end = start.compose(_arc(linear * seconds, angular * seconds))
        if self._depth_at(end, parts) <= touched_before + 1e-4:
            return seconds  # it was in touch before and moves away
        self.robot.stand(start.compose(_arc(linear * free, angular * free)))
        return free

    def _met(self) -> list[Part]:
        """What the robot touches where it stands."""
        near = self.robot.around(*self.robot.bounds())
        return near if self.robot.touches(near) is not None else []

    def _depth_at(self, pose: Pose, parts: list[Part]) -> float:
        self.robot.stand(pose)
        contact = self.robot.touches(parts)
        return contact.depth_m if contact is not None else 0.0

    def _feel(self, forward_m: float, turn_rad: float) -> None:
        """What the wheels make of a true step."""
        noise, normal = self._noise, self._random.standard_normal(2)
        felt_m = forward_m * (1 + self._scale + noise.distance * normal[0])
        felt_rad = turn_rad * (1 + self._turn_scale + noise.turn * normal[1])
        self._odometry = self._odometry.compose(_arc(felt_m, felt_rad + self._drift * forward_m))

    def scan(self) -> Scan:
        """One turn of the scanner: 360 rays, 1 cm noise, nothing beyond 8 m."""
        pose = self.robot.pose
        angles = np.arange(_RAYS) * (2 * np.pi / _RAYS) - np.pi
        ranges = np.full(_RAYS, np.inf)
        held = self.robot.held.thing if self.robot.held is not None else None
        for height in self._heights:
            edges = self._section(pose.z + height).edges(apart_from=held)
            ranges = np.minimum(ranges, beams(edges, pose, _RAYS))
        ranges[ranges > _RANGE_M] = np.inf
        noisy = ranges + _RANGE_NOISE_M * self._random.standard_normal(_RAYS)
        return Scan(angles, np.maximum(noisy, 0.0), _RANGE_M)

    def _section(self, z: float) -> Section:
        """Of the world at a height, millimetres told apart."""
        key = round(z * 1000)
        if key not in self._sections:
            self._sections[key] = Section(self._world, z)
        return self._sections[key]

    def ride(self, floor: int) -> Motion:
        """Ride the lift that the base stands in to a floor, 0 the lowest."""
        here, lift = self.robot.pose, self._world.plan.lift
        stops = lift.stops if lift is not None else ()
        near = [
            n for n, stop in enumerate(stops) if math.dist(stop.position, here.position) < _CABIN_M
        ]
        if not near:
            raise SkillFailed("the base stands in no lift; drive into a cabin first")
        if not 0 <= floor < len(stops):
            raise SkillFailed(f"the lift stops at floors 0 to {len(stops) - 1}; not at {floor}")
        self.robot.stand(stops[floor].compose(stops[near[0]].inverse().compose(here)))
        self.robot.settle()
        self.wait(_LIFT_SECONDS_PER_FLOOR * abs(floor - near[0]))
        return Motion(self.stamp_ns, self._odometry)


def _arc(forward_m: float, turn_rad: float) -> Pose:
    """Where an arc ends, seen from where it began."""
    if abs(turn_rad) < 1e-9:
        return Pose(x=forward_m)
    radius = forward_m / turn_rad
    return Pose.from_yaw(
        radius * math.sin(turn_rad), radius * (1 - math.cos(turn_rad)), yaw=turn_rad
    )
