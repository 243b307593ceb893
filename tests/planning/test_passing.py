"""What is seen in passing: how likely a thing on furniture was overlooked."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from memory_core.planning.body import Seen
from memory_core.planning.passing import (
    GLANCED,
    GLANCES,
    OVERLOOKED,
    OVERLOOKED_WIDE,
    PASSED_FRAMES,
    SHOWS,
    Passed,
    aim,
    hid,
    in_one_view,
    shown,
)
from memory_core.planning.regions import Region
from memory_core.types import Pose

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
    assert passing(TABLE, *[seen(TABLE, away_m=5.0)] * PASSED_FRAMES) == 1.0


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


HERE = Pose(0.0, 0.0, 0.0)


def cloud(region, *, share=1.0, height_m=0.8):
    """Points on a share of the top of furniture, in the map."""
    x, y = (np.linspace(-0.5, 0.5, 40) * extent for extent in region.size[:2])
    x = x[: round(len(x) * share)]
    return np.stack(np.meshgrid(x, y, [height_m]), axis=-1).reshape(-1, 3) + (
        np.array([*region.centre[:2], 0.0])
    )


def test_a_look_shows_as_much_of_a_table_as_has_something_in_view():
    assert shown(TABLE, cloud(TABLE)) == 1.0
    assert shown(TABLE, cloud(TABLE, share=0.5)) == 0.5
    assert shown(TABLE, cloud(TABLE, height_m=1.0)) == 1.0, "things stand on it"
    assert shown(TABLE, cloud(TABLE, height_m=0.1)) == 0.0, "its legs"
    assert shown(TABLE, cloud(TABLE, height_m=2.2)) == 0.0, "a lamp over it"
    assert shown(TABLE, np.empty((0, 3))) == 0.0


def test_a_surface_is_hidden_unless_half_of_it_is_in_view():
    assert hid(TABLE, HERE, cloud(TABLE, share=0.2))
    assert not hid(TABLE, HERE, cloud(TABLE, share=0.7))
    assert not hid(TABLE, HERE, np.empty((0, 3))), "nothing is known of that"
    high = replace(TABLE, name="refrigerator", centre=(3.0, 1.0, 0.9), size=(0.6, 0.6, 1.8))
    assert not hid(high, HERE, cloud(TABLE, share=0.1)), "nobody sees its top from anywhere"
    edge = replace(TABLE, size=(0.6, 0.05, 0.8))
    assert hid(edge, HERE, cloud(TABLE)), "only an edge of it was ever seen"
    unknown = replace(TABLE, size=(0.0, 0.0, 0.0))
    assert not hid(unknown, HERE, cloud(TABLE))
    assert hid(unknown, HERE, cloud(TABLE) + np.array([1.0, 0.0, 0.0]))


def test_a_long_table_is_shown_whichever_side_it_was_measured_from():
    table = replace(TABLE, size=(2.0, 0.6, 0.8))
    assert shown(table, cloud(table)) == 1.0
    assert shown(replace(table, size=(0.6, 2.0, 0.8)), cloud(table)) == 1.0


def test_the_seat_of_a_chair_shows_it_and_its_feet_do_not():
    chair = replace(TABLE, name="armchair", size=(0.8, 0.8, 0.8))
    assert shown(chair, cloud(chair, height_m=0.35)) == 1.0
    assert shown(chair, cloud(chair, height_m=0.15)) == 0.0


def test_a_free_place_is_shown_by_its_floor():
    """Who remembers no furniture searches places on the floor; they are no harder to see."""
    place = replace(TABLE, name="place", centre=(2.0, 0.0, 0.7), size=(1.2, 1.2, 0.0))
    floor = cloud(place, height_m=0.0)
    assert shown(place, floor) == 1.0 and not hid(place, HERE, floor)
    passed = Passed()
    assert passed.worth_a_glance([place], HERE) == [place]
    passed.glance([place], HERE, floor)
    assert passed.overlooked(place) == GLANCED


def test_a_view_has_all_of_its_furniture_in_the_picture():
    near = replace(TABLE, centre=(0.7, 0.38, 0.4), size=(0.5, 0.5, 0.5), travel_m=0.3)
    far = replace(TABLE, name="sofa", centre=(3.0, -1.6, 0.4))
    (view,) = in_one_view([near, far], HERE)
    x, y, _ = aim(view, HERE)
    for region in view:
        beside = math.atan2(region.centre[1], region.centre[0]) - math.atan2(y, x)
        assert abs(beside) < 0.55


def test_what_is_glanced_at_and_shown_was_looked_over():
    passed = Passed()
    passed.glance([TABLE], HERE, cloud(TABLE, share=0.2))
    assert passed.overlooked(TABLE) == 1.0
    passed.glance([TABLE], HERE, np.empty((0, 3)))
    assert passed.overlooked(TABLE) == 1.0
    passed.glance([TABLE], HERE, cloud(TABLE))
    assert passed.overlooked(TABLE) == GLANCED
    assert passed.overlooked(replace(TABLE, centre=(3.2, 1.0, 0.4))) == GLANCED, "measured anew"
    assert passed.overlooked(replace(TABLE, centre=(3.0, 2.0, 0.4))) == 1.0


def test_furniture_round_about_is_worth_one_glance_from_each_place():
    passed = Passed()
    beside = replace(TABLE, name="sofa", centre=(2.5, 0.2, 0.4))
    behind = replace(TABLE, name="bench", centre=(-2.0, 0.0, 0.3))
    around = [TABLE, behind, beside]
    assert passed.worth_a_glance(around, HERE) == around
    views = in_one_view(around, HERE)
    assert sorted([r.name for r in view] for view in views) == [["bench"], ["table", "sofa"]]
    far = replace(TABLE, centre=(4.0, 1.0, 0.4))
    below = replace(TABLE, centre=(2.0, 0.0, -2.6))
    high = replace(TABLE, centre=(3.0, 1.0, 1.0))
    drawer = replace(TABLE, name="drawer", shut=True)
    assert passed.worth_a_glance([far, below, high, drawer], HERE) == []
    shelf = replace(TABLE, name="bookshelf", centre=(3.0, 1.0, 0.9), size=(0.8, 0.4, 1.8))
    assert passed.worth_a_glance([shelf], HERE) == [shelf]
    passed.glance([shelf], HERE, cloud(shelf))
    assert passed.overlooked(shelf) == 1.0, "boards hide each other"
    passed = Passed()
    passed.glance(around, HERE, cloud(behind))
    assert passed.worth_a_glance(around, HERE) == []
    for n in range(1, GLANCES):
        elsewhere = Pose(0.8 * n, 0.5, 0.0)
        assert passed.worth_a_glance(around, elsewhere) == [TABLE, beside]
        passed.glance([TABLE, beside], elsewhere, np.empty((0, 3)))
    assert passed.worth_a_glance(around, Pose(0.8, -0.8, 0.0)) == [], "something hides them"


def test_from_where_one_looks_at_furniture_what_is_near_and_not_behind_a_wall_is_seen():
    passed = Passed()
    beside = replace(TABLE, centre=(5.0, 1.0, 0.4))
    far = replace(TABLE, centre=(9.0, 1.0, 0.4))
    shelf = replace(TABLE, name="bookshelf", centre=(3.0, 2.0, 0.8))
    regions = [TABLE, beside, far, shelf]
    stood = [(2.0, 1.0, 0.0), (4.0, 1.0, 0.0), (8.0, 1.0, 0.0), (2.0, 2.0, 0.0)]
    apart = np.linalg.norm(np.subtract(stood, np.array(stood)[:, None]), axis=2)
    shows = passed.shows(regions, stood, apart)
    assert (shows.diagonal() == 1.0).all()
    assert np.argwhere(shows == SHOWS).tolist() == [[0, 1], [1, 0], [2, 1], [3, 0], [3, 1]]
    apart[0, 1] = apart[1, 0] = 7.0
    assert passed.shows(regions, stood, apart)[0, 1] == 0.0
    passed.glance([beside], HERE, cloud(beside))
    assert not passed.shows(regions, stood, apart)[3, 1]
