"""Scores of errands, from states of a home made by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

pytest.importorskip("pybullet")

from memory_core.types import Pose
from memory_sim.house_errands import Asked
from memory_sim.house_scoring import (
    TIME,
    Situation,
    is_done,
    metrics,
    search_ratio,
    spl,
)
from memory_sim.worlds.home.plan import plan_home
from memory_sim.worlds.home.truth import Whereabouts

PLAN = plan_home(3, rooms=4)
KITCHEN = PLAN.room_by_name["kitchen"]
X, Y = KITCHEN.centre
MUG = Whereabouts("mug 1", "red mug", (X + 1.0, Y, 0.8), "kitchen", "kitchen/kitchen table", "top")
BESIDE = Pose.from_yaw(X, Y, yaw=0.0)
AWAY = Pose.from_yaw(X, Y, yaw=math.pi)


def at(base: Pose = BESIDE, mug: Whereabouts = MUG, **more) -> Situation:
    return Situation(base, {"mug 1": mug}, **more)


def done(asked: Asked, end: Situation, *, said: bool = True) -> bool:
    return is_done(asked, end, PLAN, {"mug 1": MUG}, said=said)


FETCH = Asked(0, "fetch", "bring me the red mug", "mug 1", asker=(X, Y + 1.0, 0.0))
FIND = Asked(0, "find", "find the red mug", "mug 1")
PUT = Asked(0, "put", "put it", "mug 1", furniture=("kitchen/kitchen table",))


def test_a_thing_handed_over_beside_the_asker_is_fetched():
    assert done(FETCH, at(given=("mug 1",), gave_at=BESIDE), said=False)


def test_what_the_robot_does_after_it_handed_a_thing_over_takes_nothing_away():
    assert done(FETCH, at(PLAN.dock, given=("mug 1",), gave_at=BESIDE))


@pytest.mark.parametrize(
    "end",
    [
        at(),
        at(given=("mug 2",), gave_at=BESIDE),
        at(given=("mug 2", "mug 1"), gave_at=BESIDE),
        at(given=("mug 1",), gave_at=Pose.from_yaw(X, Y - 1.5)),
    ],
)
def test_nothing_or_another_thing_or_elsewhere_is_not_fetched(end):
    assert not done(FETCH, end)


def test_a_thing_is_found_by_standing_near_and_facing_it():
    assert done(FIND, at())


@pytest.mark.parametrize("said, base", [(False, BESIDE), (True, AWAY), (True, PLAN.dock)])
def test_a_thing_is_not_found_unsaid_or_from_afar_or_behind_the_back(said, base):
    assert not done(FIND, at(base), said=said)


def test_a_thing_behind_a_wall_is_not_found():
    behind = replace(MUG, room="bathroom")
    assert not done(FIND, at(mug=behind))


def test_a_thing_is_put_down_where_it_was_wanted_alone():
    assert done(PUT, at())
    assert not done(PUT, at(holding=True))
    assert not done(PUT, at(mug=replace(MUG, furniture="kitchen/stove")))


def test_a_room_is_reached_by_standing_in_it():
    assert done(Asked(0, "go", "go to the kitchen", room="kitchen"), at())
    assert not done(Asked(0, "go", "go to the bathroom", room="bathroom"), at())


def test_a_return_is_to_where_the_thing_was_first():
    moved = replace(MUG, position=(X - 1.0, Y, 0.8))
    back = Asked(0, "return", "go back", "mug 1")
    assert done(back, at(mug=moved))
    assert not done(back, at(AWAY, mug=moved))


def test_spl_is_the_share_of_the_way_that_was_needed():
    assert spl(True, 5.0, 10.0) == 0.5
    assert spl(True, 5.0, 4.0) == 1.0
    assert spl(False, 5.0, 5.0) == 0.0
    assert spl(True, 0.0, 0.3) == 1.0


def errand(number: int, **changed) -> dict:
    row = {
        "row": "errand", "seed": 1, "day": 2, "number": number, "done": True, "said": True, "moved": False,
        "hidden": False, "shortest_m": 4.0, "driven_m": 5.0, "search_m": 3.0, "reason": "done",
    }  # fmt: skip
    return row | changed


def test_spl_is_over_what_stood_in_the_open_where_it_was():
    rows = [
        errand(0), errand(1, moved=True, driven_m=40.0), errand(2, hidden=True, done=False),
        errand(3, shortest_m=None), errand(4, done=False),
    ]  # fmt: skip
    found = metrics(rows)
    assert found["spl"] == pytest.approx((0.8 + 0.0) / 2)
    assert found["errands"] == pytest.approx(3 / 5)
    assert found["said_wrongly"] == 2


def test_contacts_and_answers_are_counted():
    rows = [
        {"row": "question", "right": True},
        {"row": "question", "right": False},
        {"row": "day", "contacts_m_s": [0.2, 0.6], "simulated_s": 600.0, "seconds": 30.0},
    ]
    found = metrics(rows)
    assert (found["answers"], found["contacts"], found["hard_contacts"]) == (0.5, 2, 1)
    assert (found["episodes"], found["simulated_minutes"]) == (1, 10.0)


def test_search_is_compared_where_both_found_what_moved():
    mine = [errand(0, moved=True, search_m=3.0), errand(1, moved=True, search_m=2.0), errand(2)]
    theirs = [errand(0, moved=True, search_m=12.0), errand(1, moved=True, search_m=None), errand(2)]
    assert search_ratio(mine, theirs) == (0.25, 1)
    assert search_ratio(mine, []) == (None, 0)


def test_where_either_found_it_who_did_not_counts_with_what_was_driven():
    gone = errand(2, moved=True, search_m=None, driven_m=70.0)
    mine = [errand(0, moved=True, search_m=3.0), errand(1, moved=True, search_m=2.0), gone]
    theirs = [
        errand(0, moved=True, search_m=12.0),
        errand(1, moved=True, search_m=None, driven_m=8.0),
        gone,
    ]
    assert search_ratio(mine, theirs, both=False) == (0.25, 2)
    assert search_ratio(theirs, mine, both=False) == (4.0, 2)
    assert search_ratio([gone], [gone], both=False) == (None, 0)


def test_time_is_compared_where_the_rows_tell_it():
    mine = [errand(0, moved=True, search_m=3.0, search_s=10.0, simulated_s=20.0)]
    late = errand(0, moved=True, search_m=None, search_s=None, driven_m=6.0, simulated_s=40.0)
    assert search_ratio(mine, [late], both=False, length=TIME) == (0.25, 1)
    assert search_ratio(mine, [late], both=True, length=TIME) == (None, 0)
    assert search_ratio(mine, [late], both=False) == (0.5, 1)
    older = [errand(0, moved=True, search_m=12.0)]
    assert search_ratio(mine, older, both=False, length=TIME) == (None, 0)
