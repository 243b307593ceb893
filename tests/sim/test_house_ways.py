"""Shortest ways through a home, held against straight lines and each other."""

from __future__ import annotations

import math

import numpy as np
import pytest

pytest.importorskip("pybullet")

from memory_sim.house_ways import Floor, Ways
from memory_sim.worlds.home.plan import plan_home

PLAN = plan_home(3, rooms=4, floors=2)


@pytest.fixture(scope="module")
def ways() -> Ways:
    return Ways(PLAN)


def length(floor: Floor, start: tuple[float, float], end: tuple[float, float]) -> float:
    nearest = int(np.hypot(*(floor.centres - end).T).argmin())
    return float(floor.lengths_m(start)[nearest])


def test_a_way_over_free_floor_is_nearly_straight():
    floor = Floor([(0.0, 0.0, 0.1, 8.0), (7.9, 0.0, 8.0, 8.0)])
    for end in ((6.0, 4.0), (6.0, 7.0), (2.0, 7.0), (7.0, 2.0)):
        straight = math.dist((2.0, 2.0), end)
        assert straight - 0.05 <= length(floor, (2.0, 2.0), end) <= 1.03 * straight + 0.05


def test_a_way_goes_around_a_wall():
    wall = (3.9, 0.0, 4.1, 6.0)
    floor = Floor([(0.0, 0.0, 0.1, 8.0), (7.9, 0.0, 8.0, 8.0), wall])
    around = 2 * math.hypot(1.8, 5.27)
    assert length(floor, (2.0, 1.0), (6.0, 1.0)) == pytest.approx(around, rel=0.08)


def test_ways_lead_from_the_dock_to_every_room(ways):
    lengths = ways.lengths_m(PLAN.dock.position)
    for room in PLAN.rooms:
        floor = ways.floors[room.floor]
        inside = ((floor.centres >= room.low) & (floor.centres < room.high)).all(axis=1)
        assert np.isfinite(lengths[room.floor][inside]).any(), room.name


def test_a_fetch_is_at_least_as_long_as_the_way_to_the_asker(ways):
    start = PLAN.dock.position
    kitchen = PLAN.room_by_name["kitchen"]
    thing = (*kitchen.centre, 0.8)
    there = ways.to_fetch_m(start, thing, start, reach_m=(0.45, 0.8))
    seen = ways.to_see_m(start, thing, far_m=1.8)
    assert there >= 2 * seen > 0


def test_a_place_to_stand_is_in_reach_and_the_same_for_the_same_draw(ways):
    places = [ways.free_place(np.random.default_rng(5)) for _ in range(2)]
    assert places[0] == places[1]
    assert PLAN.room_at(*places[0]) is not None
