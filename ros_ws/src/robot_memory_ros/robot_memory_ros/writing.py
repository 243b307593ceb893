"""The one who writes: a bounded queue of observations, and a thread that stores them."""

from __future__ import annotations

import queue
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from robot_memory_interfaces.msg import Observation as ObservationMessage

from memory_core import RobotMemory
from memory_core.errors import InputRejected
from memory_core.types import ORIGIN, Acknowledgement, Observation, Pose, Refusal
from robot_memory_ros.convert import observation_of, pose_of

IDLE_S = 0.05


class Writer:
    """Stores observations in batches and tells what became of them."""

    def __init__(
        self,
        memory: RobotMemory,
        *,
        size: int,
        batch: int,
        tell: Callable[[Acknowledgement], None],
        log: Any,
    ) -> None:
        """
        Begin to write.

        :param memory: Open for writing.
        :param size: Observations that wait at most.
        :param batch: Stored in one go at most.
        :param tell: Called with what is on disk.
        :param log: The node's logger.
        """
        self._memory = memory
        self._batch_size = batch
        self._tell = tell
        self._log = log
        self._queue: queue.Queue[ObservationMessage] = queue.Queue(size)
        self._waiting: set[str] = set()
        self._anchors: set[tuple[str, str]] = set()
        self._stopping = threading.Event()
        self.counts: Counter[str] = Counter()
        self.written_s: float | None = None
        self._thread = threading.Thread(target=self._work, name='memory-writer', daemon=True)
        self._thread.start()

    def __len__(self) -> int:
        """Observations that wait."""
        return self._queue.qsize()

    @property
    def alive(self) -> bool:
        """Tell whether anything is stored any more."""
        return self._thread.is_alive()

    def take(self, message: ObservationMessage) -> None:
        """Queue an observation; what does not fit is dropped, counted, and comes again."""
        if message.id in self._waiting:  # sent again while it waits
            self.counts['sent again'] += 1
            return
        self._waiting.add(message.id)  # before the writer can be done with it
        try:
            self._queue.put_nowait(message)
        except queue.Full:
            self._waiting.discard(message.id)
            self.counts['dropped'] += 1

    def drain(self, limit_s: float = 1.0) -> None:
        """Wait until everything queued is stored."""
        until = time.monotonic() + limit_s
        while self._queue.unfinished_tasks and time.monotonic() < until:
            time.sleep(IDLE_S / 10)

    def close(self) -> None:
        """Store what is queued, and end."""
        self.drain()
        self._stopping.set()
        self._thread.join(2.0)

    def _work(self) -> None:
        while not self._stopping.is_set():
            batch = self._batch()
            if not batch:
                continue
            try:
                self._tell(self.store(batch))
            except Exception as error:  # nothing was acknowledged: it comes again
                self.counts['failed'] += len(batch)
                code = getattr(error, 'code', 'internal')
                self._log.error(
                    f'{len(batch)} observations were not stored ({code}): {error}',
                    throttle_duration_sec=5.0,
                )
            finally:
                for message in batch:
                    self._waiting.discard(message.id)
                    self._queue.task_done()

    def _batch(self) -> list[ObservationMessage]:
        try:
            batch = [self._queue.get(timeout=IDLE_S)]
        except queue.Empty:
            return []
        while len(batch) < self._batch_size:
            try:
                batch.append(self._queue.get_nowait())
            except queue.Empty:
                break
        return batch

    def store(self, messages: list[ObservationMessage]) -> Acknowledgement:
        """Store messages; what is wrong is refused one by one."""
        memory = self._memory
        ready: list[Observation] = []
        refused: list[Refusal] = []
        for message in messages:
            try:
                observation = observation_of(message)
                self._know_anchor(observation, pose_of(message.anchor_pose))
                ready.append(observation)
            except InputRejected as error:
                refused.append(Refusal(message.id, error.code, str(error)))
            except (ValueError, TypeError, OverflowError, RecursionError) as error:
                refused.append(Refusal(message.id, InputRejected.code, f'{error!r}'[:500]))
        if refused:
            memory.count_refusals(refused)
        # what is sent again is not encoded again
        there = memory.store.rowids_of([item.id for item in ready])
        fresh = [item for item in ready if item.id not in there]
        done = memory.observe(fresh) if fresh else Acknowledgement()
        done = Acknowledgement(done.added, (*done.known, *there), done.refused)
        self.counts['stored'] += len(done.added)
        self.counts['refused'] += len(done.refused) + len(refused)
        if done.added:
            self.written_s = time.monotonic()
        return Acknowledgement(done.added, done.known, (*done.refused, *refused))

    def _know_anchor(self, observation: Observation, pose: Pose) -> None:
        """Make the anchor of a stretch of the way; one that is there stays where it is."""
        anchor = (observation.map_id, observation.anchor_id)
        if observation.anchor_id != ORIGIN and anchor not in self._anchors:
            reason = 'a stretch of the way' if observation.localised else 'not localised'
            self._memory.add_anchor(
                observation.anchor_id, pose, map_id=observation.map_id, reason=reason
            )
            self._anchors.add(anchor)
