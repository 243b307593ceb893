"""What changed: things that moved, appeared or went between two stretches of time."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import numpy as np

from memory_core.answering import wording
from memory_core.answering.absence import gone as looked_again
from memory_core.answering.absence import sessions_of, stamps_of
from memory_core.answering.grounding import (
    Context,
    at_place,
    left,
    of_kind,
    thing_evidence,
    views,
)
from memory_core.answering.parts import make, name_of, no_memory, when_said, whereabouts
from memory_core.answering.relations import sizes_of
from memory_core.answering.rooms import BOUNDARIES
from memory_core.semantic.scene import Scene
from memory_core.types import Answer, BoolArray, IntArray

LOOKED_AGAIN_M = 5.0
_AS_IT_WAS = re.compile(
    r"\b(?:where (?:it|they|i|we|you|somebody|someone)|(?:same|different|other|another) (?:place|spot|room)|"
    r"compared (?:to|with)|(?:as|than) (?:it was|they were|yesterday|on|last))\b"
)
"""Compares a time with now: "still where it was yesterday", "in another place than on Monday"."""
MOVED_M = 0.5


@dataclass(frozen=True, slots=True)
class Changes:
    """Things by their number in the scene: moved (from, to), new, and gone."""

    moved: tuple[tuple[int, int], ...]
    new: tuple[int, ...]
    gone: tuple[int, ...]


def changes_between(scene: Scene, before: BoolArray, after: BoolArray) -> Changes:
    """Compare what two sets of standpoints saw.

    Entities know where they were when: one with stays at two places moved, one whose first stay
    is new came, one whose last stay ended went. For things that are no entity's:
    a thing seen only before, where someone stood again after, is gone; one seen only after,
    where someone had stood before, is new; a gone and a new one of one label are one that moved.

    Args:
        scene: The scene; a thing that moved is two things in it, at two places.
        before: Standpoints of the earlier time, shape (s,).
        after: Standpoints of the later time, shape (s,).
    """
    early = np.asarray((scene.sees[:, before] > 0).any(axis=1))
    late = np.asarray((scene.sees[:, after] > 0).any(axis=1))
    moved, apart = _stays_apart(scene, early, late)
    unseen = [
        t
        for t in np.flatnonzero(early & ~late).tolist()
        if t not in apart and (scene.ended_ns[t] > 0 or _stood(scene, t, after))
    ]
    doubtful = {t for t in unseen if scene.entity[t] >= 0 and scene.ended_ns[t] == 0}
    new = [
        t
        for t in np.flatnonzero(late & ~early).tolist()
        if t not in apart and _stood(scene, t, before) and not _ghost(scene, t, after)
    ]
    gone = list(unseen)
    for old in unseen:
        same = [t for t in new if scene.thing_label[t] == scene.thing_label[old]]
        if same:
            away = [
                float(np.linalg.norm(scene.thing_position[t] - scene.thing_position[old]))
                for t in same
            ]
            to = same[int(np.argmin(away))]
            moved.append((old, to))
            gone.remove(old)
            new.remove(to)
    gone = [t for t in gone if not _ghost(scene, t, before)]
    gone = [t for t in gone if t not in doubtful or looked_again(scene, np.array([t])).all()]
    return Changes(tuple(moved), tuple(new), tuple(gone))


def _ghost(scene: Scene, thing: int, during: BoolArray) -> bool:
    """Whether a thing is most likely part of another: a doorway, or glimpsed beside a namesake.

    Seen in one view only, or within its own size of one of its label that was seen both before
    and after.
    """
    if BOUNDARIES & set(scene.label_words[int(scene.thing_label[thing])]):
        return True
    if (scene.sees[thing, during] > 0).sum() < 2:
        return True
    same = np.flatnonzero(scene.thing_label == scene.thing_label[thing])
    same = same[same != thing]
    if not len(same):
        return False
    apart = np.linalg.norm(scene.thing_position[same] - scene.thing_position[thing], axis=1)
    reach = max(MOVED_M, float(sizes_of(scene, np.array([thing, *same.tolist()]))[:, :2].max()))
    close = same[apart <= reach]
    now = (scene.sees[np.ix_(close, np.flatnonzero(during))] > 0).any()
    then = (scene.sees[np.ix_(close, np.flatnonzero(~during))] > 0).any()
    return bool(now and then)


def _stays_apart(
    scene: Scene, early: BoolArray, late: BoolArray
) -> tuple[list[tuple[int, int]], set[int]]:
    """Entities at one place before and at another after, and all stays of such entities."""
    moved, apart = [], set()
    for entity in np.unique(scene.entity[scene.entity >= 0]).tolist():
        stays = np.flatnonzero(scene.entity == entity)
        if len(stays) < 2:
            continue
        stays = stays[np.argsort(scene.stay[stays], kind="stable")]
        old = [t for t in stays.tolist() if early[t]]
        new = [t for t in stays.tolist() if late[t]]
        apart.update(stays.tolist())
        if old and new and old[-1] != new[-1]:
            distance = np.linalg.norm(scene.thing_position[old[-1]] - scene.thing_position[new[-1]])
            reach = sizes_of(scene, np.array([old[-1], new[-1]]))[:, :2].max()
            if distance >= max(MOVED_M, float(reach)):
                moved.append((old[-1], new[-1]))
    return moved, apart


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
    if context.question.things and context.question.aspect == "whether moved":
        return _whether_moved(context, scene, found)
    here = at_place(context, scene, context.question.place)
    for thing in context.question.things:
        fits = of_kind(scene, thing)
        if not fits.any():
            return Answer(f"I have no memory of the {thing}.", "changed", abstained=True)
        here &= fits
    wanted = context.question.aspect
    moved = [(old, new) for old, new in found.moved if here[old] or here[new]]
    moved = moved if wanted in ("", "moved", "whether moved") else []
    fresh = [t for t in found.new if here[t]] if wanted in ("", "new") else []
    gone = [t for t in found.gone if here[t]] if wanted in ("", "gone") else []
    return _say(context, scene, moved, fresh, gone, after, before)


def _split(context: Context, scene: Scene) -> tuple[BoolArray, BoolArray] | None:
    stamps = stamps_of(scene)
    span = None if context.question.visit is not None else context.question.time.span
    if span is not None and span.start_ns is not None:
        before, after = stamps < span.start_ns, stamps >= span.start_ns
        later = np.zeros(len(stamps), bool)
        if span.end_ns is not None:
            later = stamps > span.end_ns
            after &= ~later
        if not after.any():  # "last night": nobody looked then, but before and since
            return (before, _first_session(scene, later)) if before.any() and later.any() else None
        as_it_was = _AS_IT_WAS.search(context.question.text.lower()) is not None
        nothing_older = context.question.aspect == "whether moved" and not before.any()
        if later.any() and (as_it_was or nothing_older):
            return after, later
        if before.any():
            return before, after
    else:
        after = np.ones(len(stamps), bool)
    # "since yesterday", and nothing is older: the latest session against the others
    sessions = sessions_of(scene)
    visit = context.question.visit
    if visit is not None and visit.which == "first" and visit.since:
        before = sessions == sessions[int(stamps.argmin())]
        latest = sessions == sessions[int(stamps.argmax())]
        return (before, latest) if not (before & latest).any() else None
    latest = after & (sessions == sessions[int(np.where(after, stamps, 0).argmax())])
    before = after & ~latest
    return (before, latest) if before.any() else None


def _first_session(scene: Scene, among: BoolArray) -> BoolArray:
    """Of some standpoints, those of the session that began first, shape (s,)."""
    stamps = stamps_of(scene)
    sessions = sessions_of(scene)
    first = int(np.where(among, stamps, np.iinfo(np.int64).max).argmin())
    return np.asarray(among & (sessions == sessions[first]))


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


def _history(context: Context, scene: Scene, thing: str) -> tuple[int, int] | None:
    """Where a thing was and where it went: (old, new) in the scene; None where it did not move."""
    fits = of_kind(scene, thing)
    sessions = list(dict.fromkeys(stored.observation.session for stored in scene.stored))
    numbers = np.array([sessions.index(s.observation.session) for s in scene.stored])
    for latest in range(len(sessions) - 1, 0, -1):
        found = changes_between(scene, numbers < latest, numbers == latest)
        for old, new in found.moved:
            if fits[old] and fits[new]:
                return old, new
    return None


def _never_moved(context: Context, scene: Scene, thing: str) -> Answer:
    """Deny that a thing moved, and say where it is; abstain where it is not known."""
    fits = np.flatnonzero(of_kind(scene, thing))
    if not len(fits):
        return no_memory(context, thing)
    there = fits[~left(scene, fits)]
    counts = scene.sees[there if len(there) else fits].sum(axis=1)
    target = int((there if len(there) else fits)[int(counts.argmax())])
    seen_from = views(scene, target, np.ones(len(scene.stored), bool))
    item = thing_evidence(scene, target, int(seen_from[-1]), 1.0)
    state = "is" if len(there) else "was last"
    text = (
        f"The {name_of(scene, target)} has not moved as far as I can tell; it {state} "
        f"{whereabouts(context, scene, target)}."
    )
    return make(context, text, [item], value=0.0, unit="changes")


def _whether_moved(context: Context, scene: Scene, found: Changes) -> Answer:
    thing = context.question.things[0]
    fits = of_kind(scene, thing)
    pairs = [(old, new) for old, new in found.moved if fits[old] and fits[new]]
    gone = [t for t in found.gone if fits[t]]
    if pairs:
        return _moved_told(context, scene, pairs[-1], at_new=True)
    if gone and not (fits & ~np.isin(np.arange(len(fits)), gone)).any():
        seen_from = views(scene, gone[0], np.ones(len(scene.stored), bool))
        item = thing_evidence(scene, gone[0], int(seen_from[-1]), 1.0)
        text = f"The {name_of(scene, gone[0])} is gone from where it was: {whereabouts(context, scene, gone[0])}."
        return make(context, text, [item], value=1.0, unit="changes")
    return _never_moved(context, scene, thing)


def _moved_told(context: Context, scene: Scene, pair: tuple[int, int], *, at_new: bool) -> Answer:
    """Say from where to where a thing moved; the answer's position is one of the two."""
    old, new = pair
    every = np.ones(len(scene.stored), bool)
    last = thing_evidence(scene, old, int(views(scene, old, every)[-1]), 1.0)
    first = thing_evidence(scene, new, int(views(scene, new, every)[0]), 1.0)
    places = {
        side: f"{whereabouts(context, scene, thing)}, {wording.position(item.position)}"
        if item.position is not None else whereabouts(context, scene, thing)
        for side, thing, item in (("old", old, last), ("new", new, first))
    }  # fmt: skip
    said = (
        f"It moved between {when_said(context, last.observation.stamp_ns)} and "
        f"{when_said(context, first.observation.stamp_ns)}."
    )
    text = f"The {name_of(scene, new)} moved from {places['old']} to {places['new']}. {said}"
    return make(
        context, text, [first, last] if at_new else [last, first], value=1.0, unit="changes"
    )


def answer_moved(context: Context) -> Answer:
    """Where a thing was before it moved, where it moved to, or when it did."""
    scene, thing = context.scene, context.question.things[0]
    if scene is None:
        return no_memory(context, thing)
    pair = _history(context, scene, thing)
    if pair is None:
        return _never_moved(context, scene, thing)
    told = _moved_told(context, scene, pair, at_new=context.question.aspect != "moved from")
    return replace(told, value=None, unit=None)
