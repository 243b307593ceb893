"""The store: every observation, embedding and keyframe in one SQLite file, the only truth.

One `EpisodicStore` holds one connection, guarded by a lock. Writers commit whole batches; a
batch is acknowledged by the return of `write`, after the log was synced. Derived tables (words,
boxes) change in the same transaction as what they are derived from.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import apsw
import numpy as np

from memory_core.episodic import rows
from memory_core.episodic.database import (
    connect,
    connect_copy,
    has_checksums,
    translated_errors,
)
from memory_core.episodic.records import RecordTables
from memory_core.episodic.rows import Stored
from memory_core.identity import digest_of
from memory_core.types import (
    EmbeddingSpace,
    FloatArray,
    IntArray,
    Keyframe,
    Observation,
    Pose,
)

_IN = 500
_BACKUP_PAGES = 4_096
Bounds = tuple[tuple[float, ...], tuple[float, ...]]
_WRITTEN_LAST = 256
"""Rows that are looked at for what a robot observed last."""
_COLUMNS = "rowid, stamp_ns, x, y, z, robot, session, source, anchor, localised"
_SIGHTING_COLUMNS = (
    "(observation, sequence, label, x, y, z, covariance, azimuth, elevation, size_x, size_y, "
    "size_z, confidence, embedding, state)"
)


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


class EpisodicStore(RecordTables):
    """Rows on disk. Knows nothing of vectors' meaning, indexes in RAM, or questions."""

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
        condensed = db.execute("SELECT 1 FROM removed_digests LIMIT 1").get is not None
        for part in rows.chunks(ids, _IN):
            marks = ",".join("?" * len(part))
            for table in ("observations", "removed"):
                known.update(
                    row[0]
                    for row in db.execute(f"SELECT id FROM {table} WHERE id IN ({marks})", part)
                )
            digests = {digest_of(item): item for item in part} if condensed else {}
            digest_marks = ",".join("?" * len(digests))
            known.update(
                digests[row[0]]
                for row in db.execute(
                    f"SELECT digest FROM removed_digests WHERE digest IN ({digest_marks})",
                    tuple(digests),
                )
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
            ("sightings", sightings, 15),
            ("embeddings", embeddings, 3),
            ("keyframes", keyframes, 5),
        ):
            if entries:
                marks = ",".join("?" * width)
                columns = _SIGHTING_COLUMNS if table == "sightings" else ""
                db.executemany(f"INSERT INTO {table} {columns} VALUES ({marks})", entries)
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

    # -- reading ----------------------------------------------------------------------------

    def last_rowid(self) -> int:
        """The highest number ever given to an observation."""
        with self.reading() as db:
            query = "SELECT seq FROM sqlite_sequence WHERE name='observations'"
            return int(db.execute(query).get or 0)

    def newest_ns(self) -> int:
        """Stamp of the newest observation; 0 where there is none."""
        with self.reading() as db:
            return int(db.execute("SELECT max(stamp_ns) FROM observations").get or 0)

    def lost_ns(self, robot: str) -> int | None:
        """When a robot observed last, if it did not know its place then; None where it did.

        Only what was written last is looked at, by its stamps.
        """
        query = (
            "SELECT stamp_ns, localised FROM observations "
            f"WHERE rowid > (SELECT max(rowid) FROM observations) - {_WRITTEN_LAST} "
            "AND robot = (SELECT id FROM names WHERE kind = 'robot' AND name = ?) "
            "AND (x IS NOT NULL OR NOT localised) ORDER BY stamp_ns DESC, rowid DESC LIMIT 1"
        )
        with self.reading() as db:
            row = next(iter(db.execute(query, (robot,))), None)
        return None if row is None or row[1] else int(row[0])

    def count(self) -> int:
        """How many observations are stored."""
        with self.reading() as db:
            named = int(db.execute("SELECT count(*) FROM removed").get)
            return self.counter("acknowledged") - self.counter("condensed") - named

    def column_rows(
        self, after: int, limit: int, *, bounds: Bounds | None = None
    ) -> list[tuple[Any, ...]]:
        """Up to `limit` rows past `after`: rowid, stamp, x, y, z, robot, … , localised.

        Args:
            after: The rowid before the first.
            limit: At most this many.
            bounds: Low and high corner in the map, metres: only rows the R*Tree cannot rule out
                (it holds float32, so its answer is a superset of what is inside).
        """
        query = f"SELECT {_COLUMNS} FROM observations WHERE rowid > ?"
        values: list[Any] = [after]
        if bounds is not None:
            query += (
                " AND rowid IN (SELECT observation FROM boxes WHERE max_x >= ? AND min_x <= ? "
                "AND max_y >= ? AND min_y <= ? AND max_z >= ? AND min_z <= ?)"
            )
            values += [v for low, high in zip(*bounds, strict=True) for v in (low, high)]
        with self.reading() as db:
            found: list[tuple[Any, ...]] = db.execute(
                f"{query} ORDER BY rowid LIMIT ?", (*values, limit)
            ).fetchall()
        return found

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
            names = dict(db.execute("SELECT id, name FROM names")) if len(rowids) > _IN else None
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
            f"size_z, confidence, embedding, state, entity FROM sightings "
            f"WHERE observation IN ({marks}) "
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
                sightings=tuple(rows.sighting_of(s[2:-1], names[s[1]]) for s in seen),
                confidence=row[17], extra=json.loads(row[18]) if row[18] else {},
            )  # fmt: skip
            map_pose = None if pose is None else anchor_pose.compose(pose)
            entities = tuple(s[-1] for s in seen)
            result.append(Stored(row[0], observation, map_pose, epochs[map_id], row[19], entities))
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

    def keyframe(self, observation_id: str) -> Keyframe | None:
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

    def body_states(self, start_ns: int | None, end_ns: int | None) -> list[int]:
        """Observations of the robot's own body within a span, newest first."""
        with self.reading() as db:
            return [
                int(row[0])
                for row in db.execute(
                    "SELECT rowid FROM observations WHERE extra LIKE '%\"body\"%' AND "
                    "stamp_ns BETWEEN ? AND ? ORDER BY stamp_ns DESC LIMIT 5000",
                    (start_ns or 0, 2**63 - 1 if end_ns is None else end_ns),
                )
            ]

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

    def count_matches(self, expression: str, *, most: int) -> int:
        """How many observations' words match an FTS5 expression, counted up to `most`."""
        query = "SELECT count(*) FROM (SELECT 1 FROM words WHERE words MATCH ? LIMIT ?)"
        with self.reading() as db:
            return int(db.execute(query, (expression, most)).get)

    def backup(self, target: Path, *, progress: Callable[[int, int], None] | None = None) -> None:
        """Copy the database while it is in use (SQLite's online backup).

        Args:
            target: File to write; must not exist.
            progress: Called with (pages done, pages in all).
        """
        with translated_errors(target):
            source = connect(self.path, write=False)
            destination = connect_copy(target, checksums=has_checksums(self.path))
            try:
                source.execute("BEGIN")  # one moment, whatever others commit meanwhile
                source.execute("SELECT value FROM counters").fetchall()
                with destination.backup("main", source, "main") as copy:
                    while not copy.done:
                        copy.step(_BACKUP_PAGES)
                        if progress:
                            progress(copy.page_count - copy.remaining, copy.page_count)
            finally:
                destination.close()
                source.close()


def _vectors(found: Sequence[tuple[int, bytes]]) -> tuple[IntArray, FloatArray]:
    if not found:
        return np.empty(0, np.int64), np.empty((0, 0), np.float16)
    rowids = np.fromiter((row[0] for row in found), np.int64, len(found))
    joined = b"".join(row[1] for row in found)
    return rowids, np.frombuffer(joined, np.float16).reshape(len(found), -1)
