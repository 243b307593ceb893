"""Where there is more to see: edges of the scanned floor, and floor no camera saw."""

import numpy as np

from memory_core.planning.body import Scan
from memory_core.planning.navigation.frontiers import frontiers
from memory_core.planning.navigation.grid import OccupancyGrid
from memory_core.planning.navigation.paths import Ground

RADIUS_M = 0.25


def room(*, gap: bool) -> OccupancyGrid:
    """A room of 4 x 4 m about the origin, scanned from its middle; a gap in the wall at +x."""
    angles = np.linspace(-np.pi, np.pi, 720, endpoint=False)
    ranges = 2.0 / np.maximum(np.abs(np.cos(angles)), np.abs(np.sin(angles)))
    if gap:
        ranges[np.abs(np.tan(angles)) * (np.cos(angles) > 0) < 0.4 * (np.cos(angles) > 0)] = 3.0
    grid = OccupancyGrid()
    for _ in range(3):
        grid.insert(Scan(angles, ranges, 8.0), (0.0, 0.0, 0.0))
    return grid


def seen_whole(grid: OccupancyGrid) -> None:
    """A camera sees every bit of the floor within the walls."""
    x, y = np.meshgrid(np.arange(-1.95, 1.95, 0.02), np.arange(-1.95, 1.95, 0.02))
    floor = np.stack([x.ravel(), y.ravel(), np.zeros(x.size)], axis=1)
    for _ in range(2):
        grid.insert_points(floor)


def places(grid: OccupancyGrid) -> np.ndarray:
    return frontiers(Ground.of(grid, radius_m=RADIUS_M, through_unknown=False))


def test_a_closed_room_seen_whole_has_none():
    grid = room(gap=False)
    seen_whole(grid)
    assert len(places(grid)) == 0


def test_floor_that_no_camera_saw_is_one():
    x, y = places(room(gap=False))[0]
    assert abs(x) < 1.8 and abs(y) < 1.8


def test_where_the_scan_ends_in_a_gap_is_one():
    grid = room(gap=True)
    seen_whole(grid)
    found = places(grid)
    assert len(found) and (found[:, 0] > 1.8).all()
    assert np.abs(found[:, 1]).max() < 0.8


def test_every_one_can_be_stood_on():
    grid = room(gap=True)
    ground = Ground.of(grid, radius_m=RADIUS_M, through_unknown=False)
    for x, y in frontiers(ground):
        assert ground.passable[grid.cell(x, y)]
