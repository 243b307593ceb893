"""Structure follows what becomes of observations: forgotten, let go of, or moved with their map."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from memory_core.errors import StorageFull
from memory_core.types import Filters, Pose, Sighting, TimeSpan

from .making import START_NS, placed
from .remembered import ROOMS, differences, opened, remembered_words, structure, tour

DAY_S = 90_000
TWO_DAYS = [*tour(), *tour(session="tuesday", start_s=DAY_S, first=24)]
HERE = Pose.from_yaw(0.0, 0.1, yaw=0.1)
SECRET = replace(
    tour(rounds=1)[1], id="secret-id", stamp_ns=START_NS + 25 * 10**9, pose=HERE,
    text="a diary under the floorboard", sightings=(
        placed(HERE, "kettle", ROOMS["kitchen"]["kettle"]),
        placed(HERE, "diary", (0.5, 0.9, 0.1)),
        Sighting("hatchet", bearing=(0.4, 0.2)),
    ),
)  # fmt: skip


def let_go(memory, rowids):
    """As retention does: without ids, after structure has learnt from them."""
    memory._structure.organiser.organise()
    memory.store.remove(rowids, kind="retention", reason="full", selection={}, keep_ids=False)
    memory._index.committed()
    memory._structure.forget()


def positions(memory):
    return {e.label: e.history[-1].position for e in memory.entities() if e.label != "lamp"}


def close(one, other, at_most=1e-3):
    assert set(one) == set(other)
    for name, position in one.items():
        assert math.dist(position, other[name]) < at_most, name


def test_nothing_forgotten_can_be_read_back_from_any_record(tmp_path):
    with opened(tmp_path / "memory") as memory:
        memory.observe([*TWO_DAYS, SECRET])
        memory.consolidate()
        before = remembered_words(memory)
        assert all(w in before for w in ("diary", "floorboard", "hatchet", "secret-id"))
        memory.forget(ids=["secret-id"], reason="private")
        after = remembered_words(memory) + repr(structure(memory))
        assert not [w for w in ("diary", "floorboard", "hatchet", "secret-id") if w in after]
        assert "kettle" in after
        memory._structure.organiser.forest.check()
    with opened(tmp_path / "memory") as memory:
        assert memory.verify().clean
        assert "diary" not in repr(structure(memory))


def test_after_forgetting_the_rest_is_as_if_it_had_never_been_seen(tmp_path):
    with opened(tmp_path / "never") as memory:
        memory.observe(TWO_DAYS)
        wanted = structure(memory)
    with opened(tmp_path / "forgot") as memory:
        memory.observe([*TWO_DAYS, SECRET])
        structure(memory)
        memory.forget(ids=["secret-id"], reason="private")
        told = structure(memory)
    kinds = ("entities", "places")
    for each in (told, wanted):  # belief in presence rests on when a place was last looked at
        each["entities"] = [replace(entity, confidence=1.0) for entity in each["entities"]]
    assert not differences({k: told[k] for k in kinds}, {k: wanted[k] for k in kinds})
    # the surprise of what was forgotten may have parted an event in two
    assert sum(event.observations for event in told["events"]) == len(TWO_DAYS)
    leaf = {n.id: n.text for n in told["forest"] if not n.children}
    assert leaf == {n.id: n.text for n in wanted["forest"] if not n.children}


def test_forgetting_a_room_leaves_no_place_thing_event_or_fact_of_it(tmp_path):
    with opened(tmp_path / "memory") as memory:
        memory.observe(TWO_DAYS)
        before = structure(memory)
        memory.forget(ids=[o.id for o in TWO_DAYS if "bathroom" in o.text], reason="private")
        told = structure(memory)
        gone = {e.id for e in before["entities"] if e.label in ROOMS["bathroom"]}
        gone |= {p.id for p in before["places"] if "bathroom" in p.text}
        assert len(gone) == 4
        kept = {e.id for e in told["entities"]} | {p.id for p in told["places"]}
        assert kept == {x.id for k in ("entities", "places") for x in before[k]} - gone
        assert not [f for f in told["facts"] if {f.subject, f.object} & gone]
        assert not [e for e in told["events"] if "bathroom" in e.summary or e.place in gone]
        assert "bathroom" not in repr(told) + remembered_words(memory)
        memory._structure.organiser.forest.check()


def test_numbers_of_what_was_forgotten_are_not_used_again(tmp_path):
    with opened(tmp_path / "memory") as memory:
        memory.observe(TWO_DAYS)
        before = structure(memory)
        bathroom = [o for o in TWO_DAYS if "bathroom" in o.text]
        memory.forget(ids=[o.id for o in bathroom], reason="private")
    with opened(tmp_path / "memory") as memory:
        memory.observe([replace(o, id=f"again-{o.id}") for o in bathroom])
        told = structure(memory)
        for kind in ("entities", "places"):
            known = {item.id for item in before[kind]}
            again = [item.id for item in told[kind] if item.id not in known]
            assert len(again) == {"entities": 3, "places": 1}[kind]


def test_forgetting_where_a_thing_went_leaves_it_where_it_was_before(tmp_path):
    walls = {"window": (1.6, 2.6, 1.2), "door": (-1.6, 2.6, 1.0), "oven": ROOMS["kitchen"]["oven"]}
    stand = Pose.from_yaw(0.0, 0.0)
    moved = [
        replace(
            o, id=f"moved-{n}", stamp_ns=START_NS + (DAY_S + n) * 10**9, session="tuesday",
            pose=stand, sightings=(
                placed(stand, "kettle", (1.5, -1.0, 0.9)),
                *(placed(stand, label, at) for label, at in walls.items()),
            ),
        )
        for n, o in enumerate(tour()[:9])
    ]  # fmt: skip
    with opened(tmp_path / "memory") as memory:
        memory.observe(
            [*tour(), *moved, *tour(session="wednesday", start_s=2 * DAY_S, first=24)[3:6]]
        )
        (kettle,) = [e for e in memory.entities() if e.label == "kettle"]
        assert [s.position for s in kettle.history] == [
            pytest.approx((1.0, 1.5, 0.9)), pytest.approx((1.5, -1.0, 0.9))
        ]  # fmt: skip
        memory.forget(ids=[o.id for o in moved], reason="private")
        (after,) = [e for e in memory.entities() if e.label == "kettle"]
        assert after.id == kettle.id
        assert [s.position for s in after.history] == [pytest.approx((1.0, 1.5, 0.9))]
        assert after.history[0].end_ns is None


def test_what_was_let_go_of_survives_that_something_else_is_forgotten(tmp_path):
    with opened(tmp_path / "memory") as memory:
        memory.observe([*TWO_DAYS, SECRET])
        rows = memory.store.rowids_of([o.id for o in TWO_DAYS if "bathroom" not in o.text])
        let_go(memory, list(rows.values()))
        before = structure(memory)
        memory.forget(ids=["secret-id"], reason="private")
        told = structure(memory)
        labels = {e.label for e in before["entities"]} - {"diary", "hatchet"}
        assert {e.label for e in told["entities"]} == labels
        assert {p.id for p in told["places"]} == {p.id for p in before["places"]}
        assert {e.id for e in told["events"]} <= {e.id for e in before["events"]}
        (kitchen,) = [p for p in told["places"] if "kitchen" in p.text]
        assert kitchen.observations == 12
        assert "diary" not in remembered_words(memory)
        assert memory.verify().clean
    with opened(tmp_path / "memory") as memory:
        assert not differences(structure(memory), told)


def test_a_forgotten_stretch_of_time_leaves_the_things_seen_at_other_times(tmp_path):
    with opened(tmp_path / "memory") as memory:
        memory.observe(TWO_DAYS)
        structure(memory)
        span = TimeSpan(START_NS + DAY_S * 10**9, None)
        memory.forget(filters=Filters(span=span), reason="private")
        stays = [stay for entity in memory.entities() for stay in entity.history]
        assert max(stay.last_ns for stay in stays) < span.start_ns
        assert {stay.sightings for stay in stays} == {6}
        assert "tuesday" not in {event.session for event in memory.events()}


def test_forgetting_that_fails_changes_nothing(tmp_path, monkeypatch):
    with opened(tmp_path / "memory") as memory:
        memory.observe([*TWO_DAYS, SECRET])
        before = structure(memory)
        change, calls = memory.store.change_records, []

        def full(changes):
            calls.append(changes)
            if len(calls) > 2:
                raise StorageFull("no room")
            change(changes)

        monkeypatch.setattr(memory.store, "change_records", full)
        with pytest.raises(StorageFull):
            memory.forget(ids=["secret-id"], reason="private")
        monkeypatch.undo()
        assert memory.observation("secret-id") is not None
        assert not differences(structure(memory), before)
        assert memory.verify().clean
        assert not memory.removals()


def anchored():
    """The tour, its kitchen and bedroom seen from one anchor and the rest from another."""
    anchors = {
        "west": Pose.from_yaw(2.0, 1.0, yaw=0.3),
        "east": Pose.from_yaw(15.0, -1.0, yaw=-0.2),
    }
    made = []
    for o in TWO_DAYS:
        name = "west" if "kitchen" in o.text or "bedroom" in o.text else "east"
        made.append(replace(o, anchor_id=name, pose=anchors[name].inverse().compose(o.pose)))
    return anchors, made


CORRECTED = {"west": Pose.from_yaw(2.5, 3.0, yaw=0.8), "east": Pose.from_yaw(16.0, 2.0, yaw=0.1)}


@pytest.fixture
def corrected(tmp_path):
    """What a memory tells that was made after the correction."""
    with opened(tmp_path / "later") as memory:
        _, made = anchored()
        for name, pose in CORRECTED.items():
            memory.add_anchor(name, pose)
        memory.observe(made)
        yield {**structure(memory), "positions": positions(memory)}


def test_structure_moves_with_the_map_as_if_it_had_been_right_from_the_start(tmp_path, corrected):
    anchors, made = anchored()
    with opened(tmp_path / "memory") as memory:
        for name, pose in anchors.items():
            memory.add_anchor(name, pose)
        memory.observe(made)
        structure(memory)
        memory.move_anchors(CORRECTED)
        told = structure(memory)
        assert not differences(told, {kind: corrected[kind] for kind in told})


def test_what_outlived_its_observations_moves_with_the_map_too(tmp_path, corrected):
    anchors, made = anchored()
    with opened(tmp_path / "memory") as memory:
        for name, pose in anchors.items():
            memory.add_anchor(name, pose)
        memory.observe(made)
        before = structure(memory)
        kept = {made[0].id, made[10].id}  # one of each anchor tells which was in use
        gone = memory.store.rowids_of([o.id for o in made if o.id not in kept])
        gone = {name: row for name, row in gone.items() if int(name[5:]) % 3}
        let_go(memory, list(gone.values()))
        memory.move_anchors(CORRECTED)
        told = structure(memory)
        close(positions(memory), corrected["positions"], at_most=0.01)
        assert {e.id for e in told["entities"]} == {e.id for e in before["entities"]}
        places = {place.id: place.centre for place in told["places"]}
        close(places, {place.id: place.centre for place in corrected["places"]}, at_most=0.01)
        leaves = {n.id: n.bounds for n in told["forest"] if not n.children}
        for name, centre in places.items():
            low, high = leaves[name].low, leaves[name].high
            assert np.all(np.array(low) <= np.array(centre) + 1e-6)
            assert np.all(np.array(high) >= np.array(centre) - 1e-6)
        bounds = {event.id: event.bounds for event in corrected["events"]}
        for event in told["events"]:
            assert np.allclose(event.bounds.low, bounds[event.id].low, atol=0.3)
        memory._structure.organiser.forest.check()
    with opened(tmp_path / "memory") as memory:
        assert not differences(structure(memory), told)


def test_a_correction_that_fails_changes_nothing(tmp_path, monkeypatch):
    anchors, made = anchored()
    with opened(tmp_path / "memory") as memory:
        for name, pose in anchors.items():
            memory.add_anchor(name, pose)
        memory.observe(made)
        before = structure(memory)

        def full(*, kinds):
            raise StorageFull("no room")

        monkeypatch.setattr(memory.store, "clear_records", full)
        with pytest.raises(StorageFull):
            memory.move_anchors(CORRECTED)
        monkeypatch.undo()
        assert not differences(structure(memory), before)
        assert memory.observation(made[0].id).epoch == 0


def test_what_repeats_only_a_forgotten_observation_is_not_let_go_of(tmp_path):
    still = [
        replace(tour(rounds=1)[0], id=f"still-{n}", stamp_ns=START_NS + n * 10**9)
        for n in range(40)
    ]
    with opened(tmp_path / "memory") as memory:
        memory.observe(still)
        memory.consolidate(lag_s=0.0)
        left = [s.observation.id for s in memory.store.fetch(list(memory.store.rowids()))]
        assert len(left) < 40
        memory.forget(ids=left[:1], reason="private")
        memory.observe([replace(o, id=f"more-{o.id}", stamp_ns=o.stamp_ns + 10**11) for o in still])
        memory.consolidate(lag_s=0.0)
        assert memory.store.count() > 0
        assert {e.label for e in memory.entities()} == {"kettle", "table", "oven", "lamp"}
        assert memory.verify().clean
