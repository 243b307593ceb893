"""Pose graphs: loops that close."""

import itertools
import math

import numpy as np
import pytest

from memory_core.planning.navigation.planar import between, compose, distance, turn_between
from memory_core.planning.navigation.posegraph import Link, disagreement, optimise

SURE = np.diag([1e4, 1e4, 1e5])


def square(*, bend):
    """Truth, drifted poses and links of a drive around a block."""
    truth = [(0.0, 0.0, 0.0)]
    for corner in range(11):
        turn = math.pi / 2 if corner % 3 == 2 else 0.0
        truth.append(compose(truth[-1], (2.0, 0.0, turn)))
    links = []
    drifted = [truth[0]]
    for at in range(11):
        step = between(truth[at], truth[at + 1])
        measured = (step[0] * 1.02, step[1], step[2] + bend)
        links.append(Link(f"a{at}", f"a{at + 1}", measured, SURE / 100))
        drifted.append(compose(drifted[-1], measured))
    links.append(Link("a11", "a0", between(truth[11], truth[0]), SURE))
    named = [{f"a{at}": pose for at, pose in enumerate(poses)} for poses in (truth, drifted)]
    return named[0], named[1], links


def test_closing_a_loop_brings_drifted_anchors_back():
    truth, drifted, links = square(bend=0.02)
    before = max(distance(truth[a], drifted[a]) for a in truth)
    assert before > 0.5
    found = optimise(drifted, links, fixed="a0")
    assert max(distance(truth[a], found[a]) for a in truth) < 0.3 * before
    assert max(turn_between(truth[a], found[a]) for a in truth) < math.radians(2.5)


def test_measurements_that_agree_are_met_exactly():
    truth, _, _ = square(bend=0.0)
    names = list(truth)
    links = [
        Link(a, b, between(truth[a], truth[b]), SURE)
        for a, b in [*itertools.pairwise(names), ("a11", "a0"), ("a2", "a9")]
    ]
    shaken = {a: (x + 0.1, y - 0.1, yaw + 0.05) for a, (x, y, yaw) in truth.items()}
    shaken["a0"] = truth["a0"]
    found = optimise(shaken, links, fixed="a0")
    assert max(distance(truth[a], found[a]) for a in truth) < 1e-6
    assert max(disagreement(link, found) for link in links) < 1e-6


def test_one_wrong_loop_among_right_ones_does_not_bend_the_map():
    _, drifted, links = square(bend=0.01)
    right = optimise(drifted, links, fixed="a0")
    wrong = Link("a3", "a8", (0.0, 0.0, 0.0), SURE)
    found = optimise(right, [*links, wrong], fixed="a0")
    assert max(distance(right[a], found[a]) for a in right) < 0.03
    assert disagreement(wrong, found) > 100


def test_the_fixed_anchor_stays():
    _, drifted, links = square(bend=0.02)
    assert optimise(drifted, links, fixed="a0")["a0"] == pytest.approx(drifted["a0"], abs=1e-6)
