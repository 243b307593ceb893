"""Rows of a stored memory: arrays that grow at their end, and which rows may be attended to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from memory_core.errors import InputRejected, InvalidQuery
from memory_core.types import IntArray

BoolArray = npt.NDArray[np.bool_]


class Growing:
    """An array that grows at its end in amortised constant time a row."""

    def __init__(self, first: npt.NDArray[Any]) -> None:
        """Begin with a copy of some rows."""
        self._room = first.copy()
        self._count = len(first)

    @property
    def array(self) -> npt.NDArray[Any]:
        """The rows there are; writable, and a view that the next growth may leave behind."""
        return self._room[: self._count]

    def extend(self, rows: npt.NDArray[Any]) -> None:
        """Add rows at the end."""
        count = self._count + len(rows)
        if count > len(self._room):
            room = np.empty((max(count, 2 * len(self._room)), *self._room.shape[1:]), rows.dtype)
            room[: self._count] = self.array
            self._room = room
        self._room[self._count : count] = rows
        self._count = count


class Allowed:
    """A filter on rows, asked about chunks first and about single rows after.

    Worth keeping where the same is asked again: what it found of chunks is kept with it.
    """

    def __init__(self, given: BoolArray | Sequence[tuple[int, int]] | None, rows: int) -> None:
        """Check what was given.

        Args:
            given: Shape (rows,), bool; or disjoint rising ranges (start, stop); or None for all.
            rows: How many there are.

        Raises:
            InvalidQuery: The mask has another length, or the ranges overlap or fall.
        """
        self.rows = rows
        self._mask: BoolArray | None = None
        self._edges: IntArray | None = None
        self._chunks: tuple[IntArray, BoolArray | None] | None = None
        if given is None:
            return
        if isinstance(given, np.ndarray) and given.dtype == np.bool_:
            if given.shape != (rows,):
                raise InvalidQuery(f"the mask of rows is {given.shape}; expected ({rows},)")
            self._mask = given
            return
        edges = np.asarray(given, np.int64).reshape(-1)
        if edges.size % 2 or (np.diff(edges) < 0).any():
            raise InvalidQuery("ranges of rows must be pairs (start, stop), disjoint and rising")
        self._edges = np.clip(edges, 0, rows)

    @property
    def bytes(self) -> int:
        """Of the filter itself."""
        part = self._edges if self._mask is None else self._mask
        return 0 if part is None else part.nbytes

    def chunks(self, offsets: IntArray) -> BoolArray | None:
        """Which chunks hold an allowed row, shape (m,); None where all do.

        Args:
            offsets: Shape (m + 1,), rising.
        """
        if self._chunks is None or not np.array_equal(self._chunks[0], offsets):
            self._chunks = offsets.copy(), self._with_allowed(offsets)
        return self._chunks[1]

    def _with_allowed(self, offsets: IntArray) -> BoolArray | None:
        if self._mask is not None:
            if len(offsets) < 2:
                return np.zeros(0, np.bool_)
            return np.logical_or.reduceat(self._mask, offsets[:-1])
        if self._edges is None:
            return None
        before = self._allowed_before(offsets)
        return np.asarray(np.diff(before) > 0)

    def mask(self, numbers: IntArray) -> BoolArray | None:
        """Which of some rows are allowed, the shape of `numbers`; None where all are."""
        if self._mask is not None:
            return self._mask[numbers]
        if self._edges is None:
            return None
        return np.asarray(np.searchsorted(self._edges, numbers, side="right") % 2 == 1)

    def _allowed_before(self, numbers: IntArray) -> IntArray:
        """How many allowed rows lie before each number."""
        starts, stops = self._edges.reshape(-1, 2).T if self._edges is not None else ((), ())
        lengths = np.asarray(stops) - np.asarray(starts)
        total = np.concatenate([[0], np.cumsum(lengths)])
        place = np.searchsorted(np.asarray(starts), numbers, side="right")
        over = np.maximum(np.concatenate([[0], np.asarray(stops)])[place] - numbers, 0)
        return np.asarray(total[place] - over)


def given_or_unknown(
    given: Any, shape: tuple[int, int], unknown: float, dtype: npt.DTypeLike
) -> npt.NDArray[Any]:
    """What was given for each chunk, or the value that stands for not known.

    Raises:
        InputRejected: It has another shape.
    """
    if given is None:
        return np.full(shape, unknown, dtype)
    array = np.asarray(given, dtype)
    if array.shape != shape:
        raise InputRejected(f"an array of shape {array.shape} for chunks; expected {shape}")
    return array
