"""Recall in a real house, as `robot-memory eval houses` measures it."""

from __future__ import annotations

import gzip
import json

import pytest

from memory_core.errors import EmptyMemory, RecordingUnreadable
from memory_core.evaluation.houses import evaluate_houses, find_houses
from memory_core.evaluation.report import write_rows
from memory_core.perception.text import HashingEncoder, SentenceEncoder

HOUSE = "pRbA3pwrgk9"


@pytest.fixture(scope="module")
def folder(real_data):
    return real_data("reverie")


@pytest.fixture(scope="module")
def house(folder):
    with gzip.open(folder / f"{HOUSE}.json.gz") as file:
        return json.load(file)


@pytest.fixture(scope="module")
def scored(folder):
    pytest.importorskip("sentence_transformers")
    ticks = []
    report, rows = evaluate_houses(
        folder, names=[HOUSE], encoder=SentenceEncoder(),
        progress=lambda done, total, name: ticks.append((done, total, name)),
    )  # fmt: skip
    return report, rows, ticks


def test_peoples_words_find_the_place(scored):
    report, _, _ = scored
    assert report["place@1"] > 0.45
    assert report["place@5"] > 0.75
    assert report["object@1"] > 0.3
    assert report["refused_present"] < 0.2


def test_every_sentence_counts(scored, house):
    report, rows, ticks = scored
    said = [sentence for task in house["tasks"] for sentence in task["instructions"]]
    assert [row["sentence"] for row in rows] == said
    assert report["n"] == report["houses"][HOUSE]["n"] == len(said)
    assert ticks == [(n, len(said), HOUSE) for n in range(1, len(said) + 1)]


def test_scores_are_those_of_the_hidden_ids(scored, house):
    report, rows, _ = scored
    sees = {entry["id"]: {item["id"] for item in entry["objects"]} for entry in house["viewpoints"]}
    targets = {task["id"]: task["target_object"] for task in house["tasks"]}
    for k in (1, 5, 10):
        hits = [
            any(targets[row["task"]] in sees[station] for station in row["stations"][:k])
            for row in rows
        ]
        assert report[f"place@{k}"] == pytest.approx(sum(hits) / len(hits), abs=1e-4)


def test_stations_left_out_of_the_graph_are_never_found(scored, house):
    included = {entry["id"] for entry in house["viewpoints"] if entry["included"]}
    assert {station for row in scored[1] for station in row["stations"]} <= included


def made(folder, name, things, *, sentences=()):
    """A house of one station that sees some things."""
    objects = [
        {"id": n, "name": thing, "views": [{"view": 12 + n, "bbox": [300, 200, 40, 40]}]}
        for n, thing in enumerate(things)
    ]
    pose = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 1.5, 0, 0, 0, 1]
    station = {"id": "s", "included": True, "pose": pose, "height": 1.5, "neighbors": [],
               "objects": objects}  # fmt: skip
    tasks = [{"id": 1, "start": "s", "goal": "s", "target_object": 0,
              "instructions": list(sentences)}]  # fmt: skip
    value = {"scan": name, "viewpoints": [station], "tasks": tasks}
    with gzip.open(folder / f"{name}.json.gz", "wt") as file:
        json.dump(value, file)


def test_what_is_only_in_the_other_house_is_asked_for_and_refused(tmp_path):
    made(tmp_path, "one", ["mug", "lamp"], sentences=["bring me the mug"])
    made(tmp_path, "two", ["sofa", "lamp"], sentences=["go to the sofa"])
    report, rows = evaluate_houses(tmp_path, encoder=HashingEncoder())
    assert (report["n"], report["place@1"], report["object@1"]) == (2, 1.0, 1.0)
    assert report["refused_absent"] == 1.0
    assert report["refused_present"] == 0.0
    assert [row["house"] for row in rows] == ["one", "two"]


def test_houses_are_found_by_name(tmp_path):
    made(tmp_path, "one", ["mug"])
    made(tmp_path, "two", ["mug"])
    assert [path.name for path in find_houses(tmp_path)] == ["one.json.gz", "two.json.gz"]
    assert [path.name for path in find_houses(tmp_path, ["two"])] == ["two.json.gz"]
    with pytest.raises(RecordingUnreadable, match="no house three"):
        find_houses(tmp_path, ["three"])
    with pytest.raises(EmptyMemory, match="no sentences"):
        evaluate_houses(tmp_path, encoder=None)


def test_a_folder_without_houses_is_refused(tmp_path):
    with pytest.raises(RecordingUnreadable, match="no house"):
        find_houses(tmp_path)


def test_rows_are_written_one_a_line(tmp_path):
    rows = [{"sentence": "grüne Tür", "place@1": 1}, {"sentence": "a\nb", "place@1": 0}]
    write_rows(tmp_path / "rows.jsonl", rows)
    written = (tmp_path / "rows.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in written] == rows
