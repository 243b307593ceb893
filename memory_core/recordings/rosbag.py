"""rosbag2 folders and bare .mcap or .db3 files, read without ROS installed (rosbags).

Two passes: the first reads transforms and odometry, so that every frame can be placed by
interpolation; the second reads what was perceived. The path is kept as observations of source
`odometry`, thinned so that linear interpolation between them stays within 4 mm and half a
degree of the recording.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from memory_core.errors import (
    InputRejected,
    InvalidStamp,
    RecordingUnreadable,
    UnknownFrame,
)
from memory_core.identity import deterministic_id
from memory_core.perception.camera import Intrinsics
from memory_core.recordings import messages as ros
from memory_core.recordings.base import Reading, SessionClock, TopicUse, content_identity
from memory_core.recordings.detect import ReadOptions
from memory_core.recordings.paths import thin_path
from memory_core.recordings.perceiver import USES, Heard, Perceiver
from memory_core.recordings.salvage import SalvagedBag
from memory_core.recordings.sidecar import read_sidecar
from memory_core.recordings.transforms import TransformTree
from memory_core.types import (
    DEFAULT_MAP,
    ORIGIN,
    Json,
    Observation,
    Pose,
)

_EXPECTED = {"path": "odometry or tf", "keyframes": "images", "captions": "captions or detections"}
_VISION = {
    "vision_msgs/msg/ObjectHypothesis": "string class_id\nfloat64 score",
    "vision_msgs/msg/ObjectHypothesisWithPose": (
        "vision_msgs/ObjectHypothesis hypothesis\ngeometry_msgs/PoseWithCovariance pose"
    ),
    "vision_msgs/msg/BoundingBox3D": "geometry_msgs/Pose center\ngeometry_msgs/Vector3 size",
    "vision_msgs/msg/Point2D": "float64 x\nfloat64 y",
    "vision_msgs/msg/Pose2D": "vision_msgs/Point2D position\nfloat64 theta",
    "vision_msgs/msg/BoundingBox2D": ("vision_msgs/Pose2D center\nfloat64 size_x\nfloat64 size_y"),
    "vision_msgs/msg/Detection3D": (
        "std_msgs/Header header\nvision_msgs/ObjectHypothesisWithPose[] results\n"
        "vision_msgs/BoundingBox3D bbox\nstring id"
    ),
    "vision_msgs/msg/Detection2D": (
        "std_msgs/Header header\nvision_msgs/ObjectHypothesisWithPose[] results\n"
        "vision_msgs/BoundingBox2D bbox\nstring id"
    ),
    "vision_msgs/msg/Detection3DArray": (
        "std_msgs/Header header\nvision_msgs/Detection3D[] detections"
    ),
    "vision_msgs/msg/Detection2DArray": (
        "std_msgs/Header header\nvision_msgs/Detection2D[] detections"
    ),
}
_STORAGE = (".mcap", ".db3", ".zstd")
_SAMPLED_STRINGS = 20


@dataclass(slots=True)
class _Message:
    topic: str
    type: str
    stamp_ns: int
    log_ns: int
    raw: bytes


def bag_files(path: Path) -> list[Path]:
    """The storage files of a bag: the file itself, or those of its folder, in order."""
    if path.is_file():
        return [path]
    return sorted(f for f in path.iterdir() if f.suffix in _STORAGE and f.is_file())


class RosbagRecording:
    """A rosbag2 recording of one robot."""

    reader = "rosbag2"

    def __init__(self, path: Path, options: ReadOptions) -> None:
        """Read the list of topics, and every transform and odometry message.

        Raises:
            RecordingUnreadable: The bag cannot be opened at all.
        """
        self.path = path
        self.name = path.stem if path.is_file() else path.name
        self._options = options
        self._files = bag_files(path)
        self.identity = content_identity(*self._files)
        self._account = Reading()
        self._tree = TransformTree()
        self._odometry = TransformTree()
        self._covariances: dict[tuple[int, int], tuple[float, ...] | None] = {}
        self._run_starts: list[int] = []  # when, by the log, the clock was set back
        self._odometry_frames: tuple[str, str] | None = None
        self._counts: dict[str, tuple[str, int]] = {}
        self._captions: set[str] = set()
        self._cameras: dict[str, Intrinsics] = {}
        self._cut: RecordingUnreadable | None = None
        self._salvaged: SalvagedBag | None = None
        self._survey()
        self.fixed_frame, self.base_frame = self._frames()
        self.localised = self.fixed_frame == (options.map_frame or "map")

    # -- reading ----------------------------------------------------------------------------

    def _open(self) -> Any:
        from rosbags.highlevel import AnyReader
        from rosbags.typesys import Stores, get_types_from_msg, get_typestore

        if self._salvaged is not None:
            return self._salvaged
        store = get_typestore(Stores.ROS2_JAZZY)
        for name, definition in _VISION.items():
            store.register(get_types_from_msg(definition, name))
        alone = self._files[0] if len(self._files) == 1 and not _has_metadata(self.path) else None
        try:
            reader = AnyReader([alone or self.path], default_typestore=store)
            reader.open()
        except Exception as error:  # a damaged file makes rosbags raise all kinds of errors
            return self._salvage(store, error)
        return reader

    def _salvage(self, store: Any, error: Exception) -> SalvagedBag:
        bag = SalvagedBag([f for f in self._files if f.suffix != ".zstd"], store)
        if not bag.connections:
            raise RecordingUnreadable(
                f"{self.path} cannot be opened as a bag: {error}; for a bag that was cut short, "
                "try `ros2 bag reindex` first"
            ) from error
        self._account.note(f"{self.path.name} was read without its index: {error}")
        if bag.damage:
            self._cut = RecordingUnreadable(f"{'; '.join(bag.damage)}; what came before is kept")
        self._salvaged = bag
        return bag

    def _raw(self, topics: Sequence[str]) -> Iterator[tuple[Any, _Message]]:
        """Messages of some topics in log order; damage ends the stream and is remembered."""
        reader = self._open()
        try:
            wanted = [c for c in reader.connections if c.topic in topics]
            if not wanted:
                return
            stream = reader.messages(connections=wanted)
            while True:
                try:
                    connection, log_ns, raw = next(stream)
                except StopIteration:
                    return
                except Exception as error:  # as in `_open`
                    self._cut = RecordingUnreadable(
                        f"{self.path.name} is cut short or damaged: {error}; what came before "
                        "is kept"
                    )
                    return
                yield (
                    reader,
                    _Message(connection.topic, connection.msgtype, log_ns, log_ns, bytes(raw)),
                )
        finally:
            reader.close()

    def _decode(self, reader: Any, message: _Message, account: Reading) -> Any:
        """The message, with the stamp of its header where it has one; None if it is damaged."""
        try:
            decoded = reader.deserialize(message.raw, message.type)
        except Exception as error:  # as in `_open`
            account.refuse(
                f"{message.topic} at {message.stamp_ns} ns",
                RecordingUnreadable(f"a message of {message.type} cannot be decoded: {error}"),
            )
            return None
        header = getattr(decoded, "header", None)
        if header is not None:
            stamp = ros.stamp_ns(header.stamp)
            if stamp < 0:
                account.refuse(message.topic, InvalidStamp(f"stamp {stamp} ns is negative"))
                return None
            if stamp > 0:
                message.stamp_ns = stamp
        return decoded

    def _survey(self) -> None:
        reader = self._open()
        try:
            for connection in reader.connections:
                kind, count = self._counts.get(connection.topic, (connection.msgtype, 0))
                self._counts[connection.topic] = (kind, count + connection.msgcount)
        finally:
            reader.close()
        early = ("path", "frames", "camera", "captions")
        wanted = [t for t, (kind, _) in self._counts.items() if USES.get(kind) in early]
        sampled: dict[str, list[str]] = {}
        for reader, message in self._raw(wanted):
            decoded = self._decode(reader, message, self._account)
            if decoded is None:
                continue
            use = USES[message.type]
            where = f"{message.topic} at {message.stamp_ns} ns"
            try:
                if use == "path":
                    self._take_odometry(message, decoded)
                elif use == "frames":
                    self._take_transforms(message, decoded)
                elif use == "camera":
                    self._cameras.setdefault(decoded.header.frame_id, ros.intrinsics_of(decoded))
                else:
                    said = sampled.setdefault(message.topic, [])
                    if len(said) < _SAMPLED_STRINGS and decoded.data.strip():
                        said.append(decoded.data)
            except InputRejected as error:
                self._account.refuse(where, error)
        self._captions = {
            topic
            for topic, said in sampled.items()
            if topic in self._options.caption_topics
            or (not self._options.caption_topics and said and all(map(ros.is_caption, said)))
        }

    def _take_odometry(self, message: _Message, decoded: Any) -> None:
        frames = (
            decoded.header.frame_id.lstrip("/") or "odom",
            decoded.child_frame_id.lstrip("/") or "base_link",
        )
        if self._odometry_frames is None:
            self._odometry_frames = frames
        if frames == self._odometry_frames:
            pose = ros.pose_of(decoded.pose.pose)
            run = self._odometry.add(*frames, message.stamp_ns, pose, static=False)
            covariance = ros.covariance_of(decoded.pose.covariance)
            self._covariances[run, message.stamp_ns] = covariance
            self._begin_run(run, message.log_ns)

    def _take_transforms(self, message: _Message, decoded: Any) -> None:
        static = message.topic.endswith("tf_static")
        for entry in decoded.transforms:
            parent, child = entry.header.frame_id, entry.child_frame_id
            try:
                pose = ros.transform_of(entry.transform)
            except InputRejected as error:
                where = f"{message.topic} {parent!r} → {child!r} at {message.stamp_ns} ns"
                self._account.refuse(where, error)
                continue
            stamp_ns = ros.stamp_ns(entry.header.stamp)
            run = self._tree.add(parent, child, stamp_ns, pose, static=static)
            self._begin_run(run, message.log_ns)

    def _begin_run(self, run: int, log_ns: int) -> None:
        if run > len(self._run_starts):
            self._run_starts.append(log_ns)

    def _frames(self) -> tuple[str | None, str | None]:
        """The fixed frame and the robot's frame."""
        options, known = self._options, self._tree.frames
        odometry = self._odometry_frames
        base = options.base_frame or (odometry[1] if odometry and odometry[1] else None)
        if base is None:
            names = ("base_link", "base_footprint", "base")
            base = next((name for name in names if name in known), None)
        if base is None:
            return None, None
        chain = self._tree.chain(base)
        wanted = options.map_frame or "map"
        if wanted in chain:
            return wanted, base
        if options.map_frame:
            self._account.note(f"no transform connects {options.map_frame!r} and {base!r}")
        if odometry and odometry[0]:
            return odometry[0], base
        return (chain[-1], base) if len(chain) > 1 else (None, base)

    # -- what was found ---------------------------------------------------------------------

    @property
    def total(self) -> int:
        """Messages that are used."""
        return sum(self._counts[topic][1] for topic in self._used_topics())

    def _used_topics(self) -> list[str]:
        return [topic.name for topic in self.topics() if topic.use]

    def topics(self) -> list[TopicUse]:
        """See `Recording.topics`."""
        table = []
        for name, (kind, count) in sorted(self._counts.items()):
            use, reason = USES.get(kind, ""), ""
            if not use:
                reason = "no reader for this type"
            elif count == 0:
                use, reason = "", "silent: the topic is there, nothing was ever sent on it"
            elif use == "captions" and name not in self._captions:
                use, reason = "", "not words for people (name it with --caption-topic)"
            elif use == "keyframes" and "depth" in name.lower():
                use = "depth"
                if kind.endswith("CompressedImage"):
                    use, reason = "", "compressed depth is not read; record the raw depth image"
            table.append(TopicUse(name, kind, count, use, reason))
        return table

    def missing(self) -> list[str]:
        """What a memory would like to have and this recording has not, with the remedy."""
        uses = {topic.use for topic in self.topics()}
        silent = [topic.name for topic in self.topics() if topic.reason.startswith("silent")]
        notes = [f"{name} is silent" for name in silent]
        if not uses & {"path", "frames"}:
            notes.append(f"no {_EXPECTED['path']}: nothing in this recording has a place")
        if "keyframes" not in uses:
            notes.append("no images: there will be no keyframes")
        if not uses & {"captions", "sightings"} and self._options.sidecar is None:
            notes.append(
                "no captions or detections: this recording brings no words; give them with "
                "--sidecar FILE, or record a detector's topic (vision_msgs)"
            )
        return notes

    def anchors(self) -> list[tuple[str, str, Pose]]:
        """The odometry frame, when the recording has no map: a correction can move it later."""
        return [] if self.localised else [(DEFAULT_MAP, self._anchor, Pose())]

    @property
    def _anchor(self) -> str:
        return ORIGIN if self.localised else f"{self.fixed_frame or 'odom'}@{self.identity[:8]}"

    def geo_origin(self) -> Json:
        """Unknown."""
        return None

    # -- where the robot was ----------------------------------------------------------------

    def pose_at(self, stamp_ns: int, *, run: int = 0) -> Pose:
        """The robot's pose in the fixed frame.

        Args:
            stamp_ns: The moment.
            run: How often the clock was set back before it.

        Raises:
            UnknownFrame: Neither transforms nor odometry tell it at that moment.
        """
        if self.fixed_frame is None or self.base_frame is None:
            raise UnknownFrame("the recording has no transforms and no odometry")
        try:
            return self._tree.lookup(self.fixed_frame, self.base_frame, stamp_ns, run=run)
        except UnknownFrame:
            if self._odometry_frames != (self.fixed_frame, self.base_frame):
                raise
            frames = self._odometry_frames
            return self._odometry.lookup(*frames, stamp_ns, tolerance_ns=0, run=run)

    def trajectory(self, *, run: int = 0, account: Reading | None = None) -> list[tuple[int, Pose]]:
        """Every pose the recording gives, in order of time: (stamp, pose in the fixed frame).

        Args:
            run: Which run of the clock.
            account: Where moments without a pose are counted.
        """
        if self.fixed_frame is None or self.base_frame is None:
            return []
        stamps: set[int] = set()
        chain = self._tree.chain(self.base_frame)
        if self.fixed_frame in chain:
            for frame in chain[: chain.index(self.fixed_frame)]:
                stamps.update(self._tree.stamps(frame, run=run))
        if not stamps:
            stamps.update(self._odometry.stamps(self.base_frame, run=run))
        found = []
        for stamp in sorted(stamps):
            try:
                found.append((stamp, self.pose_at(stamp, run=run)))
            except UnknownFrame as error:
                (account or self._account).refuse(f"path at {stamp} ns", error)
        return found

    # -- observations -----------------------------------------------------------------------

    def observations(self, reading: Reading) -> Iterator[Observation]:
        """See `Recording.observations`."""
        reading.refused.extend(self._account.refused)
        for note in (*self._account.notes, *self.missing()):
            reading.note(note)
        clock = _Clocks(self._options.session or self.name, self._run_starts)
        yield from self._path_observations(reading, clock)
        uses = {topic.name: topic.use for topic in self.topics() if topic.use}
        reading.done = sum(
            self._counts[name][1]
            for name, use in uses.items()
            if use in ("path", "frames", "camera")
        )
        perceived = [n for n, u in uses.items() if u not in ("path", "frames", "camera")]
        yield from self._perceived(perceived, uses, reading, clock)
        if self._options.sidecar is not None:
            yield from self._sidecar_observations(reading, clock)
        if clock.jumps:
            reading.note(f"the clock jumped back {clock.jumps} times: a new session each time")
        if self._cut is not None:
            raise self._cut

    def _perceived(
        self, topics: Sequence[str], uses: Mapping[str, str], reading: Reading, clock: _Clocks
    ) -> Iterator[Observation]:
        """The second pass: images, depth, detections, captions, scans and body state."""
        perceiver = Perceiver(_Placed(self, reading), self._options, reading)
        sequence = 0
        for reader, message in self._raw(topics):
            reading.done += 1
            sequence += 1
            decoded = self._decode(reader, message, reading)
            if decoded is None:
                continue
            run = clock.run(message.topic, message.stamp_ns, message.log_ns)
            heard = Heard(message.topic, message.type, uses[message.topic], message.stamp_ns, run)
            try:
                found = perceiver.take(heard, decoded)
            except InputRejected as error:
                reading.refuse(heard.where, error)
                continue
            if found is not None:
                stamp, name = message.stamp_ns, clock.name(run)
                yield self.observation(message.topic, stamp, sequence, name, **found)

    def _path_observations(self, reading: Reading, clock: _Clocks) -> Iterator[Observation]:
        sequence = 0
        for run in range(len(self._run_starts) + 1):
            for stamp, pose in thin_path(self.trajectory(run=run, account=reading)):
                if stamp > 0:
                    yield self.observation(
                        "odometry", stamp, sequence, clock.name(run), pose=pose,
                        covariance=self._covariances.get((run, stamp)),
                        extra={"frame": self.fixed_frame},
                    )  # fmt: skip
                sequence += 1

    def _sidecar_observations(self, reading: Reading, clock: _Clocks) -> Iterator[Observation]:
        assert self._options.sidecar is not None
        lines = read_sidecar(self._options.sidecar, reading)
        for sequence, (stamp, text, sightings) in enumerate(lines):
            run = clock.run("sidecar", stamp)
            yield self.observation(
                "sidecar", stamp, sequence, clock.name(run),
                pose=self.pose_or_none(stamp, reading, run=run), text=text, sightings=sightings,
            )  # fmt: skip

    def pose_or_none(self, stamp_ns: int, reading: Reading, *, run: int = 0) -> Pose | None:
        """The robot's pose, or None with the failure counted."""
        try:
            return self.pose_at(stamp_ns, run=run)
        except UnknownFrame as error:
            reading.refuse(f"pose at {stamp_ns} ns", error)
            return None

    def observation(
        self, source: str, stamp: int, sequence: int, session: str, **parts: Any
    ) -> Observation:
        """An observation of this recording with its deterministic id."""
        return Observation(
            id=deterministic_id(self.identity, source, stamp, sequence),
            stamp_ns=stamp, source=source, robot=self._options.robot, session=session,
            anchor_id=self._anchor, localised=self.localised, **parts,
        )  # fmt: skip


class _Placed:
    """Where frames were in a recording, for what was perceived."""

    def __init__(self, bag: RosbagRecording, reading: Reading) -> None:
        self._bag = bag
        self._reading = reading

    def pose(self, stamp_ns: int, *, run: int) -> Pose | None:
        return self._bag.pose_or_none(stamp_ns, self._reading, run=run)

    def in_base(self, frame: str, stamp_ns: int, *, run: int) -> Pose:
        base = self._bag.base_frame
        if base is None or frame.lstrip("/") == base:
            return Pose()
        return self._bag._tree.lookup(base, frame, stamp_ns, run=run)

    def camera(self, frame: str) -> Intrinsics | None:
        return self._bag._cameras.get(frame)


class _Clocks:
    """A clock a stream (each is read from its own start), and the sessions they name."""

    def __init__(self, session: str, run_starts: Sequence[int]) -> None:
        self._session = session
        self._run_starts = run_starts
        self._clocks: dict[str, SessionClock] = {}

    def run(self, stream: str, stamp_ns: int, log_ns: int | None = None) -> int:
        """How often the clock was set back before a message of a stream."""
        clock = self._clocks.setdefault(stream, SessionClock())
        begun = 0 if log_ns is None else bisect_right(self._run_starts, log_ns)
        return max(clock.run(stamp_ns), begun)

    def name(self, run: int) -> str:
        """The session of a run: later ones get `#2`, `#3`."""
        return self._session if run == 0 else f"{self._session}#{run + 1}"

    @property
    def jumps(self) -> int:
        """How often the clock was set back."""
        own = (clock.jumps for clock in self._clocks.values())
        return max(len(self._run_starts), *own, 0)


def _has_metadata(path: Path) -> bool:
    return (path / "metadata.yaml").exists()
