"""Agents put to memory tasks: episodes played, counted, and shown where they fail."""

from __future__ import annotations

import math
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from memory_core.errors import InvalidQuery
from memory_core.evaluation.report import report
from memory_core.types import IntArray, Json
from memory_sim.agents.acting import ORACLE, Agent, agent_named
from memory_sim.processes import each
from memory_sim.rows_file import rows_to_resume, write_rows
from memory_sim.task_pictures import Strip
from memory_sim.task_registry import make, suite_of, task_ids

EPISODES = 50
CONFIDENCE_95 = 1.959963984540054
_AT_ONCE = 10

Progress = Callable[[int, int, str], None]
Job = tuple[str, str, tuple[int, ...]]
"""Task, agent, and seeds of its episodes."""


@dataclass(frozen=True, slots=True)
class Played:
    """How an episode went.

    Attributes:
        success: Whether all conditions held at once.
        conditions: What success takes, in order, and whether it held in the end.
        spoiled: What made success impossible, where something did.
        steps: How many actions were taken.
        truncated: Whether the time was up.
        seconds: Wall-clock time.
    """

    success: bool
    conditions: dict[str, bool]
    spoiled: str
    steps: int
    truncated: bool
    seconds: float

    @property
    def failure(self) -> str | None:
        """Its kind: what spoilt it, or the first condition that did not hold; None for a success."""
        if self.success or self.spoiled:
            return self.spoiled or None
        missed = [name for name, held in self.conditions.items() if not held]
        return f"not {missed[0]}" if missed else "not all at once"


def play(
    env: Any, agent: Agent, *, seed: int, watch: Callable[[IntArray], None] | None = None
) -> Played:
    """Let an agent play one episode.

    Args:
        env: Of `task_registry.make`; where its `info` has a `state`, the agent is shown it.
        agent: Who plays; it is reset.
        seed: Of the episode and of what the agent draws.
        watch: Called with each frame of an environment that can be drawn.
    """
    begun = time.perf_counter()
    observation, info = env.reset(seed=seed)
    agent.reset(observation["instruction"], seed=_agents_seed(seed))
    look = getattr(env.unwrapped, "look", None)
    extra = {} if look is None else {"look": look}
    steps, ended, truncated = 0, False, False
    while not (ended or truncated):
        if watch is not None:
            watch(env.render())
        if "state" in info:
            extra["state"] = info["state"]
        observation, _, ended, truncated, info = env.step(agent.act(observation | extra))
        steps += 1
    if watch is not None:
        watch(env.render())
    conditions = {name: bool(held) for name, held in info["conditions"].items()}
    seconds = time.perf_counter() - begun
    spoiled = "" if info["success"] else str(info.get("spoiled", ""))
    return Played(bool(info["success"]), conditions, spoiled, steps, bool(truncated), seconds)


def _agents_seed(seed: int) -> int:
    """Another seed than the episode's: a guess must not be drawn as what is right was drawn."""
    return int(np.random.SeedSequence([seed, 1]).generate_state(1)[0])


def evaluate_tasks(
    suites: Sequence[str] | None = None,
    *,
    tasks: Sequence[str] = (),
    agents: Sequence[str] = ("memory",),
    episodes: int = EPISODES,
    seed: int = 0,
    workers: int = 1,
    rows_file: Path | None = None,
    resume: bool = False,
    failures: Path | None = None,
    progress: Progress | None = None,
) -> tuple[Json, list[Json]]:
    """Let agents play tasks, and count their successes.

    Args:
        suites: Which suites; None for all.
        tasks: Only these tasks; empty for all of the suites.
        agents: `acting.AGENTS`, or somebody's own, see `acting.agent_named`.
        episodes: Of each task and agent, the same for all agents.
        seed: Of the first; the others follow.
        workers: Processes that play; 1 plays here.
        rows_file: Where rows are written as soon as some episodes are over.
        resume: Go on where the rows file ends: what it holds is not played again.
        failures: Folder for a picture of each kind of failure of each task and agent.
        progress: Called with (episodes played, in all, what).

    Returns:
        The report, whose `seconds` are those of all episodes, and the rows: one an episode.

    Raises:
        InvalidQuery: There is no such suite, task or agent, or nothing to resume.
    """
    known = task_ids(suites)
    for task in tasks:
        suite_of(task)
    wanted = [task for task in known if not tasks or task in tasks]
    if episodes < 1 or workers < 1 or not agents or not wanted:
        raise InvalidQuery(
            f"{len(wanted)} tasks, {len(agents)} agents, {episodes} episodes, {workers} workers; "
            "expected at least 1 of each"
        )
    for name, body in product(agents, {known[task].body for task in wanted}):
        agent_named(name, body).close()
    seeds = range(seed, seed + episodes)
    order = [(task, agent) for task in wanted for agent in agents]
    kept = rows_to_resume(rows_file) if resume else []
    kept = [row for row in kept if (row["task"], row["agent"]) in order and row["seed"] in seeds]
    if rows_file is not None:
        write_rows(rows_file, kept, "w")
    jobs = list(_jobs(order, seeds, kept))
    rows = list(kept)
    total = sum(len(job[2]) for job in jobs)
    done = 0
    for job, played in zip(jobs, each(partial(_play_all, failures=failures), jobs, workers), strict=True):  # fmt: skip
        rows += played
        done += len(played)
        if rows_file is not None:
            write_rows(rows_file, played, "a")
        if progress is not None:
            progress(done, total, f"{job[0]}, {job[1]}")
    rows.sort(key=lambda row: (order.index((row["task"], row["agent"])), row["seed"]))
    found = report(
        summary(rows), n=len(rows), seed=seed,
        config={"suites": None if suites is None else list(suites), "tasks": list(tasks),
                "agents": list(agents), "episodes": episodes},
        seconds=sum(row["seconds"] for row in rows),
    )  # fmt: skip
    return found, rows


def summary(rows: Sequence[Json]) -> Json:
    """Successes by task and agent with 95 % intervals, chance, and what went wrong how often.

    Args:
        rows: As `evaluate_tasks` returns them.
    """
    results: dict[str, Json] = {}
    failed: dict[str, Json] = {}
    for task, agent in dict.fromkeys((row["task"], row["agent"]) for row in rows):
        mine = [row for row in rows if (row["task"], row["agent"]) == (task, agent)]
        results.setdefault(task, {})[agent] = share(sum(r["success"] for r in mine), len(mine))
        kinds = Counter(row["failure"] for row in mine if row["failure"] is not None)
        if kinds:
            failed.setdefault(task, {})[agent] = dict(kinds.most_common())
    return {"results": results, "chance": {task: chance_of(task) for task in results},
            "failures": failed}  # fmt: skip


def share(successes: int, episodes: int) -> Json:
    """A share with its interval, as every report of tasks has it."""
    low, high = wilson(successes, episodes)
    return {
        "success": round(successes / episodes, 4),
        "low": round(low, 4), "high": round(high, 4), "episodes": episodes,
    }  # fmt: skip


def wilson(successes: int, episodes: int) -> tuple[float, float]:
    """The 95 % confidence interval of a share (Wilson 1927)."""
    z2 = CONFIDENCE_95**2
    p = successes / episodes
    middle = (p + z2 / (2 * episodes)) / (1 + z2 / episodes)
    spread = p * (1 - p) / episodes + z2 / (4 * episodes**2)
    half = CONFIDENCE_95 / (1 + z2 / episodes) * math.sqrt(spread)
    return max(0.0, middle - half), min(1.0, middle + half)


def chance_of(task: str) -> float | None:
    """Successes of somebody who guesses, 0 to 1; None where there is no formula."""
    with closing(make(task)) as env:
        chance = getattr(env.unwrapped, "chance", None)
    return None if chance is None else round(float(chance), 6)


def picture_name(task: str, agent: str, failure: str) -> str:
    """The file name of the picture of a kind of failure."""
    return re.sub(r"[^\w.-]+", "-", f"{task}--{agent}--{failure}").strip("-") + ".png"


def _jobs(
    order: Sequence[tuple[str, str]], seeds: Sequence[int], kept: Sequence[Json]
) -> Iterator[Job]:
    """What is still to be played, a few episodes at a time."""
    played = {(row["task"], row["agent"], row["seed"]) for row in kept}
    for task, agent in order:
        left = [seed for seed in seeds if (task, agent, seed) not in played]
        for first in range(0, len(left), _AT_ONCE):
            yield task, agent, tuple(left[first : first + _AT_ONCE])


def _play_all(job: Job, *, failures: Path | None) -> list[Json]:
    """Play some episodes; each kind of failure that has no picture yet is played again for one."""
    task, name, seeds = job
    rows = []
    with (
        closing(agent_named(name, suite_of(task).body)) as agent,
        closing(make(task, privileged=name == ORACLE)) as env,
    ):
        for seed in seeds:
            played = play(env, agent, seed=seed)
            rows.append({
                "task": task, "agent": name, "seed": seed, "success": played.success,
                "failure": played.failure, "conditions": played.conditions, "steps": played.steps,
                "truncated": played.truncated, "seconds": round(played.seconds, 4),
            })  # fmt: skip
            if failures is not None and played.failure is not None:
                path = failures / picture_name(task, name, played.failure)
                if not path.exists():
                    _picture(task, name, agent, seed, path)
    return rows


def _picture(task: str, name: str, agent: Agent, seed: int, path: Path) -> None:
    strip = Strip()
    with closing(make(task, privileged=name == ORACLE, render=True)) as env:
        play(env, agent, seed=seed, watch=strip.add)
    strip.write(path)
