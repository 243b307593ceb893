"""What lies on the table: how things are shaped, how heavy they are, and how they become bodies."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from memory_core.types import Vector3
from memory_sim.worlds.home.solids import COLOURS, Colour
from memory_sim.worlds.table.forms import mesh_file

CUBE_M = 0.04
BALL_M = 0.04
CUP_M = (0.062, 0.062, 0.085)
PEG_M = (0.24, 0.04, 0.04)
SHAPE_M = (0.06, 0.06, 0.03)
_CUP_WALL_M = 0.004
_CUP_SIDES = 10
PALETTE = {
    name: COLOURS[name]
    for name in ("red", "green", "blue", "yellow", "orange", "purple", "pink", "turquoise", "black")
}
"""Colours that stay apart under every light of this table."""
_THIRD = 1 / 3
_WHOLE = ((0.0, 0.0, 1.0, 1.0),)
_BOXES = {
    "cross": ((0.0, 0.0, 1.0, _THIRD), (0.0, 0.0, _THIRD, 1.0)),
    "tee": ((_THIRD, 0.0, _THIRD, 1.0), (-_THIRD / 2, 0.0, 2 * _THIRD, _THIRD)),
    "ell": ((0.0, -_THIRD, 1.0, _THIRD), (-_THIRD, _THIRD / 2, _THIRD, 2 * _THIRD)),
    "arch": (
        (0.0, _THIRD, 1.0, _THIRD),
        (0.0, -_THIRD, 1.0, _THIRD),
        (-_THIRD, 0.0, _THIRD, _THIRD),
    ),
    "star": ((0.0, 0.0, 0.7, 0.7),),
    "ring": ((0.0, 0.0, 0.8, 0.8),),
    "triangle": ((0.0, 0.0, 0.6, 0.6),),
}
"""What is solid in each form, as boxes: x, y and sides in shares of the span. Boxes come to rest."""
SHAPES = ("cube", "ball", "ring", "cross", "star", "triangle", "tee", "ell", "arch")


@dataclass(frozen=True, slots=True)
class Model:
    """One kind of thing.

    Attributes:
        form: Of `forms.FORMS`, or `cuboid`.
        size: Of the box around it, metres.
        mass_kg: 0 for what never moves.
        hollow: Open below, as a cup turned over.
        solid: Whether it can be touched; a patch of colour cannot.
    """

    form: str
    size: Vector3
    mass_kg: float = 0.08
    hollow: bool = False
    solid: bool = True


CUBE = Model("cube", (CUBE_M, CUBE_M, CUBE_M))
BALL = Model("ball", (BALL_M, BALL_M, BALL_M), mass_kg=0.04)
CUP = Model("disc", CUP_M, mass_kg=0.06, hollow=True)
PEG = Model("cuboid", PEG_M, mass_kg=0.15)


def shaped(form: str) -> Model:
    """A small thing of one of `SHAPES`."""
    if form == "cube":
        return CUBE
    if form == "ball":
        return Model("ball", (0.05, 0.05, 0.05), mass_kg=0.06)
    return Model(form, SHAPE_M)


def patch(side_m: float) -> Model:
    """A square of colour on the table."""
    return Model("cube", (side_m, side_m, 0.001), mass_kg=0.0, solid=False)


def target(radius_m: float) -> Model:
    """A round spot of colour on the table."""
    return Model("disc", (2 * radius_m, 2 * radius_m, 0.001), mass_kg=0.0, solid=False)


def build(client: Any, model: Model, colour: Colour, at: Vector3) -> int:
    """Make a body.

    Args:
        client: Of PyBullet.
        model: Of what kind.
        colour: Red, green, blue, 0 to 1.
        at: Its middle, metres.

    Returns:
        The body's number.
    """
    body: int = client.createMultiBody(
        model.mass_kg, _touched(client, model), _drawn(client, model, colour), at
    )
    rolls = model.form == "ball"
    client.changeDynamics(
        body, -1, lateralFriction=0.7, restitution=0.0, linearDamping=0.0, angularDamping=0.0,
        spinningFriction=0.0 if rolls else 0.005, rollingFriction=0.0 if rolls else 0.0005,
        activationState=client.ACTIVATION_STATE_ENABLE_SLEEPING,
    )  # fmt: skip
    return body


def _drawn(client: Any, model: Model, colour: Colour) -> int:
    paint, (x, y, z) = (*colour, 1.0), model.size
    if model.form == "cuboid":
        half = (x / 2, y / 2, z / 2)
        return int(client.createVisualShape(client.GEOM_BOX, halfExtents=half, rgbaColor=paint))
    return int(
        client.createVisualShape(
            client.GEOM_MESH, fileName=mesh_file(model.form, x, z), rgbaColor=paint,
            visualFramePosition=(0, 0, -z / 2),
        )
    )  # fmt: skip


def _touched(client: Any, model: Model) -> int:
    if not model.solid:
        return -1
    x, y, z = model.size
    if model.hollow:
        return _walls(client, x, z)
    if model.form == "ball":
        return int(client.createCollisionShape(client.GEOM_SPHERE, radius=x / 2))
    boxes = _BOXES.get(model.form, _WHOLE)
    return int(
        client.createCollisionShapeArray(
            [client.GEOM_BOX] * len(boxes),
            halfExtents=[(wide * x / 2, long * y / 2, z / 2) for _, _, wide, long in boxes],
            collisionFramePositions=[(across * x, along * y, 0) for across, along, _, _ in boxes],
        )
    )  # fmt: skip


def _walls(client: Any, span: float, height: float) -> int:
    """A cup turned over: a ring of boards and a lid."""
    radius = (span - _CUP_WALL_M) / 2
    board = (_CUP_WALL_M / 2, span / 2 * math.tan(math.pi / _CUP_SIDES), height / 2)
    angles = [2 * math.pi * number / _CUP_SIDES for number in range(_CUP_SIDES)]
    places = [(radius * math.cos(angle), radius * math.sin(angle), 0.0) for angle in angles]
    lid = (span / 2.4, span / 2.4, _CUP_WALL_M / 2)
    return int(
        client.createCollisionShapeArray(
            [client.GEOM_BOX] * (_CUP_SIDES + 1), halfExtents=[*[board] * _CUP_SIDES, lid],
            collisionFramePositions=[*places, (0, 0, (height - _CUP_WALL_M) / 2)],
            collisionFrameOrientations=[
                *((0, 0, math.sin(angle / 2), math.cos(angle / 2)) for angle in angles), (0, 0, 0, 1)
            ],
        )
    )  # fmt: skip
