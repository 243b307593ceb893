"""The commands that simulation adds to `robot-memory`."""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path

from memory_core.interfaces.console import DEFAULT_FOLDER, common_options


def demo(parser: argparse.ArgumentParser) -> None:
    """Declare `robot-memory demo`."""
    parser.add_argument("--seed", type=int, default=7, help="of the home (default: 7)")
    parser.add_argument("--rooms", type=int, default=4, help="4 to 12 (default: 4)")
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


def house(parser: argparse.ArgumentParser) -> None:
    """Declare `robot-memory eval house`."""
    parser.add_argument("--seeds", type=int, default=10, metavar="N",
                        help="how many homes, two days each (default: 10)")  # fmt: skip
    parser.add_argument("--first-seed", type=int, default=0, metavar="S",
                        help="of the first home (default: 0)")  # fmt: skip
    parser.add_argument("--agent", nargs="+", default=["memory"], metavar="A",
                        help="what plans rest on: none, last-seen, flat, memory, perfect "
                             "(default: memory)")  # fmt: skip
    parser.add_argument("--condition", choices=("exact", "noisy"), default="exact",
                        help="noisy: 20 %% misses, 5 %% confusions, wheels that drift "
                             "(default: exact)")  # fmt: skip
    _sees_with(parser, usual="the condition's")
    parser.add_argument("--rooms", type=int, metavar="N", help="4 to 12 (default: drawn)")
    parser.add_argument("--wordings", choices=("tuning", "reporting"), default="reporting",
                        help="which half of the wordings asks (default: reporting)")  # fmt: skip
    parser.add_argument("--cache", type=Path, metavar="DIR", help="keep the first days there")
    parser.add_argument("--workers", type=int, default=1, metavar="N",
                        help="processes that live (default: 1)")  # fmt: skip
    parser.add_argument("--resume", action="store_true", help="go on where the rows file ends")
    parser.add_argument("--rows", metavar="FILE",
                        help="write one JSON line an errand, question and day, home by home")  # fmt: skip
    parser.set_defaults(run=_run_house)


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


def sim(parser: argparse.ArgumentParser) -> None:
    """Declare `robot-memory sim`."""
    worlds = parser.add_subparsers(dest="world", metavar="WORLD", required=True)
    house = worlds.add_parser(
        "house", parents=[common_options()], help="a robot lives a day in a simulated home"
    )
    house.add_argument("--seed", type=int, default=30, help="of the home (default: 30)")
    house.add_argument("--day", type=int, default=0, metavar="D",
                       help="0 the first; people move things between days (default: 0)")  # fmt: skip
    house.add_argument("--errand", action="append", default=[], metavar="WORDS",
                       help="what the robot is asked for (repeatable; default: patrol the house)")  # fmt: skip
    house.add_argument("--out", type=Path, default=Path("house"), metavar="DIR",
                       help="the memory is kept in DIR/memory (default: ./house)")  # fmt: skip
    house.add_argument("--video", action="store_true",
                       help="film it: DIR/day-N.mp4, and DIR/day-N.png with some moments")  # fmt: skip
    _of_the_robot(house)
    house.set_defaults(run=_run_sim)


def do(parser: argparse.ArgumentParser) -> None:
    """Declare `robot-memory do`."""
    parser.add_argument("words", nargs="*", help="for example: bring me the red mug")
    parser.add_argument("--memory", type=Path, metavar="DIR",
                        default=Path(os.environ.get("ROBOT_MEMORY", DEFAULT_FOLDER)),
                        help=f"the memory's folder (default: $ROBOT_MEMORY or ./{DEFAULT_FOLDER})")  # fmt: skip
    parser.add_argument("--sim", type=int, metavar="SEED",
                        help="act in the simulated home of this seed")  # fmt: skip
    parser.add_argument("--day", type=int, metavar="D", help="of that home (default: the one after "
                        "the memory's last; with --resume the last)")  # fmt: skip
    parser.add_argument("--plan", action="store_true", help="only show what the robot would do")
    parser.add_argument("--draw", type=Path, default=Path("plan.svg"), metavar="FILE",
                        help="with --plan: where the plan is drawn (default: plan.svg)")  # fmt: skip
    parser.add_argument("--resume", action="store_true",
                        help="go on with what a power cut ended")  # fmt: skip
    parser.add_argument("--video", type=Path, metavar="FILE",
                        help="film it: FILE.mp4 or FILE.gif, and some moments in FILE.png")  # fmt: skip
    _of_the_robot(parser)
    parser.set_defaults(run=_run_do)


def _sees_with(parser: argparse.ArgumentParser, *, usual: str = "0") -> None:
    parser.add_argument("--detector", default="segmentation", metavar="D",
                        help="what names things in pictures: segmentation (the renderer's), network "
                             "(of this package), or the folder of an open-vocabulary checkpoint that "
                             "transformers loads, as OWLv2 (default: segmentation)")  # fmt: skip
    for name, told in (
        ("misses", "share of detections left out"),
        ("confusions", "share of the others that get a similar thing's label"),
    ):
        parser.add_argument(f"--{name}", type=float, metavar="P",
                            help=f"of the segmentation: {told}, 0 to 1 (default: {usual})")  # fmt: skip
    parser.add_argument("--position-noise", type=float, metavar="M",
                        help="of the segmentation: spread by which masks lie beside their things, "
                             f"metres (default: {usual})")  # fmt: skip


def _of_the_robot(parser: argparse.ArgumentParser) -> None:
    _sees_with(parser)
    parser.add_argument("--pixels", default="320x240", metavar="WxH",
                        help="size of the robot's pictures (default: 320x240)")  # fmt: skip
    parser.add_argument("--encoder", default="default", help="text encoder")


def _run_sim(options: argparse.Namespace) -> int:
    from memory_sim.house_days import run_sim

    return run_sim(options)


def _run_do(options: argparse.Namespace) -> int:
    from memory_sim.house_days import run_do

    return run_do(options)


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


def _run_house(options: argparse.Namespace) -> int:
    from memory_core.interfaces.evaluations import show_report
    from memory_core.interfaces.opening import bar
    from memory_sim.detecting.choice import errors_of
    from memory_sim.house_evaluation import evaluate_house
    from memory_sim.two_days import CONDITIONS, Setting

    setting = Setting(
        options.condition, rooms=options.rooms, wordings=options.wordings,
        detector=options.detector,
        errors=errors_of(options, usual=CONDITIONS[options.condition].errors),
    )  # fmt: skip
    with bar(options, "homes") as tell:
        found, rows = evaluate_house(
            options.seeds, first_seed=options.first_seed, agents=options.agent, setting=setting,
            workers=options.workers, rows_file=Path(options.rows) if options.rows else None,
            resume=options.resume, cache_folder=options.cache, progress=tell,
        )  # fmt: skip
    if not options.json:
        found = {**found.pop("agents"), "first day": found.pop("first_day"), **found}
    written = argparse.Namespace(**{**vars(options), "rows": None})  # home by home, all of them
    return show_report(written, found, rows)


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
