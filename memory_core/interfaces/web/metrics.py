"""Numbers for Prometheus: how long requests take, what waits, what is stored."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

from anyio.to_thread import current_default_thread_limiter
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from memory_core.perception.batching import BatchingEncoder

if TYPE_CHECKING:
    from memory_core.interfaces.web.live import Feed
    from memory_core.memory import RobotMemory

MEDIA_TYPE = CONTENT_TYPE_PLAIN_0_0_4
STREAMS = "/api/live"
_BUCKETS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.25, 0.5, 1.0, 2.5, 10.0)


class Metrics:
    """What one server counts."""

    def __init__(self, memory: RobotMemory, feed: Feed) -> None:
        """Start at nothing.

        Args:
            memory: Whose rows are counted.
            feed: Whose clients are counted.
        """
        self._registry = CollectorRegistry()
        self._registry.register(_State(memory, feed))
        self.seconds = Histogram(
            "robot_memory_request_seconds", "Time from request to the end of the response",
            ("route", "method"), buckets=_BUCKETS, registry=self._registry,
        )  # fmt: skip
        self.answers = Counter(
            "robot_memory_responses", "Responses by status",
            ("route", "method", "status"), registry=self._registry,
        )  # fmt: skip
        self.under_way = Gauge(
            "robot_memory_requests_under_way", "Requests begun and not ended",
            registry=self._registry,
        )  # fmt: skip
        self._waiting = Gauge(
            "robot_memory_queue_depth", "Calls that wait for a thread", registry=self._registry
        )

    def count_waiting(self) -> None:
        """Note how many calls wait; called in the event loop."""
        self._waiting.set(current_default_thread_limiter().statistics().tasks_waiting)

    def text(self) -> bytes:
        """The exposition."""
        return generate_latest(self._registry)


class _State(Collector):
    """What is read when it is asked for."""

    def __init__(self, memory: RobotMemory, feed: Feed) -> None:
        self._memory, self._feed = memory, feed

    def collect(self) -> Iterable[Metric]:
        memory, index = self._memory, self._memory.index
        stored = memory.store.count()
        yield GaugeMetricFamily("robot_memory_observations", "Stored", stored)
        yield GaugeMetricFamily(
            "robot_memory_index_lag", "Observations stored and not yet in the index",
            max(0, stored - len(index)),
        )  # fmt: skip
        yield GaugeMetricFamily(
            "robot_memory_index_ready", "1 where the index stands for all", float(index.ready)
        )
        yield GaugeMetricFamily(
            "robot_memory_live_clients", "Listeners to live events", self._feed.clients
        )
        yield CounterMetricFamily(
            "robot_memory_live_dropped", "Listeners that did not keep up", self._feed.dropped
        )
        encoder = memory.text_encoder
        if isinstance(encoder, BatchingEncoder):
            yield CounterMetricFamily(
                "robot_memory_encode_calls", "Calls of the text encoder", encoder.calls
            )
            yield CounterMetricFamily(
                "robot_memory_encode_forwards", "Batches those calls were gathered in",
                encoder.forwards,
            )  # fmt: skip

    def describe(self) -> Iterable[Metric]:
        return ()


class Measured:
    """ASGI middleware that times requests, by route and not by path."""

    def __init__(self, app: ASGIApp, *, metrics: Metrics) -> None:
        """Stand before an app."""
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on and note how it went."""
        if scope["type"] != "http" or scope["path"] == STREAMS:
            await self._app(scope, receive, send)
            return
        status, began = 500, time.perf_counter()

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        self._metrics.under_way.inc()
        try:
            await self._app(scope, receive, noting)
        finally:
            self._metrics.under_way.dec()
            route = getattr(scope.get("route"), "path", "none")
            method = scope["method"] if route != "none" else "any"
            self._metrics.seconds.labels(route, method).observe(time.perf_counter() - began)
            self._metrics.answers.labels(route, method, str(status)).inc()
