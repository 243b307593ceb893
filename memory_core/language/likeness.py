"""What an unfamiliar wording most likely asks: a linear map from its meaning to intents.

The names in a question are masked ("where is the lamp in the room with the piano" whatever it
names), the sentence encoder turns what is left into a vector, and a softmax regression over
examples of every intent says how likely each is. Its weights come with the package; `fit` made
them from `examples.json`: ways of asking that several people wrote down, and the tuning half of
the wordings that questions about simulated houses are asked in; the other half is not among them.

After a change to `examples.json` the weights are made anew (20 s on one core):

    python -m memory_core.answering.guessing
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import pairwise
from pathlib import Path

import numpy as np

from memory_core.language.directions import take_floor
from memory_core.language.frames import FRAMES, SWAPPED
from memory_core.language.phrases import Skeleton, skeleton
from memory_core.types import Encode, FloatArray

SELDOM = 3
"""Words in fewer examples than this are not counted."""
PLAIN = 0.9
"""Chance by its words from which a wording is plain."""

_THINGS = ("lamp", "piano", "clock", "vase")
_ROOMS = ("kitchen", "bedroom")
_SYMBOL = re.compile(r"\b([TR])(\d)\b")
_ROLE = re.compile(r"\{(\w+)\}")
_ROLES = {
    "two_hop_where": ("thing", "anchor"), "two_hop_on": ("support", "anchor"),
    "nearest": ("thing", "anchor"), "farthest": ("thing", "anchor"),
    "order_which_first": ("first", "second"), "order_before": ("first", "second"),
    "order_after_yes": ("first", "second"), "between": ("first", "second"),
}  # fmt: skip
_ALIKE = {"where_then": "where", "room_then": "which_room", "what_then": "describe_room"}


@dataclass(frozen=True, slots=True)
class Weights:
    """A softmax regression.

    Attributes:
        model: Name of the encoder they are good for.
        intents: Names, as in `FRAMES`.
        matrix: Shape (intents, dimension).
        bias: Shape (intents,).
        words: Words and pairs of words that the second regression counts.
        word_matrix: Shape (intents, words).
        word_bias: Shape (intents,).
    """

    model: str
    intents: tuple[str, ...]
    matrix: FloatArray
    bias: FloatArray
    words: tuple[str, ...]
    word_matrix: FloatArray
    word_bias: FloatArray

    def chances(self, vector: FloatArray) -> FloatArray:
        """How likely each intent is for a vector of shape (dimension,); sums to 1."""
        return _softmax(self.matrix @ vector + self.bias)

    def chances_by_word(self, text: str) -> FloatArray:
        """How likely each intent is for a masked wording, by its words; sums to 1."""
        said = set(_words(text))
        counted = np.array([word in said for word in self.words], np.float32)
        return _softmax(self.word_matrix @ counted + self.word_bias)


def _softmax(score: FloatArray) -> FloatArray:
    risen = np.exp(score - score.max())
    return np.asarray(risen / risen.sum())


def _words(text: str) -> list[str]:
    """Words of a text, and neighbours as pairs, with its ends marked."""
    words = ["^", *re.findall(r"[a-z0-9']+", text.lower()), "$"]
    return [*words, *(f"{one} {other}" for one, other in pairwise(words))]


def masked(parts: Skeleton) -> str:
    """A question with its names masked by everyday ones, each name by its own."""

    def name(found: re.Match[str]) -> str:
        names = _THINGS if found[1] == "T" else _ROOMS
        return names[(int(found[2]) - 1) % len(names)]

    return _SYMBOL.sub(name, parts.plain)


def examples() -> list[tuple[str, str]]:
    """Pairs of a masked wording and its intent, from `examples.json`."""
    told: Mapping[str, list[str]] = json.loads(_data("examples.json").decode())
    return [
        _example(_ALIKE.get(intent, intent), template)
        for intent, templates in told.items()
        for template in templates
    ]


def _example(intent: str, template: str) -> tuple[str, str]:
    roles = list(dict.fromkeys(_ROLE.findall(template)))
    order = [role for role in roles if role in _ROLES.get(intent, ())]
    swapped = len(order) == 2 and tuple(order) != _ROLES[intent]
    text = re.sub(r"[, ]*\{time\},?", "", template).strip()
    text = text.replace("{things}", "{thing}s")
    rooms = iter(_ROOMS)
    things = iter(_THINGS)
    slots = {role: next(rooms) if role == "room" else next(things)
             for role in dict.fromkeys(_ROLE.findall(text))}  # fmt: skip
    return masked(skeleton(text.format(**slots).lower())), intent + SWAPPED * swapped


def fit(encode: Encode, *, model: str, strength: float = 100.0) -> Weights:
    """Learn the weights from the examples.

    Args:
        encode: Sentences to unit vectors; what is learned is good for this encoder alone.
        model: Its name.
        strength: Inverse of the ridge on the weights.
    """
    from sklearn.linear_model import LogisticRegression

    texts, intents = zip(*examples(), strict=True)
    fitted = LogisticRegression(C=strength, max_iter=400)
    fitted.fit(encode(texts), intents)
    said = [set(_words(text)) for text in texts]
    often = Counter(word for words in said for word in words)
    words = tuple(sorted(word for word, count in often.items() if count >= SELDOM))
    worded = LogisticRegression(C=1.0, max_iter=400)
    worded.fit(np.array([[word in has for word in words] for has in said], np.float32), intents)
    return Weights(
        model, tuple(str(name) for name in fitted.classes_),
        fitted.coef_.astype(np.float32), fitted.intercept_.astype(np.float32),
        words, worded.coef_.astype(np.float32), worded.intercept_.astype(np.float32),
    )  # fmt: skip


@cache
def learned() -> Weights:
    """The weights that come with the package, for all-MiniLM-L6-v2."""
    from io import BytesIO

    with np.load(BytesIO(_data("intents.npz")), allow_pickle=False) as stored:
        intents = tuple(str(name) for name in stored["intents"])
        return Weights(
            str(stored["model"]), intents, stored["matrix"].astype(np.float32), stored["bias"],
            tuple(str(word) for word in stored["words"]),
            stored["word_matrix"].astype(np.float32), stored["word_bias"],
        )  # fmt: skip


def _data(name: str) -> bytes:
    return (files("memory_core.language") / name).read_bytes()


def plainly(text: str, intent: str) -> bool:
    """Whether the words of a question alone leave no doubt that it has an intent.

    Args:
        text: Lower case; expressions of time already taken out.
        intent: As in `FRAMES`.
    """
    weights = learned()
    if intent not in weights.intents:
        return False
    _, text = take_floor(text)
    chances = weights.chances_by_word(masked(skeleton(text)))
    return bool(chances[weights.intents.index(intent)] >= PLAIN)


def likely(text: str, encode: Encode, *, strict: bool = False) -> tuple[Skeleton, dict[str, float]]:
    """A question's names, and how likely each intent that they fill is.

    Args:
        text: Lower case; expressions of time already taken out.
        encode: Sentences to unit vectors by the encoder that the weights were learned with.
        strict: Whether only what surely is one is taken for a name.
    """
    _, text = take_floor(text)
    parts = skeleton(text, strict=strict)
    weights = learned()
    vector = encode([masked(parts)])[0]
    chances = weights.chances(vector)
    told = {
        intent: float(chance)
        for intent, chance in zip(weights.intents, chances, strict=True)
        if _filled(intent, parts)
    }
    return parts, dict(sorted(told.items(), key=lambda item: -item[1]))


def _filled(intent: str, parts: Skeleton) -> bool:
    """Whether the names of a question are as many as an intent wants."""
    frame = FRAMES.get(intent.rstrip(SWAPPED))
    if frame is None or frame.kind in ("property", "need"):
        return True
    return len(parts.things) == len(frame.roles) and len(parts.rooms) == int(frame.room)


def save(weights: Weights, path: Path) -> None:
    """Write weights as `learned` reads them; half precision, which halves the file.

    Args:
        weights: As `fit` gives them.
        path: Where to.
    """
    np.savez_compressed(
        path,
        model=weights.model,
        intents=np.array(weights.intents),
        matrix=weights.matrix.astype(np.float16),
        bias=weights.bias,
        words=np.array(weights.words),
        word_matrix=weights.word_matrix.astype(np.float16),
        word_bias=weights.word_bias,
    )
