"""Why this evidence: the way from the root of the forest down to it, with the weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from memory_core.semantic.organiser import Organiser
from memory_core.types import Evidence, Recall


def with_paths(evidence: Sequence[Evidence], organiser: Organiser) -> tuple[Evidence, ...]:
    """Evidence with its path through the forest, and the attention at every node of it.

    Args:
        evidence: Pieces with their attention.
        organiser: Holds the forest.

    Returns:
        The same pieces; a node's weight is the sum over the pieces at and below it.
    """
    with organiser.lock:
        paths = [organiser.path(item.standpoint, item.observation) for item in evidence]
    mass: dict[str, float] = {}
    for item, path in zip(evidence, paths, strict=True):
        for node in path:
            mass[node] = mass.get(node, 0.0) + item.attention
    return tuple(
        replace(item, path=path, path_weights=tuple(min(1.0, mass[node]) for node in path))
        for item, path in zip(evidence, paths, strict=True)
    )


def explained(recall: Recall, organiser: Organiser) -> Recall:
    """A recall whose evidence and objects carry their paths."""
    return replace(
        recall,
        evidence=with_paths(recall.evidence, organiser),
        objects=with_paths(recall.objects, organiser),
    )
