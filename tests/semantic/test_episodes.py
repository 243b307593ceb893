"""Events go on after restarts and removals, and forget what was forgotten."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from memory_core.semantic.episodes import summary_of

from .making import START_NS, Pose, placed, standpoint
from .remembered import opened, tour


@pytest.mark.parametrize("cut", [1, 2, 7, 13])
def test_a_stream_cut_by_a_restart_has_the_events_of_one_that_was_not(tmp_path, cut):
    with opened(tmp_path / "steady") as memory:
        memory.observe(tour())
        wanted = memory.events()
    for part in (tour()[:cut], tour()[cut:]):
        with opened(tmp_path / "cut") as memory:
            memory.observe(part)
            told = memory.events()
    assert told == wanted


def test_every_observation_is_in_one_event_of_its_robot(tmp_path):
    both = [replace(o, id=f"{r}-{o.id}", robot=r) for o in tour() for r in ("ann", "bob")]
    with opened(tmp_path / "memory") as memory:
        memory.observe(both)
        events = memory.events()
        for robot in ("ann", "bob"):
            own = [event for event in events if event.robot == robot]
            assert sum(event.observations for event in own) == 24
            assert all(a.end_ns < b.start_ns for a, b in itertools.pairwise(own))


@pytest.mark.parametrize("gone", [[21], [22], [23], [21, 22], [21, 22, 23]])
def test_what_is_open_goes_on_without_observations_that_were_let_go_of(tmp_path, gone):
    later = [replace(o, id=f"later-{o.id}", stamp_ns=o.stamp_ns + 24 * 10**9) for o in tour()]
    with opened(tmp_path / "memory") as memory:
        memory.observe(tour())
        memory.events()
        memory.store.remove(
            [n + 1 for n in gone], kind="retention", reason="full", selection={}, keep_ids=False
        )
    with opened(tmp_path / "memory") as memory:
        memory.observe(later)
        events = memory.events()
        assert sum(event.observations for event in events) == 48 - len(gone)
        assert all(a.end_ns < b.start_ns for a, b in itertools.pairwise(events))


def test_neighbours_of_an_event_are_those_before_and_after_it(tmp_path):
    with opened(tmp_path / "memory") as memory:
        memory.observe(tour())
        events = memory.events()
        episodes = memory._structure.organiser.episodes
        assert episodes.neighbours(events[2].id) == (events[1], events[3])
        assert episodes.neighbours(events[0].id) == (None, events[1])


def test_an_event_is_summed_up_by_what_was_said_and_seen_most():
    stand = Pose.from_yaw(0.0, 0.0)
    cup, door = (placed(stand, label, (1.0, 0.0, 0.5)) for label in ("cup", "door"))
    rows = [
        standpoint(0, stand, cup, text="first"), standpoint(1, stand, cup, door, text="second"),
        standpoint(2, stand),
    ]  # fmt: skip
    assert summary_of(rows, 1) == "second; seen: cup, door"
    assert summary_of(rows, 2) == "seen: cup, door"
    assert rows[0].observation.stamp_ns == START_NS
