"""A simulated home as a robot: what it senses is published, and it does what it is told."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import rclpy
from geometry_msgs.msg import PoseWithCovarianceStamped, Twist
from nav2_msgs.action import ComputePathToPose, FollowPath, NavigateToPose
from nav_msgs.msg import OccupancyGrid, Odometry
from rclpy.action import ActionServer, CancelResponse
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.node import Node
from robot_memory_interfaces.action import LookAt, Manipulate
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CameraInfo, Image, LaserScan
from std_msgs.msg import Bool
from tf2_msgs.msg import TFMessage
from vision_msgs.msg import Detection3DArray

from memory_core.errors import (
    InputRejected,
    InvalidQuery,
    RobotMemoryError,
    SkillFailed,
    UnknownFrame,
)
from memory_core.planning.body import Done, Interrupted
from memory_core.planning.navigation.files import write_atomically
from memory_core.recordings import messages as ros
from memory_core.types import Pose
from memory_sim.worlds.home.plan import plan_home
from memory_sim.worlds.home.world import World
from robot_memory_ros import qos
from robot_memory_ros import sim_messages as made
from robot_memory_ros.clouds import points_of
from robot_memory_ros.convert import make_message, pose_message, time_of
from robot_memory_ros.running import run
from robot_memory_ros.settings import Setting, declare, value
from robot_memory_ros.simulated_robot import Order, SimulatedRobot

SETTINGS = {
    'seed': Setting(7, 'which home: the same seed gives the same', 0, 2**31 - 1),
    'rooms': Setting(4, 'how many, from 4 to 12, hallways not counted; 0: the seed tells', 0, 12),
    'floors': Setting(1, 'one or two with a lift; 0: the seed tells', 0, 2),
    'day': Setting(0, 'people move things over night: 0 the first day', 0, 10_000),
    'start_time': Setting(0.0, "the clock's first time, seconds since 1970; 0: now", 0.0, 4e9),
    'real_time_factor': Setting(1.0, 'simulated seconds in a second, as far as the computer can',
                                0.01, 100.0, fixed=False),
    'width': Setting(320, 'of pictures, pixels', 16, 4096),
    'height': Setting(240, 'of pictures, pixels', 16, 4096),
    'picture_rate': Setting(2.0, 'pictures in a simulated second', 0.1, 30.0, fixed=False),
    'scan_rate': Setting(5.0, 'turns of the scanner in a simulated second', 0.1, 10.0,
                         fixed=False),
    'maps': Setting('', "folder where the robot's map is kept between runs; empty: nowhere"),
}  # fmt: skip
FEEDBACK_S = 0.2
MAP_S = 1.0
WAIT_S = 0.01
STOPPED_S = 1.0
THREADS = 8
RUN, PAUSE_NS = 'simulation.json', 60_000_000_000
FASTEST_BEHIND_S = 0.2
NAVIGATION = {
    'no path': ComputePathToPose.Result.NO_VALID_PATH,
    'lost': ComputePathToPose.Result.TF_ERROR,
    'blocked': FollowPath.Result.FAILED_TO_MAKE_PROGRESS,
    'bumped': FollowPath.Result.FAILED_TO_MAKE_PROGRESS,
}
"""Why a drive ended, as nav2's planner and controller number it."""


@dataclass(frozen=True, slots=True)
class Before:
    """
    The run before this one: its clock may be ahead, for simulated time may run faster.

    :param folder: Where the map is kept; None where nothing is.
    :param home: What the home was made from.
    """

    folder: Path | None
    home: dict[str, int]

    def ended_ns(self) -> int:
        """
        Tell from when on a clock may show, nanoseconds; 0: from any time.

        :raises InvalidQuery: The map is of another home.
        """
        if self.folder is None or not (self.folder / RUN).exists():
            return 0
        kept = json.loads((self.folder / RUN).read_text(encoding='utf-8'))
        if kept['home'] != self.home:
            raise InvalidQuery(
                f'{self.folder} holds the map of the home made from {kept["home"]}; take another '
                'folder, or those numbers'
            )
        return int(kept['stamp_ns']) + PAUSE_NS

    def keep(self, stamp_ns: int) -> None:
        """Keep what the clock shows at the end."""
        if self.folder is not None:
            self.folder.mkdir(parents=True, exist_ok=True)
            kept = json.dumps({'home': self.home, 'stamp_ns': stamp_ns})
            write_atomically(self.folder / RUN, kept.encode())


class SimNode(Node):
    """Publishes what the simulated robot senses; serves driving, looking and handling."""

    def __init__(self, **options: Any) -> None:
        """Build the home."""
        super().__init__('sim_node', **options)
        declare(self, SETTINGS)
        home = {name: value(self, name) for name in ('seed', 'rooms', 'floors')}
        plan = plan_home(home['seed'], rooms=home['rooms'] or None, floors=home['floors'] or None)
        width, height = value(self, 'width'), value(self, 'height')
        self.world = World(plan, day=value(self, 'day'), width=width, height=height)
        maps = Path(value(self, 'maps')).expanduser() if value(self, 'maps') else None
        begun_s = value(self, 'start_time') or time.time()
        self._before = Before(maps, home)
        self.robot = SimulatedRobot(
            self.world,
            start_ns=max(round(begun_s * 1e9), self._before.ended_ns()),
            seed=value(self, 'seed'),
            maps=maps,
        )
        self._due_s = time.monotonic()
        self._shown_ns = self.robot.base.stamp_ns
        self._next_ns = dict.fromkeys(('picture', 'scan', 'map'), 0)
        self._revision = -1
        self._driving: Order | None = None
        self._serving: list[Any] = []
        self.failed = False
        self._offer()
        self.robot.base.passed = self._passed
        self._mover = threading.Thread(target=self._move, name='robot', daemon=True)
        rooms = ', '.join(sorted(room.name for room in plan.rooms))
        self.get_logger().info(f'home {plan.seed}: {rooms}; {len(self.world.things)} things')

    def _offer(self) -> None:
        publish = self.create_publisher
        self._time = publish(Clock, '/clock', 10)
        self._tf = publish(TFMessage, '/tf', qos.STREAM)
        self._static = publish(TFMessage, '/tf_static', qos.STATIC)
        self._odometry = publish(Odometry, 'odom', qos.SENSOR)
        self._scan = publish(LaserScan, 'scan', qos.SENSOR)
        self._image = publish(Image, 'camera/image_raw', qos.SENSOR)
        self._depth = publish(Image, 'camera/depth', qos.SENSOR)
        self._camera = publish(CameraInfo, 'camera/camera_info', qos.SENSOR)
        self._detections = publish(Detection3DArray, 'detections', qos.SENSOR)
        self._map = publish(OccupancyGrid, 'map', qos.LATCHED)
        self._obstacles = publish(OccupancyGrid, 'global_costmap/costmap', qos.LATCHED)
        self._holding = publish(Bool, 'holding', qos.LATCHED)
        group = ReentrantCallbackGroup()
        self.create_subscription(Twist, 'cmd_vel', self._drive, 10, callback_group=group)
        self.create_subscription(
            PoseWithCovarianceStamped, 'initialpose', self._relocalise, 10, callback_group=group
        )
        actions = (
            (NavigateToPose, 'navigate_to_pose', self._navigate),
            (LookAt, 'look_at', self._look),
            (Manipulate, 'manipulate', self._manipulate),
        )
        self._servers = [
            ActionServer(
                self, kind, name, execute_callback=self._told_of(act, kind), callback_group=group,
                cancel_callback=lambda handle: CancelResponse.ACCEPT,
            )
            for kind, name, act in actions
        ]  # fmt: skip
        stamp = self._stamp()
        self._static.publish(TFMessage(transforms=[
            made.transform(made.BASE, made.LASER, Pose(z=made.LASER_M), stamp),
            made.transform(made.CAMERA, made.OPTICAL, made.CAMERA_TO_OPTICAL, stamp),
        ]))  # fmt: skip
        self._holding.publish(Bool(data=False))

    def begin(self) -> bool:
        """Let time pass."""
        self._mover.start()
        return True

    def finish(self) -> None:
        """Have the robot stand still, tell whoever moved it, and let go of the home."""
        self.robot.stop()
        until_s = time.monotonic() + STOPPED_S
        while self._serving and time.monotonic() < until_s:
            time.sleep(WAIT_S)
        self._mover.join(STOPPED_S)
        self._before.keep(self.robot.base.stamp_ns)
        self.world.close()

    def _move(self) -> None:
        try:
            self.robot.run()
        except Exception as error:  # a robot that stands still unseen helps nobody
            self.failed = True
            self.get_logger().fatal(f'the simulation ended: {error!r}')
            rclpy.try_shutdown(context=self.context)

    # -- sensing: on the robot's thread ---------------------------------------------------------

    def _stamp(self) -> Any:
        return time_of(make_message, self.robot.base.stamp_ns)

    def _passed(self) -> None:
        """Show what is sensed now, no faster than the clock may run."""
        self._pace()
        stamp = self._stamp()
        base = self.robot.base
        transforms = [
            made.transform(made.ODOM, made.BASE, base.odometry, stamp),
            made.transform(made.BASE, made.CAMERA, base.camera_pose, stamp),
        ]
        if self.robot.map_to_odom is not None:
            known = self.robot.map_to_odom
            transforms.insert(0, made.transform(made.MAP, made.ODOM, known, stamp))
        self._time.publish(Clock(clock=stamp))
        self._tf.publish(TFMessage(transforms=transforms))
        self._odometry.publish(made.odometry(base.odometry, stamp))
        if self._is_due('scan', 1 / value(self, 'scan_rate')):
            self._scan.publish(made.scan(base.scan(), stamp))
        if self._is_due('picture', 1 / value(self, 'picture_rate')):
            self._show(stamp)
        if self._is_due('map', MAP_S):
            self._show_map(stamp)

    def _pace(self) -> None:
        now_ns = self.robot.base.stamp_ns
        self._due_s += (now_ns - self._shown_ns) * 1e-9 / value(self, 'real_time_factor')
        self._shown_ns = now_ns
        early_s = self._due_s - time.monotonic()
        if early_s > 0:
            time.sleep(early_s)
        elif early_s < -FASTEST_BEHIND_S:  # what was too slow is not made up for
            self._due_s = time.monotonic()

    def _is_due(self, what: str, period_s: float) -> bool:
        now_ns = self.robot.base.stamp_ns
        if now_ns < self._next_ns[what]:
            return False
        self._next_ns[what] = now_ns + round(period_s * 1e9)
        return True

    def _show(self, stamp: Any) -> None:
        seen = self.robot.picture()
        if seen is None:
            return
        frame, things = seen
        self._camera.publish(made.camera_info(frame.intrinsics, stamp))
        self._depth.publish(made.depth(frame.depth_m, stamp))
        self._image.publish(made.picture(frame.image, stamp))
        self._detections.publish(made.detections(things, stamp))

    def _show_map(self, stamp: Any) -> None:
        grid = self.robot.grid
        if grid.revision == self._revision:
            return
        self._revision = grid.revision
        scanned = grid.scan_odds != 0
        self._map.publish(made.grid(grid, known=scanned, occupied=grid.walls, stamp=stamp))
        self._obstacles.publish(
            made.grid(grid, known=grid.known, occupied=grid.occupied, stamp=stamp)
        )

    # -- acting: on the executor's threads ------------------------------------------------------

    def _drive(self, message: Twist) -> None:
        self.robot.velocity(message.linear.x, message.angular.z)

    def _relocalise(self, message: PoseWithCovarianceStamped) -> None:
        try:
            pose = ros.pose_of(message.pose.pose)
        except InputRejected as error:
            self.get_logger().error(f'initialpose is not used: {error}')
            return
        self.robot.order(lambda interrupted: self.robot.relocalise(pose))

    def _told_of(self, act: Callable[[Any], Any], kind: Any) -> Callable[[Any], Any]:
        """Tell what goes wrong in the result, with a code."""

        def acted(handle: Any) -> Any:
            self._serving.append(handle)
            try:
                return act(handle)
            except RobotMemoryError as error:
                code, said = error.code, str(error)
            finally:
                self._serving.remove(handle)
            handle.abort()
            told = {} if kind is NavigateToPose else {'error_code': code}
            return kind.Result(error_msg=said, **told)

        return acted

    def _carry_out(
        self, handle: Any, act: Callable[[Interrupted], Any], feedback: Callable[[], Any]
    ) -> Any:
        """Have the robot do something, tell how it goes, and end it where it is cancelled."""
        order = self.robot.order(act)
        if isinstance(handle.request, NavigateToPose.Goal):
            self._driving = order
        told_s = 0.0
        while not order.ended.done() and self._mover.is_alive():
            if handle.is_cancel_requested:
                order.stop.set()
            if time.monotonic() - told_s > FEEDBACK_S:
                told_s = time.monotonic()
                handle.publish_feedback(feedback())
            time.sleep(WAIT_S)
        if not order.ended.done():
            raise SkillFailed('the simulation was stopped')
        return order.ended.result()

    def _navigate(self, handle: Any) -> Any:
        """Serve `NavigateToPose` as nav2 does: a newer goal replaces the one before."""
        if self._driving is not None:
            self._driving.stop.set()
        stamped = handle.request.pose
        if stamped.header.frame_id.lstrip('/') != made.MAP:
            raise UnknownFrame(
                f'the goal is in frame {stamped.header.frame_id!r}; give it in {made.MAP!r}'
            )
        goal, begun = ros.pose_of(stamped.pose), self.get_clock().now()

        def feedback() -> Any:
            told = NavigateToPose.Feedback()
            where = self.robot.navigator.where().map_pose
            if where is not None:
                told.current_pose.header.frame_id = made.MAP
                told.current_pose.pose = pose_message(where, make_message)
                apart = np.subtract(where.position, goal.position)
                told.distance_remaining = float(np.linalg.norm(apart))
            told.navigation_time = (self.get_clock().now() - begun).to_msg()
            return told

        def go(interrupted: Interrupted) -> str:
            return self.robot.go(goal, interrupted)

        reason = self._carry_out(handle, go, feedback)
        if reason == 'reached':
            handle.succeed()
            return NavigateToPose.Result()
        if handle.is_cancel_requested:
            handle.canceled()
        else:
            handle.abort()
        code = NAVIGATION.get(reason, NavigateToPose.Result.NONE)
        return NavigateToPose.Result(error_code=code, error_msg=reason)

    def _look(self, handle: Any) -> Any:
        """Serve `LookAt`."""
        target = self._in_base(handle.request.target) if handle.request.has_target else None

        def look(interrupted: Interrupted) -> int:
            stamp_ns = self.robot.look(target)
            self._next_ns['picture'] = 0  # whoever looks wants to see at once
            return stamp_ns

        stamp_ns = self._carry_out(handle, look, LookAt.Feedback)
        handle.succeed()
        return LookAt.Result(stamp=time_of(make_message, stamp_ns))

    def _in_base(self, stamped: Any) -> tuple[float, float, float]:
        frame, point = stamped.header.frame_id.lstrip('/'), stamped.point
        base, known = self.robot.base, self.robot.map_to_odom
        frames = {made.BASE: Pose(), made.ODOM: base.odometry}
        if known is not None:
            frames[made.MAP] = known.compose(base.odometry)
        if frame not in frames:
            raise UnknownFrame(f'the target is in frame {frame!r}; known: {", ".join(frames)}')
        return frames[frame].inverse().apply(point.x, point.y, point.z)

    def _manipulate(self, handle: Any) -> Any:
        """Serve `Manipulate`."""
        begun = self.get_clock().now()

        def feedback() -> Any:
            return Manipulate.Feedback(elapsed=(self.get_clock().now() - begun).to_msg())

        movement = self._movement(handle.request)
        done: Done = self._carry_out(handle, movement, feedback)
        holding = self.robot.arm.holding
        self._holding.publish(Bool(data=holding))
        if done.done:
            handle.succeed()
            return Manipulate.Result(holding=holding)
        if handle.is_cancel_requested:
            handle.canceled()
        else:
            handle.abort()
        return Manipulate.Result(
            error_code=done.reason.replace(' ', '_'), error_msg=done.reason, holding=holding
        )

    def _movement(self, goal: Any) -> Callable[[Interrupted], Done]:
        arm = self.robot.arm
        at, end = ((p.x, p.y, p.z) for p in (goal.point, goal.end))
        out = (goal.outward.x, goal.outward.y, goal.outward.z)
        cloud = points_of(goal.cloud)
        front = {'hinged': goal.hinged, 'travel_m': goal.travel}
        movements: dict[int, Callable[[Interrupted], Done]] = {
            goal.PICK: lambda stop: arm.pick(cloud, interrupted=stop),
            goal.PLACE: lambda stop: arm.place(at, interrupted=stop),
            goal.OPEN: lambda stop: arm.open(cloud, out, **front, interrupted=stop),
            goal.CLOSE: lambda stop: arm.close(cloud, out, **front, interrupted=stop),
            goal.PUSH: lambda stop: arm.push(at, end, interrupted=stop),
            goal.PRESS: lambda stop: arm.press(at, interrupted=stop),
            goal.GIVE: lambda stop: arm.give(interrupted=stop),
            goal.STOW: lambda stop: arm.stow(interrupted=stop),
        }
        return movements.get(goal.movement, lambda stop: Done(False, 'unknown movement'))


def main(arguments: list[str] | None = None) -> int:
    """Run the node; a simulation that failed is told by the exit code."""
    try:
        run(
            SimNode, SimNode.finish, arguments=arguments, threads=THREADS, begin=SimNode.begin,
            failed=lambda node: node.failed,
        )  # fmt: skip
    except RobotMemoryError as error:  # the map of another home, or no PyBullet
        print(f'sim_node: {error}', file=sys.stderr)
        return error.exit_status


if __name__ == '__main__':
    sys.exit(main())
