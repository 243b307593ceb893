"""Tours of houses: bearings that meet, hidden ids that stay hidden, stations that are wrong."""

from __future__ import annotations

import gzip
import json
import math
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest

from memory_core.errors import RecordingUnreadable
from memory_core.geometry import bearing_direction, triangulate
from memory_core.ingestion import ingest
from memory_core.memory import RobotMemory
from memory_core.recordings import Reading, open_recording
from memory_core.recordings.serial import observation_to_json

HOUSES = ("8WUmhLawc2A", "D7N2EKCX4Sj")


@pytest.fixture(scope="module", params=HOUSES)
def house(request, real_data):
    return real_data("reverie") / f"{request.param}.json.gz"


def raw(path):
    with gzip.open(path) as file:
        return json.load(file)


def seen_whole(item):
    """Whether one of the views shows the object without cutting it."""
    return any(
        x > 0 and y > 0 and w > 0 and h > 0 and x + w < 640 and y + h < 480
        for x, y, w, h in (view["bbox"] for view in item["views"])
    )


def test_bearings_of_one_object_meet_in_front_of_the_cameras(house):
    stations = open_recording(house).stations
    whole = {
        (entry["id"], item["id"])
        for entry in raw(house)["viewpoints"]
        for item in entry["objects"]
        if seen_whole(item)
    }
    lines = {}
    for station in stations.values():
        for sighting, identity in zip(station.sightings, station.object_ids, strict=True):
            if (station.id, identity) in whole:
                lines.setdefault(identity, []).append((station.position, sighting.bearing))
    residuals, behind = [], 0
    for rays in lines.values():
        if len(rays) < 3:
            continue
        origins = np.array([origin for origin, _ in rays])
        directions = np.array([bearing_direction(*bearing) for _, bearing in rays])
        try:
            residuals.append(triangulate(origins, directions)[1])
        except ValueError:
            behind += 1
    assert len(residuals) > 50
    assert np.median(residuals) < 0.05
    assert behind < 0.05 * len(residuals)


def test_hidden_ids_never_enter_an_observation(house):
    hidden = {str(i["id"]) for entry in raw(house)["viewpoints"] for i in entry["objects"]}
    observations = list(open_recording(house).observations(Reading()))
    assert sum(len(item.sightings) for item in observations) > 100

    def scalars(value):
        if isinstance(value, dict):
            for part in value.values():
                yield from scalars(part)
        elif isinstance(value, list):
            for part in value:
                yield from scalars(part)
        else:
            yield value

    for item in observations:
        told = observation_to_json(item)
        assert set(told["extra"]) == {"station", "height_m", "neighbours"}
        for seen in told.get("sightings", ()):
            assert set(seen) <= {"label", "confidence", "bearing", "size"}
            assert not {str(part) for part in scalars(seen)} & hidden - {"0.0", "1.0"}


def test_the_tour_visits_every_station_once_and_goes_forward_in_time(house):
    included = {e["id"] for e in raw(house)["viewpoints"] if e["included"]}
    found = list(open_recording(house).observations(Reading()))
    assert Counter(item.extra["station"] for item in found) == Counter(included)
    stamps = [item.stamp_ns for item in found]
    assert stamps == sorted(set(stamps))
    walked = sum(math.dist(a.pose.position, b.pose.position) for a, b in pairwise(found))
    assert (stamps[-1] - stamps[0]) * 1e-9 == pytest.approx(walked / 0.5, rel=1e-3)


def test_a_house_is_remembered_once(house, tmp_path):
    with RobotMemory.open(tmp_path / "memory", text_encoder=None) as memory:
        first, second = ingest(memory, house), ingest(memory, house)
        assert (first.refused, second.added, second.known) == ({}, 0, first.added)


def station(name="a", *, x=0.0, objects=(), neighbours=(), **parts):
    pose = [1, 0, 0, x, 0, 1, 0, 0, 0, 0, 1, 1.5, 0, 0, 0, 1]
    return {"id": name, "pose": pose, "height": 1.5, "included": True, "objects": list(objects),
            "neighbors": list(neighbours)} | parts  # fmt: skip


def thing(name="mug", view=12, bbox=(310, 230, 20, 20), identity=5):
    return {"id": identity, "name": name, "views": [{"view": view, "bbox": list(bbox)}]}


def written(path, viewpoints):
    path.write_text(json.dumps({"scan": "made", "viewpoints": viewpoints, "tasks": []}))
    return path


@pytest.mark.parametrize("view, azimuth, elevation", [
    (12, 90, 0), (15, 0, 0), (18, -90, 0), (21, 180, 0), (24, 90, 30), (0, 90, -30), (3, 0, -30),
])  # fmt: skip
def test_the_middle_of_a_view_is_its_heading(tmp_path, view, azimuth, elevation):
    path = written(tmp_path / "made.json", [station(objects=[thing(view=view)])])
    (sighting,) = open_recording(path).stations["a"].sightings
    turn = math.remainder(math.degrees(sighting.bearing[0]) - azimuth, 360)
    assert turn == pytest.approx(0, abs=1e-6)
    assert math.degrees(sighting.bearing[1]) == pytest.approx(elevation, abs=1e-6)


def test_right_in_the_picture_is_clockwise_and_above_is_up(tmp_path):
    # the picture's upper edge is 30 degrees above its middle
    path = written(tmp_path / "made.json", [
        station("up", objects=[thing(view=15, bbox=(310, -10, 20, 20))]),
        station("right", objects=[thing(view=15, bbox=(550, 230, 20, 20))]),
    ])  # fmt: skip
    stations = open_recording(path).stations
    assert math.degrees(stations["up"].sightings[0].bearing[1]) == pytest.approx(30)
    focal = 240 / math.tan(math.radians(30))
    right = math.degrees(stations["right"].sightings[0].bearing[0])
    assert right == pytest.approx(-math.degrees(math.atan(240 / focal)))


def test_an_object_is_taken_from_the_view_that_shows_it_whole(tmp_path):
    both = thing(view=12, bbox=(0, 200, 300, 100))
    both["views"].append({"view": 13, "bbox": [100, 200, 300, 100]})
    path = written(tmp_path / "made.json", [station(objects=[both])])
    (sighting,) = open_recording(path).stations["a"].sightings
    focal = 240 / math.tan(math.radians(30))
    azimuth = 60 + math.degrees(math.atan((320 - 250) / focal))  # heading 30 clockwise from +y
    assert math.degrees(sighting.bearing[0]) == pytest.approx(azimuth)


def test_stations_that_are_wrong_are_refused_and_the_rest_walked(tmp_path):
    path = written(tmp_path / "made.json", [
        station("good", objects=[thing("red__mug#1"), {"id": 1, "name": "lamp", "views": []}]),
        station("no pose", pose=None), station("short", pose=[1, 2, 3]),
        station("nan", pose=[math.nan] * 16), station("huge", pose=[10**400] * 16),
        "no object", None,
        station("nameless", objects=[thing("  ")]), station("untyped", objects=[7]),
        station("viewless", objects=[{"id": 1, "name": "x", "views": [{}]}]),
        station("flat", objects=[{"id": 1, "name": "x", "views": [{"view": 1, "bbox": [1]}]}]),
        station("numbered") | {"objects": 3},
        station("alone", x=4.0, included=True), station("left out", included=False),
    ])  # fmt: skip
    with RobotMemory.open(tmp_path / "memory", text_encoder=None) as memory:
        done = ingest(memory, path)
    assert done.added == 2
    assert done.refused == {"invalid_pose": 4, "input_rejected": 2, "invalid_sighting": 5}
    labels = [s.label for s in open_recording(path).stations["good"].sightings]
    assert labels == ["red mug 1", "lamp"]


@pytest.mark.parametrize("data", [
    b"", b"{", b"[]", b'{"viewpoints": 3}', b"\xff\xfe", b"[" * 100_000,
])  # fmt: skip
def test_a_file_that_is_no_house_is_refused(tmp_path, data):
    path = tmp_path / "made.json"
    path.write_bytes(data)
    with pytest.raises(RecordingUnreadable):
        open_recording(path)


def test_a_house_cut_short_is_refused(tmp_path):
    whole = gzip.compress(json.dumps({"viewpoints": [station()] * 500}).encode())
    path = tmp_path / "made.json.gz"
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(RecordingUnreadable, match="cut short"):
        open_recording(path)
