"""One Gymnasium environment for all house tasks."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, ClassVar

import gymnasium
import numpy as np
from gymnasium.error import ResetNeeded

from memory_core.types import IntArray
from memory_sim.film import Shown, compose
from memory_sim.onlooker import Onlooker
from memory_sim.tasks.closing import Closable
from memory_sim.tasks.house.errands import (
    FetchObject,
    FindObject,
    PutBack,
    ReturnTo,
    Task,
    Told,
)
from memory_sim.tasks.house.household import Household
from memory_sim.tasks.house.reports import (
    AnswerQuestions,
    PatrolAndReport,
    SearchOrder,
    WhatChanged,
)
from memory_sim.tasks.house.spaces import (
    MOST_DAYS,
    action_space,
    observation_space,
    printable,
    read_action,
)
from memory_sim.worlds.home.plan import plan_home

TASKS: dict[str, type[Task]] = {
    task.__name__: task
    for task in (FindObject, FetchObject, PutBack, WhatChanged, PatrolAndReport, ReturnTo,
                 SearchOrder, AnswerQuestions)
}  # fmt: skip
"""By name."""
LOOK_AROUND = "Look around. You will be given a task on another day."
_FARTHEST_SEED = 2**31 - 1
_plan = lru_cache(maxsize=8)(plan_home)


class HouseEnv(Closable, gymnasium.Env[dict[str, Any], dict[str, Any]]):  # type: ignore[misc]
    """A robot in a home, over days: it looks around, nights pass, then it is given a task.

    All that the agent gets is what the robot senses and is told; the instruction says when a day
    is for looking around. A reward of 1 comes with success, and is the only one. The episode ends
    with success, with the robot's one try (it said done, or gave its answers), or, truncated, when
    the steps of the last day are used up.
    """

    metadata: ClassVar[dict[str, Any]] = {"render_modes": ["rgb_array"], "render_fps": 10}

    def __init__(
        self,
        task: str,
        *,
        rooms: int | None = None,
        floors: int | None = None,
        home: int | None = None,
        width: int = 160,
        height: int = 120,
        look_steps: int = 600,
        task_steps: int = 1200,
        privileged: bool = False,
        render_mode: str | None = None,
    ) -> None:
        """Set the environment up; nothing is built before `reset`.

        Args:
            task: One of `TASKS`.
            rooms: 4 to 12; None draws a number for each episode.
            floors: 1 or 2; None draws it.
            home: Seed of the home of all episodes; None draws one for each.
            width: Of the picture, pixels.
            height: Of the picture, pixels.
            look_steps: Of a day on which the robot looks around.
            task_steps: Of the last day.
            privileged: Whether `info["state"]` tells where everything truly is: for oracles and
                debugging, never for an agent that is measured.
            render_mode: `rgb_array` or None.

        Raises:
            ValueError: There is no such task or render mode, or a number is not positive.
        """
        if task not in TASKS:
            raise ValueError(f"no house task {task!r}; there are {', '.join(TASKS)}")
        if render_mode not in (None, *self.metadata["render_modes"]):
            raise ValueError(f"render mode {render_mode!r}; expected rgb_array or None")
        if min(width, height, look_steps, task_steps) < 1:
            raise ValueError(
                f"{width} x {height} pixels, {look_steps} and {task_steps} steps; expected 1 or more"
            )
        self.render_mode = render_mode
        self.action_space = action_space()
        self.observation_space = observation_space(width, height)
        self._make, self._size = TASKS[task], (width, height)
        self._drawn_from = {"rooms": rooms, "floors": floors}
        self._home, self._privileged = home, privileged
        self._steps = (look_steps, task_steps)
        self._house: Household | None = None
        self._onlooker: Onlooker | None = None
        self._running = False

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Begin an episode on the morning of its first day.

        Args:
            seed: The same seed gives the same episode.
            options: None are known.

        Raises:
            ClosedEnvironmentError: The environment was closed.
        """
        self._refuse_when_closed()
        super().reset(seed=seed)
        self._end()
        drawn = int(self.np_random.integers(_FARTHEST_SEED))
        plan = _plan(drawn if self._home is None else self._home, **self._drawn_from)
        width, height = self._size
        noise = int(self.np_random.integers(_FARTHEST_SEED))
        self._house = Household(plan, width=width, height=height, seed=noise)
        self._task, self._told = self._make(), Told()
        self._running = True
        self._wake(0)
        return self._observed(), self._info()

    def step(
        self, action: Mapping[str, Any]
    ) -> tuple[dict[str, Any], float, bool, bool, dict[str, Any]]:
        """Act for a moment.

        Raises:
            ClosedEnvironmentError: The environment was closed.
            ResetNeeded: `reset` was not called, or the episode has ended.
            InvalidAction: The action is not in the action space; nothing was done.
        """
        house = self._here()
        command = read_action(self.action_space, action)
        house.act(command)
        self._left -= 1
        if not self._last_day:
            if command.done or self._left == 0:
                self._wake(house.day + 1)
            return self._observed(), 0.0, False, False, self._info()
        self._told.done |= command.done
        if command.answer:
            self._told.answers.append(command.answer)
        observed = self._observed()
        info = self._info()
        success = bool(info["success"])
        ended = success or self._task.over(self._told)
        truncated = self._left == 0 and not ended
        self._running = not (ended or truncated)
        return observed, float(success), ended, truncated, info

    def render(self) -> IntArray | None:
        """The robot from outside, its own picture, and the plan of the home.

        Returns:
            Shape (h, w, 3), uint8; None where no render mode was asked for.

        Raises:
            ClosedEnvironmentError: The environment was closed.
            ResetNeeded: `reset` was not called.
        """
        self._refuse_when_closed()
        if self._house is None:
            raise ResetNeeded("there is nothing to render yet; call reset first")
        if self.render_mode is None:
            return None
        if self._onlooker is None:
            self._onlooker = Onlooker(self._house.world)
        house = self._house
        shown = Shown(house.true_pose, self._rgb, self._instruction)
        return compose(self._onlooker, house.plan, shown)

    def close(self) -> None:
        """Release the simulator; the environment is of no more use."""
        self._end()
        super().close()

    def _end(self) -> None:
        self._look_away()
        if self._house is not None:
            self._house.close()
            self._house = None

    def _look_away(self) -> None:
        if self._onlooker is not None:
            self._onlooker.close()
            self._onlooker = None

    def _here(self) -> Household:
        self._refuse_when_closed()
        if self._house is None or not self._running:
            raise ResetNeeded("no episode is under way; call reset first")
        return self._house

    @property
    def _last_day(self) -> bool:
        return self._house is not None and self._house.day == self._task.days - 1

    def _wake(self, day: int) -> None:
        """The morning of a day; the task is given on the last."""
        house = self._here()
        assert day < MOST_DAYS
        last = day == self._task.days - 1
        elsewhere = self._task.night(house.plan, self.np_random) if last else {}
        self._look_away()
        house.wake(day, elsewhere=elsewhere)
        self._left = self._steps[last]
        self._instruction = self._task.begin(house, self.np_random) if last else LOOK_AROUND

    def _observed(self) -> dict[str, Any]:
        house = self._here()
        seen = house.observe()
        self._rgb: IntArray = seen["rgb"]
        question = self._task.question(self._told) if self._last_day else ""
        return seen | {
            "last_day": int(self._last_day), "instruction": printable(self._instruction),
            "question": printable(question),
        }  # fmt: skip

    def _info(self) -> dict[str, Any]:
        """What holds of what success takes, in the order in which it comes about."""
        house = self._here()
        info: dict[str, Any] = {"day": house.day, "steps_left": self._left}
        found = self._task.conditions(house, self._told) if self._last_day else {}
        info["conditions"] = found
        info["success"] = bool(found) and all(found.values())
        if self._privileged:
            info["state"] = _state(house)
        return info


def _state(house: Household) -> dict[str, Any]:
    """Where everything truly is: the robot (x, y, z, yaw) and the middles of the things."""
    pose = house.true_pose
    return {
        "robot": np.array((*pose.position, pose.yaw)),
        "room": house.room,
        "held": house.held,
        "things": {name: np.array(where.position) for name, where in house.where.items()},
    }
