"""Words: singulars, names in two words, and when a phrase and a label mean the same kind."""

from __future__ import annotations

import pytest

from memory_core.language.lexicon import match, same_kind, singular, words_of


@pytest.mark.parametrize(
    ("plural", "expected"),
    [
        ("chairs", "chair"), ("boxes", "box"), ("shelves", "shelf"), ("knives", "knife"),
        ("dishes", "dish"), ("benches", "bench"), ("berries", "berry"), ("people", "person"),
        ("children", "child"), ("mice", "mouse"), ("glass", "glass"), ("glasses", "glasses"),
        ("scissors", "scissors"), ("bus", "bus"), ("keys", "keys"), ("tennis", "tennis"),
        ("mattress", "mattress"), ("plates", "plate"), ("lamp", "lamp"), ("mattresses", "mattress"),
        ("toys", "toy"), ("cactus", "cactus"), ("tv", "tv"),
    ],
)  # fmt: skip
def test_a_noun_loses_its_plural_ending(plural, expected):
    assert singular(plural) == expected


@pytest.mark.parametrize(
    ("phrase", "label"),
    [
        ("sofa", "couch"), ("couch", "sofa"), ("lamp", "table lamp"), ("red mug", "mug"),
        ("mugs", "mug"), ("tv", "television"), ("fridge", "refrigerator"),
        ("night stand", "nightstand"), ("bedside table", "night stand"), ("red mug", "red mug"),
        ("chair", "wooden chair"), ("big plant", "plant"), ("carpets", "rug"), ("people", "person"),
        ("cushions", "pillow"), ("Sofa", "SOFA"),
    ],
)  # fmt: skip
def test_a_phrase_asks_for_the_kind_a_label_names(phrase, label):
    assert same_kind(phrase, label)


@pytest.mark.parametrize(
    ("phrase", "label"),
    [
        ("kitchen cabinet", "cabinet"), ("office chair", "armchair"), ("red mug", "blue mug"),
        ("mug", "mug rack"), ("table", "table lamp"), ("fire extinguisher", "fireplace"),
        ("", "mug"), ("mug", ""), ("soccer ball", "ball pen"), ("dining table", "coffee table"),
        ("bath tub", "tub chair"), ("red mug", "red apple"),
    ],
)  # fmt: skip
def test_a_phrase_does_not_ask_for_another_kind(phrase, label):
    assert not same_kind(phrase, label)


@pytest.mark.parametrize(
    ("phrase", "label", "score"),
    [
        ("door", "door", 1.0),
        ("white wooden door", "door", 0.95),
        ("door", "white door", 0.8),
        ("door handle", "door", 0.55),
        ("door handle", "handle bar", 0.4 / 3),
        ("mug", "sofa", 0.0),
        ("", "sofa", 0.0),
    ],
)
def test_a_match_is_scored_by_head_and_words(phrase, label, score):
    assert match(phrase.split(), label.split()) == pytest.approx(score)


def test_words_of_a_phrase_are_lemmas_with_compounds_joined():
    assert words_of("two Night Stands") == ["two", "nightstand"]
    assert words_of("the living-room's sofa") == ["the", "livingroom", "couch"]
