"""Open drawers in the way: who left one open keeps a robot from what is on the furniture above."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from memory_core.planning.body import Seen
from memory_core.planning.fronts import HANDLE_M, hinged, is_handle
from memory_core.planning.regions import openable, supports
from memory_core.types import Pose, Vector3

STANDS_OUT_M = 0.08
"""The handle of an open drawer is so much nearer than the furniture that it is in."""
TOP_M = 0.02
"""Furniture is as near as its topmost part of such a height."""
UNDER_M, ASIDE_M = 0.12, 0.6
"""A drawer is in the way of what is at least so much higher than its handle, and no farther aside;
what is in a drawer is lower."""


def in_the_way(seen: Sequence[Seen], at: Vector3, here: Pose) -> tuple[tuple[str, Vector3], ...]:
    """Open drawers that keep a robot away from a place above them, the nearest to it first.

    Args:
        seen: What is in view.
        at: The place, `map`: on a piece of furniture, or on a board of it.
        here: The base in the map.

    Returns:
        What each is called, and where its handle is, `map`.
    """
    x, y, _ = here.inverse().apply(*at)
    away_m = max(math.hypot(x, y), 1e-6)
    ahead, aside = np.array([x, y]) / away_m, np.array([-y, x]) / away_m
    pieces = [item for item in seen if supports(item.label)]
    piece = min(pieces, key=lambda item: math.dist(item.position[:2], at[:2]), default=None)
    if piece is None or math.dist(piece.position[:2], at[:2]) > ASIDE_M:
        return ()
    heights = piece.cloud[:, 2]  # lower down it shows the sides of its drawers
    top = piece.cloud[heights >= np.percentile(heights, 98) - TOP_M, :2]
    edge_m = float(np.percentile(top @ ahead, 5))
    found = []
    for handle in seen:
        drawer = _drawer_of(handle, seen) if is_handle(handle.label) else ""
        if not drawer:
            continue
        middle = handle.cloud[:, :2].mean(axis=0)
        out = float(middle @ ahead) < edge_m - STANDS_OUT_M
        before = abs(float(middle @ aside)) <= ASIDE_M and handle.position[2] <= at[2] - UNDER_M
        if out and before:
            found.append((float(middle @ ahead), drawer, handle.position))
    return tuple((drawer, place) for _, drawer, place in sorted(found))


def _drawer_of(handle: Seen, seen: Sequence[Seen]) -> str:
    """What the front is called that a handle is on; "" where it does not slide, or none is seen."""
    fronts = [item for item in seen if openable(item.label)]
    near = min(fronts, key=lambda item: math.dist(item.position, handle.position), default=None)
    if near is None or math.dist(near.position, handle.position) > HANDLE_M:
        return ""
    return "" if hinged(near.label) else near.label
