"""Laying scans on maps."""

import math

import numpy as np
import pytest

from memory_core.planning.navigation.grid import OccupancyGrid
from memory_core.planning.navigation.matching import (
    Pyramid,
    Space,
    crossings,
    refine,
    scan_points,
)
from memory_core.planning.navigation.planar import distance, turn_between
from tests.planning.navigation.flatland import FlatRobot, box, house, wall


def mapped(walls, poses):
    grid = OccupancyGrid()
    for at, pose in enumerate(poses):
        grid.insert(FlatRobot(walls, pose, seed=at).scan(), pose)
    return grid


@pytest.fixture(scope="module")
def hall():
    around = [(6.6 + dx, 7.2 + dy, 0.7 * dx) for dx in (-0.8, 0.0, 0.8) for dy in (-0.6, 0.0, 0.6)]
    return mapped(house(), around)


@pytest.mark.parametrize("off", [(0.2, 0.1, 0.1), (-0.15, 0.2, -0.12), (0.0, -0.25, 0.05)])
def test_a_guess_is_refined_to_within_two_centimetres_and_half_a_degree(hall, off):
    truth = (6.4, 7.3, 0.4)
    points = scan_points(FlatRobot(house(), truth, seed=99).scan())
    match = refine(hall, points, (truth[0] + off[0], truth[1] + off[1], truth[2] + off[2]))
    assert distance(match.pose, truth) < 0.02
    assert turn_between(match.pose, truth) < math.radians(0.5)
    assert match.support > 0.9


def test_a_search_finds_a_scan_far_from_the_guess(hall):
    truth = (7.2, 6.9, -1.0)
    points = scan_points(FlatRobot(house(), truth, seed=5).scan())
    found = Pyramid(hall).search(points, Space((6.4, 7.5, -0.4), 1.2, 1.0))
    assert distance(found[0][1], truth) < 0.1
    assert turn_between(found[0][1], truth) < math.radians(4)


def test_in_a_bare_corridor_the_wheels_decide_along_and_the_scan_across():
    corridor = wall((-30, 0), (30, 0)) + wall((-30, 1.6), (30, 1.6))
    grid = mapped(corridor, [(x, 0.8, 0.0) for x in np.arange(-2.0, 2.1, 0.5)])
    points = scan_points(FlatRobot(corridor, (0.3, 0.8, 0.0), seed=3).scan())
    information = np.diag([400.0, 400.0, 400.0])
    match = refine(grid, points, (0.1, 0.7, 0.05), information=information)
    assert match.pose[0] == pytest.approx(0.1, abs=0.06)
    assert match.pose[1] == pytest.approx(0.8, abs=0.02)
    assert match.covariance[0, 0] > match.covariance[1, 1]


def test_a_scan_laid_behind_a_wall_crosses_it():
    walls = box(0, 0, 4, 4) + wall((2, 0), (2, 4))
    grid = mapped(walls, [(1.0, 1.0, 0.0), (1.0, 3.0, 0.0), (1.0, 2.0, 0.0)] * 3)
    points = scan_points(FlatRobot(box(0, 0, 4, 4), (1.0, 2.0, 0.0)).scan())
    assert crossings(grid, points, (1.0, 2.0, 0.0)) > 0.2
    inside = scan_points(FlatRobot(walls, (1.0, 2.0, 0.0)).scan())
    assert crossings(grid, inside, (1.0, 2.0, 0.0)) < 0.05


def test_a_scan_of_nothing_supports_nothing(hall):
    match = refine(hall, np.zeros((0, 2)), (6.6, 7.2, 0.0))
    assert (match.support, match.overlap) == (0.0, 0.0)
    assert match.pose == (6.6, 7.2, 0.0)
