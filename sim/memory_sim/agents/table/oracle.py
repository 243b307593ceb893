"""An agent that is told the truth: where everything is and what is due. It shows what can be done."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from memory_core.types import FloatArray, Pose, Vector3
from memory_sim.agents.table.ball_skills import Catch, Hit
from memory_sim.agents.table.planner import Deed
from memory_sim.agents.table.skills import (
    Instant,
    Lift,
    Moves,
    Open,
    Press,
    Push,
    Put,
    Shut,
    Touch,
    Track,
    Turn,
    Wait,
    wrapped,
)
from memory_sim.tasks.table.spaces import Proprioception
from memory_sim.worlds.table.robot import CONTROL_HZ

_TURNED_RAD = 0.05
_PRESS_WHEN_MET = {"drawer": 1, "place": 2}
"""After how many conditions a button is due, by what is asked for."""


class TableOracle:
    """Does what the answer says with the skills that all agents have."""

    def reset(self, instruction: str, *, seed: int = 0) -> None:
        """See `Agent.reset`."""
        self._moves: Moves | None = None
        self._ball: Track | None = None

    def act(self, observation: Mapping[str, Any]) -> FloatArray:
        """See `Agent.act`."""
        state = observation["state"]
        self._ball = _followed(self._ball, state["things"].get("ball"))
        felt = Proprioception.read(observation["proprioception"])
        now = Instant(felt, lambda: self._ball)
        try:
            if self._moves is not None:
                return self._moves.send(now)
        except StopIteration:
            pass
        step = round(CONTROL_HZ * float(observation["clock"][0]))
        self._moves = _due(state, step).moves(now)
        return next(self._moves)

    def close(self) -> None:
        """See `Agent.close`."""


def _due(state: Mapping[str, Any], step: int) -> Deed | Wait:
    """What is due now."""
    answer, things, fittings = state["answer"], state["things"], state["fittings"]
    if step <= answer.get("from_step", -1):
        return Wait()
    for kind, when in _PRESS_WHEN_MET.items():
        if kind in answer and answer.get("met") == when and "button" in fittings:
            return Press(fittings["button"][0].position)
    if "press" in answer:
        return Press(fittings[answer["press"][0]][0].position) if answer["press"] else Wait()
    if "drawer" in answer:
        knob, travel_m = fittings[answer["drawer"]]
        return Open(knob.position) if answer["met"] else Shut(knob.position, travel_m)
    if not answer["things"]:
        return Wait()
    name = answer["things"][0]
    if "velocity" in answer:
        return Hit(answer["place"]) if "place" in answer else Catch()
    pose = things[name]
    if "angle_rad" in answer:
        left = answer["angle_rad"]
        return Turn(_top(pose), pose.yaw, left) if abs(left) > _TURNED_RAD else Wait()
    yaw = wrapped(pose.yaw, math.pi / 2)
    if "place" in answer:
        return Put(_top(pose), yaw, answer["place"])
    by_deed: dict[str, Deed] = {
        "touch": Touch(_top(pose)), "push": Push(_top(pose)), "pick": Lift(_top(pose), yaw)
    }  # fmt: skip
    return by_deed[answer["deed"]]


def _top(pose: Pose) -> Vector3:
    """The middle of the top of a thing that lies on the table."""
    return (pose.x, pose.y, 2 * pose.z)


def _followed(before: Track | None, now: Pose | None) -> Track | None:
    """A ball and how it moved since the last step."""
    if now is None:
        return None
    moved = np.zeros(3) if before is None else np.array(now.position) - before.position
    vx, vy, vz = (moved * CONTROL_HZ).tolist()
    return Track(now.position, (vx, vy, vz))
