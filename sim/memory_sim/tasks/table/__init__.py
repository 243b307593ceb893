"""Memory tasks at a table, as Gymnasium environments; importing this registers their ids."""

from __future__ import annotations

from memory_sim.tasks.table.spaces import (  # first: it says what to install
    Proprioception,
    step_towards,
    to_action,
    to_joint_action,
    view_of,
)

# isort: split
import gymnasium

from memory_sim.tasks.table.catalogue import CATALOGUE
from memory_sim.tasks.table.environment import TableEnv

__all__ = [
    "CATALOGUE",
    "DRAWN",
    "IDS",
    "Proprioception",
    "TableEnv",
    "step_towards",
    "to_action",
    "to_joint_action",
    "view_of",
]

IDS = tuple(f"{name}-v0" for name in CATALOGUE)
"""Under which the tasks are registered."""
_LEVELS, _NUMBERS = range(1, 6), range(1000, 1004)
DRAWN = {
    f"MemoryTable/Level{level}Number{number}-v0": {"level": level, "number": number}
    for level in _LEVELS
    for number in _NUMBERS
}
"""Generated tasks that agents are measured by, and their recipes; nobody looked at these before."""

for _id, _name in zip(IDS, CATALOGUE, strict=True):
    gymnasium.register(
        _id, entry_point="memory_sim.tasks.table.environment:TableEnv", kwargs={"task": _name}
    )
for _id, _recipe in DRAWN.items():
    gymnasium.register(
        _id, entry_point="memory_sim.tasks.table.environment:TableEnv",
        kwargs={"task": "MemoryTable/Generated", **_recipe},
    )  # fmt: skip
