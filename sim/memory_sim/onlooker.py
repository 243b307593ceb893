"""A view of a home from outside: above and behind the robot, over walls cut off low.

A third PyBullet client holds a copy of every shape that the world is made of, the robot too, and
follows it. For people alone: it shows the simulator's truth, which the robot does not have.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from memory_core.types import IntArray, Pose, Vector3
from memory_sim.worlds.bullet import connect, release
from memory_sim.worlds.home.layout import STOREY_M
from memory_sim.worlds.home.world import WALL_COLOUR, World

VIEW = (480, 360)
"""Width and height, pixels."""
_PARAPET_M = 0.25
_FROM_M, _ELEVATION_DEG, _YAW_DEG = 4.2, -52.0, 35.0
_OPENING_DEG = 50.0
_SLAB_M = 0.2

Colour = tuple[float, float, float, float]
_NOTHING: Colour = (0.0, 0.0, 0.0, 0.0)


@dataclass(slots=True)
class _Part:
    """The copy of one shape of a link.

    Attributes:
        link: Of the original's body; -1 is its base.
        local: The shape in the link's frame.
        body: The copy.
        colour: Of it.
        z: How high it is, metres.
    """

    link: int
    local: Pose
    body: int
    colour: Colour
    z: float = 0.0


class Onlooker:
    """A camera that follows the robot."""

    def __init__(self, world: World) -> None:
        """Copy a world.

        Args:
            world: With the robot in it; it stays as it is.
        """
        self._world, self._client = world, connect()
        self._parts: dict[int, list[_Part]] = {}
        self._states: dict[int, object] = {}
        self._level = 0
        rooms, walls = len(world.plan.rooms), len(world.plan.walls)
        hidden = set(world.obstacles[rooms : rooms + walls])
        for number in range(world.client.getNumBodies()):
            body = world.client.getBodyUniqueId(number)
            if body not in hidden:
                shapes = world.client.getVisualShapeData(body)
                self._parts[body] = [self._copied(shape) for shape in shapes]
        self._parapets = self._parapets_of(world)

    def close(self) -> None:
        """Release PyBullet."""
        release(self._client)

    def look(self, robot: Pose) -> IntArray:
        """The robot from outside.

        Args:
            robot: Its base, map.

        Returns:
            Shape of `VIEW`, uint8, red, green, blue.
        """
        self._follow(round(robot.z / STOREY_M))
        client, (width, height) = self._client, VIEW
        view = client.computeViewMatrixFromYawPitchRoll(
            (robot.x, robot.y, robot.z + 0.6), _FROM_M, _YAW_DEG, _ELEVATION_DEG, 0, 2
        )
        lens = client.computeProjectionMatrixFOV(_OPENING_DEG, width / height, 0.1, 25.0)
        _, _, rgba, _, _ = client.getCameraImage(
            width, height, view, lens, renderer=client.ER_TINY_RENDERER, shadow=0,
            lightDirection=(1.0, 2.0, 4.0), lightAmbientCoeff=0.6, lightDiffuseCoeff=0.45,
            lightSpecularCoeff=0.0,
        )  # fmt: skip
        return np.reshape(rgba, (height, width, 4))[:, :, :3].astype(np.uint8)

    def _follow(self, level: int) -> None:
        """Put every copy where its original is, and take off the storeys above a level."""
        world = self._world.client
        for body, parts in self._parts.items():
            joints = range(world.getNumJoints(body))
            state = (
                world.getBasePositionAndOrientation(body),
                tuple(world.getJointState(body, joint)[0] for joint in joints),
            )
            if self._states.get(body) != state:
                self._states[body] = state
                for part in parts:
                    self._move(part, body)
                    self._paint(part, level)
        if level != self._level:
            self._level = level
            for part in [*self._parapets, *(p for parts in self._parts.values() for p in parts)]:
                self._paint(part, level)

    def _move(self, part: _Part, body: int) -> None:
        world = self._world.client
        if part.link < 0:
            position, turn = world.getBasePositionAndOrientation(body)
        else:
            state = world.getLinkState(body, part.link, computeForwardKinematics=True)
            position, turn = state[4], state[5]
        at = Pose(*position, *turn).compose(part.local)
        part.z = at.z
        self._client.resetBasePositionAndOrientation(part.body, at.position, at.quaternion)

    def _paint(self, part: _Part, level: int) -> None:
        seen = part.z < (level + 1) * STOREY_M - _SLAB_M
        colour = part.colour if seen else _NOTHING
        self._client.changeVisualShape(part.body, -1, rgbaColor=colour)

    def _copied(self, shape: Any) -> _Part:
        """A body of its own for one shape, as `getVisualShapeData` tells it."""
        _, link, kind, size, _, place, turn, colour = shape[:8]
        client = self._client
        sizes = {
            client.GEOM_BOX: {"halfExtents": [side / 2 for side in size]},
            client.GEOM_SPHERE: {"radius": size[0]},
        }.get(kind, {"length": size[0], "radius": size[1]})
        made = client.createVisualShape(kind, rgbaColor=colour, **sizes)
        body = int(client.createMultiBody(baseMass=0, baseVisualShapeIndex=made))
        return _Part(link, Pose(*place, *turn), body, colour)

    def _parapets_of(self, world: World) -> list[_Part]:
        """What is left of the walls that stand on a floor."""
        found, client = [], self._client
        for wall in world.plan.walls:
            (x, y, z), (width, depth, tall) = wall.centre, wall.size
            foot = z - tall / 2
            if abs(foot - round(foot / STOREY_M) * STOREY_M) > 0.01:
                continue
            height = min(_PARAPET_M, tall)
            shape = client.createVisualShape(
                client.GEOM_BOX, halfExtents=(width / 2, depth / 2, height / 2),
                rgbaColor=(*WALL_COLOUR, 1),
            )  # fmt: skip
            at: Vector3 = (x, y, foot + height / 2)
            body = client.createMultiBody(baseMass=0, baseVisualShapeIndex=shape, basePosition=at)
            part = _Part(-1, Pose(), int(body), (*WALL_COLOUR, 1.0), at[2])
            self._paint(part, 0)
            found.append(part)
        return found
