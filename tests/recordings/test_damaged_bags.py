"""Bags that were cut short, lost their index or their metadata: what came before is kept."""

from __future__ import annotations

import random
import shutil
import sqlite3

import numpy as np
import pytest

from memory_core.errors import RecordingUnreadable
from memory_core.ingestion import ingest
from memory_core.memory import RobotMemory
from memory_core.recordings import Reading, open_recording
from tests.recordings.writing import START_NS, header, odometry, write_bag

SAID = 400
STEP_S = 0.1


def long_bag(path, storage):
    """400 captions, half a kilobyte each, beside odometry and pictures nobody can read."""
    ballast = random.Random(1)
    sent = []
    for number in range(SAID):
        at = number * STEP_S
        words = f"thing number {number} " + "seen on the way " * 30
        sent.append((at, "/odom", "odometry", odometry(at, (at, 0.0, 0.0))))
        sent.append((at, "/captions", "string", {"data": words}))
        blob = {
            "header": header("camera", at),
            "data": np.frombuffer(ballast.randbytes(6_000), np.uint8),
        }
        sent.append((at, "/ballast/depth", "compressed", blob))
    return write_bag(path, sent, storage=storage)


@pytest.fixture(scope="module", params=["sqlite3", "mcap"])
def bag(request, tmp_path_factory):
    return long_bag(tmp_path_factory.mktemp(request.param) / "bag", request.param)


@pytest.fixture
def copy(bag, tmp_path):
    return shutil.copytree(bag, tmp_path / "copy")


def storage_file(folder):
    return next(f for f in folder.iterdir() if f.suffix in (".db3", ".mcap"))


def cut(path, share):
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])


def numbers_said(path):
    """(numbers of the captions that could be read, the error at the end)."""
    said, reading = [], Reading()
    try:
        for item in open_recording(path).observations(reading):
            if item.source == "/captions":
                said.append(int(item.text.split()[2]))
    except RecordingUnreadable as error:
        return said, error
    return said, None


def test_the_whole_bag_is_whole(bag):
    assert numbers_said(bag) == (list(range(SAID)), None)


@pytest.mark.parametrize("share", [0.5, 0.75, 0.95])
@pytest.mark.parametrize("bare", [False, True])
def test_what_came_before_the_cut_is_kept_and_the_end_reported(copy, share, bare):
    cut(storage_file(copy), share)
    said, error = numbers_said(storage_file(copy) if bare else copy)
    # an mcap file loses the chunk it was cut in, one of three
    assert len(said) >= SAID * (share - 0.4)
    assert said == list(range(len(said)))
    assert len(said) < SAID
    assert "what came before is kept" in str(error)


def test_a_cut_bag_goes_into_a_memory_as_incomplete_with_its_places(copy, tmp_path):
    cut(storage_file(copy), 0.75)
    with RobotMemory.open(tmp_path / "memory", text_encoder=None) as memory:
        done = ingest(memory, copy)
        assert not done.complete
        assert done.damage
        assert done.refused["recording_unreadable"] == 1
        assert done.added > 100
        assert memory.info()["recordings"][0]["complete"] is False
        moment = START_NS + 5 * 10**9
        assert memory.pose_at(moment).x == pytest.approx(5.0, abs=0.005)
        (found,) = memory.recall("thing number 50", k=1).evidence
        assert found.position[0] == pytest.approx(5.0, abs=0.005)
        again = ingest(memory, copy)
        assert (again.added, again.known) == (0, done.added)
        assert memory.info()["refused"]["recording_unreadable"]["count"] == 1


def test_a_recorder_that_was_killed_left_no_metadata_and_is_read_all_the_same(copy):
    (copy / "metadata.yaml").unlink()
    assert numbers_said(copy) == (list(range(SAID)), None)


def test_several_files_without_metadata_are_read_one_after_the_other(tmp_path):
    folder = tmp_path / "bag"
    folder.mkdir()
    for part in range(2):
        sent = [
            (part * 10 + n, "/captions", "string", {"data": f"thing number {part * 10 + n} seen"})
            for n in range(10)
        ]
        made = write_bag(tmp_path / f"part_{part}", sent, storage="mcap")
        shutil.copy(storage_file(made), folder / f"bag_{part}.mcap")
    assert numbers_said(folder) == (list(range(20)), None)
    cut(folder / "bag_1.mcap", 0.2)
    said, error = numbers_said(folder)
    assert said == list(range(10))
    assert "bag_1.mcap" in str(error)


def test_a_bag_of_which_nothing_is_left_is_refused(copy):
    cut(storage_file(copy), 0.0005)
    with pytest.raises(RecordingUnreadable, match="cannot be opened"):
        open_recording(copy)


def test_damage_in_the_middle_ends_the_reading_in_words(tmp_path):
    bag = long_bag(tmp_path / "bag", "mcap")
    path = storage_file(bag)
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 40_000] = bytes(40_000)
    path.write_bytes(bytes(data))
    said, error = numbers_said(bag)
    if error is None:  # zeros inside a picture do no harm to words
        pytest.fail(f"{len(said)} captions read over the damage without a word about it")
    assert said == list(range(len(said)))


def test_a_broken_page_in_the_middle_ends_the_reading_in_words(tmp_path):
    bag = long_bag(tmp_path / "bag", "sqlite3")
    path = storage_file(bag)
    with sqlite3.connect(path) as database:
        (size,) = database.execute("PRAGMA page_size").fetchone()
    database.close()
    data = bytearray(path.read_bytes())
    middle = len(data) // 2 // size * size
    data[middle : middle + 40 * size] = b"\xff" * (40 * size)
    path.write_bytes(bytes(data))
    said, error = numbers_said(bag)
    assert 50 < len(said) < SAID
    assert said == list(range(len(said)))
    assert error is not None


@pytest.mark.parametrize("seed", range(6))
def test_flipped_bytes_never_do_worse_than_a_refusal(copy, seed):
    chance = random.Random(seed)
    path = storage_file(copy)
    data = bytearray(path.read_bytes())
    for _ in range(chance.choice([1, 20, 500])):
        data[chance.randrange(len(data))] = chance.randrange(256)
    path.write_bytes(bytes(data))
    try:
        recording = open_recording(copy)
        for item in recording.observations(Reading()):
            assert item.id
    except RecordingUnreadable as error:
        assert str(error)
