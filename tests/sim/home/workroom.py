"""A home reduced to one empty room with one piece of furniture, for tests of the robot's body."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np

from memory_core.perception.camera import back_project
from memory_core.types import Pose
from memory_sim.worlds.home.camera import towards
from memory_sim.worlds.home.furnishing import Furniture
from memory_sim.worlds.home.placing import Spot, Thing
from memory_sim.worlds.home.plan import HomePlan, plan_home
from memory_sim.worlds.home.scene import owners_in
from memory_sim.worlds.home.things import THINGS

AWAY = Pose(0.0, 0.0, -30.0)


@cache
def _plan() -> HomePlan:
    return plan_home(1, rooms=4)


def workroom(label: str, kinds: tuple[str, ...] = ()) -> tuple[HomePlan, Furniture]:
    """The plan, and its furniture in the middle of the largest room with its front along +x."""
    plan = _plan()
    room = max(plan.rooms, key=lambda one: one.size[0] * one.size[1])
    pose = Pose.from_yaw(*room.centre, z=room.z)
    piece = Furniture(f"workroom/{label}", label, 0, room.name, pose)
    spot = Spot(piece.id, piece.kind.surfaces[0].name, 0.0, 0.0, 0.0)
    things = tuple(
        Thing(f"{kind} 1", kind, kind, THINGS[kind].colours[0], 1.0, spot) for kind in kinds
    )
    return replace(plan, furniture=(piece,), things=things), piece


def in_front(piece: Furniture, *, x: float, y: float = 0.0, turned: float = 0.0) -> Pose:
    """A pose of the base at a point of the furniture's frame, facing it."""
    return piece.pose.compose(Pose.from_yaw(x, y, yaw=np.pi + turned))


def cloud_of(world, base, name: str, *, label: str | None = None) -> np.ndarray:
    """Points on a thing, or on an opening's part of some label, base frame, from a noisy picture."""
    numbers = [
        number
        for number, owner in enumerate(owners_in(world))
        if owner is not None and owner.id == name and label in (None, owner.label)
    ]
    if name in world.things:
        at = world.pose_of(name).apply(0.0, 0.0, 0.05)
    else:
        at = world.opening_pose(name).apply(*world.joints[name].kind.handle[0].centre)
    base.look_towards(*towards(base.true_pose, at))
    frame = world.camera.look(base.true_pose.compose(base.camera_pose))
    mask = np.isin(frame.owners, numbers)
    return base.camera_pose.transform(back_project(frame.depth_m, frame.intrinsics, mask=mask))
