"""How people ask: templates by kind of question, in two halves that share no wording.

The halves were split by a seeded shuffle before anything that understands questions was written:
`tuning` may be read by whoever works on that, `reporting` is for the score alone. Of the kinds that
are asked in a simulated home (`house_questions.COUNTS`) wordings of the first `reporting` showed in
rows of evaluations; they went to `tuning`, and others, written by somebody who knew no code, took
their place.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Literal, get_args

import numpy as np

from memory_core.errors import InvalidQuery

Half = Literal["tuning", "reporting"]
HALVES: tuple[Half, ...] = get_args(Half)

_ASKS = re.compile(
    r"^(what|where|which|who|whereabouts|when|how|is|are|was|did|does|do|has|have|had|can|could|"
    r"any|would|in which|in what|on what|at what|for how|since when|between which|around when|up to when|"
    r"from where|to where|on how many|of the two)\b"
    r"|[,:;] (and )?(what|where|which|whereabouts|how|when|is|so what|right|where's|what's)\b"
)


@dataclass(frozen=True, slots=True)
class Wordings:
    """One half of the wordings.

    Attributes:
        half: Its name.
        kinds: Templates by kind of question, with slots in braces.
        needs: Phrases by need, for implicit questions.
        absent_needs: Phrases for needs that nothing in any house meets.
        times: Phrases for the first and the last visit.
        early_times: Phrases for times before the memory begins.
        absent_things: Things that are in no house.
        absent_rooms: Rooms that no house has.
        reversed: Templates in which "yes" means the opposite of what their kind asks.
    """

    half: Half
    kinds: Mapping[str, tuple[str, ...]]
    needs: Mapping[str, tuple[str, ...]]
    absent_needs: Mapping[str, tuple[str, ...]]
    times: Mapping[str, tuple[str, ...]]
    early_times: tuple[str, ...]
    absent_things: tuple[str, ...]
    absent_rooms: tuple[str, ...]
    reversed: frozenset[str]


def load_wordings(half: Half) -> Wordings:
    """Read one half.

    Raises:
        InvalidQuery: There is no such half.
    """
    if half not in HALVES:
        raise InvalidQuery(f"wordings {half!r}; expected one of {', '.join(HALVES)}")
    text = (files("memory_sim.questions") / "wordings" / f"{half}.json").read_text("utf-8")
    value = json.loads(text)

    def grouped(name: str) -> dict[str, tuple[str, ...]]:
        return {key: tuple(items) for key, items in value[name].items()}

    return Wordings(
        half, grouped("kinds"), grouped("needs"), grouped("absent_needs"), grouped("times"),
        tuple(value["early_times"]), tuple(value["absent_things"]), tuple(value["absent_rooms"]),
        frozenset(value["reversed"]),
    )  # fmt: skip


def sentence(template: str, slots: Mapping[str, str]) -> str:
    """Fill a template and write it as a person types: capital, article, full stop or mark."""
    text = template.format(**slots)
    text = re.sub(r"\b([Aa]) (?=[aeiou])", r"\1n ", text)
    end = "?" if _ASKS.search(text) else "."
    return text[0].upper() + text[1:] + end


def plural(label: str) -> str:
    """Several of a thing: "bookshelves", "boxes", "chairs"."""
    if label.endswith("shelf"):
        return label[:-1] + "ves"
    return label + ("es" if label.endswith(("x", "s", "ch", "sh")) else "s")


def time_phrase(phrase: str, day: dt.datetime) -> str:
    """A phrase for a visit, its date and weekday filled in."""
    return phrase.format(date=f"{day.day} {day:%B}", weekday=f"{day:%A}")


def early_phrase(phrase: str, first_day: dt.datetime, random: np.random.Generator) -> str:
    """A phrase for a time before the memory begins, its numbers drawn."""
    early = first_day - dt.timedelta(days=int(random.integers(20, 50)))
    years = int(random.integers(2, 8))
    return phrase.format(
        early_year=first_day.year - years, early_date=f"{early.day} {early:%B}", years=years,
        months=int(random.integers(2, 9)),
    )  # fmt: skip
