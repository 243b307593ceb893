"""How far away in space and in time counts against a memory, and numerically safe sums of weights.

A kernel K in (0, 1] multiplies a weight; its logarithm adds to the relevance:
`log K = -distance / scale`, in metres for space and in seconds for time (algorithms: the spatial
kernel is that of Embodied-RAG, Xie et al. 2024; the one in time is its analogue).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from memory_core.errors import InvalidQuery
from memory_core.types import FloatArray, IntArray

UNKNOWN_NS = int(np.iinfo(np.int64).min)
UNKNOWN_LOG = -3.0
"""What an unknown place or time counts as: as good as one three scales away, neither near nor lost."""
_SECOND_NS = 1e9


def distances_m(centres: FloatArray, near: npt.ArrayLike) -> FloatArray:
    """How far each centre is from a point.

    Args:
        centres: Shape (m, 3), metres; a row with NaN is an unknown place.
        near: Shape (3,), metres, in the frame of the centres.

    Returns:
        Shape (m,), metres, float64; NaN where the place is unknown.

    Raises:
        InvalidQuery: The point is not three finite numbers.
    """
    point = np.asarray(near, np.float64)
    if point.shape != (3,) or not np.isfinite(point).all():
        raise InvalidQuery(f"the point to be near is {near!r}; expected three finite numbers")
    return np.asarray(np.linalg.norm(np.asarray(centres, np.float64) - point, axis=-1))


def seconds_outside(spans_ns: IntArray, around_ns: int) -> FloatArray:
    """How far a moment is from each span of time; 0 within it.

    Args:
        spans_ns: Shape (m, 2), first and last moment, nanoseconds; `UNKNOWN_NS` where not known.
        around_ns: The moment, nanoseconds.

    Returns:
        Shape (m,), seconds, float64; NaN where a span is unknown.
    """
    spans = np.asarray(spans_ns, np.int64)
    known = (spans != UNKNOWN_NS).all(axis=-1)
    first, last = np.where(known[:, None], spans, around_ns).T
    outside = np.maximum(np.maximum(first - around_ns, around_ns - last), 0) / _SECOND_NS
    return np.where(known, outside, np.nan)


def log_kernel(distances: FloatArray, *, scale: float, unknown: float = UNKNOWN_LOG) -> FloatArray:
    """The logarithm of `exp(-|distance| / scale)`.

    Args:
        distances: Any shape, in the unit of `scale`; NaN where not known.
        scale: Positive: the distance at which a weight has fallen to 1/e.
        unknown: What NaN becomes; 0 would make the unknown as good as being there.

    Returns:
        The shape of `distances`, float64, at most 0.

    Raises:
        InvalidQuery: The scale is not positive and finite.
    """
    if not (np.isfinite(scale) and scale > 0):
        raise InvalidQuery(f"the scale of a kernel is {scale}; expected a positive number")
    falls = -np.abs(np.asarray(distances, np.float64)) / scale
    return np.where(np.isnan(falls), unknown, falls)


def log_sum_exp(values: FloatArray, *, axis: int = -1) -> FloatArray:
    """The logarithm of a sum of exponentials, without overflow.

    Args:
        values: Logarithms; -inf stands for a weight of 0.
        axis: What is summed.

    Returns:
        `values` without that axis; -inf where nothing has weight.
    """
    values = np.asarray(values, np.float64)
    highest = np.max(values, axis=axis, keepdims=True, initial=-np.inf)
    safe = np.where(np.isfinite(highest), highest, 0.0)
    total = np.exp(values - safe).sum(axis=axis)
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(total) + np.squeeze(safe, axis=axis))


def softmax(values: FloatArray, *, axis: int = -1) -> FloatArray:
    """Logarithms as weights that sum to 1, without overflow.

    Args:
        values: Logarithms; -inf stands for a weight of 0.
        axis: Along which the weights sum to 1.

    Returns:
        The shape of `values`, float64; all 0 where nothing has weight.
    """
    values = np.asarray(values, np.float64)
    total: Any = np.expand_dims(log_sum_exp(values, axis=axis), axis)
    return np.asarray(np.exp(values - np.where(np.isfinite(total), total, 0.0)))
