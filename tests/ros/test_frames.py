"""Where a live robot was, from transforms and odometry as they come."""

from __future__ import annotations

from types import SimpleNamespace as Message

import pytest
from robot_memory_ros.frames import KEEP_NS, LiveFrames, Tally

from memory_core.errors import UnknownFrame
from memory_core.recordings.base import Reading

SECOND = 10**9


def stamp(ns):
    return Message(sec=ns // SECOND, nanosec=ns % SECOND)


def vector(x, y=0.0, z=0.0, **more):
    return Message(x=x, y=y, z=z, **more)


def transform(parent, child, ns, x, *, w=1.0):
    return Message(
        header=Message(stamp=stamp(ns), frame_id=parent), child_frame_id=child,
        transform=Message(translation=vector(x), rotation=vector(0.0, w=w)),
    )  # fmt: skip


def odometry(ns, x):
    pose = Message(position=vector(x), orientation=vector(0.0, w=1.0))
    return Message(
        header=Message(stamp=stamp(ns), frame_id="odom"), child_frame_id="base",
        pose=Message(pose=pose),
    )  # fmt: skip


@pytest.fixture
def frames():
    return LiveFrames(map_frame="map", base_frame="", reading=Reading())


def take(frames, *transforms, static=False):
    return frames.take_transforms(Message(transforms=list(transforms)), static=static)


def test_before_anything_came_nobody_knows(frames):
    assert frames.fixed is None
    assert frames.covered("", run=0) is None
    assert frames.pose(1, run=0) is None


def test_odometry_alone_places_a_robot_that_is_not_localised(frames):
    frames.take_odometry(odometry(SECOND, 1.0))
    frames.take_odometry(odometry(2 * SECOND, 2.0))
    assert (frames.base, frames.fixed, frames.in_map("odom")) == ("base", "odom", False)
    assert frames.covered("", run=0) == 2 * SECOND
    assert frames.pose(3 * SECOND // 2, run=0).x == pytest.approx(1.5)


def test_a_map_localises_it(frames):
    frames.take_odometry(odometry(SECOND, 1.0))
    take(frames, transform("odom", "base", SECOND, 1.0), transform("map", "odom", SECOND, 10.0))
    assert (frames.fixed, frames.in_map("map")) == ("map", True)
    assert frames.pose(SECOND, run=0).x == pytest.approx(11.0)


def test_a_sensor_s_frame_is_waited_for(frames):
    frames.take_odometry(odometry(SECOND, 1.0))
    assert frames.covered("camera", run=0) is None
    with pytest.raises(UnknownFrame):
        frames.in_base("camera", SECOND, run=0)
    take(frames, transform("base", "camera", 0, 0.2), static=True)
    assert frames.covered("camera", run=0) == SECOND
    assert frames.in_base("camera", SECOND, run=0).x == pytest.approx(0.2)


def test_a_transform_that_is_none_is_counted_and_the_others_are_taken():
    reading = Reading()
    frames = LiveFrames(map_frame="map", base_frame="base", reading=reading)
    take(
        frames, transform("map", "odom", 1, 0.0, w=float("nan")), transform("odom", "base", 1, 0.0)
    )
    assert [item.code for item in reading.refused] == ["invalid_pose"]
    assert frames.fixed == "odom"


def test_it_stays_small_for_months(frames):
    for number in range(3_000):
        take(frames, transform("odom", "base", number * SECOND, float(number)))
    assert len(frames._tree.stamps("base")) <= 1_000 + KEEP_NS // SECOND + 1
    assert frames.pose(2_999 * SECOND, run=0).x == pytest.approx(2_999.0)


def test_a_map_whose_transforms_stopped_localises_nobody(frames):
    for number in range(12):
        take(frames, transform("odom", "base", number * SECOND, float(number)))
        if number < 3:
            take(frames, transform("map", "odom", number * SECOND, 10.0))
        assert frames.fixed == ("map" if number < 8 else "odom"), number
    assert frames.pose(11 * SECOND, run=0).x == pytest.approx(11.0)
    take(frames, transform("map", "odom", 11 * SECOND, 10.0))
    assert frames.fixed == "map"


def test_odometry_alone_stays_small_too(frames):
    for number in range(3_000):
        frames.take_odometry(odometry(number * SECOND, float(number)))
    assert len(frames._odometry.stamps("base")) <= 1_000 + KEEP_NS // SECOND + 1


def test_what_cannot_be_used_is_counted_not_collected():
    tally = Tally()
    for number in range(100):
        tally.refuse(f"pose at {number} ns", UnknownFrame("nothing connects them"))
    assert tally.counts == {"unknown_frame": 100}
    assert tally.last == {"unknown_frame": "pose at 99 ns: nothing connects them"}
    assert tally.refused == []
