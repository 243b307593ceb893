"""The table as a simulation: an arm, things that come and go, and 20 control steps a second.

Inside this package a world offers `client`, `arm`, `bodies` (PyBullet's numbers by name), `add`,
`place`, `put_away`, `pose`, `speed`, `touches`, `advance` and `look`. None of it but `look` and what
the arm feels may reach an agent.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from memory_core.types import FloatArray, IntArray, Pose, Vector3
from memory_sim.worlds.bullet import connect, release
from memory_sim.worlds.home.solids import Colour
from memory_sim.worlds.table.camera import (
    CAMERAS,
    PORTRAIT_PIXELS,
    TABLE_HIGH,
    TABLE_LOW,
    Camera,
    Light,
    View,
)
from memory_sim.worlds.table.fittings import Fitting, add_button, add_chest
from memory_sim.worlds.table.models import Model, build
from memory_sim.worlds.table.robot import CONTROL_HZ, HOME, Arm

SUBSTEPS = 12
_HOME_SPREAD_RAD = 0.02
_COLOUR_SPREAD = 0.08
_SHELF: Vector3 = (40.0, 0.0, -5.0)
"""Where things are that are not on the table: on a board nobody sees."""
_BOARD_M = 0.05


class TableWorld:
    """A table in a PyBullet client of its own; `reset` before anything else."""

    def __init__(self) -> None:
        """Connect to PyBullet.

        Raises:
            NotInstalled: PyBullet is missing.
        """
        self.client: Any = connect()
        self.bodies: dict[str, int] = {}
        self.models: dict[str, Model] = {}
        self.fittings: dict[str, Fitting] = {}
        self._cameras = {name: Camera(self.client, name) for name in CAMERAS}
        self._portrait = Camera(self.client, "front", pixels=PORTRAIT_PIXELS)

    def close(self) -> None:
        """Release PyBullet."""
        release(self.client)

    def reset(self, random: np.random.Generator) -> None:
        """Clear the table and put the arm where it starts; light and tints are drawn anew."""
        client = self.client
        client.resetSimulation()
        client.setPhysicsEngineParameter(
            fixedTimeStep=1 / (CONTROL_HZ * SUBSTEPS), numSolverIterations=50,
            deterministicOverlappingPairs=1,
        )  # fmt: skip
        client.setGravity(0, 0, -9.81)
        self.bodies, self.models, self.fittings = {}, {}, {}
        self._away: dict[str, Vector3] = {}
        self._random = random
        self.light = Light.drawn(random)
        self._noise_seed = int(random.integers(2**31))
        self.steps = 0
        low, high = np.array(TABLE_LOW), np.array(TABLE_HIGH)
        self.table = self._board((high - low) / 2, (*(low + high) / 2, 0.0))
        self._board(np.array((20.0, 20.0)), _SHELF)
        self.arm = Arm(client, joints=HOME + random.normal(0, _HOME_SPREAD_RAD, 7))

    def add(self, name: str, model: Model, colour: Colour) -> None:
        """Make a thing; it is put away until it is placed.

        Args:
            name: To be called by.
            model: Of what kind.
            colour: Red, green, blue, 0 to 1; the thing's own differs a little.
        """
        tinted = np.clip(np.array(colour) * self._random.normal(1, _COLOUR_SPREAD, 3), 0, 1)
        x, y, z = _SHELF
        self._away[name] = (x + 0.5 * len(self.bodies), y, z + model.size[2] / 2)
        self.models[name] = model
        red, green, blue = tinted.tolist()
        self.bodies[name] = build(self.client, model, (red, green, blue), self._away[name])
        self.put_away(name)

    def add_button(self, name: str, place: tuple[float, float], colour: Colour) -> None:
        """Fix a button to the table; it is among the fittings."""
        self.fittings[name] = add_button(self.client, place, colour)

    def add_chest(self, place: tuple[float, float], colours: tuple[Colour, Colour]) -> None:
        """Fix a chest to the table: `drawer 1` to `drawer 3` among the fittings."""
        for number, drawer in enumerate(add_chest(self.client, place, colours), start=1):
            self.fittings[f"drawer {number}"] = drawer

    def place(self, name: str, x: float, y: float, *, z: float = 0.0, yaw: float = 0.0) -> None:
        """Put a thing down at rest, its foot's middle at a point of the base frame."""
        self._put(name, Pose.from_yaw(x, y, z=z + self.models[name].size[2] / 2, yaw=yaw))

    def put_away(self, name: str) -> None:
        """Take a thing off the table."""
        self._put(name, Pose(*self._away[name]))

    def shows(self, name: str) -> bool:
        """Whether a thing is on the table, or over it."""
        return self.pose(name).z > _SHELF[2] / 2

    def _put(self, name: str, pose: Pose) -> None:
        body = self.bodies[name]
        self.client.resetBasePositionAndOrientation(body, pose.position, pose.quaternion)
        self.client.resetBaseVelocity(body, (0, 0, 0), (0, 0, 0))
        if self.models[name].mass_kg:  # it lies still until something meets it
            self.client.changeDynamics(body, -1, activationState=self.client.ACTIVATION_STATE_SLEEP)

    def roll(self, name: str, velocity: Vector3) -> None:
        """Set a ball rolling, metres a second."""
        vx, vy, _ = velocity
        radius = self.models[name].size[2] / 2
        spin = (-vy / radius, vx / radius, 0.0)
        body = self.bodies[name]
        awake = self.client.ACTIVATION_STATE_DISABLE_SLEEPING | self.client.ACTIVATION_STATE_WAKE_UP
        self.client.changeDynamics(body, -1, activationState=awake)
        self.client.resetBaseVelocity(body, velocity, spin)

    def paint(self, name: str, colour: Colour) -> None:
        """Give a thing another colour."""
        self.client.changeVisualShape(self.bodies[name], -1, rgbaColor=(*colour, 1.0))

    def pose(self, name: str) -> Pose:
        """Where the middle of a thing is, base frame."""
        position, turn = self.client.getBasePositionAndOrientation(self.bodies[name])
        return Pose(*position, *turn)

    def stands(self, name: str) -> bool:
        """Whether a thing is not below the table's top."""
        return self.pose(name).z > 0

    def touched_by_arm(self, name: str) -> bool:
        """Whether the arm presses on a thing."""
        return bool(self.client.getContactPoints(self.arm.body, self.bodies[name]))

    def speed(self, name: str) -> float:
        """How fast a thing moves, metres a second."""
        return float(np.linalg.norm(self.client.getBaseVelocity(self.bodies[name])[0]))

    def distance(self, name: str) -> float:
        """From the tool to the middle of a thing, metres."""
        return float(np.linalg.norm(np.array(self.pose(name).position) - self.arm.tool().position))

    def advance(self) -> None:
        """Let one control step pass."""
        for substep in range(SUBSTEPS):
            self.arm.drive((substep + 1) / SUBSTEPS)
            self.client.stepSimulation()
        self.steps += 1

    def look(self, camera: str) -> View:
        """What a camera sees now; the same however often it is asked.

        Args:
            camera: One of `CAMERAS`.
        """
        stream = np.random.default_rng([self._noise_seed, self.steps, CAMERAS.index(camera)])
        return self._cameras[camera].look(self.arm.tool(), self.light, stream)

    def portrait(self) -> IntArray:
        """The table from in front, larger and without noise, shape (384, 384, 3), uint8."""
        return self._portrait.look(self.arm.tool(), self.light, None).rgb

    def _board(self, half: FloatArray, top: Vector3) -> int:
        """A slab that nothing moves, by the middle of its top; the camera paints it or never sees it."""
        client = self.client
        shape = client.createCollisionShape(client.GEOM_BOX, halfExtents=(*half, _BOARD_M / 2))
        hidden = client.createVisualShape(
            client.GEOM_BOX, halfExtents=(1e-4,) * 3, rgbaColor=(0, 0, 0, 0)
        )
        x, y, z = top
        body: int = client.createMultiBody(0, shape, hidden, (x, y, z - _BOARD_M / 2))
        client.changeDynamics(body, -1, lateralFriction=0.7, restitution=0.0, rollingFriction=0.0)
        return body
