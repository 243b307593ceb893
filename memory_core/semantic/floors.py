"""Floors of a building, from the heights at which its robot stood."""

from __future__ import annotations

import math

import numpy as np

from memory_core.types import FloatArray, IntArray, Observation

HALF_BAND_M = 0.5
MIN_STOREY_M = 1.8
MIN_SHARE = 0.04


def floors_of(heights: FloatArray) -> tuple[IntArray, FloatArray]:
    """Cluster heights into floors: the densest bands that are a storey apart.

    Args:
        heights: Shape (n,), metres: the floor under each standpoint.

    Returns:
        The floor of each standpoint, 0 the lowest, shape (n,), and the floors' heights, ascending.
    """
    heights = np.asarray(heights, np.float64)
    if not len(heights):
        return np.empty(0, np.int64), np.empty(0)
    free = np.ones(len(heights), bool)
    levels: list[float] = []
    near = np.abs(heights[:, None] - heights[None]) < HALF_BAND_M if len(heights) <= 4_000 else None
    while free.any():
        if near is None:
            order = np.sort(heights[free])
            counts = np.searchsorted(order, heights + HALF_BAND_M) - np.searchsorted(
                order, heights - HALF_BAND_M
            )
            counts = np.where(free, counts, 0)
        else:
            counts = np.where(free, (near & free).sum(axis=1), 0)
        if counts.max() < max(2, MIN_SHARE * len(heights)) and levels:
            break
        peak = heights[int(counts.argmax())]
        level = float(np.median(heights[free & (np.abs(heights - peak) < HALF_BAND_M)]))
        if all(abs(level - known) > MIN_STOREY_M for known in levels):
            levels.append(level)
        free &= np.abs(heights - level) >= HALF_BAND_M
        free &= np.abs(heights - peak) >= HALF_BAND_M
    ordered = np.sort(np.array(levels))
    return np.abs(heights[:, None] - ordered[None]).argmin(axis=1), ordered


def camera_height(observation: Observation) -> float:
    """How far above the floor an observer was, where that is told, metres; else 0."""
    height = observation.extra.get("height_m", 0.0)
    return float(height) if isinstance(height, int | float) and math.isfinite(height) else 0.0
