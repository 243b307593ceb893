"""Where a parallel gripper can take hold of a thing, from the points of it that a camera saw.

Candidates are antipodal in the plain sense of ten Pas & Platt (2015): the fingers close on a slab
of the cloud that fits between them, from above, from in front, from between, or from aside, which
is how what lies crosswise between two boards can be had. Directions follow the sides of the
smallest upright box, as in Miller et al. (2003); the unseen back of a thing that
shows its front, or curves away, is taken to be as deep as the thing is wide (symmetry, Bohg et
al. 2011).
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from memory_core.types import FloatArray, Vector3

FINGER_WIDTH_M = 0.024
"""Of the slab that the fingertips cover."""
FINGER_DEPTH_M = 0.035
"""How far a thing may reach in between the fingers."""
_SPARE_M = 0.004
_MOST_POINTS = 800
_NEIGHBOURS = 16
_FEWEST_IN_SLAB = 4
_TURNS = 24
_FEWEST_POINTS = 6
_ROUND_M = 0.08
_THIN_M = 0.05
"""How deep a thing is taken to be that is too wide to be taken across and shows its front alone."""
_PALM_M = (0.03, 0.1)
_PALM_ABOVE_M = 0.037
"""Half the sides of the hand across and along the closing axis, and its height over the tips."""
_TIP_CLEAR_M = 0.014
_LEAST_BITE_M = 0.008
_LEAST_AHEAD = 0.15
_PITCHES = (math.radians(15), math.radians(30), math.radians(60))
_ASIDE, _FROM_ASIDE = 0.5, -1.0
"""Cosine to the line of sight from which on a hand comes from aside, and how well that is liked."""
_STEEP = 0.3
"""Length along the floor of an approach below which no side is told."""
_DIRECTIONS = 8
"""At most one in so many of the grasps come from one direction."""
_TOP_SEEN = 0.15
"""Slope of the line of sight from which on the top of a thing shows, and with it how deep it is."""


@dataclass(frozen=True, slots=True)
class Grasp:
    """One way to take hold of a thing, in the frame of its cloud.

    Attributes:
        position: Between the fingertips, metres.
        approach: Unit vector that the hand moves along to get there.
        closing: Unit vector that the fingers close along, at a right angle to `approach`.
        width_m: Of the thing between the fingers.
        score: Higher is better; for ranking alone.
    """

    position: Vector3
    approach: Vector3
    closing: Vector3
    width_m: float
    score: float

    @property
    def direction(self) -> tuple[int, int]:
        """Where the hand comes from, coarsely: how steeply, and from which side."""
        x, y, down = self.approach
        aside = round(2 * math.atan2(y, x)) if math.hypot(x, y) > _STEEP else 0
        return round(4 * down), aside


def grasps(
    cloud: FloatArray, *, eye: Vector3, widest_m: float = 0.08, most: int = 48
) -> tuple[Grasp, ...]:
    """Ways to take hold of what a cloud shows, the best first.

    Args:
        cloud: Points on the thing, shape (n, 3), metres, z up; noise along the line of sight is
            evened out.
        eye: Where the camera was, in the frame of the cloud.
        widest_m: How far the fingers open.
        most: At most so many are returned.

    Returns:
        Empty where the cloud is too thin or nothing of it fits between the fingers.
    """
    points: FloatArray = np.asarray(cloud, np.float64)
    points = points[np.isfinite(points).all(axis=1)]
    if len(points) < _FEWEST_POINTS:
        return ()
    points = evened(points[:: math.ceil(len(points) / _MOST_POINTS)], np.array(eye))
    points = completed(points, np.array(eye))
    thing = _Thing(points, np.array(eye), widest_m)
    found = [
        grasp
        for yaw in thing.turns()
        for approach, closing, liking in thing.directions(yaw)
        for grasp in thing.slabs(approach, closing, liking)
    ]
    return _unlike(sorted(found, key=lambda grasp: -grasp.score), most)


def evened(points: FloatArray, eye: FloatArray) -> FloatArray:
    """Each point moved along its line of sight onto the plane that fits its neighbours best.

    Args:
        points: Shape (n, 3).
        eye: Shape (3,), where the camera was.

    Returns:
        Shape (n, 3).
    """
    sight = points - eye
    ranges = np.linalg.norm(sight, axis=1)
    directions = sight / ranges[:, None]
    count = min(_NEIGHBOURS, len(points))
    _, neighbours = cKDTree(directions).query(directions, k=count)
    around = directions[neighbours] - directions[:, None]
    up = np.array([0.0, 0.0, 1.0])
    sideways = np.cross(up, directions)
    sideways /= np.linalg.norm(sideways, axis=1, keepdims=True) + 1e-9
    upwards = np.cross(directions, sideways)
    design = np.stack(
        [np.ones((len(points), count)), *(np.einsum("nkj,nj->nk", around, axis) * 100.0
         for axis in (sideways, upwards))], axis=-1,
    )  # fmt: skip
    normal = np.einsum("nki,nkj->nij", design, design) + 0.3 * np.diag([0.0, 1.0, 1.0])
    right = np.einsum("nki,nk->ni", design, ranges[neighbours])
    fitted = np.linalg.solve(normal, right[..., None])[:, 0, 0]
    return np.asarray(eye + directions * fitted[:, None])


def completed(points: FloatArray, eye: FloatArray) -> FloatArray:
    """The cloud with the back that a thing must have whose front alone was seen.

    Args:
        points: Shape (n, 3).
        eye: Shape (3,), where the camera was.

    Returns:
        Shape (n or 2 n, 3).
    """
    middle = np.median(points, axis=0)
    away = np.append((middle - eye)[:2], 0.0)
    away /= np.linalg.norm(away) + 1e-9
    across = np.array([-away[1], away[0], 0.0])
    width, depth = (np.ptp(np.percentile(points @ axis, (5, 95))) for axis in (across, away))
    above = eye[2] - np.percentile(points[:, 2], 97)
    top_seen = above > _TOP_SEEN * np.linalg.norm((middle - eye)[:2])
    curved = 0.5 * width < depth < 0.9 * width <= 0.9 * _ROUND_M
    if not curved and (top_seen or depth > 0.9 * width):
        return points if top_seen else np.concatenate([points, _turned_half(points)])
    back = np.percentile(points @ away, 5) + (width if width <= _ROUND_M else _THIN_M)
    return np.concatenate([points, points + np.outer(back - points @ away, away)])


def _turned_half(points: FloatArray) -> FloatArray:
    """The points turned by half a turn about the middle of the smallest upright box."""
    axes = _axes(np.arange(_TURNS) * (np.pi / _TURNS))
    low, high = np.percentile(points[:, :2] @ axes, (2, 98), axis=0)
    best = int(np.argmin((high - low) * np.roll(high - low, _TURNS // 2)))
    pair = axes[:, [best, (best + _TURNS // 2) % _TURNS]]
    middles = ((low + high) / 2)[[best, (best + _TURNS // 2) % _TURNS]]
    turned = points.copy()
    turned[:, :2] = 2 * (pair @ middles) - points[:, :2]
    return turned


def _axes(yaws: FloatArray) -> FloatArray:
    return np.stack([np.cos(yaws), np.sin(yaws)])


def _unlike(ranked: list[Grasp], most: int) -> tuple[Grasp, ...]:
    """The best grasps that differ in place or direction, of each direction a share."""
    kept: list[Grasp] = []
    directions: Counter[tuple[int, int]] = Counter()
    rows = np.empty((0, 9))
    for grasp in ranked:
        closing, direction = np.array(grasp.closing), grasp.direction
        if directions[direction] >= most // _DIRECTIONS:
            continue
        row = np.concatenate([np.array(grasp.position) / 0.02, np.array(grasp.approach) / 0.3])
        pair = [np.append(row, sign * closing / 0.3) for sign in (1.0, -1.0)]
        if len(rows) and min(np.abs(rows - one).max(axis=1).min() for one in pair) < 1:
            continue
        rows = np.vstack([rows, pair[0]])
        kept.append(grasp)
        directions[direction] += 1
        if len(kept) == most:
            break
    return tuple(kept)


class _Thing:
    """A cloud, and the measures of it that grasps are judged by."""

    def __init__(self, points: FloatArray, eye: FloatArray, widest_m: float) -> None:
        self.points = points
        self.widest = widest_m - _SPARE_M
        low, high = np.percentile(points, (3, 97), axis=0)
        self.middle = (low + high) / 2
        self.height = float(high[2] - low[2])
        self.floor = float(low[2])
        outward = self.middle[:2] - eye[:2]
        self.heading = math.atan2(outward[1], outward[0])

    def turns(self) -> FloatArray:
        """Directions in the plane to close along: those of the smallest box first, radians."""
        yaws = np.arange(_TURNS) * (np.pi / _TURNS)
        sides = np.ptp(np.percentile(self.points[:, :2] @ _axes(yaws), (4, 96), axis=0), axis=0)
        areas = sides * np.roll(sides, _TURNS // 2)
        best = np.argsort(areas, kind="stable")[: _TURNS // 3]
        return np.concatenate([yaws[best], yaws[best] + np.pi / 2, [self.heading + np.pi / 2]])

    def directions(self, yaw: float) -> list[tuple[FloatArray, FloatArray, float]]:
        """Approach, closing axis and how well the approach suits the thing, for one closing yaw."""
        closing = np.array([math.cos(yaw), math.sin(yaw), 0.0])
        forward = np.array([-closing[1], closing[0], 0.0])
        ahead = np.array([math.cos(self.heading), math.sin(self.heading), 0.0])
        forward *= 1.0 if forward @ ahead >= 0 else -1.0
        down = np.array([0.0, 0.0, -1.0])
        tall = min(max((self.height - 0.06) / 0.10, 0.0), 1.0)
        square = float(forward @ ahead)
        choices = [(down, closing, -0.35 * tall)]
        if square > _LEAST_AHEAD:
            frontal = -0.45 * (1 - tall) - 0.9 * (1 - square)
            choices.append((forward, closing, frontal))
            for pitch in _PITCHES:
                angled = math.cos(pitch) * forward + math.sin(pitch) * down
                choices.append((angled, closing, -0.2 - 0.9 * (1 - square)))
        depth = np.ptp(np.percentile(self.points @ closing, (2, 98)))
        if square < _ASIDE and depth <= self.widest:  # a slab may show the front of it alone
            for way in (forward, -forward):
                choices += [
                    (math.cos(pitch) * way + math.sin(pitch) * down, closing, _FROM_ASIDE)
                    for pitch in (0.0, *_PITCHES)
                ]
        return choices

    def slabs(self, approach: FloatArray, closing: FloatArray, liking: float) -> list[Grasp]:
        """Grasps from one direction, at several places along the fingers' width."""
        across = np.cross(closing, approach)
        along, side, depth = (self.points @ axis for axis in (across, closing, approach))
        low, high = np.percentile(along, (5, 95))
        reach = max((high - low) / 2 - FINGER_WIDTH_M / 2, 0.0)
        found = []
        for share in (0.0, -0.5, 0.5, -0.9, 0.9) if reach > 0.01 else (0.0,):
            centre = (low + high) / 2 + share * reach
            inside = np.abs(along - centre) < FINGER_WIDTH_M / 2
            if inside.sum() < _FEWEST_IN_SLAB:
                continue
            left, right = np.percentile(side[inside], (4, 96))
            width = float(right - left) / 0.92
            near, far = np.percentile(depth[inside], (5, 95))
            if width > self.widest:
                continue
            middle = (left + right) / 2
            under_palm = (np.abs(along - centre) < _PALM_M[0]) & (
                np.abs(side - middle) < _PALM_M[1]
            )
            first = np.percentile(depth[under_palm], 2)
            into = min(near + FINGER_DEPTH_M, first + _PALM_ABOVE_M)
            if approach[2] < -0.9:  # fingers end above what the thing stands on
                into = min(into, -self.floor - _TIP_CLEAR_M)
            else:
                into = min(into, (near + far) / 2)
            if into < near + _LEAST_BITE_M:
                continue
            position = across * centre + closing * middle + approach * into
            seen_edge_on = abs(
                math.cos(self.heading) * closing[0] + math.sin(self.heading) * closing[1]
            )
            score = (
                liking - 0.6 * (width / self.widest) ** 2 - 0.12 * seen_edge_on
                - 3.0 * float(np.linalg.norm((position - self.middle)[:2]))
            )  # fmt: skip
            x, y, z = position.tolist()
            found.append(Grasp((x, y, z), _vector(approach), _vector(closing), width, float(score)))
        return found


def _vector(values: FloatArray) -> Vector3:
    x, y, z = values.tolist()
    return (x, y, z)
