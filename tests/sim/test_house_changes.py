"""Changes of generated houses: what has to be told, what is right, and what a memory tells."""

from __future__ import annotations

from dataclasses import replace

import pytest

pytest.importorskip("pybullet")

from memory_core.errors import InvalidQuery
from memory_core.types import Observation, Sighting
from memory_sim.house_changes import (
    Told,
    changes_told,
    evaluate_house_changes,
    remembered,
    score_told,
)
from memory_sim.questions import household as houses
from memory_sim.questions.household import household
from memory_sim.questions.knowledge import knowledge

SEED = 4


def looked(lived):
    """A tour without a renderer: every thing of the robot's room in view is seen exactly."""
    for number, visit in enumerate(lived.visits):
        for count, (stamp, pose) in enumerate(lived.poses(number)):
            room = visit.plan.room_at(pose.x, pose.y)
            seen = []
            for thing in lived.things:
                spot = thing.spots[number]
                if spot is not None and spot.room == room:
                    x, y, z = pose.inverse().apply(*spot.centre)
                    if x > 0:
                        seen.append(Sighting(thing.label, position=(x, y, z)))
            yield Observation(
                f"{number}-{count}", stamp, source="camera", session=visit.session, pose=pose,
                sightings=tuple(seen),
            )  # fmt: skip


@pytest.fixture(scope="module")
def lived():
    return household(SEED)


@pytest.fixture(scope="module")
def known(lived):
    return knowledge(lived, looked(lived))


def truth(known):
    """Every change, told as it happened."""
    last = known.last
    for thing in known.moved():
        yield Told("moved", thing.label, thing.spots[0].centre, thing.spots[last].centre)
    for thing in known.brought():
        yield Told("new", thing.label, None, thing.spots[last].centre)
    for thing in known.taken():
        yield Told("gone", thing.label, thing.spots[0].centre, None)


def totals(scored):
    counts = scored["by_kind"].values()
    return tuple(sum(count[name] for count in counts) for name in ("truth", "told", "right"))


def test_the_truth_is_all_right(known):
    scored = score_told(truth(known), known)
    expected, told, right = totals(scored)
    assert expected == told == right > 4
    assert scored["wrong"] == scored["lost"] == []


def test_a_move_told_as_gone_and_new_is_wrong_twice(known):
    moved = next(change for change in truth(known) if change.kind == "moved")
    others = [change for change in truth(known) if change.label != moved.label]
    parts = [replace(moved, kind="gone", new=None), replace(moved, kind="new", old=None)]
    scored = score_told([*others, *parts], known)
    assert len(scored["wrong"]) == 2
    assert f"moved {moved.label}" in scored["lost"]


def test_a_change_of_what_stayed_is_wrong(known):
    thing = next(t for t in known.unmoved() if known.known(t, 0) and known.known(t, known.last))
    scored = score_told([Told("gone", thing.label, thing.spots[0].centre, None)], known)
    assert len(scored["wrong"]) == 1


def test_the_same_change_told_twice_is_right_once(known):
    change = next(change for change in truth(known) if change.kind == "new")
    assert totals(score_told([change, change], known))[1:] == (2, 1)


def test_what_was_never_seen_before_may_be_told_as_new_and_need_not_be(lived):
    stamps = [visit.start_ns for visit in lived.visits]
    thing = next(t for t in knowledge(lived, looked(lived)).unmoved())
    unseen = [
        replace(o, sightings=tuple(s for s in o.sightings if s.label != thing.label))
        if o.stamp_ns < stamps[1] else o
        for o in looked(lived)
    ]  # fmt: skip
    known = knowledge(lived, unseen)
    told = [Told("new", thing.label, None, thing.spots[1].centre)]
    assert score_told(told, known)["wrong"] == []


def test_a_memory_of_exact_sightings_tells_most_changes(lived, known):
    told = changes_told(remembered(list(looked(lived))), lived)
    expected, claimed, right = totals(score_told(told, known))
    assert 2 * right / (expected + claimed) >= 0.6


def test_houses_are_scored_and_summed_up(monkeypatch):
    monkeypatch.setattr("memory_sim.house_changes.stream", lambda house, cache: list(looked(house)))
    done = []
    report, rows = evaluate_house_changes(2, first_seed=9, progress=lambda *at: done.append(at))
    assert [row["seed"] for row in rows] == [9, 10]
    assert done == [(1, 2, "house 9"), (2, 2, "house 10")]
    assert report["truth"] == report["tuning"]["truth"] + report["held_out"]["truth"]
    right = sum(count["right"] for row in rows for count in row["by_kind"].values())
    assert report["f1"] == pytest.approx(2 * right / (report["truth"] + report["told"]), abs=1e-4)


@pytest.mark.parametrize("wrong", [{"seeds": 0}, {"workers": 0}])
def test_no_houses_and_no_workers_are_refused(wrong):
    with pytest.raises(InvalidQuery):
        evaluate_house_changes(**wrong)


def test_every_house_has_two_to_five_of_a_kind():
    for seed in range(5):
        labels = [thing.label for thing in household(seed).things]
        assert any(labels.count(kind.label) >= 2 for kind in houses.COPIED)
