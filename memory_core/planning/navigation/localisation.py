"""Where the robot is: wheels, scans, and a map that it makes as it goes.

Between scans the wheels predict; each scan is matched to the submap the robot is in. Away from
its anchor the robot looks for a neighbouring submap that its scan fits, which closes a loop where
the way there was not measured before, and starts a new one where there is none. A robot whose
scans stop fitting says that it is not localised, searches everything it knows, keeps all places
that fit, and is localised again only when one of them is left.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from memory_core.errors import InputRejected
from memory_core.planning.body import Localisation, Motion, Scan
from memory_core.planning.navigation.atlas import Atlas, Submap
from memory_core.planning.navigation.grid import OccupancyGrid
from memory_core.planning.navigation.matching import Match, refine, scan_points
from memory_core.planning.navigation.planar import (
    STILL,
    Planar,
    between,
    compose,
    distance,
    planar,
    spatial,
    turn_between,
)
from memory_core.planning.navigation.seeking import (
    Hypothesis,
    places_that_fit,
    still_fitting,
    told_apart,
)
from memory_core.planning.navigation.verdicts import (
    FITS_SURELY,
    FITS_WELL,
    fits,
    lies_well,
    look_around,
)
from memory_core.planning.navigation.wheels import Wheels, grown
from memory_core.types import DEFAULT_MAP, FloatArray, Pose

SUBMAP_M = 2.0
_MATCHED_EVERY = (0.15, 0.15)
_MATCHED_EVERY_S = 0.6
_DRAWN_EVERY = (0.3, 0.4)
_DRAWN_EVERY_S = 1.0
_KEPT_FIRST = (0.1, 0.1)
_KEPT_EVERY = (0.4, 0.5)
_KEPT_AGAIN_M = 1.0
_YOUNG = 5
_MATURE = 12
_FEWEST_POINTS = 12
_SECOND_THOUGHTS_S = 20.0
_BETTER = 1.15
_DOUBTS = 3
_SURPRISING_M = 0.15
_NEAR_M = 0.3
_LEAP_M = 1.5
_LOST_M = 0.5
_SOUGHT_EVERY = (0.4, 1.0)
_SOUGHT_EVERY_S = 3.0
_DRIFT = 0.02
_MOVED = 1e-3
_MOST_DRIFT_M = 1.5
_CLOSED = (0.015, 0.005)

_MAP_ORIGIN = Pose()

Candidates = Callable[[], Sequence[Pose]]


class Localiser:
    """Localisation and mapping in one, on one or several floors.

    Attributes:
        map_id: The map it makes. After a map was lost, take another: old anchors must not
            meet new ones.
        atlas: The map.
        floor: Number of the floor the robot is on.
        told: Anchors as `new_anchors` and `corrections` last gave them.
    """

    def __init__(
        self,
        *,
        map_id: str = DEFAULT_MAP,
        start: Pose | None = _MAP_ORIGIN,
        heights_m: Sequence[float] = (0.0,),
        candidates: Candidates = lambda: (),
        atlas: Atlas | None = None,
        told: Mapping[str, Pose] | None = None,
    ) -> None:
        """Begin a map, or go on with one.

        Args:
            map_id: The map.
            start: The base in the map; None where nobody knows, which needs an `atlas`.
            heights_m: Height of each floor, lowest first, metres; for a new map.
            candidates: Poses that place recognition holds possible right now, `map`.
            atlas: A map made before.
            told: Anchors as the memory has them.
        """
        if start is None and (atlas is None or not atlas.submaps):
            raise InputRejected("a new map needs a start pose; the robot's own origin will do")
        self.map_id = map_id
        self.atlas = atlas if atlas is not None else Atlas(heights_m=heights_m)
        self.floor = 0
        self._candidates = candidates
        self._wheels = Wheels()
        self._current: Submap | None = None
        self._pose: Planar = STILL
        self._covariance = np.diag([0.01, 0.01, 0.005]) ** 2
        self._doubts = 0
        self._lost = start is None
        self._hypotheses: list[Hypothesis] = []
        self._matched: tuple[Planar, int] | None = None
        self._kept: Planar | None = None
        self._drawn: tuple[OccupancyGrid, Planar, int] | None = None
        self._sought: tuple[Planar, int] | None = None
        self._thought_ns = 0
        self._since_closure_m = 0.0
        self.told: dict[str, Pose] = dict(told or {})
        if start is not None:
            self._start_at(start)

    def _start_at(self, start: Pose) -> None:
        heights = np.abs(np.array(self.atlas.heights_m) - start.z)
        self.floor = int(heights.argmin())
        pose = planar(start)
        near = self.atlas.near(pose, floor=self.floor, radius_m=math.inf)
        self._current = next(near, None)
        self._pose = pose if self._current is None else between(self._current.pose, pose)
        if self._current is not None:
            self._covariance = np.diag([0.3, 0.3, 0.15]) ** 2

    # -- reading ----------------------------------------------------------------------------

    @property
    def localised(self) -> bool:
        """Whether the pose in the map is to be trusted."""
        spread = float(self._covariance[0, 0] + self._covariance[1, 1])
        return not self._lost and self._doubts < 2 and spread < _LOST_M**2

    @property
    def pose(self) -> Planar:
        """The base in the map, trusted or not."""
        return self._pose if self._current is None else compose(self._current.pose, self._pose)

    @property
    def grid(self) -> OccupancyGrid:
        """The floor the robot is on, frame `map`."""
        return self.atlas.grids[self.floor]

    @property
    def height_m(self) -> float:
        """Of the floor the robot is on."""
        return self.atlas.heights_m[self.floor]

    def where(self) -> Localisation:
        """The pose in the frame of the nearest anchor in use, and in the map.

        While the robot is not localised: its odometry, and no pose in the map.
        """
        if not self.localised or self._current is None:
            return Localisation(
                pose=self._wheels.odometry,
                localised=False,
                map_id=self.map_id,
            )
        covariance = np.diag([0.0, 0.0, 0.01, 0.01, 0.01, 0.0]) ** 2
        covariance[np.ix_((0, 1, 5), (0, 1, 5))] = self._covariance
        return Localisation(
            pose=spatial(self._pose),
            covariance=tuple(map(float, covariance.ravel())),
            map_id=self.map_id,
            anchor_id=self._current.anchor_id,
            map_pose=spatial(self.pose, z=self.height_m),
        )

    def anchors(self) -> dict[str, Pose]:
        """Where every anchor lies in the map now."""
        return self.atlas.anchors()

    def new_anchors(self) -> dict[str, Pose]:
        """Anchors made since this was last asked, for `RobotMemory.add_anchor`."""
        new = {name: pose for name, pose in self.anchors().items() if name not in self.told}
        self.told.update(new)
        return new

    def corrections(self) -> dict[str, Pose]:
        """Anchors that moved since they were last told, for `RobotMemory.move_anchors`."""
        known = {name: pose for name, pose in self.anchors().items() if name in self.told}
        moved = {name: pose for name, pose in known.items() if _apart(pose, self.told[name])}
        self.told.update(moved)
        return moved

    # -- driving ----------------------------------------------------------------------------

    def update(self, motion: Motion, scan: Scan | None = None) -> Localisation:
        """Take in a step of driving, and the scan made after it.

        Args:
            motion: What the wheels say.
            scan: Made at the end of the step; needed at least twice a second.
        """
        step, leap = self._wheels.step(motion)
        self._predict(step)
        if self._lost:
            if scan is not None:
                self._seek(scan, step)
        elif scan is not None and (leap or self._due(motion.stamp_ns)):
            self._matched = (self._pose, motion.stamp_ns)
            self._match(scan, leap=leap)
        return self.where()

    def see(self, points: FloatArray) -> None:
        """Add points of a depth camera, `map`, shape (n, 3), to the floor's map."""
        if self.localised:
            self.grid.insert_points(points, floor_m=self.height_m)

    def ride(self, motion: Motion, floor: int, pose: Pose) -> None:
        """The robot rode a lift: it stands at a pose of the map on another floor.

        Args:
            motion: What the wheels said after the ride.
            floor: Number of the floor.
            pose: The base in `map`, from where the lift stops.
        """
        left, left_pose, left_covariance = self._current, self._pose, self._covariance
        self._wheels.step(motion)
        self.floor = floor
        self._current = next(self.atlas.near(planar(pose), floor=floor, radius_m=SUBMAP_M), None)
        self._matched = self._kept = None
        self._current = self._current or self._begin(planar(pose))
        self._pose = between(self._current.pose, planar(pose))
        self._covariance = left_covariance + np.diag([0.05, 0.05, 0.05]) ** 2
        if left is not None and not self.atlas.linked(left.anchor_id, self._current.anchor_id):
            self.atlas.link_through(
                left, left_pose, left_covariance, self._current, self._pose, self._covariance
            )

    def _predict(self, step: Planar) -> None:
        """Move the estimate; uncertainty grows with the way and the turn."""
        before, self._pose = self._pose, compose(self._pose, step)
        self._covariance = grown(self._covariance, before, self._pose)
        self._since_closure_m += math.hypot(step[0], step[1])

    def _due(self, stamp_ns: int) -> bool:
        if self._matched is None or self._doubts:
            return True
        pose, matched_ns = self._matched
        late = stamp_ns - matched_ns >= _MATCHED_EVERY_S * 1e9
        return late or not _near(pose, self._pose, _MATCHED_EVERY)

    # -- matching ---------------------------------------------------------------------------

    def _match(self, scan: Scan, *, leap: bool) -> None:
        points = scan_points(scan)
        if self._current is None:
            self._current, self._pose = self._begin(self._pose), STILL
        if not self._current.frames:
            self.atlas.keep(self._current, self._pose, scan)
            self._accept(scan, self._pose, self._covariance)
            return
        if len(points) < _FEWEST_POINTS:
            return
        if leap:
            self._covariance = self._covariance + np.diag([0.5, 0.5, 0.3]) ** 2
        known = np.linalg.inv(self._covariance)
        match = refine(self._current.grid, points, self._pose, information=known)
        surprised = not leap and self._surprising(match)
        if leap or surprised or not fits(match):
            reach = _LEAP_M if leap else _NEAR_M
            found = look_around(self._current.pyramid, points, self._pose, reach_m=reach)
            if found is None:
                self._doubt(scan)
                return
            match = found
            surprised = not leap and self._surprising(match)
        if (surprised or match.support < FITS_SURELY) and self._fits_better_elsewhere(
            points, match, surprised=surprised
        ):
            self._doubt(scan)
            return
        self._doubts = self._doubts + 1 if surprised else 0
        if match.support < FITS_WELL:  # good enough to follow, not to draw
            self._pose, self._covariance = match.pose, match.covariance
        else:
            self._accept(scan, match.pose, match.covariance)

    def _surprising(self, match: Match) -> bool:
        """Whether a match is farther from where the wheels led than they can have erred."""
        spread = math.sqrt(float(self._covariance[0, 0] + self._covariance[1, 1]))
        return distance(match.pose, self._pose) > _SURPRISING_M + 3 * spread

    def _fits_better_elsewhere(self, points: FloatArray, match: Match, *, surprised: bool) -> bool:
        """Whether a scan fits another place better; where nothing surprises, clearly better."""
        lately = self._wheels.stamp_ns - self._thought_ns < _SECOND_THOUGHTS_S * 1e9
        if lately and not self._doubts and not surprised:
            return False
        self._thought_ns = self._wheels.stamp_ns
        assert self._current is not None
        here = compose(self._current.pose, match.pose)
        best = next(iter(places_that_fit(self.atlas, points)), None)
        return best is not None and (
            best.quality > (1 if surprised else _BETTER) * match.quality
            and not (best.floor == self.floor and distance(best.pose, here) < SUBMAP_M / 2)
        )

    def _doubt(self, scan: Scan) -> None:
        self._doubts += 1
        if self._doubts >= _DOUBTS:
            self._lost = True
            self._hypotheses = []
            self._sought = None
            self._seek(scan, STILL)

    def _accept(self, scan: Scan, pose: Planar, covariance: FloatArray) -> None:
        assert self._current is not None
        self._pose, self._covariance = pose, covariance
        self._matched = (pose, self._wheels.stamp_ns)
        here = self.pose
        self._draw(scan, here)
        spacing = _KEPT_FIRST if len(self._current.frames) < _YOUNG else _KEPT_EVERY
        if self._kept is not None and _near(self._kept, here, spacing):
            return
        self._leave_or_stay(scan)
        assert self._current is not None
        mature = len(self._current.frames) >= _MATURE
        if not mature or self._kept is None or distance(self._kept, here) > _KEPT_AGAIN_M:
            self.atlas.keep(self._current, self._pose, scan)
            self._kept = self.pose

    def _draw(self, scan: Scan, here: Planar) -> None:
        """Add a scan to the floor's map, where that is news."""
        if self._drawn is not None and self._drawn[0] is self.grid:
            _, pose, stamp_ns = self._drawn
            late = self._wheels.stamp_ns - stamp_ns >= _DRAWN_EVERY_S * 1e9
            if not late and _near(pose, here, _DRAWN_EVERY):
                return
        self._drawn = (self.grid, here, self._wheels.stamp_ns)
        self.grid.insert(scan, here)

    # -- submaps ----------------------------------------------------------------------------

    def _begin(self, pose: Planar, seed: Submap | None = None) -> Submap:
        name = f"anchor-{self._wheels.stamp_ns}-{len(self.atlas.submaps)}"
        return self.atlas.begin(name, pose, floor=self.floor, seed=seed)

    def _leave_or_stay(self, scan: Scan) -> None:
        """Away from the anchor, go over to a submap that fits, or begin one."""
        current = self._current
        assert current is not None
        away = math.hypot(self._pose[0], self._pose[1])
        if away < SUBMAP_M:
            return
        points = scan_points(scan)
        here = self.pose
        slack = min(_MOST_DRIFT_M, 0.3 + _DRIFT * self._since_closure_m)
        around = list(self.atlas.near(here, floor=self.floor, radius_m=SUBMAP_M + slack))
        guesses = [(submap, here) for submap in around[:4]]
        for pose in self._candidates():
            near = self.atlas.near(planar(pose), floor=self.floor, radius_m=SUBMAP_M)
            guesses += [(submap, planar(pose)) for submap in list(near)[:1]]
        for submap, guess in guesses:
            nearer = distance(submap.pose, guess) < away - 0.4
            if submap is not current and nearer and self._go_over(submap, points, guess, slack):
                return
        if away > SUBMAP_M + 0.4:
            began = self._begin(here, current)
            exactly = np.zeros((3, 3))
            self.atlas.link_through(current, self._pose, self._covariance, began, STILL, exactly)
            self._current, self._pose = began, STILL
            self._covariance = np.diag([0.01, 0.01, 0.005]) ** 2

    def _go_over(self, submap: Submap, points: FloatArray, guess: Planar, slack: float) -> bool:
        """Take another submap for the current one if the scan fits there."""
        current = self._current
        assert current is not None
        inner = between(submap.pose, guess)
        linked = self.atlas.linked(current.anchor_id, submap.anchor_id)
        match: Match | None
        if linked:
            information = np.linalg.inv(self._covariance + np.diag([0.05, 0.05, 0.02]) ** 2)
            match = refine(submap.grid, points, inner, information=information)
            if not lies_well(submap.grid, points, match, support=FITS_WELL):
                return False
        else:
            information = np.diag([1 / slack, 1 / slack, 1 / 0.1]) ** 2
            match = refine(submap.grid, points, inner, information=information)
            if not lies_well(submap.grid, points, match, support=FITS_SURELY):
                match = look_around(submap.pyramid, points, inner, reach_m=slack)
            if match is None:
                return False
            self.atlas.link_through(
                current, self._pose, self._covariance, submap, match.pose, match.covariance
            )
            shift = between(inner, match.pose)
            closed = math.hypot(shift[0], shift[1]) > _CLOSED[0] or abs(shift[2]) > _CLOSED[1]
            if closed and not self.atlas.settle():
                return False
            self._since_closure_m = 0.0
        self._current, self._pose, self._covariance = submap, match.pose, match.covariance
        return True

    # -- lost -------------------------------------------------------------------------------

    def _seek(self, scan: Scan, step: Planar) -> None:
        """Carry all places that may be right along; localised when one is left."""
        points = scan_points(scan)
        self._hypotheses = [h.moved(step) for h in self._hypotheses]
        if self._sought is not None:
            pose, sought_ns = self._sought
            late = self._wheels.stamp_ns - sought_ns > _SOUGHT_EVERY_S * 1e9
            if not late and _near(pose, self._pose, _SOUGHT_EVERY):
                return
        if len(points) < _FEWEST_POINTS:
            return
        self._sought = (self._pose, self._wheels.stamp_ns)
        self._hypotheses = still_fitting(self.atlas, points, self._hypotheses) or places_that_fit(
            self.atlas, points
        )
        only = told_apart(self._hypotheses, [planar(pose) for pose in self._candidates()])
        if only is None:
            return
        for submap in self.atlas.near(only.pose, floor=only.floor, radius_m=2 * SUBMAP_M):
            match = refine(submap.grid, points, between(submap.pose, only.pose))
            if lies_well(submap.grid, points, match, support=FITS_WELL):
                self.floor, self._current = only.floor, submap
                self._lost, self._doubts, self._hypotheses = False, 0, []
                self._kept = None
                self._since_closure_m = 0.0
                self._accept(scan, match.pose, match.covariance)
                return


def _apart(first: Pose, second: Pose) -> bool:
    one, other = planar(first), planar(second)
    return not _near(one, other, (_MOVED, _MOVED))


def _near(first: Planar, second: Planar, limits: tuple[float, float]) -> bool:
    return distance(first, second) < limits[0] and turn_between(first, second) < limits[1]
