"""The cameras: depth is where things are, noise is seeded, light differs."""

from __future__ import annotations

import math

import numpy as np
import pytest

pytest.importorskip("pybullet")
pytest.importorskip("gymnasium")

from memory_core.perception.camera import back_project
from memory_sim.worlds.table.camera import CAMERAS, MOUNTS, Light
from memory_sim.worlds.table.models import CUBE, PALETTE
from memory_sim.worlds.table.world import TableWorld

PLACE = (0.55, 0.1)


@pytest.fixture(scope="module")
def table():
    world = TableWorld()
    world.reset(np.random.default_rng(5))
    world.add("cube", CUBE, PALETTE["red"])
    world.place("cube", *PLACE)
    yield world
    world.close()


def points(view, mask):
    return view.camera_pose.transform(back_project(view.depth_m, view.intrinsics, mask=mask))


@pytest.mark.parametrize("camera", CAMERAS)
def test_red_pixels_with_depth_lie_on_the_red_cube(table, camera):
    view = table.look(camera)
    rgb = view.rgb.astype(int)
    found = points(view, (rgb[:, :, 0] > 90) & (rgb[:, :, 1] < 60) & (rgb[:, :, 2] < 60))
    assert len(found) >= 10
    middle = np.median(found, axis=0)
    assert math.dist(middle[:2], PLACE) < 0.03
    assert -0.01 < middle[2] < 0.05


@pytest.mark.parametrize("camera", ["front", "wrist"])
def test_the_table_is_seen_at_height_zero(table, camera):
    view = table.look(camera)
    heights = points(view, None)[:, 2]
    assert abs(np.percentile(heights, 30)) < 0.003
    near = np.abs(heights) < 0.02
    assert near.mean() > 0.5
    assert 0.0002 < heights[near].std() < 0.006


def test_a_picture_is_the_same_however_often_it_is_taken_and_another_a_step_later(table):
    first, again = table.look("front"), table.look("front")
    assert (first.rgb == again.rgb).all()
    assert (first.depth_m == again.depth_m).all()
    table.advance()
    later = table.look("front")
    assert (first.rgb != later.rgb).any()
    noise = first.rgb.astype(float) - later.rgb
    assert 1.5 < noise.std() / math.sqrt(2) < 4.0


def test_the_wrist_camera_moves_with_the_tool(table):
    before = table.look("wrist").camera_pose
    tool = table.arm.tool()
    shift = np.array((0.0, 0.05, 0.0))
    for _ in range(6):
        table.arm.move_tool(shift, np.zeros(3), 0.08)
        table.advance()
        shift = np.zeros(3)
    moved = np.array(table.arm.tool().position) - tool.position
    after = table.look("wrist").camera_pose
    assert np.allclose(np.array(after.position) - before.position, moved, atol=0.005)
    assert (table.look("front").camera_pose) == MOUNTS["front"].pose


def test_light_and_table_differ_from_seed_to_seed():
    lights = [Light.drawn(np.random.default_rng(seed)) for seed in range(20)]
    shades = np.array([light.on_table() for light in lights])
    assert shades.std(axis=0).min() > 5
    assert shades.max() < 255
