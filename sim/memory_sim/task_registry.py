"""Which memory tasks there are: what is in Gymnasium's registry under the names of the suites."""

from __future__ import annotations

import difflib
import importlib
import importlib.util
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from memory_core.errors import InvalidQuery, NotInstalled

try:
    import gymnasium
except ImportError as missing:
    raise NotInstalled.part("gymnasium", "sim") from missing


@dataclass(frozen=True, slots=True)
class Suite:
    """Tasks that are measured together.

    Attributes:
        name: On the command line.
        namespaces: Of its ids.
        tasks: Module that registers them when it is imported.
        body: Module with the perception and the skills of its agents, see `acting.agent_named`.
        options: Its environments are made with.
    """

    name: str
    namespaces: tuple[str, ...]
    tasks: str
    body: str
    options: Mapping[str, Any] = field(default_factory=dict)


_TABLE = "memory_sim.tasks.table"
_NO_FRAMES = {"cameras": ()}
"""Agents look when they want to, see `acting.Agent`; frames at every step take most of the time."""
SUITES = {
    suite.name: suite
    for suite in (
        Suite("memorybench", ("MemoryBench",), _TABLE, "memory_sim.agents.table", _NO_FRAMES),
        Suite("mikasa", ("MIKASA",), _TABLE, "memory_sim.agents.table", _NO_FRAMES),
        Suite("generated", ("MemoryTable",), _TABLE, "memory_sim.agents.table", _NO_FRAMES),
        Suite("ballet", ("Ballet", "RoomBallet"), "memory_sim.tasks.ballet_rooms",
              "memory_sim.agents.ballet"),
    )
}  # fmt: skip


def task_ids(suites: Sequence[str] | None = None) -> dict[str, Suite]:
    """The tasks of suites, in the order in which they were registered.

    Args:
        suites: Their names; None for all.

    Returns:
        Suites by the ids of their tasks.

    Raises:
        InvalidQuery: There is no such suite.
    """
    wanted = list(SUITES) if suites is None else list(suites)
    strange = [name for name in wanted if name not in SUITES]
    if strange or not wanted:
        raise InvalidQuery(f"suites {wanted}; expected some of {', '.join(SUITES)}")
    found: dict[str, Suite] = {}
    for suite in (SUITES[name] for name in wanted):
        if importlib.util.find_spec(suite.tasks) is not None:
            importlib.import_module(suite.tasks)
        of_suite = {name for name, spec in gymnasium.registry.items()
                    if spec.namespace in suite.namespaces}  # fmt: skip
        found |= {name: suite for name in gymnasium.registry if name in of_suite}
    return found


def suite_of(task: str) -> Suite:
    """The suite of a task.

    Args:
        task: Its id.

    Raises:
        InvalidQuery: There is no such task.
    """
    namespace = task.partition("/")[0]
    named = [name for name, suite in SUITES.items() if namespace in suite.namespaces]
    known = task_ids(named or None)  # others may take long to import
    if task not in known:
        near = difflib.get_close_matches(task, known, n=3, cutoff=0.5)
        hint = f" Did you mean {', '.join(near)}?" if near else ""
        raise InvalidQuery(f"no task {task!r}.{hint} `robot-memory tasks list` names them all")
    return known[task]


def make(task: str, *, privileged: bool = False, render: bool = False) -> Any:
    """The environment of a task.

    Args:
        task: Its id.
        privileged: Whether `info["state"]` tells the truth, for an oracle.
        render: Whether it can be drawn.

    Raises:
        InvalidQuery: There is no such task.
    """
    options = dict(suite_of(task).options)
    if render:
        options["render_mode"] = "rgb_array"
    return gymnasium.make(task, disable_env_checker=True, privileged=privileged, **options)
