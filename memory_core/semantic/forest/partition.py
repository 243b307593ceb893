"""Which children belong together: the two local decisions that lower Dasgupta's cost (2016)."""

from __future__ import annotations

import functools

import numpy as np

from memory_core.types import BoolArray, FloatArray, IntArray


@functools.cache
def _halvings(n: int, smallest: int) -> FloatArray:
    """All ways to part n things in two, one a row of 0 and 1; the first is always on side 0."""
    rows = (np.arange(2 ** (n - 1))[:, None] >> np.arange(n)[None]) & 1
    sizes = rows.sum(axis=1)
    return np.asarray(rows[(sizes >= smallest) & (sizes <= n - smallest)], np.float64)


def sparsest_cut(weights: FloatArray, counts: IntArray, *, smallest: int) -> BoolArray:
    """The cut with the least mean similarity across it, over all cuts.

    Args:
        weights: Summed similarity between things, shape (n, n), n at most about 16.
        counts: Leaves of each, shape (n,).
        smallest: How few things a side may have.

    Returns:
        Which things are on the second side, shape (n,).
    """
    sides = _halvings(len(counts), smallest)
    across = np.einsum("si,ij,sj->s", sides, weights, 1 - sides, optimize=True)
    second = sides @ counts
    best = int(np.argmin(across / (second * (counts.sum() - second))))
    return np.asarray(sides[best] > 0)


def settle(
    weights: FloatArray, counts: IntArray, groups: IntArray, *, smallest: int, largest: int
) -> IntArray:
    """Move things between groups, the best move first, until no move lowers the cost.

    A pair inside a group of m leaves costs m times its similarity, a pair across costs the count
    of all: moving is worth what Σ (all - m) · weight inside gains.

    Args:
        weights: Summed similarity between things, shape (n, n), 0 on the diagonal.
        counts: Leaves of each, shape (n,).
        groups: The group of each, 0 to g - 1, shape (n,).
        smallest: How few things a group may have.
        largest: How many.

    Returns:
        The group of each, shape (n,).
    """
    groups = np.array(groups)
    number = int(groups.max()) + 1
    everything = int(counts.sum())
    things = np.arange(len(groups))
    for _ in range(2 * len(groups)):
        member = np.equal(groups[:, None], np.arange(number)[None]).astype(np.float64)
        sizes, leaves = member.sum(axis=0), counts @ member
        ties = weights @ member
        inside = (member * ties).sum(axis=0) / 2
        worth = (everything - leaves) * inside
        stay = ties[things, groups]
        without = (everything - leaves[groups] + counts) * (inside[groups] - stay)
        joined = (everything - leaves[None] - counts[:, None]) * (inside[None] + ties)
        gain = (joined - worth[None]) + (without - worth[groups])[:, None]
        gain[things, groups] = -np.inf
        gain[:, sizes >= largest] = -np.inf
        gain[sizes[groups] <= smallest] = -np.inf
        thing, group = np.unravel_index(int(np.argmax(gain)), gain.shape)
        if not gain[thing, group] > 1e-9 * max(1.0, float(worth.sum())):
            break
        groups[thing] = group
    return groups
