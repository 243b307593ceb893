"""Maps on disk in the format of nav2's map server: `NAME.yaml` beside `NAME.pgm`.

One pair a floor; RViz and nav2 open them. Black is occupied, white free, grey unknown. Every
file is written beside its place, synced and renamed, so that a power cut leaves the old one.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import numpy as np

from memory_core.errors import MemoryDamaged
from memory_core.planning.navigation.grid import FREE, HIT, OccupancyGrid
from memory_core.types import FloatArray

_OCCUPIED, _UNKNOWN, _FREE = 0, 205, 254
_HEADER = re.compile(rb"P5\s+(?:#[^\n]*\s+)*(\d+)\s+(\d+)\s+(\d+)\s")


def write_atomically(path: Path, content: bytes) -> None:
    """Put a file in place whole, or leave the one that was there."""
    partial = path.with_name(path.name + ".partial")
    with partial.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def save_map(grid: OccupancyGrid, folder: Path, *, name: str) -> Path:
    """Write a floor's map for nav2.

    Args:
        grid: The floor.
        folder: Made where it is missing.
        name: Of the file pair, without ending.

    Returns:
        The path of the YAML file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    picture = np.full(grid.shape, _UNKNOWN, np.uint8)
    picture[grid.free] = _FREE
    picture[grid.occupied] = _OCCUPIED
    rows, columns = grid.shape
    header = f"P5\n{columns} {rows}\n255\n".encode()
    write_atomically(folder / f"{name}.pgm", header + picture[::-1].tobytes())
    x, y = grid.corner[1] * grid.cell_m, grid.corner[0] * grid.cell_m
    text = (
        f"image: {name}.pgm\nmode: trinary\nresolution: {grid.cell_m:g}\n"
        f"origin: [{x:.6g}, {y:.6g}, 0]\nnegate: 0\noccupied_thresh: 0.65\nfree_thresh: 0.196\n"
    )
    path = folder / f"{name}.yaml"
    write_atomically(path, text.encode())
    return path


def load_map(path: Path) -> OccupancyGrid:
    """Read a map of nav2's map server.

    Args:
        path: The YAML file; the picture lies beside it as binary PGM.

    Returns:
        Its occupied cells as the scanner's layer.

    Raises:
        MemoryDamaged: A file is missing, cut off, or not such a map.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        entries = dict(line.split(": ", 1) for line in lines if ": " in line and line[0] != "#")
        cell_m = float(entries["resolution"])
        x, y = json.loads(entries["origin"])[:2]
        darkness = _darkness(path.parent / entries["image"].strip("\"' "))
        if int(entries.get("negate", "0")):
            darkness = 1 - darkness
        occupied = darkness > float(entries["occupied_thresh"])
        free = darkness < float(entries["free_thresh"])
    except (OSError, KeyError, ValueError) as error:
        raise MemoryDamaged(
            f"{path} is not a whole map of nav2's map server ({error!r}); expected NAME.yaml with "
            "image, resolution, origin and thresholds beside a binary PGM. Map the floor again."
        ) from error
    odds = 2 * HIT * occupied + 3 * FREE * free
    corner = (round(y / cell_m), round(x / cell_m))
    return OccupancyGrid.from_odds(odds, np.zeros_like(odds), corner=corner, cell_m=cell_m)


def _darkness(path: Path) -> FloatArray:
    """A PGM's pixels, 0 white to 1 black, lowest row first."""
    content = path.read_bytes()
    header = _HEADER.match(content)
    if header is None:
        raise ValueError("not a binary PGM")
    columns, rows, white = (int(number) for number in header.groups())
    pixels = np.frombuffer(content, np.uint8, offset=header.end())
    if len(pixels) != rows * columns:
        raise ValueError(f"{len(pixels)} pixels where {rows} x {columns} were announced")
    return 1 - pixels.reshape(rows, columns)[::-1].astype(np.float32) / white
