"""No memory: nothing is known but the robot's map, and things are searched for all over it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from memory_core.planning.candidates import Meant
from memory_core.planning.knowledge import TravelM
from memory_core.planning.navigation.navigator import GridNavigator
from memory_core.planning.outcomes import LookedFor, Outcome
from memory_core.planning.regions import Region
from memory_core.types import Answer, Vector3
from memory_sim.agents.places import free_places, regions_at, square_of

_PLACE = re.compile(
    r" (?:in|on|at|from|by|near|next to|beside|behind|under|of) (?:the|a|my|our|your) "
)


@dataclass(frozen=True, slots=True)
class Nothing:
    """Knows the map alone; others that know little more are made from it.

    Attributes:
        navigator: Whose map it is; None where there is none.
    """

    navigator: GridNavigator | None
    _places: dict[Vector3, Vector3] = field(default_factory=dict, kw_only=True)
    """By the square of the lattice that each is in: it is gone to once, however the map changes."""

    def meant(
        self, phrase: str, *, now_ns: int, travel_m: TravelM, looked: Sequence[LookedFor] = ()
    ) -> Meant:
        """No candidates."""
        return Meant(bare(phrase), ())

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
        """Free places all over the map, the nearest first."""
        if self.navigator is None:
            return ()
        atlas = self.navigator.localiser.atlas
        found = free_places(atlas.grids, atlas.heights_m)
        return regions_at([self._places.setdefault(square_of(at), at) for at in found], travel_m)

    def room(self, name: str, *, now_ns: int, travel_m: TravelM) -> Vector3 | None:
        """No room is known by name."""
        return None

    def ask(self, question: str, *, now_ns: int) -> Answer:
        """No answer."""
        return Answer("I remember nothing.", "where", abstained=True)

    def looks_for(self, thing: str, *, since_ns: int) -> tuple[LookedFor, ...]:
        """No earlier errands."""
        return ()

    def outcomes_like(self, words: str, *, k: int) -> tuple[Outcome, ...]:
        """No earlier errands."""
        return ()


def bare(phrase: str) -> str:
    """A noun phrase without the place it names."""
    return _PLACE.split(phrase)[0].strip()
