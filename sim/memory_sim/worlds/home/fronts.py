"""Drawers and doors, moved by their handles: the hand follows what the hinge or the rail allows."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

import numpy as np

from memory_core.planning.body import Done, Interrupted
from memory_core.types import FloatArray, Pose, Vector3
from memory_sim.worlds.home.arm import STOWED, Reach, SimArm, tool_pose
from memory_sim.worlds.home.base import SimBase
from memory_sim.worlds.home.gripper import CLOSE_SECONDS, Gripper, middle_of
from memory_sim.worlds.home.robot import Contact, Part

_TILTS = (0.0, 0.35, -0.35, 0.7, -0.7, 1.05, -1.05)
"""Turns of the hand about the handle's bar that are tried, radians."""
_STEP_M = 0.015
_SPEED_M_S = 0.15
_LEAST_SHARE = 0.5
_MOST_TRIES = 4
_GIVEN_BACK_M = 0.05
_BEFORE_M = 0.08
_BEFORE_TOUCH_M = 0.05
_LEAP_RAD = 0.5
_LOOSENESS = (1.0, 0.6, 0.2)
"""How much of a door's turn the hand takes part in: the bar may turn between the fingers."""


class Fronts:
    """Opens and closes what has a handle."""

    def __init__(self, base: SimBase, arm: SimArm, gripper: Gripper) -> None:
        """Take over a robot's arm and gripper."""
        self._base, self._arm, self._gripper = base, arm, gripper
        self._robot, self._world = base.robot, base.robot.world
        self._openings: dict[Part, str] = {}
        for name, joint in self._world.joints.items():
            self._openings[joint.body, joint.link] = name
            self._openings[joint.body, joint.handle] = name
        self._jammed: set[str] = set()

    def jam(self, opening: str, *, jammed: bool) -> None:
        """A fault: a drawer or door that does not move, or does so again."""
        (self._jammed.add if jammed else self._jammed.discard)(opening)

    def pull(
        self, handle: FloatArray, outward: Vector3, travel_m: float, interrupted: Interrupted
    ) -> Done:
        """Take a handle between the fingers and pull.

        Args:
            handle: Points on it, base frame, shape (n, 3).
            outward: Out of the furniture, base frame.
            travel_m: How far.
            interrupted: See `Interrupted`.
        """
        self._gripper.spread()
        reason = "out of reach"
        for reach in itertools.islice(self._ways(handle, outward, travel_m), _MOST_TRIES):
            if not self._arm.follow(reach.way, interrupted):
                return Done(False, "interrupted")
            if self._arm.feel_along(reach.last, interrupted) == "interrupted":
                return Done(False, "interrupted")
            grip = self._gripper.close()
            self._base.wait(CLOSE_SECONDS)
            opening = self._openings.get(grip.part) if grip.part is not None else None
            if opening is None:
                reason = self._let_go("nothing there")
                continue
            reason = self._drag(opening, travel_m, interrupted)
            while reason == "done" and not self._folds_from_here():
                if self._drag(opening, -_GIVEN_BACK_M, interrupted) != "done":
                    break
            self._let_go(reason)
            if reason in ("done", "interrupted", "stuck"):
                break
        return Done(reason == "done", reason)

    def shove(
        self, handle: FloatArray, outward: Vector3, travel_m: float, interrupted: Interrupted
    ) -> Done:
        """Push a handle with closed fingers, against `outward`; arguments as of `pull`."""
        self._gripper.shut()
        reason = "out of reach"
        out = np.array(outward) / np.linalg.norm(outward)
        ways = self._ways(handle + _BEFORE_TOUCH_M * out, outward, -travel_m)
        for reach in itertools.islice(ways, _MOST_TRIES):
            if not self._arm.follow([*reach.way, *reach.last], interrupted):
                return Done(False, "interrupted")
            x, y, z = (np.array(reach.tool.position) - 2 * _BEFORE_TOUCH_M * out).tolist()
            onto = Pose(x, y, z, *reach.tool.quaternion)
            path, _ = self._arm.along(self._arm.joints, reach.tool, onto)
            met = self._arm.feel_along(path, interrupted)
            if met == "interrupted":
                return Done(False, "interrupted")
            opening = self._openings.get(met.part) if isinstance(met, Contact) else None
            if opening is None:
                reason = self._let_go("nothing there")
                continue
            reason = self._drag(opening, -travel_m, interrupted)
            self._let_go(reason)
            if reason in ("done", "interrupted", "stuck"):
                break
        return Done(reason == "done", reason)

    def _ways(self, handle: FloatArray, outward: Vector3, travel_m: float) -> Iterator[Reach]:
        """Ways to a handle, those first from which the hand can go on for the whole travel."""
        out = np.array(outward) / np.linalg.norm(outward)
        short: list[tuple[int, Reach]] = []
        for tool in _holds(handle, out):
            for reach in self._arm.reaches(tool, before_m=_BEFORE_M):
                x, y, z = (np.array(tool.position) + travel_m * out).tolist()
                path, whole = self._arm.along(reach.last[-1], tool, Pose(x, y, z, *tool.quaternion))
                if whole and self._arm.folds_freely(path):
                    yield reach
                else:
                    short.append((len(path), reach))
        yield from (reach for _, reach in sorted(short, key=lambda pair: -pair[0]))

    def _folds_from_here(self) -> bool:
        """Whether the arm, once it lets go, can be folded, and is not shut in by what it opened."""
        held = self._arm.joints
        self._arm.draw_back(_BEFORE_M)
        try:
            return bool(self._arm.way(STOWED))
        finally:
            self._robot.configure(held)

    def _let_go(self, reason: str) -> str:
        self._gripper.spread()
        self._arm.back_off(_BEFORE_M)
        return reason

    def _drag(self, opening: str, travel_m: float, interrupted: Interrupted) -> str:
        """Move an opening with the hand on it, by at most a way along the handle's path, metres."""
        if opening in self._jammed:
            return "stuck"
        world, joint = self._world, self._world.joints[opening]
        leaf, tool = world.opening_pose(opening), self._robot.tool()
        rest = leaf.inverse().compose(tool)
        length = abs(joint.kind.travel)
        if joint.kind.hinge is not None:
            length *= math.dist(joint.kind.hinge[:2], (rest.x, rest.y))
        first = world.openness(opening)
        moved, goal = 0.0, abs(travel_m)
        while moved < goal - 1e-6:
            if interrupted():
                return "interrupted"
            before = world.openness(opening)
            step = math.copysign(min(_STEP_M, goal - moved), travel_m)
            world.set_openness(opening, before + step / length)
            shift = abs(world.openness(opening) - before) * length
            if shift < 1e-6 or not self._keep_hold(opening, leaf, tool, rest, joint.body):
                world.set_openness(opening, before)
                break
            moved += shift
            self._base.wait(shift / _SPEED_M_S)
        reachable = (1 - first if travel_m > 0 else first) * length
        enough = moved >= _LEAST_SHARE * min(goal, max(reachable, _STEP_M))
        return "done" if enough else "stuck"

    def _keep_hold(self, opening: str, leaf: Pose, tool: Pose, rest: Pose, body: int) -> bool:
        """Bring the hand to where the handle went; False where the arm cannot."""
        now = self._world.opening_pose(opening)
        rigid = now.compose(rest)
        swung = now.yaw - leaf.yaw
        start = self._arm.joints
        for share in _LOOSENESS if abs(swung) > 1e-3 else (1.0,):
            turn = Pose.from_yaw(0.0, 0.0, yaw=share * math.remainder(swung, math.tau))
            held = turn.compose(Pose(0.0, 0.0, 0.0, *tool.quaternion))
            target = Pose(*rigid.position, *held.quaternion)
            joints = self._arm.solve(self._robot.pose.inverse().compose(target), start)
            if joints is None or np.max(np.abs(joints - start)[1:]) > _LEAP_RAD:
                continue
            self._robot.configure(joints)
            if not self._robot.touches_itself() and self._arm.touched(hand_on=body) is None:
                return True
            self._robot.configure(start)
        return False


def _holds(handle: FloatArray, out: FloatArray) -> Iterator[Pose]:
    """Tool poses on a handle: straight against the front first, then turned about its bar."""
    middle = np.array(middle_of(handle))
    flat = handle - middle
    flat = flat - np.outer(flat @ out, out)
    bar = np.linalg.svd(flat, full_matrices=False)[2][0]
    extent = float(np.ptp(np.percentile(flat @ bar, (5, 95))))
    for along in (0.0, 0.25 * extent, -0.25 * extent):
        x, y, z = (middle + bar * along).tolist()
        for tilt in _TILTS:
            approach = _turned(-out, bar, tilt)
            for side in (1.0, -1.0):
                yield tool_pose((x, y, z), approach, side * np.cross(bar, approach))


def _turned(vector: FloatArray, axis: FloatArray, angle: float) -> FloatArray:
    """A vector turned about a unit axis at a right angle to it."""
    return np.asarray(math.cos(angle) * vector + math.sin(angle) * np.cross(axis, vector))
