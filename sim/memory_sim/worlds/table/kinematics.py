"""Where the Panda's tool is for given joints, and joints for a tool a little further on."""

from __future__ import annotations

import math

import numpy as np

from memory_core.types import FloatArray, Pose
from memory_sim.worlds.home.robot_model import PANDA

_TO_TOOL_M = 0.107 + 0.105
"""From the last joint to the flange, and on to the point between the fingertips."""
_HAND_TURN_RAD = -math.pi / 4
_DAMPING = 1e-4
_ROUNDS = 4
_EXACT = 1e-4


def tool_pose(joints: FloatArray) -> Pose:
    """The tool in the base's frame, for angles of shape (7,)."""
    return Pose.from_matrix(_frames(joints)[-1])


def joints_towards(
    aim: Pose, joints: FloatArray, *, posture: FloatArray, lean: float
) -> FloatArray:
    """Joints whose tool is at an aim, near those given: damped least squares (Wampler 1986).

    Args:
        aim: Of the tool, base frame.
        joints: Where the search starts, shape (7,), radians.
        posture: What the arm, which has one joint to spare, leans to.
        lean: By what share of the way.

    Returns:
        Shape (7,); as near to the aim as a few rounds come.
    """
    goal = aim.matrix()
    for _ in range(_ROUNDS):
        frames = _frames(joints)
        tool = frames[-1]
        error = np.concatenate([goal[:3, 3] - tool[:3, 3], _turn(tool[:3, :3], goal[:3, :3])])
        jacobian = _jacobian(frames)
        inverse = jacobian.T @ np.linalg.inv(jacobian @ jacobian.T + _DAMPING * np.eye(6))
        spare = lean / _ROUNDS * (posture - joints)
        joints = joints + inverse @ (error - jacobian @ spare) + spare
        if np.abs(error).max() < _EXACT:
            break
    return joints


def _frames(joints: FloatArray) -> list[FloatArray]:
    """The frames of the seven joints and of the tool, in the base's frame, shape (4, 4) each."""
    frames, frame = [], np.eye(4)
    for (c, s), (a, d, ca, sa) in zip(_turns(joints), _LINKS, strict=True):
        step = np.array(
            [
                [c, -s, 0, a],
                [s * ca, c * ca, -sa, -d * sa],
                [s * sa, c * sa, ca, d * ca],
                [0, 0, 0, 1],
            ]
        )
        frame = frame @ step
        frames.append(frame)
    return [*frames, frame @ _TOOL]


def _turns(joints: FloatArray) -> list[tuple[float, float]]:
    return [(math.cos(joint), math.sin(joint)) for joint in joints.tolist()]


def _jacobian(frames: list[FloatArray]) -> FloatArray:
    """How the tool moves with each joint, shape (6, 7): metres and radians per radian."""
    axes = np.array([frame[:3, 2] for frame in frames[:-1]])
    arms = frames[-1][:3, 3] - np.array([frame[:3, 3] for frame in frames[:-1]])
    return np.concatenate([np.cross(axes, arms), axes], axis=1).T


def _turn(start: FloatArray, end: FloatArray) -> FloatArray:
    """Small rotation vector that turns one orientation into another, shape (3,)."""
    return np.asarray(0.5 * np.cross(start.T, end.T).sum(axis=0))


_LINKS = tuple((j.a, j.d, math.cos(j.alpha), math.sin(j.alpha)) for j in PANDA)
_TOOL = np.eye(4)
_TOOL[:2, :2] = [
    [math.cos(_HAND_TURN_RAD), -math.sin(_HAND_TURN_RAD)],
    [math.sin(_HAND_TURN_RAD), math.cos(_HAND_TURN_RAD)],
]
_TOOL[2, 3] = _TO_TOOL_M
