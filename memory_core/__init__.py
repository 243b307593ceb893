"""An embodied robot memory: what was seen, where and when, kept durably and asked in words.

The public names are loaded when they are first used, so that the command line answers at once.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

# Threads that spin while they wait take cores from those that compute beside them, as on any robot
# somebody does: one sentence is then encoded in 80 ms instead of 20. Read when torch, faiss and
# numpy are loaded, so import this package first.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("OPENBLAS_THREAD_TIMEOUT", "4")

if TYPE_CHECKING:
    from memory_core.errors import RobotMemoryError
    from memory_core.ingestion import ingest
    from memory_core.memory import RobotMemory
    from memory_core.semantic.consolidation import Retention
    from memory_core.types import (
        Acknowledgement,
        Answer,
        Box,
        EmbeddingSpace,
        Entity,
        Event,
        Evidence,
        Fact,
        Filters,
        ForestNode,
        Keyframe,
        Observation,
        Place,
        Pose,
        Query,
        Recall,
        Refusal,
        Sighting,
        Sphere,
        Stay,
        TimeSpan,
    )

__version__ = "0.1.0"

__all__ = [
    "Acknowledgement",
    "Answer",
    "Box",
    "EmbeddingSpace",
    "Entity",
    "Event",
    "Evidence",
    "Fact",
    "Filters",
    "ForestNode",
    "Keyframe",
    "Observation",
    "Place",
    "Pose",
    "Query",
    "Recall",
    "Refusal",
    "Retention",
    "RobotMemory",
    "RobotMemoryError",
    "Sighting",
    "Sphere",
    "Stay",
    "TimeSpan",
    "ingest",
]

_ELSEWHERE = {
    "Retention": "semantic.consolidation",
    "RobotMemory": "memory",
    "RobotMemoryError": "errors",
    "ingest": "ingestion",
}


def __getattr__(name: str) -> Any:
    """Load a public name from the module that defines it."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = import_module(f"{__name__}.{_ELSEWHERE.get(name, 'types')}")
    globals()[name] = getattr(module, name)
    return globals()[name]


def __dir__() -> list[str]:
    """The public names."""
    return sorted(__all__)
