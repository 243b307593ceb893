"""`robot-memory train detector` and `robot-memory eval detector`; parsing only."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any, TypeAlias

from memory_core.interfaces.console import common_options

Kinds: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def train(kinds: Kinds) -> None:
    """Declare `robot-memory train detector`."""
    parser = kinds.add_parser(
        "detector", parents=[common_options()],
        help="the network that detects things in simulated homes, from renders of other homes",
    )  # fmt: skip
    parser.add_argument("--out", type=Path, default=Path("detector.safetensors"), metavar="FILE",
                        help="where the weights go (default: ./detector.safetensors)")  # fmt: skip
    parser.add_argument("--work", type=Path, default=Path("detector-training"), metavar="DIR",
                        help="keeps pictures and states; the same command goes on from there "
                             "(default: ./detector-training)")  # fmt: skip
    parser.add_argument("--homes", type=int, metavar="N",
                        help="to learn from (default: what the shipped weights took)")  # fmt: skip
    parser.add_argument("--first-seed", type=int, metavar="S",
                        help="of the first home (default: 100000)")  # fmt: skip
    parser.add_argument("--pictures", type=int, metavar="N", help="of each home (default: 20)")
    parser.add_argument("--steps", type=int, metavar="N",
                        help="of the segmenter (default: what the shipped weights took)")  # fmt: skip
    parser.add_argument("--naming-steps", type=int, metavar="N",
                        help="of the namer (default: what the shipped weights took)")  # fmt: skip
    parser.add_argument("--seed", type=int, default=0,
                        help="of the weights and of what is shown (default: 0)")  # fmt: skip
    parser.set_defaults(run=_run_train)


def evaluate(parser: argparse.ArgumentParser) -> None:
    """Declare `robot-memory eval detector`."""
    parser.add_argument("--homes", type=int, default=20, metavar="N",
                        help="to look about in (default: 20)")  # fmt: skip
    parser.add_argument("--first-seed", type=int, default=120_000, metavar="S",
                        help="of the first home (default: 120000)")  # fmt: skip
    parser.add_argument("--pictures", type=int, default=20, metavar="N",
                        help="of each home (default: 20)")  # fmt: skip
    parser.add_argument("--detector", choices=("network", "segmentation"), default="network",
                        help="which (default: network)")  # fmt: skip
    parser.add_argument("--weights", type=Path, metavar="FILE",
                        help="of the network (default: those of this package)")  # fmt: skip
    parser.add_argument("--any-name", action="store_true",
                        help="do not tell the network what the household calls its things: it "
                             "names them by kind and colour, out of all there are")  # fmt: skip
    parser.add_argument("--rows", metavar="FILE", help="write one JSON line a picture and group")
    parser.set_defaults(run=_run_evaluate)


def _run_train(options: argparse.Namespace) -> int:
    from memory_core.interfaces.console import print_json, say
    from memory_core.interfaces.opening import bar
    from memory_sim.detecting.learning import Schedule
    from memory_sim.detecting.training import Lessons, train_detector

    schedule = Schedule(
        seed=options.seed, **_given(steps=options.steps, naming_steps=options.naming_steps)
    )
    lessons = Lessons(
        schedule=schedule,
        **_given(homes=options.homes, first_seed=options.first_seed, pictures=options.pictures),
    )
    with bar(options, "training") as tell:
        found = train_detector(options.out, options.work, lessons=lessons, progress=tell)
    if options.json:
        print_json(found)
    else:
        say(
            f"learned from {found['pictures']:,} pictures; {found['bytes']:,} bytes in {options.out}"
        )
    return 0


def _given(**numbers: int | None) -> dict[str, Any]:
    """Those numbers that were given; the others keep their defaults."""
    return {name: number for name, number in numbers.items() if number is not None}


def _run_evaluate(options: argparse.Namespace) -> int:
    from memory_core.interfaces.evaluations import show_report
    from memory_core.interfaces.opening import bar
    from memory_sim.detecting.evaluation import evaluate_detector

    with bar(options, "homes") as tell:
        found, rows = evaluate_detector(
            options.homes, first_seed=options.first_seed, pictures=options.pictures,
            detector=options.detector, weights=options.weights, any_name=options.any_name,
            progress=tell,
        )  # fmt: skip
    return show_report(options, found, rows)
