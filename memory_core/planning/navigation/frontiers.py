"""Where to go next to see the rest: where the known floor ends, and floor no camera has seen.

Frontier exploration (Yamauchi 1997), for two sensors: what a scanner knows from a door, a camera
knows only from within.
"""

from __future__ import annotations

import numpy as np

from memory_core.planning.navigation.paths import Ground
from memory_core.types import BoolArray, FloatArray, IntArray

SMALLEST_M2 = 0.4
SHORTEST_M = 0.45


def frontiers(ground: Ground) -> FloatArray:
    """Places to stand where something new is to be seen.

    Args:
        ground: Of a floor.

    Returns:
        x and y, metres, shape (n, 2): one in each patch of free floor that was in no picture, and
        one on each edge of what is known that a robot could pass.
    """
    from scipy.ndimage import binary_dilation

    grid = ground.grid
    stand = ground.passable & grid.free
    around = np.ones((3, 3), bool)
    edge = stand & binary_dilation(~grid.known, around)
    unseen = stand & (grid.depth_odds == 0)
    edges = _middles(edge, round(SHORTEST_M / grid.cell_m))
    patches = _middles(unseen, round(SMALLEST_M2 / grid.cell_m**2))
    return grid.centres(np.concatenate([edges, patches]))


def _middles(cells: BoolArray, fewest: int) -> IntArray:
    """The cell nearest to the middle of each connected patch of at least so many, (n, 2)."""
    from scipy.ndimage import label

    patches, count = label(cells, structure=np.ones((3, 3)))
    members = np.argwhere(cells)
    patch = patches[cells]
    members = members[np.argsort(patch, kind="stable")]
    ends = np.cumsum(np.bincount(patch, minlength=count + 1)[1:])
    found = []
    for own in np.split(members, ends[:-1]):
        if len(own) >= fewest:
            apart = np.linalg.norm(own - own.mean(axis=0), axis=1)
            found.append(own[apart.argmin()])
    return np.array(found, np.int64).reshape(-1, 2)
