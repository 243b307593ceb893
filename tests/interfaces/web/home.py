"""A home of two floors that a robot visits twice; between the visits a mug is carried upstairs."""

from __future__ import annotations

import io
import itertools
import math
from collections.abc import Iterator
from pathlib import Path

from memory_core.memory import RobotMemory
from memory_core.perception.text import HashingEncoder
from memory_core.types import Keyframe, Observation, Pose, Sighting, Vector3

START_NS = 1_772_528_400_000_000_000  # 3 March 2026, 09:00 UTC
SECOND = 10**9
VISITS = (START_NS, START_NS + 3_600 * SECOND)
UPSTAIRS_M = 3.0
SEEN_M = 4.0
MUG_BEFORE, MUG_AFTER = (1.0, 4.6, 0.9), (1.4, 1.2, 3.7)
THINGS: dict[str, tuple[Vector3, ...]] = {
    "refrigerator": ((0.6, 3.2, 0.9),), "stove": ((0.6, 4.2, 0.5),), "kettle": ((0.6, 4.9, 1.0),),
    "kitchen table": ((2.4, 4.4, 0.4),), "chair": ((2.0, 3.6, 0.5), (2.9, 3.6, 0.5)),
    "sofa": ((7.6, 4.4, 0.4),), "tv": ((6.0, 5.4, 0.9),), "bookshelf": ((8.3, 3.0, 1.0),),
    "coffee table": ((6.9, 3.8, 0.3),), "floor lamp": ((5.4, 2.6, 1.2),),
    "bed": ((1.6, 4.4, 3.3),), "nightstand": ((0.6, 5.2, 3.3),), "wardrobe": ((3.4, 5.0, 4.0),),
    "alarm clock": ((0.6, 5.2, 3.7),),
}  # fmt: skip
ROUND = ((0.8, 0.8), (2.0, 1.0), (2.0, 3.0), (2.0, 1.0), (6.5, 1.0), (6.5, 3.0), (6.5, 1.0))
"""Corners of a tour of the ground floor; upstairs the first four are driven."""


def steps(height: float, *, count: int) -> Iterator[tuple[float, float, float, float]]:
    """x, y, z and heading every quarter of a metre."""
    corners = ROUND[:count]
    for (x0, y0), (x1, y1) in itertools.pairwise(corners):
        yaw = math.atan2(y1 - y0, x1 - x0)
        parts = max(1, round(math.dist((x0, y0), (x1, y1)) / 0.25))
        for part in range(parts):
            share = part / parts
            yield x0 + (x1 - x0) * share, y0 + (y1 - y0) * share, height, yaw


def looks() -> Iterator[Observation]:
    """Both visits, a look every two seconds."""
    for visit, start_ns in enumerate(VISITS):
        way = [*steps(0.0, count=len(ROUND)), *steps(UPSTAIRS_M, count=4)]
        mug = (MUG_BEFORE, MUG_AFTER)[visit]
        for number, (x, y, z, yaw) in enumerate(way):
            pose = Pose.from_yaw(x, y, z=z, yaw=yaw)
            seen = sorted(_seen_from(pose, mug))
            yield Observation(
                id=f"visit{visit}-{number}", stamp_ns=start_ns + 2 * number * SECOND,
                source="camera", session=f"visit {visit + 1}", pose=pose,
                sightings=tuple(
                    Sighting(label, position, size=(0.2, 0.2, 0.2), confidence=0.9)
                    for label, position in seen
                ),
                keyframe=picture([label for label, _ in seen]) if seen and not number % 3 else None,
            )  # fmt: skip


def _seen_from(pose: Pose, mug: Vector3) -> Iterator[tuple[str, Vector3]]:
    """What is near on the same floor, in the robot's own frame."""
    back = pose.inverse()
    for label, places in (THINGS | {"red mug": (mug,)}).items():
        for place in places:
            near = math.dist(place[:2], pose.position[:2]) < SEEN_M
            if near and 0 <= place[2] - pose.z < 2:
                yield label, back.apply(*place)


def picture(labels: list[str]) -> Keyframe:
    """A wall, a floor, and a block for each thing."""
    from PIL import Image, ImageDraw

    image = Image.new("RGB", (160, 120), (214, 210, 198))
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 78, 160, 120), fill=(188, 160, 128))
    for place, label in enumerate(labels[:5]):
        shade = sum(map(ord, label))
        colour = (60 + shade % 150, 70 + shade * 7 % 130, 80 + shade * 3 % 120)
        draw.rectangle((8 + 30 * place, 96 - shade % 50, 30 + 30 * place, 100), fill=colour)
    file = io.BytesIO()
    image.save(file, "JPEG")
    return Keyframe(file.getvalue(), *image.size)


def make_home(folder: Path) -> Path:
    with RobotMemory.open(folder, text_encoder=HashingEncoder(), gpu=False) as memory:
        memory.observe(looks())
        memory.organise()
    return folder
