"""Room ballet: four variants, each with a rule of its own, and an allocator that finds it."""

from __future__ import annotations

import json

import numpy as np
import pytest

from memory_core.episodic.retention import policy_named
from memory_core.errors import InvalidQuery
from memory_sim.retention import BalletMemory, evaluate_retention, play, train_allocator
from memory_sim.tasks.room_ballet import CAPACITY, MOVES, VARIANTS, Dance, Question, room_ballet

OWN_RULE = {"recent": "fifo", "early": "lifo", "every-room": "mvfo", "one-room": "lvfo"}


@pytest.fixture(scope="module")
def report():
    return evaluate_retention(train_allocator(), episodes=150)


@pytest.mark.parametrize("variant", VARIANTS)
def test_an_evening_has_eighteen_dances_in_nine_rooms_and_one_answer(variant):
    for seed in range(50):
        episode = room_ballet(variant, seed)
        rooms = np.bincount([dance.room for dance in episode.dances])
        assert sorted(rooms.tolist()) == [1, 1, 1, 1, 1, 1, 2, 2, 8]
        assert CAPACITY == 9
        assert len({dance.dancer for dance in episode.dances}) == 18
        assert {dance.move for dance in episode.dances} == set(range(len(MOVES)))
        asked = [
            (number, dance)
            for number, dance in enumerate(episode.dances)
            if (dance.room, dance.dancer) == (episode.question.room, episode.question.dancer)
        ]
        ((number, dance),) = asked
        assert dance.move == episode.answer
        later = [other.room for other in episode.dances[number + 1 :]]
        assert {
            "recent": number >= 9,
            "early": number < 9,
            "every-room": dance.room not in later,
            "one-room": rooms[dance.room] == 8,
        }[variant]


def test_an_evening_follows_from_its_seed_and_only_the_question_from_the_variant():
    assert room_ballet("early", 3) == room_ballet("early", 3)
    assert room_ballet("early", 3).dances == room_ballet("recent", 3).dances
    assert room_ballet("early", 3).dances != room_ballet("early", 4).dances
    with pytest.raises(InvalidQuery, match="every-room"):
        room_ballet("late", 0)


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_rule_of_a_variant_keeps_all_that_can_be_asked(variant):
    for seed in range(60):
        episode = room_ballet(variant, seed)
        belief = play(episode, policy_named(OWN_RULE[variant]))
        assert belief[episode.answer] == pytest.approx(0.99)
        assert belief.sum() == pytest.approx(1)


def test_what_is_not_remembered_is_not_known():
    memory = BalletMemory(policy_named("fifo"), capacity=2)
    dances = [Dance(room=n, dancer=n, move=n) for n in range(3)]
    for dance in dances:
        memory.see(dance)
    assert memory.dances == tuple(dances[1:])
    assert memory.belief(Question(0, 0)) == pytest.approx(np.full(8, 1 / 8))
    assert memory.belief(Question(1, 2)) == pytest.approx(np.full(8, 1 / 8))
    assert memory.belief(Question(2, 2)).argmax() == 2


def test_the_allocator_is_as_good_as_the_best_rule_on_every_variant(report):
    assert max(report.gap("allocator").values()) <= 0.02
    assert report.chosen == OWN_RULE


def test_no_other_policy_is_near_the_best_rule_on_every_variant(report):
    for name in ("fifo", "lifo", "mvfo", "lvfo", "ebbinghaus"):
        assert max(report.gap(name).values()) > 0.3, name


def test_each_variant_has_its_own_best_rule(report):
    for variant, own in OWN_RULE.items():
        row = report.accuracy[variant]
        others = [row[name] for name in OWN_RULE.values() if name != own]
        assert row[own] > max(others) + 0.2


def test_a_miss_is_a_guess_among_eight(report):
    assert report.accuracy["recent"]["lifo"] == pytest.approx(1 / 8, abs=0.08)
    assert report.accuracy["early"]["fifo"] == pytest.approx(1 / 8, abs=0.08)


def test_the_report_is_json(report):
    data = json.loads(json.dumps(report.as_json()))
    assert data["n"] == 150
    assert data["worst_gap"]["allocator"] <= 0.02
