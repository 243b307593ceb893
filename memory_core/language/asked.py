"""What a question asks for, once understood: kind, things, place and time."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal

from memory_core.language.times import TimePhrase
from memory_core.language.visits import Visit

Kind = Literal[
    "where", "what", "when", "how_long", "how_many", "how_far", "which_first", "ever", "changed",
    "describe", "body", "where_robot", "find", "order", "rooms", "need", "property",
]  # fmt: skip

_EVERYTHING = re.compile(
    r"(?:all |any |other |different )*(?:things?|objects?|items?|stuff|furniture|anything|something|"
    r"everything|contents?|all|else)"
)


def everything(words: str) -> bool:
    """Whether words mean whatever is there, rather than a kind of thing."""
    return _EVERYTHING.fullmatch(words) is not None


@dataclass(frozen=True, slots=True)
class PlacePhrase:
    """A place named in a question.

    Attributes:
        words: As it was said.
        circle: x, y, radius in metres, where coordinates were given.
        room: Kind of room (index into `ROOM_KINDS`).
        floor: 1 for the lowest, …, -1 for the top.
        thing: A thing the place is near, on or in; "" where it is whatever is on `upon`.
        relation: `near`, `on`, `in`, `under`; `nearest` or `farthest` where of several things
            the one closest to it, or farthest from it, is meant.
        beside: A thing in the same room.
        upon: What the place's unnamed thing is on ("next to the thing on the desk").
        called: What a room was called, where one is named; its kind may be unknown.
    """

    words: str = ""
    circle: tuple[float, float, float] | None = None
    room: int | None = None
    floor: int | None = None
    thing: str | None = None
    relation: str = "near"
    beside: str | None = None
    upon: str | None = None
    called: str | None = None

    @property
    def named(self) -> bool:
        """Whether any place was named."""
        parts = (self.circle, self.room, self.floor, self.thing, self.beside, self.called)
        return any(part is not None for part in parts)


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
        present: Whether it asks how things are now, not how they once were.
        aspect: What of its kind is wanted: `room` of a where, `moved from` and `moved to` of a
            where, `moved`, `new`, `gone` of a change, `before` and `after` of an order ...
        visit: Which visit is meant, where one is.
        sure: False where no way of asking was recognised and the kind is a guess.
        rest: What was read: lower case, without its expressions of time and visits.
    """

    text: str
    kind: Kind
    things: tuple[str, ...] = ()
    place: PlacePhrase = field(default_factory=PlacePhrase)
    time: TimePhrase = field(default_factory=lambda: TimePhrase(None, ()))
    robot: bool = False
    quantity: str = ""
    present: bool = False
    aspect: str = ""
    visit: Visit | None = None
    sure: bool = True
    rest: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """All things it names, wherever they stand in it."""
        place = self.place
        parts = (*self.things, place.thing, place.beside, place.upon)
        return tuple(dict.fromkeys(part for part in parts if part))

    @property
    def phrase(self) -> str:
        """The first thing it names and what that lies at, as captions are searched for it."""
        return " ".join(part for part in (*self.things[:1], self.place.thing) if part)
