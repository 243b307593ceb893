"""What all tests share."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("project", deadline=None)  # machines of all speeds
settings.load_profile("project")

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def real_data() -> Callable[[str], Path]:
    """Finds a folder of real data by name; skips, naming it, where it is missing."""
    base = Path(os.environ.get("ROBOT_MEMORY_DATA", ROOT.parent / "shared" / "data"))

    def find(name: str) -> Path:
        if not (base / name).is_dir():
            pytest.skip(f"no folder {base / name} (set ROBOT_MEMORY_DATA)")
        return base / name

    return find
