"""What people ask, in their own words, and what is understood: kind, thing, place, order."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memory_core.errors import InvalidQuery
from memory_core.language import times
from memory_core.language.questions import PlacePhrase, Question, parse_question, take_place
from memory_core.language.rooms import NAMES

UTC = times.zone("UTC")
NOW_NS = times.parse_moment("2026-03-04T10:00", UTC)


def parsed(text: str) -> Question:
    return parse_question(text, now_ns=NOW_NS, where=UTC)


def place_of(place: PlacePhrase) -> str:
    """A place in a few words: the room, or the relation and the thing, or the floor."""
    parts = []
    if place.thing is not None:
        parts.append(f"{place.relation} {place.thing}")
    if place.room is not None:
        parts.append(NAMES[place.room])
    if place.floor is not None:
        parts.append(f"floor {place.floor}")
    if place.circle is not None:
        parts.append(f"circle {place.circle}")
    return ", ".join(parts)


# question, kind, thing(s), place
QUESTIONS = [
    ("Where is the red mug?", "where", "red mug", ""),
    ("where's my mug", "where", "mug", ""),
    ("WHERE ARE THE KEYS", "where", "keys", ""),
    ("Where did I leave my keys last night?", "where", "keys", ""),
    ("Where did you last see the red mug?", "where", "red mug", ""),
    ("Where have you seen a fire extinguisher?", "where", "fire extinguisher", ""),
    ("where can I find a towel?", "where", "towel", ""),
    ("Where could the remote be?", "where", "remote", ""),
    ("Where did the mug go?", "where", "mug", ""),
    ("Where has the mug gone?", "where", "mug", ""),
    ("Where do you think the mug is?", "where", "mug", ""),
    ("Do you know where the mug is?", "where", "mug", ""),
    ("Can you tell me where the kettle is?", "where", "kettle", ""),
    ("Tell me where my glasses are", "where", "glasses", ""),
    ("any idea where my keys are?", "where", "keys", ""),
    ("I wonder where the scissors are", "where", "scissors", ""),
    ("I forgot where the scissors are.", "where", "scissors", ""),
    ("In which room is the sofa?", "where", "sofa", ""),
    ("Which room is the laptop in?", "where", "laptop", ""),
    ("what floor is the bed on?", "where", "bed", ""),
    ("In what room did you see the tv?", "where", "tv", ""),
    ("what is the location of the mug?", "where", "mug", ""),
    ("Where in the house is the vacuum cleaner?", "where", "vacuum cleaner", ""),
    ("Where in the kitchen is the kettle?", "where", "kettle", "kitchen"),
    ("where is the lamp near the sofa?", "where", "lamp", "near sofa"),
    ("Where is the chair next to the desk in the office?", "where", "chair", "near desk, office"),
    ("Where is the mug in kitchen?", "where", "mug", "kitchen"),
    ("where is the nearest plant to the sofa?", "where", "plant", "near sofa"),
    ("Hey robot, where is my mug please?", "where", "mug", ""),
    ("where is the battery charger?", "where", "battery charger", ""),
    ("Find the red mug", "find", "red mug", ""),
    ("Could you find the remote?", "find", "remote", ""),
    ("I can't find my keys", "find", "keys", ""),
    ("I'm looking for my keys.", "find", "keys", ""),
    ("I lost my phone, where is it?", "where", "phone", ""),
    ("I need a towel", "find", "towel", ""),
    ("Take me to the sofa", "find", "sofa", ""),
    ("Look for the plant near the window", "find", "plant", "near window"),
    ("search for a chair on the upper floor", "find", "chair", "floor -1"),
    ("red mug", "find", "red mug", ""),
    ("What is in the kitchen?", "what", "", "kitchen"),
    ("What's on the desk?", "what", "", "on desk"),
    ("What is on top of the fridge?", "what", "", "on fridge"),
    ("which things are under the bed", "what", "", "under bed"),
    ("What did you see yesterday afternoon?", "what", "", ""),
    ("what did you do yesterday", "what", "", ""),
    ("What furniture is in the bedroom?", "what", "", "bedroom"),
    ("Which chairs are in the office?", "what", "chairs", "office"),
    ("Is there anything on the table?", "what", "", "on table"),
    ("list everything in the kitchen", "what", "", "kitchen"),
    ("List all chairs", "what", "chairs", ""),
    ("show me everything in the office", "what", "", "office"),
    ("What was at (3, 4) yesterday?", "what", "", "circle (3.0, 4.0, 2.0)"),
    ("What is within 1.5 m of (1.5, -2)?", "what", "", "circle (1.5, -2.0, 1.5)"),
    ("What is within 2 m of the sofa?", "what", "", "near sofa"),
    ("What was the last thing you saw?", "what", "", ""),
    ("When did you last see the mug?", "when", "mug", ""),
    ("When was the mug first seen?", "when", "mug", ""),
    ("What time did you see the dog?", "when", "dog", ""),
    ("Do you remember when you saw the mug?", "when", "mug", ""),
    ("When did the mug move?", "when", "mug", ""),
    ("When were you in the kitchen?", "when", "", "kitchen"),
    ("When did you enter the kitchen?", "when", "", "kitchen"),
    ("when did you visit the bathroom", "when", "", "bathroom"),
    ("When was the last time you were in the kitchen?", "when", "", "kitchen"),
    ("How long were you in the kitchen?", "how_long", "", "kitchen"),
    ("How much time did you spend in the bedroom?", "how_long", "", "bedroom"),
    ("How long ago did you see the mug?", "how_long", "mug", ""),
    ("how long has it been since you saw the mug?", "how_long", "mug", ""),
    ("How long did the tour take?", "how_long", "", ""),
    ("How many chairs are there?", "how_many", "chairs", ""),
    ("How many chairs are in the kitchen?", "how_many", "chairs", "kitchen"),
    ("Tell me how many chairs you saw", "how_many", "chairs", ""),
    ("Count the chairs in the kitchen.", "how_many", "chairs", "kitchen"),
    ("What is the number of chairs in the kitchen?", "how_many", "chairs", "kitchen"),
    ("How many times did you see the mug?", "how_many", "mug", ""),
    ("how many times did you visit the office", "how_many", "", "office"),
    ("How often were you in the kitchen?", "how_many", "", "kitchen"),
    ("How far did you drive today?", "how_far", "", ""),
    ("How many metres did you drive?", "how_far", "", ""),
    ("How far is the sofa from the tv?", "how_far", "sofa|tv", ""),
    ("how far apart are the sofa and the tv?", "how_far", "sofa|tv", ""),
    ("What is the distance between the sofa and the tv?", "how_far", "sofa|tv", ""),
    ("How close is the lamp to the bed?", "how_far", "lamp|bed", ""),
    ("How far away is the mug?", "how_far", "mug", ""),
    ("Which did you see first, the mug or the lamp?", "which_first", "mug|lamp", ""),
    ("Did you see the mug or the lamp first?", "which_first", "mug|lamp", ""),
    ("Was the sofa or the bed seen first?", "which_first", "sofa|bed", ""),
    ("Did you see the mug before the lamp?", "which_first", "mug|lamp", ""),
    ("Which did you visit first, the kitchen or the bedroom?", "which_first", "kitchen|bedroom", ""),
    ("Did you visit the kitchen before the bedroom?", "which_first", "kitchen|bedroom", ""),
    ("Have you ever seen a fire extinguisher?", "ever", "fire extinguisher", ""),
    ("Do you remember seeing a bicycle?", "ever", "bicycle", ""),
    ("Do you know if there is a piano?", "ever", "piano", ""),
    ("Did you see anyone in the kitchen?", "ever", "person", "kitchen"),
    ("Is the mug in the kitchen?", "ever", "mug", "kitchen"),
    ("Is the mug still on the table?", "ever", "mug", "on table"),
    ("tell me whether the mug is in the kitchen", "ever", "mug", "kitchen"),
    ("Are there any plants in the bedroom?", "ever", "plants", "bedroom"),
    ("Were you in the kitchen yesterday?", "ever", "", "kitchen"),
    ("Have you visited the bathroom?", "ever", "", "bathroom"),
    ("Have you ever been upstairs?", "ever", "", "floor -1"),
    ("What changed?", "changed", "", ""),
    ("What has changed since yesterday?", "changed", "", ""),
    ("Which things have moved?", "changed", "", ""),
    ("what objects were moved", "changed", "", ""),
    ("Has anything moved in the office?", "changed", "", "office"),
    ("What's missing?", "changed", "", ""),
    ("Is there anything new in the kitchen?", "changed", "", "kitchen"),
    ("Are there any changes in the living room?", "changed", "", "living room"),
    ("Has the mug been moved?", "changed", "mug", ""),
    ("Did somebody move the mug?", "changed", "mug", ""),
    ("Describe the kitchen.", "describe", "", "kitchen"),
    ("What does the office look like?", "describe", "", "office"),
    ("Tell me about the kitchen", "describe", "", "kitchen"),
    ("What do you remember about the kitchen?", "describe", "", "kitchen"),
    ("describe your surroundings", "describe", "", ""),
    ("Summarize what you saw yesterday.", "describe", "", ""),
    ("give me an overview", "describe", "", ""),
    ("What rooms are there?", "describe", "", ""),
    ("Describe the mug.", "describe", "mug", ""),
    ("What colour is the mug?", "describe", "mug", ""),
    ("describe the area around the sofa", "describe", "", "near sofa"),
    ("What's your battery level?", "body", "", ""),
    ("How full is your battery?", "body", "", ""),
    ("What was the temperature this morning?", "body", "", ""),
    ("How hot are you?", "body", "", ""),
    ("Where are you?", "where_robot", "", ""),
    ("Where is the robot?", "where_robot", "", ""),
    ("Where were you yesterday at noon?", "where_robot", "", ""),
    ("What room are you in?", "where_robot", "", ""),
    ("Which room were you in at 10:00?", "where_robot", "", ""),
    ("Where did you start?", "where_robot", "", ""),
    ("What was your position at 10:00?", "where_robot", "", ""),
    ("Where were you when you saw the mug?", "where_robot", "mug", ""),
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "kind", "things", "place"), QUESTIONS, ids=[row[0] for row in QUESTIONS]
)
def test_a_question_is_understood(text, kind, things, place):
    question = parsed(text)
    assert question.kind == kind
    assert "|".join(question.things) == things
    assert place_of(question.place) == place


@pytest.mark.parametrize(
    ("text", "order"),
    [
        ("Where did you last see the red mug?", "last"),
        ("When was the mug first seen?", "first"),
        ("What was the last thing you saw?", "last"),
        ("What did you see first?", "first"),
        ("Where did you start?", "first"),
        ("Where did your tour end?", "last"),
        ("When was the last time you saw the mug?", "last"),
        ("Where is the mug?", None),
    ],
)
def test_the_order_asked_for_is_kept(text, order):
    assert parsed(text).time.order == order


@pytest.mark.parametrize(
    ("text", "quantity"),
    [
        ("What was your battery level at 14:30?", "battery"),
        ("How much charge is left?", "battery"),
        ("how warm was it at noon?", "temperature"),
    ],
)
def test_the_quantity_of_the_body_is_named(text, quantity):
    assert parsed(text).quantity == quantity


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Have you seen my battery?", "ever"),
        ("find the battery", "find"),
        ("Where is the charging station?", "where"),
        ("how many batteries are there", "how_many"),
    ],
)
def test_a_battery_that_is_looked_for_is_a_thing(text, kind):
    assert parsed(text).kind == kind


def test_time_is_taken_out_before_the_thing_is_named():
    question = parsed("Where was the red mug yesterday after lunch?")
    assert question.things == ("red mug",)
    assert question.time.words == ("yesterday", "after lunch")
    assert question.text == "Where was the red mug yesterday after lunch?"


@pytest.mark.parametrize("text", ["", "   ", "\n\t", "x" * 1_001])
def test_an_empty_or_endless_question_is_refused(text):
    with pytest.raises(InvalidQuery, match="question"):
        parsed(text)


@pytest.mark.parametrize(
    ("text", "place", "rest"),
    [
        ("the lamp on the desk in the office", "on desk, office", "the lamp"),
        ("mug within 2 m of (1, 2, 0.5)", "circle (1.0, 2.0, 2.0)", "mug"),
        ("the chair on level 2", "floor 2", "the chair"),
        ("the mug in the house", "", "the mug in the house"),
        ("the mug in general", "", "the mug in general"),
        ("what is in front of the tv", "near tv", "what is"),
    ],
)
def test_a_place_is_taken_from_a_phrase(text, place, rest):
    found, left = take_place(text)
    assert (place_of(found), left) == (place, rest)


@given(text=st.text(min_size=1, max_size=200))
@settings(max_examples=300, deadline=None)
def test_any_text_is_a_question_or_refused(text):
    try:
        question = parsed(text)
    except InvalidQuery:
        assert not text.strip()
    else:
        assert question.text == text


WORDS = (
    "where what when how long many far which first last ever changed describe battery find is are "
    "was did do you i see seen the a mug lamp kitchen office in on near under of or and yesterday "
    "at 14:30 since moved there robot it time tell me if any ? ,"
).split()


@given(text=st.lists(st.sampled_from(WORDS), min_size=1, max_size=20).map(" ".join))
@settings(max_examples=300, deadline=None)
def test_any_order_of_question_words_is_understood_somehow(text):
    assert parsed(text).kind


@pytest.mark.parametrize(
    "text",
    ["was the " * 120, "when did you " * 70, "how many " * 110, "in the a " * 110, "where " * 160,
     "is x or " * 120, "a" * 1_000, "what does " * 99],
)  # fmt: skip
def test_long_repetition_is_understood_in_less_than_a_second(text):
    begun = time.process_time()
    parsed(text[:1_000])
    assert time.process_time() - begun < 1.0


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("Going from the piano, where is the closest stool?", "Where is the stool nearest to the piano?"),
        ("How much later than the piano did you see the stool?",
         "How much time passed between the piano and the stool?"),
        ("Has anybody carried the stool off?", "Has the stool vanished?"),
        ("Your last sighting of the stool?", "When did you last see the stool?"),
        ("Where is the stool, I mean the one in the kitchen?", "Where is the stool in the kitchen?"),
    ],
)  # fmt: skip
def test_a_question_turned_about_is_read_as_the_plain_one(text, plain):
    one, other = parsed(text), parsed(plain)
    assert (one.kind, one.aspect, one.things) == (other.kind, other.aspect, other.things)
    assert place_of(one.place) == place_of(other.place)
    assert one.time.order == other.time.order


@pytest.mark.parametrize(
    ("text", "kind", "aspect", "things"),
    [
        ("Where would I go to get the lemon?", "where", "", ("lemon",)),
        ("The mug is not where it was: where was that?", "where", "moved from", ("mug",)),
        ("The mug is not where it was, where is it?", "where", "", ("mug",)),
        ("Where is the mug's last place?", "where", "", ("mug",)),
        ("What kind of room is the lemon in?", "where", "room", ("lemon",)),
        ("Which things are no longer where they were?", "changed", "moved", ()),
        ("Does the kitchen have a clock?", "ever", "", ("clock",)),
        ("Any changes in the kitchen?", "changed", "", ()),
        ("Is there any change with the mug since yesterday?", "changed", "whether moved", ("mug",)),
        ("Tell me when and if someone moved the mug", "when", "moved", ("mug",)),
        (
            "I was wondering whether someone had moved our mug overnight.",
            "changed",
            "whether moved",
            ("mug",),
        ),
        ("The sofa isn't where it was, where was it before?", "where", "moved from", ("sofa",)),
        ("The sofa isn't where it was, where did it go?", "where", "moved to", ("sofa",)),
        ("Is the mug where I left it?", "changed", "whether moved", ("mug",)),
        ("Which piece of furniture our mug is in?", "what", "support", ("mug",)),
        ("Which furniture is holding the mug?", "what", "support", ("mug",)),
        ("What was on the end table last night?", "what", "", ()),
    ],
)
def test_questions_in_another_order_keep_their_sense(text, kind, aspect, things):
    found = parsed(text)
    assert (found.kind, found.aspect, found.things) == (kind, aspect, things)


def test_what_the_robot_did_is_not_where_things_are():
    assert parsed("Where did you go to get the mug?").kind == "where_robot"
    assert not parsed("Which room did you enter to see the cat?").present


def test_only_rooms_are_asked_for_what_is_in_them():
    assert parsed("Does my wife have the keys?").kind == "find"
    compared = parsed("Does the bedroom have a bigger bed than the living room?")
    assert compared.place.called == "bedroom"


def test_a_time_or_place_behind_what_moved_is_kept():
    assert parsed("Which things are no longer where they were on Monday?").time.span is not None
    assert parsed("Which things are no longer where they were in the kitchen?").place.called == (
        "kitchen"
    )


@pytest.mark.parametrize("room", ["children's room", "kid's room", "baby's room", "guest room"])
def test_whose_room_it_is_names_its_kind(room):
    place = parsed(f"What is in the {room}?").place
    assert (place.called, place.beside) == (room, None)
    assert NAMES[place.room] == "bedroom"


def test_the_room_of_a_thing_is_where_the_thing_is():
    assert parsed("What else is in the piano's room?").place.beside == "piano"
