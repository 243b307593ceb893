"""New observations as server-sent events: read once, handed to every client.

One thread looks for new rows, whoever wrote them; clients have bounded queues and are dropped
when they do not keep up, so that no client can hold up the memory or another client. The number
of an observation is the event's id: a client that comes back says which it saw last.
"""

from __future__ import annotations

import asyncio
import json
import logging
import threading

import anyio
from anyio.to_thread import run_sync
from fastapi import Response
from starlette.types import Message, Receive, Scope, Send

from memory_core.errors import CallRefused, MemoryClosed, RobotMemoryError
from memory_core.interfaces.service import MAX_TEXT
from memory_core.memory import RobotMemory
from memory_core.types import Json

_log = logging.getLogger(__name__)

EVERY_S = 0.2
AT_ONCE = 50
"""Observations in one look; of more, the newest so many are told and the others counted."""
BATCHES = 50
CLIENTS = 100
HEARTBEAT_S = 15.0
CLOSING_S = 0.1
RETRY_MS = 1_000


class Client:
    """One listener: what it has not been sent yet, and a way to drop it."""

    def __init__(self) -> None:
        """Nothing waits."""
        self.queue: asyncio.Queue[bytes] = asyncio.Queue(BATCHES)
        self.scope = anyio.CancelScope()


class Feed:
    """Follows one memory for all clients.

    Attributes:
        dropped: Clients that did not keep up.
    """

    def __init__(self, memory: RobotMemory, *, every_s: float = EVERY_S) -> None:
        """Nothing runs yet; see `start`."""
        self._memory = memory
        self._every_s = every_s
        self._clients: set[Client] = set()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._seen = 0
        self.dropped = 0

    @property
    def clients(self) -> int:
        """How many listen."""
        return len(self._clients)

    async def start(self) -> None:
        """Begin to follow, from what is there now."""
        loop = asyncio.get_running_loop()
        self._seen = await run_sync(self._memory.store.last_rowid)
        self._thread = threading.Thread(
            target=self._follow, args=(loop,), name="live-feed", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """End every stream; called in the loop."""
        self._stopping.set()
        for client in list(self._clients):
            self._end(client)

    async def subscribe(self, after: int | None) -> tuple[Client, bytes]:
        """A new client, and what it missed.

        Args:
            after: The number it saw last; None for one that is new.

        Raises:
            CallRefused: So many listen already that no more are taken.
        """
        if len(self._clients) >= CLIENTS or self._stopping.is_set():
            raise CallRefused(f"{len(self._clients)} clients listen; no more are taken")
        client = Client()
        self._clients.add(client)
        seen = self._seen
        try:
            missed = b"" if after is None else await run_sync(self._told, after, seen)
        except BaseException:
            self.leave(client)
            raise
        return client, missed

    def leave(self, client: Client) -> None:
        """A client went."""
        self._clients.discard(client)

    def _follow(self, loop: asyncio.AbstractEventLoop) -> None:
        seen = self._seen  # the loop may be behind: what it was handed is not read again
        while not self._stopping.wait(self._every_s):
            try:
                last = self._memory.store.last_rowid()
                if last > seen:
                    events = self._told(seen, last) if self._clients else _skipped(seen, last)
                    loop.call_soon_threadsafe(self._spread, events, last)
                    seen = last
            except MemoryClosed:
                return
            except RobotMemoryError as error:
                _log.warning("live events wait: %s", error)
            except RuntimeError:
                if loop.is_closed():
                    return
                _log.exception("live events wait")
            except Exception:  # listeners must not be left without a word for one bad row
                _log.exception("live events wait")

    def _told(self, after: int, last: int) -> bytes:
        """Observations after one number up to another, as events."""
        first = max(after, last - AT_ONCE)
        events = [_skipped(after, first)] if first > after else []
        for row in self._memory.store.fetch(range(first + 1, last + 1)):
            told = self._memory.evidence(row).to_json()
            words = told["text"] and told["text"][:MAX_TEXT]
            events.append(_event("observation", row.rowid, told | {"text": words}))
        return b"".join(events)

    def _spread(self, events: bytes, last: int) -> None:
        self._seen = last
        for client in list(self._clients):
            try:
                client.queue.put_nowait(events)
            except asyncio.QueueFull:
                self.dropped += 1
                self._end(client)

    def _end(self, client: Client) -> None:
        self.leave(client)
        client.scope.cancel()


class EventStream(Response):
    """The stream of one client."""

    media_type = "text/event-stream"

    def __init__(self, feed: Feed, client: Client, missed: bytes) -> None:
        """Stream what was missed, then what comes."""
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._feed, self._client, self._missed = feed, client, missed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send events until the client goes, is dropped, or the server stops."""
        client = self._client
        try:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            with client.scope:
                async with anyio.create_task_group() as both:
                    both.start_soon(self._notice_leaving, receive)
                    await self._send_all(send)
            with anyio.move_on_after(CLOSING_S):  # one that stalls is not waited for
                await send(_part(b"", more=False))
        finally:
            self._feed.leave(client)

    async def _notice_leaving(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            continue
        self._client.scope.cancel()

    async def _send_all(self, send: Send) -> None:
        await send(_part(f"retry: {RETRY_MS}\n\n".encode() + self._missed))
        while True:
            events = b": still here\n\n"
            with anyio.move_on_after(HEARTBEAT_S):
                events = await self._client.queue.get()
            await send(_part(events))


def _event(kind: str, number: int, value: Json) -> bytes:
    data = json.dumps(value, allow_nan=False)
    return f"id: {number}\nevent: {kind}\ndata: {data}\n\n".encode("ascii")


def _skipped(after: int, last: int) -> bytes:
    """So many observations came that are not told one by one."""
    return _event("skipped", last, {"observations": last - after})


def _part(body: bytes, *, more: bool = True) -> Message:
    return {"type": "http.response.body", "body": body, "more_body": more}
