"""Recall through a scene: the things and the standpoints a sentence means.

Used where observations carry labelled sightings. The evidence is a list of standpoints that
together see most of the belief; the objects are the likeliest things, each with its best view.
"""

from __future__ import annotations

import math
import time
from collections.abc import Collection
from dataclasses import replace

import numpy as np

from memory_core.episodic.recall import evidence_of
from memory_core.language.directions import parse
from memory_core.semantic.attend import ALL, attend
from memory_core.semantic.scene import Scene
from memory_core.types import Encode, Evidence, Parts, Query, Recall, Sighting


def recall_scene(
    scene: Scene, query: Query, encode: Encode | None, *, parts: Collection[str] = ALL
) -> Recall:
    """Rank a scene's standpoints and things for a query's words.

    Args:
        scene: Built from the observations that passed the query's filters.
        query: Checked; has text.
        encode: Sentences to unit vectors; None compares by spelling alone.
        parts: What the belief is made of, see `attend`; fewer are for an ablation.
    """
    begun = time.perf_counter()
    assert query.text is not None
    attended = attend(scene, parse(query.text), encode, parts=parts)
    belief = attended.things
    objects = []
    for thing in np.argsort(-belief, kind="stable")[: query.k].tolist():
        standpoint, sighting = scene.best_view[thing]
        x, y, z = scene.thing_position[thing].tolist()
        objects.append(
            _evidence(scene, query, standpoint, float(belief[thing]), sighting, (x, y, z))
        )
    likeliest = np.argsort(-belief, kind="stable")[:200]
    evidence = []
    chosen = attended.standpoints(scene, query.k)
    weights = np.maximum.accumulate([mass for _, mass in chosen][::-1])[::-1].tolist()
    for (standpoint, mass), weight in zip(chosen, weights, strict=True):
        seen = [int(thing) for thing in likeliest if scene.sees[thing, standpoint]]
        sighting = scene.view_of(seen[0], standpoint) if seen else None
        place = None
        if seen:
            x, y, z = scene.thing_position[seen[0]].tolist()
            place = (x, y, z)
        told = _evidence(scene, query, standpoint, weight, sighting, place)
        evidence.append(replace(told, attention=mass))
    if query.near is not None or query.around_ns is not None:
        evidence.sort(key=lambda item: -item.weight)
        objects.sort(key=lambda item: -item.weight)
    return Recall(
        query=replace(query, vectors={}),
        evidence=tuple(evidence),
        considered=len(scene.stored),
        seconds=time.perf_counter() - begun,
        objects=tuple(objects),
    )


def _evidence(
    scene: Scene,
    query: Query,
    standpoint: int,
    mass: float,
    sighting: Sighting | None,
    place: tuple[float, float, float] | None,
) -> Evidence:
    stored = scene.stored[standpoint]
    space = when = 1.0
    if query.near is not None and place is not None:
        space = math.exp(-math.dist(place, query.near) / query.near_scale_m)
    if query.around_ns is not None:
        apart_s = abs(stored.observation.stamp_ns - query.around_ns) * 1e-9
        when = math.exp(-apart_s / query.around_scale_s)
    standing = stored.map_pose.position if stored.map_pose is not None else None
    parts = Parts(max(0.0, min(1.0, mass)), space, when)
    told = evidence_of(stored, parts, position=place or standing, sighting=sighting)
    return replace(told, attention=parts.meaning)
