"""Sensors to observations: what the robot perceives, where it was, sent until it is on disk."""

from __future__ import annotations

import itertools
import queue
import threading
import time
from collections import Counter
from typing import Any

import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from nav_msgs.msg import Odometry
from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.executors import ExternalShutdownException, MultiThreadedExecutor
from rclpy.node import Node
from robot_memory_interfaces.msg import Acknowledgement as AcknowledgementMessage
from robot_memory_interfaces.msg import Observation as ObservationMessage
from sensor_msgs.msg import BatteryState, CameraInfo, CompressedImage, Image, LaserScan
from std_msgs.msg import String
from tf2_msgs.msg import TFMessage
from vision_msgs.msg import Detection2DArray, Detection3DArray

from memory_core.errors import InputRejected
from memory_core.identity import deterministic_id
from memory_core.perception.keyframes import KeyframeRule
from memory_core.recordings import messages as ros
from memory_core.recordings.detect import ReadOptions
from memory_core.recordings.paths import PathThinner
from memory_core.recordings.perceiver import Heard, Perceiver
from memory_core.types import Observation, Pose
from robot_memory_ros import qos
from robot_memory_ros.convert import acknowledgement_of, make_message, observation_message
from robot_memory_ros.frames import LiveFrames, Pinned, Tally
from robot_memory_ros.settings import Setting, declare, value
from robot_memory_ros.spool import Spool
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
    'odometry_topic': Setting('odom', 'nav_msgs/Odometry; empty: transforms alone'),
    'map_frame': Setting('map', 'fixed frame of a robot that knows where it is'),
    'base_frame': Setting('', 'frame of the robot; empty: what the odometry moves'),
    'keyframe_distance': Setting(0.5, 'keep a picture after so much travel, metres', 0.0, 100.0),
    'keyframe_angle': Setting(0.35, 'and after such a turn, radians', 0.0, 6.3),
    'keyframe_gap': Setting(0.2, 'never more often than this, seconds', 0.0, 3600.0),
    'queue_size': Setting(100, 'messages that wait to be taken; more are dropped', 1, 10_000),
    'transform_timeout': Setting(0.5, 'wait so long for a transform, seconds', 0.0, 10.0),
    'spool_size': Setting(20_000, 'observations kept until they are on disk', 1, 1_000_000),
    'spool_bytes': Setting(256_000_000, 'bytes of pictures kept till then', 1, 2**40),
    'resend_after': Setting(2.0, 'send again what is not on disk after this, seconds', 0.1, 60.0),
}
RESENT_AT_ONCE = 200
WORK_S = 0.05


class PerceptionNode(Node):
    """Streams what is perceived into the memory, and keeps it until the memory has it."""

    def __init__(self, **options: Any) -> None:
        """Subscribe to what the parameters name."""
        super().__init__('perception_node', **options)
        declare(self, SETTINGS)
        self._robot = value(self, 'robot')
        begun = time.strftime('%Y-%m-%dT%H-%M-%S', time.gmtime())
        self._session = value(self, 'session') or begun
        self._reading = Tally()
        self.frames = LiveFrames(
            map_frame=value(self, 'map_frame'),
            base_frame=value(self, 'base_frame'),
            reading=self._reading,
        )
        rule = KeyframeRule(
            distance_m=value(self, 'keyframe_distance'),
            angle_rad=value(self, 'keyframe_angle'),
            min_gap_s=value(self, 'keyframe_gap'),
        )
        self._placed = Pinned(self.frames)
        self._perceiver = Perceiver(self._placed, ReadOptions(keyframes=rule), self._reading)
        self._path = PathThinner()
        self._path_from: tuple[int, str, int] | None = None
        self._queue: queue.Queue[tuple[Heard, Any, float]] = queue.Queue(value(self, 'queue_size'))
        self.spool = Spool(most=value(self, 'spool_size'), most_bytes=value(self, 'spool_bytes'))
        self._counts: Counter[str] = Counter()
        self._stopping = threading.Event()
        self._in_vain: dict[str, int | None] = {}
        self._numbers = itertools.count(1)
        self._known_codes: set[str] = set()

        self._out = self.create_publisher(ObservationMessage, 'observations', qos.STREAM)
        self._told = self.create_publisher(DiagnosticArray, '/diagnostics', 10)
        self._watch = TopicWatch(self)
        self._listen()
        self.create_timer(0.5, self._resend)
        self.create_timer(1.0, self._diagnose)
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
        )
        for name, kind, use in wanted:
            topic = value(self, name)
            if topic:
                self._watch.subscribe(
                    kind, topic, self._queued(topic, kind, use), qos.SENSOR, group=apart
                )
        camera = value(self, 'camera_info_topic')
        if camera:
            self._watch.subscribe(CameraInfo, camera, self.frames.take_camera, qos.SENSOR)
        odometry = value(self, 'odometry_topic')
        if odometry:
            self._watch.subscribe(Odometry, odometry, self._take_odometry, qos.SENSOR)
        self._watch.subscribe(TFMessage, '/tf', self._take_transforms, qos.STREAM, wanted=False)
        self._watch.subscribe(TFMessage, '/tf_static', self._take_static, qos.STATIC, wanted=False)
        self._watch.subscribe(
            AcknowledgementMessage, 'durable', self._take_durable, qos.STREAM, wanted=False
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
        base = self.frames.base
        self.frames.take_transforms(message, static=False)
        if any(item.child_frame_id.lstrip('/') == base for item in message.transforms):
            self._walk(max(ros.stamp_ns(item.header.stamp) for item in message.transforms))

    def _take_static(self, message: TFMessage) -> None:
        self.frames.take_transforms(message, static=True)

    def _take_durable(self, message: AcknowledgementMessage) -> None:
        done = acknowledgement_of(message)
        self.spool.release((*done.added, *done.known, *(item.id for item in done.refused)))
        for item in done.refused:
            self.get_logger().error(f'{item.id} was refused ({item.code}): {item.message}')

    # -- perceiving -----------------------------------------------------------------------------

    def _work(self) -> None:
        while not self._stopping.is_set():
            try:
                heard, message, came_s = self._queue.get(timeout=WORK_S)
            except queue.Empty:
                continue
            self._await_transforms(heard, message, came_s)
            fixed = self._placed.choose()
            try:
                found = self._perceiver.take(heard, message)
                if found is not None and rclpy.ok(context=self.context):
                    self._send(heard.topic, heard.stamp_ns, heard.run, fixed, found)
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
            self._send('odometry', entry[0], run, fixed, parts)

    def _send(
        self, source: str, stamp_ns: int, run: int, fixed: str | None, parts: dict[str, Any]
    ) -> None:
        session = self._session if run == 0 else f'{self._session}#{run + 1}'
        localised = self.frames.in_map(fixed)
        frame = fixed or 'odom'
        observation = Observation(
            id=deterministic_id(f'{self._robot}/{session}', source, stamp_ns, next(self._numbers)),
            stamp_ns=stamp_ns,
            source=source,
            robot=self._robot,
            session=session,
            map_id=value(self, 'map_frame'),
            anchor_id='origin' if localised else f'{frame}@{session}',
            localised=localised,
            **parts,
        )
        message = observation_message(observation, make_message, frame=frame)
        size = len(observation.keyframe.jpeg) if observation.keyframe else 0
        self.spool.hold(observation.id, message, size=size, now_s=time.monotonic())
        self._counts['observations'] += 1
        self._out.publish(message)

    def _resend(self) -> None:
        if not self._out.get_subscription_count():
            return  # nobody is there to take it
        after_s = value(self, 'resend_after')
        for message in self.spool.overdue(time.monotonic(), after_s=after_s, most=RESENT_AT_ONCE):
            self._counts['sent again'] += 1
            self._out.publish(message)

    # -- telling --------------------------------------------------------------------------------

    def _diagnose(self) -> None:
        problems = self._watch.check()
        if self._counts['without transform'] and self.frames.fixed is None:
            problems['/tf'] = (
                f'no transform connects {value(self, "map_frame")!r} and '
                f'{self.frames.base or "the robot"!r}: what is perceived has no place'
            )
        problems |= self._reading.last
        for code in self._reading.counts.keys() - self._known_codes:
            self._known_codes.add(code)
            self.get_logger().warning(f'{code}: {self._reading.last[code]}')
        values = {
            'queue': self._queue.qsize(),
            'spool': len(self.spool),
            'spool dropped': self.spool.dropped,
            'fixed frame': self.frames.fixed or '',
            'base frame': self.frames.base or '',
            'localised': self.frames.in_map(self.frames.fixed),
            **self._counts,
            **self._reading.counts,
            **self._watch.counts(),
        }
        self._told.publish(diagnostics(self, problems=problems, values=values))

    def finish(self) -> None:
        """Stop; what is spooled and not on disk yet is lost with the process."""
        self._stopping.set()
        self._worker.join(1.0)


def main(arguments: list[str] | None = None) -> None:
    """Run the node."""
    rclpy.init(args=arguments)
    node = PerceptionNode()
    executor = MultiThreadedExecutor(num_threads=3)
    executor.add_node(node)
    try:
        executor.spin()
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    finally:
        node.finish()
        node.destroy_node()
        rclpy.try_shutdown()


if __name__ == '__main__':
    main()
