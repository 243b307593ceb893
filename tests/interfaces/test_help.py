"""Help: every option explained, and at once."""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys

import pytest

from memory_core.interfaces.cli import build_parser
from memory_core.interfaces.commands import COMMANDS


def parsers(parser: argparse.ArgumentParser, name: str = "robot-memory"):
    yield name, parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for command, child in action.choices.items():
                yield from parsers(child, f"{name} {command}")


TREE = dict(parsers(build_parser()))


@pytest.mark.parametrize("name", TREE)
def test_every_option_of_every_command_is_explained(name):
    unexplained = [
        action.dest
        for action in TREE[name]._actions
        if not action.help and not isinstance(action, argparse._SubParsersAction)
    ]
    assert unexplained == []
    assert TREE[name].format_help().startswith("usage: robot-memory")


def test_every_command_is_explained_and_known():
    top = next(a for a in build_parser()._actions if isinstance(a, argparse._SubParsersAction))
    explained = {choice.dest for choice in top._choices_actions if choice.help}
    assert explained == set(top.choices)
    assert set(COMMANDS) | {"demo"} <= set(top.choices)


def test_every_command_that_opens_a_memory_takes_json_quiet_and_verbose():
    for name, parser in TREE.items():
        options = {option for action in parser._actions for option in action.option_strings}
        if "--memory" in options:
            assert {"--json", "--quiet", "--verbose", "--encoder"} <= options, name


@pytest.mark.parametrize("arguments", [["--help"], ["ask", "--help"], ["--version"]])
def test_help_takes_less_than_three_tenths_of_a_second(arguments):
    spent = []
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(
            [sys.executable, "-m", "memory_core.interfaces.cli", *arguments],
            capture_output=True, env=os.environ, check=False,
        )  # fmt: skip
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert done.returncode == 0
        assert done.stdout.startswith((b"usage: robot-memory", b"robot-memory "))
        spent.append(after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)
    assert min(spent) < 0.3


@pytest.mark.parametrize(
    "arguments", [[], ["bogus"], ["ask"], ["forget", "--id", "x"], ["recall", "-k", "many"]]
)
def test_wrong_usage_exits_with_2(arguments, capsys):
    from memory_core.interfaces import cli

    with pytest.raises(SystemExit) as raised:
        cli.main(arguments)
    assert raised.value.code == 2
    assert "usage: robot-memory" in capsys.readouterr().err
