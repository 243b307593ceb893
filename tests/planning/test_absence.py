"""Where a thing was not seen, it is less likely."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

import pytest

from memory_core.memory import RobotMemory
from memory_core.planning.absence import OVERLOOKED
from memory_core.planning.knowledge import Remembered
from memory_core.types import Observation, Pose, Sighting

SECOND_NS = 10**9
DAY_NS = 86_400 * SECOND_NS
MORNING_NS = 1_772_528_400 * SECOND_NS
TABLES = {"west": (-3.0, 0.0), "east": (3.0, 0.0)}
DESK = (0.0, 6.0)
AROUND = tuple(math.radians(45 * k) for k in range(6))


class Tour:
    """What a camera saw from poses of the map."""

    def __init__(self, memory: RobotMemory) -> None:
        self.memory = memory
        self._numbers = itertools.count()

    def sees(self, at, stood, stamp_ns, *things) -> None:
        """Something stands at a place, with things on it, and is seen from another place."""
        yaw = math.atan2(at[1] - stood[1], at[0] - stood[0])
        away = math.dist(at, stood)
        sightings = [
            Sighting(label, position=(away, 0.0, height), size=size)
            for label, height, size in things
        ]
        pose = Pose.from_yaw(*stood, yaw=yaw)
        number = next(self._numbers)
        self.memory.observe(Observation(str(number), stamp_ns, pose=pose, sightings=sightings))


TABLE = ("table", 0.4, (1.0, 0.8, 0.8))
MUG = ("red mug", 0.85, (0.08, 0.08, 0.1))


@pytest.fixture
def tour(tmp_path) -> Iterator[Tour]:
    """Two tables far apart, and a mug on a desk, seen one morning."""
    with RobotMemory.open(tmp_path / "memory") as memory:
        toured = Tour(memory)
        for second in range(3):
            stamp_ns = MORNING_NS + second * SECOND_NS
            for x, y in TABLES.values():
                toured.sees((x, y), (x, -2.0), stamp_ns, TABLE)
            toured.sees(DESK, (0.0, 4.0), stamp_ns, ("desk", 0.4, (1.4, 0.7, 0.8)), MUG)
        yield toured


def around(at, angle, *, away_m=1.5):
    return (at[0] + away_m * math.cos(angle), at[1] + away_m * math.sin(angle))


def odds(tour, now_ns, thing="red mug"):
    """How likely the mug is on the west table, where it would be as likely on the east one."""
    tour.memory.wait()
    regions = Remembered(tour.memory).regions(thing, now_ns=now_ns, travel_m=lambda at: 0.0)
    chance = {
        side: region.probability
        for side, at in TABLES.items()
        for region in regions
        if region.name == "table" and math.dist(region.centre[:2], at) < 0.5
    }
    return chance["west"] / chance["east"]


def test_before_anything_was_seen_since_both_tables_are_as_likely(tour):
    assert odds(tour, MORNING_NS + DAY_NS) == pytest.approx(1.0, rel=0.05)


def test_a_table_that_was_seen_from_several_sides_without_it_is_not_where_it_is(tour):
    later = MORNING_NS + DAY_NS
    for second, angle in enumerate(AROUND):
        at = TABLES["west"]
        tour.sees(at, around(at, angle), later + second * SECOND_NS, TABLE)
    assert odds(tour, later + 60 * SECOND_NS) == pytest.approx(OVERLOOKED, rel=0.2)


def test_a_thing_never_seen_is_not_there_either(tour):
    later = MORNING_NS + DAY_NS
    for second, angle in enumerate(AROUND):
        at = TABLES["west"]
        tour.sees(at, around(at, angle), later + second * SECOND_NS, TABLE)
    assert odds(tour, later + 60 * SECOND_NS, "green bottle") < 1.5 * OVERLOOKED


def test_pictures_from_one_place_or_from_afar_say_little(tour):
    later, at = MORNING_NS + DAY_NS, TABLES["west"]
    for second, angle in enumerate(AROUND):
        tour.sees(at, around(at, AROUND[0]), later + second * SECOND_NS, TABLE)
        tour.sees(at, around(at, angle, away_m=5.0), later + second * SECOND_NS, TABLE)
    assert odds(tour, later + 60 * SECOND_NS) == pytest.approx(1.0, rel=0.05)


def test_pictures_of_when_it_was_still_elsewhere_say_nothing(tour):
    at = TABLES["west"]
    for second, angle in enumerate(AROUND):
        tour.sees(at, around(at, angle), MORNING_NS + (10 + second) * SECOND_NS, TABLE)
    assert odds(tour, MORNING_NS + DAY_NS) == pytest.approx(1.0, rel=0.05)


def test_what_was_seen_long_ago_may_have_come_since(tour):
    later, at = MORNING_NS + DAY_NS, TABLES["west"]
    for second, angle in enumerate(AROUND):
        tour.sees(at, around(at, angle), later + second * SECOND_NS, TABLE)
    soon, late = (odds(tour, later + days * DAY_NS) for days in (1, 30))
    assert OVERLOOKED < soon < late < 1.0 + 1e-9
    assert late > 0.9
