"""Walls and floors of a home, painted straight into a picture.

They are few, flat and large: a depth buffer over whole polygons is several times faster than a
software renderer, whose time goes into every pixel that it paints.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from memory_core.perception.camera import Intrinsics
from memory_core.types import FloatArray, IntArray, Pose, Vector3
from memory_sim.worlds.home.layout import DOOR_HEIGHT_M, WALL_HEIGHT_M, WALL_M, Doorway, Room
from memory_sim.worlds.home.people import Lighting
from memory_sim.worlds.home.plan import HomePlan
from memory_sim.worlds.home.solids import Colour

FLOORS: tuple[Colour, ...] = (
    (0.72, 0.60, 0.45), (0.62, 0.50, 0.38), (0.80, 0.74, 0.66), (0.66, 0.68, 0.70), (0.55, 0.47, 0.42),
)  # fmt: skip
PAINTS: tuple[Colour, ...] = (
    (0.93, 0.91, 0.86), (0.86, 0.90, 0.88), (0.91, 0.87, 0.80), (0.84, 0.87, 0.92), (0.93, 0.89, 0.90),
)  # fmt: skip
CEILING: Colour = (0.96, 0.96, 0.95)
FRAME: Colour = (0.97, 0.96, 0.94)
SUBPIXEL_BITS = 4
NEAREST_M = 0.02


class Shell:
    """All walls, floors and ceilings of a home."""

    def __init__(self, plan: HomePlan, light: Lighting, lens: Intrinsics) -> None:
        """Lay out the faces and their colours in the light of a day.

        Args:
            plan: Of the home.
            light: Of the day.
            lens: Of the camera that they are painted for.
        """
        self._lens = lens
        self._frustum = _frustum(lens)
        self._light = light
        faces: list[FloatArray] = []
        paints: list[Colour] = []
        between: list[tuple[int, int]] = []

        def add(corners: FloatArray, colour: Colour, rooms: tuple[int, int]) -> None:
            faces.append(corners)
            paints.append(colour)
            between.append(rooms)

        numbers = {room.name: number for number, room in enumerate(plan.rooms)}
        random = np.random.default_rng([plan.seed, 5])
        for number, room in enumerate(plan.rooms):
            paint = PAINTS[int(random.integers(len(PAINTS)))]
            floor = FLOORS[int(random.integers(len(FLOORS)))]
            gaps = [doorway for doorway in plan.doorways if room.name in doorway.rooms]
            for face in _inner_walls(room, gaps):
                add(face, paint, (number, number))
            (x, y), (w, d) = room.low, room.size
            add(_quad((x, y, room.z), (w, 0, 0), (0, d, 0)), floor, (number, number))
            top = room.z + WALL_HEIGHT_M
            add(_quad((x, y, top), (0, d, 0), (w, 0, 0)), CEILING, (number, number))
        for doorway in plan.doorways:
            first, second = (numbers[name] for name in doorway.rooms)
            for face in _jambs(doorway, plan.rooms[first].z):
                add(face, FRAME, (first, second))
        self._corners = np.array(faces)
        sides = self._corners[:, 1:] - self._corners[:, :1]
        normals = np.cross(sides[:, 0], sides[:, 2])
        self._normals = normals / np.linalg.norm(normals, axis=1, keepdims=True)
        self._rooms: IntArray = np.array(between)
        self._palette = np.concatenate([np.zeros((1, 3), np.uint8), self._lit(np.array(paints))])

    def _lit(self, paints: FloatArray) -> FloatArray:
        """Colours, shape (n, 3), 0 to 1, of all faces in the light, as bytes."""
        light = self._light
        towards = np.array(light.direction) / np.linalg.norm(light.direction)
        bright = light.ambient + light.diffuse * np.maximum(0.0, self._normals @ towards)
        shaded = paints * np.array(light.tint) * bright[:, None] * 255
        return np.asarray(np.clip(shaded, 0, 255).astype(np.uint8))

    def paint(self, camera: Pose, wedges: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Paint what may be seen.

        Args:
            camera: Its REP-103 frame in the map.
            wedges: Of `Sight.wedges`: rooms out of sight are left out.

        Returns:
            The picture, shape (h, w, 3), uint8, and one over the depth, shape (h, w), 1/metres, 0
            where nothing is.
        """
        lens = self._lens
        axes, eye = camera.matrix()[:3, :3], np.array(camera.position)
        nearness = np.zeros((lens.height, lens.width), np.float32)
        shown: IntArray = np.zeros((lens.height, lens.width), np.uint16)
        seen = wedges[:, 0] <= wedges[:, 1]
        distances = (self._normals * (self._corners[:, 0] - eye)).sum(axis=1)
        # the eye is on the side that the face is seen from
        facing = np.flatnonzero(seen[self._rooms].any(axis=1) & (distances < -1e-6))
        polygons = (self._corners[facing] - eye) @ axes
        inside = polygons @ self._frustum[:, :3].T >= self._frustum[:, 3]
        outside = ~inside.any(axis=1).all(axis=1)
        for face, polygon in zip(facing[~outside].tolist(), polygons[~outside], strict=True):
            clipped = _clipped(polygon, self._frustum)
            if clipped is not None:
                plane = self._normals[face] @ axes / distances[face]
                _fill(clipped, plane, face + 1, lens, nearness, shown)
        return self._palette.take(shown, axis=0), nearness


def _fill(
    polygon: FloatArray,
    plane: FloatArray,
    number: int,
    lens: Intrinsics,
    nearness: FloatArray,
    shown: IntArray,
) -> None:
    """Paint a polygon of the camera's frame where it is nearer than what is there."""
    u = lens.cx - polygon[:, 1] / polygon[:, 0] * lens.fx
    v = lens.cy - polygon[:, 2] / polygon[:, 0] * lens.fy
    left, right = max(0, int(u.min())), min(lens.width - 1, int(u.max()) + 1)
    top, bottom = max(0, int(v.min())), min(lens.height - 1, int(v.max()) + 1)
    if left > right or top > bottom:
        return
    inside = np.zeros((bottom - top + 1, right - left + 1), np.uint8)
    pixels = np.stack([u - left, v - top], axis=1)
    scaled = np.round(pixels * (1 << SUBPIXEL_BITS)).astype(np.int32)
    cv2.fillConvexPoly(inside, scaled, 1, shift=SUBPIXEL_BITS)
    rows = np.arange(top, bottom + 1, dtype=np.float32)[:, None]
    columns = np.arange(left, right + 1, dtype=np.float32)[None]
    # one over the depth of a plane is linear in the picture
    near = np.float32(plane[0]) - np.float32(plane[1] / lens.fx) * (columns - np.float32(lens.cx))
    near = near - np.float32(plane[2] / lens.fy) * (rows - np.float32(lens.cy))
    there = nearness[top : bottom + 1, left : right + 1]
    nearer = inside.view(bool) & (near > there)
    np.copyto(there, near, where=nearer)
    np.copyto(shown[top : bottom + 1, left : right + 1], np.uint16(number), where=nearer)


def _clipped(polygon: FloatArray, planes: FloatArray) -> FloatArray | None:
    """The part of a polygon inside of planes (Sutherland and Hodgman 1974); None where none is.

    Args:
        polygon: Corners in the camera's frame, shape (n, 3).
        planes: Normals that point inward and offsets, shape (m, 4).
    """
    for plane, offset in zip(planes[:, :3], planes[:, 3], strict=True):
        heights = polygon @ plane - offset
        inside = heights >= 0
        if inside.all():
            continue
        if not inside.any():
            return None
        kept = []
        for i in range(len(polygon)):
            j = (i + 1) % len(polygon)
            if inside[i]:
                kept.append(polygon[i])
            if inside[i] != inside[j]:
                share = heights[i] / (heights[i] - heights[j])
                kept.append(polygon[i] + share * (polygon[j] - polygon[i]))
        polygon = np.array(kept)
    return polygon if len(polygon) >= 3 else None


def _frustum(lens: Intrinsics) -> FloatArray:
    """The planes around a picture, a little outside of its edges: see `_clipped`."""
    wide, high = lens.width / lens.fx, lens.height / lens.fy
    return np.array(
        [(1, 0, 0, NEAREST_M), (wide, 1, 0, 0), (wide, -1, 0, 0), (high, 0, 1, 0), (high, 0, -1, 0)]
    )


def _quad(corner: Vector3, first: Vector3, second: Vector3) -> FloatArray:
    """A rectangle seen from where `first` x `second` points to."""
    at, a, b = (np.array(v, dtype=np.float64) for v in (corner, first, second))
    return np.array([at, at + a, at + a + b, at + b])


def _inner_walls(room: Room, doorways: Sequence[Doorway]) -> list[FloatArray]:
    """The inner faces of a room's walls, doorways left open."""
    (x0, y0), (x1, y1) = room.low, room.high
    inset = WALL_M / 2
    faces = []
    for along_x, at, inner, start, end, towards in (
        (True, y0, y0 + inset, x0 + inset, x1 - inset, 1.0),
        (True, y1, y1 - inset, x0 + inset, x1 - inset, -1.0),
        (False, x0, x0 + inset, y0 + inset, y1 - inset, 1.0),
        (False, x1, x1 - inset, y0 + inset, y1 - inset, -1.0),
    ):
        gaps = sorted(
            tuple(sorted(corner[0 if along_x else 1] for corner in doorway.ends))
            for doorway in doorways
            if doorway.along_x == along_x and abs(doorway.centre[1 if along_x else 0] - at) < 1e-5
        )
        cursor = start
        for low, high in gaps:
            faces.append(_upright(along_x, inner, cursor, low, room.z, WALL_HEIGHT_M, towards))
            over = room.z + DOOR_HEIGHT_M
            height = WALL_HEIGHT_M - DOOR_HEIGHT_M
            faces.append(_upright(along_x, inner, low, high, over, height, towards))
            cursor = high
        faces.append(_upright(along_x, inner, cursor, end, room.z, WALL_HEIGHT_M, towards))
    return faces


def _upright(
    along_x: bool, at: float, start: float, end: float, z: float, height: float, towards: float
) -> FloatArray:
    """An upright rectangle; `towards` is the sign of the axis it is seen from."""
    if along_x:  # x cross z points to -y
        low, run = (end, -(end - start)) if towards > 0 else (start, end - start)
        return _quad((low, at, z), (run, 0, 0), (0, 0, height))
    low, run = (start, end - start) if towards > 0 else (end, -(end - start))
    return _quad((at, low, z), (0, run, 0), (0, 0, height))


def _jambs(doorway: Doorway, z: float) -> list[FloatArray]:
    """The two sides of a doorway and its underside."""
    (x0, y0), (x1, y1) = doorway.ends
    half = WALL_M / 2
    if doorway.along_x:
        return [
            _upright(False, x0, y0 - half, y0 + half, z, DOOR_HEIGHT_M, 1.0),
            _upright(False, x1, y0 - half, y0 + half, z, DOOR_HEIGHT_M, -1.0),
            _quad((x0, y0 - half, z + DOOR_HEIGHT_M), (0, WALL_M, 0), (x1 - x0, 0, 0)),
        ]
    return [
        _upright(True, y0, x0 - half, x0 + half, z, DOOR_HEIGHT_M, 1.0),
        _upright(True, y1, x0 - half, x0 + half, z, DOOR_HEIGHT_M, -1.0),
        _quad((x0 - half, y0, z + DOOR_HEIGHT_M), (0, y1 - y0, 0), (WALL_M, 0, 0)),
    ]
