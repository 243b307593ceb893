"""Dataclasses go through JSON and come back as they were."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from memory_core.episodic.codec import pack, unpack
from memory_core.types import Box, Event, FloatArray


@dataclass(frozen=True)
class Inner:
    name: str
    at: tuple[float, float, float]
    weight: float | None = None


@dataclass
class Outer:
    number: int
    inner: Inner
    others: tuple[Inner, ...] = ()
    by_number: dict[int, str] = field(default_factory=dict)
    by_name: Mapping[str, tuple[Inner, ...]] = field(default_factory=dict)
    names: frozenset[str] = frozenset()
    flags: list[bool] = field(default_factory=list)
    blob: bytes = b""
    best: Inner | None = None
    pair: tuple[int, str] = (0, "")


numbers = st.floats(allow_nan=False, allow_infinity=False)
inners = st.builds(
    Inner, st.text(), st.tuples(numbers, numbers, numbers), st.none() | numbers
)  # fmt: skip
outers = st.builds(
    Outer,
    st.integers(-(2**62), 2**62),
    inners,
    st.lists(inners, max_size=3).map(tuple),
    st.dictionaries(st.integers(), st.text(), max_size=3),
    st.dictionaries(st.text(), st.lists(inners, max_size=2).map(tuple), max_size=3),
    st.frozensets(st.text(), max_size=3),
    st.lists(st.booleans(), max_size=4),
    st.binary(max_size=40),
    st.none() | inners,
    st.tuples(st.integers(), st.text()),
)


@given(outers)
def test_what_is_packed_comes_back_equal_through_text(value):
    again = unpack(Outer, json.loads(json.dumps(pack(value))))
    assert again == value
    for one in fields(Outer):
        assert type(getattr(again, one.name)) is type(getattr(value, one.name))


@dataclass(eq=False)
class Measured:
    mean: FloatArray
    grid: FloatArray | None = None


@given(
    arrays.arrays(np.float64, st.integers(1, 5), elements=numbers),
    arrays.arrays(np.float64, (3, 2), elements=numbers),
)
def test_arrays_come_back_bit_for_bit(mean, grid):
    again = unpack(Measured, json.loads(json.dumps(pack(Measured(mean, grid)))))
    assert np.array_equal(again.mean, mean)
    assert np.array_equal(again.grid, grid)
    assert unpack(Measured, pack(Measured(mean))).grid is None


def test_numbers_of_numpy_become_plain_ones():
    packed = pack({"a": np.float32(0.5), "b": np.int64(3), "c": (np.bool_(True),)})
    assert packed == {"a": 0.5, "b": 3, "c": [True]}
    assert json.dumps(packed) == '{"a": 0.5, "b": 3, "c": [true]}'


def test_what_a_newer_version_added_is_passed_over_and_what_it_lacks_has_its_default():
    body = pack(Inner("mug", (1.0, 2.0, 3.0)))
    assert unpack(Inner, {**body, "colour": "red"}) == Inner("mug", (1.0, 2.0, 3.0))
    del body["weight"]
    assert unpack(Inner, body).weight is None
    with pytest.raises(TypeError):
        unpack(Inner, {"name": "mug"})


def test_public_types_survive():
    event = Event("event:1", "tidy", "monday", 1, 2**62, bounds=Box((0, 0, 0), (1, 2, 3)))
    assert unpack(Event, json.loads(json.dumps(pack(event)))) == event
