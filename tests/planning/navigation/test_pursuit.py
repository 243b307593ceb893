"""Following a way."""

import itertools
import math

import numpy as np
import pytest

from memory_core.planning.navigation.planar import compose
from memory_core.planning.navigation.pursuit import Limits, Pursuit, free_along, turn_speed

NOTHING = np.zeros((0, 2))


def follow(pursuit, pose, *, obstacles=(), seconds=0.2, most=400):
    """Drive as commanded, exactly; returns the poses."""
    track = [pose]
    for _ in range(most):
        x, y, yaw = pose
        turn = np.array([[math.cos(yaw), -math.sin(yaw)], [math.sin(yaw), math.cos(yaw)]])
        seen = (np.array(obstacles, float).reshape(-1, 2) - (x, y)) @ turn
        command = pursuit.command(pose, seen, seconds=seconds)
        if command.blocked or pursuit.remaining_m(pose) < 0.02:
            return track, command
        way, angle = command.linear_m_s * seconds, command.angular_rad_s * seconds
        half = math.sin(angle / 2) / (angle / 2) if angle else 1.0
        step = (way * half * math.cos(angle / 2), way * half * math.sin(angle / 2), angle)
        pose = compose(pose, step)
        track.append(pose)
    return track, command


def test_it_ends_at_the_end_of_the_way_and_stays_near_it():
    way = [(0.0, 0.0), (2.0, 0.0), (2.0, 2.0), (4.0, 3.0)]
    track, _ = follow(Pursuit(way, limits=Limits(), radius_m=0.2), (0.0, 0.0, 0.0))
    assert math.dist(track[-1][:2], way[-1]) < 0.05
    dense = np.concatenate([np.linspace(a, b, 100) for a, b in itertools.pairwise(way)])
    poses = np.array(track)[:, :2]
    assert np.sqrt(((poses[:, None] - dense[None]) ** 2).sum(axis=2)).min(axis=1).max() < 0.2


@pytest.mark.parametrize("start", [(0.0, 0.0, math.pi), (0.3, -0.3, 2.0), (-0.2, 0.2, -1.5)])
def test_it_finds_onto_the_way_whichever_way_it_looks(start):
    pursuit = Pursuit([(0.0, 0.0), (3.0, 0.0)], limits=Limits(), radius_m=0.2)
    track, _ = follow(pursuit, start)
    assert math.dist(track[-1][:2], (3.0, 0.0)) < 0.05


def test_it_keeps_its_speeds_within_limits_and_slows_before_the_end():
    limits = Limits(speed_m_s=0.4, turn_rad_s=0.9)
    way = [(0.0, 0.0), (1.0, 0.0), (1.0, 1.5)]
    track, _ = follow(Pursuit(way, limits=limits, radius_m=0.2), (0.0, 0.0, 0.0))
    speeds = np.hypot(*np.diff(np.array(track)[:, :2], axis=0).T) / 0.2
    turns = np.abs(np.diff(np.unwrap(np.array(track)[:, 2]))) / 0.2
    assert speeds.max() <= 0.4 + 1e-6
    assert turns.max() <= 0.9 + 1e-6
    assert speeds[-1] < 0.2


def test_it_stops_before_what_stands_in_the_way():
    wall = [(2.0, y) for y in np.linspace(-1, 1, 60)]
    pursuit = Pursuit([(0.0, 0.0), (3.0, 0.0)], limits=Limits(), radius_m=0.2)
    track, command = follow(pursuit, (0.0, 0.0, 0.0), obstacles=wall)
    assert command.blocked
    assert (command.linear_m_s, command.angular_rad_s) == (0.0, 0.0)
    assert 1.3 < track[-1][0] < 1.8


def test_it_passes_what_stands_beside_the_way():
    posts = [(1.0, 0.3), (2.0, -0.3)]
    pursuit = Pursuit([(0.0, 0.0), (3.0, 0.0)], limits=Limits(), radius_m=0.2)
    track, _ = follow(pursuit, (0.0, 0.0, 0.0), obstacles=posts)
    assert math.dist(track[-1][:2], (3.0, 0.0)) < 0.05


@pytest.mark.parametrize(("obstacle", "free"), [((1.0, 0.0), 0.8), ((1.0, 0.5), 2.0)])
def test_the_free_way_ahead_is_the_distance_less_the_radius(obstacle, free):
    found = free_along(0.0, np.array([obstacle]), reach_m=2.0, radius_m=0.2)
    assert found <= free
    assert found >= free - 0.3


def test_a_base_that_touches_something_may_leave_it_but_not_press_on():
    touching = np.array([[0.15, 0.0]])
    assert free_along(0.0, touching, reach_m=0.4, radius_m=0.2) == 0.0
    assert free_along(0.0, -touching, reach_m=0.4, radius_m=0.2) == 0.4


def test_a_bend_is_looked_along_and_not_its_tangent():
    ahead = np.array([[1.0, 0.0]])
    assert free_along(0.0, ahead, reach_m=1.5, radius_m=0.2) < 1.0
    assert free_along(2.0, ahead, reach_m=1.5, radius_m=0.2) == 1.5
    assert free_along(0.0, NOTHING, reach_m=1.5, radius_m=0.2) == 1.5


def test_a_turn_never_passes_its_angle():
    for angle in (0.01, -0.3, 3.0):
        step = turn_speed(angle, Limits(), seconds=0.2) * 0.2
        assert abs(step) <= abs(angle) and step * angle > 0


def bed(corner, *, wide=2.0, deep=1.0):
    """Points on the two near sides of something that stands to the right and below a corner."""
    x, y = corner
    return [(x + a, y) for a in np.arange(0, wide, 0.02)] + [
        (x, y - a) for a in np.arange(0, deep, 0.02)
    ]


def test_it_goes_round_a_corner_that_the_arc_ahead_would_cut():
    # in a corridor of 0.68 m between a wall and a bed, looking at the bed
    obstacles = bed((0.0, -0.34)) + [(a, 0.34) for a in np.arange(-1.0, 2.0, 0.02)]
    way = [(0.25, 0.0), (-0.34, 0.0), (-0.45, -0.5), (-0.45, -1.2)]
    pursuit = Pursuit(way, limits=Limits(), radius_m=0.27)
    track, command = follow(pursuit, (0.25, 0.0, -1.65), obstacles=obstacles)
    assert not command.blocked
    assert math.dist(track[-1][:2], way[-1]) < 0.1
    gap = np.array(track)[:, None, :2] - np.array(obstacles)[None]
    assert np.hypot(gap[..., 0], gap[..., 1]).min() >= 0.27


def test_it_does_not_swing_to_and_fro_on_the_spot():
    way = [(0.0, 0.0), (0.09, 0.0), (-1.14, -0.85)]
    track, _ = follow(
        Pursuit(way, limits=Limits(), radius_m=0.27), (0.0, 0.13, 0.3),
        obstacles=[(-0.26, -0.11)], most=60,
    )  # fmt: skip
    poses = np.array(track)
    still = np.hypot(*np.diff(poses[:, :2], axis=0).T) < 1e-6
    turns = np.sign(np.diff(np.unwrap(poses[:, 2])))
    swings = (turns[1:] * turns[:-1] < 0) & still[1:] & still[:-1]
    assert swings.sum() <= 1
