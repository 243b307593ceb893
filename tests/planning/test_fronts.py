"""Where to stand to see past an open door."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from memory_core.planning.body import Stand
from memory_core.planning.fronts import Front, hides, leaf, views
from memory_core.types import Pose

HINGE_LEFT = Front(at=(0.0, 0.0, 1.0), handle=(0.25, -0.05, 1.0), out=(0.0, -1.0, 0.0))
"""A door of 0.5 m in a wall along x, seen from -y, its hinge at x = -0.25."""
AJAR = (0.0, -0.45, 1.0)
"""Its handle when it stands open by 60 degrees: whoever is to its left sees little."""


def body(*places):
    """A robot that can stand in some places."""
    stands = tuple(Stand(Pose(x, y), 0.0) for x, y in places)
    navigator = SimpleNamespace(standing=lambda target, *, near_m, far_m: stands)
    return SimpleNamespace(navigator=navigator)


def test_one_who_sees_the_outside_of_the_leaf_steps_round_it():
    found = views(body((-0.8, -0.6), (0.5, -1.0)), Pose(-0.6, -0.9), HINGE_LEFT, AJAR)
    assert (found[0].x, found[0].y) == (0.5, -1.0)


def test_one_who_sees_all_of_the_inside_stays():
    assert views(body((-0.8, -0.6), (0.6, -0.9)), Pose(0.5, -1.0), HINGE_LEFT, AJAR) == ()


@pytest.mark.parametrize("mirrored", [False, True])
def test_the_side_follows_from_where_the_hinge_is(mirrored):
    sign = -1.0 if mirrored else 1.0
    door = Front((0.0, 0.0, 1.0), (sign * 0.25, -0.05, 1.0), (0.0, -1.0, 0.0))
    found = views(body((-0.5, -1.0), (0.5, -1.0)), Pose(-sign * 0.6, -0.9), door, (0.0, -0.45, 1.0))
    assert [pose.x for pose in found] == [sign * 0.5]


def test_a_door_hides_what_is_behind_its_leaf_from_its_outer_side_alone():
    target = (-0.1, 0.2, 0.9)
    assert hides(HINGE_LEFT, AJAR, Pose(-0.7, -0.8), target)
    assert not hides(HINGE_LEFT, AJAR, Pose(0.4, -0.8), target)


def test_the_leaf_stands_from_its_hinge_to_where_its_handle_is():
    places = leaf(HINGE_LEFT, AJAR)
    assert places[0] == pytest.approx((-0.25, 0.0, 1.0))
    assert places[-1] == pytest.approx(AJAR)
    assert len(places) >= 10


def test_nobody_knows_where_the_leaf_of_a_door_is_of_which_only_the_handle_was_seen():
    handle = HINGE_LEFT.handle
    assert leaf(Front(at=handle, handle=handle, out=(0.0, -1.0, 0.0)), AJAR) == ()
