"""Rooms between the walls of a map."""

import numpy as np
import pytest

from memory_core.planning.navigation.grid import OccupancyGrid
from memory_core.planning.navigation.rooms import floor_plan, rooms_of_grid

CELL_M = 0.05


def drawn(walls: list[tuple[float, float, float, float]], *, size: float = 8.0) -> OccupancyGrid:
    """A map of a square floor; boxes x0, y0, x1, y1 of it are occupied, the rest is free."""
    side = round(size / CELL_M)
    odds = np.full((side, side), -1.0, np.float32)
    for x0, y0, x1, y1 in walls:
        rows = slice(round(y0 / CELL_M), round(y1 / CELL_M))
        odds[rows, round(x0 / CELL_M) : round(x1 / CELL_M)] = 3.0
    odds[:2], odds[-2:], odds[:, :2], odds[:, -2:] = 3.0, 3.0, 3.0, 3.0
    return OccupancyGrid.from_odds(odds, np.zeros_like(odds), corner=(0, 0), cell_m=CELL_M)


WALL_WITH_DOOR = [(4.0, 0.0, 4.1, 3.0), (4.0, 4.0, 4.1, 8.0)]


def numbers_at(grid: OccupancyGrid, *points: tuple[float, float]) -> list[int]:
    rooms = rooms_of_grid(grid)
    return [int(rooms[grid.cell(*point)]) for point in points]


def test_a_doorway_parts_two_rooms():
    left, right = numbers_at(drawn(WALL_WITH_DOOR), (2.0, 4.0), (6.0, 4.0))
    assert left > 0 < right
    assert left != right


def test_a_bed_that_leaves_a_narrow_way_past_it_parts_no_room():
    bed = (2.0, 4.2, 6.8, 8.0)
    grid = drawn([bed])
    west, south, east = numbers_at(grid, (1.0, 6.0), (4.0, 2.0), (7.4, 6.0))
    assert west == south == east > 0


def test_a_wide_opening_parts_no_room():
    grid = drawn([(4.0, 0.0, 4.1, 2.5), (4.0, 5.5, 4.1, 8.0)])
    one, other = numbers_at(grid, (2.0, 4.0), (6.0, 4.0))
    assert one == other > 0


def test_what_nobody_has_seen_is_in_no_room():
    grid = OccupancyGrid()
    assert floor_plan([grid], (0.0,)) is None
    assert not rooms_of_grid(drawn(WALL_WITH_DOOR))[:2].any()


def test_a_plan_tells_the_rooms_of_two_floors_apart():
    plan = floor_plan([drawn(WALL_WITH_DOOR), drawn(WALL_WITH_DOOR)], (0.0, 3.0))
    assert plan is not None
    x = np.array([2.0, 6.0, 2.0, 6.0])
    points = np.stack([x, np.full(4, 2.0), [1.0, 1.0, 3.8, 3.8]], axis=1)
    assert len(set(plan.at(points).tolist())) == 4


@pytest.mark.parametrize("turn", [0.0, 0.3])
def test_rooms_do_not_hang_on_how_the_map_lies(turn):
    cosine, sine = np.cos(turn), np.sin(turn)
    side = round(12 / CELL_M)
    rows, columns = np.mgrid[:side, :side]
    x, y = (columns * CELL_M - 6), (rows * CELL_M - 6)
    along, across = cosine * x + sine * y, -sine * x + cosine * y
    inside = (np.abs(along) < 4) & (np.abs(across) < 3)
    wall = (np.abs(along) < 0.06) & (np.abs(across) > 0.5)
    edge = ~inside & (np.abs(along) < 4.2) & (np.abs(across) < 3.2)
    odds = np.where((wall & inside) | edge, 3.0, np.where(inside, -1.0, 0.0)).astype(np.float32)
    grid = OccupancyGrid.from_odds(odds, np.zeros_like(odds), corner=(-120, -120), cell_m=CELL_M)
    one, other = numbers_at(grid, (2 * cosine, 2 * sine), (-2 * cosine, -2 * sine))
    assert one > 0 < other
    assert one != other
