"""What goes wrong while a robot runs errands at home: it goes on, or says why not, and is not fooled."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("pybullet")

from memory_core.memory import RobotMemory
from memory_core.planning.planner import Planner
from memory_sim.robot import HouseRobot
from memory_sim.worlds.home import truth
from memory_sim.worlds.home.plan import plan_home
from memory_sim.worlds.home.world import World

START_NS = 1_772_528_400_000_000_000
SEED = 11


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, HouseRobot, Planner]]:
    """A robot that knows its way and has seen a good part of a home."""
    folder = tmp_path_factory.mktemp("home") / "memory"
    plan = plan_home(SEED, rooms=4, floors=1)
    with (
        World(plan, width=160, height=120) as world,
        RobotMemory.open(folder, text_encoder=None) as memory,
    ):
        robot = HouseRobot(world, memory, start_ns=START_NS, session="day 1")
        planner = Planner(memory, robot.body(), session="day 1")
        end_ns = START_NS + 60 * 10**9
        planner.do("patrol the house", interrupted=lambda: robot.base.stamp_ns > end_ns)
        yield world, robot, planner


def known(world: World, planner: Planner) -> truth.Whereabouts:
    """A thing in the open that is remembered where it is."""
    entities = planner.memory.entities()
    return next(
        place for place in truth.whereabouts(world).values()
        if not place.opening and any(
            e.label == place.label and math.dist(e.position, place.position) < 0.15
            for e in entities
        )
    )  # fmt: skip


def test_pictures_that_do_not_come_for_some_seconds_are_waited_for(lived, monkeypatch):
    world, robot, planner = lived
    place, look, camera = known(world, planner), world.camera.look, world.camera
    lost: list[int] = []

    def flaky(pose):
        if len(lost) < 8:
            lost.append(robot.base.stamp_ns)
            return None
        return look(pose)

    monkeypatch.setattr(camera, "look", flaky)
    outcome = planner.do(f"find the {place.label}")
    assert outcome.done, outcome
    assert len(lost) == 8
    assert all(one.found for one in outcome.looked), "what was not seen was taken to be gone"
    assert math.dist(outcome.position, place.position) < 0.2


@pytest.mark.parametrize("blank", [False, True], ids=["no pictures", "black pictures"])
def test_a_robot_whose_camera_stays_dark_says_so_and_remembers_nothing_as_gone(
    lived, monkeypatch, blank
):
    world, robot, planner = lived
    place, look = known(world, planner), world.camera.look

    def dark(pose):
        frame = look(pose)
        black, nothing = np.zeros_like(frame.image), np.zeros_like(frame.depth_m)
        return replace(frame, image=black, depth_m=nothing) if blank else None

    before = {e.id: e.position for e in planner.memory.entities()}
    pictures = len(robot.timings.remember)
    monkeypatch.setattr(world.camera, "look", dark)
    outcome = planner.do(f"find the {place.label}")
    assert not outcome.done
    assert "no picture" in outcome.reason and "camera" in outcome.said
    assert outcome.looked == ()
    assert len(robot.timings.remember) == pictures
    assert {e.id: e.position for e in planner.memory.entities()} == before


def test_a_leap_of_the_odometry_on_the_way_does_not_lead_it_astray(lived):
    _, robot, planner = lived
    began_m = robot.navigator.travelled_m
    leapt = []

    def leap() -> bool:
        if not leapt and robot.navigator.travelled_m > began_m + 0.5:
            leapt.append(True)
            robot.base.jump(0.7, 0.3, 0.4)
        return False

    here = robot.base.true_pose
    target = max(
        (entity for entity in planner.memory.entities() if entity.position is not None),
        key=lambda entity: math.dist(entity.position, here.position),
    )
    outcome = planner.do(f"go to the {target.label}", interrupted=leap)
    here, true = robot.navigator.where().map_pose, robot.base.true_pose
    assert leapt and outcome.done and here is not None, outcome
    assert math.hypot(here.x - true.x, here.y - true.y) < 0.15


def test_fingers_that_never_hold_end_the_errand_and_the_thing_stays_known(lived, monkeypatch):
    world, robot, planner = lived
    place = next(
        p for p in truth.whereabouts(world).values()
        if not p.opening and 0.4 < p.position[2] < 0.9
        and any(e.label == p.label and math.dist(e.position, p.position) < 0.15
                for e in planner.memory.entities())
    )  # fmt: skip
    monkeypatch.setattr(robot.arm, "slip_probability", 1.0)
    outcome = planner.do(f"bring me the {place.label}")
    assert not outcome.done and not robot.arm.holding and robot.arm.given == []
    assert any(step.reason == "slipped" for step in outcome.steps), outcome
    true = truth.whereabouts(world)[place.thing].position
    assert any(
        e.label == place.label and math.dist(e.position, true) < 0.3
        for e in planner.memory.entities()
    )
