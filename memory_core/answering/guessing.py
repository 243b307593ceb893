"""What a question wants, weighed by meaning: rules first, overruled where they surely erred."""

from __future__ import annotations

import inspect
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from memory_core.language.frames import FRAMES, OTHER, SWAPPED, framed, intent_of
from memory_core.language.likeness import fit, learned, likely, plainly, save
from memory_core.language.questions import Question
from memory_core.perception.text import SentenceEncoder, TextEncoder
from memory_core.types import FloatArray

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
    {
        ("need", "describe"),
        ("need", "where"),
        ("need", "ever"),
        ("where", "when"),
        ("how_long", "when"),
        ("when", "where"),
    }
)
"""Kinds of which the rules' one stands: the question word itself tells them apart."""
_BY_ORDER = frozenset({"on_what", "on_furniture", "what_on"})
"""Intents that the order of words tells apart, which rules read and meaning does not."""
_PEOPLE = re.compile(r"\bsee (?:any )?SOMEBODY\b")
_NEED = re.compile(
    r"\b(?:some(?:thing|where|place|body|one)|any(?:thing|where)|(?:a|an|some|any|the) [a-z -]+?"
    r"(?= (?:to|where|that|which|for|with|so|on which|in which|i|we|one)\b)).*$"
)


_NO_NAME = re.compile(
    r"\b(?:the|a|an|your|you|i|did|do|does|is|are|was|were|which|what|where|when|how|me|it|that|has|have|had|there|to)\b"
)
"""Words that no name has: what holds one was not read as it was meant."""


def by_meaning(
    question: Question, encoder: TextEncoder | None, *, along: Sequence[str] = ()
) -> Question:
    """A question as its wording as a whole is most likely meant.

    The rules know exactly what they know; a wording they were not made for may fit one by
    accident. So what they understood stands unless another intent is far likelier.

    Args:
        question: As the rules understood it.
        encoder: The encoder that the chances were learned with; any other, or None, leaves the
            question as it is.
        along: What will be encoded next: two sentences at once cost little more than one.
    """
    if encoder is None or encoder.space.model != learned().model or not question.rest:
        return question

    def encode(sentences: Sequence[str]) -> FloatArray:
        return encoder.encode([*sentences, *along])[: len(sentences)]

    misread = any(_NO_NAME.search(name) for name in question.names)
    sure = question.sure and not misread
    known = intent_of(question) if sure else None
    if known is not None and plainly(question.rest, known):
        return question
    parts, chances = likely(question.rest, encode, strict=misread)
    if _PEOPLE.search(parts.text):
        return question
    timed = question.time.span is not None or (question.visit and not question.visit.since)
    best = next((name for name in chances if not (timed and name in _TIMELESS)), OTHER)
    needed = GUESS if not sure else OVERRULE if known else FOREIGN
    if best == OTHER or best.rstrip(SWAPPED) == known or chances[best] < needed:
        return question
    if (question.kind, FRAMES[best.rstrip(SWAPPED)].kind) in _OF_ONE_MIND:
        return question
    if {known, best} <= _BY_ORDER:
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


def _refit() -> None:
    """Learn the weights anew from `language/examples.json` and write them over the old ones."""
    encoder = SentenceEncoder()
    weights = fit(encoder.encode, model=encoder.space.model)
    save(weights, Path(inspect.getfile(fit)).with_name("intents.npz"))


if __name__ == "__main__":
    _refit()
