"""Goals in words: where to go and what to bring, from the memory that memory_node writes."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import PointStamped, PoseStamped, PoseWithCovarianceStamped
from nav_msgs.msg import OccupancyGrid, Odometry
from rclpy.action import ActionServer, CancelResponse
from rclpy.callback_groups import MutuallyExclusiveCallbackGroup, ReentrantCallbackGroup
from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from robot_memory_interfaces.action import FetchObject, GoTo
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Bool, String
from tf2_msgs.msg import TFMessage
from vision_msgs.msg import Detection3DArray

from memory_core.errors import RobotMemoryError
from memory_core.planning.body import Body
from memory_core.planning.doing import ROOM_M
from memory_core.planning.errand import SEE_FROM_M
from memory_core.planning.knowledge import Remembered
from memory_core.planning.planner import Planner
from memory_core.planning.plans import Plan
from memory_core.planning.skills import Skill, told
from memory_core.types import Evidence, Pose
from robot_memory_ros import qos
from robot_memory_ros.calling import POLL_S
from robot_memory_ros.carrying_out import CarryingOut, Refused, Underway
from robot_memory_ros.convert import (
    evidence_message,
    header_of,
    make_message,
    point_of,
    pose_message,
)
from robot_memory_ros.driving import RosNavigator
from robot_memory_ros.errands import CANCELLED, because, bringing_words, ended, going_words
from robot_memory_ros.following import FollowedMemory
from robot_memory_ros.frames import LiveFrames, Tally
from robot_memory_ros.handling import RosManipulator
from robot_memory_ros.looking import RosEyes
from robot_memory_ros.memory_node import encoder_of
from robot_memory_ros.running import run
from robot_memory_ros.settings import Setting, declare, value
from robot_memory_ros.watching import SILENT_S, TopicWatch, diagnostics
from robot_memory_ros.ways import MapWays

SETTINGS = {
    'folder': Setting('~/robot-memory', 'where memory_node keeps the memory, on this computer'),
    'encoder': Setting('default', "text encoder: memory_node's"),
    'robot': Setting('robot', 'name of this robot'),
    'session': Setting('', 'name of this run; empty: made from the time it begins'),
    'map_frame': Setting('map', "frame of the navigator's map"),
    'base_frame': Setting('base_link', 'frame of the robot: x forward, z up, on the floor'),
    'radius': Setting(0.25, 'of the robot, metres', 0.01, 5.0),
    'reach_near': Setting(0.45, 'nearest the arm reaches, metres along the floor', 0.0, 5.0),
    'reach_far': Setting(0.8, 'farthest the arm reaches, metres along the floor', 0.0, 5.0),
    'map_topic': Setting('map', 'nav_msgs/OccupancyGrid; empty: none, ways are straight lines'),
    'costmap_topic': Setting('global_costmap/costmap', 'what stands on the floor besides walls; '
                             'empty: nothing'),
    'odometry_topic': Setting('', 'nav_msgs/Odometry; empty: transforms alone'),
    'detections_topic': Setting('', 'vision_msgs/Detection3DArray; empty: it goes, but does not '
                                'find'),
    'depth_topic': Setting('', 'depth pictures of the same moments; empty: as above'),
    'camera_info_topic': Setting('', 'of the depth camera; empty: as above'),
    'look_timeout': Setting(5.0, 'wait so long for a picture, seconds', 0.1, 60.0, fixed=False),
    'memory_timeout': Setting(10.0, 'wait so long for memory_node, seconds', 0.1, 600.0,
                              fixed=False),
}  # fmt: skip
ORGANISED_S = 2.0
THREADS = 8


class PlannerNode(Node):
    """Serves `GoTo` and `FetchObject`; one is carried out at a time."""

    def __init__(self, **options: Any) -> None:
        """Make the body: clients of whoever drives, looks and handles."""
        super().__init__('planner_node', **options)
        declare(self, SETTINGS)
        begun = time.strftime('%Y-%m-%dT%H-%M-%S', time.gmtime())
        self._session = value(self, 'session') or begun
        map_frame, base_frame = value(self, 'map_frame'), value(self, 'base_frame')
        self._ways = MapWays(radius_m=value(self, 'radius'))
        self.frames = LiveFrames(
            map_frame=map_frame, base_frame=base_frame, reading=Tally(),
            jumped=lambda jump: self.navigator.corrected(),
        )  # fmt: skip
        self.navigator = RosNavigator(self, self.frames, self._ways, map_frame=map_frame)
        self.eyes = RosEyes(
            self, self.frames, map_frame=map_frame,
            patience_s=lambda: float(value(self, 'look_timeout')),
        )  # fmt: skip
        reach_m = value(self, 'reach_near'), value(self, 'reach_far')
        self.arm = RosManipulator(self, base_frame=base_frame, reach_m=reach_m)
        self._memory = FollowedMemory(
            self, Path(value(self, 'folder')).expanduser(), robot=value(self, 'robot'),
            encoder=lambda: encoder_of(value(self, 'encoder')),
            patience_s=lambda: float(value(self, 'memory_timeout')),
        )  # fmt: skip
        self._errands = CarryingOut(self, self._do)
        self._ailing, self._begun_s = '', time.monotonic()
        self._unready, self._finishing = '', threading.Event()
        self._watch = TopicWatch(self)
        self._listen()
        self._speech = self.create_publisher(String, 'speech', 10)
        self._told = self.create_publisher(DiagnosticArray, '/diagnostics', 10)
        apart = MutuallyExclusiveCallbackGroup
        steady = Clock(clock_type=ClockType.STEADY_TIME)  # the robot's may stand still
        self.create_timer(1.0, self._diagnose, callback_group=apart(), clock=steady)
        self.create_timer(ORGANISED_S, self._organise, callback_group=apart(), clock=steady)
        group = ReentrantCallbackGroup()
        self._servers = [
            ActionServer(
                self, kind, name, execute_callback=self._errands.serving(serve, kind),
                callback_group=group, cancel_callback=lambda handle: CancelResponse.ACCEPT,
            )
            for kind, name, serve in (
                (GoTo, 'go_to', self._go_to),
                (FetchObject, 'fetch_object', self._fetch),
            )
        ]  # fmt: skip

    def _listen(self) -> None:
        moving, seeing = MutuallyExclusiveCallbackGroup(), MutuallyExclusiveCallbackGroup()
        heard = (
            ('map_topic', OccupancyGrid, self._ways.take_map, qos.LATCHED, moving),
            ('costmap_topic', OccupancyGrid, self._ways.take_obstacles, qos.LATCHED, moving),
            ('odometry_topic', Odometry, self.frames.take_odometry, qos.SENSOR, moving),
            ('detections_topic', Detection3DArray, self.eyes.take_detections, qos.SENSOR, seeing),
            ('depth_topic', Image, self.eyes.take_depth, qos.SENSOR, seeing),
            ('camera_info_topic', CameraInfo, self.frames.take_camera, qos.SENSOR, seeing),
        )
        for name, kind, take, quality, group in heard:
            topic = value(self, name)
            if topic:
                self._watch.subscribe(kind, topic, take, quality, group=group)
        others = (
            (TFMessage, '/tf', lambda m: self.frames.take_transforms(m, static=False), qos.STREAM),
            (TFMessage, '/tf_static', lambda m: self.frames.take_transforms(m, static=True),
             qos.STATIC),
            (PoseWithCovarianceStamped, 'initialpose', self._told_where, 10),
            (Bool, 'holding', self.arm.take_holding, qos.LATCHED),
        )  # fmt: skip
        for kind, topic, take, quality in others:
            self._watch.subscribe(kind, topic, take, quality, wanted=False, group=moving)

    def _told_where(self, message: PoseWithCovarianceStamped) -> None:
        self.frames.expect_jump()
        self.navigator.corrected()

    def body(self) -> Body:
        """Make it as a planner has it."""

        def now_ns() -> int:
            return int(self.get_clock().now().nanoseconds)

        return Body(
            self.navigator, self.eyes, now_ns, self._wait,
            lambda text: self._speech.publish(String(data=text)),
            self.arm if self.arm.action.ready else None,
        )  # fmt: skip

    def _wait(self, seconds: float) -> None:
        until_ns = self.get_clock().now().nanoseconds + round(seconds * 1e9)
        while self.get_clock().now().nanoseconds < until_ns and not self.eyes.interrupted():
            time.sleep(POLL_S)

    # -- errands --------------------------------------------------------------------------------

    def _planner(self, tell: Callable[[Skill], None] = lambda skill: None) -> Planner:
        return Planner(
            self._memory, self.body(), session=self._session, told=tell,
            knowing=Remembered(self._memory.open()),
        )  # fmt: skip

    def _do(self, errand: Underway) -> None:
        """Do an errand, on its own thread."""
        self.navigator.begin(most_m=errand.most_m)
        self.eyes.interrupted = errand.stop.is_set

        def tell(skill: Skill) -> None:
            errand.steps.append(told(skill))
            self.get_logger().info(f'{errand.words}: {errand.steps[-1]}')

        def interrupted() -> bool:
            return errand.stop.is_set() or bool(self.navigator.over)

        self._await_body(errand)
        planner = self._planner(tell)
        errand.plan = planner.plan(errand.words)
        errand.evidence = self._evidence(planner, errand.plan)
        errand.outcome = planner.do(errand.words, interrupted=interrupted)
        self.get_logger().info(f'{errand.words}: {errand.outcome.reason}; {errand.outcome.said}')

    def _await_body(self, errand: Underway) -> None:
        """
        Wait a little for whoever drives and for where the robot is.

        :raises Refused: They do not come.
        """
        until_s = time.monotonic() + value(self, 'look_timeout')
        while not errand.stop.is_set():
            missing = self._missing()
            if missing is None:
                return
            if time.monotonic() > until_s:
                raise Refused(*ended(missing))
            time.sleep(POLL_S)

    def _missing(self) -> str | None:
        if not self.navigator.action.ready:
            return 'no navigator'
        return None if self.navigator.where().map_pose is not None else 'lost'

    def _told_end(self, handle: Any, result: Any, errand: Underway) -> bool:
        """Set a goal's state and a result's code; tells whether it was done."""
        outcome = errand.outcome
        if outcome is not None and outcome.done:
            handle.succeed()
            return True
        reason = 'interrupted' if outcome is None else outcome.reason
        if reason == 'interrupted' and self.navigator.over:
            reason = self.navigator.over
        result.error_code, result.error_msg = ended(reason, self.navigator.complaint)
        if handle.is_cancel_requested and result.error_code == CANCELLED:
            handle.canceled()
        else:
            handle.abort()
        return False

    # -- GoTo -----------------------------------------------------------------------------------

    def _go_to(self, handle: Any) -> Any:
        """Serve `GoTo`."""
        request, result = handle.request, GoTo.Result()
        words = going_words(request.goal)
        result.goal_pose.pose.orientation.w = 1.0
        if request.plan_only:
            planner = self._planner()
            plan = planner.plan(words)
            goal = self._goal_pose(plan)
            if goal is not None:
                result.goal_pose = self._pose(goal)
            result.explanation = plan.told
            result.evidence = self._evidence(planner, plan)
            self._end_plan(handle, result, known=goal is not None)
            return result

        def feedback(errand: Underway) -> Any:
            drive = self.navigator.drive
            phase = 'recalling' if not errand.steps else 'going'
            told = GoTo.Feedback(
                phase='recovering' if drive.recovering else phase,
                distance_remaining=drive.remaining_m,
                recoveries=min(drive.recoveries, 65_535),
            )
            told.elapsed = _duration(errand)
            return told

        errand = Underway(words, request.max_travel)
        self._errands.carry_out(handle, errand, feedback)
        result.arrived = self._told_end(handle, result, errand)
        here = self.navigator.where().map_pose
        if result.arrived and here is not None:
            result.goal_pose = self._pose(here)
        result.explanation = self._explained(errand)
        result.evidence = errand.evidence
        return result

    def _goal_pose(self, plan: Plan) -> Pose | None:
        """Find where the robot would stand at the end of a plan to go somewhere."""
        if plan.target is None:
            return None
        to_room = plan.goal.kind == 'go' and not plan.candidates  # else to see what was there
        near_m, far_m = (0.0, ROOM_M) if to_room else SEE_FROM_M
        found = self.navigator.standing(plan.target, near_m=near_m, far_m=far_m)
        return found[0].pose if found else None

    def _end_plan(self, handle: Any, result: Any, *, known: bool) -> None:
        if known:
            handle.succeed()
            return
        result.error_code, result.error_msg = ended('nothing known')
        handle.abort()

    # -- FetchObject ----------------------------------------------------------------------------

    def _fetch(self, handle: Any) -> Any:
        """Serve `FetchObject`."""
        request, result = handle.request, FetchObject.Result()
        words = bringing_words(request.object, request.bring_to)
        if request.plan_only:
            planner = self._planner()
            plan = planner.plan(words)
            result.steps = [told(step) for step in plan.steps]
            result.explanation = plan.told
            self._tell_remembered(result, plan)
            result.evidence = self._evidence(planner, plan)
            self._end_plan(handle, result, known=bool(plan.candidates))
            return result

        def feedback(errand: Underway) -> Any:
            done = max(0, len(errand.steps) - 1)
            planned = 0 if errand.plan is None else len(errand.plan.steps)
            step = errand.steps[-1] if errand.steps else 'recalling'
            message = FetchObject.Feedback(step=step, done=done, total=max(planned, done))
            message.elapsed = _duration(errand)
            return message

        errand = self._errands.carry_out(handle, Underway(words), feedback)
        result.fetched = self._told_end(handle, result, errand)
        result.explanation, result.evidence = self._explained(errand), errand.evidence
        if errand.plan is not None:
            self._tell_remembered(result, errand.plan)
        if errand.outcome is not None:
            result.steps = [f'{step.told}: {step.reason}' for step in errand.outcome.steps]
            found = [look for look in errand.outcome.looked if look.found]
            if found:
                result.has_found_at = True
                result.found_at = self._point(found[-1].position, found[-1].stamp_ns)
        return result

    def _tell_remembered(self, result: Any, plan: Plan) -> None:
        """Tell where a thing had been when it was asked for."""
        if plan.candidates:
            best = max(plan.candidates, key=lambda candidate: candidate.probability)
            result.entity = best.entity or ''
            result.has_remembered_at = True
            result.remembered_at = self._point(best.position, best.last_ns)

    # -- telling --------------------------------------------------------------------------------

    def _explained(self, errand: Underway) -> str:
        said = [] if errand.outcome is None else [errand.outcome.said]
        candidates = () if errand.plan is None else errand.plan.candidates
        return ' '.join([*said, because(candidates[0] if candidates else None)]).strip()

    def _evidence(self, planner: Planner, plan: Plan) -> list[Any]:
        """Tell what a plan rests on; for a room, what says that it is one."""
        found: list[Evidence] = [candidate.evidence for candidate in plan.candidates]
        if not found and plan.goal.to:
            now_ns = planner.body.stamp_ns()
            answer = planner.knowledge.ask(f'where is the {plan.goal.to}?', now_ns=now_ns)
            found = [] if answer.abstained else list(answer.evidence)
        return [evidence_message(item, make_message) for item in found]

    def _pose(self, pose: Pose) -> PoseStamped:
        header = header_of(make_message, self.get_clock().now().nanoseconds, self._map_frame)
        return PoseStamped(header=header, pose=pose_message(pose, make_message))

    def _point(self, at: Any, stamp_ns: int) -> PointStamped:
        header = header_of(make_message, stamp_ns, self._map_frame)
        return PointStamped(header=header, point=point_of(make_message, at))

    @property
    def _map_frame(self) -> str:
        return str(value(self, 'map_frame'))

    def _organise(self) -> None:
        """Take in what the memory learned, so that the next plan need not."""
        try:
            self._memory.open().organise()
            self._unready = ''
        except RobotMemoryError as error:
            if self._finishing.is_set():
                return
            if str(error) != self._unready:
                self.get_logger().warning(f'the memory cannot be read yet: {error}')
            self._unready = str(error)

    def _diagnose(self) -> None:
        problems = self._watch.check()
        if self._unready:
            problems['memory'] = self._unready
        missing = self._missing()
        if missing is not None and time.monotonic() - self._begun_s > SILENT_S:
            problems['body'] = ended(missing)[1]
        if problems.get('body', '') != self._ailing:
            self._ailing = problems.get('body', '')
            self.get_logger().warning(self._ailing or 'the body is complete')
        errand = self._errands.underway
        values = {
            'errand': '' if errand is None else errand.words,
            'arm': self.arm.action.ready,
            'head': self.eyes.action.ready,
            'map': self._ways.known,
            **self._watch.counts(),
        }
        self._told.publish(diagnostics(self, problems=problems, values=values))

    def finish(self) -> None:
        """Stop what is being done, tell whoever asked for it, and let go of the memory."""
        self._finishing.set()
        self._errands.stop()
        self._memory.close()


def _duration(errand: Underway) -> Any:
    seconds = time.monotonic() - errand.begun_s
    whole = int(seconds)
    return make_message(
        'builtin_interfaces/msg/Duration', sec=whole, nanosec=int((seconds - whole) * 1e9)
    )


def main(arguments: list[str] | None = None) -> int:
    """Run the node."""
    return run(PlannerNode, PlannerNode.finish, arguments=arguments, threads=THREADS)


if __name__ == '__main__':
    sys.exit(main())
