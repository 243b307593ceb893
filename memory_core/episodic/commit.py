"""Group commit: one thread writes, everybody waits for the same sync.

A synced transaction costs a disk flush whatever its size. Submissions that arrive within the
window, or while an earlier commit is under way, share one. A caller that waits makes the commit
start at once; callers that hand in and go on are gathered for at most the window.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

from memory_core.episodic.store import Written
from memory_core.errors import MemoryClosed, MemoryDamaged, MemoryUnavailable
from memory_core.types import Observation

MAX_BATCH = 5_000


@dataclass(slots=True)
class _Submission:
    observations: Sequence[Observation]
    urgent: bool
    future: Future[Written] = field(default_factory=Future)


class GroupCommitter:
    """Gathers submissions and commits them together, in the order they came."""

    def __init__(
        self, commit: Callable[[Sequence[Observation]], Written], *, window_s: float
    ) -> None:
        """Start the writing thread.

        Args:
            commit: Writes one batch durably and makes it visible to recall.
            window_s: How long a submission nobody waits for may be held back, seconds.
        """
        self._commit = commit
        self._window_s = window_s
        self._queue: queue.SimpleQueue[_Submission | None] = queue.SimpleQueue()
        self._closed = threading.Event()
        self._gate = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="group-commit", daemon=True)
        self._thread.start()

    def submit(self, observations: Sequence[Observation], *, urgent: bool) -> Future[Written]:
        """Hand in observations.

        Args:
            observations: Checked observations.
            urgent: Whether somebody waits for the result.

        Returns:
            A future that is done when they are on disk and visible.

        Raises:
            MemoryClosed: The committer was closed.
        """
        with self._gate:
            if self._closed.is_set():
                raise MemoryClosed("the memory was closed")
            submission = _Submission(observations, urgent)
            submission.future.set_running_or_notify_cancel()  # handed in is handed in
            self._queue.put(submission)
        return submission.future

    def close(self) -> None:
        """Commit what was handed in, then stop."""
        with self._gate:
            if self._closed.is_set():
                return
            self._closed.set()
            self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (first := self._queue.get()) is not None:
            batch, stop = self._gather(first)
            self._write(batch)
            if stop:
                return

    def _gather(self, first: _Submission) -> tuple[list[_Submission], bool]:
        batch, size = [first], len(first.observations)
        deadline = time.monotonic() + self._window_s
        urgent = first.urgent
        while size < MAX_BATCH:
            remaining = 0.0 if urgent else deadline - time.monotonic()
            try:
                following = self._queue.get(block=remaining > 0, timeout=max(remaining, 1e-6))
            except queue.Empty:
                break
            if following is None:
                return batch, True
            batch.append(following)
            size += len(following.observations)
            urgent = urgent or following.urgent
        return batch, False

    def _write(self, batch: list[_Submission]) -> None:
        try:
            written = self._commit([item for part in batch for item in part.observations])
        except BaseException as error:
            if len(batch) == 1 or isinstance(error, MemoryUnavailable | MemoryDamaged):
                for part in batch:
                    part.future.set_exception(error)
            else:  # one bad submission must not fail its neighbours
                for part in batch:
                    self._write([part])
            return
        self._distribute(batch, written)

    @staticmethod
    def _distribute(batch: list[_Submission], written: Written) -> None:
        if len(batch) == 1:
            batch[0].future.set_result(written)
            return
        added = {
            item.id: (rowid, item)
            for rowid, item in zip(written.rowids, written.observations, strict=True)
        }
        for part in batch:
            mine = [added.pop(item.id) for item in part.observations if item.id in added]
            stored = {item.id for _, item in mine}
            part.future.set_result(
                Written(
                    tuple(rowid for rowid, _ in mine),
                    tuple(item for _, item in mine),
                    tuple(sorted({i.id for i in part.observations} - stored)),
                )
            )
