"""Two hops: the walk over facts decides among candidates, and finds a room geometry does not."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np

from memory_core.answering.hops import Relations
from memory_core.types import Fact

PIANO, LAMP_BY_PIANO, LAMP_ELSEWHERE, SHELF = range(4)


def scene() -> SimpleNamespace:
    entities = [SimpleNamespace(id=f"entity:{number}") for number in range(4)]
    return SimpleNamespace(entities=entities, entity=np.arange(4))


def fact(one: int, relation: str, other: int, *, end_ns: int | None = None) -> Fact:
    return Fact(f"entity:{one}", relation, f"entity:{other}", 1, end_ns, 0.9, ("observation:1",))


def test_of_two_candidates_in_no_room_the_one_related_to_the_anchor_is_nearer():
    facts = [fact(LAMP_BY_PIANO, "next to", PIANO), fact(LAMP_ELSEWHERE, "on", SHELF)]
    near, far = Relations(scene(), [-1] * 4, facts).nearness(
        np.array([LAMP_BY_PIANO, LAMP_ELSEWHERE]), np.array([PIANO])
    )
    assert near > 0
    assert far == 0


def test_a_candidate_is_reached_over_the_room_it_shares_with_the_anchor():
    relations = Relations(scene(), [0, 0, 1, 1], [])
    near, far = relations.nearness(np.array([LAMP_BY_PIANO, LAMP_ELSEWHERE]), np.array([PIANO]))
    assert near > far


def test_a_fact_that_ended_is_no_evidence():
    facts = [fact(LAMP_BY_PIANO, "next to", PIANO, end_ns=2)]
    nearness = Relations(scene(), [-1] * 4, facts).nearness(
        np.array([LAMP_BY_PIANO]), np.array([PIANO])
    )
    assert nearness.tolist() == [0.0]


def test_the_room_of_an_anchor_is_that_of_what_it_is_related_to():
    relations = Relations(scene(), [-1, 3, 1, 1], [fact(PIANO, "next to", LAMP_BY_PIANO)])
    assert relations.room_of(np.array([PIANO])) == 3


def test_what_is_related_to_nothing_is_in_no_room():
    assert Relations(scene(), [-1, 0, 1, 1], []).room_of(np.array([PIANO])) == -1


def test_the_thing_in_the_room_with_another_is_told(ask):
    found = ask("Where is the mug in the room with the printer?")
    alone = ask("Where is the printer?")
    assert math.dist(found.position, alone.position) < 4.0
