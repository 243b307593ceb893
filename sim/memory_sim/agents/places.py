"""Free places spread over the robot's own map, and candidates and regions made without a memory."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy import ndimage

from memory_core.planning.candidates import Candidate
from memory_core.planning.knowledge import TravelM
from memory_core.planning.navigation.grid import OccupancyGrid
from memory_core.planning.regions import Region
from memory_core.types import Evidence, Observation, Parts, Vector3

SPREAD_M = 1.5
LOOK_AT_M = 0.7
"""Height above the floor that is looked at where nothing is known of what stands there."""
WIDE_M = 1.2


def free_places(
    grids: Sequence[OccupancyGrid], heights_m: Sequence[float], *, clear_m: float = 0.3
) -> tuple[Vector3, ...]:
    """Places at least so far from everything, one in each square of a lattice over each floor.

    It is the nearest to the square's middle.

    Args:
        grids: The map, floor by floor.
        heights_m: Of the floors.
        clear_m: Least distance to what is occupied.
    """
    places = []
    for grid, height in zip(grids, heights_m, strict=True):
        if not grid.free.any():
            continue
        clearance = ndimage.distance_transform_edt(grid.free) * grid.cell_m
        cells = np.argwhere(clearance >= clear_m)
        if not len(cells):
            continue
        centres = grid.centres(cells)
        squares = np.floor(centres / SPREAD_M).astype(np.int64)
        off_m = np.linalg.norm(centres - (squares + 0.5) * SPREAD_M, axis=1)
        order = np.lexsort((off_m, squares[:, 1], squares[:, 0]))
        _, first = np.unique(squares[order], axis=0, return_index=True)
        places += [(float(x), float(y), height) for x, y in centres[order[first]]]
    return tuple(places)


def square_of(place: Vector3) -> Vector3:
    """Names the square of the lattice that a free place is in."""
    x, y, z = place
    return (math.floor(x / SPREAD_M), math.floor(y / SPREAD_M), z)


def regions_at(places: Sequence[Vector3], travel_m: TravelM) -> tuple[Region, ...]:
    """Free places as regions to search, all equally likely, the nearest first."""
    found = [
        Region(
            f"place ({x:.1f}, {y:.1f}, {z:.1f})", "", (x, y, z + LOOK_AT_M), (WIDE_M, WIDE_M, 0.0),
            False, 1 / len(places), travel_m((x, y, z)),
        )
        for x, y, z in places
    ]  # fmt: skip
    return tuple(sorted(found, key=lambda region: -region.worth))


def candidate(
    label: str,
    position: Vector3,
    *,
    travel_m: TravelM,
    last_ns: int,
    evidence: Evidence | None = None,
    size: Vector3 | None = None,
    meaning: float = 1.0,
) -> Candidate:
    """A place where a thing may be, of which nothing else is known.

    Args:
        label: What was seen there.
        position: `map`, metres.
        travel_m: Way from here to a position.
        last_ns: When it was seen there.
        evidence: What that rests on; made up where it rests on no observation.
        size: Extent, metres.
        meaning: Share of belief that this is what is meant.
    """
    if evidence is None:
        noted = Observation("told", max(1, last_ns), source="told")
        evidence = Evidence(noted, meaning, Parts(), position)
    x, y, z = position
    told = f"at ({x:.1f}, {y:.1f}, {z:.1f})"
    return Candidate(
        label, position, None, meaning, 1.0, travel_m(position), last_ns,
        size or (0.0, 0.0, 0.0), told, evidence,
    )  # fmt: skip
