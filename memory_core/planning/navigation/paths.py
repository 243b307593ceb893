"""Ways through a floor's map that a round robot fits through, keeping off walls.

The robot is a point in a map whose obstacles have grown by its radius; near them every metre
costs more. One sweep of Dijkstra's algorithm (1959, as in scipy) over the 8-connected cells gives
the cheapest way from one place to all others, so that many candidates cost what one does. Ways
are then pulled straight where a straight line is clear and no dearer.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph

from memory_core.planning.navigation.grid import OccupancyGrid
from memory_core.types import BoolArray, FloatArray, IntArray

_SOFT_M = 0.35
_NEAR_WALLS = 4.0
_UNKNOWN = 2.0
_DOUBTED = 40.0
_ASIDE_M = 0.45
_STEPS = tuple((r, c) for r in (-1, 0, 1) for c in (-1, 0, 1) if r or c)

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Ground:
    """Where a robot's centre may be on a floor, and what a metre costs there.

    Attributes:
        grid: The floor.
        revision: The floor's revision it was made of.
        passable: Shape (rows, columns).
        cost: At least 1, shape (rows, columns).
        nodes: Number of each passable cell, -1 elsewhere, shape (rows, columns).
        graph: Costs of steps between neighbouring passable cells, sparse, shape (n, n).
    """

    grid: OccupancyGrid
    revision: int
    passable: BoolArray
    cost: FloatArray
    nodes: IntArray
    graph: sparse.csr_array

    @classmethod
    def of(
        cls,
        grid: OccupancyGrid,
        *,
        radius_m: float,
        through_unknown: bool,
        doubting: bool = False,
    ) -> Ground:
        """The ground of a floor.

        Args:
            grid: The floor.
            radius_m: Of the robot.
            through_unknown: Whether what nobody has seen may be driven through, at a higher cost.
            doubting: Whether what only the depth camera saw may be driven through, at a price at
                which the way through the least of it is the cheapest.
        """
        needed = radius_m + grid.cell_m / 2
        clearance = grid.clearance_m()
        known = grid.known
        passable = (grid.wall_distance_m() if doubting else clearance) >= needed
        if not through_unknown:
            passable &= known
        near = np.clip(1 - (clearance - needed) / _SOFT_M, 0, 1)
        cost = 1 + _NEAR_WALLS * near**2 + _UNKNOWN * ~known + _DOUBTED * (clearance < needed)
        nodes = np.full(grid.shape, -1, np.int32)
        nodes[passable] = np.arange(int(passable.sum()), dtype=np.int32)
        return cls(grid, grid.revision, passable, cost, nodes, _graph(passable, cost, nodes, grid))

    def is_of(self, grid: OccupancyGrid) -> bool:
        """Whether it was made of a floor as that is now."""
        return self.grid is grid and self.revision == grid.revision

    def stand(self, point: Point, *, aside_m: float = _ASIDE_M) -> tuple[int, int] | None:
        """The passable cell nearest to a point, at most so far aside; None where there is none."""
        cell = self.grid.cell(*point)
        if self.grid.holds(cell) and self.passable[cell]:
            return cell
        cells, apart = _near(self.grid, self.passable, point, within_m=aside_m)
        return _cell(cells[apart.argmin()]) if len(cells) else None

    def clear(self, start: Point, end: Point) -> bool:
        """Whether a straight line is passable all along."""
        grid = self.grid
        inside = grid.holds(grid.cell(*start)) and grid.holds(grid.cell(*end))
        return inside and self._line(start, end)[0]

    def _line(self, start: Point, end: Point) -> tuple[bool, float]:
        """Whether a straight line within the grid is passable, and what it costs."""
        length, cell_m = math.dist(start, end), self.grid.cell_m
        count = max(2, math.ceil(2 * length / cell_m))
        share = np.arange(count) / (count - 1)
        x, y = start[0] + share * (end[0] - start[0]), start[1] + share * (end[1] - start[1])
        rows = np.floor(y / cell_m).astype(np.int64) - self.grid.corner[0]
        columns = np.floor(x / cell_m).astype(np.int64) - self.grid.corner[1]
        if not self.passable[rows, columns].all():
            return False, math.inf
        return True, float(self.cost[rows, columns].mean()) * length

    def straightened(self, way: FloatArray) -> list[Point]:
        """The corners that are left of a way within the grid, shape (n, 2), pulled straight."""
        steps = np.hypot(*np.diff(way, axis=0).T)
        costs = self.cost[tuple(self.grid.cells(way).T)]
        spent = np.concatenate([[0.0], np.cumsum(steps * (costs[1:] + costs[:-1]) / 2)])
        points: list[Point] = [(float(x), float(y)) for x, y in way]
        kept, at, last = [points[0]], 0, len(points) - 1
        while at < last:
            reach = min(last, at + 1)
            jump = 4
            while jump:
                ahead = min(last, reach + jump)
                clear, cost = self._line(points[at], points[ahead])
                if clear and cost <= 1.02 * (spent[ahead] - spent[at]) + 1e-9:
                    reach, jump = ahead, jump * 2 if ahead < last else 0
                else:
                    jump //= 2
            kept.append(points[reach])
            at = reach
        return kept


def _graph(
    passable: BoolArray, cost: FloatArray, nodes: IntArray, grid: OccupancyGrid
) -> sparse.csr_array:
    """Steps from each passable cell to its passable neighbours, rows in order."""
    width = passable.shape[1] + 2
    numbers = np.pad(nodes, 1, constant_values=-1).ravel()
    costs = np.pad(cost, 1).astype(np.float32).ravel()
    at = np.flatnonzero(numbers >= 0)
    ends = np.empty((len(at), len(_STEPS)), np.int32)
    metres = np.empty((len(at), len(_STEPS)), np.float32)
    here = costs[at]
    for column, (down, right) in enumerate(_STEPS):
        there = at + (down * width + right)
        ends[:, column] = numbers[there]
        metres[:, column] = (here + costs[there]) * (grid.cell_m * math.hypot(down, right) / 2)
    both = ends >= 0
    starts = np.concatenate([[0], np.cumsum(both.sum(axis=1, dtype=np.int32), dtype=np.int32)])
    return sparse.csr_array(
        (metres[both].astype(np.float64), ends[both], starts), shape=(len(at), len(at))
    )


class Sweep:
    """The cheapest ways between one place and all others.

    Attributes:
        ground: What it was made on.
        root: The place, metres.
        costs: Of each cell, infinite where there is no way, shape (rows, columns).
        reached: The cells that there is a way to, shape (rows, columns).
    """

    def __init__(self, ground: Ground, root: Point, *, aside_m: float = _ASIDE_M) -> None:
        """Sweep from a place, or from the nearest passable cell at most so far aside."""
        self.ground = ground
        self.root = root
        self.costs = np.full(ground.grid.shape, np.inf)
        cell = ground.stand(root, aside_m=aside_m)
        self._before: IntArray = np.zeros(0, np.int32)
        if cell is not None:
            costs, self._before = csgraph.dijkstra(
                ground.graph, indices=int(ground.nodes[cell]), return_predecessors=True
            )
            self.costs[ground.passable] = costs
        self.reached = np.isfinite(self.costs)
        self._cells = np.argwhere(ground.passable)
        self._ways: dict[tuple[Point, float], tuple[Point, ...]] = {}

    @classmethod
    def renewed(cls, known: Sweep | None, ground: Ground, root: Point) -> Sweep:
        """What is known if it is of this ground and place, else a new one."""
        fits = known is not None and known.ground is ground and known.root == root
        return known if known is not None and fits else cls(ground, root)

    @property
    def area_m2(self) -> float:
        """Of the floor that there is a way to."""
        return float(self.reached.sum()) * self.ground.grid.cell_m**2

    def lengths_m(self, points: Sequence[Point], *, aside_m: float = _ASIDE_M) -> FloatArray:
        """Lengths of the ways, cell by cell, to n places; infinite where there is none.

        Args:
            points: Places; the nearest cell with a way at most so far aside will do.
            aside_m: See there.

        Returns:
            Metres, shape (n,).
        """
        cells = [self._reachable(point, aside_m) for point in points]
        found = np.array([math.inf if cell is None else 0.0 for cell in cells])
        going = np.flatnonzero(np.isfinite(found)).astype(np.int64)
        at = np.array([self.ground.nodes[cell] for cell in cells if cell is not None], np.int64)
        while len(going):
            before = self._before[at].astype(np.int64)
            on = before >= 0
            going, at, before = going[on], at[on], before[on]
            steps = np.hypot(*(self._cells[at] - self._cells[before]).T)
            found[going] += steps * self.ground.grid.cell_m
            at = before
        return found

    def cheapest(self, among: BoolArray, point: Point, *, within_m: float) -> Point | None:
        """The middle of the cell near a point that is the cheapest to get to; None without any.

        Args:
            among: The cells that are meant, shape (rows, columns).
            point: Metres.
            within_m: How far from it.
        """
        cells, _ = _near(self.ground.grid, among & self.reached, point, within_m=within_m)
        if not len(cells):
            return None
        cheapest = cells[self.costs[cells[:, 0], cells[:, 1]].argmin()]
        x, y = self.ground.grid.centres(cheapest[None])[0].tolist()
        return (x, y)

    def way(self, point: Point, *, aside_m: float = _ASIDE_M) -> list[Point]:
        """Corners of the way from a point to the root; empty where there is none.

        Args:
            point: Where to start; the nearest cell with a way at most so far aside will do.
            aside_m: See there.
        """
        key = (point, aside_m)
        if key not in self._ways:  # the same places are asked about again and again
            self._ways[key] = tuple(self._way(point, aside_m))
        return list(self._ways[key])

    def _way(self, point: Point, aside_m: float) -> list[Point]:
        cell = self._reachable(point, aside_m)
        if cell is None:
            return []
        node = int(self.ground.nodes[cell])
        chain = []
        while node >= 0:
            chain.append(node)
            node = int(self._before[node])
        middle = self.ground.grid.centres(self._cells[chain])
        return self.ground.straightened(middle)

    def _reachable(self, point: Point, aside_m: float) -> tuple[int, int] | None:
        grid = self.ground.grid
        cell = grid.cell(*point)
        if grid.holds(cell) and self.reached[cell]:
            return cell
        cells, apart = _near(grid, self.reached, point, within_m=aside_m)
        return _cell(cells[apart.argmin()]) if len(cells) else None


def _near(
    grid: OccupancyGrid, among: BoolArray, point: Point, *, within_m: float
) -> tuple[IntArray, FloatArray]:
    """Of some cells those with their middle within a distance of a point, and how far each is.

    Args:
        grid: The floor.
        among: The cells that are meant, shape (rows, columns).
        point: Metres.
        within_m: How far from it.

    Returns:
        Rows and columns, shape (n, 2), in order, and metres, shape (n,).
    """
    cell, reach = np.array(grid.cell(*point)), math.ceil(within_m / grid.cell_m)
    low = np.clip(cell - reach, 0, grid.shape)
    high = np.clip(cell + reach + 1, 0, grid.shape)
    cells = np.argwhere(among[low[0] : high[0], low[1] : high[1]]) + low
    apart = np.hypot(*(grid.centres(cells) - point).T)
    near = apart <= within_m
    return cells[near], apart[near]


def _cell(found: IntArray) -> tuple[int, int]:
    row, column = found.tolist()
    return (row, column)


def length_m(way: list[Point]) -> float:
    """Length of a way given by its corners."""
    return sum(math.dist(a, b) for a, b in itertools.pairwise(way))


def along(way: list[Point], *, step_m: float) -> FloatArray:
    """Points on a way given by its corners, at most a step apart, shape (n, 2)."""
    if len(way) < 2:
        return np.array(way, float).reshape(-1, 2)
    legs = [
        np.linspace(a, b, max(2, math.ceil(math.dist(a, b) / step_m)), endpoint=False)
        for a, b in itertools.pairwise(way)
    ]
    return np.vstack([*legs, [way[-1]]])
