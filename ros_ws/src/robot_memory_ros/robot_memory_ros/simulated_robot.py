"""The robot of the simulated home, without ROS: one thread moves it, and its time is shown."""

from __future__ import annotations

import contextlib
import math
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from memory_core.errors import MemoryMissing
from memory_core.perception.camera import back_project, position_of, thinned
from memory_core.planning.body import Interrupted, Localisation, Motion
from memory_core.planning.navigation.grid import OccupancyGrid
from memory_core.planning.navigation.localisation import Localiser
from memory_core.planning.navigation.navigator import GridNavigator
from memory_core.planning.navigation.state import load_state, save_state
from memory_core.types import Pose, Vector3
from memory_sim.perceiving import FEWEST_POINTS, cut_off, obstacles_in
from memory_sim.worlds.home.base import SimBase
from memory_sim.worlds.home.camera import Frame, towards
from memory_sim.worlds.home.detectors import SegmentationDetector
from memory_sim.worlds.home.handling import SimManipulator
from memory_sim.worlds.home.world import World

STEP_S = 0.2
TICK_S = 0.1
TELEOPERATED_S = 0.5
"""A velocity command holds for so long."""
DRIVING_TILT_RAD = -0.35
HELD_WITHIN_M = 0.55
MARGIN_M = 0.03


@dataclass(frozen=True, slots=True)
class Thing:
    """A thing in a picture: its name, how sure that is, its box in the base frame, metres."""

    label: str
    score: float
    centre: Vector3
    size: Vector3


@dataclass(frozen=True, slots=True)
class Order:
    """Something for the robot's thread to do; `stop` ends it where it is."""

    act: Callable[[Interrupted], Any]
    stop: threading.Event = field(default_factory=threading.Event)
    ended: Future[Any] = field(default_factory=Future)


class PacedBase(SimBase):
    """A base that tells whenever its time passes, a tick at a time."""

    passed: Callable[[], None] = staticmethod(lambda: None)

    @property
    def odometry(self) -> Pose:
        """Tell where the base is in `odom`, by the wheels."""
        return self._odometry

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        left = seconds
        while left > 1e-9:
            piece = min(left, TICK_S)
            super().wait(piece)
            left -= piece
            self.passed()


class SimulatedRobot:
    """Base, camera, arm and navigator in a home; everything is done on the thread of `run`."""

    def __init__(
        self, world: World, *, start_ns: int, seed: int = 0, maps: Path | None = None
    ) -> None:
        """
        Stand at the dock.

        :param world: The home.
        :param start_ns: What the robot's clock shows at first, nanoseconds since the epoch.
        :param seed: Of all noise.
        :param maps: Folder where its map is kept between runs; None for nowhere.
        """
        self.world = world
        self.base = PacedBase(world, start_ns=start_ns, seed=seed)
        self.arm = SimManipulator(self.base, seed=seed)
        self._detector = SegmentationDetector(world, seed=seed)
        self._maps = maps
        self._orders: queue.SimpleQueue[Order] = queue.SimpleQueue()
        self._stopping = threading.Event()
        self._wanted = (0.0, 0.0, -math.inf)
        self.map_to_odom: Pose | None = None
        self.base.look_towards(0.0, DRIVING_TILT_RAD)
        lifts = (world.plan.lift,) if world.plan.lift is not None else ()
        self.navigator = GridNavigator(
            self.base, self._map(), moved=self._moved, lifts=lifts, step_s=STEP_S
        )

    def _map(self) -> Localiser:
        dock = self.world.plan.dock
        if self._maps is not None:
            with contextlib.suppress(MemoryMissing):
                return load_state(self._maps, start=dock)
        return Localiser(start=dock, heights_m=self.world.floors_z)

    # -- asked from any thread ------------------------------------------------------------------

    def order(self, act: Callable[[Interrupted], Any]) -> Order:
        """Have something done; what comes of it is in the order's `ended`."""
        order = Order(act)
        self._orders.put(order)
        return order

    def velocity(self, forward_m_s: float, turn_rad_s: float) -> None:
        """Drive so fast for half a second, while nothing else is done."""
        self._wanted = (forward_m_s, turn_rad_s, time.monotonic())

    def stop(self) -> None:
        """End `run`."""
        self._stopping.set()

    # -- the robot's own thread -----------------------------------------------------------------

    def run(self) -> None:
        """Do what is ordered, and let time pass otherwise; keeps the map at its end."""
        while not self._stopping.is_set():
            try:
                order = self._orders.get_nowait()
            except queue.Empty:
                self._idle()
                continue

            def interrupted(order: Order = order) -> bool:
                return order.stop.is_set() or self._stopping.is_set()

            try:
                order.ended.set_result(order.act(interrupted))
            except Exception as error:  # whoever ordered it is told
                order.ended.set_exception(error)
        if self._maps is not None:
            save_state(self.navigator.localiser, self._maps)

    def _idle(self) -> None:
        forward, turn, since = self._wanted
        driven = time.monotonic() - since < TELEOPERATED_S and (forward or turn)
        motion = self.base.drive(*((forward, turn) if driven else (0.0, 0.0)), STEP_S)
        self._moved(self.navigator.localiser.update(motion, self.base.scan()), motion)

    def _moved(self, where: Localisation, motion: Motion) -> None:
        known = where.map_pose
        self.map_to_odom = None if known is None else known.compose(motion.odometry.inverse())

    def go(self, goal: Pose, interrupted: Interrupted) -> str:
        """Drive to a pose of the map; returns why it ended (`Arrival.reason`)."""
        self.base.look_towards(0.0, DRIVING_TILT_RAD)
        return self.navigator.go(goal, interrupted=interrupted).reason

    def look(self, at: Vector3 | None) -> int:
        """
        Turn the camera to a point of the base's frame, None: ahead.

        :returns: From when on pictures show it, nanoseconds.
        """
        aim = (0.0, DRIVING_TILT_RAD) if at is None else towards(Pose(), at)
        self.base.look_towards(*aim)
        return self.base.stamp_ns

    def relocalise(self, pose: Pose) -> None:
        """Believe to stand at a pose of the map, until scans say otherwise."""
        known = self.navigator.localiser
        self.navigator.localiser = Localiser(
            map_id=known.map_id, start=pose, atlas=known.atlas, told=known.told
        )

    def picture(self) -> tuple[Frame, list[Thing]] | None:
        """Take a picture, and name what is in it; None where the frame got lost."""
        camera = self.base.camera_pose
        frame = self.world.camera.look(self.base.true_pose.compose(camera))
        if frame is None:
            return None
        self._map_obstacles(frame, camera)
        things = [self._thing(found, frame, camera) for found in self._detector(frame)]
        return frame, [thing for thing in things if thing is not None]

    def _thing(self, found: Any, frame: Frame, camera: Pose) -> Thing | None:
        """Place what a detection shows; None where it is cut off, too small, or held."""
        points = back_project(frame.depth_m, frame.intrinsics, mask=thinned(found.mask))
        if len(points) < FEWEST_POINTS or cut_off(found.mask):
            return None
        centre, _, size = position_of(points)
        near = np.abs(points - np.array(centre)) <= np.array(size) / 2 + MARGIN_M
        cloud = camera.transform(points[near.all(axis=1)])
        if len(cloud) < FEWEST_POINTS:
            return None
        low, high = cloud.min(axis=0), cloud.max(axis=0)
        x, y, z = ((low + high) / 2).tolist()
        if self.arm.holding and math.hypot(x, y) < HELD_WITHIN_M:
            return None
        width, depth, height = (high - low).tolist()
        return Thing(found.label, found.score, (x, y, z), (width, depth, height))

    def _map_obstacles(self, frame: Frame, camera: Pose) -> None:
        """Put what the camera sees into the map: the scanner passes under tables."""
        if self.map_to_odom is None:
            return
        points = obstacles_in(frame.depth_m, frame.intrinsics)
        here = self.map_to_odom.compose(self.base.odometry)
        self.navigator.see(here.compose(camera).transform(points))

    @property
    def grid(self) -> OccupancyGrid:
        """Show the map of the floor it is on."""
        return self.navigator.localiser.grid
