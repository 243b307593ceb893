"""Sightings to things: what is one and the same, and what is not."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memory_core.semantic.entities import meet
from memory_core.semantic.scene import build_scene
from memory_core.types import Pose, Sighting

from .making import aimed, placed, scene_of, standpoint, things

HERE = Pose.from_yaw(0.0, 0.0, z=1.0)
THERE = Pose.from_yaw(3.0, 0.0, z=1.0, yaw=math.pi / 2)


def test_one_thing_seen_from_two_sides_is_one_where_it_stands():
    scene = scene_of(
        standpoint(0, HERE, placed(HERE, "mug", (1.5, 1.0, 0.8))),
        standpoint(1, THERE, placed(THERE, "mug", (1.6, 1.1, 0.8))),
    )
    assert things(scene, "mug") == [pytest.approx((1.55, 1.05, 0.8))]
    assert scene.sees.tolist() == [[1.0, 1.0]]


def test_equal_things_two_metres_apart_stay_two():
    pair = [(1.0, 1.0, 0.4), (3.0, 1.0, 0.4)]
    scene = scene_of(
        *(
            standpoint(n, at, *(placed(at, "chair", p) for p in pair))
            for n, at in enumerate((HERE, THERE))
        )
    )
    assert things(scene, "chair") == [pytest.approx(p) for p in pair]


def test_things_with_other_labels_in_one_place_stay_apart():
    scene = scene_of(
        standpoint(0, HERE, placed(HERE, "mug", (1, 1, 0.8)), placed(HERE, "cup", (1, 1, 0.8)))
    )
    assert len(things(scene, "mug")) == len(things(scene, "cup")) == 1


def test_a_large_thing_seen_from_both_sides_is_one():
    near, far = (2.0, 0.6, 0.4), (2.0, 1.6, 0.4)  # the two faces of a sofa of 2 m
    scene = scene_of(
        standpoint(0, HERE, placed(HERE, "sofa", near, 2.0)),
        standpoint(1, THERE, placed(THERE, "sofa", far, 2.0)),
    )
    assert things(scene, "sofa") == [pytest.approx((2.0, 1.1, 0.4))]


def test_small_things_as_far_apart_as_a_sofas_faces_are_two():
    scene = scene_of(
        standpoint(0, HERE, placed(HERE, "mug", (2.0, 0.6, 0.4), 0.1)),
        standpoint(1, THERE, placed(THERE, "mug", (2.0, 1.6, 0.4), 0.1)),
    )
    assert len(things(scene, "mug")) == 2


def test_lines_of_sight_from_several_standpoints_meet_in_the_thing():
    at = (1.5, 2.0, 0.9)
    stands = [Pose.from_yaw(x, 0.0, z=1.0, yaw=0.3 * x) for x in (0.0, 1.5, 3.0)]
    scene = scene_of(*(standpoint(n, s, aimed(s, "lamp", at)) for n, s in enumerate(stands)))
    assert things(scene, "lamp") == [pytest.approx(at, abs=1e-6)]
    assert scene.aimed.all()


def test_two_lamps_seen_by_direction_alone_from_three_standpoints_are_two():
    lamps = [(0.5, 2.0, 1.2), (2.5, 2.0, 1.2)]
    stands = [Pose.from_yaw(x, y, z=1.0) for x, y in ((0.0, 0.0), (1.5, 0.5), (3.0, 0.0))]
    scene = scene_of(
        *(standpoint(n, s, *(aimed(s, "lamp", at) for at in lamps)) for n, s in enumerate(stands))
    )
    assert things(scene, "lamp") == [pytest.approx(at, abs=1e-6) for at in lamps]
    assert scene.sees.sum() == 6


def test_a_lone_line_of_sight_stands_for_a_thing_ahead():
    scene = scene_of(standpoint(0, HERE, aimed(HERE, "lamp", (5.0, 0.0, 1.0))))
    assert things(scene, "lamp") == [pytest.approx((1.8, 0.0, 1.0))]


def test_a_sighting_without_direction_joins_the_thing_near_its_standpoint():
    scene = scene_of(
        standpoint(0, HERE, placed(HERE, "lamp", (1.0, 0.0, 1.0))),
        standpoint(1, THERE, placed(THERE, "lamp", (9.0, 0.0, 1.0))),
        standpoint(2, Pose(0.5, 0.5, 1.0), Sighting("lamp")),
    )
    assert len(things(scene, "lamp")) == 2
    west = int(scene.thing_position[:, 0].argmin())
    assert scene.sees[west].tolist() == [1, 0, 1]


def test_a_sighting_without_direction_never_joins_what_its_standpoint_sees_otherwise():
    scene = scene_of(standpoint(0, HERE, placed(HERE, "lamp", (1.0, 0.0, 1.0)), Sighting("lamp")))
    assert len(things(scene, "lamp")) == 2


def test_observations_without_place_or_things_make_no_scene():
    nowhere = standpoint(0, HERE, Sighting("lamp"))
    nowhere = type(nowhere)(0, nowhere.observation, None, 0, 0)
    blank = standpoint(1, HERE)
    assert build_scene([nowhere, blank], None) is None
    assert build_scene([], None) is None


@given(
    st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=1, max_size=6, unique=True),
    st.integers(1, 4),
)
@settings(max_examples=60, deadline=None)
def test_things_on_a_grid_are_found_again_however_often_they_are_seen(cells, times):
    places = [(2.0 * x, 2.0 * y, 0.5) for x, y in cells]
    stands = [Pose.from_yaw(-1.0 - n, n, z=1.0, yaw=n) for n in range(times)]
    scene = scene_of(
        *(standpoint(n, s, *(placed(s, "box", p) for p in places)) for n, s in enumerate(stands))
    )
    assert things(scene, "box") == [pytest.approx(p, abs=1e-6) for p in sorted(places)]
    assert (scene.sees == 1).all()


@given(st.integers(0, 10_000), st.integers(1, 12))
@settings(max_examples=60, deadline=None)
def test_every_line_of_sight_is_in_exactly_one_group_with_one_a_standpoint(seed, count):
    random = np.random.default_rng(seed)
    stations = random.integers(0, 4, count)
    origins = random.uniform(-3, 3, (4, 3))[stations]
    rays = random.normal(size=(count, 3))
    rays /= np.linalg.norm(rays, axis=1, keepdims=True)
    groups = meet(origins, rays, stations)
    members = [line for _, group in groups for line in group]
    assert sorted(members) == list(range(count))
    for _, group in groups:
        assert len({int(stations[line]) for line in group}) == len(group)


def test_the_view_with_the_largest_patch_is_the_best():
    small = Sighting("mug", position=(1.0, 0.0, 0.0), size=(0.1, 0.1, 0.1))
    large = Sighting("mug", position=(1.0, 0.0, 0.0), size=(0.3, 0.3, 0.1))
    scene = scene_of(standpoint(0, HERE, small), standpoint(1, HERE, large))
    assert scene.best_view == ((1, large),)
    assert scene.view_of(0, 0) == small


def test_the_height_of_the_camera_is_taken_off_before_floors_are_told():
    seen = Sighting("mug", position=(1.0, 0.0, 0.0))
    low, high = Pose(0, 0, 1.5), Pose(5, 0, 4.5)
    made = [
        standpoint(n, pose, seen, extra={"height_m": 1.5})
        for n, pose in enumerate((low, low, high, high))
    ]
    assert scene_of(*made).floor_heights == pytest.approx([0.0, 3.0])
