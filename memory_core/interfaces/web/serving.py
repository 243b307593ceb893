"""`robot-memory serve`: the application behind a socket, until the process is told to stop."""

from __future__ import annotations

import argparse
import gc
import math
import os
import secrets
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from threading import Thread, Timer

import uvicorn

from memory_core.errors import InvalidQuery, RobotMemoryError
from memory_core.interfaces.acting import Acting
from memory_core.interfaces.calls import ACTING, CHANGING, WRITING
from memory_core.interfaces.console import complain, print_json
from memory_core.interfaces.guarding import RateLimiter
from memory_core.interfaces.listening import Listening, in_address
from memory_core.interfaces.opening import open_for_many
from memory_core.interfaces.service import MemoryService
from memory_core.interfaces.web import observing
from memory_core.interfaces.web.app import MemoryApp, create_app
from memory_core.memory import RobotMemory
from memory_core.planning.planner import Planner

STOPPING_S = 1
MAX_CONNECTIONS = 1_000


def serve(options: argparse.Namespace) -> int:
    """Serve a memory until the process is told to stop."""
    if not 0 < options.rate < math.inf:
        raise InvalidQuery(f"--rate is {options.rate:g}; expected a positive number")
    # several are answered at once: a core for each, not all for one; read when torch is loaded
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    allow = frozenset(options.allow)
    token = options.token or (secrets.token_urlsafe(16) if allow else "")
    listening = Listening.checked(
        options.host, options.port, token=token, names=tuple(options.name)
    )
    giving_up = Timer(STOPPING_S, os._exit, (0,))
    giving_up.daemon = True
    write = bool(allow & (WRITING | {observing.NAME}))
    with closing(listening.bound()) as listener, open_for_many(options, write=write) as memory:
        service = MemoryService(
            memory, allow=allow & CHANGING, rate=_limiter(options.rate),
            planner=Acting(Planner(memory)) if allow & ACTING else None,
        )  # fmt: skip
        app = create_app(
            service, listening=listening, rate=_limiter(options.rate),
            observing=observing.NAME in allow,
        )  # fmt: skip
        _announce(options, listening, listener, made=not options.token)
        app.warm = False
        Thread(target=_warm, args=(memory, app), name="warm-up", daemon=True).start()
        with _stopping():
            StoppingServer(app).run(sockets=[listener])
        if memory.read_only:  # nothing can be lost: what still runs is not waited for long
            giving_up.start()
    giving_up.cancel()
    gc.freeze()  # the process ends: nothing is searched for cycles, which takes seconds
    return 0


def _limiter(per_second: float) -> RateLimiter:
    return RateLimiter(per_second, burst=max(1, round(2 * per_second)))


class StoppingServer(uvicorn.Server):
    """Ends live streams first, so that stopping does not wait for who listens to them."""

    def __init__(self, app: MemoryApp) -> None:
        """Serve an app quietly."""
        self._feed = app.feed
        config = uvicorn.Config(
            app, log_config=None, access_log=False, server_header=False, proxy_headers=False,
            ws="none", lifespan="on", timeout_graceful_shutdown=STOPPING_S,
            limit_concurrency=MAX_CONNECTIONS,
        )  # fmt: skip
        super().__init__(config)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """See `uvicorn.Server.shutdown`."""
        self._feed.stop()
        await super().shutdown(sockets)


def _announce(
    options: argparse.Namespace, listening: Listening, listener: socket.socket, *, made: bool
) -> None:
    """Say where the memory can be seen, and with what."""
    address = f"http://{in_address(listening.host)}:{listener.getsockname()[1]}/"
    if options.json:
        print_json({"url": address, "token": listening.token or None})
        sys.stdout.flush()
        return
    complain(f"serving {options.memory} at {address}")
    if made and listening.token:
        complain(f"in a browser: {address}?token={listening.token}")
        complain(f"in a program: Authorization: Bearer {listening.token}")
    complain("stop it with Ctrl-C")


def _warm(memory: RobotMemory, app: MemoryApp) -> None:
    """Load the model and what a first question needs, before somebody waits for it."""
    try:
        memory.ask("where is the door?")
        memory.wait()
    except RobotMemoryError as error:
        complain(f"warming up: {error.code}: {error}")
    gc.freeze()  # what is loaded now stays: looking through it again and again stops every answer
    app.warm = True


@contextmanager
def _stopping() -> Iterator[None]:
    """Let Ctrl-C and a termination both end the server in order: the memory is closed."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    except KeyboardInterrupt:  # raised once more by uvicorn when it has stopped
        return
    finally:
        signal.signal(signal.SIGTERM, before)
