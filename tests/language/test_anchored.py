"""Half-understood questions are put anew about the one known thing they name, or left alone."""

from __future__ import annotations

import datetime as dt

import pytest

from memory_core.language.anchored import anchored
from memory_core.language.names import take_names
from memory_core.language.questions import parse_question

NOW_NS = 1_772_528_400 * 10**9
LABELS = (
    "red mug",
    "pink notebook",
    "mug",
    "sofa",
    "candle",
    "headphone case",
    "kitchen table",
    "table",
)


def put_anew(text):
    masked, held = take_names(text, LABELS)
    question = parse_question(masked, now_ns=NOW_NS, where=dt.UTC)
    again = anchored(masked, question, LABELS, held)
    for noun, name in held.items():
        again = again and again.replace(noun, name)
    return again


@pytest.mark.parametrize(
    ("asked", "again"),
    [
        ("Mummy wants the pink notebook, where is it?", "where is the pink notebook?"),
        ("Erm, did the red mug get moved since yesterday, do you know?", "has the red mug been moved?"),
        ("Red mug moved since yesterday, yes or no?", "has the red mug been moved?"),
        ("Could you say where the red mug landed after the move?", "where was the red mug moved to?"),
        ("Which cupboard, table or shelf is our candle on or in?", "what is the candle on?"),
        ("Candle moved since yesterday?", "has the candle been moved?"),
        ("Did the red mug go anywhere since yesterday?", "has the red mug been moved?"),
        ("Hey robot, what room is my red mug hiding in?", "which room is the red mug in?"),
    ],
)  # fmt: skip
def test_what_is_known_is_asked_for(asked, again):
    assert put_anew(asked) == again


@pytest.mark.parametrize(
    "asked",
    [
        "Where is the red mug?",
        "Has the red mug been moved?",
        "What is the red mug on?",
        "Where is the blue mug that you saw?",
        "Where is the unicorn that I rode yesterday?",
        "Is the red mug or the pink notebook what you saw first, do you know?",
        "Is the red mug handle in the kitchen?",
        "Is the soda can on the kitchen table?",
        "Which table is nearest to the sofa?",
        "Which table stands on the rug, and which one does not?",
        "Where is the watering can next to the sofa?",
        "Is the coffee I made on the kitchen table?",
        "Have you seen the parcel which was left on the sofa?",
    ],
)
def test_what_is_understood_or_unknown_or_names_several_is_left_alone(asked):
    assert put_anew(asked) is None
