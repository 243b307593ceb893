"""Open drawers that keep a robot from what stands above them."""

from __future__ import annotations

import math

import numpy as np
import pytest

from memory_core.planning.body import Seen
from memory_core.planning.drawers import in_the_way
from memory_core.types import FloatArray, Pose, Vector3

AHEAD = Pose.from_yaw(2.0, -1.0, yaw=0.7)
"""Straight before the cabinet, 0.7 m from its edge."""
CLOCK = (0.85, 0.0, 0.95)
"""On the cabinet, as seen from there."""


def box(low: Vector3, high: Vector3, count: int = 21) -> FloatArray:
    """Points all over a box, shape (n, 3)."""
    sides = [np.linspace(a, b, count) for a, b in zip(low, high, strict=True)]
    return np.stack(np.meshgrid(*sides), axis=-1).reshape(-1, 3)


def cabinet(out_m: float = 0.0, *, z: float = 0.73) -> list[tuple[str, FloatArray]]:
    """A cabinet with a drawer that stands out so far; the drawer's sides are told as its own."""
    front = 0.7 - out_m
    body, sides = (
        box((0.7, -0.4, 0.0), (1.1, 0.4, 0.9)),
        box((front, -0.3, z - 0.1), (0.7, 0.3, z), 7),
    )
    return [
        ("shoe cabinet", np.vstack([body, sides])),
        ("drawer", box((front - 0.02, -0.35, z - 0.1), (front, 0.35, z + 0.1), 9)),
        ("handle", box((front - 0.06, -0.06, z - 0.01), (front - 0.03, 0.06, z + 0.01), 5)),
    ]


def in_way(
    parts: list[tuple[str, FloatArray]], at: Vector3 = CLOCK, here: Pose = AHEAD
) -> list[tuple[str, Vector3]]:
    """What is in the way of a robot at a pose; parts and place as seen from straight ahead."""
    seen = []
    for label, points in parts:
        there = AHEAD.transform(points)
        x, y, z = there.mean(axis=0).tolist()
        seen.append(Seen(label, (x, y, z), here.inverse().transform(there), 0.9))
    found = in_the_way(seen, AHEAD.apply(*at), here)
    return [(name, AHEAD.inverse().apply(*handle)) for name, handle in found]


def test_a_drawer_that_stands_out_is_told_with_its_handle():
    ((name, handle),) = in_way(cabinet(0.25))
    assert name == "drawer"
    assert handle == pytest.approx((0.405, 0.0, 0.73), abs=1e-6)


def test_a_shut_drawer_is_in_nobodys_way():
    assert in_way(cabinet()) == []


@pytest.mark.parametrize("bearing", [-0.8, -0.4, 0.4, 0.8])
@pytest.mark.parametrize("out_m", [0.0, 0.15, 0.3])
def test_from_aside_it_is_seen_as_well(bearing, out_m):
    reach = 0.85
    aside = AHEAD.compose(
        Pose.from_yaw(0.85 - reach * math.cos(bearing), reach * math.sin(bearing), yaw=-bearing)
    )
    assert len(in_way(cabinet(out_m), here=aside)) == (out_m > 0)


def test_the_nearest_comes_first():
    found = in_way([*cabinet(0.15), *cabinet(0.3, z=0.33)[1:]])
    assert [round(handle[2], 2) for _, handle in found] == [0.33, 0.73]


def test_what_lies_in_the_drawer_is_had_while_it_is_open():
    assert in_way(cabinet(0.25), (0.6, 0.0, 0.76)) == []


def test_a_door_is_no_drawer():
    body, (_, front), handle = cabinet(0.25)
    assert in_way([body, ("cupboard door", front), handle]) == []


def test_what_is_aside_is_reached_past_it():
    wide = [("sideboard", box((0.7, -1.2, 0.0), (1.1, 1.2, 0.9), 41)), *cabinet(0.25)[1:]]
    assert in_way(wide, (0.85, 0.9, 0.95)) == []
    assert len(in_way(wide, (0.85, 0.4, 0.95))) == 1


def test_a_box_that_stands_farther_back_and_a_screen_are_no_edge():
    small = ("jewellery box", box((0.82, -0.1, 0.9), (0.95, 0.1, 1.0)))
    screen = (
        "shoe cabinet",
        np.vstack([cabinet()[0][1], box((0.98, -0.4, 0.9), (1.0, 0.4, 1.5), 13)]),
    )
    assert in_way([small, *cabinet()]) == []
    assert in_way([screen, *cabinet()[1:]]) == []
    assert len(in_way([small, screen, *cabinet(0.25)[1:]])) == 1


def test_the_drawer_of_a_neighbour_is_none_of_the_table():
    table = ("dining table", box((0.7, -0.4, 0.85), (1.1, 0.4, 0.9)))
    nightstand = [(label, points - (0.25, 0.58, 0.2)) for label, points in cabinet()[1:]]
    assert in_way([table, *nightstand]) == []


def test_without_furniture_in_view_nothing_is_known():
    assert in_way(cabinet(0.25)[1:]) == []
