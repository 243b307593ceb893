"""A small tour is remembered, asked and shown; the same seed gives the same memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

pytest.importorskip("pybullet")

from memory_core.memory import RobotMemory
from memory_sim.demo import START_NS
from memory_sim.tour import drive, tour
from memory_sim.worlds.house import House
from memory_sim.worlds.plan import plan_house

PLAN = plan_house(11, rooms=2)


def remember(folder):
    """Tours the plan; returns every observation, in order."""
    with House(PLAN) as house, RobotMemory.open(folder, text_encoder=None) as memory:
        tour(house, memory, start_ns=START_NS, session="one")
        assert memory.verify().clean
        return [item.observation for item in memory.store.fetch(list(memory.store.rowids()))]


@pytest.fixture(scope="module")
def toured(tmp_path_factory):
    return remember(tmp_path_factory.mktemp("tour") / "memory")


def test_the_same_seed_gives_the_same_observations(toured, tmp_path):
    again = {item.id: item for item in remember(tmp_path / "again")}
    first = {item.id: item for item in toured}
    assert set(again) == set(first)
    assert [again[name] for name in first] == list(first.values())


def test_a_tour_leaves_odometry_views_and_the_battery(toured):
    sources = [item.source for item in toured]
    assert sources.count("odometry") == len(list(drive(PLAN)))
    assert sources.count("battery") >= 2
    views = [item for item in toured if item.source == "camera"]
    assert len(views) >= 10
    assert len({item.id for item in toured}) == len(toured)


def test_no_body_number_and_no_ground_truth_leaves_the_simulator(toured):
    labels = {thing.kind.label for thing in PLAN.things}
    for item in toured:
        assert set(item.extra) <= {"body", "view"}
        assert set(item.extra.get("body", {})) <= {"charge"}
        assert {sighting.label for sighting in item.sightings} <= labels
        for sighting in item.sightings:
            assert not any(letter.isdigit() for letter in sighting.label)
            assert sighting.embedding is None
    truth = {thing.position for thing in PLAN.things}
    for item in toured:
        for sighting in item.sightings:
            assert tuple(item.pose.apply(*sighting.position)) not in truth


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    out = tmp_path_factory.mktemp("demo")
    done = subprocess.run(
        [sys.executable, "-m", "memory_core.interfaces.cli", "demo", "--rooms", "2", "--seed", "3",
         "--out", str(out), "--json"],
        capture_output=True, text=True, check=False, timeout=120,
        env=os.environ | {"HF_HUB_OFFLINE": "1", "PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return out, done


def test_the_demo_prints_one_json_object_and_most_answers_are_right(shown):
    _, done = shown
    assert done.stdout.count("\n") == 1
    found = json.loads(done.stdout)
    assert found["verified"] is True
    assert found["asked"] == len(found["answers"]) == 8
    assert found["right"] == sum(item["right"] for item in found["answers"])
    assert found["right"] >= 6


def test_the_demo_leaves_a_memory_and_a_report_that_needs_nothing_else(shown):
    out, _ = shown
    report = (out / "report.html").read_text(encoding="utf-8")
    assert report.startswith("<!doctype html>")
    assert "<svg" in report
    assert "http://" not in report.replace("http://www.w3.org", "")
    assert "<script" not in report
    with RobotMemory.open(out / "memory", read_only=True, text_encoder=None) as memory:
        assert memory.verify().clean
        assert memory.store.count() > 100


@pytest.mark.parametrize(
    "options", [("--rooms", "1"), ("--rooms", "7"), ("--rooms", "2", "--misses", "1.5")]
)
def test_an_impossible_demo_is_refused_in_one_line(options, tmp_path, capsys):
    from memory_core.interfaces import cli

    status = cli.main(["demo", *options, "--out", str(tmp_path / "demo"), "--json"])
    out, err = capsys.readouterr()
    assert status == 3
    assert json.loads(out)["error"] == "invalid_query"
    assert err.count("\n") == 1
    assert not (tmp_path / "demo").exists()
