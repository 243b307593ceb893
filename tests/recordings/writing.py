"""Bags written as robots write them: messages from nested dictionaries, missing fields zero."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from rosbags.interfaces import Nodetype
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.typesys import Stores, get_types_from_msg, get_typestore

START_NS = 1_700_000_000_000_000_000
VISION = {  # vision_msgs 4, as ROS 2 Humble to Jazzy have it
    "ObjectHypothesis": "string class_id\nfloat64 score",
    "ObjectHypothesisWithPose": (
        "vision_msgs/ObjectHypothesis hypothesis\ngeometry_msgs/PoseWithCovariance pose"
    ),
    "BoundingBox3D": "geometry_msgs/Pose center\ngeometry_msgs/Vector3 size",
    "Point2D": "float64 x\nfloat64 y",
    "Pose2D": "vision_msgs/Point2D position\nfloat64 theta",
    "BoundingBox2D": "vision_msgs/Pose2D center\nfloat64 size_x\nfloat64 size_y",
    "Detection3D": (
        "std_msgs/Header header\nvision_msgs/ObjectHypothesisWithPose[] results\n"
        "vision_msgs/BoundingBox3D bbox\nstring id"
    ),
    "Detection2D": (
        "std_msgs/Header header\nvision_msgs/ObjectHypothesisWithPose[] results\n"
        "vision_msgs/BoundingBox2D bbox\nstring id"
    ),
    "Detection3DArray": "std_msgs/Header header\nvision_msgs/Detection3D[] detections",
    "Detection2DArray": "std_msgs/Header header\nvision_msgs/Detection2D[] detections",
}
STORE = get_typestore(Stores.ROS2_JAZZY)
for _name, _text in VISION.items():
    STORE.register(get_types_from_msg(_text, f"vision_msgs/msg/{_name}"))

UPRIGHT = {"x": 0.0, "y": 0.0, "z": 0.0, "w": 1.0}
OPTICAL = {"x": -0.5, "y": 0.5, "z": -0.5, "w": 0.5}  # looks along the parent's x


def message(kind: str, given: dict[str, Any]) -> Any:
    """A message of a type; fields that are not given are zero, empty or False."""
    fields = {}
    for name, node in STORE.fielddefs[kind][1]:
        fields[name] = _field(node, given.get(name))
    unknown = given.keys() - fields.keys()
    assert not unknown, f"{kind} has no {unknown}"
    return STORE.types[kind](**fields)


def _field(node: Any, value: Any) -> Any:
    form, detail = node
    if form == Nodetype.NAME:
        return message(detail, value or {})
    if form == Nodetype.BASE:
        name = detail[0]
        if value is not None:
            return value
        return "" if name == "string" else False if name == "bool" else 0
    inner, length = detail
    if inner[0] == Nodetype.NAME:
        return [_field(inner, item) for item in value or []]
    if inner[1][0] == "string":
        return list(value or [])
    dtype = np.dtype({"float64": "f8", "float32": "f4", "uint8": "u1", "octet": "u1"}.get(
        inner[1][0], inner[1][0]))  # fmt: skip
    return np.asarray(np.zeros(length) if value is None else value, dtype)


def stamp(seconds: float) -> dict[str, int]:
    """Seconds after the start, as a message has it."""
    total = START_NS + round(seconds * 1e9)
    return {"sec": total // 10**9, "nanosec": total % 10**9}


def header(frame: str, seconds: float) -> dict[str, Any]:
    return {"frame_id": frame, "stamp": stamp(seconds)}


def about_z(yaw: float) -> dict[str, float]:
    return {"x": 0.0, "y": 0.0, "z": math.sin(yaw / 2), "w": math.cos(yaw / 2)}


def transform(parent, child, seconds, xyz=(0.0, 0.0, 0.0), turn=None) -> dict[str, Any]:
    x, y, z = xyz
    return {
        "header": header(parent, seconds),
        "child_frame_id": child,
        "transform": {
            "translation": {"x": x, "y": y, "z": z}, "rotation": turn or UPRIGHT},
    }  # fmt: skip


def odometry(seconds, xyz=(0.0, 0.0, 0.0), turn=None, *, frame="odom", child="base_link"):
    x, y, z = xyz
    pose = {"position": {"x": x, "y": y, "z": z}, "orientation": turn or UPRIGHT}
    return {"header": header(frame, seconds), "child_frame_id": child, "pose": {"pose": pose}}


def image(seconds, pixels, encoding, *, frame="camera", data=None) -> dict[str, Any]:
    raw = np.ascontiguousarray(pixels)
    step = raw.shape[1] * raw.dtype.itemsize * (raw.shape[2] if raw.ndim == 3 else 1)
    return {
        "header": header(frame, seconds), "height": raw.shape[0], "width": raw.shape[1],
        "encoding": encoding, "step": step,
        "data": np.frombuffer(raw.tobytes() if data is None else data, np.uint8),
    }  # fmt: skip


def camera_info(seconds, *, fx, fy, cx, cy, width, height, frame="camera") -> dict[str, Any]:
    k = [fx, 0.0, cx, 0.0, fy, cy, 0.0, 0.0, 1.0]
    return {"header": header(frame, seconds), "width": width, "height": height, "k": k}


def result(label, score=0.9) -> list[dict[str, Any]]:
    return [{"hypothesis": {"class_id": label, "score": score}}]


def box_3d(label, xyz, size=(0.1, 0.2, 0.3), turn=None) -> dict[str, Any]:
    (x, y, z), (sx, sy, sz) = xyz, size
    centre = {"position": {"x": x, "y": y, "z": z}, "orientation": turn or UPRIGHT}
    return {
        "results": result(label), "bbox": {"center": centre, "size": {"x": sx, "y": sy, "z": sz}}
    }  # fmt: skip


def box_2d(label, u, v, width, height) -> dict[str, Any]:
    centre = {"position": {"x": u, "y": v}}
    return {
        "results": result(label),
        "bbox": {"center": centre, "size_x": width, "size_y": height},
    }


KINDS = {
    "odometry": "nav_msgs/msg/Odometry", "tf": "tf2_msgs/msg/TFMessage",
    "image": "sensor_msgs/msg/Image", "compressed": "sensor_msgs/msg/CompressedImage",
    "camera": "sensor_msgs/msg/CameraInfo", "scan": "sensor_msgs/msg/LaserScan",
    "battery": "sensor_msgs/msg/BatteryState", "temperature": "sensor_msgs/msg/Temperature",
    "string": "std_msgs/msg/String", "boxes_2d": "vision_msgs/msg/Detection2DArray",
    "boxes_3d": "vision_msgs/msg/Detection3DArray", "twist": "geometry_msgs/msg/Twist",
}  # fmt: skip


def write_bag(
    path: Path,
    sent: Iterable[tuple[float, str, str, dict[str, Any]]],
    *,
    storage: str = "sqlite3",
    silent: Iterable[tuple[str, str]] = (),
) -> Path:
    """Write a rosbag2 folder.

    Args:
        path: The folder to make.
        sent: (seconds by the log, topic, kind, fields); bytes in place of fields go in as they are.
        storage: `sqlite3` or `mcap`.
        silent: (topic, kind) that are there without messages.
    """
    plugin = {"sqlite3": StoragePlugin.SQLITE3, "mcap": StoragePlugin.MCAP}[storage]
    with Writer(path, version=9, storage_plugin=plugin) as writer:
        topics: dict[str, Any] = {}

        def connection(topic: str, kind: str) -> Any:
            if topic not in topics:
                topics[topic] = writer.add_connection(topic, KINDS[kind], typestore=STORE)
            return topics[topic]

        for topic, kind in silent:
            connection(topic, kind)
        for seconds, topic, kind, fields in sent:
            raw = fields
            if not isinstance(fields, bytes):
                raw = STORE.serialize_cdr(message(KINDS[kind], fields), KINDS[kind])
            writer.write(connection(topic, kind), START_NS + round(seconds * 1e9), raw)
    return path


def straight_drive(
    seconds: int = 10, *, speed: float = 0.5, rate: int = 10
) -> list[tuple[float, str, str, dict[str, Any]]]:
    """Odometry and tf of a robot that drives along x of `odom`, which stands turned in `map`."""
    sent = []
    for step in range(seconds * rate + 1):
        at = step / rate
        place = (speed * at, 0.0, 0.0)
        turned = transform("map", "odom", at, (10.0, 20.0, 0.0), about_z(math.pi / 2))
        moving = transform("odom", "base_link", at, place)
        sent.append((at, "/tf", "tf", {"transforms": [turned, moving]}))
        sent.append((at, "/odom", "odometry", odometry(at, place)))
    return sent
