"""The growing forest: its invariants under any sequence of changes, and what is stored of it."""

from __future__ import annotations

import dataclasses
import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memory_core.errors import (
    DimensionMismatch,
    InvalidId,
    InvalidPose,
    InvalidStamp,
    InvalidVector,
    MemoryDamaged,
)
from memory_core.semantic.forest.incremental import SemanticForest
from memory_core.semantic.forest.nodes import Leaf, move_gain
from memory_core.semantic.forest.quality import dasgupta_cost

WORDS = ("kitchen with a stove", "bedroom with a bed", "garden with trees", "street with cars")


def leaf(number, draw, *, dimension=8):
    vector = draw.normal(size=dimension)
    x, y, z = draw.uniform(-50, 50, 3)
    size = draw.uniform(0, 3)
    start = int(draw.integers(0, 10**12))
    return Leaf(
        f"place:{number}", vector / np.linalg.norm(vector), (x, y, z), (x - size, y, z),
        (x, y + size, z), start, start + int(draw.integers(0, 10**9)), WORDS[number % 4],
    )  # fmt: skip


def grown(n, *, seed=0, trees=("ground",)):
    draw = np.random.default_rng(seed)
    forest = SemanticForest(8)
    for number in range(n):
        forest.add(leaf(number, draw), tree=trees[number % len(trees)])
    return forest


def rows(forest):
    return [forest.row(number) for number in forest.numbers()]


STEPS = st.lists(
    st.tuples(
        st.sampled_from(("add", "add", "add", "remove", "update", "move", "rebalance", "text", "merge")),
        st.integers(0, 2**32 - 1),
    ),
    max_size=120,
)  # fmt: skip


def apply(forest, leaves, kind, seed):
    """One step; `leaves` is the plain truth of what the forest must hold."""
    draw = np.random.default_rng(seed)
    if kind == "add":
        new, tree = leaf(len(leaves), draw), ("a", "b", "c")[draw.integers(3)]
        if new.payload not in leaves:
            forest.add(new, tree=tree)
            leaves[new.payload] = (new, tree)
    elif kind == "rebalance":
        forest.rebalance(int(draw.integers(1, 6)))
    elif kind == "merge" and len(forest.roots) > 1:
        one, into = draw.permutation(sorted(forest.roots))[:2]
        forest.merge(str(one), into=str(into))
        for payload, (known, tree) in leaves.items():
            leaves[payload] = (known, str(into) if tree == one else tree)
    elif leaves and kind in ("remove", "update", "move"):
        payload = sorted(leaves)[draw.integers(len(leaves))]
        known, tree = leaves[payload]
        if kind == "remove":
            forest.remove(payload)
            del leaves[payload]
        elif kind == "update":
            new = dataclasses.replace(known, text="changed", last_ns=known.last_ns + 5)
            forest.update(new)
            leaves[payload] = (new, tree)
        else:
            new = dataclasses.replace(leaf(0, draw), payload=payload)
            tree = ("a", "b", "c")[draw.integers(3)]
            forest.update(new, tree=tree)
            leaves[payload] = (new, tree)
    elif kind == "text":
        for root in forest.roots.values():
            forest.text(root)


def holds_exactly(forest, leaves):
    forest.check()
    assert len(forest) == len(leaves)
    for key, root in forest.roots.items():
        inside = [known for known, tree in leaves.values() if tree == key]
        row = forest.row(root)
        assert row.count == len(inside)
        assert row.low == tuple(np.min([known.low for known in inside], axis=0))
        assert row.high == tuple(np.max([known.high for known in inside], axis=0))
        assert row.first_ns == min(known.first_ns for known in inside)
        assert row.last_ns == max(known.last_ns for known in inside)
        centre = np.mean([known.position for known in inside], axis=0)
        np.testing.assert_allclose(row.position, centre, atol=1e-9)
        spread = np.mean(np.sum((np.array([k.position for k in inside]) - centre) ** 2, axis=1))
        assert row.spread == pytest.approx(spread, abs=1e-6)
        total = np.sum([known.vector for known in inside], axis=0)
        np.testing.assert_allclose(np.frombuffer(row.total, "<f4"), total, atol=1e-5)
        assert row.level <= max(1, math.ceil(math.log2(max(2, row.count))))
    for payload, (_known, tree) in leaves.items():
        assert forest.row(forest.leaf(payload)).tree == tree


@settings(max_examples=60)
@given(steps=STEPS)
def test_any_sequence_of_changes_keeps_every_invariant(steps):
    forest, leaves = SemanticForest(8), {}
    for kind, seed in steps:
        apply(forest, leaves, kind, seed)
    holds_exactly(forest, leaves)


@settings(max_examples=40)
@given(before=STEPS, after=STEPS)
def test_a_forest_read_back_goes_on_as_if_never_saved(before, after):
    forest, leaves, stored, numbers = SemanticForest(8), {}, {}, set()
    for kind, seed in before:
        apply(forest, leaves, kind, seed)
        if seed % 3 == 0:  # saved in several steps, only what changed
            numbers |= save(forest, stored)
    numbers |= save(forest, stored)
    again = SemanticForest.load(stored.values(), dimension=8, next_number=forest.next_number)
    again.check()
    assert rows(again) == rows(forest)
    copy = dict(leaves)
    for kind, seed in after:
        apply(forest, leaves, kind, seed)
        apply(again, copy, kind, seed)
    assert rows(again) == rows(forest)
    assert not numbers & set(forest.numbers()), "a removed number was used again"


def save(forest, stored):
    changed, removed = forest.changed()
    for number in removed:
        stored.pop(number, None)
    stored.update({row.number: row for row in changed})
    assert {row.number: row for row in rows(forest)} == stored
    return set(removed)


@pytest.mark.parametrize("sequence", ("sorted", "same place", "twins"))
def test_ill_natured_orders_stay_shallow(sequence):
    forest = SemanticForest(4)
    for number in range(400):
        angle = number / 400 if sequence == "sorted" else 0.0
        vector = np.array([math.cos(angle), math.sin(angle), 0, 0])
        x = 0.0 if sequence == "same place" else float(number // 2)
        forest.add(Leaf(str(number), vector, (x, 0.0, 0.0)))
        forest.rebalance(1)
    forest.check()
    assert forest.row(forest.roots[""]).level <= 8


def test_a_change_touches_only_the_path_and_what_was_parted():
    forest = grown(2_000)
    forest.changed()
    most = 0
    draw = np.random.default_rng(9)
    for number in range(2_000, 2_100):
        forest.add(leaf(number, draw), tree="ground")
        changed, removed = forest.changed()
        assert not removed
        most = max(most, len(changed))
    assert most <= 10 * forest.row(forest.roots["ground"]).level


def test_rebalancing_is_bounded_ends_and_lowers_the_cost():
    forest = grown(600, seed=3)
    before = dasgupta_cost(forest.arrays()[0])
    waiting = forest.pending
    assert forest.rebalance(1) >= waiting - 1
    for _ in range(5_000):
        if not forest.rebalance(1):
            break
    assert forest.pending == 0
    forest.check()
    assert dasgupta_cost(forest.arrays()[0]) < before


def test_what_a_graft_gains_is_what_the_cost_falls_by():
    """All places at one point: there the mean similarities are exact, and brute force agrees."""
    draw = np.random.default_rng(5)
    forest = SemanticForest(8)
    for number in range(60):
        place = dataclasses.replace(leaf(number, draw), position=(0, 0, 0), low=None, high=None)
        forest.add(place)
    checked = 0
    for number in range(30):
        node = forest._leaves[f"place:{number}"]
        for payload in ("place:45", "place:59", "place:31"):
            source, target = node.parent, forest._leaves[payload].parent
            if target is source or len(source.children) < 3:
                continue
            gain, before = move_gain(node, target), dasgupta_cost(forest.arrays()[0])
            forest._hand_over(node, source, target)
            forest._refresh_up(source)
            forest._refresh_up(target)
            assert before - dasgupta_cost(forest.arrays()[0]) == pytest.approx(
                gain, rel=1e-3, abs=0.5
            )
            checked += 1
    assert checked > 10


def test_one_tree_per_floor_and_an_emptied_one_is_gone():
    forest = grown(40, trees=("ground", "upper"))
    assert set(forest.roots) == {"ground", "upper"}
    for number in range(1, 40, 2):
        forest.remove(f"place:{number}")
    assert set(forest.roots) == {"ground"}
    for number in range(0, 40, 2):
        forest.remove(f"place:{number}")
    forest.check()
    assert forest.roots == {}
    assert forest.numbers() == []


def test_alike_places_share_a_branch():
    """Four kinds of places at four corners: the four branches are found whatever the order."""
    draw = np.random.default_rng(1)
    corners, axes = 200 * np.array([[0, 0], [1, 0], [0, 1], [1, 1]]), np.eye(8)[:4]
    forest = SemanticForest(8)
    for number in draw.permutation(200):
        kind = number % 4
        vector = axes[kind] + 0.1 * draw.normal(size=8)
        x, y = corners[kind] + draw.normal(size=2)
        forest.add(Leaf(str(number), vector / np.linalg.norm(vector), (x, y, 0.0)))
        forest.rebalance(4)
    while forest.rebalance(100):
        pass
    mixed = [
        number for number in forest.numbers()
        if forest.row(number).level == 1 and len({int(forest.row(c).payload) % 4 for c in forest.children(number)}) > 1
    ]  # fmt: skip
    assert mixed == []


def test_texts_are_told_again_only_where_something_changed():
    forest = grown(30)
    root = forest.roots["ground"]
    assert forest.row(root).text_stale
    told = forest.text(root)
    assert told.startswith("30 places over")
    forest.changed()
    assert forest.text(root) == told
    assert forest.changed() == ([], [])
    forest.set_text(root, "A small town.")
    assert forest.text(root) == "A small town."
    forest.remove("place:3")
    assert forest.text(root).startswith("29 places")


def test_the_kind_of_area_is_asked_of_the_mean_vector():
    asked = []
    forest = SemanticForest(8, kind_of=lambda vector: asked.append(vector) or "house")
    draw = np.random.default_rng(0)
    for number in range(3):
        forest.add(leaf(number, draw))
    assert "(house)" in forest.text(forest.roots[""])
    assert np.linalg.norm(asked[0]) == pytest.approx(1, abs=1e-6)


def test_paths_lead_from_the_root_to_the_leaf():
    forest = grown(100)
    number = forest.leaf("place:42")
    path = forest.path(number)
    assert path[0] == forest.roots["ground"]
    assert path[-1] == number
    for above, below in itertools.pairwise(path):
        assert below in forest.children(above)


def test_what_cannot_be_is_refused_and_changes_nothing():
    forest = grown(5)
    good = leaf(9, np.random.default_rng(2))
    kept = rows(forest)
    change = dataclasses.replace
    for error, bad in (
        (InvalidId, change(good, payload="place:1")),
        (InvalidId, change(good, payload="")),
        (DimensionMismatch, change(good, vector=np.ones(3))),
        (InvalidVector, change(good, vector=np.zeros(8))),
        (InvalidVector, change(good, vector=np.full(8, np.nan))),
        (InvalidPose, change(good, position=(math.inf, 0, 0))),
        (InvalidPose, change(good, low=(9e9, 0, 0))),
        (InvalidStamp, change(good, first_ns=9, last_ns=8)),
    ):
        with pytest.raises(error):
            forest.add(bad, tree="ground")
    with pytest.raises(InvalidId):
        forest.update(good)
    with pytest.raises(InvalidId):
        forest.remove("place:77")
    with pytest.raises(InvalidId):
        forest.merge("cellar", into="ground")
    with pytest.raises(InvalidId):
        forest.text(10**6)
    assert rows(forest) == kept


@pytest.mark.parametrize(
    ("field", "value", "told"),
    (
        ("count", 7, "count"),
        ("low", (0.0, 0.0, 0.0), "low"),
        ("last_ns", 3, "last_ns"),
        ("tree", "cellar", "tree"),
    ),
)
def test_the_check_names_what_is_violated(field, value, told):
    forest = grown(30)
    stored = rows(forest)
    victim = next(row for row in stored if row.level == 1)
    stored[stored.index(victim)] = dataclasses.replace(victim, **{field: value})
    again = SemanticForest.load(stored, dimension=8, next_number=forest.next_number)
    with pytest.raises(MemoryDamaged, match=told):
        again.check()


def test_rows_that_are_no_forest_are_refused():
    forest = grown(30)
    stored = rows(forest)
    lost = next(row for row in stored if row.level == 1)
    with pytest.raises(MemoryDamaged, match="no parent"):
        SemanticForest.load(
            [row for row in stored if row is not lost], dimension=8, next_number=forest.next_number
        )
