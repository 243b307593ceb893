"""Where things are kept: general knowledge for what was never seen."""

from __future__ import annotations

import numpy as np
import pytest

from memory_core.language.belongings import BELONGINGS, kept_in, kept_on, sorts_of
from memory_core.perception.text import SentenceEncoder

ROOMS = ["kitchen", "bathroom", "bedroom", "office", "living room", "children's room", "workshop"]
FURNITURE = [
    "refrigerator",
    "washbasin",
    "wardrobe",
    "desk",
    "tv stand",
    "toy chest",
    "tool cabinet",
]


@pytest.fixture(scope="module")
def encode():
    return SentenceEncoder().encode


def best_of(found, names):
    return names[int(np.argmax(found))]


@pytest.mark.parametrize(
    ("thing", "room", "piece"),
    [
        ("lemon", "kitchen", "refrigerator"),
        ("blue toothbrush", "bathroom", "washbasin"),
        ("stapler", "office", "desk"),
        ("game controller", "living room", "tv stand"),
        ("red toy car", "children's room", "toy chest"),
        ("screwdriver", "workshop", "tool cabinet"),
    ],
)
def test_things_are_kept_where_they_belong_by_spelling_alone(thing, room, piece):
    sorts = sorts_of(thing, None)
    assert best_of(kept_in(sorts, ROOMS), ROOMS) == room
    assert best_of(kept_on(sorts, FURNITURE), FURNITURE) == piece


@pytest.mark.parametrize(
    ("thing", "room"),
    [("cauliflower", "kitchen"), ("garlic", "kitchen"), ("dental floss", "bathroom"),
     ("webcam", "office"), ("hoodie", "bedroom"), ("plush bunny", "children's room")],
)  # fmt: skip
def test_the_encoder_generalises_the_examples(encode, thing, room):
    assert best_of(kept_in(sorts_of(thing, encode), ROOMS), ROOMS) == room


def test_what_is_like_nothing_may_be_anywhere():
    sorts = sorts_of("flux capacitor", None)
    assert sorts.sum() == pytest.approx(0.0, abs=1e-6)
    assert np.ptp(kept_in(sorts, ROOMS)) == pytest.approx(0.0, abs=1e-6)
    assert np.ptp(kept_on(sorts, FURNITURE)) == pytest.approx(0.0, abs=1e-6)


def test_an_unknown_room_is_between_the_right_and_a_wrong_one():
    right, wrong, unknown = kept_in(sorts_of("lemon", None), ["kitchen", "bedroom", ""])
    assert wrong < unknown < right


def test_shares_add_up_to_one_at_most():
    for sort in BELONGINGS:
        sorts = sorts_of(sort.examples[0], None)
        assert 0.9 < sorts.sum() <= 1.0
        assert sorts[BELONGINGS.index(sort)] == pytest.approx(sorts.max())
