"""Flipped bits, cut files, full disks: an error or the right answer, never a wrong one."""

from __future__ import annotations

import contextlib
import dataclasses
import gc
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from episodic.making import DIMENSION, START_NS, differences, note, rich, unit
from memory_core.episodic.cache import IndexCache, Watermark
from memory_core.episodic.columns import Columns
from memory_core.episodic.database import connect
from memory_core.episodic.index import DatabaseScan
from memory_core.episodic.vectors import CpuIndex
from memory_core.errors import (
    MemoryDamaged,
    MemoryMissing,
    MemoryReadOnly,
    RobotMemoryError,
    StorageFull,
)
from memory_core.memory import RobotMemory
from memory_core.perception.text import HashingEncoder
from memory_core.types import (
    Box,
    EmbeddingSpace,
    Filters,
    Observation,
    Pose,
    Query,
    Sighting,
    TimeSpan,
)

COUNT = 90
FORGOTTEN = {f"note-{n:05d}" for n in (3, 4, 50, 80)}
ANCHOR = {"anchor_id": "dock"}


def opened(folder, **options):
    return RobotMemory.open(folder, text_encoder=HashingEncoder(16), gpu=False, **options)


def wanted(number):
    return rich(number, **(ANCHOR if number % 4 == 0 else {}))


def fill(memory):
    """90 observations, 4 forgotten, one anchor corrected twice; the last change is a removal."""
    memory.add_anchor("dock", Pose(20, 0))
    memory.observe([wanted(n) for n in range(60)])
    memory.forget(ids=[f"note-{n:05d}" for n in (3, 4, 50)], reason="test")
    memory.move_anchors({"dock": Pose(30, 5)})
    memory.index.checkpoint()
    memory.observe([wanted(n) for n in range(60, COUNT)])
    memory.move_anchors({"dock": Pose.from_yaw(40, 5, yaw=0.5)})
    memory.forget(ids=["note-00080"], reason="test")


@pytest.fixture(scope="module")
def closed(tmp_path_factory):
    """A memory that was closed in order: everything lies in memory.db and index/."""
    folder = tmp_path_factory.mktemp("closed") / "memory"
    with opened(folder) as memory:
        fill(memory)
    assert not (folder / "memory.db-wal").exists()
    return folder


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    """A memory whose writer vanished: much of it lies in the log."""
    folder = tmp_path_factory.mktemp("running") / "memory"
    copy = folder.parent / "copy"
    with opened(folder) as memory:
        with memory.store.changing() as db:
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        fill(memory)
        shutil.copytree(folder, copy, ignore=shutil.ignore_patterns("*-shm"))
    assert (copy / "memory.db-wal").stat().st_size > 100_000
    return copy


def contents(observation):
    vectors = {name: vector.tobytes() for name, vector in observation.embeddings.items()}
    seen = [s.embedding if s.embedding is None else s.embedding.tobytes()
            for s in observation.sightings]  # fmt: skip
    return observation, vectors, seen


def answers(folder, **options):
    """All that a memory says, in a form that can be compared; or the problems `verify` saw."""
    with opened(folder, **options) as memory:
        checked = memory.verify()
        if not checked.clean:
            return "problems", checked.problems
        stored = memory.store.fetch(list(memory.store.rowids()), keyframes=True, embeddings=True)
        filters = [
            Filters(region=Box((0, 0, -1), (45, 6, 1))), Filters(robots=("ann",)),
            Filters(span=TimeSpan(START_NS + 10**10, START_NS + 40 * 10**9)),
        ]  # fmt: skip
        queries = [
            Query(text="cup"), Query(vectors={"image": unit(7)}, k=30), Query(k=100),
            *(Query(vectors={"image": unit(9)}, filters=f, k=50) for f in filters),
        ]  # fmt: skip
        recalled = []
        for query in queries:
            found = memory.recall(query)
            rows = [(e.observation.id, e.weight, e.position, e.epoch) for e in found.evidence]
            recalled.append((found.considered, rows))
        return "said", (
            [(s.rowid, contents(s.observation), s.map_pose, s.epoch) for s in stored],
            recalled,
            [memory.index.select(f).tolist() for f in filters],
            [DatabaseScan(memory.store).select(f).tolist() for f in filters],
            [(r.id, r.kind, r.reason, r.observations) for r in memory.removals()],
            (checked.acknowledged, checked.stored, checked.removed, memory.store.epochs()),
            memory.store.anchor_history("map", "dock"),
        )


def outcome(folder, truth, **options):
    """`error`, `problems`, `same`, or `different`."""
    try:
        kind, said = answers(folder, **options)
    except RobotMemoryError:
        return "error"
    if kind == "problems":
        return "problems"
    return "same" if said == truth else "different"


def flip(path, offset, bit):
    with path.open("r+b") as file:
        file.seek(offset)
        byte = file.read(1)[0]
        file.seek(offset)
        file.write(bytes([byte ^ 1 << bit]))


def places(size, count, *, seed, extra=()):
    """Seeded offsets into a file, its ends and some special ones among them."""
    chance = random.Random(seed)
    chosen = {0, size - 1, *(n for n in extra if n < size)}
    while len(chosen) < min(size, count):
        chosen.add(chance.randrange(size))
    return sorted(chosen)


class Bench:
    """Copies a memory, damages one file of the copy, and asks it everything."""

    def __init__(self, sound, workshop):
        self.sound, self.copy = sound, workshop / "copy"
        kind, self.truth = answers(self.fresh())
        assert kind == "said"

    def fresh(self):
        shutil.rmtree(self.copy, ignore_errors=True)
        shutil.copytree(self.sound, self.copy)
        return self.copy

    def flipped(self, name, offset, bit):
        flip(self.fresh() / name, offset, bit)
        return outcome(self.copy, self.truth)

    def cut(self, name, length):
        os.truncate(self.fresh() / name, length)
        return outcome(self.copy, self.truth)


@pytest.fixture
def closed_bench(closed, tmp_path):
    return Bench(closed, tmp_path)


@pytest.fixture
def running_bench(running, tmp_path):
    return Bench(running, tmp_path)


@pytest.mark.parametrize("part", range(4))
def test_a_flipped_bit_in_the_database_never_changes_an_answer(closed_bench, part):
    size = (closed_bench.sound / "memory.db").stat().st_size
    header = range(100) if part == 0 else ()  # the first page says what all others are
    found = [
        closed_bench.flipped("memory.db", offset, random.Random(offset).randrange(8))
        for offset in places(size, 100, seed=part, extra=header)
    ]
    assert "different" not in found
    assert found.count("same") < len(found) / 2


def test_every_bit_that_switches_checksums_off_is_noticed(closed_bench):
    for offset in range(16, 24):
        for bit in range(8):
            assert closed_bench.flipped("memory.db", offset, bit) != "different"


def test_a_database_cut_short_never_changes_an_answer(closed_bench):
    size = (closed_bench.sound / "memory.db").stat().st_size
    lengths = places(size, 60, seed=5, extra=range(4096, size, 65_536))
    assert {closed_bench.cut("memory.db", length) for length in lengths} <= {"error", "problems"}


@pytest.mark.parametrize("part", range(3))
def test_a_flipped_bit_in_the_log_never_changes_an_answer(running_bench, part):
    size = (running_bench.sound / "memory.db-wal").stat().st_size
    header = range(56) if part == 0 else ()  # of the log and of its first frame
    tail = range(size - 4120, size - 4096) if part == 1 else ()  # of its last frame
    found = [
        running_bench.flipped("memory.db-wal", offset, random.Random(offset).randrange(8))
        for offset in places(size, 80, seed=10 + part, extra=(*header, *tail))
    ]
    assert "different" not in found
    assert found.count("same") < len(found) / 2


def test_a_log_cut_short_never_changes_an_answer(running_bench):
    size = (running_bench.sound / "memory.db-wal").stat().st_size
    lengths = places(size, 60, seed=14, extra=range(32, size, 20 * 4120))
    assert {running_bench.cut("memory.db-wal", n) for n in lengths} <= {"error", "problems"}


def test_a_log_that_vanished_is_noticed(running_bench):
    (running_bench.fresh() / "memory.db-wal").unlink()
    assert outcome(running_bench.copy, running_bench.truth) == "error"


@pytest.mark.parametrize("name", ["watermark", "format.json", "lock"])
def test_damage_beside_the_database_never_changes_an_answer(closed_bench, name):
    size = (closed_bench.sound / name).stat().st_size
    found = [
        closed_bench.flipped(name, offset, bit)
        for offset in places(size, 12, seed=15)
        for bit in (0, 7)
    ]
    found += [closed_bench.cut(name, length) for length in places(size, 6, seed=16)]
    (closed_bench.fresh() / name).unlink()
    found.append(outcome(closed_bench.copy, closed_bench.truth))
    allowed = {"same", "error"} if name == "watermark" else {"same"}
    assert set(found) <= allowed


def test_damage_in_the_index_never_changes_an_answer(closed_bench):
    names = sorted(path.name for path in (closed_bench.sound / "index").iterdir())
    assert {"manifest.json", "columns.bin", "image.f16", "image.rowids"} <= set(names)
    used = COUNT * DIMENSION * 2  # of the files of vectors; the rest is room to grow
    found = {}
    for name in names:
        size = (closed_bench.sound / "index" / name).stat().st_size
        size = min(size, used) if name.endswith(".f16") else size
        many = 50 if name == "manifest.json" else 8
        found[name] = [
            closed_bench.flipped(f"index/{name}", offset, bit)
            for offset in places(size, many, seed=17)
            for bit in ((0, 1) if name == "manifest.json" else (5,))
        ]
        found[name] += [closed_bench.cut(f"index/{name}", n) for n in places(size, 4, seed=18)]
        (closed_bench.fresh() / "index" / name).unlink()
        found[name].append(outcome(closed_bench.copy, closed_bench.truth))
    assert {name: set(kinds) for name, kinds in found.items()} == {n: {"same"} for n in names}


def test_damage_in_the_index_never_changes_a_readers_answer(closed_bench):
    for name in ("manifest.json", "columns.bin", "image.f16", "image.rowids"):
        for offset in places((closed_bench.sound / "index" / name).stat().st_size, 4, seed=19):
            flip(closed_bench.fresh() / "index" / name, offset, 1)
            assert outcome(closed_bench.copy, closed_bench.truth, read_only=True) == "same"


def test_an_index_of_another_memory_is_not_used(closed_bench, tmp_path):
    with opened(tmp_path / "other") as other:
        other.observe([note(n) for n in range(200)])
    shutil.rmtree(closed_bench.fresh() / "index")
    shutil.copytree(tmp_path / "other" / "index", closed_bench.copy / "index")
    assert outcome(closed_bench.copy, closed_bench.truth) == "same"


def test_damaged_lists_are_not_loaded(tmp_path):
    pytest.importorskip("faiss", reason="lists are trained by faiss")
    spaces = {"image": EmbeddingSpace("given", "", DIMENSION)}
    cache = IndexCache(tmp_path / "index")
    cache.folder.mkdir()
    index = CpuIndex(DIMENSION, path=cache.vectors_path("image"))
    vectors = np.random.default_rng(1).normal(size=(20_100, DIMENSION)).astype(np.float16)
    index.add(np.arange(1, 20_101), vectors)
    index.train()
    columns = Columns()
    columns.append([(1, 5, 0.0, 0.0, 0.0, 1, 1, 1, 1, 1)], {1: Pose()})
    cache.save(Watermark(20_100, 0, 1), columns, {"image": index}, spaces)

    def load():
        loaded = IndexCache(cache.folder).load(spaces, in_place=False)
        if loaded is None:
            return None
        lists = loaded[2]["image"].lists
        return lists.centroids.tobytes(), lists.assignment.tobytes()

    truth = (index.lists.centroids.tobytes(), index.lists.assignment.tobytes())
    assert load() == truth
    for name in ("image.lists", "image.rowids", "image.f16"):
        path = cache.folder / name
        sound = path.read_bytes()
        for offset in places(20_100 * 2, 15, seed=20):
            flip(path, offset, 3)
            assert load() is None
            path.write_bytes(sound)
        path.write_bytes(sound[:20_000])
        assert load() is None
        path.write_bytes(sound)
    assert load() == truth


# -- repair --------------------------------------------------------------------------------


def assert_balanced(folder, report):
    """After a repair: clean, the account balances, nothing half, nothing forgotten is back."""
    with opened(folder) as memory:
        result = memory.verify()
        assert result.problems == []
        assert result.stored + result.removed == result.acknowledged == COUNT
        stored = memory.store.fetch(list(memory.store.rowids()), keyframes=True, embeddings=True)
        assert len(stored) == result.stored == report.recovered
        for item in stored:
            number = int(item.observation.id.removeprefix("note-"))
            theirs = wanted(number)
            ours = {k: v for k, v in item.observation.embeddings.items() if k != "text"}
            assert not differences(_with(item.observation, ours), theirs)
            assert item.rowid == number + 1
        assert not FORGOTTEN & {item.observation.id for item in stored}
        damage = [item for item in memory.removals() if item.kind == "damage"]
        assert report.lost == result.removed - len(FORGOTTEN) or damage
        memory.observe(wanted(COUNT + 1))  # it can be used again
        assert memory.recall(Query(k=1_000)).considered == result.stored + 1
        return result.stored


def _with(observation, embeddings):
    return dataclasses.replace(observation, embeddings=embeddings)


def repaired(folder):
    """The number stored after a repair; None where only a backup helps."""
    try:
        report = RobotMemory.repair(folder)
    except MemoryDamaged:
        return None
    if report.kept is None:
        return COUNT - len(FORGOTTEN)
    assert (report.kept / "memory.db").exists()
    return assert_balanced(folder, report)


def test_repair_brings_back_what_flipped_bits_left(closed_bench):
    size = (closed_bench.sound / "memory.db").stat().st_size
    stored = []
    for offset in places(size, 45, seed=21):
        flip(closed_bench.fresh() / "memory.db", offset, 4)
        stored.append(repaired(closed_bench.copy))
    assert stored[0] is None  # the very header
    helped = [count for count in stored if count is not None]
    assert len(helped) >= len(stored) * 0.8  # the schema takes some pages of so small a file
    assert np.median(helped) >= (COUNT - len(FORGOTTEN)) * 0.75  # a page holds some 15 of them


def test_repair_reads_pages_whose_checksums_do_not_fit_only_where_it_is_told_to(closed_bench):
    """Every page but the first has a wrong checksum; what is on them is whole."""
    folder = closed_bench.fresh()
    size = (folder / "memory.db").stat().st_size
    for end in range(2 * 4096, size + 1, 4096):
        flip(folder / "memory.db", end - 1, 1)
    shutil.copytree(folder, folder.parent / "same")
    with pytest.raises(MemoryDamaged, match="--unchecked"):
        RobotMemory.repair(folder)
    done = RobotMemory.repair(folder.parent / "same", unchecked=True)
    assert (done.recovered, done.lost) == (COUNT - len(FORGOTTEN), 0)
    with opened(folder.parent / "same") as memory:
        assert memory.verify().clean
        assert "without regard to checksums" in memory.removals()[-1].reason


def test_repair_without_checks_ends_with_a_sound_memory_or_says_that_it_cannot(closed_bench):
    size = (closed_bench.sound / "memory.db").stat().st_size
    mended = 0
    for seed in range(30):
        folder = closed_bench.fresh()
        chance = random.Random(seed)
        for _ in range(12):
            flip(folder / "memory.db", chance.randrange(4096, size), chance.randrange(8))
        with contextlib.suppress(MemoryDamaged):
            report = RobotMemory.repair(folder, unchecked=True)
            with opened(folder) as memory:
                assert memory.store.count() == report.recovered
            mended += 1
    assert mended >= 15


def test_repair_brings_back_what_a_cut_left(closed_bench):
    size = (closed_bench.sound / "memory.db").stat().st_size
    stored = {}
    for length in places(size, 25, seed=22):
        os.truncate(closed_bench.fresh() / "memory.db", length)
        stored[length] = repaired(closed_bench.copy)
    assert stored[size - 1] > 0
    assert stored[0] == 0  # an empty file: all of it is lost, and on record


def test_repair_accepts_and_records_what_a_damaged_log_lost(running_bench):
    size = (running_bench.sound / "memory.db-wal").stat().st_size
    for length in places(size, 12, seed=23):
        copy = running_bench.fresh()
        os.truncate(copy / "memory.db-wal", length)
        try:
            report = RobotMemory.repair(copy)
        except MemoryDamaged:
            continue  # not even the schema had left the log
        with opened(copy) as memory:
            result = memory.verify()
            assert result.problems == []
            assert result.stored + result.removed == result.acknowledged == COUNT
            assert result.stored == report.recovered


def break_counter(folder, name="keyframe_bytes"):
    """Damage that repair has to mend although every page can be read."""
    connection = connect(folder / "memory.db", write=True)
    connection.execute("UPDATE counters SET value = value + 1 WHERE name=?", (name,))
    connection.close()


def test_repair_keeps_the_account_of_removals_without_ids_and_what_was_learnt_from_them(tmp_path):
    folder = tmp_path / "memory"
    with opened(folder) as memory:
        memory.observe([note(n, sightings=(Sighting("cup", (1.0, 0.0, 0.0)),)) for n in range(20)])
        wanted = memory.entities(), memory.places()
        memory.store.remove(
            range(3, 12), kind="retention", reason="full", selection={}, keep_ids=False
        )
    break_counter(folder)
    report = RobotMemory.repair(folder)
    assert (report.recovered, report.lost) == (11, 0)
    with opened(folder) as memory:
        checked = memory.verify()
        assert checked.problems == []
        assert (checked.acknowledged, checked.stored, checked.removed) == (20, 11, 9)
        assert (memory.entities(), memory.places()) == wanted
        assert memory.observe([note(n) for n in range(20)]).added == ()
        assert all(None not in s.entities for s in memory.store.fetch(list(memory.store.rowids())))


def test_repair_makes_structure_anew_that_can_be_read_only_in_part(tmp_path):
    folder = tmp_path / "memory"
    with opened(folder) as memory:
        made = [note(n, sightings=(Sighting(f"cup {n % 5}", (1.0, 0.0, 0.0)),)) for n in range(300)]
        memory.observe(made)
        wanted = memory.entities(), memory.places(), memory.events()
    connection = connect(folder / "memory.db", write=True)
    root = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name='records'").get
    size = connection.execute("PRAGMA page_size").get
    connection.close()
    with (folder / "memory.db").open("r+b") as file:
        file.seek((root - 1) * size + size // 2)
        file.write(b"\xff" * 64)
    report = RobotMemory.repair(folder)
    assert (report.recovered, report.lost) == (300, 0)
    with opened(folder) as memory:
        assert memory.verify().clean
        assert (memory.entities(), memory.places(), memory.events()) == wanted
        assert any("structure" in removal.reason for removal in memory.removals())


def test_a_damaged_memory_of_the_first_format_is_repaired(tmp_path):
    golden = Path(__file__).parents[1] / "golden" / "format-1"
    folder = tmp_path / "memory"
    shutil.copytree(golden, folder)
    connection = connect(folder / "memory.db", write=True)
    connection.execute("UPDATE counters SET value = value + 1 WHERE name='keyframe_bytes'")
    connection.close()
    report = RobotMemory.repair(folder)
    assert (report.recovered, report.lost) == (3, 0)
    with RobotMemory.open(folder, text_encoder=HashingEncoder(), gpu=False) as memory:
        assert memory.verify().clean
        assert [entity.label for entity in memory.entities()] == ["red mug"]


def test_repair_leaves_a_sound_memory_alone(closed_bench):
    copy = closed_bench.fresh()
    report = RobotMemory.repair(copy)
    assert (report.recovered, report.lost, report.kept) == (0, 0, None)
    assert outcome(copy, closed_bench.truth) == "same"


def test_repair_of_nothing_says_so(tmp_path):
    with pytest.raises(MemoryMissing):
        RobotMemory.repair(tmp_path)


# -- full disks and folders that cannot be written -----------------------------------------


def child(code, *arguments):
    """Run a program that may die; its last line, split."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        capture_output=True, text=True, env=environment, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2_000:]
    return done.stdout.splitlines()[-1].split()


FILLING = """
import sys
from pathlib import Path
from episodic.making import rich
from memory_core.errors import StorageFull
from memory_core.memory import RobotMemory
from memory_core.perception.text import HashingEncoder
from memory_core.types import Pose, Query

def run(folder, fill, empty):
    memory = RobotMemory.open(folder, text_encoder=HashingEncoder(384), gpu=False)
    acknowledged = [i for n in range(50) for i in memory.observe(rich(n)).added]
    fill(memory)
    refused = 0
    for n in range(50, 3_000):
        try:
            acknowledged += memory.observe(rich(n)).added
        except StorageFull:
            refused += 1
            if refused > 20:
                break
    assert refused > 20, "the disk did not fill"
    for change in (
        lambda: memory.forget(ids=acknowledged[:40], reason="test"),
        lambda: memory.move_anchors({"origin": Pose()}),
        lambda: memory.observe([rich(4_000 + i) for i in range(500)]),
    ):
        try:
            change()
        except StorageFull:
            continue
    found = memory.recall(Query(k=1_000)).considered
    assert found == memory.store.count(), (found, memory.store.count())
    empty(memory)
    acknowledged += memory.observe([rich(9_000 + i) for i in range(20)]).added
    gone = {r for r in acknowledged[:40]} - set(memory.store.rowids_of(acknowledged[:40]))
    problems = memory.verify().problems
    assert not problems, problems
    memory.close()
    memory = RobotMemory.open(folder, text_encoder=HashingEncoder(384), gpu=False)
    held = memory.store.rowids_of(acknowledged)
    assert len(held) == len(acknowledged) - len(gone), (len(held), len(acknowledged), len(gone))
    assert len(gone) in (0, 40)
    assert memory.verify().clean
    memory.close()
    print(len(acknowledged), refused)
"""
LIMITED = (
    FILLING
    + """
import resource
folder = Path(sys.argv[1])
unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
def fill(memory):
    size = max(path.stat().st_size for path in folder.glob("memory.db*"))
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 200_000, unlimited[1]))
run(folder, fill, lambda memory: resource.setrlimit(resource.RLIMIT_FSIZE, unlimited))
"""
)
SMALL = (
    FILLING
    + """
import os
folder = Path(sys.argv[1])
ballast = folder.parent / "ballast"
def fill(memory):
    memory.observe([rich(10_000 + n) for n in range(200)])
    with memory.store.changing() as db:  # the log is written over: commits succeed for a while
        db.execute("PRAGMA wal_checkpoint(RESTART)")
    left = os.statvfs(folder).f_bavail * os.statvfs(folder).f_frsize
    ballast.write_bytes(bytes(left))
run(folder, fill, lambda memory: ballast.unlink())
"""
)


def test_a_file_that_may_not_grow_loses_nothing_acknowledged(tmp_path):
    acknowledged, refused = child(LIMITED, tmp_path / "memory")
    assert int(acknowledged) >= 70
    assert int(refused) > 20


@contextlib.contextmanager
def small_disk(folder, *, size="64m"):
    """A file system of its own, or a skip that says why not."""
    if shutil.which("mount") is None or os.geteuid() != 0:
        pytest.skip("mounting a small file system needs root")
    folder.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(folder)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        pytest.skip(f"a small file system cannot be mounted here: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_loses_nothing_acknowledged_and_kills_nobody(tmp_path):
    with small_disk(tmp_path / "disk") as disk:
        acknowledged, refused = child(SMALL, disk / "memory")
    assert int(acknowledged) >= 70
    assert int(refused) > 20


def test_a_memory_on_a_full_disk_opens_or_says_that_it_is_full(tmp_path):
    with small_disk(tmp_path / "disk", size="8m") as disk:
        with opened(disk / "memory") as memory:
            memory.observe([note(n) for n in range(30)])
        with contextlib.suppress(OSError), (disk / "ballast").open("wb", buffering=0) as file:
            while True:
                file.write(bytes(4096))
        with contextlib.suppress(StorageFull), opened(disk / "memory") as memory:
            assert memory.recall(Query(k=100)).considered == 30
        (disk / "ballast").unlink()
        with opened(disk / "memory") as memory:
            memory.observe(note(31))
            assert memory.verify().stored == 31


def test_a_database_that_may_not_grow_refuses_and_goes_on(tmp_path):
    with opened(tmp_path) as memory:
        memory.observe([note(n) for n in range(20)])
        with memory.store.changing() as db:
            pages = db.execute("PRAGMA page_count").get
            db.execute(f"PRAGMA max_page_count={pages + 2}")
        with pytest.raises(StorageFull, match="free space"):
            memory.observe([rich(n) for n in range(100, 200)])
        assert memory.store.count() == 20
        with memory.store.changing() as db:
            db.execute("PRAGMA max_page_count=1000000")
        assert len(memory.observe([rich(n) for n in range(100, 200)]).added) == 100
        assert memory.verify().stored == 120


def _remember(folder, count):
    with opened(folder) as memory:
        memory.observe([note(n) for n in range(count)])


def test_a_file_system_that_is_read_only_is_named_as_such(tmp_path):
    with small_disk(tmp_path / "disk") as disk:
        _remember(disk / "memory", 20)
        gc.collect()  # mapped files keep a file system busy
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        with pytest.raises(MemoryReadOnly):
            opened(disk / "memory")
        with pytest.raises(MemoryReadOnly):
            opened(disk / "another")
        with opened(disk / "memory", read_only=True) as memory:
            assert memory.recall(Query(k=100)).considered == 20


def test_a_folder_that_cannot_be_made_is_named_as_such(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(MemoryReadOnly, match="file"):
        opened(tmp_path / "file" / "memory")


def test_a_memory_that_is_written_and_verified_in_turn_is_clean(tmp_path):
    """SQLite's check of the word index is wrong on a connection that used it before a merge."""
    with RobotMemory.open(tmp_path / "memory", text_encoder=None, gpu=False) as memory:
        for turn in range(60):
            memory.observe(
                Observation(f"o{n}", 10**18 + n, text=f"word{n % 97} thing{n % 13} number {n}")
                for n in (2 * turn, 2 * turn + 1)
            )
            assert memory.verify().problems == [], turn
