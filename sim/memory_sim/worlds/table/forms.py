"""Forms of small things, as meshes with few triangles: prisms over outlines, cones, cups, balls.

Each stands on z = 0 with its middle at x = y = 0. Meshes go through files: PyBullet never lets go of
numbers that are handed to it, but reads a file once.
"""

from __future__ import annotations

import atexit
import itertools
import math
import shutil
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np

from memory_core.types import FloatArray

SIDES = 16
_RINGS = 8
Outline = list[tuple[float, float]]
Triangles = list[tuple[FloatArray, FloatArray, FloatArray]]


@cache
def mesh_file(form: str, span: float, height: float) -> str:
    """The path of a mesh as Wavefront OBJ, one to a process.

    Args:
        form: One of `FORMS`.
        span: Across, metres.
        height: Metres.
    """
    path = folder() / f"{form}-{span:.4f}-{height:.4f}.obj"
    path.write_text(_wavefront(FORMS[form](span, height)), encoding="utf-8")
    return str(path)


@cache
def folder() -> Path:
    """Where this process keeps the files that PyBullet reads; it goes when the process ends."""
    path = tempfile.mkdtemp(prefix="memory-table-")
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    return Path(path)


def _prism(outline: Outline, height: float) -> Triangles:
    """Upright walls over an outline (counter-clockwise), and the lid; things stand on the foot."""
    low = [np.array((x, y, 0.0)) for x, y in outline]
    high = [np.array((x, y, height)) for x, y in outline]
    sides: Triangles = []
    for number, corner in enumerate(low):
        after = (number + 1) % len(low)
        sides += [(corner, low[after], high[after]), (corner, high[after], high[number])]
    return sides + [(high[a], high[b], high[c]) for a, b, c in _ears(outline)]


def _ears(outline: Outline) -> list[tuple[int, int, int]]:
    """Triangles that fill an outline: ears are cut off one by one (Meisters 1975)."""
    left = list(range(len(outline)))
    found = []
    while len(left) > 3:
        for place, corner in enumerate(left):
            before, after = left[place - 1], left[(place + 1) % len(left)]
            ear = (outline[before], outline[corner], outline[after])
            others = (outline[n] for n in left if n not in (before, corner, after))
            if _turn(*ear) > 0 and not any(_inside(point, ear) for point in others):
                found.append((before, corner, after))
                left.pop(place)
                break
    return [*found, (left[0], left[1], left[2])]


def _turn(a: tuple[float, float], b: tuple[float, float], c: tuple[float, float]) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def _inside(point: tuple[float, float], corners: tuple[tuple[float, float], ...]) -> bool:
    a, b, c = corners
    return min(_turn(a, b, point), _turn(b, c, point), _turn(c, a, point)) >= 0


def _round(radius: float, count: int = SIDES) -> Outline:
    angles = (2 * math.pi * number / count for number in range(count))
    return [(radius * math.cos(angle), radius * math.sin(angle)) for angle in angles]


def _cross(span: float, height: float) -> Triangles:
    long, short = span / 2, span / 6
    quarter = [(long, -short), (long, short), (short, short)]
    return _prism(
        [turned for n in range(4) for turned in _turned(quarter, n * math.pi / 2)], height
    )


def _turned(outline: Outline, angle: float) -> Outline:
    c, s = math.cos(angle), math.sin(angle)
    return [(c * x - s * y, s * x + c * y) for x, y in outline]


def _star(span: float, height: float) -> Triangles:
    points = []
    for number in range(10):
        radius = span / 2 if number % 2 == 0 else span / 5.2
        angle = math.pi * number / 5
        points.append((radius * math.cos(angle), radius * math.sin(angle)))
    return _prism(points, height)


def _ring(span: float, height: float) -> Triangles:
    """A disc with a hole: walls outside and inside, and a lid between them."""
    outer, inner = _round(span / 2), _round(span / 4)
    found: Triangles = []
    for number in range(SIDES):
        after = (number + 1) % SIDES
        a, b = (np.array((*outer[n], 0.0)) for n in (number, after))
        c, d = (np.array((*inner[n], 0.0)) for n in (number, after))
        up = np.array((0.0, 0.0, height))
        found += [(a, b, b + up), (a, b + up, a + up), (d, c, c + up), (d, c + up, d + up)]
        found += [(a + up, b + up, d + up), (a + up, d + up, c + up)]
    return found


def _triangle(span: float, height: float) -> Triangles:
    return _prism(_round(span / math.sqrt(3), 3), height)


def _tee(span: float, height: float) -> Triangles:
    half, bar, stem = span / 2, span / 3, span / 6
    return _prism([(-half, -stem), (half - bar, -stem), (half - bar, -half), (half, -half),
                   (half, half), (half - bar, half), (half - bar, stem), (-half, stem)], height)  # fmt: skip


def _ell(span: float, height: float) -> Triangles:
    half, arm = span / 2, span / 3
    return _prism([(-half, -half), (half, -half), (half, arm - half), (arm - half, arm - half),
                   (arm - half, half), (-half, half)], height)  # fmt: skip


def _arch(span: float, height: float) -> Triangles:
    half, arm = span / 2, span / 3
    return _prism([(-half, -half), (half, -half), (half, arm - half), (arm - half, arm - half),
                   (arm - half, half - arm), (half, half - arm), (half, half), (-half, half)],
                  height)  # fmt: skip


def _cuboid(span: float, height: float) -> Triangles:
    half = span / 2
    return _prism([(-half, -half), (half, -half), (half, half), (-half, half)], height)


def _disc(span: float, height: float) -> Triangles:
    return _prism(_round(span / 2), height)


def _ball(span: float, height: float) -> Triangles:
    """A sphere, drawn out to a height."""
    rings = []
    for ring in range(_RINGS + 1):
        tilt = math.pi * ring / _RINGS
        outline = _round(max(math.sin(tilt), 1e-6) * span / 2)
        rings.append([np.array((x, y, height * (1 - math.cos(tilt)) / 2)) for x, y in outline])
    found: Triangles = []
    for low, high in itertools.pairwise(rings):
        for number in range(SIDES):
            after = (number + 1) % SIDES
            found += [
                (low[number], low[after], high[after]),
                (low[number], high[after], high[number]),
            ]
    return found


FORMS: dict[str, Callable[[float, float], Triangles]] = {
    "cube": _cuboid, "ball": _ball, "cross": _cross, "ring": _ring, "star": _star,
    "triangle": _triangle, "tee": _tee, "ell": _ell, "arch": _arch, "disc": _disc,
}  # fmt: skip
"""By name; a `disc` is a cylinder of any height, a `cube` a cuboid with a square foot."""


def _wavefront(triangles: Triangles) -> str:
    """Triangles as OBJ text, each with its own corners and normal: edges stay sharp."""
    lines: list[str] = []
    faces: list[str] = []
    for corners in triangles:
        normal = np.cross(corners[1] - corners[0], corners[2] - corners[0])
        length = float(np.linalg.norm(normal))
        if length < 1e-12:
            continue
        for x, y, z in corners:
            lines.append(f"v {x:.6f} {y:.6f} {z:.6f}")
        nx, ny, nz = normal / length
        lines.append(f"vn {nx:.5f} {ny:.5f} {nz:.5f}")
        last = 3 * (len(faces) + 1)
        faces.append("f " + " ".join(f"{last - k}//{len(faces) + 1}" for k in (2, 1, 0)))
    return "\n".join([*lines, *faces, ""])
