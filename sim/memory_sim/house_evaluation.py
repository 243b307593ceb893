"""Errands and questions in simulated homes over two days, for a memory and for what it is held to.

Every agent has the same robot, perception, planner and skills, and wakes on the second day with
the same first day behind it; only what its plans rest on differs (`memory_sim.agents`). What was
done is scored from the simulator's truth (`house_scoring`).
"""

from __future__ import annotations

import hashlib
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, replace
from functools import cache, partial
from pathlib import Path
from typing import Literal

from memory_core.errors import InvalidQuery
from memory_core.evaluation.report import report
from memory_core.perception.text import SentenceEncoder, TextEncoder
from memory_core.types import Json
from memory_sim.agents.choice import AGENTS
from memory_sim.detecting.choice import DETECTORS, SEGMENTATION, check_detector
from memory_sim.house_errands import HIDDEN
from memory_sim.house_scoring import TIME, WALKING_M_S, WAY, metrics, search_ratio
from memory_sim.processes import each
from memory_sim.rows_file import rows_to_resume, write_rows
from memory_sim.two_days import CONDITIONS, Setting, first_day, second_day

SEEDS = 10
FIRST_DAY = "first day"
"""The agent that the rows of first days are under."""

Progress = Callable[[int, int, str], None]


def evaluate_house(
    seeds: int = SEEDS,
    *,
    first_seed: int = 0,
    agents: Sequence[str] = ("memory",),
    setting: Setting | None = None,
    encoder: Literal["default"] | TextEncoder | None = "default",
    workers: int = 1,
    rows_file: Path | None = None,
    resume: bool = False,
    cache_folder: Path | None = None,
    progress: Progress | None = None,
) -> tuple[Json, list[Json]]:
    """Let agents live in homes, and score what they did and answered.

    Args:
        seeds: How many homes.
        first_seed: Of the first; the others follow.
        agents: Which of `agents.choice.AGENTS`.
        setting: Of the days; its encoder is left aside.
        encoder: Of the memories' texts; `default` is all-MiniLM-L6-v2, made once a process.
        workers: Processes that live; 1 does it here.
        rows_file: Where each home's rows are written as soon as it is done.
        resume: Go on where the rows file ends: what it holds is not lived again.
        cache_folder: Keeps the first days, so that other agents need not live them again.
        progress: Called with (homes done, in all, the home).

    Returns:
        The report, and the rows: one an errand, a question and a day.

    Raises:
        InvalidQuery: There are no seeds, no workers, no such agent or condition, or nothing to
            resume.
    """
    setting = setting if setting is not None else Setting()
    _check(seeds, agents, setting, workers)
    begun = time.perf_counter()
    kept = _kept(rows_file, setting) if resume else []
    if rows_file is not None:
        write_rows(rows_file, kept, "w")
    jobs = _jobs(range(first_seed, first_seed + seeds), agents, kept)
    live = partial(_live, setting=setting, encoder=encoder, cache_folder=cache_folder)
    rows = list(kept)
    for done, (seed, lived) in enumerate(_lived(jobs, live, workers), start=1):
        rows += lived
        if rows_file is not None:
            write_rows(rows_file, lived, "a")
        if progress:
            progress(done, len(jobs), f"home {seed}")
    wanted = set(range(first_seed, first_seed + seeds))
    rows = sorted(_once(row for row in rows if row["seed"] in wanted), key=_order)
    config = {
        "seeds": [first_seed, first_seed + seeds - 1], "agents": list(agents),
        "condition": setting.condition, "detector": setting.detector, **asdict(setting.makes),
        "drift": CONDITIONS[setting.condition].odometry.scale > 0,
        "rooms": setting.rooms, "wordings": setting.wordings, "hidden": HIDDEN,
        "hard_contact_m_s": WALKING_M_S,
        "encoder": encoder if isinstance(encoder, str | None) else encoder.space.model,
    }  # fmt: skip
    count = sum(row["row"] == "errand" for row in rows)
    found = report(
        summary(rows, agents), n=count, seed=first_seed, config=config,
        seconds=time.perf_counter() - begun,
    )  # fmt: skip
    return found, rows


def summary(rows: Sequence[Json], agents: Sequence[str]) -> Json:
    """What each agent reached, and the first day, which all share.

    Args:
        rows: As `evaluate_house` returns them.
        agents: Which agents.
    """
    by_agent = {agent: [row for row in rows if row["agent"] == agent] for agent in agents}
    first = metrics([row for row in rows if row["agent"] == FIRST_DAY])
    found: Json = {"agents": {}, "first_day": {k: v for k, v in first.items() if v is not None}}
    for agent, mine in by_agent.items():
        reached = metrics(mine)
        for other, name in (("none", "search_ratio"), ("flat", "search_ratio_flat")):
            theirs = by_agent.get(other, [])
            for part, both, length in (
                ("", True, WAY), ("_either", False, WAY), ("_either_time", False, TIME),
            ):  # fmt: skip
                ratio, count = search_ratio(mine, theirs, both=both, length=length)
                reached[f"{name}{part}"] = None if ratio is None else round(ratio, 4)
                reached[f"n_{name}{part}"] = count
        found["agents"][agent] = reached
    return found


def _check(seeds: int, agents: Sequence[str], setting: Setting, workers: int) -> None:
    if seeds < 1 or workers < 1:
        raise InvalidQuery(f"{seeds} seeds, {workers} workers; expected at least 1 of each")
    strange = [agent for agent in agents if agent not in AGENTS]
    if strange or not agents:
        raise InvalidQuery(f"agents {list(agents)}; expected some of {', '.join(AGENTS)}")
    if setting.condition not in CONDITIONS:
        raise InvalidQuery(
            f"condition {setting.condition!r}; expected one of {', '.join(CONDITIONS)}"
        )
    check_detector(setting.detector)


def _jobs(
    seeds: Sequence[int], agents: Sequence[str], kept: Sequence[Json]
) -> list[tuple[int, tuple[str, ...]]]:
    """What is still to be lived: homes, each with the agents that have no day there yet."""
    lived = {(row["seed"], row["agent"]) for row in kept if row["row"] == "day"}
    jobs = []
    for seed in seeds:
        left = tuple(agent for agent in agents if (seed, agent) not in lived)
        if left:
            jobs.append((seed, left))
    return jobs


def _lived(
    jobs: Sequence[tuple[int, tuple[str, ...]]],
    live: Callable[[tuple[int, tuple[str, ...]]], list[Json]],
    workers: int,
) -> Iterator[tuple[int, list[Json]]]:
    """Rows home by home, each home in a process where there are several."""
    return zip([seed for seed, _ in jobs], each(live, jobs, workers), strict=True)


def first_day_folder(cache: Path, seed: int, setting: Setting) -> Path:
    """Where the first day of a home is kept, apart for all that it depends on."""
    rooms = "" if setting.rooms is None else f"-{setting.rooms}"
    sees = "" if setting.detector == SEGMENTATION else f"-{setting.detector}"
    if setting.detector not in DETECTORS:  # a checkpoint's folder
        sees = f"-{hashlib.sha256(str(Path(setting.detector).resolve()).encode()).hexdigest()[:12]}"
    if setting.makes != CONDITIONS[setting.condition].errors:
        sees += "-" + "-".join(f"{value:g}" for value in asdict(setting.makes).values())
    return cache / f"home-{seed:04d}{rooms}-{setting.condition}{sees}"


def _live(
    job: tuple[int, tuple[str, ...]],
    *,
    setting: Setting,
    encoder: Literal["default"] | TextEncoder | None,
    cache_folder: Path | None,
) -> list[Json]:
    """Both days of a home, the second one once an agent."""
    seed, agents = job
    setting = replace(setting, encoder=_sentence_encoder() if encoder == "default" else encoder)
    with ExitStack() as stack:
        if cache_folder is None:
            cache_folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        first = first_day(seed, setting, first_day_folder(cache_folder, seed, setting))
        rows = [{**row, "agent": FIRST_DAY} for row in first.rows]
        for agent in agents:
            rows += second_day(seed, agent, setting, first)
        return rows


@cache
def _sentence_encoder() -> TextEncoder:
    return SentenceEncoder()


def _kept(rows_file: Path | None, setting: Setting) -> list[Json]:
    """The rows of whole homes that were written before; what a broken line ended is left out."""
    rows = rows_to_resume(rows_file)
    if any(row["condition"] != setting.condition for row in rows):
        raise InvalidQuery(
            f"{rows_file} holds days of another condition than {setting.condition!r}"
        )
    if any(row.get("detector", SEGMENTATION) != setting.detector for row in rows):
        raise InvalidQuery(f"{rows_file} holds days with another detector than {setting.detector}")
    made = asdict(setting.makes)
    if any(row.get(name, value) != value for row in rows for name, value in made.items()):
        raise InvalidQuery(f"{rows_file} holds days with other errors of the detector than {made}")
    days = {_day_of(row) for row in rows if row["row"] == "day"}
    return _once(row for row in rows if _day_of(row) in days)


def _day_of(row: Json) -> tuple[int, str]:
    return row["seed"], row["agent"]


def _once(rows: Iterable[Json]) -> list[Json]:
    """A first day that was lived again for another agent counts once."""
    return list({_order(row): row for row in rows}.values())


def _order(row: Json) -> tuple[int, bool, str, int, int]:
    """First days first, then by agent; the errands of a day in their order, then its questions."""
    kind = ("errand", "question", "day").index(row["row"])
    return row["seed"], row["agent"] != FIRST_DAY, row["agent"], kind, row.get("number", 0)
