"""Furniture with drawers, doors and shelves, put together from columns of compartments.

The frame of a piece of furniture: x to its front, y to its left, z up, the origin on the floor
under its middle.
"""

from __future__ import annotations

from dataclasses import dataclass

from memory_core.types import Vector3
from memory_sim.worlds.home.solids import STEEL, Colour, Solid, box, standing

BOARD_M = 0.02
REACH_M = 0.25
"""Things stand at most this far behind the front edge, so that an arm reaches them."""
LOW_M, HIGH_M = 0.3, 1.3
"""Heights of surfaces that things are put on."""
DRAWER_TRAVEL_M = 0.32
DOOR_TRAVEL_RAD = 1.57


@dataclass(frozen=True, slots=True)
class Surface:
    """A level area that things are put on.

    Attributes:
        name: `top`, `shelf 2`, `drawer 1`, `behind door 1, shelf 2`.
        height_m: In the furniture's frame.
        low: Smallest x and y, metres.
        high: Largest x and y, metres.
        clearance_m: Free height above it.
        opening: Name of the drawer or door it is in or behind; empty where it is open.
    """

    name: str
    height_m: float
    low: tuple[float, float]
    high: tuple[float, float]
    clearance_m: float
    opening: str = ""


@dataclass(frozen=True, slots=True)
class Opening:
    """A drawer that slides out or a door on a vertical hinge, drawn closed.

    Attributes:
        name: Within the furniture: `drawer 1`, `door 1`.
        label: What a detector calls it.
        solids: In the furniture's frame.
        handle: In the furniture's frame.
        travel: Metres along +x, or radians about +z (negative for a hinge on the right).
        hinge: A point of the hinge line; None for a drawer.
    """

    name: str
    label: str
    solids: tuple[Solid, ...]
    handle: tuple[Solid, ...]
    travel: float
    hinge: Vector3 | None = None


@dataclass(frozen=True, slots=True)
class FurnitureKind:
    """A kind of furniture.

    Attributes:
        label: What a detector calls it.
        size: Depth (x), width (y) and height, metres.
        solids: Its fixed part.
        surfaces: Where things can be put.
        openings: Its drawers and doors.
    """

    label: str
    size: Vector3
    solids: tuple[Solid, ...]
    surfaces: tuple[Surface, ...] = ()
    openings: tuple[Opening, ...] = ()


@dataclass(frozen=True, slots=True)
class Compartment:
    """One field of a cabinet's front.

    Attributes:
        kind: `drawer`, `door`, `open` or `blank`.
        height_m: Of the field.
        shelves: How many floors it has, for `door` and `open`.
    """

    kind: str
    height_m: float
    shelves: int = 1


Column = tuple[float, tuple[Compartment, ...]]
"""Width (metres) and compartments from the top down."""


def top_surface(
    size: Vector3, *, name: str = "top", margin_m: float = 0.05, clearance_m: float = 0.6
) -> Surface:
    """The strip along the front edge of a top."""
    depth, width, height = size
    front = depth / 2
    return Surface(
        name, height, (max(front - REACH_M, -front) + 0.02, margin_m - width / 2),
        (front - 0.03, width / 2 - margin_m), clearance_m,
    )  # fmt: skip


def cabinet(
    label: str,
    columns: tuple[Column, ...],
    colour: Colour,
    *,
    depth_m: float,
    height_m: float,
    door_label: str = "cupboard door",
    top: Colour | None = None,
) -> FurnitureKind:
    """A cabinet of columns side by side, the first on the left.

    Args:
        label: What a detector calls it.
        columns: What its front is made of.
        colour: Of the body.
        depth_m: With fronts, without handles.
        height_m: With its top.
        door_label: What a detector calls its doors.
        top: Colour of the top; None for the body's.
    """
    width = sum(column[0] for column in columns)
    front = depth_m / 2
    inner = depth_m - BOARD_M  # behind the fronts
    solids = [
        box((depth_m, width, 0.03), (0, 0, height_m - 0.015), top or colour),
        standing((BOARD_M, width, height_m - 0.03), (BOARD_M / 2 - front, 0, 0), colour),
    ]
    surfaces: list[Surface] = []
    openings: list[Opening] = []
    left = width / 2
    edges = [left]
    for column_width, compartments in columns:
        middle = left - column_width / 2
        level = height_m - 0.03
        for compartment in compartments:
            level -= compartment.height_m
            fields = _Field(middle, column_width, level, depth_m, colour)
            made = fields.fill(compartment, len(openings), len(surfaces), door_label)
            solids += made.solids
            surfaces += made.surfaces
            openings += made.openings
        if level > 0.005:
            foot = (inner, column_width, level)
            solids.append(standing(foot, (-BOARD_M / 2, middle, 0), colour))
        left -= column_width
        edges.append(left)
    for y in edges:
        inside = y - BOARD_M / 2 if y > 0.001 else y + BOARD_M / 2 if y < -0.001 else y
        at = (-BOARD_M / 2, inside, 0)
        solids.append(standing((inner, BOARD_M, height_m - 0.03), at, colour))
    size = (depth_m, width, height_m)
    if LOW_M <= height_m <= HIGH_M:
        surfaces.append(top_surface(size))
    return FurnitureKind(label, size, tuple(solids), tuple(surfaces), tuple(openings))


@dataclass(frozen=True, slots=True)
class _Made:
    """What a compartment adds to its cabinet."""

    solids: tuple[Solid, ...] = ()
    surfaces: tuple[Surface, ...] = ()
    openings: tuple[Opening, ...] = ()


@dataclass(frozen=True, slots=True)
class _Field:
    """Where a compartment is: middle (y), width, its floor's height, the cabinet's depth."""

    middle: float
    width: float
    level: float
    depth: float
    colour: Colour

    def fill(self, compartment: Compartment, openings: int, surfaces: int, door: str) -> _Made:
        """The parts of a compartment, with the numbers its openings and surfaces begin after."""
        if compartment.kind == "drawer":
            return self._drawer(compartment.height_m, f"drawer {openings + 1}")
        if compartment.kind == "door":
            return self._door(compartment, f"door {openings + 1}", door)
        if compartment.kind == "open":
            return self._shelves(compartment, surfaces)
        size = (self.depth - BOARD_M, self.width, compartment.height_m)
        return _Made((standing(size, (-BOARD_M / 2, self.middle, self.level), self.colour),))

    def _front(self, height: float) -> Solid:
        panel = (BOARD_M, self.width - 0.01, height - 0.01)
        at = (self.depth / 2 - BOARD_M / 2, self.middle, self.level + 0.005)
        lighter = tuple(min(1.0, channel * 1.12 + 0.03) for channel in self.colour)
        return standing(panel, at, (lighter[0], lighter[1], lighter[2]))

    def _drawer(self, height: float, name: str) -> _Made:
        front = self.depth / 2
        depth, width, floor = min(0.4, self.depth - 0.08), self.width - 0.06, self.level + 0.02
        middle = front - BOARD_M - depth / 2
        wall = height * 0.55
        tray = (
            self._front(height),
            standing((depth, width, 0.01), (middle, self.middle, floor), self.colour),
            *(
                standing((depth, 0.01, wall), (middle, self.middle + side, floor), self.colour)
                for side in (-width / 2 + 0.005, width / 2 - 0.005)
            ),
            standing(
                (0.01, width, wall), (middle - depth / 2 + 0.005, self.middle, floor), self.colour
            ),
        )
        height_of_bar = self.level + height / 2
        handle = _handle(front, self.middle, height_of_bar, (0.02, min(0.14, width / 2), 0.02))
        travel = min(DRAWER_TRAVEL_M, depth - 0.04)
        surface = Surface(
            name, floor + 0.01, (front - REACH_M, self.middle - width / 2 + 0.02),
            (front - BOARD_M - 0.01, self.middle + width / 2 - 0.02), height - 0.05, name,
        )  # fmt: skip
        reachable = LOW_M <= surface.height_m <= HIGH_M
        opening = Opening(name, "drawer", tray, handle, travel)
        return _Made((), (surface,) if reachable else (), (opening,))

    def _door(self, compartment: Compartment, name: str, label: str) -> _Made:
        front, height = self.depth / 2, compartment.height_m
        hinged_left = self.middle >= -0.001
        side = 1.0 if hinged_left else -1.0
        hinge = (front, self.middle + side * (self.width / 2 - 0.005), self.level)
        free_edge = self.middle - side * (self.width / 2 - 0.06)
        bar = min(max(0.9, self.level + 0.15), self.level + height - 0.15)
        opening = Opening(
            name, label, (self._front(height),),
            _handle(front, free_edge, bar, (0.02, 0.02, 0.18)), side * DOOR_TRAVEL_RAD, hinge,
        )  # fmt: skip
        inside = self._shelves(compartment, 0, behind=name)
        return _Made(inside.solids, inside.surfaces, (opening,))

    def _shelves(self, compartment: Compartment, number: int, *, behind: str = "") -> _Made:
        """Boards at equal distances, the lowest on the compartment's floor."""
        front = self.depth / 2 - BOARD_M
        step = compartment.height_m / compartment.shelves
        boards, surfaces = [], []
        for shelf in range(compartment.shelves):
            level = self.level + shelf * step
            size = (self.depth - 2 * BOARD_M, self.width - 2 * BOARD_M, BOARD_M)
            boards.append(standing(size, (0.0, self.middle, level), self.colour))
            name = f"shelf {number + shelf + 1}"
            surface = Surface(
                f"behind {behind}, {name}" if behind else name, level + BOARD_M,
                (max(front - REACH_M + BOARD_M, 0.05 - front), self.middle - self.width / 2 + 0.05),
                (front - 0.01, self.middle + self.width / 2 - 0.05), step - 0.05, behind,
            )  # fmt: skip
            if LOW_M <= surface.height_m <= HIGH_M:
                surfaces.append(surface)
        return _Made(tuple(boards), tuple(surfaces))


def _handle(front: float, y: float, z: float, bar: Vector3) -> tuple[Solid, ...]:
    """A bar four centimetres in front of a front, on two posts."""
    along_y = bar[1] >= bar[2]
    reach = (bar[1] if along_y else bar[2]) / 2 - 0.01
    posts = tuple(
        box(
            (0.04, 0.012, 0.012),
            (
                front + 0.02,
                y + (side * reach if along_y else 0),
                z + (0 if along_y else side * reach),
            ),
            STEEL,
        )
        for side in (-1, 1)
    )
    return (box(bar, (front + 0.045, y, z), STEEL), *posts)
