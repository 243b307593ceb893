"""Meshes of small things: closed lids, the size asked for, files that go with the process."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from memory_sim.worlds.table.forms import FORMS, mesh_file


@pytest.mark.parametrize("form", sorted(FORMS))
def test_a_form_fills_the_box_asked_for_and_stands_on_zero(form):
    corners = np.array([corner for triangle in FORMS[form](0.06, 0.03) for corner in triangle])
    low, high = corners.min(axis=0), corners.max(axis=0)
    assert low[2] == pytest.approx(0.0, abs=1e-9)
    assert high[2] == pytest.approx(0.03)
    assert 0.045 < (high - low)[:2].max() <= 0.0601
    assert (high - low)[:2].min() > 0.045


@pytest.mark.parametrize(
    ("form", "share"),
    [("cube", 1.0), ("cross", 5 / 9), ("tee", 5 / 9), ("ell", 5 / 9), ("arch", 7 / 9)],
)
def test_the_lid_of_a_form_covers_its_outline_once(form, share):
    lids = [t for t in FORMS[form](0.06, 0.03) if all(corner[2] == 0.03 for corner in t)]
    area = sum(np.linalg.norm(np.cross(b - a, c - a)) / 2 for a, b, c in lids)
    assert area == pytest.approx(share * 0.06**2)


def test_a_mesh_is_written_once_and_read_again():
    first = Path(mesh_file("star", 0.06, 0.03))
    assert first.read_text(encoding="utf-8").count("\nf ") >= 20
    assert mesh_file("star", 0.06, 0.03) == str(first)
