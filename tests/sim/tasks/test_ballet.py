"""The ballet and room ballet as Gymnasium environments: rules, spaces, repetition, bad use."""

from __future__ import annotations

import tracemalloc
import warnings

import numpy as np
import pytest

pytest.importorskip("gymnasium")

import gymnasium
from gymnasium.error import ClosedEnvironmentError, InvalidAction, ResetNeeded
from gymnasium.utils.env_checker import check_env, data_equivalence

from memory_core.errors import InvalidQuery
from memory_sim.tasks import ballet, ballet_rooms
from memory_sim.tasks.ballet import ballet_id
from memory_sim.tasks.ballet_dances import COLOURS, DANCES, NAMES, SHAPES, draw_ballet, path_of
from memory_sim.tasks.ballet_stage import ROBOT, WALL, drawn
from memory_sim.tasks.room_ballet import MOVES

N, NE, E, SE, S, SW, W, NW = range(8)


def watched(env, *, seed=0):
    """Observations from the first to the question, and the information with the last."""
    seen, info = env.reset(seed=seed)
    shown = [seen]
    while seen["instruction"] == "Watch.":
        seen, reward, ended, truncated, info = env.step(np.int64(0))
        assert (reward, ended, truncated) == (0.0, False, False)
        shown.append(seen)
    return shown, info


@pytest.mark.parametrize("name", [*ballet.IDS, *ballet_rooms.IDS])
def test_every_registered_task_passes_the_checker_of_gymnasium_without_a_warning(name):
    env = gymnasium.make(name, render_mode="rgb_array")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(env.unwrapped)
    env.close()


def test_the_published_levels_are_registered_with_versions_and_can_be_made_by_name():
    published = {
        f"Ballet/Dances{dances}Delay{delay}{symbols}-v0"
        for dances in (2, 4, 8) for delay in (16, 48) for symbols in ("", "Symbols")
    }  # fmt: skip
    assert published < set(ballet.IDS)
    rooms = {"Recent", "Early", "EveryRoom", "OneRoom"}
    assert set(ballet_rooms.IDS) == {
        f"RoomBallet/{name}{symbols}-v0" for name in rooms for symbols in ("", "Symbols")
    }
    for name in (*ballet.IDS, *ballet_rooms.IDS):
        assert gymnasium.spec(name).to_json()


def test_there_are_thirteen_dances_of_sixteen_moves_each_of_which_stays_around_its_place():
    assert len(NAMES) == 13
    assert len({path_of(name).tobytes() for name in NAMES}) == 13
    for name in NAMES:
        path = path_of(name)
        assert path.shape == (16, 2)
        assert path[-1].tolist() == [0, 0]
        assert np.abs(path).max() == 1
    assert DANCES["circle clockwise"].startswith("n e s s w w n n")
    assert DANCES["circle counter-clockwise"].startswith("n w s s e e n n")
    assert DANCES["chevron up"].startswith("se n nw sw")


def test_dancers_dance_one_after_the_other_and_nobody_moves_between():
    env = gymnasium.make(ballet_id(4, 16, symbols=True))
    shown, _ = watched(env, seed=3)
    evening = env.unwrapped._ballet
    assert len(shown) == 4 * (16 + 16) + 1
    places = np.array([seen["symbols"][:, 2:] for seen in shown])
    moving = (places[1:] != places[:-1]).any(axis=-1)
    for turn, dancer in enumerate(evening.dancers):
        begins = turn * 32
        assert moving[begins : begins + 16, dancer.place].all()
        assert moving[begins : begins + 16].sum() == 16
        assert not moving[begins + 16 : begins + 32].any()
        danced = places[1 + begins : 17 + begins, dancer.place] - places[0, dancer.place]
        assert danced.tolist() == path_of(dancer.dance).tolist()
    assert not moving[:, [n for n in range(8) if n not in {d.place for d in evening.dancers}]].any()


def test_no_two_dancers_of_an_evening_share_a_place_a_dance_a_colour_or_a_shape():
    random = np.random.default_rng(0)
    asked = np.zeros(8, int)
    for _ in range(400):
        evening = draw_ballet(8, 16, random)
        for of in ("place", "dance", "colour", "shape"):
            assert len({getattr(dancer, of) for dancer in evening.dancers}) == 8
        assert evening.dancers[evening.asked].dance in evening.question
        asked[evening.asked] += 1
    assert asked.min() > 25  # 50 expected, 6.6 the standard deviation


def test_the_robot_walks_to_a_dancer_and_is_rewarded_for_the_right_one_alone():
    outcomes = set()
    for way in range(8):
        env = gymnasium.make(ballet_id(8, 16), privileged=True)
        _, info = watched(env, seed=7)
        right = info["state"]["target"]
        for _ in range(2):
            _, reward, ended, _, info = env.step(np.int64(way))
            assert (reward, ended) == (0.0, False)
        _, reward, ended, truncated, info = env.step(np.int64(way))
        east, north = [(0, 3), (3, 3), (3, 0), (3, -3), (0, -3), (-3, -3), (-3, 0), (-3, 3)][way]
        expected = right == (east, north)
        assert (ended, truncated) == (True, False)
        assert reward == float(expected) == float(info["success"])
        assert info["conditions"] == {"at a dancer": True, "at the right one": expected}
        outcomes.add(reward)
        with pytest.raises(ResetNeeded):
            env.unwrapped.step(np.int64(0))
    assert outcomes == {0.0, 1.0}


def test_who_never_reaches_a_dancer_runs_out_of_time():
    env = gymnasium.make(ballet_id(2, 16))
    watched(env)
    free = next(way for way in range(8) if way not in _places(env))
    taken = [env.step(np.int64(free)) for _ in range(32)]
    assert [step[3] for step in taken] == [False] * 31 + [True]
    assert taken[-1][4]["conditions"] == {"at a dancer": False, "at the right one": False}


def _places(env):
    return {dancer.place for dancer in env.unwrapped._ballet.dancers}


def test_actions_during_the_dances_change_nothing():
    def shown(action):
        env = gymnasium.make(ballet_id(2, 16))
        seen = [env.reset(seed=5)[0]]
        return seen + [env.step(np.int64(action))[0] for _ in range(64)]

    assert all(data_equivalence(a, b, exact=True) for a, b in zip(shown(E), shown(SW), strict=True))


def test_symbols_and_pixels_tell_the_same():
    both = [gymnasium.make(ballet_id(8, 16, symbols=symbols)) for symbols in (False, True)]
    for env in both:
        env.reset(seed=11)
    for _ in range(20):
        pixels, signs = (env.step(np.int64(0))[0] for env in both)
        for colour, shape, east, north in signs["symbols"].tolist():
            square = pixels["rgb"][(5 - north) * 9 :, (5 + east) * 9 :][:9, :9]
            assert (square.any(axis=-1) == drawn(shape)).all()
            assert square[drawn(shape)].max(axis=0).tolist() == list([*COLOURS.values()][colour])
        assert pixels["rgb"][49, 49].tolist() == list(ROBOT)
        assert pixels["rgb"][0, 0].tolist() == list(WALL)
    assert len({drawn(number).tobytes() for number in range(len(SHAPES))}) == len(SHAPES)


def test_the_same_seed_is_the_same_evening_and_another_seed_another():
    def seen(seed):
        env = gymnasium.make(ballet_id(8, 48))
        return [*watched(env, seed=seed)[0]]

    first, again, other = seen(1), seen(1), seen(2)
    assert all(data_equivalence(a, b, exact=True) for a, b in zip(first, again, strict=True))
    assert not np.array_equal(first[0]["rgb"], other[0]["rgb"])


def test_two_environments_in_one_process_do_not_meet():
    alone = gymnasium.make(ballet_id(2, 16, symbols=True))
    expected = [alone.reset(seed=4)[0], *(alone.step(np.int64(0))[0] for _ in range(64))]
    one, two = (gymnasium.make(ballet_id(n, 16, symbols=True)) for n in (2, 8))
    got = [one.reset(seed=4)[0]]
    two.reset(seed=9)
    for _ in range(64):
        two.step(np.int64(0))
        got.append(one.step(np.int64(0))[0])
    assert all(data_equivalence(a, b, exact=True) for a, b in zip(expected, got, strict=True))


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_several_are_run_side_by_side(mode):
    options = {"vector_kwargs": {"shared_memory": False}} if mode == "async" else {}
    envs = gymnasium.make_vec(
        ballet_id(2, 16, symbols=True), num_envs=2, vectorization_mode=mode, **options
    )
    envs.reset(seed=3)
    for _ in range(64):
        seen, *_ = envs.step(np.zeros(2, np.int64))
    alone = [watched(gymnasium.make(ballet_id(2, 16, symbols=True)), seed=s)[0][-1] for s in (3, 4)]
    assert seen["instruction"] == tuple(one["instruction"] for one in alone)
    assert np.array_equal(seen["symbols"], [one["symbols"] for one in alone])
    envs.close()


def test_a_room_is_shown_with_one_dancer_and_the_question_shows_the_one_that_is_meant():
    env = gymnasium.make("RoomBallet/EarlySymbols-v0", privileged=True)
    shown, info = watched(env, seed=2)
    evening = env.unwrapped._episode
    assert len(shown) == 18 * 32 + 1
    for visit, dance in enumerate(evening.dances):
        seen = shown[1 + 32 * visit : 33 + 32 * visit]
        assert {tuple(one["room"]) for one in seen} == {(dance.room % 3, dance.room // 3)}
        places = np.array([one["symbols"][0, 2:] for one in seen])
        assert (places[:16] - (0, 3)).tolist() == path_of(MOVES[dance.move]).tolist()
        assert (places[16:] == (0, 3)).all()
        assert all((one["symbols"][1:, :2] == -1).all() for one in seen)
    dancers = [tuple(shown[1 + 32 * visit]["symbols"][0, :2]) for visit in range(18)]
    assert len(set(dancers)) == 18
    asked = dancers.index(tuple(shown[-1]["symbols"][0, :2]))
    assert evening.dances[asked].move == info["state"]["answer"] == evening.answer
    _, reward, ended, _, info = env.step(np.int64(evening.answer))
    assert (reward, ended, info["success"]) == (1.0, True, True)


def test_a_wrong_dance_ends_room_ballet_without_a_reward():
    env = gymnasium.make("RoomBallet/RecentSymbols-v0", privileged=True)
    _, info = watched(env, seed=2)
    wrong = (info["state"]["answer"] + 1) % len(MOVES)
    _, reward, ended, _, info = env.step(np.int64(wrong))
    assert (reward, ended) == (0.0, True)
    assert info["conditions"] == {"answered": True, "the right dance": False}


def test_no_truth_leaves_the_environment_unless_it_is_asked_for():
    env = gymnasium.make(ballet_id(2, 16))
    seen, info = env.reset(seed=0)
    assert set(seen) == {"rgb", "instruction"}
    assert set(info) == {"conditions", "success"}


def test_chance_is_one_among_the_dancers_or_the_dances():
    for name, chance in ((ballet_id(2, 48), 1 / 2), (ballet_id(8, 16), 1 / 8),
                         ("RoomBallet/OneRoom-v0", 1 / 8)):  # fmt: skip
        assert gymnasium.make(name).unwrapped.chance == chance


def test_pictures_are_large_and_say_what_the_robot_is_told():
    env = gymnasium.make(ballet_id(2, 16), render_mode="rgb_array").unwrapped
    with pytest.raises(ResetNeeded):
        env.render()
    env.reset(seed=0)
    frame = env.render()
    assert frame.shape[1:] == (396, 3)
    assert frame.dtype == np.uint8
    assert (frame[396:] < 128).any()


def test_bad_use_is_refused_by_its_name():
    env = gymnasium.make(ballet_id(2, 16)).unwrapped
    with pytest.raises(ResetNeeded):
        env.step(np.int64(0))
    env.reset(seed=0)
    for action in (np.int64(8), 0.5, "n", None, np.array([0, 1])):
        with pytest.raises(InvalidAction):
            env.step(action)
    env.close()
    for call in (env.reset, lambda: env.step(np.int64(0)), env.render):
        with pytest.raises(ClosedEnvironmentError):
            call()
    with pytest.raises(InvalidQuery):
        ballet.BalletEnv(dances=9)
    with pytest.raises(InvalidQuery):
        ballet_rooms.RoomBalletEnv(variant="late")
    with pytest.raises(ValueError, match="rgb_array"):
        ballet.BalletEnv(render_mode="human")


def test_a_thousand_evenings_leave_nothing_behind():
    env = gymnasium.make(ballet_id(2, 16, symbols=True)).unwrapped
    for seed in range(20):
        env.reset(seed=seed)
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    for seed in range(1_000):
        env.reset(seed=seed)
        env.step(np.int64(0))
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert after - before < 200_000
