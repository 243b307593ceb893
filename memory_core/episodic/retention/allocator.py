"""The Adaptive Memory Allocator (Spatially-Aware Transformer, Cho et al. 2024).

A contextual bandit learns which rule of retention serves which task: the task, one-hot, goes
through 64 hidden units to one value a rule. A value is the reward expected, which is the loss
downstream with its sign turned; while learning, a random rule is tried with a share that falls
from 1.0 to 0.2.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from memory_core.episodic.retention.policies import RULES, RetentionPolicy, policy_named
from memory_core.errors import DimensionMismatch, InvalidQuery, MemoryDamaged, NotInstalled
from memory_core.threads import one_thread
from memory_core.types import FloatArray, IntArray

HIDDEN = 64
VALUE_WEIGHT = 0.1
EXPLORE_FIRST, EXPLORE_LAST = 1.0, 0.2


@dataclass(frozen=True, slots=True)
class Schedule:
    """How the allocator learns.

    Attributes:
        steps: Steps over which exploration falls to its last share.
        rate: Learning rate of Adam.
        seed: Of the weights and of what is explored.
    """

    steps: int = 150
    rate: float = 1e-2
    seed: int = 0


class LearnedAllocator:
    """Values of the rules for each of the tasks it knows."""

    def __init__(
        self,
        tasks: Sequence[str],
        *,
        rules: Sequence[RetentionPolicy] = RULES,
        schedule: Schedule | None = None,
    ) -> None:
        """Know nothing yet.

        Args:
            tasks: Names of the tasks, at least one.
            rules: What it chooses among.
            schedule: How it learns.

        Raises:
            InvalidQuery: There is no task or no rule.
            NotInstalled: torch is missing.
        """
        if not tasks or not rules:
            raise InvalidQuery("an allocator needs at least one task and one rule")
        self.tasks = tuple(tasks)
        self.rules = tuple(rules)
        self.schedule = schedule or Schedule()
        self._random = np.random.default_rng(self.schedule.seed)
        self._steps = 0
        torch = _torch()
        generator = torch.Generator().manual_seed(self.schedule.seed)
        self._network = torch.nn.Sequential(
            torch.nn.Linear(len(self.tasks), HIDDEN),
            torch.nn.ReLU(),
            torch.nn.Linear(HIDDEN, len(self.rules)),
        )
        with torch.no_grad():
            for weight in self._network.parameters():
                weight.uniform_(-0.1, 0.1, generator=generator)
        self._optimiser = torch.optim.Adam(self._network.parameters(), lr=self.schedule.rate)

    @property
    def exploration(self) -> float:
        """The share of random choices while learning, 1.0 falling to 0.2."""
        done = min(1.0, self._steps / self.schedule.steps)
        return EXPLORE_FIRST + (EXPLORE_LAST - EXPLORE_FIRST) * done

    def values(self) -> FloatArray:
        """The reward expected of each rule on each task, shape (tasks, rules)."""
        torch = _torch()
        with torch.no_grad(), one_thread():
            return np.asarray(self._network(torch.eye(len(self.tasks))).numpy())

    def policy_for(self, task: str) -> RetentionPolicy:
        """The rule it thinks best for a task.

        Raises:
            InvalidQuery: It does not know the task.
        """
        if task not in self.tasks:
            raise InvalidQuery(f"no task {task!r}; the allocator knows {', '.join(self.tasks)}")
        return self.rules[int(self.values()[self.tasks.index(task)].argmax())]

    def explore(self, tasks: IntArray) -> IntArray:
        """Rules to try, the best known ones or, by the share of exploration, any.

        Args:
            tasks: Numbers of tasks, shape (n,).

        Returns:
            Numbers of rules, shape (n,).
        """
        best = self.values().argmax(axis=1)[tasks]
        anything = self._random.integers(len(self.rules), size=np.shape(tasks))
        return np.where(self._random.random(np.shape(tasks)) < self.exploration, anything, best)

    def learn(self, tasks: IntArray, rules: IntArray, rewards: FloatArray) -> float:
        """One step towards the rewards that came of rules tried.

        Args:
            tasks: Numbers of tasks, shape (n,).
            rules: Numbers of the rules tried on them, shape (n,).
            rewards: What came of it, the loss downstream with its sign turned, shape (n,).

        Returns:
            The value loss before the step.

        Raises:
            DimensionMismatch: The arrays are not of one length.
        """
        if not np.shape(tasks) == np.shape(rules) == np.shape(rewards):
            raise DimensionMismatch(
                f"tasks, rules and rewards have shapes {np.shape(tasks)}, {np.shape(rules)}, "
                f"{np.shape(rewards)}; expected one"
            )
        torch = _torch()
        one_hot = torch.eye(len(self.tasks))[torch.as_tensor(np.asarray(tasks, np.int64))]
        chosen = torch.as_tensor(np.asarray(rules, np.int64))[:, None]
        wanted = torch.as_tensor(np.asarray(rewards, np.float32))
        with one_thread():
            expected = self._network(one_hot).gather(1, chosen)[:, 0]
            loss = VALUE_WEIGHT * torch.nn.functional.mse_loss(expected, wanted)
            self._optimiser.zero_grad()
            loss.backward()
            self._optimiser.step()
        self._steps += 1
        return float(loss.detach())

    def save(self, path: Path) -> None:
        """Write weights, tasks and rules as safetensors; an older file is replaced at once."""
        from safetensors.torch import save

        names = {
            "tasks": json.dumps(self.tasks),
            "rules": json.dumps([rule.name for rule in self.rules]),
        }
        draft = path.with_name(path.name + ".new")
        draft.write_bytes(save(self._network.state_dict(), metadata=names))
        draft.replace(path)

    @classmethod
    def load(cls, path: Path) -> LearnedAllocator:
        """The allocator that `save` wrote.

        Raises:
            InvalidQuery: It chooses among a rule that there is none of.
            MemoryDamaged: The file is not what `save` writes.
            NotInstalled: torch is missing.
        """
        _torch()
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(path, framework="pt") as file:
                names = file.metadata() or {}
                weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            tasks, rules = json.loads(names["tasks"]), json.loads(names["rules"])
        except (SafetensorError, KeyError, ValueError) as error:
            raise MemoryDamaged(f"{path} is not an allocator: {error}") from None
        allocator = cls(tasks, rules=[policy_named(name) for name in rules])
        try:
            allocator._network.load_state_dict(weights)
        except RuntimeError as error:
            raise MemoryDamaged(f"{path} is not an allocator: {error}") from None
        return allocator


def _torch() -> Any:
    try:
        import torch
    except ImportError:
        raise NotInstalled.part("torch", "cpu") from None
    return torch
