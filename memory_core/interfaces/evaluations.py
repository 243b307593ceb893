"""`robot-memory eval`: measure, show the report, write the rows."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from memory_core.errors import InvalidQuery
from memory_core.interfaces.console import print_json, table
from memory_core.interfaces.opening import bar, loaded_encoder
from memory_core.types import Json

Measured = tuple[Json, list[Json]]


def evaluate(options: argparse.Namespace) -> int:
    """Run an evaluation."""
    with bar(options, options.evaluation) as tell:
        found, rows = _EVALUATIONS[options.evaluation](options, tell)
    return show_report(options, found, rows)


def _houses(options: argparse.Namespace, tell: Any) -> Measured:
    from memory_core.evaluation.houses import evaluate_houses

    return evaluate_houses(
        Path(options.folder), names=options.houses, encoder=loaded_encoder(options.encoder),
        mode=options.mode, ablation=options.ablation, progress=tell,
    )  # fmt: skip


def _places(options: argparse.Namespace, tell: Any) -> Measured:
    from memory_core.evaluation.places import evaluate_places

    return evaluate_places(Path(options.folder), every=options.every, progress=tell)


def _forest(options: argparse.Namespace, tell: Any) -> Measured:
    from memory_core.evaluation.forest import evaluate_forest

    encoder = loaded_encoder(options.encoder)
    if encoder is None:
        raise InvalidQuery("--encoder is none; the forest is built from what captions mean")
    if any(size < 2 for size in options.sizes):
        raise InvalidQuery(f"--sizes is {options.sizes}; expected 2 or more places each")
    return evaluate_forest(
        Path(options.folder), encoder=encoder, sizes=sorted(options.sizes), progress=tell
    )


def _changes(options: argparse.Namespace, tell: Any) -> Measured:
    from memory_core.evaluation.changes import evaluate_changes

    if options.looks < 1:
        raise InvalidQuery(f"--looks is {options.looks}; expected 1 or more")
    return evaluate_changes(
        Path(options.folder), seed=options.seed, looks=options.looks, exact=options.exact,
        progress=tell,
    )  # fmt: skip


_EVALUATIONS = {"houses": _houses, "places": _places, "forest": _forest, "changes": _changes}


def show_report(options: argparse.Namespace, found: Json, rows: list[Json]) -> int:
    """Write the rows where they are wanted, and print the report.

    Args:
        options: `json`, `rows` (a file or None) and `evaluation`.
        found: As `memory_core.evaluation.report.report` makes it.
        rows: One an item.

    Returns:
        The exit status.
    """
    from memory_core.evaluation.report import write_rows

    if options.rows:
        write_rows(Path(options.rows), rows)
    if options.json:
        print_json(found)
        return 0
    plain = {key: value for key, value in found.items() if key != "config"}
    _show(f"eval {options.evaluation}", plain)
    return 0


def _show(title: str, found: Mapping[str, Any]) -> None:
    """Single values in one table, parts that share metrics beside each other in another."""
    single = {key: value for key, value in found.items() if not isinstance(value, dict)}
    if single:
        table(title, ["metric", "value"], [[key, told(value)] for key, value in single.items()])
    parts = {key: value for key, value in found.items() if isinstance(value, dict) and value}
    nested = {key: value for key, value in parts.items() if _of_parts(value)}
    for key, value in nested.items():
        columns = list(dict.fromkeys(metric for row in value.values() for metric in row))
        rows = [[name, *(told(row.get(metric)) for metric in columns)]
                for name, row in value.items()]  # fmt: skip
        table(f"{title}: {key}", ["", *columns], rows)
    for group in _alike({key: value for key, value in parts.items() if key not in nested}):
        metrics = list(dict.fromkeys(metric for part in group.values() for metric in part))
        deep = {m for m in metrics if any(_of_parts(part.get(m)) for part in group.values())}
        rows = [[metric, *(told(part.get(metric)) for part in group.values())]
                for metric in metrics if metric not in deep]  # fmt: skip
        table(f"{title}: {', '.join(group)}", ["metric", *group], rows)
        for metric in sorted(deep):
            for name, part in group.items():
                _show(f"{title}: {name}", {metric: part.get(metric) or {}})


def _of_parts(value: Any) -> bool:
    """Whether a value is a table of its own: names with the metrics of each."""
    return (
        isinstance(value, dict) and bool(value) and all(isinstance(v, dict) for v in value.values())
    )


def _alike(parts: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Parts in groups that have a metric in common."""
    groups: list[dict[str, Any]] = []
    for name, part in parts.items():
        group = next((g for g in groups if any(set(part) & set(other) for other in g.values())), {})
        if not group:
            groups.append(group)
        group[name] = part
    return groups


def told(value: Any) -> str:
    """A value of a report, in words."""
    if value is None:
        return "—"
    if isinstance(value, dict):
        return "\n".join(f"{key}: {told(item)}" for key, item in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(told(item) for item in value)
    if isinstance(value, float):
        return f"{value:,.6g}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
