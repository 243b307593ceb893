"""Recall from people's words in real houses (REVERIE): place@k, object@k, abstention.

Every included station of a house is remembered through `RobotMemory.ingest`, nothing of other
houses; every sentence of every task is recalled. Only the scorer sees object ids: a sentence
counts for place@k where one of the first k stations sees the target, for object@k where one of
the first k things' best sightings is it.
"""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from memory_core.errors import EmptyMemory, RecordingUnreadable
from memory_core.evaluation.report import report
from memory_core.ingestion import ingest
from memory_core.memory import RobotMemory
from memory_core.perception.text import TextEncoder
from memory_core.recordings.detect import ReadOptions
from memory_core.recordings.house_tour import HouseTourRecording
from memory_core.semantic.attend import ALL
from memory_core.semantic.recall import recall_scene
from memory_core.types import Evidence, Json, Query, Recall

KS = (1, 5, 10)
OBJECT_KS = (1, 5)
MAX_K = 10

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True)
class HouseScore:
    """One house: its name, sentences scored, sums by metric, association, and rows."""

    house: str
    n: int
    sums: dict[str, float]
    refused_absent: tuple[int, int]
    refused_present: tuple[int, int]
    association: Association
    rows: list[Json]


def find_houses(folder: Path, names: Sequence[str] = ()) -> list[Path]:
    """House files of a folder.

    Args:
        folder: Holds `HOUSE.json.gz` files.
        names: Which houses; empty for all.

    Raises:
        RecordingUnreadable: The folder holds none, or not one that is named.
    """
    found = {path.name.split(".")[0]: path for path in sorted(folder.glob("*.json.gz"))}
    missing = [name for name in names if name not in found]
    if not found or missing:
        what = f"no house {missing[0]}" if missing else "no house (*.json.gz)"
        raise RecordingUnreadable(f"{folder} holds {what}")
    return [found[name] for name in names] if names else list(found.values())


def evaluate_houses(
    folder: Path,
    *,
    names: Sequence[str] = (),
    encoder: TextEncoder | None,
    mode: str = "attention",
    ablation: bool = False,
    progress: Progress | None = None,
) -> tuple[Json, list[Json]]:
    """Score recall on houses.

    Args:
        folder: Holds the houses.
        names: Which; empty for all.
        encoder: The memory's text encoder.
        mode: `attention`, `scene` or `flat`, see `RobotMemory.recall`.
        ablation: Also score every step from flat recall to attention.
        progress: Called with (sentences done, in all, house).

    Returns:
        The report, and one row a sentence.
    """
    begun = time.perf_counter()
    paths = find_houses(folder, names)
    houses = {path: HouseTourRecording(path, ReadOptions()) for path in paths}
    kinds = {path: _labels(house) for path, house in houses.items()}
    everywhere = set().union(*kinds.values())
    total = sum(len(t["instructions"]) for house in houses.values() for t in house.tasks)
    if not total:
        raise EmptyMemory(f"the houses in {folder} have no sentences to score")
    scores, done = [], 0
    for path, house in houses.items():
        absent = sorted(everywhere - kinds[path])
        score = _score_house(path, house, sorted(kinds[path]), absent, encoder, mode, ablation,
                             lambda n, d=done, h=house.name: progress and progress(d + n, total, h))  # type: ignore[misc]  # fmt: skip
        scores.append(score)
        done += score.n
    return _report(scores, mode, encoder, time.perf_counter() - begun)


def _labels(house: HouseTourRecording) -> set[str]:
    return {s.label for station in house.stations.values() for s in station.sightings}


def _score_house(
    path: Path,
    house: HouseTourRecording,
    present: list[str],
    absent: list[str],
    encoder: TextEncoder | None,
    mode: str,
    ablation: bool,
    tick: Callable[[int], object],
) -> HouseScore:
    rows: list[Json] = []
    with (
        tempfile.TemporaryDirectory() as folder,
        RobotMemory.open(folder, text_encoder=encoder) as memory,
    ):
        ingest(memory, path)
        for task in house.tasks:
            for sentence in task["instructions"]:
                recalls = [memory.recall(sentence, k=MAX_K, mode=mode)]  # type: ignore[arg-type]
                if ablation:
                    recalls += _steps(memory, sentence)
                rows.append(_score_sentence(house, task, sentence, recalls))
                tick(len(rows))
        association = _association(memory, house)
        refused_absent = _refused(memory, absent)
        refused_present = _refused(memory, present)
    sums = {
        metric: float(sum(row[metric] for row in rows))
        for metric in (*(f"place@{k}" for k in KS), *(f"object@{k}" for k in OBJECT_KS))
    }
    return HouseScore(
        house.name, len(rows), sums, refused_absent, refused_present, association, rows
    )


STEPS = ("flat", *(f"+ {part}" for part in ALL))
"""Rows of the ablation: flat recall, then one part of the belief more each."""


def _steps(memory: RobotMemory, sentence: str) -> list[Recall]:
    """The same sentence recalled by every step of the ablation."""
    scene = memory.scene()
    encode = None if memory.text_encoder is None else memory.text_encoder.encode
    query = Query(text=sentence, k=MAX_K)
    found = [memory.recall(sentence, k=MAX_K, mode="flat")]
    if scene is not None:
        found += [
            recall_scene(scene, query, encode, parts=ALL[:count])
            for count in range(1, len(ALL) + 1)
        ]
    return found


def _score_sentence(
    house: HouseTourRecording, task: Json, sentence: str, recalls: Sequence[Recall]
) -> Json:
    """A row: the hits of the recall, and of the ablation's steps where there are any."""
    row: Json = {"house": house.name, "task": task["id"], "sentence": sentence}
    row["stations"] = _stations(recalls[0])
    row |= _hits(house, task["target_object"], recalls[0])
    if len(recalls) > 1:
        row["steps"] = {
            step: _hits(house, task["target_object"], found)
            for step, found in zip(STEPS, recalls[1:], strict=True)
        }
    return row


def _stations(found: Recall) -> list[str]:
    return list(dict.fromkeys(item.observation.extra["station"] for item in found.evidence))


def _hits(house: HouseTourRecording, target: int, found: Recall) -> dict[str, int]:
    sees = [target in house.stations[name].object_ids for name in _stations(found)]
    hits = [_object_id(house, item) == target for item in found.objects]
    return {f"place@{k}": int(any(sees[:k])) for k in KS} | {
        f"object@{k}": int(any(hits[:k])) for k in OBJECT_KS
    }


def _association(memory: RobotMemory, house: HouseTourRecording) -> Association:
    """Which sightings are taken for one thing, against the hidden ids."""
    counts: Counter[tuple[int, int]] = Counter()
    for stored in memory.store.fetch(list(memory.store.rowids())):
        ids = house.stations[stored.observation.extra["station"]].object_ids
        for entity, identity in zip(stored.entities, ids, strict=True):
            if entity is not None:
                counts[entity, identity] += 1
    return Association.of(counts)


@dataclass(frozen=True, slots=True)
class Association:
    """Sightings grouped into entities, against the hidden ids.

    Attributes:
        sightings: How many.
        pure: Of them, those whose entity's most frequent id is theirs.
        together: Pairs of sightings in one entity.
        alike: Pairs of sightings of one id.
        both: Pairs that are both.
    """

    sightings: int
    pure: int
    together: int
    alike: int
    both: int

    @classmethod
    def of(cls, counts: Mapping[tuple[int, int], int]) -> Association:
        """From how many sightings each (entity, id) has."""
        entities: Counter[int] = Counter()
        ids: Counter[int] = Counter()
        best: dict[int, int] = {}
        for (entity, identity), count in counts.items():
            entities[entity] += count
            ids[identity] += count
            best[entity] = max(best.get(entity, 0), count)
        return cls(
            sum(counts.values()), sum(best.values()), _pairs(entities.values()),
            _pairs(ids.values()), _pairs(counts.values()),
        )  # fmt: skip


def _pairs(counts: Iterable[int]) -> int:
    return sum(count * (count - 1) // 2 for count in counts)


def _object_id(house: HouseTourRecording, item: Evidence) -> int | None:
    """The hidden identity of a sighting: found by its place in the observation."""
    station = house.stations[item.observation.extra["station"]]
    for sighting, identity in zip(item.observation.sightings, station.object_ids, strict=True):
        if sighting == item.sighting:
            return identity
    return None


def _refused(memory: RobotMemory, kinds: list[str]) -> tuple[int, int]:
    """Of the questions after kinds of things, how many were refused, and how many were asked."""
    refused = sum(
        memory.ask(f"where is the {kind}?", now_ns=2 * 10**18).abstained for kind in kinds
    )
    return refused, len(kinds)


def _report(
    scores: list[HouseScore], mode: str, encoder: TextEncoder | None, seconds: float
) -> tuple[Json, list[Json]]:
    n = sum(score.n for score in scores)
    metrics: Json = {
        metric: round(sum(score.sums[metric] for score in scores) / n, 4)
        for metric in scores[0].sums
    }
    metrics["refused_absent"] = _share([score.refused_absent for score in scores])
    metrics["refused_present"] = _share([score.refused_present for score in scores])
    metrics |= _association_metrics([score.association for score in scores])
    rows = [row for score in scores for row in score.rows]
    if "steps" in rows[0]:
        metrics["ablation"] = {
            step: {
                metric: round(sum(row["steps"][step][metric] for row in rows) / n, 4)
                for metric in scores[0].sums
            }
            for step in STEPS
        }
    metrics["houses"] = {
        score.house: {
            "n": score.n,
            **{metric: round(value / max(1, score.n), 4) for metric, value in score.sums.items()},
        }
        for score in scores
    }
    config = {
        "mode": mode,
        "encoder": None if encoder is None else encoder.space.model,
        "houses": [score.house for score in scores],
    }
    return report(metrics, n=n, seed=0, config=config, seconds=seconds), rows


def _association_metrics(found: Sequence[Association]) -> dict[str, float | None]:
    """Purity, and F1 over pairs of sightings of one house."""
    sightings = sum(item.sightings for item in found)
    either = sum(item.together + item.alike for item in found)
    return {
        "entity_purity": round(sum(i.pure for i in found) / sightings, 4) if sightings else None,
        "entity_pair_f1": round(2 * sum(i.both for i in found) / either, 4) if either else None,
    }


def _share(counts: list[tuple[int, int]]) -> float | None:
    asked = sum(count[1] for count in counts)
    return round(sum(count[0] for count in counts) / asked, 4) if asked else None
