"""Places: the same as by brute force, bounded, and continued after loading."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memory_core.semantic import places as module
from memory_core.semantic.places import PlaceChanges, PlaceMap

STANDPOINTS = st.lists(
    st.tuples(
        st.floats(-6, 6), st.floats(-6, 6), st.sampled_from([0.0, 0.4, 1.3, 3.0]),
        st.sampled_from(["house", "garden"]), st.sampled_from(["r1", "r2"]), st.integers(1, 50),
    ),
    max_size=40,
)  # fmt: skip


def visited(standpoints, place_map=None):
    place_map = PlaceMap() if place_map is None else place_map
    numbers = [
        place_map.visit((x, y, z), stamp, run=run, map_id=map_id)
        for x, y, z, map_id, run, stamp in standpoints
    ]
    return place_map, numbers


@given(STANDPOINTS)
@settings(max_examples=80)
def test_every_standpoint_joins_the_nearest_place_that_reaches_it_or_begins_one(standpoints):
    _, numbers = visited(standpoints)
    anchors, expected = [], []
    for x, y, z, map_id, _, _ in standpoints:
        reached = [
            (math.hypot(x - ax, y - ay), number)
            for number, (ax, ay, az, known) in enumerate(anchors)
            if known == map_id and abs(z - az) < 1.2 and math.hypot(x - ax, y - ay) <= 1.5
        ]
        if not reached:
            anchors.append((x, y, z, map_id))
        expected.append(min(reached)[1] if reached else len(anchors) - 1)
    assert numbers == expected


@given(STANDPOINTS)
@settings(max_examples=60)
def test_a_place_is_the_mean_the_bounds_and_the_span_of_its_standpoints(standpoints):
    place_map, numbers = visited(standpoints)
    for number, place in place_map.places.items():
        own = [s for s, n in zip(standpoints, numbers, strict=True) if n == number]
        points = np.array([s[:3] for s in own])
        assert place.visits == len(own)
        assert place.centre == pytest.approx(points.mean(axis=0), abs=1e-9)
        assert place.bounds.low == tuple(points.min(axis=0))
        assert place.bounds.high == tuple(points.max(axis=0))
        stamps = [s[5] for s in own]
        assert (place.first_ns, place.last_ns) == (min(stamps), max(stamps))
        assert {s[3] for s in own} == {place.map_id}


@given(STANDPOINTS)
@settings(max_examples=60)
def test_touching_places_are_those_whose_circles_meet(standpoints):
    place_map, _ = visited(standpoints)
    rows = list(place_map.places.values())
    expected = {
        (a.number, b.number)
        for a in rows
        for b in rows
        if a.number < b.number
        and a.map_id == b.map_id
        and abs(a.anchor[2] - b.anchor[2]) < 1.2
        and math.dist(a.anchor[:2], b.anchor[:2]) <= 3.0
    }
    assert set(place_map.touching()) == expected


@given(STANDPOINTS, st.lists(st.integers(0, 40), max_size=3))
@settings(max_examples=60)
def test_a_map_that_was_stored_and_loaded_continues_as_if_it_never_stopped(standpoints, stops):
    whole, expected = visited(standpoints)
    part, numbers = PlaceMap(), []
    places, links, runs = {}, {}, {}
    for step, standpoint in enumerate(standpoints):
        if step in stops:
            part = PlaceMap()
            part.load(PlaceChanges(*map(tuple, (places.values(), links.values(), runs.values()))))
        numbers += visited([standpoint], part)[1]
        changes = part.changed()
        places.update({row.number: row for row in changes.places})
        links.update({(row.one, row.other): row for row in changes.links})
        runs.update({row.run: row for row in changes.runs})
    assert numbers == expected
    assert part.places == whole.places
    assert {n: part.neighbours(n) for n in part.places} == {
        n: whole.neighbours(n) for n in whole.places
    }
    stored = whole.changed()
    assert tuple(places[n] for n in sorted(places)) == stored.places
    assert tuple(links[pair] for pair in sorted(links)) == stored.links
    assert tuple(runs[run] for run in sorted(runs)) == stored.runs


def test_places_are_joined_by_going_from_one_to_the_other_in_one_run():
    place_map = PlaceMap()
    for stamp, (x, run) in enumerate([(0, "a"), (9, "b"), (2, "a"), (4, "a"), (2, "a")], start=1):
        place_map.visit((float(x), 0.0, 0.0), stamp, run=run)
    assert place_map.neighbours(0) == {2: 1}
    assert place_map.neighbours(2) == {0: 1, 3: 2}
    assert place_map.neighbours(1) == {}


def test_an_observation_that_comes_late_joins_nothing():
    place_map = PlaceMap()
    for stamp, x in ((10, 0.0), (5, 50.0), (11, 2.0)):
        place_map.visit((x, 0.0, 0.0), stamp)
    assert place_map.neighbours(1) == {}
    assert place_map.neighbours(0) == {2: 1}


def test_bounds_hold_what_is_seen_nearby_and_not_what_is_far():
    place_map = PlaceMap()
    seen = np.array([[1.0, 2.0, 0.8], [30.0, 0.0, 1.0]])
    place_map.visit((0.0, 0.0, 0.0), 1, seen=seen)
    assert place_map.places[0].bounds.high == (1.0, 2.0, 0.8)


def test_standing_still_for_an_hour_changes_one_row_and_a_nap_none():
    place_map = PlaceMap()
    for second in range(3_600):
        place_map.visit((0.001 * (second % 7), 0.0, 0.0), second + 1)
    changes = place_map.changed()
    assert (len(changes.places), len(changes.links), len(changes.runs)) == (1, 0, 1)
    assert place_map.changed() == PlaceChanges()


def test_only_the_newest_runs_are_remembered(monkeypatch):
    monkeypatch.setattr(module, "MAX_RUNS", 2)
    place_map = PlaceMap()
    for stamp, run in enumerate("abc", start=1):
        place_map.visit((0.0, 0.0, 0.0), stamp, run=run)
    for stamp, run in enumerate("cba", start=4):
        place_map.visit((5.0, 0.0, 0.0), stamp, run=run)
    assert place_map.neighbours(0) == {1: 2}


def test_a_radius_of_nothing_is_refused():
    with pytest.raises(ValueError, match="radius"):
        PlaceMap(radius_m=0.0)


def test_a_step_costs_the_same_in_a_large_map():
    times = []
    for side in (10, 100):
        place_map = PlaceMap()
        for x in range(side):
            for y in range(side):
                place_map.visit((2.0 * x, 2.0 * y, 0.0), x * side + y + 1)
        assert len(place_map) == side * side
        spans = []
        for _ in range(5):
            begun = time.perf_counter()
            for step in range(50):
                place_map.visit((2.0 * (step % side), 2.0, 0.0), side**2 + 10 + step)
            spans.append(time.perf_counter() - begun)
        times.append(min(spans))
    assert times[1] < 4 * times[0]
