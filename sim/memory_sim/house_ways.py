"""Shortest ways through a home, from its plan: what scoring holds the robot's ways against."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph

from memory_core.types import BoolArray, FloatArray, IntArray, Pose, Vector3
from memory_sim.worlds.home.layout import STOREY_M, Room
from memory_sim.worlds.home.passages import CELL_M, FloorGrid
from memory_sim.worlds.home.plan import HomePlan, obstacles
from memory_sim.worlds.home.robot_model import BASE_RADIUS_M

ROOMY_M = 0.45
"""People stand where there is so much room around them."""
_STEPS = tuple(
    (r, c) for r in range(-2, 3) for c in range(-2, 3) if math.gcd(r, c) == 1
)  # eight neighbours and the knight's moves: lengths are at most 3 % too long


class Floor(FloorGrid):
    """The free floor of one storey, and the lengths of ways over it."""

    def __init__(self, rectangles: Sequence[tuple[float, float, float, float]]) -> None:
        """Find where the robot fits.

        Args:
            rectangles: What stands there.
        """
        super().__init__(rectangles, radius_m=BASE_RADIUS_M)
        self._nodes: IntArray = np.full(self.free.shape, -1, np.int64)
        self._nodes[self.free] = np.arange(int(self.free.sum()))
        self.centres: FloatArray = self._low + (np.argwhere(self.free) + 0.5) * CELL_M
        self._graph = _graph(self._nodes)

    def lengths_m(self, start: tuple[float, float]) -> FloatArray:
        """Lengths of the shortest ways from a point to every free cell, as in `centres`."""
        nearest = int(np.hypot(*(self.centres - start).T).argmin())
        return np.asarray(csgraph.dijkstra(self._graph, indices=nearest))

    def roomy(self) -> BoolArray:
        """Which free cells have room around them, as in `centres`."""
        return np.asarray(self.clearance_m[self.free] >= ROOMY_M)


class Ways:
    """Shortest ways through a home."""

    def __init__(self, plan: HomePlan) -> None:
        """Find the free floor.

        Args:
            plan: The home.
        """
        self._plan = plan
        self.floors = tuple(
            Floor(obstacles(floor, plan.walls, plan.furniture, plan.rooms))
            for floor in range(plan.floors)
        )
        self._from_dock = self.lengths_m(plan.dock.position)

    def free_place(self, random: np.random.Generator) -> Vector3:
        """A place where somebody may stand, drawn from those that the robot gets to."""
        rooms = [room for room in self._plan.rooms if room.kind != "lift"]
        while True:
            room = rooms[int(random.integers(len(rooms)))]
            floor = self.floors[room.floor]
            reached = np.isfinite(self._from_dock[room.floor])
            choices = np.flatnonzero(floor.roomy() & reached & inside(room, floor.centres))
            if len(choices):
                x, y = floor.centres[choices[int(random.integers(len(choices)))]].tolist()
                return (x, y, room.z)

    def lengths_m(self, start: Vector3) -> tuple[FloatArray, ...]:
        """Lengths of the shortest ways from a place to the free cells of each floor; lifts are free."""
        here = self._floor_of(start)
        own = self.floors[here].lengths_m(start[:2])
        found: list[FloatArray] = []
        for number, floor in enumerate(self.floors):
            if number == here:
                found.append(own)
                continue
            stops = self._stops()
            to_lift = float(own[self._cell(here, stops[here])])
            found.append(to_lift + floor.lengths_m(stops[number].position[:2]))
        return tuple(found)

    def to_see_m(self, start: Vector3, thing: Vector3, *, far_m: float) -> float:
        """Shortest way to where a thing in the same room is near enough."""
        floor, near = self._near(thing, 0.0, far_m)
        return float(self.lengths_m(start)[floor][near].min(initial=math.inf))

    def to_fetch_m(
        self, start: Vector3, thing: Vector3, end: Vector3, *, reach_m: tuple[float, float]
    ) -> float:
        """Shortest way to where a thing can be reached, and on to a place."""
        floor, near = self._near(thing, *reach_m)
        there, on = self.lengths_m(start)[floor], self.lengths_m(end)[floor]
        return float((there + on)[near].min(initial=math.inf))

    def _near(self, thing: Vector3, least_m: float, most_m: float) -> tuple[int, BoolArray]:
        """Free cells of a thing's room between two distances from it; the nearest where none is."""
        number = self._floor_of(thing)
        centres = self.floors[number].centres
        away = np.hypot(*(centres - thing[:2]).T)
        room = self._plan.room_at(*thing)
        shared = inside(room, centres) if room is not None else np.ones(len(centres), bool)
        near = shared & (away >= least_m) & (away <= most_m)
        if not near.any() and shared.any():
            near = shared & (away <= away[shared].min() + CELL_M)
        return number, np.asarray(near)

    def _floor_of(self, place: Vector3) -> int:
        return min(max(int((place[2] + 0.2) // STOREY_M), 0), len(self.floors) - 1)

    def _stops(self) -> tuple[Pose, ...]:
        return self._plan.lift.stops if self._plan.lift is not None else ()

    def _cell(self, floor: int, pose: Pose) -> int:
        return int(np.hypot(*(self.floors[floor].centres - pose.position[:2]).T).argmin())


def inside(room: Room, points: FloatArray) -> BoolArray:
    """Which points, shape (n, 2), lie in a room."""
    return np.asarray(((points >= room.low) & (points < room.high)).all(axis=1))


def _graph(nodes: IntArray) -> sparse.csr_array:
    """Steps between free cells with their lengths, sparse, shape (n, n)."""
    padded = np.pad(nodes, 2, constant_values=-1)
    rows, columns = np.nonzero(padded >= 0)
    starts, ends, metres = [], [], []
    for down, right in _STEPS:
        there = padded[rows + down, columns + right]
        free = there >= 0
        starts.append(padded[rows, columns][free])
        ends.append(there[free])
        metres.append(np.full(int(free.sum()), CELL_M * math.hypot(down, right)))
    count = int(nodes.max()) + 1
    return sparse.csr_array(
        (np.concatenate(metres), (np.concatenate(starts), np.concatenate(ends))),
        shape=(count, count),
    )
