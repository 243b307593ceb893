"""Commands of the simulation, whatever is installed."""

from __future__ import annotations

import importlib.metadata
import tomllib
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from memory_core.interfaces import cli


@pytest.fixture
def run(monkeypatch, capsys):
    """Run a command; gives its status and what it printed."""
    declared = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())
    commands = declared["project"]["entry-points"][cli.PLUGINS]
    plugins = [EntryPoint(name, where, cli.PLUGINS) for name, where in commands.items()]
    real = importlib.metadata.entry_points
    monkeypatch.setattr(
        "importlib.metadata.entry_points",
        lambda **wanted: plugins if wanted == {"group": cli.PLUGINS} else real(**wanted),
    )

    def command(*words):
        status = cli.main([str(word) for word in words])
        return status, *capsys.readouterr()

    return command
