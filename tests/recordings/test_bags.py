"""Bags written here, with every kind of message that is used."""

from __future__ import annotations

import json
import math
from collections import Counter

import cv2
import numpy as np
import pytest

from memory_core.errors import RecordingUnreadable
from memory_core.ingestion import ingest
from memory_core.memory import RobotMemory
from memory_core.recordings import Reading, ReadOptions, open_recording
from memory_core.types import Sighting
from tests.recordings.writing import (
    OPTICAL,
    START_NS,
    about_z,
    box_2d,
    box_3d,
    camera_info,
    header,
    image,
    odometry,
    straight_drive,
    transform,
    write_bag,
)

NAN, INF = math.nan, math.inf


def ns(seconds):
    return START_NS + round(seconds * 1e9)


def read(path, **options):
    """(observations by source, the account)."""
    reading = Reading()
    found = {}
    for item in open_recording(path, ReadOptions(**options)).observations(reading):
        found.setdefault(item.source, []).append(item)
    return found, reading


def codes(reading):
    return Counter(item.code for item in reading.refused)


def noise(seed, height=48, width=64):
    """A picture JPEG keeps roughly: coloured blocks, shape (h, w, 3)."""
    blocks = np.random.default_rng(seed).integers(0, 255, (height // 16, width // 16, 3))
    return np.kron(blocks, np.ones((16, 16, 1))).astype(np.uint8)


def text(seconds, words):
    return (seconds, "/captions", "string", {"data": words})


@pytest.mark.parametrize("form", ["sqlite3 folder", "mcap folder", "bare mcap", "bare db3"])
def test_every_form_of_bag_gives_the_same_path_and_words(tmp_path, form):
    storage = "mcap" if "mcap" in form else "sqlite3"
    bag = write_bag(
        tmp_path / "bag", [*straight_drive(), text(4.0, "a red mug on the table")],
        storage=storage,
    )  # fmt: skip
    if form.startswith("bare"):
        bag = next(bag.glob(f"*.{'mcap' if storage == 'mcap' else 'db3'}"))
    with RobotMemory.open(tmp_path / "memory", text_encoder=None) as memory:
        done = ingest(memory, bag)
        assert done.complete
        assert done.refused == {}
        assert memory.info()["path_m"] == pytest.approx(5.0, abs=0.01)
        # the robot drives along x of odom, which is y of the map, from (10, 20)
        where = memory.pose_at(ns(4.0))
        assert where.position == pytest.approx((10.0, 22.0, 0.0), abs=0.005)
        assert where.yaw == pytest.approx(math.pi / 2, abs=0.01)
        (caption,) = memory.recall("mug", k=5).evidence
        assert caption.position == pytest.approx((10.0, 22.0, 0.0), abs=0.005)
        assert caption.localised


def test_a_recording_has_the_same_identity_wherever_it_lies(tmp_path):
    bag = write_bag(tmp_path / "bag", straight_drive(2))
    moved = tmp_path / "elsewhere" / "other-name"
    moved.mkdir(parents=True)
    for file in bag.iterdir():
        (moved / file.name).write_bytes(file.read_bytes())
    (moved / "captions.jsonl").write_text('{"stamp": 1, "text": "put here later"}\n')
    assert open_recording(moved).identity == open_recording(bag).identity


def test_odometry_alone_gives_a_path(tmp_path):
    sent = [(t / 10, "/odom", "odometry", odometry(t / 10, (t / 10, 0.0, 0.0))) for t in range(50)]
    recording = open_recording(write_bag(tmp_path / "bag", sent))
    assert (recording.fixed_frame, recording.base_frame) == ("odom", "base_link")
    assert recording.pose_at(ns(3.25)).position == pytest.approx((3.25, 0, 0))
    assert not recording.localised


def test_odometry_that_names_no_child_frame_gives_a_path_all_the_same(tmp_path):
    sent = [
        (t / 10, "/odom", "odometry", odometry(t / 10, (t / 10, 0.0, 0.0), child=""))
        for t in range(20)
    ]
    recording = open_recording(write_bag(tmp_path / "bag", sent))
    assert recording.pose_at(ns(1.25)).position == pytest.approx((1.25, 0, 0))


@pytest.mark.parametrize("encoding", ["rgb8", "bgr8", "rgba8", "mono8"])
def test_an_image_becomes_a_keyframe_of_the_same_colours(tmp_path, encoding):
    picture = noise(1)
    sent = {
        "rgb8": picture, "bgr8": picture[:, :, ::-1], "mono8": picture[:, :, 0],
        "rgba8": np.concatenate([picture, np.full((48, 64, 1), 255, np.uint8)], axis=2),
    }[encoding]  # fmt: skip
    bag = write_bag(tmp_path / "bag", [(1.0, "/image", "image", image(1.0, sent, encoding))])
    (found,) = read(bag)[0]["/image"]
    shown = cv2.cvtColor(
        cv2.imdecode(np.frombuffer(found.keyframe.jpeg, np.uint8), cv2.IMREAD_COLOR),
        cv2.COLOR_BGR2RGB,
    )
    wanted = np.repeat(picture[:, :, :1], 3, axis=2) if encoding == "mono8" else picture
    assert (found.keyframe.width, found.keyframe.height) == (64, 48)
    assert np.abs(shown[8::16, 8::16].astype(int) - wanted[8::16, 8::16]).max() < 16


def test_rows_of_an_image_may_be_padded(tmp_path):
    picture = noise(2)
    padded = np.concatenate([picture.reshape(48, -1), np.full((48, 5), 99, np.uint8)], axis=1)
    fields = {**image(1.0, picture, "rgb8", data=padded.tobytes()), "step": 64 * 3 + 5}
    bag = write_bag(tmp_path / "bag", [(1.0, "/image", "image", fields)])
    (found,) = read(bag)[0]["/image"]
    shown = cv2.imdecode(np.frombuffer(found.keyframe.jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert np.abs(shown[8::16, 8::16, ::-1].astype(int) - picture[8::16, 8::16]).max() < 16


def test_pictures_that_are_none_are_refused_and_the_others_kept(tmp_path):
    good = cv2.imencode(".jpg", noise(3))[1].tobytes()
    squeezed = {"header": header("camera", 1.0), "format": "jpeg"}
    bag = write_bag(tmp_path / "bag", [
        (1.0, "/raw", "image", image(1.0, noise(1), "rgb8", data=b"\0" * 100)),
        (2.0, "/raw", "image", image(2.0, noise(1), "yuv422_yuy2")),
        (3.0, "/raw", "image", {**image(3.0, noise(1), "rgb8"), "step": 3}),
        (4.0, "/raw", "image", {**image(4.0, noise(1), "rgb8"), "height": 0, "width": 0}),
        (5.0, "/raw", "image", image(5.0, noise(1), "rgb8")),
        (6.0, "/small", "compressed", {**squeezed, "data": list(good[: len(good) // 2])}),
        (7.0, "/small", "compressed", {**squeezed, "data": list(b"not a picture")}),
        (8.0, "/small", "compressed", {**squeezed, "data": []}),
        (9.0, "/small", "compressed", {**squeezed, "data": list(good)}),
    ])  # fmt: skip
    found, reading = read(bag)
    assert [len(found[topic]) for topic in ("/raw", "/small")] == [1, 1]
    assert codes(reading)["invalid_image"] == 7
    assert all("48 rows of at least 192" in item.message for item in reading.refused[:1])


def test_compressed_depth_is_named_and_left_out(tmp_path):
    fields = {"header": header("camera", 1.0), "format": "16UC1; compressedDepth", "data": [1, 2]}
    bag = write_bag(tmp_path / "bag", [
        (1.0, "/camera/depth/compressedDepth", "compressed", fields), text(2.0, "a quiet room"),
    ])  # fmt: skip
    found, _ = read(bag)
    (topic,) = [t for t in open_recording(bag).topics() if "depth" in t.name]
    assert topic.use == ""
    assert "compressed depth" in topic.reason
    assert list(found) == ["/captions"]


def test_keyframes_are_chosen_by_how_far_the_robot_moved(tmp_path):
    sent = straight_drive(10)  # 5 m
    sent += [(t / 10, "/image", "image", image(t / 10, noise(1), "rgb8")) for t in range(101)]
    found, _ = read(write_bag(tmp_path / "bag", sorted(sent, key=lambda item: item[0])))
    stamps = [item.stamp_ns for item in found["/image"]]
    assert stamps == [ns(t) for t in range(0, 11)]  # every half a metre, the first included
    assert [item.pose.y for item in found["/image"]] == pytest.approx(
        [20 + t / 2 for t in range(0, 11)], abs=0.01
    )


def test_a_detector_and_a_captioner_speak_about_keyframes(tmp_path):
    bag = write_bag(tmp_path / "bag", [(1.0, "/image", "image", image(1.0, noise(1), "rgb8"))])
    seen = []

    def detect(picture):
        seen.append(picture.shape)
        return [Sighting("mug", bearing=(0.1, 0.2))]

    found, _ = read(bag, detector=detect, captioner=lambda picture: "a table")
    (item,) = found["/image"]
    assert seen == [(48, 64, 3)]
    assert item.text == "a table"
    assert item.sightings == (Sighting("mug", bearing=(0.1, 0.2)),)


def test_words_are_told_from_machine_strings(tmp_path):
    sent = [
        text(1.0, "the door is open"), text(2.0, ""), text(3.0, "a blue chair"),
        (1.0, "/robot_description", "string", {"data": "<robot name='r'></robot>"}),
        (1.0, "/status", "string", {"data": '{"state": "idle"}'}),
        (1.0, "/numbers", "string", {"data": "1.0, 2.0, 3.0"}),
    ]  # fmt: skip
    bag = write_bag(tmp_path / "bag", sent)
    table = {topic.name: topic for topic in open_recording(bag).topics()}
    assert {name for name, topic in table.items() if topic.use} == {"/captions"}
    assert all("not words for people" in t.reason for n, t in table.items() if n != "/captions")
    named = open_recording(bag, ReadOptions(caption_topics=("/status",)))
    assert {topic.name for topic in named.topics() if topic.use} == {"/status"}


def test_a_blank_caption_is_refused_by_the_memory_and_the_others_kept(tmp_path):
    bag = write_bag(tmp_path / "bag", [text(1.0, "a chair"), text(2.0, "  "), text(3.0, "a lamp")])
    with RobotMemory.open(tmp_path / "memory", text_encoder=None) as memory:
        done = ingest(memory, bag)
        assert (done.added, done.refused["invalid_text"]) == (2, 1)
        assert memory.info()["refused"]["invalid_text"]["count"] == 1


def test_scans_become_the_nearest_hit_in_each_direction(tmp_path):
    ranges = np.full(360, 5.0, np.float32)  # one a degree, from -pi
    ranges[180] = 1.5  # straight ahead
    ranges[270] = 0.01  # below the least range: no hit
    ranges[90:95] = NAN
    ranges[0:5] = INF
    fields = {
        "header": header("laser", 1.0), "angle_min": -math.pi + 0.008, "angle_max": math.pi,
        "angle_increment": math.radians(1), "range_min": 0.1, "range_max": 10.0,
        "ranges": ranges,
    }  # fmt: skip
    bad = {**fields, "header": header("laser", 2.0), "angle_increment": NAN}
    lost = {**fields, "header": header("mystery", 9.0)}
    sent = straight_drive(10) + [
        (0.0, "/tf_static", "tf", {"transforms": [
            transform("base_link", "laser", 0.0, (0.2, 0.0, 0.0), about_z(0.5))]}),
        (1.0, "/scan", "scan", fields), (2.0, "/scan", "scan", bad), (9.0, "/scan", "scan", lost),
    ]  # fmt: skip
    found, reading = read(write_bag(tmp_path / "bag", sent))
    (scan,) = found["/scan"]
    nearest = scan.extra["scan_m"]
    assert nearest[36] == 1.5
    assert nearest[0] is None
    assert nearest[18] is None
    assert set(nearest) == {1.5, 5.0, None}
    assert scan.extra["scanner_yaw"] == pytest.approx(0.5, abs=1e-4)
    assert codes(reading) == {"input_rejected": 1, "unknown_frame": 1}


def test_body_state_is_kept_when_it_changes(tmp_path):
    def battery(at, charge, voltage=12.0):
        fields = {"header": header("", at), "percentage": charge, "voltage": voltage,
                  "temperature": NAN}  # fmt: skip
        return (at, "/battery", "battery", fields)

    def heat(at, degrees):
        return (at, "/heat", "temperature", {"header": header("", at), "temperature": degrees})

    sent = [battery(1, 0.9), battery(2, 0.899), battery(3, 0.8), battery(70, 0.8),
            battery(71, NAN, NAN), heat(4, 40.0), heat(5, NAN), heat(6, 60.0)]  # fmt: skip
    found, _ = read(write_bag(tmp_path / "bag", sent))
    charges = [item.extra["body"]["charge"] for item in found["/battery"]]
    assert charges == pytest.approx([0.9, 0.8, 0.8])  # a second, a change, a minute
    assert found["/battery"][0].extra["body"] == {"charge": 0.9, "voltage_v": 12.0}
    assert found["/battery"][0].text == "body state: charge 0.9, voltage 12"
    assert [item.extra["body"] for item in found["/heat"]] == [
        {"temperature_c": 40.0}, {"temperature_c": 60.0}]  # fmt: skip


def detections_3d(at, *boxes, frame="camera"):
    return (at, "/boxes", "boxes_3d", {"header": header(frame, at), "detections": list(boxes)})


CAMERA = (0.0, "/tf_static", "tf", {"transforms": [
    transform("base_link", "camera", 0.0, (0.1, 0.0, 1.0), OPTICAL)]})  # fmt: skip


def test_things_seen_in_3d_are_where_they_stand_in_the_map(tmp_path):
    sent = [CAMERA, *straight_drive(10), detections_3d(4.0, box_3d("mug", (-0.5, 0.2, 2.0)))]
    bag = write_bag(tmp_path / "bag", sent, storage="mcap")
    with RobotMemory.open(tmp_path / "memory", text_encoder=None) as memory:
        ingest(memory, bag)
        (found,) = memory.recall("mug", k=5).objects
        # 2 m ahead of the camera, 0.5 m to the left, 0.2 m below it; the robot is 2 m along y
        # of the map and looks along it: left is -x
        assert found.position == pytest.approx((10 - 0.5, 20 + 2.0 + 0.1 + 2.0, 0.8), abs=0.005)
        assert found.sighting.confidence == pytest.approx(0.9)


def test_one_bad_box_does_not_take_the_others_with_it(tmp_path):
    bad_turn = {"x": 0.0, "y": 0.0, "z": 0.0, "w": 0.0}
    nameless = {**box_3d("x", (1.0, 0.0, 0.0)), "results": []}
    sent = [*straight_drive(5), detections_3d(
        2.0,
        box_3d("mug", (1.0, 0.0, 0.0)),
        box_3d("ghost", (NAN, 0.0, 0.0)),
        box_3d("flat", (1.0, 0.0, 0.0), size=(INF, 0.0, 0.0)),
        box_3d("turned", (1.0, 0.0, 0.0), turn=bad_turn),
        nameless,
        box_3d("lamp", (2.0, 0.0, 0.0)),
        frame="base_link",
    )]  # fmt: skip
    found, reading = read(write_bag(tmp_path / "bag", sent))
    (item,) = found["/boxes"]
    assert [s.label for s in item.sightings] == ["mug", "lamp"]
    assert codes(reading) == {"invalid_pose": 2, "invalid_sighting": 1}


def test_a_detection_in_a_frame_nobody_knows_is_refused_by_name(tmp_path):
    sent = [*straight_drive(5), detections_3d(2.0, box_3d("mug", (1.0, 0.0, 0.0)), frame="wrist")]
    found, reading = read(write_bag(tmp_path / "bag", sent))
    assert "/boxes" not in found
    (refusal,) = reading.refused
    assert refusal.code == "unknown_frame"
    assert "wrist" in refusal.message


LENS = {"fx": 100.0, "fy": 100.0, "cx": 80.0, "cy": 60.0, "width": 160, "height": 120}


def detections_2d(at, *boxes):
    return (at, "/flat", "boxes_2d", {"header": header("camera", at), "detections": list(boxes)})


def test_boxes_in_pixels_are_bearings_in_the_robots_frame(tmp_path):
    sent = [CAMERA, *straight_drive(5), (0.5, "/info", "camera", camera_info(0.5, **LENS)),
            detections_2d(2.0, box_2d("door", 180.0, 60.0, 20.0, 40.0),
                          box_2d("lamp", 80.0, -40.0, 2.0, 2.0),
                          box_2d("ghost", NAN, 0.0, 1.0, 1.0),
                          box_2d("edge", 10.0, 10.0, INF, 1.0))]  # fmt: skip
    found, reading = read(write_bag(tmp_path / "bag", sent))
    door, lamp = found["/flat"][0].sightings
    assert door.bearing == pytest.approx((-math.pi / 4, 0.0))  # right of the middle: clockwise
    assert lamp.bearing == pytest.approx((0.0, math.pi / 4))
    assert door.size == pytest.approx((2 * math.atan(0.1), 2 * math.atan(0.2), 0.0))
    assert door.position is None
    assert codes(reading) == {"invalid_sighting": 2}


def test_without_a_camera_a_box_in_pixels_is_a_label_alone(tmp_path):
    sent = [CAMERA, *straight_drive(5), detections_2d(2.0, box_2d("door", 180.0, 60.0, 20.0, 40.0))]
    (item,) = read(write_bag(tmp_path / "bag", sent))[0]["/flat"]
    assert item.sightings[0].label == "door"
    assert item.sightings[0].bearing is None


@pytest.mark.parametrize("encoding", ["16UC1", "32FC1"])
def test_a_depth_image_of_the_same_moment_gives_a_box_its_position(tmp_path, encoding):
    metres = np.full((120, 160), 4.0)
    metres[50:70, 90:110] = 2.0
    metres[0, 0] = NAN if encoding == "32FC1" else 0
    values = (metres * 1000).astype("<u2") if encoding == "16UC1" else metres.astype("<f4")
    sent = [CAMERA, *straight_drive(5), (0.5, "/info", "camera", camera_info(0.5, **LENS)),
            (2.0, "/depth", "image", image(2.0, values, encoding)),
            detections_2d(2.01, {"results": [], "bbox": {}}, box_2d("cup", 100.0, 60.0, 20.0, 20.0)),
            detections_2d(4.0, box_2d("late", 100.0, 60.0, 20.0, 20.0))]  # fmt: skip
    found, reading = read(write_bag(tmp_path / "bag", sent))
    (cup,), (late,) = (item.sightings for item in found["/flat"])
    # 2 m ahead; (100 - 80) / 100 x 2 m = 0.4 m to the right; the camera is 0.1 m ahead, 1 m up
    assert cup.position == pytest.approx((2.1, -0.4, 1.0), abs=0.02)
    assert late.position is None  # its depth is two seconds old
    assert codes(reading) == {}


def test_a_silent_topic_is_named(tmp_path):
    bag = write_bag(tmp_path / "bag", straight_drive(1), silent=[("/image", "image"),
                                                                 ("/captions", "string")])  # fmt: skip
    reading = read(bag)[1]
    assert {"/image is silent", "/captions is silent"} <= set(reading.notes)
    table = {topic.name: topic for topic in open_recording(bag).topics()}
    assert table["/image"].use == ""
    assert table["/image"].reason.startswith("silent")


def test_a_quaternion_not_of_length_1_is_refused_and_its_neighbours_kept(tmp_path):
    stretched = {"x": 0.0, "y": 0.0, "z": 0.0, "w": 0.83}
    sent = [
        (0.0, "/tf", "tf", {"transforms": [
            transform("base_link", "hand", 0.0, turn=stretched),
            transform("odom", "base_link", 0.0, (1.0, 0.0, 0.0)),
        ]}),
        (1.0, "/tf", "tf", {"transforms": [
            transform("odom", "base_link", 1.0, (NAN, 0.0, 0.0)),
        ]}),
        (2.0, "/tf", "tf", {"transforms": [transform("odom", "base_link", 2.0, (3.0, 0.0, 0.0))]}),
        (0.0, "/odom", "odometry", odometry(0.0, turn=stretched)),
        (1.0, "/odom", "odometry", odometry(1.0, (INF, 0.0, 0.0))),
        (2.0, "/odom", "odometry", odometry(2.0, (3.0, 0.0, 0.0))),
    ]  # fmt: skip
    bag = write_bag(tmp_path / "bag", sent)
    with RobotMemory.open(tmp_path / "memory", text_encoder=None) as memory:
        done = ingest(memory, bag)
        assert done.refused == {"invalid_pose": 4}
        assert any("length 0.83" in item.message for item in done.refusals)
        assert memory.pose_at(ns(1.0)).x == pytest.approx(2.0)
        assert memory.info()["refused"]["invalid_pose"]["count"] == 4
        ingest(memory, bag)  # again: what was counted is not counted twice
        assert memory.info()["refused"]["invalid_pose"]["count"] == 4


def test_what_was_seen_without_a_pose_is_kept_and_counted_once(tmp_path):
    sent = [*straight_drive(2), (60.0, "/image", "image", image(60.0, noise(1), "rgb8"))]
    found, reading = read(write_bag(tmp_path / "bag", sent))
    assert found["/image"][0].pose is None
    assert codes(reading) == {"unknown_frame": 1}


def test_a_message_that_cannot_be_decoded_is_refused_and_the_others_kept(tmp_path):
    sent = [(1.0, "/odom", "odometry", b"\0\1\0\0short"), *straight_drive(2),
            text(1.0, "a chair"), (1.5, "/captions", "string", b"\0\1\0\0\xff\xff\xff\x7fabc"),
            (1.6, "/captions", "string", b"")]  # fmt: skip
    found, reading = read(write_bag(tmp_path / "bag", sent))
    assert codes(reading)["recording_unreadable"] >= 3
    assert [item.text for item in found["/captions"]] == ["a chair"]
    assert found["odometry"][-1].pose.y == pytest.approx(21.0)


def test_a_negative_stamp_is_refused(tmp_path):
    fields = {**image(1.0, noise(1), "rgb8")}
    fields["header"] = {"frame_id": "camera", "stamp": {"sec": -5, "nanosec": 0}}
    found, reading = read(write_bag(tmp_path / "bag", [(1.0, "/image", "image", fields)]))
    assert "/image" not in found
    assert codes(reading) == {"invalid_stamp": 1}


def test_a_stamp_of_zero_gives_way_to_the_time_of_the_log(tmp_path):
    fields = {**image(1.0, noise(1), "rgb8"), "header": {"frame_id": "camera"}}
    found, _ = read(write_bag(tmp_path / "bag", [(7.0, "/image", "image", fields)]))
    assert found["/image"][0].stamp_ns == ns(7.0)


def test_a_clock_set_back_opens_a_new_session_with_a_path_of_its_own(tmp_path):
    sent = []
    for run, (logged, x) in enumerate(((0.0, 0.0), (100.0, 500.0))):
        for step in range(51):
            at = step / 10
            place = (x + at, 0.0, 0.0)
            moved = {"transforms": [transform("odom", "base_link", at, place)]}
            sent.append((logged + at, "/tf", "tf", moved))
            sent.append((logged + at, "/odom", "odometry", odometry(at, place)))
        sent.append((logged + 3, "/image", "image", image(3.0, noise(run), "rgb8")))
    with RobotMemory.open(tmp_path / "memory", text_encoder=None) as memory:
        done = ingest(memory, write_bag(tmp_path / "clock", sent))
        assert "the clock jumped back 1 times: a new session each time" in done.notes
        assert memory.info()["path_m"] == pytest.approx(10.0, abs=0.05)  # 5 m twice, no leap
        stored = [f.observation for f in memory.store.fetch(list(memory.store.rowids()))]
    assert {item.session for item in stored} == {"clock", "clock#2"}
    pictures = {item.session: item for item in stored if item.source == "/image"}
    assert pictures["clock"].pose.x == pytest.approx(3.0, abs=0.01)
    assert pictures["clock#2"].pose.x == pytest.approx(503.0, abs=0.01)


def test_words_and_things_made_elsewhere_join_a_bag_by_time(tmp_path):
    bag = write_bag(tmp_path / "bag", straight_drive(10))
    sidecar = tmp_path / "said.jsonl"
    lines = [
        {"stamp_ns": ns(4.0), "text": "a mug on a shelf",
         "sightings": [{"label": "mug", "position": [1.0, 0.0, 0.5]}, "shelf"]},
        {"stamp": START_NS / 1e9 + 6, "text": "a door"},
        {"text": "no time"}, {"stamp_ns": -4, "text": "before time"},
        {"stamp_ns": ns(5.0), "text": 7}, {"stamp_ns": ns(5.0), "sightings": 3},
        {"stamp_ns": ns(5.0), "sightings": [{"position": [1, 2, 3]}]},
        {"stamp_ns": ns(5.0), "sightings": [{"label": "x", "position": [1, 2, 10**400]}]},
        {"stamp": NAN, "text": "never"},
    ]  # fmt: skip
    written = "\n".join(json.dumps(line) for line in lines).encode()
    sidecar.write_bytes(written + b'\n\xff\xfe broken\n{"half": \n\n')
    with RobotMemory.open(tmp_path / "memory", text_encoder=None) as memory:
        done = ingest(memory, bag, options=ReadOptions(sidecar=sidecar))
        found = memory.recall("mug", k=5).objects[0]
        assert found.position == pytest.approx((10.0, 20 + 2.0 + 1.0, 0.5), abs=0.005)
        (door,) = memory.recall("door", k=1).evidence
        assert door.position == pytest.approx((10.0, 23.0, 0.0), abs=0.005)
    assert done.refused == {
        "invalid_stamp": 3, "invalid_text": 2, "invalid_sighting": 3, "input_rejected": 1
    }  # fmt: skip
    assert not any("--sidecar" in note for note in done.notes)


class Stopped(Exception):
    """What a person does to a long reading."""


def test_a_reading_that_was_interrupted_goes_on_where_it_was(tmp_path):
    sent = straight_drive(10)
    sent += [text(10 * n / 500, f"thing number {n} on the way") for n in range(500)]
    bag = write_bag(tmp_path / "bag", sorted(sent, key=lambda item: item[0]))
    with RobotMemory.open(tmp_path / "whole", text_encoder=None) as memory:
        whole = ingest(memory, bag)
        ids = {f.observation.id for f in memory.store.fetch(list(memory.store.rowids()))}
    with RobotMemory.open(tmp_path / "memory", text_encoder=None) as memory:

        def stop(done, total):
            raise Stopped

        with pytest.raises(Stopped):
            ingest(memory, bag, progress=stop)
        before = memory.info()["observations"]
        assert 0 < before < whole.added
        again = ingest(memory, bag)
        assert (again.known, again.added) == (before, whole.added - before)
        assert {f.observation.id for f in memory.store.fetch(list(memory.store.rowids()))} == ids


def test_progress_rises_to_the_total(tmp_path):
    calls = []
    with RobotMemory.open(tmp_path / "memory", text_encoder=None) as memory:
        ingest(memory, write_bag(tmp_path / "bag", [*straight_drive(3), text(1.0, "a chair")]),
               progress=lambda done, total: calls.append((done, total)))  # fmt: skip
    assert [done for done, _ in calls] == sorted(done for done, _ in calls)
    assert {total for _, total in calls} == {31 + 31 + 1}
    assert calls[-1] == (63, 63)


@pytest.mark.parametrize("make", [
    lambda p: p / "nothing.mcap", lambda p: _file(p / "empty.mcap", b""),
    lambda p: _file(p / "noise.db3", b"noise" * 1000), lambda p: _file(p / "a.txt", b"words"),
    lambda p: _folder(p / "bag", "metadata.yaml", b"rosbag2_bagfile_information: 7"),
    lambda p: _folder(p / "bag", "metadata.yaml", b"\xff\xfe: ["),
    lambda p: _folder(p / "bag", "notes.txt", b"no bag"),
])  # fmt: skip
def test_what_is_no_bag_is_refused_with_what_was_expected(tmp_path, make):
    with pytest.raises(RecordingUnreadable) as caught:
        open_recording(make(tmp_path))
    assert str(tmp_path) in str(caught.value)


def _file(path, data):
    path.write_bytes(data)
    return path


def _folder(path, name, data):
    path.mkdir()
    (path / name).write_bytes(data)
    return path
