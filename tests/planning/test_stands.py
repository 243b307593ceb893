"""Which stands are straight before what a thing stands in, told from where one can stand at all."""

from __future__ import annotations

import math

from memory_core.planning.stands import askew
from memory_core.types import Pose

TARGET = (1.0, 2.0, 0.8)


def at(degrees):
    """A stand 0.6 m from the target, in a direction seen from there."""
    turn = math.radians(degrees)
    return Pose(TARGET[0] + 0.6 * math.cos(turn), TARGET[1] + 0.6 * math.sin(turn))


def test_the_middle_of_the_stands_before_a_wall_is_straight_and_its_ends_are_askew():
    stands = [at(turn) for turn in (100, 120, 140, 160, 180, 200, 220, 240, 260)]
    aside = askew(stands, TARGET)
    assert [aside(at(turn)) for turn in (110, 140, 170, 180, 190, 220)] == [
        True, True, False, False, False, True,
    ]  # fmt: skip


def test_no_stand_is_askew_where_a_thing_can_be_got_at_from_all_around():
    stands = [at(turn) for turn in range(0, 360, 30)]
    aside = askew(stands, TARGET)
    assert not any(aside(stand) for stand in stands)


def test_nowhere_to_stand_is_no_error():
    assert not askew([], TARGET)(at(0))
