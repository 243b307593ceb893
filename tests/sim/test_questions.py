"""Questions about generated houses: wordings, ground truth, and what counts as right."""

from __future__ import annotations

import math
import re
from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("pybullet")

from memory_core.errors import InvalidQuery
from memory_core.types import Answer, Observation, Sighting
from memory_sim import evaluation
from memory_sim.questions import household as houses
from memory_sim.questions.generator import GROUP_OF, GROUPS, Question, ask_about
from memory_sim.questions.household import MOVED_M, NS, household, stream
from memory_sim.questions.knowledge import knowledge
from memory_sim.questions.scoring import refused, right
from memory_sim.questions.truth import Expected, Fact, facts
from memory_sim.questions.unanswerable import unanswerable
from memory_sim.questions.wordings import HALVES, load_wordings, plural, sentence

SEED = 4
WORDS = evaluation.vocabulary([load_wordings(half) for half in HALVES])


def looked(lived):
    """A tour without a renderer: every thing of the room the robot is in is seen exactly."""
    for number, visit in enumerate(lived.visits):
        for count, (stamp, pose) in enumerate(lived.poses(number)):
            room = visit.plan.room_at(pose.x, pose.y)
            there = [t for t in lived.things if (s := t.spots[number]) and s.room == room]
            seen = tuple(
                Sighting(t.label, position=pose.inverse().apply(*t.spots[number].centre))
                for t in there
            )
            yield Observation(
                f"{number}-{count}", stamp, source="camera", session=visit.session, pose=pose,
                sightings=seen,
            )  # fmt: skip


@pytest.fixture(scope="module")
def lived():
    return household(SEED)


@pytest.fixture(scope="module")
def known(lived):
    return knowledge(lived, looked(lived))


@pytest.mark.parametrize("kind", sorted(GROUP_OF))
def test_every_kind_has_eight_wordings_and_no_half_shares_one(kind):
    tuning, reporting = (load_wordings(half).kinds[kind] for half in HALVES)
    assert not set(tuning) & set(reporting)
    assert len(tuning) + len(reporting) >= 8
    assert min(len(tuning), len(reporting)) >= 4


def test_both_halves_know_the_same_kinds_and_needs_and_share_no_absent_thing():
    tuning, reporting = (load_wordings(half) for half in HALVES)
    assert tuning.kinds.keys() == reporting.kinds.keys() == GROUP_OF.keys()
    assert tuning.needs.keys() == reporting.needs.keys()
    assert not set(tuning.absent_things) & set(reporting.absent_things)
    for need in tuning.needs:
        assert not set(tuning.needs[need]) & set(reporting.needs[need])


def test_an_unknown_half_is_refused():
    with pytest.raises(InvalidQuery, match="tuning, reporting"):
        load_wordings("all")


@pytest.mark.parametrize(
    ("template", "slots", "text"),
    [
        ("is there a {thing} in the {room}", {"thing": "alarm clock", "room": "office"},
         "Is there an alarm clock in the office?"),
        ("take me to the {thing}", {"thing": "bed"}, "Take me to the bed."),
        ("I can't find the {thing}, where is it", {"thing": "bed"},
         "I can't find the bed, where is it?"),
    ],
)  # fmt: skip
def test_a_template_becomes_a_sentence(template, slots, text):
    assert sentence(template, slots) == text


def test_several_of_a_thing():
    assert [plural(x) for x in ("chair", "bookshelf", "cardboard box")] == [
        "chairs", "bookshelves", "cardboard boxes",
    ]  # fmt: skip


def test_the_same_seed_gives_the_same_house_and_another_seed_another(lived):
    assert household(SEED) == lived
    assert household(SEED + 1).things != lived.things


@pytest.mark.parametrize("seed", range(6))
def test_people_move_take_and_bring_things_and_leave_the_rest(seed):
    lived = household(seed)
    apart = {
        t.number: math.dist(t.spots[0].centre, t.spots[1].centre)
        for t in lived.things
        if None not in t.spots
    }
    assert sum(t.spots[1] is None for t in lived.things) == 2
    assert 1 <= sum(t.spots[0] is None for t in lived.things) <= 2
    assert sum(m > 0.1 for m in apart.values()) >= 2
    assert all(m <= 0.1 or m >= MOVED_M - 0.2 for m in apart.values())
    labels = [t.label for t in lived.things if t.spots[0] is not None]
    assert any(2 <= labels.count(kind.label) <= 5 for kind in houses.COPIED)
    assert lived.visits[1].start_ns - lived.visits[0].end_ns > 20 * 3_600 * NS


def test_a_thing_stands_on_what_is_under_it(lived):
    by_number = {t.number: t for t in lived.things}
    for thing in lived.things:
        for visit, spot in enumerate(thing.spots):
            if spot is not None and spot.on is not None:
                under = by_number[spot.on].spots[visit]
                assert under.room == spot.room
                assert spot.centre[2] > under.centre[2]
                assert math.dist(spot.centre[:2], under.centre[:2]) < 1.1


def test_one_sighting_is_not_knowledge(lived):
    every = list(looked(lived))
    target = next(t for t in lived.things if t.spots[0] is not None)
    seen = [o for o in every if any(s.label == target.label for s in o.sightings)]
    assert not knowledge(lived, seen[:1]).known(target, 0)
    assert knowledge(lived, every).known(target, 0)


def test_a_sighting_far_from_a_thing_is_not_of_it(lived):
    every = [
        replace(o, pose=replace(o.pose, x=o.pose.x + 50.0)) for o in looked(lived)
    ]  # fmt: skip
    shifted = knowledge(lived, every)
    assert not any(shifted.known(t, v) for t in lived.things for v in (0, 1))


def test_two_hop_answers_stand_in_the_anchors_room(lived, known):
    where = {t.label: t.spots[1] for t in lived.things if t.spots[1] is not None}
    found = facts(known)["two_hop_where"]
    assert found
    for fact in found:
        room = where[fact.slots["anchor"]].room
        here = {
            t.spots[1].centre for t in lived.things
            if t.label == fact.slots["thing"] and t.spots[1] and t.spots[1].room == room
        }  # fmt: skip
        assert set(fact.expected.places) == here


def test_the_nearest_is_the_nearest_by_brute_force():
    for seed in (1, SEED):
        lived = household(seed)
        found = facts(knowledge(lived, looked(lived)))["nearest"]
        for fact in found:
            inside = [
                t for t in lived.things if t.spots[1] and t.spots[1].room == fact.slots["room"]
            ]
            anchor = next(t.spots[1] for t in inside if t.label == fact.slots["anchor"])
            alike = [t.spots[1].centre for t in inside if t.label == fact.slots["thing"]]
            flat = np.array(alike)[:, :2] - np.array(anchor.centre)[:2]
            assert fact.expected.places == (alike[int(np.hypot(*flat.T).argmin())],)


def test_order_follows_the_stream(lived, known):
    first: dict[str, int] = {}
    for item in looked(lived):
        for sighting in item.sightings:
            first.setdefault(sighting.label, item.stamp_ns)
    for fact in facts(known)["order_before"]:
        earlier = first[fact.slots["first"]] < first[fact.slots["second"]]
        assert fact.expected.truth is earlier


def test_changes_are_what_people_did(lived, known):
    found = facts(known)
    gone = {t.label for t in lived.things if t.spots[1] is None}
    new = {t.label for t in lived.things if t.spots[0] is None}
    assert found["gone_things"][0].expected.required <= gone
    assert found["new_things"][0].expected.required <= new
    for fact in found["still_there"]:
        assert fact.expected.truth is (fact.slots["thing"] not in gone)
    for fact in found["moved_from"]:
        thing = next(t for t in lived.things if t.label == fact.slots["thing"])
        assert fact.expected.places == (thing.spots[0].centre,)
        assert fact.expected.others == (thing.spots[1].centre,)


def test_what_was_never_seen_is_in_no_house(lived, known):
    labels, rooms = {t.label for t in lived.things}, set(lived.rooms)
    for half in HALVES:
        words = load_wordings(half)
        assert not set(words.absent_things) & labels
        assert not set(words.absent_rooms) & rooms
        for kind, items in unanswerable(known, words).items():
            assert kind in GROUP_OF
            assert all(item.expected.check == "refusal" for item in items)


def test_no_slot_is_left_open_and_both_halves_ask_about_the_same(known):
    asked = [ask_about(known, load_wordings(half), seed=SEED) for half in HALVES]
    for questions in asked:
        assert len(questions) >= 25
        assert not any(re.search("[{}]", q.text) for q in questions)
        groups = [q.group for q in questions]
        assert all(groups.count(g) >= 5 for g in ("two-hop", "order", "change"))
        assert sum(not q.answerable for q in questions) >= 10
    about = [[(q.kind, q.fact) for q in questions if q.answerable] for questions in asked]
    assert about[0] == about[1]


def oracle(question):
    """What a memory that knows the truth would say."""
    e, kind = question.fact.expected, question.kind
    if e.check == "refusal":
        return Answer("I have no memory of that.", kind, abstained=True)
    if e.check == "place":
        return Answer("It is there.", kind, position=e.places[0])
    if e.check == "yes or no":
        return Answer("Yes." if e.truth is not question.reversed else "No.", kind)
    if e.check == "number":
        return Answer("So many.", kind, value=e.number / 60 if e.tolerance else e.number,
                      unit="min" if e.tolerance else None)  # fmt: skip
    if e.check == "moment":
        return Answer("Then.", kind, stamp_ns=(e.low_ns + e.high_ns) // 2)
    return Answer(f"First {', then '.join(e.order or sorted(e.required))}.", kind)


def test_the_truth_is_right_and_nothing_is_wrong_about_it(known):
    for half in HALVES:
        for question in ask_about(known, load_wordings(half), seed=SEED):
            told = oracle(question)
            assert right(told, question, vocabulary=WORDS), (question, told)
            assert refused(told, question) is not question.answerable


def test_a_memory_that_says_nothing_refuses_all_and_is_right_about_none(known):
    mute = Answer("I do not know.", "unknown", abstained=True)
    for question in ask_about(known, load_wordings("tuning"), seed=SEED):
        expected_no = question.kind == "in_room" and question.fact.expected.truth is False
        assert right(mute, question, vocabulary=WORDS) is (not question.answerable or expected_no)


def posed(kind, text, expected, *, reversed=False, **slots):
    return Question(text, kind, "tuning", "", reversed, Fact(kind, slots, expected), 1_000 * NS)


NAMES = frozenset({"kettle", "stove"})


@pytest.mark.parametrize(
    ("expected", "answer", "is_right"),
    [
        (Expected("place", places=((0, 0, 0),)), Answer("", "", position=(0.9, 0, 0)), True),
        (Expected("place", places=((0, 0, 0),)), Answer("", "", position=(1.1, 0, 0)), False),
        (Expected("place", places=((0, 0, 0),), others=((1, 0, 0),)),
         Answer("", "", position=(0.8, 0, 0)), False),
        (Expected("exactly", required=NAMES), Answer("A kettle and 2 stoves.", ""), True),
        (Expected("exactly", required=NAMES), Answer("A kettle.", ""), False),
        (Expected("exactly", required=NAMES), Answer("A kettle, a stove, a sofa.", ""), False),
        (Expected("exactly", required=NAMES, allowed=frozenset({"sofa"})),
         Answer("A kettle, a stove, a sofa.", ""), True),
        (Expected("exactly", required=NAMES), Answer("A kettle on the desk; a stove.", ""), True),
        (Expected("one of", required=NAMES), Answer("It is on the stove, near the tv.", ""), True),
        (Expected("one of", required=NAMES), Answer("The tv, a sofa, the kettle.", ""), False),
        (Expected("order", order=("kitchen",)), Answer("In the kitchen, by the desk.", ""), True),
        (Expected("order", order=("kitchen",)), Answer("By the kitchen table in the office.", ""), False),
        (Expected("order", order=("office", "kitchen")), Answer("Office, hallway, kitchen.", ""), True),
        (Expected("order", order=("office", "kitchen")), Answer("Kitchen, office.", ""), False),
        (Expected("number", number=90.0, tolerance=20.0), Answer("", "", value=1.5, unit="min"), True),
        (Expected("number", number=3), Answer("", "", value=4), False),
        (Expected("moment", low_ns=900 * NS, high_ns=950 * NS), Answer("", "", value=80.0, unit="s"), True),
        (Expected("moment", low_ns=900 * NS, high_ns=950 * NS), Answer("", "", stamp_ns=NS), False),
        (Expected("refusal"), Answer("The piano is here.", "", position=(0, 0, 0)), False),
        (Expected("refusal", or_unmoved=True), Answer("The bed did not move.", ""), True),
        (Expected("refusal"), Answer("The bed did not move.", ""), False),
    ],
)  # fmt: skip
def test_what_counts_as_right(expected, answer, is_right):
    assert right(answer, posed("where", "?", expected), vocabulary=WORDS) is is_right


@pytest.mark.parametrize(
    ("text", "reversed", "says"),
    [
        ("Yes, it moved.", False, True),
        ("Yes, it is where it was.", True, False),
        ("No.", True, True),
        ("The bed moved from (0, 0) to (1, 1).", False, True),
        ("The bed has not moved.", True, False),
        ("The bed is still in the bedroom.", False, False),
    ],
)
def test_whether_an_answer_says_that_a_thing_moved(text, reversed, says):
    for truth in (True, False):
        question = posed("moved", "?", Expected("yes or no", truth=truth, about="moved"),
                         reversed=reversed, thing="bed")  # fmt: skip
        assert right(Answer(text, ""), question, vocabulary=WORDS) is (truth is says)


def test_the_questions_own_names_do_not_count():
    expected = Expected("one of", required=NAMES)
    question = posed("next_to", "What is next to the kettle?", expected)
    assert not right(Answer("The kettle is next to the sofa.", ""), question, vocabulary=WORDS)


@pytest.fixture(scope="module")
def small_pictures():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(houses, "WIDTH", 80)
        patch.setattr(houses, "HEIGHT", 45)
        yield


def test_a_recorded_tour_is_read_back_exactly_and_holds_no_truth(lived, small_pictures, tmp_path):
    first = stream(lived, cache=tmp_path)
    assert len(list(tmp_path.glob("*.jsonl"))) == 1
    assert stream(lived, cache=tmp_path) == first
    assert {o.session for o in first} == set(houses.SESSIONS)
    centres = {s.centre for t in lived.things for s in t.spots if s is not None}
    for item in first:
        assert item.keyframe is None
        assert set(item.extra) <= {"body", "view"}
        assert not any(item.pose.apply(*s.position) in centres for s in item.sightings)
    seen = knowledge(lived, first)
    assert sum(seen.known(t, 0) for t in lived.things) >= 5


def test_an_evaluation_counts_what_is_right_and_what_is_refused(lived, monkeypatch):
    monkeypatch.setattr(evaluation, "stream", lambda house, *, cache: list(looked(house)))
    few = {group: dict.fromkeys(kinds, 0) for group, kinds in GROUPS.items()}
    few["where"]["where"] = 1
    monkeypatch.setattr("memory_sim.questions.generator.GROUPS", few)
    monkeypatch.setattr("memory_sim.questions.generator.UNANSWERABLE", 2)
    report, rows = evaluation.evaluate_questions(1, first_seed=SEED, encoder=None)
    assert report["n"] == len(rows) == 6
    for half in HALVES:
        mine = [row for row in rows if row["half"] == half]
        told = report[half]
        assert told["n_answerable"] == 1 and told["n_unanswerable"] == 2
        assert told["right"] == sum(row["right"] for row in mine if row["answerable"])
        assert told["refused"] == sum(row["right"] for row in mine if not row["answerable"]) / 2


def test_no_houses_and_no_workers_are_refused():
    with pytest.raises(InvalidQuery):
        evaluation.evaluate_questions(0)
    with pytest.raises(InvalidQuery):
        evaluation.evaluate_questions(1, workers=0)
