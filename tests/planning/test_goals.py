"""What people say to a robot, and what it takes them to want."""

import pytest

from memory_core.errors import GoalNotUnderstood
from memory_core.planning.goals import ME, parse_goal


@pytest.mark.parametrize(
    ("words", "kind", "thing", "to"),
    [
        ("Bring me the red mug", "fetch", "red mug", ME),
        ("could you please fetch the red mug from the kitchen for me?", "fetch",
         "red mug at the kitchen", ME),
        ("I need the screwdriver", "fetch", "screwdriver", ME),
        ("bring the newspaper to me, please", "fetch", "newspaper", ME),
        ("put the blue book on the desk in the office", "put", "blue book", "desk in the office"),
        ("take the mug on the desk to the kitchen", "put", "mug on the desk", "kitchen"),
        ("move the cup from the desk to the kitchen counter", "put", "cup at the desk",
         "kitchen counter"),
        ("Put the spoon back", "put back", "spoon", ""),
        ("return the plate to its place", "put back", "plate", ""),
        ("tidy up the toy car", "put back", "toy car", ""),
        ("find the scissors", "find", "scissors", ""),
        ("search the bedroom for my keys", "search", "keys", "bedroom"),
        ("go to the kitchen", "go", "", "kitchen"),
        ("come here", "go", "", ME),
        ("open the top drawer in the bedroom", "open", "top drawer in the bedroom", ""),
        ("shut the fridge", "close", "fridge", ""),
        ("press the red button", "press", "red button", ""),
        ("push the box", "push", "box", ""),
        ("patrol the house and report", "patrol", "", ""),
        ("see what has changed", "patrol", "", ""),
    ],
)  # fmt: skip
def test_what_is_wanted_is_read(words, kind, thing, to):
    goal = parse_goal(words)
    assert (goal.kind, goal.thing, goal.to) == (kind, thing, to)


def test_a_way_back_names_the_first_or_the_last_time():
    assert parse_goal("go to where you first saw the green bottle").order == "first"
    assert parse_goal("go back to the place where you saw the lamp last").order == "last"


def test_a_question_is_answered_not_acted_upon():
    goal = parse_goal("Where is the red mug?")
    assert (goal.kind, goal.said) == ("answer", "Where is the red mug?")


def test_waiting_is_in_seconds():
    assert parse_goal("wait for two minutes").seconds == 120.0
    assert parse_goal("wait 2.5 seconds").seconds == 2.5


@pytest.mark.parametrize(
    "words", ["", "   ", "frobnicate the blorp", "x" * 501, "wait some seconds"]
)
def test_what_asks_for_nothing_is_refused_with_a_code(words):
    with pytest.raises(GoalNotUnderstood) as refused:
        parse_goal(words)
    assert refused.value.code == "goal_not_understood"
