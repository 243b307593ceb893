"""Two days in a small home: what comes of them, that they repeat, and that they resume."""

from __future__ import annotations

import json
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

pytest.importorskip("pybullet")

from memory_core.errors import InvalidQuery
from memory_core.types import Json
from memory_sim.house_errands import moved_finds
from memory_sim.house_evaluation import FIRST_DAY, evaluate_house, summary
from memory_sim.house_ways import Ways
from memory_sim.two_days import Setting, first_day, search_alone, second_day
from memory_sim.worlds.home.plan import plan_home

SEED = 12
SHORT = Setting(
    "noisy", rooms=4, most_errands=2, longest_errand_s=25.0, longest_tour_s=15.0, wordings="tuning"
)  # fmt: skip
TIMES = ("seconds", "render_s", "perceive_s", "remember_s", "remember_p99_s")


def live(folder: Path) -> list[Json]:
    """Both days, without what differs between computers."""
    first = first_day(SEED, SHORT, folder)
    rows = [*first.rows, *second_day(SEED, "memory", SHORT, first)]
    return [{key: value for key, value in row.items() if key not in TIMES} for row in rows]


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Json]]:
    """The folder that keeps the first day, and the rows of both."""
    cache = tmp_path_factory.mktemp("cache")
    return cache, live(cache / f"home-{SEED:04d}-4-noisy")


def test_a_day_is_written_down(lived):
    _, rows = lived
    errands = [row for row in rows if row["row"] == "errand" and row["day"] == 2]
    assert len(errands) == SHORT.most_errands
    assert all(row["simulated_s"] >= 0 and row["reason"] for row in errands)
    assert any(row["driven_m"] > 0 and row["steps"] for row in errands)
    days = [row for row in rows if row["row"] == "day"]
    assert [row["day"] for row in days] == [1, 2]
    assert all(row["simulated_s"] > 0 and row["frames"] > 0 for row in days)


def test_the_same_seed_gives_the_same_in_another_process(lived, tmp_path):
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        again = pool.submit(live, tmp_path / "again").result()
    assert again == lived[1]


def test_searches_alone_begin_alike(lived):
    cache, _ = lived
    first = first_day(SEED, SHORT, cache / f"home-{SEED:04d}-4-noisy")
    plan = plan_home(SEED, rooms=SHORT.rooms)
    ways = Ways(plan)
    asked = moved_finds(plan, ways, 2, used=first.used)[0]
    rows = [search_alone(SEED, 2, agent, SHORT, first, asked, ways) for agent in ("none", "memory")]
    for row in rows:
        assert (row["row"], row["day"], row["thing"]) == ("errand", 3, asked.thing)
        assert row["frames_in_view"] >= 0 and row["truth"]["before"] == row["truth"]["end"]
    starts = [row["truth"]["robot"][0] for row in rows]
    assert starts[0] == starts[1], "both begin where the asker stands"
    assert [row["agent"] for row in rows] == ["none", "memory"]


def test_a_finished_home_is_not_lived_again(lived, tmp_path):
    cache, _ = lived
    rows_file = tmp_path / "rows.jsonl"
    options = {
        "first_seed": SEED, "setting": SHORT, "encoder": None, "rows_file": rows_file,
        "cache_folder": cache,
    }  # fmt: skip
    found, rows = evaluate_house(1, **options)
    written = [json.loads(line) for line in rows_file.read_text("utf-8").splitlines()]
    told: list[str] = []
    again, kept = evaluate_house(
        1, **options, resume=True, progress=lambda done, total, name: told.append(name)
    )
    assert told == []
    assert kept == rows
    assert sorted(map(str, written)) == sorted(map(str, rows))
    assert again["agents"] == found["agents"]
    assert set(found["agents"]["memory"]) >= {
        "answers", "errands", "spl", "search_ratio", "episodes",
    }  # fmt: skip
    assert set(found) >= {"n", "seed", "config", "date", "machine", "seconds"}


def day(seed: int, agent: str, condition: str = "exact") -> Json:
    return {
        "row": "day", "seed": seed, "agent": agent, "condition": condition, "contacts_m_s": [],
        "simulated_s": 60.0, "seconds": 1.0,
    }  # fmt: skip


def errand(seed: int, agent: str, **changed) -> Json:
    row = {
        "row": "errand", "seed": seed, "day": 2, "agent": agent, "condition": "exact", "number": 0,
        "done": True, "said": True, "moved": True, "hidden": False, "shortest_m": None,
        "driven_m": 2.0, "search_m": 2.0, "simulated_s": 30.0, "search_s": 9.0, "reason": "done",
    }  # fmt: skip
    return row | changed


def test_only_homes_and_agents_that_are_missing_are_lived(tmp_path, monkeypatch):
    rows_file = tmp_path / "rows.jsonl"
    kept = [errand(1, "memory"), day(1, "memory"), day(1, "none"), errand(2, "memory")]
    rows_file.write_text("\n".join(map(json.dumps, kept)) + '\n{"row": "err', "utf-8")
    jobs = []

    def lived(job, **options):
        jobs.append(job)
        return [day(job[0], agent) for agent in job[1]]

    monkeypatch.setattr("memory_sim.house_evaluation._live", lived)
    found, rows = evaluate_house(
        2, first_seed=1, agents=("memory", "none"), rows_file=rows_file, resume=True, encoder=None
    )
    assert jobs == [(2, ("memory", "none"))]
    assert [row["seed"] for row in rows if row["row"] == "errand"] == [1]
    assert found["agents"]["memory"]["episodes"] == 2


def test_rows_of_another_condition_are_not_gone_on_with(tmp_path):
    rows_file = tmp_path / "rows.jsonl"
    rows_file.write_text(json.dumps(day(1, "memory", "noisy")) + "\n", "utf-8")
    with pytest.raises(InvalidQuery, match="another condition"):
        evaluate_house(1, rows_file=rows_file, resume=True, encoder=None)


def test_search_is_held_against_no_memory_and_a_flat_one():
    rows = [
        errand(1, "memory"), errand(1, "none", search_m=8.0, search_s=45.0),
        errand(1, "flat", search_m=4.0, search_s=None), day(1, FIRST_DAY),
    ]  # fmt: skip
    found = summary(rows, ("none", "flat", "memory"))
    reached = found["agents"]["memory"]
    assert (reached["search_ratio"], reached["search_ratio_flat"]) == (0.25, 0.5)
    assert (reached["search_ratio_either"], reached["n_search_ratio_either"]) == (0.25, 1)
    assert (reached["search_ratio_either_time"], reached["search_ratio_flat_either_time"]) == (
        0.2,
        0.3,
    )
    assert found["agents"]["none"]["search_ratio"] == 1.0
    assert found["first_day"]["episodes"] == 1


@pytest.mark.parametrize(
    "options",
    [{"agents": ("oracle",)}, {"agents": ()}, {"workers": 0}, {"setting": Setting("clear")}],
)
def test_what_cannot_be_evaluated_is_refused(options):
    with pytest.raises(InvalidQuery):
        evaluate_house(1, encoder=None, **options)


def test_nothing_is_resumed_without_a_rows_file():
    with pytest.raises(InvalidQuery, match="rows file"):
        evaluate_house(1, resume=True, encoder=None)
