import datetime as dt

import pytest

from memory_core.language.names import put_back, take_names
from memory_core.language.questions import parse_question

KNOWN = ("trash can", "shower head", "fire extinguisher", "lamp", "coffee table", "table")


def understood(text):
    masked, held = take_names(text, KNOWN)
    question = parse_question(masked, now_ns=1_772_528_400_000_000_000, where=dt.timezone.utc)
    return put_back(question, held)


@pytest.mark.parametrize(
    ("text", "thing"),
    [
        ("where is the trash can?", "trash can"),
        ("Where is the Shower Head", "shower head"),
        ("have you seen a fire extinguisher?", "fire extinguisher"),
        ("where is the lamp?", "lamp"),
    ],
)
def test_a_known_name_is_read_as_one_thing(text, thing):
    question = understood(text)
    assert question.things == (thing,)
    assert "qz" not in question.text + question.rest


def test_a_place_named_by_a_known_thing_keeps_its_name():
    question = understood("what is on the coffee table?")
    assert question.place.thing == "coffee table"


def test_a_question_without_known_names_stays_as_it_is():
    text = "where is the red mug?"
    assert take_names(text, KNOWN) == (text, {})
