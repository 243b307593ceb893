"""What an agent sees and does in a house task: spaces, and actions read from them."""

from __future__ import annotations

import string
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from memory_core.errors import NotInstalled
from memory_core.types import FloatArray, Vector3
from memory_sim.worlds.home.base import FASTEST_M_S, FASTEST_RAD_S
from memory_sim.worlds.home.camera import FAR_M

try:
    from gymnasium import spaces
    from gymnasium.error import InvalidAction
except ImportError as missing:
    raise NotInstalled.part("gymnasium", "sim") from missing

HANDS = ("none", "pick", "place", "open", "close", "push", "press", "give", "stow")
"""What the hand can be told, by number."""
HAND_ENDED = (
    "none", "done", "interrupted", "out of reach", "collision", "slipped", "nothing there",
    "too wide", "stuck", "hand full", "hand empty",
)  # fmt: skip
"""How the last command to the hand or the lift ended, by number."""
STEP_S = 0.5
RAYS, RANGE_M = 360, 8.0
FARTHEST_M = 1e5
LATEST_S = 1e6
MOST_FLOORS = 2
MOST_DAYS = 8
LONGEST_TEXT = 1_000
DEEPEST_M = FAR_M + 2.0
"""No reading of depth is beyond this, noise included."""
LETTERS = string.ascii_letters + string.digits + string.punctuation + " \n"
DRIVE = np.array((FASTEST_M_S, FASTEST_RAD_S))
HEAD = np.array((2.6, 1.2))
POINT_M = np.full(3, 2.0)
"""What 1 stands for in the parts of an action: m/s and rad/s, radians, metres."""


@dataclass(frozen=True, slots=True)
class Command:
    """What a robot is told to do in one step.

    Attributes:
        linear_m_s: Forward speed.
        angular_rad_s: Turning speed, counter-clockwise.
        pan_rad: Where the head turns to, to the left.
        tilt_rad: Where the head turns to, upwards.
        hand: One of `HANDS`.
        target: What the hand is told about, base frame, metres.
        aim: Goes with it: half the sides of the box around what is picked, out of which way and
            how far something opens, by how much something is pushed; base frame, metres.
        floor: Where the lift is to go, 0 the lowest; None for nowhere.
        answer: What is said; empty for nothing.
        done: On a day of looking around: it is over. On the last: the task is done.
    """

    linear_m_s: float = 0.0
    angular_rad_s: float = 0.0
    pan_rad: float = 0.0
    tilt_rad: float = 0.0
    hand: str = "none"
    target: Vector3 = (0.0, 0.0, 0.0)
    aim: Vector3 = (0.0, 0.0, 0.0)
    floor: int | None = None
    answer: str = ""
    done: bool = False


def action_space() -> spaces.Dict:
    """Of all house tasks; numbers are shares of `DRIVE`, `HEAD` and `POINT_M`, see `to_action`."""
    return spaces.Dict({
        "drive": spaces.Box(-1.0, 1.0, (2,), np.float32),
        "head": spaces.Box(-1.0, 1.0, (2,), np.float32),
        "hand": spaces.Discrete(len(HANDS)),
        "target": spaces.Box(-1.0, 1.0, (3,), np.float32),
        "aim": spaces.Box(-1.0, 1.0, (3,), np.float32),
        "lift": spaces.Discrete(MOST_FLOORS + 1),
        "answer": _text(),
        "done": spaces.Discrete(2),
    })  # fmt: skip


def observation_space(width: int, height: int) -> spaces.Dict:
    """Of all house tasks.

    Args:
        width: Of the picture, pixels.
        height: Of the picture, pixels.
    """
    return spaces.Dict({
        "rgb": spaces.Box(0, 255, (height, width, 3), np.uint8),
        "depth": spaces.Box(0.0, DEEPEST_M, (height, width), np.float32),
        "scan": spaces.Box(0.0, RANGE_M, (RAYS,), np.float32),
        "odometry": spaces.Box(-FARTHEST_M, FARTHEST_M, (3,), np.float64),
        "bumped": spaces.Discrete(2),
        "head": spaces.Box(-np.pi, np.pi, (2,), np.float32),
        "holding": spaces.Discrete(2),
        "hand": spaces.Discrete(len(HAND_ENDED)),
        "day": spaces.Discrete(MOST_DAYS),
        "last_day": spaces.Discrete(2),
        "clock": spaces.Box(0.0, LATEST_S, (1,), np.float64),
        "instruction": _text(),
        "question": _text(),
    })  # fmt: skip


def to_action(command: Command) -> dict[str, Any]:
    """A command as an action; what is beyond the limits is held there."""
    return {
        "drive": _share((command.linear_m_s, command.angular_rad_s), DRIVE),
        "head": _share((command.pan_rad, command.tilt_rad), HEAD),
        "hand": HANDS.index(command.hand),
        "target": _share(command.target, POINT_M), "aim": _share(command.aim, POINT_M),
        "lift": 0 if command.floor is None else command.floor + 1,
        "answer": printable(command.answer), "done": int(command.done),
    }  # fmt: skip


def read_action(space: spaces.Dict, action: object) -> Command:
    """An action as a command.

    Args:
        space: Which it must be in.
        action: From outside.

    Raises:
        InvalidAction: It is not in the space; the message names the part that is not.
    """
    if not isinstance(action, Mapping) or set(action) != set(space.spaces):
        given = sorted(action) if isinstance(action, Mapping) else type(action).__name__
        raise InvalidAction(f"expected a dict with {sorted(space.spaces)}; got {given}")
    for name, part in space.spaces.items():
        if not part.contains(action[name]):
            raise InvalidAction(f"{name} is {_shown(action[name])}; expected one of {part}")
    (linear, angular), (pan, tilt) = action["drive"] * DRIVE, action["head"] * HEAD
    lift = int(action["lift"])
    return Command(
        float(linear), float(angular), float(pan), float(tilt), HANDS[int(action["hand"])],
        _point(action["target"]), _point(action["aim"]), lift - 1 if lift else None,
        str(action["answer"]).strip(), bool(action["done"]),
    )  # fmt: skip


def printable(text: str) -> str:
    """A text as the spaces hold it."""
    return "".join(letter if letter in LETTERS else "?" for letter in text)[:LONGEST_TEXT]


def _shown(value: object) -> str:
    if isinstance(value, np.ndarray):
        finite = bool(np.isfinite(value).all()) if value.dtype.kind == "f" else True
        return f"an array of {value.dtype}, shape {value.shape}{'' if finite else ', not finite'}"
    return repr(value)[:80]


def _share(values: tuple[float, ...], whole: FloatArray) -> FloatArray:
    return np.clip(np.array(values) / whole, -1, 1).astype(np.float32)


def _point(shares: FloatArray) -> Vector3:
    x, y, z = (shares * POINT_M).tolist()
    return (x, y, z)


def _text() -> spaces.Text:
    return spaces.Text(LONGEST_TEXT, min_length=0, charset=LETTERS)
