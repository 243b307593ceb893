"""The ways of one robot on all floors, kept while the map stays as it is.

Where a little that only the depth camera saw closes every way to a place (a door that stood open,
a few false points in a doorway), or walls the robot in, it is forgotten: the robot goes there, and
sees it again or not.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from memory_core.planning.navigation.driving import Driver
from memory_core.planning.navigation.floors import Floors, Leg
from memory_core.planning.navigation.paths import Ground, Point, Sweep, along
from memory_core.types import FloatArray, Vector3

WITHIN_REACH_M = 1.0
_WALLED_IN_M2, _FREED_M = 1.0, 1.2
_REOPENED_M, _REOPENED_AGAIN_S, _SAME_SPOT_M = 1.2, 60.0, 0.5
"""So long a stretch is doubted where only the camera saw it closed, and anew after so long."""
_FARTHEST_UNKNOWN_M = 30.0


class Ways:
    """Finds ways from where a robot is, and between any two places."""

    def __init__(self, driver: Driver, floors: Floors, *, through_unknown: bool) -> None:
        """See `GridNavigator`."""
        self._driver = driver
        self._floors = floors
        self._through_unknown = through_unknown
        self._grounds: dict[int, Ground] = {}
        self._from_here: Sweep | None = None
        self._on: dict[int, Sweep] = {}
        self._after: Sweep | None = None
        self._freed_at: Point | None = None
        self._doubting: Sweep | None = None
        self._reopened: list[tuple[int, float, float, int]] = []
        """Floor, place and time of what was doubted."""

    @property
    def here(self) -> Vector3:
        """Where the robot is, in the map."""
        x, y, _ = self._driver.localiser.pose
        return (x, y, self._driver.localiser.height_m)

    def legs(self, goal: Vector3) -> list[Leg]:
        """The way from here to within 1 m of a place, floor by floor; empty where there is none."""
        return self._floors.legs(self.here, goal, self._way_on)

    def to(self, end: Point, *, aside_m: float) -> list[Point]:
        """The way to a place on this floor, or to so far aside; empty where there is none."""
        floor, here = self._driver.localiser.floor, self.here[:2]
        self._make_room(floor, here, end)
        way = Sweep(self.ground(floor), end, aside_m=aside_m).way(here)
        if not way and self.reopen(floor, here, end, aside_m=aside_m):
            way = Sweep(self.ground(floor), end, aside_m=aside_m).way(here)
        if way and self.ground(floor).clear(way[-1], end):
            way[-1] = end
        return way

    def lengths_m(self, start: Vector3, goals: Sequence[Vector3]) -> FloatArray:
        """Lengths of the ways from within 1 m of a place to within 1 m of n others, shape (n,)."""
        floor = self._floors.of(start[2])
        floors = np.array([self._floors.of(goal[2]) for goal in goals])
        places = [goal[:2] for goal in goals]
        if floor == self._driver.localiser.floor and start[:2] == self.here[:2]:
            sweep = self._sweep_from_here()
        else:
            sweep = Sweep(self.ground(floor), start[:2], aside_m=WITHIN_REACH_M)
        there = sweep.lengths_m(places, aside_m=WITHIN_REACH_M)
        found = np.where(floors == floor, there, math.inf)
        for other in set(floors.tolist()) - {floor}:
            for _, enter, leave in self._floors.rides(floor, other):
                first = sweep.lengths_m([enter.position[:2]])
                rest = self._sweep_on(other, leave.position[:2])
                onward = first + rest.lengths_m(places, aside_m=WITHIN_REACH_M)
                found = np.where(floors == other, np.minimum(found, onward), found)
        return found

    def ground(self, floor: int) -> Ground:
        """Where the robot's middle may be on a floor."""
        grid = self._driver.localiser.atlas.grids[floor]
        known = self._grounds.get(floor)
        if known is None or not known.is_of(grid):
            known = Ground.of(
                grid, radius_m=self._driver.base.radius_m, through_unknown=self._through_unknown
            )
            self._grounds[floor] = known
        return known

    def sweep(self, floor: int, start: Point) -> Sweep:
        """The ways from a place on any floor."""
        if floor == self._driver.localiser.floor and start == self.here[:2]:
            return self._sweep_from_here()
        return self._sweep_on(floor, start)

    def onward(self, floor: int, target: Vector3, then: Vector3) -> Sweep:
        """The ways from where the robot goes after a target, or from the lift that it takes."""
        ends = [then[:2]]
        if self._floors.of(then[2]) != floor:
            ends = [
                (x, y) for x, y, _ in self._floors.entries(floor, self._floors.of(then[2]))
            ] or ends
        end = min(ends, key=lambda place: math.dist(place, target[:2]))
        self._after = Sweep.renewed(self._after, self.ground(floor), end)
        return self._after

    def reopen(self, floor: int, start: Point, end: Point, *, aside_m: float) -> bool:
        """Forget what only the camera saw where it alone closes every way to a place.

        The scanner's map must have a way, and little of it may be closed: a whole table is not
        doubted, and nothing twice within a minute. What stands there is seen again on the way.

        Returns:
            Whether anything was forgotten.
        """
        grid, ground = self._driver.localiser.atlas.grids[floor], self.ground(floor)
        swept = self._sweep_doubting(floor, start)
        cut_off = ground.passable & ~self.sweep(floor, start).reached
        goal = swept.cheapest(cut_off, end, within_m=aside_m)
        if goal is None:
            return False
        way = along(swept.way(goal), step_m=grid.cell_m / 2)
        closed = way[~ground.passable[tuple(grid.cells(way).T)]]
        if not len(closed) or len(closed) * grid.cell_m / 2 > _REOPENED_M:
            return False
        now_ns, (x, y) = self._driver.base.stamp_ns, closed.mean(axis=0).tolist()
        self._reopened = [
            one for one in self._reopened if now_ns - one[3] < _REOPENED_AGAIN_S * 1e9
        ]
        if any(
            one[0] == floor and math.dist(one[1:3], (x, y)) < _SAME_SPOT_M for one in self._reopened
        ):
            return False
        self._reopened.append((floor, x, y, now_ns))
        for point in closed.tolist():
            grid.clear_depth(point, self._driver.base.radius_m + 1.5 * grid.cell_m)
        return True

    def _way_on(self, floor: int, start: Point, end: Point) -> list[Point]:
        self._make_room(floor, start, end)
        back = self.sweep(floor, start).way(end, aside_m=WITHIN_REACH_M)
        if not back and self.reopen(floor, start, end, aside_m=WITHIN_REACH_M):
            back = self.sweep(floor, start).way(end, aside_m=WITHIN_REACH_M)
        return back[::-1]

    def _make_room(self, floor: int, start: Point, end: Point) -> None:
        """Let the map reach as far as a way into the unknown may have to."""
        if self._through_unknown and math.dist(start, end) < _FARTHEST_UNKNOWN_M:
            self._driver.localiser.atlas.grids[floor].include(np.array([start, end]))

    def _sweep_on(self, floor: int, start: Point) -> Sweep:
        """The ways from a place; a floor that the robot is not on stays as it is."""
        self._on[floor] = Sweep.renewed(self._on.get(floor), self.ground(floor), start)
        return self._on[floor]

    def _sweep_from_here(self) -> Sweep:
        """The ways from here; a robot that is walled in by what its camera saw forgets it.

        A drawer that stood open, or a door, may have been closed since.
        """
        localiser, here = self._driver.localiser, self.here[:2]
        swept = Sweep.renewed(self._from_here, self.ground(localiser.floor), here)
        if swept is not self._from_here and (
            swept.area_m2 < _WALLED_IN_M2 and self._freed_at != here
        ):
            self._freed_at = here
            localiser.grid.clear_depth(localiser.pose, _FREED_M)
            swept = Sweep(self.ground(localiser.floor), here)
        self._from_here = swept
        return swept

    def _sweep_doubting(self, floor: int, start: Point) -> Sweep:
        """The ways from a place where what only the camera saw may be driven through."""
        grid, swept = self._driver.localiser.atlas.grids[floor], self._doubting
        if swept is None or swept.root != start or not swept.ground.is_of(grid):
            bold = Ground.of(
                grid, radius_m=self._driver.base.radius_m,
                through_unknown=self._through_unknown, doubting=True,
            )  # fmt: skip
            swept = self._doubting = Sweep(bold, start)
        return swept
