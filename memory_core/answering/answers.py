"""From an understood question to an answer: one function a kind, evidence in, `Answer` out.

Each says only what the evidence shows, and abstains where there is none. Positions are in the
map; where the robot was not localised when it saw a thing, or is not now, the answer says so.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from memory_core.answering import captions
from memory_core.answering.changes import answer_changed, answer_moved
from memory_core.answering.grounding import Context, of_kind, rooms_named
from memory_core.answering.lists import describe, how_many, what
from memory_core.answering.needs import answer_need
from memory_core.answering.order import order, which_first
from memory_core.answering.parts import make
from memory_core.answering.places import about_rooms
from memory_core.answering.robot import body, how_far, how_long, where_robot
from memory_core.answering.rooms import rooms_of
from memory_core.answering.things import ever, when, where
from memory_core.answering.visits import in_visit
from memory_core.language.lexicon import words_of
from memory_core.language.questions import Question
from memory_core.language.rooms import NAMES, room_named
from memory_core.types import Answer

NO_WORDS = (
    "This memory holds no words: nothing in it was captioned or detected. Give it words with a "
    "detector's topic, a captioner, or `robot-memory ingest RECORDING --sidecar FILE`, and ask again."
)

NOT_LOCALISED_THEN = (
    "(The robot was not localised then: positions are relative to where its odometry began.)"
)
NOT_LOCALISED_NOW = (
    "(The robot is not localised now: it does not know where on the map it is, or how far that is "
    "from here.)"
)


def answer(context: Context) -> Answer:
    """Answer a question from its context."""
    question = context.question
    if _needs_words(question) and not _has_words(context):
        return Answer(NO_WORDS, question.kind, abstained=True)
    placed = in_visit(question, context.memory)
    if placed is None:
        return Answer("I have no memory of that time.", question.kind, abstained=True)
    context = replace(context, question=_room_before_thing(context, placed))
    unknown = _unknown_room(context)
    if unknown is not None:
        return unknown
    result = _of_aspect(context.question)(context)
    best = result.evidence[0] if result.evidence else None
    if best is None or result.position is None:
        return result
    if not best.localised:
        return replace(
            result, answer=f"{result.answer} {NOT_LOCALISED_THEN}", frame=best.observation.anchor_id
        )
    lost_ns = context.memory.lost_ns(best.observation.robot)
    if lost_ns is not None and lost_ns >= best.observation.stamp_ns:
        return replace(result, answer=f"{result.answer} {NOT_LOCALISED_NOW}")
    return result


def _room_before_thing(context: Context, question: Question) -> Question:
    """A question in which "the kitchen vase" is the vase in the kitchen, unless labels say so."""
    scene, place = context.scene, question.place
    if scene is None or place.room is not None or place.called is not None:
        return question
    names = [*question.things, *([place.thing] if place.thing else [])]
    for name in names:
        for room, thing in _parted(name):
            if of_kind(scene, name).any() or not of_kind(scene, thing).any():
                continue
            there = replace(
                place, room=room_named(words_of(room)), called=room,
                thing=thing if place.thing == name else place.thing,
                words=place.words.replace(name, thing) if place.words else f"in the {room}",
            )  # fmt: skip
            things = tuple(thing if known == name else known for known in question.things)
            return replace(question, things=things, place=there)
    return question


def _parted(name: str) -> list[tuple[str, str]]:
    """Ways to read a name as a room and a thing: "living room sofa" as (living room, sofa)."""
    words = name.split()
    cuts = range(1, min(len(words), 3))
    parted = [(" ".join(words[:cut]), " ".join(words[cut:])) for cut in cuts]
    return [(room, thing) for room, thing in parted if _is_room(room)]


def _is_room(name: str) -> bool:
    kind = room_named(words_of(name))
    return kind is not None and NAMES[kind] == name


def _unknown_room(context: Context) -> Answer | None:
    """A refusal where a room is named that there is none of, as far as one knows."""
    scene, place = context.scene, context.question.place
    if place.called is None or scene is None or not rooms_of(scene, context.encode):
        return None
    if rooms_named(context, scene, place):
        return None
    return Answer(
        f"I know no {place.called} here, so I have no memory of it.", context.question.kind,
        abstained=True,
    )  # fmt: skip


def _needs_words(question: Question) -> bool:
    if question.kind in ("body", "where_robot") or question.aspect == "visits":
        return False
    return not question.robot or question.place.named


def _has_words(context: Context) -> bool:
    if context.scene is not None:
        return True
    return context.memory.holds_words()


def _property(context: Context) -> Answer:
    """What is seen by nobody is answered from words that were given, or not at all."""
    about = " ".join(context.question.things)
    told = captions.supported(context, context.question.text) if about else []
    if told:
        return make(context, f"I remember: {captions.told(told[0])}", told)
    return Answer(
        "That is nothing I could have seen; nobody told me either.",
        context.question.kind, abstained=True,
    )  # fmt: skip


def _of_aspect(question: Question) -> Callable[[Context], Answer]:
    if question.aspect in ("moved from", "moved to", "room moved to") or (
        question.kind == "when" and question.aspect == "moved"
    ):
        return answer_moved
    if question.kind == "describe" and question.aspect == "rooms":
        return about_rooms
    return _KINDS[question.kind]


_KINDS: dict[str, Callable[[Context], Answer]] = {
    "where": where,
    "find": where,
    "what": what,
    "when": when,
    "how_long": how_long,
    "how_many": how_many,
    "how_far": how_far,
    "which_first": which_first,
    "ever": ever,
    "changed": answer_changed,
    "describe": describe,
    "body": body,
    "where_robot": where_robot,
    "order": order,
    "rooms": about_rooms,
    "need": answer_need,
    "property": _property,
}
