"""What people do between days."""

from __future__ import annotations

import itertools

import pytest

from memory_sim.worlds.home.people import moves, settings, state
from memory_sim.worlds.home.placing import spot_pose, suitability
from memory_sim.worlds.home.plan import plan_home

DAYS = range(1, 8)


@pytest.fixture(scope="module")
def plan():
    return plan_home(4)


def test_the_state_of_a_day_is_the_state_before_with_the_moves_made(plan):
    spots, openness = dict(state(plan, 0).spots), dict(state(plan, 0).openness)
    assert spots == {thing.id: thing.spot for thing in plan.things if thing.spot}
    for day in DAYS:
        for move in moves(plan, day):
            assert spots.pop(move.thing, None) == move.before
            if move.after is not None:
                spots[move.thing] = move.after
        for setting in settings(plan, day):
            assert openness[setting.opening] == setting.before
            openness[setting.opening] = setting.after
        assert state(plan, day).spots == spots
        assert state(plan, day).openness == openness


def test_every_day_some_things_move_most_stay_and_some_come_and_go(plan):
    all_moves = [moves(plan, day) for day in DAYS]
    for day, made in zip(DAYS, all_moves, strict=True):
        assert 2 <= len(made) <= 0.5 * len(state(plan, day).spots)
    flat = list(itertools.chain(*all_moves))
    assert any(move.before is None for move in flat)
    assert any(move.after is None for move in flat)
    assert all(move.before != move.after for move in flat)


def test_most_things_end_up_where_such_things_belong_and_some_do_not():
    suits = []
    for seed in range(4):
        plan = plan_home(seed)
        for move in (move for day in DAYS for move in moves(plan, day) if move.after):
            piece = plan.furniture_by_id[move.after.furniture]
            kind = plan.thing_by_id[move.thing].kind
            suits.append(suitability(kind, piece, plan.room_by_name[piece.room].kind) > 0)
    assert 0.7 < sum(suits) / len(suits) < 0.97


def test_a_home_neither_empties_nor_fills_over_a_month(plan):
    for day in (10, 20, 30):
        assert 20 <= len(state(plan, day).spots) <= 65


def test_doors_between_rooms_stay_open_and_drawers_are_left_open_at_times():
    plan = plan_home(9)
    opened = set()
    for day in DAYS:
        for name, openness in state(plan, day).openness.items():
            assert 0 <= openness <= 1
            if name.startswith("door "):
                assert openness == 1
            elif openness > 0:
                opened.add(name)
    assert opened


def test_things_never_stand_in_each_other_on_any_day(plan):
    for day in DAYS:
        now = state(plan, day)
        places = [
            spot_pose(spot, plan.furniture_by_id[spot.furniture]).position
            for spot in now.spots.values()
        ]
        for first, second in itertools.combinations(places, 2):
            assert max(abs(a - b) for a, b in zip(first, second, strict=True)) > 0.05


def test_each_day_has_a_light_of_its_own(plan):
    lights = [state(plan, day).lighting for day in range(5)]
    assert len(set(lights)) == 5
    assert all(0.3 < light.ambient < 1 for light in lights)


def test_days_before_the_first_are_refused(plan):
    with pytest.raises(ValueError, match="the first is 0"):
        state(plan, -1)
    for ask in (moves, settings):
        with pytest.raises(ValueError, match="before day 1"):
            ask(plan, 0)
