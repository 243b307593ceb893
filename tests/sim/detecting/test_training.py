"""Training: the same seed gives the same weights, also where it was broken off."""

from __future__ import annotations

import json

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("pybullet")

import torch

from memory_core.errors import InvalidQuery
from memory_sim.detecting import learning
from memory_sim.detecting.learning import Schedule, learn_to_name, learn_to_segment
from memory_sim.detecting.looks import NO_COLOUR, looks_of
from memory_sim.detecting.network import load
from memory_sim.detecting.training import Lessons, train_detector
from memory_sim.detecting.views import views_of_home

TINY = Schedule(steps=3, batch=2, size=(64, 96), naming_steps=3, naming_batch=4, seed=5)
LESSONS = Lessons(homes=1, first_seed=130_002, pictures=6, schedule=TINY)


@pytest.fixture(scope="module")
def views():
    return views_of_home(130_002, count=6, width=128, height=96)


def same(first, second):
    first, second = first.state_dict(), second.state_dict()
    return all(torch.equal(first[name], second[name]) for name in first)


def test_the_same_seed_learns_the_same_and_another_does_not(views):
    first, again = (learn_to_segment(views, TINY) for _ in range(2))
    assert same(first, again)
    assert not same(first, learn_to_segment(views, Schedule(3, 2, (64, 96), 3, 4, seed=6)))
    looks = looks_of(first, views)
    assert same(learn_to_name(looks, TINY), learn_to_name(looks, TINY))


def test_learning_makes_the_loss_smaller(views, monkeypatch):
    losses = []
    real = learning._loss

    def noted(*told):
        loss = real(*told)
        losses.append(float(loss.detach()))
        return loss

    monkeypatch.setattr(learning, "_loss", noted)
    learn_to_segment(views, Schedule(steps=24, batch=2, size=(64, 96)))
    sums = np.add(losses[::2], losses[1::2])
    assert sums[-6:].mean() < 0.5 * sums[:6].mean()


def test_training_that_was_broken_off_ends_as_if_it_was_not(views, tmp_path, monkeypatch):
    monkeypatch.setattr(learning, "KEEP_EVERY", 1)

    def power_cut(done, total):
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        learn_to_segment(views, TINY, kept=tmp_path / "state.pt", progress=power_cut)
    told = []
    resumed = learn_to_segment(
        views, TINY, kept=tmp_path / "state.pt", progress=lambda done, total: told.append(done)
    )
    assert told == [3]
    assert same(resumed, learn_to_segment(views, TINY))


def test_the_namer_is_shown_every_thing_large_enough_under_its_name(views):
    torch.manual_seed(0)
    looks = looks_of(learning.Segmenter().eval(), views)  # has learned nothing: finds no thing
    large = [
        (kind, colour)
        for picture, piece, kind, colour in views.things.tolist()
        if (views.pieces[picture, ::2, ::2] == piece).sum() >= 5
    ]
    named = [tuple(row) for row in looks.names.tolist() if row[1] != NO_COLOUR]
    assert sorted(named) == sorted(large)
    assert looks.windows.shape == (len(looks.names), 5, 48, 48)


def test_the_command_trains_writes_weights_and_goes_on(tmp_path):
    out, work, told = tmp_path / "w.safetensors", tmp_path / "work", []
    found = train_detector(out, work, lessons=LESSONS, progress=lambda *done: told.append(done))
    load(out)
    assert found["bytes"] == out.stat().st_size
    assert (1, 1, "homes rendered") in told
    assert (3, 3, "steps of naming") in told
    begun = len(told)
    again = train_detector(out, work, lessons=LESSONS, progress=lambda *done: told.append(done))
    assert again["sha256"] == found["sha256"]
    assert told[begun:] == [(1, 1, "homes rendered")]
    assert json.loads((work / "about.json").read_text())["homes"] == 1


def test_a_folder_of_other_lessons_and_nothing_to_learn_from_are_refused(tmp_path):
    (tmp_path / "about.json").write_text("{}")
    with pytest.raises(InvalidQuery, match="another folder"):
        train_detector(tmp_path / "w.safetensors", tmp_path, lessons=LESSONS)
    with pytest.raises(InvalidQuery, match="1 or more"):
        train_detector(tmp_path / "w.safetensors", tmp_path / "new", lessons=Lessons(homes=0))
    assert not (tmp_path / "new").exists()
