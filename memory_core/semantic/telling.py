"""A language model tells the areas of the forest: a name and a summary each, smallest first."""

from __future__ import annotations

from collections.abc import Callable

from memory_core.episodic.codec import pack
from memory_core.episodic.records import Record, RecordChanges
from memory_core.episodic.store import EpisodicStore
from memory_core.language.model import LanguageModel
from memory_core.semantic.forest.texts import summarise
from memory_core.semantic.organiser import Organiser


def tell_forest(
    organiser: Organiser,
    store: EpisodicStore,
    model: LanguageModel,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> int:
    """Give every area a language model's name and summary; each is durable once it is given.

    It holds until something below the area changes: then the area tells itself again, until it
    is told anew. Nobody waits for the model: the structure is held only to read and to write.

    Args:
        organiser: With the forest.
        store: Where the texts are kept.
        model: Asked once an area, once more where its reply does not fit.
        progress: Called with (areas told, areas there are).

    Returns:
        How many areas were told.

    Raises:
        ModelReplyInvalid: Neither reply fits; what was told before stays.
        EncodingError: The model failed.
        MemoryReadOnly: The memory is open read-only.
    """
    told = 0
    areas = organiser.areas()
    for done, number in enumerate(areas, start=1):
        with organiser.lock:
            forest = organiser.forest
            if not forest.has(number):
                continue
            siblings = [forest.words(other) for other in forest.siblings(number)]
            parts = [forest.text(child) for child in forest.children(number)]
            words = forest.words(number)
        summary = summarise(words, siblings, parts, model=model)
        with organiser.lock:
            if not forest.has(number) or forest.words(number) != words:
                continue  # it changed meanwhile
            forest.set_text(number, f"{summary.name}: {summary.summary}")
            rows, removed = forest.changed()
            store.change_records(
                RecordChanges(
                    [Record("forest", row.number, pack(row)) for row in rows],
                    [("forest", gone) for gone in removed],
                )
            )
        told += 1
        if progress is not None:
            progress(done, len(areas))
    return told
