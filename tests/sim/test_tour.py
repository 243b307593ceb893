"""A tour of a small house is remembered; the same seed gives the same memory."""

from __future__ import annotations

import pytest

pytest.importorskip("pybullet")

from memory_core.memory import RobotMemory
from memory_sim.tour import drive, tour
from memory_sim.worlds.house import House
from memory_sim.worlds.plan import plan_house

PLAN = plan_house(11, rooms=2)
START_NS = 1_772_528_400_000_000_000


def remember(folder):
    """Tours the plan; returns every observation, in order."""
    with House(PLAN) as house, RobotMemory.open(folder, text_encoder=None) as memory:
        tour(house, memory, start_ns=START_NS, session="one")
        assert memory.verify().clean
        return [item.observation for item in memory.store.fetch(list(memory.store.rowids()))]


@pytest.fixture(scope="module")
def toured(tmp_path_factory):
    return remember(tmp_path_factory.mktemp("tour") / "memory")


def test_the_same_seed_gives_the_same_observations(toured, tmp_path):
    again = {item.id: item for item in remember(tmp_path / "again")}
    first = {item.id: item for item in toured}
    assert set(again) == set(first)
    assert [again[name] for name in first] == list(first.values())


def test_a_tour_leaves_odometry_views_and_the_battery(toured):
    sources = [item.source for item in toured]
    assert sources.count("odometry") == len(list(drive(PLAN)))
    assert sources.count("battery") >= 2
    views = [item for item in toured if item.source == "camera"]
    assert len(views) >= 10
    assert len({item.id for item in toured}) == len(toured)


def test_no_body_number_and_no_ground_truth_leaves_the_simulator(toured):
    labels = {thing.kind.label for thing in PLAN.things}
    for item in toured:
        assert set(item.extra) <= {"body", "view"}
        assert set(item.extra.get("body", {})) <= {"charge"}
        assert {sighting.label for sighting in item.sightings} <= labels
        for sighting in item.sightings:
            assert not any(letter.isdigit() for letter in sighting.label)
            assert sighting.embedding is None
    truth = {thing.position for thing in PLAN.things}
    for item in toured:
        for sighting in item.sightings:
            assert tuple(item.pose.apply(*sighting.position)) not in truth
