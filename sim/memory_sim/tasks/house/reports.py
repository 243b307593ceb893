"""Tasks in which the robot is asked something: what, and which answers are right."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from memory_sim.tasks.house.errands import ASKER_M, Task, Told
from memory_sim.tasks.house.household import Glimpse, Household
from memory_sim.tasks.house.wording import NO, named, names_place, places_in
from memory_sim.worlds.home.people import moves
from memory_sim.worlds.home.placing import Spot
from memory_sim.worlds.home.plan import HomePlan
from memory_sim.worlds.home.things import THINGS

ENOUGH = 0.8
"""Share of the changes that must be named, and of what is named that must have changed."""
FIRST_PLACES = 3
QUESTIONS = 4


class WhatChanged(Task):
    """Say what people moved, took or brought in one room overnight, as far as it was in the open."""

    def begin(self, house: Household, random: np.random.Generator) -> str:
        """See `Task.begin`; a room is chosen in which something changed, where there is one."""
        changed = {room: _changed(house, room) for room in house.plan.room_by_name}
        rooms = sorted(room for room, things in changed.items() if things)
        room = str(random.choice(rooms or sorted(changed)))
        self.changed = changed[room]
        return f"What has changed in the {room} since yesterday? Name the things."

    def question(self, told: Told) -> str:
        """What has changed."""
        return "" if told.answers else "What has changed?"

    def conditions(self, house: Household, told: Told) -> dict[str, bool]:
        """Answered, most changes named, and little that did not change."""
        return {"answered": bool(told.answers)} | _named_well(house, told, self.changed)

    def over(self, told: Told) -> bool:
        """After one answer."""
        return told.done or bool(told.answers)


class PatrolAndReport(Task):
    """Drive through every room, come back, and say what changed in the house overnight."""

    def begin(self, house: Household, random: np.random.Generator) -> str:
        """See `Task.begin`."""
        self.changed = _changed(house, None)
        house.visited.clear()
        return "Patrol all rooms, come back here, and report what has changed since yesterday."

    def conditions(self, house: Household, told: Told) -> dict[str, bool]:
        """Everywhere, back, reported, most changes named, and little that did not change."""
        rooms = {room.name for room in house.plan.rooms if room.kind != "lift"}
        dock, here = house.plan.dock, house.true_pose
        back = abs(here.x - dock.x) + abs(here.y - dock.y) + abs(here.z - dock.z) <= ASKER_M
        return {
            "every room": rooms <= house.visited, "back": back, "reported": bool(told.answers),
        } | _named_well(house, told, self.changed)  # fmt: skip

    def over(self, told: Told) -> bool:
        """After one answer."""
        return told.done or bool(told.answers)


class SearchOrder(Task):
    """From some days of looking around: say where a thing is now, most likely places first."""

    days = 4

    def begin(self, house: Household, random: np.random.Generator) -> str:
        """Asks for something that was seen, where anything was and is still there."""
        seen = [name for name in sorted(house.first_seen) if name in house.world.things]
        self.thing = str(random.choice(seen or sorted(house.world.things)))
        return (
            f"Where would you look for the {house.plan.thing_by_id[self.thing].label} today? Name "
            f"furniture and room, the most likely first, with a semicolon between places."
        )

    def question(self, told: Told) -> str:
        """Where to look."""
        return "" if told.answers else "Where would you look, most likely first?"

    def conditions(self, house: Household, told: Told) -> dict[str, bool]:
        """Answered, and its place is among the first few named."""
        places = places_in(told.answers[0])[:FIRST_PLACES] if told.answers else ()
        furniture = house.where[self.thing].furniture
        found = bool(furniture) and any(names_place(p, house.plan, furniture) for p in places)
        return {"answered": bool(told.answers), "among the first": found}

    def over(self, told: Told) -> bool:
        """After one answer."""
        return told.done or bool(told.answers)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, and whether an answer to it is right."""

    words: str
    right: Callable[[str], bool]


class AnswerQuestions(Task):
    """Answer questions about what was seen on the days before, one after the other."""

    days = 3

    def begin(self, house: Household, random: np.random.Generator) -> str:
        """See `Task.begin`; one of the questions is about something that is not in any home."""
        self.asked = [_about_nothing(house.plan, random)]
        seen = sorted(house.last_seen)
        chosen = random.permutation(seen)[: QUESTIONS - 1].tolist()
        for thing, kind in zip(chosen, random.permutation(3).tolist(), strict=False):
            self.asked.append(_about(house, thing, kind))
        order = random.permutation(len(self.asked)).tolist()
        self.asked = [self.asked[number] for number in order]
        return f"Answer {len(self.asked)} questions about the days before."

    def question(self, told: Told) -> str:
        """The next one."""
        number = len(told.answers)
        return self.asked[number].words if number < len(self.asked) else ""

    def conditions(self, house: Household, told: Told) -> dict[str, bool]:
        """Each question answered right."""
        answers = [*told.answers, *[""] * len(self.asked)]
        return {
            f"question {number}": bool(answer) and asked.right(answer)
            for number, (asked, answer) in enumerate(zip(self.asked, answers, strict=False), 1)
        }

    def over(self, told: Told) -> bool:
        """After the last answer."""
        return told.done or len(told.answers) >= len(self.asked)


def _changed(house: Household, room: str | None) -> frozenset[str]:
    """Labels of what changed overnight where one can see it, in a room or (None) in the house."""
    plan = house.plan

    def in_it(spot: Spot | None) -> bool:
        if spot is None or plan.surface(spot).opening:
            return False
        return room is None or plan.furniture_by_id[spot.furniture].room == room

    return frozenset(
        plan.thing_by_id[move.thing].label
        for move in moves(plan, house.day)
        if in_it(move.before) or in_it(move.after)
    )


def _named_well(house: Household, told: Told, changed: frozenset[str]) -> dict[str, bool]:
    said = " ".join(told.answers)
    labels = {thing.label for thing in house.plan.things}
    mentioned = named(said, labels)
    right = len(mentioned & changed)
    return {
        "most named": bool(said) and right >= ENOUGH * len(changed),
        "little else": bool(said) and right >= ENOUGH * len(mentioned),
    }


def _about(house: Household, thing: str, kind: int) -> Asked:
    """A question about a thing that was seen."""
    plan, label = house.plan, house.plan.thing_by_id[thing].label
    last, first = house.last_seen[thing], house.first_seen[thing]
    if kind == 0 and last.where.furniture:
        return _what_on(plan, label, last)
    if kind == 1:
        day = first.day + 1
        return Asked(
            f"On which day did you first see the {label}: day 1 or day 2?",
            lambda answer: named(answer, ("day 1", "day 2")) == {f"day {day}"},
        )
    return Asked(
        f"Which room was the {label} in when you last saw it?",
        lambda answer: named(answer, plan.room_by_name) == {last.where.room},
    )


def _what_on(plan: HomePlan, label: str, last: Glimpse) -> Asked:
    furniture = plan.furniture_by_id[last.where.furniture].label
    labels = {piece.label for piece in plan.furniture}
    return Asked(
        f"What was the {label} on or in when you last saw it?",
        lambda answer: named(answer, labels) == {furniture},
    )


def _about_nothing(plan: HomePlan, random: np.random.Generator) -> Asked:
    absent = sorted(set(THINGS) - {thing.kind for thing in plan.things})
    kind = str(random.choice(absent))
    return Asked(f"Have you ever seen a {kind}?", lambda answer: bool(NO.match(answer)))
