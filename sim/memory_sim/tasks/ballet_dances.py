"""The ballet of Lampinen et al. (2021): who stands where, who dances what, and when.

In a room of 9 by 9 squares up to eight dancers stand around the middle, each in a square of 3 by 3
of its own. One after the other they dance alone for 16 steps, and for a while nobody moves after
each. Each dances another one of 13 dances, and looks unlike all others. Then one of the dances is
named. Which dances there are, their moves and the room are those of the paper's released task; what
the dancers look like is drawn here.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from memory_core.errors import InvalidQuery
from memory_core.types import IntArray

DANCE_STEPS = 16
HALF_ROOM = 4
"""From the middle of the room to the squares along its walls."""
COMPASS = {
    "n": (0, 1), "ne": (1, 1), "e": (1, 0), "se": (1, -1),
    "s": (0, -1), "sw": (-1, -1), "w": (-1, 0), "nw": (-1, 1),
}  # fmt: skip
"""Squares to the east and to the north; actions are numbered in this order."""
DIRECTIONS: IntArray = np.array(list(COMPASS.values()))
PLACES: IntArray = 3 * DIRECTIONS
"""Where dancers may stand, from the middle of the room: shape (8, 2), squares east and north."""
COLOURS = {
    "red": (230, 25, 25), "green": (40, 190, 50), "blue": (40, 80, 240), "yellow": (250, 230, 40),
    "orange": (245, 140, 20), "purple": (130, 30, 160), "pink": (250, 150, 200),
    "cyan": (60, 225, 235), "brown": (140, 80, 30), "olive": (130, 130, 20),
    "teal": (0, 120, 120), "lavender": (200, 190, 250),
}  # fmt: skip
SHAPES = ("disc", "ring", "block", "frame", "diamond", "plus", "cross", "triangle", "funnel",
          "ladder", "fence", "corner")  # fmt: skip
WATCH = "Watch."

_OUT_AND_BACK = {"up and down": "n s s n", "left and right": "e w w e",
                 "diagonal from the left": "nw se se nw",
                 "diagonal from the right": "ne sw sw ne"}  # fmt: skip
_CLOCKWISE = {
    "circle": "n e s s w w n n e e s s w w n e",
    "plus": "n s e w s n w e n s e w s n w e",
    "cross": "ne sw se nw sw ne nw se ne sw se nw sw ne nw se",
}
_ZEE = "ne w w e e sw ne sw sw e e w w ne sw ne"
_CHEVRON_DOWN = "nw s se ne n sw ne sw ne s sw nw n se nw se"


def _mirrored(moves: str) -> str:
    return moves.translate(str.maketrans("ew", "we"))


def _turned(moves: str) -> str:
    return moves.translate(str.maketrans("nesw", "swne"))


DANCES: dict[str, str] = (
    {f"{name} clockwise": moves for name, moves in _CLOCKWISE.items()}
    | {f"{name} counter-clockwise": _mirrored(moves) for name, moves in _CLOCKWISE.items()}
    | {name: " ".join([moves] * 4) for name, moves in _OUT_AND_BACK.items()}
    | {"zee": _ZEE, "chevron down": _CHEVRON_DOWN, "chevron up": _turned(_CHEVRON_DOWN)}
)
"""Moves by name; each dance ends where it began."""
NAMES = tuple(DANCES)


@cache
def path_of(dance: str) -> IntArray:
    """Where a dancer is after each move, from its place: shape (16, 2), squares east and north."""
    moves = np.array([COMPASS[move] for move in DANCES[dance].split()])
    path: IntArray = moves.cumsum(axis=0)
    path.flags.writeable = False
    return path


@dataclass(frozen=True, slots=True)
class Dancer:
    """One dancer.

    Attributes:
        place: Number of its place in `PLACES`.
        dance: Its dance, one of `NAMES`.
        colour: Number of its colour in `COLOURS`.
        shape: Number of its shape in `SHAPES`.
    """

    place: int
    dance: str
    colour: int
    shape: int


@dataclass(frozen=True, slots=True)
class Ballet:
    """One evening.

    Attributes:
        dancers: In the order in which they dance.
        delay: Steps after each dance in which nobody moves.
        asked: Number of the dancer who is asked for.
    """

    dancers: tuple[Dancer, ...]
    delay: int
    asked: int

    @property
    def question_step(self) -> int:
        """At which step, counted from 0, the question is put."""
        return len(self.dancers) * (DANCE_STEPS + self.delay)

    @property
    def question(self) -> str:
        """What is asked."""
        return f"Go to the dancer who danced the {self.dancers[self.asked].dance}."

    def whereabouts(self, step: int) -> IntArray:
        """Where the dancers are at a step, from the middle of the room: shape (n, 2), squares."""
        places: IntArray = PLACES[[dancer.place for dancer in self.dancers]]
        turn, since = divmod(step - 1, DANCE_STEPS + self.delay)
        if 0 <= turn < len(self.dancers) and since < DANCE_STEPS:
            places[turn] += path_of(self.dancers[turn].dance)[since]
        return places


def draw_ballet(dancers: int, delay: int, random: np.random.Generator) -> Ballet:
    """An evening: places, dances, colours and shapes, no two alike, and who is asked for.

    Args:
        dancers: 1 to 8.
        delay: Steps after each dance in which nobody moves, 1 or more.
        random: Everything follows from it.

    Raises:
        InvalidQuery: There are too many or too few dancers, or no delay.
    """
    if not 1 <= dancers <= len(PLACES) or delay < 1:
        raise InvalidQuery(
            f"{dancers} dancers, delay {delay}; expected 1 to {len(PLACES)} and a delay of 1 or more"
        )
    places, dances, colours, shapes = (
        random.permutation(count)[:dancers].tolist()
        for count in (len(PLACES), len(NAMES), len(COLOURS), len(SHAPES))
    )
    drawn = zip(places, dances, colours, shapes, strict=True)
    company = tuple(Dancer(place, NAMES[n], colour, shape) for place, n, colour, shape in drawn)
    return Ballet(company, delay, int(random.integers(dancers)))
