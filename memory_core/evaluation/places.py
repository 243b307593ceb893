"""Visual place recognition on a folder of RGB-D frames: the query is pixels alone.

`recall@1_gap30`: the frame returned is within 0.5 m and 30 degrees of the query, with the query
and the 30 stored frames before and after it left out. `recall@1`: within 0.25 m and 20 degrees,
with only the query left out.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from memory_core.errors import EmptyMemory
from memory_core.evaluation.report import report
from memory_core.perception.camera import OPTICAL_IN_BODY
from memory_core.perception.place import (
    Features,
    VisualPlaces,
    describe,
    lift,
    train_vocabulary,
)
from memory_core.recordings.detect import ReadOptions
from memory_core.recordings.rgbd import RgbdRecording
from memory_core.types import FloatArray, Json

GAP_FRAMES = 30
GAP_LIMITS = (0.5, 30.0)
NEAR_LIMITS = (0.25, 20.0)

Progress = Callable[[int, int, str], None]


def load_places(
    recording: RgbdRecording, *, progress: Progress | None = None
) -> tuple[VisualPlaces, list[Features], FloatArray]:
    """Describe every frame that has a pose.

    Args:
        recording: The frames.
        progress: Called with (frames done, in all, what is done).

    Returns:
        The places, the frames' features, and their poses (optical, 4x4), shape (n, 4, 4).

    Raises:
        EmptyMemory: No frame has a pose.
    """
    features, points, poses = [], [], []
    for place, number in enumerate(recording.numbers):
        frame = recording.frame(number)
        if frame.pose is None:
            continue
        found = describe(frame.image)
        pose = frame.pose.compose(OPTICAL_IN_BODY).matrix()
        world = None
        if frame.depth_m is not None and recording.intrinsics is not None:
            seen = lift(found, frame.depth_m, recording.intrinsics)
            world = seen @ pose[:3, :3].T + pose[:3, 3]
        features.append(found)
        points.append(world)
        poses.append(pose)
        if progress:
            progress(place + 1, recording.total, "describing")
    if not poses:
        raise EmptyMemory(f"no frame of {recording.path} has a pose")
    vocabulary = train_vocabulary(features)
    stacked = np.stack(poses)
    return (
        VisualPlaces(vocabulary, features, points, stacked, recording.intrinsics),
        features,
        stacked,
    )


def evaluate_places(
    folder: Path, *, every: int = 1, progress: Progress | None = None
) -> tuple[Json, list[Json]]:
    """Score recognition on a folder of frames.

    Args:
        folder: A folder that `RgbdRecording` reads.
        every: Ask only every n-th frame (all are stored).
        progress: Called with (done, in all, what is done).

    Returns:
        The report, and one row a query.
    """
    begun = time.perf_counter()
    recording = RgbdRecording(folder, ReadOptions())
    places, features, poses = load_places(recording, progress=progress)
    order = np.arange(len(poses))
    rows = []
    queries = order[::every]
    for done, query in enumerate(queries.tolist(), start=1):
        apart = np.abs(order - query)
        row: Json = {"frame": query}
        for name, gap, limits in (
            ("recall@1_gap30", GAP_FRAMES, GAP_LIMITS),
            ("recall@1", 0, NEAR_LIMITS),
        ):
            found = places.recognise(features[query], allowed=apart > gap)
            metres, degrees = _errors(poses, query, found.frame)
            row[name] = int(metres <= limits[0] and degrees <= limits[1])
            if gap:
                row |= {"error_m": metres, "error_deg": degrees, "sure": found.sure}
        rows.append(row)
        if progress:
            progress(done, len(queries), "recognising")
    metrics = {
        "recall@1": round(float(np.mean([row["recall@1"] for row in rows])), 4),
        "recall@1_gap30": round(float(np.mean([row["recall@1_gap30"] for row in rows])), 4),
        "median_error_m": round(float(np.median([row["error_m"] for row in rows])), 4),
    }
    config = {"frames": len(poses), "every": every, "folder": folder.name}
    return report(
        metrics, n=len(rows), seed=0, config=config, seconds=time.perf_counter() - begun
    ), rows


def _errors(poses: FloatArray, query: int, found: int) -> tuple[float, float]:
    """Metres and degrees between two stored frames; far where nothing was found."""
    if found < 0:
        return 1e3, 180.0
    metres = float(np.linalg.norm(poses[query, :3, 3] - poses[found, :3, 3]))
    turn = poses[query, :3, :3].T @ poses[found, :3, :3]
    degrees = float(np.degrees(np.arccos(np.clip((np.trace(turn) - 1) / 2, -1, 1))))
    return round(metres, 4), round(degrees, 3)
