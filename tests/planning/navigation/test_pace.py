"""How fast a robot goes in the small house."""

import math

import numpy as np

from memory_core.types import Pose


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
