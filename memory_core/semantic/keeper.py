"""Scenes kept ready: the whole memory's while it is small, a question's own part where it is not."""

from __future__ import annotations

import threading
from dataclasses import replace

from memory_core.episodic import recall as flat
from memory_core.episodic.index import View
from memory_core.episodic.recall import FUSION_K
from memory_core.episodic.store import EpisodicStore
from memory_core.perception.text import TextEncoder
from memory_core.semantic.scene import MAX_STANDPOINTS, Scene, build_scene
from memory_core.types import Evidence, Filters, Query, Recall

PART_STANDPOINTS = 600


class SceneKeeper:
    """Builds scenes from a store and keeps the whole one until something changes."""

    def __init__(self, store: EpisodicStore, encoder: TextEncoder | None) -> None:
        """Nothing is built yet."""
        self._store = store
        self._encoder = encoder
        self._lock = threading.Lock()
        self._whole: Scene | None = None
        self._built = False
        self._texts: bool | None = None

    def forget(self) -> None:
        """Something changed: build anew when next asked."""
        self._built = False
        self._whole = None
        self._texts = None

    def holds_texts(self) -> bool:
        """Whether any observation has words of its own, body state aside."""
        if self._texts is None:
            with self._store.reading() as db:
                found = db.execute(
                    "SELECT 1 FROM observations WHERE text IS NOT NULL AND text NOT LIKE "
                    "'body state:%' LIMIT 1"
                ).get
            self._texts = found is not None
        return self._texts

    def holds_sightings(self) -> bool:
        """Whether anything with a label was ever seen."""
        with self._store.reading() as db:
            return db.execute("SELECT 1 FROM sightings LIMIT 1").get is not None

    def scene(self, view: View, query: Query) -> Scene | None:
        """The scene a query is answered from.

        Args:
            view: Selection and nearest vectors.
            query: Its filters restrict the scene, before anything is ranked; in a memory too
                large for one scene its words choose the part.

        Returns:
            The scene; None where nothing with a label passes the filters.
        """
        if not self.holds_sightings():
            return None
        encode = None if self._encoder is None else self._encoder.encode
        if query.filters != Filters():
            rowids = self._with_sightings(view.select(query.filters).tolist())
            rowids = self._part(view, query, rowids) if len(rowids) > MAX_STANDPOINTS else rowids
            return build_scene(self._store.fetch(rowids), encode)
        with self._lock:
            if not self._built:
                rowids = self._with_sightings(None)
                if len(rowids) > MAX_STANDPOINTS:
                    return build_scene(self._store.fetch(self._part(view, query, rowids)), encode)
                self._whole = build_scene(self._store.fetch(rowids), encode)
                self._built = True
            return self._whole

    def _with_sightings(self, wanted: list[int] | None) -> list[int]:
        with self._store.reading() as db:
            limit = -1 if wanted is not None else MAX_STANDPOINTS * 4
            found = [
                row[0]
                for row in db.execute(
                    "SELECT DISTINCT observation FROM sightings ORDER BY observation DESC LIMIT ?",
                    (limit,),
                )
            ]
        if wanted is None:
            return sorted(found)
        return sorted(set(found) & set(wanted))

    def _part(self, view: View, query: Query, rowids: list[int]) -> list[int]:
        """The observations nearest to a query's words, with the newest ones beside them."""
        chosen = set(rowids[-PART_STANDPOINTS // 2 :])
        words = flat.lexical(self._store, query.text or "", None, PART_STANDPOINTS)
        chosen.update(words)
        if self._encoder is not None and query.text and "text" in self._store.spaces():
            vector = self._encoder.encode([query.text])[0]
            if len(vector) == self._store.spaces()["text"].dimension:
                hits = view.nearest("text", vector, PART_STANDPOINTS, None)
                chosen.update(hits.rowids.tolist())
        allowed = set(rowids) if query.filters != Filters() else None
        return sorted(chosen if allowed is None else chosen & allowed)


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
