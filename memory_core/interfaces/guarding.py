"""What stands between a client and the memory: a rate for each, and a log of what changed."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections import OrderedDict
from contextlib import closing
from datetime import datetime, timezone
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

from memory_core.errors import RateLimited, StorageFull
from memory_core.interfaces.cutting import short
from memory_core.types import Json

AUDIT_BYTES = 5 * 2**20
AUDIT_FILES = 4
AUDIT_NAME = "audit.jsonl"
MAX_CLIENTS = 10_000
MAX_TOLD = 500


class RateLimiter:
    """A token bucket for each client (Turner 1986, leaky bucket as a meter)."""

    def __init__(self, per_second: float = 50.0, *, burst: int = 100) -> None:
        """Set the rate.

        Args:
            per_second: Calls that one client may make in the long run.
            burst: Calls it may make at once.
        """
        self._rate = per_second
        self._burst = float(burst)
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, client: str) -> None:
        """Count one call.

        Raises:
            RateLimited: The client has to wait; the message says how long.
        """
        now = time.monotonic()
        with self._lock:
            left, then = self._buckets.pop(client, (self._burst, now))
            left = min(self._burst, left + (now - then) * self._rate)
            allowed = left >= 1.0
            self._buckets[client] = (left - 1.0 if allowed else left, now)
            if len(self._buckets) > MAX_CLIENTS:
                self._buckets.popitem(last=False)
        if not allowed:
            raise RateLimited(
                f"at most {self._rate:g} calls a second; try again in "
                f"{(1.0 - left) / self._rate:.2f} s"
            )


class _Failing(RotatingFileHandler):
    """A log file that does not swallow what goes wrong."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        raise  # noqa: PLE0704 - called by `emit` while it handles the error


class AuditLog:
    """A line of JSON for each call that changes or moves something, in a file of limited size."""

    def __init__(
        self, path: Path, *, max_bytes: int = AUDIT_BYTES, files: int = AUDIT_FILES
    ) -> None:
        """Name the file; it is made with the first line.

        Args:
            path: The file; older ones lie beside it as `.1`, `.2`, ….
            max_bytes: A file grows to about this.
            files: So many older ones are kept.
        """
        self.path = path
        self._file = _Failing(
            path, maxBytes=max_bytes, backupCount=files, encoding="utf-8", delay=True
        )

    def write(self, call: str, arguments: Json, *, client: str, outcome: str, **more: Any) -> None:
        """Add one line.

        Args:
            call: Its name.
            arguments: What it was given; long words are cut.
            client: Who made it.
            outcome: `asked` before anything is done, then `done` or an error's code.
            **more: What else is told.

        Raises:
            StorageFull: The line cannot be written.
        """
        line = {
            "time": datetime.now(timezone.utc).isoformat(timespec="milliseconds"),
            "client": client, "call": call, "arguments": short(arguments, MAX_TOLD), "outcome": outcome, **more,
        }  # fmt: skip
        text = json.dumps(line, ensure_ascii=True)
        try:
            with closing(self._file):  # uses are rare; between two of them nothing is held open
                self._file.handle(logging.LogRecord("audit", logging.INFO, "", 0, text, None, None))
        except OSError as error:
            raise StorageFull(
                f"the audit log {self.path} cannot be written ({error.strerror}); "
                "nothing is changed without it"
            ) from error
