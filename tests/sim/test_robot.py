"""The robot in a small home: what it remembers of a day, and what it does with it."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pytest

from memory_core.memory import RobotMemory
from memory_core.planning.planner import Planner
from memory_sim.house_scoring import WALKING_M_S
from memory_sim.robot import HouseRobot
from memory_sim.worlds.home import truth
from memory_sim.worlds.home.plan import plan_home
from memory_sim.worlds.home.world import World

START_NS = 1_772_528_400_000_000_000
DAY_NS = 86_400 * 10**9
SEED = 11


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, HouseRobot, Planner]]:
    """A home of four rooms, patrolled."""
    folder = tmp_path_factory.mktemp("home") / "memory"
    plan = plan_home(SEED, rooms=4, floors=1)
    with World(plan, width=240, height=180) as world, RobotMemory.open(folder) as memory:
        robot = HouseRobot(world, memory, start_ns=START_NS, session="day 1")
        planner = Planner(memory, robot.body(), session="day 1")
        assert planner.do("patrol the house").done
        yield world, robot, planner


def in_the_open(world: World) -> list[truth.Whereabouts]:
    """Things that lie neither in a drawer nor behind a door."""
    return [place for place in truth.whereabouts(world).values() if not place.opening]


def test_it_knows_where_it_is_after_the_patrol(day):
    _, robot, _ = day
    here, true = robot.navigator.where().map_pose, robot.base.true_pose
    assert here is not None
    assert math.hypot(here.x - true.x, here.y - true.y) < 0.1
    assert all(speed <= WALKING_M_S for speed in robot.base.contact_speeds_m_s)


def test_nearly_all_that_lies_open_is_remembered_where_it_is(day):
    world, _, planner = day
    known = planner.memory.entities()
    lying = in_the_open(world)
    right = [
        place for place in lying
        if any(e.label == place.label and math.dist(e.position, place.position) < 0.15
               for e in known)
    ]  # fmt: skip
    assert len(right) >= 0.85 * len(lying) > 5, {p.label for p in lying} - {p.label for p in right}


def test_what_it_is_asked_for_is_handed_over(day):
    world, robot, planner = day
    place = next(p for p in in_the_open(world) if 0.4 < p.position[2] < 0.9)
    outcome = planner.do(f"bring me the {place.label}")
    assert outcome.done, outcome
    assert robot.arm.given == [place.thing]
