"""One process writes: an advisory lock that dies with its holder and names it."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import sys
import time
from pathlib import Path
from typing import IO

from memory_core.errors import MemoryLocked, MemoryReadOnly

_held: set[tuple[int, int]] = set()


class WriterLock:
    """Holds `lock` in a memory's folder for as long as it lives.

    The kernel releases it when the process ends, however it ends, so no stale lock is ever
    left behind. A second writer in the same process is refused as well.
    """

    def __init__(self, folder: Path) -> None:
        """Take the lock.

        Args:
            folder: The memory's folder; must exist.

        Raises:
            MemoryLocked: Another writer holds it; the message names it.
            MemoryReadOnly: The lock file cannot be made.
        """
        path = folder / "lock"
        try:
            self._file: IO[str] = path.open("a+", encoding="utf-8")
        except OSError as error:
            raise MemoryReadOnly(
                f"{folder} cannot be written ({error.strerror}); open it for reading (read_only=True)"
            ) from error
        status = os.fstat(self._file.fileno())
        self._key = (status.st_dev, status.st_ino)
        try:
            if self._key in _held:
                raise BlockingIOError
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = self._holder()
            self._file.close()
            raise MemoryLocked(
                f"{folder} is being written by {holder}. "
                "Read beside it (ask, recall and info do; in Python read_only=True), or stop that "
                "process."
            ) from None
        _held.add(self._key)
        program = Path(sys.argv[0]).name or "python"
        me = {"pid": os.getpid(), "program": program, "since": time.time()}
        with contextlib.suppress(OSError):  # on a full disk the lock holds, only without a name
            os.ftruncate(self._file.fileno(), 0)
            os.write(self._file.fileno(), json.dumps(me).encode("utf-8"))

    def _holder(self) -> str:
        self._file.seek(0)
        try:
            known = json.loads(self._file.read())
            return f"process {known['pid']} ({known['program']})"
        except (ValueError, KeyError, TypeError):
            return "another process"

    def release(self) -> None:
        """Give the lock back; a second call does nothing."""
        if not self._file.closed:
            _held.discard(self._key)
            self._file.close()
