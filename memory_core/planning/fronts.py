"""Before a drawer or a door: where to stand, which way it comes, and whether it moved."""

from __future__ import annotations

import math

import numpy as np

from memory_core.planning.body import Body, Interrupted, Seen
from memory_core.planning.critic import confirmed, nearest
from memory_core.types import FloatArray, Pose, Vector3

HANDLE_M = 0.35
"""A front's handle is at most so far from where the front was seen."""
SAME_HANDLE_M = 0.12
MOVED_M = 0.05
DRAWN_M, SWUNG_M = 0.3, 0.45
"""A drawer comes out so far; the handle of a door is taken along so long a way."""
ASKEW_RAD = math.radians(50)
"""The hand pulls straight at most so far from a front's normal."""
STANDS = 3


def is_handle(label: str) -> bool:
    """Whether a label names what fronts are pulled by."""
    return label.split()[-1:] == ["handle"]


def hinged(name: str) -> bool:
    """Whether a front turns rather than slides."""
    return name.split()[-1:] == ["door"]


def outward(body: Body, here: Pose, name: str, at: Vector3, handle: Seen) -> Vector3:
    """The direction out of a front, `map`: its normal, on the robot's side.

    Args:
        body: The robot, which looks.
        here: Its base in the map.
        name: What the front is called.
        at: Where it is, `map`.
        handle: As it was seen.
    """
    front = nearest(body.eyes.look(at), lambda label: label == name, at, within_m=HANDLE_M)
    toward = np.array([here.x - handle.position[0], here.y - handle.position[1]])
    toward = toward / np.linalg.norm(toward)
    normal = toward if front is None else _normal(_turned(front.cloud, here.yaw), toward)
    return (float(normal[0]), float(normal[1]), 0.0)


def stands(body: Body, handle: Vector3, out: Vector3, *, opening: bool) -> tuple[Pose, ...]:
    """Free poses from which a front can be moved, those straight before it first.

    Args:
        body: The robot.
        handle: Where its handle is, `map`.
        out: Out of the front, `map`.
        opening: Whether it will come towards the robot, or go away from it.
    """
    assert body.manipulator is not None
    near_m, far_m = body.manipulator.reach_m
    if opening:
        near_m = min(near_m + DRAWN_M, far_m - 0.05)
    else:
        far_m = max(far_m - DRAWN_M, near_m + 0.1)
    heading = math.atan2(out[1], out[0])

    def askew(pose: Pose) -> float:
        bearing = math.atan2(pose.y - handle[1], pose.x - handle[0])
        return abs(math.remainder(bearing - heading, math.tau))

    poses = body.navigator.standing(handle, near_m=near_m, far_m=far_m)
    return tuple(sorted((p for p in poses if askew(p) <= ASKEW_RAD), key=askew)[:STANDS])


def move(
    body: Body,
    here: Pose,
    name: str,
    handle: Vector3,
    out: Vector3,
    *,
    opening: bool,
    interrupted: Interrupted,
) -> tuple[str, Vector3]:
    """Take the handle in view, move the front, and look where the handle is now.

    Args:
        body: The robot, standing before the front.
        here: Its base in the map.
        name: What the front is called.
        handle: Where its handle was seen, `map`.
        out: Out of the front, `map`.
        opening: Whether it is pulled or pushed.
        interrupted: See `Interrupted`.

    Returns:
        `done` or why not, and where the handle is, `map`.
    """
    assert body.manipulator is not None
    seen = confirmed(body.eyes, is_handle, handle, within_m=SAME_HANDLE_M)
    if seen is None:
        return "no handle seen", handle
    x, y = _turned(np.array([out]), -here.yaw)[0]
    act = body.manipulator.open if opening else body.manipulator.close
    ended = act(
        seen.cloud, (float(x), float(y), 0.0), hinged=hinged(name), travel_m=SWUNG_M if hinged(name) else DRAWN_M,
        interrupted=interrupted,
    )  # fmt: skip
    body.manipulator.stow(interrupted=interrupted)
    if not ended.done:
        return ended.reason, handle
    sign = 1.0 if opening else -1.0
    drawn = tuple(a + sign * DRAWN_M * b for a, b in zip(seen.position, out, strict=True))
    found = body.eyes.look((drawn[0], drawn[1], drawn[2]))
    if nearest(found, is_handle, seen.position, within_m=MOVED_M) is not None:
        return "did not move", handle
    now = nearest(found, is_handle, (drawn[0], drawn[1], drawn[2]), within_m=HANDLE_M)
    return "done", now.position if now is not None else (drawn[0], drawn[1], drawn[2])


def _turned(points: FloatArray, yaw: float) -> FloatArray:
    """Points turned about +z, x and y alone, shape (n, 2)."""
    cosine, sine = math.cos(yaw), math.sin(yaw)
    return np.asarray(points[:, :2] @ np.array([[cosine, sine], [-sine, cosine]]))


def _normal(flat: FloatArray, toward: FloatArray) -> FloatArray:
    """The normal of an upright front seen from above, shape (2,), on the side of a direction."""
    _, _, axes = np.linalg.svd(flat - flat.mean(axis=0), full_matrices=False)
    normal = np.array([axes[1, 0], axes[1, 1]])
    return normal if normal @ toward >= 0 else -normal
