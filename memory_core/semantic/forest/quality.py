"""How good a tree is: Dasgupta's cost (2016) and how alike the members of a node are."""

from __future__ import annotations

import numpy as np

from memory_core.semantic.forest.reference import MEANING, SCALE_M, SPACE, ForestArrays, similarity
from memory_core.types import FloatArray, IntArray

EXACT_UP_TO = 4_000


def dasgupta_cost(forest: ForestArrays, *, pairs: int = 1_000_000, seed: int = 0) -> float:
    """Sum over pairs of leaves of their similarity times the leaves under their lowest ancestor.

    Pairs that meet nowhere meet in a root above all. Exact up to 4,000 leaves, beyond that
    estimated from pairs drawn at random.

    Args:
        forest: The tree.
        pairs: How many are drawn.
        seed: Of the drawing.
    """
    if forest.leaves <= EXACT_UP_TO:
        return _exact(forest)
    return _sampled(forest, pairs, seed)


def within_similarity(forest: ForestArrays) -> list[float]:
    """Mean similarity of pairs of leaves in the same node, level by level, bottom up; exact.

    It takes O(n²) memory: up to some thousands of leaves. A level without pairs has 1.
    """
    order, spans = _depth_first(forest)
    inside = _inside(forest, order, spans)
    sizes = spans[:, 1] - spans[:, 0]
    pairs = sizes * (sizes - 1) // 2
    return [
        float(inside[at].sum() / pairs[at].sum()) if pairs[at].any() else 1.0
        for at in (forest.levels == level for level in range(1, int(forest.levels.max()) + 1))
    ]


def linkage_tree(forest: ForestArrays) -> ForestArrays:
    """The whole dendrogram over a forest's leaves: complete linkage without any cut.

    Binary, so that no cost comes from wide nodes: the strictest measure of another tree.
    """
    from scipy.cluster.hierarchy import linkage
    from scipy.spatial.distance import squareform

    n = forest.leaves
    apart = np.clip(1 - similarity(forest.positions[:n], forest.vectors[:n]), 0, None)
    np.fill_diagonal(apart, 0)
    merges = linkage(squareform((apart + apart.T) / 2, checks=False), method="complete")
    parents = np.full(2 * n - 1, -1)
    levels = np.zeros(2 * n - 1, np.int64)
    for step, (left, right) in enumerate(merges[:, :2].astype(int)):
        parents[[left, right]] = n + step
        levels[n + step] = 1 + max(levels[left], levels[right])
    filled = np.zeros((n - 1, forest.vectors.shape[1]), np.float32)
    return ForestArrays(
        parents,
        np.concatenate([forest.vectors[:n], filled]),
        np.concatenate([forest.positions[:n], np.zeros((n - 1, 3))]),
        levels,
    )


def _exact(forest: ForestArrays) -> float:
    order, spans = _depth_first(forest)
    n = forest.leaves
    tops, below = forest.parents < 0, forest.parents >= 0
    inside = _inside(forest, order, np.concatenate([spans, [[0, n]]]))
    everything, inside = inside[-1], inside[:-1]
    covered = np.bincount(forest.parents[below], inside[below], minlength=len(inside))
    sizes = spans[:, 1] - spans[:, 0]
    cost = n * (everything - inside[tops].sum())
    return float(cost + (sizes * (inside - covered))[forest.levels > 0].sum())


def _depth_first(forest: ForestArrays) -> tuple[IntArray, IntArray]:
    """Leaves in an order in which every node's are neighbours, and where each node's lie."""
    children = forest.children()
    spans = np.zeros((len(children), 2), np.int64)
    order: list[int] = []
    stack = [(int(root), False) for root in np.flatnonzero(forest.parents < 0)[::-1]]
    while stack:
        node, done = stack.pop()
        if done:
            spans[node, 1] = len(order)
            continue
        spans[node, 0] = len(order)
        if forest.levels[node] == 0:
            order.append(node)
        stack.append((node, True))
        stack.extend((child, False) for child in reversed(children[node]))
    return np.array(order), spans


def _inside(forest: ForestArrays, order: IntArray, spans: IntArray) -> FloatArray:
    """Summed similarity of the pairs inside each stretch of the order, shape (len(spans),)."""
    alike = similarity(forest.positions[order], forest.vectors[order])
    np.fill_diagonal(alike, 0)
    sums = np.zeros((len(order) + 1, len(order) + 1))
    np.cumsum(alike, axis=1, out=sums[1:, 1:])
    np.cumsum(sums, axis=0, out=sums)
    low, high = spans.T
    corners = sums[high, high] - sums[low, high] - sums[high, low] + sums[low, low]
    return np.asarray(corners / 2)


def _sampled(forest: ForestArrays, pairs: int, seed: int) -> float:
    n = forest.leaves
    draw = np.random.default_rng(seed)
    left = draw.integers(0, n, pairs)
    right = (left + draw.integers(1, n, pairs)) % n
    far = np.linalg.norm(forest.positions[left] - forest.positions[right], axis=1)
    cosine = np.concatenate(
        [
            np.einsum("ij,ij->i", forest.vectors[left[i : i + 50_000]], forest.vectors[right[i : i + 50_000]])
            for i in range(0, pairs, 50_000)
        ]
    )  # fmt: skip
    weights = MEANING * cosine + SPACE * np.exp(-far / SCALE_M)
    return float((weights * _meeting_sizes(forest, left, right)).mean() * n * (n - 1) / 2)


def _meeting_sizes(forest: ForestArrays, left: IntArray, right: IntArray) -> IntArray:
    """Leaves under the lowest common ancestor of each pair; all of them where there is none."""
    order, spans = _depth_first(forest)
    where = np.empty(forest.leaves, np.int64)
    where[order] = np.arange(len(order))
    sizes = np.full(len(left), forest.leaves)
    node, open_ = left.copy(), np.ones(len(left), bool)
    while open_.any():
        node[open_] = forest.parents[node[open_]]
        open_ &= node >= 0
        inside = open_ & (spans[node, 0] <= where[right]) & (where[right] < spans[node, 1])
        sizes[inside] = (spans[node, 1] - spans[node, 0])[inside]
        open_ &= ~inside
    return sizes
