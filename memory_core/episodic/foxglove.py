"""A memory as MCAP that Foxglove opens: in Foxglove's own message types, encoded as protobuf.

| topic | type | what |
|---|---|---|
| `/tf` | FrameTransform | each robot in its map, where it was known |
| `/ROBOT/pose` | PoseInFrame | the same, for plots |
| `/ROBOT/path/SESSION` | PosesInFrame | the whole way of a run, at its beginning |
| `/ROBOT/keyframes/SOURCE` | CompressedImage | pictures, in the frame of the robot |
| `/ROBOT/scan/SOURCE` | LaserScan | what was hit around the robot |
| `/memory/text` | Log | captions, notes, messages |
| `/memory/sightings` | SceneUpdate | what was seen in one observation, where it was |
| `/memory/entities` | SceneUpdate | every thing as it was known at that moment, with its trail |
| `/memory/places` | SceneUpdate | the regions known, with their kinds |
| `/memory/observations` | JSON | the observations, without pictures and vectors |

A scene is always whole: whoever jumps to a moment sees what was known then.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from foxglove_schemas_protobuf.Color_pb2 import Color
from foxglove_schemas_protobuf.CompressedImage_pb2 import CompressedImage
from foxglove_schemas_protobuf.CubePrimitive_pb2 import CubePrimitive
from foxglove_schemas_protobuf.FrameTransform_pb2 import FrameTransform
from foxglove_schemas_protobuf.KeyValuePair_pb2 import KeyValuePair
from foxglove_schemas_protobuf.LaserScan_pb2 import LaserScan
from foxglove_schemas_protobuf.LinePrimitive_pb2 import LinePrimitive
from foxglove_schemas_protobuf.Log_pb2 import Log
from foxglove_schemas_protobuf.Point3_pb2 import Point3
from foxglove_schemas_protobuf.Pose_pb2 import Pose as PoseMessage
from foxglove_schemas_protobuf.PoseInFrame_pb2 import PoseInFrame
from foxglove_schemas_protobuf.PosesInFrame_pb2 import PosesInFrame
from foxglove_schemas_protobuf.Quaternion_pb2 import Quaternion
from foxglove_schemas_protobuf.SceneEntity_pb2 import SceneEntity
from foxglove_schemas_protobuf.SceneEntityDeletion_pb2 import SceneEntityDeletion
from foxglove_schemas_protobuf.SceneUpdate_pb2 import SceneUpdate
from foxglove_schemas_protobuf.SpherePrimitive_pb2 import SpherePrimitive
from foxglove_schemas_protobuf.TextPrimitive_pb2 import TextPrimitive
from foxglove_schemas_protobuf.Vector3_pb2 import Vector3 as VectorMessage
from google.protobuf.timestamp_pb2 import Timestamp
from mcap.writer import Writer
from mcap_protobuf.schema import register_schema

from memory_core.episodic.drawn import color_of, scan_of
from memory_core.episodic.exchange import (
    Progress,
    Record,
    left_out,
    record_lines,
    stored_in_order,
)
from memory_core.episodic.rows import Stored
from memory_core.episodic.store import EpisodicStore
from memory_core.episodic.summary import Step, by_run
from memory_core.recordings.serial import observation_to_json
from memory_core.types import Box, Entity, Json, Place, Pose, Stay, Vector3

_PATH_POSES = 5_000
_DRAWN = 200_000
_SLICE = 500
_UNSIZED_M = 0.15
_OBSERVATION = {"type": "object", "properties": {"id": {"type": "string"}}}


def export_mcap(
    store: EpisodicStore,
    target: Path,
    *,
    path: Sequence[Step],
    entities: Sequence[Entity],
    places: Sequence[Place],
    records: Iterable[Record] = (),
    progress: Progress | None = None,
) -> int:
    """Write what Foxglove can show.

    Args:
        store: What to export.
        target: The file; replaced when all of it is written.
        path: Where the robots were, in order of time.
        entities: The things known.
        places: The regions known.
        records: What goes along as an attachment, `records.jsonl`.
        progress: Called with the observations written so far.

    Returns:
        How many observations were written.
    """
    temporary = target.with_name(target.name + ".part")
    written, first_ns = 0, None
    with temporary.open("wb") as file:
        writer = Writer(file)
        writer.start(profile="", library="robot-memory")
        topics = _Topics(writer)
        for stored in stored_in_order(store, embeddings=False):
            stamp_ns = stored.observation.stamp_ns
            first_ns = stamp_ns if first_ns is None else min(first_ns, stamp_ns)
            for topic, message in _messages(stored):
                topics.write(topic, message, stamp_ns)
            topics.write_json("/memory/observations", _plain(stored), stamp_ns)
            written += 1
            if progress and written % _SLICE == 0:
                progress(written)
        for topic, message, stamp_ns in _structure(path, entities, places, first_ns or 0):
            topics.write(topic, message, stamp_ns)
        attached = "".join(
            json.dumps(line, ensure_ascii=False) + "\n" for line in record_lines(records)
        )
        if attached:
            writer.add_attachment(
                first_ns or 0, first_ns or 0, "records.jsonl", "application/x-ndjson",
                attached.encode(),
            )  # fmt: skip
        writer.add_metadata(
            "robot-memory",
            {
                "observations": str(written), "entities": str(len(entities)),
                "places": str(len(places)),
                "left_out": "; ".join(left_out("mcap", records=bool(attached))),
            },
        )  # fmt: skip
        writer.finish()
    temporary.replace(target)
    return written


class _Topics:
    """Registers each topic, and the schema of its messages, when it is first written to."""

    def __init__(self, writer: Any) -> None:
        self._writer = writer
        self._schemas: dict[type, int] = {}
        self._channels: dict[str, int] = {}

    def write(self, topic: str, message: Any, stamp_ns: int) -> None:
        kind = type(message)
        if kind not in self._schemas:
            self._schemas[kind] = register_schema(self._writer, kind)
        self._add(topic, "protobuf", self._schemas[kind], message.SerializeToString(), stamp_ns)

    def write_json(self, topic: str, value: Json, stamp_ns: int) -> None:
        if dict not in self._schemas:
            self._schemas[dict] = self._writer.register_schema(
                name="robot_memory.Observation", encoding="jsonschema",
                data=json.dumps(_OBSERVATION).encode(),
            )  # fmt: skip
        data = json.dumps(value, ensure_ascii=False).encode()
        self._add(topic, "json", self._schemas[dict], data, stamp_ns)

    def _add(self, topic: str, encoding: str, schema: int, data: bytes, stamp_ns: int) -> None:
        if topic not in self._channels:
            self._channels[topic] = self._writer.register_channel(
                topic=topic, message_encoding=encoding, schema_id=schema
            )
        self._writer.add_message(
            channel_id=self._channels[topic], log_time=stamp_ns, publish_time=stamp_ns, data=data
        )


# -- observations -------------------------------------------------------------------------------


def _plain(stored: Stored) -> Json:
    """An observation as JSON, without what is large, and with its pose in the map."""
    value = observation_to_json(stored.observation)
    value.pop("keyframe", None)
    for sighting in value.get("sightings", ()):
        sighting.pop("embedding", None)
    if stored.map_pose is not None:
        value["map_pose"] = [*stored.map_pose.position, *stored.map_pose.quaternion]
    return value


def _messages(stored: Stored) -> Iterator[tuple[str, Any]]:
    """Topic and message of what one observation holds."""
    observation = stored.observation
    robot, source = observation.robot.strip("/"), observation.source.strip("/")
    stamp, frame = _time(observation.stamp_ns), _robot_frame(observation.map_id, robot)
    if stored.map_pose is not None:
        pose = _pose(stored.map_pose)
        yield "/tf", FrameTransform(
            timestamp=stamp, parent_frame_id=observation.map_id, child_frame_id=frame,
            translation=VectorMessage(**_xyz(stored.map_pose.position)), rotation=pose.orientation,
        )  # fmt: skip
        yield (
            f"/{robot}/pose",
            PoseInFrame(timestamp=stamp, frame_id=observation.map_id, pose=pose),
        )
    if observation.text:
        yield (
            "/memory/text",
            Log(
                timestamp=stamp, level=Log.INFO, message=observation.text, name=f"{robot}/{source}"
            ),
        )
    if observation.keyframe is not None:
        yield (
            f"/{robot}/keyframes/{source}",
            CompressedImage(
                timestamp=stamp, frame_id=frame, data=observation.keyframe.jpeg, format="jpeg"
            ),
        )
    hit = scan_of(observation)
    if hit is not None:
        yield f"/{robot}/scan/{source}", _scan(*hit, stamp, frame)
    scene = _seen(stored, stamp)
    if scene is not None:
        yield "/memory/sightings", scene


def _scan(ranges: Sequence[float], yaw: float, stamp: Any, frame: str) -> Any:
    """A scan, each range drawn at the middle of its sector."""
    sector = 2 * math.pi / len(ranges)
    return LaserScan(
        timestamp=stamp, frame_id=frame, pose=_pose(Pose.from_yaw(0, 0, yaw=yaw)),
        start_angle=-math.pi + sector / 2, end_angle=math.pi - sector / 2, ranges=ranges,
    )  # fmt: skip


def _seen(stored: Stored, stamp: Any) -> Any:
    """What one observation saw where; None where it saw nothing that has a place."""
    placed = [
        (sighting.label, at)
        for sighting in stored.observation.sightings
        if (at := stored.sighting_position(sighting)) is not None
    ]
    if not placed:
        return None
    shown = SceneEntity(
        timestamp=stamp, frame_id=stored.observation.map_id, id="sightings",
        spheres=[
            SpherePrimitive(pose=_pose(Pose(*at)), size=_cube(_UNSIZED_M / 2), color=_color(label))
            for label, at in placed
        ],
        texts=[_label(label, at) for label, at in placed],
    )  # fmt: skip
    return SceneUpdate(deletions=[_all_before(stamp)], entities=[shown])


# -- structure ----------------------------------------------------------------------------------


def _structure(
    path: Sequence[Step], entities: Sequence[Entity], places: Sequence[Place], first_ns: int
) -> Iterator[tuple[str, Any, int]]:
    """Topic, message and stamp (ns) of what was made of the observations."""
    for run in by_run(list(path)):
        robot, session, map_id = run[0].run
        shown = run[:: math.ceil(len(run) / _PATH_POSES)]
        yield (
            f"/{robot.strip('/')}/path/{session.strip('/')}",
            PosesInFrame(
                timestamp=_time(run[0].stamp_ns), frame_id=map_id,
                poses=[_pose(step.pose) for step in shown],
            ),
            run[0].stamp_ns,
        )  # fmt: skip
    if places:
        stamp = _time(first_ns)
        yield "/memory/places", SceneUpdate(entities=[_place(p, stamp) for p in places]), first_ns
    for moment_ns in _moments(entities):
        yield "/memory/entities", _things(entities, moment_ns), moment_ns


def _moments(entities: Sequence[Entity]) -> list[int]:
    """When a thing came, moved or went, ns; fewer, evenly, where the scenes would be too many."""
    changes = {stay.start_ns for entity in entities for stay in entity.history}
    changes |= {stay.end_ns for entity in entities for stay in entity.history if stay.end_ns}
    moments = sorted(changes)
    every = max(1, math.ceil(len(moments) * len(entities) / _DRAWN))
    return moments[::-1][::every][::-1]  # the newest is always there


def _things(entities: Sequence[Entity], moment_ns: int) -> Any:
    """All things as they were known at a moment."""
    stamp = _time(moment_ns)
    return SceneUpdate(
        deletions=[_all_before(stamp)],
        entities=[
            _thing(entity, stays, stamp)
            for entity in entities
            if (stays := [s for s in entity.history if s.start_ns <= moment_ns])
            and not (stays[-1].end_ns is not None and stays[-1].end_ns <= moment_ns)
        ],
    )


def _thing(entity: Entity, stays: Sequence[Stay], stamp: Any) -> Any:
    """A thing where its last stay has it, with a line through those before."""
    now = stays[-1]
    size = VectorMessage(**_xyz(entity.size)) if all(entity.size) else _cube(_UNSIZED_M)
    above = (now.position[0], now.position[1], now.position[2] + size.z / 2 + 0.05)
    told = {
        "label": entity.label, "confidence": f"{entity.confidence:.2f}",
        "place": now.place or "", "sightings": str(now.sightings), "stays": str(len(stays)),
        **{name: f"{value:.2f}" for name, value in entity.state.items()},
    }  # fmt: skip
    trail = LinePrimitive(
        type=LinePrimitive.LINE_STRIP, thickness=2.0, scale_invariant=True,
        points=[Point3(**_xyz(stay.position)) for stay in stays],
        color=_color(entity.label, alpha=0.5),
    )  # fmt: skip
    return SceneEntity(
        timestamp=stamp, frame_id=entity.map_id, id=entity.id,
        metadata=[KeyValuePair(key=key, value=value) for key, value in told.items()],
        cubes=[CubePrimitive(pose=_pose(Pose(*now.position)), size=size,
                             color=_color(entity.label, alpha=0.8))],
        lines=[trail] if len(stays) > 1 else [],
        texts=[_label(entity.label, above)],
    )  # fmt: skip


def _place(place: Place, stamp: Any) -> Any:
    name = place.kind or place.id
    return SceneEntity(
        timestamp=stamp, frame_id=place.map_id, id=place.id,
        metadata=[KeyValuePair(key="kind", value=place.kind),
                  KeyValuePair(key="floor", value=str(place.floor)),
                  KeyValuePair(key="text", value=place.text)],
        cubes=[_region(place.bounds, _color(name, alpha=0.15))],
        texts=[_label(name, place.centre)],
    )  # fmt: skip


# -- parts of messages --------------------------------------------------------------------------


def _color(name: str, *, alpha: float = 1.0) -> Any:
    red, green, blue = color_of(name)
    return Color(r=red, g=green, b=blue, a=alpha)


def _time(stamp_ns: int) -> Any:
    seconds, nanos = divmod(stamp_ns, 1_000_000_000)
    return Timestamp(seconds=seconds, nanos=nanos)


def _robot_frame(map_id: str, robot: str) -> str:
    """The robot's frame; one for each map, as a frame has one parent only."""
    return f"{map_id}/{robot}"


def _xyz(position: Vector3) -> dict[str, float]:
    return dict(zip("xyz", position, strict=True))


def _pose(pose: Pose) -> Any:
    return PoseMessage(
        position=VectorMessage(**_xyz(pose.position)),
        orientation=Quaternion(**dict(zip("xyzw", pose.quaternion, strict=True))),
    )


def _cube(edge_m: float) -> Any:
    return VectorMessage(x=edge_m, y=edge_m, z=edge_m)


def _region(box: Box, color: Any) -> Any:
    """A box; one without extent along an axis is 5 cm thick there."""
    middle = [(low + high) / 2 for low, high in zip(box.low, box.high, strict=True)]
    extent = [max(high - low, 0.05) for low, high in zip(box.low, box.high, strict=True)]
    return CubePrimitive(
        pose=_pose(Pose(*middle)), size=VectorMessage(**dict(zip("xyz", extent, strict=True))),
        color=color,
    )  # fmt: skip


def _label(text: str, at: Vector3) -> Any:
    return TextPrimitive(
        pose=_pose(Pose(*at)), billboard=True, font_size=12.0, scale_invariant=True,
        color=Color(r=0.1, g=0.1, b=0.1, a=1.0), text=text,
    )  # fmt: skip


def _all_before(stamp: Any) -> Any:
    """Takes away what the topic showed before."""
    return SceneEntityDeletion(timestamp=stamp, type=SceneEntityDeletion.ALL)
