"""How a ball that rolls is met: it is stopped first, then grasped or pushed to where it belongs."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from memory_core.types import FloatArray, Pose
from memory_sim.agents.table.skills import (
    SHUT_M,
    Instant,
    Moves,
    Track,
    hold,
    pointing_down,
    reach,
    rise,
    wrapped,
)
from memory_sim.tasks.table.spaces import step_towards
from memory_sim.worlds.table.robot import WIDEST_M

_RADIUS_M = 0.02
_BLOCKING_M = 0.02
"""Between the fingers when they bar the ball's way."""
_SLOW_M_S, _SOON_S, _LATE_S = 0.6, 1.05, 1.35
"""A ball is awaited where it is after the later time if it is slow, else after the sooner."""
_WIDE_Y_M, _WIDE_X_M = 0.3, (0.31, 0.62)
_ENOUGH_SIGHTINGS, _AWAITED_STEPS, _LEAST_M_S = 3, 60, 0.1
_READY = (0.44, 0.05, 0.10)
"""Where the hand waits until it knows how the ball rolls."""
_TRIES, _PUSHED_STEPS, _ASIDE_M = 5, 14, 0.025


@dataclass(frozen=True, slots=True)
class Catch:
    """Stop the ball, grasp it and lift it."""

    def moves(self, now: Instant) -> Moves:
        """See `Deed.moves`."""
        now = yield from _block(now)
        for _ in range(_TRIES):
            now = yield from rise(now, 0.075, now.felt.width_m)
            for lead_s, z, steps in ((0.55, 0.07, 12), (0.25, _RADIUS_M, 8)):
                ball = now.track()
                if ball is None:
                    return (yield from hold(now, WIDEST_M, 1))
                x, y = _ahead(ball, lead_s)
                now = yield from reach(
                    now, (x, y, z), WIDEST_M, yaw=math.pi / 2, within_m=0.01, steps=steps,
                    rest=False,
                )  # fmt: skip
            now = yield from hold(now, SHUT_M, 5)
            tool = now.felt.tool
            now = yield from reach(now, (tool.x, tool.y, 0.10), SHUT_M, steps=8)
            now = yield from hold(now, SHUT_M, 2)
        return now


@dataclass(frozen=True, slots=True)
class Hit:
    """Stop the ball, get behind it and push it to a place, x and y."""

    place: tuple[float, float]

    def moves(self, now: Instant) -> Moves:
        """See `Deed.moves`."""
        now = yield from _block(now)
        for _ in range(_TRIES):
            now = yield from rise(now, 0.075, _BLOCKING_M)
            ball = now.track()
            if ball is None:
                break
            for lead_s, z, steps in ((0.6, 0.075, 14), (0.3, _RADIUS_M, 7)):
                start = _ahead(ball, lead_s)
                way = _direction(start, self.place)
                yaw = wrapped(math.atan2(way[1], way[0]), math.pi)
                x, y = (start - 0.06 * way).tolist()
                now = yield from reach(
                    now, (x, y, z), _BLOCKING_M, yaw=yaw, within_m=0.012, steps=steps, rest=False
                )
                ball = now.track() or ball
            now = yield from self._push(now, yaw)
        return (yield from hold(now, _BLOCKING_M, 1))

    def _push(self, now: Instant, yaw: float) -> Moves:
        """Keep behind the ball on its way to the place."""
        for _ in range(_PUSHED_STEPS):
            ball = now.track()
            if ball is None:
                break
            at = np.array(ball.position[:2])
            way = _direction(at, self.place)
            ahead = at - now.felt.tool.position[:2]
            if abs(float(way[0] * ahead[1] - way[1] * ahead[0])) > _ASIDE_M:
                break
            x, y = (at + 0.05 * way).tolist()
            goal = Pose(x, y, _RADIUS_M, *pointing_down(yaw))
            now = yield step_towards(now.felt, goal, _BLOCKING_M, speed=0.5)
        return now


def _block(now: Instant) -> Moves:
    """Go to a point on the ball's way with the fingers down, and let it run against them."""
    ball, sightings = now.track(), 0
    for _ in range(_AWAITED_STEPS):
        sightings += ball is not None
        if sightings > _ENOUGH_SIGHTINGS:
            break
        goal = Pose(*_READY, *pointing_down(math.pi / 2))
        now = yield step_towards(now.felt, goal, _BLOCKING_M)
        ball = now.track()
    if ball is None:
        return now
    slow = ball.velocity[1] < _SLOW_M_S
    y = float(np.clip(_ahead(ball, _LATE_S if slow else _SOON_S)[1], -_WIDE_Y_M, _WIDE_Y_M))
    for _ in range(_AWAITED_STEPS):
        if ball is None or ball.position[1] > y - _RADIUS_M:
            break
        left_s = (y - ball.position[1]) / max(ball.velocity[1], _LEAST_M_S)
        x = float(np.clip(_ahead(ball, left_s)[0], *_WIDE_X_M))
        goal = Pose(x, y + 0.028, _RADIUS_M, *pointing_down(math.pi / 2))
        now = yield step_towards(now.felt, goal, _BLOCKING_M)
        ball = now.track()
    return (yield from hold(now, _BLOCKING_M, 3))


def _ahead(ball: Track, seconds: float) -> FloatArray:
    """Where it will be on the table, shape (2,)."""
    return np.asarray(np.array(ball.position[:2]) + seconds * np.array(ball.velocity[:2]))


def _direction(start: FloatArray, end: tuple[float, float]) -> FloatArray:
    way = np.array(end) - start
    return np.asarray(way / max(float(np.linalg.norm(way)), 1e-6))
