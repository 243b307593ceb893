"""A small remembered house: rooms in a row, things in them, and what a robot saw and said."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from memory_core.memory import RobotMemory
from memory_core.perception.text import HashingEncoder
from memory_core.types import Observation, Pose

from .making import START_NS, Point, aimed, placed

ROOMS: dict[str, dict[str, Point]] = {
    "kitchen": {"kettle": (1.0, 1.5, 0.9), "table": (0.0, -1.5, 0.4), "oven": (-1.5, 0.5, 0.5)},
    "bedroom": {"bed": (7.0, 1.5, 0.4), "wardrobe": (6.0, -1.5, 1.0)},
    "study": {"desk": (13.0, 1.5, 0.6), "bookcase": (12.0, -1.5, 1.0), "chair": (11.0, 0.5, 0.4)},
    "bathroom": {"toilet": (19.0, 1.5, 0.4), "sink": (18.0, -1.5, 0.8), "towel": (17.0, 0.5, 1.2)},
}
LAMPS: tuple[Point, ...] = ((0.5, 2.0, 1.8), (12.5, 2.0, 1.8))
SPACING_M = 6.0


def tour(
    *, session: str = "monday", start_s: int = 0, first: int = 0, rounds: int = 2, **parts: Any
) -> list[Observation]:
    """Views of every thing from three standpoints in its room, one second apart, with captions.

    Args:
        session: The run.
        start_s: When it begins, seconds after the first ever.
        first: Number of the first observation.
        rounds: How often all rooms are visited.
        **parts: Of every observation.
    """
    made = []
    for lap in range(rounds):
        for place, (room, things) in enumerate(ROOMS.items()):
            for step, offset in enumerate((-0.6, 0.0, 0.6)):
                number = first + len(made)
                stand = Pose.from_yaw(place * SPACING_M + offset, 0.1 * lap, yaw=0.2 * step)
                seen = [placed(stand, label, at) for label, at in things.items()]
                seen += [aimed(stand, "lamp", at) for at in LAMPS if abs(at[0] - stand.x) < 2.5]
                made.append(
                    Observation(
                        id=f"view-{number:04d}", stamp_ns=START_NS + (start_s + len(made)) * 10**9,
                        source="camera", robot="tidy", session=session, pose=stand,
                        text=f"the {room} seen from corner {step}", sightings=tuple(seen),
                    )
                )  # fmt: skip
    return [dataclasses.replace(item, **parts) for item in made]


def opened(folder: Any, **options: Any) -> RobotMemory:
    """A memory with a fast encoder."""
    return RobotMemory.open(folder, text_encoder=HashingEncoder(), gpu=False, **options)


def structure(memory: RobotMemory) -> dict[str, Any]:
    """All a memory tells of its structure."""
    return {
        "entities": memory.entities(),
        "places": memory.places(),
        "events": memory.events(),
        "facts": memory.facts(),
        "forest": memory.forest(),
    }


def differences(one: dict[str, Any], other: dict[str, Any]) -> list[str]:
    """What two structures do not have in common; numbers may differ by their rounding."""
    return _differences(dataclasses_of(one), dataclasses_of(other), "")


def dataclasses_of(told: dict[str, Any]) -> dict[str, Any]:
    """As plain containers."""
    return {kind: [dataclasses.asdict(item) for item in items] for kind, items in told.items()}


def _differences(one: Any, other: Any, where: str) -> list[str]:
    if isinstance(one, dict) and isinstance(other, dict) and set(one) == set(other):
        return [d for key in one for d in _differences(one[key], other[key], f"{where}.{key}")]
    if isinstance(one, list | tuple) and isinstance(other, list | tuple) and len(one) == len(other):
        pairs = enumerate(zip(one, other, strict=True))
        return [d for place, (a, b) in pairs for d in _differences(a, b, f"{where}[{place}]")]
    if isinstance(one, float) and isinstance(other, float):
        same = bool(np.isclose(one, other, rtol=1e-4, atol=1e-5))
    else:
        same = one == other
    return [] if same else [f"{where}: {one!r} is not {other!r}"]


def remembered_words(memory: RobotMemory) -> str:
    """Every record of a memory as text: what can be read back from its structure."""
    with memory.store.reading() as db:
        bodies = [f"{kind} {number}: {body}" for kind, number, body in db.execute(
            "SELECT kind, number, body FROM records")]  # fmt: skip
    return "\n".join(bodies)
