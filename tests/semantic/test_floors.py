"""Floors from the heights at which a robot stood."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memory_core.semantic.floors import MIN_STOREY_M, camera_height, floors_of
from memory_core.types import Observation


@pytest.mark.parametrize(
    ("heights", "floors", "levels"),
    [
        ([], [], []),
        ([1.3], [0], [1.3]),
        ([0.0, 0.1, -0.1, 0.05], [0, 0, 0, 0], [0.025]),
        ([0.0, 3.0, 0.1, 3.1, 0.05, 2.9], [0, 1, 0, 1, 0, 1], [0.05, 3.0]),
        ([6.0, 6.1, 0.0, 0.1, 3.0, 3.1], [2, 2, 0, 0, 1, 1], [0.05, 3.05, 6.05]),
        ([0.0] * 10 + [0.6] * 10, [0] * 20, None),  # a step is no storey
        ([-3.0, -3.0, 0.0, 0.0, 0.0], [0, 0, 1, 1, 1], [-3.0, 0.0]),
    ],
)
def test_heights_a_storey_apart_are_floors(heights, floors, levels):
    found, at = floors_of(np.array(heights))
    assert found.tolist() == floors
    if levels is not None:
        assert at == pytest.approx(levels)


def test_somebody_on_the_stairs_makes_no_floor():
    heights = np.array([0.0] * 40 + [1.5] + [3.0] * 40)
    floors, levels = floors_of(heights)
    assert levels == pytest.approx([0.0, 3.0])
    assert set(floors[:40]) == {0}
    assert set(floors[41:]) == {1}


@given(st.lists(st.floats(-20, 20, allow_nan=False), max_size=60))
@settings(max_examples=100, deadline=None)
def test_levels_ascend_a_storey_apart_and_everyone_is_on_the_nearest(heights):
    floors, levels = floors_of(np.array(heights))
    assert len(floors) == len(heights)
    assert np.all(np.diff(levels) > MIN_STOREY_M)
    for height, floor in zip(heights, floors, strict=True):
        assert abs(height - levels[floor]) == min(abs(height - level) for level in levels)


@given(st.lists(st.integers(-2_000, 2_000), min_size=1, max_size=60), st.randoms())
@settings(max_examples=50, deadline=None)
def test_the_order_of_visits_is_no_matter_where_storeys_are_clear(millimetres, random):
    heights = [3.0 * (n % 3) + n / 20_000 for n in millimetres] * 3
    shuffled = list(heights)
    random.shuffle(shuffled)
    assert floors_of(np.array(heights))[1] == pytest.approx(floors_of(np.array(shuffled))[1])


def test_a_height_that_is_no_number_counts_as_none():
    heights = [
        camera_height(Observation(id="o", stamp_ns=1, extra={"height_m": told}))
        for told in (1.2, "high", float("nan"), None)
    ]
    assert heights == [1.2, 0.0, 0.0, 0.0]
    assert camera_height(Observation(id="o", stamp_ns=1)) == 0.0
