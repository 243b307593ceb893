"""The robot's body as a URDF of primitive shapes: a round base, a lift, an arm, a hand, a head.

The arm is a Franka Emika Panda: its Denavit-Hartenberg parameters in Craig's convention and its
joint limits are those the maker publishes (Franka Control Interface documentation, "Robot and
interface specifications"). Shapes are coarse hulls: quick to render and to test for contact.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from xml.etree import ElementTree

from memory_core.types import Vector3
from memory_sim.worlds.home.camera import HEAD_M

BASE_RADIUS_M = 0.27
LIFT_M = (0.0, 0.6)
LIFT_MOUNT = (-0.05, -0.15, 0.25)
"""Where the arm stands with the lift down, base frame, metres."""
PAN_RAD, TILT_RAD = (-2.6, 2.6), (-1.4, 0.8)
"""How far the head turns to the right and left, and down and up."""
WIDEST_GRIP_M = 0.08
FINGER_REACH_M = 0.1034
"""From the hand's frame to the point between the fingertips."""

ARM_JOINTS = tuple(f"arm_{number}" for number in range(1, 8))
FINGERS = ("finger_left", "finger_right")
HAND = "hand"


@dataclass(frozen=True, slots=True)
class ArmJoint:
    """A revolute joint: Craig's a, d (metres) and alpha, its limits (radians), its speed (rad/s).

    The speeds are about half of what the maker allows: fit for a home.
    """

    a: float
    d: float
    alpha: float
    low: float
    high: float
    speed: float


_RIGHT = math.pi / 2
PANDA = (
    ArmJoint(0.0, 0.333, 0.0, -2.8973, 2.8973, 1.1),
    ArmJoint(0.0, 0.0, -_RIGHT, -1.7628, 1.7628, 1.1),
    ArmJoint(0.0, 0.316, _RIGHT, -2.8973, 2.8973, 1.1),
    ArmJoint(0.0825, 0.0, _RIGHT, -3.0718, -0.0698, 1.1),
    ArmJoint(-0.0825, 0.384, -_RIGHT, -2.8973, 2.8973, 1.3),
    ArmJoint(0.0, 0.0, _RIGHT, -0.0175, 3.7525, 1.3),
    ArmJoint(0.088, 0.0, _RIGHT, -2.8973, 2.8973, 1.3),
)
_FLANGE_M = 0.107
LIFT_SPEED_M_S = 0.15

_WHITE = "0.9 0.9 0.92 1"
_DARK = "0.2 0.2 0.24 1"


@dataclass(frozen=True, slots=True)
class _Shape:
    """A hull in a link's frame: `capsule` or `cylinder` (radius, length) along z, or `box`."""

    kind: str
    size: tuple[float, ...]
    centre: Vector3
    tilt: float = 0.0
    colour: str = _WHITE


_ARM_SHAPES: tuple[tuple[_Shape, ...], ...] = (
    (_Shape("capsule", (0.06, 0.22), (0, 0, -0.17)),),
    (_Shape("capsule", (0.06, 0.12), (0, 0, 0), colour=_DARK),),
    (_Shape("capsule", (0.06, 0.15), (0, 0, -0.145)),),
    (_Shape("capsule", (0.055, 0.10), (0, 0, 0), colour=_DARK),),
    (
        _Shape("capsule", (0.055, 0.10), (0, 0, -0.26)),
        _Shape("capsule", (0.03, 0.14), (0, 0.08, -0.13)),
    ),
    (_Shape("capsule", (0.05, 0.08), (0, 0, -0.03), colour=_DARK),),
    (_Shape("capsule", (0.04, 0.06), (0, 0, 0.02)),),
)
_BASE_SHAPES = (
    _Shape("cylinder", (BASE_RADIUS_M, 0.19), (0, 0, 0.125), colour=_DARK),
    _Shape("box", (0.04, 0.07, 0.75), (-0.18, -0.13, 0.58)),
    _Shape("box", (0.05, 0.05, 0.94), (-0.03, 0.2, 0.68)),
    _Shape("box", (0.04, 0.21, 0.03), (-0.02, 0.115, 1.165)),
    _Shape("box", (0.03, 0.03, 0.08), (0.0, 0.02, 1.2)),
)
_LIFT_SHAPES = (
    _Shape("box", (0.10, 0.08, 0.05), (-0.06, 0, 0.03), colour=_DARK),
    _Shape("cylinder", (0.065, 0.10), (0, 0, 0.055), colour=_DARK),
)
_HAND_SHAPES = (_Shape("box", (0.06, 0.20, 0.065), (0, 0, 0.03)),)
_FINGER_SHAPES = (_Shape("box", (0.02, 0.012, 0.05), (0, 0.006, 0.083), colour=_DARK),)
_HEAD_SHAPES = (_Shape("box", (0.05, 0.06, 0.05), (-0.06, 0.01, 0), colour=_DARK),)


def robot_urdf() -> str:
    """The whole robot as URDF text; its root link is the base frame, on the floor."""
    robot = ElementTree.Element("robot", name="home_robot")
    _link(robot, "base", _BASE_SHAPES)
    _link(robot, "head_pan", ())
    _joint(robot, "pan", "revolute", "base", "head_pan", HEAD_M, limits=PAN_RAD)
    _link(robot, "head_tilt", _HEAD_SHAPES)
    _joint(robot, "tilt", "revolute", "head_pan", "head_tilt", (0, 0, 0), axis="0 -1 0",
           limits=TILT_RAD)  # fmt: skip
    _link(robot, "lift", _LIFT_SHAPES)
    _joint(robot, "lift", "prismatic", "base", "lift", LIFT_MOUNT, limits=LIFT_M)
    parent = "lift"
    for name, joint, shapes in zip(ARM_JOINTS, PANDA, _ARM_SHAPES, strict=True):
        _link(robot, name, shapes)
        origin = (joint.a, -joint.d * math.sin(joint.alpha), joint.d * math.cos(joint.alpha))
        _joint(robot, name, "revolute", parent, name, origin, roll=joint.alpha,
               limits=(joint.low, joint.high))  # fmt: skip
        parent = name
    _link(robot, HAND, _HAND_SHAPES)
    _joint(robot, HAND, "fixed", parent, HAND, (0, 0, _FLANGE_M), yaw=-math.pi / 4)
    for name, side in zip(FINGERS, (0.0, math.pi), strict=True):
        _link(robot, name, _FINGER_SHAPES)
        _joint(robot, name, "prismatic", HAND, name, (0, 0, 0), axis="0 1 0", yaw=side,
               limits=(0.0, WIDEST_GRIP_M / 2))  # fmt: skip
    ElementTree.indent(robot)  # PyBullet reads lines of at most a kilobyte
    return ElementTree.tostring(robot, encoding="unicode")


def _link(robot: ElementTree.Element, name: str, shapes: tuple[_Shape, ...]) -> None:
    link = ElementTree.SubElement(robot, "link", name=name)
    inertial = ElementTree.SubElement(link, "inertial")
    ElementTree.SubElement(inertial, "mass", value="1")
    ElementTree.SubElement(
        inertial, "inertia", ixx="0.01", iyy="0.01", izz="0.01", ixy="0", ixz="0", iyz="0"
    )
    for shape in shapes:
        for use in ("visual", "collision"):
            part = ElementTree.SubElement(link, use)
            ElementTree.SubElement(
                part, "origin", xyz=_numbers(shape.centre), rpy=_numbers((shape.tilt, 0, 0))
            )
            geometry = ElementTree.SubElement(part, "geometry")
            if shape.kind == "box":
                ElementTree.SubElement(geometry, "box", size=_numbers(shape.size))
            elif use == "visual":  # a box has a tenth of a capsule's triangles
                radius, length = shape.size
                length += 2 * radius if shape.kind == "capsule" else 0
                side = 1.8 * radius
                ElementTree.SubElement(geometry, "box", size=_numbers((side, side, length)))
            else:
                ElementTree.SubElement(
                    geometry, shape.kind, radius=f"{shape.size[0]}", length=f"{shape.size[1]}"
                )
            if use == "visual":
                material = ElementTree.SubElement(part, "material", name=shape.colour)
                ElementTree.SubElement(material, "color", rgba=shape.colour)


def _joint(
    robot: ElementTree.Element, name: str, kind: str, parent: str, child: str, origin: Vector3, *,
    limits: tuple[float, float] | None = None, axis: str = "0 0 1", roll: float = 0.0,
    yaw: float = 0.0,
) -> None:  # fmt: skip
    joint = ElementTree.SubElement(robot, "joint", name=f"{name}_joint", type=kind)
    ElementTree.SubElement(joint, "origin", xyz=_numbers(origin), rpy=_numbers((roll, 0, yaw)))
    ElementTree.SubElement(joint, "parent", link=parent)
    ElementTree.SubElement(joint, "child", link=child)
    if limits is not None:
        ElementTree.SubElement(joint, "axis", xyz=axis)
        low, high = limits
        ElementTree.SubElement(
            joint, "limit", lower=f"{low}", upper=f"{high}", effort="80", velocity="2"
        )


def _numbers(values: tuple[float, ...]) -> str:
    return " ".join(f"{value:.9g}" for value in values)
