"""Where things are put, and which way they face."""

from __future__ import annotations

import numpy as np
import pytest

from memory_core.types import Pose
from memory_sim.worlds.home.furnishing import Furniture
from memory_sim.worlds.home.placing import Thing, find_spot, footprint
from memory_sim.worlds.home.things import THINGS

FINGERS_M = 0.08


def spots(kind: str, label: str, surface: str, count: int = 12) -> list[tuple[float, float]]:
    """Depth and width that things of a kind take up on a surface, metres."""
    piece = Furniture(f"room/{label}", label, 0, "room", Pose())
    where = next(s for s in piece.kind.surfaces if s.name == surface)
    thing = Thing(f"{kind} 1", kind, kind, THINGS[kind].colours[0], 1.0, None)
    random = np.random.default_rng(1)
    found = [find_spot(thing, piece, where, (), random) for _ in range(count)]
    boxes = [footprint(thing, spot) for spot in found if spot is not None]
    return [(2 * half_x, 2 * half_y) for _, _, half_x, half_y in boxes]


@pytest.mark.parametrize("surface", ["shelf 2", "shelf 3"])
@pytest.mark.parametrize("kind", ["book", "notebook", "photo album", "radio"])
def test_things_on_a_shelf_show_their_narrow_side(kind, surface):
    boxes = spots(kind, "bookshelf", surface)
    assert len(boxes) == 12
    assert all(width < depth for depth, width in boxes)
    if kind != "radio":
        assert np.median([width for _, width in boxes]) < FINGERS_M + 0.02


@pytest.mark.parametrize(("kind", "label", "surface"), [
    ("book", "desk", "top"), ("book", "nightstand", "drawer 1"),
])  # fmt: skip
def test_what_is_taken_from_above_faces_the_front(kind, label, surface):
    assert all(depth < width for depth, width in spots(kind, label, surface))


def test_things_keep_clear_of_each_other():
    piece = Furniture("room/desk", "desk", 0, "room", Pose())
    top = next(s for s in piece.kind.surfaces if s.name == "top")
    thing = Thing("mug 1", "mug", "mug", "red", 1.0, None)
    random, taken = np.random.default_rng(2), []
    for _ in range(6):
        spot = find_spot(thing, piece, top, taken, random)
        assert spot is not None
        x, y, half_x, half_y = footprint(thing, spot)
        assert all(
            abs(x - other[0]) > half_x + other[2] + 0.05
            or abs(y - other[1]) > half_y + other[3] + 0.05
            for other in taken
        )
        taken.append((x, y, half_x, half_y))
