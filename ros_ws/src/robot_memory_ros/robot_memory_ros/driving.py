"""`Navigator` of a planner, through nav2's `NavigateToPose`, `/tf` and the map."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from nav2_msgs.action import ComputePathToPose, FollowPath, NavigateToPose
from rclpy.node import Node

from memory_core.planning.body import Arrival, Interrupted, Localisation, Stand
from memory_core.types import BoolArray, FloatArray, Pose, Vector3
from robot_memory_ros.calling import POLL_S, ActionCaller, Ended
from robot_memory_ros.convert import make_message, pose_message
from robot_memory_ros.frames import LiveFrames
from robot_memory_ros.ways import MapWays

_PLANNED, _FOLLOWED = ComputePathToPose.Result, FollowPath.Result
REASONS = {
    _PLANNED.TF_ERROR: 'lost',
    _PLANNED.START_OUTSIDE_MAP: 'lost',
    _PLANNED.GOAL_OUTSIDE_MAP: 'no path',
    _PLANNED.START_OCCUPIED: 'blocked',
    _PLANNED.GOAL_OCCUPIED: 'no path',
    _PLANNED.TIMEOUT: 'no path',
    _PLANNED.NO_VALID_PATH: 'no path',
    _FOLLOWED.TF_ERROR: 'lost',
    _FOLLOWED.PATIENCE_EXCEEDED: 'blocked',
    _FOLLOWED.FAILED_TO_MAKE_PROGRESS: 'blocked',
    _FOLLOWED.NO_VALID_CONTROL: 'blocked',
    _FOLLOWED.CONTROLLER_TIMED_OUT: 'blocked',
}
"""What nav2's planner and controller number, in a planner's words (`Arrival.reason`)."""
RECOVERING_S = 3.0
SENT_ANEW = 3
"""A goal is sent again so often when the map moved under it."""
FOLLOWED_S = 5.0
TURN_RAD = 2.0
FASTEST_M_S = 3.0
"""Who was further in a moment did not drive: the map moved."""


@dataclass(slots=True)
class Drive:
    """How the drive goes that is being made, by the navigator's feedback."""

    going: bool = False
    remaining_m: float = -1.0
    recoveries: int = 0
    recovered_s: float = -math.inf

    @property
    def recovering(self) -> bool:
        """Whether the navigator is getting itself free."""
        return time.monotonic() - self.recovered_s < RECOVERING_S


class RosNavigator:
    """
    Knows where the robot is by transforms, and ways by the map; nav2 drives.

    `over` says why no errand can go on: `no navigator`, or `stopped` by somebody at the
    navigator; else it is empty. `complaint` is what the navigator last said of a failure.
    """

    def __init__(self, node: Node, frames: LiveFrames, ways: MapWays, *, map_frame: str) -> None:
        """
        Make the client.

        :param node: Whose executor carries the answers.
        :param frames: Where the robot is.
        :param ways: Over the map.
        :param map_frame: Frame of goals.
        """
        self._node, self._frames, self._ways = node, frames, ways
        self._map_frame = map_frame
        self.action = ActionCaller(node, NavigateToPose, 'navigate_to_pose')
        self.drive = Drive()
        self.over = ''
        self.complaint = ''
        self._left_m = math.inf
        self._corrections = 0

    def begin(self, *, most_m: float) -> None:
        """Begin an errand on which the robot may drive so far, metres; 0: any way."""
        self.drive, self.over, self.complaint = Drive(), '', ''
        self._left_m = most_m or math.inf

    def corrected(self) -> None:
        """Take note that the robot is elsewhere in the map than was thought."""
        self._corrections += 1

    # -- asking ---------------------------------------------------------------------------------

    def where(self) -> Localisation:
        """See `Navigator.where`."""
        frames = self._frames
        fixed, run = frames.fixed, frames.run
        newest = frames.covered('', run=run)
        if newest is None or not frames.in_map(fixed):
            return Localisation(None, localised=False, map_id=self._map_frame)
        pose = frames.pose(newest, run=run, fixed=fixed)
        return Localisation(
            pose, localised=pose is not None, map_id=self._map_frame, map_pose=pose
        )

    def way(self, goal: Vector3) -> tuple[Vector3, ...]:
        """See `Navigator.way`."""
        here = self.where().map_pose
        return () if here is None else self._ways.way(here.position, goal)

    def travel_m(self, goal: Vector3) -> float:
        """See `Navigator.travel_m`; as the crow flies where no map has come."""
        here = self.where().map_pose
        if here is None:
            return math.inf
        if not self._ways.known:
            return math.dist(here.position[:2], goal[:2])
        return self._ways.travel_m(here.position, goal)

    def ways_m(self, start: Vector3, goals: Sequence[Vector3]) -> FloatArray:
        """See `Navigator.ways_m`; as the crow flies where no map has come."""
        return self._ways.ways_m(start, goals)

    def in_sight(self, targets: Sequence[Vector3], inside_m: FloatArray) -> BoolArray:
        """See `Navigator.in_sight`; where it is lost it sees nothing."""
        here = self.where().map_pose
        if here is None:
            return np.zeros(len(targets), bool)
        return self._ways.in_sight(here.position, targets, inside_m)

    def frontiers(self) -> tuple[Vector3, ...]:
        """See `Navigator.frontiers`."""
        return self._ways.frontiers()

    def doubt(self, at: Vector3, radius_m: float) -> None:
        """See `Navigator.doubt`; whoever makes the map sees for itself what was moved."""

    def block(self, points: Sequence[Vector3]) -> None:
        """See `Navigator.block`; as for `doubt`."""

    def standing(
        self, target: Vector3, *, near_m: float, far_m: float, then: Vector3 | None = None
    ) -> tuple[Stand, ...]:
        """See `Navigator.standing`; on this side of the target where no map has come."""
        here = self.where().map_pose
        if here is None:
            return ()
        if self._ways.known:
            return self._ways.standing(
                here.position, target, near_m=near_m, far_m=far_m, then=then
            )
        heading = math.atan2(target[1] - here.y, target[0] - here.x)
        apart = (near_m + far_m) / 2
        x, y = target[0] - apart * math.cos(heading), target[1] - apart * math.sin(heading)
        return (Stand(Pose.from_yaw(x, y, yaw=heading), math.hypot(x - here.x, y - here.y)),)

    # -- going ----------------------------------------------------------------------------------

    def go(
        self,
        goal: Pose,
        *,
        within_m: float = 0.1,
        within_rad: float = 0.1,
        interrupted: Interrupted = lambda: False,
    ) -> Arrival:
        """See `Navigator.go`; how near is near is set in the navigator's own parameters."""
        if self.where().map_pose is None:
            return Arrival(False, 'lost')
        if self.travel_m(goal.position) > self._left_m:
            return Arrival(False, 'too far')
        self.drive.going = True
        travelled = _Odometer(self.where)
        try:
            reason = self._drive(goal, interrupted, travelled.look)
        finally:
            self.drive.going = False
        self._left_m -= travelled.metres
        return Arrival(reason == 'reached', reason, travelled.metres)

    def turn(self, angle_rad: float, *, interrupted: Interrupted = lambda: False) -> Arrival:
        """See `Navigator.turn`; by goals on the spot."""
        pieces = max(1, math.ceil(abs(angle_rad) / TURN_RAD))
        for _ in range(pieces):
            here = self.where().map_pose
            if here is None:
                return Arrival(False, 'lost')
            turned = Pose.from_yaw(here.x, here.y, z=here.z, yaw=here.yaw + angle_rad / pieces)
            arrival = self.go(turned, interrupted=interrupted)
            if not arrival.reached:
                return arrival
        return Arrival(True, 'reached')

    def _drive(self, goal: Pose, interrupted: Interrupted, look: Callable[[], None]) -> str:
        """Send a goal; anew where the map moved meanwhile, for the goal is elsewhere now."""
        for _ in range(SENT_ANEW):
            known = self._corrections
            ended = self._send(goal, partial(self._ends, known, interrupted, look))
            if interrupted():
                return 'interrupted'
            if self._corrections == known:
                return self._reason(ended)
            self._await_place(interrupted)
        return 'lost'

    def _await_place(self, interrupted: Interrupted) -> None:
        """Wait until the map follows what somebody said of where the robot is."""
        until_s = time.monotonic() + FOLLOWED_S
        while self.where().map_pose is None and time.monotonic() < until_s:
            if interrupted():
                return
            time.sleep(POLL_S)

    def _ends(self, known: int, interrupted: Interrupted, look: Callable[[], None]) -> bool:
        look()
        return interrupted() or self._corrections != known

    def _send(self, goal: Pose, interrupted: Interrupted) -> Ended:
        message = NavigateToPose.Goal()
        message.pose.header.frame_id = self._map_frame
        message.pose.header.stamp = self._node.get_clock().now().to_msg()
        message.pose.pose = pose_message(goal, make_message)
        return self.action.call(message, interrupted=interrupted, heard=self._heard)

    def _heard(self, feedback: Any) -> None:
        drive = self.drive
        drive.remaining_m = float(feedback.distance_remaining)
        if feedback.number_of_recoveries > drive.recoveries:
            drive.recovered_s = time.monotonic()
        drive.recoveries = int(feedback.number_of_recoveries)

    def _reason(self, ended: Ended) -> str:
        """Tell why a drive ended, in a planner's words."""
        if ended.how == 'done':
            return 'reached'
        if ended.how == 'silent':
            self.complaint = f'nobody serves {self.action.name}; start nav2'
            self.over = 'no navigator'
            return 'interrupted'
        if ended.how == 'cancelled':  # a person at the navigator wants the robot to stop
            self.over = 'stopped'
            return 'interrupted'
        if ended.result is None:
            self.complaint = f'{self.action.name} refused the goal'
            return 'no path'
        code, said = ended.result.error_code, getattr(ended.result, 'error_msg', '')
        self.complaint = f'{self.action.name} ended with error {code} {said}'.strip()
        return REASONS.get(code, 'blocked')


class _Odometer:
    """Adds up the way driven, by where the robot is from moment to moment."""

    def __init__(self, where: Callable[[], Localisation]) -> None:
        self._where = where
        self._last: tuple[Pose, float] | None = None
        self.metres = 0.0

    def look(self) -> None:
        here, now = self._where().map_pose, time.monotonic()
        if here is None:
            self._last = None
            return
        if self._last is None:
            self._last = here, now
            return
        before, since = self._last
        if now - since < 0.1:
            return
        step = math.dist(here.position, before.position)
        if step <= FASTEST_M_S * max(1.0, now - since):
            self.metres += step
        self._last = here, now
