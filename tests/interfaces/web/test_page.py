"""docs/http.md: what it prints is run as it is printed, on a free port."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from ..serving import make_memory
from .test_serving import call, serving

PAGE = Path(__file__).parents[3] / "docs" / "http.md"
TEXT = PAGE.read_text(encoding="utf-8")
LINES = [
    line
    for block in re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL)
    for line in block.splitlines()
    if line
]
PORT = "127.0.0.1:8766/"


def options_of(line: str) -> list[str]:
    program, command, memory, _, *options = shlex.split(line)
    assert (program, command, memory) == ("robot-memory", "serve", "--memory")
    return options


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_every_line_for_curl_is_answered(folder):
    asked = [shlex.split(line) for line in LINES if line.startswith("curl ")]
    assert len(asked) >= 5
    with serving(folder, *options_of(LINES[0])) as (_, told):
        for line in asked:
            here = [part.replace(f"http://{PORT}", told["url"]) for part in line]
            done = subprocess.run(here, capture_output=True, text=True, timeout=20, check=False)
            if "/api/live" in " ".join(here):
                assert done.returncode == 28, "the stream goes on until --max-time"
                assert done.stdout.startswith("retry: ")
                continue
            assert done.returncode == 0, done.stderr
            answer = json.loads(done.stdout)
            if "nobody" in " ".join(here):
                assert answer == json.loads(re.search(r"```json\n(.*?)```", TEXT, re.DOTALL)[1])
            else:
                assert "code" not in answer


def test_every_line_that_serves_serves(tmp_path):
    served = [line for line in LINES if line.startswith("robot-memory ")]
    assert len(served) >= 2
    folder = make_memory(tmp_path / "memory")
    for line in served:
        with serving(folder, *options_of(line)) as (_, told):
            shown = {"Authorization": f"Bearer {told['token']}"} if told["token"] else {}
            assert call(told["url"], "/api/stats", **shown)[0] == 200


def test_every_line_of_the_page_is_run_by_a_test():
    assert all(line.startswith(("curl ", "robot-memory serve ")) for line in LINES)


def test_every_route_of_the_page_is_there(reading):
    known = set(reading.get("/openapi.json").json()["paths"])
    named = set(re.findall(r"`(?:GET|POST) (/[a-z_/.]+)", TEXT))
    changing = {"/api/observe"}
    beyond = {"/api/view/", "/openapi.json"}
    assert named - changing - beyond <= known
