"""Which dancers there are, and where, in one observation of a dancing room."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from memory_core.types import BoolArray, IntArray
from memory_sim.tasks.ballet_dances import COLOURS, SHAPES
from memory_sim.tasks.ballet_stage import ROBOT, SEEN, SQUARE_PX, WALL, drawn

_NAMES = tuple(COLOURS)
_PAINTS: IntArray = np.array(list(COLOURS.values()), np.int64)
_SHAPES: BoolArray = np.stack([drawn(number) for number in range(len(SHAPES))])


@dataclass(frozen=True, slots=True)
class Seen:
    """A dancer.

    Attributes:
        who: Its colour and shape; no other looks like it.
        east: From the robot, squares.
        north: From the robot, squares.
    """

    who: str
    east: int
    north: int

    @property
    def square(self) -> tuple[int, int]:
        """The square of its own place that it is on, for a robot in the middle of the room."""
        return (self.east + 1) % 3 - 1, (self.north + 1) % 3 - 1


def seen_in(observation: Mapping[str, Any]) -> list[Seen]:
    """The dancers in an observation, from its symbols or from its pixels."""
    if "symbols" in observation:
        return [
            Seen(f"{_NAMES[colour]} {SHAPES[shape]}", east, north)
            for colour, shape, east, north in observation["symbols"].tolist() if colour >= 0
        ]  # fmt: skip
    return _in_picture(observation["rgb"])


def _in_picture(rgb: IntArray) -> list[Seen]:
    """Dancers in a picture, shape (99, 99, 3): what is painted and is neither wall nor robot."""
    side = 2 * SEEN + 1
    squares = rgb.reshape(side, SQUARE_PX, side, SQUARE_PX, 3).swapaxes(1, 2)
    brightest = squares.max(axis=(2, 3))
    other = ~((brightest == WALL).all(-1) | (brightest == ROBOT).all(-1) | (brightest == 0).all(-1))
    return [
        Seen(_look(squares[row, column].tobytes()), column - SEEN, SEEN - row)
        for row, column in np.argwhere(other).tolist()
    ]


@lru_cache(maxsize=1_024)
def _look(pixels: bytes) -> str:
    """The nearest colour, and the shape with the most pixels in common, of a square (9, 9, 3)."""
    square = np.frombuffer(pixels, np.uint8).reshape(SQUARE_PX, SQUARE_PX, 3)
    mask = square.any(axis=-1)
    colour = int(np.square(_PAINTS - square[mask].mean(axis=0)).sum(axis=1).argmin())
    shape = int((mask == _SHAPES).sum(axis=(1, 2)).argmax())
    return f"{_NAMES[colour]} {SHAPES[shape]}"
