"""The parts of `robot_memory_ros` that need no ROS, tested with types made from the .msg files."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
sys.path.insert(0, str(REPOSITORY / "ros_ws/src/robot_memory_ros"))


@pytest.fixture(scope="session")
def make():
    """Makes messages with rosbags' types, the robot memory's own among them."""
    from rosbags.typesys import Stores, get_types_from_msg, get_typestore

    store = get_typestore(Stores.ROS2_JAZZY)
    interfaces = REPOSITORY / "ros_ws/src/robot_memory_interfaces/msg"
    types = {}
    for path in interfaces.glob("*.msg"):
        types |= get_types_from_msg(path.read_text(), f"robot_memory_interfaces/msg/{path.stem}")
    store.register(types)

    def making(kind, /, **fields):
        return store.types[kind](**fields)

    making.store = store
    return making
