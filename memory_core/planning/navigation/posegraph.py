"""Poses that agree best with what was measured between them.

Pose-graph optimisation on the plane (Lu & Milios 1997; Grisetti et al. 2010): Gauss-Newton over
all poses at once, with Cauchy weights so that one wrong loop does not bend the whole map. A house
has tens of anchors, so the system is solved densely.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from memory_core.planning.navigation.planar import Planar, between, wrap
from memory_core.types import FloatArray

_MOST_STEPS = 20
_DOUBTFUL = 9.0


@dataclass(frozen=True, slots=True)
class Link:
    """What was measured between two anchors.

    Attributes:
        start: Id of the anchor measured from.
        end: Id of the anchor measured.
        pose: `end` in the frame of `start`.
        information: Inverse covariance of it, shape (3, 3).
    """

    start: str
    end: str
    pose: Planar
    information: FloatArray


def disagreement(link: Link, poses: Mapping[str, Planar]) -> float:
    """Squared Mahalanobis distance between a measurement and the poses as they are."""
    error = np.array(between(link.pose, between(poses[link.start], poses[link.end])))
    return float(error @ link.information @ error)


def optimise(
    poses: Mapping[str, Planar], links: Sequence[Link], *, fixed: str
) -> dict[str, Planar]:
    """The poses at which all measurements agree best.

    Args:
        poses: Where the anchors are now, the start of the search.
        links: At least one way from `fixed` to every anchor.
        fixed: The anchor that stays.

    Returns:
        New poses of all anchors.
    """
    names = list(poses)
    index = {name: i for i, name in enumerate(names)}
    values = np.array([poses[name] for name in names])
    for _ in range(_MOST_STEPS):
        system, slope = np.zeros((3 * len(names), 3 * len(names))), np.zeros(3 * len(names))
        for link in links:
            i, j = 3 * index[link.start], 3 * index[link.end]
            error, first, second = _linearise(link.pose, values[i // 3], values[j // 3])
            weight = 1 / (1 + float(error @ link.information @ error) / _DOUBTFUL)
            information = weight * link.information
            for a, left in ((i, first), (j, second)):
                slope[a : a + 3] += left.T @ information @ error
                for b, right in ((i, first), (j, second)):
                    system[a : a + 3, b : b + 3] += left.T @ information @ right
        held = 3 * index[fixed]
        system[held : held + 3, held : held + 3] += 1e9 * np.eye(3)
        system[np.diag_indices_from(system)] += 1e-6
        change = np.linalg.solve(system, -slope).reshape(-1, 3)
        values += change
        if np.abs(change).max() < 1e-5:
            break
    return {
        name: (float(x), float(y), wrap(float(yaw)))
        for name, (x, y, yaw) in zip(names, values, strict=True)
    }


def _linearise(
    measured: Planar, start: FloatArray, end: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """The error of a link, and its derivatives by the two poses, each shape (3, 3)."""
    cosine, sine = math.cos(start[2]), math.sin(start[2])
    away = end[:2] - start[:2]
    turn = np.array([[cosine, sine], [-sine, cosine]])
    back = np.array(
        [[math.cos(measured[2]), math.sin(measured[2])],
         [-math.sin(measured[2]), math.cos(measured[2])]]
    )  # fmt: skip
    error = np.empty(3)
    error[:2] = back @ (turn @ away - measured[:2])
    error[2] = wrap(float(end[2] - start[2]) - measured[2])
    first, second = np.zeros((3, 3)), np.zeros((3, 3))
    first[:2, :2] = -back @ turn
    first[:2, 2] = back @ (np.array([[-sine, cosine], [-cosine, -sine]]) @ away)
    first[2, 2] = -1
    second[:2, :2] = back @ turn
    second[2, 2] = 1
    return error, first, second
