"""Facts from geometry: hand-made scenes, generated houses whose truth is known, and changes."""

from __future__ import annotations

import math
import time

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from memory_core.semantic.factbook import WORTH_WRITING, FactBook
from memory_core.semantic.facts import CLOSES, OPENS, facts_between
from memory_core.semantic.neighbours import Thing, View
from memory_sim.worlds.plan import plan_house

ROOM = tuple(View(f"o{n}", n + 1, (0.0, -2.0 + 0.1 * n, 1.0)) for n in range(4))
"""Four views from the south, looking north: west is left."""


def thing(name, label, at, size=(0.0, 0.0, 0.0), views=ROOM, **parts):
    return Thing(f"entity:{name}", label, at, size, views=views, **parts)


def told(things, relation):
    return {
        (fact.subject.removeprefix("entity:"), fact.object.removeprefix("entity:"))
        for fact in facts_between(things)
        if fact.relation == relation
    }


TABLE = thing("table", "table", (0.0, 0.0, 0.37), (1.2, 0.8, 0.74))
MUG = thing("mug", "mug", (0.3, 0.1, 0.80), (0.1, 0.1, 0.12))


def test_a_mug_is_on_the_table_it_stands_on_and_not_the_other_way_round():
    assert told([TABLE, MUG], "on") == {("mug", "table")}
    assert told([TABLE, MUG], "under") == told([TABLE, MUG], "next to") == set()


def test_a_mug_whose_size_nobody_measured_is_on_the_table_all_the_same():
    bare = [thing("mug", "mug", (0.3, 0.1, 0.85)), thing("table", "table", (0.0, 0.0, 0.4))]
    assert told(bare, "on") == {("mug", "table")}


def test_the_likelier_of_two_tables_holds_the_mug():
    nest = thing("low", "side table", (0.3, 0.1, 0.2), (0.9, 0.7, 0.4))
    assert told([TABLE, nest, MUG], "on") == {("mug", "table")}


def test_a_pillow_lies_on_the_bed_below_the_top_of_its_headboard():
    bed = thing("bed", "bed", (0.0, 0.0, 0.45), (1.4, 2.0, 0.9))
    pillow = thing("pillow", "pillow", (0.2, 0.6, 0.61), (0.5, 0.35, 0.12))
    assert told([bed, pillow], "on") == {("pillow", "bed")}


def test_what_stands_on_the_ground_below_a_table_is_under_it():
    ball = thing("ball", "ball", (0.2, 0.0, 0.11), (0.22, 0.22, 0.22))
    assert told([TABLE, ball], "under") == {("ball", "table")}
    assert told([TABLE, ball], "on") == set()


def test_a_sofa_below_a_painting_is_under_it():
    sofa = thing("sofa", "sofa", (0.0, 0.0, 0.4), (1.8, 0.8, 0.8))
    painting = thing("painting", "painting", (0.1, 0.35, 1.5), (0.8, 0.05, 0.6))
    assert told([sofa, painting], "under") == {("sofa", "painting")}


def test_an_apple_inside_a_bowl_is_in_it_and_the_bowl_on_the_table():
    bowl = thing("bowl", "bowl", (0.3, 0.1, 0.80), (0.3, 0.3, 0.12), spread_m=0.01)
    apple = thing("apple", "apple", (0.33, 0.1, 0.80), (0.08, 0.08, 0.08), spread_m=0.01)
    assert told([TABLE, bowl, apple], "in") == {("apple", "bowl")}
    assert told([TABLE, bowl, apple], "on") == {("bowl", "table")}


def test_a_handle_is_part_of_the_door_it_touches():
    door = thing("door", "door", (0.0, 0.0, 1.0), (0.9, 0.05, 2.0))
    handle = thing("handle", "door handle", (0.4, 0.05, 1.0), (0.1, 0.05, 0.05))
    cabinet = thing("cabinet", "cabinet", (0.8, 0.0, 0.5), (0.6, 0.5, 1.0))
    assert told([door, handle, cabinet], "part of") == {("handle", "door")}


def test_chairs_side_by_side_are_next_to_each_other_both_ways():
    chairs = [thing(n, "chair", (0.7 * n, 0.0, 0.45), (0.45, 0.45, 0.9)) for n in range(2)]
    far = thing("far", "chair", (2.6, 0.0, 0.45), (0.45, 0.45, 0.9))
    assert told([*chairs, far], "next to") == {("0", "1"), ("1", "0")}


def test_things_on_two_sides_of_a_wall_are_not_next_to_each_other():
    beyond = tuple(View(f"p{n}", n + 1, (0.0, 3.0, 1.0)) for n in range(4))
    here = thing("here", "chair", (0.0, 0.0, 0.45), (0.45, 0.45, 0.9))
    there = thing("there", "chair", (0.0, 0.6, 0.45), (0.45, 0.45, 0.9), views=beyond)
    assert told([here, there], "next to") == told([here, there], "seen with") == set()


def test_left_and_right_are_as_seen_by_those_who_saw_both():
    west = thing("west", "lamp", (-0.5, 0.0, 0.5), (0.2, 0.2, 1.0))
    east = thing("east", "plant", (0.5, 0.0, 0.5), (0.3, 0.3, 1.0))
    assert told([west, east], "left of") == {("west", "east")}
    assert told([west, east], "right of") == {("east", "west")}
    both_sides = (*ROOM[:2], View("n0", 8, (0.0, 2.0, 1.0)), View("n1", 9, (0.0, 2.1, 1.0)))
    west, east = (Thing(t.id, t.label, t.position, t.size, views=both_sides) for t in (west, east))
    assert not any(fact.confidence > 0.5 for fact in facts_between([west, east]) if "t of" in fact.relation)  # fmt: skip


def test_the_nearest_thing_is_named_with_what_the_fact_rests_on():
    lamp = thing("lamp", "lamp", (0.0, 1.5, 0.5), (0.2, 0.2, 1.0))
    chair = thing("chair", "chair", (0.9, 1.5, 0.45), (0.45, 0.45, 0.9))
    plant = thing("plant", "plant", (2.9, 1.5, 0.45), (0.45, 0.45, 0.9))
    facts = facts_between([lamp, chair, plant])
    (nearest,) = [f for f in facts if f.subject == lamp.id and f.relation == "nearest"]
    assert nearest.object == chair.id
    assert nearest.evidence == ("o0", "o1", "o2", "o3")
    assert nearest.start_ns == 4


def test_a_thing_is_in_its_place_and_things_of_other_maps_are_far_away():
    here = thing("mug", "mug", MUG.position, MUG.size, place="place:3")
    there = thing("table", "table", TABLE.position, TABLE.size, map_id="garden")
    facts = facts_between([here, there])
    assert [(f.subject, f.relation, f.object) for f in facts] == [("entity:mug", "in", "place:3")]


def test_nothing_has_no_facts():
    assert facts_between([]) == []
    assert FactBook().update([], now_ns=1) == []


def outline(placed):
    """Points on the rim of a thing's footprint in the map, shape (n, 2)."""
    width, depth = placed.kind.footprint
    edge = np.linspace(-0.5, 0.5, 21)
    rim = [np.stack([edge * width, np.full(21, side * depth / 2)], 1) for side in (-1, 1)]
    rim += [np.stack([np.full(21, side * width / 2), edge * depth], 1) for side in (-1, 1)]
    cos, sin = math.cos(placed.yaw), math.sin(placed.yaw)
    return np.concatenate(rim) @ np.array([[cos, sin], [-sin, cos]]) + placed.position[:2]


def height(kind):
    reach = [
        p.offset[2] + (p.size[0] if p.shape == "sphere" else p.size[2] / 2) for p in kind.parts
    ]
    return max(reach, default=0.2)


def measured(plan, random, noise):
    """The things of a house as seen from inside their rooms, with noise on every axis."""
    centres = {room.kind: room.centre for room in plan.rooms}
    found = []
    for number, item in enumerate(plan.things):
        tall = height(item.kind)
        x, y, z = np.add(item.position, (0, 0, tall / 2)) + random.normal(0, noise, 3)
        w, d = np.ptp(outline(item), axis=0)
        views = tuple(View(f"{item.room}{k}", k, (*centres[item.room], 1.0)) for k in range(1, 4))
        found.append(
            Thing(f"{number}", item.kind.label, (x, y, z), (w, d, tall), noise, views=views)
        )
    return found


def truth(plan):
    """What stands on what, and the clearance of all others in a room that overlap in height."""
    items, rims = plan.things, [outline(item) for item in plan.things]
    on, apart = set(), {}
    for a, item in enumerate(items):
        for b, other in enumerate(items):
            x, y, z = item.position
            (left, low), (right, high) = rims[b].min(0), rims[b].max(0)
            inside = left <= x <= right and low <= y <= high
            if z > 0.01 and abs(other.kind.top - z) < 1e-6 and inside and a != b:
                on.add((str(a), str(b)))
    for a, item in enumerate(items):
        for b, other in enumerate(items):
            bottom = max(item.position[2], other.position[2])
            top = min(p.position[2] + height(p.kind) for p in (item, other))
            if a != b and item.room == other.room and top > bottom:
                clearance = np.linalg.norm(rims[a][:, None] - rims[b][None], axis=2).min()
                apart[str(a), str(b)] = float(clearance)
    return on, {p: d for p, d in apart.items() if p not in on and p[::-1] not in on}


def test_what_stands_on_what_is_found_in_twenty_houses_despite_noise_of_five_centimetres():
    random = np.random.default_rng(0)
    right = said = real = 0
    near_found = near_real = far_said = beside_said = 0
    for seed in range(20):
        plan = plan_house(seed)
        on, apart = truth(plan)
        things = measured(plan, random, 0.05)
        found, beside = told(things, "on"), told(things, "next to")
        right, said, real = right + len(found & on), said + len(found), real + len(on)
        close = {pair for pair, clearance in apart.items() if clearance < 0.4}
        near_found, near_real = near_found + len(beside & close), near_real + len(close)
        far_said += sum(apart.get(pair, 9.0) > 0.7 for pair in beside)
        beside_said += len(beside)
    assert real > 200
    assert right / said >= 0.98
    assert right / real >= 0.98
    assert near_found / near_real >= 0.95
    assert far_said / beside_said <= 0.03


POSITIONS = st.tuples(st.floats(-6, 6), st.floats(-3, 3), st.floats(0.1, 1.5))
LABELS = st.sampled_from(
    ["table", "mug", "chair", "bowl", "painting", "lamp", "door handle", "door"]
)
STATES = st.builds(
    lambda number, label, at, views: thing(number, label, at, views=ROOM[:views]),
    st.integers(0, 9), LABELS, POSITIONS, st.integers(0, 4),
)  # fmt: skip
STEPS = st.lists(
    st.tuples(st.lists(STATES, max_size=4), st.lists(st.integers(0, 9), max_size=2)), max_size=6
)


def keys(facts):
    return {(fact.subject, fact.relation, fact.object): fact.confidence for fact in facts}


@given(STEPS)
@settings(max_examples=60)
def test_facts_kept_step_by_step_are_those_of_the_whole_worked_out_at_once(steps):
    book, present = FactBook(), {}
    for now, (states, gone) in enumerate(steps, start=1):
        names = [f"entity:{number}" for number in gone]
        book.update(states, now_ns=now, gone=names)
        for name in names:
            present.pop(name, None)
        present.update({state.id: state for state in states})
        held = keys(book.facts())
        possible = keys(facts_between(list(present.values()), least=CLOSES))
        assert {key for key, chance in possible.items() if chance >= OPENS} <= held.keys()
        assert held.keys() <= possible.keys()
        assert all(abs(held[key] - possible[key]) < WORTH_WRITING for key in held)


@given(STEPS, st.integers(0, 6))
@settings(max_examples=40)
def test_a_book_that_was_stored_and_loaded_continues_as_if_it_never_stopped(steps, stop):
    whole, book, rows, present = FactBook(), FactBook(), {}, {}
    for now, (states, gone) in enumerate(steps, start=1):
        names = [f"entity:{number}" for number in gone]
        if now == stop:
            book = FactBook()
            book.load(rows.values(), present.values())
        for name in names:
            present.pop(name, None)
        present.update({state.id: state for state in states})
        assert book.update(states, now_ns=now, gone=names) == whole.update(
            states, now_ns=now, gone=names
        )
        rows.update({row.number: row for row in book.changed()})
    assert sorted(rows.items()) == [(row.number, row) for row in whole.changed()]
    assert book.facts() == whole.facts()


def test_a_mug_that_moves_ends_one_fact_and_begins_another():
    book = FactBook()
    other = thing("shelf", "shelf", (2.0, 2.0, 0.5), (0.9, 0.3, 1.0))
    book.update([TABLE, other, MUG], now_ns=10)
    book.changed()
    moved = thing("mug", "mug", (2.0, 2.0, 1.06), MUG.size)
    book.update([moved], now_ns=20)
    on = {(r.fact.object, r.fact.start_ns, r.fact.end_ns) for r in book.changed() if r.fact.relation == "on"}  # fmt: skip
    assert on == {("entity:table", 10, 20), ("entity:shelf", 20, None)}
    book.update([], now_ns=30, gone=["entity:mug"])
    assert not [fact for fact in book.facts() if "entity:mug" in (fact.subject, fact.object)]


def test_seeing_the_same_again_writes_nothing():
    book = FactBook()
    book.update([TABLE, MUG], now_ns=10)
    book.changed()
    again = (*ROOM, View("o9", 99, (0.1, -2.0, 1.0)))
    seen = [thing("mug", "mug", (0.302, 0.1, 0.80), MUG.size, views=again)]
    assert book.update(seen, now_ns=20) == book.changed() == []


def test_a_change_costs_what_its_surroundings_hold_and_not_the_whole_memory():
    times = []
    for side in (4, 16):  # 16 times the things, as densely
        random = np.random.default_rng(0)
        cells = [(3.0 * x, 3.0 * y) for x in range(side) for y in range(side)]
        things = [
            thing(f"{n}:{k}", "mug", (*(np.array(cell) + random.uniform(0, 3, 2)), 0.5))
            for n, cell in enumerate(cells)
            for k in range(4)
        ]
        book = FactBook()
        book.update(things, now_ns=1)
        spans = []
        for k in range(5):
            begun = time.perf_counter()
            book.update([thing("0:0", "mug", (1.0 + 0.1 * k, 1.0, 0.5))], now_ns=2 + k)
            spans.append(time.perf_counter() - begun)
        times.append(min(spans))
    assert times[1] < 6 * times[0]
    assert len(book) > 1_000
