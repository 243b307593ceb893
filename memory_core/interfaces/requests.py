"""What a client may ask for: the arguments of every call, with their limits.

MCP tools, HTTP routes and the tools of a language model take the same models, so a limit holds
on every way in. Positions are metres in the map, z up.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import Annotated, Literal, Self, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from memory_core.language import times
from memory_core.types import DEFAULT_MAP, Box, Filters, Sphere, TimeSpan

MAX_QUESTION = 1_000
MAX_WORDS = 4_096
MAX_K = 100
MAX_ITEMS = 200
MAX_RADIUS_M = 1_000.0
MAX_SPAN_NS = 10 * 366 * 86_400 * 10**9
MAX_NOTE = 2_000
MAX_FORGOTTEN = 1_000
"""At most so many observations go with one call."""

Moment: TypeAlias = Annotated[
    str | int,
    Field(description="ISO 8601 (2026-03-03T14:00), or nanoseconds since the epoch"),
]
Words: TypeAlias = Annotated[str, Field(min_length=1, max_length=200)]
Id: TypeAlias = Annotated[str, Field(min_length=1, max_length=256)]
Names: TypeAlias = Annotated[list[Id], Field(max_length=20)]
Metres: TypeAlias = Annotated[float, Field(ge=-1e6, le=1e6)]
Position: TypeAlias = Annotated[
    list[Metres], Field(min_length=2, max_length=3, description="x, y or x, y, z in metres")
]


class Request(BaseModel):
    """Arguments of a call; unknown ones are refused."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, frozen=True)

    @field_validator("*", mode="after")
    @classmethod
    def _is_text(cls, value: object) -> object:
        if isinstance(value, str) and ("\x00" in value or not value.strip()):
            raise ValueError("expected words; this is blank or holds NUL")
        return value


class InZone(Request):
    """Arguments with times that a person may give in their own zone."""

    zone: str = Field("UTC", max_length=64, description="IANA time zone or +02:00")

    def moment(self, value: Moment | None) -> int | None:
        """Nanoseconds since the epoch of a moment.

        Raises:
            InvalidQuery: It is no time, or the zone is unknown.
        """
        if value is None:
            return None
        text, zone = str(value), times.zone(self.zone)
        return int(text) if re.fullmatch(r"\d{15,19}", text, re.ASCII) else _parsed(text, zone)


def _parsed(text: str, zone: dt.tzinfo) -> int:
    return times.parse_moment(text, zone)


class InSpan(InZone):
    """Arguments with a stretch of time; either end may be open."""

    start: Moment | None = None
    end: Moment | None = None

    def span(self) -> TimeSpan | None:
        """The stretch; None where both ends are open.

        Raises:
            InvalidQuery: An end is no time, or the span is too long.
        """
        start, end = self.moment(self.start), self.moment(self.end)
        return None if start is None and end is None else TimeSpan(start, end)


class Ask(InZone):
    """A question in plain English."""

    question: str = Field(
        min_length=1, max_length=MAX_QUESTION, description="for example: where is the red mug?"
    )
    now: Moment | None = None


class Recall(InSpan):
    """Words, a region, a span: what is remembered that fits."""

    query: str | None = Field(
        None, min_length=1, max_length=MAX_WORDS,
        description="words to match by meaning and by word; without, the newest or nearest",
    )  # fmt: skip
    k: int = Field(10, ge=1, le=MAX_K, description="how many pieces of evidence")
    mode: Literal["attention", "flat", "scene"] = "attention"
    near: Position | None = None
    radius_m: float | None = Field(
        None, gt=0, le=MAX_RADIUS_M, description="only within so many metres of `near`"
    )
    box: Annotated[list[Metres], Field(min_length=6, max_length=6)] | None = Field(
        None, description="only in x1, y1, z1, x2, y2, z2, metres"
    )
    robots: Names = []
    sessions: Names = []
    sources: Names = []

    @model_validator(mode="after")
    def _one_region(self) -> Self:
        if self.radius_m is not None and (self.near is None or self.box is not None):
            raise ValueError("radius_m needs near, and no box")
        return self

    def filters(self) -> Filters:
        """The exact conditions.

        Raises:
            InvalidQuery: A time is none.
        """
        region: Box | Sphere | None = None
        if self.box is not None:
            x1, y1, z1, x2, y2, z2 = self.box
            region = Box((x1, y1, z1), (x2, y2, z2))
        elif self.radius_m is not None and self.near is not None:
            region = Sphere(flat_or_not(self.near), self.radius_m)
        return Filters(
            span=self.span(), region=region, robots=tuple(self.robots),
            sessions=tuple(self.sessions), sources=tuple(self.sources),
        )  # fmt: skip


class Locate(InZone):
    """A thing whose place is wanted."""

    thing: Words = Field(description="its kind or name: red mug")
    k: int = Field(10, ge=1, le=MAX_K, description="how many of that kind")


class Timeline(InSpan):
    """A stretch of time: what happened in it."""

    limit: int = Field(50, ge=1, le=MAX_ITEMS, description="the newest so many events")


class DescribeArea(Request):
    """A place of the memory, or a circle: what is there."""

    place: Words | None = Field(None, description="an id (place:3) or a kind (kitchen)")
    position: Position | None = None
    radius_m: float = Field(3.0, gt=0, le=MAX_RADIUS_M, description="around position, metres")
    map_id: Id = DEFAULT_MAP
    limit: int = Field(50, ge=1, le=MAX_ITEMS, description="at most so many things and facts")

    @model_validator(mode="after")
    def _one_area(self) -> Self:
        if (self.place is None) == (self.position is None):
            raise ValueError("give either place or position")
        return self


class Forest(Request):
    """The tree of areas, or a part of it."""

    node: Id | None = Field(None, description="only this node and below (forest:3, place:0)")
    depth: int | None = Field(None, ge=0, le=32, description="levels below the top")


class EntityHistory(Request):
    """A thing whose positions over time are wanted."""

    entity: Words = Field(description="an id (entity:3) or a kind (mug)")
    limit: int = Field(20, ge=1, le=MAX_ITEMS, description="at most so many things")


class WhatChanged(InZone):
    """Two moments: what is different at the later one."""

    since: Moment
    until: Moment | None = None
    thing: Words | None = Field(None, description="only this kind of thing")
    limit: int = Field(50, ge=1, le=MAX_ITEMS, description="the newest so many changes")


class Stats(Request):
    """Nothing to say."""


class ById(Request):
    """One observation."""

    id: Id = Field(description="as evidence carries it")


class RememberNote(Request):
    """Words to remember, and where they belong."""

    text: str = Field(min_length=1, max_length=MAX_NOTE)
    position: Position | None = None
    map_id: Id = DEFAULT_MAP
    robot: Id = "robot"
    session: Id = "notes"


class Forget(InSpan):
    """Observations to remove, and why."""

    ids: Names = []
    text: str | None = Field(None, min_length=1, max_length=MAX_WORDS)
    min_weight: float = Field(0.5, ge=0, le=1, description="least cosine for text")
    reason: str = Field(min_length=3, max_length=500, description="kept with the record")
    dry_run: bool = Field(False, description="count only")


class Plan(Request):
    """A goal in plain English."""

    goal: str = Field(min_length=1, max_length=MAX_QUESTION)


class GoTo(Request):
    """Where to drive."""

    target: Words | None = Field(None, description="words or an id: the kitchen, entity:3")
    position: Position | None = None
    map_id: Id = DEFAULT_MAP

    @model_validator(mode="after")
    def _one_target(self) -> Self:
        if (self.target is None) == (self.position is None):
            raise ValueError("give either target or position")
        return self


def flat_or_not(position: list[float]) -> tuple[float, float] | tuple[float, float, float]:
    """A position as a tuple, with z where it was given."""
    if len(position) == 2:
        return (position[0], position[1])
    return (position[0], position[1], position[2])
