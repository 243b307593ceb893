"""What is seen from where, as far as the walls of a map tell."""

import numpy as np
import pytest

from memory_core.planning.navigation.grid import OccupancyGrid
from memory_core.planning.navigation.sight import in_sight


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


def seen(grid, places, target, *, inside_m=0.5):
    targets, inside = np.array([target]), np.array([inside_m])
    return [bool(in_sight(grid, np.array(place), targets, inside)[0]) for place in places]


def test_a_wall_hides_what_is_behind_it_and_a_doorway_shows_it(grid):
    places = [(4.5, 4.0), (4.5, 2.5), (2.0, 3.6), (1.2, 4.2)]
    assert seen(grid, places, (4.6, 4.0)) == [True, True, False, False]
    assert seen(grid, places, (1.5, 2.5)) == [False, True, True, True]


def test_the_leg_of_a_table_hides_nothing(grid):
    assert seen(grid, [(0.6, 1.8)], (2.4, 1.8)) == [True]


def test_furniture_does_not_hide_itself(grid):
    places = [(1.8, 1.0), (2.7, 2.2), (0.6, 0.6)]
    assert seen(grid, places, (2.7, 1.0), inside_m=0.6) == [True, True, True]
    assert seen(grid, places, (2.7, 1.0), inside_m=0.1) == [False, False, False]
    assert seen(grid, [(4.5, 1.0)], (2.6, 1.0), inside_m=0.4) == [False], "a wall at its back"


def test_of_several_pieces_each_is_told_by_itself(grid):
    targets, place = np.array([[4.6, 4.0], [1.0, 4.0]]), np.array([2.0, 3.6])
    assert in_sight(grid, place, targets, np.full(2, 0.5)).tolist() == [False, True]
    assert in_sight(grid, place, np.zeros((0, 2)), np.zeros(0)).shape == (0,)
