"""The table as a simulation: the arm goes where it is sent, and things behave like things."""

from __future__ import annotations

import math

import numpy as np
import psutil
import pytest

pytest.importorskip("pybullet")
pytest.importorskip("gymnasium")

from memory_core.types import Pose
from memory_sim.tasks.table.spaces import rotation_between
from memory_sim.worlds.table.camera import CAMERAS
from memory_sim.worlds.table.models import BALL, CUBE, CUP, PALETTE
from memory_sim.worlds.table.robot import HOME, SPEED
from memory_sim.worlds.table.world import CONTROL_HZ, TableWorld

RED, BLUE = PALETTE["red"], PALETTE["blue"]
STILL = np.zeros(3)


@pytest.fixture(scope="module")
def shared():
    world = TableWorld()
    yield world
    world.close()


@pytest.fixture
def table(shared):
    shared.reset(np.random.default_rng(0))
    return shared


def send(table, goal, *, width=0.08, steps=40, longest=0.1):
    """Send the tool in a straight line, and give the places it passes, shape (n, 3)."""
    passed = [table.arm.tool().position]
    for _ in range(steps):
        gap = np.array(goal) - table.arm.aim.position
        shift = gap * min(1.0, longest / max(float(np.linalg.norm(gap)), 1e-9))
        upright = rotation_between(table.arm.aim, Pose(qx=1, qw=0))
        table.arm.move_tool(shift, np.clip(upright, -0.2, 0.2), width)
        table.advance()
        passed.append(table.arm.tool().position)
        if math.dist(passed[-1], goal) < 0.003 and table.arm.at_rest():
            break
    return np.array(passed)


def squeeze(table, width, steps=8):
    for _ in range(steps):
        table.arm.move_tool(STILL, STILL, width)
        table.advance()


@pytest.mark.parametrize("goal", [(0.35, 0.3, 0.06), (0.66, -0.3, 0.05), (0.5, 0.0, 0.4)])
def test_the_tool_comes_to_rest_where_it_was_sent(table, goal):
    passed = send(table, goal)
    assert math.dist(passed[-1], goal) < 0.004
    assert table.arm.at_rest()


def test_the_tool_moves_in_a_straight_line_and_no_joint_faster_than_the_maker_allows(table):
    start, end = np.array((0.36, -0.28, 0.07)), np.array((0.64, 0.28, 0.07))
    send(table, start)
    along = (end - start) / np.linalg.norm(end - start)
    fastest = 0.0
    for _ in range(20):
        gap = end - np.array(table.arm.aim.position)
        shift = gap * min(1.0, 0.1 / max(float(np.linalg.norm(gap)), 1e-9))
        table.arm.move_tool(shift, STILL, 0.0)
        table.advance()
        beside = np.array(table.arm.tool().position) - start
        assert np.linalg.norm(beside - (beside @ along) * along) < 0.008
        fastest = max(fastest, float(np.max(np.abs(table.arm.joints()[1]) / SPEED)))
    assert 0.5 < fastest < 1.1
    assert math.dist(table.arm.tool().position, end) < 0.005


def test_an_arm_that_has_arrived_stays_at_rest(table):
    send(table, (0.6, 0.2, 0.1))
    at = table.arm.tool().position
    squeeze(table, 0.08, steps=40)
    assert math.dist(table.arm.tool().position, at) < 0.002
    assert np.abs(table.arm.joints()[1]).max() < 0.02


def test_an_arm_that_is_pressed_onto_the_table_stops_there(table):
    goal = HOME + np.array((0.0, 1.2, 0.0, 0.4, 0.0, 0.0, 0.0))
    fastest = 0.0
    for _ in range(30):
        table.arm.move_joints(goal, 0.0)
        table.advance()
        fastest = max(fastest, float(np.abs(table.arm.joints()[1]).max()))
    assert -0.005 < table.arm.tool().z < 0.1
    assert fastest < 1.05 * SPEED.max()


@pytest.mark.parametrize(("model", "height"), [(CUBE, 0.02), (BALL, 0.02), (CUP, 0.055)])
def test_a_thing_is_grasped_carried_and_put_down_without_slipping(table, model, height):
    table.add("thing", model, RED)
    table.place("thing", 0.5, 0.1)
    send(table, (0.5, 0.1, 0.2))
    send(table, (0.5, 0.1, height))
    squeeze(table, 0.0)
    assert table.arm.holds(table.bodies["thing"])
    send(table, (0.5, 0.1, 0.25), width=0.0)
    held = table.pose("thing").z - table.arm.tool().z
    send(table, (0.4, -0.2, 0.25), width=0.0)
    squeeze(table, 0.0, steps=20)
    assert table.pose("thing").z - table.arm.tool().z == pytest.approx(held, abs=0.003)
    send(table, (0.4, -0.2, height + 0.001), width=0.0)
    squeeze(table, 0.08)
    send(table, (0.4, -0.2, 0.2))
    at = table.pose("thing")
    assert math.dist((at.x, at.y), (0.4, -0.2)) < 0.012
    assert at.z == pytest.approx(model.size[2] / 2, abs=0.002)
    assert table.speed("thing") < 0.01


def test_things_that_stand_are_still_where_they_were_after_ten_seconds(table):
    for number in range(6):
        table.add(f"cube {number}", CUBE, RED)
        table.place(f"cube {number}", 0.4 + 0.1 * (number % 3), 0.1 * (number // 3), yaw=number)
    before = [table.pose(name).position for name in table.bodies]
    for _ in range(10 * CONTROL_HZ):
        table.advance()
    moved = [
        math.dist(table.pose(n).position, at) for n, at in zip(table.bodies, before, strict=True)
    ]
    assert max(moved) < 0.001


@pytest.mark.parametrize("speed", [0.25, 1.0])
def test_a_ball_rolls_evenly(table, speed):
    table.add("ball", BALL, RED)
    table.place("ball", 0.5, -0.9)
    table.roll("ball", (0.0, speed, 0.0))
    for _ in range(CONTROL_HZ):
        table.advance()
    assert table.pose("ball").y == pytest.approx(-0.9 + speed, abs=0.02)
    assert table.speed("ball") == pytest.approx(speed, rel=0.02)


def test_no_camera_sees_a_ball_under_a_cup(table):
    for name, model, colour in (("cup", CUP, BLUE), ("ball", BALL, RED)):
        table.add(name, model, colour)
    table.place("cup", 0.5, 0.1)
    empty = [table.look(camera).rgb for camera in CAMERAS]
    table.place("ball", 0.5, 0.1)
    assert all((table.look(c).rgb == view).all() for c, view in zip(CAMERAS, empty, strict=True))
    table.put_away("cup")
    assert any((table.look(c).rgb != view).any() for c, view in zip(CAMERAS, empty, strict=True))


def test_a_button_goes_down_under_the_hand_and_comes_up_again(table):
    table.add_button("button", (0.5, 0.1), RED)
    top = table.fittings["button"].pose()
    assert table.fittings["button"].travel_m < 0.001
    squeeze(table, 0.0)
    send(table, (top.x, top.y, top.z + 0.05), width=0.0)
    send(table, (top.x, top.y, top.z - 0.012), width=0.0, steps=15, longest=0.02)
    assert table.fittings["button"].travel_m > 0.005
    send(table, (top.x, top.y, top.z + 0.05), width=0.0)
    assert table.fittings["button"].travel_m < 0.001


def test_a_drawer_follows_the_hand_that_holds_its_knob_and_the_others_do_not(table):
    table.add_chest((0.65, 0.0), (RED, BLUE))
    knob = table.fittings["drawer 3"].pose()
    send(table, (knob.x, knob.y, 0.2))
    send(table, (knob.x, knob.y, 0.06))
    squeeze(table, 0.0)
    send(table, (knob.x - 0.2, knob.y, 0.06), width=0.0, longest=0.03)
    assert table.fittings["drawer 3"].travel_m == pytest.approx(0.2, abs=0.01)
    assert table.fittings["drawer 1"].travel_m < 0.001
    assert table.fittings["drawer 2"].travel_m < 0.001


def test_a_table_repeats_from_its_seed_whatever_was_on_it_before(shared):
    def played(before):
        shared.reset(np.random.default_rng(before))
        shared.add("other", CUP, BLUE)
        shared.place("other", 0.6, 0.1)
        shared.advance()
        shared.reset(np.random.default_rng(7))
        shared.add("cube", CUBE, RED)
        shared.place("cube", 0.5, 0.0)
        passed = send(shared, (0.46, 0.0, 0.02), width=0.0)
        send(shared, (0.56, 0.0, 0.02), width=0.0)
        return passed, shared.pose("cube").position, shared.look("front").rgb

    first, second = played(1), played(2)
    assert first[1] == second[1]
    assert first[1][0] > 0.57
    assert (first[0] == second[0]).all()
    assert (first[2] == second[2]).all()


def test_what_happens_on_one_table_does_not_touch_another(table):
    other = TableWorld()
    other.reset(np.random.default_rng(3))
    for each in (table, other):
        each.add("cube", CUBE, RED)
        each.place("cube", 0.5, 0.0)
    other.put_away("cube")
    assert table.shows("cube")
    assert not other.shows("cube")
    other.close()
    table.advance()
    assert table.pose("cube").x == pytest.approx(0.5)


def test_resets_leave_no_files_bodies_or_clients_behind(shared):
    process = psutil.Process()

    def count():
        return process.num_fds(), len(process.open_files()), process.num_threads()

    before = None
    for seed in range(12):
        shared.reset(np.random.default_rng(seed))
        shared.add("cube", CUBE, RED)
        shared.look("front")
        if seed == 1:
            before = count()
    assert count() == before
    assert shared.client.getNumBodies() == 4  # table, shelf, robot, cube
