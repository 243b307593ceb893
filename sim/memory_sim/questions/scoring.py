"""Whether an answer is right, by its values where it has them and by the names it tells.

- place: within 1 m of a right position, and nearer to it than to a namesake's.
- one of: the first name told is a right one, or at least half of the names told are; names that
  are merely allowed do not count.
- exactly: every required name is told, and none that is neither required nor allowed.
- most of: at least 60 % of the required names (or as many fitting ones as are enough), and at
  least three in four of those told fit.
- order: the names come in the right order, beginning with the first; others come after them.
- yes or no: the answer's first word where that is yes or no, else what it says of the thing.
- number: the answer's value, durations in seconds.
- moment: the answer's stamp, or how long before now its value puts it.
- refusal: the answer abstains.

Where rooms are asked for, only rooms count; where things are, only things. A question's own names do not count as told, nor, where a name too many is looked for, names that
only say where something is ("a vase on the desk").
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable

from memory_core.types import Answer
from memory_sim.questions.generator import Question
from memory_sim.questions.household import NS
from memory_sim.questions.truth import Expected
from memory_sim.questions.wordings import plural

RIGHT_M = 1.0
MOST = 0.6
FITTING = 0.75
UNITS_S = {
    "s": 1.0, "second": 1.0, "seconds": 1.0, "min": 60.0, "minute": 60.0, "minutes": 60.0,
    "h": 3_600.0, "hour": 3_600.0, "hours": 3_600.0, "d": 86_400.0, "day": 86_400.0, "days": 86_400.0,
}  # fmt: skip
_CONTEXT = re.compile(
    r"\b(?:from|to|on|onto|under|underneath|in|into|at|by|near|beside|behind|of|with|next to|close to|left of|"
    r"right of|top of|front of) (?:(?:the|a|an|its|another) )?$"
)
_NOT_MOVED = re.compile(
    r"\b(?:not|never|n't)\b[^.;]*\b(?:move|moved|changed)\b|n't (?:been )?moved?\b|\bstill\b|\bsame place\b"
    r"|\bno (?:sign|memory|record) of [^.;]*\bmov"
)
_MOVED = re.compile(r"\bmoved\b|\bnow\b|\bwas at\b|\belsewhere\b|\bdifferent place\b")
_GONE = re.compile(
    r"\bgone\b|\bno longer\b|\bmissing\b|\bnot there\b|\bdisappeared\b|\btaken away\b|\bremoved\b"
    r"|\bnot (?:been )?(?:seen|found) (?:again|since)\b"
)
_YES_NO = re.compile(r"\s*(yes|no)\b", re.IGNORECASE)


ROOM_WORDS = {
    "lounge": "living room",
    "sitting room": "living room",
    "family room": "living room",
    "study": "office",
    "corridor": "hallway",
    "hall": "hallway",
}
"""Other words for rooms, as good as theirs."""
OTHER_ROOMS = (
    "closet", "pantry", "utility room", "storage room", "guest room", "playroom", "lobby", "attic",
    "basement", "cellar", "balcony", "terrace", "porch", "workshop", "classroom", "meeting room",
)  # fmt: skip
"""Rooms that no house has; an answer that names one has invented it."""


class Vocabulary:
    """The names of things and rooms, found in texts; longer ones win.

    Attributes:
        rooms: Names of rooms, those that no house has among them.
        forms: The name that each form of it stands for.
        pattern: Finds any form.
    """

    def __init__(self, labels: Iterable[str], rooms: Iterable[str]) -> None:
        """Prepare to find names.

        Args:
            labels: Of things.
            rooms: Kinds of rooms.
        """
        self.rooms = frozenset((*rooms, *OTHER_ROOMS))
        names = self.rooms.union(labels)
        self.forms = {form: name for name in names for form in (name, plural(name))} | ROOM_WORDS
        longest = sorted(self.forms, key=lambda form: (-len(form), form))
        self.pattern = re.compile(rf"\b({'|'.join(map(re.escape, longest))})\b")


def right(answer: Answer, question: Question, *, vocabulary: Vocabulary) -> bool:
    """Whether an answer is right.

    Args:
        answer: The memory's.
        question: With its truth.
        vocabulary: What an answer could name.
    """
    expected = question.fact.expected
    if expected.check == "refusal":
        return refused(answer, question)
    if expected.check == "yes or no":
        return _says_yes(answer, question) is expected.truth
    if answer.abstained:
        return False
    if expected.check == "place":
        return _at(answer, expected)
    if expected.check == "number":
        return _number(answer, expected)
    if expected.check == "moment":
        return _moment(answer, expected, question.now_ns)
    told = Told(answer.answer, question, vocabulary)
    if expected.check == "order":
        return _in_order(told, expected)
    plain, names = set(told.plain), set(told.names)
    if expected.check == "one of":
        return _one_of(told, expected)
    fitting = expected.required | expected.allowed
    if expected.check == "exactly":
        return expected.required <= names and plain <= fitting
    hits, foreign = len(expected.required & names), len(plain - fitting)
    enough = bool(expected.enough) and len(names & fitting) >= expected.enough
    most = enough or hits >= MOST * len(expected.required)
    return most and foreign <= (1 - FITTING) * (len(names & fitting) + foreign)


def refused(answer: Answer, question: Question) -> bool:
    """Whether a question was refused, or its false presupposition denied."""
    return answer.abstained or (
        question.fact.expected.or_unmoved and bool(_NOT_MOVED.search(answer.answer.lower()))
    )


def _says_yes(answer: Answer, question: Question) -> bool | None:
    """What an answer says of what the kind asks; None where it says nothing.

    Of a thing in a room, a refusal says no, and so does another place.
    """
    said = _YES_NO.match(answer.answer)
    text, about = answer.answer.lower(), question.fact.expected.about
    if said:
        return (said[1].lower() == "yes") is not question.reversed
    if question.kind == "in_room":
        return not answer.abstained and _at(answer, question.fact.expected)
    if answer.abstained:
        return None
    if about == "moved":
        if _NOT_MOVED.search(text):
            return False
        return True if _MOVED.search(text) else None
    if about == "there":
        return not _GONE.search(text)
    if question.kind.startswith("order"):
        first, second = question.fact.slots["first"], question.fact.slots["second"]
        places = [(text.find(label), label) for label in (first, second) if label in text]
        earlier = bool(places) and min(places)[1] == first
        return earlier is (question.kind == "order_before") if places else None
    return None


def _at(answer: Answer, expected: Expected) -> bool:
    if answer.position is None or not expected.places:
        return False
    near = min(math.dist(answer.position, at) for at in expected.places)
    other = min((math.dist(answer.position, at) for at in expected.others), default=math.inf)
    return near <= RIGHT_M and near <= other


def _number(answer: Answer, expected: Expected) -> bool:
    if answer.value is None or expected.number is None:
        return False
    value = answer.value * UNITS_S.get(answer.unit or "", 1.0)
    if "hallway" in expected.allowed and value == expected.number + 1:
        return True
    return abs(value - expected.number) <= expected.tolerance + 1e-9


def _moment(answer: Answer, expected: Expected, now_ns: int) -> bool:
    stamps = [] if answer.stamp_ns is None else [answer.stamp_ns]
    if answer.value is not None and answer.unit in UNITS_S:
        stamps.append(now_ns - round(answer.value * UNITS_S[answer.unit] * NS))
    return any(expected.low_ns <= stamp <= expected.high_ns for stamp in stamps)


def _one_of(told: Told, expected: Expected) -> bool:
    plain = [name for name in told.plain if name not in expected.allowed]
    ranked = plain or [name for name in told.names if name not in expected.allowed]
    fit = [name in expected.required for name in ranked]
    return bool(fit) and (fit[0] or 2 * sum(fit) >= len(fit))


def _in_order(told: Told, expected: Expected) -> bool:
    if expected.allowed or len(expected.order) == 1:
        known = expected.allowed | set(expected.order)
        names = [n for n in told.every if n in known] if expected.allowed else told.names
        return bool(names) and names[0] == expected.order[0]
    route = [name for name in told.names if name in expected.order]
    return tuple(dict.fromkeys(route)) == expected.order


class Told:
    """The names in an answer, in order, each once.

    Attributes:
        every: All of them.
        names: Without the question's own.
        plain: Of `names`, those that do not merely say where something is.
    """

    def __init__(self, text: str, question: Question, vocabulary: Vocabulary) -> None:
        """Read an answer."""
        expected, lowered = question.fact.expected, text.lower()
        wanted = expected.required | set(expected.order)
        asked = {
            vocabulary.forms[hit[1]] for hit in vocabulary.pattern.finditer(question.text.lower())
        }
        hits = [
            (hit.start(), vocabulary.forms[hit[1]]) for hit in vocabulary.pattern.finditer(lowered)
        ]
        if not expected.enough:
            about_rooms = wanted <= vocabulary.rooms
            hits = [hit for hit in hits if (hit[1] in vocabulary.rooms) is about_rooms]
        mine = [(start, name) for start, name in hits if name not in asked]
        self.every = tuple(dict.fromkeys(name for _, name in hits))
        self.names = tuple(dict.fromkeys(name for _, name in mine))
        plain = [name for start, name in mine if not _CONTEXT.search(lowered[:start])]
        self.plain = tuple(dict.fromkeys(plain))
