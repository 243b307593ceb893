"""The weights of a search's priors are found again where the truth was drawn from known ones."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("pybullet")

from benchmarks.searching import Whereabouts, fitted, log_likelihood
from memory_sim.house_errands import enclosed
from memory_sim.worlds.home.placing import Spot
from memory_sim.worlds.home.plan import plan_home

WEIGHTS = np.array([1.0, 0.5, 2.0, 0.0, -0.5])


@pytest.fixture(scope="module")
def drawn():
    """Two thousand things, each at one of twelve places, drawn by known weights."""
    random = np.random.default_rng(3)
    asked = []
    for _ in range(2000):
        speaks = random.normal(size=(12, 5))
        chance = np.exp(speaks @ WEIGHTS)
        right = int(random.choice(12, p=chance / chance.sum()))
        asked.append(Whereabouts(False, speaks, right))
    return asked


def test_known_weights_are_found_again(drawn):
    assert fitted(drawn, np.ones(5, bool)) == pytest.approx(WEIGHTS, abs=0.15)


def test_what_is_left_out_stays_out(drawn):
    found = fitted(drawn, np.array([True, True, False, False, True]))
    assert found[2] == found[3] == 0.0
    assert log_likelihood(drawn, found) < log_likelihood(drawn, WEIGHTS)


def test_knowing_nothing_is_as_good_as_chance(drawn):
    assert log_likelihood(drawn, np.zeros(5)) == pytest.approx(-np.log(12))
    assert log_likelihood(drawn, WEIGHTS) > -1.6


def test_drawers_and_what_is_behind_doors_are_hidden():
    plan = plan_home(1)
    told = {
        surface.name: enclosed(plan, Spot(piece.id, surface.name, 0.0, 0.0, 0.0))
        for piece in plan.furniture
        for surface in piece.kind.surfaces
    }
    assert {True, False} == set(told.values())
    for name, hidden in told.items():
        assert hidden == ("drawer" in name or "behind" in name), name
