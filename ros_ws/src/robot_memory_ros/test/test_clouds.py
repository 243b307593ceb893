"""Points as messages and back, and which of them are on a thing."""

import numpy as np
import pytest
from builtin_interfaces.msg import Time
from robot_memory_ros.clouds import cloud_of, points_of
from robot_memory_ros.looking import within
from sensor_msgs.msg import PointCloud2
from sensor_msgs_py import point_cloud2
from std_msgs.msg import Header

from memory_core.errors import InputRejected
from memory_core.types import Pose

POINTS = np.array([[1.0, 2.0, 3.0], [0.5, -0.25, 0.125]])


def test_what_is_sent_is_what_other_nodes_read():
    """By ROS's own reader, and the other way round."""
    message = cloud_of(POINTS, frame='base_link', stamp=Time(sec=1))
    read = point_cloud2.read_points_numpy(message, field_names=['x', 'y', 'z'])
    np.testing.assert_array_equal(read, POINTS)
    theirs = point_cloud2.create_cloud_xyz32(Header(frame_id='base_link'), POINTS)
    np.testing.assert_array_equal(points_of(theirs), POINTS)


def test_points_that_are_not_finite_are_left_out_and_clouds_cut_off_refused():
    """Nothing is read beyond what came."""
    message = cloud_of(np.vstack([POINTS, [[np.nan, 0, 0]]]), frame='', stamp=Time())
    np.testing.assert_array_equal(points_of(message), POINTS)
    message.data = message.data[:-1]
    with pytest.raises(InputRejected, match='cut off'):
        points_of(message)
    assert points_of(PointCloud2()).shape == (0, 3)
    with pytest.raises(InputRejected, match='expected x, y, z'):
        points_of(PointCloud2(width=1, height=1, point_step=12))


def test_what_a_thing_stands_on_and_what_is_behind_it_is_not_part_of_it():
    """A can of 10 cm on a table, before a wall."""
    heights = np.linspace(0.8, 0.9, 21)
    can = np.array([[1.0, side, z] for z in heights for side in (-0.03, 0.0, 0.03)])
    table = np.array([[x, y, 0.8] for x in (0.97, 1.0, 1.03) for y in (-0.03, 0.0, 0.03)])
    wall = can + (0.5, 0.0, 0.0)
    found = within(np.vstack([can, table, wall]), Pose(1.0, 0.0, 0.85), (0.08, 0.08, 0.1))
    assert found[:, 0].max() < 1.1
    assert found[:, 2].min() > 0.81
    assert len(found) > 0.8 * len(can)


def test_a_turned_box_is_followed():
    """A board of 40 cm that lies across."""
    board = np.array([[1.0 + s, s, 0.5 + z] for s in np.linspace(-0.14, 0.14, 15)
                      for z in (0.0, 0.05, 0.1)])  # fmt: skip
    aside = board + (0.1, -0.1, 0.0)
    box = Pose.from_yaw(1.0, 0.0, z=0.55, yaw=np.pi / 4)
    found = within(np.vstack([board, aside]), box, (0.4, 0.05, 0.1))
    np.testing.assert_allclose(found[:, 0] - found[:, 1], 1.0)
