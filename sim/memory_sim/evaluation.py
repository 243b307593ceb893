"""Questions about generated houses, scored against ground truth.

Every house is toured twice, with changes by people in between; a memory of its own is given the
recorded observations and asked. Both halves of the wordings ask about the same facts; their
scores are reported apart.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Literal

from memory_core.errors import InvalidQuery
from memory_core.evaluation.report import report
from memory_core.memory import RobotMemory
from memory_core.perception.text import SentenceEncoder, TextEncoder
from memory_core.types import Answer, Json, Observation
from memory_sim.processes import each
from memory_sim.questions.generator import Question, ask_about
from memory_sim.questions.household import BROUGHT, COPIED, household, stream
from memory_sim.questions.knowledge import knowledge
from memory_sim.questions.scoring import Vocabulary, refused, right
from memory_sim.questions.wordings import HALVES, Half, Wordings, load_wordings
from memory_sim.worlds.plan import FURNITURE, THINGS

SEEDS = 20
MAX_TOLD = 600

Progress = Callable[[int, int, str], None]


def evaluate_questions(
    seeds: int = SEEDS,
    *,
    first_seed: int = 0,
    wordings: Half | Literal["both"] = "both",
    encoder: TextEncoder | Literal["default"] | None = "default",
    cache: Path | None = None,
    workers: int = 1,
    progress: Progress | None = None,
) -> tuple[Json, list[Json]]:
    """Score a memory's answers about generated houses.

    Args:
        seeds: How many houses.
        first_seed: Of the first; the others follow.
        wordings: Which half of the wordings asks.
        encoder: The memories' text encoder; `default` is all-MiniLM-L6-v2, made once a process.
            Any other is pickled where there are several workers.
        cache: A folder that keeps the recorded tours, so that asking again is quick.
        workers: Processes that tour and ask; 1 does it here.
        progress: Called with (houses done, in all, the house).

    Returns:
        The report (accuracy of the answerable, share of the unanswerable that is refused, by half,
        group and kind), and one row a question.

    Raises:
        InvalidQuery: There are no seeds, no workers, or no such wordings.
    """
    if seeds < 1 or workers < 1:
        raise InvalidQuery(f"{seeds} seeds, {workers} workers; expected at least 1 of each")
    begun = time.perf_counter()
    halves = [load_wordings(h) for h in (HALVES if wordings == "both" else (wordings,))]
    numbers = range(first_seed, first_seed + seeds)
    rows: list[Json] = []
    for done, asked in enumerate(_asked(numbers, halves, encoder, cache, workers), start=1):
        rows += asked
        if progress:
            progress(done, seeds, f"house {numbers[done - 1]}")
    config = {
        "seeds": [numbers[0], numbers[-1]],
        "wordings": [half.half for half in halves],
        "encoder": encoder if isinstance(encoder, str | None) else encoder.space.model,
    }
    metrics = {half.half: score([r for r in rows if r["half"] == half.half]) for half in halves}
    seconds = time.perf_counter() - begun
    return report(metrics, n=len(rows), seed=first_seed, config=config, seconds=seconds), rows


def _asked(
    seeds: Sequence[int],
    halves: Sequence[Wordings],
    encoder: TextEncoder | Literal["default"] | None,
    cache: Path | None,
    workers: int,
) -> Iterator[list[Json]]:
    """Rows house by house, each house in a process where there are several."""
    ask = partial(_ask, halves=halves, encoder=encoder, cache=cache)
    return each(ask, seeds, workers)


def _ask(
    seed: int,
    halves: Sequence[Wordings],
    encoder: TextEncoder | Literal["default"] | None,
    cache: Path | None,
) -> list[Json]:
    lived = household(seed)
    observations = stream(lived, cache=cache)
    known = knowledge(lived, observations)
    words = vocabulary(halves)
    with (
        tempfile.TemporaryDirectory() as folder,
        RobotMemory.open(folder, text_encoder=_made(encoder)) as memory,
    ):
        remember(memory, observations)
        return [
            _row(memory, question, seed, words)
            for half in halves
            for question in ask_about(known, half, seed=seed)
        ]


def _made(encoder: TextEncoder | Literal["default"] | None) -> TextEncoder | None:
    return _sentence_encoder() if encoder == "default" else encoder


@cache
def _sentence_encoder() -> TextEncoder:
    return SentenceEncoder()


def remember(memory: RobotMemory, observations: Sequence[Observation]) -> None:
    """Give a memory a recorded stream, in batches as an ingest does."""
    for start in range(0, len(observations), 200):
        memory.observe(observations[start : start + 200])


def vocabulary(halves: Iterable[Wordings]) -> Vocabulary:
    """Every name of a thing or a room in any house, and those of none."""
    kinds = [kind for group in (*FURNITURE.values(), *THINGS.values()) for kind in group]
    labels = {kind.label for kind in (*kinds, *BROUGHT, *COPIED)} | {"door"}
    rooms = {*FURNITURE, "hallway"}
    for half in halves:
        labels.update(half.absent_things)
        rooms.update(half.absent_rooms)
    return Vocabulary(labels, rooms)


def _row(memory: RobotMemory, question: Question, seed: int, words: Vocabulary) -> Json:
    begun = time.perf_counter()
    answer = memory.ask(question.text, now_ns=question.now_ns)
    seconds = time.perf_counter() - begun
    return {
        "seed": seed,
        "half": question.half,
        "group": question.group,
        "kind": question.kind,
        "template": question.template,
        "question": question.text,
        "now_ns": question.now_ns,
        "answerable": question.answerable,
        "right": right(answer, question, vocabulary=words),
        "refused": refused(answer, question),
        "truth": question.fact.expected.to_json(),
        "answer": _told(answer),
        "seconds": round(seconds, 4),
    }


def _told(answer: Answer) -> Json:
    """An answer without its evidence."""
    told = answer.to_json()
    del told["evidence"]
    return told | {"answer": answer.answer[:MAX_TOLD]}


def score(rows: Sequence[Json]) -> Json:
    """Accuracy and refusals over rows, and by group and kind.

    Args:
        rows: As `evaluate_questions` returns them.
    """
    summary = _shares(rows)
    summary["groups"] = _by(rows, "group")
    summary["kinds"] = _by(rows, "kind")
    return summary


def _by(rows: Sequence[Json], name: str) -> Json:
    keys = dict.fromkeys(row[name] for row in rows)
    return {key: _shares([row for row in rows if row[name] == key]) for key in keys}


def _shares(rows: Sequence[Json]) -> Json:
    """Right among the answerable, refused among the unanswerable, refused among the answerable."""
    answerable = [row for row in rows if row["answerable"]]
    hollow = [row for row in rows if not row["answerable"]]
    return {
        "right": _share(answerable, "right"),
        "n_answerable": len(answerable),
        "refused": _share(hollow, "right"),
        "n_unanswerable": len(hollow),
        "refused_wrongly": _share(answerable, "refused"),
    }


def _share(rows: Sequence[Json], name: str) -> float | None:
    return round(sum(row[name] for row in rows) / len(rows), 4) if rows else None
