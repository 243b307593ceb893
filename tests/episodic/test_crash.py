"""Writers are killed at seeded moments; what they acknowledged is there, whole, afterwards."""

from __future__ import annotations

import json
import os
import random
import select
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from episodic import crash_child
from episodic.making import differences, note, rich
from memory_core.episodic import migrations
from memory_core.episodic import session as session_module
from memory_core.errors import MemoryDamaged, RobotMemoryError
from memory_core.memory import RobotMemory
from memory_core.types import Pose, Query

FOLDERS = 20
KILLS = 11  # a folder: 220 in all


@pytest.fixture(scope="module")
def forker():
    """A process that has imported everything and forks writers."""
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
    }
    script = Path(crash_child.__file__)
    with subprocess.Popen(
        [sys.executable, str(script)], stdin=subprocess.PIPE, text=True, env=environment
    ) as process:
        yield process
        process.stdin.close()
        process.wait(10)


@pytest.fixture(autouse=True)
def _known_steps(monkeypatch):
    """What `know_steps` changes in this process is changed back."""
    monkeypatch.setattr(session_module, "migrate", migrations.migrate)
    monkeypatch.setattr(session_module, "read_as_current", migrations.read_as_current)


class Ledger:
    """What a memory must hold, from what its writers said before they were killed."""

    def __init__(self):
        self.stored, self.gone, self.next = set(), set(), 0
        self.unsure_groups, self.unsure_gone, self.x, self.unsure_x = [], set(), {10.0}, None
        self.acknowledged = 0

    def hear(self, kind, value):
        if kind == "will observe":
            self.unsure_groups.append(set(value))
            self.next = max(self.next, *value) + 1 if value else self.next
        elif kind == "did observe":
            done = set(value[0])
            self.acknowledged += len(done)
            self.stored |= done
            self.unsure_groups = [g for g in self.unsure_groups if not g & done]
        elif kind == "will forget":
            self.unsure_gone |= set(value)
        elif kind == "did forget":
            self.unsure_gone -= set(value)
            self.stored -= set(value)
            self.gone |= set(value)
        elif kind == "will move":
            self.x.add(value)
        elif kind == "did move":
            self.x = {value}

    def settle(self, found):
        """Compare with what is there, and take as fact what was unsure."""
        groups = [group & found for group in self.unsure_groups]
        problems = [
            f"half of {sorted(group)} is there"
            for group, part in zip(self.unsure_groups, groups, strict=True)
            if part and part != group and not (group - part) <= self.unsure_gone
        ]
        if lost := self.stored - self.unsure_gone - found:
            problems.append(f"acknowledged and lost: {sorted(lost)}")
        if back := self.gone & found:
            problems.append(f"forgotten and back: {sorted(back)}")
        if self.unsure_gone & found and not self.unsure_gone <= found:
            problems.append(f"half of {sorted(self.unsure_gone)} was forgotten")
        if strange := found - self.stored - set().union(*self.unsure_groups):
            problems.append(f"never observed: {sorted(strange)}")
        self.gone |= self.unsure_gone - found
        self.stored = set(found)
        self.unsure_groups, self.unsure_gone = [], set()
        return problems


def kill_once(forker, folder, ledger, *, seed, known, wanted):
    """Let a writer run and kill it at a seeded moment; False if it ended by itself."""
    chance = random.Random(seed)
    pipe = folder.parent / f"pipe-{seed}"
    os.mkfifo(pipe)
    request = [str(folder), str(pipe), seed, ledger.next, known, wanted]
    forker.stdin.write(json.dumps(request) + "\n")
    forker.stdin.flush()
    lines, delay_s = chance.choice([0, 1, 2, 3, 5, 8, 13, 21, 34]), chance.random() * 0.012
    with pipe.open("rb") as said:
        handle = os.pidfd_open(json.loads(said.readline())[1])
        heard = []
        for _ in range(lines):
            heard.append(said.readline())
        moment = time.perf_counter() + delay_s
        while time.perf_counter() < moment:
            pass  # a seeded moment within a commit; a sleep would be too coarse
        signal.pidfd_send_signal(handle, signal.SIGKILL)
        heard += said.read().splitlines()
    assert select.select([handle], [], [], 30)[0], "the writer does not die"
    os.close(handle)
    for line in heard:
        if line.strip():
            ledger.hear(*json.loads(line))


def whole(memory):
    """Numbers of the observations that are there, and what is wrong with them."""
    rowids = list(memory.store.rowids())
    found, problems = set(), []
    for stored in memory.store.fetch(rowids, keyframes=True, embeddings=True):
        number = int(stored.observation.id.removeprefix("note-"))
        wanted = rich(number, anchor_id=stored.observation.anchor_id)
        problems += differences(stored.observation, wanted)
        found.add(number)
    return found, problems


@pytest.mark.parametrize("seed", range(FOLDERS))
def test_a_killed_writer_loses_nothing_acknowledged(tmp_path, forker, seed):
    folder = tmp_path / "memory"
    ledger, known = Ledger(), 0
    for turn in range(KILLS):
        wanted = known + 1
        kill_once(forker, folder, ledger, seed=seed * 1000 + turn, known=known, wanted=wanted)
        connection_steps = _steps_taken(folder)
        known = wanted if connection_steps > known else known
        crash_child.know_steps(known)
        with crash_child.open_memory(folder) as memory:
            found, problems = whole(memory)
            problems += ledger.settle(found)
            problems += memory.verify().problems
            poses = {a: p for _, a, p in memory.store.anchor_poses().values()}
            if "dock" in poses and poses["dock"].x not in ledger.x:
                problems.append(f"the dock is at {poses['dock'].x}, not one of {ledger.x}")
            if "porch" in poses and poses["porch"] != poses["dock"]:
                problems.append("half of a correction is there")
            hits = memory.recall(Query(k=1_000))
            if hits.considered != len(found):
                problems.append(f"recall knows {hits.considered} of {len(found)}")
        assert problems == [], f"turn {turn}"
    assert ledger.acknowledged > 0


def _steps_taken(folder):
    """Extra migrations that a killed writer had committed."""
    if not (folder / "memory.db").exists():
        return 0
    try:
        connection = session_module.connect(folder / "memory.db", write=True, create=True)
    except RobotMemoryError:
        return 0
    try:
        return migrations.version_of(connection) - len(migrations.MIGRATIONS)
    finally:
        connection.close()


# -- power cuts ----------------------------------------------------------------------------


def copied(folder, target, *, log=None, watermark=True):
    """The files a power cut would leave (no shared memory), with another log where given."""
    target.mkdir(parents=True)
    shutil.copy(folder / "memory.db", target)
    data = (folder / "memory.db-wal").read_bytes() if log is None else log
    (target / "memory.db-wal").write_bytes(data)
    if watermark and (folder / "watermark").exists():
        shutil.copy(folder / "watermark", target)
    return target


def read_copy(folder):
    """Numbers stored, after checking that the copy is whole."""
    with RobotMemory.open(folder, text_encoder=None, gpu=False) as memory:
        found, problems = whole(memory)
        assert problems == []
        assert memory.verify().problems == []
    return found


def test_copies_of_a_stopped_writer_at_many_moments_are_whole(tmp_path, forker):
    """SIGSTOP freezes all threads, so that the copy is of one instant."""
    chance, ledger = random.Random(7), Ledger()
    folder, pipe = tmp_path / "memory", tmp_path / "pipe"
    os.mkfifo(pipe)
    forker.stdin.write(json.dumps([str(folder), str(pipe), 8, 0, 0, 0]) + "\n")
    forker.stdin.flush()
    copies = 0
    with pipe.open("rb", buffering=0) as said:
        pid = json.loads(said.readline())[1]
        said.readline()  # ready
        os.set_blocking(said.fileno(), False)
        unfinished = b""
        try:
            deadline = time.monotonic() + 120  # a busy machine writes little between stops
            while (copies < 60 or ledger.acknowledged <= 100) and time.monotonic() < deadline:
                moment = time.perf_counter() + chance.random() * 0.01
                while time.perf_counter() < moment:
                    pass
                os.kill(pid, signal.SIGSTOP)
                _wait_until_stopped(pid)
                *lines, unfinished = (unfinished + (said.read(1 << 20) or b"")).split(b"\n")
                for line in lines:
                    ledger.hear(*json.loads(line))
                if (folder / "memory.db-wal").exists():  # not between closing and reopening
                    copy = copied(folder, tmp_path / f"copy-{copies}")
                    found = read_copy(copy)
                    assert ledger.stored - ledger.unsure_gone <= found
                    assert not ledger.gone & found
                    shutil.rmtree(copy)
                    copies += 1
                os.kill(pid, signal.SIGCONT)
        finally:
            os.kill(pid, signal.SIGKILL)
    assert copies >= 60
    assert ledger.acknowledged > 100


def _wait_until_stopped(pid):
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        states = [
            (task / "stat").read_text().rpartition(")")[2].split()[0]
            for task in Path(f"/proc/{pid}/task").iterdir()
        ]
        if set(states) == {"T"}:
            return
    raise AssertionError(f"process {pid} does not stop")


@pytest.fixture
def logs(tmp_path):
    """A memory with 3 commits in its log; the log's length after each."""
    folder = tmp_path / "memory"
    memory = RobotMemory.open(folder, text_encoder=None, gpu=False)
    memory.observe([rich(n) for n in range(40)])
    lengths, watermarks = [], []
    for commit in range(1, 4):
        memory.observe([rich(commit * 100 + n) for n in range(5)])
        lengths.append((folder / "memory.db-wal").stat().st_size)
        watermarks.append((folder / "watermark").read_bytes())
    yield folder, lengths, watermarks
    memory.close()


def test_a_commit_torn_by_a_power_cut_is_whole_or_absent(tmp_path, logs):
    folder, (_, second, third), watermarks = logs
    log = (folder / "memory.db-wal").read_bytes()
    chance = random.Random(11)
    before = set(range(40)) | {100 + n for n in range(5)} | {200 + n for n in range(5)}
    after = before | {300 + n for n in range(5)}
    seen = set()
    for turn in range(60):
        cut = chance.choice([second, third, chance.randint(second, third)])
        tail = chance.choice([b"", bytes(third - cut), chance.randbytes(third - cut)])
        copy = copied(folder, tmp_path / f"torn-{turn}", log=log[:cut] + tail, watermark=False)
        (copy / "watermark").write_bytes(watermarks[1])  # of the last one acknowledged
        found = read_copy(copy)
        assert found in (before, after)
        seen.add(len(found))
    assert seen == {len(before), len(after)}


def test_an_acknowledged_commit_that_the_log_lost_is_reported(tmp_path, logs):
    folder, (_, second, third), _ = logs
    log = (folder / "memory.db-wal").read_bytes()
    for turn, cut in enumerate([0, 16, 32, second - 1, second, (second + third) // 2, third - 1]):
        copy = copied(folder, tmp_path / f"lost-{turn}", log=log[:cut])
        with pytest.raises(MemoryDamaged, match="acknowledged"):
            read_copy(copy)


@pytest.mark.parametrize("last", ["forget", "move"])
def test_a_removal_or_correction_that_the_log_lost_is_reported(tmp_path, last):
    folder = tmp_path / "memory"
    with RobotMemory.open(folder, text_encoder=None, gpu=False) as memory:
        memory.observe([note(n) for n in range(10)])
        length = (folder / "memory.db-wal").stat().st_size
        if last == "forget":
            memory.forget(ids=["note-00003"], reason="private")
        else:
            memory.move_anchors({"origin": Pose(5, 5)})
        log = (folder / "memory.db-wal").read_bytes()
        assert len(log) > length
        for turn, cut in enumerate([length, len(log) - 1]):
            with pytest.raises(MemoryDamaged):
                read_copy(copied(folder, tmp_path / f"copy-{turn}", log=log[:cut]))


def test_a_checkpoint_torn_by_a_power_cut_is_repeated_from_the_log(tmp_path, logs):
    folder, _, _ = logs
    older, log = (folder / "memory.db").read_bytes(), (folder / "memory.db-wal").read_bytes()
    connection = session_module.connect(folder / "memory.db", write=True)
    connection.execute("PRAGMA wal_checkpoint(FULL)")
    newer = (folder / "memory.db").read_bytes()
    connection.close()
    chance = random.Random(13)
    pages = range(0, len(newer), 4096)
    for turn in range(30):
        mixed = b"".join(chance.choice([older, newer])[p : p + 4096] or bytes(4096) for p in pages)
        copy = copied(folder, tmp_path / f"mixed-{turn}", log=log)
        (copy / "memory.db").write_bytes(mixed)
        assert len(read_copy(copy)) == 55
