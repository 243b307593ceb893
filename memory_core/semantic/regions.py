"""Rooms: which things stand in one room, and which places lie inside it.

Walls are not in the memory, but they show: things of one room are in view together from many
places, things of two rooms only through a door. So things are joined into groups by the places
they are seen from, each group spans a region of the floor (its convex hull, as furniture stands
along the walls), and a place lies in the room whose region holds it. Places in none are
passages: hallways, landings, the middle of nowhere. Constants were tuned on generated houses of
the simulator, seeds 0 to 7.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from memory_core.semantic.places import PlaceMap
from memory_core.types import FloatArray, Vector3

NEARNESS_M = 2.0
JOINED = ((2.5, 0.15), (4.0, 0.5))
"""First near things that share some of the views of them, then further ones that share most."""

MARGIN_M = 0.3
LEAST_THINGS = 3


@dataclass(frozen=True, slots=True)
class Rooms:
    """What lies in one room.

    Attributes:
        of_place: For each place the number of its room: the smallest among the room's places.
        of_thing: For each thing the number of its room; things of rooms without a place of
            their own, and lone ones, are not in it.
    """

    of_place: Mapping[int, int]
    of_thing: Mapping[int, int]


def nearness(distance_m: float) -> float:
    """How much a thing in view says about the place it is seen from, 0 to 1."""
    return math.exp(-((distance_m / NEARNESS_M) ** 2))


def rooms_of(
    places: PlaceMap,
    views: Mapping[int, Mapping[int, float]],
    positions: Mapping[int, Vector3],
) -> Rooms:
    """Group places and things into rooms; the same input gives the same rooms.

    Args:
        places: The places.
        views: For each place the things in view from it, by number, each with the summed
            `nearness` of the views.
        positions: Where each thing in `views` is, metres.
    """
    groups = _things_together(views, positions)
    regions = [_Region(np.array([positions[thing][:2] for thing in group])) for group in groups]
    inside: dict[int, int] = {}
    for number in sorted(places.places):
        centre = np.array(places.places[number].centre[:2])
        visible = views.get(number, {})
        gaps = [
            (regions[index].gap(centre), index)
            for index, group in enumerate(groups)
            if not visible.keys().isdisjoint(group)
        ]
        gap, index = min(gaps, default=(math.inf, -1))
        if gap <= MARGIN_M:
            inside[number] = index
    first_place = {index: place for place, index in sorted(inside.items(), reverse=True)}
    outside = [number for number in sorted(places.places) if number not in inside]
    passages = [
        pair for pair in places.touching() if pair[0] not in inside and pair[1] not in inside
    ]
    of_place = agglomerate(outside, passages, {}, alike=1.0)
    of_place.update({place: first_place[index] for place, index in inside.items()})
    of_thing = {
        thing: first_place[index]
        for index, group in enumerate(groups)
        if index in first_place
        for thing in group
    }
    return Rooms(of_place, of_thing)


def agglomerate(
    members: Sequence[int],
    links: Iterable[tuple[int, int]],
    content: Mapping[int, Mapping[int, float]],
    *,
    alike: float,
) -> dict[int, int]:
    """Join linked members, the most alike first, while the cosine of summed contents allows it.

    Args:
        members: Numbers.
        links: Pairs that may be joined.
        content: For each member what marks it, weights above 0; two without content are alike.
        alike: Least cosine at which two groups become one.

    Returns:
        For each member the smallest number in its group.
    """
    group = {member: member for member in members}
    held = {member: dict(content.get(member, {})) for member in members}
    beside: dict[int, set[int]] = {member: set() for member in members}
    for one, other in links:
        if one != other:
            beside[one].add(other)
            beside[other].add(one)
    version = dict.fromkeys(members, 0)
    queue = [
        (-_cosine(held[one], held[other]), one, other, 0, 0)
        for one in members
        for other in beside[one]
        if one < other
    ]
    heapq.heapify(queue)
    while queue and -queue[0][0] >= alike:
        _, one, other, known, known_other = heapq.heappop(queue)
        if version.get(one) != known or version.get(other) != known_other:
            continue
        for thing, weight in held.pop(other).items():
            held[one][thing] = held[one].get(thing, 0.0) + weight
        del version[other]
        version[one] += 1
        group[other] = one
        beside[one] = (beside[one] | beside.pop(other)) - {one, other}
        for near in sorted(beside[one]):
            beside[near] = (beside[near] - {other}) | {one}
            first, second = min(one, near), max(one, near)
            likeness = _cosine(held[first], held[second])
            heapq.heappush(queue, (-likeness, first, second, version[first], version[second]))
    for member in sorted(members):
        group[member] = group[group[member]]  # a group's number is smaller and settled before
    return group


def _things_together(
    views: Mapping[int, Mapping[int, float]], positions: Mapping[int, Vector3]
) -> list[list[int]]:
    """Groups of at least three things that are within reach and seen from the same places."""
    from scipy.spatial import cKDTree

    seen_from: dict[int, dict[int, float]] = {}
    for place in sorted(views):
        for thing, weight in views[place].items():
            seen_from.setdefault(thing, {})[place] = weight
    things = sorted(seen_from)
    if not things:
        return []
    tree = cKDTree(np.array([positions[thing] for thing in things]))
    group = {thing: thing for thing in things}
    for reach_m, alike in JOINED:
        content: dict[int, dict[int, float]] = {}
        for thing in things:
            held = content.setdefault(group[thing], {})
            for place, weight in seen_from[thing].items():
                held[place] = held.get(place, 0.0) + weight
        pairs = sorted(tree.query_pairs(reach_m))
        links = [(group[things[one]], group[things[other]]) for one, other in pairs]
        larger = agglomerate(sorted(content), links, content, alike=alike)
        group = {thing: larger[group[thing]] for thing in things}
    groups: dict[int, list[int]] = {}
    for thing, number in group.items():
        groups.setdefault(number, []).append(thing)
    return [members for members in groups.values() if len(members) >= LEAST_THINGS]


def _cosine(one: Mapping[int, float], other: Mapping[int, float]) -> float:
    if not one and not other:
        return 1.0
    fewer, more = sorted((one, other), key=len)
    shared = sum(weight * more.get(thing, 0.0) for thing, weight in fewer.items())
    lengths = math.sqrt(sum(w * w for w in one.values()) * sum(w * w for w in other.values()))
    return shared / lengths if lengths > 0 else 0.0


class _Region:
    """The convex hull of some points on the floor."""

    def __init__(self, points: FloatArray) -> None:
        from scipy.spatial import ConvexHull, QhullError

        self._points = points
        try:
            self._edges = ConvexHull(points).equations
        except QhullError:  # they lie on one line
            self._edges = None

    def gap(self, at: FloatArray) -> float:
        """How far a point is outside; negative inside, metres."""
        if self._edges is None:
            return float(np.linalg.norm(self._points - at, axis=1).min())
        return float((self._edges[:, :2] @ at + self._edges[:, 2]).max())
