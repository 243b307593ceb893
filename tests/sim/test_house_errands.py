"""The errands of a day: what is asked for, and how."""

from __future__ import annotations

import pytest

pytest.importorskip("pybullet")

from memory_core.planning.goals import ME, parse_goal
from memory_sim.house_errands import (
    FIRST_DAY,
    HIDDEN,
    SECOND_DAY,
    WORDS,
    enclosed,
    first_errands,
    moved_finds,
    second_errands,
)
from memory_sim.house_ways import Ways
from memory_sim.worlds.home.people import state
from memory_sim.worlds.home.plan import plan_home

SEEDS = range(20, 26)


@pytest.fixture(scope="module")
def days():
    drawn = []
    for seed in SEEDS:
        plan = plan_home(seed, rooms=5, floors=1)
        ways = Ways(plan)
        drawn.append((plan, first_errands(plan, ways), second_errands(plan, ways)))
    return drawn


def test_a_day_has_at_most_ten_errands_of_every_kind(days):
    assert len(SECOND_DAY) <= 10
    kinds = {asked.kind for _, first, second in days for asked in (*first, *second)}
    assert kinds == set(WORDS)
    assert all(len(first) <= len(FIRST_DAY) for _, first, _ in days)


def test_the_same_seed_asks_the_same(days):
    plan, first, second = days[0]
    assert first_errands(plan, Ways(plan)) == first
    assert second_errands(plan, Ways(plan)) == second


def test_no_thing_is_asked_for_twice(days):
    for _, first, second in days:
        things = [asked.thing for asked in (*first, *second) if asked.thing]
        assert len(things) == len(set(things))


def test_things_asked_for_are_there_and_were_in_the_open_or_are_marked_hidden(days):
    for plan, _, second in days:
        before, now = state(plan, 0).spots, state(plan, 1).spots
        for asked in second:
            if asked.thing:
                assert asked.thing in now
                assert asked.hidden is enclosed(plan, now[asked.thing])
                assert asked.hidden or not enclosed(plan, before[asked.thing])


def test_moved_is_what_people_put_on_other_furniture(days):
    for plan, _, second in days:
        before, now = state(plan, 0).spots, state(plan, 1).spots
        for asked in second:
            if asked.thing in before:
                elsewhere = before[asked.thing].furniture != now[asked.thing].furniture
                assert asked.moved is elsewhere
    moved = [asked for *_, second in days for asked in second if asked.moved]
    assert {"fetch", "find"} <= {asked.kind for asked in moved}


def test_what_is_put_back_goes_to_where_it_was(days):
    for plan, _, second in days:
        for asked in second:
            if asked.kind == "put back":
                assert asked.furniture == (state(plan, 0).spots[asked.thing].furniture,)
                assert asked.furniture[0] != state(plan, 1).spots[asked.thing].furniture


def test_few_errands_are_about_what_is_shut_away(days):
    assert HIDDEN == 0.05
    asked = [item for *_, second in days for item in second]
    hidden = sum(item.hidden for item in asked if item.kind in ("fetch", "find", "put", "put back"))
    assert hidden <= 0.2 * len(asked)


def test_every_thing_that_was_moved_in_the_open_is_searched_for_once(days):
    finds = 0
    for plan, first, _ in days:
        used = frozenset(asked.thing for asked in first)
        before, now = state(plan, 0).spots, state(plan, 2).spots
        asked = moved_finds(plan, Ways(plan), 2, used=used)
        assert [one.number for one in asked] == list(range(len(asked)))
        things = [one.thing for one in asked]
        assert len(set(things)) == len(things) and not used & set(things)
        for one in asked:
            assert one.kind == "find" and one.moved and not one.hidden
            assert before[one.thing].furniture != now[one.thing].furniture
            assert not enclosed(plan, now[one.thing]) and not enclosed(plan, before[one.thing])
        assert moved_finds(plan, Ways(plan), 0) == ()
        finds += len(asked)
    assert finds > len(days)


@pytest.mark.parametrize("kind", sorted(WORDS))
def test_every_wording_asks_for_what_is_meant(kind):
    slots = {"thing": "red mug", "furniture": "kitchen table", "room": "kitchen"}
    for words in WORDS[kind]:
        goal = parse_goal(words.format(**slots))
        assert goal.kind == kind, words
        assert goal.thing == ("" if kind == "go" else "red mug"), words
        if kind == "fetch":
            assert goal.to == ME
        if kind in ("put", "go"):
            assert goal.to.startswith("kitchen"), words
