"""What every evaluation prints: metrics with their date, machine and configuration."""

from __future__ import annotations

import datetime as dt
import json
import os
import platform
from collections.abc import Iterable
from pathlib import Path

from memory_core.types import Json


def machine() -> str:
    """Processor, cores and Python, in words."""
    name = platform.processor() or platform.machine()
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                name = line.split(":", 1)[1].strip()
                break
    except OSError:
        pass
    return f"{name}, {os.cpu_count()} cores, Python {platform.python_version()}"


def report(metrics: Json, *, n: int, seed: int, config: Json, seconds: float) -> Json:
    """One JSON object for an evaluation.

    Args:
        metrics: By name, as `docs/evaluation.md` defines them.
        n: How many items were scored.
        seed: Of whatever was drawn.
        config: What was run.
        seconds: How long it took.
    """
    return {
        **metrics,
        "n": n,
        "seed": seed,
        "config": config,
        "date": dt.datetime.now(tz=dt.timezone.utc).isoformat(timespec="seconds"),
        "machine": machine(),
        "seconds": round(seconds, 2),
    }


def write_rows(path: Path, rows: Iterable[Json]) -> None:
    """Per-item rows as JSON Lines."""
    with path.open("w", encoding="utf-8") as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
