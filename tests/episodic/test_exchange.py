"""What an export of JSON Lines holds beside observations; `test_properties` has those."""

from __future__ import annotations

import json
from dataclasses import asdict

import pytest

from memory_core import Observation, Pose, RobotMemory, Sighting, ingest
from memory_core.episodic.exchange import left_out
from memory_core.perception.text import HashingEncoder

from .making import START_NS


@pytest.fixture
def memory(tmp_path):
    with RobotMemory.open(tmp_path / "memory", text_encoder=HashingEncoder()) as opened:
        opened.observe(
            Observation(
                id=f"o{n}", stamp_ns=START_NS + n * 10**9, pose=Pose(float(n), 0.0),
                sightings=(Sighting("mug", position=(1.0 - n, 0.5, 0.8), state={"fill": 0.25}),
                           Sighting("table", position=(1.0 - n, 0.6, 0.4))),
            )
            for n in range(4)
        )  # fmt: skip
        opened.forget(ids=["o3"], reason="privacy")
        yield opened


def exported(memory, target, **options):
    memory.export(target, **options)
    return [json.loads(line) for line in target.read_text(encoding="utf-8").splitlines()]


def test_records_hold_every_field_of_what_the_memory_made(memory, tmp_path):
    lines = exported(memory, tmp_path / "all.jsonl", records=True)
    made = {}
    for line in lines:
        if "record" in line:
            made.setdefault(line.pop("record"), []).append(line)
    known = {
        "entity": memory.entities(), "place": memory.places(), "event": memory.events(),
        "fact": memory.facts(), "forest": memory.forest(),
    }  # fmt: skip
    for name, records in known.items():
        as_json = json.loads(json.dumps([asdict(record) for record in records]))
        assert made.get(name, []) == as_json, name
    assert {entity["label"] for entity in made["entity"]} == {"mug", "table"}


def test_records_stand_between_the_observations_and_the_removals(memory, tmp_path):
    lines = exported(memory, tmp_path / "all.jsonl", records=True)
    kinds = [
        "record" if "record" in x else "removal" if "removal" in x else "id" for x in lines[1:]
    ]
    assert kinds == sorted(kinds, key=["id", "record", "removal"].index)
    assert set(kinds) == {"id", "record", "removal"}


def test_without_being_asked_for_there_are_none(memory, tmp_path):
    assert not any("record" in line for line in exported(memory, tmp_path / "all.jsonl"))


def test_an_import_passes_over_records(memory, tmp_path):
    exported(memory, tmp_path / "all.jsonl", records=True)
    with RobotMemory.open(tmp_path / "again", text_encoder=HashingEncoder()) as again:
        report = ingest(again, tmp_path / "all.jsonl")
        assert (report.added, report.refusals) == (3, [])
        again.organise()
        labels = [sorted(entity.label for entity in m.entities()) for m in (again, memory)]
    assert labels[0] == labels[1]


def test_what_is_left_out_is_said_for_each_format():
    assert left_out("jsonl", records=True) == ()
    assert "entities" in left_out("jsonl", records=False)[0]
    assert len(left_out("mcap", records=False)) == len(left_out("mcap", records=True)) + 1
