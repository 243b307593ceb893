"""Things near each other, and what is measured between them, with its uncertainty.

Sizes from depth are of the visible part; where none was measured, the label says how large such
a thing commonly is, and the uncertainty grows by a share of that.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from memory_core.language import lexicon
from memory_core.semantic.expected import typical_size
from memory_core.types import DEFAULT_MAP, BoolArray, FloatArray, IntArray, Vector3

REACH_M = 3.0
MAX_VIEWS = 64
APART_M = 1e6
LEAST_SPREAD_M = 0.01
_GUESS_WIDTH = 0.2
_GUESS_HEIGHT = 0.1


@dataclass(frozen=True, slots=True)
class View:
    """One observation that saw a thing: its id, when, and from where in the map (metres)."""

    observation: str
    stamp_ns: int
    standpoint: Vector3


@dataclass(frozen=True, slots=True)
class Thing:
    """What facts need to know of an entity.

    Attributes:
        id: `entity:N`.
        label: What it is taken for.
        position: Middle of what was seen of it, in the map, metres.
        size: Extent along x, y, z of the map, metres; zeros where unknown.
        spread_m: Standard deviation of the position along an axis.
        place: `place:N` it is in; None where unknown.
        map_id: Its map.
        views: Observations that saw it, oldest first; the newest 64 are used.
    """

    id: str
    label: str
    position: Vector3
    size: Vector3 = (0.0, 0.0, 0.0)
    spread_m: float = 0.05
    place: str | None = None
    map_id: str = DEFAULT_MAP
    views: tuple[View, ...] = ()


@dataclass(frozen=True, slots=True)
class Pairs:
    """Ordered pairs of neighbours and what is measured between them.

    Attributes:
        first: Index of the subject, shape (m,), ascending.
        second: Index of the object, shape (m,).
        spread: Standard deviation of their horizontal difference along an axis, metres, (m,).
        rising: Standard deviation of their difference in height, metres, shape (m,).
        distance: Between their boxes, and by a hundredth between their middles, metres, (m,).
        gap: Horizontal clearance between their boxes, negative where they overlap, shape (m,).
        inside: Chance that the first's middle is over the second's footprint, shape (m,).
        smaller: Whether the first's footprint is no larger than the second's, shape (m,).
        together: Share of the views of the one seen less that show both, shape (m,).
        area: Footprint of each thing, square metres, shape (n,).
        foot: Lowest point of each thing, metres, shape (n,).
        top: Highest point of each thing, metres, shape (n,).
    """

    first: IntArray
    second: IntArray
    spread: FloatArray
    rising: FloatArray
    distance: FloatArray
    gap: FloatArray
    inside: FloatArray
    smaller: BoolArray
    together: FloatArray
    area: FloatArray
    foot: FloatArray
    top: FloatArray


@functools.lru_cache(maxsize=4_096)
def label_words(label: str) -> tuple[str, ...]:
    """Lemmas of a label."""
    return tuple(lexicon.words_of(label))


def _points(things: Sequence[Thing]) -> FloatArray:
    """Positions, shape (n, 3), each map far from the others."""
    maps = {name: number for number, name in enumerate(sorted({t.map_id for t in things}))}
    points = np.array([thing.position for thing in things], np.float64).reshape(-1, 3)
    points[:, 0] += [maps[thing.map_id] * APART_M for thing in things]
    return points


def within(things: Sequence[Thing], around: Sequence[Thing], reach_m: float) -> list[int]:
    """Indices of things within reach of any of some others, ascending.

    Args:
        things: Those asked about.
        around: The others.
        reach_m: Metres between middles.
    """
    from scipy.spatial import cKDTree

    points = _points([*things, *around])
    found = cKDTree(points[: len(things)]).query_ball_point(points[len(things) :], reach_m)
    return sorted({index for indices in found for index in indices})


def measure(things: Sequence[Thing], chosen: IntArray) -> Pairs:
    """All ordered pairs of the chosen things, and of their neighbours, with their neighbours."""
    from scipy.spatial import cKDTree

    points = _points(things)
    tree = cKDTree(points)
    near = tree.query_ball_point(points[chosen], REACH_M)
    asked = np.array(sorted({index for indices in near for index in indices}), np.int64)
    near = tree.query_ball_point(points[asked], REACH_M, return_sorted=True)
    first = np.repeat(asked, [len(indices) for indices in near])
    second = np.array([index for indices in near for index in indices], np.int64)
    first, second = first[first != second], second[first != second]

    size = np.array([thing.size for thing in things], np.float64)
    guess = np.array([typical_size(label_words(thing.label)) for thing in things])
    guessed = np.where(size > 0, 0.0, guess)
    half = np.where(size > 0, size, guess) / 2
    spread = np.maximum([thing.spread_m for thing in things], LEAST_SPREAD_M)
    wide = np.hypot(spread, _GUESS_WIDTH * guessed[:, :2].max(axis=1))
    tall = np.hypot(spread, _GUESS_HEIGHT * guessed[:, 2])
    between = np.hypot(wide[first], wide[second])
    apart = np.abs(points[first] - points[second])
    clear = apart[:, :2] - half[first, :2] - half[second, :2]
    gap = np.where((clear > 0).any(axis=1), np.hypot(*np.maximum(clear, 0).T), clear.max(axis=1))
    room = (half[second, :2] - apart[:, :2]) / between[:, None]
    above = apart[:, 2] - half[first, 2] - half[second, 2]
    middles = np.linalg.norm(apart, axis=1)
    area = 4 * half[:, 0] * half[:, 1]
    views = [{view.observation for view in thing.views[-MAX_VIEWS:]} for thing in things]
    shared = [
        len(views[a] & views[b]) / max(1, min(len(views[a]), len(views[b])))
        for a, b in zip(first.tolist(), second.tolist(), strict=True)
    ]
    return Pairs(
        first=first,
        second=second,
        spread=between,
        rising=np.hypot(tall[first], tall[second]),
        distance=np.hypot(np.maximum(gap, 0), np.maximum(above, 0)) + 0.01 * middles,
        gap=gap,
        inside=normal(room).prod(axis=1),
        smaller=area[first] <= area[second],
        together=np.array(shared),
        area=area,
        foot=points[:, 2] - half[:, 2],
        top=points[:, 2] + half[:, 2],
    )


def normal(deviations: FloatArray) -> FloatArray:
    """Chance that a standard normal variable is below each of some values."""
    from scipy.special import ndtr

    return np.asarray(ndtr(deviations))
