"""The application, called in this process or behind a socket of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from memory_core.interfaces.calls import CHANGING
from memory_core.interfaces.guarding import RateLimiter
from memory_core.interfaces.listening import Listening
from memory_core.interfaces.service import MemoryService
from memory_core.interfaces.web.app import MemoryApp, create_app
from memory_core.interfaces.web.serving import StoppingServer
from memory_core.memory import RobotMemory

from ..serving import folder, make_memory, opened

__all__ = ["folder"]
UNLIMITED = RateLimiter(1e9, burst=10**9)
TOKEN = "correct-horse-battery"


def app_over(
    memory: RobotMemory, *, allow: frozenset[str] = frozenset(), **options: Any
) -> MemoryApp:
    service = MemoryService(memory, allow=allow & CHANGING, rate=UNLIMITED)
    options.setdefault("rate", UNLIMITED)
    return create_app(service, observing="observe" in allow, **options)


def client_of(app: MemoryApp) -> TestClient:
    return TestClient(
        app, "http://127.0.0.1", client=("127.0.0.1", 50_000), raise_server_exceptions=False
    )


@pytest.fixture(scope="module")
def reading(folder: Path) -> Iterator[TestClient]:
    """A client of a server that only reads."""
    with opened(folder) as memory, client_of(app_over(memory)) as client:
        yield client


@pytest.fixture
def writable(tmp_path: Path) -> Iterator[RobotMemory]:
    with opened(make_memory(tmp_path / "memory"), read_only=False) as memory:
        yield memory


@contextmanager
def listening_server(app: MemoryApp) -> Iterator[int]:
    """The application behind a free port of this machine; yields the port."""
    with closing(Listening().bound()) as listener:
        server = StoppingServer(app)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join(timeout=10)
            assert not thread.is_alive()


Serve = Callable[[MemoryApp], int]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Puts applications behind ports for as long as a test lasts."""
    with ExitStack() as stack:
        yield lambda app: stack.enter_context(listening_server(app))
