"""The action `Ingest`: a recording into the memory while it runs."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rclpy.action import ActionServer, CancelResponse, GoalResponse
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.node import Node
from robot_memory_interfaces.action import Ingest

from memory_core import RobotMemory, ingest
from memory_core.errors import RecordingUnreadable, RobotMemoryError
from memory_core.ingestion import IngestReport
from memory_core.recordings import ReadOptions

TELL_S = 0.5
LOOK_S = 0.05
CLAIM_S = 5.0
"""A goal that was accepted and does not begin within this is not waited for: who sent it went."""
CLOSE_S = 1.5
CANCELLED, BUSY = 'cancelled', 'busy'


class Ingesting:
    """Serves the action; one recording at a time."""

    def __init__(self, node: Node, memory: RobotMemory, *, active: Callable[[], bool]) -> None:
        """
        Serve.

        :param node: Whose action.
        :param memory: Open for writing.
        :param active: Whether it takes anything.
        """
        self._node, self._memory, self._active = node, memory, active
        self._stopping = threading.Event()
        self._busy = threading.Lock()
        self._gate = threading.Lock()
        self._claimed_s = -math.inf
        self.server = ActionServer(
            node, Ingest, 'ingest', self._execute,
            goal_callback=self._accept,
            cancel_callback=lambda _: CancelResponse.ACCEPT,
            callback_group=ReentrantCallbackGroup(),
        )  # fmt: skip

    def close(self) -> None:
        """Stop reading, and serving."""
        self._stopping.set()
        self._busy.acquire(timeout=CLOSE_S)  # given back by what was read
        self.server.destroy()

    def _accept(self, goal: Any) -> GoalResponse:
        """Accept a goal; the next is refused from then on, though it begins a little later."""
        active = self._active() and not self._stopping.is_set()
        with self._gate:
            claimed = time.monotonic() - self._claimed_s < CLAIM_S
            if active and not claimed and not self._busy.locked():
                self._claimed_s = time.monotonic()
                return GoalResponse.ACCEPT
        said = 'another recording is being read' if active else 'it is not active'
        self._node.get_logger().warning(f'{goal.path} is not read: {said}')
        return GoalResponse.REJECT

    def _execute(self, handle: Any) -> Any:
        """Read in a thread of its own, so that a cancel is answered whatever is being read."""
        with self._gate:
            self._claimed_s = -math.inf
            begins = self._busy.acquire(blocking=False)
        if not begins:
            handle.abort()
            return Ingest.Result(error_code=BUSY, error_msg='another recording is being read')
        reading = _Reading(self._memory, handle.request, self._stopping, self._busy)
        told_s = 0.0
        while not reading.done.wait(LOOK_S):
            if handle.is_cancel_requested:
                reading.stop.set()
                break
            if time.monotonic() - told_s >= TELL_S:
                told_s = time.monotonic()
                handle.publish_feedback(Ingest.Feedback(done=reading.at[0], total=reading.at[1]))
        handle.publish_feedback(Ingest.Feedback(done=reading.at[0], total=reading.at[1]))
        result = reading.result()
        if reading.stop.is_set() and handle.is_cancel_requested:
            result.error_code = CANCELLED
            result.error_msg = 'what is stored stays; read it again to go on'
            handle.canceled()
        elif result.error_code:
            self._node.get_logger().error(
                f'{handle.request.path}: {result.error_code}: {result.error_msg}'
            )
            handle.abort()
        else:
            self._node.get_logger().info(f'{handle.request.path}: {result.added} observations')
            handle.succeed()
        return result


class _Reading:
    """One recording being read."""

    def __init__(
        self, memory: RobotMemory, goal: Any, stopping: threading.Event, busy: threading.Lock
    ) -> None:
        self.at = (0, 0)
        self.stop = threading.Event()
        self.done = threading.Event()
        self._memory, self._goal = memory, goal
        self._stopping, self._busy = stopping, busy
        self._report: IngestReport | None = None
        self._error: Exception | None = None
        threading.Thread(target=self._read, name='ingest', daemon=True).start()

    def _read(self) -> None:
        try:
            self._report = ingest(
                self._memory, Path(self._goal.path).expanduser(),
                options=ReadOptions(robot=self._goal.robot or 'robot'),
                progress=self._progress,
                stop=lambda: self.stop.is_set() or self._stopping.is_set(),
            )  # fmt: skip
        except Exception as error:  # told in the result
            self._error = error
        finally:
            self._busy.release()
            self.done.set()

    def _progress(self, done: int, total: int) -> None:
        self.at = (done, total)

    def result(self) -> Any:
        """Tell what became of it so far."""
        told, report, error = Ingest.Result(), self._report, self._error
        if report is not None:
            told.added, told.known = report.added, report.known
            told.refused = sum(report.refused.values())
            if not report.complete:
                told.error_code, told.error_msg = RecordingUnreadable.code, report.damage or ''
        elif error is not None:
            told.error_code = error.code if isinstance(error, RobotMemoryError) else 'internal'
            told.error_msg = str(error) or repr(error)
        return told
