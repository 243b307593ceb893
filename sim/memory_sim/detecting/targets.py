"""What the segmenter should have said of a piece of a picture, with the picture made varied.

Small things weigh more, as in Panoptic-DeepLab (Cheng et al. 2020). Light, tint, depth noise and
side are drawn anew each time a picture is used.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from memory_core.types import FloatArray, IntArray
from memory_sim.detecting.classes import PARTS
from memory_sim.detecting.network import FURNITURE_STRIDE, GROUPS, PARTS_STRIDE, group_of
from memory_sim.detecting.pictures import channels
from memory_sim.detecting.views import Views
from memory_sim.worlds.home.camera import NOISE_M, NOISE_PER_M

HEAT_SPREAD = 2.0
"""Of the heat about a middle, output pixels."""
SMALL_PIXELS = 64 * 64
SMALL_WEIGHT = 3.0
WAY_UNIT = 10.0
"""Output pixels to one of what the network says of ways."""
LIGHTER, TINTED, GRAIN = 0.25, 0.06, 2.0
"""How much light and tint vary, as shares, and the spread of noise of colours, of 255."""
AIMED_SHARE = 0.7
"""Of the pieces of pictures that are taken around a thing, handle or front."""


@dataclass(frozen=True, slots=True)
class Layer:
    """What should be said at one stride; each of shape (rows, columns) or (channels, …).

    Attributes:
        classes: Numbers of classes.
        weights: Of the pixels.
        heat: High at the middles.
        way: Rows and columns to the middle, in units of `WAY_UNIT` output pixels.
    """

    classes: IntArray
    weights: FloatArray
    heat: FloatArray
    way: FloatArray


def varied(
    image: FloatArray, depth_m: FloatArray, random: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """A picture and its depth in another light and with the noise of a depth camera."""
    light = 1 + random.uniform(-LIGHTER, LIGHTER) + random.uniform(-TINTED, TINTED, 3)
    image = image * light.astype(np.float32)
    image += GRAIN * random.standard_normal(image.shape, dtype=np.float32)
    depth = depth_m.astype(np.float32)
    spread = NOISE_M + NOISE_PER_M * depth * depth
    noisy = depth + spread * random.standard_normal(depth.shape, dtype=np.float32)
    return np.clip(image, 0, 255), np.where(depth > 0, noisy, np.float32(0))


def piece_of(
    views: Views, number: int, size: tuple[int, int], random: np.random.Generator
) -> tuple[FloatArray, Layer, Layer]:
    """A piece of a picture, and what should be said of its parts and of its furniture.

    Args:
        views: All pictures.
        number: Of the picture.
        size: Rows and columns of the piece, multiples of 32.
        random: Where the differences come from.

    Returns:
        Shape (6, rows, columns), then the two layers.
    """
    height, width = views.parts.shape[1:]
    stride = FURNITURE_STRIDE
    top, left = (
        int(random.integers(0, (whole - part) // stride + 1)) * stride
        for whole, part in zip((height, width), size, strict=True)
    )
    shown = np.argwhere(views.pieces[number, ::stride, ::stride])
    if len(shown) and random.random() < AIMED_SHARE:
        middle = shown[int(random.integers(len(shown)))] * stride
        offset = middle - random.integers(size[0] // 4, 3 * size[0] // 4, 2)
        top, left = (
            int(np.clip(at, 0, whole - part)) // stride * stride
            for at, whole, part in zip(offset, (height, width), size, strict=True)
        )
    window = (slice(top, top + size[0]), slice(left, left + size[1]))
    parts = layer_of(views.parts[number], views.pieces[number], window, PARTS_STRIDE,
                     [group_of(part) for part in range(len(PARTS))])  # fmt: skip
    furniture = layer_of(views.furniture[number], views.wholes[number], window, FURNITURE_STRIDE,
                         None)  # fmt: skip
    image, depth = varied(views.images[number][window], views.depths_m[number][window], random)
    tilt = float(views.tilts_rad[number])
    picture = channels(image, depth, tilt, top=top, whole_height=height)
    if random.random() < 0.5:
        return picture[:, :, ::-1].copy(), _mirrored(parts), _mirrored(furniture)
    return picture, parts, furniture


def layer_of(
    classes: IntArray,
    pieces: IntArray,
    window: tuple[slice, slice],
    stride: int,
    groups: list[int] | None,
) -> Layer:
    """What should be said of a window at one stride.

    Args:
        classes: Of the whole picture, shape (h, w).
        pieces: What hangs together, 0 for nothing, shape (h, w).
        window: Rows and columns; their starts are multiples of the stride.
        stride: Pixels to one of the output.
        groups: By class, which heat it belongs to; None where there is but one.
    """
    whole, kinds = pieces[::stride, ::stride], classes[::stride, ::stride]
    grid = np.indices(whole.shape, dtype=np.float32)
    rows, columns = grid[0], grid[1]
    flat = whole.ravel()
    areas = np.bincount(flat).astype(np.float64)
    known = np.maximum(areas, 1)
    middle_rows = np.bincount(flat, rows.ravel()) / known
    middle_columns = np.bincount(flat, columns.ravel()) / known
    at = tuple(slice(part.start // stride, part.stop // stride) for part in window)
    inside, shown = whole[at], kinds[at]
    way = np.stack([middle_rows[inside] - rows[at], middle_columns[inside] - columns[at]])
    way = np.where(inside > 0, way / WAY_UNIT, 0).astype(np.float32)
    small = areas * stride * stride < SMALL_PIXELS
    small[0] = False
    heat = np.zeros((1 if groups is None else GROUPS, *inside.shape), np.float32)
    for piece in np.unique(inside[inside > 0]):
        row, column = middle_rows[piece] - at[0].start, middle_columns[piece] - at[1].start
        if not (0 <= row < inside.shape[0] and 0 <= column < inside.shape[1]):
            continue
        one = shown[inside == piece][0]
        _warm(heat[0 if groups is None else groups[one]], row, column)
    weights = np.where(small[inside], SMALL_WEIGHT, 1).astype(np.float32)
    return Layer(shown.astype(np.int64), weights, heat, way)


def _warm(heat: FloatArray, row: float, column: float) -> None:
    """Draw a middle into heat, in place."""
    reach = int(3 * HEAT_SPREAD)
    r0, c0 = max(0, int(row) - reach), max(0, int(column) - reach)
    area = heat[r0 : int(row) + reach + 1, c0 : int(column) + reach + 1]
    grid = np.indices(area.shape)
    far = (grid[0] + r0 - row) ** 2 + (grid[1] + c0 - column) ** 2
    np.maximum(area, np.exp(-far / (2 * HEAT_SPREAD**2)), out=area)


def _mirrored(layer: Layer) -> Layer:
    way = layer.way[:, :, ::-1].copy()
    way[1] *= -1
    return Layer(
        layer.classes[:, ::-1].copy(), layer.weights[:, ::-1].copy(),
        layer.heat[:, :, ::-1].copy(), way,
    )  # fmt: skip


def together(layers: list[Layer]) -> dict[str, torch.Tensor]:
    """Layers of several pieces as tensors, by the names of their fields."""
    return {
        name: torch.from_numpy(np.stack([getattr(layer, name) for layer in layers]))
        for name in ("classes", "weights", "heat", "way")
    }
