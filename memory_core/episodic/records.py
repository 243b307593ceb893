"""Records: what is made of observations and has to outlive them, as JSON by kind and number.

The store knows nothing of their meaning. They change in one transaction with the watermark up to
which observations were organised, so that what is loaded fits what is stored, whenever a process
ended.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import apsw
import numpy as np

from memory_core.episodic import rows
from memory_core.episodic.ledger import LedgerTables
from memory_core.types import FloatArray, Json

_IN = 500


@dataclass(frozen=True, slots=True)
class Record:
    """One record.

    Attributes:
        kind: Which family.
        number: Which of them.
        body: JSON.
        vector: Shape (d,), any length; kept as float32.
    """

    kind: str
    number: int
    body: Json
    vector: FloatArray | None = None


@dataclass(frozen=True, slots=True)
class RecordChanges:
    """What one round of organising changes.

    Attributes:
        put: Records made or changed.
        dropped: (kind, number) of records that are no more.
        shown: (observation, sequence, entity): which entity a sighting shows.
        renamed: Entities that turned out to be others: theirs are the sightings from now on.
        organised: The last observation that was taken; None leaves the watermark.
    """

    put: Sequence[Record] = ()
    dropped: Sequence[tuple[str, int]] = ()
    shown: Sequence[tuple[int, int, int]] = ()
    renamed: Mapping[int, int] = field(default_factory=dict)
    organised: int | None = None


@dataclass(frozen=True, slots=True)
class ShowingRow:
    """A stored sighting of an entity: both numbers, its label, and when it was made."""

    entity: int
    observation: int
    label: str
    stamp_ns: int


class RecordTables(LedgerTables):
    """Records, which entity a sighting shows, and how far organising came."""

    @contextmanager
    def together(self) -> Iterator[None]:
        """What is changed within the block is committed as one, or not at all."""
        with self._transaction():
            yield

    def change_records(self, changes: RecordChanges) -> None:
        """Commit one round in one transaction."""
        with self._transaction() as db:
            db.executemany(
                "INSERT OR REPLACE INTO records VALUES (?,?,?,?)",
                (
                    (item.kind, item.number, json.dumps(item.body, ensure_ascii=False),
                     None if item.vector is None else np.asarray(item.vector, np.float32).tobytes())
                    for item in changes.put
                ),
            )  # fmt: skip
            db.executemany("DELETE FROM records WHERE kind=? AND number=?", changes.dropped)
            db.executemany(
                "UPDATE sightings SET entity=? WHERE observation=? AND sequence=?",
                ((entity, row, sequence) for row, sequence, entity in changes.shown),
            )
            db.executemany(
                "UPDATE sightings SET entity=? WHERE entity=?",
                ((owner, number) for number, owner in changes.renamed.items() if owner != number),
            )
            if changes.organised is not None:
                _set(db, "organised", changes.organised)
            db.execute("UPDATE counters SET value = value + 1 WHERE name='structure'")

    def clear_records(self, *, kinds: Iterable[str]) -> None:
        """Drop every record of some kinds, and begin organising from the first observation."""
        with self._transaction() as db:
            db.executemany("DELETE FROM records WHERE kind=?", ((kind,) for kind in kinds))
            db.execute("UPDATE sightings SET entity=NULL WHERE entity IS NOT NULL")
            _set(db, "organised", 0)
            db.execute("UPDATE counters SET value = value + 1 WHERE name='structure'")

    def records(self, kind: str, numbers: Sequence[int] | None = None) -> list[Record]:
        """Records of a kind, by number.

        Args:
            kind: Which family.
            numbers: Which of them; None for all.
        """
        query, found = "SELECT number, body, vector FROM records WHERE kind=?", []
        with self.reading() as db:
            if numbers is None:
                found = db.execute(f"{query} ORDER BY number", (kind,)).fetchall()
            for part in rows.chunks(sorted({int(number) for number in numbers or ()}), _IN):
                wanted = f"{query} AND number IN ({','.join('?' * len(part))}) ORDER BY number"
                found += db.execute(wanted, (kind, *part)).fetchall()
        return [
            Record(
                kind, number, json.loads(body),
                None if blob is None else np.frombuffer(blob, np.float32),
            )
            for number, body, blob in found
        ]  # fmt: skip

    def showing(self, entities: Iterable[int]) -> list[ShowingRow]:
        """Stored sightings of some entities, by observation."""
        found: list[ShowingRow] = []
        with self.reading() as db:
            for part in rows.chunks(sorted({int(number) for number in entities}), _IN):
                marks = ",".join("?" * len(part))
                query = (
                    "SELECT s.entity, s.observation, n.name, o.stamp_ns FROM sightings s "
                    "JOIN names n ON n.id = s.label JOIN observations o ON o.rowid = s.observation "
                    f"WHERE s.entity IN ({marks})"
                )
                found += (ShowingRow(*row) for row in db.execute(query, part))
        return sorted(found, key=lambda row: (row.observation, row.entity))


def _set(db: apsw.Connection, name: str, value: int) -> None:
    db.execute("UPDATE counters SET value=? WHERE name=?", (value, name))
