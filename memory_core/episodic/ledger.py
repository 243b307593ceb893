"""The account: what was removed and why, what was refused, what was read."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import apsw

from memory_core.episodic import rows
from memory_core.episodic.anchors import AnchorTables
from memory_core.identity import can_come_twice, digest_of
from memory_core.types import (
    Json,
    Refusal,
)

_IN = 500


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


class LedgerTables(AnchorTables):
    """Removals with their records, refusals by code, recordings, and learned artifacts."""

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

    def remove(
        self,
        rowids: Sequence[int],
        *,
        kind: str,
        reason: str,
        selection: Json,
        keyframes_only: bool = False,
        replaced_by: Json = None,
        keep_ids: bool = True,
    ) -> Removal:
        """Remove observations, or only their pictures, with a record, in one transaction.

        Args:
            rowids: What goes.
            kind: `forget` (a person), `retention`, `consolidation` or `damage`.
            reason: Why, in words.
            selection: How it was chosen, as JSON.
            keyframes_only: Keep the observations, drop their pictures.
            replaced_by: What stands for them now, as JSON.
            keep_ids: Keep each id with the record. Without, spans of numbers are kept, and
                8 bytes for each id that may be handed in again: what a robot has too much of is
                not worth 100 bytes each.

        Returns:
            The record.
        """
        wanted = sorted({int(rowid) for rowid in rowids})
        stamp_ns = time.time_ns()
        with self._transaction() as db:
            db.execute(
                "INSERT INTO removals (stamp_ns, kind, reason, selection, replaced_by, "
                "observations, keyframes, keyframe_bytes) VALUES (?,?,?,?,?,0,0,0)",
                (
                    stamp_ns, kind, reason, json.dumps(selection),
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
                self._account(db, removal, part, keep_ids=keep_ids)
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
        return Removal(
            removal, stamp_ns, kind, reason, json.loads(json.dumps(selection)), replaced_by,
            gone, frames, size,
        )  # fmt: skip

    @staticmethod
    def _account(db: apsw.Connection, removal: int, part: Sequence[int], *, keep_ids: bool) -> None:
        """Write down which observations go, before they do."""
        marks = ",".join("?" * len(part))
        source = f"FROM observations WHERE rowid IN ({marks})"
        if keep_ids:
            db.execute(f"INSERT INTO removed SELECT rowid, id, ? {source}", (removal, *part))
            return
        found = db.execute(f"SELECT rowid, id {source} ORDER BY rowid", part).fetchall()
        db.executemany(
            "INSERT INTO removed_spans VALUES (?,?,?)",
            ((first, last, removal) for first, last in _spans([row[0] for row in found])),
        )
        db.executemany(
            "INSERT OR IGNORE INTO removed_digests VALUES (?)",
            ((digest_of(row[1]),) for row in found if can_come_twice(row[1])),
        )
        db.execute("UPDATE counters SET value = value + ? WHERE name='condensed'", (len(found),))

    def removals(self) -> list[Removal]:
        """Every removal ever committed, oldest first."""
        query = (
            "SELECT id, stamp_ns, kind, reason, selection, replaced_by, observations, "
            "keyframes, keyframe_bytes FROM removals ORDER BY id"
        )
        with self.reading() as db:
            found = db.execute(query).fetchall()
        return [_removal(*row) for row in found]

    def removed_ids(self, removal: int) -> list[str]:
        """Ids of the observations a removal took; those lost to damage have none."""
        with self.reading() as db:
            return [
                row[0]
                for row in db.execute(
                    "SELECT id FROM removed WHERE removal=? AND id IS NOT NULL ORDER BY observation",
                    (removal,),
                )
            ]

    def adopt_removal(self, ids: Sequence[str], *, kind: str, reason: str, selection: Json) -> int:
        """Record ids as removed that another memory removed, so that they do not come back.

        Args:
            ids: Ids; those that are stored or removed here are passed over.
            kind: As in `remove`.
            reason: As in `remove`.
            selection: As in `remove`.

        Returns:
            How many were taken over. They count as acknowledged and as removed.
        """
        with self._transaction() as db:
            fresh = [
                item
                for item in dict.fromkeys(ids)
                if db.execute(
                    "SELECT 1 FROM observations WHERE id=? UNION SELECT 1 FROM removed WHERE id=?",
                    (item, item),
                ).get
                is None
            ]
            if not fresh:
                return 0
            last = db.execute("SELECT seq FROM sqlite_sequence WHERE name='observations'").get
            first = int(last or 0) + 1
            db.execute(
                "INSERT INTO removals (stamp_ns, kind, reason, selection, observations, "
                "keyframes, keyframe_bytes) VALUES (?,?,?,?,?,0,0)",
                (time.time_ns(), kind, reason, json.dumps(selection), len(fresh)),
            )
            removal = db.last_insert_rowid()
            db.executemany(
                "INSERT INTO removed VALUES (?,?,?)",
                ((first + place, item, removal) for place, item in enumerate(fresh)),
            )
            if last is None:
                db.execute("INSERT INTO sqlite_sequence VALUES ('observations', 0)")
            db.execute(
                "UPDATE sqlite_sequence SET seq=? WHERE name='observations'",
                (first + len(fresh) - 1,),
            )
            db.execute(
                "UPDATE counters SET value = value + ? WHERE name='acknowledged'", (len(fresh),)
            )
        return len(fresh)

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
            for first, end in db.execute(
                "SELECT first, last FROM removed_spans WHERE removal > ?", (removal,)
            ):
                gone.extend(range(first, end + 1))
        return int(last), gone

    def last_removal(self) -> int:
        """The number of the last removal; 0 where nothing was ever removed."""
        with self.reading() as db:
            return int(db.execute("SELECT coalesce(max(id),0) FROM removals").get)

    def oldest_keyframes(self, excess_bytes: int) -> list[int]:
        """The observations whose pictures, oldest first, free at least `excess_bytes`."""
        chosen, freed = [], 0
        with self.reading() as db:
            for rowid, size in db.execute(
                "SELECT k.observation, k.bytes FROM keyframes k JOIN observations o "
                "ON o.rowid = k.observation ORDER BY o.stamp_ns, o.rowid"
            ):
                if freed >= excess_bytes:
                    break
                chosen.append(int(rowid))
                freed += size
        return chosen

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
            row = db.execute("SELECT format, data FROM artifacts WHERE name=?", (name,)).fetchone()
        return None if row is None else (row[0], row[1])


def _spans(ascending: Sequence[int]) -> list[tuple[int, int]]:
    """Runs of consecutive numbers: (first, last)."""
    spans: list[tuple[int, int]] = []
    for number in ascending:
        if spans and number == spans[-1][1] + 1:
            spans[-1] = (spans[-1][0], number)
        else:
            spans.append((number, number))
    return spans


def _removal(
    number: int,
    stamp_ns: int,
    kind: str,
    reason: str,
    selection: str,
    replaced: str | None,
    *counts: int,
) -> Removal:
    by = None if replaced is None else json.loads(replaced)
    return Removal(number, stamp_ns, kind, reason, json.loads(selection), by, *counts)
