"""Ways over the map that is published, and where one can stand on it."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from memory_core.errors import InputRejected
from memory_core.planning.body import Stand
from memory_core.planning.navigation.frontiers import frontiers
from memory_core.planning.navigation.grid import FREE, HIT, OccupancyGrid
from memory_core.planning.navigation.paths import Ground, Sweep, length_m
from memory_core.planning.navigation.planar import spatial
from memory_core.planning.navigation.sight import in_sight
from memory_core.planning.navigation.standing import poses_facing
from memory_core.planning.navigation.ways import WITHIN_REACH_M
from memory_core.recordings import messages as ros
from memory_core.types import BoolArray, FloatArray, Vector3

STOOD_M = 0.05
"""Who moved less than this has the same ways."""
READ_ANEW_S = 2.0
"""A map that keeps growing is read so often at most."""
FREE_BELOW, OCCUPIED_ABOVE, LETHAL = 25, 65, 100
"""Of nav2's map server and costmaps, in hundredths."""


class MapWays:
    """Ways over the newest map of the floor the robot is on, which lies at height 0."""

    def __init__(self, *, radius_m: float) -> None:
        """
        Know no map yet.

        :param radius_m: Of the robot.
        """
        self._radius_m = radius_m
        self._newest: tuple[Any, Any] = (None, None)
        self._read: tuple[Any, Any] = (None, None)
        self._ground: Ground | None = None
        self._read_s = -math.inf
        self._swept: Sweep | None = None
        self._onward: Sweep | None = None

    @property
    def known(self) -> bool:
        """Whether a map has come."""
        return self._newest[0] is not None

    def take_map(self, message: Any) -> None:
        """Take a nav_msgs/OccupancyGrid: walls, and what is free."""
        check_grid(message)
        self._newest = (message, self._newest[1])

    def take_obstacles(self, message: Any) -> None:
        """Take a costmap of the same cells: what stands on the floor besides."""
        check_grid(message)
        self._newest = (self._newest[0], message)

    def way(self, here: Vector3, goal: Vector3) -> tuple[Vector3, ...]:
        """Find the way to within 1 m of a place; empty where there is none."""
        sweep = self._sweep(here)
        found = [] if sweep is None else sweep.way(goal[:2], aside_m=WITHIN_REACH_M)[::-1]
        return tuple((x, y, 0.0) for x, y in found)

    def travel_m(self, here: Vector3, goal: Vector3) -> float:
        """Measure the way to within 1 m of a place; infinite where there is none."""
        found = self.way(here, goal)
        return length_m([(x, y) for x, y, _ in found]) if found else math.inf

    def ways_m(self, start: Vector3, goals: Sequence[Vector3]) -> FloatArray:
        """Measure the ways from a place to others; see `Navigator.ways_m`."""
        ground = self._ground_now()
        if ground is None:
            return np.array([math.dist(start[:2], goal[:2]) for goal in goals])
        sweep = Sweep(ground, start[:2], aside_m=WITHIN_REACH_M)
        return sweep.lengths_m([goal[:2] for goal in goals], aside_m=WITHIN_REACH_M)

    def standing(
        self,
        here: Vector3,
        target: Vector3,
        *,
        near_m: float,
        far_m: float,
        then: Vector3 | None = None,
    ) -> tuple[Stand, ...]:
        """Find free poses that face a target; see `Navigator.standing`."""
        sweep = self._sweep(here)
        if sweep is None:
            return ()
        onward = None
        if then is not None:
            onward = self._onward = Sweep.renewed(self._onward, sweep.ground, then[:2])
        found = poses_facing(sweep, target[:2], near_m=near_m, far_m=far_m, onward=onward)
        return tuple(Stand(spatial(pose), cost_m) for pose, cost_m in found)

    def in_sight(
        self, here: Vector3, targets: Sequence[Vector3], inside_m: FloatArray
    ) -> BoolArray:
        """Tell what no wall hides from here; nothing does where no map has come."""
        ground, there = self._ground_now(), np.reshape(targets, (-1, 3))
        if ground is None:
            return np.ones(len(there), bool)
        return in_sight(ground.grid, np.array(here[:2]), there[:, :2], inside_m)

    def frontiers(self) -> tuple[Vector3, ...]:
        """Find free places at the edge of what is known."""
        ground = self._ground_now()
        if ground is None:
            return ()
        return tuple((float(x), float(y), 0.0) for x, y in frontiers(ground))

    def _sweep(self, here: Vector3) -> Sweep | None:
        ground, root, swept = self._ground_now(), (here[0], here[1]), self._swept
        if ground is None:
            return None
        if swept is None or swept.ground is not ground or math.dist(swept.root, root) > STOOD_M:
            swept = self._swept = Sweep(ground, root)
        return swept

    def _ground_now(self) -> Ground | None:
        newest, now_s = self._newest, time.monotonic()
        changed = newest[0] is not self._read[0] or newest[1] is not self._read[1]
        if changed and newest[0] is not None and now_s - self._read_s > READ_ANEW_S:
            grid = grid_of(*newest)
            self._ground = Ground.of(grid, radius_m=self._radius_m, through_unknown=True)
            self._read, self._read_s = newest, now_s
        return self._ground


def check_grid(message: Any) -> None:
    """
    Refuse a map that is none.

    :raises InputRejected: It is empty, cut off, has no resolution, or is turned in its frame.
    """
    info = message.info
    if info.width * info.height == 0 or len(message.data) != info.width * info.height:
        raise InputRejected(
            f'a map of {info.width} x {info.height} cells has {len(message.data)} values'
        )
    if not (math.isfinite(info.resolution) and info.resolution > 0):
        raise InputRejected(f'a map with cells of {info.resolution} m')
    if abs(ros.pose_of(info.origin).yaw) > 1e-3:
        raise InputRejected('a map that is turned in its frame; publish it along its axes')


def grid_of(known: Any, obstacles: Any) -> OccupancyGrid:
    """
    Make the grid that ways are found on.

    :param known: nav_msgs/OccupancyGrid of walls.
    :param obstacles: Of what else stands there; None, or one of other cells, for nothing.
    """
    cells = _cells(known)
    scan = 2 * HIT * (cells > OCCUPIED_ABOVE) + 3 * FREE * ((cells >= 0) & (cells < FREE_BELOW))
    depth = np.zeros_like(scan)
    if obstacles is not None and _lies(obstacles) == _lies(known):
        costs = _cells(obstacles)
        depth = 2 * HIT * (costs >= LETHAL) + FREE * (costs == 0)
    resolution = float(known.info.resolution)
    origin = known.info.origin.position
    corner = (round(origin.y / resolution), round(origin.x / resolution))
    return OccupancyGrid.from_odds(scan, depth, corner=corner, cell_m=resolution)


def _cells(message: Any) -> FloatArray:
    shape = (message.info.height, message.info.width)
    return np.asarray(message.data, np.int8).reshape(shape)


def _lies(message: Any) -> tuple[float, ...]:
    info = message.info
    x, y = info.origin.position.x, info.origin.position.y
    return (info.width, info.height, *(round(v, 3) for v in (info.resolution, x, y)))
