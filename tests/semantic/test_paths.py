"""Every piece of evidence carries the way from a root of the forest down to it."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from memory_core.semantic.paths import with_paths
from memory_core.types import Observation

from .making import START_NS
from .remembered import opened, tour


def storey(height):
    """The tour on another floor."""
    return [
        replace(
            o,
            id=f"up-{height}-{o.id}",
            pose=replace(o.pose, z=height),
            stamp_ns=o.stamp_ns + 10**12,
        )
        for o in tour(rounds=1)
    ]


@pytest.fixture(scope="module")
def memory(tmp_path_factory):
    with opened(tmp_path_factory.mktemp("paths") / "memory") as made:
        nowhere = Observation("nowhere", START_NS + 10**14, text="a thought about the kitchen")
        made.observe([*tour(), *storey(3.0), nowhere])
        yield made


def test_a_path_leads_from_a_root_by_parents_and_children_to_the_observation(memory):
    nodes = {node.id: node for node in memory.forest()}
    found = memory.recall("the kitchen seen from corner 1", k=20).evidence
    assert found
    for item in found:
        if item.observation.id == "nowhere":
            assert item.path == ("nowhere",)
            continue
        *inner, last = item.path
        assert last == item.observation.id
        assert nodes[inner[0]].parent is None
        for above, below in pairwise(inner):
            assert below in nodes[above].children
            assert nodes[below].parent == above
        x, y, _ = item.standpoint
        bounds = nodes[inner[-1]].bounds
        assert bounds.low[0] - 1e-6 <= x <= bounds.high[0] + 1e-6
        assert bounds.low[1] - 1e-6 <= y <= bounds.high[1] + 1e-6


def test_floors_have_roots_of_their_own(memory):
    roots = [node for node in memory.forest() if node.parent is None]
    assert [root.text.split(":")[0] for root in roots] == [
        "floor 1 of 2 of map",
        "floor 2 of 2 of map",
    ]
    upper = memory.recall("the kitchen", k=30).evidence
    starts = {
        item.path[0]
        for item in upper
        if item.observation.id.startswith("up-") and len(item.path) > 1
    }
    assert starts == {roots[1].id}


def test_weights_never_rise_down_the_path_and_a_root_holds_the_sum(memory):
    found = memory.recall("the kitchen seen from corner 1", k=20).evidence
    below = {}
    for item in found:
        assert len(item.path_weights) == len(item.path)
        pairs = pairwise(item.path_weights)
        assert all(upper >= lower - 1e-9 for upper, lower in pairs)
        assert item.path_weights[-1] == pytest.approx(item.attention)
        below[item.path[0]] = below.get(item.path[0], 0.0) + item.attention
    for item in found:
        assert item.path_weights[0] == pytest.approx(min(1.0, below[item.path[0]]))


def test_pieces_outside_the_forest_stand_alone(memory):
    piece = memory.observation("nowhere")
    far = replace(memory.observation("view-0000"), standpoint=(500.0, 0.0, 0.0))
    first, second = with_paths([piece, far], memory._structure.organiser)
    assert first.path == ("nowhere",)
    assert second.path == ("view-0000",)


def test_a_camera_above_the_floor_has_the_path_of_the_place_below_it(tmp_path):
    with opened(tmp_path / "memory") as made:
        raised = [
            replace(o, pose=replace(o.pose, z=1.6), extra={"height_m": 1.6}) for o in tour(rounds=1)
        ]
        made.observe([*raised, replace(tour(rounds=1)[0], id="low", stamp_ns=START_NS + 10**11)])
        assert len(made.places()) == 4
        paths = {
            i.observation.id: i.path[:-1] for i in made.recall("the kitchen seen", k=20).evidence
        }
        assert paths["low"] == paths["view-0000"]
