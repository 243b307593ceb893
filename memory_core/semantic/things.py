"""The things of a memory: what sightings with and without depth add up to, kept across restarts.

Sightings with positions go to an `EntityTracker`, one for each frame (a map, or an odometry
frame nobody was localised in); sightings with bearings alone to `BearingEntities`. Which thing a
sighting shows is written beside the sighting as one number: a tracker's number with its frame in
the high bits, or the negative number of what lines of sight add up to.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field, replace

import numpy as np

from memory_core.episodic.codec import pack, unpack
from memory_core.episodic.records import Record
from memory_core.episodic.rows import Stored
from memory_core.geometry import bearing_direction
from memory_core.identity import digest_of
from memory_core.semantic.bearings import BearingEntities, Line, SightLines
from memory_core.semantic.floors import camera_height
from memory_core.semantic.tracking import EntityTracker, Seen, Session, TrackerRows
from memory_core.semantic.tracks import Thing, Track, Vantage
from memory_core.semantic.views import view_told
from memory_core.types import (
    Entity,
    FloatArray,
    Json,
    Observation,
    Sighting,
    Stay,
    Vector3,
)

KINDS = ("frame", "thing", "track", "session", "vantage", "line", "tracker")
_FRAME_BITS = 40
_DEPTH_SPREAD_M = 0.05
_LINE_SPREAD_M = 0.3

Dropped = tuple[str, int]


@dataclass(slots=True)
class ThingChanges:
    """What taking observations changed.

    Attributes:
        put: Records made or changed.
        dropped: (kind, number) of records that are no more.
        shown: (observation, sequence, number): what sightings show.
        renamed: Numbers beside sightings that stand for another number from now on.
        touched: Numbers of entities made or changed.
        gone: Ids of entities that are no more.
    """

    put: list[Record] = field(default_factory=list)
    dropped: list[Dropped] = field(default_factory=list)
    shown: list[tuple[int, int, int]] = field(default_factory=list)
    renamed: dict[int, int] = field(default_factory=dict)
    touched: set[int] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)


def frame_of(observation: Observation) -> str:
    """The frame an observation's things are in: its map, or the odometry frame it drifts in."""
    return frame_name(observation.map_id, observation.anchor_id, localised=observation.localised)


def frame_name(map_id: str, anchor_id: str, *, localised: bool) -> str:
    """The name of a frame: a map's own, or that of an odometry frame beside it."""
    return map_id if localised else f"{map_id}/{anchor_id}"


class Things:
    """Trackers and lines of sight of one memory."""

    def __init__(self) -> None:
        """Nothing is known."""
        self._frames: dict[str, int] = {}
        self._maps: dict[str, str] = {}
        self._trackers: dict[int, EntityTracker] = {}
        self._lines = BearingEntities()
        self._told: dict[int, frozenset[tuple[int, int]]] = {}
        self._pending: dict[tuple[str, str], list[Line]] = {}
        self._new_frames: list[str] = []
        self._known: dict[int, Entity] | None = None

    @classmethod
    def load(cls, records: Mapping[str, Sequence[Record]]) -> Things:
        """Things as they were when their records were stored, by kind."""
        things = cls()
        for record in records.get("frame", ()):
            things._frames[record.body["name"]] = record.number
            things._maps[record.body["name"]] = record.body["map"]
        for name, frame in things._frames.items():
            things._trackers[frame] = EntityTracker.load(
                _rows_of(frame, records), map_id=things._maps[name]
            )
        settings = {record.number: record.body for record in records.get("tracker", ())}
        things._lines.restore(
            (_lines_of(record) for record in records.get("line", ())),
            next_number=settings.get(0, {}).get("next_number", 1),
        )
        return things

    def take(self, stored: Stored) -> dict[int, int]:
        """Take in one observation's sightings, in order of arrival.

        Args:
            stored: With its pose in the map; without one nothing is learnt.

        Returns:
            The number of each sighting with a position, by its place in the observation.
        """
        pose = stored.map_pose
        observation = stored.observation
        if pose is None:
            return {}
        view = view_told(observation.extra, pose)
        if view is None and not observation.sightings:
            return {}
        self._known = None
        frame = self._frame(frame_of(observation), observation.map_id)
        rotation = pose.matrix()[:3, :3]
        seen: list[Seen] = []
        for sequence, sighting in enumerate(observation.sightings):
            at = stored.sighting_position(sighting)
            if at is not None:
                seen.append(seen_in_map(sequence, sighting, np.array(at), rotation))
            else:
                self._await(stored, sequence, sighting, rotation)
        if view is None and not seen:
            return {}
        joined = self._trackers[frame].look(
            observation.stamp_ns, pose.position, session=observation.session, sightings=seen,
            view=view,
        )  # fmt: skip
        return {int(key): _number(frame, track) for key, track in joined.items()}  # type: ignore[call-overload]

    def _await(
        self, stored: Stored, sequence: int, sighting: Sighting, rotation: FloatArray
    ) -> None:
        """A sighting without depth waits until the batch is settled: lines meet by label."""
        pose = stored.map_pose
        assert pose is not None
        ray = None
        if sighting.bearing is not None:
            x, y, z = (rotation @ bearing_direction(*sighting.bearing)).tolist()
            ray = (x, y, z)
        line = Line((stored.rowid, sequence), stored.observation.stamp_ns, pose.position, ray)
        key = (frame_of(stored.observation), sighting.label)
        self._pending.setdefault(key, []).append(line)

    def _frame(self, name: str, map_id: str) -> int:
        if name not in self._frames:
            self._frames[name] = len(self._frames)
            self._maps[name] = map_id
            self._trackers[self._frames[name]] = EntityTracker(map_id=map_id)
            self._new_frames.append(name)
        return self._frames[name]

    def frame(self, number: int) -> str:
        """The name of the frame that the entity of a number beside sightings is in."""
        if number < 0:
            return self._lines.things[-number].map_id
        return next(name for name, frame in self._frames.items() if frame == number >> _FRAME_BITS)

    def settle(self) -> ThingChanges:
        """Meet the lines that wait, and tell everything that changed since the last call."""
        changes = ThingChanges()
        for name in self._new_frames:
            changes.put.append(
                Record("frame", self._frames[name], {"name": name, "map": self._maps[name]})
            )
        self._new_frames = []
        for (name, label), lines in self._pending.items():
            self._meet(name, label, lines, changes)
        if self._pending:
            body = {"next_number": self._lines.next_number}
            changes.put.append(Record("tracker", 0, body))
        self._pending = {}
        for frame, tracker in self._trackers.items():
            _tell(frame, tracker.changed(), changes)
        self._known = None
        return changes

    def _meet(self, frame: str, label: str, lines: list[Line], changes: ThingChanges) -> None:
        self._tell_lines(*self._lines.add(frame, label, lines), changes)

    def _tell_lines(self, touched: set[int], gone: set[int], changes: ThingChanges) -> None:
        for number in sorted(touched):
            thing = self._lines.things[number]
            changes.put.append(_line_record(thing))
            known = self._told.get(number, frozenset())
            changes.shown += [(*key, -number) for key in thing.lines if key not in known]
            self._told[number] = frozenset(thing.lines)
            changes.touched.add(-number)
        for number in sorted(gone):
            self._told.pop(number, None)
            changes.dropped.append(("line", number))
        changes.gone |= {entity_id(-number) for number in gone}

    def known(self) -> Mapping[int, Entity]:
        """Entities by every number that stands beside sightings for them."""
        if self._known is None:
            known: dict[int, Entity] = {}
            for frame, tracker in self._trackers.items():
                told = {e.id: replace(e, id=_id_in(frame, e.id)) for e in tracker.entities()}
                for number in {*tracker.things(), *tracker.open_tracks()}:
                    entity = told.get(f"entity:{tracker.entity_of(number)}")
                    if entity is not None:
                        known[_number(frame, number)] = entity
            for number, thing in self._lines.things.items():
                known[-number] = _entity_of_lines(thing, self._maps[thing.map_id])
            self._known = known
        return self._known

    def forget_lines(self, observations: Set[int]) -> ThingChanges:
        """Observations were forgotten: their lines of sight go, and what only they knew."""
        changes = ThingChanges()
        self._tell_lines(*self._lines.forget(observations), changes)
        body = {"next_number": self._lines.next_number}
        changes.put.append(Record("tracker", 0, body))
        self._known = None
        return changes


def entity_id(number: int) -> str:
    """The id of the entity a number beside a sighting stands for."""
    return f"entity:{number}" if number >= 0 else f"entity:{-number}s"


def _number(frame: int, track: int) -> int:
    return frame << _FRAME_BITS | track


def _id_in(frame: int, identity: str) -> str:
    return entity_id(_number(frame, int(identity.split(":")[1])))


def seen_in_map(sequence: int, sighting: Sighting, at: FloatArray, rotation: FloatArray) -> Seen:
    """A sighting in the map frame; a position without a spread is taken to be 5 cm good.

    Args:
        sequence: Its place in the observation.
        sighting: The sighting, with a position.
        at: The position in the map, shape (3,), metres.
        rotation: Of the observation's pose in the map, shape (3, 3).
    """
    covariance = np.eye(3) * _DEPTH_SPREAD_M**2
    extent = None if sighting.size is None else np.sqrt(rotation**2 @ np.square(sighting.size))
    if sighting.covariance is not None:
        own = np.array(sighting.covariance).reshape(3, 3)
        covariance = rotation @ own @ rotation.T + np.eye(3) * 1e-6
    return Seen(
        sequence, sighting.label, at, covariance, size=sighting.size,
        embedding=sighting.embedding, confidence=sighting.confidence, state=dict(sighting.state), extent=extent,
    )  # fmt: skip


def _entity_of_lines(thing: SightLines, map_id: str) -> Entity:
    spread = _LINE_SPREAD_M**2
    stay = Stay(
        thing.position, (spread, 0, 0, 0, spread, 0, 0, 0, spread), thing.first_ns, thing.last_ns,
        None, len(thing.lines),
    )  # fmt: skip
    return Entity(entity_id(-thing.number), thing.label, map_id, (stay,))


def _line_record(thing: SightLines) -> Record:
    lines = pack(tuple(thing.lines.values()))
    body = {"label": thing.label, "frame": thing.map_id, "position": thing.position, "lines": lines}
    return Record("line", thing.number, body)


def _lines_of(record: Record) -> SightLines:
    body = record.body
    lines = [unpack(Line, line) for line in body["lines"]]
    x, y, z = body["position"]
    return SightLines(
        record.number, body["label"], body["frame"], (x, y, z), {line.key: line for line in lines}
    )


def _tell(frame: int, rows: TrackerRows, changes: ThingChanges) -> None:
    """A tracker's rows as records."""
    if not (rows.things or rows.tracks or rows.owners or rows.sessions or rows.vantages):
        return
    for kind, items in (("thing", rows.things), ("track", rows.tracks), ("vantage", rows.vantages)):
        changes.put += [Record(kind, _number(frame, item.number), pack(item)) for item in items]
    changes.put += [
        Record("session", digest_of(f"{frame}/{s.name}"), {"frame": frame, "session": pack(s)})
        for s in rows.sessions
    ]
    for track, owner in rows.owners.items():
        changes.renamed[_number(frame, track)] = _number(frame, owner)
        changes.dropped.append(("track", _number(frame, track)))
        if track != owner:
            changes.dropped.append(("thing", _number(frame, track)))
            changes.gone.add(entity_id(_number(frame, track)))
    body = {"next_number": rows.next_number, "swept_ns": rows.swept_ns}
    changes.put.append(Record("tracker", frame + 1, body))
    changes.touched |= {_number(frame, item.number) for item in (*rows.things, *rows.tracks)}


def _rows_of(frame: int, records: Mapping[str, Sequence[Record]]) -> TrackerRows:
    """What a tracker is loaded from."""

    def of(kind: str) -> list[Record]:
        return [r for r in records.get(kind, ()) if r.number >> _FRAME_BITS == frame]

    body: Json = next((r.body for r in records.get("tracker", ()) if r.number == frame + 1), {})
    sessions = [
        unpack(Session, r.body["session"])
        for r in records.get("session", ())
        if r.body["frame"] == frame
    ]
    return TrackerRows(
        things=tuple(unpack(Thing, record.body) for record in of("thing")),
        tracks=tuple(unpack(Track, record.body) for record in of("track")),
        sessions=tuple(sessions),
        vantages=tuple(unpack(Vantage, record.body) for record in of("vantage")),
        next_number=body.get("next_number", 1),
        swept_ns=body.get("swept_ns", 0),
    )


def under(standpoint: Vector3, observation: Observation) -> Vector3:
    """The point of the floor under an observer, whose height may be told, metres."""
    x, y, z = standpoint
    return (x, y, z - camera_height(observation))


def distances(stored: Stored, standpoint: Vector3) -> dict[str, float]:
    """For each label seen the distance of the nearest of its kind; 2 m where no depth was had."""
    nearest: dict[str, float] = {}
    for sighting in stored.observation.sightings:
        at = stored.sighting_position(sighting)
        apart = 2.0 if at is None else float(np.linalg.norm(np.subtract(at, standpoint)))
        nearest[sighting.label] = min(apart, nearest.get(sighting.label, np.inf))
    return nearest
