"""Rooms from the map that is published: gaps in its walls part them, and the memory is told."""

from __future__ import annotations

import math
import time
from typing import Any

import numpy as np

from memory_core import RobotMemory
from memory_core.errors import InputRejected
from memory_core.planning.navigation.rooms import floor_plan
from memory_core.semantic.floor_plan import FloorPlan
from memory_core.types import DEFAULT_MAP
from robot_memory_ros.ways import check_grid, grid_of

AGAIN_S = 5.0
"""A map that keeps growing is parted into rooms so often at most."""


class MappedRooms:
    """Tells a memory which rooms the map of the floor has that the robot is on."""

    def __init__(self, memory: RobotMemory, *, log: Any) -> None:
        """
        Know no map yet.

        :param memory: Open for writing.
        :param log: The node's logger.
        """
        self._memory, self._log = memory, log
        self._newest: Any = None
        self._parted: Any = None
        self._parted_s = -math.inf
        self._plan: FloorPlan | None = None

    def take(self, message: Any) -> None:
        """Take a nav_msgs/OccupancyGrid; one that is none is refused in the log."""
        try:
            check_grid(message)
        except InputRejected as error:
            self._log.warning(f'the map is not used: {error}', throttle_duration_sec=30.0)
            return
        self._newest = message

    def tell(self) -> None:
        """Part the newest map into rooms, where it is another one, and tell the memory."""
        message, now_s = self._newest, time.monotonic()
        if message is self._parted or now_s - self._parted_s < AGAIN_S:
            return
        self._parted_s = now_s
        height_m = float(message.info.origin.position.z)
        plan = floor_plan(
            [grid_of(message, None)], [height_m], map_id=message.header.frame_id or DEFAULT_MAP
        )
        if plan is not None and not _same(plan, self._plan):
            self._memory.tell_floor_plan(plan)
            self._plan = plan
            rooms = len(np.unique(plan.storeys[0].rooms)) - 1
            self._log.info(f'the map has {rooms} {"room" if rooms == 1 else "rooms"}')
        self._parted = message


def _same(plan: FloorPlan, before: FloorPlan | None) -> bool:
    """Tell whether two plans of one floor have the same rooms at the same places."""
    if before is None or before.map_id != plan.map_id:
        return False
    (now,), (then,) = plan.storeys, before.storeys
    return (now.corner, now.cell_m, now.height_m) == (
        then.corner,
        then.cell_m,
        then.height_m,
    ) and (np.array_equal(now.rooms, then.rooms))
