"""Grasps from clouds of simple solids whose right grasps are known from their shape."""

from __future__ import annotations

import math

import numpy as np
import pytest

from memory_core.planning.grasps import evened, grasps

EYE = (0.0, 0.0, 1.2)


def seen_box(centre, size, yaw, *, noise=0.0, seed=0):
    """Points of the faces of an upright box that look at the eye, and how far off noise put them."""
    random = np.random.default_rng(seed)
    turn = np.array(
        [[math.cos(yaw), -math.sin(yaw), 0], [math.sin(yaw), math.cos(yaw), 0], [0, 0, 1]]
    )
    points = []
    for axis in range(3):
        for side in (-0.5, 0.5):
            normal = turn @ (np.eye(3)[axis] * np.sign(side))
            middle = np.array(centre) + turn @ (np.eye(3)[axis] * side * np.array(size))
            if normal @ (np.array(EYE) - middle) <= 0:
                continue
            face = random.uniform(-0.5, 0.5, (250, 3)) * size
            face[:, axis] = side * size[axis]
            points.append(np.array(centre) + face @ turn.T)
    cloud = np.concatenate(points)
    sight = cloud - EYE
    return EYE + sight * (1 + noise * random.standard_normal((len(cloud), 1)))


@pytest.mark.parametrize("yaw", [0.0, 0.5, 1.2, -0.7])
@pytest.mark.parametrize("noise", [0.0, 0.01])
def test_a_long_box_is_taken_across_its_short_side(yaw, noise):
    cloud = seen_box((0.6, 0.05, 0.73), (0.05, 0.16, 0.06), yaw, noise=noise)
    best = grasps(cloud, eye=EYE)[0]
    short = np.array([math.cos(yaw), math.sin(yaw), 0.0])
    assert abs(np.dot(best.closing, short)) > math.cos(0.35)
    assert math.dist(best.position[:2], (0.6, 0.05)) < 0.06
    # across the short side the middle has to be right: the fingers leave 15 mm on each side
    assert abs(np.dot(np.array(best.position) - (0.6, 0.05, 0.0), short)) < 0.012
    assert best.width_m == pytest.approx(0.05, abs=0.022)


def test_a_low_thing_is_taken_from_above_with_the_tips_over_the_table():
    best = grasps(seen_box((0.6, 0.0, 0.715), (0.05, 0.14, 0.03), 0.0), eye=EYE)[0]
    assert best.approach == pytest.approx((0, 0, -1))
    assert 0.705 < best.position[2] < 0.73


def test_a_tall_thing_is_taken_from_its_front_not_from_above():
    best = grasps(seen_box((0.6, 0.0, 0.85), (0.06, 0.06, 0.30), 0.0), eye=EYE)[0]
    assert best.approach[0] > 0.6
    assert best.approach[2] > -0.8


@pytest.mark.parametrize("seed", range(5))
def test_hands_come_at_a_right_angle_to_the_way_fingers_close(seed):
    cloud = seen_box((0.5, -0.1, 0.6), (0.06, 0.09, 0.12), seed * 0.5, noise=0.005, seed=seed)
    found = grasps(cloud, eye=EYE)
    assert len(found) > 5
    for grasp in found:
        assert np.dot(grasp.approach, grasp.closing) == pytest.approx(0, abs=1e-9)
        assert np.linalg.norm(grasp.approach) == pytest.approx(1)
        assert np.linalg.norm(grasp.closing) == pytest.approx(1)
        assert grasp.width_m <= 0.09
    assert [g.score for g in found] == sorted((g.score for g in found), reverse=True)


def test_nothing_is_proposed_for_a_thing_wider_than_the_fingers_open():
    assert grasps(seen_box((0.7, 0.0, 0.7), (0.3, 0.3, 0.3), 0.3), eye=EYE) == ()


def test_nothing_is_proposed_for_a_few_stray_points():
    assert grasps(np.full((3, 3), 0.5), eye=EYE) == ()
    assert grasps(np.full((50, 3), np.nan), eye=EYE) == ()


def test_a_dumbbell_is_taken_by_its_bar():
    heads = [seen_box((0.6, y, 0.76), (0.12, 0.05, 0.12), 0.0, seed=2) for y in (-0.1, 0.1)]
    bar = seen_box((0.6, 0.0, 0.78), (0.03, 0.15, 0.03), 0.0, seed=3)
    best = grasps(np.concatenate([*heads, bar]), eye=EYE)[0]
    assert abs(best.position[1]) < 0.06
    assert abs(best.closing[1]) < 0.4


def test_evening_out_halves_the_noise_along_the_line_of_sight():
    exact = seen_box((0.6, 0.0, 0.8), (0.1, 0.2, 0.2), 0.0, seed=4)
    noisy = seen_box((0.6, 0.0, 0.8), (0.1, 0.2, 0.2), 0.0, noise=0.01, seed=4)

    def spread(points):
        return np.std(np.linalg.norm(points - EYE, axis=1) - np.linalg.norm(exact - EYE, axis=1))

    assert spread(evened(noisy, np.array(EYE))) < 0.5 * spread(noisy)


def test_the_same_cloud_gives_the_same_grasps():
    cloud = seen_box((0.6, 0.0, 0.8), (0.05, 0.1, 0.1), 0.4, noise=0.01)
    assert grasps(cloud, eye=EYE) == grasps(cloud.copy(), eye=EYE)


def test_a_slim_box_that_lies_crosswise_can_be_taken_by_its_end():
    found = grasps(seen_box((0.6, 0.0, 0.75), (0.05, 0.16, 0.09), 0.0), eye=EYE)
    from_aside = [grasp for grasp in found if abs(grasp.approach[1]) > 0.9]
    assert {grasp.approach[1] > 0 for grasp in from_aside} == {True, False}
    for grasp in from_aside:
        assert abs(grasp.closing[0]) > 0.9
        assert grasp.position[1] * grasp.approach[1] < 0.0
