"""What can be seen from where, as far as the walls of a floor's map tell."""

from __future__ import annotations

import math

import numpy as np

from memory_core.planning.navigation.grid import OCCUPIED, OccupancyGrid
from memory_core.types import BoolArray, FloatArray

_BESIDE_M = 0.15
"""The leg of a table stands in one line of sight, and not in those beside it."""


def in_sight(
    grid: OccupancyGrid, place: FloatArray, targets: FloatArray, inside_m: FloatArray
) -> BoolArray:
    """Which of n pieces of furniture are seen from a place.

    What stands against the other side of a wall may be taken for seen: the wall is no thicker than
    the piece may be.

    Args:
        grid: The floor.
        place: In the map, metres, shape (2,).
        targets: Middles of the pieces, shape (n, 2).
        inside_m: How far from its middle each may reach, shape (n,).

    Returns:
        Shape (n,).
    """
    if not len(targets):
        return np.zeros(0, bool)
    aside = (targets - place)[:, ::-1] * np.array([-1.0, 1.0])
    aside *= _BESIDE_M / np.maximum(np.linalg.norm(aside, axis=1, keepdims=True), 1e-6)
    lines = [hidden_m(grid, place + s * aside, targets + s * aside) for s in (-1, 0, 1)]
    return np.asarray(np.min(lines, axis=0) <= inside_m)


def hidden_m(grid: OccupancyGrid, places: FloatArray, targets: FloatArray) -> FloatArray:
    """How much of each line from a place ends in what is not free, seen from its target.

    Args:
        grid: The floor.
        places: In the map, metres, shape (n, 2).
        targets: One for each, shape (n, 2).

    Returns:
        Metres, shape (n,); infinite where a line, once free, meets something again.
    """
    lengths = np.linalg.norm(places - targets, axis=1)
    count = max(8, math.ceil(lengths.max(initial=0.0) / grid.cell_m))
    share = np.linspace(0, 1, count)
    lines = targets[:, None, :] + share[None, :, None] * (places - targets)[:, None, :]
    cells = grid.cells(lines.reshape(-1, 2))
    inside = ((cells >= 0) & (cells < grid.shape)).all(axis=1)
    odds = np.zeros(len(cells))
    odds[inside] = grid.scan_odds[cells[inside, 0], cells[inside, 1]]
    solid = (odds > OCCUPIED).reshape(len(places), count)
    open_ = (odds < 0).reshape(len(places), count)
    begun = np.maximum.accumulate(open_, axis=1)
    begins = np.where(open_.any(axis=1), open_.argmax(axis=1), count)
    hidden = lengths * share[np.minimum(begins, count - 1)]
    return np.asarray(np.where((begun & solid).any(axis=1), np.inf, hidden))
