"""What a question wants, weighed by meaning: rules first, overruled where they surely erred."""

from __future__ import annotations

import re
from dataclasses import replace

from memory_core.language.frames import FRAMES, OTHER, SWAPPED, framed, intent_of
from memory_core.language.likeness import learned, likely
from memory_core.language.questions import Question
from memory_core.perception.text import TextEncoder

GUESS = 0.3
"""Chance from which an intent replaces a mere guess."""
OVERRULE = 0.6
"""Chance from which an intent replaces what the rules understood."""
FOREIGN = 0.9
"""Chance from which it replaces a reading that is no intent at all ("how far", "battery")."""
_TIMELESS = frozenset(
    "moved moved_from moved_to moved_when still_there last_seen first_seen".split()
)
"""Intents that name no stretch of time themselves."""
_OF_ONE_MIND = frozenset(
    {("need", "describe"), ("where", "when"), ("how_long", "when"), ("when", "where")}
)
"""Kinds of which the rules' one stands: the question word itself tells them apart."""
_PEOPLE = re.compile(r"\bsee (?:any )?SOMEBODY\b")
_NEED = re.compile(
    r"\b(?:some(?:thing|where|place)|any(?:thing|where)|(?:a|an|some|any|the) [a-z]+).*$"
)


def by_meaning(question: Question, encoder: TextEncoder | None) -> Question:
    """A question as its wording as a whole is most likely meant.

    The rules know exactly what they know; a wording they were not made for may fit one by
    accident. So what they understood stands unless another intent is far likelier.

    Args:
        question: As the rules understood it.
        encoder: The encoder that the chances were learned with; any other, or None, leaves the
            question as it is.
    """
    if encoder is None or encoder.space.model != learned().model or not question.rest:
        return question
    parts, chances = likely(question.rest, encoder.encode)
    if _PEOPLE.search(parts.text):
        return question
    timed = question.time.span is not None or (question.visit and not question.visit.since)
    best = next((name for name in chances if not (timed and name in _TIMELESS)), OTHER)
    known = intent_of(question) if question.sure else None
    needed = GUESS if not question.sure else OVERRULE if known else FOREIGN
    if best == OTHER or best.rstrip(SWAPPED) == known or chances[best] < needed:
        return question
    if (question.kind, FRAMES[best.rstrip(SWAPPED)].kind) in _OF_ONE_MIND:
        return question
    told = question.kind == "what" and question.rest.startswith("who") and not question.place.named
    if told and FRAMES[best.rstrip(SWAPPED)].kind == "property":
        return question  # a caption may say who does something
    if FRAMES[best.rstrip(SWAPPED)].kind == "need":
        need = _NEED.search(question.rest)
        return question if need is None else replace(
            question, kind="need", aspect="", things=(need[0],), present=True, sure=True
        )  # fmt: skip
    things = tuple(thing.text for thing in parts.things)
    read = framed(question, best, things, tuple(room.text for room in parts.rooms))
    if read is None:
        return question
    floor = question.place.floor
    return read if floor is None else replace(read, place=replace(read.place, floor=floor))
