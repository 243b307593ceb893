"""When something is wrong: a code, one line, an exit status, and no harm done."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import time
from contextlib import closing

import pytest

from memory_core.errors import RobotMemoryError

from .conftest import COMMAND, lines, run_apart, write_lines

HERE = ("--encoder", "none")


def failed(done, status: int, code: str) -> None:
    """Asserts that a command told its error both ways."""
    assert done.status == status
    assert done.json["error"] == code
    assert done.err.splitlines()[-1].startswith(f"{code}: ")
    assert done.err.count("\n") == 1
    assert "Traceback" not in done.err


MISSING_MEMORY = [
    ("ask", "where is the mug?"), ("recall", "mug"), ("info",), ("verify",), ("export", "x.jsonl"),
    ("backup", "copy"), ("repair",), ("reembed",),
]  # fmt: skip


@pytest.mark.parametrize("arguments", MISSING_MEMORY, ids=[item[0] for item in MISSING_MEMORY])
def test_a_missing_memory_is_not_made_by_reading(run, tmp_path, monkeypatch, arguments):
    monkeypatch.chdir(tmp_path)
    done = run(*arguments, "--memory", tmp_path / "nowhere", *HERE, "--json")
    failed(done, 4, "memory_missing")
    assert not (tmp_path / "nowhere").exists()
    assert list(tmp_path.iterdir()) == []


def test_forgetting_in_a_missing_memory_makes_none(run, tmp_path):
    done = run("forget", "--id", "x", "--reason", "y", "--memory", tmp_path / "no", *HERE, "--json")
    assert done.status in (3, 4)
    assert not (tmp_path / "no" / "memory.db").exists()


BAD = [
    (("ask", " "), "invalid_query"),
    (("ask", "x" * 2000), "invalid_query"),
    (("ask", "where is it?", "--zone", "Mars/Olympus"), "invalid_query"),
    (("ask", "where is it?", "--zone", "+99:99"), "invalid_query"),
    (("ask", "where is it?", "--now", "noon"), "invalid_query"),
    (("ask", "where is it?", "--now", "1900-01-01"), "invalid_stamp"),
    (("recall", "mug", "-k", "0"), "invalid_query"),
    (("recall", "mug", "-k", "5000"), "invalid_query"),
    (("recall", "mug", "--box", "1,2,3"), "invalid_query"),
    (("recall", "mug", "--box", "1,1,1,0,0,0"), "invalid_query"),
    (("recall", "mug", "--within", "a,b,c"), "invalid_query"),
    (("recall", "mug", "--within", "nan,0,0"), "invalid_query"),
    (("recall", "mug", "--near", "inf,0,0"), "invalid_query"),
    (("recall", "mug", "--from", "2026-03-04", "--to", "2026-03-03"), "invalid_query"),
    (("recall", "mug", "--zone", "Nowhere"), "invalid_query"),
    (("forget", "--reason", "because"), "invalid_query"),
    (("forget", "--id", "o1", "--reason", " "), "invalid_query"),
    (("forget", "--id", "nobody", "--reason", "x"), "invalid_query"),
    (("forget", "--older-than", "soon", "--reason", "x"), "invalid_query"),
    (("forget", "--older-than", "9" * 400 + "d", "--reason", "x"), "invalid_query"),
    (("export", "all.csv"), "invalid_query"),
    (("ask", "where is \udcff?"), "invalid_query"),
    (("recall", "\udcff"), "invalid_query"),
    (("recall", "mug", "--session", "\udcff"), "invalid_query"),
    (("forget", "--text", "\udcff", "--reason", "x"), "invalid_query"),
    (("forget", "--id", "\udcff", "--reason", "x"), "invalid_query"),
    (("forget", "--id", "o1", "--reason", "\udcff"), "invalid_query"),
]


@pytest.mark.parametrize(("arguments", "code"), BAD, ids=[ascii(" ".join(a))[:60] for a, _ in BAD])
def test_wrong_input_is_refused_and_nothing_changes(run, memory, arguments, code):
    options = ("--memory", memory, "--encoder", "hashing")
    done = run(*arguments, *options, "--json")
    failed(done, 3, code)
    assert run("verify", *options, "--json").json["stored"] == 12


def test_without_json_nothing_goes_to_standard_output(run, memory):
    done = run("ask", " ", "--memory", memory, "--encoder", "hashing")
    assert (done.status, done.out) == (3, "")
    assert done.err.startswith("invalid_query: ")


@pytest.mark.parametrize("content", [b"", b"\x00\xff\xfe rubbish", b"PK\x03\x04"])
def test_an_unreadable_recording_is_told(run, tmp_path, content):
    (tmp_path / "x.jsonl.gz").write_bytes(content)
    done = run("ingest", tmp_path / "x.jsonl.gz", "--memory", tmp_path / "m", *HERE, "--json")
    failed(done, 3, "recording_unreadable")


def test_a_missing_recording_is_told(run, tmp_path):
    done = run("ingest", tmp_path / "none.mcap", "--memory", tmp_path / "m", *HERE, "--json")
    failed(done, 3, "recording_unreadable")


def test_a_backup_never_overwrites(run, memory, tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "precious").write_text("x")
    options = ("--memory", memory, "--encoder", "hashing", "--json")
    failed(run("backup", tmp_path / "full", *options), 3, "invalid_query")
    assert (tmp_path / "full" / "precious").read_text() == "x"


@pytest.mark.parametrize(
    "arguments",
    [
        ("export", "/proc/nowhere/all.jsonl"),
        ("backup", "/proc/nowhere/copy"),
        ("ask", "where is the mug?", "--keyframe", "/proc/nowhere/x.jpg"),
        ("info", "--keyframes", "/proc/nowhere"),
    ],
    ids=lambda item: item[0],
)
def test_a_place_that_cannot_be_written_is_told_in_one_line(run, memory, arguments):
    done = run(*arguments, "--memory", memory, "--encoder", "hashing", "--json")
    if "--keyframe" in arguments:  # nothing had a picture, so nothing was written
        assert done.status == 0
    else:
        failed(done, 3, "file_error")
        assert "/proc/nowhere" in done.err


def test_a_memory_another_process_writes_is_locked_for_writers_only(run, memory):
    code = (
        "import sys; from memory_core.memory import RobotMemory\n"
        f"with RobotMemory.open({str(memory)!r}, text_encoder=None):\n"
        "    print('held', flush=True); sys.stdin.read()"
    )
    holder = subprocess.Popen(
        [*COMMAND[:1], "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert holder.stdout.readline() == "held\n"
        options = ("--memory", memory, "--encoder", "hashing", "--json")
        done = run("forget", "--id", "o1", "--reason", "x", *options)
        failed(done, 4, "memory_locked")
        assert str(holder.pid) in done.err
        assert run("verify", *options).status == 0
        assert run("ask", "where is the mug?", *options).status == 0
    finally:
        holder.communicate("")
    assert run("forget", "--id", "o1", "--reason", "x", *options).status == 0


def test_a_damaged_memory_is_5(run, memory):
    database = memory / "memory.db"
    database.write_bytes(b"no database" * 1000)
    failed(run("info", "--memory", memory, *HERE, "--json"), 5, "memory_damaged")


def test_a_model_that_cannot_be_reached_is_6(run, memory):
    options = ("--memory", memory, "--encoder", "hashing", "--json")
    done = run("ask", "where is the mug?", "--llm", "http://127.0.0.1:9/v1", *options)
    failed(done, 6, "encoding_error")
    assert "127.0.0.1:9" in done.err


def test_a_part_that_is_not_installed_is_8_with_the_line_that_installs_it(run, monkeypatch):
    monkeypatch.setattr("importlib.metadata.entry_points", lambda **_: ())
    done = run("demo", "--json")
    failed(done, 8, "not_installed")
    assert "pip install 'robot-memory[sim]'" in done.err


def all_errors(kind=RobotMemoryError):
    yield kind
    for child in kind.__subclasses__():
        yield from all_errors(child)


@pytest.mark.parametrize("kind", list(all_errors()), ids=lambda kind: kind.__name__)
def test_every_error_exits_with_its_status_and_code(run, memory, monkeypatch, kind):
    def broken(options):
        raise kind("told\nin two lines")

    monkeypatch.setattr("memory_core.interfaces.commands.COMMANDS", {"info": broken})
    done = run("info", "--memory", memory, "--json")
    assert done.status == kind.exit_status != 0
    assert done.json == {"error": kind.code, "message": "told\nin two lines"}
    assert done.err == f"{kind.code}: told in two lines\n"


def test_exit_statuses_tell_the_families_apart():
    statuses = {
        kind.__name__: kind.exit_status
        for kind in all_errors()
        if kind.__base__ is RobotMemoryError
    }
    assert statuses == {
        "InputRejected": 3, "MemoryUnavailable": 4, "MemoryDamaged": 5, "FormatUnsupported": 5,
        "EncoderMismatch": 6, "EncodingError": 6, "ModelReplyInvalid": 6, "EmptyMemory": 7,
        "CallRefused": 1, "SkillFailed": 1, "ViewerUnavailable": 1, "NotInstalled": 8,
    }  # fmt: skip


def test_the_console_script_and_the_module_exit_alike(tmp_path):
    done = run_apart("ask", "where?", "--memory", tmp_path / "no")
    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr.startswith("memory_missing: ")


def test_unicode_goes_in_and_out_whatever_the_locale(run, memory):
    env = os.environ | {"LC_ALL": "C", "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run(
        [*COMMAND, "recall", "Grüße 你好", "-k", "2", "--mode", "flat", "--memory", str(memory),
         "--encoder", "hashing", "--json"],
        capture_output=True, env=env, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0
    assert "Grüße 你好 🤖" in done.stdout.decode("utf-8")


def test_a_reader_that_hangs_up_is_no_error(memory):
    line = " ".join([*COMMAND, "recall", "-k", "12", "--memory", str(memory), "--encoder", "none"])
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {line} | true"], capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip
    assert "Traceback" not in done.stderr


def test_interrupted_reading_keeps_what_was_acknowledged_and_goes_on(run, tmp_path):
    recording = write_lines(tmp_path / "long.jsonl", lines(30_000))
    folder = tmp_path / "memory"
    options = ("--memory", str(folder), *HERE, "--json")
    reading = subprocess.Popen(
        [*COMMAND, "ingest", str(recording), *options],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        # a shell's background jobs ignore the signal, and hand that down
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    kept = 0
    deadline = time.monotonic() + 60
    while not kept and reading.poll() is None and time.monotonic() < deadline:
        if (folder / "memory.db").exists():
            try:
                with closing(sqlite3.connect(f"file:{folder}/memory.db?mode=ro", uri=True)) as db:
                    kept = db.execute("SELECT count(*) FROM observations").fetchone()[0]
            except sqlite3.OperationalError:
                continue  # the writer is still making its tables
    reading.send_signal(signal.SIGINT)
    out, err = reading.communicate(timeout=60)
    assert reading.returncode == 130
    assert out == ""
    assert err == "interrupted; what was acknowledged is kept, the same command goes on\n"
    checked = run("verify", *options)
    assert checked.status == 0
    stored = checked.json["stored"]
    assert kept <= stored < 30_000
    again = run("ingest", recording, *options)
    assert (again.json["added"], again.json["known"]) == (30_000 - stored, stored)
    assert run("verify", *options).json["stored"] == 30_000


def test_verbose_shows_the_log_on_standard_error_only(run, memory):
    done = run("info", "-vv", "--memory", memory, "--encoder", "hashing", "--json")
    assert done.status == 0
    assert done.json["observations"] == 12
