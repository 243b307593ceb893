"""What meets a need: "somewhere I could wash my hands" is a washbasin.

The need is compared by meaning with many activities (`language.affordances`); the nearest ones
say which things serve it. Activities that need something this memory never saw compete with the
others, so that a need for a swimming pool is not answered with a bathtub.
"""

from __future__ import annotations

import re

import numpy as np

from memory_core.answering import wording
from memory_core.answering.absence import moved_on
from memory_core.answering.grounding import Context, in_time, of_kind, seen, thing_evidence, views
from memory_core.answering.parts import make, name_of, when_said, whereabouts
from memory_core.answering.things import seen_best
from memory_core.language.affordances import AFFORDANCES, Affordance
from memory_core.language.lexicon import words_of
from memory_core.semantic.scene import Scene
from memory_core.types import Answer, Encode, FloatArray, IntArray

SIMILAR = 0.4
AS_NEAR = 0.06
_FILLER = re.compile(
    r"^(?:(?:something|somewhere|someplace|anything|anywhere|some place|(?:a|an|the|some) (?:[a-z]+ )?(?:place|spot|thing|way|"
    r"room|object|item|means)) )?(?:(?:where|that|which|in which|on which|so) )?(?:(?:i|we|one|you) )?(?:(?:can|could|might|would) )?"
    r"(?:(?:go|be able) )?(?:to )?"
)
_PHRASES = [
    (number, phrase) for number, entry in enumerate(AFFORDANCES) for phrase in entry.phrases
]
_LABELS = [(number, label) for number, entry in enumerate(AFFORDANCES) for label in entry.things]


def answer_need(context: Context) -> Answer:
    """The nearest fitting thing for a need; abstains where nothing known serves it."""
    scene, need = context.scene, context.question.things[0]
    if scene is None:
        return _none(need)
    for entry in _nearest(need, context.encode):
        things = _serving(context, scene, entry)
        if len(things):
            return _told(context, scene, things)
        break
    return _none(need)


def _none(need: str) -> Answer:
    return Answer(f"I know nothing that would do for {need}.", "need", abstained=True)


def activity(need: str) -> str:
    """A need without its opening: "somewhere I could wash my hands" → "wash my hands"."""
    return _FILLER.sub("", need.lower()).strip() or need


def _nearest(need: str, encode: Encode | None) -> list[Affordance]:
    """Activities as near to a need as the nearest, best first; empty where none is near."""
    score = _by_words(need) if encode is None else _by_meaning(need, encode)
    best = float(score.max())
    if best < SIMILAR:
        return []
    order = np.argsort(-score, kind="stable")
    return [AFFORDANCES[int(n)] for n in order if score[n] >= best - AS_NEAR]


def _by_meaning(need: str, encode: Encode) -> FloatArray:
    said = [need, activity(need)]
    known = [phrase for _, phrase in _PHRASES]
    vectors = encode([*said, *known])
    likeness = (vectors[len(said) :] @ vectors[: len(said)].T).max(axis=1)
    score = np.zeros(len(AFFORDANCES))
    for (number, _), value in zip(_PHRASES, likeness.tolist(), strict=True):
        score[number] = max(score[number], value)
    named = _by_words(need, _LABELS)
    return np.asarray(np.maximum(score, 0.9 * (named >= 1.0)))


def _by_words(need: str, known: list[tuple[int, str]] | None = None) -> FloatArray:
    """Share of the words of an activity's best phrase that a need contains, by activity."""
    said = set(words_of(need))
    score = np.zeros(len(AFFORDANCES))
    for number, phrase in known or _PHRASES:
        words = set(words_of(phrase)) - {"a", "the", "my", "i", "to", "in", "of", "for"}
        if words:
            score[number] = max(score[number], len(words & said) / len(words))
    return score


def _serving(context: Context, scene: Scene, entry: Affordance) -> IntArray:
    """Things that serve an activity and are still there, the kind that serves it best first."""
    for label in entry.things:
        fits = np.flatnonzero(of_kind(scene, label) & seen(context, scene))
        fits = fits[~moved_on(scene, fits)]
        if len(fits):
            best = seen_best(scene, fits, np.ones(len(scene.stored), bool), None)
            return np.concatenate([fits[[best]], np.delete(fits, best)])
    return np.empty(0, np.int64)


def _told(context: Context, scene: Scene, things: IntArray) -> Answer:
    keep = in_time(context, scene)
    items = [
        thing_evidence(scene, int(t), int(views(scene, int(t), keep)[-1]), 1.0) for t in things
    ]
    target = int(things[0])
    at = f", at {wording.position(items[0].position)}" if items[0].position is not None else ""
    text = (
        f"The {name_of(scene, target)} {whereabouts(context, scene, target)}{at}; last seen "
        f"{when_said(context, items[0].observation.stamp_ns)}."
    )
    return make(context, text, items)
