"""What a dancing room looks like to the robot in it, as symbols and as pixels.

The robot is in the middle of what it sees, 11 by 11 squares of 9 by 9 pixels, as in Lampinen et
al. (2021): walls and dancers move in the picture when it walks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from memory_core.types import BoolArray, IntArray
from memory_sim.tasks.ballet_dances import COLOURS, HALF_ROOM, PLACES, SHAPES

SQUARE_PX = 9
SEEN = 5
"""How many squares the robot sees to each side."""
PICTURE_PX = (2 * SEEN + 1) * SQUARE_PX
ABSENT = -1
"""Colour and shape where a place has no dancer."""
FARTHEST = 2 * HALF_ROOM + 1
WALL, ROBOT = (60, 60, 60), (255, 255, 255)


@dataclass(frozen=True, slots=True)
class OnStage:
    """A dancer, as it stands there.

    Attributes:
        place: Number of its place in `PLACES`.
        colour: Number in `COLOURS`.
        shape: Number in `SHAPES`.
        east: From the robot, squares.
        north: From the robot, squares.
    """

    place: int
    colour: int
    shape: int
    east: int
    north: int


def symbols(dancers: Sequence[OnStage]) -> IntArray:
    """One row a place: colour, shape, squares east and north of the robot; shape (8, 4), int8."""
    rows = np.zeros((len(PLACES), 4), np.int8)
    rows[:, :2] = ABSENT
    for dancer in dancers:
        rows[dancer.place] = dancer.colour, dancer.shape, dancer.east, dancer.north
    return rows


def picture(dancers: Sequence[OnStage], robot: tuple[int, int]) -> IntArray:
    """What the robot sees from above.

    Args:
        dancers: Those in the room.
        robot: Where it is, squares east and north of the middle of the room.

    Returns:
        Shape (99, 99, 3), uint8, red, green, blue; north is up.
    """
    seen = _room(*robot).copy()
    for dancer in dancers:
        if max(abs(dancer.east), abs(dancer.north)) <= SEEN:
            square(seen, dancer.east, dancer.north)[drawn(dancer.shape)] = _COLOURS[dancer.colour]
    return seen


def square(seen: IntArray, east: int, north: int) -> IntArray:
    """One square of a picture, shape (9, 9, 3); a view, not a copy."""
    row, column = (SEEN - north) * SQUARE_PX, (SEEN + east) * SQUARE_PX
    return seen[row : row + SQUARE_PX, column : column + SQUARE_PX]


@cache
def drawn(shape: int) -> BoolArray:
    """The pixels of a shape, (9, 9)."""
    down, across = np.mgrid[:SQUARE_PX, :SQUARE_PX] - SQUARE_PX // 2
    return np.asarray(_DRAWN[SHAPES[shape]](across, down), bool)


@cache
def _room(east: int, north: int) -> IntArray:
    """A room without dancers, seen by a robot at a place in it."""
    seen = np.zeros((PICTURE_PX, PICTURE_PX, 3), np.uint8)
    for x in range(-SEEN, SEEN + 1):
        for y in range(-SEEN, SEEN + 1):
            if max(abs(x + east), abs(y + north)) == HALF_ROOM + 1:
                square(seen, x, y)[:] = WALL
    square(seen, 0, 0)[:] = ROBOT
    return seen


_COLOURS: IntArray = np.array(list(COLOURS.values()), np.uint8)
_DRAWN: dict[str, Callable[[IntArray, IntArray], BoolArray]] = {
    "disc": lambda x, y: x**2 + y**2 <= 17,
    "ring": lambda x, y: (x**2 + y**2 <= 20) & (x**2 + y**2 > 7),
    "block": lambda x, y: (abs(x) <= 3) & (abs(y) <= 3),
    "frame": lambda x, y: np.maximum(abs(x), abs(y)) >= 3,
    "diamond": lambda x, y: abs(x) + abs(y) <= 4,
    "plus": lambda x, y: (abs(x) <= 1) | (abs(y) <= 1),
    "cross": lambda x, y: abs(abs(x) - abs(y)) <= 0.5,
    "triangle": lambda x, y: 2 * abs(x) <= y + 4,
    "funnel": lambda x, y: 2 * abs(x) <= 4 - y,
    "ladder": lambda _, y: y % 2 == 0,
    "fence": lambda x, _: x % 2 == 0,
    "corner": lambda x, y: (x <= -2) | (y >= 2),
}
"""By the squares of pixels right of and below the middle of a square."""
