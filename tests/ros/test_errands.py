"""What `planner_node` makes of words, and of how errands end."""

from __future__ import annotations

import pytest
from robot_memory_ros.errands import bringing_words, ended, going_words

from memory_core.errors import GoalNotUnderstood
from memory_core.planning.goals import parse_goal


@pytest.mark.parametrize(
    ("said", "kind", "meant"),
    [
        ("the kitchen", "go", "kitchen"),
        ("go to the kitchen", "go", "kitchen"),
        (" red mug ", "go", "red mug"),
        ("where you last saw the red mug", "return", "red mug"),
        ("go back to where you first saw the lamp", "return", "lamp"),
    ],
)
def test_a_place_is_somewhere_to_go_however_it_is_said(said, kind, meant):
    goal = parse_goal(going_words(said))
    assert (goal.kind, goal.to or goal.thing) == (kind, meant)


@pytest.mark.parametrize("said", ["", "  ", "bring me the red mug", "open the drawer", "wait"])
def test_what_is_no_place_is_refused(said):
    with pytest.raises(GoalNotUnderstood):
        going_words(said)


def test_a_thing_is_brought_to_whoever_asks_or_to_a_place():
    here = parse_goal(bringing_words("the red mug", ""))
    assert (here.kind, here.thing, here.to) == ("fetch", "red mug", "me")
    there = parse_goal(bringing_words("the red mug", "the kitchen table"))
    assert (there.kind, there.thing, there.to) == ("put", "red mug", "kitchen table")
    with pytest.raises(GoalNotUnderstood):
        bringing_words("  ", "the kitchen")


def test_every_end_has_a_code_and_says_what_it_means():
    assert ended("nothing known")[0] == "empty_memory"
    assert ended("interrupted")[0] == "cancelled"
    assert ended("took something else") == ("took_something_else", "took something else")
    code, said = ended("no path", "navigate_to_pose ended with error 208")
    assert code == "no_path"
    assert "208" in said
