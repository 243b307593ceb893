"""`robot-memory serve`, in a process of its own: where it listens, and how it stops."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest

from memory_core.interfaces import cli

from ..serving import make_memory, opened

COMMAND = [sys.executable, "-m", "memory_core.interfaces.cli", "serve"]


@contextmanager
def serving(folder: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, str]]]:
    process = subprocess.Popen(
        [*COMMAND, "--memory", str(folder), "--encoder", "hashing", "--port", "0", "--json",
         *options],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={key: value for key, value in os.environ.items() if key != "ROBOT_MEMORY_TOKEN"},
    )  # fmt: skip
    try:
        assert process.stdout is not None
        told = process.stdout.readline()
        assert told, process.communicate(timeout=20)[1]
        yield process, json.loads(told)
    finally:
        process.kill()
        process.communicate(timeout=20)


def call(url: str, path: str, body: object = None, **headers: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=20)
    text = None if body is None else json.dumps(body)
    sent = {"Content-Type": "application/json", **headers}
    connection.request("GET" if body is None else "POST", path, text, sent)
    response = connection.getresponse()
    try:
        return response.status, response.read()
    finally:
        connection.close()


def test_it_listens_where_it_was_told_and_nowhere_else(folder):
    with serving(folder) as (process, told):
        status, answer = call(told["url"], "/api/ask", {"question": "where is the mug?"})
        assert status == 200
        assert json.loads(answer)["evidence"]
        family = psutil.Process(process.pid)
        found = [
            (item.laddr.ip, item.laddr.port)
            for one in [family, *family.children(recursive=True)]
            for item in one.net_connections(kind="inet")
            if item.status == psutil.CONN_LISTEN or item.type == socket.SOCK_DGRAM
        ]
        assert found == [("127.0.0.1", urlsplit(told["url"]).port)]
        assert told["token"] is None


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_stops_within_two_seconds_whoever_listens(folder, number):
    with serving(folder) as (process, told):
        assert call(told["url"], "/health")[0] == 200
        listener = http.client.HTTPConnection(urlsplit(told["url"]).netloc, timeout=20)
        listener.request("GET", "/api/live")
        assert listener.getresponse().status == 200
        began = time.monotonic()
        process.send_signal(number)
        assert process.wait(timeout=20) == 0
        assert time.monotonic() - began < 2.0
        assert process.stderr is not None
        assert process.stderr.read() == ""
        listener.close()


def test_it_becomes_ready_once_what_answers_need_is_loaded(folder):
    with serving(folder) as (_, told):
        deadline = time.monotonic() + 20
        while call(told["url"], "/health?ready=true")[0] != 200:
            assert time.monotonic() < deadline
        assert json.loads(call(told["url"], "/health")[1]) == {"live": True, "ready": True}


def test_what_changes_needs_to_be_allowed_and_the_token_that_was_made(tmp_path):
    folder = make_memory(tmp_path / "memory")
    item = {"id": "one", "stamp_ns": 1_900_000_000_000_000_000, "text": "a crate"}
    with serving(folder, "--allow", "observe") as (process, told):
        body = {"observations": [item]}
        assert call(told["url"], "/api/observe", body)[0] == 401
        bearer = {"Authorization": f"Bearer {told['token']}"}
        status, answer = call(told["url"], "/api/observe", body, **bearer)
        assert status == 200, answer
        assert json.loads(answer)["added"] == ["one"]
        assert call(told["url"], "/api/forget", {"reason": "test"}, **bearer)[0] == 403
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=20) == 0
    with opened(folder) as memory:
        assert memory.observation("one") is not None
        assert not memory.verify().problems


def test_a_planner_stands_behind_the_server_and_no_robot(tmp_path):
    folder = make_memory(tmp_path / "memory")
    with serving(folder, "--allow", "plan", "--allow", "go_to") as (_, told):
        bearer = {"Authorization": f"Bearer {told['token']}"}
        status, answer = call(told["url"], "/api/plan", {"goal": "find the mug"}, **bearer)
        assert status == 200, answer
        assert json.loads(answer)["goal"]["thing"] == "mug"
        status, answer = call(told["url"], "/api/go_to", {"target": "the mug"}, **bearer)
        assert (status, json.loads(answer)["code"]) == (501, "planner_missing")


def test_a_server_that_reads_leaves_room_for_one_that_writes(folder):
    with serving(folder) as (_, told), opened(folder, read_only=False):
        assert call(told["url"], "/api/stats")[0] == 200


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (["--host", "0.0.0.0"], "invalid_query"),
        (["--host", "0.0.0.0", "--token", "long-enough-token"], "invalid_query"),
        (["--token", "short"], "invalid_query"),
        (["--rate", "0"], "invalid_query"),
        (["--rate", "nan"], "invalid_query"),
        (["--host", "203.0.113.7", "--token", "long-enough-token"], "invalid_query"),
    ],
)
def test_what_would_let_others_in_unasked_is_refused(folder, options, code, capsys, monkeypatch):
    monkeypatch.delenv("ROBOT_MEMORY_TOKEN", raising=False)
    arguments = ["serve", "--memory", str(folder), "--encoder", "hashing", "--port", "0", *options]
    assert cli.main(arguments) == 3
    assert capsys.readouterr().err.startswith(f"{code}: ")


def test_a_port_that_is_taken_is_told(folder, capsys):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert (
            cli.main(["serve", "--memory", str(folder), "--encoder", "hashing", "--port", port])
            == 3
        )
    assert "name another with --port" in capsys.readouterr().err


def test_a_memory_that_is_not_there_is_told(tmp_path, capsys):
    assert cli.main(["serve", "--memory", str(tmp_path / "none"), "--encoder", "none"]) == 4
    assert "memory_missing" in capsys.readouterr().err


def test_without_the_web_extra_the_line_that_installs_it_is_told(folder, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "memory_core.interfaces.web.serving", None)
    assert cli.main(["serve", "--memory", str(folder)]) == 8
    assert "pip install 'robot-memory[web]'" in capsys.readouterr().err
