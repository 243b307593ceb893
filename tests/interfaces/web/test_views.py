"""What the viewer is told, against what was put into the memory and plain arithmetic over it."""

from __future__ import annotations

import base64
import csv
import io
import itertools
import json
import math
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from starlette.testclient import TestClient

from memory_core.interfaces.web import tracing
from memory_core.interfaces.web.downloads import _plain
from memory_core.interfaces.web.scenery import Cloud, Level

from ..serving import opened
from .conftest import app_over, client_of
from .home import MUG_AFTER, MUG_BEFORE, SECOND, UPSTAIRS_M, VISITS, looks, make_home

LOOKS = list(looks())
MS = 10**6
EVERYWHERE = {"x0": -100, "y0": -100, "x1": 100, "y1": 100, "cell_m": 0.25}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_home(tmp_path_factory.mktemp("home") / "memory")


@pytest.fixture(scope="module")
def client(home: Path) -> Iterator[TestClient]:
    with opened(home) as memory, client_of(app_over(memory)) as client:
        yield client


def told(client: TestClient, name: str, **values: object):
    answer = client.get(f"/api/view/{name}", params=values)
    assert answer.status_code == 200, answer.text
    return answer.json()


def looks_on(level: int):
    return [look for look in LOOKS if look.pose.z == (0.0, UPSTAIRS_M)[level]]


def test_the_overview_tells_floors_span_and_how_much_there_is(client):
    overview = told(client, "overview")
    assert overview["observations"] == len(LOOKS)
    assert overview["complete"]
    assert overview["span_ms"] == [LOOKS[0].stamp_ns / MS, LOOKS[-1].stamp_ns / MS]
    assert [level["observations"] for level in overview["levels"]] == [
        len(looks_on(0)), len(looks_on(1)),
    ]  # fmt: skip
    assert [level["height_m"] for level in overview["levels"]] == [0.0, UPSTAIRS_M]


@pytest.mark.parametrize("level", [0, 1])
def test_few_points_are_told_one_by_one(client, level):
    points = told(client, "points", level=level, **EVERYWHERE)
    assert points["exact"]
    expected = sorted(
        (round(look.pose.x * 100), round(look.pose.y * 100), look.stamp_ns // MS)
        for look in looks_on(level)
    )
    stamps = [round(points["start_ms"] + offset) for offset in points["t"]]
    assert sorted(zip(points["x"], points["y"], stamps, strict=True)) == expected


def test_points_keep_to_a_box_and_a_span(client):
    end_ms = (VISITS[0] + 40 * SECOND) / MS
    box = {"x0": 1.9, "y0": 0.0, "x1": 3.0, "y1": 5.0, "cell_m": 0.25}
    points = told(client, "points", level=0, end_ms=end_ms, **box)
    inside = [
        look for look in looks_on(0)
        if 1.9 <= look.pose.x <= 3.0 and look.stamp_ns / MS <= end_ms
    ]  # fmt: skip
    assert 0 < len(inside) < len(looks_on(0))
    assert points["total"] == len(inside) == len(points["x"])


def test_many_points_are_counted_by_cell(client, monkeypatch):
    monkeypatch.setattr(tracing, "EXACT", 9)
    points = told(client, "points", level=0, **EVERYWHERE)
    assert not points["exact"]
    assert len(points["n"]) <= 9
    side = points["cell_m"]
    assert math.log2(side / 0.25).is_integer()
    counts: dict[tuple[int, int], int] = {}
    for look in looks_on(0):
        cell = (math.floor(look.pose.x / side), math.floor(look.pose.y / side))
        counts[cell] = counts.get(cell, 0) + 1
    found = {
        (math.floor(x / 100 / side), math.floor(y / 100 / side)): n
        for x, y, n in zip(points["x"], points["y"], points["n"], strict=True)
    }
    assert found == counts


def test_a_quarter_of_a_million_points_come_as_counts_that_add_up():
    chance = np.random.default_rng(1)
    count = 250_000
    positions = np.column_stack([chance.random((count, 2)) * (40, 30), np.zeros(count)])
    level = Level(0, "map", 0, 1, 0.0, (0.0, 0.0), (40.0, 30.0), count)
    cloud = Cloud(
        np.arange(1, count + 1), np.arange(count) * 1e3, positions, np.zeros(count, np.int64),
        (level,), complete=True,
    )  # fmt: skip
    told = tracing.points_in(
        cloud, 0, (10.0, 10.0, 30.0, 20.0), cell_m=0.01, start_ms=None, end_ms=1e8
    )
    x, y = positions[:100_001, 0], positions[:100_001, 1]
    inside = (x >= 10) & (x <= 30) & (y >= 10) & (y <= 20)
    assert told["total"] == inside.sum()
    assert told["exact"]
    assert len(told["x"]) == inside.sum()
    whole = tracing.points_in(
        cloud, 0, (0.0, 0.0, 40.0, 30.0), cell_m=0.01, start_ms=None, end_ms=None
    )
    assert not whole["exact"]
    assert len(whole["n"]) <= tracing.EXACT
    assert sum(whole["n"]) == count
    finest = tracing.points_in(
        cloud, 0, (-1e7, -1e7, 1e7, 1e7), cell_m=1e-3, start_ms=None, end_ms=None
    )  # a grid of such cells over such a box fits no memory
    assert sum(finest["n"]) == count


def test_a_path_stays_on_its_floor_and_does_not_leap_between_visits(client):
    for level in (0, 1):
        paths = told(client, "path", level=level)
        assert paths["whole"]
        assert len(paths["runs"]) == len(VISITS)
        stood = {(round(o.pose.x * 100), round(o.pose.y * 100)) for o in looks_on(level)}
        for run in paths["runs"]:
            corners = list(zip(run["x"], run["y"], strict=True))
            assert set(corners) <= stood
            steps = [math.dist(a, b) for a, b in itertools.pairwise(corners)]
            assert max(steps) <= 100 * tracing.JUMP_M


def test_near_tells_what_was_observed_around_a_position(client):
    found = told(client, "near", level=0, x=2.0, y=2.0, radius_m=0.6)
    around = [o for o in looks_on(0) if math.hypot(o.pose.x - 2.0, o.pose.y - 2.0) <= 0.6]
    assert found["total"] == len(around)
    assert {item["id"] for item in found["observations"]} <= {look.id for look in around}
    assert found["observations"][0]["keyframe"]


def test_a_thing_tells_where_it_was_on_every_floor(client):
    things = told(client, "entities")["entities"]
    mug = next(item for item in things if item["label"] == "red mug")
    assert [stay["level"] for stay in mug["stays"]] == [0, 1]
    assert np.allclose([(s["x"], s["y"]) for s in mug["stays"]], [MUG_BEFORE[:2], MUG_AFTER[:2]])
    history = told(client, "entity", id=mug["id"])
    assert [stay["kind"] for stay in history["history"]] == ["kitchen", "bedroom"]
    assert all("red mug" in item["text"] for item in history["seen_in"])


def test_places_lie_on_the_floor_they_were_seen_on(client):
    places = told(client, "places")["places"]
    assert {place["kind"] for place in places if place["level"] == 1} == {"bedroom"}
    assert {place["kind"] for place in places if place["level"] == 0} == {"kitchen", "living room"}
    assert sum(place["observations"] for place in places) == len(LOOKS)


def test_the_timeline_counts_every_observation_once(client):
    timeline = told(client, "timeline", bins=7)
    edges = np.linspace(LOOKS[0].stamp_ns, LOOKS[-1].stamp_ns, 8)
    expected, _ = np.histogram([look.stamp_ns for look in LOOKS], edges)
    assert timeline["bins"] == expected.tolist()
    assert timeline["events_total"] == len(timeline["events"]) > 1
    assert sum(event["observations"] for event in timeline["events"]) == len(LOOKS)
    first = told(client, "timeline", bins=3, end_ms=VISITS[1] / MS - 1)
    assert sum(first["bins"]) == len(LOOKS) / 2


def test_the_forest_is_handed_out_level_by_level_down_to_every_place(client):
    places = {place["id"] for place in told(client, "places")["places"]}
    waiting = [(None, 2)]
    leaves = set()
    while waiting:
        parent, expected = waiting.pop()
        nodes = told(client, "forest", **({} if parent is None else {"parent": parent}))["nodes"]
        assert len(nodes) == expected
        for node in nodes:
            assert len(node["nodes"]) == node["children"]
            if node["children"]:
                waiting.append((node["id"], node["children"]))
            else:
                leaves.add(node["id"])
    assert leaves == places
    roots = told(client, "forest")["nodes"]
    assert [node["level"] for node in roots] == [0, 1]
    assert set(told(client, "below", node=roots[1]["id"])["places"]) == {
        place["id"] for place in told(client, "places")["places"] if place["level"] == 1
    }


def test_attention_for_a_question_rests_on_the_thing_it_names(client):
    found = told(client, "attention", question="where is the red mug?")
    best = found["points"][0]
    level = 1 if best["position"][2] > UPSTAIRS_M else 0
    assert best["level"] == level
    assert best["position"] == pytest.approx((MUG_BEFORE, MUG_AFTER)[level], abs=0.05)
    things = told(client, "entities")["entities"]
    assert best["entity"] == next(item["id"] for item in things if item["label"] == "red mug")
    assert all(0 < weight <= 1.0001 for weight in found["nodes"].values())
    inner = {node for item in found["points"] for node in item["path"] if "forest:" in node}
    assert inner
    assert inner <= set(found["names"])


def test_the_ground_covers_where_the_robot_stood_and_no_more(client):
    ground = told(client, "ground", level=1)
    cells = np.frombuffer(base64.b64decode(ground["cells"]), "<u2")
    cells = cells.reshape(ground["height"], ground["width"])

    def place_at(x: float, y: float) -> int:
        column = int((x - ground["left"]) / ground["cell_m"])
        row = int((y - ground["bottom"]) / ground["cell_m"])
        return int(cells[row, column])

    upstairs = {p["id"] for p in told(client, "places")["places"] if p["level"] == 1}
    owners = {ground["places"][place_at(look.pose.x, look.pose.y)] for look in looks_on(1)}
    assert owners <= upstairs
    assert cells[0, 0] == cells[-1, -1] == 0xFFFF


def test_downloads_hold_every_place_thing_and_node(client):
    things = told(client, "entities")["entities"]
    places = told(client, "places")["places"]
    document = json.loads(client.get("/api/view/download/map.geojson").content)
    kinds = [feature["properties"]["what"] for feature in document["features"]]
    assert (kinds.count("place"), kinds.count("thing")) == (len(places), len(things))
    table = client.get("/api/view/download/things.csv").text
    rows = list(csv.DictReader(io.StringIO(table)))
    assert len(rows) == sum(len(item["stays"]) for item in things)
    graph = ElementTree.fromstring(client.get("/api/view/download/forest.graphml").content)
    assert len(graph.findall(".//{*}node")) == len(places) + 2


@pytest.mark.parametrize("label", ["=1+1", "@SUM(A1)", "-2", "+3"])
def test_a_label_never_becomes_a_formula(label):
    assert _plain(label) == f"'{label}"


@pytest.mark.parametrize(
    ("name", "values", "status"),
    [
        ("ground", {"level": 9}, 422),
        ("path", {"level": -1}, 422),
        ("points", {"level": 0, **EVERYWHERE, "x0": "nan"}, 422),
        ("points", {"level": 0, **EVERYWHERE, "cell_m": 0}, 422),
        ("timeline", {"start_ms": 5, "end_ms": 4}, 422),
        ("entity", {"id": "entity:999"}, 404),
        ("entity", {"id": "nobody"}, 404),
        ("forest", {"parent": "forest:999"}, 404),
        ("below", {"node": "forest:999"}, 404),
        ("attention", {"question": " "}, 422),
        ("download/passwords.txt", {}, 422),
    ],
)
def test_what_cannot_be_told_is_refused_with_a_next_step(client, name, values, status):
    answer = client.get(f"/api/view/{name}", params=values)
    assert answer.status_code == status
    assert answer.json()["next"]


def test_an_empty_memory_has_nothing_to_show_and_says_so(tmp_path):
    with opened(tmp_path / "memory", read_only=False) as memory, client_of(app_over(memory)) as c:
        assert told(c, "overview")["span_ms"] is None
        assert told(c, "timeline")["bins"] == []
        assert told(c, "forest")["nodes"] == []
        assert told(c, "suggestions")["questions"] == []
