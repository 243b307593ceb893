"""Room ballet: 18 dances in 9 rooms, memory for half of them (Cho et al. 2024).

The robot is led from room to room and sees one dancer dance in each; afterwards it is shown a
dancer and the room and has to name the dance. One room is visited 8 times, two are twice, six
once. In four variants the question is drawn from other dances, so that another one of four rules
keeps all that can be asked about:

- `recent`: one of the last 9 dances (first in, first out);
- `early`: one of the first 9 (last in, first out);
- `every-room`: the latest dance in any of the rooms (the most visited room loses first);
- `one-room`: any dance in the room visited most (the least visited room loses first).

Half of the 8 visits to that room are among the first 8, so that it is the most visited one by the
time memory is full. Everything follows from the seed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from memory_core.errors import InvalidQuery
from memory_core.types import IntArray

VARIANTS = ("recent", "early", "every-room", "one-room")
MOVES = (
    "circle clockwise",
    "circle counter-clockwise",
    "up and down",
    "left and right",
    "diagonal from the left",
    "diagonal from the right",
    "plus clockwise",
    "plus counter-clockwise",
)
VISITS = (8, 2, 2, 1, 1, 1, 1, 1, 1)
CAPACITY = sum(VISITS) // 2
_ESTABLISHING = 4


@dataclass(frozen=True, slots=True)
class Dance:
    """One dance, as it was seen.

    Attributes:
        room: 0 to 8, row by row in a square of 3 by 3.
        dancer: Who, unlike all others of the episode.
        move: What was danced, an index into `MOVES`.
    """

    room: int
    dancer: int
    move: int


@dataclass(frozen=True, slots=True)
class Question:
    """Which dance was it that this dancer danced in this room?"""

    room: int
    dancer: int


@dataclass(frozen=True, slots=True)
class Episode:
    """One evening.

    Attributes:
        variant: One of `VARIANTS`.
        dances: What is seen, in order.
        question: What is asked afterwards.
        answer: The index into `MOVES` that is right.
    """

    variant: str
    dances: tuple[Dance, ...]
    question: Question
    answer: int


def room_ballet(variant: str, seed: int) -> Episode:
    """An episode of a variant.

    Args:
        variant: One of `VARIANTS`.
        seed: Everything follows from it; the dances are the same in all variants.

    Raises:
        InvalidQuery: There is no such variant.
    """
    if variant not in VARIANTS:
        raise InvalidQuery(f"no variant {variant!r}; there are {', '.join(VARIANTS)}")
    random = np.random.default_rng([seed, 0])
    rooms = random.permutation(len(VISITS))[_order_of_visits(random)]
    moves = random.permutation(np.arange(rooms.size) % len(MOVES))
    dancers = random.permutation(rooms.size)
    dances = tuple(
        Dance(int(room), int(dancer), int(move))
        for room, dancer, move in zip(rooms, dancers, moves, strict=True)
    )
    asked = np.random.default_rng([seed, 1 + VARIANTS.index(variant)])
    dance = dances[int(asked.choice(askable(variant, rooms)))]
    return Episode(variant, dances, Question(dance.room, dance.dancer), dance.move)


def askable(variant: str, rooms: IntArray) -> IntArray:
    """Which dances may be asked about.

    Args:
        variant: One of `VARIANTS`.
        rooms: The room of each dance, shape (n,).

    Returns:
        Numbers of dances, ascending.
    """
    numbers = np.arange(rooms.size)
    if variant == "recent":
        return numbers[-CAPACITY:]
    if variant == "early":
        return numbers[:CAPACITY]
    if variant == "every-room":
        return np.array([numbers[rooms == room][-1] for room in np.unique(rooms)])
    return np.asarray(numbers[rooms == np.bincount(rooms).argmax()])


def _order_of_visits(random: np.random.Generator) -> IntArray:
    """Rooms by how often they are visited, 0 the most; its first visits come early."""
    others = random.permutation(np.repeat(np.arange(1, len(VISITS)), VISITS[1:]))
    first = np.concatenate([np.zeros(_ESTABLISHING, np.int64), others[:_ESTABLISHING]])
    late = np.zeros(VISITS[0] - _ESTABLISHING, np.int64)
    rest = np.concatenate([late, others[_ESTABLISHING:]])
    return np.concatenate([random.permutation(first), random.permutation(rest)])
