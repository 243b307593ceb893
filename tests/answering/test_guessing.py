"""Wordings that no rule was written for: their intent by meaning, their names by position."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from memory_core.answering.guessing import by_meaning
from memory_core.language import likeness, times
from memory_core.language.frames import FRAMES, OTHER, SWAPPED, framed, intent_of
from memory_core.language.likeness import examples, learned, masked
from memory_core.language.phrases import skeleton
from memory_core.language.questions import Question, parse_question
from memory_core.perception.text import HashingEncoder, SentenceEncoder

UTC = times.zone("UTC")
NOW_NS = times.parse_moment("2026-03-04T10:00", UTC)


@pytest.fixture(scope="module")
def encoder() -> SentenceEncoder:
    return SentenceEncoder()


def parsed(text: str) -> Question:
    return parse_question(text, now_ns=NOW_NS, where=UTC)


def test_names_are_masked_each_by_its_own():
    told = masked(skeleton("where is the globe in the room with the desk in the kitchen"))
    assert told == "where is the lamp in the room with the piano in the kitchen"


def test_the_same_wording_about_other_things_is_masked_alike():
    one, other = (
        masked(skeleton(f"did you meet the {a} before the {b}"))
        for a, b in (("red mug", "sofa"), ("laundry basket", "fire extinguisher"))
    )
    assert one == other


def test_every_example_is_of_a_known_intent():
    intents = {intent.rstrip(SWAPPED) for _, intent in examples()}
    assert intents == {*FRAMES, OTHER}


def test_the_weights_are_of_the_examples():
    assert set(learned().intents) == {intent for _, intent in examples()}


def test_chances_sum_to_one():
    weights = learned()
    assert weights.chances(np.ones(weights.matrix.shape[1])).sum() == pytest.approx(1.0)


@pytest.mark.parametrize("intent", [name for name in FRAMES if name != "implicit"])
def test_a_question_made_from_a_frame_has_that_intent(intent):
    frame = FRAMES[intent]
    things = ("globe", "desk")[: len(frame.roles)]
    question = framed(parsed("globe"), intent, things, ("kitchen",) if frame.room else ())
    found = intent_of(question)
    assert found == intent or {found, intent} == {"where", "find"}


@pytest.mark.parametrize(
    ("text", "kind", "aspect", "names"),
    [
        ("Give me a rundown of the kitchen", "describe", "", ()),
        ("Which room was visited straight after the kitchen?", "order", "next room", ()),
        ("Does the vase still exist?", "ever", "still", ("vase",)),
        ("Having seen the globe, what came next?", "order", "after", ("globe",)),
        ("Is the kitchen equipped with a vase?", "ever", "", ("vase",)),
    ],
)
def test_an_unfamiliar_wording_is_understood_by_its_meaning(encoder, text, kind, aspect, names):
    question = by_meaning(parsed(text), encoder)
    assert (question.kind, question.aspect, question.names) == (kind, aspect, names)


@pytest.mark.parametrize(
    "text",
    ["How far is the sofa from the desk?", "How full is your battery?", "Where were you at 9:30?",
     "How often did you see the mug?", "Where is the mug?"],
)  # fmt: skip
def test_what_the_rules_understood_stands_where_meaning_agrees_or_knows_nothing(encoder, text):
    question = parsed(text)
    assert by_meaning(question, encoder) == question


def test_another_encoder_leaves_a_question_as_it_is():
    question = parsed("Having seen the globe, what came next?")
    assert by_meaning(question, HashingEncoder()) == question
    assert by_meaning(question, None) == question


def test_a_reading_whose_names_are_no_names_gives_way_to_what_is_likelier(encoder):
    question = parsed("the chairs in the office, how many are there")
    misread = replace(question, kind="find", things=("how many are the chairs",), sure=True)
    assert by_meaning(misread, encoder).kind == "how_many"


def test_the_weights_know_their_examples(encoder):
    some = examples()[::12]
    weights = learned()
    vectors = encoder.encode([text for text, _ in some])
    known = [
        weights.intents[int(weights.chances(vector).argmax())] == intent
        for vector, (_, intent) in zip(vectors, some, strict=True)
    ]
    assert np.mean(known) > 0.97


def test_weights_are_learned_from_examples_and_kept(tmp_path, monkeypatch):
    told = [
        ("where is the lamp", "where"),
        ("the lamp, where is it", "where"),
        ("how many rooms", "count_rooms"),
        ("count rooms", "count_rooms"),
    ]
    monkeypatch.setattr(likeness, "examples", lambda: told)
    encoder = HashingEncoder()
    weights = likeness.fit(encoder.encode, model="hashed")
    likeness.save(weights, tmp_path / "kept.npz")
    with np.load(tmp_path / "kept.npz", allow_pickle=False) as kept:
        assert set(kept["intents"].tolist()) == {"where", "count_rooms"} == set(weights.intents)
        np.testing.assert_allclose(kept["matrix"], weights.matrix, atol=0.02)
