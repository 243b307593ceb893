"""Flats before and after somebody moved things (AI2-THOR rearrangement, Batra et al. 2020).

Unity's frame (left-handed, y up, z forward, degrees) becomes REP-103 (x forward, y left, z up):
x = z, y = -x, z = y. Names of objects are ground truth for scoring: a robot sees the type.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from memory_core.errors import RecordingUnreadable
from memory_core.recordings.files import read_json
from memory_core.types import FloatArray, Json, Pose, Vector3

_FROM_UNITY = np.array([[0.0, 0.0, 1.0], [-1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])


@dataclass(frozen=True, slots=True)
class Item:
    """One object of a flat at one time.

    Attributes:
        name: Hidden identity.
        kind: Its type.
        pose: In the flat.
        openness: 0 shut to 1 open; None where it does not open or nobody said.
    """

    name: str
    kind: str
    pose: Pose
    openness: float | None = None


@dataclass(frozen=True, slots=True)
class Episode:
    """A flat at two times.

    Attributes:
        scene: The flat's name.
        robot: Where a robot stands, and its heading.
        before: Items by name.
        after: The same names.
    """

    scene: str
    robot: Pose
    before: Mapping[str, Item]
    after: Mapping[str, Item]


def read_episodes(path: Path) -> list[Episode]:
    """All episodes of a file.

    Args:
        path: JSON, plain or gzipped.

    Raises:
        RecordingUnreadable: It is damaged, or not a list of episodes.
    """
    value = read_json(path)
    if not isinstance(value, list) or not value:
        raise RecordingUnreadable(f"{path} is not a list of rearrangement episodes")
    episodes = []
    for number, entry in enumerate(value):
        try:
            episodes.append(_episode(entry))
        except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
            raise RecordingUnreadable(
                f"episode {number} of {path} cannot be read: {error!r}"
            ) from None
    return episodes


def _episode(entry: Json) -> Episode:
    before = {item.name: item for item in map(_item, entry["starting_poses"])}
    after = {item.name: item for item in map(_item, entry["target_poses"])}
    for openable in entry["openable_data"]:
        item = _openable(openable, "start_openness")
        before[item.name] = item
        after[item.name] = _openable(openable, "target_openness")
    if set(before) != set(after):
        raise ValueError(f"{sorted(set(before) ^ set(after))} exist at one time only")
    x, y, z = _position(entry["agent_position"])
    heading = -math.radians(float(entry["agent_rotation"]))
    return Episode(str(entry["scene"]), Pose.from_yaw(x, y, z=z, yaw=heading), before, after)


def _item(entry: Json) -> Item:
    matrix = np.eye(4)
    matrix[:3, :3] = _rotation(entry["rotation"])
    matrix[:3, 3] = _position(entry["position"])
    return Item(entry["name"], _kind(entry["objectName"]), Pose.from_matrix(matrix))


def _openable(entry: Json, when: str) -> Item:
    """Openables have no pose: their place is written in their id, `Type|x|y|z`."""
    x, y, z = map(float, entry["objectId"].split("|")[1:4])
    place = _position({"x": x, "y": y, "z": z})
    return Item(entry["name"], _kind(entry["objectName"]), Pose(*place), float(entry[when]))


def _kind(object_name: str) -> str:
    return object_name.split("_")[0]


def _position(unity: Json) -> Vector3:
    position = _FROM_UNITY @ np.array([unity["x"], unity["y"], unity["z"]], np.float64)
    if not np.isfinite(position).all():
        raise ValueError("a position is not finite")
    x, y, z = map(float, position)
    return (x, y, z)


def _rotation(unity: Json) -> FloatArray:
    """Unity applies z, then x, then y, about the fixed axes."""
    x, y, z = (math.radians(float(unity[axis])) for axis in "xyz")
    about_x = np.array([[1, 0, 0], [0, math.cos(x), -math.sin(x)], [0, math.sin(x), math.cos(x)]])
    about_y = np.array([[math.cos(y), 0, math.sin(y)], [0, 1, 0], [-math.sin(y), 0, math.cos(y)]])
    about_z = np.array([[math.cos(z), -math.sin(z), 0], [math.sin(z), math.cos(z), 0], [0, 0, 1]])
    return np.asarray(_FROM_UNITY @ about_y @ about_x @ about_z @ _FROM_UNITY.T)
