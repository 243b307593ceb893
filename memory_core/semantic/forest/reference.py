"""The published batch forest: complete linkage, level by level (Embodied-RAG, Xie et al. 2024).

Every level is clustered from all nodes of the level below, which takes O(n²) and has to be done
again for every new batch. It is the measure of `SemanticForest`, which grows instead.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from memory_core.errors import DimensionMismatch
from memory_core.types import Encode, FloatArray, IntArray

MEANING = 0.6
SPACE = 0.4
SCALE_M = 10.0
CUT = 0.4
CUT_GROWTH = 0.1
MAX_LEVELS = 5
BLOCK = 1_000
NEUTRAL = 0.5

Summarise = Callable[[Sequence[Sequence[str]]], Sequence[str]]


@dataclass(frozen=True, slots=True)
class ForestArrays:
    """A forest as arrays; nodes 0 to n - 1 are the leaves, a parent comes after its children.

    Attributes:
        parents: Shape (nodes,), -1 at a root.
        vectors: What a node is compared by, unit rows, shape (nodes, d).
        positions: Metres, shape (nodes, 3).
        levels: Shape (nodes,), 0 for leaves.
        texts: Of each node; empty where none were given.
    """

    parents: IntArray
    vectors: FloatArray
    positions: FloatArray
    levels: IntArray
    texts: tuple[str, ...] = ()

    @property
    def leaves(self) -> int:
        """How many."""
        return int((self.levels == 0).sum())

    @property
    def sizes(self) -> list[int]:
        """Nodes on each level, bottom up, without the leaves."""
        return [int(n) for n in np.bincount(self.levels)[1:]]

    def children(self) -> list[list[int]]:
        """Of each node."""
        found: list[list[int]] = [[] for _ in self.parents]
        for node, parent in enumerate(self.parents):
            if parent >= 0:
                found[parent].append(node)
        return found


def similarity(positions: FloatArray, vectors: FloatArray) -> FloatArray:
    """0.6 of the cosine and 0.4 of exp(-distance / 10 m), between all pairs.

    Args:
        positions: Metres, shape (n, 3).
        vectors: Unit rows, shape (n, d).

    Returns:
        Shape (n, n), float64, symmetric.
    """
    near = np.exp(-_distances(positions) / SCALE_M)
    rows = np.asarray(vectors, np.float64)  # the cut must not hang on how a machine rounds
    return np.asarray(MEANING * (rows @ rows.T) + SPACE * near)


def _distances(positions: FloatArray) -> FloatArray:
    from scipy.spatial.distance import cdist

    points = np.asarray(positions, np.float64)
    return np.asarray(cdist(points, points))


def build_forest(
    positions: FloatArray,
    embeddings: FloatArray,
    *,
    texts: Sequence[str] = (),
    summarise: Summarise | None = None,
    encode: Encode | None = None,
    blockwise: bool = False,
    max_levels: int = MAX_LEVELS,
) -> ForestArrays:
    """Build the forest of the published method.

    Level L joins the nodes of level L - 1 by complete linkage of 1 - similarity, cut at
    0.4 · (1 + 0.1 (L - 1)); a parent stands at the mean position of its members. It stops at
    `max_levels`, or where fewer than two nodes are left.

    Args:
        positions: Of the places, metres, shape (n, 3).
        embeddings: Of their texts, unit rows, shape (n, d).
        texts: Of the places; needed with `summarise`.
        summarise: From the texts of each parent's members, all parents of a level, to the
            parents' texts; the published method asks a language model.
        encode: Texts to unit rows: a parent is compared by its text. Without it and `summarise`,
            by the mean of its members' embeddings.
        blockwise: Also reproduce the published defect: similarities between blocks of 1,000
            nodes are not computed but set to 0.5.
        max_levels: How many levels above the leaves.

    Raises:
        DimensionMismatch: Positions, embeddings and texts are not equally many.
    """
    points, rows = np.asarray(positions, np.float64), np.asarray(embeddings, np.float32)
    words = list(texts)
    if points.shape != (len(rows), 3) or rows.ndim != 2 or len(words) not in (0, len(rows)):
        raise DimensionMismatch(
            f"expected n x 3 positions and n embeddings (and texts); came {points.shape}, "
            f"{rows.shape}, {len(words)} texts"
        )
    parents, levels = [-1] * len(rows), [0] * len(rows)
    below = np.arange(len(rows))
    for level in range(1, max_levels + 1):
        if len(below) < 2:
            break
        groups = _cluster(points[below], rows[below], level=level, blockwise=blockwise)
        first = len(parents)
        members = [below[groups == group] for group in range(int(groups.max()) + 1)]
        for number, inside in enumerate(members):
            for node in inside:
                parents[node] = first + number
        centres = np.array([points[inside].mean(axis=0) for inside in members])
        if summarise is not None and encode is not None:
            new = list(summarise([[words[node] for node in inside] for inside in members]))
            words += new
            above = np.asarray(encode(new), np.float32)
        else:
            above = np.array([_unit(rows[inside].mean(axis=0)) for inside in members], np.float32)
        points, rows = np.concatenate([points, centres]), np.concatenate([rows, above])
        parents += [-1] * len(members)
        levels += [level] * len(members)
        below = np.arange(first, len(parents))
    return ForestArrays(np.array(parents), rows, points, np.array(levels), tuple(words))


def _cluster(
    positions: FloatArray, vectors: FloatArray, *, level: int, blockwise: bool
) -> IntArray:
    """The group of each node, numbered by first member, shape (n,)."""
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import squareform

    alike = similarity(positions, vectors)
    if blockwise:
        block = np.arange(len(alike)) // BLOCK
        alike[block[:, None] != block[None]] = NEUTRAL
    apart = np.clip(1 - alike, 0, None)
    np.fill_diagonal(apart, 0)
    merges = linkage(squareform((apart + apart.T) / 2, checks=False), method="complete")
    groups = fcluster(merges, CUT * (1 + CUT_GROWTH * (level - 1)), criterion="distance")
    _, first, index = np.unique(groups, return_index=True, return_inverse=True)
    rank = np.empty(len(first), np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return np.asarray(rank[index])


def _unit(vector: FloatArray) -> FloatArray:
    length = float(np.linalg.norm(vector))
    return vector / length if length > 0 else vector
