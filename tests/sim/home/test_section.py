"""Beams in the plane of a scanner, against rays through the physics server's shapes."""

from __future__ import annotations

import math

import numpy as np
import pytest

pytest.importorskip("pybullet")

from memory_core.types import Pose
from memory_sim.worlds.home.plan import plan_home
from memory_sim.worlds.home.section import Section, beams, outline
from memory_sim.worlds.home.solids import box, cylinder, sphere
from memory_sim.worlds.home.world import World

REACH_M = 8.0
COUNT = 120


@pytest.fixture(scope="module")
def world():
    with World(plan_home(2, rooms=6, floors=2)) as world:
        yield world


def rays(world, pose):
    """What the physics server says of the same beams; infinite beyond their reach."""
    bearings = np.arange(COUNT) * (2 * np.pi / COUNT) - np.pi + pose.yaw
    start = np.tile(pose.position, (COUNT, 1))
    end = start + REACH_M * np.stack([np.cos(bearings), np.sin(bearings), np.zeros(COUNT)], axis=1)
    hits = world.client.rayTestBatch(start, end, numThreads=1)
    return np.array([hit[2] * REACH_M if hit[0] >= 0 else np.inf for hit in hits])


def within_reach(reach):
    return np.where(reach <= REACH_M, reach, np.inf)


def free_places(world, floor_z, *, count, seed=0):
    """Poses on a floor with nothing within 25 cm, at the height of a scanner."""
    random = np.random.default_rng(seed)
    rooms = [room for room in world.plan.rooms if room.z == floor_z]
    while count:
        room = rooms[random.integers(len(rooms))]
        x, y = np.array(room.low) + np.array(room.size) * random.random(2)
        low, high = (x - 0.25, y - 0.25, floor_z + 0.1), (x + 0.25, y + 0.25, floor_z + 0.4)
        if not world.client.getOverlappingObjects(low, high):
            count -= 1
            yield Pose.from_yaw(x, y, z=floor_z + 0.25, yaw=random.uniform(-4, 4))


@pytest.mark.parametrize("floor", [0, 1])
def test_beams_reach_as_far_as_rays_through_the_solid_shapes(world, floor):
    floor_z = world.floors_z[floor]
    section = Section(world, floor_z + 0.25)
    apart = []
    for pose in free_places(world, floor_z, count=25):
        found, expected = within_reach(beams(section.edges(), pose, COUNT)), rays(world, pose)
        assert (np.isfinite(found) != np.isfinite(expected)).mean() < 0.02
        both = np.isfinite(found) & np.isfinite(expected)
        apart += np.abs(found[both] - expected[both]).tolist()
    assert np.mean(np.array(apart) > 0.005) < 0.005  # beams that graze an edge
    assert np.median(apart) < 1e-3


def test_what_moves_is_met_where_it_is_and_what_is_held_is_not(world):
    pose = next(free_places(world, 0.0, count=1, seed=5))
    section, thing = Section(world, pose.z), world.things[0]
    before, was = beams(section.edges(), pose, COUNT), world.pose_of(thing)
    x, y, _ = pose.apply(0.2, 0.0, 0.0)
    world.place(thing, Pose(x, y, pose.z - 0.01))
    ahead = COUNT // 2
    assert before[ahead] > 0.25
    assert beams(section.edges(), pose, COUNT)[ahead] == pytest.approx(0.2, abs=0.15)
    assert np.array_equal(beams(section.edges(apart_from=thing), pose, COUNT), before)
    world.place(thing, was)
    assert np.array_equal(beams(section.edges(), pose, COUNT), before)


def test_a_drawer_that_is_pulled_out_is_met_sooner():
    with World(plan_home(1)) as world:
        name, joint = next(
            (name, joint) for name, joint in world.joints.items()
            if joint.kind.hinge is None and joint.kind.solids[0].centre[2] > 0.1
        )  # fmt: skip
        frame = world.plan.furniture_by_id[joint.furniture].pose
        front = joint.kind.solids[0].centre
        far = frame.compose(Pose.from_yaw(front[0] + 1.0, front[1], z=front[2], yaw=math.pi))
        section = Section(world, far.z)
        world.set_openness(name, 0.0)
        shut = beams(section.edges(), far, COUNT)[COUNT // 2]
        world.set_openness(name, 1.0)
        assert shut - beams(section.edges(), far, COUNT)[COUNT // 2] == pytest.approx(
            joint.kind.travel, abs=1e-6
        )


@pytest.mark.parametrize(("solid", "z", "area"), [
    (box((0.4, 0.2, 1.0), (0, 0, 0.5), (0, 0, 0)), 0.3, 0.08),
    (cylinder(0.4, 1.0, (0, 0, 0), (0, 0, 0)), 0.3, math.pi * 0.04),
    (sphere(0.4, (0, 0, 0), (0, 0, 0)), 0.3, math.pi * (0.04 - 0.01)),
])  # fmt: skip
def test_an_outline_has_the_area_of_the_cut(solid, z, area):
    edges = outline(solid, Pose.from_yaw(1.0, 2.0, yaw=0.7), z)
    (x0, y0), (x1, y1) = edges[:, 0].T, edges[:, 1].T
    assert abs((x0 * y1 - x1 * y0).sum()) / 2 == pytest.approx(area, rel=0.02)


def test_a_solid_that_lies_on_its_side_is_cut_along():
    lying = Pose(qx=math.sqrt(0.5), qw=math.sqrt(0.5))  # its upright axis now along y
    edges = outline(cylinder(0.2, 1.0, (0, 0, -0.5), (0, 0, 0)), lying, 0.0)
    low, high = edges.reshape(-1, 2).min(axis=0), edges.reshape(-1, 2).max(axis=0)
    assert (high - low) == pytest.approx((0.2, 1.0), abs=0.002)


def test_what_the_plane_passes_over_has_no_outline():
    assert outline(box((1, 1, 1), (0, 0, 0.5), (0, 0, 0)), Pose(), 1.2).shape == (0, 2, 2)
    assert np.isinf(beams(np.empty((0, 2, 2)), Pose(), 8)).all()
