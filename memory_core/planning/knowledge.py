"""What a planner knows: where things may be, and what is answered. The memory's own is here.

A seam, so that memories can be compared with everything else the same: see `memory_sim.agents`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from memory_core.answering.rooms import room_meant, rooms_of
from memory_core.memory import RobotMemory
from memory_core.planning.candidates import Meant, meant_by
from memory_core.planning.outcomes import LookedFor, Outcome, looks_for, recalled
from memory_core.planning.regions import Region, regions_for
from memory_core.types import Answer, Vector3

TravelM = Callable[[Vector3], float]


class Knowledge(Protocol):
    """Where things may be, as far as one knows."""

    def meant(
        self, phrase: str, *, now_ns: int, travel_m: TravelM, looked: Sequence[LookedFor] = ()
    ) -> Meant:
        """Where what a phrase names may be, the most worth a visit first."""

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
        """Where to search for a thing, the most worth a visit first.

        Args:
            thing: What it is called.
            now_ns: Now.
            travel_m: Way from here to a position of the map.
            within: A room or piece of furniture that the search is limited to; "" for everywhere.
            looked: Looks for the thing.
            seen_until_ns: Pictures until then that show furniture without it count against that; who
                searches minds those since itself. 0 for none, where it is not about a search.
        """

    def room(self, name: str, *, now_ns: int, travel_m: TravelM) -> Vector3 | None:
        """The middle of the room that a name means and that can be got to; None where none is."""

    def ask(self, question: str, *, now_ns: int) -> Answer:
        """An answer in words."""

    def looks_for(self, thing: str, *, since_ns: int) -> tuple[LookedFor, ...]:
        """Looks for a kind of thing on earlier errands."""

    def outcomes_like(self, words: str, *, k: int) -> tuple[Outcome, ...]:
        """How similar goals went."""


@dataclass(frozen=True, slots=True)
class Remembered:
    """What a `RobotMemory` knows."""

    memory: RobotMemory

    def meant(
        self, phrase: str, *, now_ns: int, travel_m: TravelM, looked: Sequence[LookedFor] = ()
    ) -> Meant:
        """See `candidates.meant_by`."""
        return meant_by(self.memory, phrase, now_ns=now_ns, travel_m=travel_m, looked=tuple(looked))

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
        """See `regions.regions_for`."""
        about = f"{thing} and {within}" if within else thing
        context = self.memory.understand(f"where is the {about}?", now_ns=now_ns)
        return regions_for(
            context, thing, travel_m=travel_m, within=within, looked=looked,
            seen_until_ns=seen_until_ns,
        )  # fmt: skip

    def room(self, name: str, *, now_ns: int, travel_m: TravelM) -> Vector3 | None:
        """The middle of the likeliest of the rooms that it may mean."""
        context = self.memory.understand(f"where is the {name}?", now_ns=now_ns)
        scene = context.scene
        if scene is None:
            return None
        rooms = rooms_of(scene, context.encode)
        meant = [rooms[number] for number in room_meant(scene, rooms, name, context.encode)]
        centres = [
            (room.centre[0], room.centre[1], float(scene.floor_heights[room.floor]))
            for room in meant
        ]
        return next((at for at in centres if math.isfinite(travel_m(at))), None)

    def ask(self, question: str, *, now_ns: int) -> Answer:
        """See `RobotMemory.ask`."""
        return self.memory.ask(question, now_ns=now_ns)

    def looks_for(self, thing: str, *, since_ns: int) -> tuple[LookedFor, ...]:
        """See `outcomes.looks_for`."""
        return looks_for(self.memory, thing, since_ns=since_ns)

    def outcomes_like(self, words: str, *, k: int) -> tuple[Outcome, ...]:
        """See `outcomes.recalled`."""
        return recalled(self.memory, words, k=k)
