"""What a way in costs: `recall` over MCP and HTTP on this machine, against the same call in process.

    python -m benchmarks.ways_in --memory FOLDER --encoder default --count 200

Each question is new to both sides, and every way is asked each question in turn, so that
what else the machine does falls on all alike. The cost of a way is the median of the differences,
question by question.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, closing
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import anyio
import numpy as np

from benchmarks.common import (
    Target,
    descriptions,
    latency,
    machine,
    print_json,
    print_table,
    print_targets,
    rounded,
    say,
    today,
)
from benchmarks.fuzz import Served
from memory_core.interfaces.opening import encoder_of
from memory_core.interfaces.service import MemoryService
from memory_core.memory import RobotMemory

WARM_UP = 20
COST_MS = 5.0
K = 10
UNLIMITED = ("--rate", "1000000")

Asking = Callable[[str], Awaitable[None]]
"""Asks one question, and waits for its answer."""


# -- the ways -----------------------------------------------------------------------------------


@asynccontextmanager
async def in_process(folder: Path, encoder: str) -> AsyncIterator[Asking]:
    """The service over the memory, in this process."""
    with RobotMemory.open(folder, read_only=True, text_encoder=encoder_of(encoder)) as memory:
        service = MemoryService(memory)

        async def ask(question: str) -> None:
            service.call("recall", {"query": question, "k": K}, client=question)

        yield ask


@asynccontextmanager
async def over_mcp_stdio(folder: Path, encoder: str) -> AsyncIterator[Asking]:
    """The SDK's client and a server over standard input and output."""
    from mcp import Client, StdioServerParameters

    line = ["-m", "memory_core.interfaces.cli", *_mcp(folder, encoder)]
    async with Client(StdioServerParameters(command=sys.executable, args=line)) as client:
        yield _calling(client)


@asynccontextmanager
async def over_mcp_http(folder: Path, encoder: str) -> AsyncIterator[Asking]:
    """The SDK's client and a server over HTTP."""
    from mcp import Client

    with Served([*_mcp(folder, encoder), "--http", "--port", "0"]) as url:
        async with Client(url) as client:
            yield _calling(client)


@asynccontextmanager
async def over_mcp_plain(folder: Path, encoder: str) -> AsyncIterator[Asking]:
    """A plain client and a server over HTTP: what the server costs, without the SDK's client."""
    headers = {
        "Accept": "application/json, text/event-stream", "Content-Type": "application/json",
        "MCP-Protocol-Version": "2025-06-18",
    }  # fmt: skip
    command = [*_mcp(folder, encoder), "--http", "--port", "0"]
    with Served(command) as url, closing(HTTPConnection(urlsplit(url).netloc)) as line:

        async def ask(question: str) -> None:
            params = {"name": "recall", "arguments": {"query": question, "k": K}}
            message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
            line.request("POST", urlsplit(url).path, json.dumps(message), headers)
            reply = json.loads(line.getresponse().read())
            assert reply["result"]["structuredContent"]["evidence"]

        yield ask


@asynccontextmanager
async def over_http(folder: Path, encoder: str) -> AsyncIterator[Asking]:
    """A plain client and `robot-memory serve`."""
    command = ["serve", "--memory", str(folder), "--encoder", encoder, "--port", "0", *UNLIMITED]
    with Served(command) as url, closing(HTTPConnection(urlsplit(url).netloc)) as line:

        async def ask(question: str) -> None:
            body = json.dumps({"query": question, "k": K})
            line.request("POST", "/api/recall", body, {"Content-Type": "application/json"})
            answer = line.getresponse()
            json.loads(answer.read())
            assert answer.status == 200

        yield ask


def _mcp(folder: Path, encoder: str) -> list[str]:
    return ["mcp", "--memory", str(folder), "--encoder", encoder, *UNLIMITED]


def _calling(client: Any) -> Asking:
    async def ask(question: str) -> None:
        result = await client.call_tool("recall", {"query": question, "k": K})
        assert not result.is_error

    return ask


WAYS: dict[str, Callable[[Path, str], Any]] = {
    "in process": in_process,
    "MCP over stdio": over_mcp_stdio,
    "MCP over HTTP": over_mcp_http,
    "MCP over HTTP, plain client": over_mcp_plain,
    "HTTP": over_http,
}


# -- measuring ----------------------------------------------------------------------------------


async def measure(
    folder: Path, encoder: str, questions: Sequence[str], ways: Sequence[str]
) -> dict[str, list[float]]:
    """Ask every question over every way, in an order that turns.

    Args:
        folder: A memory.
        encoder: Of its words, as `--encoder` names it.
        questions: The first `WARM_UP` are not counted.
        ways: Names of `WAYS`.

    Returns:
        Seconds by way, one for each question that counts.
    """
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    async with AsyncExitStack() as stack:
        asking = {
            name: await stack.enter_async_context(WAYS[name](folder, encoder)) for name in ways
        }
        for number, question in enumerate(questions):
            for turn in range(len(ways)):
                name = ways[(number + turn) % len(ways)]
                begun = time.perf_counter()
                await asking[name](question)
                if number >= WARM_UP:
                    seconds[name].append(time.perf_counter() - begun)
    return seconds


def costs(seconds: dict[str, list[float]]) -> dict[str, dict[str, float]]:
    """Latencies of each way, and what it costs over the first: quartiles, milliseconds."""
    first = np.array(next(iter(seconds.values())))
    told = {}
    for name, taken in seconds.items():
        quarter, median, three = np.percentile((np.array(taken) - first) * 1e3, (25, 50, 75))
        told[name] = latency(taken) | {
            "cost_p25_ms": rounded(quarter), "cost_p50_ms": rounded(median),
            "cost_p75_ms": rounded(three),
        }  # fmt: skip
    return told


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--memory", type=Path, required=True)
    parser.add_argument("--encoder", default="default")
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS))
    options = parser.parse_args()
    questions = descriptions(options.count + WARM_UP, seed=11)
    say(f"asking {options.count} questions over {len(options.ways)} ways")
    seconds = anyio.run(measure, options.memory, options.encoder, questions, options.ways)
    told = costs(seconds)
    targets = [
        Target(f"recall {name}, over in process, p50 ms", item["cost_p50_ms"], COST_MS)
        for name, item in list(told.items())[1:]
    ]
    if options.json:
        print_json(
            {"date": today(), "machine": machine(), "n": options.count, "ways": told,
             "config": {"k": K, "encoder": options.encoder},
             "targets": [target.to_json() for target in targets]}
        )  # fmt: skip
    else:
        header = list(next(iter(told.values())))
        rows = [[name, *(f"{item[key]:,}" for key in header)] for name, item in told.items()]
        print_table(f"recall, {options.count} questions", ["way", *header], rows)
        print_targets(targets)
    return 0


if __name__ == "__main__":
    sys.exit(main())
