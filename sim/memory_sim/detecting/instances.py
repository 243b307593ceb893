"""From what is said of each pixel to things: pixels that point to one middle are one thing.

Middles are peaks of the heat, and each pixel goes to the middle nearest to where its way ends
(Panoptic-DeepLab, Cheng et al. 2020). A thing's class is what its pixels say together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from memory_core.types import FloatArray, IntArray
from memory_sim.detecting.targets import WAY_UNIT

PEAK = 0.15
"""Heat of a middle, at least; 1 is certain."""
APART = 5
"""Output pixels: the side of the square in which a middle is the hottest."""
ASTRAY, ASTRAY_SHARE = 4.0, 0.5
"""A way may end so many output pixels beside a middle, and so much of its own length."""


@dataclass(frozen=True, slots=True)
class Instance:
    """Pixels that belong together.

    Attributes:
        number: Of them in the picture, from 1.
        class_number: What they show.
        score: How sure, 0 to 1.
    """

    number: int
    class_number: int
    score: float


def instances(
    scores: FloatArray, heat: FloatArray, way: FloatArray, groups: Sequence[int]
) -> tuple[IntArray, list[Instance]]:
    """The things of a picture at one stride.

    Args:
        scores: Of classes before softmax, shape (classes, rows, columns); class 0 is nothing.
        heat: At middles, shape (groups, rows, columns).
        way: To the middle, shape (2, rows, columns), in units of `WAY_UNIT` output pixels.
        groups: By class, which heat it belongs to.

    Returns:
        Numbers of things, shape (rows, columns), 0 for none; and the things.
    """
    shares = scores - scores.max(axis=0)
    np.exp(shares, out=shares)
    shares /= shares.sum(axis=0)
    best = shares.argmax(axis=0)
    group_of_class = np.array(groups)
    places = np.zeros(best.shape, np.int64)
    found: list[Instance] = []
    for group, warm in enumerate(heat):
        classes = np.flatnonzero(group_of_class == group)
        classes = classes[classes > 0]
        rows, columns = np.nonzero((best > 0) & (group_of_class[best] == group))
        peaks = _peaks(warm)
        if not len(rows) or not len(peaks):
            continue
        ways = way[:, rows, columns].T * WAY_UNIT
        ends = np.stack([rows, columns], axis=1) + ways
        far = np.linalg.norm(ends[:, None] - peaks[None], axis=2)
        nearest = far.argmin(axis=1)
        most = ASTRAY + ASTRAY_SHARE * np.linalg.norm(ways, axis=1)
        led = far[np.arange(len(ends)), nearest] <= most
        rows, columns, nearest = rows[led], columns[led], nearest[led]
        told = shares[classes][:, rows, columns]
        for peak in np.unique(nearest):
            mine = nearest == peak
            agreed = np.log(told[:, mine] + 1e-4).mean(axis=1)
            chosen = int(agreed.argmax())
            number = len(found) + 1
            places[rows[mine], columns[mine]] = number
            sure = float(told[chosen, mine].mean())
            found.append(Instance(number, int(classes[chosen]), sure))
    return places, found


def _peaks(heat: FloatArray) -> FloatArray:
    """Rows and columns of the hottest points of their surroundings, shape (n, 2)."""
    hottest = ndimage.maximum_filter(heat, size=APART, mode="constant")
    return np.argwhere((heat == hottest) & (heat >= PEAK)).astype(np.float64)
