"""Where a thing was not seen, it is less likely."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

import pytest

from memory_core.memory import RobotMemory
from memory_core.planning.absence import SEEN_WITHOUT
from memory_core.planning.knowledge import Remembered
from memory_core.planning.outcomes import LookedFor
from memory_core.planning.persistence import MISSED
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
        yield toured(memory, TABLE)


def toured(memory, piece) -> Tour:
    tour = Tour(memory)
    for second in range(3):
        stamp_ns = MORNING_NS + second * SECOND_NS
        for x, y in TABLES.values():
            tour.sees((x, y), (x, -2.0), stamp_ns, piece)
        tour.sees(DESK, (0.0, 4.0), stamp_ns, ("desk", 0.4, (1.4, 0.7, 0.8)), MUG)
    return tour


def around(at, angle, *, away_m=1.5):
    return (at[0] + away_m * math.cos(angle), at[1] + away_m * math.sin(angle))


def odds(tour, at_ns, thing="red mug", *, seen_until_ns=None, furniture="table"):
    """How likely it is in the west, where it would be as likely in the east."""
    tour.memory.wait()
    now_ns = int(at_ns)
    regions = Remembered(tour.memory).regions(
        thing, now_ns=now_ns, travel_m=lambda at: 0.0,
        seen_until_ns=now_ns if seen_until_ns is None else seen_until_ns,
    )  # fmt: skip
    chance = {
        side: region.probability
        for side, at in TABLES.items()
        for region in regions
        if region.name == furniture and math.dist(region.centre[:2], at) < 0.5
    }
    return chance["west"] / chance["east"]


def look_around(tour, stamp_ns, *, angles=AROUND, away_m=1.5, thing=TABLE):
    for second, angle in enumerate(angles):
        at = TABLES["west"]
        stood = around(at, angle, away_m=away_m)
        tour.sees(at, stood, stamp_ns + second * SECOND_NS, thing)


LATER_NS, NOW_NS = MORNING_NS + DAY_NS, MORNING_NS + DAY_NS + 60 * SECOND_NS


def test_before_anything_was_seen_since_both_tables_are_as_likely(tour):
    assert odds(tour, NOW_NS) == pytest.approx(1.0, rel=0.05)


def test_a_table_that_was_seen_from_several_places_without_it_is_not_where_it_is(tour):
    look_around(tour, LATER_NS)
    assert odds(tour, NOW_NS) == pytest.approx(SEEN_WITHOUT, rel=0.1)


@pytest.mark.parametrize(
    ("away_m", "apart_m", "says"),
    [(1.5, 0.25, True), (1.5, 0.15, False), (3.4, 0.5, True), (3.6, 0.5, False)],
)
def test_it_must_be_seen_from_near_and_from_places_apart(tour, away_m, apart_m, says):
    angles = [step * 2 * math.asin(apart_m / 2 / away_m) for step in range(4)]
    look_around(tour, LATER_NS, angles=angles, away_m=away_m)
    assert (odds(tour, NOW_NS) < 0.5) == says


def test_of_a_thing_never_seen_it_says_nothing(tour):
    look_around(tour, LATER_NS)
    assert odds(tour, NOW_NS, "green bottle") == pytest.approx(1.0, rel=0.05)


def test_pictures_of_before_it_was_seen_say_nothing(tour):
    look_around(tour, LATER_NS)
    tour.sees(DESK, (0.0, 4.0), LATER_NS + 20 * SECOND_NS, ("desk", 0.4, (1.4, 0.7, 0.8)), MUG)
    assert odds(tour, NOW_NS + DAY_NS) == pytest.approx(1.0, rel=0.05)


def test_pictures_of_when_it_was_still_elsewhere_say_nothing(tour):
    look_around(tour, MORNING_NS + 10 * SECOND_NS)
    assert odds(tour, MORNING_NS + DAY_NS) == pytest.approx(1.0, rel=0.05)


def test_what_was_seen_long_ago_may_have_come_since(tour):
    begun_ns = MORNING_NS + 60 * DAY_NS
    look_around(tour, begun_ns)
    soon, late = (odds(tour, begun_ns + days * DAY_NS) for days in (0.1, 15))
    assert soon < 2 * SEEN_WITHOUT
    assert late > 0.8


def test_pictures_of_the_search_itself_are_left_to_it(tour):
    look_around(tour, LATER_NS)
    assert odds(tour, NOW_NS, seen_until_ns=LATER_NS) == pytest.approx(1.0, rel=0.05)


@pytest.mark.parametrize("name", ["drawer", "bookshelf"])
def test_what_is_behind_a_front_or_between_boards_is_not_seen_from_all_around(tmp_path, name):
    piece = (name, 0.6, (0.8, 0.4, 1.2))
    with RobotMemory.open(tmp_path / "memory") as memory:
        tour = toured(memory, piece)
        look_around(tour, LATER_NS, thing=piece)
        assert odds(tour, NOW_NS, furniture=name) == pytest.approx(1.0, rel=0.1)


def test_one_visit_counts_once(tour):
    """From where it is driven to a table, and there is looked in vain, it is seen from everywhere."""
    look_around(tour, LATER_NS)
    tour.memory.wait()
    looked = (LookedFor("red mug", (*TABLES["west"], 0.8), NOW_NS, False),)
    found = Remembered(tour.memory).regions(
        "red mug", now_ns=NOW_NS, travel_m=lambda at: 0.0, looked=looked, seen_until_ns=NOW_NS
    )
    chance = {
        region.centre[0] < 0: region.probability for region in found if region.name == "table"
    }
    assert chance[True] / chance[False] == pytest.approx(min(MISSED, SEEN_WITHOUT), rel=0.1)
