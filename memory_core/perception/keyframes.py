"""Which frames are worth keeping: when the robot moved, turned, or the picture changed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from memory_core.errors import InvalidImage
from memory_core.geometry import angle_between
from memory_core.types import FloatArray, Keyframe, Pose

_THUMBNAIL = (32, 24)


@dataclass(frozen=True, slots=True)
class KeyframeRule:
    """When a frame becomes a keyframe.

    Attributes:
        distance_m: Moved this far since the last one, metres.
        angle_rad: Turned this far, radians.
        change: Mean absolute difference of equalised thumbnails, 0 to 1.
        min_gap_s: Never more often than this, seconds.
        max_gap_s: At least this often while anything differs, seconds.
    """

    distance_m: float = 0.5
    angle_rad: float = 0.35
    change: float = 0.12
    min_gap_s: float = 0.2
    max_gap_s: float = 60.0


class KeyframeSelector:
    """Remembers the last keyframe and judges each new frame against it."""

    def __init__(self, rule: KeyframeRule | None = None) -> None:
        """Choose the rule."""
        self.rule = rule or KeyframeRule()
        self._stamp_ns: int | None = None
        self._pose: Pose | None = None
        self._thumbnail: FloatArray | None = None

    def wants(self, stamp_ns: int, pose: Pose | None, image: FloatArray | None) -> bool:
        """Whether a frame is to be kept; if so it becomes the one to compare with.

        Args:
            stamp_ns: Its time.
            pose: The robot's pose in a fixed frame; None where unknown.
            image: The picture, shape (h, w, 3), uint8; None to judge by motion alone.
        """
        thumbnail = None if image is None else _thumbnail(image)
        if not self._differs(stamp_ns, pose, thumbnail):
            return False
        self._stamp_ns, self._pose, self._thumbnail = stamp_ns, pose, thumbnail
        return True

    def _differs(self, stamp_ns: int, pose: Pose | None, thumbnail: FloatArray | None) -> bool:
        if self._stamp_ns is None or stamp_ns < self._stamp_ns:
            return True
        gap_s = (stamp_ns - self._stamp_ns) * 1e-9
        if gap_s < self.rule.min_gap_s:
            return False
        if pose is not None and self._pose is not None:
            moved = float(np.linalg.norm(np.subtract(pose.position, self._pose.position)))
            turned = angle_between(np.array(pose.quaternion), np.array(self._pose.quaternion))
            if moved >= self.rule.distance_m or turned >= self.rule.angle_rad:
                return True
        if thumbnail is None or self._thumbnail is None:
            return pose is None or gap_s >= self.rule.max_gap_s
        difference = float(np.abs(thumbnail - self._thumbnail).mean())
        return difference >= self.rule.change or (
            gap_s >= self.rule.max_gap_s and difference >= self.rule.change / 4
        )


def _thumbnail(image: FloatArray) -> FloatArray:
    import cv2

    small = cv2.resize(np.asarray(image), _THUMBNAIL, interpolation=cv2.INTER_AREA)
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY) if small.ndim == 3 else small
    return np.asarray(cv2.equalizeHist(grey), np.float32) / 255.0


def encode_jpeg(image: FloatArray, *, quality: int = 85) -> Keyframe:
    """A picture as a keyframe.

    Args:
        image: Shape (h, w, 3), uint8, RGB.
        quality: JPEG quality, 1 to 100.

    Raises:
        InvalidImage: It cannot be encoded.
    """
    import cv2

    try:
        done, data = cv2.imencode(
            ".jpg",
            cv2.cvtColor(np.asarray(image), cv2.COLOR_RGB2BGR),
            [cv2.IMWRITE_JPEG_QUALITY, quality],
        )
    except cv2.error:
        done = False
    if not done:
        raise InvalidImage(f"an image of shape {np.shape(image)} cannot be encoded")
    return Keyframe(data.tobytes(), int(image.shape[1]), int(image.shape[0]))


def decode_image(data: bytes) -> FloatArray:
    """JPEG or PNG bytes as an RGB picture, shape (h, w, 3), uint8.

    Raises:
        InvalidImage: The bytes are not an image, or only a part of one.
    """
    import cv2

    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) if data else None
    except cv2.error as error:
        raise InvalidImage(f"{len(data)} bytes cannot be decoded as an image: {error}") from None
    if image is None:
        raise InvalidImage(f"{len(data)} bytes cannot be decoded as an image")
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB))
