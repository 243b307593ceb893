"""Plans of houses: the same from the same seed, and possible."""

from __future__ import annotations

import itertools
import math

import pytest

from memory_sim.worlds.plan import (
    DOOR_M,
    FURNITURE,
    HALL_M,
    ROOM_M,
    THINGS,
    Placed,
    plan_house,
)

SEEDS = range(12)


def footprint(thing: Placed) -> tuple[float, float, float, float]:
    """West, east, south and north edge of a thing's axis-aligned footprint."""
    width, depth = thing.kind.footprint
    if abs(math.sin(thing.yaw)) > 0.5:
        width, depth = depth, width
    x, y, _ = thing.position
    return x - width / 2, x + width / 2, y - depth / 2, y + depth / 2


def overlap(first: Placed, second: Placed) -> bool:
    w1, e1, s1, n1 = footprint(first)
    w2, e2, s2, n2 = footprint(second)
    return w1 < e2 and w2 < e1 and s1 < n2 and s2 < n1


def on_floor(plan):
    return [t for t in plan.things if t.position[2] < 0.01 and t.kind.label != "door"]


@pytest.mark.parametrize("rooms", [2, 3, 6])
def test_the_same_seed_gives_the_same_house(rooms):
    assert plan_house(7, rooms=rooms) == plan_house(7, rooms=rooms)


def test_other_seeds_give_other_houses():
    assert len({plan_house(seed).things for seed in SEEDS}) == len(SEEDS)


@pytest.mark.parametrize("rooms", [-1, 0, 1, 7])
def test_a_house_of_an_impossible_size_is_refused(rooms):
    with pytest.raises(ValueError, match="rooms; expected 2 to 6"):
        plan_house(1, rooms=rooms)


@pytest.mark.parametrize("rooms", range(2, 7))
def test_rooms_are_of_different_kinds_and_do_not_overlap(rooms):
    plan = plan_house(3, rooms=rooms)
    assert len(plan.rooms) == rooms
    assert len({room.kind for room in plan.rooms}) == rooms
    for first, second in itertools.combinations((*plan.rooms, plan.hallway), 2):
        apart = [
            first.low[axis] + first.size[axis] <= second.low[axis]
            or second.low[axis] + second.size[axis] <= first.low[axis]
            for axis in (0, 1)
        ]
        assert any(apart)


@pytest.mark.parametrize("seed", SEEDS)
def test_doors_open_from_their_room_to_the_hallway(seed):
    plan = plan_house(seed)
    for room in plan.rooms:
        x, y = room.door
        assert room.low[0] + DOOR_M / 2 < x < room.low[0] + room.size[0] - DOOR_M / 2
        assert y in (ROOM_M, ROOM_M + HALL_M)
        assert y in (room.low[1], room.low[1] + room.size[1])
        for wall in plan.walls:
            low = [c - s / 2 for c, s in zip(wall.centre[:2], wall.size[:2], strict=True)]
            high = [c + s / 2 for c, s in zip(wall.centre[:2], wall.size[:2], strict=True)]
            assert not (low[0] < x < high[0] and low[1] < y < high[1]), "a wall stands in a door"


@pytest.mark.parametrize("seed", SEEDS)
def test_things_stand_inside_their_room_and_never_in_each_other(seed):
    plan = plan_house(seed)
    rooms = {room.kind: room for room in plan.rooms}
    for thing in on_floor(plan):
        west, east, south, north = footprint(thing)
        room = rooms[thing.room]
        assert room.low[0] < west and east < room.low[0] + room.size[0]
        assert room.low[1] < south and north < room.low[1] + room.size[1]
        assert plan.room_at(*thing.position[:2]) == thing.room
    for first, second in itertools.combinations(on_floor(plan), 2):
        assert not overlap(first, second), (first.kind.label, second.kind.label)


@pytest.mark.parametrize("seed", SEEDS)
def test_small_things_lie_on_a_top_that_is_there(seed):
    plan = plan_house(seed)
    for thing in plan.things:
        if thing.position[2] < 0.01:
            continue
        under = [
            other
            for other in on_floor(plan)
            if other.kind.top == pytest.approx(thing.position[2]) and overlap(thing, other)
        ]
        assert len(under) == 1
        x, y = thing.position[:2]
        west, east, south, north = footprint(under[0])
        assert west <= x <= east and south <= y <= north


@pytest.mark.parametrize("seed", SEEDS)
def test_the_way_from_the_door_to_the_middle_is_free(seed):
    plan = plan_house(seed)
    for room in plan.rooms:
        for step in range(21):
            x = room.door[0] + (room.centre[0] - room.door[0]) * step / 20
            y = room.door[1] + (room.centre[1] - room.door[1]) * step / 20
            for thing in on_floor(plan):
                west, east, south, north = footprint(thing)
                gap = math.hypot(max(west - x, 0, x - east), max(south - y, 0, y - north))
                assert gap >= 0.22, (thing.kind.label, room.kind)


def test_every_room_holds_things_of_its_own_kind_only():
    plan = plan_house(5)
    for thing in plan.things:
        if thing.kind.label != "door":
            assert thing.kind in (*FURNITURE[thing.room], *THINGS[thing.room])
    assert sum(thing.kind.label == "door" for thing in plan.things) == len(plan.rooms)


def test_outside_all_rooms_is_the_hallway():
    plan = plan_house(5)
    assert plan.room_at(2.0, ROOM_M + HALL_M / 2) == "hallway"
    for room in plan.rooms:
        assert plan.room_at(*room.centre) == room.kind
