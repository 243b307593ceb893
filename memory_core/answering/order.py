"""What came first, what came next, in which order rooms were visited, how much time lay between."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from memory_core.answering import wording
from memory_core.answering.absence import stamps_of
from memory_core.answering.grounding import (
    Context,
    of_kind,
    path_in_time,
    rooms_named,
    seen,
    thing_evidence,
    views,
    visits,
)
from memory_core.answering.parts import make, name_of, no_memory, standing, when_said
from memory_core.answering.rooms import rooms_at, rooms_of
from memory_core.answering.things import moments
from memory_core.episodic.summary import by_run
from memory_core.language.lexicon import words_of
from memory_core.language.questions import PlacePhrase
from memory_core.language.rooms import room_named
from memory_core.semantic.scene import Scene
from memory_core.types import Answer, BoolArray, Evidence, IntArray

SHORTEST_STAY_S = 5.0


def _arrivals(context: Context, room: str) -> list[tuple[int, Evidence]]:
    """When the robot came to a room, in order of time; empty where none is named."""
    kind = room_named(words_of(room))
    if kind is None:
        return []
    stays = visits(context, PlacePhrase(room, room=kind, called=room))
    return [(stay.start_ns, item) for stay in stays for item in standing(context, stay.start_ns)]


def _firsts(context: Context) -> list[tuple[int, str, Evidence]] | str:
    """When each thing (or room) of a question was first met, or the one never met."""
    found = []
    for thing in context.question.things:
        met = moments(context, thing) or _arrivals(context, thing)
        if not met:
            return thing
        found.append((met[0][0], thing, met[0][1]))
    return found


def which_first(context: Context) -> Answer:
    """Which of two came first, or whether one came before (or after) the other."""
    things, aspect = context.question.things, context.question.aspect
    firsts = _firsts(context)
    if isinstance(firsts, str):
        return replace(no_memory(context, firsts), kind="which_first")
    (asked_ns, *_), (other_ns, *_) = firsts
    if asked_ns == other_ns:
        text = (
            f"I first saw the {things[0]} and the {things[1]} at the same moment, "
            f"{when_said(context, asked_ns)}."
        )
        return make(context, f"No: {text}" if aspect else text, [firsts[0][2], firsts[1][2]])
    said, value = "", None
    if aspect in ("before", "after"):
        holds = (asked_ns < other_ns) == (aspect == "before")
        said, value = ("Yes. " if holds else "No. "), float(holds)
    firsts.sort(key=lambda entry: entry[0])
    (early, first, item), (late, second, other) = firsts
    if aspect == "last":
        text = f"The {second}, {when_said(context, late)}; the {first} came before it."
        return make(context, text, [other, item])
    text = (
        f"{said}The {first}, {when_said(context, early)}; the {second} "
        f"{wording.duration((late - early) * 1e-9)} later."
    )
    return make(context, text, [item, other], value=value)


def between(context: Context) -> Answer:
    """How much time passed from first meeting one thing to first meeting another."""
    firsts = _firsts(context)
    if isinstance(firsts, str):
        return no_memory(context, firsts)
    firsts.sort(key=lambda entry: entry[0])
    (early, first, item), (late, second, other) = firsts
    seconds = (late - early) * 1e-9
    text = f"{wording.duration(seconds)}, from the {first} ({when_said(context, early)}) to the {second}."
    return make(
        context, text, [item, other], value=round(seconds, 3), unit="s", position=None
    )  # fmt: skip


def order(context: Context) -> Answer:
    """What came right after, or right before, a thing or a room."""
    scene, aspect = context.scene, context.question.aspect
    if scene is None:
        return Answer("I know no things or rooms to put in order.", "order", abstained=True)
    if aspect in ("next room", "previous room"):
        return _next_room(context, scene, step=1 if aspect == "next room" else -1)
    return _next_thing(context, scene, context.question.things[0])


def _next_thing(context: Context, scene: Scene, phrase: str) -> Answer:
    """What was first noticed right after, or right before, a thing was first seen."""
    after = context.question.aspect == "after"
    keep = np.zeros(len(scene.stored), bool)
    stamps = stamps_of(scene)
    mine = np.flatnonzero(of_kind(scene, phrase) & seen(context, scene))
    if not len(mine):
        return no_memory(context, phrase)
    begun = int(stamps[(scene.sees[mine] > 0).any(axis=0)].min())
    session = scene.stored[int(np.flatnonzero(stamps == begun)[0])].observation.session
    keep = np.array([stored.observation.session == session for stored in scene.stored])
    firsts = []
    for thing in range(len(scene.thing_label)):
        found = views(scene, thing, keep)
        same = scene.thing_label[thing] in scene.thing_label[mine]
        if len(found) and not same:
            firsts.append((int(stamps[found[0]]), thing, int(found[0])))
    label_first: dict[int, tuple[int, int, int]] = {}
    for entry in sorted(firsts):
        label_first.setdefault(int(scene.thing_label[entry[1]]), entry)
    later = [e for e in label_first.values() if (e[0] > begun if after else e[0] < begun)]
    if not later:
        later = [e for e in firsts if (e[0] > begun if after else e[0] < begun)]
        later += _in_next_view(scene, mine, keep, begun, after=after)
    if not later:  # it was in the first view, or in the last one; the other end of its stay tells
        ended = int(stamps[(scene.sees[mine] > 0).any(axis=0) & keep].max())
        later, begun = _in_next_view(scene, mine, keep, ended, after=after), ended
    if not later:
        side = "after" if after else "before"
        return Answer(
            f"I remember nothing {side} the {phrase} on that visit.", "order", abstained=True
        )  # fmt: skip
    stamp, thing, standpoint = min(later) if after else max(later)
    text = (
        f"The {name_of(scene, thing)}, {wording.duration(abs(stamp - begun) * 1e-9)} "
        f"{'later' if after else 'earlier'}."
    )
    return make(context, text, [thing_evidence(scene, thing, standpoint, 1.0)])


def _in_next_view(
    scene: Scene, mine: IntArray, keep: BoolArray, begun: int, *, after: bool
) -> list[tuple[int, int, int]]:
    """What the next view (or the one before) shows besides a thing, known before or not."""
    stamps = stamps_of(scene)
    other = ~np.isin(scene.thing_label, scene.thing_label[mine])
    shows = (scene.sees[other] > 0).any(axis=0) & keep
    views_there = np.flatnonzero(shows & (stamps > begun if after else stamps < begun))
    if not len(views_there):
        return []
    stamp = stamps[views_there]
    view = int(views_there[stamp.argmin() if after else stamp.argmax()])
    thing = int(np.flatnonzero(other & (scene.sees[:, view] > 0))[0])
    return [(int(stamps[view]), thing, view)]


def route(context: Context, scene: Scene) -> list[tuple[int, int]]:
    """Rooms in the order they were entered on one visit: (room, when entered, nanoseconds).

    The visit is the last one within the time asked for; a passage of less than five seconds is
    none.
    """
    path = path_in_time(context)
    if not path:
        return []
    run = by_run(path)[-1]
    rooms = rooms_of(scene, context.encode)
    at = rooms_at(scene, rooms, np.array([step.pose.position for step in run]))
    stays: list[tuple[int, int, int]] = []
    for room, steps in itertools.groupby(zip(at.tolist(), run, strict=True), lambda pair: pair[0]):
        times = [step.stamp_ns for _, step in steps]
        if room >= 0 and stays and stays[-1][0] == room:
            stays[-1] = (room, stays[-1][1], times[-1])
        elif room >= 0 and (times[-1] - times[0]) * 1e-9 >= SHORTEST_STAY_S:
            stays.append((room, times[0], times[-1]))
    return [(room, begun) for room, begun, _ in stays]


def _next_room(context: Context, scene: Scene, *, step: int) -> Answer:
    rooms = rooms_of(scene, context.encode)
    place = context.question.place
    named = [rooms.index(room) for room in rooms_named(context, scene, place)]
    path = route(context, scene)
    if not named:
        return Answer(f"I know no {place.called}.", "order", abstained=True)
    for number, (room, _) in enumerate(path):
        follows = number + step
        if room in named and 0 <= follows < len(path):
            other, begun = path[follows]
            verb = "I went to" if step > 0 else "I came from"
            text = f"{verb} the {rooms[other].kind or 'next room'}, {when_said(context, begun)}."
            return make(
                context, text, list(standing(context, begun)), position=rooms[other].centre,
                stamp_ns=begun,
            )  # fmt: skip
    side = "after" if step > 0 else "before"
    return Answer(f"No room came {side} the {place.called}.", "order", abstained=True)


def rooms_in_order(context: Context, scene: Scene) -> Answer:
    """All rooms in the order of a visit, or its first, or its last."""
    rooms = rooms_of(scene, context.encode)
    path = route(context, scene)
    kinds = list(dict.fromkeys(rooms[room].kind or "room" for room, _ in path))
    if not kinds:
        return Answer("I have no memory of entering a room.", "rooms", abstained=True)
    aspect = context.question.aspect
    pick: dict[str, Callable[[], str]] = {
        "first": lambda: f"The {kinds[0]}.",
        "last": lambda: f"The {rooms[path[-1][0]].kind}.",
        "order": lambda: f"First the {', then the '.join(kinds)}.",
    }
    chosen = path[-1] if aspect == "last" else path[0]
    return make(
        context, pick[aspect](), list(standing(context, chosen[1])),
        position=rooms[chosen[0]].centre, stamp_ns=chosen[1], value=None,
    )  # fmt: skip
