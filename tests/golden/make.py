"""Writes the golden folder of the current format. Run once when a format is released:

python tests/golden/make.py tests/golden/format-2
"""

import sys
from pathlib import Path

from memory_core import Keyframe, Observation, Pose, RobotMemory, Sighting
from memory_core.perception.text import HashingEncoder

JPEG = b"\xff\xd8\xff\xe0golden\xff\xd9"
STATES = {1: {}, 2: {"open": 0.25}}
"""What the red mug's sighting measured, by format: the first could not keep it."""


def observations(version=2):
    yield Observation(
        id="mug-seen",
        stamp_ns=1_772_528_400_000_000_000,
        source="camera",
        robot="tidy",
        session="monday",
        anchor_id="keyframe-1",
        pose=Pose(1.0, 2.0, 0.5),
        covariance=tuple(0.01 if i % 7 == 0 else 0.0 for i in range(36)),
        sightings=(Sighting("red mug", (0.5, 0.0, 0.3), confidence=0.9, state=STATES[version]),),
        keyframe=Keyframe(JPEG, 4, 3),
    )
    yield Observation(
        id="note", stamp_ns=1_772_528_401_000_000_000, text="the kettle is on", localised=False
    )
    yield Observation(
        id="battery",
        stamp_ns=1_772_528_402_000_000_000,
        source="battery",
        extra={"body": {"charge": 0.5}},
    )
    yield Observation(id="gone", stamp_ns=1_772_528_403_000_000_000, text="to be forgotten")


def make(folder):
    with RobotMemory.open(folder, text_encoder=HashingEncoder()) as memory:
        memory.add_anchor("keyframe-1", Pose(10.0, 0.0))
        memory.observe(list(observations()))
        memory.move_anchors({"keyframe-1": Pose(20.0, 0.0)}, reason="loop closure")
        memory.forget(ids=["gone"], reason="golden")
        memory.entities()  # what is organised is kept as records
    for path in (folder / "index").iterdir():
        path.unlink()
    (folder / "index").rmdir()
    (folder / "lock").unlink()


if __name__ == "__main__":
    make(Path(sys.argv[1]))
