"""Which room each spot of a map lies in, as walls and doorways part them.

A robot that drives knows walls from its range scanner; `planning.navigation.rooms` finds the rooms
between them. A memory that was told a floor plan tells rooms apart by it, and not by what is seen
together.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote
from zipfile import BadZipFile

import numpy as np

from memory_core.errors import DimensionMismatch, InvalidQuery, RobotMemoryError, StorageFull
from memory_core.types import DEFAULT_MAP, FloatArray, IntArray

logger = logging.getLogger(__name__)

NEAR_M = 0.7
"""What is so near to a room's floor is in the room: furniture, and things on it."""
BELOW_M = 0.3
"""A point may lie so far below the floor it counts to: depth is noisy."""
TOWARDS_M = np.arange(0.1, 2.0, 0.1)
LEADS_TO, SLENDER, PASSAGE_M = 3, 1.8, 2.4
"""A passage leads to at least so many rooms or parts of itself, is so much longer than wide, and no
wider: those of nine simulated homes (100 to 108) are 1.8 to 2.2 m wide, and a hall that was not
parted from the room beside it 2.5 m or more."""
SUFFIX = ".npz"


@dataclass(frozen=True, slots=True)
class _Shape:
    """A room's floor: its cell farthest from the edges, how far that is, its cells, rooms it touches."""

    row: int
    column: int
    inner: float
    cells: int
    touches: int


@dataclass(frozen=True, slots=True, eq=False)
class Storey:
    """The rooms of one floor, on a grid of square cells.

    Attributes:
        height_m: Of the floor, in the map.
        corner: Smallest x and y of the grid, metres.
        cell_m: Side of a cell, metres.
        rooms: Number of the room whose floor a cell is, 0 for none, shape (rows along y, columns
            along x). No two storeys share a number.
    """

    height_m: float
    corner: tuple[float, float]
    cell_m: float
    rooms: IntArray
    _nearest: list[tuple[FloatArray, IntArray]] = field(default_factory=list, repr=False)
    _shapes: dict[int, _Shape | None] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        """Check.

        Raises:
            DimensionMismatch: The rooms are no grid.
            InvalidQuery: A cell has no size, or a room a negative number.
        """
        if self.rooms.ndim != 2:
            raise DimensionMismatch(
                f"rooms have shape {self.rooms.shape}; expected (rows, columns)"
            )
        if self.cell_m <= 0 or (self.rooms.size and self.rooms.min() < 0):
            raise InvalidQuery("a floor plan needs cells of some size, and room numbers from 0 on")

    def floor_at(self, points: FloatArray) -> IntArray:
        """The room whose floor is exactly below points (n, 2), 0 for none, shape (n,)."""
        cells, inside = self._cells(points)
        return np.where(inside, self.rooms[cells[:, 0], cells[:, 1]], 0)

    def near(self, points: FloatArray) -> IntArray:
        """The room whose floor is nearest to points (n, 2); 0 for none near, shape (n,)."""
        from scipy import ndimage

        if not self._nearest:
            apart, at = ndimage.distance_transform_edt(self.rooms == 0, return_indices=True)
            self._nearest.append((apart * self.cell_m, self.rooms[tuple(at)]))
        apart, numbers = self._nearest[0]
        cells, inside = self._cells(points)
        near = inside & (apart[cells[:, 0], cells[:, 1]] <= NEAR_M)
        return np.where(near, numbers[cells[:, 0], cells[:, 1]], 0)

    def shape(self, number: int) -> _Shape | None:
        """The floor of a room, worked out once; None where it has none here."""
        if number not in self._shapes:
            self._shapes[number] = self._measured(number)
        return self._shapes[number]

    def _measured(self, number: int) -> _Shape | None:
        from scipy import ndimage

        rows, columns = np.nonzero(self.rooms == number)
        if number <= 0 or not len(rows):
            return None
        top, left = int(rows.min()), int(columns.min())
        part = np.pad(self.rooms, 1)[top : rows.max() + 3, left : columns.max() + 3]
        mine = part == number
        inner = ndimage.distance_transform_edt(mine)
        row, column = np.unravel_index(int(inner.argmax()), inner.shape)
        beside = part[ndimage.binary_dilation(mine, np.ones((3, 3), bool)) & ~mine]
        return _Shape(
            int(row) + top - 1, int(column) + left - 1, float(inner.max()), len(rows),
            len(np.unique(beside[beside > 0])),
        )  # fmt: skip

    def _cells(self, points: FloatArray) -> tuple[IntArray, np.ndarray]:
        """Rows and columns, shape (n, 2), of the nearest cells, and which points lie in them."""
        cells = np.floor((points[:, 1::-1] - np.array(self.corner)[::-1]) / self.cell_m).astype(int)
        most = np.array(self.rooms.shape) - 1
        inside = ((cells >= 0) & (cells <= most)).all(axis=1)
        return np.clip(cells, 0, most), inside


@dataclass(frozen=True, slots=True, eq=False)
class FloorPlan:
    """The rooms of a map.

    Attributes:
        storeys: The lowest first; each has at least one cell.
        map_id: The map.
    """

    storeys: tuple[Storey, ...]
    map_id: str = DEFAULT_MAP

    def __post_init__(self) -> None:
        """Check.

        Raises:
            InvalidQuery: There is no storey, or one has no cell.
        """
        if not self.storeys or any(storey.rooms.size == 0 for storey in self.storeys):
            raise InvalidQuery("a floor plan needs at least one storey, each of at least one cell")

    def at(self, points: FloatArray) -> IntArray:
        """The number of the room that points are in or near to, 0 for none, shape (n,).

        Args:
            points: `map`, shape (n, 3), metres; each counts to the highest floor below it.
        """
        return self._by_storey(points, Storey.near)

    def seen_from(self, things: FloatArray, views: FloatArray) -> IntArray:
        """The room in which each thing was seen, 0 for none, shape (n,).

        A line of sight crosses no wall: going from the thing towards who saw it, the first floor
        is that of its room, even where it stands against the wall of the next one.

        Args:
            things: `map`, shape (n, 3), metres.
            views: From where each was seen, shape (n, 3), metres.
        """
        towards = views[:, :2] - things[:, :2]
        apart = np.linalg.norm(towards, axis=1)
        towards = towards / np.maximum(apart, 1e-9)[:, None]
        found = np.zeros(len(things), np.int64)
        for step_m in TOWARDS_M:
            points = things.copy()
            points[:, :2] += towards * np.minimum(step_m, apart)[:, None]
            here = self._by_storey(points, Storey.floor_at)
            found = np.where(found == 0, here, found)
        return found

    def middle(self, number: int) -> tuple[float, float, float]:
        """The spot of a room's floor that is farthest from its edges, `map`, metres.

        Raises:
            InvalidQuery: There is no such room.
        """
        for storey in self.storeys:
            shape = storey.shape(number)
            if shape is not None:
                x = storey.corner[0] + (shape.column + 0.5) * storey.cell_m
                y = storey.corner[1] + (shape.row + 0.5) * storey.cell_m
                return (x, y, storey.height_m)
        raise InvalidQuery(f"the floor plan has no room {number}")

    def is_passage(self, number: int) -> bool:
        """Whether a room is long, narrow, and leads to several others, whatever stands in it.

        How long for its width: its floor over the square that fits into it.
        """
        for storey in self.storeys:
            shape = storey.shape(number)
            if shape is not None:
                slender = shape.cells >= SLENDER * (2 * shape.inner) ** 2
                narrow = 2 * shape.inner * storey.cell_m <= PASSAGE_M
                return slender and narrow and shape.touches >= LEADS_TO
        return False

    def _by_storey(
        self, points: FloatArray, look_up: Callable[[Storey, FloatArray], IntArray]
    ) -> IntArray:
        heights = np.array([storey.height_m for storey in self.storeys])
        below = heights[None] <= points[:, 2:3] + BELOW_M
        level = np.where(below, heights[None], -np.inf).argmax(axis=1)
        found = np.zeros(len(points), np.int64)
        for number, storey in enumerate(self.storeys):
            mine = level == number
            if mine.any():
                found[mine] = look_up(storey, points[mine])
        return found

    def save(self, folder: Path) -> None:
        """Keep it in a folder of plans, one a map; whole, or not at all."""
        folder.mkdir(exist_ok=True)
        path = folder / f"{quote(self.map_id, safe='')}{SUFFIX}"
        arrays: dict[str, Any] = {f"rooms{n}": s.rooms for n, s in enumerate(self.storeys)}
        arrays["where"] = np.array([(s.height_m, *s.corner, s.cell_m) for s in self.storeys])
        beside = path.with_suffix(".new")
        try:
            with beside.open("wb") as file:
                np.savez_compressed(file, **arrays)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)


class KeptPlans:
    """The floor plans in a folder; those that another process tells are taken over."""

    def __init__(self, folder: Path) -> None:
        """Load what is there."""
        self._folder = folder
        self._load()

    def _load(self) -> None:
        self._changed_ns = self._last_change_ns()
        self.by_map = load_plans(self._folder)

    def _last_change_ns(self) -> int:
        """When a plan was last put there, nanoseconds; 0 where there is none."""
        return self._folder.stat().st_mtime_ns if self._folder.exists() else 0

    def tell(self, plan: FloorPlan) -> None:
        """Keep a plan.

        Raises:
            StorageFull: It cannot be written.
        """
        try:
            plan.save(self._folder)
        except OSError as error:
            raise StorageFull(f"the floor plan cannot be kept: {error}") from error
        self.by_map = {**self.by_map, plan.map_id: plan}

    def follow(self) -> bool:
        """Take over what was told since; whether there was any."""
        if self._last_change_ns() == self._changed_ns:
            return False
        self._load()
        return True


def load_plans(folder: Path) -> dict[str, FloorPlan]:
    """The plans kept in a folder, by map; one that cannot be read is left out, and logged."""
    found = {}
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        map_id = unquote(path.name.removesuffix(SUFFIX))
        try:
            with np.load(path, allow_pickle=False) as kept:
                storeys = tuple(
                    Storey(float(height), (float(x), float(y)), float(cell), kept[f"rooms{n}"])
                    for n, (height, x, y, cell) in enumerate(kept["where"])
                )
            found[map_id] = FloorPlan(storeys, map_id)
        except (OSError, ValueError, KeyError, EOFError, BadZipFile, RobotMemoryError) as error:
            logger.warning("the floor plan %s is left out: %s; tell it again", path, error)
    return found
