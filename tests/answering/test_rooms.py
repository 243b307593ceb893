"""What rooms are called, by what is in them."""

from __future__ import annotations

import pytest

from memory_core.answering.rooms import room_meant, rooms_of
from memory_core.memory import RobotMemory
from memory_core.types import Observation, Pose, Sighting

APART_M = 30.0


@pytest.fixture
def named(tmp_path):
    """What rooms are called that hold some things, in their order, and the scene."""
    with RobotMemory.open(tmp_path / "memory", text_encoder=None, gpu=False) as memory:

        def naming(*rooms):
            memory.observe(
                Observation(
                    f"{number}-{look}", 1_772_528_400 * 10**9 + number * 10**9 + look,
                    pose=Pose(APART_M * number + 0.3 * look),
                    sightings=tuple(
                        Sighting(label, position=(1.0 + 0.4 * place - 0.3 * look, 0.5, 0.5))
                        for place, label in enumerate(things)
                    ),
                )
                for number, things in enumerate(rooms)
                for look in range(3)
            )  # fmt: skip
            scene = memory.scene()
            found = sorted(rooms_of(scene), key=lambda room: room.centre[0])
            return [room.kind for room in found], scene

        yield naming


BED = ["bed", "nightstand", "wardrobe"]


@pytest.mark.parametrize(
    ("things", "kind"),
    [
        (["single bed", "toy shelf", "toy chest", "play table"], "children's room"),
        (["chair", "chest of drawers", "toy shelf", "desk"], "children's room"),
        (["desk", "computer", "office chair", "toy"], "office"),
        (["treadmill", "bench", "plant", "storage shelf"], "gym"),
        (["workbench", "tool cabinet", "storage shelf", "chair"], "workshop"),
        (["piano", "music shelf", "armchair", "bookshelf"], "music room"),
        (["kitchen counter", "refrigerator", "stove", "toy"], "kitchen"),
        (["toilet", "bathtub", "washbasin", "shelf", "bookshelf"], "bathroom"),
        (["couch", "tv", "coffee table", "piano"], "living room"),
    ],
)
def test_a_room_is_called_by_what_people_do_there(named, things, kind):
    assert named(things)[0] == [kind]


def test_single_beds_make_a_guest_room_where_there_is_a_larger_bed(named):
    guest = ["single bed", "nightstand", "armchair"]
    kinds, scene = named(BED, guest, ["single bed", "dog bed", "wardrobe"])
    assert kinds == ["bedroom", "guest room", "guest room"]
    rooms = rooms_of(scene)
    assert rooms[room_meant(scene, rooms, "bedroom", None)[0]].centre[0] < APART_M / 2
    assert rooms[room_meant(scene, rooms, "guest room", None)[0]].centre[0] > APART_M / 2


def test_the_only_bed_there_is_stands_in_the_bedroom(named):
    assert named(["single bed", "nightstand", "wardrobe"])[0] == ["bedroom"]
