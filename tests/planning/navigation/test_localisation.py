"""Knowing where the robot is, while the map is made and after."""

import json
import math

import numpy as np
import pytest

from memory_core.errors import InputRejected, MemoryDamaged, MemoryMissing
from memory_core.memory import RobotMemory
from memory_core.planning.body import Motion
from memory_core.planning.navigation.localisation import Localiser
from memory_core.planning.navigation.planar import distance, planar, turn_between
from memory_core.planning.navigation.state import load_state, save_state
from memory_core.types import Filters, Observation, Pose, Sighting
from tests.planning.navigation.driving import TOUR, steps
from tests.planning.navigation.flatland import FlatRobot, house, twins

START = (2.0, 5.0, 0.0)


def toured(corners=TOUR, *, seed=0, walls=None, start=START, **robot):
    """A robot that was driven along corners, and its localiser."""
    driven = FlatRobot(house() if walls is None else walls, start, seed=seed, **robot)
    localiser = Localiser(start=Pose.from_yaw(start[0], start[1], yaw=start[2]))
    for motion, scan in steps(driven, corners):
        localiser.update(motion, scan)
    return driven, localiser


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """The state after a tour of the house, on disk."""
    folder = tmp_path_factory.mktemp("map")
    _, localiser = toured()
    save_state(localiser, folder)
    return folder


def stand(robot, localiser, count):
    for _ in range(count):
        localiser.update(robot.drive(0.0, 0.0, 0.2), robot.scan())


@pytest.mark.parametrize("seed", [0])
def test_two_rounds_of_a_house_stay_within_ten_centimetres_and_two_degrees(seed):
    robot = FlatRobot(house(), START, seed=seed)
    localiser = Localiser(start=Pose.from_yaw(*START[:2]))
    off, turned = [], []
    for motion, scan in steps(robot, TOUR + TOUR):
        assert localiser.update(motion, scan).localised
        off.append(distance(localiser.pose, robot.truth))
        turned.append(turn_between(localiser.pose, robot.truth))
    assert robot.travelled_m > 100
    wheels = planar(motion.odometry)
    assert math.hypot(wheels[0] + START[0] - robot.x, wheels[1] + START[1] - robot.y) > 0.5
    assert max(off) < 0.1
    assert max(turned) < math.radians(2)


def test_what_was_remembered_moves_with_its_anchors_when_a_loop_closes(tmp_path):
    """Seven things seen on the way; half a memory's life later all are within 10 cm."""
    robot = FlatRobot(house(), START, seed=3, scale=1.04, drift_rad_m=0.03)
    localiser = Localiser(start=Pose.from_yaw(*START[:2]))
    things, corrected = {}, 0
    with RobotMemory.open(tmp_path / "memory", create=True, text_encoder=None) as memory:
        for at, (motion, scan) in enumerate(steps(robot, TOUR)):
            where = localiser.update(motion, scan)
            for anchor, pose in localiser.new_anchors().items():
                memory.add_anchor(anchor, pose)
            moved = localiser.corrections()
            if moved:
                memory.move_anchors(moved, reason="loop closure")
                corrected += 1
            if at % 60 == 50:
                name = f"thing-{at}"
                ahead = (
                    robot.x + 0.5 * math.cos(robot.yaw),
                    robot.y + 0.5 * math.sin(robot.yaw),
                )
                things[name] = ahead
                memory.observe(
                    Observation(
                        id=name,
                        stamp_ns=motion.stamp_ns,
                        anchor_id=where.anchor_id,
                        pose=where.pose,
                        sightings=(Sighting("thing", position=(0.5, 0.0, 0.3)),),
                        text=name,
                    )
                )
        assert corrected
        for name, (x, y) in things.items():
            evidence = memory.observation(name)
            assert evidence is not None
            stood = evidence.standpoint
            pose = memory.pose_at(evidence.observation.stamp_ns)
            assert pose is not None and stood is not None
            assert math.dist(pose.apply(0.5, 0.0, 0.0)[:2], (x, y)) < 0.1
        assert len(things) >= 7
        assert len(memory.select(Filters())) == len(things)


def test_corrections_are_told_once_and_only_for_anchors_that_moved():
    localiser = Localiser()
    robot = FlatRobot(house(), START, seed=3, scale=1.04, drift_rad_m=0.03)
    known, moves = {}, 0
    for motion, scan in steps(robot, TOUR[:12]):
        localiser.update(motion, scan)
        known.update(localiser.new_anchors())
        moved = localiser.corrections()
        assert localiser.corrections() == {}
        assert set(moved) <= set(known)
        for anchor, pose in moved.items():
            apart = distance(planar(pose), planar(known[anchor]))
            assert apart > 1e-3 or abs(pose.yaw - known[anchor].yaw) > 1e-3
        known.update(moved)
        moves += bool(moved)
    assert moves
    assert known.keys() == localiser.anchors().keys()
    for anchor, pose in localiser.anchors().items():
        assert distance(planar(pose), planar(known[anchor])) < 2e-3


@pytest.mark.parametrize("leap", [(1.0, 0.0), (0.0, 1.0), (-0.7, -0.7)])
def test_a_leap_of_the_odometry_by_a_metre_is_noticed_and_made_good(saved, leap):
    robot = FlatRobot(house(), START, seed=7)
    localiser = load_state(saved, start=Pose.from_yaw(*START[:2]))
    stand(robot, localiser, 3)
    assert distance(localiser.pose, robot.truth) < 0.1
    robot.jump(*leap)
    stand(robot, localiser, 1)
    assert localiser.localised
    assert distance(localiser.pose, robot.truth) < 0.1


@pytest.mark.parametrize(
    "place",
    [(11.5, 3.5, 1.0), (6.5, 7.5, -2.0), (2.0, 7.5, -2.0), (9.0, 5.0, 3.0), (2.0, 3.4, 2.0)],
)
def test_a_kidnapped_robot_finds_itself_or_says_that_it_is_lost(saved, place):
    robot = FlatRobot(house(), START, seed=7)
    localiser = load_state(saved, start=Pose.from_yaw(*START[:2]))
    stand(robot, localiser, 3)
    assert localiser.localised
    robot.kidnap(*place)
    stand(robot, localiser, 12)
    if localiser.localised:
        assert distance(localiser.pose, robot.truth) < 0.1
    else:
        where = localiser.where()
        assert (where.map_pose, where.anchor_id, where.covariance) == (None, "origin", None)
        assert where.pose is not None


@pytest.fixture(scope="module")
def twin_map(tmp_path_factory):
    folder = tmp_path_factory.mktemp("twins")
    _, localiser = toured(
        [(1.9, 1), (1.9, 3.4), (1.9, 1), (7.9, 1), (7.9, 3.4), (7.9, 1), (10.5, 0.7), (5, 1)],
        walls=twins(), start=(1.0, 1.0, 0.0),
    )  # fmt: skip
    save_state(localiser, folder)
    return folder


def test_in_a_room_with_a_twin_a_woken_robot_says_that_it_does_not_know(twin_map):
    robot = FlatRobot(twins(), (7.9, 3.2, 0.3), seed=5)
    woken = load_state(twin_map)
    stand(robot, woken, 5)
    assert not woken.localised
    assert woken.where().map_pose is None


@pytest.mark.parametrize("room", [(7.9, 3.2, 0.3), (1.9, 3.2, 0.3)])
def test_place_recognition_tells_twins_apart(twin_map, room):
    robot = FlatRobot(twins(), room, seed=5)
    about_there = Pose.from_yaw(room[0] + 0.4, room[1] - 0.3, yaw=room[2] + 0.2)
    woken = load_state(twin_map, candidates=lambda: (about_there,))
    stand(robot, woken, 5)
    assert woken.localised
    assert distance(woken.pose, robot.truth) < 0.1


def test_place_recognition_that_errs_is_not_believed(saved):
    robot = FlatRobot(house(), (11.5, 3.5, 1.0), seed=7)
    woken = load_state(saved, candidates=lambda: (Pose.from_yaw(2, 8),))
    stand(robot, woken, 5)
    assert distance(woken.pose, robot.truth) < 0.1 or not woken.localised


def test_moved_furniture_does_not_lose_a_robot(saved):
    walls = house()[:-8] + house()[-4:]
    robot = FlatRobot(walls, START, seed=11)
    localiser = load_state(saved, start=Pose.from_yaw(*START[:2]))
    for motion, scan in steps(robot, TOUR[9:19]):
        localiser.update(motion, scan)
        assert localiser.localised
    assert distance(localiser.pose, robot.truth) < 0.1
    assert not localiser.grid.walls[localiser.grid.cell(11.2, 1.0)]


def test_the_same_drive_gives_the_same_map_and_pose():
    first, second = (toured(TOUR[:6])[1] for _ in range(2))
    assert first.pose == second.pose
    assert first.anchors() == second.anchors()
    assert np.array_equal(first.grid.scan_odds, second.grid.scan_odds)


def test_another_day_goes_on_where_the_first_ended(saved):
    robot = FlatRobot(house(), (11.5, 3.5, 1.0), seed=8)
    localiser = load_state(saved)
    before = localiser.anchors()
    assert not localiser.localised
    for motion, scan in steps(robot, [(11.6, 5), (6.6, 5), (2, 5)]):
        localiser.update(motion, scan)
    assert localiser.localised
    assert distance(localiser.pose, robot.truth) < 0.1
    assert localiser.anchors().keys() == before.keys()


def test_a_map_saved_and_loaded_is_the_same(saved, tmp_path):
    loaded = load_state(saved)
    save_state(loaded, tmp_path)
    first, second = (json.loads((f / "localiser.json").read_text()) for f in (saved, tmp_path))
    assert first == second
    assert {p.name for p in tmp_path.iterdir()} == {p.name for p in saved.iterdir()}


@pytest.mark.parametrize("harm", ["cut", "flip", "missing", "json"])
def test_a_damaged_map_is_an_error_and_never_half_a_map(saved, tmp_path, harm):
    folder = tmp_path / "map"
    folder.mkdir()
    for path in saved.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    arrays = next(folder.glob("*.npz"))
    content = bytearray(arrays.read_bytes())
    if harm == "cut":
        arrays.write_bytes(content[:-100])
    elif harm == "flip":
        content[len(content) // 2] ^= 1
        arrays.write_bytes(content)
    elif harm == "missing":
        arrays.unlink()
    else:
        state = folder / "localiser.json"
        state.write_text(state.read_text()[:-30])
    with pytest.raises(MemoryDamaged, match="map_id"):
        load_state(folder)


def test_nothing_saved_is_an_error_of_its_own(tmp_path):
    with pytest.raises(MemoryMissing):
        load_state(tmp_path)


def test_a_new_map_needs_a_start():
    with pytest.raises(InputRejected):
        Localiser(start=None)


def test_before_the_first_step_a_new_map_knows_only_that_it_knows_nothing():
    where = Localiser().where()
    assert (where.pose, where.localised) == (None, False)


def test_a_stretch_without_scans_is_driven_on_the_wheels():
    robot, localiser = toured(TOUR[:2])
    begun = robot.truth
    for _ in range(10):
        motion = robot.drive(0.1, 0.0, 0.2)
        localiser.update(Motion(motion.stamp_ns, motion.odometry))
    assert distance(begun, robot.truth) > 0.15
    assert distance(localiser.pose, robot.truth) < 0.1
