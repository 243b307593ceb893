"""Networks learn who danced what (the ballet of Lampinen et al. 2021), on evenings drawn for them.

Each update takes evenings of one of the six published levels in turn, shows the network all steps,
and follows the gradient of the cross-entropy of its choice at the question. That is simpler than
the paper, where an actor-critic has to find the choice by trial: here it is told which would have
been right, and both networks are told the same. Update u of seed s draws its evenings from (s, u)
alone, and all runs on one thread, so that a run repeats exactly, however often it was resumed.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load, save
from torch import nn

from memory_core.errors import InvalidQuery, MemoryDamaged
from memory_core.threads import one_thread
from memory_core.types import Json
from memory_sim.training.ballet_episodes import LEVELS, draw_batch
from memory_sim.training.ballet_networks import NETWORKS, features

SHIPPED = Path(__file__).with_name("weights")
_LEARNING, _MEASURING = 0, 1
_EVERY = 120
_AT_ONCE = 25

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True)
class Schedule:
    """How a network learns.

    Attributes:
        updates: Of the weights.
        evenings: An update.
        rate: Highest learning rate of AdamW (Loshchilov and Hutter 2019).
        warmup: Updates over which the rate rises from 0; it falls to 0 over all, as a cosine.
        decay: Weight decay.
        clip: Longest gradient.
        seed: Of weights and evenings.
    """

    updates: int = 2_000
    evenings: int = 32
    rate: float = 1e-3
    warmup: int = 100
    decay: float = 1e-4
    clip: float = 1.0
    seed: int = 0

    def rate_at(self, update: int) -> float:
        """The learning rate of an update, counted from 0."""
        rise = min(1.0, (update + 1) / self.warmup)
        return self.rate * rise * 0.5 * (1 + math.cos(math.pi * update / self.updates))


class Learner:
    """A network while it learns.

    Attributes:
        name: One of `NETWORKS`.
        schedule: How it learns.
        network: Its weights.
        updates: How many were made.
        curve: One row each 120 updates: `update`, `loss`, and by level the share of right choices.
        seconds: Of one core, spent on learning.
    """

    def __init__(self, name: str, schedule: Schedule) -> None:
        """Draw the weights.

        Args:
            name: One of `NETWORKS`.
            schedule: How it learns.

        Raises:
            InvalidQuery: There is no such network, or nothing to do.
        """
        if name not in NETWORKS or schedule.updates < 1:
            raise InvalidQuery(
                f"network {name!r}, {schedule.updates} updates; expected one of "
                f"{', '.join(NETWORKS)} and at least 1"
            )
        self.name, self.schedule = name, schedule
        with torch.random.fork_rng():
            torch.manual_seed(schedule.seed)
            self.network = NETWORKS[name]()
        self._optimiser = torch.optim.AdamW(
            self.network.parameters(), lr=schedule.rate, weight_decay=schedule.decay
        )
        self.updates = 0
        self.seconds = 0.0
        self.curve: list[Json] = []
        self._lately: list[tuple[int, float, float]] = []

    def learn(self, updates: int) -> None:
        """Make some more updates, no more than the schedule has."""
        begun = time.thread_time()
        with one_thread():
            for _ in range(min(updates, self.schedule.updates - self.updates)):
                self._update()
        self.seconds += time.thread_time() - begun

    def _update(self) -> None:
        schedule, number = self.schedule, self.updates
        random = np.random.default_rng([_LEARNING, schedule.seed, number])
        level = number % len(LEVELS)
        batch = draw_batch(LEVELS[level], schedule.evenings, random)
        for group in self._optimiser.param_groups:
            group["lr"] = schedule.rate_at(number)
        answers = torch.from_numpy(batch.answers)
        logits = self.network(features(batch.squares), torch.from_numpy(batch.asked))
        loss = nn.functional.cross_entropy(logits, answers)
        self._optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), schedule.clip)
        self._optimiser.step()
        right = float((logits.argmax(-1) == answers).float().mean())
        self._lately.append((level, float(loss.detach()), right))
        self.updates += 1
        if self.updates % _EVERY == 0:
            self._note()

    def _note(self) -> None:
        by_level = {
            level_name(level): [right for n, _, right in self._lately if n == number]
            for number, level in enumerate(LEVELS)
        }
        self.curve.append({
            "update": self.updates,
            "loss": round(float(np.mean([loss for _, loss, _ in self._lately])), 4),
            "right": {name: round(float(np.mean(shares)), 4) for name, shares in by_level.items()},
        })  # fmt: skip
        self._lately.clear()

    def save(self, path: Path) -> None:
        """Write all that going on needs; an older file is replaced at once."""
        tensors = {f"weights.{name}": t for name, t in self.network.state_dict().items()}
        for number, state in self._optimiser.state_dict()["state"].items():
            tensors |= {f"optimiser.{number}.{key}": value for key, value in state.items()}
        _write(path, save(tensors, metadata=self._told()))

    def _told(self) -> dict[str, str]:
        told = {"schedule": asdict(self.schedule), "updates": self.updates, "seconds": self.seconds,
                "curve": self.curve, "lately": self._lately}  # fmt: skip
        return {"network": self.name, "learner": json.dumps(told)}

    @classmethod
    def load(cls, path: Path, name: str, schedule: Schedule) -> Learner:
        """The learner that `save` wrote.

        Args:
            path: The file.
            name: Of the network it should hold.
            schedule: By which it should learn.

        Raises:
            InvalidQuery: It learns by another schedule.
            MemoryDamaged: The file is not what `save` writes.
        """
        tensors, metadata = _read(path)
        try:
            told = json.loads(metadata["learner"])
            if metadata["network"] != name or told["schedule"] != asdict(schedule):
                raise InvalidQuery(
                    f"{path} learns {metadata['network']} by {told['schedule']}; expected {name} "
                    f"by {asdict(schedule)}. Name another folder with --out, or leave out --resume"
                )
            learner = cls(name, schedule)
            learner.network.load_state_dict(_part(tensors, "weights."))
            state: dict[int, dict[str, torch.Tensor]] = {}
            for key, tensor in _part(tensors, "optimiser.").items():
                number, what = key.split(".", 1)
                state.setdefault(int(number), {})[what] = tensor
            groups = learner._optimiser.state_dict()["param_groups"]
            learner._optimiser.load_state_dict({"state": state, "param_groups": groups})
        except (KeyError, ValueError, RuntimeError) as error:
            raise MemoryDamaged(f"{path} is not what training writes: {error}") from None
        learner.updates, learner.seconds = told["updates"], told["seconds"]
        learner.curve = told["curve"]
        learner._lately = [tuple(item) for item in told["lately"]]
        return learner


def train(
    name: str,
    schedule: Schedule,
    folder: Path,
    *,
    resume: bool = False,
    progress: Progress | None = None,
) -> Learner:
    """Let a network learn, and write its weights to `folder/ballet-NAME.safetensors`.

    Args:
        name: One of `NETWORKS`.
        schedule: How it learns.
        folder: Where it is saved while it learns.
        resume: Go on with what was saved there.
        progress: Told updates made, updates in all, and the network.

    Raises:
        InvalidQuery: What is to be resumed learns by another schedule.
        MemoryDamaged: What is to be resumed cannot be read.
    """
    folder.mkdir(parents=True, exist_ok=True)
    saved = folder / f"{name}.training.safetensors"
    if resume and saved.exists():
        learner = Learner.load(saved, name, schedule)
    else:
        learner = Learner(name, schedule)
    while learner.updates < schedule.updates:
        learner.learn(_EVERY)
        learner.save(saved)
        if progress is not None:
            progress(learner.updates, schedule.updates, name)
    weights = {key: tensor.contiguous() for key, tensor in learner.network.state_dict().items()}
    told = {"network": name, "schedule": json.dumps(asdict(schedule))}
    _write(folder / f"ballet-{name}.safetensors", save(weights, metadata=told))
    return learner


def load_network(path: Path) -> nn.Module:
    """A network that learnt, from its weights.

    Raises:
        MemoryDamaged: The file holds no such network.
    """
    tensors, metadata = _read(path)
    try:
        network = NETWORKS[metadata["network"]]()
        network.load_state_dict(tensors)
    except (KeyError, RuntimeError) as error:
        raise MemoryDamaged(f"{path} holds no network of the ballet: {error}") from None
    return network.eval()


def count_right(network: nn.Module, level: tuple[int, int], episodes: int, *, seed: int = 0) -> int:
    """How many questions of a level a network answers right, on evenings it never learnt from.

    Args:
        network: From `load_network`, or a `Learner`'s.
        level: Dances and delay.
        episodes: How many evenings.
        seed: Of them.
    """
    right = 0
    random = np.random.default_rng([_MEASURING, seed, *level])
    with one_thread(), torch.no_grad():
        for first in range(0, episodes, _AT_ONCE):
            batch = draw_batch(level, min(_AT_ONCE, episodes - first), random)
            logits = network(features(batch.squares), torch.from_numpy(batch.asked))
            right += int((logits.argmax(-1) == torch.from_numpy(batch.answers)).sum())
    return right


def level_name(level: Sequence[int]) -> str:
    """A level in words that are short enough for a table."""
    dances, delay = level
    return f"{dances} dances, delay {delay}"


def _read(path: Path) -> tuple[dict[str, Any], dict[str, str]]:
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
        return load(path.read_bytes()), metadata
    except (SafetensorError, FileNotFoundError) as error:
        raise MemoryDamaged(f"{path} cannot be read as weights: {error}") from None


def _part(tensors: dict[str, Any], prefix: str) -> dict[str, Any]:
    return {
        key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)
    }


def _write(path: Path, data: bytes) -> None:
    draft = path.with_name(path.name + ".new")
    draft.write_bytes(data)
    draft.replace(path)
