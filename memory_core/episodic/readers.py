"""Connections that only read: several threads at once, each seeing one moment."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import apsw

from memory_core.errors import MemoryClosed

MOST = 4
_CLOSING_S = 5.0


class Readers:
    """A few connections, lent to one thread at a time; each is made when it is needed."""

    def __init__(self, connect: Callable[[], apsw.Connection], *, most: int = MOST) -> None:
        """Nothing is open yet.

        Args:
            connect: Opens one more connection for reading.
            most: So many at once; who comes later waits.
        """
        self._connect = connect
        self._most = most
        self._turn = threading.Condition()
        self._idle: list[apsw.Connection] = []
        self._open = 0
        self._closed = False
        self._mine = threading.local()

    @contextmanager
    def reading(self) -> Iterator[apsw.Connection]:
        """A connection in a transaction of its own; the same one again within the same thread."""
        held: apsw.Connection | None = getattr(self._mine, "connection", None)
        if held is not None:
            yield held
            return
        connection = self._take()
        self._mine.connection = connection
        spoilt = False
        try:
            connection.execute("BEGIN")
            try:
                yield connection
            except apsw.CorruptError:  # what SQLite's word index keeps of it may be stale
                spoilt = True
                raise
            finally:
                if connection.in_transaction:
                    connection.execute("COMMIT")
        finally:
            self._mine.connection = None
            with self._turn:
                if self._closed or spoilt:
                    connection.close()
                    self._open -= 1
                else:
                    self._idle.append(connection)
                self._turn.notify_all()

    def _take(self) -> apsw.Connection:
        with self._turn:
            self._turn.wait_for(lambda: self._idle or self._open < self._most or self._closed)
            if self._closed:
                raise MemoryClosed("the memory was closed")
            if self._idle:
                return self._idle.pop()
            self._open += 1
        return self._opened()

    def _opened(self) -> apsw.Connection:
        """Connect; who calls has counted it already."""
        try:
            return self._connect()
        except BaseException:
            with self._turn:
                self._open -= 1
                self._turn.notify()
            raise

    def open_all(self) -> None:
        """Open now what would be opened when it is needed; files and memory then stay as they are."""
        while True:
            with self._turn:
                if self._closed or self._open == self._most:
                    return
                self._open += 1
            connection = self._opened()
            with self._turn:
                self._idle.append(connection)
                self._turn.notify()

    def close(self) -> None:
        """Close all of them, those lent as soon as they come back."""
        with self._turn:
            self._closed = True
            self._turn.notify_all()
            for connection in self._idle:
                connection.close()
            self._open -= len(self._idle)
            self._idle.clear()
            self._turn.wait_for(lambda: not self._open, timeout=_CLOSING_S)
