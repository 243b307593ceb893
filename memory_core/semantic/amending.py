"""Changes to what is stored, and what follows for the structure, each as one transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TypeVar

import numpy as np

from memory_core.episodic.records import Record, RecordChanges
from memory_core.episodic.rows import chunks
from memory_core.episodic.store import EpisodicStore
from memory_core.perception.text import TextEncoder
from memory_core.semantic.contents import Content
from memory_core.semantic.forgetting import Forgetting
from memory_core.semantic.moving import Correction, moved_records
from memory_core.semantic.organiser import KINDS, ROUND, Organiser
from memory_core.types import Pose

T = TypeVar("T")

_ENCODED_AT_ONCE = 256


def forget(
    organiser: Organiser, store: EpisodicStore, rowids: Iterable[int], remove: Callable[[], T]
) -> T:
    """Let observations go that a person wants forgotten, and what only they told.

    Args:
        organiser: The structure.
        store: The memory's rows.
        rowids: Numbers of the observations.
        remove: Removes them from the store.

    Returns:
        What `remove` does.
    """
    with organiser.lock:
        forgetting = Forgetting(
            store, things=organiser.things, places=organiser.places, episodes=organiser.episodes
        )
        known = sorted(rowid for rowid in rowids if rowid <= organiser.organised)
        for part in chunks(known, ROUND):
            forgetting.note(store.fetch(part, embeddings=True))
        with _as_one(organiser, store):
            done = remove()
            store.change_records(forgetting.changes())
            organiser.load()
            for number in sorted(forgetting.dropped_places):
                organiser.leave(number)
            organiser.resettle(forgetting.places, forgetting.touched)
    return done


def move(
    organiser: Organiser,
    store: EpisodicStore,
    map_id: str,
    poses: Mapping[str, Pose],
    move_anchors: Callable[[], T],
) -> T:
    """Follow a corrected map.

    Args:
        organiser: The structure.
        store: The memory's rows.
        map_id: The map.
        poses: New poses of its anchors.
        move_anchors: Moves them in the store.

    Returns:
        What `move_anchors` does.
    """
    with organiser.lock:
        if not store.counter("condensed"):
            with _as_one(organiser, store):
                done = move_anchors()
                store.clear_records(kinds=KINDS)
                organiser.load()
            return done
        correction = Correction(store, map_id, poses)
        with _as_one(organiser, store):
            done = move_anchors()
            store.change_records(RecordChanges(moved_records(store, organiser.things, correction)))
            organiser.load()
            organiser.resettle(organiser.contents, None)
    return done


def reembed(
    organiser: Organiser, store: EpisodicStore, encoder: TextEncoder, replace: Callable[[], T]
) -> T:
    """Give what is made of words vectors of another model: its words are encoded anew.

    Args:
        organiser: The structure; of no use afterwards.
        store: The memory's rows.
        encoder: The other model.
        replace: Replaces the vectors of observations in the store.

    Returns:
        What `replace` does.
    """
    with organiser.lock, _as_one(organiser, store):
        done = replace()
        put: list[Record] = []
        for part in chunks(sorted(organiser.contents), _ENCODED_AT_ONCE):
            contents = [organiser.contents[number] for number in part]
            texts = [content.text for content in contents]
            worded = [text for text in texts if text]
            vectors = iter(encoder.encode(worded) if worded else ())
            for number, content, text in zip(part, contents, texts, strict=True):
                total = None
                if text:
                    total = np.asarray(next(vectors), np.float64) * content.observations
                put.append(
                    Content(content.labels, content.texts, content.observations, total).record(
                        number
                    )
                )
        for record in store.records("segmenter"):
            state = {**record.body["state"], "expected": None}
            put.append(Record("segmenter", record.number, {**record.body, "state": state}))
        forest = [
            (kind, r.number) for kind in ("forest", "forest meta") for r in store.records(kind)
        ]
        store.change_records(RecordChanges(put, forest))
        renewed = Organiser(store, encoder)
        renewed.resettle(renewed.contents, ())
    return done


@contextmanager
def _as_one(organiser: Organiser, store: EpisodicStore) -> Iterator[None]:
    """One transaction; the structure is level with the store after it, whether it came to pass."""
    with organiser.as_stored(), store.together():
        organiser.write_showings()
        yield
    organiser.version = store.counter("structure")
