"""What stays where it is and has a part that moves: a button that presses, a chest with drawers."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any
from xml.etree import ElementTree

from memory_core.types import Pose, Vector3
from memory_sim.worlds.home.solids import Colour
from memory_sim.worlds.table.forms import folder, mesh_file

DRAWERS = 3
PRESSED_M = 0.003
"""A button that is further down than this is pressed."""
DRAWER_OPEN_M = 0.21
_TRAVEL_M = 0.23
_WIDE_M, _DEEP_M, _HIGH_M = 0.15, 0.25, 0.08
_WALL_M = 0.008
_KNOB: Vector3 = (0.02, 0.022, 0.05)
_STANDS_OFF_M = 0.06
_KNOB_Z_M = 0.055
_PRESS_M = 0.008
_FOOT_M, _CAP_M = (0.09, 0.02), (0.06, 0.022)
_DRAWER_FRICTION_N, _SPRING_N = 2.0, 4.0


@dataclass(frozen=True, slots=True)
class Fitting:
    """A part that slides.

    Attributes:
        client: Of PyBullet.
        body: Body number.
        link: Number of the sliding part, and of its joint.
        grip: Where it is taken hold of or pressed, in the part's frame.
    """

    client: Any
    body: int
    link: int
    grip: Vector3

    @property
    def travel_m(self) -> float:
        """How far it was moved: a drawer outwards, a button down."""
        return float(self.client.getJointState(self.body, self.link)[0])

    def slide(self, travel_m: float) -> None:
        """Put it somewhere along its way."""
        self.client.resetJointState(self.body, self.link, travel_m)

    def paint(self, colour: Colour) -> None:
        """Give it another colour."""
        self.client.changeVisualShape(self.body, self.link, rgbaColor=(*colour, 1.0))

    def draw_shut(self, shut: bool) -> None:
        """A light spring draws a drawer shut, or rests."""
        if shut:
            self.client.setJointMotorControl2(
                self.body, self.link, self.client.POSITION_CONTROL, targetPosition=0.0,
                force=3 * _DRAWER_FRICTION_N, positionGain=0.05,
            )  # fmt: skip
        else:
            self.client.setJointMotorControl2(
                self.body, self.link, self.client.VELOCITY_CONTROL, targetVelocity=0.0,
                force=_DRAWER_FRICTION_N,
            )  # fmt: skip

    def pose(self) -> Pose:
        """Where it is to be taken hold of or pressed, base frame."""
        state = self.client.getLinkState(self.body, self.link, computeForwardKinematics=True)
        return Pose(*state[4], *state[5]).compose(Pose(*self.grip))


def add_button(client: Any, place: tuple[float, float], colour: Colour) -> Fitting:
    """A round button on the table.

    Args:
        client: Of PyBullet.
        place: Its middle, x and y, metres.
        colour: Of the cap.
    """
    body = client.loadURDF(_button(colour), (*place, 0.0), useFixedBase=True)
    client.setJointMotorControl2(
        body, 0, client.POSITION_CONTROL, targetPosition=0.0, force=_SPRING_N, positionGain=0.1
    )
    return Fitting(client, body, 0, (0.0, 0.0, _CAP_M[1]))


def add_chest(
    client: Any, place: tuple[float, float], colours: tuple[Colour, Colour]
) -> list[Fitting]:
    """A low chest whose drawers open towards the robot, from its right to its left.

    Args:
        client: Of PyBullet.
        place: The middle of its front's foot, x and y, metres.
        colours: Of the chest, and of the knobs.

    Returns:
        The drawers, closed.
    """
    body = client.loadURDF(_chest(*colours), (*place, 0.0), useFixedBase=True)
    for drawer in range(DRAWERS):
        client.setJointMotorControl2(
            body, drawer, client.VELOCITY_CONTROL, targetVelocity=0.0, force=_DRAWER_FRICTION_N
        )
        client.changeDynamics(body, drawer, lateralFriction=1.0, jointDamping=0.5)
    return [
        Fitting(client, body, drawer, (-_STANDS_OFF_M, 0.0, _KNOB_Z_M)) for drawer in range(DRAWERS)
    ]


@cache
def _button(colour: Colour) -> str:
    robot = ElementTree.Element("robot", name="button")
    foot = _link(robot, "foot", mass=0)
    _cylinder(foot, *_FOOT_M, 0.0, (0.25, 0.25, 0.27))
    cap = _link(robot, "cap", mass=0.05)
    _cylinder(cap, *_CAP_M, 0.0, colour)
    _slide(robot, "cap", (0, 0, _FOOT_M[1] - 0.004), "0 0 -1", _PRESS_M)
    return _written(robot, f"button-{_tag(colour)}")


@cache
def _chest(colour: Colour, knob: Colour) -> str:
    robot = ElementTree.Element("robot", name="chest")
    body = _link(robot, "chest", mass=0)
    width = DRAWERS * _WIDE_M
    _box(body, (_DEEP_M, width, _WALL_M), (_DEEP_M / 2, 0, _HIGH_M - _WALL_M / 2), colour)
    _box(body, (_WALL_M, width, _HIGH_M), (_DEEP_M, 0, _HIGH_M / 2), colour)
    for wall in range(DRAWERS + 1):
        y = wall * _WIDE_M - width / 2
        _box(body, (_DEEP_M, _WALL_M, _HIGH_M), (_DEEP_M / 2, y, _HIGH_M / 2), colour)
    lighter = tuple(min(1.0, share * 1.25 + 0.05) for share in colour)
    for drawer in range(DRAWERS):
        part = _link(robot, f"drawer {drawer + 1}", mass=0.3)
        inner, high = _WIDE_M - 2 * _WALL_M, _HIGH_M - 2.5 * _WALL_M
        _box(part, (_WALL_M, inner, high), (-_WALL_M / 2, 0, high / 2 + 0.004), lighter)
        _box(part, (_DEEP_M - 0.02, inner - 0.01, 0.004), (_DEEP_M / 2 - 0.01, 0, 0.006), lighter)
        _box(part, (_STANDS_OFF_M, 0.012, 0.012), (-_STANDS_OFF_M / 2, 0, 0.025), knob)
        _box(part, _KNOB, (-_STANDS_OFF_M, 0, _KNOB_Z_M), knob)
        place = (0.0, (drawer - (DRAWERS - 1) / 2) * _WIDE_M, 0.0)
        _slide(robot, f"drawer {drawer + 1}", place, "-1 0 0", _TRAVEL_M)
    return _written(robot, f"chest-{_tag(colour)}-{_tag(knob)}")


def _link(robot: ElementTree.Element, name: str, *, mass: float) -> ElementTree.Element:
    link = ElementTree.SubElement(robot, "link", name=name)
    inertial = ElementTree.SubElement(link, "inertial")
    ElementTree.SubElement(inertial, "mass", value=f"{mass}")
    inertia = f"{mass * 0.002}"
    ElementTree.SubElement(
        inertial, "inertia", ixx=inertia, iyy=inertia, izz=inertia, ixy="0", ixz="0", iyz="0"
    )
    return link


def _box(
    link: ElementTree.Element, size: Vector3, centre: Vector3, colour: Iterable[float]
) -> None:
    for use in ("visual", "collision"):
        part = ElementTree.SubElement(link, use)
        ElementTree.SubElement(part, "origin", xyz=_numbers(centre))
        ElementTree.SubElement(ElementTree.SubElement(part, "geometry"), "box", size=_numbers(size))
        if use == "visual":
            _paint(part, colour)


def _cylinder(
    link: ElementTree.Element, span: float, height: float, foot: float, colour: Colour
) -> None:
    """Drawn from a mesh, which has fewer triangles; the `foot` is its lowest z."""
    drawn = ElementTree.SubElement(link, "visual")
    ElementTree.SubElement(drawn, "origin", xyz=_numbers((0, 0, foot)))
    mesh = mesh_file("disc", span, height)
    ElementTree.SubElement(ElementTree.SubElement(drawn, "geometry"), "mesh", filename=mesh)
    _paint(drawn, colour)
    touched = ElementTree.SubElement(link, "collision")
    ElementTree.SubElement(touched, "origin", xyz=_numbers((0, 0, foot + height / 2)))
    form = ElementTree.SubElement(touched, "geometry")
    ElementTree.SubElement(form, "cylinder", radius=f"{span / 2}", length=f"{height}")


def _paint(part: ElementTree.Element, colour: Iterable[float]) -> None:
    shares = tuple(colour)
    material = ElementTree.SubElement(part, "material", name=_tag(shares))
    ElementTree.SubElement(material, "color", rgba=_numbers((*shares, 1.0)))


def _slide(robot: ElementTree.Element, child: str, at: Vector3, axis: str, travel: float) -> None:
    joint = ElementTree.SubElement(robot, "joint", name=f"{child} slides", type="prismatic")
    ElementTree.SubElement(joint, "origin", xyz=_numbers(at))
    ElementTree.SubElement(joint, "parent", link=robot[0].get("name", ""))
    ElementTree.SubElement(joint, "child", link=child)
    ElementTree.SubElement(joint, "axis", xyz=axis)
    ElementTree.SubElement(joint, "limit", lower="0", upper=f"{travel}", effort="50", velocity="2")


def _written(robot: ElementTree.Element, name: str) -> str:
    path = folder() / f"{name}.urdf"
    ElementTree.indent(robot)  # PyBullet reads lines of at most a kilobyte
    path.write_text(ElementTree.tostring(robot, encoding="unicode"), encoding="utf-8")
    return str(path)


def _numbers(values: Iterable[float]) -> str:
    return " ".join(f"{value:.6g}" for value in values)


def _tag(colour: Iterable[float]) -> str:
    return "-".join(f"{math.floor(share * 255)}" for share in colour)
