"""What perception in simulation shares: how long it takes, what is cut off, what a look covered."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from memory_core.perception.camera import Intrinsics, back_project
from memory_core.semantic.views import telling
from memory_core.types import BoolArray, FloatArray, Json

CUT_MARGIN_PX = 2
FEWEST_POINTS = 10
"""Fewer do not say where a thing is."""
OBSTACLE_STRIDE, OBSTACLES_M = 6, 3.5


@dataclass(slots=True)
class Timings:
    """Seconds of computing spent on each part of perception, one entry a frame.

    Attributes:
        render: Drawing the picture.
        perceive: What is in it, and where.
        remember: Handing it in to the memory.
        known: From the picture until it is on disk and recall finds it.
    """

    render: list[float] = field(default_factory=list)
    perceive: list[float] = field(default_factory=list)
    remember: list[float] = field(default_factory=list)
    known: list[float] = field(default_factory=list)

    def median_ms(self) -> dict[str, float]:
        """Median of each part, milliseconds."""
        return {
            name: round(float(np.median(getattr(self, name) or [0.0])) * 1e3, 2)
            for name in ("render", "perceive", "remember")
        }


def cut_off(mask: BoolArray) -> bool:
    """Whether a thing is cut by the picture's edge: its middle is not what is seen."""
    margin = CUT_MARGIN_PX
    edges = (mask[:margin], mask[-margin:], mask[:, :margin], mask[:, -margin:])
    return any(bool(edge.any()) for edge in edges)


def middle_of(mask: BoolArray) -> tuple[float, float]:
    """Mean column and row of a mask's pixels, of which there is at least one."""
    rows, columns = np.count_nonzero(mask, axis=1), np.count_nonzero(mask, axis=0)
    total = rows.sum()
    return (
        float(columns @ np.arange(len(columns)) / total),
        float(rows @ np.arange(len(rows)) / total),
    )


def obstacles_in(depth_m: FloatArray, lens: Intrinsics) -> FloatArray:
    """Points near enough to be put into a map as obstacles: a scanner passes under tables.

    Args:
        depth_m: Shape (h, w), metres.
        lens: The camera's.

    Returns:
        Shape (n, 3), metres, the camera's REP-103 frame.
    """
    near = np.zeros(depth_m.shape, bool)
    step = OBSTACLE_STRIDE
    near[::step, ::step] = depth_m[::step, ::step] <= OBSTACLES_M
    return back_project(depth_m, lens, mask=near)


def view_of(depth_m: FloatArray, lens: Intrinsics, *, range_m: float) -> dict[str, Json]:
    """What a camera looked at; see `memory_core.semantic.views`.

    Args:
        depth_m: Shape (h, w), metres.
        lens: The camera's.
        range_m: How far away things can be made out.
    """
    return telling(
        depth_m, width_rad=2 * math.atan(lens.width / 2 / lens.fx),
        height_rad=2 * math.atan(lens.height / 2 / lens.fy), range_m=range_m,
    )  # fmt: skip
