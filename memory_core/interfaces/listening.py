"""Who may connect over HTTP: this machine alone, unless a token and the host's names are given."""

from __future__ import annotations

import hmac
import ipaddress
import json
import socket
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any

from memory_core.errors import InvalidQuery

LEAST_TOKEN = 8
BACKLOG = 128
_LOOPBACK_NAMES = ("127.0.0.1", "localhost", "[::1]")

Message = MutableMapping[str, Any]
App = Callable[
    [Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]],
    Awaitable[None],
]
"""An ASGI application."""


@dataclass(frozen=True, slots=True)
class Listening:
    """An address to listen on, and who may come.

    Attributes:
        host: An address or name of this machine.
        port: 0 takes a free one.
        token: What clients show as `Authorization: Bearer …`; "" wants none.
        names: What clients may call this host in their `Host` header.
    """

    host: str = "127.0.0.1"
    port: int = 0
    token: str = ""
    names: tuple[str, ...] = _LOOPBACK_NAMES

    @classmethod
    def checked(
        cls, host: str, port: int, *, token: str = "", names: tuple[str, ...] = ()
    ) -> Listening:
        """An address, where those who could come may.

        Args:
            host: Where to listen.
            port: Where to listen.
            token: The secret that clients show.
            names: Names of this host, where they are not its address.

        Raises:
            InvalidQuery: Others than this machine could connect, and there is no token, or it is
                not said how they call this host; or the token is too short to be one.
        """
        if token and (len(token) < LEAST_TOKEN or not token.isascii()):
            raise InvalidQuery(f"a token needs {LEAST_TOKEN} or more ASCII characters")
        if is_loopback(host):
            return cls(host, port, token, (*_LOOPBACK_NAMES, in_address(host), *names))
        if not token:
            raise InvalidQuery(
                f"{host} can be reached from other machines; give a --token that clients show, or "
                "listen on 127.0.0.1"
            )
        if not names and _is_every_address(host):
            raise InvalidQuery(
                f"{host} is every address of this machine; say what clients call it with "
                "--name robot.local"
            )
        return cls(host, port, token, names or (in_address(host),))

    def bound(self) -> socket.socket:
        """A socket that listens there, and nowhere else.

        Raises:
            InvalidQuery: The address cannot be had.
        """
        try:
            found = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)
            family, kind, protocol, _, address = found[0]
            # the protocol is named: only then asyncio sends replies without waiting for more
            listener = socket.socket(family, kind, protocol)
            try:
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                listener.bind(address)
                listener.listen(BACKLOG)
            except BaseException:
                listener.close()
                raise
            return listener
        except (OSError, UnicodeError) as error:
            reason = getattr(error, "strerror", None) or error
            raise InvalidQuery(
                f"nothing can listen on {self.host} port {self.port} ({reason}); name another "
                "with --port"
            ) from error

    def host_headers(self) -> list[str]:
        """`Host` headers that are answered, with any port."""
        return [name + port for name in self.names for port in ("", ":*")]

    def origins(self) -> list[str]:
        """`Origin` headers of pages that may call."""
        return [
            f"{scheme}://{host}" for scheme in ("http", "https") for host in self.host_headers()
        ]


def in_address(host: str) -> str:
    """A host as addresses and `Host` headers have it: IPv6 in brackets."""
    return f"[{host}]" if ":" in host and not host.startswith("[") else host


def is_loopback(host: str) -> bool:
    """Whether an address or name is this machine's alone."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def _is_every_address(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_unspecified
    except ValueError:
        return False


class TokenGuard:
    """Lets only those through to an application that show the token."""

    def __init__(self, app: App, token: str) -> None:
        """Stand before an application.

        Args:
            app: ASGI.
            token: The secret; "" lets everyone through.
        """
        self._app = app
        self._wanted = f"Bearer {token}".encode() if token else b""

    async def __call__(
        self,
        scope: Message,
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        """See ASGI."""
        if scope["type"] != "http" or self._admits(scope):
            await self._app(scope, receive, send)
            return
        body = json.dumps({"error": "unauthorized", "message": "show the token"}).encode()
        headers = [
            (b"content-type", b"application/json"),
            (b"www-authenticate", b"Bearer"),
            (b"content-length", str(len(body)).encode()),
        ]
        await send({"type": "http.response.start", "status": 401, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    def _admits(self, scope: Message) -> bool:
        shown = next((value for name, value in scope["headers"] if name == b"authorization"), b"")
        return not self._wanted or hmac.compare_digest(shown, self._wanted)
