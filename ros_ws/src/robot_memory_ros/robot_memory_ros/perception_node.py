"""Sensors to observations: what the robot perceives, where it was, sent until it is on disk."""

from __future__ import annotations

import queue
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any, NoReturn

import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import PoseWithCovarianceStamped
from nav_msgs.msg import Odometry
from nav_msgs.msg import Path as PathMessage
from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from robot_memory_interfaces.msg import Acknowledgement as AcknowledgementMessage
from sensor_msgs.msg import BatteryState, CameraInfo, CompressedImage, Image, LaserScan
from std_msgs.msg import String
from tf2_msgs.msg import TFMessage
from vision_msgs.msg import Detection2DArray, Detection3DArray

from memory_core.errors import InputRejected
from memory_core.perception.keyframes import KeyframeRule
from memory_core.recordings import messages as ros
from memory_core.recordings.detect import ReadOptions
from memory_core.recordings.paths import PathThinner
from memory_core.recordings.perceiver import Heard, Perceiver
from memory_core.types import Pose
from robot_memory_ros import qos
from robot_memory_ros.convert import ns_of, pose_of
from robot_memory_ros.frames import LiveFrames, Pinned, Tally
from robot_memory_ros.running import run
from robot_memory_ros.sending import Sender
from robot_memory_ros.settings import Setting, declare, value
from robot_memory_ros.spool import Spool
from robot_memory_ros.trail import Jump
from robot_memory_ros.watching import TopicWatch, diagnostics

SETTINGS = {
    'robot': Setting('robot', 'name of this robot'),
    'session': Setting('', 'name of this run; empty: made from the time it begins'),
    'image_topic': Setting('camera/image_raw', 'colour pictures; empty: none'),
    'compressed': Setting(False, 'whether the pictures come as sensor_msgs/CompressedImage'),
    'depth_topic': Setting('', 'depth pictures, registered to the colour ones; empty: none'),
    'camera_info_topic': Setting('camera/camera_info', 'the camera; empty: none'),
    'detections_topic': Setting('', 'vision_msgs/Detection3DArray; empty: none'),
    'detections_2d_topic': Setting('', 'vision_msgs/Detection2DArray; empty: none'),
    'caption_topic': Setting('', 'std_msgs/String in words for people; empty: none'),
    'scan_topic': Setting('', 'sensor_msgs/LaserScan; empty: none'),
    'battery_topic': Setting('', 'sensor_msgs/BatteryState; empty: none'),
    'diagnostics_topic': Setting('', 'diagnostic_msgs/DiagnosticArray of the robot; empty: none'),
    'odometry_topic': Setting('odom', 'nav_msgs/Odometry; empty: transforms alone'),
    'initial_pose_topic': Setting(
        'initialpose', 'where somebody says that the robot is; empty: none'
    ),
    'path_topic': Setting(
        '',
        'nav_msgs/Path of the whole way as SLAM corrects it; empty: none, '
        'jumps of the map are taken out along the way',
    ),
    'map_frame': Setting('map', 'fixed frame of a robot that knows where it is'),
    'base_frame': Setting('', 'frame of the robot; empty: what the odometry moves'),
    'keyframe_distance': Setting(0.5, 'keep a picture after so much travel, metres', 0.0, 100.0),
    'keyframe_angle': Setting(0.35, 'and after such a turn, radians', 0.0, 6.3),
    'keyframe_gap': Setting(0.2, 'never more often than this, seconds', 0.0, 3600.0),
    'describe_places': Setting(
        True, 'describe pictures for their place, so that it is known again; 20 ms of a core each'
    ),
    'queue_size': Setting(100, 'messages that wait to be taken; more are dropped', 1, 10_000),
    'transform_timeout': Setting(0.5, 'wait so long for a transform, seconds', 0.0, 10.0,
                                 fixed=False),
    'jump_distance': Setting(
        0.5,
        'the map was corrected where it moves the robot at once by more than this, metres',
        0.05,
        100.0,
    ),
    'jump_angle': Setting(0.2, 'or turns it by more than this, radians', 0.01, 3.2),
    'drift': Setting(0.02, 'how far odometry goes wrong, metres a metre', 0.001, 0.5),
    'carried': Setting(
        False,
        'the robot gets carried about: where it turns out to be elsewhere '
        'what it remembered stays where it is',
    ),
    'spool_folder': Setting(
        '', 'where what is not on disk yet is kept while this node is down; empty: nowhere'
    ),
    'spool_size': Setting(20_000, 'observations kept until they are on disk', 1, 1_000_000),
    'spool_bytes': Setting(256_000_000, 'bytes of pictures kept till then', 1, 2**40),
    'resend_after': Setting(2.0, 'send again what is not on disk after this, seconds', 0.1, 60.0,
                            fixed=False),
}  # fmt: skip
STEADY = ('image_topic', 'depth_topic', 'scan_topic')
WORK_S = 0.05
UNPLACED_S = 3.0
"""A robot that has no place in its map for so long is told of, and again where it loses it."""
RECENT_S = 10.0
"""What could not be used is a problem for so long, and worth a line in the log after that."""
LAST_S = 0.6
"""What waits when the node is stopped is still taken for so long."""


class PerceptionNode(Node):
    """Streams what is perceived into the memory, and keeps it until the memory has it."""

    def __init__(self, **options: Any) -> None:
        """Subscribe to what the parameters name."""
        super().__init__('perception_node', **options)
        declare(self, SETTINGS)
        self._reading = Tally()
        self.frames = LiveFrames(
            map_frame=value(self, 'map_frame'),
            base_frame=value(self, 'base_frame'),
            reading=self._reading,
            jump_m=value(self, 'jump_distance'),
            jump_rad=value(self, 'jump_angle'),
            jumped=self._jumped,
        )
        rule = KeyframeRule(
            distance_m=value(self, 'keyframe_distance'),
            angle_rad=value(self, 'keyframe_angle'),
            min_gap_s=value(self, 'keyframe_gap'),
        )
        self._placed = Pinned(self.frames)
        options = ReadOptions(keyframes=rule, places=value(self, 'describe_places'))
        self._perceiver = Perceiver(self._placed, options, self._reading)
        self._path = PathThinner()
        self._path_from: tuple[int, str, int] | None = None
        self._queue: queue.Queue[tuple[Heard, Any, float]] = queue.Queue(value(self, 'queue_size'))
        self._counts: Counter[str] = Counter()
        self._stopping, self._given_up = threading.Event(), threading.Event()
        self._in_vain: dict[str, int | None] = {}
        self._recent_codes: set[str] = set()
        self._unplaced_s: float | None = time.monotonic()
        self._told_unplaced = False
        folder = value(self, 'spool_folder')
        self.sender = Sender(
            self,
            self.frames,
            robot=value(self, 'robot'),
            session=value(self, 'session') or time.strftime('%Y-%m-%dT%H-%M-%S', time.gmtime()),
            map_frame=value(self, 'map_frame'),
            drift=value(self, 'drift'),
            keep=value(self, 'carried'),
            spool=Spool(most=value(self, 'spool_size'), most_bytes=value(self, 'spool_bytes')),
            folder=Path(folder).expanduser() if folder else None,
        )

        self._told = self.create_publisher(DiagnosticArray, '/diagnostics', 10)
        self._watch = TopicWatch(self)
        self._listen()
        steady = Clock(clock_type=ClockType.STEADY_TIME)  # the robot's may stand still
        for period, act in (
            (0.5, self._resend),
            (0.2, self.sender.correct),
            (1.0, self._diagnose),
        ):
            self.create_timer(period, act, clock=steady)
        self._worker = threading.Thread(target=self._work, name='perception', daemon=True)
        self._worker.start()

    # -- listening ------------------------------------------------------------------------------

    def _listen(self) -> None:
        apart = MutuallyExclusiveCallbackGroup()
        picture = CompressedImage if value(self, 'compressed') else Image
        wanted = (
            ('image_topic', picture, 'keyframes'),
            ('depth_topic', Image, 'depth'),
            ('detections_topic', Detection3DArray, 'sightings'),
            ('detections_2d_topic', Detection2DArray, 'sightings'),
            ('caption_topic', String, 'captions'),
            ('scan_topic', LaserScan, 'obstacles'),
            ('battery_topic', BatteryState, 'body'),
            ('diagnostics_topic', DiagnosticArray, 'body'),
        )
        for name, kind, use in wanted:
            topic = value(self, name)
            if topic:
                self._watch.subscribe(
                    kind, topic, self._queued(topic, kind, use),
                    qos.STREAM if name == 'diagnostics_topic' else qos.SENSOR, group=apart,
                    steady=name in STEADY,
                )  # fmt: skip
        camera = value(self, 'camera_info_topic')
        if camera:
            self._watch.subscribe(
                CameraInfo, camera, self.frames.take_camera, qos.SENSOR, steady=True
            )
        odometry = value(self, 'odometry_topic')
        if odometry:
            self._watch.subscribe(Odometry, odometry, self._take_odometry, qos.SENSOR, steady=True)
        told = value(self, 'initial_pose_topic')
        if told:
            self._watch.subscribe(
                PoseWithCovarianceStamped, told, lambda message: self.frames.expect_jump(),
                qos.STREAM, wanted=False,
            )  # fmt: skip
        path = value(self, 'path_topic')
        if path:
            self._watch.subscribe(PathMessage, path, self._take_path, qos.STREAM)
        self._watch.subscribe(
            TFMessage, '/tf', self._take_transforms, qos.STREAM, wanted=False, steady=True
        )
        self._watch.subscribe(TFMessage, '/tf_static', self._take_static, qos.STATIC, wanted=False)
        self._watch.subscribe(
            AcknowledgementMessage, 'durable', self.sender.take_durable, qos.STREAM, wanted=False
        )

    def _queued(self, topic: str, kind: Any, use: str) -> Any:
        kind_name = f'{kind.__module__.split(".")[0]}/msg/{kind.__name__}'
        name = self.resolve_topic_name(topic)

        def take(message: Any) -> None:
            header = getattr(message, 'header', None)
            stamp = ros.stamp_ns(header.stamp) if header is not None else 0
            stamp = stamp or self.get_clock().now().nanoseconds
            heard = Heard(name, kind_name, use, stamp, self.frames.run)
            try:
                self._queue.put_nowait((heard, message, time.monotonic()))
            except queue.Full:
                self._counts['dropped'] += 1

        return take

    def _take_odometry(self, message: Odometry) -> None:
        self.frames.take_odometry(message)
        if not self.frames.by_transforms:
            self._walk(ros.stamp_ns(message.header.stamp))

    def _take_transforms(self, message: TFMessage) -> None:
        moved = self.frames.take_transforms(message, static=False)
        if moved:
            self._walk(max(moved))

    def _take_static(self, message: TFMessage) -> None:
        self.frames.take_transforms(message, static=True)

    def _take_path(self, message: PathMessage) -> None:
        if self.frames.in_map(message.header.frame_id.lstrip('/')):
            poses = sorted(
                ((ns_of(item.header.stamp), pose_of(item.pose)) for item in message.poses),
                key=lambda entry: entry[0],
            )
            self.sender.follow(poses, self.frames.run)

    def _jumped(self, jump: Jump) -> None:
        """Take a correction of the map: what was seen before it is kept as it was seen."""
        before = self._path_from
        if before is not None:
            self._keep(self._path.end(), *before[1:])
            self._path_from = None
        self.sender.jump(jump, self.frames.run, path=bool(value(self, 'path_topic')))

    # -- perceiving -----------------------------------------------------------------------------

    def _resend(self) -> None:
        self.sender.resend(value(self, 'resend_after'))

    def _work(self) -> None:
        while not self._given_up.is_set():
            try:
                heard, message, came_s = self._queue.get(timeout=WORK_S)
            except queue.Empty:
                if self._stopping.is_set():
                    return
                continue
            try:
                self._await_transforms(heard, message, came_s)
                with self.frames.steady:  # no jump between a pose and what it is relative to
                    fixed = self._placed.choose()
                    found = self._perceiver.take(heard, message)
                    if found is not None and rclpy.ok(context=self.context):
                        self.sender.send(heard.topic, heard.stamp_ns, heard.run, fixed, found)
            except InputRejected as error:
                self._reading.refuse(heard.where, error)
            except Exception as error:  # one message must not end perception
                self._counts['failed'] += 1
                self.get_logger().error(f'{heard.where}: {error!r}', throttle_duration_sec=5.0)

    def _await_transforms(self, heard: Heard, message: Any, came_s: float) -> None:
        """
        Wait until it is known where the robot was; what never comes is counted.

        Where waiting was in vain nothing is waited for until transforms go on: a robot without
        any is not slowed down.
        """
        header = getattr(message, 'header', None)
        frame = '' if header is None else header.frame_id.lstrip('/')
        until = came_s + value(self, 'transform_timeout')
        covered = self.frames.covered(frame, run=heard.run)
        while covered is None or covered < heard.stamp_ns:
            in_vain = self._in_vain.get(frame, -1) == covered
            if in_vain or time.monotonic() >= until or self._stopping.is_set():
                self._in_vain[frame] = covered
                self._counts['without transform'] += 1
                return
            time.sleep(0.005)
            covered = self.frames.covered(frame, run=heard.run)

    def _walk(self, stamp_ns: int) -> None:
        """Keep the path: the fewest poses that tell it, each with the frame it is in."""
        fixed, run, before = self.frames.fixed, self.frames.run, self._path_from
        if fixed is None:
            return
        anew = before is not None and before[1:] != (fixed, run)
        if before is not None and not anew and stamp_ns <= before[0]:
            return
        pose = self.frames.pose(stamp_ns, run=run, fixed=fixed)
        if pose is None:
            return
        if before is not None and anew:
            self._keep(self._path.end(), *before[1:])
        self._keep(self._path.add(stamp_ns, pose), fixed, run)
        self._path_from = stamp_ns, fixed, run

    def _keep(self, entry: tuple[int, Pose] | None, fixed: str, run: int) -> None:
        if entry is not None:
            parts = {'pose': entry[1], 'extra': {'frame': fixed}}
            self.sender.send('odometry', entry[0], run, fixed, parts)

    # -- telling --------------------------------------------------------------------------------

    def _diagnose(self) -> None:
        problems = self._watch.check()
        unplaced = self._unplaced()
        if unplaced is not None:
            problems['/tf'] = unplaced
        if not self._worker.is_alive() and not self._stopping.is_set():
            problems['worker'] = 'it ended: nothing is perceived; start perception_node anew'
        recent = self._reading.recent(RECENT_S)
        for code in recent.keys() - self._recent_codes:
            self.get_logger().warning(f'{code}: {recent[code]}')
        self._recent_codes = set(recent)
        problems |= recent
        values = {
            'queue': self._queue.qsize(),
            'spool': len(self.sender.spool),
            'spool dropped': self.sender.spool.dropped,
            'fixed frame': self.frames.fixed or '',
            'base frame': self.frames.base or '',
            'localised': self.frames.in_map(self.frames.fixed),
            **self.sender.counts,
            **self._counts,
            **self._reading.counts,
            **self._watch.counts(),
        }
        self._told.publish(diagnostics(self, problems=problems, values=values))

    def _unplaced(self) -> str | None:
        """Tell which transform is missing, where that has been so for a while; log it once."""
        missing = self.frames.missing
        if missing is None:
            self._unplaced_s, self._told_unplaced = None, False
            return None
        if self._unplaced_s is None:
            self._unplaced_s = time.monotonic()
        if time.monotonic() - self._unplaced_s < UNPLACED_S:
            return None
        if not self._told_unplaced:
            self._told_unplaced = True
            self.get_logger().warning(f'/tf: {missing}')
        return missing

    def finish(self) -> None:
        """
        Stop, once what was heard is taken.

        The end of the path goes out too, and what the memory has not is kept.
        """
        self._stopping.set()
        self._worker.join(LAST_S)
        self._given_up.set()
        if left := self._queue.qsize():
            self.get_logger().warning(f'{left} messages were heard and not taken any more')
        if self._path_from is not None:
            self._keep(self._path.end(), *self._path_from[1:])
        self.sender.finish()


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run the node."""
    run(PerceptionNode, PerceptionNode.finish, arguments=arguments, threads=3)


if __name__ == '__main__':
    main()
