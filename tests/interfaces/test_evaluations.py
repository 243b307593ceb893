"""`robot-memory eval`: one object for programs, tables for people, a line for every item."""

from __future__ import annotations

import gzip
import importlib.metadata
import json
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from memory_core.interfaces import cli
from memory_core.interfaces.evaluations import _alike, told

PLUGINS = [
    EntryPoint(
        name, f"memory_sim.commands:{name.removeprefix('eval.').replace('-', '_')}", cli.PLUGINS
    )
    for name in (
        "demo",
        "sim",
        "do",
        "eval.house",
        "eval.house-changes",
        "eval.questions",
        "eval.retention",
    )
]
PLUGINS += [
    EntryPoint("eval.detector", "memory_sim.detecting.commands:evaluate", cli.PLUGINS),
    EntryPoint("eval.tasks", "memory_sim.task_commands:evaluate", cli.PLUGINS),
    EntryPoint("tasks", "memory_sim.task_commands:tasks", cli.PLUGINS),
    EntryPoint("train", "memory_sim.training.commands:train", cli.PLUGINS),
]
REPORTED = {"n", "seed", "config", "date", "machine", "seconds"}


@pytest.fixture
def plugged(monkeypatch):
    """The commands of simulation, whatever is installed."""
    real = importlib.metadata.entry_points
    monkeypatch.setattr(
        "importlib.metadata.entry_points",
        lambda **wanted: PLUGINS if wanted == {"group": cli.PLUGINS} else real(**wanted),
    )


@pytest.fixture
def campus(tmp_path):
    """Thirty captioned places."""
    words = ("A red barn stands here. Cows graze nearby.", "A pond with ducks. Reeds grow around it.",
             "A car park with forty cars. A barrier closes it.")  # fmt: skip
    places = [
        {"id": n, "name": f"Place {n}", "caption": f"{words[n % 3]} Number {n}.",
         "longitude": 8.0 + 0.0004 * (n % 6), "latitude": 47.0 + 0.0004 * (n // 6)}
        for n in range(30)
    ]  # fmt: skip
    with gzip.open(tmp_path / "places.jsonl.gz", "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(place) + "\n" for place in places)
    return tmp_path


def test_the_entry_points_of_the_project_are_these():
    import tomllib

    root = Path(__file__).parents[2]
    declared = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    found = declared["project"]["entry-points"][cli.PLUGINS]
    assert found == {entry.name: entry.value for entry in PLUGINS}
    for entry in PLUGINS:
        assert callable(entry.load())


def test_eval_forest_reports_both_forests(run, campus):
    rows = campus / "rows.jsonl"
    options = ("eval", "forest", campus, "--encoder", "hashing", "--sizes", 20, 30)
    found = run(*options, "--rows", rows, "--json").json
    assert set(found) >= REPORTED | {"reference", "incremental", "ratios"}
    for forest in ("reference", "incremental"):
        assert set(found[forest]) >= {"levels", "dasgupta", "caption@1", "insert_ms"}
    assert found["n"] == len(rows.read_text().splitlines()) == 30
    people = run(*options).out
    assert "dasgupta" in people
    assert "incremental" in people


def test_eval_forest_refuses_what_it_cannot_measure(run, campus, tmp_path):
    for options, code in (
        ((campus, "--encoder", "none"), "invalid_query"),
        ((campus, "--encoder", "hashing", "--sizes", 0), "invalid_query"),
        ((tmp_path / "nowhere", "--encoder", "hashing"), "recording_unreadable"),
    ):
        done = run("eval", "forest", *options, "--json")
        assert (done.status, done.json["error"]) == (3, code)


def test_eval_changes_reports_precision_and_recall(run, real_data, tmp_path):
    rows = tmp_path / "rows.jsonl"
    folder = real_data("rearrangement")
    found = run("eval", "changes", folder, "--exact", "--looks", 1, "--rows", rows, "--json").json
    assert set(found) >= REPORTED | {"precision", "recall", "f1"}
    assert found["config"]["exact"] is True
    assert found["n"] == len(rows.read_text().splitlines())


def test_eval_changes_refuses_no_looks_and_no_data(run, tmp_path):
    done = run("eval", "changes", tmp_path, "--looks", 0, "--json")
    assert (done.status, done.json["error"]) == (3, "invalid_query")
    done = run("eval", "changes", tmp_path, "--json")
    assert (done.status, done.json["error"]) == (3, "recording_unreadable")


def test_eval_questions_hands_its_options_on(run, plugged, monkeypatch, tmp_path):
    given = {}

    def measured(seeds, **options):
        given.update(options, seeds=seeds)
        options["progress"](1, seeds, "house 4")
        part = {"right": 0.5, "kinds": {"where": {"right": 0.5, "n_answerable": 2}}}
        return {"tuning": part, "reporting": part, "n": 2, "config": {}}, [{"q": 1}, {"q": 2}]

    monkeypatch.setattr("memory_sim.evaluation.evaluate_questions", measured)
    options = ("eval", "questions", "--seeds", 3, "--first-seed", 4, "--wordings", "tuning",
               "--cache", tmp_path, "--workers", 2, "--encoder", "none",
               "--rows", tmp_path / "rows.jsonl")  # fmt: skip
    done = run(*options, "--json")
    assert done.json["n"] == 2
    del given["progress"]
    assert given == {"seeds": 3, "first_seed": 4, "wordings": "tuning", "cache": tmp_path,
                     "workers": 2, "encoder": None}  # fmt: skip
    assert (tmp_path / "rows.jsonl").read_text() == '{"q": 1}\n{"q": 2}\n'
    people = run(*options).out
    assert "where" in people
    assert "reporting" in people


def test_eval_questions_refuses_no_houses(run, plugged):
    pytest.importorskip("pybullet")
    done = run("eval", "questions", "--seeds", 0, "--json")
    assert (done.status, done.json["error"]) == (3, "invalid_query")


def test_eval_retention_measures_every_policy_on_every_variant(run, plugged, tmp_path):
    pytest.importorskip("torch")
    rows = tmp_path / "rows.jsonl"
    options = ("eval", "retention", "--episodes", 5, "--steps", 2, "--rows", rows)
    found = run(*options, "--json").json
    assert set(found) >= REPORTED | {"accuracy", "chosen", "worst_gap"}
    assert set(found["worst_gap"]) >= {"fifo", "lifo", "mvfo", "lvfo", "ebbinghaus", "allocator"}
    told = [json.loads(line) for line in rows.read_text().splitlines()]
    assert {(row["variant"], row["policy"]): row["accuracy"] for row in told} == {
        (variant, policy): share
        for variant, row in found["accuracy"].items()
        for policy, share in row.items()
    }
    assert "allocator" in run(*options).out
    assert run("eval", "retention", "--episodes", 0, "--json").status == 3


@pytest.mark.parametrize(
    "arguments", [("eval", "questions", "--seeds", "3"), ("eval", "retention"), ("demo",)]
)
def test_without_simulation_the_line_that_installs_it_is_told(run, monkeypatch, arguments):
    monkeypatch.setattr("importlib.metadata.entry_points", lambda **_: ())
    done = run(*arguments, "--json")
    assert (done.status, done.json["error"]) == (8, "not_installed")
    assert "pip install 'robot-memory[sim]'" in done.err


def test_an_unknown_option_of_an_installed_command_is_wrong_usage(plugged):
    with pytest.raises(SystemExit) as raised:
        cli.main(["eval", "retention", "--bogus"])
    assert raised.value.code == 2


def test_parts_that_share_a_metric_stand_beside_each_other():
    parts = {"a": {"f1": 1}, "lost": {"too small": 3}, "b": {"f1": 2, "recall": 1}}
    assert _alike(parts) == [{"a": parts["a"], "b": parts["b"]}, {"lost": parts["lost"]}]


@pytest.mark.parametrize(
    ("value", "words"),
    [(None, "—"), (True, "True"), (12345, "12,345"), (0.5, "0.5"), ([1, 2.5], "1, 2.5"),
     ({"a": 1}, "a: 1"), ("x", "x")],
)  # fmt: skip
def test_values_are_told_in_words(value, words):
    assert told(value) == words
