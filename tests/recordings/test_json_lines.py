"""Captioned places and observations as JSON Lines: metres, months, and lines that are wrong."""

from __future__ import annotations

import base64
import datetime as dt
import gzip
import json
import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from memory_core.errors import RecordingUnreadable
from memory_core.ingestion import ingest
from memory_core.memory import RobotMemory
from memory_core.recordings import Reading, open_recording
from memory_core.recordings.jsonl import local_metres
from memory_core.recordings.serial import observation_from_json, observation_to_json
from tests.episodic.making import differences, rich

EARTH_M = 6_371_008.8


def haversine(a, b):
    """Metres along the sphere between two (longitude, latitude)."""
    (lon_a, lat_a), (lon_b, lat_b) = np.radians(a), np.radians(b)
    square = (
        math.sin((lat_b - lat_a) / 2) ** 2
        + math.cos(lat_a) * math.cos(lat_b) * math.sin((lon_b - lon_a) / 2) ** 2
    )
    return 2 * EARTH_M * math.asin(math.sqrt(square))


@example(179.99, 10.0, 0.05, 0.01)  # over the date line
@given(
    st.floats(-180, 180), st.floats(-75, 75), st.floats(-0.05, 0.05), st.floats(-0.05, 0.05)
)  # fmt: skip
def test_metres_on_the_map_are_metres_on_earth(longitude, latitude, east, north):
    there = (math.remainder(longitude + east, 360), latitude + north)
    x, y = local_metres(*there, origin=(longitude, latitude))
    far = haversine((longitude, latitude), there)
    assert math.hypot(x, y) == pytest.approx(far, rel=1e-4, abs=0.01)
    assert x == pytest.approx(0, abs=1e-6) or (x > 0) == (east > 0)
    assert y == pytest.approx(0, abs=1e-6) or (y > 0) == (north > 0)


def ingested(tmp_path, path):
    with RobotMemory.open(tmp_path / "memory", text_encoder=None) as memory:
        done = ingest(memory, path)
        stored = [
            item.observation
            for item in memory.store.fetch(
                list(memory.store.rowids()), keyframes=True, embeddings=True
            )
        ]
        return done, stored, memory.store.origin("map")


def lines(path, *values):
    data = b"\n".join(v if isinstance(v, bytes) else json.dumps(v).encode() for v in values)
    path.write_bytes(data)
    return path


def place(longitude=-79.9, latitude=40.4, month="2024-03", **parts):
    value = {"longitude": longitude, "latitude": latitude, "month": month, "caption": "a street"}
    return value | parts


def test_places_that_are_wrong_are_refused_by_their_kind_and_the_rest_kept(tmp_path):
    path = lines(
        tmp_path / "places.jsonl",
        place(), place(month="March"), place(month="1969-01"), place(month="9999-12"),
        place(month=None, caption="no month"), place(latitude=91), place(longitude="east"),
        place(longitude=10**400), place(latitude=math.nan), b'{"longitude": 1, "lat', b"\xff\xfe{}",
        b"[1, 2]", b"", place(caption="x" * 10_000_000), place(caption=None, name="a name"),
        place(caption="a\x00b"), b"",
    )  # fmt: skip
    done, stored, origin = ingested(tmp_path, path)
    assert done.refused == {
        "invalid_stamp": 3, "invalid_pose": 4, "input_rejected": 2, "invalid_text": 3
    }  # fmt: skip
    assert sorted(item.text for item in stored) == ["a name", "a street", "no month"]
    assert origin == {"longitude": -79.9, "latitude": 40.4}
    march = int(dt.datetime(2024, 3, 1, tzinfo=dt.timezone.utc).timestamp())
    assert next(i for i in stored if i.text == "a street").stamp_ns == (march + 1) * 10**9


def test_places_cut_short_keep_what_came_before(tmp_path):
    whole = gzip.compress(b"\n".join(
        json.dumps(place(caption=f"{n} {np.random.default_rng(n).bytes(40).hex()}")).encode()
        for n in range(2_000)))  # fmt: skip
    path = tmp_path / "places.jsonl.gz"
    path.write_bytes(whole[: len(whole) // 2])
    done, stored, _ = ingested(tmp_path, path)
    assert not done.complete
    assert 500 < len(stored) < 1_500
    assert [int(item.text.split()[0]) for item in stored] == list(range(len(stored)))


def test_a_first_line_that_is_broken_does_not_hide_that_these_are_places(tmp_path):
    path = lines(tmp_path / "places.jsonl", b"{broken", place())
    assert open_recording(path).reader == "captioned places"


def test_the_campus_is_remembered_where_it_is(real_data, tmp_path):
    path = real_data("campus") / "places.jsonl.gz"
    done, stored, origin = ingested(tmp_path, path)
    with gzip.open(path, "rt") as file:
        raw = [json.loads(line) for line in file]
    assert (done.added, done.refused) == (len(raw), {})
    first = (raw[0]["longitude"], raw[0]["latitude"])
    assert (origin["longitude"], origin["latitude"]) == first
    for item, value in zip(stored[::50], raw[::50], strict=True):
        far = haversine(first, (value["longitude"], value["latitude"]))
        assert math.hypot(item.pose.x, item.pose.y) == pytest.approx(far, rel=1e-3, abs=0.01)
        assert value["caption"].strip().rstrip(".") in item.text
        when = dt.datetime.fromtimestamp(item.stamp_ns / 1e9, tz=dt.timezone.utc)
        assert when.strftime("%Y-%m") == value["month"]


@pytest.mark.parametrize("number", range(8))
def test_an_observation_survives_the_way_through_json(number):
    wanted = rich(number)
    told = json.loads(json.dumps(observation_to_json(wanted)))
    assert differences(observation_from_json(told, "here", default_id="x"), wanted) == []


def observation(number, **parts):
    return {"id": f"o{number}", "stamp_ns": 10**18 + number, "text": f"thing {number}"} | parts


WRONG = [
    ("input_rejected", b"{not json"),
    ("input_rejected", b"[]"),
    ("input_rejected", b"[" * 5_000),
    ("invalid_text", b'{"text": "\xff"}'),
    ("invalid_text", observation(1, text="x" * 10_000_000)),
    ("invalid_text", observation(1, text="   ")),
    ("invalid_text", observation(1, text="\ud800")),
    ("input_rejected", observation(1, text=7)),
    ("invalid_stamp", observation(1, stamp_ns=-5)),
    ("invalid_stamp", observation(1, stamp_ns=0)),
    ("invalid_stamp", observation(1, stamp_ns=True)),
    ("invalid_stamp", observation(1, stamp_ns=None)),
    ("invalid_stamp", observation(1, stamp_ns=2**63)),
    ("input_rejected", observation(1, stamp_ns=1.5)),
    ("invalid_pose", observation(1, pose=[1, 2])),
    ("invalid_pose", observation(1, pose=["a", 2, 3])),
    ("invalid_pose", observation(1, pose=[10**400, 2, 3])),
    ("invalid_pose", observation(1, pose=[math.nan, 2, 3])),
    ("invalid_pose", observation(1, pose=[math.inf, 2, 3])),
    ("invalid_pose", observation(1, pose=[0, 0, 0, 0, 0, 0, 0.83])),
    ("invalid_pose", observation(1, pose={"x": 1})),
    ("invalid_pose", observation(1, covariance=[1.0] * 35)),
    ("invalid_pose", observation(1, covariance=["x"] * 36)),
    ("invalid_pose", observation(1, covariance=[-1.0] * 36)),
    ("unknown_frame", observation(1, anchor_id="nowhere")),
    ("invalid_sighting", observation(1, sightings=[{"position": [1, 2, 3]}])),
    ("invalid_sighting", observation(1, sightings=[{"label": ""}])),
    ("invalid_sighting", observation(1, sightings=[{"label": "x", "position": [1, 2]}])),
    ("invalid_sighting", observation(1, sightings=[{"label": "x", "bearing": [1, 10**400]}])),
    ("invalid_sighting", observation(1, sightings=[{"label": "x", "confidence": "y"}])),
    ("invalid_sighting", observation(1, sightings=[7])),
    ("input_rejected", observation(1, sightings="mug")),
    ("input_rejected", observation(1, confidence=2)),
    ("input_rejected", observation(1, confidence="high")),
    ("input_rejected", observation(1, embeddings={"text": ["a"]})),
    ("input_rejected", observation(1, embeddings={"text": [[1], [2, 3]]})),
    ("input_rejected", observation(1, embeddings={"text": [10**400]})),
    ("input_rejected", observation(1, embeddings={"text": "***"})),
    ("invalid_vector", observation(1, embeddings={"text": [0.0, 0.0]})),
    ("invalid_image", observation(1, keyframe={"jpeg": "AAAA", "width": 1, "height": 1})),
    ("invalid_image", observation(1, keyframe={"jpeg": "?", "width": 1, "height": 1})),
    ("invalid_image", observation(1, keyframe="AAAA")),
    ("invalid_image", observation(1, keyframe={"jpeg": "AAAA", "width": math.inf, "height": 1})),
    ("invalid_id", observation(1, id="x" * 300)),
    ("input_rejected", observation(1, extra=[1])),
    ("input_rejected", observation(1, extra={"n": math.nan})),
    ("empty_observation", {"stamp_ns": 5}),
]


@pytest.mark.parametrize("code, wrong", WRONG, ids=lambda v: v if isinstance(v, str) else "")
def test_a_line_that_is_wrong_is_refused_and_its_neighbours_kept(tmp_path, code, wrong):
    path = lines(tmp_path / "notes.jsonl", observation(0), wrong, b"  ", observation(2))
    done, stored, _ = ingested(tmp_path, path)
    assert done.refused == {code: 1}
    assert [item.id for item in stored] == ["o0", "o2"]


def test_all_wrong_lines_together_are_counted_by_kind(tmp_path):
    path = lines(tmp_path / "notes.jsonl", observation(0), *(wrong for _, wrong in WRONG))
    done, stored, _ = ingested(tmp_path, path)
    assert done.refused == Counter(code for code, _ in WRONG)
    assert len(stored) == 1
    assert len(done.refusals) == 20
    assert all(len(item.message) < 1_000 for item in done.refusals)


def test_a_line_without_an_id_gets_one_that_comes_again(tmp_path):
    path = lines(tmp_path / "notes.jsonl", {"stamp_ns": 5, "text": "a", "localised": None})
    first, second = (
        next(open_recording(path).observations(Reading())) for _ in range(2)
    )  # fmt: skip
    assert first.id == second.id
    assert first.localised is True


@pytest.mark.parametrize("data", [b"", b"\n\n \n"])
def test_an_empty_file_is_refused(tmp_path, data):
    (tmp_path / "notes.jsonl").write_bytes(data)
    with pytest.raises(RecordingUnreadable, match="empty"):
        open_recording(tmp_path / "notes.jsonl")


def test_a_file_that_is_not_gzip_is_refused(tmp_path):
    (tmp_path / "notes.jsonl.gz").write_bytes(b'{"stamp_ns": 5}')
    with pytest.raises(RecordingUnreadable, match="cut short or damaged"):
        open_recording(tmp_path / "notes.jsonl.gz")


def test_vectors_come_as_numbers_or_as_float16(tmp_path):
    packed = base64.b64encode(np.array([0.6, 0.8], np.float16).tobytes()).decode()
    path = lines(
        tmp_path / "notes.jsonl",
        observation(0, embeddings={"image": packed}),
        observation(1, embeddings={"image": [0.6, 0.8]}),
    )
    _, stored, _ = ingested(tmp_path, path)
    for item in stored:
        assert item.embeddings["image"] == pytest.approx([0.6, 0.8], abs=1e-3)
