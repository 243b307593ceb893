"""The demonstration: two days in a small home, asked, fetched and shown; wrong things cost the status."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from dataclasses import replace

import pytest

pytest.importorskip("pybullet")

from memory_core.memory import RobotMemory
from memory_core.types import Answer
from memory_sim import demo
from memory_sim.demo import Lived, run_demo
from memory_sim.report import Asked
from memory_sim.worlds.home.people import state
from memory_sim.worlds.home.plan import plan_home

SEED, ROOMS = 7, 4


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    out = tmp_path_factory.mktemp("demo")
    done = subprocess.run(
        [sys.executable, "-m", "memory_core.interfaces.cli", "demo", "--seed", str(SEED),
         "--rooms", str(ROOMS), "--out", str(out), "--json"],
        capture_output=True, text=True, check=False, timeout=600,
        env=os.environ | {"HF_HUB_OFFLINE": "1", "PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    return out, done


def test_the_demo_prints_one_json_object_and_its_status_says_that_all_was_right(shown):
    _, done = shown
    assert done.stdout.count("\n") == 1, done.stderr
    found = json.loads(done.stdout)
    assert found["verified"] is True
    assert found["asked"] == len(found["answers"]) >= 10
    assert found["right"] == sum(item["right"] for item in found["answers"])
    wrong = [item["question"] for item in found["answers"] if not item["right"]]
    assert wrong == []
    assert done.returncode == 0


def test_what_was_moved_overnight_is_found_and_brought_and_where_it_had_been_is_said(shown):
    _, done = shown
    errand = json.loads(done.stdout)["day_two"]
    home = plan_home(SEED, rooms=ROOMS, floors=1)
    thing = next(t for t in home.things if errand["words"] == f"bring me the {t.label}")
    before, after = (state(home, day).spots[thing.id] for day in (0, 1))
    assert before.furniture != after.furniture
    room = home.room_by_name[home.furniture_by_id[before.furniture].room]
    assert f"It had been in the {room.kind}" in errand["said"]
    assert errand["brought"] is True


def test_the_demo_leaves_a_memory_of_both_days_and_a_report_that_needs_nothing_else(shown):
    out, _ = shown
    report = (out / "report.html").read_text(encoding="utf-8")
    assert report.startswith("<!doctype html>")
    for part in ("<svg", "data:image/gif", "data:image/svg+xml", "data:image/jpeg"):
        assert part in report
    assert "http://" not in report.replace("http://www.w3.org", "")
    assert "<script" not in report
    assert (out / "errand.png").read_bytes().startswith(b"\x89PNG")
    with RobotMemory.open(out / "memory", read_only=True, text_encoder=None) as memory:
        assert memory.verify().clean
        assert set(memory.info()["sessions"]) == {"day 1", "day 2"}


@pytest.mark.parametrize(
    "options",
    [("--rooms", "3"), ("--rooms", "13"), ("--misses", "1.5"), ("--seed", "1", "--rooms", "4")],
)
def test_an_impossible_demo_is_refused_in_one_line(options, tmp_path, capsys):
    from memory_core.interfaces import cli

    status = cli.main(["demo", *options, "--out", str(tmp_path / "demo"), "--json"])
    out, err = capsys.readouterr()
    assert status == 3
    assert json.loads(out)["error"] == "invalid_query"
    assert err.count("\n") == 1
    assert not (tmp_path / "demo").exists()


FINE = Lived(
    (Asked("where is it?", Answer("There.", "where"), "there", True, 0.0),), "<p>fine</p>", True, 0,
    {"simulated_s": 1, "seconds": 1.0, "questions_s": 0.0, "render_ms": 1.0, "perceive_ms": 1.0,
     "remember_ms": 1.0, "brought": True, "says_where_it_had_been": True}, {},
)  # fmt: skip
WRONG = replace(FINE.asked[0], right=False)


@pytest.mark.parametrize(
    ("first", "second", "status"),
    [
        (FINE, FINE, 0),
        (replace(FINE, asked=(WRONG,)), FINE, 1),
        (FINE, replace(FINE, asked=(WRONG,)), 1),
        (replace(FINE, done=False), FINE, 1),
        (FINE, replace(FINE, done=False), 1),
        (replace(FINE, kept=3), FINE, 5),
    ],
)
def test_the_status_tells_whether_anything_was_wrong(first, second, status, tmp_path, monkeypatch):
    monkeypatch.setattr(demo, "_first_day", lambda *_: first)
    monkeypatch.setattr(demo, "_second_day", lambda *_: second)
    options = argparse.Namespace(
        seed=SEED, rooms=ROOMS, misses=0.0, out=tmp_path, json=True, quiet=True
    )
    assert run_demo(options) == status
