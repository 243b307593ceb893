"""In which order to search places: the one that is expected to find the thing on the shortest way.

Whoever searches place after place, and stops where the thing is, wants the least expected way: the
minimum latency problem, weighted by how likely each place is (Blum et al. 1994; as graph search,
Koutsoupias et al. 1996). The order begins greedily, likeliest by cost next, and is improved by
moving pieces of it (or-opt, Or 1976) until no such move makes the expected way shorter.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

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


def shortest_search(
    chance: Sequence[float],
    from_here_m: Sequence[float],
    apart_m: FloatArray,
    look_m: Sequence[float],
) -> list[int]:
    """The order in which to search places.

    Args:
        chance: That the thing is there, n of them.
        from_here_m: Way from here, n of them.
        apart_m: Ways between the places, shape (n, n).
        look_m: What looking costs once one is there, n of them.

    Returns:
        Numbers of all places.
    """
    count = len(chance)
    ways = np.empty((count + 1, count))
    ways[:count], ways[count] = apart_m, from_here_m
    ways = np.minimum(ways, FAR_M) + np.asarray(look_m)
    likely = np.asarray(chance)
    order = _greedy(likely, ways)
    head = _improved(order[:MOST], likely, ways)
    return [*head, *order[MOST:]]


def best_density(
    order: Sequence[int], chance: Sequence[float], from_here_m: Sequence[float],
    apart_m: FloatArray, look_m: Sequence[float],
) -> float:  # fmt: skip
    """What a search promises at best a metre: over its first place, first two places, and so on.

    Args:
        order: Numbers of the places.
        chance: See `shortest_search`; so are the others.
        from_here_m: See there.
        apart_m: See there.
        look_m: See there.
    """
    gained = spent = best = 0.0
    for turn, place in enumerate(order):
        spent += from_here_m[place] if not turn else float(apart_m[order[turn - 1], place])
        spent += look_m[place]
        gained += chance[place]
        best = max(best, gained / spent)
    return best


def _greedy(chance: FloatArray, ways: FloatArray) -> list[int]:
    left, at, order = list(range(len(chance))), len(chance), list[int]()
    while left:
        at = left.pop(int(np.argmax(chance[left] / ways[at, left])))
        order.append(at)
    return order


def _improved(order: list[int], chance: FloatArray, ways: FloatArray) -> list[int]:
    best = _expected_m(order, chance, ways)
    for _ in range(ROUNDS):
        before = best
        for size in PIECES:
            for start in range(len(order) - size + 1):
                piece, rest = order[start : start + size], order[:start] + order[start + size :]
                tried = [rest[:to] + piece + rest[to:] for to in range(len(rest) + 1)]
                costs = _expected_all_m(np.array(tried), chance, ways)
                if costs.min() < best - 1e-9:
                    best, order = float(costs.min()), tried[int(costs.argmin())]
        if best == before:
            break
    return order


def _expected_m(order: list[int], chance: FloatArray, ways: FloatArray) -> float:
    return float(_expected_all_m(np.array([order]), chance, ways)[0]) if order else 0.0


def _expected_all_m(orders: IntArray, chance: FloatArray, ways: FloatArray) -> FloatArray:
    """Expected way of each of m orders of k places, times the chance of finding it, shape (m,)."""
    before = np.column_stack([np.full(len(orders), len(chance)), orders[:, :-1]])
    reached = np.cumsum(ways[before, orders], axis=1)
    return np.asarray((chance[orders] * reached).sum(axis=1))
