"""What is related to what: entities, places and words in one weighted graph.

A question names a few nodes; personalised PageRank from them (HippoRAG, Gutierrez et al. 2024,
2025) finds what is near to all of them at once, over as many hops as it takes: the lamp that
shares a room with a piano gets weight from the word "lamp" and, through the room, from "piano".
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import numpy as np

from memory_core.types import Fact, FloatArray, IntArray

DAMPING = 0.5
TOLERANCE = 1e-9
MAX_ITERATIONS = 200


class FactGraph:
    """Undirected, weighted; two nodes may be joined by several relations, whose weights add.

    Nodes are named by any text: `entity:3`, `place:7`, `label:lamp`. A node stays once it is
    known; without edges it only keeps what it is given.
    """

    def __init__(self) -> None:
        """Nothing is related to anything."""
        self._number: dict[str, int] = {}
        self._relations: dict[tuple[int, int], dict[str, float]] = {}
        self._walk: tuple[Any, FloatArray] | None = None

    @property
    def nodes(self) -> tuple[str, ...]:
        """All nodes, in the order of the scores."""
        return tuple(self._number)

    def __contains__(self, node: object) -> bool:
        return node in self._number

    def __len__(self) -> int:
        return len(self._number)

    def relations(self, one: str, other: str) -> dict[str, float]:
        """What joins two nodes, with its weights; empty where nothing does."""
        if one not in self._number or other not in self._number:
            return {}
        return dict(self._relations.get(self._edge(one, other), {}))

    def relate(self, one: str, relation: str, other: str, *, weight: float = 1.0) -> None:
        """Join two nodes, or change the weight of their relation.

        Args:
            one: A node; made where it is new.
            relation: Any word; the same pair and word is the same edge.
            other: Another node.
            weight: Positive; 0 takes the edge away.

        Raises:
            ValueError: The weight is negative or not finite, or a node would be joined to itself.
        """
        if not 0 <= weight < float("inf"):
            raise ValueError(f"edge weight {weight}; expected a finite number, at least 0")
        if one == other:
            raise ValueError(f"{one} cannot be related to itself ({relation})")
        for node in (one, other):
            if node not in self._number:
                self._number[node] = len(self._number)
                self._walk = None
        edge = self._edge(one, other)
        known = self._relations.setdefault(edge, {})
        if known.get(relation, 0.0) != weight:
            known[relation] = weight
            self._walk = None
        if weight == 0:
            known.pop(relation, None)
        if not known:
            del self._relations[edge]

    def learn(self, facts: Iterable[Fact]) -> None:
        """Take up facts: those that hold become edges of their confidence, ended ones go."""
        for fact in facts:
            holds = fact.confidence if fact.end_ns is None else 0.0
            self.relate(fact.subject, fact.relation, fact.object, weight=holds)

    def pagerank(
        self,
        seeds: Mapping[str, float],
        *,
        damping: float = DAMPING,
        tolerance: float = TOLERANCE,
    ) -> FloatArray:
        """Where a walker is found who keeps starting again at the seeds.

        Power iteration of p = (1 - damping) s + damping (Wᵀ p + p_dangling s), with W the
        transitions in proportion to the weights (Page et al. 1999; HippoRAG uses damping 0.5).

        Args:
            seeds: Nodes and how much each is meant, at least 0; unknown nodes are passed over.
            damping: Chance to walk on instead of starting again, 0 up to but not 1.
            tolerance: Largest summed change at which it stops.

        Returns:
            One score a node, in the order of `nodes`, summing to 1; zeros where no seed is known.

        Raises:
            ValueError: A seed or the damping is out of range.
        """
        if not 0 <= damping < 1:
            raise ValueError(f"damping {damping}; expected 0 up to but not 1")
        start = np.zeros(len(self._number))
        for node, share in seeds.items():
            if not 0 <= share < float("inf"):
                raise ValueError(f"seed {node} has weight {share}; expected at least 0")
            if node in self._number:
                start[self._number[node]] = share
        if not start.any():
            return start
        start /= start.sum()
        walk, dangling = self._transitions()
        scores = start
        for _ in range(MAX_ITERATIONS):
            lost = float(scores @ dangling)
            following = (1 - damping + damping * lost) * start + damping * (walk @ scores)
            moved = float(np.abs(following - scores).sum())
            scores = following
            if moved < tolerance:
                break
        return np.asarray(scores / scores.sum())

    def ranked(
        self, seeds: Mapping[str, float], among: Collection[str], *, damping: float = DAMPING
    ) -> list[tuple[str, float]]:
        """Some nodes by falling score from the seeds, equals in the order given.

        Args:
            seeds: See `pagerank`.
            among: Nodes that can be the answer; unknown ones score 0.
            damping: See `pagerank`.
        """
        scores = self.pagerank(seeds, damping=damping)
        found = [
            (node, float(scores[self._number[node]]) if node in self._number else 0.0)
            for node in among
        ]
        return sorted(found, key=lambda item: -item[1])

    def _edge(self, one: str, other: str) -> tuple[int, int]:
        first, second = self._number[one], self._number[other]
        return min(first, second), max(first, second)

    def _transitions(self) -> tuple[Any, FloatArray]:
        """Column-stochastic matrix of the walk, and 1 for every node without edges."""
        if self._walk is None:
            from scipy.sparse import csr_matrix

            size, edges = len(self._number), len(self._relations)
            ends: IntArray = np.fromiter(
                (node for edge in self._relations for node in edge), np.int64, 2 * edges
            ).reshape(-1, 2)
            weights = np.fromiter(
                (sum(known.values()) for known in self._relations.values()), np.float64, edges
            )
            one, other = ends.T
            strength = np.bincount(one, weights, size) + np.bincount(other, weights, size)
            columns, rows = np.concatenate([one, other]), np.concatenate([other, one])
            shares = np.concatenate([weights, weights]) / strength[columns]
            self._walk = (
                csr_matrix((shares, (rows, columns)), shape=(size, size)),
                (strength == 0).astype(np.float64),
            )
        return self._walk
