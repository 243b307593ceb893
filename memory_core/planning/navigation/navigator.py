"""Takes a robot to poses: plans on its map, follows the plan, and finds another way when needed.

Every control step drives, scans, localises, and tells the caller. What stands in the way is in
the map as soon as it is scanned; a way that it closes is planned anew. A robot that gets nowhere
backs off, forgets what only the depth camera believed, and tries again a few times before it says
`blocked`; after a bump it undoes its last movements instead, or slips free by whichever goes.
Where a little that only the depth camera saw closes every way to a place (a door that stood open,
a few false points in a doorway), the robot goes there, and sees it again or not. A robot that does
not know where it is looks for open space until it does, or says `lost`.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Sequence

import numpy as np

from memory_core.planning.body import (
    Arrival,
    Base,
    Interrupted,
    Lift,
    Localisation,
    Motion,
    Scan,
    Stand,
)
from memory_core.planning.navigation.floors import Floors, Leg
from memory_core.planning.navigation.frontiers import frontiers
from memory_core.planning.navigation.grid import OBSTACLE_M
from memory_core.planning.navigation.localisation import Localiser
from memory_core.planning.navigation.matching import scan_points
from memory_core.planning.navigation.paths import Ground, Sweep, along, length_m
from memory_core.planning.navigation.planar import (
    Planar,
    apply,
    between,
    compose,
    distance,
    planar,
    spatial,
    turn_between,
    wrap,
)
from memory_core.planning.navigation.pursuit import (
    Limits,
    Pursuit,
    free_along,
    turn_speed,
)
from memory_core.planning.navigation.sight import in_sight
from memory_core.planning.navigation.standing import poses_facing
from memory_core.semantic.floor_plan import FloorPlan
from memory_core.types import BoolArray, FloatArray, Pose, Vector3

_WITHIN_REACH_M = 1.0
_OTHER_ROOM_M = 40.0
"""Who may look in through a doorway would go as far to stand inside."""
_WALLED_IN_M2, _FREED_M = 1.0, 1.2
_REOPENED_M, _REOPENED_AGAIN_S, _SAME_SPOT_M = 1.2, 60.0, 0.5
"""So long a stretch is doubted where only the camera saw it closed, and anew after so long."""
_MOVED, _CAREFUL_M, _CAREFUL_M_S = 16, 0.3, 0.4
"""Near the last places where it moved doors and drawers, and onto floor that its camera has not
shown, its rim is so slow: what is low is under the scanner's plane."""
_AHEAD = np.radians(np.arange(-75.0, 76.0, 15.0))
_FRONT = np.stack([np.cos(_AHEAD), np.sin(_AHEAD)], axis=1)
"""The side of the rim that goes first, shape (n, 2)."""
_AROUND = np.stack(np.meshgrid((-1, 0, 1), (-1, 0, 1)), axis=-1).reshape(-1, 2)
"""A cell and those around it, shape (9, 2): pictures are thinned, so some cells are left out."""
_FARTHEST_UNKNOWN_M = 30.0
_TRIES = 5
_LOOKED_EVERY_S = 0.6
_LOOKED_AHEAD_M = 2.5
_WAITS_S = 1.0
_NO_PROGRESS_S, _PROGRESS_M = 6.0, 0.05
_LOOKS = 4
_DRIVEN, _BUMPED_M, _BUMPED_AGAIN_M = 150, 0.15, 0.8
"""So many movements can be undone; so far back after a bump, and after those that follow."""
_BACK_OFF = (0.15, 1.2)
_SLIP_M_S, _SLIP_RAD_S, _SLIPS = 0.1, 0.4, 6
"""So slowly, and so many steps, it leaves what touches it."""
_STIRRED_M, _STIRRED_RAD = 0.02, 0.1
"""Who moved no farther has not left."""
_WANDERS_S = 90.0
_WANDERING_MARGIN_M = 0.08

Moved = Callable[[Localisation, Motion], None]


class GridNavigator:
    """A `Navigator` on a map of its own making.

    Attributes:
        localiser: Knows where the robot is, and the map.
        travelled_m: Way driven so far, by the wheels.
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
        self.localiser = localiser
        self.travelled_m = 0.0
        self.floor_plan: FloorPlan | None = None
        self._base = base
        self._floors = Floors(lifts, localiser.atlas.heights_m)
        self._limits = limits if limits is not None else Limits()
        self._moved = moved
        self._through_unknown = through_unknown
        self._step_s = step_s
        self._odometry: Planar | None = None
        self._ground: dict[int, Ground] = {}
        self._swept: Sweep | None = None
        self._swept_on: dict[int, Sweep] = {}
        self._swept_onward: Sweep | None = None
        self._freed_at: tuple[float, float] | None = None
        self._doubting: Sweep | None = None
        self._driven: deque[tuple[float, float]] = deque(maxlen=_DRIVEN)
        """The last control steps by the wheels: metres forward, and radians."""
        self._moved_about: list[tuple[int, float, float, float]] = []
        """Floor, place and radius of what was moved last."""
        self._reopened: list[tuple[int, float, float, int]] = []
        """Floor, place and time of what was doubted."""
        self._advance(0.0, 0.0)

    # -- asking -----------------------------------------------------------------------------

    def where(self) -> Localisation:
        """Where the robot takes itself to be."""
        return self.localiser.where()

    def way(self, goal: Vector3) -> tuple[Vector3, ...]:
        """The way from here to within 1 m of a place, `map`; empty where there is none."""
        return tuple(
            (x, y, self.localiser.atlas.heights_m[leg.floor])
            for leg in self._legs(goal)
            for x, y in leg.way
        )

    def travel_m(self, goal: Vector3) -> float:
        """Length of the way to within 1 m of a place; infinite where there is none."""
        legs = self._legs(goal)
        return sum(length_m(leg.way) for leg in legs) if legs else math.inf

    def ways_m(self, start: Vector3, goals: Sequence[Vector3]) -> FloatArray:
        """Lengths of the ways from within 1 m of a place to within 1 m of n others, shape (n,)."""
        floor = self._floors.of(start[2])
        floors = np.array([self._floors.of(goal[2]) for goal in goals])
        places = [goal[:2] for goal in goals]
        if floor == self.localiser.floor and start[:2] == self._here()[:2]:
            sweep = self._sweep_from_here()
        else:
            sweep = Sweep(self._ground_of(floor), start[:2], aside_m=_WITHIN_REACH_M)
        there = sweep.lengths_m(places, aside_m=_WITHIN_REACH_M)
        found = np.where(floors == floor, there, math.inf)
        for other in set(floors.tolist()) - {floor}:
            for _, enter, leave in self._floors.rides(floor, other):
                first = sweep.lengths_m([enter.position[:2]])
                rest = self._sweep_on(other, leave.position[:2])
                onward = first + rest.lengths_m(places, aside_m=_WITHIN_REACH_M)
                found = np.where(floors == other, np.minimum(found, onward), found)
        return found

    def standing(
        self, target: Vector3, *, near_m: float, far_m: float, then: Vector3 | None = None
    ) -> tuple[Stand, ...]:
        """See `Navigator.standing`.

        Where the rooms are known, to look in through a doorway costs as much as 40 m.
        """
        floor = self._floors.of(target[2])
        start = self._here()[:2]
        if floor != self.localiser.floor:
            legs = self._floors.legs(self._here(), target, self._way_on)
            if not legs:
                return ()
            start = legs[-1].way[0]

        def facing() -> list[tuple[Planar, float]]:
            sweep = self._sweep(floor, start)
            onward = None if then is None else self._onward(floor, target, then)
            return poses_facing(sweep, target[:2], near_m=near_m, far_m=far_m, onward=onward)

        found = facing()
        if not found and self._reopen(floor, start, target[:2], aside_m=far_m):
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
        there, here = np.reshape(targets, (-1, 3)), np.array(self._here()[:2])
        mine = np.array([self._floors.of(z) for z in there[:, 2]]) == self.localiser.floor
        seen = np.zeros(len(there), bool)
        seen[mine] = in_sight(self.localiser.grid, here, there[mine, :2], inside_m[mine])
        return seen

    def _onward(self, floor: int, target: Vector3, then: Vector3) -> Sweep:
        """Ways from where the robot goes after a target, or from the lift that it takes there."""
        ends = [then[:2]]
        if self._floors.of(then[2]) != floor:
            ends = [
                (x, y) for x, y, _ in self._floors.entries(floor, self._floors.of(then[2]))
            ] or ends
        end = min(ends, key=lambda place: math.dist(place, target[:2]))
        self._swept_onward = Sweep.renewed(self._swept_onward, self._ground_of(floor), end)
        return self._swept_onward

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
            ground = self._ground_of(floor)
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
        self._moved_about = [
            one for one in self._moved_about if math.dist(one[1:3], at[:2]) > radius_m
        ][1 - _MOVED :] + [(floor, at[0], at[1], radius_m)]
        self._driven.clear()

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

    def _here(self) -> Vector3:
        x, y, _ = self.localiser.pose
        return (x, y, self.localiser.height_m)

    def _legs(self, goal: Vector3) -> list[Leg]:
        return self._floors.legs(self._here(), goal, self._way_on)

    def _way_on(
        self, floor: int, start: tuple[float, float], end: tuple[float, float]
    ) -> list[tuple[float, float]]:
        self._make_room(floor, start, end)
        back = self._sweep(floor, start).way(end, aside_m=_WITHIN_REACH_M)
        if not back and self._reopen(floor, start, end, aside_m=_WITHIN_REACH_M):
            back = self._sweep(floor, start).way(end, aside_m=_WITHIN_REACH_M)
        return back[::-1]

    def _sweep(self, floor: int, start: tuple[float, float]) -> Sweep:
        """Ways from a place on any floor."""
        if floor == self.localiser.floor and start == self._here()[:2]:
            return self._sweep_from_here()
        return self._sweep_on(floor, start)

    def _make_room(self, floor: int, start: tuple[float, float], end: tuple[float, float]) -> None:
        """Let the map reach as far as a way into the unknown may have to."""
        if self._through_unknown and math.dist(start, end) < _FARTHEST_UNKNOWN_M:
            self.localiser.atlas.grids[floor].include(np.array([start, end]))

    def _ground_of(self, floor: int) -> Ground:
        grid = self.localiser.atlas.grids[floor]
        known = self._ground.get(floor)
        if known is None or known.grid is not grid or known.revision != grid.revision:
            known = Ground.of(
                grid, radius_m=self._base.radius_m, through_unknown=self._through_unknown
            )
            self._ground[floor] = known
        return known

    def _sweep_on(self, floor: int, start: tuple[float, float]) -> Sweep:
        """Ways from a place on any floor; a floor that the robot is not on stays as it is."""
        known = self._swept_on.get(floor)
        self._swept_on[floor] = Sweep.renewed(known, self._ground_of(floor), start)
        return self._swept_on[floor]

    def _sweep_from_here(self) -> Sweep:
        """Ways from here; a robot that is walled in by what its camera saw forgets it.

        A drawer that stood open, or a door, may have been closed since.
        """
        ground = self._ground_of(self.localiser.floor)
        here = self._here()[:2]
        if self._swept is None or self._swept.ground is not ground or self._swept.root != here:
            self._swept = Sweep(ground, here)
            if self._swept.area_m2 < _WALLED_IN_M2 and self._freed_at != here:
                self._freed_at = here
                self.localiser.grid.clear_depth(self.localiser.pose, _FREED_M)
                self._swept = Sweep(self._ground_of(self.localiser.floor), here)
        return self._swept

    def _reopen(
        self,
        floor: int,
        start: tuple[float, float],
        end: tuple[float, float],
        *,
        aside_m: float,
    ) -> bool:
        """Forget what only the camera saw where it alone closes every way to a place.

        The scanner's map must have a way, and little of it may be closed: a whole table is not
        doubted, and nothing twice within a minute. What stands there is seen again on the way.

        Returns:
            Whether anything was forgotten.
        """
        grid = self.localiser.atlas.grids[floor]
        ground = self._ground_of(floor)
        swept = self._doubting
        if swept is None or swept.root != start or (
            swept.ground.grid is not grid or swept.ground.revision != grid.revision
        ):  # fmt: skip
            bold = Ground.of(
                grid, radius_m=self._base.radius_m, through_unknown=self._through_unknown,
                doubting=True,
            )  # fmt: skip
            swept = self._doubting = Sweep(bold, start)
        cut_off = ground.passable & ~self._sweep(floor, start).reached
        goal = swept.cheapest(cut_off, end, within_m=aside_m)
        if goal is None:
            return False
        way = along(swept.way(goal), step_m=grid.cell_m / 2)
        closed = way[~ground.passable[tuple(grid.cells(way).T)]]
        if not len(closed) or len(closed) * grid.cell_m / 2 > _REOPENED_M:
            return False
        now_ns, (x, y) = self._base.stamp_ns, closed.mean(axis=0).tolist()
        self._reopened = [
            one for one in self._reopened if now_ns - one[3] < _REOPENED_AGAIN_S * 1e9
        ]
        if any(
            one[0] == floor and math.dist(one[1:3], (x, y)) < _SAME_SPOT_M for one in self._reopened
        ):
            return False
        self._reopened.append((floor, x, y, now_ns))
        for point in closed.tolist():
            grid.clear_depth(point, self._base.radius_m + 1.5 * grid.cell_m)
        return True

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
        left, waited = angle_rad, 0.0
        while abs(left) > 0.02:
            if interrupted():
                return Arrival(False, "interrupted")
            before = self._odometry
            self._advance(0.0, turn_speed(left, self._limits, seconds=self._step_s))
            assert before is not None and self._odometry is not None
            turned = wrap(self._odometry[2] - before[2])
            left -= turned
            waited = 0.0 if abs(turned) > 1e-3 else waited + self._step_s
            if waited > _NO_PROGRESS_S:
                return Arrival(False, "blocked")
        return Arrival(True, "reached")

    def _go(self, goal: Pose, within_m: float, within_rad: float, interrupted: Interrupted) -> str:
        if not self.localiser.localised and not self._find_itself(interrupted):
            return "interrupted" if interrupted() else "lost"
        floor = self._floors.of(goal.z)
        if floor != self.localiser.floor:
            legs = self._legs(goal.position)
            if not legs:
                return "no path"
            lift, stop = legs[0].lift, legs[0].stop
            assert lift is not None
            reason = self._drive_to(stop, 0.1, math.pi, interrupted)
            if reason != "reached":
                return reason
            inside = between(planar(stop), self.localiser.pose)
            arrived = self._floors.stop(lift, floor)
            motion = self._base.ride(self._floors.number(lift, floor))
            self._odometry = planar(motion.odometry)
            self._driven.clear()
            self.localiser.ride(motion, floor, arrived.compose(spatial(inside)))
            self._advance(0.0, 0.0)
        return self._drive_to(goal, within_m, within_rad, interrupted)

    def _drive_to(
        self, goal: Pose, within_m: float, within_rad: float, interrupted: Interrupted
    ) -> str:
        first, bumps = "", 0
        for _ in range(_TRIES):
            reason = self._follow(goal, within_m, interrupted)
            if reason == "reached":
                reason = self._face(goal, within_rad, interrupted)
                if reason == "blocked":
                    return reason
            if reason in ("reached", "interrupted", "lost"):
                return reason
            if reason == "no path" and first and self.localiser.localised:
                return first
            first = first or reason
            bumps += reason == "bumped"
            if reason == "bumped":
                back_m = _BUMPED_M if bumps == 1 else _BUMPED_AGAIN_M
                if not self._retrace(back_m, interrupted):
                    self._slip_free(interrupted)
                self._look(interrupted)
            else:
                self._back_off(interrupted)
            if reason != "bumped":  # the depth camera may have seen what is not there
                self.localiser.grid.clear_depth(self.localiser.pose, 2 * self._base.radius_m)
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
            if not self.localiser.localised and not self._find_itself(interrupted):
                return "interrupted" if interrupted() else "lost"
            pose = self.localiser.pose
            if math.dist(pose[:2], end[:2]) <= max(0.03, 0.5 * within_m):
                return "reached"
            if pursuit is None or planned_on is not self.localiser.grid or (
                looked >= _LOOKED_EVERY_S and self._closed(pursuit)
            ):  # fmt: skip
                planned_on = self.localiser.grid
                way = self._plan(end[:2], within_m)
                if not way:
                    return "no path" if pursuit is None else "blocked"
                pursuit = self._pursuit(way)
                nearest = pursuit.remaining_m(pose)
                if math.dist(pose[:2], planned_at[:2]) > _PROGRESS_M:  # planning anew alone is none
                    stalled, planned_at = 0.0, pose
            looked = 0.0 if looked >= _LOOKED_EVERY_S else looked + self._step_s
            remaining = pursuit.remaining_m(pose)
            if remaining < 0.02 and math.dist(pose[:2], end[:2]) <= within_m:
                return "reached"
            stalled = 0.0 if remaining < nearest - _PROGRESS_M else stalled + self._step_s
            nearest = min(nearest, remaining) if stalled == 0 else nearest
            command = pursuit.command(
                pose, self._obstacles, seconds=self._step_s, clear=self._clear
            )
            waited = waited + self._step_s if command.blocked else 0.0
            if waited > _WAITS_S or stalled > _NO_PROGRESS_S:
                self._note_obstacles()
                return "reached" if math.dist(pose[:2], end[:2]) <= within_m else "blocked"
            motion = self._advance(command.linear_m_s, command.angular_rad_s)
            if motion.bumped:
                self._note_bump()
                return "bumped"

    def _plan(self, end: tuple[float, float], within_m: float) -> list[tuple[float, float]]:
        self._make_room(self.localiser.floor, self.localiser.pose[:2], end)
        ground, here = self._ground_of(self.localiser.floor), self.localiser.pose[:2]
        way = Sweep(ground, end, aside_m=within_m).way(here)
        if not way and self._reopen(self.localiser.floor, here, end, aside_m=within_m):
            ground = self._ground_of(self.localiser.floor)
            way = Sweep(ground, end, aside_m=within_m).way(here)
        if way and ground.clear(way[-1], end):
            way[-1] = end
        return way

    def _pursuit(self, way: list[tuple[float, float]]) -> Pursuit:
        return Pursuit(way, limits=self._limits, radius_m=self._base.radius_m)

    def _closed(self, pursuit: Pursuit) -> bool:
        """Whether the next metres of a way have become too narrow.

        A point of a way lies up to half a diagonal off the middle of its cell, which is what has
        room for the robot and half a cell more.
        """
        rest = np.array(pursuit.rest(_LOOKED_AHEAD_M))[3:]
        return not self._has_room(rest)

    def _clear(self, start: tuple[float, float], end: tuple[float, float]) -> bool:
        """Whether the map leaves room on a straight line, what only the camera saw included."""
        count = 1 + math.ceil(math.dist(start, end) / self.localiser.grid.cell_m)
        return self._has_room(np.linspace(start, end, count)[1:])

    def _has_room(self, points: FloatArray) -> bool:
        grid = self.localiser.grid
        radius = self._base.radius_m - (math.sqrt(0.5) - 0.5) * grid.cell_m
        return not len(points) or grid.distance_to_occupied_m(points, within_m=radius) >= radius

    def _face(self, goal: Pose, within_rad: float, interrupted: Interrupted) -> str:
        for _ in range(math.ceil(20 / self._step_s)):
            error = wrap(goal.yaw - self.localiser.pose[2])
            if abs(error) <= 0.6 * within_rad:
                return "reached"
            if interrupted():
                return "interrupted"
            speed = turn_speed(error, self._limits, seconds=self._step_s)
            if self._advance(0.0, speed).bumped:
                return "bumped"
        return "blocked"

    def _advance(self, linear: float, angular: float, *, noted: bool = True) -> Motion:
        """One control step: drive, scan, localise, tell; `noted` where it may be undone later."""
        share = self._pace(linear, angular)
        motion = self._base.drive(share * linear, share * angular, self._step_s)
        self._scan: Scan = self._base.scan()
        self._obstacles = scan_points(self._scan)
        odometry = planar(motion.odometry)
        if self._odometry is not None:
            step = math.dist(odometry[:2], self._odometry[:2])
            self.travelled_m += min(step, 2 * abs(linear) * self._step_s)
            if noted and (linear or angular):
                turned = wrap(odometry[2] - self._odometry[2])
                self._driven.append((math.copysign(step, linear), turned))
        self._odometry = odometry
        self._moved(self.localiser.update(motion, self._scan), motion)
        return motion

    def _pace(self, linear: float, angular: float) -> float:
        """The share of a speed that is safe: little near what may stand where the map has nothing."""
        rim_m_s = abs(linear) + self._base.radius_m * abs(angular)
        if rim_m_s <= _CAREFUL_M_S:
            return 1.0
        careful = self._is_near_what_moved() or self._enters_unseen(linear, angular)
        return _CAREFUL_M_S / rim_m_s if careful else 1.0

    def _is_near_what_moved(self) -> bool:
        x, y, _ = self.localiser.pose
        near_m = self._base.radius_m + _CAREFUL_M
        return any(
            floor == self.localiser.floor and math.dist((x, y), at) <= radius_m + near_m
            for floor, *at, radius_m in self._moved_about
        )

    def _enters_unseen(self, linear: float, angular: float) -> bool:
        """Whether the next step leads over floor that no picture showed, where there are pictures."""
        if not linear:
            return False
        grid, way_m = self.localiser.grid, linear * self._step_s
        after = compose(self.localiser.pose, (way_m, 0.0, angular * self._step_s))
        cells = grid.cells(apply(after, math.copysign(self._base.radius_m, linear) * _FRONT))
        inside = ((cells >= 0) & (cells < grid.shape)).all()
        near = (cells[:, None] + _AROUND[None]).clip(0, np.array(grid.shape) - 1)
        odds = grid.depth_odds
        shown = inside and (odds[near[..., 0], near[..., 1]] != 0).any(axis=1).all()
        return not shown and bool((odds < 0).any())

    # -- when something is wrong ------------------------------------------------------------

    def _note_obstacles(self) -> None:
        """What stopped the robot stands: it is in the map at once."""
        for _ in range(3):
            self.localiser.grid.insert(self._scan, self.localiser.pose)

    def _note_bump(self) -> None:
        """What was touched but not seen is taken to be as wide as the robot."""
        radius, cell = self._base.radius_m, self.localiser.grid.cell_m
        for aside in np.arange(-radius, radius + cell / 2, cell):
            x, y, _ = compose(self.localiser.pose, (radius + cell, float(aside), 0.0))
            self.localiser.grid.mark(x, y)

    def _back_off(self, interrupted: Interrupted) -> None:
        """Leave what is in the way where there is room behind, and look."""
        radius = self._base.radius_m + self._limits.margin_m
        for _ in range(math.ceil(_BACK_OFF[1] / self._step_s)):
            room = free_along(0.0, -self._obstacles, reach_m=0.3, radius_m=radius)
            if interrupted() or room < 0.1:
                break
            self._advance(-_BACK_OFF[0], 0.0, noted=False)
            self._driven.clear()
        self._look(interrupted)

    def _look(self, interrupted: Interrupted) -> None:
        """Stand still for some scans."""
        for _ in range(_LOOKS):
            if not interrupted():
                self._advance(0.0, 0.0)

    def _retrace(self, metres: float, interrupted: Interrupted) -> bool:
        """Undo the last movements, slowly: it fitted through a moment ago.

        Ends where the scanner shows something there now, and where the movements are not known.

        Returns:
            Whether it went back at all.
        """
        radius, went = self._base.radius_m, False
        while self._driven and metres > 0 and not interrupted():
            forward, turned = self._driven.pop()
            metres -= abs(forward) + radius * abs(turned)
            step_m = abs(forward) + self._limits.margin_m
            if forward and self._room_m(-forward, -turned, step_m) < step_m:
                return went
            pieces = max(1, math.ceil(abs(forward) / (_BACK_OFF[0] * self._step_s)))
            seconds = pieces * self._step_s
            for _ in range(pieces):
                if self._advance(-forward / seconds, -turned / seconds, noted=False).bumped:
                    self._driven.clear()
                    return went
                went = went or bool(forward or turned)
        return went

    def _slip_free(self, interrupted: Interrupted) -> None:
        """Leave what touches the robot, a door that was swung against it: any way that goes.

        Where the scanner shows most room is tried first, and back before ahead.
        """
        ways = [
            (linear, angular)
            for linear in (-_SLIP_M_S, _SLIP_M_S, 0.0)
            for angular in (0.0, _SLIP_RAD_S, -_SLIP_RAD_S)
            if linear or angular
        ]
        slip_m = _SLIPS * self._step_s * _SLIP_M_S

        def room_m(way: tuple[float, float]) -> float:
            return self._room_m(*way, slip_m) if way[0] else 0.0  # a turn goes nowhere

        before = self._wheels()
        for linear, angular in sorted(ways, key=room_m, reverse=True):
            for _ in range(_SLIPS):
                if interrupted() or self._advance(linear, angular, noted=False).bumped:
                    break
            if interrupted() or self._has_left(before):
                break
        self._driven.clear()

    def _room_m(self, linear: float, turned: float, reach_m: float) -> float:
        """How far an arc, ahead or back, goes before it meets what the scanner shows.

        Args:
            linear: Not 0.
            turned: With it.
            reach_m: No farther.
        """
        ahead = math.copysign(1.0, linear) * self._obstacles
        curve, radius_m = turned / abs(linear), self._base.radius_m
        return free_along(curve, ahead, reach_m=reach_m, radius_m=radius_m)

    def _has_left(self, before: Planar) -> bool:
        """Whether the wheels moved on from where they were."""
        here = self._wheels()
        return distance(before, here) > _STIRRED_M or turn_between(before, here) > _STIRRED_RAD

    def _find_itself(self, interrupted: Interrupted) -> bool:
        """Drive to where it has not been since it got lost, until the scans fit one place only."""
        until_ns = self._base.stamp_ns + round(_WANDERS_S * 1e9)
        been = [self._wheels()]
        while self._base.stamp_ns < until_ns and not interrupted():
            if self.localiser.localised:
                return True
            bearing, way = self._somewhere_new(been)
            self._driven.clear()
            self._wander(bearing, way, interrupted)
            been.append(self._wheels())
        return self.localiser.localised

    def _wheels(self) -> Planar:
        assert self._odometry is not None
        return self._odometry

    def _somewhere_new(self, been: Sequence[Planar]) -> tuple[float, float]:
        """A direction off the robot's own, and how far to go there."""
        here = self._wheels()
        radius = self._base.radius_m + _WANDERING_MARGIN_M
        best = (-math.inf, 0.0, 0.0)
        for bearing in np.linspace(-math.pi, math.pi, 36, endpoint=False):
            x, y = math.cos(bearing), math.sin(bearing)
            turned = self._obstacles @ np.array([[x, -y], [y, x]])
            way = min(2.0, free_along(0.0, turned, reach_m=4.0, radius_m=radius))
            end = compose(here, (way * x, way * y, 0.0))
            best = max(best, (min(math.dist(end[:2], past[:2]) for past in been), bearing, way))
        return float(best[1]), float(best[2])

    def _wander(self, bearing: float, way: float, interrupted: Interrupted) -> None:
        """Turn, then drive straight on while there is room; ends when localised."""
        start = self._wheels()
        radius = self._base.radius_m + 0.5 * _WANDERING_MARGIN_M
        for _ in range(math.ceil(20 / self._step_s)):
            if self.localiser.localised or interrupted():
                return
            left = wrap(start[2] + bearing - self._wheels()[2])
            gone = math.dist(start[:2], self._wheels()[:2])
            room = free_along(0.0, self._obstacles, reach_m=0.6, radius_m=radius)
            if gone == 0 and abs(left) > 0.05:
                self._advance(0.0, turn_speed(left, self._limits, seconds=self._step_s))
            elif gone < way and room > 0.2:
                self._advance(min(0.3, self._limits.speed_m_s), 0.0)
            else:
                break
        self._advance(0.0, 0.0)
