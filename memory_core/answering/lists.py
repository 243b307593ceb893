"""How many things, which things, and what a place or everything is like."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np

from memory_core.answering import captions, wording
from memory_core.answering.absence import stamps_of
from memory_core.answering.grounding import (
    Context,
    at_place,
    in_time,
    left,
    of_kind,
    seen,
    thing_evidence,
    views,
    visits,
)
from memory_core.answering.parts import MAX_EVIDENCE, make, name_of, no_memory, standing, when_said
from memory_core.answering.relations import (
    RAISED_M,
    nearest_to,
    raised_m,
    resting_on,
    stands_on,
)
from memory_core.answering.rooms import BOUNDARIES, rooms_of, rooms_of_things
from memory_core.answering.things import moments, not_left, where
from memory_core.language.questions import PlacePhrase, everything
from memory_core.language.rooms import NAMES
from memory_core.semantic.scene import Scene
from memory_core.types import Answer, BoolArray, Evidence, IntArray

MAX_LISTED = 24
_SAME_M = 1.5
_FEW_VIEWS = 2


def how_many(context: Context) -> Answer:
    """How many things of a kind, visits to a place, or occasions."""
    question, scene = context.question, context.scene
    if question.robot or not question.things:
        stays = visits(context, question.place)
        if not stays:
            return Answer(
                f"I have no memory of being {question.place.words}.", "how_many", abstained=True
            )
        return Answer(
            f"{len(stays)} time{'s' if len(stays) != 1 else ''}.", "how_many", value=len(stays),
            unit="times", stamp_ns=stays[-1].start_ns,
            evidence=standing(context, stays[-1].start_ns),
        )  # fmt: skip
    thing = question.things[0]
    if question.quantity == "times":
        return _how_often(context, thing)
    if everything(thing):
        listed = what(replace(context, question=replace(question, things=())))
        return replace(listed, kind="how_many")
    if scene is not None:
        fits = of_kind(scene, thing) & seen(context, scene)
        if fits.any():
            fits &= at_place(context, scene, question.place)
            return _count(context, scene, thing, fits)
    told = captions.supported(context, thing, k=200)
    if not told:
        return no_memory(context, thing)
    text = f"{len(told)} observations speak of {wording.with_article(thing)}."
    return make(context, text, told, value=float(len(told)), unit="observations")


def _count(context: Context, scene: Scene, thing: str, fits: BoolArray) -> Answer:
    found = _distinct(scene, not_left(context, scene, np.flatnonzero(fits)))
    where = f" {context.question.place.words}" if context.question.place.words else ""
    if not len(found):
        return Answer(
            f"None{where} that I remember.", "how_many", value=0.0, unit=wording.plural(thing),
            evidence=(),
        )  # fmt: skip
    keep = in_time(context, scene)
    items = [thing_evidence(scene, int(t), int(views(scene, int(t), keep)[-1]), 1.0) for t in found]
    name = scene.labels[int(scene.thing_label[found[0]])]
    if len({int(label) for label in scene.thing_label[found]}) > 1:
        name = thing
    text = f"{len(found)} {name if len(found) == 1 else wording.plural(name)}{where}."
    return make(context, text, items, value=float(len(found)), unit=wording.plural(name))


def _how_often(context: Context, thing: str) -> Answer:
    found = moments(context, thing)
    if not found:
        return no_memory(context, thing)
    times = 1 + sum(
        (later[0] - earlier[0]) * 1e-9 > 60.0 for earlier, later in itertools.pairwise(found)
    )
    text = f"{times} time{'s' if times != 1 else ''}, last {when_said(context, found[-1][0])}."
    items = [item for _, item in reversed(found)]
    return make(context, text, items, value=float(times), unit="times")


def what(context: Context) -> Answer:
    """What is somewhere, on something or beside it."""
    question, scene = context.question, context.scene
    if scene is not None and question.aspect == "support":
        return _support(context, scene, question.things[0])
    if scene is not None and question.aspect in ("neighbour", "farthest"):
        return _neighbours(context, scene)
    if question.things:
        if scene is None or of_kind(scene, question.things[0]).any():
            return replace(how_many(context), kind="what")
        told = captions.supported(context, question.things[0])
        if told:
            text = " ".join(captions.told(item) for item in told[:3])
            return make(context, f"I remember: {text}", told)
        return no_memory(context, question.things[0])
    if scene is not None:
        here = seen(context, scene) & at_place(context, scene, question.place)
        if question.time.order is not None:
            here &= _in_one_view(context, scene, here)
        if question.place.beside is not None:
            here &= ~of_kind(scene, question.place.beside)
        things = _distinct(scene, _there(context, scene, here))
        if len(things):
            return list_things(context, scene, things)
    told = (
        captions.supported(context, question.place.thing)
        if question.place.thing
        else captions.listed(context)
    )
    if told and (question.place.thing or question.place.circle or not question.place.named):
        text = " ".join(captions.told(item) for item in told[:3])
        return make(context, f"I remember: {text}", told)
    where = f" {question.place.words}" if question.place.words else ""
    return Answer(
        f"I have no memory of anything{where}{captions.before(question.time.span)}.",
        "what", abstained=True,
    )  # fmt: skip


def _in_one_view(context: Context, scene: Scene, here: BoolArray) -> BoolArray:
    """Of some things, those in the first (or last) view of any of them, shape (e,)."""
    keep = np.flatnonzero(in_time(context, scene) & (scene.sees[here] > 0).any(axis=0))
    if not len(keep):
        return here
    stamps = stamps_of(scene)[keep]
    first = context.question.time.order == "first"
    return np.asarray(scene.sees[:, keep[stamps.argmin() if first else stamps.argmax()]] > 0)


def list_things(context: Context, scene: Scene, found: IntArray) -> Answer:
    """Name things with their counts."""
    keep = in_time(context, scene)
    rarest = found[np.argsort(-scene.rarity[scene.thing_label[found]], kind="stable")]
    items = [
        thing_evidence(scene, int(t), int(_views(scene, int(t), keep)[-1]), 1.0)
        for t in rarest[:MAX_EVIDENCE]
    ]
    names = [scene.labels[int(label)] for label in scene.thing_label[found]]
    where = context.question.place.words
    opening = f"{where[:1].upper()}{where[1:]} I remember" if where else "I remember"
    return make(
        context, f"{opening} {wording.listing(names, limit=MAX_LISTED)}.", items,
        value=float(len(found)), unit="things", position=None,
    )  # fmt: skip


def describe(context: Context) -> Answer:
    """What a place, a thing or everything is like."""
    question, scene = context.question, context.scene
    if question.things:
        found = where(context)
        return replace(found, kind="describe")
    if scene is None:
        told = captions.listed(context)
        if not told:
            return Answer("I have no memory to describe.", "describe", abstained=True)
        return make(
            context, " ".join(captions.told(item) for item in told[:5]), told, position=None
        )
    if question.place.named:
        return replace(what(context), kind="describe")
    here = seen(context, scene)
    found_things = _distinct(scene, _there(context, scene, here))
    if not len(found_things):
        return Answer("I have no memory of that time.", "describe", abstained=True)
    listed = list_things(context, scene, found_things)
    floors = len(scene.floor_heights)
    parts = [f"{floors} floor{'s' if floors > 1 else ''}"]
    for floor in range(floors):
        rooms = _rooms_on(context, scene, floor)
        if rooms:
            name = wording.floor_name(floor, floors) if floors > 1 else "It"
            parts.append(f"{name} has {wording.conjunction(rooms)}")
    return replace(listed, answer=f"{'. '.join(parts)}. {listed.answer}", kind="describe")


def _rooms_on(context: Context, scene: Scene, floor: int) -> list[str]:
    """Rooms of a floor by kind."""
    rooms = rooms_of(scene, context.encode)
    if rooms:
        kinds = [room.kind for room in rooms if room.floor == floor and room.kind]
        return [wording.with_article(kind) for kind in dict.fromkeys(kinds)]
    there = scene.thing_floor == floor
    kinds_there, counts = np.unique(scene.room[there].argmax(axis=1), return_counts=True)
    likely = kinds_there[counts >= max(2, 0.03 * there.sum())]
    return [wording.with_article(NAMES[int(kind)]) for kind in likely]


def _there(context: Context, scene: Scene, here: BoolArray) -> IntArray:
    """Of some things those there at the time asked for; now, where none is named."""
    found = np.flatnonzero(here)
    now = context.question.time.span is None and context.question.time.order is None
    return found[~left(scene, found)] if now else found


def _distinct(scene: Scene, found: IntArray) -> IntArray:
    """Things without those that are most likely another one, seen once from afar.

    A thing seen in at most two views, with one of its label within 1.5 m seen more often and
    never in the same view, is that one.
    """
    seen_by = scene.sees[found].sum(axis=1)
    kept = []
    for row, thing in enumerate(found.tolist()):
        same = found[(scene.thing_label[found] == scene.thing_label[thing]) & (found != thing)]
        apart = np.linalg.norm(scene.thing_position[same] - scene.thing_position[thing], axis=1)
        rivals = same[apart <= _SAME_M]
        together = (scene.sees[rivals] * scene.sees[thing]).sum(axis=1)
        oftener = scene.sees[rivals].sum(axis=1) > seen_by[row]
        if seen_by[row] > _FEW_VIEWS or not (oftener & (together == 0)).any():
            kept.append(thing)
    return np.array(kept, np.int64)


def _known_now(context: Context, scene: Scene, phrase: str) -> IntArray:
    """Things of a kind there at the time asked for, the one seen most often first."""
    here = of_kind(scene, phrase) & seen(context, scene)
    if context.question.place.room is not None or context.question.place.called is not None:
        place = PlacePhrase(room=context.question.place.room, called=context.question.place.called)
        here &= at_place(context, scene, place)
    found = _there(context, scene, here)
    if not len(found):
        found = np.flatnonzero(here)
    order = np.argsort(-scene.sees[found].sum(axis=1), kind="stable")
    return np.asarray(found[order])


def _support(context: Context, scene: Scene, phrase: str) -> Answer:
    """What a thing stands on."""
    things = _known_now(context, scene, phrase)
    if not len(things):
        return no_memory(context, phrase)
    there = np.union1d(_there(context, scene, seen(context, scene)), things)
    found = stands_on(scene, there)
    for thing in things.tolist():
        if thing in found:
            items = _shown(context, scene, [thing, found[thing]])
            text = f"The {name_of(scene, thing)} is on the {name_of(scene, found[thing])}."
            return make(context, text, items)
    thing = int(things[0])
    above_m = float(raised_m(scene, there)[there == thing][0])
    text = f"The {name_of(scene, thing)} is on the floor, as far as I can tell."
    if above_m >= RAISED_M:
        text = (
            f"I have not seen what the {name_of(scene, thing)} is on; it is {above_m:.1f} m above "
            "the floor."
        )
    return make(context, text, _shown(context, scene, [thing]))


def _neighbours(context: Context, scene: Scene) -> Answer:
    """What is closest to a thing, or to whatever is on a thing."""
    question = context.question
    phrase = question.place.upon or question.place.thing or ""
    marks = _known_now(context, scene, phrase)
    if not len(marks):
        return no_memory(context, phrase)
    there = _distinct(scene, _there(context, scene, seen(context, scene)))
    marks = marks[:1]
    hidden = of_kind(scene, phrase)
    about = f"the {name_of(scene, int(marks[0]))}"
    if question.place.upon is not None:
        upon = resting_on(scene, np.union1d(there, marks), marks)
        if not len(upon):
            return Answer(f"I remember nothing on {about}.", question.kind, abstained=True)
        hidden[upon] = True
        about = f"the {name_of(scene, int(upon[0]))} on {about}"
        marks = upon[:1]
    numbers = rooms_of_things(scene, rooms_of(scene, context.encode))
    room = int(numbers[marks[0]])
    near = [
        thing
        for thing in nearest_to(scene, there, marks).tolist()
        if not hidden[thing]
        and (room < 0 or int(numbers[thing]) in (room, -1))
        and not BOUNDARIES & set(scene.label_words[int(scene.thing_label[thing])])
    ]
    if question.aspect == "farthest":
        near.reverse()
    if not near:
        return Answer(f"I remember nothing near {about}.", question.kind, abstained=True)
    apart = float(np.linalg.norm(scene.thing_position[near[0]] - scene.thing_position[marks[0]]))
    also = [name_of(scene, thing) for thing in near[1:2]]
    rest = f"; then the {wording.conjunction(also)}" if also else ""
    text = f"The {name_of(scene, near[0])}, {apart:.1f} m from {about}{rest}."
    return make(context, text, _shown(context, scene, near[:2]))


def _shown(context: Context, scene: Scene, things: list[int]) -> list[Evidence]:
    keep = in_time(context, scene)
    return [thing_evidence(scene, t, int(_views(scene, t, keep)[-1]), 1.0) for t in things]


def _views(scene: Scene, thing: int, keep: BoolArray) -> IntArray:
    found = views(scene, thing, keep)
    return found if len(found) else views(scene, thing, np.ones(len(scene.stored), bool))
