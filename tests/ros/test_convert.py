"""What goes into a message comes out of it again, over the wire included."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from robot_memory_ros import convert

from memory_core.errors import InputRejected
from memory_core.types import (
    Acknowledgement,
    Answer,
    Box,
    Entity,
    Evidence,
    Filters,
    ForestNode,
    Keyframe,
    Observation,
    Parts,
    Place,
    Pose,
    Query,
    Refusal,
    Sighting,
    Stay,
    TimeSpan,
)

NOW_NS = 1_700_000_000_123_456_789
number = st.floats(-1e3, 1e3, width=32)
triple = st.tuples(number, number, number)
words = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20)
sightings = st.builds(
    Sighting,
    label=words,
    position=st.none() | triple,
    covariance=st.none() | st.just(tuple(np.eye(3).ravel().tolist())),
    bearing=st.none() | st.tuples(number, number),
    size=st.none() | triple.filter(any),
    confidence=st.floats(0, 1, width=32),
    state=st.dictionaries(words, st.floats(0, 1), max_size=2),
)
observations = st.builds(
    Observation,
    id=words,
    stamp_ns=st.integers(1, 2**31 * 10**9 - 1),
    source=words,
    robot=words,
    session=words,
    map_id=words,
    anchor_id=words,
    pose=st.none() | st.builds(Pose.from_yaw, number, number, z=number, yaw=number),
    covariance=st.none() | st.just(tuple(np.eye(6).ravel().tolist())),
    localised=st.booleans(),
    text=st.none() | words,
    sightings=st.lists(sightings, max_size=3).map(tuple),
    keyframe=st.none() | st.builds(Keyframe, st.binary(min_size=1, max_size=9), st.just(4),
                                   st.just(3)),
    confidence=st.floats(0, 1, width=32),
    extra=st.dictionaries(words, st.integers(-9, 9) | words, max_size=2),
)  # fmt: skip


def over_the_wire(make, message):
    """A message as the other side gets it."""
    kind = message.__msgtype__
    return make.store.deserialize_cdr(make.store.serialize_cdr(message, kind), kind)


@given(observations)
@settings(max_examples=60)
def test_an_observation_comes_back_as_it_went(make, observation):
    sent = over_the_wire(make, convert.observation_message(observation, make, frame="odom"))
    assert sent.header.frame_id == "odom"
    assert convert.observation_of(sent) == observation


def test_vectors_and_embeddings_come_back(make):
    one = np.arange(4, dtype=np.float32)
    observation = Observation(
        "a", NOW_NS, embeddings={"text": one}, sightings=(Sighting("cup", embedding=one * 2),)
    )
    back = convert.observation_of(
        over_the_wire(make, convert.observation_message(observation, make))
    )
    np.testing.assert_array_equal(back.embeddings["text"], one)
    np.testing.assert_array_equal(back.sightings[0].embedding, one * 2)


@pytest.mark.parametrize("extra", ["{", "[1]", '"text"'])
def test_extra_that_is_no_object_is_refused_by_the_observation_s_id(make, extra):
    message = convert.observation_message(Observation("the one", NOW_NS), make)
    with pytest.raises(InputRejected, match="the one"):
        convert.observation_of(dataclasses.replace(message, extra=extra))


def test_an_acknowledgement_comes_back(make):
    done = Acknowledgement(("a",), ("b", "c"), (Refusal("d", "invalid_stamp", "no"),))
    sent = over_the_wire(make, convert.acknowledgement_message(done, make))
    assert convert.acknowledgement_of(sent) == done


def request(**fields):
    nothing = {
        "text": "", "mode": "", "k": 0, "has_start": False, "has_end": False, "start": None,
        "end": None, "has_region": False, "low": None, "high": None, "has_near": False,
        "near": None, "near_scale": 0.0, "robots": [], "sessions": [], "sources": [],
    }  # fmt: skip
    return SimpleNamespace(**{**nothing, **fields})


def at(x, y, z):
    return SimpleNamespace(x=x, y=y, z=z)


def test_an_empty_request_asks_for_ten_of_everything():
    assert convert.query_of(request()) == (Query(), "attention")


def test_every_condition_of_a_request_is_heard():
    moment = SimpleNamespace(sec=2, nanosec=5)
    query, mode = convert.query_of(
        request(
            text="mug",
            mode="flat",
            k=3,
            has_start=True,
            start=moment,
            has_region=True,
            low=at(0, 0, 0),
            high=at(1, 2, 3),
            has_near=True,
            near=at(4, 5, 6),
            near_scale=2.0,
            robots=["r"],
            sessions=["s"],
            sources=["t"],
        )
    )
    assert mode == "flat"
    assert query == Query(
        text="mug", k=3, near=(4.0, 5.0, 6.0), near_scale_m=2.0,
        filters=Filters(
            span=TimeSpan(2_000_000_005, None), region=Box((0, 0, 0), (1, 2, 3)),
            robots=("r",), sessions=("s",), sources=("t",),
        ),
    )  # fmt: skip


def evidence():
    return Evidence(
        Observation("o", NOW_NS, source="camera", robot="r", session="s", text="a mug"),
        0.5, Parts(1.0, 0.5, 1.0), (1.0, 2.0, 3.0), keyframe=9, epoch=4, path=("forest:1", "o"),
        standpoint=(0.0, 1.0, 0.0), attention=0.25, path_weights=(0.5, 0.25),
    )  # fmt: skip


def test_evidence_says_what_where_when_and_why(make):
    sent = over_the_wire(make, convert.evidence_message(evidence(), make))
    assert (sent.id, sent.text, sent.weight, sent.space) == ("o", "a mug", 0.5, 0.5)
    assert convert.ns_of(sent.header.stamp) == NOW_NS
    assert (sent.position.x, sent.standpoint.y) == (1.0, 1.0)
    assert list(sent.path) == ["forest:1", "o"]
    assert list(sent.path_weights) == [0.5, 0.25]
    assert sent.has_keyframe
    assert sent.epoch == 4


def test_an_answer_fills_a_response(make):
    response = SimpleNamespace(position=SimpleNamespace())
    told = Answer("On the desk.", "where", position=(1.0, 2.0, 3.0), stamp_ns=NOW_NS, value=2.0,
                  unit="m", evidence=(evidence(),))  # fmt: skip
    convert.fill_answer(response, told, make)
    assert (response.answer, response.kind, response.abstained) == ("On the desk.", "where", False)
    assert response.has_position
    assert response.position.point.z == 3.0
    assert response.position.header.frame_id == "map"
    assert convert.ns_of(response.stamp) == NOW_NS
    assert (response.value, response.unit) == (2.0, "m")
    assert [item.id for item in response.evidence] == ["o"]
    nothing = SimpleNamespace(position=SimpleNamespace())
    convert.fill_answer(nothing, Answer("No memory.", "where", abstained=True), make)
    assert not (nothing.has_position or nothing.has_stamp or nothing.has_value)


def test_structure_goes_over_the_wire(make):
    box = Box((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
    stay = Stay((1.0, 2.0, 3.0), tuple(np.eye(3).ravel()), 1, 2, 3, place="place:4")
    entity = Entity("entity:1", "mug", "map", (stay,), {"openness": 0.5})
    sent = over_the_wire(make, convert.entity_message(entity, make))
    assert sent.gone
    assert sent.history[0].position.y == 2.0
    assert dict(zip(sent.state_names, sent.state_values, strict=True)) == {"openness": 0.5}
    place = over_the_wire(
        make, convert.place_message(Place("place:4", "map", (1, 2, 3), box), make)
    )
    assert place.centre.z == 3.0
    node = ForestNode("forest:1", 2, None, ("place:4",), "a flat", 1, box, TimeSpan(5, 6), "flat")
    told = over_the_wire(make, convert.forest_message(node, make))
    assert (told.level, told.parent, list(told.children)) == (2, "", ["place:4"])
    assert convert.ns_of(told.end) == 6
