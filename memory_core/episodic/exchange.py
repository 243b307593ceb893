"""All of a memory as JSON Lines, exactly, and as MCAP for other tools.

The export begins with a header (format, maps, anchors with all their poses, spaces), then one
observation a line in the order they were stored. Importing gives back equal observations with
equal vectors, keyframes and anchors. Records of removals follow at the end, for people.
"""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

from memory_core.episodic.rows import Stored
from memory_core.episodic.store import EpisodicStore
from memory_core.errors import InputRejected, NotInstalled
from memory_core.recordings.serial import observation_to_json, pose_from_json, pose_to_json
from memory_core.types import EmbeddingSpace, Json, Pose

Progress = Callable[[int], None]
EXPORT_VERSION = 1
_SLICE = 500
_Poses = dict[str, tuple[Pose, str]]


def stored_in_order(store: EpisodicStore, *, keyframes: bool = True) -> Iterator[Stored]:
    """Every observation with its vectors, in the order they were stored."""
    pending: list[int] = []
    for rowid in store.rowids():
        pending.append(rowid)
        if len(pending) == _SLICE:
            yield from store.fetch(pending, keyframes=keyframes, embeddings=True)
            pending.clear()
    yield from store.fetch(pending, keyframes=keyframes, embeddings=True)


def _header(store: EpisodicStore) -> Json:
    maps = {}
    for map_id, epoch in store.epochs().items():
        maps[map_id] = {"epoch": epoch, "origin": store.origin(map_id)}
    anchors = []
    for map_id, anchor_id, pose in store.anchor_poses().values():
        history = [
            {"epoch": epoch, "pose": pose_to_json(at), "reason": reason}
            for epoch, at, reason in store.anchor_history(map_id, anchor_id)
        ]
        anchors.append(
            {
                "map_id": map_id,
                "anchor_id": anchor_id,
                "pose": pose_to_json(pose),
                "history": history,
            }
        )
    spaces = {name: asdict(space) for name, space in store.spaces().items()}
    return {
        "robot_memory_export": EXPORT_VERSION,
        "maps": maps,
        "anchors": anchors,
        "spaces": spaces,
    }


def export_json_lines(
    store: EpisodicStore, target: Path, *, progress: Progress | None = None
) -> int:
    """Write everything; gzipped where the name ends in `.gz`.

    Args:
        store: What to export.
        target: The file; replaced when all of it is written.
        progress: Called with the observations written so far.

    Returns:
        How many observations were written.
    """
    temporary = target.with_name(target.name + ".part")
    opener: Any = gzip.open if target.suffix == ".gz" else Path.open
    written = 0
    file: IO[str]
    with opener(temporary, "wt", encoding="utf-8") as file:
        _line(file, _header(store))
        for stored in stored_in_order(store):
            _line(file, observation_to_json(stored.observation))
            written += 1
            if progress and written % _SLICE == 0:
                progress(written)
        for removal in store.removals():
            _line(file, {"removal": {**asdict(removal), "ids": store.removed_ids(removal.id)}})
    temporary.replace(target)
    return written


def _line(file: IO[str], value: Json) -> None:
    file.write(json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n")


def import_header(store: EpisodicStore, header: Json) -> None:
    """Make the maps, anchors and spaces an export speaks of.

    Raises:
        InputRejected: The header is of a newer version.
        EncoderMismatch: Its vectors come from another model than those already here.
    """
    try:
        _import_header(store, header)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise InputRejected(
            f"the export's header is not one ({type(error).__name__}: {error})"
        ) from None


def _import_header(store: EpisodicStore, header: Json) -> None:
    version = int(header.get("robot_memory_export", EXPORT_VERSION))
    if version > EXPORT_VERSION:
        raise InputRejected(
            f"the export has version {version}, this software reads up to {EXPORT_VERSION}; "
            "update robot-memory"
        )
    for name, space in header.get("spaces", {}).items():
        store.ensure_space(name, EmbeddingSpace(**space))
    for map_id, entry in header.get("maps", {}).items():
        if entry.get("origin") is not None:
            store.set_origin(map_id, entry["origin"])
    missing: dict[tuple[str, int], tuple[_Poses, _Poses]] = {}
    for anchor in header.get("anchors", ()):
        where = (anchor["map_id"], anchor["anchor_id"])
        history = anchor.get("history") or [{"pose": anchor["pose"], "reason": "imported"}]
        have = 0
        if store.anchor_number(*where) is not None:
            have = len(store.anchor_history(*where))
        for place, entry in enumerate(history[have:], start=have):
            pose = pose_from_json(entry["pose"], "the header")
            added, moved = missing.setdefault((where[0], int(entry.get("epoch", 0))), ({}, {}))
            (moved if place else added)[where[1]] = (pose, entry["reason"])
    for (map_id, epoch), (added, moved) in sorted(missing.items()):
        if moved:
            _raise_epoch(store, map_id, epoch - 1)
            reason = next(iter(moved.values()))[1]
            poses = {name: pose for name, (pose, _) in moved.items()}
            store.move_anchors(map_id, poses, reason=reason)
        _raise_epoch(store, map_id, epoch)
        for anchor_id, (pose, reason) in added.items():
            store.ensure_anchor(map_id, anchor_id, pose, reason=reason)
    for map_id, entry in header.get("maps", {}).items():
        _raise_epoch(store, map_id, int(entry.get("epoch", 0)))


def _raise_epoch(store: EpisodicStore, map_id: str, epoch: int) -> None:
    """Bring a map that is there to an epoch, where it is below."""
    if store.epochs().get(map_id, epoch) < epoch:
        store.raise_epoch(map_id, epoch)


def import_removal(store: EpisodicStore, value: Json) -> int:
    """Take over the record of a removal; what it names is not remembered again.

    Args:
        store: Open for writing.
        value: The object of an export's line.

    Returns:
        How many ids were taken over; those that are stored or removed here are passed over.

    Raises:
        InputRejected: It is no such record.
    """
    try:
        ids = [str(item) for item in value["ids"]]
        return store.adopt_removal(
            ids, kind=str(value["kind"]), reason=str(value["reason"]),
            selection=value.get("selection"),
        )  # fmt: skip
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise InputRejected(f"a removal's record is not one: {error}") from None


_SCHEMA = {
    "type": "object",
    "properties": {
        "timestamp": {
            "type": "object",
            "properties": {"sec": {"type": "integer"}, "nsec": {"type": "integer"}},
        },
        "frame_id": {"type": "string"},
    },
}


def export_mcap(store: EpisodicStore, target: Path, *, progress: Progress | None = None) -> int:
    """Write poses, words, sightings and keyframes as MCAP (JSON channels, Foxglove's schemas).

    Args:
        store: What to export.
        target: The file; replaced when all of it is written.
        progress: Called with the observations written so far.

    Returns:
        How many observations were written.

    Raises:
        NotInstalled: The package `mcap` is missing.
    """
    try:
        from mcap.writer import Writer
    except ImportError as error:
        raise NotInstalled.part("mcap", "cpu") from error
    temporary = target.with_name(target.name + ".part")
    written = 0
    with temporary.open("wb") as file:
        writer = Writer(file)
        writer.start(profile="", library="robot-memory")
        channels = _Channels(writer)
        for stored in stored_in_order(store):
            for topic, schema, message in _messages(stored):
                channels.write(topic, schema, stored.observation.stamp_ns, message)
            written += 1
            if progress and written % _SLICE == 0:
                progress(written)
        writer.finish()
    temporary.replace(target)
    return written


class _Channels:
    """Registers each topic and schema when it is first written to."""

    def __init__(self, writer: Any) -> None:
        self._writer = writer
        self._schemas: dict[str, int] = {}
        self._channels: dict[str, int] = {}

    def write(self, topic: str, schema: str, stamp_ns: int, message: Json) -> None:
        if schema not in self._schemas:
            self._schemas[schema] = self._writer.register_schema(
                name=schema, encoding="jsonschema", data=json.dumps(_SCHEMA).encode()
            )
        if topic not in self._channels:
            self._channels[topic] = self._writer.register_channel(
                topic=topic, message_encoding="json", schema_id=self._schemas[schema]
            )
        self._writer.add_message(
            channel_id=self._channels[topic],
            log_time=stamp_ns,
            publish_time=stamp_ns,
            data=json.dumps(message).encode(),
        )


def _messages(stored: Stored) -> Iterator[tuple[str, str, Json]]:
    """The messages of one observation: (topic, schema, message)."""
    observation = stored.observation
    seconds, rest = divmod(observation.stamp_ns, 1_000_000_000)
    head = {"timestamp": {"sec": seconds, "nsec": rest}, "frame_id": observation.map_id}
    pose = stored.map_pose
    if pose is not None:
        position = dict(zip("xyz", pose.position, strict=True))
        orientation = dict(zip("xyzw", pose.quaternion, strict=True))
        placed = {"position": position, "orientation": orientation}
        yield f"/{observation.robot}/pose", "foxglove.PoseInFrame", {**head, "pose": placed}
    yield (
        "/memory/observations",
        "robot_memory.Observation",
        {
            **head,
            **{k: v for k, v in observation_to_json(observation).items() if k != "keyframe"},
        },
    )
    if observation.text:
        log = {"level": 2, "message": observation.text, "name": observation.source}
        yield "/memory/text", "foxglove.Log", {**head, **log, "file": "", "line": 0}
    if observation.keyframe is not None:
        data = base64.b64encode(observation.keyframe.jpeg).decode("ascii")
        image = {**head, "frame_id": observation.source, "data": data, "format": "jpeg"}
        yield f"/{observation.robot}/keyframes", "foxglove.CompressedImage", image
    texts = [
        {"text": s.label, "position": dict(zip("xyz", at, strict=True))}
        for s in observation.sightings
        if (at := stored.sighting_position(s)) is not None
    ]
    if texts:
        yield "/memory/sightings", "robot_memory.Sightings", {**head, "sightings": texts}
