"""How well a detector sees: `robot-memory eval detector`.

Pictures of homes that nothing was learned from, with the camera's own noise. A detection is right
where its mask and the mask of what truly is there overlap by half of their union and the label is
the same; each truth counts once. What is further away than `RANGE_M` is left out on both sides.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from memory_core.errors import InvalidQuery
from memory_core.evaluation.report import report
from memory_core.types import BoolArray, FloatArray, Json
from memory_sim.detecting.choice import NETWORK, check_detector, detector_named
from memory_sim.detecting.classes import DOOR, FRONTS, KINDS, exact_name
from memory_sim.detecting.views import frames_of_home
from memory_sim.worlds.home.camera import Frame
from memory_sim.worlds.home.detectors import Detection, Detector, SegmentationDetector
from memory_sim.worlds.home.kinds import FURNITURE
from memory_sim.worlds.home.scene import HANDLE
from memory_sim.worlds.home.world import World

FIRST_SEED = 120_000
"""Homes that are reported on; none of them is learned from or tuned on."""
RANGE_M = 3.0
OVERLAP = 0.5
WITHIN_M = 0.10
"""A thing is placed where the middles of its points lie this close together."""

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True)
class _Area:
    """A label's mask and the middle of its points in the camera's optical frame, metres."""

    label: str
    mask: BoolArray
    middle: FloatArray


def group_of_label(label: str) -> str:
    """`furniture`, `fronts`, `handles` or `things`."""
    if label in FURNITURE or label == DOOR:
        return "furniture"
    if label in FRONTS:
        return "fronts"
    return "handles" if label == HANDLE else "things"


def evaluate_detector(
    homes: int = 20,
    *,
    first_seed: int = FIRST_SEED,
    pictures: int = 20,
    detector: str = NETWORK,
    weights: Path | None = None,
    any_name: bool = False,
    progress: Progress | None = None,
) -> tuple[Json, list[Json]]:
    """Compare what a detector says with what is there.

    Args:
        homes: How many.
        first_seed: Of the first; the others follow.
        pictures: Of each home.
        detector: One of `choice.DETECTORS`.
        weights: Of the network; None takes those of this package.
        any_name: The network is not told what the household calls its things: it tells them by
            kind and colour, out of all there are.
        progress: Told homes done, homes in all, and the home.

    Returns:
        The report, and a row a picture and group.

    Raises:
        InvalidQuery: There is nothing to look at, no such detector, or an option of the network
            is given for another.
    """
    if homes < 1 or pictures < 1:
        raise InvalidQuery(f"{homes} homes, {pictures} pictures; expected at least 1 of each")
    check_detector(detector)
    if detector != NETWORK and (weights is not None or any_name):
        raise InvalidQuery(f"the {detector} detector has neither weights nor names of its own")
    begun = time.perf_counter()
    asked = _Asked(detector, pictures, weights, any_name)
    rows: list[Json] = []
    spent: list[float] = []
    for number in range(homes):
        for compared, seconds in _looks_about(first_seed + number, asked):
            rows += compared
            spent.append(seconds)
        if progress is not None:
            progress(number + 1, homes, f"home {first_seed + number}")
    config = {
        "detector": detector, "weights": None if weights is None else weights.name,
        "any_name": any_name, "homes": [first_seed, first_seed + homes - 1], "pictures": pictures,
        "range_m": RANGE_M, "overlap": OVERLAP, "placed_within_m": WITHIN_M,
        "kinds_of_things": len(KINDS),
    }  # fmt: skip
    look_ms = {f"p{n}": round(float(np.percentile(spent, n)) * 1e3, 1) for n in (50, 95)}
    found = report(
        {**summary(rows), "look_ms": look_ms}, n=len(spent), seed=first_seed, config=config,
        seconds=time.perf_counter() - begun,
    )  # fmt: skip
    return found, rows


@dataclass(frozen=True, slots=True)
class _Asked:
    """Arguments of `evaluate_detector`."""

    detector: str
    pictures: int
    weights: Path | None
    any_name: bool


def _looks_about(seed: int, asked: _Asked) -> Iterator[tuple[list[Json], float]]:
    """Rows of each picture of a home, and the seconds that the detector took."""
    looks: Detector | None = None
    for number, (world, frame) in enumerate(frames_of_home(seed, count=asked.pictures)):
        if looks is None:
            looks, exact = _detector(world, seed, asked), SegmentationDetector(world)
            names = _exact_names(world) if asked.any_name else {}
            looks(frame)  # the first look also readies what the later ones use
        begun = time.perf_counter()
        told = looks(frame)
        seconds = time.perf_counter() - begun
        true = [replace(d, label=names.get(d.label, d.label)) for d in exact(frame)]
        compared = _compared(_areas(true, frame), _areas(told, frame))
        yield [{"seed": seed, "picture": number, **row} for row in compared], seconds


def _detector(world: World, seed: int, asked: _Asked) -> Detector:
    if asked.weights is None and not asked.any_name:
        return detector_named(asked.detector, world, seed=seed)
    from memory_sim.detecting.detector import NetworkDetector
    from memory_sim.detecting.network import load

    labels = None if asked.any_name else sorted({thing.label for thing in world.plan.things})
    return NetworkDetector(labels, network=load(asked.weights))


def _exact_names(world: World) -> dict[str, str]:
    """By what a household calls a thing: its name by kind and colour."""
    return {thing.label: exact_name(thing.kind, thing.colour) for thing in world.plan.things}


def _areas(detections: Iterable[Detection], frame: Frame) -> list[_Area]:
    """Where what was detected is; what has no depth or is out of range is left out."""
    found = []
    height, width = frame.depth_m.shape
    for detection in detections:
        rows, columns = np.nonzero(detection.mask & (frame.depth_m > 0))
        depths = frame.depth_m[rows, columns]
        if not len(rows) or float(np.median(depths)) > RANGE_M:
            continue
        right = (columns - (width - 1) / 2) * depths / frame.intrinsics.fx
        down = (rows - (height - 1) / 2) * depths / frame.intrinsics.fy
        middle = np.median(np.stack([right, down, depths]), axis=1)
        found.append(_Area(detection.label, detection.mask, middle))
    return found


def _compared(truths: Sequence[_Area], found: Sequence[_Area]) -> list[Json]:
    """A row a group of labels: how much is there, was told, and is right."""
    rows = []
    for group in ("things", "furniture", "fronts", "handles"):
        true = [area for area in truths if group_of_label(area.label) == group]
        told = [area for area in found if group_of_label(area.label) == group]
        overlaps = np.array([[_overlap(t.mask, f.mask) for f in told] for t in true])
        pairs = _pairs(overlaps.reshape(len(true), len(told)), OVERLAP)
        right = [(i, j) for i, j in pairs if true[i].label == told[j].label]
        apart = np.array([
            [np.linalg.norm(t.middle - f.middle) if t.label == f.label else np.inf for f in told]
            for t in true
        ])  # fmt: skip
        placed = _pairs(-apart.reshape(len(true), len(told)), -WITHIN_M)
        seen = {i for i, _ in right}
        rows.append({
            "group": group, "there": len(true), "told": len(told), "outlined": len(pairs),
            "right": len(right), "placed": len(placed),
            "overlaps": [round(float(overlaps[i, j]), 3) for i, j in right],
            "named": sorted(area.label for i, area in enumerate(true) if i in seen),
            "missed": sorted(area.label for i, area in enumerate(true) if i not in seen),
        })  # fmt: skip
    return rows


def _overlap(first: BoolArray, second: BoolArray) -> float:
    """What two masks share of their union."""
    return float(np.count_nonzero(first & second) / np.count_nonzero(first | second))


def _pairs(scores: FloatArray, least: float) -> list[tuple[int, int]]:
    """Rows with columns, the best first, each once."""
    found, rows, columns = [], set(), set()
    for at in np.argsort(-scores, axis=None, kind="stable"):
        row, column = divmod(int(at), scores.shape[1])
        if scores[row, column] < least:
            break
        if row not in rows and column not in columns:
            found.append((row, column))
            rows.add(row)
            columns.add(column)
    return found


def summary(rows: Sequence[Json]) -> Json:
    """What came of all pictures, by group of labels.

    `recall` is the share of what is there that was outlined and named right, `precision` that of
    what was told; `outlined` counts any name, `placed` a middle within `WITHIN_M` under the right
    name in place of the overlap; `overlap` is the mean of what was right.
    """
    groups: Json = {}
    for group in dict.fromkeys(row["group"] for row in rows):
        mine = [row for row in rows if row["group"] == group]
        there, told, outlined, right, placed = (
            sum(row[name] for row in mine)
            for name in ("there", "told", "outlined", "right", "placed")
        )
        shares = [share for row in mine for share in row["overlaps"]]
        groups[group] = {
            "there": there, "told": told, "recall": _share(right, there),
            "precision": _share(right, told), "outlined": _share(outlined, there),
            "placed": _share(placed, there), "placed_of_told": _share(placed, told),
            "overlap": round(float(np.mean(shares)), 4) if shares else None,
        }  # fmt: skip
    return {"detected": groups, "by_label": {"furniture": _by_label(rows, "furniture"),
                                             "fronts": _by_label(rows, "fronts")}}  # fmt: skip


def _by_label(rows: Sequence[Json], group: str) -> Json:
    """Of each label of a group: how often it is there, and the share that is right."""
    counts: dict[str, list[int]] = {}
    for row in rows:
        if row["group"] == group:
            for name in ("named", "missed"):
                for label in row[name]:
                    count = counts.setdefault(label, [0, 0])
                    count[0] += 1
                    count[1] += int(name == "named")
    return {label: {"there": n, "recall": _share(k, n)} for label, (n, k) in sorted(counts.items())}


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None
