"""A memory of a few pictures in two rooms, for tests of what can be known from them."""

from __future__ import annotations

from pathlib import Path

from memory_core.memory import RobotMemory
from memory_core.types import Observation, Pose, Sighting

SECOND = 10**9
START_NS = 1_772_528_400 * SECOND
PICTURES = (
    (0, Pose(1.0, 0.0, 1.0), (("red mug", 1.0, 0.5), ("kitchen table", 1.2, 0.0))),
    (10, Pose(5.0, 0.0, 1.0), (("blue mug", 1.0, 0.0), ("desk", 1.5, 0.0))),
    (20, Pose(5.0, 3.0, 1.0), (("red mug", 1.0, -0.5), ("bookshelf", 2.0, 0.0))),
)
"""Seconds, the camera, and what it saw: label, metres ahead, metres to the left."""
NOW_NS = START_NS + 60 * SECOND


def remembered(folder: Path) -> RobotMemory:
    """The red mug was first at (2, 0.5), then at (6, 2.5); the table is at (2.2, 0)."""
    memory = RobotMemory.open(folder, text_encoder=None)
    for number, (seconds, camera, things) in enumerate(PICTURES):
        memory.observe(
            Observation(
                f"picture-{number}", START_NS + seconds * SECOND, source="camera", pose=camera,
                sightings=tuple(
                    Sighting(label, position=(ahead, left, -0.3), size=(0.8, 0.8, 0.7))
                    for label, ahead, left in things
                ),
            )
        )  # fmt: skip
    return memory


def straight(at: tuple[float, float, float]) -> float:
    """Way to a place from the origin."""
    return float((at[0] ** 2 + at[1] ** 2) ** 0.5)
