"""What recall searches: columns and vector indexes in RAM, kept level with the database.

`MemoryIndex` follows the store: after a commit of its own process at once, after one of another
process at the next question. Where the cache cannot be trusted it is rebuilt by a thread, and
until then `DatabaseScan` answers from the database itself: slower, equally exact.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from memory_core.episodic.cache import IndexCache, Watermark
from memory_core.episodic.columns import Columns, bounds_of
from memory_core.episodic.gpu import FaissGpuIndex, FallingBackIndex, gpu_available
from memory_core.episodic.store import EpisodicStore
from memory_core.episodic.vectors import CpuIndex, Hits, VectorIndex, best
from memory_core.errors import RobotMemoryError
from memory_core.types import BoolArray, EmbeddingSpace, Filters, FloatArray, IntArray

_log = logging.getLogger(__name__)

SLICE = 20_000
INLINE_ROWS = 60_000
CHECKPOINT_ROWS = 50_000
ABSORB_ROWS = 1_000
GONE_ROWS = 1_000
LARGE_ROWS = 4_000_000

Names = Mapping[str, Mapping[str, Sequence[int]]]


class View(Protocol):
    """Exact selection by filters, and nearest vectors among what was selected."""

    def select(self, filters: Filters) -> IntArray:
        """Rowids that satisfy every filter, ascending."""

    def nearest(
        self,
        space: str,
        query: FloatArray,
        k: int,
        allowed: IntArray | None,
        *,
        probe: int | None = None,
    ) -> Hits:
        """The k nearest vectors of a space among allowed rowids (None: all that are stored).

        With `probe` about so many are compared, see `VectorIndex.search`.
        """

    def positions(self, rowids: IntArray) -> tuple[IntArray, FloatArray]:
        """Stamps, shape (n,), and map positions, shape (n, 3), NaN without a pose.

        What was removed meanwhile has stamp 0 and no position.
        """

    def rows(self, space: str) -> tuple[IntArray, Any, BoolArray | None]:
        """Every vector of a space in the order of arrival, removed ones perhaps included.

        Returns:
            Numbers of their observations, ascending, shape (n,), the vectors, shape (n, d), and
            which are not removed, shape (n,), the same array until that changes; None for all.
        """


def names_of(store: EpisodicStore) -> Names:
    """Names to numbers for filters; a map stands for its anchors."""
    maps: dict[str, list[int]] = {}
    for number, (map_id, _, _) in store.anchor_poses().items():
        maps.setdefault(map_id, []).append(number)
    kinds = ("robot", "session", "source")
    named = {
        kind: {name: (number,) for name, number in store.names(kind).items()} for kind in kinds
    }
    return {**named, "map": maps}


def _absorbable(index: CpuIndex) -> bool:
    """Whether enough rows stand outside the lists to be worth sorting in: one in a hundred."""
    return index.lists is not None and index.tail > max(ABSORB_ROWS, len(index.rowids) // 100)


class DatabaseScan:
    """`View` straight from the database, slice by slice."""

    def __init__(self, store: EpisodicStore) -> None:
        """Read from a store."""
        self._store = store

    def select(self, filters: Filters) -> IntArray:
        """See `View.select`."""
        names = names_of(self._store)
        anchors = {number: pose for number, (_, _, pose) in self._store.anchor_poses().items()}
        bounds = None if filters.region is None else bounds_of(filters.region)
        found, after = [], 0
        while rows := self._store.column_rows(after, SLICE, bounds=bounds):
            columns = Columns()
            columns.append(rows, anchors)
            found.append(columns.column("rowid")[columns.select(filters, names)])
            after = rows[-1][0]
        return np.concatenate(found) if found else np.empty(0, np.int64)

    def nearest(
        self,
        space: str,
        query: FloatArray,
        k: int,
        allowed: IntArray | None,
        *,
        probe: int | None = None,
    ) -> Hits:
        """See `View.nearest`."""
        unit = np.asarray(query, np.float32) / max(float(np.linalg.norm(query)), 1e-12)
        kept, scores, after = np.empty(0, np.int64), np.empty(0, np.float32), 0
        while True:
            rowids, vectors = self._store.embedding_rows(space, after, SLICE)
            if not len(rowids):
                return Hits(kept, scores)
            after = int(rowids[-1])
            found = vectors.astype(np.float32) @ unit
            if allowed is not None:
                inside = np.isin(rowids, allowed, assume_unique=True)
                rowids, found = rowids[inside], found[inside]
            kept, scores = np.concatenate([kept, rowids]), np.concatenate([scores, found])
            chosen = best(scores, k)
            kept, scores = kept[chosen], scores[chosen]

    def rows(self, space: str) -> tuple[IntArray, Any, BoolArray | None]:
        """See `View.rows`; nothing where there are more than can be read for one question."""
        none = np.empty(0, np.int64), np.empty((0, 0), np.float16), None
        if self._store.count() > SLICE:
            return none
        rowids, vectors = self._store.embedding_rows(space, 0, SLICE)
        return (rowids, vectors, None) if len(rowids) else none

    def positions(self, rowids: IntArray) -> tuple[IntArray, FloatArray]:
        """See `View.positions`."""
        stamps, places = np.zeros(len(rowids), np.int64), np.full((len(rowids), 3), np.nan)
        row_of = {rowid: row for row, rowid in enumerate(rowids.tolist())}
        for item in self._store.fetch(rowids.tolist()):
            row = row_of[item.rowid]
            stamps[row] = item.observation.stamp_ns
            if item.map_pose is not None:
                places[row] = item.map_pose.position
        return stamps, places


class MemoryIndex:
    """`View` in RAM."""

    def __init__(self, store: EpisodicStore, folder: Path, *, gpu: bool | None = None) -> None:
        """Load the cache and bring it level with the database, or begin to rebuild it.

        Args:
            store: The store to follow.
            folder: The cache's folder.
            gpu: Use a GPU; None where there is one.
        """
        self._store = store
        self._cache = IndexCache(folder)
        self._gpu = gpu_available() if gpu is None else gpu
        self._lock = threading.RLock()
        self._ready = threading.Event()
        self._stopping = threading.Event()
        self._worker: threading.Thread | None = None
        self._mark = Watermark()
        self._columns = Columns()
        self._indexes: dict[str, CpuIndex] = {}
        self._fast: dict[str, FallingBackIndex] = {}
        self._names: Names | None = None
        self._spaces: dict[str, EmbeddingSpace] = store.spaces()
        self._data_version = store.data_version()
        self._saved_rows = 0
        self._load()

    def _load(self) -> None:
        loaded = self._cache.load(self._store.spaces(), in_place=self._store.writable)
        if loaded is not None and loaded[0].rowid <= self._store.last_rowid():
            self._mark, self._columns, self._indexes = loaded
            self._saved_rows = len(self._columns)
            gone = self._columns.column("rowid")[~self._columns.column("alive")]
            for index in self._indexes.values():
                index.remove(gone)
            self._attach_gpu()
        elif self._store.writable:
            self._cache.clear()
            self._indexes = {}
        if self._store.last_rowid() - self._mark.rowid <= INLINE_ROWS:
            self._catch_up()
            self._ready.set()
            self._maybe_improve()
        else:
            self._start(self._rebuild)

    def _attach_gpu(self) -> None:
        if not self._gpu:
            return
        for name, index in self._indexes.items():
            if name not in self._fast:
                try:
                    self._fast[name] = FallingBackIndex(FaissGpuIndex(index.dimension), index)
                except Exception as error:  # a driver that cannot even start: stay on the CPU
                    _log.warning("no GPU index for %s: %s", name, error)
                    self._gpu = False

    # -- following the database -------------------------------------------------------------

    @property
    def ready(self) -> bool:
        """Whether the index stands for the whole database."""
        return self._ready.is_set()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until a rebuild and the training of lists are over."""
        done = self._ready.wait(timeout_s)
        worker = self._worker
        if worker is not None:
            worker.join(timeout_s)
            done = done and not worker.is_alive()
        return done

    def _start(self, work: object) -> None:
        if self._worker is None or not self._worker.is_alive():
            self._worker = threading.Thread(target=work, name="memory-index", daemon=True)  # type: ignore[arg-type]
            self._worker.start()

    def _rebuild(self) -> None:
        try:
            while not self._stopping.is_set():
                with self._lock:
                    if not self._catch_up(limit=SLICE):
                        self._ready.set()
                        break
            self._improve()
        except RobotMemoryError as error:
            _log.warning("the index could not be rebuilt: %s; recall reads the database", error)

    def committed(self) -> None:
        """Take what this process just committed."""
        if self._ready.is_set():
            with self._lock:
                self._names = None
                self._catch_up()
                if self._mostly_gone():
                    self._compact()
            self._maybe_improve()

    def _mostly_gone(self) -> bool:
        """Whether half as much was removed as is there: it costs room on disk and in RAM."""
        left = len(self)
        return len(self._columns) - left > max(GONE_ROWS, left // 2)

    def _compact(self) -> None:
        """Hold only what is there: at once where that is little, else like a rebuild."""
        if len(self) > INLINE_ROWS:
            if self._worker is None or not self._worker.is_alive():  # else at a later commit
                self.rebuild()
            return
        self._ready.clear()  # meanwhile the database answers
        try:
            self._begin_anew()
            self._cache.clear()
            self._catch_up()
        finally:
            self._ready.set()
        self._catch_up()  # what was committed while nobody took it

    def follow(self) -> bool:
        """Take what another process committed; True if it did."""
        version = self._store.data_version()
        if version == self._data_version or not self._ready.is_set():
            return False
        with self._lock:
            if self._store.spaces() != self._spaces:  # made anew by another model
                self._begin_anew()
            self._names = None
            self._catch_up()
            self._data_version = version
        self._maybe_improve()
        return True

    def _begin_anew(self) -> None:
        """Drop everything held; the next catching-up reads the whole database."""
        self._mark, self._columns = Watermark(), Columns()
        self._indexes, self._fast = {}, {}
        self._spaces, self._saved_rows = {}, 0

    def rebuild(self) -> None:
        """Make everything anew from the database, in the background; recall scans meanwhile."""
        with self._lock:
            self._ready.clear()
            self._begin_anew()
            self._cache.clear()
        self._start(self._rebuild)

    def _catch_up(self, limit: int | None = None) -> bool:
        """Take rows, vectors, removals and corrections past the watermark; True if rows came."""
        with self._store.reading():
            return self._take(limit)

    def _take(self, limit: int | None) -> bool:
        store = self._store
        anchors = {number: pose for number, (_, _, pose) in store.anchor_poses().items()}
        spaces = store.spaces()
        came, fresh = False, self._mark.rowid == 0
        while rows := store.column_rows(self._mark.rowid, limit or SLICE):
            last = rows[-1][0]
            for name, space in spaces.items():
                if name not in self._indexes:
                    self._indexes[name] = self._new_index(name, space.dimension)
                    self._attach_gpu()
                self._take_vectors(name, last)
            self._columns.append(rows, anchors)
            self._mark.rowid = last
            came = True
            if limit is not None:
                break
        if self._mark.anchor_pose:
            pose, moved, positions = store.moved_since(self._mark.anchor_pose)
            if len(moved):
                held = moved <= self._mark.rowid
                self._columns.replace_positions(moved[held], positions[held])
        else:  # what was just read stands at the anchors' current poses
            pose = store.last_anchor_pose()
        self._mark.anchor_pose = pose
        gone: list[int] = []
        if fresh:  # what was just read is what is left of all that was ever stored
            removal = store.last_removal()
        else:
            removal, gone = store.removed_since(self._mark.removal)
        if gone:
            self._columns.remove(gone)
            for name in self._indexes:
                self._index(name).remove(np.array(sorted(gone), np.int64))
        self._mark.removal = removal
        self._spaces = spaces
        return came

    def _new_index(self, name: str, dimension: int) -> CpuIndex:
        if not self._store.writable:
            return CpuIndex(dimension)
        path = self._cache.vectors_path(name)
        path.parent.mkdir(exist_ok=True)
        path.unlink(missing_ok=True)
        return CpuIndex(dimension, path=path)

    def _take_vectors(self, name: str, last: int) -> None:
        """Vectors up to a rowid; those taken before a failure are not taken twice."""
        held = self._indexes[name].rowids
        after = max(self._mark.rowid, int(held[-1]) if len(held) else 0)
        while after < last:
            rowids, vectors = self._store.embedding_rows(name, after, SLICE)
            keep = rowids <= last
            rowids, vectors = rowids[keep], vectors[keep]
            if not len(rowids):
                return
            self._index(name).add(rowids, vectors)
            after = int(rowids[-1])

    def _index(self, name: str) -> VectorIndex:
        return self._fast.get(name) or self._indexes[name]

    # -- lists and checkpoints --------------------------------------------------------------

    def _maybe_improve(self) -> None:
        if self._improvable():
            self._start(self._improve)

    def _improvable(self) -> bool:
        """Whether lists want training or extending, or a checkpoint is due."""
        return self._checkpoint_due() or any(
            index.wants_training() or _absorbable(index) for index in list(self._indexes.values())
        )

    def _checkpoint_due(self) -> bool:
        return len(self._columns) - self._saved_rows >= CHECKPOINT_ROWS

    def _improve(self) -> None:
        """Train or extend lists, then write a checkpoint; runs beside recall, until all is done."""
        try:
            while not self._stopping.is_set():
                trained = False
                for index in list(self._indexes.values()):
                    if index.wants_training():
                        index.train()
                        trained = True
                    elif _absorbable(index):
                        index.absorb()
                if self._stopping.is_set() or not self._ready.is_set():
                    return
                if trained or self._checkpoint_due():
                    self.checkpoint()
                if not self._store.writable or not self._improvable():
                    return
        except ImportError:  # no faiss: every search stays exact, only slower
            _log.warning("faiss is not installed: large memories are searched row by row")
        except RobotMemoryError as error:
            _log.warning("the index was not improved: %s", error)

    def checkpoint(self) -> None:
        """Write the cache, where this process may."""
        if not self._store.writable or not self._ready.is_set():
            return
        try:
            with self._lock:
                self._cache.save(self._mark, self._columns, self._indexes, self._store.spaces())
                self._saved_rows = len(self._columns)
        except OSError as error:
            _log.warning("the index cache was not written: %s", error)

    def close(self) -> None:
        """Stop the worker and write a last checkpoint where that is quick."""
        self._stopping.set()
        worker = self._worker
        if worker is not None and worker.is_alive():
            worker.join(0.3)
            if worker.is_alive():
                return
        if len(self._columns) <= LARGE_ROWS:
            self.checkpoint()

    # -- View -------------------------------------------------------------------------------

    def select(self, filters: Filters) -> IntArray:
        """See `View.select`."""
        with self._lock:
            if self._names is None:
                self._names = names_of(self._store)
            entries = self._columns.select(filters, self._names)
            rowids = self._columns.column("rowid")
            return np.asarray(rowids if len(entries) == len(rowids) else rowids[entries])

    def nearest(
        self,
        space: str,
        query: FloatArray,
        k: int,
        allowed: IntArray | None,
        *,
        probe: int | None = None,
    ) -> Hits:
        """See `View.nearest`."""
        if space not in self._indexes:
            return Hits(np.empty(0, np.int64), np.empty(0, np.float32))
        return self._index(space).search(query, k, allowed=allowed, probe=probe)

    def __len__(self) -> int:
        """Observations that are not removed."""
        return self._columns.alive_count

    def positions(self, rowids: IntArray) -> tuple[IntArray, FloatArray]:
        """See `View.positions`."""
        with self._lock:
            entries, found = self._columns.entries_of(rowids)
            stamps, places = np.zeros(len(rowids), np.int64), np.full((len(rowids), 3), np.nan)
            stamps[found] = self._columns.column("stamp")[entries]
            for number, axis in enumerate("xyz"):
                places[found, number] = self._columns.column(axis)[entries]
            return stamps, places

    def rows(self, space: str) -> tuple[IntArray, Any, BoolArray | None]:
        """See `View.rows`; removed ones are included."""
        index = self._indexes.get(space)
        if index is None:
            return np.empty(0, np.int64), np.empty((0, 0), np.float16), None
        return index.standing

    def vectors_of(self, space: str, rowids: Sequence[int]) -> tuple[IntArray, FloatArray]:
        """The vectors of a space that given observations have; those without are left out.

        Args:
            space: Its name.
            rowids: Ascending.

        Returns:
            Numbers of the observations, shape (n,), and the vectors, shape (n, d), float32.
        """
        held, vectors, _ = self.rows(space)
        wanted = np.asarray(rowids, np.int64)
        places = np.searchsorted(held, wanted)
        places = places[places < len(held)]
        places = places[np.isin(held[places], wanted)]
        return held[places], np.asarray(vectors[places], np.float32)

    def metrics(self) -> dict[str, int]:
        """Counts for diagnostics: rows, rows outside the lists, GPU failures."""
        return {
            "rows": len(self._columns),
            "tail": max((index.tail for index in self._indexes.values()), default=0),
            "gpu_failures": sum(index.failures for index in self._fast.values()),
        }
