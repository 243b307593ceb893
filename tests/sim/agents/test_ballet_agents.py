"""Agents at the ballet: the same perception, other memories."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("gymnasium")

from memory_core.errors import InvalidQuery
from memory_core.types import Observation, Sighting
from memory_sim.agents.acting import AGENTS, Agent, agent_named
from memory_sim.agents.ballet import BalletAgent
from memory_sim.agents.ballet_perception import seen_in
from memory_sim.agents.memories import REACH, EpisodeMemory, TaskMemory, memory_named
from memory_sim.task_evaluation import play, wilson
from memory_sim.task_registry import make
from memory_sim.tasks.ballet import BalletEnv, ballet_id

BODY = "memory_sim.agents.ballet"


def successes(task, agent, seeds):
    env, played = make(task, privileged=agent == "oracle"), agent_named(agent, BODY)
    right = sum(play(env, played, seed=seed).success for seed in seeds)
    played.close()
    return right


@pytest.mark.parametrize("task", [
    ballet_id(2, 16), ballet_id(8, 16, symbols=True), ballet_id(8, 48), ballet_id(8, 48, symbols=True),
    ballet_id(8, 480, symbols=True), "RoomBallet/Early-v0", "RoomBallet/RecentSymbols-v0",
    "RoomBallet/EveryRoomSymbols-v0", "RoomBallet/OneRoomSymbols-v0",
])  # fmt: skip
def test_with_the_memory_every_question_is_answered(task):
    seeds = range(2 if "480" in task else 3)
    assert successes(task, "memory", seeds) == len(seeds)


@pytest.mark.parametrize("agent", ["none", "last-frame"])
def test_without_a_memory_it_is_a_guess(agent):
    episodes = 60 if agent == "none" else 24
    low, high = wilson(successes(ballet_id(4, 16, symbols=True), agent, range(episodes)), episodes)
    assert low <= 1 / 4 <= high
    assert high < 0.6


def test_a_window_knows_what_was_danced_last_and_guesses_what_went_before():
    env, agent = make(ballet_id(8, 16, symbols=True)), agent_named("window", BODY)
    last, before = [], []
    for seed in range(200):
        env.reset(seed=seed)
        of = last if env.unwrapped._ballet.asked == 7 else before
        if len(of) < (3 if of is last else 12):
            of.append(play(env, agent, seed=seed).success)
    agent.close()
    assert last == [True] * 3
    assert np.mean(before) < 0.5


def test_the_oracle_shows_that_every_task_can_be_done():
    for task in (ballet_id(8, 16), "RoomBallet/OneRoom-v0"):
        assert successes(task, "oracle", range(10)) == 10


def test_a_memory_that_is_emptied_in_mid_episode_leaves_a_guess():
    env, memory = make(ballet_id(4, 16, symbols=True)), memory_named("memory")
    right = 0
    for seed in range(16):
        agent = BalletAgent(memory)
        seen, _ = env.reset(seed=seed)
        agent.reset(seen["instruction"], seed=1_000 + seed)
        ended = False
        while not ended:
            if seen["instruction"] != "Watch.":
                memory.begin()
            seen, _, ended, _, info = env.step(agent.act(seen))
        right += info["success"]
    memory.close()
    low, high = wilson(right, 16)
    assert low <= 1 / 4 <= high < 0.65


def test_nothing_but_the_memory_outlasts_a_step_while_watching():
    env = make(ballet_id(4, 16, symbols=True))
    for seed in range(2):
        memory = memory_named("memory")
        agent = BalletAgent(memory)
        seen, _ = env.reset(seed=seed)
        agent.reset(seen["instruction"])
        ended = False
        while not ended:
            if seen["instruction"] == "Watch.":
                other = BalletAgent(memory)
                other._random, other._now_ns, other._goal = agent._random, agent._now_ns, None
                agent = other  # as if it had just been born, but for the clock and the memory
            seen, _, ended, _, info = env.step(agent.act(seen))
        assert info["success"]
        memory.close()


def test_an_agent_is_never_told_which_task_it_is_in():
    env, told = BalletEnv(dances=2, delay=16), []

    class Listener:
        def reset(self, instruction, *, seed=0):
            told.append(instruction)

        def act(self, observation):
            told.extend(str(value) for value in observation.values())
            return np.int64(0)

        def close(self):
            pass

    play(env, Listener(), seed=0)
    assert not any("Dances2" in words or "Ballet/" in words for words in told)
    assert told[0] == "Watch."


def test_pixels_and_symbols_are_seen_alike():
    both = [make(ballet_id(8, 16, symbols=symbols)) for symbols in (False, True)]
    for env in both:
        env.reset(seed=6)
    for _ in range(40):
        pixels, symbols = (seen_in(env.step(np.int64(0))[0]) for env in both)
        assert set(pixels) == set(symbols)
        assert len(symbols) == 8


def test_an_episode_is_played_again_exactly():
    env, agent = make(ballet_id(4, 16, symbols=True)), agent_named("none", BODY)
    once = [play(env, agent, seed=seed).success for seed in range(12)]
    again = [play(env, agent, seed=seed).success for seed in range(12)]
    agent.close()
    assert once == again
    assert len(set(once)) == 2


def note(second, label="red disc"):
    return Observation(
        id=f"{second}", stamp_ns=second * 10**9, source="test", text=label,
        sightings=(Sighting(label, position=(1.0, 2.0, 0.0)),),
    )  # fmt: skip


@pytest.mark.parametrize(("name", "expected"), [
    ("memory", list(range(1, 41))), ("window", list(range(9, 41))), ("last-frame", [40]),
    ("none", []),
])  # fmt: skip
def test_each_memory_reaches_back_as_far_as_its_name_says(name, expected):
    memory = memory_named(name)
    memory.begin()
    for second in range(1, 41):
        memory.remember(second * 10**9, [note(second)])
    assert [seen.stamp_ns // 10**9 for seen in memory.moments()] == expected
    memory.close()


def test_steps_without_anything_to_remember_pass_for_a_window_too():
    memory = EpisodeMemory(3)
    memory.begin()
    memory.remember(10**9, [note(1)])
    for second in (2, 3):
        memory.remember(second * 10**9, [])
    assert len(memory.moments()) == 1
    memory.remember(4 * 10**9, [])
    assert memory.moments() == []
    memory.close()


def test_a_new_episode_begins_with_nothing_and_leaves_no_folder_behind(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    memory = EpisodeMemory()
    for _ in range(3):
        memory.begin()
        assert memory.moments() == []
        memory.remember(10**9, [note(1)])
        assert len(list(tmp_path.iterdir())) == 1
    memory.close()
    assert list(tmp_path.iterdir()) == []


def test_agents_and_memories_keep_to_their_interfaces():
    assert AGENTS == ("memory", "window", "last-frame", "none", "oracle")
    for name in AGENTS:
        agent = agent_named(name, BODY)
        assert isinstance(agent, Agent)
        agent.close()
    assert all(isinstance(memory_named(name), TaskMemory) for name in REACH)


@pytest.mark.parametrize("name", ["perfect", "memory_sim.nowhere:Agent", "memory_sim.errors:No",
                                  "nowhere.py:Agent", "collections:OrderedDict"])  # fmt: skip
def test_an_unknown_agent_is_refused_with_what_was_expected(name):
    with pytest.raises(InvalidQuery, match="agent"):
        agent_named(name, BODY)
