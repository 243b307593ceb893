"""Where to stand to look at or reach for a thing."""

from __future__ import annotations

import math

import numpy as np

from memory_core.planning.navigation.paths import Point, Sweep
from memory_core.planning.navigation.planar import Planar
from memory_core.planning.navigation.sight import hidden_m

_SECTORS = 16
_INSIDE_M = 0.7
_MORE_INSIDE_M = 0.12
_THROUGH_M = 20.0
"""Who may look through a wall would go as far to do better."""


def poses_facing(
    sweep: Sweep,
    target: Point,
    *,
    near_m: float,
    far_m: float,
    onward: Sweep | None = None,
) -> list[tuple[Planar, float]]:
    """Poses on passable cells that face a target, the cheapest way from the sweep's root first.

    A thing stands on or in something, so the end of a line of sight may lie in what is occupied
    or unknown; poses from which that end is longer than need be cost 20 m more: they may look
    through a wall at its back.

    Args:
        sweep: Ways from where the robot is.
        target: In the map, metres.
        near_m: Least distance.
        far_m: Greatest distance.
        onward: Ways from where it goes then, on the same ground.

    Returns:
        At most one pose for each distance (half-way steps) and sector around the target, with
        what the way there and onward costs, metres.
    """
    grid = sweep.ground.grid
    low = grid.cells(np.array([target]) - far_m)[0].clip(0, grid.shape)
    high = (grid.cells(np.array([target]) + far_m)[0] + 1).clip(0, grid.shape)
    costs = sweep.costs[low[0] : high[0], low[1] : high[1]]
    cells = np.argwhere(np.isfinite(costs)) + low
    if not len(cells):
        return []
    points = grid.centres(cells)
    away = np.hypot(*(points - target).T)
    kept = (away >= near_m) & (away <= far_m)
    points, cells, away = points[kept], cells[kept], away[kept]
    hidden = hidden_m(grid, points, np.broadcast_to(target, points.shape))
    seen = hidden <= _INSIDE_M
    if not seen.any():
        return []
    points, cells, hidden, away = points[seen], cells[seen], hidden[seen], away[seen]
    through = hidden > hidden.min() + _MORE_INSIDE_M
    cost = sweep.costs[cells[:, 0], cells[:, 1]] + _THROUGH_M * through
    if onward is not None and onward.reached[cells[:, 0], cells[:, 1]].all():
        cost = cost + onward.costs[cells[:, 0], cells[:, 1]]
    order = np.argsort(cost, kind="stable")
    heading = np.arctan2(target[1] - points[:, 1], target[0] - points[:, 0])
    sector = np.floor((heading + math.pi) / (2 * math.pi) * _SECTORS)
    ring = np.floor(2 * (away - near_m) / max(far_m - near_m, 1e-6)).clip(0, 1)
    group = sector[order] * 2 + ring[order]
    first = np.sort(np.unique(group, return_index=True)[1])
    best = order[first]
    poses = np.column_stack([points, heading])[best].tolist()
    return [((x, y, yaw), c) for (x, y, yaw), c in zip(poses, cost[best].tolist(), strict=True)]
