"""What is drawn of a world: a second PyBullet client that holds surfaces alone.

Each solid is a body of its own with few triangles; walls and floors are painted by `shell`. What
cannot be in the picture is made transparent, which the software renderer skips.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache

import numpy as np

from memory_core.types import BoolArray, FloatArray, IntArray, Pose
from memory_sim.worlds.bullet import connect, release
from memory_sim.worlds.home.meshes import Mesh, solid_mesh
from memory_sim.worlds.home.sight import Sight, in_view
from memory_sim.worlds.home.solids import Colour, Solid
from memory_sim.worlds.home.things import thing_solids
from memory_sim.worlds.home.world import World

HANDLE = "handle"
"""What a detector calls the handle of a drawer or door."""


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose pixels: a thing, a piece of furniture, an opening or its handle.

    Attributes:
        id: Of the thing or furniture, or the opening's id.
        label: What a detector calls it.
    """

    id: str
    label: str


def owners_in(world: World) -> tuple[Owner | None, ...]:
    """All that pixels can belong to, by the numbers of a frame; 0 is for walls, floors and sky."""
    owners: list[Owner | None] = [None]
    owners += [Owner(name, world.plan.thing_by_id[name].label) for name in world.things]
    for name, joint in world.joints.items():
        owners += [Owner(name, joint.kind.label), Owner(name, HANDLE)]
    owners += [Owner(piece.id, piece.label) for piece in world.plan.furniture]
    return tuple(owners)


@dataclass
class _Drawn:
    """The bodies of the scene, one row each, and the ids whose rows move."""

    bodies: list[int] = field(default_factory=list)
    colours: list[Colour] = field(default_factory=list)
    middles: list[FloatArray] = field(default_factory=list)
    radii: list[float] = field(default_factory=list)
    rooms: list[tuple[int, int]] = field(default_factory=list)
    rows: dict[str, list[int]] = field(default_factory=dict)


@cache
def _numbers(solid: Solid) -> tuple[Mesh, list[list[float]], list[list[float]]]:
    """The mesh of a solid, with vertices and normals as lists.

    PyBullet never lets go of the numbers it is given: these are made once for all scenes.
    """
    mesh = solid_mesh(solid)
    return mesh, mesh.vertices.tolist(), mesh.normals.tolist()


class Scene:
    """The surfaces of a world, kept where the world's bodies are."""

    def __init__(self, world: World, *, cull: bool) -> None:
        """Build the surfaces.

        Args:
            world: What to draw; the scene follows its changes.
            cull: Whether what cannot be in a picture is left out of it.
        """
        self.client = connect()
        self.revision = 0
        """Rises with every change of what there is to see."""
        self._number_of = {owner: number for number, owner in enumerate(owners_in(world))}
        self._cull = cull
        self._world = world
        self._numbers = {room.name: n for n, room in enumerate(world.plan.rooms)}
        self._sight = Sight(world.plan.rooms, world.plan.doorways)
        self._drawn = _Drawn()
        self._owner_of: list[int] = []
        for name in world.things:
            self._add_thing(name)
        for opening in world.joints:
            self._add_opening(opening)
        for piece in world.plan.furniture:
            rows = [self._solid(s) for s in piece.kind.solids]
            self._register(piece.id, rows, Owner(piece.id, piece.label))
        drawn = self._drawn
        self._middles = np.array(drawn.middles)
        self._radii = np.array(drawn.radii)
        self._rooms: IntArray = np.array(drawn.rooms)
        self._local = self._middles.copy()
        self._shown: BoolArray = np.ones(len(drawn.bodies), dtype=bool)
        owner_of = np.zeros(max(drawn.bodies) + 2, dtype=np.int32)  # the last for no body at all
        owner_of[np.array(drawn.bodies)] = self._owner_of
        self.owner_of_body = owner_of
        for name in (*world.things, *world.joints, *(p.id for p in world.plan.furniture)):
            self._follow(name)
        self._stop_following = world.on_change(self._follow)

    def close(self) -> None:
        """Release PyBullet."""
        if self.client.isConnected():
            self._stop_following()
            release(self.client)

    def show_for(self, camera: Pose, *, tangents: tuple[float, float], far_m: float) -> FloatArray:
        """Hide what cannot be in a picture from a pose, and show the rest.

        Args:
            camera: Its REP-103 frame in the map.
            tangents: Of half the picture's width and height.
            far_m: What is further away is not drawn.

        Returns:
            The horizontal angles in which each room may be seen; see `Sight.wedges`.
        """
        room = self._world.plan.room_at(camera.x, camera.y, camera.z)
        axes = camera.matrix()[:3, :3]
        yaw = math.atan2(axes[1, 0], axes[0, 0])
        if room is None:
            wedges = np.tile((-math.pi, math.pi), (len(self._world.plan.rooms), 1))
        else:
            number = self._numbers[room.name]
            wedges = self._sight.wedges(
                (camera.x, camera.y), yaw, _horizontal_span(axes, yaw, tangents), number
            )
        if not self._cull:
            return wedges
        offset = self._middles - np.array(camera.position)
        turned = np.arctan2(offset[:, 1], offset[:, 0]) - yaw
        angle = np.remainder(turned + math.pi, 2 * math.pi) - math.pi
        distance = np.hypot(offset[:, 0], offset[:, 1])
        points = np.column_stack([offset @ axes, angle, distance])
        shown = in_view(points, self._radii, self._rooms, wedges, tangents, far_m)
        for row in np.nonzero(shown != self._shown)[0].tolist():
            colour = (*self._drawn.colours[row], 1.0 if shown[row] else 0.0)
            self.client.changeVisualShape(self._drawn.bodies[row], -1, rgbaColor=colour)
        self._shown = shown
        return wedges

    def _follow(self, name: str) -> None:
        """Put the bodies of a thing, opening or piece of furniture where the world has it."""
        self.revision += 1
        world = self._world
        rooms = None
        if name in world.joints:
            pose = world.opening_pose(name)
        else:
            pose = world.pose_of(name)
            room = world.plan.room_at(*pose.position)
            number = self._numbers[room.name] if room is not None else 0
            rooms = (number, number)
        rows = self._drawn.rows[name]
        for row in rows:
            body = self._drawn.bodies[row]
            self.client.resetBasePositionAndOrientation(body, pose.position, pose.quaternion)
        if rows:
            self._middles[rows] = pose.transform(self._local[rows])
            if rooms is not None:
                self._rooms[rows] = rooms

    def _add_thing(self, name: str) -> None:
        thing = self._world.plan.thing_by_id[name]
        solids = thing_solids(thing.kind, thing.colour, thing.scale)
        rows = [self._solid(solid) for solid in solids]
        self._register(name, rows, Owner(name, thing.label))

    def _add_opening(self, name: str) -> None:
        joint = self._world.joints[name]
        rows = [self._solid(solid) for solid in joint.kind.solids]
        self._register(name, rows, Owner(name, joint.kind.label))
        handle = [self._solid(solid) for solid in joint.kind.handle]
        self._register(name, handle, Owner(name, HANDLE))
        piece = self._world.plan.furniture_by_id[joint.furniture]
        doorway = next(
            (d for d in self._world.plan.doorways if piece.id == f"door {'-'.join(d.rooms)}"), None
        )
        names = doorway.rooms if doorway is not None else (piece.room, piece.room)
        for row in (*rows, *handle):
            self._drawn.rooms[row] = (self._numbers[names[0]], self._numbers[names[1]])

    def _register(self, name: str, rows: Sequence[int], owner: Owner) -> None:
        for row in rows:
            self._owner_of[row] = self._number_of[owner]
        self._drawn.rows.setdefault(name, []).extend(rows)

    def _solid(self, solid: Solid) -> int:
        """A body of one solid; gives its row."""
        p, drawn = self.client, self._drawn
        mesh, vertices, normals = _numbers(solid)
        shape = p.createVisualShape(
            p.GEOM_MESH, vertices=vertices, indices=mesh.corners,
            normals=normals, rgbaColor=(*solid.colour, 1),
        )  # fmt: skip
        drawn.bodies.append(int(p.createMultiBody(baseMass=0, baseVisualShapeIndex=shape)))
        middle = (mesh.vertices.min(axis=0) + mesh.vertices.max(axis=0)) / 2
        drawn.middles.append(middle)
        drawn.radii.append(float(np.linalg.norm(mesh.vertices - middle, axis=1).max()))
        drawn.colours.append(solid.colour)
        drawn.rooms.append((0, 0))
        self._owner_of.append(0)
        return len(drawn.bodies) - 1


def _horizontal_span(
    axes: FloatArray, yaw: float, tangents: tuple[float, float]
) -> tuple[float, float]:
    """The horizontal angles that the corners of a picture look along; all where one looks down."""
    angles = []
    for side in (-1, 1):
        for up in (-1, 1):
            ray = axes @ np.array([1.0, side * tangents[0], up * tangents[1]])
            ahead = ray[0] * math.cos(yaw) + ray[1] * math.sin(yaw)
            if ahead < 0.1:
                return -math.pi, math.pi
            angles.append(math.atan2(ray[1] * math.cos(yaw) - ray[0] * math.sin(yaw), ahead))
    return min(angles), max(angles)
