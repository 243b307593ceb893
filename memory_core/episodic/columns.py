"""Columns in RAM: time, place and origin of every observation, for exact filters in microseconds.

Rows are in rowid order, which is the order of arrival and so nearly that of time: observations
close in time lie close in the arrays. Each block of 1,024 rows keeps the bounds of its stamps
and positions (a zone map), so that a filter looks only into blocks that can hold a match.
Positions are float64 map coordinates derived from the anchors' current poses; a correction
recomputes those of the rows it moves.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from memory_core.types import Box, Filters, FloatArray, IntArray, Pose, Sphere

BLOCK = 1024

_DTYPES: dict[str, Any] = {
    "rowid": np.int64,
    "stamp": np.int64,
    "x": np.float64,
    "y": np.float64,
    "z": np.float64,
    "robot": np.uint32,
    "session": np.uint32,
    "source": np.uint32,
    "anchor": np.uint32,
    "localised": np.bool_,
    "alive": np.bool_,
}


class Columns:
    """Growable arrays, one entry an observation. Not thread-safe by itself: the memory locks."""

    def __init__(self, arrays: Mapping[str, Any] | None = None) -> None:
        """Start empty, or from whole arrays (a cache)."""
        if arrays is None:
            arrays = {name: np.empty(0, dtype) for name, dtype in _DTYPES.items()}
        self._arrays = {name: np.asarray(arrays[name], dtype) for name, dtype in _DTYPES.items()}
        self._size = len(self._arrays["rowid"])
        self._zones = _Zones()
        self._dead = int(self._size - np.count_nonzero(self._arrays["alive"]))

    def __len__(self) -> int:
        """Entries, removed ones included."""
        return self._size

    @property
    def alive_count(self) -> int:
        """Entries that are not removed."""
        return self._size - self._dead

    def column(self, name: str) -> Any:
        """One column, shape (n,): a view that must not be changed."""
        return self._arrays[name][: self._size]

    def arrays(self) -> dict[str, Any]:
        """All columns, for a cache."""
        return {name: self.column(name) for name in _DTYPES}

    @property
    def last_rowid(self) -> int:
        """The rowid of the last entry; 0 when empty."""
        return int(self._arrays["rowid"][self._size - 1]) if self._size else 0

    def append(self, rows: Sequence[tuple[Any, ...]], anchors: Mapping[int, Pose]) -> None:
        """Take rows as `EpisodicStore.column_rows` gives them, poses still in anchor frames.

        Args:
            rows: rowid, stamp, x, y, z, robot, session, source, anchor, localised; ascending.
            anchors: Poses in the map of every anchor named.
        """
        if not rows:
            return
        fields = list(zip(*rows, strict=True))
        names = ("rowid", "stamp", "x", "y", "z", "robot", "session", "source", "anchor")
        start, end = self._size, self._size + len(rows)
        self._grow(end)
        for name, values in zip(names, fields, strict=False):
            if name in "xyz":
                self._arrays[name][start:end] = np.array(
                    [np.nan if value is None else value for value in values]
                )
            else:
                self._arrays[name][start:end] = values
        self._arrays["localised"][start:end] = fields[9]
        self._arrays["alive"][start:end] = True
        self._size = end
        self._carry(np.arange(start, end), anchors)
        self._zones.forget_from(start)

    def _grow(self, size: int) -> None:
        capacity = len(self._arrays["rowid"])
        if size <= capacity and all(a.flags.writeable for a in self._arrays.values()):
            return
        capacity = max(size, capacity + capacity // 4, BLOCK)
        for name, array in self._arrays.items():
            larger = np.empty(capacity, array.dtype)
            larger[: self._size] = array[: self._size]
            self._arrays[name] = larger

    def _carry(self, entries: IntArray, anchors: Mapping[int, Pose]) -> None:
        """Turn anchor coordinates of some entries into map coordinates."""
        for number in np.unique(self._arrays["anchor"][entries]):
            pose = anchors[int(number)]
            if pose == Pose():
                continue
            carried = entries[self._arrays["anchor"][entries] == number]
            inside = np.stack([self._arrays[axis][carried] for axis in "xyz"], axis=1)
            moved = pose.transform(inside)
            for axis, values in zip("xyz", moved.T, strict=True):
                self._arrays[axis][carried] = values

    def replace_positions(self, rowids: IntArray, positions: FloatArray) -> None:
        """Put new map coordinates in place after a correction.

        Args:
            rowids: Shape (n,), ascending.
            positions: Shape (n, 3), metres.
        """
        entries, found = self.entries_of(rowids)
        self._make_writable()
        for axis, values in zip("xyz", positions[found].T, strict=True):
            self._arrays[axis][entries] = values
        self._zones.clear()

    def remove(self, rowids: Iterable[int]) -> None:
        """Mark observations as removed; they pass no filter from now on."""
        wanted = np.fromiter(rowids, np.int64)
        entries, _ = self.entries_of(np.sort(wanted))
        self._make_writable()
        self._arrays["alive"][entries] = False
        self._dead = self._size - int(np.count_nonzero(self.column("alive")))

    def _make_writable(self) -> None:
        if not self._arrays["alive"].flags.writeable:
            self._arrays = {name: array.copy() for name, array in self._arrays.items()}

    def entries_of(self, rowids: IntArray) -> tuple[IntArray, Any]:
        """Where rowids are in the columns.

        Args:
            rowids: Shape (n,).

        Returns:
            Entries of those found, and a mask, shape (n,), of which were found.
        """
        column = self.column("rowid")
        entries = np.searchsorted(column, rowids)
        found = entries < len(column)
        found[found] = column[entries[found]] == np.asarray(rowids)[found]
        return entries[found], found

    def select(
        self, filters: Filters, names: Mapping[str, Mapping[str, Sequence[int]]]
    ) -> IntArray:
        """The entries that satisfy every filter, exactly.

        Args:
            filters: Conditions.
            names: By kind (`robot`, `session`, `source`, and `map`), the numbers each name
                stands for; a map stands for its anchors.

        Returns:
            Entries, ascending, int64. An unknown name selects nothing.
        """
        keep = self._in_span_and_region(filters)
        if self._dead:
            keep &= self.column("alive")
        for column, kind, wanted in (
            ("robot", "robot", filters.robots),
            ("session", "session", filters.sessions),
            ("source", "source", filters.sources),
            ("anchor", "map", filters.maps),
        ):
            if wanted:
                numbers = [n for name in wanted for n in names[kind].get(name, ())]
                keep &= np.isin(self.column(column), numbers)
        return np.flatnonzero(keep)

    def _in_span_and_region(self, filters: Filters) -> Any:
        """Which entries lie in the span and the region, shape (n,), looking only where needed."""
        if not self._size or (filters.span is None and filters.region is None):
            return np.ones(self._size, bool)
        possible, sure = self._zones.matching(self, filters)
        keep = np.zeros((len(possible), BLOCK), bool)
        keep[sure] = True
        partial = np.flatnonzero(possible & ~sure)
        entries = np.minimum((partial[:, None] * BLOCK + np.arange(BLOCK)).ravel(), self._size - 1)
        keep[partial] = self._satisfy(filters, entries).reshape(-1, BLOCK)
        return keep.reshape(-1)[: self._size]

    def _satisfy(self, filters: Filters, entries: IntArray) -> Any:
        keep = np.ones(len(entries), bool)
        span = filters.span
        if span is not None:
            stamps = self._arrays["stamp"][entries]
            if span.start_ns is not None:
                keep &= stamps >= span.start_ns
            if span.end_ns is not None:
                keep &= stamps <= span.end_ns
        if filters.region is not None:
            keep &= self._inside(filters.region, entries)
        return keep

    def _inside(self, region: Box | Sphere, entries: IntArray) -> Any:
        x, y, z = (self._arrays[axis][entries] for axis in "xyz")
        if isinstance(region, Box):
            (lx, ly, lz), (hx, hy, hz) = region.low, region.high
            return (x >= lx) & (x <= hx) & (y >= ly) & (y <= hy) & (z >= lz) & (z <= hz)
        squared = (x - region.centre[0]) ** 2 + (y - region.centre[1]) ** 2
        if len(region.centre) == 3:
            squared = squared + (z - region.centre[2]) ** 2
        return squared <= region.radius_m**2


class _Zones:
    """Bounds of stamp and position for each block of rows; made when first asked for."""

    def __init__(self) -> None:
        self._low: dict[str, Any] = {}
        self._unplaced: dict[str, Any] = {}
        self._high: dict[str, Any] = {}
        self._blocks = 0

    def clear(self) -> None:
        self._blocks = 0

    def forget_from(self, entry: int) -> None:
        self._blocks = min(self._blocks, entry // BLOCK)

    def _bring_up_to_date(self, columns: Columns) -> None:
        wanted = -(-len(columns) // BLOCK)
        if self._blocks == wanted:
            return
        first = self._blocks * BLOCK
        starts = np.arange(first, len(columns), BLOCK) - first
        for name in ("stamp", "x", "y", "z"):
            values = columns.column(name)[first:]
            for bounds, reduce in ((self._low, np.fmin), (self._high, np.fmax)):
                self._extend(bounds, name, reduce.reduceat(values, starts))
        unplaced = np.isnan(columns.column("x")[first:])
        self._extend(self._unplaced, "any", np.logical_or.reduceat(unplaced, starts))
        self._blocks = wanted

    def _extend(self, bounds: dict[str, Any], name: str, fresh: Any) -> None:
        old = bounds.get(name, fresh[:0])[: self._blocks]
        bounds[name] = np.concatenate([old, fresh])

    def matching(self, columns: Columns, filters: Filters) -> tuple[Any, Any]:
        """Blocks that can hold a match, and blocks all of whose rows match, each shape (b,)."""
        self._bring_up_to_date(columns)
        possible = np.ones(self._blocks, bool)
        sure = np.ones(self._blocks, bool)
        span, region = filters.span, filters.region
        if span is not None:
            if span.start_ns is not None:
                possible &= self._high["stamp"] >= span.start_ns
                sure &= self._low["stamp"] >= span.start_ns
            if span.end_ns is not None:
                possible &= self._low["stamp"] <= span.end_ns
                sure &= self._high["stamp"] <= span.end_ns
        if region is not None:
            low, high = bounds_of(region)
            for axis, least, most in zip("xyz", low, high, strict=True):
                possible &= (self._high[axis] >= least) & (self._low[axis] <= most)
                sure &= (self._low[axis] >= least) & (self._high[axis] <= most)
            sure &= ~self._unplaced["any"] & isinstance(region, Box)
        return possible, sure & possible


def bounds_of(region: Box | Sphere) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """The smallest box around a region: (low, high), a flat circle unbounded in z."""
    if isinstance(region, Box):
        return region.low, region.high
    centre = region.centre
    margin = region.radius_m * (1 + 1e-12) + 1e-9
    low = tuple(value - margin for value in centre)
    high = tuple(value + margin for value in centre)
    if len(centre) == 2:
        return (*low, -np.inf), (*high, np.inf)
    return low, high
