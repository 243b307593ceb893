"""Takes a robot to poses: plans on its map, follows the plan, and finds another way when needed.

Every control step drives, scans, localises, and tells the caller (`driving.py`). What stands in
the way is in the map as soon as it is scanned; a way that it closes is planned anew (`ways.py`). A
robot that gets nowhere or bumps into something frees itself (`recovering.py`), and tries again a
few times before it says `blocked`; one that does not know where it is, and does not find out, says
`lost`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from memory_core.planning.body import (
    Arrival,
    Base,
    Interrupted,
    Lift,
    Localisation,
    Stand,
)
from memory_core.planning.navigation.driving import NO_PROGRESS_S, Driver, Moved
from memory_core.planning.navigation.floors import Floors
from memory_core.planning.navigation.frontiers import frontiers
from memory_core.planning.navigation.grid import OBSTACLE_M
from memory_core.planning.navigation.localisation import Localiser
from memory_core.planning.navigation.paths import Point, length_m
from memory_core.planning.navigation.planar import Planar, between, planar, spatial
from memory_core.planning.navigation.pursuit import Limits, Pursuit
from memory_core.planning.navigation.recovering import Recovery
from memory_core.planning.navigation.sight import in_sight
from memory_core.planning.navigation.standing import poses_facing
from memory_core.planning.navigation.ways import Ways
from memory_core.semantic.floor_plan import FloorPlan
from memory_core.types import BoolArray, FloatArray, Pose, Vector3

_OTHER_ROOM_M = 40.0
"""Who may look in through a doorway would go as far to stand inside."""
_TRIES = 5
_LOOKED_EVERY_S = 0.6
_LOOKED_AHEAD_M = 2.5
_WAITS_S, _PROGRESS_M = 1.0, 0.05


class GridNavigator:
    """A `Navigator` on a map of its own making.

    Attributes:
        driver: Moves the base.
        floor_plan: The rooms, where somebody tells them.
    """

    def __init__(
        self,
        base: Base,
        localiser: Localiser,
        *,
        lifts: Sequence[Lift] = (),
        limits: Limits | None = None,
        moved: Moved = lambda where, motion: None,
        through_unknown: bool = True,
        step_s: float = 0.2,
    ) -> None:
        """Stand still for one control step, and scan.

        Args:
            base: The wheels and the scanner.
            localiser: Of this robot.
            lifts: Ways between floors.
            limits: Speeds.
            moved: Called after every control step, to perceive or record.
            through_unknown: Whether ways may lead where nobody has looked yet.
            step_s: Length of a control step, seconds, at most 0.2.
        """
        limits = limits if limits is not None else Limits()
        self.floor_plan: FloorPlan | None = None
        self.driver = Driver(base, localiser, limits=limits, moved=moved, step_s=step_s)
        self._floors = Floors(lifts, localiser.atlas.heights_m)
        self._ways = Ways(self.driver, self._floors, through_unknown=through_unknown)
        self._recovery = Recovery(self.driver)

    # -- asking -----------------------------------------------------------------------------

    @property
    def localiser(self) -> Localiser:
        """Knows where the robot is, and the map; another may take its place."""
        return self.driver.localiser

    @localiser.setter
    def localiser(self, localiser: Localiser) -> None:
        self.driver.localiser = localiser

    @property
    def travelled_m(self) -> float:
        """Way driven so far, by the wheels."""
        return self.driver.travelled_m

    def where(self) -> Localisation:
        """Where the robot takes itself to be."""
        return self.localiser.where()

    def way(self, goal: Vector3) -> tuple[Vector3, ...]:
        """The way from here to within 1 m of a place, `map`; empty where there is none."""
        return tuple(
            (x, y, self.localiser.atlas.heights_m[leg.floor])
            for leg in self._ways.legs(goal)
            for x, y in leg.way
        )

    def travel_m(self, goal: Vector3) -> float:
        """Length of the way to within 1 m of a place; infinite where there is none."""
        legs = self._ways.legs(goal)
        return sum(length_m(leg.way) for leg in legs) if legs else math.inf

    def ways_m(self, start: Vector3, goals: Sequence[Vector3]) -> FloatArray:
        """Lengths of the ways from within 1 m of a place to within 1 m of n others, shape (n,)."""
        return self._ways.lengths_m(start, goals)

    def standing(
        self, target: Vector3, *, near_m: float, far_m: float, then: Vector3 | None = None
    ) -> tuple[Stand, ...]:
        """See `Navigator.standing`.

        Where the rooms are known, to look in through a doorway costs as much as 40 m.
        """
        floor, start = self._floors.of(target[2]), self._ways.here[:2]
        if floor != self.localiser.floor:
            legs = self._ways.legs(target)
            if not legs:
                return ()
            start = legs[-1].way[0]

        def facing() -> list[tuple[Planar, float]]:
            sweep = self._ways.sweep(floor, start)
            onward = None if then is None else self._ways.onward(floor, target, then)
            return poses_facing(sweep, target[:2], near_m=near_m, far_m=far_m, onward=onward)

        found = facing()
        if not found and self._ways.reopen(floor, start, target[:2], aside_m=far_m):
            found = facing()
        height = self.localiser.atlas.heights_m[floor]
        stands = []
        for place, cost_m in found:
            pose = spatial(place, z=height)
            inside = self._shares_room(pose, target)
            stands.append(Stand(pose, cost_m if inside else cost_m + _OTHER_ROOM_M))
        return tuple(sorted(stands, key=lambda stand: stand.cost_m))

    def in_sight(self, targets: Sequence[Vector3], inside_m: FloatArray) -> BoolArray:
        """See `Navigator.in_sight`."""
        there, here = np.reshape(targets, (-1, 3)), np.array(self._ways.here[:2])
        mine = np.array([self._floors.of(z) for z in there[:, 2]]) == self.localiser.floor
        seen = np.zeros(len(there), bool)
        seen[mine] = in_sight(self.localiser.grid, here, there[mine, :2], inside_m[mine])
        return seen

    def _shares_room(self, pose: Pose, target: Vector3) -> bool:
        """Whether a pose is in the room that a target is seen in from there."""
        if self.floor_plan is None:
            return True
        here, there = np.array([pose.position]), np.array([target])
        return bool(self.floor_plan.at(here) == self.floor_plan.seen_from(there, here))

    def frontiers(self) -> tuple[Vector3, ...]:
        """Places where something new is to be seen, `map`, on this floor before the others."""
        here, heights = self.localiser.floor, self.localiser.atlas.heights_m
        places = []
        for floor in sorted(range(len(heights)), key=lambda floor: abs(floor - here)):
            ground = self._ways.ground(floor)
            if not ground.grid.known.any():
                places += [stop.position for stop in self._floors.stops_on(floor)]
                continue
            for x, y in frontiers(ground).tolist():
                places.append((x, y, heights[floor]))
        return tuple(places)

    def doubt(self, at: Vector3, radius_m: float) -> None:
        """What stood around a place of the map may be gone; the camera will see what is there.

        The robot is slow there from now on.
        """
        floor = self._floors.of(at[2])
        self.localiser.atlas.grids[floor].clear_depth(at, radius_m)
        self.driver.careful_near(floor, at[:2], radius_m)

    def block(self, points: Sequence[Vector3]) -> None:
        """Something stands at these places of the map until floor is seen there.

        What is above the robot's head is not in its way.
        """
        for x, y, z in points:
            floor = self._floors.of(z)
            if z - self.localiser.atlas.heights_m[floor] < OBSTACLE_M[1]:
                self.localiser.atlas.grids[floor].mark(x, y)

    def see(self, points: FloatArray) -> None:
        """Add what a depth camera sees to the map: points, `map`, shape (n, 3)."""
        self.localiser.see(points)

    # -- going ------------------------------------------------------------------------------

    def go(
        self,
        goal: Pose,
        *,
        within_m: float = 0.1,
        within_rad: float = 0.1,
        interrupted: Interrupted = lambda: False,
    ) -> Arrival:
        """Drive to a pose of the base in `map`, around what is in the way."""
        before = self.travelled_m
        reason = self._go(goal, within_m, within_rad, interrupted)
        return Arrival(reason == "reached", reason, self.travelled_m - before)

    def turn(self, angle_rad: float, *, interrupted: Interrupted = lambda: False) -> Arrival:
        """Turn on the spot, counter-clockwise positive; more than a full turn is allowed."""
        reason = self.driver.turn(angle_rad, interrupted)
        return Arrival(reason == "reached", reason)

    def _go(self, goal: Pose, within_m: float, within_rad: float, interrupted: Interrupted) -> str:
        if not self.localiser.localised and not self._recovery.find_itself(interrupted):
            return "interrupted" if interrupted() else "lost"
        floor = self._floors.of(goal.z)
        if floor != self.localiser.floor:
            legs = self._ways.legs(goal.position)
            if not legs:
                return "no path"
            lift, stop = legs[0].lift, legs[0].stop
            assert lift is not None
            reason = self._drive_to(stop, 0.1, math.pi, interrupted)
            if reason != "reached":
                return reason
            inside = between(planar(stop), self.localiser.pose)
            arrived = self._floors.stop(lift, floor)
            self.driver.ride(self._floors.number(lift, floor), floor, inside, arrived)
        return self._drive_to(goal, within_m, within_rad, interrupted)

    def _drive_to(
        self, goal: Pose, within_m: float, within_rad: float, interrupted: Interrupted
    ) -> str:
        first, bumped = "", False
        for _ in range(_TRIES):
            reason = self._follow(goal, within_m, interrupted)
            if reason == "reached":
                reason = self.driver.face(goal.yaw, within_rad, interrupted)
                if reason == "blocked":
                    return reason
            if reason in ("reached", "interrupted", "lost"):
                return reason
            if reason == "no path" and first and self.localiser.localised:
                return first
            first = first or reason
            if reason == "bumped":
                self._recovery.leave_what_touches(interrupted, again=bumped)
                bumped = True
            else:
                self._recovery.back_off(interrupted)
        return first

    def _follow(self, goal: Pose, within_m: float, interrupted: Interrupted) -> str:
        """Follow a way, planning anew where it closes, until there or until something is wrong."""
        end = planar(goal)
        pursuit: Pursuit | None = None
        planned_on = self.localiser.grid
        looked = waited = stalled = 0.0
        nearest, planned_at = math.inf, self.localiser.pose
        while True:
            if interrupted():
                return "interrupted"
            if not self.localiser.localised and not self._recovery.find_itself(interrupted):
                return "interrupted" if interrupted() else "lost"
            pose = self.localiser.pose
            if math.dist(pose[:2], end[:2]) <= max(0.03, 0.5 * within_m):
                return "reached"
            if pursuit is None or planned_on is not self.localiser.grid or (
                looked >= _LOOKED_EVERY_S and self._closed(pursuit)
            ):  # fmt: skip
                planned_on = self.localiser.grid
                way = self._ways.to(end[:2], aside_m=within_m)
                if not way:
                    return "no path" if pursuit is None else "blocked"
                pursuit = Pursuit(
                    way, limits=self.driver.limits, radius_m=self.driver.base.radius_m
                )
                nearest = pursuit.remaining_m(pose)
                if math.dist(pose[:2], planned_at[:2]) > _PROGRESS_M:  # planning anew alone is none
                    stalled, planned_at = 0.0, pose
            looked = 0.0 if looked >= _LOOKED_EVERY_S else looked + self.driver.step_s
            remaining = pursuit.remaining_m(pose)
            if remaining < 0.02 and math.dist(pose[:2], end[:2]) <= within_m:
                return "reached"
            stalled = 0.0 if remaining < nearest - _PROGRESS_M else stalled + self.driver.step_s
            nearest = min(nearest, remaining) if stalled == 0 else nearest
            command = pursuit.command(
                pose, self.driver.obstacles, seconds=self.driver.step_s, clear=self._clear
            )
            waited = waited + self.driver.step_s if command.blocked else 0.0
            if waited > _WAITS_S or stalled > NO_PROGRESS_S:
                self._recovery.note_obstacles()
                return "reached" if math.dist(pose[:2], end[:2]) <= within_m else "blocked"
            motion = self.driver.step(command.linear_m_s, command.angular_rad_s)
            if motion.bumped:
                self._recovery.note_bump()
                return "bumped"

    def _closed(self, pursuit: Pursuit) -> bool:
        """Whether the next metres of a way have become too narrow.

        A point of a way lies up to half a diagonal off the middle of its cell, which is what has
        room for the robot and half a cell more.
        """
        rest = np.array(pursuit.rest(_LOOKED_AHEAD_M))[3:]
        return not self._has_room(rest)

    def _clear(self, start: Point, end: Point) -> bool:
        """Whether the map leaves room on a straight line, what only the camera saw included."""
        count = 1 + math.ceil(math.dist(start, end) / self.localiser.grid.cell_m)
        return self._has_room(np.linspace(start, end, count)[1:])

    def _has_room(self, points: FloatArray) -> bool:
        grid = self.localiser.grid
        radius = self.driver.base.radius_m - (math.sqrt(0.5) - 0.5) * grid.cell_m
        return not len(points) or grid.distance_to_occupied_m(points, within_m=radius) >= radius
