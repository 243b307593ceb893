"""Many clients at once over HTTP, on this machine: answers in time, and ingest that nobody holds up.

    python -m benchmarks.loading --rows 100k --clients 50 --seconds 60 [--json]

A memory is made and served by `robot-memory serve` in a process of its own. Clients each ask once
a second, questions drawn from a thousand; one that is late does not ask less: waiting counts from
the moment its question was due. Then observations are handed in, in turns with and without
listeners to live events that have stopped reading.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import random
import socket
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from benchmarks import asking, episodic
from benchmarks.common import (
    FIRST_STAMP_NS,
    SECOND_NS,
    Target,
    descriptions,
    encode,
    latency,
    machine,
    make_log,
    parse_size,
    print_json,
    print_table,
    print_targets,
    rounded,
    say,
    size_name,
    today,
)
from benchmarks.fuzz import Served
from memory_core import RobotMemory
from memory_core.perception.text import HashingEncoder

QUESTIONS = 1_000
ARGUMENT = {"ask": "question", "recall": "query"}
P99_MS = 250.0
TOKEN = "of-a-benchmark"
BATCH, BATCHES, TURN, STALLED = 50, 160, 20, 5
WORDS = "on the shelf " * 140
KEPT = 0.9
"""At least this share of the rate without stalled listeners."""


# -- the memory and its server ------------------------------------------------------------------


def make_memory(folder: Path, rows: int, *, cache: Path, seed: int) -> list[str]:
    """Make and organise a memory.

    Args:
        folder: New.
        rows: How many observations.
        cache: Where sentences' vectors are kept.
        seed: Of the log.

    Returns:
        Descriptions that were left out of it.
    """
    sentences = descriptions(episodic.SENTENCES, seed=seed)
    vectors = encode(sentences, cache)
    known = episodic.SENTENCES - episodic.HELD_OUT
    log = make_log(rows, sentences[:known], vectors[:known], sigma=0.0025, seed=seed)
    mine = episodic.ThisMemory(folder)
    asking.declare_encoder(mine.memory)
    episodic.ingest_all(mine, log, 500, limit_s=float("inf"))
    mine.memory.index.wait()
    mine.close()
    say("  organising")
    with RobotMemory.open(folder) as memory:
        memory.organise()
    return sentences[known:]


@contextmanager
def served(folder: Path, *options: str) -> Iterator[str]:
    """The address of a server that is ready."""
    command = ["serve", "--memory", str(folder), "--port", "0", "--rate", "1000000", *options]
    with Served(command) as url:
        line = http.client.HTTPConnection(urlsplit(url).netloc, timeout=600)
        ready = False
        while not ready:
            line.request("GET", "/health?ready=true")
            answer = line.getresponse()
            answer.read()
            ready = answer.status == 200
            time.sleep(0.1)
        line.close()
        yield url


# -- many clients -------------------------------------------------------------------------------


@dataclass(slots=True)
class Tally:
    """What clients saw."""

    seconds: list[float] = field(default_factory=list)
    statuses: Counter[str] = field(default_factory=Counter)


def ask_every_second(
    address: str, call: str, questions: Sequence[str], tally: Tally, *, until: float, seed: int
) -> None:
    """One client, from a random part of the first second on.

    Args:
        address: Host and port.
        call: `ask` or `recall`.
        questions: Drawn from at random.
        tally: Filled.
        until: Of the monotonic clock.
        seed: Of the draws.
    """
    chance = random.Random(seed)
    line = http.client.HTTPConnection(address, timeout=30)
    due = time.monotonic() + chance.random()
    while due < until:
        time.sleep(max(0.0, due - time.monotonic()))
        body = json.dumps({ARGUMENT[call]: chance.choice(questions)})
        try:
            line.request("POST", f"/api/{call}", body, {"Content-Type": "application/json"})
            answer = line.getresponse()
            answer.read()
            tally.statuses[str(answer.status)] += 1
        except (OSError, http.client.HTTPException) as error:
            tally.statuses[type(error).__name__] += 1
            line.close()
        tally.seconds.append(time.monotonic() - due)
        due += 1.0
    line.close()


def load(
    url: str, call: str, questions: Sequence[str], *, clients: int, seconds: float
) -> dict[str, Any]:
    """Let clients ask for a while.

    Args:
        url: Of the server.
        call: `ask` or `recall`.
        questions: What is asked.
        clients: How many.
        seconds: How long.

    Returns:
        Latencies, responses by status, and how the load of the machine was.
    """
    tally = Tally()
    until = time.monotonic() + seconds
    threads = [
        threading.Thread(
            target=ask_every_second,
            args=(urlsplit(url).netloc, call, questions, tally),
            kwargs={"until": until, "seed": seed},
        )
        for seed in range(clients)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    failed = sum(count for status, count in tally.statuses.items() if status != "200")
    return {
        "call": call, "clients": clients, "questions": len(questions),
        "requests": len(tally.seconds), "failed": failed, "statuses": dict(tally.statuses),
        **latency(tally.seconds), "max_ms": rounded(max(tally.seconds) * 1e3),
        "batching": encodings(url), "machine_load": round(os.getloadavg()[0], 2),
    }  # fmt: skip


def encodings(url: str) -> dict[str, float]:
    """How often words were encoded, and in how many forwards, as the server's metrics say."""
    line = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
    line.request("GET", "/metrics")
    text = line.getresponse().read().decode()
    line.close()
    found = dict(row.rsplit(" ", 1) for row in text.splitlines() if not row.startswith("#"))
    names = ("calls", "forwards")
    return {name: float(found[f"robot_memory_encode_{name}_total"]) for name in names}


# -- listeners that do not read -----------------------------------------------------------------


def stall(address: str) -> socket.socket:
    """A listener to live events that never reads."""
    host, _, port = address.partition(":")
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    listener.connect((host, int(port)))
    head = f"GET /api/live HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {TOKEN}\r\n\r\n"
    listener.sendall(head.encode())
    return listener


def hand_in(line: http.client.HTTPConnection, number: int) -> float:
    """Seconds to have one batch of observations acknowledged."""
    batch = [
        {
            "id": f"b{number}-{part}", "stamp_ns": FIRST_STAMP_NS + number * SECOND_NS + part,
            "text": f"a box with the number {number} {part} {WORDS}", "pose": [part, number, 0],
        }
        for part in range(BATCH)
    ]  # fmt: skip
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {TOKEN}"}
    begun = time.perf_counter()
    line.request("POST", "/api/observe", json.dumps({"observations": batch}), headers)
    answer = line.getresponse()
    told = json.loads(answer.read())
    assert answer.status == 200, told
    assert len(told["added"]) == BATCH, told
    return time.perf_counter() - begun


def slow_clients(folder: Path) -> dict[str, Any]:
    """Rates of ingest over HTTP, batch by batch in turns with and without stalled listeners."""
    RobotMemory.open(folder, text_encoder=HashingEncoder()).close()
    options = ("--encoder", "hashing", "--allow", "observe", "--token", TOKEN)
    alone: list[float] = []
    beside: list[float] = []
    with served(folder, *options) as url, ExitStack() as stack:
        address = urlsplit(url).netloc
        line = http.client.HTTPConnection(address, timeout=60)
        for number in range(BATCHES):
            if number % TURN == 0:
                stalled = number // TURN % 4 in (1, 2)  # ABBA: a memory slows as it grows
                stack.close()
                for _ in range(STALLED if stalled else 0):
                    stack.callback(stall(address).close)
            (beside if stalled else alone).append(hand_in(line, number))
        line.close()
    rates = [BATCH / float(np.median(taken)) for taken in (alone, beside)]
    return {
        "stalled": STALLED, "batch": BATCH, "batches": BATCHES,
        "alone_per_s": rounded(rates[0]), "beside_per_s": rounded(rates[1]),
        "ratio": rounded(rates[1] / rates[0]),
        "slowest_batch_ms": rounded(max(beside) * 1e3),
    }  # fmt: skip


# -- command line -------------------------------------------------------------------------------


def main() -> None:
    """Make, serve, load, and print."""
    parser = argparse.ArgumentParser(prog="benchmarks.loading", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--rows", type=parse_size, default=100_000, help="for example 100k")
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--calls", nargs="+", choices=sorted(ARGUMENT), default=["recall", "ask"])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--cache", type=Path, default=episodic.default_cache(),
                        help="folder for sentence embeddings")  # fmt: skip
    parser.add_argument("--json", action="store_true", help="one JSON object instead of tables")
    options = parser.parse_args()
    begun, computer = time.perf_counter(), machine()
    with tempfile.TemporaryDirectory(prefix="loading-") as temporary:
        folder = Path(temporary)
        say(f"making a memory of {size_name(options.rows)} observations")
        unsaid = make_memory(folder / "m", options.rows, cache=options.cache, seed=options.seed)
        asked = [form.format(text) for form in asking.FORMS for text in unsaid]
        loads = []
        for call in options.calls:  # a server each: no question was encoded before
            say(f"{options.clients} clients, {call}, {options.seconds:.0f} s")
            with served(folder / "m") as url:
                loads.append(
                    load(url, call, asked[:QUESTIONS], clients=options.clients,
                         seconds=options.seconds)
                )  # fmt: skip
        say("listeners that do not read")
        slow = slow_clients(folder / "slow")
    targets = [
        found
        for item in loads
        for found in (
            Target(f"{item['call']}: requests that failed", item["failed"], 0),
            Target(f"{item['call']}: p99, ms", item["p99_ms"], P99_MS),
        )
    ]
    targets.append(Target("ingest beside stalled listeners", slow["ratio"], KEPT, above=True))
    if options.json:
        config = {name: getattr(options, name) for name in ("clients", "seconds", "seed")}
        print_json(
            {"benchmark": "loading", "n": options.rows, "config": config, "date": today(),
             "machine": computer, "seconds": round(time.perf_counter() - begun, 1),
             "loads": loads, "slow_clients": slow,
             "targets": [target.to_json() for target in targets]}
        )  # fmt: skip
        return
    header = ("call", "clients", "requests", "failed", "p50_ms", "p95_ms", "p99_ms", "max_ms")
    rows = [[str(item[key]) for key in header] for item in loads]
    print_table(f"{size_name(options.rows)} observations", header, rows)
    print_table("ingest", list(slow), [[str(value) for value in slow.values()]])
    print_targets(targets)


if __name__ == "__main__":
    main()
