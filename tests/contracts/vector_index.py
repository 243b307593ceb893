"""What every `VectorIndex` promises. A test class inherits it and says how to make one."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest

from memory_core.episodic.vectors import VectorIndex
from memory_core.errors import DimensionMismatch

ROUNDING = 2e-3  # of float16 vectors, in a cosine


def directions(rows: int, dimension: int, *, seed: int) -> Any:
    """Unit vectors that float16 holds exactly enough, shape (rows, dimension)."""
    vectors = np.random.default_rng(seed).normal(size=(rows, dimension))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors.astype(np.float16)


def cosines(vectors: Any, query: Any) -> Any:
    """Brute force in float64, shape (rows,)."""
    query = np.asarray(query, np.float64)
    return np.asarray(vectors, np.float64) @ (query / np.linalg.norm(query))


def expected(rowids: Any, vectors: Any, query: Any, k: int) -> list[int]:
    """The k best rowids by brute force; ties by rowid."""
    scores = cosines(vectors, query)
    ranked = sorted(range(len(rowids)), key=lambda place: (-scores[place], rowids[place]))
    return [int(rowids[place]) for place in ranked[:k]]


class VectorIndexContract:
    """Inherit, and give `make`."""

    dimension = 16

    def make(self, dimension: int) -> VectorIndex:
        raise NotImplementedError

    @pytest.fixture
    def index(self) -> VectorIndex:
        return self.make(self.dimension)

    def assert_best(self, hits: Any, rowids: Any, vectors: Any, query: Any, k: int) -> None:
        """Hits are the k best: right scores, falling, none better left out, none twice."""
        rowids = np.asarray(rowids)
        truth = dict(zip(rowids.tolist(), cosines(vectors, query).tolist(), strict=True))
        found = hits.rowids.tolist()
        assert len(found) == len(set(found)) == min(k, len(rowids))
        assert set(found) <= set(truth)
        assert np.allclose(hits.scores, [truth[row] for row in found], atol=ROUNDING)
        assert all(a >= b for a, b in zip(hits.scores, hits.scores[1:], strict=False))
        best = sorted(truth.values(), reverse=True)[: len(found)]
        assert np.allclose(hits.scores, best, atol=ROUNDING)

    def test_it_is_a_vector_index(self, index):
        assert isinstance(index, VectorIndex)
        assert index.dimension == self.dimension

    def test_an_empty_index_finds_nothing(self, index):
        query = directions(1, self.dimension, seed=1)[0]
        assert len(index) == 0
        assert len(index.search(query, 5).rowids) == 0
        assert len(index.search(query, 5, allowed=np.array([1, 2])).rowids) == 0
        index.remove(np.array([1]))
        assert len(index) == 0

    @pytest.mark.parametrize("k", [1, 7, 300, 1000])
    def test_search_finds_the_k_nearest(self, index, k):
        vectors = directions(700, self.dimension, seed=2)
        rowids = np.arange(1, 701)
        index.add(rowids, vectors)
        for query in directions(10, self.dimension, seed=3):
            self.assert_best(index.search(query, k), rowids, vectors, query, k)

    def test_a_query_of_any_length_gives_cosines(self, index):
        vectors = directions(50, self.dimension, seed=4)
        index.add(np.arange(1, 51), vectors)
        hits = index.search(vectors[7].astype(np.float32) * 40, 1)
        assert hits.rowids.tolist() == [8]
        assert hits.scores[0] == pytest.approx(1, abs=ROUNDING)

    @pytest.mark.parametrize("gaps", [False, True])
    @pytest.mark.parametrize("share", [0.01, 0.3, 1.0])
    def test_search_stays_within_what_is_allowed(self, index, gaps, share):
        chance = np.random.default_rng(5)
        vectors = directions(900, self.dimension, seed=6)
        rowids = np.arange(10, 910) if not gaps else np.sort(chance.choice(5000, 900, False)) + 1
        index.add(rowids, vectors)
        inside = np.flatnonzero(chance.random(900) < share)
        query = directions(1, self.dimension, seed=7)[0]
        hits = index.search(query, 25, allowed=rowids[inside])
        self.assert_best(hits, rowids[inside], vectors[inside], query, 25)

    @pytest.mark.parametrize("gaps", [False, True])
    def test_unknown_rowids_among_the_allowed_are_passed_over(self, index, gaps):
        rowids = np.arange(100, 200) * (3 if gaps else 1)
        vectors = directions(100, self.dimension, seed=8)
        index.add(rowids, vectors)
        allowed = np.unique(np.concatenate([rowids[20:30], np.arange(-5, 1000, 97)]))
        known = np.isin(rowids, allowed)
        query = directions(1, self.dimension, seed=9)[0]
        hits = index.search(query, 100, allowed=allowed)
        self.assert_best(hits, rowids[known], vectors[known], query, 100)

    def test_nothing_allowed_finds_nothing(self, index):
        index.add(np.arange(1, 51), directions(50, self.dimension, seed=10))
        query = directions(1, self.dimension, seed=11)[0]
        assert len(index.search(query, 5, allowed=np.empty(0, np.int64)).rowids) == 0

    @pytest.mark.parametrize("gaps", [False, True])
    def test_removed_vectors_are_not_found_again(self, index, gaps):
        rowids = np.arange(1, 401) * (2 if gaps else 1)
        vectors = directions(400, self.dimension, seed=12)
        index.add(rowids, vectors)
        gone = np.concatenate([rowids[::3], [7_777, 9_999]])
        index.remove(gone)
        index.remove(rowids[:1])  # a second time
        left = ~np.isin(rowids, gone)
        assert len(index) == int(left.sum())
        query = vectors[0].astype(np.float32)
        self.assert_best(index.search(query, 500), rowids[left], vectors[left], query, 500)
        hits = index.search(query, 500, allowed=rowids[:50])
        self.assert_best(hits, rowids[:50][left[:50]], vectors[:50][left[:50]], query, 500)

    def test_vectors_added_after_a_removal_are_found(self, index):
        vectors = directions(60, self.dimension, seed=13)
        index.add(np.arange(1, 31), vectors[:30])
        index.remove(np.array([3, 4]))
        index.add(np.arange(40, 70), vectors[30:])
        rowids = np.concatenate([np.arange(1, 31), np.arange(40, 70)])
        left = ~np.isin(rowids, [3, 4])
        assert len(index) == 58
        query = vectors[50].astype(np.float32)
        self.assert_best(index.search(query, 60), rowids[left], vectors[left], query, 60)

    def test_equal_vectors_share_a_score_and_come_by_rowid(self, index):
        one, other = directions(2, self.dimension, seed=14)
        index.add(np.arange(1, 41), np.array([one] * 20 + [other] * 20))
        hits = index.search(one, 20)
        assert hits.rowids.tolist() == list(range(1, 21))
        assert len(set(hits.scores.tolist())) == 1

    @pytest.mark.parametrize("wrong", [15, 17, 1])
    def test_vectors_of_another_length_are_refused(self, index, wrong):
        vectors = directions(4, self.dimension, seed=15)
        index.add(np.arange(1, 5), vectors)
        with pytest.raises(DimensionMismatch):
            index.add(np.array([5]), directions(1, wrong, seed=16))
        with pytest.raises(DimensionMismatch):
            index.add(np.array([5]), vectors[0])
        with pytest.raises(DimensionMismatch):
            index.search(directions(1, wrong, seed=17)[0], 1)
        assert len(index) == 4
        assert len(index.search(vectors[0], 10).rowids) == 4

    def test_a_search_beside_an_adding_thread_sees_whole_rows(self, index):
        vectors = directions(6_000, self.dimension, seed=18)
        query = directions(1, self.dimension, seed=19)[0]
        truth = cosines(vectors, query)
        added, problems = threading.Event(), []

        def add() -> None:
            try:
                for start in range(0, 6_000, 40):
                    index.add(np.arange(start + 1, start + 41), vectors[start : start + 40])
            finally:
                added.set()

        adder = threading.Thread(target=add)
        adder.start()
        searches, seen = 0, 0
        while not added.is_set() or not searches:
            hits = index.search(query, 6_000)
            searches += 1
            if len(hits.rowids) < seen or len(hits.rowids) % 40:
                problems.append(f"{len(hits.rowids)} rows after {seen}")
            if not np.allclose(hits.scores, truth[hits.rowids - 1], atol=ROUNDING):
                problems.append("a row was scored before it was whole")
            seen = len(hits.rowids)
        adder.join()
        assert problems == []
        self.assert_best(index.search(query, 10), np.arange(1, 6_001), vectors, query, 10)
