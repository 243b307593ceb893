"""Meshes of solids with few triangles: a software renderer pays for each."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np

from memory_core.types import FloatArray
from memory_sim.worlds.home.solids import Solid

SIDES = 14
RINGS = 6


@dataclass(frozen=True, slots=True)
class Mesh:
    """Triangles: vertices (n, 3) in metres, corner numbers (3 m), unit normals (n, 3)."""

    vertices: FloatArray
    corners: tuple[int, ...]
    normals: FloatArray


def quad(corner: FloatArray, first: FloatArray, second: FloatArray) -> Mesh:
    """A rectangle seen from where `first` x `second` points to.

    Args:
        corner: One corner, metres.
        first: To the next corner, counter-clockwise.
        second: To the last corner.
    """
    at, a, b = (np.array(v, dtype=np.float64) for v in (corner, first, second))
    normal = np.cross(a, b)
    normal /= np.linalg.norm(normal)
    return Mesh(np.array([at, at + a, at + a + b, at + b]), (0, 1, 2, 0, 2, 3),
                np.repeat(normal[None], 4, axis=0))  # fmt: skip


def solid_mesh(solid: Solid) -> Mesh:
    """The surface of a solid, in the frame of the thing it belongs to."""
    unit = UNIT[solid.shape]()
    vertices = unit.vertices * np.array(solid.size) + np.array(solid.centre)
    return Mesh(vertices, unit.corners, unit.normals)


@cache
def _unit_box() -> Mesh:
    faces = []
    for axis in range(3):
        for sign in (-1.0, 1.0):
            first, second = np.roll((1.0, 0.0, 0.0), axis + 1), np.roll((1.0, 0.0, 0.0), axis + 2)
            if sign < 0:
                first, second = second, first
            outward = np.roll((sign, 0.0, 0.0), axis)
            faces.append(quad((outward - first - second) / 2, first, second))
    return _joined(faces)


@cache
def _unit_cylinder() -> Mesh:
    """Upright, without its foot: things stand on it."""
    angles = np.arange(SIDES + 1) * 2 * math.pi / SIDES
    rim = np.stack([np.cos(angles), np.sin(angles), np.zeros(SIDES + 1)], axis=1)
    low = rim / 2 - (0, 0, 0.5)
    high = rim / 2 + (0, 0, 0.5)
    vertices = np.concatenate([low, high, high[:-1]])
    normals = np.concatenate([rim, rim, np.tile((0.0, 0.0, 1.0), (SIDES, 1))])
    corners: list[int] = []
    for i in range(SIDES):
        a, b, c, d = i, i + 1, SIDES + 2 + i, SIDES + 1 + i
        corners += [a, b, c, a, c, d]
    top = 2 * (SIDES + 1)
    for i in range(1, SIDES - 1):
        corners += [top, top + i, top + i + 1]
    return Mesh(vertices, tuple(corners), normals)


@cache
def _unit_sphere() -> Mesh:
    vertices = []
    for ring in range(RINGS + 1):
        tilt = math.pi * ring / RINGS
        for side in range(SIDES + 1):
            turn = 2 * math.pi * side / SIDES
            vertices.append(
                (math.sin(tilt) * math.cos(turn), math.sin(tilt) * math.sin(turn), math.cos(tilt))
            )
    normals = np.array(vertices)
    corners: list[int] = []
    for ring in range(RINGS):
        for side in range(SIDES):
            a = ring * (SIDES + 1) + side
            b = a + SIDES + 1
            if ring < RINGS - 1:
                corners += [a, b, b + 1]
            if ring > 0:
                corners += [a, b + 1, a + 1]
    return Mesh(normals / 2, tuple(corners), normals)


def _joined(meshes: list[Mesh]) -> Mesh:
    corners: list[int] = []
    count = 0
    for mesh in meshes:
        corners += [count + corner for corner in mesh.corners]
        count += len(mesh.vertices)
    return Mesh(
        np.concatenate([mesh.vertices for mesh in meshes]), tuple(corners),
        np.concatenate([mesh.normals for mesh in meshes]),
    )  # fmt: skip


UNIT: dict[str, Callable[[], Mesh]] = {
    "box": _unit_box, "cylinder": _unit_cylinder, "sphere": _unit_sphere,
}  # fmt: skip
"""Meshes one metre long, wide and high, around the origin."""
