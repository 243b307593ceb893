"""Dasgupta's cost against its definition, and descents against looking at everything."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from memory_core.errors import DimensionMismatch
from memory_core.semantic.forest import quality
from memory_core.semantic.forest.incremental import SemanticForest
from memory_core.semantic.forest.nodes import Leaf
from memory_core.semantic.forest.quality import dasgupta_cost, linkage_tree, within_similarity
from memory_core.semantic.forest.reference import ForestArrays, build_forest
from memory_core.semantic.forest.retrieval import ArrayForest, descend


def places(n, *, seed=0, dimension=16):
    draw = np.random.default_rng(seed)
    vectors = draw.normal(size=(n, dimension)) + 0.7
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return draw.uniform(-30, 30, (n, 3)), vectors.astype(np.float32)


def similarity_of(forest, i, j):
    far = np.linalg.norm(forest.positions[i] - forest.positions[j])
    return 0.6 * float(forest.vectors[i] @ forest.vectors[j]) + 0.4 * np.exp(-far / 10)


def ancestors(forest, node):
    found = []
    while node >= 0:
        found.append(int(node))
        node = forest.parents[node]
    return found


def cost_by_definition(forest):
    leaves = range(forest.leaves)
    under = {}
    for leaf in leaves:
        for node in ancestors(forest, leaf):
            under[node] = under.get(node, 0) + 1
    cost = 0.0
    for i, j in itertools.combinations(leaves, 2):
        common = [node for node in ancestors(forest, i) if node in set(ancestors(forest, j))]
        cost += similarity_of(forest, i, j) * (under[common[0]] if common else forest.leaves)
    return cost


def grown(positions, vectors, *, trees=1):
    forest = SemanticForest(vectors.shape[1])
    for at, (position, vector) in enumerate(zip(positions, vectors, strict=True)):
        forest.add(Leaf(str(at), vector, tuple(position)), tree=str(at % trees))
        forest.rebalance(1)
    return forest


@pytest.mark.parametrize("kind", ("published", "growing", "two trees", "uncut"))
def test_the_cost_is_its_definition(kind):
    positions, vectors = places(60)
    published = build_forest(positions, vectors)
    forest = {
        "published": published,
        "growing": grown(positions, vectors).arrays()[0],
        "two trees": grown(positions, vectors, trees=2).arrays()[0],
        "uncut": linkage_tree(published),
    }[kind]
    assert dasgupta_cost(forest) == pytest.approx(cost_by_definition(forest), rel=1e-5)


def test_all_binary_trees_over_equals_cost_the_same():
    """Dasgupta 2016, theorem 3: (n³ - n) / 3 for a clique of unit weights."""
    n = 32
    positions, vectors = np.zeros((n, 3)), np.tile(np.eye(4, dtype=np.float32)[0], (n, 1))
    chain = np.array([32, *range(32, 63), *range(33, 63), -1])
    levels = np.array([0] * n + list(range(1, n)))
    filled = [
        np.concatenate([part, np.zeros((n - 1, part.shape[1]))]) for part in (vectors, positions)
    ]
    caterpillar = ForestArrays(chain, *filled, levels)
    for tree in (caterpillar, linkage_tree(build_forest(positions, vectors))):
        assert dasgupta_cost(tree) == pytest.approx((n**3 - n) / 3, rel=1e-5)


def test_a_drawn_estimate_is_close_to_the_exact_cost(monkeypatch):
    forest = grown(*places(300), trees=2).arrays()[0]
    exact = dasgupta_cost(forest)
    monkeypatch.setattr(quality, "EXACT_UP_TO", 10)
    drawn = dasgupta_cost(forest, pairs=200_000, seed=1)
    assert drawn == pytest.approx(exact, rel=0.01)
    assert drawn != exact
    assert drawn == dasgupta_cost(forest, pairs=200_000, seed=1)


def test_within_similarity_is_the_mean_over_pairs():
    forest = build_forest(*places(50))
    for level in (1, 2):
        pairs = [
            similarity_of(forest, i, j)
            for i, j in itertools.combinations(range(50), 2)
            if ancestors(forest, i)[level] == ancestors(forest, j)[level]
        ]
        expected = np.mean(pairs) if pairs else 1.0
        assert within_similarity(forest)[level - 1] == pytest.approx(expected, rel=1e-5)


def test_a_descent_that_follows_everything_finds_what_brute_force_finds():
    positions, vectors = places(200, seed=4)
    forest = grown(positions, vectors, trees=3)
    query = places(1, seed=9)[1][0]
    found = descend(forest, query, k=5, children=100, beam=10_000)
    best = np.argsort(-(vectors @ query))[:5]
    assert [forest.row(item.number).payload for item in found] == [str(at) for at in best]
    assert [item.weight for item in found] == pytest.approx((vectors @ query)[best], abs=1e-5)


@pytest.mark.parametrize("batch", (True, False))
def test_every_find_carries_its_path_and_weights(batch):
    positions, vectors = places(120, seed=4)
    published = build_forest(positions, vectors)
    growing = grown(positions, vectors)
    forest = ArrayForest(published) if batch else growing
    found = descend(forest, vectors[17], k=3)
    assert found[0].weight == pytest.approx(1, abs=1e-5)
    for item in found:
        expected = (
            tuple(ancestors(published, item.number))[::-1] if batch else growing.path(item.number)
        )
        assert item.path == expected
        cosines = [float(forest.vectors([node])[0] @ vectors[17]) for node in item.path]
        assert item.weights == pytest.approx(cosines, abs=1e-5)


def test_a_position_weighs_as_published():
    positions, vectors = places(30, seed=2)
    forest = grown(positions, vectors)
    found = descend(forest, vectors[0], k=30, children=100, beam=1_000, near=(10.0, 0.0, 0.0))
    for item in found:
        at = int(forest.row(item.number).payload)
        far = np.linalg.norm(positions[at] - [10, 0, 0])
        meaning = max(0.0, float(vectors[at] @ vectors[0]))
        assert item.weight == pytest.approx(0.7 * meaning + 0.3 * max(0, 1 - far / 500), abs=1e-5)


def test_an_empty_forest_finds_nothing_and_a_wrong_query_is_refused():
    assert descend(SemanticForest(4), np.ones(4, np.float32)) == []
    with pytest.raises(DimensionMismatch):
        descend(grown(*places(5)), np.ones(3, np.float32))
