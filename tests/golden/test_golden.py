"""Memories written by every released format open and hold what was put in."""

import dataclasses
import shutil
from pathlib import Path

import pytest

from golden.make import JPEG, observations
from memory_core import Box, Filters, Query, RobotMemory
from memory_core.perception.text import HashingEncoder

FOLDERS = sorted(Path(__file__).parent.glob("format-*"))


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.name)
@pytest.mark.parametrize("read_only", [True, False])
def test_a_memory_of_an_older_format_opens_with_all_it_held(folder, read_only, tmp_path):
    copy = tmp_path / "memory"
    shutil.copytree(folder, copy)
    with RobotMemory.open(copy, text_encoder=HashingEncoder(), read_only=read_only) as memory:
        assert memory.verify().to_json() | {"page_checksums": True} == {
            "clean": True,
            "acknowledged": 4,
            "stored": 3,
            "removed": 1,
            "page_checksums": True,
            "problems": [],
        }
        for wanted in list(observations())[:3]:
            found = memory.observation(wanted.id).observation
            assert found == dataclasses.replace(wanted, keyframe=None)
        assert memory.keyframe("mug-seen").jpeg == JPEG
        moved = memory.recall(
            Query(text="mug", filters=Filters(region=Box((20, 1, 0), (22, 3, 1)))), mode="flat"
        )
        assert [item.observation.id for item in moved.evidence] == ["mug-seen"]
        assert moved.evidence[0].epoch == 1
        assert memory.removals()[0].reason == "golden"


def test_there_is_a_golden_folder_for_the_current_format():
    from memory_core.episodic.migrations import MIGRATIONS

    assert f"format-{len(MIGRATIONS)}" in {folder.name for folder in FOLDERS}
