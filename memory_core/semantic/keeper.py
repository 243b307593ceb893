"""Scenes kept ready: the whole memory's while it is small, a question's own part where it is not."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from memory_core.episodic import recall as flat
from memory_core.episodic.index import View
from memory_core.episodic.recall import FUSION_K
from memory_core.episodic.store import EpisodicStore
from memory_core.language.lexicon import same_kind
from memory_core.perception.text import TextEncoder
from memory_core.semantic.scene import MAX_STANDPOINTS, Encode, Scene, build_scene
from memory_core.types import Evidence, Filters, IntArray, Query, Recall

PART_STANDPOINTS = 600


class SceneKeeper:
    """Builds scenes from a store and keeps the whole one until something changes."""

    def __init__(self, store: EpisodicStore, encoder: TextEncoder | None) -> None:
        """Nothing is built yet."""
        self._store = store
        self._encoder = encoder
        self._lock = threading.Lock()
        self._generation = 0
        self._whole: tuple[int, Scene | None] | None = None
        self._texts: tuple[int, bool] | None = None

    def forget(self) -> None:
        """Something changed: what was built, or is being built now, is not used again."""
        self._generation += 1

    def holds_texts(self) -> bool:
        """Whether any observation has words of its own, body state aside."""
        generation = self._generation
        if self._texts is None or self._texts[0] != generation:
            with self._store.reading() as db:
                found = db.execute(
                    "SELECT 1 FROM observations WHERE text IS NOT NULL AND text NOT LIKE "
                    "'body state:%' LIMIT 1"
                ).get
            self._texts = (generation, found is not None)
        return self._texts[1]

    def holds_sightings(self) -> bool:
        """Whether anything with a label was ever seen."""
        with self._store.reading() as db:
            return db.execute("SELECT 1 FROM sightings LIMIT 1").get is not None

    def scene(self, view: View, query: Query, *, things: Sequence[str] = ()) -> Scene | None:
        """The scene a query is answered from.

        Args:
            view: Selection and nearest vectors.
            query: Its filters restrict the scene, before anything is ranked; in a memory too
                large for one scene its words choose the part.
            things: Kinds of things that are asked for: in a large memory every sighting of them
                (the newest, where even they are too many) comes first.

        Returns:
            The scene; None where nothing with a label passes the filters.
        """
        if not self.holds_sightings():
            return None
        filtered = query.filters != Filters()
        generation, kept = self._generation, self._whole
        if not filtered and kept is not None and kept[0] == generation:
            return kept[1]
        with self._lock:
            allowed = view.select(query.filters) if filtered else None
            rowids = self._with_sightings(allowed)
            if len(rowids) > MAX_STANDPOINTS:
                rowids = self._part(view, query, rowids, things)
                return build_scene(self._store.fetch(rowids.tolist()), self._encode)
            scene = build_scene(self._store.fetch(rowids.tolist()), self._encode)
            if not filtered:
                self._whole = (generation, scene)
            return scene

    @property
    def _encode(self) -> Encode | None:
        return None if self._encoder is None else self._encoder.encode

    def _with_sightings(self, allowed: IntArray | None) -> IntArray:
        """Observations in which something was seen, ascending."""
        with self._store.reading() as db:
            query = "SELECT DISTINCT observation FROM sightings ORDER BY observation"
            found = np.fromiter((row[0] for row in db.execute(query)), np.int64)
        return found if allowed is None else np.intersect1d(found, allowed, assume_unique=True)

    def _part(self, view: View, query: Query, rowids: IntArray, things: Sequence[str]) -> IntArray:
        """Observations of the things asked for, then those nearest to the words, then the newest."""
        chosen = self._showing(things, rowids)[-MAX_STANDPOINTS:]
        ranked: list[int] = []
        if query.text and self._encoder is not None:
            space = self._store.spaces().get("text")
            if space == self._encoder.space:
                vector = self._encoder.encode([query.text])[0]
                ranked += view.nearest("text", vector, PART_STANDPOINTS, rowids).rowids.tolist()
        ranked += flat.lexical(self._store, query.text or "", rowids, PART_STANDPOINTS)
        ranked += rowids[-PART_STANDPOINTS // 2 :].tolist()
        room = max(PART_STANDPOINTS, MAX_STANDPOINTS - len(chosen))
        extra = np.array(list(dict.fromkeys(ranked))[:room], np.int64)
        return np.union1d(chosen, extra)

    def _showing(self, things: Sequence[str], rowids: IntArray) -> IntArray:
        """Observations with a sighting of one of some kinds, ascending."""
        labels = self._store.names("label")
        wanted = [
            number for name, number in labels.items() if any(same_kind(t, name) for t in things)
        ]
        if not wanted:
            return np.empty(0, np.int64)
        marks = ",".join("?" * len(wanted))
        with self._store.reading() as db:
            query = f"SELECT DISTINCT observation FROM sightings WHERE label IN ({marks})"
            found = np.fromiter((row[0] for row in db.execute(query, wanted)), np.int64)
        return np.intersect1d(np.sort(found), rowids, assume_unique=True)


def join(scene: Recall, observations: Recall) -> Recall:
    """One list from both ways of recalling, by reciprocal rank fusion.

    Args:
        scene: Standpoints ranked by the things they show.
        observations: Observations ranked by their own words.
    """
    fused: dict[str, float] = {}
    items: dict[str, Evidence] = {}
    for ranking in (scene.evidence, observations.evidence):
        for rank, item in enumerate(ranking, start=1):
            key = item.observation.id
            fused[key] = fused.get(key, 0.0) + 1.0 / (FUSION_K + rank)
            items.setdefault(key, item)
    best = 2.0 / (FUSION_K + 1)
    joined = [
        replace(
            items[key],
            weight=share / best * items[key].parts.space * items[key].parts.time,
            parts=replace(items[key].parts, meaning=share / best),
        )
        for key, share in fused.items()
    ]
    joined.sort(key=lambda item: (-item.weight, -item.observation.stamp_ns))
    return replace(
        scene,
        evidence=tuple(joined[: scene.query.k]),
        considered=max(scene.considered, observations.considered),
        seconds=scene.seconds + observations.seconds,
    )
