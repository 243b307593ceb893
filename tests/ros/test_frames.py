"""Where a live robot was, from transforms and odometry as they come."""

from __future__ import annotations

import math
from types import SimpleNamespace as Message

import pytest
from robot_memory_ros.frames import KEEP_NS, LiveFrames, Tally

from memory_core.errors import UnknownFrame
from memory_core.recordings.base import Reading

SECOND = 10**9


def stamp(ns):
    return Message(sec=ns // SECOND, nanosec=ns % SECOND)


def vector(x, y=0.0, z=0.0, **more):
    return Message(**{"x": x, "y": y, "z": z, **more})


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


def footprint(frames, ns, x):
    """As robots have it whose frame hangs below the one that their odometry moves."""
    take(frames, transform("footprint", "base_link", 0, 0.5), static=True)
    return take(frames, transform("map", "odom", ns, 10.0),
                transform("map", "odom", ns + SECOND, 10.0),
                transform("odom", "footprint", ns, x))  # fmt: skip


def test_a_robot_moves_where_the_frame_does_that_it_hangs_below():
    frames = LiveFrames(map_frame="map", base_frame="base_link", reading=Reading())
    assert footprint(frames, SECOND, 1.0) == [SECOND]  # not where the map corrects its odometry
    assert frames.by_transforms
    assert frames.pose(SECOND, run=0).x == pytest.approx(11.5)


def test_odometry_moves_a_robot_whose_frame_hangs_below_its_own():
    frames = LiveFrames(map_frame="map", base_frame="base_link", reading=Reading())
    take(frames, transform("base", "base_link", 0, 0.5), static=True)
    frames.take_odometry(odometry(SECOND, 1.0))
    assert not frames.by_transforms
    assert frames.covered("", run=0) == SECOND
    assert frames.pose(SECOND, run=0).x == pytest.approx(1.5)


def test_which_transform_is_missing_is_said():
    frames = LiveFrames(map_frame="map", base_frame="base_link", reading=Reading())
    assert "'map' to 'base_link'" in frames.missing
    footprint(frames, SECOND, 1.0)
    assert frames.missing is None
    for second in range(2, 12):
        take(frames, transform("odom", "footprint", second * SECOND, 1.0))
    assert frames.missing == "'map' to 'odom' stopped coming"


def test_what_could_not_be_used_is_a_problem_for_a_while(monkeypatch):
    tally, now = Tally(), [100.0]
    monkeypatch.setattr("robot_memory_ros.frames.time.monotonic", lambda: now[0])
    tally.refuse("pose", UnknownFrame("nothing connects them"))
    assert tally.recent(10.0) == {"unknown_frame": "pose: nothing connects them"}
    now[0] += 10.5
    assert tally.recent(10.0) == {}


def test_what_cannot_be_used_is_counted_not_collected():
    tally = Tally()
    for number in range(100):
        tally.refuse(f"pose at {number} ns", UnknownFrame("nothing connects them"))
    assert tally.counts == {"unknown_frame": 100}
    assert tally.last == {"unknown_frame": "pose at 99 ns: nothing connects them"}
    assert tally.refused == []


def jumping(**options):
    jumps = []
    frames = LiveFrames(
        map_frame="map", base_frame="base", reading=Reading(), jumped=jumps.append, **options
    )
    return frames, jumps


def test_a_jump_of_the_map_is_told_and_corrects_what_is_looked_up_of_before():
    frames, jumps = jumping()
    for number in range(3):
        now = number * SECOND // 10
        take(frames, transform("map", "odom", now, 0.01 * number))
        take(frames, transform("odom", "base", now, 1.0))
    assert jumps == []
    take(frames, transform("map", "odom", 3 * SECOND // 10, 5.0))
    (jump,) = jumps
    assert jump.metres == pytest.approx(4.98)
    assert (jump.old.x, jump.new.x, jump.robot.x, jump.told) == (0.02, 5.0, 1.0, False)
    assert frames.pose(SECOND // 10, run=0).x == pytest.approx(1.0 + 0.01 + 4.98)


def test_a_turn_far_from_the_map_s_origin_moves_the_robot_and_is_told():
    frames, jumps = jumping(jump_m=0.5, jump_rad=0.2)
    take(frames, transform("odom", "base", 1, 100.0), transform("map", "odom", 1, 0.0))
    turned = transform("map", "odom", 2, 0.0)
    turned.transform.rotation = vector(0.0, w=math.cos(0.02), z=math.sin(0.02))
    take(frames, turned)
    assert jumps[0].radians == pytest.approx(0.04)
    assert jumps[0].metres == pytest.approx(200 * math.sin(0.02))


def test_after_somebody_said_where_it_is_any_change_counts_and_until_then_it_is_not_localised():
    frames, jumps = jumping()
    take(frames, transform("odom", "base", 1, 0.0), transform("map", "odom", 1, 0.0))
    frames.expect_jump()
    assert frames.fixed == "odom"
    take(frames, transform("map", "odom", 2, 0.1))
    assert [jump.told for jump in jumps] == [True]
    assert frames.fixed == "map"


def test_a_clock_set_back_by_the_robot_begins_a_run_and_by_others_does_not(frames):
    take(frames, transform("base", "camera", 0, 0.2), static=True)
    take(frames, transform("odom", "base", 100 * SECOND, 1.0))
    take(frames, transform("map", "odom", 100 * SECOND, 0.0))
    take(frames, transform("base", "arm", 100 * SECOND, 0.5))
    take(frames, transform("base", "arm", 2 * SECOND, 0.6))
    assert frames.run == 0
    assert frames.in_base("arm", 2 * SECOND, run=0).x == pytest.approx(0.6)
    take(frames, transform("odom", "base", 3 * SECOND, 7.0))
    assert frames.run == 1
    take(frames, transform("map", "odom", 3 * SECOND, 0.0))
    take(frames, transform("odom", "base", 100 * SECOND, 1.0))  # one of before, come late
    assert frames.run == 1
    assert frames.pose(3 * SECOND, run=1).x == pytest.approx(7.0)
    assert frames.pose(100 * SECOND, run=0).x == pytest.approx(1.0)
    assert frames.in_base("camera", 3 * SECOND, run=1).x == pytest.approx(0.2)
    assert frames.pose(100 * SECOND, run=1) is None


def test_a_robot_in_the_map_without_odometry_is_placed_by_the_map_itself(frames):
    take(frames, transform("map", "base", SECOND, 4.0))
    assert (frames.fixed, frames.odometry) == ("map", None)
    assert frames.odometry_in_map(SECOND, run=0) is None
