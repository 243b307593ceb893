"""A small recording of a robot in a kitchen, written as robots write them."""

from pathlib import Path

import numpy as np
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.typesys import Stores, get_types_from_msg, get_typestore

from memory_core.recordings.rosbag import _VISION

START_S = 1_772_528_400  # 3 March 2026, 09:00 UTC


def kitchen_bag(path: Path) -> Path:
    """Twenty seconds along x in a map, a mug, a kettle and a toaster seen, three captions."""
    store = get_typestore(Stores.ROS2_JAZZY)
    for name, definition in _VISION.items():
        store.register(get_types_from_msg(definition, name))
    t = store.types

    def stamp(seconds):
        return t["builtin_interfaces/msg/Time"](
            sec=START_S + int(seconds), nanosec=int(seconds % 1 * 1e9)
        )

    def header(frame, seconds):
        return t["std_msgs/msg/Header"](stamp=stamp(seconds), frame_id=frame)

    def pose(x, y, z):
        point = t["geometry_msgs/msg/Point"](x=x, y=y, z=z)
        turn = t["geometry_msgs/msg/Quaternion"](x=0.0, y=0.0, z=0.0, w=1.0)
        return t["geometry_msgs/msg/Pose"](position=point, orientation=turn)

    def transform(parent, child, seconds, x):
        return t["geometry_msgs/msg/TransformStamped"](
            header=header(parent, seconds),
            child_frame_id=child,
            transform=t["geometry_msgs/msg/Transform"](
                translation=t["geometry_msgs/msg/Vector3"](x=x, y=0.0, z=0.0),
                rotation=t["geometry_msgs/msg/Quaternion"](x=0.0, y=0.0, z=0.0, w=1.0),
            ),
        )

    def detection(label, seconds, x, y, z):
        hypothesis = t["vision_msgs/msg/ObjectHypothesis"](class_id=label, score=0.9)
        result = t["vision_msgs/msg/ObjectHypothesisWithPose"](
            hypothesis=hypothesis,
            pose=t["geometry_msgs/msg/PoseWithCovariance"](
                pose=pose(x, y, z), covariance=np.zeros(36)
            ),
        )
        size = t["geometry_msgs/msg/Vector3"](x=0.1, y=0.1, z=0.1)
        box = t["vision_msgs/msg/BoundingBox3D"](center=pose(x, y, z), size=size)
        return t["vision_msgs/msg/Detection3D"](
            header=header("base_link", seconds), results=[result], bbox=box, id=""
        )

    things = (("red mug", 2.4, 1.0, 0.8), ("kettle", 2.6, 1.3, 0.9), ("toaster", 3.5, 1.2, 0.9))
    with Writer(path, version=9, storage_plugin=StoragePlugin.MCAP) as writer:
        topics = {
            name: writer.add_connection(name, kind, typestore=store)
            for name, kind in (
                ("/tf", "tf2_msgs/msg/TFMessage"),
                ("/detections", "vision_msgs/msg/Detection3DArray"),
                ("/captions", "std_msgs/msg/String"),
                ("/cmd_vel", "geometry_msgs/msg/Twist"),
            )
        }

        def write(topic, kind, seconds, message):
            stamp_ns = START_S * 10**9 + int(seconds * 1e9)
            writer.write(topics[topic], stamp_ns, store.serialize_cdr(message, kind))

        for step in range(81):
            seconds, x = step * 0.25, step * 0.05
            message = t["tf2_msgs/msg/TFMessage"](
                transforms=[
                    transform("map", "odom", seconds, 0.0),
                    transform("odom", "base_link", seconds, x),
                ]
            )
            write("/tf", "tf2_msgs/msg/TFMessage", seconds, message)
        for step in range(10):
            seconds, x = 2.0 * step + 0.1, (2.0 * step + 0.1) * 0.2
            message = t["vision_msgs/msg/Detection3DArray"](
                header=header("base_link", seconds),
                detections=[detection(n, seconds, tx - x, ty, tz) for n, tx, ty, tz in things],
            )
            write("/detections", "vision_msgs/msg/Detection3DArray", seconds, message)
        for seconds, text in (
            (1.0, "a tidy kitchen with a red mug on the counter"),
            (9.0, "the kettle is steaming"),
            (18.0, "someone left a toaster on the table"),
        ):
            message = t["std_msgs/msg/String"](data=text)
            write("/captions", "std_msgs/msg/String", seconds, message)
    return path
