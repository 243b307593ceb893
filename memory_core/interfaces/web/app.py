"""The HTTP API and the viewer over one memory, as an ASGI application."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from anyio.to_thread import current_default_thread_limiter, run_sync
from fastapi import FastAPI, Response
from fastapi.openapi.utils import get_openapi
from starlette.staticfiles import StaticFiles

from memory_core import __version__
from memory_core.interfaces.guarding import RateLimiter
from memory_core.interfaces.listening import Listening
from memory_core.interfaces.service import MemoryService
from memory_core.interfaces.web import problems
from memory_core.interfaces.web.api import calls, live, reply
from memory_core.interfaces.web.live import Feed
from memory_core.interfaces.web.metrics import MEDIA_TYPE, Measured, Metrics
from memory_core.interfaces.web.observing import Observer
from memory_core.interfaces.web.problems import Problem, tell_problems
from memory_core.interfaces.web.security import MAX_BODY, Guard
from memory_core.interfaces.web.views import STATIC, views
from memory_core.types import Json

PER_SECOND = 200
WORKERS = max(3, 1 + (os.cpu_count() or 2))
"""Calls at once: more than there are cores only take turns, and then all of them are late."""
_FAILED = {
    "description": "What went wrong, with the HTTP status that fits.",
    "content": {
        problems.MEDIA_TYPE: {"schema": {"$ref": f"#/components/schemas/{Problem.__name__}"}}
    },
}


class MemoryApp(FastAPI):
    """The application.

    Attributes:
        feed: What the server stops before it waits for clients to go.
        warm: False while the server still loads what answers need; `/health` says so.
    """

    feed: Feed
    warm: bool = True


def create_app(
    service: MemoryService,
    *,
    listening: Listening | None = None,
    rate: RateLimiter | None = None,
    observing: bool = False,
) -> MemoryApp:
    """The application over a service.

    Args:
        service: Over an open memory, which stays the caller's to close.
        listening: Who may come; by default this machine alone.
        rate: How often one address may call; by default `PER_SECOND`.
        observing: Whether observations may be handed in.
    """
    memory = service.memory
    feed = Feed(memory)
    metrics = Metrics(memory, feed)
    listening = listening or Listening()

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        current_default_thread_limiter().total_tokens = WORKERS
        await feed.start()
        yield
        feed.stop()

    app = MemoryApp(
        title="robot-memory", version=__version__, lifespan=lifespan, docs_url=None, redoc_url=None,
        description="What a robot remembers: ask it, recall, and follow it live.",
    )  # fmt: skip
    app.feed = feed
    tell_problems(app, folder=str(memory.folder))
    observer = Observer(service, enabled=observing)
    app.include_router(calls(service, observer=observer), max_body_size=MAX_BODY)
    app.include_router(live(feed))
    app.include_router(views(service))
    _add_health(app, service, metrics)
    if STATIC.is_dir():
        app.mount("/", StaticFiles(directory=STATIC, html=True))
    rate = rate or RateLimiter(PER_SECOND, burst=2 * PER_SECOND)
    app.add_middleware(Guard, listening=listening, rate=rate)
    app.add_middleware(Measured, metrics=metrics)
    _describe(app, token=bool(listening.token))
    return app


def _add_health(app: MemoryApp, service: MemoryService, metrics: Metrics) -> None:
    index = service.memory.index

    @app.get("/health", tags=["health"], operation_id="health",
             summary="Whether the server lives, and whether the memory's index is ready.",
             responses={200: {"model": dict[str, bool]}, 503: {"model": dict[str, bool]}})  # fmt: skip
    async def health(ready: bool = False) -> Response:
        usable = index.ready and app.warm
        answer = reply({"live": True, "ready": usable})
        if ready and not usable:
            answer.status_code = 503
        return answer

    @app.get("/metrics", tags=["health"], operation_id="metrics", response_class=Response,
             summary="Numbers for Prometheus.",
             responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}})  # fmt: skip
    async def exposition() -> Response:
        metrics.count_waiting()
        return Response(await run_sync(metrics.text), media_type=MEDIA_TYPE)


def _describe(app: FastAPI, *, token: bool) -> None:
    """Have the OpenAPI document name the shape of errors, and the token where there is one."""

    def openapi() -> dict[str, Json]:
        if app.openapi_schema is None:
            found: dict[str, Any] = get_openapi(
                title=app.title, version=app.version, description=app.description,
                routes=app.routes,
            )  # fmt: skip
            parts = found.setdefault("components", {})
            parts.setdefault("schemas", {})[Problem.__name__] = Problem.model_json_schema()
            for path in found["paths"].values():
                for operation in path.values():
                    operation["responses"].pop("422", None)
                    operation["responses"]["default"] = _FAILED
            if token:
                parts["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
                found["security"] = [{"token": []}]
            app.openapi_schema = found
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]
