"""Errands asked for by actions: one at a time, on a thread of its own, ended where cancelled."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from rclpy.node import Node

from memory_core.errors import RobotMemoryError
from memory_core.planning.outcomes import Outcome
from memory_core.planning.plans import Plan
from robot_memory_ros.calling import POLL_S

FEEDBACK_S = 0.2
STOPPED_S = 0.25
"""A cancelled errand that does not end within this ends on its own; its goal does not wait."""
ENDED_S = 1.0
BUSY, INTERNAL = 'busy', 'internal'


class Refused(Exception):
    """A goal that is not begun: a code, and why."""

    def __init__(self, code: str, message: str) -> None:
        """Say why."""
        super().__init__(message)
        self.code = code


@dataclass(slots=True)
class Underway:
    """
    An errand that is being done.

    :param words: What was asked for.
    :param most_m: The robot may drive so far, metres; 0: any way.
    """

    words: str
    most_m: float = 0.0
    stop: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)
    begun_s: float = field(default_factory=time.monotonic)
    plan: Plan | None = None
    evidence: list[Any] = field(default_factory=list)
    steps: list[str] = field(default_factory=list)
    outcome: Outcome | None = None
    error: Exception | None = None


class CarryingOut:
    """Does errands for action servers of a node."""

    def __init__(self, node: Node, do: Callable[[Underway], None]) -> None:
        """
        Have nothing to do.

        :param node: Whose log tells what failed.
        :param do: Does an errand, on its own thread; fills what becomes known of it.
        """
        self._node, self._do = node, do
        self._one = threading.Lock()
        self._serving: list[Any] = []
        self._stopping = threading.Event()
        self._newest: Underway | None = None

    @property
    def underway(self) -> Underway | None:
        """Tell what is being done; None: nothing."""
        newest = self._newest
        return None if newest is None or newest.ended.is_set() else newest

    def serving(self, serve: Callable[[Any], Any], kind: Any) -> Callable[[Any], Any]:
        """Serve goals; what goes wrong is told in the result, with a code."""

        def served(handle: Any) -> Any:
            self._serving.append(handle)
            try:
                return serve(handle)
            except (RobotMemoryError, Refused) as error:
                code, said = error.code, str(error)
            except Exception as error:  # whoever asked gets an answer whatever happens
                self._node.get_logger().error(f'{serve.__name__} failed: {error!r}')
                code, said = INTERNAL, f'{error}; see the log of {self._node.get_name()}'
            finally:
                self._serving.remove(handle)
            handle.abort()
            return kind.Result(error_code=code, error_msg=said)

        return served

    def carry_out(
        self, handle: Any, errand: Underway, feedback: Callable[[Underway], Any]
    ) -> Underway:
        """
        Have an errand done, tell how it goes, and end it where it is cancelled.

        :param handle: Of the goal.
        :param errand: What is to be done.
        :param feedback: Makes the goal's feedback.
        :raises Refused: Another is being done.
        """
        with self._one:
            before = self.underway
            if before is not None:
                raise Refused(BUSY, f'{before.words!r} is being done; cancel it first')
            self._newest = errand
        threading.Thread(target=self._run, args=(errand,), name='errand', daemon=True).start()
        told_s, told_steps, stopped_s = 0.0, 0, None
        while not errand.ended.wait(POLL_S):
            now = time.monotonic()
            if stopped_s is None and (handle.is_cancel_requested or self._stopping.is_set()):
                errand.stop.set()
                stopped_s = now
            if stopped_s is not None and now - stopped_s > STOPPED_S:
                break
            if now - told_s > FEEDBACK_S or len(errand.steps) > told_steps:
                told_s, told_steps = now, len(errand.steps)
                handle.publish_feedback(feedback(errand))
        if len(errand.steps) > told_steps:
            handle.publish_feedback(feedback(errand))
        if errand.error is not None:
            raise errand.error
        return errand

    def _run(self, errand: Underway) -> None:
        try:
            self._do(errand)
        except Exception as error:  # told by whoever waits, and where nobody does any more
            errand.error = error
            if not self._stopping.is_set():
                self._node.get_logger().error(f'{errand.words}: {error}')
        finally:
            errand.ended.set()

    def stop(self) -> None:
        """Stop what is being done, and tell whoever asked for it."""
        self._stopping.set()
        until_s = time.monotonic() + ENDED_S
        while self._serving and time.monotonic() < until_s:
            time.sleep(POLL_S)
