"""What is sent to Rerun, read back from the `.rrd` file with Rerun's own reader."""

from __future__ import annotations

import datetime as dt
import json
import os
import sys
from collections import Counter

import pytest

from memory_core import Observation, Pose, RobotMemory, Sighting
from memory_core.errors import NotInstalled, ViewerUnavailable
from memory_core.perception.text import HashingEncoder
from memory_core.types import Keyframe

from .conftest import START_NS, run_apart

JPEG = b"\xff\xd8\xff\xe0" + bytes(64) + b"\xff\xd9"
MINUTE = 60 * 10**9


@pytest.fixture(scope="module")
def sdk():
    return pytest.importorskip("rerun", reason="the package rerun-sdk is not installed")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A memory with all there is: a path, pictures, scans, words, things, one of which went."""
    folder = tmp_path_factory.mktemp("memory") / "house"
    with RobotMemory.open(folder, text_encoder=HashingEncoder()) as memory:
        memory.observe(
            Observation(
                id=f"o{n}", stamp_ns=START_NS + n * MINUTE, source="camera",
                robot=("ann", "bob")[n // 12], session="day 1", pose=Pose(0.5 * (n % 12), 0.0),
                text=f"note {n}: the kettle sings" if n % 3 == 0 else None,
                sightings=tuple(
                    Sighting(label, position=(x - 0.5 * (n % 12), y, 0.5))
                    for label, x, y in (("mug", 1.0, 1.0), ("floor lamp", 4.0, -1.0))
                    if label != "mug" or n < 6
                ),
                keyframe=Keyframe(JPEG, 64, 48) if n % 2 else None,
                extra={"scan_m": [1.0, None, 2.0], "scanner_yaw": 0.0} if n % 4 == 0 else {},
            )
            for n in range(24)
        )  # fmt: skip
    return folder


@pytest.fixture(scope="module")
def recording(sdk, folder, tmp_path_factory):
    """The recording of that memory, and what the command said of it."""
    target = tmp_path_factory.mktemp("recording") / "house.rrd"
    done = run_apart(
        "view", "--rerun", "--memory", folder, "--encoder", "hashing", "--out", target, "--json"
    )
    assert done.returncode == 0, done.stderr
    return target, json.loads(done.stdout)


@pytest.fixture(scope="module")
def rows(recording):
    """How many rows each entity has: those on the timeline, and those that hold always."""
    from rerun.chunk import RrdReader

    timed, always = Counter(), Counter()
    for chunk in RrdReader(recording[0]).stream():
        path = chunk.entity_path.replace("\\", "")
        (always if chunk.is_static else timed)[path] += chunk.num_rows
        assert chunk.is_static or chunk.timeline_names == ["time"]
    return timed, always


@pytest.fixture(scope="module")
def memory(folder):
    with RobotMemory.open(folder, read_only=True, text_encoder=HashingEncoder()) as opened:
        opened.organise()
        yield opened


def test_what_was_sent_is_counted_as_the_memory_counts_it(recording, memory):
    sent, info = recording[1], memory.info()
    assert sent["observations"] == info["observations"] == 24
    assert sent["keyframes"] == info["keyframes"]["count"] == 12
    assert sent["sightings"] == info["sightings"] == 30
    assert sent["scans"] == 6
    assert sent["entities"] == len(memory.entities()) > 0
    assert sent["places"] == len(memory.places()) > 0
    assert sent["forest"] == len(memory.forest()) > 0
    assert sent["events"] == len(memory.events()) > 0


def test_every_entity_is_there_from_each_of_its_stays_on(rows, memory):
    timed, always = rows
    for entity in memory.entities():
        path = f"/maps/map/entities/{entity.label}/{entity.id.partition(':')[2]}"
        ends = sum(stay.end_ns is not None for stay in entity.history)
        assert timed[path] == len(entity.history) + ends
        assert always[f"{path}/trail"] == (len(entity.history) > 1)
    shown = [path for path in timed if path.startswith("/maps/map/entities/")]
    assert len(shown) == len(memory.entities())


def test_pictures_scans_words_and_the_path_are_there(rows):
    timed, always = rows
    assert {p: n for p, n in timed.items() if p.startswith("/keyframes")} == {
        "/keyframes/ann/camera": 6, "/keyframes/bob/camera": 6,
    }  # fmt: skip
    assert timed["/maps/map/scans/ann"] == timed["/maps/map/scans/bob"] == 3
    assert timed["/maps/map/robots/ann"] == timed["/maps/map/robots/bob"] == 12
    assert timed["/words"] == 8
    assert always["/maps/map/path/ann/day 1"] == always["/maps/map/path/bob/day 1"] == 1


def test_boxes_of_places_and_areas_are_as_many_as_the_memory_has(recording, memory):
    from rerun.chunk import RrdReader

    boxes = Counter()
    for chunk in RrdReader(recording[0]).stream():
        if chunk.is_static:
            table = chunk.to_record_batch().to_pydict()
            for name, values in table.items():
                if name.endswith("half_sizes") and values[0] is not None:
                    boxes[chunk.entity_path.split("/")[3]] += len(values[0])
    assert boxes == {"places": len(memory.places()), "forest": len(memory.forest())}


def test_a_picture_comes_back_byte_for_byte_at_its_moment(recording):
    from rerun.chunk import RrdReader

    for chunk in RrdReader(recording[0]).stream():
        if chunk.entity_path == "/keyframes/ann/camera":
            table = chunk.to_record_batch().to_pydict()
            blob = next(values for name, values in table.items() if name.endswith("blob"))
            assert {bytes(value[0]) for value in blob} == {JPEG}
            stamps = {stamp.replace(tzinfo=dt.timezone.utc).timestamp() for stamp in table["time"]}
            assert stamps == {(START_NS + n * MINUTE) / 1e9 for n in range(1, 12, 2)}


def test_it_says_what_it_leaves_out(recording):
    from rerun.chunk import RrdReader

    (about,) = (c for c in RrdReader(recording[0]).stream() if c.entity_path == "/about")
    (told,) = (v for k, v in about.to_record_batch().to_pydict().items() if k.endswith("text"))
    assert "- 24 observations" in told[0][0]
    assert recording[1]["left_out"]
    for part in recording[1]["left_out"]:
        assert f"- {part}" in told[0][0]


def test_it_opens_with_a_layout_of_its_own(recording):
    from rerun.chunk import RrdReader

    assert len(RrdReader(recording[0]).blueprints()) == 1


def test_names_that_were_remembered_stay_one_part_of_a_path(sdk, tmp_path):
    from memory_core.interfaces.rerun_view import write_recording

    with RobotMemory.open(tmp_path / "memory", text_encoder=HashingEncoder()) as memory:
        memory.observe(
            Observation(id="a", stamp_ns=START_NS, robot="x/../y", source="/cam era!", pose=Pose(),
                        keyframe=Keyframe(JPEG, 8, 8),
                        sightings=(Sighting("a/b (c)", position=(1.0, 0.0, 0.0)),))
        )  # fmt: skip
        memory.organise()
        write_recording(memory, tmp_path / "odd.rrd")
    from rerun.chunk import RrdReader

    depths = {
        path.replace("\\/", "|").count("/")
        for chunk in RrdReader(tmp_path / "odd.rrd").stream()
        if (path := chunk.entity_path).startswith(("/keyframes", "/maps/map/sightings"))
    }
    assert depths == {3, 4}


def test_an_empty_memory_makes_a_recording_too(sdk, tmp_path):
    from memory_core.interfaces.rerun_view import write_recording

    with RobotMemory.open(tmp_path / "memory", text_encoder=None) as memory:
        sent = write_recording(memory, tmp_path / "empty.rrd")
    assert set(sent.values()) == {0}
    assert (tmp_path / "empty.rrd").stat().st_size > 0


def test_a_file_that_cannot_be_written_is_one_line(sdk, memory, folder):
    done = run_apart(
        "view", "--rerun", "--memory", folder, "--encoder", "hashing",
        "--out", folder / "nowhere" / "x.rrd", "--json",
    )  # fmt: skip
    assert done.returncode == 3
    assert "file_error" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_viewer_that_does_not_open_is_one_line(sdk, memory, monkeypatch):
    from memory_core.interfaces import rerun_view

    def no_display(*_, **__):
        raise RuntimeError("no display\nDetails: many lines")

    monkeypatch.setattr(sdk.RecordingStream, "spawn", no_display)
    before = os.environ["PATH"]
    with pytest.raises(ViewerUnavailable, match=r"\(no display\).*--out"):
        rerun_view.show_in_viewer(memory)
    assert os.environ["PATH"] == before


def test_without_the_sdk_the_line_that_installs_it_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "rerun", None)
    monkeypatch.delitem(sys.modules, "memory_core.interfaces.rerun_view", raising=False)
    with pytest.raises(NotInstalled, match=r"robot-memory\[rerun\]"):
        import memory_core.interfaces.rerun_view  # noqa: F401
