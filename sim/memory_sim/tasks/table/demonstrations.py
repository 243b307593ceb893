"""Demonstrations: what an agent saw and did at the table, kept so that it can be played again.

An episode follows from its task, its seed and the actions: playing it again gives back everything,
depth and state too, and shows whether the simulator still does what it did.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import gymnasium
import numpy as np

from memory_core.types import FloatArray, IntArray
from memory_sim.tasks.table.environment import TableEnv


@dataclass(frozen=True, slots=True)
class Demonstration:
    """One episode; of n steps there are n + 1 observations, the first before any action.

    Attributes:
        task: A name of the catalogue.
        options: Of `TableEnv`, as far as they change what happens or is seen.
        seed: Of the episode.
        actions: Shape (n, 7) or (n, 8), float32.
        felt: Proprioception, shape (n + 1, 31), float32.
        instructions: What the agent was told, n + 1.
        pictures: By camera, shape (n + 1, 128, 128, 3), uint8.
        success: Whether the task was done.
    """

    task: str
    options: dict[str, Any]
    seed: int
    actions: FloatArray
    felt: FloatArray
    instructions: tuple[str, ...]
    pictures: dict[str, IntArray]
    success: bool


@dataclass
class _Running:
    """What has been noted of an episode so far."""

    seed: int
    seen: list[dict[str, Any]]
    actions: list[FloatArray] = field(default_factory=list)


class Recorder(gymnasium.Wrapper[dict[str, Any], FloatArray, dict[str, Any], FloatArray]):  # type: ignore[misc]
    """Notes every episode of a table environment that came to its end, in `demonstrations`.

    Episodes need a seed of their own: pass one to `reset`.
    """

    def __init__(self, env: gymnasium.Env[dict[str, Any], FloatArray]) -> None:
        """Wrap an environment, which stays as it is."""
        super().__init__(env)
        self.demonstrations: list[Demonstration] = []
        self._running: _Running | None = None

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """As that of the environment; an episode without a seed is not recorded."""
        observation, info = self.env.reset(seed=seed, options=options)
        self._running = None if seed is None else _Running(seed, [observation])
        return observation, info

    def step(self, action: FloatArray) -> tuple[dict[str, Any], float, bool, bool, dict[str, Any]]:
        """As that of the environment."""
        observation, reward, ended, truncated, info = self.env.step(action)
        if self._running is not None:
            self._running.seen.append(observation)
            self._running.actions.append(np.array(action))
            if ended or truncated:
                self.demonstrations.append(self._finished(self._running, bool(info["success"])))
                self._running = None
        return observation, float(reward), ended, truncated, info

    def _finished(self, running: _Running, success: bool) -> Demonstration:
        env = self.unwrapped
        assert isinstance(env, TableEnv)
        seen = running.seen
        return Demonstration(
            env.task, dict(env.options), running.seed, np.array(running.actions),
            np.array([each["proprioception"] for each in seen]),
            tuple(each["instruction"] for each in seen),
            {camera: np.array([each["rgb"][camera] for each in seen])
             for camera in env.options["cameras"]},
            success,
        )  # fmt: skip


def play_again(demonstration: Demonstration, *, env: TableEnv | None = None) -> Demonstration:
    """Let the same actions happen again from the same seed.

    Args:
        demonstration: What to play.
        env: Where to play it, made for the same task; None makes one.

    Returns:
        What was seen this time: the same, where the simulator is the same.
    """
    own = TableEnv(demonstration.task, **demonstration.options) if env is None else env
    recorder = Recorder(own)
    recorder.reset(seed=demonstration.seed)
    for action in demonstration.actions:
        recorder.step(action)
    if env is None:
        own.close()
    return recorder.demonstrations[0]
