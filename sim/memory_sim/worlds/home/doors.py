"""Doors in doorways: a leaf on a hinge at one end of the gap."""

from __future__ import annotations

import math
from functools import cache

from memory_sim.worlds.home.cabinets import FurnitureKind, Opening
from memory_sim.worlds.home.layout import DOOR_HEIGHT_M, WALL_M
from memory_sim.worlds.home.solids import STEEL, box, standing

LEAF_M = 0.04
PAINT = (0.80, 0.74, 0.64)


@cache
def door_kind(width_mm: int) -> FurnitureKind:
    """A door for a gap; its frame lies in the middle of the gap, x into the room it opens to.

    Args:
        width_mm: Of the gap, millimetres.
    """
    width = width_mm / 1000
    x = WALL_M / 2 + LEAF_M / 2
    hinge_y = width / 2 + LEAF_M / 2
    leaf = standing((LEAF_M, width, DOOR_HEIGHT_M - 0.02), (x, 0.0, 0.01), PAINT)
    free = -width / 2 + 0.08
    handle = (
        box((0.02, 0.12, 0.02), (x + LEAF_M / 2 + 0.045, free + 0.05, 1.0), STEEL),
        box((0.04, 0.02, 0.02), (x + LEAF_M / 2 + 0.02, free, 1.0), STEEL),
    )
    opening = Opening("leaf", "door", (leaf,), handle, math.pi / 2, (x, hinge_y, 0.0))
    return FurnitureKind("door", (WALL_M, width, DOOR_HEIGHT_M), (), (), (opening,))
