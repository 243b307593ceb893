"""Furniture in rooms: along the walls, every front and doorway left free."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from memory_core.types import Pose
from memory_sim.worlds.home.cabinets import FurnitureKind
from memory_sim.worlds.home.doors import door_kind
from memory_sim.worlds.home.kinds import FURNITURE, furniture_kind
from memory_sim.worlds.home.layout import WALL_M, Doorway, Room
from memory_sim.worlds.home.passages import Rectangle

FRONT_M = 0.9
"""Free depth in front of furniture that is used from its front."""
FRONT_WIDTH_M = 0.74
"""Its least width: a robot stands there."""
DOORWAY_M = 1.05
"""Free depth on both sides of a doorway."""

ROOM_FURNITURE: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "kitchen": (("kitchen counter", "refrigerator", "stove", "kitchen table"),
                ("chair", "chair", "pantry", "dishwasher", "plant")),
    "living room": (("sofa", "tv stand", "coffee table"),
                    ("armchair", "bookshelf", "sideboard", "floor lamp", "plant", "armchair")),
    "bedroom": (("bed", "nightstand", "wardrobe"),
                ("chest of drawers", "dressing table", "chair", "floor lamp")),
    "bathroom": (("toilet", "washbasin"),
                 ("bathtub", "shower", "bathroom cabinet", "laundry basket")),
    "dining room": (("dining table", "sideboard"),
                    ("chair", "chair", "china cabinet", "chair", "plant")),
    "office": (("desk", "office chair"),
               ("filing cabinet", "bookshelf", "printer stand", "floor lamp", "plant")),
    "children's room": (("single bed", "toy shelf"),
                        ("toy chest", "chest of drawers", "play table", "chair")),
    "laundry room": (("washing machine", "dryer"),
                     ("storage shelf", "ironing board", "laundry basket")),
    "guest room": (("single bed", "nightstand"),
                   ("wardrobe", "chest of drawers", "armchair", "plant")),
    "workshop": (("workbench", "tool cabinet"), ("storage shelf", "bench", "chair")),
    "library": (("bookshelf", "reading table", "bookshelf"),
                ("armchair", "bookshelf", "floor lamp", "chair")),
    "music room": (("piano", "music shelf"), ("armchair", "bench", "plant", "bookshelf")),
    "gym": (("treadmill", "bench"), ("storage shelf", "plant", "storage shelf")),
    "hallway": ((), ("shoe cabinet", "console table", "coat stand", "plant")),
    "lift": ((), ()),
}  # fmt: skip
"""What a room of each kind has in any case, and what it may have beside."""


@dataclass(frozen=True, slots=True)
class Furniture:
    """A piece of furniture, or a door in a doorway, in its place.

    Attributes:
        id: `kitchen/refrigerator`, `library/bookshelf 2`, `door kitchen-hallway`.
        label: What a detector calls it.
        finish: Number of its finish; for a door its width in millimetres.
        room: Name of the room it stands in (for a door: opens into).
        pose: Of its frame in the map; turned about z only.
    """

    id: str
    label: str
    finish: int
    room: str
    pose: Pose

    @property
    def kind(self) -> FurnitureKind:
        """What it is made of."""
        if self.label == "door":
            return door_kind(self.finish)
        return furniture_kind(self.label, self.finish)

    @property
    def rectangle(self) -> Rectangle:
        """The floor it covers."""
        depth, width, _ = self.kind.size
        return _covered(self.pose, (-depth / 2, -width / 2, depth / 2, width / 2))

    @property
    def front(self) -> Rectangle | None:
        """The floor in front of it that must stay free; None where nobody needs to get there."""
        depth, width, _ = self.kind.size
        if not self.kind.surfaces:
            return None
        half = max(width, FRONT_WIDTH_M) / 2
        return _covered(self.pose, (depth / 2, -half, depth / 2 + FRONT_M, half))

    def standing(self, y: float = 0.0, *, away_m: float = 0.5) -> Pose:
        """The pose on the floor that faces its front.

        Args:
            y: Along its width, in its frame, metres.
            away_m: Distance from its front edge.
        """
        at = self.pose.apply(self.kind.size[0] / 2 + away_m, y, 0.0)
        return Pose.from_yaw(at[0], at[1], z=at[2], yaw=self.pose.yaw + math.pi)


def _covered(pose: Pose, area: Rectangle) -> Rectangle:
    """The rectangle of the map that one of a frame turned by quarters covers."""
    x0, y0, x1, y1 = area
    corners = [pose.apply(x, y, 0.0) for x, y in ((x0, y0), (x1, y1))]
    xs, ys = sorted(c[0] for c in corners), sorted(c[1] for c in corners)
    return xs[0], ys[0], xs[1], ys[1]


def overlap(first: Rectangle, second: Rectangle, margin_m: float = 0.0) -> bool:
    """Whether two rectangles come closer than a margin along both axes."""
    return (
        first[0] < second[2] + margin_m
        and second[0] < first[2] + margin_m
        and first[1] < second[3] + margin_m
        and second[1] < first[3] + margin_m
    )


def doors(doorways: Sequence[Doorway], rooms: Sequence[Room]) -> list[Furniture]:
    """The door leaves of doorways that have one."""
    by_name = {room.name: room for room in rooms}
    placed = []
    for doorway in doorways:
        if not doorway.leaf:
            continue
        room = by_name[doorway.rooms[0]]
        axis = 1 if doorway.along_x else 0
        inward = math.copysign(1.0, room.centre[axis] - doorway.centre[axis])
        yaw = (math.pi / 2 if doorway.along_x else 0.0) + (0.0 if inward > 0 else math.pi)
        x, y = doorway.centre
        placed.append(
            Furniture(
                f"door {'-'.join(doorway.rooms)}", "door", round(doorway.width_m * 1000),
                room.name, Pose.from_yaw(x, y, z=room.z, yaw=yaw),
            )
        )  # fmt: skip
    return placed


def open_leaf(door: Furniture) -> Rectangle:
    """The floor that the leaf of a door covers, open."""
    leaf = door.kind.openings[0]
    assert leaf.hinge is not None
    thickness, width, _ = leaf.solids[0].size
    x, y, _ = leaf.hinge
    ends = [door.pose.apply(x + dx, y + dy, 0.0) for dx, dy in
            ((0.0, -thickness / 2), (width + thickness, thickness / 2))]  # fmt: skip
    xs, ys = sorted(e[0] for e in ends), sorted(e[1] for e in ends)
    return xs[0], ys[0], xs[1], ys[1]


def furnish(
    room: Room,
    doorways: Sequence[Doorway],
    leaves: Sequence[Rectangle],
    random: np.random.Generator,
) -> list[Furniture] | None:
    """Furnish a room.

    Args:
        room: Where.
        doorways: All of the home.
        leaves: The floor that its doors cover, open.
        random: Where the differences come from.

    Returns:
        The furniture; None where what belongs into the room in any case does not fit.
    """
    needed, optional = ROOM_FURNITURE[room.kind]
    keep = [label for label in optional if random.random() < 0.75]
    zones = [_doorway_zone(d) for d in doorways if room.name in d.rooms]
    placed: list[Furniture] = []
    counts: dict[str, int] = {}
    for label in (*needed, *keep):
        counts[label] = counts.get(label, 0) + 1
        number = "" if counts[label] == 1 else f" {counts[label]}"
        finish = int(random.integers(len(FURNITURE[label][1])))
        piece = Furniture(f"{room.name}/{label}{number}", label, finish, room.name, Pose())
        found = _find_place(piece, room, (zones, leaves), placed, random)
        if found is not None:
            placed.append(found)
        elif label in needed:
            return None
    return placed


def _doorway_zone(doorway: Doorway) -> Rectangle:
    """The floor before and behind a doorway, with what a door sweeps over."""
    (x, y), half = doorway.centre, doorway.width_m / 2 + 0.12
    deep = max(DOORWAY_M, doorway.width_m + 0.15 if doorway.leaf else 0.0)
    if doorway.along_x:
        return x - half, y - deep, x + half, y + deep
    return x - deep, y - half, x + deep, y + half


def _find_place(
    piece: Furniture,
    room: Room,
    kept_free: tuple[Sequence[Rectangle], Sequence[Rectangle]],
    placed: Sequence[Furniture],
    random: np.random.Generator,
) -> Furniture | None:
    """The first of 150 drawn places where a piece fits; corners and neighbours come first."""
    for _ in range(150):
        pose = _drawn_pose(piece.kind, room, placed, random)
        moved = Furniture(piece.id, piece.label, piece.finish, piece.room, pose)
        if _fits(moved, room, kept_free, placed):
            return moved
    return None


def _fits(
    piece: Furniture,
    room: Room,
    kept_free: tuple[Sequence[Rectangle], Sequence[Rectangle]],
    placed: Sequence[Furniture],
) -> bool:
    """Whether a piece leaves doorways free, and its front is free of doors and furniture."""
    zones, leaves = kept_free
    own, front = piece.rectangle, piece.front
    wall = WALL_M / 2
    inner = (room.low[0] + wall, room.low[1] + wall, room.high[0] - wall, room.high[1] - wall)
    for area in (own, front):
        if area is not None and not (
            inner[0] <= area[0] and inner[1] <= area[1]
            and area[2] <= inner[2] and area[3] <= inner[3]
        ):  # fmt: skip
            return False
    if any(overlap(own, zone) for zone in zones):
        return False
    if front is not None and any(overlap(front, leaf) for leaf in leaves):
        return False
    for other in placed:
        if overlap(own, other.rectangle, 0.03):
            return False
        if other.front is not None and overlap(own, other.front):
            return False
        if front is not None and overlap(front, other.rectangle):
            return False
    return True


def _drawn_pose(
    kind: FurnitureKind, room: Room, placed: Sequence[Furniture], random: np.random.Generator
) -> Pose:
    """A pose with the back to a wall; chairs beside tables, some tables in the middle."""
    depth, width, _ = kind.size
    tables = [piece for piece in placed if "table" in piece.label or piece.label == "desk"]
    if kind.label == "chair" and tables and random.random() < 0.7:
        table = tables[int(random.integers(len(tables)))]
        side = 1.0 if random.random() < 0.5 else -1.0
        beside = table.pose.apply(0.0, side * (table.kind.size[1] / 2 + depth / 2 + 0.05), 0.0)
        turned = table.pose.yaw - side * math.pi / 2
        return Pose.from_yaw(beside[0], beside[1], z=room.z, yaw=turned)
    yaw = int(random.integers(4)) * math.pi / 2
    in_the_middle = kind.label in ("dining table", "coffee table", "play table")
    if in_the_middle and random.random() < 0.5:
        x, y = (c + float(random.uniform(-0.6, 0.6)) for c in room.centre)
        return Pose.from_yaw(x, y, z=room.z, yaw=yaw)
    forward = (round(math.cos(yaw)), round(math.sin(yaw)))
    axis = 0 if forward[0] else 1
    gap = WALL_M / 2 + 0.02
    at = [0.0, 0.0]
    if forward[axis] > 0:
        at[axis] = room.low[axis] + gap + depth / 2
    else:
        at[axis] = room.high[axis] - gap - depth / 2
    along = 1 - axis
    low, high = room.low[along] + gap + width / 2, room.high[along] - gap - width / 2
    share = float(random.choice([0.0, 1.0, float(random.random())]))
    at[along] = low + share * max(0.0, high - low)
    return Pose.from_yaw(at[0], at[1], z=room.z, yaw=yaw)
