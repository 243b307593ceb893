"""Before a drawer or a door: where to stand, which way it comes, and whether it moved."""

from __future__ import annotations

import math
from dataclasses import dataclass

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
SWEPT_M = 0.6
"""What is so near to a handle may have gone with it."""
ASKEW_RAD = math.radians(50)
"""The hand pulls straight at most so far from a front's normal."""
STANDS = 3
DEEP_M, ACROSS = 0.2, 0.8
"""Things stand so far behind a door, and to so much of its width on each side."""
VIEW_M = (0.6, 1.6)
LEAF_M = 0.1
"""A handle is at least so far aside of the middle of a door that was seen as a whole."""


@dataclass(frozen=True, slots=True)
class Front:
    """A drawer or a door while it is shut.

    Attributes:
        at: Its middle, `map`.
        handle: Where its handle is, `map`.
        out: The direction out of it, `map`, of length 1.
    """

    at: Vector3
    handle: Vector3
    out: Vector3


def is_handle(label: str) -> bool:
    """Whether a label names what fronts are pulled by."""
    return label.split()[-1:] == ["handle"]


def hinged(name: str) -> bool:
    """Whether a front turns rather than slides."""
    return name.split()[-1:] == ["door"]


def seen_front(body: Body, here: Pose, name: str, at: Vector3, handle: Seen) -> Front:
    """A front in view: its middle, its handle, and its normal on the robot's side.

    Args:
        body: The robot, which looks.
        here: Its base in the map.
        name: What the front is called.
        at: Where it is, or its handle, `map`; its middle where it is not seen as a whole.
        handle: As it was seen.
    """
    front = nearest(body.eyes.look(at), lambda label: label == name, at, within_m=HANDLE_M)
    toward = np.array([here.x - handle.position[0], here.y - handle.position[1]])
    toward = toward / np.linalg.norm(toward)
    normal = toward if front is None else normal_of(_turned(front.cloud, here.yaw), toward)
    out = (float(normal[0]), float(normal[1]), 0.0)
    return Front(at if front is None else front.position, handle.position, out)


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

    found = body.navigator.standing(handle, near_m=near_m, far_m=far_m)
    poses = [stand.pose for stand in found]
    return tuple(sorted((p for p in poses if askew(p) <= ASKEW_RAD), key=askew)[:STANDS])


def views(body: Body, here: Pose, door: Front, handle: Vector3) -> tuple[Pose, ...]:
    """Free poses that see more of the inside past an open door than one has seen, best first.

    Args:
        body: The robot.
        here: Where it stands, `map`.
        door: As it was while it was shut.
        handle: Where its handle is now, `map`.
    """
    middle, across = _leaf(door)
    leaf = np.array(handle[:2])
    behind = middle - DEEP_M * np.array(door.out[:2])
    inside = behind + np.outer(np.linspace(-ACROSS, ACROSS, 7), across)

    def seen(pose: Pose) -> int:
        eye = np.array([pose.x, pose.y])
        return sum(
            _crosses(eye, point, middle - across, middle + across)
            and not _crosses(eye, point, middle - across, leaf)
            for point in inside
        )

    stands = body.navigator.standing(door.at, near_m=VIEW_M[0], far_m=VIEW_M[1])
    now = seen(here)
    better = [stand.pose for stand in stands if seen(stand.pose) > now]
    return tuple(sorted(better, key=seen, reverse=True)[:STANDS])


def hides(door: Front, handle: Vector3, pose: Pose, target: Vector3) -> bool:
    """Whether an open door stands between a pose and a place, both `map`.

    Args:
        door: As it was while it was shut.
        handle: Where its handle is now, `map`.
        pose: Of the base.
        target: What is looked at or reached for.
    """
    middle, across = _leaf(door)
    eye, point = np.array([pose.x, pose.y]), np.array(target[:2])
    return _crosses(eye, point, middle - across, np.array(handle[:2]))


def leaf(door: Front, handle: Vector3) -> tuple[Vector3, ...]:
    """Places along an open door from its hinge to its handle, `map`, no farther apart than 5 cm.

    Args:
        door: As it was while it was shut.
        handle: Where its handle is now, `map`.

    Returns:
        Empty where the door was not seen as a whole, and nobody knows where its hinge is.
    """
    middle, across = _leaf(door)
    if np.linalg.norm(across) < LEAF_M:
        return ()
    hinge = middle - across
    length = float(np.linalg.norm(np.array(handle[:2]) - hinge))
    places = np.linspace(hinge, handle[:2], 1 + math.ceil(length / 0.05))
    return tuple((x, y, handle[2]) for x, y in places.tolist())


def _leaf(door: Front) -> tuple[FloatArray, FloatArray]:
    """The middle of a shut door, and the way from there to its edge with the handle, (2,) each."""
    middle, out = np.array(door.at[:2]), np.array(door.out[:2])
    aside = np.array(door.handle[:2]) - middle
    return middle, aside - (aside @ out) * out


def _crosses(a: FloatArray, b: FloatArray, c: FloatArray, d: FloatArray) -> bool:
    """Whether the line from a to b crosses that from c to d, each of shape (2,)."""

    def side(p: FloatArray, q: FloatArray, r: FloatArray) -> bool:
        return float((q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0])) > 0

    return side(a, b, c) != side(a, b, d) and side(c, d, a) != side(c, d, b)


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
    body.navigator.doubt(handle, SWEPT_M)
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


def normal_of(flat: FloatArray, toward: FloatArray) -> FloatArray:
    """The normal of an upright front seen from above, shape (2,), on the side of a direction.

    Args:
        flat: Points on the front, shape (n, 2), at least two.
        toward: A direction in the same frame, shape (2,).
    """
    _, _, axes = np.linalg.svd(flat - flat.mean(axis=0), full_matrices=False)
    normal = np.array([axes[1, 0], axes[1, 1]])
    return normal if normal @ toward >= 0 else -normal
