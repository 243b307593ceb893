"""A skeleton while it is read: question words, and the room or thing that a place is named by."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from memory_core.language.asked import Kind, PlacePhrase, Question
from memory_core.language.lexicon import words_of
from memory_core.language.phrases import Skeleton
from memory_core.language.rooms import room_named
from memory_core.language.times import TimePhrase


@dataclass(frozen=True, slots=True)
class Asked:
    """A skeleton while it is read: what is left of it, and the place found so far.

    Attributes:
        left: The skeleton without what has been understood.
        names: The things left, in the order they are named.
        room: The room named, if any.
        place: What is known of where.
        whole: The skeleton as it was.
    """

    left: str
    names: tuple[str, ...]
    room: str | None
    place: PlacePhrase
    whole: Skeleton

    def has(self, pattern: str) -> bool:
        """Whether what is left shows a pattern."""
        return re.search(pattern, self.left) is not None

    def text(self, symbol: str) -> str:
        """The words behind a symbol."""
        return self.whole.name(symbol)

    def question(
        self,
        kind: Kind,
        things: Sequence[str] = (),
        *,
        aspect: str = "",
        order: str | None = None,
        present: bool = False,
        robot: bool = False,
        quantity: str = "",
    ) -> Question:
        """A question of a kind about things, at the place found."""
        return Question(
            "", kind, tuple(self.text(thing) for thing in things), self.place,
            TimePhrase(None, (), order), robot, quantity, present, aspect,
        )  # fmt: skip


T = r"(T\d)"
WHICH = r"(?:which|what)"
_BE = r"(?:be|have|do|can|could|would|will)"
YESNO = re.compile(
    r"^(?:and |so |or )?(?:be|do|have|can|could|would|will)\b|, (?:right|true|correct|do not you|be it not|or not|do it|be it)$|"
    r"^you (?:see|have see)\b.*\b(?:before|after)\b"
)
WHEN = re.compile(
    rf"\bwhen\b(?! you| i| we| it| do you| the)|^when\b|\b{WHICH} MOMENT\b|\bhow (?:recently|long ago)\b|\bMOMENT (?:do|be|have)\b|"
    r"\bMOMENT of\b|^since when|\bmost recently$"
)
WHERE = re.compile(
    rf"\bwhere(?:abouts)?\b|\b{WHICH}(?: [a-z]+)* SPOT\b|\bSPOT of\b|^SPOT\b|(?:^|show me |me )(?:current |last |exact )?SPOT\b|"
    rf"\b's (?:current |last |exact |appear |old |previous )?SPOT\b|\bto {WHICH} SPOT\b"
)
FIND = re.compile(
    r"^(?:please |can you |could you |would you |will you )*(?:help me )*(?:see|show|find|locate|put|search|go|IDEA|lead|guide|direct|get|fetch|bring|"
    r"take|look|i|any)\b|\bsee T\d(?: anywhere)?$"
)


_LINK = r"(?:with|that|which|also|have|where|in|you|see|of|as|be|there|for|i|we|both|it|SPOT|stand|do|any|put|around|near|whichever|housing|featuring|live|has|go|to|into|from)"
_HOLDER = re.compile(
    r"(?P<lead>(?:in|into|from|inside|at|to|near|of|through|within|over|out|go near|go into|go)? ?)"
    r"(?:(?:the|same|very|whichever|whatever|that|any|one) )*ROOM (?:"
    + _LINK
    + r" )*(?P<thing>T\d)"
    r"(?: (?:be|stand|see|live|have)(?= in\b|$|[,;:.]| ,))*(?: in(?! R| ROOM| T| what| which| it)(?:side)?)?(?: it)?(?: (?:too|also|as well))?"
)
_OWN_ROOM = re.compile(r"(?:in |of |inside )?(?P<thing>T\d) 's ROOM")
_SHARED = re.compile(
    r"(?:that |which )?(?:be )?(?:shares?|sharing|shared|in) (?:the )?(?:same )?ROOM (?:with|as) (?P<thing>T\d)|"
    r"(?:that |which )?(?:be |have )?(?:stand )?(?:in (?:there )?(?:together )?with|together with|in (?:the )?company of|keep company with|along with|in beside) (?P<other>T\d)"
)
_COMPANY = re.compile(
    r"(?:besides|apart from|other than|except(?: for)?|aside from|next to|near|along with) (?P<fifth>T\d)(?=.*\bROOM\b)(?! .*\bwhich ROOM)|keeps? (?P<thing>T\d) company(?: in (?:its |the |that |same )?ROOM)?|(?P<other>T\d) (?:share|shares|have) (?:its |the )?ROOM with|"
    r"(?:around|about|surrounding|surround) (?P<third>T\d) in (?:its |the |same )?ROOM|"
    r"(?:accompan\w+) (?P<fourth>T\d)(?: in (?:its |same )?ROOM)?"
)
_ON_WHAT_IS = re.compile(
    r"(?:THING|ONE|whatever|what|that|which|it|any) (?:(?:that|which|be|stand|there|you|see|placed|you have|put|have been) )*on (?P<thing>T\d)(?: (?:be|stand))?"
)
NEAR = r"\b(?:near|nearest|neighbou?r|company|adjoin\w*|surround\w*|around|flank\w*)\b"


def read(whole: Skeleton) -> Asked:
    """Take out the room, and the room or the thing that is named by what is in or on another."""
    left, place = whole.text, PlacePhrase()
    rooms = list(dict.fromkeys(re.findall(r"R\d", left)))
    room = rooms[0] if rooms else None
    things = list(dict.fromkeys(re.findall(r"T\d", left)))
    focus = re.search(
        rf"\b{WHICH} (?:of )?(?:other )?ROOM\b|^(?:please )?(?:show|IDEA|say|see|can you show)(?: me)? (?:name of |in )?ROOM (?:with|that|where|which|in which|of) [^,]*$",
        left,
    )
    if (
        len(things) == 1
        and focus
        and re.match(r"^(?:please |can you )?(?:show|IDEA|say|see)", focus[0])
    ):
        focus = re.search(r".*", left)
    elif focus and not re.match(rf"{WHICH}", focus[0]):
        focus = None
    beside = None
    for pattern in (_SHARED, _OWN_ROOM, _COMPANY, _HOLDER):
        found = pattern.search(left)
        if found is None or (focus and found.start() < focus.end() and found.end() > focus.start()):
            continue
        named = next(value for key, value in found.groupdict().items() if value and key != "lead")
        if (
            pattern is _SHARED
            and found["other"]
            and len(things) < 2
            and not re.search(r"\bTHING|else|what", left)
        ):
            continue
        beside = whole.name(named)
        inside = "" if pattern is _COMPANY else "in HERE"
        left = f"{left[: found.start()]} {inside} {left[found.end() :]}"
        break
    upon = None
    found = _ON_WHAT_IS.search(left)
    if found and re.search(NEAR, f"{left[: found.start()]} {left[found.end() :]}"):
        upon = whole.name(found["thing"])
        left = f"{left[: found.start()]} UPON {left[found.end() :]}"
    left = re.sub(r"\s+", " ", left).strip()
    names = tuple(dict.fromkeys(re.findall(r"T\d", left)))
    if room is not None:
        said = whole.name(room)
        kind = room_named(words_of(said))
        place = PlacePhrase(f"in the {said}", room=kind, relation="in", called=said)
    if beside is not None:
        words = f"in the room with the {beside}"
        place = replace(place, beside=beside, words=f"{place.words} {words}".strip())
    if upon is not None:
        words = f"next to what is on the {upon} {place.words}".strip()
        place = replace(place, thing="", upon=upon, relation="near", words=words)
    return Asked(left, names, room, place, whole)


def related(asked: Asked, thing: str, relation: str) -> Asked:
    """The same, with the place also by a relation to a thing."""
    name = asked.text(thing)
    said = {"nearest": "nearest to", "farthest": "farthest from", "near": "near"}.get(
        relation, relation
    )
    place = replace(
        asked.place, thing=name, relation=relation,
        words=f"{said} the {name} {asked.place.words}".strip(),
    )  # fmt: skip
    return replace(asked, place=place, names=tuple(n for n in asked.names if n != thing))
