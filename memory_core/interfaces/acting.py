"""The planner behind the calls `plan` and `go_to`: what the service asks, and the planner does."""

from __future__ import annotations

import math
import threading

from memory_core.errors import CallRefused, PlannerMissing
from memory_core.planning.body import Body
from memory_core.planning.planner import Planner
from memory_core.types import Json, Pose, Vector3


class Acting:
    """Plans with a planner, and drives its robot where it has one; one drive at a time."""

    def __init__(self, planner: Planner) -> None:
        """Stand before a planner; without a body it plans, and does not drive."""
        self._planner = planner
        self._driving = threading.Lock()

    def plan(self, goal: str) -> Json:
        """See `memory_core.interfaces.service.Planner.plan`."""
        return self._planner.plan(goal).to_json()

    def go_to(self, target: str | Vector3, *, map_id: str) -> Json:
        """See `memory_core.interfaces.service.Planner.go_to`."""
        body = self._planner.body
        if body is None:
            raise PlannerMissing(
                "there is a planner behind this memory, but no robot; start the server where one is"
            )
        if not self._driving.acquire(blocking=False):
            raise CallRefused("the robot is on its way already; wait until it has arrived")
        try:
            if isinstance(target, str):
                return self._planner.do(f"go to {target}").to_json()
            return _driven(body, target, map_id)
        finally:
            self._driving.release()


def _driven(body: Body, target: Vector3, map_id: str) -> Json:
    here = body.navigator.where()
    if here.map_id != map_id:
        raise CallRefused(f"the robot is in the map {here.map_id!r}, not in {map_id!r}")
    arrival = body.navigator.go(Pose(*target), within_rad=math.pi)
    return {
        "done": arrival.reached, "reason": arrival.reason,
        "travelled_m": round(arrival.travelled_m, 3),
    }  # fmt: skip
