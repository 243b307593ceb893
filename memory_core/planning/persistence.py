"""How likely a thing still is where it was seen: survival over time, with rates learned.

A thing that was somewhere is still there after t days with probability exp(-rate · t), as in the
persistence filter (Rosen, Mason and Leonard 2016) with an exponential prior of survival. The rate
of moves is a Gamma-Poisson estimate: pooled over things of the same portability, then sharpened
by what is known of the one thing (empirical Bayes; Gelman et al. 2013, chapter 2). A look that
did not find it divides its odds by what detectors miss.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from memory_core.language.lexicon import words_of
from memory_core.semantic.expected import FURNITURE
from memory_core.types import Entity

DAY_NS = 86_400 * 10**9
PRIOR_MOVES, PRIOR_DAYS = {False: 0.5, True: 0.02}, 2.0
"""Moves in so many days before anything is known, by whether a thing is furniture."""
OWN_DAYS = 3.0
"""The pooled rate counts like so many days of watching the one thing."""
GONE = 0.02
MISSED = 0.2
"""How often a look at a place does not show a thing that is there."""


class Persistence:
    """Rates of moving, from the histories of a memory's things."""

    def __init__(self, entities: Iterable[Entity]) -> None:
        """Pool the rates.

        Args:
            entities: What the memory knows to last, move and go.
        """
        moves = dict(PRIOR_MOVES)
        days = {False: PRIOR_DAYS, True: PRIOR_DAYS}
        for entity in entities:
            heavy = is_furniture(entity.label)
            moves[heavy] += moves_of(entity)
            days[heavy] += watched_days(entity)
        self._pooled = {heavy: moves[heavy] / days[heavy] for heavy in moves}

    def rate(self, label: str, entity: Entity | None = None) -> float:
        """Moves a day to expect of a thing.

        Args:
            label: What it is taken for.
            entity: What is known of it; None where nothing is.
        """
        pooled = self._pooled[is_furniture(label)]
        if entity is None:
            return pooled
        return (moves_of(entity) + pooled * OWN_DAYS) / (watched_days(entity) + OWN_DAYS)

    def still_there(
        self,
        label: str,
        entity: Entity | None,
        *,
        last_ns: int,
        now_ns: int,
        looks_in_vain: int = 0,
    ) -> float:
        """Probability that a thing is where it was last seen.

        Args:
            label: What it is taken for.
            entity: What is known of it.
            last_ns: When it was last seen there.
            now_ns: Now.
            looks_in_vain: How often somebody looked there since and did not see it.
        """
        days = max(0, now_ns - last_ns) / DAY_NS
        there = math.exp(-self.rate(label, entity) * days)
        missed = there * MISSED**looks_in_vain
        return missed / (missed + 1 - there) if there < 1 else min(1.0, MISSED**looks_in_vain)


def is_furniture(label: str) -> bool:
    """Whether a label names something nobody carries about."""
    words = words_of(label)
    return bool(words) and words[-1] in FURNITURE


def moves_of(entity: Entity) -> int:
    """How often a thing was found to have moved or gone."""
    return len(entity.history) - 1 + int(entity.gone)


def watched_days(entity: Entity) -> float:
    """For how long a thing was followed, days."""
    ends: Sequence[int] = [stay.end_ns or stay.last_ns for stay in entity.history]
    return max(0, max(ends) - entity.first_ns) / DAY_NS
