"""`Eyes` of a planner: what a detector names, with the depth picture of the same moment."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any

import numpy as np
from geometry_msgs.msg import PointStamped
from rclpy.node import Node
from robot_memory_interfaces.action import LookAt

from memory_core.errors import InputRejected, UnknownFrame
from memory_core.perception.camera import OPTICAL_IN_BODY, back_project
from memory_core.planning.body import Interrupted, Seen
from memory_core.recordings import messages as ros
from memory_core.types import FloatArray, Pose, Vector3
from robot_memory_ros.calling import POLL_S, ActionCaller
from robot_memory_ros.convert import make_message, ns_of, point_of
from robot_memory_ros.frames import LiveFrames

PICTURES, NOTICED = 10, 2_000
SAME_MOMENT_NS = 50_000_000
MARGIN_M = 0.01
SUPPORT_M, SUPPORT_SHARE = 0.015, 0.3
"""Of what lies in a thing's box, so much at its foot may be what it stands on."""
CLOUD_STRIDE = 2


class RosEyes:
    """Detections in 3D with depth; the camera is turned by `look_at` where somebody serves it."""

    def __init__(
        self, node: Node, frames: LiveFrames, *, map_frame: str, patience_s: Callable[[], float]
    ) -> None:
        """
        See nothing yet.

        :param node: Whose executor carries the answers.
        :param frames: Where frames are, and the cameras' lenses.
        :param map_frame: Frame of places.
        :param patience_s: How long a picture is waited for, seconds.
        """
        self._node, self._frames = node, frames
        self._map_frame, self._patience_s = map_frame, patience_s
        self.action = ActionCaller(node, LookAt, 'look_at')
        self.interrupted: Interrupted = lambda: False
        self._depths: deque[Any] = deque(maxlen=PICTURES)
        self._named: deque[Any] = deque(maxlen=PICTURES)
        self._unplaced: deque[Any] = deque(maxlen=PICTURES)
        self._noticed: deque[Seen] = deque(maxlen=NOTICED)
        self._lock = threading.Lock()
        self._cloud: FloatArray = np.empty((0, 3))

    def take_depth(self, message: Any) -> None:
        """Take a depth picture."""
        self._depths.append(message)

    def take_detections(self, message: Any) -> None:
        """Take a vision_msgs/Detection3DArray."""
        with self._lock:
            self._named.append(message)
            self._unplaced.append(message)
            covered = self._frames.covered(message.header.frame_id, run=self._frames.run)
            while self._unplaced and ns_of(self._unplaced[0].header.stamp) <= (covered or 0):
                self._noticed.extend(self._seen(self._unplaced.popleft(), None))

    def look(self, at: Vector3 | None = None) -> tuple[Seen, ...]:
        """See `Eyes.look`; nothing once somebody said stop, or where no picture comes."""
        since_ns = self._turn_to(at)
        self._cloud = self._cloud[:0]
        until_s = time.monotonic() + self._patience_s()
        while not self.interrupted():
            found = self._picture(since_ns)
            if found is not None:
                named, depth = found
                points = self._points(depth)
                self._cloud = self._in_map(points, depth)[::CLOUD_STRIDE]
                return tuple(self._seen(named, points))
            if time.monotonic() > until_s:
                self._node.get_logger().warning(
                    'no detections with depth came after looking; see the topics of '
                    f'{self._node.get_name()}',
                    throttle_duration_sec=10.0,
                )
                break
            time.sleep(POLL_S)
        return ()

    def noticed(self) -> tuple[Seen, ...]:
        """See `Eyes.noticed`."""
        with self._lock:
            found, self._noticed = tuple(self._noticed), deque(maxlen=NOTICED)
        return found

    def cloud(self) -> FloatArray:
        """See `Eyes.cloud`."""
        return self._cloud

    def _turn_to(self, at: Vector3 | None) -> int:
        """Turn the camera; returns from when on pictures show the point, nanoseconds."""
        now_ns = int(self._node.get_clock().now().nanoseconds)
        if not self.action.ready:
            return now_ns
        target = PointStamped()
        target.header.frame_id = self._map_frame
        target.point = point_of(make_message, at)
        goal = LookAt.Goal(has_target=at is not None, target=target)
        ended = self.action.call(goal, interrupted=self.interrupted)
        return ns_of(ended.result.stamp) if ended.how == 'done' else now_ns

    def _picture(self, since_ns: int) -> tuple[Any, Any] | None:
        """Find the newest detections from a moment on whose depth and place are known too."""
        run = self._frames.run
        for named in reversed(list(self._named)):
            stamp_ns = ns_of(named.header.stamp)
            if stamp_ns < since_ns:
                return None
            for depth in reversed(list(self._depths)):
                together = abs(ns_of(depth.header.stamp) - stamp_ns) <= SAME_MOMENT_NS
                covered = self._frames.covered(depth.header.frame_id, run=run)
                lens = self._frames.camera(depth.header.frame_id)
                if together and lens is not None and (covered or 0) >= stamp_ns:
                    return named, depth
        return None

    def _points(self, depth: Any) -> FloatArray:
        """Read everything a depth picture shows, base frame, shape (n, 3)."""
        lens = self._frames.camera(depth.header.frame_id)
        assert lens is not None
        camera = self._in_base(depth.header).compose(OPTICAL_IN_BODY.inverse())
        return camera.transform(back_project(ros.depth_of(depth), lens))

    def _in_base(self, header: Any) -> Pose:
        stamp_ns = ns_of(header.stamp)
        return self._frames.in_base(header.frame_id, stamp_ns, run=self._frames.run)

    def _here(self, header: Any) -> Pose | None:
        """Tell where the base was when a message was made; None where nobody knows."""
        frames = self._frames
        fixed = frames.fixed
        if not frames.in_map(fixed):
            return None
        return frames.pose(ns_of(header.stamp), run=frames.run, fixed=fixed)

    def _in_map(self, points: FloatArray, depth: Any) -> FloatArray:
        here = self._here(depth.header)
        return np.empty((0, 3)) if here is None else here.transform(points)

    def _seen(self, named: Any, points: FloatArray | None) -> list[Seen]:
        """Read what detections name; its cloud is what depth shows of it, else its middle."""
        here = self._here(named.header)
        if here is None:
            return []
        try:
            frame = self._in_base(named.header)
        except UnknownFrame:
            return []
        seen = []
        for detection in named.detections:
            best = max(detection.results, key=lambda r: r.hypothesis.score, default=None)
            if best is None or not best.hypothesis.class_id:
                continue
            try:
                box = frame.compose(ros.pose_of(detection.bbox.center))
            except InputRejected:
                continue
            size = detection.bbox.size
            cloud = np.array([box.position])
            if points is not None:
                cloud = within(points, box, (size.x, size.y, size.z))
            place = here.apply(*box.position)
            seen.append(Seen(best.hypothesis.class_id, place, cloud, float(best.hypothesis.score)))
        return seen


def within(points: FloatArray, box: Pose, size: Vector3) -> FloatArray:
    """
    Take the points that are on the thing in a box, without what it stands on.

    :param points: Shape (n, 3), metres, z up.
    :param box: Its middle, in the frame of the points.
    :param size: Of the box along its own axes, metres.
    :returns: Shape (m, 3).
    """
    near = points[np.linalg.norm(points - box.position, axis=1) <= np.linalg.norm(size)]
    inside = np.abs(box.inverse().transform(near)) <= np.array(size) / 2 + MARGIN_M
    cloud = near[inside.all(axis=1)]
    if not len(cloud):
        return cloud
    low, high = cloud[:, 2].min(), cloud[:, 2].max()
    return cloud[cloud[:, 2] >= low + min(SUPPORT_M, SUPPORT_SHARE * (high - low))]
