"""What a planner moves and looks through: the seams between plans and a robot's body.

A robot offers a `Base` that drives and a scanner; a `Navigator` above it knows where the robot is
and goes to poses; a `Manipulator` moves the arm. Frames follow REP-103 and REP-105: `base` has x
forward, y left, z up and lies on the floor; `odom` drifts; `map` is the memory's own. Lengths are
metres, angles radians.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from memory_core.types import DEFAULT_MAP, ORIGIN, BoolArray, FloatArray, Pose, Vector3

Interrupted = Callable[[], bool]
"""Asked at least every 0.2 s of motion: True ends the motion where it is."""


@dataclass(frozen=True, slots=True)
class Scan:
    """One turn of a range scanner in a plane parallel to the floor.

    Attributes:
        angles: About +z of the base, from its x axis, shape (n,), radians.
        ranges_m: From the base's origin, shape (n,); infinite where nothing came back.
        range_m: Beyond this nothing comes back.
    """

    angles: FloatArray
    ranges_m: FloatArray
    range_m: float


@dataclass(frozen=True, slots=True)
class Motion:
    """What the wheels say after a step of driving.

    Attributes:
        stamp_ns: When the step ended, nanoseconds since the epoch.
        odometry: Base in `odom`; drifts.
        bumped: The bumper touched something; the base stopped there.
    """

    stamp_ns: int
    odometry: Pose
    bumped: bool = False


@dataclass(frozen=True, slots=True)
class Lift:
    """A lift cabin: the same place on several floors.

    Attributes:
        stops: Where to stand in it, `map`, one a floor, lowest first.
    """

    stops: tuple[Pose, ...]


class Base(Protocol):
    """A wheeled base with a range scanner."""

    @property
    def radius_m(self) -> float:
        """Of the circle it turns in."""

    @property
    def stamp_ns(self) -> int:
        """Now, by the robot's clock, nanoseconds since the epoch."""

    def drive(self, linear_m_s: float, angular_rad_s: float, seconds: float) -> Motion:
        """Drive on an arc for a while; positive turns are counter-clockwise."""

    def scan(self) -> Scan:
        """One turn of the scanner from where the base stands."""

    def ride(self, floor: int) -> Motion:
        """Ride the lift that the base stands in to a floor, 0 the lowest.

        Raises:
            SkillFailed: The base stands in no lift, or there is no such floor.
        """


@dataclass(frozen=True, slots=True)
class Localisation:
    """Where a robot takes itself to be.

    Attributes:
        pose: Base in the anchor's frame; in `odom` where it is not localised; None where nothing
            is known.
        covariance: Row-major 6x6 of it (x, y, z, roll, pitch, yaw).
        localised: Whether the pose in the map is to be trusted.
        map_id: The map.
        anchor_id: The anchor that `pose` is relative to.
        map_pose: Base in the map; None where it is not localised.
    """

    pose: Pose | None
    covariance: tuple[float, ...] | None = None
    localised: bool = True
    map_id: str = DEFAULT_MAP
    anchor_id: str = ORIGIN
    map_pose: Pose | None = None


@dataclass(frozen=True, slots=True)
class Arrival:
    """How a drive ended.

    Attributes:
        reached: Whether the goal was reached within its tolerances.
        reason: `reached`, `interrupted`, `no path`, `blocked`, `lost`, `bumped`.
        travelled_m: Way driven.
    """

    reached: bool
    reason: str
    travelled_m: float = 0.0


@dataclass(frozen=True, slots=True)
class Stand:
    """A free pose that something can be looked at or reached from.

    Attributes:
        pose: Of the base, `map`, facing it.
        cost_m: Of the way there, and on to where one goes next; a metre near walls costs more,
            and so does a place that it is seen from through a doorway or what may be a wall.
    """

    pose: Pose
    cost_m: float


class Navigator(Protocol):
    """Knows where the robot is, and takes it to poses."""

    def where(self) -> Localisation:
        """Where the robot takes itself to be."""

    def way(self, goal: Vector3) -> tuple[Vector3, ...]:
        """The way from here to within reach of a place, `map`; empty where there is none."""

    def travel_m(self, goal: Vector3) -> float:
        """Length of the way to a place; infinite where there is none."""

    def ways_m(self, start: Vector3, goals: Sequence[Vector3]) -> FloatArray:
        """Lengths of the ways from a place to n others, shape (n,); infinite where there is none."""

    def in_sight(self, targets: Sequence[Vector3], inside_m: FloatArray) -> BoolArray:
        """Which of n pieces of furniture no wall hides from here, as far as is known, shape (n,).

        Args:
            targets: Their middles, `map`.
            inside_m: How far from its middle each may reach, shape (n,).
        """

    def frontiers(self) -> tuple[Vector3, ...]:
        """Free places at the edge of what is known, `map`; empty where all is known."""

    def standing(
        self, target: Vector3, *, near_m: float, far_m: float, then: Vector3 | None = None
    ) -> tuple[Stand, ...]:
        """Free poses that face a target from between two distances, the cheapest first.

        Args:
            target: `map`.
            near_m: Least distance.
            far_m: Greatest distance.
            then: Where one goes from there, `map`; None for nowhere that is known.
        """

    def doubt(self, at: Vector3, radius_m: float) -> None:
        """What stood around a place of the map may be gone: the robot itself moved it."""

    def block(self, points: Sequence[Vector3]) -> None:
        """The robot itself moved something to these places of the map."""

    def go(
        self,
        goal: Pose,
        *,
        within_m: float = 0.1,
        within_rad: float = 0.1,
        interrupted: Interrupted = lambda: False,
    ) -> Arrival:
        """Drive to a pose of the base in `map`, around what is in the way."""

    def turn(self, angle_rad: float, *, interrupted: Interrupted = lambda: False) -> Arrival:
        """Turn on the spot, counter-clockwise positive; more than a full turn is allowed."""


@dataclass(frozen=True, slots=True)
class Done:
    """How a movement of the arm ended.

    Attributes:
        done: Whether the movement did what it was for, as far as the arm itself can tell.
        reason: `done`, `interrupted`, `out of reach`, `collision`, `slipped`, `nothing there`,
            `too wide`, `stuck`, `hand full`, `hand empty`.
    """

    done: bool
    reason: str = "done"


class Manipulator(Protocol):
    """An arm with a gripper, told where things are by points in the base's frame."""

    @property
    def reach_m(self) -> tuple[float, float]:
        """Nearest and farthest distance from the base's origin, along the floor, it reaches."""

    @property
    def holding(self) -> bool:
        """Whether the fingers are kept apart by something."""

    def pick(self, cloud: FloatArray, *, interrupted: Interrupted = lambda: False) -> Done:
        """Grasp what a cloud of points shows, and lift it.

        Args:
            cloud: Points on the thing, base frame, shape (n, 3).
            interrupted: See `Interrupted`.
        """

    def place(self, at: Vector3, *, interrupted: Interrupted = lambda: False) -> Done:
        """Put down what is held so that it stands on a point of a surface, base frame."""

    def open(
        self, handle: FloatArray, outward: Vector3, *, hinged: bool = False, travel_m: float = 0.3,
        interrupted: Interrupted = lambda: False,
    ) -> Done:  # fmt: skip
        """Take a handle (points, base frame, shape (n, 3)) and pull along `outward`."""

    def close(
        self, handle: FloatArray, outward: Vector3, *, hinged: bool = False, travel_m: float = 0.3,
        interrupted: Interrupted = lambda: False,
    ) -> Done:  # fmt: skip
        """Take a handle and push against `outward`."""

    def push(
        self, start: Vector3, end: Vector3, *, interrupted: Interrupted = lambda: False
    ) -> Done:
        """Move the closed fingers from one point to another, base frame."""

    def press(self, at: Vector3, *, interrupted: Interrupted = lambda: False) -> Done:
        """Press a button down and let go, base frame."""

    def give(self, *, interrupted: Interrupted = lambda: False) -> Done:
        """Hold out what is held until somebody takes it."""

    def stow(self, *, interrupted: Interrupted = lambda: False) -> Done:
        """Fold the arm for driving, keeping what is held."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A thing in the view of the robot right now.

    Attributes:
        label: What the detector calls it.
        position: In the map, metres.
        cloud: Points on it, base frame, shape (n, 3).
        confidence: 0 to 1.
        state: As in `Sighting`.
    """

    label: str
    position: Vector3
    cloud: FloatArray
    confidence: float
    state: dict[str, float] = field(default_factory=dict)


class Eyes(Protocol):
    """Perception on demand; whatever is seen is also remembered."""

    def look(self, at: Vector3 | None = None) -> tuple[Seen, ...]:
        """Look at a point of the map (None: straight ahead), and say what is there.

        Raises:
            SkillFailed: There is no picture to be had.
        """

    def noticed(self) -> tuple[Seen, ...]:
        """What was seen, on the way too, since this was last asked."""

    def cloud(self) -> FloatArray:
        """Every point of the last look's depth, `map`, metres, shape (n, 3)."""


@dataclass(frozen=True, slots=True)
class Body:
    """A robot as a planner has it.

    Attributes:
        navigator: Takes it to poses.
        eyes: What it sees.
        stamp_ns: Now, by its clock, nanoseconds since the epoch.
        wait: Lets so many seconds pass.
        say: Says something to the people around.
        manipulator: Its arm; None where it has none.
    """

    navigator: Navigator
    eyes: Eyes
    stamp_ns: Callable[[], int]
    wait: Callable[[float], None]
    say: Callable[[str], None] = lambda text: None
    manipulator: Manipulator | None = None
