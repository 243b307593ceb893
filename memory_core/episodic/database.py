"""Connections to `memory.db`: checksummed pages, write-ahead log, typed errors.

SQLite comes through apsw, which bundles a current one. Every page carries an 8-byte checksum
(SQLite's `cksumvfs`), so a flipped bit is an error and not an answer. Where the checksum
extension is not shipped for a platform, pages are unchecked and `checksummed()` says so.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw
import apsw.sqlite_extra

from memory_core.errors import (
    MemoryDamaged,
    MemoryMissing,
    MemoryReadOnly,
    MemoryUnavailable,
    StorageFull,
)

_CHECKSUM_BYTES = 8
_BUSY_MS = 10_000
_CACHE_KIB = 16_384


@functools.cache
def checksummed() -> bool:
    """Whether pages are checksummed on this platform."""
    try:
        apsw.sqlite_extra.load(apsw.Connection(":memory:"), "cksumvfs")
    except (apsw.sqlite_extra.NotAvailable, apsw.Error, OSError):
        return False
    return "cksmvfs" in apsw.vfs_names()


def connect(
    path: Path, *, write: bool, create: bool = False, checked: bool = True
) -> apsw.Connection:
    """Open a connection.

    Args:
        path: The database file.
        write: Whether this connection may change it.
        create: Make the file where it is missing; needs `write`.
        checked: Whether a page whose checksum does not fit is an error.

    Raises:
        MemoryMissing: The file is not there.
        MemoryReadOnly: The folder or file cannot be written.
        MemoryDamaged: The file is not a database, or shorter than its header says.
    """
    if not create and not path.exists():
        raise MemoryMissing(f"there is no memory in {path.parent}; make one with `ingest`")
    flags = apsw.SQLITE_OPEN_URI
    if write:
        flags |= apsw.SQLITE_OPEN_READWRITE | (apsw.SQLITE_OPEN_CREATE if create else 0)
    else:
        flags |= apsw.SQLITE_OPEN_READONLY
    with translated_errors(path):
        fresh = create and (not path.exists() or path.stat().st_size == 0)
        if not fresh:
            _check_length(path)
        name = str(path)
        if not write and os.statvfs(path.parent).f_flag & os.ST_RDONLY:
            name = f"{path.absolute().as_uri()}?immutable=1"  # nobody writes: no log is needed
        connection = apsw.Connection(name, flags=flags, vfs="cksmvfs" if checksummed() else None)
        connection.set_busy_timeout(_BUSY_MS)
        if not checked:
            connection.execute("PRAGMA checksum_verification=OFF")
        if fresh and checksummed():
            connection.reserve_bytes(reserve=_CHECKSUM_BYTES)
        connection.execute(f"PRAGMA cache_size=-{_CACHE_KIB}")
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute("PRAGMA secure_delete=ON")  # what is forgotten is overwritten
        connection.execute("PRAGMA trusted_schema=OFF")
        if write:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=FULL")
            connection.execute("PRAGMA journal_size_limit=67108864")
        return connection


def connect_copy(path: Path, *, checksums: bool) -> apsw.Connection:
    """Open a new file that a database is to be copied into.

    Args:
        path: Where nothing lies yet.
        checksums: Whether the pages that come have some. Then a header that says so is written
            first: SQLite writes pages before it where there are more than it keeps in memory, and
            what comes before the header gets no checksum.
    """
    if not checksums:
        return apsw.Connection(str(path))
    connection = connect(path, write=True, create=True)
    connection.execute("PRAGMA journal_mode=DELETE")
    return connection


def has_checksums(path: Path) -> bool:
    """Whether a database says that its pages have checksums."""
    return _header(path)[20:21] == bytes([_CHECKSUM_BYTES])


def _header(path: Path) -> bytes:
    """The first 100 bytes, or fewer where there are fewer.

    Read through SQLite's own file layer: whoever opens and closes the file beside it takes this
    process's locks away, and with them the log from whoever writes.
    """
    file = apsw.VFSFile("", str(path), [apsw.SQLITE_OPEN_MAIN_DB | apsw.SQLITE_OPEN_READONLY, 0])
    try:
        return bytes(file.xRead(min(100, file.xFileSize()), 0))
    finally:
        file.xClose()


def _check_length(path: Path) -> None:
    """A file cut short is found before its pages are asked for."""
    header = _header(path)
    if len(header) < 100 or not header.startswith(b"SQLite format 3\x00"):
        raise MemoryDamaged(
            f"{path} is not a memory's database (its header is gone); "
            "run `robot-memory repair`, or restore a backup"
        )
    if header[20] not in (0, _CHECKSUM_BYTES):  # this byte alone says that pages are checked
        raise MemoryDamaged(
            f"{path} has a damaged header; run `robot-memory repair`, or restore a backup"
        )
    page = int.from_bytes(header[16:18], "big")
    page = 65_536 if page == 1 else page
    pages = int.from_bytes(header[28:32], "big")
    log = path.with_name(path.name + "-wal")
    logged = log.exists() and log.stat().st_size > 0
    if path.stat().st_size < page * pages and not logged:
        raise MemoryDamaged(
            f"{path} is {path.stat().st_size} bytes long, its header says {page * pages}: "
            "it was cut short; run `robot-memory repair`, or restore a backup"
        )


@contextmanager
def translated_errors(path: Path) -> Iterator[None]:
    """Turn what SQLite and the operating system say into this project's errors.

    Args:
        path: The database, named in the messages.
    """
    try:
        yield
    except (apsw.FullError, apsw.IOError) as error:
        if isinstance(error, apsw.IOError) and _is_damage(error):
            raise _damaged(path, error) from error
        raise StorageFull(
            f"the disk under {path.parent} refused a write ({error}); free space and try again: "
            "nothing that was acknowledged is lost"
        ) from error
    except (apsw.CorruptError, apsw.NotADBError, apsw.FormatError, apsw.SQLError) as error:
        raise _damaged(path, error) from error
    except (apsw.ReadOnlyError, apsw.PermissionsError, PermissionError) as error:
        raise MemoryReadOnly(f"{path.parent} cannot be written ({error})") from error
    except apsw.CantOpenError as error:
        raise MemoryUnavailable(f"{path} cannot be opened ({error})") from error
    except apsw.BusyError as error:
        raise MemoryUnavailable(f"{path} is busy for over {_BUSY_MS // 1000} s") from error
    except OSError as error:
        raise StorageFull(f"the file system under {path.parent} failed: {error}") from error


def _is_damage(error: apsw.IOError) -> bool:
    reading = (
        apsw.SQLITE_IOERR_DATA,
        apsw.SQLITE_IOERR_SHORT_READ,
        apsw.SQLITE_IOERR_READ,
        apsw.SQLITE_IOERR_CORRUPTFS,
    )
    return error.extendedresult in reading


def _damaged(path: Path, error: Exception) -> MemoryDamaged:
    return MemoryDamaged(
        f"{path} is damaged ({error}); run `robot-memory repair`, or restore a backup"
    )
