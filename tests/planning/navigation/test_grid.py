"""The occupancy grid: what scans and depth do to it."""

import numpy as np
import pytest
from scipy import ndimage

from memory_core.planning.body import Scan
from memory_core.planning.navigation.grid import OccupancyGrid


def one_beam(reach: float, *, angle: float = 0.0) -> Scan:
    return Scan(np.array([angle]), np.array([reach]), 8.0)


def test_a_beam_frees_what_it_passes_and_occupies_where_it_ends():
    grid = OccupancyGrid()
    grid.insert(one_beam(1.02), (0.025, 0.025, 0.0))
    assert grid.occupied[grid.cell(1.04, 0.025)]
    assert grid.free[grid.cell(0.5, 0.025)]
    assert grid.known.sum() == 20  # a metre of cells; the robot's own is not passed
    assert not grid.known[grid.cell(0.5, 0.1)]


def test_a_beam_that_meets_nothing_frees_its_whole_reach():
    grid = OccupancyGrid()
    grid.insert(one_beam(np.inf), (0.0, 0.0, np.pi / 2))
    assert grid.free[grid.cell(0.0, 7.9)]
    assert not grid.occupied.any()


def test_what_was_there_is_freed_after_a_few_looks_past_it_and_comes_back_as_fast():
    grid = OccupancyGrid()
    for _ in range(50):
        grid.insert(one_beam(1.0), (0.0, 0.0, 0.0))
    assert grid.occupied[grid.cell(1.0, 0.0)]
    for _ in range(9):
        grid.insert(one_beam(3.0), (0.0, 0.0, 0.0))
    assert grid.free[grid.cell(1.0, 0.0)]
    for _ in range(40):
        grid.insert(one_beam(3.0), (0.0, 0.0, 0.0))
    for _ in range(4):
        grid.insert(one_beam(1.0), (0.0, 0.0, 0.0))
    assert grid.occupied[grid.cell(1.0, 0.0)]


def test_a_grid_that_grows_keeps_what_it_holds():
    grid = OccupancyGrid()
    grid.insert(one_beam(1.0), (0.0, 0.0, 0.0))
    before = grid.shape
    grid.insert(one_beam(2.0), (-9.0, -9.0, np.pi))
    assert grid.shape > before
    assert grid.occupied[grid.cell(1.0, 0.0)]
    assert grid.occupied[grid.cell(-11.0, -9.0)]
    assert grid.occupied.sum() == 2


def test_distances_kept_up_to_date_piece_by_piece_equal_those_made_anew():
    random = np.random.default_rng(0)
    grid = OccupancyGrid()
    angles = np.linspace(-np.pi, np.pi, 60)
    for turn in range(30):
        scan = Scan(angles, random.uniform(0.5, 4.0, 60), 8.0)
        grid.insert(scan, (float(random.uniform(-3, 3)), float(random.uniform(-3, 3)), 0.3 * turn))
        grid.insert_points(random.uniform([-4, -4, 0], [4, 4, 1], (200, 3)))
        if turn % 3 == 0:
            anew = np.minimum(0.75, 0.05 * ndimage.distance_transform_edt(~grid.occupied))
            assert np.abs(grid.clearance_m() - anew).max() < 1e-5
            anew = np.minimum(0.75, 0.05 * ndimage.distance_transform_edt(~grid.walls))
            assert np.abs(grid.wall_distance_m() - anew).max() < 1e-5


def test_a_table_top_is_kept_though_the_scanner_sees_below_it():
    grid = OccupancyGrid()
    grid.insert_points(np.full((20, 3), [1.0, 0.0, 0.75]))
    for _ in range(20):
        grid.insert(one_beam(3.0), (0.0, 0.0, 0.0))
    assert grid.occupied[grid.cell(1.0, 0.0)]
    assert not grid.walls[grid.cell(1.0, 0.0)]


@pytest.mark.parametrize("height", [0.0, 0.05, 1.5, -0.3])
def test_floor_and_what_hangs_high_is_no_obstacle(height):
    grid = OccupancyGrid()
    grid.insert_points(np.full((20, 3), [1.0, 0.0, 2.8 + height]), floor_m=2.8)
    assert not grid.occupied.any()


def test_floor_seen_where_a_thing_stood_frees_it():
    grid = OccupancyGrid()
    for _ in range(10):
        grid.insert_points(np.full((20, 3), [1.0, 0.0, 0.5]))
    assert grid.occupied[grid.cell(1.0, 0.0)]
    for _ in range(10):
        grid.insert_points(np.full((20, 3), [1.0, 0.0, 0.0]))
    assert grid.free[grid.cell(1.0, 0.0)]


def test_a_touched_place_is_an_obstacle_until_the_depth_layer_is_cleared():
    grid = OccupancyGrid()
    grid.mark(2.0, 1.0)
    assert grid.occupied[grid.cell(2.0, 1.0)]
    grid.clear_depth((2.2, 1.0, 0.0), 0.5)
    assert not grid.occupied.any()


def test_distance_of_points_to_obstacles_is_that_to_the_nearest_cell():
    grid = OccupancyGrid()
    grid.mark(2.0, 1.0)
    ways = np.array([[1.0, 1.0], [2.025, 1.225]])
    assert grid.distance_to_occupied_m(ways, within_m=1.0) == pytest.approx(0.2, abs=1e-6)
    assert grid.distance_to_occupied_m(ways[:1], within_m=0.3) == 0.3
