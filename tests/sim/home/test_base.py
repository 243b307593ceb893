"""The driving base: where it gets to, what it feels, and what it measures."""

from __future__ import annotations

import math

import numpy as np
import pytest

pytest.importorskip("pybullet")

from memory_core.errors import SkillFailed
from memory_core.types import Pose
from memory_sim.worlds.home.base import EXACT, OdometryNoise, SimBase
from memory_sim.worlds.home.cabinets import BOARD_M
from memory_sim.worlds.home.plan import plan_home
from memory_sim.worlds.home.world import World
from tests.sim.home.workroom import in_front, workroom


@pytest.fixture
def room():
    plan, piece = workroom("kitchen counter", ("soda can",))
    with World(plan) as world:
        yield world, piece


def exact(world):
    return SimBase(world, odometry_noise=EXACT, seed=1)


def test_driving_ahead_takes_speed_times_time_and_the_clock_goes_on(room):
    base = exact(room[0])
    base.put(in_front(room[1], x=1.2))
    before = base.true_pose
    motion = base.drive(-0.25, 0.0, 2.0)
    assert math.dist(before.position, base.true_pose.position) == pytest.approx(0.5)
    assert motion.stamp_ns == 2_000_000_000
    assert motion.odometry.x == pytest.approx(-0.5)
    assert not motion.bumped


def test_a_half_circle_ends_two_radii_to_the_left_and_turned_about(room):
    base = exact(room[0])
    start = in_front(room[1], x=1.5)
    base.put(start)
    motion = base.drive(0.2, 0.5, math.pi / 0.5)
    end = start.inverse().compose(base.true_pose)
    assert (end.x, end.y) == pytest.approx((0.0, 2 * 0.2 / 0.5), abs=1e-6)
    assert abs(end.yaw) == pytest.approx(math.pi)
    assert (motion.odometry.x, motion.odometry.y) == pytest.approx((end.x, end.y), abs=1e-6)


def test_the_base_stops_at_what_it_touches_and_tells_how_fast_it_was(room):
    world, piece = room
    base = exact(world)
    base.put(in_front(piece, x=1.2))
    motion = base.drive(0.5, 0.0, 4.0)
    assert motion.bumped
    front = piece.kind.size[0] / 2 - BOARD_M  # the foot stands back behind the fronts
    gap = math.dist(base.true_pose.position, piece.pose.position) - front - base.radius_m
    assert 0 <= gap < 0.01
    assert motion.stamp_ns < 3_000_000_000
    assert base.contact_speeds_m_s == [0.5]
    assert not base.drive(-0.3, 0.0, 0.5).bumped


def test_it_drives_no_faster_than_a_walk(room):
    base = exact(room[0])
    base.put(in_front(room[1], x=1.0))
    base.drive(-9.0, 0.0, 0.5)
    assert math.dist(base.true_pose.position, in_front(room[1], x=1.0).position) == pytest.approx(
        0.3
    )


def test_odometry_drifts_as_configured_and_the_same_way_each_time():
    noise = OdometryNoise(scale=0.05, turn_scale=0.0, drift_rad_m=0.0, distance=0.0, turn=0.0)
    plan, piece = workroom("kitchen counter")

    def error(seed):
        with World(plan) as world:
            base = SimBase(world, odometry_noise=noise, seed=seed)
            base.put(in_front(piece, x=1.0))
            return base.drive(-0.5, 0.0, 2.0).odometry.x + 1.0

    errors = [error(seed) for seed in range(20)]
    assert 0.03 < np.std(errors) < 0.08
    assert abs(np.mean(errors)) < 0.03
    assert error(0) == errors[0]


def test_a_jump_shows_in_the_odometry_and_moves_nothing(room):
    base = exact(room[0])
    base.put(in_front(room[1], x=1.2))
    before = base.true_pose
    base.jump(0.4, -0.2, 0.3)
    motion = base.drive(0.0, 0.0, 0.1)
    assert base.true_pose == before
    assert (motion.odometry.x, motion.odometry.y) == pytest.approx((0.4, -0.2))
    assert motion.odometry.yaw == pytest.approx(0.3)


def test_the_scanner_measures_the_way_to_the_furniture_ahead_and_not_the_robot(room):
    world, piece = room
    base = exact(world)
    base.put(in_front(piece, x=1.5, y=0.4))
    scan = base.scan()
    assert scan.angles.shape == scan.ranges_m.shape == (360,)
    ahead = np.abs(scan.angles) < 0.03
    assert np.median(scan.ranges_m[ahead]) == pytest.approx(1.5 - piece.kind.size[0] / 2, abs=0.03)
    assert scan.ranges_m.min() > base.radius_m
    room_of = world.plan.room_at(base.true_pose.x, base.true_pose.y)
    behind = np.abs(np.abs(scan.angles) - math.pi) < 0.03
    wall = room_of.high[0] - base.true_pose.x
    assert np.median(scan.ranges_m[behind]) == pytest.approx(wall, abs=0.15)


def test_the_camera_turns_with_the_head_and_that_takes_time(room):
    base = exact(room[0])
    base.look_towards(0.5, -0.6)
    ahead = base.camera_pose.matrix()[:3, 0]
    expected = (math.cos(0.6) * math.cos(0.5), math.cos(0.6) * math.sin(0.5), -math.sin(0.6))
    assert ahead == pytest.approx(expected)
    assert base.stamp_ns > 0.2e9


def test_a_lift_takes_the_base_to_the_floor_asked_for_and_only_from_its_cabin():
    plan = plan_home(2, rooms=6, floors=2)
    with World(plan) as world:
        base = exact(world)
        with pytest.raises(SkillFailed, match="no lift"):
            base.ride(1)
        low, high = plan.lift.stops
        base.put(low.compose(Pose.from_yaw(0.1, 0.0, yaw=0.2)))
        base.ride(1)
        assert base.true_pose.z == pytest.approx(high.z)
        relative = high.inverse().compose(base.true_pose)
        assert (relative.x, relative.yaw) == pytest.approx((0.1, 0.2))
        with pytest.raises(SkillFailed, match="floors 0 to 1"):
            base.ride(2)
