"""Hostile HTTP: requests made from the OpenAPI document, fitting and not, and hand-made ones.

Half of the requests come from schemathesis, which holds every reply against the document; the
other half go over a socket to a server of the command line, with odd heads, bodies and paths.
"""

from __future__ import annotations

import http.client
import json
import random
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from benchmarks.fuzz import BROKEN, Findings, Served, any_call, any_value, any_words
from memory_core.interfaces.guarding import RateLimiter
from memory_core.interfaces.listening import Listening
from memory_core.interfaces.service import MemoryService
from memory_core.interfaces.web.app import create_app
from memory_core.memory import RobotMemory
from memory_core.perception.text import HashingEncoder

STREAM = "/api/live"
METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE", "BREW")
VIEWS = ("overview", "points", "near", "path", "places", "entities", "entity", "timeline", "forest",
         "below", "attention", "ground", "suggestions", "download/events.json")  # fmt: skip
PARAMETERS = ("level", "x", "y", "x0", "y0", "x1", "y1", "cell_m", "radius_m", "start_ms", "end_ms",
              "id", "node", "question", "bins", "depth", "tolerance_m")  # fmt: skip


def fuzz_document(folder: Path, *, requests: int) -> Findings:
    """Requests made by schemathesis from the application's own document.

    Args:
        folder: A memory with `hashing` vectors.
        requests: About how many.
    """
    import schemathesis
    from hypothesis import HealthCheck, Phase, given, settings
    from schemathesis import GenerationMode
    from schemathesis.core.failures import FailureGroup
    from schemathesis.python.asgi import get_client
    from schemathesis.specs.openapi import checks

    found = Findings()
    unlimited = RateLimiter(1e9, burst=10**9)
    with RobotMemory.open(folder, read_only=True, text_encoder=HashingEncoder()) as memory:
        app = create_app(
            MemoryService(memory, rate=unlimited), rate=unlimited,
            listening=Listening(names=("testserver", "127.0.0.1")),
        )  # fmt: skip
        schema = schemathesis.openapi.from_asgi("/openapi.json", app)
        operations = [result.ok() for result in schema.get_all_operations()]
        operations = [operation for operation in operations if operation.path != STREAM]
        varied = [item for item in operations if item.body or item.query or item.path_parameters]
        each = max(1, requests // (2 * len(varied)))
        not_promised = [  # a word may name no time; "5" and true are taken for numbers
            checks.unsupported_method,
            checks.positive_data_acceptance,
            checks.negative_data_rejection,
        ]
        quiet = settings(
            max_examples=each, deadline=None, database=None, phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip

        def check(case: Any, client: Any) -> None:
            response = case.call(session=client)
            wrong = ""
            try:
                case.validate_response(response, excluded_checks=not_promised)
            except (AssertionError, FailureGroup) as error:
                wrong = f"{type(error).__name__}: {error}"
            outcome = "internal" if response.status_code >= 500 else str(response.status_code)
            found.note(outcome, response.text, case.as_curl_command())
            if wrong:
                found.wrong.append(f"{case.as_curl_command()[:300]} -> {wrong[:300]}")

        with get_client(app) as client:
            for operation in operations:
                for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
                    if operation in varied or mode is GenerationMode.POSITIVE:
                        strategy = operation.as_strategy(generation_mode=mode)
                        quiet(given(strategy)(lambda case: check(case, client)))()
    return found


def any_request(chance: random.Random) -> tuple[str, str, bytes, dict[str, str]]:
    """A method, a path, a body and headers: about right, partly wrong, or nonsense."""
    kind = chance.random()
    headers = {"Content-Type": "application/json"}
    if kind < 0.5:
        name, arguments = any_call(chance)
        method, path = "POST", f"/api/{quote(name, safe='', errors='replace')}"
        body = json.dumps(arguments).encode()
    elif kind < 0.8:
        path = "/api/" + chance.choice(("stats", "observation", "keyframe", *_view_paths(chance)))
        names = chance.sample(PARAMETERS, chance.randrange(5))
        given = {name: str(chance.choice((any_words, any_value))(chance))[:500] for name in names}
        method, path = "GET", f"{path}?{urlencode(given, errors='replace')}"
        body = b""
    else:
        words = quote(any_words(chance)[:300], safe="/", errors="replace")
        method = chance.choice(METHODS)
        path = chance.choice(("/", "//", "/api/", "/api/view/", "/../", "/assets/")) + words
        body = chance.choice(BROKEN)
    if chance.random() < 0.1:
        body = chance.choice((*BROKEN, body[: len(body) // 2], body + b"\xff", b"x" * 70_000))
    if chance.random() < 0.1:
        name = chance.choice(
            ("Host", "Origin", "Cookie", "Authorization", "Content-Type", "Last-Event-ID",
             "If-None-Match", "Accept-Encoding", "Range", "Transfer-Encoding", "Expect")
        )  # fmt: skip
        headers[name] = _head(any_words(chance))
    return method, path, body, headers


def _view_paths(chance: random.Random) -> tuple[str, ...]:
    return tuple(f"view/{chance.choice(VIEWS)}" for _ in range(3))


def _head(words: str) -> str:
    """Words that may stand in a header line."""
    kept = words.encode("latin-1", "ignore").decode("latin-1")
    return "".join(letter for letter in kept if letter.isprintable())[:2_000]


def fuzz_socket(url: str, *, requests: int, seed: int) -> Findings:
    """Send requests to a server.

    Args:
        url: Its address.
        requests: How many.
        seed: Of the requests.
    """
    chance, found = random.Random(seed), Findings()
    parts = urlsplit(url)
    line = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)
    for _ in range(requests):
        method, path, body, headers = any_request(chance)
        if path.startswith(STREAM):
            continue
        try:
            line.request(method, path, body or None, headers)
            response = line.getresponse()
            reply = response.read().decode("utf-8", "replace")
        except http.client.InvalidURL:  # refused here already, as any client would
            continue
        except (OSError, http.client.HTTPException) as error:
            line.close()
            found.note("connection closed", "", None)
            if isinstance(error, TimeoutError | ConnectionRefusedError):
                found.wrong.append(f"no answer: {method} {path[:300]}")
            continue
        crashed = response.status >= 500 and response.status not in (501, 503)
        found.note("internal" if crashed else str(response.status), _said(reply, response), path)
    line.close()
    return found


def _said(reply: str, response: http.client.HTTPResponse) -> str:
    """What is looked through for traces: the page itself is a program and is not."""
    kind = response.headers.get("content-type", "")
    return reply if "json" in kind or response.status >= 400 else ""


def fuzz_http(folder: Path, requests: int, seed: int) -> Findings:
    """Both halves.

    Args:
        folder: A memory with `hashing` vectors.
        requests: How many in all.
        seed: Of the hand-made half.
    """
    command = ["serve", "--port", "0", "--memory", str(folder), "--encoder", "hashing"]
    with (served := Served([*command, "--rate", "1000000"])) as url:
        found = fuzz_socket(url, requests=requests - requests // 2, seed=seed)
    if "Traceback" in served.errors:
        found.wrong.append(f"the log: {served.errors[-2_000:]}")
    more = fuzz_document(folder, requests=requests // 2)
    found.requests += more.requests
    found.outcomes.update(more.outcomes)
    found.wrong += more.wrong
    return found
