"""From metres to the page."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memory_core.interfaces.drawing import Plan, safe, shortened

metres = st.floats(-1e4, 1e4, allow_nan=False)
points = st.lists(st.tuples(metres, metres), min_size=1, max_size=20)


@given(points)
def test_every_point_lies_inside_the_margins(found):
    plan = Plan.fit(found, width=400, height=300, margin=20)
    assert plan.height <= 300 + 1e-6
    for x, y in found:
        assert 19.9 <= plan.x(x) <= 380.1
        assert 19.9 <= plan.y(y) <= plan.height - 19.9


@given(points)
def test_a_metre_is_as_long_across_as_up(found):
    plan = Plan.fit(found, width=400, height=300, margin=20)
    (x, y), one = found[0], 1 / plan.scale
    assert plan.x(x + 50 * one) - plan.x(x) == pytest.approx(50, abs=0.11)
    assert plan.y(y) - plan.y(y + 50 * one) == pytest.approx(50, abs=0.11)


@given(points)
def test_the_scale_bar_is_a_round_length_that_fits(found):
    plan = Plan.fit(found, width=400, height=300, margin=20)
    digits = f"{plan.bar_m:.0e}"
    assert digits[0] in "125"
    assert plan.bar_m == pytest.approx(float(digits))
    assert 400 / 6 / 2.6 < plan.bar_m * plan.scale < 400 / 6 * 1.001
    ElementTree.fromstring(plan.scale_bar())


@given(st.text())
def test_any_text_is_safe_in_a_page(text):
    element = ElementTree.fromstring(f"<p title='{safe(text)}'>{safe(text)}</p>")
    assert (element.text or "") == "".join(c for c in text if c.isprintable())
    assert len(element) == 0


def test_a_long_text_ends_at_a_word():
    assert shortened("a red mug, on the table", 12) == "a red mug …"
    assert shortened(" a  red\nmug ", 12) == "a red mug"
