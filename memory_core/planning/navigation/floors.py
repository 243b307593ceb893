"""Ways across floors: to a lift, up or down, and on."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from memory_core.planning.body import Lift
from memory_core.planning.navigation.paths import length_m
from memory_core.types import Pose, Vector3

Point = tuple[float, float]
WayOn = Callable[[int, Point, Point], list[Point]]
"""Floor, start, end: the corners of the way, empty where there is none."""

_SAME_FLOOR_M = 0.5


@dataclass(frozen=True, slots=True)
class Leg:
    """The part of a way that lies on one floor.

    Attributes:
        floor: Its number.
        way: Its corners.
        lift: Taken at its end; None on the last.
        stop: Where to stand in that lift.
    """

    floor: int
    way: list[Point]
    lift: Lift | None
    stop: Pose


class Floors:
    """Numbers floors by their height, and knows which lifts stop where."""

    def __init__(self, lifts: Sequence[Lift], heights_m: Sequence[float]) -> None:
        self._lifts = tuple(lifts)
        self._heights_m = tuple(heights_m)

    def of(self, z: float) -> int:
        """The floor that a height belongs to: the highest one that is not above it."""
        below = [i for i, height in enumerate(self._heights_m) if height <= z + _SAME_FLOOR_M]
        return below[-1] if below else 0

    def stop(self, lift: Lift, floor: int) -> Pose:
        """Where to stand in a lift on a floor."""
        return lift.stops[self.number(lift, floor)]

    def stops_on(self, floor: int) -> tuple[Pose, ...]:
        """Where lifts stop on a floor."""
        stops = (stop for lift in self._lifts for stop in lift.stops)
        return tuple(stop for stop in stops if self.of(stop.z) == floor)

    def entries(self, floor: int, to: int) -> tuple[Vector3, ...]:
        """Where lifts that serve another floor stop on a floor."""
        return tuple(enter.position for _, enter, _ in self.rides(floor, to))

    def rides(self, start: int, end: int) -> tuple[tuple[Lift, Pose, Pose], ...]:
        """The lifts from one floor to another, and where to enter and to leave them."""
        served = [{self.of(stop.z) for stop in lift.stops} for lift in self._lifts]
        return tuple(
            (lift, self.stop(lift, start), self.stop(lift, end))
            for lift, floors in zip(self._lifts, served, strict=True)
            if {start, end} <= floors
        )

    def number(self, lift: Lift, floor: int) -> int:
        """Which of a lift's stops is on a floor."""
        return next(i for i, stop in enumerate(lift.stops) if self.of(stop.z) == floor)

    def legs(self, start: Vector3, end: Vector3, way_on: WayOn) -> list[Leg]:
        """The shortest way, floor by floor; empty where there is none.

        Args:
            start: In the map.
            end: In the map.
            way_on: Finds ways on one floor.
        """
        first, last = self.of(start[2]), self.of(end[2])
        goal = Pose(*end)
        if first == last:
            way = way_on(first, start[:2], end[:2])
            return [Leg(first, way, None, goal)] if way else []
        best: list[Leg] = []
        shortest = math.inf
        for lift, enter, leave in self.rides(first, last):
            there = way_on(first, start[:2], (enter.x, enter.y))
            onward = way_on(last, (leave.x, leave.y), end[:2])
            length = length_m(there) + length_m(onward)
            if there and onward and length < shortest:
                best = [Leg(first, there, lift, enter), Leg(last, onward, None, goal)]
                shortest = length
        return best
