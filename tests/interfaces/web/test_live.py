"""Live events over a socket: soon, resumed, and never at the expense of who observes."""

from __future__ import annotations

import asyncio
import http.client
import json
import statistics
import threading
import time
from collections.abc import Iterator

import pytest

from memory_core.interfaces.service import MAX_TEXT
from memory_core.interfaces.web import live
from memory_core.interfaces.web.live import EventStream, Feed
from memory_core.types import Observation

from ..serving import MINUTE, START_NS, opened
from .conftest import app_over

LATER_NS = START_NS + 500 * MINUTE


class Listener:
    """A client of the stream."""

    def __init__(self, port: int, *, last: str | None = None) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        headers = {} if last is None else {"Last-Event-ID": last}
        self.connection.request("GET", "/api/live", headers=headers)
        self.response = self.connection.getresponse()
        assert self.response.status == 200, self.response.read()
        self.events = self._read()
        assert next(self.events) == {"retry": "1000"}

    def _read(self) -> Iterator[dict[str, str]]:
        event: dict[str, str] = {}
        while line := self.response.fp.readline():
            text = line.decode().strip()
            if text and not text.startswith(":") and ": " in text:
                name, _, value = text.partition(": ")
                event[name] = value
            elif not text and event:
                yield event
                event = {}

    def close(self) -> None:
        self.response.close()
        self.connection.close()


def note(number: int) -> Observation:
    return Observation(f"n{number}", LATER_NS + number, text=f"note number {number}")


def wait_for(condition) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        threading.Event().wait(0.01)


def test_what_is_observed_is_told_within_a_second(writable, serve):
    port = serve(app_over(writable))
    listener = Listener(port)
    writable.observe(note(1))
    began = time.monotonic()
    event = next(listener.events)
    assert time.monotonic() - began < 1.0
    assert event["event"] == "observation"
    told = json.loads(event["data"])
    assert told["id"] == "n1"
    assert told["text"] == "note number 1"
    assert int(event["id"]) == writable.store.last_rowid()
    listener.close()


def test_a_reader_tells_what_another_process_writes(writable, serve):
    with opened(writable.folder) as reader:
        port = serve(app_over(reader))
        listener = Listener(port)
        writable.observe(note(2))
        began = time.monotonic()
        assert json.loads(next(listener.events)["data"])["id"] == "n2"
        assert time.monotonic() - began < 1.0
        listener.close()


def test_who_comes_back_is_told_what_was_missed(writable, serve):
    port = serve(app_over(writable))
    first = Listener(port)
    writable.observe(note(1))
    seen = next(first.events)["id"]
    first.close()
    writable.observe([note(2), note(3)])
    again = Listener(port, last=seen)
    assert [json.loads(next(again.events)["data"])["id"] for _ in range(2)] == ["n2", "n3"]
    again.close()


@pytest.mark.parametrize("last", ["", "none", "-1", "9" * 30, "٣"])
def test_a_last_event_that_never_was_is_no_trouble(writable, serve, last):
    port = serve(app_over(writable))
    listener = Listener(port, last=last.encode().decode("latin-1"))
    writable.observe(note(1))
    assert json.loads(next(listener.events)["data"])["id"] == "n1"
    listener.close()


def test_of_a_flood_the_newest_are_told_and_the_others_counted(writable, serve, monkeypatch):
    monkeypatch.setattr(live, "AT_ONCE", 5)
    port = serve(app_over(writable))
    listener = Listener(port)
    writable.observe([note(number) for number in range(30)])
    skipped, told = 0, []
    while skipped + len(told) < 30:
        event = next(listener.events)
        value = json.loads(event["data"])
        if event["event"] == "skipped":
            skipped += value["observations"]
        else:
            told.append(value["id"])
    assert told[-1] == "n29"
    assert skipped >= 25 - 5
    listener.close()


def test_a_client_that_stalls_is_dropped_and_holds_up_nobody(writable, monkeypatch):
    monkeypatch.setattr(live, "BATCHES", 2)

    async def never(*_: object) -> None:
        await asyncio.Event().wait()

    async def stalled(message: dict[str, object]) -> None:
        if message["type"] == "http.response.body":
            await never()

    async def observe_beside_a_stalled_client() -> list[float]:
        feed = Feed(writable, every_s=0.01)
        await feed.start()
        client, missed = await feed.subscribe(None)
        stream = asyncio.create_task(EventStream(feed, client, missed)({}, never, stalled))
        taken: list[float] = []
        while feed.dropped == 0:
            began = time.monotonic()
            await asyncio.to_thread(writable.observe, note(len(taken)))
            taken.append(time.monotonic() - began)
            assert len(taken) < 500
        await asyncio.wait_for(stream, 5)
        assert feed.clients == 0
        feed.stop()
        return taken

    taken = asyncio.run(observe_beside_a_stalled_client())
    assert statistics.median(taken) < 0.25
    assert writable.observation(f"n{len(taken) - 1}") is not None


def test_a_server_that_was_held_up_tells_nothing_twice(writable, monkeypatch):
    async def observe_while_nothing_else_runs() -> list[str]:
        feed, read = Feed(writable, every_s=0.001), []
        told = feed._told
        monkeypatch.setattr(feed, "_told", lambda a, b: (read.append(b), told(a, b))[1])
        await feed.start()
        client, _ = await feed.subscribe(None)
        for number in range(2):
            writable.observe(note(number))
            last = writable.store.last_rowid()
            wait_for(lambda last=last: last in read)  # the loop stands still meanwhile
        events = [await asyncio.wait_for(client.queue.get(), 10) for _ in range(2)]
        feed.stop()
        lines = b"".join(events).decode().splitlines()
        return [json.loads(line[6:])["id"] for line in lines if line.startswith("data: ")]

    assert asyncio.run(observe_while_nothing_else_runs()) == ["n0", "n1"]


def test_words_are_told_up_to_a_length(writable, serve):
    port = serve(app_over(writable))
    listener = Listener(port)
    writable.observe(Observation("long", LATER_NS, text="word " * 10_000))
    told = json.loads(next(listener.events)["data"])
    assert len(told["text"]) == MAX_TEXT
    listener.close()


def test_a_client_that_leaves_is_forgotten(writable, serve):
    app = app_over(writable)
    port = serve(app)
    listener = Listener(port)
    assert app.feed.clients == 1
    listener.connection.sock.close() if listener.connection.sock else None
    listener.close()
    wait_for(lambda: app.feed.clients == 0)


def test_only_so_many_may_listen(writable, serve, monkeypatch):
    monkeypatch.setattr(live, "CLIENTS", 1)
    port = serve(app_over(writable))
    first = Listener(port)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", "/api/live")
    refused = connection.getresponse()
    assert refused.status == 503
    assert json.loads(refused.read())["code"] == "call_refused"
    connection.close()
    first.close()
