"""
The way a robot went, in stretches that move when it learns that it was elsewhere.

What is observed is kept relative to an anchor of the stretch it was observed on. Where `map` →
`odom` jumps, the stretches behind move too, in the memory as well, so that no place stays wrong.
"""

from __future__ import annotations

import bisect
import threading
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from memory_core.geometry import angle_between, slerp
from memory_core.recordings.transforms import interpolate
from memory_core.types import Pose, Vector3

STRETCH_M = 10.0
LOST = 5.0
"""A jump beyond so many times what odometry drifts is none of drift: the robot was elsewhere."""
STILL = np.array((0.0, 0.0, 0.0, 1.0))
MOVED_M = 0.01
MOVED_RAD = 0.005


@dataclass(frozen=True, slots=True)
class Jump:
    """
    A new pose of the odometry's frame in the map.

    :param old: The odometry's frame in the map before.
    :param new: And from now on.
    :param robot: The robot in the odometry's frame.
    :param told: Whether somebody said where the robot is (`/initialpose`).
    """

    old: Pose
    new: Pose
    robot: Pose
    told: bool = False

    @property
    def shift(self) -> Vector3:
        """How far the robot was from where it was thought to be, metres in the map."""
        new, old = self.new.compose(self.robot), self.old.compose(self.robot)
        return (new.x - old.x, new.y - old.y, new.z - old.z)

    @property
    def metres(self) -> float:
        """Tell the length of the shift."""
        return float(np.linalg.norm(self.shift))

    @property
    def radians(self) -> float:
        """How far it was turned away from what was thought."""
        return angle_between(np.array(self.new.quaternion), np.array(self.old.quaternion))

    @property
    def size_m(self) -> float:
        """How wrong things a metre or so away were placed: shift and turn together, metres."""
        return self.metres + self.radians

    @property
    def correction(self) -> Pose:
        """Make what takes a place that was given by `old` to where it is."""
        return self.new.compose(self.old.inverse())


@dataclass(slots=True)
class Stretch:
    """
    A piece of the way that moves as one.

    :param anchor: Its anchor's name in the memory.
    :param pose: The anchor in the map.
    :param localised: Whether it was known where the robot was.
    :param begun_m: How far the robot had come when it began, metres.
    :param first_ns: When.
    :param first: And where, from the anchor.
    """

    anchor: str
    pose: Pose
    localised: bool
    begun_m: float
    first_ns: int
    first: Pose


class Trail:
    """Names an anchor for everything observed, and says where anchors go when the map moves."""

    def __init__(self, *, drift: float, keep: bool = False) -> None:
        """
        Begin.

        :param drift: How far odometry goes wrong, metres a metre.
        :param keep: Leave what was remembered where a robot turns out to be elsewhere: it was
            carried there.
        """
        self._drift = drift
        self._keep = keep
        self._lock = threading.Lock()
        self._moves: dict[str, Pose] = {}
        self._reasons: list[str] = []
        self.begin('')

    def begin(self, session: str) -> None:
        """Begin a session: no transform of before says anything about it."""
        with self._lock:
            self._session = f'{session}.{uuid.uuid4().hex[:8]}'
            self._way: list[Stretch] = []
            self._fixed = 0  # number of the first stretch after the last correction
            self._apart = True  # the next observation begins a stretch
            self._travelled_m = 0.0
            self._last: tuple[int, Vector3] | None = None
            self._odometry: Pose | None = None

    def place(
        self, stamp_ns: int, pose: Pose | None, *, frame: str, odometry: Pose | None
    ) -> tuple[Stretch, Pose | None]:
        """
        Find the stretch of an observation, and where the robot was from its anchor.

        :param stamp_ns: When it was made.
        :param pose: The robot in the map where it is localised, else in the odometry's frame;
            None where nobody knows.
        :param frame: Name of the odometry's frame.
        :param odometry: The odometry's frame in the map then; None where it is not localised.
        """
        localised = odometry is not None
        with self._lock:
            in_odometry = pose
            if odometry is not None and pose is not None:
                in_odometry = odometry.inverse().compose(pose)
            self._travel(stamp_ns, in_odometry)
            if odometry is not None:
                if self._odometry is None:
                    self._find(odometry)
                self._odometry = odometry
            stretch = self._way[-1] if self._way else None
            if (
                stretch is None or self._apart or stretch.localised != localised
                or (localised and self._travelled_m - stretch.begun_m > STRETCH_M)
            ):  # fmt: skip
                anchor = f'{frame}@{self._session}/{len(self._way) + 1}'
                at = odometry or self._odometry or Pose()
                stretch = Stretch(
                    anchor, at, localised, self._travelled_m, stamp_ns, in_odometry or Pose()
                )
                self._way.append(stretch)
                self._apart = False
            if pose is None or odometry is None:
                return stretch, pose
            return stretch, stretch.pose.inverse().compose(pose)

    def _travel(self, stamp_ns: int, pose: Pose | None) -> None:
        if pose is None or (self._last is not None and stamp_ns <= self._last[0]):
            return
        if self._last is not None:
            self._travelled_m += float(np.linalg.norm(np.subtract(pose.position, self._last[1])))
        self._last = stamp_ns, pose.position

    def part(self) -> None:
        """Begin a stretch with the next observation: the map moves between it and the last."""
        with self._lock:
            self._apart = True

    # -- corrections ----------------------------------------------------------------------------

    def _find(self, odometry: Pose) -> None:
        """Put what was observed before the map was known into it."""
        for stretch in self._way:
            self._move(stretch, odometry.compose(stretch.pose))
        if self._way:
            self._reasons.append('localised')
        self._fix()

    def jump(self, jump: Jump) -> str:
        """
        Move what lies behind; returns what was done, in words.

        Drift is taken out over the way on which it came about (trajectory bending, Dubbelman and
        Browning 2015): each stretch takes its share, first of the turn, then of the shift that is
        left. A robot that was further off than odometry drifts had been lost: everything since it
        was last corrected moves as one.
        """
        with self._lock:
            fixed = self._fixed
            since = self._way[fixed:]
            begun_m = since[0].begun_m if since else self._travelled_m
            way_m = self._travelled_m - begun_m
            lost = jump.told or jump.size_m > LOST * self._drift * way_m
            far = f'{jump.metres:.2f} m and {jump.radians:.2f} rad away'
            if lost and self._keep:
                done = f'the robot is {far} from where it was thought to be; nothing moved'
            elif lost:
                for stretch in since:
                    self._move(stretch, jump.correction.compose(stretch.pose))
                done = f'the robot was {far}: what it observed since its last correction moved'
            else:
                bent_m = min(jump.size_m / self._drift, way_m)
                self._bend(since, jump, self._travelled_m - bent_m)
                done = f'the robot had drifted {far}: the last {bent_m:.0f} m of its way were bent'
            self._reasons.append(done)
            self._fix()
            self._odometry = jump.new
        return done

    def _bend(self, since: Sequence[Stretch], jump: Jump, from_m: float) -> None:
        """Turn each step of the way by its share, then shift what is left at the end likewise."""
        turn = np.array(jump.correction.quaternion)
        begun_m = np.array([*(stretch.begun_m for stretch in since), self._travelled_m])
        shares = np.clip((begun_m - from_m) / max(self._travelled_m - from_m, 1e-9), 0.0, 1.0)
        starts = [stretch.pose.compose(stretch.first).position for stretch in since]
        steps = np.diff([*starts, jump.old.compose(jump.robot).position], axis=0)
        turns = [
            Pose(0.0, 0.0, 0.0, *map(float, slerp(STILL, turn, float(share))))
            for share in (shares[:-1] + shares[1:]) / 2
        ]
        turned = [by.apply(*step) for by, step in zip(turns, steps, strict=True)]
        put = np.cumsum([starts[0], *turned], axis=0)
        left = np.array(jump.new.compose(jump.robot).position) - put[-1]
        for number, stretch in enumerate(since):
            if shares[number + 1] > 0:
                by = turns[number]
                at = put[number] + shares[number] * left - np.array(by.apply(*starts[number]))
                self._move(stretch, Pose(*map(float, at), *by.quaternion).compose(stretch.pose))

    def _fix(self) -> None:
        self._fixed = len(self._way)
        self._apart = True

    def _move(self, stretch: Stretch, pose: Pose) -> None:
        stretch.pose = pose
        self._moves[stretch.anchor] = pose

    def follow(self, path: Sequence[tuple[int, Pose]]) -> int:
        """
        Move every stretch to where a corrected path has it; returns how many moved.

        :param path: Stamps and poses of the robot in the map, in order of time.
        """
        stamps = [stamp_ns for stamp_ns, _ in path]
        moved = 0
        with self._lock:
            for stretch in self._way:
                after = bisect.bisect_left(stamps, stretch.first_ns)
                if after == len(stamps) or (after == 0 and stamps[0] != stretch.first_ns):
                    continue
                (begun, start), (ended, end) = path[max(after - 1, 0)], path[after]
                share = (stretch.first_ns - begun) / (ended - begun) if ended > begun else 0.0
                pose = interpolate(start, end, share).compose(stretch.first.inverse())
                if _differ(pose, stretch.pose):
                    self._move(stretch, pose)
                    moved += 1
            if moved:
                self._reasons.append('a corrected path')
                self._fix()
        return moved

    def take_moves(self) -> tuple[dict[str, Pose], str]:
        """Take what moved since this was last asked, and why."""
        with self._lock:
            moves, self._moves = self._moves, {}
            reasons, self._reasons = self._reasons, []
        return moves, '; '.join(reasons)


def _differ(one: Pose, other: Pose) -> bool:
    return bool(
        np.linalg.norm(np.subtract(one.position, other.position)) > MOVED_M
        or angle_between(np.array(one.quaternion), np.array(other.quaternion)) > MOVED_RAD
    )
