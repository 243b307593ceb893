"""The arm's movements: inverse kinematics, ways around what is in between, and carrying them out.

Poses of the tool are in the base's frame: the point between the fingertips, z out of the hand, y
along the fingers' closing.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from memory_core.planning.body import Interrupted
from memory_core.types import FloatArray, Pose, Vector3
from memory_sim.worlds.home.base import SimBase
from memory_sim.worlds.home.joint_paths import between, connect, is_free
from memory_sim.worlds.home.robot import HIGH, LOW, SPEED, Contact, Part
from memory_sim.worlds.home.robot_model import LIFT_MOUNT

STOWED = np.array([0.063, 0.956, -0.083, -0.071, -2.854, 0.503, 1.909, -0.245])
"""Folded within the circle of the base."""
_STEP = np.array([0.03, *[0.08] * 7])
_STRAIGHT_STEP_M = 0.02
_PIECE_S = 0.2
_LEAP_RAD = 0.6
_ALIKE = 0.15
_LEVEL_RAD = 0.9
_UNFOLDED_LEANS = (-0.3, 0.2, -0.6)
_RAISED_ARM = (0.0, 0.15, 0.2, -1.6, 0.0, 1.75, 0.785)
_BENT_ARM = (0.0, -0.785, 0.0, -2.356, 0.0, 1.571, 0.785)
_POSTURES = (
    (0.75, _RAISED_ARM), (0.5, _RAISED_ARM), (0.35, _BENT_ARM), (0.6, _BENT_ARM), (0.22, _BENT_ARM),
    (0.4, (0.9, 0.95, -0.65, -1.95, -2.3, 2.4, 0.6)),
    (0.95, (0.8, -0.35, -0.5, -1.7, -1.3, 2.75, -1.1)),
    (0.4, (-0.9, 0.95, 0.65, -1.95, 2.3, 2.4, 0.97)),
    (0.6, (0.9, 0.95, -0.65, -1.95, -2.3, 2.4, 0.6)),
    (0.95, (-0.8, -0.35, 0.5, -1.7, 1.3, 2.75, 2.67)),
)  # fmt: skip
"""Seeds: how far the lift stays below the tool, and the arm; first the elbow up, then sideways."""
_WITHIN_M, _WITHIN_RAD = 0.002, 0.01
_GRAZED_M = 0.001


@dataclass(frozen=True, slots=True)
class Reach:
    """A way to bring the tool to a pose: first to a point before it, then straight in."""

    way: list[FloatArray]
    last: list[FloatArray]
    tool: Pose


def tool_pose(position: Vector3, approach: FloatArray, closing: FloatArray) -> Pose:
    """The pose of a tool that comes along one unit vector and closes along another."""
    turn = np.eye(4)
    turn[:3, 0], turn[:3, 1], turn[:3, 2] = np.cross(closing, approach), closing, approach
    turn[:3, 3] = position
    return Pose.from_matrix(turn)


class SimArm:
    """Moves the arm of a simulated robot; time passes on the base's clock."""

    def __init__(self, base: SimBase, *, seed: int = 0) -> None:
        """Take over the arm, and fold it.

        Args:
            base: Whose robot it is.
            seed: Of the search for ways.
        """
        self._base, self.robot = base, base.robot
        self._random = np.random.default_rng(seed)
        self.robot.configure(STOWED)

    @property
    def joints(self) -> FloatArray:
        """The configuration, shape (8,): lift (metres), then seven angles (radians)."""
        return self.robot.joints

    def tool(self) -> Pose:
        """Where the tool is, base frame."""
        return self.robot.pose.inverse().compose(self.robot.tool())

    def solutions(self, tool: Pose) -> Iterator[FloatArray]:
        """Configurations within the limits that bring the tool to a pose, one lift after another.

        Args:
            tool: In the base's frame.
        """
        found: list[FloatArray] = []
        for seed in _seeds(tool):
            joints = self.solve(tool, seed)
            if joints is None or any(np.max(np.abs(joints - q)) < _ALIKE for q in found):
                continue
            found.append(joints)
            yield joints

    def solve(self, tool: Pose, seed: FloatArray) -> FloatArray | None:
        """PyBullet's inverse kinematics from one seed, checked by forward kinematics.

        Args:
            tool: In the base's frame.
            seed: Configuration to begin from and to stay near, shape (8,).

        Returns:
            Within 2 mm and 0.01 rad of the pose; None where that was not reached.
        """
        here, now = self.robot.pose, self.joints
        joints = seed
        self.robot.stand(Pose())  # PyBullet's inverse kinematics is right at the origin alone
        try:
            for _ in range(10):
                joints = np.clip(self.robot.towards(tool, joints), LOW, HIGH)
                self.robot.configure(joints)
                if _meets(self.robot.tool(), tool):
                    return joints
            return None
        finally:
            self.robot.configure(now)
            self.robot.stand(here)

    def free(self, joints: FloatArray, *, apart_from: frozenset[int] = frozenset()) -> bool:
        """Whether a configuration touches nothing, bodies that may be touched left out."""
        with self._posed(joints):
            return not self.robot.touches_itself() and self.touched(apart_from=apart_from) is None

    @contextmanager
    def _posed(self, joints: FloatArray) -> Iterator[None]:
        """Be in a configuration for a question, and back after it."""
        now = self.joints
        self.robot.configure(joints)
        try:
            yield
        finally:
            self.robot.configure(now)

    def moves_freely(
        self, corners: Sequence[FloatArray], *, apart_from: frozenset[int] = frozenset()
    ) -> bool:
        """Whether straight lines from here through corners touch nothing."""
        start = self.joints
        for goal in corners:
            path = between(start, goal, _STEP)
            if not is_free(path, lambda joints: self.free(joints, apart_from=apart_from)):
                return False
            start = goal
        return True

    def folds_freely(self, path: Sequence[FloatArray]) -> bool:
        """Whether the arm keeps clear of the robot itself in all configurations of a path."""
        now = self.joints
        try:
            for joints in path:
                self.robot.configure(joints)
                if self.robot.touches_itself():
                    return False
            return True
        finally:
            self.robot.configure(now)

    def stands_clear(self) -> bool:
        """Whether nothing is touched where the arm is."""
        return self.free(self.joints)

    def touched(
        self, *, apart_from: frozenset[int] = frozenset(), hand_on: int | None = None
    ) -> Contact | None:
        """What the robot touches where it is; `hand_on` names a body that the hand may touch."""
        near = self.robot.around(*self.robot.bounds())
        return self.robot.touches(near, apart_from=apart_from, hand_on=hand_on)

    def way(
        self, goal: FloatArray, *, apart_from: frozenset[int] = frozenset(), search: bool = True
    ) -> list[FloatArray]:
        """Corners of a free way to a configuration; empty where none was found.

        Straight, else by way of a raised arm, else by search.

        Args:
            goal: Shape (8,).
            apart_from: Bodies that may be touched.
            search: Whether to search where the plain ways are blocked.
        """

        def free(joints: FloatArray) -> bool:
            return self.free(joints, apart_from=apart_from)

        if not free(goal):
            return []
        if is_free(between(self.joints, goal, _STEP), free):
            return [goal]
        for vias in _vias(float(self.joints[0]), float(goal[0])):
            corners = [*vias, goal]
            if self.moves_freely(corners, apart_from=apart_from):
                return corners
        if not search:
            return []
        return connect(self.joints, goal, free, low=LOW, high=HIGH, step=_STEP, random=self._random)

    def line(self, joints: FloatArray, start: Pose, end: Pose) -> list[FloatArray]:
        """Configurations that lead the tool on a straight line; empty where out of reach.

        Args:
            joints: Configuration at the start, shape (8,).
            start: The tool there, base frame.
            end: Where it leads, base frame.
        """
        path, whole = self.along(joints, start, end)
        return path if whole else []

    def along(self, joints: FloatArray, start: Pose, end: Pose) -> tuple[list[FloatArray], bool]:
        """As `line`, but as far as it goes; and whether that is the whole of it."""
        count = max(1, math.ceil(math.dist(start.position, end.position) / _STRAIGHT_STEP_M))
        path: list[FloatArray] = []
        for number in range(1, count + 1):
            found = self.solve(_mixed(start, end, number / count), joints)
            if found is None or np.max(np.abs(found - joints)[1:]) > _LEAP_RAD:
                return path, False
            joints = found
            path.append(joints)
        return path, True

    def reach(
        self, tool: Pose, *, before_m: float = 0.10, apart_from: frozenset[int] = frozenset(),
        search: bool = False,
    ) -> Reach | str:  # fmt: skip
        """The first of `reaches`, or why there is none: `out of reach` or `collision`."""
        reason = "out of reach"
        for joints in self.solutions(tool):
            reason = "collision"
            found = self._reach_with(joints, tool, before_m, apart_from, search)
            if found is not None:
                return found
        return reason

    def reaches(self, tool: Pose, *, before_m: float) -> Iterator[Reach]:
        """Free ways to a tool pose, in different configurations, each ending straight along its z.

        Args:
            tool: In the base's frame.
            before_m: Length of the straight end.
        """
        for joints in self.solutions(tool):
            found = self._reach_with(joints, tool, before_m, frozenset(), False)
            if found is not None:
                yield found

    def _reach_with(
        self, joints: FloatArray, tool: Pose, before_m: float, apart_from: frozenset[int],
        search: bool,
    ) -> Reach | None:  # fmt: skip
        if not self.free(joints, apart_from=apart_from):
            return None
        out = self.line(joints, tool, tool.compose(Pose(z=-before_m)))
        if not out or not is_free(out, lambda q: self.free(q, apart_from=apart_from)):
            return None
        way = self.way(out[-1], apart_from=apart_from, search=search)
        return Reach(way, [*out[-2::-1], joints], tool) if way else None

    def back_off(self, distance_m: float) -> None:
        """Draw the hand back along its own z as far as that goes, up to a distance.

        It may graze what the hand is at, and stops before it would be deeper in anything.
        """
        self.follow(self._drawn_back(distance_m), lambda: False)

    def draw_back(self, distance_m: float) -> None:
        """Be at once where `back_off` ends, to see what can be done from there."""
        way = self._drawn_back(distance_m)
        if way:
            self.robot.configure(way[-1])

    def _drawn_back(self, distance_m: float) -> list[FloatArray]:
        tool = self.tool()
        path, _ = self.along(self.joints, tool, tool.compose(Pose(z=-distance_m)))
        now = self.robot.depths_m()
        return list(itertools.takewhile(lambda joints: self._grazes(joints, now), path))

    def _grazes(self, joints: FloatArray, now: Mapping[Part, float]) -> bool:
        """Whether a configuration is hardly deeper in anything than now, and clear of the robot."""
        with self._posed(joints):
            return not self.robot.touches_itself() and all(
                depth_m <= max(now.get(part, 0.0), _GRAZED_M)
                for part, depth_m in self.robot.depths_m().items()
            )

    def follow(self, corners: Sequence[FloatArray], interrupted: Interrupted) -> bool:
        """Move along corners of a free way; False where it was interrupted."""
        for goal in corners:
            seconds = float(np.max(np.abs(goal - self.joints) / SPEED))
            for joints in between(self.joints, goal, SPEED * _PIECE_S):
                if interrupted():
                    self.robot.settle()
                    return False
                self.robot.configure(joints)
                self._base.wait(min(seconds, _PIECE_S))
            self.robot.settle()
        return True

    def feel_along(
        self, corners: Sequence[FloatArray], interrupted: Interrupted, *,
        apart_from: frozenset[int] = frozenset(),
    ) -> Contact | str | None:  # fmt: skip
        """Move until something is touched; the arm stops just before.

        Returns:
            What was met, `interrupted`, or None where the end was reached.
        """
        asked_ns = self._base.stamp_ns
        for goal in corners:
            for joints in between(self.joints, goal, _STEP / 4):
                if self._base.stamp_ns - asked_ns >= _PIECE_S * 5e8:
                    asked_ns = self._base.stamp_ns
                    if interrupted():
                        return "interrupted"
                before = self.joints
                self.robot.configure(joints)
                contact = self.touched(apart_from=apart_from)
                if contact is not None:
                    self.robot.configure(before)
                    return contact
                self._base.wait(float(np.max(np.abs(joints - before) / SPEED)) * 2)
            self.robot.settle()
        return None


def _seeds(tool: Pose) -> Iterator[FloatArray]:
    """Postures turned towards a target, with the hand pitched and rolled as asked."""
    turn = tool.matrix()[:3, :3]
    approach, closing = turn[:, 2], turn[:, 1]
    wrist = np.array(tool.position) - 0.2 * approach
    azimuth = math.atan2(wrist[1] - LIFT_MOUNT[1], wrist[0] - LIFT_MOUNT[0])
    ahead = np.array([math.cos(azimuth), math.sin(azimuth), 0.0])
    left = np.array([-ahead[1], ahead[0], 0.0])
    pitch = math.atan2(float(approach @ ahead), -float(approach[2]))
    upright = np.cross(-left, approach)
    roll = math.atan2(float(closing @ upright), float(closing @ -left))
    for below, posture in _POSTURES if pitch > _LEVEL_RAD else _POSTURES[:5]:
        seed = np.append(tool.z - below, posture)
        seed[1] += azimuth
        seed[6] += pitch if posture[4] == 0 else 0.0
        seed[7] = (seed[7] - roll + math.pi) % (2 * math.pi) - math.pi
        yield np.clip(seed, LOW, HIGH)


def _vias(lift: float, goal_lift: float) -> Iterator[list[FloatArray]]:
    """Corners that unfold the arm, beside the head, before or after the lift has moved."""
    for lean in _UNFOLDED_LEANS:
        for lifts in ((goal_lift,), (lift, goal_lift), (lift,), (HIGH[0],)):
            yield [np.array([level, 0.0, lean, 0.0, -2.5, 0.0, 1.9, 0.785]) for level in lifts]


def _meets(found: Pose, target: Pose) -> bool:
    cosine = abs(float(np.dot(found.quaternion, target.quaternion)))
    return (
        math.dist(found.position, target.position) < _WITHIN_M
        and 2 * math.acos(min(1.0, cosine)) < _WITHIN_RAD
    )


def _mixed(start: Pose, end: Pose, share: float) -> Pose:
    """A pose between two that are alike: the position on the line, the orientation blended."""
    first, last = np.array(start.quaternion), np.array(end.quaternion)
    turn = first + share * ((last if first @ last >= 0 else -last) - first)
    turn /= np.linalg.norm(turn)
    place = np.array(start.position) + share * (np.array(end.position) - start.position)
    return Pose(*place.tolist(), *turn.tolist())
