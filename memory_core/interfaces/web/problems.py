"""Errors as HTTP tells them: a status, and `{code, message, next}` (RFC 9457, problem details)."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from http import HTTPStatus

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from memory_core import errors

_log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
_LOOK = "Look at the server's log."
_AGAIN = "Try again in a moment."
_DESCRIBED = "Correct what the message names; /openapi.json describes every request."

ANSWERS: dict[type[errors.RobotMemoryError], tuple[int, str]] = {
    errors.RobotMemoryError: (500, _LOOK),
    errors.InputRejected: (422, _DESCRIBED),
    errors.UnknownId: (404, "Take an id from a recall; what it named may have been forgotten."),
    errors.MemoryUnavailable: (503, _AGAIN),
    errors.MemoryReadOnly: (403, "Start the server with --allow and the name of this call."),
    errors.StorageFull: (507, "Free space on the server's disk; what was acknowledged is safe."),
    errors.CallRefused: (503, _AGAIN),
    errors.CallNotEnabled: (403, "Start the server with --allow and the name of this call."),
    errors.RateLimited: (429, "Wait as long as Retry-After says."),
    errors.PlannerMissing: (501, "Start the server where a planner or a robot is."),
    errors.MemoryDamaged: (500, "Run `robot-memory verify` where the memory lies."),
    errors.ModelReplyInvalid: (502, _AGAIN),
    errors.EmptyMemory: (404, "Let the robot observe something first."),
    errors.NotInstalled: (501, "Install what the message names on the server."),
}
"""Status and advice by class of error; a class without one has its base's."""

PASSING = frozenset({429, 503})
"""Statuses that go with a Retry-After."""


class Problem(BaseModel):
    """What went wrong, and what to do."""

    code: str = Field(description="stable: the same in exit statuses, MCP and ROS results")
    message: str = Field(description="what was expected, and what came")
    next: str = Field(description="what to do")


def problem(
    status: int, code: str, message: str, advice: str, *, headers: Mapping[str, str] | None = None
) -> Response:
    """An error's response.

    Args:
        status: HTTP's.
        code: Stable.
        message: What was expected, and what came.
        advice: What to do.
        headers: Further ones.
    """
    body = {"code": code, "message": message, "next": advice}
    more = dict(headers or {})
    if status in PASSING:
        more.setdefault("Retry-After", "1")
    return Response(json.dumps(body), status, headers=more, media_type=MEDIA_TYPE)


def told(error: errors.RobotMemoryError, *, folder: str = "") -> Response:
    """The response for an error of this project.

    Args:
        error: Any.
        folder: Where the memory lies on the server, which is nobody's business.
    """
    status, advice = next(ANSWERS[kind] for kind in type(error).__mro__ if kind in ANSWERS)
    message = str(error)
    if folder:
        message = message.replace(folder, "the memory's folder")
    return problem(status, error.code, message, advice)


def tell_problems(app: FastAPI, *, folder: str) -> None:
    """Have an app answer every error as a problem, and log those that nobody foresaw.

    Args:
        app: Which.
        folder: Where the memory lies.
    """

    @app.exception_handler(errors.RobotMemoryError)
    async def expected(_: Request, error: errors.RobotMemoryError) -> Response:
        answer = told(error, folder=folder)
        if answer.status_code >= 500:
            _log.warning("%s: %s", error.code, error)
        return answer

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        if first["type"] == "json_invalid":
            return problem(400, "invalid_query", "the body is not JSON", _DESCRIBED)
        place = [str(part)[:64] for part in first["loc"] if part not in ("body", "query")]
        where = ".".join(place) or "the body"
        return problem(422, "invalid_query", f"{where}: {first['msg']}", _DESCRIBED)

    @app.exception_handler(HTTPException)
    async def refused(_: Request, error: HTTPException) -> Response:
        phrase = HTTPStatus(error.status_code).phrase
        code = phrase.lower().replace(" ", "_")
        return problem(
            error.status_code, code, error.detail or phrase, _DESCRIBED, headers=error.headers
        )

    @app.exception_handler(Exception)
    async def unforeseen(request: Request, error: Exception) -> Response:
        _log.error("%s %s failed", request.method, request.url.path, exc_info=error)
        return problem(500, "error", "the server failed on this request", _LOOK)
