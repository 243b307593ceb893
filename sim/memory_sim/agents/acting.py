"""What acts in a task: the interface, and agents by name."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from memory_core.errors import InvalidQuery
from memory_sim.agents.memories import REACH, TaskMemory, memory_named

ORACLE = "oracle"
AGENTS = (*REACH, ORACLE)
"""The agents of every suite; those but the oracle differ in their memory alone."""


@runtime_checkable
class Agent(Protocol):
    """Acts in one episode after the other. It is never told which task it is in."""

    def reset(self, instruction: str, *, seed: int = 0) -> None:
        """Begin an episode, with nothing left of the last.

        Args:
            instruction: What the robot is told first; observations tell what it is told later.
            seed: Of whatever the agent draws.
        """

    def act(self, observation: Mapping[str, Any]) -> Any:
        """What to do now.

        Args:
            observation: Of the environment. Where that has cameras to look through when one wants
                to, also `look`, which takes a camera's name. An oracle's `state` is the
                environment's `info["state"]`; nobody else has one.

        Returns:
            An action of the environment's action space.
        """

    def close(self) -> None:
        """Let go of everything."""


def agent_named(name: str, body: str) -> Agent:
    """An agent.

    Args:
        name: One of `AGENTS`, or `MODULE:NAME` or `FILE.py:NAME` of something to call without
            arguments: it gives an agent, or a `TaskMemory` to put into the body.
        body: Module with the perception and the skills of the suite: `with_memory(memory)` and
            `oracle()` give its agents.

    Raises:
        InvalidQuery: There is no such agent, or what was called gives neither agent nor memory.
    """
    if ":" not in name and name not in AGENTS:
        raise InvalidQuery(
            f"agent {name!r}; expected one of {', '.join(AGENTS)}, or MODULE:NAME of your own"
        )
    own = _called(name) if ":" in name else None
    if own is not None and isinstance(own, Agent):
        return own
    if own is not None and not isinstance(own, TaskMemory):
        raise InvalidQuery(
            f"agent {name!r} gives a {type(own).__name__}; expected an agent (reset, act, close) "
            "or a memory (begin, remember, moments, close)"
        )
    if importlib.util.find_spec(body) is None:
        raise InvalidQuery(f"agent {name!r} has no body for this task; name an agent of your own")
    parts = importlib.import_module(body)
    if name == ORACLE:
        made: Agent = parts.oracle()
    else:
        made = parts.with_memory(memory_named(name) if own is None else own)
    return made


def _called(name: str) -> Any:
    """What somebody's own callable gives."""
    where, _, called = name.rpartition(":")
    try:
        if where.endswith(".py"):
            module = _module_of(Path(where))
        else:
            module = importlib.import_module(where)
        make = getattr(module, called)
    except (ImportError, OSError, AttributeError) as error:
        raise InvalidQuery(f"agent {name!r} cannot be had: {error}") from error
    return make()


def _module_of(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules.setdefault(path.stem, module)
    spec.loader.exec_module(module)
    return module
