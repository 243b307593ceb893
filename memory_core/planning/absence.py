"""What it says of where a thing is that it was not seen there.

It was looked for in vain; it was seen to be gone from there, in passing; or furniture was seen from
several places since the thing was seen last, and never the thing. All of that tells of the moment of
the look: the thing may have come since, at the rate at which things like it move (`persistence`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from memory_core.answering.absence import stamps_of
from memory_core.answering.grounding import Context, of_kind
from memory_core.planning.outcomes import LookedFor
from memory_core.planning.persistence import DAY_NS, MISSED, Persistence
from memory_core.semantic.scene import Scene
from memory_core.types import BoolArray, FloatArray, IntArray, Vector3

SEARCHED_M, INSIDE_M = 0.8, 0.3
"""A look in vain says something of surfaces whose middle is so near, and of drawers and doors."""
STILL_AROUND = 0.08
"""Chance that what is gone from its place on a surface is elsewhere on it."""
PLACES, APART_M, NEAR_M, SEEN_WITHOUT = 4, 0.2, 3.5, 0.15
"""Furniture that was seen from so many places, so far apart and so near, and never a thing on it. On the
second days of twelve simulated homes, of things that people had moved and the robot had not seen
since, 6 were on such furniture where the priors expect 37; seen from one to three places, 36 of 35."""


def unseen(
    context: Context,
    found: IntArray,
    thing: str,
    *,
    shut: BoolArray,
    plain: BoolArray,
    looked: Sequence[LookedFor],
    seen_until_ns: int,
) -> FloatArray:
    """What it leaves of the chance that a thing is at furniture that it was not seen there, (n,).

    One visit is a look in vain and a row of pictures: what says most counts.

    Args:
        context: A question about the thing, grounded.
        found: Numbers of n things of the scene.
        thing: What it is called.
        shut: Which of them must be opened to be looked into, shape (n,).
        plain: Whether what is on each is seen from all around, shape (n,).
        looked: Looks for it. Where it once was and is known to be gone counts besides.
        seen_until_ns: Later pictures do not count, nanoseconds since the epoch.
    """
    scene = context.scene
    assert scene is not None
    kind, rate = of_kind(scene, thing), Persistence(scene.entities).rate(thing)
    looks = [(look.position, look.stamp_ns, MISSED) for look in looked if not look.found]
    looks += [(*gone, STILL_AROUND) for gone in _found_gone(scene, kind)]
    return np.minimum(
        _looked_in_vain(scene, found, shut, looks, rate, context.now_ns),
        _seen_without(scene, found, plain, kind, rate, context.now_ns, seen_until_ns),
    )


def _looked_in_vain(
    scene: Scene,
    found: IntArray,
    shut: BoolArray,
    looks: Sequence[tuple[Vector3, int, float]],
    rate: float,
    now_ns: int,
) -> FloatArray:
    """What looks in vain leave, shape (n,): where, when, and how likely it was missed."""
    left, reach_m = np.ones(len(found)), np.where(shut, INSIDE_M, SEARCHED_M)
    for position, stamp_ns, missed in looks:
        days = max(0, now_ns - stamp_ns) / DAY_NS
        gap = np.linalg.norm(scene.thing_position[found] - np.array(position), axis=1)
        left *= np.where(gap <= reach_m, 1 - (1 - missed) * math.exp(-rate * days), 1.0)
    return left


def _seen_without(
    scene: Scene,
    found: IntArray,
    plain: BoolArray,
    kind: BoolArray,
    rate: float,
    now_ns: int,
    until_ns: int,
) -> FloatArray:
    """What it leaves that furniture was seen from several places without a thing, shape (n,).

    Pictures say nothing of a thing that came later, nor of one that was still elsewhere: it is taken
    to have left its own place at any time since it was seen there. Of a thing that was never seen
    they say nothing either: it lies where it is not seen.
    """
    left, stamps = np.ones(len(found)), stamps_of(scene)
    if not (stamps <= until_ns).any():
        return left
    last_ns = _last_seen_ns(scene, kind, stamps)
    since = (stamps > last_ns) & (stamps <= until_ns)
    if not last_ns or not since.any():
        return left
    stood = scene.stood[:, :2]
    for row in np.flatnonzero(plain).tolist():
        views = np.flatnonzero((scene.sees[found[row]] > 0) & since)
        away = np.linalg.norm(stood[views] - scene.thing_position[found[row], :2], axis=1)
        views = views[away <= NEAR_M]
        stamp_ns = _seen_from_places_ns(stood[views], stamps[views])
        if stamp_ns is None:
            continue
        had_come = (stamp_ns - last_ns) / max(1, now_ns - last_ns)
        still_there = math.exp(-rate * max(0, now_ns - stamp_ns) / DAY_NS)
        left[row] = 1 - (1 - SEEN_WITHOUT) * min(1.0, had_come) * still_there
    return left


def _found_gone(scene: Scene, kind: BoolArray) -> list[tuple[Vector3, int]]:
    """Where things of a kind were seen to be gone, and when."""
    gone = np.flatnonzero(kind & (scene.ended_ns > 0))
    return [
        ((x, y, z), int(stamp_ns))
        for (x, y, z), stamp_ns in zip(
            scene.thing_position[gone].tolist(), scene.ended_ns[gone], strict=True
        )
    ]


def _last_seen_ns(scene: Scene, kind: BoolArray, stamps: IntArray) -> int:
    """When a thing of a kind was seen last; 0 where none ever was."""
    seen = stamps[(scene.sees[kind] > 0).any(axis=0)]
    stays = [
        scene.entities[scene.entity[number]].history[scene.stay[number]].last_ns
        for number in np.flatnonzero(kind).tolist()
        if scene.entity[number] >= 0
    ]
    return max([*seen.tolist(), *stays], default=0)


def _seen_from_places_ns(stood: FloatArray, stamps: IntArray) -> int | None:
    """Since when something was seen from enough places; None where it was not.

    Args:
        stood: From where it was seen, metres, shape (n, 2).
        stamps: When, nanoseconds, shape (n,).
    """
    places: list[FloatArray] = []
    for view in np.argsort(-stamps, kind="stable").tolist():
        if all(np.linalg.norm(stood[view] - place) >= APART_M for place in places):
            places.append(stood[view])
        if len(places) == PLACES:
            return int(stamps[view])
    return None
