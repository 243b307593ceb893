"""Free spots on surfaces, from points."""

import numpy as np

from memory_core.planning.spots import APART_M, CLEAR_M, MOST, free_spots

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
    assert apart.min() >= APART_M
    away = np.linalg.norm(found[:, :2] - np.array([2.0, 0.0]), axis=1)
    assert (np.diff(away) >= 0).all()


def test_the_spot_lies_on_the_surface_near_the_robot_and_off_the_edge():
    x, y, z = spot(table())
    assert abs(z - (FLOOR_M + 0.75)) < 0.02
    assert 0.7 + CLEAR_M - 0.03 <= y <= 0.85 and 1.5 + CLEAR_M - 0.03 <= x <= 2.5


def test_it_keeps_clear_of_what_stands_there():
    x, y, _ = spot(table(thing_at=(2.0, 0.8)))
    assert np.hypot(x - 2.0, y - 0.8) > 0.06 + CLEAR_M - 0.03


def test_a_full_surface_and_a_bare_floor_have_none():
    cloud = table()
    cloud = cloud[cloud[:, 2] > FLOOR_M + 0.5]
    bumps = cloud.copy()
    bumps[:, 2] += 0.1 * (np.floor(cloud[:, 0] / 0.1) % 2)
    assert spots(bumps) == []
    assert spots(np.array([[2.0, 1.0, FLOOR_M]])) == []
