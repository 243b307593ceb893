"""Working memory: repetitions are not kept, and nothing that was unique is lost."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memory_core.episodic.working import Item, SamenessRule, WorkingMemory, WorkingRule
from memory_core.types import Observation, Pose, Sighting

SECOND = 1_000_000_000


def item(row, *, at=None, x=0.0, y=0.0, yaw=0.0, **fields):
    fields.setdefault("pose", Pose.from_yaw(x, y, yaw=yaw))
    return Item(row, (1000 + (row if at is None else at)) * SECOND, "robot", **fields)


def seen(pose, things):
    """Sightings of things at map positions from a pose: [(label, (x, y, z)), ...]."""
    back = pose.inverse()
    return tuple(Sighting(label, back.apply(*place)) for label, place in things)


def unit(*values):
    return np.array(values) / np.linalg.norm(values)


ROOM = [
    ("table", (2.0, 0.5, 0.7)),
    ("chair", (1.5, -0.5, 0.4)),
    ("chair", (2.5, -0.4, 0.4)),
    ("lamp", (3.0, 1.0, 1.5)),
]


def noisy_view(random, row, things, *, x=0.0):
    true = Pose.from_yaw(x, 0.0)
    believed = Pose.from_yaw(
        x + random.normal() * 0.02, random.normal() * 0.02, yaw=random.normal() * 0.005
    )
    places = [(s.label, np.add(s.position, random.normal(size=3) * 0.01))
              for s in seen(true, things)]  # fmt: skip
    sightings = tuple(Sighting(label, tuple(place.tolist())) for label, place in places)
    return item(row, pose=believed, sightings=sightings)


def test_an_hour_of_standing_still_adds_next_to_nothing():
    random = np.random.default_rng(0)
    memory = WorkingMemory()
    decisions = [memory.consider(noisy_view(random, row, ROOM)) for row in range(3600)]
    kept = [row for row, decision in enumerate(decisions) if decision.kept]
    assert kept[0] == 0
    assert len(kept) <= 5
    assert {decision.into for decision in decisions if not decision.kept} <= set(kept)
    assert sum(memory.count(row) for row in kept) == 3600


def test_a_mug_that_is_there_for_one_moment_is_kept():
    random = np.random.default_rng(0)
    memory = WorkingMemory()
    for row in range(200):
        things = [*ROOM, ("mug", (2.0, 0.4, 0.8))] if row == 100 else ROOM
        decision = memory.consider(noisy_view(random, row, things))
        if row == 100:
            assert (decision.kept, decision.reason) == (True, "new")
            assert decision.novelty == pytest.approx(1 / 5)


def test_a_thing_that_is_gone_is_news_and_one_that_is_overlooked_for_a_moment_is_not():
    memory = WorkingMemory(WorkingRule(sensory_s=5))
    views = [ROOM, ROOM[:-1], ROOM, *[ROOM[:-1]] * 8]
    decisions = [
        memory.consider(item(row, sightings=seen(Pose(), things)))
        for row, things in enumerate(views)
    ]
    assert [row for row, decision in enumerate(decisions) if decision.kept] == [0, 8]
    assert [decision.into for decision in decisions[9:]] == [8, 8]


def test_detectors_that_overlook_things_add_next_to_nothing():
    random = np.random.default_rng(0)
    memory = WorkingMemory()
    kept = 0
    for row in range(1800):
        things = [thing for thing in ROOM if random.random() > 0.1]
        kept += memory.consider(noisy_view(random, row, things)).kept
    assert kept <= 10


def test_what_moves_slowly_is_kept_all_along_its_way():
    memory = WorkingMemory()
    places = np.arange(600) * 0.005  # 3 m in ten minutes, 5 mm a moment
    kept = []
    for row, shift in enumerate(places):
        cart = [("cart", (2.0, -1.5 + float(shift), 0.3))]
        if memory.consider(item(row, sightings=seen(Pose(), cart))).kept:
            kept.append(float(shift))
    tolerance = 0.1 + 0.03 * math.hypot(2.0, 1.5, 0.3)
    nearest = np.abs(places[:, None] - np.array(kept)).min(axis=1)
    assert nearest.max() <= tolerance
    assert 3.0 / tolerance / 2 <= len(kept) <= 3.0 / tolerance + 1


def test_views_are_apart_by_standpoint_heading_and_stream():
    memory = WorkingMemory()
    words = {"text": "a wall", "meaning": unit(1, 0)}
    assert memory.consider(item(0, **words)).kept
    assert not memory.consider(item(1, x=0.25, yaw=math.radians(14), **words)).kept
    assert memory.consider(item(2, x=0.35, **words)).kept
    assert memory.consider(item(3, yaw=math.radians(16), **words)).kept
    assert memory.consider(item(4, pose=None, **words)).kept
    assert not memory.consider(item(5, pose=None, **words)).kept
    assert memory.consider(replace(item(6, **words), stream="another")).kept


def test_words_repeat_by_meaning_unless_a_number_differs():
    memory = WorkingMemory()
    door = unit(1.0, 0.0)
    alike = unit(1.0, 0.1)  # cosine 0.995
    assert memory.consider(item(0, text="door 12", meaning=door)).kept
    assert not memory.consider(item(1, text="the door 12", meaning=alike)).kept
    assert memory.consider(item(2, text="door 13", meaning=alike)).kept
    assert memory.consider(item(3, text="no door", meaning=unit(1.0, 0.3))).kept


def test_a_long_text_has_to_be_more_alike_than_a_short_one():
    memory = WorkingMemory()
    text = "a kitchen " + "with many things and " * 10
    assert memory.consider(item(0, text=text, meaning=unit(1.0, 0.0))).kept
    close = unit(1.0, 0.2)  # cosine 0.981: enough for a short text
    assert memory.consider(item(1, text=text + "a mug", meaning=close)).kept
    assert not memory.consider(item(2, text=text + "too", meaning=unit(1.0, 0.05))).kept


def test_states_appearance_and_lines_of_sight_tell_things_apart():
    memory = WorkingMemory()

    def kept(row, **fields):
        return memory.consider(item(row, sightings=(Sighting("box", **fields),))).kept

    place = {"position": (1.0, 0.0, 0.0)}
    assert kept(0, **place, state={"openness": 0.0})
    assert not kept(1, **place, state={"openness": 0.05})
    assert kept(2, **place, state={"openness": 0.5})
    assert kept(3, **place, embedding=unit(1, 0))
    assert not kept(4, **place, embedding=unit(1, 0.2))
    assert kept(5, **place, embedding=unit(0, 1))
    assert kept(6, bearing=(0.0, 0.0))
    assert not kept(7, bearing=(0.05, 0.0))
    assert kept(8, bearing=(0.2, 0.0))
    assert kept(9)
    assert not kept(10)


def test_a_covariance_explains_more_noise_but_never_a_thing_far_away():
    memory = WorkingMemory()
    loose = tuple((np.eye(3) * 0.1**2).ravel())

    def kept(row, x, covariance):
        sighting = Sighting("box", (x, 0.0, 0.0), covariance=covariance)
        return memory.consider(item(row, sightings=(sighting,))).kept

    assert kept(0, 1.0, loose)
    assert not kept(1, 1.4, loose)
    assert kept(2, 1.4, None)
    assert kept(3, 1.6, tuple((np.eye(3) * 4.0).ravel()))


def test_what_the_caller_knows_to_be_new_is_kept():
    memory = WorkingMemory()
    assert memory.consider(item(0, text="a wall")).kept
    decision = memory.consider(item(1, text="a wall", unseen=True))
    assert (decision.kept, decision.reason) == (True, "unseen")


def test_coming_back_is_told_from_staying():
    memory = WorkingMemory()
    reasons = [
        memory.consider(item(row, at=at, text="a wall")).reason
        for row, at in enumerate([0, 1, 30, 300, 301])
    ]
    assert reasons == ["new", "repeated", "repeated", "returned", "repeated"]


def test_a_path_without_views_keeps_its_shape_and_a_rest_adds_nothing():
    random = np.random.default_rng(0)
    angles = np.linspace(0, 2 * np.pi, 400)
    circle = np.stack([3 * np.cos(angles), 3 * np.sin(angles)], axis=1)
    path = np.concatenate([circle, np.tile(circle[-1], (3600, 1))])
    path = path + random.normal(size=path.shape) * 0.02
    memory = WorkingMemory()
    kept = [
        row for row, (x, y) in enumerate(path) if memory.consider(item(row, x=x, y=y, yaw=0.0)).kept
    ]
    moving = [row for row in kept if row < 400]
    assert len(kept) - len(moving) <= 2
    assert len(moving) < 60
    around = path[[*moving, moving[0]]]
    length = np.linalg.norm(np.diff(around, axis=0), axis=1).sum()
    assert length == pytest.approx(6 * np.pi, rel=0.05)
    assert max(np.linalg.norm(path[moving] - p, axis=1).min() for p in circle) < 0.5


def test_a_path_taken_again_is_not_kept_again():
    memory = WorkingMemory()
    steps = [(0.1 * n, 0.0) for n in range(50)]
    first = [memory.consider(item(row, x=x)) for row, (x, _) in enumerate(steps)]
    again = [
        memory.consider(item(100 + row, at=9000 + row, x=x)) for row, (x, _) in enumerate(steps)
    ]
    assert sum(decision.kept for decision in first) >= 9
    assert not any(decision.kept for decision in again)
    assert "returned" in {decision.reason for decision in again}
    back = [memory.consider(item(200 + row, x=x, yaw=math.pi)) for row, (x, _) in enumerate(steps)]
    assert sum(decision.kept for decision in back) >= 9


def test_turning_on_the_spot_is_kept_and_nothing_without_a_pose():
    memory = WorkingMemory()
    assert memory.consider(item(0, pose=None)).reason == "new"
    assert memory.consider(item(1)).reason == "moved"
    assert memory.consider(item(2, yaw=0.4)).reason == "repeated"
    assert memory.consider(item(3, yaw=0.6)).reason == "moved"
    assert memory.consider(item(4, pose=None)).into == 3
    assert memory.consider(item(5, yaw=0.6, x=0.3)).into == 3


def test_the_sensory_buffer_has_the_last_seconds_kept_or_not():
    memory = WorkingMemory(WorkingRule(sensory_s=5))
    for row in range(20):
        memory.consider(item(row, text="a wall"))
    assert [one.row for one in memory.before_the_robot()] == list(range(14, 20))
    memory.consider(item(20, at=-500, text="a wall"))
    assert [one.row for one in memory.before_the_robot()] == [20]


def test_it_is_bounded_and_what_is_used_stays():
    memory = WorkingMemory(WorkingRule(capacity=16))
    memory.consider(item(0, text="home"))
    for row in range(1, 300):
        text = "home" if row % 3 == 0 else f"view {row}"
        memory.consider(item(row, text=text))
        assert len(memory) <= 16
    assert memory.count(0) == 100


def test_what_was_forgotten_is_new_again():
    memory = WorkingMemory()
    memory.consider(item(0, text="a wall"))
    assert 0 in memory
    memory.forget([0, 77])
    assert 0 not in memory
    assert memory.consider(item(1, pose=None)).kept
    assert memory.consider(item(2, text="a wall")).kept


def test_an_observation_without_a_trusted_pose_is_looked_at_without_it():
    observation = Observation("a", 5, pose=Pose.from_yaw(1, 2), localised=False, text="a wall")
    lost = Item.of(observation, 3, pose=observation.pose)
    assert (lost.pose, lost.row, lost.stamp_ns, lost.text) == (None, 3, 5, "a wall")
    known = Item.of(replace(observation, localised=True), 4, pose=Pose.from_yaw(1, 2))
    assert known.pose == Pose.from_yaw(1, 2)
    assert known.stream == lost.stream
    elsewhere = Item.of(replace(observation, map_id="other"), 5, pose=None)
    assert elsewhere.stream != lost.stream


@st.composite
def observations(draw):
    """Items around few standpoints that show few things, so that many repeat and many nearly."""
    random = np.random.default_rng(draw(st.integers(0, 100_000)))
    items = []
    for row in range(draw(st.integers(1, 60))):
        x, y = random.choice([0.0, 0.15, 0.4, 0.8], size=2)
        pose = Pose.from_yaw(x, y, yaw=float(random.choice([0.0, 0.1, 0.3])))
        things = [
            ("cup", (float(random.choice([1.0, 1.1, 1.4])), float(random.choice([0.0, 0.2])), 0.0))
            for _ in range(random.integers(0, 4))
        ]
        text = random.choice(["a", "b", ""])
        items.append(
            item(
                row,
                pose=None if random.random() < 0.1 else pose,
                text=str(text) or None,
                sightings=seen(pose, things),
                unseen=bool(random.random() < 0.05),
            )
        )
    return items


def repeats(held, new):
    """The definition, pair by pair and over every way of pairing things."""
    if (held.pose is None) != (new.pose is None):
        return False
    if held.pose is not None:
        if np.linalg.norm(np.subtract(held.pose.position, new.pose.position)) > 0.3:
            return False
        turned = held.pose.yaw - new.pose.yaw
        if abs(math.atan2(math.sin(turned), math.cos(turned))) > math.radians(15):
            return False
    if new.text not in (None, held.text) or len(held.sightings) != len(new.sightings):
        return False

    def places(one):
        pose = one.pose or Pose()
        ranges = [0.1 + 0.03 * np.linalg.norm(s.position) for s in one.sightings]
        return [pose.apply(*s.position) for s in one.sightings], ranges

    (first, noise), (second, other_noise) = places(held), places(new)
    return any(
        all(
            np.linalg.norm(np.subtract(first[i], second[j])) <= max(noise[i], other_noise[j])
            for i, j in enumerate(order)
        )
        for order in permutations(range(len(second)))
    )


@settings(max_examples=80)
@given(items=observations())
def test_what_is_kept_is_what_brute_force_over_all_views_would_keep(items):
    memory = WorkingMemory(WorkingRule(sensory_s=0))
    held = []
    for one in items:
        decision = memory.consider(one)
        if not one.shows_something:
            continue
        expected = [other.row for other in held if repeats(other, one)]
        assert decision.kept == (one.unseen or not expected)
        if decision.kept:
            held.append(one)
        else:
            assert decision.into in expected


@settings(max_examples=40)
@given(items=observations(), stop=st.integers(0, 60), capacity=st.sampled_from([4, 1000]))
def test_a_restart_changes_no_decision(items, stop, capacity):
    rule = WorkingRule(capacity=capacity, sensory_s=0, same=SamenessRule())
    memory = WorkingMemory(rule)
    expected = [memory.consider(one) for one in items]
    first = WorkingMemory(rule)
    decisions = [first.consider(one) for one in items[:stop]]
    again = WorkingMemory.restore(
        json.loads(json.dumps(first.state())),
        lambda rows: [one for one in items if one.row in set(rows)],
        rule=rule,
    )
    assert decisions + [again.consider(one) for one in items[stop:]] == expected
