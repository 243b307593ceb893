"""One ROS message after another into observations: images, depth, detections, scans, body state.

The same code reads bags and serves a live robot; what differs, where frames are at a moment, is
asked of `Placed`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np

from memory_core.errors import InputRejected
from memory_core.geometry import angle_between
from memory_core.perception.camera import OPTICAL_IN_BODY, Intrinsics, object_position
from memory_core.perception.keyframes import KeyframeSelector, encode_jpeg
from memory_core.perception.place import place_embedding
from memory_core.recordings import messages as ros
from memory_core.recordings.base import Reading
from memory_core.recordings.detect import ReadOptions
from memory_core.types import FloatArray, Json, Pose, Sighting

USES = {
    "nav_msgs/msg/Odometry": "path",
    "tf2_msgs/msg/TFMessage": "frames",
    "sensor_msgs/msg/Image": "keyframes",
    "sensor_msgs/msg/CompressedImage": "keyframes",
    "sensor_msgs/msg/CameraInfo": "camera",
    "sensor_msgs/msg/LaserScan": "obstacles",
    "sensor_msgs/msg/BatteryState": "body",
    "sensor_msgs/msg/Temperature": "body",
    "diagnostic_msgs/msg/DiagnosticArray": "body",
    "vision_msgs/msg/Detection2DArray": "sightings",
    "vision_msgs/msg/Detection3DArray": "sightings",
    "std_msgs/msg/String": "captions",
}
"""What messages of a type are used for."""

PLACE_GAP_NS = 500_000_000
"""Pictures are described for their place no more often."""
DEPTH_GAP_NS = 50_000_000
SCAN_MOVED_M = 0.25
SCAN_TURNED_RAD = 0.35
BODY_GAP_NS = 60_000_000_000
BODY_CHANGE = 0.01
_HEALTH = ("well again", "warning", "error", "silent")


@dataclass(frozen=True, slots=True)
class Heard:
    """Where a message comes from.

    Attributes:
        topic: Its topic.
        type: `package/msg/Name`.
        use: One of `USES`' values, or `depth`.
        stamp_ns: Of its header where it has one, else when it was received.
        run: How often the clock was set back before it.
    """

    topic: str
    type: str
    use: str
    stamp_ns: int
    run: int = 0

    @property
    def where(self) -> str:
        """As refusals name it."""
        return f"{self.topic} at {self.stamp_ns} ns"


class Placed(Protocol):
    """Where frames are."""

    def pose(self, stamp_ns: int, *, run: int) -> Pose | None:
        """The robot's base in the fixed frame; None, and counted, where nobody knows."""

    def in_base(self, frame: str, stamp_ns: int, *, run: int) -> Pose:
        """A frame's pose in the robot's base frame.

        Raises:
            UnknownFrame: No transform tells.
        """

    def camera(self, frame: str) -> Intrinsics | None:
        """The camera of an optical frame; None while it is not known."""


class Perceiver:
    """What becomes of messages, whichever way they come."""

    def __init__(self, placed: Placed, options: ReadOptions, reading: Reading) -> None:
        """Nothing was perceived yet.

        Args:
            placed: Where frames are.
            options: Keyframe rule, detector and captioner.
            reading: Where parts that cannot be used are counted.
        """
        self._placed = placed
        self._options = options
        self._reading = reading
        self._selectors: dict[tuple[str, int], KeyframeSelector] = {}
        self._depth: tuple[int, FloatArray, str] | None = None
        self._scan_pose: Pose | None = None
        self._described: dict[str, int] = {}
        self._body: dict[str, tuple[int, Json]] = {}
        self._health: dict[str, int] = {}

    def take(self, heard: Heard, message: Any) -> dict[str, Any] | None:
        """The parts of an observation that a message makes: pose, text, sightings, keyframe, extra.

        Args:
            heard: Where it comes from.
            message: Any object with the fields of its type.

        Returns:
            None where it makes none.

        Raises:
            InputRejected: It cannot be used; nothing of it was kept.
        """
        match heard.use:
            case "depth" | "keyframes":
                if ros.is_depth(message):
                    depth = ros.depth_of(message)
                    self._depth = (heard.stamp_ns, depth, message.header.frame_id)
                    return None
                return self._image(heard, message)
            case "sightings":
                return self._detections(heard, message)
            case "captions":
                return {"pose": self._pose(heard), "text": str(message.data)}
            case "obstacles":
                return self._scan(heard, message)
            case _ if heard.type.endswith("DiagnosticArray"):
                return self._diagnostics(heard, message)
            case _:
                return self._body_state(heard, message)

    def _pose(self, heard: Heard) -> Pose | None:
        return self._placed.pose(heard.stamp_ns, run=heard.run)

    def _in_base(self, heard: Heard, frame: str) -> Pose:
        return self._placed.in_base(frame, heard.stamp_ns, run=heard.run)

    def _image(self, heard: Heard, message: Any) -> dict[str, Any] | None:
        compressed = heard.type.endswith("CompressedImage")
        image = ros.compressed_image_of(message) if compressed else ros.image_of(message)
        pose, options = self._pose(heard), self._options
        selector = self._selectors.setdefault(
            (heard.topic, heard.run), KeyframeSelector(options.keyframes)
        )
        if not selector.wants(heard.stamp_ns, pose, image):
            return None
        found: dict[str, Any] = {"pose": pose, "keyframe": encode_jpeg(image)}
        described_ns = self._described.get(heard.topic)
        if options.places and (
            described_ns is None or abs(heard.stamp_ns - described_ns) >= PLACE_GAP_NS
        ):
            found["embeddings"] = place_embedding(image)
            self._described[heard.topic] = heard.stamp_ns
        if options.detector is not None:
            found["sightings"] = tuple(options.detector(image))
        if options.captioner is not None:
            found["text"] = options.captioner(image)
        return found

    def _detections(self, heard: Heard, message: Any) -> dict[str, Any] | None:
        frame = message.header.frame_id
        in_base = self._in_base(heard, frame)
        solid = heard.type.endswith("Detection3DArray")
        sightings = []
        for number, detection in enumerate(message.detections):
            try:
                if solid:
                    sighting = ros.detection_3d(detection, in_base)
                else:
                    sighting = self._place_2d(heard, frame, detection, in_base)
            except InputRejected as error:
                self._reading.refuse(f"{heard.where}, detection {number}", error)
                continue
            if sighting is not None:
                sightings.append(sighting)
        return {"pose": self._pose(heard), "sightings": tuple(sightings)} if sightings else None

    def _place_2d(self, heard: Heard, frame: str, detection: Any, in_base: Pose) -> Sighting | None:
        """A bearing; a position where a depth image of the same camera and moment is there."""
        intrinsics = self._placed.camera(frame)
        sighting = ros.detection_2d(detection, intrinsics, in_base)
        if sighting is None or intrinsics is None or self._depth is None:
            return sighting
        depth_ns, depth, depth_frame = self._depth
        if abs(depth_ns - heard.stamp_ns) > DEPTH_GAP_NS or depth_frame != frame:
            return sighting
        found = object_position(depth, intrinsics, _box_mask(detection.bbox, depth.shape))
        if found is None:
            return sighting
        centre = in_base.compose(OPTICAL_IN_BODY.inverse()).apply(*found[0])
        return replace(sighting, position=centre, size=found[2])

    def _scan(self, heard: Heard, message: Any) -> dict[str, Any] | None:
        pose, last = self._pose(heard), self._scan_pose
        if pose is None or (
            last is not None
            and np.linalg.norm(np.subtract(pose.position, last.position)) < SCAN_MOVED_M
            and angle_between(np.array(pose.quaternion), np.array(last.quaternion))
            < SCAN_TURNED_RAD
        ):
            return None
        frame = self._in_base(heard, message.header.frame_id)
        extra = {"scan_m": ros.scan_of(message), "scanner_yaw": round(frame.yaw, 4)}
        self._scan_pose = pose
        return {"pose": pose, "extra": extra}

    def _body_state(self, heard: Heard, message: Any) -> dict[str, Any] | None:
        battery = heard.type.endswith("BatteryState")
        state = ros.battery_of(message) if battery else ros.temperature_of(message)
        last = self._body.get(heard.topic)
        if not state or (
            last is not None
            and heard.stamp_ns - last[0] < BODY_GAP_NS
            and all(
                abs(state.get(key, 0) - value) < max(BODY_CHANGE, BODY_CHANGE * abs(value))
                for key, value in last[1].items()
            )
        ):
            return None
        self._body[heard.topic] = (heard.stamp_ns, state)
        words = ", ".join(f"{name.rsplit('_', 1)[0]} {value:g}" for name, value in state.items())
        return {
            "pose": self._pose(heard), "text": f"body state: {words}", "extra": {"body": state}
        }  # fmt: skip

    def _diagnostics(self, heard: Heard, message: Any) -> dict[str, Any] | None:
        """What parts of the robot say of themselves, where one's level changed."""
        told = {
            name: (level, said)
            for name, (level, said) in ros.diagnostics_of(message).items()
            if level != self._health.get(name, 0)
        }
        if not told:
            return None
        self._health |= {name: level for name, (level, _) in told.items()}
        words = ", ".join(
            f"{name}: {_HEALTH[min(level, 3)]}{f' ({said})' if level and said else ''}"
            for name, (level, said) in told.items()
        )
        return {
            "pose": self._pose(heard), "text": f"body state: {words}",
            "extra": {"diagnostics": {name: level for name, (level, _) in told.items()}},
        }  # fmt: skip


def _box_mask(box: Any, shape: tuple[int, ...]) -> Any:
    centre = box.center.position if hasattr(box.center, "position") else box.center
    mask = np.zeros(shape[:2], bool)
    half_w, half_h = float(box.size_x) * 0.4, float(box.size_y) * 0.4
    left, right = int(max(0, centre.x - half_w)), int(max(0, centre.x + half_w)) + 1
    top, bottom = int(max(0, centre.y - half_h)), int(max(0, centre.y + half_h)) + 1
    mask[top:bottom, left:right] = True
    return mask
