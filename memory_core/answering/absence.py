"""What a later look did not see: things that are gone, where no entity says so."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from memory_core.semantic.expected import typical_size
from memory_core.semantic.scene import Scene
from memory_core.types import BoolArray, IntArray

SAME_VIEW_M = 1.5
HEAVY_M = 0.6


def stamps_of(scene: Scene) -> IntArray:
    """When each standpoint observed, shape (s,), nanoseconds."""
    return np.array([stored.observation.stamp_ns for stored in scene.stored], np.int64)


def sessions_of(scene: Scene) -> NDArray[np.str_]:
    """In which session each standpoint observed, shape (s,)."""
    return np.array([stored.observation.session for stored in scene.stored])


def gone(scene: Scene, things: IntArray) -> BoolArray:
    """Which things were not there when a later session looked again, shape of `things`.

    Looked again means: from within 1.5 m of where a thing was last seen, and seeing at least half
    of what was seen beside it.

    Args:
        scene: The scene.
        things: Numbers of things.
    """
    stamps = stamps_of(scene)
    sessions = sessions_of(scene)
    stood = scene.stood
    result = np.zeros(len(things), bool)
    for place, thing in enumerate(things.tolist()):
        seen_from = np.flatnonzero(scene.sees[thing] > 0)
        view = int(seen_from[stamps[seen_from].argmax()])
        later = np.flatnonzero((stamps > stamps[view]) & (sessions != sessions[view]))
        later = later[np.linalg.norm(stood[later] - stood[view], axis=1) <= SAME_VIEW_M]
        beside = np.flatnonzero(scene.sees[:, view] > 0)
        beside = beside[beside != thing]
        if len(later) and len(beside):
            again = (scene.sees[np.ix_(beside, later)] > 0).mean(axis=0)
            result[place] = bool((again >= 0.5).any())
    return result


def stays_put(scene: Scene, things: IntArray) -> BoolArray:
    """Which things nobody carries off during a visit: large ones seen on the latest, (n,).

    That a later view of the same visit misses a wardrobe says more about the view.
    """
    return np.asarray(seen_last(scene, things) & heavy(scene, things))


def heavy(scene: Scene, things: IntArray) -> BoolArray:
    """Which things nobody carries off in passing, (n,)."""
    large = np.array([max(typical_size(words)) >= HEAVY_M for words in scene.label_words], bool)
    return np.asarray(large[scene.thing_label[things]])


def seen_last(scene: Scene, things: IntArray) -> BoolArray:
    """Which things were seen in the latest session, (n,)."""
    sessions = sessions_of(scene)
    latest = np.flatnonzero(sessions == sessions[int(stamps_of(scene).argmax())])
    return np.asarray((scene.sees[np.ix_(things, latest)] > 0).any(axis=1))


def moved_on(scene: Scene, things: IntArray) -> BoolArray:
    """Which things are the earlier place of one that moved: gone, and seen elsewhere since.

    Args:
        scene: The scene.
        things: Numbers of things.
    """
    stamps = stamps_of(scene)
    known = scene.entity[things] >= 0
    result = (scene.ended_ns[things] > 0) & known
    result[known] &= _seen_elsewhere(scene, things[known])
    result[~known] = _moved_on(scene, things[~known], stamps)
    return np.asarray(result)


def _seen_elsewhere(scene: Scene, things: IntArray) -> BoolArray:
    """Which stays of entities were followed by another one, shape of `things`."""
    latest: dict[int, int] = {}
    for entity, stay in zip(scene.entity.tolist(), scene.stay.tolist(), strict=True):
        latest[entity] = max(stay, latest.get(entity, -1))
    return np.array([scene.stay[t] < latest[int(scene.entity[t])] for t in things], bool)


def _moved_on(scene: Scene, things: IntArray, stamps: IntArray) -> BoolArray:
    result = gone(scene, things)
    taken: set[int] = set()
    for place in np.flatnonzero(result).tolist():
        thing = int(things[place])
        last = stamps[scene.sees[thing] > 0].max()
        since = [
            int(other)
            for other in np.flatnonzero(scene.thing_label == scene.thing_label[thing])
            if int(other) not in taken and stamps[scene.sees[other] > 0].min() > last
        ]
        result[place] = bool(since)
        taken.update(since[:1])
    return result
