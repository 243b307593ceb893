"""A scene: the things a memory's observations show, where they are, and in what kind of room.

Built from observations with sightings: standpoints, floors, things, which standpoint sees which
thing, what is near what, and a belief over kinds of rooms for every thing. Matrices are things
by things, so a scene is bounded; see `MAX_THINGS`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from memory_core.episodic.rows import Stored
from memory_core.geometry import bearing_direction
from memory_core.language.lexicon import words_of
from memory_core.language.rooms import NAMES
from memory_core.semantic.entities import Sightings, Thing, associate
from memory_core.semantic.floor_plan import FloorPlan
from memory_core.semantic.floors import camera_height, floors_of
from memory_core.semantic.kinds import KindModel
from memory_core.types import (
    ORIGIN,
    BoolArray,
    Encode,
    Entity,
    FloatArray,
    IntArray,
    Observation,
    Sighting,
)

MAX_STANDPOINTS = 4_000
MAX_THINGS = 2_500
NEAR_M = 3.0
TIGHT_M = 1.0
ROOM_M = 4.0
FRAME_APART_M = 1e5
AROUND_M = 7.0
_SMOOTH_M = 3.0
_SECOND_HOP = 0.6


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Scene:
    """Arrays over s standpoints, e things, l labels and r kinds of rooms.

    Attributes:
        stored: The observations, one a standpoint.
        labels: The labels.
        label_words: Their lemmas.
        label_vectors: Their unit vectors, shape (l, d); None without an encoder.
        rarity: How telling a label is, 0 to 1, shape (l,).
        thing_label: Shape (e,).
        thing_position: In the map, metres, shape (e, 3).
        thing_floor: Shape (e,), 0 the lowest.
        floor_heights: Shape (f,), metres.
        sees: Whether a standpoint sees a thing, shape (e, s), float32.
        best_view: For each thing its largest sighting: (standpoint, sighting).
        aimed: Whether a thing was seen in some direction, shape (e,).
        shown: The sighting (the largest) by which a standpoint sees a thing.
        entities: What is known to last, move and go.
        entity: Which of `entities` a thing is a stay of, -1 for none, shape (e,). An entity that
            moved is one thing for each place it was at.
        stay: Which of its entity's stays a thing is, -1 for none, shape (e,).
        ended_ns: When a thing was found to be no longer there; 0 where it is there as far as
            one knows, shape (e,).
        whole: Whether every observation of the things is among `stored`.
        near: Label within about 3 m and in view together, shape (e, l), 0 to 1.
        tight: Label within about 1 m, shape (e, l), 0 to 1.
        room: Belief over kinds of rooms, shape (e, r), rows sum to 1.
        around: Best belief within about 7 m on the floor, shape (e, r).
        floor_plan: Of the map, where one was told.
    """

    stored: tuple[Stored, ...]
    labels: tuple[str, ...]
    label_words: tuple[list[str], ...]
    label_vectors: FloatArray | None
    rarity: FloatArray
    thing_label: IntArray
    thing_position: FloatArray
    thing_floor: IntArray
    floor_heights: FloatArray
    sees: FloatArray
    best_view: tuple[tuple[int, Sighting], ...]
    aimed: BoolArray
    near: FloatArray
    tight: FloatArray
    room: FloatArray
    around: FloatArray
    shown: Mapping[tuple[int, int], Sighting]
    entities: tuple[Entity, ...]
    entity: IntArray
    stay: IntArray
    ended_ns: IntArray
    whole: bool = True
    floor_plan: FloorPlan | None = None

    @property
    def stood(self) -> FloatArray:
        """Positions of the standpoints in the map, metres, shape (s, 3)."""
        return np.array([s.map_pose.position for s in self.stored if s.map_pose is not None])

    @property
    def placed(self) -> BoolArray:
        """Whether a thing's position is one in the map, shape (e,).

        Who was lost and had no anchor of its own measured from where its wheels began.
        """
        views = (self.stored[station].observation for station, _ in self.best_view)
        return np.array([o.localised or o.anchor_id != ORIGIN for o in views], bool)

    def room_of(self, thing: int) -> tuple[str, float]:
        """The likeliest kind of room a thing is in, and the belief in it."""
        kind = int(self.room[thing].argmax())
        return NAMES[kind], float(self.room[thing, kind])

    def floor_of(self, height: float) -> int:
        """The floor, 0 the lowest, whose height is just below or nearest to a height."""
        return int(np.abs(self.floor_heights - height).argmin())

    def view_of(self, thing: int, standpoint: int) -> Sighting | None:
        """The sighting of a thing from a standpoint; None where it is not seen from there."""
        return self.shown.get((thing, standpoint))


def build_scene(
    stored: Sequence[Stored],
    encode: Encode | None,
    *,
    known: Mapping[int, Entity] = MappingProxyType({}),
    kinds: KindModel | None = None,
    whole: bool = True,
    floor_plans: Mapping[str, FloorPlan] = MappingProxyType({}),
) -> Scene | None:
    """Build a scene.

    Args:
        stored: Observations; those without pose or sightings are passed over.
        encode: Sentences to unit vectors; None compares labels by spelling alone.
        known: Entities by number, for sightings that are known to show one; the others are
            associated here.
        kinds: What labels say about kinds of rooms, where that is worked out already.
        whole: Whether these are all observations of what they show.
        floor_plans: Told of maps; that of the first observation's map is the scene's.

    Returns:
        The scene; None where nothing with a label was seen from a known place.
    """
    standpoints = [s for s in stored if s.map_pose is not None and s.observation.sightings]
    standpoints = standpoints[-MAX_STANDPOINTS:]
    if not standpoints:
        return None
    labels = tuple(sorted({s.label for o in standpoints for s in o.observation.sightings}))
    origins = np.array([s.map_pose.position for s in standpoints if s.map_pose is not None])
    shifts = _apart_by_frame(standpoints)  # things of different maps are never one thing
    origins = origins + shifts
    heights = origins[:, 2] - np.array([camera_height(s.observation) for s in standpoints])
    floors, levels = floors_of(heights)
    sightings, originals = _collect(standpoints, labels)
    sightings = replace(sightings, position=sightings.position + shifts[sightings.station])
    things, stays = _things(standpoints, sightings, origins, labels, known, shifts)
    if len(things) > MAX_THINGS:  # the best supported ones stand for the rest
        kept = sorted(range(len(things)), key=lambda t: -len(things[t].sightings))[:MAX_THINGS]
        things, stays = [things[t] for t in kept], [stays[t] for t in kept]
    vectors = encode(labels) if encode is not None else None
    scene = _assemble(
        standpoints,
        labels,
        vectors,
        floors,
        levels,
        sightings,
        originals,
        things,
        shifts,
        kinds or KindModel(encode),
    )
    lasting = [(place, known[number], which) for place, (number, which) in enumerate(stays)
               if number is not None and number >= 0]  # fmt: skip
    entities = {entity.id: entity for _, entity, _ in lasting}
    index = {name: at for at, name in enumerate(entities)}
    entity, stay, ended = (
        np.full(len(things), -1),
        np.full(len(things), -1),
        np.zeros(len(things), np.int64),
    )
    for place, told, which in lasting:
        entity[place], stay[place], ended[place] = index[told.id], which, _ended(told, which)
    return replace(
        scene, entities=tuple(entities.values()), entity=entity, stay=stay, ended_ns=ended,
        whole=whole, floor_plan=_plan_of(standpoints[0].observation, floor_plans),
    )  # fmt: skip


def _plan_of(first: Observation, floor_plans: Mapping[str, FloorPlan]) -> FloorPlan | None:
    """The plan of the map whose coordinates are the scene's: that of its first observation."""
    return floor_plans.get(first.map_id) if first.localised else None


def _ended(entity: Entity, stay: int) -> int:
    """When an entity was found to have left a place; 0 where it is there as far as one knows."""
    chosen = entity.history[stay]
    if chosen.end_ns is not None:
        return chosen.end_ns
    return 0 if stay == len(entity.history) - 1 else entity.history[stay + 1].start_ns


def _things(
    standpoints: Sequence[Stored],
    sightings: Sightings,
    origins: FloatArray,
    labels: Sequence[str],
    known: Mapping[int, Entity],
    shifts: FloatArray,
) -> tuple[list[Thing], list[tuple[int | None, int]]]:
    """Stays of known entities, then what the other sightings add up to.

    Returns:
        Things, and for each its number beside sightings and which stay of its entity it is;
        (None, -1) where it is none's.
    """
    shown = [number for stored in standpoints for number in _entities(stored, known)]
    stamps = [s.observation.stamp_ns for s in standpoints]
    members: dict[tuple[str, int], list[int]] = {}
    numbers: dict[str, int] = {}
    rest: list[int] = []
    for row, number in enumerate(shown):
        if number is None:
            rest.append(row)
            continue
        if number not in known:  # doubted: looking again did not repeat it
            continue
        stay = _stay_at(known[number], stamps[int(sightings.station[row])])
        members.setdefault((known[number].id, stay), []).append(row)
        numbers[known[number].id] = number
    things: list[Thing] = []
    stays: list[tuple[int | None, int]] = []
    place = {label: at for at, label in enumerate(labels)}
    for (name, stay), rows in members.items():
        number = numbers[name]
        votes = np.bincount(sightings.label[rows])
        label = place.get(known[number].label, int(votes.argmax()))
        at = np.array(known[number].history[stay].position) + shifts[sightings.station[rows[0]]]
        things.append(Thing(label, at, np.array(rows)))
        stays.append((number, stay))
    if rest:
        part = np.array(rest)
        for thing in associate(_rows(sightings, part), origins, len(labels)):
            things.append(replace(thing, sightings=part[thing.sightings]))
            stays.append((None, -1))
    return things, stays


def _entities(stored: Stored, known: Mapping[int, Entity]) -> list[int | None]:
    """For each sighting of an observation the number of the entity it shows, where decided."""
    count = len(stored.observation.sightings)
    if not known or len(stored.entities) != count:
        return [None] * count
    return list(stored.entities)


def _stay_at(entity: Entity, stamp_ns: int) -> int:
    """Which stay of an entity a sighting of a moment belongs to."""
    for place in range(len(entity.history) - 1, 0, -1):
        if stamp_ns >= entity.history[place].start_ns:
            return place
    return 0


def _rows(sightings: Sightings, rows: IntArray) -> Sightings:
    return Sightings(
        sightings.station[rows], sightings.label[rows], sightings.ray[rows],
        sightings.position[rows], sightings.size[rows], sightings.extent[rows],
    )  # fmt: skip


def _apart_by_frame(standpoints: Sequence[Stored]) -> FloatArray:
    """Shifts that put every map, and every drifting odometry frame, far from the others, (s, 3)."""
    frames = [
        (o.map_id, "" if o.localised else o.anchor_id)
        for o in (stored.observation for stored in standpoints)
    ]
    numbers = {frame: number for number, frame in enumerate(dict.fromkeys(frames))}
    shifts = np.zeros((len(frames), 3))
    shifts[:, 0] = [numbers[frame] * FRAME_APART_M for frame in frames]
    return shifts


def _collect(
    standpoints: Sequence[Stored], labels: Sequence[str]
) -> tuple[Sightings, list[Sighting]]:
    number = {label: place for place, label in enumerate(labels)}
    station, label, ray, position, size, reach, originals = [], [], [], [], [], [], []
    unknown = (math.nan,) * 3
    for place, stored in enumerate(standpoints):
        pose = stored.map_pose
        assert pose is not None
        rotation = pose.matrix()[:3, :3]
        for sighting in stored.observation.sightings:
            station.append(place)
            label.append(number[sighting.label])
            at = stored.sighting_position(sighting)
            position.append(unknown if at is None else at)
            if sighting.bearing is None:
                ray.append(unknown)
            else:
                ray.append(tuple(rotation @ bearing_direction(*sighting.bearing)))
            extent = sighting.size or (0.0, 0.0, 0.0)
            size.append(extent[0] * extent[1])
            reach.append((max(extent[0], extent[1]), extent[2]) if at is not None else (0.0, 0.0))
            originals.append(sighting)
    return Sightings(
        np.array(station), np.array(label), np.array(ray, np.float64).reshape(-1, 3),
        np.array(position, np.float64).reshape(-1, 3), np.array(size, np.float64),
        np.array(reach, np.float64).reshape(-1, 2),
    ), originals  # fmt: skip


def _assemble(
    standpoints: Sequence[Stored],
    labels: tuple[str, ...],
    vectors: FloatArray | None,
    floors: IntArray,
    levels: FloatArray,
    sightings: Sightings,
    originals: list[Sighting],
    things: list[Thing],
    shifts: FloatArray,
    kinds: KindModel,
) -> Scene:
    count = len(things)
    sees = np.zeros((count, len(standpoints)), np.float32)
    shown: dict[tuple[int, int], Sighting] = {}
    for row, thing in enumerate(things):
        stations = sightings.station[thing.sightings]
        sees[row, stations] = 1
        smallest_first = np.argsort(sightings.size[thing.sightings], kind="stable")
        for at in smallest_first.tolist():
            shown[row, int(stations[at])] = originals[int(thing.sightings[at])]
    thing_label = np.array([thing.label for thing in things])
    positions = np.array([thing.position for thing in things])
    views = np.array([t.sightings[int(sightings.size[t.sightings].argmax())] for t in things])
    best = tuple((int(sightings.station[v]), originals[int(v)]) for v in views)
    thing_floor = np.array(
        [np.bincount(floors[sightings.station[thing.sightings]]).argmax() for thing in things]
    )
    seen_by = sees.sum(axis=1)
    together = (sees @ sees.T) / np.minimum(seen_by[:, None], seen_by[None])
    apart = _distances(positions)
    near = np.exp(-((apart / NEAR_M) ** 2)) * together
    tight = np.exp(-((apart / TIGHT_M) ** 2)) * (together > 0)
    np.fill_diagonal(tight, 0)
    words = tuple(words_of(label) for label in labels)
    room = _room_beliefs(labels, kinds, thing_label, apart, together)
    same_floor = thing_floor[:, None] == thing_floor[None]
    reach = np.exp(-((apart / AROUND_M) ** 2)) * same_floor
    around = np.stack([(reach * room[:, r]).max(axis=1) for r in range(room.shape[1])], axis=1)
    spread = np.array([(sees[thing_label == k].sum(axis=0) > 0).sum() for k in range(len(labels))])
    total = len(standpoints) + 1
    return Scene(
        stored=tuple(standpoints),
        labels=labels,
        label_words=words,
        label_vectors=vectors,
        rarity=np.log(total / (spread + 0.5)) / np.log(total),
        thing_label=thing_label,
        thing_position=positions - shifts[[station for station, _ in best]],
        thing_floor=thing_floor,
        floor_heights=levels,
        sees=sees,
        best_view=best,
        aimed=np.array([
            not (np.isnan(sightings.ray[t.sightings, 0]) & np.isnan(sightings.position[t.sightings, 0])).all()
            for t in things
        ]),
        near=_by_label(near, thing_label, len(labels)),
        tight=_by_label(tight, thing_label, len(labels)),
        room=room,
        around=around,
        shown=shown,
        entities=(),
        entity=np.full(count, -1),
        stay=np.full(count, -1),
        ended_ns=np.zeros(count, np.int64),
    )  # fmt: skip


def _distances(positions: FloatArray) -> FloatArray:
    points = positions - positions.mean(axis=0)
    squares = (points**2).sum(axis=1)
    apart = squares[:, None] + squares[None] - 2 * points @ points.T
    return np.asarray(np.sqrt(np.maximum(apart, 0)), np.float32)


def _by_label(weights: FloatArray, thing_label: IntArray, labels: int) -> FloatArray:
    """For each thing the largest weight towards any thing of each label, shape (e, l)."""
    result = np.zeros((len(weights), labels), np.float32)
    for label in range(labels):
        of_label = thing_label == label
        if of_label.any():
            result[:, label] = weights[:, of_label].max(axis=1)
    return result


def _room_beliefs(
    labels: tuple[str, ...],
    kinds: KindModel,
    thing_label: IntArray,
    apart: FloatArray,
    together: FloatArray,
) -> FloatArray:
    """Belief over kinds of rooms for every thing, from the labels in view around it.

    What the labels say is averaged over things in view within 3 m.
    """
    reach = np.exp(-((apart / ROOM_M) ** 2)) * np.clip(together, 0, 1)
    present = _by_label(reach, thing_label, len(labels))
    further = np.stack(
        [(reach * present[:, label]).max(axis=1) for label in range(len(labels))], axis=1
    )
    present = np.maximum(present, _SECOND_HOP * further)
    belief = kinds.belief(present, labels)
    smooth = np.exp(-((apart / _SMOOTH_M) ** 2)) * (together > 0.3)
    np.fill_diagonal(smooth, 1.0)
    belief = smooth @ belief
    return np.asarray(belief / belief.sum(axis=1, keepdims=True))
