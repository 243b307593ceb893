"""The map as it grows: submaps around anchors, what was measured between them, and the floors.

A submap is a small grid in the frame of its anchor, drawn from the scans made near it; it is
rigid. Where anchors lie in the map is a matter of the pose graph, and changes when a loop is
closed. Each floor's grid is drawn from the scans of all submaps where their anchors lie now.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.spatial import cKDTree

from memory_core.planning.body import Scan
from memory_core.planning.navigation.grid import OccupancyGrid
from memory_core.planning.navigation.matching import Pyramid
from memory_core.planning.navigation.planar import (
    STILL,
    Planar,
    apply,
    between,
    compose,
    distance,
    turn_between,
    turned,
)
from memory_core.planning.navigation.posegraph import Link, disagreement, optimise
from memory_core.types import FloatArray, Pose

_MOST_FRAMES = 20
_SEED_FRAMES = 8
_REDRAWN_M = 0.02
_REDRAWN_RAD = 0.005
_DISAGREEMENT = 40.0
_LEAST_COVARIANCE = np.diag([0.01, 0.01, 0.004]) ** 2


@dataclass(frozen=True, slots=True)
class Frame:
    """A scan kept with its pose in the submap it belongs to, numbered in order of making."""

    number: int
    pose: Planar
    scan: Scan


@dataclass(slots=True)
class Submap:
    """What was scanned around an anchor.

    Attributes:
        anchor_id: Its name; never used again for another.
        floor: Number of its floor.
        pose: The anchor in the map, as known now.
        grid: What is where, in the anchor's frame.
        frames: The scans it is drawn from.
    """

    anchor_id: str
    floor: int
    pose: Planar
    grid: OccupancyGrid = field(default_factory=OccupancyGrid)
    frames: list[Frame] = field(default_factory=list)
    _pyramid: Pyramid | None = None

    def add(self, frame: Frame) -> None:
        """Draw one more scan; the neighbour it replaces is no longer kept when there are many."""
        self.grid.insert(frame.scan, frame.pose)
        if len(self.frames) >= _MOST_FRAMES:
            apart = [distance(kept.pose, frame.pose) for kept in self.frames]
            del self.frames[int(np.argmin(apart))]
        self.frames.append(frame)

    @property
    def pyramid(self) -> Pyramid:
        """For searching it; made anew where it changed."""
        if self._pyramid is None or self._pyramid.revision != self.grid.revision:
            self._pyramid = Pyramid(self.grid, levels=3)
        return self._pyramid


class Atlas:
    """All submaps of a map, linked, on one or more floors.

    Attributes:
        heights_m: Height of each floor in the map, lowest first.
        submaps: By anchor.
        links: What was measured between anchors.
        grids: The drawn map of each floor.
    """

    def __init__(self, *, heights_m: Sequence[float]) -> None:
        self.heights_m = tuple(heights_m)
        self.submaps: dict[str, Submap] = {}
        self.links: list[Link] = []
        self.grids = [OccupancyGrid() for _ in self.heights_m]
        self._pyramids: dict[int, Pyramid] = {}
        self._frames = 0

    def begin(
        self, anchor_id: str, pose: Planar, *, floor: int, seed: Submap | None = None
    ) -> Submap:
        """Start a submap at a pose of the map, with the nearest scans of the one left."""
        submap = Submap(anchor_id, floor, pose)
        if seed is not None:
            offset = between(pose, seed.pose)
            poses = [(frame, compose(offset, frame.pose)) for frame in seed.frames]
            near = sorted(poses, key=lambda pair: distance(pair[1], (0, 0, 0)))[:_SEED_FRAMES]
            for frame, moved in sorted(near, key=lambda pair: pair[0].number):
                submap.add(Frame(frame.number, moved, frame.scan))
        self.submaps[anchor_id] = submap
        return submap

    def keep(self, submap: Submap, pose: Planar, scan: Scan) -> None:
        """Add a scan made from a pose in a submap's frame to that submap."""
        self._frames += 1
        submap.add(Frame(self._frames, pose, scan))

    def resume(self, frames: Sequence[Frame]) -> None:
        """Number new scans after those that were kept before."""
        self._frames = max((frame.number for frame in frames), default=0)

    def near(self, pose: Planar, *, floor: int, radius_m: float) -> Iterator[Submap]:
        """Submaps of a floor whose anchors lie around a pose, the nearest first."""
        on_floor = [submap for submap in self.submaps.values() if submap.floor == floor]
        for submap in sorted(on_floor, key=lambda submap: distance(submap.pose, pose)):
            if distance(submap.pose, pose) > radius_m:
                return
            yield submap

    def linked(self, first: str, second: str) -> bool:
        """Whether the way between two anchors was measured."""
        return any({link.start, link.end} == {first, second} for link in self.links)

    def link_through(
        self,
        start: Submap,
        start_pose: Planar,
        start_covariance: FloatArray,
        end: Submap,
        end_pose: Planar,
        end_covariance: FloatArray,
    ) -> None:
        """Note what was measured between two anchors by a robot known in both submaps.

        Args:
            start: The one submap.
            start_pose: The base in its frame.
            start_covariance: Of that, shape (3, 3).
            end: The other.
            end_pose: The base in its frame.
            end_covariance: Of that, shape (3, 3).
        """
        pose = compose(start_pose, between(end_pose, STILL))
        covariance = turned(start_covariance, end_pose[2] - start_pose[2]) + end_covariance
        information = np.linalg.inv(covariance + _LEAST_COVARIANCE)
        self.links.append(Link(start.anchor_id, end.anchor_id, pose, information))

    def settle(self) -> bool:
        """Move the anchors to where all measurements agree best, and redraw what moved.

        The last link is dropped again where the rest contradicts it.

        Returns:
            Whether the last link was kept.
        """
        before = {name: submap.pose for name, submap in self.submaps.items()}
        after = optimise(before, self.links, fixed=next(iter(before)))
        if disagreement(self.links[-1], after) > _DISAGREEMENT:
            self.links.pop()
            return False
        moved = {
            name: pose
            for name, pose in after.items()
            if distance(pose, before[name]) > _REDRAWN_M
            or turn_between(pose, before[name]) > _REDRAWN_RAD
        }
        for name, pose in after.items():
            self.submaps[name].pose = pose
        for floor in sorted({self.submaps[name].floor for name in moved}):
            self.redraw(floor, before)
        return True

    def redraw(self, floor: int, before: dict[str, Planar]) -> None:
        """Draw a floor anew from the kept scans; what the depth camera saw moves along.

        Args:
            floor: Which.
            before: Where the anchors lay when the floor was last drawn.
        """
        submaps = [submap for submap in self.submaps.values() if submap.floor == floor]
        drawn = OccupancyGrid()
        frames = [
            (frame.number, compose(submap.pose, frame.pose), frame.scan)
            for submap in submaps
            for frame in submap.frames
        ]
        for _, pose, scan in sorted(frames, key=lambda frame: frame[0]):
            drawn.insert(scan, pose)
        old = self.grids[floor]
        cells = np.argwhere(old.depth_odds != 0)
        if len(cells):
            points = old.centres(cells)
            nearest = cKDTree([before[submap.anchor_id][:2] for submap in submaps]).query(points)[1]
            for at, submap in enumerate(submaps):
                mine = nearest == at
                inner = between(before[submap.anchor_id], (0.0, 0.0, 0.0))
                points[mine] = apply(submap.pose, apply(inner, points[mine]))
            drawn.set_depth(points, old.depth_odds[cells[:, 0], cells[:, 1]])
        self.grids[floor] = drawn

    def pyramid(self, floor: int) -> Pyramid:
        """For searching a whole floor; made anew where it changed."""
        known = self._pyramids.get(floor)
        grid = self.grids[floor]
        if known is None or known.grid is not grid or known.revision != grid.revision:
            known = Pyramid(grid)
            self._pyramids[floor] = known
        return known

    def anchors(self) -> dict[str, Pose]:
        """Where every anchor lies in the map."""
        return {
            name: Pose.from_yaw(*s.pose[:2], z=self.heights_m[s.floor], yaw=s.pose[2])
            for name, s in self.submaps.items()
        }
