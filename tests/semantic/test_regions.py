"""Rooms from what is in view: found again in generated houses, and small scenes by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from memory_core.semantic.places import PlaceMap
from memory_core.semantic.regions import Rooms, agglomerate, nearness, rooms_of
from memory_sim.worlds.plan import plan_house


def crosses(start, end, walls):
    """Whether a line of sight on the floor meets a wall."""
    for wall in walls:
        low = np.array(wall.centre[:2]) - np.array(wall.size[:2]) / 2
        with np.errstate(divide="ignore", invalid="ignore"):
            a, b = (low - start) / (end - start), (low + wall.size[:2] - start) / (end - start)
        enters, leaves = np.nanmax(np.minimum(a, b)), np.nanmin(np.maximum(a, b))
        if enters <= leaves and leaves >= 0 and enters <= 1:
            return True
    return False


def lived_in(seed):
    """A robot that looks around goes from room to room: places, views, positions, truth."""
    plan, random = plan_house(seed), np.random.default_rng(seed)
    hallway = plan.hallway.centre[1]
    stops = []
    for index in random.permutation(len(plan.rooms)):
        room = plan.rooms[index]
        entry = (room.door[0], room.door[1] + math.copysign(0.8, room.centre[1] - room.door[1]))
        within = [tuple(np.add(room.low, random.uniform(0.8, 3.2, 2))) for _ in range(4)]
        stops += [(room.door[0], hallway), entry, room.centre, *within, entry]
    things = {n: np.array(item.position[:2]) for n, item in enumerate(plan.things)}
    place_map, views, stands = PlaceMap(), {}, []
    for stamp, (x, y) in enumerate(stops, start=1):
        at = np.array([x, y])
        place = place_map.visit((float(x), float(y), 0.0), stamp)
        stands.append((place, plan.room_at(x, y)))
        held = views.setdefault(place, {})
        for number, thing in things.items():
            apart = float(np.linalg.norm(thing - at))
            front = at + (thing - at) * max(0.0, 1 - 0.15 / max(apart, 0.2))
            if apart < 6 and not crosses(at, front, plan.walls):
                held[number] = held.get(number, 0.0) + nearness(apart)
    positions = {n: (float(x), float(y), 0.5) for n, (x, y) in things.items()}
    return plan, place_map, views, positions, stands


@pytest.mark.parametrize("seed", range(8, 12))
def test_the_rooms_of_a_house_are_found_from_what_is_in_view(seed):
    metrics = pytest.importorskip("sklearn.metrics")
    plan, place_map, views, positions, stands = lived_in(seed)
    rooms = rooms_of(place_map, views, positions)
    truth = [plan.things[thing].room for thing in rooms.of_thing]
    assert metrics.adjusted_rand_score(truth, list(rooms.of_thing.values())) > 0.9
    assert len(rooms.of_thing) > 0.8 * len(positions)
    found = metrics.adjusted_rand_score(
        [room for _, room in stands], [rooms.of_place[place] for place, _ in stands]
    )
    assert found > 0.6  # one place may lie on both sides of a doorway
    assert rooms == rooms_of(place_map, views, positions)


def standing(*points):
    place_map = PlaceMap()
    for stamp, point in enumerate(points, start=1):
        place_map.visit(point, stamp)
    return place_map


def test_two_places_among_the_same_things_are_one_room_and_the_passage_is_another():
    corners = {n: (x, y, 0.5) for n, (x, y) in enumerate([(0, 0), (2, 0), (4, 0), (0, 3), (2, 3), (4, 3)])}  # fmt: skip
    place_map = standing((1.0, 1.5, 0.0), (3.0, 1.5, 0.0), (9.0, 1.5, 0.0), (11.0, 1.5, 0.0))
    everything = dict.fromkeys(corners, 1.0)
    rooms = rooms_of(place_map, {0: everything, 1: everything}, corners)
    assert rooms == Rooms({0: 0, 1: 0, 2: 2, 3: 2}, dict.fromkeys(corners, 0))


def test_a_room_does_not_reach_to_the_storey_above():
    corners = {n: (x, y, 2.6) for n, (x, y) in enumerate([(0, 0), (2, 0), (0, 2), (2, 2)])}
    place_map = standing((1.0, 1.0, 0.0), (1.0, 1.0, 3.0))
    rooms = rooms_of(place_map, {0: dict.fromkeys(corners, 1.0)}, corners)
    assert rooms.of_place == {0: 0, 1: 1}


def test_places_far_apart_without_things_are_rooms_of_their_own():
    place_map = standing(*((12.0 * n, 0.0, 0.0) for n in range(4)))
    assert rooms_of(place_map, {}, {}).of_place == {n: n for n in range(4)}
    assert rooms_of(PlaceMap(), {}, {}) == Rooms({}, {})


def test_things_on_one_line_still_make_a_room():
    shelf = {n: (0.5 * n, 0.0, 0.5) for n in range(4)}
    place_map = standing((0.5, 0.2, 0.0))
    rooms = rooms_of(place_map, {0: dict.fromkeys(shelf, 1.0)}, shelf)
    assert rooms.of_thing == dict.fromkeys(shelf, 0)


def test_members_are_joined_along_links_only_and_the_most_alike_first():
    content = {1: {7: 1.0}, 2: {7: 1.0, 8: 0.1}, 3: {8: 1.0}, 4: {7: 1.0}}
    groups = agglomerate([1, 2, 3, 4], [(1, 2), (2, 3)], content, alike=0.3)
    assert groups == {1: 1, 2: 1, 3: 3, 4: 4}
    assert agglomerate([3, 2, 1], [(3, 2), (2, 1)], {}, alike=1.0) == {1: 1, 2: 1, 3: 1}
