"""Point clouds: sensor_msgs/PointCloud2 of x, y, z and back."""

from __future__ import annotations

from array import array
from typing import Any

import numpy as np
from sensor_msgs.msg import PointCloud2, PointField

from memory_core.errors import InputRejected
from memory_core.types import FloatArray

AXES = ('x', 'y', 'z')


def cloud_of(points: FloatArray, *, frame: str, stamp: Any) -> PointCloud2:
    """
    Make a message of points.

    :param points: Shape (n, 3), metres.
    :param frame: They are in.
    :param stamp: When they were seen.
    """
    packed = np.ascontiguousarray(points, np.float32)
    message = PointCloud2(
        height=1, width=len(packed), point_step=12, row_step=12 * len(packed), is_dense=True,
        data=array('B', packed.tobytes()),
        fields=[
            PointField(name=name, offset=4 * place, datatype=PointField.FLOAT32, count=1)
            for place, name in enumerate(AXES)
        ],
    )  # fmt: skip
    message.header.frame_id, message.header.stamp = frame, stamp
    return message


def points_of(message: PointCloud2) -> FloatArray:
    """
    Read the points of a message, shape (n, 3), metres; those that are not finite are left out.

    :raises InputRejected: It has no x, y and z of 32 bits, or is cut off.
    """
    count = message.width * message.height
    if not count:
        return np.empty((0, 3))
    offsets = {
        field.name: field.offset
        for field in message.fields
        if field.datatype == PointField.FLOAT32
    }
    if not offsets.keys() >= set(AXES):
        raise InputRejected(f'a cloud with fields {sorted(offsets)}; expected x, y, z in float32')
    kind = np.dtype({
        'names': AXES, 'formats': ['>f4' if message.is_bigendian else '<f4'] * 3,
        'offsets': [offsets[name] for name in AXES], 'itemsize': message.point_step,
    })  # fmt: skip
    if len(message.data) < count * message.point_step:
        raise InputRejected(f'a cloud of {count} points in {len(message.data)} bytes is cut off')
    found = np.frombuffer(bytes(message.data), kind, count)
    points = np.stack([found[name] for name in AXES], axis=1).astype(np.float64)
    return points[np.isfinite(points).all(axis=1)]
