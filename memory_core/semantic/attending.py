"""Recall of observations by hierarchical chunk attention (Lampinen et al. 2021).

What observations mean lies in the order of arrival in the vector index; chunks are runs of that
order which end where an event ends. Coarse: chunks by their keys, and those of the rows the
vector index finds nearest, so that a moment unlike its event is not missed. Fine: one exact
softmax over the rows of the chunks kept, with kernels of space and time.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from memory_core.attention.attended import Attended
from memory_core.attention.kernels import UNKNOWN_NS
from memory_core.attention.rows import Allowed
from memory_core.attention.stored import StoredChunks
from memory_core.episodic import recall as flat
from memory_core.episodic.index import View
from memory_core.episodic.store import EpisodicStore
from memory_core.types import TEXT_SPACE, BoolArray, Filters, FloatArray, IntArray, Query, Recall

BETA = 24.0
TOP_CHUNKS = 32
NEAREST, PROBE = 64, 6_000
LONGEST_CHUNK = 240
AT_ONCE = 50_000


@dataclass(frozen=True, slots=True)
class Looked:
    """Where attention went: numbers of observations, and their weights, which sum to 1."""

    rowids: IntArray
    weights: FloatArray
    attended: Attended


class ObservationAttention:
    """Chunks over the text vectors of one memory, kept as it grows."""

    def __init__(self) -> None:
        """Nothing is cut yet."""
        self._lock = threading.Lock()
        self._chunks: StoredChunks | None = None
        self._rowids: IntArray = np.empty(0, np.int64)
        self._growing = False
        self._alive: tuple[BoolArray | None, Allowed] | None = None
        self._worker: threading.Thread | None = None

    def attend(
        self, query: Query, rows: View, *, ends: IntArray, allowed: IntArray | None
    ) -> Looked | None:
        """Attend to observations.

        Args:
            query: With the vector of its text, and its kernels.
            rows: The memory's vectors.
            ends: Numbers of observations after which a chunk ends, ascending.
            allowed: Numbers that satisfy the query's filters, ascending; None without filters.

        Returns:
            Where attention went; None while a large memory is being cut, in the background.
        """
        vector = np.asarray(query.vectors[TEXT_SPACE], np.float32)
        hits = rows.nearest(TEXT_SPACE, vector, NEAREST, allowed, probe=PROBE)
        with self._lock:
            rowids, vectors, alive = rows.rows(TEXT_SPACE)
            if not len(rowids):
                return None
            if len(rowids) - self._kept(rowids) > AT_ONCE:
                if not self._busy():
                    self._start(self._begin, rows, ends, rowids, vectors)
                return None
            chunks = self._cut(rows, ends, rowids, vectors)
            passing = self._passing(rowids, alive, allowed)
            near = _among(rowids, hits.rowids)
            inside = passing.mask(near)
            found = chunks.attend(
                vector,
                beta=BETA,
                top_chunks=TOP_CHUNKS,
                near=query.near,
                near_scale_m=query.near_scale_m,
                around_ns=query.around_ns,
                around_scale_s=query.around_scale_s,
                allowed=passing,
                joint=True,
                also=near if inside is None else near[inside],
            )
        if chunks.unfiled and not self._busy():
            self._start(chunks.file_keys)
        return Looked(rowids[found.rows], found.weights, found)

    def _kept(self, rowids: IntArray) -> int:
        """How many of the first rows lie in chunks that may stay; 0 where rows are others now."""
        kept = 0 if self._chunks is None else self._chunks.rows
        same = self._rowids is rowids or np.array_equal(self._rowids[:kept], rowids[:kept])
        return kept if same else 0

    def _passing(
        self, rowids: IntArray, alive: BoolArray | None, allowed: IntArray | None
    ) -> Allowed:
        """Which rows may be attended to; kept where no filter is, as that is asked most."""
        if allowed is not None:
            listed = np.zeros(max(allowed.max(initial=0), rowids.max(initial=0)) + 1, bool)
            listed[allowed] = True
            return Allowed(listed[rowids], len(rowids))
        if self._alive is None or self._alive[0] is not alive or self._alive[1].rows != len(rowids):
            self._alive = alive, Allowed(alive, len(rowids))
        return self._alive[1]

    def _busy(self) -> bool:
        return self._worker is not None and self._worker.is_alive()

    def _start(self, work: Callable[..., None], *arguments: Any) -> None:
        name = "memory-attention"
        self._worker = threading.Thread(target=work, args=arguments, name=name, daemon=True)
        self._worker.start()

    def _begin(self, rows: View, ends: IntArray, rowids: IntArray, vectors: Any) -> None:
        """Cut a large memory, while nobody waits for it."""
        chunks, growing = _cut_anew(rows, ends, rowids, vectors)
        chunks.file_keys()
        with self._lock:
            self._chunks, self._rowids, self._growing = chunks, rowids, growing

    def wait(self) -> None:
        """Wait until a large memory is cut."""
        if self._worker is not None:
            self._worker.join()

    def _cut(self, rows: View, ends: IntArray, rowids: IntArray, vectors: Any) -> StoredChunks:
        """Chunks for all rows: those that stand are kept, new rows are cut after them."""
        known, kept = self._chunks, self._kept(rowids)
        if known is None or not kept:
            known, self._growing = _cut_anew(rows, ends, rowids, vectors)
        elif kept < len(rowids):
            self._lengthen(known, rows, ends, rowids, vectors)
        self._chunks, self._rowids = known, rowids
        return known

    def _lengthen(
        self, known: StoredChunks, rows: View, ends: IntArray, rowids: IntArray, vectors: Any
    ) -> None:
        start = known.rows
        base = int(known.offsets[-2]) if self._growing else start
        stamps, positions = rows.positions(rowids[base:])
        for first, last, closed in _runs(start, ends, rowids):
            begun = int(known.offsets[-2]) if self._growing else first
            grows = self._growing and last - begun <= LONGEST_CHUNK
            part = slice((begun if grows else first) - base, last - base)
            centre, span = _told(stamps[part], positions[part])
            extend = known.grow if grows else known.append
            extend(last - first, contents=vectors, centre=centre, span_ns=span)
            self._growing = not closed


def _cut_anew(
    rows: View, ends: IntArray, rowids: IntArray, vectors: Any
) -> tuple[StoredChunks, bool]:
    """Chunks for all rows, and whether the last is still growing."""
    runs = list(_runs(0, ends, rowids))
    stamps, positions = rows.positions(rowids)
    told = [_told(stamps[first:last], positions[first:last]) for first, last, _ in runs]
    chunks = StoredChunks(
        vectors,
        [0, *(last for _, last, _ in runs)],
        centres=np.array([centre for centre, _ in told]),
        spans_ns=np.array([span for _, span in told]),
    )
    return chunks, not runs[-1][2]


def _told(stamps: IntArray, positions: FloatArray) -> tuple[FloatArray, tuple[int, int]]:
    """The centre of a run of rows, NaN where no position is known, and its span."""
    placed, stamps = positions[~np.isnan(positions[:, 0])], stamps[stamps > 0]
    centre = placed.mean(axis=0) if len(placed) else np.full(3, np.nan)
    if not len(stamps):  # all of them were removed while the memory was cut
        return centre, (UNKNOWN_NS, UNKNOWN_NS)
    return np.asarray(centre), (int(stamps.min()), int(stamps.max()))


def _among(rowids: IntArray, wanted: IntArray) -> IntArray:
    """Where wanted numbers are among all, ascending; those that are not are left out."""
    places = np.searchsorted(rowids, np.sort(wanted))
    places = places[places < len(rowids)]
    return np.asarray(places[np.isin(rowids[places], wanted)])


def _runs(start: int, ends: IntArray, rowids: IntArray) -> Iterator[tuple[int, int, bool]]:
    """Runs of rows from `start` on: (first, last + 1, whether an event's end closes it)."""
    cuts = np.unique(np.searchsorted(rowids, ends, side="right"))
    first = start
    for cut in [*cuts[cuts > start].tolist(), len(rowids)]:
        while first < cut:
            last = min(cut, first + LONGEST_CHUNK)
            yield first, last, last == cut and cut != len(rowids)
            first = last


def recall_observations(
    store: EpisodicStore,
    rows: View,
    query: Query,
    attention: ObservationAttention,
    *,
    ends: IntArray,
) -> Recall | None:
    """Observations by attention to what they mean and by their words, joined by rank.

    Args:
        store: Where observations are read.
        rows: The memory's vectors.
        query: Checked; with the vector of its text.
        attention: Chunks of the memory.
        ends: Numbers of observations after which a chunk ends.

    Returns:
        Evidence, best first, each with its share of the attention; None where attention cannot
        be had: without words, without vectors, or while a large memory is being cut.
    """
    begun = time.perf_counter()
    if not query.text or set(query.vectors) != {TEXT_SPACE}:
        return None
    allowed = None if query.filters == Filters() else rows.select(query.filters)
    looked = attention.attend(query, rows, ends=ends, allowed=allowed)
    if looked is None:
        return None
    pool = max(flat.MIN_POOL, query.k)
    kernels = query.near is not None or query.around_ns is not None
    by_meaning = looked.rowids[:pool].tolist()
    by_word = flat.lexical(store, query.text, allowed, pool, telling=True)
    fused = flat.fuse([by_meaning, by_word])
    ordered = sorted(fused, key=lambda rowid: (-fused[rowid], -rowid))
    best = 2.0 / (flat.FUSION_K + 1)
    share = dict(zip(looked.rowids.tolist(), looked.weights.tolist(), strict=True))
    evidence = [
        replace(flat.weigh(stored, query, fused[stored.rowid] / best),
                attention=share.get(stored.rowid, 0.0))
        for stored in store.fetch(ordered if kernels else ordered[: query.k])
    ]  # fmt: skip
    evidence.sort(key=lambda item: (-item.weight, -item.observation.stamp_ns))
    return Recall(
        query=replace(query, vectors={}),
        evidence=tuple(evidence[: query.k]),
        considered=store.count() if allowed is None else len(allowed),
        seconds=time.perf_counter() - begun,
    )
