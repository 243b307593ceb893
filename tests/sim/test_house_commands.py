"""`robot-memory sim house` and `robot-memory do`: a day lived, an errand planned, done and resumed."""

from __future__ import annotations

import json
import os
import signal

import pytest

pytest.importorskip("pybullet")

from memory_core.memory import RobotMemory
from memory_core.planning.body import Localisation
from memory_core.planning.outcomes import Journal, Progress
from memory_core.types import Observation, Pose, Sighting
from memory_sim.house_days import START_NS, stoppable

SMALL = ("--pixels", "96x72", "--encoder", "none")
HOME = "30"


@pytest.fixture
def lived(run, tmp_path):
    """The folder of a memory after a short first day."""
    out = tmp_path / "house"
    status, printed, _ = run(
        "sim", "house", "--seed", HOME, "--out", out, "--errand", "wait 2 seconds", "--json", *SMALL
    )
    assert status == 0, printed
    return out / "memory"


def sessions(folder):
    with RobotMemory.open(folder, read_only=True, text_encoder=None) as memory:
        stored = memory.store.fetch(list(memory.store.rowids()))
        return {item.observation.session for item in stored}


def with_a_mug(folder):
    """A memory that saw a mug, and when."""
    with RobotMemory.open(folder, text_encoder=None) as memory:
        memory.observe(Observation(
            id="seen", stamp_ns=START_NS, pose=Pose(), source="camera",
            sightings=(Sighting("red mug", position=(1.0, 0.5, 0.8), confidence=0.9),),
        ))  # fmt: skip
    return folder


def test_a_day_is_lived_told_and_kept(run, tmp_path):
    out = tmp_path / "house"
    status, printed, _ = run(
        "sim", "house", "--seed", HOME, "--out", out, "--errand", "wait 2 seconds",
        "--errand", "say dinner is ready", *SMALL,
    )  # fmt: skip
    assert status == 0
    lines = printed.splitlines()
    assert [line for line in lines if line.startswith(">")] == [
        "> wait 2 seconds", "> say dinner is ready",
    ]  # fmt: skip
    assert "   0:00  wait 2 s" in lines
    assert any("say 'dinner is ready'" in line for line in lines)
    assert lines[-1] == f"2 of 2 done; the memory is in {out / 'memory'}"
    assert sessions(out / "memory") == {"day 1"}


def test_a_day_for_programs_is_one_object(run, tmp_path):
    out = tmp_path / "house"
    status, printed, _ = run(
        "sim", "house", "--seed", HOME, "--day", "1", "--out", out, "--errand", "wait 2 seconds",
        "--video", "--json", *SMALL,
    )  # fmt: skip
    assert status == 0
    assert printed.count("\n") == 1
    found = json.loads(printed)
    assert (found["seed"], found["day"], found["done"]) == (30, 1, 1)
    assert [outcome["words"] for outcome in found["outcomes"]] == ["wait 2 seconds"]
    assert (out / "day-2.mp4").stat().st_size > 1000
    assert (out / "day-2.png").read_bytes().startswith(b"\x89PNG")


def test_the_detector_makes_the_errors_it_is_told_to_and_the_result_says_which(run, tmp_path):
    status, printed, _ = run(
        "sim", "house", "--seed", HOME, "--out", tmp_path / "house", "--errand", "wait 1 second",
        "--misses", "0.2", "--position-noise", "0.03", "--json", *SMALL,
    )  # fmt: skip
    assert status == 0
    assert json.loads(printed)["sees_with"] == {
        "detector": "segmentation", "misses": 0.2, "confusions": 0.0, "position_noise_m": 0.03,
    }  # fmt: skip


@pytest.mark.parametrize(
    "told", [("--misses", "1.5"), ("--position-noise", "-1"), ("--detector", "clairvoyant")]
)
def test_a_detector_that_cannot_be_is_refused(run, tmp_path, told):
    status, _, wrong = run(
        "sim", "house", "--seed", HOME, "--out", tmp_path / "house", "--errand", "wait 1 second",
        *told, *SMALL,
    )  # fmt: skip
    assert status != 0
    assert "invalid_query" in wrong


def test_an_errand_is_done_the_day_after_the_last_unless_a_day_is_given(run, lived):
    for day, words in (((), "wait 1 second"), (("--day", "1"), "say hello")):
        status, printed, _ = run(
            "do", words, "--memory", lived, "--sim", HOME, "--json", *day, *SMALL
        )
        assert status == 0
        found = json.loads(printed)
        assert (found["day"], found["outcome"]["done"], found["outcome"]["words"]) == (
            1,
            True,
            words,
        )
    assert sessions(lived) == {"day 1", "day 2"}


def test_what_cannot_be_done_is_told_and_the_status_says_so(run, lived):
    status, printed, _ = run(
        "do", "go to where you first saw the unicorn", "--memory", lived, "--sim", HOME, *SMALL
    )
    assert status == 1
    assert "not done (nothing known)" in printed
    assert "I know of no unicorn." in printed


def test_a_plan_is_shown_as_text_and_on_the_map_and_nothing_is_done(run, tmp_path):
    folder, drawing = with_a_mug(tmp_path / "memory"), tmp_path / "plan.svg"
    status, printed, _ = run(
        "do", "bring", "me", "the", "red", "mug", "--memory", folder, "--plan", "--draw", drawing,
        "--encoder", "none",
    )  # fmt: skip
    assert status == 0
    lines = printed.splitlines()
    assert lines[0] == "1. drive to see the red mug"
    assert "take the red mug" in printed
    assert lines[-1] == f"drawn on the map in {drawing}"
    assert "red mug" in drawing.read_text(encoding="utf-8")
    with RobotMemory.open(folder, read_only=True, text_encoder=None) as memory:
        assert memory.store.count() == 1


def test_a_plan_at_home_starts_from_the_dock_and_leaves_the_memory_as_it_is(run, tmp_path, lived):
    before = (lived / "memory.db").read_bytes()
    status, printed, _ = run(
        "do", "bring me the red mug", "--memory", lived, "--sim", HOME, "--plan", "--json",
        "--draw", tmp_path / "plan.svg", *SMALL,
    )  # fmt: skip
    assert status == 0
    found = json.loads(printed)
    assert found["goal"]["thing"] == "red mug"
    assert [step["skill"] for step in found["steps"]] == ["search", "pick", "goto", "give"]
    assert "<title>robot</title>" in (tmp_path / "plan.svg").read_text(encoding="utf-8")
    assert (lived / "memory.db").read_bytes() == before


def test_what_a_power_cut_ended_is_resumed_on_its_day(run, lived):
    with RobotMemory.open(lived, text_encoder=None) as memory:
        progress = Progress("errand:1", "say the cake is done", START_NS + 10**9, None)
        Journal(memory, session="day 1").note(progress, Localisation(Pose()), START_NS + 10**9)
    command = ("do", "--resume", "--memory", lived, "--sim", HOME, "--json", *SMALL)
    status, printed, _ = run(*command)
    assert status == 0
    found = json.loads(printed)
    assert found["day"] == 0
    assert found["outcome"]["words"] == "say the cake is done"
    status, printed, _ = run(*command)
    assert (status, json.loads(printed)["outcome"]) == (0, None)


@pytest.mark.parametrize(
    ("words", "code", "next_step"),
    [
        (("do", "bring me the mug"), "planner_missing", "--sim SEED"),
        (("do", "bring me the mug", "--sim", "31"), "invalid_query", "take that seed"),
        (("do",), "invalid_query", "--resume"),
        (("do", "sing a song", "--sim", HOME), "goal_not_understood", "fetch"),
        (("do", "wait 1 second", "--resume", "--sim", HOME), "invalid_query", "either"),
        (("do", "wait 1 second", "--sim", HOME, "--day", "-1"), "invalid_query", "first is 0"),
        (("do", "wait 1 second", "--sim", HOME, "--pixels", "12"), "invalid_query", "320x240"),
        (("do", "wait 1 second", "--sim", HOME, "--video", "film.avi"), "invalid_query", ".mp4"),
    ],
)
def test_what_cannot_be_asked_names_the_next_step(run, tmp_path, words, code, next_step):
    folder = with_a_mug(tmp_path / "memory")
    (folder / "home.json").write_text('{"seed": 30}', encoding="utf-8")
    status, printed, complaint = run(*words, "--memory", folder, "--encoder", "none")
    assert status != 0
    assert complaint.startswith(f"{code}: ")
    assert next_step in complaint
    assert printed == ""


def test_without_a_memory_it_says_so_and_makes_none(run, tmp_path):
    folder = tmp_path / "nowhere"
    status, _, complaint = run("do", "wait 1 second", "--memory", folder, "--sim", HOME)
    assert status == 4
    assert complaint.startswith("memory_missing: ")
    assert not folder.exists()


def test_words_that_no_robot_can_follow_are_refused_before_the_day_begins(run, tmp_path):
    out = tmp_path / "house"
    status, _, complaint = run("sim", "house", "--errand", "wait 1 second", "--errand", "sing",
                               "--out", out)  # fmt: skip
    assert status == 3
    assert complaint.startswith("goal_not_understood: ")
    assert not out.exists()


def test_ctrl_c_ends_the_errand_and_not_the_process():
    before = signal.getsignal(signal.SIGINT)
    with stoppable() as stopped:
        assert not stopped()
        os.kill(os.getpid(), signal.SIGINT)
        assert stopped()
    assert signal.getsignal(signal.SIGINT) is before
