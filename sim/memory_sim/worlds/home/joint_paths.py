"""Paths between configurations of an arm: straight where free, else by RRT-Connect."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import numpy as np

from memory_core.types import FloatArray

Free = Callable[[FloatArray], bool]
"""Whether a configuration, shape (d,), touches nothing."""


def between(start: FloatArray, goal: FloatArray, step: FloatArray) -> list[FloatArray]:
    """Configurations on the straight line after `start`, up to and with `goal`.

    Args:
        start: Shape (d,).
        goal: Shape (d,).
        step: Largest change of each joint from one to the next, shape (d,).
    """
    count = max(1, int(np.ceil(np.max(np.abs(goal - start) / step) - 1e-9)))
    return [start + (goal - start) * (number / count) for number in range(1, count + 1)]


def is_free(path: Sequence[FloatArray], free: Free) -> bool:
    """Whether all configurations of a path are free; the far end is asked first."""
    return all(free(joints) for joints in reversed(path))


def connect(
    start: FloatArray, goal: FloatArray, free: Free, *, low: FloatArray, high: FloatArray,
    step: FloatArray, random: np.random.Generator, nodes: int = 300,
) -> list[FloatArray]:  # fmt: skip
    """A free path by RRT-Connect (Kuffner & LaValle 2000), shortened by cutting corners.

    Args:
        start: A free configuration, shape (d,).
        goal: A free configuration, shape (d,).
        free: Whether a configuration touches nothing.
        low: Limits, shape (d,).
        high: Limits, shape (d,).
        step: Largest change of each joint between two tested configurations, shape (d,).
        random: Draws the samples.
        nodes: Trees larger than this end the search.

    Returns:
        Corners of the path without `start`; empty where none was found.
    """
    trees: list[list[tuple[FloatArray, int]]] = [[(start, -1)], [(goal, -1)]]
    stride = step * 6
    for turn in itertools.count():
        if sum(map(len, trees)) > nodes or turn > 4 * nodes:
            return []
        here, there = trees[turn % 2], trees[1 - turn % 2]
        grown = _extend(here, random.uniform(low, high), free, step, stride)
        if grown is None:
            continue
        target = here[grown][0]
        while (reached := _extend(there, target, free, step, stride)) is not None:
            if np.allclose(there[reached][0], target):
                halves = [_rooted(here, grown), _rooted(there, reached)]
                from_start, from_goal = halves if turn % 2 == 0 else halves[::-1]
                corners = [*from_start, *from_goal[::-1]]
                return _shortened(corners, free, step, random)[1:]
    return []


def _extend(
    tree: list[tuple[FloatArray, int]], target: FloatArray, free: Free, step: FloatArray,
    stride: FloatArray,
) -> int | None:  # fmt: skip
    """Grow a tree by one stride towards a target; the new node's number, None where blocked."""
    points = np.array([node for node, _ in tree])
    nearest = int(np.argmin((((points - target) / step) ** 2).sum(axis=1)))
    start = tree[nearest][0]
    share = min(1.0, 1.0 / max(float(np.max(np.abs(target - start) / stride)), 1e-9))
    end = start + (target - start) * share if share < 1 else target
    if np.allclose(start, end) or not is_free(between(start, end, step), free):
        return None
    tree.append((end, nearest))
    return len(tree) - 1


def _rooted(tree: list[tuple[FloatArray, int]], node: int) -> list[FloatArray]:
    """Nodes from the root to a node."""
    found = []
    while node >= 0:
        joints, node = tree[node]
        found.append(joints)
    return found[::-1]


def _shortened(
    corners: list[FloatArray], free: Free, step: FloatArray, random: np.random.Generator
) -> list[FloatArray]:
    """The path with detours between corners cut where the straight line is free."""
    for _ in range(20):
        if len(corners) < 3:
            break
        first, last = np.sort(random.choice(len(corners), 2, replace=False))
        if last - first > 1 and is_free(between(corners[first], corners[last], step), free):
            corners = corners[: first + 1] + corners[last:]
    return corners
