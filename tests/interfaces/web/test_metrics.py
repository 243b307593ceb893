"""What Prometheus reads."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from memory_core.interfaces.web.metrics import MEDIA_TYPE
from memory_core.memory import RobotMemory
from memory_core.perception.batching import BatchingEncoder
from memory_core.perception.text import HashingEncoder

from ..serving import opened
from .conftest import app_over, client_of


def numbers(client) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    response = client.get("/metrics")
    assert response.status_code == 200
    assert response.headers["content-type"] == MEDIA_TYPE
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(response.text)
        for sample in family.samples
    }


def test_requests_are_counted_by_route_and_status(folder):
    with opened(folder) as memory, client_of(app_over(memory)) as client:
        for question in ("where is the mug?", "when did you see the lamp?"):
            client.post("/api/ask", json={"question": question})
        client.post("/api/ask", json={})
        client.get("/api/observation", params={"id": "nobody"})
        for number in range(20):
            client.get(f"/made-up/{number}")
        found = numbers(client)
    ask = (("method", "POST"), ("route", "/api/ask"))
    assert found["robot_memory_responses_total", (*ask, ("status", "200"))] == 2
    assert found["robot_memory_responses_total", (*ask, ("status", "422"))] == 1
    assert found["robot_memory_request_seconds_count", ask] == 3
    assert 0 < found["robot_memory_request_seconds_sum", ask] < 60
    routes = {
        dict(labels)["route"] for name, labels in found if name == "robot_memory_responses_total"
    }
    assert len(routes) <= 3, "addresses that nobody knows must not make new rows"


def test_the_memory_is_counted(folder):
    with opened(folder) as memory, client_of(app_over(memory)) as client:
        found = numbers(client)
    assert found["robot_memory_observations", ()] == 21
    assert found["robot_memory_index_lag", ()] == 0
    assert found["robot_memory_index_ready", ()] == 1
    assert found["robot_memory_queue_depth", ()] == 0
    assert found["robot_memory_live_clients", ()] == 0


def test_encodings_are_counted_with_their_batches(folder):
    encoder = BatchingEncoder(HashingEncoder())
    with (
        RobotMemory.open(folder, read_only=True, text_encoder=encoder, gpu=False) as memory,
        client_of(app_over(memory)) as client,
    ):
        before = numbers(client)["robot_memory_encode_calls_total", ()]
        client.post("/api/recall", json={"query": "a sign at the wall"})
        found = numbers(client)
    assert found["robot_memory_encode_calls_total", ()] > before
    assert found["robot_memory_encode_forwards_total", ()] > 0


def test_who_is_alive_and_ready_is_told(folder, monkeypatch):
    with opened(folder) as memory, client_of(app_over(memory)) as client:
        assert client.get("/health").json() == {"live": True, "ready": True}
        memory.index._ready.clear()
        assert client.get("/health").status_code == 200
        waiting = client.get("/health", params={"ready": True})
        assert waiting.status_code == 503
        assert waiting.json() == {"live": True, "ready": False}
        memory.index._ready.set()
        assert client.get("/health", params={"ready": True}).status_code == 200
