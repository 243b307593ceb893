"""The batch forest against plain agglomeration, written out here, on the campus and by hand."""

from __future__ import annotations

import numpy as np
import pytest

from memory_core.errors import DimensionMismatch
from memory_core.evaluation.forest import read_site
from memory_core.perception.text import HashingEncoder
from memory_core.semantic.forest.reference import build_forest, similarity


def agglomerate(apart, cut):
    """Complete linkage: join the two groups whose farthest members are nearest, up to the cut."""
    apart = apart.astype(np.float64).copy()
    np.fill_diagonal(apart, np.inf)
    groups = {at: [at] for at in range(len(apart))}
    while len(groups) > 1:
        one, other = divmod(int(np.argmin(apart)), len(apart))
        if apart[one, other] > cut:
            break
        groups[one] += groups.pop(other)
        apart[one] = apart[:, one] = np.maximum(apart[one], apart[other])
        apart[other] = apart[:, other] = np.inf
        apart[one, one] = np.inf
    return {frozenset(group) for group in groups.values()}


def published_similarity(positions, vectors, *, block=None):
    far = np.linalg.norm(positions[:, None] - positions[None], axis=2)
    alike = 0.6 * (vectors.astype(np.float64) @ vectors.T) + 0.4 * np.exp(-far / 10)
    if block:
        at = np.arange(len(alike)) // block
        alike[at[:, None] != at[None]] = 0.5
    return alike


def groups_of(forest, level):
    """Nodes of one level as sets of nodes of the level below, numbered from 0."""
    below = np.flatnonzero(forest.levels == level - 1)
    found = {}
    for at, node in enumerate(below):
        found.setdefault(int(forest.parents[node]), set()).add(at)
    return {frozenset(group) for group in found.values()}


@pytest.mark.parametrize("blockwise", (False, True))
def test_every_level_of_the_campus_is_the_plain_agglomeration(real_data, blockwise):
    site = read_site(real_data("campus"))
    n = 1_100  # more than one block
    positions, vectors = site.positions[:n], HashingEncoder().encode(site.texts[:n])
    forest = build_forest(positions, vectors, blockwise=blockwise)
    assert len(forest.sizes) == 5
    for level in range(1, 6):
        below = forest.levels == level - 1
        alike = published_similarity(
            forest.positions[below], forest.vectors[below], block=1_000 if blockwise else None
        )
        assert groups_of(forest, level) == agglomerate(1 - alike, 0.4 * (1 + 0.1 * (level - 1)))


def test_blocks_of_a_thousand_keep_alike_places_apart():
    """Place 0 and place 1,000 are the same; the published defect makes strangers of them."""
    draw = np.random.default_rng(0)
    vectors = draw.normal(size=(1_001, 16)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    positions = draw.uniform(-5_000, 5_000, (1_001, 3))
    vectors[1_000], positions[1_000] = vectors[0], positions[0]
    whole = build_forest(positions, vectors, max_levels=1)
    broken = build_forest(positions, vectors, max_levels=1, blockwise=True)
    assert whole.parents[0] == whole.parents[1_000]
    assert broken.parents[0] != broken.parents[1_000]


def test_a_parent_stands_at_the_mean_and_is_compared_by_its_text():
    encoder = HashingEncoder()
    texts = ["red brick house", "red brick house", "green lawn"]
    positions = np.array([[0.0, 0, 0], [2, 4, 0], [900, 0, 0]])
    forest = build_forest(
        positions, encoder.encode(texts), texts=texts, encode=encoder.encode, max_levels=1,
        summarise=lambda groups: [f"{len(group)} of {group[0]}" for group in groups],
    )  # fmt: skip
    assert forest.texts[3:] == ("2 of red brick house", "1 of green lawn")
    np.testing.assert_array_equal(forest.parents, [3, 3, 4, -1, -1])
    np.testing.assert_allclose(forest.positions[3:], [[1, 2, 0], [900, 0, 0]])
    np.testing.assert_array_equal(forest.vectors[3:], encoder.encode(forest.texts[3:]))


def test_it_stops_below_two_nodes_and_at_five_levels():
    same = np.tile(np.eye(4, dtype=np.float32)[:1], (6, 1))
    assert build_forest(np.zeros((6, 3)), same).sizes == [1]
    far = 1e4 * np.arange(4)[:, None] * np.ones((1, 3))
    assert build_forest(far, np.eye(4, dtype=np.float32)).sizes == [4] * 5
    assert build_forest(np.zeros((1, 3)), same[:1]).sizes == []


def test_similarity_is_the_published_one():
    draw = np.random.default_rng(1)
    positions, vectors = draw.uniform(-30, 30, (20, 3)), draw.normal(size=(20, 8))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    expected = published_similarity(positions, vectors)
    np.testing.assert_allclose(similarity(positions, vectors), expected, atol=1e-6)


def test_unequal_numbers_are_refused():
    with pytest.raises(DimensionMismatch):
        build_forest(np.zeros((2, 3)), np.eye(3, dtype=np.float32))
    with pytest.raises(DimensionMismatch):
        build_forest(np.zeros((3, 3)), np.eye(3, dtype=np.float32), texts=["one"])
