"""The robot itself: where it was, how long, how far, and its body."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from memory_core.answering import wording
from memory_core.answering.grounding import (
    Context,
    in_time,
    observation_evidence,
    path_in_time,
    thing_evidence,
    views,
    visits,
)
from memory_core.answering.order import between
from memory_core.answering.parts import make, no_memory, standing, when_said, whereabouts
from memory_core.answering.things import candidates, moments, when, where
from memory_core.episodic.rows import Stored
from memory_core.episodic.summary import Step, by_run, length_of, trajectory
from memory_core.types import Answer


def how_long(context: Context) -> Answer:
    """How long the robot was somewhere, or how long ago a thing was seen."""
    question = context.question
    if question.aspect == "between":
        return between(context)
    if question.things:
        last = when(context)
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
        text = f"{wording.duration(seconds)}, from {when_said(context, path[0][0])}."
        return Answer(text, "how_long", stamp_ns=path[0][0], value=round(seconds, 3), unit="s",
                      evidence=standing(context, path[0][0]))  # fmt: skip
    stays = visits(context, question.place)
    if not stays:
        return Answer(
            f"I have no memory of being {question.place.words}.", "how_long", abstained=True
        )
    seconds = sum(stay.seconds for stay in stays)
    text = f"{wording.duration(seconds)} in {len(stays)} stay{'s' if len(stays) > 1 else ''}."
    return Answer(
        text, "how_long", position=stays[-1].pose.position, stamp_ns=stays[0].start_ns,
        value=round(seconds, 3), unit="s", evidence=standing(context, stays[0].start_ns),
    )  # fmt: skip


def where_robot(context: Context) -> Answer:
    """Where the robot was."""
    path = path_in_time(context)
    if not path:
        return Answer("I have no memory of where I was then.", "where_robot", abstained=True)
    order = context.question.time.order
    moment = context.question.time.moment_ns
    if context.question.things:
        found = moments(context, context.question.things[0])
        if not found:
            return no_memory(context, context.question.things[0])
        moment = found[0 if order == "first" else -1][0]
    if moment is not None:
        stamp, pose, _ = min(path, key=lambda entry: abs(entry[0] - moment))
    elif order == "first":
        stamp, pose, _ = path[0]
    elif context.question.time.span is None or order == "last":
        stamp, pose, _ = path[-1]
    else:
        stamp, pose, _ = path[len(path) // 2]
    text = f"At {wording.position(pose.position)}, {when_said(context, stamp)}."
    scene = context.scene
    if scene is not None and len(scene.thing_position):
        apart = np.linalg.norm(scene.thing_position - np.array(pose.position), axis=1)
        nearest = int(apart.argmin())
        if apart[nearest] < 4.0:
            text = f"{text[:-1]} — {whereabouts(context, scene, nearest)}."
    items = standing(context, stamp)
    return make(context, text, list(items), position=pose.position, stamp_ns=stamp)


def how_far(context: Context) -> Answer:
    """How far apart two things are, how far away one is, or how far the robot drove."""
    question, scene = context.question, context.scene
    if len(question.things) == 2:
        if scene is None:
            return Answer("I know no positions of things.", "how_far", abstained=True)
        ends = []
        for thing in question.things:
            found, _ = candidates(context, scene, thing)
            if not len(found):
                return replace(no_memory(context, thing), kind="how_far")
            ends.append(int(found[0]))
        apart = float(np.linalg.norm(scene.thing_position[ends[0]] - scene.thing_position[ends[1]]))
        keep = in_time(context, scene)
        items = [thing_evidence(scene, e, int(views(scene, e, keep)[-1]), 1.0) for e in ends]
        text = f"{apart:.2f} m from the {question.things[0]} to the {question.things[1]}."
        return make(context, text, items, value=round(apart, 3), unit="m", position=None)
    path = path_in_time(context)
    if question.things:
        return _how_far_from_here(context, question.things[0])
    if len(path) < 2:
        return Answer("I have no memory of moving then.", "how_far", abstained=True)
    metres = length_of(path)
    text = f"{metres:.1f} m in {wording.duration(_seconds_on(path))}."
    items_path = list(standing(context, path[-1][0]))
    return make(context, text, items_path, value=round(metres, 3), unit="m",
                 stamp_ns=path[0][0], position=path[-1][1].position)  # fmt: skip


def _seconds_on(path: Sequence[Step]) -> float:
    """How long a path took, the time between sessions left out, seconds."""
    return sum((run[-1].stamp_ns - run[0].stamp_ns) * 1e-9 for run in by_run(list(path)))


def _how_far_from_here(context: Context, thing: str) -> Answer:
    """From where the robot was last to a thing."""
    found, path = where(context), trajectory(context.memory)
    if found.abstained or found.position is None or not path:
        return found if found.abstained else no_memory(context, thing)
    apart = float(np.linalg.norm(np.subtract(found.position, path[-1][1].position)))
    text = f"{apart:.2f} m from where I was last. {found.answer}"
    return replace(found, answer=text, value=round(apart, 3), unit="m")


def body(context: Context) -> Answer:
    """The battery or the temperature."""
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
            f"{when_said(context, stored.observation.stamp_ns)}."
        )
        return make(
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
