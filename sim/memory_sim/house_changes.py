"""What changed in a generated house between two visits: precision, recall and F1.

A robot tours a house twice, with its camera and detector; in between people move things, take
some away and bring new ones, among them two to five alike. A memory is given the recorded
observations; what its entities' histories tell is scored against what was done.

Rules: a change has to be told where the robot could know it: a thing that moved was seen well
enough on both visits (see `knowledge`), one that came on the second, one that went on the first.
Changes that it could not know may be told and need not be, and so may a thing that was there all
along but was not seen at all on the first visit. Everything else that is told is wrong; a move
told as one thing gone and another one new is wrong twice. Of namesakes that look alike nobody can
say which of those that left is which of those that appeared: among them any pairing is right.
"""

from __future__ import annotations

import math
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

from memory_core.errors import InvalidQuery
from memory_core.evaluation.report import report
from memory_core.memory import RobotMemory
from memory_core.types import Entity, Json, Observation, Stay, Vector3
from memory_sim.processes import each
from memory_sim.questions.household import MOVED_M, Household, Thing, household, stream
from memory_sim.questions.knowledge import Knowledge, knowledge

SEEDS = 20
TUNING = 10
"""Houses of the first seeds: what was set was set with them in view."""
BATCH = 200
KINDS = ("moved", "new", "gone")

Kind = Literal["moved", "new", "gone"]
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True)
class Told:
    """A change that a memory tells: kind, label, and where (metres; None where it was not)."""

    kind: Kind
    label: str
    old: Vector3 | None
    new: Vector3 | None


def evaluate_house_changes(
    seeds: int = SEEDS,
    *,
    first_seed: int = 0,
    cache: Path | None = None,
    workers: int = 1,
    progress: Progress | None = None,
) -> tuple[Json, list[Json]]:
    """Score the changes told after a second visit to generated houses.

    Args:
        seeds: How many houses.
        first_seed: Seed of the first.
        cache: A folder for recorded tours; None records every tour anew.
        workers: How many processes.
        progress: Called with (houses done, in all, house).

    Returns:
        The report (precision, recall and F1 overall, by kind of change, and apart for the houses
        of the first seeds and the others), and one row a house: what happened, what was told, and
        what was told wrongly or not at all.

    Raises:
        InvalidQuery: There are no seeds or no workers.
    """
    if seeds < 1 or workers < 1:
        raise InvalidQuery(f"{seeds} seeds, {workers} workers; expected at least 1 of each")
    begun = time.perf_counter()
    numbers = range(first_seed, first_seed + seeds)
    rows: list[Json] = []
    for row in _rows(numbers, cache, workers):
        rows.append(row)
        if progress:
            progress(len(rows), seeds, f"house {row['seed']}")
    metrics = {
        **_scores(rows),
        **{kind: _scores(rows, (kind,)) for kind in KINDS},
        "tuning": _scores([row for row in rows if row["seed"] < TUNING]),
        "held_out": _scores([row for row in rows if row["seed"] >= TUNING]),
    }
    config = {"seeds": [numbers[0], numbers[-1]], "moved_m": MOVED_M}
    seconds = time.perf_counter() - begun
    return report(metrics, n=len(rows), seed=first_seed, config=config, seconds=seconds), rows


def _rows(seeds: Sequence[int], cache: Path | None, workers: int) -> Iterator[Json]:
    """House by house, each in a process where there are several."""
    score = partial(_score_house, cache=cache)
    return each(score, seeds, workers)


def _score_house(seed: int, cache: Path | None) -> Json:
    lived = household(seed)
    observations = stream(lived, cache=cache)
    told = changes_told(remembered(observations), lived)
    return {"seed": seed, **score_told(told, knowledge(lived, observations))}


def remembered(observations: Sequence[Observation]) -> list[Entity]:
    """The entities of a memory that was given a recorded stream."""
    with (
        tempfile.TemporaryDirectory() as folder,
        RobotMemory.open(folder, text_encoder=None) as memory,
    ):
        for start in range(0, len(observations), BATCH):
            memory.observe(observations[start : start + BATCH])
        return memory.entities()


def changes_told(entities: Iterable[Entity], lived: Household) -> list[Told]:
    """What histories tell of the time between the ends of the first and the last visit."""
    since_ns, until_ns = lived.visits[0].end_ns, lived.visits[-1].end_ns
    found = []
    for entity in entities:
        before, after = (_stay_at(entity, stamp) for stamp in (since_ns, until_ns))
        if before is not None and after is None:
            found.append(Told("gone", entity.label, before.position, None))
        elif before is None and after is not None:
            found.append(Told("new", entity.label, None, after.position))
        elif before is not None and after is not None and before is not after:
            found.append(Told("moved", entity.label, before.position, after.position))
    return found


def _stay_at(entity: Entity, stamp_ns: int) -> Stay | None:
    """Where an entity was at a moment as far as was known later; None: nowhere known."""
    begun = [stay for stay in entity.history if stay.start_ns <= stamp_ns]
    if not begun or (begun[-1].end_ns is not None and begun[-1].end_ns <= stamp_ns):
        return None
    return begun[-1]


def score_told(told: Iterable[Told], known: Knowledge) -> Json:
    """What was told, against what happened and could be known.

    Args:
        told: By a memory.
        known: Of the same house.

    Returns:
        Counts by kind of change (`truth`, `told`, `right`), and what is wrong or lost in words.
    """
    due = dict(_due(known))
    left = Counter((kind, thing.label) for thing, kind in _due_things(known, due))
    counts = {kind: {"truth": 0, "told": 0, "right": 0} for kind in KINDS}
    for (kind, _), number in left.items():
        counts[kind]["truth"] += number
    wrong = []
    for change in told:
        verdict = _verdict(change, known, due)
        if verdict == "unknowable":
            continue
        counts[change.kind]["told"] += 1
        if verdict == "right" and left[change.kind, change.label] > 0:
            left[change.kind, change.label] -= 1
            counts[change.kind]["right"] += 1
        else:
            wrong.append(_words(change))
    lost = sorted(f"{kind} {label}" for kind, label in left.elements())
    return {"by_kind": counts, "wrong": wrong, "lost": lost}


def _due(known: Knowledge) -> Iterator[tuple[int, Kind]]:
    """Numbers of the things whose change has to be told, and which it is."""
    last = known.last
    for thing in known.moved():
        if known.known(thing, 0) and known.known(thing, last):
            yield thing.number, "moved"
    yield from ((thing.number, "new") for thing in known.brought() if known.known(thing, last))
    yield from ((thing.number, "gone") for thing in known.taken() if known.known(thing, 0))


def _due_things(known: Knowledge, due: Mapping[int, Kind]) -> Iterator[tuple[Thing, Kind]]:
    yield from ((t, due[t.number]) for t in known.house.things if t.number in due)


def _verdict(
    change: Told, known: Knowledge, due: Mapping[int, Kind]
) -> Literal["right", "wrong", "unknowable"]:
    """Whether what is told concerns places that something really left or came to."""
    changed = {t.number for t in (*known.moved(), *known.brought(), *known.taken())}
    old = _meant(change.label, change.old, 0, known)
    new = _meant(change.label, change.new, known.last, known)
    concerned = [thing for thing in (old, new) if thing is not None]
    if len(concerned) < sum(place is not None for place in (change.old, change.new)):
        return "wrong"
    if all(thing.number in changed for thing in concerned):
        return "right" if any(thing.number in due for thing in concerned) else "unknowable"
    if change.kind == "new" and new is not None and not known.seen[new.number, 0].stamps:
        return "unknowable"
    return "wrong"


def _meant(label: str, at: Vector3 | None, visit: int, known: Knowledge) -> Thing | None:
    """The thing of a label that stood nearest to a position on a visit."""
    if at is None:
        return None
    there = [
        (math.dist(at, spot.centre), thing.number, thing)
        for thing, spot in known.there(visit)
        if thing.label == label
    ]
    return min(there)[2] if there else None


def _words(change: Told) -> str:
    places = [None if p is None else [round(x, 2) for x in p] for p in (change.old, change.new)]
    return f"{change.kind} {change.label} {places[0]} -> {places[1]}"


def _scores(rows: Sequence[Json], kinds: Sequence[str] = KINDS) -> Json:
    truth, told, right = (
        sum(row["by_kind"][kind][name] for row in rows for kind in kinds)
        for name in ("truth", "told", "right")
    )
    return {
        "precision": round(right / told, 4) if told else None,
        "recall": round(right / truth, 4) if truth else None,
        "f1": round(2 * right / (told + truth), 4) if told + truth else None,
        "truth": truth,
        "told": told,
    }
