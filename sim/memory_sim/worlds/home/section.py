"""The section of a home at the height of a scanner's beams, and how far each beam gets.

A scanner that turns in a plane meets the outlines of what the plane cuts. They are few and rarely
move: to cut once and then follow beams in the plane takes a tenth of the time that rays through
all shapes of a physics server take.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

import numpy as np

from memory_core.types import FloatArray, IntArray, Pose
from memory_sim.worlds.home.solids import Solid
from memory_sim.worlds.home.things import thing_solids
from memory_sim.worlds.home.world import World

_SIDES, _RINGS = 48, 17
"""Of what is round."""


class Section:
    """What a horizontal plane cuts of a world, kept up to date as things move."""

    def __init__(self, world: World, z: float) -> None:
        """Cut a world.

        Args:
            world: Which.
            z: Height of the plane in the map, metres.
        """
        self._world, self._z = world, z
        walls = (outline(_wall(w.size), Pose(*w.centre), z) for w in world.plan.walls)
        self._walls = _together(walls)
        self._movable: dict[str, FloatArray] = {}
        self._joined: dict[str | None, FloatArray] = {}
        for name in (*world.bodies, *world.joints):
            self._cut(name)
        world.on_change(self._cut)

    def edges(self, *, apart_from: str | None = None) -> FloatArray:
        """All edges of outlines, from point to point, metres, shape (n, 2, 2).

        Args:
            apart_from: Id of a thing that is left out.
        """
        if apart_from not in self._joined:
            others = [cut for name, cut in self._movable.items() if name != apart_from]
            self._joined = {apart_from: np.concatenate([self._walls, *others])}
        return self._joined[apart_from]

    def _cut(self, name: str) -> None:
        """Cut a thing, an opening or a piece of furniture where it is now."""
        world = self._world
        if name in world.joints:
            kind = world.joints[name].kind
            pose, solids = world.opening_pose(name), (*kind.solids, *kind.handle)
        elif name in world.plan.thing_by_id:
            thing = world.plan.thing_by_id[name]
            pose, solids = world.pose_of(name), thing_solids(thing.kind, thing.colour, thing.scale)
        else:
            piece = world.plan.furniture_by_id[name]
            pose, solids = piece.pose, piece.kind.solids
        cut = _together(outline(solid, pose, self._z) for solid in solids)
        if len(cut) or len(self._movable.get(name, cut)):
            self._joined = {}
        self._movable[name] = cut


def outline(solid: Solid, pose: Pose, z: float) -> FloatArray:
    """Where a plane cuts a solid: the edges of a convex polygon, shape (n, 2, 2); none, n = 0.

    Args:
        solid: In the frame of the thing it belongs to.
        pose: Of that frame in the map.
        z: Height of the plane, metres.
    """
    corners, ribs = _frame(solid.shape)
    points = pose.transform(corners * np.array(solid.size) + np.array(solid.centre))
    above = points[:, 2] - z
    first, second = ribs[(above[ribs[:, 0]] < 0) != (above[ribs[:, 1]] < 0)].T
    if len(first) < 3:
        return np.empty((0, 2, 2))
    share = above[first] / (above[first] - above[second])
    cut = (points[first] + share[:, None] * (points[second] - points[first]))[:, :2]
    middle = cut.mean(axis=0)
    around = cut[np.argsort(np.arctan2(*(cut - middle).T[::-1]), kind="stable")]
    return np.stack([around, np.roll(around, -1, axis=0)], axis=1)


def beams(edges: FloatArray, pose: Pose, count: int) -> FloatArray:
    """How far beams get, shape (count,), metres; infinite where they meet nothing.

    The beams are spread evenly over a turn, counter-clockwise from straight behind. Each edge is
    met by the beams between its ends, a run of neighbours.

    Args:
        edges: Shape (n, 2, 2), metres.
        pose: Of the scanner in the map.
        count: Of beams.
    """
    here, step = np.array([pose.x, pose.y]), 2 * np.pi / count
    start, run = edges[:, 0] - here, edges[:, 1] - edges[:, 0]
    bearings = np.arctan2(edges[:, :, 1] - pose.y, edges[:, :, 0] - pose.x) - pose.yaw
    width = np.remainder(bearings[:, 1] - bearings[:, 0] + np.pi, 2 * np.pi) - np.pi
    begins = np.remainder(np.where(width < 0, bearings[:, 1], bearings[:, 0]) + np.pi, 2 * np.pi)
    lowest = np.ceil(begins / step).astype(np.int64)
    met = np.maximum(np.floor((begins + np.abs(width)) / step).astype(np.int64) - lowest + 1, 0)
    edge, beam = np.repeat(np.arange(len(edges)), met), _runs(lowest, met) % count
    towards = beam * step - np.pi + pose.yaw
    across = np.cos(towards) * run[edge, 1] - np.sin(towards) * run[edge, 0]
    off = start[:, 0] * run[:, 1] - start[:, 1] * run[:, 0]
    reach = np.full(count, np.inf)
    crosses = across != 0
    np.minimum.at(reach, beam[crosses], off[edge[crosses]] / across[crosses])
    return reach


def _runs(starts: IntArray, lengths: IntArray) -> IntArray:
    """Numbers that count up from each start, one run after another."""
    before = np.cumsum(lengths) - lengths
    return np.asarray(np.repeat(starts - before, lengths) + np.arange(lengths.sum()))


def _together(cuts: Iterable[FloatArray]) -> FloatArray:
    return np.concatenate([np.empty((0, 2, 2)), *cuts])


def _wall(size: tuple[float, float, float]) -> Solid:
    return Solid("box", size, (0.0, 0.0, 0.0), (0.0, 0.0, 0.0))


@cache
def _frame(shape: str) -> tuple[FloatArray, IntArray]:
    """Corners of a solid one metre long, wide and high around the origin, and pairs of them."""
    if shape == "box":
        corners = np.array(list(np.ndindex(2, 2, 2))) - 0.5
        pairs = np.argwhere(np.abs(corners[:, None] - corners).sum(axis=2) == 1)
        return corners, pairs[pairs[:, 0] < pairs[:, 1]]
    turns = np.arange(_SIDES) * (2 * np.pi / _SIDES)
    tilts = np.linspace(-0.5, 0.5, _RINGS) * np.pi
    wide, high = (np.cos(tilts), np.sin(tilts)) if shape == "sphere" else (
        np.ones(2), np.array([-1.0, 1.0]))  # fmt: skip
    rim = np.stack([np.cos(turns), np.sin(turns)], axis=1)
    rings = [
        np.column_stack([rim * w, np.full(_SIDES, h)]) / 2 for w, h in zip(wide, high, strict=True)
    ]
    numbers = np.arange(len(rings) * _SIDES).reshape(len(rings), _SIDES)
    along = np.stack([numbers, np.roll(numbers, -1, axis=1)], axis=2).reshape(-1, 2)
    upward = np.stack([numbers[:-1], numbers[1:]], axis=2).reshape(-1, 2)
    return np.concatenate(rings), np.concatenate([along, upward])
