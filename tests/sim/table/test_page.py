"""The page about the tasks says what the catalogue says, and its examples run."""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path

import pytest

pytest.importorskip("pybullet")
pytest.importorskip("gymnasium")

from memory_sim.tasks.table import CATALOGUE

PAGE = (Path(__file__).parents[3] / "docs/tasks.md").read_text(encoding="utf-8")


def rows():
    """Id, steps and chance of every task that the page tells of; a row may tell of three."""
    for line in re.findall(r"^\| `(?:MIKASA|MemoryBench)/.*\|$", PAGE, re.MULTILINE):
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) != 5:
            continue  # speeds
        name, _, _, steps, chance = cells
        first, others = re.match(r"`(.+)-v0`(?: \((.+)\))?", name).groups()
        chances = re.findall(r"[\d./,]*\d", chance) or [""]
        stem = re.sub(r"\d(x\d)?$", "", first)
        names = [first, *(stem + other for other in (others or "").split(", ") if other)]
        for one, share in zip(names, chances, strict=True):
            yield one, int(steps), share.replace(",", "")


def test_the_page_tells_of_every_task_with_its_steps_and_chance():
    told = {name: (steps, chance) for name, steps, chance in rows()}
    assert set(told) == {name for name in CATALOGUE if not name.startswith("MemoryTable/")}
    for name, (steps, chance) in told.items():
        entry = CATALOGUE[name]
        assert entry.steps == steps, name
        if not chance:
            assert entry.chance is None, name
        else:
            assert entry.chance == pytest.approx(float(Fraction(chance)), rel=0.01), name


def test_the_first_example_runs(capsys):
    example = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)[0]
    exec(compile(example, "docs/tasks.md", "exec"), {"__name__": "docs.tasks"})
    first, last = capsys.readouterr().out.splitlines()
    assert first.startswith("Remember the thing that is shown.")
    assert last.startswith("{'touched 1 of 1'")
