"""Visual place recognition on a folder of RGB-D frames: the query is pixels alone.

`recall@1_gap30`: the frame returned is within 0.5 m and 30 degrees of the query, with the query
and the 30 stored frames before and after it left out. `recall@1`: within 0.25 m and 20 degrees,
with only the query left out. `stored@1_gap30` and `shortlist@20_gap30` judge by the first limits
what a memory keeps, a vector and a picture of each frame without depth: the frame that
`RobotMemory.recognise` would name, and whether one of the 20 that it compares is right.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from memory_core.episodic.recognising import LEAST_FEATURES
from memory_core.errors import EmptyMemory
from memory_core.evaluation.report import report
from memory_core.perception.camera import OPTICAL_IN_BODY
from memory_core.perception.place import (
    PLACE_VECTORS,
    SHORTLIST,
    Features,
    VisualPlaces,
    agreement,
    describe,
    describe_small,
    lift,
    place_vector,
    train_vocabulary,
)
from memory_core.recordings.detect import ReadOptions
from memory_core.recordings.rgbd import RgbdRecording
from memory_core.types import BoolArray, FloatArray, Json

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
    stored = _Stored(recording)
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
            row[name] = int(_within((metres, degrees), limits))
            if gap:
                row |= {"error_m": metres, "error_deg": degrees, "sure": found.sure}
                compared = stored.shortlist(query, apart > gap)
                right = {
                    frame for frame in compared if _within(_errors(poses, query, frame), limits)
                }
                row["stored@1_gap30"] = int(stored.named(query, compared) in right)
                row["shortlist@20_gap30"] = int(bool(right))
        rows.append(row)
        if progress:
            progress(done, len(queries), "recognising")
    shares = ("recall@1", "recall@1_gap30", "stored@1_gap30", "shortlist@20_gap30")
    metrics = {
        **{name: round(float(np.mean([row[name] for row in rows])), 4) for name in shares},
        "median_error_m": round(float(np.median([row["error_m"] for row in rows])), 4),
    }
    config = {"frames": len(poses), "every": every, "folder": folder.name}
    return report(
        metrics, n=len(rows), seed=0, config=config, seconds=time.perf_counter() - begun
    ), rows


class _Stored:
    """Frames as a memory keeps them."""

    def __init__(self, recording: RgbdRecording) -> None:
        frames = (recording.frame(number) for number in recording.numbers)
        self._features = [describe_small(f.image) for f in frames if f.pose is not None]
        vectors = [place_vector(features) for features in self._features]
        none = np.zeros(PLACE_VECTORS.dimension, np.float32)
        self._vectors = np.stack([none if vector is None else vector for vector in vectors])

    def shortlist(self, query: int, allowed: BoolArray) -> list[int]:
        """The frames that `RobotMemory.recognise` would compare."""
        if not self._vectors[query].any():
            return []
        scores = np.where(allowed, self._vectors @ self._vectors[query], -np.inf)
        order = np.argsort(-scores, kind="stable")[:SHORTLIST].tolist()
        return [frame for frame in order if allowed[frame]]

    def named(self, query: int, frames: Sequence[int]) -> int | None:
        """The frame of some that it would name first; None where it would name none."""
        agreed = {
            frame: agreement(self._features[query], self._features[frame]).features
            for frame in frames
        }
        best = max(frames, key=lambda frame: agreed[frame], default=None)
        return best if best is not None and agreed[best] >= LEAST_FEATURES else None


def _within(errors: tuple[float, float], limits: tuple[float, float]) -> bool:
    """Whether neither metres nor degrees are more than allowed."""
    return errors[0] <= limits[0] and errors[1] <= limits[1]


def _errors(poses: FloatArray, query: int, found: int) -> tuple[float, float]:
    """Metres and degrees between two stored frames; far where nothing was found."""
    if found < 0:
        return 1e3, 180.0
    metres = float(np.linalg.norm(poses[query, :3, 3] - poses[found, :3, 3]))
    turn = poses[query, :3, :3].T @ poses[found, :3, :3]
    degrees = float(np.degrees(np.arccos(np.clip((np.trace(turn) - 1) / 2, -1, 1))))
    return round(metres, 4), round(degrees, 3)
