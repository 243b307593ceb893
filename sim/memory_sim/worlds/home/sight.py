"""What a camera may see of a home: rooms through doorways (portal culling, Luebke and Georges 1995).

Only what cannot be in the picture is left out, so the picture is the same as without it.
"""

from __future__ import annotations

import math

import numpy as np

from memory_core.types import BoolArray, FloatArray, IntArray
from memory_sim.worlds.home.layout import Doorway, Room

STANDING_IN_M = 0.35
"""Closer to a doorway than this, everything beyond it is taken to be in sight."""


class Sight:
    """The rooms of a home and the doorways one sees through."""

    def __init__(self, rooms: tuple[Room, ...], doorways: tuple[Doorway, ...]) -> None:
        """Note which rooms open to which.

        Args:
            rooms: All rooms.
            doorways: The gaps between them.
        """
        number = {room.name: index for index, room in enumerate(rooms)}
        self._count = len(rooms)
        self._open: list[list[tuple[int, Doorway]]] = [[] for _ in rooms]
        for doorway in doorways:
            first, second = (number[name] for name in doorway.rooms)
            self._open[first].append((second, doorway))
            self._open[second].append((first, doorway))

    def wedges(
        self, eye: tuple[float, float], yaw: float, span: tuple[float, float], room: int
    ) -> FloatArray:
        """The horizontal angles in which something of each room may be seen.

        Args:
            eye: Where the camera is, metres.
            yaw: Where it looks, radians.
            span: Smallest and largest angle in the picture, relative to `yaw`.
            room: Number of the room it is in.

        Returns:
            Shape (rooms, 2): smallest and largest angle relative to `yaw`; rooms out of sight have
            a smallest angle above the largest.
        """
        wedges = np.tile((np.inf, -np.inf), (self._count, 1))
        waiting = [(room, span[0], span[1], frozenset({room}))]
        while waiting:
            current, low, high, passed = waiting.pop()
            wedges[current] = min(wedges[current, 0], low), max(wedges[current, 1], high)
            for other, doorway in self._open[current]:
                if other in passed:
                    continue
                for start, end in _angles(eye, yaw, doorway):
                    if max(start, low) < min(end, high):
                        waiting.append((other, max(start, low), min(end, high), passed | {other}))
        return wedges


def _angles(eye: tuple[float, float], yaw: float, doorway: Doorway) -> list[tuple[float, float]]:
    """The angles a doorway takes up, relative to `yaw`, in pieces that do not cross the back."""
    if math.dist(eye, doorway.centre) < doorway.width_m / 2 + STANDING_IN_M:
        return [(-math.pi, math.pi)]
    start, end = sorted(
        math.remainder(math.atan2(y - eye[1], x - eye[0]) - yaw, 2 * math.pi)
        for x, y in doorway.ends
    )
    if end - start > math.pi:
        return [(-math.pi, start), (end, math.pi)]
    return [(start, end)]


def in_view(
    points: FloatArray, radii: FloatArray, rooms: IntArray, wedges: FloatArray,
    tangents: tuple[float, float], far_m: float,
) -> BoolArray:  # fmt: skip
    """Which balls may be in a picture.

    Args:
        points: Their middles in the camera's REP-103 frame turned upright and as it is: columns
            0 to 2 the camera's own axes, 3 the horizontal angle from where it looks, 4 the
            horizontal distance; shape (n, 5).
        radii: Shape (n,), metres.
        rooms: Numbers of the (up to two) rooms each is in, shape (n, 2).
        wedges: Of `Sight.wedges`, shape (rooms, 2).
        tangents: Of half the picture's width and height.
        far_m: What is further away is not drawn.

    Returns:
        Shape (n,).
    """
    x, y, z, angle, distance = points.T
    seen = (x > -radii) & (x < far_m + radii)
    for offset, tangent in ((np.abs(y), tangents[0]), (np.abs(z), tangents[1])):
        norm = math.hypot(1.0, tangent)
        seen &= (offset - x * tangent) / norm < radii
    half = np.arcsin(np.minimum(1.0, radii / np.maximum(distance, 1e-6)))
    low, high = wedges[rooms, 0], wedges[rooms, 1]
    inside = (angle + half)[:, None] >= low
    inside &= (angle - half)[:, None] <= high
    return np.asarray(seen & inside.any(axis=1))
