"""Memories written by every released format open and hold what was put in."""

import dataclasses
import shutil
from pathlib import Path

import pytest

from golden.make import JPEG, STATES, observations
from memory_core import Box, Filters, Query, RobotMemory
from memory_core.perception.text import HashingEncoder

FOLDERS = sorted(Path(__file__).parent.glob("format-*"))


@pytest.fixture(params=FOLDERS, ids=lambda path: path.name)
def golden(request, tmp_path):
    """A copy of a golden folder, and its version."""
    copy = tmp_path / "memory"
    shutil.copytree(request.param, copy)
    return copy, int(request.param.name.split("-")[1])


@pytest.mark.parametrize("read_only", [True, False])
def test_a_memory_of_an_older_format_opens_with_all_it_held(golden, read_only):
    copy, version = golden
    with RobotMemory.open(copy, text_encoder=HashingEncoder(), read_only=read_only) as memory:
        assert memory.verify().to_json() | {"page_checksums": True} == {
            "clean": True,
            "acknowledged": 4,
            "stored": 3,
            "removed": 1,
            "page_checksums": True,
            "problems": [],
        }
        for wanted in list(observations(version))[:3]:
            found = memory.observation(wanted.id).observation
            assert found == dataclasses.replace(wanted, keyframe=None)
        assert memory.keyframe("mug-seen").jpeg == JPEG
        moved = memory.recall(
            Query(text="mug", filters=Filters(region=Box((20, 1, 0), (22, 3, 1)))), mode="flat"
        )
        assert [item.observation.id for item in moved.evidence] == ["mug-seen"]
        assert moved.evidence[0].epoch == 1
        assert memory.removals()[0].reason == "golden"


@pytest.mark.parametrize("read_only", [True, False])
def test_a_memory_of_an_older_format_is_organised(golden, read_only):
    copy, version = golden
    with RobotMemory.open(copy, text_encoder=HashingEncoder(), read_only=read_only) as memory:
        (mug,) = memory.entities()
        assert mug.label == "red mug"
        assert mug.history[0].position == pytest.approx((21.5, 2.0, 0.8))
        assert mug.state == STATES[version]
        assert len(memory.places()) == 1
        assert memory.events()
    with RobotMemory.open(copy, text_encoder=HashingEncoder()) as memory:
        assert memory.entities() == [mug]


def test_what_was_organised_in_this_format_is_read_and_not_made_again(tmp_path):
    newest = FOLDERS[-1]
    shutil.copytree(newest, tmp_path / "memory")
    with RobotMemory.open(
        tmp_path / "memory", text_encoder=HashingEncoder(), read_only=True
    ) as memory:
        assert memory._structure.organiser.pending <= 1
        assert [entity.label for entity in memory.entities()] == ["red mug"]


def test_there_is_a_golden_folder_for_the_current_format():
    from memory_core.episodic.migrations import MIGRATIONS

    assert f"format-{len(MIGRATIONS)}" in {folder.name for folder in FOLDERS}
