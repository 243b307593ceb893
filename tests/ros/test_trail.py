"""The way of a robot whose map is corrected."""

from __future__ import annotations

import math

import numpy as np
import pytest
from robot_memory_ros.trail import STRETCH_M, Jump, Trail

from memory_core.types import Pose

SECOND = 10**9
NOWHERE = Pose()


@pytest.fixture
def trail():
    made = Trail(drift=0.02)
    made.begin("test")
    return made


def walk(trail, metres, *, start=0, odometry=NOWHERE, stamp=0):
    """Go straight on along x of the odometry's frame, an observation a metre."""
    return [
        trail.place(
            (stamp + number) * SECOND, odometry.compose(Pose(float(number))), frame="odom",
            odometry=odometry,
        )
        for number in range(start, start + metres + 1)
    ]  # fmt: skip


def in_map(placed, moves):
    stretch, pose = placed
    return moves.get(stretch.anchor, stretch.pose).compose(pose)


def test_a_stretch_ends_after_its_length_and_places_stay_exact(trail):
    odometry = Pose.from_yaw(3.0, -1.0, yaw=0.7)
    placed = walk(trail, 25, odometry=odometry)
    assert len({stretch.anchor for stretch, _ in placed}) == math.ceil(25 / (STRETCH_M + 1))
    for number, entry in enumerate(placed):
        wanted = odometry.compose(Pose(float(number)))
        assert in_map(entry, {}).position == pytest.approx(wanted.position, abs=1e-12)
    assert trail.take_moves() == ({}, "")


def test_without_a_map_everything_lies_on_one_stretch_of_the_odometry_s_frame(trail):
    placed = [
        trail.place(n * SECOND, Pose(float(n)), frame="odom", odometry=None) for n in range(30)
    ]
    assert {stretch.anchor for stretch, _ in placed} == {placed[0][0].anchor}
    assert not placed[0][0].localised
    assert [pose.x for _, pose in placed] == [float(n) for n in range(30)]


def test_when_the_map_is_found_what_lies_behind_is_put_into_it(trail):
    lost = trail.place(SECOND, Pose(2.0), frame="odom", odometry=None)
    odometry = Pose.from_yaw(10.0, 5.0, yaw=math.pi / 2)
    trail.place(2 * SECOND, odometry.compose(Pose(3.0)), frame="odom", odometry=odometry)
    moves, reason = trail.take_moves()
    assert in_map(lost, moves).position == pytest.approx((10.0, 7.0, 0.0))
    assert reason == "localised"


def test_a_jump_beyond_drift_moves_all_since_the_last_one_as_one(trail):
    first = walk(trail, 5)
    trail.jump(Jump(NOWHERE, Pose(20.0), Pose(5.0)))
    trail.take_moves()
    second = walk(trail, 5, start=6, odometry=Pose(20.0), stamp=6)
    turned = Pose.from_yaw(0.0, 40.0, yaw=1.0)
    trail.jump(Jump(Pose(20.0), turned, Pose(11.0)))
    moves, reason = trail.take_moves()
    assert first[0][0].anchor not in moves
    for number, entry in enumerate(second):
        wanted = turned.compose(Pose(6.0 + number))
        assert in_map(entry, moves).position == pytest.approx(wanted.position)
    assert "since its last correction" in reason


def test_what_was_told_by_a_person_counts_however_small(trail):
    placed = walk(trail, 60)
    trail.jump(Jump(NOWHERE, Pose(0.3), Pose(60.0), told=True))
    moves, _ = trail.take_moves()
    assert in_map(placed[0], moves).x == pytest.approx(0.3)


def test_of_a_robot_that_gets_carried_nothing_moves():
    trail = Trail(drift=0.02, keep=True)
    walk(trail, 5)
    said = trail.jump(Jump(NOWHERE, Pose(20.0), Pose(5.0)))
    assert "nothing moved" in said
    assert trail.take_moves()[0] == {}


def test_drift_of_odometry_is_mostly_taken_out_when_the_loop_closes(trail):
    """A robot goes round a square; its odometry is 1 % short and turns by 0.1 degrees a metre."""
    true, told = [Pose()], [Pose()]
    for number in range(80):
        turn = math.pi / 2 if number % 20 == 19 else 0.0
        true.append(true[-1].compose(Pose.from_yaw(1.0, 0.0, yaw=turn)))
        told.append(told[-1].compose(Pose.from_yaw(0.99, 0.0, yaw=turn + math.radians(0.1))))
    placed = [
        trail.place(n * SECOND, pose, frame="odom", odometry=NOWHERE) for n, pose in enumerate(told)
    ]
    corrected = true[-1].compose(told[-1].inverse())
    trail.jump(Jump(NOWHERE, corrected, told[-1]))
    moves, reason = trail.take_moves()
    assert "bent" in reason
    before, after = (
        np.array(
            [np.subtract(pose.position, at.position) for pose, at in zip(poses, true, strict=True)]
        )
        for poses in (told, [in_map(entry, moves) for entry in placed])
    )
    rms = [float(np.sqrt((error**2).sum(1).mean())) for error in (before, after)]
    assert rms[1] < 0.6 * rms[0], rms


def test_a_corrected_path_puts_stretches_where_it_has_them(trail):
    placed = walk(trail, 25)
    path = [(n * SECOND, Pose.from_yaw(0.9 * n, 0.1 * n, yaw=0.2)) for n in range(0, 26, 2)]
    assert trail.follow(path) == 3
    moves, reason = trail.take_moves()
    assert reason == "a corrected path"
    for number, (stretch, pose) in enumerate(placed):
        if pose.x == 0.0 or stretch.first_ns == number * SECOND:
            at = moves[stretch.anchor].compose(pose)
            assert at.position == pytest.approx((0.9 * number, 0.1 * number, 0.0), abs=1e-9)
    assert trail.follow(path) == 0


def test_names_of_anchors_are_never_used_again():
    names = set()
    for _ in range(3):
        trail = Trail(drift=0.02)
        trail.begin("same session")
        names.add(walk(trail, 1)[0][0].anchor)
    assert len(names) == 3
