"""Where a thing may be: what is remembered of it, ranked.

Things are recalled by hierarchical chunk attention (Lampinen et al. 2021); each keeps its weight
and its path through the forest. What attention says is meant is weighed with how likely the thing
still is there, and with what the way costs: visits in the order of probability by cost find a
thing at the least expected cost (Blackwell's rule; Kadane and Simon 1977).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from memory_core.answering import things
from memory_core.answering.grounding import Context, thing_evidence, views
from memory_core.answering.parts import name_of, whereabouts
from memory_core.language.lexicon import same_kind
from memory_core.memory import RobotMemory
from memory_core.planning.outcomes import LookedFor
from memory_core.planning.persistence import GONE, Persistence
from memory_core.semantic.scene import Scene
from memory_core.types import Entity, Evidence, Json, Stay, Vector3

MOST = 12
LOOK_COST_M = 1.5
"""What stopping, turning and looking costs, as a way of so many metres."""
SAME_SPOT_M = 0.6
"""A look at a place says something of things within so many metres of it."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One place where a thing may be.

    Attributes:
        label: What was seen there.
        position: `map`, metres.
        entity: Id of the thing it is; None where it is known from one sighting alone.
        meaning: Attention's share for this being what was meant, 0 to 1.
        still_there: Probability that it is still there, 0 to 1.
        travel_m: Way there.
        last_ns: When it was last seen there.
        size: Extent, metres; zeros where unknown.
        told: Where that is, in words.
        earlier: Where the thing was before it came there, oldest first.
        evidence: The sighting it rests on, with its path and the weights along it.
    """

    label: str
    position: Vector3
    entity: str | None
    meaning: float
    still_there: float
    travel_m: float
    last_ns: int
    size: Vector3
    told: str
    evidence: Evidence
    earlier: tuple[Stay, ...] = ()

    @property
    def probability(self) -> float:
        """That what is meant is there."""
        return self.meaning * self.still_there

    @property
    def worth(self) -> float:
        """Probability by cost: the higher, the earlier it is worth a visit."""
        return self.probability / (LOOK_COST_M + self.travel_m)

    def to_json(self) -> dict[str, Json]:
        """As plans print it."""
        return {
            "label": self.label, "position": list(self.position), "entity": self.entity,
            "meaning": round(self.meaning, 4), "still_there": round(self.still_there, 4),
            "travel_m": round(self.travel_m, 2) if math.isfinite(self.travel_m) else None,
            "last_ns": self.last_ns, "told": self.told, "evidence": self.evidence.to_json(),
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Meant:
    """What a phrase means in a memory.

    Attributes:
        thing: Its noun phrase, without the place.
        candidates: Where it may be, the most worth visiting first.
    """

    thing: str
    candidates: tuple[Candidate, ...]

    def fits(self, label: str) -> bool:
        """Whether something with a label may be what is meant."""
        return same_kind(self.thing, label)


def meant_by(
    memory: RobotMemory,
    phrase: str,
    *,
    now_ns: int,
    travel_m: Callable[[Vector3], float] = lambda at: 0.0,
    looked: tuple[LookedFor, ...] = (),
) -> Meant:
    """Where what a phrase names may be, as remembered.

    Args:
        memory: The memory.
        phrase: A thing, with or without the place it is at ("red mug in the kitchen").
        now_ns: Now.
        travel_m: Way from here to a position of the map; infinite where there is none.
        looked: Looks for it, found or not.

    Returns:
        Candidates; none where nothing of the kind was ever seen.
    """
    context = memory.understand(f"where is the {phrase}?", now_ns=now_ns)
    thing = context.question.things[0] if context.question.things else phrase
    scene = context.scene
    if scene is None:
        return Meant(thing, ())
    found, belief = things.candidates(context, scene, thing)
    placed = scene.placed[found]
    found, belief = found[placed][:MOST], belief[placed][:MOST]
    evidence = memory.traced(
        [_evidence(scene, int(n), float(b)) for n, b in zip(found, belief, strict=True)]
    )
    persistence = Persistence(scene.entities)
    candidates = [
        _candidate(context, scene, number, item, persistence, travel_m, looked)
        for number, item in zip(found.tolist(), evidence, strict=True)
    ]
    return Meant(thing, tuple(sorted(candidates, key=lambda c: -c.worth)))


def _evidence(scene: Scene, thing: int, belief: float) -> Evidence:
    stood = views(scene, thing, np.ones(len(scene.stored), bool))
    return thing_evidence(scene, thing, int(stood[-1]), belief)


def _candidate(
    context: Context,
    scene: Scene,
    thing: int,
    evidence: Evidence,
    persistence: Persistence,
    travel_m: Callable[[Vector3], float],
    looked: tuple[LookedFor, ...],
) -> Candidate:
    number = int(scene.entity[thing])
    entity: Entity | None = scene.entities[number] if number >= 0 else None
    stay = entity.history[int(scene.stay[thing])] if entity is not None else None
    x, y, z = scene.thing_position[thing].tolist()
    at = (x, y, z)
    last_ns = evidence.observation.stamp_ns if stay is None else stay.last_ns
    label = name_of(scene, thing)
    in_vain = sum(
        not look.found and look.stamp_ns > last_ns and math.dist(look.position, at) <= SAME_SPOT_M
        for look in looked
    )
    there = persistence.still_there(
        label, entity, last_ns=last_ns, now_ns=context.now_ns, looks_in_vain=in_vain
    )
    if scene.ended_ns[thing] > 0:
        there = min(there, GONE)
    return Candidate(
        label, at, entity.id if entity is not None else None, evidence.weight, there,
        travel_m(at), last_ns, entity.size if entity is not None else (0.0, 0.0, 0.0),
        whereabouts(context, scene, thing), evidence,
        entity.history[: int(scene.stay[thing])] if entity is not None else (),
    )  # fmt: skip
