"""README, "Ask from anywhere": its lines are run as they are printed, on a free port."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import anyio
import pytest
from mcp import Client, StdioServerParameters

from .serving import folder
from .web.test_serving import serving

__all__ = ["folder"]

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
SECTION = README.split("## Ask from anywhere")[1].split("\n## ")[0]
SERVE, ASK, MCP = re.search(r"```sh\n(.*?)```", SECTION, re.DOTALL)[1].splitlines()
SHOWN = "http://127.0.0.1:8766/"


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_the_lines_that_serve_and_ask_answer(folder):
    program, command, memory, _, *options = shlex.split(SERVE)
    assert (program, command, memory, options) == ("robot-memory", "serve", "--memory", [])
    with serving(folder) as (_, told):
        asked = [
            part.replace(SHOWN, told["url"]).replace("green bottle", "mug")
            for part in shlex.split(ASK)
        ]
        assert asked != shlex.split(ASK)
        done = subprocess.run(asked, capture_output=True, text=True, timeout=30, check=True)
        assert not json.loads(done.stdout)["abstained"]


def test_the_line_for_mcp_serves_tools(folder):
    program, command, memory, _, *options = shlex.split(MCP)
    assert (program, command, memory, options) == ("robot-memory", "mcp", "--memory", [])
    server = StdioServerParameters(
        command=sys.executable,
        args=["-m", "memory_core.interfaces.cli", "mcp", "--memory", str(folder), "--encoder", "hashing"],
    )  # fmt: skip

    async def ask() -> str:
        async with Client(server) as client:
            found = await client.call_tool("ask", {"question": "where is the mug?"})
            return str(found.structured_content["answer"])

    assert "mug" in anyio.run(ask)


def test_the_picture_of_the_viewer_is_there():
    picture = re.search(r"!\[.+\]\((docs/images/.+)\)", SECTION)[1]
    assert (Path(__file__).parents[2] / picture).stat().st_size > 10_000
