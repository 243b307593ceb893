"""Sentences that send a robot somewhere, taken apart."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memory_core.language.directions import TOP, parse, take_floor
from memory_core.language.rooms import NAMES

# sentence, target, room, floor, first landmark
SENTENCES = [
    ("Go to the kitchen and bring me the red mug", "red mug", "kitchen", None, None),
    ("Bring me the candle from the dining table", "candle", None, None, "dining table"),
    ("Walk into the bedroom on the second floor and switch off the lamp by the window",
     "lamp", "bedroom", 2, "window"),
    ("Please fetch the towel next to the bathtub in the bathroom", "towel", "bathroom", None,
     "bathtub"),
    ("Head upstairs to the office and open the window above the desk", "window", "office", TOP,
     "desk"),
    ("Go to the lounge on level 1 and pick up the pillow from the couch", "pillow", "lounge", 1,
     "couch"),
    ("the lamp on the nightstand", "lamp", None, None, "nightstand"),
    ("find the kettle", "kettle", None, None, None),
    ("Enter the laundry room and empty the basket beside the washing machine", "basket",
     "laundry room", None, "washer"),
    ("Go past the kitchen to the living room, then turn on the television", "television",
     "living room", None, None),
    ("Check the picture above the fireplace on the ground floor", "picture", None, 1, "fireplace"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("sentence", "target", "room", "floor", "landmark"), SENTENCES, ids=[s[0] for s in SENTENCES]
)
def test_a_sentence_is_taken_apart(sentence, target, room, floor, landmark):
    found = parse(sentence)
    assert found.target == target
    assert (NAMES[found.room] if found.room is not None else None) == room
    assert found.floor == floor
    assert (found.landmarks[0] if found.landmarks else None) == landmark


def test_a_room_one_only_passes_is_another_room():
    found = parse("Go past the kitchen to the bedroom and close the door")
    assert NAMES[found.room] == "bedroom"
    assert [NAMES[kind] for kind in found.other_rooms] == ["kitchen"]


@pytest.mark.parametrize(
    ("text", "floor", "rest"),
    [
        ("the mug on the first floor", 1, "the mug"),
        ("the mug on level 3", 3, "the mug"),
        ("the lamp downstairs", 1, "the lamp"),
        ("the lamp on the top floor", TOP, "the lamp"),
        ("the floor lamp", None, "the floor lamp"),
    ],
)
def test_a_floor_is_taken_from_a_phrase(text, floor, rest):
    found, left = take_floor(text)
    assert (found, left.strip()) == (floor, rest)


@given(text=st.text(max_size=200))
@settings(max_examples=200, deadline=None)
def test_any_text_is_taken_apart(text):
    assert parse(text).text == text
