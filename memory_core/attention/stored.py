"""Hierarchical chunk attention over a stored memory: which rows matter to a query, and how much.

The memory is n rows cut into m chunks of neighbouring rows. Chunk j has n_j rows x_i and the key
k_j, their mean. For a query q, an inverse temperature β and kernels of space and time K_j (1 where
not asked for), as in HCAM (Lampinen et al. 2021) with β in place of 1/√d and of learned weights:

    relevance_j = β q·k_j + log K_j               coarse; the `top_chunks` highest are kept
    chunk_j     = softmax(relevance) over the kept chunks
    inside_i    = softmax(β q·x_i) over the rows of one chunk
    weight_i    = chunk_j · inside_i              output = Σ weight_i x_i

`joint=True` keeps the same chunks but weighs all their rows in one softmax of β q·x_i + log K_j, so
that a chunk counts with its exact mass; with every chunk kept that is full attention.

What the coarse step can miss. The mass of a chunk is M_j = Σ exp(β q·x_i). By Jensen's inequality
log n_j + β q·k_j ≤ log M_j, and with all rows within r_j of the key log M_j ≤ log n_j + β q·k_j
+ β |q| r_j. The mean is therefore good where rows of a chunk are alike, and bad for the one row that
is unlike the rest: it moves the mean by 1/n_j only. The remedy is `landmarks=p`: each chunk also
keeps the p rows found by farthest-first traversal from its mean, which cover it within twice the
smallest radius any p points can (Gonzalez 1985), and counts with the best of its keys:
relevance_j = β max(q·k_j, q·l_j1, …, q·l_jp) + log K_j. It is off by default, which is HCAM's
definition; `benchmarks/attention.py` measures both.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from memory_core.attention.attended import Attended, HeadAttention, Work, together
from memory_core.attention.kernels import (
    UNKNOWN_NS,
    distances_m,
    log_kernel,
    seconds_outside,
    softmax,
)
from memory_core.attention.lists import NEW_SHARE, KeyLists
from memory_core.attention.rows import Allowed, BoolArray, Growing, given_or_unknown
from memory_core.errors import DimensionMismatch, InputRejected, InvalidQuery, InvalidVector
from memory_core.types import FloatArray, IntArray

_ROWS_A_BLOCK = 65_536


class StoredChunks:
    """A memory cut into chunks, which can be attended to and grows at its end.

    Appending reads only the rows appended. The last chunk may still be growing.
    """

    def __init__(
        self,
        contents: Any,
        offsets: npt.ArrayLike = (0,),
        *,
        centres: npt.ArrayLike | None = None,
        spans_ns: npt.ArrayLike | None = None,
        landmarks: int = 0,
        exact_keys: int = 4_096,
        seed: int = 0,
    ) -> None:
        """Take the chunks there are; reads every row once.

        Args:
            contents: Array-like (n, d), for example a float16 file mapped into memory. It is not
                copied; rows after the last chunk are not looked at.
            offsets: Shape (m + 1,), rising from 0: chunk j is rows `offsets[j]:offsets[j + 1]`.
            centres: Shape (m, 3), metres; NaN or None where not known.
            spans_ns: Shape (m, 2), nanoseconds; `UNKNOWN_NS` or None where not known.
            landmarks: Rows kept beside the mean of each chunk.
            exact_keys: With up to so many keys every one is compared; beyond, those of inverted
                lists, which `file_keys` makes.
            seed: Of the lists' training.

        Raises:
            InputRejected: Offsets do not rise from 0 to at most n, or there are not as many
                centres or spans as chunks.
            InvalidQuery: `landmarks` is negative.
        """
        if landmarks < 0:
            raise InvalidQuery(f"{landmarks} landmarks a chunk; expected 0 or more")
        edges = np.asarray(offsets, np.int64)
        chunks = len(edges) - 1
        if edges[0] != 0 or (np.diff(edges) <= 0).any() or edges[-1] > len(contents):
            raise InputRejected(f"offsets of chunks must rise from 0 to at most {len(contents)}")
        self.contents = contents
        self._landmarks = landmarks
        self._exact_keys = exact_keys
        self._offsets = Growing(edges)
        self._centres = Growing(given_or_unknown(centres, (chunks, 3), np.nan, np.float64))
        self._spans = Growing(given_or_unknown(spans_ns, (chunks, 2), UNKNOWN_NS, np.int64))
        self._keys = Growing(np.empty((0, 1 + landmarks, self.dimension), np.float32))
        self._lists = KeyLists(seed=seed)
        for part in _blocks(edges):
            self._keys.extend(self._keys_of(part))

    @property
    def dimension(self) -> int:
        """Numbers in a row."""
        return int(self.contents.shape[1])

    @property
    def offsets(self) -> IntArray:
        """Where chunks begin, and the end of the last; shape (m + 1,)."""
        return self._offsets.array

    @property
    def rows(self) -> int:
        """How many rows lie in chunks."""
        return int(self.offsets[-1])

    @property
    def keys(self) -> FloatArray:
        """The mean of each chunk, shape (m, d), float32."""
        return self._keys.array[:, 0]

    @property
    def lists(self) -> KeyLists:
        """Where the coarse step looks for the keys that were filed."""
        return self._lists

    @property
    def centres(self) -> FloatArray:
        """Where each chunk is, shape (m, 3), metres, NaN where not known."""
        return self._centres.array

    @property
    def spans_ns(self) -> IntArray:
        """From when to when each chunk is, shape (m, 2), nanoseconds."""
        return self._spans.array

    def __len__(self) -> int:
        """Chunks."""
        return len(self.offsets) - 1

    def append(
        self,
        count: int,
        *,
        contents: Any = None,
        centre: npt.ArrayLike | None = None,
        span_ns: npt.ArrayLike | None = None,
    ) -> int:
        """Make the next rows a chunk; the chunk that was last is closed by that.

        Args:
            count: How many rows, at least 1.
            contents: The array that holds them, where a longer one has taken its place; the rows
                already in chunks must be the same.
            centre: Shape (3,), metres, or None where not known.
            span_ns: Shape (2,), nanoseconds, or None where not known.

        Returns:
            The number of the chunk.

        Raises:
            InputRejected: There are not so many rows.
        """
        end = self._end_after(count, contents)
        edges = np.array([self.rows, end])
        keys = self._keys_of(edges)
        placed = given_or_unknown(None if centre is None else [centre], (1, 3), np.nan, np.float64)
        timed = given_or_unknown(
            None if span_ns is None else [span_ns], (1, 2), UNKNOWN_NS, np.int64
        )
        self._offsets.extend(edges[1:])
        self._keys.extend(keys)
        self._centres.extend(placed)
        self._spans.extend(timed)
        return len(self) - 1

    def grow(
        self,
        count: int,
        *,
        contents: Any = None,
        centre: npt.ArrayLike | None = None,
        span_ns: npt.ArrayLike | None = None,
    ) -> None:
        """Let the last chunk take the next rows; reads the new rows, with landmarks the chunk.

        Args:
            count: How many rows, at least 1.
            contents: As in `append`.
            centre: Its new centre; None leaves it.
            span_ns: Its new span; None leaves it.

        Raises:
            InputRejected: There is no chunk, or there are not so many rows.
        """
        if not len(self):
            raise InputRejected("no chunk to grow; append one first")
        end = self._end_after(count, contents)
        start, before = int(self.offsets[-2]), self.rows
        if self._landmarks:
            keys = self._keys_of(np.array([start, end]))
        else:
            share = (before - start) / (end - start)
            new = self._keys_of(np.array([before, end]))
            keys = self._keys.array[-1:] * share + new * (1 - share)
        self._keys.array[-1:] = keys
        if centre is not None:
            self._centres.array[-1:] = given_or_unknown([centre], (1, 3), np.nan, np.float64)
        if span_ns is not None:
            self._spans.array[-1:] = given_or_unknown([span_ns], (1, 2), UNKNOWN_NS, np.int64)
        self._offsets.array[-1] = end

    @property
    def unfiled(self) -> bool:
        """Whether enough keys have come that filing them would quicken the coarse step."""
        filed = self._lists.filed
        new = (len(self) - 1) * (1 + self._landmarks) - filed
        return new > max(self._exact_keys, filed // NEW_SHARE)

    def file_keys(self) -> None:
        """Sort what has come into inverted lists, once there are more than `exact_keys` keys.

        May run beside anything else here. It takes seconds whenever a memory of a million rows has
        grown fourfold, and next to nothing otherwise. Attention is right without it, as keys not
        yet filed are all compared, only slower.
        """
        if len(self) * (1 + self._landmarks) > self._exact_keys:
            self._lists = self._lists.updated(self._closed_keys())

    def attend(
        self,
        query: npt.ArrayLike,
        *,
        beta: float,
        top_chunks: int = 16,
        near: npt.ArrayLike | None = None,
        near_scale_m: float = 10.0,
        around_ns: int | None = None,
        around_scale_s: float = 3_600.0,
        allowed: Allowed | BoolArray | Sequence[tuple[int, int]] | None = None,
        joint: bool = False,
        candidates: int = 1_024,
        also: IntArray | None = None,
    ) -> Attended:
        """Attend to the memory; the module's text has the formulas.

        Args:
            query: Shape (d,) or (heads, d). Each head keeps chunks of its own.
            beta: Inverse temperature, positive.
            top_chunks: How many chunks a head keeps.
            near: Shape (3,), metres: weigh by exp(-distance to a chunk's centre / scale).
            near_scale_m: Scale of that kernel, metres.
            around_ns: A moment: weigh by exp(-time to a chunk's span / scale).
            around_scale_s: Scale of that kernel, seconds.
            allowed: Rows that may be attended to, exactly: shape (rows,), bool, or disjoint rising
                ranges (start, stop), or an `Allowed` of either. Removed rows are left out this way; a key still holds them.
            joint: One softmax over the rows of all kept chunks instead of one in each.
            candidates: Beyond `exact_keys` keys, compare the keys of at least so many chunks.
            also: Rows whose chunks are kept too, with the relevance of their best such row: what
                an index over rows found, so that a row unlike the rest of its chunk is not missed.

        Returns:
            Rows and chunks with their weights; empty where nothing is stored or allowed.

        Raises:
            DimensionMismatch: The query has another dimension than the rows.
            InvalidVector: The query is not finite.
            InvalidQuery: A number is out of its range, or `allowed` does not fit the rows.
        """
        if not (np.isfinite(beta) and beta > 0) or top_chunks < 1 or candidates < 1:
            raise InvalidQuery("beta, top_chunks and candidates must be positive")
        queries = np.atleast_2d(np.asarray(query, np.float32))
        if queries.ndim != 2 or queries.shape[1] != self.dimension:
            raise DimensionMismatch(f"queries {queries.shape}; expected (heads, {self.dimension})")
        if not np.isfinite(queries).all():
            raise InvalidVector("the query is not finite")
        allow = allowed if isinstance(allowed, Allowed) else Allowed(allowed, self.rows)
        if allow.rows != self.rows:
            raise InvalidQuery(f"the filter is on {allow.rows} rows; there are {self.rows}")
        valid = allow.chunks(self.offsets)
        bias, work = self._bias(near, near_scale_m, around_ns, around_scale_s)
        work += Work(0, allow.bytes)
        heads = []
        for head in queries * np.float32(beta):
            chunks, relevance, coarse = self._relevant(head, bias, valid, candidates, top_chunks)
            if also is not None and len(also):
                chunks, relevance = self._also(head, bias, chunks, relevance, also)
            found, fine = self._inside(head, chunks, relevance, bias, allow, joint=joint)
            heads.append(found)
            work += coarse + fine
        rows, weights = together([(head.rows, head.weights) for head in heads])
        kept, chunk_weights = together([(head.chunks, head.chunk_weights) for head in heads])
        return Attended(rows, weights, kept, chunk_weights, tuple(heads), work)

    def _end_after(self, count: int, contents: Any) -> int:
        """Take longer contents, and say where the next rows end."""
        if contents is not None:
            if tuple(contents.shape[1:]) != (self.dimension,):
                raise InputRejected(f"contents {contents.shape}; expected (n, {self.dimension})")
            self.contents = contents
        end = self.rows + count
        if count < 1 or end > len(self.contents):
            raise InputRejected(
                f"rows {self.rows} to {end} for a chunk; there are {len(self.contents)}"
            )
        return end

    def _keys_of(self, edges: IntArray) -> FloatArray:
        """The mean of neighbouring chunks and their landmarks, shape (m, 1 + landmarks, d)."""
        values = np.asarray(self.contents[edges[0] : edges[-1]], np.float32)
        starts, sizes = edges[:-1] - edges[0], np.diff(edges)
        means = np.add.reduceat(values, starts, axis=0) / sizes[:, None].astype(np.float32)
        keys: list[FloatArray] = [means]
        chunk_of = np.repeat(np.arange(len(sizes)), sizes)
        distances = np.full(len(values), np.inf, np.float32)
        for _ in range(self._landmarks):
            distances = np.minimum(distances, np.square(values - keys[-1][chunk_of]).sum(axis=1))
            farthest = np.maximum.reduceat(distances, starts)[chunk_of] == distances
            _, first = np.unique(chunk_of[farthest], return_index=True)
            keys.append(values[np.flatnonzero(farthest)[first]])
        return np.stack(keys, axis=1)

    def _closed_keys(self) -> FloatArray:
        """Keys that will not change any more, all chunks' after each other."""
        return self._keys.array[: len(self) - 1].reshape(-1, self.dimension)

    def _bias(
        self, near: npt.ArrayLike | None, metres: float, around_ns: int | None, seconds: float
    ) -> tuple[FloatArray | None, Work]:
        """Logarithm of K of each chunk, shape (m,); None where neither kernel is asked for."""
        bias, work = np.zeros(len(self)), Work()
        if near is not None:
            bias += log_kernel(distances_m(self.centres, near), scale=metres)
            work += Work(4 * len(self), self.centres.nbytes)
        if around_ns is not None:
            bias += log_kernel(seconds_outside(self.spans_ns, around_ns), scale=seconds)
            work += Work(2 * len(self), self.spans_ns.nbytes)
        return (None if near is None and around_ns is None else bias), work

    def _relevant(
        self,
        query: FloatArray,
        bias: FloatArray | None,
        valid: BoolArray | None,
        candidates: int,
        top_chunks: int,
    ) -> tuple[IntArray, FloatArray, Work]:
        """The coarse step: the most relevant chunks, best first, and their relevance."""
        each = 1 + self._landmarks
        work = Work()
        numbers: IntArray = np.arange(len(self)) if valid is None else np.flatnonzero(valid)
        budget = max(candidates, top_chunks) * each
        lists = self._lists
        filed = lists.filed // each
        if filed and len(numbers) * each > max(self._exact_keys, budget):
            biased = None if bias is None else np.repeat(bias[:filed], each)
            usable = None if valid is None else np.repeat(valid[:filed], each)
            inside = lists.candidates(query, budget, bias=biased, valid=usable)
            new = numbers[np.searchsorted(numbers, filed) :]
            work += Work(lists.centroids.size, lists.centroids.nbytes)
            numbers = np.concatenate([np.unique(inside // each), new])
        keys = self._keys.array if len(numbers) == len(self) else self._keys.array[numbers]
        products = (keys.reshape(-1, self.dimension) @ query).reshape(-1, each)
        relevance = products.max(axis=1, initial=-np.inf).astype(np.float64)
        work += Work(keys.size, keys.nbytes)
        if bias is not None:
            relevance += bias[numbers]
        best = _highest(relevance, top_chunks)
        return numbers[best], relevance[best], work

    def _also(
        self,
        query: FloatArray,
        bias: FloatArray | None,
        chunks: IntArray,
        relevance: FloatArray,
        also: IntArray,
    ) -> tuple[IntArray, FloatArray]:
        """The kept chunks and those of some rows, most relevant first."""
        rows = np.asarray(also[also < self.rows], np.int64)
        of_row = np.searchsorted(self.offsets, rows, side="right") - 1
        score = np.asarray(self.contents[rows], np.float32) @ query
        merged = dict(zip(chunks.tolist(), relevance.tolist(), strict=True))
        for chunk, value in zip(of_row.tolist(), score.tolist(), strict=True):
            told = value + (0.0 if bias is None else float(bias[chunk]))
            merged[chunk] = max(told, merged.get(chunk, -np.inf))
        ordered = sorted(merged, key=lambda chunk: -merged[chunk])
        return np.array(ordered, np.int64), np.array([merged[chunk] for chunk in ordered])

    def _inside(
        self,
        query: FloatArray,
        chunks: IntArray,
        relevance: FloatArray,
        bias: FloatArray | None,
        allow: Allowed,
        *,
        joint: bool,
    ) -> tuple[HeadAttention, Work]:
        """The fine step: exact attention over the allowed rows of some chunks."""
        if not len(chunks):
            none = np.empty(0)
            nothing, zero = np.empty(0, np.int64), np.zeros(1, np.int64)
            output = np.zeros(self.dimension, np.float32)
            return HeadAttention(nothing, none, none, zero, nothing, none, none, output), Work()
        edges = [(int(self.offsets[chunk]), int(self.offsets[chunk + 1])) for chunk in chunks]
        numbers = np.concatenate([np.arange(first, last) for first, last in edges])
        values = np.concatenate([self.contents[first:last] for first, last in edges])
        work = Work(2 * values.size, values.nbytes)
        starts = np.concatenate([[0], np.cumsum([last - first for first, last in edges])])
        keep = allow.mask(numbers)
        if keep is not None:
            starts = np.concatenate([[0], np.cumsum(keep)])[starts]
            numbers, values = numbers[keep], values[keep]
        values = values.astype(np.float32, copy=False)
        logits = (values @ query).astype(np.float64)
        chunk_of = np.repeat(np.arange(len(chunks)), np.diff(starts))
        highest = np.maximum.reduceat(logits, starts[:-1])
        mass = highest + np.log(np.add.reduceat(np.exp(logits - highest[chunk_of]), starts[:-1]))
        inside = np.exp(logits - mass[chunk_of])
        if joint:
            chunk_weights = softmax(mass if bias is None else mass + bias[chunks])
        else:
            chunk_weights = softmax(relevance)
        weights = chunk_weights[chunk_of] * inside
        output = weights.astype(np.float32) @ values
        found = HeadAttention(
            chunks, relevance, chunk_weights, starts, numbers, inside, weights, output
        )
        return found, work


def _blocks(edges: IntArray) -> Iterator[IntArray]:
    """Edges of neighbouring chunks, a bounded number of rows at a time."""
    first = 0
    while first < len(edges) - 1:
        last = int(np.searchsorted(edges, edges[first] + _ROWS_A_BLOCK, side="right")) - 1
        last = max(last, first + 1)
        yield edges[first : last + 1]
        first = last


def _highest(values: FloatArray, count: int) -> IntArray:
    """Where the highest values are, highest first."""
    count = min(count, len(values))
    if not count:
        return np.empty(0, np.int64)
    best = np.argpartition(-values, count - 1)[:count]
    return np.asarray(best[np.argsort(-values[best], kind="stable")])
