"""What the simulated robot senses, as ROS messages."""

from __future__ import annotations

import sys
from array import array
from collections.abc import Iterable
from typing import Any

import numpy as np
from geometry_msgs.msg import Quaternion, TransformStamped, Vector3
from nav_msgs.msg import OccupancyGrid as GridMessage
from nav_msgs.msg import Odometry
from sensor_msgs.msg import CameraInfo, Image, LaserScan
from vision_msgs.msg import Detection3D, Detection3DArray, ObjectHypothesisWithPose

from memory_core.perception.camera import OPTICAL_IN_BODY, Intrinsics
from memory_core.planning.body import Scan
from memory_core.planning.navigation.grid import OccupancyGrid
from memory_core.types import BoolArray, FloatArray, Pose
from robot_memory_ros.convert import make_message, pose_message
from robot_memory_ros.simulated_robot import Thing

MAP, ODOM, BASE = 'map', 'odom', 'base_link'
LASER, CAMERA, OPTICAL = 'laser', 'camera_link', 'camera_optical_frame'
LASER_M = 0.25
CAMERA_TO_OPTICAL = OPTICAL_IN_BODY
LEAST_RANGE_M = 0.05


def transform(parent: str, child: str, pose: Pose, stamp: Any) -> TransformStamped:
    """Tell where one frame is in another."""
    message = TransformStamped(child_frame_id=child)
    message.header.frame_id, message.header.stamp = parent, stamp
    message.transform.translation = Vector3(x=pose.x, y=pose.y, z=pose.z)
    message.transform.rotation = Quaternion(x=pose.qx, y=pose.qy, z=pose.qz, w=pose.qw)
    return message


def odometry(pose: Pose, stamp: Any) -> Odometry:
    """Tell what the wheels say."""
    message = Odometry(child_frame_id=BASE)
    message.header.frame_id, message.header.stamp = ODOM, stamp
    message.pose.pose = pose_message(pose, make_message)
    return message


def scan(found: Scan, stamp: Any) -> LaserScan:
    """Make one turn of the scanner a message; nothing in range is infinity (REP-117)."""
    angles = found.angles
    message = LaserScan(
        angle_min=float(angles[0]), angle_max=float(angles[-1]),
        angle_increment=float(angles[1] - angles[0]), range_min=LEAST_RANGE_M,
        range_max=float(found.range_m), ranges=array('f', found.ranges_m.astype(np.float32)),
    )  # fmt: skip
    message.header.frame_id, message.header.stamp = LASER, stamp
    return message


def picture(image: FloatArray, stamp: Any) -> Image:
    """Make a colour picture, shape (h, w, 3), a message."""
    return _image(np.ascontiguousarray(image, np.uint8), 'rgb8', stamp)


def depth(depth_m: FloatArray, stamp: Any) -> Image:
    """Make a depth picture, shape (h, w), metres, 0 where there is none, a message."""
    return _image(np.ascontiguousarray(depth_m, np.float32), '32FC1', stamp)


def _image(pixels: FloatArray, encoding: str, stamp: Any) -> Image:
    height, width = pixels.shape[:2]
    message = Image(
        height=height, width=width, encoding=encoding, step=pixels.nbytes // height,
        is_bigendian=int(sys.byteorder == 'big'), data=array('B', pixels.tobytes()),
    )  # fmt: skip
    message.header.frame_id, message.header.stamp = OPTICAL, stamp
    return message


def camera_info(lens: Intrinsics, stamp: Any) -> CameraInfo:
    """Describe the camera."""
    fx, fy, cx, cy = lens.fx, lens.fy, lens.cx, lens.cy
    message = CameraInfo(
        height=lens.height, width=lens.width, distortion_model='plumb_bob', d=[0.0] * 5,
        k=[fx, 0.0, cx, 0.0, fy, cy, 0.0, 0.0, 1.0],
        r=[1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0],
        p=[fx, 0.0, cx, 0.0, 0.0, fy, cy, 0.0, 0.0, 0.0, 1.0, 0.0],
    )  # fmt: skip
    message.header.frame_id, message.header.stamp = OPTICAL, stamp
    return message


def detections(things: Iterable[Thing], stamp: Any) -> Detection3DArray:
    """Name the things in a picture, each with a box in the base's frame."""
    message = Detection3DArray()
    message.header.frame_id, message.header.stamp = BASE, stamp
    for thing in things:
        found = Detection3D(header=message.header)
        named = ObjectHypothesisWithPose()
        named.hypothesis.class_id, named.hypothesis.score = thing.label, float(thing.score)
        named.pose.pose = pose_message(Pose(*thing.centre), make_message)
        found.results = [named]
        found.bbox.center = named.pose.pose
        found.bbox.size = Vector3(**dict(zip('xyz', thing.size, strict=True)))
        message.detections.append(found)
    return message


def grid(
    map_of: OccupancyGrid, *, known: BoolArray, occupied: BoolArray, stamp: Any
) -> GridMessage:
    """
    Make a map a message.

    :param map_of: Where its cells lie.
    :param known: Which of them were seen, shape (rows, columns).
    :param occupied: Which of them are.
    :param stamp: When.
    """
    cells = np.where(known, 0, -1).astype(np.int8)
    cells[occupied] = 100
    message = GridMessage(data=array('b', cells.tobytes()))
    message.header.frame_id, message.header.stamp = MAP, stamp
    message.info.map_load_time = stamp
    message.info.resolution = map_of.cell_m
    message.info.height, message.info.width = map_of.shape
    message.info.origin.position.x = map_of.corner[1] * map_of.cell_m
    message.info.origin.position.y = map_of.corner[0] * map_of.cell_m
    message.info.origin.orientation.w = 1.0
    return message
