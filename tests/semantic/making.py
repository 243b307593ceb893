"""Standpoints and what they see, made by hand, ready for a scene."""

from __future__ import annotations

import math

from memory_core.episodic.rows import Stored
from memory_core.semantic.scene import Scene, build_scene
from memory_core.types import Observation, Pose, Sighting

Point = tuple[float, float, float]
START_NS = 1_772_528_400_000_000_000


def placed(stand: Pose, label: str, at: Point, size: float = 0.2) -> Sighting:
    """A sighting with depth, of a thing at a place in the map."""
    (position,) = stand.inverse().transform([at])
    x, y, z = (float(n) for n in position)
    return Sighting(label, position=(x, y, z), size=(size, size, size))


def aimed(stand: Pose, label: str, at: Point) -> Sighting:
    """A sighting with direction alone."""
    (position,) = stand.inverse().transform([at])
    x, y, z = (float(n) for n in position)
    return Sighting(label, bearing=(math.atan2(y, x), math.atan2(z, math.hypot(x, y))))


def standpoint(number: int, stand: Pose, *sightings: Sighting, **parts: object) -> Stored:
    """An observation as it is stored, one second after the one before."""
    observation = Observation(
        id=f"s{number}", stamp_ns=START_NS + number * 10**9, source="camera", pose=stand,
        sightings=sightings, **parts,  # type: ignore[arg-type]
    )  # fmt: skip
    return Stored(number, observation, stand, 0, 0)


def scene_of(*standpoints: Stored) -> Scene:
    """The scene of some standpoints, labels compared by spelling."""
    found = build_scene(standpoints, None)
    assert found is not None
    return found


def things(scene: Scene, label: str) -> list[Point]:
    """Where the things of a label are, from west to east."""
    return sorted(
        tuple(round(n, 9) + 0.0 for n in position)
        for number, position in zip(scene.thing_label, scene.thing_position.tolist(), strict=True)
        if scene.labels[int(number)] == label
    )
