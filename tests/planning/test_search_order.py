"""In which order places are searched: the expected way is the shortest."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from memory_core.planning.search_order import Apart, Places, best_density, shortest_search

LOOK_M = 1.5


def expected_m(order, places):
    """The expected way by its definition, place after place."""
    total = gone = 0.0
    left = places.chance.copy()
    for turn, place in enumerate(order):
        gone += places.from_here_m[place] if not turn else places.apart_m[order[turn - 1], place]
        gone += places.look_m[place]
        for other in range(len(left)):
            shown = places.shows[place, other]
            total += left[other] * shown * gone
            left[other] *= 1 - shown
    return total


def line(places, chance, shows=None):
    """Places on a line, seen from 0."""
    at = np.array(places, float)
    apart = np.abs(at[:, None] - at[None])
    shows = np.eye(len(at)) if shows is None else shows
    return Places(np.array(chance), np.abs(at), apart, np.full(len(at), LOOK_M), shows)


def drawn(seed, count, *, far_m=0.0):
    """Places in a square; what is nearer than so far to each is noticed from there."""
    random = np.random.default_rng(seed)
    at = random.uniform(-8, 8, (count, 2))
    apart = np.linalg.norm(at[:, None] - at[None], axis=2)
    chance = random.dirichlet(np.full(count, 0.5))
    shows = np.where(apart <= far_m, np.where(apart > 0, 0.6, 1.0), 0.0)
    return Places(chance, np.linalg.norm(at, axis=1), apart, np.full(count, LOOK_M), shows)


def test_what_lies_on_the_way_is_looked_at_on_the_way():
    """Likeliest by cost next would pass the first one by, and come back for it."""
    setting = line((3.0, 4.0, 12.0), (0.15, 0.5, 0.35))
    assert shortest_search(setting) == [0, 1, 2]


def test_a_room_is_finished_before_one_leaves_it():
    setting = line((2.0, 3.0, 4.0, -9.0, -10.0), (0.3, 0.1, 0.1, 0.25, 0.25))
    order = shortest_search(setting)
    assert order[:3] == [0, 1, 2] and set(order[3:]) == {3, 4}


def test_a_place_that_shows_others_is_gone_to_before_them():
    shows = np.array([[1.0, 0.9, 0.9], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    setting = line((4.0, 3.0, -3.0), (0.2, 0.4, 0.4), shows)
    assert shortest_search(setting)[0] == 0
    assert shortest_search(replace(setting, shows=np.eye(3)))[0] == 1
    assert setting.found(np.array([[0, 1, 2]]))[0] == pytest.approx([0.92, 0.04, 0.04])
    assert best_density([0, 1, 2], setting) == pytest.approx(0.92 / (4.0 + LOOK_M))


@pytest.mark.parametrize("far_m", [0.0, 4.0])
@pytest.mark.parametrize("seed", range(8))
def test_few_places_are_put_into_the_best_of_all_orders_or_nearly(seed, far_m):
    setting = drawn(seed, 7, far_m=far_m)
    found = expected_m(shortest_search(setting), setting)
    best = min(expected_m(order, setting) for order in itertools.permutations(range(7)))
    assert best - 1e-9 <= found <= 1.03 * best


@pytest.mark.parametrize("seed", range(4))
def test_many_places_are_all_in_the_order_and_better_than_the_likeliest_by_cost(seed):
    setting = drawn(seed, 40)
    order = shortest_search(setting)
    assert sorted(order) == list(range(40))
    greedy, left, ways = [], list(range(40)), setting.from_here_m
    while left:
        at = max(left, key=lambda place: setting.chance[place] / (ways[place] + LOOK_M))
        greedy.append(at)
        left.remove(at)
        ways = setting.apart_m[at]
    assert expected_m(order, setting) < 0.97 * expected_m(greedy, setting)


def test_what_cannot_be_got_to_comes_last_and_none_is_none():
    setting = line((1.0, 2.0, 3.0), (0.8, 0.1, 0.1))
    setting.from_here_m[0] = np.inf
    setting.apart_m[0, :] = setting.apart_m[:, 0] = np.inf
    assert shortest_search(setting)[-1] == 0
    nowhere = line((), ())
    assert shortest_search(nowhere) == []
    assert best_density([], nowhere) == 0.0


def test_a_search_is_worth_its_densest_beginning():
    setting = line((4.0, 5.0, 30.0), (0.2, 0.4, 0.4))
    assert best_density([0, 1, 2], setting) == pytest.approx(0.6 / (4.0 + 1.0 + 2 * LOOK_M))


def test_ways_are_measured_once_from_each_place():
    asked = []

    def ways_from(start, goals):
        asked.append(start)
        return np.array([np.linalg.norm(np.subtract(start, goal)) for goal in goals])

    apart = Apart(ways_from)
    a, b, c = (0.0, 0.0, 0.0), (3.0, 4.0, 0.0), (3.0, 0.0, 0.0)
    assert apart.between([a, b]).tolist() == [[0.0, 5.0], [5.0, 0.0]]
    assert apart.between([c, (0.1, 0.0, 0.0)]).tolist() == [[0.0, 3.0], [3.0, 0.0]]
    assert apart.between([b, c, a]).tolist() == [[0, 4, 5], [4, 0, 3], [5, 3, 0]]
    assert asked == [a, b, c]
    assert apart.between([]).shape == (0, 0)
