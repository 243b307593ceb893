"""A hand for tests: moves the tool of an environment about, with the truth at hand."""

from __future__ import annotations

import math

import gymnasium
import numpy as np

import memory_sim.tasks.table  # noqa: F401  registers the ids
from memory_core.types import Pose
from memory_sim.tasks.table import Proprioception, step_towards, to_action


def made(name, **options):
    return gymnasium.make(name, **({"cameras": (), "privileged": True} | options)).unwrapped


def pointing_down(yaw):
    """An orientation of the tool whose fingers close across a direction of the table."""
    return Pose.from_yaw(0, 0, yaw=yaw).compose(Pose(qx=1, qw=0)).quaternion


class Hand:
    """Plays one episode."""

    def __init__(self, env, seed):
        self.env = env
        self.seen, self.info = env.reset(seed=seed)
        self.reward, self.ended, self.truncated, self.width = 0.0, False, False, 0.08

    @property
    def over(self):
        return self.ended or self.truncated

    @property
    def felt(self):
        return Proprioception.read(self.seen["proprioception"])

    @property
    def answer(self):
        return self.info["state"]["answer"]

    def thing(self, name):
        return self.info["state"]["things"][name]

    def fitting(self, name):
        return self.info["state"]["fittings"][name]

    def act(self, action):
        if not self.over:
            self.seen, self.reward, self.ended, self.truncated, self.info = self.env.step(action)

    def wait(self, steps, width=None):
        self.width = self.width if width is None else width
        for _ in range(steps):
            self.act(to_action(np.zeros(3), np.zeros(3), self.width))

    def wait_for_choice(self):
        while (
            not self.over and round(20 * float(self.seen["clock"][0])) <= self.answer["from_step"]
        ):
            self.wait(1)

    def go(self, x, y, z, *, yaw=None, speed=1.0, steps=60):
        for _ in range(steps):
            felt = self.felt
            goal = Pose(x, y, z, *(felt.aim.quaternion if yaw is None else pointing_down(yaw)))
            near = math.dist(felt.tool.position, goal.position) < 0.004
            turned = abs(np.dot(felt.tool.quaternion, goal.quaternion)) > 0.9998
            if self.over or (near and turned and np.abs(felt.speeds).max() < 0.15):
                return
            self.act(step_towards(felt, goal, self.width, speed=speed))

    def touch(self, name, above=0.04):
        at = self.thing(name)
        self.go(at.x, at.y, at.z + above + 0.08)
        self.go(at.x, at.y, at.z + above)
        self.wait(2)

    def grasp(self, x, y, z, *, yaw=0.0):
        self.wait(1, width=0.08)
        self.go(x, y, z + 0.12, yaw=yaw)
        self.go(x, y, z, yaw=yaw)
        self.wait(8, width=0.0)

    def carry(self, name, place):
        at = self.thing(name)
        self.grasp(at.x, at.y, 0.02, yaw=quarter(at.yaw))
        self.go(at.x, at.y, 0.1)
        self.go(*place, 0.1)
        self.go(*place, 0.022)
        self.wait(7, width=0.08)
        self.go(*place, 0.15)

    def press(self, name):
        at, _ = self.fitting(name)
        self.wait(1, width=0.0)
        self.go(at.x, at.y, at.z + 0.08, yaw=0.0)
        self.go(at.x, at.y, at.z - 0.012, speed=0.5, steps=14)
        self.go(at.x, at.y, at.z + 0.08)


def quarter(yaw):
    """The same direction of a square, within 45 degrees."""
    return (yaw + math.pi / 4) % (math.pi / 2) - math.pi / 4
