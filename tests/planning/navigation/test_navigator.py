"""Driving to poses in the small house."""

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest

from memory_core.planning.body import Lift, Navigator
from memory_core.planning.navigation.localisation import Localiser
from memory_core.planning.navigation.navigator import GridNavigator
from memory_core.planning.navigation.planar import distance, wrap
from memory_core.types import Pose
from tests.planning.navigation.flatland import FlatRobot, box, house, twins, wall

ROOMS = [(2, 8, 1.5), (6.6, 7.5, 0.0), (11.5, 8.2, 1.0), (11.6, 3.0, 0.0), (6.6, 2.5, 3.0)]


def navigating(walls, start=(2.0, 5.0, 0.0), *, seed=0, heights_m=(0.0,), lifts=(), **more):
    robot = FlatRobot(walls, start, seed=seed, lifts=lifts, **more)
    pose = Pose.from_yaw(start[0], start[1], yaw=start[2])
    return robot, GridNavigator(robot, Localiser(start=pose, heights_m=heights_m), lifts=lifts)


@pytest.fixture
def small():
    """Two rooms side by side with two doors between them, both seen."""
    walls = box(0, 0, 6, 5) + wall((3, 0), (3, 0.8)) + wall((3, 1.7), (3, 3.5))
    walls += wall((3, 4.4), (3, 5))
    robot, navigator = navigating(walls, (1.0, 1.2, 0.0))
    for goal in [(4.5, 1.2), (4.5, 4.0), (1.0, 4.0), (1.0, 1.2)]:
        assert navigator.go(Pose.from_yaw(*goal)).reached
    return robot, navigator


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


def test_travel_and_way_agree_and_follow_the_doors(small):
    _, navigator = small
    way = navigator.way((4.5, 1.2, 0.0))
    length = sum(math.dist(a, b) for a, b in itertools.pairwise(way))
    assert navigator.travel_m((4.5, 1.2, 0.0)) == pytest.approx(length)
    assert length == pytest.approx(3.5, abs=0.3)
    assert navigator.travel_m((40.0, 1.2, 0.0)) == math.inf
    assert navigator.way((40.0, 1.2, 0.0)) == ()


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
    navigator._moved = lambda where, motion: track.append((robot.x, robot.y))
    assert navigator.go(Pose.from_yaw(4.5, 1.2)).reached
    gaps = np.sqrt(((np.array(track)[:, None] - top[None, :, :2]) ** 2).sum(axis=2)).min(axis=1)
    assert gaps.min() > 0.15


def closing(depth_m):
    """What a camera sees at table height across both doorways."""
    points = []
    for middle in (1.25, 3.95):
        x, y = np.meshgrid(
            np.arange(3 - depth_m / 2, 3 + depth_m / 2, 0.02),
            np.arange(middle - 0.5, middle + 0.5, 0.02),
        )
        points.append(np.stack([x.ravel(), y.ravel(), np.full(x.size, 0.7)], axis=1))
    return np.vstack(points)


def test_false_points_in_the_doorways_do_not_shut_a_room(small):
    robot, navigator = small
    navigator.see(closing(0.06))
    assert navigator.standing((5.0, 2.5, 0.8), near_m=0.5, far_m=1.0)
    assert navigator.travel_m((4.5, 1.2, 0.0)) < 10.0
    assert navigator.go(Pose.from_yaw(4.5, 1.2)).reached
    assert robot.bumps == 0


def test_what_stands_at_a_shared_wall_is_got_to_in_its_own_room(small):
    _, navigator = small
    navigator.see(closing(0.06))
    stands = navigator.standing((3.3, 2.6, 0.8), near_m=0.6, far_m=1.8)
    assert any(stand.pose.x > 3.2 for stand in stands)


def test_what_is_really_in_the_doorways_is_seen_again_and_believed(small):
    robot, navigator = small
    there = closing(0.06)
    navigator.see(there)
    assert math.isfinite(navigator.travel_m((4.5, 1.2, 0.0)))
    navigator._moved = lambda where, motion: navigator.see(there)
    assert navigator.go(Pose.from_yaw(4.5, 1.2)).reason in ("blocked", "no path")
    assert robot.x < 3
    assert navigator.travel_m((4.5, 1.2, 0.0)) == math.inf  # it has just looked


def test_a_whole_table_before_the_doorways_is_not_doubted(small):
    _, navigator = small
    navigator.see(closing(1.0))
    assert navigator.travel_m((4.5, 1.2, 0.0)) == math.inf


def test_what_the_robot_moved_is_no_longer_in_the_map(small):
    _, navigator = small
    navigator.see(closing(1.0))
    for middle in (1.25, 3.95):
        navigator.doubt((3.0, middle, 0.7), 0.8)
    assert navigator.travel_m((4.5, 1.2, 0.0)) < 10.0


def speeds_of(robot):
    """Where the robot was, and how fast its rim, at each control step from now on."""
    noted, drive = [], robot.drive

    def noting(linear, angular, seconds):
        noted.append(((robot.x, robot.y), abs(linear) + robot.radius_m * abs(angular)))
        return drive(linear, angular, seconds)

    robot.drive = noting
    return noted


def test_near_what_the_robot_moved_it_is_slow(small):
    robot, navigator = small
    at = (1.0, 3.6)
    noted = speeds_of(robot)
    navigator.doubt((*at, 0.7), 0.3)
    assert navigator.go(Pose.from_yaw(1.0, 4.2)).reached
    near = [speed for place, speed in noted if math.dist(place, at) < 0.6]
    far = [speed for place, speed in noted if math.dist(place, at) > 1.2]
    assert len(near) > 10 and max(near) < 0.41
    assert max(far) > 0.49


def test_onto_floor_that_no_picture_showed_it_goes_slowly(small):
    robot, navigator = small
    grid = navigator.localiser.grid
    floor = grid.centres(np.argwhere(grid.free))
    shown = floor[(floor[:, 1] < 2.5)][::2]  # pictures are thinned
    grid.set_depth(shown, np.full(len(shown), -1.0))
    noted = speeds_of(robot)
    assert navigator.go(Pose.from_yaw(1.0, 4.2)).reached
    on_shown = [speed for (_, y), speed in noted if y < 1.9]
    on_other = [speed for (_, y), speed in noted if 2.3 < y < 3.8]
    assert max(on_shown) > 0.49
    assert len(on_other) > 10 and max(on_other) < 0.41


def test_without_a_camera_a_bump_does_not_make_it_slow(small):
    robot, navigator = small
    navigator.localiser.grid.mark(5.0, 4.5)
    noted = speeds_of(robot)
    assert navigator.go(Pose.from_yaw(1.0, 4.2)).reached
    assert max(speed for _, speed in noted) > 0.49


def test_what_the_robot_swung_open_stands_in_its_map(small):
    _, navigator = small
    before = navigator.travel_m((4.5, 1.2, 0.0))
    navigator.block([(3.0, y, 0.7) for y in np.arange(0.8, 1.7, 0.05)])
    assert before < 4.0 < 5.0 < navigator.travel_m((4.5, 1.2, 0.0)) < 12.0


def test_corners_of_what_only_the_camera_sees_are_not_cut(small):
    """A leaf above the scanner's plane, from the wall into the way."""
    robot, navigator = small
    navigator.block([(x, 2.5, 0.7) for x in np.arange(0.0, 1.6, 0.05)])
    places, moved = [], navigator._moved

    def noting(where, motion):
        places.append((robot.x, robot.y))
        moved(where, motion)

    navigator._moved = noting
    assert navigator.go(Pose.from_yaw(0.6, 3.2)).reached
    nearest = min(math.dist(place, (min(place[0], 1.55), 2.5)) for place in places)
    assert nearest > robot.radius_m - 0.03


def bumping_into(robot, low, high):
    """Something in a box that no sensor shows; where the robot bumped into it."""
    drive, bumps = robot.drive, []

    def driving(linear, angular, seconds):
        x = robot.x + seconds * linear * math.cos(robot.yaw)
        y = robot.y + seconds * linear * math.sin(robot.yaw)
        if linear and low[0] < x < high[0] and low[1] < y < high[1]:
            bumps.append((robot.x, robot.y))
            return replace(drive(0.0, 0.0, seconds), bumped=True)
        return drive(linear, angular, seconds)

    robot.drive = driving
    return bumps


@pytest.mark.parametrize("free", [1.0, -1.0])
def test_who_is_touched_by_a_door_leaves_it_whichever_way_goes(small, free):
    robot, navigator = small
    drive, start, bumps = robot.drive, (robot.x, robot.y), []

    def driving(linear, angular, seconds):
        in_touch = math.dist((robot.x, robot.y), start) < 0.04
        if in_touch and (angular or linear * free < 0):
            bumps.append((linear, angular))
            return replace(drive(0.0, 0.0, seconds), bumped=True)
        return drive(linear, angular, seconds)

    robot.drive = driving
    arrival = navigator.go(Pose.from_yaw(0.8, 2.6, yaw=2.0))
    assert arrival.reached, arrival
    assert 1 <= len(bumps) <= 6


def test_after_bumps_it_goes_back_the_way_it_came_and_round(small):
    robot, navigator = small
    bumps = bumping_into(robot, (1.6, 0.0), (2.2, 1.5))
    least, retrace = [], navigator._retrace

    def noting(metres, interrupted):
        before = navigator._wheels()
        retrace(metres, interrupted)
        least.append(math.dist(before[:2], navigator._wheels()[:2]))

    navigator._retrace = noting
    arrival = navigator.go(Pose.from_yaw(2.6, 1.2))
    assert arrival.reached, (arrival, bumps)
    assert len(bumps) >= 1
    assert least[0] == pytest.approx(0.15, abs=0.12)


def test_it_does_not_go_back_into_what_has_come_behind_it(small):
    robot, navigator = small
    assert navigator.go(Pose.from_yaw(2.0, 1.2)).reached
    at = (robot.x, robot.y)
    behind = box(at[0] - 0.75, at[1] - 0.3, 0.3, 0.6)
    robot.walls[0] = np.array([*robot.walls[0], *np.array(behind)])
    navigator._advance(0.0, 0.0, noted=False)
    navigator._retrace(0.8, lambda: False)
    assert robot.bumps == 0
    assert math.dist(at, (robot.x, robot.y)) < 0.3


def test_what_it_undoes_is_bounded_in_turning_too(small):
    _, navigator = small
    navigator.turn(2 * math.pi)
    before = navigator._wheels()
    navigator._retrace(0.15, lambda: False)
    assert abs(wrap(before[2] - navigator._wheels()[2])) < 1.2
    navigator._back_off(lambda: False)
    assert not navigator._driven


def test_ways_between_places_lead_through_doors_and_lifts(small):
    _, navigator = small
    here, beyond, nowhere = (1.0, 1.2, 0.8), (4.5, 1.2, 0.8), (40.0, 40.0, 0.0)
    ways = navigator.ways_m(here, (here, beyond, nowhere))
    assert ways[0] < 0.5 and ways[2] == np.inf
    assert 3.0 < ways[1] < 8.0
    assert ways[1] == pytest.approx(navigator.ways_m(beyond, (here,))[0], rel=0.05)
    assert np.isinf(navigator.ways_m(nowhere, (here, beyond))).all()
    lift = Lift((Pose.from_yaw(5.0, 4.0), Pose.from_yaw(5.0, 4.0, z=3.0)))
    _, navigator = navigating(
        box(0, 0, 6, 5), (1.0, 1.0, 0.0), heights_m=(0.0, 3.0), lifts=(lift,), upper=box(0, 0, 6, 5)
    )
    assert navigator.go(Pose.from_yaw(1.0, 1.0, z=3.0)).reached
    to_far, to_near = navigator.ways_m((1.0, 1.0, 0.8), ((1.0, 1.0, 3.8), (5.0, 3.0, 3.8)))
    assert to_far == pytest.approx(2 * 5.0, rel=0.1)
    assert to_near == pytest.approx(5.0 + 1.0, rel=0.1)


def test_on_the_way_to_another_floor_the_stand_near_the_lift_is_the_cheapest():
    lift = Lift((Pose.from_yaw(1.0, 4.5), Pose.from_yaw(1.0, 4.5, z=3.0)))
    _, navigator = navigating(
        box(0, 0, 6, 5), (1.0, 1.0, 0.0), heights_m=(0.0, 3.0), lifts=(lift,), upper=box(0, 0, 6, 5)
    )
    target = (3.0, 2.5, 0.8)
    near = navigator.standing(target, near_m=0.5, far_m=1.0)
    then = navigator.standing(target, near_m=0.5, far_m=1.0, then=(1.0, 1.0, 3.0))
    stop = (1.0, 4.5)
    nearer = [math.dist(stands[0].pose.position[:2], stop) for stands in (then, near)]
    assert nearer[0] < nearer[1] - 0.3


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


def test_a_floor_without_a_lift_has_no_path():
    _, navigator = navigating(box(0, 0, 4, 4), (1.0, 1.0, 0.0), heights_m=(0.0, 3.0))
    assert navigator.go(Pose.from_yaw(1.0, 1.0, z=3.0)).reason == "no path"
    assert navigator.standing((1.0, 1.0, 3.0), near_m=0.3, far_m=1.0) == ()


def test_a_robot_carried_to_a_twin_room_wanders_until_it_knows_then_goes():
    robot, navigator = navigating(twins(), (1.0, 1.0, 0.0))
    for goal in [(2, 3.5), (1, 1), (8, 1), (8, 3.5), (8, 1), (10.6, 0.6), (1, 1)]:
        assert navigator.go(Pose.from_yaw(*goal)).reached
    robot.kidnap(7.9, 3.3, 0.5)
    for _ in range(12):
        navigator.turn(0.1)
    assert not navigator.where().localised
    arrival = navigator.go(Pose.from_yaw(1.0, 1.0))
    assert arrival.reached
    assert math.dist((robot.x, robot.y), (1.0, 1.0)) < 0.2


def test_a_robot_carried_out_of_its_map_says_that_it_is_lost():
    robot, navigator = navigating(box(0, 0, 4, 4) + box(3, 0, 0.5, 0.8), (1.0, 1.0, 0.0))
    assert navigator.go(Pose.from_yaw(3.0, 3.0)).reached
    robot.walls[0] = np.array(box(0, 0, 1.6, 9) + box(0.5, 4, 0.3, 0.3))
    robot.kidnap(0.8, 2.0, 0.0)
    navigator.turn(1.0)
    arrival = navigator.go(Pose.from_yaw(1.0, 1.0))
    assert (arrival.reached, arrival.reason) == (False, "lost")
    assert navigator.where().map_pose is None


def test_the_same_seed_gives_the_same_drive():
    tracks = []
    for _ in range(2):
        robot, navigator = navigating(house(), seed=4)
        for x, y, yaw in ROOMS[:2]:
            navigator.go(Pose.from_yaw(x, y, yaw=yaw))
        tracks.append((robot.truth, robot.stamp_ns, navigator.travelled_m))
    assert tracks[0] == tracks[1]


def test_what_is_bumped_into_unseen_is_driven_around(small):
    robot, navigator = small
    scan = robot.scan
    low_bar = np.array([2.0, 0.6, 2.0, 1.6])
    seen = robot.walls[0]
    with_bar = np.array([*seen, low_bar])
    robot.walls[0] = with_bar

    def blind():
        robot.walls[0] = seen
        made = scan()
        robot.walls[0] = with_bar
        return made

    robot.scan = blind
    assert navigator.go(Pose.from_yaw(4.5, 1.2)).reached
    assert 1 <= robot.bumps <= 4
    assert math.dist((robot.x, robot.y), (4.5, 1.2)) < 0.2


def test_wheels_that_slip_end_the_drive_as_blocked(small):
    robot, navigator = small
    drive = robot.drive
    robot.drive = lambda linear, angular, seconds: drive(0.0, angular, seconds)
    arrival = navigator.go(Pose.from_yaw(4.5, 1.2))
    assert (arrival.reached, arrival.reason) == (False, "blocked")
    assert distance(robot.truth, (1.0, 1.2, 0.0)) < 0.2
