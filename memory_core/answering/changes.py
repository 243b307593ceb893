"""What changed: things that moved, appeared or went between two stretches of time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from memory_core.answering import wording
from memory_core.answering.grounding import (
    Context,
    at_place,
    of_kind,
    stamps_of,
    thing_evidence,
    views,
)
from memory_core.semantic.scene import Scene
from memory_core.types import Answer, BoolArray, IntArray

LOOKED_AGAIN_M = 5.0
SAME_VIEW_M = 1.5


@dataclass(frozen=True, slots=True)
class Changes:
    """Things by their number in the scene: moved (from, to), new, and gone."""

    moved: tuple[tuple[int, int], ...]
    new: tuple[int, ...]
    gone: tuple[int, ...]


def changes_between(scene: Scene, before: BoolArray, after: BoolArray) -> Changes:
    """Compare what two sets of standpoints saw.

    A thing seen only before, where someone stood again after, is gone; one seen only after,
    where someone had stood before, is new; a gone and a new one of one label are one that moved.

    Args:
        scene: The scene; a thing that moved is two things in it, at two places.
        before: Standpoints of the earlier time, shape (s,).
        after: Standpoints of the later time, shape (s,).
    """
    early = (scene.sees[:, before] > 0).any(axis=1)
    late = (scene.sees[:, after] > 0).any(axis=1)
    gone = [t for t in np.flatnonzero(early & ~late).tolist() if _stood(scene, t, after)]
    new = [t for t in np.flatnonzero(late & ~early).tolist() if _stood(scene, t, before)]
    moved = []
    for old in list(gone):
        same = [t for t in new if scene.thing_label[t] == scene.thing_label[old]]
        if same:
            apart = [
                float(np.linalg.norm(scene.thing_position[t] - scene.thing_position[old]))
                for t in same
            ]
            to = same[int(np.argmin(apart))]
            moved.append((old, to))
            gone.remove(old)
            new.remove(to)
    return Changes(tuple(moved), tuple(new), tuple(gone))


def _stood(scene: Scene, thing: int, standpoints: BoolArray) -> bool:
    """Whether somebody stood near a thing's place, at one of some standpoints."""
    places = [
        stored.map_pose.position
        for stored, wanted in zip(scene.stored, standpoints, strict=True)
        if wanted and stored.map_pose is not None
    ]
    if not places:
        return False
    apart = np.linalg.norm(np.array(places) - scene.thing_position[thing], axis=1)
    return bool(apart.min() <= LOOKED_AGAIN_M)


def gone(scene: Scene, things: IntArray) -> BoolArray:
    """Which things were not there when a later session looked again, shape of `things`.

    Looked again means: from within 1.5 m of where a thing was last seen, and seeing at least half
    of what was seen beside it.

    Args:
        scene: The scene.
        things: Numbers of things.
    """
    stamps = stamps_of(scene)
    sessions = np.array([stored.observation.session for stored in scene.stored])
    stood = np.array([s.map_pose.position for s in scene.stored if s.map_pose is not None])
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


def moved_on(scene: Scene, things: IntArray) -> BoolArray:
    """Which things are the earlier place of one that moved: gone, and seen elsewhere since.

    Args:
        scene: The scene.
        things: Numbers of things.
    """
    stamps = stamps_of(scene)
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


def answer_changed(context: Context) -> Answer:
    """What changed since the named time, or between the last two sessions."""
    scene = context.scene
    if scene is None:
        return Answer("I know no things whose places I could compare.", "changed", abstained=True)
    split = _split(context, scene)
    if split is None:
        return Answer(
            "I have only one visit to compare; nothing to tell changes from.",
            "changed", abstained=True,
        )  # fmt: skip
    before, after = split
    found = changes_between(scene, before, after)
    here = at_place(context, scene, context.question.place)
    for thing in context.question.things:
        fits = of_kind(scene, thing)
        if not fits.any():
            return Answer(f"I have no memory of the {thing}.", "changed", abstained=True)
        here &= fits
    moved = [(old, new) for old, new in found.moved if here[old] or here[new]]
    fresh = [t for t in found.new if here[t]]
    gone = [t for t in found.gone if here[t]]
    return _say(context, scene, moved, fresh, gone, after, before)


def _split(context: Context, scene: Scene) -> tuple[BoolArray, BoolArray] | None:
    stamps = stamps_of(scene)
    span = context.question.time.span
    if span is not None and span.start_ns is not None:
        after = stamps >= span.start_ns
        if span.end_ns is not None:
            after &= stamps <= span.end_ns
        before = stamps < span.start_ns
        if before.any() or not after.any():
            return (before, after) if before.any() and after.any() else None
    else:
        after = np.ones(len(stamps), bool)
    # "since yesterday", and nothing is older: the latest session against the others
    sessions = np.array([stored.observation.session for stored in scene.stored])
    latest = after & (sessions == sessions[int(np.where(after, stamps, 0).argmax())])
    before = after & ~latest
    return (before, latest) if before.any() else None


def _say(
    context: Context,
    scene: Scene,
    moved: list[tuple[int, int]],
    fresh: list[int],
    gone: list[int],
    after: BoolArray,
    before: BoolArray,
) -> Answer:
    def name(thing: int) -> str:
        return scene.labels[int(scene.thing_label[thing])]

    def place(thing: int) -> str:
        x, y, z = scene.thing_position[thing].tolist()
        return wording.position((x, y, z))

    sentences = [f"The {name(new)} moved from {place(old)} to {place(new)}." for old, new in moved]
    if fresh:
        sentences.append(f"New: {wording.listing(name(t) for t in fresh)}.")
    if gone:
        sentences.append(f"No longer where it was: {wording.listing(name(t) for t in gone)}.")
    things: list[tuple[int, IntArray]] = [
        (thing, views(scene, thing, after)) for thing in (*(new for _, new in moved), *fresh)
    ]
    things += [(thing, views(scene, thing, before)) for thing in gone]
    items = tuple(thing_evidence(scene, t, int(seen_from[-1]), 1.0) for t, seen_from in things[:10])
    count = len(moved) + len(fresh) + len(gone)
    first = items[0] if items else None
    return Answer(
        " ".join(sentences) or "Nothing that I can tell.",
        "changed",
        position=first.position if first else None,
        map_id=first.map_id if first else "map",
        epoch=first.epoch if first else 0,
        stamp_ns=first.observation.stamp_ns if first else None,
        value=float(count),
        unit="changes",
        evidence=items,
    )
