"""`robot-memory tasks` and `robot-memory eval tasks`: memory tasks, and agents put to them."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TypeAlias

from memory_core.interfaces.console import common_options

Kinds: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
_AGENTS = "memory, window, last-frame, none or oracle"


def tasks(parser: argparse.ArgumentParser) -> None:
    """Declare `robot-memory tasks`."""
    kinds = parser.add_subparsers(dest="action", metavar="WHAT", required=True)
    listed = kinds.add_parser("list", parents=[common_options()], help="which tasks there are")
    listed.add_argument(
        "--suite", metavar="S", help="only memorybench, mikasa, generated or ballet"
    )
    listed.set_defaults(run=_run_list)
    shown = kinds.add_parser(
        "show", parents=[common_options()], help="what a task asks, and a strip of pictures of it"
    )
    shown.add_argument("task", help="its id, for example Ballet/Dances8Delay48-v0")
    shown.add_argument("--seed", type=int, default=0, help="of the episode (default: 0)")
    shown.add_argument("--out", type=Path, metavar="FILE.png",
                       help="where the strip goes (default: TASK.png)")  # fmt: skip
    shown.set_defaults(run=_run_show)
    run = kinds.add_parser("run", parents=[common_options()], help="let an agent do a task")
    run.add_argument("task", help="its id, for example Ballet/Dances8Delay48-v0")
    run.add_argument("--agent", default="memory", help=f"{_AGENTS}, or MODULE:CALLABLE of your own "
                     "(default: memory)")  # fmt: skip
    run.add_argument("--episodes", type=int, default=1, metavar="N", help="how many (default: 1)")
    run.add_argument("--seed", type=int, default=0,
                     help="of the first episode; the others follow (default: 0)")  # fmt: skip
    run.add_argument("--video", type=Path, metavar="FILE.mp4", help="film it")
    run.set_defaults(run=_run_run)


def evaluate(parser: argparse.ArgumentParser) -> None:
    """Declare `robot-memory eval tasks`."""
    parser.add_argument("--suite", nargs="+", metavar="S",
                        help="memorybench, mikasa, generated, ballet (default: all there are)")  # fmt: skip
    parser.add_argument("--task", nargs="+", default=[], metavar="ID", help="only these tasks")
    parser.add_argument("--agent", nargs="+", default=["memory"], metavar="A",
                        help=f"{_AGENTS}, or MODULE:CALLABLE of your own (default: memory)")  # fmt: skip
    parser.add_argument("--episodes", type=int, default=50, metavar="N",
                        help="of each task and agent (default: 50)")  # fmt: skip
    parser.add_argument("--seed", type=int, default=0,
                        help="of the first episode; the others follow (default: 0)")  # fmt: skip
    parser.add_argument("--workers", type=int, default=1, metavar="N",
                        help="processes that act (default: 1)")  # fmt: skip
    parser.add_argument("--rows", metavar="FILE", help="write one JSON line an episode")
    parser.add_argument("--resume", action="store_true", help="go on where the rows file ends")
    parser.add_argument("--failures", type=Path, metavar="DIR",
                        help="a picture of each kind of failure of each task and agent")  # fmt: skip
    parser.set_defaults(run=_run_evaluate)


def _run_list(options: argparse.Namespace) -> int:
    from memory_sim.task_running import run_list

    return run_list(options)


def _run_show(options: argparse.Namespace) -> int:
    from memory_sim.task_running import run_show

    return run_show(options)


def _run_run(options: argparse.Namespace) -> int:
    from memory_sim.task_running import run_run

    return run_run(options)


def _run_evaluate(options: argparse.Namespace) -> int:
    from memory_sim.task_running import run_evaluate

    return run_evaluate(options)
