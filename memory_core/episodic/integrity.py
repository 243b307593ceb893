"""Proof that nothing is missing, and the way back when something is.

`verify` reads every page (checksums) and counts: stored + removed = acknowledged, number by
number. `repair` keeps the damaged file, reads from it what can be read, and records what could
not as a removal of kind `damage`, so that the account balances again and the loss is on record.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import apsw

from memory_core.episodic import rows
from memory_core.episodic.database import checksummed, connect, translated_errors
from memory_core.episodic.migrations import read_as_current
from memory_core.episodic.session import DATABASE, WATERMARK
from memory_core.episodic.store import EpisodicStore
from memory_core.errors import MemoryDamaged, MemoryMissing, RobotMemoryError
from memory_core.types import Json

T = TypeVar("T")
Progress = Callable[[int, int], None]
_COPIED = ("names", "maps", "anchors", "anchor_poses", "spaces", "removals", "removed",
           "refusals", "recordings", "artifacts", "records", "removed_spans",
           "removed_digests")  # fmt: skip
_UNFIT = (apsw.ConstraintError, RobotMemoryError, ValueError, OverflowError)
"""What storing something raises that was read wrong, such as an id for the second time."""
_SLICE = 500  # `fetch` then asks for names one slice at a time


@dataclass(slots=True)
class Verification:
    """What `verify` found.

    Attributes:
        acknowledged: Observations ever acknowledged.
        stored: Observations that are there.
        removed: Observations that were removed, each with its record.
        problems: What is wrong, in words; empty where all is well.
    """

    acknowledged: int = 0
    stored: int = 0
    removed: int = 0
    problems: list[str] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems

    def to_json(self) -> Json:
        """For `--json`."""
        return {
            "clean": self.clean,
            "acknowledged": self.acknowledged,
            "stored": self.stored,
            "removed": self.removed,
            "page_checksums": checksummed(),
            "problems": self.problems,
        }


def verify(store: EpisodicStore) -> Verification:
    """Check pages, indexes, and that stored + removed = acknowledged.

    Args:
        store: The store, open for reading or writing.
    """
    result = Verification()
    try:
        with store.reading_afresh() as db:
            _check_pages(db, result)
            _check_account(db, result)
            _check_derived(db, result)
    except MemoryDamaged as error:
        result.problems.append(str(error))
    return result


def _check_pages(db: apsw.Connection, result: Verification) -> None:
    for row in db.execute("PRAGMA integrity_check(20)"):
        if row[0] != "ok":
            result.problems.append(f"database: {row[0]}")
    for row in db.execute("PRAGMA foreign_key_check"):
        result.problems.append(f"a row of {row[0]} refers to a missing row of {row[2]}")
        break


def _check_account(db: apsw.Connection, result: Verification) -> None:
    def number(query: str) -> int:
        return int(db.execute(query).get or 0)

    result.acknowledged = number("SELECT value FROM counters WHERE name='acknowledged'")
    result.stored = number("SELECT count(*) FROM observations")
    spans = number("SELECT coalesce(sum(last - first + 1), 0) FROM removed_spans")
    result.removed = number("SELECT count(*) FROM removed") + spans
    condensed = number("SELECT value FROM counters WHERE name='condensed'")
    if spans != condensed:
        result.problems.append(f"spans hold {spans} removals, the counter says {condensed}")
    if result.stored + result.removed != result.acknowledged:
        result.problems.append(
            f"{result.stored} stored + {result.removed} removed is not "
            f"{result.acknowledged} acknowledged"
        )
    both = number("SELECT count(*) FROM removed JOIN observations ON rowid = observation") + number(
        "SELECT count(*) FROM removed_spans JOIN observations ON rowid BETWEEN first AND last"
    )
    if both:
        result.problems.append(f"{both} observations are both stored and removed")
    last = number("SELECT seq FROM sqlite_sequence WHERE name='observations'")
    if last != result.acknowledged:
        result.problems.append(f"numbers run to {last}, {result.acknowledged} were given")
    counted = number("SELECT coalesce(sum(observations),0) FROM removals")
    if counted != result.removed:
        result.problems.append(f"the records speak of {counted} removals, not {result.removed}")


def _check_derived(db: apsw.Connection, result: Verification) -> None:
    def number(query: str) -> int:
        return int(db.execute(query).get or 0)

    placed = number("SELECT count(*) FROM observations WHERE x IS NOT NULL")
    boxes = number("SELECT count(*) FROM boxes")
    if placed != boxes:
        result.problems.append(f"{placed} observations have a place, {boxes} have a box")
    worded = number(
        "SELECT count(*) FROM observations o WHERE text IS NOT NULL OR EXISTS "
        "(SELECT 1 FROM sightings WHERE observation = o.rowid)"
    )
    indexed = number("SELECT count(*) FROM words")
    if worded != indexed:
        result.problems.append(f"{worded} observations have words, {indexed} are in the word index")
    counted = number("SELECT value FROM counters WHERE name='keyframe_bytes'")
    actual = number("SELECT coalesce(sum(length(jpeg)),0) FROM keyframes")
    if counted != actual:
        result.problems.append(f"keyframes have {actual} bytes, the counter says {counted}")
    for table, key in (("embeddings", "observation"), ("sightings", "observation")):
        orphans = number(
            f"SELECT count(*) FROM {table} WHERE {key} NOT IN (SELECT rowid FROM observations)"
        )
        if orphans:
            result.problems.append(f"{orphans} rows of {table} belong to no observation")


@dataclass(frozen=True, slots=True)
class Repair:
    """What `repair` did.

    Attributes:
        recovered: Observations read from the damaged file.
        lost: Observations that could not be read; recorded as removed by damage.
        kept: Where the damaged file lies now; None where the file was sound.
    """

    recovered: int
    lost: int
    kept: Path | None

    def to_json(self) -> Json:
        """For `--json`."""
        return {
            "recovered": self.recovered,
            "lost": self.lost,
            "damaged_file": str(self.kept) if self.kept else None,
        }


def repair(folder: Path, *, unchecked: bool = False, progress: Progress | None = None) -> Repair:
    """Make a damaged memory usable again; the caller holds the writer's lock.

    Args:
        folder: The memory's folder.
        unchecked: Also read pages whose checksums do not fit: what is on them may have changed.
        progress: Called with (observations tried, observations ever acknowledged).

    Returns:
        What was recovered and what was lost.

    Raises:
        MemoryMissing: There is no database.
        MemoryDamaged: Not even its schema can be read; only a backup helps.
    """
    path = folder / DATABASE
    if not path.exists():
        raise MemoryMissing(f"there is no memory in {folder}")
    if _is_sound(folder):
        return Repair(recovered=0, lost=0, kept=None)
    workshop = folder / "repair"
    shutil.rmtree(workshop, ignore_errors=True)
    workshop.mkdir()
    source = _open_damaged(path, checked=not unchecked)
    try:
        with translated_errors(path):
            read_as_current(source)
        target = EpisodicStore(workshop, write=True)
        try:
            recovered, lost = _Salvage(source, target, path, unchecked=unchecked).run(progress)
        finally:
            target.close()
    finally:
        source.close()
    kept = folder / f"damaged-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}"
    kept.mkdir()
    for name in (DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm", WATERMARK):
        if (folder / name).exists():
            (folder / name).replace(kept / name)
    for name in (DATABASE, WATERMARK):
        if (workshop / name).exists():
            (workshop / name).replace(folder / name)
    shutil.rmtree(workshop)
    shutil.rmtree(folder / "index", ignore_errors=True)
    return Repair(recovered, lost, kept)


def _is_sound(folder: Path) -> bool:
    try:
        store = EpisodicStore(folder, write=True)
    except RobotMemoryError:
        return False
    try:
        return verify(store).clean
    finally:
        store.close()


def _open_damaged(path: Path, *, checked: bool) -> apsw.Connection:
    try:
        return connect(path, write=True, checked=checked)
    except MemoryDamaged:
        # cut short: lengthen a copy with zeros, so that the pages that are there can be read
        with path.open("rb") as file:
            header = file.read(100)
        if not header.startswith(b"SQLite format 3\x00"):
            raise
        page = int.from_bytes(header[16:18], "big")
        page = 65_536 if page == 1 else page
        copy = path.parent / "repair" / "lengthened.db"
        shutil.copyfile(path, copy)
        with copy.open("r+b") as file:
            file.truncate(page * int.from_bytes(header[28:32], "big"))
        try:
            return connect(copy, write=True, checked=checked)
        except MemoryDamaged as error:
            raise _beyond_repair(path, error, checked=checked) from error


def _beyond_repair(path: Path, error: Exception, *, checked: bool) -> MemoryDamaged:
    more = (
        ", or read what is on pages whose checksums do not fit with `robot-memory repair --unchecked`"
        if checked
        else ""
    )
    return MemoryDamaged(
        f"not even the schema of {path} can be read ({error}); restore a backup{more}"
    )


class _Salvage:
    """Moves everything readable from a damaged database into a new one."""

    def __init__(
        self, source: apsw.Connection, target: EpisodicStore, path: Path, *, unchecked: bool
    ) -> None:
        self._unchecked = unchecked
        self._source = source
        self._target = target
        self._path = path
        self._organised = 0

    def run(self, progress: Progress | None) -> tuple[int, int]:
        """Move what can be read; returns how many observations were, and how many were not."""
        with self._target.changing() as db:
            db.execute("PRAGMA foreign_keys=OFF")  # what refers to lost rows is settled below
            with db:
                for table in _COPIED:
                    self._copy(db, table)
                self._settle_references(db)
                self._settle_records(db)
        total = self._total()
        recovered: set[int] = set()
        with self._target.changing() as db:
            removed = {row[0] for row in db.execute("SELECT observation FROM removed")}
            for first, last in db.execute("SELECT first, last FROM removed_spans"):
                removed.update(range(first, last + 1))
        for start in range(1, total + 1, _SLICE):
            wanted = [r for r in range(start, min(start + _SLICE, total + 1)) if r not in removed]
            found = _by_halves(wanted, self._read, unless=(RobotMemoryError, KeyError, ValueError))
            with self._target.changing() as db, db:
                found = _by_halves(found, partial(self._insert, db), unless=_UNFIT)
                if self._organised:
                    db.executemany(
                        "UPDATE sightings SET entity=? WHERE observation=? AND sequence=?",
                        ((entity, stored.rowid, sequence) for stored in found
                         for sequence, entity in enumerate(stored.entities)),
                    )  # fmt: skip
            recovered.update(stored.rowid for stored in found)
            if progress:
                progress(min(start + _SLICE, total), total)
        lost = [r for r in range(1, total + 1) if r not in recovered and r not in removed]
        self._note_lost_poses()
        self._settle(total, lost)
        if self._unchecked:
            with self._target.changing() as db, db:
                _note_damage(db, "what is stored was read without regard to checksums")
        return len(recovered), len(lost)

    def _insert(self, db: apsw.Connection, found: list[rows.Stored]) -> list[rows.Stored]:
        with db:
            self._target._insert(
                db, [stored.rowid for stored in found], [stored.observation for stored in found]
            )
        return found

    def _copy(self, db: apsw.Connection, table: str) -> None:
        """From both ends up to what is damaged, then from whatever index holds all columns."""
        db.execute(f"DELETE FROM {table}")
        for rest in ("NOT INDEXED ORDER BY 1", "NOT INDEXED ORDER BY 1 DESC", ""):
            for row in self._tolerant(f"SELECT * FROM {table} {rest}"):
                marks = ",".join("?" * len(row))
                db.execute(f"INSERT OR IGNORE INTO {table} VALUES ({marks})", row)

    def _settle_records(self, db: apsw.Connection) -> None:
        """Structure goes on where all of it can be read; else it is made anew of what is left."""
        count = "SELECT count(*), coalesce(sum(length(body)), 0) FROM records"
        found = [row[0] for row in self._tolerant(
            "SELECT value FROM counters WHERE name='organised'")]  # fmt: skip
        if found and list(self._tolerant(count)) == [db.execute(count).fetchone()]:
            self._organised = found[0]
            db.execute("UPDATE counters SET value=? WHERE name='organised'", found)
            return
        held = db.execute("SELECT 1 FROM records LIMIT 1").get is not None
        if held or any(found):
            db.execute("DELETE FROM records")
            _note_damage(db, "the structure was damaged; it is made anew from what is stored")

    @staticmethod
    def _settle_references(db: apsw.Connection) -> None:
        """Removals whose record is lost get one; anchors without a map or pose go."""
        db.execute(
            "INSERT INTO removals SELECT DISTINCT removal, ?, 'damage', "
            "'the record of this removal was lost', 'null', NULL, 0, 0, 0 FROM removed "
            "WHERE removal NOT IN (SELECT id FROM removals) UNION SELECT DISTINCT removal, ?, "
            "'damage', 'the record of this removal was lost', 'null', NULL, 0, 0, 0 FROM "
            "removed_spans WHERE removal NOT IN (SELECT id FROM removals)",
            (time.time_ns(),) * 2,
        )
        db.execute("DELETE FROM anchors WHERE map NOT IN (SELECT id FROM maps)")
        db.execute("DELETE FROM anchors WHERE id NOT IN (SELECT anchor FROM anchor_poses)")
        db.execute("DELETE FROM anchor_poses WHERE anchor NOT IN (SELECT id FROM anchors)")

    def _tolerant(self, query: str) -> Iterator[tuple[Any, ...]]:
        try:
            yield from self._source.execute(query)
        except apsw.SchemaChangeError:
            raise
        except apsw.SQLError as error:
            raise _beyond_repair(self._path, error, checked=not self._unchecked) from error
        except (apsw.Error, UnicodeDecodeError):
            return

    def _total(self) -> int:
        found = [row[0] for row in self._tolerant(
            "SELECT seq FROM sqlite_sequence WHERE name='observations'")]  # fmt: skip
        found += [row[0] for row in self._tolerant(
            "SELECT value FROM counters WHERE name='acknowledged'")]  # fmt: skip
        try:
            noted = (self._path.parent / WATERMARK).read_text(encoding="ascii").split()[0]
            found.append(int(noted))
        except (OSError, ValueError, IndexError):
            pass
        counts = [value for value in found if isinstance(value, int)]
        if not self._unchecked:
            return max(counts, default=0)
        # any of them may be wrong: no more than what is there asks for
        query = "SELECT coalesce(max(rowid), 0) FROM observations"
        last = next((int(row[0]) for row in self._tolerant(query)), 0)
        return min((value for value in counts if value >= last), default=last)

    def _read(self, wanted: list[int]) -> list[rows.Stored]:
        """What can be read of some observations; a name or anchor may be lost."""
        with translated_errors(self._path):
            return self._reader().fetch(wanted, keyframes=True, embeddings=True)

    def _reader(self) -> EpisodicStore:
        """A store over the damaged connection, without the checks that opening makes."""
        import threading

        reader = EpisodicStore.__new__(EpisodicStore)
        reader.folder, reader.path, reader.writable = self._path.parent, self._path, False
        reader._lock, reader._closed, reader._db = threading.RLock(), False, self._source
        reader._changing = threading.get_ident()  # this thread reads through that connection
        reader._names, reader._spaces = {}, {}
        # names and anchors come from the sound copy: their pages may be the damaged ones
        reader.anchor_poses = self._target.anchor_poses  # type: ignore[method-assign]
        reader.epochs = self._target.epochs  # type: ignore[method-assign]
        reader._names_of = self._names_of  # type: ignore[method-assign, assignment]
        return reader

    def _names_of(self, _: apsw.Connection, numbers: Sequence[int]) -> dict[int, str]:
        with self._target.changing() as db:
            return EpisodicStore._names_of(db, numbers)

    def _note_lost_poses(self) -> None:
        """Anchors fall back to an older pose where a newer one is lost: that goes on record."""
        given = max(
            (row[0] for row in self._tolerant(
                "SELECT seq FROM sqlite_sequence WHERE name='anchor_poses'")), default=0,
        )  # fmt: skip
        with self._target.changing() as db, db:
            lost = given - int(db.execute("SELECT count(*) FROM anchor_poses").get)
            if lost > 0:
                _note_damage(
                    db, f"{lost} poses of anchors were lost; what the anchors carry may lie where "
                    "it lay before a correction",
                )  # fmt: skip

    def _settle(self, total: int, lost: list[int]) -> None:
        with self._target.changing() as db, db:
            db.execute("DELETE FROM sqlite_sequence WHERE name='observations'")
            db.execute("INSERT INTO sqlite_sequence VALUES ('observations', ?)", (total,))
            db.execute("UPDATE counters SET value=? WHERE name='acknowledged'", (total,))
            if lost:
                reason = f"{DATABASE} was damaged; these could not be read"
                removal = _note_damage(db, reason, observations=len(lost))
                db.executemany(
                    "INSERT INTO removed VALUES (?,NULL,?)", ((rowid, removal) for rowid in lost)
                )
            spans = "SELECT coalesce(sum(last - first + 1), 0) FROM removed_spans"
            condensed = db.execute(spans).get
            db.execute("UPDATE counters SET value=? WHERE name='condensed'", (condensed,))
            counted = db.execute("SELECT count(*) FROM removed").get + condensed
            stated = db.execute("SELECT coalesce(sum(observations),0) FROM removals").get
            if counted != stated:  # records on damaged pages: say so rather than fail forever
                reason = "records of earlier removals were lost"
                _note_damage(db, reason, observations=counted - stated)
        self._target._note_watermark([total, self._target.counter("commits")])


def _by_halves(
    items: list[T],
    take: Callable[[list[T]], list[rows.Stored]],
    *,
    unless: tuple[type[Exception], ...],
) -> list[rows.Stored]:
    """All that can be had of some items, halving them around those that cannot."""
    if not items:
        return []
    try:
        return take(items)
    except unless:
        if len(items) == 1:
            return []
        middle = len(items) // 2
        return [
            stored
            for half in (items[:middle], items[middle:])
            for stored in _by_halves(half, take, unless=unless)
        ]


def _note_damage(db: apsw.Connection, reason: str, *, observations: int = 0) -> int:
    """Put what damage took on record; returns the number of the record."""
    db.execute(
        "INSERT INTO removals (stamp_ns, kind, reason, selection, observations, keyframes, "
        "keyframe_bytes) VALUES (?,'damage',?,'null',?,0,0)",
        (time.time_ns(), reason, observations),
    )
    return int(db.last_insert_rowid())
