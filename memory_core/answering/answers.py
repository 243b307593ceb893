"""One function a kind of question: evidence in, `Answer` out.

Each says only what the evidence shows, and abstains where there is none. Positions are in the
map; where the robot was not localised when it saw a thing, the answer says so.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from memory_core.answering import captions, wording
from memory_core.answering.changes import answer_changed, gone, moved_on
from memory_core.answering.grounding import (
    Context,
    at_place,
    belief_in,
    closest_kind,
    in_time,
    observation_evidence,
    of_kind,
    path_in_time,
    seen,
    stamps_of,
    thing_evidence,
    views,
    visits,
)
from memory_core.episodic.rows import Stored
from memory_core.episodic.summary import Step, by_run, length_of, trajectory
from memory_core.language.lexicon import words_of
from memory_core.language.questions import PlacePhrase, Question, everything
from memory_core.language.rooms import NAMES, room_named
from memory_core.semantic.scene import Scene
from memory_core.types import Answer, BoolArray, Evidence, IntArray, Query

MAX_EVIDENCE = 10
_SURE_ROOM = 0.3
_RIVAL = 0.5

NO_WORDS = (
    "This memory holds no words: nothing in it was captioned or detected. Give it words with a "
    "detector's topic, a captioner, or `robot-memory ingest RECORDING --sidecar FILE`, and ask again."
)


def answer(context: Context) -> Answer:
    """Answer a question from its context."""
    question = context.question
    if _needs_words(question) and not _has_words(context):
        return Answer(NO_WORDS, question.kind, abstained=True)
    result = _KINDS[question.kind](context)
    lost = [item for item in result.evidence if not item.localised]
    if lost and len(lost) == len(result.evidence) and result.position is not None:
        result = replace(
            result,
            answer=f"{result.answer} (The robot was not localised then: positions are relative to "
            "where its odometry began.)",
            frame=lost[0].observation.anchor_id,
        )
    return result


def _needs_words(question: Question) -> bool:
    return question.kind not in ("body", "where_robot") and not (
        question.robot and not question.place.named
    )


def _has_words(context: Context) -> bool:
    if context.scene is not None:
        return True
    return context.memory.holds_words()


def _no_memory(context: Context, thing: str) -> Answer:
    """Abstain, and name what comes closest."""
    hint = ""
    if context.scene is not None:
        label = closest_kind(context, context.scene, thing)
        if of_kind(context.scene, thing).any():
            hint = f" I remember {wording.with_article(thing)} at another time or place."
        elif label is not None:
            hint = f" The closest I remember is {wording.with_article(label)}."
    when = captions.before(context.question.time.span)
    place = f" {context.question.place.words}" if context.question.place.words else ""
    return Answer(
        f"I have no memory of {wording.with_article(thing)}{place}{when}.{hint}",
        context.question.kind,
        abstained=True,
    )


def _whole(items: list[Evidence], context: Context) -> dict[str, object]:
    """The parts of an answer that follow from its first evidence."""
    if not items:
        return {}
    first = items[0]
    return {
        "position": first.position,
        "map_id": first.map_id,
        "epoch": first.epoch,
        "stamp_ns": first.observation.stamp_ns,
        "evidence": tuple(items[:MAX_EVIDENCE]),
    }


def _make(context: Context, text: str, items: list[Evidence], **parts: object) -> Answer:
    fields = {**_whole(items, context), **parts}
    return Answer(text, context.question.kind, **fields)  # type: ignore[arg-type]


# -- things -----------------------------------------------------------------------------------


def _candidates(context: Context, scene: Scene, thing: str) -> tuple[IntArray, np.ndarray]:
    """Things a phrase may mean, likeliest first, with their shares of the belief.

    How often a thing was seen does not count: what moved yesterday was seen less at its new place.
    Whether something ever was in a room is asked strictly; elsewhere a room is a hint.
    """
    fits = of_kind(scene, thing) & seen(context, scene)
    if context.question.place.named:
        placed = fits & at_place(context, scene, context.question.place)
        soft = context.question.place.room is not None and context.question.place.thing is None
        soft = soft and context.question.kind != "ever"
        fits = placed if placed.any() or not soft else fits
    found = _not_left(context, scene, np.flatnonzero(fits))
    if not len(found):
        return found, np.empty(0)
    beliefs = belief_in(context, scene, thing)
    score = np.log(beliefs.things[found] + 1e-300) - beliefs.parts["often"][found]
    belief = np.exp(score - score.max())
    belief = belief / belief.sum()
    order = np.argsort(-belief, kind="stable")
    return found[order], belief[order]


def _not_left(context: Context, scene: Scene, found: IntArray) -> IntArray:
    """Of some things, those still there as far as one knows, where the question is about now.

    Whether, what and how many: what a later visit did not see there is not there. Where: the
    last place counts, unless the thing was seen elsewhere since.
    """
    if not context.question.present:
        return found
    strict = context.question.kind in ("ever", "what", "how_many") and context.question.place.named
    return found[~(gone if strict else moved_on)(scene, found)]


def _where(context: Context) -> Answer:
    thing = context.question.things[0] if context.question.things else ""
    if not thing:
        return Answer("What should I look for? Name a thing.", "where", abstained=True)
    scene = context.scene
    if scene is not None:
        found, belief = _candidates(context, scene, thing)
        if len(found):
            return _where_thing(context, scene, thing, found, belief)
    told = captions.supported(context, thing)
    if told:
        first = _in_order(told, context.question.time.order)
        text = (
            f"{captions.told(first)} — seen {_when_said(context, first.observation.stamp_ns)}"
            f"{_from(first)}."
        )
        return _make(context, text, [first, *[item for item in told if item is not first]])
    return _no_memory(context, thing)


def _from(item: Evidence) -> str:
    return "" if item.position is None else f", from {wording.position(item.position)}"


def _in_order(told: list[Evidence], order: str | None) -> Evidence:
    if order is None:
        return told[0]
    by_time = sorted(told, key=lambda item: item.observation.stamp_ns)
    return by_time[-1 if order == "last" else 0]


def _when_said(context: Context, stamp_ns: int) -> str:
    return wording.moment(stamp_ns, context.where, now_ns=context.now_ns)


def _where_thing(
    context: Context, scene: Scene, thing: str, found: IntArray, belief: np.ndarray
) -> Answer:
    keep = in_time(context, scene)
    stamps = stamps_of(scene)
    last = np.array([stamps[views(scene, int(t), keep)[-1]] for t in found])
    first = np.array([stamps[views(scene, int(t), keep)[0]] for t in found])
    rivals = np.flatnonzero(belief >= _RIVAL * belief[0])
    order = context.question.time.order
    chosen = rivals[int(first[rivals].argmin() if order == "first" else last[rivals].argmax())]
    ranked = [int(chosen), *[i for i in range(len(found)) if i != chosen]]
    items = []
    for place in ranked[:MAX_EVIDENCE]:
        seen_from = views(scene, int(found[place]), keep)
        standpoint = int(seen_from[0 if order == "first" else -1])
        items.append(thing_evidence(scene, int(found[place]), standpoint, float(belief[place])))
    target = int(found[chosen])
    label = scene.labels[int(scene.thing_label[target])]
    there = context.question.present and not gone(scene, np.array([target])).any()
    text = (
        f"The {label} {'is' if there else 'was'} {_whereabouts(scene, target)}, at {wording.position(items[0].position)}; "  # type: ignore[arg-type]
        f"{'first' if order == 'first' else 'last'} seen "
        f"{_when_said(context, items[0].observation.stamp_ns)}."
    )
    others = len(found) - 1
    if others:
        text += f" I remember {others} other{'s' if others > 1 else ''} of that kind."
    return _make(context, text, items)


def _whereabouts(scene: Scene, thing: int) -> str:
    """A thing's room, floor and neighbour in words."""
    parts = []
    room, sure = scene.room_of(thing)
    if sure >= _SURE_ROOM:
        parts.append(f"in the {room}" if room != "outdoor area" else "outdoors")
    if len(scene.floor_heights) > 1:
        parts.append(
            f"on {wording.floor_name(int(scene.thing_floor[thing]), len(scene.floor_heights))}"
        )
    beside = _beside(scene, thing)
    if beside is not None:
        parts.append(f"near the {beside}")
    return " ".join(parts) or "where I saw it"


def _beside(scene: Scene, thing: int) -> str | None:
    """The most telling other label within about 1 m."""
    close = scene.tight[thing] * scene.rarity
    close = np.where(np.arange(len(close)) == scene.thing_label[thing], 0, close)
    best = int(close.argmax())
    return scene.labels[best] if close[best] > 0.15 else None


def _when(context: Context) -> Answer:
    question = context.question
    if not question.things:
        return _when_robot(context)
    thing, scene, order = question.things[0], context.scene, question.time.order or "last"
    moments: list[tuple[int, Evidence]] = []
    if scene is not None:
        found, belief = _candidates(context, scene, thing)
        keep = in_time(context, scene)
        for target, share in zip(found.tolist(), belief.tolist(), strict=True):
            moments += [
                (int(stamps_of(scene)[s]), thing_evidence(scene, target, int(s), share))
                for s in views(scene, target, keep)
            ]
    if not moments:
        told = captions.supported(context, thing)
        moments = [(item.observation.stamp_ns, item) for item in told]
    if not moments:
        return _no_memory(context, thing)
    moments.sort(key=lambda entry: entry[0])
    chosen = moments[-1 if order == "last" else 0]
    text = f"I {order} saw the {thing} {_when_said(context, chosen[0])}{_from(chosen[1])}."
    rest = [item for stamp, item in reversed(moments) if item is not chosen[1]]
    return _make(context, text, [chosen[1], *rest])


def _when_robot(context: Context) -> Answer:
    stays = visits(context, context.question.place)
    where = context.question.place.words or "there"
    if not stays:
        return Answer(f"I have no memory of being {where}.", "when", abstained=True)
    chosen = stays[-1] if context.question.time.order != "first" else stays[0]
    text = (
        f"I was {where} {_when_said(context, chosen.start_ns)} for "
        f"{wording.duration(chosen.seconds)}"
        + (f"; {len(stays)} times in all." if len(stays) > 1 else ".")
    )
    return Answer(
        text, "when", position=chosen.pose.position, stamp_ns=chosen.start_ns,
        evidence=_standing(context, chosen.start_ns),
    )  # fmt: skip


def _standing(context: Context, stamp_ns: int) -> tuple[Evidence, ...]:
    """The observation nearest to a moment, one that knows its place if there is any."""
    found = context.memory.recall(Query(around_ns=stamp_ns, around_scale_s=5.0, k=5), mode="flat")
    placed = [item for item in found.evidence if item.position is not None]
    return tuple([*placed, *found.evidence][:1])


def _how_long(context: Context) -> Answer:
    question = context.question
    if question.things:
        last = _when(context)
        if last.abstained or last.stamp_ns is None:
            return replace(last, kind="how_long")
        seconds = (context.now_ns - last.stamp_ns) * 1e-9
        text = f"{wording.duration(seconds)} ago: {last.answer}"
        return replace(last, answer=text, kind="how_long", value=round(seconds, 3), unit="s")
    if not question.place.named:
        path = path_in_time(context)
        if not path:
            return Answer("I have no memory of that time.", "how_long", abstained=True)
        seconds = _seconds_on(path)
        text = f"{wording.duration(seconds)}, from {_when_said(context, path[0][0])}."
        return Answer(text, "how_long", stamp_ns=path[0][0], value=round(seconds, 3), unit="s",
                      evidence=_standing(context, path[0][0]))  # fmt: skip
    stays = visits(context, question.place)
    if not stays:
        return Answer(
            f"I have no memory of being {question.place.words}.", "how_long", abstained=True
        )
    seconds = sum(stay.seconds for stay in stays)
    text = f"{wording.duration(seconds)} in {len(stays)} stay{'s' if len(stays) > 1 else ''}."
    return Answer(
        text, "how_long", position=stays[-1].pose.position, stamp_ns=stays[0].start_ns,
        value=round(seconds, 3), unit="s", evidence=_standing(context, stays[0].start_ns),
    )  # fmt: skip


def _how_many(context: Context) -> Answer:
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
            evidence=_standing(context, stays[-1].start_ns),
        )  # fmt: skip
    thing = question.things[0]
    if question.quantity == "times":
        return _how_often(context, thing)
    if everything(thing):
        listed = _what(replace(context, question=replace(question, things=())))
        return replace(listed, kind="how_many")
    if scene is not None:
        fits = of_kind(scene, thing) & seen(context, scene)
        if fits.any():
            fits &= at_place(context, scene, question.place)
            return _count(context, scene, thing, fits)
    told = captions.supported(context, thing, k=200)
    if not told:
        return _no_memory(context, thing)
    text = f"{len(told)} observations speak of {wording.with_article(thing)}."
    return _make(context, text, told, value=float(len(told)), unit="observations")


def _count(context: Context, scene: Scene, thing: str, fits: BoolArray) -> Answer:
    found = _not_left(context, scene, np.flatnonzero(fits))
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
    return _make(context, text, items, value=float(len(found)), unit=wording.plural(name))


def _how_often(context: Context, thing: str) -> Answer:
    moments = _moments(context, thing)
    if not moments:
        return _no_memory(context, thing)
    times = 1 + sum(
        (later[0] - earlier[0]) * 1e-9 > 60.0 for earlier, later in itertools.pairwise(moments)
    )
    text = f"{times} time{'s' if times != 1 else ''}, last {_when_said(context, moments[-1][0])}."
    items = [item for _, item in reversed(moments)]
    return _make(context, text, items, value=float(times), unit="times")


def _moments(context: Context, thing: str) -> list[tuple[int, Evidence]]:
    """Every observation of a kind of thing, in order of time."""
    scene = context.scene
    moments: list[tuple[int, Evidence]] = []
    if scene is not None:
        keep = in_time(context, scene)
        fits = of_kind(scene, thing) & at_place(context, scene, context.question.place)
        for target in np.flatnonzero(fits).tolist():
            moments += [
                (int(stamps_of(scene)[s]), thing_evidence(scene, target, int(s), 1.0))
                for s in views(scene, target, keep)
            ]
    if not moments:
        told = captions.supported(context, thing, k=200)
        moments = [(item.observation.stamp_ns, item) for item in told]
    return sorted(moments, key=lambda entry: entry[0])


def _arrivals(context: Context, room: str) -> list[tuple[int, Evidence]]:
    """When the robot came to a kind of room, in order of time; empty where none is named."""
    kind = room_named(words_of(room))
    if kind is None:
        return []
    stays = visits(context, PlacePhrase(room, room=kind))
    return [(stay.start_ns, item) for stay in stays for item in _standing(context, stay.start_ns)]


def _which_first(context: Context) -> Answer:
    things = context.question.things
    firsts = []
    for thing in things:
        moments = _moments(context, thing) or _arrivals(context, thing)
        if not moments:
            return replace(_no_memory(context, thing), kind="which_first")
        firsts.append((moments[0][0], thing, moments[0][1]))
    if firsts[0][0] == firsts[1][0]:
        text = f"I first saw the {things[0]} and the {things[1]} at the same moment, {_when_said(context, firsts[0][0])}."
        return _make(context, text, [firsts[0][2], firsts[1][2]])
    firsts.sort(key=lambda entry: entry[0])
    (early, first, item), (late, second, other) = firsts
    text = (
        f"The {first}, {_when_said(context, early)}; the {second} "
        f"{wording.duration((late - early) * 1e-9)} later."
    )
    return _make(context, text, [item, other])


def _ever(context: Context) -> Answer:
    question = context.question
    if question.robot or not question.things:
        stays = visits(context, question.place)
        where = question.place.words or "there"
        if not stays:
            return Answer(f"I have no memory of being {where}.", "ever", abstained=True)
        return Answer(
            f"Yes, last {_when_said(context, stays[-1].start_ns)}.", "ever",
            position=stays[-1].pose.position, stamp_ns=stays[-1].start_ns, value=1.0,
            evidence=_standing(context, stays[-1].start_ns),
        )  # fmt: skip
    thing, scene = question.things[0], context.scene
    found = _where(context)
    if not found.abstained:
        return replace(found, answer=f"Yes. {found.answer}", kind="ever", value=1.0)
    if scene is not None and of_kind(scene, thing).any():
        elsewhere = Context(
            context.memory, replace(question, place=replace(question.place, room=None, thing=None,
            circle=None, floor=None, words="")), context.now_ns, context.where, scene, context.encode,
        )  # fmt: skip
        other = _where(elsewhere)
        if not other.abstained:
            now = "when I last looked" if question.present else "that I remember"
            text = f"Not {question.place.words or 'in that time'} {now}. {other.answer}"
            return replace(other, answer=text, kind="ever", value=0.0)
    return replace(found, kind="ever")


def _what(context: Context) -> Answer:
    question, scene = context.question, context.scene
    if question.things:
        if scene is None or of_kind(scene, question.things[0]).any():
            return replace(_how_many(context), kind="what")
        told = captions.supported(context, question.things[0])
        if told:
            text = " ".join(captions.told(item) for item in told[:3])
            return _make(context, f"I remember: {text}", told)
        return _no_memory(context, question.things[0])
    if scene is not None:
        here = seen(context, scene) & at_place(context, scene, question.place)
        if question.time.order is not None:
            here &= _in_one_view(context, scene, here)
        things = _not_left(context, scene, np.flatnonzero(here))
        if len(things):
            return _list_things(context, scene, things)
    told = (
        captions.supported(context, question.place.thing)
        if question.place.thing
        else captions.listed(context)
    )
    if told and (question.place.thing or question.place.circle or not question.place.named):
        text = " ".join(captions.told(item) for item in told[:3])
        return _make(context, f"I remember: {text}", told)
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


def _list_things(context: Context, scene: Scene, found: IntArray) -> Answer:
    keep = in_time(context, scene)
    rarest = found[np.argsort(-scene.rarity[scene.thing_label[found]], kind="stable")]
    items = [
        thing_evidence(scene, int(t), int(views(scene, int(t), keep)[-1]), 1.0)
        for t in rarest[:MAX_EVIDENCE]
    ]
    names = [scene.labels[int(label)] for label in scene.thing_label[found]]
    where = context.question.place.words
    opening = f"{where[:1].upper()}{where[1:]} I remember" if where else "I remember"
    return _make(
        context, f"{opening} {wording.listing(names)}.", items,
        value=float(len(found)), unit="things", position=None,
    )  # fmt: skip


def _describe(context: Context) -> Answer:
    question, scene = context.question, context.scene
    if question.things:
        found = _where(context)
        return replace(found, kind="describe")
    if scene is None:
        told = captions.listed(context)
        if not told:
            return Answer("I have no memory to describe.", "describe", abstained=True)
        return _make(
            context, " ".join(captions.told(item) for item in told[:5]), told, position=None
        )
    if question.place.named:
        return replace(_what(context), kind="describe")
    here = seen(context, scene)
    found_things = np.flatnonzero(here)
    if not len(found_things):
        return Answer("I have no memory of that time.", "describe", abstained=True)
    listed = _list_things(context, scene, found_things)
    floors = len(scene.floor_heights)
    parts = [f"{floors} floor{'s' if floors > 1 else ''}"]
    for floor in range(floors):
        rooms = _rooms_on(scene, floor)
        if rooms:
            name = wording.floor_name(floor, floors) if floors > 1 else "It"
            parts.append(f"{name} has {wording.conjunction(rooms)}")
    return replace(listed, answer=f"{'. '.join(parts)}. {listed.answer}", kind="describe")


def _rooms_on(scene: Scene, floor: int) -> list[str]:
    """Kinds of rooms that several things on a floor vouch for."""
    there = scene.thing_floor == floor
    kinds, counts = np.unique(scene.room[there].argmax(axis=1), return_counts=True)
    likely = kinds[counts >= max(2, 0.03 * there.sum())]
    return [wording.with_article(NAMES[int(kind)]) for kind in likely]


# -- the robot itself --------------------------------------------------------------------------


def _where_robot(context: Context) -> Answer:
    path = path_in_time(context)
    if not path:
        return Answer("I have no memory of where I was then.", "where_robot", abstained=True)
    order = context.question.time.order
    moment = context.question.time.moment_ns
    if context.question.things:
        moments = _moments(context, context.question.things[0])
        if not moments:
            return _no_memory(context, context.question.things[0])
        moment = moments[0 if order == "first" else -1][0]
    if moment is not None:
        stamp, pose, _ = min(path, key=lambda entry: abs(entry[0] - moment))
    elif order == "first":
        stamp, pose, _ = path[0]
    elif context.question.time.span is None or order == "last":
        stamp, pose, _ = path[-1]
    else:
        stamp, pose, _ = path[len(path) // 2]
    text = f"At {wording.position(pose.position)}, {_when_said(context, stamp)}."
    scene = context.scene
    if scene is not None and len(scene.thing_position):
        apart = np.linalg.norm(scene.thing_position - np.array(pose.position), axis=1)
        nearest = int(apart.argmin())
        if apart[nearest] < 4.0:
            text = f"{text[:-1]} — {_whereabouts(scene, nearest)}."
    items = _standing(context, stamp)
    return _make(context, text, list(items), position=pose.position, stamp_ns=stamp)


def _how_far(context: Context) -> Answer:
    question, scene = context.question, context.scene
    if len(question.things) == 2:
        if scene is None:
            return Answer("I know no positions of things.", "how_far", abstained=True)
        ends = []
        for thing in question.things:
            found, _ = _candidates(context, scene, thing)
            if not len(found):
                return replace(_no_memory(context, thing), kind="how_far")
            ends.append(int(found[0]))
        apart = float(np.linalg.norm(scene.thing_position[ends[0]] - scene.thing_position[ends[1]]))
        keep = in_time(context, scene)
        items = [thing_evidence(scene, e, int(views(scene, e, keep)[-1]), 1.0) for e in ends]
        text = f"{apart:.2f} m from the {question.things[0]} to the {question.things[1]}."
        return _make(context, text, items, value=round(apart, 3), unit="m", position=None)
    path = path_in_time(context)
    if question.things:
        return _how_far_from_here(context, question.things[0])
    if len(path) < 2:
        return Answer("I have no memory of moving then.", "how_far", abstained=True)
    metres = length_of(path)
    text = f"{metres:.1f} m in {wording.duration(_seconds_on(path))}."
    items_path = list(_standing(context, path[-1][0]))
    return _make(context, text, items_path, value=round(metres, 3), unit="m",
                 stamp_ns=path[0][0], position=path[-1][1].position)  # fmt: skip


def _seconds_on(path: Sequence[Step]) -> float:
    """How long a path took, the time between sessions left out, seconds."""
    return sum((run[-1].stamp_ns - run[0].stamp_ns) * 1e-9 for run in by_run(list(path)))


def _how_far_from_here(context: Context, thing: str) -> Answer:
    """From where the robot was last to a thing."""
    found, path = _where(context), trajectory(context.memory)
    if found.abstained or found.position is None or not path:
        return found if found.abstained else _no_memory(context, thing)
    apart = float(np.linalg.norm(np.subtract(found.position, path[-1][1].position)))
    text = f"{apart:.2f} m from where I was last. {found.answer}"
    return replace(found, answer=text, value=round(apart, 3), unit="m")


def _body(context: Context) -> Answer:
    quantity = context.question.quantity
    keys = {"battery": ("charge", "voltage_v"), "temperature": ("temperature_c",)}[quantity]
    units = {"charge": "%", "voltage_v": "V", "temperature_c": "°C"}
    stored = _body_state(context, keys)
    if stored is not None:
        body = stored.observation.extra["body"]
        key = next(k for k in keys if k in body)
        value = float(body[key]) * (100 if key == "charge" else 1)
        text = (
            f"{quantity.capitalize()} {value:.3g} {units[key]}, "
            f"{_when_said(context, stored.observation.stamp_ns)}."
        )
        return _make(
            context, text, [observation_evidence(stored, 1.0)], value=round(value, 4),
            unit=units[key],
        )  # fmt: skip
    return Answer(f"I have no memory of my {quantity}.", "body", abstained=True)


def _body_state(context: Context, keys: tuple[str, ...]) -> Stored | None:
    """The latest observation of a quantity, or the nearest to the moment asked for."""
    store, moment = context.memory.store, context.question.time.moment_ns
    span = context.question.time.span
    rowids = store.body_states(span.start_ns if span else None, span.end_ns if span else None)
    best: Stored | None = None
    for stored in store.fetch(rowids):
        body = stored.observation.extra.get("body")
        fits = isinstance(body, dict) and any(key in body for key in keys)
        if fits and (best is None or _closer(stored, best, moment)):
            best = stored
    return best


def _closer(stored: Stored, best: Stored, moment: int | None) -> bool:
    if moment is None:
        return stored.observation.stamp_ns > best.observation.stamp_ns
    return abs(stored.observation.stamp_ns - moment) < abs(best.observation.stamp_ns - moment)


_KINDS: dict[str, Callable[[Context], Answer]] = {
    "where": _where,
    "find": _where,
    "what": _what,
    "when": _when,
    "how_long": _how_long,
    "how_many": _how_many,
    "how_far": _how_far,
    "which_first": _which_first,
    "ever": _ever,
    "changed": answer_changed,
    "describe": _describe,
    "body": _body,
    "where_robot": _where_robot,
}
