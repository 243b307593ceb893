"""Rooms of a map of walls: free floor, parted where a gap in a wall leads from one to the next.

The floor is divided at its narrow passages: the watershed of the distance to what is occupied, as
in the comparison of room segmentations by Bormann et al. (2016). That alone takes the gap between
a bed and a wall for a door. So two parts stay apart only where the passage between them is a gap
in a wall: on both sides of it something occupied goes on in its line (a jamb), and it is no wider
than a double door. The others are joined again. This test is the project's own.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import ndimage
from scipy.spatial import cKDTree

from memory_core.planning.navigation.grid import OccupancyGrid
from memory_core.semantic.floor_plan import FloorPlan, Storey
from memory_core.types import DEFAULT_MAP, BoolArray, FloatArray, IntArray

WIDEST_M = 1.6
"""A passage wider than this parts no rooms."""
NARROWING = 0.85
"""A passage at least so wide, for the narrower of the two parts it joins, is none. At 0.8 a doorway
behind which an open door and a cabinet leave little room was none; at 0.9 a room fell apart (maps of
ten simulated homes, 100 to 109)."""
SMOOTH_M = 0.1
JAMB_STEPS_M = np.arange(0.05, 0.45, 0.05)
JAMB, SHORT_JAMB = 0.8, 0.6
"""A wall goes on beyond its gap over so much of these steps; on one side less, in a corner."""
BESIDE_M = 0.06
NARROWEST_M = 0.6
LEAF_M = 0.35
"""An open door may stand so far before its jamb, and be nearer than that."""
SIDE_M = 0.25
STRIP_M, MOST_SLOPE = 0.15, 0.15
"""What goes on in the line of a gap does not turn away from it, within so wide a strip."""
OPPOSITE = 0.5
_MOST_ENDS = 120
LEAST_M2 = 1.5
_NEIGHBOURS = [(down, right) for down in (-1, 0, 1) for right in (-1, 0, 1) if down or right]


def rooms_of_grid(grid: OccupancyGrid, *, first: int = 1) -> IntArray:
    """Number the rooms of a floor.

    Args:
        grid: Its map.
        first: Number of the first room.

    Returns:
        For each cell the room whose floor it is, 0 for none, shape (rows, columns).
    """
    floor = ndimage.binary_opening(grid.scan_odds < 0)  # what the beams of the scanner passed
    if not floor.any():
        return np.zeros(grid.shape, np.int64)
    clearance = ndimage.distance_transform_edt(np.pad(floor, 1))[1:-1, 1:-1] * grid.cell_m
    parts = _parts(clearance, floor, grid.cell_m)
    parts = _joined(parts, clearance, grid)
    numbers = np.unique(parts[parts > 0])
    areas = {n: np.count_nonzero(parts == n) * grid.cell_m**2 for n in numbers.tolist()}
    rooms = np.zeros_like(parts)
    for place, number in enumerate(n for n in numbers.tolist() if areas[n] >= LEAST_M2):
        rooms[parts == number] = first + place
    return rooms


def floor_plan(
    grids: Sequence[OccupancyGrid], heights_m: Sequence[float], *, map_id: str = DEFAULT_MAP
) -> FloorPlan | None:
    """The rooms of a map's floors; None where none is known yet.

    Args:
        grids: Of the floors, lowest first.
        heights_m: Of the floors, in the map.
        map_id: The map.
    """
    storeys, first = [], 1
    for grid, height in zip(grids, heights_m, strict=True):
        if not grid.known.any():
            continue
        rooms = rooms_of_grid(grid, first=first)
        first = max(first, int(rooms.max()) + 1)
        corner = (grid.corner[1] * grid.cell_m, grid.corner[0] * grid.cell_m)
        storeys.append(Storey(height, corner, grid.cell_m, rooms))
    return FloorPlan(tuple(storeys), map_id) if first > 1 else None


def _parts(clearance: FloatArray, floor: BoolArray, cell_m: float) -> IntArray:
    """The floor divided by which peak of clearance each cell climbs to, numbered from 1."""
    smooth = ndimage.gaussian_filter(clearance, SMOOTH_M / cell_m)
    smooth = np.where(floor, smooth, -1.0)
    rows, columns = smooth.shape
    index = np.arange(smooth.size).reshape(smooth.shape)
    best, steepest = smooth.copy(), index
    padded = np.pad(smooth, 1, constant_values=-1.0)
    for down, right in _NEIGHBOURS:
        there = padded[1 + down : 1 + down + rows, 1 + right : 1 + right + columns]
        higher = there > best
        best = np.where(higher, there, best)
        steepest = np.where(higher, index + down * columns + right, steepest)
    top = steepest.ravel()
    while (top != top[top]).any():
        top = top[top]
    _, numbers = np.unique(top, return_inverse=True)
    return np.where(floor, numbers.reshape(smooth.shape) + 1, 0)


def _joined(parts: IntArray, clearance: FloatArray, grid: OccupancyGrid) -> IntArray:
    """Parts that no doorway parts as one, the widest passages first."""
    occupied = cKDTree(np.argwhere(grid.walls) * grid.cell_m)
    most = int(parts.max())
    peak = ndimage.maximum(clearance, parts, np.arange(most + 1))
    leader = np.arange(most + 1)

    def first(number: int) -> int:
        while leader[number] != number:
            number = int(leader[number])
        return number

    borders = [
        (float(clearance[tuple(cells.T)].max()), pair, cells)
        for pair, cells in _borders(parts).items()
    ]
    parted: list[tuple[int, int]] = []
    for width, (one, other), border in sorted(borders, key=lambda found: (-found[0], found[1])):
        low, high = sorted((first(one), first(other)))
        if low == high or any({first(a), first(b)} == {low, high} for a, b in parted):
            continue  # what is beside a doorway is part of it
        even = width >= NARROWING * min(peak[low], peak[high])
        if even or not _is_doorway(border, clearance, occupied, grid.cell_m):
            leader[high] = low
            peak[low] = max(peak[low], peak[high])
        else:
            parted.append((low, high))
    return np.array([first(number) for number in range(most + 1)])[parts]


def _borders(parts: IntArray) -> dict[tuple[int, int], IntArray]:
    """Cells of one part next to another, by the two parts' numbers, each of shape (n, 2)."""
    found: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for shift in ((0, 1), (1, 0)):
        here = parts[: parts.shape[0] - shift[0], : parts.shape[1] - shift[1]]
        there = parts[shift[0] :, shift[1] :]
        for row, column in np.argwhere((here != there) & (here > 0) & (there > 0)).tolist():
            pair = sorted((int(here[row, column]), int(there[row, column])))
            found.setdefault((pair[0], pair[1]), []).append((row, column))
    return {pair: np.array(cells) for pair, cells in found.items()}


def _is_doorway(border: IntArray, clearance: FloatArray, occupied: cKDTree, cell_m: float) -> bool:
    """Whether where two parts meet is a gap in a wall.

    Args:
        border: Cells there, shape (n, 2).
        clearance: Distance to what is occupied, metres, by cell.
        occupied: Of occupied cells, row and column in metres.
        cell_m: Side of a cell.
    """
    widest = border[clearance[border[:, 0], border[:, 1]].argmax()]
    clear_m = float(clearance[tuple(widest)])
    if 2 * clear_m > WIDEST_M:
        return False
    at = widest * cell_m
    beside = occupied.data[sorted(occupied.query_ball_point(at, clear_m + LEAF_M))]
    beside = beside[:: max(1, len(beside) // _MOST_ENDS)]
    ends, others = _across(at, beside)
    return any(_is_gap(end, other, occupied) for end, other in zip(ends, others, strict=True))


def _across(at: FloatArray, points: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Pairs of points on opposite sides of a spot, as far apart as the jambs of a door."""
    offset = points - at
    apart = np.linalg.norm(offset, axis=1)
    facing = offset @ offset.T <= -OPPOSITE * np.outer(apart, apart)
    gap = np.linalg.norm(points[:, None] - points[None], axis=2)
    one, other = np.nonzero(np.triu(facing & (gap >= NARROWEST_M) & (gap <= WIDEST_M)))
    order = np.argsort(gap[one, other], kind="stable")
    return points[one[order]], points[other[order]]


def _is_gap(end: FloatArray, other: FloatArray, occupied: cKDTree) -> bool:
    """Whether nothing is between two ends, and a wall goes on behind both in their line."""
    width = float(np.linalg.norm(other - end))
    along = (other - end) / width
    inner = np.arange(0.15, width - 0.1, 0.05)
    apart, _ = occupied.query(end + inner[:, None] * along)
    if len(inner) and apart.min() <= BESIDE_M:
        return False
    if _is_face(end, along, occupied) or _is_face(other, along, occupied):
        return False
    if _askew(end, -along, occupied) or _askew(other, along, occupied):
        return False
    jambs = sorted((_goes_on(end, -along, occupied), _goes_on(other, along, occupied)))
    return jambs[0] >= SHORT_JAMB and jambs[1] >= JAMB


def _is_face(end: FloatArray, along: FloatArray, occupied: cKDTree) -> bool:
    """Whether what ends here goes on to both sides: the face of a wall, and no jamb."""
    aside = SIDE_M * np.array([-along[1], along[0]])
    apart, _ = occupied.query(np.array([end + aside, end - aside]))
    return bool((apart <= BESIDE_M).all())


def _askew(end: FloatArray, along: FloatArray, occupied: cKDTree) -> bool:
    """Whether what begins at an end runs in another direction than the gap."""
    offset = occupied.data[occupied.query_ball_point(end, float(JAMB_STEPS_M[-1]))] - end
    ahead, aside = offset @ along, offset @ np.array([-along[1], along[0]])
    strip = (ahead >= 0) & (np.abs(aside) <= STRIP_M)
    if strip.sum() < 3 or np.ptp(ahead[strip]) == 0:
        return True
    spread = np.cov(ahead[strip], aside[strip])
    return bool(abs(spread[0, 1]) > MOST_SLOPE * spread[0, 0])


def _goes_on(end: FloatArray, along: FloatArray, occupied: cKDTree) -> float:
    """How much of a jamb's length a wall goes on from its end in a direction, 0 to 1."""
    apart, _ = occupied.query(end + JAMB_STEPS_M[:, None] * along)
    return float((apart <= BESIDE_M).mean())
