"""Whether an errand was done, and how well, from the simulator's truth alone.

- fetch: the thing was taken out of the robot's hand, within 2 m of the asker.
- find: the robot stands in the thing's room, within 2 m of it, and faces it.
- put, put back: the thing stands on, or in, the right piece of furniture, and the hand is empty.
- go: the robot stands in the room.
- return: the robot stands within 2 m of where the thing was on the first morning, facing it.

What the robot itself says of how it went plays no part, save for `find`, where it must say so.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from memory_core.types import Json, Pose, Vector3
from memory_sim.house_errands import Asked
from memory_sim.house_ways import Ways
from memory_sim.worlds.home.plan import HomePlan
from memory_sim.worlds.home.truth import Whereabouts

NEAR_M = 2.0
FACING_RAD = math.radians(45)
SEE_FROM_M = 1.8
LEAST_M = 0.5
"""Ways shorter than this count as so long: a turn on the spot is no way to compare."""
WALKING_M_S = 0.5
"""Contacts faster than a slow walk."""

Search = tuple[int, int, int]
"""Home, day, and number of the errand."""


@dataclass(frozen=True, slots=True)
class Length:
    """How long a search was: the columns that tell it.

    Attributes:
        found: Until the thing was there to be taken; None in rows where it was not found.
        whole: Of the errand.
        least: What is shorter counts as so long.
    """

    found: str
    whole: str
    least: float


WAY, TIME = Length("search_m", "driven_m", LEAST_M), Length("search_s", "simulated_s", 1.0)


@dataclass(frozen=True, slots=True)
class Situation:
    """The true state of a home at a moment.

    Attributes:
        base: Where the robot is, `map`.
        things: Where each thing is.
        given: Ids of things that were handed over since the errand began.
        gave_at: Where the robot was when it last held something out; None where it never did.
        holding: Whether the hand holds something.
    """

    base: Pose
    things: Mapping[str, Whereabouts]
    given: tuple[str, ...] = ()
    gave_at: Pose | None = None
    holding: bool = False


def is_done(
    asked: Asked, end: Situation, plan: HomePlan, first: Mapping[str, Whereabouts], *, said: bool
) -> bool:
    """Whether an errand was done.

    Args:
        asked: The errand.
        end: How things are after it.
        plan: The home.
        first: Where things were on the first morning.
        said: Whether the robot says that it was.
    """
    room = plan.room_at(*end.base.position)
    if asked.kind == "fetch":
        near = end.gave_at is not None and math.dist(end.gave_at.position, asked.asker) <= NEAR_M
        return near and end.given == (asked.thing,)
    if asked.kind == "find":
        where = end.things[asked.thing]
        return said and room is not None and room.name == where.room and facing(end.base, where.position)  # fmt: skip
    if asked.kind in ("put", "put back"):
        return not end.holding and end.things[asked.thing].furniture in asked.furniture
    if asked.kind == "go":
        return room is not None and room.name == asked.room
    if asked.kind == "return":
        return facing(end.base, first[asked.thing].position)
    raise ValueError(f"an errand of the kind {asked.kind!r} cannot be scored")


def facing(base: Pose, place: Vector3) -> bool:
    """Whether a robot stands near a place of its floor, and looks there."""
    x, y, z = base.inverse().apply(*place)
    near = math.hypot(x, y) <= NEAR_M and -0.3 <= z <= 2.4
    return near and abs(math.atan2(y, x)) <= FACING_RAD


def shortest_m(
    asked: Asked, start: Situation, ways: Ways, *, reach_m: tuple[float, float]
) -> float | None:
    """The shortest way to do a fetch or a find; None for other errands.

    Args:
        asked: The errand.
        start: How things are before it.
        ways: Of the home.
        reach_m: Nearest and farthest distance that the hand reaches.
    """
    here = start.base.position
    if asked.kind == "fetch":
        thing = start.things[asked.thing].position
        return ways.to_fetch_m(here, thing, asked.asker, reach_m=reach_m)
    if asked.kind == "find":
        return ways.to_see_m(here, start.things[asked.thing].position, far_m=SEE_FROM_M)
    return None


def spl(done: bool, shortest: float, driven: float) -> float:
    """Success weighted by shortest way over way driven (Anderson et al. 2018).

    Args:
        done: Whether the errand was done.
        shortest: Metres.
        driven: Metres.
    """
    least = max(shortest, LEAST_M)
    return float(done) * least / max(driven, least)


def metrics(rows: Sequence[Json]) -> Json:
    """What an agent reached, from its rows.

    Args:
        rows: Of one agent: errands, questions and days, as `two_days` makes them.
    """
    errands = [row for row in rows if row["row"] == "errand"]
    answers = [row for row in rows if row["row"] == "question"]
    days = [row for row in rows if row["row"] == "day"]
    still = [
        spl(row["done"], row["shortest_m"], row["driven_m"])
        for row in errands
        if not row["moved"] and not row["hidden"] and row["shortest_m"] is not None
    ]
    contacts = [speed for row in days for speed in row["contacts_m_s"]]
    return {
        "answers": _share([row["right"] for row in answers]),
        "errands": _share([row["done"] for row in errands]),
        "spl": _share(still),
        "episodes": len(days),
        "n_errands": len(errands),
        "n_answers": len(answers),
        "n_spl": len(still),
        "said_wrongly": sum(row["said"] and not row["done"] for row in errands),
        "too_long": sum(row["reason"] == "interrupted" for row in errands),
        "contacts": len(contacts),
        "hard_contacts": sum(speed > WALKING_M_S for speed in contacts),
        "simulated_minutes": _mean([row["simulated_s"] / 60 for row in days]),
        "seconds_a_day": _mean([row["seconds"] for row in days]),
    }


def search_ratio(
    rows: Sequence[Json], others: Sequence[Json], *, both: bool = True, length: Length = WAY
) -> tuple[float | None, int]:
    """How long an agent searches for what moved, over how long another does.

    To compare where both found it favours who gives up: the hard searches are left out. Where
    either found it, who did not counts with the whole errand, which is less than it would have
    taken.

    Args:
        rows: Of the agent.
        others: Of the one it is compared with.
        both: Whether over errands of the same day on which both found it, or on which either did.
        length: Of the way, or of the time.

    Returns:
        The ratio of what it took until the thing was there; None where there is none; and over how
        many errands.
    """
    found = list(paired_searches(rows, others, both=both, length=length).values())
    whole = sum(theirs for _, theirs in found)
    return (sum(mine for mine, _ in found) / whole if whole > 0 else None), len(found)


def paired_searches(
    rows: Sequence[Json], others: Sequence[Json], *, both: bool, length: Length = WAY
) -> dict[Search, tuple[float, float]]:
    """How long an agent and another searched on the same errands for what moved.

    Args:
        rows: Of the agent.
        others: Of the one it is compared with.
        both: See `search_ratio`.
        length: Of the way, metres, or of the time, seconds.

    Returns:
        By errand, in their order.
    """
    mine, theirs = _searches(rows, length), _searches(others, length)
    enough = all if both else any
    return {
        key: (mine[key][0], theirs[key][0])
        for key in sorted(set(mine) & set(theirs))
        if enough((mine[key][1], theirs[key][1]))
    }


def _searches(rows: Sequence[Json], length: Length) -> dict[Search, tuple[float, bool]]:
    """How long errands for what moved were, and whether it was found; older rows have no times."""
    return {
        (row["seed"], row["day"], row["number"]): (
            max(row[length.whole if row[length.found] is None else length.found], length.least),
            row[length.found] is not None,
        )
        for row in rows
        if row["row"] == "errand" and row["moved"] and length.found in row
    }


def _share(values: Sequence[float]) -> float | None:
    return round(sum(values) / len(values), 4) if values else None


def _mean(values: Sequence[float]) -> float | None:
    return round(sum(values) / len(values), 2) if values else None
