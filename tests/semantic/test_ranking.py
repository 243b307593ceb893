"""Which thing and which standpoint a sentence means, in a small flat where that is plain."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memory_core.language.directions import parse
from memory_core.memory import RobotMemory
from memory_core.perception.text import HashingEncoder
from memory_core.semantic.ranking import believe, cover, soft
from memory_core.types import Filters, Observation, Pose, Query, Sphere, TimeSpan
from tests.answering.flat import STANDS, THINGS, sentence_encoder

from .making import START_NS, Point, placed, scene_of, standpoint

UPSTAIRS_M = 3.0


def flat_scene(encode=None):
    """The flat of `tests.answering`, with a second bedroom lamp one floor up."""
    made = []
    for room, (x, y) in STANDS.items():
        for turn in range(2):
            stand = Pose.from_yaw(x, y, z=1.0, yaw=turn)
            made.append(
                standpoint(len(made), stand, *(placed(stand, *thing) for thing in THINGS[room]))
            )
    for turn in range(2):
        stand = Pose.from_yaw(2.0, 2.0, z=1.0 + UPSTAIRS_M, yaw=turn)
        up: list[tuple[str, Point]] = [
            ("floor lamp", (1.0, 1.0, 1.0 + UPSTAIRS_M)), ("bed", (3.0, 3.0, 0.4 + UPSTAIRS_M)),
            ("nightstand", (1.0, 1.6, 0.4 + UPSTAIRS_M)),
        ]  # fmt: skip
        made.append(standpoint(len(made), stand, *(placed(stand, *thing) for thing in up)))
    if encode is None:
        return scene_of(*made)
    from memory_core.semantic.scene import build_scene

    return build_scene(made, encode)


@pytest.fixture(scope="module")
def scene():
    return flat_scene()


@pytest.fixture(scope="module")
def worded():
    return flat_scene(sentence_encoder().encode)


SENTENCES = [
    ("bring me the kettle", "kettle", (1.6, 3.5, 0.95)),
    ("the lamp next to the sofa", "floor lamp", (8.5, 0.5, 1.2)),
    ("go upstairs and switch on the lamp beside the nightstand", "floor lamp", (1.0, 1.0, 4.0)),
    ("the bed on level 1", "bed", (2.0, 11.5, 0.4)),
    ("the bed on the top floor", "bed", (3.0, 3.0, 3.4)),
    ("the office chair in front of the desk", "office chair", (10.0, 10.6, 0.5)),
    ("take the mug from the kitchen table", "red mug", (2.5, 0.8, 0.8)),
]


@pytest.mark.parametrize(("sentence", "label", "at"), SENTENCES, ids=[s[0] for s in SENTENCES])
def test_the_thing_a_sentence_means_is_believed_most(scene, sentence, label, at):
    best = int(believe(scene, parse(sentence), None).best(1)[0])
    assert scene.labels[int(scene.thing_label[best])] == label
    assert scene.thing_position[best] == pytest.approx(at, abs=0.01)


@pytest.mark.parametrize(
    ("sentence", "label"),
    [
        ("find something to sit on in the living room", "sofa"),
        ("turn off the television in the lounge", "tv"),
        ("boil water in the kitchen", "kettle"),
        ("hang up my clothes in the bedroom", "wardrobe"),
    ],
)
def test_meaning_finds_what_is_called_otherwise(worded, sentence, label):
    belief = believe(worded, parse(sentence), sentence_encoder().encode)
    names = [worded.labels[int(worded.thing_label[n])] for n in belief.best(3)]
    assert label in names


@pytest.mark.parametrize(
    ("label", "room"),
    [
        ("stove", "kitchen"), ("kettle", "kitchen"), ("sofa", ("living room", "family room", "lounge")),
        ("desk", "office"), ("printer", "office"), ("wardrobe", "bedroom"), ("pillow", "bedroom"),
    ],
)  # fmt: skip
def test_the_kind_of_room_follows_from_what_stands_there(worded, label, room):
    number = next(n for n, own in enumerate(worded.thing_label) if worded.labels[int(own)] == label)
    assert worded.room_of(number)[0] in room


def test_the_belief_sums_to_one_and_has_its_parts(scene):
    belief = believe(scene, parse("the lamp near the sofa in the living room"), None)
    assert belief.things.sum() == pytest.approx(1.0)
    score = np.sum(list(belief.parts.values()), axis=0)
    expected = np.exp(score - score.max())
    assert belief.things == pytest.approx(expected / expected.sum())


def test_cosines_below_three_tenths_mean_nothing():
    assert soft(np.array([-1.0, 0.3, 0.65, 1.0])) == pytest.approx([0, 0, 0.5, 1])


class Seen:
    """As much of a scene as choosing standpoints needs."""

    def __init__(self, sees) -> None:
        self.sees = sees


@given(st.integers(0, 10_000), st.integers(1, 8), st.integers(1, 7), st.integers(1, 8))
@settings(max_examples=80, deadline=None)
def test_standpoints_cover_greedily_and_the_first_is_the_best_of_all(seed, n_things, n_stands, k):
    random = np.random.default_rng(seed)
    sees = (random.random((n_things, n_stands)) < 0.4).astype(np.float32)
    belief = random.dirichlet(np.ones(n_things))
    chosen = cover(Seen(sees), belief, k)
    assert len(chosen) == len({stand for stand, _ in chosen}) == min(k, n_stands)
    assert chosen[0][1] == pytest.approx(max(belief @ sees[:, s] for s in range(n_stands)))
    covered = np.zeros(n_things)
    for stand, added in chosen:  # each adds what no other left would pass
        gains = [belief @ (np.maximum(covered, sees[:, s]) - covered) for s in range(n_stands)]
        assert added == pytest.approx(gains[stand])
        assert added >= max(gains) - 1e-9
        covered = np.maximum(covered, sees[:, stand])
    best = max(
        belief @ (sees[:, list(some)].max(axis=1))
        for some in itertools.combinations(range(n_stands), min(k, n_stands))
    )
    assert sum(added for _, added in chosen) >= (1 - 1 / math.e) * best - 1e-9


@pytest.fixture
def memory(tmp_path):
    with RobotMemory.open(tmp_path / "memory", text_encoder=HashingEncoder()) as opened:
        for day in range(2):
            for number, (room, (x, y)) in enumerate(STANDS.items()):
                stand = Pose.from_yaw(x, y, z=1.0)
                opened.observe(
                    Observation(
                        id=f"{day}/{room}", stamp_ns=START_NS + (day * 1000 + number) * 10**9,
                        source=("front", "rear")[number % 2], robot=("ann", "bob")[day],
                        session=f"day {day}", pose=stand,
                        sightings=tuple(placed(stand, *thing) for thing in THINGS[room]),
                    )
                )  # fmt: skip
        yield opened


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (Filters(sessions=("day 1",)), {f"1/{room}" for room in STANDS}),
        (Filters(robots=("ann",)), {f"0/{room}" for room in STANDS}),
        (Filters(sources=("rear",)), {f"{d}/{r}" for d in (0, 1) for r in ("living room", "bedroom")}),
        (Filters(span=TimeSpan(START_NS + 10**9, START_NS + 2 * 10**9)), {"0/living room", "0/office"}),
        (Filters(region=Sphere((2.0, 2.0), 1.0)), {"0/kitchen", "1/kitchen"}),
        (Filters(region=Sphere((2.0, 2.0), 1.0), robots=("bob",)), {"1/kitchen"}),
        (Filters(sessions=("never",)), set()),
    ],
)  # fmt: skip
def test_filters_restrict_the_scene_exactly(memory, filters, expected):
    found = memory.recall(Query(text="chair", filters=filters, k=50), mode="scene")
    assert {item.observation.id for item in found.evidence} == expected
    assert {item.observation.id for item in found.objects} <= expected


def test_recall_through_the_scene_ranks_objects_and_what_sees_them(memory):
    found = memory.recall("the lamp next to the sofa", k=5, mode="scene")
    first = found.objects[0]
    assert first.sighting.label == "floor lamp"
    assert first.position == pytest.approx((8.5, 0.5, 1.2), abs=0.01)
    assert found.evidence[0].observation.id in ("0/living room", "1/living room")
    weights = [item.weight for item in found.evidence]
    assert weights == sorted(weights, reverse=True)


def test_what_is_near_weighs_more(memory):
    found = memory.recall("chair", near=(10.0, 10.0, 0.5), near_scale_m=2.0, mode="scene", k=5)
    assert found.objects[0].position == pytest.approx((10.0, 10.6, 0.5), abs=0.01)
    assert found.objects[0].parts.space == pytest.approx(math.exp(-0.6 / 2.0), abs=0.01)


def test_the_scene_follows_what_is_observed_and_forgotten(memory):
    stand = Pose.from_yaw(30.0, 30.0)
    memory.observe(
        Observation(id="new", stamp_ns=START_NS + 10**13, pose=stand,
                    sightings=(placed(stand, "zebra", (31.0, 30.0, 0.5)),))
    )  # fmt: skip
    assert memory.recall("zebra", k=1).objects[0].observation.id == "new"
    memory.forget(ids=["new"], reason="test")
    labels = {item.sighting.label for item in memory.recall("zebra", k=50).objects}
    assert "zebra" not in labels
