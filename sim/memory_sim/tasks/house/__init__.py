"""Tasks in a simulated home, as Gymnasium environments; importing this registers their ids."""

from __future__ import annotations

from memory_sim.tasks.house.spaces import (  # first: it says what to install
    HAND_ENDED,
    HANDS,
    Command,
    to_action,
)

# isort: split
import gymnasium

from memory_sim.tasks.house.environment import TASKS, HouseEnv

__all__ = [
    "HANDS",
    "HAND_ENDED",
    "IDS",
    "TASKS",
    "Command",
    "HouseEnv",
    "to_action",
]

IDS = tuple(f"House/{name}-v0" for name in TASKS)
"""Under which the tasks are registered."""

for _id, _name in zip(IDS, TASKS, strict=True):
    gymnasium.register(
        _id, entry_point="memory_sim.tasks.house.environment:HouseEnv", kwargs={"task": _name}
    )
