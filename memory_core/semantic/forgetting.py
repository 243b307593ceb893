"""What a person wants forgotten leaves the structure too, and nothing else does.

Entities, places and events outlive observations that were let go of as repetitions or for want
of room; so they cannot be made anew from what is stored. What forgotten observations added is
taken out again instead: counts and means are undone, words and labels that only they held go, and
what rests on nothing else is dropped. Where it is unknown who else said a word, it goes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from memory_core.episodic.codec import pack, unpack
from memory_core.episodic.records import Record, RecordChanges, ShowingRow
from memory_core.episodic.rows import Stored
from memory_core.episodic.store import EpisodicStore
from memory_core.semantic.contents import MAX_TEXTS, Content, nearness
from memory_core.semantic.episodes import Episodes, Said, Stream, quoted
from memory_core.semantic.factbook import FactRow
from memory_core.semantic.places import RADIUS_M, PlaceMap, PlaceRow
from memory_core.semantic.showing import NEWEST
from memory_core.semantic.things import (
    Things,
    distances,
    entity_id,
    frame_of,
    seen_in_map,
    under,
)
from memory_core.semantic.tracks import Thing, Track
from memory_core.semantic.unlearning import Item, Left, Lost, without
from memory_core.types import TEXT_SPACE, Box, FloatArray, Vector3

_TALLEST_M = 5.0
_READ = 2_000
_NOTHING = 1e-3

Dropped = tuple[str, int]


@dataclass(slots=True)
class _Taken:
    """What lost observations had added to a place: visits, and words with the sum of vectors."""

    visits: int = 0
    points: FloatArray = field(default_factory=lambda: np.zeros(3))
    worded: int = 0
    texts: set[str] = field(default_factory=set)
    labels: set[str] = field(default_factory=set)
    total: FloatArray | None = None


class Forgetting:
    """Notes what observations had taught before they go, and works out what remains."""

    def __init__(
        self, store: EpisodicStore, *, things: Things, places: PlaceMap, episodes: Episodes
    ) -> None:
        """Nothing is noted.

        Args:
            store: The memory's rows.
            things: As organised.
            places: As organised.
            episodes: As organised; it is changed.
        """
        self._store = store
        self._lines = things
        self._map = places
        self._episodes = episodes
        self._rows: set[int] = set()
        self._ids: set[str] = set()
        self._entities: set[int] = set()
        self._sightings: dict[int, list[Lost]] = {}
        self._said: dict[Stream, dict[int, Said]] = {}
        self._taken: dict[int, _Taken] = {}
        self._looks: set[tuple[int, Vector3]] = set()
        self.places: set[int] = set()
        self.dropped_places: set[int] = set()
        self._shown: list[tuple[int, int, int]] = []
        self.gone: set[str] = set()
        self.touched: set[str] = set()

    # -- before they go ----------------------------------------------------------------------

    def note(self, batch: Iterable[Stored]) -> None:
        """Note what some observations had taught, ascending; with their text vectors."""
        for stored in batch:
            observation = stored.observation
            self._rows.add(stored.rowid)
            self._ids.add(observation.id)
            labels = frozenset(sighting.label for sighting in observation.sightings)
            stream = self._said.setdefault((observation.robot, observation.session), {})
            stream[stored.rowid] = Said(quoted(observation), labels)
            if stored.map_pose is not None:
                self._looks.add((observation.stamp_ns, stored.map_pose.position))
                self._note_sightings(stored)
                self._note_place(stored)

    def _note_sightings(self, stored: Stored) -> None:
        pose, observation = stored.map_pose, stored.observation
        assert pose is not None
        rotation = pose.matrix()[:3, :3]
        pairs = zip(observation.sightings, stored.entities, strict=True)
        for sequence, (sighting, entity) in enumerate(pairs):
            if entity is None:
                continue
            self._entities.add(entity)
            at = stored.sighting_position(sighting)
            if at is not None:
                seen = seen_in_map(sequence, sighting, np.array(at), rotation)
                lost = Lost(seen, observation.stamp_ns, pose.position)
                self._sightings.setdefault(entity, []).append(lost)

    def _note_place(self, stored: Stored) -> None:
        """It stood in the nearest place there was; any that it may have been in forgets words."""
        pose, observation = stored.map_pose, stored.observation
        assert pose is not None
        point = under(pose.position, observation)
        around = self._map.around(point, map_id=frame_of(observation))
        labels = {sighting.label for sighting in observation.sightings}
        own = next(
            (n for n in around if self._map.places[n].first_ns <= observation.stamp_ns), None
        )
        for number in around:
            taken = self._taken.setdefault(number, _Taken())
            taken.labels |= labels
            taken.texts |= {observation.text} if observation.text else set()
            if number != own:
                continue
            taken.visits += 1
            taken.points = taken.points + point
            if "body" not in observation.extra:
                taken.worded += 1
                vector = observation.embeddings.get(TEXT_SPACE)
                if vector is not None:
                    given = np.asarray(vector, np.float64)
                    taken.total = given if taken.total is None else taken.total + given

    # -- after they went ---------------------------------------------------------------------

    def changes(self) -> RecordChanges:
        """What changes in things, places, events and facts; the forest and new facts follow."""
        put: list[Record] = []
        dropped: list[Dropped] = []
        showing = self._store.showing(self._entities)
        self._forget_things(showing, put, dropped)
        self._forget_showings(showing, put, dropped)
        self._forget_places(put, dropped)
        dropped += [("event", n) for n in self._episodes.forget(self._said, self._store)]
        put += self._episodes.changed()
        numbers = {"place": self._map.next_number, "event": self._episodes.next_number}
        put.append(Record("numbers", 0, numbers))
        self._forget_facts(put, dropped)
        for record in self._store.records("working"):  # what repeats them alone is to stay
            held = [pair for pair in record.body["held"] if not self._rows.intersection(pair)]
            put.append(Record("working", record.number, {**record.body, "held": held}))
        dropped += [("use", rowid) for rowid in self._rows]
        return RecordChanges(put, dropped, self._shown)

    def _forget_things(
        self, showing: Sequence[ShowingRow], put: list[Record], dropped: list[Dropped]
    ) -> None:
        left: dict[int, list[Left]] = {}
        for row in showing:
            left.setdefault(row.entity, []).append(Left(row.label, row.stamp_ns))
        self._unlearn("thing", Thing, left, put, dropped)
        self._unlearn("track", Track, left, put, dropped)
        lines = self._lines.forget_lines(self._rows)
        put += lines.put
        dropped += lines.dropped
        self._shown += lines.shown
        self.gone |= lines.gone
        self.touched |= {entity_id(number) for number in self._entities} - self.gone
        for record in self._store.records("vantage"):
            x, y, z = record.body["position"]
            if (record.body["first_ns"], (x, y, z)) in self._looks:
                dropped.append(("vantage", record.number))

    def _unlearn(
        self,
        kind: str,
        family: type[Item],
        left: Mapping[int, Sequence[Left]],
        put: list[Record],
        dropped: list[Dropped],
    ) -> None:
        for record in self._store.records(kind, list(self._sightings)):
            item = unpack(family, record.body)
            after = without(item, self._sightings[record.number], left.get(record.number, ()))
            if after is None:
                dropped += [(kind, record.number), ("showing", record.number)]
                self.gone.add(entity_id(record.number))
            else:
                put.append(Record(kind, record.number, pack(after)))

    def _forget_showings(
        self, showing: Sequence[ShowingRow], put: list[Record], dropped: list[Dropped]
    ) -> None:
        others: dict[int, set[int]] = {}
        for row in showing:
            others.setdefault(row.entity, set()).add(row.observation)
        for record in self._store.records("showing"):
            if not self._rows.intersection(record.body):
                continue
            kept = {*record.body, *others.get(record.number, ())} - self._rows
            rows = sorted(kept)
            if rows:
                put.append(Record("showing", record.number, rows[:1] + rows[1:][-NEWEST:]))
            else:
                dropped.append(("showing", record.number))

    def _forget_places(self, put: list[Record], dropped: list[Dropped]) -> None:
        contents = {
            r.number: Content.of(r) for r in self._store.records("content", list(self._taken))
        }
        for number, taken in self._taken.items():
            row, content = self._map.places[number], contents.get(number, Content())
            rest = self._standing(row)
            visits = max(row.visits - taken.visits, len(rest))
            if not visits:
                self.dropped_places.add(number)
                continue
            self.places.add(number)
            put.append(Record("place", number, pack(_left(row, visits, taken, rest))))
            put.append(_cleared(content, taken, rest).record(number))
        gone = self.dropped_places
        dropped += [(kind, number) for number in gone for kind in ("place", "content")]
        if gone:
            dropped += [
                ("link", link.number)
                for link in self._store.records("link")
                if link.body["one"] in gone or link.body["other"] in gone
            ]
            dropped += [
                ("run", run.number)
                for run in self._store.records("run")
                if run.body["place"] in gone
            ]

    def _standing(self, row: PlaceRow) -> list[Stored]:
        """Stored observations made in a place, a great many at most."""
        x, y, z = row.anchor
        low = (x - RADIUS_M, y - RADIUS_M, z - _TALLEST_M)
        high = (x + RADIUS_M, y + RADIUS_M, z + _TALLEST_M)
        near = self._store.column_rows(0, _READ, bounds=(low, high))
        return [
            stored
            for stored in self._store.fetch([int(column[0]) for column in near])
            if stored.map_pose is not None
            and frame_of(stored.observation) == row.map_id
            and self._map.place_at(
                under(stored.map_pose.position, stored.observation), map_id=row.map_id
            ) == row.number
        ]  # fmt: skip

    def _forget_facts(self, put: list[Record], dropped: list[Dropped]) -> None:
        """Facts about what is no more go, and those that only lost observations told."""
        gone = self.gone | {f"place:{number}" for number in self.dropped_places}
        for record in self._store.records("fact"):
            row = unpack(FactRow, record.body)
            fact = row.fact
            evidence = tuple(name for name in fact.evidence if name not in self._ids)
            if fact.subject in gone or fact.object in gone or (fact.evidence and not evidence):
                dropped.append(("fact", record.number))
                self.touched |= {fact.subject, fact.object} - gone
            elif evidence != fact.evidence:
                told = replace(row, fact=replace(fact, evidence=evidence))
                put.append(Record("fact", record.number, pack(told)))


def _left(row: PlaceRow, visits: int, taken: _Taken, rest: Sequence[Stored]) -> PlaceRow:
    """A place after some visits are forgotten; its bounds only where all others are stored."""
    if visits == row.visits - taken.visits:
        x, y, z = ((np.array(row.centre) * row.visits - taken.points) / visits).tolist()
        row = replace(row, centre=(x, y, z))
    row = replace(row, visits=visits)
    if len(rest) != visits:
        return row
    again = PlaceMap()
    for stored in rest:
        assert stored.map_pose is not None
        points = [at for s in stored.observation.sightings if (at := stored.sighting_position(s))]
        again.visit(
            under(stored.map_pose.position, stored.observation), stored.observation.stamp_ns,
            map_id=row.map_id, seen=np.array(points) if points else None,
        )  # fmt: skip
    made = list(again.places.values())
    corners = np.array([[place.bounds.low, place.bounds.high] for place in made])
    (a, b, c), (x, y, z) = corners[:, 0].min(axis=0).tolist(), corners[:, 1].max(axis=0).tolist()
    return replace(
        row, bounds=Box((a, b, c), (x, y, z)), first_ns=min(place.first_ns for place in made),
        last_ns=max(place.last_ns for place in made),
    )  # fmt: skip


def _cleared(content: Content, taken: _Taken, rest: Sequence[Stored]) -> Content:
    """A place's content without what was taken."""
    own = [stored for stored in rest if "body" not in stored.observation.extra]
    texts = {stored.observation.text for stored in own if stored.observation.text}
    near: dict[str, float] = {}
    for stored in own:
        assert stored.map_pose is not None
        for label, distance in distances(stored, stored.map_pose.position).items():
            near[label] = max(near.get(label, 0.0), nearness(distance))
    labels = {label: value for label, value in content.labels.items() if label not in taken.labels}
    labels |= {label: near[label] for label in taken.labels if label in near}
    kept = [text for text in content.texts if text not in taken.texts or text in texts]
    kept += [text for stored in own if (text := stored.observation.text) and text not in kept]
    total = content.total
    if total is not None and taken.total is not None and total.shape == taken.total.shape:
        total = total - taken.total
        total = total if float(np.linalg.norm(total)) > _NOTHING else None
    observations = max(content.observations - taken.worded, len(own))
    return Content(labels, list(dict.fromkeys(kept))[:MAX_TEXTS], observations, total)
