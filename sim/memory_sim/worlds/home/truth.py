"""Ground truth of a home, for scoring alone: where things are, what is open, what was moved."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from memory_core.types import Vector3
from memory_sim.worlds.home.people import state
from memory_sim.worlds.home.placing import Spot
from memory_sim.worlds.home.plan import HomePlan
from memory_sim.worlds.home.solids import bounds
from memory_sim.worlds.home.things import thing_solids
from memory_sim.worlds.home.world import World

ON_M = 0.04
"""A foot this close to a surface's height stands on it."""


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Where a thing is.

    Attributes:
        thing: Id.
        label: What a detector calls it.
        position: Middle of the box around it, map, metres.
        room: Name of the room; empty outside of all rooms.
        furniture: Id of what it stands on or in; empty on the floor or in the gripper.
        surface: Name of the surface; empty where there is none.
        opening: Id of the drawer or door that it is in or behind; empty where it is in the open.
    """

    thing: str
    label: str
    position: Vector3
    room: str
    furniture: str = ""
    surface: str = ""
    opening: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """A thing that is elsewhere than on an earlier day; None where it is not in the home."""

    thing: str
    label: str
    before: Spot | None
    after: Spot | None


def whereabouts(world: World) -> dict[str, Whereabouts]:
    """Where each thing of a world is now, by its id."""
    return {name: _whereabouts(world, name) for name in world.things}


def _whereabouts(world: World, name: str) -> Whereabouts:
    plan, pose = world.plan, world.pose_of(name)
    thing = plan.thing_by_id[name]
    low, high = bounds(thing_solids(thing.kind, thing.colour, thing.scale))
    x, y, z = ((low + high) / 2).tolist()
    room = plan.room_at(*pose.position)
    furniture, surface, opening = _support(world, pose.position)
    return Whereabouts(
        name, thing.label, pose.apply(x, y, z), room.name if room else "",
        furniture, surface, opening,
    )  # fmt: skip


def _support(world: World, foot: Vector3) -> tuple[str, str, str]:
    """The furniture, surface and opening that a point stands on; empty texts where it hangs."""
    for piece in world.plan.furniture:
        if np.linalg.norm(np.subtract(piece.pose.position, foot)) > 2.5:
            continue
        for surface in piece.kind.surfaces:
            opening = f"{piece.id}/{surface.opening}" if surface.opening else ""
            slides = opening and world.joints[opening].kind.hinge is None
            frame = world.opening_pose(opening) if slides else piece.pose
            x, y, z = frame.inverse().apply(*foot)
            depth, width, _ = piece.kind.size
            wide = surface.low[1] - 0.05 <= y <= surface.high[1] + 0.05
            deep = surface.low[0] - 0.3 <= x <= surface.high[0] + 0.05
            on_it = abs(x) <= depth / 2 and abs(y) <= width / 2
            if wide and deep and on_it and abs(z - surface.height_m) <= ON_M:
                return piece.id, surface.name, opening
    return "", "", ""


def openness(world: World) -> dict[str, float]:
    """How far each drawer and door is open now, 0 to 1."""
    return {name: world.openness(name) for name in world.joints}


def changes(plan: HomePlan, first_day: int, second_day: int) -> tuple[Change, ...]:
    """What people moved, brought and took between the mornings of two days.

    Raises:
        ValueError: A day is negative.
    """
    before, after = state(plan, first_day).spots, state(plan, second_day).spots
    return tuple(
        Change(thing.id, thing.label, before.get(thing.id), after.get(thing.id))
        for thing in plan.things
        if before.get(thing.id) != after.get(thing.id)
    )
