"""Folders of RGB-D frames: the real kitchen, and small ones with things wrong in them."""

from __future__ import annotations

import json
from collections import Counter

import cv2
import numpy as np
import pytest

from memory_core.errors import InvalidImage, InvalidPose, RecordingUnreadable
from memory_core.ingestion import ingest
from memory_core.memory import RobotMemory
from memory_core.perception.keyframes import KeyframeRule
from memory_core.recordings import Reading, ReadOptions, open_recording
from memory_core.types import Sighting

EVERY = KeyframeRule(distance_m=0.0, min_gap_s=0.0)
FIRST_NS, PERIOD_NS = 1_000_000_000, 33_333_333


def picture(number):
    rng = np.random.default_rng(number)
    return np.kron(rng.integers(0, 255, (6, 8, 3)), np.ones((16, 16, 1))).astype(np.uint8)


def frame(folder, number, *, pose=None):
    """A frame whose camera stands at (number, 0, 1) and looks along x of the world."""
    folder.mkdir(exist_ok=True)
    stem = folder / f"frame-{number:06d}"
    cv2.imwrite(f"{stem}.color.jpg", picture(number))
    cv2.imwrite(f"{stem}.depth.png", np.full((96, 128), 2_000, np.uint16))
    # columns: the camera's right, down and forward in the world
    matrix = np.array([[0, 0, 1, number], [-1, 0, 0, 0], [0, -1, 0, 1], [0, 0, 0, 1.0]])
    np.savetxt(f"{stem}.pose.txt", matrix if pose is None else pose)
    return stem


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "frames"
    for number in range(6):
        frame(folder, number)
    np.savetxt(folder / "camera-intrinsics.txt", [[100, 0, 64], [0, 100, 48], [0, 0, 1]])
    return folder


def read(folder, **options):
    reading = Reading()
    options = {"keyframes": EVERY} | options
    recording = open_recording(folder, ReadOptions(**options))
    return list(recording.observations(reading)), reading


def test_frames_have_the_cameras_place_and_heading(folder):
    found, reading = read(folder)
    assert reading.refused == []
    assert [item.extra["frame"] for item in found] == list(range(6))
    assert [item.stamp_ns for item in found] == [FIRST_NS + n * PERIOD_NS for n in range(6)]
    for number, item in enumerate(found):
        assert item.pose.position == pytest.approx((number, 0, 1))
        # REP-103: x forward, y left, z up
        assert item.pose.matrix()[:3, :3] == pytest.approx(np.eye(3), abs=1e-9)
        assert item.keyframe.jpeg == (folder / f"frame-{number:06d}.color.jpg").read_bytes()


def test_depth_is_in_metres_and_unknown_where_the_sensor_saw_nothing(folder):
    depth = np.full((96, 128), 1_500, np.uint16)
    depth[0, 0], depth[0, 1] = 0, 65_535
    cv2.imwrite(str(folder / "frame-000002.depth.png"), depth)
    read_back = open_recording(folder).frame(2).depth_m
    assert read_back[0, :3].tolist() == [0.0, 0.0, 1.5]


def test_a_frame_that_is_wrong_is_refused_by_its_kind_and_the_rest_kept(folder):
    whole = (folder / "frame-000000.color.jpg").read_bytes()
    (folder / "frame-000000.color.jpg").write_bytes(whole[: len(whole) // 2])
    (folder / "frame-000001.color.jpg").write_bytes(b"")
    (folder / "frame-000002.depth.png").write_bytes(b"")
    (folder / "frame-000003.pose.txt").write_bytes(b"\xff\xfe not numbers")
    for number, wrong in (
        (6, np.diag([2.0, 0.5, 1.0, 1.0])),
        (7, np.diag([1.0, 1.0, -1.0, 1.0])),
        (8, np.full((4, 4), np.nan)),
        (9, np.zeros((3, 4))),
        (10, np.ones((4, 4))),
    ):
        frame(folder, number, pose=wrong)
    cv2.imwrite(str(folder / "frame-000004.depth.png"), np.full((96, 128), 9, np.uint8))
    found, reading = read(folder)
    assert [item.extra["frame"] for item in found] == [5]
    assert Counter(item.code for item in reading.refused) == {"invalid_image": 4, "invalid_pose": 6}
    assert any("frame 2 of frames" in item.id for item in reading.refused)


def test_frames_without_poses_and_depth_are_kept_without_a_place(folder):
    for file in [*folder.glob("*.pose.txt"), *folder.glob("*.depth.png")]:
        file.unlink()
    (folder / "camera-intrinsics.txt").write_text("unreadable")
    found, reading = read(folder)
    assert [item.pose for item in found] == [None] * 6
    assert reading.refused == []
    uses = {topic.name: topic for topic in open_recording(folder).topics()}
    assert uses["frame-*.pose.txt"].reason.startswith("missing")
    assert uses["camera-intrinsics.txt"].reason == "missing or unreadable"


def test_words_made_elsewhere_join_frames_by_number_and_by_time(folder, tmp_path):
    sidecar = tmp_path / "said.jsonl"
    lines = [
        {"frame": 1, "text": "a kettle", "sightings": ["kettle"]},
        {"frame": 1, "text": "and a cup"},
        {"stamp_ns": FIRST_NS + 3 * PERIOD_NS + 5_000_000, "text": "a sink"},
        {"stamp_ns": FIRST_NS + 90_000_000_000, "text": "long after"},
        {"frame": 77, "text": "no such frame"},
        {"stamp_ns": 10**30, "text": "never"},
    ]
    sidecar.write_text("\n".join(map(json.dumps, lines)))
    found, reading = read(folder, sidecar=sidecar, keyframes=KeyframeRule(distance_m=99))
    said = {item.extra["frame"]: (item.text, item.sightings) for item in found if item.text}
    assert said == {1: ("a kettle and a cup", (Sighting("kettle"),)), 3: ("a sink", ())}
    assert [item.code for item in reading.refused] == ["invalid_stamp"] * 3


def test_a_detector_sees_every_keyframe(folder):
    found, _ = read(folder, detector=lambda image: [Sighting(f"thing {image.shape[1]}")])
    assert [item.sightings for item in found] == [(Sighting("thing 128"),)] * 6


def test_a_second_reading_has_the_same_ids(folder):
    assert [item.id for item in read(folder)[0]] == [item.id for item in read(folder)[0]]


def test_a_folder_of_other_files_is_no_recording(tmp_path):
    (tmp_path / "frame-one.color.jpg").write_bytes(b"x")
    with pytest.raises(RecordingUnreadable, match="frame-N"):
        open_recording(tmp_path)


@pytest.fixture(scope="module")
def kitchen(real_data):
    return open_recording(real_data("rgbd_kitchen"))


def test_the_kitchens_poses_are_those_of_its_files(kitchen):
    assert kitchen.numbers == list(range(0, 600, 2))
    forward_of_optical = np.array([0, 0, 1.0])
    for number in (0, 250, 598):
        matrix = np.loadtxt(kitchen.path / f"frame-{number:06d}.pose.txt")
        found = kitchen.frame(number)
        assert found.pose.position == pytest.approx(matrix[:3, 3], abs=1e-9)
        forward = found.pose.matrix()[:3, 0]
        assert forward == pytest.approx(matrix[:3, :3] @ forward_of_optical, abs=1e-3)
        assert found.image.shape == (480, 640, 3)
        assert 0.3 < np.median(found.depth_m[found.depth_m > 0]) < 5


def test_the_kitchen_becomes_keyframes_once(kitchen, tmp_path):
    with RobotMemory.open(tmp_path / "memory", text_encoder=None) as memory:
        done = ingest(memory, kitchen.path)
        assert (done.complete, done.refused) == (True, {})
        assert 20 < done.added < 300
        assert memory.info()["keyframes"]["count"] == done.added
        assert ingest(memory, kitchen.path).added == 0


def test_reading_one_frame_names_what_is_wrong(folder):
    (folder / "frame-000001.color.jpg").write_bytes(b"no picture")
    (folder / "frame-000002.pose.txt").write_text("1 2 3")
    recording = open_recording(folder)
    with pytest.raises(InvalidImage):
        recording.frame(1)
    with pytest.raises(InvalidPose, match=r"frame-000002\.pose\.txt"):
        recording.frame(2)
