"""Records: changed together with the watermark, or not at all."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from episodic.making import note
from memory_core.episodic.records import Record, RecordChanges, ShowingRow
from memory_core.episodic.store import EpisodicStore
from memory_core.errors import RobotMemoryError
from memory_core.types import Sighting


@pytest.fixture
def store(tmp_path):
    made = EpisodicStore(tmp_path, write=True)
    yield made
    made.close()


def seen(number, *labels):
    return note(number, sightings=tuple(Sighting(label, (1.0, 0.0, 0.0)) for label in labels))


bodies = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(
    st.lists(
        st.tuples(st.sampled_from(("thing", "place")), st.integers(0, 4), bodies, st.booleans()),
        max_size=12,
    )
)
@settings(max_examples=25)
def test_records_hold_what_a_dictionary_of_them_would(tmp_path_factory, steps):
    held: dict[tuple[str, int], object] = {}
    store = EpisodicStore(tmp_path_factory.mktemp("records"), write=True)
    for kind, number, body, drops in steps:
        if drops:
            store.change_records(RecordChanges(dropped=[(kind, number)]))
            held.pop((kind, number), None)
        else:
            store.change_records(RecordChanges([Record(kind, number, body)]))
            held[kind, number] = body
    for kind in ("thing", "place"):
        wanted = [(n, held[k, n]) for k, n in sorted(held) if k == kind]
        assert [(r.number, r.body) for r in store.records(kind)] == wanted
        some = [n for n, _ in wanted][::2]
        assert [r.number for r in store.records(kind, some)] == some
    store.close()


def test_vectors_come_back_as_float32(store):
    vector = np.array([0.25, -1.5, 3.0])
    store.change_records(
        RecordChanges([Record("content", 1, {}, vector), Record("content", 2, {})])
    )
    first, second = store.records("content")
    assert first.vector.dtype == np.float32
    assert first.vector.tolist() == vector.tolist()
    assert second.vector is None


def test_which_entity_a_sighting_shows_follows_shown_and_renamed(store):
    store.write([seen(0, "cup", "door"), seen(1, "cup")])
    store.change_records(RecordChanges(shown=[(1, 0, 7), (1, 1, 8), (2, 0, 9)], organised=2))
    store.change_records(RecordChanges(renamed={9: 7, 8: 8}))
    assert [stored.entities for stored in store.fetch([1, 2])] == [(7, 8), (7,)]
    stamps = [note(n).stamp_ns for n in (0, 1)]
    assert store.showing([7]) == [
        ShowingRow(7, 1, "cup", stamps[0]),
        ShowingRow(7, 2, "cup", stamps[1]),
    ]
    assert store.showing([8, 9]) == [ShowingRow(8, 1, "door", stamps[0])]
    assert store.counter("organised") == 2
    assert store.counter("structure") == 2


def test_clearing_drops_the_kinds_named_and_begins_again(store):
    store.write([seen(0, "cup")])
    changes = RecordChanges(
        [Record("thing", 1, 1), Record("use", 1, 1)], shown=[(1, 0, 3)], organised=1
    )
    store.change_records(changes)
    store.clear_records(kinds=["thing"])
    assert store.records("thing") == []
    assert len(store.records("use")) == 1
    assert store.fetch([1])[0].entities == (None,)
    assert store.counter("organised") == 0
    assert store.counter("structure") == 2


def test_a_round_that_fails_half_way_leaves_nothing(store):
    store.write([seen(0, "cup")])
    with pytest.raises(TypeError):
        store.change_records(
            RecordChanges([Record("thing", 1, 1), Record("thing", 2, object())], organised=1)
        )
    assert store.records("thing") == []
    assert store.counter("organised") == 0


def test_changes_made_together_are_committed_as_one(store, tmp_path):
    store.write([note(0), note(1)])
    reader = EpisodicStore(tmp_path, write=False)
    with store.together():
        store.remove([1], kind="forget", reason="private", selection={})
        store.change_records(RecordChanges([Record("thing", 1, 1)]))
        assert [r.number for r in store.records("thing")] == [1]
        assert reader.count() == 2
        assert reader.records("thing") == []
    assert reader.count() == 1
    assert len(reader.records("thing")) == 1
    reader.close()


def test_changes_made_together_go_together_where_one_fails(store):
    store.write([note(0), note(1)])
    commits = store.counter("commits")

    def both():
        with store.together():
            store.remove([1], kind="forget", reason="private", selection={})
            store.change_records(RecordChanges([Record("thing", 1, 1)]))
            raise RobotMemoryError("no")

    with pytest.raises(RobotMemoryError, match="no"):
        both()
    assert store.count() == 2
    assert store.removals() == []
    assert store.records("thing") == []
    assert store.counter("commits") == commits
    store.write([note(2)])
    assert store.count() == 3
