"""What attention over a stored memory found, from chunks down to rows, and what it took."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from memory_core.types import FloatArray, IntArray


@dataclass(frozen=True, slots=True)
class Work:
    """What an answer took, counted: the arithmetic of attention does not depend on the machine.

    Attributes:
        multiply_adds: Of numbers of rows, keys and centroids, for relevance and for the output.
        bytes: Read of rows, keys, centroids, kernels' inputs and masks.
    """

    multiply_adds: int = 0
    bytes: int = 0

    def __add__(self, other: Work) -> Work:
        """Both together."""
        return Work(self.multiply_adds + other.multiply_adds, self.bytes + other.bytes)


@dataclass(frozen=True, slots=True, eq=False)
class HeadAttention:
    """Where one query looked, from the chunks down to the rows.

    Attributes:
        chunks: Shape (c,), the kept chunks, most relevant first.
        relevance: Shape (c,), their coarse relevance.
        chunk_weights: Shape (c,), sum 1.
        starts: Shape (c + 1,); the rows of `chunks[j]` are at `starts[j]:starts[j + 1]`.
        rows: Shape (r,), every allowed row of the kept chunks.
        inside: Shape (r,), the weight of each row in its chunk; sums to 1 in each chunk.
        weights: Shape (r,), `chunk_weights[j] * inside`; sums to 1.
        output: Shape (d,), the weighted sum of the rows.
    """

    chunks: IntArray
    relevance: FloatArray
    chunk_weights: FloatArray
    starts: IntArray
    rows: IntArray
    inside: FloatArray
    weights: FloatArray
    output: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Attended:
    """What all heads looked at together.

    Attributes:
        rows: Shape (r,), each row once, the one with the most weight first.
        weights: Shape (r,), mean over the heads; sums to 1, or is empty.
        chunks: Shape (c,), each kept chunk once, the one with the most weight first.
        chunk_weights: Shape (c,), mean over the heads; sums to 1, or is empty.
        heads: One entry a head.
        work: What it took.
    """

    rows: IntArray
    weights: FloatArray
    chunks: IntArray
    chunk_weights: FloatArray
    heads: tuple[HeadAttention, ...]
    work: Work


def together(parts: Sequence[tuple[IntArray, FloatArray]]) -> tuple[IntArray, FloatArray]:
    """Numbers and weights of several heads as each number once with its mean weight."""
    numbers, where = np.unique(np.concatenate([part[0] for part in parts]), return_inverse=True)
    weights = np.concatenate([part[1] for part in parts]) / len(parts)
    total = np.bincount(where.reshape(-1), weights=weights, minlength=len(numbers))
    order = np.argsort(-total, kind="stable")
    return np.asarray(numbers[order]), np.asarray(total[order], np.float64)
