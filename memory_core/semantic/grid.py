"""Which numbered points lie near a place: a hash of square columns."""

from __future__ import annotations

import math
from collections.abc import Sequence

Cell = tuple[int, int]


class ColumnGrid:
    """Numbered points by the square column of space they stand in; all heights together."""

    def __init__(self, cell_m: float) -> None:
        """An empty grid.

        Args:
            cell_m: Side of a column, metres.
        """
        self.cell_m = cell_m
        self._cells: dict[Cell, set[int]] = {}
        self._cell_of: dict[int, Cell] = {}

    def __len__(self) -> int:
        return len(self._cell_of)

    def put(self, number: int, position: Sequence[float]) -> None:
        """Add a point, or move it."""
        cell = self._cell(position)
        if self._cell_of.get(number) == cell:
            return
        self.remove(number)
        self._cells.setdefault(cell, set()).add(number)
        self._cell_of[number] = cell

    def remove(self, number: int) -> None:
        """Take a point out; nothing happens where there is none of that number."""
        cell = self._cell_of.pop(number, None)
        if cell is not None:
            members = self._cells[cell]
            members.discard(number)
            if not members:
                del self._cells[cell]

    def near(self, position: Sequence[float], radius_m: float) -> set[int]:
        """Numbers of all points within a horizontal radius, and some just beyond it."""
        column, row = self._cell(position)
        span = math.ceil(radius_m / self.cell_m)
        if (2 * span + 1) ** 2 > len(self._cells):
            return {
                number
                for (x, y), members in self._cells.items()
                if abs(x - column) <= span and abs(y - row) <= span
                for number in members
            }
        found: set[int] = set()
        for x in range(column - span, column + span + 1):
            for y in range(row - span, row + span + 1):
                found |= self._cells.get((x, y), set())
        return found

    def _cell(self, position: Sequence[float]) -> Cell:
        return math.floor(position[0] / self.cell_m), math.floor(position[1] / self.cell_m)
