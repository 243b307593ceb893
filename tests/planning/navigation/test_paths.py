"""Ways: the cheapest, off walls, pulled straight, and where to stand."""

import heapq
import itertools
import math

import numpy as np
import pytest

from memory_core.planning.navigation.grid import OccupancyGrid
from memory_core.planning.navigation.paths import Ground, Sweep, length_m
from memory_core.planning.navigation.standing import poses_facing


def drawn(picture, *, cell_m=0.05):
    """A grid from rows of text, lowest y last: # occupied, . free, ? unknown."""
    rows = picture.split()[::-1]
    odds = np.array([[{"#": 2.0, ".": -2.0, "?": 0.0}[c] for c in row] for row in rows])
    return OccupancyGrid.from_odds(odds, np.zeros_like(odds), corner=(0, 0), cell_m=cell_m)


def room(rows, columns, *walls):
    """A free room whose given (row, column) windows are walls, closed all around."""
    odds = np.full((rows, columns), -2.0)
    odds[[0, -1], :] = odds[:, [0, -1]] = 2.0
    for window in walls:
        odds[window] = 2.0
    return OccupancyGrid.from_odds(odds, np.zeros_like(odds), corner=(0, 0))


def ground(grid, *, radius_m=0.2, through_unknown=False):
    return Ground.of(grid, radius_m=radius_m, through_unknown=through_unknown)


def plain_dijkstra(passable, cost, root, cell_m):
    """The textbook's, with a heap, one cell at a time."""
    best = {root: 0.0}
    queue = [(0.0, root)]
    while queue:
        spent, (r, c) = heapq.heappop(queue)
        if spent > best[r, c]:
            continue
        for dr in (-1, 0, 1):
            for dc in (-1, 0, 1):
                to = (r + dr, c + dc)
                inside = 0 <= to[0] < passable.shape[0] and 0 <= to[1] < passable.shape[1]
                if (dr or dc) and inside and passable[to]:
                    step = spent + math.hypot(dr, dc) * cell_m * (cost[r, c] + cost[to]) / 2
                    if step < best.get(to, math.inf) - 1e-12:
                        best[to] = step
                        heapq.heappush(queue, (step, to))
    return best


@pytest.mark.parametrize("seed", range(3))
def test_costs_from_one_place_equal_those_of_the_textbook(seed):
    random = np.random.default_rng(seed)
    odds = np.where(random.random((40, 50)) < 0.02, 2.0, -2.0)
    odds[10:20, 25:30] = 0.0
    grid = OccupancyGrid.from_odds(odds, np.zeros_like(odds), corner=(0, 0))
    made = ground(grid, radius_m=0.06, through_unknown=True)
    root = tuple(map(int, np.argwhere(made.passable)[0]))
    x, y = grid.centres(np.array([root]))[0]
    costs = Sweep(made, (x, y)).costs
    expected = plain_dijkstra(made.passable, made.cost, root, 0.05)
    assert {tuple(map(int, cell)) for cell in np.argwhere(np.isfinite(costs))} == set(expected)
    for cell, cost in expected.items():
        assert costs[cell] == pytest.approx(cost)


def test_a_way_in_an_empty_room_is_the_straight_line():
    way = Sweep(ground(room(100, 120)), (5.0, 4.0)).way((1.0, 1.0))
    assert math.dist(way[0], (1.0, 1.0)) < 0.05
    assert math.dist(way[-1], (5.0, 4.0)) < 0.05
    assert length_m(way) == pytest.approx(5.0, rel=0.02)


def test_a_way_around_a_wall_keeps_the_radius_and_more_where_there_is_room():
    grid = room(100, 120, (slice(0, 70), slice(58, 60)))
    way = Sweep(ground(grid), (5.0, 1.0)).way((1.0, 1.0))
    dense = np.concatenate([np.linspace(a, b, 50) for a, b in itertools.pairwise(way)])
    walls = grid.centres(np.argwhere(grid.occupied))
    gaps = np.sqrt(((dense[:, None] - walls[None]) ** 2).sum(axis=2)).min(axis=1)
    assert gaps.min() > 0.2
    assert max(y for _, y in way) > 3.5 + 0.3
    assert length_m(way) < 8.0


def test_a_gap_narrower_than_the_robot_is_no_way():
    wall_with_gap = [(slice(0, 50), slice(58, 60)), (slice(57, 100), slice(58, 60))]
    grid = room(100, 120, *wall_with_gap)
    assert Sweep(ground(grid), (5.0, 1.0)).way((1.0, 1.0)) == []
    assert Sweep(ground(grid, radius_m=0.12), (5.0, 1.0)).way((1.0, 1.0))


def test_unknown_space_is_a_way_only_where_that_is_wanted():
    odds = np.full((60, 120), -2.0)
    odds[:, 50:70] = 0.0
    grid = OccupancyGrid.from_odds(odds, np.zeros_like(odds), corner=(0, 0))
    assert Sweep(ground(grid), (5.0, 1.5)).way((1.0, 1.5)) == []
    assert Sweep(ground(grid, through_unknown=True), (5.0, 1.5)).way((1.0, 1.5))


def test_a_place_on_furniture_is_approached_as_far_aside_as_allowed():
    grid = room(100, 120, (slice(40, 60), slice(50, 70)))
    sweep = Sweep(ground(grid), (1.0, 1.0))
    assert sweep.way((3.0, 2.5), aside_m=0.3) == []
    near = sweep.way((3.0, 2.5), aside_m=1.0)[0]
    assert math.dist(near, (3.0, 2.5)) <= 1.0


def test_standing_poses_face_the_target_from_the_right_distance_nearest_way_first():
    grid = room(100, 120, (slice(44, 56), slice(54, 66)))
    sweep = Sweep(ground(grid), (1.0, 2.5))
    found = poses_facing(sweep, (3.0, 2.5), near_m=0.6, far_m=1.2)
    poses = [pose for pose, _ in found]
    assert len(poses) >= 8
    for x, y, yaw in poses:
        assert 0.6 <= math.dist((x, y), (3.0, 2.5)) <= 1.2
        bearing = math.atan2(2.5 - y, 3.0 - x)
        assert abs(math.remainder(yaw - bearing, 2 * math.pi)) < 1e-6
    ways = [length_m(sweep.way((x, y))) for x, y, _ in poses]
    assert ways[0] == min(ways)
    assert poses[0][0] < 3.0
    costs = [cost_m for _, cost_m in found]
    assert costs == sorted(costs)
    assert all(way <= cost_m + 1e-6 for way, cost_m in zip(ways, costs, strict=True))


def test_who_goes_on_stands_on_the_side_that_lies_on_the_way():
    grid = room(100, 120, (slice(44, 56), slice(54, 66)))
    here = ground(grid)
    sweep, onward = Sweep(here, (1.0, 2.5)), Sweep(here, (3.0, 4.6))
    poses = poses_facing(sweep, (3.0, 2.5), near_m=0.6, far_m=1.2, onward=onward)
    x, y, _ = poses[0][0]
    assert x < 3.0 < y
    through = length_m(sweep.way((x, y))) + length_m(onward.way((x, y)))
    assert through < 1.1 * math.dist((1.0, 2.5), (3.0, 4.6))


def test_nobody_stands_behind_a_wall_to_look_at_a_thing():
    grid = room(100, 120, (slice(0, 90), slice(58, 60)))
    sweep = Sweep(ground(grid), (1.0, 1.0))
    poses = poses_facing(sweep, (3.5, 1.0), near_m=0.4, far_m=1.2)
    assert poses
    assert all(x > 3.0 for (x, _, _), _ in poses)


def test_no_standing_where_there_is_no_floor_near_enough():
    grid = room(100, 120, (slice(0, 60), slice(30, 90)))
    sweep = Sweep(ground(grid), (1.0, 1.0))
    assert poses_facing(sweep, (3.0, 1.0), near_m=0.4, far_m=0.8) == []
