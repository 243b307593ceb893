"""The structure of a memory, kept level with its observations, and the scenes made from it.

Organising happens at a question where little is pending, else in the background; a reader
organises for itself. A memory with up to `MAX_STANDPOINTS` observations of things is one scene of
all of them; a larger one is a scene of chosen views of every entity.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TypeAlias, TypeVar

import numpy as np

from memory_core.episodic import recall as flat
from memory_core.episodic.index import View
from memory_core.episodic.recall import FUSION_K
from memory_core.episodic.records import RecordChanges
from memory_core.episodic.store import EpisodicStore
from memory_core.errors import RobotMemoryError, StorageFull
from memory_core.language.lexicon import same_kind
from memory_core.language.model import LanguageModel
from memory_core.perception.text import TextEncoder
from memory_core.semantic import amending
from memory_core.semantic.attending import ObservationAttention, recall_observations
from memory_core.semantic.chunks import chunks_of
from memory_core.semantic.consolidation import (
    SPARE,
    Consolidated,
    Consolidator,
    Progress,
    Retention,
)
from memory_core.semantic.floor_plan import FloorPlan
from memory_core.semantic.organiser import Organiser
from memory_core.semantic.scene import MAX_STANDPOINTS, Scene, build_scene
from memory_core.semantic.telling import tell_forest
from memory_core.types import (
    Encode,
    Entity,
    Evidence,
    Filters,
    IntArray,
    Pose,
    Query,
    Recall,
    TimeSpan,
)

_log = logging.getLogger(__name__)

PART_STANDPOINTS = 600
LIVE_STANDPOINTS = 1_000
"""More do not fit into a scene that is built again every other second while a robot looks about."""
INLINE = 3_000
BACKGROUND = 2_000
CLOSING_S = 0.5
FLOOD_PER_S = 500.0

T = TypeVar("T")
_Shape: TypeAlias = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class _Kept:
    """A scene of the whole memory.

    Attributes:
        generation: Of observations, when it was built.
        shape: Of things, and what was told, removed and corrected by then.
        scene: It; None where nothing was seen.
        built_s: When its building began, by the clock of the process.
    """

    generation: int
    shape: _Shape
    scene: Scene | None
    built_s: float

    def stands(self, shape: _Shape) -> bool:
        """Whether it is a large one, and no entity appeared, moved or went since."""
        return self.scene is not None and not self.scene.whole and self.shape == shape


class Structure:
    """Organises a store, and builds scenes that are kept until something changes."""

    def __init__(
        self,
        store: EpisodicStore,
        encoder: TextEncoder | None,
        *,
        retention: Retention | None = None,
        removed: Callable[[], None] = lambda: None,
        lag_s: float = 0.0,
    ) -> None:
        """Nothing is read yet.

        Args:
            store: The memory's rows.
            encoder: Its text encoder.
            retention: How much is kept; None keeps all that is not a repetition.
            removed: Called after observations were removed.
            lag_s: A scene may be so old when it is used again, where observations were added
                alone: building one for each of many questions while a robot looks about takes
                more than all else. It then holds `LIVE_STANDPOINTS` at most.
        """
        self._store = store
        self._lag_s = lag_s
        self._most = LIVE_STANDPOINTS if lag_s else MAX_STANDPOINTS
        self._wanted = False  # the scene is to be built anew in the background
        self._encoder = encoder
        self._retention = retention
        self._removed = removed
        self._consolidator: Consolidator | None = None
        self._attention = ObservationAttention()
        self._made: Organiser | None = None
        self._making = threading.Lock()
        self._starting = threading.Lock()
        self._worker: threading.Thread | None = None
        self._stopping = threading.Event()
        self._generation = 0
        self._unorganised = 0
        self._counted_s = time.monotonic()
        self._whole: _Kept | None = None
        self._texts = (0, 0, False)  # up to which number, after which removal, whether any
        self._floor_plans: dict[str, FloorPlan] = {}
        self._plans_told = 0

    # -- organising --------------------------------------------------------------------------

    @property
    def organiser(self) -> Organiser:
        """What was organised, as far as it came; read from disk at first use."""
        with self._making:
            if self._made is None:
                self._made = Organiser(self._store, self._encoder)
            return self._made

    def level(self) -> Organiser:
        """The organiser after it took what is pending, where that is little and nothing may lag."""
        organiser = self.organiser
        organiser.follow()
        if organiser.pending > (0 if self._lag_s else INLINE):
            self.start()
            return organiser
        try:
            if organiser.organise():
                self.forget()
            if self._wants_consolidation():
                self.start()
        except StorageFull as error:  # what was organised before still answers
            _log.warning("what was observed could not be organised: %s", error)
        return organiser

    def organise(self, *, progress: Progress | None = None) -> int:
        """Organise all that is pending; returns how many were taken."""
        taken = self.organiser.organise(progress=progress)
        if taken:
            self.forget()
        return taken

    def _wants_consolidation(self) -> bool:
        """Whether enough is organised and not considered, or more is kept than may be."""
        if not self._store.writable:
            return False
        bound = None if self._retention is None else self._retention.observations
        full = bound is not None and self._store.count() > bound * (1 + SPARE)
        return full or self._keeper().due(self.organiser)

    @contextmanager
    def reading(self) -> Iterator[Organiser]:
        """What was organised, level and standing still for as long as the block lasts."""
        organiser = self.level()
        with organiser.lock:
            yield organiser

    def committed(self, count: int) -> None:
        """So many observations came: organise in the background once they are many.

        A flood of them (a recording that is read in) is left alone until it is over: it would only
        be slowed down.
        """
        self.forget()
        self._unorganised += count
        if self._unorganised >= BACKGROUND:
            now = time.monotonic()
            flood = self._unorganised / max(now - self._counted_s, 1e-9) > FLOOD_PER_S
            self._unorganised, self._counted_s = 0, now
            if not flood:
                self.start()

    def start(self) -> None:
        """Organise in the background, until nothing is pending."""
        with self._starting:
            busy = self._worker is not None and self._worker.is_alive()
            if not busy and not self._stopping.is_set():
                worker = threading.Thread(target=self._work, name="memory-structure", daemon=True)
                worker.start()
                self._worker = worker

    def consolidate(
        self, *, lag_s: float | None = None, progress: Progress | None = None
    ) -> Consolidated:
        """Organise all that is pending, let repetitions go, and keep within the retention bound.

        Args:
            lag_s: As in `Consolidator.consolidate`; None for its default.
            progress: Called with (numbers passed, numbers there are).
        """
        organiser = self.organiser
        self.organise()
        options = {} if lag_s is None else {"lag_s": lag_s}
        with organiser.lock:
            try:
                done = self._keeper().consolidate(
                    organiser, retention=self._retention, progress=progress, **options
                )
            except BaseException:
                self._consolidator = None  # what it holds may be ahead of the disk
                raise
        if done.repeated or done.thinned or done.retired:
            self.forget()
            self._removed()
        return done

    def tell_forest(self, model: LanguageModel, *, progress: Progress | None = None) -> int:
        """Organise all that is pending, then have a language model tell every area."""
        self.organise()
        return tell_forest(self.organiser, self._store, model, progress=progress)

    def _keeper(self) -> Consolidator:
        with self.organiser.lock:
            if self._consolidator is None:
                self._consolidator = Consolidator(self._store)
            return self._consolidator

    def note_use(self, ids: Sequence[str]) -> None:
        """Observations were recalled: where memory is bounded, what is used is kept longer."""
        if self._store.writable and self._retention is not None:
            rowids = self._store.rowids_of(ids).values()
            self._keeper().note_use(rowids, time.time_ns())

    def _work(self) -> None:
        try:
            self.organiser.follow()
            while not self._stopping.is_set() and self.organiser.organise(limit=1):
                self.forget()
            if not self._stopping.is_set() and self._wants_consolidation():
                self.consolidate()
            if not self._stopping.is_set() and self._wanted:
                self._wanted = False
                self._build_ahead()
        except RobotMemoryError as error:
            _log.warning("what was observed could not be organised: %s", error)

    def wait(self) -> None:
        """Wait until the background work is done."""
        if self._worker is not None:
            self._worker.join()
        self._attention.wait()

    def close(self) -> None:
        """Stop the background work; what is pending is organised when the memory is next used.

        A round that takes long is not waited for: it ends at the closed store, with nothing done.
        """
        self._stopping.set()
        worker = self._worker
        if worker is not None:
            worker.join(CLOSING_S)

    def forget(self) -> None:
        """Something changed: what was built, or is being built now, is not used again."""
        self._generation += 1

    def without(
        self, rowids: Iterable[int], remove: Callable[[], T], *, span: TimeSpan | None = None
    ) -> T:
        """Let observations go that a person wants forgotten; see `amending.forget`.

        Args:
            rowids: Their numbers.
            remove: Removes them.
            span: Events within it of which nothing is left go too, whatever their observations
                went for; None for none.
        """
        with self.organiser.lock:
            done = amending.forget(self.organiser, self._store, rowids, remove)
            if span is not None:
                self._forget_events(span)
            self._consolidator = None  # nothing repeats them any more
            self._begin_scenes_anew()
        return done

    def _forget_events(self, span: TimeSpan) -> None:
        first = 0 if span.start_ns is None else span.start_ns
        last = 2**63 - 1 if span.end_ns is None else span.end_ns
        dropped = self.organiser.episodes.forget_between(first, last, self._store)
        if dropped:
            gone = [("event", number) for number in dropped]
            self._store.change_records(RecordChanges(dropped=gone))

    def plan_floors(self, plans: Mapping[str, FloorPlan]) -> None:
        """From now on rooms are told apart by these floor plans, by map."""
        self._floor_plans = dict(plans)
        self._plans_told += 1
        self._begin_scenes_anew()

    def _begin_scenes_anew(self) -> None:
        self._whole = None
        self.forget()

    def move(self, map_id: str, poses: Mapping[str, Pose], move: Callable[[], T]) -> T:
        """Let a map's anchors move, and what is known with them; see `amending.move`."""
        with self.organiser.lock:
            done = amending.move(self.organiser, self._store, map_id, poses, move)
            self._consolidator = None  # its views are where they were
            self._begin_scenes_anew()
        return done

    def reembed(self, encoder: TextEncoder, replace: Callable[[], T]) -> T:
        """Let another model's vectors replace all; this structure is of no use afterwards."""
        self._stopping.set()
        if self._worker is not None:
            self._worker.join()
        return amending.reembed(self.organiser, self._store, encoder, replace)

    # -- recalling ---------------------------------------------------------------------------

    def attend(self, view: View, query: Query) -> Recall | None:
        """Observations by hierarchical chunk attention; see `recall_observations`."""
        with self.reading() as organiser:
            ends = organiser.episodes.ends()
        return recall_observations(self._store, view, query, self._attention, ends=ends)

    # -- scenes ------------------------------------------------------------------------------

    def holds_texts(self) -> bool:
        """Whether any observation has words of its own, body state aside."""
        removal, last = self._store.last_removal(), self._store.last_rowid()
        after, told, found = self._texts
        if found and told != removal:  # what was found may have gone
            after, found = 0, False
        if not found and after < last:
            with self._store.reading() as db:
                query = (
                    "SELECT 1 FROM observations WHERE rowid > ? AND text IS NOT NULL AND text "
                    "NOT LIKE 'body state:%' LIMIT 1"
                )
                found = db.execute(query, (after,)).get is not None
        self._texts = (last, removal, found)
        return found

    def holds_sightings(self) -> bool:
        """Whether anything with a label was ever seen."""
        with self._store.reading() as db:
            return db.execute("SELECT 1 FROM sightings LIMIT 1").get is not None

    def scene(self, view: View, query: Query, *, things: Sequence[str] = ()) -> Scene | None:
        """The scene a query is answered from.

        Args:
            view: Selection and nearest vectors.
            query: Its filters restrict the scene, before anything is ranked; in a memory too
                large for one scene its words choose the part.
            things: Kinds of things that are asked for: where a filtered memory is too large,
                their sightings (the newest, where even they are too many) come first.

        Returns:
            The scene; None where nothing with a label passes the filters.
        """
        if not self.holds_sightings():
            return None
        filtered = query.filters != Filters()
        recent = None if filtered else self._recent()
        if recent is not None:
            return recent
        with self.reading() as organiser:
            if filtered:
                return self._filtered(view, query, organiser, things)
            return self._unfiltered(organiser)

    def _unfiltered(self, organiser: Organiser) -> Scene | None:
        """The whole memory's scene; a large one stands until an entity appears, moves or goes."""
        kept, begun_s = self._whole, time.monotonic()
        generation, shape = self._generation, (organiser.shape, *self._corrected())
        if kept is not None:
            if kept.stands(shape):
                self._whole = _Kept(generation, shape, kept.scene, begun_s)
                return kept.scene
            recent = kept.shape[1:] == shape[1:] and begun_s < kept.built_s + self._lag_s
            if recent or kept.generation == generation:
                return kept.scene
        scene = self._build(*self._parts_of_all(organiser))
        self._whole = _Kept(generation, shape, scene, begun_s)
        return scene

    def _corrected(self) -> tuple[int, int, int]:
        """What changes where something was taken back or moved: no scene of before is used then."""
        return self._plans_told, self._store.last_removal(), self._store.last_anchor_pose()

    def _recent(self) -> Scene | None:
        """The whole memory's scene where it is not too old; waits for nothing.

        It is built anew in the background before it is too old, for as long as questions come.
        """
        kept = self._whole
        if not self._lag_s or kept is None or kept.shape[1:] != self._corrected():
            return None
        if kept.generation != self._generation:
            age_s = time.monotonic() - kept.built_s
            if age_s >= self._lag_s:
                return None
            if age_s >= self._lag_s / 2:
                self._wanted = True
                self.start()
        return kept.scene

    def _build_ahead(self) -> None:
        """Build the whole memory's scene, with what recall needs of it, while others go on."""
        organiser = self.organiser
        with organiser.lock:
            begun_s, kept = time.monotonic(), self._whole
            generation, shape = self._generation, (organiser.shape, *self._corrected())
            if kept is not None and kept.stands(shape):
                self._whole = _Kept(generation, shape, kept.scene, begun_s)
                return
            parts = self._parts_of_all(organiser)
        scene = self._build(*parts)
        if scene is not None:
            chunks_of(scene)
        with organiser.lock:
            if self._whole is kept:  # else a question did not wait, and has built a later one
                self._whole = _Kept(generation, shape, scene, begun_s)

    def _parts_of_all(self, organiser: Organiser) -> tuple[IntArray, Mapping[int, Entity], bool]:
        """What the whole memory's scene is built of; see `_build`."""
        rowids = self._with_sightings(None)
        whole = len(rowids) <= self._most
        if not whole:
            rowids = np.array(organiser.showings.rows(), np.int64)
        return rowids, organiser.things.known(), whole

    def _filtered(
        self, view: View, query: Query, organiser: Organiser, things: Sequence[str]
    ) -> Scene | None:
        rowids = self._with_sightings(view.select(query.filters))
        whole = len(rowids) <= MAX_STANDPOINTS
        if not whole:
            rowids = self._part(view, query, rowids, things)
        return self._build(rowids, organiser.things.known(), whole)

    def _build(self, rowids: IntArray, known: Mapping[int, Entity], whole: bool) -> Scene | None:
        organiser = self.organiser
        rows = self._store.fetch(rowids[-MAX_STANDPOINTS:].tolist())
        stored = [organiser.as_shown(row) for row in rows]
        return build_scene(
            stored, self._encode, known=known, kinds=organiser.kinds, whole=whole,
            floor_plans=self._floor_plans,
        )  # fmt: skip

    @property
    def _encode(self) -> Encode | None:
        return None if self._encoder is None else self._encoder.encode

    def _with_sightings(self, allowed: IntArray | None) -> IntArray:
        """Observations in which something was seen, ascending.

        Where all are allowed, at most one more than a whole scene may hold.
        """
        low, high, most = 0, 2**62, self._most + 1
        if allowed is not None:
            if not len(allowed):
                return allowed
            low, high, most = int(allowed[0]), int(allowed[-1]), 2**62
        query = (
            "SELECT DISTINCT observation FROM sightings WHERE observation BETWEEN ? AND ? "
            "ORDER BY observation LIMIT ?"
        )
        with self._store.reading() as db:
            found = np.fromiter((row[0] for row in db.execute(query, (low, high, most))), np.int64)
        return found if allowed is None else np.intersect1d(found, allowed, assume_unique=True)

    def _part(self, view: View, query: Query, rowids: IntArray, things: Sequence[str]) -> IntArray:
        """Observations of the things asked for, then those nearest to the words, then the newest."""
        chosen = self._showing(things, rowids)[-MAX_STANDPOINTS:]
        ranked: list[int] = []
        if query.text and self._encoder is not None:
            space = self._store.spaces().get("text")
            if space == self._encoder.space:
                vector = self._encoder.encode([query.text])[0]
                ranked += view.nearest("text", vector, PART_STANDPOINTS, rowids).rowids.tolist()
        ranked += flat.lexical(self._store, query.text or "", rowids, PART_STANDPOINTS)
        ranked += rowids[-PART_STANDPOINTS // 2 :].tolist()
        room = max(PART_STANDPOINTS, MAX_STANDPOINTS - len(chosen))
        extra = np.array(list(dict.fromkeys(ranked))[:room], np.int64)
        return np.union1d(chosen, extra)

    def _showing(self, things: Sequence[str], rowids: IntArray) -> IntArray:
        """Observations with a sighting of one of some kinds, ascending."""
        labels = self._store.names("label")
        wanted = [
            number for name, number in labels.items() if any(same_kind(t, name) for t in things)
        ]
        if not wanted:
            return np.empty(0, np.int64)
        marks = ",".join("?" * len(wanted))
        with self._store.reading() as db:
            query = f"SELECT DISTINCT observation FROM sightings WHERE label IN ({marks})"
            found = np.fromiter((row[0] for row in db.execute(query, wanted)), np.int64)
        return np.intersect1d(np.sort(found), rowids, assume_unique=True)


def join(scene: Recall, observations: Recall) -> Recall:
    """One list from both ways of recalling, by reciprocal rank fusion.

    Args:
        scene: Standpoints ranked by the things they show.
        observations: Observations ranked by their own words.
    """
    fused: dict[str, float] = {}
    items: dict[str, Evidence] = {}
    for ranking in (scene.evidence, observations.evidence):
        for rank, item in enumerate(ranking, start=1):
            key = item.observation.id
            fused[key] = fused.get(key, 0.0) + 1.0 / (FUSION_K + rank)
            items.setdefault(key, item)
    best = 2.0 / (FUSION_K + 1)
    joined = [
        replace(
            items[key],
            weight=share / best * items[key].parts.space * items[key].parts.time,
            parts=replace(items[key].parts, meaning=share / best),
        )
        for key, share in fused.items()
    ]
    joined.sort(key=lambda item: (-item.weight, -item.observation.stamp_ns))
    return replace(
        scene,
        evidence=tuple(joined[: scene.query.k]),
        considered=max(scene.considered, observations.considered),
        seconds=scene.seconds + observations.seconds,
    )
