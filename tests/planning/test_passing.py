"""What is seen in passing: how likely a thing on furniture was overlooked."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from memory_core.planning.body import Seen
from memory_core.planning.passing import OVERLOOKED, OVERLOOKED_WIDE, PASSED_FRAMES, Passed
from memory_core.planning.regions import Region

TABLE = Region("table", "kitchen", (3.0, 1.0, 0.4), (0.8, 0.8, 0.8), False, 0.1, 2.0)


def seen(region, *, away_m=1.5, share=1.0):
    """Furniture in view, its points a share of its top, in the base frame."""
    x, y = (np.linspace(-0.5, 0.5, 40) * extent for extent in region.size[:2])
    top = np.stack(np.meshgrid(x * share, y, [0.0]), axis=-1).reshape(-1, 3)
    return Seen(region.name, region.centre, top + np.array([away_m, 0.0, 0.8]), 0.9)


def passing(region, *frames):
    passed = Passed()
    passed.note(frames)
    return passed.overlooked(region)


def test_what_was_seen_from_near_in_some_frames_was_looked_over():
    assert passing(TABLE) == 1.0
    assert passing(TABLE, *[seen(TABLE)] * (PASSED_FRAMES - 1)) == 1.0
    assert passing(TABLE, *[seen(TABLE)] * PASSED_FRAMES) == OVERLOOKED
    assert passing(TABLE, *[seen(TABLE, away_m=4.0)] * PASSED_FRAMES) == 1.0


def test_a_chair_seen_from_behind_was_not_looked_over():
    chair = replace(TABLE, name="armchair", size=(0.7, 0.7, 0.8))
    assert passing(chair, *[seen(chair, share=0.2)] * 9) == 1.0
    small = replace(chair, size=(0.2, 0.2, 0.8))
    assert passing(small, *[seen(small)] * 9) == 1.0, "no armchair is that small"


def test_wide_furniture_is_seen_in_part():
    wide = replace(TABLE, size=(1.6, 0.8, 0.8))
    assert passing(wide, *[seen(wide)] * PASSED_FRAMES) == OVERLOOKED_WIDE


def test_another_table_and_what_has_an_inside_were_not_looked_over():
    other = replace(TABLE, centre=(6.0, 1.0, 0.4))
    assert passing(other, *[seen(TABLE)] * PASSED_FRAMES) == 1.0
    shelf = replace(TABLE, name="bookshelf")
    assert passing(shelf, *[seen(shelf)] * PASSED_FRAMES) == 1.0
    drawer = replace(TABLE, name="drawer", shut=True)
    assert passing(drawer, *[seen(drawer)] * PASSED_FRAMES) == 1.0
