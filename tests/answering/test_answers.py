"""Questions of every kind to a made-up flat whose every thing, place and moment is known."""

from __future__ import annotations

import math

import pytest

from .flat import BACKPACK, MUG_NOW, MUG_THEN, PLANT, ns

SOFA, TV, DESK, KETTLE = (10.0, 0.5, 0.4), (10.0, 3.7, 0.9), (10.0, 11.5, 0.5), (1.6, 3.5, 0.95)
DAY_1, DAY_2 = "2026-03-03T", "2026-03-04T"
FIRST_VIEW, LAST_VIEW = 12, 87  # seconds after the arrival in a room


def at(day: str, seconds: float) -> int:
    return ns(f"{day}09:00:00") + round(seconds * 1e9)


# question, kind, position, moment
WHERE = [
    ("Where is the red mug?", "where", MUG_NOW, at(DAY_2, 360 + LAST_VIEW)),
    ("Where is the mug?", "where", MUG_NOW, at(DAY_2, 360 + LAST_VIEW)),
    ("Where did you last see the red mug?", "where", MUG_NOW, at(DAY_2, 360 + LAST_VIEW)),
    ("Where did you first see the red mug?", "where", MUG_THEN, at(DAY_1, FIRST_VIEW)),
    ("Where was the red mug yesterday?", "where", MUG_THEN, at(DAY_1, LAST_VIEW)),
    ("Where was the mug yesterday morning?", "where", MUG_THEN, at(DAY_1, LAST_VIEW)),
    ("Where was the mug on 3 March at 9:01?", "where", MUG_THEN, at(DAY_1, LAST_VIEW)),
    ("I can't find my mug", "find", MUG_NOW, at(DAY_2, 360 + LAST_VIEW)),
    ("Where is the kettle?", "where", KETTLE, at(DAY_2, LAST_VIEW)),
    ("Where is the couch?", "where", SOFA, at(DAY_2, 180 + LAST_VIEW)),
    ("Where is the television?", "where", TV, at(DAY_2, 180 + LAST_VIEW)),
    ("Any idea where the plant is?", "where", PLANT, at(DAY_1, 180 + LAST_VIEW)),
    ("Where is the chair near the desk?", "where", (10.0, 10.6, 0.5), at(DAY_2, 360 + LAST_VIEW)),
    ("Which room is the laptop in?", "where", (9.6, 11.5, 0.8), at(DAY_2, 360 + LAST_VIEW)),
    ("Find the backpack", "find", BACKPACK, at(DAY_2, 540 + LAST_VIEW)),
    ("Describe the red mug", "describe", MUG_NOW, at(DAY_2, 360 + LAST_VIEW)),
    ("When did you last see the red mug?", "when", MUG_NOW, at(DAY_2, 360 + LAST_VIEW)),
    ("When did you first see the red mug?", "when", MUG_THEN, at(DAY_1, FIRST_VIEW)),
    ("When was the plant last seen?", "when", PLANT, at(DAY_1, 180 + LAST_VIEW)),
    ("When did you see the backpack?", "when", BACKPACK, at(DAY_2, 540 + LAST_VIEW)),
    ("Where are you?", "where_robot", (2.0, 10.0, 0.0), at(DAY_2, 660)),
    ("Where were you yesterday at 9:04?", "where_robot", (10.0, 2.0, 0.0), at(DAY_1, 240)),
    ("Where were you at 9:10?", "where_robot", (2.0, 10.0, 0.0), at(DAY_2, 600)),
    ("Where did you start?", "where_robot", (2.0, 2.0, 0.0), at(DAY_1, 0)),
    ("Where did you start today?", "where_robot", (2.0, 2.0, 0.0), at(DAY_2, 0)),
    ("Where were you when you last saw the plant?", "where_robot", (10.0, 2.0, 0.0), None),
    ("When were you first in the office?", "when", (10.0, 10.0, 0.0), None),
    ("Did you see a woman in a yellow coat?", "ever", (2.0, 2.0, 0.0), at(DAY_1, 60)),
    ("Where are the wooden blocks?", "where", (10.0, 2.0, 0.0), at(DAY_2, 240)),
    ("Who waters the basil?", "what", (2.0, 2.0, 0.0), at(DAY_1, 60)),
]  # fmt: skip


@pytest.mark.parametrize(
    ("question", "kind", "position", "moment"), WHERE, ids=[row[0] for row in WHERE]
)
def test_a_place_and_its_moment_are_told(flat, ask, question, kind, position, moment):
    found = ask(question)
    assert not found.abstained
    assert found.kind == kind
    assert math.dist(found.position, position) <= 0.3
    if moment is not None:
        assert found.stamp_ns == moment
    first = flat.observation(found.evidence[0].observation.id)
    assert first is not None
    assert abs(first.observation.stamp_ns - found.stamp_ns) <= 5 * 10**9


# question, kind, value, unit
VALUES = [
    ("How many chairs are there?", "how_many", 3, "chairs"),
    ("How many chairs are in the kitchen?", "how_many", 2, "chairs"),
    ("How many chairs are in the living room?", "how_many", 0, "chairs"),
    ("Count the beds", "how_many", 1, "beds"),
    ("How many mugs are there?", "how_many", 1, "red mugs"),
    ("How many mugs did you see yesterday?", "how_many", 1, "red mugs"),
    ("How many times did you see the red mug?", "how_many", 2, "times"),
    ("How many times were you in the kitchen?", "how_many", 2, "times"),
    ("How often did you visit the office today?", "how_many", 1, "times"),
    ("How many things are on the desk?", "how_many", 2, "things"),
    ("How far did you drive?", "how_far", 48.0, "m"),
    ("How many metres did you drive yesterday?", "how_far", 24.0, "m"),
    ("How far is the sofa from the tv?", "how_far", math.dist(SOFA, TV), "m"),
    ("What is the distance between the bed and the nightstand?", "how_far", 1.5, "m"),
    ("How far away is the red mug?", "how_far", math.dist(MUG_NOW, (2.0, 10.0, 0.0)), "m"),
    ("How long ago did you see the plant?", "how_long", 96_933.0, "s"),
    ("How long did the tour take yesterday?", "how_long", 660.0, "s"),
    ("How long were you driving?", "how_long", 1_320.0, "s"),
    ("What's your battery level?", "body", 55.0, "%"),
    ("What was your battery level yesterday at 9:04?", "body", 90.0, "%"),
    ("What was the battery yesterday at 9:00?", "body", 95.0, "%"),
    ("What was the temperature yesterday at 9:08?", "body", 40.0, "°C"),
    ("What changed?", "changed", 3, "changes"),
    ("What has changed since yesterday?", "changed", 3, "changes"),
    ("What changed in the office?", "changed", 1, "changes"),
    ("Has the red mug moved?", "changed", 1, "changes"),
    ("Has the sofa been moved?", "changed", 0, "changes"),
    ("Has the red mug been moved during the night?", "changed", 1, "changes"),
    ("Has the sofa been moved overnight?", "changed", 0, "changes"),
    ("Is the red mug still where it was yesterday?", "changed", 1, "changes"),
    ("Is the sofa where you left it yesterday?", "changed", 0, "changes"),
    ("Erm, did the red mug get moved since yesterday, do you know?", "changed", 1, "changes"),
    ("What was relocated overnight?", "changed", 1, "changes"),
    ("Is the mug in the kitchen?", "ever", 0, None),
    ("Is the mug still on the kitchen table?", "ever", 0, None),
    ("Was the mug on the kitchen table yesterday?", "ever", 1, None),
    ("Is the red mug on the desk?", "ever", 1, None),
    ("Is the chair in the kitchen?", "ever", 1, None),
    ("Is the plant in the living room?", "ever", 0, None),
    ("Have you seen a plant?", "ever", 1, None),
    ("Have you been to the bedroom?", "ever", 1, None),
    ("Were you in the kitchen on 3 March?", "ever", 1, None),
]


@pytest.mark.parametrize(
    ("question", "kind", "value", "unit"), VALUES, ids=[row[0] for row in VALUES]
)
def test_a_number_is_told_with_its_unit(ask, question, kind, value, unit):
    found = ask(question)
    assert not found.abstained
    assert (found.kind, found.unit) == (kind, unit)
    assert found.value == pytest.approx(value, abs=0.01)


@pytest.mark.parametrize(
    ("question", "low", "high"),
    [
        ("How long were you in the kitchen yesterday?", 120, 180),
        ("How much time did you spend in the living room today?", 120, 180),
        ("How long were you in the office?", 240, 360),
    ],
)
def test_a_stay_is_as_long_as_the_robot_was_nearer_to_that_room(ask, question, low, high):
    assert low <= ask(question).value <= high


# question, what is named, what is not
NAMED = [
    ("What is in the office?", ["bookshelf", "desk", "laptop", "printer", "red mug"], ["sofa", "bed"]),
    ("What is in the kitchen?", ["2 chairs", "kettle", "stove"], ["red mug", "bed", "sofa"]),
    ("What did you see in the kitchen yesterday?", ["red mug", "kettle"], ["backpack", "sofa"]),
    ("What's on the desk?", ["laptop", "red mug"], ["printer", "office chair"]),
    ("What was on the kitchen table yesterday?", ["red mug"], ["kettle"]),
    ("What is near the sofa?", ["coffee table", "floor lamp"], ["bed", "desk"]),
    ("What is within 1.5 m of (0.5, 11.5)?", ["alarm clock", "nightstand", "bed"], ["wardrobe"]),
    ("What did you see first?", ["refrigerator", "red mug"], ["sofa", "bed", "desk"]),
    ("What was the last thing you saw?", ["bed", "backpack"], ["sofa", "red mug"]),
    ("Which did you see first, the sofa or the bed?", ["The sofa", "bed 6 min later"], []),
    ("Did you see the bed before the sofa?", ["The sofa", "bed 6 min later"], []),
    ("Which did you visit first, the bedroom or the office?", ["The office"], []),
    ("Has anything moved?", ["red mug moved from (2.50, 0.80, 0.80)", "(10.50, 11.50, 0.80)"], []),
    ("Is there anything new in the bedroom?", ["New: a backpack"], ["plant", "mug"]),
    ("What is missing in the living room?", ["No longer where it was: a plant"], ["mug"]),
    ("Describe the house.", ["kitchen", "bedroom", "office", "living room"], ["bathroom"]),
    ("What rooms are there?", ["a kitchen", "a bedroom"], ["bathroom"]),
    ("Tell me about the bedroom", ["bed", "wardrobe", "pillow"], ["sofa", "stove"]),
    ("What happened in the bedroom yesterday?", ["wardrobe"], ["backpack"]),
]  # fmt: skip


@pytest.mark.parametrize(("question", "named", "absent"), NAMED, ids=[row[0] for row in NAMED])
def test_an_answer_names_what_is_there_and_nothing_else(ask, question, named, absent):
    found = ask(question)
    assert not found.abstained
    assert [words for words in named if words not in found.answer] == []
    assert [words for words in absent if words in found.answer] == []


@pytest.mark.parametrize(
    "question",
    [
        "Where are the keys?",
        "Where is the plant today?",
        "Where was the backpack yesterday?",
        "Have you ever seen a fire extinguisher?",
        "How many unicorns are there?",
        "When did you see the elephant?",
        "How long ago did you see the elephant?",
        "How far is the piano from the sofa?",
        "How far away is the piano?",
        "Which did you see first, the piano or the bed?",
        "What is on the coffee table?",
        "What is within 1 m of (50, 50)?",
        "Has the piano moved?",
        "Where were you last week?",
        "When were you in the garage?",
        "How long were you in the bathroom?",
        "Have you ever been upstairs?",
        "What was your battery level last week?",
        "What did you see last week?",
        "Why is the sky blue?",
        "What is your name?",
        "Where is it?",
        "Where were you when you saw the elephant?",
    ],
)
def test_without_evidence_the_memory_abstains(ask, question):
    found = ask(question)
    assert found.abstained
    assert (found.position, found.value, found.evidence) == (None, None, ())


def test_an_abstention_names_what_comes_closest(ask):
    assert "sofa" in ask("Where is the settee bench?").answer
    assert "at another time" in ask("Where is the plant today?").answer


def test_every_piece_of_evidence_is_stored_and_shows_the_thing(flat, ask):
    for question, label in [
        ("Where is the red mug?", "red mug"),
        ("When did you see the chair?", "chair"),
        ("How many chairs are there?", "chair"),
        ("What is in the office?", None),
        ("What changed?", None),
        ("How far is the sofa from the tv?", None),
    ]:
        found = ask(question)
        assert found.evidence
        for item in found.evidence:
            stored = flat.observation(item.observation.id)
            assert stored is not None
            assert item.sighting in stored.observation.sightings
            assert label is None or label in item.sighting.label
            assert 0 <= item.weight <= 1


def test_the_same_words_mean_another_day_in_another_zone(ask):
    now = "2026-03-04T20:00:00"  # already 5 March in Tokyo: yesterday is the second tour
    assert ask("Where was the mug yesterday?", now=now, zone="UTC").position == pytest.approx(
        MUG_THEN, abs=0.3
    )
    assert ask(
        "Where was the mug yesterday?", now=now, zone="Asia/Tokyo"
    ).position == pytest.approx(MUG_NOW, abs=0.3)


def test_moments_are_told_in_the_zone_asked_in(ask):
    assert "at 09:07:27" in ask("Where is the red mug?").answer
    assert "at 18:07:27" in ask("Where is the red mug?", zone="+09:00").answer


def test_now_decides_what_today_is(ask):
    assert "today at" in ask("Where is the red mug?").answer
    assert "yesterday at" in ask("Where is the red mug?", now="2026-03-05T12:00:00").answer
    assert "on 4 March 2026" in ask("Where is the red mug?", now="2026-03-09T12:00:00").answer
