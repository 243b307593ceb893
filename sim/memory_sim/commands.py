"""The commands that simulation adds to `robot-memory`."""

from __future__ import annotations

import argparse
import time
from pathlib import Path


def demo(parser: argparse.ArgumentParser) -> None:
    """Declare `robot-memory demo`."""
    parser.add_argument("--seed", type=int, default=7, help="of the house (default: 7)")
    parser.add_argument("--rooms", type=int, default=6, help="2 to 6 (default: 6)")
    parser.add_argument("--out", type=Path, default=Path("demo"), metavar="DIR",
                        help="where the memory and report.html go (default: ./demo)")  # fmt: skip
    parser.add_argument("--misses", type=float, default=0.05, help="share of detections that fail")
    parser.set_defaults(run=_run_demo)


def questions(parser: argparse.ArgumentParser) -> None:
    """Declare `robot-memory eval questions`."""
    parser.add_argument("--seeds", type=int, default=20, metavar="N",
                        help="how many houses (default: 20)")  # fmt: skip
    parser.add_argument("--first-seed", type=int, default=0, metavar="S",
                        help="of the first house (default: 0)")  # fmt: skip
    parser.add_argument("--wordings", choices=("tuning", "reporting", "both"), default="both",
                        help="which half of the wordings asks (default: both)")  # fmt: skip
    parser.add_argument("--cache", type=Path, metavar="DIR", help="keep the recorded tours there")
    parser.add_argument("--workers", type=int, default=1, metavar="N",
                        help="processes that tour and ask (default: 1)")  # fmt: skip
    parser.add_argument("--encoder", default="default", help="text encoder")
    parser.add_argument("--rows", metavar="FILE", help="write one JSON line a question")
    parser.set_defaults(run=_run_questions)


def house_changes(parser: argparse.ArgumentParser) -> None:
    """Declare `robot-memory eval house-changes`."""
    parser.add_argument("--seeds", type=int, default=20, metavar="N",
                        help="how many houses (default: 20)")  # fmt: skip
    parser.add_argument("--first-seed", type=int, default=0, metavar="S",
                        help="of the first house (default: 0)")  # fmt: skip
    parser.add_argument("--cache", type=Path, metavar="DIR", help="keep the recorded tours there")
    parser.add_argument("--workers", type=int, default=1, metavar="N",
                        help="processes that tour (default: 1)")  # fmt: skip
    parser.add_argument("--rows", metavar="FILE", help="write one JSON line a house")
    parser.set_defaults(run=_run_house_changes)


def retention(parser: argparse.ArgumentParser) -> None:
    """Declare `robot-memory eval retention`."""
    parser.add_argument("--episodes", type=int, default=500, metavar="N",
                        help="evenings of each variant (default: 500)")  # fmt: skip
    parser.add_argument("--first-seed", type=int, default=0, metavar="S",
                        help="of the first evening (default: 0)")  # fmt: skip
    parser.add_argument("--steps", type=int, metavar="N",
                        help="of learning (default: the allocator's own)")  # fmt: skip
    parser.add_argument("--rows", metavar="FILE", help="write one JSON line a variant and policy")
    parser.set_defaults(run=_run_retention)


def _run_questions(options: argparse.Namespace) -> int:
    from memory_core.interfaces.evaluations import show_report
    from memory_core.interfaces.opening import bar, encoder_of
    from memory_sim.evaluation import evaluate_questions

    with bar(options, "questions") as tell:
        found, rows = evaluate_questions(
            options.seeds, first_seed=options.first_seed, wordings=options.wordings,
            encoder=encoder_of(options.encoder), cache=options.cache, workers=options.workers,
            progress=tell,
        )  # fmt: skip
    return show_report(options, found, rows)


def _run_house_changes(options: argparse.Namespace) -> int:
    from memory_core.interfaces.evaluations import show_report
    from memory_core.interfaces.opening import bar
    from memory_sim.house_changes import evaluate_house_changes

    with bar(options, "houses") as tell:
        found, rows = evaluate_house_changes(
            options.seeds, first_seed=options.first_seed, cache=options.cache,
            workers=options.workers, progress=tell,
        )  # fmt: skip
    return show_report(options, found, rows)


def _run_retention(options: argparse.Namespace) -> int:
    from memory_core.episodic.retention.allocator import Schedule
    from memory_core.errors import InvalidQuery
    from memory_core.evaluation.report import report
    from memory_core.interfaces.evaluations import show_report
    from memory_core.interfaces.opening import bar
    from memory_sim.retention import evaluate_retention, train_allocator

    steps = Schedule().steps if options.steps is None else options.steps
    if options.episodes < 1 or steps < 1:
        raise InvalidQuery(
            f"{options.episodes} episodes, {steps} steps; expected at least 1 of each"
        )
    begun = time.perf_counter()
    schedule = Schedule(steps=steps)
    with bar(options, "learning") as tell:
        allocator = train_allocator(schedule=schedule, progress=tell)
    measured = evaluate_retention(
        allocator, episodes=options.episodes, first_seed=options.first_seed
    )
    rows = [
        {"variant": variant, "policy": policy, "accuracy": share}
        for variant, row in measured.accuracy.items()
        for policy, share in row.items()
    ]
    found = report(
        measured.as_json(), n=options.episodes, seed=options.first_seed,
        config={"steps": steps, "learning_seed": schedule.seed},
        seconds=time.perf_counter() - begun,
    )  # fmt: skip
    return show_report(options, found, rows)


def _run_demo(options: argparse.Namespace) -> int:
    from memory_sim.demo import run_demo

    return run_demo(options)
