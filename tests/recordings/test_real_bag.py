"""A real robot's bag against its own transforms, read here with rosbags and numpy alone."""

from __future__ import annotations

import math
import random
import sqlite3

import numpy as np
import pytest
from rosbags.typesys import Stores, get_typestore

from memory_core.errors import UnknownFrame
from memory_core.ingestion import ingest
from memory_core.memory import RobotMemory
from memory_core.recordings import open_recording

NEAR_M = 0.01
NEAR_DEG = 0.6  # the path is thinned to half a degree


class Truth:
    """odom → base_link of the bag, interpolated in a straight line between its transforms."""

    def __init__(self, folder):
        store = get_typestore(Stores.ROS2_HUMBLE)
        database = sqlite3.connect(f"file:{next(folder.glob('*.db3'))}?immutable=1", uri=True)
        rows = database.execute(
            "SELECT data FROM messages JOIN topics ON topics.id = topic_id WHERE name = '/tf'"
        ).fetchall()
        database.close()
        found = {}
        for (data,) in rows:
            for entry in store.deserialize_cdr(data, "tf2_msgs/msg/TFMessage").transforms:
                if (entry.header.frame_id, entry.child_frame_id) == ("odom", "base_link"):
                    at = entry.header.stamp.sec * 10**9 + entry.header.stamp.nanosec
                    t, q = entry.transform.translation, entry.transform.rotation
                    yaw = math.atan2(2 * (q.w * q.z + q.x * q.y), 1 - 2 * (q.y**2 + q.z**2))
                    found[at] = (t.x, t.y, t.z, yaw)
        self.stamps = np.array(sorted(found))
        table = np.array([found[at] for at in self.stamps.tolist()])
        self.positions, self.yaws = table[:, :3], np.unwrap(table[:, 3])

    def at(self, stamp):
        since = (self.stamps - self.stamps[0]).astype(float)
        when = float(stamp - self.stamps[0])
        place = [float(np.interp(when, since, column)) for column in self.positions.T]
        return np.array(place), float(np.interp(when, since, self.yaws))

    @property
    def length_m(self):
        return float(np.linalg.norm(np.diff(self.positions, axis=0), axis=1).sum())

    def moments(self, count):
        chance = random.Random(7)
        return [chance.randint(int(self.stamps[0]), int(self.stamps[-1])) for _ in range(count)]


@pytest.fixture(scope="module")
def folder(real_data):
    return real_data("rosbag2_indoor")


@pytest.fixture(scope="module")
def truth(folder):
    return Truth(folder)


@pytest.fixture(scope="module")
def ingested(folder, tmp_path_factory):
    with RobotMemory.open(tmp_path_factory.mktemp("indoor"), text_encoder=None) as memory:
        yield memory, ingest(memory, folder)


def assert_near(pose, expected):
    place, yaw = expected
    assert np.linalg.norm(np.subtract(pose.position, place)) <= NEAR_M
    assert abs(math.remainder(pose.yaw - yaw, 2 * math.pi)) <= math.radians(NEAR_DEG)


def test_the_bag_tells_where_the_robot_was_at_any_time(folder, truth):
    recording = open_recording(folder)
    assert (recording.fixed_frame, recording.base_frame) == ("odom", "base_link")
    for moment in truth.moments(500):
        assert_near(recording.pose_at(moment), truth.at(moment))


def test_a_memory_tells_where_the_robot_was_at_any_time(ingested, truth):
    memory, _ = ingested
    for moment in truth.moments(300):
        assert_near(memory.pose_at(moment), truth.at(moment))


def test_outside_the_recording_nobody_knows_where_the_robot_was(folder, ingested, truth):
    memory, _ = ingested
    hour = 3_600 * 10**9
    for moment in (int(truth.stamps[0]) - hour, int(truth.stamps[-1]) + hour):
        assert memory.pose_at(moment) is None
        with pytest.raises(UnknownFrame):
            open_recording(folder).pose_at(moment)


def test_the_length_of_the_path_is_that_of_the_transforms(ingested, truth):
    memory, _ = ingested
    assert memory.info()["path_m"] == pytest.approx(truth.length_m, rel=0.01)


def test_scans_are_remembered_where_the_robot_stood(ingested, truth):
    memory, _ = ingested
    scans = [
        found.observation
        for rowid in memory.store.rowids()
        for found in memory.store.fetch([rowid])
        if found.observation.source == "/scan"
    ]
    assert len(scans) > 10
    for scan in scans:
        assert_near(scan.pose, truth.at(scan.stamp_ns))
        hits = [metres for metres in scan.extra["scan_m"] if metres is not None]
        assert len(scan.extra["scan_m"]) == 72
        assert hits
        assert all(0.1 < metres < 13 for metres in hits)


def test_reading_the_bag_again_adds_nothing(ingested, folder):
    memory, first = ingested
    second = ingest(memory, folder)
    assert (second.added, second.known) == (0, first.added)
    assert (first.complete, first.refused) == (True, {})
    assert memory.info()["observations"] == first.added


def test_the_table_says_what_is_ignored_and_why(ingested):
    topics = {topic.name: topic for topic in ingested[1].topics}
    used = {name: topic.use for name, topic in topics.items() if topic.use}
    assert used == {
        "/odom": "path", "/tf": "frames", "/tf_static": "frames", "/scan": "obstacles"
    }  # fmt: skip
    assert topics["/cmd_vel"].reason == "no reader for this type"
    assert topics["/robot_description"].reason.startswith("not words for people")
    assert {name: topic.count for name, topic in topics.items()} == {
        "/odom": 920, "/tf": 953, "/scan": 357, "/cmd_vel": 192, "/tf_static": 2,
        "/robot_description": 1,
    }  # fmt: skip


def test_without_a_map_the_path_hangs_on_an_anchor_that_can_be_moved(ingested):
    memory, _ = ingested
    found = memory.store.fetch(list(memory.store.rowids()))[0].observation
    assert found.anchor_id.startswith("odom@")
    assert found.localised is False
    assert ("map", found.anchor_id) in {
        (map_id, anchor) for map_id, anchor, _ in memory.store.anchor_poses().values()
    }


def test_a_person_is_told_what_the_recording_lacks(ingested):
    notes = " ".join(ingested[1].notes)
    assert "no images" in notes
    assert "--sidecar" in notes
