"""Actions called from a thread that is not the executor's: waited for, cancelled, never lost."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from action_msgs.msg import GoalStatus
from rclpy.action import ActionClient
from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.node import Node

from memory_core.planning.body import Interrupted

POLL_S = 0.01
ANSWERED_S = 2.0
"""A server that does not answer, or is not there, for so long is given up."""
CANCELLED_S = 0.25
"""What was cancelled is waited for so long; after that it ends by itself."""


@dataclass(frozen=True, slots=True)
class Ended:
    """
    How an action ended.

    :param how: `done`, `failed`, `cancelled` (by somebody else), `interrupted`, `refused`,
        `silent`.
    :param result: Of the server; None where it told none.
    """

    how: str
    result: Any = None


class ActionCaller:
    """
    A client of one action.

    rclpy's client loses an answer that comes while the request is still being noted. So both
    happen in one callback group, one after the other.
    """

    def __init__(
        self, node: Node, kind: Any, name: str, *, cancelled_s: float = CANCELLED_S
    ) -> None:
        """
        Make the client.

        :param node: Whose executor carries the answers.
        :param kind: The action.
        :param name: Its name.
        :param cancelled_s: How long what was cancelled is waited for, seconds.
        """
        self._cancelled_s = cancelled_s
        group = MutuallyExclusiveCallbackGroup()
        self._client = ActionClient(node, kind, name, callback_group=group)
        self._todo: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._guard = node.create_guard_condition(self._work, callback_group=group)
        self.name = node.resolve_topic_name(name)

    @property
    def ready(self) -> bool:
        """Whether somebody serves it."""
        try:
            return bool(self._client.server_is_ready())
        except RuntimeError:  # the node is going down
            return False

    def destroy(self) -> None:
        """Let go of the client; a node that is destroyed does not do that by itself."""
        self._client.destroy()

    def call(
        self,
        goal: Any,
        *,
        interrupted: Interrupted = lambda: False,
        heard: Callable[[Any], None] = lambda feedback: None,
    ) -> Ended:
        """
        Send a goal, and wait for its result.

        :param goal: Of the action.
        :param interrupted: True cancels it, and ends the wait soon after.
        :param heard: Given the server's feedback.
        """
        if not self.ready:
            return Ended('silent')

        def tell(message: Any) -> None:
            heard(message.feedback)

        sent = self._do(lambda: self._client.send_goal_async(goal, feedback_callback=tell))
        until_s = time.monotonic() + ANSWERED_S
        if not self._wait(sent, lambda: interrupted() or time.monotonic() > until_s):
            sent.add_done_callback(self._cancel_late)
            return Ended('interrupted' if interrupted() else 'silent')
        handle = sent.result().result()
        if not handle.accepted:
            return Ended('refused')
        ending = self._do(handle.get_result_async)
        gone = self._gone()
        if not self._wait(ending, lambda: interrupted() or gone()):
            if not interrupted():
                return Ended('silent')
            self._do(handle.cancel_goal_async)
            until_s = time.monotonic() + self._cancelled_s
            ended = self._wait(ending, lambda: time.monotonic() > until_s)
            return Ended('interrupted', ending.result().result().result if ended else None)
        answer = ending.result().result()
        how = {GoalStatus.STATUS_SUCCEEDED: 'done', GoalStatus.STATUS_CANCELED: 'cancelled'}
        return Ended(how.get(answer.status, 'failed'), answer.result)

    def _cancel_late(self, sent: Future[Any]) -> None:
        """Cancel a goal whose acceptance nobody waited for, when it comes."""

        def accepted(answer: Any) -> None:
            if answer.result() is not None and answer.result().accepted:
                self._do(answer.result().cancel_goal_async)

        sent.result().add_done_callback(accepted)

    def _gone(self) -> Callable[[], bool]:
        """Tell whether nobody has served it for a while."""
        seen_s = time.monotonic()

        def gone() -> bool:
            nonlocal seen_s
            now = time.monotonic()
            if self.ready:
                seen_s = now
            return now - seen_s > ANSWERED_S

        return gone

    def _do(self, start: Callable[[], Any]) -> Future[Any]:
        """Have something started in the client's own callback group."""
        started: Future[Any] = Future()
        self._todo.put(lambda: started.set_result(start()))
        self._guard.trigger()
        return started

    def _work(self) -> None:
        while not self._todo.empty():
            self._todo.get_nowait()()

    @staticmethod
    def _wait(started: Future[Any], give_up: Callable[[], bool]) -> bool:
        while not (started.done() and started.result().done()):
            if give_up():
                return False
            time.sleep(POLL_S)
        return True
