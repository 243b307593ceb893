"""Plans of homes: rooms on one or two floors, furniture, and the household's things, from a seed.

Nothing here needs a simulator: a plan is the list of what `world` builds, and the ground truth
that `truth` scores against. What changes from day to day is told by `people`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from memory_core.planning.body import Lift
from memory_core.types import Pose
from memory_sim.worlds.home.cabinets import Surface
from memory_sim.worlds.home.furnishing import Furniture, doors, furnish, open_leaf
from memory_sim.worlds.home.layout import (
    LOWER,
    ROOM_SIZES,
    STOREY_M,
    Doorway,
    Layout,
    Room,
    Wall,
    lay_out,
    walls_of,
)
from memory_sim.worlds.home.passages import FloorGrid, Rectangle
from memory_sim.worlds.home.placing import (
    Footprint,
    Spot,
    Thing,
    find_spot,
    footprint,
    suitability,
)
from memory_sim.worlds.home.things import HOMES, THINGS

FEWEST_ROOMS, MOST_ROOMS = 4, 12
FEWEST_THINGS, MOST_THINGS = 25, 60
PASSAGE_RADIUS_M = 0.4
"""Passages are at least twice this wide."""
STANDING_RADIUS_M = 0.3
"""A robot this wide can stand in front of all furniture that things are put on or in."""
HIDDEN = 0.5
"""How much less likely a thing is kept in a drawer or behind a door than on something."""


@dataclass(frozen=True)
class HomePlan:
    """Everything of a home before its first day.

    Attributes:
        seed: What it was made from.
        rooms: All rooms, with hallways and lift cabins.
        doorways: The gaps between them.
        walls: All walls.
        furniture: All furniture, and the doors.
        things: All small things, also those that are brought later.
        dock: Where the robot starts each day, `map`.
        lift: The lift; None in homes of one floor.
    """

    seed: int
    rooms: tuple[Room, ...]
    doorways: tuple[Doorway, ...]
    walls: tuple[Wall, ...]
    furniture: tuple[Furniture, ...]
    things: tuple[Thing, ...]
    dock: Pose
    lift: Lift | None

    @property
    def floors(self) -> int:
        """How many storeys it has."""
        return 1 + max(room.floor for room in self.rooms)

    @cached_property
    def furniture_by_id(self) -> dict[str, Furniture]:
        """Each piece of furniture under its id."""
        return {piece.id: piece for piece in self.furniture}

    @cached_property
    def thing_by_id(self) -> dict[str, Thing]:
        """Each thing under its id."""
        return {thing.id: thing for thing in self.things}

    @cached_property
    def room_by_name(self) -> dict[str, Room]:
        """Each room under its name."""
        return {room.name: room for room in self.rooms}

    def room_at(self, x: float, y: float, z: float = 0.0) -> Room | None:
        """The room a point is in; None outside."""
        floor = min(max(int((z + 0.2) // STOREY_M), 0), self.floors - 1)
        return next((r for r in self.rooms if r.floor == floor and r.holds(x, y)), None)

    def surface(self, spot: Spot) -> Surface:
        """The surface a spot is on."""
        kind = self.furniture_by_id[spot.furniture].kind
        return next(surface for surface in kind.surfaces if surface.name == spot.surface)


def plan_home(seed: int, *, rooms: int | None = None, floors: int | None = None) -> HomePlan:
    """Draw a home.

    Args:
        seed: The same seed gives the same home.
        rooms: 4 to 12, hallways and lift not counted; None draws a number.
        floors: 1 or 2; None draws it: the more rooms, the rather two.

    Raises:
        ValueError: Another number of rooms or floors.
    """
    if rooms is not None and not FEWEST_ROOMS <= rooms <= MOST_ROOMS:
        raise ValueError(f"{rooms} rooms; expected {FEWEST_ROOMS} to {MOST_ROOMS}")
    if floors not in (None, 1, 2):
        raise ValueError(f"{floors} floors; expected 1 or 2")
    for attempt in range(200):
        plan = _drawn(seed, np.random.default_rng([seed, attempt]), rooms, floors)
        if plan is not None:
            return plan
    raise ValueError(f"no home for seed {seed} with {rooms} rooms on {floors} floors")


def _drawn(
    seed: int, random: np.random.Generator, rooms: int | None, floors: int | None
) -> HomePlan | None:
    """One attempt; None where furniture did not fit or a way is blocked."""
    count = rooms or int(random.integers(FEWEST_ROOMS, MOST_ROOMS + 1))
    levels = floors or (2 if random.random() < (count - 4) / 9 else 1)
    layout = lay_out(_kinds(count, levels, random), random)
    furniture: list[Furniture] = doors(layout.doorways, layout.rooms)
    opened = list(furniture)
    for room in layout.rooms:
        leaves = [open_leaf(door) for door in opened if door.room == room.name]
        for _ in range(20):
            placed = furnish(room, layout.doorways, leaves, random)
            if placed is not None:
                furniture += placed
                break
        else:
            return None
    walls = walls_of(layout)
    dock = _dock(layout, walls, furniture, random)
    if dock is None:
        return None
    things = _things(layout.rooms, furniture, count, random)
    if sum(thing.spot is not None for thing in things) < FEWEST_THINGS:
        return None
    return HomePlan(seed, layout.rooms, layout.doorways, walls, tuple(furniture), things, dock,
                    _lift(layout.rooms))  # fmt: skip


def _kinds(count: int, floors: int, random: np.random.Generator) -> tuple[tuple[str, ...], ...]:
    """Kinds of rooms by floor."""
    always = ["kitchen", "living room", "bedroom", "bathroom"]
    others = [kind for kind in ROOM_SIZES if kind not in always]
    chosen = [*always, *(str(kind) for kind in random.permutation(others)[: count - len(always)])]
    if floors == 1:
        return (tuple(chosen),)
    ranked = sorted(chosen, key=lambda kind: kind not in LOWER)
    cut = min(max(sum(kind in LOWER for kind in chosen), count // 3, 2), count - 2)
    return tuple(ranked[:cut]), tuple(ranked[cut:])


def _lift(rooms: Sequence[Room]) -> Lift | None:
    cabins = sorted((room for room in rooms if room.kind == "lift"), key=lambda room: room.floor)
    if not cabins:
        return None
    return Lift(tuple(Pose.from_yaw(*cabin.centre, z=cabin.z) for cabin in cabins))


def obstacles(
    floor: int, walls: Sequence[Wall], furniture: Sequence[Furniture], rooms: Sequence[Room]
) -> list[Rectangle]:
    """What stands on a floor: walls, furniture, and doors as they stand open."""
    z = floor * STOREY_M
    floors = {room.name: room.floor for room in rooms}
    found: list[Rectangle] = []
    for wall in walls:
        if abs(wall.centre[2] - wall.size[2] / 2 - z) < 0.01:
            (x, y, _), (w, d, _) = wall.centre, wall.size
            found.append((x - w / 2, y - d / 2, x + w / 2, y + d / 2))
    for piece in furniture:
        if floors[piece.room] == floor:
            found.append(open_leaf(piece) if piece.label == "door" else piece.rectangle)
    return found


def _dock(
    layout: Layout,
    walls: Sequence[Wall],
    furniture: Sequence[Furniture],
    random: np.random.Generator,
) -> Pose | None:
    """A free pose in the lower hallway; None where not all that is used can be reached from it."""
    dock: Pose | None = None
    floors = {room.name: room.floor for room in layout.rooms}
    for floor in range(1 + max(floors.values())):
        taken = obstacles(floor, walls, furniture, layout.rooms)
        grid = FloorGrid(taken, radius_m=PASSAGE_RADIUS_M)
        close = FloorGrid(taken, radius_m=STANDING_RADIUS_M)
        hall = next(r for r in layout.rooms if r.kind == "hallway" and r.floor == floor)
        start = _clearest(hall, grid, random)
        region, near = grid.region(*start), close.region(*start)
        doorways = [d.centre for d in layout.doorways if d.floor == floor]
        fronts = [
            piece.standing().position[:2]
            for piece in furniture
            if floors[piece.room] == floor and piece.kind.surfaces
        ]
        passable = region and all(grid.region(x, y) == region for x, y in doorways)
        if not passable or any(close.region(x, y) != near for x, y in fronts):
            return None
        if dock is None:
            yaw = float(random.uniform(-math.pi, math.pi))
            dock = Pose.from_yaw(*start, z=hall.z, yaw=yaw)
    return dock


def _clearest(hall: Room, grid: FloorGrid, random: np.random.Generator) -> tuple[float, float]:
    """The drawn point of a hallway with most room around it."""
    low, high = np.array(hall.low) + 0.5, np.array(hall.high) - 0.5
    drawn = random.uniform(low, np.maximum(high, low + 0.01), size=(12, 2))
    best = max(drawn.tolist(), key=lambda point: grid.clearance(point[0], point[1]))
    return best[0], best[1]


def _things(
    rooms: Sequence[Room], furniture: Sequence[Furniture], count: int, random: np.random.Generator
) -> tuple[Thing, ...]:
    """The household's things: most have a place, a few are brought later."""
    kinds_of = {room.name: room.kind for room in rooms}
    present = {room.kind for room in rooms}
    wanted = int(np.clip(round(4.6 * count + float(random.uniform(2, 9))), FEWEST_THINGS + 3,
                         MOST_THINGS))  # fmt: skip
    spare = 4 + count // 3
    drawn = _draw_kinds(wanted + spare, present, random)
    several = {kind for kind, _ in drawn if sum(kind == other for other, _ in drawn) > 1}
    taken: dict[tuple[str, str], list[Footprint]] = {}
    things: list[Thing] = []
    numbers: dict[str, int] = {}
    for index, (kind, colour) in enumerate(drawn):
        numbers[kind] = numbers.get(kind, 0) + 1
        label = f"{colour} {kind}" if kind in several else kind
        scale = float(random.choice([0.9, 1.0, 1.0, 1.1]))
        thing = Thing(f"{kind} {numbers[kind]}", kind, label, colour, scale, None)
        spot = None
        if index >= spare:
            spot = belonging_spot(thing, furniture, kinds_of, taken, random)
            if spot is None:
                continue
            taken.setdefault((spot.furniture, spot.surface), []).append(footprint(thing, spot))
        things.append(Thing(thing.id, kind, label, colour, scale, spot))
    return tuple(things)


def _draw_kinds(count: int, rooms: set[str], random: np.random.Generator) -> list[tuple[str, str]]:
    """Kinds and colours, several of some kinds, none twice alike, in a drawn order."""
    worth = {
        name: sum(w for room, w in HOMES[kind.home].rooms.items() if room in rooms)
        for name, kind in THINGS.items()
    }
    names = [name for name, weight in worth.items() if weight > 0]
    weights = np.sqrt([worth[name] for name in names])
    order = random.choice(names, size=len(names), replace=False, p=weights / weights.sum())
    drawn: list[tuple[str, str]] = []
    for name in map(str, order):
        colours = THINGS[name].colours
        alike = int(random.choice([1, 2, 3])) if len(colours) > 2 else int(random.choice([1, 1, 2]))
        for colour in random.permutation(colours)[:alike]:
            drawn.append((name, str(colour)))
        if len(drawn) >= count:
            break
    drawn = drawn[:count]
    return [drawn[int(i)] for i in random.permutation(len(drawn))]


def belonging_spot(
    thing: Thing,
    furniture: Sequence[Furniture],
    room_kinds: dict[str, str],
    taken: dict[tuple[str, str], list[Footprint]],
    random: np.random.Generator,
    *,
    anywhere: bool = False,
) -> Spot | None:
    """A free spot for a thing, drawn by how well furniture suits it.

    Args:
        thing: What needs a place.
        furniture: Where it may be put.
        room_kinds: Kind of each room by its name.
        taken: What stands on each surface, by furniture and surface.
        random: Where the differences come from.
        anywhere: Whether things that do not belong there are put there all the same.
    """
    choices: list[tuple[Furniture, Surface]] = []
    weights: list[float] = []
    for piece in furniture:
        suits = suitability(thing.kind, piece, room_kinds[piece.room])
        suits = 1.0 if anywhere else suits
        for surface in piece.kind.surfaces if suits > 0 else ():
            choices.append((piece, surface))
            weights.append(suits * (HIDDEN if surface.opening else 1.0) / len(piece.kind.surfaces))
    for _ in range(30 if choices else 0):
        share = np.array(weights) / sum(weights)
        piece, surface = choices[int(random.choice(len(choices), p=share))]
        spot = find_spot(thing, piece, surface, taken.get((piece.id, surface.name), ()), random)
        if spot is not None:
            return spot
    return None
