"""`train detector`, `eval detector` and `--detector network`: what is asked for is what is done."""

from __future__ import annotations

import json

import pytest

pytest.importorskip("pybullet")
pytest.importorskip("torch")
pytest.importorskip("safetensors")

from memory_core.errors import InvalidQuery
from memory_sim import house_days
from memory_sim.detecting.detector import NetworkDetector
from memory_sim.house_evaluation import evaluate_house
from memory_sim.two_days import Setting


def test_what_is_trained_can_be_measured(run, tmp_path):
    weights, rows = tmp_path / "weights.safetensors", tmp_path / "rows.jsonl"
    status, printed, _ = run(
        "train", "detector", "--out", weights, "--work", tmp_path / "work", "--homes", 1,
        "--first-seed", 130_004, "--pictures", 6, "--steps", 1, "--naming-steps", 1, "--seed", 3,
        "--json",
    )  # fmt: skip
    trained = json.loads(printed)
    assert status == 0, printed
    assert trained["lessons"]["schedule"]["seed"] == 3
    assert trained["pictures"] == 6
    status, printed, _ = run(
        "eval", "detector", "--homes", 1, "--first-seed", 130_005, "--pictures", 2, "--weights",
        weights, "--rows", rows, "--json",
    )  # fmt: skip
    found = json.loads(printed)
    assert status == 0
    assert set(found["detected"]) == {"things", "furniture", "fronts", "handles"}
    assert found["config"]["weights"] == "weights.safetensors"
    assert len(rows.read_text().splitlines()) == 2 * 4


def test_a_robot_sees_with_the_detector_that_was_asked_for(run, monkeypatch, tmp_path):
    given = []
    real = house_days.HouseRobot

    def robot(*arguments, detector, **options):
        given.append(detector)
        return real(*arguments, detector=detector, **options)

    monkeypatch.setattr(house_days, "HouseRobot", robot)
    status, printed, _ = run(
        "sim", "house", "--seed", 30, "--out", tmp_path / "house", "--errand", "wait 2 seconds",
        "--pixels", "96x72", "--encoder", "none", "--detector", "network", "--json",
    )  # fmt: skip
    assert status == 0, printed
    assert [type(one) for one in given] == [NetworkDetector]


def test_a_house_is_evaluated_with_the_network_and_never_with_what_there_is_not(tmp_path):
    short = {"rooms": 4, "most_errands": 1, "longest_errand_s": 3.0, "longest_tour_s": 3.0}
    found, rows = evaluate_house(
        1, first_seed=12, setting=Setting("exact", detector="network", **short), encoder=None,
        rows_file=tmp_path / "rows.jsonl", cache_folder=tmp_path / "cache",
    )  # fmt: skip
    assert found["config"]["detector"] == "network"
    assert {row["detector"] for row in rows} == {"network"}
    with pytest.raises(InvalidQuery, match="another detector"):
        evaluate_house(
            1, first_seed=12, setting=Setting("exact", **short), encoder=None,
            rows_file=tmp_path / "rows.jsonl", resume=True,
        )  # fmt: skip
    with pytest.raises(InvalidQuery, match="segmentation, network"):
        evaluate_house(1, setting=Setting(detector="clairvoyant"), encoder=None)
