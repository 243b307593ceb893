"""Rendered pictures of a home to learn from, with what each pixel shows.

The camera stands where the robot may stand: before furniture, looking at a thing on it, or
anywhere that is free, looking along the floor as it does when it drives.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from memory_core.types import FloatArray, IntArray, Pose
from memory_sim.detecting.classes import (
    COLOUR_NAMES,
    DOOR,
    FURNITURES,
    KINDS,
    PARTS,
    THING,
)
from memory_sim.worlds.home.camera import Camera, Frame, head_pose, towards
from memory_sim.worlds.home.furnishing import Furniture
from memory_sim.worlds.home.passages import FloorGrid
from memory_sim.worlds.home.plan import STANDING_RADIUS_M, HomePlan, obstacles, plan_home
from memory_sim.worlds.home.scene import owners_in
from memory_sim.worlds.home.world import World

DAYS = 3
"""Homes are shown as they are on one of so many days."""
CLOSE_SHARE = 0.8
"""Of the pictures that look at a thing from before its furniture."""
CLOSE_M = (0.35, 2.6)
"""Between the robot and the front of the furniture it looks at."""
ASIDE_M = 0.9
OPENED_SHARE = 0.5
"""Of the furniture looked at whose drawers and doors are drawn open."""
DRIVING_TILT_RAD = (-0.75, 0.05)
NOTHING_NEARER_M = 0.3
"""A picture whose middle is nearer than this shows one surface and nothing else."""


@dataclass(frozen=True)
class Views:
    """Pictures of homes, and what their pixels show.

    Attributes:
        images: Shape (n, h, w, 3), uint8.
        depths_m: Exact, shape (n, h, w), float16; 0 is no reading.
        tilts_rad: Of the camera, upwards, shape (n,).
        furniture: Numbers of `FURNITURES`, shape (n, h, w), uint8.
        parts: Numbers of `PARTS`, shape (n, h, w), uint8.
        wholes: Which piece of furniture, shape (n, h, w), uint8; 0 where there is none.
        pieces: Which thing, handle or front, shape (n, h, w), uint8; 0 where there is none.
        things: Rows of (picture, number in `pieces`, kind, colour), shape (m, 4).
    """

    images: FloatArray
    depths_m: FloatArray
    tilts_rad: FloatArray
    furniture: IntArray
    parts: IntArray
    wholes: IntArray
    pieces: IntArray
    things: IntArray

    def __len__(self) -> int:
        """How many pictures."""
        return len(self.images)

    def save(self, path: Path) -> None:
        """Write them to a file, whole or not at all."""
        unfinished = path.with_suffix(".part")
        with unfinished.open("wb") as file:
            np.savez(file, **{name: getattr(self, name) for name in self.__dataclass_fields__})
        unfinished.replace(path)

    @classmethod
    def load(cls, path: Path) -> Views:
        """Read what `save` wrote."""
        with np.load(path, allow_pickle=False) as kept:
            return cls(**{name: kept[name] for name in kept.files})


def frames_of_home(
    seed: int, *, count: int, noise: float = 1.0, width: int = 320, height: int = 240
) -> Iterator[tuple[World, Frame]]:
    """Look about in the home of a seed on one of its days; its drawers and doors are opened.

    Args:
        seed: Of the home, of the day and of where the camera stands.
        count: How many frames.
        noise: Factor on the spread of depth; 0 is exact.
        width: Of each, pixels.
        height: Of each, pixels.
    """
    random = np.random.default_rng([seed, 17])
    day = int(random.integers(DAYS))
    with World(plan_home(seed), day=day, width=width, height=height) as world:
        camera = Camera(world, noise=noise)
        taken = 0
        for pose in _poses(world, random):
            frame = camera.look(pose)
            if frame is None or _at_a_wall(frame):
                continue
            yield world, frame
            taken += 1
            if taken == count:
                break
        camera.close()


def views_of_home(seed: int, *, count: int, width: int = 320, height: int = 240) -> Views:
    """Pictures of the home of a seed with exact depth; arguments as of `frames_of_home`."""
    teller: Teller | None = None
    found = []
    for world, frame in frames_of_home(seed, count=count, noise=0, width=width, height=height):
        teller = teller or Teller(world)
        found.append(teller(frame))
    return joined(found)


class Teller:
    """Says what the pixels of frames of one world show."""

    def __init__(self, world: World) -> None:
        """Number what is in a world."""
        owners = owners_in(world)
        joints = world.joints
        owned = {owner.id: number for number, owner in enumerate(owners) if owner}
        count = len(owners)
        self._furniture, self._whole = np.zeros(count, np.uint8), np.zeros(count, np.int64)
        self._part = np.zeros(count, np.uint8)
        self._named: dict[int, tuple[int, int]] = {}
        for number, owner in enumerate(owners):
            if owner is None:
                continue
            if owner.id in joints:
                joint = joints[owner.id]
                piece = world.plan.furniture_by_id[joint.furniture]
                self._furniture[number] = FURNITURES.index(piece.label)
                self._whole[number] = owned[piece.id]
                if owner.label != DOOR:
                    self._part[number] = PARTS.index(owner.label)
            elif owner.id in world.plan.furniture_by_id:
                self._furniture[number] = FURNITURES.index(owner.label)
                self._whole[number] = number
            else:
                thing = world.plan.thing_by_id[owner.id]
                self._part[number] = PARTS.index(THING)
                self._named[number] = KINDS.index(thing.kind), COLOUR_NAMES.index(thing.colour)

    def __call__(self, frame: Frame) -> Views:
        """A frame as one picture of `Views`; its depth is taken as it is."""
        owners = frame.owners
        wholes, _ = _counted(self._whole[owners])
        pieces, numbers = _counted(np.where(self._part[owners] > 0, owners, 0))
        things = [
            (0, place, *self._named[int(owner)])
            for place, owner in enumerate(numbers)
            if int(owner) in self._named
        ]
        return Views(
            frame.image[None], frame.depth_m[None].astype(np.float16),
            np.array([tilt_of(frame.camera_pose)], np.float32), self._furniture[owners][None],
            self._part[owners][None], wholes[None], pieces[None],
            np.array(things, np.int64).reshape(-1, 4),
        )  # fmt: skip


def tilt_of(camera: Pose) -> float:
    """How far a camera looks up, radians: what its head's joint and gravity tell."""
    return math.asin(float(np.clip(camera.matrix()[2, 0], -1, 1)))


def _counted(numbers: IntArray) -> tuple[IntArray, IntArray]:
    """The same areas numbered from 1, 0 left as it is; and the old number of each new one."""
    old = np.union1d([0], numbers)
    return np.searchsorted(old, numbers).astype(np.uint8), old


def joined(found: Sequence[Views]) -> Views:
    """The pictures of several views in one."""
    things, before = [], 0
    for view in found:
        things.append(view.things + [before, 0, 0, 0])
        before += len(view)
    others = {
        name: np.concatenate([getattr(view, name) for view in found])
        for name in Views.__dataclass_fields__
        if name != "things"
    }
    return Views(**others, things=np.concatenate(things))


def _at_a_wall(frame: Frame) -> bool:
    height, width = frame.depth_m.shape
    middle = frame.depth_m[height // 3 : -height // 3, width // 3 : -width // 3]
    return bool(np.median(middle) < NOTHING_NEARER_M) or np.unique(frame.owners).size < 2


def _poses(world: World, random: np.random.Generator) -> Iterator[Pose]:
    """Poses of the camera without end; opens and closes furniture on the way."""
    floors = [_free_floor(world.plan, floor) for floor in range(world.plan.floors)]
    holding = sorted({spot.furniture for spot in world.state.spots.values()})
    while True:
        if holding and random.random() < CLOSE_SHARE:
            piece = world.plan.furniture_by_id[holding[int(random.integers(len(holding)))]]
            base = piece.standing(
                float(random.uniform(-ASIDE_M, ASIDE_M)), away_m=float(random.uniform(*CLOSE_M))
            )
            if not _is_free(world.plan, floors, base):
                continue
            _open(world, piece, random)
            things = [t for t, spot in world.state.spots.items() if spot.furniture == piece.id]
            target = world.pose_of(things[int(random.integers(len(things)))]).position
            pan, tilt = towards(base, target)
            pan, tilt = pan + float(random.normal(0, 0.15)), tilt + float(random.normal(0, 0.1))
            yield head_pose(base, pan_rad=pan, tilt_rad=max(tilt, -1.2))
        else:
            room = world.plan.rooms[int(random.integers(len(world.plan.rooms)))]
            x, y = random.uniform(room.low, room.high).tolist()
            base = Pose.from_yaw(x, y, z=room.z, yaw=float(random.uniform(-math.pi, math.pi)))
            if _is_free(world.plan, floors, base):
                yield head_pose(base, tilt_rad=float(random.uniform(*DRIVING_TILT_RAD)))


def _free_floor(plan: HomePlan, floor: int) -> FloorGrid:
    taken = obstacles(floor, plan.walls, plan.furniture, plan.rooms)
    return FloorGrid(taken, radius_m=STANDING_RADIUS_M)


def _is_free(plan: HomePlan, floors: list[FloorGrid], base: Pose) -> bool:
    room = plan.room_at(*base.position)
    return room is not None and floors[room.floor].region(base.x, base.y) > 0


def _open(world: World, piece: Furniture, random: np.random.Generator) -> None:
    """Draw anew how far open the drawers and doors of a piece of furniture are."""
    opened = random.random() < OPENED_SHARE
    for name, joint in world.joints.items():
        if joint.furniture == piece.id and piece.label != DOOR:
            wide = opened and random.random() < 0.5
            world.set_openness(name, float(random.uniform(0.3, 1.0)) if wide else 0.0)
