"""What the network has words for.

Every pixel is told twice, as a drawer's pixel shows a drawer and the kitchen counter around it:
once by the furniture it belongs to, once by what it is by itself: a thing, a handle or a front.
"""

from __future__ import annotations

from memory_sim.worlds.home.kinds import FURNITURE, furniture_kind
from memory_sim.worlds.home.scene import HANDLE
from memory_sim.worlds.home.solids import COLOURS
from memory_sim.worlds.home.things import THINGS

DOOR = "door"
"""A door between rooms; told as furniture."""
THING = "thing"
"""Any small thing; which one is named from a closer look at it."""

FURNITURES: tuple[str, ...] = ("", *FURNITURE, DOOR)
"""Classes of furniture; the first is for walls, floors, and what stands on furniture."""
FRONTS: tuple[str, ...] = tuple(
    sorted({o.label for name in FURNITURE for o in furniture_kind(name, 0).openings})
)
"""Drawers and doors of furniture."""
PARTS: tuple[str, ...] = ("", THING, HANDLE, *FRONTS)
"""Classes of what pixels show by themselves; the first is for none of these."""
KINDS: tuple[str, ...] = tuple(THINGS)
COLOUR_NAMES: tuple[str, ...] = tuple(COLOURS)


def thing_labels() -> dict[str, tuple[tuple[int, int], ...]]:
    """All names of small things, with the kind and colour of what they are said of.

    A mug may be called a red mug or a mug: each name stands for numbers of `KINDS` and
    `COLOUR_NAMES`.
    """
    labels: dict[str, tuple[tuple[int, int], ...]] = {}
    for number, kind in enumerate(KINDS):
        colours = [COLOUR_NAMES.index(colour) for colour in THINGS[kind].colours]
        labels[kind] = tuple((number, colour) for colour in colours)
        for colour in colours:
            labels[exact_name(kind, COLOUR_NAMES[colour])] = ((number, colour),)
    return labels


def exact_name(kind: str, colour: str) -> str:
    """What a thing is called among all others: a kind that comes in one colour by its name alone."""
    return f"{colour} {kind}" if len(THINGS[kind].colours) > 1 else kind
