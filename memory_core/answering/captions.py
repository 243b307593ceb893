"""Answers from observations' own words, for memories without labelled things."""

from __future__ import annotations

import numpy as np

from memory_core.answering import wording
from memory_core.answering.grounding import Context
from memory_core.language.lexicon import kind_words
from memory_core.language.questions import PlacePhrase
from memory_core.types import Evidence, Filters, Query, Sphere, TimeSpan

MIN_COSINE = 0.62
ENOUGH_COSINE = 0.35


def filters_of(context: Context, place: PlacePhrase | None = None) -> Filters:
    """The question's time and place as exact filters on observations."""
    place = place or context.question.place
    region = None
    if place.circle is not None:
        region = Sphere(place.circle[:2], place.circle[2])
    return Filters(span=context.question.time.span, region=region)


def supported(context: Context, phrase: str, k: int = 50) -> list[Evidence]:
    """Observations whose words speak of a phrase, best first.

    All content words of the phrase stand in the text and its meaning is not far, or its meaning
    is close; what falls short of both is no evidence.
    """
    memory = context.memory
    place = context.question.place
    said = " ".join(part for part in (phrase, place.thing) if part)
    query = Query(text=said, filters=filters_of(context), k=k)
    found = memory.recall(query, explain=False).evidence  # paths are told of what is answered
    worded = [item for item in found if item.observation.text]
    if not worded:
        return []
    wanted = set(kind_words(said))
    cosines = _cosines(context, said, worded)
    kept = []
    for item, cosine in zip(worded, cosines, strict=True):
        covered = wanted <= set(kind_words(item.observation.text or ""))
        if cosine >= MIN_COSINE or (covered and cosine >= ENOUGH_COSINE):
            kept.append((covered, cosine, item))
    kept.sort(key=lambda entry: (-entry[0], -entry[1]))
    return [item for _, _, item in kept]


def _cosines(context: Context, phrase: str, found: list[Evidence]) -> list[float]:
    """How near each observation's words are to a phrase, by the vectors stored with them."""
    if context.encode is None:
        return [ENOUGH_COSINE] * len(found)  # spelling alone decides
    stored = context.memory.vectors_of([item.observation.id for item in found])
    vectors = [stored.get(item.observation.id) for item in found]
    missing = [
        item.observation.text or ""
        for item, vector in zip(found, vectors, strict=True)
        if vector is None
    ]
    said, *fresh = context.encode([phrase, *missing])
    rest = iter(fresh)
    rows = [next(rest) if vector is None else vector for vector in vectors]
    return [float(row @ said) for row in rows]


def listed(context: Context, limit: int = 8) -> list[Evidence]:
    """Observations with words within the question's time and place, spread evenly."""
    memory = context.memory
    rowids = memory.select(filters_of(context))
    stored = [item for item in memory.store.fetch(_spread(rowids, 400)) if item.observation.text]
    chosen = [stored[i] for i in _spread(np.arange(len(stored)), limit)]
    return [memory.evidence(item) for item in chosen]


def _spread(items: np.ndarray, limit: int) -> list[int]:
    if len(items) <= limit:
        return [int(item) for item in items]
    places = np.linspace(0, len(items) - 1, limit).round().astype(int)
    return [int(items[place]) for place in places]


def before(span: TimeSpan | None) -> str:
    """How a span is referred to in an abstention."""
    return " in that time" if span is not None else ""


def told(evidence: Evidence) -> str:
    """An observation's words as a quotation."""
    return wording.quote(evidence.observation.text or "")
