"""What moved in real flats, as `robot-memory eval changes` measures it."""

from __future__ import annotations

import gzip
import json
from collections import Counter

import numpy as np
import pytest

from memory_core.errors import RecordingUnreadable
from memory_core.evaluation.changes import (
    EXACT,
    Noise,
    evaluate_changes,
    happened,
    see,
    with_known_openables,
)
from memory_core.recordings.rearrangement import read_episodes


@pytest.fixture(scope="module")
def folder(real_data):
    return real_data("rearrangement")


@pytest.fixture(scope="module")
def episodes(folder):
    return with_known_openables(read_episodes(folder / "episodes.json.gz"))


@pytest.fixture(scope="module")
def scored(folder):
    ticks = []
    report, rows = evaluate_changes(folder, progress=lambda *tick: ticks.append(tick))
    return report, rows, ticks


def test_moved_and_opened_things_are_told_under_noise(scored):
    report, _, _ = scored
    assert report["f1"] >= 0.93
    assert report["tuning"]["f1"] >= 0.93
    assert report["held_out"]["f1"] >= 0.9


def test_without_noise_nearly_everything_is_told(folder):
    report, _ = evaluate_changes(folder, exact=True)
    assert report["precision"] >= 0.97
    assert report["recall"] >= 0.95


def test_scores_follow_from_the_rows(scored):
    report, rows, ticks = scored
    right = told = truth = 0
    for row in rows:
        truth += row["truth"]
        told += row["told"]
        right += row["truth"] - len(row["lost"])
    assert report["precision"] == pytest.approx(right / told, abs=1e-4)
    assert report["recall"] == pytest.approx(right / truth, abs=1e-4)
    assert report["f1"] == pytest.approx(2 * right / (told + truth), abs=1e-4)
    assert report["n"] == len(rows) == 100
    assert [tick[:2] for tick in ticks] == [(n, 100) for n in range(1, 101)]
    assert sum(report["lost"].values()) == sum(len(row["lost"]) for row in rows)


def test_the_truth_is_what_the_data_set_counts(folder, episodes):
    with gzip.open(folder / "episodes.json.gz") as file:
        raw = json.load(file)
    for episode, value in zip(episodes, raw, strict=True):
        kinds = Counter(kind for kind, _ in happened(episode))
        assert kinds["moved"] == value["position_diff_count"]
        assert kinds["opened"] == value["open_diff_count"]


def test_the_same_seed_gives_the_same_scores(folder):
    first, _ = evaluate_changes(folder, seed=3, looks=1)
    again, _ = evaluate_changes(folder, seed=3, looks=1)
    assert [first[key] for key in ("precision", "recall", "f1")] == [
        again[key] for key in ("precision", "recall", "f1")
    ]


def test_the_noise_is_as_strong_as_it_says(episodes):
    episode = episodes[0]
    items = list(episode.before.values())
    rng = np.random.default_rng(0)
    found, wrong, errors = 0, 0, []
    for _ in range(400):
        _, sightings = see(items, episode, rng, noise=Noise())
        found += len(sightings)
        wrong += sum(seen.label != items[seen.key].kind for seen in sightings)
        errors += [seen.position - items[seen.key].pose.position for seen in sightings]
    assert found / (400 * len(items)) == pytest.approx(0.9, abs=0.01)
    assert wrong / found == pytest.approx(0.05, abs=0.01)
    assert np.std(errors, axis=0) == pytest.approx([0.05] * 3, rel=0.05)


def test_exact_sightings_are_those_of_the_file(episodes):
    episode = episodes[1]
    items = list(episode.before.values())
    _, sightings = see(items, episode, np.random.default_rng(0), noise=EXACT)
    assert [(seen.label, tuple(seen.position)) for seen in sightings] == [
        (item.kind, item.pose.position) for item in items
    ]


def test_a_folder_without_episodes_is_refused(tmp_path):
    with pytest.raises(RecordingUnreadable, match="episodes"):
        evaluate_changes(tmp_path)
