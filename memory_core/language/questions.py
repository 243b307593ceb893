"""Questions in English to typed questions: kind, things, place and time.

Patterns, not a grammar: each kind of question has the ways people begin it. Times and places are
taken out first, so that what is left names the thing.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass, field, replace
from typing import Literal

from memory_core.errors import InvalidQuery
from memory_core.language.directions import take_floor
from memory_core.language.lexicon import words_of
from memory_core.language.rooms import room_named
from memory_core.language.times import TimePhrase, understand

Kind = Literal[
    "where", "what", "when", "how_long", "how_many", "how_far", "which_first", "ever", "changed",
    "describe", "body", "where_robot", "find",
]  # fmt: skip
MAX_QUESTION = 1_000


@dataclass(frozen=True, slots=True)
class PlacePhrase:
    """A place named in a question.

    Attributes:
        words: As it was said.
        circle: x, y, radius in metres, where coordinates were given.
        room: Kind of room (index into `ROOM_KINDS`).
        floor: 1 for the lowest, …, -1 for the top.
        thing: A thing the place is near, on or in.
        relation: `near`, `on`, `in`, `under`.
    """

    words: str = ""
    circle: tuple[float, float, float] | None = None
    room: int | None = None
    floor: int | None = None
    thing: str | None = None
    relation: str = "near"

    @property
    def named(self) -> bool:
        """Whether any place was named."""
        return any(part is not None for part in (self.circle, self.room, self.floor, self.thing))


@dataclass(frozen=True, slots=True)
class Question:
    """A question, understood.

    Attributes:
        text: As asked.
        kind: What is wanted.
        things: What it is about; two for "which first".
        place: Where.
        time: When.
        robot: Whether it is about the robot itself.
        quantity: For `body`: battery or temperature.
    """

    text: str
    kind: Kind
    things: tuple[str, ...] = ()
    place: PlacePhrase = field(default_factory=PlacePhrase)
    time: TimePhrase = field(default_factory=lambda: TimePhrase(None, ()))
    robot: bool = False
    quantity: str = ""


_SEE = (
    r"(?:see|saw|seen|notice|noticed|spot|spotted|find|found|observe|observed|encounter|"
    r"encountered|hear|heard|pass|passed|come across|came across|meet|met|remember|detect|"
    r"detected|look at|looked at)"
)
_LEAVE = (
    r"(?:leave|left|put|place|placed|keep|kept|lose|lost|store|stored|drop|dropped|park|parked)"
)
_YOU = r"(?:you|i|we|the robot|robot|it|anyone|anybody|someone)"
_BE = r"(?:is|are|was|were|'s|has|have|had)"
_NUMBER = r"([-+]?\d+(?:\.\d+)?)"
_CIRCLE = re.compile(
    rf"\b(?:within|inside|less than)\s+{_NUMBER}\s*(?:m|metres?|meters?)\s+(?:of|from|around)\s+"
    rf"(?:the point\s+)?\(?\s*{_NUMBER}\s*,\s*{_NUMBER}\s*(?:,\s*{_NUMBER}\s*)?\)?"
)
_POINT = re.compile(
    rf"\b(?:at|near|around|close to)\s+(?:the point\s+)?\(\s*{_NUMBER}\s*,\s*{_NUMBER}\s*(?:,\s*{_NUMBER}\s*)?\)"
)
_AROUND_THING = re.compile(
    rf"\b(?:within|less than)\s+{_NUMBER}\s*(?:m|metres?|meters?)\s+(?:of|from)\s+(?:the |a |an )?([a-z][a-z ]*)"
)
_RELATIONS = {
    "near": r"near|close to|next to|beside|by|around|nearby|at|alongside|in front of|behind|"
    r"opposite|across from|adjacent to",
    "on": r"on top of|on|onto|atop|above|over",
    "under": r"under|underneath|below|beneath",
    "in": r"inside|within|into|in",
}
_RELATION_OF = {word: name for name, words in _RELATIONS.items() for word in words.split("|")}
_PLACE = re.compile(
    r"\b(" + "|".join(sorted(_RELATION_OF, key=len, reverse=True)) + r")\s+"
    r"(?:the|a|an|my|your|our|that|this)\s+([a-z][a-z0-9 '-]*?)(?=$|[?.,;!]|\s+(?:and|or|when|that|"
    + "|".join(sorted(_RELATION_OF, key=len, reverse=True))
    + r")\b)"
)
_NOWHERE = re.compile(
    r"(?:house|building|home|flat|apartment|time|memory|world|morning|evening|afternoon|day|night|"
    r"way|list|robot)"
)
_LEADING = re.compile(
    r"^(?:the|a|an|any|some|my|your|our|his|her|their|that|this|these|those|all|another|there)\s+"
)


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
    time, rest = understand(text, now_ns=now_ns, where=where)
    rest = re.sub(r"\s+", " ", rest.lower().replace("’", "'")).strip(" ?!.,")
    rest = re.sub(r"^(?:please |can you tell me |could you tell me |tell me |do you know |do you "
                  r"remember |can you remember |hey |hi |robot,? |i want to know )+", "", rest)  # fmt: skip
    for understood in (_body, _first, _changed, _how, _ever, _when, _describe, _where, _what):
        question = understood(rest)
        if question is not None:
            return replace(question, text=text, time=time)
    return replace(_find(rest), text=text, time=time)


def clean_thing(words: str) -> str:
    """A noun phrase without leading determiners, trailing verbs and pronouns."""
    words = words.strip(" ?!.,")
    words = re.sub(rf"\b(?:that|which) {_YOU}.*$", "", words)
    while (shorter := _LEADING.sub("", words)) != words:
        words = shorter
    words = re.sub(
        r"\s+(?:is|are|was|were|be|been|located|now|right now|currently|again|please|there|here|"
        r"anywhere|somewhere|around|in this (?:house|building|place|flat|apartment|home)|"
        r"in (?:the|your) memory|in the (?:house|building|flat|apartment)|at all|kept|left|put|"
        r"placed|standing|lying|to be found)$", "", words)  # fmt: skip
    return words.strip()


def take_place(text: str) -> tuple[PlacePhrase, str]:
    """The place named in a text, and the text without it.

    Args:
        text: Lower case.
    """
    found = _CIRCLE.search(text)
    if found:
        place = PlacePhrase(found[0], circle=(float(found[2]), float(found[3]), float(found[1])))
        return place, _without(text, found)
    found = _POINT.search(text)
    if found:
        return PlacePhrase(found[0], circle=(float(found[1]), float(found[2]), 2.0)), _without(
            text, found
        )
    found = _AROUND_THING.search(text)
    if found:
        return PlacePhrase(found[0], thing=clean_thing(found[2])), _without(text, found)
    floor, rest = take_floor(text)
    place = PlacePhrase(text if floor is not None else "", floor=floor)
    for found in reversed(list(_PLACE.finditer(rest))):
        thing = clean_thing(found[2])
        if not thing or _NOWHERE.fullmatch(thing):
            continue
        room = room_named(words_of(thing))
        if room is not None and place.room is None:
            place = replace(place, room=room, words=f"{found[0]} {place.words}".strip())
        elif room is None and place.thing is None:
            place = replace(
                place, thing=thing, relation=_RELATION_OF[found[1]],
                words=f"{found[0]} {place.words}".strip(),
            )  # fmt: skip
        else:
            continue
        rest = f"{rest[: found.start()]} {rest[found.end() :]}"
    if place.room is not None and place.thing is None:
        place = replace(place, relation="in")
    return place, re.sub(r"\s+", " ", rest).strip(" ?!.,")


def _without(text: str, found: re.Match[str]) -> str:
    return re.sub(r"\s+", " ", f"{text[: found.start()]} {text[found.end() :]}").strip(" ?!.,")


def _body(text: str) -> Question | None:
    if re.search(r"\b(battery|charge|charged)\b", text):
        return Question(text, "body", quantity="battery", robot=True)
    if re.search(r"\b(temperature|how (?:hot|warm|cold))\b", text) and "kettle" not in text:
        return Question(text, "body", quantity="temperature", robot=True)
    return None


def _first(text: str) -> Question | None:
    for pattern in (
        r"^(?:which|what|who)\b.*?\bfirst\b[,:]?\s*(?:the |a |an )?(.+?) or (?:the |a |an )?(.+)$",
        rf"^(?:did|have|had) {_YOU} {_SEE} (?:the |a |an )?(.+?) or (?:the |a |an )?(.+?) first$",
        rf"^(?:did|have|had) {_YOU} {_SEE} (?:the |a |an )?(.+?) (?:before|earlier than|after|later than) "
        r"(?:you saw |seeing )?(?:the |a |an )?(.+)$",
        r"^(?:was|were|is) (?:the |a |an )?(.+?) (?:seen )?(?:before|earlier than|after|later than) (?:the |a |an )?(.+)$",
        r"^(?:what|which) (?:came|comes|was) first[,:]? (?:the |a |an )?(.+?) or (?:the |a |an )?(.+)$",
    ):
        found = re.search(pattern, text)
        if found:
            return Question(text, "which_first", (clean_thing(found[1]), clean_thing(found[2])))
    return None


def _changed(text: str) -> Question | None:
    if re.search(r"\b(?:what|anything|something)(?:'s| has| have| is| was)?\s*(?:been )?"
                 r"(?:changed|change|different|moved|new|missing|gone)\b", text) or re.search(
        r"\b(?:what|which things?|which objects?) (?:moved|changed|disappeared|appeared|is missing)\b", text
    ) or re.search(r"^(?:did|has|have) (?:anything|something) (?:change|changed|move|moved)", text):  # fmt: skip
        place, _ = take_place(text)
        return Question(text, "changed", place=place)
    return None


def _how(text: str) -> Question | None:
    found = re.search(
        r"^how (?:many|much)\s+(?:different |kinds of )?(.+?)(?:\s+(?:are|is|were|was|do|did|have|can|has)\b(.*))?$",
        text,
    )
    if found and re.match(r"(?:times|often)\b", found[1]):
        return _times_seen(text)
    if found:
        place, _ = take_place(text)
        thing, _ = _split_place(found[1])
        return Question(text, "how_many", (clean_thing(thing),), place)
    if re.match(r"^how (?:often|frequently)\b", text):
        return _times_seen(text)
    if re.search(
        r"^how far\b|^what distance\b|^how (?:much|many) (?:metres|meters|distance)", text
    ):
        apart = re.search(
            r"^how far (?:is|are|was|were) (?:the |a |an |it from )?(.+?) (?:from|to) (?:the |a |an )?(.+)$",
            text,
        )
        if apart and not re.search(r"\b(?:you|robot)\b", apart[0]):
            return Question(text, "how_far", (clean_thing(apart[1]), clean_thing(apart[2])))
        return Question(text, "how_far", robot=True)
    if re.match(r"^(?:how long|for how long|how much time)\b", text):
        place, rest = take_place(text)
        ago = re.search(
            rf"(?:since|ago)\b.*?\b{_SEE}\s+(?:the |a |an )?(.+)$|since (?:you )?(?:last )?{_SEE} (.+)$",
            rest,
        )
        if ago:
            return Question(text, "how_long", (clean_thing(ago[1] or ago[2]),), place)
        return Question(text, "how_long", place=place, robot=True)
    return None


def _times_seen(text: str) -> Question:
    found = re.search(rf"\b{_SEE}\s+(?:the |a |an )?(.+)$", text)
    place, rest = take_place(text)
    if found:
        thing, _ = _split_place(found[1])
        return Question(text, "how_many", (clean_thing(thing),), place, quantity="times")
    visited = re.search(r"\b(?:in|to|at|visit(?:ed)?)\b", rest) is not None
    return Question(text, "how_many", place=place, robot=visited or place.named, quantity="times")


def _ever(text: str) -> Question | None:
    found = re.search(
        rf"^(?:have|has|had|did|do|does) {_YOU} (?:ever |already |just |actually )?(?:been |go |gone |visit(?:ed)? |drive |driven )(?:in |to |into |at |inside )?(.+)$",
        text,
    )
    if found:
        place, _ = take_place(text)
        if not place.named:
            thing = clean_thing(found[1])
            place = PlacePhrase(thing, room=room_named(words_of(thing)),
                                thing=None if room_named(words_of(thing)) is not None else thing)  # fmt: skip
        return Question(text, "ever", place=place, robot=True)
    found = re.search(
        rf"^(?:have|has|had|did|do|does) {_YOU} (?:ever |already |just |actually )?(?:{_SEE}|have|know|know of|remember seeing) (.+)$",
        text,
    ) or re.search(r"^(?:is|are|was|were) there (?:ever )?(.+)$", text)
    if found:
        thing, place = _split_place(found[1])
        return Question(text, "ever", (clean_thing(thing),), place)
    found = re.search(
        r"^(?:is|are|was|were) (?:the |my |a |an )(.+?) (?=(?:in|on|near|under|at|by|upstairs|downstairs)\b)(.+)$",
        text,
    )
    if found:
        place, _ = take_place(found[2])
        return Question(text, "ever", (clean_thing(found[1]),), place)
    return None


def _when(text: str) -> Question | None:
    if not re.match(r"^(?:when|what time|at what time|what day|on what day|what date)\b", text):
        return None
    found = re.search(rf"\b{_SEE}\s+(.+)$", text)
    if found:
        thing, place = _split_place(found[1])
        return Question(text, "when", (clean_thing(thing),), place)
    found = re.search(
        rf"\b(?:was|were|did|is) {_YOU} (?:\w+ )*?(?:in|at|near|on|to|into|visit|enter|reach|leave|upstairs|downstairs)\b",
        text,
    )
    if found:
        place, _ = take_place(text)
        return Question(text, "when", place=place, robot=True)
    found = re.search(
        r"\b(?:was|were|is|did|has) (?:the |a |an |my )?(.+?)(?: (?:seen|there|last seen|first seen|appear|here|moved))?$",
        text,
    )
    thing, place = _split_place(found[1] if found else text)
    return Question(text, "when", (clean_thing(thing),), place)


def _describe(text: str) -> Question | None:
    found = re.match(
        r"^(?:describe|summari[sz]e|give me (?:a )?(?:summary|overview|description) of|what does (.+) look like|"
        r"what is (.+) like|what kind of (?:place|room|building|area) is|tell me about)\b\s*(.*)$",
        text,
    )
    if not found:
        return None
    about = next((part for part in found.groups()[::-1] if part), "")
    place, _ = take_place(f"in {about}" if about else "")
    if not place.named:
        place, _ = take_place(about)
    room = room_named(words_of(clean_thing(about))) if about else None
    if room is not None and not place.named:
        place = PlacePhrase(about, room=room)
    thing = clean_thing(about)
    whole = re.fullmatch(
        r"(?:|what (?:you|i|we|the robot)\b.*|.*\b(?:house|building|everything|all|site|area|campus|place|day|flat|apartment|it)\b.*)",
        thing,
    )
    things = () if place.named or whole else (thing,)
    return Question(text, "describe", things, place)


def _where(text: str) -> Question | None:
    found = re.match(
        r"^(?:where(?:abouts)?|in (?:which|what) (?:room|place|part)|which (?:room|place|floor))\b(.*)$",
        text,
    )
    if not found:
        return None
    rest = re.sub(r"^'s\b", " is", found[1]).strip()
    if re.match(
        rf"^(?:was|were|are|did) {_YOU}(?:\s*$|\s+(?:at|go|drive|when|stop|stand|end up|start|begin|stay)\b|\s*$)",
        rest,
    ) or re.match(r"^(?:have )?you been\b", rest):
        return Question(text, "where_robot", robot=True)
    left = re.search(
        rf"^(?:did|do|does|have|had) {_YOU} (?:last |ever )?(?:{_LEAVE}|{_SEE}) (.+)$", rest
    )
    if left:
        thing = left[1]
    else:
        thing = re.sub(rf"^(?:{_BE}|(?:can|could|do|did) {_YOU} {_SEE})\s+", "", rest)
    thing = re.sub(
        r"^(?:can|could|do|did|would|should) (?:you|i|we) (?:find|see|get)\s+", "", thing
    )
    things, place = _split_place(thing)
    return Question(text, "where", (clean_thing(things),), place)


def _what(text: str) -> Question | None:
    found = re.match(r"^(?:what|which|who)(?:'s| all| else| things| objects)?\b(.*)$", text)
    if not found:
        return None
    place, rest = take_place(text)
    named = re.search(r"^(?:what|which)\s+([a-z ]+?)\s+(?:did|do|have|has|are|were|is|was)\b", rest)
    things: tuple[str, ...] = ()
    if named and named[1] not in (
        "all",
        "else",
        "things",
        "objects",
        "happened",
        "kind",
        "sort",
        "stuff",
    ):
        things = (clean_thing(named[1]),)
    return Question(text, "what", things, place)


def _find(text: str) -> Question:
    found = re.match(
        r"^(?:find|show|locate|look for|search for|fetch|bring|get|take me to|go to)(?: me)?\s+(.+)$",
        text,
    )
    thing, place = _split_place(found[1] if found else text)
    return Question(text, "find", (clean_thing(thing),), place)


def _split_place(text: str) -> tuple[str, PlacePhrase]:
    """A noun phrase and the place after it ("the lamp near the sofa"); the place may be all."""
    place, rest = take_place(text)
    thing = clean_thing(rest)
    if place.named and not thing:
        return clean_thing(text), PlacePhrase()
    return thing, place
