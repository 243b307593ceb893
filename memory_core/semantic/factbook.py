"""Facts kept true: those that no longer hold are ended, new ones begin.

When a thing changes, only the facts within two hops of where it was and is are worked out again
(the K-hop update of RoboMemory 2025), so that a step costs what its surroundings hold.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from memory_core.semantic.facts import CLOSES, OPENS, facts_between
from memory_core.semantic.neighbours import REACH_M, Thing, within
from memory_core.types import Fact

WORTH_WRITING = 0.05
"""A fact is written again when its confidence has moved this far, not with every view."""


@dataclass(frozen=True, slots=True)
class FactRow:
    """A fact as it is stored: a number that is never used again, and the fact."""

    number: int
    fact: Fact


class FactBook:
    """Facts that hold, kept true as things move, appear and go."""

    def __init__(self) -> None:
        """No thing is known."""
        self._things: dict[str, Thing] = {}
        self._open: dict[str, dict[tuple[str, str], FactRow]] = {}
        self._changed: dict[int, FactRow] = {}
        self._next = 0

    def __len__(self) -> int:
        return sum(len(held) for held in self._open.values())

    def facts(self) -> list[Fact]:
        """All facts that hold now, sorted by subject, relation, object."""
        held = [row.fact for facts in self._open.values() for row in facts.values()]
        return sorted(held, key=lambda fact: (fact.subject, fact.relation, fact.object))

    def update(
        self, touched: Iterable[Thing], *, now_ns: int, gone: Iterable[str] = ()
    ) -> list[Fact]:
        """Take up things that are new or changed, and forget some; end and begin facts.

        Args:
            touched: Their present state.
            now_ns: When this became known.
            gone: Ids of things that are not where they were, nor known anywhere else.

        Returns:
            Facts that began, changed or ended.
        """
        left = [self._things.pop(name) for name in gone if name in self._things]
        for thing in touched:
            old = self._things.get(thing.id)
            left += [] if old is None or old == thing else [old]
            self._things[thing.id] = thing
            left.append(thing)
        if not left:
            return []
        things = list(self._things.values())
        things = [things[index] for index in within(things, left, 4 * REACH_M)]
        affected = within(things, left, 2 * REACH_M)
        told: dict[str, list[Fact]] = {things[index].id: [] for index in affected}
        told.update({thing.id: [] for thing in left})
        for fact in facts_between(things, affected, least=CLOSES):
            told[fact.subject].append(fact)
        return [fact for name in sorted(told) for fact in self._reconcile(name, told[name], now_ns)]

    def changed(self) -> list[FactRow]:
        """Rows that began, changed or ended since this was last asked, by number."""
        rows = [self._changed[number] for number in sorted(self._changed)]
        self._changed.clear()
        return rows

    def load(self, rows: Iterable[FactRow], things: Iterable[Thing]) -> None:
        """Continue from what was stored.

        Args:
            rows: All rows ever returned by `changed`, the newest of each number.
            things: The present state of all things.
        """
        self._things = {thing.id: thing for thing in things}
        self._open, self._changed, self._next = {}, {}, 0
        for row in rows:
            self._next = max(self._next, row.number + 1)
            if row.fact.end_ns is None:
                held = self._open.setdefault(row.fact.subject, {})
                held[row.fact.relation, row.fact.object] = row

    def _reconcile(self, subject: str, told: list[Fact], now_ns: int) -> list[Fact]:
        """Bring the open facts of one subject in line with what is told now."""
        held = self._open.setdefault(subject, {})
        present = {(fact.relation, fact.object): fact for fact in told}
        news: list[Fact] = []
        for key in [key for key in held if key not in present]:
            row = held.pop(key)
            news.append(self._write(row.number, replace(row.fact, end_ns=now_ns)).fact)
        for key, fact in present.items():
            if key in held:
                row = held[key]
                if abs(fact.confidence - row.fact.confidence) < WORTH_WRITING:
                    continue
                held[key] = self._write(row.number, replace(fact, start_ns=row.fact.start_ns))
            elif fact.confidence >= OPENS:
                held[key] = self._write(self._next, replace(fact, start_ns=now_ns))
                self._next += 1
            else:
                continue
            news.append(held[key].fact)
        if not held:
            del self._open[subject]
        return news

    def _write(self, number: int, fact: Fact) -> FactRow:
        row = self._changed[number] = FactRow(number, fact)
        return row
