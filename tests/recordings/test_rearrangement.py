"""Flats before and after: Unity's frame becomes REP-103, names stay with the scorer."""

from __future__ import annotations

import gzip
import json
import math

import numpy as np
import pytest

from memory_core.errors import RecordingUnreadable
from memory_core.recordings.rearrangement import read_episodes


def entry(**changes):
    here = {
        "name": "Mug_1", "objectName": "Mug_1",
        "position": {"x": 1.0, "y": 2.0, "z": 3.0}, "rotation": {"x": 0, "y": 90, "z": 0},
    }  # fmt: skip
    value = {
        "scene": "FloorPlan1",
        "agent_position": {"x": 0.5, "y": 0.9, "z": -1.0},
        "agent_rotation": 90,
        "starting_poses": [here],
        "target_poses": [here | {"position": {"x": 0.0, "y": 2.0, "z": 3.0}}],
        "openable_data": [{
            "name": "Safe_2", "objectName": "Safe_2", "objectId": "Safe|-01.50|+00.84|+00.20",
            "start_openness": 0.25, "target_openness": 0.75,
        }],
    }  # fmt: skip
    return value | changes


def write(path, value):
    with gzip.open(path, "wt", encoding="utf-8") as file:
        json.dump(value, file)
    return path


def test_forward_right_and_up_of_unity_become_x_minus_y_and_z(tmp_path):
    (episode,) = read_episodes(write(tmp_path / "episodes.json.gz", [entry()]))
    mug = episode.before["Mug_1"]
    assert mug.kind == "Mug"
    assert mug.pose.position == pytest.approx((3.0, -1.0, 2.0))
    assert mug.pose.yaw == pytest.approx(-math.pi / 2)  # clockwise from above in Unity
    assert episode.after["Mug_1"].pose.position == pytest.approx((3.0, 0.0, 2.0))
    assert episode.robot.position == pytest.approx((-1.0, -0.5, 0.9))
    assert episode.robot.yaw == pytest.approx(-math.pi / 2)


def test_a_turned_thing_points_where_unity_says(tmp_path):
    turned = entry()["starting_poses"][0] | {"rotation": {"x": 30.0, "y": 40.0, "z": 0.0}}
    value = entry(starting_poses=[turned], target_poses=[turned], openable_data=[])
    (episode,) = read_episodes(write(tmp_path / "episodes.json.gz", [value]))
    # Unity: forward after pitching 30 degrees down and turning 40 degrees to the right
    right, up, forward = (
        math.cos(math.radians(30)) * math.sin(math.radians(40)),
        -math.sin(math.radians(30)),
        math.cos(math.radians(30)) * math.cos(math.radians(40)),
    )
    pointed = episode.before["Mug_1"].pose.matrix()[:3, :3] @ np.array([1.0, 0.0, 0.0])
    assert pointed == pytest.approx([forward, -right, up])


def test_openables_stand_where_their_id_says(tmp_path):
    (episode,) = read_episodes(write(tmp_path / "episodes.json.gz", [entry()]))
    before, after = episode.before["Safe_2"], episode.after["Safe_2"]
    assert (before.openness, after.openness) == (0.25, 0.75)
    assert before.pose.position == after.pose.position == pytest.approx((0.2, 1.5, 0.84))
    assert episode.before["Mug_1"].openness is None


@pytest.mark.parametrize(
    "value",
    [
        {},
        [],
        ["x"],
        [entry(starting_poses=None)],
        [entry(target_poses=[])],
        [entry(agent_position={"x": float("nan"), "y": 0, "z": 0})],
        [entry(openable_data=[{"name": "Safe_2", "objectName": "Safe_2", "objectId": "Safe"}])],
    ],
)
def test_what_is_no_list_of_episodes_is_refused(tmp_path, value):
    with pytest.raises(RecordingUnreadable):
        read_episodes(write(tmp_path / "episodes.json.gz", value))


def test_real_episodes_are_read_whole(real_data):
    path = real_data("rearrangement") / "episodes.json.gz"
    episodes = read_episodes(path)
    with gzip.open(path) as file:
        raw = json.load(file)
    assert len(episodes) == len(raw) == 100
    for episode, value in zip(episodes, raw, strict=True):
        assert len(episode.before) == len(value["starting_poses"]) + len(value["openable_data"])
        assert set(episode.before) == set(episode.after)
