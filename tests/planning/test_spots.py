"""Free spots on surfaces, from points."""

import numpy as np

from memory_core.planning.spots import (
    APART_M,
    CLEAR_M,
    MOST,
    TIGHT_M,
    free_spots,
    points_over,
)

FLOOR_M = 3.0


def table(*, thing_at: tuple[float, float] | None = None) -> np.ndarray:
    """A table top of 1.0 x 0.6 m at 0.75 m over a floor at 3 m, centred on (2, 1)."""
    x, y = np.meshgrid(np.arange(1.5, 2.5, 0.01), np.arange(0.7, 1.3, 0.01))
    z = np.full(x.shape, FLOOR_M + 0.75)
    if thing_at is not None:
        z[np.hypot(x - thing_at[0], y - thing_at[1]) < 0.06] += 0.12
    floor = np.stack([x - 1.5, y, np.full(x.shape, FLOOR_M)], axis=-1).reshape(-1, 3)
    return np.concatenate([np.stack([x, y, z], axis=-1).reshape(-1, 3), floor])


def spots(cloud: np.ndarray):
    return free_spots(cloud, (2.0, 1.0, FLOOR_M + 0.7), floor_m=FLOOR_M, toward=(2.0, 0.0))


def spot(cloud: np.ndarray):
    return spots(cloud)[0]


def test_further_spots_lie_apart_and_further_away():
    found = np.array(spots(table()))
    assert len(found) == MOST
    apart = np.linalg.norm(found[:, None] - found[None], axis=2)[np.triu_indices(MOST, 1)]
    assert apart.min() >= APART_M - 1e-9
    away = np.linalg.norm(found[:, :2] - np.array([2.0, 0.0]), axis=1)
    assert (np.diff(away) >= 0).all()


def test_the_spot_lies_on_the_surface_near_the_robot_and_off_the_edge():
    x, y, z = spot(table())
    assert abs(z - (FLOOR_M + 0.75)) < 0.02
    assert 0.7 + CLEAR_M - 0.03 <= y <= 0.85 and 1.5 + CLEAR_M - 0.03 <= x <= 2.5


def test_it_keeps_clear_of_what_stands_there():
    x, y, _ = spot(table(thing_at=(2.0, 0.8)))
    assert np.hypot(x - 2.0, y - 0.8) > 0.06 + CLEAR_M - 0.03


def test_between_two_rows_of_things_there_is_room_for_what_needs_less():
    cloud = table()
    full = np.abs(cloud[:, 1] - 1.0) > (CLEAR_M + TIGHT_M) / 2
    cloud[full & (cloud[:, 2] > FLOOR_M + 0.5), 2] += 0.1
    strip = cloud[(cloud[:, 2] < FLOOR_M + 0.5) | ~full]
    assert free_spots(strip, (2.0, 1.0, 3.7), floor_m=FLOOR_M, toward=(2.0, 0.0)) == []
    tight = free_spots(strip, (2.0, 1.0, 3.7), floor_m=FLOOR_M, toward=(2.0, 0.0), clear_m=TIGHT_M)
    assert tight and all(abs(y - 1.0) <= (CLEAR_M - TIGHT_M) / 2 + 0.02 for _, y, _ in tight)


def test_rows_of_points_with_gaps_between_are_one_surface():
    cloud = table()
    gaps = cloud[np.floor(cloud[:, 1] / 0.02) % 3 != 1]  # no points in every third 2 cm
    x, y, _ = spot(gaps)
    assert abs(x - spot(cloud)[0]) < 0.1
    assert abs(y - spot(cloud)[1]) < 0.1


def test_a_full_surface_and_a_bare_floor_have_none():
    cloud = table()
    cloud = cloud[cloud[:, 2] > FLOOR_M + 0.5]
    bumps = cloud.copy()
    bumps[:, 2] += 0.1 * (np.floor(cloud[:, 0] / 0.1) % 2)
    assert spots(bumps) == []
    assert spots(np.array([[2.0, 1.0, FLOOR_M]])) == []


def test_points_are_over_what_is_in_view_and_not_beside_it():
    cloud = table()
    front, beside = (2.0, 0.7, FLOOR_M + 0.4), 0.05
    deep = cloud[(cloud[:, 2] > FLOOR_M + 0.5) & (cloud[:, 0] < 2.0)]
    own = deep[::7]
    kept = points_over(cloud, own, centre=front, reach_m=0.2, beside_m=beside)
    assert kept[:, 0].max() <= 2.0 + 0.2
    assert kept[kept[:, 1] > 0.95, 0].max() <= 2.0 + beside
    assert kept[:, 1].max() > 1.25  # to its back, not only around its front
    round_front = points_over(cloud, own[:0], centre=front, reach_m=0.2, beside_m=beside)
    assert np.hypot(round_front[:, 0] - 2.0, round_front[:, 1] - 0.7).max() <= 0.2


def shelf(*, full=()) -> np.ndarray:
    """Boards of 0.9 x 0.4 m at 0.5, 0.9 and 1.3 m, some of them full; seen from the front."""
    x, y = np.meshgrid(np.arange(1.55, 2.45, 0.01), np.arange(0.8, 1.2, 0.01))
    clouds = []
    for z in (0.5, 0.9, 1.3):
        bumps = 0.1 * (np.floor(x / 0.1) % 2) if z in full else 0.0
        clouds.append(np.stack([x, y, np.full(x.shape, FLOOR_M + z) + bumps], axis=-1))
    return np.concatenate([cloud.reshape(-1, 3) for cloud in clouds])


def on_boards(cloud, height_m):
    near = (2.0, 1.0, FLOOR_M + height_m)
    found = free_spots(cloud, near, floor_m=FLOOR_M, toward=(2.0, 0.0), boards=True)
    return [round(z - FLOOR_M, 1) for _, _, z in found]


def test_of_boards_the_closest_in_height_comes_first_and_the_others_after_it():
    assert on_boards(shelf(), 0.95) == [0.9, 1.3, 0.5]
    assert on_boards(shelf(), 0.45) == [0.5, 0.9, 1.3]


def test_a_board_that_is_full_is_passed_over():
    assert on_boards(shelf(full=(0.9,)), 0.95) == [1.3, 0.5, 1.3]
    assert on_boards(shelf(full=(0.5, 0.9, 1.3)), 0.95) == []


def test_under_a_board_too_close_above_there_is_no_room():
    low = shelf()
    low[low[:, 2] > FLOOR_M + 1.2, 2] -= 0.27  # to 13 cm above the middle one
    assert 0.9 not in on_boards(low, 0.95)
