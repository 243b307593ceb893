"""A store's connection: transactions, snapshots, the watermark, names, spaces and totals."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import apsw

from memory_core.episodic.database import checksummed, connect, translated_errors
from memory_core.episodic.migrations import migrate, read_as_current, write_format_file
from memory_core.episodic.readers import Readers
from memory_core.errors import (
    DimensionMismatch,
    EncoderMismatch,
    MemoryClosed,
    MemoryDamaged,
)
from memory_core.types import (
    EmbeddingSpace,
)

DATABASE = "memory.db"
WATERMARK = "watermark"
_LENT_CACHE_KIB = 4_096
"""Pages that each connection keeps which a writing store lends: there are several."""


class StoreSession:
    """The connection, its transactions, and the names, spaces and totals all tables share.

    Connections that only read are lent to several threads at once, so that nobody who reads waits
    for another. A store that writes has one more, for one thread at a time: within a change that
    thread reads through it too, and sees what it has changed.
    """

    def __init__(self, folder: Path, *, write: bool) -> None:
        """Open the store, making or migrating it where it is opened for writing.

        Args:
            folder: The memory's folder; must exist.
            write: Whether this store may change it; the caller holds the writer's lock.

        Raises:
            MemoryMissing: There is none and `write` is false.
            MemoryDamaged: The database or its log is not what was written.
            FormatUnsupported: It was written by a newer version.
        """
        self.folder = folder
        self.path = folder / DATABASE
        self.writable = write
        self._lock = threading.RLock()
        self._changing: int | None = None
        """The thread within a change."""
        self._names: dict[tuple[str, str], int] = {}
        self._spaces: dict[str, tuple[int, EmbeddingSpace]] = {}
        self._closed = False
        self._readers = Readers(self._reader)
        self._db = connect(self.path, write=write, create=write)
        try:
            with translated_errors(self.path):
                if write:
                    migrate(self._db)
                    write_format_file(folder, checksums=checksummed())
                else:
                    read_as_current(self._db)
                self._check_watermark()
                if write:
                    self._prepare()
                    self._readers.open_all()
        except BaseException:
            self._readers.close()
            self._db.close()
            raise

    def _reader(self) -> apsw.Connection:
        connection = connect(self.path, write=False, create=False)
        if self.writable:
            connection.execute(f"PRAGMA cache_size=-{_LENT_CACHE_KIB}")
        try:
            read_as_current(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _prepare(self) -> None:
        """What every memory has from the start; classes with tables of their own add to it."""

    # -- connection -------------------------------------------------------------------------

    @contextmanager
    def reading(self) -> Iterator[apsw.Connection]:
        """A connection, for as long as the block lasts, with errors translated.

        All that is read within the block is of one moment, but for what this thread changes.
        """
        if self._changing == threading.get_ident():
            with self.changing() as db:
                yield db
            return
        self._check_open()
        with translated_errors(self.path), self._readers.reading() as db:
            yield db

    @contextmanager
    def reading_afresh(self) -> Iterator[apsw.Connection]:
        """A connection opened for this block alone: what SQLite's parts keep cannot be stale."""
        self._check_open()
        with translated_errors(self.path):
            connection = self._reader()
            try:
                connection.execute("BEGIN")
                yield connection
            finally:
                connection.close()

    @contextmanager
    def changing(self) -> Iterator[apsw.Connection]:
        """The connection that the store was opened with, for one thread at a time."""
        with self._lock, translated_errors(self.path):
            self._check_open()
            yield self._db

    def _check_open(self) -> None:
        if self._closed:
            raise MemoryClosed(f"the memory in {self.folder} was closed")

    @contextmanager
    def _transaction(self) -> Iterator[apsw.Connection]:
        with self.changing() as db:
            if db.in_transaction:  # a part of a larger change
                yield db
                return
            try:
                db.execute("BEGIN IMMEDIATE")
                self._changing = threading.get_ident()
                yield db
                db.execute("UPDATE counters SET value = value + 1 WHERE name='commits'")
                query = "SELECT value FROM counters WHERE name IN ('acknowledged', 'commits')"
                noted = [int(row[0]) for row in db.execute(f"{query} ORDER BY name")]
                db.execute("COMMIT")
            except BaseException:
                if db.in_transaction:
                    db.execute("ROLLBACK")
                self._names.clear()
                self._spaces.clear()
                raise
            finally:
                self._changing = None
            self._note_watermark(noted)

    def close(self) -> None:
        """Close the connection; the log is folded into the database where it is small."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._readers.close()
            self._db.close()

    def data_version(self) -> int:
        """A number that changes when another connection commits."""
        with self.changing() as db:
            return int(db.execute("PRAGMA data_version").get)

    def _check_watermark(self) -> None:
        """A log that lost its end (a flipped bit in it) shows against the last counts noted."""
        try:
            text = (self.folder / WATERMARK).read_text(encoding="ascii")
            noted, commits = map(int, text.split())
        except (OSError, ValueError):
            return
        acknowledged = self.counter("acknowledged")
        if noted > acknowledged or commits > self.counter("commits"):
            raise MemoryDamaged(
                f"{noted} observations were acknowledged in {commits} commits, {acknowledged} in "
                f"{self.counter('commits')} are found: the write-ahead log in {self.folder} is "
                "damaged; restore a backup, or `robot-memory repair` accepts the loss and "
                "records it"
            )

    def _note_watermark(self, counts: Sequence[int]) -> None:
        """Keep the counts of observations acknowledged and of commits beside the database."""
        text = "".join(f"{count:020d}\n" for count in counts)
        try:
            (self.folder / WATERMARK).write_text(text, encoding="ascii")
        except OSError:  # a witness only: what was committed stands without it
            return

    # -- names, spaces, counters ------------------------------------------------------------

    def counter(self, name: str) -> int:
        """A running total of the database: `acknowledged`, `commits` or `keyframe_bytes`."""
        with self.reading() as db:
            value = db.execute("SELECT value FROM counters WHERE name=?", (name,)).get
            return int(value or 0)

    def _name(self, db: apsw.Connection, kind: str, name: str) -> int:
        key = (kind, name)
        if key not in self._names:
            query = "SELECT id FROM names WHERE kind=? AND name=?"
            known = db.execute(query, key).get
            if known is None:
                db.execute("INSERT INTO names (kind, name) VALUES (?,?)", key)
                known = db.last_insert_rowid()
            self._names[key] = int(known)
        return self._names[key]

    def names(self, kind: str) -> dict[str, int]:
        """Names to numbers of one kind: `robot`, `session`, `source` or `label`."""
        with self.reading() as db:
            return dict(db.execute("SELECT name, id FROM names WHERE kind=? ORDER BY id", (kind,)))

    def spaces(self) -> dict[str, EmbeddingSpace]:
        """The vector spaces the memory holds, by name."""
        with self.reading() as db:
            return {
                name: EmbeddingSpace(model, revision, dimension)
                for name, model, revision, dimension in db.execute(
                    "SELECT name, model, revision, dimension FROM spaces"
                )
            }

    def ensure_space(self, name: str, space: EmbeddingSpace) -> None:
        """Declare which model a space's vectors come from.

        Raises:
            EncoderMismatch: The memory's vectors of that name come from another model.
        """
        known = self.spaces().get(name)
        if known is None and self.writable:
            with self._transaction() as db:
                db.execute(
                    "INSERT INTO spaces (name, model, revision, dimension) VALUES (?,?,?,?)",
                    (name, space.model, space.revision, space.dimension),
                )
        elif known is not None and known != space:
            raise EncoderMismatch(
                f"the {name} vectors in {self.folder} were made with {known.model} "
                f"({known.revision}, {known.dimension} numbers), not with {space.model} "
                f"({space.revision}, {space.dimension}); open it with that model, or make them "
                f"anew: robot-memory reembed --memory {self.folder}"
            )

    def _space(self, db: apsw.Connection, name: str, dimension: int) -> int:
        if name not in self._spaces:
            row = db.execute(
                "SELECT id, model, revision, dimension FROM spaces WHERE name=?", (name,)
            ).fetchone()
            if row is None:
                db.execute(
                    "INSERT INTO spaces (name, model, revision, dimension) VALUES (?,'given','',?)",
                    (name, dimension),
                )
                row = (db.last_insert_rowid(), "given", "", dimension)
            self._spaces[name] = (row[0], EmbeddingSpace(*row[1:]))
        number, space = self._spaces[name]
        if space.dimension != dimension:
            raise DimensionMismatch(
                f"vector of space {name!r} has {dimension} numbers; expected {space.dimension}"
            )
        return number
