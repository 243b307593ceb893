"""What structure must never do: serve what was forgotten, pass a filter by, outgrow its bound."""

from __future__ import annotations

import dataclasses

import pytest

from memory_core import Filters, Observation, Pose, Query, Retention, RobotMemory, TimeSpan
from memory_core.semantic import structure as structure_module

from .making import START_NS
from .remembered import opened, tour


def test_a_memory_too_large_for_one_scene_does_not_recall_what_was_forgotten(tmp_path, monkeypatch):
    monkeypatch.setattr(structure_module, "MAX_STANDPOINTS", 10)
    with opened(tmp_path / "memory") as memory:
        memory.observe(tour())
        shown = [
            item.observation.id for item in memory.recall("kettle", k=5, mode="scene").evidence
        ]
        assert shown
        memory.forget(ids=shown[:1], reason="private")
        again = memory.recall("kettle", k=20, mode="scene").evidence
        assert shown[0] not in {item.observation.id for item in again}


def test_filters_hold_where_as_many_observations_pass_as_have_words(tmp_path):
    with opened(tmp_path / "memory") as memory:
        worded = [
            Observation(id=f"w{n}", stamp_ns=START_NS + n, source="camera", text=f"red door {n}")
            for n in range(30)
        ]
        silent = [
            Observation(id=f"s{n}", stamp_ns=START_NS + 100 + n, source="odometry", pose=Pose(n, 0))
            for n in range(30)
        ]
        memory.observe([*worded, *silent])
        found = memory.recall(Query(text="red door", filters=Filters(sources=("odometry",))))
        assert {item.observation.source for item in found.evidence} <= {"odometry"}


def test_every_robot_keeps_its_open_event_across_restarts(tmp_path):
    with opened(tmp_path / "memory") as memory:
        memory.observe(tour(robot="zed"))
        memory.organise()
    with opened(tmp_path / "memory") as memory:
        later = tour(first=500, start_s=1, robot="abe")
        memory.observe(later)
        memory.organise()
    with opened(tmp_path / "memory") as memory:
        counted = {}
        for event in memory.events():
            counted[event.robot] = counted.get(event.robot, 0) + event.observations
        assert counted == {"zed": len(tour()), "abe": len(later)}


def test_the_bound_holds_over_many_short_sessions(tmp_path):
    for day in range(4):
        with opened(tmp_path / "memory", retention=Retention(100, "fifo")) as memory:
            memory.observe(
                tour(session=f"day {day}", first=1000 * day, start_s=86_400 * day, rounds=6)
            )
            memory.recall("kettle")
            memory.wait()
    with opened(tmp_path / "memory", read_only=True) as memory:
        assert memory.store.count() <= 100 + 6 * 12


def test_one_stamp_from_the_future_does_not_hold_consolidation_up(tmp_path):
    still = dataclasses.replace(tour()[0], id="still")
    with opened(tmp_path / "memory") as memory:
        stream = [
            dataclasses.replace(still, id=f"still-{n}", stamp_ns=START_NS + n * 10**9)
            for n in range(2_000)
        ]
        stream[50] = dataclasses.replace(stream[50], stamp_ns=START_NS + 10**18)
        for start in range(0, len(stream), 500):
            memory.observe(stream[start : start + 500])
        memory.consolidate()
        assert memory.store.count() < 1_000
        assert memory.verify().clean


def test_what_shows_a_thing_is_the_same_before_and_after_a_restart(tmp_path):
    with opened(tmp_path / "memory") as memory:
        memory.observe(tour(rounds=40))
        memory.consolidate(lag_s=0.0)
        before = memory._structure.organiser.showings.rows()
    with opened(tmp_path / "memory") as memory:
        assert memory._structure.organiser.showings.rows() == before


@pytest.mark.parametrize("named", [True, False])
def test_forgetting_a_span_forgets_its_events_even_where_repetitions_went_before(tmp_path, named):
    with opened(tmp_path / "memory") as memory:
        memory.observe(tour(rounds=10))
        memory.observe(tour(session="tuesday", first=5_000, start_s=86_400, rounds=1))
        memory.consolidate(lag_s=0.0)
        span = TimeSpan(START_NS, START_NS + 3_600 * 10**9)
        filters = Filters(span=span) if named else None
        older = None if named else START_NS + 3_600 * 10**9
        memory.forget(filters=filters, older_than_ns=older, reason="private")
        assert {event.session for event in memory.events()} == {"tuesday"}


@pytest.mark.parametrize("mode", ["flat", "attention"])
def test_a_common_word_is_found_where_nothing_but_spelling_ranks(tmp_path, monkeypatch, mode):
    monkeypatch.setattr("memory_core.episodic.recall.COMMON", 10)
    with RobotMemory.open(tmp_path / "memory", text_encoder=None, gpu=False) as memory:
        memory.observe([
            Observation(id=f"door-{n}", stamp_ns=START_NS + n, text="a door") for n in range(40)
        ])  # fmt: skip
        assert len(memory.recall("door", k=5, mode=mode).evidence) == 5
