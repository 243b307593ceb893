"""A flat world for tests of planning: things at places, and a robot that moves in straight lines.

It implements the body's seams without physics. What is seen comes from where the robot stands and
looks, never from what the planner asks for.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from memory_core.identity import deterministic_id
from memory_core.memory import RobotMemory
from memory_core.planning.body import (
    Arrival,
    Body,
    Done,
    Interrupted,
    Localisation,
    Seen,
    Stand,
)
from memory_core.types import BoolArray, FloatArray, Observation, Pose, Sighting, Vector3

EYE_M = 1.2
SEES_M = 4.0
HALF_ANGLE = math.radians(35)
SPEED_M_S = 0.5
SECOND = 10**9
DAY_NS = 86_400 * SECOND
START_NS = 1_772_528_400 * SECOND


@dataclass
class Thing:
    """A thing of the world: what it is, where, how large, and what it lies shut up in."""

    label: str
    at: Vector3
    size: Vector3 = (0.08, 0.08, 0.1)
    inside: str | None = None


@dataclass
class FlatWorld:
    """The world, the robot in it, and what the robot remembers."""

    memory: RobotMemory
    things: list[Thing]
    stamp_ns: int = START_NS
    session: str = "day 1"
    pose: Pose = field(default_factory=Pose)
    blocked: Callable[[Vector3], bool] = lambda at: False
    walled: Callable[[Vector3], bool] = lambda at: False
    unseen: Callable[[str], bool] = lambda label: False
    cut_within_m: dict[str, float] = field(default_factory=dict)
    """What is in view as a whole only where it is looked at itself, and from farther than this."""
    slips: int = 0
    lost: bool = False
    arm_out: bool = False
    held: Thing | None = None
    given: list[str] = field(default_factory=list)
    opened: set[str] = field(default_factory=set)
    said: list[str] = field(default_factory=list)
    travelled_m: float = 0.0
    looks: list[Vector3] = field(default_factory=list)
    _seen: list[Seen] = field(default_factory=list)
    _noticed: list[Seen] = field(default_factory=list)
    _frames: int = 0

    def body(self) -> Body:
        return Body(self, self, lambda: self.stamp_ns, self.let_pass, self.said.append, self)

    def let_pass(self, seconds: float) -> None:
        self.stamp_ns += round(seconds * SECOND)

    def next_day(self) -> None:
        self.stamp_ns += DAY_NS
        self.session = f"day {int(self.session.split()[1]) + 1}"
        self.pose = Pose()

    def thing(self, label: str) -> Thing:
        return next(thing for thing in self.things if thing.label == label)

    # -- Navigator --------------------------------------------------------------------------

    def where(self) -> Localisation:
        return Localisation(
            self.pose, localised=not self.lost, map_pose=None if self.lost else self.pose
        )

    def way(self, goal: Vector3) -> tuple[Vector3, ...]:
        return (self.pose.position, goal)

    def travel_m(self, goal: Vector3) -> float:
        if self.blocked(goal):
            return math.inf
        return math.hypot(goal[0] - self.pose.x, goal[1] - self.pose.y)

    def ways_m(self, start: Vector3, goals: Sequence[Vector3]) -> FloatArray:
        return np.array([math.dist(start[:2], goal[:2]) for goal in goals])

    def in_sight(self, targets: Sequence[Vector3], inside_m: FloatArray) -> BoolArray:
        return np.array([not self.walled(target) for target in targets], bool)

    def frontiers(self) -> tuple[Vector3, ...]:
        return ()

    def doubt(self, at: Vector3, radius_m: float) -> None:
        pass

    def block(self, points: Sequence[Vector3]) -> None:
        pass

    def standing(
        self, target: Vector3, *, near_m: float, far_m: float, then: Vector3 | None = None
    ) -> tuple[Stand, ...]:
        poses = self._facing(target, near_m, far_m)
        return tuple(Stand(pose, self.travel_m(pose.position)) for pose in poses)

    def _facing(self, target: Vector3, near_m: float, far_m: float) -> tuple[Pose, ...]:
        gap = self.travel_m(target)
        if math.isinf(gap):
            return ()
        if near_m <= gap <= far_m:
            bearing = math.atan2(target[1] - self.pose.y, target[0] - self.pose.x)
            return (Pose.from_yaw(self.pose.x, self.pose.y, yaw=bearing),)
        bearing = math.atan2(self.pose.y - target[1], self.pose.x - target[0])
        middle = (near_m + far_m) / 2
        return tuple(
            Pose.from_yaw(
                target[0] + middle * math.cos(bearing + turn),
                target[1] + middle * math.sin(bearing + turn),
                yaw=bearing + turn + math.pi,
            )
            for turn in (0.0, 0.6, -0.6)
        )

    def go(
        self,
        goal: Pose,
        *,
        within_m: float = 0.1,
        within_rad: float = 0.1,
        interrupted: Interrupted = lambda: False,
    ) -> Arrival:
        if self.lost:
            return Arrival(False, "lost")
        way, start = self.travel_m(goal.position), self.pose
        steps = max(1, math.ceil(way / (SPEED_M_S * 0.5)))
        for step in range(1, steps + 1):
            share = step / steps
            x = start.x + share * (goal.x - start.x)
            y = start.y + share * (goal.y - start.y)
            if self.blocked((x, y, 0.0)):
                return Arrival(False, "blocked", way * (step - 1) / steps)
            self.pose = Pose.from_yaw(x, y, yaw=goal.yaw)
            self.let_pass(0.5)
            self.travelled_m += way / steps
            self._noticed += self.see(None)
            if interrupted():
                return Arrival(False, "interrupted", way * share)
        return Arrival(True, "reached", way)

    def turn(self, angle_rad: float, *, interrupted: Interrupted = lambda: False) -> Arrival:
        for _ in range(8):
            self.pose = Pose.from_yaw(self.pose.x, self.pose.y, yaw=self.pose.yaw + angle_rad / 8)
            self.let_pass(1.0)
            self._noticed += self.see(None)
        return Arrival(True, "reached")

    # -- Eyes -------------------------------------------------------------------------------

    def look(self, at: Vector3 | None = None) -> tuple[Seen, ...]:
        self.let_pass(0.5)
        if at is not None:
            self.looks.append(at)
        self._seen = self.see(at)
        self._noticed += self._seen
        return tuple(self._seen)

    def noticed(self) -> tuple[Seen, ...]:
        found, self._noticed = tuple(self._noticed), []
        return found

    def cloud(self) -> FloatArray:
        tables = [t for t in self.things if t.size[0] >= 0.5]
        grid = np.stack(np.meshgrid(*[np.arange(-0.5, 0.5, 0.02)] * 2), axis=-1).reshape(-1, 2)
        parts = []
        for table in tables:
            inside = grid[(np.abs(grid) <= np.array(table.size[:2]) / 2).all(axis=1)]
            top = np.full((len(inside), 1), table.at[2] + table.size[2] / 2)
            parts.append(np.hstack([inside + np.array(table.at[:2]), top]))
        return np.concatenate(parts)

    def in_view(self, at: Vector3, toward: Vector3 | None) -> bool:
        heading = self.pose.yaw
        if toward is not None:
            heading = math.atan2(toward[1] - self.pose.y, toward[0] - self.pose.x)
        away = math.hypot(at[0] - self.pose.x, at[1] - self.pose.y)
        bearing = math.atan2(at[1] - self.pose.y, at[0] - self.pose.x)
        return away <= SEES_M and abs(math.remainder(bearing - heading, math.tau)) <= HALF_ANGLE

    def see(self, toward: Vector3 | None) -> list[Seen]:
        heading = self.pose.yaw
        if toward is not None:
            heading = math.atan2(toward[1] - self.pose.y, toward[0] - self.pose.x)
        camera = Pose.from_yaw(self.pose.x, self.pose.y, z=EYE_M, yaw=heading)
        seen, sightings = [], []
        back, into = self.pose.inverse(), camera.inverse()
        for thing in self.things:
            shut = thing.inside is not None and thing.inside not in self.opened
            hidden = shut or thing is self.held or self.unseen(thing.label)
            if hidden or not self.in_view(thing.at, toward):
                continue
            inside = np.array(np.meshgrid(*[np.linspace(-0.5, 0.5, 5)] * 3)).reshape(3, -1).T
            cloud = np.array(thing.at) + inside * np.array(thing.size)
            seen.append(Seen(thing.label, thing.at, back.transform(cloud), 0.9))
            away_m = math.hypot(thing.at[0] - self.pose.x, thing.at[1] - self.pose.y)
            aimed = toward is not None and math.dist(toward[:2], thing.at[:2]) < 0.1
            if thing.label in self.cut_within_m and not (
                aimed and away_m >= self.cut_within_m[thing.label]
            ):
                continue  # the edge of the picture cuts it off
            sightings.append(Sighting(thing.label, position=into.apply(*thing.at), size=thing.size))
        self._frames += 1
        self.memory.observe(
            Observation(
                id=deterministic_id(self.session, "camera", self.stamp_ns, self._frames),
                stamp_ns=self.stamp_ns, source="camera", session=self.session, pose=camera,
                sightings=tuple(sightings), localised=not self.lost,
                extra={"view": {"width_rad": 2 * HALF_ANGLE, "height_rad": 1.8, "range_m": SEES_M}},
            )
        )  # fmt: skip
        return seen

    # -- Manipulator ------------------------------------------------------------------------

    @property
    def reach_m(self) -> tuple[float, float]:
        return (0.4, 0.8)

    @property
    def holding(self) -> bool:
        return self.held is not None

    def pick(self, cloud: FloatArray, *, interrupted: Interrupted = lambda: False) -> Done:
        self.let_pass(5.0)
        if self.held is not None:
            return Done(False, "hand full")
        if self.slips > 0:
            self.slips -= 1
            return Done(False, "slipped")
        at = self.pose.apply(*cloud.mean(axis=0).tolist())
        near = [t for t in self.things if math.dist(t.at, at) < 0.05 and t.size[0] <= 0.2]
        if not near or math.hypot(at[0] - self.pose.x, at[1] - self.pose.y) > 0.9:
            return Done(False, "nothing there")
        self.held = near[0]
        self.held.inside = None
        return Done(True)

    def place(self, at: Vector3, *, interrupted: Interrupted = lambda: False) -> Done:
        self.let_pass(5.0)
        assert self.held is not None
        x, y, z = self.pose.apply(*at)
        self.held.at = (x, y, z + self.held.size[2] / 2)
        self.held = None
        return Done(True)

    def give(self, *, interrupted: Interrupted = lambda: False) -> Done:
        self.let_pass(2.0)
        if self.held is None:
            return Done(False, "hand empty")
        self.given.append(self.held.label)
        self.things.remove(self.held)
        self.held = None
        return Done(True)

    def open(
        self,
        handle: FloatArray,
        outward: Vector3,
        *,
        hinged: bool = False,
        travel_m: float = 0.3,
        interrupted: Interrupted = lambda: False,
    ) -> Done:
        return self._slide(handle, outward, 0.3)

    def close(
        self,
        handle: FloatArray,
        outward: Vector3,
        *,
        hinged: bool = False,
        travel_m: float = 0.3,
        interrupted: Interrupted = lambda: False,
    ) -> Done:
        return self._slide(handle, outward, -0.3)

    def _slide(self, handle: FloatArray, outward: Vector3, by_m: float) -> Done:
        self.let_pass(5.0)
        at = self.pose.apply(*handle.mean(axis=0).tolist())
        thing = min(self.things, key=lambda t: math.dist(t.at, at))
        turned = Pose.from_yaw(0.0, 0.0, yaw=self.pose.yaw).apply(*outward)
        x, y, z = (a + by_m * b for a, b in zip(thing.at, turned, strict=True))
        thing.at = (x, y, z)
        name = thing.label.removesuffix(" handle")
        (self.opened.add if by_m > 0 else self.opened.discard)(name)
        return Done(True)

    def push(
        self, start: Vector3, end: Vector3, *, interrupted: Interrupted = lambda: False
    ) -> Done:
        raise NotImplementedError

    def press(self, at: Vector3, *, interrupted: Interrupted = lambda: False) -> Done:
        self.let_pass(2.0)
        return Done(True)

    def stow(self, *, interrupted: Interrupted = lambda: False) -> Done:
        self.arm_out = False
        return Done(True)
