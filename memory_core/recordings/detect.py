"""Which reader a path needs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from memory_core.errors import RecordingUnreadable
from memory_core.perception.keyframes import KeyframeRule
from memory_core.recordings.base import Recording
from memory_core.types import FloatArray, Sighting

Detect = Callable[[FloatArray], Sequence[Sighting]]
Caption = Callable[[FloatArray], str | None]


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """What to know beyond the files themselves.

    Attributes:
        robot: The robot's name.
        session: The session's name; by default made from the recording's.
        sidecar: JSON Lines of captions and detections made elsewhere, by stamp.
        detector: Called with each keyframe (h, w, 3, uint8, RGB); sightings in the camera's
            REP-103 frame.
        captioner: Called with each keyframe; a sentence, or None.
        keyframes: Which frames are kept.
        places: Whether each is described for its place, so that pictures taken there are known.
        map_frame: The fixed frame; by default `map` where the recording has it, else the
            odometry's.
        base_frame: The robot's frame; by default what the odometry moves.
        caption_topics: String topics taken as captions; by default all that look like words.
    """

    robot: str = "robot"
    session: str | None = None
    sidecar: Path | None = None
    detector: Detect | None = None
    captioner: Caption | None = None
    keyframes: KeyframeRule = field(default_factory=KeyframeRule)
    places: bool = True
    map_frame: str | None = None
    base_frame: str | None = None
    caption_topics: tuple[str, ...] = ()


def open_recording(path: Path, options: ReadOptions | None = None) -> Recording:
    """Open a recording with the reader it needs.

    Args:
        path: A rosbag2 folder, a bare `.mcap` or `.db3`, a folder of RGB-D frames, a house tour
            (`.json`, `.json.gz` with `viewpoints`), captioned places or observations
            (`.jsonl`, `.jsonl.gz`).
        options: What to know beyond the files.

    Raises:
        RecordingUnreadable: Nothing is there, or nothing in it is known; the message lists what
            can be read.
    """
    options = options or ReadOptions()
    path = Path(path)
    if not path.exists():
        raise RecordingUnreadable(f"{path} does not exist")
    name = path.name.removesuffix(".gz")
    if path.is_dir():
        bags = any(file.suffix in (".mcap", ".db3") for file in path.iterdir())
        if bags or (path / "metadata.yaml").exists():
            from memory_core.recordings.rosbag import RosbagRecording

            return RosbagRecording(path, options)
        if next(path.glob("frame-*.color.*"), None) is not None:
            from memory_core.recordings.rgbd import RgbdRecording

            return RgbdRecording(path, options)
    elif path.suffix in (".mcap", ".db3"):
        from memory_core.recordings.rosbag import RosbagRecording

        return RosbagRecording(path, options)
    elif name.endswith(".json"):
        from memory_core.recordings.house_tour import HouseTourRecording

        return HouseTourRecording(path, options)
    elif name.endswith(".jsonl"):
        from memory_core.recordings.jsonl import open_json_lines

        return open_json_lines(path, options)
    raise RecordingUnreadable(
        f"{path} is no recording that can be read; expected a rosbag2 folder (its "
        "metadata.yaml or storage files), a .mcap or .db3 file, a folder of frame-*.color.jpg, "
        "a house tour (.json.gz), or JSON Lines (.jsonl, .jsonl.gz)"
    )
