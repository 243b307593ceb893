"""Ways of asking that no table of templates holds: what is wanted is read from the structure."""

from __future__ import annotations

import pytest

from memory_core.language import times
from memory_core.language.questions import Question, parse_question
from memory_core.language.visits import Visit, take_visit

UTC = times.zone("UTC")
NOW_NS = times.parse_moment("2026-03-04T10:00", UTC)


def parsed(text: str) -> Question:
    return parse_question(text, now_ns=NOW_NS, where=UTC)


# question, kind, aspect, things
ASKED = [
    ("Which chamber houses the globe?", "where", "room", "globe"),
    ("Tell me the room that the red mug is in", "where", "room", "red mug"),
    ("Whereabouts would I come across the kettle?", "where", "", "kettle"),
    ("Of the lamp and the sofa, what did you notice first?", "which_first", "", "lamp|sofa"),
    ("Had you spotted the lamp before you got to the sofa?", "which_first", "before", "lamp|sofa"),
    ("Before the sofa, had you already seen the lamp?", "which_first", "before", "lamp|sofa"),
    ("Did you run into the lamp after the sofa?", "which_first", "after", "lamp|sofa"),
    ("What followed the lamp?", "order", "after", "lamp"),
    ("What came just ahead of the lamp?", "order", "before", "lamp"),
    ("From the kitchen, which room did you go to next?", "order", "next room", ""),
    ("In which sequence did you go through the rooms?", "rooms", "order", ""),
    ("Where was the vase at first, before somebody moved it?", "where", "moved from", "vase"),
    ("To which spot was the vase moved?", "where", "moved to", "vase"),
    ("When did somebody move the vase?", "when", "moved", "vase"),
    ("Was the vase relocated?", "changed", "whether moved", "vase"),
    ("Which objects are no longer there?", "changed", "gone", ""),
    ("Which items are newcomers?", "changed", "new", ""),
    ("Which items have been shifted?", "changed", "moved", ""),
    ("Is the vase still around?", "ever", "still", "vase"),
    ("On what does the vase rest?", "what", "support", "vase"),
    ("What is alongside the vase?", "what", "neighbour", ""),
    ("How many rooms did you count?", "rooms", "count", ""),
    ("How many visits have you made?", "rooms", "visits", ""),
    ("What price was paid for the vase?", "property", "", "vase"),
    ("To whom does the vase belong?", "property", "", "vase"),
    ("Where could I lie down for an hour?", "need", "", "lie down for an hour"),
    ("How much time passed between the lamp and the sofa?", "how_long", "between", "lamp|sofa"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "kind", "aspect", "things"), ASKED, ids=[r[0] for r in ASKED])
def test_what_is_wanted_is_read_from_the_structure(text, kind, aspect, things):
    question = parsed(text)
    assert (question.kind, question.aspect) == (kind, aspect)
    assert "|".join(question.things) == things


@pytest.mark.parametrize(
    ("text", "things", "thing", "relation", "beside"),
    [
        ("where is the lamp in the room with the piano", "lamp", None, "near", "piano"),
        ("what is on the desk that shares a room with the piano", "", "desk", "on", "piano"),
        ("where is the chair farthest from the door", "chair", "door", "farthest", None),
        ("which chair is closest to the window", "chair", "window", "near", None),
    ],
)
def test_a_place_may_be_named_by_what_else_is_there(text, things, thing, relation, beside):
    question = parsed(text)
    assert "|".join(question.things) == things
    place = question.place
    assert (place.thing, place.relation, place.beside) == (thing, relation, beside)


def test_a_place_may_be_beside_whatever_is_on_something():
    place = parsed("What is next to the thing on the desk?").place
    assert (place.thing, place.upon) == ("", "desk")


@pytest.mark.parametrize(
    ("text", "visit", "rest"),
    [
        ("where was the mug on your first visit", Visit("first"), "where was the mug"),
        ("what moved since your last visit", Visit("last", since=True), "what moved"),
        ("where was the mug long before you first came here", Visit("before"), "where was the mug"),
        ("when was the last time you were in the kitchen", None, None),
        ("where is the mug", None, None),
    ],
)
def test_visits_are_understood_and_taken_out(text, visit, rest):
    assert take_visit(text) == (visit, text if rest is None else rest)
