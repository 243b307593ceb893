"""What was perceived on its way to the memory: numbered, kept, sent again, carried over a stop."""

from __future__ import annotations

import io
import itertools
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import rclpy
from rclpy.node import Node
from rclpy.serialization import deserialize_message, serialize_message
from robot_memory_interfaces.msg import Acknowledgement as AcknowledgementMessage
from robot_memory_interfaces.msg import Observation as ObservationMessage
from robot_memory_interfaces.srv import MoveAnchors

from memory_core.identity import deterministic_id
from memory_core.planning.navigation.files import write_atomically
from memory_core.types import ORIGIN, Observation, Pose
from robot_memory_ros import qos
from robot_memory_ros.convert import (
    acknowledgement_of,
    make_message,
    observation_message,
    pose_message,
)
from robot_memory_ros.frames import LiveFrames
from robot_memory_ros.spool import Spool
from robot_memory_ros.trail import Jump, Trail

RESENT_AT_ONCE = 200
UNANSWERED_S = 5.0
FLUSH_S = 0.5
OBSERVATIONS = 'observations.cdr'
CORRECTION = 'correction.cdr'


class Sender:
    """Sends observations and corrections until the memory has them on disk."""

    def __init__(
        self,
        node: Node,
        frames: LiveFrames,
        *,
        robot: str,
        session: str,
        map_frame: str,
        drift: float,
        keep: bool,
        spool: Spool,
        folder: Path | None,
    ) -> None:
        """
        Begin, with what was left over when the node was stopped last.

        :param node: Whose topics.
        :param frames: Where the robot is.
        :param robot: Its name.
        :param session: Name of this run.
        :param map_frame: The fixed frame of a robot that knows where it is.
        :param drift: How far odometry goes wrong, metres a metre.
        :param keep: See `Trail`.
        :param spool: Keeps what is not on disk yet.
        :param folder: Where it is kept while the node is down; None: nowhere.
        """
        self._node, self._frames = node, frames
        self._robot, self._session, self._map = robot, session, map_frame
        self._drift, self._keep = drift, keep
        self._trails: dict[int, Trail] = {}
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._asked_s: float | None = None
        self._left: MoveAnchors.Request | None = None
        self._folder = folder
        self.spool = spool
        self.counts: Counter[str] = Counter()
        self._restored: set[str] = set()
        self._out = node.create_publisher(ObservationMessage, 'observations', qos.STREAM)
        self._mover = node.create_client(MoveAnchors, 'move_anchors')
        if folder is not None:
            self._restore(folder)

    def _trail(self, run: int) -> Trail:
        with self._lock:
            if run not in self._trails:
                trail = Trail(drift=self._drift, keep=self._keep)
                trail.begin(self._name(run))
                self._trails[run] = trail
            return self._trails[run]

    def _name(self, run: int) -> str:
        return self._session if run == 0 else f'{self._session}#{run + 1}'

    # -- observations ---------------------------------------------------------------------------

    def send(
        self, source: str, stamp_ns: int, run: int, fixed: str | None, parts: dict[str, Any]
    ) -> None:
        """
        Send what was perceived.

        :param source: The topic it comes from.
        :param stamp_ns: When it was perceived.
        :param run: How often the clock was set back before.
        :param fixed: The frame its pose is in; None: nobody knows.
        :param parts: Of an observation.
        """
        localised = self._frames.in_map(fixed)
        frame = self._frames.odometry
        at = self._frames.odometry_in_map(stamp_ns, run=run) if localised else None
        anchor, origin = ORIGIN, Pose()
        if not localised or (frame is not None and at is not None):
            stretch, pose = self._trail(run).place(
                stamp_ns, parts.get('pose'), frame=frame or 'odom', odometry=at
            )
            anchor, origin = stretch.anchor, stretch.pose
            parts = {**parts, 'pose': pose}
        observation = Observation(
            id=deterministic_id(
                f'{self._robot}/{self._name(run)}', source, stamp_ns, next(self._numbers)
            ),
            stamp_ns=stamp_ns,
            source=source,
            robot=self._robot,
            session=self._name(run),
            map_id=self._map,
            anchor_id=anchor,
            localised=localised,
            **parts,
        )
        message = observation_message(
            observation, make_message, frame=fixed or 'odom', anchor=origin
        )
        size = len(observation.keyframe.jpeg) if observation.keyframe else 0
        self.spool.hold(observation.id, message, size=size, now_s=time.monotonic())
        self.counts['observations'] += 1
        self._out.publish(message)

    def resend(self, after_s: float) -> None:
        """Send again what was sent longer ago than this and is not on disk yet."""
        if not self._out.get_subscription_count():
            return  # nobody is there to take it
        for message in self.spool.overdue(time.monotonic(), after_s=after_s, most=RESENT_AT_ONCE):
            self.counts['sent again'] += 1
            self._out.publish(message)

    def take_durable(self, message: AcknowledgementMessage) -> None:
        """Let go of what is on disk, and of what never will be."""
        done = acknowledgement_of(message)
        settled = (*done.added, *done.known, *(item.id for item in done.refused))
        self.spool.release(settled)
        if self._restored:
            self._restored.difference_update(settled)
            if not self._restored:
                self._let_go(OBSERVATIONS)
        for item in done.refused:
            self._node.get_logger().error(f'{item.id} was refused ({item.code}): {item.message}')

    # -- corrections ----------------------------------------------------------------------------

    def jump(self, jump: Jump, run: int, *, path: bool) -> None:
        """
        Move what lies behind the robot, here and in the memory.

        :param jump: Of the map.
        :param run: Of the clock.
        :param path: Whether a corrected path will tell where it moves to.
        """
        self.counts['corrections'] += 1
        if path:
            self._trail(run).part()
            return
        said = self._trail(run).jump(jump)
        self._node.get_logger().warning(f'{self._map} was corrected: {said}')

    def follow(self, path: list[tuple[int, Pose]], run: int) -> None:
        """Move what lies behind the robot to where a corrected path has it."""
        self._trail(run).follow(path)

    def correct(self) -> None:
        """Have the memory move anchors; until it has, it is asked again."""
        waiting = self._asked_s is not None and time.monotonic() - self._asked_s < UNANSWERED_S
        if waiting or not self._mover.service_is_ready():
            return
        request = self._correction()
        if request is None:
            return
        self._asked_s = time.monotonic()

        def answered(future: Any) -> None:
            response = future.result()
            if response.error_code:  # asked again later
                self._node.get_logger().error(
                    f'the map was not corrected ({response.error_code}): {response.error_msg}',
                    throttle_duration_sec=10.0,
                )
            elif self._left is request:
                self._left = self._asked_s = None
                self._let_go(CORRECTION)

        self._mover.call_async(request).add_done_callback(answered)

    def _correction(self) -> MoveAnchors.Request | None:
        """Make one request of everything that is to move; newer poses stand."""
        poses, reasons = {}, []
        if self._left is not None:
            poses = dict(zip(self._left.anchors, self._left.poses, strict=True))
            reasons = [self._left.reason]
        with self._lock:
            trails = list(self._trails.values())
        for trail in trails:
            moves, reason = trail.take_moves()
            poses |= {name: pose_message(pose, make_message) for name, pose in moves.items()}
            reasons += [reason] if reason and reason not in reasons else []
        if not poses:
            return None
        self._left = MoveAnchors.Request(
            map_id=self._map,
            anchors=list(poses),
            poses=list(poses.values()),
            reason='; '.join(reasons)[-500:],
        )
        return self._left

    # -- over a stop ----------------------------------------------------------------------------

    def finish(self) -> None:
        """Wait a moment for the memory to have everything; what it has not is kept."""
        until = time.monotonic() + FLUSH_S
        while (
            len(self.spool) and time.monotonic() < until and rclpy.ok(context=self._node.context)
        ):
            time.sleep(0.01)
        if self._folder is None:
            return
        left, correction = self.spool.messages(), self._correction()
        if left:
            raws = [serialize_message(message) for message in left]
            self._keep_file(
                OBSERVATIONS, b''.join(len(raw).to_bytes(4, 'little') + raw for raw in raws)
            )
        else:
            self._let_go(OBSERVATIONS)
        if correction is not None:
            self._keep_file(CORRECTION, serialize_message(correction))

    def _keep_file(self, name: str, content: bytes) -> None:
        """Write a file whole or not at all, whenever the power goes."""
        assert self._folder is not None
        self._folder.mkdir(parents=True, exist_ok=True)
        write_atomically(self._folder / name, content)

    def _let_go(self, name: str) -> None:
        if self._folder is not None:
            (self._folder / name).unlink(missing_ok=True)

    def _restore(self, folder: Path) -> None:
        """Take what was left over; it stays in its file until the memory has it."""
        for name, take in ((OBSERVATIONS, self._hold_all), (CORRECTION, self._ask_again)):
            path = folder / name
            if not path.exists():
                continue
            try:
                take(path.read_bytes())
            except Exception as error:  # what is whole was taken; the rest is kept to be looked at
                aside = path.replace(path.with_suffix('.damaged'))
                self._node.get_logger().error(
                    f'{path} is damaged ({error!r}): what could be read of it goes on, the file '
                    f'is kept as {aside}'
                )

    def _hold_all(self, content: bytes) -> None:
        file = io.BytesIO(content)
        while file.tell() < len(content):
            size = int.from_bytes(file.read(4), 'little')
            raw = file.read(size)
            if not size or len(raw) < size:
                raise ValueError(f'it ends within an observation of {size} bytes')
            message = deserialize_message(raw, ObservationMessage)
            self.spool.hold(message.id, message, size=len(message.keyframe), now_s=float('-inf'))
            self._restored.add(message.id)

    def _ask_again(self, content: bytes) -> None:
        self._left = deserialize_message(content, MoveAnchors.Request)
