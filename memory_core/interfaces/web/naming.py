"""A few words to call each area of the forest by, as a person would."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping

from memory_core.types import ForestNode, Place

LENGTH = 60
_FLOOR = re.compile(r"floor \d+(?= of \d+)")


def names_of(forest: Mapping[str, ForestNode], places: Mapping[str, Place]) -> dict[str, str]:
    """Names by node.

    An area is called by its floor, else its kind, else the two commonest kinds of the places in
    it, else the first things its text names.

    Args:
        forest: Nodes by id, parents before children.
        places: By id.
    """
    kinds: dict[str, Counter[str]] = {}
    for node in reversed(list(forest.values())):
        own = kinds.setdefault(node.id, Counter())
        place = places.get(node.id)
        if place is not None and place.kind:
            own[place.kind] += 1
        if node.parent is not None:
            kinds.setdefault(node.parent, Counter()).update(own)
    return {node.id: _name(node, kinds[node.id])[:LENGTH] for node in forest.values()}


def _name(node: ForestNode, kinds: Counter[str]) -> str:
    head, _, told = node.text.partition(": ")
    floor = _FLOOR.match(head)
    if node.level and floor is not None:
        return floor[0]
    if node.kind:
        return node.kind
    things = [item.strip() for item in (told or node.text).split(",") if item.strip()]
    words = [kind for kind, _ in kinds.most_common(2)] or things[: 2 if node.level else 3]
    return ", ".join(words) or node.id
