"""What moved in a flat between two visits: precision, recall and F1 under noise.

A robot looks around a flat before and after somebody moved things in it; all it gets of a thing
is a type, a position and, of what opens, how far it is open: 5 cm standard deviation of noise on
each axis, 0.05 on openness, 10 % misses, 5 % wrong types (another one of the flat). What it
reports is scored against hidden names. An object has moved where it lies farther than 5 cm from
where it was; this is what the data set counts itself (`position_diff_count`), and objects that
only settled lie within 3 cm. Turning on the spot is not seen and does not count.

A report counts as right where the thing it names was, in both visits, mostly that object. A move
told as one thing gone and another one new is not right.

What the tracker takes for granted (how often things move, how far, how often they are missed) was
set with the first 50 episodes in view. The others are reported apart; their failures were read
too while it was written, so they are no unseen data.
"""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from memory_core.errors import RecordingUnreadable
from memory_core.evaluation.report import report
from memory_core.recordings.rearrangement import Episode, Item, read_episodes
from memory_core.semantic.changes import Change
from memory_core.semantic.tracking import EntityTracker, Seen, View
from memory_core.types import BoolArray, FloatArray, Json, Vector3

FILE = "episodes.json.gz"
POSITION_NOISE_M = 0.05
OPENNESS_NOISE = 0.05
MISS_RATE = 0.1
WRONG_RATE = 0.05
MOVED_M = 0.05
OPENED = 0.05
LOOKS = 4
TUNING = 50
STANDPOINT_SPREAD_M = 0.5
LOOK_APART_NS = 10 * 10**9
VISITS_NS = {"before": 1_700_000_000 * 10**9, "after": 1_700_086_400 * 10**9}
_ROOM_M = 30.0

Progress = Callable[[int, int, str], None]
Happening = tuple[str, str]
"""`moved` or `opened`, and which object."""


@dataclass(frozen=True, slots=True)
class Noise:
    """How badly a robot sees; all zero for exactly."""

    position_m: float = POSITION_NOISE_M
    openness: float = OPENNESS_NOISE
    miss_rate: float = MISS_RATE
    wrong_rate: float = WRONG_RATE


EXACT = Noise(0.0, 0.0, 0.0, 0.0)


def evaluate_changes(
    folder: Path,
    *,
    seed: int = 0,
    looks: int = LOOKS,
    exact: bool = False,
    progress: Progress | None = None,
) -> tuple[Json, list[Json]]:
    """Score the changes told after a second visit.

    Args:
        folder: Holds `episodes.json.gz`.
        seed: Of the noise.
        looks: Per visit.
        exact: Without noise.
        progress: Called with (episodes done, in all, scene).

    Returns:
        The report, and one row per episode: what happened, what was told rightly and wrongly.
        Beside all episodes it scores the first 50 (`tuning`), the others (`held_out`), each kind
        of change, and all episodes again with `one_look` a visit.

    Raises:
        RecordingUnreadable: There is no such file, or it holds no episodes.
    """
    begun = time.perf_counter()
    path = folder / FILE
    if not path.exists():
        raise RecordingUnreadable(f"{folder} holds no {FILE}")
    noise = EXACT if exact else Noise()
    episodes = with_known_openables(read_episodes(path))
    rows = _score(episodes, seed, looks, noise, progress)
    metrics: Json = {
        **_scores(rows),
        "tuning": _scores(rows[:TUNING]),
        "held_out": _scores(rows[TUNING:]),
        "moved": _scores(rows, "moved"),
        "opened": _scores(rows, "opened"),
        "one_look": _scores(_score(episodes, seed, 1, noise, None)),
        "lost": dict(sorted(Counter(w for row in rows for w in row["lost"].values()).items())),
    }
    config = {
        "looks": looks, "exact": exact, "position_noise_m": noise.position_m,
        "openness_noise": noise.openness, "miss_rate": noise.miss_rate,
        "wrong_rate": noise.wrong_rate, "moved_m": MOVED_M,
    }  # fmt: skip
    seconds = time.perf_counter() - begun
    return report(metrics, n=len(rows), seed=seed, config=config, seconds=seconds), rows


def _score(
    episodes: Sequence[Episode], seed: int, looks: int, noise: Noise, progress: Progress | None
) -> list[Json]:
    rows: list[Json] = []
    for number, episode in enumerate(episodes):
        rng = np.random.default_rng([seed, number])
        rows.append({"episode": number, **score_episode(episode, rng, looks=looks, noise=noise)})
        if progress:
            progress(number + 1, len(episodes), episode.scene)
    return rows


def with_known_openables(episodes: Sequence[Episode]) -> list[Episode]:
    """Add to each episode what opens in the same flat according to other episodes, shut.

    An episode tells of no openable but the one that changes: everything that can be seen to be
    open or shut would have changed.
    """
    known: dict[str, dict[str, Item]] = {}
    for episode in episodes:
        for item in episode.before.values():
            if item.openness is not None:
                shut = Item(item.name, item.kind, item.pose, 0.0)
                known.setdefault(episode.scene, {})[item.name] = shut
    return [
        Episode(
            episode.scene,
            episode.robot,
            {**known.get(episode.scene, {}), **episode.before},
            {**known.get(episode.scene, {}), **episode.after},
        )
        for episode in episodes
    ]


def happened(episode: Episode) -> dict[Happening, float]:
    """What differs between the visits, and by how much (metres, or openness)."""
    result: dict[Happening, float] = {}
    for name, item in episode.before.items():
        later = episode.after[name]
        distance = math.dist(item.pose.position, later.pose.position)
        if distance > MOVED_M:
            result["moved", name] = distance
        if item.openness is not None and later.openness is not None:
            opened = abs(later.openness - item.openness)
            if opened > OPENED:
                result["opened", name] = opened
    return result


def score_episode(episode: Episode, rng: np.random.Generator, *, looks: int, noise: Noise) -> Json:
    """Both visits of one episode, and what the robot tells afterwards against the truth."""
    tracker = EntityTracker()
    tracks: list[tuple[int, str, str]] = []
    for visit, start_ns in VISITS_NS.items():
        items = list((episode.before if visit == "before" else episode.after).values())
        for look in range(looks):
            standpoint, sightings = see(items, episode, rng, noise=noise)
            assigned = tracker.look(
                start_ns + look * LOOK_APART_NS, standpoint, session=visit,
                sightings=sightings, view=View(_everywhere, _ROOM_M),
            )  # fmt: skip
            tracks += [
                (assigned[seen.key], visit, items[index].name)
                for seen in sightings
                if isinstance(index := seen.key, int)
            ]
    truth = happened(episode)
    told = tracker.changes_between("before", "after")
    owners = {track: tracker.entity_of(track) for track, _, _ in tracks}
    names: dict[tuple[int, str], Counter[str]] = {}
    for track, visit, name in tracks:
        names.setdefault((owners[track], visit), Counter())[name] += 1
    claims = [claim for change in told if (claim := _claim(change, names)) is not None]
    right = {claim for claim in claims if claim in truth}
    return {
        "scene": episode.scene,
        "things": len(episode.before),
        "truth": len(truth),
        "told": len(claims),
        "by_kind": {kind: _counts(kind, truth, claims, right) for kind in ("moved", "opened")},
        "lost": {f"{kind} {name}": _why(kind, name, truth, told, names)
                 for kind, name in truth if (kind, name) not in right},
        "wrong": [f"{kind} {name}" for kind, name in claims if (kind, name) not in truth],
    }  # fmt: skip


def see(
    items: Sequence[Item], episode: Episode, rng: np.random.Generator, *, noise: Noise
) -> tuple[Vector3, list[Seen]]:
    """One look at a flat: a standpoint near the robot's, and sightings keyed by item index."""
    x, y, z = episode.robot.position
    across, along = rng.normal(0.0, STANDPOINT_SPREAD_M, 2).tolist()
    kinds = sorted({item.kind for item in items})
    covariance = np.eye(3) * max(noise.position_m, 1e-3) ** 2
    sightings = []
    for index, item in enumerate(items):
        if rng.random() < noise.miss_rate:
            continue
        kind = item.kind
        others = [other for other in kinds if other != kind]
        if others and rng.random() < noise.wrong_rate:
            kind = others[int(rng.integers(len(others)))]
        position = np.array(item.pose.position) + rng.normal(0.0, 1.0, 3) * noise.position_m
        state = {}
        if item.openness is not None:
            reading = item.openness + rng.normal() * noise.openness
            state = {"openness": min(max(reading, 0.0), 1.0)}
        sightings.append(Seen(index, kind, position, covariance, state=state))
    return (x + across, y + along, z), sightings


def _everywhere(points: FloatArray) -> BoolArray:
    return np.ones(len(points), bool)


def _claim(change: Change, names: Mapping[tuple[int, str], Counter[str]]) -> Happening | None:
    """What a report says happened; the object is "" where the visits show different ones."""
    kind = {"moved": "moved", "state": "opened"}.get(change.kind)
    if kind is None:
        return None
    seen = [names.get((change.number, visit), Counter()).most_common(1) for visit in VISITS_NS]
    before, after = (most[0][0] if most else "" for most in seen)
    return kind, before if before == after else ""


def _counts(
    kind: str, truth: Mapping[Happening, float], claims: list[Happening], right: set[Happening]
) -> Json:
    return {
        "truth": sum(happening[0] == kind for happening in truth),
        "told": sum(claim[0] == kind for claim in claims),
        "right": sum(claim[0] == kind for claim in right),
    }


def _why(
    kind: str,
    name: str,
    truth: Mapping[Happening, float],
    told: Sequence[Change],
    names: Mapping[tuple[int, str], Counter[str]],
) -> str:
    """Why something that happened was not told, as far as can be seen."""
    before = [n for (n, visit), seen in names.items() if visit == "before" and name in seen]
    after = [n for (n, visit), seen in names.items() if visit == "after" and name in seen]
    if not before or not after:
        return "never seen in one visit"
    if set(before).isdisjoint(after):
        kinds = sorted({change.kind for change in told if change.number in before + after})
        return f"taken for two things ({', '.join(kinds) or 'nothing told'})"
    if kind == "moved" and truth[kind, name] < 0.2:
        return "moved less than 0.2 m"
    return "not significant" if kind == "opened" else "mixed up with another thing"


def _scores(rows: Sequence[Json], kind: str | None = None) -> Json:
    """Precision, recall and F1 over all happenings, or those of one kind."""
    parts = [part for row in rows for k, part in row["by_kind"].items() if kind in (None, k)]
    truth, told, right = (sum(part[key] for part in parts) for key in ("truth", "told", "right"))
    precision = right / told if told else 1.0
    recall = right / truth if truth else 1.0
    f1 = 2 * right / (truth + told) if truth + told else 1.0
    return {"precision": round(precision, 4), "recall": round(recall, 4), "f1": round(f1, 4)}
