"""What was detected, without things, places or time: a table of labels, and flat recall."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from memory_core.episodic.recall import evidence_of
from memory_core.episodic.rows import Stored
from memory_core.language.lexicon import same_kind
from memory_core.memory import RobotMemory
from memory_core.planning.candidates import Candidate, Meant
from memory_core.planning.knowledge import TravelM
from memory_core.planning.outcomes import LookedFor
from memory_core.planning.regions import Region, supports
from memory_core.types import Answer, Evidence, Filters, Parts, Query
from memory_sim.agents.none import Nothing, bare
from memory_sim.agents.places import candidate

RECALLED = 20
CAMERA = Filters(sources=("camera",))


@dataclass(frozen=True, slots=True)
class Rows(Nothing):
    """Knows sightings alone; which of them speak for a name, the two below differ in.

    Attributes:
        memory: Whose observations they are in.
    """

    memory: RobotMemory

    def meant(
        self, phrase: str, *, now_ns: int, travel_m: TravelM, looked: Sequence[LookedFor] = ()
    ) -> Meant:
        """The rows of the kind, the best first."""
        thing = bare(phrase)
        return Meant(thing, _candidates(self.rows(thing), travel_m))

    def regions(
        self,
        thing: str,
        *,
        now_ns: int,
        travel_m: TravelM,
        within: str = "",
        looked: Sequence[LookedFor] = (),
        seen_until_ns: int = 0,
    ) -> tuple[Region, ...]:
        """The furniture named, where it was seen; else free places, the nearest first."""
        named = _surfaces(self.rows(within) if within else [], travel_m)
        return named or Nothing.regions(self, thing, now_ns=now_ns, travel_m=travel_m)

    def ask(self, question: str, *, now_ns: int) -> Answer:
        """Where the thing that is named was, by its best row, whatever is asked."""
        thing = _named(self.memory, question)
        return _answer(self.rows(thing) if thing else [])

    def rows(self, thing: str) -> list[Evidence]:
        """Sightings of a kind of thing, the best first."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class LastSeen(Rows):
    """A table: under each label the place where it was seen last; the newest row is the best."""

    _table: dict[str, Evidence] = field(default_factory=dict)
    _read: list[int] = field(default_factory=list)

    def rows(self, thing: str) -> list[Evidence]:
        """The rows of the table whose label fits, the newest first."""
        self._fill()
        rows = [item for label, item in self._table.items() if same_kind(thing, label)]
        return sorted(rows, key=lambda item: -item.observation.stamp_ns)

    def _fill(self) -> None:
        after = self._read[-1] if self._read else 0
        fresh = [number for number in self.memory.select(CAMERA).tolist() if number > after]
        for stored in self.memory.store.fetch(fresh):
            for item in _seen_in(stored):
                assert item.sighting is not None
                self._table[item.sighting.label] = item
        self._read[:] = fresh[-1:] or self._read


@dataclass(frozen=True, slots=True)
class Flat(Rows):
    """Observations by their own words and vectors alone; no things, no forest, no persistence."""

    def rows(self, thing: str) -> list[Evidence]:
        """The sightings of the kind in what is recalled, best first."""
        if not thing.strip():
            return []
        query = Query(text=thing, filters=CAMERA, k=RECALLED)
        found = self.memory.recall(query, mode="flat", explain=False)
        numbers = self.memory.store.rowids_of([item.observation.id for item in found.evidence])
        stored = {
            row.observation.id: row for row in self.memory.store.fetch(list(numbers.values()))
        }
        return [
            replace(seen, weight=item.weight)
            for item in found.evidence
            for seen in _seen_in(stored[item.observation.id])
            if seen.sighting is not None and same_kind(thing, seen.sighting.label)
        ]


def _named(memory: RobotMemory, question: str) -> str:
    """The longest label that a question names; "" where it names none that was seen."""
    asked = question.lower()
    return max((n for n in memory.store.names("label") if n in asked), key=len, default="")


def _seen_in(stored: Stored) -> list[Evidence]:
    """What an observation shows, each with its place in the map."""
    return [
        evidence_of(stored, Parts(), position=at, sighting=sighting)
        for sighting in stored.observation.sightings
        if (at := stored.sighting_position(sighting)) is not None
    ]


def _candidates(rows: list[Evidence], travel_m: TravelM) -> tuple[Candidate, ...]:
    """One candidate a row; earlier rows are believed more."""
    found = []
    for rank, item in enumerate(rows):
        assert item.sighting is not None and item.position is not None
        found.append(
            candidate(
                item.sighting.label, item.position, travel_m=travel_m, evidence=item,
                last_ns=item.observation.stamp_ns, size=item.sighting.size,
                meaning=0.9 * 0.5**rank,
            )
        )  # fmt: skip
    return tuple(found)


def _surfaces(rows: list[Evidence], travel_m: TravelM) -> tuple[Region, ...]:
    """Furniture that was seen, as regions."""
    found = []
    for item in rows:
        sighting, at = item.sighting, item.position
        if sighting is not None and at is not None and supports(sighting.label):
            size = sighting.size or (0.0, 0.0, 0.0)
            found.append(Region(sighting.label, "", at, size, False, 1 / len(rows), travel_m(at)))
    return tuple(found)


def _answer(rows: list[Evidence]) -> Answer:
    if not rows or rows[0].sighting is None or rows[0].position is None:
        return Answer("I have not seen that.", "where", abstained=True)
    x, y, z = rows[0].position
    label = rows[0].sighting.label
    return Answer(
        f"The {label} was at ({x:.1f}, {y:.1f}, {z:.1f}).", "where", position=(x, y, z),
        stamp_ns=rows[0].observation.stamp_ns, evidence=tuple(rows[:1]),
    )  # fmt: skip
