"""Ground a question in a memory: which things, which standpoints, which stretch of time."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from memory_core.answering.absence import gone, heavy, seen_last, stamps_of, stays_put
from memory_core.answering.hops import Relations
from memory_core.answering.relations import resting_on
from memory_core.answering.rooms import Room, rooms_at, rooms_called, rooms_of, rooms_of_things
from memory_core.episodic.recall import evidence_of
from memory_core.episodic.rows import Stored
from memory_core.episodic.summary import Step, by_run, trajectory
from memory_core.language.directions import TOP, Directions, parse
from memory_core.language.lexicon import same_kind, words_of
from memory_core.language.questions import PlacePhrase, Question
from memory_core.language.rooms import NAMES, narrow_name
from memory_core.semantic.attend import Attended, attend
from memory_core.semantic.ranking import name_similarity
from memory_core.semantic.scene import Scene
from memory_core.types import (
    BoolArray,
    Encode,
    Evidence,
    FloatArray,
    IntArray,
    Parts,
    Pose,
    Sighting,
)

if TYPE_CHECKING:
    from memory_core.memory import RobotMemory

NEAR_M = 2.5
ON_M = 1.0
IN_ROOM = 0.25
LIKELY_ROOM = 0.2
VISIT_GAP_S = 60.0
_ROOM_ALIKE = {
    "living room": ("family room", "lounge"), "family room": ("living room", "lounge"),
    "lounge": ("living room", "family room"), "hallway": ("entryway", "staircase"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Context:
    """Everything an answer may draw on.

    Attributes:
        memory: The memory.
        question: The question, understood.
        now_ns: The moment it is asked.
        where: The zone it is asked in.
        scene: Things and standpoints; None where nothing with a label was seen.
        encode: Sentences to vectors; None without an encoder.
    """

    memory: RobotMemory
    question: Question
    now_ns: int
    where: dt.tzinfo
    scene: Scene | None
    encode: Encode | None


def in_time(context: Context, scene: Scene) -> BoolArray:
    """Standpoints within the question's span of time, shape (s,)."""
    stamps = stamps_of(scene)
    keep = np.ones(len(stamps), bool)
    span = context.question.time.span
    if span is not None:
        if span.start_ns is not None:
            keep &= stamps >= span.start_ns
        if span.end_ns is not None:
            keep &= stamps <= span.end_ns
    return keep


def seen(context: Context, scene: Scene) -> BoolArray:
    """Things seen within the question's span of time, shape (e,)."""
    return np.asarray((scene.sees[:, in_time(context, scene)] > 0).any(axis=1))


def of_kind(scene: Scene, phrase: str) -> BoolArray:
    """Things whose label names the kind a phrase asks for, shape (e,)."""
    fits = np.array([same_kind(phrase, label) for label in scene.labels])
    return np.asarray(fits[scene.thing_label])


def closest_kind(context: Context, scene: Scene, phrase: str) -> str | None:
    """The label most like a phrase, for "did you mean"; None where nothing is like it."""
    similar = name_similarity(scene, [phrase], context.encode)[0]
    best = int(similar.argmax())
    return scene.labels[best] if similar[best] > 0.4 else None


def directions_of(question: Question, thing: str) -> Directions:
    """A thing of a question with the place it is said to be in, as directions."""
    place = question.place
    words = f"find the {thing} {place.words}" if place.words else f"find the {thing}"
    parsed = parse(words)
    landmarks = (place.thing,) if place.thing else parsed.landmarks
    return Directions(
        text=f"{thing} {place.thing or ''}".strip(),
        target=thing,
        room=place.room if place.room is not None else parsed.room,
        other_rooms=parsed.other_rooms,
        floor=place.floor if place.floor is not None else parsed.floor,
        landmarks=landmarks,
        context=parsed.context,
        words=parsed.words,
    )


def belief_in(context: Context, scene: Scene, thing: str) -> Attended:
    """The belief over things for one phrase of the question and its place, by attention."""
    return attend(scene, directions_of(context.question, thing), context.encode)


def related_to_place(context: Context, scene: Scene, things: IntArray) -> FloatArray:
    """How near some things are, over facts and rooms, to what names the place, each at least 0.

    Args:
        context: The question's.
        scene: Its things.
        things: Numbers of the candidates.
    """
    place = context.question.place
    named = [name for name in (place.beside, place.upon, place.thing) if name]
    marks = [np.flatnonzero(of_kind(scene, name) & seen(context, scene)) for name in named]
    seeds = np.concatenate([np.empty(0, np.int64), *marks])
    if context.question.time.span is None:
        seeds = seeds[~left(scene, seeds)]
    if not len(seeds):
        return np.zeros(len(things))
    return _relations(context, scene).nearness(things, seeds)


def _relations(context: Context, scene: Scene) -> Relations:
    rooms = rooms_of_things(scene, rooms_of(scene, context.encode))
    return Relations(scene, rooms.tolist(), context.memory.facts())


def at_place(context: Context, scene: Scene, place: PlacePhrase) -> BoolArray:
    """Things that are at a place, shape (e,); all of them where no place is named."""
    keep = np.ones(len(scene.thing_label), bool)
    if place.circle is not None:
        x, y, radius = place.circle
        keep &= np.hypot(scene.thing_position[:, 0] - x, scene.thing_position[:, 1] - y) <= radius
    if place.floor is not None:
        keep &= scene.thing_floor == _floor(scene, place.floor)
    if place.room is not None or place.called is not None:
        keep &= in_rooms(context, scene, place)
    if place.beside is not None:
        keep &= _sharing_room(context, scene, place.beside)
    if place.thing:
        keep &= _by_thing(context, scene, place, keep)
    return keep


def rooms_named(context: Context, scene: Scene, place: PlacePhrase) -> list[Room]:
    """The rooms that a place calls by name; the likeliest one where its kind fits none well."""
    rooms = [
        room
        for room in rooms_of(scene, context.encode)
        if place.floor is None or room.floor == _floor(scene, place.floor)
    ]
    name = place.called or (NAMES[place.room] if place.room is not None else "")
    called = [rooms[n] for n in rooms_called(scene, rooms, name)]
    narrow = narrow_name(name.lower().split()) is not None
    if narrow:  # where answers call one room so, it is that one
        exact = [room for room in called if words_of(room.kind) == words_of(name)]
        called = exact or [
            room for room in called if narrow_name(room.kind.lower().split()) is None
        ]
    if called or place.room is None or narrow:
        return called
    likeliest = max(rooms, key=lambda room: float(room.belief[place.room or 0]), default=None)
    if likeliest is None or likeliest.belief[place.room] < LIKELY_ROOM:
        return []
    return [likeliest]


def in_rooms(context: Context, scene: Scene, place: PlacePhrase) -> BoolArray:
    """Things in the rooms that a place calls by name, shape (e,)."""
    rooms = rooms_of(scene, context.encode)
    if not rooms:
        none = np.zeros(len(scene.thing_label), bool)
        return in_room(scene, place.room) if place.room is not None else none
    named = [rooms.index(room) for room in rooms_named(context, scene, place)]
    return np.isin(rooms_of_things(scene, rooms), named)


def _sharing_room(context: Context, scene: Scene, thing: str) -> BoolArray:
    """Things in a room that holds a thing, as far as one knows now, shape (e,)."""
    marks = np.flatnonzero(of_kind(scene, thing) & seen(context, scene))
    if context.question.time.span is None:
        marks = marks[~left(scene, marks)]
    where = rooms_of_things(scene, rooms_of(scene, context.encode))
    held = [number for number in where[marks].tolist() if number >= 0]
    if len(marks) and not held:
        held = [_relations(context, scene).room_of(marks)]
    return np.isin(where, [number for number in held if number >= 0])


def left(scene: Scene, things: IntArray) -> BoolArray:
    """Which things were found to be no longer where they were, shape of `things`.

    Entities know; of the others it is inferred from what a later look did not see, and of small
    entities too: a look that misses a table says more about the look.
    """
    known = scene.entity[things] >= 0
    result = (scene.ended_ns[things] > 0) & ~stays_put(scene, things)
    asked = ~known | (~result & ~seen_last(scene, things) & ~heavy(scene, things))
    result[asked] = gone(scene, things[asked])
    return np.asarray(result)


def _floor(scene: Scene, floor: int) -> int:
    """A floor of the scene by its name in a question; -1 where the building has none such."""
    floors = len(scene.floor_heights)
    if floor == TOP:
        return floors - 1 if floors > 1 else -1
    return floor - 1 if floor <= floors else -1


def in_room(scene: Scene, kind: int) -> BoolArray:
    """Things most likely in a kind of room, or in one people call alike, shape (e,)."""
    here = scene.room[:, kind].copy()
    for other in _ROOM_ALIKE.get(NAMES[kind], ()):
        here += scene.room[:, NAMES.index(other)]
    first = scene.room.argmax(axis=1) == kind
    return np.asarray(first | (here >= max(IN_ROOM, 0.45)))


def _by_thing(context: Context, scene: Scene, place: PlacePhrase, keep: BoolArray) -> BoolArray:
    """Things near, on, in or under one that a place is named by."""
    assert place.thing is not None
    fits = of_kind(scene, place.thing)
    landmarks = np.flatnonzero(fits & (keep if (fits & keep).any() or place.called else fits))
    if context.question.present:
        landmarks = landmarks[~left(scene, landmarks)]
    if not len(landmarks):
        return np.zeros(len(keep), bool)
    if place.relation in ("nearest", "farthest"):
        return np.ones(len(keep), bool)
    if place.relation == "on" and not scene.aimed.all():
        return _above(scene, landmarks)
    if place.relation == "on":
        there = np.flatnonzero(seen(context, scene))
        if context.question.time.span is None:
            there = there[~left(scene, there)]
        found = np.zeros(len(keep), bool)
        found[resting_on(scene, np.union1d(there, landmarks), landmarks)] = True
        return found
    offsets = scene.thing_position[:, None] - scene.thing_position[None, landmarks]
    flat = np.linalg.norm(offsets[..., :2], axis=2)
    if place.relation == "under":
        close = (flat < ON_M) & (offsets[..., 2] < -0.02)
    elif place.relation == "in":
        close = flat < ON_M
    else:
        close = np.linalg.norm(offsets, axis=2) < NEAR_M
    found = close.any(axis=1)
    found[landmarks] = False
    return np.asarray(found)


def _above(scene: Scene, landmarks: IntArray) -> BoolArray:
    """Things just above landmarks, where extents are not known, shape (e,)."""
    offsets = scene.thing_position[:, None] - scene.thing_position[None, landmarks]
    flat = np.linalg.norm(offsets[..., :2], axis=2)
    found = ((flat < ON_M) & (offsets[..., 2] > 0.02)).any(axis=1)
    found[landmarks] = False
    return np.asarray(found)


def thing_evidence(scene: Scene, thing: int, standpoint: int, weight: float) -> Evidence:
    """The evidence for a thing: the observation from one standpoint and the sighting in it."""
    stored = scene.stored[standpoint]
    sighting = scene.view_of(thing, standpoint)
    x, y, z = scene.thing_position[thing].tolist()
    return observation_evidence(stored, weight, sighting, (x, y, z))


def observation_evidence(
    stored: Stored,
    weight: float,
    sighting: Sighting | None = None,
    at: tuple[float, float, float] | None = None,
) -> Evidence:
    """Evidence from one observation."""
    standpoint = stored.map_pose.position if stored.map_pose is not None else None
    parts = Parts(meaning=float(min(1.0, max(0.0, weight))))
    return evidence_of(stored, parts, position=at or standpoint, sighting=sighting)


def views(scene: Scene, thing: int, keep: BoolArray) -> IntArray:
    """Standpoints (of those kept) that saw a thing, in order of time."""
    found = np.flatnonzero((scene.sees[thing] > 0) & keep)
    return found[np.argsort(stamps_of(scene)[found], kind="stable")]


@dataclass(frozen=True, slots=True)
class Visit:
    """A stay: from when to when, nanoseconds, and the pose at its middle."""

    start_ns: int
    end_ns: int
    pose: Pose

    @property
    def seconds(self) -> float:
        """How long it was."""
        return (self.end_ns - self.start_ns) * 1e-9


def path_in_time(context: Context) -> list[Step]:
    """The robot's path within the question's span of time."""
    span = context.question.time.span
    path = trajectory(context.memory)
    if span is None:
        return path
    low = span.start_ns if span.start_ns is not None else 0
    high = span.end_ns if span.end_ns is not None else 2**63
    return [entry for entry in path if low <= entry[0] <= high]


def visits(context: Context, place: PlacePhrase) -> list[Visit]:
    """When the robot was at a place, in order of time.

    A stay ends where the robot leaves the place, changes session, or is silent for a minute.
    """
    path = [step for run in by_run(path_in_time(context)) for step in run]
    inside = _inside(context, [pose for _, pose, _ in path], place)
    stays: list[Visit] = []
    run: list[int] = []
    for i, here in enumerate([*inside, False]):
        broken = (
            bool(run)
            and i < len(path)
            and (
                path[i][2] != path[run[-1]][2]
                or (path[i][0] - path[run[-1]][0]) * 1e-9 > VISIT_GAP_S
            )
        )
        if run and (not here or broken):
            leaves = path[i][0] if i < len(path) and not broken else path[run[-1]][0]
            stays.append(Visit(path[run[0]][0], leaves, path[run[len(run) // 2]][1]))
            run = []
        if here:
            run.append(i)
    return stays


def _inside(context: Context, poses: list[Pose], place: PlacePhrase) -> list[bool]:
    if not poses:
        return []
    positions = np.array([pose.position for pose in poses])
    keep = np.ones(len(poses), bool)
    if place.circle is not None:
        x, y, radius = place.circle
        keep &= np.hypot(positions[:, 0] - x, positions[:, 1] - y) <= radius
    scene = context.scene
    if scene is None:
        return keep.tolist() if place.circle is not None else [False] * len(poses)
    if place.floor is not None:
        wanted = _floor(scene, place.floor)
        keep &= np.array([scene.floor_of(float(z)) == wanted for z in positions[:, 2]])
    rooms = rooms_of(scene, context.encode)
    if place.called is not None and rooms:
        named = [rooms.index(room) for room in rooms_named(context, scene, place)]
        keep &= np.isin(rooms_at(scene, rooms, positions), named)
    elif place.room is not None or place.thing is not None:
        marks = (
            in_room(scene, place.room)
            if place.room is not None
            else of_kind(scene, place.thing or "")
        )
        reach = 2.0 if place.room is not None else NEAR_M
        targets = scene.thing_position[marks]
        others = scene.thing_position[~marks]
        keep &= _nearer(positions, targets, others if place.room is not None else None, reach)
    return keep.tolist()


def _nearer(
    positions: np.ndarray, targets: np.ndarray, others: np.ndarray | None, reach: float
) -> BoolArray:
    """Positions within reach of a target, and (for rooms) mostly among targets, shape (n,)."""
    if not len(targets):
        return np.zeros(len(positions), bool)
    apart = np.linalg.norm(positions[:, None, :2] - targets[None, :, :2], axis=2)
    if others is None or not len(others):
        return np.asarray(apart.min(axis=1) <= reach)
    away = np.linalg.norm(positions[:, None, :2] - others[None, :, :2], axis=2)
    own = np.exp(-((apart / reach) ** 2)).sum(axis=1)
    foreign = np.exp(-((away / reach) ** 2)).sum(axis=1)
    return np.asarray((own > foreign) & (own > 0.3))
