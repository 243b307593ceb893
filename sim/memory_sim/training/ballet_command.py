"""What `robot-memory train ballet` does, and what it prints."""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import asdict, replace
from pathlib import Path

from memory_core.errors import InvalidQuery
from memory_core.evaluation.report import report
from memory_core.interfaces.console import print_json, say, table
from memory_core.interfaces.opening import bar
from memory_core.types import Json
from memory_sim.task_evaluation import share
from memory_sim.training.ballet import Learner, Schedule, count_right, level_name, train
from memory_sim.training.ballet_episodes import LEVELS
from memory_sim.training.curves import draw_curves

MEASURED = (*LEVELS, (8, 480))
"""The levels learnt, and one with ten times the longest delay."""
NAMES = {"hcam": "Hierarchical chunk attention", "lstm": "LSTM"}


def run_ballet(options: argparse.Namespace) -> int:
    """Train, measure, draw the curves."""
    if options.episodes < 1:
        raise InvalidQuery(f"--episodes is {options.episodes}; expected 1 or more")
    schedule = Schedule(seed=options.seed)
    if options.updates is not None:
        schedule = replace(schedule, updates=options.updates)
    begun = time.perf_counter()
    learners: dict[str, Learner] = {}
    for name in dict.fromkeys(options.model):
        with bar(options, f"{name} learns") as tell:
            learners[name] = train(
                name, schedule, options.out, resume=options.resume, progress=tell
            )
    results = _measured(learners, options)
    picture = options.out / "ballet-training.svg"
    picture.write_text(_drawn(learners), encoding="utf-8")
    found = report(
        {"results": results, "chance": {level_name(level): 1 / level[0] for level in MEASURED},
         "learning_seconds": {
             name: round(learner.seconds, 1) for name, learner in learners.items()},
         "weights": {name: str(_weights(options.out, name)) for name in learners},
         "curves": str(picture)},
        n=options.episodes, seed=options.seed, config=asdict(schedule),
        seconds=time.perf_counter() - begun,
    )  # fmt: skip
    (options.out / "curves.json").write_text(
        json.dumps({name: learner.curve for name, learner in learners.items()}), encoding="utf-8"
    )
    if options.json:
        print_json(found)
        return 0
    rows = [[level, f"{found['chance'][level]:.3f}",
             *(f"{r['success']:.3f} ({r['low']:.3f} to {r['high']:.3f})" for r in by.values())]
            for level, by in results.items()]  # fmt: skip
    table("train ballet: right at the question", ["level", "chance", *learners], rows)
    for name, learner in learners.items():
        say(f"{NAMES[name]}: {learner.updates:,} updates of {schedule.evenings} evenings in "
            f"{learner.seconds / 60:.1f} minutes of one core: {_weights(options.out, name)}")  # fmt: skip
    say(f"curves: {picture}")
    return 0


def _measured(learners: dict[str, Learner], options: argparse.Namespace) -> Json:
    results: dict[str, Json] = {}
    with bar(options, "measuring") as tell:
        for number, level in enumerate(MEASURED):
            results[level_name(level)] = {
                name: share(count_right(learner.network, level, options.episodes), options.episodes)
                for name, learner in learners.items()
            }
            tell(number + 1, len(MEASURED))
    return results


def _weights(folder: Path, name: str) -> Path:
    return folder / f"ballet-{name}.safetensors"


def _drawn(learners: dict[str, Learner]) -> str:
    """Each network's share of right choices on what it learns from, over the evenings seen."""
    panels = {
        NAMES[name]: {
            level_name(level): [
                (row["update"] * learner.schedule.evenings, row["right"][level_name(level)])
                for row in learner.curve
            ]
            for level in LEVELS
        }
        for name, learner in learners.items()
    }
    return draw_curves("Learning the ballet: right choices by level", panels, along="evenings seen")
