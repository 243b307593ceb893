"""The weights of a search's priors are found again where the truth was drawn from known ones."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("pybullet")

from benchmarks.searching import Whereabouts, fitted, is_hidden, log_likelihood
from memory_sim.worlds.home.placing import Spot

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


@pytest.mark.parametrize(
    ("surface", "hidden"),
    [("top", False), ("shelf 2", False), ("drawer 1", True), ("behind door 1, shelf 2", True)],
)
def test_drawers_and_what_is_behind_doors_are_hidden(surface, hidden):
    assert is_hidden(Spot("kitchen/counter", surface, 0.0, 0.0, 0.0)) == hidden
