"""Things known by lines of sight alone keep their number while lines are added."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memory_core.semantic.bearings import BearingEntities, Line

LAMPS = ((0.5, 2.0, 1.5), (2.5, 1.6, 1.9))
STANDS = ((0.0, 0.0, 1.0), (0.8, 0.3, 1.0), (1.4, 0.0, 1.0), (2.2, 0.4, 1.0), (3.0, 0.0, 1.0))


def towards(key, origin, target, stamp_ns=None):
    offset = [t - o for t, o in zip(target, origin, strict=True)]
    length = math.hypot(*offset)
    x, y, z = (n / length for n in offset)
    return Line(key, key[0] if stamp_ns is None else stamp_ns, origin, (x, y, z))


def lines(count=5):
    return [
        [towards((n, place), stand, lamp) for place, lamp in enumerate(LAMPS)]
        for n, stand in enumerate(STANDS[:count])
    ]


def where(entities):
    return sorted(thing.position for thing in entities.things.values())


def test_lines_from_several_standpoints_meet_where_the_things_are():
    entities = BearingEntities()
    entities.add("map", "lamp", [line for look in lines() for line in look])
    assert where(entities) == [pytest.approx(lamp, abs=1e-6) for lamp in LAMPS]
    assert [len(thing.lines) for thing in entities.things.values()] == [5, 5]


def test_a_thing_keeps_its_number_as_lines_are_added_one_look_at_a_time():
    entities = BearingEntities()
    numbers = []
    for look in lines():
        entities.add("map", "lamp", look)
        numbers.append({thing.number: thing.position for thing in entities.things.values()})
    first = {
        n: p for n, p in numbers[2].items() if p in [pytest.approx(x, abs=1e-6) for x in LAMPS]
    }
    assert len(first) == 2
    for later in numbers[3:]:
        assert {n: pytest.approx(p, abs=1e-6) for n, p in first.items()} == later


@given(st.integers(0, 10_000), st.integers(1, 4))
@settings(max_examples=60)
def test_in_whatever_portions_lines_come_each_is_in_one_thing_and_numbers_are_not_reused(
    seed, size
):
    chance = random.Random(seed)
    given_lines = [line for look in lines() for line in look]
    chance.shuffle(given_lines)
    entities, ever, gone_ever = BearingEntities(), set(), set()
    for start in range(0, len(given_lines), size):
        touched, gone = entities.add("map", "lamp", given_lines[start : start + size])
        assert not touched & gone_ever
        ever |= touched
        gone_ever |= gone
        assert set(entities.things) == ever - gone_ever
    held = [key for thing in entities.things.values() for key in thing.lines]
    assert sorted(held) == sorted(line.key for line in given_lines)
    assert all(n < entities.next_number for n in ever)


def test_a_robot_that_stands_still_sees_one_lamp_however_often_it_looks():
    entities = BearingEntities()
    chance = random.Random(1)
    for number in range(50):
        x, y, z = (c + chance.gauss(0, 0.02) for c in LAMPS[0])
        entities.add("map", "lamp", [towards((number, 0), STANDS[0], (x, y, z))])
    (lamp,) = entities.things.values()
    assert len(lamp.lines) == 50


def test_two_lamps_in_one_look_are_two_though_they_stand_in_nearly_one_direction():
    entities = BearingEntities()
    close = (LAMPS[0], (0.55, 2.05, 1.55))
    for number in range(5):
        look = [towards((number, n), STANDS[0], lamp) for n, lamp in enumerate(close)]
        entities.add("map", "lamp", look)
    assert len(entities.things) == 2


def test_coming_back_to_the_same_standpoints_finds_the_same_things():
    entities = BearingEntities()
    for day in range(3):
        for n, stand in enumerate(STANDS):
            look = [towards((100 * day + n, p), stand, lamp) for p, lamp in enumerate(LAMPS)]
            entities.add("map", "lamp", look)
    assert where(entities) == [pytest.approx(lamp, abs=1e-6) for lamp in LAMPS]


def test_lines_of_another_label_or_map_do_not_meet():
    entities = BearingEntities()
    first, second = lines(2)
    entities.add("map", "lamp", first[:1])
    entities.add("map", "torch", second[:1])
    entities.add("attic", "lamp", [Line((9, 0), 9, second[0].origin, second[0].ray)])
    assert len(entities.things) == 3


def test_sightings_without_a_direction_join_what_is_near_their_standpoint():
    entities = BearingEntities()
    entities.add("map", "lamp", [line for look in lines() for line in look])
    entities.add("map", "lamp", [Line((50, 0), 50, (0.4, 1.0, 1.0), None)])
    holder = [t for t in entities.things.values() if (50, 0) in t.lines]
    assert len(entities.things) == 2
    assert holder[0].position == pytest.approx(LAMPS[0], abs=1e-6)


def test_forgotten_lines_leave_the_thing_where_the_others_say_it_is():
    entities = BearingEntities()
    given_lines = [look[0] for look in lines(4)]
    stray = towards((77, 0), (2.0, 0.1, 1.0), (0.8, 2.2, 1.5))
    entities.add("map", "lamp", [*given_lines, stray])
    (number,) = {t.number for t in entities.things.values() if (0, 0) in t.lines}
    entities.forget({77})
    assert entities.things[number].position == pytest.approx(LAMPS[0], abs=1e-6)
    touched, gone = entities.forget({0, 1, 2, 3})
    assert not touched
    assert number in gone
    assert not entities.things


def test_things_restored_go_on_with_their_numbers():
    entities, again = BearingEntities(), BearingEntities()
    first, rest = lines()[:3], lines()[3:]
    entities.add("map", "lamp", [line for look in first for line in look])
    again.restore(entities.things.values(), next_number=entities.next_number)
    for one in (entities, again):
        one.add("map", "lamp", [line for look in rest for line in look])
    assert {n: t.position for n, t in again.things.items()} == {
        n: t.position for n, t in entities.things.items()
    }
    assert again.next_number == entities.next_number
