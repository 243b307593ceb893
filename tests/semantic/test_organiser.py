"""Observations become structure: the same one, however the work is cut into rounds."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest

from memory_core.semantic import organiser as organising
from memory_core.semantic.organiser import Organiser
from memory_core.types import Pose

from .making import START_NS
from .remembered import HashingEncoder, differences, opened, structure, tour

TWO_DAYS = [*tour(), *tour(session="tuesday", start_s=90_000, first=24)]


@pytest.fixture(scope="module")
def in_one_go(tmp_path_factory):
    with opened(tmp_path_factory.mktemp("whole") / "memory") as memory:
        memory.observe(TWO_DAYS)
        yield structure(memory)


def triples(told):
    return {(fact.subject, fact.relation, fact.object) for fact in told["facts"]}


def leaves(told):
    return [node for node in told["forest"] if not node.children]


def same_but_for_rounds(told, wanted):
    """Facts begin with the round that tells them, and trees grow in the order of their leaves."""
    assert not differences(
        {kind: told[kind] for kind in ("entities", "places", "events")},
        {kind: wanted[kind] for kind in ("entities", "places", "events")},
    )
    assert triples(told) == triples(wanted)
    ours, theirs = ([replace(n, parent=None) for n in leaves(t)] for t in (told, wanted))
    assert not differences(
        {"forest": sorted(ours, key=lambda n: n.id)}, {"forest": sorted(theirs, key=lambda n: n.id)}
    )


@pytest.mark.parametrize("size", [1, 7])
def test_rounds_of_any_size_give_the_same_structure(tmp_path, monkeypatch, in_one_go, size):
    monkeypatch.setattr(organising, "ROUND", size)
    with opened(tmp_path / "memory") as memory:
        memory.observe(TWO_DAYS)
        told = structure(memory)
        memory._structure.organiser.forest.check()
    same_but_for_rounds(told, in_one_go)


def test_restarts_between_rounds_change_nothing_at_all(tmp_path, monkeypatch):
    monkeypatch.setattr(organising, "ROUND", 5)
    with opened(tmp_path / "steady") as memory:
        memory.observe(TWO_DAYS)
        wanted = structure(memory)
    with opened(tmp_path / "restarted") as memory:
        memory.observe(TWO_DAYS)
    taken = True
    while taken:
        with opened(tmp_path / "restarted") as memory:
            taken = memory._structure.organiser.organise(limit=1)
    with opened(tmp_path / "restarted") as memory:
        memory._structure.organiser.forest.check()
        assert not differences(structure(memory), wanted)


def test_what_is_told_is_the_same_after_a_restart(tmp_path):
    with opened(tmp_path / "memory") as memory:
        memory.observe(TWO_DAYS)
        wanted = structure(memory)
    with opened(tmp_path / "memory") as memory:
        assert not differences(structure(memory), wanted)


def test_every_sighting_with_a_place_shows_an_entity_that_is_told(tmp_path):
    with opened(tmp_path / "memory") as memory:
        memory.observe(TWO_DAYS)
        told = {entity.id for entity in memory.entities()}
        organiser = memory._structure.organiser
        known = organiser.things.known()
        for stored in memory.store.fetch(list(memory.store.rowids())):
            pairs = zip(stored.observation.sightings, stored.entities, strict=True)
            for sighting, number in pairs:
                assert known[number].id in told
                assert known[number].label == sighting.label


def test_a_reader_organises_what_the_writer_has_not_and_follows_what_it_did(tmp_path, in_one_go):
    with opened(tmp_path / "memory") as writer:
        writer.observe(TWO_DAYS[:20])
        writer._structure.organiser.organise()
        with opened(tmp_path / "memory", read_only=True) as reader:
            assert not differences(structure(reader), structure(writer))
            writer.observe(TWO_DAYS[20:])
            same_but_for_rounds(structure(reader), in_one_go)
            assert writer._structure.organiser.pending == len(TWO_DAYS) - 20
            told = structure(writer)
            assert not differences(structure(reader), told)
    same_but_for_rounds(told, in_one_go)


def test_a_reader_forgets_what_the_writer_forgot(tmp_path):
    with opened(tmp_path / "memory") as writer:
        writer.observe(TWO_DAYS)
        with opened(tmp_path / "memory", read_only=True) as reader:
            assert any(entity.label == "towel" for entity in reader.entities())
            bathroom = [o.id for o in TWO_DAYS if "bathroom" in o.text]
            writer.forget(ids=bathroom, reason="private")
            assert not any(entity.label == "towel" for entity in reader.entities())
            assert not differences(structure(reader), structure(writer))


def test_an_empty_memory_has_no_structure(tmp_path):
    with opened(tmp_path / "memory") as memory:
        assert not any(structure(memory).values())


def test_things_of_two_maps_are_never_one(tmp_path):
    with opened(tmp_path / "memory") as memory:
        for name in ("house", "office"):
            memory.add_anchor("origin", Pose(0.0, 0.0), map_id=name)
        here = [
            replace(o, id=f"{name}-{o.id}", map_id=name)
            for name in ("house", "office")
            for o in tour(rounds=1)
        ]
        memory.observe(here)
        kettles = [entity for entity in memory.entities() if entity.label == "kettle"]
        assert sorted(kettle.map_id for kettle in kettles) == ["house", "office"]
        lamps = [entity for entity in memory.entities() if entity.label == "lamp"]
        assert sorted(lamp.map_id for lamp in lamps) == ["house", "house", "office", "office"]
        place_of = {place.id: place.map_id for place in memory.places()}
        entity_map = {entity.id: entity.map_id for entity in memory.entities()} | place_of
        assert all(entity_map[f.subject] == entity_map[f.object] for f in memory.facts())


def test_things_seen_while_lost_are_not_those_of_the_map(tmp_path):
    with opened(tmp_path / "memory") as memory:
        memory.add_anchor("odom", Pose(0.0, 0.0))
        lost = [
            replace(o, id=f"lost-{o.id}", anchor_id="odom", localised=False)
            for o in tour(rounds=1, start_s=1_000)
        ]
        memory.observe([*tour(rounds=1), *lost])
        kettles = [entity for entity in memory.entities() if entity.label == "kettle"]
        assert len(kettles) == 2
        assert [entity.history[0].sightings for entity in kettles] == [3, 3]
        seen_with = {(f.subject, f.object) for f in memory.facts()}
        assert not seen_with & {tuple(e.id for e in kettles), tuple(e.id for e in kettles[::-1])}
        (inside, outside) = ({f.object for f in memory.facts() if f.relation == "in"} & {p.id for
            p in memory.places() if p.map_id == frame} for frame in ("map", "map/odom"))  # fmt: skip
        assert inside
        assert outside


def test_a_map_may_have_a_slash_in_its_name(tmp_path):
    with opened(tmp_path / "memory") as memory:
        memory.add_anchor("origin", Pose(0.0, 0.0), map_id="site/hall")
        memory.observe([replace(o, map_id="site/hall") for o in tour(rounds=1)])
        wanted = structure(memory)
        assert {entity.map_id for entity in wanted["entities"]} == {"site/hall"}
    with opened(tmp_path / "memory") as memory:
        assert not differences(structure(memory), wanted)


def test_another_model_for_words_leaves_the_structure_and_goes_on(tmp_path):
    with opened(tmp_path / "memory") as memory:
        memory.observe(TWO_DAYS[:24])
        before = structure(memory)
    other = HashingEncoder(dimension=96)
    with opened(tmp_path / "memory") as memory:
        memory.reembed(other)
        after = structure(memory)
        for told in (before, after):  # what sort of room it is follows from the model's vectors
            told["places"] = [replace(p, kind="", confidence=1.0) for p in told["places"]]
        kinds = ("entities", "places", "events")
        assert not differences({k: after[k] for k in kinds}, {k: before[k] for k in kinds})
        assert {node.id for node in leaves(after)} == {node.id for node in leaves(before)}
        memory.observe(TWO_DAYS[24:])
        memory.entities()
        forest = memory._structure.organiser.forest
        forest.check()
        assert forest.dimension == 96


_CHILD = """
import sys
from semantic.remembered import opened
from memory_core.semantic import organiser
organiser.ROUND = 3
with opened(sys.argv[1]) as memory:
    print("ready", flush=True)
    while memory._structure.organiser.organise(limit=1):
        print(memory._structure.organiser.organised, flush=True)
"""


def test_a_process_killed_while_organising_leaves_what_the_next_one_finishes(tmp_path, monkeypatch):
    monkeypatch.setattr(organising, "ROUND", 3)
    with opened(tmp_path / "steady") as memory:
        memory.observe(TWO_DAYS)
        wanted = structure(memory)
    with opened(tmp_path / "killed") as memory:
        memory.observe(TWO_DAYS)
    chance = random.Random(7)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    for _ in range(4):
        command = [sys.executable, "-c", _CHILD, str(tmp_path / "killed")]
        with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as child:
            for _ in range(chance.randint(1, 5)):
                child.stdout.readline()
            moment = time.perf_counter() + chance.random() * 0.02
            while time.perf_counter() < moment:
                pass
            child.send_signal(signal.SIGKILL)
    with opened(tmp_path / "killed") as memory:
        assert memory.verify().clean
        assert memory._structure.organiser.organised > 0
        assert not differences(structure(memory), wanted)
        memory._structure.organiser.forest.check()


def test_a_round_that_cannot_be_stored_leaves_the_structure_as_it_was(tmp_path, monkeypatch):
    with opened(tmp_path / "memory") as memory:
        memory.observe(TWO_DAYS)
        store = memory.store

        def full(changes):
            raise OSError("disk full")

        monkeypatch.setattr(store, "change_records", full)
        with pytest.raises(OSError, match="disk full"):
            memory._structure.organiser.organise()
        monkeypatch.undo()
        told = structure(memory)
        anew = Organiser(store, memory.text_encoder)
        assert [e.id for e in anew.entities()] == [e.id for e in told["entities"]]
        assert {stay.sightings for e in told["entities"] for stay in e.history} == {12}
        assert min(event.start_ns for event in told["events"]) == START_NS
