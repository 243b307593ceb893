"""`robot-memory train`: what can be trained; each kind loads what it needs when it runs."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TypeAlias

from memory_core.interfaces.console import common_options
from memory_sim.detecting import commands as detecting

Kinds: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def train(parser: argparse.ArgumentParser) -> None:
    """Declare `robot-memory train`."""
    kinds = parser.add_subparsers(dest="trained", metavar="WHAT", required=True)
    _ballet(kinds)
    detecting.train(kinds)


def _ballet(kinds: Kinds) -> None:
    ballet = kinds.add_parser(
        "ballet", parents=[common_options()], help="hierarchical chunk attention and an LSTM learn "
        "who danced what",
    )  # fmt: skip
    ballet.add_argument("--model", nargs="+", choices=("hcam", "lstm"), default=["hcam", "lstm"],
                        help="which of them (default: both, one after the other)")  # fmt: skip
    ballet.add_argument("--seed", type=int, default=0,
                        help="of weights and episodes (default: 0)")  # fmt: skip
    ballet.add_argument("--updates", type=int, metavar="N",
                        help="of the weights (default: what the shipped weights took)")  # fmt: skip
    ballet.add_argument("--episodes", type=int, default=500, metavar="N",
                        help="to be measured on afterwards, each level (default: 500)")  # fmt: skip
    ballet.add_argument("--out", type=Path, default=Path("ballet"), metavar="DIR",
                        help="for weights, curves and the picture of both (default: ./ballet)")  # fmt: skip
    ballet.add_argument("--resume", action="store_true",
                        help="go on where training in that folder was ended")  # fmt: skip
    ballet.set_defaults(run=_run_ballet)


def _run_ballet(options: argparse.Namespace) -> int:
    from memory_sim.training.ballet_command import run_ballet

    return run_ballet(options)
