"""What can be seen from where, as far as the walls of a floor's map tell."""

from __future__ import annotations

import math

import numpy as np

from memory_core.planning.navigation.grid import OCCUPIED, OccupancyGrid
from memory_core.types import BoolArray, FloatArray

INSIDE_M = 0.7
"""A thing stands on or in something: so much of a line of sight may end in it."""
MORE_INSIDE_M = 0.12
"""A line that ends in what is not free by so much more than another may lead through a wall."""
_BESIDE_M = 0.15
"""The leg of a table stands in one line of sight, and not in those beside it."""


def in_sight(
    grid: OccupancyGrid, places: FloatArray, targets: FloatArray, *, within_m: float
) -> BoolArray:
    """Which targets are seen from which places.

    Args:
        grid: The floor.
        places: In the map, metres, shape (m, 2).
        targets: Middles of what stands there, shape (n, 2); one of the places sees each best.
        within_m: No farther.

    Returns:
        Shape (m, n).
    """
    away = targets[None] - places[:, None]
    away_m = np.linalg.norm(away, axis=-1)
    who, what = np.nonzero(away_m <= within_m)
    hidden = np.full(away_m.shape, math.inf)
    if not len(who):
        return np.zeros(away_m.shape, bool)
    aside = away[who, what][:, ::-1] * np.array([-1.0, 1.0])
    aside *= _BESIDE_M / np.maximum(away_m[who, what], 1e-6)[:, None]
    hidden[who, what] = np.min(
        [hidden_m(grid, places[who] + s * aside, targets[what] + s * aside) for s in (-1, 0, 1)],
        axis=0,
    )
    return np.asarray((hidden <= INSIDE_M) & (hidden <= hidden.min(axis=0) + MORE_INSIDE_M))


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
