"""Inverted lists over the keys of chunks, so that not even every key has to be compared.

Lists are chunks of chunks: keys alike lie in one list, each list has a centroid, and a query looks
only into the lists whose centroids suit it best, until it has seen as many keys as it may. Keys
that came since the last filing are looked at always, so nothing is ever missed for being new.
"""

from __future__ import annotations

from copy import copy

import numpy as np

from memory_core.attention.rows import BoolArray
from memory_core.types import FloatArray, IntArray

_ROUNDS = 8
_SAMPLES_PER_LIST = 32
_LISTS_PER_ROOT = 4
NEW_SHARE = 64
_RETRAIN_GROWTH = 4
_BLOCK = 16_384


class KeyLists:
    """Spherical k-means lists over keys that only grow in number.

    Filing a key costs one comparison with every centroid, O(√keys); the lists are sorted anew
    after each 1/64 of growth and trained anew after each fourfold growth, so both cost a constant
    number of passes per key in the long run.

    Attributes:
        centroids: Shape (lists, d), float32, rows of length 1.
        filed: How many of the first keys lie in lists.
    """

    def __init__(self, *, seed: int = 0) -> None:
        """Begin without lists.

        Args:
            seed: Of the choice of the keys that centroids begin from.
        """
        self.centroids: FloatArray = np.empty((0, 0), np.float32)
        self.filed = 0
        self._chance = np.random.default_rng(seed)
        self._trained_on = 0
        self._list_of: IntArray = np.empty(0, np.int64)
        self._members: IntArray = np.empty(0, np.int64)
        self._starts = np.zeros(1, np.int64)

    def updated(self, keys: FloatArray) -> KeyLists:
        """Lists with what has come filed, if it is enough to be worth sorting them anew.

        These stay as they are, so that a question may go on reading them.

        Args:
            keys: Shape (n, d), float32; the first `filed` are those of the last call.
        """
        lists = copy(self)
        lists._update(keys)
        return lists

    def _update(self, keys: FloatArray) -> None:
        count = len(keys)
        if not count:
            return
        if count >= _RETRAIN_GROWTH * self._trained_on:
            self._train(keys)
            self._list_of = self._nearest(keys)
        elif (count - self.filed) * NEW_SHARE > self.filed:
            self._list_of = np.concatenate([self._list_of, self._nearest(keys[self.filed :])])
        else:
            return
        self.filed = count
        self._members = np.argsort(self._list_of, kind="stable")
        sizes = np.bincount(self._list_of, minlength=len(self.centroids))
        self._starts = np.concatenate([[0], np.cumsum(sizes)])

    def members(self, number: int) -> IntArray:
        """Numbers of the keys in one list."""
        return self._members[self._starts[number] : self._starts[number + 1]]

    def candidates(
        self, query: FloatArray, budget: int, *, bias: FloatArray | None, valid: BoolArray | None
    ) -> IntArray:
        """Filed keys worth comparing with a query, whole lists at a time, best lists first.

        Args:
            query: Shape (d,), times the inverse temperature.
            budget: Lists are opened until they hold so many valid keys.
            bias: Shape (filed,): what is added to the relevance of each key; a list counts with
                the highest of its keys, so a near place is found whatever it looks like.
            valid: Shape (filed,), bool: which keys may be returned.

        Returns:
            Numbers of keys, each once.
        """
        relevance = self.centroids @ query
        sizes = np.diff(self._starts)
        filled = np.flatnonzero(sizes)
        if bias is not None:
            highest = np.maximum.reduceat(bias[self._members], self._starts[filled])
            relevance[filled] += highest
        if valid is not None:
            counts = np.add.reduceat(valid[self._members].astype(np.int64), self._starts[filled])
            sizes = np.zeros_like(sizes)
            sizes[filled] = counts
        best = np.argsort(-relevance)
        enough = int(np.searchsorted(np.cumsum(sizes[best]), budget)) + 1
        opened = [part for part in best[:enough] if sizes[part]]
        if not opened:
            return np.empty(0, np.int64)
        found = np.concatenate([self.members(part) for part in opened])
        return found if valid is None else found[valid[found]]

    def _train(self, keys: FloatArray) -> None:
        """Spherical k-means (Dhillon and Modha 2001) on a sample of the keys."""
        count = max(1, min(len(keys), int(_LISTS_PER_ROOT * np.sqrt(len(keys)))))
        size = min(len(keys), _SAMPLES_PER_LIST * count)
        sample = _unit(keys[np.sort(self._chance.choice(len(keys), size, replace=False))])
        self.centroids = sample[self._chance.choice(size, count, replace=False)]
        for _ in range(_ROUNDS):
            nearest = self._nearest(sample)
            order = np.argsort(nearest, kind="stable")
            filled, starts = np.unique(nearest[order], return_index=True)
            self.centroids[filled] = _unit(np.add.reduceat(sample[order], starts, axis=0))
        self._trained_on = len(keys)

    def _nearest(self, keys: FloatArray) -> IntArray:
        """The list of each key, shape (n,)."""
        parts = [
            np.argmax(keys[start : start + _BLOCK] @ self.centroids.T, axis=1)
            for start in range(0, len(keys), _BLOCK)
        ]
        return np.concatenate(parts) if parts else np.empty(0, np.int64)


def _unit(rows: FloatArray) -> FloatArray:
    lengths = np.linalg.norm(rows, axis=-1, keepdims=True)
    return np.asarray(rows / np.maximum(lengths, 1e-12), np.float32)
