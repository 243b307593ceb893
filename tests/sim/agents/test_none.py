"""No memory: what is searched, and that nothing else is known."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("pybullet")

from memory_core.planning.navigation.grid import OccupancyGrid
from memory_sim.agents.none import Nothing
from memory_sim.agents.places import SPREAD_M, free_places, regions_at
from tests.sim.agents.seen import NOW_NS, straight

FREE, TAKEN = -5.0, 5.0


def room(width_m: float = 6.0, depth_m: float = 4.5) -> OccupancyGrid:
    """An empty room with its corner at the origin, walls all around."""
    rows, columns = round(depth_m / 0.05) + 2, round(width_m / 0.05) + 2
    odds = np.full((rows, columns), TAKEN)
    odds[1:-1, 1:-1] = FREE
    return OccupancyGrid.from_odds(odds, np.zeros_like(odds), corner=(-1, -1))


def test_places_are_free_and_spread_over_the_room():
    places = free_places([room()], [0.0])
    assert all(0.25 < x < 5.75 and 0.25 < y < 4.25 and z == 0.0 for x, y, z in places)
    corners = [(0.5, 0.5), (5.5, 0.5), (0.5, 4.0), (5.5, 4.0)]
    for corner in corners:
        assert min(math.dist(corner, place[:2]) for place in places) <= SPREAD_M * math.sqrt(2)


def test_a_place_stays_where_it_is_when_something_is_seen_elsewhere():
    before, grid = free_places([room()], [0.0]), room()
    grid.set_depth(np.array([[0.4, 0.4], [3.4, 3.4]]), np.full(2, TAKEN))
    assert not grid.free[tuple(grid.cells(np.array([[0.4, 0.4]]))[0])]
    assert free_places([grid], [0.0]) == before


def test_who_went_to_a_place_does_not_go_to_the_same_square_again():
    grid = room()
    navigator = SimpleNamespace(
        localiser=SimpleNamespace(atlas=SimpleNamespace(grids=[grid], heights_m=[0.0]))
    )
    nothing, where = Nothing(navigator), {"now_ns": NOW_NS, "travel_m": straight}
    before = {region.centre for region in nothing.regions("mug", **where)}
    middle = next(iter(before))[:2]
    grid.set_depth(np.array([middle]), np.full(1, TAKEN))
    assert {at[:2] for at in free_places([grid], [0.0])} != {at[:2] for at in before}
    assert {region.centre for region in nothing.regions("mug", **where)} <= before


def test_places_lie_on_every_floor():
    assert {z for _, _, z in free_places([room(), room()], [0.0, 3.0])} == {0.0, 3.0}


def test_the_nearest_place_is_searched_first():
    regions = regions_at(free_places([room()], [0.0]), straight)
    ways = [region.travel_m for region in regions]
    assert ways == sorted(ways)


def test_nothing_is_known():
    nothing = Nothing(None)
    where = {"now_ns": NOW_NS, "travel_m": straight}
    assert nothing.meant("red mug in the kitchen", **where).candidates == ()
    assert nothing.meant("red mug in the kitchen", **where).thing == "red mug"
    assert nothing.room("kitchen", **where) is None
    assert nothing.ask("where is the red mug?", now_ns=NOW_NS).abstained
    assert nothing.looks_for("red mug", since_ns=1) == ()
    assert nothing.outcomes_like("fetch", k=3) == ()
