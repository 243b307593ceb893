"""A made-up flat, toured on two days, of which everything is known.

Rooms of 4 m x 4 m: kitchen around (2, 2), living room (10, 2), office (10, 10), bedroom (2, 10).
The robot stands two minutes in each of them (kitchen, living room, office, bedroom), one minute
of driving between, from 09:00 UTC on 3 and on 4 March 2026. In the second tour the red mug stands
in the office, a backpack is new in the bedroom, and the plant of the living room is gone.
"""

from __future__ import annotations

import datetime as dt
import functools
import math
from pathlib import Path

from memory_core.memory import RobotMemory
from memory_core.perception.text import SentenceEncoder, TextEncoder
from memory_core.types import Keyframe, Observation, Pose, Sighting

Point = tuple[float, float, float]

STANDS = {
    "kitchen": (2.0, 2.0),
    "living room": (10.0, 2.0),
    "office": (10.0, 10.0),
    "bedroom": (2.0, 10.0),
}
THINGS: dict[str, tuple[tuple[str, Point], ...]] = {
    "kitchen": (
        ("refrigerator", (0.5, 3.5, 0.9)), ("stove", (1.6, 3.6, 0.5)), ("kettle", (1.6, 3.5, 0.95)),
        ("kitchen table", (2.5, 0.8, 0.4)), ("chair", (1.4, 0.8, 0.45)), ("chair", (3.6, 0.8, 0.45)),
        ("red mug", (2.5, 0.8, 0.8)), ("dishwasher", (3.5, 3.6, 0.4)),
    ),
    "living room": (
        ("sofa", (10.0, 0.5, 0.4)), ("coffee table", (10.0, 1.5, 0.3)), ("tv", (10.0, 3.7, 0.9)),
        ("floor lamp", (8.5, 0.5, 1.2)), ("plant", (11.6, 3.5, 0.5)),
    ),
    "office": (
        ("desk", (10.0, 11.5, 0.5)), ("office chair", (10.0, 10.6, 0.5)), ("laptop", (9.6, 11.5, 0.8)),
        ("bookshelf", (11.8, 9.5, 0.9)), ("printer", (8.4, 9.0, 0.6)),
    ),
    "bedroom": (
        ("bed", (2.0, 11.5, 0.4)), ("nightstand", (0.5, 11.5, 0.4)), ("alarm clock", (0.5, 11.5, 0.7)),
        ("wardrobe", (3.7, 9.0, 1.0)), ("pillow", (2.4, 11.8, 0.6)),
    ),
}  # fmt: skip
MUG_THEN, MUG_NOW = (2.5, 0.8, 0.8), (10.5, 11.5, 0.8)
PLANT, BACKPACK = (11.6, 3.5, 0.5), (1.0, 8.6, 0.3)
DAYS = ("2026-03-03", "2026-03-04")
CAPTIONS = (
    ("2026-03-03T09:01:00", "kitchen", "a woman in a yellow coat waters the basil"),
    ("2026-03-04T09:04:00", "living room", "two children build a tower of wooden blocks"),
)
NOW = "2026-03-04T12:00:00"
JPEG = b"\xff\xd8\xff\xe0" + bytes(64) + b"\xff\xd9"


@functools.cache
def sentence_encoder() -> SentenceEncoder:
    """The real encoder, loaded once for all tests of a process."""
    return SentenceEncoder()


def ns(text: str) -> int:
    """A UTC time such as 2026-03-03T09:00:00 in nanoseconds."""
    return int(dt.datetime.fromisoformat(f"{text}+00:00").timestamp()) * 10**9


def seen_from(stand: Pose, label: str, at: Point) -> Sighting:
    """A sighting of a thing in the frame of the standpoint."""
    (position,) = stand.inverse().transform([at])
    x, y, z = (float(n) for n in position)
    return Sighting(
        label, position=(x, y, z), bearing=(math.atan2(y, x), math.atan2(z, math.hypot(x, y))),
        size=(0.2, 0.2, 0.2), confidence=0.9,
    )  # fmt: skip


def things_on(day: int, room: str) -> list[tuple[str, Point]]:
    """What stands in a room on the first (0) or second (1) day."""
    found = [t for t in THINGS[room] if day == 0 or t[0] not in ("red mug", "plant")]
    if day == 1 and room == "office":
        found.append(("red mug", MUG_NOW))
    if day == 1 and room == "bedroom":
        found.append(("backpack", BACKPACK))
    return found


def tour(day: int) -> list[Observation]:
    """One day: odometry every five seconds, four views a room, the body every four minutes."""
    start, session = ns(f"{DAYS[day]}T09:00:00"), f"day {day + 1}"
    made: list[Observation] = []

    def add(source: str, second: float, **parts: object) -> None:
        stamp = start + round(second * 1e9)
        made.append(
            Observation(
                id=f"{session}/{source}/{second:g}".replace(" ", "-"), stamp_ns=stamp,
                source=source, session=session, **parts,  # type: ignore[arg-type]
            )
        )  # fmt: skip

    stands = list(STANDS.items())
    for number, (room, (x, y)) in enumerate(stands):
        arrived = number * 180.0
        for second in range(0, 121, 5):
            add("odometry", arrived + second, pose=Pose.from_yaw(x, y))
        if number + 1 < len(stands):
            nx, ny = stands[number + 1][1]
            for second in range(5, 60, 5):
                share = second / 60
                add("odometry", arrived + 120 + second,
                    pose=Pose.from_yaw(x + (nx - x) * share, y + (ny - y) * share))  # fmt: skip
        for view in range(4):
            stand = Pose.from_yaw(x, y, z=1.0, yaw=view * math.pi / 2)
            sightings = tuple(seen_from(stand, *thing) for thing in things_on(day, room))
            add("camera", arrived + 12 + 25 * view, pose=stand, sightings=sightings,
                keyframe=Keyframe(JPEG, 8, 8))  # fmt: skip
    for second, charge, warmth in ((0, 0.95, 31.0), (240, 0.9, 36.5), (480, 0.85, 40.0)):
        body = {"charge": round(charge - 0.3 * day, 2), "temperature_c": warmth}
        add("body", second, extra={"body": body},
            text=f"body state: charge {body['charge']}, {warmth} C")  # fmt: skip
    for moment, room, text in CAPTIONS:
        if moment.startswith(DAYS[day]):
            pose = Pose.from_yaw(*STANDS[room])
            add("caption", (ns(moment) - start) / 1e9, text=text, pose=pose)
    return made


def fill(folder: Path, encoder: TextEncoder | None) -> RobotMemory:
    """The memory of both days, open for writing."""
    memory = RobotMemory.open(folder, text_encoder=encoder)
    for day in range(2):
        done = memory.observe(tour(day))
        assert not done.refused, done.refused[:3]
    return memory
