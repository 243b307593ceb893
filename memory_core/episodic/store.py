"""The store: every observation, embedding and keyframe in one SQLite file, the only truth.

One `EpisodicStore` holds one connection, guarded by a lock. Writers commit whole batches; a
batch is acknowledged by the return of `write`, after the log was synced. Derived tables (words,
boxes) change in the same transaction as what they are derived from.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import apsw
import numpy as np

from memory_core.episodic import rows
from memory_core.episodic.database import checksummed, connect, translated_errors
from memory_core.episodic.migrations import check_supported, migrate, write_format_file
from memory_core.episodic.rows import Stored
from memory_core.errors import (
    DimensionMismatch,
    EncoderMismatch,
    MemoryClosed,
    MemoryDamaged,
    UnknownFrame,
)
from memory_core.types import (
    DEFAULT_MAP,
    ORIGIN,
    EmbeddingSpace,
    FloatArray,
    IntArray,
    Json,
    Observation,
    Pose,
    Refusal,
)

DATABASE = "memory.db"
WATERMARK = "watermark"
_IN = 500
_BACKUP_PAGES = 4_096
_COLUMNS = "rowid, stamp_ns, x, y, z, robot, session, source, anchor, localised"


@dataclass(frozen=True, slots=True)
class Written:
    """What one transaction added.

    Attributes:
        rowids: Numbers of the observations added, ascending.
        observations: The observations, in the same order.
        known: Ids that were there (or removed) before.
    """

    rowids: tuple[int, ...]
    observations: tuple[Observation, ...]
    known: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Removal:
    """A committed record of what went, and why."""

    id: int
    stamp_ns: int
    kind: str
    reason: str
    selection: Json
    replaced_by: Json
    observations: int
    keyframes: int
    keyframe_bytes: int


class EpisodicStore:
    """Rows on disk. Knows nothing of vectors' meaning, indexes in RAM, or questions."""

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
        self._names: dict[tuple[str, str], int] = {}
        self._spaces: dict[str, tuple[int, EmbeddingSpace]] = {}
        self._closed = False
        self._db = connect(self.path, write=write, create=write)
        try:
            with translated_errors(self.path):
                if write:
                    migrate(self._db)
                    write_format_file(folder, checksums=checksummed())
                else:
                    check_supported(self._db)
                self._check_watermark()
                if write:
                    self.ensure_anchor(DEFAULT_MAP, ORIGIN, Pose(), reason="the map's origin")
        except BaseException:
            self._db.close()
            raise

    # -- connection -------------------------------------------------------------------------

    @contextmanager
    def reading(self) -> Iterator[apsw.Connection]:
        """The connection, for as long as the block lasts, with errors translated."""
        with self._lock, translated_errors(self.path):
            if self._closed:
                raise MemoryClosed(f"the memory in {self.folder} was closed")
            yield self._db

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Everything read within the block is of one moment, whatever others commit."""
        with self.reading() as db:
            db.execute("BEGIN")
            try:
                yield
            finally:
                if db.in_transaction:
                    db.execute("COMMIT")

    @contextmanager
    def _transaction(self) -> Iterator[apsw.Connection]:
        with self.reading() as db:
            try:
                db.execute("BEGIN IMMEDIATE")
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
            self._note_watermark(noted)

    def close(self) -> None:
        """Close the connection; the log is folded into the database where it is small."""
        with self._lock:
            if not self._closed:
                self._closed = True
                self._db.close()

    def data_version(self) -> int:
        """A number that changes when another connection commits."""
        with self.reading() as db:
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
            return {
                name: number
                for name, number in db.execute(
                    "SELECT name, id FROM names WHERE kind=? ORDER BY id", (kind,)
                )
            }

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

    # -- anchors ----------------------------------------------------------------------------

    def ensure_anchor(self, map_id: str, anchor_id: str, pose: Pose, *, reason: str) -> None:
        """Make an anchor where there is none; one that is there stays as it is.

        Args:
            map_id: Its map; made, with an origin, where there is none.
            anchor_id: Its name.
            pose: Its pose in the map.
            reason: Why it is there.
        """
        if self.anchor_number(map_id, anchor_id) is not None:
            return
        with self._transaction() as db:
            db.execute("INSERT OR IGNORE INTO maps (name) VALUES (?)", (map_id,))
            number, epoch = db.execute(
                "SELECT id, epoch FROM maps WHERE name=?", (map_id,)
            ).fetchall()[0]
            wanted = [(ORIGIN, Pose(), "the map's origin"), (anchor_id, pose, reason)]
            for name, at, why in dict((entry[0], entry) for entry in reversed(wanted)).values():
                if self._anchor_row(db, map_id, name) is None:
                    db.execute("INSERT INTO anchors (map, name) VALUES (?,?)", (number, name))
                    _add_anchor_pose(db, db.last_insert_rowid(), epoch, at, why)

    @staticmethod
    def _anchor_row(db: apsw.Connection, map_id: str, anchor_id: str) -> int | None:
        found = db.execute(
            "SELECT a.id FROM anchors a JOIN maps m ON m.id=a.map WHERE m.name=? AND a.name=?",
            (map_id, anchor_id),
        ).get
        return None if found is None else int(found)

    def anchor_number(self, map_id: str, anchor_id: str) -> int | None:
        """The database's number of an anchor; None where there is none."""
        with self.reading() as db:
            return self._anchor_row(db, map_id, anchor_id)

    def anchor_poses(self) -> dict[int, tuple[str, str, Pose]]:
        """Current pose of every anchor: number → (map, anchor, pose in the map)."""
        query = (
            "SELECT a.id, m.name, a.name, p.x, p.y, p.z, p.qx, p.qy, p.qz, p.qw "
            "FROM anchors a JOIN maps m ON m.id=a.map JOIN anchor_poses p ON p.id = "
            "(SELECT max(id) FROM anchor_poses WHERE anchor=a.id)"
        )
        with self.reading() as db:
            return {row[0]: (row[1], row[2], Pose(*row[3:])) for row in db.execute(query)}

    def anchor_history(self, map_id: str, anchor_id: str) -> list[tuple[int, Pose, str]]:
        """Every pose an anchor ever had, oldest first: (epoch, pose, reason)."""
        number = self._known_anchor(map_id, anchor_id)
        with self.reading() as db:
            return [
                (row[0], Pose(*row[1:8]), row[8])
                for row in db.execute(
                    "SELECT epoch, x, y, z, qx, qy, qz, qw, reason FROM anchor_poses "
                    "WHERE anchor=? ORDER BY id",
                    (number,),
                )
            ]

    def _known_anchor(self, map_id: str, anchor_id: str) -> int:
        number = self.anchor_number(map_id, anchor_id)
        if number is None:
            raise UnknownFrame(
                f"anchor {anchor_id!r} of map {map_id!r} is unknown; add it first (add_anchor)"
            )
        return number

    def move_anchors(self, map_id: str, poses: Mapping[str, Pose], *, reason: str) -> int:
        """Give anchors new poses in their map, in one transaction, and raise its epoch.

        Everything they carry moves with them: map coordinates are derived from the anchor.

        Args:
            map_id: The map that was corrected.
            poses: New poses in the map, by anchor.
            reason: What corrected it (loop closure, new map → odom).

        Returns:
            The map's new epoch.

        Raises:
            UnknownFrame: One of the anchors is unknown; nothing moved.
        """
        numbers = {self._known_anchor(map_id, name): pose for name, pose in poses.items()}
        with self._transaction() as db:
            db.execute("UPDATE maps SET epoch = epoch + 1 WHERE name=?", (map_id,))
            epoch = int(db.execute("SELECT epoch FROM maps WHERE name=?", (map_id,)).get)
            for number, pose in numbers.items():
                _add_anchor_pose(db, number, epoch, pose, reason)
                carried = db.execute(
                    "SELECT rowid, x, y, z FROM observations WHERE anchor=? AND x IS NOT NULL",
                    (number,),
                ).fetchall()
                if not carried:
                    continue
                table = np.array(carried, dtype=np.float64)
                moved = pose.transform(table[:, 1:])
                db.executemany(
                    "UPDATE boxes SET min_x=?,max_x=?,min_y=?,max_y=?,min_z=?,max_z=? "
                    "WHERE observation=?",
                    (
                        (x, x, y, y, z, z, row[0])
                        for (x, y, z), row in zip(moved.tolist(), carried, strict=True)
                    ),
                )
        return epoch

    def epochs(self) -> dict[str, int]:
        """The epoch of every map."""
        with self.reading() as db:
            return {name: epoch for name, epoch in db.execute("SELECT name, epoch FROM maps")}

    def set_origin(self, map_id: str, origin: Json) -> None:
        """Keep where on Earth a map's origin lies (longitude, latitude in degrees)."""
        with self._transaction() as db:
            db.execute("INSERT OR IGNORE INTO maps (name) VALUES (?)", (map_id,))
            db.execute("UPDATE maps SET origin=? WHERE name=?", (json.dumps(origin), map_id))

    def origin(self, map_id: str) -> Json:
        """Where on Earth a map's origin lies; None where nobody said."""
        with self.reading() as db:
            text = db.execute("SELECT origin FROM maps WHERE name=?", (map_id,)).get
        return None if text is None else json.loads(text)

    # -- writing ----------------------------------------------------------------------------

    def write(self, observations: Sequence[Observation]) -> Written:
        """Store a batch in one synced transaction.

        Args:
            observations: Checked observations; ids already there are passed over.

        Returns:
            What was added. When this returns, it is on disk.

        Raises:
            UnknownFrame: An observation's anchor is unknown; nothing was stored.
            DimensionMismatch: A vector does not fit its space; nothing was stored.
            StorageFull: The disk refused; nothing was stored.
        """
        with self._transaction() as db:
            known = self._known_ids(db, [item.id for item in observations])
            fresh: dict[str, Observation] = {}
            for item in observations:
                if item.id not in known:
                    fresh.setdefault(item.id, item)
            if not fresh:
                return Written((), (), tuple(sorted(known)))
            last = db.execute("SELECT seq FROM sqlite_sequence WHERE name='observations'").get
            batch = list(fresh.values())
            rowids = range(int(last or 0) + 1, int(last or 0) + 1 + len(batch))
            self._insert(db, rowids, batch)
            db.execute(
                "UPDATE counters SET value = value + ? WHERE name='acknowledged'", (len(batch),)
            )
        return Written(tuple(rowids), tuple(batch), tuple(sorted(known)))

    def _known_ids(self, db: apsw.Connection, ids: Sequence[str]) -> set[str]:
        known: set[str] = set()
        for part in rows.chunks(ids, _IN):
            marks = ",".join("?" * len(part))
            for table in ("observations", "removed"):
                known.update(
                    row[0]
                    for row in db.execute(f"SELECT id FROM {table} WHERE id IN ({marks})", part)
                )
        return known

    def _insert(
        self, db: apsw.Connection, rowids: Iterable[int], batch: Sequence[Observation]
    ) -> None:
        anchors = self._anchors_of(db, batch)
        main, boxes, words, sightings, embeddings, keyframes = [], [], [], [], [], []
        keyframe_bytes = 0
        for rowid, item in zip(rowids, batch, strict=True):
            anchor, anchor_pose = anchors[item.map_id, item.anchor_id]
            pose = item.pose
            main.append(
                (
                    rowid, item.id, int(item.stamp_ns), self._name(db, "source", item.source),
                    self._name(db, "robot", item.robot), self._name(db, "session", item.session),
                    anchor, *(map(float, pose.position + pose.quaternion) if pose else (None,) * 7),
                    rows.pack_floats(item.covariance), int(item.localised), item.text,
                    float(item.confidence), rows.pack_extra(item.extra),
                )
            )  # fmt: skip
            if pose is not None:
                x, y, z = anchor_pose.apply(*pose.position)
                boxes.append((rowid, x, x, y, y, z, z))
            if body := rows.words_of(item):
                words.append((rowid, body))
            for sequence, sighting in enumerate(item.sightings):
                label = self._name(db, "label", sighting.label)
                sightings.append(rows.sighting_row(rowid, sequence, sighting, label))
            for name, vector in item.embeddings.items():
                space = self._space(db, name, int(np.asarray(vector).size))
                embeddings.append((space, rowid, rows.pack_vector(vector)))
            if item.keyframe is not None:
                frame = item.keyframe
                keyframes.append((rowid, frame.width, frame.height, len(frame.jpeg), frame.jpeg))
                keyframe_bytes += len(frame.jpeg)
        for table, entries, width in (
            ("observations", main, 19),
            ("boxes", boxes, 7),
            ("sightings", sightings, 14),
            ("embeddings", embeddings, 3),
            ("keyframes", keyframes, 5),
        ):
            if entries:
                db.executemany(f"INSERT INTO {table} VALUES ({','.join('?' * width)})", entries)
        if words:
            db.executemany("INSERT INTO words (rowid, body) VALUES (?,?)", words)
        if keyframe_bytes:
            db.execute(
                "UPDATE counters SET value = value + ? WHERE name='keyframe_bytes'",
                (keyframe_bytes,),
            )

    def _anchors_of(
        self, db: apsw.Connection, batch: Sequence[Observation]
    ) -> dict[tuple[str, str], tuple[int, Pose]]:
        found: dict[tuple[str, str], tuple[int, Pose]] = {}
        for key in {(item.map_id, item.anchor_id) for item in batch}:
            number = self._known_anchor(*key)
            row = db.execute(
                "SELECT x, y, z, qx, qy, qz, qw FROM anchor_poses WHERE anchor=? "
                "ORDER BY id DESC LIMIT 1",
                (number,),
            ).fetchone()
            found[key] = (number, Pose(*row))
        return found

    def count_refusals(self, refusals: Iterable[Refusal]) -> None:
        """Add refused inputs to the counts by code, which live as long as the memory."""
        now = time.time_ns()
        with self._transaction() as db:
            db.executemany(
                "INSERT INTO refusals VALUES (?,1,?,?) ON CONFLICT (code) DO UPDATE SET "
                "count = count + 1, last_stamp_ns = excluded.last_stamp_ns, "
                "last_message = excluded.last_message",
                ((item.code, now, item.message[:500]) for item in refusals),
            )

    def refusals(self) -> dict[str, tuple[int, str]]:
        """Refused inputs by code: how many, and the last message."""
        with self.reading() as db:
            return {
                code: (count, message)
                for code, count, message in db.execute(
                    "SELECT code, count, last_message FROM refusals ORDER BY code"
                )
            }

    def replace_embeddings(
        self, name: str, space: EmbeddingSpace, vectors: Iterable[tuple[int, FloatArray]]
    ) -> int:
        """Put another model's vectors in place of a space's, in one transaction.

        Args:
            name: The space.
            space: The new model.
            vectors: (rowid, unit vector) pairs.

        Returns:
            How many vectors the space holds now.
        """
        with self._transaction() as db:
            old = db.execute("SELECT id FROM spaces WHERE name=?", (name,)).get
            if old is not None:
                db.execute("DELETE FROM embeddings WHERE space=?", (old,))
                db.execute("DELETE FROM spaces WHERE id=?", (old,))
            self._spaces.clear()
            db.execute(
                "INSERT INTO spaces (name, model, revision, dimension) VALUES (?,?,?,?)",
                (name, space.model, space.revision, space.dimension),
            )
            number = db.last_insert_rowid()
            db.executemany(
                "INSERT INTO embeddings VALUES (?,?,?)",
                (
                    (number, rowid, rows.pack_vector(vector, space.dimension))
                    for rowid, vector in vectors
                ),
            )
            query = "SELECT count(*) FROM embeddings WHERE space=?"
            return int(db.execute(query, (number,)).get)

    # -- removal ----------------------------------------------------------------------------

    def remove(
        self,
        rowids: Sequence[int],
        *,
        kind: str,
        reason: str,
        selection: Json,
        keyframes_only: bool = False,
        replaced_by: Json = None,
    ) -> Removal:
        """Remove observations, or only their pictures, with a record, in one transaction.

        Args:
            rowids: What goes.
            kind: `forget` (a person), `retention`, `consolidation` or `damage`.
            reason: Why, in words.
            selection: How it was chosen, as JSON.
            keyframes_only: Keep the observations, drop their pictures.
            replaced_by: What stands for them now, as JSON.

        Returns:
            The record.
        """
        wanted = sorted({int(rowid) for rowid in rowids})
        with self._transaction() as db:
            db.execute(
                "INSERT INTO removals (stamp_ns, kind, reason, selection, replaced_by, "
                "observations, keyframes, keyframe_bytes) VALUES (?,?,?,?,?,0,0,0)",
                (
                    time.time_ns(), kind, reason, json.dumps(selection),
                    None if replaced_by is None else json.dumps(replaced_by),
                ),
            )  # fmt: skip
            removal = db.last_insert_rowid()
            gone = frames = size = 0
            for part in rows.chunks(wanted, _IN):
                marks = ",".join("?" * len(part))
                count, total = db.execute(
                    f"SELECT count(*), coalesce(sum(bytes),0) FROM keyframes "
                    f"WHERE observation IN ({marks})",
                    part,
                ).fetchall()[0]
                frames += count
                size += total
                if keyframes_only:
                    db.execute(f"DELETE FROM keyframes WHERE observation IN ({marks})", part)
                    continue
                db.execute(
                    f"INSERT INTO removed SELECT rowid, id, ? FROM observations "
                    f"WHERE rowid IN ({marks})",
                    (removal, *part),
                )
                for table, key in (
                    ("boxes", "observation"), ("words", "rowid"), ("sightings", "observation"),
                    ("embeddings", "observation"), ("keyframes", "observation"),
                    ("observations", "rowid"),
                ):  # fmt: skip
                    db.execute(f"DELETE FROM {table} WHERE {key} IN ({marks})", part)
                gone += db.changes()
            db.execute("UPDATE counters SET value = value - ? WHERE name='keyframe_bytes'", (size,))
            db.execute(
                "UPDATE removals SET observations=?, keyframes=?, keyframe_bytes=? WHERE id=?",
                (gone, frames, size, removal),
            )
        return next(item for item in self.removals() if item.id == removal)

    def removals(self) -> list[Removal]:
        """Every removal ever committed, oldest first."""
        query = (
            "SELECT id, stamp_ns, kind, reason, selection, replaced_by, observations, "
            "keyframes, keyframe_bytes FROM removals ORDER BY id"
        )
        with self.reading() as db:
            return [
                Removal(*row[:4], json.loads(row[4]), row[5] and json.loads(row[5]), *row[6:])
                for row in db.execute(query)
            ]

    def removed_since(self, removal: int) -> tuple[int, list[int]]:
        """What later removals took: (number of the last removal, rowids)."""
        with self.reading() as db:
            last = db.execute("SELECT coalesce(max(id),0) FROM removals").get
            gone = [
                row[0]
                for row in db.execute(
                    "SELECT observation FROM removed WHERE removal > ?", (removal,)
                )
            ]
        return int(last), gone

    def oldest_keyframes(self, excess_bytes: int) -> list[int]:
        """The observations whose pictures, oldest first, free at least `excess_bytes`."""
        chosen, freed = [], 0
        with self.reading() as db:
            for rowid, size in db.execute(
                "SELECT k.observation, k.bytes FROM keyframes k ORDER BY k.observation"
            ):
                if freed >= excess_bytes:
                    break
                chosen.append(int(rowid))
                freed += size
        return chosen

    # -- reading ----------------------------------------------------------------------------

    def last_rowid(self) -> int:
        """The highest number ever given to an observation."""
        with self.reading() as db:
            query = "SELECT seq FROM sqlite_sequence WHERE name='observations'"
            return int(db.execute(query).get or 0)

    def count(self) -> int:
        """How many observations are stored."""
        with self.reading() as db:
            acknowledged = self.counter("acknowledged")
            return acknowledged - int(db.execute("SELECT count(*) FROM removed").get)

    def column_rows(self, after: int, limit: int) -> list[tuple[Any, ...]]:
        """Up to `limit` rows past `after`: rowid, stamp, x, y, z, robot, … , localised."""
        query = f"SELECT {_COLUMNS} FROM observations WHERE rowid > ? ORDER BY rowid LIMIT ?"
        with self.reading() as db:
            return db.execute(query, (after, limit)).fetchall()

    def moved_since(self, pose_id: int) -> tuple[int, IntArray, FloatArray]:
        """Map coordinates of everything carried by anchors that got a pose after `pose_id`.

        Returns:
            Number of the last anchor pose, rowids, shape (n,), ascending, and positions in the
            map, shape (n, 3), metres.
        """
        with self.reading() as db:
            last = int(db.execute("SELECT coalesce(max(id),0) FROM anchor_poses").get)
            moved = [
                row[0]
                for row in db.execute(
                    "SELECT DISTINCT anchor FROM anchor_poses WHERE id > ?", (pose_id,)
                )
            ]
            anchors = self.anchor_poses() if moved else {}
            rowids, positions = [], []
            for number in moved:
                carried = db.execute(
                    "SELECT rowid, x, y, z FROM observations WHERE anchor=? AND x IS NOT NULL",
                    (number,),
                ).fetchall()
                if carried:
                    table = np.array(carried, np.float64)
                    rowids.append(table[:, 0].astype(np.int64))
                    positions.append(anchors[number][2].transform(table[:, 1:]))
        if not rowids:
            return last, np.empty(0, np.int64), np.empty((0, 3))
        joined = np.concatenate(rowids)
        order = np.argsort(joined)
        return last, joined[order], np.concatenate(positions)[order]

    def embedding_rows(self, space: str, after: int, limit: int) -> tuple[IntArray, FloatArray]:
        """Up to `limit` vectors of a space past rowid `after`.

        Returns:
            rowids, shape (n,), int64, and vectors, shape (n, d), float16.
        """
        query = (
            "SELECT observation, vector FROM embeddings WHERE observation > ? AND "
            "space = (SELECT id FROM spaces WHERE name=?) ORDER BY observation LIMIT ?"
        )
        with self.reading() as db:
            found = db.execute(query, (after, space, limit)).fetchall()
        return _vectors(found)

    def vectors_of(self, space: str, rowids: Sequence[int]) -> tuple[IntArray, FloatArray]:
        """The vectors of a space that given observations have; those without are left out."""
        found: list[tuple[int, bytes]] = []
        with self.reading() as db:
            for part in rows.chunks([int(rowid) for rowid in rowids], _IN):
                marks = ",".join("?" * len(part))
                found += db.execute(
                    f"SELECT observation, vector FROM embeddings WHERE observation IN ({marks}) "
                    "AND space = (SELECT id FROM spaces WHERE name=?)",
                    (*part, space),
                ).fetchall()
        return _vectors(found)

    def rowids_of(self, ids: Sequence[str]) -> dict[str, int]:
        """Numbers of observations by id; ids that are not stored are left out."""
        found: dict[str, int] = {}
        with self.reading() as db:
            for part in rows.chunks(list(ids), _IN):
                marks = ",".join("?" * len(part))
                found.update(
                    db.execute(f"SELECT id, rowid FROM observations WHERE id IN ({marks})", part)
                )
        return found

    def fetch(
        self, rowids: Sequence[int], *, keyframes: bool = False, embeddings: bool = False
    ) -> list[Stored]:
        """Whole observations by number, in the order asked for; missing ones are left out.

        Args:
            rowids: Numbers.
            keyframes: Bring the pictures along.
            embeddings: Bring the vectors along.
        """
        with self.reading() as db:
            anchors = self.anchor_poses()
            epochs = self.epochs()
            names = (
                {number: name for number, name in db.execute("SELECT id, name FROM names")}
                if len(rowids) > _IN
                else None
            )
            found: dict[int, Stored] = {}
            for part in rows.chunks([int(rowid) for rowid in rowids], _IN):
                for stored in self._fetch_part(db, part, anchors, epochs, names):
                    found[stored.rowid] = stored
                if keyframes:
                    self._attach_keyframes(db, part, found)
                if embeddings:
                    self._attach_embeddings(db, part, found)
        return [found[rowid] for rowid in map(int, rowids) if rowid in found]

    def _fetch_part(
        self,
        db: apsw.Connection,
        part: Sequence[int],
        anchors: Mapping[int, tuple[str, str, Pose]],
        epochs: Mapping[str, int],
        names: Mapping[int, str] | None,
    ) -> list[Stored]:
        marks = ",".join("?" * len(part))
        sightings: dict[int, list[tuple[Any, ...]]] = {}
        for row in db.execute(
            f"SELECT observation, label, x, y, z, covariance, azimuth, elevation, size_x, size_y, "
            f"size_z, confidence, embedding FROM sightings WHERE observation IN ({marks}) "
            "ORDER BY observation, sequence",
            part,
        ):
            sightings.setdefault(row[0], []).append(row)
        main = db.execute(
            f"SELECT o.rowid, o.id, stamp_ns, source, robot, session, anchor, x, y, z, qx, qy, "
            f"qz, qw, covariance, localised, text, confidence, extra, coalesce(k.bytes, 0) "
            f"FROM observations o LEFT JOIN keyframes k ON k.observation = o.rowid "
            f"WHERE o.rowid IN ({marks})",
            part,
        ).fetchall()
        if names is None:
            needed = {number for row in main for number in row[3:6]}
            needed |= {row[1] for seen in sightings.values() for row in seen}
            names = self._names_of(db, sorted(needed))
        result = []
        for row in main:
            map_id, anchor_id, anchor_pose = anchors[row[6]]
            pose = None if row[7] is None else Pose(*row[7:14])
            seen = sightings.get(row[0], ())
            observation = Observation(
                id=row[1], stamp_ns=row[2], source=names[row[3]], robot=names[row[4]],
                session=names[row[5]], map_id=map_id, anchor_id=anchor_id, pose=pose,
                covariance=rows.unpack_floats(row[14]), localised=bool(row[15]), text=row[16],
                sightings=tuple(rows.sighting_of(s[2:], names[s[1]]) for s in seen),
                confidence=row[17], extra=json.loads(row[18]) if row[18] else {},
            )  # fmt: skip
            map_pose = None if pose is None else anchor_pose.compose(pose)
            result.append(Stored(row[0], observation, map_pose, epochs[map_id], row[19]))
        return result

    @staticmethod
    def _names_of(db: apsw.Connection, numbers: Sequence[int]) -> dict[int, str]:
        found: dict[int, str] = {}
        for part in rows.chunks(numbers, _IN):
            marks = ",".join("?" * len(part))
            found.update(db.execute(f"SELECT id, name FROM names WHERE id IN ({marks})", part))
        return found

    @staticmethod
    def _attach_keyframes(
        db: apsw.Connection, part: Sequence[int], found: dict[int, Stored]
    ) -> None:
        marks = ",".join("?" * len(part))
        for rowid, *frame in db.execute(
            f"SELECT observation, width, height, jpeg FROM keyframes "
            f"WHERE observation IN ({marks})",
            part,
        ):
            stored = found[rowid]
            keyframe = rows.keyframe_of(tuple(frame))
            found[rowid] = replace(
                stored, observation=replace(stored.observation, keyframe=keyframe)
            )

    @staticmethod
    def _attach_embeddings(
        db: apsw.Connection, part: Sequence[int], found: dict[int, Stored]
    ) -> None:
        marks = ",".join("?" * len(part))
        vectors: dict[int, dict[str, FloatArray]] = {}
        for rowid, name, blob in db.execute(
            f"SELECT e.observation, s.name, e.vector FROM embeddings e JOIN spaces s "
            f"ON s.id = e.space WHERE e.observation IN ({marks})",
            part,
        ):
            vectors.setdefault(rowid, {})[name] = rows.unpack_vector(blob)
        for rowid, by_space in vectors.items():
            stored = found[rowid]
            found[rowid] = replace(
                stored, observation=replace(stored.observation, embeddings=by_space)
            )

    def keyframe(self, observation_id: str) -> rows.Keyframe | None:
        """The picture of an observation; None where it has none."""
        with self.reading() as db:
            row = db.execute(
                "SELECT width, height, jpeg FROM keyframes WHERE observation = "
                "(SELECT rowid FROM observations WHERE id=?)",
                (observation_id,),
            ).fetchone()
        return None if row is None else rows.keyframe_of(row)

    def rowids(self, *, after: int = 0) -> Iterator[int]:
        """Numbers of all observations, ascending, read in slices so that others can write."""
        while True:
            with self.reading() as db:
                part = db.execute(
                    "SELECT rowid FROM observations WHERE rowid > ? ORDER BY rowid LIMIT 10000",
                    (after,),
                ).fetchall()
            if not part:
                return
            yield from (row[0] for row in part)
            after = part[-1][0]

    def match_words(
        self, expression: str, *, low: int, high: int, limit: int
    ) -> list[tuple[int, float]]:
        """Observations whose words match an FTS5 expression, best first (BM25).

        Args:
            expression: In FTS5's query language.
            low: Smallest rowid considered.
            high: Largest rowid considered.
            limit: At most this many.

        Returns:
            (rowid, score) pairs; a higher score is better.
        """
        with self.reading() as db:
            return [
                (row[0], -row[1])
                for row in db.execute(
                    "SELECT rowid, rank FROM words WHERE words MATCH ? AND rowid BETWEEN ? AND ? "
                    "ORDER BY rank LIMIT ?",
                    (expression, low, high, limit),
                )
            ]

    def word_frequencies(self, words: Iterable[str]) -> dict[str, int]:
        """In how many observations each (stemmed) word occurs."""
        with self.reading() as db:
            return {
                word: int(
                    db.execute("SELECT doc FROM words_vocabulary WHERE term=?", (word,)).get or 0
                )
                for word in set(words)
            }

    # -- recordings, artifacts --------------------------------------------------------------

    def recording(self, identity: str) -> tuple[bool, Json] | None:
        """What is known of a recording: (complete, report); None where it never came."""
        with self.reading() as db:
            row = db.execute(
                "SELECT complete, report FROM recordings WHERE identity=?", (identity,)
            ).fetchone()
        return None if row is None else (bool(row[0]), json.loads(row[1]))

    def note_recording(
        self, identity: str, *, name: str, reader: str, complete: bool, report: Json
    ) -> None:
        """Keep how far the reading of a recording came, and what was found in it."""
        with self._transaction() as db:
            db.execute(
                "INSERT OR REPLACE INTO recordings VALUES (?,?,?,?,?,?)",
                (identity, name, reader, int(complete), json.dumps(report), time.time_ns()),
            )

    def recordings(self) -> list[Json]:
        """Every recording that was read, with its report."""
        query = "SELECT identity, name, reader, complete, report FROM recordings ORDER BY stamp_ns"
        with self.reading() as db:
            return [
                {
                    "identity": row[0],
                    "name": row[1],
                    "reader": row[2],
                    "complete": bool(row[3]),
                    "report": json.loads(row[4]),
                }
                for row in db.execute(query)
            ]

    def put_artifact(self, name: str, format_name: str, data: bytes) -> None:
        """Keep something learned from the memory itself (a visual vocabulary)."""
        with self._transaction() as db:
            db.execute(
                "INSERT OR REPLACE INTO artifacts VALUES (?,?,?,?)",
                (name, format_name, data, time.time_ns()),
            )

    def artifact(self, name: str) -> tuple[str, bytes] | None:
        """What was kept under a name: (format, data)."""
        with self.reading() as db:
            return db.execute("SELECT format, data FROM artifacts WHERE name=?", (name,)).fetchone()

    def backup(self, target: Path, *, progress: Callable[[int, int], None] | None = None) -> None:
        """Copy the database while it is in use (SQLite's online backup).

        Args:
            target: File to write; must not exist.
            progress: Called with (pages done, pages in all).
        """
        with translated_errors(target):
            destination = apsw.Connection(str(target), vfs="cksmvfs" if checksummed() else None)
            try:
                with destination.backup("main", self._db, "main") as copy:
                    while not copy.done:
                        with self.reading():  # between steps others write, and are copied too
                            copy.step(_BACKUP_PAGES)
                        if progress:
                            progress(copy.page_count - copy.remaining, copy.page_count)
            finally:
                destination.close()


def _vectors(found: Sequence[tuple[int, bytes]]) -> tuple[IntArray, FloatArray]:
    if not found:
        return np.empty(0, np.int64), np.empty((0, 0), np.float16)
    rowids = np.fromiter((row[0] for row in found), np.int64, len(found))
    joined = b"".join(row[1] for row in found)
    return rowids, np.frombuffer(joined, np.float16).reshape(len(found), -1)


def _add_anchor_pose(db: apsw.Connection, anchor: int, epoch: int, pose: Pose, reason: str) -> None:
    db.execute(
        "INSERT INTO anchor_poses (anchor, epoch, stamp_ns, x, y, z, qx, qy, qz, qw, reason) "
        "VALUES (?,?,?,?,?,?,?,?,?,?,?)",
        (anchor, epoch, time.time_ns(), *pose.position, *pose.quaternion, reason),
    )
