"""What old observations tell that no other does: the rest of them may go.

After a week it no longer matters from how many sides a thing was seen on a Tuesday. An old
observation is worth its room for what it alone shows: a thing during a stay in one place, in one
state, words, a path. Each of these stays told at least `WITNESSES` times; a sighting of which
nobody knows what it shows is told by nothing else.
"""

from __future__ import annotations

import json
import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence

import apsw

from memory_core.episodic.store import EpisodicStore
from memory_core.types import Entity

WITNESSES = 2
CELL_M = 1.0

Told = dict[int, set[Hashable]]


def superfluous(told: Mapping[int, Iterable[Hashable]], old: Iterable[int]) -> list[int]:
    """Observations that tell nothing that `WITNESSES` others do not tell as well.

    Args:
        told: What every observation tells, by its number.
        old: Numbers of those that may go; the first of them go first.
    """
    witnesses = Counter(thing for things in told.values() for thing in things)
    gone = []
    for row in old:
        things = told[row]
        if all(witnesses[thing] > WITNESSES for thing in things):
            witnesses.subtract(things)
            gone.append(row)
    return gone


def what_is_told(store: EpisodicStore, known: Mapping[int, Entity]) -> tuple[Told, dict[int, int]]:
    """What every stored observation tells, and its stamp, by its number.

    Pictures, body states and notes are each told once.

    Args:
        store: The memory's rows.
        known: Entities by the numbers that stand beside sightings.
    """
    starts = {entity.id: [stay.start_ns for stay in entity.history] for entity in known.values()}
    told: Told = {}
    stamps: dict[int, int] = {}
    with store.reading() as db:
        for row, stamp_ns, *rest in _observations(db):
            told[row], stamps[row] = _of_observation(row, *rest), stamp_ns
        seen = "SELECT observation, sequence, entity, state FROM sightings"
        for row, sequence, number, state in db.execute(seen):
            entity = known.get(number or 0)
            if row not in told:  # it came after the first query
                continue
            if entity is None:
                told[row].add((row, sequence))
                continue
            stay = bisect_right(starts[entity.id], stamps[row])
            told[row].add((entity.id, stay, _rounded(state)))
    return told, stamps


def _observations(db: apsw.Connection) -> apsw.Cursor:
    return db.execute(
        "SELECT o.rowid, o.stamp_ns, o.text, o.anchor, o.x, o.y, o.extra LIKE '%\"body\"%' OR "
        "n.name = 'note' OR k.bytes > 0 FROM observations o JOIN names n ON n.id = o.source "
        "LEFT JOIN keyframes k ON k.observation = o.rowid ORDER BY o.rowid"
    )


def _of_observation(
    row: int,
    text: str | None,
    anchor: int,
    x: float | None,
    y: float | None,
    alone: int | None,
) -> set[Hashable]:
    """What an observation tells apart from its sightings."""
    things: set[Hashable] = {(anchor, *_cell(x, y))}
    if text:
        things.add(text)
    if alone:
        things.add(row)
    return things


def _cell(x: float | None, y: float | None) -> tuple[int, ...]:
    return () if x is None or y is None else (math.floor(x / CELL_M), math.floor(y / CELL_M))


def _rounded(state: str | None) -> Hashable:
    """A measured state, coarse enough for noise not to make another."""
    if not state:
        return None
    return tuple(sorted((name, round(value, 1)) for name, value in json.loads(state).items()))


def oldest(stamps: Mapping[int, int], before_ns: int, *, kept: Iterable[int] = ()) -> Sequence[int]:
    """Numbers of observations made before a moment, oldest first, without some that stay."""
    stay = set(kept)
    return sorted(
        (row for row, stamp_ns in stamps.items() if stamp_ns < before_ns and row not in stay),
        key=lambda row: (stamps[row], row),
    )
