"""The built house: what its camera gives, and what its detector may know."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

pytest.importorskip("pybullet")

from memory_core.errors import NotInstalled
from memory_core.types import Pose
from memory_sim.tour import drive, sighting_of, waypoints
from memory_sim.worlds.house import CAMERA_HEIGHT_M, CAMERA_TILT_RAD, House
from memory_sim.worlds.plan import HousePlan, Room, Wall, plan_house

WALL_AT_M = 3.0


@pytest.fixture(scope="module")
def wall_house():
    """One bare wall across the view, its face 3 m ahead of the origin."""
    room = Room("kitchen", (-5.0, -5.0), (10.0, 10.0), (0.0, 5.0))
    wall = Wall((WALL_AT_M + 0.05, 0.0, 2.0), (0.1, 10.0, 4.0))
    with House(HousePlan(1, (room,), room, (wall,), ()), width=160, height=120) as house:
        yield house


@pytest.fixture(scope="module")
def house():
    with House(plan_house(6, rooms=3)) as built:
        yield built


def test_depth_is_the_distance_to_the_wall_along_the_optical_axis(wall_house):
    wall_house.move(Pose())
    frame = wall_house.look()
    # the camera is 0.1 m ahead of the base and looks down: only the centre ray is checked exactly
    expected = (WALL_AT_M - 0.1) / math.cos(CAMERA_TILT_RAD)
    centre = frame.depth_m[55:65, 75:85]
    assert np.median(centre) == pytest.approx(expected, rel=0.03)


def test_every_pixel_of_the_wall_lies_on_the_wall(wall_house):
    wall_house.move(Pose())
    frame = wall_house.look()
    lens = wall_house.intrinsics
    rows, columns = np.mgrid[5:60:9, 5:155:15]
    depth = frame.depth_m[rows, columns].astype(float).ravel()
    # REP-103 camera frame: x forward (depth), y left, z up
    points = np.stack(
        [depth, -(columns.ravel() - lens.cx) / lens.fx * depth, -(rows.ravel() - lens.cy) / lens.fy * depth],
        axis=1,
    )  # fmt: skip
    in_map = frame.camera_pose.transform(points)
    assert in_map[:, 0] == pytest.approx(np.full(len(depth), WALL_AT_M), rel=0.05)
    assert abs(np.median(in_map[:, 0]) / WALL_AT_M - 1) < 0.03


def test_the_picture_has_the_size_asked_for_and_the_camera_its_height(wall_house):
    wall_house.move(Pose.from_yaw(0.5, -1.0, yaw=0.3))
    frame = wall_house.look()
    assert frame.image.shape == (120, 160, 3)
    assert frame.image.dtype == np.uint8
    assert frame.depth_m.shape == (120, 160)
    assert frame.camera_pose.z == pytest.approx(CAMERA_HEIGHT_M)


def test_nothing_in_reach_is_unknown_depth(wall_house):
    wall_house.move(Pose.from_yaw(-40.0, 0.0, yaw=math.pi))
    assert wall_house.look().depth_m.max() == 0


def test_the_detector_tells_labels_of_the_plan_and_whole_masks(house):
    labels = {thing.kind.label for thing in house.plan.things}
    detector = house.detector()
    found = []
    for _, pose in list(drive(house.plan))[::6]:
        house.move(pose)
        frame = house.look()
        for detection in detector(frame):
            found.append(detection.label)
            assert detection.mask.shape == frame.depth_m.shape
            assert detection.mask.sum() >= 25
            assert 0.5 <= detection.score < 1
    assert set(found) <= labels
    assert len(set(found)) >= 0.7 * len(labels)


def test_a_sighting_of_a_small_thing_is_where_the_thing_is(house):
    small = [thing for thing in house.plan.things if max(thing.kind.footprint) < 0.25]
    detector = house.detector()
    errors: dict[str, list[float]] = {thing.kind.label: [] for thing in small}
    for _, pose in list(drive(house.plan))[::2]:
        house.move(pose)
        frame = house.look()
        for detection in detector(frame):
            sighting = sighting_of(detection, frame, house)
            if sighting is not None and sighting.label in errors:
                at = frame.camera_pose.apply(*sighting.position)
                own = [t.position for t in small if t.kind.label == sighting.label]
                errors[sighting.label].append(min(math.dist(at[:2], p[:2]) for p in own))
    assert sum(map(len, errors.values())) > 10
    assert max(np.median(found) for found in errors.values() if found) < 0.15


def test_misses_leave_out_their_share(house):
    house.move(Pose.from_yaw(*house.plan.rooms[0].centre))
    frame = house.look()
    assert house.detector()(frame)
    assert house.detector(misses=1.0)(frame) == []


def test_the_tour_enters_every_room_and_turns_there():
    plan = plan_house(2, rooms=6)
    poses = list(drive(plan))
    assert {plan.room_at(p.x, p.y) for _, p in poses} == {r.kind for r in plan.rooms} | {"hallway"}
    seconds = [s for s, _ in poses]
    assert np.all(np.diff(seconds) > 0)
    for (_, a), (_, b) in itertools.pairwise(poses):
        assert math.dist(a.position, b.position) <= 0.3
    for room in plan.rooms:
        turned = {round(p.yaw, 3) for _, p in poses if (p.x, p.y) == room.centre}
        assert len(turned) >= 16
    assert waypoints(plan)[0] == (0.8, 4.9)


def test_without_pybullet_the_line_that_installs_it_is_told(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pybullet", None)
    with pytest.raises(NotInstalled, match="robot-memory\\[sim\\]"):
        House(plan_house(1, rooms=2))
