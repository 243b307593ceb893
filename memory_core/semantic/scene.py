"""A scene: the things a memory's observations show, where they are, and in what kind of room.

Built from observations with sightings: standpoints, floors, things, which standpoint sees which
thing, what is near what, and a belief over kinds of rooms for every thing. Matrices are things
by things, so a scene is bounded; see `MAX_THINGS`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from memory_core.episodic.rows import Stored
from memory_core.geometry import bearing_direction
from memory_core.language.lexicon import match, words_of
from memory_core.language.rooms import NAMES, ROOM_KINDS, TELLING, TELLING_PAIRS
from memory_core.semantic.entities import Sightings, Thing, associate
from memory_core.semantic.floors import floors_of
from memory_core.types import BoolArray, FloatArray, IntArray, Sighting

Encode = Callable[[Sequence[str]], FloatArray]

MAX_STANDPOINTS = 4_000
MAX_THINGS = 2_500
NEAR_M = 3.0
TIGHT_M = 1.0
ROOM_M = 4.0
FRAME_APART_M = 1e5
AROUND_M = 7.0
_SMOOTH_M = 3.0
_SECOND_HOP = 0.6
_UNLIKELY = 0.06
_SCALE = 1.4
_TELLING_GAIN = 3.0


@dataclass(frozen=True, slots=True)
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
        near: Label within about 3 m and in view together, shape (e, l), 0 to 1.
        tight: Label within about 1 m, shape (e, l), 0 to 1.
        room: Belief over kinds of rooms, shape (e, r), rows sum to 1.
        around: Best belief within about 7 m on the floor, shape (e, r).
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

    def room_of(self, thing: int) -> tuple[str, float]:
        """The likeliest kind of room a thing is in, and the belief in it."""
        kind = int(self.room[thing].argmax())
        return NAMES[kind], float(self.room[thing, kind])

    def floor_of(self, height: float) -> int:
        """The floor, 0 the lowest, whose height is just below or nearest to a height."""
        return int(np.abs(self.floor_heights - height).argmin())

    def view_of(self, thing: int, standpoint: int) -> Sighting | None:
        """The sighting of a thing from a standpoint; None where it is not seen from there."""
        label = self.labels[int(self.thing_label[thing])]
        if not self.sees[thing, standpoint]:
            return None
        seen = self.stored[standpoint].observation.sightings
        return next((sighting for sighting in seen if sighting.label == label), None)


def build_scene(stored: Sequence[Stored], encode: Encode | None) -> Scene | None:
    """Build a scene.

    Args:
        stored: Observations; those without pose or sightings are passed over.
        encode: Sentences to unit vectors; None compares labels by spelling alone.

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
    heights = origins[:, 2] - np.array([_camera_height(s) for s in standpoints])
    floors, levels = floors_of(heights)
    sightings, originals = _collect(standpoints, labels)
    sightings = replace(sightings, position=sightings.position + shifts[sightings.station])
    things = associate(sightings, origins, len(labels))
    if len(things) > MAX_THINGS:  # the best supported ones stand for the rest
        things = sorted(things, key=lambda thing: -len(thing.sightings))[:MAX_THINGS]
    vectors = encode(labels) if encode is not None else None
    return _assemble(
        standpoints, labels, vectors, floors, levels, sightings, originals, things, shifts, encode
    )


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


def _camera_height(stored: Stored) -> float:
    height = stored.observation.extra.get("height_m", 0.0)
    return float(height) if isinstance(height, int | float) and math.isfinite(height) else 0.0


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
    encode: Encode | None,
) -> Scene:
    count = len(things)
    sees = np.zeros((count, len(standpoints)), np.float32)
    for row, thing in enumerate(things):
        sees[row, sightings.station[thing.sightings]] = 1
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
    room = _room_beliefs(words, vectors, encode, thing_label, apart, together)
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
    words: tuple[list[str], ...],
    vectors: FloatArray | None,
    encode: Encode | None,
    thing_label: IntArray,
    apart: FloatArray,
    together: FloatArray,
) -> FloatArray:
    """Belief over kinds of rooms for every thing, from the labels in view around it.

    Naive Bayes over labels: each adds the log-odds of being found in a kind rather than in the
    average kind, damped for many labels, then averaged over things in view within 3 m.
    """
    affinity = np.array([_affinity(k.things, words, vectors, encode) for k in ROOM_KINDS])
    odds = np.log((affinity + _UNLIKELY) / (affinity.mean(axis=0) + _UNLIKELY))
    reach = np.exp(-((apart / ROOM_M) ** 2)) * np.clip(together, 0, 1)
    present = _by_label(reach, thing_label, len(words))
    further = np.stack(
        [(reach * present[:, label]).max(axis=1) for label in range(len(words))], axis=1
    )
    present = np.maximum(present, _SECOND_HOP * further)
    gain = np.array([_TELLING_GAIN if _is_telling(label) else 1.0 for label in words])
    evidence = present * gain
    logits = evidence @ odds.T / np.sqrt(1 + 0.15 * evidence.sum(axis=1, keepdims=True))
    logits = _SCALE * logits + np.array([kind.prior for kind in ROOM_KINDS])
    belief = np.exp(logits - logits.max(axis=1, keepdims=True))
    belief /= belief.sum(axis=1, keepdims=True)
    smooth = np.exp(-((apart / _SMOOTH_M) ** 2)) * (together > 0.3)
    np.fill_diagonal(smooth, 1.0)
    belief = smooth @ belief
    return np.asarray(belief / belief.sum(axis=1, keepdims=True))


def _affinity(
    things: tuple[str, ...],
    words: tuple[list[str], ...],
    vectors: FloatArray | None,
    encode: Encode | None,
) -> FloatArray:
    """How well each label fits one kind of room, by word and by meaning, shape (l,)."""
    typical = [words_of(thing) for thing in things]
    by_word = np.array([max(match(label, thing) for thing in typical) for label in words])
    by_word[by_word < 0.75] = 0
    if vectors is None or encode is None:
        return by_word
    cosine = vectors @ encode(things).T
    return np.asarray(np.maximum(by_word, 0.9 * np.clip((cosine.max(axis=1) - 0.5) / 0.5, 0, 1)))


def _is_telling(label: list[str]) -> bool:
    return bool(label) and (label[-1] in TELLING or " ".join(label) in TELLING_PAIRS)
