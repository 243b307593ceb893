"""Where a ball is in a picture, and, from remembered sightings, where it goes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from scipy import ndimage

from memory_core.perception.camera import back_project
from memory_core.types import FloatArray, Observation, Pose, Sighting, Vector3
from memory_sim.agents.table.skills import Track
from memory_sim.worlds.table.camera import View

BALL = "ball"
_CAMERAS = ("front", "shoulder")
"""The first sees the work area from near, the second further to the side."""
_LOW, _HIGH = (0.15, -1.0, 0.018), (0.90, 0.60, 0.055)
_COLOURFUL, _DARK = 40.0, 55.0
"""Of 255: the robot is neither so colourful nor so dark."""
_RADIUS_M, _FEWEST_PIXELS = 0.02, 3
_MOST_SIGHTINGS, _STRAIGHT_M, _LONGEST_NS = 12, 0.004, 10**9


def ball_in(look: Callable[[str], View]) -> Vector3 | None:
    """The middle of a ball, base frame, by the first camera that sees one."""
    for camera in _CAMERAS:
        found = _ball(look(camera))
        if found is not None:
            return found
    return None


def _ball(view: View) -> Vector3 | None:
    seen = view.depth_m > 0
    points = np.full((*seen.shape, 3), np.nan)
    points[seen] = view.camera_pose.transform(
        back_project(view.depth_m, view.intrinsics, mask=seen)
    )
    with np.errstate(invalid="ignore"):
        inside = ((points > _LOW) & (points < _HIGH)).all(axis=-1)
    rgb = view.rgb.astype(np.float64)
    painted = (np.ptp(rgb, axis=-1) > _COLOURFUL) | (rgb.max(axis=-1) < _DARK)
    labels, count = ndimage.label(inside & painted, np.ones((3, 3)))
    sizes = np.bincount(labels.ravel(), minlength=count + 1)[1:]
    if not count or sizes.max() < _FEWEST_PIXELS:
        return None
    surface = points[labels == 1 + int(np.argmax(sizes))].mean(axis=0)
    away = surface - np.array(view.camera_pose.position)
    # the half of a ball that is seen lies two thirds of a radius before its middle
    x, y, _ = (surface + away / np.linalg.norm(away) * _RADIUS_M * 2 / 3).tolist()
    return (x, y, _RADIUS_M)


def ball_told(stamp_ns: int, at: Vector3) -> Observation:
    """A sighting of a ball, as an observation."""
    return Observation(
        id=f"{stamp_ns}:{BALL}", stamp_ns=stamp_ns, source=BALL, pose=Pose(),
        sightings=(Sighting(BALL, position=at),),
    )  # fmt: skip


def track_of(observations: Sequence[Observation], now_ns: int) -> Track | None:
    """How the ball rolls: a straight line through as many of the last sightings as lie on one.

    Args:
        observations: What is remembered, oldest first.
        now_ns: When.

    Returns:
        Where it is now and how fast; None where no sighting is remembered.
    """
    seen = [(row.stamp_ns, row.sightings[0].position) for row in observations
            if row.source == BALL and now_ns - row.stamp_ns < _LONGEST_NS]  # fmt: skip
    if not seen:
        return None
    seen = seen[-_MOST_SIGHTINGS:]
    times = np.array([(stamp - now_ns) / 1e9 for stamp, _ in seen])
    places = np.array([at for _, at in seen if at is not None])[:, :2]
    line = np.stack([places[-1], np.zeros(2)])
    for count in range(2, len(seen) + 1):
        fitted, off = _line(times[-count:], places[-count:])
        if off > _STRAIGHT_M:
            break
        line = fitted
    (x, y), (vx, vy) = line.tolist()
    return Track((x, y, _RADIUS_M), (vx, vy, 0.0))


def _line(times: FloatArray, places: FloatArray) -> tuple[FloatArray, float]:
    """Place at time 0 and velocity, shape (2, 2), and how far places are off at most."""
    design = np.stack([np.ones_like(times), times], axis=1)
    fitted = np.linalg.lstsq(design, places, rcond=None)[0]
    return fitted, float(np.linalg.norm(design @ fitted - places, axis=1).max())
