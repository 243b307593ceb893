"""A Franka Panda on the table: its body, its motors, and its tool moved by small steps.

The body is the one that comes with PyBullet, drawn by its hulls: a software renderer pays for every
triangle. Frames: the robot's base is the world; the tool frame lies between the fingertips, z out of
the hand, y along which the fingers close.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np

from memory_core.types import FloatArray, Pose
from memory_sim.worlds.table.forms import folder
from memory_sim.worlds.table.kinematics import joints_towards, tool_pose

JOINTS = tuple(range(7))
FINGERS = (9, 10)
TOOL = 11
WIDEST_M = 0.08
HOME = np.array((0.0, -0.30, 0.0, -2.42, 0.0, 2.12, 0.785))
"""Where the arm starts: the tool 0.44 m before the base, 0.33 m above the table, pointing down."""
LOW = np.array((-2.8973, -1.7628, -2.8973, -3.0718, -2.8973, -0.0175, -2.8973))
HIGH = np.array((2.8973, 1.7628, 2.8973, -0.0698, 2.8973, 3.7525, 2.8973))
"""Limits of the joints as the maker publishes them (Franka Control Interface documentation)."""
SPEED = np.array((2.175, 2.175, 2.175, 2.175, 2.61, 2.61, 2.61))
CONTROL_HZ = 20
STEP_RAD = 0.95 * SPEED / CONTROL_HZ
"""How far a joint is sent in one control step at most."""
_TORQUE = (87.0, 87.0, 87.0, 87.0, 40.0, 40.0, 40.0)
_GAINS = (0.35,) * 7
_GRIP_N = 30.0
_FINGER_SPEED = 0.2
_AT_REST_RAD_S = 0.2
_LEAD_M, _LEAD_RAD = 0.12, 0.5
"""How far the commanded pose runs ahead of the tool at most: it does not wind up at a wall."""
_LEAN_PER_M = 5.0
"""How far the arm leans back to its posture as the tool moves; it comes to rest with the tool."""
NEAREST = np.array((0.15, -0.75, 0.004))
FARTHEST = np.array((0.85, 0.75, 0.75))
"""Corners of the space that the tool may be sent to, metres."""
_UNUSED_IN_CONTACT = range(-1, 4)


class Arm:
    """The robot in a PyBullet client."""

    def __init__(self, client: Any, *, joints: FloatArray) -> None:
        """Load the robot.

        Args:
            client: Of PyBullet.
            joints: Where the arm stands, shape (7,), radians.
        """
        self._client = client
        self.body: int = client.loadURDF(
            _description(), useFixedBase=True, flags=client.URDF_ENABLE_CACHED_GRAPHICS_SHAPES
        )
        for joint, angle in zip(JOINTS, joints, strict=True):
            client.resetJointState(self.body, joint, float(angle))
        # an arm that is pressed into the table must not be thrown back
        client.changeDynamics(self.body, JOINTS[0], maxJointVelocity=float(SPEED.max()))
        for finger in FINGERS:
            client.resetJointState(self.body, finger, WIDEST_M / 2)
            client.changeDynamics(self.body, finger, lateralFriction=1.2, spinningFriction=0.02,
                                  rollingFriction=0.001, restitution=0.0)  # fmt: skip
        mimic = client.createConstraint(
            self.body, FINGERS[0], self.body, FINGERS[1], client.JOINT_GEAR, (1, 0, 0), (0, 0, 0),
            (0, 0, 0),
        )  # fmt: skip
        client.changeConstraint(mimic, gearRatio=-1, erp=0.1, maxForce=50)
        for link in _UNUSED_IN_CONTACT:  # the upper arm cannot reach what lies on the table
            client.setCollisionFilterGroupMask(self.body, link, 0, 0)
        self._left = self._goal = np.array(joints, dtype=np.float64)
        self.aim = self.tool()
        self._close_to(WIDEST_M)

    def tool(self) -> Pose:
        """The tool's frame in the base's."""
        state = self._client.getLinkState(self.body, TOOL, computeForwardKinematics=True)
        return Pose(*state[4], *state[5])

    def joints(self) -> tuple[FloatArray, FloatArray]:
        """Angles and speeds of the joints, shape (7,) each, radians and radians a second."""
        states = self._client.getJointStates(self.body, JOINTS)
        return np.array([s[0] for s in states]), np.array([s[1] for s in states])

    @property
    def width_m(self) -> float:
        """Between the fingers."""
        return float(sum(s[0] for s in self._client.getJointStates(self.body, FINGERS)))

    def finger_forces(self, body: int | None = None) -> tuple[float, float]:
        """What presses on either finger, newtons.

        Args:
            body: Only what this body presses; None for all.
        """
        only = {} if body is None else {"bodyB": body}
        left, right = (
            sum(
                contact[9]
                for contact in self._client.getContactPoints(
                    bodyA=self.body, linkIndexA=finger, **only
                )
            )
            for finger in FINGERS
        )
        return float(left), float(right)

    def holds(self, body: int) -> bool:
        """Whether both fingers press on a body."""
        return min(self.finger_forces(body)) > 0.1

    def at_rest(self) -> bool:
        """Whether no joint moves faster than 0.2 rad/s."""
        return bool(np.abs(self.joints()[1]).max() < _AT_REST_RAD_S)

    def move_tool(self, shift: FloatArray, turn: FloatArray, width_m: float) -> None:
        """Send the tool a step further than it was sent before.

        Args:
            shift: Base frame, metres, shape (3,).
            turn: Rotation vector in the base frame, radians, shape (3,).
            width_m: Between the fingers.
        """
        start = _held_near(self.aim, self.tool())
        share = 1.0
        for _ in range(2):
            x, y, z = np.clip(np.array(start.position) + shift * share, NEAREST, FARTHEST).tolist()
            self.aim = Pose(x, y, z, *_rotated(start.quaternion, turn * share))
            goal = self._solve(self.aim, lean=_LEAN_PER_M * share * float(np.linalg.norm(shift)))
            fastest = float(np.max(np.abs(goal - self._goal) / STEP_RAD))
            if fastest <= 1:
                break
            share /= fastest  # all joints wait for the slowest: the tool stays on its line
        self._goal = self._goal + np.clip(goal - self._goal, -STEP_RAD, STEP_RAD)
        self._close_to(width_m)

    def move_joints(self, goal: FloatArray, width_m: float) -> None:
        """Send the joints to angles, shape (7,), radians."""
        aim = np.clip(goal, LOW, HIGH)
        self._goal = self._goal + np.clip(aim - self._goal, -STEP_RAD, STEP_RAD)
        self.aim = tool_pose(self._goal)
        self._close_to(width_m)

    def _solve(self, aim: Pose, *, lean: float) -> FloatArray:
        return np.clip(joints_towards(aim, self._goal, posture=HOME, lean=lean), LOW, HIGH)

    def drive(self, share: float) -> None:
        """Set the motors for a moment of the control step, 0 its beginning and 1 its end.

        Goals move evenly: were they to leap once a step, the joints would not arrive together.
        """
        goal = self._left + share * (self._goal - self._left)
        self._client.setJointMotorControlArray(
            self.body, JOINTS, self._client.POSITION_CONTROL, targetPositions=goal.tolist(),
            forces=_TORQUE, positionGains=_GAINS,
        )  # fmt: skip
        if share >= 1:
            self._left = self._goal

    def _close_to(self, width_m: float) -> None:
        for finger in FINGERS:
            self._client.setJointMotorControl2(
                self.body, finger, self._client.POSITION_CONTROL, targetPosition=width_m / 2,
                force=_GRIP_N, maxVelocity=_FINGER_SPEED,
            )  # fmt: skip


def _held_near(aim: Pose, at: Pose) -> Pose:
    """An aim, drawn back to what the tool can lag behind."""
    gap = np.array(aim.position) - at.position
    length = float(np.linalg.norm(gap))
    x, y, z = np.array(at.position) + gap * min(1.0, _LEAD_M / max(length, 1e-9))
    first, last = np.array(at.quaternion), np.array(aim.quaternion)
    cosine = abs(float(first @ last))
    angle = 2 * float(np.arccos(min(1.0, cosine)))
    share = min(1.0, _LEAD_RAD / max(angle, 1e-9))
    blend = first + share * ((last if first @ last >= 0 else -last) - first)
    return Pose(float(x), float(y), float(z), *(blend / np.linalg.norm(blend)).tolist())


def _rotated(quaternion: tuple[float, float, float, float], turn: FloatArray) -> tuple[float, ...]:
    """A quaternion turned by a rotation vector of the base frame."""
    angle = float(np.linalg.norm(turn))
    if angle < 1e-9:
        return quaternion
    axis = np.array(turn) * (np.sin(angle / 2) / angle)
    first = Pose(
        qx=float(axis[0]), qy=float(axis[1]), qz=float(axis[2]), qw=float(np.cos(angle / 2))
    )
    x, y, z, w = quaternion
    return first.compose(Pose(qx=x, qy=y, qz=z, qw=w)).quaternion


@cache
def _description() -> str:
    """The path of the robot's URDF with hulls in place of fine meshes, one to a process."""
    import pybullet_data

    source = Path(pybullet_data.getDataPath()) / "franka_panda"
    tree = ElementTree.parse(source / "panda.urdf")  # noqa: S314 - a file of an installed package
    for link in tree.getroot().findall("link"):
        hull = link.find("collision/geometry/mesh")
        for mesh in link.findall("visual/geometry/mesh"):
            mesh.set(
                "filename", mesh.get("filename", "") if hull is None else hull.get("filename", "")
            )
    for mesh in tree.iter("mesh"):
        mesh.set("filename", mesh.get("filename", "").replace("package://", f"{source}/"))
    for colour, name in zip(tree.iter("color"), _colours(), strict=False):
        colour.set("rgba", name)
    path = folder() / "panda.urdf"
    tree.write(path, encoding="unicode")
    return str(path)


def _colours() -> list[str]:
    return ["0.93 0.93 0.95 1"] * 20
