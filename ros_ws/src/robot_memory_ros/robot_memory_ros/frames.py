"""Where the robot's frames are, from `/tf`, odometry and camera_info, as they come."""

from __future__ import annotations

import threading
from collections import Counter
from typing import Any

from memory_core.errors import InputRejected, UnknownFrame
from memory_core.perception.camera import Intrinsics
from memory_core.recordings import messages as ros
from memory_core.recordings.base import Reading
from memory_core.recordings.transforms import TransformTree
from memory_core.types import Pose

KEEP_NS = 30_000_000_000
STALE_NS = 5_000_000_000


class LiveFrames:
    """Transforms of the last half minute, from which every message finds its place."""

    def __init__(self, *, map_frame: str, base_frame: str, reading: Reading) -> None:
        """
        Know nothing yet.

        :param map_frame: The fixed frame wanted.
        :param base_frame: The robot's frame; empty: what the odometry moves.
        :param reading: Where transforms that cannot be used are counted.
        """
        self._map_frame = map_frame
        self._base_frame = base_frame
        self._reading = reading
        self._tree = TransformTree()
        self._odometry = TransformTree()
        self._odometry_frames: tuple[str, str] | None = None
        self._cameras: dict[str, Intrinsics] = {}
        self._lock = threading.RLock()
        self._taken = 0
        self.run = 0

    @property
    def base(self) -> str | None:
        """Tell the robot's frame; None while nothing named it."""
        if self._base_frame:
            return self._base_frame
        if self._odometry_frames is not None:
            return self._odometry_frames[1]
        names = ('base_link', 'base_footprint', 'base')
        return next((name for name in names if name in self._tree.frames), None)

    @property
    def fixed(self) -> str | None:
        """
        Tell the fixed frame: the map where the robot is localised, else the odometry's.

        A map whose transforms stopped while the robot's went on localises nobody any more.
        """
        base = self.base
        if base is None:
            return None
        with self._lock:
            chain = self._tree.chain(base)
            if self._map_frame in chain:
                place = chain.index(self._map_frame)
                if place < 2 or not self._stale(chain[place - 1], base):
                    return self._map_frame
                return chain[place - 1]
        if self._odometry_frames is not None:
            return self._odometry_frames[0]
        return chain[-1] if len(chain) > 1 else None

    def _stale(self, odometry: str, base: str) -> bool:
        """Tell whether the map's transforms lie far behind those of the odometry."""
        newest = self._tree.covered(odometry, base, run=self.run)
        told = self._tree.covered(self._map_frame, base, run=self.run)
        return newest is not None and (told is None or newest - told > STALE_NS)

    def in_map(self, fixed: str | None) -> bool:
        """Tell whether a fixed frame is the map."""
        return fixed == self._map_frame

    @property
    def by_transforms(self) -> bool:
        """Whether `/tf` tells where the robot is, so that odometry need not."""
        base = self.base
        return base is not None and self._tree.parent(base) is not None

    def take_transforms(self, message: Any, *, static: bool) -> list[int]:
        """Take a tf2_msgs/TFMessage; returns stamps at which the robot's own frames moved."""
        moved = []
        for entry in message.transforms:
            try:
                pose = ros.transform_of(entry.transform)
            except InputRejected as error:
                where = f'/tf {entry.header.frame_id!r} → {entry.child_frame_id!r}'
                self._reading.refuse(where, error)
                continue
            stamp_ns = ros.stamp_ns(entry.header.stamp)
            with self._lock:
                run = self._tree.add(
                    entry.header.frame_id, entry.child_frame_id, stamp_ns, pose, static=static
                )
                self.run = max(self.run, run)
            if not static:
                moved.append(stamp_ns)
                self._prune(stamp_ns)
        return moved

    def take_odometry(self, message: Any) -> None:
        """Take a nav_msgs/Odometry."""
        frames = (
            message.header.frame_id.lstrip('/') or 'odom',
            message.child_frame_id.lstrip('/') or 'base_link',
        )
        if self._odometry_frames is None:
            self._odometry_frames = frames
        if frames == self._odometry_frames:
            stamp_ns = ros.stamp_ns(message.header.stamp)
            with self._lock:
                run = self._odometry.add(
                    *frames, stamp_ns, ros.pose_of(message.pose.pose), static=False
                )
                self.run = max(self.run, run)
            self._prune(stamp_ns)

    def take_camera(self, message: Any) -> None:
        """Take a sensor_msgs/CameraInfo."""
        self._cameras.setdefault(message.header.frame_id, ros.intrinsics_of(message))

    def _prune(self, stamp_ns: int) -> None:
        self._taken += 1
        if self._taken % 1_000 == 0:
            with self._lock:
                self._tree.prune(stamp_ns - KEEP_NS)
                self._odometry.prune(stamp_ns - KEEP_NS)

    def covered(self, frame: str, *, run: int) -> int | None:
        """
        Tell up to which moment it is known where the robot and a frame were; None: never yet.

        :param frame: A sensor's frame; empty: the robot's alone matters.
        :param run: How often the clock was set back before that moment.
        """
        base, fixed = self.base, self.fixed
        if base is None or fixed is None:
            return None
        with self._lock:
            robot = self._tree.covered(fixed, base, run=run)
            if robot is None and self._odometry_frames == (fixed, base):
                robot = self._odometry.covered(fixed, base, run=run)
            if robot is None or frame in ('', base):
                return robot
            sensor = self._tree.covered(base, frame, run=run)
        return None if sensor is None else min(robot, sensor)

    # -- what a perceiver asks (memory_core.recordings.perceiver.Placed) ------------------------

    def pose(self, stamp_ns: int, *, run: int, fixed: str | None = None) -> Pose | None:
        """See `Placed.pose`; in a fixed frame that was chosen before, where one is given."""
        base, fixed = self.base, fixed or self.fixed
        try:
            if base is None or fixed is None:
                raise UnknownFrame('no transforms and no odometry have come yet')
            with self._lock:
                try:
                    return self._tree.lookup(fixed, base, stamp_ns, run=run)
                except UnknownFrame:
                    if self._odometry_frames != (fixed, base):
                        raise
                    return self._odometry.lookup(fixed, base, stamp_ns, tolerance_ns=0, run=run)
        except UnknownFrame as error:
            self._reading.refuse(f'pose at {stamp_ns} ns', error)
            return None

    def in_base(self, frame: str, stamp_ns: int, *, run: int) -> Pose:
        """See `Placed.in_base`."""
        base = self.base
        if base is None or frame.lstrip('/') == base:
            return Pose()
        with self._lock:
            return self._tree.lookup(base, frame, stamp_ns, run=run)

    def camera(self, frame: str) -> Intrinsics | None:
        """See `Placed.camera`."""
        return self._cameras.get(frame)


class Pinned:
    """`LiveFrames` with the fixed frame chosen once for every message (`Placed`)."""

    def __init__(self, frames: LiveFrames) -> None:
        """Choose with `choose`."""
        self._frames = frames
        self.fixed: str | None = None

    def choose(self) -> str | None:
        """Choose the fixed frame of the next message."""
        self.fixed = self._frames.fixed
        return self.fixed

    def pose(self, stamp_ns: int, *, run: int) -> Pose | None:
        """See `Placed.pose`."""
        return self._frames.pose(stamp_ns, run=run, fixed=self.fixed)

    def in_base(self, frame: str, stamp_ns: int, *, run: int) -> Pose:
        """See `Placed.in_base`."""
        return self._frames.in_base(frame, stamp_ns, run=run)

    def camera(self, frame: str) -> Intrinsics | None:
        """See `Placed.camera`."""
        return self._frames.camera(frame)


class Tally(Reading):
    """What could not be used, counted by code; the last words of each are kept."""

    def __init__(self) -> None:
        """Count from zero."""
        super().__init__()
        self.counts: Counter[str] = Counter()
        self.last: dict[str, str] = {}

    def refuse(self, where: str, error: InputRejected) -> None:
        """Count an input that cannot be used."""
        self.counts[error.code] += 1
        self.last[error.code] = f'{where}: {error}'
