"""Kinds of rooms from what stands there: right where truth is known, and as sure as it is right."""

from __future__ import annotations

import numpy as np
import pytest

from memory_core.errors import DimensionMismatch
from memory_core.language.rooms import NAMES
from memory_core.perception.text import SentenceEncoder
from memory_core.semantic.kinds import (
    KindModel,
    is_telling,
    kinds_named,
    likeliest,
)
from memory_sim.worlds.plan import plan_house


@pytest.fixture(scope="module")
def model(monkeypatch_module):
    monkeypatch_module.setenv("HF_HUB_OFFLINE", "1")
    return KindModel(SentenceEncoder().encode)


@pytest.fixture(scope="module")
def monkeypatch_module():
    with pytest.MonkeyPatch.context() as patch:
        yield patch


def labels_by_room(seed):
    plan = plan_house(seed)
    return {
        room.kind: sorted({t.kind.label for t in plan.things if t.room == room.kind})
        for room in plan.rooms
    }


def test_every_furnished_room_of_twenty_houses_is_named_right(model):
    for seed in range(20):
        for kind, labels in labels_by_room(seed).items():
            name, confidence = likeliest(model.belief(np.ones((1, len(labels))), labels)[0])
            assert name == kind, (seed, labels)
            assert confidence > 0.6


def test_confidence_is_as_high_as_the_share_of_right_answers_when_little_is_seen(model):
    random = np.random.default_rng(0)
    confidence, right = [], []
    for seed in range(20):
        for kind, labels in labels_by_room(seed).items():
            for count in (1, 2, 3, len(labels) // 2):
                seen = [str(label) for label in random.choice(labels, count, replace=False)]
                name, belief = likeliest(model.belief(np.ones((1, count)), seen)[0])
                confidence.append(belief)
                right.append(name == kind)
    sure, true = np.array(confidence), np.array(right, float)
    bins = np.minimum((sure * 5).astype(int), 4)
    error = sum(
        abs(sure[bins == b].mean() - true[bins == b].mean()) * (bins == b).mean()
        for b in np.unique(bins)
    )
    assert error < 0.08  # expected calibration error
    assert true[sure > 0.8].mean() > 0.9


def test_rows_sum_to_one_and_more_of_a_kind_makes_it_surer(model):
    weights = np.array([[1.0, 0.0, 0.0], [1.0, 1.0, 0.0], [1.0, 1.0, 1.0]])
    belief = model.belief(weights, ["sink", "towel", "toilet"])
    assert belief.sum(axis=1) == pytest.approx(1)
    assert (np.diff(belief[:, NAMES.index("bathroom")]) > 0).all()


def test_where_nothing_speaks_for_a_kind_none_is_named():
    assert likeliest(KindModel(None).belief(np.zeros((1, 1)), ["door"])[0]) == ("", 0.0)
    assert likeliest(KindModel(None).belief(np.zeros((1, 0)), [])[0]) == ("", 0.0)
    assert KindModel(None).belief(np.zeros((0, 1)), ["door"]).shape == (0, len(NAMES))


def test_rooms_that_households_name_differently_count_together():
    belief = np.zeros(len(NAMES))
    for name, share in (("living room", 0.2), ("family room", 0.3), ("lounge", 0.1), ("gym", 0.4)):
        belief[NAMES.index(name)] = share
    assert likeliest(belief) == ("living room", pytest.approx(0.6))


def test_what_is_said_names_the_kind_and_outweighs_a_stray_thing():
    named = kinds_named(["A narrow kitchen with wooden cabinets.", "the kitchen, at night"])
    assert named[NAMES.index("kitchen")] == 1.0
    assert named.sum() == 1.0
    belief = KindModel(None).belief(np.ones((1, 1)), ["curtain"], named=named[None])
    assert likeliest(belief[0])[0] == "kitchen"
    assert not kinds_named([]).any()


def test_telling_labels_are_known_by_their_head():
    assert is_telling("king size bed") and is_telling("dining table")
    assert not is_telling("coffee table") and not is_telling("")


def test_weights_of_another_number_of_labels_are_refused():
    with pytest.raises(DimensionMismatch, match="expected"):
        KindModel(None).belief(np.ones((1, 2)), ["bed"])
