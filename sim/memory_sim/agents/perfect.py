"""Perfect knowledge: where everything is, read off the simulator. For comparison alone."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from memory_core.language.lexicon import same_kind
from memory_core.planning.candidates import Meant
from memory_core.planning.knowledge import TravelM
from memory_core.planning.outcomes import LookedFor, Outcome
from memory_core.planning.regions import Region
from memory_core.types import Answer, Stay, Vector3
from memory_sim.agents.none import bare
from memory_sim.agents.places import candidate
from memory_sim.worlds.home import truth
from memory_sim.worlds.home.truth import Whereabouts
from memory_sim.worlds.home.world import World

SHUT = 0.5
"""Openings less open than this hide what is in or behind them."""
IN_FRONT_M = 0.02
MOVED_M = 0.1
"""What is so far from where it was on the first day was moved."""


@dataclass(frozen=True, slots=True)
class Perfect:
    """Knows where everything is and was, and nothing of the robot's own errands.

    Attributes:
        world: The home as it is.
        first: Where things were on the first day, by their ids.
    """

    world: World
    first: Mapping[str, Whereabouts]

    def meant(
        self, phrase: str, *, now_ns: int, travel_m: TravelM, looked: Sequence[LookedFor] = ()
    ) -> Meant:
        """Where things and furniture of the kind are, the likeliest being what they are called."""
        thing = bare(phrase)
        where = [
            (w.label, w.position, self._earlier(name, w))
            for name, w in truth.whereabouts(self.world).items()
            if w.room
        ]
        where += [
            (piece.label, _middle(self.world, piece.id), ()) for piece in self.world.plan.furniture
        ]
        where += [
            (joint.kind.label, _front(self.world, name), ())
            for name, joint in self.world.joints.items()
        ]
        fits = [place for place in where if same_kind(thing, place[0])]
        exact = [place for place in fits if place[0] == thing] or fits
        found = [
            replace(
                candidate(label, at, travel_m=travel_m, last_ns=now_ns, meaning=1 / len(exact)),
                earlier=earlier,
            )
            for label, at, earlier in exact
        ]
        return Meant(thing, tuple(sorted(found, key=lambda item: -item.worth)))

    def _earlier(self, thing: str, now: Whereabouts) -> tuple[Stay, ...]:
        """Where a thing was on the first day, if it is elsewhere now."""
        first = self.first.get(thing)
        if first is None or not first.room or math.dist(first.position, now.position) < MOVED_M:
            return ()
        return (Stay(first.position, (0.0,) * 9, 1, 1, None, 1),)

    def regions(
        self,
        thing: str,
        *,
        now_ns: int,
        travel_m: TravelM,
        within: str = "",
        looked: Sequence[LookedFor] = (),
        seen_until_ns: int = 0,
    ) -> tuple[Region, ...]:
        """Every surface and shut front; what the thing is on or in before all others."""
        kinds = {room.name: room.kind for room in self.world.plan.rooms}
        holds = {
            where.opening or where.furniture
            for where in truth.whereabouts(self.world).values()
            if where.label == thing
        }
        found = []
        for piece in self.world.plan.furniture:
            kind = kinds[piece.room]
            if within and not (same_kind(within, piece.label) or within in (kind, piece.room)):
                continue
            if any(not surface.opening for surface in piece.kind.surfaces):
                at, likely = _middle(self.world, piece.id), float(piece.id in holds)
                size = piece.kind.size
                found.append(Region(piece.label, kind, at, size, False, likely, travel_m(at)))
            for opening in piece.kind.openings:
                name = f"{piece.id}/{opening.name}"
                if piece.label == "door" or self.world.openness(name) >= SHUT:
                    continue
                at, likely = _front(self.world, name), float(name in holds)
                found.append(
                    Region(opening.label, kind, at, (0.0, 0.0, 0.0), True, likely, travel_m(at))
                )
        return tuple(sorted(found, key=lambda region: (-region.worth, region.travel_m)))

    def room(self, name: str, *, now_ns: int, travel_m: TravelM) -> Vector3 | None:
        """The middle of the nearest room so called."""
        centres = [
            (*room.centre, room.z)
            for room in self.world.plan.rooms
            if name in (room.kind, room.name)
        ]
        return min(centres, key=travel_m, default=None)

    def ask(self, question: str, *, now_ns: int) -> Answer:
        """Where the thing that is named is, or was on the first day."""
        asked = question.lower().rstrip("?. ")
        places = self.first if "first" in asked else truth.whereabouts(self.world)
        named = [where for where in places.values() if where.label in asked]
        if not named:
            return Answer("There is none.", "where", abstained=True)
        best = max(named, key=lambda where: len(where.label))
        return Answer(
            f"The {best.label} is on the {best.furniture}.", "where", position=best.position,
            stamp_ns=now_ns,
        )  # fmt: skip

    def looks_for(self, thing: str, *, since_ns: int) -> tuple[LookedFor, ...]:
        """No earlier errands."""
        return ()

    def outcomes_like(self, words: str, *, k: int) -> tuple[Outcome, ...]:
        """No earlier errands."""
        return ()


def _middle(world: World, piece: str) -> Vector3:
    """The middle of a piece of furniture, map."""
    pose = world.plan.furniture_by_id[piece].pose
    return pose.apply(0.0, 0.0, world.plan.furniture_by_id[piece].kind.size[2] / 2)


def _front(world: World, opening: str) -> Vector3:
    """The middle of the front of a drawer or door as it stands, map."""
    handle = np.mean([solid.centre for solid in world.joints[opening].kind.handle], axis=0)
    x, y, z = handle.tolist()
    return world.opening_pose(opening).apply(x - IN_FRONT_M, y, z)
