"""A memory against brute force in plain Python: recall, forgetting, corrections, exchange."""

from __future__ import annotations

import dataclasses
import json
import math
import tempfile
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from episodic.making import START_NS, note, unit
from memory_core.episodic.exchange import import_header
from memory_core.episodic.index import DatabaseScan
from memory_core.memory import RobotMemory
from memory_core.recordings import Reading, open_recording
from memory_core.recordings.serial import observation_from_json, observation_to_json
from memory_core.types import (
    Box,
    Filters,
    Keyframe,
    Observation,
    Pose,
    Query,
    Sighting,
    Sphere,
    TimeSpan,
)

quickly = settings(
    max_examples=40, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
)
TIE = 1e-6  # of scores: of what is as near, rounding may decide which comes first
EDGE = 1e-6  # metres: nearer to a region's edge than this, rounding may decide

# -- what observations and questions may look like -----------------------------------------

MAPS = {"map": ("origin", "dock"), "cellar": ("origin", "stairs")}
coordinates = st.integers(-40, 40).map(lambda n: n / 8) | st.floats(-6, 6, width=32)
angles = st.floats(-math.pi, math.pi)
finite = st.floats(-1e9, 1e9, allow_nan=False)
words = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=12)
texts = words.filter(lambda text: text.strip())


@st.composite
def poses(draw):
    return Pose.from_yaw(
        draw(coordinates), draw(coordinates), z=draw(coordinates), yaw=draw(angles)
    )


@st.composite
def placed(draw, number):
    """An observation for tests of filters: where, when, by whom, and a vector."""
    map_id = draw(st.sampled_from(sorted(MAPS)))
    return Observation(
        id=f"o-{number}",
        stamp_ns=START_NS + draw(st.integers(0, 20)) * 1_000_000_000,
        robot=draw(st.sampled_from(["ann", "bob"])),
        session=draw(st.sampled_from(["one", "two", "three"])),
        source=draw(st.sampled_from(["camera", "note"])),
        map_id=map_id,
        anchor_id=draw(st.sampled_from(MAPS[map_id])),
        pose=draw(st.none() | poses()),
        text="cup",
        embeddings={"image": unit(draw(st.integers(0, 30)))} if draw(st.booleans()) else {},
    )


@st.composite
def many_placed(draw, most=40):
    count = draw(st.integers(0, most))
    return [draw(placed(number)) for number in range(count)]


@st.composite
def regions(draw):
    if draw(st.booleans()):
        corners = [sorted((draw(coordinates), draw(coordinates))) for _ in range(3)]
        return Box(tuple(c[0] for c in corners), tuple(c[1] for c in corners))
    flat = draw(st.booleans())
    centre = tuple(draw(coordinates) for _ in range(2 if flat else 3))
    return Sphere(centre, draw(st.floats(0, 8)))


@st.composite
def spans(draw):
    ends = sorted(START_NS + draw(st.integers(-2, 22)) * 1_000_000_000 for _ in range(2))
    return TimeSpan(*(draw(st.sampled_from([None, end])) for end in ends))


def some(*names):
    return st.lists(st.sampled_from([*names, "nobody"]), max_size=2, unique=True).map(tuple)


@st.composite
def filters(draw):
    return Filters(
        span=draw(st.none() | spans()),
        region=draw(st.none() | regions()),
        robots=draw(some("ann", "bob")),
        sessions=draw(some("one", "two")),
        sources=draw(some("camera", "note")),
        maps=draw(some("map", "cellar")),
    )


anchors = st.fixed_dictionaries({"dock": poses(), "stairs": poses()})


@contextmanager
def a_memory(anchor_poses):
    """An empty memory with two maps and two anchors."""
    with (
        tempfile.TemporaryDirectory(dir=_ram()) as folder,
        RobotMemory.open(folder, text_encoder=None, gpu=False, commit_window_s=0) as memory,
    ):
        memory.add_anchor("dock", anchor_poses["dock"])
        memory.add_anchor("stairs", anchor_poses["stairs"], map_id="cellar")
        yield memory


def _ram():
    """Where syncing costs nothing; these tests are about answers, not about disks."""
    return "/dev/shm" if Path("/dev/shm").is_dir() else None


# -- the oracle ----------------------------------------------------------------------------


def carried(pose, anchor):
    """A place in its anchor's frame, in the map: turned about +z and moved."""
    if pose is None:
        return None
    yaw = 2 * math.atan2(anchor.qz, anchor.qw)
    x = anchor.x + math.cos(yaw) * pose.x - math.sin(yaw) * pose.y
    y = anchor.y + math.sin(yaw) * pose.x + math.cos(yaw) * pose.y
    return x, y, anchor.z + pose.z


def depth(place, region):
    """How far inside a region a place lies, metres; negative outside."""
    if isinstance(region, Box):
        sides = zip(place, region.low, region.high, strict=True)
        return min(min(at - low, high - at) for at, low, high in sides)
    return region.radius_m - math.dist(place[: len(region.centre)], region.centre)


def verdict(item, wanted, places):
    """True, False, or None where rounding may decide."""
    span = wanted.span or TimeSpan()
    if span.start_ns is not None and item.stamp_ns < span.start_ns:
        return False
    if span.end_ns is not None and item.stamp_ns > span.end_ns:
        return False
    for name, value in (
        (wanted.robots, item.robot), (wanted.sessions, item.session),
        (wanted.sources, item.source), (wanted.maps, item.map_id),
    ):  # fmt: skip
        if name and value not in name:
            return False
    if wanted.region is not None:
        place = places[item.id]
        if place is None:
            return False
        inside = depth(place, wanted.region)
        return None if abs(inside) < EDGE else inside > 0
    return True


def assert_selected(memory, stored, wanted, current):
    """Both views select what brute force selects; the ids are returned."""
    places = {item.id: carried(item.pose, current.get(item.anchor_id, Pose())) for item in stored}
    verdicts = {item.id: verdict(item, wanted, places) for item in stored}
    numbers = memory.store.rowids_of(list(verdicts))
    sure = {numbers[i] for i, said in verdicts.items() if said}
    open_ = {numbers[i] for i, said in verdicts.items() if said is None}
    views = {"index": memory.index, "scan": DatabaseScan(memory.store)}
    for name, view in views.items():
        found = view.select(wanted).tolist()
        assert found == sorted(set(found)), name
        assert sure <= set(found) <= sure | open_, name
    return [item for item in stored if verdicts[item.id]], bool(open_)


# -- recall --------------------------------------------------------------------------------


@quickly
@given(many_placed(), filters(), anchors, st.integers(0, 30), st.integers(1, 12))
def test_recall_under_filters_equals_brute_force(stored, wanted, current, seed, k):
    with a_memory(current) as memory:
        half = len(stored) // 2
        memory.observe(stored[:half])
        memory.observe(stored[half:])
        inside, unsure = assert_selected(memory, stored, wanted, current)
        assert_recalled(memory, inside, wanted, seed, k, unsure)
        assert memory.verify().problems == []


def assert_recalled(memory, inside, wanted, seed, k, unsure):
    """Vector recall ranks as brute force does, through the index and through the scan."""
    if unsure or "image" not in memory.store.spaces():
        return
    query = unit(seed)
    numbers = memory.store.rowids_of([item.id for item in inside])
    scores = {
        numbers[item.id]: -float(
            np.dot(item.embeddings["image"].astype(np.float16).astype(np.float64), query)
        )
        for item in inside
        if item.embeddings
    }
    ranked = sorted((score, rowid) for rowid, score in scores.items())[:k]
    allowed = np.array(sorted(numbers.values()), np.int64)
    for view in (memory.index, DatabaseScan(memory.store)):
        hits = view.nearest("image", query, k, allowed)
        rowids = hits.rowids.tolist()
        assert len(set(rowids)) == len(rowids)
        for rowid, (score, wanted_rowid) in zip(rowids, ranked, strict=True):
            assert rowid == wanted_rowid or abs(scores[rowid] - score) < TIE
        assert np.allclose(hits.scores, [-score for score, _ in ranked], atol=1e-5)
    found = memory.recall(Query(vectors={"image": query}, filters=wanted, k=k))
    expected = [min(1.0, max(0.0, -score)) for score, _ in ranked]  # halves may round above one
    assert np.allclose([e.weight for e in found.evidence], expected, atol=1e-5)
    assert found.considered == len(inside)
    assert {e.observation.id for e in found.evidence} <= {item.id for item in inside}


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """9,000 observations along a walk: enough for zone maps to leave blocks out."""
    chance = np.random.default_rng(3)
    steps = np.cumsum(chance.normal(scale=0.3, size=(9_000, 2)), axis=0).tolist()
    stored = [
        note(
            n, text="cup", stamp_ns=START_NS + n * 10**9,
            pose=Pose(*steps[n]) if n % 11 else None,
            anchor_id="dock" if n % 5 == 0 else "origin",
        )
        for n in range(9_000)
    ]  # fmt: skip
    dock = Pose.from_yaw(3, -2, yaw=0.7)
    folder = tmp_path_factory.mktemp("large")
    with RobotMemory.open(folder, text_encoder=None, gpu=False) as memory:
        memory.add_anchor("dock", dock)
        memory.observe(stored)
        memory.forget(filters=Filters(span=TimeSpan(stored[40].stamp_ns, stored[60].stamp_ns)),
                      reason="test")  # fmt: skip
        yield memory, stored[:40] + stored[61:], {"dock": dock}


@settings(quickly, max_examples=40)
@given(
    st.integers(0, 8_999), st.integers(0, 3_000), st.floats(0, 12), st.sampled_from("bsfn"),
    st.booleans(),
)  # fmt: skip
def test_zone_maps_leave_nothing_out(large, first, length, radius, shape, timed):
    memory, stored, current = large
    at = stored[first % len(stored)].pose or Pose(1, 1)
    region = {
        "b": Box((at.x - radius, at.y - radius / 2, -1), (at.x + radius, at.y + radius, 1)),
        "s": Sphere((at.x, at.y, 0.0), radius),
        "f": Sphere((at.x, at.y), radius),
        "n": None,
    }[shape]
    start = START_NS + first * 10**9
    span = TimeSpan(start, start + length * 10**9) if timed else None
    assert_selected(memory, stored, Filters(span=span, region=region), current)


# -- forgetting ----------------------------------------------------------------------------


@quickly
@given(st.data(), many_placed(), anchors)
def test_forgetting_leaves_exactly_the_rest(data, stored, current):
    with a_memory(current) as memory:
        memory.observe(stored)
        for way in data.draw(st.lists(st.sampled_from(["ids", "filters", "age"]), max_size=4)):
            before = set(memory.store.rowids())
            stored = forget(data, memory, stored, way, current)
            kept = memory.store.rowids_of([item.id for item in stored])
            assert len(kept) == len(stored)
            assert set(memory.store.rowids()) == set(kept.values()) <= before
            record = memory.removals()[-1] if memory.removals() else None
            assert record is None or record.reason == "test"
        everything = memory.index.select(Filters()).tolist()
        assert everything == sorted(memory.store.rowids_of([i.id for i in stored]).values())
        assert len(memory.index) == len(stored) == memory.store.count()
        result = memory.verify()
        assert result.problems == []
        assert result.stored == len(stored)
        again = memory.observe(note(1, id="another"))
        assert again.added == ("another",)


def forget(data, memory, stored, way, current):
    """Forget in one way; what must be left is returned, by brute force."""
    if way == "ids":
        if not stored:
            return stored
        gone = set(data.draw(st.lists(st.sampled_from([item.id for item in stored]), min_size=1)))
        memory.forget(ids=sorted(gone), reason="test")
        return [item for item in stored if item.id not in gone]
    if way == "age":
        moment = START_NS + data.draw(st.integers(0, 22)) * 1_000_000_000
        counted = memory.forget(older_than_ns=moment, reason="test", dry_run=True)
        rest = [item for item in stored if item.stamp_ns >= moment]
        assert counted == len(stored) - len(rest)
        assert memory.forget(older_than_ns=moment, reason="test").observations == counted
        return rest
    wanted = data.draw(filters().filter(lambda f: f != Filters()))
    inside, unsure = assert_selected(memory, stored, wanted, current)
    if unsure:
        return stored
    memory.forget(filters=wanted, reason="test")
    gone = {item.id for item in inside}
    return [item for item in stored if item.id not in gone]


# -- corrections ---------------------------------------------------------------------------


@quickly
@given(many_placed(), anchors, st.lists(anchors, min_size=1, max_size=3), filters())
def test_what_was_observed_moves_with_its_anchor(stored, first, corrections, wanted):
    with a_memory(first) as memory:
        memory.observe(stored[::2])
        current = first
        for epoch, moved in enumerate(corrections, start=1):
            current = moved
            for map_id, name in (("map", "dock"), ("cellar", "stairs")):
                assert memory.move_anchors({name: moved[name]}, map_id=map_id) == epoch
        memory.observe(stored[1::2])
        assert memory.store.epochs() == dict.fromkeys(MAPS, len(corrections))
        in_order = stored[::2] + stored[1::2]
        assert_selected(memory, in_order, wanted, current)
        for item in stored:
            evidence = memory.observation(item.id)
            assert evidence.epoch == len(corrections)
            assert evidence.observation.pose == item.pose
            place = carried(item.pose, current.get(item.anchor_id, Pose()))
            assert (evidence.position is None) == (place is None)
            assert place is None or math.dist(evidence.position, place) < EDGE
        history = memory.store.anchor_history("map", "dock")
        assert [pose for _, pose, _ in history] == [
            first["dock"],
            *(c["dock"] for c in corrections),
        ]
        assert memory.verify().problems == []


# -- exchange ------------------------------------------------------------------------------

vectors = st.integers(0, 10**6).map(lambda seed: unit(seed, 7)) | st.lists(
    st.floats(-1e3, 1e3, width=32), min_size=7, max_size=7
).filter(lambda v: np.linalg.norm(v) > 1e-3).map(lambda v: np.array(v, np.float32))
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | finite | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=6,
)
triples = st.tuples(finite, finite, finite)


@st.composite
def sightings(draw):
    return Sighting(
        label=draw(texts),
        position=draw(st.none() | triples),
        covariance=draw(st.none() | st.just(tuple(float(n) for n in range(9)))),
        bearing=draw(st.none() | st.tuples(angles, angles)),
        size=draw(st.none() | triples),
        confidence=draw(st.floats(0, 1)),
        embedding=draw(st.none() | vectors),
        state=draw(st.dictionaries(st.sampled_from(["open", "lit"]), st.floats(-9, 9), max_size=2)),
    )


@st.composite
def anything(draw, number):
    """An observation with any part that may be in one."""
    return Observation(
        id=draw(texts) + f"-{number}",
        stamp_ns=draw(st.integers(1, 2**63 - 1)),
        source=draw(texts),
        robot=draw(texts),
        session=draw(texts),
        anchor_id=draw(st.sampled_from(["origin", "dock"])),
        pose=draw(poses()),
        covariance=draw(st.none() | st.just(tuple(n / 7 for n in range(36)))),
        localised=draw(st.booleans()),
        text=draw(st.none() | texts),
        sightings=tuple(draw(st.lists(sightings(), max_size=3))),
        keyframe=draw(
            st.none()
            | st.binary(max_size=40).map(
                lambda noise: Keyframe(b"\xff\xd8\xff" + noise + b"\xff\xd9", 3, 2)
            )
        ),
        embeddings=draw(st.dictionaries(st.sampled_from(["image", "scent"]), vectors)),
        confidence=draw(st.floats(0, 1)),
        extra=draw(st.dictionaries(words, json_values, max_size=3)),
    )


@st.composite
def many_of_anything(draw):
    return [draw(anything(number)) for number in range(draw(st.integers(0, 5)))]


def everything(memory):
    """All that is stored, vectors as bytes, in the order it was stored."""
    said = []
    rowids = list(memory.store.rowids())
    for stored in memory.store.fetch(rowids, keyframes=True, embeddings=True):
        item = stored.observation
        seen = [None if s.embedding is None else s.embedding.tobytes() for s in item.sightings]
        spaces = {name: vector.tobytes() for name, vector in item.embeddings.items()}
        said.append((item, seen, spaces))
    return said


def atlas(memory):
    """Maps, anchors with all their poses, and spaces."""
    store = memory.store
    known = {(m, a): store.anchor_history(m, a) for m, a, _ in store.anchor_poses().values()}
    origins = {name: store.origin(name) for name in store.epochs()}
    return known, store.epochs(), origins, store.spaces()


@quickly
@given(
    numbers=st.sets(st.integers(0, 39), min_size=1),
    parts=st.integers(1, 4),
    named=st.booleans(),
    again=st.sets(st.integers(0, 39)),
)
def test_removals_without_ids_balance_and_what_is_handed_in_again_adds_nothing(
    numbers, parts, named, again
):
    with a_memory({"dock": Pose(0, 0), "stairs": Pose(0, 0)}) as memory:
        memory.observe([note(n) for n in range(40)])
        gone = sorted(numbers)
        for part in range(parts):
            rowids = [n + 1 for n in gone[part::parts]]
            removal = memory.store.remove(
                rowids, kind="retention", reason="full", selection={},
                keep_ids=named and part == 0,
            )  # fmt: skip
            assert removal.observations == len(rowids)
        memory.index.committed()
        checked = memory.verify()
        assert checked.problems == []
        assert (checked.stored, checked.removed) == (40 - len(gone), len(gone))
        assert memory.store.count() == 40 - len(gone)
        back = memory.observe([note(n) for n in sorted(again)])
        assert back.added == ()
        assert set(back.known) == {f"note-{n:05d}" for n in again}
        assert memory.store.count() == 40 - len(gone)
        assert sorted(memory.store.removed_since(0)[1]) == [n + 1 for n in gone]


@pytest.mark.parametrize("name", ["memory.jsonl", "memory.jsonl.gz"])
@settings(quickly, max_examples=25)
@given(stored=many_of_anything(), first=anchors, later=st.lists(anchors, max_size=2))
def test_an_export_comes_back_exactly(name, stored, first, later):
    with a_memory(first) as memory, a_memory_at(name) as (target, copy):
        memory.store.set_origin("map", {"longitude": 8.5, "latitude": 47.4})
        memory.observe(stored)
        for moved in later:
            memory.move_anchors({"dock": moved["dock"]}, reason="loop closure")
            memory.add_anchor(f"late-{moved['stairs'].x}", moved["stairs"])
        assert memory.export(target) == len(stored)
        bring(copy, target, memory.store.count())
        assert everything(copy) == everything(memory)
        assert atlas(copy) == atlas(memory)
        assert copy.verify().problems == []
        again = bring(copy, target, 0)
        assert len(again) == len(stored)
        assert atlas(copy) == atlas(memory)


@contextmanager
def a_memory_at(name):
    """A file to export to, and an empty memory to import into."""
    with (
        tempfile.TemporaryDirectory(dir=_ram()) as folder,
        RobotMemory.open(Path(folder) / "copy", text_encoder=None, gpu=False) as copy,
    ):
        yield Path(folder) / name, copy


def bring(memory, path, count):
    """Import as `ingest` does; ids that were known are returned."""
    recording, reading = open_recording(path), Reading()
    import_header(memory.store, recording.header)
    acknowledged = memory.observe(recording.observations(reading))
    assert reading.refused == []
    assert acknowledged.refused == ()
    assert len(acknowledged.added) == count
    return acknowledged.known


@quickly
@given(anything(1))
def test_an_observation_survives_json(item):
    value = json.loads(json.dumps(observation_to_json(item)))
    again = observation_from_json(value, "here", default_id="none")
    assert again == item
    halves = {k: np.asarray(v, np.float16) for k, v in item.embeddings.items()}
    assert set(again.embeddings) == set(halves)
    assert all(np.array_equal(again.embeddings[k], v) for k, v in halves.items())
    assert dataclasses.replace(again, id="other") != item


@quickly
@given(st.lists(vectors, min_size=1, max_size=5))
def test_a_vector_that_was_stored_is_stored_again_unchanged(given_vectors):
    from memory_core.episodic.rows import pack_vector, unpack_vector

    for vector in given_vectors:
        packed = pack_vector(vector)
        unpacked = unpack_vector(packed)
        assert pack_vector(unpacked) == packed
        wanted = np.asarray(vector, np.float64) / np.linalg.norm(np.asarray(vector, np.float64))
        assert np.abs(unpacked - wanted).max() < 2e-3
