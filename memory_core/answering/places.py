"""Rooms and visits: how many, which, in what order, where."""

from __future__ import annotations

from memory_core.answering import wording
from memory_core.answering.grounding import (
    Context,
    in_time,
    of_kind,
    path_in_time,
    rooms_named,
    thing_evidence,
    views,
)
from memory_core.answering.order import rooms_in_order
from memory_core.answering.parts import make
from memory_core.answering.rooms import Room, rooms_of
from memory_core.answering.visits import visits_of
from memory_core.language.questions import Question
from memory_core.language.rooms import narrow_name
from memory_core.language.times import from_ns
from memory_core.semantic.scene import Scene
from memory_core.types import Answer, Evidence


def about_rooms(context: Context) -> Answer:
    """Answer a question about rooms as such, or about visits."""
    question, scene = context.question, context.scene
    if question.time.span is not None and not path_in_time(context):
        return Answer("I have no memory of that time.", question.kind, abstained=True)
    if question.aspect == "visits":
        return _count_visits(context)
    if scene is None:
        return Answer("I know no rooms.", question.kind, abstained=True)
    if question.aspect == "where":
        return _where(context, scene)
    if question.aspect in ("order", "first", "last"):
        return rooms_in_order(context, scene)
    rooms = _on_floor(scene, question, rooms_of(scene, context.encode))
    if not rooms:
        where = f" {question.place.words}" if question.place.words else ""
        return Answer(f"I know no rooms{where}.", question.kind, abstained=True)
    kinds = [room.kind or "room I have no name for" for room in rooms]
    items = [_shown(context, scene, room) for room in rooms]
    listed = wording.listing(kinds)
    text = f"{len(rooms)} rooms: {listed}." if len(rooms) > 1 else f"One room: {listed}."
    return make(
        context, text, items, value=float(len(rooms)), unit="rooms", position=None, stamp_ns=None
    )  # fmt: skip


def _on_floor(scene: Scene, question: Question, rooms: tuple[Room, ...]) -> tuple[Room, ...]:
    floor = question.place.floor
    if floor is None:
        return rooms
    top = len(scene.floor_heights) - 1
    wanted = floor - 1 if floor > 0 else (top if top > 0 else -1)
    return tuple(room for room in rooms if room.floor == wanted)


def _shown(context: Context, scene: Scene, room: Room) -> Evidence:
    """The most telling thing of a room, from where it was last seen."""
    rarity = scene.rarity[scene.thing_label[room.things]]
    thing = int(room.things[int(rarity.argmax())])
    keep = in_time(context, scene)
    found = views(scene, thing, keep)
    standpoint = int(found[-1]) if len(found) else scene.best_view[thing][0]
    return thing_evidence(scene, thing, standpoint, min(1.0, room.confidence))


def _where(context: Context, scene: Scene) -> Answer:
    """Where a room is: its middle, or the thing it is named for."""
    place = context.question.place
    rooms = rooms_named(context, scene, place)
    if not rooms:
        return Answer(f"I know no {place.called}.", context.question.kind, abstained=True)
    room = rooms[0]
    item = _shown(context, scene, room)
    wanted = narrow_name((place.called or "").split()) or ()
    for thing in room.things.tolist():
        if any(of_kind(scene, name)[thing] for name in wanted):
            found = views(scene, thing, in_time(context, scene))
            if len(found):
                item = thing_evidence(scene, thing, int(found[-1]), 1.0)
                return make(context, f"The {place.called} is at {wording.position(item.position or room.centre)}.", [item])  # fmt: skip
    text = f"The {place.called} is around {wording.position(room.centre)}."
    return make(context, text, [item], position=room.centre)


def _count_visits(context: Context) -> Answer:
    """How many times the robot was in the house, or on how many days."""
    found = visits_of(context.memory)
    if not found:
        return Answer("I have no memory of any visit.", "rooms", abstained=True)
    if "day" in context.question.text.lower():
        days = {from_ns(visit.start_ns, context.where).date() for visit in found}
        text, count, unit = f"On {len(days)} day{'s' if len(days) != 1 else ''}.", len(days), "days"
        unit = "visits"
    else:
        count, unit = len(found), "visits"
        text = f"{count} time{'s' if count != 1 else ''}."
    return Answer(text, "rooms", value=float(count), unit=unit, stamp_ns=found[-1].start_ns)
