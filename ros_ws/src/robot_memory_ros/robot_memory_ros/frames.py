"""Where the robot's frames are, from `/tf`, odometry and camera_info, as they come."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from memory_core.errors import InputRejected, UnknownFrame
from memory_core.perception.camera import Intrinsics
from memory_core.recordings import messages as ros
from memory_core.recordings.base import Reading
from memory_core.recordings.transforms import JUMP_NS, TransformTree
from memory_core.types import Pose
from robot_memory_ros.trail import Jump

KEEP_NS = 30_000_000_000
STALE_NS = 5_000_000_000
LATE_S = 1.0
EXPECTED_S = 2.0
TOLD_M, TOLD_RAD = 0.001, 0.001


@dataclass(slots=True)
class _Run:
    """What was told between two settings of the clock."""

    transforms: TransformTree = field(default_factory=TransformTree)
    odometry: TransformTree = field(default_factory=TransformTree)


class LiveFrames:
    """Transforms of the last half minute, from which every message finds its place."""

    def __init__(
        self,
        *,
        map_frame: str,
        base_frame: str,
        reading: Reading,
        jump_m: float = 0.5,
        jump_rad: float = 0.2,
        jumped: Callable[[Jump], None] = lambda jump: None,
    ) -> None:
        """
        Know nothing yet.

        :param map_frame: The fixed frame wanted.
        :param base_frame: The robot's frame; empty: what the odometry moves.
        :param reading: Where transforms that cannot be used are counted.
        :param jump_m: The map moved the robot at once by more than this, metres: a correction.
        :param jump_rad: Or turned it by more than this, radians.
        :param jumped: Called with each, before any pose is looked up by it.
        """
        self._map_frame = map_frame
        self._base_frame = base_frame
        self._reading = reading
        self._jump_m, self._jump_rad = jump_m, jump_rad
        self._jumped = jumped
        self._runs = {0: _Run()}
        self._before_ns: int | None = None  # the clock's last stamp before it was set back
        self._set_back_s = 0.0
        self._expected_until_s = 0.0
        self._odometry_frames: tuple[str, str] | None = None
        self._cameras: dict[str, Intrinsics] = {}
        self._lock = threading.RLock()
        self._taken = 0
        self.run = 0
        self.steady = threading.RLock()
        """Held by whoever needs a place and what it is relative to to belong together."""

    @property
    def _tree(self) -> TransformTree:
        with self._lock:
            return self._runs[self.run].transforms

    @property
    def _odometry(self) -> TransformTree:
        with self._lock:
            return self._runs[self.run].odometry

    @property
    def base(self) -> str | None:
        """Tell the robot's frame; None while nothing named it."""
        if self._base_frame:
            return self._base_frame
        if self._odometry_frames is not None:
            return self._odometry_frames[1]
        names = ('base_link', 'base_footprint', 'base')
        with self._lock:
            known = self._tree.frames
        return next((name for name in names if name in known), None)

    @property
    def fixed(self) -> str | None:
        """
        Tell the fixed frame: the map where the robot is localised, else the odometry's.

        A map whose transforms stopped while the robot's went on localises nobody any more, nor
        does one while somebody has just said that the robot is elsewhere.
        """
        base = self.base
        if base is None:
            return None
        with self._lock:
            chain = self._tree.chain(base)
            odometry = self._below_map(chain)
            if odometry == base:
                return self._map_frame
            if odometry is not None:
                lost = self._stale(odometry, base) or time.monotonic() < self._expected_until_s
                return odometry if lost else self._map_frame
        if self._odometry_frames is not None:
            return self._odometry_frames[0]
        return chain[-1] if len(chain) > 1 else None

    @property
    def odometry(self) -> str | None:
        """Tell the odometry's frame, which a map corrects; None where there is none."""
        base = self.base
        if base is None:
            return None
        with self._lock:
            chain = self._tree.chain(base)
        below = self._below_map(chain)
        if below is None:
            return self._odometry_frames[0] if self._odometry_frames else chain[-1]
        return None if below == base else below

    def _below_map(self, chain: list[str]) -> str | None:
        if self._map_frame not in chain[1:]:
            return None
        return chain[chain.index(self._map_frame) - 1]

    def _stale(self, odometry: str, base: str) -> bool:
        """Tell whether the map's transforms lie far behind those of the odometry."""
        newest = self._tree.covered(odometry, base)
        told = self._tree.covered(self._map_frame, base)
        return newest is not None and (told is None or newest - told > STALE_NS)

    def in_map(self, fixed: str | None) -> bool:
        """Tell whether a fixed frame is the map."""
        return fixed == self._map_frame

    @property
    def by_transforms(self) -> bool:
        """Whether `/tf` tells where the robot is, so that odometry need not."""
        base, fixed = self.base, self.fixed
        if base is None or fixed is None:
            return False
        with self._lock:
            return fixed in self._tree.chain(base)[1:]

    @property
    def missing(self) -> str | None:
        """Which transform a place in the map waits for, in words; None where there is one."""
        base, wanted = self.base, self._map_frame
        if base is None:
            return 'nothing tells of the robot: no odometry, and no transform of its frame'
        with self._lock:
            chain = self._tree.chain(base)
            odometry = self._below_map(chain)
        if odometry is not None:
            stopped = odometry != base and self._stale(odometry, base)
            return f'{wanted!r} to {odometry!r} stopped coming' if stopped else None
        if self._odometry_frames is not None and self._odometry_frames[0] == wanted:
            return None
        return f'no transform leads from {wanted!r} to {chain[-1]!r}, so nothing has a place in it'

    def expect_jump(self) -> None:
        """Somebody says where the robot is: until the map follows it is not localised."""
        self._expected_until_s = time.monotonic() + EXPECTED_S

    # -- what comes -----------------------------------------------------------------------------

    def take_transforms(self, message: Any, *, static: bool) -> list[int]:
        """
        Take a tf2_msgs/TFMessage.

        Returns stamps at which the robot moved: its own frame, or one that it hangs below, such
        as a footprint; the map's correction of the odometry is none.
        """
        moved = []
        for entry in message.transforms:
            parent, child = entry.header.frame_id.lstrip('/'), entry.child_frame_id.lstrip('/')
            try:
                pose = ros.transform_of(entry.transform)
            except InputRejected as error:
                self._reading.refuse(f'/tf {parent!r} → {child!r}', error)
                continue
            stamp_ns = ros.stamp_ns(entry.header.stamp)
            if static:
                with self._lock:
                    self._tree.add(parent, child, stamp_ns, pose, static=True)
                continue
            if self._of_before(stamp_ns):
                continue
            self._set_back(self._tree, child, stamp_ns)
            if parent == self._map_frame and child == self.odometry:
                self._correct(child, stamp_ns, pose)
            with self._lock:
                self._tree.add(parent, child, stamp_ns, pose, static=False)
            moved.append((child, stamp_ns))
            self._prune(stamp_ns)
        own = self._moving_it()
        return [stamp_ns for child, stamp_ns in moved if child in own]

    def _moving_it(self) -> set[str]:
        """Tell with which frames the robot moves."""
        base = self.base
        if base is None:
            return set()
        with self._lock:
            return set(self._tree.chain(base)) - {self.odometry}

    def take_odometry(self, message: Any) -> None:
        """Take a nav_msgs/Odometry."""
        frames = (
            message.header.frame_id.lstrip('/') or 'odom',
            message.child_frame_id.lstrip('/') or 'base_link',
        )
        if self._odometry_frames is None:
            self._odometry_frames = frames
        stamp_ns = ros.stamp_ns(message.header.stamp)
        if frames != self._odometry_frames or self._of_before(stamp_ns):
            return
        self._set_back(self._odometry, frames[1], stamp_ns)
        pose = ros.pose_of(message.pose.pose)
        with self._lock:
            self._odometry.add(*frames, stamp_ns, pose, static=False)
        self._prune(stamp_ns)

    def take_camera(self, message: Any) -> None:
        """Take a sensor_msgs/CameraInfo."""
        self._cameras.setdefault(message.header.frame_id, ros.intrinsics_of(message))

    def _of_before(self, stamp_ns: int) -> bool:
        """Tell whether a stamp is one of before the clock was set back, come late."""
        late = self._before_ns is not None and time.monotonic() < self._set_back_s + LATE_S
        return late and abs(stamp_ns - self._before_ns) < JUMP_NS

    def _set_back(self, tree: TransformTree, child: str, stamp_ns: int) -> None:
        """
        See whether a clock was set back: the robot's begins a run, any other counts for itself.

        A clock that one publisher sets back is its own affair: it must not part a day in two.
        """
        newest = tree.newest(child)
        if newest is None or stamp_ns >= newest[0] - JUMP_NS or tree.is_static(child):
            return
        base = self.base
        with self._lock:
            if base is None or child not in tree.chain(base):
                tree.drop(child)
                return
            run = _Run()
            for parent, frame, pose in self._tree.statics():
                run.transforms.add(parent, frame, 0, pose, static=True)
            self._runs = {self.run: self._runs[self.run], self.run + 1: run}
            self.run += 1
        self._before_ns, self._set_back_s = newest[0], time.monotonic()

    def _correct(self, odometry: str, stamp_ns: int, pose: Pose) -> None:
        """See whether the map puts the robot elsewhere, and correct what is looked up later."""
        newest, base = self._tree.newest(odometry), self.base
        if newest is None or base is None or stamp_ns <= newest[0]:
            return
        with self._lock:
            at = self._tree.covered(odometry, base)
            robot = Pose() if at is None else self._tree.lookup(odometry, base, at)
        told = time.monotonic() < self._expected_until_s
        jump = Jump(newest[1], pose, robot, told)
        least = (TOLD_M, TOLD_RAD) if told else (self._jump_m, self._jump_rad)
        if jump.metres <= least[0] and jump.radians <= least[1]:
            return
        with self.steady:
            self._expected_until_s = 0.0
            self._jumped(jump)
            with self._lock:
                self._tree.amend(odometry, jump.correction)

    def _prune(self, stamp_ns: int) -> None:
        self._taken += 1
        if self._taken % 1_000 == 0:
            with self._lock:
                self._tree.prune(stamp_ns - KEEP_NS)
                self._odometry.prune(stamp_ns - KEEP_NS)

    # -- what is asked --------------------------------------------------------------------------

    def _of(self, run: int) -> _Run:
        """Tell what was known in a run; of one long past, what is known now."""
        return self._runs.get(run, self._runs[self.run])

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
            known = self._of(run)
            robot = known.transforms.covered(fixed, base)
            if robot is None and self._odometry_frames and self._odometry_frames[0] == fixed:
                robot = self._covered_by_odometry(known, base)
            if robot is None or frame in ('', base):
                return robot
            sensor = known.transforms.covered(base, frame)
        return None if sensor is None else min(robot, sensor)

    def _covered_by_odometry(self, known: _Run, base: str) -> int | None:
        """Tell up to when odometry, and what lies between it and the robot's frame, is known."""
        assert self._odometry_frames is not None
        fixed, moved = self._odometry_frames
        robot = known.odometry.covered(fixed, moved)
        if robot is None or moved == base:
            return robot
        rest = known.transforms.covered(moved, base)
        return None if rest is None else min(robot, rest)

    def odometry_in_map(self, stamp_ns: int, *, run: int) -> Pose | None:
        """Tell where the odometry's frame was in the map; None where nobody knows."""
        odometry = self.odometry
        if odometry is None:
            return None
        try:
            with self._lock:
                return self._of(run).transforms.lookup(self._map_frame, odometry, stamp_ns)
        except UnknownFrame:
            return None

    # -- what a perceiver asks (memory_core.recordings.perceiver.Placed) ------------------------

    def pose(self, stamp_ns: int, *, run: int, fixed: str | None = None) -> Pose | None:
        """See `Placed.pose`; in a fixed frame that was chosen before, where one is given."""
        base, fixed = self.base, fixed or self.fixed
        try:
            if base is None or fixed is None:
                raise UnknownFrame('no transforms and no odometry have come yet')
            with self._lock:
                known = self._of(run)
                try:
                    return known.transforms.lookup(fixed, base, stamp_ns)
                except UnknownFrame:
                    if self._odometry_frames is None or self._odometry_frames[0] != fixed:
                        raise
                    moved = self._odometry_frames[1]
                    at = known.odometry.lookup(fixed, moved, stamp_ns, tolerance_ns=0)
                    if moved == base:
                        return at
                    return at.compose(known.transforms.lookup(moved, base, stamp_ns))
        except UnknownFrame as error:
            self._reading.refuse(f'pose at {stamp_ns} ns', error)
            return None

    def in_base(self, frame: str, stamp_ns: int, *, run: int) -> Pose:
        """See `Placed.in_base`."""
        base = self.base
        if base is None or frame.lstrip('/') == base:
            return Pose()
        with self._lock:
            return self._of(run).transforms.lookup(base, frame, stamp_ns)

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
        self._last_s: dict[str, float] = {}

    def refuse(self, where: str, error: InputRejected) -> None:
        """Count an input that cannot be used."""
        self.counts[error.code] += 1
        self.last[error.code] = f'{where}: {error}'
        self._last_s[error.code] = time.monotonic()

    def recent(self, seconds: float) -> dict[str, str]:
        """Tell what could not be used lately, by code, in its last words."""
        since = time.monotonic() - seconds
        return {code: self.last[code] for code, at in list(self._last_s.items()) if at >= since}
