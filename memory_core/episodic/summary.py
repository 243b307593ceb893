"""What a memory holds, in numbers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from memory_core.types import Json, Pose

if TYPE_CHECKING:
    from memory_core.memory import RobotMemory


def summarise(memory: RobotMemory) -> Json:
    """Counts, span, area, path, size on disk, models, recordings, refusals and removals.

    Args:
        memory: Any open memory.
    """
    store = memory.store
    with store.reading() as db:
        first, last, placed, unlocalised = db.execute(
            "SELECT min(stamp_ns), max(stamp_ns), count(x), sum(localised = 0) FROM observations"
        ).fetchall()[0]
        sources = {
            name: {"count": count, "first_ns": low, "last_ns": high}
            for name, count, low, high in db.execute(
                "SELECT n.name, count(*), min(o.stamp_ns), max(o.stamp_ns) FROM observations o "
                "JOIN names n ON n.id = o.source GROUP BY o.source ORDER BY count(*) DESC"
            )
        }
        sessions = [
            row[0]
            for row in db.execute(
                "SELECT DISTINCT n.name FROM observations o JOIN names n ON n.id = o.session"
            )
        ]
        low_x, high_x, low_y, high_y, low_z, high_z = db.execute(
            "SELECT min(min_x), max(max_x), min(min_y), max(max_y), min(min_z), max(max_z) "
            "FROM boxes"
        ).fetchall()[0]
        sightings = int(db.execute("SELECT count(*) FROM sightings").get)
        labels = int(db.execute("SELECT count(DISTINCT label) FROM sightings").get)
        keyframes = int(db.execute("SELECT count(*) FROM keyframes").get)
        texts = int(db.execute("SELECT count(text) FROM observations").get)
    area = None if low_x is None else [[low_x, low_y, low_z], [high_x, high_y, high_z]]
    removals = store.removals()
    return {
        "folder": str(memory.folder),
        "observations": store.count(),
        "acknowledged": store.counter("acknowledged"),
        "sightings": sightings,
        "labels": labels,
        "texts": texts,
        "keyframes": {"count": keyframes, "bytes": store.counter("keyframe_bytes")},
        "span_ns": None if first is None else [first, last],
        "placed": placed,
        "not_localised": int(unlocalised or 0),
        "area_m": area,
        "path_m": round(length_of(trajectory(memory)), 3),
        "sources": sources,
        "sessions": sessions,
        "maps": store.epochs(),
        "bytes": _size(memory),
        "spaces": {
            name: {"model": s.model, "revision": s.revision, "dimension": s.dimension}
            for name, s in store.spaces().items()
        },
        "recordings": store.recordings(),
        "refused": {
            code: {"count": count, "last": words}
            for code, (count, words) in store.refusals().items()
        },
        "removed": {
            "observations": sum(item.observations for item in removals),
            "keyframes": sum(item.keyframes for item in removals),
            "records": len(removals),
        },
        "index": memory.index.metrics(),
    }


def _size(memory: RobotMemory) -> Json:
    sizes: dict[str, int] = {"database": 0, "index": 0}
    for path in memory.folder.rglob("*"):
        if path.is_file():
            part = "index" if path.parent.name == "index" else "database"
            status = path.stat()
            sizes[part] += min(status.st_size, status.st_blocks * 512)
    return sizes


class Step(NamedTuple):
    """Where a robot was at one moment: stamp (ns), pose in its map, and which run it was.

    `run` is (robot, session, map): steps are taken within a run only.
    """

    stamp_ns: int
    pose: Pose
    run: tuple[str, str, str]


def trajectory(memory: RobotMemory, robot: str | None = None) -> list[Step]:
    """Where robots were, in order of time.

    Args:
        memory: Any open memory.
        robot: Which robot; None for all. Where odometry was recorded, it alone is used.
    """
    store = memory.store
    condition, values = "", []
    if robot is not None:
        condition = " AND robot = (SELECT id FROM names WHERE kind='robot' AND name=?)"
        values = [robot]
    query = (
        "SELECT o.stamp_ns, o.anchor, x, y, z, qx, qy, qz, qw, r.name, s.name, o.source = "
        "(SELECT id FROM names WHERE kind='source' AND name='odometry') FROM observations o "
        "JOIN names s ON s.id = o.session JOIN names r ON r.id = o.robot WHERE x IS NOT NULL"
    )
    with store.reading() as db:
        found = db.execute(f"{query}{condition} ORDER BY o.stamp_ns, o.rowid", values).fetchall()
        anchors = {number: (name, pose) for number, (name, _, pose) in store.anchor_poses().items()}
    if any(row[11] for row in found):
        found = [row for row in found if row[11]]
    steps = []
    for row in found:
        map_id, anchor = anchors[row[1]]
        steps.append(Step(row[0], anchor.compose(Pose(*row[2:9])), (row[9], row[10], map_id)))
    return steps


def by_run(steps: list[Step]) -> list[list[Step]]:
    """A path as one list a run, each in order of time."""
    runs: dict[tuple[str, str, str], list[Step]] = {}
    for step in steps:
        runs.setdefault(step.run, []).append(step)
    return list(runs.values())


def length_of(steps: list[Step]) -> float:
    """Metres travelled: the sum of the steps within each run."""
    total = 0.0
    for run in by_run(steps):
        table = np.array([step.pose.position for step in run])
        total += float(np.linalg.norm(np.diff(table, axis=0), axis=1).sum())
    return total if math.isfinite(total) else 0.0
