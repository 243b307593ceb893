"""What an agent at the table sees and does: spaces, actions, and what the arm feels, read back."""

from __future__ import annotations

import math
import string
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from memory_core.errors import NotInstalled
from memory_core.types import FloatArray, Pose
from memory_sim.worlds.table.camera import FAR_M, MOUNTS, PIXELS, View
from memory_sim.worlds.table.robot import HIGH, LOW, WIDEST_M

try:
    from gymnasium import spaces
    from gymnasium.error import InvalidAction
except ImportError as missing:
    raise NotInstalled.part("gymnasium", "sim") from missing

SHIFT_M, TURN_RAD = 0.1, 0.3
"""What 1 stands for in an action that moves the tool, per step."""
CONTROLS = ("tool", "joints")
MOST_THINGS = 24
LONGEST_TEXT = 600
LETTERS = string.ascii_letters + string.digits + string.punctuation + " "
_FASTEST_RAD_S = 20.0
_STRONGEST_N = 1e4
_LATEST_S = 1e4
_FARTHEST_M = 100.0
_SIZES = {"joints": 7, "speeds": 7, "tool": 7, "aim": 7, "width": 1, "forces": 2}


@dataclass(frozen=True, slots=True)
class Proprioception:
    """What the arm feels.

    Attributes:
        joints: Angles, shape (7,), radians.
        speeds: Shape (7,), radians a second.
        tool: Between the fingertips, base frame: z out of the hand, y along which it closes.
        aim: Where the tool was last sent.
        width_m: Between the fingers.
        forces: What presses on either finger, shape (2,), newtons.
    """

    joints: FloatArray
    speeds: FloatArray
    tool: Pose
    aim: Pose
    width_m: float
    forces: FloatArray

    @classmethod
    def read(cls, numbers: FloatArray) -> Proprioception:
        """From the numbers of an observation, shape (31,)."""
        ends = np.cumsum(list(_SIZES.values()))[:-1]
        joints, speeds, tool, aim, width, forces = np.split(np.asarray(numbers, np.float64), ends)
        return cls(joints, speeds, _pose(tool), _pose(aim), float(width[0]), forces)

    def numbers(self) -> FloatArray:
        """As an observation holds it, shape (31,), float32."""
        low, high = _limits()
        parts = (
            self.joints, self.speeds, (*self.tool.position, *self.tool.quaternion),
            (*self.aim.position, *self.aim.quaternion), (self.width_m,), self.forces,
        )  # fmt: skip
        return np.clip(np.concatenate(parts), low, high).astype(np.float32)


def action_space(control: str) -> spaces.Box:
    """Seven numbers where the tool is moved, eight where the joints are."""
    return spaces.Box(-1.0, 1.0, (7,) if control == "tool" else (8,), np.float32)


def observation_space(cameras: Sequence[str], *, privileged: bool) -> spaces.Dict:
    """Of all table tasks.

    Args:
        cameras: Whose pictures are in every observation.
        privileged: Whether `state` is.
    """
    low, high = _limits()
    parts: dict[str, spaces.Space] = {
        "proprioception": spaces.Box(low, high, dtype=np.float32),
        "clock": spaces.Box(0.0, _LATEST_S, (1,), np.float32),
        "instruction": spaces.Text(LONGEST_TEXT, min_length=0, charset=LETTERS),
    }
    if cameras:
        colours = spaces.Box(0, 255, (PIXELS, PIXELS, 3), np.uint8)
        depths = spaces.Box(0.0, FAR_M, (PIXELS, PIXELS), np.float32)
        parts["rgb"] = spaces.Dict(dict.fromkeys(cameras, colours))
        parts["depth"] = spaces.Dict(dict.fromkeys(cameras, depths))
    if privileged:
        parts["state"] = spaces.Box(-_FARTHEST_M, _FARTHEST_M, (MOST_THINGS, 9), np.float32)
    return spaces.Dict(parts)


def to_action(shift: FloatArray, turn: FloatArray, width_m: float) -> FloatArray:
    """An action that sends the tool further; what is beyond a step's limits is held there.

    Args:
        shift: From where it was last sent, base frame, metres, shape (3,).
        turn: Rotation vector in the base frame, radians, shape (3,).
        width_m: Between the fingers.
    """
    parts = (np.asarray(shift) / SHIFT_M, np.asarray(turn) / TURN_RAD, _grip(width_m))
    return np.clip(np.concatenate(parts), -1, 1).astype(np.float32)


def step_towards(
    felt: Proprioception, goal: Pose, width_m: float, *, speed: float = 1.0
) -> FloatArray:
    """The action that sends the tool a step towards a goal, in a straight line.

    Args:
        felt: Of the last observation.
        goal: Of the tool, base frame.
        width_m: Between the fingers.
        speed: Share of the longest step that is taken.
    """
    shift = np.array(goal.position) - felt.aim.position
    turn = rotation_between(felt.aim, goal)
    ways = np.linalg.norm(shift) / SHIFT_M, np.linalg.norm(turn) / TURN_RAD
    longest = max(float(max(ways)) / speed, 1.0)
    return to_action(shift / longest, turn / longest, width_m)


def rotation_between(start: Pose, end: Pose) -> FloatArray:
    """The rotation vector of the base frame that turns one orientation into another, shape (3,)."""
    sx, sy, sz, sw = start.quaternion
    turned = Pose(qx=end.qx, qy=end.qy, qz=end.qz, qw=end.qw).compose(
        Pose(qx=-sx, qy=-sy, qz=-sz, qw=sw)
    )
    x, y, z, w = turned.quaternion
    if w < 0:
        x, y, z, w = -x, -y, -z, -w
    length = math.sqrt(x * x + y * y + z * z)
    if length < 1e-9:
        return np.zeros(3)
    return np.asarray(np.array((x, y, z)) * (2 * math.atan2(length, w) / length))


def to_joint_action(joints: FloatArray, width_m: float) -> FloatArray:
    """An action that sends the joints to angles, shape (7,), radians."""
    shares = 2 * (np.asarray(joints) - LOW) / (HIGH - LOW) - 1
    return np.asarray(np.clip(np.concatenate([shares, _grip(width_m)]), -1, 1), np.float32)


def read_action(space: spaces.Box, action: object) -> FloatArray:
    """An action as numbers.

    Raises:
        InvalidAction: It is not in the space; the message says why.
    """
    if not isinstance(action, np.ndarray) or not space.contains(action):
        raise InvalidAction(
            f"the action is {_shown(action)}; expected an array of {space.dtype}, shape {space.shape}, from -1 to 1"
        )
    return action.astype(np.float64)


def tool_command(action: FloatArray) -> tuple[FloatArray, FloatArray, float]:
    """Shift (metres), turn (radians) and width (metres) of an action that moves the tool."""
    return action[:3] * SHIFT_M, action[3:6] * TURN_RAD, _width(action[6])


def joint_command(action: FloatArray) -> tuple[FloatArray, float]:
    """Angles (radians) and width (metres) of an action that moves the joints."""
    joints: FloatArray = LOW + (action[:7] + 1) / 2 * (HIGH - LOW)
    return joints, _width(action[7])


def view_of(observation: dict[str, object], camera: str) -> View:
    """The picture of a camera in an observation, with its lens and where it was taken."""
    mount, rgb, depth = MOUNTS[camera], observation["rgb"], observation["depth"]
    assert isinstance(rgb, dict) and isinstance(depth, dict)
    felt = Proprioception.read(np.asarray(observation["proprioception"]))
    pose = felt.tool.compose(mount.pose) if mount.on_tool else mount.pose
    return View(rgb[camera], depth[camera], pose, mount.intrinsics)


def _grip(width_m: float) -> FloatArray:
    return np.array([2 * width_m / WIDEST_M - 1])


def _width(share: float) -> float:
    return float((share + 1) / 2 * WIDEST_M)


def _pose(numbers: FloatArray) -> Pose:
    quaternion = numbers[3:] / np.linalg.norm(numbers[3:])
    return Pose(*numbers[:3].tolist(), *quaternion.tolist())


def _limits() -> tuple[FloatArray, FloatArray]:
    """Of what the arm feels, shape (31,) each."""
    pose = [2.0] * 3 + [1.0] * 4
    high = np.array(
        [*([4.0] * 7), *([_FASTEST_RAD_S] * 7), *pose, *pose, 0.1, *([_STRONGEST_N] * 2)]
    )
    low = -high
    low[-3:] = 0.0
    return low.astype(np.float32), high.astype(np.float32)


def _shown(value: object) -> str:
    if isinstance(value, np.ndarray):
        finite = bool(np.isfinite(value).all()) if value.dtype.kind == "f" else True
        return f"an array of {value.dtype}, shape {value.shape}{'' if finite else ', not finite'}"
    return repr(value)[:80]
