"""Evenings of the ballet as arrays, for training: what the symbol observations of all steps say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from memory_core.types import IntArray
from memory_sim.tasks.ballet_dances import (
    DANCE_STEPS,
    NAMES,
    PLACES,
    Ballet,
    draw_ballet,
    path_of,
)
from memory_sim.training.ballet_networks import MIDDLE, NOBODY

LEVELS = ((2, 16), (4, 16), (8, 16), (2, 48), (4, 48), (8, 48))
"""Dances and delay, as published."""


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Evenings of one level.

    Attributes:
        squares: Shape (batch, steps, 8), see `features`.
        asked: Shape (batch,), the dance asked for, a number in `NAMES`.
        answers: Shape (batch,), the right way to walk.
    """

    squares: IntArray
    asked: IntArray
    answers: IntArray


def draw_batch(level: tuple[int, int], size: int, random: np.random.Generator) -> Batch:
    """Evenings of a level.

    Args:
        level: Dances and delay.
        size: How many.
        random: Everything follows from it.
    """
    return batch_of([draw_ballet(*level, random) for _ in range(size)])


def batch_of(ballets: Sequence[Ballet]) -> Batch:
    """Evenings of one level as arrays."""
    asked = [ballet.dancers[ballet.asked] for ballet in ballets]
    return Batch(
        np.stack([_squares(ballet) for ballet in ballets]),
        np.array([NAMES.index(dancer.dance) for dancer in asked]),
        np.array([dancer.place for dancer in asked]),
    )


def _squares(ballet: Ballet) -> IntArray:
    """On which square of its place each dancer is at each step, the question's included."""
    squares = np.full((ballet.question_step + 1, len(PLACES)), NOBODY, np.int8)
    for turn, dancer in enumerate(ballet.dancers):
        squares[:, dancer.place] = MIDDLE
        first = 1 + turn * (DANCE_STEPS + ballet.delay)
        path = path_of(dancer.dance)
        squares[first : first + DANCE_STEPS, dancer.place] = MIDDLE + path @ (1, 3)
    return squares
