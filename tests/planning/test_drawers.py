"""Open drawers that keep a robot from what stands above them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from memory_core.planning.body import Seen
from memory_core.planning.drawers import in_the_way
from memory_core.types import FloatArray, Pose, Vector3

HERE = Pose()
CLOCK = (0.9, 0.0, 0.95)
"""On a cabinet whose front is 0.7 m ahead, and whose top is 0.9 m high."""


def box(low: Vector3, high: Vector3) -> FloatArray:
    """Points all over a box, shape (n, 3)."""
    sides = [np.linspace(a, b, 9) for a, b in zip(low, high, strict=True)]
    return np.stack(np.meshgrid(*sides), axis=-1).reshape(-1, 3)


def seen(label: str, low: Vector3, high: Vector3) -> Seen:
    cloud = box(low, high)
    x, y, z = cloud.mean(axis=0).tolist()
    return Seen(label, (x, y, z), cloud, 0.9)


def cabinet(out_m: float = 0.0) -> list[Seen]:
    """A cabinet with a drawer that stands out so far; the sides of the drawer are told as its own."""
    front = 0.7 - out_m
    body, sides = box((0.7, -0.4, 0.0), (1.1, 0.4, 0.9)), box((front, -0.3, 0.6), (0.7, 0.3, 0.8))
    return [
        Seen("shoe cabinet", (0.9, 0.0, 0.45), np.vstack([body, sides]), 0.9),
        seen("drawer", (front - 0.02, -0.35, 0.6), (front, 0.35, 0.85)),
        seen("handle", (front - 0.05, -0.06, 0.72), (front - 0.02, 0.06, 0.74)),
    ]


def test_a_drawer_that_stands_out_is_told_with_its_handle():
    ((name, handle),) = in_the_way(cabinet(0.25), CLOCK, HERE)
    assert name == "drawer"
    assert handle == pytest.approx((0.415, 0.0, 0.73))


def test_a_shut_drawer_is_in_nobodys_way():
    assert in_the_way(cabinet(), CLOCK, HERE) == ()


def test_the_nearest_comes_first():
    lower = [
        replace(item, cloud=item.cloud - (0.0, 0.0, 0.4), position=(*item.position[:2], item.position[2] - 0.4))
        for item in cabinet(0.3)[1:]
    ]  # fmt: skip
    found = in_the_way([*cabinet(0.15), *lower], CLOCK, HERE)
    assert [round(handle[2], 2) for _, handle in found] == [0.33, 0.73]


def test_what_lies_in_the_drawer_is_had_while_it_is_open():
    assert in_the_way(cabinet(0.25), (0.6, 0.0, 0.72), HERE) == ()


def test_a_door_is_no_drawer():
    body, drawer, handle = cabinet(0.25)
    assert in_the_way([body, replace(drawer, label="cupboard door"), handle], CLOCK, HERE) == ()


def test_what_is_aside_is_reached_past_it():
    assert in_the_way(cabinet(0.25), (0.9, 0.8, 0.95), HERE) == ()


def test_without_furniture_in_view_nothing_is_known():
    assert in_the_way(cabinet(0.25)[1:], CLOCK, HERE) == ()
