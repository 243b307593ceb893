"""What a memory does on an ordinary day: acknowledge, refuse, lock, copy, close."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import apsw
import numpy as np
import psutil
import pytest

from episodic.making import DIMENSION, START_NS, differences, jpeg, note, rich, unit
from memory_core import errors, validation
from memory_core.episodic import database, readers
from memory_core.episodic import store as store_module
from memory_core.episodic.commit import GroupCommitter
from memory_core.episodic.store import EpisodicStore, Written
from memory_core.identity import new_id
from memory_core.memory import RobotMemory
from memory_core.perception.text import HashingEncoder
from memory_core.types import (
    Box,
    EmbeddingSpace,
    Filters,
    Keyframe,
    Observation,
    Pose,
    Query,
    Sighting,
    Sphere,
    TimeSpan,
)


def opened(folder, **options):
    options.setdefault("text_encoder", None)
    return RobotMemory.open(folder, gpu=False, **options)


@pytest.fixture
def memory(tmp_path):
    with opened(tmp_path / "memory") as memory:
        yield memory


def fetched(memory):
    rowids = list(memory.store.rowids())
    return [s.observation for s in memory.store.fetch(rowids, keyframes=True, embeddings=True)]


# -- acknowledging -------------------------------------------------------------------------


def test_what_was_acknowledged_is_read_back_whole_after_reopening(tmp_path):
    observations = [rich(n) for n in range(60)]
    with opened(tmp_path) as memory:
        acknowledged = memory.observe(observations)
    assert acknowledged.added == tuple(item.id for item in observations)
    assert (acknowledged.known, acknowledged.refused) == ((), ())
    with opened(tmp_path) as memory:
        stored = fetched(memory)
        assert memory.verify().clean
    assert [differences(a, b) for a, b in zip(stored, observations, strict=True)] == [[]] * 60


def test_every_commit_is_synced_to_disk(memory):
    with memory.store.changing() as db:
        assert db.execute("PRAGMA synchronous").get == 2  # FULL
        assert db.execute("PRAGMA journal_mode").get == "wal"


def test_ids_that_are_stored_or_removed_are_known(memory):
    memory.observe([note(1), note(2), note(3)])
    memory.forget(ids=["note-00002"], reason="wrong room")
    acknowledged = memory.observe([note(1), note(2), note(4)])
    assert acknowledged.added == ("note-00004",)
    assert acknowledged.known == ("note-00001", "note-00002")
    assert memory.observation("note-00002") is None


def test_ids_removed_without_their_names_are_known_where_they_can_come_twice(memory):
    twice, once = note(1), note(2, id=new_id())
    memory.observe([twice, once, note(3)])
    memory.store.remove([1, 2], kind="retention", reason="full", selection={}, keep_ids=False)
    with memory.store.reading() as db:
        spans = db.execute("SELECT first, last FROM removed_spans").fetchall()
        assert spans == [(1, 2)]
        assert db.execute("SELECT count(*) FROM removed_digests").get == 1
        assert db.execute("SELECT count(*) FROM removed").get == 0
    assert memory.observe([twice, note(3), note(4)]).known == ("note-00001", "note-00003")
    assert memory.store.removed_ids(1) == []
    assert memory.verify().to_json() | {"page_checksums": True} == {
        "clean": True, "acknowledged": 4, "stored": 2, "removed": 2, "page_checksums": True,
        "problems": [],
    }  # fmt: skip


def test_a_reader_follows_removals_without_ids(memory):
    memory.observe([note(n) for n in range(5)])
    with opened(memory.folder, read_only=True) as reader:
        assert len(reader.recall(Query(k=10)).evidence) == 5
        memory.store.remove([2, 3], kind="retention", reason="full", selection={}, keep_ids=False)
        left = {item.observation.id for item in reader.recall(Query(k=10)).evidence}
        assert left == {"note-00000", "note-00003", "note-00004"}
        assert reader.verify().clean


def test_verify_sees_a_span_that_was_lost(memory):
    memory.observe([note(n) for n in range(5)])
    memory.store.remove([2, 3], kind="retention", reason="full", selection={}, keep_ids=False)
    with memory.store.changing() as db:
        db.execute("DELETE FROM removed_spans")
    assert any("spans hold 0" in problem for problem in memory.verify().problems)


def test_a_known_id_keeps_its_first_content(memory):
    memory.observe(note(1))
    assert memory.observe(note(1, text="something else")).known == ("note-00001",)
    assert memory.observation("note-00001").observation.text == note(1).text


def test_an_id_twice_in_a_batch_is_stored_once_and_acknowledged_once(memory):
    acknowledged = memory.observe([note(1), note(2), note(1, text="again")])
    assert acknowledged.added == ("note-00001", "note-00002")
    assert acknowledged.known == ()
    assert memory.observation("note-00001").observation.text == note(1).text
    result = memory.verify()
    assert (result.clean, result.stored, result.acknowledged) == (True, 2, 2)


def test_an_empty_batch_is_acknowledged_as_nothing(memory):
    acknowledged = memory.observe([])
    assert (acknowledged.added, acknowledged.known, acknowledged.refused) == ((), (), ())


def test_an_acknowledged_observation_is_found_by_the_next_recall(memory):
    for number in range(20):
        memory.observe(rich(number))
        found = memory.recall(Query(vectors={"image": unit(number)}, k=1))
        assert [item.observation.id for item in found.evidence] == [f"note-{number:05d}"]


def test_numbers_of_removed_observations_are_not_given_again(memory):
    memory.observe([note(1), note(2)])
    memory.forget(ids=["note-00002"], reason="test")
    memory.observe(note(3))
    assert memory.store.rowids_of(["note-00003"]) == {"note-00003": 3}


def test_numbers_of_numpy_are_stored_as_numbers(memory):
    seen = Sighting(
        "cup", position=tuple(np.float32([1, 2, 3])), confidence=np.float32(0.5),
        bearing=tuple(np.float32([0.5, 0])), size=tuple(np.float32([1, 1, 1])),
    )  # fmt: skip
    pose = Pose(*np.float32([1, 2, 3, 0, 0, 0, 1]))
    memory.observe(note(1, stamp_ns=np.int64(5), pose=pose, sightings=(seen,)))
    stored = memory.observation("note-00001").observation
    assert stored.pose == Pose(1.0, 2.0, 3.0)
    assert stored.stamp_ns == 5
    assert stored.sightings[0].position == (1.0, 2.0, 3.0)
    assert stored.sightings[0].confidence == 0.5


def test_words_are_found_by_spelling_without_an_encoder_whatever_the_language(memory):
    memory.observe([note(1, text="Die Küche ist hell"), note(2, text="кухня"), note(3)])
    assert [e.observation.id for e in memory.recall("Küche").evidence] == ["note-00001"]
    assert [e.observation.id for e in memory.recall("кухня").evidence] == ["note-00002"]


def test_meanings_stay_with_their_observations_when_one_is_removed_under_a_recall(memory):
    memory.observe([note(n, embeddings={"image": unit(n)}) for n in range(6)])
    query = Query(vectors={"image": unit(3)}, k=6)
    before = {e.observation.id: e.weight for e in memory.recall(query).evidence}
    rowid = memory.store.rowids_of(["note-00003"])["note-00003"]
    memory.store.remove([rowid], kind="forget", reason="under the index", selection=None)
    after = {e.observation.id: e.weight for e in memory.recall(query).evidence}
    before.pop("note-00003")
    assert after == before


def test_forgotten_vectors_are_not_ranked_after_reopening(tmp_path):
    with opened(tmp_path) as memory:
        memory.observe([rich(n) for n in range(100)])
        memory.forget(ids=[f"note-{n:05d}" for n in range(70)], reason="test")
    with opened(tmp_path) as memory:
        hits = memory.index.nearest("image", unit(3), 100, None)
        assert sorted(hits.rowids.tolist()) == list(range(71, 101))
        assert len(memory.recall(Query(vectors={"image": unit(3)}, k=64)).evidence) == 30


# -- refusing ------------------------------------------------------------------------------

BAD = Pose(float("nan"), 0, 0)
SEEN = Sighting("cup")
PICTURE = Keyframe(jpeg(1), 4, 4)
change = dataclasses.replace
REFUSED = {
    "id empty": (note(1, id=" "), "invalid_id"),
    "id too long": (note(1, id="x" * 257), "invalid_id"),
    "id with NUL": (note(1, id="a\0b"), "invalid_id"),
    "id with a lone surrogate": (note(1, id="a\ud800"), "invalid_id"),
    "id no text": (note(1, id=7), "invalid_id"),
    "source empty": (note(1, source=""), "invalid_id"),
    "robot empty": (note(1, robot=""), "invalid_id"),
    "session empty": (note(1, session=""), "invalid_id"),
    "map empty": (note(1, map_id=""), "invalid_id"),
    "anchor empty": (note(1, anchor_id=""), "invalid_id"),
    "stamp zero": (note(1, stamp_ns=0), "invalid_stamp"),
    "stamp negative": (note(1, stamp_ns=-5), "invalid_stamp"),
    "stamp too late": (note(1, stamp_ns=2**63), "invalid_stamp"),
    "stamp in seconds": (note(1, stamp_ns=1.7e9), "invalid_stamp"),
    "stamp a bool": (note(1, stamp_ns=True), "invalid_stamp"),
    "pose NaN": (note(1, pose=BAD), "invalid_pose"),
    "pose infinite": (note(1, pose=Pose(0, float("inf"))), "invalid_pose"),
    "quaternion not of length 1": (note(1, pose=Pose(qw=0.9)), "invalid_pose"),
    "quaternion zero": (note(1, pose=Pose(qw=0.0)), "invalid_pose"),
    "covariance too short": (note(1, covariance=(1.0,) * 35), "invalid_pose"),
    "covariance NaN": (note(1, covariance=(float("nan"),) * 36), "invalid_pose"),
    "covariance negative": (note(1, covariance=(-1.0,) * 36), "invalid_pose"),
    "confidence above 1": (note(1, confidence=1.1), "input_rejected"),
    "confidence NaN": (note(1, confidence=float("nan")), "input_rejected"),
    "confidence no number": (note(1, confidence="high"), "input_rejected"),
    "text blank": (note(1, text="  "), "invalid_text"),
    "text too long": (note(1, text="x" * (validation.MAX_TEXT + 1)), "invalid_text"),
    "text with NUL": (note(1, text="a\0"), "invalid_text"),
    "text with a lone surrogate": (note(1, text="\udfff"), "invalid_text"),
    "text bytes": (note(1, text=b"cup"), "invalid_text"),
    "too many sightings": (note(1, sightings=(SEEN,) * 4097), "invalid_sighting"),
    "label blank": (note(1, sightings=(change(SEEN, label=""),)), "invalid_sighting"),
    "label too long": (note(1, sightings=(change(SEEN, label="x" * 257),)), "invalid_sighting"),
    "label no text": (note(1, sightings=(change(SEEN, label=None),)), "invalid_sighting"),
    "label a surrogate": (note(1, sightings=(change(SEEN, label="\ud800"),)), "invalid_sighting"),
    "position NaN": (
        note(1, sightings=(change(SEEN, position=(0, 0, float("nan"))),)), "invalid_sighting"),
    "position too short": (note(1, sightings=(change(SEEN, position=(0, 0)),)), "invalid_sighting"),
    "bearing infinite": (
        note(1, sightings=(change(SEEN, bearing=(0, float("inf"))),)), "invalid_sighting"),
    "size too short": (note(1, sightings=(change(SEEN, size=(1,)),)), "invalid_sighting"),
    "sighting covariance": (
        note(1, sightings=(change(SEEN, covariance=(1.0,) * 8),)), "invalid_sighting"),
    "sighting confidence": (note(1, sightings=(change(SEEN, confidence=2),)), "invalid_sighting"),
    "sighting vector zero": (
        note(1, sightings=(change(SEEN, embedding=np.zeros(4)),)), "invalid_vector"),
    "sighting vector NaN": (
        note(1, sightings=(change(SEEN, embedding=np.full(4, np.nan)),)), "invalid_vector"),
    "picture empty": (note(1, keyframe=change(PICTURE, jpeg=b"")), "invalid_image"),
    "picture too large": (
        note(1, keyframe=change(PICTURE, jpeg=jpeg(1, validation.MAX_KEYFRAME_BYTES))),
        "invalid_image"),
    "picture no JPEG": (note(1, keyframe=change(PICTURE, jpeg=b"\x89PNG....")), "invalid_image"),
    "picture cut short": (
        note(1, keyframe=change(PICTURE, jpeg=b"\xff\xd8\xff" + bytes(500))), "invalid_image"),
    "picture without size": (note(1, keyframe=change(PICTURE, width=0)), "invalid_image"),
    "extra no JSON": (note(1, extra={"a": object()}), "input_rejected"),
    "extra NaN": (note(1, extra={"a": float("nan")}), "input_rejected"),
    "extra too long": (note(1, extra={"a": "x" * 65_536}), "input_rejected"),
    "nothing in it": (Observation("empty", START_NS), "empty_observation"),
    "unknown anchor": (note(1, anchor_id="elsewhere"), "unknown_frame"),
    "unknown map": (note(1, map_id="elsewhere"), "unknown_frame"),
    "vector of another length": (note(1, embeddings={"image": unit(1, 9)}), "dimension_mismatch"),
    "vector a matrix": (note(1, embeddings={"image": np.eye(8)}), "dimension_mismatch"),
    "vector a number": (note(1, embeddings={"image": np.float32(1)}), "dimension_mismatch"),
    "vector zero": (note(1, embeddings={"image": np.zeros(DIMENSION)}), "invalid_vector"),
    "vector NaN": (note(1, embeddings={"new": np.full(3, np.nan)}), "invalid_vector"),
    "vector infinite": (note(1, embeddings={"new": np.full(3, np.inf)}), "invalid_vector"),
}  # fmt: skip


def counts(memory):
    return {code: count for code, (count, _) in memory.store.refusals().items()}


@pytest.mark.parametrize("kind", REFUSED)
def test_bad_input_is_refused_with_its_code_and_counted(memory, kind):
    memory.observe(rich(0))
    bad, code = REFUSED[kind]
    with pytest.raises(errors.InputRejected) as raised:
        memory.observe(bad)
    assert raised.value.code == code
    with pytest.raises(errors.InputRejected):
        memory.submit(bad)
    acknowledged = memory.observe([note(5), bad, note(6)])
    assert acknowledged.added == ("note-00005", "note-00006")
    assert [item.code for item in acknowledged.refused] == [code]
    assert counts(memory) == {code: 3}
    assert memory.verify().stored == 3


def test_refusals_are_counted_by_code_and_kept_after_reopening(tmp_path):
    expected = {}
    with opened(tmp_path) as memory:
        memory.observe(rich(0))
        for bad, code in REFUSED.values():
            expected[code] = expected.get(code, 0) + 1
            with pytest.raises(errors.InputRejected):
                memory.observe(bad)
    with opened(tmp_path, read_only=True) as memory:
        assert counts(memory) == expected
        assert memory.store.count() == 1


def test_two_lengths_of_a_new_space_in_one_batch_refuse_only_the_second(memory):
    first = note(1, embeddings={"new": unit(1, 5)})
    second = note(2, embeddings={"new": unit(2, 6)})
    acknowledged = memory.observe([first, second, note(3)])
    assert acknowledged.added == ("note-00001", "note-00003")
    assert [item.code for item in acknowledged.refused] == ["dimension_mismatch"]


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"text": " "}, errors.InvalidQuery),
        ({"text": "x" * 4_097}, errors.InvalidQuery),
        ({"k": 0}, errors.InvalidQuery),
        ({"k": 1_001}, errors.InvalidQuery),
        ({"near": (0, 0, float("nan"))}, errors.InvalidQuery),
        ({"near_scale_m": 0}, errors.InvalidQuery),
        ({"around_scale_s": float("inf")}, errors.InvalidQuery),
        ({"filters": Filters(span=TimeSpan(5, 4))}, errors.InvalidQuery),
        ({"filters": Filters(region=Box((0, 0, 0), (1, -1, 1)))}, errors.InvalidQuery),
        ({"filters": Filters(region=Sphere((0, 0), -1))}, errors.InvalidQuery),
        ({"filters": Filters(region=Sphere((0, float("nan")), 1))}, errors.InvalidQuery),
        ({"vectors": {"unknown": unit(1)}}, errors.InvalidQuery),
        ({"vectors": {"image": unit(1, 9)}}, errors.DimensionMismatch),
        ({"vectors": {"image": np.full(DIMENSION, np.nan)}}, errors.InvalidVector),
    ],
)
def test_a_query_that_contradicts_itself_is_refused(memory, options, error):
    memory.observe(rich(0))
    with pytest.raises(error):
        memory.recall(Query(**options))


@pytest.mark.parametrize(
    "options",
    [{}, {"ids": ["unknown"]}, {"filters": Filters()}, {"ids": ["note-00000"], "reason": " "}],
)
def test_forgetting_without_saying_what_or_why_is_refused(memory, options):
    memory.observe(note(0))
    with pytest.raises(errors.InvalidQuery):
        memory.forget(**{"reason": "test", **options})
    assert memory.store.count() == 1


# -- group commit --------------------------------------------------------------------------


def test_many_threads_share_commits(tmp_path):
    with opened(tmp_path) as memory:
        before = memory.store.counter("commits")
        with ThreadPoolExecutor(16) as pool:
            done = list(pool.map(lambda n: memory.observe(note(n)), range(400)))
        assert sorted(item.added[0] for item in done) == [note(n).id for n in range(400)]
        assert memory.store.counter("commits") - before < 400
        assert memory.verify().clean


def test_submissions_nobody_waits_for_share_one_commit(tmp_path):
    with opened(tmp_path, commit_window_s=30) as memory:
        before = memory.store.counter("commits")
        futures = [memory.submit(note(n)) for n in range(100)]
        memory.observe(note(100))  # somebody waits: all of them go
        assert [future.result(timeout=10).observations[0].id for future in futures] == [
            note(n).id for n in range(100)
        ]
        assert memory.store.counter("commits") - before <= 2


def test_what_was_handed_in_is_on_disk_after_a_flush(tmp_path):
    with opened(tmp_path, commit_window_s=30) as memory:
        futures = [memory.submit(note(n)) for n in range(10)]
        memory.flush()
        assert all(future.done() for future in futures)
        before = memory.store.counter("commits")
        memory.flush()  # with nothing to write
        assert memory.store.counter("commits") == before
        assert memory.verify().clean


def test_one_bad_submission_does_not_fail_the_others():
    written, gate = [], threading.Event()

    def commit(observations):
        gate.wait(10)
        if any(item.text == "bad" for item in observations):
            raise errors.UnknownFrame("bad")
        if any(item.text == "odd" for item in observations):
            raise TypeError("odd")
        start = len(written)
        written.extend(observations)
        return Written(tuple(range(start, len(written))), tuple(observations), ())

    committer = GroupCommitter(commit, window_s=0)
    texts = ["good", "bad", "good", "odd", "good"]
    futures = [committer.submit([note(n, text=text)], urgent=False) for n, text in enumerate(texts)]
    gate.set()
    found = [type(future.exception(timeout=10)) for future in futures]
    committer.close()
    assert found == [type(None), errors.UnknownFrame, type(None), TypeError, type(None)]
    assert [item.id for item in written] == [note(n).id for n in (0, 2, 4)]


def test_a_submission_cannot_be_cancelled_and_does_not_stop_the_writer(tmp_path):
    with opened(tmp_path, commit_window_s=30) as memory:
        future = memory.submit(note(1))
        assert not future.cancel()
        assert memory.observe(note(2)).added == ("note-00002",)
        assert future.result(timeout=10).observations[0].id == "note-00001"


def test_the_same_id_from_two_threads_is_added_once_and_known_once():
    gate = threading.Event()

    def commit(observations):
        gate.wait(10)
        fresh = {item.id: item for item in observations}
        return Written(tuple(range(1, len(fresh) + 1)), tuple(fresh.values()), ())

    committer = GroupCommitter(commit, window_s=0)
    committer.submit([note(9)], urgent=False)
    first, second = (committer.submit([note(1)], urgent=False) for _ in range(2))
    gate.set()
    assert [item.id for item in first.result(10).observations] == ["note-00001"]
    assert second.result(10).known == ("note-00001",)
    committer.close()


def test_closing_commits_what_was_handed_in(tmp_path):
    memory = opened(tmp_path, commit_window_s=30)
    futures = [memory.submit(note(n)) for n in range(50)]
    memory.close()
    assert all(future.done() for future in futures)
    with opened(tmp_path) as memory:
        assert memory.store.count() == 50


@pytest.mark.parametrize(
    "call",
    [
        lambda m: m.observe(note(1)), lambda m: m.submit(note(1)), lambda m: m.recall("cup"),
        lambda m: m.forget(ids=["a"], reason="b"), lambda m: m.add_anchor("a", Pose()),
        lambda m: m.verify(), lambda m: m.info(), lambda m: m.keyframe("a"),
    ],
)  # fmt: skip
def test_a_closed_memory_says_so(tmp_path, call):
    memory = opened(tmp_path)
    memory.close()
    memory.close()
    with pytest.raises(errors.MemoryClosed):
        call(memory)


# -- one writer, many readers --------------------------------------------------------------


def python(code, *arguments, **options):
    """Start a child with this interpreter and these modules."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment, **options,
    )  # fmt: skip


OPENING = """
import sys
from memory_core.memory import RobotMemory
memory = RobotMemory.open(sys.argv[1], text_encoder=None, gpu=False, read_only=len(sys.argv) > 2)
print("open", flush=True)
"""
WAITING = OPENING + "sys.stdin.readline(); memory.close()\n"
FOLLOWING = (
    OPENING
    + """
import time
from memory_core.types import Query
for line in sys.stdin:
    begun, found = time.monotonic(), ""
    while line.strip() not in found and time.monotonic() < begun + 5:
        found = " ".join(e.observation.id for e in memory.recall(Query(k=5)).evidence)
    print(time.monotonic() - begun if line.strip() in found else 99, flush=True)
"""
)


def test_a_second_writer_is_refused_and_told_who_holds_the_memory(tmp_path):
    with python(WAITING, tmp_path) as child:
        assert child.stdout.readline() == "open\n"
        with pytest.raises(errors.MemoryLocked, match=rf"process {child.pid} \(-c\)"):
            opened(tmp_path)
        with opened(tmp_path, read_only=True) as reader:
            assert reader.store.count() == 0
        child.communicate("\n", timeout=10)
    opened(tmp_path).close()


def test_a_second_writer_in_the_same_process_is_refused(memory):
    with pytest.raises(errors.MemoryLocked, match=str(os.getpid())):
        opened(memory.folder)
    memory.observe(note(1))


def test_a_killed_writer_leaves_no_lock(tmp_path):
    with python(WAITING, tmp_path) as child:
        child.stdout.readline()
        child.kill()
        child.wait(10)
    opened(tmp_path).close()


def test_readers_in_another_process_see_a_row_within_a_second(memory):
    memory.observe(note(0))
    with python(FOLLOWING, memory.folder, "read-only") as child:
        assert child.stdout.readline() == "open\n"
        for number in range(1, 6):
            memory.observe(rich(number))
            child.stdin.write(f"{note(number).id}\n")
            child.stdin.flush()
            assert float(child.stdout.readline()) < 1
        child.communicate(timeout=10)


def test_a_reader_follows_rows_removals_and_corrections_of_the_writer(memory):
    memory.observe([rich(n) for n in range(30)])
    with opened(memory.folder, read_only=True) as reader:
        memory.add_anchor("dock", Pose(100, 0), map_id="cellar")
        memory.observe([rich(n, map_id="cellar", anchor_id="dock", id=f"c{n}") for n in (31, 32)])
        memory.forget(ids=["note-00004"], reason="test")
        memory.move_anchors({"dock": Pose(500, 0)}, map_id="cellar")
        found = reader.recall(Query(filters=Filters(maps=("cellar",)), k=100))
        assert {e.observation.id for e in found.evidence} == {"c31", "c32"}
        assert {e.epoch for e in found.evidence} == {1}
        assert all(e.position[0] >= 500 for e in found.evidence)
        assert reader.recall(Query(k=100)).considered == 31
        assert reader.observation("note-00004") is None
        assert reader.verify().clean


def test_a_reader_beside_a_busy_writer_never_fails(memory):
    """Anchors come with the rows that use them, in one view of the database."""
    problems, done = [], threading.Event()

    def read():
        with opened(memory.folder, read_only=True) as reader:
            while not done.is_set():
                try:
                    found = reader.recall(Query(filters=Filters(maps=("map",)), k=1_000))
                    if len({e.observation.id for e in found.evidence}) != len(found.evidence):
                        problems.append("an observation came twice")
                except Exception as error:
                    problems.append(repr(error))

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for number in range(80):
        memory.add_anchor(f"frame-{number}", Pose(float(number)))
        memory.observe(note(number, anchor_id=f"frame-{number}"))
        memory.move_anchors({f"frame-{number}": Pose(number + 0.5)})
    done.set()
    for reader in readers:
        reader.join()
    assert problems == []


@pytest.mark.parametrize(
    "call",
    [
        lambda m: m.observe(note(1)), lambda m: m.submit(note(1)),
        lambda m: m.forget(ids=["a"], reason="b"), lambda m: m.add_anchor("a", Pose()),
        lambda m: m.move_anchors({}), lambda m: m.reembed(), lambda m: m.count_refusals([]),
    ],
)  # fmt: skip
def test_a_reader_is_refused_every_change(memory, call):
    with opened(memory.folder, read_only=True) as reader, pytest.raises(errors.MemoryReadOnly):
        call(reader)


@pytest.mark.parametrize("options", [{"read_only": True}, {"create": False}])
def test_a_memory_that_is_not_there_is_missing(tmp_path, options):
    with pytest.raises(errors.MemoryMissing):
        opened(tmp_path / "nowhere", **options)
    assert not (tmp_path / "nowhere").exists()


# -- pictures, models ----------------------------------------------------------------------


def test_the_oldest_pictures_go_beyond_the_budget_and_their_observations_stay(tmp_path):
    with opened(tmp_path, keyframe_budget_bytes=5_000) as memory:
        for number in range(20):
            memory.observe(note(number, keyframe=Keyframe(jpeg(number, 994), 8, 8)))
        kept = [n for n in range(20) if memory.keyframe(note(n).id) is not None]
        assert kept == [16, 17, 18, 19]  # a twentieth below the budget, so that few records do
        assert memory.keyframe(note(19).id).jpeg == jpeg(19, 994)
        assert memory.store.count() == 20
        assert memory.store.counter("keyframe_bytes") == 4_000
        records = [item for item in memory.removals() if item.kind == "retention"]
        assert [item.keyframes for item in records] == [2] * 8
        assert sum(item.keyframe_bytes for item in records) == 16_000
        assert memory.verify().clean


def test_a_memory_refuses_another_model_and_says_how_to_go_on(tmp_path):
    with opened(tmp_path, text_encoder=HashingEncoder(64)) as memory:
        memory.observe([note(n) for n in range(12)])
    with pytest.raises(errors.EncoderMismatch, match="reembed"):
        opened(tmp_path, text_encoder=HashingEncoder(32))
    with opened(tmp_path, text_encoder=HashingEncoder(64)) as memory:
        assert memory.recall("kettle").evidence[0].observation.text.startswith("kettle")


def test_reembedding_changes_the_model_of_a_memory(tmp_path):
    with opened(tmp_path, text_encoder=HashingEncoder(64)) as memory:
        memory.observe([note(n) for n in range(300)])
        memory.forget(ids=["note-00005"], reason="test")
    seen = []
    with opened(tmp_path) as memory:
        made = memory.reembed(HashingEncoder(32), progress=lambda *done: seen.append(done))
        assert made == 299
        assert seen[-1] == (299, 299)
        memory.observe(note(400, text="zebra crossing"))
        assert memory.recall("zebra crossing", k=1).evidence[0].observation.id == "note-00400"
    with opened(tmp_path, text_encoder=HashingEncoder(32)) as memory:
        assert memory.store.spaces()["text"] == EmbeddingSpace("hashing", "1", 32)
        wanted = HashingEncoder(32).encode([note(7).text])[0]
        rowids, vectors = memory.store.vectors_of("text", [8])
        assert rowids.tolist() == [8]
        assert np.allclose(vectors[0], wanted, atol=1e-3)
        assert memory.index.nearest("text", wanted, 1, None).rowids.tolist() == [8]
        assert memory.verify().clean


def test_reembedding_without_a_model_is_refused(memory):
    with pytest.raises(errors.InvalidQuery):
        memory.reembed()


# -- copies --------------------------------------------------------------------------------


def test_a_backup_made_while_writing_is_a_whole_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(store_module, "_BACKUP_PAGES", 8)
    added = []
    with opened(tmp_path / "memory") as memory:
        memory.observe([rich(n) for n in range(200)])

        def write(done, total):
            if len(added) < 20:
                number = 200 + len(added)
                memory.submit(rich(number)).result(timeout=10)
                added.append(number)

        memory.backup(tmp_path / "copy", progress=write)
    assert added  # the backup did not hold the writer up
    with opened(tmp_path / "copy") as copy:
        result = copy.verify()
        stored = fetched(copy)
        copy.observe(rich(999))
    assert result.clean
    assert 200 <= result.stored <= 220
    assert all(not differences(item, rich(number)) for number, item in enumerate(stored))


@pytest.mark.parametrize("checked", [True, False])
def test_a_backup_larger_than_sqlites_cache_can_be_read(tmp_path, monkeypatch, checked):
    """Pages that leave the cache before the header is written were without a checksum."""
    monkeypatch.setattr(database, "_CACHE_KIB", 64)
    with monkeypatch.context() as patched:
        if not checked:
            patched.setattr(database, "checksummed", lambda: False)
        memory = opened(tmp_path / "memory")
    with memory:
        for start in range(0, 3_200, 10):
            memory.observe([rich(n) for n in range(start, start + 10)])
        memory.backup(tmp_path / "copy")
    file = tmp_path / "copy" / "memory.db"
    assert file.stat().st_size > 600 * 4096  # SQLite's own cache holds 500
    assert database.has_checksums(file) == checked
    with opened(tmp_path / "copy", read_only=True) as copy:
        assert copy.verify().clean
        assert copy.store.count() == 3_200


def test_a_backup_does_not_overwrite(memory, tmp_path):
    (tmp_path / "copy").mkdir()
    (tmp_path / "copy" / "mine").touch()
    with pytest.raises(errors.InvalidQuery):
        memory.backup(tmp_path / "copy")
    assert [path.name for path in (tmp_path / "copy").iterdir()] == ["mine"]


# -- formats, closing ----------------------------------------------------------------------


@pytest.mark.parametrize("read_only", [False, True])
def test_a_format_from_the_future_is_refused_and_left_alone(tmp_path, read_only):
    with opened(tmp_path) as memory:
        memory.observe(note(1))
        with memory.store.changing() as db:
            db.execute("INSERT INTO migrations VALUES (99, '99 from the future', 1)")
    with pytest.raises(errors.FormatUnsupported, match="update robot-memory"):
        opened(tmp_path, read_only=read_only)


def test_a_database_of_something_else_is_refused(tmp_path):
    other = apsw.Connection(str(tmp_path / "memory.db"))
    other.execute("CREATE TABLE recipes (name)")
    other.close()
    with pytest.raises(errors.RobotMemoryError):
        opened(tmp_path, read_only=True)


def test_closing_and_opening_take_under_a_second(tmp_path):
    vectors = np.random.default_rng(1).normal(size=(20_000, 64)).astype(np.float16)
    memory = opened(tmp_path)
    memory.observe([note(n, embeddings={"image": vectors[n]}) for n in range(20_000)])
    begun = time.perf_counter()
    memory.close()
    closed = time.perf_counter()
    assert closed - begun < 1
    with opened(tmp_path) as memory:
        assert time.perf_counter() - closed < 1
        assert memory.index.ready
        assert len(memory.index) == 20_000


def test_leaving_the_index_out_changes_nothing_that_is_recalled(tmp_path):
    query = Query(text="cup", vectors={"image": unit(3)}, k=20, near=(1.0, 1.0, 0.0))
    with opened(tmp_path) as memory:
        memory.observe([rich(n) for n in range(200)])
        before = [(e.observation.id, e.weight) for e in memory.recall(query).evidence]
    for path in (tmp_path / "index").iterdir():
        path.unlink()
    with opened(tmp_path) as memory:
        assert [(e.observation.id, e.weight) for e in memory.recall(query).evidence] == before


def test_who_reads_does_not_wait_for_a_change_and_who_changes_sees_it(memory):
    memory.observe(rich(1))
    store, found = memory.store, []
    with store.together():
        store.remove([1], kind="test", reason="test", selection={}, keep_ids=False)
        assert store.count() == 0
        other = threading.Thread(target=lambda: found.append(len(store.fetch([1]))))
        other.start()
        other.join(5.0)
        assert found == [1]
    assert store.fetch([1]) == []


def test_another_program_that_looks_into_the_database_leaves_the_log_of_who_writes(memory):
    memory.observe(rich(1))
    path = memory.store.path
    look = f"import sqlite3; c = sqlite3.connect({str(path)!r}); c.execute('SELECT count(*) FROM observations').fetchall(); c.close()"  # fmt: skip
    subprocess.run([sys.executable, "-c", look], check=True)
    assert path.with_name(f"{path.name}-wal").exists()
    memory.observe(rich(2))
    with opened(memory.folder, read_only=True) as other:
        assert other.store.count() == 2


def test_questions_at_once_open_no_more_files_than_one_does(memory):
    memory.observe([note(1), note(2)])
    memory.observation("note-00001")

    def opened_files():
        folder = os.path.realpath(memory.folder)
        return sorted(f.path for f in psutil.Process().open_files() if f.path.startswith(folder))

    files = opened_files()
    together = threading.Barrier(readers.MOST)

    def read(_):
        with memory.store.reading() as db:
            together.wait(5.0)
            return db.execute("SELECT count(*) FROM observations").get

    with ThreadPoolExecutor(readers.MOST) as threads:
        assert list(threads.map(read, range(readers.MOST))) == [2] * readers.MOST
    assert opened_files() == files
    assert files.count(os.path.realpath(memory.store.path)) > readers.MOST


def test_a_connection_that_is_lent_while_the_store_closes_is_closed_when_it_comes_back(
    tmp_path, monkeypatch
):
    monkeypatch.setattr("memory_core.episodic.readers._CLOSING_S", 0.1)
    store = EpisodicStore(tmp_path, write=True)
    lent, back, seen = threading.Event(), threading.Event(), []

    def read():
        with store.reading() as db:
            seen.append(db)
            lent.set()
            back.wait(5.0)

    reader = threading.Thread(target=read)
    reader.start()
    lent.wait(5.0)
    store.close()
    back.set()
    reader.join(5.0)
    with pytest.raises(apsw.ConnectionClosedError):
        seen[0].execute("SELECT 1")
    with pytest.raises(errors.MemoryClosed):
        store.count()
