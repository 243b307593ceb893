"""Events: boundaries where truth has them, a partition of every stream, the same after a restart."""

from __future__ import annotations

import json
from dataclasses import replace

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memory_core.episodic.events import (
    EventRule,
    EventSegmenter,
    similarities,
    split_modularity,
)
from memory_core.errors import DimensionMismatch, InvalidQuery, InvalidVector

SECOND = 1_000_000_000
DIMENSION = 32


def scenes(random, *, count, blend):
    """Vectors of scenes one after the other, and where each begins; `blend` moments in between.

    A scene wanders about its own theme; within a blend the share of the next theme grows, and
    the boundary is where it passes one half.
    """
    themes = random.normal(size=(count, DIMENSION)) / np.sqrt(DIMENSION)
    vectors, truth = [], []
    for number, theme in enumerate(themes):
        if number:
            before = themes[number - 1]
            shares = (np.arange(blend) + 0.5) / max(blend, 1)
            truth.append(len(vectors) + int((shares < 0.5).sum()))
            vectors += [(1 - share) * before + share * theme for share in shares]
        vectors += [theme] * int(random.integers(12, 30))
    noise = random.normal(size=(len(vectors), DIMENSION)) * 0.45 / np.sqrt(DIMENSION)
    return np.array(vectors) + noise, truth


def run(vectors, rule=None, **fields):
    segmenter = EventSegmenter(rule)
    events = []
    for number, vector in enumerate(vectors):
        at = {name: values[number] for name, values in fields.items()}
        events += segmenter.step((1 + number) * SECOND, vector, **at)
    return events + segmenter.finish()


def begins(events):
    return [event.first for event in events[1:]]


def boundary_f1(found, truth, *, tolerance):
    free = set(found)
    hits = 0
    for boundary in truth:
        near = [x for x in free if abs(x - boundary) <= tolerance]
        if near:
            hits += 1
            free.discard(min(near, key=lambda x: abs(x - boundary)))
    return 2 * hits / max(1, len(found) + len(truth))


class Unrefined(EventSegmenter):
    """Every boundary stays where surprise put it."""

    def _refined(self, end):
        return self._candidate


def scores(segmenter, *, blend, tolerance):
    result = []
    for seed in range(12):
        vectors, truth = scenes(np.random.default_rng(seed), count=12, blend=blend)
        events = []
        cutter = segmenter()
        for number, vector in enumerate(vectors):
            events += cutter.step((1 + number) * SECOND, vector)
        result.append(boundary_f1(begins(events + cutter.finish()), truth, tolerance=tolerance))
    return float(np.mean(result))


def test_scenes_that_change_at_once_are_found_to_the_moment():
    assert scores(EventSegmenter, blend=0, tolerance=0) > 0.97


def test_refinement_finds_the_middle_of_a_slow_change_where_surprise_alone_does_not():
    assert scores(EventSegmenter, blend=6, tolerance=1) > 0.95
    refined = scores(EventSegmenter, blend=10, tolerance=1)
    assert refined > scores(Unrefined, blend=10, tolerance=1) + 0.1


def test_scenes_told_apart_by_labels_alone_are_found():
    random = np.random.default_rng(3)
    labels, truth = [], []
    for number in range(8):
        truth.append(len(labels))
        names = np.array([f"{number}-{thing}" for thing in range(6)])
        labels += [frozenset(map(str, names[random.random(6) < 0.8])) for _ in range(20)]
    found = begins(run([None] * len(labels), labels=labels))
    assert boundary_f1(found, truth[1:], tolerance=1) > 0.95


def test_a_robot_that_stands_still_has_no_events_but_of_the_longest_length():
    random = np.random.default_rng(0)
    view = random.normal(size=DIMENSION)
    vectors = view + random.normal(size=(600, DIMENSION)) * 0.1
    assert [e.last - e.first + 1 for e in run(vectors, EventRule(longest=200))] == [200] * 3


def test_one_strange_moment_ends_no_event():
    random = np.random.default_rng(0)
    vectors = np.tile(random.normal(size=DIMENSION), (60, 1))
    vectors[30] = random.normal(size=DIMENSION)
    assert len(run(vectors)) == 1


def test_a_gap_a_session_and_time_that_runs_backwards_end_an_event():
    segmenter = EventSegmenter(EventRule(gap_s=10))
    view = np.ones(DIMENSION)
    assert segmenter.step(100 * SECOND, view) == []
    assert segmenter.step(110 * SECOND, view) == []
    (before_gap,) = segmenter.step(121 * SECOND, view)
    assert (before_gap.first, before_gap.last) == (0, 1)
    assert (before_gap.start_ns, before_gap.end_ns) == (100 * SECOND, 110 * SECOND)
    (before_session,) = segmenter.step(122 * SECOND, view, session="second")
    assert (before_session.first, before_session.session) == (2, "")
    (before_jump,) = segmenter.step(121 * SECOND, view, session="second")
    assert (before_jump.first, before_jump.session) == (3, "second")


def test_a_place_begins_an_event_with_its_first_moment_once_it_lasts():
    places = ["hall"] * 9 + ["kitchen"] * 9 + ["hall"] * 2 + ["kitchen"] * 3 + [None] * 4
    events = run([np.ones(4)] * len(places), place=places)
    assert [(e.first, e.last, e.place) for e in events] == [(0, 8, "hall"), (9, 26, "kitchen")]


def test_an_event_knows_its_bounds_key_and_exemplar():
    vectors = np.array([[1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])
    positions = [(0.0, 2.0, 0.5), None, (3.0, -1.0, 0.0)]
    (event,) = run(vectors, position=positions)
    assert event.bounds.low == (0.0, -1.0, 0.0)
    assert event.bounds.high == (3.0, 2.0, 0.5)
    half = np.sqrt(0.5)
    assert event.key == pytest.approx([(1 + half) / 3, (1 + half) / 3])
    assert event.exemplar == 1


def test_moments_of_which_only_the_time_is_known_make_an_event():
    (event,) = run([None] * 5)
    assert (event.first, event.last, event.key, event.bounds, event.place) == (0, 4, *[None] * 3)


def test_modularity_is_that_of_an_independent_library():
    random = np.random.default_rng(1)
    similarity = random.random((9, 9))
    similarity = (similarity + similarity.T) / 2
    np.fill_diagonal(similarity, 0)
    graph = nx.from_numpy_array(similarity)
    for split in range(1, 9):
        parts = [set(range(split)), set(range(split, 9))]
        expected = nx.community.modularity(graph, parts, weight="weight")
        assert split_modularity(similarity)[split] == pytest.approx(expected)


def test_similarity_is_the_mean_of_what_is_known_of_a_pair():
    vectors = [np.array([1.0, 0.0]), np.array([0.6, 0.8]), None]
    labels = [frozenset("ab"), frozenset("bc"), frozenset("b")]
    alike = similarities(vectors, labels)
    assert alike[0, 1] == pytest.approx((0.6 + 1 / 3) / 2)
    assert alike[0, 2] == pytest.approx(1 / 2)
    assert np.array_equal(alike, alike.T)
    assert similarities([None, None], [frozenset(), frozenset("a")]) is None


def test_wrong_vectors_and_rules_are_refused():
    segmenter = EventSegmenter()
    segmenter.step(1, np.ones(4))
    with pytest.raises(DimensionMismatch):
        segmenter.step(2, np.ones(5))
    for vector in (np.zeros(4), np.full(4, np.nan)):
        with pytest.raises(InvalidVector):
            segmenter.step(2, vector)
    with pytest.raises(InvalidQuery):
        EventSegmenter(EventRule(shortest=10, longest=15))


@st.composite
def streams(draw):
    """Stamps, vectors, places, labels and sessions, with gaps, jumps and things unknown."""
    random = np.random.default_rng(draw(st.integers(0, 10_000)))
    count = draw(st.integers(1, 120))
    change = draw(st.sampled_from([0.02, 0.1, 0.4]))
    theme = np.cumsum(random.random(count) < change)
    themes = random.normal(size=(theme[-1] + 1, 6))
    steps = random.choice([1, 1, 1, 1, 200, -3], size=count)
    places = np.cumsum(random.random(count) < change)
    return [
        {
            "stamp_ns": int(stamp) * SECOND,
            "vector": None if random.random() < 0.2 else themes[number] + random.normal(size=6) / 4,
            "position": None if random.random() < 0.2 else tuple(random.normal(size=3).tolist()),
            "place": None if random.random() < 0.2 else f"place:{place}",
            "labels": frozenset(f"thing {x}" for x in random.integers(0, 3, 2) + 2 * number),
            "session": f"{number // 4}",
        }
        for stamp, number, place in zip(np.cumsum(steps) + 1000, theme, places, strict=True)
    ]


RULE = EventRule(shortest=3, settled=2, longest=15, window=16)


def feed(segmenter, moments):
    return [event for moment in moments for event in segmenter.step(**moment)]


@settings(max_examples=60)
@given(moments=streams())
def test_events_part_the_stream_into_runs_none_too_long(moments):
    segmenter = EventSegmenter(RULE)
    events = feed(segmenter, moments) + segmenter.finish()
    numbers = [n for event in events for n in range(event.first, event.last + 1)]
    assert numbers == list(range(len(moments)))
    for event in events:
        run = moments[event.first : event.last + 1]
        assert 1 <= len(run) <= RULE.longest
        assert event.first <= event.exemplar <= event.last
        assert {moment["session"] for moment in run} == {event.session}
        stamps = [moment["stamp_ns"] for moment in run]
        assert (stamps[0], stamps[-1]) == (event.start_ns, event.end_ns)
        assert all(0 <= d <= RULE.gap_s * SECOND for d in np.diff(stamps))


@settings(max_examples=40)
@given(moments=streams(), data=st.data())
def test_a_restart_in_the_middle_changes_nothing(moments, data):
    stop = data.draw(st.integers(0, len(moments)))
    segmenter = EventSegmenter(RULE)
    whole = feed(segmenter, moments) + segmenter.finish()
    first = EventSegmenter(RULE)
    events = feed(first, moments[:stop])
    again = EventSegmenter.restore(json.loads(json.dumps(first.state())))
    events += feed(again, moments[stop:]) + again.finish()
    bare = [[replace(event, key=None) for event in some] for some in (whole, events)]
    assert bare[0] == bare[1]
    for one, other in zip(whole, events, strict=True):
        assert np.array_equal(one.key, other.key) if one.key is not None else other.key is None
