"""The data model: what a robot observed, what can be asked, and what comes back.

Times are int64 nanoseconds since the Unix epoch, UTC. Lengths are metres, angles radians.
Frames follow REP-103 (x forward, y left, z up) and REP-105 (`map`). Everything here is frozen;
checking is done where data enters (`memory_core.validation`), not in constructors, so that a
million observations can be built quickly.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from memory_core.geometry import (
    matrix_to_quaternion,
    quaternion_to_matrix,
    transform_points,
)

FloatArray = npt.NDArray[np.floating[Any]]
IntArray = npt.NDArray[np.integer[Any]]
BoolArray = npt.NDArray[np.bool_]
Json = Any
Vector3 = tuple[float, float, float]
Encode = Callable[[Sequence[str]], FloatArray]
"""Sentences to unit vectors, shape (n, d)."""

TEXT_SPACE = "text"
IMAGE_SPACE = "image"
PLACE_SPACE = "place"
"""The vector spaces of what was described, of keyframes, and of where keyframes were taken."""

DEFAULT_MAP = "map"
ORIGIN = "origin"
"""The anchor every map has: the map's own origin, pose identity."""


@dataclass(frozen=True, slots=True)
class Pose:
    """Position (metres) and orientation (unit quaternion) of a frame in another frame."""

    x: float = 0.0
    y: float = 0.0
    z: float = 0.0
    qx: float = 0.0
    qy: float = 0.0
    qz: float = 0.0
    qw: float = 1.0

    @classmethod
    def from_matrix(cls, matrix: FloatArray) -> Pose:
        """The pose of a 4x4 homogeneous matrix, shape (4, 4)."""
        translation = np.asarray(matrix, dtype=np.float64)[:3, 3]
        quaternion = matrix_to_quaternion(np.asarray(matrix, dtype=np.float64)[:3, :3])
        return cls(*map(float, translation), *map(float, quaternion))

    @classmethod
    def from_yaw(cls, x: float, y: float, *, z: float = 0.0, yaw: float = 0.0) -> Pose:
        """A pose on a floor: position in metres, heading in radians about +z."""
        return cls(x, y, z, 0.0, 0.0, float(np.sin(yaw / 2)), float(np.cos(yaw / 2)))

    @property
    def position(self) -> Vector3:
        """x, y, z in metres."""
        return (self.x, self.y, self.z)

    @property
    def quaternion(self) -> tuple[float, float, float, float]:
        """qx, qy, qz, qw."""
        return (self.qx, self.qy, self.qz, self.qw)

    @property
    def yaw(self) -> float:
        """Heading about +z, radians in (-pi, pi]."""
        return float(
            np.arctan2(
                2 * (self.qw * self.qz + self.qx * self.qy),
                1 - 2 * (self.qy**2 + self.qz**2),
            )
        )

    def matrix(self) -> FloatArray:
        """The 4x4 homogeneous matrix."""
        result = np.eye(4)
        result[:3, :3] = quaternion_to_matrix(np.array(self.quaternion))
        result[:3, 3] = self.position
        return result

    def apply(self, x: float, y: float, z: float) -> Vector3:
        """Carry one point from this frame to the reference frame, without arrays."""
        qx, qy, qz, qw = self.qx, self.qy, self.qz, self.qw
        tx, ty, tz = 2 * (qy * z - qz * y), 2 * (qz * x - qx * z), 2 * (qx * y - qy * x)
        return (
            self.x + x + qw * tx + qy * tz - qz * ty,
            self.y + y + qw * ty + qz * tx - qx * tz,
            self.z + z + qw * tz + qx * ty - qy * tx,
        )

    def compose(self, inner: Pose) -> Pose:
        """The pose of `inner` (given in this frame) in this pose's own reference frame."""
        ax, ay, az, aw = self.quaternion
        bx, by, bz, bw = inner.quaternion
        qx = aw * bx + ax * bw + ay * bz - az * by
        qy = aw * by - ax * bz + ay * bw + az * bx
        qz = aw * bz + ax * by - ay * bx + az * bw
        qw = aw * bw - ax * bx - ay * by - az * bz
        length = math.sqrt(qx * qx + qy * qy + qz * qz + qw * qw)
        x, y, z = self.apply(inner.x, inner.y, inner.z)
        return Pose(x, y, z, qx / length, qy / length, qz / length, qw / length)

    def inverse(self) -> Pose:
        """The reference frame as seen from this pose."""
        conjugate = np.array([-self.qx, -self.qy, -self.qz, self.qw])
        position = -(quaternion_to_matrix(conjugate) @ np.array(self.position))
        return Pose(*map(float, position), *map(float, conjugate))

    def transform(self, points: FloatArray) -> FloatArray:
        """Carry points, shape (n, 3), from this frame to the reference frame."""
        return transform_points(self.position, self.quaternion, points)


@dataclass(frozen=True, slots=True)
class Sighting:
    """One thing seen in one observation.

    Attributes:
        label: What it was taken for.
        position: In the observation's own frame, metres; None where no depth was had.
        covariance: Row-major 3x3 of the position, square metres.
        bearing: Azimuth (counter-clockwise from +x) and elevation, radians, in the same frame.
        size: Extent along x, y, z, metres; with a bearing alone, angular width and height in
            radians and 0.
        confidence: 0 to 1.
        embedding: Unit vector of its appearance, shape (d,).
        state: Measured properties that change, by name: `openness`, 0 shut to 1 open.
    """

    label: str
    position: Vector3 | None = None
    covariance: tuple[float, ...] | None = None
    bearing: tuple[float, float] | None = None
    size: Vector3 | None = None
    confidence: float = 1.0
    embedding: FloatArray | None = field(default=None, compare=False)
    state: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Keyframe:
    """A stored picture: JPEG bytes and its size in pixels."""

    jpeg: bytes
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Observation:
    """What was perceived at one moment from one place. Immutable once acknowledged.

    Attributes:
        id: Deterministic from recording, source, stamp and sequence, else a UUIDv7.
        stamp_ns: Nanoseconds since the epoch, UTC; positive.
        source: Which sensor, topic or reader it comes from.
        robot: Which robot made it.
        session: Which run of that robot.
        map_id: The map its anchor belongs to.
        anchor_id: The anchor its pose is relative to; by default the map's origin.
        pose: The observing frame in the anchor's frame; None where nobody knew.
        covariance: Row-major 6x6 of the pose (x, y, z, roll, pitch, yaw).
        localised: Whether the robot knew where it was.
        text: Caption, note or message; None where there are no words.
        sightings: Things seen.
        keyframe: Picture, optional.
        embeddings: Unit vectors by the name of their space (`text`, `image`).
        confidence: 0 to 1.
        extra: Anything else, as JSON.
    """

    id: str
    stamp_ns: int
    source: str = "note"
    robot: str = "robot"
    session: str = "default"
    map_id: str = DEFAULT_MAP
    anchor_id: str = ORIGIN
    pose: Pose | None = None
    covariance: tuple[float, ...] | None = None
    localised: bool = True
    text: str | None = None
    sightings: tuple[Sighting, ...] = ()
    keyframe: Keyframe | None = None
    embeddings: Mapping[str, FloatArray] = field(default_factory=dict, compare=False)
    confidence: float = 1.0
    extra: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Event:
    """A run of consecutive observations of one robot that belong together.

    Attributes:
        id: `event:N`.
        robot: Whose.
        session: Of which run.
        start_ns: Stamp of its first observation.
        end_ns: Stamp of its last.
        map_id: The map its bounds are in.
        bounds: What it covered, metres; None where no pose was known.
        summary: What was seen, in words.
        observations: How many.
        place: The place most of it happened in.
    """

    id: str
    robot: str
    session: str
    start_ns: int
    end_ns: int
    map_id: str = DEFAULT_MAP
    bounds: Box | None = None
    summary: str = ""
    observations: int = 0
    place: str | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """A region of space the robot knows.

    Attributes:
        id: `place:N`.
        map_id: The map it is in.
        centre: Metres.
        bounds: Metres.
        floor: 0 the lowest.
        kind: What sort of room its things suggest, "" where nothing does.
        confidence: Belief in `kind`, 0 to 1.
        text: What is there, in words.
        observations: How many were made in it.
    """

    id: str
    map_id: str
    centre: Vector3
    bounds: Box
    floor: int = 0
    kind: str = ""
    confidence: float = 0.0
    text: str = ""
    observations: int = 0


@dataclass(frozen=True, slots=True)
class Stay:
    """Where an entity was from one moment to another.

    Attributes:
        position: In the map, metres.
        covariance: Row-major 3x3, square metres.
        start_ns: First seen there.
        last_ns: Last seen there.
        end_ns: When it was found to be gone; None while it is there as far as one knows.
        sightings: How many rest on it.
        place: The place it is in.
    """

    position: Vector3
    covariance: tuple[float, ...]
    start_ns: int
    last_ns: int
    end_ns: int | None = None
    sightings: int = 1
    place: str | None = None


@dataclass(frozen=True, slots=True)
class Entity:
    """One physical thing across sightings.

    Attributes:
        id: `entity:N`.
        label: What it is taken for.
        map_id: The map its positions are in.
        history: Where it was, oldest first; the last stay is the newest.
        state: Measured properties that change (`openness`, 0 shut to 1 open), latest values.
        size: Extent along x, y, z, metres; zeros where unknown.
        confidence: That it exists and is what it is called, 0 to 1.
    """

    id: str
    label: str
    map_id: str
    history: tuple[Stay, ...]
    state: Mapping[str, float] = field(default_factory=dict)
    size: Vector3 = (0.0, 0.0, 0.0)
    confidence: float = 1.0

    @property
    def position(self) -> Vector3:
        """Where it was last, metres."""
        return self.history[-1].position

    @property
    def first_ns(self) -> int:
        """When it was first seen."""
        return self.history[0].start_ns

    @property
    def last_ns(self) -> int:
        """When it was last seen."""
        return self.history[-1].last_ns

    @property
    def gone(self) -> bool:
        """Whether somebody looked where it was last, and it was not there."""
        return self.history[-1].end_ns is not None


@dataclass(frozen=True, slots=True)
class Fact:
    """Subject, relation, object, for as long as it held, with what it rests on.

    Attributes:
        subject: Id of an entity or a place.
        relation: `on`, `in`, `next to`, `left of`, `part of`, `seen with`.
        object: Id of an entity or a place.
        start_ns: Since when it is known.
        end_ns: Until when it held; None while it holds.
        confidence: 0 to 1.
        evidence: Ids of observations it rests on, newest last.
    """

    subject: str
    relation: str
    object: str
    start_ns: int
    end_ns: int | None = None
    confidence: float = 1.0
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ForestNode:
    """A node of the semantic forest. Leaves are places, level 0.

    Attributes:
        id: `forest:N`, a leaf's is its place's.
        level: 0 for leaves.
        parent: None at a root.
        children: Ids.
        text: What is below it, in words.
        count: Leaves below it, itself if it is one.
        bounds: Of all below it, metres.
        span: First and last stamp of all below it.
        kind: What sort of area, "" where nothing suggests one.
    """

    id: str
    level: int
    parent: str | None
    children: tuple[str, ...]
    text: str
    count: int
    bounds: Box
    span: TimeSpan
    kind: str = ""


@dataclass(frozen=True, slots=True)
class EmbeddingSpace:
    """Which model a family of vectors comes from: its name, revision and their length."""

    model: str
    revision: str
    dimension: int


@dataclass(frozen=True, slots=True)
class Box:
    """An axis-aligned region of a map, metres, bounds included."""

    low: Vector3
    high: Vector3


@dataclass(frozen=True, slots=True)
class Sphere:
    """All points of a map within `radius_m` metres of `centre`; flat where `centre` has no z."""

    centre: tuple[float, float] | Vector3
    radius_m: float


@dataclass(frozen=True, slots=True)
class TimeSpan:
    """From `start_ns` to `end_ns`, both included; None is open."""

    start_ns: int | None = None
    end_ns: int | None = None


@dataclass(frozen=True, slots=True)
class Filters:
    """What an observation must satisfy, exactly, before it is ranked.

    Empty tuples and None filter nothing. `region` and `span` are tested on map coordinates and
    stamps; an observation without a pose is in no region.
    """

    span: TimeSpan | None = None
    region: Box | Sphere | None = None
    robots: tuple[str, ...] = ()
    sessions: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    maps: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Query:
    """What is looked for.

    Attributes:
        text: Words to match by meaning and by word; None ranks by space and time alone.
        vectors: Query vectors by space name; made from `text` where missing.
        filters: Exact conditions.
        near: A position; nearer evidence weighs more: exp(-distance / near_scale_m).
        near_scale_m: Metres.
        around_ns: A moment; evidence close to it weighs more: exp(-|dt| / around_scale_s).
        around_scale_s: Seconds.
        k: How many pieces of evidence are returned, 1 to 1,000.
    """

    text: str | None = None
    vectors: Mapping[str, FloatArray] = field(default_factory=dict, compare=False)
    filters: Filters = field(default_factory=Filters)
    near: Vector3 | None = None
    near_scale_m: float = 5.0
    around_ns: int | None = None
    around_scale_s: float = 600.0
    k: int = 10


@dataclass(frozen=True, slots=True)
class Parts:
    """The three parts of a weight, each in [0, 1]; their product is the weight."""

    meaning: float = 1.0
    space: float = 1.0
    time: float = 1.0


@dataclass(frozen=True, slots=True)
class Evidence:
    """One observation that speaks for an answer.

    Attributes:
        observation: The observation itself, without keyframe bytes.
        weight: In [0, 1].
        parts: What the weight is made of.
        position: What it speaks about, in map coordinates: the sighting's position where one
            was meant and known, else where the observer stood; None where unknown.
        sighting: The sighting meant, where one was.
        map_id: The map `position` is in.
        epoch: The map's epoch at the time of recall; it rises with every correction.
        localised: False where the observer did not know where it was.
        keyframe: Size of the stored picture in bytes; 0 where there is none.
        path: Ids from the root of the memory's structure down to the observation.
        standpoint: Where the observer stood, in map coordinates, metres; None where unknown.
        attention: Its share of the attention of the whole memory, 0 to 1.
        path_weights: For each id of `path` the attention at and below it, 0 to 1.
    """

    observation: Observation
    weight: float
    parts: Parts
    position: Vector3 | None
    sighting: Sighting | None = None
    map_id: str = DEFAULT_MAP
    epoch: int = 0
    localised: bool = True
    keyframe: int = 0
    path: tuple[str, ...] = ()
    standpoint: Vector3 | None = None
    attention: float = 0.0
    path_weights: tuple[float, ...] = ()

    def to_json(self) -> dict[str, Json]:
        """The object that `--json`, HTTP and MCP return."""
        said = self.observation.text
        if self.sighting is not None:
            said = self.sighting.label if not said else f"{self.sighting.label}: {said}"
        elif said is None and self.observation.sightings:
            said = ", ".join(sorted({s.label for s in self.observation.sightings}))
        return {
            "id": self.observation.id,
            "stamp_ns": self.observation.stamp_ns,
            "position": list(self.position) if self.position is not None else None,
            "text": said,
            "weight": round(self.weight, 6),
            "parts": {
                "meaning": round(self.parts.meaning, 6),
                "space": round(self.parts.space, 6),
                "time": round(self.parts.time, 6),
            },
            "path": list(self.path),
            "path_weights": [round(weight, 6) for weight in self.path_weights],
            "attention": round(self.attention, 6),
            "keyframe": f"keyframe:{self.observation.id}" if self.keyframe else None,
            "map_id": self.map_id,
            "epoch": self.epoch,
            "localised": self.localised,
            "source": self.observation.source,
            "session": self.observation.session,
            "robot": self.observation.robot,
        }


@dataclass(frozen=True, slots=True)
class Recall:
    """What a query brought back, best first.

    Attributes:
        query: The query, as understood.
        evidence: At most `query.k` pieces, by falling weight.
        considered: How many observations passed the filters.
        seconds: Wall-clock time taken.
        objects: The things meant, likeliest first, each with its best sighting; empty where
            nothing with a label was seen.
    """

    query: Query
    evidence: tuple[Evidence, ...]
    considered: int
    seconds: float = 0.0
    objects: tuple[Evidence, ...] = ()

    def to_json(self) -> dict[str, Json]:
        """The object that `recall --json` prints."""
        return {
            "evidence": [item.to_json() for item in self.evidence],
            "objects": [item.to_json() for item in self.objects],
            "considered": self.considered,
            "seconds": round(self.seconds, 6),
        }


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer to a question in plain language, with what it rests on.

    Attributes:
        answer: One or a few sentences.
        kind: Which kind of question was understood.
        abstained: True where the memory holds no sufficient evidence.
        position: Where, in map coordinates, metres.
        frame: The frame `position` is in.
        map_id: The map it is in.
        epoch: The map's epoch the answer was made at.
        stamp_ns: When.
        value: A number, where one was asked for.
        unit: The unit of `value`.
        evidence: What the answer rests on, best first.
    """

    answer: str
    kind: str
    abstained: bool = False
    position: Vector3 | None = None
    frame: str = "map"
    map_id: str = DEFAULT_MAP
    epoch: int = 0
    stamp_ns: int | None = None
    value: float | None = None
    unit: str | None = None
    evidence: tuple[Evidence, ...] = ()

    def to_json(self) -> dict[str, Json]:
        """The object that `ask --json`, HTTP and MCP return."""
        return {
            "answer": self.answer,
            "kind": self.kind,
            "abstained": self.abstained,
            "position": list(self.position) if self.position is not None else None,
            "frame": self.frame,
            "map_id": self.map_id,
            "epoch": self.epoch,
            "stamp_ns": self.stamp_ns,
            "value": self.value,
            "unit": self.unit,
            "evidence": [item.to_json() for item in self.evidence],
        }


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why one item of a batch was not stored: its id where known, the error's code and words."""

    id: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """What became of a batch: every id in `added` is on disk, synced.

    Attributes:
        added: Ids stored by this call.
        known: Ids that were stored (or removed) before; nothing was done for them.
        refused: Items that were not stored, each with its reason.
    """

    added: tuple[str, ...] = ()
    known: tuple[str, ...] = ()
    refused: tuple[Refusal, ...] = ()
