"""A home over the days of an episode: the robot in it acts, senses, and is watched by the scorer."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from memory_core.errors import SkillFailed
from memory_core.perception.camera import back_project
from memory_core.planning.body import Done, Motion
from memory_core.types import FloatArray, Pose, Vector3
from memory_sim.perceiving import FEWEST_POINTS
from memory_sim.tasks.house.spaces import (
    DEEPEST_M,
    HAND_ENDED,
    RANGE_M,
    STEP_S,
    Command,
)
from memory_sim.worlds.home.base import SimBase
from memory_sim.worlds.home.camera import Frame
from memory_sim.worlds.home.handling import SimManipulator
from memory_sim.worlds.home.placing import Spot, spot_pose
from memory_sim.worlds.home.plan import HomePlan
from memory_sim.worlds.home.truth import Whereabouts, whereabouts
from memory_sim.worlds.home.world import World

SEEN_PIXELS = 20
"""A thing is seen where it has as many pixels in the picture."""
_LEAST_M = 0.01
_HANDLE_M = 0.08
_FRONT_M = 0.012


@dataclass(frozen=True, slots=True)
class Glimpse:
    """When a thing was seen, and where it was then."""

    day: int
    where: Whereabouts


@dataclass(frozen=True, slots=True)
class Handed:
    """A thing that was given, and from where; `map`, metres."""

    thing: str
    position: Vector3


class Household:
    """A home, day after day. All that is named true or seen here is for scoring alone."""

    def __init__(self, plan: HomePlan, *, width: int, height: int, seed: int) -> None:
        """Take over a plan; nothing is built before the first `wake`.

        Args:
            plan: Of the home.
            width: Of the picture, pixels.
            height: Of the picture, pixels.
            seed: Of the noise of wheels, scanner and grasps.
        """
        self.plan = plan
        self.day = -1
        self.first_seen: dict[str, Glimpse] = {}
        self.last_seen: dict[str, Glimpse] = {}
        self.taken: list[str] = []
        self.handed: list[Handed] = []
        self.visited: set[str] = set()
        self._size, self._seed = (width, height), seed
        self._world: World | None = None
        self._where: Mapping[str, Whereabouts] | None = None

    @property
    def world(self) -> World:
        """Of today."""
        assert self._world is not None, "nothing is built before the first day"
        return self._world

    @property
    def where(self) -> Mapping[str, Whereabouts]:
        """Where each thing truly is now, by its id."""
        if self._where is None:
            self._where = whereabouts(self.world)
        return self._where

    @property
    def in_view(self) -> frozenset[str]:
        """Ids of the things in the last picture."""
        if self._frame is None:
            return frozenset()
        things = self.world.things
        pixels = np.bincount(self._frame.owners.ravel(), minlength=len(things) + 1)
        return frozenset(
            name for number, name in enumerate(things, start=1) if pixels[number] >= SEEN_PIXELS
        )

    @property
    def true_pose(self) -> Pose:
        """Where the base really is."""
        return self.base.true_pose

    @property
    def room(self) -> str:
        """The room that the base is in; empty outside."""
        room = self.plan.room_at(*self.true_pose.position)
        return room.name if room is not None else ""

    @property
    def held(self) -> str:
        """Id of what is in the hand; empty where it is empty."""
        held = self.base.robot.held
        return held.thing if held is not None else ""

    def wake(self, day: int, *, elsewhere: Mapping[str, Spot]) -> None:
        """Begin a day at the dock, in the home as people left it.

        Args:
            day: 0 the first.
            elsewhere: Things that somebody put somewhere in the night, and where.
        """
        self.close()
        self.day = day
        width, height = self._size
        self._world = World(self.plan, day=day, width=width, height=height)
        for thing, spot in elsewhere.items():
            if thing in self._world.things:
                piece = self.plan.furniture_by_id[spot.furniture]
                self._world.place(thing, spot_pose(spot, piece))
        self._world.on_change(self._changed)
        self.base = SimBase(self._world, seed=self._seed + day)
        self.arm = SimManipulator(self.base, seed=self._seed + day)
        self._motion = Motion(0, Pose())
        self._hand = "none"
        self._frame: Frame | None = None
        self._where = None

    def close(self) -> None:
        """Release the simulator."""
        if self._world is not None:
            self._world.close()
            self._world = None

    def act(self, command: Command) -> None:
        """Do what is told; a hand or a lift takes its own time, all else `STEP_S`."""
        pan, tilt = self.base.head
        if math.dist((pan, tilt), (command.pan_rad, command.tilt_rad)) > 1e-6:
            self.base.look_towards(command.pan_rad, command.tilt_rad)
        self._hand = "none"
        if command.floor is not None:
            self._ride(command.floor)
        elif command.hand != "none":
            ended = self._handle(command)
            self._hand = ended.reason if ended.reason in HAND_ENDED else "stuck"
            if ended.done:
                self._hand = "done"
        else:
            self._motion = self.base.drive(command.linear_m_s, command.angular_rad_s, STEP_S)

    def observe(self) -> dict[str, Any]:
        """What the robot senses now; what is seen is noted for the scorer."""
        self._frame = self.world.camera.look(self.true_pose.compose(self.base.camera_pose))
        self._note()
        width, height = self._size
        if self._frame is not None:
            rgb, depth = self._frame.image.copy(), np.clip(self._frame.depth_m, 0, DEEPEST_M)
        else:
            rgb = np.zeros((height, width, 3), np.uint8)
            depth = np.zeros((height, width), np.float32)
        scan = np.minimum(self.base.scan().ranges_m, RANGE_M)
        odometry = self._motion.odometry
        return {
            "rgb": rgb, "depth": depth, "scan": scan.astype(np.float32),
            "odometry": np.array((odometry.x, odometry.y, odometry.yaw)),
            "bumped": int(self._motion.bumped),
            "head": np.array(self.base.head, np.float32), "holding": int(self.arm.holding),
            "hand": HAND_ENDED.index(self._hand), "day": self.day,
            "clock": np.array([self.base.stamp_ns * 1e-9]),
        }  # fmt: skip

    def _changed(self, _: str) -> None:
        self._where = None

    def _note(self) -> None:
        for thing in sorted(self.in_view):
            glimpse = Glimpse(self.day, self.where[thing])
            self.first_seen.setdefault(thing, glimpse)
            self.last_seen[thing] = glimpse
        self.visited.add(self.room)

    def _ride(self, floor: int) -> None:
        try:
            self._motion, self._hand = self.base.ride(floor), "done"
        except SkillFailed:
            self._hand = "out of reach"

    def _handle(self, command: Command) -> Done:
        arm, (x, y, z), aim = self.arm, command.target, command.aim
        level_m = math.hypot(aim[0], aim[1])
        match command.hand:
            case "pick":
                points = self._points(np.abs(aim), command.target)
                done = arm.pick(points) if len(points) >= FEWEST_POINTS else _NOTHING
                if self.held:
                    self.taken.append(self.held)
                return done
            case "place":
                return arm.place((x, y, z))
            case "give":
                return self._give()
            case "stow":
                return arm.stow()
            case "press" if math.hypot(x, y) > _LEAST_M:
                return arm.press((x, y, z))
            case "push" if level_m > _LEAST_M:
                return arm.push((x, y, z), (x + aim[0], y + aim[1], z + aim[2]))
            case "open" | "close" if level_m > _LEAST_M:
                handle = self._handle_at(command.target, np.array(aim))
                if len(handle) < FEWEST_POINTS:
                    return _NOTHING
                move = arm.open if command.hand == "open" else arm.close
                return move(handle, aim, travel_m=math.hypot(*aim))
        return Done(False, "out of reach")

    def _give(self) -> Done:
        held, done = self.held, self.arm.give()
        if done.done and held:
            self.handed.append(Handed(held, self.true_pose.position))
        return done

    def _points(self, half: FloatArray, target: Vector3) -> FloatArray:
        """The points of the last picture in a box, base frame, shape (n, 3)."""
        if self._frame is None:
            return np.empty((0, 3))
        points = back_project(self._frame.depth_m, self._frame.intrinsics)
        points = self.base.camera_pose.transform(points)
        return np.asarray(points[(np.abs(points - np.array(target)) <= half).all(axis=1)])

    def _handle_at(self, target: Vector3, outward: FloatArray) -> FloatArray:
        """The points around a target that do not lie behind it, on the front."""
        near = self._points(np.full(3, _HANDLE_M), target)
        out = outward / np.linalg.norm(outward)
        return np.asarray(near[(near - np.array(target)) @ out > -_FRONT_M])


_NOTHING = Done(False, "nothing there")
