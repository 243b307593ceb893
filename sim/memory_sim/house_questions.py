"""Questions in plain words about a home on its second day, with what is right from the truth.

Asked about are things that were truly in view, in at least `FRAMES` frames of each day that
matters, and that the robot itself did not carry about; answers are held against where people left
them. Wordings and rules of scoring are those of `memory_sim.questions`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from memory_core.types import Vector3
from memory_sim.questions.generator import Question
from memory_sim.questions.scoring import Vocabulary
from memory_sim.questions.truth import Expected, Fact
from memory_sim.questions.wordings import Half, load_wordings, sentence
from memory_sim.worlds.home.kinds import FURNITURE
from memory_sim.worlds.home.layout import ROOM_SIZES
from memory_sim.worlds.home.plan import HomePlan
from memory_sim.worlds.home.truth import Whereabouts

FRAMES = 3
COUNTS: Mapping[str, int] = {
    "where": 3, "which_room": 2, "on_what": 2, "in_room": 2, "moved": 2, "moved_from": 1,
    "moved_to": 1, "moved_things": 1,
}  # fmt: skip
"""Kinds of questions, and how many of each are asked."""
_STREAM = 127


@dataclass(frozen=True, slots=True)
class Witnessed:
    """A home on two mornings, and what was truly in view.

    Attributes:
        plan: The home.
        first: Where things were on the first morning.
        second: Where they were on the second morning.
        frames_first: In how many frames of the first day each thing was in view.
        frames_second: In how many of the second day.
        handled: Ids of things that the robot was asked to take.
    """

    plan: HomePlan
    first: Mapping[str, Whereabouts]
    second: Mapping[str, Whereabouts]
    frames_first: Mapping[str, int]
    frames_second: Mapping[str, int]
    handled: frozenset[str]

    def vocabulary(self) -> Vocabulary:
        """Every name of a thing, furniture or room that an answer could tell."""
        return Vocabulary(
            {*(thing.label for thing in self.plan.things), *FURNITURE}, {*ROOM_SIZES, "hallway"}
        )

    def settled(self) -> list[str]:
        """Things that are where they were in view last."""
        return [
            n for n in sorted(self.second)
            if self._in_view(n, self.frames_second) or (self._stayed(n) and self._in_view_first(n))
        ]  # fmt: skip

    def moved(self) -> list[str]:
        """Things in view on both days, each at another place."""
        return [
            n for n in sorted(self.second)
            if self._in_view(n, self.frames_second) and self._in_view_first(n)
            and self.first[n].furniture != self.second[n].furniture
        ]  # fmt: skip

    def unmoved(self) -> list[str]:
        """Things in view on both days at the same place."""
        return [
            n for n in sorted(self.second)
            if self._in_view(n, self.frames_second) and self._in_view_first(n) and self._stayed(n)
        ]  # fmt: skip

    def changed(self) -> frozenset[str]:
        """Labels of all things that are not where they were, those the robot took among them."""
        names = {*self.first, *self.second}
        return frozenset(
            self.label(n) for n in names
            if n in self.handled or self.first.get(n) != self.second.get(n)
        )  # fmt: skip

    def label(self, thing: str) -> str:
        """What a thing is called."""
        return self.plan.thing_by_id[thing].label

    def room(self, where: Whereabouts) -> str:
        """What people call the room a thing is in."""
        return self.plan.room_by_name[where.room].kind

    def _in_view(self, thing: str, frames: Mapping[str, int]) -> bool:
        return thing not in self.handled and frames.get(thing, 0) >= FRAMES

    def _in_view_first(self, thing: str) -> bool:
        return thing in self.first and self._in_view(thing, self.frames_first)

    def _stayed(self, thing: str) -> bool:
        return thing in self.first and self.first[thing].position == self.second[thing].position


def questions_about(seen: Witnessed, half: Half, *, now_ns: int) -> list[Question]:
    """Draw and word the questions.

    Args:
        seen: The home and what was in view.
        half: Of the wordings.
        now_ns: When they are asked.
    """
    random = np.random.default_rng([seen.plan.seed, _STREAM])
    wordings = load_wordings(half)
    asked = []
    for kind, count in COUNTS.items():
        facts = list(_FACTS[kind](seen))
        yes = [fact for fact in facts if fact.expected.truth]
        no = [fact for fact in facts if fact.expected.truth is False]
        piles = [yes, no] if yes and no else [facts]
        for turn in range(min(count, len(facts))):
            pile = piles[turn % len(piles)] or facts
            fact = pile.pop(int(random.integers(len(pile))))
            phrases = wordings.kinds[kind]
            template = phrases[int(random.integers(len(phrases)))]
            text = sentence(template, fact.slots)
            backwards = template in wordings.reversed
            asked.append(Question(text, kind, half, template, backwards, fact, now_ns))
    return asked


def _where(seen: Witnessed) -> Iterator[Fact]:
    for name in seen.settled():
        yield Fact("where", {"thing": seen.label(name)}, _at(seen.second[name].position))


def _which_room(seen: Witnessed) -> Iterator[Fact]:
    for name in seen.settled():
        room = seen.room(seen.second[name])
        if room != "hallway":  # what stands there does not tell that it is one
            right = Expected("order", order=(room,))
            yield Fact("which_room", {"thing": seen.label(name)}, right)


def _on_what(seen: Witnessed) -> Iterator[Fact]:
    for name in seen.settled():
        where = seen.second[name]
        if where.furniture and not where.opening:
            piece = seen.plan.furniture_by_id[where.furniture]
            right = Expected("one of", required=frozenset({piece.label}))
            yield Fact("on_what", {"thing": seen.label(name)}, right)


def _in_room(seen: Witnessed) -> Iterator[Fact]:
    rooms = sorted({room.kind for room in seen.plan.rooms} - {"lift", "hallway"})
    for name in seen.settled():
        label, here = seen.label(name), seen.room(seen.second[name])
        before = seen.room(seen.first[name]) if name in seen.first else here
        for room in rooms:
            if room == here:
                right = Expected("yes or no", places=(seen.second[name].position,), truth=True)
                yield Fact("in_room", {"thing": label, "room": room}, right)
            elif room != before:
                right = Expected("yes or no", truth=False)
                yield Fact("in_room", {"thing": label, "room": room}, right)


def _moved(seen: Witnessed) -> Iterator[Fact]:
    for truth, names in ((True, seen.moved()), (False, seen.unmoved())):
        for name in names:
            right = Expected("yes or no", truth=truth, about="moved")
            yield Fact("moved", {"thing": seen.label(name)}, right)


def _moved_from(seen: Witnessed) -> Iterator[Fact]:
    for name in seen.moved():
        right = _at(seen.first[name].position, other=seen.second[name].position)
        yield Fact("moved_from", {"thing": seen.label(name)}, right)


def _moved_to(seen: Witnessed) -> Iterator[Fact]:
    for name in seen.moved():
        right = _at(seen.second[name].position, other=seen.first[name].position)
        yield Fact("moved_to", {"thing": seen.label(name)}, right)


def _moved_things(seen: Witnessed) -> Iterator[Fact]:
    required = frozenset(seen.label(name) for name in seen.moved())
    if required:
        right = Expected("exactly", required=required, allowed=seen.changed() - required)
        yield Fact("moved_things", {}, right)


def _at(place: Vector3, *, other: Vector3 | None = None) -> Expected:
    return Expected("place", places=(place,), others=() if other is None else (other,))


_FACTS = {
    "where": _where, "which_room": _which_room, "on_what": _on_what, "in_room": _in_room,
    "moved": _moved, "moved_from": _moved_from, "moved_to": _moved_to,
    "moved_things": _moved_things,
}  # fmt: skip
