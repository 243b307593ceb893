"""The vector indexes: one contract, three implementations, and the lists' recall."""

from __future__ import annotations

import logging

import numpy as np
import pytest
from contracts.vector_index import VectorIndexContract, cosines, directions, expected

from memory_core.episodic.gpu import FaissGpuIndex, FallingBackIndex, gpu_available
from memory_core.episodic.vectors import CpuIndex, best, half_dot
from memory_core.errors import NotInstalled

ROWS = 30_000
LONG = 48


class TestCpuIndexInMemory(VectorIndexContract):
    def make(self, dimension):
        return CpuIndex(dimension)


class TestCpuIndexInAFile(VectorIndexContract):
    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path):
        self.path = tmp_path / "vectors.f16"

    def make(self, dimension):
        return CpuIndex(dimension, path=self.path)

    def test_a_file_that_was_written_can_be_opened_again(self):
        vectors = directions(300, 16, seed=40)
        self.make(16).add(np.arange(1, 301), vectors)
        again = CpuIndex(16, path=self.path, rowids=np.arange(1, 301))
        assert again.search(vectors[99], 1).rowids.tolist() == [100]


class TestFaissGpuIndex(VectorIndexContract):
    @pytest.fixture(autouse=True)
    def _gpu(self):
        if not gpu_available():
            pytest.skip("needs an NVIDIA GPU, faiss-gpu and torch with CUDA")

    def make(self, dimension):
        return FaissGpuIndex(dimension)


class TestFallingBackIndexThatNeverFails(VectorIndexContract):
    def make(self, dimension):
        return FallingBackIndex(CpuIndex(dimension), CpuIndex(dimension))


class FailingIndex(CpuIndex):
    """Stands for a GPU whose driver gives up at the n-th call."""

    def __init__(self, dimension, *, calls):
        super().__init__(dimension)
        self.calls = calls

    def _count(self):
        self.calls -= 1
        if self.calls < 0:
            raise RuntimeError("CUDA error: device lost")

    def add(self, rowids, vectors):
        self._count()
        super().add(rowids, vectors)

    def remove(self, rowids):
        self._count()
        super().remove(rowids)

    def search(self, query, k, *, allowed=None, probe=None):
        self._count()
        return super().search(query, k, allowed=allowed)


class TestFallingBackIndexThatFailedAtOnce(VectorIndexContract):
    def make(self, dimension):
        return FallingBackIndex(FailingIndex(dimension, calls=0), CpuIndex(dimension))


class TestFallingBackIndexThatFailsLater(VectorIndexContract):
    def make(self, dimension):
        return FallingBackIndex(FailingIndex(dimension, calls=2), CpuIndex(dimension))


@pytest.mark.parametrize("calls", [0, 1, 2, 3])
def test_a_gpu_that_fails_is_left_with_a_warning_and_counted_once(calls, caplog):
    index = FallingBackIndex(FailingIndex(8, calls=calls), CpuIndex(8))
    vectors = directions(40, 8, seed=20)
    with caplog.at_level(logging.WARNING):
        index.add(np.arange(1, 41), vectors)
        index.remove(np.array([5]))
        first = index.search(vectors[6], 3)
        assert index.on_gpu == (calls == 3)
        second = index.search(vectors[6], 3)
    wanted = expected(np.delete(np.arange(1, 41), 4), np.delete(vectors, 4, axis=0), vectors[6], 3)
    assert first.rowids.tolist() == second.rowids.tolist() == wanted
    assert index.failures == 1
    assert not index.on_gpu
    assert sum("GPU index failed" in record.message for record in caplog.records) == 1


def test_a_gpu_index_takes_over_what_the_cpu_holds_and_what_it_lost():
    safe, vectors = CpuIndex(8), directions(40, 8, seed=21)
    safe.add(np.arange(1, 41), vectors)
    safe.remove(np.array([7]))
    index = FallingBackIndex(CpuIndex(8), safe)
    assert index.on_gpu
    assert len(index) == 39
    assert 7 not in index.search(vectors[6], 40).rowids.tolist()


def test_more_neighbours_than_a_gpu_can_rank_come_from_the_cpu():
    index = FallingBackIndex(FailingIndex(8, calls=1), CpuIndex(8))
    vectors = directions(3_000, 8, seed=22)
    index.add(np.arange(1, 3_001), vectors)
    assert len(index.search(vectors[0], 3_000).rowids) == 3_000
    assert index.on_gpu
    assert index.failures == 0


@pytest.mark.skipif(gpu_available(), reason="this machine has a GPU")
def test_a_gpu_index_without_a_gpu_names_the_line_that_installs_it():
    with pytest.raises(NotInstalled, match="pip install"):
        FaissGpuIndex(8)


def test_half_dot_equals_a_float64_product():
    rows = directions(500, 33, seed=23)
    rows[0, :4] = [0.0, -0.0, 6e-8, -6e-8]  # zeros and the smallest subnormals
    query = directions(1, 33, seed=24)[0].astype(np.float32)
    scratch, out = np.empty((500, 33), np.int32), np.empty(500, np.float32)
    half_dot(rows.view(np.int16), query, scratch, out)
    assert np.allclose(out, rows.astype(np.float64) @ query.astype(np.float64), atol=1e-6)


@pytest.mark.parametrize("k", [0, 1, 3, 5, 10, 11])
def test_best_breaks_ties_by_place_even_at_the_cut(k):
    scores = np.array([3, 1, 3, 2, 2, 3, 2, 2, 1, 0], np.float32)
    order = sorted(range(len(scores)), key=lambda place: (-scores[place], place))
    assert best(scores, k).tolist() == order[:k]


# -- lists ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def clustered():
    """30,000 vectors in 300 clouds, as sentences about a house lie, and queries near them."""
    pytest.importorskip("faiss", reason="lists are trained by faiss")
    chance = np.random.default_rng(25)
    centres = chance.normal(size=(300, LONG))
    vectors = centres[chance.integers(300, size=ROWS)] + 0.6 * chance.normal(size=(ROWS, LONG))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    queries = vectors[chance.choice(ROWS, 40, False)] + 0.05 * chance.normal(size=(40, LONG))
    return vectors.astype(np.float16), queries.astype(np.float32)


@pytest.fixture(scope="module")
def trained(clustered):
    """An index with small limits, so that lists are really used."""
    vectors, _ = clustered
    index = CpuIndex(LONG, exact_rows=2_000, probe_rows=4_000)
    index.add(np.arange(1, ROWS - 1_999), vectors[: ROWS - 2_000])
    assert index.wants_training()
    index.train()
    index.add(np.arange(ROWS - 1_999, ROWS + 1), vectors[ROWS - 2_000 :])  # a tail
    assert index.lists is not None
    assert not index.wants_training()
    assert index.tail == 2_000
    return index


def recall_at_10(index, clustered, allowed):
    vectors, queries = clustered
    held = np.arange(1, ROWS + 1) if allowed is None else allowed
    found = 0
    for query in queries:
        scores = cosines(vectors[held - 1], query)
        worst_of_ten = np.sort(scores)[-10]
        hits = index.search(query, 10, allowed=allowed)
        assert len(hits.rowids) == 10
        truth = cosines(vectors[hits.rowids - 1], query)
        assert np.allclose(hits.scores, truth, atol=2e-3)
        found += int((truth >= worst_of_ten - 1e-6).sum())
    return found / (10 * len(queries))


@pytest.mark.parametrize("share", [None, 0.9, 0.5, 0.2, 0.05, 0.001])
def test_lists_find_99_of_100_nearest_under_a_random_filter(trained, clustered, share):
    chance = np.random.default_rng(26)
    allowed = None if share is None else np.flatnonzero(chance.random(ROWS) < share) + 1
    assert recall_at_10(trained, clustered, allowed) >= 0.99


@pytest.mark.parametrize("rows", [300, 3_000, 15_000])
def test_lists_find_99_of_100_nearest_under_a_filter_on_time(trained, clustered, rows):
    assert recall_at_10(trained, clustered, np.arange(8_001, 8_001 + rows)) >= 0.99


def test_lists_find_99_of_100_nearest_with_the_limits_of_real_memories(clustered):
    vectors, _ = clustered
    index = CpuIndex(LONG)
    index.add(np.arange(1, ROWS + 1), vectors)
    index.train()
    assert recall_at_10(index, clustered, None) >= 0.99


def test_rows_absorbed_into_lists_are_found(clustered):
    vectors, queries = clustered
    index = CpuIndex(LONG, exact_rows=2_000, probe_rows=4_000)
    index.add(np.arange(1, 20_001), vectors[:20_000])
    index.train()
    index.add(np.arange(20_001, ROWS + 1), vectors[20_000:])
    assert index.tail == 10_000
    index.absorb()
    assert index.tail == 0
    assert recall_at_10(index, (vectors, queries), None) >= 0.99


def test_all_neighbours_of_a_list_index_can_be_asked_for(trained, clustered):
    _, queries = clustered
    assert len(trained.search(queries[0], ROWS).rowids) == ROWS


def test_vectors_removed_from_lists_are_not_found_again(clustered):
    vectors, queries = clustered
    index = CpuIndex(LONG, exact_rows=2_000, probe_rows=4_000)
    index.add(np.arange(1, ROWS + 1), vectors)
    index.train()
    first = index.search(queries[0], 10).rowids
    index.remove(first)
    assert not set(first.tolist()) & set(index.search(queries[0], 10).rowids.tolist())
    assert len(index) == ROWS - 10
