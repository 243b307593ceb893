"""What the fingers do to the world: take hold of loose things, carry them, and put them down.

Whether something is between the fingers is felt by rays from pad to pad. Nothing is simulated: what
is held moves with the hand, what is let go comes to stand on what is below it.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from memory_core.types import FloatArray, Pose, Vector3
from memory_sim.worlds.home.robot import ALL_BUT_ROBOT, ROBOT_GROUP, Held, Part, RobotBody
from memory_sim.worlds.home.robot_model import WIDEST_GRIP_M

CLOSE_SECONDS = 0.5
_PAD_M = tuple(itertools.product((-0.008, 0.0, 0.008), (-0.014, -0.007, 0.0, 0.004)))
"""Where the rays run, across and along the finger, from the point between the tips."""
_WORLD_GROUP, _EVERY_GROUP = 1, -1
_DROP_FROM_M = 0.04
_LEVEL_WITHIN_M = 0.015


TAKEN_AWAY = Pose(z=-50.0)
"""Where things are that nobody can see any more, map."""


@dataclass(frozen=True, slots=True)
class Grip:
    """What the fingers closed on.

    Attributes:
        part: The body and its link; None where they met.
        width_m: Between the fingers.
        shift_m: How far a loose thing slid along the closing axis until both fingers touched.
    """

    part: Part | None = None
    width_m: float = 0.0
    shift_m: float = 0.0


class Gripper:
    """A parallel gripper."""

    def __init__(self, robot: RobotBody) -> None:
        """Open the fingers of a robot."""
        self._robot, self._world = robot, robot.world
        self._things = {self._world.bodies[name]: name for name in self._world.things}
        self.width_m = WIDEST_GRIP_M
        self.spread()

    @property
    def holding(self) -> bool:
        """Whether something keeps the fingers apart."""
        return self._robot.held is not None

    def spread(self) -> None:
        """Open the fingers as far as they go."""
        self._set(WIDEST_GRIP_M)

    def shut(self) -> None:
        """Bring the fingers together; nothing is taken hold of."""
        self._set(0.0)

    def close(self) -> Grip:
        """Close the fingers on what is between them; a loose thing is held from then on."""
        grip = self._between()
        if grip.part is None or grip.part[0] not in self._things:
            self._set(grip.width_m)
            return grip
        self._set(grip.width_m)
        body = grip.part[0]
        thing, tool = self._things[body], self._robot.tool()
        slide = tool.matrix()[:3, 1] * grip.shift_m
        at = self._world.pose_of(thing)
        moved = Pose(at.x + slide[0], at.y + slide[1], at.z + slide[2], *at.quaternion)
        self._group(body, ROBOT_GROUP, ALL_BUT_ROBOT)
        self._robot.held = Held(thing, body, tool.inverse().compose(moved))
        self._robot.settle()
        return grip

    def release(self) -> None:
        """Let go: the held thing comes to stand, upright, on what is below it."""
        held = self._robot.held
        self.spread()
        if held is None:
            return
        self._robot.held = None
        at = self._robot.tool().compose(held.pose)
        upright = Pose.from_yaw(at.x, at.y, z=at.z, yaw=at.yaw)
        self._world.place(held.thing, upright)
        drop = self._drop(held.body)
        self._world.place(held.thing, Pose.from_yaw(at.x, at.y, z=at.z - drop, yaw=at.yaw))
        self._group(held.body, _WORLD_GROUP, _EVERY_GROUP)

    def hand_over(self) -> str | None:
        """Somebody takes what is held out of the house; its id, None where nothing was held."""
        held = self._robot.held
        self.spread()
        if held is None:
            return None
        self._robot.held = None
        self._world.place(held.thing, TAKEN_AWAY)
        self._group(held.body, _WORLD_GROUP, _EVERY_GROUP)
        return held.thing

    def things_among(self, parts: Iterable[Part]) -> frozenset[int]:
        """The bodies among parts that are loose things."""
        return frozenset(body for body, _ in parts if body in self._things)

    def shove(self, by: tuple[float, float]) -> bool:
        """Loose things that the hand runs into slide along, map x and y; whether there were any."""
        things = self.things_among(self._robot.around(*self._robot.bounds()))
        met = [body for body in things if self._robot.touches([(body, -1)]) is not None]
        for body in met:
            at = self._world.pose_of(self._things[body])
            self._world.place(
                self._things[body], Pose(at.x + by[0], at.y + by[1], at.z, *at.quaternion)
            )
            drop = self._drop(body)
            self._world.place(
                self._things[body], Pose(at.x + by[0], at.y + by[1], at.z - drop, *at.quaternion)
            )
        return bool(met)

    def _set(self, width_m: float) -> None:
        self.width_m = width_m
        self._robot.open_fingers(width_m)

    def _group(self, body: int, group: int, mask: int) -> None:
        """Rays of the robot pass through what it holds."""
        for link in range(-1, self._world.client.getNumJoints(body)):
            self._world.client.setCollisionFilterGroupMask(body, link, group, mask)

    def _between(self) -> Grip:
        """What lies between the pads, by rays from each pad towards the other."""
        half = self.width_m / 2
        tool = self._robot.tool()
        left = tool.transform(np.array([(x, -half, z) for x, z in _PAD_M]))
        right = tool.transform(np.array([(x, half, z) for x, z in _PAD_M]))
        hits = self._world.client.rayTestBatch(
            np.concatenate([left, right]), np.concatenate([right, left]), numThreads=1,
            collisionFilterMask=ALL_BUT_ROBOT,
        )  # fmt: skip
        parts = Counter((hit[0], hit[1]) for hit in hits if hit[0] >= 0)
        if not parts:
            return Grip()
        # links of a loose thing are one thing, links of furniture are not
        loose = Counter({p: n for p, n in parts.items() if p[0] in self._things})
        part = (loose or parts).most_common(1)[0][0]
        count = len(_PAD_M)
        share = [hit[2] if (hit[0], hit[1]) == part else 1.0 for hit in hits]
        low = -half + self.width_m * min(share[:count])
        high = half - self.width_m * min(share[count:])
        return Grip(part, max(high - low, 0.0), -(low + high) / 2)

    def _drop(self, body: int) -> float:
        """How far a thing sinks until something below carries it, metres; negative lifts it."""
        low, high = map(np.array, self._world.client.getAABB(body))
        middle, half = (low + high) / 2, (high - low) / 2
        spots = [(0.0, 0.0), *itertools.product((-0.6, 0.6), repeat=2)]
        start = np.array(
            [(middle[0] + x * half[0], middle[1] + y * half[1], low[2]) for x, y in spots]
        )
        start[:, 2] += min(_DROP_FROM_M, half[2])
        end = start - (0.0, 0.0, 5.0)
        hits = self._world.client.rayTestBatch(
            start, end, numThreads=1, collisionFilterMask=ALL_BUT_ROBOT
        )
        below = [hit[3][2] for hit in hits if hit[0] >= 0]
        if not below:
            return 0.0
        carried = [z for z in below if abs(z - below[0]) < _LEVEL_WITHIN_M]
        return float(low[2] - max(carried))


def middle_of(points: FloatArray) -> Vector3:
    """The middle of the box around a cloud, stray points left out; shape (n, 3)."""
    low, high = np.percentile(points, (3, 97), axis=0)
    x, y, z = ((low + high) / 2).tolist()
    return x, y, z
