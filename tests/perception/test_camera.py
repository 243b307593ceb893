"""Pixels and depth to points: a scene made here, seen by a camera made here."""

from __future__ import annotations

import math

import numpy as np
import pytest

from memory_core.errors import InputRejected
from memory_core.perception.camera import (
    MOST_PIXELS,
    OPTICAL_IN_BODY,
    Intrinsics,
    back_project,
    object_position,
    thinned,
)

LENS = Intrinsics(200.0, 210.0, 79.5, 59.5, 160, 120)


def seen(x, y, z):
    """The pixel (column, row) of a point ahead x, left y, up z."""
    return LENS.cx - LENS.fx * y / x, LENS.cy - LENS.fy * z / x


def test_optical_axes_are_right_down_and_forward():
    assert OPTICAL_IN_BODY.matrix()[:3, :3] == pytest.approx(
        np.array([[0, 0, 1], [-1, 0, 0], [0, -1, 0]]), abs=1e-12
    )


@pytest.mark.parametrize("point", [(2.0, 0.3, -0.2), (4.0, -1.0, 0.9), (1.0, 0.0, 0.0)])
def test_a_pixels_bearing_points_at_what_it_shows(point):
    x, y, z = point
    azimuth, elevation = LENS.bearing(*seen(*point))
    assert azimuth == pytest.approx(math.atan2(y, x))
    assert elevation == pytest.approx(math.atan2(z, math.hypot(x, y)))


def test_depth_pixels_become_points_before_the_camera():
    depth = np.zeros((120, 160))
    wanted = []
    for u, v, metres in ((10, 20, 1.5), (159, 119, 3.0), (80, 60, 0.5)):
        depth[v, u] = metres
        wanted.append((metres, -(u - 79.5) / 200 * metres, -(v - 59.5) / 210 * metres))
    depth[0, 0], depth[1, 1], depth[2, 2] = np.nan, np.inf, -1.0
    found = back_project(depth, LENS)
    assert np.allclose(sorted(found.tolist()), sorted(wanted))


def test_a_mask_leaves_out_the_other_pixels():
    mask = np.zeros((120, 160), bool)
    mask[50:60, 70:75] = True
    assert len(back_project(np.full((120, 160), 2.0), LENS, mask=mask)) == 50


@pytest.mark.parametrize("numbers", [
    (0, 100, 1, 1), (100, -1, 1, 1), (math.nan, 100, 1, 1), (100, 100, math.inf, 1),
])  # fmt: skip
def test_intrinsics_of_no_camera_are_refused(numbers):
    with pytest.raises(InputRejected):
        Intrinsics(*numbers, 160, 120)


def box_before_a_wall():
    """Depth of a 0.4 m square, 2 m ahead, 0.3 m to the left, 0.1 m up, before a wall at 5 m."""
    depth = np.full((120, 160), 5.0)
    u0, v0 = seen(2.0, 0.3 + 0.2, 0.1 + 0.2)
    u1, v1 = seen(2.0, 0.3 - 0.2, 0.1 - 0.2)
    inside = np.zeros_like(depth, bool)
    inside[math.ceil(v0) : math.floor(v1) + 1, math.ceil(u0) : math.floor(u1) + 1] = True
    depth[inside] = 2.0
    return depth, inside


def test_a_thing_is_located_at_its_middle_though_its_mask_catches_the_wall():
    depth, inside = box_before_a_wall()
    rows, columns = np.nonzero(inside)
    mask = np.zeros_like(inside)
    mask[rows.min() - 2 : rows.max() + 3, columns.min() - 4 : columns.max() + 5] = True
    centre, covariance, size = object_position(depth, LENS, mask)
    assert centre == pytest.approx((2.0, 0.3, 0.1), abs=0.03)
    assert size == pytest.approx((0.0, 0.4, 0.4), abs=0.08)
    matrix = np.array(covariance).reshape(3, 3)
    assert np.all(np.linalg.eigvalsh(matrix) > 0)


def test_too_little_depth_gives_no_position():
    depth, inside = box_before_a_wall()
    assert object_position(np.zeros_like(depth), LENS, inside) is None
    few = np.zeros_like(inside)
    few[60, 60:67] = True
    assert object_position(depth, LENS, few) is None


def test_a_thing_in_two_pieces_a_hand_apart_is_one_and_one_further_off_is_not():
    depth = np.full((120, 160), 2.0)
    mask = np.zeros_like(depth, bool)
    mask[50:70, 40:60] = mask[50:70, 64:74] = True  # 4 cm apart
    assert object_position(depth, LENS, mask)[2][1] == pytest.approx(0.33, abs=0.04)
    mask[50:70, 110:118] = True  # 36 cm further
    assert object_position(depth, LENS, mask)[2][1] == pytest.approx(0.33, abs=0.04)


def test_a_large_mask_is_thinned_evenly_and_a_small_one_is_left():
    large = np.zeros((120, 160), bool)
    large[10:110, 5:155] = True
    kept = thinned(large)
    assert MOST_PIXELS / 2 < kept.sum() <= MOST_PIXELS
    assert not (kept & ~large).any()
    rows, columns = np.nonzero(kept)
    assert (rows.mean(), columns.mean()) == pytest.approx((59.5, 79.5), abs=2)
    small = np.zeros_like(large)
    small[3:20, 4:50] = True
    assert thinned(small) is small


def test_thinning_a_large_mask_does_not_move_the_thing():
    depth, inside = box_before_a_wall()
    large = np.repeat(np.repeat(inside, 3, axis=0), 3, axis=1)
    fine = Intrinsics(600.0, 630.0, 239.5, 179.5, 480, 360)
    centre = object_position(np.repeat(np.repeat(depth, 3, axis=0), 3, axis=1), fine, large)[0]
    assert large.sum() > MOST_PIXELS
    assert centre == pytest.approx((2.0, 0.3, 0.1), abs=0.02)
