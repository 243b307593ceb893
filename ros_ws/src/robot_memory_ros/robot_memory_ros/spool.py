"""What was perceived and is not known to be on disk yet: kept, and sent again until it is."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(slots=True)
class _Held:
    message: Any
    size: int
    sent_s: float


class Spool:
    """A bounded store of messages by id; the oldest go, and are counted, where it is full."""

    def __init__(self, *, most: int, most_bytes: int) -> None:
        """
        Begin empty.

        :param most: Messages held.
        :param most_bytes: Bytes of pictures held.
        """
        self._most = most
        self._most_bytes = most_bytes
        self._held: OrderedDict[str, _Held] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()
        self.dropped = 0
        self.acknowledged = 0

    def __len__(self) -> int:
        """Messages held."""
        return len(self._held)

    def hold(self, name: str, message: Any, *, size: int, now_s: float) -> None:
        """
        Hold a message that is being sent.

        :param name: Its id.
        :param message: What to send again.
        :param size: Bytes of its picture.
        :param now_s: The moment, seconds of a steady clock.
        """
        with self._lock:
            self._held[name] = _Held(message, size, now_s)
            self._bytes += size
            while len(self._held) > self._most or self._bytes > self._most_bytes:
                _, oldest = self._held.popitem(last=False)
                self._bytes -= oldest.size
                self.dropped += 1

    def release(self, names: Iterable[str]) -> int:
        """Let go of what is on disk, or was refused for good; returns how many were held."""
        released = 0
        with self._lock:
            for name in names:
                held = self._held.pop(name, None)
                if held is not None:
                    self._bytes -= held.size
                    released += 1
            self.acknowledged += released
        return released

    def messages(self) -> list[Any]:
        """Everything held, oldest first."""
        with self._lock:
            return [held.message for held in self._held.values()]

    def overdue(self, now_s: float, *, after_s: float, most: int) -> list[Any]:
        """
        Messages to send again, oldest first; they count as sent now.

        :param now_s: The moment, seconds of the same clock.
        :param after_s: What was sent longer ago than this.
        :param most: At most so many.
        """
        found = []
        with self._lock:
            for held in self._held.values():
                if len(found) >= most:
                    break
                if now_s - held.sent_s >= after_s:
                    held.sent_s = now_s
                    found.append(held.message)
        return found
