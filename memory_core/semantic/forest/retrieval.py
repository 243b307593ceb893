"""From a query down to the places: a few children of every node, a few nodes of every level.

Embodied-RAG (Xie et al. 2024) follows the 3 best children of each node; here a level's nodes also
compete with each other, so that a descent costs O(log n). Where the query has a position, places
are weighed by 0.7 of meaning and 0.3 of max(0, 1 - distance / 500 m), as there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from memory_core.errors import DimensionMismatch
from memory_core.semantic.forest.reference import ForestArrays
from memory_core.types import FloatArray, IntArray, Vector3

CHILDREN = 3
BEAM = 64
MEANING_SHARE = 0.7
REACH_M = 500.0

Paths = dict[int, tuple[tuple[int, ...], tuple[float, ...]]]


class Descendable(Protocol):
    """Trees that can be searched from the top."""

    def tops(self) -> Sequence[int]:
        """Numbers of the roots."""

    def children(self, number: int) -> Sequence[int]:
        """Of a node; none of a leaf."""

    def vectors(self, numbers: Sequence[int]) -> FloatArray:
        """What nodes are compared by, unit rows, shape (len(numbers), d)."""

    def positions(self, numbers: Sequence[int]) -> FloatArray:
        """Metres, shape (len(numbers), 3)."""


@dataclass(frozen=True, slots=True)
class Found:
    """A leaf that was reached.

    Attributes:
        number: Of the leaf.
        weight: 0 to 1.
        path: Numbers from its root to itself.
        weights: Cosine of the query with each node of the path.
    """

    number: int
    weight: float
    path: tuple[int, ...]
    weights: tuple[float, ...]


def descend(
    forest: Descendable,
    query: FloatArray,
    *,
    k: int = 10,
    children: int = CHILDREN,
    beam: int = BEAM,
    near: Vector3 | None = None,
) -> list[Found]:
    """The best leaves that a descent from the top reaches, best first.

    Args:
        forest: The trees.
        query: Unit vector, shape (d,).
        k: How many leaves.
        children: How many of a node's inner children are followed.
        beam: How many nodes of a level are followed in all.
        near: A position, metres; nearer places weigh more.

    Raises:
        DimensionMismatch: The query has another length than the forest's vectors.
    """
    tops = list(forest.tops())
    if not tops:
        return []
    rows = forest.vectors(tops)
    if query.shape != rows.shape[1:]:
        raise DimensionMismatch(f"query has shape {query.shape}; expected {rows.shape[1:]}")
    paths: Paths = {
        top: ((top,), (float(weight),)) for top, weight in zip(tops, rows @ query, strict=True)
    }
    front = _best(tops, rows @ query, beam)
    leaves: list[int] = []
    while front:
        followed: list[int] = []
        for node in front:
            below = list(forest.children(node))
            if not below:
                leaves.append(node)
                continue
            scores = forest.vectors(below) @ query
            for child, weight in zip(below, scores, strict=True):
                before, weights = paths[node]
                paths[child] = ((*before, child), (*weights, float(weight)))
            inner = [bool(forest.children(child)) for child in below]
            leaves += [child for child, more in zip(below, inner, strict=True) if not more]
            followed += _best(
                [child for child, more in zip(below, inner, strict=True) if more],
                scores[np.array(inner)],
                children,
            )
        front = _best(followed, np.array([paths[node][1][-1] for node in followed]), beam)
    return _ranked(forest, leaves, paths, k, near)


def _best(numbers: Sequence[int], scores: FloatArray, most: int) -> list[int]:
    if len(numbers) <= most:
        return list(numbers)
    return [numbers[at] for at in np.argsort(-scores, kind="stable")[:most]]


def _ranked(
    forest: Descendable,
    leaves: list[int],
    paths: Paths,
    k: int,
    near: Vector3 | None,
) -> list[Found]:
    weights = np.clip([paths[leaf][1][-1] for leaf in leaves], 0, 1)
    if near is not None and leaves:
        far = np.linalg.norm(forest.positions(leaves) - np.array(near), axis=1)
        weights = MEANING_SHARE * weights + (1 - MEANING_SHARE) * np.clip(1 - far / REACH_M, 0, 1)
    order = np.argsort(-weights, kind="stable")[:k]
    return [Found(leaves[at], float(weights[at]), *paths[leaves[at]]) for at in order]


class ArrayForest:
    """A forest given as arrays, to descend."""

    def __init__(self, forest: ForestArrays) -> None:
        """Find the children once."""
        self._forest = forest
        self._children = forest.children()
        self._tops: IntArray = np.flatnonzero(forest.parents < 0)

    def tops(self) -> Sequence[int]:
        """See `Descendable.tops`."""
        return [int(top) for top in self._tops]

    def children(self, number: int) -> Sequence[int]:
        """See `Descendable.children`."""
        return self._children[number]

    def vectors(self, numbers: Sequence[int]) -> FloatArray:
        """See `Descendable.vectors`."""
        return self._forest.vectors[list(numbers)]

    def positions(self, numbers: Sequence[int]) -> FloatArray:
        """See `Descendable.positions`."""
        return self._forest.positions[list(numbers)]
