"""Who may come in: hosts, origins, a token and rates, before anything else is done.

A page from elsewhere can have a browser call this server (DNS rebinding, forged requests): only
known host names are answered, and requests with another page's origin are refused.
"""

from __future__ import annotations

import hmac
import re
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs

from anyio.to_thread import current_default_thread_limiter
from fastapi import Response
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from memory_core.errors import RateLimited
from memory_core.interfaces.guarding import RateLimiter
from memory_core.interfaces.listening import Listening
from memory_core.interfaces.web import observing
from memory_core.interfaces.web.problems import problem, told

COOKIE = "robot_memory"
MAX_BODY = 64 * 2**10
BODIES = {f"/api/{observing.NAME}": observing.MAX_BODY}
"""Largest bodies, bytes, where it is not `MAX_BODY`."""
MAX_WAITING = 256
"""So many calls may wait for a thread; beyond, clients are told to come back."""
_HOST = re.compile(r"(\[[0-9a-fA-F:.]+\]|[^:\[\]]+)(?::\d*)?", re.ASCII)
_GUARDED = ("/api", "/metrics", "/openapi.json")
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "font-src 'self'; connect-src 'self'; worker-src 'self'; manifest-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class Guard:
    """ASGI middleware that refuses who may not come in, and adds safe headers."""

    def __init__(self, app: ASGIApp, *, listening: Listening, rate: RateLimiter) -> None:
        """Stand before an app.

        Args:
            app: ASGI.
            listening: Who may come, and the token.
            rate: How often one address may call the API.
        """
        self._app = app
        self._token = listening.token
        self._names = frozenset(name.strip("[]").lower() for name in listening.names)
        self._rate = rate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)

        async def safe_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                found = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    found.setdefault(name, value)
                found.setdefault("Cache-Control", "no-store")
            await send(message)

        refusal = self._refusal(scope, headers)
        if refusal is not None:
            await refusal(scope, receive, safe_send)
            return
        await self._app(scope, receive, safe_send)

    def _refusal(self, scope: Scope, headers: Headers) -> Response | None:
        host = headers.get("host", "")
        if _name_of(host) not in self._names:
            return problem(
                421, "host_refused", f"this server does not answer to the host {host[:256]!r}",
                "Use the name it was started with; `serve --name` adds one.",
            )  # fmt: skip
        origin = headers.get("origin")
        if origin is not None and origin.partition("://")[2].lower() != host.lower():
            return problem(
                403, "origin_refused", "pages of other sites may not call this server",
                "Call it from a program, or from its own page.",
            )  # fmt: skip
        path: str = scope["path"]
        if path == "/" and scope["query_string"]:
            return self._too_often(scope) or self._entered(scope)
        if not path.startswith(_GUARDED):
            return None
        return (  # the rate first: it slows who guesses tokens, too
            self._too_often(scope)
            or self._without_token(headers)
            or _too_large(headers, path)
            or _overloaded(path)
        )

    def _entered(self, scope: Scope) -> Response | None:
        """Someone opened `/?token=…`: a cookie keeps it, the address bar does not."""
        given = parse_qs(scope["query_string"].decode("latin-1")).get("token", [])
        if not (self._token and given and self._fits(given[0])):
            return None
        answer = Response(status_code=303, headers={"Location": "/"})
        answer.set_cookie(COOKIE, given[0], httponly=True, samesite="strict", path="/")
        return answer

    def _fits(self, given: str) -> bool:
        return hmac.compare_digest(given.encode("utf-8", "replace"), self._token.encode("ascii"))

    def _without_token(self, headers: Headers) -> Response | None:
        if not self._token:
            return None
        kind, _, given = headers.get("authorization", "").partition(" ")
        if kind.lower() != "bearer":
            given = _cookie(headers)
        if self._fits(given):
            return None
        return problem(
            401, "token_needed", "this server needs a token",
            "Send `Authorization: Bearer TOKEN`, or open /?token=TOKEN in a browser.",
            headers={"WWW-Authenticate": "Bearer"},
        )  # fmt: skip

    def _too_often(self, scope: Scope) -> Response | None:
        client = scope.get("client")
        try:
            self._rate.take(client[0] if client else "local")
        except RateLimited as error:
            return told(error)
        return None


def _cookie(headers: Headers) -> str:
    try:
        found = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return ""
    return found.value if found is not None else ""


def _name_of(host: str) -> str:
    """A Host header without its port, in small letters; "" where it is none."""
    found = _HOST.fullmatch(host)
    return found[1].strip("[]").lower() if found else ""


def _too_large(headers: Headers, path: str) -> Response | None:
    """Bodies that say how long they are; of others the application reads no more than this."""
    most = BODIES.get(path, MAX_BODY)
    length = headers.get("content-length", "0")
    if len(length) < 16 and (not length.isdecimal() or int(length) <= most):
        return None
    return problem(
        413, "body_too_large", f"the body has {length[:16]} bytes; at most {most:,}",
        "Send less at once.",
    )  # fmt: skip


def _overloaded(path: str) -> Response | None:
    waiting = current_default_thread_limiter().statistics().tasks_waiting
    if waiting <= MAX_WAITING or not path.startswith("/api"):
        return None
    return problem(503, "overloaded", f"{waiting} calls wait already", "Try again in a moment.")
