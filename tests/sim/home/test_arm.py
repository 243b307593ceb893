"""The arm: published kinematics, solutions within limits, and ways that touch nothing."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

pytest.importorskip("pybullet")

from memory_core.types import Pose
from memory_sim.worlds.home.arm import STOWED, SimArm, tool_pose
from memory_sim.worlds.home.base import SimBase
from memory_sim.worlds.home.joint_paths import between, connect
from memory_sim.worlds.home.robot import HIGH, LOW
from memory_sim.worlds.home.robot_model import LIFT_MOUNT
from memory_sim.worlds.home.world import World
from tests.sim.home.workroom import in_front, workroom

DOWN = np.array([0.0, 0.0, -1.0])
LEFT = np.array([0.0, 1.0, 0.0])


@pytest.fixture(scope="module")
def scene():
    plan, piece = workroom("kitchen table")
    with World(plan) as world:
        base = SimBase(world)
        yield piece, base, SimArm(base)


@pytest.fixture
def arm(scene):
    piece, base, arm = scene
    base.put(in_front(piece, x=1.6))
    arm.robot.configure(STOWED)
    return arm


@pytest.fixture
def at_table(scene, arm):
    piece, base, _ = scene
    base.put(in_front(piece, x=piece.kind.size[0] / 2 + 0.32))
    return arm


def panda(angles):
    """The hand's frame on a Panda's foot, by its published parameters (Craig's convention)."""
    a = (0, 0, 0, 0.0825, -0.0825, 0, 0.088)
    d = (0.333, 0, 0.316, 0, 0.384, 0, 0)
    alpha = (0, -math.pi / 2, math.pi / 2, math.pi / 2, -math.pi / 2, math.pi / 2, math.pi / 2)
    frame = np.eye(4)
    for link in zip(a, d, alpha, angles, strict=True):
        x, z, tilt, turn = link
        ct, st, ca, sa = math.cos(turn), math.sin(turn), math.cos(tilt), math.sin(tilt)
        frame = frame @ np.array([
            [ct, -st, 0, x], [st * ca, ct * ca, -sa, -z * sa],
            [st * sa, ct * sa, ca, z * ca], [0, 0, 0, 1],
        ])  # fmt: skip
    flange, turn = np.eye(4), -math.pi / 4
    flange[:2, :2] = [[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]]
    flange[2, 3] = 0.107 + 0.1034
    return frame @ flange


@pytest.mark.parametrize("seed", range(5))
def test_the_tool_is_where_the_published_parameters_put_it(arm, seed):
    joints = np.random.default_rng(seed).uniform(LOW, HIGH)
    arm.robot.configure(joints)
    expected = panda(joints[1:])
    expected[:3, 3] += np.array(LIFT_MOUNT) + (0, 0, joints[0])
    assert arm.tool().matrix() == pytest.approx(expected, abs=1e-4)


def test_solutions_meet_the_pose_within_five_millimetres_and_the_limits(arm):
    random = np.random.default_rng(0)
    solved = 0
    for _ in range(40):
        turn = random.uniform(0, math.pi)
        closing = np.array([math.cos(turn), math.sin(turn), 0.0])
        place = random.uniform((0.48, -0.12, 0.4), (0.7, 0.12, 1.05))
        either = [tool_pose(tuple(place), DOWN, side * closing) for side in (1, -1)]
        for joints in itertools.chain(*map(arm.solutions, either)):
            assert np.all(joints >= LOW)
            assert np.all(joints <= HIGH)
            arm.robot.configure(joints)
            assert math.dist(arm.tool().position, place) < 0.005
            assert arm.tool().matrix()[:3, 2] == pytest.approx(DOWN, abs=0.02)
            solved += 1
            break
    assert solved >= 39
    arm.robot.configure(STOWED)


def test_a_place_far_away_has_no_solution(arm):
    assert list(arm.solutions(tool_pose((2.0, 0.0, 0.8), DOWN, LEFT))) == []
    assert arm.reach(tool_pose((2.0, 0.0, 0.8), DOWN, LEFT)) == "out of reach"


def test_folded_the_arm_stays_within_the_circle_of_the_base(arm):
    assert arm.stands_clear()
    low, high = arm.robot.bounds()
    place = arm.robot.pose
    assert max(high[0] - place.x, place.x - low[0], high[1] - place.y, place.y - low[1]) < 0.28


def test_a_pose_inside_the_table_is_a_collision(at_table):
    assert at_table.reach(tool_pose((0.6, 0.0, 0.70), DOWN, LEFT)) == "collision"


def test_a_way_over_the_table_touches_nothing_on_all_of_its_length(at_table):
    reach = at_table.reach(tool_pose((0.6, 0.0, 0.82), DOWN, LEFT))
    start = at_table.joints
    for corner in [*reach.way, *reach.last]:
        for joints in between(start, corner, np.full(8, 0.02)):
            at_table.robot.configure(joints)
            assert at_table.touched() is None
            assert not at_table.robot.touches_itself()
        start = corner


def test_moving_takes_time_and_asks_about_an_interrupt_often(arm, scene):
    base = scene[1]
    way = arm.way(next(arm.solutions(tool_pose((0.55, 0.0, 0.9), DOWN, LEFT))))
    asked = []
    began = base.stamp_ns
    assert arm.follow(way, lambda: bool(asked.append(base.stamp_ns)))
    assert 1e9 < base.stamp_ns - began < 2e10
    assert np.max(np.diff([began, *asked, base.stamp_ns])) <= 0.2e9 + 1


def test_an_interrupt_ends_the_motion_where_it_is(arm, scene):
    base = scene[1]
    goal = next(arm.solutions(tool_pose((0.55, 0.0, 0.9), DOWN, LEFT)))
    stop_ns = base.stamp_ns + 0.5e9
    assert not arm.follow(arm.way(goal), lambda: base.stamp_ns >= stop_ns)
    assert base.stamp_ns <= stop_ns + 0.2e9
    assert np.max(np.abs(arm.joints - goal)) > 0.05


def test_feeling_down_onto_the_table_stops_at_its_top(at_table):
    over = tool_pose((0.6, 0.0, 0.82), DOWN, LEFT)
    reach = at_table.reach(over)
    at_table.follow([*reach.way, *reach.last], lambda: False)
    down = at_table.line(at_table.joints, over, tool_pose((0.6, 0.0, 0.70), DOWN, LEFT))
    met = at_table.feel_along(down, lambda: False)
    assert met.link in at_table.robot.fingers
    tips = at_table.tool().z - 0.0046  # fingers end a little beyond the point between the tips
    assert 0.75 <= tips < 0.765


def test_rrt_connect_finds_the_gap_in_a_wall():
    def free(point):
        return not (0.45 < point[0] < 0.55 and abs(point[1] - 0.9) > 0.05)

    start, goal, step = np.array([0.1, 0.1]), np.array([0.9, 0.1]), np.full(2, 0.02)
    path = connect(
        start, goal, free, low=np.zeros(2), high=np.ones(2), step=step,
        random=np.random.default_rng(0), nodes=2_000,
    )  # fmt: skip
    assert np.allclose(path[-1], goal)
    for first, last in zip([start, *path[:-1]], path, strict=True):
        assert all(free(point) for point in between(first, last, np.full(2, 0.002)))


def test_rrt_connect_gives_up_where_there_is_no_gap():
    path = connect(
        np.array([0.1, 0.1]), np.array([0.9, 0.1]), lambda point: not 0.4 < point[0] < 0.6,
        low=np.zeros(2), high=np.ones(2), step=np.full(2, 0.02),
        random=np.random.default_rng(0), nodes=100,
    )  # fmt: skip
    assert path == []


def test_the_base_carries_the_arm_along(arm, scene):
    before = arm.tool()
    scene[1].put(Pose.from_yaw(*in_front(scene[0], x=1.8).position[:2], yaw=1.0))
    assert arm.tool().position == pytest.approx(before.position, abs=1e-6)
