"""The calls of the service as HTTP routes, described for OpenAPI by the models they share."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Annotated, Any

from fastapi import APIRouter, Body, Header, Query, Request, Response
from fastapi.openapi.models import Example

from memory_core.interfaces.calls import CALLS, Call
from memory_core.interfaces.service import MemoryService
from memory_core.interfaces.web.examples import EXAMPLES
from memory_core.interfaces.web.live import EventStream, Feed
from memory_core.interfaces.web.observing import MAX_BODY, NAME, Observe, Observed, Observer
from memory_core.types import Json

Identity = Annotated[str, Query(min_length=1, max_length=256, description="as evidence carries it")]
READ_BY_GET = ("stats", "observation", "keyframe")
_YEAR_S = 31_536_000


def calls(service: MemoryService, *, observer: Observer) -> APIRouter:
    """A route for every call.

    Args:
        service: Over an open memory.
        observer: Takes observations.
    """
    router = APIRouter(prefix="/api")
    for call in CALLS.values():
        if call.name not in READ_BY_GET:
            _add_call(router, service, call)
    _add_reads(router, service)
    _add_observing(router, observer, shown=observer.enabled)
    return router


def reply(value: Json) -> Response:
    """A JSON response; the value is plain JSON already.

    A lone surrogate, which an id that is refused may hold, is written as JSON's escape for it.
    """
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return Response(text.encode("utf-8", "backslashreplace"), media_type="application/json")


def client_of(request: Request) -> str:
    """The address of who calls."""
    return request.client.host if request.client is not None else "local"


def _add_call(router: APIRouter, service: MemoryService, call: Call) -> None:
    def endpoint(request: Request, arguments: Any) -> Response:
        return reply(service.call(call.name, arguments, client=client_of(request)))

    # the arguments' model differs from call to call: FastAPI reads it here
    endpoint.__annotations__ = {
        "request": Request,
        "arguments": Annotated[call.request, Body(openapi_examples=_examples(call.name))],
        "return": Response,
    }
    router.add_api_route(
        f"/{call.name}", endpoint, methods=["POST"], name=call.name, operation_id=call.name,
        summary=call.about, tags=["changing" if call.changes else "reading"],
        include_in_schema=not call.changes or call.name in service.allow,
        responses={200: {"model": call.reply}},
    )  # fmt: skip


def _add_reads(router: APIRouter, service: MemoryService) -> None:
    def read(name: str, request: Request, **arguments: str) -> dict[str, Json]:
        return service.call(name, arguments, client=client_of(request))

    @router.get(
        "/stats", tags=["reading"], operation_id="stats", summary=CALLS["stats"].about,
        responses={200: {"model": CALLS["stats"].reply}},
    )  # fmt: skip
    def stats(request: Request) -> Response:
        return reply(read("stats", request))

    @router.get(
        "/observation", tags=["reading"], operation_id="observation",
        summary=CALLS["observation"].about,
        responses={200: {"model": CALLS["observation"].reply}},
    )  # fmt: skip
    def observation(request: Request, id: Identity) -> Response:
        return reply(read("observation", request, id=id))

    @router.get(
        "/keyframe", tags=["reading"], operation_id="keyframe", summary=CALLS["keyframe"].about,
        response_class=Response,
        responses={
            200: {"content": {"image/jpeg": {"schema": {"type": "string", "format": "binary"}}}},
            304: {"description": "the picture the client has"},
        },
    )  # fmt: skip
    def keyframe(
        request: Request, id: Identity, if_none_match: Annotated[str | None, Header()] = None
    ) -> Response:
        jpeg = base64.b64decode(read("keyframe", request, id=id)["jpeg_base64"])
        tag = f'"{hashlib.blake2b(jpeg, digest_size=16).hexdigest()}"'
        kept = {"ETag": tag, "Cache-Control": f"private, max-age={_YEAR_S}, immutable"}
        if tag in (if_none_match or ""):
            return Response(status_code=304, headers=kept)
        return Response(jpeg, headers=kept, media_type="image/jpeg")


def _add_observing(router: APIRouter, observer: Observer, *, shown: bool) -> None:
    @router.post(
        f"/{NAME}", tags=["changing"], operation_id=NAME, include_in_schema=shown,
        summary="Remember observations; those that are wrong are refused one by one.",
        max_body_size=MAX_BODY,
        responses={200: {"model": Observed}},
    )  # fmt: skip
    def observe(
        request: Request,
        observations: Annotated[Observe, Body(openapi_examples=_examples(NAME))],
    ) -> Response:
        return reply(observer.observe(observations, client=client_of(request)))


def _examples(name: str) -> dict[str, Example]:
    return {title: Example(value=value) for title, value in EXAMPLES[name].items()}


def live(feed: Feed) -> APIRouter:
    """The stream of new observations.

    Args:
        feed: Follows the memory.
    """
    router = APIRouter(prefix="/api")

    @router.get(
        "/live", tags=["live"], operation_id="live", response_class=Response,
        summary="New observations as server-sent events.",
        description="Events `observation` (the object of evidence; its number is the event's id) "
        "and `skipped` (how many were not told one by one). A client that comes back with "
        "`Last-Event-ID` is told what it missed; one that does not keep up is let go.",
        responses={200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}},
    )  # fmt: skip
    async def stream(
        last_event_id: Annotated[str | None, Header(max_length=32)] = None,
    ) -> Response:
        seen = last_event_id if last_event_id and last_event_id.isdecimal() else None
        client, missed = await feed.subscribe(int(seen) if seen else None)
        return EventStream(feed, client, missed)

    return router
