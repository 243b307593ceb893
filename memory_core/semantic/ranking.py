"""Which thing, and which standpoint, a sentence means: a belief over the things of a scene.

Every thing gets a sum of interpretable parts (what it is called, the room it is in, the floor,
what stands beside it); the softmax of the sum is the belief. Standpoints are then chosen one
after the other, each time the one that sees most of the belief not yet covered. Weights were
fitted once by a conditional logit on six houses and rounded by hand; see docs/evaluation.md.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from memory_core.language.directions import TOP, Directions
from memory_core.language.lexicon import match, words_of
from memory_core.language.rooms import NAMES
from memory_core.semantic.scene import Scene
from memory_core.types import Encode, FloatArray, IntArray

WEIGHTS = {
    "name": 4.5,
    "said": 2.7,
    "sentence": 4.2,
    "room": 1.0,
    "other_rooms": 1.9,
    "floor": 2.8,
    "landmark": 2.0,
    "context": 2.4,
    "often": 0.5,
    "aimed": 3.0,
}
_ALIKE = {
    ("living room", "family room"): 0.6,
    ("living room", "lounge"): 0.6,
    ("family room", "lounge"): 0.6,
    ("hallway", "entryway"): 0.5,
    ("hallway", "staircase"): 0.5,
    ("theater", "family room"): 0.4,
    ("meeting room", "office"): 0.4,
    ("storage", "laundry room"): 0.4,
    ("game room", "family room"): 0.3,
    ("entryway", "staircase"): 0.3,
    ("bar", "kitchen"): 0.3,
    ("bar", "lounge"): 0.3,
    ("spa", "bathroom"): 0.3,
    ("dining room", "kitchen"): 0.2,
    ("closet", "bedroom"): 0.15,
}
_MIN_SIMILARITY = 0.4


@dataclass(frozen=True, slots=True)
class Belief:
    """How likely each thing of a scene is the one meant.

    Attributes:
        things: Shape (e,), sums to 1.
        parts: Weighted parts of the score by name, each of shape (e,).
    """

    things: FloatArray
    parts: dict[str, FloatArray]

    def best(self, k: int) -> IntArray:
        """The k likeliest things, best first."""
        return np.argsort(-self.things, kind="stable")[:k]


def soft(cosine: FloatArray) -> FloatArray:
    """Cosines to [0, 1]: below 0.3 two phrases have nothing in common."""
    return np.asarray(np.clip((cosine - 0.3) / 0.7, 0, 1))


def name_similarity(scene: Scene, phrases: list[str], encode: Encode | None) -> FloatArray:
    """How well each phrase names each label, by word or by meaning, shape (phrases, labels)."""
    spelled = np.array(
        [[match(words_of(phrase), label) for label in scene.label_words] for phrase in phrases]
    )
    if encode is None or scene.label_vectors is None:
        return spelled
    return np.asarray(np.maximum(spelled, 0.9 * soft(encode(phrases) @ scene.label_vectors.T)))


def believe(scene: Scene, directions: Directions, encode: Encode | None) -> Belief:
    """The belief over a scene's things, given a sentence.

    Args:
        scene: The scene.
        directions: The sentence, taken apart.
        encode: Sentences to unit vectors; None compares by spelling alone.
    """
    parts: dict[str, FloatArray] = {name: np.zeros(len(scene.thing_label)) for name in WEIGHTS}
    by_label = _label_parts(scene, directions, encode)
    for name, values in by_label.items():
        parts[name] = values[scene.thing_label]
    if directions.room is not None:
        here = np.clip(scene.room @ _alike(directions.room), 0, 1)
        parts["room"] = np.log(here + 0.02)
    if directions.other_rooms:
        around = [np.clip(scene.around @ _alike(kind), 0, 1) for kind in directions.other_rooms[:3]]
        parts["other_rooms"] = np.mean([np.log(belief + 0.05) for belief in around], axis=0)
    if directions.floor is not None and len(scene.floor_heights):
        top = len(scene.floor_heights) - 1
        wanted = top if directions.floor == TOP else min(directions.floor - 1, top)
        parts["floor"] = -np.abs(scene.thing_floor - wanted).astype(np.float64)
    _add_surroundings(scene, directions, encode, parts)
    parts["often"] = np.log(scene.sees.sum(axis=1))
    parts["aimed"] = scene.aimed.astype(np.float64)
    weighted: dict[str, FloatArray] = {
        name: WEIGHTS[name] * values for name, values in parts.items()
    }
    score = np.sum(list(weighted.values()), axis=0)
    belief = np.exp(score - score.max())
    return Belief(belief / belief.sum(), weighted)


def _label_parts(
    scene: Scene, directions: Directions, encode: Encode | None
) -> dict[str, FloatArray]:
    """Parts that depend on the label alone, each of shape (l,)."""
    target = directions.target or directions.text
    said = set(directions.words)
    share = [len(set(w) & said) / len(set(w)) if w else 0.0 for w in scene.label_words]
    parts = {"said": np.array(share)}
    if encode is not None and scene.label_vectors is not None:
        cosines = encode([target, directions.text]) @ scene.label_vectors.T
        parts |= {"name": soft(cosines[0]), "sentence": soft(cosines[1])}
    else:
        parts["name"] = name_similarity(scene, [target], None)[0]
    return parts


def _add_surroundings(
    scene: Scene, directions: Directions, encode: Encode | None, parts: dict[str, FloatArray]
) -> None:
    phrases = [*directions.landmarks, *directions.context]
    if not phrases:
        return
    similar = name_similarity(scene, phrases, encode)
    similar = similar * (similar > _MIN_SIMILARITY) * scene.rarity
    for place, row in enumerate(similar):
        parts["context"] = parts["context"] + (scene.near * row).max(axis=1)
        if place == 0 and directions.landmarks:
            parts["landmark"] = (scene.tight * row).max(axis=1)


def _alike(kind: int) -> FloatArray:
    """How much each kind of room counts where `kind` was said, shape (r,)."""
    weights = np.zeros(len(NAMES))
    weights[kind] = 1.0
    for (first, second), share in _ALIKE.items():
        if NAMES[kind] == first:
            weights[NAMES.index(second)] = share
        elif NAMES[kind] == second:
            weights[NAMES.index(first)] = share
    return weights


def cover(scene: Scene, belief: FloatArray, k: int) -> list[tuple[int, float]]:
    """Standpoints that together see most of a belief, greedily: (standpoint, belief added).

    Args:
        scene: The scene.
        belief: Shape (e,), sums to 1.
        k: At most this many.
    """
    left = belief.astype(np.float64).copy()
    chosen: list[tuple[int, float]] = []
    open_ = np.ones(scene.sees.shape[1], bool)
    for _ in range(min(k, scene.sees.shape[1])):
        mass = np.where(open_, left @ scene.sees, -1.0)
        standpoint = int(mass.argmax())
        chosen.append((standpoint, float(mass[standpoint])))
        open_[standpoint] = False
        left = left * (1 - scene.sees[:, standpoint])
    return chosen
