"""RobotMemory: open, observe, recall, ask, forget, verify, close.

One process writes, any number read. Everything acknowledged is on disk; everything acknowledged
is found by the next recall in the same process, and within a second in others.
"""

from __future__ import annotations

import bisect
import contextlib
import dataclasses
import logging
import shutil
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

from memory_core.answering.answers import answer
from memory_core.answering.grounding import Context
from memory_core.answering.guessing import by_meaning
from memory_core.answering.with_model import rewrite, word
from memory_core.episodic import exchange, integrity
from memory_core.episodic import recall as flat
from memory_core.episodic.commit import GroupCommitter
from memory_core.episodic.index import DatabaseScan, MemoryIndex, View
from memory_core.episodic.ledger import Removal
from memory_core.episodic.lock import WriterLock
from memory_core.episodic.recognising import Recognised, recognise
from memory_core.episodic.rows import Stored
from memory_core.episodic.session import DATABASE
from memory_core.episodic.store import EpisodicStore, Written
from memory_core.episodic.summary import summarise, trajectory
from memory_core.errors import (
    EncoderMismatch,
    InputRejected,
    InvalidQuery,
    MemoryClosed,
    MemoryMissing,
    MemoryReadOnly,
    NotInstalled,
    RobotMemoryError,
    StorageFull,
)
from memory_core.intake import ENCODE_BATCH, Intake, describe
from memory_core.language import anchored, times
from memory_core.language.model import LanguageModel
from memory_core.language.names import put_back, take_names
from memory_core.perception.image import ImageEncoder
from memory_core.perception.place import SHORTLIST
from memory_core.perception.text import SentenceEncoder, TextEncoder
from memory_core.recordings.transforms import interpolate
from memory_core.semantic.consolidation import Consolidated, Retention
from memory_core.semantic.floor_plan import FloorPlan, KeptPlans
from memory_core.semantic.paths import explained, with_paths
from memory_core.semantic.recall import recall_scene
from memory_core.semantic.scene import Scene
from memory_core.semantic.structure import Structure, join
from memory_core.types import (
    IMAGE_SPACE,
    TEXT_SPACE,
    Acknowledgement,
    Answer,
    EmbeddingSpace,
    Entity,
    Event,
    Evidence,
    Fact,
    Filters,
    FloatArray,
    ForestNode,
    IntArray,
    Json,
    Keyframe,
    Observation,
    Place,
    Pose,
    Query,
    Recall,
    Refusal,
    TimeSpan,
)
from memory_core.validation import (
    check_filters,
    check_pose,
    check_query,
    check_stamp,
)

_log = logging.getLogger(__name__)

DEFAULT_WINDOW_S = 0.05
DEFAULT_KEYFRAME_BUDGET = 20 * 10**9

FLOOR_PLANS = "floor_plans"
"""Folder in a memory's own."""


class RobotMemory:
    """A memory in a folder. Use `RobotMemory.open`; it is a context manager."""

    def __init__(
        self,
        folder: Path,
        store: EpisodicStore,
        *,
        lock: WriterLock | None,
        encoder: TextEncoder | None,
        image_encoder: ImageEncoder | None,
        commit_window_s: float,
        keyframe_budget_bytes: int,
        gpu: bool | None,
        retention: Retention | None,
        lag_s: float,
    ) -> None:
        """Join the parts; see `open`."""
        self.folder = folder
        self._store = store
        self._lock = lock
        self._encoder = encoder
        self._image_encoder = image_encoder
        self._budget = keyframe_budget_bytes
        self._gpu = gpu
        self._closed = False
        self._index = MemoryIndex(store, folder / "index", gpu=gpu)
        self._intake = Intake(store, encoder=encoder, image_encoder=image_encoder)
        self._scan = DatabaseScan(store)
        self._retention = retention
        self._lag_s = lag_s
        self._plans = KeptPlans(folder / FLOOR_PLANS)
        self._structure = self._new_structure()
        self._committer = (
            GroupCommitter(self._commit, window_s=commit_window_s) if lock is not None else None
        )

    def _new_structure(self) -> Structure:
        structure = Structure(
            self._store, self._encoder, retention=self._retention,
            removed=self._removed_some, lag_s=self._lag_s,
        )  # fmt: skip
        structure.plan_floors(self._plans.by_map)
        return structure

    def _removed_some(self) -> None:
        self._index.committed()

    @classmethod
    def open(
        cls,
        folder: str | Path,
        *,
        read_only: bool = False,
        create: bool = True,
        text_encoder: TextEncoder | Literal["default"] | None = "default",
        image_encoder: ImageEncoder | None = None,
        commit_window_s: float = DEFAULT_WINDOW_S,
        keyframe_budget_bytes: int = DEFAULT_KEYFRAME_BUDGET,
        gpu: bool | None = None,
        retention: Retention | None = None,
        lag_s: float = 0.0,
    ) -> RobotMemory:
        """Open a memory, or make one.

        Args:
            folder: Its folder.
            read_only: Open beside a writer; changes are refused.
            create: Make it where there is none.
            text_encoder: Turns words into vectors; `default` is all-MiniLM-L6-v2, None leaves
                words to the lexical index.
            image_encoder: Turns keyframes, and words about them, into vectors; by default
                pictures are kept and not searched.
            commit_window_s: How long a submission nobody waits for may be gathered, seconds.
            keyframe_budget_bytes: The oldest pictures go (with a record) beyond this.
            gpu: Search on a GPU; None where there is one.
            retention: How many observations are kept, and which go first; None for no bound.
            lag_s: By how much answers may be behind what is being observed, seconds, and as long
                as organising it takes: saves most of the work of answering while observations
                stream in.

        Raises:
            MemoryMissing: There is none and it may not be made.
            MemoryLocked: Another process writes.
            MemoryReadOnly: The folder cannot be written.
            MemoryDamaged: The database is not what was written.
            FormatUnsupported: It was written by a newer version.
            EncoderMismatch: Its vectors come from another model.
        """
        path = Path(folder)
        lock = None
        if (read_only or not create) and not (path / DATABASE).exists():
            raise MemoryMissing(
                f"there is no memory in {path}; make one with "
                f"`robot-memory ingest RECORDING --memory {path}`"
            )
        if not read_only:
            try:
                path.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise MemoryReadOnly(f"{path} cannot be made ({error.strerror})") from error
            lock = WriterLock(path)
        store = None
        try:
            store = EpisodicStore(path, write=not read_only)
            encoder = _encoder(text_encoder)
            if encoder is not None:
                _check_space(store, TEXT_SPACE, encoder.space, path)
            if image_encoder is not None:
                _check_space(store, IMAGE_SPACE, image_encoder.space, path)
            return cls(
                path, store, lock=lock, encoder=encoder, image_encoder=image_encoder,
                commit_window_s=commit_window_s,
                keyframe_budget_bytes=keyframe_budget_bytes, gpu=gpu, retention=retention,
                lag_s=lag_s,
            )  # fmt: skip
        except BaseException:
            if store is not None:
                store.close()
            if lock is not None:
                lock.release()
            raise

    def __enter__(self) -> RobotMemory:
        """The memory itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close it."""
        self.close()

    def close(self) -> None:
        """Commit what was handed in, write the index cache, release the lock."""
        if self._closed:
            return
        self._closed = True
        with contextlib.ExitStack() as closing:  # each part is closed, whatever the others do
            if self._lock is not None:
                closing.callback(self._lock.release)
            closing.callback(self._store.close)
            closing.callback(self._index.close)
            closing.callback(self._structure.close)
            if self._committer is not None:
                closing.callback(self._committer.close)

    @property
    def store(self) -> EpisodicStore:
        """The rows on disk, for tools that read them."""
        return self._store

    @property
    def index(self) -> MemoryIndex:
        """The index in RAM, for diagnostics."""
        return self._index

    @property
    def text_encoder(self) -> TextEncoder | None:
        """What turns words into vectors; None without one."""
        return self._encoder

    @property
    def read_only(self) -> bool:
        """Whether changes are refused."""
        return self._lock is None

    def _writer(self) -> GroupCommitter:
        if self._closed:
            raise MemoryClosed(f"the memory in {self.folder} was closed")
        if self._committer is None:
            raise MemoryReadOnly(f"{self.folder} is open read-only; open it for writing first")
        return self._committer

    # -- observing --------------------------------------------------------------------------

    def observe(self, observations: Observation | Iterable[Observation]) -> Acknowledgement:
        """Remember; returns when it is on disk.

        Args:
            observations: One, or many. One that is wrong raises; among many, wrong ones are
                refused one by one and the others kept.

        Returns:
            What was added, what was known before, what was refused.

        Raises:
            InputRejected: The one observation given is wrong; nothing was stored.
            StorageFull: The disk refused; nothing of the batch is acknowledged.
            MemoryReadOnly: The memory is open read-only.
        """
        committer = self._writer()
        if isinstance(observations, Observation):
            try:
                ready = self._intake.prepare([observations], None)
            except InputRejected as error:
                self._count([Refusal(str(observations.id), error.code, str(error))])
                raise
            written = committer.submit(ready, urgent=True).result()
            return _acknowledgement(written, [])
        refused: list[Refusal] = []
        ready = self._intake.prepare(list(observations), refused)
        written = Written((), (), ())
        if ready:
            written = committer.submit(ready, urgent=True).result()
        if refused:
            self._count(refused)
        return _acknowledgement(written, refused)

    def submit(self, observation: Observation) -> Future[Written]:
        """Hand in one observation and go on; commits are gathered.

        Args:
            observation: What was perceived.

        Returns:
            A future that is done when it is on disk and recall finds it.

        Raises:
            InputRejected: It is wrong; nothing was stored.
        """
        committer = self._writer()
        try:
            ready = self._intake.prepare([observation], None)
        except InputRejected as error:
            self._count([Refusal(str(observation.id), error.code, str(error))])
            raise
        return committer.submit(ready, urgent=False)

    def flush(self) -> None:
        """Commit what was handed in so far without waiting for more, and return when it is on disk."""
        self._writer().submit((), urgent=True).result()

    def _count(self, refused: list[Refusal]) -> None:
        try:
            self._store.count_refusals(refused)
        except StorageFull:
            _log.warning("%d refusals could not be counted: the disk is full", len(refused))

    def count_refusals(self, refused: Iterable[Refusal]) -> None:
        """Add inputs that a reader refused to the memory's own counts."""
        self._writer()
        self._count(list(refused))

    def _commit(self, observations: Sequence[Observation]) -> Written:
        if not observations:
            return Written((), (), ())
        written = self._store.write(observations)
        if written.rowids:
            self._after_commit(written)
        return written

    def _after_commit(self, written: Written) -> None:
        """Make what is on disk visible; trouble here is not the commit's, which stands."""
        self._structure.committed(len(written.rowids))
        try:
            self._index.committed()
            if any(item.keyframe is not None for item in written.observations):
                self._keep_budget()
        except (RobotMemoryError, OSError, ValueError) as error:
            _log.warning("stored, but the index failed (%s); making it anew", error)
            self._index.rebuild()

    def _keep_budget(self) -> None:
        excess = self._store.counter("keyframe_bytes") - self._budget
        if excess > 0:
            rowids = self._store.oldest_keyframes(excess + self._budget // 20)
            self._store.remove(
                rowids,
                kind="retention",
                reason=f"keyframes passed their budget of {self._budget} bytes; the oldest go",
                selection={"oldest_keyframes": len(rowids)},
                keyframes_only=True,
            )

    # -- maps -------------------------------------------------------------------------------

    def add_anchor(
        self, anchor_id: str, pose: Pose, *, map_id: str = "map", reason: str = "added"
    ) -> None:
        """Make an anchor that observations can be relative to.

        Args:
            anchor_id: Its name (a keyframe of the trajectory, a submap, an odometry frame).
            pose: Its pose in the map.
            map_id: Its map; made where there is none.
            reason: Why.

        Raises:
            InvalidPose: The pose is not one.
        """
        self._writer()
        check_pose(pose)
        self._store.ensure_anchor(map_id, anchor_id, pose, reason=reason)
        self._intake.knows_anchor(map_id, anchor_id)
        self._index.committed()

    def move_anchors(
        self, poses: Mapping[str, Pose], *, map_id: str = "map", reason: str = "correction"
    ) -> int:
        """Correct a map: anchors get new poses and carry what was observed from them.

        Args:
            poses: New poses in the map, by anchor.
            map_id: The map.
            reason: What corrected it (loop closure, new map → odom).

        Returns:
            The map's new epoch, which every later Evidence carries.

        Raises:
            UnknownFrame: One of the anchors is unknown; nothing moved.
            InvalidPose: One of the poses is not one; nothing moved.
        """
        self._writer()
        for pose in poses.values():
            check_pose(pose)
        epoch = self._structure.move(
            map_id, poses, lambda: self._store.move_anchors(map_id, poses, reason=reason)
        )
        self._index.committed()
        return epoch

    def tell_floor_plan(self, plan: FloorPlan) -> None:
        """Say which rooms a map has; from now on rooms are told apart by it.

        A later plan of the same map takes its place, as after a correction of the map. Without
        one, rooms are told apart by what is seen together.

        Args:
            plan: The rooms, floor by floor.

        Raises:
            StorageFull: It cannot be written.
        """
        self._writer()
        self._plans.tell(plan)
        self._structure.plan_floors(self._plans.by_map)

    # -- recalling --------------------------------------------------------------------------

    def _view(self) -> View:
        if self._closed:
            raise MemoryClosed(f"the memory in {self.folder} was closed")
        if self.read_only and self._index.follow():
            self._structure.forget()
            if self._plans.follow():
                self._structure.plan_floors(self._plans.by_map)
        return self._index if self._index.ready else self._scan

    def recall(
        self,
        query: Query | str,
        *,
        mode: Literal["attention", "flat", "scene"] = "attention",
        explain: bool = True,
        **options: Any,
    ) -> Recall:
        """What is remembered that fits a query.

        Args:
            query: A `Query`, or its words.
            mode: `attention`: hierarchical chunk attention over what is remembered, things that
                were seen and observations' own words alike. `flat`: observations by their own
                words and vectors alone, for comparison. `scene`: things that were seen alone.
            explain: Give evidence its path through the forest; without, it is a little quicker.
            **options: Fields of `Query`, where words were given.

        Returns:
            Evidence, best first.

        Raises:
            InvalidQuery: The query contradicts itself or passes a limit.
            DimensionMismatch: A query vector has another length than its space.
        """
        if isinstance(query, str):
            query = Query(text=query, **options)
        elif options:
            query = dataclasses.replace(query, **options)
        check_query(query)
        view = self._view()
        if mode == "flat" or not query.text or query.vectors:
            return self._flat(view, query)
        scene = self._structure.scene(view, query)
        found = None if scene is None else recall_scene(scene, query, self._encode)
        if found is None or (mode != "scene" and self.holds_texts()):
            told = self._attend(view, query)
            found = told if found is None else join(found, told)
        return explained(found, self._structure.organiser) if explain else found

    def _attend(self, view: View, query: Query) -> Recall:
        """Observations by attention; flat where attention cannot be had yet."""
        ready = self._intake.with_vectors(query)
        found = self._structure.attend(view, ready)
        return found if found is not None else self._flat(view, query)

    def _flat(self, view: View, query: Query) -> Recall:
        total = self._store.count() if query.filters == Filters() else 0
        return flat.recall(self._store, view, self._intake.with_vectors(query), total=total)

    @property
    def _encode(self) -> Callable[[Sequence[str]], FloatArray] | None:
        return None if self._encoder is None else self._encoder.encode

    def ask(
        self,
        question: str,
        *,
        now_ns: int | None = None,
        zone: str = "UTC",
        model: LanguageModel | None = None,
    ) -> Answer:
        """Answer a question in plain English from what is remembered.

        Args:
            question: What is asked.
            now_ns: The moment it is asked, nanoseconds since the epoch; by default the clock's.
            zone: The time zone it is asked in (IANA name or offset).
            model: A language model that may rewrite the question and word the answer.

        Returns:
            An answer with its evidence; `abstained` where there is none.

        Raises:
            InvalidQuery: The question is empty or too long, or the zone is unknown.
            ModelReplyInvalid: The language model's replies did not fit their schema.
        """
        if model is not None:
            question = rewrite(model, question)
        context = self.understand(question, now_ns=now_ns, zone=zone)
        answered = self._traced(answer(context))
        return word(model, context.question.text, answered) if model is not None else answered

    def understand(self, question: str, *, now_ns: int | None = None, zone: str = "UTC") -> Context:
        """What a question asks, grounded in what is remembered: the beginning of an answer.

        Args:
            question: What is asked.
            now_ns: The moment it is asked, nanoseconds since the epoch; by default the clock's.
            zone: The time zone it is asked in (IANA name or offset).

        Raises:
            InvalidQuery: The question is empty or too long, or the zone is unknown.
        """
        now = time.time_ns() if now_ns is None else now_ns
        check_stamp(now)
        where = times.zone(zone)
        view = self._view()
        labels = self._store.names("label")
        masked, held = take_names(question, labels)
        read = anchored.read(masked, labels, held, now_ns=now, where=where)
        named = put_back(read, held)
        along = named.names if labels else (named.phrase,) if named.phrase else ()
        understood = put_back(by_meaning(read, self._encoder, along=along), held)
        scene = self._structure.scene(view, Query(text=understood.text), things=understood.names)
        return Context(self, understood, now, where, scene, self._encode)

    def _traced(self, answered: Answer) -> Answer:
        """An answer whose evidence says what share of it it bears, and its path from the root."""
        return dataclasses.replace(answered, evidence=self.traced(answered.evidence))

    def traced(self, evidence: Sequence[Evidence]) -> tuple[Evidence, ...]:
        """Evidence with its share of the attention, and its path from the root; noted as used."""
        total = sum(item.weight for item in evidence)
        shares = [
            dataclasses.replace(item, attention=item.weight / total if total > 0 else 0.0)
            for item in evidence
        ]
        self._structure.note_use([item.observation.id for item in evidence])
        return with_paths(shares, self._structure.organiser)

    def select(self, filters: Filters) -> IntArray:
        """Numbers of the observations that satisfy filters, ascending."""
        check_filters(filters)
        return self._view().select(filters)

    def evidence(self, stored: Stored, weight: float = 1.0) -> Evidence:
        """An observation as evidence."""
        return flat.weigh(stored, Query(), weight)

    def scene(self) -> Scene | None:
        """The things this memory knows; None where nothing with a label was seen."""
        return self._structure.scene(self._view(), Query(text="everything"))

    def holds_texts(self) -> bool:
        """Whether any observation has words of its own, body state aside."""
        return self._structure.holds_texts()

    def holds_words(self) -> bool:
        """Whether anything was captioned, noted or detected."""
        return self.holds_texts() or self._structure.holds_sightings()

    def pose_at(self, stamp_ns: int, *, robot: str | None = None) -> Pose | None:
        """Where a robot was at a moment, interpolated along its path.

        Args:
            stamp_ns: Nanoseconds since the epoch.
            robot: Which robot; None where there is one.

        Returns:
            Its pose in the map; None before the first and after the last observation.

        Raises:
            InvalidQuery: Several robots are remembered and none was named.
        """
        self._view()
        path = trajectory(self, robot)
        robots = sorted({step.run[0] for step in path})
        if len(robots) > 1:
            raise InvalidQuery(f"several robots are remembered; name one of {', '.join(robots)}")
        place = bisect.bisect_left(path, stamp_ns, key=lambda step: step.stamp_ns)
        if place < len(path) and path[place].stamp_ns == stamp_ns:
            return path[place].pose
        if not 0 < place < len(path) or path[place - 1].run != path[place].run:
            return None
        before, after = path[place - 1], path[place]
        share = (stamp_ns - before.stamp_ns) / (after.stamp_ns - before.stamp_ns)
        return interpolate(before.pose, after.pose, share)

    def observation(self, observation_id: str) -> Evidence | None:
        """One observation by id, with its place in the map; None where it is not stored."""
        self._view()
        rowid = self._store.rowids_of([observation_id]).get(observation_id)
        found = self._store.fetch([rowid]) if rowid is not None else []
        return self.evidence(found[0]) if found else None

    def vectors_of(self, ids: Sequence[str], *, space: str = TEXT_SPACE) -> dict[str, FloatArray]:
        """The vectors of a space that given observations have, each of shape (d,), unit length.

        Args:
            ids: Of observations; those that are unknown or have none are left out.
            space: Its name.
        """
        numbers = self._store.rowids_of(ids)
        holder = self._index if self._index.ready else self._store
        rowids, vectors = holder.vectors_of(space, sorted(numbers.values()))
        found = dict(zip(rowids.tolist(), vectors, strict=True))
        return {name: found[number] for name, number in numbers.items() if number in found}

    def recognise(
        self,
        image: FloatArray,
        *,
        filters: Filters | None = None,
        shortlist: int = SHORTLIST,
        pause_s: float = 0.0,
    ) -> list[Recognised]:
        """Where a picture was taken: stored pictures that show the same, the surest first.

        Args:
            image: Shape (h, w, 3) RGB or (h, w) grey, uint8; from any camera, at any time.
            filters: Only among observations that satisfy these.
            shortlist: How many stored pictures are compared; each takes some 30 ms of a core.
            pause_s: So long before each of them, others have the processor.

        Returns:
            Empty where nothing alike is stored.

        Raises:
            InvalidImage: It is not a picture.
            EmptyMemory: No stored picture was described for its place.
            NotInstalled: OpenCV is missing.
        """
        view = self._view()
        allowed = None if filters is None else self.select(filters)
        return recognise(
            view, self._store, image, allowed=allowed, shortlist=shortlist, pause_s=pause_s
        )

    def keyframe(self, observation_id: str) -> Keyframe | None:
        """The picture of an observation; None where it has none."""
        return self._store.keyframe(observation_id)

    # -- forgetting, checking, copying ------------------------------------------------------

    def forget(
        self,
        *,
        ids: Sequence[str] = (),
        filters: Filters | None = None,
        text: str | None = None,
        min_weight: float = 0.5,
        older_than_ns: int | None = None,
        reason: str,
        dry_run: bool = False,
    ) -> Removal | int:
        """Remove observations, with a committed record of what went and why.

        What structure learnt from them alone goes too. Of observations that were consolidated or
        retired before, nothing is left but what structure holds: with a span (and nothing else
        named) the events within it go as well; stays of things are kept.

        Args:
            ids: Exactly these.
            filters: All that satisfy these (a region, a span, a source).
            text: Among them, those that mean or say this with at least `min_weight`.
            min_weight: Cosine of meaning, 0 to 1, for `text`.
            older_than_ns: Only what is older than this moment.
            reason: Kept with the record.
            dry_run: Count only.

        Returns:
            The record; with `dry_run` how many would go.

        Raises:
            InvalidQuery: Nothing was named, or an id is unknown.
            MemoryReadOnly: The memory is open read-only.
        """
        self._writer()
        if not reason.strip():
            raise InvalidQuery("forgetting needs a reason; it is kept with the record")
        rowids = self._selected(ids, filters, text, min_weight, older_than_ns)
        if dry_run:
            return len(rowids)
        selection = {
            "ids": list(ids)[:100],
            "filters": dataclasses.asdict(filters) if filters else None,
            "text": text,
            "older_than_ns": older_than_ns,
        }
        removal = self._structure.without(
            rowids,
            lambda: self._store.remove(rowids, kind="forget", reason=reason, selection=selection),
            span=_whole_span(ids, filters, text, older_than_ns),
        )
        self._index.committed()
        return removal

    def _selected(
        self,
        ids: Sequence[str],
        filters: Filters | None,
        text: str | None,
        min_weight: float,
        older_than_ns: int | None,
    ) -> list[int]:
        if not ids and filters in (None, Filters()) and text is None and older_than_ns is None:
            raise InvalidQuery("nothing to forget was named: give ids, a filter, words or an age")
        if ids:
            if filters not in (None, Filters()) or text is not None or older_than_ns is not None:
                raise InvalidQuery("name ids or conditions to forget by, not both")
            known = self._store.rowids_of(ids)
            missing = [item for item in ids if item not in known]
            if missing:
                raise InvalidQuery(f"{len(missing)} ids are not stored, first {missing[0]!r}")
            return list(known.values())
        filters = filters or Filters()
        if older_than_ns is not None:
            check_stamp(older_than_ns)
            span = filters.span or TimeSpan()
            end = min(older_than_ns - 1, span.end_ns if span.end_ns is not None else older_than_ns)
            filters = dataclasses.replace(filters, span=TimeSpan(span.start_ns, end))
        check_filters(filters)
        view = self._view()
        allowed = view.select(filters)
        if text is None:
            return [int(rowid) for rowid in allowed]
        query = self._intake.with_vectors(Query(text=text))
        chosen: set[int] = set()
        for space, vector in query.vectors.items():
            hits = view.nearest(space, vector, len(allowed), allowed)
            keep = hits.scores >= min_weight
            chosen.update(int(rowid) for rowid in hits.rowids[keep])
        if not query.vectors:  # by spelling: every word must be there
            chosen.update(flat.lexical(self._store, text, allowed, len(allowed), every=True))
        return sorted(chosen)

    def removals(self) -> list[Removal]:
        """Every removal ever committed, oldest first."""
        return self._store.removals()

    def verify(self) -> integrity.Verification:
        """Read every page and prove that stored + removed = acknowledged."""
        self._view()
        held, version = len(self._index), self._store.counter("commits")
        result = integrity.verify(self._store)
        comparable = self._index.ready and self._store.counter("commits") == version
        if comparable and not result.problems and held != result.stored:
            result.problems.append(
                f"the index holds {held} observations, {result.stored} are stored; "
                "delete the folder index/"
            )
        return result

    @staticmethod
    def repair(
        folder: str | Path,
        *,
        unchecked: bool = False,
        progress: integrity.Progress | None = None,
    ) -> integrity.Repair:
        """Make a damaged memory usable again; see `memory_core.episodic.integrity.repair`."""
        path = Path(folder)
        if not (path / DATABASE).exists():
            raise MemoryMissing(f"there is no memory in {path}")
        lock = WriterLock(path)
        try:
            return integrity.repair(path, unchecked=unchecked, progress=progress)
        finally:
            lock.release()

    def backup(
        self, target: str | Path, *, progress: Callable[[int, int], None] | None = None
    ) -> Path:
        """Copy the memory to another folder while it is in use.

        Args:
            target: A folder that does not exist yet, or is empty.
            progress: Called with (pages done, pages in all).

        Raises:
            InvalidQuery: Something lies there already.
            StorageFull: The disk refused.
        """
        folder = Path(target)
        if folder.exists() and any(folder.iterdir()):
            raise InvalidQuery(f"{folder} is not empty; name a new folder for the backup")
        folder.mkdir(parents=True, exist_ok=True)
        try:
            self._store.backup(folder / DATABASE, progress=progress)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        source = self.folder / "format.json"
        if source.exists():
            shutil.copyfile(source, folder / "format.json")
        if (self.folder / FLOOR_PLANS).exists():
            shutil.copytree(self.folder / FLOOR_PLANS, folder / FLOOR_PLANS)
        return folder

    def export(
        self,
        target: str | Path,
        *,
        format: Literal["jsonl", "mcap"] = "jsonl",
        records: bool = False,
        progress: exchange.Progress | None = None,
    ) -> int:
        """Write all of it to a file; JSON Lines come back exactly with `ingest`.

        Args:
            target: The file; `.gz` compresses JSON Lines.
            format: `jsonl` for all of it, `mcap` for Foxglove.
            records: With entities, places, events, facts and the forest as records, for other
                programs; `ingest` passes over them, as it makes them anew.
            progress: Called with the observations written so far.

        Returns:
            How many observations were written.

        Raises:
            NotInstalled: The packages that write `mcap` are missing.
        """
        self._view()
        made: list[exchange.Record] = []
        if records or format == "mcap":
            self.organise()
        if records:
            made = [
                *self.entities(), *self.places(), *self.events(), *self.facts(), *self.forest()
            ]  # fmt: skip
        if format == "jsonl":
            return exchange.export_json_lines(
                self._store, Path(target), records=made, progress=progress
            )
        try:
            from memory_core.episodic.foxglove import export_mcap
        except ImportError as error:
            raise NotInstalled.part(error.name or "mcap", "recordings") from error
        return export_mcap(
            self._store, Path(target), path=trajectory(self), entities=self.entities(),
            places=self.places(), records=made, progress=progress,
        )  # fmt: skip

    def reembed(
        self,
        encoder: TextEncoder | None = None,
        *,
        progress: Callable[[int, int], None] | None = None,
    ) -> int:
        """Make the text vectors anew.

        Args:
            encoder: What makes them, and is the memory's encoder from then on; by default the
                one it was opened with. To change models, open it with `text_encoder=None`.
            progress: Called with (observations read, observations in all).

        Returns:
            How many vectors were made.

        Raises:
            InvalidQuery: There is no encoder.
        """
        self._writer()
        encoder = encoder or self._encoder
        if encoder is None:
            raise InvalidQuery("re-embedding needs a text encoder; none was given")
        vectors: list[tuple[int, FloatArray]] = []
        total, pending, seen = self._store.count(), [], 0
        for rowid in [*self._store.rowids(), -1]:
            if rowid >= 0:
                pending.append(rowid)
            if len(pending) < ENCODE_BATCH and rowid >= 0:
                continue
            worded = [
                (stored.rowid, sentence)
                for stored in self._store.fetch(pending)
                if (sentence := describe(stored.observation))
            ]
            if worded:
                made = encoder.encode([sentence for _, sentence in worded])
                vectors += [(row, vec) for (row, _), vec in zip(worded, made, strict=True)]
            seen += len(pending)
            pending = []
            if progress:
                progress(seen, total)
        made_count = self._structure.reembed(
            encoder, lambda: self._store.replace_embeddings(TEXT_SPACE, encoder.space, vectors)
        )
        self._encoder = encoder
        self._intake = Intake(self._store, encoder=encoder, image_encoder=self._image_encoder)
        self._structure.close()
        self._structure = self._new_structure()
        self._index.close()
        shutil.rmtree(self.folder / "index", ignore_errors=True)
        self._index = MemoryIndex(self._store, self.folder / "index", gpu=self._gpu)
        return made_count

    # -- structure --------------------------------------------------------------------------

    def entities(self) -> list[Entity]:
        """Every physical thing known, with the history of where it was, by id."""
        self._view()
        with self._structure.reading() as organiser:
            return organiser.entities()

    def places(self) -> list[Place]:
        """The regions of space the robot knows, by number."""
        self._view()
        with self._structure.reading() as organiser:
            return [organiser.place(number) for number in sorted(organiser.places.places)]

    def events(self) -> list[Event]:
        """What happened: runs of observations that belong together, by start."""
        self._view()
        with self._structure.reading() as organiser:
            return organiser.episodes.events()

    def facts(self) -> list[Fact]:
        """What is on, in, next to, left of, part of or seen with what, as far as one knows."""
        self._view()
        with self._structure.reading() as organiser:
            return organiser.facts.facts()

    def forest(self) -> list[ForestNode]:
        """The semantic forest: roots first, one for each floor or site, then level by level."""
        self._view()
        with self._structure.reading() as organiser:
            return organiser.forest_nodes()

    def organise(self, *, progress: Callable[[int, int], None] | None = None) -> int:
        """Turn every observation that is pending into structure; returns how many were taken.

        It also happens by itself: at a question where little is pending, else in the background.

        Args:
            progress: Called with (observations taken, about how many there are to take).
        """
        self._view()
        return self._structure.organise(progress=progress)

    @property
    def pending(self) -> int:
        """Observations that are on disk and not organised yet: what structure is behind by."""
        self._view()
        return self._structure.organiser.pending

    def wait(self) -> None:
        """Wait until what runs in the background is done: indexes, structure, attention."""
        self._index.wait()
        self._structure.wait()

    def consolidate(
        self, *, lag_s: float | None = None, progress: Callable[[int, int], None] | None = None
    ) -> Consolidated:
        """Organise what is pending, let repetitions go, and keep within the retention bound.

        It also happens by itself, in the background, as observations come.

        Args:
            lag_s: What is younger than this stays as it is, seconds; None for 600.
            progress: Called with (observations passed, observations there are).

        Returns:
            What was considered and what went, each with a committed record.

        Raises:
            MemoryReadOnly: The memory is open read-only.
        """
        self._writer()
        return self._structure.consolidate(lag_s=lag_s, progress=progress)

    def tell_forest(
        self, model: LanguageModel, *, progress: Callable[[int, int], None] | None = None
    ) -> int:
        """Have a language model name and summarise every area of the forest, and keep that.

        It holds until something in the area changes; then the area's own words are back until it
        is told anew.

        Args:
            model: Asked once an area, once more where its reply does not fit.
            progress: Called with (areas told, areas there are).

        Returns:
            How many areas were told.

        Raises:
            ModelReplyInvalid: Neither reply fits; what was told before stays.
            EncodingError: The model failed.
            MemoryReadOnly: The memory is open read-only.
        """
        self._writer()
        return self._structure.tell_forest(model, progress=progress)

    # -- what is stored ---------------------------------------------------------------------

    def lost_ns(self, robot: str = "robot") -> int | None:
        """When a robot observed last, if it did not know its place in the map then.

        Args:
            robot: Its name, as observations carry it.

        Returns:
            Nanoseconds since the epoch; None where it knew its place, or never observed.
        """
        return self._store.lost_ns(robot)

    def info(self) -> Json:
        """Counts, span, area, size, models, recordings, refusals and removals, as JSON."""
        self._view()
        return summarise(self)


def _whole_span(
    ids: Sequence[str], filters: Filters | None, text: str | None, older_than_ns: int | None
) -> TimeSpan | None:
    """The span of time that is to be forgotten as a whole; None where it is only a part of it."""
    if ids or text is not None:
        return None
    if older_than_ns is not None:
        return TimeSpan(None, older_than_ns - 1) if filters in (None, Filters()) else None
    if filters is None or filters.span is None:
        return None
    return filters.span if filters == Filters(span=filters.span) else None


def _encoder(wanted: TextEncoder | Literal["default"] | None) -> TextEncoder | None:
    if wanted != "default":
        return wanted
    try:
        return SentenceEncoder()
    except NotInstalled as error:
        _log.warning("%s; words are found by spelling only", error)
        return None


def _check_space(store: EpisodicStore, name: str, wanted: EmbeddingSpace, folder: Path) -> None:
    known = store.spaces().get(name)
    if known is not None and known.model != "given" and known != wanted:
        remedy = f"or make them anew: robot-memory reembed --memory {folder}"
        if name != TEXT_SPACE:
            remedy = "or read the recordings into a new memory"
        raise EncoderMismatch(
            f"the {name} vectors in {folder} were made with {known.model} (revision "
            f"{known.revision}, {known.dimension} numbers), this is {wanted.model} "
            f"({wanted.revision}, {wanted.dimension}); open it with that model, {remedy}"
        )


def _acknowledgement(written: Written, refused: list[Refusal]) -> Acknowledgement:
    return Acknowledgement(
        tuple(item.id for item in written.observations), written.known, tuple(refused)
    )
