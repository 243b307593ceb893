"""Questions about a home's second day: what is asked, and what is right."""

from __future__ import annotations

from dataclasses import replace

import pytest

pytest.importorskip("pybullet")

from memory_core.types import Answer
from memory_sim.house_questions import COUNTS, FRAMES, Witnessed, questions_about
from memory_sim.questions.scoring import right
from memory_sim.worlds.home.plan import plan_home
from memory_sim.worlds.home.truth import Whereabouts

PLAN = plan_home(3, rooms=4)
NOW_NS = 1_772_600_000 * 10**9


def placed(number: int, furniture: str, at: float) -> Whereabouts:
    thing, piece = PLAN.things[number], PLAN.furniture_by_id[furniture]
    return Whereabouts(thing.id, thing.label, (at, 0.0, 0.8), piece.room, furniture, "top")


TABLE, COUNTER = "kitchen/kitchen table", "kitchen/kitchen counter"
STAYED, MOVED, TAKEN = (PLAN.things[n].id for n in (0, 1, 2))
FIRST = {
    STAYED: placed(0, TABLE, 1.0), MOVED: placed(1, TABLE, 2.0), TAKEN: placed(2, TABLE, 3.0),
}  # fmt: skip
SECOND = {STAYED: FIRST[STAYED], MOVED: placed(1, COUNTER, 8.0)}
OFTEN = {STAYED: FRAMES, MOVED: FRAMES, TAKEN: FRAMES}
SEEN = Witnessed(PLAN, FIRST, SECOND, OFTEN, OFTEN, frozenset())


def asked(seen: Witnessed, kind: str):
    questions = questions_about(seen, "tuning", now_ns=NOW_NS)
    return [question for question in questions if question.kind == kind]


def scored(question, text: str, **parts) -> bool:
    answer = Answer(text, question.kind, **parts)
    return right(answer, question, vocabulary=SEEN.vocabulary())


def test_every_kind_is_asked_at_most_so_often():
    for kind, count in COUNTS.items():
        assert 1 <= len(asked(SEEN, kind)) <= count, kind


def test_the_same_home_is_asked_the_same():
    texts = [[q.text for q in questions_about(SEEN, "tuning", now_ns=NOW_NS)] for _ in range(2)]
    assert texts[0] == texts[1]


def test_what_was_hardly_in_view_or_was_carried_by_the_robot_is_not_asked():
    rarely = {STAYED: FRAMES - 1, MOVED: FRAMES - 1}
    unseen = replace(SEEN, frames_first=rarely, frames_second=rarely)
    carried = replace(SEEN, handled=frozenset({STAYED, MOVED}))
    for seen in (unseen, carried):
        assert questions_about(seen, "tuning", now_ns=NOW_NS) == []


def test_what_moved_unseen_is_not_asked():
    yesterday = replace(SEEN, frames_second={})
    label = PLAN.thing_by_id[MOVED].label
    questions = questions_about(yesterday, "tuning", now_ns=NOW_NS)
    assert questions
    assert all(question.fact.slots["thing"] != label for question in questions)


def test_where_is_right_within_a_metre():
    for question in asked(SEEN, "where"):
        (place,) = question.fact.expected.places
        x, y, z = place
        assert scored(question, "There.", position=(x + 0.9, y, z))
        assert not scored(question, "There.", position=(x + 1.1, y, z))
        assert not scored(question, "I do not know.", abstained=True)


def test_where_it_was_moved_from_is_nearer_to_the_old_place():
    (question,) = asked(SEEN, "moved_from")
    assert scored(question, "There.", position=FIRST[MOVED].position)
    assert not scored(question, "There.", position=SECOND[MOVED].position)


def test_both_what_moved_and_what_did_not_is_asked():
    questions = asked(SEEN, "moved")
    assert {question.fact.expected.truth for question in questions} == {True, False}
    for question in questions:
        says = question.fact.expected.truth is not question.reversed
        assert scored(question, "Yes, it did." if says else "No.")
        assert not scored(question, "No." if says else "Yes.")


def test_what_moved_must_be_told_and_what_was_taken_may_be():
    (question,) = asked(SEEN, "moved_things")
    moved, taken, stayed = (PLAN.thing_by_id[name].label for name in (MOVED, TAKEN, STAYED))
    assert scored(question, f"The {moved} moved.")
    assert scored(question, f"The {moved} and the {taken} moved.")
    assert not scored(question, f"The {taken} moved.")
    assert not scored(question, f"The {moved} and the {stayed} moved.")


def test_the_room_and_the_furniture_are_told_by_name():
    for question in asked(SEEN, "which_room"):
        assert scored(question, "It is in the kitchen.")
        assert not scored(question, "It is in the bathroom.")
    for question in asked(SEEN, "on_what"):
        (label,) = question.fact.expected.required
        assert scored(question, f"It is on the {label}.")
        assert not scored(question, "It is on the bed.")
