"""What labels make one expect of two things: what stands on, in, under and is part of what.

General knowledge of indoor things, written by hand, for where positions alone cannot decide: a
cup is on a table, not a table on a cup. Words are lemmas as `language.lexicon.words_of` gives
them; a label is known by its head, its last word.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

from memory_core.language.lexicon import lemma, words_of
from memory_core.types import Vector3

SURE, LIKELY, POSSIBLE, RARE = 0.9, 0.7, 0.3, 0.05


def _lemmas(text: str) -> frozenset[str]:
    return frozenset(lemma(word) for word in text.split())


SUPPORTS = _lemmas(
    "table desk countertop nightstand dresser shelf bed couch chair armchair bench ottoman stool "
    "cabinet sideboard buffet stove washbasin mantle windowsill ledge island tray stand credenza "
    "piano workbench trolley cart fridge microwave washer dryer dishwasher bookcase worktop rack console chest floor "
    "rug mat carpet box bathtub toilet fireplace"
)
FLOOR_COVERS = _lemmas("rug mat floor carpet doormat")
CONTAINERS = _lemmas(
    "drawer box basket trashcan sink bathtub bowl bag pot vase shelf bookcase crate bin bucket "
    "tray cup rack fireplace hamper"
)
BOARDS = _lemmas("shelf bookcase rack")
"""Furniture that things stand inside of, one board above the other."""

CLOSED = _lemmas("cabinet fridge wardrobe closet dishwasher microwave washer dryer chest suitcase")
"""Containers that hide what is in them while they are shut."""

OPEN_BELOW = _lemmas("table desk bed chair bench stool piano couch armchair stand island console")
HANGING = _lemmas(
    "picture painting mirror chandelier light clock shelf hood fan sconce vent tv window curtain "
    "whiteboard board calendar lantern airconditioner thermostat speaker camera pendant"
)
FURNITURE = _lemmas(
    "table desk countertop nightstand dresser bed couch chair armchair bench ottoman stool "
    "cabinet sideboard buffet stove island fridge wardrobe bathtub toilet washer dryer piano "
    "workbench "
    "bookcase rug fireplace door window wall floor ceiling stair column curtain railing"
)
BACKED: dict[str, float] = {
    lemma(name): depth
    for names, depth in {
        "bed couch": 0.6,
        "chair armchair bench toilet": 0.6,
        "stove": 0.25,
    }.items()
    for name in names.split()
}
"""How far below its highest point, as a share of its height, the surface of a thing may lie."""

PARTS: dict[str, frozenset[str]] = {
    lemma(part): _lemmas(wholes)
    for part, wholes in {
        "handle": "door cabinet drawer fridge dresser wardrobe window oven cup pan",
        "knob": "door cabinet drawer stove dresser",
        "drawer": "cabinet dresser desk nightstand table chest",
        "door": "",
        "frame": "",
        "leg": "table chair desk bed stool",
        "mantle": "fireplace",
        "railing": "stair balcony",
        "headboard": "bed",
        "faucet": "sink bathtub shower washbasin",
        "shade": "",
        "lid": "toilet pot trashcan box piano",
        "seat": "",
        "backrest": "chair bench couch",
        "armrest": "chair couch armchair",
        "cushion": "couch armchair chair bench",
        "sill": "window",
        "windowsill": "window",
        "step": "stair",
        "burner": "stove",
        "mattress": "bed",
    }.items()
}  # fmt: skip
TYPICAL_SIZE: dict[str, Vector3] = {
    lemma(name): size
    for names, size in {
        "bed": (1.8, 1.8, 0.55),
        "table desk couch countertop island piano sideboard buffet workbench": (1.4, 0.9, 0.75),
        "dresser cabinet stove washer dryer bathtub bench chest": (0.8, 0.6, 0.8),
        "fridge wardrobe bookcase shelf door": (0.8, 0.5, 1.8),
        "chair armchair toilet stool ottoman nightstand": (0.5, 0.5, 0.7),
        "sink": (0.6, 0.5, 0.85),
        "rug mat carpet": (1.6, 1.6, 0.02),
    }.items()
    for name in names.split()
}
SMALL: Vector3 = (0.2, 0.2, 0.2)
_OF_ANY_SIZE = _lemmas("door mat carpet rug chest stool")
_TOYS = _lemmas("toy doll play model miniature jewellery jewelry")


def typical_size(words: Sequence[str]) -> Vector3:
    """How large a thing of some label commonly is, metres.

    Args:
        words: Lemmas of the label.
    """
    return TYPICAL_SIZE.get(_head(words), SMALL)


@functools.cache
def usual_box(label: str) -> Vector3:
    """What furniture of some label takes up at least as a rule, metres; zeros for anything else.

    Args:
        label: As a detector gives it.
    """
    words = words_of(label)
    if _head(words) in _OF_ANY_SIZE or _TOYS & set(words):
        return (0.0, 0.0, 0.0)
    across, along, height = TYPICAL_SIZE.get(_head(words), (0.0, 0.0, 0.0))
    return (max(across, along), max(across, along), height)


def expects_on(upper: Sequence[str], lower: Sequence[str]) -> float:
    """How readily a thing is taken to rest on another that it is over, before heights are known."""
    below = _head(lower)
    if _head(upper) in HANGING and below not in SUPPORTS:
        return RARE
    if _head(upper) in FURNITURE:
        return LIKELY if below in FLOOR_COVERS else RARE
    if below in PARTS or (_head(upper) == below and below not in SUPPORTS):
        return RARE  # on the front of a drawer; one toothbrush holder on another
    return LIKELY if below in SUPPORTS else POSSIBLE if below not in HANGING | FURNITURE else RARE


def expects_in(inner: Sequence[str], outer: Sequence[str]) -> float:
    """How readily a thing is taken to be inside another whose middle it shares; 0 for never."""
    if _head(inner) in FURNITURE:
        return 0.0
    holder = _head(outer)
    return LIKELY if holder in CONTAINERS else RARE if holder in CLOSED else 0.0


def expects_under(lower: Sequence[str], upper: Sequence[str]) -> float:
    """Whether a thing fits below another that stands on legs; 0 where nothing does."""
    if _head(lower) in HANGING:
        return 0.0
    return SURE if _head(upper) in OPEN_BELOW else 0.0


def expects_hanging(upper: Sequence[str]) -> float:
    """Whether a thing commonly hangs on a wall or a ceiling, over other things."""
    return SURE if _head(upper) in HANGING else 0.0


def back_of(lower: Sequence[str]) -> float:
    """How far a thing may rise above its own surface, as a share of its height; 0 for not."""
    return BACKED.get(_head(lower), 0.0)


def expects_part(part: Sequence[str], whole: Sequence[str]) -> float:
    """Whether a label names a part ("handle", "cabinet door") of what another label names."""
    head = _head(part)
    if head not in PARTS or not whole:
        return 0.0
    named = part[-2] if len(part) > 1 else ""
    if named and (named == _head(whole) or list(part[:-1]) == list(whole)):
        return SURE
    if named in FURNITURE:
        return 0.0  # a cabinet drawer is no part of a desk
    return SURE if _head(whole) in PARTS[head] else 0.0


def _head(words: Sequence[str]) -> str:
    return words[-1] if words else ""
