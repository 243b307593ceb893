"""Observations into structure: things, places, events, facts and the forest, a round at a time.

A round takes the next observations in order of arrival, lets every part learn from them, and
commits what changed together with how far it came, so that structure always fits what is stored.
A reader that may not write organises what the writer has not yet, for itself alone.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace

import numpy as np

from memory_core.episodic.codec import pack, unpack
from memory_core.episodic.records import Record, RecordChanges
from memory_core.episodic.rows import Stored
from memory_core.episodic.store import EpisodicStore
from memory_core.identity import digest_of
from memory_core.perception.text import TextEncoder
from memory_core.semantic import episodes as episodic_events
from memory_core.semantic import things as tracked
from memory_core.semantic.contents import Content
from memory_core.semantic.episodes import Episodes
from memory_core.semantic.factbook import FactBook, FactRow
from memory_core.semantic.forest.incremental import SemanticForest
from memory_core.semantic.forest.nodes import ForestRow, Leaf
from memory_core.semantic.kinds import KindModel, likeliest
from memory_core.semantic.neighbours import Thing as FactThing
from memory_core.semantic.neighbours import View as FactView
from memory_core.semantic.places import LinkRow, PlaceChanges, PlaceMap, PlaceRow, RunRow
from memory_core.semantic.showing import Showings
from memory_core.semantic.things import Things, distances, frame_of, under
from memory_core.types import (
    TEXT_SPACE,
    Box,
    Entity,
    ForestNode,
    Observation,
    Place,
    Stay,
    TimeSpan,
    Vector3,
)

ROUND = 500
STOREY_M = 1.8
REBALANCE = 64
KINDS = (
    *tracked.KINDS, *episodic_events.KINDS,
    "place", "link", "run", "content", "storey", "fact", "forest", "forest meta", "showing",
    "numbers",
)  # fmt: skip
_DEFAULT_DIMENSION = 384

Progress = Callable[[int, int], None]


class Organiser:
    """All structure of one memory, in RAM, level with the store up to a watermark."""

    def __init__(self, store: EpisodicStore, encoder: TextEncoder | None) -> None:
        """Read what was organised before.

        Args:
            store: The memory's rows.
            encoder: Its text encoder; None compares labels by spelling.
        """
        self._store = store
        self._encoder = encoder
        self.lock = threading.RLock()
        self.kinds = KindModel(None if encoder is None else encoder.encode)
        self.load()

    def load(self) -> None:
        """Read what is stored, whatever was known before."""
        self._shown_here: dict[tuple[int, int], int] = {}
        self._renamed_here: dict[int, int] = {}
        with self._store.reading():
            records = {kind: self._store.records(kind) for kind in KINDS}
            self.version = self._store.counter("structure")
            self.organised = self._store.counter("organised")
            self.things = Things.load(records)
            self.episodes = Episodes.load(records, self._store)
        self.places = PlaceMap()
        self.places.load(
            _place_rows(records),
            next_number=max((r.body["place"] for r in records["numbers"]), default=0),
        )
        self.contents = {r.number: Content.of(r) for r in records["content"]}
        self.showings = Showings.load(records["showing"])
        self._storeys = [(r.body["frame"], r.body["height"]) for r in records["storey"]]
        self.forest = self._load_forest(records)
        self._kinds: dict[int, tuple[str, float]] = {}
        self.facts = FactBook()
        if records["fact"]:
            rows = [unpack(FactRow, record.body) for record in records["fact"]]
            self.facts.load(rows, self._fact_things(self.things.known()))
        self.shape = self._shape(self.things.known())

    def _load_forest(self, records: Mapping[str, Sequence[Record]]) -> SemanticForest:
        dimension = _DEFAULT_DIMENSION if self._encoder is None else self._encoder.space.dimension
        if not records["forest meta"]:
            return SemanticForest(dimension)
        body = records["forest meta"][0].body
        rows = [unpack(ForestRow, record.body) for record in records["forest"]]
        return SemanticForest.load(
            rows, dimension=body["dimension"], next_number=body["next_number"]
        )

    # -- going on ----------------------------------------------------------------------------

    @property
    def pending(self) -> int:
        """How many numbers were given to observations that are not organised yet."""
        return self._store.last_rowid() - self.organised

    @staticmethod
    def _shape(known: Mapping[int, Entity]) -> int:
        """A number that changes where an entity appears, moves or goes."""
        return hash(frozenset((e.id, len(e.history), e.gone) for e in known.values()))

    def write_showings(self) -> None:
        """Commit which observations stand for others, where that is not yet."""
        self._store.change_records(RecordChanges(self.showings.changed()))

    def leave(self, place: int) -> None:
        """A place is no more: it goes from the forest."""
        if f"place:{place}" in self.forest:
            self.forest.remove(f"place:{place}")

    def resettle(self, places: Iterable[int], entities: Collection[str] | None) -> None:
        """Bring forest and facts level with places and entities that were changed on disk.

        Args:
            places: Their numbers.
            entities: Their ids; None for all.
        """
        put, dropped = self._settle_forest(places, anew=True)
        put += [self.contents[number].record(number) for number in places]
        known = self.things.known()
        changed = {n: e for n, e in known.items() if entities is None or e.id in entities}
        self.facts.update(self._fact_things(changed), now_ns=self._store.newest_ns())
        put += [Record("fact", row.number, pack(row)) for row in self.facts.changed()]
        self._store.change_records(RecordChanges(put, dropped))

    def follow(self) -> bool:
        """Take over what another process organised; True if it did."""
        if self._store.writable or self._store.counter("structure") == self.version:
            return False
        with self.lock:
            self.load()
        return True

    def organise(self, *, limit: int | None = None, progress: Progress | None = None) -> int:
        """Take observations that are not organised yet.

        Args:
            limit: At most about so many; None for all.
            progress: Called with (taken, about how many there are to take).

        Returns:
            How many were taken.
        """
        taken = 0
        while limit is None or taken < limit:
            with self.lock, self.as_stored():
                count = self._round()
            if not count:
                break
            taken += count
            if progress:
                progress(taken, taken + self.pending)
        return taken

    @contextmanager
    def as_stored(self) -> Iterator[None]:
        """What is known is what is stored, even where it could not be stored."""
        try:
            yield
        except BaseException:
            self.load()
            raise

    def _round(self) -> int:
        rowids: list[int] = []
        for rowid in self._store.rowids(after=self.organised):
            rowids.append(rowid)
            if len(rowids) == ROUND:
                break
        if not rowids:
            return 0
        batch = self._store.fetch(rowids, embeddings=True)
        shown: list[tuple[int, int, int]] = []
        entities: set[int] = set()
        touched: set[int] = set()
        for stored in batch:
            joined = self.things.take(stored)
            shown += [(stored.rowid, sequence, number) for sequence, number in joined.items()]
            entities.update(joined.values())
            place = self._stand(stored)
            if place is not None:
                touched.add(place)
            self.episodes.take(stored, place=None if place is None else f"place:{place}")
        changes = self.things.settle()
        self.showings.add(batch, [*shown, *changes.shown])
        self.organised = rowids[-1]
        newest = max(stored.observation.stamp_ns for stored in batch)
        self._settle(changes, shown, touched, entities | changes.touched, newest)
        return len(rowids)

    def _stand(self, stored: Stored) -> int | None:
        """The place an observation was made in, with what it adds to it."""
        pose, observation = stored.map_pose, stored.observation
        if pose is None:
            return None
        points = [
            at for s in observation.sightings if (at := stored.sighting_position(s)) is not None
        ]
        number = self.places.visit(
            under(pose.position, observation), observation.stamp_ns,
            run=f"{observation.robot}/{observation.session}", map_id=frame_of(observation),
            seen=np.array(points) if points else None,
        )  # fmt: skip
        content = self.contents.setdefault(number, Content())
        if "body" in observation.extra:  # of the robot, not of the place
            return number
        content.add(
            distances(stored, pose.position),
            observation.text,
            observation.embeddings.get(TEXT_SPACE),
        )
        return number

    def _settle(
        self,
        changes: tracked.ThingChanges,
        shown: list[tuple[int, int, int]],
        places: set[int],
        entities: set[int],
        newest: int,
    ) -> None:
        """Bring facts, kinds and the forest level, and commit all of it."""
        known = self.things.known()
        put = list(changes.put)
        dropped = [*changes.dropped, *self.showings.rename(changes.renamed)]
        forest_put, forest_dropped = self._settle_forest(places)
        put += forest_put
        dropped += forest_dropped
        put += self._settle_places(places)
        put += self.episodes.changed()
        ids = {known[number].id for number in entities if number in known}
        self.facts.update(
            self._fact_things({n: e for n, e in known.items() if e.id in ids}),
            now_ns=newest,
            gone=changes.gone | {e.id for e in known.values() if e.id in ids and e.gone},
        )  # fmt: skip
        fact_rows = self.facts.changed()
        put += [Record("fact", row.number, pack(row)) for row in fact_rows]
        put += self.showings.changed()
        self.shape = self._shape(known)
        if self._store.writable:
            self._store.change_records(
                RecordChanges(
                    put, dropped, [*shown, *changes.shown], changes.renamed, self.organised
                )
            )
            self.version = self._store.counter("structure")
        else:
            self._shown_here |= {row[:2]: row[2] for row in (*shown, *changes.shown)}
            self._renamed_here |= changes.renamed

    def as_shown(self, stored: Stored) -> Stored:
        """An observation with what its sightings show, where only this reader has organised it."""
        if not self._shown_here:
            return stored
        numbers = [
            self._shown_here.get((stored.rowid, sequence), number)
            for sequence, number in enumerate(stored.entities)
        ]
        return replace(stored, entities=tuple(map(self._by_now, numbers)))

    def _by_now(self, number: int | None) -> int | None:
        """The number a number stands for by now."""
        while number is not None and self._renamed_here.get(number, number) != number:
            number = self._renamed_here[number]
        return number

    def _settle_places(self, touched: set[int]) -> list[Record]:
        changed = self.places.changed()
        put = [Record("place", row.number, pack(row)) for row in changed.places]
        put += [Record("link", row.one << 31 | row.other, pack(row)) for row in changed.links]
        put += [Record("run", digest_of(row.run), pack(row)) for row in changed.runs]
        put += [self.contents[number].record(number) for number in sorted(touched)]
        for number in touched:
            self._kinds.pop(number, None)
        return put

    def _settle_forest(
        self, touched: Iterable[int], *, anew: bool = False
    ) -> tuple[list[Record], list[tuple[str, int]]]:
        """Places into the forest: a new one becomes a leaf, a changed one is placed anew."""
        before = len(self._storeys)
        for number in sorted(touched):
            row, content = self.places.places[number], self.contents[number]
            vector = content.vector
            payload = f"place:{number}"
            if vector is None or len(vector) != self.forest.dimension:
                self.leave(number)
                continue
            if not content.news() and not anew:
                continue
            leaf = Leaf(
                payload, vector, row.centre, row.bounds.low, row.bounds.high,
                row.first_ns, row.last_ns, content.text,
            )  # fmt: skip
            if leaf.payload in self.forest:
                self.forest.update(leaf)
            else:
                self.forest.add(leaf, tree=self._storey(row))
        self.forest.rebalance(REBALANCE)
        rows, removed = self.forest.changed()
        put = [Record("forest", row.number, pack(row)) for row in rows]
        if rows:
            meta = {"dimension": self.forest.dimension, "next_number": self.forest.next_number}
            put.append(Record("forest meta", 0, meta))
        put += [
            Record("storey", place, {"frame": frame, "height": height})
            for place, (frame, height) in enumerate(self._storeys)
            if place >= before
        ]
        return put, [("forest", number) for number in removed]

    def _storey(self, row: PlaceRow) -> str:
        """The tree a place belongs to: that of its storey."""
        for number, (frame, height) in enumerate(self._storeys):
            if frame == row.map_id and abs(row.anchor[2] - height) < STOREY_M:
                return f"storey:{number}"
        self._storeys.append((row.map_id, row.anchor[2]))
        return f"storey:{len(self._storeys) - 1}"

    # -- telling -----------------------------------------------------------------------------

    def storey_of(self, tree: str) -> tuple[str, int, int]:
        """A tree's frame, its floor counted from 0 at the bottom, and how many floors there are."""
        frame, height = self._storeys[int(tree.split(":")[1])]
        heights = sorted(h for f, h in self._storeys if f == frame)
        return frame, heights.index(height), len(heights)

    def kind_of(self, number: int) -> tuple[str, float]:
        """The kind of room a place's content suggests, and the belief in it."""
        if number not in self._kinds:
            content = self.contents.get(number)
            if content is None or not content.labels:
                self._kinds[number] = ("", 0.0)
            else:
                weights = np.array([list(content.labels.values())])
                belief = self.kinds.belief(weights, list(content.labels))[0]
                self._kinds[number] = likeliest(belief)
        return self._kinds[number]

    def entities(self) -> list[Entity]:
        """Every entity once, by id, with the place of each of its stays."""
        told: dict[str, Entity] = {}
        for number, entity in self.things.known().items():
            if entity.id not in told:
                frame = self.things.frame(number)
                told[entity.id] = replace(
                    entity, history=tuple(self._placed(stay, frame) for stay in entity.history)
                )
        return [told[name] for name in sorted(told)]

    def _placed(self, stay: Stay, frame: str) -> Stay:
        place = self.places.place_of(stay.position, map_id=frame)
        return stay if place is None else replace(stay, place=f"place:{place}")

    def place(self, number: int) -> Place:
        """A place, as it is told."""
        row = self.places.places[number]
        kind, sure = self.kind_of(number)
        content = self.contents.get(number, Content())
        heights = sorted(h for f, h in self._storeys if f == row.map_id)
        floor = int(np.abs(np.array(heights or [0.0]) - row.anchor[2]).argmin())
        return Place(
            f"place:{number}", row.map_id, row.centre, row.bounds, floor, kind, sure,
            content.text, content.observations,
        )  # fmt: skip

    def forest_nodes(self) -> list[ForestNode]:
        """Every node of the forest, as it is told: roots first, then level by level down."""
        return [self._forest_node(number) for number in self._from_the_top()]

    def areas(self) -> list[int]:
        """Numbers of the forest's nodes that have nodes below them, smallest areas first."""
        with self.lock:
            return [one for one in reversed(self._from_the_top()) if self.forest.children(one)]

    def _from_the_top(self) -> list[int]:
        ordered, front = [], list(self.forest.roots.values())
        while front:
            ordered += front
            front = [child for number in front for child in self.forest.children(number)]
        return ordered

    def _forest_node(self, number: int) -> ForestNode:
        row = self.forest.row(number)
        parent = None if row.parent is None else f"forest:{row.parent}"
        kind = self.kind_of(int(row.payload[6:]))[0] if row.payload else ""
        return ForestNode(
            row.payload or f"forest:{number}",
            row.level,
            parent,
            tuple(self._forest_id(child) for child in self.forest.children(number)),
            self._forest_text(number, row),
            row.count,
            Box(row.low, row.high),
            TimeSpan(row.first_ns, row.last_ns),
            kind,
        )

    def _forest_id(self, number: int) -> str:
        return self.forest.row(number).payload or f"forest:{number}"

    def _forest_text(self, number: int, row: ForestRow) -> str:
        """A node's text; a root says which floor it is, where there are several."""
        text = self.forest.text(number)
        frame, floor, floors = self.storey_of(row.tree)
        if row.parent is not None or floors == 1:
            return text
        return f"floor {floor + 1} of {floors} of {frame}: {text}"

    def path(self, standpoint: Vector3 | None, observation: Observation) -> tuple[str, ...]:
        """Ids from the root of the forest down to an observation made at a standpoint."""
        if standpoint is None:
            return (observation.id,)
        number = self.places.place_at(under(standpoint, observation), map_id=frame_of(observation))
        payload = f"place:{number}"
        if number is None or payload not in self.forest:
            return (observation.id,)
        nodes = self.forest.path(self.forest.leaf(payload))
        return (*(f"forest:{node}" for node in nodes[:-1]), payload, observation.id)

    def _fact_things(self, known: Mapping[int, Entity]) -> list[FactThing]:
        """Entities as facts know them, each once; what is gone holds no facts."""
        told = {entity.id: (number, entity) for number, entity in known.items() if not entity.gone}
        return [self._fact_thing(number, entity) for number, entity in told.values()]

    def _fact_thing(self, number: int, entity: Entity) -> FactThing:
        stay = entity.history[-1]
        frame = self.things.frame(number)
        place = self.places.place_of(stay.position, map_id=frame)
        spread = float(np.sqrt(max(np.trace(np.array(stay.covariance).reshape(3, 3)) / 3, 0.0)))
        views = tuple(
            FactView(view.observation, view.stamp_ns, view.standpoint)
            for view in self.showings.of(number, self._store)
            if view.stamp_ns >= stay.start_ns
        )
        return FactThing(
            entity.id, entity.label, stay.position, entity.size, max(spread, 0.01),
            None if place is None else f"place:{place}", frame, views,
        )  # fmt: skip


def _place_rows(records: Mapping[str, Sequence[Record]]) -> PlaceChanges:
    return PlaceChanges(
        tuple(unpack(PlaceRow, record.body) for record in records["place"]),
        tuple(unpack(LinkRow, record.body) for record in records["link"]),
        tuple(unpack(RunRow, record.body) for record in records["run"]),
    )
