"""Nearest vectors under an exact filter: the contract, and the index on CPU.

`CpuIndex` keeps float16 vectors (FAISS's QT_fp16 layout) in rowid order, memory-mapped, and
above a size an inverted file over them (Jégou et al. 2011): FAISS trains the centroids and
assigns the rows. What makes it fast under filters is the order of things: the filter comes
first, and only rows that pass are ever scored, exactly, in float32, on the stored vectors.
Below `exact_rows` passing rows all are scored; above, those in the lists nearest to the query,
list after list, until `probe_rows` passing rows were found. Who asks for more than a quarter of
those as neighbours gets them exactly.
"""

from __future__ import annotations

import contextlib
import functools
import logging
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np

from memory_core.errors import DimensionMismatch
from memory_core.types import FloatArray, IntArray

_log = logging.getLogger(__name__)

TRAIN_ROWS = 20_000
ROWS_PER_LIST = 100
MAX_LISTS = 4_096
MAX_PROBE_ROWS = 24_000
_SAMPLES_PER_LIST = 24
_SCRATCH = 512
_SPLIT_ROWS = 4_096
_CAPACITY_STEP = 65_536
_MADV_POPULATE_READ = 22
_F16_BITS = np.int32(-0x70002000)  # sign, exponent and mantissa of a float16 shifted by 13
_F16_SCALE = np.float32(2.0**112)  # float32's exponent bias less float16's


@dataclass(frozen=True, slots=True)
class Hits:
    """Nearest vectors, best first: rowids, shape (m,), and cosines, shape (m,), float32."""

    rowids: IntArray
    scores: FloatArray


@runtime_checkable
class VectorIndex(Protocol):
    """Vectors of one space by rowid; every implementation runs `tests/contracts`."""

    @property
    def dimension(self) -> int:
        """Length of the vectors."""

    def __len__(self) -> int:
        """Vectors held, removed ones not counted."""

    def add(self, rowids: IntArray, vectors: FloatArray) -> None:
        """Take unit vectors.

        Args:
            rowids: Shape (n,), ascending, each above all before.
            vectors: Shape (n, dimension).

        Raises:
            DimensionMismatch: The vectors have another length.
        """

    def remove(self, rowids: IntArray) -> None:
        """Forget vectors; unknown rowids are passed over."""

    def search(
        self,
        query: FloatArray,
        k: int,
        *,
        allowed: IntArray | None = None,
        probe: int | None = None,
    ) -> Hits:
        """The k vectors with the largest cosine to a query.

        Args:
            query: Shape (dimension,).
            k: At most this many.
            allowed: Rowids that may be returned, ascending; None for all.
            probe: Where not every vector is compared, about so many are; None for enough that
                99 in 100 of the nearest are found.

        Raises:
            DimensionMismatch: The query has another length.
        """


def half_dot(rows: Any, query: FloatArray, scratch: Any, out: FloatArray) -> None:
    """Dot products of float16 rows with a float32 query, exact in float32.

    float16 becomes float32 by shifting bits, which numpy does several times faster than its own
    conversion; infinities and NaN are refused when vectors enter.

    Args:
        rows: Shape (n, d), the float16 vectors seen as int16.
        query: Shape (d,), float32.
        scratch: Shape (≥ n, d), int32.
        out: Shape (n,), float32; written.
    """
    wide = scratch[: len(rows)]
    np.copyto(wide, rows)
    np.left_shift(wide, 13, out=wide)
    np.bitwise_and(wide, _F16_BITS, out=wide)
    single = wide.view(np.float32)
    np.multiply(single, _F16_SCALE, out=single)
    np.dot(single, query, out=out)


def best(scores: FloatArray, k: int) -> IntArray:
    """Places of the k largest scores, best first, ties by place; shape (min(k, n),)."""
    if k < 1:
        return np.empty(0, np.int64)
    if len(scores) > k:
        last = np.partition(scores, len(scores) - k)[len(scores) - k]
        above = np.flatnonzero(scores > last)
        level = np.flatnonzero(scores == last)[: k - len(above)]
        chosen = np.concatenate([above, level])
    else:
        chosen = np.arange(len(scores))
    return np.asarray(chosen[np.lexsort((chosen, -scores[chosen]))])


def places_of(held: IntArray, allowed: IntArray | None) -> IntArray | None:
    """Where allowed rowids are among those held.

    Args:
        held: Rowids, ascending.
        allowed: Rowids, ascending; None for all.

    Returns:
        Places, ascending; None for all of them.
    """
    if allowed is None:
        return None
    allowed = np.asarray(allowed, np.int64)
    if not len(held) or not len(allowed):
        return np.empty(0, np.int64)
    if held[-1] - held[0] == len(held) - 1:  # no gaps: place = rowid - first
        low, high = np.searchsorted(allowed, (held[0], held[-1] + 1))
        return None if high - low == len(held) else allowed[low:high] - held[0]
    places = np.searchsorted(held, allowed)
    inside = places < len(held)
    inside[inside] = held[places[inside]] == allowed[inside]
    return np.asarray(places[inside])


class HalfMatrix:
    """A growing matrix of float16 in a file that is mapped, or in memory without one."""

    def __init__(self, dimension: int, path: Path | None = None, rows: int = 0) -> None:
        """Open or start the matrix.

        Args:
            dimension: Numbers a row.
            path: The file; None keeps everything in memory.
            rows: Rows of the file that are taken as they are.
        """
        self.dimension = dimension
        self.rows = rows
        self._path = path
        self._array: Any = np.empty((0, dimension), np.float16)
        self._reserve(max(rows, 1))

    def _reserve(self, rows: int) -> None:
        if rows <= len(self._array):
            return
        if self._path is None:
            capacity = max(1024, rows + rows // 4)
            larger = np.empty((capacity, self.dimension), np.float16)
            larger[: self.rows] = self._array[: self.rows]
            self._array = larger
            return
        capacity = -(-rows // _CAPACITY_STEP) * _CAPACITY_STEP
        self._path.touch()
        with self._path.open("r+b") as file:
            size = capacity * self.dimension * 2
            if file.seek(0, 2) < size:
                file.truncate(size)
        mapped: Any = np.memmap(self._path, np.float16, "r+", shape=(capacity, self.dimension))
        if self.rows and hasattr(mapped._mmap, "madvise"):
            with contextlib.suppress(OSError):  # faults all pages in at once, where Linux can
                mapped._mmap.madvise(_MADV_POPULATE_READ)
        self._array = np.asarray(mapped)

    def append(self, vectors: FloatArray) -> None:
        """Add rows, shape (n, dimension)."""
        end = self.rows + len(vectors)
        try:
            self._reserve(end)
            self._allocate(end)
        except OSError as error:  # no room for a cache: the rows stay in memory
            _log.warning("%s cannot grow (%s); its vectors stay in memory", self._path, error)
            self._path = None
            self._array = self._array[: self.rows]
            self._reserve(end)
        self._array[self.rows : end] = vectors
        self.rows = end

    def _allocate(self, rows: int) -> None:
        """Take disk space before a mapped page is written: a full disk would kill the process."""
        if self._path is None or not hasattr(os, "posix_fallocate"):
            return
        start = self.rows * self.dimension * 2
        with self._path.open("r+b") as file:
            os.posix_fallocate(file.fileno(), start, max(1, rows * self.dimension * 2 - start))

    def view(self) -> Any:
        """All rows, shape (rows, dimension), float16; stays valid while the matrix grows."""
        return self._array[: self.rows]


@dataclass(frozen=True, slots=True)
class InvertedLists:
    """Which rows belong to which centroid.

    Attributes:
        centroids: Shape (lists, d), float32, unit length.
        assignment: Shape (rows,), uint16: the list of each row covered.
        order: Shape (rows,), int32: rows grouped by list.
        offsets: Shape (lists + 1,), int64: where each list begins in `order`.
    """

    centroids: FloatArray
    assignment: Any
    order: Any
    offsets: Any

    @classmethod
    def of(cls, centroids: FloatArray, assignment: Any) -> InvertedLists:
        """Group rows by an assignment."""
        order = np.argsort(assignment, kind="stable").astype(np.int32)
        offsets = np.zeros(len(centroids) + 1, np.int64)
        np.cumsum(np.bincount(assignment, minlength=len(centroids)), out=offsets[1:])
        return cls(centroids, assignment, order, offsets)

    @property
    def rows(self) -> int:
        """Rows covered; later ones are scored one by one."""
        return len(self.assignment)


@dataclass(frozen=True, slots=True)
class _State:
    """What a search works on; replaced as a whole, so that searches need no lock."""

    rowids: IntArray
    vectors: Any
    alive: Any | None
    lists: InvertedLists | None


class CpuIndex:
    """The index described at the top of this module."""

    def __init__(
        self,
        dimension: int,
        *,
        path: Path | None = None,
        rowids: IntArray | None = None,
        lists: InvertedLists | None = None,
        exact_rows: int = 20_000,
        probe_rows: int = 14_000,
    ) -> None:
        """Start empty, or from a file whose rows are known to be good.

        Args:
            dimension: Length of the vectors.
            path: File for the vectors; None keeps them in memory.
            rowids: Rowids of the rows the file already holds.
            lists: Inverted lists over (a prefix of) them.
            exact_rows: Up to this many passing rows are all scored.
            probe_rows: Above, this many passing rows are scored (a fiftieth, in large ones).
        """
        held = np.empty(0, np.int64) if rowids is None else np.asarray(rowids, np.int64)
        self._matrix = HalfMatrix(dimension, path, len(held))
        self._rowids = held
        self._dead = 0
        self._exact_rows = exact_rows
        self._probe_rows = probe_rows
        self._lock = threading.Lock()
        self._state = _State(held, self._matrix.view(), None, lists)
        self._local = threading.local()

    @property
    def dimension(self) -> int:
        """See `VectorIndex`."""
        return self._matrix.dimension

    def __len__(self) -> int:
        """See `VectorIndex`."""
        return len(self._state.rowids) - self._dead

    @property
    def rowids(self) -> IntArray:
        """Rowids of all rows, removed ones included, shape (n,)."""
        return self._state.rowids

    @property
    def standing(self) -> tuple[IntArray, Any, Any | None]:
        """Rowids and vectors of all rows, and which are not removed; None where all are not."""
        state = self._state
        return state.rowids, state.vectors[: len(state.rowids)], state.alive

    @property
    def removed(self) -> IntArray:
        """Rowids of removed rows, shape (m,)."""
        state = self._state
        return state.rowids[:0] if state.alive is None else state.rowids[~state.alive]

    @property
    def vectors(self) -> Any:
        """All rows, shape (n, d), float16."""
        return self._state.vectors

    @property
    def lists(self) -> InvertedLists | None:
        """The inverted lists, once trained."""
        return self._state.lists

    def add(self, rowids: IntArray, vectors: FloatArray) -> None:
        """See `VectorIndex.add`."""
        if np.ndim(vectors) != 2 or np.shape(vectors)[1] != self.dimension:
            raise DimensionMismatch(
                f"vectors have shape {np.shape(vectors)}; expected (n, {self.dimension})"
            )
        with self._lock:
            self._matrix.append(vectors)
            size = len(self._state.rowids)
            if size + len(rowids) > len(self._rowids):
                larger = np.empty((size + len(rowids)) * 5 // 4 + 1024, np.int64)
                larger[:size] = self._rowids[:size]
                self._rowids = larger
            self._rowids[size : size + len(rowids)] = rowids
            alive = self._state.alive
            if alive is not None:
                alive = np.concatenate([alive, np.ones(len(rowids), bool)])
            self._state = replace(
                self._state,
                rowids=self._rowids[: size + len(rowids)],
                vectors=self._matrix.view(),
                alive=alive,
            )

    def remove(self, rowids: IntArray) -> None:
        """See `VectorIndex.remove`."""
        with self._lock:
            held = self._state.rowids
            places = np.searchsorted(held, rowids)
            places = places[places < len(held)]
            places = places[np.isin(held[places], rowids)]
            alive = self._state.alive
            alive = np.ones(len(held), bool) if alive is None else alive.copy()
            alive[places] = False
            self._dead = len(alive) - int(np.count_nonzero(alive))
            self._state = replace(self._state, alive=alive if self._dead else None)

    # -- training ---------------------------------------------------------------------------

    def wants_training(self) -> bool:
        """Whether lists would help: many rows, and none or far fewer were there last time."""
        state = self._state
        rows = len(state.rowids)
        if rows < TRAIN_ROWS:
            return False
        if state.lists is None:
            return True
        count = len(state.lists.centroids)
        return count < MAX_LISTS and rows > 4 * count * ROWS_PER_LIST

    def train(self, *, seed: int = 0) -> None:
        """Find centroids on a sample and put every row into its list; searches go on meanwhile.

        Args:
            seed: The sample's and the clustering's.
        """
        import faiss

        vectors = self._state.vectors
        count = int(min(MAX_LISTS, max(64, len(vectors) // ROWS_PER_LIST)))
        sample = np.sort(
            np.random.default_rng(seed).choice(
                len(vectors), min(len(vectors), count * _SAMPLES_PER_LIST), replace=False
            )
        )
        kmeans = faiss.Kmeans(
            self.dimension, count, niter=5, spherical=True, seed=seed,
            max_points_per_centroid=_SAMPLES_PER_LIST, min_points_per_centroid=1,
        )  # fmt: skip
        kmeans.train(vectors[sample].astype(np.float32))
        centroids = np.ascontiguousarray(kmeans.centroids, np.float32)
        self._extend(centroids, np.empty(0, np.uint16))

    def absorb(self) -> None:
        """Put rows added since the last training into the lists there are."""
        lists = self._state.lists
        if lists is not None:
            self._extend(lists.centroids, lists.assignment)

    @property
    def tail(self) -> int:
        """Rows outside the lists; each search scores them all."""
        state = self._state
        return len(state.rowids) - (state.lists.rows if state.lists else 0)

    def _extend(self, centroids: FloatArray, assignment: Any) -> None:
        import faiss

        quantizer = faiss.IndexFlatIP(self.dimension)
        quantizer.add(centroids)
        vectors = self._state.vectors
        parts = [assignment]
        for start in range(len(assignment), len(vectors), 8_192):
            rows = vectors[start : start + 8_192].astype(np.float32)
            parts.append(quantizer.search(rows, 1)[1][:, 0].astype(np.uint16))
        lists = InvertedLists.of(centroids, np.concatenate(parts))
        with self._lock:
            self._state = replace(self._state, lists=lists)

    # -- searching --------------------------------------------------------------------------

    def search(
        self,
        query: FloatArray,
        k: int,
        *,
        allowed: IntArray | None = None,
        probe: int | None = None,
    ) -> Hits:
        """See `VectorIndex.search`."""
        query = np.ascontiguousarray(query, np.float32)
        if query.shape != (self.dimension,):
            raise DimensionMismatch(f"query has shape {query.shape}; expected ({self.dimension},)")
        query = query / max(float(np.linalg.norm(query)), 1e-12)
        state = self._state
        rows = self._passing(state, allowed)
        passing = len(state.rowids) - self._dead if rows is None else len(rows)
        few = max(self._exact_rows, self._wanted(state))
        if state.lists is not None and passing > few and k <= self._probe_rows // 4:
            rows = self._probe(state, query, rows, passing, probe or self._wanted(state))
        elif rows is None and state.alive is not None:
            rows = np.flatnonzero(state.alive)
        scores = self._score(state, query, rows)
        chosen = best(scores, k)
        places = chosen if rows is None else rows[chosen]
        return Hits(state.rowids[places], scores[chosen])

    def _wanted(self, state: _State) -> int:
        """Passing rows to score: more in larger indexes, where lists are coarser."""
        return max(self._probe_rows, min(MAX_PROBE_ROWS, len(state.rowids) // 50))

    @staticmethod
    def _passing(state: _State, allowed: IntArray | None) -> IntArray | None:
        """Places of rows that may be returned; None for all that are alive."""
        places = places_of(state.rowids, allowed)
        if state.alive is None or places is None:
            return places
        return np.asarray(places[state.alive[places]])

    def _probe(
        self, state: _State, query: FloatArray, rows: IntArray | None, passing: int, goal: int
    ) -> IntArray:
        """Passing rows in the lists nearest to the query, and all outside the lists."""
        lists = state.lists
        assert lists is not None
        nearest = np.argsort(-(lists.centroids @ query))
        sizes = np.cumsum(np.diff(lists.offsets)[nearest])
        mask = state.alive
        if rows is None:
            tail: IntArray = np.arange(lists.rows, len(state.rowids))
            tail = tail if mask is None else tail[mask[lists.rows :]]
        else:
            tail = rows[np.searchsorted(rows, lists.rows) :]
            mask = np.zeros(len(state.rowids), bool)
            mask[rows] = True
        wanted = goal * lists.rows / passing  # if filter and meaning are unrelated
        found, count, done = [tail.astype(np.int64)], 0, 0
        while done < len(nearest) and count < goal:
            upto = max(done + 1, min(len(nearest), int(np.searchsorted(sizes, wanted)) + 1))
            part = np.concatenate(
                [lists.order[lists.offsets[i] : lists.offsets[i + 1]] for i in nearest[done:upto]]
            )
            if mask is not None:
                part = part[mask[part]]
            found.append(part)
            count += len(part)
            done, wanted = upto, max(wanted * 1.5, sizes[upto - 1] + 1)
        return np.concatenate(found)

    def _score(self, state: _State, query: FloatArray, rows: IntArray | None) -> FloatArray:
        count = len(state.rowids) if rows is None else len(rows)
        scores = np.empty(count, np.float32)
        if count < _SPLIT_ROWS:
            self._score_part(state, query, rows, 0, count, scores)
            return scores
        middle = count // 2 // _SCRATCH * _SCRATCH
        half = _helpers().submit(self._score_part, state, query, rows, middle, count, scores)
        self._score_part(state, query, rows, 0, middle, scores)
        half.result()
        return scores

    def _score_part(
        self,
        state: _State,
        query: FloatArray,
        rows: IntArray | None,
        first: int,
        last: int,
        scores: FloatArray,
    ) -> None:
        """Score rows `first` to `last` into their places; numpy lets other threads run meanwhile."""
        bits = state.vectors.view(np.int16)
        scratch = getattr(self._local, "scratch", None)
        if scratch is None:
            shape = (_SCRATCH, self.dimension)
            scratch = self._local.scratch = (np.empty(shape, np.int16), np.empty(shape, np.int32))
        taken, wide = scratch
        for start in range(first, last, _SCRATCH):
            end = min(start + _SCRATCH, last)
            if rows is None:
                part = bits[start:end]
            else:
                part = taken[: end - start]
                np.take(bits, rows[start:end], axis=0, out=part, mode="clip")
            half_dot(part, query, wide, scores[start:end])


@functools.cache
def _helpers() -> ThreadPoolExecutor:
    """A thread that scores the second half of large searches, shared by all indexes."""
    return ThreadPoolExecutor(1, thread_name_prefix="score")


if hasattr(os, "register_at_fork"):  # threads do not survive a fork
    os.register_at_fork(after_in_child=_helpers.cache_clear)
