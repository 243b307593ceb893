"""What was truly in view of a robot, and where it truly was: for scoring alone."""

from __future__ import annotations

import itertools
from bisect import bisect_left
from collections import defaultdict

import numpy as np

from memory_core.types import Pose
from memory_sim.perceiving import CUT_MARGIN_PX
from memory_sim.robot import HouseRobot
from memory_sim.worlds.home.camera import Frame
from memory_sim.worlds.home.scene import owners_in
from memory_sim.worlds.home.world import World

PIXELS = 40
FRAMES = 3
"""A thing was seen that was in view with so many pixels in so many frames."""


class Witness:
    """Watches a robot; give `see` to it, and it to `follow`.

    Attributes:
        path: When the camera was where, map, one a frame.
    """

    def __init__(self, world: World) -> None:
        """Watch nobody yet.

        Args:
            world: The home.
        """
        self._names = [owner.id if owner is not None else "" for owner in owners_in(world)]
        self._robot: HouseRobot | None = None
        self._moments: defaultdict[str, list[int]] = defaultdict(list)
        self._plan = world.plan
        self.path: list[tuple[int, Pose]] = []

    def follow(self, robot: HouseRobot) -> None:
        """Watch a robot from now on."""
        self._robot = robot

    def see(self, frame: Frame) -> None:
        """Note what is in a frame as a whole, errors of the detector left aside."""
        if self._robot is None:
            return
        stamp_ns, margin = self._robot.base.stamp_ns, CUT_MARGIN_PX
        self.path.append((stamp_ns, frame.camera_pose))
        counts = np.bincount(frame.owners.ravel(), minlength=len(self._names))
        inner = frame.owners[margin:-margin, margin:-margin]
        whole = counts == np.bincount(inner.ravel(), minlength=len(self._names))
        for number in np.flatnonzero(whole & (counts >= PIXELS)):
            if self._names[number]:
                self._moments[self._names[number]].append(stamp_ns)

    def seen(self, name: str) -> bool:
        """Whether a thing or a piece of furniture was in view long enough."""
        return len(self._moments[name]) >= FRAMES

    def first_ns(self, name: str) -> int:
        """When something that was seen was in view first."""
        return self._moments[name][0]

    def camera_at(self, stamp_ns: int) -> Pose:
        """Where the camera was in the frame at a moment, or next after it."""
        place = bisect_left(self.path, stamp_ns, key=lambda step: step[0])
        return self.path[min(place, len(self.path) - 1)][1]

    def stays_s(self) -> dict[str, float]:
        """How long the camera was in each room, seconds, by the room's name."""
        found: defaultdict[str, float] = defaultdict(float)
        for (begun_ns, pose), (end_ns, _) in itertools.pairwise(self.path):
            room = self._plan.room_at(pose.x, pose.y)
            if room is not None:
                found[room.name] += (end_ns - begun_ns) * 1e-9
        return dict(found)
