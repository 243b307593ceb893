"""The camera: depth that agrees with geometry, noise, lost frames, light, speed."""

from __future__ import annotations

import gc
import math
import time
import tracemalloc

import numpy as np
import pytest

pytest.importorskip("pybullet")

from memory_core.types import Pose
from memory_sim.worlds.home.camera import (
    FAR_M,
    HEAD_M,
    NOISE_M,
    NOISE_PER_M,
    Camera,
    head_pose,
    towards,
)
from memory_sim.worlds.home.layout import WALL_HEIGHT_M
from memory_sim.worlds.home.plan import plan_home
from memory_sim.worlds.home.world import World


@pytest.fixture(scope="module")
def world():
    with World(plan_home(3, rooms=6, floors=2), day=1) as built:
        yield built


@pytest.fixture(scope="module")
def exact(world):
    camera = Camera(world, noise=0)
    yield camera
    camera.close()


def views(plan, count, *, seed=0):
    """Camera poses in all rooms, every way, looking up and down."""
    random = np.random.default_rng(seed)
    found = []
    for number in range(count):
        room = plan.rooms[number % len(plan.rooms)]
        reach = np.minimum(np.array(room.size) / 2 - 0.4, 0.9)
        x, y = np.array(room.centre) + random.uniform(-1, 1, 2) * reach
        base = Pose.from_yaw(x, y, z=room.z, yaw=random.uniform(-math.pi, math.pi))
        found.append(head_pose(base, tilt_rad=random.uniform(-1.1, 0.3)))
    return found


def test_depth_is_where_rays_through_the_pixels_meet_the_world(world, exact):
    rows, columns = (grid.ravel() for grid in np.mgrid[6:240:18, 6:320:18])
    wrong = []
    for pose in views(world.plan, 24):
        frame = exact.look(pose)
        lens = frame.intrinsics
        rays = np.stack(
            [np.ones(len(rows)), -(columns - lens.cx) / lens.fx, -(rows - lens.cy) / lens.fy],
            axis=1,
        )
        eye, axes = np.array(pose.position), pose.matrix()[:3, :3]
        near, far = 0.1, FAR_M
        starts, ends = (eye + (rays * depth) @ axes.T for depth in (near, far))
        hits = world.client.rayTestBatch(starts.tolist(), ends.tolist())
        expected = np.array([near + hit[2] * (far - near) if hit[0] >= 0 else 0 for hit in hits])
        depth = frame.depth_m[rows, columns]
        height = (eye + (rays * depth[:, None]) @ axes.T)[:, 2]
        floor = world.plan.room_at(*pose.position).z
        ceiling = np.abs(height - floor - WALL_HEIGHT_M) < 0.02  # has no body
        off = (np.abs(depth - expected) > 0.01 + 0.01 * expected) & ~ceiling
        wrong.append(off.mean())  # pixels on edges see one side or the other
    assert max(wrong) < 0.06
    assert np.mean(wrong) < 0.02


def test_what_is_left_out_of_sight_is_in_no_picture(world, exact):
    everything = Camera(world, noise=0)
    everything._scene._cull = False
    for pose in views(world.plan, 24, seed=5):
        culled, whole = exact.look(pose), everything.look(pose)
        assert np.array_equal(culled.owners, whole.owners)
        assert np.array_equal(culled.depth_m, whole.depth_m)
        assert np.array_equal(culled.image, whole.image)
    everything.close()


def test_two_cameras_see_the_same(world):
    pose = views(world.plan, 1)[0]
    first, second = Camera(world, seed=4), Camera(world, seed=4)
    one, other = first.look(pose), second.look(pose)
    assert np.array_equal(one.image, other.image)
    assert np.array_equal(one.depth_m, other.depth_m)
    first.close()
    second.close()


def test_noise_grows_with_the_square_of_the_distance(world, exact):
    noisy = Camera(world, seed=1)
    spreads = []
    for pose in views(world.plan, 6):
        truth, measured = exact.look(pose).depth_m, noisy.look(pose).depth_m
        known = truth > 0
        spreads.append(
            (measured[known] - truth[known]) / (NOISE_M + NOISE_PER_M * truth[known] ** 2)
        )
    noisy.close()
    scaled = np.concatenate(spreads)
    assert np.std(scaled) == pytest.approx(1.0, abs=0.02)
    assert abs(np.mean(scaled)) < 0.02


def test_frames_get_lost_as_often_as_told(world):
    camera = Camera(world, lost=0.3, seed=2)
    camera._scene.show_for = None  # a lost frame is not even drawn
    lost = 0
    for _ in range(200):
        state = camera._random.bit_generator.state
        if camera._random.random() < 0.3:
            camera._random.bit_generator.state = state
            assert camera.look(Pose()) is None
            lost += 1
    camera.close()
    assert 35 <= lost <= 85


def test_the_head_turns_towards_a_point():
    base = Pose.from_yaw(1.0, 2.0, z=3.0, yaw=0.7)
    point = (2.5, 1.0, 3.6)
    pan, tilt = towards(base, point)
    seen = head_pose(base, pan_rad=pan, tilt_rad=tilt).inverse().apply(*point)
    assert seen[0] > 1
    assert seen[1:] == pytest.approx((0, 0), abs=1e-9)
    assert head_pose(Pose()).position == HEAD_M


def test_a_thing_that_is_moved_is_seen_where_it_is(world, exact):
    thing = world.things[0]
    before, dock = world.pose_of(thing), world.plan.dock
    at = dock.apply(0.6, 0.0, 0.0)
    world.place(thing, Pose(*at))
    pan, tilt = towards(dock, (at[0], at[1], at[2] + 0.05))
    frame = exact.look(head_pose(dock, pan_rad=pan, tilt_rad=tilt))
    world.place(thing, before)
    assert frame.owners[110:131, 150:171].any()
    assert not exact.look(frame.camera_pose).owners[110:131, 150:171].any()


def test_another_day_has_another_light(world):
    plan, pose = world.plan, views(world.plan, 1)[0]
    means = []
    for day in (0, 1, 2):
        with World(plan, day=day, width=80, height=60) as other:
            means.append(other.camera.look(pose).image.mean())
    assert len({round(float(mean)) for mean in means}) == 3


def test_pictures_have_the_size_asked_for():
    with World(plan_home(3, rooms=4), width=160, height=90) as small:
        frame = small.camera.look(head_pose(small.plan.dock))
    assert frame.image.shape == (90, 160, 3) and frame.image.dtype == np.uint8
    assert frame.depth_m.shape == (90, 160) and frame.depth_m.dtype == np.float32


def test_a_renderer_that_is_not_there_is_refused(world, monkeypatch):
    monkeypatch.setattr("memory_sim.worlds.home.camera.graphics_card", lambda: False)
    with pytest.raises(ValueError, match="expected auto, tiny or egl"):
        Camera(world, renderer="opengl")
    with pytest.raises(ValueError, match="no graphics card"):
        Camera(world, renderer="egl")


def test_worlds_built_again_and_again_leave_nothing_behind():
    plan = plan_home(3, rooms=4)

    def build():
        with World(plan) as built:
            built.camera.look(head_pose(plan.dock))

    build()
    tracemalloc.start()
    build()
    gc.collect()
    before = tracemalloc.get_traced_memory()[0]
    for _ in range(2):
        build()
    gc.collect()
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert grown < 200_000  # bytes; the numbers of one scene alone are millions


def test_a_picture_of_a_large_home_takes_a_few_hundredths_of_a_second():
    with World(plan_home(3, rooms=12, floors=1)) as large:
        poses = views(large.plan, 26)
        large.camera.look(poses[0])
        start = time.process_time()
        for pose in poses:
            large.camera.look(pose)
        spent = (time.process_time() - start) / len(poses)
    assert spent < 0.06  # about 0.01 on an idle core


def test_a_look_that_is_repeated_differs_in_noise_alone_and_shows_what_moved():
    with World(plan_home(11, rooms=4, floors=1), day=0) as home:
        camera, fresh = Camera(home, seed=1), Camera(home, noise=0)
        for number, name in enumerate(home.things, start=1):
            x, y, z = home.pose_of(name).position
            base = Pose(x - 1.0, y)
            pan, tilt = towards(base, (x, y, z))
            pose = head_pose(base, pan_rad=pan, tilt_rad=tilt)
            if np.count_nonzero(fresh.look(pose).owners == number) > 20:
                break
        first, again = camera.look(pose), camera.look(pose)
        assert np.array_equal(first.image, again.image)
        assert np.array_equal(first.owners, again.owners)
        assert not np.array_equal(first.depth_m, again.depth_m)
        first.image[:] = 0  # what is given away is the taker's
        home.place(name, Pose(x, y + 0.3, z))
        moved = camera.look(pose)
        assert np.array_equal(moved.image, fresh.look(pose).image)
        assert not np.array_equal(moved.owners, again.owners)
        camera.close()
        fresh.close()
