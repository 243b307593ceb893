"""Hierarchical chunk attention over a scene: which things a sentence means, by which chunk.

Fine: every thing gets the parts of `believe`, and what the views say about it (close beside the
landmark, the upper or the right one among its like). Down the path: every chunk a thing is in,
corner, room and part of the floor, adds how well what it holds accounts for the sentence. Coarse:
a chunk's relevance is the log-sum of its things, tempered, since what speaks for a chunk speaks
for all things in it at once and would be counted once for each. The belief in a thing is the
softmax over chunks times the softmax inside its chunk (Lampinen et al. 2021, with the mean of
the contents as key); with temperature 1 that is one softmax over all things.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from memory_core.language.directions import Directions, take_floor
from memory_core.semantic.chunks import ROOM, Chunks, chunks_of
from memory_core.semantic.ranking import believe, cover, name_similarity
from memory_core.semantic.scene import Scene
from memory_core.types import Encode, FloatArray, IntArray

ALL = ("entities", "places", "facts", "forest", "attention")
"""What a belief can be made of, in the order in which an ablation adds it."""

_BELIEVED = {
    "entities": ("name", "said", "sentence", "often", "aimed"),
    "places": ("room", "other_rooms", "floor"),
    "facts": ("context",),
}
WEIGHTS = {"beside": 2.0, "higher": 1.0, "righter": 1.0, "accounts": 2.0, "key": 4.0}
TEMPERATURE = 1.2
BET = 2.0
"""Of a few values that at which the tuning houses are likeliest, as for `WEIGHTS`, rounded."""

_MIN_SIMILARITY = 0.4
_HIGHER = re.compile(r"\b(?:upper|top|higher|highest)\b(?! of)")
_LOWER = re.compile(r"\b(?:lower|bottom|lowest)\b(?! of)")
_RIGHT = re.compile(r"\bright\b(?! (?:hand )?(?:side )?of\b)")
_LEFT = re.compile(r"\bleft\b(?! (?:hand )?(?:side )?of\b)")


@dataclass(frozen=True, slots=True)
class Attended:
    """How likely each thing is the one meant, and by way of which chunk.

    Attributes:
        things: Shape (e,), sums to 1; `coarse[chunk] * fine`.
        chunk: The room-sized chunk of each thing, shape (e,).
        coarse: Weight of each such chunk, shape (n,), sums to 1.
        fine: Weight of each thing inside its chunk, shape (e,), sums to 1 in each.
        bet: As `things`, with chunks weighed at the temperature `BET`, shape (e,).
        parts: Weighted parts of the score by name, each of shape (e,).
        paths: For each thing its chunks, widest first, shape (e, levels).
    """

    things: FloatArray
    chunk: IntArray
    coarse: FloatArray
    fine: FloatArray
    bet: FloatArray
    parts: dict[str, FloatArray]
    paths: IntArray

    def standpoints(self, scene: Scene, k: int) -> list[tuple[int, float]]:
        """Standpoints that together see most of the belief: (standpoint, belief added).

        The first is a bet on one place. Whether the sentence speaks of one chunk or another is
        judged on evidence all things of a chunk share, so the bet is made with flatter weights of
        chunks than the belief; those after it cover what the belief holds.
        """
        first = int((self.bet @ scene.sees).argmax())
        left = self.things * (1 - scene.sees[:, first])
        rest = [pair for pair in cover(scene, left, k) if pair[0] != first]
        return [(first, float(self.things @ scene.sees[:, first])), *rest][:k]


def attend(
    scene: Scene,
    directions: Directions,
    encode: Encode | None,
    *,
    chunks: Chunks | None = None,
    parts: Collection[str] = ALL,
) -> Attended:
    """Attend to a scene's things, given a sentence.

    Args:
        scene: The scene.
        directions: The sentence, taken apart.
        encode: Sentences to unit vectors; None compares by spelling alone.
        chunks: The scene's; None for those kept with it.
        parts: Which of `ALL` count; fewer are for an ablation.
    """
    chunks = chunks_of(scene) if chunks is None else chunks
    believed = believe(scene, directions, encode).parts
    used = {name: believed[name] for part in parts for name in _BELIEVED.get(part, ())}
    if "facts" in parts:
        used |= _facts(scene, chunks, directions, encode)
    if "forest" in parts:
        used["accounts"] = _accounts(scene, chunks, directions)
    if "attention" in parts and encode is not None and scene.label_vectors is not None:
        used["key"] = _keys(scene, chunks, directions, encode)
    score = np.sum([np.zeros(len(scene.thing_label)), *used.values()], axis=0)
    chunk = chunks.levels[ROOM].chunk
    attending = "attention" in parts
    coarse, fine = attention(score, chunk, TEMPERATURE if attending else 1.0)
    flatter, _ = attention(score, chunk, BET if attending else 1.0)
    paths = np.stack([level.chunk for level in reversed(chunks.levels)], axis=1)
    return Attended(coarse[chunk] * fine, chunk, coarse, fine, flatter[chunk] * fine, used, paths)


def attention(
    score: FloatArray, chunk: IntArray, temperature: float
) -> tuple[FloatArray, FloatArray]:
    """Weights of chunks, and of things inside their chunk.

    Args:
        score: Of every thing, shape (e,).
        chunk: Of every thing, 0 to n - 1, none empty, shape (e,).
        temperature: Of the softmax over chunks; 1 makes the product one softmax over things.

    Returns:
        Chunk weights, shape (n,), and weights in the chunk, shape (e,).
    """
    count = int(chunk.max()) + 1
    best = np.full(count, -np.inf)
    np.maximum.at(best, chunk, score)
    risen = np.exp(score - best[chunk])
    mass = np.bincount(chunk, risen, count)
    relevance = (best + np.log(mass)) / temperature
    coarse = np.exp(relevance - relevance.max())
    return np.asarray(coarse / coarse.sum()), np.asarray(risen / mass[chunk])


def _facts(
    scene: Scene, chunks: Chunks, directions: Directions, encode: Encode | None
) -> dict[str, FloatArray]:
    """What the views say: close beside the landmark, the upper or right one among its like."""
    _, text = take_floor(directions.text.lower())
    found = {
        "higher": WEIGHTS["higher"] * _sense(text, _HIGHER, _LOWER) * chunks.higher,
        "righter": WEIGHTS["righter"] * _sense(text, _RIGHT, _LEFT) * chunks.righter,
    }
    if directions.landmarks:
        similar = name_similarity(scene, [directions.landmarks[0]], encode)[0]
        telling = similar * (similar > _MIN_SIMILARITY) * scene.rarity
        found["beside"] = WEIGHTS["beside"] * (chunks.beside * telling).max(axis=1)
    return found


def _sense(text: str, more: re.Pattern[str], less: re.Pattern[str]) -> int:
    """1 where a text asks for more of something, -1 for less, 0 for neither or for both."""
    return bool(more.search(text)) - bool(less.search(text))


def _accounts(scene: Scene, chunks: Chunks, directions: Directions) -> FloatArray:
    """How much of what a sentence names is in the chunks a thing is in, mean over the path."""
    said = set(directions.words)
    named = np.array([bool(words) and said.issuperset(words) for words in scene.label_words])
    telling = named * scene.rarity
    path = [np.log1p(level.holds @ telling)[level.chunk] for level in chunks.levels]
    return np.asarray(WEIGHTS["accounts"] * np.mean(path, axis=0))


def _keys(scene: Scene, chunks: Chunks, directions: Directions, encode: Encode) -> FloatArray:
    """How well the keys of corner and room match the whole sentence."""
    query = encode([directions.text])[0]
    near = chunks.levels[: ROOM + 1]
    path = [(level.keys @ query)[level.chunk] for level in near if level.keys is not None]
    return np.asarray(WEIGHTS["key"] * np.mean(path, axis=0))
