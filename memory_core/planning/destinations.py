"""Where a goal leads to, as far as one knows: a room, a moment's place, a surface to put things on.

What is shown as a plan and what is done ask here alike.
"""

from __future__ import annotations

import math
from typing import Protocol

from memory_core.language.lexicon import words_of
from memory_core.language.rooms import room_word
from memory_core.planning.candidates import Candidate, Meant
from memory_core.planning.goals import Goal
from memory_core.planning.regions import Region, openable
from memory_core.semantic.expected import CLOSED
from memory_core.types import Answer, Vector3

MOVED_M = 0.6
PLACES = 4
"""At most so many places are tried one after the other."""


class Unknown(Exception):
    """There is nowhere to go to; the message says why, in two words or so."""


class Asked(Protocol):
    """What is known, asked from where the robot is now."""

    def meant(self, phrase: str) -> Meant:
        """Where what a phrase names may be."""

    def regions(self, thing: str, *, within: str = "") -> tuple[Region, ...]:
        """Where a thing may be, and can be got to."""

    def room(self, name: str) -> Vector3 | None:
        """The middle of the room that a name means; None where none is known."""

    def ask(self, question: str) -> Answer:
        """An answer in words."""

    def travel_m(self, at: Vector3) -> float:
        """Way to a place; infinite where there is none."""


def surfaces(asked: Asked, thing: str, *, within: str = "") -> list[Region]:
    """Surfaces that a thing can be on, the most worth a visit first."""
    return [region for region in asked.regions(thing, within=within) if not region.shut]


def put_on(asked: Asked, goal: Goal, thing: str) -> list[Region]:
    """Surfaces that a destination means: those of a room, or a piece of furniture.

    Raises:
        Unknown: Nothing of that name is known, or it is shut.
    """
    meant = asked.meant(goal.to)
    if room_word(words_of(meant.thing)) and asked.room(goal.to) is not None:
        return surfaces(asked, thing, within=goal.to)
    named = meant.candidates[:PLACES]
    if not named and meant.thing != goal.to:  # the only one there is, in a room of another name
        alike = asked.meant(meant.thing).candidates
        named = alike if len(alike) == 1 else ()
    if not named:
        raise Unknown("destination unknown")
    if goal.relation == "in" and all(_shut(candidate.label) for candidate in named):
        raise Unknown("it is shut")
    return [
        Region(c.label, "", c.position, c.size, False, c.probability, c.travel_m) for c in named
    ]


def _shut(label: str) -> bool:
    """Whether what a label names has to be opened before anything can be put into it."""
    words = words_of(label)
    return openable(label) or (bool(words) and words[-1] in CLOSED)


def put_back_on(
    asked: Asked, thing: str, known: tuple[Candidate, ...], found_at: Vector3 | None
) -> list[Region]:
    """Where a thing usually is, and other surfaces after that.

    Args:
        asked: What is known.
        thing: What it is called.
        known: Where it may have been, before it was looked for.
        found_at: Where it was found.
    """
    regions = surfaces(asked, thing)
    usual = _usual_place(known, found_at)
    if usual is None:
        return regions
    regions.sort(key=lambda region: region.gap_m(usual))
    nearest = regions[0].name if regions else "its usual place"
    here = Region(nearest, "", usual, (0.0, 0.0, 0.0), False, 1.0, asked.travel_m(usual))
    return [here, *regions]


def _usual_place(known: tuple[Candidate, ...], found_at: Vector3 | None) -> Vector3 | None:
    """Where a thing was seen longest before, or one like it was; None where nothing tells."""
    for candidate in known:
        if candidate.earlier:
            stays = candidate.earlier
            longest = max(stays, key=lambda stay: (stay.last_ns - stay.start_ns, stay.sightings))
            return longest.position
    if found_at is None:
        return None
    elsewhere = (c.position for c in known if math.dist(c.position, found_at) > MOVED_M)
    return next(elsewhere, None)  # one like it that was seen elsewhere is likeliest itself


def moment(asked: Asked, goal: Goal) -> tuple[str, Vector3]:
    """What there is to say of the moment a thing was first, or last, seen, and where that was.

    Raises:
        Unknown: It was never seen.
    """
    answer = asked.ask(f"where did you {goal.order or 'first'} see the {goal.thing}?")
    if answer.abstained or answer.position is None:
        raise Unknown("nothing known")
    return answer.answer, answer.position
