"""The graph of facts: scores as an independent solution gives them, and two hops."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memory_core.semantic.graph import FactGraph
from memory_core.types import Fact

NODES = st.integers(0, 9).map("n{}".format)
EDGES = st.lists(
    st.tuples(NODES, st.sampled_from(["on", "in"]), NODES, st.floats(0.05, 3.0)), max_size=30
)
SEEDS = st.dictionaries(NODES, st.floats(0.1, 2.0), min_size=1, max_size=4)


def built(edges):
    graph = FactGraph()
    for one, relation, other, weight in edges:
        if one != other:
            graph.relate(one, relation, other, weight=weight)
    return graph


def weight(graph, one, other):
    return sum(graph.relations(one, other).values())


def solved(graph, seeds, damping):
    """The stationary scores by one dense linear solve."""
    nodes = graph.nodes
    weights = np.array([[weight(graph, a, b) for b in nodes] for a in nodes]).reshape(
        len(nodes), len(nodes)
    )
    start = np.array([seeds.get(node, 0.0) for node in nodes])
    if not start.any():
        return start
    start = start / start.sum()
    strength = weights.sum(axis=1)
    walk = np.where(strength[:, None] > 0, weights / np.maximum(strength, 1e-300)[:, None], start)
    return np.linalg.solve(np.eye(len(nodes)) - damping * walk.T, (1 - damping) * start)


@given(EDGES, SEEDS, st.sampled_from([0.0, 0.5, 0.85]))
@settings(max_examples=80)
def test_scores_are_those_of_a_dense_linear_solve(edges, seeds, damping):
    graph = built(edges)
    scores = graph.pagerank(seeds, damping=damping, tolerance=1e-12)
    assert scores == pytest.approx(solved(graph, seeds, damping), abs=1e-9)


@given(EDGES, SEEDS)
@settings(max_examples=40)
def test_scores_are_those_of_networkx(edges, seeds):
    networkx = pytest.importorskip("networkx")
    graph = built(edges)
    seeds = {node: share for node, share in seeds.items() if node in graph}
    if not seeds:
        assert not graph.pagerank(seeds).any()
        return
    theirs = networkx.Graph()
    theirs.add_nodes_from(graph.nodes)
    theirs.add_weighted_edges_from(
        (a, b, weight(graph, a, b)) for a in graph.nodes for b in graph.nodes if weight(graph, a, b)
    )
    expected = networkx.pagerank(theirs, alpha=0.5, personalization=seeds, tol=1e-12)
    ours = dict(zip(graph.nodes, graph.pagerank(seeds), strict=True))
    assert ours == pytest.approx(expected, abs=1e-8)


@given(EDGES, st.data())
@settings(max_examples=60)
def test_a_graph_that_was_changed_scores_as_one_built_anew(edges, data):
    edges = [edge for edge in edges if edge[0] != edge[2]]
    kept = data.draw(st.lists(st.booleans(), min_size=len(edges), max_size=len(edges)))
    graph, fresh = built(edges), FactGraph()
    graph.pagerank({"n0": 1.0})
    last = {(frozenset((a, b)), relation): n for n, (a, relation, b, _) in enumerate(edges)}
    for number, (one, relation, other, weight) in enumerate(edges):
        stays = last[frozenset((one, other)), relation] == number and kept[number]
        if not kept[number]:
            graph.relate(other, relation, one, weight=0)
        fresh.relate(one, relation, other, weight=weight if stays else 0)
        if kept[number]:
            graph.relate(one, relation, other, weight=weight)
    assert graph.pagerank({"n0": 1.0}) == pytest.approx(fresh.pagerank({"n0": 1.0}), abs=1e-8)


def house():
    """Two rooms with a lamp each; a piano stands in one of them, nothing links it to its lamp."""
    graph = FactGraph()
    for entity, label, place in (
        ("entity:1", "lamp", "place:1"),
        ("entity:2", "lamp", "place:2"),
        ("entity:3", "piano", "place:2"),
        ("entity:4", "bed", "place:1"),
        ("entity:5", "chair", "place:1"),
        ("entity:6", "chair", "place:2"),
    ):
        graph.relate(entity, "is a", f"label:{label}")
        graph.learn([Fact(entity, "in", place, 1)])
    return graph


def test_the_lamp_in_the_room_with_the_piano_comes_first():
    lamps = ["entity:1", "entity:2"]
    assert house().ranked({"label:piano": 1.0}, lamps)[0][0] == "entity:2"
    assert house().ranked({"label:bed": 1.0}, lamps)[0][0] == "entity:1"


def test_a_fact_that_ended_leads_nowhere():
    graph = house()
    graph.learn(
        [Fact("entity:3", "in", "place:2", 1, end_ns=5), Fact("entity:3", "in", "place:1", 5)]
    )
    assert graph.ranked({"label:piano": 1.0}, ["entity:1", "entity:2"])[0][0] == "entity:1"


def test_what_joins_two_nodes_is_told_in_both_directions():
    graph = house()
    graph.relate("entity:4", "next to", "entity:5", weight=0.5)
    assert graph.relations("entity:5", "entity:4") == {"next to": 0.5}
    assert graph.relations("entity:5", "entity:6") == graph.relations("entity:5", "moon") == {}


def test_seeds_nobody_knows_give_no_scores():
    graph = house()
    assert not graph.pagerank({"label:tuba": 1.0}).any()
    assert graph.ranked({"label:tuba": 1.0}, ["entity:1"]) == [("entity:1", 0.0)]


def test_impossible_numbers_are_refused():
    graph = house()
    with pytest.raises(ValueError, match="itself"):
        graph.relate("a", "on", "a")
    with pytest.raises(ValueError, match="weight"):
        graph.relate("a", "on", "b", weight=-1.0)
    with pytest.raises(ValueError, match="damping"):
        graph.pagerank({"label:lamp": 1.0}, damping=1.0)
    with pytest.raises(ValueError, match="seed"):
        graph.pagerank({"label:lamp": float("nan")})


def test_a_query_over_fifty_thousand_edges_takes_milliseconds():
    random = np.random.default_rng(0)
    graph = FactGraph()
    for one, other in random.integers(5_000, size=(50_000, 2)).tolist():
        if one != other:
            graph.relate(f"entity:{one}", "near", f"entity:{other}")
    graph.pagerank({"entity:1": 1.0})
    times = []
    for node in range(10):
        begun = time.perf_counter()
        graph.pagerank({f"entity:{node}": 1.0, f"entity:{node + 100}": 1.0})
        times.append(time.perf_counter() - begun)
    assert min(times) < 0.05  # about 4 ms on an idle core
    print(f"personalised PageRank: {1e3 * float(np.median(times)):.1f} ms")
