"""Ask the memory from any other node, without blocking it."""

from __future__ import annotations

from typing import Any

from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.node import Node
from rclpy.task import Future
from robot_memory_interfaces.msg import Observation
from robot_memory_interfaces.srv import Ask, Forget, GetForest, Observe, Query


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
            )
        }

    def ready(self) -> bool:
        """Tell whether the memory node is there."""
        return all(client.service_is_ready() for client in self._clients.values())

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

    def _call(self, kind: Any, **fields: Any) -> Future:
        return self._clients[kind].call_async(kind.Request(**fields))
