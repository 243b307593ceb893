"""A house drawn with lines, and a robot that drives in it on wheels that deceive it.

Poses here are the truth, which nothing under test is given.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np

from memory_core.planning.body import Lift, Motion, Scan
from memory_core.types import FloatArray, Pose

Point = tuple[float, float]
SECOND_NS = 1_000_000_000
START_NS = 1_700_000_000 * SECOND_NS
RANGE_M = 8.0


def wall(*points: Point) -> list[FloatArray]:
    """A chain of segments, each (x1, y1, x2, y2)."""
    return [np.array([*a, *b], float) for a, b in itertools.pairwise(points)]


def box(x: float, y: float, width: float, depth: float) -> list[FloatArray]:
    """A piece of furniture, its lower left corner at (x, y)."""
    right, top = x + width, y + depth
    return wall((x, y), (right, y), (right, top), (x, top), (x, y))


def house(*, doors: bool = True) -> list[FloatArray]:
    """Six rooms along a corridor, 14 x 10 m; the first two above the corridor are twins.

    Args:
        doors: Whether neighbouring rooms are joined by doors, so that there are loops.
    """
    segments = wall((0, 0), (14, 0), (14, 10), (0, 10), (0, 0))
    for y in (4.2, 5.8):
        for left, right in ((0, 1.6), (2.5, 6.2), (7.1, 11.2), (12.1, 14)):
            segments += wall((left, y), (right, y))
    for x in (4.6, 9.2):
        if doors:
            segments += wall((x, 0), (x, 1.5)) + wall((x, 2.4), (x, 4.2))
            segments += wall((x, 5.8), (x, 8.0)) + wall((x, 8.9), (x, 10))
        else:
            segments += wall((x, 0), (x, 4.2)) + wall((x, 5.8), (x, 10))
    furniture = [
        (0.0, 9.2, 1.8, 0.8), (3.4, 6.2, 0.6, 1.2), (4.6, 9.2, 1.8, 0.8), (8.0, 6.2, 0.6, 1.2),
        (12.6, 9.0, 1.4, 1.0), (10.2, 7.0, 0.9, 0.9), (0.0, 0.0, 0.7, 2.4), (2.6, 1.0, 0.8, 0.6),
        (5.2, 0.0, 2.2, 0.6), (8.2, 3.0, 1.0, 1.2), (10.4, 0.0, 1.6, 1.0), (13.2, 2.0, 0.8, 1.6),
    ]  # fmt: skip
    for piece in furniture:
        segments += box(*piece)
    return segments


def twins() -> list[FloatArray]:
    """Two rooms alike to the last chair, at the ends of a corridor that is not."""
    segments = wall((0, 0), (12, 0), (12, 6), (0, 6), (0, 0))
    segments += wall((0, 2), (1.5, 2)) + wall((2.4, 2), (7.5, 2)) + wall((8.4, 2), (12, 2))
    segments += wall((4, 2), (4, 6)) + wall((6, 2), (6, 6)) + wall((10, 2), (10, 6))
    for left in (0.0, 6.0):
        segments += box(left + 2.8, 4.6, 0.8, 1.0) + box(left + 0.2, 3.0, 0.4, 0.9)
    return segments + box(11.0, 1.3, 0.5, 0.5) + box(5.0, 0.0, 0.6, 0.4)


class FlatRobot:
    """A differential drive with a range scanner, as `Base`.

    Attributes:
        x: Metres, the truth.
        y: Metres, the truth.
        yaw: Radians, the truth.
        walls: Segments of each floor, each shape (n, 4).
        floor: Number of the floor.
        travelled_m: Way driven.
        bumps: How often something was touched.
    """

    radius_m = 0.22

    def __init__(
        self,
        walls: Sequence[FloatArray],
        pose: tuple[float, float, float],
        *,
        seed: int = 0,
        scale: float = 1.02,
        drift_rad_m: float = 0.01,
        range_noise_m: float = 0.01,
        beams: int = 240,
        lifts: Sequence[Lift] = (),
        upper: Sequence[FloatArray] = (),
    ) -> None:
        self.x, self.y, self.yaw = pose
        self.walls = [np.array(walls)] + ([np.array(upper)] if len(upper) else [])
        self.floor = 0
        self.travelled_m = 0.0
        self.bumps = 0
        self._lifts = lifts
        self._stamp_ns = START_NS
        self._odometry = np.zeros(3)
        self._scale, self._drift, self._noise = scale, drift_rad_m, range_noise_m
        self._random = np.random.default_rng(seed)
        self._angles = np.linspace(-np.pi, np.pi, beams, endpoint=False)

    @property
    def stamp_ns(self) -> int:
        return self._stamp_ns

    @property
    def truth(self) -> tuple[float, float, float]:
        return self.x, self.y, self.yaw

    def drive(self, linear_m_s: float, angular_rad_s: float, seconds: float) -> Motion:
        bumped = False
        parts = max(1, math.ceil(seconds / 0.05))
        for _ in range(parts):
            step = seconds / parts
            way, turn = linear_m_s * step, angular_rad_s * step
            x = self.x + way * math.cos(self.yaw + turn / 2)
            y = self.y + way * math.sin(self.yaw + turn / 2)
            if way and self._touches(x, y):
                bumped = True
                way = 0.0
            else:
                self.x, self.y = x, y
            self.yaw += turn
            self.travelled_m += abs(way)
            self._roll(way, turn)
        self.bumps += bumped
        self._stamp_ns += round(seconds * SECOND_NS)
        return Motion(self._stamp_ns, self._seen_by_wheels(), bumped)

    def _roll(self, way: float, turn: float) -> None:
        way *= self._scale * (1 + self._random.normal(0, 0.02))
        turn = turn * self._scale + self._drift * abs(way) + self._random.normal(0, 0.02) * turn
        x, y, yaw = self._odometry
        self._odometry = np.array(
            [x + way * math.cos(yaw + turn / 2), y + way * math.sin(yaw + turn / 2), yaw + turn]
        )

    def _seen_by_wheels(self) -> Pose:
        x, y, yaw = map(float, self._odometry)
        return Pose.from_yaw(x, y, yaw=yaw)

    def jump(self, dx: float, dy: float) -> None:
        """The odometry leaps while the robot stands."""
        self._odometry[:2] += (dx, dy)

    def kidnap(self, x: float, y: float, yaw: float) -> None:
        """Somebody carries the robot away."""
        self.x, self.y, self.yaw = x, y, yaw

    def scan(self) -> Scan:
        walls = self.walls[self.floor]
        bearing = self._angles + self.yaw
        dx, dy = np.cos(bearing)[:, None], np.sin(bearing)[:, None]
        ax, ay = walls[:, 0] - self.x, walls[:, 1] - self.y
        ex, ey = walls[:, 2] - walls[:, 0], walls[:, 3] - walls[:, 1]
        with np.errstate(divide="ignore", invalid="ignore"):
            cross = dx * ey - dy * ex
            reach = (ax * ey - ay * ex) / cross
            share = (ax * dy - ay * dx) / cross
            good = (reach > 0) & (share >= 0) & (share <= 1)
        ranges = np.where(good, reach, np.inf).min(axis=1)
        ranges = ranges + self._random.normal(0, self._noise, len(ranges))
        return Scan(self._angles, np.where(ranges < RANGE_M, ranges, np.inf), RANGE_M)

    def ride(self, floor: int) -> Motion:
        stops = self._lifts[0].stops
        before, after = stops[self.floor], stops[floor]
        assert math.hypot(self.x - before.x, self.y - before.y) < 0.3
        self.x += after.x - before.x
        self.y += after.y - before.y
        self.floor = floor
        self._stamp_ns += 10 * SECOND_NS
        return Motion(self._stamp_ns, self._seen_by_wheels())

    def _touches(self, x: float, y: float) -> bool:
        walls = self.walls[self.floor]
        start, along = walls[:, :2], walls[:, 2:] - walls[:, :2]
        to = np.array([x, y]) - start
        share = np.clip((to * along).sum(axis=1) / (along**2).sum(axis=1), 0, 1)
        gap = to - share[:, None] * along
        return bool(((gap**2).sum(axis=1) < self.radius_m**2).any())
