"""What is seen from where, as far as the walls of a map tell."""

import numpy as np
import pytest

from memory_core.planning.navigation.grid import OccupancyGrid
from memory_core.planning.navigation.sight import in_sight

CELL_M = 0.05


@pytest.fixture
def grid():
    """A room of 6 by 5 m parted by a wall at x = 3 m with a doorway at y 2 to 3, and two tables.

    One stands on its legs at (1.5, 2.5), one is solid, against the wall, with its middle at (2.7, 1).
    """
    odds = np.full((100, 120), -2.0)
    odds[[0, -1], :] = odds[:, [0, -1]] = 2.0
    odds[:40, 58:62] = odds[60:, 58:62] = 2.0
    odds[36:64:27, 24:37:12] = 2.0  # legs
    odds[12:29, 50:58] = 2.0
    return OccupancyGrid.from_odds(odds, np.zeros_like(odds), corner=(0, 0))


def seen(grid, places, target, *, within_m=3.5):
    return in_sight(grid, np.array(places), np.array([target]), within_m=within_m)[:, 0].tolist()


def test_a_wall_hides_what_is_behind_it_and_a_doorway_shows_it(grid):
    places = [(4.5, 4.0), (4.5, 2.5), (2.0, 3.6), (1.2, 4.2)]
    assert seen(grid, places, (4.6, 4.0)) == [True, True, False, False]
    assert seen(grid, places, (1.5, 2.5)) == [False, True, True, True]


def test_the_leg_of_a_table_hides_nothing(grid):
    assert seen(grid, [(0.6, 1.8)], (2.4, 1.8)) == [True]


def test_what_stands_against_a_wall_is_not_seen_from_its_other_side(grid):
    assert seen(grid, [(1.8, 1.0), (4.0, 1.0), (3.3, 1.0)], (2.7, 1.0)) == [True, False, False]


def test_nothing_is_seen_from_too_far(grid):
    assert seen(grid, [(1.0, 4.0), (0.5, 1.5)], (1.0, 1.5), within_m=2.0) == [False, True]
    assert in_sight(grid, np.zeros((1, 2)), np.zeros((0, 2)), within_m=2.0).shape == (1, 0)
