"""The table of what was seen last, and flat recall: where they take things to be."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("pybullet")

from memory_core.memory import RobotMemory
from memory_core.types import Observation, Pose, Sighting
from memory_sim.agents.tables import Flat, LastSeen
from tests.sim.agents.seen import NOW_NS, SECOND, remembered, straight

WHERE = {"now_ns": NOW_NS, "travel_m": straight}


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[RobotMemory]:
    with remembered(tmp_path) as memory:
        yield memory


def test_the_table_holds_the_last_place_alone(memory):
    meant = LastSeen(None, memory).meant("red mug", **WHERE)
    assert [c.position for c in meant.candidates] == [pytest.approx((6.0, 2.5, 0.7))]


def test_the_table_takes_in_what_is_seen_later(memory):
    table = LastSeen(None, memory)
    table.meant("red mug", **WHERE)
    memory.observe(
        Observation(
            "later", NOW_NS, source="camera", pose=Pose(0.0, 9.0, 1.0),
            sightings=(Sighting("red mug", position=(1.0, 0.0, 0.0)),),
        )
    )  # fmt: skip
    meant = table.meant("red mug", now_ns=NOW_NS + SECOND, travel_m=straight)
    assert [c.position for c in meant.candidates] == [pytest.approx((1.0, 9.0, 1.0))]


def test_the_table_knows_the_furniture_that_is_named(memory):
    regions = LastSeen(None, memory).regions("red mug", within="kitchen table", **WHERE)
    assert [(r.name, r.centre) for r in regions] == [
        ("kitchen table", pytest.approx((2.2, 0.0, 0.7)))
    ]


def test_the_table_answers_with_the_last_place(memory):
    answer = LastSeen(None, memory).ask("where is the red mug?", now_ns=NOW_NS)
    assert answer.position == pytest.approx((6.0, 2.5, 0.7))


def test_the_table_abstains_of_what_was_never_seen(memory):
    assert LastSeen(None, memory).ask("where is the piano?", now_ns=NOW_NS).abstained


def test_flat_recall_gives_every_sighting_of_the_kind(memory):
    meant = Flat(None, memory).meant("red mug", **WHERE)
    places = {tuple(round(v, 2) for v in c.position) for c in meant.candidates}
    assert places == {(2.0, 0.5, 0.7), (6.0, 2.5, 0.7)}


def test_flat_recall_leaves_out_other_kinds(memory):
    meant = Flat(None, memory).meant("desk", **WHERE)
    assert {c.label for c in meant.candidates} == {"desk"}


def test_a_phrase_is_taken_without_its_place(memory):
    assert Flat(None, memory).meant("red mug in the kitchen", **WHERE).thing == "red mug"
