"""What people do in a home between the robot's days, from the plan's seed.

Day 0 is the plan itself. Before each later day people move things (mostly to where such things
belong), take some away, bring others, leave drawers open or close them, and the light is another.
Doors between rooms stay open, cupboard doors are left ajar at most: a robot must get through.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from memory_core.types import Vector3
from memory_sim.worlds.home.placing import Footprint, Spot, footprint
from memory_sim.worlds.home.plan import HomePlan, belonging_spot

SHARE_MOVED = 0.18
SHARE_ASTRAY = 0.2
"""Of what is moved: put where such things do not belong."""
SHARE_TAKEN = 0.15
LEFT_OPEN = 0.06
CLOSED_AGAIN = 0.7
_STREAM = 71


@dataclass(frozen=True, slots=True)
class Move:
    """A thing that people moved, took away or brought before a day.

    Attributes:
        day: The first day on which it is so.
        thing: Id.
        before: Where it was; None where it was not in the home.
        after: Where it is; None where it is gone.
    """

    day: int
    thing: str
    before: Spot | None
    after: Spot | None


@dataclass(frozen=True, slots=True)
class Setting:
    """A drawer or door that people left otherwise before a day; openness from 0 to 1."""

    day: int
    opening: str
    before: float
    after: float


@dataclass(frozen=True, slots=True)
class Lighting:
    """The light of a day.

    Attributes:
        ambient: Share of light that comes from everywhere.
        diffuse: Share of light that comes from one side.
        direction: Towards the light.
        tint: Of the light, red, green, blue.
    """

    ambient: float
    diffuse: float
    direction: Vector3
    tint: Vector3


@dataclass(frozen=True)
class HomeState:
    """A home on the morning of a day.

    Attributes:
        day: 0 the first.
        spots: By thing; things that are not in the home are missing.
        openness: By opening, 0 closed to 1 open; the openings' ids are `furniture id/name`.
        lighting: Of the day.
    """

    day: int
    spots: Mapping[str, Spot]
    openness: Mapping[str, float]
    lighting: Lighting


def opening_id(furniture: str, name: str) -> str:
    """How an opening of a piece of furniture is called everywhere."""
    return f"{furniture}/{name}"


def state(plan: HomePlan, day: int) -> HomeState:
    """The home as it is on the morning of a day.

    Raises:
        ValueError: The day is negative.
    """
    if day < 0:
        raise ValueError(f"day {day}; the first is 0")
    spots = {thing.id: thing.spot for thing in plan.things if thing.spot is not None}
    openness = _first_openness(plan)
    for number in range(1, day + 1):
        for move in _moves(plan, number, spots):
            spots.pop(move.thing, None)
            if move.after is not None:
                spots[move.thing] = move.after
        for setting in _settings(plan, number, openness):
            openness[setting.opening] = setting.after
    return HomeState(day, spots, openness, lighting(plan.seed, day))


def moves(plan: HomePlan, day: int) -> tuple[Move, ...]:
    """What people moved, took and brought between the day before and a day.

    Raises:
        ValueError: The day is not after the first.
    """
    if day < 1:
        raise ValueError(f"day {day}; people move things before day 1 at the earliest")
    return tuple(_moves(plan, day, dict(state(plan, day - 1).spots)))


def settings(plan: HomePlan, day: int) -> tuple[Setting, ...]:
    """Which drawers and doors stand otherwise than the day before.

    Raises:
        ValueError: The day is not after the first.
    """
    if day < 1:
        raise ValueError(f"day {day}; people open and close before day 1 at the earliest")
    return tuple(_settings(plan, day, dict(state(plan, day - 1).openness)))


def lighting(seed: int, day: int) -> Lighting:
    """The light of a day in the home of a seed."""
    random = np.random.default_rng([seed, _STREAM, 2, day])
    warm = float(random.uniform(-0.07, 0.07))
    angle = float(random.uniform(-math.pi, math.pi))
    return Lighting(
        float(random.uniform(0.5, 0.72)), float(random.uniform(0.3, 0.5)),
        (2.0 * math.cos(angle), 2.0 * math.sin(angle), float(random.uniform(2.5, 6.0))),
        (1.0 + warm, 1.0, 1.0 - warm),
    )  # fmt: skip


def _first_openness(plan: HomePlan) -> dict[str, float]:
    return {
        opening_id(piece.id, opening.name): 1.0 if piece.label == "door" else 0.0
        for piece in plan.furniture
        for opening in piece.kind.openings
    }


def _moves(plan: HomePlan, day: int, spots: Mapping[str, Spot]) -> list[Move]:
    """Things are taken up one after the other; each finds a place among what then stands there."""
    random = np.random.default_rng([plan.seed, _STREAM, 0, day])
    now = dict(spots)
    room_kinds = {room.name: room.kind for room in plan.rooms}
    present = [thing.id for thing in plan.things if thing.id in now]
    away = [thing.id for thing in plan.things if thing.id not in now]
    count = max(3, round(SHARE_MOVED * len(present)))
    chosen = [present[int(i)] for i in random.permutation(len(present))[:count]]
    chosen += [away[int(i)] for i in random.permutation(len(away))[: int(random.integers(1, 4))]]
    found = []
    for name in chosen:
        thing, before = plan.thing_by_id[name], now.pop(name, None)
        if before is not None and random.random() < SHARE_TAKEN:
            found.append(Move(day, name, before, None))
            continue
        after = belonging_spot(
            thing, [p for p in plan.furniture if before is None or p.id != before.furniture],
            room_kinds, _taken(plan, now), random, anywhere=bool(random.random() < SHARE_ASTRAY),
        )  # fmt: skip
        after = after or before
        if after is not None:
            now[name] = after
        if after != before:
            found.append(Move(day, name, before, after))
    return found


def _taken(plan: HomePlan, spots: Mapping[str, Spot]) -> dict[tuple[str, str], list[Footprint]]:
    taken: dict[tuple[str, str], list[Footprint]] = {}
    for name, spot in spots.items():
        place = taken.setdefault((spot.furniture, spot.surface), [])
        place.append(footprint(plan.thing_by_id[name], spot))
    return taken


def _settings(plan: HomePlan, day: int, openness: Mapping[str, float]) -> list[Setting]:
    random = np.random.default_rng([plan.seed, _STREAM, 1, day])
    found = []
    for piece in plan.furniture:
        for opening in piece.kind.openings if piece.label != "door" else ():
            name = opening_id(piece.id, opening.name)
            before, chance, share = openness[name], float(random.random()), float(random.random())
            if before > 0 and chance < CLOSED_AGAIN:
                found.append(Setting(day, name, before, 0.0))
            elif before == 0 and chance < LEFT_OPEN:
                after = 0.5 + share / 2 if opening.hinge is None else 0.1 + 0.15 * share
                found.append(Setting(day, name, 0.0, after))
    return found
