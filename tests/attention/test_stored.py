"""Attention over a stored memory, against one softmax over all rows and against plain loops."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memory_core.attention.kernels import UNKNOWN_LOG, UNKNOWN_NS
from memory_core.attention.lists import KeyLists
from memory_core.attention.stored import StoredChunks
from memory_core.errors import DimensionMismatch, InputRejected, InvalidQuery, InvalidVector

DIMENSION = 16
SECOND_NS = 10**9


def unit(rows):
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


def made(lengths, *, seed=0, dtype=np.float32, **options):
    """Chunks of so many rows each around a topic of their own."""
    chance = np.random.default_rng(seed)
    topics = np.repeat(unit(chance.standard_normal((len(lengths), DIMENSION))), lengths, axis=0)
    rows = unit(topics + 0.2 * chance.standard_normal(topics.shape)).astype(dtype)
    chunks = StoredChunks(rows, np.concatenate([[0], np.cumsum(lengths)]), **options)
    chunks.file_keys()
    return chunks


def one_softmax(chunks, query, beta, *, weight_of_chunk=None, allowed=None):
    """Full attention in float64, every row by itself; shape (rows,)."""
    rows = np.asarray(chunks.contents[: chunks.rows], np.float64)
    weights = np.exp(beta * (rows @ np.asarray(query, np.float64)))
    if weight_of_chunk is not None:
        weights *= np.repeat(weight_of_chunk, np.diff(chunks.offsets))
    if allowed is not None:
        weights = weights * allowed
    return weights / weights.sum()


def spread_out(found, rows):
    """Weights at their rows, 0 elsewhere."""
    weights = np.zeros(rows)
    weights[found.rows] = found.weights
    return weights


LENGTHS = st.lists(st.integers(1, 9), min_size=1, max_size=30)


@settings(deadline=None, max_examples=60)
@given(
    lengths=LENGTHS,
    seed=st.integers(0, 99),
    beta=st.floats(0.1, 30),
    landmarks=st.integers(0, 3),
    exact_keys=st.sampled_from([0, 4_096]),
    share=st.sampled_from([None, 0.1, 0.6]),
    kernels=st.booleans(),
)
def test_with_every_chunk_and_one_softmax_it_is_full_attention(
    lengths, seed, beta, landmarks, exact_keys, share, kernels
):
    chance = np.random.default_rng(seed)
    count = len(lengths)
    starts = np.arange(count) * 100 * SECOND_NS
    chunks = made(
        lengths,
        seed=seed,
        landmarks=landmarks,
        exact_keys=exact_keys,
        centres=np.stack([np.arange(count), np.zeros(count), np.zeros(count)], axis=1),
        spans_ns=np.stack([starts, starts], axis=1),
    )
    allowed = None if share is None else chance.random(chunks.rows) < share
    factors, options = None, {}
    if kernels:
        factors = np.exp(-np.arange(count) / 4.0) * np.exp(-np.arange(count) * 100 / 500.0)
        options = {"near": (0, 0, 0), "near_scale_m": 4.0}
        options |= {"around_ns": 0, "around_scale_s": 500.0}
    query = unit(chance.standard_normal((2, DIMENSION)))
    found = chunks.attend(
        query, beta=beta, top_chunks=count, allowed=allowed, joint=True, **options
    )
    if allowed is not None and not allowed.any():
        assert len(found.rows) == 0
        return
    expected = [
        one_softmax(chunks, head, beta, weight_of_chunk=factors, allowed=allowed) for head in query
    ]
    np.testing.assert_allclose(spread_out(found, chunks.rows), np.mean(expected, axis=0), atol=1e-4)
    for head, weights in zip(found.heads, expected, strict=True):
        np.testing.assert_allclose(head.output, weights @ chunks.contents, atol=1e-4)


@given(seed=st.integers(0, 99), beta=st.floats(0.1, 30))
def test_the_mean_key_never_overrates_what_lies_in_a_chunk(seed, beta):
    chunks = made([1, 4, 9], seed=seed)
    query = unit(np.random.default_rng(seed).standard_normal(DIMENSION))
    products = np.asarray(chunks.contents, np.float64) @ query
    masses = np.log(np.add.reduceat(np.exp(beta * products), chunks.offsets[:-1]))
    estimates = np.log(np.diff(chunks.offsets)) + beta * (chunks.keys @ query)
    farthest = np.linalg.norm(
        chunks.contents - np.repeat(chunks.keys, np.diff(chunks.offsets), axis=0), axis=1
    )
    radii = np.maximum.reduceat(farthest, chunks.offsets[:-1])
    assert (estimates <= masses + 1e-4).all()
    assert (masses <= estimates + beta * radii + 1e-4).all()


def test_two_softmaxes_are_the_papers_two_steps():
    chunks, beta = made([3, 5, 2, 4, 6]), 4.0
    query = unit(np.random.default_rng(3).standard_normal(DIMENSION))
    (head,) = chunks.attend(query, beta=beta, top_chunks=2).heads
    relevance = []
    for number in range(5):
        rows = chunks.contents[chunks.offsets[number] : chunks.offsets[number + 1]]
        relevance.append((beta * float(sum(rows) @ query) / len(rows), number, rows))
    kept = sorted(relevance, key=lambda entry: -entry[0])[:2]
    assert head.chunks.tolist() == [number for _, number, _ in kept]
    total = sum(math.exp(value) for value, _, _ in kept)
    expected = []
    for value, _, rows in kept:
        raised = [math.exp(beta * float(row @ query)) for row in rows]
        expected += [math.exp(value) / total * one / sum(raised) for one in raised]
    np.testing.assert_allclose(head.weights, expected, rtol=1e-4)


def test_weights_inside_chunks_and_of_chunks_each_sum_to_one():
    found = made([3, 5, 2, 4]).attend(np.eye(DIMENSION)[:3], beta=5.0, top_chunks=3)
    assert found.weights.sum() == pytest.approx(1)
    assert found.chunk_weights.sum() == pytest.approx(1)
    assert (np.diff(found.weights) <= 0).all()
    for head in found.heads:
        for place, weight in enumerate(head.chunk_weights):
            part = slice(head.starts[place], head.starts[place + 1])
            assert head.inside[part].sum() == pytest.approx(1)
            assert head.weights[part].sum() == pytest.approx(weight)


def test_kernels_multiply_the_weight_of_a_chunk():
    chunks = made(
        [3, 3, 3],
        centres=[[0, 0, 0], [5, 0, 0], [np.nan] * 3],
        spans_ns=[[0, SECOND_NS], [UNKNOWN_NS, UNKNOWN_NS], [0, 10 * SECOND_NS]],
    )
    query = np.eye(DIMENSION)[0]
    without = dict(zip(*_weights(chunks.attend(query, beta=2.0)), strict=True))
    found = chunks.attend(
        query,
        beta=2.0,
        near=(0, 0, 0),
        near_scale_m=10.0,
        around_ns=5 * SECOND_NS,
        around_scale_s=8.0,
    )
    kernel = {
        0: math.exp(-4 / 8),
        1: math.exp(-5 / 10) * math.exp(UNKNOWN_LOG),
        2: math.exp(UNKNOWN_LOG),
    }
    total = sum(without[chunk] * kernel[chunk] for chunk in kernel)
    for chunk, weight in zip(*_weights(found), strict=True):
        assert weight == pytest.approx(without[chunk] * kernel[chunk] / total)


def _weights(found):
    return found.chunks.tolist(), found.chunk_weights.tolist()


@settings(deadline=None, max_examples=40)
@given(
    lengths=LENGTHS,
    cuts=st.sets(st.integers(0, 120)),
    exact_keys=st.sampled_from([0, 4_096]),
)
def test_ranges_of_rows_select_what_the_same_mask_selects(lengths, cuts, exact_keys):
    edges = sorted(cuts)
    ranges = list(zip(edges[::2], edges[1::2], strict=False))
    chunks = made(lengths, exact_keys=exact_keys)
    mask = np.zeros(chunks.rows, bool)
    for start, stop in ranges:
        mask[start:stop] = True
    query = np.eye(DIMENSION)[0]
    ranged = chunks.attend(query, beta=3.0, top_chunks=4, allowed=ranges)
    masked = chunks.attend(query, beta=3.0, top_chunks=4, allowed=mask)
    assert mask[ranged.rows].all()
    assert set(ranged.rows) == set(masked.rows)
    np.testing.assert_allclose(
        spread_out(ranged, chunks.rows), spread_out(masked, chunks.rows), atol=1e-12
    )
    assert (len(ranged.rows) > 0) == mask.any()


@settings(deadline=None, max_examples=30)
@given(lengths=LENGTHS, landmarks=st.integers(0, 2), data=st.data())
def test_a_memory_that_grew_is_the_memory_made_at_once(lengths, landmarks, data):
    whole = made(lengths, landmarks=landmarks)
    grown = StoredChunks(whole.contents[:0], landmarks=landmarks, exact_keys=0)
    query = np.eye(DIMENSION)[1]
    for number, length in enumerate(lengths):
        first = data.draw(st.integers(1, length))
        end = int(whole.offsets[number])
        grown.append(first, contents=whole.contents[: end + first], centre=(number, 0, 0))
        if first < length:
            grown.grow(
                length - first, contents=whole.contents[: end + length], span_ns=(number, number)
            )
        grown.file_keys()
    np.testing.assert_array_equal(grown.offsets, whole.offsets)
    np.testing.assert_allclose(grown.keys, whole.keys, atol=1e-6)
    assert grown.centres[:, 0].tolist() == list(range(len(lengths)))
    a = grown.attend(query, beta=5.0, top_chunks=3, candidates=1_000)
    b = whole.attend(query, beta=5.0, top_chunks=3)
    np.testing.assert_allclose(spread_out(a, whole.rows), spread_out(b, whole.rows), atol=1e-5)


def test_appending_reads_only_the_rows_appended():
    class Reads:
        def __init__(self, rows):
            self.rows, self.shape, self.read = rows, rows.shape, 0

        def __len__(self):
            return len(self.rows)

        def __getitem__(self, part):
            self.read += part.stop - part.start
            return self.rows[part]

    contents = Reads(np.ones((1_000, DIMENSION), np.float32))
    chunks = StoredChunks(contents)
    for count in (10, 300, 1, 89):
        before = contents.read
        chunks.append(count)
        assert contents.read - before == count
        before = contents.read
        chunks.grow(5)
        assert contents.read - before == 5


def test_a_float16_file_answers_as_its_numbers_do(tmp_path):
    file = np.lib.format.open_memmap(
        tmp_path / "rows.npy", mode="w+", dtype=np.float16, shape=(200, DIMENSION)
    )
    file[:] = made([10] * 20).contents
    offsets = np.arange(0, 201, 10)
    query = np.eye(DIMENSION)[2]
    mapped = StoredChunks(np.load(tmp_path / "rows.npy", mmap_mode="r"), offsets)
    found = mapped.attend(query, beta=6.0, top_chunks=20, joint=True)
    np.testing.assert_allclose(spread_out(found, 200), one_softmax(mapped, query, 6.0), atol=1e-6)
    assert found.work.bytes == 20 * DIMENSION * 4 + 200 * DIMENSION * 2


def test_ranges_may_touch_and_reach_beyond_the_rows():
    chunks = made([4, 4])
    found = chunks.attend(np.ones(DIMENSION), beta=1.0, allowed=[(1, 3), (3, 5), (7, 100)])
    assert sorted(found.rows) == [1, 2, 3, 4, 7]


def test_an_empty_memory_and_an_empty_filter_give_nothing():
    empty = StoredChunks(np.empty((0, DIMENSION), np.float16))
    full = made([4, 4])
    for found in (
        empty.attend(np.ones(DIMENSION), beta=1.0, allowed=np.zeros(0, bool), near=(0, 0, 0)),
        empty.attend(np.ones(DIMENSION), beta=1.0, allowed=[(0, 5)]),
        full.attend(np.ones((2, DIMENSION)), beta=1.0, allowed=np.zeros(8, bool)),
        full.attend(np.ones(DIMENSION), beta=1.0, allowed=[]),
    ):
        assert len(found.rows) == len(found.chunks) == 0
        assert all((head.output == 0).all() for head in found.heads)


def strange_step():
    """100 alike chunks; one row of chunk 7 is like nothing else, and is asked for."""
    chunks = made([20] * 100, seed=5)
    rows = chunks.contents.copy()
    rows[7 * 20 + 3] = unit(np.random.default_rng(9).standard_normal(DIMENSION))
    return rows, chunks.offsets


def test_landmarks_find_the_one_row_that_is_unlike_its_chunk():
    rows, offsets = strange_step()
    query = rows[143]
    assert 7 not in StoredChunks(rows, offsets).attend(query, beta=20.0, top_chunks=3).chunks
    marked = StoredChunks(rows, offsets, landmarks=1).attend(query, beta=20.0, top_chunks=3)
    assert marked.chunks[0] == 7
    assert marked.rows[0] == 143


def test_few_of_many_keys_are_compared_and_the_right_chunks_found():
    lengths = [2] * 6_000
    listed = made(lengths, exact_keys=1_000)
    exact = made(lengths, exact_keys=10**9)
    queries = listed.keys[::60]
    shares = []
    for query in queries:
        near = listed.attend(query, beta=8.0, top_chunks=8, candidates=800)
        all_of_them = exact.attend(query, beta=8.0, top_chunks=8)
        assert near.work.multiply_adds < all_of_them.work.multiply_adds / 3
        shares.append(len(set(near.chunks) & set(all_of_them.chunks)) / 8)
    assert np.mean(shares) > 0.9


def test_keys_never_filed_are_all_compared():
    lengths = [2] * 300
    filed, exact = made(lengths, exact_keys=0), made(lengths)
    never = StoredChunks(filed.contents, filed.offsets, exact_keys=0)
    for query in filed.keys[::30]:
        found = never.attend(query, beta=8.0, candidates=1)
        assert found.chunks.tolist() == exact.attend(query, beta=8.0).chunks.tolist()


def test_a_place_asked_for_is_found_through_the_lists_whatever_it_looks_like():
    centres = np.zeros((6_000, 3))
    centres[:, 0] = 1_000
    centres[4_321] = 0
    chunks = made([2] * 6_000, exact_keys=0, centres=centres)
    found = chunks.attend(
        -chunks.keys[4_321], beta=8.0, near=(0, 0, 0), near_scale_m=1.0, candidates=100
    )
    assert found.chunks[0] == 4_321


def test_what_came_a_moment_ago_is_compared_though_not_filed():
    chunks = made([2] * 3_000, exact_keys=0)
    strange = unit(np.random.default_rng(77).standard_normal((3, DIMENSION)))
    contents = np.concatenate([chunks.contents, np.repeat(strange, 2, axis=0)])
    for _ in strange:
        chunks.append(2, contents=contents)
    for number, row in enumerate(strange):
        found = chunks.attend(row, beta=20.0, top_chunks=1, candidates=1)
        assert found.chunks.tolist() == [3_000 + number]


def test_lists_hold_every_filed_key_once():
    chance = np.random.default_rng(0)
    keys = chance.standard_normal((2_000, DIMENSION)).astype(np.float32)
    lists = KeyLists()
    for count in (500, 505, 600, 2_000):
        lists = lists.updated(keys[:count])
        found = lists.candidates(keys[0], 10**9, bias=None, valid=None)
        assert sorted(found) == list(range(lists.filed))
        assert lists.filed >= count - count / 64


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"query": np.ones(3)}, DimensionMismatch),
        ({"query": np.full(DIMENSION, np.nan)}, InvalidVector),
        ({"beta": 0.0}, InvalidQuery),
        ({"top_chunks": 0}, InvalidQuery),
        ({"allowed": np.ones(3, bool)}, InvalidQuery),
        ({"allowed": [(4, 2)]}, InvalidQuery),
        ({"near": (0, 0)}, InvalidQuery),
    ],
)
def test_a_query_that_cannot_be_meant_is_refused(change, error):
    asked = {"query": np.ones(DIMENSION), "beta": 1.0, **change}
    with pytest.raises(error):
        made([4, 4]).attend(asked.pop("query"), **asked)


def test_chunks_that_do_not_fit_their_rows_are_refused():
    rows = np.ones((10, DIMENSION))
    for offsets in ([1, 5], [0, 5, 5], [0, 11]):
        with pytest.raises(InputRejected):
            StoredChunks(rows, offsets)
    with pytest.raises(InputRejected):
        StoredChunks(rows, [0, 5], centres=[[0, 0]])
    with pytest.raises(InvalidQuery):
        StoredChunks(rows, [0, 5], landmarks=-1)
    chunks = StoredChunks(rows)
    with pytest.raises(InputRejected):
        chunks.grow(1)
    for count in (0, 11):
        with pytest.raises(InputRejected):
            chunks.append(count)
    with pytest.raises(InputRejected):
        chunks.append(1, contents=np.ones((20, 3)))
    assert len(chunks) == 0
