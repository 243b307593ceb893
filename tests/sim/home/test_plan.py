"""Plans of homes: the same from the same seed, possible, and all different."""

from __future__ import annotations

import hashlib
import itertools
import math
import os
import subprocess
import sys
from collections import deque
from pathlib import Path

import numpy as np
import pytest

from memory_sim.worlds.home.furnishing import overlap
from memory_sim.worlds.home.people import state
from memory_sim.worlds.home.placing import spot_pose
from memory_sim.worlds.home.plan import obstacles, plan_home
from memory_sim.worlds.home.things import thing_size

SEEDS = range(16)
ROBOT_RADIUS_M = 0.28
STEP_M = 0.1


@pytest.fixture(scope="module", params=SEEDS)
def plan(request):
    return plan_home(request.param)


def reached_from_dock(plan, floor, start):
    """Cells that a round robot reaches, by breadth-first search: a second opinion on the plan."""
    boxes = np.array(obstacles(floor, plan.walls, plan.furniture, plan.rooms))

    def free(cell):
        x, y = cell[0] * STEP_M, cell[1] * STEP_M
        gap = np.hypot(
            np.maximum(np.maximum(boxes[:, 0] - x, x - boxes[:, 2]), 0),
            np.maximum(np.maximum(boxes[:, 1] - y, y - boxes[:, 3]), 0),
        )
        return gap.min() >= ROBOT_RADIUS_M

    first = (round(start[0] / STEP_M), round(start[1] / STEP_M))
    reached, waiting = {first}, deque([first])
    assert free(first)
    while waiting:
        i, j = waiting.popleft()
        for cell in ((i + 1, j), (i - 1, j), (i, j + 1), (i, j - 1)):
            inside = plan.room_at(cell[0] * STEP_M, cell[1] * STEP_M, floor * 3.0) is not None
            if cell not in reached and inside and free(cell):
                reached.add(cell)
                waiting.append(cell)
    return reached


@pytest.mark.parametrize("seed", [2, 8, 10])
def test_a_robot_gets_from_the_dock_to_the_front_of_all_furniture(seed):
    plan = plan_home(seed)
    for floor in range(plan.floors):
        start = plan.dock if floor == 0 else plan.lift.stops[floor]
        reached = reached_from_dock(plan, floor, (start.x, start.y))
        for piece in plan.furniture:
            if plan.room_by_name[piece.room].floor == floor and piece.kind.surfaces:
                x, y, _ = piece.standing().position
                near = min(math.hypot(i * STEP_M - x, j * STEP_M - y) for i, j in reached)
                assert near <= 0.15, piece.id
        for room in plan.rooms:
            if room.floor == floor:
                assert any(room.holds(i * STEP_M, j * STEP_M) for i, j in reached), room.name


def test_the_same_seed_gives_the_same_home_and_days_in_another_process():
    script = (
        "import hashlib; from memory_sim.worlds.home.plan import plan_home;"
        "from memory_sim.worlds.home.people import state; p = plan_home(11);"
        "print(hashlib.sha256(repr((p, state(p, 4))).encode()).hexdigest())"
    )
    sim = Path(sys.modules["memory_sim"].__file__).parents[1]
    core = Path(sys.modules["memory_core"].__file__).parents[1]
    environment = {**os.environ, "PYTHONPATH": f"{sim}{os.pathsep}{core}", "PYTHONHASHSEED": "7"}
    ran = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env=environment, check=True
    )
    plan = plan_home(11)
    here = hashlib.sha256(repr((plan, state(plan, 4))).encode()).hexdigest()
    assert ran.stdout.strip() == here


def test_homes_differ_in_rooms_floors_and_things():
    plans = [plan_home(seed) for seed in SEEDS]
    assert len({tuple(room.kind for room in plan.rooms) for plan in plans}) == len(plans)
    assert {plan.floors for plan in plans} == {1, 2}
    assert len({thing.kind for plan in plans for thing in plan.things}) >= 60
    assert len({len(plan.rooms) for plan in plans}) >= 5


@pytest.mark.parametrize(("rooms", "floors"), [(r, f) for r in (4, 8, 12) for f in (1, 2)])
def test_a_home_has_the_rooms_and_floors_asked_for(rooms, floors):
    plan = plan_home(5, rooms=rooms, floors=floors)
    assert sum(room.kind not in ("hallway", "lift") for room in plan.rooms) == rooms
    assert plan.floors == floors
    assert len({room.name for room in plan.rooms}) == len(plan.rooms)


@pytest.mark.parametrize("wrong", [{"rooms": 3}, {"rooms": 13}, {"floors": 0}, {"floors": 3}])
def test_an_impossible_home_is_refused(wrong):
    with pytest.raises(ValueError, match="expected"):
        plan_home(1, **wrong)


def test_rooms_do_not_overlap_and_doorways_are_wide_and_between_two(plan):
    for first, second in itertools.combinations(plan.rooms, 2):
        if first.floor == second.floor:
            assert not overlap((*first.low, *first.high), (*second.low, *second.high), -1e-6)
    for doorway in plan.doorways:
        assert doorway.width_m >= 0.9
        x, y = doorway.centre
        for name, side in itertools.product(doorway.rooms, (-0.2, 0.2)):
            dx, dy = (0, side) if doorway.along_x else (side, 0)
            assert plan.room_at(x + dx, y + dy, doorway.floor * 3.0).name in doorway.rooms, name


def test_no_wall_stands_in_a_doorway(plan):
    for doorway, wall in itertools.product(plan.doorways, plan.walls):
        low = np.array(wall.centre) - np.array(wall.size) / 2
        high = np.array(wall.centre) + np.array(wall.size) / 2
        at = np.array((*doorway.centre, doorway.floor * 3.0 + 1.0))
        assert not np.all((low < at) & (at < high))


def test_furniture_stands_inside_its_room_and_never_in_other_furniture(plan):
    solid = [piece for piece in plan.furniture if piece.label != "door"]
    for piece in solid:
        room = plan.room_by_name[piece.room]
        x0, y0, x1, y1 = piece.rectangle
        assert room.low[0] < x0 and room.low[1] < y0 and x1 < room.high[0] and y1 < room.high[1]
    for first, second in itertools.combinations(solid, 2):
        if plan.room_by_name[first.room].floor == plan.room_by_name[second.room].floor:
            assert not overlap(first.rectangle, second.rectangle), (first.id, second.id)


def test_things_are_as_many_as_asked_each_with_a_label_of_its_own(plan):
    present = [thing for thing in plan.things if thing.spot is not None]
    assert 25 <= len(present) <= 60
    assert len({thing.label for thing in plan.things}) == len(plan.things)
    assert len({thing.id for thing in plan.things}) == len(plan.things)
    kinds = [thing.kind for thing in plan.things]
    several = [thing for thing in plan.things if kinds.count(thing.kind) > 1]
    assert len(several) >= 5
    assert all(thing.label == f"{thing.colour} {thing.kind}" for thing in several)


def test_things_stand_free_of_each_other_within_reach_of_a_front(plan):
    placed = []
    for thing in plan.things:
        if thing.spot is None:
            continue
        piece = plan.furniture_by_id[thing.spot.furniture]
        surface = plan.surface(thing.spot)
        assert thing_size(thing.kind, thing.colour, thing.scale)[2] < surface.clearance_m
        assert piece.kind.size[0] / 2 - thing.spot.x <= 0.25
        pose = spot_pose(thing.spot, piece)
        height = pose.z - plan.room_by_name[piece.room].z
        assert 0.3 <= height <= 1.3
        placed.append(pose.position)
    for first, second in itertools.combinations(placed, 2):
        assert math.dist(first, second) > 0.06


def test_a_lift_stops_at_the_same_place_on_both_floors():
    plan = plan_home(3, floors=2)
    lower, upper = plan.lift.stops
    assert (lower.x, lower.y) == (upper.x, upper.y)
    assert upper.z - lower.z == 3.0
    assert [plan.room_at(*stop.position).kind for stop in plan.lift.stops] == ["lift", "lift"]
    assert plan_home(3, floors=1).lift is None
