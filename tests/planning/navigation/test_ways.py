"""Ways through doors and lifts, and where only the camera saw them closed."""

import itertools
import math

import numpy as np
import pytest

from memory_core.planning.body import Lift
from memory_core.types import Pose
from tests.planning.navigation.driving import navigating
from tests.planning.navigation.flatland import box


def test_travel_and_way_agree_and_follow_the_doors(small):
    _, navigator = small
    way = navigator.way((4.5, 1.2, 0.0))
    length = sum(math.dist(a, b) for a, b in itertools.pairwise(way))
    assert navigator.travel_m((4.5, 1.2, 0.0)) == pytest.approx(length)
    assert length == pytest.approx(3.5, abs=0.3)
    assert navigator.travel_m((40.0, 1.2, 0.0)) == math.inf
    assert navigator.way((40.0, 1.2, 0.0)) == ()


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
    navigator.driver.moved = lambda where, motion: navigator.see(there)
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


def test_what_the_robot_swung_open_stands_in_its_map(small):
    _, navigator = small
    before = navigator.travel_m((4.5, 1.2, 0.0))
    navigator.block([(3.0, y, 0.7) for y in np.arange(0.8, 1.7, 0.05)])
    assert before < 4.0 < 5.0 < navigator.travel_m((4.5, 1.2, 0.0)) < 12.0


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


def test_a_floor_without_a_lift_has_no_path():
    _, navigator = navigating(box(0, 0, 4, 4), (1.0, 1.0, 0.0), heights_m=(0.0, 3.0))
    assert navigator.go(Pose.from_yaw(1.0, 1.0, z=3.0)).reason == "no path"
    assert navigator.standing((1.0, 1.0, 3.0), near_m=0.3, far_m=1.0) == ()
