"""The robot's body in a physics server: posed, tested for contact, never simulated.

Body numbers stay inside this package. A configuration of the arm is eight numbers: the lift in
metres, then the seven joints of the arm in radians.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from memory_core.types import FloatArray, Pose
from memory_sim.worlds.home.robot_model import (
    ARM_JOINTS,
    FINGER_REACH_M,
    FINGERS,
    HAND,
    LIFT_M,
    LIFT_SPEED_M_S,
    PANDA,
    robot_urdf,
)
from memory_sim.worlds.home.world import World

LOW = np.array([LIFT_M[0], *(joint.low for joint in PANDA)])
HIGH = np.array([LIFT_M[1], *(joint.high for joint in PANDA)])
SPEED = np.array([LIFT_SPEED_M_S, *(joint.speed for joint in PANDA)])
"""Of a configuration: limits, and metres or radians a second."""

ROBOT_GROUP = 64
"""Collision group of the robot, so that its own rays pass through it."""
ALL_BUT_ROBOT = ~ROBOT_GROUP & 0x7FFF

_TOOL = Pose(z=FINGER_REACH_M)
_HELD_OVERLAP_M = 0.004

Part = tuple[int, int]
"""A body and one of its links."""


@dataclass(frozen=True, slots=True)
class Held:
    """What the fingers hold: its id, its body, and its pose in the tool's frame."""

    thing: str
    body: int
    pose: Pose


@dataclass(frozen=True, slots=True)
class Contact:
    """A touch: which link of the robot (or None: what it holds), what, and how deep (metres)."""

    link: int | None
    part: Part
    depth_m: float


class RobotBody:
    """The robot in a world's physics server."""

    def __init__(self, world: World) -> None:
        """Load the robot into a world."""
        self.world = world
        self._client = world.client
        with tempfile.NamedTemporaryFile("w", suffix=".urdf", encoding="utf-8") as file:
            file.write(robot_urdf())
            file.flush()
            flags = self._client.URDF_USE_IMPLICIT_CYLINDER
            self.body = int(self._client.loadURDF(file.name, useFixedBase=True, flags=flags))
        info = [self._client.getJointInfo(self.body, n) for n in self._every_link()]
        links = {entry[12].decode(): entry[0] for entry in info}
        self._arm = [links["lift"], *(links[name] for name in ARM_JOINTS)]
        self.hand = links[HAND]
        self.fingers = tuple(links[name] for name in FINGERS)
        self._head = [links["head_pan"], links["head_tilt"]]
        limits = np.array([entry[8:10] for entry in info if entry[2] != self._client.JOINT_FIXED])
        self._low, self._high = limits.T.tolist()
        self._span = (limits[:, 1] - limits[:, 0]).tolist()
        self._moving = [*self._arm, self.hand, *self.fingers]
        fixed = [-1, links["head_tilt"], links["lift"], *self._arm[1:3]]
        outer = [*self._arm[4:], self.hand, *self.fingers]
        self._own_pairs = [(a, b) for a in fixed[:3] for b in outer[1:]]
        self._own_pairs += [(-1, self._arm[4]), (fixed[1], self._arm[4]), (fixed[1], self._arm[2])]
        self._own_pairs += [(a, b) for a in fixed[3:] for b in outer[3:]]
        for link in self._every_link(-1):
            self._client.setCollisionFilterGroupMask(self.body, link, ROBOT_GROUP, ALL_BUT_ROBOT)
        self.pose = Pose()
        self.joints: FloatArray = np.zeros(8)
        self.held: Held | None = None

    def _every_link(self, first: int = 0) -> range:
        return range(first, self._client.getNumJoints(self.body))

    def stand(self, pose: Pose) -> None:
        """Put the base at a pose in the world, with all that it carries."""
        self.pose = pose
        self._client.resetBasePositionAndOrientation(self.body, pose.position, pose.quaternion)
        self._carry()

    def configure(self, joints: FloatArray) -> None:
        """Put the lift and the arm into a configuration, shape (8,)."""
        self.joints = joints
        self._set(self._arm, joints.tolist())
        self._carry()

    def open_fingers(self, width_m: float) -> None:
        """Set the distance between the fingers, metres."""
        self._set(list(self.fingers), [width_m / 2] * 2)

    def turn_head(self, pan: float, tilt: float) -> None:
        """Set the head's joints, radians."""
        self._set(self._head, [pan, tilt])

    def settle(self) -> None:
        """Tell the world where the held thing is now: after a movement, not while one is planned."""
        if self.held is not None:
            self.world.place(self.held.thing, self.tool().compose(self.held.pose))

    def tool(self) -> Pose:
        """The point between the fingertips in the world: z points out of the hand, y closes."""
        state = self._client.getLinkState(self.body, self.hand, computeForwardKinematics=True)
        return Pose(*state[4], *state[5]).compose(_TOOL)

    def towards(self, tool: Pose, joints: FloatArray) -> FloatArray:
        """One round of PyBullet's damped least squares from a configuration towards a tool pose.

        Args:
            tool: In the world; the base must stand at its origin.
            joints: To begin from, and to stay near where there is a choice, shape (8,).

        Returns:
            Shape (8,); not clipped to the limits.
        """
        hand = tool.compose(Pose(z=-FINGER_REACH_M))
        start = [0.0, 0.0, *joints.tolist(), 0.04, 0.04]
        solved = self._client.calculateInverseKinematics(
            self.body, self.hand, hand.position, hand.quaternion, lowerLimits=self._low,
            upperLimits=self._high, jointRanges=self._span, restPoses=start,
            currentPositions=start, maxNumIterations=30, residualThreshold=1e-4,
        )  # fmt: skip
        return np.array(solved[2:10])

    def _set(self, links: list[int], values: list[float]) -> None:
        self._client.resetJointStatesMultiDof(self.body, links, [[value] for value in values])

    def _carry(self) -> None:
        if self.held is not None:
            at = self.tool().compose(self.held.pose)
            self._client.resetBasePositionAndOrientation(self.held.body, at.position, at.quaternion)

    def around(self, low: FloatArray, high: FloatArray) -> list[Part]:
        """What solid parts of the world reach into a box, shape (3,) each, world frame, metres."""
        found = self._client.getOverlappingObjects(low.tolist(), high.tolist()) or ()
        carried = self.held.body if self.held is not None else None
        return sorted({part for part in found if part[0] not in (self.body, carried)})

    def bounds(self) -> tuple[FloatArray, FloatArray]:
        """Corners of the box around the robot and what it holds, world frame, metres."""
        boxes = [self._client.getAABB(self.body, link) for link in (-1, *self._moving)]
        if self.held is not None:
            boxes.append(self._client.getAABB(self.held.body))
        lows, highs = np.array(boxes).transpose(1, 0, 2)
        return lows.min(axis=0), highs.max(axis=0)

    def touches(
        self, parts: Iterable[Part], *, apart_from: frozenset[int] = frozenset(),
        hand_on: int | None = None,
    ) -> Contact | None:  # fmt: skip
        """The first touch of the robot, or what it holds, with parts of the world.

        Args:
            parts: As from `around`.
            apart_from: Bodies that may be touched.
            hand_on: A body that the hand may touch, the rest of the robot not.
        """
        near, hand = self._client.getClosestPoints, {self.hand, *self.fingers}
        for body, link in parts:
            if body in apart_from:
                continue
            for point in near(self.body, body, 0.0, linkIndexB=link):
                if point[8] < 0 and not (body == hand_on and point[3] in hand):
                    return Contact(point[3], (body, link), -point[8])
            if self.held is None:
                continue
            for point in near(self.held.body, body, 0.0, linkIndexB=link):
                if point[8] < -_HELD_OVERLAP_M:
                    return Contact(None, (body, link), -point[8])
        return None

    def depths_m(self) -> dict[Part, float]:
        """How deep the robot, or what it holds, is in each part of the world that it touches."""
        near, deep = self._client.getClosestPoints, dict[Part, float]()
        own = [(self.body, 0.0)]
        own += [(self.held.body, _HELD_OVERLAP_M)] if self.held is not None else []
        for body, link in self.around(*self.bounds()):
            for mine, allowed_m in own:
                for point in near(mine, body, 0.0, linkIndexB=link):
                    depth_m = -point[8] - allowed_m
                    if depth_m > deep.get((body, link), 0.0):
                        deep[body, link] = depth_m
        return deep

    def touches_itself(self) -> bool:
        """Whether the arm, or what it holds, meets the rest of the robot."""
        near = self._client.getClosestPoints
        if any(near(self.body, self.body, 0.0, one, other) for one, other in self._own_pairs):
            return True
        if self.held is None:
            return False
        apart = [-1, self._head[1], *self._arm[:5]]
        return any(near(self.held.body, self.body, 0.0, linkIndexB=link) for link in apart)
