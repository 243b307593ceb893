"""Driving to poses in the small house."""

import math

import numpy as np
import pytest

from memory_core.planning.body import Lift, Navigator
from memory_core.planning.navigation.navigator import GridNavigator
from memory_core.planning.navigation.planar import wrap
from memory_core.types import Pose
from tests.planning.navigation.driving import navigating
from tests.planning.navigation.flatland import box, house, wall

ROOMS = [(2, 8, 1.5), (6.6, 7.5, 0.0), (11.5, 8.2, 1.0), (11.6, 3.0, 0.0), (6.6, 2.5, 3.0)]


def test_it_is_a_navigator():
    _, navigator = navigating(house())
    as_seam: Navigator = navigator
    assert as_seam.where().localised


def test_it_reaches_rooms_it_never_saw_and_touches_nothing():
    robot, navigator = navigating(house())
    for x, y, yaw in ROOMS:
        before = robot.travelled_m
        arrival = navigator.go(Pose.from_yaw(x, y, yaw=yaw))
        assert (arrival.reached, arrival.reason) == (True, "reached")
        assert math.dist((robot.x, robot.y), (x, y)) < 0.2
        assert abs(wrap(robot.yaw - yaw)) < 0.15
        assert arrival.travelled_m == pytest.approx(robot.travelled_m - before, rel=0.05, abs=0.1)
    assert robot.bumps == 0


def test_a_door_that_was_shut_is_driven_around(small):
    robot, navigator = small
    robot.walls[0] = np.array([*robot.walls[0], np.array([3, 0.8, 3, 1.7])])
    arrival = navigator.go(Pose.from_yaw(4.5, 1.2))
    assert arrival.reached
    assert math.dist((robot.x, robot.y), (4.5, 1.2)) < 0.2
    assert arrival.travelled_m > 5.0
    assert robot.bumps == 0


def test_when_every_door_is_shut_it_ends_as_blocked(small):
    robot, navigator = small
    shut = [np.array([3, 0.8, 3, 1.7]), np.array([3, 3.5, 3, 4.4])]
    robot.walls[0] = np.array([*robot.walls[0], *shut])
    arrival = navigator.go(Pose.from_yaw(4.5, 1.2))
    assert (arrival.reached, arrival.reason) == (False, "blocked")
    assert robot.x < 3
    assert navigator.where().localised


def test_a_goal_inside_a_wall_has_no_path(small):
    _, navigator = small
    assert navigator.go(Pose.from_yaw(3.0, 2.6)).reason == "no path"


def test_it_stops_at_once_when_interrupted(small):
    robot, navigator = small
    asked = iter([False] * 10 + [True] * 100)
    arrival = navigator.go(Pose.from_yaw(4.5, 4.0), interrupted=lambda: next(asked))
    assert arrival.reason == "interrupted"
    here = robot.truth
    assert navigator.turn(1.0, interrupted=lambda: True).reason == "interrupted"
    assert robot.truth == here


@pytest.mark.parametrize("angle", [1.0, -2.5, 7.0])
def test_it_turns_by_an_angle_more_than_full_turns_too(small, angle):
    robot, navigator = small
    before = robot.yaw
    assert navigator.turn(angle).reached
    assert robot.yaw - before == pytest.approx(angle, rel=0.05, abs=0.05)


def test_the_caller_is_told_after_every_step_of_control(small):
    robot, navigator = small
    stamps = []
    navigator = GridNavigator(
        robot, navigator.localiser, moved=lambda where, motion: stamps.append(motion.stamp_ns)
    )
    assert navigator.go(Pose.from_yaw(4.5, 1.2)).reached
    assert set(np.diff(stamps)) == {200_000_000}
    assert stamps[-1] == robot.stamp_ns


def test_a_table_that_only_the_depth_camera_sees_is_driven_around(small):
    robot, navigator = small
    x, y = np.meshgrid(np.arange(1.8, 2.6, 0.02), np.arange(0.4, 1.7, 0.02))
    top = np.stack([x.ravel(), y.ravel(), np.full(x.size, 0.7)], axis=1)
    navigator.see(top)
    track = []
    navigator.driver.moved = lambda where, motion: track.append((robot.x, robot.y))
    assert navigator.go(Pose.from_yaw(4.5, 1.2)).reached
    gaps = np.sqrt(((np.array(track)[:, None] - top[None, :, :2]) ** 2).sum(axis=2)).min(axis=1)
    assert gaps.min() > 0.15


def test_corners_of_what_only_the_camera_sees_are_not_cut(small):
    """A leaf above the scanner's plane, from the wall into the way."""
    robot, navigator = small
    navigator.block([(x, 2.5, 0.7) for x in np.arange(0.0, 1.6, 0.05)])
    places, moved = [], navigator.driver.moved

    def noting(where, motion):
        places.append((robot.x, robot.y))
        moved(where, motion)

    navigator.driver.moved = noting
    assert navigator.go(Pose.from_yaw(0.6, 3.2)).reached
    nearest = min(math.dist(place, (min(place[0], 1.55), 2.5)) for place in places)
    assert nearest > robot.radius_m - 0.03


def test_standing_poses_are_free_and_can_be_reached(small):
    robot, navigator = small
    stands = navigator.standing((5.0, 2.5, 0.8), near_m=0.5, far_m=1.0)
    assert stands
    assert navigator.go(stands[0].pose).reached
    assert 0.4 < math.dist((robot.x, robot.y), (5.0, 2.5)) < 1.1
    bearing = math.atan2(2.5 - robot.y, 5.0 - robot.x)
    assert abs(wrap(robot.yaw - bearing)) < 0.25


def test_a_lift_takes_it_to_another_floor_and_back():
    lift = Lift((Pose.from_yaw(5.0, 4.0), Pose.from_yaw(5.0, 4.0, z=3.0)))
    lower = box(0, 0, 6, 5) + box(1, 3, 0.5, 0.5)
    upper = box(0, 0, 6, 5) + wall((2, 0), (2, 3.5)) + box(3, 1, 0.6, 0.4)
    robot, navigator = navigating(
        lower, (1.0, 1.0, 0.0), heights_m=(0.0, 3.0), lifts=(lift,), upper=upper
    )
    assert 9 < navigator.travel_m((1.0, 1.0, 3.0)) < 13
    arrival = navigator.go(Pose.from_yaw(1.0, 1.0, z=3.0))
    assert arrival.reached
    assert robot.floor == 1
    assert math.dist((robot.x, robot.y), (1.0, 1.0)) < 0.2
    where = navigator.where()
    assert where.map_pose is not None and where.map_pose.z == 3.0
    assert navigator.go(Pose.from_yaw(1.0, 1.0)).reached
    assert robot.floor == 0
    assert math.dist((robot.x, robot.y), (1.0, 1.0)) < 0.2


def test_the_same_seed_gives_the_same_drive():
    tracks = []
    for _ in range(2):
        robot, navigator = navigating(house(), seed=4)
        for x, y, yaw in ROOMS[:2]:
            navigator.go(Pose.from_yaw(x, y, yaw=yaw))
        tracks.append((robot.truth, robot.stamp_ns, navigator.travelled_m))
    assert tracks[0] == tracks[1]
