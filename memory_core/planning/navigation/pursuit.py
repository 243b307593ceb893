"""Following a way: where to steer now.

Pure pursuit (Coulter 1992): drive the arc through a point of the way a little ahead. The robot
turns on the spot where the way leads off sideways, slows for bends, for its goal and for what the
scan shows on the arc, and stops where it would touch it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from memory_core.planning.navigation.planar import Planar, between
from memory_core.types import FloatArray

Point = tuple[float, float]
Clear = Callable[[Point, Point], bool]
_TURN_ON_THE_SPOT = 0.8
_ARC_STEPS = 8
_AHEAD_M = (0.5, 0.25, 0.12)
"""How far ahead to steer for; nearer where the arc to what is further would cut a corner."""
_CLOSE_M, _CREEPING_M_S = 0.01, 0.1
"""Where there is no other way it creeps past with so little room."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What the base may do.

    Attributes:
        speed_m_s: Forward.
        turn_rad_s: About +z.
        braking_m_s2: Slowing down before goals and obstacles.
        margin_m: Kept between the base and what the scan shows.
    """

    speed_m_s: float = 0.5
    turn_rad_s: float = 1.2
    braking_m_s2: float = 0.6
    margin_m: float = 0.04


@dataclass(frozen=True, slots=True)
class Command:
    """Speeds of the base for the next step.

    Attributes:
        linear_m_s: Forward.
        angular_rad_s: Counter-clockwise.
        blocked: Something stands where the way leads.
    """

    linear_m_s: float
    angular_rad_s: float
    blocked: bool = False


class Pursuit:
    """Follows one way to its end."""

    def __init__(self, way: Sequence[Point], *, limits: Limits, radius_m: float) -> None:
        """Follow corners, shape (n, 2), in the map, with a base of a radius."""
        self._way = np.array(way, float).reshape(-1, 2)
        self._limits = limits
        self._radius_m = radius_m
        self._along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(self._way, axis=0).T))])
        self._done_m = 0.0

    def remaining_m(self, pose: Planar) -> float:
        """Way left from the point of it nearest to a pose, never growing again."""
        start, end = self._way[:-1], self._way[1:]
        if not len(start):
            return math.hypot(self._way[0, 0] - pose[0], self._way[0, 1] - pose[1])
        run = end - start
        lengths = np.maximum((run**2).sum(axis=1), 1e-12)
        share = np.clip(((pose[:2] - start) * run).sum(axis=1) / lengths, 0, 1)
        off = np.hypot(*(start + share[:, None] * run - pose[:2]).T)
        along = self._along[:-1] + share * np.sqrt(lengths)
        # Not back to a part that was passed, and not across to one far ahead.
        off = off + np.where((along < self._done_m - 0.1) | (along > self._done_m + 1.0), 1e3, 0)
        self._done_m = max(self._done_m, float(along[off.argmin()]))
        return float(self._along[-1]) - self._done_m

    def ahead(self, metres: float) -> Point:
        """The point of the way so far ahead of where the robot is on it."""
        at = min(self._done_m + metres, float(self._along[-1]))
        return (
            float(np.interp(at, self._along, self._way[:, 0])),
            float(np.interp(at, self._along, self._way[:, 1])),
        )

    def rest(self, metres: float) -> list[Point]:
        """The next metres of the way, as points a few centimetres apart."""
        return [self.ahead(float(at)) for at in np.arange(0, metres, 0.1)]

    def command(
        self,
        pose: Planar,
        obstacles: FloatArray,
        *,
        seconds: float,
        clear: Clear = lambda start, end: True,
    ) -> Command:
        """Speeds for the next step.

        Args:
            pose: The base in the map.
            obstacles: What the scan shows, base frame, shape (n, 2).
            seconds: How long the step will last.
            clear: Whether the map leaves room on a straight line; no corner is cut where not.
        """
        remaining = self.remaining_m(pose)
        _, aside, _ = between(pose, (*self.ahead(_AHEAD_M[0]), 0.0))
        uncut = [
            ahead_m for ahead_m in _AHEAD_M
            if ahead_m == _AHEAD_M[-1] or clear(pose[:2], self.ahead(ahead_m))
        ]  # fmt: skip
        usual = (self._limits.margin_m, self._limits.speed_m_s)
        for margin_m, fastest_m_s in (usual, (_CLOSE_M, _CREEPING_M_S)):
            for ahead_m in uncut:
                command = self._towards(
                    pose, obstacles, remaining, seconds=seconds,
                    lookahead=min(ahead_m, max(_AHEAD_M[-1], remaining)),
                    margin_m=margin_m, fastest_m_s=fastest_m_s,
                )  # fmt: skip
                swings = command.linear_m_s == 0 and command.angular_rad_s * aside < 0
                if not command.blocked and not swings:  # not to and fro on the spot
                    return command
        return Command(0.0, 0.0, blocked=True)

    def _towards(
        self,
        pose: Planar,
        obstacles: FloatArray,
        remaining: float,
        *,
        seconds: float,
        lookahead: float,
        margin_m: float,
        fastest_m_s: float,
    ) -> Command:
        """Speeds towards a point so far ahead, with so much room, and no faster than that."""
        x, y, _ = between(pose, (*self.ahead(lookahead), 0.0))
        heading = math.atan2(y, x)
        if abs(heading) > _TURN_ON_THE_SPOT:
            return Command(0.0, turn_speed(heading, self._limits, seconds=seconds))
        curvature = 2 * y / max(x * x + y * y, 1e-6)
        to_end = math.hypot(x, y) if remaining < lookahead else remaining
        speed = min(
            fastest_m_s,
            self._limits.turn_rad_s / max(abs(curvature), 1e-6),
            max(0.05, math.sqrt(2 * self._limits.braking_m_s2 * max(to_end - 0.03, 0.0))),
            max(to_end, 0.02) / seconds,
        )
        reach = fastest_m_s**2 / (2 * self._limits.braking_m_s2) + 0.15
        free = free_along(
            curvature, obstacles, reach_m=min(reach, to_end + 0.05),
            radius_m=self._radius_m + margin_m,
        )  # fmt: skip
        safe = math.sqrt(2 * self._limits.braking_m_s2 * max(free - 0.05, 0.0))
        speed = min(speed, safe, 0.5 * free / seconds)
        if speed < 0.03:
            return Command(0.0, 0.0, blocked=True)
        return Command(speed, speed * curvature)


def turn_speed(angle: float, limits: Limits, *, seconds: float) -> float:
    """Speed of a turn on the spot that ends at an angle, radians, without passing it."""
    wanted = min(limits.turn_rad_s, 2.0 * abs(angle), abs(angle) / seconds)
    return math.copysign(wanted, angle)


def free_along(
    curvature: float, obstacles: FloatArray, *, reach_m: float, radius_m: float
) -> float:
    """How far a round base can go on an arc before it touches something.

    Args:
        curvature: Of the arc, 1/m, positive to the left.
        obstacles: Base frame, shape (n, 2), metres.
        reach_m: How far to look.
        radius_m: Of the base, with its margin.

    Returns:
        Metres, at most `reach_m`; what the base touches already counts only where it gets nearer.
    """
    if not len(obstacles):
        return reach_m
    way = np.linspace(reach_m / _ARC_STEPS, reach_m, _ARC_STEPS)
    angle = curvature * way
    bend = np.where(np.abs(angle) < 1e-4, 1.0, np.sinc(angle / (2 * np.pi)))
    x, y = way * bend * np.cos(angle / 2), way * bend * np.sin(angle / 2)
    squares = (obstacles[:, 0] - x[:, None]) ** 2 + (obstacles[:, 1] - y[:, None]) ** 2
    now = (obstacles**2).sum(axis=1)
    touched = ((squares < radius_m**2) & (squares < now - 1e-6)).any(axis=1)
    if not touched.any():
        return reach_m
    return float(way[touched.argmax()]) - reach_m / _ARC_STEPS
