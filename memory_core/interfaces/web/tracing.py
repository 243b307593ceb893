"""What moves and what counts: points by zoom, paths and the timeline, thinned for a screen."""

from __future__ import annotations

import numpy as np

from memory_core.errors import InvalidQuery
from memory_core.interfaces.web.scenery import Cloud, Scenery
from memory_core.types import Filters, FloatArray, IntArray, Json

EXACT = 50_000
"""Up to so many points are sent as they are."""
VERTICES = 12_000
GRID = 4_000_000
"""Cells that are counted in, empty ones too, are no more than about these."""
CORNER_M, CORNERS_ACROSS = 0.05, 1_500
"""Corners of a path lie so far apart; on a large level, so many fit across it."""
JUMP_M = 2.5
PAUSE_MS, CARRIED_M = 20_000.0, 0.75
"""So long without a look, and so far from it: what lay between is not known."""
EVENTS = 300
SUMMARY = 160

Rectangle = tuple[float, float, float, float]


def points_in(
    cloud: Cloud,
    level: int,
    box: Rectangle,
    *,
    cell_m: float,
    start_ms: float | None,
    end_ms: float | None,
) -> Json:
    """Where observations were made: each of them where they are few, else counts by cell.

    Args:
        cloud: All of them.
        level: Number of the level.
        box: Lowest x and y, highest x and y, metres.
        cell_m: Side of a cell, metres; doubled until at most `EXACT` of `GRID` hold something.
        start_ms: From then on; None from the beginning.
        end_ms: Until then; None until the end.

    Returns:
        Columns: x and y in centimetres, and `n`, how many each stands for, or, where each stands
        for itself, `t`, milliseconds after `start_ms` of the answer.

    Raises:
        InvalidQuery: There is no such level.
    """
    rows = cloud.rows_on(level, start_ms, end_ms)
    x, y = cloud.positions[rows, 0], cloud.positions[rows, 1]
    inside = (x >= box[0]) & (x <= box[2]) & (y >= box[1]) & (y <= box[3])
    x, y, rows = x[inside], y[inside], rows[inside]
    if len(rows) <= EXACT:
        stamps = cloud.stamps_ms[rows]
        first = float(stamps[0]) if len(rows) else 0.0
        return {
            "exact": True, "total": len(rows), "x": _centimetres(x), "y": _centimetres(y),
            "start_ms": first, "t": np.rint(stamps - first).astype(np.int64).tolist(),
        }  # fmt: skip
    wide, high = float(np.ptp(x)), float(np.ptp(y))
    while (wide / cell_m + 1) * (high / cell_m + 1) > GRID:
        cell_m *= 2
    while True:
        counts, east, north = _counted(x, y, cell_m)
        if len(counts) <= EXACT:
            break
        cell_m *= 2
    return {
        "exact": False, "total": len(rows), "cell_m": cell_m, "x": _centimetres(east),
        "y": _centimetres(north), "n": counts.tolist(),
    }  # fmt: skip


def _counted(
    x: FloatArray, y: FloatArray, cell_m: float
) -> tuple[IntArray, FloatArray, FloatArray]:
    """How many points each cell holds, and their mean; cells stay where they are as one pans."""
    column, row = (np.floor(values / cell_m).astype(np.int64) for values in (x, y))
    column -= column.min()
    row -= row.min()
    width = int(column.max()) + 1
    key = row * width + column
    counts = np.bincount(key)
    held = np.flatnonzero(counts)
    number = counts[held]
    east = np.bincount(key, weights=x)[held] / number
    north = np.bincount(key, weights=y)[held] / number
    return number, east, north


def paths_on(scenery: Scenery, number: int) -> Json:
    """Where robots drove on a level: the newest `VERTICES` corners of it.

    A path breaks where a robot was on another level, was carried, or where looks are missing.

    Args:
        scenery: Of the memory.
        number: Of the level.

    Raises:
        InvalidQuery: There is no such level.
    """
    cloud = scenery.cloud()
    level = cloud.level(number)
    across = max(high - low for low, high in zip(level.low, level.high, strict=True))
    spacing_m = max(CORNER_M, across / CORNERS_ACROSS)
    names = scenery.memory.store.names
    sources = ("odometry",) if "odometry" in names("source") else ()
    runs: list[tuple[float, str, IntArray]] = []
    for robot in sorted(names("robot")):
        chosen = scenery.memory.select(Filters(robots=(robot,), sources=sources))
        own = np.isin(cloud.rowids, chosen) if len(chosen) < len(cloud.rowids) else True
        rows = np.flatnonzero(own & (cloud.levels >= 0))
        parts = _unbroken(cloud, rows, number, spacing_m)
        runs += [(float(cloud.stamps_ms[part[0]]), robot, part) for part in parts]
    runs.sort(key=lambda run: -run[0])
    shown: list[Json] = []
    left = VERTICES
    for _, robot, part in runs:
        newest = part[-left:]
        shown.append(_run(cloud, robot, newest))
        left -= len(newest)
        if left <= 0:
            break
    return {"runs": shown[::-1], "whole": left > 0}


def _run(cloud: Cloud, robot: str, rows: IntArray) -> Json:
    stamps = cloud.stamps_ms[rows]
    return {
        "robot": robot, "start_ms": float(stamps[0]),
        "t": np.rint(stamps - stamps[0]).astype(np.int64).tolist(),
        "x": _centimetres(cloud.positions[rows, 0]), "y": _centimetres(cloud.positions[rows, 1]),
    }  # fmt: skip


def _unbroken(cloud: Cloud, rows: IntArray, level: int, spacing_m: float) -> list[IntArray]:
    """The stretches of one robot's path that lie on a level, thinned."""
    if len(rows) < 2:
        return []
    flat, stamps = cloud.positions[rows, :2], cloud.stamps_ms[rows]
    steps = np.linalg.norm(np.diff(flat, axis=0), axis=1)
    away = cloud.levels[rows] != level
    unseen = (np.diff(stamps) > PAUSE_MS) & (steps > CARRIED_M)
    broken = (steps > JUMP_M) | unseen | away[1:] | away[:-1]
    driven = np.concatenate([[0.0], np.cumsum(np.where(broken, 0.0, steps))])
    corner = np.floor(driven / spacing_m)
    keep = np.ones(len(rows), bool)
    keep[1:-1] = (corner[1:-1] != corner[:-2]) | broken[1:] | broken[:-1]
    parts = np.split(np.arange(len(rows)), np.flatnonzero(broken) + 1)
    return [rows[part[keep[part]]] for part in parts if len(part) > 1]


def timeline_of(
    scenery: Scenery, *, bins: int, start_ms: float | None, end_ms: float | None
) -> Json:
    """How much was observed when, and what happened.

    Args:
        scenery: Of the memory.
        bins: Into so many equal parts the span is cut.
        start_ms: Its beginning; None for the first observation.
        end_ms: Its end; None for the last.

    Raises:
        InvalidQuery: The span ends before it begins.
    """
    cloud = scenery.cloud()
    stamps = cloud.stamps_ms
    if not len(stamps):
        return {"start_ms": 0, "end_ms": 0, "bins": [], "events": [], "events_total": 0}
    start = float(stamps[0]) if start_ms is None else start_ms
    end = float(stamps[-1]) if end_ms is None else end_ms
    if end < start:
        raise InvalidQuery("the span ends before it begins; give end_ms later than start_ms")
    edges = np.linspace(start, max(end, start + 1), bins + 1)
    ranks = np.searchsorted(stamps, edges)
    ranks[-1] = np.searchsorted(stamps, edges[-1], side="right")
    events, times = scenery.events()
    within = np.flatnonzero((times[:, 1] >= start) & (times[:, 0] <= end))
    sizes = np.array([events[number].observations for number in within], np.int64)
    largest = within[np.argsort(-sizes, kind="stable")[:EVENTS]]
    shown = []
    for number in sorted(largest.tolist(), key=lambda item: float(times[item, 0])):
        event = events[number]
        shown.append(
            {
                "id": event.id,
                "robot": event.robot,
                "session": event.session,
                "start_ms": float(times[number, 0]),
                "end_ms": float(times[number, 1]),
                "summary": event.summary[:SUMMARY],
                "observations": event.observations,
                "place": event.place,
            }
        )
    return {
        "start_ms": start, "end_ms": end, "bins": np.diff(ranks).tolist(),
        "events": shown, "events_total": len(within),
    }  # fmt: skip


def _centimetres(metres: FloatArray) -> list[int]:
    return np.rint(metres * 100).astype(np.int64).tolist()  # type: ignore[no-any-return]
