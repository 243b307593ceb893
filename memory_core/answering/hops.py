"""Questions of two hops: which of several candidates, by a walk over what is related to what.

Facts between entities, and which room each thing is in, make one graph; personalised PageRank
from what the question names (HippoRAG, Gutierrez et al. 2024) says which candidate is nearest to
all of it. Conditions of geometry stay hard conditions; the walk ranks what fulfils them, and
finds the room of an anchor that geometry puts in none.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from memory_core.semantic.graph import FactGraph
from memory_core.semantic.scene import Scene
from memory_core.types import Fact, FloatArray, IntArray

if TYPE_CHECKING:
    from collections.abc import Iterable

IN_ROOM = 1.0
"""Weight of being in a room: that of a fact without doubt."""


class Relations:
    """Things of a scene, their rooms and the facts between them, as a graph to walk on."""

    def __init__(self, scene: Scene, rooms: Sequence[int], facts: Iterable[Fact]) -> None:
        """Join things to their rooms and to what they are related to.

        Args:
            scene: Things; those that are entities take part in facts.
            rooms: For each thing the number of its room, -1 for none.
            facts: Between entities and places; ended ones do not count.
        """
        self._nodes = [
            scene.entities[entity].id if entity >= 0 else f"thing:{number}"
            for number, entity in enumerate(scene.entity.tolist())
        ]
        self._graph = FactGraph()
        self._graph.learn(facts)
        for node, room in zip(self._nodes, rooms, strict=True):
            if room >= 0:
                self._graph.relate(node, "in", f"room:{room}", weight=IN_ROOM)

    def nearness(self, things: IntArray, seeds: IntArray) -> FloatArray:
        """How near some things are to others by what they are related to.

        Args:
            things: Numbers of the candidates.
            seeds: Numbers of the things that the question names.

        Returns:
            PageRank of each candidate from the seeds alone, shape of `things`.
        """
        start = {self._nodes[int(seed)]: 1.0 for seed in seeds}
        scores = dict(zip(self._graph.nodes, self._graph.pagerank(start), strict=True))
        return np.array([scores.get(self._nodes[int(thing)], 0.0) for thing in things])

    def room_of(self, things: IntArray) -> int:
        """The room that things are most related to; -1 where they are related to none."""
        start = {self._nodes[int(thing)]: 1.0 for thing in things}
        rooms = [node for node in self._graph.nodes if node.startswith("room:")]
        best, score = next(iter(self._graph.ranked(start, rooms)), ("", 0.0))
        return int(best.removeprefix("room:")) if score > 0 else -1
