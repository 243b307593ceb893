"""The built home: bodies, contacts, drawers and doors."""

from __future__ import annotations

import math

import numpy as np
import pytest

pytest.importorskip("pybullet")

from memory_core.errors import NotInstalled
from memory_core.types import Pose
from memory_sim.worlds.home.people import state
from memory_sim.worlds.home.plan import plan_home
from memory_sim.worlds.home.truth import changes, openness, whereabouts
from memory_sim.worlds.home.world import World


@pytest.fixture(scope="module")
def shared():
    with World(plan_home(12, rooms=6), day=1) as built:
        yield built


@pytest.fixture
def world():
    with World(plan_home(12, rooms=4)) as built:
        yield built


def middle(world, body, link=-1):
    low, high = world.client.getAABB(body, link)
    return (np.array(low) + np.array(high)) / 2


def test_no_two_things_touch_and_none_is_in_furniture(shared):
    bodies = {number: name for name, number in shared.bodies.items()}
    shared.client.performCollisionDetection()
    for thing in shared.things:
        for other in bodies:
            if bodies[other] == thing:
                continue
            points = shared.client.getClosestPoints(shared.bodies[thing], other, 0.0)
            deepest = min((point[8] for point in points), default=0.0)
            assert deepest > -0.002, (thing, bodies[other])


def test_open_doors_stand_in_no_furniture_and_no_wall(shared):
    leaves = {joint.body for joint in shared.joints.values() if joint.kind.label == "door"}
    assert leaves
    for leaf in leaves:
        for other in shared.obstacles:
            if other != leaf:
                points = shared.client.getClosestPoints(leaf, other, 0.0)
                assert min((point[8] for point in points), default=0.0) > -0.02


def test_a_thing_pushed_into_another_is_a_contact(world):
    first, second = world.things[:2]
    world.place(first, world.pose_of(second))
    points = world.client.getClosestPoints(world.bodies[first], world.bodies[second], 0.0)
    assert min(point[8] for point in points) < -0.01


def test_drawers_slide_and_doors_turn_by_their_travel(world):
    for name, joint in world.joints.items():
        world.set_openness(name, 0.0)
        closed = middle(world, joint.body, joint.handle)
        world.set_openness(name, 1.0)
        moved = math.dist(closed, middle(world, joint.body, joint.handle))
        if joint.kind.hinge is None:
            assert moved == pytest.approx(joint.kind.travel, abs=1e-3)
        else:
            bar = joint.kind.handle[0].centre
            radius = math.dist(bar[:2], joint.kind.hinge[:2])
            assert moved == pytest.approx(
                2 * radius * math.sin(abs(joint.kind.travel) / 2), abs=0.1
            )
        front = world.plan.furniture_by_id[joint.furniture].pose.matrix()[:3, 0]
        outward = (middle(world, joint.body, joint.handle) - closed) @ front
        assert outward > 0.1, f"{name} opens into the furniture"


def test_the_frame_of_an_opening_is_where_pybullet_has_its_handle(world):
    for name, joint in list(world.joints.items())[::3]:
        for share in (0.0, 1.0):
            world.set_openness(name, share)
            bar = joint.kind.handle[0].centre
            expected = world.opening_pose(name).apply(*bar)
            distance = np.linalg.norm(middle(world, joint.body, joint.handle) - expected)
            assert distance < 0.05


def test_what_lies_in_a_drawer_moves_with_it_and_what_is_taken_out_stays():
    with World(plan_home(12)) as world:
        thing = next(name for name in world.things if world.inside(name))
        drawer = world.inside(thing)
        world.set_openness(drawer, 0.0)
        before = np.array(world.pose_of(thing).position)
        world.set_openness(drawer, 1.0)
        after = np.array(world.pose_of(thing).position)
        assert np.linalg.norm(after - before) == pytest.approx(
            world.joints[drawer].kind.travel, abs=1e-6
        )
        world.place(thing, Pose(0.0, 0.0, 1.5))
        assert world.inside(thing) is None
        world.set_openness(drawer, 0.0)
        assert world.pose_of(thing).position == (0.0, 0.0, 1.5)
        world.set_openness(drawer, 1.0)
        world.place(thing, Pose(*after.tolist()))
        assert world.inside(thing) == drawer


def test_opening_and_closing_a_thousand_times_changes_and_leaves_nothing(world):
    client, drawers = world.client, list(world.joints)
    before = {name: world.pose_of(name) for name in world.things}
    bodies = client.getNumBodies()
    heard: list[str] = []
    world.on_change(heard.append)
    for turn in range(1000):
        name = drawers[turn % len(drawers)]
        start = world.openness(name)
        world.set_openness(name, 1.0 - start)
        world.set_openness(name, start)
    assert client.getNumBodies() == bodies
    assert len(heard) >= 2000
    for name, pose in before.items():
        assert math.dist(world.pose_of(name).position, pose.position) < 1e-9


def test_openness_ends_at_closed_and_open(world):
    name = next(iter(world.joints))
    world.set_openness(name, 7.0)
    assert world.openness(name) == 1.0
    world.set_openness(name, -7.0)
    assert world.openness(name) == 0.0


def test_truth_says_room_furniture_and_drawer_of_every_thing(shared):
    now = state(shared.plan, 1)
    found = whereabouts(shared)
    assert set(found) == set(now.spots)
    for name, spot in now.spots.items():
        assert found[name].furniture == spot.furniture, name
        assert found[name].surface == spot.surface, name
        assert found[name].room == shared.plan.furniture_by_id[spot.furniture].room
        behind = shared.plan.surface(spot).opening
        assert found[name].opening == (f"{spot.furniture}/{behind}" if behind else "")
    assert openness(shared) == dict(now.openness)


def test_truth_follows_a_thing_that_was_put_on_the_floor(world):
    thing, dock = world.things[0], world.plan.dock
    world.place(thing, dock)
    found = whereabouts(world)[thing]
    assert (found.room, found.furniture, found.surface) == ("hallway", "", "")
    assert math.dist(found.position[:2], (dock.x, dock.y)) < 0.05


def test_changes_between_days_are_what_differs(shared):
    plan = shared.plan
    assert changes(plan, 2, 2) == ()
    found = {change.thing: change for change in changes(plan, 0, 3)}
    first, last = state(plan, 0).spots, state(plan, 3).spots
    assert found
    for thing in plan.things:
        same = first.get(thing.id) == last.get(thing.id)
        assert (thing.id not in found) == same


def test_without_pybullet_the_line_that_installs_it_is_told(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pybullet", None)
    with pytest.raises(NotInstalled, match="robot-memory\\[sim\\]"):
        World(plan_home(1, rooms=4))
