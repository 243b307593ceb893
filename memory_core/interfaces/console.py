"""What commands share: printing for people or programs, progress, errors in one line."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

DEFAULT_FOLDER = "robot-memory"


def common_options() -> argparse.ArgumentParser:
    """Options that every command takes."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--json", action="store_true", help="print one JSON object for programs")
    parser.add_argument(
        "-v", "--verbose", action="count", default=0, help="show the log (-vv: all)"
    )
    parser.add_argument("-q", "--quiet", action="store_true", help="no progress bars")
    return parser


def memory_options() -> argparse.ArgumentParser:
    """Options of commands that open a memory."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument(
        "--memory", metavar="DIR", type=Path,
        default=Path(os.environ.get("ROBOT_MEMORY", DEFAULT_FOLDER)),
        help=f"the memory's folder (default: $ROBOT_MEMORY or ./{DEFAULT_FOLDER})",
    )  # fmt: skip
    parser.add_argument(
        "--encoder", metavar="MODEL", default="default",
        help="text encoder: a sentence-transformers name or path, `hashing` or `none` "
        "(default: all-MiniLM-L6-v2)",
    )  # fmt: skip
    parser.add_argument(
        "--image-encoder", metavar="MODEL",
        help="search pictures by words: a SigLIP or CLIP model that transformers knows, name or "
        "path (default: pictures are kept, not searched)",
    )  # fmt: skip
    return parser


def print_json(value: Any) -> None:
    """One JSON object on standard output, and nothing else."""
    json.dump(value, sys.stdout, ensure_ascii=sys.stdout.isatty(), allow_nan=False)
    sys.stdout.write("\n")


def table(title: str, columns: list[str], rows: list[list[Any]]) -> None:
    """A table for people; remembered text is shown as it is, never as markup."""
    from rich.table import Table
    from rich.text import Text

    drawn = Table(title=title or None, title_justify="left", header_style="bold")
    for column in columns:
        drawn.add_column(column, overflow="fold")
    for row in rows:
        drawn.add_row(*(Text(printable(cell)) for cell in row))
    show(drawn)


def show(drawn: Any) -> None:
    """A rich table or tree; what it shows must be `printable`."""
    from rich.console import Console

    Console().print(drawn)


def printable(cell: Any) -> str:
    """A cell without control characters, which a terminal would obey."""
    return "".join(c if c.isprintable() or c == "\n" else "\ufffd" for c in str(cell))


def say(text: str) -> None:
    """A line for people."""
    sys.stdout.write(printable(text) + "\n")


def complain(text: str) -> None:
    """A line on standard error."""
    sys.stderr.write(printable(text) + "\n")


@contextmanager
def progress(title: str, *, quiet: bool) -> Iterator[Callable[..., None]]:
    """A bar with rate and time left, on standard error; nothing where it is not a terminal.

    Args:
        title: What is done.
        quiet: Show nothing.

    Yields:
        A function of (done, total[, title]).
    """
    if quiet or not sys.stderr.isatty():
        yield lambda *_: None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    bar = Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"), TimeElapsedColumn(), TimeRemainingColumn(),
        console=Console(stderr=True), transient=True,
    )  # fmt: skip
    with bar:
        task = bar.add_task(title, total=None, rate="")

        def update(done: int, total: int | None = None, what: str | None = None) -> None:
            speed = bar.tasks[0].speed
            bar.update(
                task, completed=done, total=total, rate=f"{speed:,.0f}/s" if speed else "",
                description=what or title,
            )  # fmt: skip

        yield update
