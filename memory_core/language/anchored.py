"""A question whose thing was read as half a sentence, put anew about the one known thing in it.

"Mummy wants the pink notebook, where is it?" names one thing that a memory knows. Whoever does not
understand the rest of a sentence still hears that, and whether it is about moving.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from dataclasses import replace

from memory_core.language.asked import Question
from memory_core.language.lexicon import kind_words, same_kind, words_of
from memory_core.language.questions import parse_question, tidy
from memory_core.language.rooms import room_word

_DETERMINERS = frozenset("the a an my our your his her their this that these those any".split())
_CLAUSAL = frozenset(
    (
        "is are was were be been am did do does done has have had having can could would will shall "
        "should may might must i you he she it we they me him us them somebody someone anybody "
        "anyone nobody where when what which who whom whose how why whether if because so but "
        "whatever whichever isn't wasn't didn't don't doesn't hasn't haven't can't couldn't won't "
        "it's i'm i've i'd that's there's where's what's tell know please yourself myself"
    ).split()
)
"""Words that no name of a thing has."""
_ENDS = _CLAUSAL | frozenset(
    (
        "and or not in on at to from of for with by under near beside behind off since before after "
        "over about as than then now still again anywhere somewhere elsewhere yesterday today "
        "overnight last gone moved put left kept got ended changed stay stayed remain remained like "
        "just here there go goes get gets end ends land landed hiding this that my your our the a an"
    ).split()
)
"""Words at which a name ends, whatever comes after it."""
_MOVES = re.compile(
    r"\b(?:mov(?:e|ed|ing)|shift\w*|relocat\w*|displac\w*|touch\w*|swap\w*|shuffl\w*|budg\w*|wander\w*|carried|"
    r"rearrang\w*|elsewhere|(?:go|gone|went) (?:any|some)where|(?:some|any)(?:where|place) (?:else|new|different|other)|"
    r"(?:another|different|other|new) (?:place|spot|room)|change\w*)\b"
)
_STAYS = re.compile(
    r"\b(?:same (?:place|spot|room)|(?:stay|stayed|staying) put|remain\w*|untouched|unmoved|"
    r"its (?:usual |old )?(?:place|spot)|where (?:i|we|you|it|they) (?:left|put|was|were|last))\b"
)
_WHERE = re.compile(r"\bwhere(?:abouts)?\b|\b(?:which|what) (?:room|place|spot)\b")
_ROOM = re.compile(r"\b(?:which|what) room\b")
_UPON = re.compile(
    r"\b(?:furniture|(?:which|what) (?:surface|table|shelf|cupboard|cabinet))\b|^(?:.*[,:] )?what(?:'s|'s it| is| has| did| are)?\b"
    r"(?!.* near\b).* (?:on|upon)$"
)
"""Asks for furniture, not for a place."""
_EARLIER = re.compile(r"\b(?:before|used to|earlier|previous\w*|original\w*|until|from)\b")
_LATER = re.compile(r"\b(?:go|gone|went|put|end|ended|land\w*|now|(?<!used )to)\b")
_CHECKS = re.compile(
    r"^(?:is|was|are|were|do|does|did|has|have|can|could)\b|, .*\b(?:right|true|correct|or not)$|\bwhether\b"
)
_WORD = re.compile(r"[a-z0-9'-]+|[,;:.!?]")


def read(
    text: str, labels: Iterable[str], held: Iterable[str], *, now_ns: int, where: dt.tzinfo
) -> Question:
    """Understand a question, put anew where half of it was not understood.

    Args:
        text: In English, names of several words masked as `names.take_names` does.
        labels: What the memory calls things.
        held: The nouns that mask names.
        now_ns: The moment it is asked.
        where: The time zone it is asked in.

    Raises:
        InvalidQuery: It is empty or too long.
    """
    question = parse_question(text, now_ns=now_ns, where=where)
    again = anchored(text, question, labels, held)
    if again is None:
        return question
    anew = parse_question(again, now_ns=now_ns, where=where)
    return replace(anew, text=question.text, time=question.time, visit=question.visit)


def anchored(
    text: str, question: Question, labels: Iterable[str], held: Iterable[str]
) -> str | None:
    """The question put anew; None where it was understood, or names no thing or several.

    Args:
        text: As it was asked, names of several words masked as `names.take_names` does.
        question: As it was read.
        labels: What the memory calls things.
        held: The nouns that mask names.
    """
    said = tidy(text)
    masks = frozenset(held)
    upon = question.kind in ("where", "find") and not question.aspect and _UPON.search(said)
    if not upon and not any(_half_sentence(thing, masks) for thing in question.things):
        return None
    heads = _by_head(labels)
    found = list(dict.fromkeys(n for thing in question.things for n in _known(thing, heads, masks)))
    named = [name for name in found if masks & set(name.split())]
    if len(found) != 1 and len(named) != 1:
        return None
    thing = found[0] if len(found) == 1 else named[0]
    if thing == question.place.thing or re.search(rf"\b(?:which|what) {re.escape(thing)}\b", said):
        return None  # it is the place, or what is asked for
    if _UPON.search(said):
        return f"what is the {thing} on?"
    if _MOVES.search(said) or _STAYS.search(said):
        return _of_moving(said, thing)
    if question.time.span is not None:
        return None
    room = _room(said)
    if room and _CHECKS.search(said) and not _WHERE.search(said):
        return f"is the {thing} in the {room}?"
    return f"which room is the {thing} in?" if _ROOM.search(said) else f"where is the {thing}?"


def _half_sentence(thing: str, masks: frozenset[str]) -> bool:
    """Whether what was read as a thing is more than its name: "red mug gone", "a mug, have you"."""
    words = _WORD.findall(thing)
    if words[-1:] == ["can"]:  # of soda
        words.pop()
    if _CLAUSAL & set(words) or (len(words) > 1 and words[-1] in _ENDS):
        return True
    rest = set(words) - masks
    return bool(masks & set(words)) and any(
        word in _ENDS or word.endswith(("ed", "ing")) for word in rest
    )


def _of_moving(said: str, thing: str) -> str:
    if not _WHERE.search(_STAYS.sub("", said)):
        return f"has the {thing} been moved?"
    if _EARLIER.search(said) and not _LATER.search(said):
        return f"where was the {thing} before it was moved?"
    return f"where was the {thing} moved to?"


def _room(said: str) -> str:
    """The room that is named as one in which something is; "" where there is none."""
    for found in re.finditer(r"\bin (?:the|my|our|your) (?=([a-z']+(?: [a-z']+)?))", said):
        words = found[1].split()
        for count in (2, 1):
            if room_word(words_of(" ".join(words[:count]))):
                return " ".join(words[:count])
    return ""


def _by_head(labels: Iterable[str]) -> dict[str, list[str]]:
    """Labels by the last word of their kind."""
    heads: dict[str, list[str]] = {}
    for label in labels:
        parts = kind_words(label)
        if parts:
            heads.setdefault(parts[-1], []).append(label)
    return heads


def _known(said: str, heads: dict[str, list[str]], masks: frozenset[str]) -> list[str]:
    """Names that a memory knows, each once: masked, or led by a determiner; else the first words."""
    words = _WORD.findall(said)
    found: dict[str, None] = {word: None for word in words if word in masks}
    starts = [at + 1 for at, word in enumerate(words) if word in _DETERMINERS]
    for start in (*starts, 0):
        if start == 0 and found:
            break
        end = start
        while end < len(words) and words[end] not in _ENDS and words[end][0].isalnum():
            end += 1
        name = " ".join(words[start:end])
        last = kind_words(name)[-1:] if name and not masks & set(words[start:end]) else []
        if last and any(same_kind(name, label) for label in heads.get(last[0], ())):
            found[name] = None
    return list(found)
