"""Questions that need more than one thing: rooms, visits, moves, needs, and what nobody sees."""

from __future__ import annotations

import math

import pytest

from memory_core.answering.rooms import rooms_of

from .flat import MUG_NOW, MUG_THEN


def test_the_rooms_of_the_flat_are_found(flat):
    rooms = rooms_of(flat.scene(), flat.text_encoder.encode)
    assert sorted(room.kind for room in rooms) == ["bedroom", "kitchen", "living room", "office"]


@pytest.mark.parametrize(
    ("question", "position"),
    [
        ("Where was the red mug on your first visit?", MUG_THEN),
        ("Where was the red mug before it was moved?", MUG_THEN),
        ("Where has the red mug been moved to?", MUG_NOW),
        ("Where was the mug when you came most recently?", MUG_NOW),
        ("Where is the mug in the room with the printer?", MUG_NOW),
    ],
)
def test_a_thing_that_moved_is_told_at_the_time_meant(ask, question, position):
    found = ask(question)
    assert not found.abstained
    assert math.dist(found.position, position) <= 0.3


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("In which order did you go through the rooms?",
         "First the kitchen, then the living room, then the office, then the bedroom."),
        ("Which room did you enter after the living room?", "office"),
        ("Which room came first?", "The kitchen."),
        ("Where could I take a nap?", "The bed"),
        ("Is the plant still there?", "gone"),
        ("Has the sofa been moved?", "has not moved"),
        ("What are things like in the room with the bed: what else is there?", "wardrobe"),
        ("Did you see the sofa before the bed?", "Yes."),
    ],
)  # fmt: skip
def test_the_answer_says_what_is_asked(ask, question, words):
    found = ask(question)
    assert not found.abstained
    assert words in found.answer


@pytest.mark.parametrize(
    ("question", "value"),
    [("How many rooms are there?", 4), ("How often were you in the house?", 2),
     ("How much time passed between the sofa and the bed on your first visit?", 360)],
)  # fmt: skip
def test_rooms_visits_and_times_between_are_counted(ask, question, value):
    assert ask(question).value == pytest.approx(value)


@pytest.mark.parametrize(
    "question",
    [
        "Where was the mug a year before your first visit?",
        "What is in the sauna?",
        "Describe the chapel.",
        "What did the sofa cost?",
        "Where can I go for a swim?",
        "Where is the sofa in the office?",
        "What is on the third floor?",
    ],
)
def test_what_the_memory_cannot_hold_is_refused(ask, question):
    assert ask(question).abstained
