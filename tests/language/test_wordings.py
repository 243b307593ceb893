"""The same question as very different people put it, and names that look like other words."""

from __future__ import annotations

import time

import pytest

from memory_core.language import times
from memory_core.language.phrases import skeleton
from memory_core.language.questions import Question, parse_question
from memory_core.language.rooms import bears
from memory_core.language.visits import Visit, take_visit, without_mention

UTC = times.zone("UTC")
NOW_NS = times.parse_moment("2026-03-04T10:00", UTC)


def parsed(text: str) -> Question:
    return parse_question(text, now_ns=NOW_NS, where=UTC)


# question, kind, aspect, things, room, order
ASKED = [
    ("Where on earth is the vase?", "where", "", "vase", None, None),
    ("Vase location.", "find", "", "vase", None, None),
    ("Where abouts would I find the vase?", "where", "", "vase", None, None),
    ("Give me directions to the vase.", "find", "", "vase", None, None),
    ("In what part of the kitchen is the vase?", "where", "", "vase", "kitchen", None),
    ("Remind me in which room the vase is.", "where", "room", "vase", None, None),
    ("Where, I mean in which room, is the vase?", "where", "room", "vase", None, None),
    ("Which place did the vase leave when it was moved?", "where", "moved from", "vase", None, None),
    ("What spot did the vase occupy before it was moved?", "where", "moved from", "vase", None, None),
    ("Remind me where the vase used to be.", "where", "moved from", "vase", None, None),
    ("When did your cameras first pick up the vase?", "when", "", "vase", None, "first"),
    ("When did the vase first catch your eye?", "when", "", "vase", None, "first"),
    ("Time of the first sighting of the vase.", "when", "", "vase", None, "first"),
    ("How long ago did you first see the vase?", "how_long", "", "vase", None, "first"),
    ("How many bookshelves are to be found in the office?", "how_many", "", "bookshelves", "office", None),
    ("How numerous are the chairs in the office?", "how_many", "", "chairs", "office", None),
    ("How would you describe the kitchen?", "describe", "", "", "kitchen", None),
    ("Paint me a picture of the kitchen.", "describe", "", "", "kitchen", None),
    ("When you were finished with the kitchen, which room did you go to?", "order", "next room", "", "kitchen", None),
    ("What happened in the kitchen between your visits?", "changed", "", "", "kitchen", None),
    ("What is new, gone or moved in the kitchen?", "changed", "", "", "kitchen", None),
    ("For how long did you inspect the kitchen?", "how_long", "", "", "kitchen", None),
    ("What does the desk in the office hold?", "what", "", "", "office", None),
    ("How long will the vase last?", "property", "", "vase", None, None),
    ("What can be heard in the kitchen?", "property", "", "", "kitchen", None),
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "kind", "aspect", "things", "room", "order"), ASKED, ids=[r[0] for r in ASKED]
)
def test_a_question_is_understood_however_it_is_put(text, kind, aspect, things, room, order):
    question = parsed(text)
    assert (question.kind, question.aspect) == (kind, aspect)
    assert "|".join(question.things) == things
    assert question.time.order == order
    if kind != "property":
        assert question.place.called == room


@pytest.mark.parametrize(
    ("text", "relation"),
    [
        ("which lamp in the office is at the far end from the desk", "farthest"),
        ("locate the lamp in the office that is least close to the desk", "farthest"),
        ("standing at the desk in the office, where is the most distant lamp", "farthest"),
        ("measured from the desk in the office, which lamp is the farthest", "farthest"),
        ("there are several lamps in the office; where is the one farthest from the desk", "farthest"),
        ("from the desk in the office, where's the closest lamp", "near"),
        ("which lamp in the office is nearest the desk", "near"),
    ],
)  # fmt: skip
def test_of_several_things_one_is_meant_by_its_distance(text, relation):
    question = parsed(text)
    assert question.things in (("lamp",), ("lamps",))
    place = question.place
    assert (place.thing, place.relation, place.called) == ("desk", relation, "office")


@pytest.mark.parametrize(
    ("said", "which"),
    [
        ("on your maiden visit", "first"),
        ("the day you first arrived", "first"),
        ("in the course of your first visit", "first"),
        ("during the first of your two tours", "first"),
        ("when you toured the house the first time", "first"),
        ("the first time you saw the house", "first"),
        ("when you made your first round", "first"),
        ("on day one", "first"),
        ("last time round", "last"),
        ("when you were here last time", "last"),
        ("on the later of your two visits", "last"),
        ("at the time of your latest visit", "last"),
        ("when you did your last round", "last"),
        ("a fortnight before your first visit", "before"),
        ("in the week leading up to your first visit", "before"),
        ("when you had not been here yet", "before"),
        ("when the house was built", "before"),
        ("before your second visit", "previous"),
    ],
)
@pytest.mark.parametrize(
    "asked", ["which room was the vase in", "how long were you in the kitchen"]
)
def test_a_visit_is_found_wherever_it_stands_and_nothing_else_is_taken(said, which, asked):
    assert take_visit(f"{asked} {said}") == (Visit(which), asked)
    assert take_visit(f"{said}, {asked}") == (Visit(which), asked)


@pytest.mark.parametrize(
    "text",
    [
        "tell me when you last came across the vase",
        "when was the first time you saw the vase",
        "how long did your first visit to the kitchen take",
        "where were you when you last saw the vase",
    ],
)
def test_what_names_a_thing_or_a_room_is_no_visit(text):
    assert take_visit(text) == (None, text)


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("where was the vase during your visit of", "where was the vase"),
        ("where was the vase when you were here", "where was the vase"),
        ("when you came by, where was the vase", "where was the vase"),
        ("how long was your visit to the kitchen", "how long was your visit to the kitchen"),
    ],
)
def test_a_visit_that_only_repeats_the_date_is_dropped(text, rest):
    assert without_mention(text) == rest


@pytest.mark.parametrize(
    ("text", "begins", "ends"),
    [
        ("where was the vase in the course of Tuesday", "2026-03-03", "2026-03-03"),
        ("where was the vase this past Tuesday", "2026-03-03", "2026-03-03"),
        ("where was the vase during Tuesday's visit", "2026-03-03", "2026-03-03"),
        ("where was the vase on the third of March", "2026-03-03", "2026-03-03"),
        ("where was the vase during your visit of 3 March", "2026-03-03", "2026-03-03"),
        ("where was the vase in early 2021", "2021-01-01", "2021-04-30"),
        ("where was the vase in the winter of 2021", "2021-12-01", "2022-02-28"),
        ("where was the vase in the middle of 2021", "2021-05-01", "2021-08-31"),
        ("where was the vase as early as 2021", "2021-01-01", "2021-12-31"),
        ("where was the vase in the 1990s", "1990-01-01", "1999-12-31"),
        ("where was the vase back in the nineties", "1990-01-01", "1999-12-31"),
        ("where was the vase many years ago", "1970-01-01", "2024-03-04"),
        ("where was the vase decades ago", "1970-01-01", "2006-03-09"),
    ],
)
def test_a_stretch_of_the_calendar_is_understood_and_taken_out(text, begins, ends):
    question = parsed(text)
    assert question.rest == "where was the vase"
    span = question.time.span
    assert span is not None
    found = [times.from_ns(stamp, UTC).date().isoformat() for stamp in (span.start_ns, span.end_ns)]
    assert found == [begins, ends]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("where is the umbrella stand", ["umbrella stand"]),
        ("where does the umbrella stand", ["umbrella"]),
        ("where does the music stand stand", ["music stand"]),
        ("what is next to the watering can", ["watering can"]),
        ("is the changing table in the bedroom", ["changing table"]),
        ("did you see the step stool", ["step stool"]),
        ("where is the suit of armour", ["suit of armour"]),
        ("where is the set of golf clubs", ["set of golf clubs"]),
        ("find the first aid kit", ["first aid kit"]),
        ("did you inspect the vase", ["vase"]),
    ],
)
def test_names_are_told_from_verbs(text, names):
    assert [thing.text for thing in skeleton(text).things] == names


@pytest.mark.parametrize(
    "name", ["sunroom", "changing room", "guest house", "infirmary", "theatre", "concert hall"]
)
def test_rooms_that_no_house_here_has_are_rooms_all_the_same(name):
    assert [room.text for room in skeleton(f"what is in the {name}").rooms] == [name]


@pytest.mark.parametrize(
    ("name", "labels", "fits"),
    [
        ("library", ["desk", "bookshelf"], False),
        ("library", ["bookshelf", "bookshelf", "bookcase", "armchair"], True),
        ("music room", ["sofa", "tv"], False),
        ("music room", ["sofa", "piano"], True),
        ("office", ["desk"], None),
    ],
)
def test_a_narrower_name_needs_what_it_stands_for(name, labels, fits):
    assert bears(name.split(), labels) is fits


@pytest.mark.parametrize("words", ["into", "into the ", "by in around ", "out up about "])
def test_a_question_of_repeated_words_is_read_at_once(words):
    begun = time.perf_counter()
    parse_question(f"where was the mug when you came {words * 60}x", now_ns=10**18, where=UTC)
    assert time.perf_counter() - begun < 1.0


# what is asked, and the same in plain words
SAME = [
    ("Hey robot, is the vase in the library?", "Is the vase in the library?"),
    ("Hey robot, what's the vase on top of?", "What is the vase on?"),
    ("Hey robot, where was the vase before?", "Where was the vase before?"),
    ("Robot, what moved since yesterday?", "What moved since yesterday?"),
    ("Hi there, so where is the vase?", "Where is the vase?"),
    ("Where's the vase hiding?", "Where is the vase?"),
    ("Which table or shelf is the vase on?", "What is the vase on?"),
    ("Is the vase on a table, a shelf, or what?", "What is the vase on?"),
    ("Is the library where the vase is?", "Is the vase in the library?"),
    ("Is the library the place where I can find the vase?", "Is the vase in the library?"),
    ("I think the vase is in the library. Am I right?", "Is the vase in the library?"),
    ("So the vase is in the library?", "Is the vase in the library?"),
    ("The vase is in the library, isn't it?", "Is the vase in the library?"),
    ("The vase, is it in the library?", "Is the vase in the library?"),
    ("Is that vase of mine in the library by any chance?", "Is my vase in the library?"),
    ("Hey robot, is the vase still in the same spot?", "Is the vase still where it was?"),
    ("Is the vase in the same place as yesterday?", "Is the vase still where it was?"),
    ("Is the vase unmoved?", "Is the vase still where it was?"),
    ("Is the position of the vase unchanged?", "Is the vase still where it was?"),
    ("Vase same place?", "Is the vase still where it was?"),
    ("What isn't where it was yesterday?", "Which things have moved?"),
    ("What's not where it was before?", "Which things have moved?"),
    ("What things are somewhere else than yesterday?", "Which things have moved?"),
    ("Compared with yesterday, what is now in another place?", "Which things have moved?"),
    ("What have the kids moved since yesterday?", "What was moved since yesterday?"),
    ("The desk, what's on it?", "What's on the desk?"),
    ("So what's lying around on the desk?", "What's lying on the desk?"),
    ("What does the desk have on it?", "What is on the desk?"),
    ("What did I leave in the library?", "What is in the library?"),
    ("I lost my vase. When did you last see it?", "When did you last see my vase?"),
    ("Would you be a dear and tell me where the vase is?", "Where is the vase?"),
    ("Please tell me the place where the vase is right now.", "Where is the vase?"),
    ("I want to fetch the vase. What room is it in?", "What room is the vase in?"),
    ("Identify the room with the vase in it.", "Which room is the vase in?"),
    ("What is supporting the vase?", "What is the vase on?"),
    ("On top of what is the vase?", "What is the vase on?"),
    ("On top of what is the vase standing?", "What is the vase on?"),
    ("Beside what is the vase standing?", "Beside what is the vase?"),
    ("Am I right in thinking that the vase is in the library?", "Is the vase in the library?"),
    ("Vase in the library, yes or no?", "Is the vase in the library?"),
    ("Is the vase somewhere other than where you first saw it?", "Has the vase been moved?"),
    ("Does the vase continue to be where it was?", "Is the vase still where it was?"),
    (
        "If I wanted to put the vase back, where would it go?",
        "Where was the vase before it was moved?",
    ),
    ("What was the destination of the vase when it was moved?", "Where was the vase moved to?"),
    ("Tell me the place to which the vase was moved.", "Where was the vase moved to?"),
    ("What's the desk got on it?", "What is on the desk?"),
    ("Inventory of the desk, please.", "What is on the desk?"),
    ("Contents of the library?", "What is in the library?"),
    ("If I counted all the chairs, what would I get?", "How many chairs are there?"),
    ("Stock count for chairs, please.", "How many chairs are there?"),
    ("Please give the time of the last sighting of the vase.", "When did you last see the vase?"),
    ("Was it today or yesterday that you last saw the vase?", "When did you last see the vase?"),
]


@pytest.mark.parametrize(("text", "plain"), SAME, ids=[row[0] for row in SAME])
def test_one_question_in_two_wordings_is_one_question(text, plain):
    question, wanted = parsed(text), parsed(plain)
    assert (question.kind, question.aspect) == (wanted.kind, wanted.aspect)
    assert question.things == wanted.things
    assert question.present == wanted.present
    assert question.time == wanted.time
    for part in ("room", "thing", "relation", "upon", "beside"):
        assert getattr(question.place, part) == getattr(wanted.place, part)
