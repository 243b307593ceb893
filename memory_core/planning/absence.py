"""What looks in vain say of where a thing is: where it was not seen, it is probably not.

It was looked for there; or it was seen to be gone from there, in passing; or the furniture was seen
from several sides since the thing was seen last, and never the thing. All of that tells of the moment
of the look: the thing may have come since, at the rate at which things like it move.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from memory_core.answering.grounding import Context, of_kind
from memory_core.planning.outcomes import LookedFor
from memory_core.planning.persistence import DAY_NS, MISSED, Persistence
from memory_core.semantic.scene import Scene
from memory_core.types import BoolArray, FloatArray, IntArray

SEARCHED_M, INSIDE_M = 0.8, 0.3
"""A look in vain says something of surfaces whose middle is so near, and of drawers and doors."""
STILL_AROUND = 0.08
"""Chance that what is gone from its place on a surface is elsewhere on it."""
SIDES, SIDE_M, NEAR_M, OVERLOOKED = 4, 0.2, 3.5, 0.15
"""Furniture that was seen from so many places so far apart and so near, and a thing on it from none. On
the second days of twelve simulated homes, of things that people had moved and the robot had not seen
since, 6 were on such furniture where the priors expect 37; seen from one to three places, 36 of 35."""


def unseen(
    context: Context,
    found: IntArray,
    shut: BoolArray,
    thing: str,
    looked: Sequence[LookedFor] = (),
) -> FloatArray:
    """What looks in vain leave of the chance that a thing is at n pieces of furniture, shape (n,).

    Args:
        context: A question about the thing, grounded.
        found: Numbers of things of the scene.
        shut: Which of them must be opened to be looked into, shape (n,).
        thing: What is looked for.
        looked: Looks for it. Where it was once seen and is gone counts besides.
    """
    scene = context.scene
    assert scene is not None
    rate = Persistence(scene.entities).rate(thing) / DAY_NS
    left = _seen_without(scene, found, shut, thing, rate, context.now_ns)
    at, reach = scene.thing_position[found], np.where(shut, INSIDE_M, SEARCHED_M)
    looks = [(look, MISSED) for look in looked if not look.found]
    looks += [(look, STILL_AROUND) for look in _found_gone(scene, thing)]
    for look, missed in looks:
        since_ns = max(0, context.now_ns - look.stamp_ns)
        gap = np.linalg.norm(at - np.array(look.position), axis=1)
        left *= np.where(gap <= reach, 1 - (1 - missed) * math.exp(-rate * since_ns), 1.0)
    return left


def _found_gone(scene: Scene, thing: str) -> list[LookedFor]:
    """Where things of a kind were seen to be gone, as looks in vain."""
    gone = np.flatnonzero(of_kind(scene, thing) & (scene.ended_ns > 0))
    return [
        LookedFor(thing, (x, y, z), int(stamp_ns), False)
        for (x, y, z), stamp_ns in zip(
            scene.thing_position[gone].tolist(), scene.ended_ns[gone], strict=True
        )
    ]


def _seen_without(
    scene: Scene, found: IntArray, shut: BoolArray, thing: str, rate: float, now_ns: int
) -> FloatArray:
    """What it leaves that furniture was seen from several sides, and never the thing, shape (n,).

    Pictures say nothing of a thing that came later, nor of one that was still elsewhere: it is taken
    to have left its own place at any time since it was seen there, and to have come then.
    """
    left = np.ones(len(found))
    stamps = np.array([stored.observation.stamp_ns for stored in scene.stored])
    showed = (scene.sees[of_kind(scene, thing)] > 0).any(axis=0)
    last_ns = int(stamps[showed].max()) if showed.any() else 0
    stood = scene.stood[:, :2]
    for row, number in enumerate(found.tolist()):
        if shut[row]:
            continue
        views = np.flatnonzero((scene.sees[number] > 0) & (stamps > last_ns))
        away = np.linalg.norm(stood[views] - scene.thing_position[number, :2], axis=1)
        views = views[away <= NEAR_M]
        stamp_ns = _seen_from_all_sides_ns(stood[views], stamps[views])
        if stamp_ns is None:
            continue
        had_come = (stamp_ns - last_ns) / max(1, now_ns - last_ns) if last_ns else 1.0
        still_there = math.exp(-rate * max(0, now_ns - stamp_ns))
        left[row] = 1 - (1 - OVERLOOKED) * min(1.0, had_come) * still_there
    return left


def _seen_from_all_sides_ns(stood: FloatArray, stamps: IntArray) -> int | None:
    """Since when something was seen from enough places; None where it was not.

    Args:
        stood: From where it was seen, shape (n, 2), metres.
        stamps: When, shape (n,), nanoseconds.
    """
    sides: list[FloatArray] = []
    for view in np.argsort(-stamps, kind="stable").tolist():
        if all(np.linalg.norm(stood[view] - side) >= SIDE_M for side in sides):
            sides.append(stood[view])
        if len(sides) == SIDES:
            return int(stamps[view])
    return None
