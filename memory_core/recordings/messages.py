"""ROS messages to this project's types, by field names alone.

Any object with the fields of the message will do: `rosbags`' generated types, rclpy's, or a
test's. Nothing here imports ROS.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np

from memory_core.errors import InputRejected, InvalidImage, InvalidSighting
from memory_core.perception.camera import Intrinsics
from memory_core.perception.keyframes import decode_image
from memory_core.types import FloatArray, Json, Pose, Sighting
from memory_core.validation import check_pose, check_sighting

SCAN_SECTORS = 72

_CHANNELS = {"rgb8": 3, "bgr8": 3, "rgba8": 4, "bgra8": 4, "mono8": 1, "8UC1": 1, "8UC3": 3}
_DEPTHS: dict[str, tuple[str, float]] = {
    "16UC1": ("u2", 1e-3), "mono16": ("u2", 1e-3), "32FC1": ("f4", 1.0)}  # fmt: skip


def stamp_ns(stamp: Any) -> int:
    """builtin_interfaces/Time to nanoseconds."""
    return int(stamp.sec) * 1_000_000_000 + int(stamp.nanosec)


def pose_of(message: Any) -> Pose:
    """geometry_msgs/Pose.

    Raises:
        InvalidPose: It is not finite, or its quaternion not of length 1.
    """
    p, q = message.position, message.orientation
    return checked_pose(p, q)


def transform_of(message: Any) -> Pose:
    """geometry_msgs/Transform: the child frame's pose in its parent.

    Raises:
        InvalidPose: It is not finite, or its quaternion not of length 1.
    """
    return checked_pose(message.translation, message.rotation)


def checked_pose(position: Any, rotation: Any) -> Pose:
    """A pose from a vector with x, y, z and a quaternion with x, y, z, w."""
    pose = Pose(
        float(position.x), float(position.y), float(position.z),
        float(rotation.x), float(rotation.y), float(rotation.z), float(rotation.w),
    )  # fmt: skip
    check_pose(pose)
    return pose


def covariance_of(values: Any) -> tuple[float, ...] | None:
    """A 36-number covariance; None where it is all zero (ROS for "unknown") or negative."""
    numbers = tuple(map(float, values))
    known = any(numbers) and all(math.isfinite(n) for n in numbers)
    return numbers if known and all(numbers[i * 7] >= 0 for i in range(6)) else None


def image_of(message: Any) -> FloatArray:
    """sensor_msgs/Image as an RGB picture, shape (h, w, 3), uint8.

    Raises:
        InvalidImage: The encoding is unknown or the data has the wrong length.
    """
    channels = _CHANNELS.get(message.encoding)
    if channels is None:
        known = ", ".join(_CHANNELS)
        raise InvalidImage(f"image encoding {message.encoding!r} is unknown; known: {known}")
    pixels = _rows(message, np.dtype("u1"), channels)
    if channels == 1:
        return np.repeat(pixels, 3, axis=2)
    pixels = pixels[:, :, :3]
    return np.ascontiguousarray(
        pixels[:, :, ::-1] if message.encoding.startswith("bgr") else pixels
    )


def is_depth(message: Any) -> bool:
    """Whether an image message holds depth, by its encoding (its topic may be called anything)."""
    return getattr(message, "encoding", None) in _DEPTHS


def depth_of(message: Any) -> FloatArray:
    """sensor_msgs/Image as depth, shape (h, w), float32 metres, 0 where there is no reading.

    Raises:
        InvalidImage: The encoding is not one of depth, or the data has the wrong length.
    """
    if message.encoding not in _DEPTHS:
        raise InvalidImage(f"{message.encoding!r} is no depth encoding; known: 16UC1, 32FC1")
    code, scale = _DEPTHS[message.encoding]
    order = ">" if message.is_bigendian else "<"
    values = _rows(message, np.dtype(order + code), 1)[:, :, 0].astype(np.float32) * scale
    values[~np.isfinite(values)] = 0
    return np.asarray(values)


def _rows(message: Any, dtype: np.dtype[Any], channels: int) -> FloatArray:
    height, width, step = int(message.height), int(message.width), int(message.step)
    data = np.frombuffer(bytes(message.data), np.uint8)
    wanted = width * channels * dtype.itemsize
    if height < 1 or width < 1 or step < wanted or data.size < height * step:
        raise InvalidImage(
            f"image of {width} x {height} ({message.encoding}) has {data.size} bytes at a step "
            f"of {step}; expected {height} rows of at least {wanted}"
        )
    rows = data[: height * step].reshape(height, step)[:, :wanted]
    return np.ascontiguousarray(rows).view(dtype).reshape(height, width, channels)


def compressed_image_of(message: Any) -> FloatArray:
    """sensor_msgs/CompressedImage as an RGB picture.

    Raises:
        InvalidImage: The bytes are not an image.
    """
    return decode_image(bytes(message.data))


def intrinsics_of(message: Any) -> Intrinsics:
    """sensor_msgs/CameraInfo."""
    k = [float(value) for value in (message.k if hasattr(message, "k") else message.K)]
    return Intrinsics(k[0], k[4], k[2], k[5], int(message.width), int(message.height))


def scan_of(message: Any) -> list[float | None]:
    """sensor_msgs/LaserScan as the nearest range (metres) in each of 72 sectors of 5 degrees.

    Sector 0 begins at -pi in the scanner's frame; None where nothing was hit.

    Raises:
        InputRejected: Its angles are not finite.
    """
    ranges = np.asarray(message.ranges, np.float64)
    if not math.isfinite(message.angle_min) or not math.isfinite(message.angle_increment):
        raise InputRejected("the scan's angles are not finite")
    angles = float(message.angle_min) + np.arange(ranges.size) * float(message.angle_increment)
    valid = np.isfinite(ranges) & (ranges >= message.range_min) & (ranges <= message.range_max)
    sector = np.floor((angles + np.pi) % (2 * np.pi) / (2 * np.pi) * SCAN_SECTORS).astype(int)
    nearest = np.full(SCAN_SECTORS, np.inf)
    np.minimum.at(nearest, np.minimum(sector[valid], SCAN_SECTORS - 1), ranges[valid])
    return [round(float(r), 3) if np.isfinite(r) else None for r in nearest]


def battery_of(message: Any) -> Json:
    """sensor_msgs/BatteryState: charge (0 to 1), volts, degrees Celsius; what is NaN is left out."""
    found = {
        "charge": float(message.percentage),
        "voltage_v": float(message.voltage),
        "temperature_c": float(getattr(message, "temperature", math.nan)),
    }
    return {name: round(value, 4) for name, value in found.items() if math.isfinite(value)}


def temperature_of(message: Any) -> Json:
    """sensor_msgs/Temperature: degrees Celsius; nothing where it is not finite."""
    value = float(message.temperature)
    return {"temperature_c": round(value, 3)} if math.isfinite(value) else {}


def diagnostics_of(message: Any) -> dict[str, tuple[int, str]]:
    """diagnostic_msgs/DiagnosticArray: level (0 ok, 1 warning, 2 error, 3 stale) and words, by name.

    What a memory says about itself is left out: it is not the robot's body.
    """
    found = {}
    for status in message.status:
        level = status.level[0] if isinstance(status.level, bytes) else int(status.level)
        if status.hardware_id != "robot_memory":
            found[str(status.name)[:100]] = (level, str(status.message)[:200])
    return found


def detection_3d(detection: Any, frame_in_base: Pose) -> Sighting | None:
    """vision_msgs/Detection3D as a sighting in the base frame; None where nothing is named.

    Args:
        detection: One of the array's.
        frame_in_base: The pose of the message's frame in the observation's own frame.

    Raises:
        InvalidPose: The box's centre is not finite, or its quaternion not of length 1.
        InvalidSighting: Its size or score is not finite.
    """
    label, score = _best(detection.results)
    if not label:
        return None
    centre = pose_of(detection.bbox.center).position
    size = detection.bbox.size
    found = Sighting(
        label,
        position=frame_in_base.apply(*centre),
        size=(float(size.x), float(size.y), float(size.z)),
        confidence=score,
    )
    check_sighting(found)
    return found


def detection_2d(
    detection: Any, intrinsics: Intrinsics | None, camera_in_base: Pose
) -> Sighting | None:
    """vision_msgs/Detection2D as a sighting with a bearing in the base frame.

    Args:
        detection: One of the array's, in pixels.
        intrinsics: The camera; None leaves the bearing out.
        camera_in_base: The pose of the optical frame in the observation's own frame.

    Returns:
        None where nothing is named.

    Raises:
        InvalidSighting: Its box or score is not finite.
    """
    label, score = _best(detection.results)
    if not label:
        return None
    box = detection.bbox
    middle = box.center.position if hasattr(box.center, "position") else box.center
    u, v, width, height = (float(n) for n in (middle.x, middle.y, box.size_x, box.size_y))
    if not all(map(math.isfinite, (u, v, width, height))):
        raise InvalidSighting(f"the box of {label!r} is not finite: {u}, {v}, {width}, {height}")
    found = Sighting(label, confidence=score)
    if intrinsics is not None:
        ray = intrinsics.rays(np.array([[u, v]]))[0].tolist()
        x, y, z = np.subtract(camera_in_base.apply(*ray), camera_in_base.position).tolist()
        found = replace(
            found,
            bearing=(math.atan2(y, x), math.atan2(z, math.hypot(x, y))),
            size=(
                2 * math.atan(width / 2 / intrinsics.fx),
                2 * math.atan(height / 2 / intrinsics.fy),
                0.0,
            ),
        )
    check_sighting(found)
    return found


def _best(results: Any) -> tuple[str, float]:
    best, score = "", -1.0
    for result in results:
        hypothesis = getattr(result, "hypothesis", result)
        label = str(getattr(hypothesis, "class_id", getattr(hypothesis, "id", "")))
        if float(hypothesis.score) > score and label.strip():
            best, score = label, float(hypothesis.score)
    return best, min(1.0, max(0.0, score))


def is_caption(text: str) -> bool:
    """Whether a string message reads like words for people rather than XML, JSON or numbers."""
    stripped = text.strip()
    if not stripped or len(stripped) > 4_000 or stripped[0] in "<{[":
        return False
    letters = sum(character.isalpha() or character.isspace() for character in stripped)
    return letters / len(stripped) > 0.6
