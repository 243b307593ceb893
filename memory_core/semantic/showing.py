"""Which observations show a thing: a bounded choice for every entity."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from memory_core.episodic.records import Record
from memory_core.episodic.rows import Stored
from memory_core.episodic.store import EpisodicStore
from memory_core.types import Vector3

NEWEST = 12
LAST = 2
HELD = 10_000


@dataclass(frozen=True, slots=True)
class Showing:
    """One observation that shows a thing: its number and id, when, and from where (metres)."""

    rowid: int
    observation: str
    stamp_ns: int
    standpoint: Vector3


class Showings:
    """For every number beside sightings the first observation and the newest that show it."""

    def __init__(self) -> None:
        """Nothing was seen."""
        self._rows: dict[int, list[int]] = {}
        self._known: dict[int, Showing] = {}
        self._touched: set[int] = set()

    @classmethod
    def load(cls, records: Iterable[Record]) -> Showings:
        """As they were stored."""
        showings = cls()
        for record in records:
            showings._rows[record.number] = list(record.body)
        return showings

    def add(self, batch: Sequence[Stored], shown: Iterable[tuple[int, int, int]]) -> None:
        """Take in which sightings of a batch show what: (observation, sequence, number)."""
        for stored in batch:
            if stored.map_pose is not None and stored.observation.sightings:
                self._known[stored.rowid] = _showing(stored)
        for rowid, _, number in shown:
            rows = self._rows.setdefault(number, [])
            if rowid not in rows:
                rows.append(rowid)
                rows.sort()
                del rows[1:-NEWEST]
                self._touched.add(number)
        if len(self._known) > HELD + 2 * NEWEST * len(self._rows):
            kept = {row for rows in self._rows.values() for row in rows}
            self._known = {row: showing for row, showing in self._known.items() if row in kept}

    def rename(self, renamed: Mapping[int, int]) -> list[tuple[str, int]]:
        """Numbers that stand for others from now on; (kind, number) of records to drop."""
        dropped = []
        for number, owner in renamed.items():
            if number == owner or number not in self._rows:
                continue
            merged = sorted({*self._rows.pop(number), *self._rows.get(owner, ())})
            self._rows[owner] = merged[:1] + merged[1:][-NEWEST:]
            self._touched.discard(number)
            self._touched.add(owner)
            dropped.append(("showing", number))
        return dropped

    def newest(self) -> set[int]:
        """Numbers of the observations that showed each thing last."""
        return {row for rows in self._rows.values() for row in rows[-LAST:]}

    def replace(self, gone: Mapping[int, int]) -> None:
        """Observations went: for each, another that shows the same stands in its place."""
        for number, rows in self._rows.items():
            if any(row in gone for row in rows):
                self._rows[number] = sorted({gone.get(row, row) for row in rows})
                self._touched.add(number)

    def of(self, number: int, store: EpisodicStore) -> list[Showing]:
        """What shows a thing, oldest first; what was removed since is left out."""
        rows = self._rows.get(number, [])
        missing = [row for row in rows if row not in self._known]
        for stored in store.fetch(missing) if missing else ():
            if stored.map_pose is not None:
                self._known[stored.rowid] = _showing(stored)
        return [self._known[row] for row in rows if row in self._known]

    def rows(self) -> list[int]:
        """Numbers of all observations chosen, ascending."""
        return sorted({row for rows in self._rows.values() for row in rows})

    def changed(self) -> list[Record]:
        """Records of what changed since the last call."""
        records = [
            Record("showing", number, self._rows[number])
            for number in sorted(self._touched)
            if number in self._rows
        ]
        self._touched = set()
        return records


def _showing(stored: Stored) -> Showing:
    assert stored.map_pose is not None
    observation = stored.observation
    return Showing(stored.rowid, observation.id, observation.stamp_ns, stored.map_pose.position)
