"""Families of shapes that small things have: a mug, a bottle, a book, a hammer.

Each function takes the sides of the box around the thing (x, y, z, metres) and its colour, and
gives solids that stand on z = 0.
"""

from __future__ import annotations

from collections.abc import Callable

from memory_core.types import Vector3
from memory_sim.worlds.home.solids import (
    COLOURS,
    PAPER,
    STEEL,
    Colour,
    Solid,
    box,
    cylinder,
    sphere,
    standing,
)

BLACK, WHITE = COLOURS["black"], COLOURS["white"]
Shape = Callable[[Vector3, Colour], tuple[Solid, ...]]


def _dark(colour: Colour) -> Colour:
    return (colour[0] * 0.6, colour[1] * 0.6, colour[2] * 0.6)


def _cup(size: Vector3, colour: Colour) -> tuple[Solid, ...]:
    width, length, height = size
    handle = box((0.012, length - width, height * 0.6), (0, length / 2 - (length - width) / 2, height * 0.52), colour)  # fmt: skip
    across = -(length - width) / 2
    return (
        cylinder(width, height - 0.004, (0, across, 0), colour),
        cylinder(width * 0.84, 0.004, (0, across, height - 0.004), _dark(colour)),
        handle,
    )


def _tumbler(size: Vector3, colour: Colour) -> tuple[Solid, ...]:
    width, _, height = size
    rim = cylinder(width * 0.84, 0.004, (0, 0, height - 0.004), _dark(colour))
    return (cylinder(width, height - 0.004, (0, 0, 0), colour), rim)


def _can(size: Vector3, colour: Colour) -> tuple[Solid, ...]:
    width, _, height = size
    return (
        cylinder(width, height * 0.88, (0, 0, 0), colour),
        cylinder(width * 0.92, height * 0.12, (0, 0, height * 0.88), STEEL),
    )


def _jar(size: Vector3, colour: Colour) -> tuple[Solid, ...]:
    width, _, height = size
    return (
        cylinder(width, height * 0.3, (0, 0, 0), colour),
        cylinder(width * 0.999, height * 0.34, (0, 0, height * 0.3), PAPER),
        cylinder(width, height * 0.16, (0, 0, height * 0.64), colour),
        cylinder(width * 0.9, height * 0.2, (0, 0, height * 0.8), _dark(colour)),
    )


def _bottle(size: Vector3, colour: Colour) -> tuple[Solid, ...]:
    width, _, height = size
    return (
        cylinder(width, height * 0.62, (0, 0, 0), colour),
        cylinder(width * 0.4, height * 0.28, (0, 0, height * 0.62), colour),
        cylinder(width * 0.45, height * 0.1, (0, 0, height * 0.9), BLACK),
    )


def _pump(size: Vector3, colour: Colour) -> tuple[Solid, ...]:
    width, _, height = size
    return (
        cylinder(width, height * 0.72, (0, 0, 0), colour),
        cylinder(width * 0.3, height * 0.2, (0, 0, height * 0.72), WHITE),
        standing((width * 0.35, width * 0.9, height * 0.08), (0, width * 0.05, height * 0.92), WHITE),
    )  # fmt: skip


def _carton(size: Vector3, colour: Colour) -> tuple[Solid, ...]:
    x, y, z = size
    return (
        standing((x, y, z * 0.45), (0, 0, 0), colour),
        standing((x, y, z * 0.25), (0, 0, z * 0.45), PAPER),
        standing((x, y, z * 0.3), (0, 0, z * 0.7), colour),
    )


def _block(size: Vector3, colour: Colour) -> tuple[Solid, ...]:
    return (standing(size, (0, 0, 0), colour),)


def _device(size: Vector3, colour: Colour) -> tuple[Solid, ...]:
    x, y, z = size
    screen = standing((0.004, y * 0.8, z * 0.6), (x / 2 - 0.002, 0, z * 0.3), (0.25, 0.45, 0.5))
    return (standing((x - 0.004, y, z), (-0.002, 0, 0), colour), screen)


def _clock(size: Vector3, colour: Colour) -> tuple[Solid, ...]:
    x, y, z = size
    return (
        standing((x - 0.006, y, z * 0.85), (-0.003, 0, 0), colour),
        standing((0.006, y * 0.75, z * 0.6), (x / 2 - 0.003, 0, z * 0.14), WHITE),
        cylinder(min(x, y) * 0.5, z * 0.15, (0, 0, z * 0.85), STEEL),
    )


def _radio(size: Vector3, colour: Colour) -> tuple[Solid, ...]:
    x, y, z = size
    return (
        standing((x - 0.006, y, z * 0.8), (-0.003, 0, 0), colour),
        standing((0.006, y * 0.35, z * 0.5), (x / 2 - 0.003, y * 0.25, z * 0.15), BLACK),
        standing((0.006, y * 0.35, z * 0.2), (x / 2 - 0.003, -y * 0.22, z * 0.45), PAPER),
        standing((0.012, y * 0.7, z * 0.2), (0, 0, z * 0.8), _dark(colour)),
    )


def _book(size: Vector3, colour: Colour) -> tuple[Solid, ...]:
    x, y, z = size
    return (
        standing((x * 0.2, y, z), (x * 0.4, 0, 0), colour),
        standing((x * 0.2, y, z), (-x * 0.4, 0, 0), colour),
        standing((x * 0.6, y * 0.94, z * 0.96), (0, 0, z * 0.01), PAPER),
    )


def _ball(size: Vector3, colour: Colour) -> tuple[Solid, ...]:
    return (sphere(size[0], (0, 0, 0), colour),)


def _fruit(size: Vector3, colour: Colour) -> tuple[Solid, ...]:
    width, _, height = size
    stalk = cylinder(0.012, height - width * 0.95, (0, 0, width * 0.95), (0.35, 0.22, 0.1))
    return (sphere(width, (0, 0, 0), colour), stalk)


def _pear(size: Vector3, colour: Colour) -> tuple[Solid, ...]:
    width, _, height = size
    return (
        sphere(width, (0, 0, 0), colour),
        sphere(width * 0.62, (0, 0, height - width * 0.62), colour),
    )


def _bar(size: Vector3, colour: Colour) -> tuple[Solid, ...]:
    """Something long: a shaft with a thicker, darker end."""
    x, y, z = size
    return (
        standing((x * 0.7, y * 0.6, z * 0.8), (0, y * 0.2, 0), colour),
        standing((x, y * 0.4, z), (0, -y * 0.3, 0), _dark(colour)),
    )


def _hammer(size: Vector3, colour: Colour) -> tuple[Solid, ...]:
    x, y, z = size
    return (
        standing((x * 0.4, y * 0.8, z * 0.7), (0, -y * 0.1, 0), colour),
        standing((x, y * 0.2, z), (0, y * 0.4, 0), STEEL),
    )


def _brush(size: Vector3, colour: Colour) -> tuple[Solid, ...]:
    x, y, z = size
    return (
        standing((x * 0.5, y * 0.6, z * 0.5), (0, -y * 0.2, 0), colour),
        standing((x, y * 0.4, z * 0.5), (0, y * 0.3, 0), colour),
        standing((x, y * 0.36, z * 0.5), (0, y * 0.3, z * 0.5), PAPER),
    )


def _torch(size: Vector3, colour: Colour) -> tuple[Solid, ...]:
    width, _, height = size
    return (
        cylinder(width * 0.65, height * 0.7, (0, 0, 0), colour),
        cylinder(width, height * 0.26, (0, 0, height * 0.7), _dark(colour)),
        cylinder(width * 0.8, height * 0.04, (0, 0, height * 0.96), (1.0, 0.97, 0.75)),
    )


def _candle(size: Vector3, colour: Colour) -> tuple[Solid, ...]:
    width, _, height = size
    return (
        cylinder(width, height * 0.15, (0, 0, 0), STEEL),
        cylinder(width * 0.6, height * 0.75, (0, 0, height * 0.15), colour),
        cylinder(0.01, height * 0.1, (0, 0, height * 0.9), BLACK),
    )


def _duck(size: Vector3, colour: Colour) -> tuple[Solid, ...]:
    x, y, z = size
    return (
        sphere(x, (0, 0, 0), colour),
        standing((x * 0.6, y - x * 0.6, x * 0.35), (0, -x * 0.3, x * 0.35), colour),
        sphere(x * 0.62, (0, y / 2 - x * 0.62, z - x * 0.62), colour),
        standing((x * 0.3, x * 0.31, 0.012), (0, y / 2 - x * 0.155, z - x * 0.36), COLOURS["orange"]),
    )  # fmt: skip


def _bear(size: Vector3, colour: Colour) -> tuple[Solid, ...]:
    x, y, z = size
    head = min(z * 0.45, x)
    ear = head * 0.4
    neck = z - ear * 0.4 - head
    return (
        standing((x, y, neck + head * 0.12), (0, 0, 0), colour),
        sphere(head, (0, 0, neck), colour),
        *(sphere(ear, (0, side * head * 0.38, z - ear), _dark(colour)) for side in (-1, 1)),
    )


def _vase(size: Vector3, colour: Colour) -> tuple[Solid, ...]:
    width, _, height = size
    return (
        cylinder(width * 0.6, width * 0.1, (0, 0, 0), _dark(colour)),
        sphere(width, (0, 0, width * 0.05), colour),
        cylinder(width * 0.4, height - width, (0, 0, width), colour),
    )


def _pin(size: Vector3, colour: Colour) -> tuple[Solid, ...]:
    """Thick in the middle, a thin grip at both ends."""
    x, y, z = size
    grips = tuple(
        box((x * 0.4, y * 0.2, z * 0.4), (0, side * y * 0.4, z / 2), _dark(colour))
        for side in (-1, 1)
    )
    return (standing((x, y * 0.6, z), (0, 0, 0), colour), *grips)


def _dumbbell(size: Vector3, colour: Colour) -> tuple[Solid, ...]:
    x, y, z = size
    weights = tuple(standing((x, y * 0.28, z), (0, side * y * 0.36, 0), colour) for side in (-1, 1))
    return (box((x * 0.35, y * 0.44, z * 0.35), (0, 0, z / 2), STEEL), *weights)


def _tower(size: Vector3, colour: Colour) -> tuple[Solid, ...]:
    x, y, z = size
    return (
        standing((x, y, z * 0.3), (0, 0, 0), colour),
        standing((x * 0.75, y * 0.75, z * 0.35), (0, 0, z * 0.3), colour),
        standing((x * 0.5, y * 0.5, z * 0.35), (0, 0, z * 0.65), _dark(colour)),
    )


def _spatula(size: Vector3, colour: Colour) -> tuple[Solid, ...]:
    x, y, z = size
    return (
        standing((x * 0.3, y * 0.7, z * 0.7), (0, -y * 0.15, 0), colour),
        standing((x, y * 0.3, z * 0.5), (0, y * 0.35, 0), STEEL),
        standing((x * 0.4, y * 0.1, z), (0, -y * 0.4, 0), _dark(colour)),
    )


def _car(size: Vector3, colour: Colour) -> tuple[Solid, ...]:
    x, y, z = size
    wheels = tuple(
        standing((x, y * 0.2, z * 0.3), (0, side * y * 0.28, 0), BLACK) for side in (-1, 1)
    )
    return (
        standing((x * 0.96, y, z * 0.4), (0, 0, z * 0.2), colour),
        standing((x * 0.8, y * 0.5, z * 0.4), (0, -y * 0.05, z * 0.6), (0.6, 0.75, 0.85)),
        *wheels,
    )


def _figure(size: Vector3, colour: Colour) -> tuple[Solid, ...]:
    x, y, z = size
    legs = tuple(standing((x * 0.5, y * 0.3, z * 0.35), (0, side * y * 0.2, 0), _dark(colour)) for side in (-1, 1))  # fmt: skip
    return (
        *legs,
        standing((x, y, z * 0.35), (0, 0, z * 0.35), colour),
        standing((x * 0.7, y * 0.5, z * 0.3), (0, 0, z * 0.7), STEEL),
    )


def _cube(size: Vector3, colour: Colour) -> tuple[Solid, ...]:
    x, y, z = size
    return (
        standing((x, y, z / 3), (0, 0, 0), colour),
        standing((x, y, z / 3), (0, 0, z / 3), COLOURS["yellow"]),
        standing((x, y, z / 3), (0, 0, 2 * z / 3), WHITE),
    )


def _shoe(size: Vector3, colour: Colour) -> tuple[Solid, ...]:
    x, y, z = size
    return (
        standing((x, y, z * 0.2), (0, 0, 0), WHITE),
        standing((x * 0.95, y * 0.96, z * 0.35), (0, 0, z * 0.2), colour),
        standing((x * 0.95, y * 0.5, z * 0.45), (0, -y * 0.23, z * 0.55), colour),
    )


def _roll(size: Vector3, colour: Colour) -> tuple[Solid, ...]:
    width, _, height = size
    core = cylinder(width * 0.4, 0.004, (0, 0, height - 0.004), _dark(colour))
    return (cylinder(width, height - 0.004, (0, 0, 0), colour), core)


def _banana(size: Vector3, colour: Colour) -> tuple[Solid, ...]:
    x, y, z = size
    return (
        standing((x * 0.8, y * 0.5, z * 0.7), (0.1 * x, 0, 0), colour),
        standing((x * 0.8, y * 0.25, z * 0.8), (-0.1 * x, 0.37 * y, z * 0.2), colour),
        standing((x * 0.8, y * 0.25, z * 0.8), (-0.1 * x, -0.37 * y, z * 0.2), _dark(colour)),
    )


SHAPES: dict[str, Shape] = {
    "cup": _cup, "tumbler": _tumbler, "can": _can, "jar": _jar, "bottle": _bottle, "pump": _pump,
    "carton": _carton, "block": _block, "device": _device, "clock": _clock, "radio": _radio,
    "book": _book, "ball": _ball, "fruit": _fruit, "pear": _pear, "bar": _bar, "hammer": _hammer,
    "brush": _brush, "torch": _torch, "candle": _candle, "duck": _duck, "bear": _bear, "car": _car,
    "figure": _figure,
    "vase": _vase,
    "pin": _pin,
    "dumbbell": _dumbbell,
    "tower": _tower,
    "spatula": _spatula, "cube": _cube, "shoe": _shoe, "roll": _roll, "banana": _banana,
}  # fmt: skip
"""Families of shapes: a detector mixes up things of one family rather than others."""
