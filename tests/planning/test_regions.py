"""Places to search: what is between boards."""

from __future__ import annotations

import pytest

from memory_core.planning.regions import Region


def test_what_is_between_boards_is_enclosed_and_what_is_on_top_is_not():
    shelf = Region("bookshelf", "office", (2.0, 1.0, 0.9), (0.4, 1.0, 1.8), False, 0.1, 2.0)
    assert shelf.encloses((2.0, 1.3, 0.6))
    assert not shelf.encloses((2.0, 1.3, 1.85))
    assert not shelf.encloses((2.0, 1.8, 0.6))
    table = Region("table", "office", (2.0, 1.0, 0.4), (0.4, 1.0, 0.8), False, 0.1, 2.0)
    assert not table.encloses((2.0, 1.0, 0.4))


def test_how_far_a_place_is_from_furniture_is_told_from_its_sides():
    shelf = Region("bookshelf", "office", (2.0, 1.0, 0.9), (0.4, 1.0, 1.8), False, 0.1, 2.0)
    assert shelf.gap_m((2.1, 1.3, 0.6)) == 0.0
    assert shelf.gap_m((2.5, 1.9, 0.6)) == pytest.approx(0.5)
    spot = Region("chair", "office", (2.0, 1.0, 0.4), (0.0, 0.0, 0.0), False, 0.1, 2.0)
    assert spot.gap_m((2.0, 1.3, 0.8)) == pytest.approx(0.5)
