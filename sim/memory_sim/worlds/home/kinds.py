"""Kinds of furniture: how big they are, what they are made of, and how they are finished."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from memory_sim.worlds.home.cabinets import (
    Compartment,
    FurnitureKind,
    Surface,
    cabinet,
    top_surface,
)
from memory_sim.worlds.home.solids import (
    COLOURS,
    OAK,
    PAINTED,
    PAPER,
    PINE,
    STEEL,
    WALNUT,
    Colour,
    box,
    cylinder,
    sphere,
    standing,
)

BLACK, WHITE, GREY, GREEN = (COLOURS[name] for name in ("black", "white", "grey", "green"))
WOODS = (OAK, WALNUT, PINE)
FABRICS: tuple[Colour, ...] = (
    (0.30, 0.36, 0.48), (0.55, 0.20, 0.18), (0.40, 0.48, 0.34), (0.60, 0.56, 0.50), (0.25, 0.25, 0.28),
)  # fmt: skip
Make = Callable[[str, Colour], FurnitureKind]


def _drawers(*heights: float) -> tuple[Compartment, ...]:
    return tuple(Compartment("drawer", height) for height in heights)


def _door(height: float, shelves: int) -> Compartment:
    return Compartment("door", height, shelves)


def _chest(width: float, depth: float, height: float, *heights: float) -> Make:
    """A cabinet of drawers one above the other."""

    def make(label: str, colour: Colour) -> FurnitureKind:
        columns = ((width, _drawers(*heights)),)
        return cabinet(label, columns, colour, depth_m=depth, height_m=height)

    return make


def _cupboard(
    widths: tuple[float, ...], depth: float, height: float, below: float, shelves: int, *, door: str
) -> Make:
    """A tall cabinet with doors side by side; `below` is the height of its foot."""

    def make(label: str, colour: Colour) -> FurnitureKind:
        high = (_door(height - 0.03 - below, shelves),)
        columns = tuple((width, high) for width in widths)
        return cabinet(label, columns, colour, depth_m=depth, height_m=height, door_label=door)

    return make


def _shelf(width: float, depth: float, height: float, below: float, shelves: int) -> Make:
    """An open shelf."""

    def make(label: str, colour: Colour) -> FurnitureKind:
        field = Compartment("open", height - 0.03 - below, shelves)
        return cabinet(label, ((width, (field,)),), colour, depth_m=depth, height_m=height)

    return make


def _side_by_side(
    depth: float, height: float, *columns: tuple[float, tuple[Compartment, ...]]
) -> Make:
    """A cabinet of several columns under one top."""

    def make(label: str, colour: Colour) -> FurnitureKind:
        top = STEEL if label == "kitchen counter" else None
        return cabinet(label, columns, colour, depth_m=depth, height_m=height, top=top)

    return make


def _table(depth: float, width: float, height: float) -> Make:
    def make(label: str, colour: Colour) -> FurnitureKind:
        legs = [
            standing((0.05, 0.05, height - 0.03), (x * (depth / 2 - 0.04), y * (width / 2 - 0.04), 0), colour)
            for x in (-1, 1)
            for y in (-1, 1)
        ]  # fmt: skip
        slab = standing((depth, width, 0.03), (0, 0, height - 0.03), colour)
        size = (depth, width, height)
        return FurnitureKind(label, size, (slab, *legs), (top_surface(size),))

    return make


def _desk(label: str, colour: Colour) -> FurnitureKind:
    """A table top on two columns; the left one has drawers."""
    left = (0.45, _drawers(0.16, 0.2))
    middle = (0.55, (Compartment("blank", 0.04),))
    made = cabinet(label, (left, middle, (0.4, _drawers(0.16, 0.2))), colour,
                   depth_m=0.62, height_m=0.75)  # fmt: skip
    return made


def _block(
    depth: float, width: float, height: float, *, lid: Colour | None = None, top: bool = False
) -> Make:
    """A plain block, with a lid of another colour."""

    def make(label: str, colour: Colour) -> FurnitureKind:
        size = (depth, width, height)
        solids = [standing((depth, width, height - 0.04), (0, 0, 0), colour)]
        solids.append(standing((depth, width, 0.04), (0, 0, height - 0.04), lid or colour))
        surfaces = (top_surface(size),) if top else ()
        return FurnitureKind(label, size, tuple(solids), surfaces)

    return make


def _machine(label: str, colour: Colour) -> FurnitureKind:
    """A washing machine or dryer: a block with a dark window in front."""
    size = (0.6, 0.6, 0.85)
    window = box(
        (0.02, 0.34, 0.34), (0.3, 0.0, 0.42), BLACK if label == "washing machine" else GREY
    )
    panel = box((0.01, 0.56, 0.1), (0.3, 0.0, 0.77), STEEL)
    block = standing((0.58, 0.6, 0.85), (-0.01, 0, 0), colour)
    return FurnitureKind(label, size, (block, window, panel), (top_surface(size),))


def _stove(label: str, colour: Colour) -> FurnitureKind:
    size = (0.6, 0.6, 0.9)
    rings = [cylinder(0.16, 0.008, (x, y, 0.895), GREY) for x in (-0.16,) for y in (-0.14, 0.14)]
    window = box((0.02, 0.44, 0.28), (0.3, 0.0, 0.45), GREY)
    block = standing((0.59, 0.6, 0.9), (-0.005, 0, 0), colour)
    return FurnitureKind(label, size, (block, window, *rings), (top_surface(size),))


def _seat(width: float) -> Make:
    """A sofa or an armchair; things lie on the seat's front."""

    def make(label: str, colour: Colour) -> FurnitureKind:
        size = (0.85, width, 0.8)
        arm = 0.16
        darker = (colour[0] * 0.8, colour[1] * 0.8, colour[2] * 0.8)
        solids = (
            standing((0.85, width - 2 * arm, 0.42), (0, 0, 0), colour),
            standing((0.22, width - 2 * arm, 0.38), (-0.315, 0, 0.42), darker),
            *(standing((0.85, arm, 0.6), (0, side * (width - arm) / 2, 0), darker) for side in (-1, 1)),
        )  # fmt: skip
        half = width / 2 - arm - 0.05
        seat = Surface("seat", 0.42, (0.2, -half), (0.4, half), 0.6)
        return FurnitureKind(label, size, solids, (seat,))

    return make


def _bed(width: float) -> Make:
    def make(label: str, colour: Colour) -> FurnitureKind:
        cover = FABRICS[int(width * 100) % len(FABRICS)]
        solids = (
            standing((2.0, width, 0.3), (0, 0, 0), colour),
            standing((0.06, width, 0.9), (-0.97, 0, 0), colour),
            standing((1.5, width - 0.04, 0.2), (0.24, 0, 0.3), cover),
            standing((0.4, width - 0.2, 0.26), (-0.72, 0, 0.3), WHITE),
        )
        foot = Surface("foot end", 0.5, (0.77, 0.1 - width / 2), (0.97, width / 2 - 0.1), 0.6)
        return FurnitureKind(label, (2.0, width, 0.9), solids, (foot,))

    return make


def _chair(label: str, colour: Colour) -> FurnitureKind:
    seat = BLACK if label == "office chair" else colour
    foot = (
        [cylinder(0.06, 0.42, (0, 0, 0), GREY), cylinder(0.46, 0.05, (0, 0, 0), GREY)]
        if label == "office chair"
        else [standing((0.04, 0.04, 0.42), (x * 0.18, y * 0.18, 0), colour)
              for x in (-1, 1) for y in (-1, 1)]
    )  # fmt: skip
    back = standing((0.05, 0.4, 0.45), (-0.18, 0, 0.46), seat)
    return FurnitureKind(label, (0.46, 0.46, 0.91), (standing((0.42, 0.42, 0.05), (0, 0, 0.42), seat), back, *foot))  # fmt: skip


def _tv_stand(label: str, colour: Colour) -> FurnitureKind:
    """A low board with drawers, and a television at its back."""
    low = cabinet(label, ((0.7, _drawers(0.2)), (0.7, _drawers(0.2))), colour,
                  depth_m=0.5, height_m=0.55)  # fmt: skip
    screen = box((0.04, 1.15, 0.66), (-0.2, 0, 0.96), BLACK)
    neck = standing((0.06, 0.2, 0.1), (-0.2, 0, 0.55), GREY)
    return FurnitureKind(
        label, (0.5, 1.4, 1.29), (*low.solids, neck, screen), low.surfaces, low.openings
    )


def _washbasin(label: str, colour: Colour) -> FurnitureKind:
    size = (0.48, 0.9, 0.86)
    solids = (
        standing((0.48, 0.9, 0.1), (0, 0, 0.76), colour),
        standing((0.3, 0.4, 0.76), (-0.06, 0, 0), colour),
        standing((0.26, 0.4, 0.01), (-0.02, 0, 0.86), GREY),
        standing((0.04, 0.04, 0.16), (-0.2, 0, 0.86), STEEL),
    )
    sides = tuple(
        Surface(f"{name} side", 0.86, (0.0, low), (0.2, high), 0.5)
        for name, low, high in (("left", 0.24, 0.41), ("right", -0.41, -0.24))
    )
    return FurnitureKind(label, size, solids, sides)


def _toilet(label: str, colour: Colour) -> FurnitureKind:
    solids = (
        standing((0.45, 0.36, 0.4), (0.1, 0, 0), colour),
        standing((0.18, 0.4, 0.8), (-0.22, 0, 0), colour),
        standing((0.4, 0.34, 0.03), (0.1, 0, 0.4), PAINTED),
    )
    return FurnitureKind(label, (0.65, 0.42, 0.8), solids)


def _bath(label: str, colour: Colour) -> FurnitureKind:
    water = (0.55, 0.78, 0.86) if label == "bathtub" else STEEL
    wide = 1.6 if label == "bathtub" else 0.85
    high = 0.52 if label == "bathtub" else 0.12
    solids = [
        standing((0.75, wide, high), (0, 0, 0), colour),
        standing((0.6, wide - 0.15, 0.01), (0, 0, high), water),
    ]
    if label == "shower":
        solids.append(standing((0.04, 0.04, 2.0), (-0.34, 0, 0), STEEL))
        solids.append(box((0.2, 0.2, 0.04), (-0.25, 0, 2.0), STEEL))
    return FurnitureKind(label, (0.75, wide, 2.02 if label == "shower" else high), tuple(solids))


def _lamp(label: str, colour: Colour) -> FurnitureKind:
    solids = (
        cylinder(0.28, 0.03, (0, 0, 0), BLACK),
        cylinder(0.04, 1.3, (0, 0, 0.03), BLACK),
        cylinder(0.34, 0.3, (0, 0, 1.33), (0.98, 0.90, 0.62)),
    )
    return FurnitureKind(label, (0.36, 0.36, 1.63), solids)


def _plant(label: str, colour: Colour) -> FurnitureKind:
    solids = (
        cylinder(0.28, 0.28, (0, 0, 0), (0.62, 0.33, 0.20)),
        cylinder(0.05, 0.3, (0, 0, 0.28), WALNUT),
        sphere(0.46, (0, 0, 0.5), GREEN),
        sphere(0.3, (0.05, 0.06, 0.82), (0.18, 0.62, 0.2)),
    )
    return FurnitureKind(label, (0.46, 0.46, 1.12), solids)


def _piano(label: str, colour: Colour) -> FurnitureKind:
    size = (0.6, 1.4, 1.15)
    solids = (
        standing((0.36, 1.4, 1.15), (-0.12, 0, 0), colour),
        standing((0.24, 1.4, 0.1), (0.18, 0, 0.62), colour),
        standing((0.14, 1.2, 0.01), (0.2, 0, 0.72), WHITE),
        *(standing((0.06, 0.06, 0.62), (0.26, side * 0.66, 0), colour) for side in (-1, 1)),
    )
    return FurnitureKind(label, size, solids)


def _coat_stand(label: str, colour: Colour) -> FurnitureKind:
    arms = (
        box((0.4, 0.03, 0.03), (0, 0, 1.6), colour),
        box((0.03, 0.4, 0.03), (0, 0, 1.6), colour),
    )
    return FurnitureKind(
        label, (0.4, 0.4, 1.75),
        (cylinder(0.34, 0.04, (0, 0, 0), colour), cylinder(0.05, 1.7, (0, 0, 0.04), colour), *arms),
    )  # fmt: skip


def _treadmill(label: str, colour: Colour) -> FurnitureKind:
    solids = (
        standing((1.5, 0.7, 0.15), (0, 0, 0), colour),
        standing((1.2, 0.5, 0.01), (0.1, 0, 0.15), GREY),
        *(standing((0.06, 0.06, 1.15), (-0.65, side * 0.3, 0.1), STEEL) for side in (-1, 1)),
        standing((0.12, 0.7, 0.16), (-0.62, 0, 1.15), BLACK),
    )
    return FurnitureKind(label, (1.5, 0.7, 1.31), solids)


_COUNTER = (
    (0.6, _drawers(0.18, 0.22)), (0.6, (_door(0.52, 1),)), (0.5, _drawers(0.18, 0.22)),
)  # fmt: skip
_SIDEBOARD = ((0.6, (_door(0.5, 1),)), (0.6, _drawers(0.2, 0.22)))
_PLAIN: tuple[Colour, ...] = (PAINTED, WHITE)
_DARK: tuple[Colour, ...] = (BLACK, GREY)

FURNITURE: dict[str, tuple[Make, tuple[Colour, ...]]] = {
    "kitchen counter": (_side_by_side(0.6, 0.9, *_COUNTER), (*WOODS, PAINTED)),
    "refrigerator": (_cupboard((0.66,), 0.66, 1.75, 0.3, 4, door="refrigerator door"), (WHITE, STEEL)),
    "stove": (_stove, _DARK),
    "dishwasher": (_block(0.6, 0.6, 0.86, lid=STEEL, top=True), _PLAIN),
    "kitchen table": (_table(0.75, 1.2, 0.75), WOODS),
    "pantry": (_cupboard((0.6,), 0.45, 1.9, 0.32, 4, door="pantry door"), (*WOODS, PAINTED)),
    "dining table": (_table(0.9, 1.7, 0.75), WOODS),
    "sideboard": (_side_by_side(0.45, 0.85, *_SIDEBOARD), WOODS),
    "china cabinet": (_cupboard((0.45, 0.45), 0.42, 1.7, 0.45, 3, door="cabinet door"), WOODS),
    "chair": (_chair, (*WOODS, (0.62, 0.16, 0.14))),
    "sofa": (_seat(1.9), FABRICS),
    "armchair": (_seat(0.95), FABRICS),
    "coffee table": (_table(0.55, 1.0, 0.43), WOODS),
    "tv stand": (_tv_stand, (*WOODS, PAINTED)),
    "bookshelf": (_shelf(0.9, 0.32, 1.75, 0.06, 5), (*WOODS, PAINTED)),
    "floor lamp": (_lamp, (BLACK,)),
    "plant": (_plant, (GREEN,)),
    "bed": (_bed(1.5), WOODS),
    "single bed": (_bed(0.95), WOODS),
    "nightstand": (_chest(0.45, 0.42, 0.56, 0.2), (*WOODS, PAINTED)),
    "wardrobe": (_cupboard((0.5, 0.5), 0.6, 2.0, 0.3, 4, door="wardrobe door"), (*WOODS, PAINTED)),
    "chest of drawers": (_chest(0.9, 0.5, 0.95, 0.2, 0.2, 0.2), (*WOODS, PAINTED)),
    "dressing table": (_table(0.45, 1.0, 0.76), (*WOODS, PAINTED)),
    "toilet": (_toilet, _PLAIN),
    "bathtub": (_bath, _PLAIN),
    "shower": (_bath, _PLAIN),
    "washbasin": (_washbasin, _PLAIN),
    "bathroom cabinet": (_cupboard((0.6,), 0.35, 1.5, 0.35, 3, door="cabinet door"), _PLAIN),
    "laundry basket": (_block(0.4, 0.4, 0.6, lid=PAPER), ((0.72, 0.58, 0.40), (0.55, 0.65, 0.62))),
    "washing machine": (_machine, _PLAIN),
    "dryer": (_machine, _PLAIN),
    "ironing board": (_table(0.36, 1.2, 0.85), ((0.55, 0.6, 0.75),)),
    "storage shelf": (_shelf(1.0, 0.36, 1.6, 0.05, 4), (STEEL, PINE)),
    "desk": (_desk, (*WOODS, PAINTED)),
    "office chair": (_chair, (BLACK,)),
    "filing cabinet": (_chest(0.45, 0.55, 1.0, 0.3, 0.3), (GREY, STEEL, (0.35, 0.42, 0.38))),
    "printer stand": (_block(0.5, 0.6, 0.7, lid=BLACK, top=True), (GREY, PAINTED)),
    "toy shelf": (_shelf(1.0, 0.34, 1.05, 0.05, 3), (PINE, (0.85, 0.55, 0.55), (0.5, 0.7, 0.8))),
    "toy chest": (_block(0.45, 0.8, 0.45, lid=(0.9, 0.75, 0.3), top=True), ((0.45, 0.6, 0.75),)),
    "play table": (_table(0.6, 0.9, 0.5), (PINE, (0.9, 0.75, 0.3))),
    "workbench": (_side_by_side(0.65, 0.9, (0.6, _drawers(0.2, 0.2)), (0.9, (_door(0.5, 1),))), WOODS),
    "tool cabinet": (_chest(0.7, 0.45, 1.0, 0.16, 0.16, 0.22), ((0.7, 0.12, 0.1), (0.15, 0.25, 0.5))),
    "piano": (_piano, (BLACK, WALNUT)),
    "music shelf": (_shelf(0.8, 0.34, 1.2, 0.05, 3), WOODS),
    "reading table": (_table(0.7, 1.3, 0.74), WOODS),
    "treadmill": (_treadmill, (BLACK,)),
    "bench": (_block(0.4, 1.2, 0.45, lid=(0.3, 0.3, 0.33), top=True), (GREY, OAK)),
    "console table": (_table(0.35, 0.9, 0.8), WOODS),
    "shoe cabinet": (_chest(0.8, 0.36, 0.9, 0.26, 0.26), (*WOODS, PAINTED)),
    "coat stand": (_coat_stand, (WALNUT, BLACK)),
}  # fmt: skip
"""By label: how each kind is made and the finishes it comes in."""


@cache
def furniture_kind(label: str, finish: int) -> FurnitureKind:
    """A kind of furniture in one of its finishes.

    Args:
        label: A key of `FURNITURE`.
        finish: Number of the finish.
    """
    make, finishes = FURNITURE[label]
    return make(label, finishes[finish % len(finishes)])
