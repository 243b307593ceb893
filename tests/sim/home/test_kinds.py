"""Kinds of furniture and things: graspable, within reach, told apart."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from memory_sim.worlds.home.kinds import FURNITURE, furniture_kind
from memory_sim.worlds.home.layout import ROOM_SIZES
from memory_sim.worlds.home.solids import COLOURS, bounds
from memory_sim.worlds.home.things import HOMES, THINGS, thing_size, thing_solids

LARGEST = 1.1


def test_there_are_at_least_sixty_kinds_of_things_most_in_several_colours():
    assert len(THINGS) >= 60
    assert sum(len(kind.colours) > 1 for kind in THINGS.values()) >= 40
    assert {colour for kind in THINGS.values() for colour in kind.colours} <= set(COLOURS)


@pytest.mark.parametrize("name", THINGS)
def test_fingers_that_open_eight_centimetres_can_take_every_thing(name):
    for scale, colour in itertools.product((0.9, 1.0, LARGEST), THINGS[name].colours):
        low, high = bounds(thing_solids(name, colour, scale))
        assert low[2] == pytest.approx(0, abs=1e-9)
        assert min(high[0] - low[0], high[1] - low[1]) <= 0.0701
        assert min(thing_size(name, colour, scale)) >= 0.02


def test_no_two_kinds_look_the_same():
    looks = {}
    for name, kind in THINGS.items():
        for colour in kind.colours:
            look = repr(thing_solids(name, colour, 1.0))
            assert look not in looks, f"{colour} {name} looks like {looks.get(look)}"
            looks[look] = f"{colour} {name}"


def test_every_kind_belongs_to_rooms_and_furniture_that_there_are():
    assert {kind.home for kind in THINGS.values()} == set(HOMES)
    for home in HOMES.values():
        assert set(home.furniture) <= set(FURNITURE)
        assert set(home.rooms) <= {*ROOM_SIZES, "hallway"}


@pytest.mark.parametrize("label", FURNITURE)
def test_surfaces_are_at_a_height_and_depth_that_an_arm_reaches(label):
    kind = furniture_kind(label, 0)
    for surface in kind.surfaces:
        assert 0.3 <= surface.height_m <= 1.3
        assert surface.low[0] >= kind.size[0] / 2 - 0.26
        assert surface.high[0] <= kind.size[0] / 2
        assert abs(surface.low[1]) <= kind.size[1] / 2 and surface.high[1] <= kind.size[1] / 2
        assert surface.clearance_m > 0.1
    assert len({surface.name for surface in kind.surfaces}) == len(kind.surfaces)


@pytest.mark.parametrize("label", FURNITURE)
def test_furniture_stays_within_its_footprint(label):
    for finish in range(len(FURNITURE[label][1])):
        kind = furniture_kind(label, finish)
        fronts = [solid for opening in kind.openings for solid in opening.solids]
        low, high = bounds([*kind.solids, *fronts])
        assert np.all(low >= (-kind.size[0] / 2 - 0.01, -kind.size[1] / 2 - 0.01, -1e-9))
        assert np.all(high[:2] <= np.array(kind.size[:2]) / 2 + 0.011)


def test_handles_stand_out_in_front_and_are_thin_enough_to_grasp():
    for label in FURNITURE:
        kind = furniture_kind(label, 0)
        for opening in kind.openings:
            bar = opening.handle[0]
            assert bar.centre[0] - bar.size[0] / 2 > kind.size[0] / 2 + 0.02
            assert sorted(bar.size)[1] <= 0.03
