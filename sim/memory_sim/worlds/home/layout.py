"""Rooms, doorways and walls of a home: two rows of rooms along a hallway on each floor.

Two floors lie above each other with the lift at the same end. Everything is drawn along +x first
and then turned and shifted, so that homes do not all lie the same way.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

STOREY_M = 3.0
WALL_M = 0.1
WALL_HEIGHT_M = 2.5
DOOR_HEIGHT_M = 2.1
LIFT_M = 1.6

ROOM_SIZES: dict[str, tuple[float, float, float, float]] = {
    "kitchen": (3.8, 5.0, 3.6, 4.6),
    "living room": (4.4, 6.2, 4.4, 5.6),
    "bedroom": (3.8, 4.8, 3.8, 4.6),
    "bathroom": (2.9, 3.6, 2.8, 3.4),
    "dining room": (3.8, 5.0, 3.8, 4.8),
    "office": (3.4, 4.4, 3.4, 4.2),
    "children's room": (3.6, 4.6, 3.6, 4.4),
    "laundry room": (2.9, 3.6, 2.9, 3.5),
    "guest room": (3.6, 4.6, 3.6, 4.4),
    "workshop": (3.4, 4.6, 3.4, 4.4),
    "library": (3.6, 4.8, 3.6, 4.6),
    "music room": (3.4, 4.4, 3.4, 4.4),
    "gym": (3.8, 5.0, 3.6, 4.6),
}
"""Least and greatest width, least and greatest depth of each kind of room, metres."""
NEIGHBOURS = (
    {"kitchen", "dining room"}, {"living room", "dining room"}, {"bedroom", "bathroom"},
    {"office", "library"}, {"laundry room", "bathroom"}, {"kitchen", "living room"},
)  # fmt: skip
"""Kinds between which there may be a doorway."""
LOWER = ("kitchen", "living room", "dining room", "workshop", "laundry room", "music room")
"""Kinds of rooms that lie on the lowest floor where there are two."""


@dataclass(frozen=True, slots=True)
class Room:
    """A room.

    Attributes:
        name: Unlike any other in the home: its kind, of the upper hallway `upper hallway`.
        kind: `kitchen`, `hallway`, `lift`...
        floor: 0 the lowest.
        low: Smallest x and y of the middle of its walls, metres.
        size: Along x and y, metres.
    """

    name: str
    kind: str
    floor: int
    low: tuple[float, float]
    size: tuple[float, float]

    @property
    def high(self) -> tuple[float, float]:
        """Largest x and y, metres."""
        return self.low[0] + self.size[0], self.low[1] + self.size[1]

    @property
    def centre(self) -> tuple[float, float]:
        """Its middle, metres."""
        return self.low[0] + self.size[0] / 2, self.low[1] + self.size[1] / 2

    @property
    def z(self) -> float:
        """Height of its floor, metres."""
        return self.floor * STOREY_M

    def holds(self, x: float, y: float) -> bool:
        """Whether a point of its floor's height is inside."""
        return self.low[0] <= x < self.high[0] and self.low[1] <= y < self.high[1]


@dataclass(frozen=True, slots=True)
class Doorway:
    """A gap in the wall between two rooms.

    Attributes:
        rooms: Names; a door leaf opens into the first.
        floor: 0 the lowest.
        centre: Of the gap, metres.
        along_x: Whether the wall runs along x.
        width_m: Of the gap.
        leaf: Whether there is a door in it.
    """

    rooms: tuple[str, str]
    floor: int
    centre: tuple[float, float]
    along_x: bool
    width_m: float
    leaf: bool

    @property
    def ends(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """The two ends of the gap, metres."""
        (x, y), half = self.centre, self.width_m / 2
        if self.along_x:
            return (x - half, y), (x + half, y)
        return (x, y - half), (x, y + half)


@dataclass(frozen=True, slots=True)
class Wall:
    """An upright box: centre and size, metres."""

    centre: tuple[float, float, float]
    size: tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Layout:
    """Rooms and the doorways between them."""

    rooms: tuple[Room, ...]
    doorways: tuple[Doorway, ...]


def lay_out(kinds: tuple[tuple[str, ...], ...], random: np.random.Generator) -> Layout:
    """Draw the rooms of a home.

    Args:
        kinds: Kinds of rooms by floor, each kind once.
        random: Where the differences come from.
    """
    hall_width = float(random.uniform(1.7, 2.2))
    rooms: list[Room] = []
    doorways: list[Doorway] = []
    for floor, names in enumerate(kinds):
        _lay_out_floor(floor, names, hall_width, random, rooms, doorways)
    if len(kinds) > 1:
        low = (-LIFT_M, hall_width / 2 - LIFT_M / 2)
        for floor in range(len(kinds)):
            name = "lift" if floor == 0 else "upper lift"
            rooms.append(Room(name, "lift", floor, low, (LIFT_M, LIFT_M)))
            hall = "hallway" if floor == 0 else "upper hallway"
            middle = (0.0, hall_width / 2)
            doorways.append(Doorway((name, hall), floor, middle, False, 1.1, False))
    swap, mirror = bool(random.random() < 0.5), bool(random.random() < 0.5)
    shift = (float(random.uniform(-3, 3)), float(random.uniform(-3, 3)))
    return Layout(
        tuple(_turned_room(room, swap, mirror, shift) for room in rooms),
        tuple(_turned_doorway(doorway, swap, mirror, shift) for doorway in doorways),
    )


def _lay_out_floor(
    floor: int,
    names: tuple[str, ...],
    hall_width: float,
    random: np.random.Generator,
    rooms: list[Room],
    doorways: list[Doorway],
) -> None:
    hall = "hallway" if floor == 0 else "upper hallway"
    order = [names[int(i)] for i in random.permutation(len(names))]
    cut = len(order) // 2 + (len(order) % 2 if random.random() < 0.5 else 0)
    rows = [_row_sizes(row, random) for row in (order[:cut], order[cut:])]
    length = max(sum(width for _, width, _ in row) for row in rows)
    rooms.append(Room(hall, "hallway", floor, (0.0, 0.0), (length, hall_width)))
    for side, row in enumerate(rows):
        total = sum(width for _, width, _ in row)
        stretch = min(length / total, 1.25) if total else 1.0
        x = 0.0
        before: Room | None = None
        for name, width, depth in row:
            width *= stretch
            low = (x, -depth if side == 0 else hall_width)
            room = Room(name, name, floor, low, (width, depth))
            rooms.append(room)
            doorways.append(_into_hall(room, hall, 0.0 if side == 0 else hall_width, random))
            if before is not None:
                between = _between(before, room, side == 0, random)
                doorways += [between] if between is not None else []
            before, x = room, x + width


def _row_sizes(names: Iterable[str], random: np.random.Generator) -> list[tuple[str, float, float]]:
    sizes = []
    for name in names:
        least_w, most_w, least_d, most_d = ROOM_SIZES[name]
        sizes.append(
            (name, float(random.uniform(least_w, most_w)), float(random.uniform(least_d, most_d)))
        )
    return sizes


def _into_hall(room: Room, hall: str, y: float, random: np.random.Generator) -> Doorway:
    """The doorway to the hallway, mostly near a corner of the room."""
    wide = room.kind == "living room" and bool(random.random() < 0.6)
    width = 1.5 if wide else float(random.uniform(0.95, 1.1))
    margin = width / 2 + 0.2
    share = float(random.beta(0.6, 0.6))
    x = room.low[0] + margin + share * (room.size[0] - 2 * margin)
    leaf = not wide and bool(random.random() < 0.6)
    return Doorway((room.name, hall), room.floor, (x, y), True, width, leaf)


def _between(first: Room, second: Room, below: bool, random: np.random.Generator) -> Doorway | None:
    """A doorway between neighbours of one row, where their kinds suit and chance has it."""
    if {first.kind, second.kind} not in NEIGHBOURS or random.random() < 0.4:
        return None
    shared = min(first.size[1], second.size[1])
    from_hall = float(random.uniform(1.2, shared - 1.0))
    y = -from_hall if below else first.low[1] + from_hall
    return Doorway((first.name, second.name), first.floor, (second.low[0], y), False, 1.0, False)


def _turned(x: float, y: float, swap: bool, mirror: bool) -> tuple[float, float]:
    x = -x if mirror else x
    return (y, x) if swap else (x, y)


def _turned_room(room: Room, swap: bool, mirror: bool, shift: tuple[float, float]) -> Room:
    corners = [_turned(*corner, swap, mirror) for corner in (room.low, room.high)]
    low = (min(c[0] for c in corners) + shift[0], min(c[1] for c in corners) + shift[1])
    size = room.size[::-1] if swap else room.size
    return replace(room, low=low, size=size)


def _turned_doorway(
    doorway: Doorway, swap: bool, mirror: bool, shift: tuple[float, float]
) -> Doorway:
    x, y = _turned(*doorway.centre, swap, mirror)
    return replace(
        doorway, centre=(x + shift[0], y + shift[1]), along_x=doorway.along_x != swap
    )  # fmt: skip


def walls_of(layout: Layout) -> tuple[Wall, ...]:
    """The walls around all rooms, doorways left open up to `DOOR_HEIGHT_M`.

    Walls of neighbours that lie on one line are one wall.
    """
    lines: dict[tuple[int, bool, float], list[tuple[float, float]]] = {}
    for room in layout.rooms:
        (x0, y0), (x1, y1) = room.low, room.high
        for along_x, at, start, end in (
            (True, y0, x0, x1), (True, y1, x0, x1), (False, x0, y0, y1), (False, x1, y0, y1),
        ):  # fmt: skip
            lines.setdefault((room.floor, along_x, round(at, 6)), []).append((start, end))
    walls = []
    for (floor, along_x, at), spans in lines.items():
        gaps = [
            sorted(end[0 if along_x else 1] for end in doorway.ends)
            for doorway in layout.doorways
            if doorway.floor == floor
            and doorway.along_x == along_x
            and abs(doorway.centre[1 if along_x else 0] - at) < 1e-5
        ]
        base = floor * STOREY_M
        for start, end in merged(spans):
            for first, last in without(start - WALL_M / 2, end + WALL_M / 2, gaps):
                walls.append(_wall(along_x, at, first, last, base, base + WALL_HEIGHT_M))
        for low, high in gaps:
            walls.append(_wall(along_x, at, low, high, base + DOOR_HEIGHT_M, base + WALL_HEIGHT_M))
    return tuple(walls)


def merged(spans: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    """The union of spans of a line, as spans that do not touch."""
    joined: list[tuple[float, float]] = []
    for start, end in sorted(spans):
        if joined and start <= joined[-1][1] + 1e-6:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return joined


def without(start: float, end: float, gaps: Iterable[Iterable[float]]) -> list[tuple[float, float]]:
    """What is left of a span between gaps."""
    left = []
    for low, high in sorted((min(gap), max(gap)) for gap in map(tuple, gaps)):
        if low > start and high < end:
            left.append((start, low))
            start = high
    return [*left, (start, end)]


def _wall(along_x: bool, at: float, start: float, end: float, low: float, high: float) -> Wall:
    middle, length = (start + end) / 2, end - start
    z, height = (low + high) / 2, high - low
    if along_x:
        return Wall((middle, at, z), (length, WALL_M, height))
    return Wall((at, middle, z), (WALL_M, length, height))
