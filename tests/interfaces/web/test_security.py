"""Who comes in: hosts, origins, tokens, sizes, rates, and the headers that go out."""

from __future__ import annotations

import pytest
from anyio.to_thread import current_default_thread_limiter

from memory_core.interfaces.guarding import RateLimiter
from memory_core.interfaces.listening import Listening
from memory_core.interfaces.web import security
from memory_core.interfaces.web.security import MAX_BODY

from ..serving import opened
from .conftest import TOKEN, app_over, client_of
from .test_api import assert_problem

ASKED = {"question": "where is the mug?"}


@pytest.fixture(scope="module")
def guarded(folder):
    """A client of a server that wants a token and is called robot.local."""
    listening = Listening.checked("127.0.0.1", 0, token=TOKEN, names=("Robot.local",))
    with opened(folder) as memory, client_of(app_over(memory, listening=listening)) as client:
        yield client


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:8766", "LOCALHOST", "[::1]:80"])
def test_names_of_this_machine_are_answered(reading, host):
    assert reading.get("/api/stats", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "127.0.0.1.evil.example",
        "",
        "localhost.",
        "[::1",
        "robot.local",
        "x" * 9_000,
    ],
)
@pytest.mark.parametrize("path", ["/", "/api/stats", "/health", "/metrics", "/nothing"])
def test_other_names_are_not_whatever_is_asked(reading, host, path):
    response = reading.get(path, headers={"Host": host})
    assert_problem(response, 421, "host_refused")
    assert len(response.content) < 1_000


def test_a_name_that_was_given_is_answered(guarded):
    sent = {"Host": "robot.local:8766", "Authorization": f"Bearer {TOKEN}"}
    assert guarded.get("/api/stats", headers=sent).status_code == 200


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://127.0.0.1:1", "file://", "http://[", "x"]
)
def test_pages_of_other_sites_are_refused(reading, origin):
    response = reading.post("/api/ask", json=ASKED, headers={"Origin": origin})
    assert_problem(response, 403, "origin_refused")
    assert "access-control-allow-origin" not in response.headers


def test_the_servers_own_page_may_call(reading):
    own = {"Origin": "http://127.0.0.1"}
    assert reading.post("/api/ask", json=ASKED, headers=own).status_code == 200


def test_a_preflight_of_another_site_is_refused(reading):
    asked = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    response = reading.options("/api/ask", headers=asked)
    assert response.status_code == 403
    assert not [name for name in response.headers if name.startswith("access-control")]


@pytest.mark.parametrize(
    "shown",
    ["", "Bearer", "Bearer ", "Bearer wrong", f"Basic {TOKEN}", TOKEN, f"Bearer {TOKEN}x",
     "Bearer \u00e9\u00e9\u00e9"],
)  # fmt: skip
@pytest.mark.parametrize(
    "path", ["/api/stats", "/api/live", "/api/view/overview", "/metrics", "/openapi.json", "/api"]
)
def test_without_the_token_nothing_is_told(guarded, shown, path):
    response = guarded.get(path, headers={"Authorization": shown.encode("latin-1")})
    assert_problem(response, 401, "token_needed")
    assert response.headers["www-authenticate"] == "Bearer"


def test_with_the_token_calls_are_answered(guarded):
    shown = {"Authorization": f"bearer {TOKEN}"}
    assert guarded.get("/api/stats", headers=shown).status_code == 200
    document = guarded.get("/openapi.json", headers=shown).json()
    assert document["security"] == [{"token": []}]


def test_health_needs_no_token_and_tells_nothing_else(guarded):
    assert guarded.get("/health").json() == {"live": True, "ready": True}


def test_a_browser_that_shows_the_token_once_is_let_in(folder):
    listening = Listening.checked("127.0.0.1", 0, token=TOKEN)
    with opened(folder) as memory, client_of(app_over(memory, listening=listening)) as client:
        assert client.get("/api/stats").status_code == 401
        wrong = client.get("/", params={"token": "wrong-token"}, follow_redirects=False)
        assert "set-cookie" not in wrong.headers
        right = client.get("/", params={"token": TOKEN}, follow_redirects=False)
        assert right.status_code == 303
        assert right.headers["location"] == "/"
        cookie = right.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=strict" in cookie
        assert client.get("/api/stats").status_code == 200
        client.cookies.set("robot_memory", "wrong")


@pytest.mark.parametrize("path", ["/", "/api/stats", "/api/nothing", "/health", "/metrics"])
def test_every_response_carries_safe_headers(reading, path):
    headers = reading.get(path).headers
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert "server" not in headers


def test_what_is_remembered_is_not_kept_by_caches(reading):
    assert reading.get("/api/stats").headers["cache-control"] == "no-store"


def test_a_body_that_says_it_is_too_large_is_not_read(reading):
    response = reading.post("/api/ask", content=b"x" * (MAX_BODY + 1))
    assert_problem(response, 413, "body_too_large")


@pytest.mark.parametrize("length", ["9" * 40, "99999999999999999999"])
def test_lengths_that_are_no_lengths_are_refused(reading, length):
    response = reading.post("/api/ask", content=b"x", headers={"Content-Length": length})
    assert response.status_code == 413


def test_a_body_that_does_not_say_its_length_is_cut_off(reading):
    def endless():
        for _ in range(10):
            yield b"x" * (MAX_BODY // 4)

    response = reading.post(
        "/api/ask", content=endless(), headers={"Content-Type": "application/json"}
    )
    assert response.status_code == 413


def test_one_address_may_not_call_too_often(folder):
    rate = RateLimiter(1.0, burst=3)
    with opened(folder) as memory, client_of(app_over(memory, rate=rate)) as client:
        statuses = [client.get("/api/stats").status_code for _ in range(5)]
        assert statuses[:3] == [200, 200, 200]
        last = client.get("/api/stats")
        assert_problem(last, 429, "rate_limited")
        assert last.headers["retry-after"]
        assert client.get("/health").status_code == 200


def test_guesses_of_the_token_are_slowed_too(folder):
    listening, rate = Listening.checked("127.0.0.1", 0, token=TOKEN), RateLimiter(0.001, burst=3)
    options = {"listening": listening, "rate": rate}
    with opened(folder) as memory, client_of(app_over(memory, **options)) as client:
        wrong = {"Authorization": "Bearer a-guess-of-mine"}
        assert client.get("/api/stats", headers=wrong).status_code == 401
        assert client.get("/", params={"token": "a-guess"}).status_code == 200
        assert client.get("/api/stats", headers=wrong).status_code == 401
        assert client.get("/", params={"token": TOKEN}).status_code == 429
        assert client.get("/api/stats", headers=wrong).status_code == 429


def test_when_too_many_wait_more_are_sent_away(reading, monkeypatch):
    monkeypatch.setattr(security, "MAX_WAITING", -1)
    assert current_default_thread_limiter is not None
    response = reading.get("/api/stats")
    assert_problem(response, 503, "overloaded")
    assert response.headers["retry-after"]
    assert reading.get("/health").status_code == 200
