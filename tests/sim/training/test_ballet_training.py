"""Training on the ballet: the same evenings as the environment's, repeatable, resumable."""

from __future__ import annotations

import json
from xml.etree import ElementTree

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("gymnasium")

import torch
from safetensors.torch import load_file

from memory_core.errors import InvalidQuery, MemoryDamaged
from memory_core.interfaces.cli import main
from memory_sim.agents.acting import agent_named
from memory_sim.agents.ballet_trained import TrainedAgent
from memory_sim.task_evaluation import play
from memory_sim.task_registry import make
from memory_sim.tasks.ballet import ballet_id
from memory_sim.training.ballet import (
    SHIPPED,
    Learner,
    Schedule,
    count_right,
    load_network,
    train,
)
from memory_sim.training.ballet_episodes import LEVELS, batch_of, draw_batch
from memory_sim.training.ballet_networks import NETWORKS, features
from memory_sim.training.curves import draw_curves

SHORT = Schedule(updates=8, evenings=2)
BODY = "memory_sim.agents.ballet"


def weights(learner):
    return learner.network.state_dict()


def same(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)


@pytest.mark.parametrize("symbols", [True, False])
def test_networks_are_shown_what_the_environment_shows(symbols, monkeypatch):
    env, shown = make(ballet_id(4, 16, symbols=symbols)), []
    agent = TrainedAgent("hcam")
    monkeypatch.setattr(agent, "_network", lambda seen, asked: answered(shown, seen, asked))
    play(env, agent, seed=5)
    batch = batch_of([env.unwrapped._ballet])
    ((seen, asked),) = shown
    assert torch.equal(seen, features(batch.squares))
    assert asked.tolist() == batch.asked.tolist()
    right = env.unwrapped._ballet.dancers[env.unwrapped._ballet.asked]
    assert batch.answers.tolist() == [right.place]


def answered(shown, seen, asked):
    shown.append((seen, asked))
    return torch.zeros(1, 8)


def test_features_say_who_is_there_who_is_away_and_where_somebody_is():
    squares = np.full((1, 1, 8), -1)
    squares[0, 0, [1, 6]] = 4, 8  # in the middle; to the north-east of it
    told = features(squares)[0, 0]
    assert told[:8].nonzero().flatten().tolist() == [1, 6]
    assert told[8:16].nonzero().flatten().tolist() == [6]
    assert told[16:].tolist() == [0, 0, 0, 0, 0, 0, 0, 1]


@pytest.mark.parametrize("name", NETWORKS)
def test_a_run_repeats_exactly_from_its_seed_however_often_it_was_stopped(name, tmp_path):
    whole = Learner(name, SHORT)
    whole.learn(8)
    stopped = Learner(name, SHORT)
    for _ in range(2):
        stopped.learn(3)
        stopped.save(tmp_path / "saved")
        stopped = Learner.load(tmp_path / "saved", name, SHORT)
    stopped.learn(100)
    assert stopped.updates == whole.updates == 8
    assert same(weights(whole), weights(stopped))
    other = Learner(name, Schedule(updates=8, evenings=2, seed=1))
    other.learn(8)
    assert not same(weights(whole), weights(other))


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_learns_one_lesson_by_heart(name, monkeypatch):
    learner = Learner(name, Schedule(updates=60, evenings=8, rate=3e-3, warmup=1))
    batch = draw_batch((2, 16), 8, np.random.default_rng(0))
    monkeypatch.setattr("memory_sim.training.ballet.draw_batch", lambda *_: batch)
    learner.learn(60)
    logits = learner.network(features(batch.squares), torch.from_numpy(batch.asked))
    assert (logits.argmax(-1).numpy() == batch.answers).all()


def test_what_is_saved_is_weights_alone_and_is_read_back(tmp_path):
    learner = train("hcam", SHORT, tmp_path)
    path = tmp_path / "ballet-hcam.safetensors"
    assert same(load_file(path), weights(learner))
    assert same(load_network(path).state_dict(), weights(learner))
    assert train("hcam", SHORT, tmp_path, resume=True).updates == 8


def test_another_schedule_is_not_gone_on_with(tmp_path):
    train("hcam", SHORT, tmp_path)
    with pytest.raises(InvalidQuery, match="--resume"):
        train("hcam", Schedule(updates=9, evenings=2), tmp_path, resume=True)
    with pytest.raises(InvalidQuery, match="hcam, lstm"):
        Learner("gru", SHORT)
    with pytest.raises(InvalidQuery):
        Learner("hcam", Schedule(updates=0))


@pytest.mark.parametrize("data", [b"", b"not weights at all", None])
def test_a_file_that_holds_something_else_is_refused(data, tmp_path):
    path = tmp_path / "weights.safetensors"
    if data is None:
        Learner("lstm", SHORT).save(path)
    else:
        path.write_bytes(data)
    with pytest.raises(MemoryDamaged):
        load_network(path)


def test_no_evening_that_is_measured_was_learnt_from():
    learnt = [draw_batch(LEVELS[0], 32, np.random.default_rng([0, 0, n])) for n in range(10)]
    measured = draw_batch(LEVELS[0], 32, np.random.default_rng([1, 0, *LEVELS[0]]))
    seen = {evening.tobytes() for batch in learnt for evening in batch.squares}
    assert all(evening.tobytes() not in seen for evening in measured.squares[:8])


def test_the_weights_that_come_along_are_small_and_do_what_the_page_says():
    right = {name: count_right(load_network(SHIPPED / f"ballet-{name}.safetensors"), (8, 48), 100)
             for name in NETWORKS}  # fmt: skip
    assert right["hcam"] >= 75
    assert right["hcam"] >= right["lstm"] + 40
    two = count_right(load_network(SHIPPED / "ballet-hcam.safetensors"), (2, 48), 100)
    assert two >= 90
    for path in SHIPPED.iterdir():
        assert path.suffix == ".safetensors"
        assert path.stat().st_size <= 5_000_000


def test_a_network_that_learnt_acts_in_the_environment_and_beyond_what_it_learnt():
    agent = agent_named("memory_sim.agents.ballet_trained:hcam", BODY)
    for task in (ballet_id(2, 48), ballet_id(2, 480, symbols=True)):
        env = make(task)
        assert sum(play(env, agent, seed=seed).success for seed in range(6)) >= 5, task


def test_the_command_trains_measures_and_draws(tmp_path, capsys):
    line = ["train", "ballet", "--updates", "2", "--episodes", "2", "--out", str(tmp_path)]
    assert main([*line, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert set(found["results"]["8 dances, delay 480"]) == {"hcam", "lstm"}
    assert found["config"]["updates"] == 2
    drawing = ElementTree.parse(tmp_path / "ballet-training.svg").getroot()
    assert "LSTM" in "".join(drawing.itertext())
    assert main([*line, "--resume", "--model", "hcam"]) == 0
    assert "2 updates of 32 evenings" in capsys.readouterr().out
    assert main([*line, "--episodes", "0"]) == 3


def test_a_curve_rises_on_the_page_where_shares_rise():
    drawing = ElementTree.fromstring(
        draw_curves("t", {"net": {"level": [(10, 0.0), (20, 0.5), (30, 1.0)]}}, along="x")
    )
    line = next(child for child in drawing if child.tag.endswith("polyline"))
    xs, ys = zip(
        *(map(float, point.split(",")) for point in line.get("points").split()), strict=True
    )
    assert list(xs) == sorted(xs)
    assert list(ys) == sorted(ys, reverse=True)
    assert ys[0] - ys[1] == pytest.approx(ys[1] - ys[2], abs=0.2)
