"""What is seen in passing and at a glance: furniture that was looked over need not be gone to first.

Before a robot that searches drives on, it turns its head to the furniture round about that it has
not looked over yet: it costs no way.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from memory_core.planning.body import Seen
from memory_core.planning.candidates import SAME_SPOT_M
from memory_core.planning.regions import Region, has_boards, supports
from memory_core.types import BoolArray, FloatArray, Pose, Vector3

PASSED_M, PASSED_FRAMES, PASSED_SHARE = 4.0, 3, 0.5
"""Furniture of which so much was seen, as on a floor plan, from so near in so many frames was looked
over in passing; of a chair from behind and of a high cabinet little is seen. In three frames that
showed 0.1 m2 of it the detector missed what was on it 3 times of 100 within 3.5 m and 16 times
within 4.5 m; 0.2 m2: 4 and 15 (80 to 111 passes of three homes, exact detections)."""
GLANCE_M, LOW_M, HIGH_M = 3.5, -0.3, 1.1
"""Furniture is glanced at from so far, if it is so high above this floor."""
STOOD_M, DETOUR_M = 1.2, 0.5
"""Who looks at furniture stands about so far from it, and takes so much longer a way where no wall
is between."""
GLANCES = 3
"""What three glances did not show is behind something."""
SHOWN, SHOWN_CELL_M, ABOVE_M = 0.5, 0.2, 0.6
"""A look shows furniture that has something in view over so much of it: not its feet (seats are as
low as in the middle of a chair), and what stands on it."""
UNKNOWN_M = 0.5
"""As long and wide is taken to be what nobody knows the size of."""
SAME_PIECE_M = 0.3
"""A look may move the middle of furniture that was known in part by so much."""
LEAST_M2, EDGE_M2, CELL_M = 0.25, 0.06, 0.1
"""So much of the floor plan furniture takes up at least; of what seems smaller than an edge no
more than that was ever seen."""
WIDE_M = 1.0
OVERLOOKED, OVERLOOKED_WIDE, GLANCED = 0.15, 0.3, 0.1
"""Chance that a thing on furniture is not noticed in passing (wide pieces are passed in part), and
where a glance of two looks showed it."""
SHOWS = 0.6
"""How likely a glance that one means to take will show a thing that is there."""
FIELD_RAD = 1.0
"""So far apart, about the robot, what one glance takes in may be."""
ELSEWHERE_M = 0.75
"""Who has gone so far may see more of the same furniture."""


class Passed:
    """Furniture that was passed, and how much of it was seen."""

    def __init__(self) -> None:
        self._seen: list[tuple[str, Vector3, float]] = []
        self._glanced: list[tuple[Region, Vector3, bool]] = []
        """Furniture, from where it was glanced at, and whether it was shown."""

    def note(self, noticed: Sequence[Seen]) -> None:
        """Remember what was seen from near, of what things are put on."""
        for item in noticed:
            near = np.linalg.norm(item.cloud[:, :2].mean(axis=0)) <= PASSED_M
            if near and supports(item.label):
                self._seen.append((item.label, item.position, _covered_m2(item)))

    def glance(self, regions: Sequence[Region], here: Pose, cloud: FloatArray) -> None:
        """Remember that furniture was glanced at.

        Args:
            regions: The furniture.
            here: From where, `map`.
            cloud: What was seen, `map`, metres, shape (n, 3).
        """
        self._glanced += [
            (region, here.position, shown(region, cloud) >= SHOWN) for region in regions
        ]

    def worth_a_glance(self, regions: Sequence[Region], here: Pose) -> list[Region]:
        """Furniture that is near enough, and was neither looked over nor glanced at from here.

        Shelves are glanced at too, but have to be gone to all the same.
        """
        near = in_view(regions, [here.position], within_m=GLANCE_M)[0]
        return [
            region
            for region, is_near in zip(regions, near, strict=True)
            if is_near
            and not region.shut
            and self.overlooked(region) == 1.0
            and self._may_show_more(region, here)
        ]

    def _may_show_more(self, region: Region, here: Pose) -> bool:
        before = [stood for one, stood, _ in self._glanced if _same_piece(region, one)]
        return len(before) < GLANCES and not any(
            math.dist(here.position, stood) < ELSEWHERE_M for stood in before
        )

    def shows(
        self, regions: Sequence[Region], stood: Sequence[Vector3], apart_m: FloatArray
    ) -> FloatArray:
        """How likely what is on n regions is noticed while one looks at each.

        Args:
            regions: Furniture, drawers and doors.
            stood: Where one stands to look at each, `map`.
            apart_m: Ways between those, shape (n, n): where one is much longer than the look, a
                wall is between.

        Returns:
            Shape (n, n), as `search_order.Places.shows`.
        """
        new = [is_open(region) and self.overlooked(region) == 1.0 for region in regions]
        straight = apart_m <= _away_m(regions, stood) + STOOD_M + DETOUR_M
        seen = np.array(new, bool) & straight & in_view(regions, stood, within_m=GLANCE_M)
        shows = np.where(seen, SHOWS, 0.0)
        np.fill_diagonal(shows, 1.0)
        return shows

    def overlooked(self, region: Region) -> float:
        """The chance that a thing which is there was not noticed; 1 where it was not passed."""
        if not is_open(region):
            return 1.0
        if any(was_shown and _same_piece(region, one) for one, _, was_shown in self._glanced):
            return GLANCED
        needed_m2 = PASSED_SHARE * max(LEAST_M2, region.size[0] * region.size[1])
        frames = sum(
            name == region.name
            and math.dist(at, region.centre) <= SAME_SPOT_M
            and covered_m2 >= needed_m2
            for name, at, covered_m2 in self._seen
        )
        if frames < PASSED_FRAMES:
            return 1.0
        return OVERLOOKED_WIDE if max(region.size[:2]) > WIDE_M else OVERLOOKED


def in_view(regions: Sequence[Region], places: Sequence[Vector3], *, within_m: float) -> BoolArray:
    """Which of n regions are near enough, and at a height, to be looked over from m places.

    Args:
        regions: They.
        places: On the floor, `map`.
        within_m: No farther.

    Returns:
        Shape (m, n).
    """
    height = _tops(regions)[None, :, 2] - np.reshape(places, (-1, 3))[:, None, 2]
    near = _away_m(regions, places) <= within_m
    return np.asarray(near & (height >= LOW_M) & (height <= HIGH_M))


def _tops(regions: Sequence[Region]) -> FloatArray:
    return np.reshape([region.looked_at[0] for region in regions], (-1, 3))


def _away_m(regions: Sequence[Region], places: Sequence[Vector3]) -> FloatArray:
    """How far n regions are from m places, as on a floor plan, shape (m, n)."""
    away = _tops(regions)[None, :, :2] - np.reshape(places, (-1, 3))[:, None, :2]
    return np.asarray(np.linalg.norm(away, axis=-1))


def aim(regions: Sequence[Region], here: Pose) -> Vector3:
    """Where to look to have regions of one view in the picture, `map`."""
    at = np.array([here.inverse().apply(*region.looked_at[0]) for region in regions])
    bearing = np.arctan2(at[:, 1], at[:, 0])
    middle = float(bearing.min() + bearing.max()) / 2
    away_m, z = float(np.hypot(at[:, 0], at[:, 1]).mean()), float(at[:, 2].mean())
    return here.apply(away_m * math.cos(middle), away_m * math.sin(middle), z)


def hid(region: Region, here: Pose, cloud: FloatArray) -> bool:
    """Whether something stood before a surface that the eyes are high enough to look upon.

    Args:
        region: The surface.
        here: Where the robot stands, `map`.
        cloud: What it sees, `map`, metres, shape (n, 3); where it is empty nothing is known.
    """
    if not is_open(region) or region.top[2] - here.z > HIGH_M or not len(cloud):
        return False
    return shown(region, cloud) < SHOWN


def shown(region: Region, cloud: FloatArray) -> float:
    """The share of a region's footprint over which something of it, or on it, is in view.

    Of furniture of which only an edge was ever seen, that is nothing. Where a region has no height
    all that is there is of it.

    Args:
        region: Furniture; its length may lie along x or y of the map, as it was seen.
        cloud: What was seen, `map`, metres, shape (n, 3).
    """
    length, width, height = region.size
    if not max(length, width):
        length = width = UNKNOWN_M
    elif length * width < EDGE_M2:
        return 0.0
    away = cloud - np.array(region.centre)
    low = -height / 4 if height else -math.inf
    away = away[(away[:, 2] >= low) & (away[:, 2] <= height / 2 + ABOVE_M)]
    return max(_covered(away, (length, width)), _covered(away, (width, length)))


def _covered(away: FloatArray, size: tuple[float, float]) -> float:
    """The share of a rectangle's cells that points, shape (n, 3), from its middle are over."""
    half = np.maximum(np.array(size) / 2, SHOWN_CELL_M / 2)
    over = away[(np.abs(away[:, :2]) <= half).all(axis=1), :2]
    cells = np.ceil(2 * half / SHOWN_CELL_M - 1e-6)
    hit = np.floor((over + half) / (2 * half) * cells).clip(0, cells - 1)
    return len(np.unique(hit, axis=0)) / float(cells.prod())


def _same_piece(region: Region, other: Region) -> bool:
    near = math.dist(region.centre, other.centre) <= SAME_PIECE_M
    return region.name == other.name and near


def is_open(region: Region) -> bool:
    """Whether what is on a region is seen from everywhere around."""
    return not region.shut and not has_boards(region.name)


def in_one_view(regions: Sequence[Region], here: Pose) -> list[list[Region]]:
    """Regions in groups that one look takes in, from left to right."""
    views: list[tuple[float, list[Region]]] = []
    for bearing, region in sorted(
        ((_bearing(region, here), region) for region in regions), key=lambda pair: -pair[0]
    ):
        if views and views[-1][0] - bearing <= FIELD_RAD:
            views[-1][1].append(region)
        else:
            views.append((bearing, [region]))
    return [group for _, group in views]


def _bearing(region: Region, here: Pose) -> float:
    x, y, _ = here.inverse().apply(*region.centre)
    return math.atan2(y, x)


def _covered_m2(seen: Seen) -> float:
    """What the points on something cover of the floor plan."""
    cells = np.unique(np.floor(seen.cloud[:, :2] / CELL_M), axis=0)
    return len(cells) * CELL_M**2
