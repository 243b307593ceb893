"""What the network is shown: a frame's colours and depth as channels, and windows on its things."""

from __future__ import annotations

import math

import numpy as np
import torch

from memory_core.types import FloatArray, IntArray
from memory_sim.detecting.network import WINDOW_M, WINDOW_PIXELS
from memory_sim.worlds.home.camera import FIELD_OF_VIEW_RAD, HEAD_M

NEAREST_M = 0.3
"""Inverse depth grows no further than here."""
DEPTH_REACH_M = 0.2
"""Depths within a window are told up to this far from the thing's own."""


def focal_of(height: int) -> float:
    """The focal length of a picture of so many rows, pixels."""
    return height / 2 / math.tan(FIELD_OF_VIEW_RAD / 2)


def channels(
    image: FloatArray,
    depth_m: FloatArray,
    tilt_rad: float,
    *,
    top: int = 0,
    whole_height: int | None = None,
) -> FloatArray:
    """A picture, or a piece of one, as the segmenter is shown it.

    Args:
        image: Shape (h, w, 3), 0 to 255.
        depth_m: Shape (h, w); 0 is no reading.
        tilt_rad: Of the camera, upwards.
        top: First row of the piece in the whole picture.
        whole_height: Rows of the whole picture; None where this is it.

    Returns:
        Shape (6, h, w), float32: colours about 0, inverse depth, height above the floor the robot
        stands on in units of the camera's, whether there is depth.
    """
    rows, columns = depth_m.shape
    known = depth_m > 0
    made = np.empty((6, rows, columns), np.float32)
    np.multiply(image.transpose(2, 0, 1), np.float32(1 / 127.5), out=made[:3])
    made[:3] -= 1
    np.divide(NEAREST_M, np.maximum(depth_m, NEAREST_M), out=made[3])
    made[3] *= known
    height = whole_height if whole_height is not None else rows
    row = np.arange(top, top + rows, dtype=np.float32)
    up = ((height - 1) / 2 - row) / np.float32(focal_of(height))
    rise = np.float32(math.sin(tilt_rad)) + np.float32(math.cos(tilt_rad)) * up
    np.multiply(depth_m, rise[:, None] / np.float32(HEAD_M[2]), out=made[4])
    made[5] = known
    return made


def windows(
    picture: FloatArray, depth_m: FloatArray, places: IntArray, numbers: IntArray
) -> tuple[torch.Tensor, FloatArray]:
    """Windows on some things of a picture, all of one width in metres.

    Args:
        picture: As `channels` makes it, shape (6, h, w).
        depth_m: Shape (h, w).
        places: Which thing each pixel shows, at half size: shape (h // 2, w // 2).
        numbers: Of the things to look at, shape (n,).

    Returns:
        Shape (n, 5, `WINDOW_PIXELS`, `WINDOW_PIXELS`): colours, depth from the thing's own, its
        mask; and the things' depths in metres, shape (n,), NaN where a thing has none.
    """
    _, height, width = picture.shape
    focal = focal_of(height)
    half_depth = depth_m[::2, ::2]
    masks = places[None] == numbers[:, None, None]
    depths = np.full(len(numbers), np.nan)
    grids = np.empty((len(numbers), WINDOW_PIXELS, WINDOW_PIXELS, 2), np.float32)
    steps = (np.arange(WINDOW_PIXELS, dtype=np.float32) + 0.5) / WINDOW_PIXELS - 0.5
    for number, mask in enumerate(masks):
        rows, columns = np.nonzero(mask)
        known = half_depth[rows, columns]
        known = known[known > 0]
        if len(known):
            depths[number] = np.median(known)
        side = WINDOW_M * focal / (depths[number] if len(known) else 1.0)
        row, column = rows.min() + rows.max() + 1, columns.min() + columns.max() + 1
        grids[number, :, :, 1] = ((row + side * steps) * 2 / height - 1)[:, None]
        grids[number, :, :, 0] = ((column + side * steps) * 2 / width - 1)[None]
    count, grid = len(numbers), torch.from_numpy(grids)
    shown = np.concatenate([picture[:3], depth_m[None]]).astype(np.float32)
    seen = _sampled(torch.from_numpy(shown).expand(count, -1, -1, -1), grid)
    own = torch.from_numpy(np.nan_to_num(depths, nan=1.0).astype(np.float32))
    apart = (seen[:, 3] - own[:, None, None]) / DEPTH_REACH_M
    seen[:, 3] = apart.clamp(-1, 1)
    mask_seen = _sampled(torch.from_numpy(masks.astype(np.float32))[:, None], grid)
    return torch.cat([seen, mask_seen], dim=1), depths


def _sampled(picture: torch.Tensor, grid: torch.Tensor) -> torch.Tensor:
    return torch.nn.functional.grid_sample(
        picture, grid, mode="bilinear", padding_mode="zeros", align_corners=False
    )
