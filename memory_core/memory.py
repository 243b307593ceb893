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

import numpy as np

from memory_core.answering.answers import answer
from memory_core.answering.grounding import Context
from memory_core.answering.with_model import rewrite, word
from memory_core.episodic import exchange, integrity
from memory_core.episodic import recall as flat
from memory_core.episodic.commit import GroupCommitter
from memory_core.episodic.index import DatabaseScan, MemoryIndex, View
from memory_core.episodic.ledger import Removal
from memory_core.episodic.lock import WriterLock
from memory_core.episodic.rows import Stored, pack_vector
from memory_core.episodic.session import DATABASE
from memory_core.episodic.store import EpisodicStore, Written
from memory_core.episodic.summary import summarise, trajectory
from memory_core.errors import (
    DimensionMismatch,
    EncoderMismatch,
    InputRejected,
    InvalidImage,
    InvalidQuery,
    MemoryClosed,
    MemoryMissing,
    MemoryReadOnly,
    NotInstalled,
    RobotMemoryError,
    StorageFull,
    UnknownFrame,
)
from memory_core.language import times
from memory_core.language.model import LanguageModel
from memory_core.language.questions import parse_question
from memory_core.perception.image import ImageEncoder
from memory_core.perception.keyframes import decode_image
from memory_core.perception.text import SentenceEncoder, TextEncoder
from memory_core.recordings.transforms import interpolate
from memory_core.semantic.keeper import SceneKeeper, join
from memory_core.semantic.recall import recall_scene
from memory_core.semantic.scene import Scene
from memory_core.types import (
    Acknowledgement,
    Answer,
    EmbeddingSpace,
    Evidence,
    Filters,
    FloatArray,
    IntArray,
    Json,
    Keyframe,
    Observation,
    Pose,
    Query,
    Recall,
    Refusal,
    TimeSpan,
)
from memory_core.validation import (
    check_filters,
    check_observation,
    check_pose,
    check_query,
    check_stamp,
)

_log = logging.getLogger(__name__)

TEXT_SPACE = "text"
IMAGE_SPACE = "image"
DEFAULT_WINDOW_S = 0.05
DEFAULT_KEYFRAME_BUDGET = 20 * 10**9
_ENCODE_BATCH = 256


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
        self._anchors = {(m, a) for m, a, _ in store.anchor_poses().values()}
        self._scan = DatabaseScan(store)
        self._scenes = SceneKeeper(store, encoder)
        self._committer = (
            GroupCommitter(self._commit, window_s=commit_window_s) if lock is not None else None
        )

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
                keyframe_budget_bytes=keyframe_budget_bytes, gpu=gpu,
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
                ready = self._prepare([observations], None)
            except InputRejected as error:
                self._count([Refusal(str(observations.id), error.code, str(error))])
                raise
            written = committer.submit(ready, urgent=True).result()
            return _acknowledgement(written, [])
        refused: list[Refusal] = []
        ready = self._prepare(list(observations), refused)
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
            ready = self._prepare([observation], None)
        except InputRejected as error:
            self._count([Refusal(str(observation.id), error.code, str(error))])
            raise
        return committer.submit(ready, urgent=False)

    def _count(self, refused: list[Refusal]) -> None:
        try:
            self._store.count_refusals(refused)
        except StorageFull:
            _log.warning("%d refusals could not be counted: the disk is full", len(refused))

    def count_refusals(self, refused: Iterable[Refusal]) -> None:
        """Add inputs that a reader refused to the memory's own counts."""
        self._writer()
        self._count(list(refused))

    def _prepare(
        self, observations: list[Observation], refused: list[Refusal] | None
    ) -> list[Observation]:
        """Check, then give every observation with words its text vector."""
        spaces = {name: space.dimension for name, space in self._store.spaces().items()}
        good = []
        for item in observations:
            try:
                self._check(item, spaces)
            except InputRejected as error:
                if refused is None:
                    raise
                refused.append(Refusal(str(item.id), error.code, str(error)))
                continue
            for name, vector in item.embeddings.items():
                spaces.setdefault(name, len(vector))
            good.append(item)
        return self._embed_pictures(self._embed(good))

    def _embed_pictures(self, observations: list[Observation]) -> list[Observation]:
        """Give every observation with a picture its image vector, where there is an encoder."""
        encoder = self._image_encoder
        if encoder is None:
            return observations
        result, places, pictures = list(observations), [], []
        for place, item in enumerate(observations):
            if item.keyframe is None or IMAGE_SPACE in item.embeddings:
                continue
            try:
                pictures.append(decode_image(item.keyframe.jpeg))
            except InvalidImage as error:  # kept as it is: the bytes are what was recorded
                _log.warning("the picture of %s cannot be searched: %s", item.id, error)
                continue
            places.append(place)
        if not places:
            return result
        if IMAGE_SPACE not in self._store.spaces():
            self._store.ensure_space(IMAGE_SPACE, encoder.space)
        for place, vector in zip(places, encoder.encode_images(pictures), strict=True):
            embeddings = {**result[place].embeddings, IMAGE_SPACE: vector}
            result[place] = dataclasses.replace(result[place], embeddings=embeddings)
        return result

    def _check(self, item: Observation, spaces: Mapping[str, int]) -> None:
        check_observation(item)
        if (item.map_id, item.anchor_id) not in self._anchors and (
            self._store.anchor_number(item.map_id, item.anchor_id) is None
        ):
            raise UnknownFrame(
                f"anchor {item.anchor_id!r} of map {item.map_id!r} is unknown; add it first with "
                f"add_anchor (observation {item.id!r})"
            )
        self._anchors.add((item.map_id, item.anchor_id))
        for name, vector in item.embeddings.items():
            wanted = spaces.get(name)
            if name == TEXT_SPACE and wanted is None and self._encoder is not None:
                wanted = self._encoder.space.dimension
            if np.ndim(vector) != 1 or (wanted is not None and len(vector) != wanted):
                raise DimensionMismatch(
                    f"vector of space {name!r} has shape {np.shape(vector)}; expected "
                    f"({wanted or 'd'},) (observation {item.id!r})"
                )
            pack_vector(np.asarray(vector), wanted)  # refuses what is not finite, or zero
        for sighting in item.sightings:
            if sighting.embedding is not None:
                pack_vector(np.asarray(sighting.embedding))

    def _embed(self, observations: list[Observation]) -> list[Observation]:
        if self._encoder is None:
            return observations
        wanted = [
            (place, sentence)
            for place, item in enumerate(observations)
            if TEXT_SPACE not in item.embeddings and (sentence := describe(item))
        ]
        if not wanted:
            return observations
        if TEXT_SPACE not in self._store.spaces():
            self._store.ensure_space(TEXT_SPACE, self._encoder.space)
        result = list(observations)
        for start in range(0, len(wanted), _ENCODE_BATCH):
            part = wanted[start : start + _ENCODE_BATCH]
            vectors = self._encoder.encode([sentence for _, sentence in part])
            for (place, _), vector in zip(part, vectors, strict=True):
                item = result[place]
                result[place] = dataclasses.replace(
                    item, embeddings={**item.embeddings, TEXT_SPACE: vector}
                )
        return result

    def _commit(self, observations: Sequence[Observation]) -> Written:
        written = self._store.write(observations)
        if written.rowids:
            self._after_commit(written)
        return written

    def _after_commit(self, written: Written) -> None:
        """Make what is on disk visible; trouble here is not the commit's, which stands."""
        self._scenes.forget()
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
        self._anchors.add((map_id, anchor_id))
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
        epoch = self._store.move_anchors(map_id, poses, reason=reason)
        self._scenes.forget()
        self._index.committed()
        return epoch

    # -- recalling --------------------------------------------------------------------------

    def _view(self) -> View:
        if self._closed:
            raise MemoryClosed(f"the memory in {self.folder} was closed")
        if self.read_only and self._index.follow():
            self._scenes.forget()
        return self._index if self._index.ready else self._scan

    def recall(
        self,
        query: Query | str,
        *,
        mode: Literal["auto", "flat", "scene"] = "auto",
        **options: Any,
    ) -> Recall:
        """What is remembered that fits a query.

        Args:
            query: A `Query`, or its words.
            mode: `flat` ranks observations by their own words and vectors; `scene` ranks the
                things that were seen and the standpoints that see them; `auto` takes the scene
                where things with labels were seen and words are asked for, and joins both where
                observations have words of their own.
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
        if mode != "flat" and query.text and not query.vectors:
            scene = self._scenes.scene(view, query)
            if scene is not None:
                found = recall_scene(scene, query, self._encode)
                if mode == "scene" or not self.holds_texts():
                    return found
                return join(found, self._flat(view, query))
        return self._flat(view, query)

    def _flat(self, view: View, query: Query) -> Recall:
        total = self._store.count() if query.filters == Filters() else 0
        return flat.recall(self._store, view, self._with_vectors(query), total=total)

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
        now = time.time_ns() if now_ns is None else now_ns
        check_stamp(now)
        where = times.zone(zone)
        view = self._view()
        if model is not None:
            question = rewrite(model, question)
        understood = parse_question(question, now_ns=now, where=where)
        named = [*understood.things, *([understood.place.thing] if understood.place.thing else [])]
        scene = self._scenes.scene(view, Query(text=understood.text), things=named)
        context = Context(self, understood, now, where, scene, self._encode)
        answered = answer(context)
        return word(model, understood.text, answered) if model is not None else answered

    def select(self, filters: Filters) -> IntArray:
        """Numbers of the observations that satisfy filters, ascending."""
        check_filters(filters)
        return self._view().select(filters)

    def evidence(self, stored: Stored, weight: float = 1.0) -> Evidence:
        """An observation as evidence."""
        return flat.weigh(stored, Query(), weight)

    def scene(self) -> Scene | None:
        """The things this memory knows; None where nothing with a label was seen."""
        return self._scenes.scene(self._view(), Query(text="everything"))

    def holds_texts(self) -> bool:
        """Whether any observation has words of its own, body state aside."""
        return self._scenes.holds_texts()

    def holds_words(self) -> bool:
        """Whether anything was captioned, noted or detected."""
        return self.holds_texts() or self._scenes.holds_sightings()

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

    def _with_vectors(self, query: Query) -> Query:
        spaces = self._store.spaces()
        for name, vector in query.vectors.items():
            if name not in spaces:
                known = ", ".join(spaces) or "none"
                raise InvalidQuery(f"there is no vector space {name!r}; known: {known}")
            if np.shape(vector) != (spaces[name].dimension,):
                raise DimensionMismatch(
                    f"query vector of space {name!r} has shape {np.shape(vector)}; expected "
                    f"({spaces[name].dimension},)"
                )
            pack_vector(np.asarray(vector))  # refuses what is not finite, or zero
        if not query.text or query.vectors:
            return query
        vectors = {
            name: encoder.encode([query.text])[0]
            for name, encoder in ((TEXT_SPACE, self._encoder), (IMAGE_SPACE, self._image_encoder))
            if encoder is not None and spaces.get(name) == encoder.space
        }
        return dataclasses.replace(query, vectors=vectors)

    def observation(self, observation_id: str) -> Evidence | None:
        """One observation by id, with its place in the map; None where it is not stored."""
        self._view()
        rowid = self._store.rowids_of([observation_id]).get(observation_id)
        found = self._store.fetch([rowid]) if rowid is not None else []
        return self.evidence(found[0]) if found else None

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
        removal = self._store.remove(rowids, kind="forget", reason=reason, selection=selection)
        self._scenes.forget()
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
        query = self._with_vectors(Query(text=text))
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
        folder: str | Path, *, progress: integrity.Progress | None = None
    ) -> integrity.Repair:
        """Make a damaged memory usable again; see `memory_core.episodic.integrity.repair`."""
        path = Path(folder)
        if not (path / DATABASE).exists():
            raise MemoryMissing(f"there is no memory in {path}")
        lock = WriterLock(path)
        try:
            return integrity.repair(path, progress=progress)
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
        return folder

    def export(
        self,
        target: str | Path,
        *,
        format: Literal["jsonl", "mcap"] = "jsonl",
        progress: exchange.Progress | None = None,
    ) -> int:
        """Write all of it to a file; JSON Lines come back exactly with `ingest`.

        Args:
            target: The file; `.gz` compresses JSON Lines.
            format: `jsonl` for all of it, `mcap` for other tools.
            progress: Called with the observations written so far.

        Returns:
            How many observations were written.
        """
        self._view()
        write = exchange.export_mcap if format == "mcap" else exchange.export_json_lines
        return write(self._store, Path(target), progress=progress)

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
            if len(pending) < _ENCODE_BATCH and rowid >= 0:
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
        made_count = self._store.replace_embeddings(TEXT_SPACE, encoder.space, vectors)
        self._encoder = encoder
        self._scenes = SceneKeeper(self._store, encoder)
        self._index.close()
        shutil.rmtree(self.folder / "index", ignore_errors=True)
        self._index = MemoryIndex(self._store, self.folder / "index", gpu=self._gpu)
        return made_count

    # -- what is stored ---------------------------------------------------------------------

    def info(self) -> Json:
        """Counts, span, area, size, models, recordings, refusals and removals, as JSON."""
        self._view()
        return summarise(self)


def describe(observation: Observation) -> str:
    """The sentence that stands for an observation in the text space; empty without words."""
    if observation.text:
        return observation.text
    labels = sorted({sighting.label for sighting in observation.sightings})
    return ", ".join(labels[:40])


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
