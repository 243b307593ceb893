"""The command line, run in this process or in one of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from memory_core.interfaces import cli

COMMAND = [sys.executable, "-m", "memory_core.interfaces.cli"]
START_NS = 1_772_528_400_000_000_000  # 3 March 2026, 09:00 UTC
MUG, LAMP, CHAIR = (1.0, 0.5, 0.8), (1.0, -1.0, 1.2), (2.0, 0.0, 0.4)


@dataclass(frozen=True)
class Done:
    """What a command left: exit status, standard output and standard error."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one JSON object on standard output."""
        lines = self.out.splitlines()
        assert len(lines) == 1, self.out
        value = json.loads(lines[0])
        assert isinstance(value, dict)
        return value


def lines(count: int = 12) -> list[dict[str, Any]]:
    """Observations of a robot that drives along x: a note and a view in turns."""
    made = []
    for number in range(count):
        item: dict[str, Any] = {
            "id": f"o{number}", "stamp_ns": START_NS + number * 60 * 10**9,
            "robot": ("ann", "bob")[number % 2], "session": f"run-{number // 6}",
            "pose": [number * 0.5, 0.0, 0.0],
        }  # fmt: skip
        if number % 2:
            item |= {"source": "note", "text": f"note {number}: Grüße 你好 🤖, the kettle sings"}
        else:
            item |= {"source": "camera", "sightings": [
                {"label": label, "position": [x - number * 0.5, y, z]}
                for label, (x, y, z) in (("mug", MUG), ("floor lamp", LAMP), ("chair", CHAIR))
            ]}  # fmt: skip
        made.append(item)
    return made


def write_lines(path: Path, items: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(item) + "\n" for item in items), encoding="utf-8")
    return path


Run = Callable[..., Done]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command line in this process; words are compared by spelling."""

    def running(*arguments: object) -> Done:
        capsys.readouterr()
        status = cli.main([str(item) for item in arguments])
        out, err = capsys.readouterr()
        return Done(status, out, err)

    return running


def run_apart(*arguments: object, **options: Any) -> subprocess.CompletedProcess[str]:
    """Runs a command line in a process of its own."""
    return subprocess.run(
        [*COMMAND, *map(str, arguments)], capture_output=True, text=True, timeout=60,
        env=os.environ | {"HF_HUB_OFFLINE": "1"}, check=False, **options,
    )  # fmt: skip


@pytest.fixture
def memory(tmp_path: Path, run: Run) -> Path:
    """A small memory made by `ingest`."""
    recording = write_lines(tmp_path / "kitchen.jsonl", lines())
    folder = tmp_path / "memory"
    done = run("ingest", recording, "--memory", folder, "--encoder", "hashing", "--json")
    assert done.status == 0
    assert done.json["added"] == 12
    return folder
