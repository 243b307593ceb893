"""Chunks of a scene: its things gathered by space and by being seen together, at three scales.

Average linkage over the metres between things gives one tree; cut at the size of a corner, a
room and a part of a floor it gives nested chunks. What a chunk is about is the mean of the
labels in it, the telling ones first, as the key of a chunk of memory is the mean of its contents
(Lampinen et al. 2021). Beside them, what can be read off the views: which labels a thing is
seen close beside, and whether it is the higher or the right one among others of its label.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np

from memory_core.semantic.scene import Scene
from memory_core.types import FloatArray, IntArray

CUTS_M = (6.0, 9.0, 14.0)
ROOM = 1
"""Which of the cuts attention chooses among."""

_UNSEEN_TOGETHER_M = 2.0
_OTHER_FLOOR_M = 10.0
_OTHER_FRAME_M = 1e5
_BESIDE_RAD = 0.4
_HIGHER_RAD = 0.15


@dataclass(frozen=True, slots=True)
class Level:
    """One cut of the tree: n chunks over e things and l labels.

    Attributes:
        chunk: Which chunk a thing is in, shape (e,).
        holds: Whether a label is in a chunk, shape (n, l), 0 or 1.
        keys: Mean vector of what a chunk holds, unit length, shape (n, d); None without an encoder.
    """

    chunk: IntArray
    holds: FloatArray
    keys: FloatArray | None


@dataclass(frozen=True, slots=True)
class Chunks:
    """What attention needs of a scene beside the scene itself; build it once for each.

    Attributes:
        levels: The cuts, finest first; a chunk of one lies in one chunk of the next.
        beside: How close in view a label is to a thing at best, shape (e, l), 0 to 1.
        higher: Whether a thing is the higher one among others of its label in view, mean over
            views, shape (e,), -1 to 1.
        righter: The same for being further to the right.
    """

    levels: tuple[Level, ...]
    beside: FloatArray
    higher: FloatArray
    righter: FloatArray


def gather(scene: Scene) -> Chunks:
    """Gather a scene's things into chunks and read relations off its views.

    Args:
        scene: At least one thing.

    Returns:
        Its chunks; of quadratic cost in the things, so keep them as long as the scene.
    """
    beside, higher, righter = _relations(scene)
    levels = tuple(_level(scene, chunk) for chunk in _cut(_apart(scene), CUTS_M))
    return Chunks(levels, beside, higher, righter)


def _apart(scene: Scene) -> FloatArray:
    """How far apart things are, shape (e, e): metres, more where nothing shows both."""
    from scipy.spatial.distance import cdist

    metres = cdist(scene.thing_position, scene.thing_position)
    seen_by = scene.sees.sum(axis=1)
    together = (scene.sees @ scene.sees.T) / np.minimum(seen_by[:, None], seen_by[None])
    frames = _frames(scene)
    return np.asarray(
        metres
        + _UNSEEN_TOGETHER_M * (1 - together)
        + _OTHER_FLOOR_M * (scene.thing_floor[:, None] != scene.thing_floor[None])
        + _OTHER_FRAME_M * (frames[:, None] != frames[None])
    )


def _frames(scene: Scene) -> IntArray:
    """The number of the map, or drifting odometry frame, of each thing, shape (e,)."""
    numbers: dict[tuple[str, str], int] = {}
    found = []
    for station, _ in scene.best_view:
        seen = scene.stored[station].observation
        frame = (seen.map_id, "" if seen.localised else seen.anchor_id)
        found.append(numbers.setdefault(frame, len(numbers)))
    return np.array(found)


def _cut(apart: FloatArray, cuts: Sequence[float]) -> list[IntArray]:
    """Average-linkage clusters at each of some distances, numbered from 0."""
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import squareform

    if len(apart) == 1:
        return [np.zeros(1, np.int64) for _ in cuts]
    tree = linkage(squareform(apart, checks=False), "average")
    return [np.asarray(fcluster(tree, cut, "distance") - 1, np.int64) for cut in cuts]


def _level(scene: Scene, chunk: IntArray) -> Level:
    holds = np.zeros((int(chunk.max()) + 1, len(scene.labels)))
    holds[chunk, scene.thing_label] = 1
    if scene.label_vectors is None:
        return Level(chunk, holds, None)
    keys = (holds * scene.rarity) @ scene.label_vectors
    lengths = np.linalg.norm(keys, axis=1, keepdims=True)
    return Level(chunk, holds, np.asarray(keys / np.maximum(lengths, 1e-9)))


def _relations(scene: Scene) -> tuple[FloatArray, FloatArray, FloatArray]:
    """`beside`, `higher` and `righter` of `Chunks`, from where things are in every view."""
    beside = np.zeros((len(scene.thing_label), len(scene.labels)))
    higher, righter, views = (np.zeros(len(scene.thing_label)) for _ in range(3))
    for station, stored in enumerate(scene.stored):
        seen = np.flatnonzero((scene.sees[:, station] > 0) & scene.aimed)
        if len(seen) < 2 or stored.map_pose is None:
            continue
        offset = scene.thing_position[seen] - np.array(stored.map_pose.position)
        azimuth = np.arctan2(offset[:, 1], offset[:, 0])
        elevation = np.arctan2(offset[:, 2], np.hypot(offset[:, 0], offset[:, 1]))
        rightward = _wrapped(azimuth[None] - azimuth[:, None])  # azimuth grows to the left
        upward = elevation[:, None] - elevation[None]
        angle = np.hypot(rightward * np.cos(elevation), upward)
        close = np.exp(-((angle / _BESIDE_RAD) ** 2))
        np.fill_diagonal(close, 0)
        label = scene.thing_label[seen]
        np.maximum.at(beside, (seen[:, None], label[None]), close)
        alike = (label[:, None] == label[None]) & (np.abs(rightward) < np.pi / 2)
        np.fill_diagonal(alike, False)
        count = np.maximum(alike.sum(axis=1), 1)
        higher[seen] += (np.clip(upward / _HIGHER_RAD, -1, 1) * alike).sum(axis=1) / count
        righter[seen] += (np.sign(rightward) * alike).sum(axis=1) / count
        views[seen] += alike.any(axis=1)
    views = np.maximum(views, 1)
    return beside, higher / views, righter / views


def _wrapped(angles: FloatArray) -> FloatArray:
    """Angles in [-pi, pi)."""
    return np.asarray((angles + np.pi) % (2 * np.pi) - np.pi)


_KEPT: WeakKeyDictionary[Scene, Chunks] = WeakKeyDictionary()


def chunks_of(scene: Scene) -> Chunks:
    """The chunks of a scene, gathered once for as long as it lives."""
    known = _KEPT.get(scene)
    if known is None:
        known = _KEPT[scene] = gather(scene)
    return known
