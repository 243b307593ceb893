"""Rows of an evaluation as JSON Lines: what was done is kept, and gone on with after a stop."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from memory_core.errors import InvalidQuery
from memory_core.types import Json


def rows_to_resume(path: Path | None) -> list[Json]:
    """The rows that were written before; what a broken line ended is left out.

    Raises:
        InvalidQuery: No file was named.
    """
    if path is None:
        raise InvalidQuery("there is nothing to resume without a rows file; name it with --rows")
    rows: list[Json] = []
    if path.exists():
        for line in path.read_text(encoding="utf-8").splitlines():
            try:
                rows.append(json.loads(line))
            except json.JSONDecodeError:
                break
    return rows


def write_rows(path: Path, rows: Sequence[Json], mode: Literal["w", "a"]) -> None:
    """Write rows, a line each; folders that are missing are made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open(mode, encoding="utf-8") as file:
        file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
