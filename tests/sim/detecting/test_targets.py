"""What the segmenter is taught: ways lead to middles, and heat is highest there."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")

from memory_sim.detecting.classes import FURNITURES, PARTS
from memory_sim.detecting.instances import instances
from memory_sim.detecting.targets import layer_of

DRAWER, HANDLE = PARTS.index("drawer"), PARTS.index("handle")
GROUPS = [0, 0, 1, *([2] * (len(PARTS) - 3))]
WHOLE = (slice(0, 64), slice(0, 96))


@pytest.fixture
def chest():
    """Two drawers one above the other, the lower one with a handle; and a thing on top."""
    classes, pieces = np.zeros((64, 96), np.uint8), np.zeros((64, 96), np.uint8)
    for number, (rows, columns, part) in enumerate(
        [((20, 38), (20, 80), DRAWER), ((38, 56), (20, 80), DRAWER),
         ((44, 50), (40, 60), HANDLE), ((8, 20), (30, 40), 1)], start=1,
    ):  # fmt: skip
        classes[slice(*rows), slice(*columns)] = part
        pieces[slice(*rows), slice(*columns)] = number
    return classes, pieces


def test_ways_lead_from_every_pixel_to_the_middle_of_its_piece(chest):
    layer = layer_of(*chest, WHOLE, 2, GROUPS)
    row, column = 12, 30  # at half size: in the upper drawer
    down, right = layer.way[:, row, column] * 10
    assert (row + down, column + right) == pytest.approx(((20 + 37) / 4, (20 + 79) / 4), abs=0.6)
    assert not layer.way[:, 0, 0].any()


def test_heat_is_of_its_group_alone(chest):
    layer = layer_of(*chest, WHOLE, 2, GROUPS)
    peaks = [np.unravel_index(heat.argmax(), heat.shape) for heat in layer.heat]
    assert [(abs(r - a) < 1.1, abs(c - b) < 1.1) for (r, c), (a, b) in zip(
        peaks[:2], [(6.5, 17), (23, 24.5)], strict=True)] == [(True, True)] * 2  # fmt: skip
    assert layer.heat[0, 14, 24] == 0


def test_a_window_tells_of_middles_outside_of_it_but_draws_no_heat_there(chest):
    layer = layer_of(*chest, (slice(0, 32), slice(0, 32)), 2, GROUPS)
    assert layer.classes.shape == (16, 16)
    assert layer.heat.shape == (3, 16, 16)
    assert layer.heat[2].max() == 0
    assert layer.way[1, 12, 12] * 10 == pytest.approx(12.5, abs=0.6)


def test_small_things_weigh_more_than_what_is_behind_them(chest):
    layer = layer_of(*chest, WHOLE, 2, GROUPS)
    assert layer.weights[6, 17] > layer.weights[0, 0]


def test_what_is_taught_read_back_gives_the_pieces(chest):
    classes, pieces = chest
    layer = layer_of(classes, pieces, WHOLE, 2, GROUPS)
    scores = 9.0 * (np.arange(len(PARTS))[:, None, None] == layer.classes)
    places, found = instances(scores, layer.heat, layer.way, GROUPS)
    truth = pieces[::2, ::2]
    assert sorted(PARTS[one.class_number] for one in found) == [
        "drawer",
        "drawer",
        "handle",
        "thing",
    ]
    for one in found:
        mask = places == one.number
        assert len(np.unique(truth[mask])) == 1
        assert mask.sum() == (truth == truth[mask][0]).sum()
        assert one.score > 0.99


def test_pixels_whose_way_ends_at_no_middle_are_nothing():
    scores = np.zeros((len(FURNITURES), 20, 20))
    scores[3, 5:10, 5:10] = 9
    scores[0][scores[3] == 0] = 9
    heat = np.zeros((1, 20, 20))
    heat[0, 18, 18] = 1.0
    places, found = instances(scores, heat, np.zeros((2, 20, 20)), [0] * len(FURNITURES))
    assert found == []
    assert not places.any()
