"""Recall by chunk attention: exact inside what is kept, level with what is stored."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from episodic.making import START_NS, note, unit
from hypothesis import given, settings
from hypothesis import strategies as st

from memory_core.episodic.vectors import Hits
from memory_core.memory import RobotMemory
from memory_core.semantic import attending
from memory_core.semantic.attending import BETA, ObservationAttention
from memory_core.types import Box, Filters, Query, TimeSpan

from .remembered import opened, tour


class FakeRows:
    """Vectors in order of arrival, with exact nearest neighbours."""

    def __init__(self, vectors, *, rowids=None):
        self.vectors = np.asarray(vectors, np.float32)
        count = len(self.vectors)
        self.rowids = np.arange(1, count + 1) if rowids is None else np.asarray(rowids)
        self.gone = set()

    def rows(self, space):
        assert space == "text"
        return self.rowids, self.vectors, None

    def positions(self, rowids):
        stamps = np.asarray(rowids, np.int64) * 10**9
        places = np.stack(
            [np.asarray(rowids, float) % 7, np.zeros(len(rowids)), np.zeros(len(rowids))]
        )
        return stamps, places.T

    def nearest(self, space, vector, k, allowed, *, probe=None):
        class Hits:
            pass

        scores = self.vectors @ vector
        keep = np.isin(self.rowids, self.rowids if allowed is None else allowed)
        order = [i for i in np.argsort(-scores) if keep[i]][:k]
        hits = Hits()
        hits.rowids, hits.scores = self.rowids[order], scores[order]
        return hits


def vectors(count, dimension=8, seed=0):
    made = np.random.default_rng(seed).normal(size=(count, dimension))
    return made / np.linalg.norm(made, axis=1, keepdims=True)


def asked(seed=99, **parts):
    return Query(text="x", vectors={"text": vectors(1, seed=seed)[0].astype(np.float32)}, **parts)


def brute_force(query, rows, kept, allowed=None):
    """Softmax over all allowed rows of the kept chunks."""
    mask = np.isin(rows.rowids, np.concatenate(kept))
    if allowed is not None:
        mask &= np.isin(rows.rowids, allowed)
    scores = BETA * rows.vectors[mask] @ query.vectors["text"]
    weights = np.exp(scores - scores.max())
    return dict(zip(rows.rowids[mask].tolist(), (weights / weights.sum()).tolist(), strict=True))


def chunks_of(looked, rows, chunks):
    edges = chunks.offsets
    return [rows.rowids[edges[j] : edges[j + 1]] for j in looked.attended.heads[0].chunks.tolist()]


def compare(looked, wanted):
    found = dict(zip(looked.rowids.tolist(), looked.weights.tolist(), strict=True))
    assert set(found) == set(wanted)
    for rowid, weight in wanted.items():
        assert found[rowid] == pytest.approx(weight, abs=1e-5)


def test_with_few_chunks_attention_is_full_attention():
    rows, query = FakeRows(vectors(200)), asked()
    looked = ObservationAttention().attend(
        query, rows, ends=np.arange(10, 200, 10), allowed=None
    )  # fmt: skip
    compare(looked, brute_force(query, rows, [rows.rowids]))


@given(st.integers(0, 1_000), st.integers(300, 900), st.integers(3, 9))
@settings(max_examples=25)
def test_within_the_chunks_kept_weights_are_those_of_brute_force(seed, count, length):
    rows, query = FakeRows(vectors(count, seed=seed)), asked(seed + 1)
    attention = ObservationAttention()
    looked = attention.attend(query, rows, ends=np.arange(length, count, length), allowed=None)
    kept = chunks_of(looked, rows, attention._chunks)
    assert len(kept) >= attending.TOP_CHUNKS
    compare(looked, brute_force(query, rows, kept))
    best = rows.rowids[int((rows.vectors @ query.vectors["text"]).argmax())]
    assert looked.rowids[0] == best


@given(st.integers(0, 1_000), st.sets(st.integers(1, 120), min_size=1))
@settings(max_examples=25)
def test_only_what_passes_the_filters_is_attended_to(seed, chosen):
    rows, query = FakeRows(vectors(120, seed=seed)), asked(seed + 1)
    allowed = np.array(sorted(chosen))
    looked = ObservationAttention().attend(
        query, rows, ends=np.arange(5, 120, 5), allowed=allowed
    )  # fmt: skip
    assert set(looked.rowids.tolist()) <= chosen
    assert looked.weights.sum() == pytest.approx(1.0)
    compare(looked, brute_force(query, rows, [rows.rowids], allowed))


@given(st.lists(st.integers(1, 60), min_size=2, max_size=6), st.integers(0, 100))
@settings(max_examples=30)
def test_rows_added_after_the_chunks_were_cut_are_seen(parts, seed):
    every, attention = vectors(sum(parts), seed=seed), ObservationAttention()
    end = 0
    for part in parts:
        end += part
        rows, query = FakeRows(every[:end]), asked(seed + end)
        ends = np.arange(7, end, 7)
        looked = attention.attend(query, rows, ends=ends, allowed=None)
        compare(looked, brute_force(query, rows, chunks_of(looked, rows, attention._chunks)))
        assert int(attention._chunks.offsets[-1]) == end
        assert rows.rowids[int((rows.vectors @ query.vectors["text"]).argmax())] in looked.rowids


def test_chunks_end_where_events_end_and_are_never_too_long():
    rows, attention = FakeRows(vectors(1_000)), ObservationAttention()
    attention.attend(asked(), rows, ends=np.array([100, 130, 900]), allowed=None)
    edges = attention._chunks.offsets.tolist()
    assert {100, 130, 900} <= set(edges)
    assert np.diff(edges).max() <= attending.LONGEST_CHUNK


def test_a_rebuilt_index_is_cut_anew():
    attention, query = ObservationAttention(), asked()
    attention.attend(query, FakeRows(vectors(100)), ends=np.array([50]), allowed=None)
    fewer = FakeRows(vectors(100)[::2], rowids=np.arange(1, 101)[::2])
    looked = attention.attend(query, fewer, ends=np.array([50]), allowed=None)
    compare(looked, brute_force(query, fewer, [fewer.rowids]))


def test_a_large_memory_is_cut_in_the_background(monkeypatch):
    monkeypatch.setattr(attending, "AT_ONCE", 50)
    attention, rows, query = ObservationAttention(), FakeRows(vectors(200)), asked()
    assert attention.attend(query, rows, ends=np.empty(0, np.int64), allowed=None) is None
    attention.wait()
    looked = attention.attend(query, rows, ends=np.empty(0, np.int64), allowed=None)
    compare(looked, brute_force(query, rows, [rows.rowids]))


def test_a_memory_without_vectors_is_not_attended_to():
    rows = FakeRows(np.empty((0, 8)))
    assert ObservationAttention().attend(asked(), rows, ends=np.empty(0, int), allowed=None) is None


# -- a whole memory ---------------------------------------------------------------------------


def found(memory, text="the kitchen seen from corner 1", **options):
    return memory.recall(text, **options).evidence


def test_recall_tells_how_much_attention_each_piece_got(tmp_path):
    with opened(tmp_path / "memory") as memory:
        memory.observe(tour())
        shares = [item.attention for item in found(memory, k=100)]
        assert all(0 <= share <= 1 for share in shares)
        assert sum(shares) == pytest.approx(1.0, abs=1e-4)
        assert "kitchen" in found(memory)[0].observation.text


@pytest.mark.parametrize(
    "filters",
    [
        Filters(span=TimeSpan(START_NS, START_NS + 20 * 10**9)),
        Filters(region=Box((0, 0, -1), (3, 2, 1))),
        Filters(robots=("ann",)),
        Filters(sessions=("none",)),
    ],
)
def test_recall_within_filters_is_what_select_gives(tmp_path, filters):
    with RobotMemory.open(tmp_path / "memory", text_encoder=None, gpu=False) as memory:
        made = [
            note(n, robot=("ann", "bob")[n % 2], embeddings={"text": unit(n)}) for n in range(60)
        ]
        memory.observe(made)
        rowids = memory.select(filters).tolist()
        wanted = {stored.observation.id for stored in memory.store.fetch(rowids)}
        query = Query(text="cup", vectors={"text": unit(5)}, filters=filters, k=60)
        recalled = attending.recall_observations(
            memory.store, memory.index, query, ObservationAttention(),
            ends=np.empty(0, np.int64),
        )  # fmt: skip
        if not wanted:
            assert recalled is None or not recalled.evidence
            return
        assert {item.observation.id for item in recalled.evidence} == wanted
        assert recalled.considered == len(wanted)


def test_what_was_removed_is_attended_to_no_more(tmp_path):
    with opened(tmp_path / "memory") as memory:
        memory.observe(tour())
        before = [item.observation.id for item in found(memory, k=100)]
        memory.forget(ids=before[:1], reason="private")
        after = found(memory, k=100)
        assert [item.observation.id for item in after if item.observation.id == before[0]] == []
        assert sum(item.attention for item in after) == pytest.approx(1.0, abs=1e-4)
        rows = memory.store.rowids_of(before[1:5])
        memory.store.remove(
            list(rows.values()), kind="retention", reason="full", selection={}, keep_ids=False
        )  # fmt: skip
        memory._structure.forget()
        memory.index.committed()
        left = {item.observation.id for item in found(memory, k=100)}
        assert left == set(before[5:])


def test_recall_falls_back_while_a_large_memory_is_cut(tmp_path, monkeypatch):
    monkeypatch.setattr(attending, "AT_ONCE", 5)
    with opened(tmp_path / "memory") as memory:
        memory.observe([replace(o, sightings=()) for o in tour()])
        first = found(memory)
        assert first
        assert all(item.attention == 0 for item in first)
        memory._structure._attention.wait()
        assert sum(item.attention for item in found(memory, k=100)) == pytest.approx(1, abs=1e-4)


def test_what_is_removed_while_the_memory_is_cut_does_no_harm():
    class Compacted(FakeRows):
        """Its columns know only the second half any more."""

        def positions(self, rowids):
            stamps, places = super().positions(rowids)
            gone = np.arange(len(rowids)) < len(rowids) // 2
            stamps[gone], places[gone] = 0, np.nan
            return stamps, places

    rows, query = Compacted(vectors(100)), asked()
    looked = ObservationAttention().attend(query, rows, ends=np.arange(10, 100, 10), allowed=None)
    compare(looked, brute_force(query, rows, [rows.rowids]))


def test_hits_of_rows_that_came_or_went_meanwhile_are_passed_over():
    class Ahead(FakeRows):
        """Its vectors are searched a moment later than they are read."""

        def nearest(self, space, vector, k, allowed, *, probe=None):
            hits = super().nearest(space, vector, k, allowed)
            return Hits(np.append(hits.rowids, [10**6, 0]), np.append(hits.scores, [1.0, 1.0]))

    rows, query = Ahead(vectors(50)), asked()
    allowed = np.arange(1, 40)
    looked = ObservationAttention().attend(
        query, rows, ends=np.array([20]), allowed=allowed
    )  # fmt: skip
    compare(looked, brute_force(query, rows, [rows.rowids], allowed))


def test_a_large_memory_that_was_compacted_is_cut_anew_in_the_background(monkeypatch):
    monkeypatch.setattr(attending, "AT_ONCE", 200)
    attention, ends = ObservationAttention(), np.arange(50, 1_000, 50)
    every = vectors(600)
    rows = FakeRows(every)
    assert attention.attend(asked(), rows, ends=ends, allowed=None) is None
    attention.wait()
    assert attention.attend(asked(), rows, ends=ends, allowed=None) is not None
    fewer = FakeRows(every[::2], rowids=np.arange(1, 601)[::2])
    assert attention.attend(asked(), fewer, ends=ends, allowed=None) is None
    attention.wait()
    looked = attention.attend(asked(), fewer, ends=ends, allowed=None)
    assert set(looked.rowids.tolist()) <= set(fewer.rowids.tolist())


@given(st.lists(st.integers(1, 40), min_size=2, max_size=8), st.integers(0, 100))
@settings(max_examples=30)
def test_chunks_that_grew_are_those_that_are_cut_anew(parts, seed):
    every, attention, end = vectors(sum(parts), seed=seed), ObservationAttention(), 0
    unplaced = np.random.default_rng(seed).random(sum(parts)) < 0.2

    class Walk(FakeRows):
        def positions(self, rowids):
            stamps, places = super().positions(rowids)
            places[unplaced[: len(self.rowids)][np.asarray(rowids) - 1]] = np.nan
            return stamps, places

    for part in parts:
        end += part
        rows, ends = Walk(every[:end]), np.arange(7, end, 7)
        attention.attend(asked(), rows, ends=ends[ends < end - 3], allowed=None)
    grown = attention._chunks
    whole = range(len(grown.offsets) - 1)
    for chunk in whole:
        first, last = grown.offsets[chunk], grown.offsets[chunk + 1]
        _, places = rows.positions(rows.rowids[first:last])
        placed = places[~np.isnan(places[:, 0])]
        if len(placed):
            np.testing.assert_allclose(grown.centres[chunk], placed.mean(axis=0))
        else:
            assert np.isnan(grown.centres[chunk]).all()
