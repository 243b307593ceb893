"""A floor plan: which room a point is in, and how a plan is kept."""

import logging

import numpy as np
import pytest

from memory_core.errors import InvalidQuery
from memory_core.memory import RobotMemory
from memory_core.semantic.floor_plan import FloorPlan, Storey, load_plans
from memory_core.types import Observation, Pose, Sighting

CELL_M = 0.1


def two_rooms(*, wall: float = 2.0) -> FloorPlan:
    """Four by two metres: room 1 west of a wall of 20 cm, room 2 east of it."""
    rooms = np.zeros((20, 40), np.int64)
    rooms[:, : round((wall - 0.1) / CELL_M)] = 1
    rooms[:, round((wall + 0.1) / CELL_M) :] = 2
    return FloorPlan((Storey(0.0, (0.0, 0.0), CELL_M, rooms),))


def test_a_point_is_in_the_room_whose_floor_is_nearest():
    points = np.array([[1.0, 1.0, 0.8], [1.95, 1.0, 0.0], [3.0, 1.0, 1.5], [9.0, 1.0, 0.0]])
    assert two_rooms().at(points).tolist() == [1, 1, 2, 0]


def test_a_thing_against_the_wall_is_in_the_room_it_was_seen_from():
    at = np.array([[2.04, 1.0, 1.0], [2.04, 1.0, 1.0]])
    eyes = np.array([[0.5, 1.0, 1.2], [3.5, 1.0, 1.2]])
    assert two_rooms().seen_from(at, eyes).tolist() == [1, 2]


def test_the_middle_of_a_room_is_away_from_its_walls():
    x, y, z = two_rooms().middle(2)
    assert 2.9 <= x <= 3.2
    assert y == pytest.approx(1.0, abs=0.1)
    assert z == 0.0
    with pytest.raises(InvalidQuery):
        two_rooms().middle(3)


def off_a_corridor(*, wide_m: float = 1.0, doors: int = 3) -> FloorPlan:
    """Room 1 is 9 m long, with doors to rooms 2, 3 and 4 on one side of it."""
    deep, wide = 30, round(wide_m / CELL_M)
    rooms = np.zeros((wide + 2 + deep, 90), np.int64)
    rooms[:wide] = 1
    for number in range(3):
        rooms[wide + 2 :, 30 * number : 30 * number + 28] = number + 2
        if number < doors:
            rooms[wide : wide + 2, 30 * number + 10 : 30 * number + 19] = number + 2
    return FloorPlan((Storey(0.0, (0.0, 0.0), CELL_M, rooms),))


def test_a_passage_is_long_narrow_and_leads_to_several_rooms():
    assert off_a_corridor().is_passage(1)
    assert not off_a_corridor().is_passage(2)
    assert not off_a_corridor().is_passage(9)
    assert not off_a_corridor(wide_m=2.6).is_passage(1)
    assert not off_a_corridor(doors=2).is_passage(1)


def test_what_stands_in_a_passage_makes_no_living_room_of_it(tmp_path):
    things = [
        ("potted plant", (2.0, 0.3, 0.5)), ("console table", (4.0, 0.3, 0.5)),
        ("vase", (4.0, 0.3, 1.0)),
    ]  # fmt: skip
    with RobotMemory.open(tmp_path / "m", text_encoder=None) as memory:
        memory.tell_floor_plan(off_a_corridor(doors=2))
        for stamp in range(1, 6):
            memory.observe(watched(stamp, Pose(0.5 * stamp, 0.7, 1.2), *things))
        question = "in which room is the console table?"
        assert "living room" in memory.ask(question, now_ns=100).answer
        memory.tell_floor_plan(off_a_corridor())
        assert "hallway" in memory.ask(question, now_ns=100).answer


def test_a_plan_without_a_cell_is_refused():
    with pytest.raises(InvalidQuery):
        FloorPlan(())
    with pytest.raises(InvalidQuery):
        Storey(0.0, (0.0, 0.0), 0.0, np.zeros((2, 2), np.int64))


def test_a_plan_is_kept_and_a_broken_one_is_told_and_left_out(tmp_path, caplog):
    two_rooms().save(tmp_path / "plans")
    (tmp_path / "plans" / "other.npz").write_bytes(b"no plan")
    with caplog.at_level(logging.WARNING):
        kept = load_plans(tmp_path / "plans")
    assert list(kept) == ["map"]
    assert (kept["map"].storeys[0].rooms == two_rooms().storeys[0].rooms).all()
    assert "other.npz" in caplog.text


def watched(stamp: int, eye: Pose, *seen: tuple[str, tuple[float, float, float]]) -> Observation:
    """An observation with a camera that looks along the map's axes."""
    sightings = tuple(
        Sighting(label, position=(x - eye.x, y - eye.y, z - eye.z), size=(0.3, 0.3, 0.3))
        for label, (x, y, z) in seen
    )
    return Observation(f"o{stamp}", stamp, source="camera", pose=eye, sightings=sightings)


def test_with_a_plan_rooms_are_told_apart_by_its_walls_and_so_after_a_restart(tmp_path):
    things = [
        ("stove", (1.2, 0.5, 0.5)), ("fridge", (1.6, 1.5, 0.8)), ("kettle", (1.7, 1.0, 1.0)),
        ("bed", (2.8, 0.5, 0.4)), ("wardrobe", (2.4, 1.5, 1.0)), ("pillow", (2.6, 0.6, 0.6)),
    ]  # fmt: skip

    def rooms(memory: RobotMemory) -> list[str]:
        asked = [f"in which room is the {thing}?" for thing in ("kettle", "wardrobe")]
        answers = [memory.ask(question, now_ns=100).answer for question in asked]
        return [next((r for r in ("kitchen", "bedroom") if r in answer), "") for answer in answers]

    with RobotMemory.open(tmp_path / "m", text_encoder=None) as memory:
        for stamp in range(1, 6):
            memory.observe(watched(stamp, Pose(0.5, 1.0, 1.2), *things))
            memory.observe(watched(stamp + 10, Pose(3.5, 1.0, 1.2), *things))
        before = rooms(memory)
        memory.tell_floor_plan(two_rooms())
        assert rooms(memory) == ["kitchen", "bedroom"]
    with RobotMemory.open(tmp_path / "m", text_encoder=None, read_only=True) as again:
        assert rooms(again) == ["kitchen", "bedroom"]
    assert before != ["kitchen", "bedroom"]  # all is in view from both sides of the wall


def test_beyond_a_plan_that_does_not_reach_everywhere_yet_rooms_are_what_is_seen_together(tmp_path):
    near = (
        ("bed", (0.6, 0.6, 0.4)),
        ("wardrobe", (1.4, 0.4, 0.9)),
        ("nightstand", (0.4, 1.4, 0.3)),
    )
    far = (("stove", (12.4, 0.5, 0.5)), ("fridge", (13.2, 0.5, 0.9)), ("sink", (12.8, 1.6, 0.9)))
    with RobotMemory.open(tmp_path / "m", text_encoder=None) as memory:
        memory.tell_floor_plan(two_rooms())
        for stamp in range(1, 5):
            memory.observe(watched(2 * stamp, Pose(1.0, 1.0, 1.2), *near))
            memory.observe(watched(2 * stamp + 1, Pose(12.5, 1.0, 1.2), *far))
        told = memory.ask("What is in the kitchen?", now_ns=100).answer
        assert all(label in told for label, _ in far), told
        assert not any(label in told for label, _ in near), told
        assert "bed" in memory.ask("What is in the bedroom?", now_ns=100).answer


def test_a_reader_and_a_backup_have_the_plan_that_was_told_last(tmp_path):
    with RobotMemory.open(tmp_path / "m", text_encoder=None) as memory:
        memory.observe(watched(1, Pose(0.5, 1.0, 1.2), ("kettle", (1.7, 1.0, 1.0))))
        with RobotMemory.open(tmp_path / "m", text_encoder=None, read_only=True) as reader:
            assert reader.understand("where is the kettle?", now_ns=100).scene.floor_plan is None
            memory.tell_floor_plan(two_rooms())
            memory.observe(watched(2, Pose(0.5, 1.0, 1.2), ("kettle", (1.7, 1.0, 1.0))))
            told = reader.understand("where is the kettle?", now_ns=100).scene.floor_plan
            assert told.at(np.array([[3.0, 1.0, 0.5]])).tolist() == [2]
        memory.backup(tmp_path / "copy")
    assert list(load_plans(tmp_path / "copy" / "floor_plans")) == ["map"]
