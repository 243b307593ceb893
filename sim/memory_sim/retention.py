"""Which rule of retention serves which task: the fixed rules and the learned allocator compared."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from memory_core.episodic.retention.allocator import LearnedAllocator, Schedule
from memory_core.episodic.retention.policies import (
    DAY_NS,
    POLICIES,
    RULES,
    RetentionPolicy,
    Stored,
)
from memory_core.types import FloatArray, Json
from memory_sim.tasks.room_ballet import (
    CAPACITY,
    MOVES,
    VARIANTS,
    Dance,
    Episode,
    Question,
    room_ballet,
)

ALLOCATOR = "allocator"
BATCH = 32
SURE = 0.99
"""Belief in what is remembered; the rest is spread over the other dances."""

_TRAINING_SEEDS = 1 << 32
"""Training episodes are numbered from here: none of them is ever evaluated."""


@dataclass(slots=True)
class _Held:
    dance: Dance
    stamp_ns: int
    last_access_ns: int
    accesses: int = 0


class BalletMemory:
    """Dances seen, at most so many; a policy says which go."""

    def __init__(self, policy: RetentionPolicy, *, capacity: int = CAPACITY) -> None:
        """Empty; `capacity` dances fit."""
        self.policy = policy
        self.capacity = capacity
        self._held: list[_Held] = []
        self._now_ns = 0

    @property
    def dances(self) -> tuple[Dance, ...]:
        """What is remembered, oldest first."""
        return tuple(held.dance for held in self._held)

    def see(self, dance: Dance) -> None:
        """Remember a dance; to be in a room brings back what was seen there before."""
        self._now_ns += DAY_NS
        for held in self._held:
            if held.dance.room == dance.room:
                held.accesses += 1
                held.last_access_ns = self._now_ns
        self._held.append(_Held(dance, self._now_ns, self._now_ns))
        excess = len(self._held) - self.capacity
        if excess > 0:
            lost = set(self.policy.victims(self._stored(), excess, now_ns=self._now_ns).tolist())
            self._held = [held for n, held in enumerate(self._held) if n not in lost]

    def belief(self, question: Question) -> FloatArray:
        """What was danced, as far as one remembers: shape (8,), summing to 1."""
        for held in self._held:
            if (held.dance.room, held.dance.dancer) == (question.room, question.dancer):
                belief = np.full(len(MOVES), (1 - SURE) / (len(MOVES) - 1))
                belief[held.dance.move] = SURE
                return belief
        return np.full(len(MOVES), 1 / len(MOVES))

    def _stored(self) -> Stored:
        count = len(self._held)
        return Stored(
            stamp_ns=np.array([held.stamp_ns for held in self._held]),
            last_access_ns=np.array([held.last_access_ns for held in self._held]),
            accesses=np.array([held.accesses for held in self._held]),
            place=np.array([held.dance.room for held in self._held]),
            novelty=np.zeros(count),
            size=np.ones(count, np.int64),
            protected=np.zeros(count, bool),
        )


@dataclass(frozen=True, slots=True)
class RetentionReport:
    """How often the dance asked for was named right.

    Attributes:
        accuracy: By variant and policy, 0 to 1.
        chosen: By variant the rule the allocator takes.
        episodes: How many of each variant.
    """

    accuracy: dict[str, dict[str, float]]
    chosen: dict[str, str]
    episodes: int

    def gap(self, policy: str) -> dict[str, float]:
        """How far a policy stays behind the best fixed rule, by variant; negative if ahead."""
        return {
            variant: max(row[rule.name] for rule in RULES) - row[policy]
            for variant, row in self.accuracy.items()
        }

    def as_json(self) -> Json:
        """The report as one JSON object."""
        return {
            "accuracy": self.accuracy,
            "chosen": self.chosen,
            "worst_gap": {
                name: max(self.gap(name).values()) for name in next(iter(self.accuracy.values()))
            },
            "n": self.episodes,
        }


def play(episode: Episode, policy: RetentionPolicy) -> FloatArray:
    """See an episode's dances under a policy and hear the question.

    Returns:
        Belief over the dances, shape (8,).
    """
    memory = BalletMemory(policy)
    for dance in episode.dances:
        memory.see(dance)
    return memory.belief(episode.question)


def train_allocator(
    *, schedule: Schedule | None = None, progress: Callable[[int, int], None] | None = None
) -> LearnedAllocator:
    """Teach an allocator the four variants by trial alone.

    Args:
        schedule: How long and from which seed.
        progress: Told steps done and steps in all.

    Raises:
        NotInstalled: torch is missing.
    """
    allocator = LearnedAllocator(VARIANTS, schedule=schedule)
    steps = allocator.schedule.steps
    random = np.random.default_rng([allocator.schedule.seed, 1])
    for step in range(steps):
        tasks = np.arange(BATCH) % len(VARIANTS)
        rules = allocator.explore(tasks)
        seeds = _TRAINING_SEEDS + random.integers(1 << 31, size=BATCH)
        rewards = [
            _reward(room_ballet(VARIANTS[task], int(seed)), allocator.rules[rule])
            for task, rule, seed in zip(tasks, rules, seeds, strict=True)
        ]
        allocator.learn(tasks, rules, np.array(rewards))
        if progress is not None:
            progress(step + 1, steps)
    return allocator


def evaluate_retention(
    allocator: LearnedAllocator,
    *,
    episodes: int = 500,
    first_seed: int = 0,
    variants: Sequence[str] = VARIANTS,
) -> RetentionReport:
    """Accuracy of every fixed rule, Ebbinghaus decay and a trained allocator on each variant.

    Args:
        allocator: From `train_allocator`.
        episodes: How many of each variant; the same for every policy.
        first_seed: Of the episodes.
        variants: Which of `VARIANTS`.

    Returns:
        Accuracies; where nothing is remembered the dance is guessed, 1 in 8.
    """
    accuracy, chosen = {}, {}
    for variant in variants:
        seeds = range(first_seed, first_seed + episodes)
        evenings = [room_ballet(variant, seed) for seed in seeds]
        row = {name: _accuracy(evenings, policy, first_seed) for name, policy in POLICIES.items()}
        choice = allocator.policy_for(variant)
        row[ALLOCATOR] = _accuracy(evenings, choice, first_seed)
        accuracy[variant], chosen[variant] = row, choice.name
    return RetentionReport(accuracy, chosen, episodes)


def _accuracy(evenings: Sequence[Episode], policy: RetentionPolicy, seed: int) -> float:
    guess = np.random.default_rng([seed, 2]).permuted(
        np.tile(np.arange(len(MOVES)), (len(evenings), 1)), axis=1
    )
    right = [
        order[play(evening, policy)[order].argmax()] == evening.answer  # ties in random order
        for evening, order in zip(evenings, guess, strict=True)
    ]
    return float(np.mean(right))


def _reward(episode: Episode, rule: RetentionPolicy) -> float:
    """The loss downstream, cross-entropy in nats, with its sign turned."""
    return math.log(play(episode, rule)[episode.answer])
