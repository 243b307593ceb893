"""`Manipulator` of a planner, through the action `Manipulate` of an arm's driver."""

from __future__ import annotations

from typing import Any

import numpy as np
from geometry_msgs.msg import Point, Vector3
from rclpy.node import Node
from robot_memory_interfaces.action import Manipulate

from memory_core.planning.body import Done, Interrupted
from memory_core.types import FloatArray
from memory_core.types import Vector3 as Metres
from robot_memory_ros.calling import ActionCaller
from robot_memory_ros.clouds import cloud_of


def never() -> bool:
    """Nobody says stop."""
    return False


class RosManipulator:
    """An arm behind `manipulate`; points are in the robot's base frame."""

    def __init__(self, node: Node, *, base_frame: str, reach_m: tuple[float, float]) -> None:
        """
        Make the client.

        :param node: Whose executor carries the answers.
        :param base_frame: What points are told in.
        :param reach_m: Nearest and farthest distance along the floor that it reaches.
        """
        self._node, self._base_frame = node, base_frame
        self.reach_m = reach_m
        self.holding = False
        self.action = ActionCaller(node, Manipulate, 'manipulate')

    def take_holding(self, message: Any) -> None:
        """Take a std_msgs/Bool: whether something is between the fingers."""
        self.holding = bool(message.data)

    def pick(self, cloud: FloatArray, *, interrupted: Interrupted = never) -> Done:
        """See `Manipulator.pick`."""
        if not len(cloud):
            return Done(False, 'nothing there')
        return self._move(Manipulate.Goal.PICK, interrupted, cloud=self._cloud(cloud))

    def place(self, at: Metres, *, interrupted: Interrupted = never) -> Done:
        """See `Manipulator.place`."""
        return self._move(Manipulate.Goal.PLACE, interrupted, point=_point(at))

    def open(
        self, handle: FloatArray, outward: Metres, *, hinged: bool = False, travel_m: float = 0.3,
        interrupted: Interrupted = never,
    ) -> Done:  # fmt: skip
        """See `Manipulator.open`."""
        return self._move(
            Manipulate.Goal.OPEN, interrupted, cloud=self._cloud(handle),
            outward=_vector(outward), hinged=hinged, travel=travel_m,
        )  # fmt: skip

    def close(
        self, handle: FloatArray, outward: Metres, *, hinged: bool = False, travel_m: float = 0.3,
        interrupted: Interrupted = never,
    ) -> Done:  # fmt: skip
        """See `Manipulator.close`."""
        return self._move(
            Manipulate.Goal.CLOSE, interrupted, cloud=self._cloud(handle),
            outward=_vector(outward), hinged=hinged, travel=travel_m,
        )  # fmt: skip

    def push(self, start: Metres, end: Metres, *, interrupted: Interrupted = never) -> Done:
        """See `Manipulator.push`."""
        return self._move(Manipulate.Goal.PUSH, interrupted, point=_point(start), end=_point(end))

    def press(self, at: Metres, *, interrupted: Interrupted = never) -> Done:
        """See `Manipulator.press`."""
        return self._move(Manipulate.Goal.PRESS, interrupted, point=_point(at))

    def give(self, *, interrupted: Interrupted = never) -> Done:
        """See `Manipulator.give`."""
        return self._move(Manipulate.Goal.GIVE, interrupted)

    def stow(self, *, interrupted: Interrupted = never) -> Done:
        """See `Manipulator.stow`."""
        return self._move(Manipulate.Goal.STOW, interrupted)

    def _cloud(self, points: FloatArray) -> Any:
        stamp = self._node.get_clock().now().to_msg()
        return cloud_of(np.asarray(points), frame=self._base_frame, stamp=stamp)

    def _move(self, movement: int, interrupted: Interrupted, **fields: Any) -> Done:
        goal = Manipulate.Goal(movement=movement, **fields)
        ended = self.action.call(goal, interrupted=interrupted)
        if ended.result is not None:
            self.holding = bool(ended.result.holding)
        if ended.how == 'done':
            return Done(True)
        if ended.how == 'interrupted' or ended.result is None:
            return Done(False, 'interrupted' if ended.how == 'interrupted' else 'no arm')
        return Done(False, ended.result.error_code.replace('_', ' ') or 'stuck')


def _point(at: Metres) -> Point:
    x, y, z = map(float, at)
    return Point(x=x, y=y, z=z)


def _vector(along: Metres) -> Vector3:
    x, y, z = map(float, along)
    return Vector3(x=x, y=y, z=z)
