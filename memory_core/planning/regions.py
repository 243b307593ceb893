"""Where to search for a thing that is nowhere it was seen: surfaces and containers, with priors.

How likely a thing is on or in a piece of furniture comes from in which rooms and furniture such
things are kept (`language.belongings`), how like the thing is to what was seen there, and how
large the piece is. Object search by such priors and costs follows Aydemir et al. (2013); their sum
in log-odds, a conditional logit (McFadden 1974), is this project's.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from memory_core.answering.grounding import Context, left, of_kind
from memory_core.answering.rooms import room_meant, rooms_of, rooms_of_things
from memory_core.language.belongings import kept_in, kept_on, sorts_of
from memory_core.language.lexicon import words_of
from memory_core.planning.absence import unseen
from memory_core.planning.candidates import LOOK_COST_M
from memory_core.planning.fronts import HANDLE_M, is_handle
from memory_core.planning.outcomes import LookedFor
from memory_core.semantic.expected import (
    BOARDS,
    CLOSED,
    CONTAINERS,
    FLOOR_COVERS,
    FURNITURE,
    SUPPORTS,
    typical_size,
)
from memory_core.semantic.ranking import name_similarity
from memory_core.semantic.scene import Scene
from memory_core.types import BoolArray, FloatArray, IntArray, Vector3

OPENABLE = frozenset({"drawer"})
OPENABLE_DOORS = frozenset(
    "cabinet fridge wardrobe closet cupboard pantry larder locker hutch sideboard dresser".split()
)
OPEN_COST_M = 15.0
"""What opening, looking and closing costs, as a way of so many metres: about 30 s."""
LYING_ABOUT = (0.4, 0.6, 1.2, 2.5, 0.45, 1.2)
PUT_AWAY = (2.0, 0.0, 2.4, 0.0, 0.0, 0.0)
"""What evidence of where a thing may be weighs: its room is one where such things are kept, so is
the furniture, names that mean something close (shoes and a shoe cabinet), things like it that
were seen there, the logarithm of the area, and that it was in such a room before. Things are put
away where they belong; what lies about has often strayed. Fitted by `python -m
benchmarks.searching` to where things went in twelve generated homes (100 to 111), which no
evaluation uses."""
SHUT_AWAY = {True: 0.2, False: 0.9}
"""How likely a thing is shut away, by whether one of its kind was ever seen: what people use lies
about, and in the open it would have been seen."""
TYPICAL_M2, LEAST_M2, MOST_M2 = 0.5, 0.1, 4.0
"""What covers less was seen in part: 0.02 explains where things went no better (-2.751, -2.753)."""
FRONT_M = 0.8
"""A drawer's front is at most so far from the middle of the furniture it is in, along the floor."""
FRONTED = (FURNITURE | CLOSED | {"stand", "sink", "pantry"}) - frozenset(
    "door window wall floor ceiling stair column curtain railing rug bed couch chair armchair "
    "bench stool toilet bathtub".split()
)
"""Heads of labels of what may have drawers or doors."""
LARGE_M = 0.3
BESIDE_M, UNDER_M = 0.1, 0.1
"""Who stands between boards may be seen so far beside them, and is so far below the uppermost."""
LEAST_RIM_M, RIM_M = 0.5, 0.15
"""Furniture reaches so far from its middle at least, and so much farther than was seen of it."""
APART_M = 0.15
"""Things of one name closer than this are one region."""


@dataclass(frozen=True, slots=True)
class Region:
    """A surface to look at, or a container to open.

    Attributes:
        name: What it is called.
        room: The kind of room it is in; "" where nothing tells.
        centre: Of the furniture, or of the front of the drawer or door, `map`, metres.
        size: Extent, metres; zeros where unknown.
        shut: Whether it must be opened to be looked into.
        probability: That the thing is there, 0 to 1, given that it is somewhere known.
        travel_m: Way there.
    """

    name: str
    room: str
    centre: Vector3
    size: Vector3
    shut: bool
    probability: float
    travel_m: float

    @property
    def top(self) -> Vector3:
        """The middle of its upper side; of a shut one its centre."""
        x, y, z = self.centre
        return (x, y, z if self.shut else z + self.size[2] / 2)

    @property
    def looked_at(self) -> tuple[Vector3, ...]:
        """Where to look for what is on it: its top, or its boards from the upper to the lower."""
        if self.shut or not has_boards(self.name):
            return (self.top,)
        x, y, z = self.centre
        return (self.centre, (x, y, z - self.size[2] / 4))

    @property
    def rim_m(self) -> float:
        """How far from its middle it may reach along the floor."""
        return max(LEAST_RIM_M, math.hypot(*self.size[:2]) / 2 + RIM_M)

    def encloses(self, point: Vector3) -> bool:
        """Whether a place of the map is between its boards, as seen from above and below."""
        if self.shut or not has_boards(self.name):
            return False
        half = [extent / 2 for extent in self.size]
        away = [abs(p - c) for p, c in zip(point, self.centre, strict=True)]
        return all(a <= h + BESIDE_M for a, h in zip(away[:2], half[:2], strict=True)) and (
            away[2] <= half[2] - UNDER_M
        )

    def gap_m(self, point: Vector3) -> float:
        """How far a place of the map is from the box that it takes up; 0 inside."""
        away = np.abs(np.subtract(point, self.centre)) - np.array(self.size) / 2
        return float(np.linalg.norm(away.clip(0)))

    @property
    def look_m(self) -> float:
        """What looking costs once one is there, as a way of so many metres."""
        return LOOK_COST_M + (OPEN_COST_M if self.shut else 0.0)

    @property
    def worth(self) -> float:
        """Probability by cost."""
        return self.probability / (self.travel_m + self.look_m)

    @property
    def told(self) -> str:
        """What and where it is, in words."""
        return f"{self.name} in the {self.room}" if self.room else self.name


def openable(label: str) -> bool:
    """Whether a label names a drawer, or the door of a container."""
    words = words_of(label)
    if not words:
        return False
    door = words[-1] == "door" and bool(OPENABLE_DOORS.intersection(words[:-1]))
    return words[-1] in OPENABLE or door


def supports(label: str) -> bool:
    """Whether small things are put on what a label names."""
    words = words_of(label)
    head = words[-1] if words else ""
    return head in SUPPORTS - FLOOR_COVERS and not openable(label)


def has_boards(label: str) -> bool:
    """Whether things stand inside of what a label names, one board above the other."""
    words = words_of(label)
    return bool(words) and words[-1] in BOARDS


def regions_for(
    context: Context,
    thing: str,
    *,
    travel_m: Callable[[Vector3], float] = lambda at: 0.0,
    within: str = "",
    looked: Sequence[LookedFor] = (),
    seen_until_ns: int = 0,
) -> tuple[Region, ...]:
    """Where to search for a thing, the most worth a visit first.

    Args:
        context: A question about the thing, grounded.
        thing: What it is called.
        travel_m: Way from here to a position of the map.
        within: A room or piece of furniture that the search is limited to; "" for everywhere.
        looked: Looks for the thing: where it was not, it may only have come since.
        seen_until_ns: Pictures until then count too; see `Knowledge.regions`.
    """
    scene = context.scene
    if scene is None:
        return ()
    names = searchable(scene)
    found = np.array(list(names), np.int64)
    if within and len(found):
        named = _within(context, scene, found, within)
        found = found[named] if named.any() else found
    if not len(found):
        return ()
    shut = [openable(names[number]) for number in found.tolist()]
    kinds = room_kinds(context, scene, found)
    weights = np.where(np.array(shut)[:, None], PUT_AWAY, LYING_ABOUT)
    score = (evidence(context, scene, found, thing, kinds) * weights).sum(axis=1)
    away = SHUT_AWAY[bool(of_kind(scene, thing).any())]
    chance = _shared(np.exp(score), np.array(shut), away)
    boards = np.array([has_boards(names[number]) for number in found.tolist()])
    chance = chance * unseen(
        context, found, thing, shut=np.array(shut), plain=~(np.array(shut) | boards),
        looked=looked, seen_until_ns=seen_until_ns,
    )  # fmt: skip
    chance = chance / chance.sum()
    regions: list[Region] = []
    for place, number in enumerate(found.tolist()):
        x, y, z = scene.thing_position[number].tolist()
        label, at = names[number], (x, y, z)
        if any(r.name == label and math.dist(r.centre, at) < APART_M for r in regions):
            continue
        entity = int(scene.entity[number])
        size = scene.entities[entity].size if entity >= 0 else (0.0, 0.0, 0.0)
        regions.append(
            Region(label, kinds[place], at, size, shut[place], float(chance[place]), travel_m(at))
        )
    return tuple(sorted(regions, key=lambda region: -region.worth))


def _shared(chance: FloatArray, shut: BoolArray, away: float) -> FloatArray:
    """Chances, shape (n,), of which a share falls to what is shut, where there is both."""
    if shut.all() or not shut.any():
        return chance
    inside, outside = chance[shut].sum(), chance[~shut].sum()
    return np.asarray(np.where(shut, chance * away / inside, chance * (1 - away) / outside))


def room_kinds(context: Context, scene: Scene, found: IntArray) -> list[str]:
    """The kinds of the rooms that n things are in; "" where nothing tells."""
    rooms = rooms_of(scene, context.encode)
    numbers = rooms_of_things(scene, rooms)[found]
    return [rooms[number].kind if number >= 0 else "" for number in numbers.tolist()]


def searchable(scene: Scene) -> dict[int, str]:
    """What can be searched now, names by number of thing, ascending: surfaces, drawers and doors.

    Drawers and doors are found by their handles where they have one: several drawers of one front
    are one thing to a detector as often as not; handles are apart.
    """
    labels = [scene.labels[label] for label in scene.thing_label]
    fronts = [number for number, label in enumerate(labels) if openable(label)]
    named = {n: label for n, label in enumerate(labels) if is_surface(label, _extent(scene, n))}
    without = set(fronts)
    for number, label in enumerate(labels):
        if not is_handle(label):
            continue
        gap = np.linalg.norm(
            scene.thing_position[fronts] - scene.thing_position[number], axis=1
        )  # fmt: skip
        near = [fronts[n] for n in np.argsort(gap).tolist() if gap[n] <= HANDLE_M]
        if near:
            named[number] = labels[near[0]]
            without.difference_update(near)
    named |= {number: labels[number] for number in without}
    if not named:
        return {}
    numbers = np.array(sorted(named), np.int64)
    there = ~left(scene, numbers) & scene.placed[numbers]
    return {number: named[number] for number in numbers[there].tolist()}


def _extent(scene: Scene, thing: int) -> float:
    """The greatest extent of a thing, as measured, metres; 0 where it is unknown."""
    entity = int(scene.entity[thing])
    return max(scene.entities[entity].size) if entity >= 0 else 0.0


def is_surface(label: str, extent_m: float) -> bool:
    """Whether things are put on, or in, what a label names, and it is no small thing itself."""
    words = words_of(label)
    holds = bool(words) and words[-1] in CONTAINERS
    large = max(extent_m, *typical_size(words)) >= LARGE_M
    return not openable(label) and large and (supports(label) or holds)


def _within(context: Context, scene: Scene, found: np.ndarray, name: str) -> np.ndarray:
    """Which pieces are, or stand in, what a name means."""
    rooms = rooms_of(scene, context.encode)
    numbers = rooms_of_things(scene, rooms)
    called = room_meant(scene, rooms, name, context.encode)[:1]
    return np.asarray(np.isin(numbers[found], called) | of_kind(scene, name)[found])


def evidence(
    context: Context, scene: Scene, found: IntArray, thing: str, rooms: Sequence[str]
) -> FloatArray:
    """What speaks for a thing being at pieces of furniture.

    Args:
        context: A question about the thing, grounded.
        scene: What is known.
        found: Numbers of n things of the scene, from `searchable`.
        thing: What it is called.
        rooms: The kinds of the rooms that they are in, from `room_kinds`.

    Returns:
        Shape (n, 6), columns as `LYING_ABOUT` and `PUT_AWAY` weigh them.
    """
    sorts = sorts_of(thing, context.encode)
    furniture = _furniture(scene, found)
    alike = name_similarity(scene, [thing], context.encode)[0]
    named = np.zeros(len(found))
    if context.encode is not None:
        named = context.encode(furniture) @ context.encode([thing])[0]
    was = set(room_kinds(context, scene, np.flatnonzero(of_kind(scene, thing)))) - {""}
    return np.column_stack([
        kept_in(sorts, rooms), kept_on(sorts, furniture), named,
        (scene.tight[found] * alike[None, :]).max(axis=1), np.log(_areas_m2(scene, found)),
        [room in was for room in rooms],
    ])  # fmt: skip


def _areas_m2(scene: Scene, found: IntArray) -> FloatArray:
    """What pieces of furniture cover of the floor, shape (n,); typical where it is unknown."""
    sizes = [
        scene.entities[entity].size[:2] if entity >= 0 else (0.0, 0.0)
        for entity in scene.entity[found].tolist()
    ]
    areas = np.prod(np.reshape(sizes, (-1, 2)), axis=1)
    return np.asarray(np.where(areas > 0, areas.clip(LEAST_M2, MOST_M2), TYPICAL_M2))


def _furniture(scene: Scene, found: IntArray) -> list[str]:
    """The labels of furniture; of a drawer or door that of the piece it is a part of."""
    labels = [scene.labels[label] for label in scene.thing_label]
    pieces = [
        n for n, label in enumerate(labels) if not openable(label) and _may_have_fronts(label)
    ]
    at, floor = scene.thing_position[:, :2], scene.thing_floor
    told = []
    for number in found.tolist():
        label = labels[number]
        if len(pieces) and (openable(label) or is_handle(label)):
            gap = np.linalg.norm(at[pieces] - at[number], axis=1)
            gap = np.where(floor[pieces] == floor[number], gap, np.inf)
            nearest = int(gap.argmin())
            label = labels[pieces[nearest]] if gap[nearest] <= FRONT_M else label
        told.append(label)
    return told


def _may_have_fronts(label: str) -> bool:
    """Whether what a label names may have drawers or doors."""
    words = words_of(label)
    return bool(words) and words[-1] in FRONTED
