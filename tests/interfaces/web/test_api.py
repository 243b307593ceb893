"""The calls over HTTP: what each answers, how errors are told, and that reading changes nothing."""

from __future__ import annotations

import json
import logging

import pytest

from memory_core import errors
from memory_core.interfaces.calls import CALLS, CHANGING
from memory_core.interfaces.web.api import READ_BY_GET
from memory_core.interfaces.web.examples import EXAMPLES
from memory_core.interfaces.web.problems import MEDIA_TYPE, told
from memory_core.types import Keyframe, Observation

from ..serving import MINUTE, MUG_AFTER, START_NS, bytes_of, opened, picture
from .conftest import app_over, client_of

POSTED = [
    ("ask", {"question": "where is the mug?", "now": "2026-03-03T12:00"}),
    ("recall", {"query": "sign at the wall", "k": 3}),
    ("locate", {"thing": "mug"}),
    ("timeline", {"start": START_NS}),
    ("describe_area", {"position": [1.0, 0.0], "radius_m": 2}),
    ("forest", {}),
    ("entity_history", {"entity": "mug"}),
    ("what_changed", {"since": "2026-03-03T09:30"}),
]


def assert_problem(response, status: int, code: str) -> dict[str, str]:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == MEDIA_TYPE
    found = response.json()
    assert set(found) == {"code", "message", "next"}
    assert found["code"] == code
    assert found["message"]
    assert found["next"]
    return found


# -- reading ------------------------------------------------------------------------------------


def test_every_call_that_reads_has_a_route():
    assert {name for name, _ in POSTED} | set(READ_BY_GET) == set(CALLS) - CHANGING


@pytest.mark.parametrize(("name", "arguments"), POSTED, ids=[name for name, _ in POSTED])
def test_a_call_answers_what_its_reply_promises(reading, name, arguments):
    response = reading.post(f"/api/{name}", json=arguments)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "application/json"
    CALLS[name].reply.model_validate(response.json())


def test_the_answer_is_where_the_mug_was_last(reading):
    found = reading.post("/api/ask", json={"question": "where is the mug?"}).json()
    assert found["position"] == pytest.approx(list(MUG_AFTER), abs=0.2)
    assert not found["abstained"]
    assert found["evidence"]


def test_stats_and_an_observation_are_plain_reads(reading, folder):
    stats = reading.get("/api/stats").json()
    assert stats["observations"] == 21
    assert stats["folder"] == folder.name
    one = reading.get("/api/observation", params={"id": "v1-3"}).json()
    assert one["stamp_ns"] == START_NS + 63 * MINUTE
    assert {item["label"] for item in one["sightings"]} == {"mug", "floor lamp"}


def test_a_keyframe_comes_as_jpeg_and_is_not_sent_twice(reading):
    first = reading.get("/api/keyframe", params={"id": "v0-3"})
    assert first.headers["content-type"] == "image/jpeg"
    assert first.content == picture().jpeg
    assert "immutable" in first.headers["cache-control"]
    tag = first.headers["etag"]
    again = reading.get("/api/keyframe", params={"id": "v0-3"}, headers={"If-None-Match": tag})
    assert again.status_code == 304
    assert again.content == b""
    assert again.headers["etag"] == tag
    other = reading.get("/api/keyframe", params={"id": "v0-3"}, headers={"If-None-Match": '"x"'})
    assert other.status_code == 200


def test_reading_changes_no_byte_on_disk(folder):
    before = bytes_of(folder)
    with opened(folder) as memory, client_of(app_over(memory)) as client:
        for name, arguments in POSTED:
            assert client.post(f"/api/{name}", json=arguments).status_code == 200
        for path in ("stats", "observation?id=sign", "keyframe?id=v0-3"):
            assert client.get(f"/api/{path}").status_code == 200
    assert bytes_of(folder) == before


def test_the_document_describes_every_route_with_examples_that_hold(reading):
    document = reading.get("/openapi.json").json()
    for name in set(CALLS) - CHANGING - set(READ_BY_GET):
        operation = document["paths"][f"/api/{name}"]["post"]
        assert operation["summary"]
        examples = operation["requestBody"]["content"]["application/json"]["examples"]
        for example in examples.values():
            CALLS[name].request.model_validate(example["value"])
    for name in CHANGING & set(EXAMPLES):
        for value in EXAMPLES[name].values():
            CALLS[name].request.model_validate(value)
    assert "Problem" in document["components"]["schemas"]


def test_calls_that_are_off_are_not_described(reading):
    paths = reading.get("/openapi.json").json()["paths"]
    assert not {f"/api/{name}" for name in CHANGING | {"observe"}} & set(paths)


def test_nothing_is_loaded_from_elsewhere(reading):
    assert reading.get("/docs").status_code == 404
    assert reading.get("/redoc").status_code == 404


# -- errors -------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", sorted(errors.RobotMemoryError.__subclasses__(), key=str))
def test_every_error_has_a_status_and_advice(kind):
    for error in [kind, *kind.__subclasses__()]:
        answer = told(error("what happened"))
        assert 400 <= answer.status_code < 600
        assert json.loads(answer.body)["code"] == error.code


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("ask", {}, 422, "invalid_query"),
        ("ask", {"question": ""}, 422, "invalid_query"),
        ("ask", {"question": "x" * 2_000}, 422, "invalid_query"),
        ("ask", {"question": "where?", "extra": 1}, 422, "invalid_query"),
        ("ask", {"question": "where?", "zone": "Mars/Olympus"}, 422, "invalid_query"),
        ("ask", {"question": "where is \x00?"}, 422, "invalid_query"),
        ("recall", {"k": 10**30}, 422, "invalid_query"),
        ("recall", {"near": [1e400, 0]}, 422, "invalid_query"),
        ("recall", {"start": "yesterday-ish"}, 422, "invalid_query"),
        ("timeline", {"start": 2 * 10**18, "end": 10**18}, 422, "invalid_query"),
        ("describe_area", {"place": "place:999"}, 404, "unknown_id"),
        ("entity_history", {"entity": "entity:999"}, 404, "unknown_id"),
        ("remember_note", {"text": "hello"}, 403, "call_not_enabled"),
        ("forget", {"reason": "because"}, 403, "call_not_enabled"),
        ("go_to", {"target": "the kitchen"}, 403, "call_not_enabled"),
        ("observe", {"observations": [{"stamp_ns": 1}]}, 403, "call_not_enabled"),
    ],
)
def test_what_is_wrong_is_told_with_a_code(reading, path, body, status, code):
    text = json.dumps(body)
    response = reading.post(
        f"/api/{path}", content=text, headers={"Content-Type": "application/json"}
    )
    assert_problem(response, status, code)


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b'{"question":', "application/json", 400),
        (b"\xff\xfe", "application/json", 400),
        (b'{"question": "where?"}', "text/plain", 422),
        (b'{"question": "where?"}', "application/x-www-form-urlencoded", 422),
        (b"[" * 50_000, "application/json", 400),
        (b'{"question": ' + b"9" * 5_000 + b"}", "application/json", 400),
        (b'{"question": "\\ud800"}', "application/json", 422),
        (b"null", "application/json", 422),
    ],
)
def test_bodies_that_are_no_request_are_refused(reading, content, kind, status):
    response = reading.post("/api/ask", content=content, headers={"Content-Type": kind})
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == MEDIA_TYPE


def test_methods_that_a_route_lacks_are_refused(reading):
    assert_problem(reading.put("/api/stats"), 405, "method_not_allowed")
    assert_problem(reading.get("/api/nothing"), 404, "not_found")


def test_an_observation_without_a_picture_is_told_apart(reading):
    assert_problem(reading.get("/api/keyframe", params={"id": "v0-1"}), 404, "unknown_id")
    assert_problem(reading.get("/api/keyframe", params={"id": "none"}), 404, "unknown_id")
    assert_problem(reading.get("/api/keyframe"), 422, "invalid_query")


def test_what_nobody_foresaw_shows_nothing_of_the_inside(folder, monkeypatch, caplog):
    with opened(folder) as memory, client_of(app_over(memory)) as client:
        monkeypatch.setattr(memory, "ask", lambda *_, **__: 1 / 0)
        with caplog.at_level(logging.ERROR, "memory_core.interfaces.web.problems"):
            response = client.post("/api/ask", json={"question": "where?"})
        found = assert_problem(response, 500, "error")
    assert "ZeroDivision" not in str(found)
    assert "ZeroDivision" in caplog.text


def test_where_the_memory_lies_is_not_told(folder):
    memory = opened(folder)
    with client_of(app_over(memory)) as client:
        memory.close()
        response = client.post("/api/ask", json={"question": "where is the mug?"})
        assert str(folder) not in assert_problem(response, 503, "memory_closed")["message"]
        assert response.headers["retry-after"]


# -- writing ------------------------------------------------------------------------------------


def test_a_note_is_remembered_and_forgotten_where_that_is_enabled(writable):
    with client_of(app_over(writable, allow=frozenset({"remember_note", "forget"}))) as client:
        note = client.post("/api/remember_note", json={"text": "the spare key is in the drawer"})
        identity = note.json()["id"]
        found = client.post("/api/recall", json={"query": "spare key", "sources": ["note"]}).json()
        assert identity in [item["id"] for item in found["evidence"]]
        gone = client.post("/api/forget", json={"ids": [identity], "reason": "a test"})
        assert gone.json()["observations"] == 1
        assert client.get("/api/observation", params={"id": identity}).status_code == 404
        assert client.post("/api/plan", json={"goal": "x"}).json()["code"] == "call_not_enabled"


def test_observations_are_taken_and_wrong_ones_refused_one_by_one(writable):
    item = {
        "id": "new",
        "stamp_ns": START_NS + 300 * MINUTE,
        "text": "a new box",
        "pose": [1, 2, 0],
    }
    batch = [
        item,
        {"id": "v0-0", "stamp_ns": START_NS, "text": "known"},
        {"id": "bad", "stamp_ns": -5, "text": "before time"},
        {"id": 7, "stamp_ns": START_NS},
        {"id": "\ud800", "stamp_ns": START_NS, "text": "an id that is no text"},
        {"stamp_ns": START_NS, "keyframe": {"jpeg": "!!", "width": 1, "height": 1}},
    ]
    with client_of(app_over(writable, allow=frozenset({"observe"}))) as client:
        body, kind = json.dumps({"observations": batch}), {"Content-Type": "application/json"}
        done = client.post("/api/observe", content=body, headers=kind).json()
        assert done["added"] == ["new"]
        assert done["known"] == ["v0-0"]
        assert [item["code"] for item in done["refused"]] == [
            "input_rejected", "invalid_image", "invalid_stamp", "invalid_id",
        ]  # fmt: skip
        assert done["refused"][-1]["id"] == "\ud800"
        found = client.post("/api/recall", json={"query": "a new box", "k": 1}).json()
        assert found["evidence"][0]["id"] == "new"
    stored = writable.observation("new")
    assert stored is not None
    assert stored.position == pytest.approx((1, 2, 0))
    lines = (writable.folder / "audit.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["outcome"] for line in lines] == ["asked", "done"]


def test_an_observation_keeps_its_picture(writable):
    import base64

    frame = Keyframe(picture(48, 32).jpeg, 48, 32)
    jpeg = base64.b64encode(frame.jpeg).decode()
    item = {"id": "p", "stamp_ns": START_NS, "keyframe": {"jpeg": jpeg, "width": 48, "height": 32}}
    with client_of(app_over(writable, allow=frozenset({"observe"}))) as client:
        client.post("/api/observe", json={"observations": [item]})
        assert client.get("/api/keyframe", params={"id": "p"}).content == frame.jpeg


def test_a_reader_sees_what_another_writes(tmp_path, writable):
    with opened(writable.folder) as reader, client_of(app_over(reader)) as client:
        before = client.get("/api/stats").json()["observations"]
        writable.observe(Observation("late", START_NS + 400 * MINUTE, text="a late parcel"))
        assert client.get("/api/stats").json()["observations"] == before + 1
        found = client.post("/api/recall", json={"query": "a late parcel", "k": 1}).json()
        assert found["evidence"][0]["id"] == "late"
