"""Folders of RGB-D frames with poses (the layout of 7-Scenes, Shotton et al. 2013).

`frame-N.color.jpg` (or png), `frame-N.depth.png` (16-bit millimetres, 0 and 65535 no reading),
`frame-N.pose.txt` (4x4 camera-to-world), `camera-intrinsics.txt` (3x3). Poses become those of
the camera's REP-103 frame; the world is taken as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from memory_core.errors import (
    InputRejected,
    InvalidImage,
    InvalidPose,
    InvalidStamp,
    RecordingUnreadable,
)
from memory_core.geometry import is_rigid
from memory_core.identity import deterministic_id
from memory_core.perception.camera import OPTICAL_IN_BODY, Intrinsics
from memory_core.perception.keyframes import KeyframeSelector, decode_image, encode_jpeg
from memory_core.perception.place import place_embedding
from memory_core.recordings.base import Reading, TopicUse, content_identity
from memory_core.recordings.detect import ReadOptions
from memory_core.recordings.sidecar import read_sidecar
from memory_core.types import FloatArray, Json, Keyframe, Observation, Pose, Sighting

FRAME_PERIOD_NS = 33_333_333
FIRST_STAMP_NS = 1_000_000_000
SIDECAR_GAP_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class RgbdFrame:
    """One frame: number, picture (h, w, 3), depth (h, w, metres, 0 unknown), camera pose."""

    number: int
    image: FloatArray
    depth_m: FloatArray | None
    pose: Pose | None
    jpeg: bytes


class RgbdRecording:
    """A folder of frames; stamps are made from frame numbers at 30 Hz."""

    reader = "rgbd"

    def __init__(self, path: Path, options: ReadOptions) -> None:
        """List the frames.

        Raises:
            RecordingUnreadable: The folder holds no numbered colour frames.
        """
        self.path = path
        self.name = path.name
        self._options = options
        found = {}
        for file in path.glob("frame-*.color.*"):
            match = re.fullmatch(r"frame-(\d+)\.color\.(?:jpg|jpeg|png)", file.name)
            if match:
                found[int(match[1])] = file
        if not found:
            raise RecordingUnreadable(f"{path} holds no frame-N.color.jpg")
        self._frames = dict(sorted(found.items()))
        first, last = next(iter(self._frames.values())), next(reversed(self._frames.values()))
        self.identity = content_identity(first, last) + f"{len(self._frames):x}"
        self._intrinsics = _read_intrinsics(path / "camera-intrinsics.txt", first)

    @property
    def total(self) -> int:
        """Frames."""
        return len(self._frames)

    @property
    def numbers(self) -> list[int]:
        """Numbers of the frames, ascending."""
        return list(self._frames)

    @property
    def intrinsics(self) -> Intrinsics | None:
        """The camera; None where no file tells."""
        return self._intrinsics

    def topics(self) -> list[TopicUse]:
        """Kinds of files."""
        poses = sum(self._file(n, "pose.txt").exists() for n in self._frames)
        depths = sum(self._file(n, "depth.png").exists() for n in self._frames)
        return [
            TopicUse("frame-*.color", "image", len(self._frames), "keyframes"),
            TopicUse("frame-*.pose.txt", "4x4 pose", poses, "poses" if poses else "",
                     "" if poses else "missing: frames will have no place"),
            TopicUse("frame-*.depth.png", "depth, mm", depths,
                     "object positions" if depths and self._options.detector else "",
                     "" if self._options.detector else "no detector given, nothing to locate"),
            TopicUse("camera-intrinsics.txt", "3x3", int(self._intrinsics is not None),
                     "bearings and depth" if self._intrinsics else "",
                     "" if self._intrinsics else "missing or unreadable"),
        ]  # fmt: skip

    def _file(self, number: int, suffix: str) -> Path:
        return self._frames[number].with_name(
            self._frames[number].name.split(".color.")[0] + "." + suffix
        )

    def anchors(self) -> list[tuple[str, str, Pose]]:
        """None: poses are relative to the world's origin."""
        return []

    def geo_origin(self) -> Json:
        """Unknown."""
        return None

    def frame(self, number: int) -> RgbdFrame:
        """Read one frame.

        Raises:
            InvalidImage: The picture or the depth cannot be decoded.
            InvalidPose: The pose is not a 4x4 matrix of numbers.
        """
        jpeg = self._frames[number].read_bytes()
        image = decode_image(jpeg)
        return RgbdFrame(number, image, self._depth(number), self._pose(number), jpeg)

    def _depth(self, number: int) -> FloatArray | None:
        import cv2

        path = self._file(number, "depth.png")
        if not path.exists():
            return None
        data = np.frombuffer(path.read_bytes(), np.uint8)
        depth = cv2.imdecode(data, cv2.IMREAD_UNCHANGED) if data.size else None
        if depth is None or depth.dtype != np.uint16 or depth.ndim != 2:
            raise InvalidImage(f"{path.name} is not a 16-bit depth image")
        metres = depth.astype(np.float32) / 1000
        metres[depth == 65_535] = 0
        return np.asarray(metres)

    def _pose(self, number: int) -> Pose | None:
        path = self._file(number, "pose.txt")
        if not path.exists():
            return None
        try:
            matrix = np.array(path.read_text(encoding="utf-8").split(), np.float64).reshape(4, 4)
        except ValueError as error:
            raise InvalidPose(f"{path.name} is not a 4x4 matrix: {error}") from None
        if not is_rigid(matrix):
            raise InvalidPose(f"{path.name} is not a rigid pose")
        return Pose.from_matrix(matrix).compose(OPTICAL_IN_BODY.inverse())

    def observations(self, reading: Reading) -> Iterator[Observation]:
        """See `Recording.observations`: one observation a keyframe."""
        selector = KeyframeSelector(self._options.keyframes)
        notes = self._sidecar(reading)
        for number in self._frames:
            reading.done += 1
            where = f"frame {number} of {self.name}"
            try:
                frame = self.frame(number)
                stamp_ns = FIRST_STAMP_NS + number * FRAME_PERIOD_NS
                extra = notes.pop(stamp_ns, None)
                if selector.wants(stamp_ns, frame.pose, frame.image) or extra:
                    yield self._observation(frame, stamp_ns, extra)
            except InputRejected as error:
                reading.refuse(where, error)
            except OSError as error:
                reading.refuse(where, RecordingUnreadable(f"{where}: {error}"))

    def _sidecar(self, reading: Reading) -> dict[int, tuple[str | None, tuple[Sighting, ...]]]:
        """Captions by stamp; a line's `frame` names its frame directly."""
        found: dict[int, tuple[str | None, tuple[Sighting, ...]]] = {}
        if self._options.sidecar is not None:
            stamps = np.array([FIRST_STAMP_NS + n * FRAME_PERIOD_NS for n in self._frames])
            numbered = dict(zip(self._frames, stamps.tolist(), strict=True))
            lines = read_sidecar(self._options.sidecar, reading, frames=numbered)
            for stamp_ns, text, sightings in lines:
                nearest = int(stamps[np.abs(stamps - stamp_ns).argmin()])
                if abs(nearest - stamp_ns) > SIDECAR_GAP_NS:
                    reading.refuse(
                        f"{self._options.sidecar.name} at {stamp_ns} ns",
                        InvalidStamp(f"no frame within a second of {stamp_ns} ns"),
                    )
                    continue
                before = found.get(nearest, (None, ()))
                said = " ".join(part for part in (before[0], text) if part)
                found[nearest] = (said or None, before[1] + sightings)
        return found

    def _observation(
        self,
        frame: RgbdFrame,
        stamp_ns: int,
        said: tuple[str | None, tuple[Sighting, ...]] | None,
    ) -> Observation:
        options = self._options
        text, sightings = said or (None, ())
        if options.detector is not None:
            sightings += tuple(options.detector(frame.image))
        if options.captioner is not None and text is None:
            text = options.captioner(frame.image)
        height, width = frame.image.shape[:2]
        jpeg = frame.jpeg.startswith(b"\xff\xd8")
        return Observation(
            id=deterministic_id(self.identity, "camera", stamp_ns, frame.number),
            stamp_ns=stamp_ns,
            source="camera",
            robot=options.robot,
            session=options.session or self.name,
            pose=frame.pose,
            text=text,
            sightings=sightings,
            embeddings=place_embedding(frame.image) if options.places else {},
            keyframe=Keyframe(frame.jpeg, width, height) if jpeg else encode_jpeg(frame.image),
            extra={"frame": frame.number},
        )


def _read_intrinsics(path: Path, picture: Path) -> Intrinsics | None:
    try:
        matrix = np.array(path.read_text(encoding="utf-8").split(), np.float64).reshape(3, 3)
        height, width = decode_image(picture.read_bytes()).shape[:2]
        return Intrinsics(
            matrix[0, 0], matrix[1, 1], matrix[0, 2], matrix[1, 2], int(width), int(height)
        )
    except (OSError, ValueError, InputRejected):
        return None
