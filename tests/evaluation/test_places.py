"""Place recognition on the real kitchen, as `robot-memory eval places` measures it."""

from __future__ import annotations

import shutil

import pytest

from memory_core.errors import EmptyMemory
from memory_core.evaluation.places import evaluate_places

pytest.importorskip("sklearn")


@pytest.fixture(scope="module")
def kitchen(real_data):
    return real_data("rgbd_kitchen")


def test_the_kitchen_is_recognised_from_pixels_alone(kitchen):
    report, rows = evaluate_places(kitchen, every=15)
    assert report["n"] == len(rows) == 20
    assert report["config"] == {"frames": 300, "every": 15, "folder": "rgbd_kitchen"}
    assert report["recall@1_gap30"] >= 0.85
    assert report["recall@1"] >= 0.95
    assert report["shortlist@20_gap30"] >= 0.85
    assert report["shortlist@20_gap30"] >= report["stored@1_gap30"] >= 0.5
    for metric in ("recall@1", "recall@1_gap30", "stored@1_gap30", "shortlist@20_gap30"):
        assert report[metric] == pytest.approx(sum(row[metric] for row in rows) / 20, abs=1e-4)
    for row in rows:  # the limits, stated here once more
        near = row["error_m"] <= 0.5 and row["error_deg"] <= 30
        assert row["recall@1_gap30"] == int(near)


def part(kitchen, folder, *, numbers, poses=True):
    folder.mkdir()
    shutil.copy(kitchen / "camera-intrinsics.txt", folder)
    for number in numbers:
        for kind in ("color.jpg", "depth.png", "pose.txt"):
            if poses or kind != "pose.txt":
                shutil.copy(kitchen / f"frame-{number:06d}.{kind}", folder)
    return folder


def test_two_runs_give_the_same(kitchen, tmp_path):
    folder = part(kitchen, tmp_path / "part", numbers=range(0, 600, 40))
    (first, rows), (second, again) = (evaluate_places(folder, every=5) for _ in range(2))
    assert rows == again
    changing = {"date", "seconds"}
    assert {k: v for k, v in first.items() if k not in changing} == {
        k: v for k, v in second.items() if k not in changing
    }


def test_frames_without_poses_cannot_be_scored(kitchen, tmp_path):
    folder = part(kitchen, tmp_path / "part", numbers=[0], poses=False)
    with pytest.raises(EmptyMemory, match="no frame"):
        evaluate_places(folder)
