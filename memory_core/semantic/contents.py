"""What is in a place, summed up as observations come: labels, words, their mean vector."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from memory_core.episodic.records import Record
from memory_core.types import FloatArray

MAX_LABELS = 200
MAX_TEXTS = 4
NEARBY_M = 4.0
_NAMED = 12


@dataclass(slots=True)
class Content:
    """The content of one place.

    Attributes:
        labels: How surely each label is here: the nearest sighting's exp(-(distance / 4 m)²).
        texts: The first few different captions and notes.
        observations: How many were made here.
        total: Sum of their text vectors, shape (d,), float64; None where nothing was said.
        told: Observations and text when the forest last heard of it.
    """

    labels: dict[str, float] = field(default_factory=dict)
    texts: list[str] = field(default_factory=list)
    observations: int = 0
    total: FloatArray | None = None
    told: tuple[int, str] = (0, "")

    def news(self) -> bool:
        """Whether it has changed enough since this last said so for the forest to hear of it.

        A mean of many observations hardly moves with one more: it is told again when there are
        a quarter more, and whenever its words change.
        """
        observations, text = self.told
        if self.observations < max(observations + 1, 1.25 * observations) and text == self.text:
            return False
        self.told = (self.observations, self.text)
        return True

    def add(self, seen: Mapping[str, float], text: str | None, vector: FloatArray | None) -> None:
        """Take in one observation.

        Args:
            seen: Labels with the distance of the nearest of their kind, metres.
            text: What was said of it.
            vector: Of its words, unit length, shape (d,).
        """
        self.observations += 1
        for label, distance in seen.items():
            self.labels[label] = max(self.labels.get(label, 0.0), nearness(distance))
        if len(self.labels) > MAX_LABELS:
            self.labels = dict(Counter(self.labels).most_common(MAX_LABELS * 3 // 4))
        if text and text not in self.texts and len(self.texts) < MAX_TEXTS:
            self.texts.append(text)
        if vector is not None:
            given = np.asarray(vector, np.float64)
            self.total = given if self.total is None else self.total + given

    @property
    def text(self) -> str:
        """The captions, then what is seen here, nearest first."""
        near = [label for label, _ in Counter(self.labels).most_common(_NAMED)]
        said = " ".join(self.texts)
        return f"{said} {', '.join(near)}".strip()

    @property
    def vector(self) -> FloatArray | None:
        """Direction of the mean of what was said, shape (d,); None without words."""
        if self.total is None:
            return None
        length = float(np.linalg.norm(self.total))
        return np.asarray(self.total / length, np.float32) if length > 0 else None

    def record(self, number: int) -> Record:
        """As it is stored."""
        body = {
            "labels": self.labels, "texts": self.texts, "observations": self.observations,
            "told": list(self.told),
        }  # fmt: skip
        return Record("content", number, body, self.total)

    @classmethod
    def of(cls, record: Record) -> Content:
        """As it was stored."""
        body = record.body
        total = None if record.vector is None else np.asarray(record.vector, np.float64)
        count, text = body["told"]
        return cls(
            dict(body["labels"]), list(body["texts"]), body["observations"], total, (count, text)
        )


def nearness(distance_m: float) -> float:
    """How surely what is seen from a place is in it: exp(-(distance / 4 m)²)."""
    return float(np.exp(-((distance_m / NEARBY_M) ** 2)))
