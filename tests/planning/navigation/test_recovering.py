"""What gets a robot out of what keeps it."""

import math
from dataclasses import replace

import numpy as np
import pytest

from memory_core.planning.navigation.planar import distance, wrap
from memory_core.planning.navigation.recovering import Recovery
from memory_core.types import Pose
from tests.planning.navigation.driving import navigating
from tests.planning.navigation.flatland import box, twins


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
    least, retrace = [], navigator._recovery.retrace

    def noting(metres, interrupted):
        before = navigator.driver.wheels
        went = retrace(metres, interrupted)
        least.append(math.dist(before[:2], navigator.driver.wheels[:2]))
        return went

    navigator._recovery.retrace = noting
    arrival = navigator.go(Pose.from_yaw(2.6, 1.2))
    assert arrival.reached, (arrival, bumps)
    assert len(bumps) >= 1
    assert least[0] == pytest.approx(0.15, abs=0.12)


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


def test_it_does_not_go_back_into_what_has_come_behind_it(small):
    robot, navigator = small
    assert navigator.go(Pose.from_yaw(2.0, 1.2)).reached
    at = (robot.x, robot.y)
    behind = box(at[0] - 0.75, at[1] - 0.3, 0.3, 0.6)
    robot.walls[0] = np.array([*robot.walls[0], *np.array(behind)])
    navigator.driver.step(0.0, 0.0, noted=False)
    Recovery(navigator.driver).retrace(0.8, lambda: False)
    assert robot.bumps == 0
    assert math.dist(at, (robot.x, robot.y)) < 0.3


def test_what_it_undoes_is_bounded_in_turning_too(small):
    _, navigator = small
    navigator.turn(2 * math.pi)
    before = navigator.driver.wheels
    Recovery(navigator.driver).retrace(0.15, lambda: False)
    assert abs(wrap(before[2] - navigator.driver.wheels[2])) < 1.2
    Recovery(navigator.driver).back_off(lambda: False)
    assert not navigator.driver.driven


def test_wheels_that_slip_end_the_drive_as_blocked(small):
    robot, navigator = small
    drive = robot.drive
    robot.drive = lambda linear, angular, seconds: drive(0.0, angular, seconds)
    arrival = navigator.go(Pose.from_yaw(4.5, 1.2))
    assert (arrival.reached, arrival.reason) == (False, "blocked")
    assert distance(robot.truth, (1.0, 1.2, 0.0)) < 0.2


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
