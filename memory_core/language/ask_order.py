"""Questions of order: which first, what next, which room then, how much time between."""

from __future__ import annotations

import re
from dataclasses import replace

from memory_core.language.asked import PlacePhrase, Question
from memory_core.language.reading import WHICH, YESNO, Asked


def _either(asked: Asked) -> tuple[str, ...]:
    """Things and rooms in the order they are named."""
    return tuple(dict.fromkeys(re.findall(r"[TR]\d", asked.left)))


def between(asked: Asked) -> Question | None:
    """How much time lay between two things, or rooms."""
    named = _either(asked)
    lasting = r"\bhow (?:long|many MOMENT|much (?:MOMENT|later|earlier))\b|\bMOMENT (?:[a-z]+ )*(?:between|from)\b|\b(?:passed|elapsed?|went by|lies|gap|interval|go near|pass)\b"
    timed = len(named) == 2 and asked.has(lasting) and not asked.has(r"\bin R\d$")
    if timed and asked.has(r"\b(?:between|until|after|before|from|to|pass\w*|then|and|when)\b"):
        plain = replace(asked, place=PlacePhrase())
        return plain.question("how_long", named, aspect="between")
    return None


_EARLY = r"\b(?:first|earlier|earliest|before|sooner|initially|begin)\b"


def which_first(asked: Asked) -> Question | None:
    """Which of two came first."""
    named = _either(asked)
    if len(named) != 2:
        return None
    plain = replace(asked, place=PlacePhrase())
    late = asked.has(r"\b(?:last|later|latest|second|latter|after)\b") and not asked.has(_EARLY)
    choice = asked.has(rf"{named[0]} (?:, )?or (?:be it |do you see )?{named[1]}")
    if choice and asked.has(_EARLY):
        return plain.question("which_first", named)
    if choice and late:
        return plain.question("which_first", named, aspect="last")
    pair = asked.has(
        rf"{named[0]} (?:, )?(?:and|or|versus|vs) {named[1]}|{named[0]} .*\bthan {named[1]}"
    )
    asks = asked.has(rf"\b{WHICH}\b|^(?:of|between) ") and not asked.has(r"\bwhere\b|\bROOM\b")
    if pair and asks and (asked.has(_EARLY) or late):
        return plain.question("which_first", named, aspect="last" if late else "")
    return None


def before_or_after(asked: Asked) -> Question | None:
    """Whether one thing was seen before, or after, another."""
    named = _either(asked)
    if (
        len(named) != 2
        or asked.has(r"\b(?:where|ROOM|how)\b")
        or asked.has(rf"\b{WHICH}\b(?! you)")
    ):
        return None
    link = re.search(r"\b(before|after|when|until|than|till|as soon as|then|while)\b", asked.left)
    if link is None:
        return None
    follows = next((n for n in re.findall(r"[TR]\d", asked.left[link.end() :])), None)
    if follows is None:
        return None
    subject = next(n for n in named if n != follows)
    late = link[1] == "after" or (link[1] == "than" and asked.has(r"\blater than\b"))
    if link[1] == "then":  # "did you see the mug and then the lamp"
        subject, follows = named
    if link[1] in ("when", "while", "as soon as") and not asked.has(
        r"\b(?:already|before|yet|earlier|first|still|not)\b"
    ):
        return None
    plain = replace(asked, place=PlacePhrase())
    return plain.question("which_first", (subject, follows), aspect="after" if late else "before")


_AFTER = r"\b(?:after|next|then|afterwards|thereafter|subsequently)\b"
_BEFORE = r"\b(?:before|previous|preceding|beforehand|previously|prior)\b"


def next_thing(asked: Asked) -> Question | None:
    """What was seen right after, or right before, a thing."""
    if (
        len(asked.names) != 1
        or asked.has(r"\b(?:where|when|ROOM|how|change|move|vanish)\b")
        or asked.place.named
    ):
        return None
    if YESNO.search(asked.left) or not asked.has(r"\b(?:what|which|THING|show)\b"):
        return None
    for side, pattern in (("after", _AFTER), ("before", _BEFORE)):
        if asked.has(pattern) and not asked.has(r"\bbefore it\b.*\bmove"):
            return asked.question("order", asked.names, aspect=side)
    return None


def next_room(asked: Asked) -> Question | None:
    """Which room came right after, or right before, a room."""
    if asked.room is None or asked.names or YESNO.search(asked.left):
        return None
    if not asked.has(r"\b(?:which|what|where|ROOM|VISIT|show)\b") or (
        asked.has(r"\b(?:how|change|move|vanish|appear|when)\b(?! you)")
        and not asked.has(r"\bwhen you leave\b")
    ):
        return None
    goes = asked.has(r"\b(?:go|put you|VISIT|ROOM|leave|be you|next|turn|see next|lead|bring)\b")
    if (
        asked.has(
            rf"{_AFTER}|\bleave\b|\b(?:done|finished|through|out of|straight from|from) (?:with |in |of )?R\d|^from R\d"
        )
        and goes
        and not asked.has(r"\bbefore\b")
    ):
        return asked.question("order", aspect="next room")
    if asked.has(_BEFORE) and goes:
        return asked.question("order", aspect="previous room")
    if asked.has(r"\bVISIT\b") and asked.has(r"\bafter\b"):
        return asked.question("order", aspect="next room")
    return None


def rooms(asked: Asked) -> Question | None:
    """How many rooms, which, and in what order."""
    if asked.names or asked.place.beside or asked.room is not None:
        return None
    rooms = asked.has(r"\bROOM\b") or asked.has(r"\bROOM\b|\bhow many R\d")
    ordered = asked.has(
        r"\bORDER\b|\b(?:one|ONE) (?:after|near) (?:another|ONE|other ONE|other)\b|\bafter (?:another|each other)\b|\bin (?:turn|succession|which order)\b|\bsecond\b.*\b(?:so on|third)\b|\bso on\b|\bsuccessively\b|\bchronolog\w*\b|\bthen\b|\bfrom (?:first|begin) to last\b|\bfirst to last\b"
    )
    if (
        ordered
        and (
            rooms
            or asked.has(
                r"\b(?:through|HOUSE|VISIT|you (?:go|put|follow|drive)|do you (?:go|put))\b"
            )
        )
        and not asked.has(r"\bTHING\b")
    ):
        return asked.question("rooms", aspect="order")
    if (
        asked.has(r"\b(?:go|move|do you go|VISIT)\b.*\b(?:through|round|around) HOUSE\b")
        and asked.has(r"^(?:how|describe|show|what) ")
        and not asked.has(r"\b(?:long|often|many)\b")
    ):
        return asked.question("rooms", aspect="order")
    if not rooms:
        return None
    if asked.has(
        r"\bhow many ROOM\b|\b(?:count|NUMBER)(?: [a-z]+)* ROOM\b|\bNUMBER of (?:[a-z]+ )*ROOM\b|\bhow (?:big|large)\b|\bhow many (?:[a-z]+ )?ROOM\b|\bROOM (?:in )?(?:NUMBER|count)\b|\bhow many be ROOM\b"
    ):
        return asked.question("rooms", aspect="count")
    if asked.has(r"\b(?:first|begin|beginning|initially)\b"):
        return asked.question("rooms", aspect="first")
    if asked.has(r"\b(?:last|final|finally|end|SIDE|finish|finished|ended)\b"):
        return asked.question("rooms", aspect="last")
    if asked.has(r"\b(?:be|am) you\b(?! (?:see|go|in))|\byou be\b"):
        return None
    if asked.has(r"\b(?:change|move|vanish|appear|where)\b"):
        return None
    if asked.has(r"\bROOM (?:be|do) you(?: in)?$"):
        return None
    return asked.question("describe", aspect="rooms")
