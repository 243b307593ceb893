"""`eval detector`: what is exact scores full marks, what is wrong does not."""

from __future__ import annotations

import json

import numpy as np
import pytest

pytest.importorskip("pybullet")

from memory_core.errors import InvalidQuery
from memory_sim.detecting import evaluation
from memory_sim.detecting.evaluation import evaluate_detector
from memory_sim.worlds.home.detectors import SegmentationDetector

SMALL = {"first_seed": 130_003, "pictures": 4}


def test_the_segmentation_detector_without_errors_scores_full_marks():
    found, rows = evaluate_detector(1, **SMALL, detector="segmentation")
    for group in ("things", "furniture"):
        told = found["detected"][group]
        assert told["there"] > 0
        assert {told[m] for m in ("recall", "precision", "outlined", "placed", "overlap")} == {1.0}
    assert len(rows) == 4 * 4
    assert found["n"] == 4
    assert set(found) >= {"seed", "config", "date", "machine", "seconds", "look_ms"}
    json.dumps([found, rows], allow_nan=False)


def test_wrong_labels_misses_and_masks_beside_things_each_cost(monkeypatch):
    def scored(change):
        def detector(name, world, *, seed):
            exact = SegmentationDetector(world)
            return lambda frame: [told for one in exact(frame) for told in change(one)]

        monkeypatch.setattr(evaluation, "detector_named", detector)
        return evaluate_detector(1, **SMALL)[0]["detected"]["furniture"]

    def named(one, label):
        return type(one)(label, one.mask, one.score)

    def beside(one):
        return type(one)(one.label, np.roll(one.mask, 160, axis=1), one.score)

    missed = scored(lambda one: [])
    assert (missed["recall"], missed["precision"], missed["told"]) == (0.0, None, 0)
    misnamed = scored(lambda one: [named(one, "piano")])
    assert (misnamed["outlined"], misnamed["recall"], misnamed["placed"]) == (1.0, 0.0, 0.0)
    twice = scored(lambda one: [one, one])
    assert (twice["recall"], twice["precision"]) == (1.0, 0.5)
    astray = scored(lambda one: [beside(one)])
    assert astray["recall"] < 0.5


def test_nothing_to_look_at_and_strange_options_are_refused():
    with pytest.raises(InvalidQuery, match="at least 1"):
        evaluate_detector(0)
    with pytest.raises(InvalidQuery, match="segmentation, network"):
        evaluate_detector(1, detector="clairvoyant")
    with pytest.raises(InvalidQuery, match="neither weights nor names"):
        evaluate_detector(1, detector="segmentation", any_name=True)
