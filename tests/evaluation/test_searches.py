"""How the benchmark of searches counts: pairs, failures, and rows that are kept."""

from __future__ import annotations

import json

import pytest

pytest.importorskip("pybullet")

from benchmarks import searches
from benchmarks.searches import ratio, told


def row(seed, number, agent, driven_m, *, done=True):
    return {
        "row": "errand", "seed": seed, "day": 2, "number": number, "agent": agent, "moved": True,
        "driven_m": driven_m, "search_m": driven_m if done else None, "done": done,
        "simulated_s": 60.0,
    }  # fmt: skip


ROWS = [
    row(1, 0, "memory", 4.0), row(1, 0, "flat", 10.0), row(1, 1, "memory", 6.0),
    row(1, 1, "flat", 30.0, done=False), row(2, 0, "memory", 10.0), row(2, 0, "flat", 10.0),
    row(2, 1, "memory", 90.0, done=False), row(2, 1, "flat", 80.0, done=False),
]  # fmt: skip


def test_what_nobody_found_counts_for_nothing_and_a_failed_search_for_what_was_driven():
    mine, theirs = ([one for one in ROWS if one["agent"] == agent] for agent in ("memory", "flat"))
    found = ratio(mine, theirs)
    assert (found["searches"], found["ratio"]) == (3, 0.4)
    assert (found["both"], found["ratio_both"]) == (2, 0.7)
    assert found["low"] == 0.25 and found["high"] == 1.0
    assert ratio(mine, []) is None


def test_each_agent_is_told_with_its_ways_over_the_others():
    memory, flat = told(ROWS, ["memory", "flat"])
    assert memory["searches"] == 4 and memory["found"] == 0.75 and memory["metres"] == 27.5
    assert memory["over"]["flat"]["ratio"] == 0.4
    assert flat["over"]["memory"]["ratio"] == 2.5


def searched(home, **how):
    return [one for one in ROWS if one["seed"] == home]


def run(monkeypatch, kept, *options):
    monkeypatch.setattr("sys.argv", ["searches", "--homes", "1-2", "--rows", str(kept), *options])
    return searches.main()


AGENTS = ("--agent", "flat", "memory", "--json")


def test_homes_in_the_file_are_not_searched_again(tmp_path, monkeypatch, capsys):
    kept, asked = tmp_path / "rows.jsonl", []

    def noting(home, **how):
        asked.append(home)
        return searched(home)

    monkeypatch.setattr(searches, "searches", noting)
    assert run(monkeypatch, kept, *AGENTS) == 0
    whole = kept.read_text("utf-8")
    kept.write_text("\n".join(whole.splitlines()[:7]) + '\n{"se', "utf-8")  # stopped in home 2
    asked.clear()
    capsys.readouterr()
    assert run(monkeypatch, kept, *AGENTS) == 0
    assert asked == [2]
    assert kept.read_text("utf-8") == whole
    agents = json.loads(capsys.readouterr().out)["agents"]
    assert [one["searches"] for one in agents] == [4, 4]


def test_rows_of_other_searches_are_not_gone_on_with(tmp_path, monkeypatch):
    monkeypatch.setattr(searches, "searches", searched)
    kept = tmp_path / "rows.jsonl"
    assert run(monkeypatch, kept, *AGENTS) == 0
    for other in (("--days", "5"), ("--condition", "noisy"), ("--agent", "none")):
        with pytest.raises(SystemExit, match="another"):
            run(monkeypatch, kept, *AGENTS, *other)


def test_who_searched_nothing_is_told_without_numbers():
    (none,) = told([], ["none"])
    assert (none["searches"], none["found"], none["metres"]) == (0, None, None)
