"""Asking in words, end to end, over the memory that `benchmarks.episodic` made.

The folder is opened as any program opens it, with the text encoder its vectors came from; what
was observed is organised first, which a live robot does as it goes. Every question is asked once,
so that no sentence was encoded before. Encoding is also measured apart, on questions of its own.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.common import QUESTIONS, Target, latency, resident_bytes, rounded, say
from memory_core import RobotMemory
from memory_core.perception.text import SentenceEncoder, TextEncoder

FORMS = (
    "where is {}?",
    "where did you see {}?",
    "have you ever seen {}?",
    "when did you last see {}?",
)
WARM_UP = 10
P50_MS, P99_MS = 30.0, 100.0


def declare_encoder(memory: RobotMemory) -> None:
    """Say in a new memory that its text vectors are the sentence encoder's."""
    memory.store.ensure_space("text", SentenceEncoder().space)


def measure_asking(folder: Path, sentences: Sequence[str], *, count: int) -> dict[str, Any]:
    """Ask about descriptions the memory does not hold word for word.

    Args:
        folder: A closed memory.
        sentences: Descriptions that were left out of it.
        count: How many questions.

    Returns:
        Latencies of `ask`, of `recall` with words, and of encoding alone; what organising took.
    """
    asked = [FORMS[i % len(FORMS)].format(text) for i, text in enumerate(sentences)]
    begun = time.perf_counter()
    with RobotMemory.open(folder) as memory:
        memory.index.wait()
        opened = time.perf_counter() - begun
        say("  organising")
        begun = time.perf_counter()
        memory.organise()
        organised = time.perf_counter() - begun
        for question in QUESTIONS[:WARM_UP]:
            memory.ask(question)
        memory.wait()
        result: dict[str, Any] = {
            "open_s": rounded(opened),
            "organise_s": rounded(organised),
            "per_s": rounded(memory.store.count() / organised),
            "places": len(memory.places()),
            "events": len(memory.events()),
        }
        part = len(asked) // 3
        result["ask"] = latency(_timed(memory.ask, asked[:part][:count]))
        words = sentences[part : 2 * part][:count]
        result["recall"] = latency(_timed(memory.recall, words))
        result["flat"] = latency(_timed(lambda text: memory.recall(text, mode="flat"), words))
        encoder = memory.text_encoder
        assert encoder is not None
        fresh = asked[2 * part :][:count]
        result["encode"] = latency(_timed(lambda text: _encode(encoder, text), fresh))
        result["rss_bytes"] = resident_bytes()["VmRSS"]
    return result


def _encode(encoder: TextEncoder, text: str) -> None:
    encoder.encode([text])


def _timed(work: Callable[[str], object], items: Sequence[str]) -> list[float]:
    taken = []
    for item in items:
        begun = time.perf_counter()
        work(item)
        taken.append(time.perf_counter() - begun)
    return taken


def targets_of(result: dict[str, Any], at: str) -> list[Target]:
    """What was aimed at for a million observations."""
    return [
        Target(f"{at}: ask p50, ms", result["ask"]["p50_ms"], P50_MS),
        Target(f"{at}: ask p99, ms", result["ask"]["p99_ms"], P99_MS),
    ]


def rows_of(result: dict[str, Any]) -> list[tuple[str, ...]]:
    """For a table: what, p50, p95, p99."""
    return [
        (name, *(f"{result[name][part]:g}" for part in ("p50_ms", "p95_ms", "p99_ms")))
        for name in ("ask", "recall", "flat", "encode")
    ]
