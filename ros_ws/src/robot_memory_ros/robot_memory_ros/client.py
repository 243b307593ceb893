"""Ask the memory from any other node, without blocking it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from geometry_msgs.msg import Pose
from rclpy.action import ActionClient
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from rclpy.task import Future
from robot_memory_interfaces.action import Ingest
from robot_memory_interfaces.msg import Observation
from robot_memory_interfaces.srv import (
    Ask,
    Forget,
    GetForest,
    MoveAnchors,
    Observe,
    Query,
    Save,
)

CONNECT_S = 0.1
"""Whether the other side is there is asked so often; it may know of us a little later."""


class MemoryClient:
    """
    Calls to a memory node, each a future.

    In a coroutine callback `answer = await client.ask('where is the red mug?')`; elsewhere
    `client.ask(...).add_done_callback(...)`. Nothing here spins.
    """

    def __init__(self, node: Node, *, namespace: str = '') -> None:
        """
        Make the clients.

        :param node: Whose executor carries the answers.
        :param namespace: Of the memory node; empty: the node's own.
        """
        group, prefix = ReentrantCallbackGroup(), f'{namespace}/' if namespace else ''
        self._clients = {
            kind: node.create_client(kind, prefix + name, callback_group=group)
            for kind, name in (
                (Ask, 'ask'),
                (Query, 'query'),
                (Observe, 'observe'),
                (Forget, 'forget'),
                (GetForest, 'get_forest'),
                (MoveAnchors, 'move_anchors'),
                (Save, 'save'),
            )
        }
        self._node, self._group, self._prefix = node, group, prefix
        self._reader: ActionClient | None = None

    def ready(self) -> bool:
        """Tell whether the memory node is there."""
        return all(client.service_is_ready() for client in self._clients.values())

    def destroy(self) -> None:
        """Let go of what a node that is destroyed does not let go of by itself."""
        if self._reader is not None:
            self._reader.destroy()
            self._reader = None

    def ask(self, question: str, *, zone: str = '') -> Future:
        """Ask in plain language; resolves to the response of `Ask.srv`."""
        return self._call(Ask, question=question, zone=zone)

    def recall(self, text: str, **fields: Any) -> Future:
        """Recall what fits words and the other fields of `Query.srv`."""
        return self._call(Query, text=text, **fields)

    def observe(self, *observations: Observation) -> Future:
        """Store observations; resolves when they are on disk."""
        return self._call(Observe, observations=list(observations))

    def forget(self, *, reason: str, **fields: Any) -> Future:
        """Forget what the fields of `Forget.srv` name."""
        return self._call(Forget, reason=reason, **fields)

    def forest(self, node: str = '', *, depth: int = 0) -> Future:
        """Get the forest, or what is below one of its nodes."""
        return self._call(GetForest, node=node, depth=depth)

    def move_anchors(
        self, poses: Mapping[str, Pose], *, reason: str, map_id: str = 'map'
    ) -> Future:
        """Correct a map: anchors get new poses in it; resolves to its new epoch."""
        return self._call(
            MoveAnchors,
            map_id=map_id,
            anchors=list(poses),
            poses=list(poses.values()),
            reason=reason,
        )

    def save(self, backup: str = '') -> Future:
        """Organise what is pending; with a name, make a backup below `backup_folder`."""
        return self._call(Save, backup=backup)

    def ingest(
        self, path: str, *, robot: str = '', feedback: Callable[[Any], None] | None = None
    ) -> Future:
        """
        Read a recording into the memory once it is there; resolves to a goal handle.

        :param path: On the robot.
        :param robot: Whose it is.
        :param feedback: Called with each feedback message.
        """
        if self._reader is None:
            self._reader = ActionClient(
                self._node, Ingest, self._prefix + 'ingest', callback_group=self._group
            )
        reader, goal = self._reader, Ingest.Goal(path=path, robot=robot)
        accepted = Future()
        waited = 0

        def send() -> None:
            nonlocal waited
            waited = waited + 1 if reader.server_is_ready() else 0
            if waited < 2:  # a goal sent to a server that does not know us yet is never answered
                return
            self._node.destroy_timer(timer)
            sent = reader.send_goal_async(goal, feedback_callback=feedback)
            sent.add_done_callback(lambda done: accepted.set_result(done.result()))

        timer = self._node.create_timer(
            CONNECT_S, send, callback_group=self._group,
            clock=Clock(clock_type=ClockType.STEADY_TIME),
        )  # fmt: skip
        return accepted

    def _call(self, kind: Any, **fields: Any) -> Future:
        return self._clients[kind].call_async(kind.Request(**fields))
