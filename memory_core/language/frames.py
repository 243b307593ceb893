"""Intents: what a whole question wants, and the question that its names then make.

An intent is a way of asking without its names, such as "two_hop_where". Its frame says of which
kind the question is and which part each name plays.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from memory_core.language.asked import Kind, PlacePhrase, Question
from memory_core.language.lexicon import singular, words_of
from memory_core.language.rooms import room_named
from memory_core.language.times import TimePhrase

Role = Literal["thing", "other", "near", "farthest", "on", "upon", "beside"]


@dataclass(frozen=True, slots=True)
class Frame:
    """What questions of one intent have in common.

    Attributes:
        kind: Of the question.
        aspect: Of the question.
        roles: The part each named thing plays, in the order they are named.
        room: Whether a room is named.
        order: `first` or `last` where one occasion is meant.
        robot: Whether it is about the robot.
    """

    kind: Kind
    aspect: str = ""
    roles: tuple[Role, ...] = ()
    room: bool = False
    order: str | None = None
    robot: bool = False


FRAMES: dict[str, Frame] = {
    "where": Frame("where", "", ("thing",)),
    "which_room": Frame("where", "room", ("thing",)),
    "where_in_room": Frame("where", "", ("thing",), room=True),
    "two_hop_where": Frame("where", "", ("thing", "beside")),
    "two_hop_on": Frame("what", "", ("on", "beside")),
    "two_hop_beside": Frame("what", "neighbour", ("upon",)),
    "two_hop_else": Frame("what", "else", ("beside",)),
    "nearest": Frame("where", "nearest", ("thing", "near"), room=True),
    "farthest": Frame("where", "farthest", ("thing", "farthest"), room=True),
    "what_on": Frame("what", "", ("on",), room=True),
    "on_furniture": Frame("what", "", ("on",)),
    "on_what": Frame("what", "support", ("thing",)),
    "next_to": Frame("what", "neighbour", ("near",)),
    "in_room": Frame("ever", "", ("thing",), room=True),
    "order_which_first": Frame("which_first", "", ("thing", "other")),
    "order_before": Frame("which_first", "before", ("thing", "other")),
    "order_after_yes": Frame("which_first", "after", ("thing", "other")),
    "order_next": Frame("order", "after", ("thing",)),
    "order_previous": Frame("order", "before", ("thing",)),
    "order_room_next": Frame("order", "next room", room=True),
    "order_rooms": Frame("rooms", "order"),
    "order_first_room": Frame("rooms", "first"),
    "moved": Frame("changed", "whether moved", ("thing",)),
    "moved_from": Frame("where", "moved from", ("thing",)),
    "moved_to": Frame("where", "moved to", ("thing",)),
    "moved_when": Frame("when", "moved", ("thing",)),
    "moved_things": Frame("changed", "moved"),
    "new_things": Frame("changed", "new"),
    "gone_things": Frame("changed", "gone"),
    "room_changed": Frame("changed", room=True),
    "still_there": Frame("ever", "still", ("thing",)),
    "last_seen": Frame("when", "", ("thing",), order="last"),
    "first_seen": Frame("when", "", ("thing",), order="first"),
    "stayed": Frame("how_long", room=True, robot=True),
    "between": Frame("how_long", "between", ("thing", "other")),
    "count_visits": Frame("rooms", "visits"),
    "count_rooms": Frame("rooms", "count"),
    "list_rooms": Frame("describe", "rooms"),
    "count_things": Frame("how_many", "", ("thing",), room=True),
    "how_many": Frame("how_many", "", ("thing",)),
    "describe_room": Frame("describe", room=True),
    "describe_all": Frame("describe"),
    "implicit": Frame("need"),
    "absent_part": Frame("property"),
}
"""Intents by name, the main thing named first."""
OTHER = "other"
"""Whatever is asked in none of these ways."""
SWAPPED = "~"
"""Ends the name of an intent whose two things are named the other way round."""


def intent_of(question: Question) -> str | None:
    """The intent a question already has; None where it is none of `FRAMES`."""
    if question.kind == "property":
        return "absent_part"
    place = question.place
    kind = "where" if question.kind == "find" else question.kind
    aspect = {"room moved to": "moved to", "gone": "still"}.get(question.aspect, question.aspect)
    if kind == "changed":
        aspect = question.aspect
    for name, frame in FRAMES.items():
        if (kind, aspect, question.robot) != (frame.kind, frame.aspect, frame.robot):
            continue
        count = sum(role in ("thing", "other") for role in frame.roles)
        fits = len(question.things) == count and frame.room == (place.called is not None)
        fits &= (place.beside is not None) == ("beside" in frame.roles)
        fits &= (place.upon is not None) == ("upon" in frame.roles)
        landmark = bool({"near", "farthest", "on"} & set(frame.roles))
        fits &= bool(place.thing) == landmark
        if kind == "when" and not aspect:
            fits &= (question.time.order or "last") == frame.order
        if kind == "need" or fits:
            return name
    if kind == "what" and not aspect and place.called and not place.thing and not place.beside:
        return "describe_room"
    return None


def framed(
    question: Question, intent: str, things: tuple[str, ...], rooms: tuple[str, ...]
) -> Question | None:
    """A question read anew as one of an intent.

    Args:
        question: As it was understood; its times are kept.
        intent: A name in `FRAMES`, perhaps with `SWAPPED` behind it.
        things: The things it names, in order.
        rooms: The rooms it names.

    Returns:
        None where the names do not fill the frame, or are too many for it.
    """
    frame = FRAMES[intent.rstrip(SWAPPED)]
    if frame.kind == "property":
        return replace(question, kind="property", aspect="", things=things[-1:], sure=True)
    if len(things) != len(frame.roles) or bool(rooms) != frame.room:
        return None
    if intent.endswith(SWAPPED):
        things = things[::-1]
    place = _placed(frame, dict(zip(frame.roles, things, strict=True)), rooms)
    asked = tuple(
        _one(name) if frame.aspect in ("nearest", "farthest") else name
        for name, role in zip(things, frame.roles, strict=True)
        if role in ("thing", "other")
    )
    time = TimePhrase(question.time.span, question.time.words, frame.order, question.time.moment_ns)
    return replace(
        question, kind=frame.kind, aspect=frame.aspect, things=asked, place=place, time=time,
        robot=frame.robot, quantity="", sure=True,
    )  # fmt: skip


def _one(name: str) -> str:
    *rest, head = name.split(" ")
    return " ".join([*rest, singular(head)])


def _placed(frame: Frame, named: dict[Role, str], rooms: tuple[str, ...]) -> PlacePhrase:
    place, words = PlacePhrase(), list[str]()
    said = {"near": "nearest to" if frame.aspect == "nearest" else "near",
            "farthest": "farthest from", "on": "on"}  # fmt: skip
    for role in ("near", "farthest", "on"):
        if role in named:
            place = replace(place, thing=named[role], relation=role)
            words.append(f"{said[role]} the {named[role]}")
    if "upon" in named:
        place = replace(place, thing="", upon=named["upon"])
        words.append(f"next to what is on the {named['upon']}")
    if rooms:
        kind = room_named(words_of(rooms[0]))
        relation = place.relation if place.thing is not None else "in"
        place = replace(place, room=kind, called=rooms[0], relation=relation)
        words.append(f"in the {rooms[0]}")
    if "beside" in named:
        place = replace(place, beside=named["beside"])
        words.append(f"in the room with the {named['beside']}")
    return replace(place, words=" ".join(words))
