"""Questions in English to typed questions: kind, things, place and time.

Times and visits are taken out first. What is left is read by its structure (`intents`); where
that says nothing, by the ways people begin a question (`patterns`). A question that neither knows
is taken for a thing to be found, and marked as a guess.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import replace

from memory_core.errors import InvalidQuery
from memory_core.language.asked import Kind, PlacePhrase, Question, everything
from memory_core.language.intents import by_structure
from memory_core.language.patterns import by_pattern, clean_thing, find_phrase, take_place
from memory_core.language.plain import plainly, reworded
from memory_core.language.times import take_span, understand
from memory_core.language.visits import take_visit, without_mention

__all__ = [
    "MAX_QUESTION", "Kind", "PlacePhrase", "Question", "clean_thing", "everything",
    "parse_question", "take_place",
]  # fmt: skip

MAX_QUESTION = 1_000

_DONE = re.compile(
    r"\bhappen|\b(?:someone|somebody|anyone|anybody|people|they) (?:do|done|doing)\b"
)
_MOVED = re.compile(r"\b(?:mov|shift|relocat|displac|taken|took|take|carried|brought|elsewhere)")
_PAST = re.compile(r"\b(?:was|were|did|had|has|have you|seen|saw|been|ever)\b")


def parse_question(text: str, *, now_ns: int, where: dt.tzinfo) -> Question:
    """Understand a question.

    Args:
        text: In English; with or without a question mark.
        now_ns: The moment it is asked.
        where: The time zone it is asked in.

    Raises:
        InvalidQuery: It is empty or too long.
    """
    if not isinstance(text, str) or not text.strip():
        raise InvalidQuery("the question is empty; ask something like 'where is the red mug?'")
    if len(text) > MAX_QUESTION:
        raise InvalidQuery(f"the question has {len(text)} characters; at most {MAX_QUESTION}")
    said = tidy(text)
    asked = reworded(said)
    visit, rest = take_visit(asked)
    span, structure = take_span(rest, now_ns=now_ns, where=where)
    if span.span is not None and visit is None:
        structure = without_mention(structure)
    if visit is not None and visit.since and _DONE.search(structure):
        structure = _DONE.sub("happen", structure) + " since then"
    question = by_structure(structure)
    if question is not None:
        timed = span.span is not None or (visit is not None and not visit.since)
        if timed and question.aspect in ("moved from", "moved to") and not _MOVED.search(structure):
            question = replace(question, aspect="")  # "where had someone put it on Monday"
        time = replace(span, order=question.time.order)
        present = span.span is None and (visit is None or visit.since)
        present = present and (question.present or not _PAST.search(structure))
        return replace(question, text=text, time=time, visit=visit, present=present, rest=structure)
    time, rest = understand(
        rest if visit is not None else text if asked == said else asked, now_ns=now_ns, where=where
    )
    rest = plainly(tidy(rest))
    present = time.span is None and visit is None and time.order is None
    present = present and not _PAST.search(rest)
    question = by_pattern(rest)
    sure = question is not None
    return replace(
        question or find_phrase(rest), text=text, time=time, visit=visit, present=present, sure=sure,
        rest=structure,
    )  # fmt: skip


def tidy(text: str) -> str:
    """A question in lower case, with plain apostrophes and single spaces, without its end mark."""
    return re.sub(r"\s+", " ", text.lower().replace("\u2019", "'")).strip(" ?!.,")
