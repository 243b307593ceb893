"""The plan of a house: rooms, walls, doors, furniture and things, all from a seed.

Rooms of named kinds lie in two rows along a hallway. Furniture stands along the walls, small
things lie on it. Nothing here needs a simulator: it is the list of what the simulator builds,
and the ground truth that a demonstration is scored against.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

ROOM_M = 4.0
HALL_M = 1.8
WALL_M = 0.1
WALL_HEIGHT_M = 2.2
DOOR_M = 1.0

Colour = tuple[float, float, float]
RED: Colour = (0.85, 0.08, 0.08)
GREEN: Colour = (0.1, 0.6, 0.15)
BLUE: Colour = (0.1, 0.2, 0.85)
YELLOW: Colour = (0.95, 0.85, 0.1)
WHITE: Colour = (0.93, 0.93, 0.93)
BLACK: Colour = (0.08, 0.08, 0.08)
WOOD: Colour = (0.55, 0.36, 0.2)
GREY: Colour = (0.5, 0.5, 0.55)
PINK: Colour = (0.95, 0.55, 0.65)


@dataclass(frozen=True, slots=True)
class Part:
    """A solid of a thing: shape, size, place in the thing's frame, colour.

    Attributes:
        shape: `box` (size x, y, z), `cylinder` (radius, -, height) or `sphere` (radius).
        size: Metres.
        offset: Centre in the thing's frame, metres; the thing stands on z = 0.
        colour: Red, green, blue, 0 to 1.
    """

    shape: str
    size: tuple[float, float, float]
    offset: tuple[float, float, float]
    colour: Colour


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of thing: its label, its solids or a model of `pybullet_data`, and its footprint.

    Attributes:
        label: What a detector calls it.
        parts: Solids; empty where a model is used.
        model: URDF in `pybullet_data`.
        footprint: Width and depth, metres.
        top: Height at which things can be put on it; 0 where none can.
        scale: Of the model.
    """

    label: str
    parts: tuple[Part, ...] = ()
    model: str = ""
    footprint: tuple[float, float] = (0.2, 0.2)
    top: float = 0.0
    scale: float = 1.0


def _box(label: str, x: float, y: float, z: float, colour: Colour, *, top: bool = False) -> Kind:
    part = Part("box", (x, y, z), (0, 0, z / 2), colour)
    return Kind(label, (part,), footprint=(x, y), top=z if top else 0.0)


def _table(label: str, x: float, y: float, z: float, colour: Colour) -> Kind:
    legs = tuple(
        Part("box", (0.05, 0.05, z), (sx * (x / 2 - 0.05), sy * (y / 2 - 0.05), z / 2), colour)
        for sx in (-1, 1)
        for sy in (-1, 1)
    )
    slab = Part("box", (x, y, 0.04), (0, 0, z - 0.02), colour)
    return Kind(label, (*legs, slab), footprint=(x, y), top=z)


def _chair(label: str, colour: Colour) -> Kind:
    return Kind(
        label,
        (
            Part("box", (0.4, 0.4, 0.05), (0, 0, 0.43), colour),
            Part("box", (0.05, 0.4, 0.45), (-0.18, 0, 0.66), colour),
            Part("cylinder", (0.04, 0, 0.42), (0, 0, 0.21), BLACK),
        ),
        footprint=(0.45, 0.45),
    )


def _mug(label: str, colour: Colour) -> Kind:
    return Kind(
        label,
        (
            Part("cylinder", (0.05, 0, 0.12), (0, 0, 0.06), colour),
            Part("box", (0.03, 0.015, 0.07), (0.06, 0, 0.06), colour),
        ),
        footprint=(0.12, 0.12),
    )


SOFA = Kind(
    "sofa",
    (
        Part("box", (1.8, 0.8, 0.42), (0, 0, 0.21), BLUE),
        Part("box", (1.8, 0.2, 0.8), (0, 0.3, 0.4), BLUE),
    ),
    footprint=(1.8, 0.8),
    top=0.43,
)
BED = Kind(
    "bed",
    (
        Part("box", (1.4, 2.0, 0.4), (0, 0, 0.2), WOOD),
        Part("box", (1.36, 1.9, 0.15), (0, 0, 0.47), WHITE),
        Part("box", (1.4, 0.06, 0.9), (0, 0.97, 0.45), WOOD),
    ),
    footprint=(1.4, 2.0),
    top=0.55,
)
TOILET = Kind(
    "toilet",
    (
        Part("cylinder", (0.2, 0, 0.4), (0, 0, 0.2), WHITE),
        Part("box", (0.4, 0.2, 0.75), (0, 0.25, 0.38), WHITE),
    ),
    footprint=(0.45, 0.65),
)
LAMP = Kind(
    "floor lamp",
    (
        Part("cylinder", (0.02, 0, 1.4), (0, 0, 0.7), BLACK),
        Part("cylinder", (0.2, 0, 0.3), (0, 0, 1.5), YELLOW),
        Part("cylinder", (0.15, 0, 0.03), (0, 0, 0.02), BLACK),
    ),
    footprint=(0.4, 0.4),
)
PLANT = Kind(
    "plant",
    (
        Part("cylinder", (0.14, 0, 0.25), (0, 0, 0.13), WOOD),
        Part("sphere", (0.25, 0, 0), (0, 0, 0.5), GREEN),
    ),
    footprint=(0.5, 0.5),
)

FURNITURE: dict[str, tuple[Kind, ...]] = {
    "kitchen": (
        _table("kitchen table", 1.2, 0.8, 0.74, WOOD),
        _box("refrigerator", 0.65, 0.65, 1.7, WHITE),
        _box("stove", 0.6, 0.6, 0.88, BLACK, top=True),
        _box("kitchen counter", 1.2, 0.6, 0.88, GREY, top=True),
        _chair("chair", WOOD),
        _chair("chair", WOOD),
    ),
    "living room": (
        SOFA,
        _table("coffee table", 1.0, 0.6, 0.42, WOOD),
        _box("tv", 1.2, 0.12, 0.9, BLACK),
        _box("bookshelf", 0.9, 0.3, 1.6, WOOD),
        LAMP,
        PLANT,
    ),
    "bedroom": (
        BED,
        _box("nightstand", 0.45, 0.4, 0.5, WOOD, top=True),
        _box("wardrobe", 1.2, 0.6, 1.9, WHITE),
        LAMP,
    ),
    "bathroom": (
        TOILET,
        _box("bathtub", 1.6, 0.7, 0.5, WHITE),
        _box("washbasin", 0.6, 0.45, 0.85, WHITE, top=True),
        _box("laundry basket", 0.4, 0.4, 0.6, PINK),
    ),
    "office": (
        _table("desk", 1.4, 0.7, 0.74, GREY),
        _chair("office chair", BLACK),
        _box("filing cabinet", 0.45, 0.5, 1.1, GREY, top=True),
        _box("bookshelf", 0.9, 0.3, 1.6, WOOD),
        PLANT,
    ),
    "dining room": (
        _table("dining table", 1.6, 0.9, 0.74, WOOD),
        _chair("chair", RED),
        _chair("chair", RED),
        _chair("chair", RED),
        _box("china cabinet", 1.0, 0.4, 1.5, WOOD),
    ),
}
THINGS: dict[str, tuple[Kind, ...]] = {
    "kitchen": (
        _mug("red mug", RED), _mug("green mug", GREEN),
        Kind("kettle", (Part("sphere", (0.1, 0, 0), (0, 0, 0.1), GREY),
                        Part("cylinder", (0.03, 0, 0.08), (0, 0, 0.22), BLACK)), footprint=(0.2, 0.2)),
    ),
    "living room": (
        _box("remote control", 0.18, 0.06, 0.03, BLACK),
        Kind("soccer ball", model="soccerball.urdf", footprint=(0.22, 0.22), scale=0.22),
    ),
    "bedroom": (
        _box("alarm clock", 0.14, 0.1, 0.12, RED),
        _box("pillow", 0.5, 0.35, 0.12, PINK),
    ),
    "bathroom": (
        Kind("rubber duck", model="duck_vhacd.urdf", footprint=(0.15, 0.15), scale=1.6),
        _box("towel", 0.35, 0.25, 0.1, GREEN),
    ),
    "office": (
        _box("laptop", 0.34, 0.25, 0.2, BLACK),
        _mug("blue mug", BLUE),
        _box("telephone", 0.2, 0.18, 0.1, YELLOW),
    ),
    "dining room": (
        Kind("fruit bowl", (Part("cylinder", (0.16, 0, 0.08), (0, 0, 0.04), WHITE),
                            Part("sphere", (0.06, 0, 0), (0.05, 0.03, 0.11), RED),
                            Part("sphere", (0.06, 0, 0), (-0.06, 0, 0.11), YELLOW)), footprint=(0.34, 0.34)),
        _box("candle", 0.07, 0.07, 0.25, YELLOW),
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Room:
    """A room: kind, corner with the smallest coordinates, size, and where its door is."""

    kind: str
    low: tuple[float, float]
    size: tuple[float, float]
    door: tuple[float, float]

    @property
    def centre(self) -> tuple[float, float]:
        """Its middle, metres."""
        return self.low[0] + self.size[0] / 2, self.low[1] + self.size[1] / 2

    def holds(self, x: float, y: float) -> bool:
        """Whether a point is inside."""
        return (
            self.low[0] <= x <= self.low[0] + self.size[0]
            and self.low[1] <= y <= self.low[1] + self.size[1]
        )


@dataclass(frozen=True, slots=True)
class Placed:
    """A thing in its place: kind, position of its foot (metres), heading (radians), room."""

    kind: Kind
    position: tuple[float, float, float]
    yaw: float
    room: str


@dataclass(frozen=True, slots=True)
class Wall:
    """A wall: centre and size, metres."""

    centre: tuple[float, float, float]
    size: tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class HousePlan:
    """Everything of a house.

    Attributes:
        seed: What it was made from.
        rooms: The rooms, the hallway not among them.
        hallway: The hallway.
        walls: All walls.
        things: Furniture and things.
    """

    seed: int
    rooms: tuple[Room, ...]
    hallway: Room
    walls: tuple[Wall, ...]
    things: tuple[Placed, ...]

    def room_at(self, x: float, y: float) -> str:
        """The kind of room a point is in; `hallway` outside all rooms."""
        return next((room.kind for room in self.rooms if room.holds(x, y)), "hallway")


def plan_house(seed: int, *, rooms: int = 6) -> HousePlan:
    """Draw a house.

    Args:
        seed: The same seed gives the same house.
        rooms: 2 to 6.

    Raises:
        ValueError: Another number of rooms.
    """
    if not 2 <= rooms <= len(FURNITURE):
        raise ValueError(f"{rooms} rooms; expected 2 to {len(FURNITURE)}")
    random = np.random.default_rng(seed)
    kinds = [str(kind) for kind in random.permutation(list(FURNITURE))[:rooms]]
    per_row = -(-rooms // 2)
    placed_rooms = []
    for number, kind in enumerate(kinds):
        row, column = divmod(number, per_row)
        low = (column * ROOM_M, 0.0 if row == 0 else ROOM_M + HALL_M)
        door_x = low[0] + ROOM_M / 2 + float(random.uniform(-0.6, 0.6))
        door_y = ROOM_M if row == 0 else ROOM_M + HALL_M
        placed_rooms.append(Room(kind, low, (ROOM_M, ROOM_M), (door_x, door_y)))
    hallway = Room("hallway", (0.0, ROOM_M), (per_row * ROOM_M, HALL_M), (0.0, ROOM_M + HALL_M / 2))
    things = [thing for room in placed_rooms for thing in _furnish(room, random)]
    things += _doors(placed_rooms)
    return HousePlan(
        seed, tuple(placed_rooms), hallway, tuple(_walls(placed_rooms, hallway)), tuple(things)
    )


def _walls(rooms: list[Room], hallway: Room) -> list[Wall]:
    walls = []
    z = WALL_HEIGHT_M / 2
    for room in rooms:
        (x, y), (w, d) = room.low, room.size
        for centre, size in (
            ((x, y + d / 2), (WALL_M, d)),
            ((x + w, y + d / 2), (WALL_M, d)),
        ):
            walls.append(Wall((*centre, z), (*size, WALL_HEIGHT_M)))
        outer = y if room.door[1] > y + d / 2 else y + d
        walls.append(Wall((x + w / 2, outer, z), (w, WALL_M, WALL_HEIGHT_M)))
        for start, end in ((x, room.door[0] - DOOR_M / 2), (room.door[0] + DOOR_M / 2, x + w)):
            length = end - start
            walls.append(
                Wall(((start + end) / 2, room.door[1], z), (length, WALL_M, WALL_HEIGHT_M))
            )
    length, y = hallway.size[0], hallway.low[1] + HALL_M / 2
    walls.append(Wall((0.0, y, z), (WALL_M, HALL_M, WALL_HEIGHT_M)))
    walls.append(Wall((length, y, z), (WALL_M, HALL_M, WALL_HEIGHT_M)))
    if len(rooms) % 2:  # the second row is one room shorter: close the hallway there
        x = length - ROOM_M / 2
        walls.append(Wall((x, ROOM_M + HALL_M, z), (ROOM_M, WALL_M, WALL_HEIGHT_M)))
    return walls


def _doors(rooms: list[Room]) -> list[Placed]:
    """An open door leaf beside every doorway, inside the room."""
    leaf = Kind("door", (Part("box", (0.05, 0.9, 2.0), (0, 0, 1.0), WOOD),), footprint=(0.05, 0.9))
    placed = []
    for room in rooms:
        inward = -0.5 if room.door[1] > room.centre[1] else 0.5
        x, y = room.door[0] - DOOR_M / 2 - 0.02, room.door[1] + inward
        placed.append(Placed(leaf, (x, y, 0.0), 0.0, room.kind))
    return placed


def _furnish(room: Room, random: np.random.Generator) -> list[Placed]:
    """Furniture along the walls away from the door, small things on top of it."""
    placed: list[Placed] = []
    for kind in FURNITURE[room.kind]:
        spot = free_spot(room, kind, placed, random)
        if spot is not None:
            placed.append(spot)
    tops = [item for item in placed if item.kind.top > 0]
    for kind in THINGS[room.kind]:
        free = [item for item in tops if fits_on(kind, item, placed)]
        if not free:
            continue
        under = free[int(random.integers(len(free)))]
        placed.append(put_on(kind, under, placed, random))
    return placed


def free_spot(
    room: Room, kind: Kind, placed: Sequence[Placed], random: np.random.Generator
) -> Placed | None:
    """Somewhere along a wall of a room where a thing fits; None where 200 tries found nothing."""
    (x, y), (w, d) = room.low, room.size
    front = room.door[1] > room.centre[1]
    sides = [(0.0, -1.0), (0.0, 1.0), (-1.0, 0.0), (1.0, 0.0)]
    for _ in range(200):
        side = sides[int(random.integers(len(sides)))]
        along = float(random.uniform(-1, 1))
        yaw = math.atan2(side[1], side[0]) - math.pi / 2
        turned = abs(side[0]) > 0.5
        width, depth = kind.footprint if not turned else kind.footprint[::-1]
        gap = WALL_M / 2 + 0.06
        px = (
            x
            + w / 2
            + (side[0] * (w / 2 - width / 2 - gap) if turned else along * (w / 2 - width / 2 - gap))
        )
        py = (
            y
            + d / 2
            + (
                side[1] * (d / 2 - depth / 2 - gap)
                if not turned
                else along * (d / 2 - depth / 2 - gap)
            )
        )
        if math.hypot(px - room.door[0], py - room.door[1]) < 1.3 + max(width, depth) / 2:
            continue
        at_door_wall = (side[1] > 0.5) == front and not turned
        if at_door_wall and abs(px - room.door[0]) < DOOR_M + width / 2:
            continue
        if math.hypot(px - room.centre[0], py - room.centre[1]) < 0.7 + min(width, depth) / 2:
            continue
        if all(_apart(px, py, width, depth, other) for other in placed):
            return Placed(kind, (px, py, 0.0), yaw, room.kind)
    return None


def _apart(x: float, y: float, width: float, depth: float, other: Placed) -> bool:
    turned = abs(math.sin(other.yaw)) > 0.5
    w, d = other.kind.footprint[::-1] if turned else other.kind.footprint
    margin = 0.12
    return (
        abs(x - other.position[0]) > (width + w) / 2 + margin
        or abs(y - other.position[1]) > (depth + d) / 2 + margin
    )


def _top_extent(under: Placed) -> tuple[float, float]:
    turned = abs(math.sin(under.yaw)) > 0.5
    return under.kind.footprint[::-1] if turned else under.kind.footprint


def fits_on(kind: Kind, under: Placed, placed: Sequence[Placed]) -> bool:
    """Whether a thing can still be put on a piece of furniture."""
    width, depth = _top_extent(under)
    others = sum(
        abs(p.position[2] - under.kind.top) < 1e-6
        and math.dist(p.position[:2], under.position[:2]) < max(width, depth) / 2
        for p in placed
    )
    return (
        others < (2 if max(width, depth) > 0.8 else 1)
        and kind.footprint[0] < width
        and kind.footprint[1] < depth
    )


def put_on(
    kind: Kind, under: Placed, placed: Sequence[Placed], random: np.random.Generator
) -> Placed:
    """A thing on a piece of furniture, as far from the others there as 40 tries allow."""
    width, depth = _top_extent(under)
    reach = max(kind.footprint) / 2 + 0.04
    best, clearance = under.position, -1.0
    for _ in range(40):
        x = under.position[0] + float(random.uniform(-1, 1)) * max(0.0, width / 2 - reach)
        y = under.position[1] + float(random.uniform(-1, 1)) * max(0.0, depth / 2 - reach)
        nearest = min(
            (math.dist((x, y), p.position[:2]) for p in placed if p.position[2] > 0.01), default=9.0
        )
        if nearest > clearance:
            best, clearance = (x, y, under.kind.top), nearest
    return Placed(
        kind, (best[0], best[1], under.kind.top), float(random.uniform(-0.4, 0.4)), under.room
    )
