"""What is searched first: how much a visit promises by what it costs."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from memory_core.planning.candidates import LOOK_COST_M
from memory_core.planning.finding import rounds_worth
from memory_core.planning.regions import OPEN_COST_M, Region


def region(x, *, chance, room="kitchen", name="table", shut=False, y=0.0):
    """A place to search at x, y, seen from the origin."""
    size = (0.8, 0.8, 0.8)
    return Region(name, room, (x, y, 0.4), size, shut, chance, math.hypot(x, y))


def worth(*regions):
    return rounds_worth(regions, [region.probability for region in regions])


def test_a_place_alone_is_worth_its_chance_by_its_cost():
    alone = region(4.0, chance=0.3)
    assert worth(alone) == pytest.approx([0.3 / (4.0 + LOOK_COST_M)])
    assert worth(alone)[0] == pytest.approx(alone.worth)
    drawer = region(4.0, chance=0.3, shut=True)
    assert worth(drawer) == pytest.approx([0.3 / (4.0 + LOOK_COST_M + OPEN_COST_M)])
    assert worth() == []


def test_many_places_in_one_room_are_worth_the_way_to_it():
    """None of the four is worth it by itself."""
    near = region(2.0, chance=0.08, room="bedroom")
    far = [region(8.0 + 0.5 * n, chance=0.15) for n in range(4)]
    assert all(near.worth > one.worth for one in far)
    found = worth(near, *far)
    assert min(found[1:]) > found[0] == pytest.approx(near.worth)
    round_m = 8.0 + LOOK_COST_M + sum(0.5 * n + LOOK_COST_M for n in range(1, 4))
    assert found[1] == pytest.approx(0.6 / round_m)


def test_what_is_far_off_or_in_another_room_is_on_no_round():
    first = region(4.0, chance=0.1)
    above = replace(region(4.0, chance=0.5), centre=(4.0, 0.0, 3.2))
    assert worth(first, above)[0] == pytest.approx(first.worth)
    nowhere = [replace(region(4.0 + n, chance=0.5), room="") for n in range(2)]
    assert worth(*nowhere) == pytest.approx([one.worth for one in nowhere])
    assert worth(first, region(4.5, chance=0.5, room="hallway"))[0] == pytest.approx(first.worth)
    assert worth(first, region(4.0, y=6.0, chance=0.5))[0] == pytest.approx(first.worth)


def test_what_promises_little_is_left_out_of_a_round():
    first = region(1.0, chance=0.5)
    assert worth(first, region(3.0, chance=0.001))[0] == pytest.approx(first.worth)


def test_what_is_between_boards_is_enclosed_and_what_is_on_top_is_not():
    shelf = Region("bookshelf", "office", (2.0, 1.0, 0.9), (0.4, 1.0, 1.8), False, 0.1, 2.0)
    assert shelf.encloses((2.0, 1.3, 0.6))
    assert not shelf.encloses((2.0, 1.3, 1.85))
    assert not shelf.encloses((2.0, 1.8, 0.6))
    table = Region("table", "office", (2.0, 1.0, 0.4), (0.4, 1.0, 0.8), False, 0.1, 2.0)
    assert not table.encloses((2.0, 1.0, 0.4))
