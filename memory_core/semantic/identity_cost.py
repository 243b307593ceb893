"""How likely two pieces of evidence are one thing: position, label, appearance, size.

All terms are natural logarithms of likelihood ratios, so that they add up and an assignment that
maximises their sum is the most likely joint explanation (as in Reid 1979, multiple hypothesis
tracking, with one hypothesis kept by optimal assignment). A label is a noisy reading of a
thing's true kind: right with probability 1 - `LABEL_ERROR`, else any other kind alike.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from memory_core.types import FloatArray

LABEL_ERROR = 0.05
KINDS = 30
MOVE_SCALES_M = (0.3, 2.0)
FLOOR_M3 = 200.0
EXTENT_SPREAD = 0.2
HEAVY_M3 = 0.25
_RIGHT = math.log(1 - LABEL_ERROR)
_WRONG = math.log(LABEL_ERROR / (KINDS - 1))
_APPEARANCE_SHARPNESS = 20.0
_APPEARANCE_NEUTRAL = 0.75
_SIZE_SPREAD = 0.35
_SIZE_NEUTRAL = 1.0

Counts = Mapping[str, float]
Belief = tuple[dict[str, float], float]
"""Logarithm of the belief in each kind read, and in any one other kind."""


def kind_log_posterior(counts: Counts) -> Belief:
    """Belief about a thing's true kind after some labels.

    Args:
        counts: How often each label was read.

    Returns:
        Logarithm of the belief by label read, and of the belief in any one other kind.
    """
    gain = _RIGHT - _WRONG
    weights = {label: gain * count for label, count in counts.items()}
    others = max(1, KINDS - len(weights))
    top = max(weights.values(), default=0.0)
    total = sum(math.exp(weight - top) for weight in weights.values()) + others * math.exp(-top)
    normaliser = top + math.log(total)
    return {label: weight - normaliser for label, weight in weights.items()}, -normaliser


def labels_gain(labels: Counts, known: Counts) -> float:
    """Log-likelihood ratio of labels being read of a known thing instead of an unknown one.

    Args:
        labels: Counts of the labels in question.
        known: Counts of the labels read of the known thing before.
    """
    return _labels_log_likelihood(labels, known) - _labels_log_likelihood(labels, {})


def _labels_log_likelihood(labels: Counts, known: Counts) -> float:
    """Without the factor that all kinds share: every label read wrong."""
    belief, other = kind_log_posterior(known)
    gain = _RIGHT - _WRONG
    union = set(labels) | set(belief)
    terms = [belief.get(kind, other) + gain * labels.get(kind, 0.0) for kind in union]
    rest = max(1, KINDS - len(union))
    top = max(*terms, other)
    total = sum(math.exp(term - top) for term in terms) + rest * math.exp(other - top)
    return top + math.log(total)


def label_gain(label: str, posterior: Belief) -> float:
    """As `labels_gain` for one label and a belief from `kind_log_posterior`."""
    belief = math.exp(posterior[0].get(label, posterior[1]))
    likelihood = belief * math.exp(_RIGHT) + (1 - belief) * math.exp(_WRONG)
    return math.log(likelihood * KINDS)


def position_log_density(offsets: FloatArray, covariances: FloatArray) -> FloatArray:
    """Log density of Gaussian offsets, per cubic metre.

    Args:
        offsets: Metres, shape (n, 3).
        covariances: Square metres, shape (n, 3, 3), positive definite.

    Returns:
        Shape (n,).
    """
    inverse = np.linalg.inv(covariances)
    squared = np.einsum("ni,nij,nj->n", offsets, inverse, offsets)
    determinant = np.linalg.det(covariances)
    return np.asarray(-0.5 * (squared + np.log((2 * np.pi) ** 3 * determinant)))


def part_variances(first: FloatArray, second: FloatArray) -> FloatArray:
    """How far apart the middles of two visible parts of one thing may be, square metres.

    A part lies anywhere inside the whole: uniformly over the difference of the two extents. And
    what is seen of a thing depends on the side it is seen from.

    Args:
        first: Extents of one part along the map's axes, shape (n, 3), metres; zeros where unknown.
        second: Of the other, alike.

    Returns:
        Variances along the axes, shape (n, 3).
    """
    larger = np.maximum(first, second)
    sides = np.concatenate([larger[:, :2].max(axis=1, keepdims=True)] * 2 + [larger[:, 2:]], axis=1)
    return np.asarray((first - second) ** 2 / 12 + (EXTENT_SPREAD * sides) ** 2)


def mobility(extent: FloatArray) -> float:
    """How often a thing is moved or taken away, in comparison with a small one, 0 to 1.

    Args:
        extent: Along the axes, shape (3,), metres; zeros where unknown: then it counts as small.
    """
    return 1 / (1 + float(np.prod(extent)) / HEAVY_M3)


def move_log_density(distance_m: float) -> float:
    """Log density of where a thing that was moved ends up, per cubic metre.

    Alike often it is nudged, carried within a room, or put anywhere on the floor: Cauchy
    distributions in three dimensions around where it was, and a uniform one.
    """
    around = sum(
        1 / (math.pi**2 * scale**3 * (1 + (distance_m / scale) ** 2) ** 2)
        for scale in MOVE_SCALES_M
    )
    return math.log((around + 1 / FLOOR_M3) / (len(MOVE_SCALES_M) + 1))


def appearance_gain(first: FloatArray | None, second: FloatArray | None) -> float:
    """Evidence of two appearance vectors, shape (d,), of any length; 0 where one is missing."""
    if first is None or second is None or first.shape != second.shape:
        return 0.0
    lengths = float(np.linalg.norm(first) * np.linalg.norm(second))
    if lengths == 0.0:
        return 0.0
    return _APPEARANCE_SHARPNESS * (float(first @ second) / lengths - _APPEARANCE_NEUTRAL)


def size_gain(first: FloatArray, second: FloatArray) -> float:
    """Evidence of two extents, shape (3,), metres, in any orientation; 0 where one is missing."""
    if not (first.any() and second.any()):
        return 0.0
    ratios = np.log(np.sort(first + 0.01) / np.sort(second + 0.01))
    return _SIZE_NEUTRAL - 0.5 * float(np.mean(ratios**2)) / _SIZE_SPREAD**2


def misread_gain(label: float, first: FloatArray, second: FloatArray) -> float:
    """Evidence of two extents, shape (3,), metres, against one of them having a wrong label.

    A part of a thing may have any size, but what is taken for something else has its own.

    Args:
        label: Evidence of the labels; negative where they differ.
        first: One extent; zeros where unknown.
        second: The other.
    """
    return min(size_gain(first, second), 0.0) if label < 0 else 0.0


def best_pairs(gains: Mapping[tuple[int, int], float]) -> dict[int, int]:
    """One-to-one pairs of the largest total gain; pairs that gain nothing are left out.

    Solved apart for every connected group (Kuhn 1955, by `scipy`).

    Args:
        gains: By (row, column).

    Returns:
        The column of each row that has one.
    """
    columns_of: dict[int, list[int]] = {}
    rows_of: dict[int, list[int]] = {}
    for (row, column), gain in gains.items():
        if gain > 0:
            columns_of.setdefault(row, []).append(column)
            rows_of.setdefault(column, []).append(row)
    result: dict[int, int] = {}
    done: set[int] = set()
    for first in columns_of:
        if first in done:
            continue
        rows, columns = _group(first, columns_of, rows_of)
        done.update(rows)
        if len(columns) == 1 and len(rows) == 1:
            result[rows[0]] = columns[0]
        else:
            result.update(_solve(rows, columns, gains))
    return result


def _group(
    first: int, columns_of: dict[int, list[int]], rows_of: dict[int, list[int]]
) -> tuple[list[int], list[int]]:
    rows, columns, pending = {first}, set[int](), [first]
    while pending:
        for column in columns_of[pending.pop()]:
            if column not in columns:
                columns.add(column)
                fresh = [row for row in rows_of[column] if row not in rows]
                rows.update(fresh)
                pending += fresh
    return sorted(rows), sorted(columns)


def _solve(
    rows: list[int], columns: list[int], gains: Mapping[tuple[int, int], float]
) -> dict[int, int]:
    from scipy.optimize import linear_sum_assignment

    matrix = np.array([[max(gains.get((r, c), 0.0), 0.0) for c in columns] for r in rows])
    chosen = zip(*linear_sum_assignment(matrix, maximize=True), strict=True)
    return {rows[r]: columns[c] for r, c in chosen if matrix[r, c] > 0}
