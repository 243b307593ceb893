"""What `robot-memory tasks` and `robot-memory eval tasks` do, and what they print."""

from __future__ import annotations

import argparse
import inspect
import time
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

from memory_core.errors import InvalidQuery
from memory_core.evaluation.report import report, write_rows
from memory_core.interfaces.console import print_json, say, table
from memory_core.interfaces.opening import bar
from memory_core.types import Json
from memory_sim.agents.acting import ORACLE, agent_named
from memory_sim.task_evaluation import chance_of, evaluate_tasks, play, share
from memory_sim.task_pictures import Strip, Video
from memory_sim.task_registry import make, suite_of, task_ids


def run_list(options: argparse.Namespace) -> int:
    """Say which tasks there are."""
    found = task_ids([options.suite] if options.suite else None)
    rows: list[Json] = [{"id": task, "suite": suite.name, "chance": chance_of(task)}
                        for task, suite in found.items()]  # fmt: skip
    if options.json:
        print_json({"tasks": rows})
    else:
        table("tasks", ["id", "suite", "chance"],
              [[row["id"], row["suite"], _told(row["chance"])] for row in rows])  # fmt: skip
    return 0


def run_show(options: argparse.Namespace) -> int:
    """Say what a task asks, and draw an episode in which the oracle does it."""
    suite = suite_of(options.task)
    path = options.out or Path(f"{options.task.replace('/', '-')}.png")
    strip = Strip()
    with (
        closing(agent_named(ORACLE, suite.body)) as agent,
        closing(make(options.task, privileged=True, render=True)) as env,
    ):
        played = play(env, agent, seed=options.seed, watch=strip.add)
        told = _about(env.unwrapped)
    strip.write(path)
    found = {
        "id": options.task, "suite": suite.name, "chance": chance_of(options.task), "told": told,
        "conditions": list(played.conditions), "steps": played.steps, "strip": str(path),
    }  # fmt: skip
    if options.json:
        print_json(found)
        return 0
    say(f"{options.task}: {told}")
    say(f"Success: {', then '.join(found['conditions'])}. Chance: {_told(found['chance'])}.")
    say(f"{played.steps} steps of the oracle, seed {options.seed}: {path}")
    return 0


def run_run(options: argparse.Namespace) -> int:
    """Let an agent play some episodes."""
    if options.episodes < 1:
        raise InvalidQuery(f"--episodes is {options.episodes}; expected 1 or more")
    begun = time.perf_counter()
    rows: list[Json] = []
    with ExitStack() as stack:
        agent = stack.enter_context(
            closing(agent_named(options.agent, suite_of(options.task).body))
        )
        env = stack.enter_context(
            closing(make(options.task, privileged=options.agent == ORACLE,
                         render=options.video is not None))
        )  # fmt: skip
        watch = None
        if options.video is not None:
            speed = int(env.metadata.get("render_fps", 10))
            watch = stack.enter_context(Video(options.video, frames_per_s=speed)).add
        tell = stack.enter_context(bar(options, options.task))
        for number in range(options.episodes):
            seed = options.seed + number
            played = play(env, agent, seed=seed, watch=watch)
            rows.append({"seed": seed, "success": played.success, "failure": played.failure,
                         "steps": played.steps, "seconds": round(played.seconds, 3)})  # fmt: skip
            tell(number + 1, options.episodes)
    reached = share(sum(row["success"] for row in rows), len(rows))
    found = report(
        {"results": {options.task: {options.agent: reached}},
         "chance": {options.task: chance_of(options.task)}, "episodes": rows},
        n=len(rows), seed=options.seed, config={"agent": options.agent},
        seconds=time.perf_counter() - begun,
    )  # fmt: skip
    if options.json:
        print_json(found)
        return 0
    table(f"{options.task}, {options.agent}", ["seed", "success", "what was missing", "steps"],
          [[r["seed"], "yes" if r["success"] else "no", r["failure"] or "", r["steps"]]
           for r in rows])  # fmt: skip
    say(_interval(reached) + f"; chance {_told(found['chance'][options.task])}")
    return 0


def run_evaluate(options: argparse.Namespace) -> int:
    """Put agents to the tasks of suites."""
    rows_file = Path(options.rows) if options.rows else None
    with bar(options, "episodes") as tell:
        found, rows = evaluate_tasks(
            options.suite, tasks=options.task, agents=options.agent, episodes=options.episodes,
            seed=options.seed, workers=options.workers, rows_file=rows_file,
            resume=options.resume, failures=options.failures, progress=tell,
        )  # fmt: skip
    if rows_file is not None:
        write_rows(rows_file, rows)  # in the order of tasks, agents and seeds
    if options.json:
        print_json(found)
        return 0
    table("eval tasks: success, and its 95 % interval", ["task", "chance", *options.agent],
          [[task, _told(found["chance"][task]),
            *(_interval(reached[agent]) for agent in options.agent)]
           for task, reached in found["results"].items()])  # fmt: skip
    if found["failures"]:
        table("what was missing, and how often", ["task", "agent", "kind", "episodes"],
              [[task, agent, kind, count] for task, by_agent in found["failures"].items()
               for agent, kinds in by_agent.items() for kind, count in kinds.items()])  # fmt: skip
    say(f"{found['n']} episodes, {found['seconds']:,.0f} s of playing")
    return 0


def _about(env: Any) -> str:
    """What a task is, in a sentence: its own words, or the first line of its class."""
    told = getattr(env, "told", None) or (inspect.getdoc(type(env)) or "").split("\n\n")[0]
    return " ".join(str(told).split())


def _interval(reached: Json) -> str:
    return f"{reached['success']:.2f} ({reached['low']:.2f} to {reached['high']:.2f})"


def _told(chance: float | None) -> str:
    return "no formula" if chance is None else f"{chance:.3g}"
