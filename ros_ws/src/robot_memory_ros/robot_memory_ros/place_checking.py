"""Whether the robot is where it believes to be: what its camera sees against what was seen."""

from __future__ import annotations

from typing import Any

from memory_core import RobotMemory
from memory_core.episodic.recognising import PlaceCheck
from memory_core.errors import InputRejected
from memory_core.perception.keyframes import decode_image
from memory_core.types import PLACE_SPACE, Filters, TimeSpan
from robot_memory_ros.convert import ns_of, pose_of

EARLIER_NS = 30 * 10**9
"""What was seen just before agrees with a wrong pose too; older pictures are asked."""
COMPARED = 3
"""Stored pictures that one look is compared with."""
PAUSE_S = 0.4
"""Between them what streams in has the processor: comparing a picture takes some 50 ms."""


class PlaceChecking:
    """Compares the newest picture with stored ones, and says where they disagree."""

    def __init__(self, memory: RobotMemory, *, log: Any) -> None:
        """
        Have seen nothing yet.

        :param memory: Is asked where pictures were taken.
        :param log: The node's logger.
        """
        self._memory, self._log = memory, log
        self._check = PlaceCheck()
        self._of: tuple[str, str] | None = None
        self._before_ns = 0
        self._newest: Any = None

    @property
    def problem(self) -> str | None:
        """Why the pose is to be doubted; None where it is not."""
        doubt = self._check.doubt
        return None if doubt is None else str(doubt)

    def take(self, message: Any) -> None:
        """Keep an observation with a picture of a robot that believes to know where it is."""
        if (
            message.localised
            and message.has_pose
            and len(message.keyframe)
            and any(item.space == PLACE_SPACE for item in message.embeddings)
        ):
            self._newest = message

    def look(self) -> None:
        """Compare the newest picture, where there is one that was not compared."""
        message, self._newest = self._newest, None
        if message is None or PLACE_SPACE not in self._memory.store.spaces():
            return
        if self._of != (message.robot, message.map_id):
            self._of, self._check = (message.robot, message.map_id), PlaceCheck()
        believed = pose_of(message.anchor_pose).compose(pose_of(message.pose.pose))
        if not self._check.wants(believed):
            return
        if self._check.at_ease:  # what is seen from a wrong pose must not confirm it
            self._before_ns = ns_of(message.header.stamp) - EARLIER_NS
        earlier = TimeSpan(None, self._before_ns)
        try:
            found = self._memory.recognise(
                decode_image(bytes(message.keyframe)),
                filters=Filters(span=earlier, maps=(message.map_id,)),
                shortlist=COMPARED,
                pause_s=PAUSE_S,
            )
        except InputRejected as error:
            self._log.warning(f'a picture is not compared: {error}', throttle_duration_sec=30.0)
            return
        before = self._check.doubt
        after = self._check.look(believed, [item for item in found if item.evidence.localised])
        if before is None and after is not None:
            self._log.warning(f'{message.robot}: {after}')
        elif before is not None and after is None:
            self._log.info(f'{message.robot}: what the camera sees is where it is again')
