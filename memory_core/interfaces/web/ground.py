"""The ground a robot knows, as a picture: where it stood, and where it saw that nothing stood.

Known ground is everything near a standpoint or a thing, and near the line of sight between a
standpoint and what was seen from it. Each cell of it belongs to the place whose middle is
nearest (a Voronoi diagram of the places), so that rooms show as areas.
"""

from __future__ import annotations

import base64
import math
from dataclasses import dataclass

import numpy as np
from scipy import ndimage, spatial

from memory_core.interfaces.web.scenery import Level, Scenery
from memory_core.types import BoolArray, FloatArray, IntArray, Json, Place

CELLS = 480
"""Along the longer side of a level."""
FINEST_M = 0.08
REACH_M = 0.55
"""So far around a standpoint or a line of sight the ground is taken as known."""
SIGHTS = 1_500
"""Of so many observations, at most, the lines of sight are drawn."""
FARTHEST_M = 12.0
UNKNOWN = 0xFFFF


@dataclass(frozen=True, slots=True)
class Grid:
    """Square cells over a level.

    Attributes:
        left: Lowest x, metres.
        bottom: Lowest y, metres.
        cell_m: Side of a cell, metres.
        width: Cells along x.
        height: Cells along y.
    """

    left: float
    bottom: float
    cell_m: float
    width: int
    height: int

    @classmethod
    def over(cls, points: FloatArray) -> Grid:
        """A grid around points, shape (n, 2), metres, with a margin."""
        low, high = points.min(axis=0), points.max(axis=0)
        cell = max(FINEST_M, float((high - low).max()) / CELLS)
        margin = 2 * max(REACH_M, 1.5 * cell)
        width, height = np.ceil((high - low + 2 * margin) / cell).astype(int)
        return cls(float(low[0] - margin), float(low[1] - margin), cell, int(width), int(height))

    def marked(self, points: FloatArray) -> BoolArray:
        """The cells that hold one of some points, shape (height, width)."""
        cells = np.floor((points - (self.left, self.bottom)) / self.cell_m).astype(np.int64)
        inside = ((cells >= 0) & (cells < (self.width, self.height))).all(axis=1)
        found = np.zeros((self.height, self.width), bool)
        found[cells[inside, 1], cells[inside, 0]] = True
        return found

    def centres(self, cells: IntArray) -> FloatArray:
        """Middles of cells given by row and column, shape (n, 2), metres."""
        return (cells[:, ::-1] + 0.5) * self.cell_m + (self.left, self.bottom)


def ground_of(scenery: Scenery, number: int) -> Json:
    """The known ground of a level.

    Args:
        scenery: Of the memory.
        number: Of the level.

    Returns:
        The grid, the ids of its places, and for every cell the number of its place in that list
        (base64 of little-endian uint16, rows from the lowest y, 65535 where nothing is known).

    Raises:
        InvalidQuery: There is no such level.
    """
    cloud = scenery.cloud()
    level = cloud.level(number)
    places = [item for item in scenery.places().values() if scenery.place_level(item) == number]
    stood = cloud.positions[cloud.by_level[number], :2]
    things = _things(scenery, number)
    sights = _sights(scenery, level, spacing_m=0.6 * REACH_M)
    known = np.concatenate([stood, things, sights])
    if not len(known):
        return {"cell_m": FINEST_M, "left": 0, "bottom": 0, "width": 0, "height": 0,
                "places": [], "cells": ""}  # fmt: skip
    grid = Grid.over(known)
    cells = _owners(grid, _near(grid, grid.marked(known)), places)
    return {
        "cell_m": grid.cell_m,
        "left": round(grid.left, 4),
        "bottom": round(grid.bottom, 4),
        "width": grid.width,
        "height": grid.height,
        "places": [place.id for place in places],
        "cells": base64.b64encode(cells.astype("<u2").tobytes()).decode("ascii"),
    }


def _near(grid: Grid, marked: BoolArray) -> BoolArray:
    """Cells within reach of a marked one; gaps and corners that nobody could stand in close."""
    reach = max(REACH_M, 1.5 * grid.cell_m) / grid.cell_m
    grown = ndimage.distance_transform_edt(~marked) <= 1.6 * reach
    shrunk = ndimage.distance_transform_edt(np.pad(grown, 1)) > 0.6 * reach
    return np.asarray(shrunk[1:-1, 1:-1])


def _owners(grid: Grid, known: BoolArray, places: list[Place]) -> IntArray:
    """For every known cell the number of the nearest place, shape (height, width)."""
    owners = np.full(known.shape, UNKNOWN, np.int64)
    cells = np.argwhere(known)
    if places and len(cells):
        middles = np.array([place.centre[:2] for place in places])
        _, nearest = spatial.cKDTree(middles).query(grid.centres(cells))
        owners[known] = np.minimum(nearest, UNKNOWN - 2)
    else:
        owners[known] = UNKNOWN - 1
    return owners


def _things(scenery: Scenery, number: int) -> FloatArray:
    places = scenery.places()
    found = [
        item.position[:2]
        for item in scenery.entities()
        if scenery.stay_level(item, item.history[-1], places) == number
    ]
    return np.array(found, np.float64).reshape(-1, 2)


def _sights(scenery: Scenery, level: Level, *, spacing_m: float) -> FloatArray:
    """Points along the lines of sight of a sample of observations, shape (n, 2)."""
    cloud = scenery.cloud()
    rows = cloud.by_level[level.number]
    chosen = rows[:: max(1, math.ceil(len(rows) / SIGHTS))]
    found: list[FloatArray] = []
    for stored in scenery.memory.store.fetch(cloud.rowids[chosen].tolist()):
        if stored.map_pose is None:
            continue
        here = np.array(stored.map_pose.position[:2])
        for sighting in stored.observation.sightings:
            seen = stored.sighting_position(sighting)
            if seen is None:
                continue
            there = np.array(seen[:2])
            distance = float(np.linalg.norm(there - here))
            if distance <= FARTHEST_M:
                steps = np.linspace(0.0, 1.0, max(2, math.ceil(distance / spacing_m)))
                found.append(here + steps[:, None] * (there - here))
    return np.concatenate(found) if found else np.empty((0, 2))
