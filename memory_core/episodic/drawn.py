"""What drawings for other programs share: a colour for a name, and the points a scan hit."""

from __future__ import annotations

import colorsys
import math
import zlib

import numpy as np

from memory_core.types import FloatArray, Observation


def color_of(name: str) -> tuple[float, float, float]:
    """Red, green and blue, 0 to 1; the same for the same name, wherever it is drawn."""
    return colorsys.hls_to_rgb(zlib.crc32(name.encode()) % 360 / 360, 0.5, 0.65)


def scan_of(observation: Observation) -> tuple[list[float], float] | None:
    """What a scanner hit: ranges in equal sectors from -pi on (metres, inf for none), and its yaw.

    None where the observation holds no scan; `extra` may hold anything under the same name.
    """
    ranges, yaw = observation.extra.get("scan_m"), observation.extra.get("scanner_yaw", 0.0)
    if not isinstance(ranges, list) or not ranges or not isinstance(yaw, int | float):
        return None
    if not all(value is None or isinstance(value, int | float) for value in ranges):
        return None
    return [math.inf if value is None else float(value) for value in ranges], float(yaw)


def scan_points(ranges: list[float], yaw: float) -> FloatArray:
    """Where a scan hit something, shape (n, 3), metres in the frame of the robot.

    Args:
        ranges: Metres in equal sectors from -pi on; inf where nothing was hit.
        yaw: Of the scanner in the robot, radians.
    """
    sector = 2 * math.pi / len(ranges)
    angles = yaw - math.pi + sector * (np.arange(len(ranges)) + 0.5)
    distances = np.asarray(ranges)
    hit = np.isfinite(distances)
    flat = distances[hit, None] * np.stack([np.cos(angles[hit]), np.sin(angles[hit])], axis=1)
    return np.pad(flat, ((0, 0), (0, 1)))
