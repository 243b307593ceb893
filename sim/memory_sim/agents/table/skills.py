"""What the arm can do at a table: deeds, each carried out by a skill that sends the tool about.

A skill is a generator: it is sent what the arm feels and gives the next action, until it is done.
Frames: the robot's base is the world; x away from the robot, y to its left, z up, the table's top 0.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator
from dataclasses import dataclass

import numpy as np

from memory_core.types import FloatArray, Pose, Vector3
from memory_sim.tasks.table.spaces import (
    Proprioception,
    rotation_between,
    step_towards,
    to_action,
)
from memory_sim.worlds.table.robot import WIDEST_M

SHUT_M = 0.0
_NEAR_M, _TURNED_RAD, _STILL_RAD_S = 0.005, 0.03, 0.15
_OVER_M = 0.012
"""How far above the top of a thing closed fingers rest to touch it."""
_LEAST_OVER_M = 0.058
"""Closed fingers at this height can go from one low thing to the next."""
_CLEAR_M = 0.14
"""A tool at this height, or higher, meets nothing that stands on the table."""
_GRIP_STEPS = 7


@dataclass(frozen=True, slots=True)
class Track:
    """A thing that moves: where it is, metres, and how fast, metres a second."""

    position: Vector3
    velocity: Vector3


@dataclass(frozen=True, slots=True)
class Instant:
    """What a skill is told at each step.

    Attributes:
        felt: What the arm feels.
        track: Finds what moves on the table; None where nothing does.
    """

    felt: Proprioception
    track: Callable[[], Track | None]


Moves = Generator[FloatArray, Instant, Instant]
"""A skill, or a part of one: actions, and the instant at which it was done."""


def reach(
    now: Instant,
    place: tuple[float, float, float],
    width_m: float,
    *,
    yaw: float | None = None,
    within_m: float = _NEAR_M,
    steps: int = 60,
    speed: float = 1.0,
    rest: bool = True,
) -> Moves:
    """Send the tool to a place, in a straight line.

    Args:
        now: What is felt.
        place: Where, base frame, metres.
        width_m: Between the fingers.
        yaw: The hand points down and is turned by this; None keeps it as it is.
        within_m: How near is near enough.
        steps: At most.
        speed: Share of the fastest.
        rest: Whether it is to be still there.
    """
    turned = now.felt.aim.quaternion if yaw is None else pointing_down(yaw)
    goal = Pose(*place, *turned)
    for _ in range(steps):
        now = yield step_towards(now.felt, goal, width_m, speed=speed)
        near = math.dist(now.felt.tool.position, place) < within_m
        turn = float(np.linalg.norm(rotation_between(now.felt.tool, goal)))
        still = not rest or float(np.abs(now.felt.speeds).max()) < _STILL_RAD_S
        if near and turn < _TURNED_RAD and still:
            break
    return now


def hold(now: Instant, width_m: float, steps: int) -> Moves:
    """Stay, and bring the fingers to a width."""
    for _ in range(steps):
        now = yield to_action(np.zeros(3), np.zeros(3), width_m)
    return now


def grasp(now: Instant, place: Vector3, *, yaw: float) -> Moves:
    """Close the fingers around what is at a place."""
    x, y, z = place
    if now.felt.tool.z < z + 0.10:
        now = yield from rise(now, z + 0.10, WIDEST_M)
    now = yield from reach(now, (x, y, z + 0.12), WIDEST_M, yaw=yaw, within_m=0.015, rest=False)
    now = yield from reach(now, place, WIDEST_M, yaw=yaw)
    return (yield from hold(now, SHUT_M, _GRIP_STEPS))


def rise(now: Instant, z: float, width_m: float) -> Moves:
    """Lift the tool where it is."""
    tool = now.felt.tool
    return (yield from reach(now, (tool.x, tool.y, z), width_m, within_m=0.03, rest=False))


def go_and_look(now: Instant) -> Moves:
    """Go where the wrist camera sees the whole work area from above."""
    if now.felt.tool.z < _CLEAR_M:
        now = yield from rise(now, _CLEAR_M, now.felt.width_m)
    return (yield from reach(now, LOOKOUT, WIDEST_M, yaw=0.0, within_m=0.02, rest=False))


LOOKOUT: Vector3 = (0.43, 0.0, 0.50)
"""Where the tool is when the wrist camera sees all within reach."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Stay for a step."""

    def moves(self, now: Instant) -> Moves:
        """See `Deed.moves`."""
        return (yield from hold(now, WIDEST_M, 1))


@dataclass(frozen=True, slots=True)
class Touch:
    """Rest on a thing; `top` is the middle of its top."""

    top: Vector3

    def moves(self, now: Instant) -> Moves:
        """See `Deed.moves`."""
        x, y, z = self.top
        resting = max(z + _OVER_M, _LEAST_OVER_M)
        aside = math.dist((x, y), now.felt.tool.position[:2])
        if now.felt.tool.z < resting - 0.01:
            now = yield from rise(now, resting + 0.02, SHUT_M)
        elif aside > 0.03 and now.felt.tool.z > resting + 0.05:
            now = yield from reach(now, (x, y, resting + 0.05), SHUT_M, within_m=0.03, rest=False)
        return (yield from reach(now, (x, y, resting), SHUT_M, within_m=0.02))


@dataclass(frozen=True, slots=True)
class Push:
    """Push a thing away from the robot by a good 10 cm; `top` is the middle of its top."""

    top: Vector3

    def moves(self, now: Instant) -> Moves:
        """See `Deed.moves`."""
        x, y, z = self.top
        low = min(0.03, 0.6 * z)
        now = yield from reach(
            now, (x - 0.10, y, _CLEAR_M), SHUT_M, yaw=0.0, within_m=0.02, rest=False
        )
        now = yield from reach(now, (x - 0.10, y, low), SHUT_M, yaw=0.0)
        now = yield from reach(now, (x + 0.10, y, low), SHUT_M, yaw=0.0, speed=0.5, steps=30)
        now = yield from reach(now, (x + 0.02, y, low), SHUT_M, yaw=0.0, within_m=0.03, rest=False)
        return (yield from rise(now, _CLEAR_M, SHUT_M))


@dataclass(frozen=True, slots=True)
class Lift:
    """Lift a thing by a good 5 cm, and put it down again.

    Attributes:
        top: The middle of its top.
        yaw: The fingers close across this direction.
    """

    top: Vector3
    yaw: float

    def moves(self, now: Instant) -> Moves:
        """See `Deed.moves`."""
        x, y, z = self.top
        low = 0.65 * z if z > 0.06 else 0.4 * z
        now = yield from grasp(now, (x, y, low), yaw=self.yaw)
        now = yield from reach(now, (x, y, low + 0.10), SHUT_M)
        now = yield from reach(now, (x, y, low + 0.002), SHUT_M, yaw=self.yaw)
        now = yield from hold(now, WIDEST_M, 5)
        return (yield from rise(now, z + 0.10, WIDEST_M))


@dataclass(frozen=True, slots=True)
class Put:
    """Take a thing and put it down elsewhere.

    Attributes:
        top: The middle of its top.
        yaw: The fingers close across this direction.
        place: Where to, x and y.
    """

    top: Vector3
    yaw: float
    place: tuple[float, float]

    def moves(self, now: Instant) -> Moves:
        """See `Deed.moves`."""
        x, y, z = self.top
        there, high = self.place, z + 0.06
        now = yield from grasp(now, (x, y, z / 2), yaw=self.yaw)
        now = yield from reach(now, (x, y, high), SHUT_M, within_m=0.03, rest=False)
        now = yield from reach(now, (*there, high), SHUT_M, within_m=0.02, rest=False)
        now = yield from reach(now, (*there, z / 2 + 0.002), SHUT_M)
        now = yield from hold(now, WIDEST_M, 6)
        return (yield from rise(now, _CLEAR_M, WIDEST_M))


@dataclass(frozen=True, slots=True)
class Press:
    """Press a button down and let go; `top` is the middle of its cap's top."""

    top: Vector3

    def moves(self, now: Instant) -> Moves:
        """See `Deed.moves`."""
        x, y, z = self.top
        high = z + 0.08
        if now.felt.tool.z < high - 0.02:
            now = yield from rise(now, high, SHUT_M)
        now = yield from reach(now, (x, y, high), SHUT_M, yaw=0.0, within_m=0.02, rest=False)
        now = yield from reach(now, (x, y, z - _OVER_M), SHUT_M, yaw=0.0, steps=12, speed=0.5)
        return (yield from reach(now, (x, y, high), SHUT_M, within_m=0.03, rest=False))


@dataclass(frozen=True, slots=True)
class Shut:
    """Push a drawer shut.

    Attributes:
        knob: The top of its knob.
        travel_m: How far it stands open.
    """

    knob: Vector3
    travel_m: float

    def moves(self, now: Instant) -> Moves:
        """See `Deed.moves`."""
        x, y, z = self.knob
        low = z - 0.025
        now = yield from reach(now, (x - 0.06, y, 0.2), SHUT_M, yaw=0.0, within_m=0.02, rest=False)
        now = yield from reach(now, (x - 0.06, y, low), SHUT_M, yaw=0.0)
        now = yield from reach(
            now, (x + self.travel_m - 0.015, y, low), SHUT_M, yaw=0.0, speed=0.5, steps=40
        )
        now = yield from reach(
            now, (x + self.travel_m - 0.1, y, low), SHUT_M, yaw=0.0, within_m=0.03, rest=False
        )
        return (yield from rise(now, 0.16, SHUT_M))


@dataclass(frozen=True, slots=True)
class Open:
    """Pull a drawer open by its knob, whose top is given."""

    knob: Vector3

    def moves(self, now: Instant) -> Moves:
        """See `Deed.moves`."""
        x, y, z = self.knob
        now = yield from grasp(now, (x, y, z - 0.02), yaw=0.0)
        now = yield from reach(now, (x - 0.22, y, z - 0.02), SHUT_M, yaw=0.0, speed=0.5)
        now = yield from hold(now, WIDEST_M, 5)
        return (yield from rise(now, 0.2, WIDEST_M))


@dataclass(frozen=True, slots=True)
class Turn:
    """Turn a long thing about its middle, and let go of it.

    Attributes:
        top: The middle of its top.
        yaw: Along which it lies.
        angle_rad: By how much, counter-clockwise seen from above.
    """

    top: Vector3
    yaw: float
    angle_rad: float

    def moves(self, now: Instant) -> Moves:
        """See `Deed.moves`."""
        x, y, z = self.top
        yaw = wrapped(self.yaw, math.pi)
        now = yield from grasp(now, (x, y, z / 2), yaw=yaw)
        # half-way first: half a turn has no side
        for share in (0.5, 1.0):
            turned = yaw + share * self.angle_rad
            now = yield from reach(
                now, (x, y, z / 2 + 0.002), SHUT_M, yaw=turned, speed=0.7, rest=share == 1.0
            )
        now = yield from hold(now, WIDEST_M, 5)
        now = yield from rise(now, 0.12, WIDEST_M)
        return (yield from hold(now, WIDEST_M, 2))


def pointing_down(yaw: float) -> tuple[float, float, float, float]:
    """Orientation of a hand that points down; its fingers close across a direction of the table."""
    return Pose.from_yaw(0.0, 0.0, yaw=yaw).compose(Pose(qx=1.0, qw=0.0)).quaternion


def wrapped(angle: float, period: float) -> float:
    """The same direction of a thing that looks alike after each period, nearest to 0."""
    return (angle + period / 2) % period - period / 2
