"""Where things can be put: spots on surfaces, clear of each other."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from memory_core.types import Pose
from memory_sim.worlds.home.cabinets import Surface
from memory_sim.worlds.home.furnishing import Furniture
from memory_sim.worlds.home.things import HOMES, THINGS, thing_size

GAP_M = 0.06
"""Free space between things, for fingers."""
MOST_TURNED_RAD = 0.3
SHELF_M = 0.5
"""Less room above a surface than this, and things are taken from it from in front."""


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a thing stands.

    Attributes:
        furniture: Id.
        surface: Name of one of its surfaces.
        x: In the furniture's frame with everything closed, metres.
        y: In the furniture's frame, metres.
        yaw: In the furniture's frame, radians.
    """

    furniture: str
    surface: str
    x: float
    y: float
    yaw: float


@dataclass(frozen=True, slots=True)
class Thing:
    """A small thing of the household.

    Attributes:
        id: Unlike any other in the home: `mug 2`.
        kind: A key of `THINGS`.
        label: What a detector calls it: `red mug`.
        colour: A key of `COLOURS`.
        scale: 1 for the middle size of its kind.
        spot: Where it is before the first day; None where it is brought later.
    """

    id: str
    kind: str
    label: str
    colour: str
    scale: float
    spot: Spot | None


Footprint = tuple[float, float, float, float]
"""Middle (x, y) and half sides of a thing on a surface, in the furniture's frame."""


def footprint(thing: Thing, spot: Spot) -> Footprint:
    """The box around a thing on its surface."""
    half_x, half_y = half_sides(thing, spot.yaw)
    return spot.x, spot.y, half_x, half_y


def half_sides(thing: Thing, yaw: float) -> tuple[float, float]:
    """Half the sides of the box around a turned thing, metres."""
    x, y, _ = thing_size(thing.kind, thing.colour, thing.scale)
    cosine, sine = abs(math.cos(yaw)), abs(math.sin(yaw))
    return (x * cosine + y * sine) / 2, (x * sine + y * cosine) / 2


def find_spot(
    thing: Thing,
    furniture: Furniture,
    surface: Surface,
    taken: Iterable[Footprint],
    random: np.random.Generator,
) -> Spot | None:
    """A free spot for a thing on a surface; None where 40 draws found none.

    Args:
        thing: What is put there.
        furniture: Whose surface.
        surface: Which.
        taken: What stands there already.
        random: Where the differences come from.
    """
    height = thing_size(thing.kind, thing.colour, thing.scale)[2]
    if height > surface.clearance_m - 0.02:
        return None
    taken = list(taken)
    turned = math.pi / 2 if _on_shelf(furniture, surface) else 0.0
    for _ in range(40):
        yaw = turned + float(random.uniform(-MOST_TURNED_RAD, MOST_TURNED_RAD))
        half_x, half_y = half_sides(thing, yaw)
        low = (surface.low[0] + half_x, surface.low[1] + half_y)
        high = (surface.high[0] - half_x, surface.high[1] - half_y)
        if low[0] > high[0] or low[1] > high[1]:
            continue
        x, y = float(random.uniform(low[0], high[0])), float(random.uniform(low[1], high[1]))
        if all(
            abs(x - other_x) >= half_x + other_half_x + GAP_M
            or abs(y - other_y) >= half_y + other_half_y + GAP_M
            for other_x, other_y, other_half_x, other_half_y in taken
        ):
            return Spot(furniture.id, surface.name, x, y, yaw)
    return None


def _on_shelf(furniture: Furniture, surface: Surface) -> bool:
    """Whether a surface is a shelf: people put things there with their narrow side to the front."""
    drawers = {opening.name for opening in furniture.kind.openings if opening.hinge is None}
    return surface.clearance_m < SHELF_M and surface.opening not in drawers


def spot_pose(spot: Spot, furniture: Furniture, *, drawn_out_m: float = 0.0) -> Pose:
    """Where the foot of a thing on a spot is in the map.

    Args:
        spot: Where.
        furniture: Its furniture.
        drawn_out_m: How far the drawer that the spot is in is drawn out.
    """
    surface = next(s for s in furniture.kind.surfaces if s.name == spot.surface)
    inner = Pose.from_yaw(spot.x + drawn_out_m, spot.y, z=surface.height_m, yaw=spot.yaw)
    return furniture.pose.compose(inner)


def suitability(kind: str, furniture: Furniture, room_kind: str) -> float:
    """How likely a kind of thing is kept on a piece of furniture in a kind of room; 0 or more."""
    home = HOMES[THINGS[kind].home]
    room = home.rooms.get(room_kind, 0.0)
    if furniture.label not in home.furniture:
        return room * 0.15
    return room * (2.0 - home.furniture.index(furniture.label) / len(home.furniture))
