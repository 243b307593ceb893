"""The commands that simulation adds to `robot-memory`."""

from __future__ import annotations

import argparse
from pathlib import Path


def demo(parser: argparse.ArgumentParser) -> None:
    """Declare `robot-memory demo`."""
    parser.add_argument("--seed", type=int, default=7, help="of the house (default: 7)")
    parser.add_argument("--rooms", type=int, default=6, help="2 to 6 (default: 6)")
    parser.add_argument("--out", type=Path, default=Path("demo"), metavar="DIR",
                        help="where the memory and report.html go (default: ./demo)")  # fmt: skip
    parser.add_argument("--misses", type=float, default=0.05, help="share of detections that fail")
    parser.set_defaults(run=_run_demo)


def _run_demo(options: argparse.Namespace) -> int:
    from memory_sim.demo import run_demo

    return run_demo(options)
