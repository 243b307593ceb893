"""What kind of room a place is, from the things that stand there and what was said about it.

Naive Bayes over labels: each label adds the log-odds of being found in a kind of room rather
than in the average kind, as general knowledge of rooms (`language.rooms`) has it by word and,
through the text encoder, by meaning. Many labels are damped, because things in one room are not
independent of each other.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from memory_core.errors import DimensionMismatch
from memory_core.language.lexicon import match, words_of
from memory_core.language.rooms import (
    NAMES,
    ROOM_KINDS,
    TELLING,
    TELLING_PAIRS,
    room_named,
)
from memory_core.types import Encode, FloatArray

UNLIKELY = 0.06
TELLING_GAIN = 3.0
SCALE = 1.4
DAMPING = 0.15
SAME_WORD = 0.75
NAMED_LOGIT = 5.0
PASSAGE_LOGIT = 4.0
COMMON_NAME = {"family room": "living room", "lounge": "living room"}
"""Kinds that the same things fill: which one a household means by each, things cannot tell."""

_TIE = 1e-9
_PRIOR = np.array([kind.prior for kind in ROOM_KINDS])
_HALLWAY = np.array([kind.name == "hallway" for kind in ROOM_KINDS], np.float64)
_BEFORE_ANYTHING = np.exp(_PRIOR) / np.exp(_PRIOR).sum()


class KindModel:
    """Beliefs over kinds of rooms; what a label says is worked out once and kept."""

    def __init__(self, encode: Encode | None) -> None:
        """Take the text encoder.

        Args:
            encode: Sentences to unit vectors; None compares labels by spelling alone.
        """
        self._encode = encode
        self._typical = [[words_of(thing) for thing in kind.things] for kind in ROOM_KINDS]
        self._typical_vectors: list[FloatArray] | None = None
        self._odds: dict[str, FloatArray] = {}

    def odds(self, labels: Sequence[str]) -> FloatArray:
        """What each label says about each kind, in nats, telling labels louder.

        Args:
            labels: l labels.

        Returns:
            Shape (r, l), r the number of kinds in `language.rooms.NAMES`.
        """
        new = [label for label in dict.fromkeys(labels) if label not in self._odds]
        if new:
            affinity = self._affinity(new)
            odds = np.log((affinity + UNLIKELY) / (affinity.mean(axis=0) + UNLIKELY))
            self._odds.update(zip(new, odds.T, strict=True))
        if not labels:
            return np.empty((len(ROOM_KINDS), 0))
        return np.stack([self._odds[label] for label in labels], axis=1)

    def belief(
        self,
        label_weights: FloatArray,
        labels: Sequence[str],
        *,
        named: FloatArray | None = None,
        passage: bool = False,
    ) -> FloatArray:
        """Belief over the kinds of rooms.

        Args:
            label_weights: How surely each label is in each of n rooms, 0 to 1, shape (n, l).
            labels: The l labels.
            named: Share of what was said in a room that calls it by a kind, shape (n, r); see
                `kinds_named`.
            passage: Whether they are long and narrow, and lead to other rooms.

        Returns:
            Shape (n, r), rows sum to 1.

        Raises:
            DimensionMismatch: The shapes do not fit each other.
        """
        weights = np.asarray(label_weights, np.float64)
        if weights.ndim != 2 or weights.shape[1] != len(labels):
            raise DimensionMismatch(
                f"label weights have shape {weights.shape}; expected (n, {len(labels)})"
            )
        evidence = weights * np.array([TELLING_GAIN if is_telling(x) else 1.0 for x in labels])
        logits = evidence @ self.odds(labels).T
        logits /= np.sqrt(1 + DAMPING * evidence.sum(axis=1, keepdims=True))
        logits = SCALE * logits + _PRIOR
        if named is not None:
            logits = logits + NAMED_LOGIT * np.asarray(named, np.float64)
        if passage:
            logits = logits + PASSAGE_LOGIT * _HALLWAY
        belief = np.exp(logits - logits.max(axis=1, keepdims=True))
        return np.asarray(belief / belief.sum(axis=1, keepdims=True))

    def _affinity(self, labels: Sequence[str]) -> FloatArray:
        """How well each label fits each kind, by word and by meaning, 0 to 1, shape (r, l)."""
        words = [words_of(label) for label in labels]
        by_word = np.array([
            [max(match(label, thing) for thing in typical) for label in words]
            for typical in self._typical
        ])  # fmt: skip
        by_word[by_word < SAME_WORD] = 0
        if self._encode is None:
            return by_word
        vectors = self._encode(list(labels))
        if self._typical_vectors is None:
            self._typical_vectors = [self._encode(kind.things) for kind in ROOM_KINDS]
        cosine = np.array([(vectors @ known.T).max(axis=1) for known in self._typical_vectors])
        return np.asarray(np.maximum(by_word, 0.9 * np.clip((cosine - 0.5) / 0.5, 0, 1)))


def likeliest(belief: FloatArray) -> tuple[str, float]:
    """The likeliest kind and the belief in it; kinds with a common name count together.

    Args:
        belief: Shape (r,), summing to 1.

    Returns:
        Its name, "" where nothing speaks for any kind, and the belief, 0 to 1.
    """
    if np.abs(belief - _BEFORE_ANYTHING).max() < _TIE:
        return "", 0.0
    total: dict[str, float] = {}
    for name, share in zip(NAMES, belief.tolist(), strict=True):
        common = COMMON_NAME.get(name, name)
        total[common] = total.get(common, 0.0) + share
    best = max(total, key=lambda name: total[name])
    return best, total[best]


def kinds_named(texts: Sequence[str]) -> FloatArray:
    """How large a share of some texts calls their place by each kind ("a kitchen with ...").

    Args:
        texts: Captions and notes made in one place.

    Returns:
        Shape (r,), each 0 to 1; zeros without texts.
    """
    named = np.zeros(len(ROOM_KINDS))
    for text in texts:
        words = words_of(text)
        ends = range(1, len(words) + 1)
        found = {room_named(words[max(0, end - 2) : end]) for end in ends} - {None}
        for kind in found:
            named[int(kind or 0)] += 1
    return named / max(1, len(texts))


def is_telling(label: str) -> bool:
    """Whether a label all but settles the kind of a room."""
    words = words_of(label)
    return bool(words) and (words[-1] in TELLING or " ".join(words) in TELLING_PAIRS)
