"""What every task at the table is made of: things, a course of events, and conditions in order."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from memory_core.types import FloatArray
from memory_sim.worlds.table.world import TableWorld

TOUCH_M = 0.05
"""A tool that rests this near to the middle of a thing touches it (Cherepanov et al. 2025)."""
REACHABLE = ((0.33, -0.32), (0.67, 0.32))
"""Corners of the part of the table where things are put, x and y, metres."""
_STILL_M_S = 0.02
_GONE_M = 0.09
"""Further from the middle of a thing than this, the hand has let go of it."""
ORDERS = {
    "any": "in any order", "shown": "in the order in which they were shown",
    "reverse": "in the reverse order of being shown",
}  # fmt: skip
"""In which deeds are due, and how that is said."""
Check = Callable[[], bool]


@dataclass(slots=True)
class Goal:
    """Conditions that come about one after the other; what came about once stays so.

    Attributes:
        conditions: Name and check of each, in order.
    """

    conditions: tuple[tuple[str, Check], ...]
    met: int = field(default=0, init=False)

    def check(self) -> None:
        """See whether the next conditions hold now."""
        while self.met < len(self.conditions) and self.conditions[self.met][1]():
            self.met += 1

    @property
    def reached(self) -> bool:
        """Whether all have come about."""
        return self.met == len(self.conditions)

    def shown(self) -> dict[str, bool]:
        """Which have come about, in order."""
        return {name: number < self.met for number, (name, _) in enumerate(self.conditions)}


class Task(ABC):
    """One episode of a task; what is drawn is drawn when it is made.

    Attributes:
        instruction: What the agent is told now.
        goal: What success takes.
        spoiled: Why it cannot succeed any more; empty while it can.
    """

    instruction: str
    goal: Goal
    spoiled: str = ""

    def __init__(self, table: TableWorld, random: np.random.Generator) -> None:
        """Set the table.

        Args:
            table: An empty one.
            random: All that is drawn comes from it.
        """
        self.table, self.random = table, random

    @abstractmethod
    def change(self, step: int) -> None:
        """What happens on the table before a step: things come and go; 0 is the first."""

    def judge(self, step: int) -> None:
        """See, after a step, what has come about."""
        self.goal.check()

    @abstractmethod
    def answer(self) -> dict[str, Any]:
        """What has to be remembered, for oracles: `things` are names in the order they are due."""


class Maker(Protocol):
    """Draws an episode of a task on an empty table."""

    def __call__(self, table: TableWorld, random: np.random.Generator) -> Task:
        """Set the table."""


def in_order(shown: Sequence[str], order: str) -> list[str]:
    """Names as they are due, by one of `ORDERS`."""
    return list(shown) if order != "reverse" else list(shown)[::-1]


def touched(table: TableWorld, names: Iterable[str], *, within_m: float = TOUCH_M) -> str:
    """The thing that the resting tool touches, the nearest one; empty where none."""
    if not table.arm.at_rest():
        return ""
    near = {name: distance for name in names if (distance := table.distance(name)) <= within_m}
    return min(near, key=lambda name: near[name]) if near else ""


def lies_at(
    table: TableWorld, name: str, place: FloatArray | tuple[float, float], *, within_m: float
) -> bool:
    """Whether a thing lies still on the table near a place, the hand off it."""
    pose = table.pose(name)
    near = math.dist((pose.x, pose.y), place) < within_m
    low = pose.z < table.models[name].size[2]
    return near and low and table.speed(name) < _STILL_M_S and not table.touched_by_arm(name)


def left_alone(table: TableWorld, name: str) -> bool:
    """Whether a thing lies still and the hand has gone away from it."""
    return table.speed(name) < _STILL_M_S and table.distance(name) > _GONE_M


def spread(
    count: int, random: np.random.Generator, *, apart_m: float,
    low: tuple[float, float] = REACHABLE[0], high: tuple[float, float] = REACHABLE[1],
) -> FloatArray:  # fmt: skip
    """Places on the table that are not too near to one another, drawn by throwing darts.

    Returns:
        x and y, metres, shape (count, 2).
    """
    places: list[FloatArray] = []
    while len(places) < count:
        places = []
        for _ in range(60 * count):
            place = random.uniform(low, high)
            if all(np.linalg.norm(place - other) >= apart_m for other in places):
                places.append(place)
            if len(places) == count:
                break
    return np.array(places).reshape(count, 2)
