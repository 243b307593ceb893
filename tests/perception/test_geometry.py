"""Rotations, lines of sight and poses against matrices and against scipy's."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memory_core import geometry
from memory_core.types import Pose

small = st.floats(-1, 1, allow_nan=False)
far = st.floats(-1e3, 1e3, allow_nan=False)
quaternions = (
    st.tuples(small, small, small, small)
    .filter(lambda q: sum(n * n for n in q) > 0.05)
    .map(lambda q: np.array(q) / np.linalg.norm(q))
)
points = st.tuples(far, far, far).map(np.array)


def turned(q, point):
    """q p q* by Hamilton's product, written out on its own."""
    x, y, z, w = q
    axis = np.array([x, y, z])
    return point + 2 * np.cross(axis, np.cross(axis, point) + w * point)


@given(quaternions, points)
def test_a_matrix_turns_points_as_its_quaternion_does(q, point):
    assert np.allclose(geometry.quaternion_to_matrix(q) @ point, turned(q, point), atol=1e-9)


@given(quaternions)
def test_a_quaternion_survives_the_way_through_a_matrix(q):
    matrix = geometry.quaternion_to_matrix(q)
    back = geometry.matrix_to_quaternion(matrix)
    assert np.linalg.norm(back) == pytest.approx(1)
    assert back[3] >= 0
    assert abs(float(back @ q)) == pytest.approx(1)
    assert np.allclose(matrix @ matrix.T, np.eye(3))
    assert np.linalg.det(matrix) == pytest.approx(1)


@pytest.mark.parametrize("axis", [(1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 0), (-1, 2, 0.5)])
def test_half_turns_are_found_again(axis):
    unit = np.array(axis, float) / np.linalg.norm(axis)
    matrix = 2 * np.outer(unit, unit) - np.eye(3)
    q = geometry.matrix_to_quaternion(matrix)
    assert np.allclose(geometry.quaternion_to_matrix(q), matrix, atol=1e-9)


@given(quaternions, quaternions, st.floats(0, 1))
def test_slerp_turns_by_its_share_of_the_angle(start, end, fraction):
    whole = geometry.angle_between(start, end)
    mixed = geometry.slerp(start, end, fraction)
    assert np.linalg.norm(mixed) == pytest.approx(1)
    assert geometry.angle_between(start, mixed) == pytest.approx(fraction * whole, abs=2e-4)
    assert geometry.angle_between(mixed, end) == pytest.approx((1 - fraction) * whole, abs=2e-4)


@given(quaternions, quaternions)
def test_slerp_over_many_shares_is_slerp_over_each(start, end):
    shares = np.array([0.0, 0.2, 0.9])
    each = [geometry.slerp(start, end, float(share)) for share in shares]
    assert np.allclose(geometry.slerp(start, end, shares), each)


@given(quaternions, st.floats(0, math.pi))
def test_the_angle_between_two_orientations_is_that_of_the_turn(q, angle):
    turn = np.array([0, 0, math.sin(angle / 2), math.cos(angle / 2)])
    ours = Pose(*(0.0, 0.0, 0.0), *q).compose(Pose(*(0.0, 0.0, 0.0), *turn))
    found = geometry.angle_between(q, np.array(ours.quaternion))
    assert found == pytest.approx(angle, abs=1e-6)


poses = st.tuples(points, quaternions).map(lambda p: Pose(*p[0].tolist(), *p[1].tolist()))


@given(poses, poses, points)
def test_composing_poses_is_multiplying_matrices(outer, inner, point):
    both = outer.compose(inner)
    assert np.allclose(both.matrix(), outer.matrix() @ inner.matrix(), atol=1e-6)
    assert np.allclose(outer.inverse().matrix(), np.linalg.inv(outer.matrix()), atol=1e-6)
    expected = (outer.matrix() @ [*point, 1])[:3]
    assert np.allclose(outer.apply(*point), expected, atol=1e-6)
    assert np.allclose(outer.transform(point[None])[0], expected, atol=1e-6)


@given(st.lists(poses, min_size=1, max_size=4), points)
def test_many_poses_carry_many_points_at_once(many, point):
    found = geometry.transform_points(
        np.array([p.position for p in many]), np.array([p.quaternion for p in many]),
        np.tile(point, (len(many), 1)),
    )  # fmt: skip
    assert np.allclose(found, [(p.matrix() @ [*point, 1])[:3] for p in many], atol=1e-6)


@given(st.floats(-3.14, 3.14), far, far)
def test_a_heading_survives_a_pose(yaw, x, y):
    assert Pose.from_yaw(x, y, yaw=yaw).yaw == pytest.approx(yaw)


@pytest.mark.parametrize("azimuth, elevation, expected", [
    (0, 0, (1, 0, 0)), (90, 0, (0, 1, 0)), (-90, 0, (0, -1, 0)), (0, 90, (0, 0, 1)),
    (180, 45, (-math.sqrt(0.5), 0, math.sqrt(0.5))),
])  # fmt: skip
def test_a_bearing_points_where_it_says(azimuth, elevation, expected):
    found = geometry.bearing_direction(math.radians(azimuth), math.radians(elevation))
    assert found == pytest.approx(expected, abs=1e-12)


def sights(target, origins):
    origins = np.array(origins, float)
    rays = np.array(target) - origins
    return origins, rays / np.linalg.norm(rays, axis=1, keepdims=True)


@given(st.tuples(*[st.floats(-5, 5)] * 3))
def test_lines_of_sight_meet_at_what_is_seen(target):
    origins = [(10, 0, 1), (0, 10, 2), (-10, -10, 0), (0, 0, 12)]
    point, residual = geometry.triangulate(*sights(target, origins))
    assert point == pytest.approx(target, abs=1e-6)
    assert residual == pytest.approx(0, abs=1e-6)


def test_the_residual_is_the_distance_of_the_lines_from_the_point():
    # two lines that pass each other at right angles, 0.2 m apart, 0.1 m from the middle each
    origins = np.array([[-5, 0, 0.1], [0, -5, -0.1]])
    directions = np.array([[1.0, 0, 0], [0, 1, 0]])
    point, residual = geometry.triangulate(origins, directions)
    assert point == pytest.approx((0, 0, 0), abs=1e-9)
    assert residual == pytest.approx(0.1)


def test_parallel_lines_meet_nowhere():
    with pytest.raises(ValueError, match="parallel"):
        geometry.triangulate(np.array([[0, 0, 0], [0, 1, 0.0]]), np.array([[1, 0, 0]] * 2, float))


def test_lines_that_meet_behind_an_observer_are_refused():
    origins, directions = sights((5, 0, 0), [(0, 0, 0), (0, 3, 0)])
    with pytest.raises(ValueError, match="behind"):
        geometry.triangulate(origins, -directions)


@pytest.mark.parametrize("matrix, rigid", [
    (np.eye(4), True), (Pose.from_yaw(1e3, 2, yaw=1).matrix(), True),
    (np.diag([2, 0.5, 1, 1.0]), False), (np.diag([1, 1, -1, 1.0]), False),
    (np.diag([1, 1, 1, 2.0]), False), (np.full((4, 4), np.nan), False), (np.zeros((4, 4)), False),
])  # fmt: skip
def test_a_rigid_motion_is_told_from_other_matrices(matrix, rigid):
    assert geometry.is_rigid(matrix) is rigid
