"""One Gymnasium environment for all tasks at the table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import gymnasium
import numpy as np
from gymnasium.error import ResetNeeded

from memory_core.errors import InvalidQuery
from memory_core.types import FloatArray, IntArray
from memory_sim.tasks.closing import Closable
from memory_sim.tasks.table.catalogue import CATALOGUE, Entry
from memory_sim.tasks.table.spaces import (
    CONTROLS,
    MOST_THINGS,
    Proprioception,
    action_space,
    joint_command,
    observation_space,
    read_action,
    tool_command,
)
from memory_sim.tasks.table.task import Task
from memory_sim.worlds.table.camera import CAMERAS, MOUNTS, Mount, View
from memory_sim.worlds.table.robot import CONTROL_HZ
from memory_sim.worlds.table.world import TableWorld

_ON_TABLE_M = 2.0


class TableEnv(Closable, gymnasium.Env[dict[str, Any], FloatArray]):  # type: ignore[misc]
    """A robot arm at a table that has to remember.

    An agent gets the instruction, what the arm feels, and pictures; never the task's name. The
    reward is 1 with success and 0 otherwise; the episode ends with success, when success cannot
    come any more, or, truncated, when its steps are used up.
    """

    metadata: ClassVar[dict[str, Any]] = {"render_modes": ["rgb_array"], "render_fps": CONTROL_HZ}

    def __init__(
        self,
        task: str,
        *,
        cameras: Sequence[str] = ("front",),
        frame_every: int = 1,
        control: str = "tool",
        privileged: bool = False,
        render_mode: str | None = None,
        **options: Any,
    ) -> None:
        """Set the environment up; nothing is built before `reset`.

        Args:
            task: A name of the catalogue.
            cameras: Whose pictures are in the observations: of `front`, `shoulder`, `wrist`. None
                at all where pictures are asked for with `look`.
            frame_every: Pictures are taken every so many steps, and stay in between.
            control: `tool` or `joints`: what actions move.
            privileged: Whether observations hold `state`, and `info["state"]` the names to it: for
                oracles and debugging, never for an agent that is measured.
            render_mode: `rgb_array` or None.
            options: Of a generated task: `number`, `level`, and parts of its `Recipe`.

        Raises:
            InvalidQuery: There is no such task, camera, control, render mode or option.
        """
        if task not in CATALOGUE:
            raise InvalidQuery(f"no table task {task!r}; there are {', '.join(CATALOGUE)}")
        if unknown := [name for name in cameras if name not in CAMERAS]:
            raise InvalidQuery(f"no camera {unknown[0]!r}; there are {', '.join(CAMERAS)}")
        if control not in CONTROLS:
            raise InvalidQuery(f"control {control!r}; expected one of {', '.join(CONTROLS)}")
        if render_mode not in (None, *self.metadata["render_modes"]):
            raise InvalidQuery(f"render mode {render_mode!r}; expected rgb_array or None")
        if frame_every < 1:
            raise InvalidQuery(f"a frame every {frame_every} steps; expected 1 or more")
        self.entry: Entry = CATALOGUE[task].with_options(options)
        self.task, self.options = task, options | {
            "cameras": list(cameras), "frame_every": frame_every, "control": control,
        }  # fmt: skip
        self.render_mode = render_mode
        self.action_space = action_space(control)
        self.observation_space = observation_space(cameras, privileged=privileged)
        self._cameras, self._frame_every = tuple(cameras), frame_every
        self._control, self._privileged = control, privileged
        self._table: TableWorld | None = None
        self._task: Task | None = None
        self._running = False

    @property
    def chance(self) -> float | None:
        """Of success without memory; None where there is no formula."""
        return self.entry.chance

    @property
    def told(self) -> str:
        """What the agent is told now; empty before the first episode."""
        return self._task.instruction if self._task is not None else ""

    @property
    def calibration(self) -> dict[str, Mount]:
        """How the cameras are mounted, and their lenses: known to every agent."""
        return dict(MOUNTS)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Begin an episode.

        Args:
            seed: The same seed gives the same episode.
            options: None are known.

        Raises:
            ClosedEnvironmentError: The environment was closed.
        """
        self._refuse_when_closed()
        super().reset(seed=seed)
        if self._table is None:
            self._table = TableWorld()
        self._table.reset(self.np_random)
        self._task = task = self.entry.make(self._table, self.np_random)
        task.change(0)
        self._running = True
        self._frames: dict[str, View] = {}
        return self._observed(), self._info()

    def step(self, action: FloatArray) -> tuple[dict[str, Any], float, bool, bool, dict[str, Any]]:
        """Act for a twentieth of a second.

        Raises:
            ClosedEnvironmentError: The environment was closed.
            ResetNeeded: `reset` was not called, or the episode has ended.
            InvalidAction: The action is not in the action space; nothing was done.
        """
        table = self._here()
        if not self._running:
            raise ResetNeeded("the episode has ended; call reset first")
        told = read_action(self.action_space, action)
        if self._control == "tool":
            table.arm.move_tool(*tool_command(told))
        else:
            table.arm.move_joints(*joint_command(told))
        table.advance()
        task = self._playing()
        task.judge(table.steps)
        success = task.goal.reached and not task.spoiled
        ended = success or bool(task.spoiled)
        truncated = table.steps >= self.entry.steps and not ended
        self._running = not (ended or truncated)
        if self._running:
            task.change(table.steps)
        return self._observed(), float(success), ended, truncated, self._info()

    def look(self, camera: str) -> View:
        """What a camera sees now, for agents that take pictures when they need one.

        Args:
            camera: `front`, `shoulder` or `wrist`.

        Raises:
            ClosedEnvironmentError: The environment was closed.
            ResetNeeded: `reset` was not called.
            InvalidQuery: There is no such camera.
        """
        if camera not in CAMERAS:
            raise InvalidQuery(f"no camera {camera!r}; there are {', '.join(CAMERAS)}")
        return self._here().look(camera)

    def render(self) -> IntArray | None:
        """The table from in front, larger than a camera's picture and without noise.

        Returns:
            Shape (384, 384, 3), uint8; None where no render mode was asked for.

        Raises:
            ClosedEnvironmentError: The environment was closed.
            ResetNeeded: `reset` was not called.
        """
        table = self._here()
        return None if self.render_mode is None else table.portrait()

    def close(self) -> None:
        """Release the simulator; the environment is of no more use."""
        if self._table is not None:
            self._table.close()
            self._table = None
        super().close()

    def _here(self) -> TableWorld:
        self._refuse_when_closed()
        if self._table is None:
            raise ResetNeeded("no episode is under way; call reset first")
        return self._table

    def _playing(self) -> Task:
        if self._task is None:
            raise ResetNeeded("no episode is under way; call reset first")
        return self._task

    def _observed(self) -> dict[str, Any]:
        table = self._here()
        observed: dict[str, Any] = {
            "proprioception": _felt(table),
            "clock": np.array([table.steps / CONTROL_HZ], np.float32),
            "instruction": self.told,
        }
        if self._cameras:
            if table.steps % self._frame_every == 0 or not self._frames:
                self._frames = {name: table.look(name) for name in self._cameras}
            observed["rgb"] = {name: view.rgb.copy() for name, view in self._frames.items()}
            observed["depth"] = {name: view.depth_m.copy() for name, view in self._frames.items()}
        if self._privileged:
            observed["state"] = self._state()
        return observed

    def _state(self) -> FloatArray:
        """A row for each thing: whether it is on the table, its pose, whether it is in the answer."""
        table, rows = self._here(), np.zeros((MOST_THINGS, 9), np.float32)
        wanted = self._playing().answer().get("things", ())
        for row, name in zip(rows, table.bodies, strict=False):
            pose = table.pose(name)
            row[:] = (table.shows(name), *pose.position, *pose.quaternion, name in wanted)
        return np.clip(rows, -100, 100)

    def _info(self) -> dict[str, Any]:
        """What has come about of what success takes, in order."""
        table, task = self._here(), self._playing()
        info: dict[str, Any] = {
            "conditions": task.goal.shown(), "spoiled": task.spoiled,
            "success": task.goal.reached and not task.spoiled,
            "steps_left": self.entry.steps - table.steps,
        }  # fmt: skip
        if self._privileged:
            things = {name: table.pose(name) for name in table.bodies if table.shows(name)}
            fittings = {name: (part.pose(), part.travel_m) for name, part in table.fittings.items()}
            info["state"] = {
                "things": things, "fittings": fittings, "answer": task.answer(),
                "tool": table.arm.tool(),
            }  # fmt: skip
        return info


def _felt(table: TableWorld) -> FloatArray:
    arm = table.arm
    joints, speeds = arm.joints()
    forces = np.array(arm.finger_forces())
    return Proprioception(joints, speeds, arm.tool(), arm.aim, arm.width_m, forces).numbers()
