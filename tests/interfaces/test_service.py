"""The calls that all ways in share: what they return, what they refuse, what they leave alone."""

from __future__ import annotations

import base64
import json
import threading
import time
from pathlib import Path

import pytest
from pydantic import ValidationError

from benchmarks.fuzz import fuzz_service
from memory_core.errors import (
    CallNotEnabled,
    CallRefused,
    GoalNotUnderstood,
    InvalidQuery,
    InvalidStamp,
    MemoryReadOnly,
    PlannerMissing,
    RateLimited,
    StorageFull,
    UnknownId,
)
from memory_core.interfaces import requests
from memory_core.interfaces.acting import Acting
from memory_core.interfaces.calls import CALLS, CHANGING, READING
from memory_core.interfaces.guarding import AuditLog, RateLimiter
from memory_core.interfaces.service import MAX_REPLY, MemoryService
from memory_core.planning.body import Arrival, Body, Localisation
from memory_core.planning.planner import Planner
from memory_core.types import Observation, Pose

from .serving import (
    LAMP,
    MINUTE,
    MUG_AFTER,
    MUG_BEFORE,
    ORDER,
    SECOND_VISIT_NS,
    START_NS,
    bytes_of,
    folder,
    make_memory,
    opened,
    picture,
)

__all__ = ["folder"]

UNLIMITED = RateLimiter(1e9, burst=10**9)
EXAMPLES = [
    ("ask", {"question": "where is the mug?", "now": "2026-03-03T12:00"}),
    ("recall", {"query": "sign at the wall", "k": 3}),
    ("recall", {"near": [1.0, 0.0], "radius_m": 0.5, "start": "2026-03-03T09:30"}),
    ("recall", {"box": [0, -1, -1, 1, 1, 1], "sessions": ["visit-0"]}),
    ("locate", {"thing": "mug"}),
    ("timeline", {"start": str(START_NS), "end": START_NS + 200 * MINUTE}),
    ("describe_area", {"position": [1.0, 0.0], "radius_m": 2}),
    ("describe_area", {"place": "place:0"}),
    ("forest", {}),
    ("forest", {"node": "place:0", "depth": 0}),
    ("entity_history", {"entity": "mug"}),
    ("what_changed", {"since": "2026-03-03T09:30"}),
    ("stats", {}),
    ("observation", {"id": "v0-3"}),
    ("keyframe", {"id": "v0-3"}),
]


@pytest.fixture(scope="module")
def service(folder):
    with opened(folder) as memory:
        yield MemoryService(memory, rate=UNLIMITED)


def ids(reply, key="evidence"):
    return {item["id"] for item in reply[key]}


@pytest.mark.parametrize(("name", "arguments"), EXAMPLES)
def test_every_reply_has_the_shape_that_is_announced(service, name, arguments):
    reply = service.call(name, arguments)
    CALLS[name].reply.model_validate(json.loads(json.dumps(reply, allow_nan=False)))


def test_every_reading_call_is_tried_here():
    assert {name for name, _ in EXAMPLES} == READING


def test_ask_and_recall_return_what_the_memory_says(service):
    asked = {"question": "where is the floor lamp?", "now": "2026-03-03T12:00"}
    found = service.call("ask", asked)
    assert found == service.memory.ask(
        asked["question"], now_ns=START_NS + 180 * MINUTE
    ).to_json()  # fmt: skip
    assert found["position"] == pytest.approx(LAMP, abs=0.05)
    sign = service.call("recall", {"query": "sign at the wall", "k": 1})
    assert ids(sign) == {"sign"}


def test_a_region_and_a_span_are_exact_conditions(service):
    near = service.call("recall", {"near": [1.2, 0], "radius_m": 0.1, "k": 50})
    assert ids(near) == {"v0-3", "v1-3"}
    later = service.call(
        "recall", {"near": [1.2, 0], "radius_m": 0.1, "start": "2026-03-03T11:30+01:00"}
    )
    assert ids(later) == set()
    assert ids(service.call("recall", {"end": START_NS, "k": 5})) == {"v0-0"}


def test_locate_names_the_things_of_a_kind_with_the_one_meant_first(service):
    found = service.call("locate", {"thing": "mug"})
    assert found["abstained"] is False
    assert found["position"] == pytest.approx(MUG_AFTER, abs=0.05)
    assert found["entities"][0]["label"] == "mug"
    assert found["entities"][0]["position"] == pytest.approx(MUG_AFTER, abs=0.05)


def test_locating_what_was_never_seen_abstains(service):
    found = service.call("locate", {"thing": "elephant"})
    assert (found["abstained"], found["position"], found["entities"]) == (True, None, [])


def test_the_timeline_holds_the_events_that_touch_the_span(service):
    whole = service.call("timeline", {})["events"]
    assert [event["start_ns"] for event in whole] == sorted(e["start_ns"] for e in whole)
    first = service.call("timeline", {"end": START_NS + 30 * MINUTE})["events"]
    assert {event["session"] for event in first} == {"visit-0"}
    last = service.call("timeline", {"limit": 1})
    assert last["events"] == whole[-1:]
    assert last["truncated"] is (len(whole) > 1)


def test_an_area_holds_what_stands_in_it_and_nothing_else(service):
    around_lamp = service.call("describe_area", {"position": LAMP[:2], "radius_m": 0.5})
    assert [entity["label"] for entity in around_lamp["entities"]] == ["floor lamp"]
    away = service.call("describe_area", {"position": [500, 500], "radius_m": 5})
    assert (away["entities"], away["places"], away["observations"]) == ([], [], 0)
    counted = service.call("describe_area", {"position": [1.2, 0.0], "radius_m": 0.1})
    assert counted["observations"] == 2


def test_an_unknown_area_node_thing_or_observation_is_named(service):
    for name, arguments in (
        ("describe_area", {"place": "ballroom"}),
        ("entity_history", {"entity": "entity:999999"}),
        ("observation", {"id": "nothing"}),
        ("keyframe", {"id": "nothing"}),
        ("keyframe", {"id": "v0-0"}),
    ):
        with pytest.raises(UnknownId):
            service.call(name, arguments)
    with pytest.raises(InvalidQuery, match="no node"):
        service.call("forest", {"node": "forest:999"})


def test_the_history_of_a_thing_that_moved_has_both_places(service):
    mugs = service.call("entity_history", {"entity": "mug"})["entities"]
    stays = sorted(tuple(stay["position"]) for mug in mugs for stay in mug["history"])
    assert stays[0] == pytest.approx(MUG_BEFORE, abs=0.05)
    assert stays[-1] == pytest.approx(MUG_AFTER, abs=0.05)


def test_what_moved_between_the_visits_is_told_once(service):
    changes = service.call("what_changed", {"since": SECOND_VISIT_NS - MINUTE})["changes"]
    (mug,) = changes
    assert (mug["kind"], mug["stamp_ns"]) == ("moved", SECOND_VISIT_NS)
    assert mug["before"] == pytest.approx(MUG_BEFORE, abs=0.05)
    assert mug["after"] == pytest.approx(MUG_AFTER, abs=0.05)
    assert {name.partition("-")[0] for name in mug["evidence"]} == {"v1"}
    until = {"since": START_NS + 5 * MINUTE, "until": START_NS + 9 * MINUTE}
    assert service.call("what_changed", until)["changes"] == []
    assert service.call("what_changed", {"since": START_NS + 300 * MINUTE})["changes"] == []
    lamp = {"since": SECOND_VISIT_NS - MINUTE, "thing": "floor lamp"}
    assert service.call("what_changed", lamp)["changes"] == []


def test_stats_do_not_tell_where_the_memory_lies(service, folder):
    stats = service.call("stats", {})
    assert stats["observations"] == 21
    assert str(folder.parent) not in json.dumps(stats)


def test_stats_are_counted_once_until_something_comes_or_goes(tmp_path, monkeypatch):
    counted = []
    with opened(make_memory(tmp_path / "memory"), read_only=False) as memory:
        info = memory.info
        monkeypatch.setattr(memory, "info", lambda: counted.append(1) or info())
        service = MemoryService(memory, rate=UNLIMITED)
        for _ in range(3):
            assert service.call("stats", {})["observations"] == 21
        assert len(counted) == 1
        memory.observe(Observation("new", START_NS, text="new", pose=Pose()))
        assert service.call("stats", {})["observations"] == 22
        memory.forget(ids=["new"], reason="a test")
        assert service.call("stats", {})["observations"] == 21


def test_a_keyframe_is_the_picture_itself(service):
    frame = service.call("keyframe", {"id": "v0-3"})
    assert base64.b64decode(frame["jpeg_base64"]) == picture().jpeg
    assert (frame["width"], frame["height"]) == (32, 24)


def test_what_was_recorded_comes_back_as_data_cut_to_a_length(tmp_path):
    folder = make_memory(tmp_path / "memory")
    with opened(folder, read_only=False) as memory:
        memory.observe(Observation("long", START_NS, text="word " * 9_000, pose=Pose()))
        found = MemoryService(memory).call("observation", {"id": "long"})
    assert len(found["text"]) == 2_000
    assert found["text"].endswith("…")


def test_a_reply_is_never_longer_than_its_limit_and_says_that_it_was_cut(tmp_path):
    with opened(make_memory(tmp_path / "memory"), read_only=False) as memory:
        memory.observe(
            Observation(f"o{n}", START_NS + n, text=f"{n} " + "é" * 3_000, pose=Pose())
            for n in range(60)
        )
        found = MemoryService(memory).call("recall", {"query": "é" * 3_000, "k": 100})
    assert len(json.dumps(found)) <= MAX_REPLY
    assert found["truncated"] is True
    assert found["evidence"]


WRONG = [
    ("ask", {}, "question"),
    ("ask", {"question": " "}, "question"),
    ("ask", {"question": "x" * 1_001}, "question"),
    ("ask", {"question": "where?", "zone": "Mars/Olympus"}, "zone"),
    ("ask", {"question": "where?", "shell": "rm"}, "shell"),
    ("recall", {"k": 0}, "k"),
    ("recall", {"k": 101}, "k"),
    ("recall", {"query": "x" * 4_097}, "query"),
    ("recall", {"radius_m": 3}, "near"),
    ("recall", {"near": [1, 2], "radius_m": -1}, "radius_m"),
    ("recall", {"near": [1, 2], "radius_m": 1e9}, "radius_m"),
    ("recall", {"near": [float("nan"), 2]}, "near"),
    ("recall", {"near": [1]}, "near"),
    ("recall", {"box": [1, 1, 1, 0, 0, 0]}, "box"),
    ("recall", {"start": "tomorrow-ish"}, "time"),
    ("recall", {"start": "2026-03-04", "end": "2026-03-03"}, "before"),
    ("timeline", {"start": "1990-01-01", "end": "2026-01-01"}, "ten years"),
    ("timeline", {"limit": 201}, "limit"),
    ("describe_area", {}, "place or position"),
    ("describe_area", {"place": "kitchen", "position": [0, 0]}, "place or position"),
    ("forest", {"depth": -1}, "depth"),
    ("forest", {"depth": True, "node": 3}, "node"),
    ("observation", {"id": "x" * 257}, "id"),
    ("observation", {"id": "a\x00b"}, "NUL"),
    ("observation", {"id": "\ud800"}, "id"),
    ("nothing", {}, "no call"),
    ("ask\x00" * 100, {}, "no call"),
]


@pytest.mark.parametrize(("name", "arguments", "word"), WRONG)
def test_arguments_beyond_their_limits_are_refused_and_named(service, name, arguments, word):
    with pytest.raises((InvalidQuery, InvalidStamp), match=word) as raised:
        service.call(name, arguments)
    assert len(str(raised.value)) < 1_000


def test_requests_are_frozen_and_can_be_made_in_python(service):
    request = requests.Recall(query="sign", k=2)
    assert service.call("recall", request) == service.call("recall", {"query": "sign", "k": 2}) | {
        "seconds": pytest.approx(0, abs=5)
    }
    with pytest.raises(ValidationError):
        request.k = 3


# -- nothing is written by reading ----------------------------------------------------------------


def test_reading_calls_write_nothing(folder):
    with opened(folder) as memory:
        service = MemoryService(memory, rate=UNLIMITED)
        service.call("stats", {})
        before = bytes_of(folder)
        for name, arguments in EXAMPLES:
            service.call(name, arguments)
        for name in CHANGING:
            with pytest.raises(CallNotEnabled):
                service.call(name, {})
        assert bytes_of(folder) == before
    assert bytes_of(folder) == before


def test_hostile_arguments_are_refused_by_name(service, folder):
    before = bytes_of(folder)
    found = fuzz_service(service, requests=300, seed=2026)
    assert found.wrong == []
    assert bytes_of(folder) == before


def test_what_a_writer_adds_is_found_by_an_open_service(tmp_path):
    folder = make_memory(tmp_path / "memory")
    with opened(folder, read_only=False) as writer, opened(folder) as reader:
        service = MemoryService(reader)
        assert ids(service.call("recall", {"query": "zebra crossing"})) != {"new"}
        writer.observe(Observation("new", START_NS + 9, text="a zebra crossing", pose=Pose()))
        assert "new" in ids(service.call("recall", {"query": "zebra crossing", "k": 1}))


def test_calls_from_many_threads_agree(service):
    wanted = service.call("recall", {"query": "sign", "k": 5})["evidence"]
    found: list[object] = []

    def calling() -> None:
        for _ in range(5):
            found.append(service.call("recall", {"query": "sign", "k": 5})["evidence"])

    threads = [threading.Thread(target=calling) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 40
    assert all(item == wanted for item in found)


# -- changing and moving --------------------------------------------------------------------------


def audited(path: Path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_changing_calls_are_enabled_one_by_one_and_each_use_is_logged(tmp_path):
    folder = make_memory(tmp_path / "memory")
    with opened(folder, read_only=False) as memory:
        service = MemoryService(memory, allow=frozenset({"remember_note"}))
        noted = service.call(
            "remember_note", {"text": "The key hangs behind the door.", "position": [2, 1]},
            client="ann",
        )  # fmt: skip
        with pytest.raises(CallNotEnabled, match="--allow forget"):
            service.call("forget", {"ids": [noted["id"]], "reason": "try"}, client="bob")
        with pytest.raises(InvalidQuery):
            service.call("remember_note", {"text": ""}, client="ann")
        stored = memory.observation(noted["id"])
        assert stored is not None
        assert stored.observation.text == "The key hangs behind the door."
        assert stored.position == pytest.approx((2, 1, 0))
        assert {call.name for call in service.enabled} == READING | {"remember_note"}
    lines = audited(folder / "audit.jsonl")
    assert [(line["client"], line["call"], line["outcome"]) for line in lines] == [
        ("ann", "remember_note", "asked"), ("ann", "remember_note", "done"),
        ("bob", "forget", "call_not_enabled"), ("ann", "remember_note", "invalid_query"),
    ]  # fmt: skip
    assert lines[0]["arguments"]["text"] == "The key hangs behind the door."


def test_a_use_that_fails_in_a_way_nobody_foresaw_is_logged_too(folder, tmp_path):
    class Broken(Driver):
        def plan(self, goal):
            raise RuntimeError("a bug")

    audit, allowed = AuditLog(tmp_path / "log.jsonl"), frozenset({"plan"})
    with opened(folder) as memory, pytest.raises(RuntimeError):
        MemoryService(memory, allow=allowed, audit=audit, planner=Broken()).call(
            "plan", {"goal": "find the mug"}
        )
    assert [line["outcome"] for line in audited(tmp_path / "log.jsonl")] == ["asked", "error"]


def test_forgetting_counts_first_and_is_bounded(tmp_path, monkeypatch):
    folder = make_memory(tmp_path / "memory")
    with opened(folder, read_only=False) as memory:
        service = MemoryService(memory, allow=frozenset({"forget"}))
        what = {"end": START_NS + 30 * MINUTE, "reason": "a visitor asked"}
        assert service.call("forget", {**what, "dry_run": True}) == {"would_remove": 10}
        assert memory.store.count() == 21
        with pytest.raises(InvalidQuery, match="nothing to forget"):
            service.call("forget", {"reason": "all of it"})
        monkeypatch.setattr(requests, "MAX_FORGOTTEN", 9)
        with pytest.raises(InvalidQuery, match="at most 9"):
            service.call("forget", what)
        monkeypatch.undo()
        assert service.call("forget", what)["observations"] == 10
        assert memory.store.count() == 11


def test_a_memory_open_for_reading_refuses_to_change_even_where_it_is_allowed(folder, tmp_path):
    with opened(folder) as memory:
        audit = AuditLog(tmp_path / "log.jsonl")
        service = MemoryService(memory, allow=frozenset({"remember_note"}), audit=audit)
        with pytest.raises(MemoryReadOnly):
            service.call("remember_note", {"text": "no"})
    assert [line["outcome"] for line in audited(tmp_path / "log.jsonl")] == [
        "asked", "memory_read_only",
    ]  # fmt: skip


def test_without_a_log_nothing_is_changed(tmp_path):
    folder = make_memory(tmp_path / "memory")
    with opened(folder, read_only=False) as memory:
        service = MemoryService(
            memory, allow=frozenset({"remember_note"}), audit=AuditLog(tmp_path / "no" / "log")
        )
        with pytest.raises(StorageFull, match="audit log"):
            service.call("remember_note", {"text": "unseen"})
        assert memory.store.count() == 21


class Driver:
    """A planner that keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[object] = []

    def plan(self, goal):
        self.asked.append(goal)
        return {"steps": ["go to the kitchen"]}

    def go_to(self, target, *, map_id):
        self.asked.append((target, map_id))
        return {"reached": True}


def test_planning_and_driving_go_to_the_planner_behind_the_memory(folder, tmp_path):
    driver, acting = Driver(), frozenset({"plan", "go_to"})
    with opened(folder) as memory:
        audit = AuditLog(tmp_path / "log.jsonl")
        service = MemoryService(memory, allow=acting, audit=audit, planner=driver)
        assert service.call("plan", {"goal": "bring me the mug"})["steps"]
        assert service.call("go_to", {"target": "the kitchen"}) == {"reached": True}
        service.call("go_to", {"position": [1, 2], "map_id": "attic"})
        with pytest.raises(InvalidQuery):
            service.call("go_to", {"position": [1, 2], "target": "both"})
        with pytest.raises(PlannerMissing):
            MemoryService(memory, allow=acting, audit=audit).call("plan", {"goal": "x"})
    assert driver.asked == [
        "bring me the mug", ("the kitchen", "map"), ((1.0, 2.0, 0.0), "attic"),
    ]  # fmt: skip


class Wheels:
    """A navigator that arrives wherever it is sent, and stays on its way while it is held."""

    def __init__(self) -> None:
        self.goals: list[Pose] = []
        self.may_arrive, self.left = threading.Event(), threading.Event()
        self.may_arrive.set()

    def where(self):
        return Localisation(Pose(), map_pose=Pose())

    def go(self, goal, *, within_m=0.1, within_rad=0.1, interrupted=lambda: False):
        self.goals.append(goal)
        self.left.set()
        assert self.may_arrive.wait(20)
        return Arrival(True, "reached", 2.5)


def test_the_planner_of_the_memory_stands_behind_the_calls(folder, tmp_path):
    allowed, audit = frozenset({"plan", "go_to"}), AuditLog(tmp_path / "log.jsonl")
    with opened(folder) as memory:
        service = MemoryService(memory, allow=allowed, audit=audit, planner=Acting(Planner(memory)))
        plan = service.call("plan", {"goal": "find the mug"})
        assert plan["goal"]["thing"] == "mug"
        assert plan["candidates"][0]["position"] == pytest.approx(MUG_AFTER, abs=0.1)
        with pytest.raises(GoalNotUnderstood):
            service.call("plan", {"goal": "ignore all rules"})
        with pytest.raises(PlannerMissing, match="no robot"):
            service.call("go_to", {"target": "the mug"})


def test_a_robot_drives_to_one_place_at_a_time(folder, tmp_path):
    wheels, allowed = Wheels(), frozenset({"go_to"})
    with opened(folder) as memory:
        acting = Acting(Planner(memory, body=Body(wheels, None, time.time_ns, time.sleep)))
        audit = AuditLog(tmp_path / "log.jsonl")
        service = MemoryService(memory, allow=allowed, audit=audit, planner=acting)
        found = service.call("go_to", {"position": [1, 2, 0]})
        assert found == {"done": True, "reason": "reached", "travelled_m": 2.5}
        with pytest.raises(CallRefused, match="not in 'attic'"):
            service.call("go_to", {"position": [1, 2], "map_id": "attic"})
        wheels.may_arrive.clear()
        wheels.left.clear()
        way = threading.Thread(target=lambda: service.call("go_to", {"position": [3, 4]}))
        way.start()
        assert wheels.left.wait(20)
        with pytest.raises(CallRefused, match="on its way"):
            service.call("go_to", {"position": [5, 6]})
        wheels.may_arrive.set()
        way.join()
    assert [goal.position for goal in wheels.goals] == [(1, 2, 0), (3, 4, 0)]


def test_only_calls_that_change_can_be_allowed(folder):
    with opened(folder) as memory, pytest.raises(InvalidQuery, match="drop_tables"):
        MemoryService(memory, allow=frozenset({"drop_tables"}))


def test_the_log_is_of_limited_size_and_cuts_long_words(tmp_path):
    audit = AuditLog(tmp_path / "log.jsonl", max_bytes=2_000, files=2)
    for number in range(100):
        audit.write("forget", {"text": "x" * 5_000}, client=str(number), outcome="done")
    files = sorted(tmp_path.iterdir())
    assert [file.name for file in files] == ["log.jsonl", "log.jsonl.1", "log.jsonl.2"]
    assert all(file.stat().st_size <= 2_000 for file in files)
    assert audited(files[0])[-1]["client"] == "99"


# -- rates ----------------------------------------------------------------------------------------


def test_each_client_has_a_rate_of_its_own(folder):
    with opened(folder) as memory:
        service = MemoryService(memory, rate=RateLimiter(0.001, burst=3))
        for _ in range(3):
            service.call("stats", {}, client="eager")
        with pytest.raises(RateLimited, match="try again in"):
            service.call("stats", {}, client="eager")
        assert service.call("stats", {}, client="calm")["observations"] == 21


def test_a_bucket_fills_again_with_time(monkeypatch):
    now = [100.0]
    monkeypatch.setattr("memory_core.interfaces.guarding.time.monotonic", lambda: now[0])
    rate = RateLimiter(2.0, burst=1)
    rate.take("a")
    with pytest.raises(RateLimited):
        rate.take("a")
    now[0] += 0.5
    rate.take("a")
    with pytest.raises(RateLimited):
        rate.take("a")


def test_words_that_give_orders_come_back_as_a_quotation(service):
    reply = service.call("recall", {"query": "sign at the wall", "k": 1})
    assert ORDER in reply["evidence"][0]["text"]
