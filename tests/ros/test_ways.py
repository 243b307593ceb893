"""Ways over maps as nav2 publishes them."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest
from robot_memory_ros.ways import MapWays, check_grid, grid_of

from memory_core.errors import InputRejected

CELL_M = 0.1
WALL_X = 20
"""Column of a wall from below to its door, of cells."""


def message(cells, *, x=-1.0, y=-1.0, yaw=0.0):
    """A nav_msgs/OccupancyGrid."""
    height, width = cells.shape
    turn = SimpleNamespace(x=0.0, y=0.0, z=math.sin(yaw / 2), w=math.cos(yaw / 2))
    origin = SimpleNamespace(position=SimpleNamespace(x=x, y=y, z=0.0), orientation=turn)
    info = SimpleNamespace(width=width, height=height, resolution=CELL_M, origin=origin)
    return SimpleNamespace(info=info, data=cells.astype(np.int8).ravel().tolist())


def two_rooms():
    """4 m by 4 m, a wall at x = 1 with a door of 1 m at its upper end."""
    cells = np.zeros((40, 40))
    cells[[0, -1], :] = cells[:, [0, -1]] = 100
    cells[:29, WALL_X] = 100
    return cells


def ways_over(cells, obstacles=None):
    ways = MapWays(radius_m=0.2)
    ways.take_map(message(cells))
    if obstacles is not None:
        ways.take_obstacles(message(obstacles))
    return ways


def test_a_way_leads_through_the_door():
    ways = ways_over(two_rooms())
    way = ways.way((0.0, 0.0, 0.0), (2.5, 0.0, 0.8))
    crossing = [y for x, y, _ in way if 0.7 < x < 1.3]
    assert crossing
    assert all(y > 1.9 for y in crossing)
    length = ways.travel_m((0.0, 0.0, 0.0), (2.5, 0.0, 0.8))
    assert 3.0 < length < 6.5  # through the door, to within 1 m


def test_ways_between_places_lead_through_the_door_too():
    here, beyond, outside = (0.0, 0.0, 0.0), (2.5, 0.0, 0.8), (40.0, 0.0, 0.0)
    ways = ways_over(two_rooms()).ways_m(here, (here, beyond, outside))
    assert ways[0] == 0.0
    assert 3.0 < ways[1] < 6.5
    assert ways[2] == math.inf
    unknown = MapWays(radius_m=0.2).ways_m(here, (beyond,))
    assert unknown.tolist() == [2.5], "without a map it is as the crow flies"


def test_a_door_that_is_closed_leaves_no_way():
    cells = two_rooms()
    cells[:, WALL_X] = 100
    ways = ways_over(cells)
    assert ways.way((0.0, 0.0, 0.0), (2.5, 0.0, 0.8)) == ()
    assert ways.travel_m((0.0, 0.0, 0.0), (2.5, 0.0, 0.8)) == math.inf


def test_what_a_costmap_holds_is_in_the_way_too():
    blocked = np.zeros((40, 40))
    blocked[29:39, WALL_X] = 100
    assert ways_over(two_rooms(), blocked).travel_m((0.0, 0.0, 0.0), (2.5, 0.0, 0.8)) == math.inf
    inflated = np.where(blocked > 0, 60, 0)  # a cost, no obstacle
    assert math.isfinite(
        ways_over(two_rooms(), inflated).travel_m((0.0, 0.0, 0.0), (2.5, 0.0, 0.8))
    )


def test_one_stands_before_a_thing_within_reach_and_faces_it():
    table = np.zeros((40, 40))
    table[8:12, 8:12] = 100  # 40 cm by 40 cm around the origin
    ways = ways_over(two_rooms(), table)
    target = (0.0, 0.0, 0.7)
    stands = ways.standing((-0.6, 2.0, 0.0), target, near_m=0.45, far_m=0.8)
    assert stands
    for pose in (stand.pose for stand in stands):
        away = math.hypot(pose.x, pose.y)
        assert 0.44 <= away <= 0.81
        assert math.isclose(pose.yaw, math.atan2(-pose.y, -pose.x), abs_tol=1e-6)


def test_before_a_map_has_come_nothing_is_known():
    ways = MapWays(radius_m=0.2)
    assert not ways.known
    assert ways.way((0.0, 0.0, 0.0), (1.0, 0.0, 0.0)) == ()
    assert ways.frontiers() == ()


def test_a_map_lies_where_its_origin_says():
    cells = np.full((4, 6), -1)
    cells[1, 2] = 100
    grid = grid_of(message(cells, x=-3.0, y=7.0), None)
    row, column = grid.cell(-3.0 + 0.25, 7.0 + 0.15)
    assert grid.occupied[row, column]
    assert grid.occupied.sum() == 1
    assert not grid.free.any()


@pytest.mark.parametrize("broken", ["turned", "cut", "empty", "cells"])
def test_maps_that_are_none_are_refused(broken):
    wrong = message(np.zeros((3, 3)), yaw=0.3 if broken == "turned" else 0.0)
    if broken == "cut":
        wrong.data = wrong.data[:-1]
    if broken == "empty":
        wrong = message(np.zeros((0, 3)))
    if broken == "cells":
        wrong.info.resolution = 0.0
    with pytest.raises(InputRejected):
        check_grid(wrong)
