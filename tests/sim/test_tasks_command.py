"""`robot-memory tasks` and `robot-memory eval tasks`: what they print, write, refuse and resume."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest

pytest.importorskip("gymnasium")
pytest.importorskip("cv2")

import cv2
import numpy as np

from memory_core.errors import InvalidQuery
from memory_core.interfaces.cli import build_parser, main
from memory_sim.task_evaluation import evaluate_tasks, play, share, wilson
from memory_sim.task_pictures import Strip, write_strip
from memory_sim.task_registry import SUITES, suite_of, task_ids
from memory_sim.tasks import ballet, ballet_rooms

SMALL = "Ballet/Dances2Delay16Symbols-v0"
DOCS = Path(__file__).parents[2] / "docs"
PAGE = DOCS / "plug-in-your-memory.md"


def run(line, capsys):
    status = main(shlex.split(line))
    printed = capsys.readouterr()
    return status, printed.out, printed.err


def asked(line, capsys):
    status, out, err = run(f"{line} --json", capsys)
    assert status == 0, err
    return json.loads(out)


def test_every_registered_task_of_a_suite_is_listed_with_its_chance(capsys):
    found = asked("tasks list --suite ballet", capsys)["tasks"]
    assert {row["id"] for row in found} == {*ballet.IDS, *ballet_rooms.IDS}
    chances = {row["id"]: row["chance"] for row in found}
    assert chances["Ballet/Dances4Delay48-v0"] == 0.25
    assert chances["RoomBallet/Recent-v0"] == 0.125
    assert {row["suite"] for row in found} == {"ballet"}
    assert set(task_ids()) >= set(chances)


def test_a_task_is_told_and_drawn(tmp_path, capsys):
    found = asked(f"tasks show {SMALL} --out {tmp_path / 'strip.png'}", capsys)
    assert found["conditions"] == ["at a dancer", "at the right one"]
    assert "dance" in found["told"]
    picture = cv2.imread(str(tmp_path / "strip.png"))
    assert picture.shape[0] > 800
    assert picture.shape[1] == 4 * (396 + 8)
    status, out, _ = run(f"tasks show {SMALL} --out {tmp_path / 'again.png'}", capsys)
    assert status == 0
    assert "Success: at a dancer, then at the right one. Chance: 0.5." in out


def test_an_agent_plays_and_is_filmed(tmp_path, capsys):
    film = tmp_path / "film.mp4"
    found = asked(f"tasks run {SMALL} --agent memory --episodes 2 --seed 3 --video {film}", capsys)
    assert found["results"] == {SMALL: {"memory": share(2, 2)}}
    assert [row["seed"] for row in found["episodes"]] == [3, 4]
    video = cv2.VideoCapture(str(film))
    frames = int(video.get(cv2.CAP_PROP_FRAME_COUNT))
    video.release()
    assert frames == sum(row["steps"] + 1 for row in found["episodes"])


def test_the_evaluation_is_reported_as_the_evaluation_page_says(tmp_path, capsys):
    rows_file, failures = tmp_path / "rows.jsonl", tmp_path / "failures"
    line = (f"eval tasks --task {SMALL} RoomBallet/EarlySymbols-v0 --suite ballet --agent none "
            f"oracle --episodes 6 --rows {rows_file} --failures {failures}")  # fmt: skip
    found = asked(line, capsys)
    assert set(found) >= {"results", "n", "seed", "config", "date", "machine", "seconds"}
    assert set(found["results"]) == {SMALL, "RoomBallet/EarlySymbols-v0"}
    for task, reached in found["results"].items():
        assert set(reached) == {"none", "oracle"}
        assert all(set(r) == {"success", "low", "high", "episodes"} for r in reached.values())
        assert reached["oracle"] == share(6, 6)
        assert reached["none"]["success"] < 1
        assert set(found["failures"][task]) == {"none"}
    assert found["chance"] == {SMALL: 0.5, "RoomBallet/EarlySymbols-v0": 0.125}
    assert found["n"] == 24
    rows = [json.loads(line) for line in rows_file.read_text(encoding="utf-8").splitlines()]
    assert len(rows) == 24
    mine = [row for row in rows if (row["task"], row["agent"]) == (SMALL, "none")]
    assert [row["seed"] for row in mine] == list(range(6))
    right = sum(row["success"] for row in mine)
    assert found["results"][SMALL]["none"] == share(right, 6)
    assert {row["failure"] for row in mine} == {None, "not at the right one"}
    assert sorted(path.name for path in failures.iterdir()) == [
        "Ballet-Dances2Delay16Symbols-v0--none--not-at-the-right-one.png",
        "RoomBallet-EarlySymbols-v0--none--not-the-right-dance.png",
    ]
    status, out, _ = run(line.replace("--episodes 6", "--episodes 2"), capsys)
    assert status == 0
    assert "1.00 (0.34 to 1.00)" in re.sub(r"\s+", " ", out)


def test_a_stopped_evaluation_goes_on_where_it_ended(tmp_path, monkeypatch):
    rows_file = tmp_path / "rows.jsonl"
    options = {"tasks": [SMALL], "agents": ["none"], "rows_file": rows_file}
    whole, rows = evaluate_tasks(["ballet"], episodes=8, **options)
    kept = rows_file.read_text(encoding="utf-8").splitlines(keepends=True)
    rows_file.write_text("".join(kept[:5]) + kept[5][:20], encoding="utf-8")
    played = []
    monkeypatch.setattr("memory_sim.task_evaluation.play", watching(played))
    resumed, again = evaluate_tasks(["ballet"], episodes=8, resume=True, **options)
    assert played == [5, 6, 7]
    assert resumed["results"] == whole["results"]
    assert [row["success"] for row in again] == [row["success"] for row in rows]
    assert again[:5] == rows[:5]


def watching(played, play=play):
    def noted(env, agent, *, seed, watch=None):
        played.append(seed)
        return play(env, agent, seed=seed, watch=watch)

    return noted


def test_two_processes_find_what_one_finds():
    options = {"tasks": [SMALL], "agents": ["none", "oracle"], "episodes": 4}
    one, _ = evaluate_tasks(["ballet"], **options)
    two, _ = evaluate_tasks(["ballet"], workers=2, **options)
    assert one["results"] == two["results"]


@pytest.mark.parametrize(("line", "says"), [
    ("tasks run Ballet/Dances2Delay16Symbol-v0", "Did you mean Ballet/Dances2Delay16Symbols-v0"),
    ("tasks show CartPole-v1", "tasks list"),
    (f"tasks run {SMALL} --agent perfect", "memory, window, last-frame, none, oracle"),
    (f"tasks run {SMALL} --episodes 0", "1 or more"),
    (f"tasks run {SMALL} --video film.avi", ".mp4"),
    ("tasks list --suite chess", "memorybench, mikasa, generated, ballet"),
    ("eval tasks --suite chess", "memorybench, mikasa, generated, ballet"),
    ("eval tasks --suite ballet --agent perfect", "memory, window, last-frame, none, oracle"),
    ("eval tasks --suite ballet --task Ballet/None-v0", "tasks list"),
    ("eval tasks --suite ballet --episodes 0", "at least 1 of each"),
    ("eval tasks --suite ballet --resume", "--rows"),
])  # fmt: skip
def test_what_there_is_not_is_refused_in_one_line_with_a_next_step(line, says, capsys):
    status, out, err = run(line, capsys)
    assert (status, out) == (3, "")
    assert err.startswith("invalid_query: ")
    assert len(err.splitlines()) == 1
    assert says in err


def test_suites_are_known_by_the_names_of_their_tasks():
    assert set(SUITES) == {"memorybench", "mikasa", "generated", "ballet"}
    assert suite_of("RoomBallet/Early-v0") is SUITES["ballet"]
    with pytest.raises(InvalidQuery):
        suite_of("House/FindObject-v0")


def test_the_interval_is_that_of_wilson():
    # Newcombe (1998), table I, method 3: 81 of 263, 15 of 148, 0 of 20, 1 of 29
    for successes, episodes, low, high in ((81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605),
                                           (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)):  # fmt: skip
        assert wilson(successes, episodes) == pytest.approx((low, high), abs=5e-5)


def test_a_strip_leaves_out_what_looks_the_same_and_keeps_first_and_last(tmp_path):
    strip = Strip()
    for number in range(2_000):
        strip.add(np.full((20, 30, 3), min(number // 4, 240), np.uint8))
    assert len(strip._frames) <= 128
    strip.write(tmp_path / "strip.png")
    picture = cv2.imread(str(tmp_path / "strip.png"))
    assert picture.shape == (2 * 20, 4 * 38, 3)
    shades = [
        int(picture[20 * row + 5, 38 * column + 10, 0]) for row in (0, 1) for column in range(4)
    ]
    assert (shades[0], shades[-1]) == (0, 240)
    assert shades == sorted(set(shades))
    with pytest.raises(InvalidQuery):
        write_strip(tmp_path / "none.png", [])


class Looked:
    """An environment with a camera to look through, and one step."""

    def __init__(self, **info):
        self.unwrapped, self._info = self, info

    def look(self, camera):
        return f"seen by the {camera}"

    def reset(self, *, seed):
        return {"instruction": "look"}, self._info

    def step(self, action):
        self.action = action
        return {"instruction": "look"}, 0.0, True, False, self._info


class Looking:
    def reset(self, instruction, *, seed=0):
        pass

    def act(self, observation):
        return observation["look"]("wrist"), observation.get("state")

    def close(self):
        pass


def test_an_agent_looks_when_it_wants_to_and_an_oracle_is_shown_the_truth():
    conditions = {"taken": True, "put back": False}
    env = Looked(success=False, conditions=conditions, spoiled="")
    assert play(env, Looking(), seed=0).failure == "not put back"
    assert env.action == ("seen by the wrist", None)
    env = Looked(
        success=False, conditions=conditions, spoiled="left elsewhere", state={"answer": 3}
    )
    assert play(env, Looking(), seed=0).failure == "left elsewhere"
    assert env.action == ("seen by the wrist", {"answer": 3})
    assert play(Looked(success=True, conditions={}), Looking(), seed=0).failure is None


def examples():
    return re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


def test_the_examples_of_ones_own_memory_and_agent_run_and_are_short(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    text = PAGE.read_text(encoding="utf-8")
    for example in examples():
        name = re.match(r"# (\w+\.py)\n", example).group(1)
        Path(name).write_text(example, encoding="utf-8")
        assert len(example.splitlines()) < 30
    lines = re.findall(r"^robot-memory (.*)$", text, re.MULTILINE)
    assert len(lines) >= 2
    for line in lines:
        status, _, err = run(line, capsys)
        assert status == 0, f"{line}: {err}"
    own = asked(f"eval tasks --suite ballet --task {SMALL} --episodes 10 --agent memory "
                "my_memory.py:Newest my_agent.py:Guess", capsys)["results"][SMALL]  # fmt: skip
    assert own["memory"]["success"] == 1
    assert own["my_memory.py:Newest"]["success"] == 1
    assert own["my_agent.py:Guess"]["success"] < 1


def test_the_page_on_the_ballet_shows_what_runs(capsys):
    text = (DOCS / "ballet.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    exec(compile(block, "docs/ballet.md", "exec"), {"__name__": "docs.ballet"})
    assert capsys.readouterr().out.startswith("Go to the dancer who danced the ")
    lines = re.findall(r"^robot-memory ([^#\n]*)", text, re.MULTILINE)
    assert len(lines) == 6
    for line in lines:
        assert build_parser().parse_args(shlex.split(line)).run
    for name in re.findall(r"`((?:Ballet|RoomBallet)/[\w-]+-v0)`", text):
        assert name in (*ballet.IDS, *ballet_rooms.IDS), name
