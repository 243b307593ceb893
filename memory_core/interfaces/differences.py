"""What is different at one moment from what was seen before an earlier one, as JSON.

The comparison is the one that answers "what changed since yesterday?" in words.
"""

from __future__ import annotations

from collections.abc import Iterator

from memory_core.answering.absence import stamps_of
from memory_core.answering.changes import changes_between
from memory_core.answering.grounding import views
from memory_core.memory import RobotMemory
from memory_core.semantic.scene import Scene
from memory_core.types import BoolArray, Json

SHOWN_EVIDENCE = 3


def differences(memory: RobotMemory, since_ns: int, until_ns: int | None) -> list[dict[str, Json]]:
    """Things that moved, appeared or went.

    Args:
        memory: Whose things.
        since_ns: What was seen before this moment is compared with what was seen from it on.
        until_ns: Up to this moment; None for now.

    Returns:
        By the moment each was noticed: `kind` (moved, new, gone), `label`, `entity` (null where
        it is none), `stamp_ns`, `before` and `after` (metres in the map, or null), and the newest
        `evidence`. Nothing where one of the two times saw nothing.
    """
    scene = memory.scene()
    if scene is None:
        return []
    stamps = stamps_of(scene)
    before = stamps < since_ns
    after = ~before if until_ns is None else ~before & (stamps <= until_ns)
    if not (before.any() and after.any()):
        return []
    return sorted(_told(scene, before, after), key=lambda change: int(change["stamp_ns"]))


def _told(scene: Scene, before: BoolArray, after: BoolArray) -> Iterator[dict[str, Json]]:
    found = changes_between(scene, before, after)
    for old, new in found.moved:
        yield _change(scene, "moved", old, new, new, after)
    for thing in found.new:
        yield _change(scene, "new", None, thing, thing, after)
    for thing in found.gone:
        yield _change(scene, "gone", thing, None, thing, before)


def _change(
    scene: Scene, kind: str, old: int | None, new: int | None, shown: int, during: BoolArray
) -> dict[str, Json]:
    """One change, with who saw the thing `shown`: the first that saw it new, else the last."""
    seen = [scene.stored[number].observation for number in views(scene, shown, during)]
    noticed = seen[-1] if new is None else seen[0]
    entity = int(scene.entity[shown])
    return {
        "kind": kind,
        "entity": scene.entities[entity].id if entity >= 0 else None,
        "label": scene.labels[int(scene.thing_label[shown])],
        "stamp_ns": noticed.stamp_ns,
        "before": None if old is None else scene.thing_position[old].tolist(),
        "after": None if new is None else scene.thing_position[new].tolist(),
        "evidence": [observation.id for observation in seen[-SHOWN_EVIDENCE:]],
    }
