"""Questions that need more than one thing: rooms, visits, moves, needs, and what nobody sees."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from memory_core.answering import changes
from memory_core.answering.rooms import rooms_of
from memory_core.memory import RobotMemory
from memory_core.types import Observation, Pose

from .flat import MUG_NOW, MUG_THEN, NOW, fill, ns, seen_from, sentence_encoder


def test_the_rooms_of_the_flat_are_found(flat):
    rooms = rooms_of(flat.scene(), flat.text_encoder.encode)
    assert sorted(room.kind for room in rooms) == ["bedroom", "kitchen", "living room", "office"]


@pytest.mark.parametrize(
    ("question", "position"),
    [
        ("Where was the red mug on your first visit?", MUG_THEN),
        ("Where was the red mug before it was moved?", MUG_THEN),
        ("Where has the red mug been moved to?", MUG_NOW),
        ("Where was the mug when you came most recently?", MUG_NOW),
        ("Where is the mug in the room with the printer?", MUG_NOW),
    ],
)
def test_a_thing_that_moved_is_told_at_the_time_meant(ask, question, position):
    found = ask(question)
    assert not found.abstained
    assert math.dist(found.position, position) <= 0.3


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("In which order did you go through the rooms?",
         "First the kitchen, then the living room, then the office, then the bedroom."),
        ("Which room did you enter after the living room?", "office"),
        ("Which room came first?", "The kitchen."),
        ("Where could I take a nap?", "The bed"),
        ("Is the plant still there?", "gone"),
        ("Has the sofa been moved?", "has not moved"),
        ("What are things like in the room with the bed: what else is there?", "wardrobe"),
        ("Did you see the sofa before the bed?", "Yes."),
    ],
)  # fmt: skip
def test_the_answer_says_what_is_asked(ask, question, words):
    found = ask(question)
    assert not found.abstained
    assert words in found.answer


@pytest.mark.parametrize(
    ("question", "value"),
    [("How many rooms are there?", 4), ("How often were you in the house?", 2),
     ("How much time passed between the sofa and the bed on your first visit?", 360)],
)  # fmt: skip
def test_rooms_visits_and_times_between_are_counted(ask, question, value):
    assert ask(question).value == pytest.approx(value)


@pytest.mark.parametrize(
    "question",
    [
        "Where was the mug a year before your first visit?",
        "What is in the sauna?",
        "Describe the chapel.",
        "What did the sofa cost?",
        "Where can I go for a swim?",
        "Where is the sofa in the office?",
        "What is on the third floor?",
    ],
)
def test_what_the_memory_cannot_hold_is_refused(ask, question):
    assert ask(question).abstained


def seen_in_part():
    """A room whose tall bookshelf shows its upper half alone, and a desk under a wall shelf."""
    things = [
        ("bookshelf", (2.0, 1.0, 1.5), (0.8, 0.3, 0.4)), ("vase", (2.1, 1.0, 1.0), (0.1, 0.1, 0.2)),
        ("desk", (5.0, 1.0, 0.37), (1.2, 0.6, 0.74)), ("shelf", (5.0, 1.0, 1.5), (0.8, 0.3, 0.4)),
        ("cup", (5.0, 1.0, 0.79), (0.08, 0.08, 0.1)), ("slipper", (3.5, 1.5, 0.05), (0.25, 0.1, 0.1)),
        ("sock", (3.2, 1.8, 0.03), (0.2, 0.1, 0.06)), ("box", (8.0, 1.0, 1.2), (0.1, 0.1, 0.1)),
        ("glue", (11.0, 1.0, 0.85), (0.04, 0.04, 0.1)),
        ("notebook", (11.0, 1.0, 1.0), (0.2, 0.1, 0.2)),
        ("jar", (13.0, 1.0, 0.81), (0.06, 0.06, 0.1)), ("tin", (13.1, 1.0, 0.82), (0.06, 0.06, 0.11)),
    ]  # fmt: skip
    for number, x in enumerate((2.0, 3.0, 4.0, 5.0)):
        stand = Pose(x, 3.0)
        yield Observation(
            f"part-{number}", ns(NOW) + number * 10**9, pose=stand,
            sightings=[
                replace(seen_from(stand, label, at), size=size) for label, at, size in things
            ],
        )  # fmt: skip


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("What is the vase on?", "The vase is on the bookshelf."),
        ("What is the cup on?", "The cup is on the desk."),
        ("What is the slipper on?", "The slipper is on the floor, as far as I can tell."),
        (
            "What is the box on?",
            "I have not seen what the box is on; it is 1.1 m above the floor.",
        ),
        (
            "What is the notebook on?",
            "I have not seen what the notebook is on; it is 0.9 m above the floor.",
        ),
        (
            "What is the tin on?",
            "I have not seen what the tin is on; it is 0.8 m above the floor.",
        ),
    ],
)
def test_furniture_seen_in_part_carries_what_stands_below_what_is_seen(tmp_path, question, answer):
    with RobotMemory.open(tmp_path, text_encoder=sentence_encoder(), gpu=False) as memory:
        memory.observe(seen_in_part())
        assert memory.ask(question, now_ns=ns(NOW) + 10**11).answer == answer


def test_words_about_a_thing_do_not_put_it_into_a_room(tmp_path):
    with fill(tmp_path / "memory", sentence_encoder()) as memory:
        stamp_ns = ns("2026-03-04T09:20:00")
        memory.observe(
            [Observation("told", stamp_ns, pose=Pose(2.0, 10.0), text="the red mug was washed")]
        )
        found = memory.ask("Is the red mug in the bedroom?", now_ns=ns(NOW))
        assert found.answer.startswith("No, not in the bedroom")


@pytest.fixture(scope="module")
def four_visits(tmp_path_factory):
    """Visits on Monday, on Tuesday morning and evening, and on Wednesday."""
    moments = ("2026-03-02T09:00:00", "2026-03-03T09:00:00", "2026-03-03T18:00:00",
               "2026-03-04T09:00:00")  # fmt: skip
    with RobotMemory.open(
        tmp_path_factory.mktemp("visits") / "memory", text_encoder=sentence_encoder(), gpu=False
    ) as memory:
        for visit, moment in enumerate(moments):
            stand = Pose(2.0, 2.0)
            memory.observe([
                Observation(
                    f"{visit}", ns(moment), pose=stand, session=f"visit {visit}",
                    sightings=(seen_from(stand, "mug", (3.0, 2.0, 0.8)),),
                )
            ])  # fmt: skip
        yield memory


@pytest.mark.parametrize(
    ("question", "before", "after"),
    [
        ("Has the mug been moved overnight?", {0, 1, 2}, {3}),
        ("Has the mug been moved during the night?", {0, 1, 2}, {3}),
        ("Has the mug been moved since yesterday?", {0}, {1, 2, 3}),
        ("Is the mug still where it was yesterday?", {1, 2}, {3}),
        ("Was the mug in another place yesterday?", {1, 2}, {3}),
        ("What changed yesterday?", {0}, {1, 2}),
        ("What changed during the night of 2 March?", {0}, {1}),
        ("Has the mug been moved?", {0, 1, 2}, {3}),
    ],
)
def test_a_change_is_looked_for_between_the_visits_that_are_meant(
    four_visits, question, before, after
):
    context = four_visits.understand(question, now_ns=ns(NOW))
    sessions = [int(stored.observation.session.split()[1]) for stored in context.scene.stored]
    assert context.question.kind == "changed"
    split = changes._split(context, context.scene)
    assert [{s for s, kept in zip(sessions, part, strict=True) if kept} for part in split] == [
        before, after,
    ]  # fmt: skip


def test_a_desk_carries_what_is_on_it_though_a_shelf_hangs_nearer(tmp_path):
    things = [
        ("countertop", (2.0, 1.0, 0.45), (0.7, 0.6, 0.9)), ("kettle", (2.75, 1.0, 1.0), (0.2, 0.2, 0.2)),
        ("shelf", (2.9, 0.9, 1.6), (0.8, 0.3, 0.4)), ("slipper", (3.5, 1.5, 0.05), (0.25, 0.1, 0.1)),
        ("sock", (3.2, 1.8, 0.03), (0.2, 0.1, 0.06)), ("box", (8.0, 1.0, 1.2), (0.1, 0.1, 0.1)),
        ("glue", (11.0, 1.0, 0.85), (0.04, 0.04, 0.1)),
        ("notebook", (11.0, 1.0, 1.0), (0.2, 0.1, 0.2)),
        ("jar", (13.0, 1.0, 0.81), (0.06, 0.06, 0.1)), ("tin", (13.1, 1.0, 0.82), (0.06, 0.06, 0.11)),
    ]  # fmt: skip
    with RobotMemory.open(tmp_path, text_encoder=sentence_encoder(), gpu=False) as memory:
        for number, x in enumerate((2.0, 2.5, 3.0, 3.5)):
            stand = Pose(x, 3.0)
            seen = [replace(seen_from(stand, label, at), size=size) for label, at, size in things]
            memory.observe([
                Observation(f"near-{number}", ns(NOW) + number * 10**9, pose=stand, sightings=seen)
            ])  # fmt: skip
        found = memory.ask("What is the kettle on?", now_ns=ns(NOW) + 10**11)
        assert found.answer == "The kettle is on the countertop."
