"""What answers are made of: evidence, moments and whereabouts in words."""

from __future__ import annotations

import numpy as np

from memory_core.answering import captions, wording
from memory_core.answering.grounding import Context, closest_kind, of_kind
from memory_core.answering.rooms import SURE, room_of, rooms_of
from memory_core.semantic.scene import Scene
from memory_core.types import Answer, Evidence, Query

MAX_EVIDENCE = 10


def name_of(scene: Scene, thing: int) -> str:
    """What a thing is called."""
    return scene.labels[int(scene.thing_label[thing])]


def no_memory(context: Context, thing: str) -> Answer:
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


def make(context: Context, text: str, items: list[Evidence], **parts: object) -> Answer:
    """An answer of the question's kind; what is not given follows from its first evidence."""
    fields = {**_whole(items, context), **parts}
    return Answer(text, context.question.kind, **fields)  # type: ignore[arg-type]


def seen_from(item: Evidence) -> str:
    """From where something was seen, in words."""
    return "" if item.position is None else f", from {wording.position(item.position)}"


def when_said(context: Context, stamp_ns: int) -> str:
    """A moment in words, in the zone asked in."""
    return wording.moment(stamp_ns, context.where, now_ns=context.now_ns)


def room_told(context: Context, scene: Scene, thing: int) -> str:
    """The kind of room a thing is in; "" where nothing tells."""
    room = room_of(scene, rooms_of(scene, context.encode), thing)
    if room is not None and room.kind:
        return room.kind
    kind, sure = scene.room_of(thing)
    return kind if sure >= SURE else ""


def whereabouts(context: Context, scene: Scene, thing: int) -> str:
    """A thing's room, floor and neighbour in words."""
    parts = []
    room = room_told(context, scene, thing)
    if room:
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


def standing(context: Context, stamp_ns: int) -> tuple[Evidence, ...]:
    """The observation nearest to a moment, one that knows its place if there is any."""
    found = context.memory.recall(Query(around_ns=stamp_ns, around_scale_s=5.0, k=5), mode="flat")
    placed = [item for item in found.evidence if item.position is not None]
    return tuple([*placed, *found.evidence][:1])
