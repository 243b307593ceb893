"""All of a memory as JSON Lines, exactly.

The export begins with a header (format, maps, anchors with all their poses, spaces), then one
observation a line in the order they were stored. Importing gives back equal observations with
equal vectors, keyframes and anchors. Where asked for, what a memory made of them follows (entities,
places, events, facts, the forest), for other programs: importing makes it anew. Records of removals
stand at the end. For Foxglove see `memory_core.episodic.foxglove`.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any, Literal

from memory_core.episodic.rows import Stored
from memory_core.episodic.store import EpisodicStore
from memory_core.errors import InputRejected
from memory_core.recordings.serial import observation_to_json, pose_from_json, pose_to_json
from memory_core.types import (
    EmbeddingSpace,
    Entity,
    Event,
    Fact,
    ForestNode,
    Json,
    Place,
    Pose,
)

Progress = Callable[[int], None]
EXPORT_VERSION = 1
_SLICE = 500
_Poses = dict[str, tuple[Pose, str]]
_MADE = {
    "jsonl": "entities, places, events, facts and the forest, which an import makes anew",
    "mcap": "events, facts and the forest",
}
_NOT_SHOWN = (
    "vectors",
    "in scenes, sightings of which only the direction is known (they are in the observations)",
    "earlier poses of anchors (everything lies where the map has it now)",
    "records of removals",
    "of a path drawn as a line, poses beyond 5,000 a run (all are in the pose topic)",
    "of entities, changes between two scenes where over 200,000 would have to be drawn",
)
Record = Entity | Place | Event | Fact | ForestNode
_KINDS: dict[type, str] = {
    Entity: "entity", Place: "place", Event: "event", Fact: "fact", ForestNode: "forest",
}  # fmt: skip


def left_out(format: Literal["jsonl", "mcap"], *, records: bool) -> tuple[str, ...]:
    """What an export does not hold, in words.

    Args:
        format: Of the export.
        records: Whether what was made of the observations goes along.
    """
    made = () if records else (_MADE[format],)
    return made if format == "jsonl" else (*made, *_NOT_SHOWN)


def stored_in_order(
    store: EpisodicStore, *, keyframes: bool = True, embeddings: bool = True
) -> Iterator[Stored]:
    """Every observation, in the order they were stored.

    Args:
        store: Whose.
        keyframes: With their pictures.
        embeddings: With their vectors.
    """
    pending: list[int] = []
    for rowid in store.rowids():
        pending.append(rowid)
        if len(pending) == _SLICE:
            yield from store.fetch(pending, keyframes=keyframes, embeddings=embeddings)
            pending.clear()
    yield from store.fetch(pending, keyframes=keyframes, embeddings=embeddings)


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


def record_lines(records: Iterable[Record]) -> Iterator[Json]:
    """What a memory made of its observations, one JSON object each: `record` says what it is.

    Args:
        records: Entities, places, events, facts and nodes of the forest; each keeps the fields
            that its class in `memory_core.types` has.
    """
    for record in records:
        yield {"record": _KINDS[type(record)], **asdict(record)}


def export_json_lines(
    store: EpisodicStore,
    target: Path,
    *,
    records: Iterable[Record] = (),
    progress: Progress | None = None,
) -> int:
    """Write everything; gzipped where the name ends in `.gz`.

    Args:
        store: What to export.
        target: The file; replaced when all of it is written.
        records: What was made of the observations, if that is wanted too.
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
        for record in record_lines(records):
            _line(file, record)
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
