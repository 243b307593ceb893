"""Flat recall: meaning × space × time over observations, filters first and exactly.

Dense (cosine) and lexical (BM25) rankings are joined by reciprocal rank fusion (Cormack et al.
2009, k = 60); kernels of distance in space and time weigh the result.
"""

from __future__ import annotations

import math
import re
import time
from dataclasses import dataclass, replace

import numpy as np

from memory_core.episodic.index import View
from memory_core.episodic.rows import Stored
from memory_core.episodic.store import EpisodicStore
from memory_core.types import Evidence, Filters, IntArray, Parts, Query, Recall, Sighting, Vector3

FUSION_K = 60
MIN_POOL = 64
COMMON = 4_000
_WORD = re.compile(r"[^\W_]+")
_STOP = frozenset(
    (
        "a an the of in on at to for from with by and or is are was were be been it "
        "its this that these those i you we me my your our did do does has have had "
        "what where when which who how there here any some"
    ).split()
)


@dataclass(frozen=True, slots=True)
class Ranked:
    """Candidates of a query before the kernels: rowids and meaning in [0, 1], best first."""

    rowids: IntArray
    meaning: list[float]
    considered: int


def content_words(text: str) -> list[str]:
    """Lower-case words that carry meaning, in order, without repeats."""
    words = [word for word in _WORD.findall(text.lower()) if word not in _STOP]
    return list(dict.fromkeys(words))


def recall(store: EpisodicStore, view: View, query: Query, *, total: int) -> Recall:
    """Rank observations for a query.

    Args:
        store: Where observations are read.
        view: Selection and nearest vectors, level with the store.
        query: Checked; its vectors are filled in.
        total: How many observations are stored.

    Returns:
        At most `query.k` pieces of evidence, by falling weight, then by time (newest first).
    """
    begun = time.perf_counter()
    ranked = _rank(store, view, query, total)
    pool = ranked.rowids.tolist()
    meanings = dict(zip(pool, ranked.meaning, strict=True))
    # what was removed since it was ranked is left out by `fetch`
    evidence = [weigh(stored, query, meanings[stored.rowid]) for stored in store.fetch(pool)]
    evidence.sort(key=lambda item: (-item.weight, -item.observation.stamp_ns))
    return Recall(
        query=replace(query, vectors={}),
        evidence=tuple(evidence[: query.k]),
        considered=ranked.considered,
        seconds=time.perf_counter() - begun,
    )


def _rank(store: EpisodicStore, view: View, query: Query, total: int) -> Ranked:
    allowed = None if query.filters == Filters() else view.select(query.filters)
    considered = total if allowed is None else len(allowed)
    kernels = query.near is not None or query.around_ns is not None
    if kernels:
        pool = max(4 * MIN_POOL, 4 * query.k)
    elif query.text or len(query.vectors) > 1:
        pool = max(MIN_POOL, query.k)
    else:
        pool = query.k  # one ranking, and nothing that could reorder it
    rankings: list[list[int]] = []
    for space, vector in query.vectors.items():
        hits = view.nearest(space, vector, pool, allowed)
        rankings.append(hits.rowids.tolist())
        cosines = dict(zip(hits.rowids.tolist(), hits.scores.tolist(), strict=True))
    if query.text:
        rankings.append(lexical(store, query.text, allowed, pool, telling=bool(query.vectors)))
    if not rankings:
        everything = view.select(query.filters) if allowed is None else allowed
        chosen = _by_kernels(view, everything, query, pool)
        return Ranked(chosen, [1.0] * len(chosen), considered)
    if len(rankings) == 1 and query.vectors:
        rowids = rankings[0]
        return Ranked(
            np.array(rowids, np.int64), [max(0.0, min(1.0, cosines[r])) for r in rowids], considered
        )
    fused = fuse(rankings)
    ordered = sorted(fused, key=lambda rowid: (-fused[rowid], -rowid))[:pool]
    best = len(rankings) / (FUSION_K + 1)
    return Ranked(np.array(ordered, np.int64), [fused[r] / best for r in ordered], considered)


def fuse(rankings: list[list[int]]) -> dict[int, float]:
    """Reciprocal rank fusion: Σ 1 / (60 + rank) over the rankings that hold a rowid."""
    fused: dict[int, float] = {}
    for ranking in rankings:
        for rank, rowid in enumerate(ranking, start=1):
            fused[rowid] = fused.get(rowid, 0.0) + 1.0 / (FUSION_K + rank)
    return fused


def lexical(
    store: EpisodicStore,
    text: str,
    allowed: IntArray | None,
    limit: int,
    *,
    every: bool = False,
    telling: bool = False,
) -> list[int]:
    """Rowids whose words match, best first (BM25), under the filter.

    Args:
        store: Where the word index is.
        text: Words; function words are passed over.
        allowed: Rowids that may be returned, ascending; None for all.
        limit: At most this many.
        every: Whether all the words must match, not just one.
        telling: Pass over words that very many observations hold: for where meaning ranks too.
    """
    words = content_words(text)
    if not words or (allowed is not None and not len(allowed)):
        return []
    if telling:
        words = _telling(store, words)
        if not words:
            return []
    expression = (" AND " if every else " OR ").join(f'"{word}"' for word in words)
    low, high = (1, 2**62) if allowed is None else (int(allowed[0]), int(allowed[-1]))
    if allowed is None:
        return [row for row, _ in store.match_words(expression, low=low, high=high, limit=limit)]
    span = high - low + 1
    wanted = min(span, math.ceil(limit * span / len(allowed) * 2))
    while True:
        found = store.match_words(expression, low=low, high=high, limit=wanted)
        rows = np.array([row for row, _ in found], np.int64)
        kept = rows[np.isin(rows, allowed)]
        if len(kept) >= limit or len(found) < wanted:
            return [int(row) for row in kept[:limit]]
        wanted *= 4


def _telling(store: EpisodicStore, words: list[str]) -> list[str]:
    """The words that tell observations apart: those that few enough observations hold.

    Ranking all that match a common word costs their number, and it would move none of them far.
    """
    if store.last_rowid() <= COMMON:
        return words
    return [word for word in words if store.count_matches(f'"{word}"', most=COMMON + 1) <= COMMON]


def _by_kernels(view: View, rowids: IntArray, query: Query, pool: int) -> IntArray:
    """Without words: the nearest in space and time, else the newest; from columns alone."""
    if not len(rowids):
        return rowids
    stamps, places = view.positions(rowids)
    score = np.zeros(len(stamps))
    if query.near is not None:
        apart = np.linalg.norm(places - np.array(query.near), axis=1)
        score -= np.where(np.isnan(apart), np.inf, apart) / query.near_scale_m
    if query.around_ns is not None:
        score -= np.abs(stamps - query.around_ns) * 1e-9 / query.around_scale_s
    order = np.lexsort((-stamps, -score))[:pool]
    return np.asarray(rowids[order])


def weigh(stored: Stored, query: Query, meaning: float) -> Evidence:
    """Evidence from an observation: meaning times the kernels of space and time."""
    position = stored.map_pose.position if stored.map_pose is not None else None
    space = when = 1.0
    if query.near is not None:
        space = (
            0.0
            if position is None
            else math.exp(-math.dist(position, query.near) / query.near_scale_m)
        )
    if query.around_ns is not None:
        apart_s = abs(stored.observation.stamp_ns - query.around_ns) * 1e-9
        when = math.exp(-apart_s / query.around_scale_s)
    parts = Parts(max(0.0, min(1.0, meaning)), space, when)
    return evidence_of(stored, parts, position=position)


def evidence_of(
    stored: Stored,
    parts: Parts,
    *,
    position: Vector3 | None,
    sighting: Sighting | None = None,
) -> Evidence:
    """Evidence from an observation: its weight is the product of the parts.

    Args:
        stored: The observation.
        parts: What the weight is made of.
        position: What it speaks about, in the map.
        sighting: The sighting meant, where one was.
    """
    observation = stored.observation
    return Evidence(
        observation=observation,
        weight=parts.meaning * parts.space * parts.time,
        parts=parts,
        position=position,
        sighting=sighting,
        map_id=observation.map_id,
        epoch=stored.epoch,
        localised=observation.localised,
        keyframe=stored.keyframe_bytes,
        path=(observation.id,),
        standpoint=None if stored.map_pose is None else stored.map_pose.position,
    )
