"""In which order to search places: the one that is expected to find the thing on the shortest way.

Whoever searches place after place, and stops where the thing is, wants the least expected way: the
minimum latency problem, weighted by how likely each place is (Blum et al. 1994; as graph search,
Koutsoupias et al. 1996). From where one stands to look at one place others may be in view, so that
what is left to be found falls for those too (a search by covering, Stone 1975). The order begins
greedily, likeliest by cost next, and is improved by moving pieces of it (or-opt, Or 1976) until no
such move makes the expected way shorter.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from memory_core.types import FloatArray, IntArray, Vector3

MOST = 24
"""So many of the first places are put into order; those after them stay as they are."""
PIECES = (1, 2, 3, 5)
ROUNDS = 20
FAR_M = 1_000.0
"""Stands for the way to what cannot be got to."""
SAME_PLACE_M = 0.25

WaysFrom = Callable[[Vector3, Sequence[Vector3]], FloatArray]
"""Lengths of the ways from a place to n others, shape (n,)."""


class Apart:
    """Ways between places, measured once from each; they are as long one way as the other."""

    def __init__(self, ways_from: WaysFrom) -> None:
        self._ways_from = ways_from
        self._places: list[Vector3] = []
        self._metres: FloatArray = np.zeros((0, 0))

    def between(self, places: Sequence[Vector3]) -> FloatArray:
        """Lengths of the ways between n places, metres, shape (n, n)."""
        numbers = np.array([self._number(place) for place in places], np.int64)
        return np.asarray(self._metres[np.ix_(numbers, numbers)])

    def _number(self, place: Vector3) -> int:
        for number, known in enumerate(self._places):
            if math.dist(known, place) <= SAME_PLACE_M:
                return number
        self._places.append(place)
        metres = np.asarray(self._ways_from(place, self._places))
        metres[-1] = 0.0
        grown = np.empty((len(metres), len(metres)))
        grown[:-1, :-1], grown[-1], grown[:, -1] = self._metres, metres, metres
        self._metres = grown
        return len(metres) - 1


@dataclass(frozen=True, slots=True)
class Places:
    """What a search may be of: n places, and where one stands to look at each.

    Attributes:
        chance: That the thing is there, shape (n,).
        from_here_m: Ways from here to where one stands, shape (n,).
        apart_m: Ways between those, shape (n, n).
        look_m: What looking costs once one stands there, as a way of so many metres, shape (n,).
        shows: How likely a thing at place j is noticed from where one stands to look at place i,
            shape (n, n), 1 where i is j.
    """

    chance: FloatArray
    from_here_m: FloatArray
    apart_m: FloatArray
    look_m: FloatArray
    shows: FloatArray

    @property
    def ways_m(self) -> FloatArray:
        """Ways to each place, and looking, from each of the others and last from here, (n + 1, n)."""
        ways = np.vstack([self.apart_m, self.from_here_m])
        return np.asarray(np.minimum(ways, FAR_M) + self.look_m)

    def found(self, orders: IntArray) -> FloatArray:
        """Chances to find it at each of k places of m orders, and not before, shape (m, k)."""
        left = np.tile(self.chance, (len(orders), 1))
        found = np.empty(orders.shape)
        for turn, places in enumerate(orders.T):
            seen = left * self.shows[places]
            found[:, turn] = seen.sum(axis=1)
            left -= seen
        return found


def shortest_search(places: Places) -> list[int]:
    """The order in which to search places: numbers of all."""
    ways_m = places.ways_m
    order = _greedy(places, ways_m)
    return [*_improved(order[:MOST], places, ways_m), *order[MOST:]]


def best_density(order: Sequence[int], places: Places) -> float:
    """What a search promises at best a metre: over its first place, first two places, and so on.

    Args:
        order: Numbers of the places.
        places: They.
    """
    if not order:
        return 0.0
    whole = np.array([order])
    gained = np.cumsum(places.found(whole)[0])
    return float((gained / _reached_m(whole, places.ways_m)[0]).max())


def _greedy(places: Places, ways_m: FloatArray) -> list[int]:
    chance, at = places.chance.copy(), len(places.chance)
    unseen, order = list(range(at)), list[int]()
    while unseen:
        worth = (places.shows[unseen] @ chance) / ways_m[at, unseen]
        at = unseen.pop(int(np.argmax(worth)))
        chance *= 1 - places.shows[at]
        order.append(at)
    return order


def _improved(order: list[int], places: Places, ways_m: FloatArray) -> list[int]:
    if not order:
        return order
    best = float(_expected_m(np.array([order]), places, ways_m)[0])
    for _ in range(ROUNDS):
        before = best
        for size in PIECES:
            for start in range(len(order) - size + 1):
                piece, rest = order[start : start + size], order[:start] + order[start + size :]
                tried = [rest[:to] + piece + rest[to:] for to in range(len(rest) + 1)]
                costs = _expected_m(np.array(tried), places, ways_m)
                if costs.min() < best - 1e-9:
                    best, order = float(costs.min()), tried[int(costs.argmin())]
        if best == before:
            break
    return order


def _expected_m(orders: IntArray, places: Places, ways_m: FloatArray) -> FloatArray:
    """Expected way of each of m orders of the same places, times the chance of finding it, (m,)."""
    return np.asarray((places.found(orders) * _reached_m(orders, ways_m)).sum(axis=1))


def _reached_m(orders: IntArray, ways_m: FloatArray) -> FloatArray:
    """After how long a way each of k places of m orders was looked at, shape (m, k)."""
    before = np.column_stack([np.full(len(orders), len(ways_m) - 1), orders[:, :-1]])
    return np.cumsum(ways_m[before, orders], axis=1)
