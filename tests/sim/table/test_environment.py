"""The table tasks as Gymnasium environments: ids, spaces, repetition, bad use, growth."""

from __future__ import annotations

import itertools
import math
import warnings

import numpy as np
import psutil
import pytest

pytest.importorskip("pybullet")
pytest.importorskip("gymnasium")

import gymnasium
from gymnasium.error import ClosedEnvironmentError, InvalidAction, NameNotFound, ResetNeeded
from gymnasium.utils.env_checker import check_env, data_equivalence

from memory_core.errors import InvalidQuery
from memory_core.types import Pose
from memory_sim.tasks.table import (
    CATALOGUE,
    IDS,
    Proprioception,
    TableEnv,
    step_towards,
    to_action,
    to_joint_action,
    view_of,
)
from memory_sim.tasks.table.spaces import joint_command, tool_command
from memory_sim.worlds.table.robot import HOME
from tests.sim.table.hand import Hand, made

STILL = to_action(np.zeros(3), np.zeros(3), 0.08)
STEPS = {
    "ShellGameTouch": 90, "ShellGamePush": 90, "ShellGamePick": 90, "InterceptSlow": 90,
    "InterceptMedium": 90, "InterceptFast": 90, "InterceptGrabSlow": 90,
    "InterceptGrabMedium": 90, "InterceptGrabFast": 90, "RotateLenientPos": 90,
    "RotateLenientPosNeg": 90, "RotateStrictPos": 90, "RotateStrictPosNeg": 90,
    "TakeItBack": 180, "RememberColor3": 60, "RememberColor5": 60, "RememberColor9": 60,
    "RememberShape3": 60, "RememberShape5": 60, "RememberShape9": 60,
    "RememberShapeAndColor3x2": 60, "RememberShapeAndColor3x3": 60,
    "RememberShapeAndColor5x3": 60, "BunchOfColors3": 120, "BunchOfColors5": 120,
    "BunchOfColors7": 120, "SeqOfColors3": 120, "SeqOfColors5": 120, "SeqOfColors7": 120,
    "ChainOfColors3": 120, "ChainOfColors5": 120, "ChainOfColors7": 120,
}  # fmt: skip
"""As published (Cherepanov et al. 2025)."""
CHANCE = {
    "MIKASA/ShellGameTouch": 1 / 3, "MIKASA/RememberColor9": 1 / 9,
    "MIKASA/RememberShapeAndColor5x3": 1 / 15, "MIKASA/BunchOfColors3": 1 / 84,
    "MIKASA/SeqOfColors7": 1 / 36, "MIKASA/ChainOfColors3": 1 / 504,
    "MemoryBench/ReopenDrawer": 1 / 3, "MemoryBench/PutBlockBack": 1 / 4,
    "MemoryBench/RearrangeBlock": 1 / 2, "MIKASA/InterceptFast": None,
    "MIKASA/RotateStrictPos": None,
}  # fmt: skip


def test_all_published_tasks_have_their_steps_and_the_ids_have_versions():
    mikasa = {name.removeprefix("MIKASA/"): entry.steps for name, entry in CATALOGUE.items() if name.startswith("MIKASA/")}  # fmt: skip
    assert mikasa == STEPS
    assert len(STEPS) == 32
    assert {f"MemoryBench/{n}-v0" for n in ("ReopenDrawer", "PutBlockBack", "RearrangeBlock")} < set(IDS)  # fmt: skip
    assert all(gymnasium.spec(name).to_json() for name in IDS)


@pytest.mark.parametrize(("name", "chance"), CHANCE.items())
def test_chance_is_that_of_drawing_blindly(name, chance):
    assert CATALOGUE[name].chance == (None if chance is None else pytest.approx(chance))


@pytest.mark.parametrize("name", IDS)
def test_every_task_passes_the_checker_of_gymnasium_without_a_warning(name):
    pictured = name == "MIKASA/RememberColor3-v0"
    env = made(name, cameras=("front",) if pictured else (), render_mode="rgb_array")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(env, skip_render_check=not pictured)
    env.close()


def test_an_observation_holds_what_was_asked_for():
    env = made("MIKASA/RememberColor3-v0", cameras=("front", "wrist"), privileged=False)
    seen, info = env.reset(seed=1)
    assert set(seen) == {"rgb", "depth", "proprioception", "clock", "instruction"}
    assert set(seen["rgb"]) == {"front", "wrist"}
    assert seen["rgb"]["front"].shape == (128, 128, 3)
    assert "state" not in info
    view = view_of(seen, "wrist")
    taken = env.look("wrist")
    assert (view.rgb == taken.rgb).all()
    assert math.dist(view.camera_pose.position, taken.camera_pose.position) < 1e-5
    env.close()


def test_pictures_are_taken_as_often_as_was_asked_for():
    env = made("MIKASA/RememberColor3-v0", cameras=("front",), frame_every=3)
    frames = [env.reset(seed=1)[0]["rgb"]["front"]]
    frames += [env.step(STILL)[0]["rgb"]["front"] for _ in range(4)]
    same = [bool((a == b).all()) for a, b in itertools.pairwise(frames)]
    assert same == [True, True, False, True]
    env.close()


def test_the_same_seed_and_actions_give_the_same_episode_and_another_seed_another():
    def played(seed):
        env = made("MIKASA/ShellGamePick-v0", cameras=("front",))
        seen = [env.reset(seed=seed)[0]]
        env.action_space.seed(3)
        seen += [env.step(env.action_space.sample())[0] for _ in range(8)]
        env.close()
        return seen

    first, second, other = played(5), played(5), played(6)
    assert all(data_equivalence(a, b, exact=True) for a, b in zip(first, second, strict=True))
    assert not data_equivalence(first[0], other[0], exact=True)


def test_the_rows_of_the_state_are_the_things_in_their_order():
    env = made("MIKASA/ShellGameTouch-v0")
    hand = Hand(env, 2)
    hand.wait(6)
    rows, things = hand.seen["state"], hand.info["state"]["things"]
    assert list(things) == ["ball 1", "cup 1", "cup 2", "cup 3"]
    assert rows[:5, 0].tolist() == [1, 1, 1, 1, 0]
    assert np.allclose(rows[1, 1:4], things["cup 1"].position, atol=1e-5)
    wanted = [name for name, row in zip(things, rows, strict=False) if row[8]]
    assert wanted == hand.answer["things"]
    env.close()


def test_joints_go_where_they_are_sent():
    env = made("MIKASA/RotateLenientPos-v0", control="joints")
    env.reset(seed=0)
    goal = HOME + np.array((0.4, 0.1, 0.0, 0.2, 0.0, 0.0, -0.3))
    for _ in range(20):
        seen, *_ = env.step(to_joint_action(goal, 0.03))
    felt = Proprioception.read(seen["proprioception"])
    assert np.abs(felt.joints - goal).max() < 0.01
    assert felt.width_m == pytest.approx(0.03, abs=0.002)
    env.close()


def test_actions_read_back_as_what_they_were_made_from():
    shift, turn = np.array((0.02, -0.05, 0.1)), np.array((0.0, 0.1, -0.3))
    read = tool_command(to_action(shift, turn, 0.05).astype(float))
    assert np.allclose(read[0], shift, atol=1e-6)
    assert np.allclose(read[1], turn, atol=1e-6)
    assert read[2] == pytest.approx(0.05, abs=1e-6)
    joints, width = joint_command(to_joint_action(HOME, 0.0).astype(float))
    assert np.allclose(joints, HOME, atol=1e-6)
    assert width == pytest.approx(0.0, abs=1e-6)


def test_a_step_towards_a_goal_is_as_long_as_asked_and_points_there():
    at = Pose(0.4, 0.0, 0.3, qx=1, qw=0)
    felt = Proprioception(np.zeros(7), np.zeros(7), at, at, 0.08, np.zeros(2))
    shift, turn, _ = tool_command(step_towards(felt, Pose(0.6, 0.0, 0.3, qx=1, qw=0), 0.08, speed=0.5).astype(float))  # fmt: skip
    assert np.allclose(shift, (0.05, 0, 0), atol=1e-6)
    assert np.allclose(turn, 0, atol=1e-6)
    turned = Pose.from_yaw(0.4, 0, z=0.3, yaw=0.2).compose(Pose(qx=1, qw=0))
    shift, turn, _ = tool_command(step_towards(felt, turned, 0.08).astype(float))
    assert np.allclose(shift, 0, atol=1e-6)
    assert np.allclose(turn, (0, 0, 0.2), atol=1e-4)


@pytest.mark.parametrize(
    ("action", "why"),
    [
        (np.full(7, 1.5, np.float32), "from -1 to 1"),
        (np.zeros(8, np.float32), r"shape \(8,\)"),
        (np.zeros(7, np.float64), "float64"),
        (np.full(7, np.nan, np.float32), "not finite"),
        ("left", "'left'"),
        (None, "None"),
    ],
)
def test_an_action_out_of_the_space_is_refused_and_nothing_happens(action, why):
    env = made("MIKASA/RememberColor3-v0")
    _, info = env.reset(seed=0)
    with pytest.raises(InvalidAction, match=why):
        env.step(action)
    assert env.step(STILL)[4]["steps_left"] == info["steps_left"] - 1
    env.close()


def test_before_a_reset_and_after_the_end_only_a_reset_is_possible():
    env = made("MIKASA/RememberColor3-v0", render_mode="rgb_array")
    for call in (lambda: env.step(STILL), lambda: env.look("front"), env.render):
        with pytest.raises(ResetNeeded):
            call()
    env.reset(seed=0)
    for step in range(60):
        *_, ended, truncated, _ = env.step(STILL)
        assert (ended, truncated) == (False, step == 59)
    with pytest.raises(ResetNeeded, match="has ended"):
        env.step(STILL)
    assert env.render().shape == (384, 384, 3)
    env.reset()
    env.step(STILL)
    env.close()


def test_a_closed_environment_refuses_and_closes_twice():
    env = made("MIKASA/TakeItBack-v0")
    env.reset(seed=0)
    env.close()
    env.close()
    for call in (env.reset, lambda: env.step(STILL), lambda: env.look("front"), env.render):
        with pytest.raises(ClosedEnvironmentError):
            call()


def test_unknown_names_are_refused():
    with pytest.raises(NameNotFound):
        gymnasium.make("MIKASA/RememberColour4-v0")
    for wrong in (
        {"task": "MIKASA/RememberColor4"}, {"cameras": ("back",)}, {"control": "mind"},
        {"render_mode": "human"}, {"frame_every": 0}, {"level": 2},
    ):  # fmt: skip
        with pytest.raises(InvalidQuery):
            TableEnv(**({"task": "MIKASA/RememberColor3"} | wrong))
    env = made("MIKASA/RememberColor3-v0")
    env.reset(seed=0)
    with pytest.raises(InvalidQuery, match="front, shoulder, wrist"):
        env.look("back")
    env.close()


def test_two_environments_in_one_process_do_not_disturb_each_other():
    alone = Hand(made("MIKASA/RememberColor3-v0"), 4)
    alone.wait(12)
    one = Hand(made("MIKASA/RememberColor3-v0"), 4)
    other = Hand(made("MIKASA/ShellGamePick-v0"), 9)
    for _ in range(12):
        one.wait(1)
        other.go(0.5, 0.1, 0.1, steps=1)
    assert data_equivalence(alone.seen, one.seen, exact=True)
    for hand in (alone, one, other):
        hand.env.close()


def test_environments_run_side_by_side_in_processes_of_their_own():
    envs = gymnasium.make_vec(
        "MIKASA/RememberColor3-v0", num_envs=2, vectorization_mode="async",
        vector_kwargs={"shared_memory": False}, cameras=("wrist",),
    )  # fmt: skip
    seen, _ = envs.reset(seed=3)
    assert seen["rgb"]["wrist"].shape == (2, 128, 128, 3)
    assert all(told.startswith("Remember the thing") for told in seen["instruction"])
    seen, rewards, *_ = envs.step(np.stack([STILL, STILL]))
    assert rewards.tolist() == [0.0, 0.0]
    single = made("MIKASA/RememberColor3-v0", cameras=("wrist",), privileged=False)
    single.reset(seed=4)
    assert (single.step(STILL)[0]["rgb"]["wrist"] == seen["rgb"]["wrist"][1]).all()
    single.close()
    envs.close()


def test_twenty_resets_do_not_grow_the_process():
    env = made("MIKASA/RememberShapeAndColor5x3-v0", cameras=("wrist",))
    process = psutil.Process()
    for seed in range(20):
        env.reset(seed=seed)
        if seed == 4:
            before = (process.memory_info().rss, process.num_fds())
    assert process.num_fds() == before[1]
    assert process.memory_info().rss - before[0] < 15e6
    env.close()
