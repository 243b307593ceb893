"""Pages show commands that run: every `robot-memory` line and Python block is executed."""

import contextlib
import os
import re
import shlex
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from bags import kitchen_bag

from memory_core.errors import NotInstalled
from memory_core.interfaces.cli import build_parser, main
from memory_core.perception.text import SentenceEncoder

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
SIDECAR = (
    '{"stamp": 1772528405.0, "text": "a tidy kitchen", "sightings": '
    '[{"label": "toaster", "position": [1.2, 0.3, 0.9]}]}\n'
)


def commands(page):
    blocks = re.findall(r"```console\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    return [line[2:] for block in blocks for line in block.splitlines() if line.startswith("$ ")]


@pytest.fixture(scope="module")
def encoder():
    """The text encoder of all commands here, loaded once; without its package, none."""
    try:
        return SentenceEncoder()
    except NotInstalled:
        return None


@pytest.fixture
def folder(tmp_path, monkeypatch, encoder):
    if encoder is not None:
        monkeypatch.setattr("memory_core.memory.SentenceEncoder", lambda: encoder)
    kitchen_bag(tmp_path / "my_robot_bag")
    (tmp_path / "captions.jsonl").write_text(SIDECAR, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("page", [p for p in PAGES if commands(p)], ids=lambda p: p.name)
def test_every_command_of_a_page_runs(page, folder, capsys):
    for line in commands(page):
        program, *arguments = shlex.split(line)
        assert program == "robot-memory", line
        status = main(arguments)
        printed = capsys.readouterr()
        assert status == 0, f"{line}: {printed.err}"


def test_the_answer_in_the_readme_is_the_one_given(folder, capsys):
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    ask, shown = re.search(r"\$ (robot-memory ask .*)\n(The .*)\n", text).groups()
    main(shlex.split("ingest my_robot_bag --memory kitchen"))
    capsys.readouterr()
    main(shlex.split(ask)[1:])
    answer = " ".join(capsys.readouterr().out.split("┏")[0].split())
    assert answer == shown


def test_python_in_the_readme_runs_as_printed(folder):
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL):
        done = subprocess.run(
            [sys.executable, "-c", block],
            capture_output=True,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert "green bottle" in done.stdout


def test_the_python_page_prints_what_it_says(folder, capsys):
    text = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
    examples = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert len(examples) >= 10
    for example in examples:
        shown = [line[4:] for line in example.splitlines() if line.startswith("# → ")]
        assert shown, example
        exec(compile(example, "docs/python.md", "exec"), {"__name__": "docs.python"})
        assert capsys.readouterr().out.splitlines() == shown


def test_links_between_pages_lead_somewhere():
    for page in PAGES:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_commands_named_in_text_exist():
    parser = build_parser()
    known = set(next(a for a in parser._actions if a.dest == "command").choices)
    for page in PAGES:
        for word in re.findall(r"robot-memory ([a-z]+)\b", page.read_text(encoding="utf-8")):
            if word not in ("and", "is"):
                with contextlib.suppress(ValueError):
                    assert word in known, f"{page.name}: {word}"


@pytest.mark.parametrize(
    "path", sorted((ROOT / "docs" / "images").glob("*.svg")), ids=lambda p: p.name
)
def test_drawings_are_small_and_say_what_they_show(path):
    assert path.stat().st_size < 150_000
    drawing = ElementTree.parse(path).getroot()
    names = {child.get("id"): child.text for child in drawing}
    assert drawing.get("role") == "img"
    assert all(names[name] for name in drawing.get("aria-labelledby").split())
