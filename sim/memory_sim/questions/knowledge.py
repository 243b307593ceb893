"""What the robot could know of a house: which things its detector saw, how often and when.

Rule: a thing is known on a visit when at least two camera observations of that visit hold a
sighting of its label within 1 m of where it stood, it being the nearest such thing. Questions are
asked about known things only; things that were there and are not known may be named in an answer
and need not be.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from memory_core.types import Observation
from memory_sim.questions.household import MOVED_M, NS, Household, Spot, Thing

KNOWN_SIGHTINGS = 2
MATCHED_M = 1.0
STILL_M = 0.1
NOT_ASKED = ("door",)
"""Every room has one: of no use as a name."""


@dataclass(slots=True)
class Seen:
    """Camera observations in which a thing was seen on one visit: their stamps, nanoseconds."""

    stamps: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Knowledge:
    """A house's ground truth beside what was seen of it.

    Attributes:
        house: The house.
        seen: By thing and visit.
        pictures: Stamps of the camera's observations with the labels seen in each, oldest first.
    """

    house: Household
    seen: dict[tuple[int, int], Seen]
    pictures: tuple[tuple[int, frozenset[str]], ...]

    @property
    def last(self) -> int:
        """The number of the latest visit."""
        return len(self.house.visits) - 1

    @property
    def labels(self) -> frozenset[str]:
        """Every label that ever stood in the house."""
        return frozenset(thing.label for thing in self.house.things)

    def known(self, thing: Thing, visit: int) -> bool:
        """Whether the robot saw a thing well enough on a visit."""
        return len(self.seen[thing.number, visit].stamps) >= KNOWN_SIGHTINGS

    def there(self, visit: int, *, room: str | None = None) -> list[tuple[Thing, Spot]]:
        """Every thing in the house on a visit, or in one room of it, seen or not."""
        return [
            (thing, spot)
            for thing in self.house.things
            if (spot := thing.spots[visit]) is not None and room in (None, spot.room)
        ]

    def askable(self, visit: int, *, room: str | None = None) -> list[tuple[Thing, Spot]]:
        """Known things on a visit that can be asked about."""
        return [
            (thing, spot)
            for thing, spot in self.there(visit, room=room)
            if self.known(thing, visit) and thing.label not in NOT_ASKED
        ]

    def single(self, thing: Thing) -> bool:
        """Whether no other thing of the house ever had the same label."""
        return sum(other.label == thing.label for other in self.house.things) == 1

    def first_ns(self, label: str) -> int:
        """When a label was first seen."""
        return next(stamp for stamp, labels in self.pictures if label in labels)

    def stays(self, visit: int) -> list[tuple[str, float]]:
        """Rooms in the order in which the robot was in them on a visit, with seconds in each."""
        plan = self.house.visits[visit].plan
        total: dict[str, float] = {}
        for (begin, pose), (end, _) in itertools.pairwise(self.house.poses(visit)):
            room = plan.room_at(pose.x, pose.y)
            total[room] = total.get(room, 0.0) + (end - begin) / NS
        total.pop("hallway", None)
        return list(total.items())

    def moved(self) -> list[Thing]:
        """Things that stand elsewhere on the last visit than on the first."""
        return [t for t in self.house.things if _apart(t) >= MOVED_M]

    def unmoved(self) -> list[Thing]:
        """Things that stand where they stood."""
        return [t for t in self.house.things if 0 <= _apart(t) <= STILL_M]

    def brought(self) -> list[Thing]:
        """Things that came after the first visit."""
        return [t for t in self.house.things if t.spots[0] is None]

    def taken(self) -> list[Thing]:
        """Things that went after the first visit."""
        return [t for t in self.house.things if t.spots[self.last] is None]

    def clear(self, things: Sequence[Thing], visits: Iterable[int]) -> frozenset[str]:
        """Labels of changed things that must be told.

        They were known on the visits that matter, and no other thing of their label changed in
        another way: of two namesakes that swap, nobody could tell.
        """
        changed = Counter(t.label for t in (*self.moved(), *self.brought(), *self.taken()))
        same = Counter(t.label for t in things)
        wanted = list(visits)
        return frozenset(
            t.label
            for t in things
            if changed[t.label] == same[t.label] and all(self.known(t, v) for v in wanted)
        )


def _apart(thing: Thing) -> float:
    """Metres between its first and its last spot; negative where it lacks one."""
    first, last = thing.spots[0], thing.spots[-1]
    return -1.0 if first is None or last is None else math.dist(first.centre, last.centre)


def knowledge(house: Household, observations: Iterable[Observation]) -> Knowledge:
    """Match what was detected with what was there.

    Args:
        house: Ground truth.
        observations: What the memory was given.
    """
    seen = {(t.number, v): Seen() for t in house.things for v in range(len(house.visits))}
    sessions = {visit.session: number for number, visit in enumerate(house.visits)}
    pictures = []
    for item in observations:
        if item.source != "camera" or item.pose is None:
            continue
        pictures.append((item.stamp_ns, frozenset(s.label for s in item.sightings)))
        visit, found = sessions[item.session], set()
        for sighting in item.sightings:
            if sighting.position is None:
                continue
            at = item.pose.apply(*sighting.position)
            near = [
                (math.dist(at, spot.centre), thing.number)
                for thing in house.things
                if thing.label == sighting.label and (spot := thing.spots[visit]) is not None
            ]
            if near and min(near)[0] <= MATCHED_M:
                found.add(min(near)[1])
        for number in found:
            seen[number, visit].stamps.append(item.stamp_ns)
    return Knowledge(house, seen, tuple(sorted(pictures, key=lambda pair: pair[0])))
