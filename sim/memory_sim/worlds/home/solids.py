"""Solids that things are made of: boxes, upright cylinders and spheres, in plain colours."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from memory_core.types import FloatArray, Vector3

Colour = tuple[float, float, float]

COLOURS: dict[str, Colour] = {
    "red": (0.80, 0.07, 0.07),
    "green": (0.10, 0.55, 0.15),
    "blue": (0.10, 0.22, 0.80),
    "yellow": (0.95, 0.83, 0.10),
    "orange": (0.98, 0.48, 0.05),
    "purple": (0.48, 0.14, 0.62),
    "pink": (0.96, 0.52, 0.68),
    "white": (0.94, 0.94, 0.94),
    "black": (0.08, 0.08, 0.09),
    "brown": (0.42, 0.25, 0.12),
    "grey": (0.48, 0.48, 0.52),
    "turquoise": (0.10, 0.72, 0.70),
}
"""The colours that labels speak of; red, green, blue from 0 to 1."""
STEEL: Colour = (0.72, 0.73, 0.76)
OAK: Colour = (0.68, 0.50, 0.30)
WALNUT: Colour = (0.38, 0.24, 0.14)
PINE: Colour = (0.84, 0.70, 0.48)
PAINTED: Colour = (0.88, 0.87, 0.84)
PAPER: Colour = (0.96, 0.94, 0.86)


@dataclass(frozen=True, slots=True)
class Solid:
    """One solid, its sides along the axes of the thing it belongs to.

    Attributes:
        shape: `box`, `cylinder` (upright) or `sphere`.
        size: Of the box around it: x, y, z, metres.
        centre: In the thing's frame, metres.
        colour: Red, green, blue, 0 to 1.
    """

    shape: str
    size: Vector3
    centre: Vector3
    colour: Colour


def box(size: Vector3, centre: Vector3, colour: Colour) -> Solid:
    """A box around a centre."""
    return Solid("box", size, centre, colour)


def standing(size: Vector3, at: Vector3, colour: Colour) -> Solid:
    """A box whose foot has its middle at a point."""
    return Solid("box", size, (at[0], at[1], at[2] + size[2] / 2), colour)


def cylinder(diameter: float, height: float, at: Vector3, colour: Colour) -> Solid:
    """An upright cylinder whose foot has its middle at a point."""
    centre = (at[0], at[1], at[2] + height / 2)
    return Solid("cylinder", (diameter, diameter, height), centre, colour)


def sphere(diameter: float, at: Vector3, colour: Colour) -> Solid:
    """A sphere whose lowest point is at a point."""
    return Solid("sphere", (diameter,) * 3, (at[0], at[1], at[2] + diameter / 2), colour)


def shifted(solids: Iterable[Solid], by: Vector3) -> tuple[Solid, ...]:
    """The same solids elsewhere."""
    x, y, z = by
    return tuple(
        replace(s, centre=(s.centre[0] + x, s.centre[1] + y, s.centre[2] + z)) for s in solids
    )


def bounds(solids: Iterable[Solid]) -> tuple[FloatArray, FloatArray]:
    """Corners of the box around solids: the lowest and the highest coordinates, metres."""
    rows = [(s.centre, s.size) for s in solids]
    centres = np.array([centre for centre, _ in rows])
    halves = np.array([size for _, size in rows]) / 2
    return (centres - halves).min(axis=0), (centres + halves).max(axis=0)
