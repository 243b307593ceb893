"""A robot that lives in a simulated home: its senses fill a memory, and a planner moves it.

What it knows comes from odometry, scans, noisy depth and a detector. Where it really is, is known
to the renderer and to scoring alone.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import numpy as np

from memory_core.errors import SkillFailed
from memory_core.identity import deterministic_id
from memory_core.memory import RobotMemory
from memory_core.perception.camera import back_project, position_of, thinned
from memory_core.perception.keyframes import KeyframeRule, KeyframeSelector, encode_jpeg
from memory_core.planning.body import Body, Localisation, Motion, Seen
from memory_core.planning.navigation.localisation import Localiser
from memory_core.planning.navigation.navigator import GridNavigator
from memory_core.planning.navigation.rooms import floor_plan
from memory_core.planning.navigation.state import load_state, save_state
from memory_core.types import FloatArray, Observation, Pose, Sighting, Vector3
from memory_sim.perceiving import (
    FEWEST_POINTS,
    Timings,
    cut_off,
    middle_of,
    obstacles_in,
    view_of,
)
from memory_sim.worlds.home.base import OdometryNoise, SimBase
from memory_sim.worlds.home.camera import FAR_M, Frame, towards
from memory_sim.worlds.home.detectors import Detection, Detector, SegmentationDetector
from memory_sim.worlds.home.handling import SimManipulator
from memory_sim.worlds.home.world import World

PERIOD_NS = 500_000_000
ROOMS_PERIOD_NS = 120 * 10**9
DRIVING_TILT_RAD = -0.35
HELD_WITHIN_M = 0.55
CLOUD_STRIDE = 2
CLOUD_MARGIN_M = 0.03
LEAST_SHOWN = 0.05
"""A picture with depth in less of it shows nothing: the lens is covered, or it came broken."""
NOTICED = 2_000
"""What was seen is kept until somebody asks what was noticed, the latest of it."""
PICTURES = 20
"""That many in a row may not come before a look fails."""
KEYFRAMES = KeyframeRule(change=0.25)
MAPS = "maps"


class HouseRobot:
    """A robot in a home: base, arm, camera and detector, with a memory. Implements `Eyes`."""

    def __init__(
        self,
        world: World,
        memory: RobotMemory,
        *,
        start_ns: int,
        session: str,
        detector: Detector | None = None,
        odometry_noise: OdometryNoise | None = None,
        slips: float = 0.0,
        seed: int = 0,
        watch: Callable[[Frame], None] = lambda frame: None,
    ) -> None:
        """Wake up at the dock.

        Args:
            world: The home on one of its days.
            memory: Open for writing; the map of earlier days lies in its folder.
            start_ns: What the robot's clock shows, nanoseconds since the epoch.
            session: Of the robot.
            detector: Names what is in pictures; by default an exact one.
            odometry_noise: How the wheels lie.
            slips: Share of grasps that do not hold.
            seed: Of all noise.
            watch: Given every frame, for films.
        """
        self.world = world
        self.memory = memory
        self.session = session
        self.timings = Timings()
        self.said: list[str] = []
        self.base = SimBase(world, odometry_noise=odometry_noise, start_ns=start_ns, seed=seed)
        self.arm = SimManipulator(self.base, slip_probability=slips, seed=seed)
        self._detector = detector if detector is not None else SegmentationDetector(world)
        self._watch = watch
        self._selector = KeyframeSelector(KEYFRAMES)
        self._frames = 0
        self._last_ns = -PERIOD_NS
        self._told_rooms_ns = start_ns
        self._pending: list[Future[Any]] = []
        self._noticed: deque[Seen] = deque(maxlen=NOTICED)
        self._cloud: FloatArray = np.empty((0, 3))
        self._looked: tuple[Frame, Pose] | None = None
        self.base.look_towards(0.0, DRIVING_TILT_RAD)
        self._localiser = self._map()
        self.navigator = GridNavigator(
            self.base, self._localiser, moved=self._moved,
            lifts=(world.plan.lift,) if world.plan.lift is not None else (),
        )  # fmt: skip
        self._tell_rooms()

    def _map(self) -> Localiser:
        folder = self.memory.folder / MAPS
        if folder.exists():
            return load_state(folder, start=self.world.plan.dock)
        return Localiser(start=self.world.plan.dock, heights_m=self.world.floors_z)

    def body(self) -> Body:
        """As a planner has it."""
        return Body(
            self.navigator, self, lambda: self.base.stamp_ns, self._wait, self.said.append,
            self.arm,
        )  # fmt: skip

    def sleep(self) -> None:
        """End the day: everything seen is on disk, and so is the map."""
        self.settle()
        self._tell_anchors()
        self._tell_rooms()
        save_state(self._localiser, self.memory.folder / MAPS)

    def settle(self) -> None:
        """Wait until everything seen so far is remembered."""
        pending, self._pending = self._pending, []
        if pending:
            self.memory.flush()
        for future in pending:
            future.result()

    def _wait(self, seconds: float) -> None:
        self.base.wait(seconds)
        self._perceive_in_time()

    # -- remembering ------------------------------------------------------------------------

    def _moved(self, where: Localisation, motion: Motion) -> None:
        self._tell_anchors()
        if motion.stamp_ns - self._told_rooms_ns >= ROOMS_PERIOD_NS:
            self._tell_rooms()
            save_state(self._localiser, self.memory.folder / MAPS)  # the power may go
        self._perceive_in_time()

    def _tell_anchors(self) -> None:
        """Bring the memory's anchors to where the map has them."""
        localiser = self._localiser
        for name, pose in localiser.new_anchors().items():
            self.memory.add_anchor(name, pose, map_id=localiser.map_id, reason="submap")
        moved = localiser.corrections()
        if moved:
            self.settle()
            self.memory.move_anchors(moved, map_id=localiser.map_id, reason="loop closure")
            self._tell_rooms()

    def _tell_rooms(self) -> None:
        """Tell the memory which rooms the map has by now."""
        self._told_rooms_ns = self.base.stamp_ns
        atlas = self._localiser.atlas
        plan = floor_plan(atlas.grids, atlas.heights_m, map_id=self._localiser.map_id)
        if plan is not None:
            self.navigator.floor_plan = plan
            self.memory.tell_floor_plan(plan)

    def _perceive_in_time(self) -> None:
        if self.base.stamp_ns - self._last_ns >= PERIOD_NS:
            self._perceive(keep=False)

    def _perceive(self, *, keep: bool) -> tuple[Seen, ...] | None:
        """Take a picture, say what is in it, and remember it if it is worth it.

        Args:
            keep: Remember it even if it is like the last one.

        Returns:
            What is in view; None where no picture came, or one that shows nothing.
        """
        self._last_ns = self.base.stamp_ns
        self._frames += 1
        begun = time.perf_counter()
        frame = self.world.camera.look(self.base.true_pose.compose(self.base.camera_pose))
        rendered = time.perf_counter()
        self.timings.render.append(rendered - begun)
        if frame is None or np.count_nonzero(frame.depth_m) < LEAST_SHOWN * frame.depth_m.size:
            return None
        self._watch(frame)
        where = self._localiser.where()
        camera = self.base.camera_pose
        things = [self._placed(found, frame) for found in self._detector(frame)]
        seen = self._seen(things, where, camera)
        self._noticed += seen
        self._looked = (frame, camera)
        self._map_obstacles(frame, where, camera)
        kept = self._selector.wants(self.base.stamp_ns, _in_anchor(where, camera), frame.image)
        perceived = time.perf_counter()
        self.timings.perceive.append(perceived - rendered)
        if kept or keep:
            sightings = tuple(
                sighting for sighting, (_, points) in things
                if sighting is not None and not self._own(camera.transform(points))
            )  # fmt: skip
            known = self._remember(frame, where, camera, sightings)
            self.timings.remember.append(time.perf_counter() - perceived)
            known.add_done_callback(
                lambda _: self.timings.known.append(time.perf_counter() - rendered)
            )
        return seen

    def _placed(
        self, found: Detection, frame: Frame
    ) -> tuple[Sighting | None, tuple[Detection, FloatArray]]:
        """A detection as a sighting in the camera's frame (None where it is cut), and its points."""
        points = back_project(frame.depth_m, frame.intrinsics, mask=thinned(found.mask))
        if len(points) < FEWEST_POINTS:
            return None, (found, points)
        centre, covariance, size = position_of(points)
        near = np.abs(points - np.array(centre)) <= np.array(size) / 2 + CLOUD_MARGIN_M
        points = points[near.all(axis=1)]
        if cut_off(found.mask):
            return None, (found, points)
        bearing = frame.intrinsics.bearing(*middle_of(found.mask))
        sighting = Sighting(
            found.label, position=centre, covariance=covariance, bearing=bearing, size=size,
            confidence=found.score,
        )  # fmt: skip
        return sighting, (found, points)

    def _own(self, cloud: FloatArray) -> bool:
        """Whether points, base frame, shape (n, 3), are on what the robot itself holds."""
        if not self.arm.holding:
            return False
        x, y, _ = cloud.mean(axis=0)
        return math.hypot(x, y) < HELD_WITHIN_M

    def _seen(
        self,
        things: list[tuple[Sighting | None, tuple[Detection, FloatArray]]],
        where: Localisation,
        camera: Pose,
    ) -> tuple[Seen, ...]:
        """What is in view, with its place in the map; nothing where the robot is not localised."""
        if where.map_pose is None:
            return ()
        seen = []
        for sighting, (found, points) in things:
            if len(points) < FEWEST_POINTS:
                continue
            cloud = camera.transform(points)
            if self._own(cloud):
                continue
            middle = cloud.mean(axis=0) if sighting is None or sighting.position is None else (
                np.array(camera.apply(*sighting.position)))  # fmt: skip
            x, y, z = where.map_pose.apply(*middle.tolist())
            seen.append(Seen(found.label, (x, y, z), cloud, found.score))
        return tuple(seen)

    def _map_obstacles(self, frame: Frame, where: Localisation, camera: Pose) -> None:
        if where.map_pose is None:
            return
        points = obstacles_in(frame.depth_m, frame.intrinsics)
        self._localiser.see(where.map_pose.compose(camera).transform(points))

    def _remember(
        self,
        frame: Frame,
        where: Localisation,
        camera: Pose,
        sightings: tuple[Sighting, ...],
    ) -> Future[Any]:
        view = view_of(frame.depth_m, frame.intrinsics, range_m=FAR_M)
        stamp_ns = self.base.stamp_ns
        observation = Observation(
            id=deterministic_id(self.session, "camera", stamp_ns, self._frames),
            stamp_ns=stamp_ns, source="camera", session=self.session, map_id=where.map_id,
            anchor_id=where.anchor_id, pose=_in_anchor(where, camera),
            covariance=where.covariance, localised=where.localised, sightings=sightings,
            keyframe=encode_jpeg(frame.image), extra={"view": view, "height_m": camera.z},
        )  # fmt: skip
        known = self.memory.submit(observation)
        self._pending.append(known)
        return known

    # -- Eyes -------------------------------------------------------------------------------

    def look(self, at: Vector3 | None = None) -> tuple[Seen, ...]:
        """See `Eyes.look`; the head turns there and back, and waits for a picture to come.

        Raises:
            SkillFailed: None came.
        """
        here = self._localiser.where().map_pose
        if at is not None and here is not None:
            self.base.look_towards(*towards(here, at))
        seen = None
        for _ in range(PICTURES):
            self.base.wait(PERIOD_NS * 1e-9)
            seen = self._perceive(keep=True)
            if seen is not None:
                break
        self.base.look_towards(0.0, DRIVING_TILT_RAD)
        self.settle()
        if seen is None:
            raise SkillFailed(
                f"my camera gave no picture for {PICTURES * PERIOD_NS * 1e-9:.0f} s; see whether "
                "it is covered or unplugged"
            )
        return seen

    def noticed(self) -> tuple[Seen, ...]:
        """See `Eyes.noticed`."""
        found = tuple(self._noticed)
        self._noticed.clear()
        return found

    def cloud(self) -> FloatArray:
        """See `Eyes.cloud`."""
        here = self._localiser.where().map_pose
        if self._looked is None or here is None:
            return np.empty((0, 3))
        frame, camera = self._looked
        some = np.zeros(frame.depth_m.shape, bool)
        some[::CLOUD_STRIDE, ::CLOUD_STRIDE] = True
        points = back_project(frame.depth_m, frame.intrinsics, mask=some)
        return here.compose(camera).transform(points)


def _in_anchor(where: Localisation, camera: Pose) -> Pose | None:
    return None if where.pose is None else where.pose.compose(camera)
