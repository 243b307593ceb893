"""A manipulator in the simulated home: picks, places, opens, closes, pushes and presses.

It is told where things are by points in the base's frame, feels its way by touch, and says how it
went as far as an arm can tell. Ways are planned around the shapes of the world where a real robot
would plan around a map of its depth camera; what the given points show is never looked up.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np

from memory_core.planning.body import Done, Interrupted
from memory_core.planning.grasps import Grasp, grasps
from memory_core.types import FloatArray, Pose, Vector3
from memory_sim.worlds.home.arm import STOWED, Reach, SimArm, tool_pose
from memory_sim.worlds.home.base import SimBase
from memory_sim.worlds.home.fronts import Fronts
from memory_sim.worlds.home.gripper import CLOSE_SECONDS, Gripper
from memory_sim.worlds.home.robot import Contact

_LIFT_M = 0.08
_SIDESTEP_M = 0.006
_MOST_GRASPS = 8
_SEARCHED = 3
_MOST_SIDESTEPS = 3
_CLOSE_ENOUGH_M = 0.012
_BEYOND_M = 0.02
_YAWS = (0.0, 0.4, -0.4, 0.8, -0.8, 1.2, -1.2, 1.57, -1.57, 2.4, -2.4, 3.14)
_CARRY_LIFTS_M = (0.03, 0.15, 0.3, 0.45)
_DOWN = np.array([0.0, 0.0, -1.0])
_PUSH_STEP_M = 0.01
_PUSH_M_S = 0.1
_GIVE_S = 2.0


def _never() -> bool:
    return False


class SimManipulator:
    """The simulated arm and gripper; implements `Manipulator` of `memory_core.planning.body`."""

    reach_m = (0.45, 0.8)

    def __init__(self, base: SimBase, *, slip_probability: float = 0.0, seed: int = 0) -> None:
        """Fold the arm of a robot.

        Args:
            base: Whose arm it is.
            slip_probability: Share of grasps that slip off while lifting, a fault.
            seed: Of slips and of the search for ways.
        """
        self._base, self._robot = base, base.robot
        self._arm = SimArm(base, seed=seed)
        self._gripper = Gripper(base.robot)
        self._fronts = Fronts(base, self._arm, self._gripper)
        self.slip_probability = slip_probability
        self._random = np.random.default_rng(seed + 1)
        self._foot = Pose()
        self.given: list[str] = []
        """Ids of things that were handed over; for scoring."""

    @property
    def holding(self) -> bool:
        """Whether the fingers are kept apart by something."""
        return self._gripper.holding

    def jam(self, opening: str, *, jammed: bool = True) -> None:
        """A fault: a drawer or door, by its id in the world, that does not move, or again does."""
        self._fronts.jam(opening, jammed=jammed)

    def let_go(self) -> None:
        """Open the fingers: what is held falls onto what is below it."""
        self._gripper.release()

    def pick(self, cloud: FloatArray, *, interrupted: Interrupted = _never) -> Done:
        """Grasp what a cloud of points shows, and lift it; tries several grasps."""
        if self.holding:
            return Done(False, "hand full")
        points = np.asarray(cloud, np.float64)
        found = grasps(points, eye=self._base.camera_pose.position)
        if not found:
            return Done(False, "too wide" if len(points) > 2 * len(_YAWS) else "nothing there")
        self._gripper.spread()
        near = self._things_at(points)
        turns = _in_turns(found)
        reason, tried = "out of reach", 0
        for grasp, search in [
            *((g, False) for g in turns),
            *((g, True) for g in turns[:_SEARCHED]),
        ]:
            reach = self._reach_for(grasp, near, search=search)
            if isinstance(reach, str):
                reason = reason if tried else reach
                continue
            tried += 1
            reason = self._take(reach, points, interrupted)
            if reason in ("done", "interrupted") or tried == _MOST_GRASPS:
                break
        if not self.holding and reason != "interrupted":
            self.stow(interrupted=interrupted)
        return Done(reason == "done", reason)

    def _things_at(self, points: FloatArray) -> frozenset[int]:
        """Loose things where points are: no obstacles to a hand that comes to take them."""
        low, high = np.percentile(self._robot.pose.transform(points), (5, 95), axis=0)
        return self._gripper.things_among(self._robot.around(low, high))

    def _reach_for(self, grasp: Grasp, near: frozenset[int], *, search: bool) -> Reach | str:
        """The first free way to a grasp, with either finger on either side, or why none is."""
        reasons = []
        for side in (1.0, -1.0):
            closing = side * np.array(grasp.closing)
            tool = tool_pose(grasp.position, np.array(grasp.approach), closing)
            reach = self._arm.reach(tool, apart_from=near, search=search)
            if isinstance(reach, Reach):
                return reach
            reasons.append(reach)
        return "collision" if "collision" in reasons else "out of reach"

    def _take(self, reach: Reach, points: FloatArray, interrupted: Interrupted) -> str:
        """Go in by touch, close, lift."""
        if not self._arm.follow(reach.way, interrupted):
            return "interrupted"
        felt = self._go_in(reach, interrupted)
        if felt in ("interrupted", "too wide"):
            self._arm.back_off(_LIFT_M)
            return felt
        grip = self._gripper.close()
        self._base.wait(CLOSE_SECONDS)
        if not self.holding:
            self._gripper.spread()
            self._arm.back_off(_LIFT_M)
            return "nothing there" if grip.part is None else "stuck"
        self._foot = self._arm.tool().inverse().compose(_foot(points))
        self._raise()
        if self._random.random() < self.slip_probability:
            self._gripper.release()
            return "slipped"
        return "done"

    def _go_in(self, reach: Reach, interrupted: Interrupted) -> str:
        """The last straight piece; a finger that lands on the thing makes room on its side."""
        start, tool, sides = self._arm.joints, reach.tool, set()
        path = reach.last
        for _ in range(_MOST_SIDESTEPS + 1):
            met = self._arm.feel_along(path, interrupted)
            if isinstance(met, str):
                return met
            left = math.dist(self._arm.tool().position, tool.position)
            if met is None or met.link not in self._robot.fingers or left < _CLOSE_ENOUGH_M:
                return "in"
            side = 1.0 if met.link == self._robot.fingers[0] else -1.0
            sides.add(side)
            self._arm.follow([start], _never)
            tool = tool.compose(Pose(y=side * _SIDESTEP_M))
            path = self._arm.line(start, self._arm.tool(), tool)
            if not path:
                break
        return "too wide" if len(sides) == 2 else "in"

    def _raise(self) -> None:
        """Lift what was taken off its support, by the column if it goes, else the way it came."""
        now, tool = self._arm.joints, self._arm.tool()
        for height in (_LIFT_M, _LIFT_M / 4):
            up = now + np.array([height, *[0.0] * 7])
            if self._arm.moves_freely([up]):
                self._arm.follow([up], _never)
                break
        else:
            path = self._arm.line(now, tool, Pose(tool.x, tool.y, tool.z + 0.02, *tool.quaternion))
            if path and self._arm.moves_freely(path):
                self._arm.follow(path, _never)
        if not self._arm.stands_clear():
            self._arm.back_off(2 * _LIFT_M)

    def place(self, at: Vector3, *, interrupted: Interrupted = _never) -> Done:
        """Put down what is held so that it stands on a point of a surface, base frame."""
        if not self.holding:
            return Done(False, "hand empty")
        reason = "out of reach"
        upright = self._foot.inverse()
        heading = math.atan2(at[1], at[0])
        for search, over_m in ((False, 0.06), (False, 0.02), (True, 0.06), (True, 0.02)):
            for yaw in _YAWS if not search else _YAWS[:3]:
                tool = Pose.from_yaw(*at[:2], z=at[2], yaw=heading + yaw).compose(upright)
                reach = self._lower_to(tool, over_m, search=search)
                if isinstance(reach, Reach):
                    return self._put_down(reach, interrupted)
                reason = reach if reach == "collision" else reason
        return Done(False, reason)

    def _lower_to(self, tool: Pose, over_m: float, *, search: bool) -> Reach | str:
        """A free way to a point above where a thing is to stand, and from there straight down."""
        over = Pose(tool.x, tool.y, tool.z + over_m, *tool.quaternion)
        beyond = Pose(tool.x, tool.y, tool.z - _BEYOND_M, *tool.quaternion)
        reason = "out of reach"
        for joints in self._arm.solutions(over):
            down = self._arm.line(joints, over, beyond)
            if not down:
                continue
            way = self._arm.way(joints, search=search)
            if way:
                return Reach(way, down, tool)
            reason = "collision"
        return reason

    def _put_down(self, reach: Reach, interrupted: Interrupted) -> Done:
        if not self._arm.follow(reach.way, interrupted):
            return Done(False, "interrupted")
        if self._arm.feel_along(reach.last, interrupted) == "interrupted":
            return Done(False, "interrupted")
        self._gripper.release()
        self._base.wait(CLOSE_SECONDS)
        self._arm.back_off(_LIFT_M + 0.02)
        return Done(True)

    def give(self, *, interrupted: Interrupted = _never) -> Done:
        """Hold out what is held until somebody takes it, which takes two seconds."""
        if not self.holding:
            return Done(False, "hand empty")
        self._base.wait(_GIVE_S)
        taken = self._gripper.hand_over()
        if taken is not None:
            self.given.append(taken)
        return Done(True)

    def open(
        self, handle: FloatArray, outward: Vector3, *, hinged: bool = False, travel_m: float = 0.3,
        interrupted: Interrupted = _never,
    ) -> Done:  # fmt: skip
        """Take a handle (points, base frame, shape (n, 3)) and pull along `outward`."""
        if self.holding:
            return Done(False, "hand full")
        return self._fronts.pull(np.asarray(handle, np.float64), outward, travel_m, interrupted)

    def close(
        self, handle: FloatArray, outward: Vector3, *, hinged: bool = False, travel_m: float = 0.3,
        interrupted: Interrupted = _never,
    ) -> Done:  # fmt: skip
        """Take a handle and push against `outward`."""
        if self.holding:
            return Done(False, "hand full")
        return self._fronts.shove(np.asarray(handle, np.float64), outward, travel_m, interrupted)

    def push(self, start: Vector3, end: Vector3, *, interrupted: Interrupted = _never) -> Done:
        """Move the closed fingers from one point to another, base frame; loose things give way."""
        if self.holding:
            return Done(False, "hand full")
        self._gripper.shut()
        aim = np.array(end) - np.array(start)
        across = np.cross(aim, _DOWN)
        tool = tool_pose(start, _DOWN, across / np.linalg.norm(across))
        reach = self._arm.reach(tool, search=True)
        if isinstance(reach, str):
            return Done(False, reach)
        path = self._arm.line(reach.last[-1], tool, Pose(*end, *tool.quaternion))
        if not path:
            return Done(False, "out of reach")
        if not self._arm.follow(reach.way, interrupted):
            return Done(False, "interrupted")
        if not self._arm.follow(reach.last, interrupted):
            return Done(False, "interrupted")
        met = False
        for joints in path:
            if interrupted():
                return Done(False, "interrupted")
            before = self._robot.tool()
            self._arm.follow([joints], _never)
            after = self._robot.tool()
            met |= self._gripper.shove((after.x - before.x, after.y - before.y))
        self._arm.back_off(_LIFT_M)
        return Done(met, "done" if met else "nothing there")

    def press(self, at: Vector3, *, interrupted: Interrupted = _never) -> Done:
        """Press a button down and let go, base frame: from in front, else from above."""
        if self.holding:
            return Done(False, "hand full")
        self._gripper.shut()
        ahead = np.array([at[0], at[1], 0.0]) / math.hypot(at[0], at[1])
        across = np.array([-ahead[1], ahead[0], 0.0])
        reason = "out of reach"
        for approach in (ahead, (ahead + _DOWN) / math.sqrt(2), _DOWN):
            short = tuple((np.array(at) - 0.02 * approach).tolist())
            reach = self._arm.reach(tool_pose(short, approach, across))
            if isinstance(reach, str):
                reason = reach
                continue
            if not self._arm.follow(reach.way, interrupted):
                return Done(False, "interrupted")
            through = reach.tool.compose(Pose(z=0.04))
            path = [*reach.last, *self._arm.line(reach.last[-1], reach.tool, through)]
            met = self._arm.feel_along(path, interrupted)
            self._arm.back_off(_LIFT_M)
            if met == "interrupted":
                return Done(False, "interrupted")
            if isinstance(met, Contact):
                return Done(True)
            reason = "nothing there"
        return Done(False, reason)

    def stow(self, *, interrupted: Interrupted = _never) -> Done:
        """Fold the arm for driving, keeping what is held."""
        if not self.holding:
            self._gripper.spread()
        for search in (False, True):
            for lift in _CARRY_LIFTS_M if self.holding else _CARRY_LIFTS_M[:1]:
                for turn in (0.0, 1.57, -1.57) if self.holding else (0.0,):
                    goal = STOWED + np.array([0, 0, 0, 0, 0, 0, 0, turn])
                    goal[0] = lift
                    way = self._arm.way(goal, search=search)
                    if way:
                        kept = self._arm.follow(way, interrupted)
                        return Done(kept, "done" if kept else "interrupted")
        return Done(False, "collision")


def _in_turns(ranked: Sequence[Grasp]) -> list[Grasp]:
    """The best from each direction first: what is in the way of one is so of those like it."""
    before: Counter[tuple[int, int]] = Counter()
    turns = []
    for grasp in ranked:
        turns.append((before[grasp.direction], grasp))
        before[grasp.direction] += 1
    return [grasp for _, grasp in sorted(turns, key=lambda turn: turn[0])]


def _foot(points: FloatArray) -> Pose:
    """Where a thing stands, from points on it: the middle of its lowest points' box, base frame."""
    low, high = np.percentile(points, (3, 97), axis=0)
    middle = (low + high) / 2
    heading = math.atan2(middle[1], middle[0])
    return Pose.from_yaw(float(middle[0]), float(middle[1]), z=float(low[2]), yaw=heading)
