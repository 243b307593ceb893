"""Where a thing is, when it was seen, and whether it is somewhere."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from memory_core.answering import captions, wording
from memory_core.answering.absence import moved_on, sessions_of, stamps_of
from memory_core.answering.grounding import (
    Context,
    at_place,
    belief_in,
    in_time,
    left,
    of_kind,
    related_to_place,
    seen,
    thing_evidence,
    views,
    visits,
)
from memory_core.answering.parts import (
    MAX_EVIDENCE,
    make,
    name_of,
    no_memory,
    seen_from,
    standing,
    when_said,
    whereabouts,
)
from memory_core.answering.rooms import rooms_of, rooms_of_things
from memory_core.language.questions import PlacePhrase
from memory_core.semantic.scene import Scene
from memory_core.types import Answer, BoolArray, Evidence, IntArray

_RIVAL = 0.5
_UNRELATED = 1e-3
"""Share of a walk that a candidate counts with where none of it reaches it."""


def candidates(context: Context, scene: Scene, thing: str) -> tuple[IntArray, np.ndarray]:
    """Things a phrase may mean, likeliest first, with their shares of the belief.

    How often a thing was seen does not count: what moved yesterday was seen less at its new place.
    Whether something ever was in a room is asked strictly; elsewhere a room is a hint.
    """
    fits = of_kind(scene, thing) & seen(context, scene)
    place = context.question.place
    if place.thing is not None and place.relation in ("near", "farthest"):
        strict = context.question.kind not in ("where", "find")
        place = place if strict else replace(place, thing=None)
    if place.named:
        placed = fits & at_place(context, scene, place)
        soft = place.room is not None and place.thing is None and place.called is None
        soft = soft and context.question.kind != "ever"
        fits = placed if placed.any() or not soft else fits
    found = not_left(context, scene, np.flatnonzero(fits))
    if not len(found):
        return found, np.empty(0)
    beliefs = belief_in(context, scene, thing)
    score = np.log(beliefs.things[found] + 1e-300) - beliefs.parts["often"][found]
    if place.beside is not None and len(found) > 1:
        score += np.log(related_to_place(context, scene, found) + _UNRELATED)
    belief = np.exp(score - score.max())
    belief = belief / belief.sum()
    order = np.argsort(-belief, kind="stable")
    return found[order], belief[order]


def not_left(context: Context, scene: Scene, found: IntArray) -> IntArray:
    """Of some things, those still there as far as one knows, where the question is about now.

    Whether, what and how many: what a later visit did not see there is not there. Where: the
    last place counts, unless the thing was seen elsewhere since.
    """
    if not context.question.present:
        return found
    strict = context.question.kind in ("ever", "what", "how_many") and context.question.place.named
    return found[~(left if strict else moved_on)(scene, found)]


def where(context: Context) -> Answer:
    """Where a thing is or was."""
    question, scene = context.question, context.scene
    thing = question.things[0] if question.things else ""
    if not thing:
        return Answer("What should I look for? Name a thing.", question.kind, abstained=True)
    if scene is not None:
        found, belief = candidates(context, scene, thing)
        if len(found) and question.place.thing and question.place.relation in ("near", "farthest"):
            found, belief = _by_distance(context, scene, found, question.place)
        if len(found):
            return _where_thing(context, scene, found, belief)
        place = question.place
        in_room = (place.called is not None or place.room is not None) and not place.thing
        if question.kind == "ever" and in_room and of_kind(scene, thing).any():
            return no_memory(context, thing)  # it was seen elsewhere; words tell no room
    told = captions.supported(context, thing)
    if told:
        first = _in_order(told, question.time.order)
        text = (
            f"{captions.told(first)} — seen {when_said(context, first.observation.stamp_ns)}"
            f"{seen_from(first)}."
        )
        return make(context, text, [first, *[item for item in told if item is not first]])
    return no_memory(context, thing)


def _by_distance(
    context: Context, scene: Scene, found: IntArray, place: PlacePhrase
) -> tuple[IntArray, np.ndarray]:
    """Things by how near to (or far from) a landmark they are, that one first by far."""
    marks: IntArray = np.flatnonzero(of_kind(scene, place.thing or "") & seen(context, scene))
    marks = not_left(context, scene, marks)
    numbers = rooms_of_things(scene, rooms_of(scene, context.encode))
    shared = marks[np.isin(numbers[marks], numbers[found])]
    marks = shared if len(shared) else marks
    if not len(marks):
        return found[:0], np.empty(0)
    apart = np.linalg.norm(
        scene.thing_position[found][:, None, :2] - scene.thing_position[marks][None, :, :2], axis=2
    ).min(axis=1)
    order = np.argsort(apart if place.relation == "near" else -apart, kind="stable")
    return found[order], 0.4 ** np.arange(len(found))


def _in_order(told: list[Evidence], order: str | None) -> Evidence:
    if order is None:
        return told[0]
    by_time = sorted(told, key=lambda item: item.observation.stamp_ns)
    return by_time[-1 if order == "last" else 0]


def _where_thing(context: Context, scene: Scene, found: IntArray, belief: np.ndarray) -> Answer:
    keep = in_time(context, scene)
    order = context.question.time.order
    rivals = np.flatnonzero(belief >= _RIVAL * belief[0])
    chosen = int(rivals[seen_best(scene, found[rivals], keep, order)])
    ranked = [chosen, *[i for i in range(len(found)) if i != chosen]]
    items = []
    for place in ranked[:MAX_EVIDENCE]:
        standpoints = views(scene, int(found[place]), keep)
        standpoint = int(standpoints[0 if order == "first" else -1])
        items.append(thing_evidence(scene, int(found[place]), standpoint, float(belief[place])))
    target = int(found[chosen])
    there = context.question.present and not left(scene, np.array([target])).any()
    text = (
        f"The {name_of(scene, target)} {'is' if there else 'was'} "
        f"{whereabouts(context, scene, target)}, {_position_said(items[0])}"
        f"{'first' if order == 'first' else 'last'} seen "
        f"{when_said(context, items[0].observation.stamp_ns)}."
    )
    others = len(found) - 1
    if others:
        text += f" I remember {others} other{'s' if others > 1 else ''} of that kind."
    return make(context, text, items)


def _position_said(item: Evidence) -> str:
    return "" if item.position is None else f"at {wording.position(item.position)}; "


def seen_best(scene: Scene, things: IntArray, keep: BoolArray, order: str | None) -> int:
    """Of things of one kind the one to answer with.

    Asked for the first, the one seen first; else of the latest session the one seen most often,
    because what was glimpsed once from afar may be nowhere.
    """
    stamps = stamps_of(scene)
    seen_from = [views(scene, int(thing), keep) for thing in things]
    if order == "first":
        return int(np.argmin([stamps[found[0]] for found in seen_from]))
    sessions = sessions_of(scene)
    last = np.array([stamps[found[-1]] for found in seen_from])
    latest = sessions[seen_from[int(last.argmax())][-1]]
    counts = [int((sessions[found] == latest).sum()) for found in seen_from]
    close = max(counts) * 0.5
    return max(range(len(things)), key=lambda i: (counts[i] > close, last[i]))


def when(context: Context) -> Answer:
    """When a thing was seen."""
    question = context.question
    if not question.things:
        return when_robot(context)
    thing, scene, order = question.things[0], context.scene, question.time.order or "last"
    found_at: list[tuple[int, Evidence]] = []
    if scene is not None:
        found, belief = candidates(context, scene, thing)
        keep = in_time(context, scene)
        for target, share in zip(found.tolist(), belief.tolist(), strict=True):
            found_at += [
                (int(stamps_of(scene)[s]), thing_evidence(scene, target, int(s), share))
                for s in views(scene, target, keep)
            ]
    if not found_at:
        told = captions.supported(context, thing)
        found_at = [(item.observation.stamp_ns, item) for item in told]
    if not found_at:
        return no_memory(context, thing)
    found_at.sort(key=lambda entry: entry[0])
    chosen = found_at[-1 if order == "last" else 0]
    text = f"I {order} saw the {thing} {when_said(context, chosen[0])}{seen_from(chosen[1])}."
    rest = [item for stamp, item in reversed(found_at) if item is not chosen[1]]
    return make(context, text, [chosen[1], *rest])


def moments(context: Context, thing: str) -> list[tuple[int, Evidence]]:
    """Every observation of a kind of thing, in order of time."""
    scene = context.scene
    found_at: list[tuple[int, Evidence]] = []
    if scene is not None:
        keep = in_time(context, scene)
        fits = of_kind(scene, thing) & at_place(context, scene, context.question.place)
        for target in np.flatnonzero(fits).tolist():
            found_at += [
                (int(stamps_of(scene)[s]), thing_evidence(scene, target, int(s), 1.0))
                for s in views(scene, target, keep)
            ]
    if not found_at:
        told = captions.supported(context, thing, k=200)
        found_at = [(item.observation.stamp_ns, item) for item in told]
    return sorted(found_at, key=lambda entry: entry[0])


def ever(context: Context) -> Answer:
    """Whether something is, or was, somewhere."""
    question = context.question
    if question.robot or not question.things:
        stays = visits(context, question.place)
        there = question.place.words or "there"
        if not stays:
            return Answer(f"I have no memory of being {there}.", "ever", abstained=True)
        return Answer(
            f"Yes, last {when_said(context, stays[-1].start_ns)}.", "ever",
            position=stays[-1].pose.position, stamp_ns=stays[-1].start_ns, value=1.0,
            evidence=standing(context, stays[-1].start_ns),
        )  # fmt: skip
    thing, scene = question.things[0], context.scene
    if question.aspect in ("still", "gone") and scene is not None:
        return _still(context, scene, thing)
    found = where(context)
    if not found.abstained:
        return replace(found, answer=f"Yes. {found.answer}", kind="ever", value=1.0)
    if scene is not None and of_kind(scene, thing).any():
        elsewhere = Context(
            context.memory, replace(question, place=replace(question.place, room=None, thing=None,
            circle=None, floor=None, called=None, beside=None, words="")), context.now_ns, context.where, scene, context.encode,
        )  # fmt: skip
        other = where(elsewhere)
        if not other.abstained:
            now = "when I last looked" if question.present else "that I remember"
            text = f"No, not {question.place.words or 'in that time'} {now}. {other.answer}"
            return replace(other, answer=text, kind="ever", value=0.0)
    return replace(found, kind="ever")


def _still(context: Context, scene: Scene, thing: str) -> Answer:
    """Whether a thing is there as far as one knows, or was found to be gone."""
    found = np.flatnonzero(of_kind(scene, thing))
    if not len(found):
        return replace(no_memory(context, thing), kind="ever")
    there = found[~left(scene, found)]
    chosen = there if len(there) else found
    seen_ever = np.ones(len(scene.stored), bool)
    target = int(chosen[seen_best(scene, chosen, seen_ever, None)])
    item = thing_evidence(scene, target, int(views(scene, target, seen_ever)[-1]), 1.0)
    said, name = when_said(context, item.observation.stamp_ns), name_of(scene, target)
    place = whereabouts(context, scene, target)
    if len(there):
        text = f"The {name} is still there: {place}, last seen {said}."
    else:
        text = f"The {name} is gone: it was {place}, last seen {said}, and not found there again."
    return make(context, text, [item], value=float(len(there) > 0), unit=None)


def when_robot(context: Context) -> Answer:
    """When the robot was somewhere."""
    stays = visits(context, context.question.place)
    where = context.question.place.words or "there"
    if not stays:
        return Answer(f"I have no memory of being {where}.", "when", abstained=True)
    chosen = stays[-1] if context.question.time.order != "first" else stays[0]
    text = (
        f"I was {where} {when_said(context, chosen.start_ns)} for "
        f"{wording.duration(chosen.seconds)}"
        + (f"; {len(stays)} times in all." if len(stays) > 1 else ".")
    )
    return Answer(
        text, "when", position=chosen.pose.position, stamp_ns=chosen.start_ns,
        evidence=standing(context, chosen.start_ns),
    )  # fmt: skip
