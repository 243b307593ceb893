"""What stands on the table, from one colour and depth picture taken from above.

The table's top is known to be z = 0 and to have one colour. What rises above it is a thing; what has
another colour but does not rise is a patch. Things are told apart by their size and height; colour
and outline are measured, not named, so that two sightings can be compared under any light. No masks,
no training.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage
from scipy.spatial import ConvexHull, QhullError, cKDTree

from memory_core.perception.camera import back_project
from memory_core.types import BoolArray, FloatArray, Vector3
from memory_sim.worlds.table.camera import View

RISES_M = 0.012
"""What is higher than this is a thing; the depth's noise is a tenth of it."""
_HIGHEST_M = 0.13
_TABLE = ((0.16, -0.42), (0.95, 0.42))
_OTHER_COLOUR = 32.0
"""Of 255: what differs so much from the table is painted."""
_FEWEST_PIXELS = 12
_BUTTON_M2, _PATCH_M2, _CHEST_WIDE_M = 0.0048, 0.003, 0.3
_CUP_M, _FOOT_M, _FLAT_TOP_M = 0.065, 0.026, 0.006
_LONG, _LOPSIDED = 2.5, 1.6
_ROUND_FILL = 0.89
"""A disc fills 0.79 of the rectangle around it, a square all of it."""
_DOMED = 0.6
_DRAWERS, _KNOB_STANDS_OFF_M, _KNOB_Z_M = 3, 0.06, 0.08
_DRAWER_TRAVEL_M = 0.23
_RADII_M = (0.0, 0.008, 0.015, 0.021, 0.027, 0.033)
_ANGLES, _WAVES, _GRAIN_M = 24, 7, 0.004
_HEIGHT_WEIGHT, _DOME_WEIGHT = 80.0, 1.0
"""Of metres of height, and of how flat the top is, beside the shares of an outline."""
OUTLINE_SIZE = len(_RADII_M) * _WAVES + 2


@dataclass(frozen=True, slots=True)
class Thing:
    """Something on the table.

    Attributes:
        kind: `thing`, `ball`, `cup`, `peg`, `button`, `drawer`, `patch` or `spot`.
        top: The middle of its top, base frame, metres; of a drawer, its knob's.
        colour: Red, green, blue of its top, 0 to 255, shape (3,).
        yaw: Along a side of the smallest rectangle around it, the longer one.
        outline: How its form looks from above, whichever way it is turned; shape (n,).
        lit: Of a button: whether its cap shines.
        travel_m: Of a drawer: how far it stands open.
    """

    kind: str
    top: Vector3
    colour: FloatArray
    yaw: float = 0.0
    outline: FloatArray | None = None
    lit: bool = False
    travel_m: float = 0.0


def things_in(view: View) -> list[Thing]:
    """Everything on the table that a picture from above shows."""
    shape = view.depth_m.shape
    seen = view.depth_m > 0
    points = np.full((*shape, 3), np.nan)
    points[seen] = view.camera_pose.transform(
        back_project(view.depth_m, view.intrinsics, mask=seen)
    )
    rgb = view.rgb.astype(np.float64)
    low, high = _TABLE
    with np.errstate(invalid="ignore"):
        inside = (points[..., :2] > low).all(-1) & (points[..., :2] < high).all(-1)
        height = np.where(inside & (points[..., 2] < _HIGHEST_M), points[..., 2], -1.0)
    flat = np.abs(height) < RISES_M
    if not flat.any():
        return []
    table = np.median(rgb[flat], axis=0)
    raised = height > RISES_M
    painted = flat & (np.linalg.norm(_smooth(rgb, flat) - table, axis=-1) > _OTHER_COLOUR)
    pixel_m = view.depth_m / view.intrinsics.fx
    found: list[Thing] = []
    for mask in _things(_parts(raised), points):
        found += _raised(points[mask], rgb[mask], float((pixel_m[mask] ** 2).sum()))
    marks = _whole(_parts(painted & ~ndimage.binary_dilation(raised)))
    return found + _marks([(points[mask], rgb[mask]) for mask in marks])


def _smooth(rgb: FloatArray, mask: BoolArray) -> FloatArray:
    """Means over neighbouring pixels of the same mask."""
    weight = ndimage.uniform_filter(mask.astype(np.float64), 3)
    total = ndimage.uniform_filter(np.where(mask[..., None], rgb, 0.0), (3, 3, 1))
    return np.asarray(total / np.maximum(weight, 1e-6)[..., None])


def _parts(mask: BoolArray) -> list[BoolArray]:
    """Its connected parts, without specks."""
    labels, count = ndimage.label(mask)
    sizes = np.bincount(labels.ravel(), minlength=count + 1)
    return [labels == n for n in range(1, count + 1) if sizes[n] >= _FEWEST_PIXELS]


def _things(parts: list[BoolArray], points: FloatArray) -> list[BoolArray]:
    """Parts that rise; what stands out before a chest is its open drawer, whatever touches that."""
    sizes = [np.ptp(points[mask][:, 1]) for mask in parts]
    chest = next(
        (mask for mask, wide in zip(parts, sizes, strict=True) if wide > _CHEST_WIDE_M), None
    )
    if chest is None:
        return parts
    low, high = np.percentile(points[chest][:, 1], [1, 99])
    with np.errstate(invalid="ignore"):
        before = (points[..., 1] > low) & (points[..., 1] < high)
    others = []
    whole = chest
    for mask in parts:
        if mask is chest:
            continue
        drawer = mask & before
        if drawer.any() and np.percentile(points[drawer][:, 2], 90) > _CUP_M:
            whole = whole | drawer
            others += _parts(mask & ~drawer)
        else:
            others.append(mask)
    return [whole, *_whole(others)]


def _whole(parts: list[BoolArray]) -> list[BoolArray]:
    """Those that the picture's border does not cut off."""
    edges = (np.s_[0], np.s_[-1], np.s_[:, 0], np.s_[:, -1])
    return [mask for mask in parts if not any(mask[edge].any() for edge in edges)]


def _raised(points: FloatArray, rgb: FloatArray, area_m2: float) -> list[Thing]:
    """What a connected part that rises above the table is."""
    z = points[:, 2]
    if np.ptp(points[:, 1]) > _CHEST_WIDE_M:
        return _drawers(points, rgb)
    on_top = z > float(np.percentile(z, 95)) - _FLAT_TOP_M
    upper = points[z > 0.6 * float(np.percentile(z, 95))]
    top_z = float(np.median(z[on_top]))
    middle, yaw, sides = _rectangle(points[on_top, :2])
    colour = np.median(rgb[on_top], axis=0)
    if top_z > _CUP_M:
        return [Thing("cup", (*middle, top_z), colour)]
    if sides[0] > _LONG * sides[1]:
        return [Thing("peg", (*middle, top_z), colour, yaw)]
    if area_m2 > _BUTTON_M2:
        foot = np.median(rgb[z < _FOOT_M], axis=0) if (z < _FOOT_M).any() else np.zeros(3)
        return [Thing("button", (*middle, top_z), colour, lit=_shines(colour, foot))]
    flat = np.count_nonzero(on_top) / len(upper)
    form = _outline(upper if flat < _DOMED else points[on_top])
    outline = np.append(form, [_HEIGHT_WEIGHT * top_z, _DOME_WEIGHT * flat])
    if flat < _DOMED:
        x, y = upper[:, :2].mean(axis=0).tolist()
        return [Thing("ball", (x, y, top_z), colour, 0.0, outline)]
    return [Thing("thing", (*middle, top_z), colour, yaw, outline)]


def _shines(cap: FloatArray, foot: FloatArray) -> bool:
    """Whether a cap is not as grey, or not as bright, as one that is dark."""
    coloured = float(np.ptp(cap)) > 0.25 * float(cap.max())
    return coloured or float(cap.mean()) < 1.2 * float(foot.mean())


def _marks(parts: list[tuple[FloatArray, FloatArray]]) -> list[Thing]:
    """Patches and round spots of colour.

    Things upon them hide corners: the fullest of a colour tells what all of that colour are.
    """
    found = []
    for points, rgb in parts:
        try:
            hull = ConvexHull(points[:, :2])
        except QhullError:
            continue
        middle, yaw, sides = _rectangle(points[hull.vertices, :2])
        if hull.volume > _PATCH_M2 and sides[0] < _LOPSIDED * sides[1]:
            thing = Thing("spot", (*middle, 0.0), np.median(rgb, axis=0), yaw)
            found.append((thing, hull.volume / (sides[0] * sides[1])))
    return [
        replace(thing, kind="patch")
        if any(fill > _ROUND_FILL and _painted_alike(thing, other) for other, fill in found)
        else thing
        for thing, _ in found
    ]


def _painted_alike(thing: Thing, other: Thing) -> bool:
    return float(np.linalg.norm(thing.colour - other.colour)) < _OTHER_COLOUR


def _drawers(points: FloatArray, rgb: FloatArray) -> list[Thing]:
    """The drawers of a chest that opens towards the robot, by their knobs, from right to left."""
    x, y, z = points.T
    high = z > 0.07
    body = high & (x > np.percentile(x[high], 60))
    right, left = np.percentile(y[body], [1, 99])
    wide = (left - right) / _DRAWERS
    found = []
    for number in range(_DRAWERS):
        across = right + (number + 0.5) * wide
        knob = (np.abs(y - across) < 0.02) & (z > 0.07)
        if np.count_nonzero(knob) < 3:
            continue
        near = float(np.percentile(x[knob], 2))
        on_knob = knob & (x < near + 0.02)
        at = (near + 0.01, float(np.mean(y[on_knob])), _KNOB_Z_M)
        found.append(Thing("drawer", at, np.median(rgb[on_knob], axis=0)))
    shut_x = max((thing.top[0] for thing in found), default=0.0)
    return [
        Thing("drawer", thing.top, thing.colour,
              travel_m=min(max(shut_x - thing.top[0], 0.0), _DRAWER_TRAVEL_M))
        for thing in found
    ]  # fmt: skip


def _rectangle(points: FloatArray) -> tuple[tuple[float, float], float, tuple[float, float]]:
    """The smallest rectangle around points: its middle, the yaw of its longer sides, and both."""
    angles = np.radians(np.arange(0.0, 90.0, 2.0))
    along = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    across = np.stack([-np.sin(angles), np.cos(angles)], axis=1)
    low_a, high_a = np.percentile(points @ along.T, [2, 98], axis=0)
    low_c, high_c = np.percentile(points @ across.T, [2, 98], axis=0)
    best = int(np.argmin((high_a - low_a) * (high_c - low_c)))
    long, short = float(high_a[best] - low_a[best]), float(high_c[best] - low_c[best])
    middle = along[best] * (low_a + high_a)[best] / 2 + across[best] * (low_c + high_c)[best] / 2
    yaw = float(angles[best])
    at = (float(middle[0]), float(middle[1]))
    return (at, yaw, (long, short)) if long >= short else (at, yaw + math.pi / 2, (short, long))


def _outline(solid: FloatArray) -> FloatArray:
    """Where on rings around its middle a form is solid, as strengths of waves.

    The strength of a wave around a ring does not change when the form is turned (polar Fourier
    descriptors, Zhang and Lu 2002).
    """
    angles = 2 * np.pi * np.arange(_ANGLES) / _ANGLES
    rays = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    places = solid[:, :2].mean(axis=0) + np.array(_RADII_M)[:, None, None] * rays
    away, _ = cKDTree(solid[:, :2]).query(places)
    filled = 1 / (1 + np.exp((away - _GRAIN_M) / (_GRAIN_M / 4)))
    return np.asarray(np.abs(np.fft.rfft(filled, axis=1))[:, :_WAVES].ravel() / _ANGLES)
