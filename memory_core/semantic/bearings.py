"""Entities from lines of sight: cameras without depth, and annotators' boxes.

Lines of one label from several standpoints meet where the thing is (`entities.associate`). New
lines are met with those that are already there, and what they add up to keeps the number of the
entity most of its lines belonged to: a thing stays the same thing while its estimate improves.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass, field

import numpy as np

from memory_core.semantic.entities import Sightings, associate
from memory_core.types import FloatArray, Vector3

REACH_M = 8.0
NEWEST = 480
OLDEST_KEPT, NEWEST_KEPT = 16, 144
STILL_M = 0.1
ALIKE = 0.9976  # cosine of 4 degrees

Key = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Line:
    """One sighting without depth.

    Attributes:
        key: (observation, sequence).
        stamp_ns: When.
        origin: Where it was seen from, metres.
        ray: Unit direction in the map; None where even that is unknown.
    """

    key: Key
    stamp_ns: int
    origin: Vector3
    ray: Vector3 | None


@dataclass(slots=True)
class SightLines:
    """One thing known by lines of sight: its place (metres) and the lines, by key."""

    number: int
    label: str
    map_id: str
    position: Vector3
    lines: dict[Key, Line] = field(default_factory=dict)

    @property
    def first_ns(self) -> int:
        """When it was first seen."""
        return min(line.stamp_ns for line in self.lines.values())

    @property
    def last_ns(self) -> int:
        """When it was last seen."""
        return max(line.stamp_ns for line in self.lines.values())


class BearingEntities:
    """Things of every label known by lines of sight, kept as new lines come."""

    def __init__(self) -> None:
        """Nothing is known."""
        self.things: dict[int, SightLines] = {}
        self._by_label: dict[tuple[str, str], set[int]] = {}
        self._next = 1

    def restore(self, things: Iterable[SightLines], *, next_number: int) -> None:
        """Take things that were kept; numbers are given from `next_number` on."""
        for thing in things:
            self.things[thing.number] = thing
            self._by_label.setdefault((thing.map_id, thing.label), set()).add(thing.number)
        self._next = max([next_number, *(number + 1 for number in self.things)])

    @property
    def next_number(self) -> int:
        """The number the next new thing gets; numbers are never used again."""
        return self._next

    def add(self, map_id: str, label: str, lines: Sequence[Line]) -> tuple[set[int], set[int]]:
        """Meet new lines of one label with those around them.

        Args:
            map_id: The map all of them are in.
            label: Their label.
            lines: New lines.

        Returns:
            Numbers of things made or changed, and of things that are no more.
        """
        numbers = self._by_label.setdefault((map_id, label), set())
        near = self._near(numbers, lines)
        pool = [line for number in near for line in self.things[number].lines.values()]
        pool = sorted(pool, key=lambda line: line.stamp_ns)[-NEWEST:]
        chosen = {line.key for line in pool}
        pool += [line for line in lines if line.key not in chosen]
        groups = _groups(pool)
        owner = {
            key: number for number in near for key in self.things[number].lines if key in chosen
        }
        return self._replace(map_id, label, groups, owner, numbers)

    def _near(self, numbers: set[int], lines: Sequence[Line]) -> list[int]:
        """Things of the label close enough to the new lines' standpoints to share one."""
        origins = np.array([line.origin for line in lines])
        return [
            number
            for number in sorted(numbers)
            if np.linalg.norm(origins - np.array(self.things[number].position), axis=1).min()
            <= REACH_M
        ]

    def _replace(
        self,
        map_id: str,
        label: str,
        groups: list[tuple[Vector3, list[Line]]],
        owner: dict[Key, int],
        numbers: set[int],
    ) -> tuple[set[int], set[int]]:
        """Give every group the number most of its lines had, each number once."""
        votes: list[tuple[int, int, int]] = []
        for place, (_, members) in enumerate(groups):
            counted: dict[int, int] = {}
            for line in members:
                if line.key in owner:
                    counted[owner[line.key]] = counted.get(owner[line.key], 0) + 1
            votes += [(-count, number, place) for number, count in counted.items()]
        taken: dict[int, int] = {}
        for _, number, place in sorted(votes):
            if place not in taken and number not in taken.values():
                taken[place] = number
        touched: set[int] = set()
        moved = {line.key for _, members in groups for line in members}
        for number in set(owner.values()):
            thing = self.things[number]
            thing.lines = {key: line for key, line in thing.lines.items() if key not in moved}
        for place, (position, members) in enumerate(groups):
            number = taken.get(place, self._next)
            if place not in taken:
                self._next += 1
            thing = self.things.setdefault(number, SightLines(number, label, map_id, position))
            thing.position = position
            thing.lines = _bounded(thing.lines | {line.key: line for line in members})
            numbers.add(number)
            touched.add(number)
        gone = {number for number in owner.values() if not self.things[number].lines}
        self.drop(gone)
        return touched, gone

    def forget(self, observations: Set[int]) -> tuple[set[int], set[int]]:
        """Take out the lines of some observations; what is left meets anew.

        Args:
            observations: Their numbers.

        Returns:
            As `add`.
        """
        touched, gone = set[int](), set[int]()
        for number, thing in sorted(self.things.items()):
            kept = [line for line in thing.lines.values() if line.key[0] not in observations]
            if len(kept) == len(thing.lines):
                continue
            thing.lines = {line.key: line for line in kept}
            if not kept:
                self.drop([number])
                gone.add(number)
                continue
            numbers = self._by_label[thing.map_id, thing.label]
            owner = dict.fromkeys(thing.lines, number)
            touched |= self._replace(thing.map_id, thing.label, _groups(kept), owner, numbers)[0]
        return touched, gone

    def drop(self, numbers: Iterable[int]) -> None:
        """Forget whole things."""
        for number in list(numbers):
            thing = self.things.pop(number, None)
            if thing is not None:
                self._by_label[thing.map_id, thing.label].discard(number)


def _bounded(lines: dict[Key, Line]) -> dict[Key, Line]:
    """The oldest and the newest lines of a thing: those between say nothing that they do not."""
    if len(lines) <= OLDEST_KEPT + NEWEST_KEPT:
        return lines
    ordered = sorted(lines.values(), key=lambda line: (line.stamp_ns, line.key))
    kept = [*ordered[:OLDEST_KEPT], *ordered[-NEWEST_KEPT:]]
    return {line.key: line for line in kept}


def _groups(lines: Sequence[Line]) -> list[tuple[Vector3, list[Line]]]:
    """Lines of one label as things: (place, lines)."""
    unknown = (np.nan,) * 3
    bundles = _bundles(lines)
    origins: FloatArray = np.array([bundle[0].origin for bundle in bundles])
    rays = [bundle[0].ray for bundle in bundles]
    standpoints, station = np.unique(origins, axis=0, return_inverse=True)
    count = len(bundles)
    sightings = Sightings(
        station=station.reshape(-1),
        label=np.zeros(count, np.int64),
        ray=np.array([unknown if ray is None else ray for ray in rays]),
        position=np.full((count, 3), np.nan),
        size=np.ones(count),
        extent=np.zeros((count, 2)),
    )
    things = associate(sightings, standpoints, 1)
    return [
        (
            (float(thing.position[0]), float(thing.position[1]), float(thing.position[2])),
            [line for i in thing.sightings for line in bundles[int(i)]],
        )
        for thing in things
    ]


def _bundles(lines: Sequence[Line]) -> list[list[Line]]:
    """Lines from one standpoint in one direction: looks at one thing again, once in a look each."""
    bundles: list[list[Line]] = []
    looks: list[set[int]] = []
    near: dict[Vector3, list[int]] = {}
    for line in lines:
        x, y, z = (round(coordinate / STILL_M) for coordinate in line.origin)
        here = near.setdefault((x, y, z), [])
        place = next(
            (
                n
                for n in here
                if line.key[0] not in looks[n] and _alike(bundles[n][0].ray, line.ray)
            ),
            None,
        )
        if place is None:
            here.append(len(bundles))
            bundles.append([line])
            looks.append({line.key[0]})
        else:
            bundles[place].append(line)
            looks[place].add(line.key[0])
    return bundles


def _alike(one: Vector3 | None, other: Vector3 | None) -> bool:
    """Whether two directions are the same, as far as a detector's boxes tell."""
    if one is None or other is None:
        return one is other
    return sum(a * b for a, b in zip(one, other, strict=True)) > ALIKE
