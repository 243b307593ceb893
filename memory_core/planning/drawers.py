"""Open drawers in the way: who left one open keeps a robot from what is on the furniture above."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from memory_core.planning.body import Seen
from memory_core.planning.fronts import HANDLE_M, hinged, is_handle, normal_of
from memory_core.planning.regions import is_surface, openable
from memory_core.types import FloatArray, Pose, Vector3

STANDS_OUT_M = 0.12
"""The handle of an open drawer is so far before the edge of the top above it; that of a shut one
is 5 cm before it, and the edge as it is seen 3 cm too far back."""
UNDER_M, ASIDE_M = 0.12, 0.6
"""A drawer is in the way of what is at least so much higher than its handle, and no farther aside;
what is in a drawer is lower."""
STANDS_ON_M, BESIDE_M, TOP_M = 0.25, 0.25, 0.02
"""The top that a thing stands on is no more below it, is seen so near beside it, and is as flat."""
FULL = 0.2
"""Of heights that show nearly as much the highest is the top: what is lower are sides and insides."""
STRIP_M = 0.15
"""The edge above a drawer is that of so wide a strip on either side of its handle."""
FEWEST = 8
"""So many points of a front tell which way it faces."""


def in_the_way(seen: Sequence[Seen], at: Vector3, here: Pose) -> tuple[tuple[str, Vector3], ...]:
    """Open drawers that keep a robot away from a place above them, the nearest to it first.

    Args:
        seen: What is in view.
        at: The place, `map`: on a piece of furniture, or on a board of it.
        here: The base in the map.

    Returns:
        What each is called, and where its handle is, `map`.
    """
    place = np.array(here.inverse().apply(*at))
    top = _top_under(seen, place)
    if not len(top):
        return ()
    found = []
    for handle in (item for item in seen if is_handle(item.label)):
        front = _front_of(handle, seen)
        if front is None or hinged(front.label) or len(front.cloud) < FEWEST:
            continue
        middle = handle.cloud.mean(axis=0)
        out = normal_of(front.cloud[:, :2], -middle[:2])
        across = np.array([-out[1], out[0]])
        strip = top[np.abs((top - middle)[:, :2] @ across) <= STRIP_M, :2]
        lower = handle.position[2] <= at[2] - UNDER_M
        before = abs(float((place - middle)[:2] @ across)) <= ASIDE_M
        if not len(strip) or not lower or not before:
            continue
        if float(middle[:2] @ out) > float(np.percentile(strip @ out, 95)) + STANDS_OUT_M:
            found.append((float(np.linalg.norm(middle[:2])), front.label, handle.position))
    return tuple((drawer, position) for _, drawer, position in sorted(found))


def _top_under(seen: Sequence[Seen], place: FloatArray) -> FloatArray:
    """Points of the top of furniture that a place of the base frame is on, shape (n, 3)."""
    best = np.empty((0, 3))
    for piece in seen:
        if not is_surface(piece.label, float(np.ptp(piece.cloud[:, :2], axis=0).max())):
            continue
        below = place[2] - piece.cloud[:, 2]
        under = piece.cloud[(below >= 0) & (below <= STANDS_ON_M)]
        near = under[np.linalg.norm(under[:, :2] - place[:2], axis=1) <= BESIDE_M]
        if not len(near):
            continue
        heights, counts = np.unique(np.round(near[:, 2] / TOP_M), return_counts=True)
        height = heights[counts >= FULL * counts.max()].max() * TOP_M
        top = piece.cloud[np.abs(piece.cloud[:, 2] - height) <= TOP_M]
        best = top if len(top) > len(best) else best
    return best


def _front_of(handle: Seen, seen: Sequence[Seen]) -> Seen | None:
    """The front in view that a handle is on."""
    middle = handle.cloud.mean(axis=0)

    def away_m(front: Seen) -> float:
        return float(np.linalg.norm(front.cloud - middle, axis=1).min())

    near = min((item for item in seen if openable(item.label)), key=away_m, default=None)
    return near if near is not None and away_m(near) <= HANDLE_M else None
