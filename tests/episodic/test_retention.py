"""Retention: every policy against its plain definition, and an allocator that learns by trial."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memory_core.episodic.retention import POLICIES, Stored, policy_named, victims_freeing
from memory_core.episodic.retention.allocator import LearnedAllocator, Schedule
from memory_core.episodic.retention.policies import DAY_NS, Ebbinghaus
from memory_core.errors import DimensionMismatch, InvalidQuery, MemoryDamaged

NAMES = ("fifo", "lifo", "mvfo", "lvfo", "ebbinghaus")


def stored(stamps, **columns):
    count = len(stamps)
    stamp_ns = np.array(stamps, np.int64)
    usual = {
        "last_access_ns": stamp_ns,
        "accesses": np.zeros(count, np.int64),
        "place": np.zeros(count, np.int64),
        "novelty": np.zeros(count),
        "size": np.ones(count, np.int64),
        "protected": np.zeros(count, bool),
    }
    given = {name: np.array(values) for name, values in columns.items()}
    return Stored(stamp_ns=stamp_ns, **(usual | given))


def one_after_the_other(items, count, now_ns, name):
    """The definition: judge all that is left, lose one, judge anew."""
    left = [int(n) for n in np.flatnonzero(~items.protected)]
    held = list(range(items.stamp_ns.size))
    lost = []
    while left and len(lost) < count:
        visits = {n: sum(items.place[m] == items.place[n] for m in held) for n in left}
        age = {n: (int(items.stamp_ns[n]), n) for n in left}
        fades = {
            n: max(0, now_ns - int(items.last_access_ns[n]))
            / (DAY_NS * (1 + items.accesses[n]) * (1 + items.novelty[n]))
            for n in left
        }
        keys = {
            "fifo": {n: age[n] for n in left},
            "lifo": {n: (-age[n][0], -n) for n in left},
            "mvfo": {n: (-visits[n], age[n]) for n in left},
            "lvfo": {n: (visits[n], age[n]) for n in left},
            "ebbinghaus": {n: (-fades[n], age[n]) for n in left},
        }[name]
        gone = min(left, key=keys.__getitem__)
        lost.append(gone)
        left.remove(gone)
        held.remove(gone)
    return lost


@st.composite
def memories(draw):
    count = draw(st.integers(0, 25))

    def column(values):
        return draw(st.lists(values, min_size=count, max_size=count))

    stamps = np.array(column(st.integers(1, 30)), np.int64).reshape(count) * DAY_NS
    return stored(
        stamps,
        last_access_ns=stamps + np.array(column(st.integers(0, 5)), np.int64) * DAY_NS,
        accesses=np.array(column(st.integers(0, 4)), np.int64),
        place=np.array(column(st.integers(-1, 4)), np.int64),
        novelty=np.array(column(st.sampled_from([0.0, 0.5, 1.0])), np.float64),
        size=np.array(column(st.integers(1, 100)), np.int64),
        protected=np.array(column(st.booleans()), bool),
    )


@pytest.mark.parametrize("name", NAMES)
@given(items=memories(), count=st.integers(0, 30))
def test_victims_are_those_of_the_definition_one_after_the_other(name, items, count):
    now_ns = 40 * DAY_NS
    victims = policy_named(name).victims(items, count, now_ns=now_ns).tolist()
    assert victims == one_after_the_other(items, count, now_ns, name)
    assert not items.protected[victims].any()


@pytest.mark.parametrize("name", NAMES)
@given(items=memories(), size=st.integers(0, 2000))
def test_bytes_are_freed_by_the_fewest_first_victims(name, items, size):
    policy = policy_named(name)
    order = policy.victims(items, items.stamp_ns.size, now_ns=DAY_NS).tolist()
    victims = victims_freeing(policy, items, size, now_ns=DAY_NS).tolist()
    assert victims == order[: len(victims)]
    freed = items.size[victims].sum()
    assert freed >= size or victims == order
    assert not victims or items.size[victims[:-1]].sum() < size


def test_a_recall_and_novelty_let_memories_fade_more_slowly():
    items = stored([0, 0, 0], accesses=[0, 1, 0], novelty=[0.0, 0.0, 1.0])
    retention = Ebbinghaus().retention(items, now_ns=DAY_NS)
    assert retention == pytest.approx(np.exp([-1.0, -0.5, -0.5]))


def test_what_has_all_but_faded_is_still_told_apart():
    items = stored([3 * DAY_NS, DAY_NS, 2 * DAY_NS])
    victims = policy_named("ebbinghaus").victims(items, 2, now_ns=100_000 * DAY_NS)
    assert victims.tolist() == [1, 2]


def test_policies_have_the_names_configuration_uses():
    assert tuple(POLICIES) == NAMES
    with pytest.raises(InvalidQuery, match="fifo, lifo"):
        policy_named("random")


def test_columns_of_different_lengths_are_refused():
    items = replace(stored([1, 2]), size=np.ones(3))
    for name in NAMES:
        with pytest.raises(DimensionMismatch):
            policy_named(name).victims(items, 1, now_ns=0)


def test_a_hundred_thousand_items_in_a_thousand_places_lose_half_in_no_time():
    random = np.random.default_rng(0)
    items = stored(random.integers(1, 10**9, 100_000), place=random.integers(0, 1000, 100_000))
    victims = policy_named("mvfo").victims(items, 50_000, now_ns=10**9)
    left = np.delete(items.place, victims)
    assert np.bincount(left).max() - np.bincount(left).min() <= 1


REWARDS = np.array([[-0.1, -1, -2, -2], [-2, -0.2, -1, -1], [-1, -1, -2, -0.3]])


def teach(allocator, steps=150):
    random = np.random.default_rng(1)
    for _ in range(steps):
        tasks = random.integers(3, size=32)
        rules = allocator.explore(tasks)
        rewards = REWARDS[tasks, rules] + random.normal(size=32) * 0.3
        allocator.learn(tasks, rules, rewards)
    return allocator


def test_the_allocator_learns_which_rule_serves_which_task_from_noisy_rewards():
    allocator = teach(LearnedAllocator(["a", "b", "c"], schedule=Schedule(steps=150)))
    assert [allocator.policy_for(task).name for task in "abc"] == ["fifo", "lifo", "lvfo"]
    assert np.abs(allocator.values() - REWARDS).max() < 0.5
    with pytest.raises(InvalidQuery):
        allocator.policy_for("d")


def test_exploration_falls_from_everything_to_a_fifth():
    allocator = LearnedAllocator(["a", "b", "c"], schedule=Schedule(steps=40))
    assert allocator.exploration == 1.0
    teach(allocator, steps=20)
    assert allocator.exploration == pytest.approx(0.6)
    teach(allocator, steps=60)
    assert allocator.exploration == pytest.approx(0.2)
    best = allocator.values().argmax(axis=1)
    tried = allocator.explore(np.repeat([0, 1, 2], 4000))
    share = (tried != np.repeat(best, 4000)).mean()
    assert share == pytest.approx(0.2 * 3 / 4, abs=0.02)


def test_one_seed_is_one_allocator():
    first, second = (teach(LearnedAllocator(["a", "b", "c"]), steps=10) for _ in range(2))
    assert np.array_equal(first.values(), second.values())
    other = LearnedAllocator(["a", "b", "c"], schedule=Schedule(seed=1))
    assert not np.array_equal(LearnedAllocator(["a", "b", "c"]).values(), other.values())


def test_an_allocator_is_saved_and_loaded(tmp_path):
    rules = [policy_named(name) for name in ("mvfo", "fifo")]
    allocator = LearnedAllocator(["day", "night"], rules=rules)
    allocator.save(tmp_path / "allocator.safetensors")
    again = LearnedAllocator.load(tmp_path / "allocator.safetensors")
    assert (again.tasks, again.rules) == (("day", "night"), tuple(rules))
    assert np.array_equal(again.values(), allocator.values())
    assert [path.name for path in tmp_path.iterdir()] == ["allocator.safetensors"]


def test_a_damaged_allocator_is_not_loaded(tmp_path):
    path = tmp_path / "allocator.safetensors"
    LearnedAllocator(["a"]).save(path)
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(MemoryDamaged):
        LearnedAllocator.load(path)


def test_arrays_that_do_not_fit_and_an_allocator_of_nothing_are_refused():
    with pytest.raises(DimensionMismatch):
        LearnedAllocator(["a"]).learn(np.zeros(2, int), np.zeros(3, int), np.zeros(2))
    with pytest.raises(InvalidQuery):
        LearnedAllocator([])


def test_policies_do_without_torch():
    code = "import sys, memory_core.episodic.retention; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
