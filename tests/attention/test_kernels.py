"""Kernels of space and time, and sums of weights that do not overflow."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import special

from memory_core.attention.kernels import (
    UNKNOWN_LOG,
    UNKNOWN_NS,
    distances_m,
    log_kernel,
    log_sum_exp,
    seconds_outside,
    softmax,
)
from memory_core.errors import InvalidQuery

LOGARITHMS = hnp.arrays(
    np.float64, hnp.array_shapes(min_dims=2, max_dims=2), elements=st.floats(-2_000, 2_000)
)


def test_a_weight_falls_to_one_in_e_at_the_scale():
    falls = log_kernel(distances_m(np.array([[0, 0, 0], [3, 4, 0]]), (0, 0, 0)), scale=5.0)
    assert np.exp(falls) == pytest.approx([1.0, 1 / np.e])


def test_an_unknown_place_is_neither_here_nor_lost():
    centres = np.array([[0, 0, 0], [np.nan, 0, 0], [1_000, 0, 0]], float)
    here, unknown, far = log_kernel(distances_m(centres, (0, 0, 0)), scale=10.0)
    assert unknown == UNKNOWN_LOG
    assert far < unknown < here


def test_a_span_is_no_time_away_from_a_moment_within_it():
    spans = np.array([[10, 20], [30, 40], [-5, 5], [UNKNOWN_NS, UNKNOWN_NS]]) * 1
    spans[:3] *= 10**9
    away = seconds_outside(spans, 15 * 10**9)
    assert away[:3] == pytest.approx([0, 15, 10])
    assert np.isnan(away[3])


@pytest.mark.parametrize("scale", [0.0, -1.0, np.nan, np.inf])
def test_a_scale_that_is_not_positive_is_refused(scale):
    with pytest.raises(InvalidQuery):
        log_kernel(np.zeros(2), scale=scale)


def test_a_point_that_is_not_finite_is_refused():
    with pytest.raises(InvalidQuery):
        distances_m(np.zeros((1, 3)), (0, np.nan, 0))


@given(values=LOGARITHMS)
def test_sums_and_weights_equal_scipys(values):
    np.testing.assert_allclose(log_sum_exp(values), special.logsumexp(values, axis=-1), atol=1e-12)
    np.testing.assert_allclose(softmax(values), special.softmax(values, axis=-1), atol=1e-12)
    np.testing.assert_allclose(softmax(values, axis=0), special.softmax(values, axis=0), atol=1e-12)


def test_where_nothing_has_weight_nothing_gets_any():
    nothing = np.full((2, 3), -np.inf)
    assert (log_sum_exp(nothing) == -np.inf).all()
    assert (softmax(nothing) == 0).all()
    assert log_sum_exp(np.empty(0)) == -np.inf
    assert softmax(np.array([0.0, -np.inf])) == pytest.approx([1, 0])
