"""House tasks as Gymnasium environments: spaces, days, success, repetition, and their end."""

from __future__ import annotations

import math
import re
import warnings
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("pybullet")
pytest.importorskip("gymnasium")

import gymnasium
import pybullet
from gymnasium.error import ClosedEnvironmentError, InvalidAction, ResetNeeded
from gymnasium.utils.env_checker import check_env, data_equivalence

from memory_core.types import Pose
from memory_sim.tasks import house as tasks
from memory_sim.tasks.house import (
    HAND_ENDED,
    Command,
    HouseEnv,
    to_action,
)
from memory_sim.tasks.house.wording import named, names_place, places_in
from memory_sim.worlds.home.people import moves, state
from memory_sim.worlds.home.placing import spot_pose
from memory_sim.worlds.home.plan import plan_home

HOME = 30
PLAN = plan_home(HOME, rooms=4, floors=1)
SMALL = {"rooms": 4, "floors": 1, "home": HOME, "width": 96, "height": 72}
NIGHT = to_action(Command(done=True))


def small(name, **options):
    return gymnasium.make(
        f"House/{name}-v0", **(SMALL | {"look_steps": 3, "task_steps": 6} | options)
    )


def on_the_last_day(name, *, seed=0, **options):
    """An environment whose nights are over, its house, and what was seen last."""
    env = small(name, **options)
    env.reset(seed=seed)
    while True:
        seen, _, _, _, info = env.step(NIGHT)
        if seen["last_day"]:
            return env, env.unwrapped._house, seen, info


def spoken(text):
    return to_action(Command(answer=text))


def stand_before(house, thing):
    """Carry the robot to where it can look at a thing, and say how to look."""
    furniture = house.plan.furniture_by_id[house.where[thing].furniture]
    at = house.where[thing].position
    front = furniture.standing()
    house.base.put(
        Pose.from_yaw(front.x, front.y, z=front.z, yaw=math.atan2(at[1] - front.y, at[0] - front.x))
    )
    x, y, z = house.base.true_pose.inverse().apply(*at)
    return Command(pan_rad=math.atan2(y, x - 0.08), tilt_rad=math.atan2(z - 1.25, math.hypot(x, y)))


@pytest.mark.parametrize("name", tasks.TASKS)
def test_every_registered_task_passes_the_checker_of_gymnasium_without_a_warning(name):
    env = small(name, look_steps=1, task_steps=2, render_mode="rgb_array")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(env.unwrapped, skip_render_check=name != "FindObject")
    env.close()


def test_the_ids_have_versions_and_can_be_made_by_name():
    assert set(tasks.IDS) == {
        "House/FindObject-v0", "House/FetchObject-v0", "House/PutBack-v0", "House/WhatChanged-v0",
        "House/PatrolAndReport-v0", "House/ReturnTo-v0", "House/SearchOrder-v0",
        "House/AnswerQuestions-v0",
    }  # fmt: skip
    assert all(gymnasium.spec(name).to_json() for name in tasks.IDS)


def test_a_night_passes_when_the_steps_of_a_day_are_used_up_and_then_the_task_is_given():
    env = small("FindObject", look_steps=2)
    seen, info = env.reset(seed=1)
    assert (seen["day"], seen["last_day"], info["conditions"]) == (0, 0, {})
    assert seen["instruction"].startswith("Look around")
    seen, *_ = env.step(to_action(Command(linear_m_s=0.4)))
    assert seen["day"] == 0
    assert seen["odometry"][0] == pytest.approx(0.2, abs=0.05)
    seen, reward, ended, truncated, info = env.step(to_action(Command()))
    assert (seen["day"], seen["last_day"], reward, ended, truncated) == (1, 1, 0.0, False, False)
    assert seen["instruction"].startswith("Find the ")
    assert seen["odometry"].tolist() == [0, 0, 0]
    assert list(info["conditions"]) == ["near", "in view", "declared"]
    env.close()


def test_an_episode_is_truncated_when_the_steps_of_the_last_day_are_used_up():
    env, *_ = on_the_last_day("FetchObject", task_steps=2)
    assert env.step(to_action(Command()))[2:4] == (False, False)
    assert env.step(to_action(Command()))[2:4] == (False, True)
    with pytest.raises(ResetNeeded):
        env.unwrapped.step(to_action(Command()))
    env.close()


def test_the_same_seed_and_actions_give_the_same_episode():
    def played():
        env = small("FetchObject", look_steps=2, home=None)
        seen = [env.reset(seed=5)[0]]
        env.action_space.seed(3)
        for _ in range(4):
            action = env.action_space.sample() | {"hand": 0, "answer": "", "done": 0}
            seen.append(env.step(action)[0])
        env.close()
        return seen

    first, second = played(), played()
    assert all(data_equivalence(a, b, exact=True) for a, b in zip(first, second, strict=True))
    assert first[-1]["instruction"].startswith("Bring me the ")


def test_another_seed_is_another_home():
    env = small("FindObject", home=None)
    plans = []
    for seed in (1, 2):
        env.reset(seed=seed)
        plans.append(env.unwrapped._house.plan.seed)
    assert plans[0] != plans[1]
    env.close()


def test_no_truth_leaves_the_environment_unless_it_is_asked_for():
    env, _, seen, info = on_the_last_day("FindObject")
    assert "state" not in info
    assert set(seen) == set(env.observation_space.spaces)
    env.close()
    env, _, _, info = on_the_last_day("FindObject", privileged=True)
    assert info["state"]["robot"][:2] == pytest.approx([PLAN.dock.x, PLAN.dock.y])
    assert set(info["state"]["things"]) == set(state(PLAN, 1).spots)
    env.close()


def test_found_is_near_in_view_and_said_so():
    env, house, _, _ = on_the_last_day("FindObject", task_steps=40)
    house_task = env.unwrapped._task
    spots = state(PLAN, 1).spots
    house_task.thing = next(t for t, s in spots.items() if s.surface == "top")
    look = stand_before(house, house_task.thing)
    _, reward, ended, _, info = env.step(to_action(look))
    assert (reward, ended) == (0.0, False)
    assert info["conditions"] == {"near": True, "in view": True, "declared": False}
    declared = to_action(Command(pan_rad=look.pan_rad, tilt_rad=look.tilt_rad, done=True))
    _, reward, ended, _, info = env.step(declared)
    assert (reward, ended, info["success"]) == (1.0, True, True)
    env.close()


def test_to_say_done_elsewhere_ends_the_episode_without_reward():
    env, house, _, _ = on_the_last_day("FindObject")
    house.base.put(PLAN.dock)
    _, reward, ended, _, info = env.step(NIGHT)
    assert (reward, ended) == (0.0, True)
    assert info["conditions"]["declared"]
    env.close()


def picked(env, house, thing):
    """Take a thing that stands in front of the robot; the points come from the depth picture."""
    look = stand_before(house, thing)
    env.step(to_action(look))
    target = house.base.true_pose.inverse().apply(*house.where[thing].position)
    half = 0.5 * max(0.05, 1.2 * _tall(thing))
    hand = Command(
        pan_rad=look.pan_rad, tilt_rad=look.tilt_rad, hand="pick", target=target,
        aim=(0.06, 0.06, half * 0.92),
    )  # fmt: skip
    return env.step(to_action(hand))


def _tall(thing):
    from memory_sim.worlds.home.things import thing_size

    known = PLAN.thing_by_id[thing]
    return thing_size(known.kind, known.colour, known.scale)[2]


def test_a_thing_is_fetched_by_hand_and_given_at_the_asker():
    env, house, _, _ = on_the_last_day("FetchObject", task_steps=40, width=160, height=120)
    env.unwrapped._task.thing = thing = "mustard 1"
    seen, _, _, _, info = picked(env, house, thing)
    assert HAND_ENDED[seen["hand"]] == "done"
    assert seen["holding"] == 1
    assert info["conditions"] == {"taken": True, "given": False, "at the asker": False}
    env.step(to_action(Command(hand="stow")))
    house.base.put(PLAN.dock)
    _, reward, ended, _, info = env.step(to_action(Command(hand="give")))
    assert (reward, ended) == (1.0, True)
    assert info["conditions"] == {"taken": True, "given": True, "at the asker": True}
    env.close()


def test_what_is_given_elsewhere_is_not_fetched():
    env, house, _, _ = on_the_last_day("FetchObject", task_steps=40, width=160, height=120)
    env.unwrapped._task.thing = thing = "mustard 1"
    picked(env, house, thing)
    _, reward, _, _, info = env.step(to_action(Command(hand="give")))
    assert reward == 0.0
    assert info["conditions"] == {"taken": True, "given": True, "at the asker": False}
    env.close()


def test_the_thing_to_put_back_was_moved_overnight_from_where_it_belongs():
    env, house, seen, info = on_the_last_day("PutBack")
    task = env.unwrapped._task
    assert (
        seen["instruction"]
        == f"Put the {PLAN.thing_by_id[task.thing].label} back where it belongs."
    )
    assert (
        state(PLAN, 1).spots[task.thing].furniture == task.home != house.where[task.thing].furniture
    )
    assert list(info["conditions"].values()) == [False, False, False]
    env.close()


def test_put_back_counts_only_after_the_robot_took_it_and_let_it_go():
    env, house, _, _ = on_the_last_day("PutBack", task_steps=20)
    task = env.unwrapped._task
    spot = state(PLAN, 1).spots[task.thing]
    house.world.place(task.thing, spot_pose(spot, PLAN.furniture_by_id[spot.furniture]))
    assert env.step(to_action(Command()))[4]["conditions"]["where it belongs"] is False
    house.taken.append(task.thing)
    _, reward, ended, _, info = env.step(to_action(Command()))
    assert (reward, ended, info["conditions"]["where it belongs"]) == (1.0, True, True)
    env.close()


def changed_in_the_open(room):
    """What people did in a room before day 1, as far as it can be seen, read from the plan."""
    found = set()
    for move in moves(PLAN, 1):
        for spot in (move.before, move.after):
            if spot is None or PLAN.surface(spot).opening:
                continue
            if PLAN.furniture_by_id[spot.furniture].room == room:
                found.add(PLAN.thing_by_id[move.thing].label)
    return found


def test_what_changed_wants_the_things_of_that_room_and_little_else():
    unchanged = next(
        thing.label for thing in PLAN.things if thing.id not in {m.thing for m in moves(PLAN, 1)}
    )
    for extra, reward in (("", 1.0), (f" and the {unchanged}", 0.0)):
        env, _, seen, _ = on_the_last_day("WhatChanged")
        room = next(room for room in PLAN.room_by_name if f"in the {room} " in seen["instruction"])
        labels = sorted(changed_in_the_open(room))
        assert labels
        assert seen["question"] == "What has changed?"
        answer = spoken("the " + ", the ".join(labels) + extra)
        seen, got, ended, _, info = env.step(answer)
        assert (got, ended, info["success"]) == (reward, True, bool(reward))
        env.close()


def test_a_patrol_needs_every_room_the_way_back_and_the_report():
    env, house, _, _ = on_the_last_day("PatrolAndReport", task_steps=20)
    labels = sorted(set().union(*map(changed_in_the_open, PLAN.room_by_name)))
    for room in PLAN.rooms:
        house.base.put(Pose.from_yaw(*room.centre, z=room.z))
        _, _, _, _, info = env.step(to_action(Command()))
    assert info["conditions"]["every room"]
    assert not info["conditions"]["reported"]
    house.base.put(PLAN.dock)
    _, reward, ended, _, info = env.step(spoken("; ".join(labels)))
    assert (reward, ended) == (1.0, True), info
    env.close()


def test_return_to_asks_for_where_a_thing_was_when_it_was_first_seen():
    env = small("ReturnTo", task_steps=20)
    env.reset(seed=0)
    house = env.unwrapped._house
    thing = next(t for t, s in state(PLAN, 0).spots.items() if s.surface == "top")
    env.step(to_action(stand_before(house, thing)))
    assert thing in house.in_view
    before = {name: house.where[name].position for name in house.in_view}
    seen, *_ = env.step(NIGHT)
    label = seen["instruction"].removeprefix("Go back to where you first saw the ").rstrip(".")
    place = next(before[name] for name in before if PLAN.thing_by_id[name].label == label)
    assert math.dist(place[:2], PLAN.dock.position[:2]) > 2.0
    front = PLAN.furniture_by_id[state(PLAN, 0).spots[thing].furniture].standing()
    house.base.put(front)
    _, reward, ended, _, _ = env.step(NIGHT)
    assert (reward, ended) == (1.0, True)
    env.close()


def test_a_robot_that_saw_nothing_is_asked_back_to_where_it_started():
    env = small("ReturnTo", width=2, height=2)
    env.reset(seed=0)
    seen, *_ = env.step(NIGHT)
    assert seen["instruction"] == "Go back to where you started."
    assert env.step(NIGHT)[1] == 1.0
    env.close()


def test_a_search_order_is_right_with_the_true_place_among_the_first_three():
    for position, reward in ((2, 1.0), (3, 0.0)):
        env, _, seen, _ = on_the_last_day("SearchOrder")
        task = env.unwrapped._task
        assert seen["day"] == 3
        spot = state(PLAN, 3).spots[task.thing]
        piece = PLAN.furniture_by_id[spot.furniture]
        wrong = [
            f"the {p.label} in the {p.room}" for p in PLAN.furniture
            if p.label != piece.label and p.label != "door"
        ][:3]  # fmt: skip
        wrong.insert(position, f"the {piece.label} in the {piece.room}")
        assert env.step(spoken("; ".join(wrong)))[1] == reward
        env.close()


def test_questions_are_asked_one_after_the_other_and_all_must_be_right():
    for last, reward in (("No, never.", 1.0), ("Yes, on the sofa.", 0.0)):
        env, _, seen, _ = on_the_last_day("AnswerQuestions", width=2, height=2)
        assert seen["question"].startswith("Have you ever seen a ")
        assert seen["day"] == 2
        seen, got, ended, _, info = env.step(spoken(last))
        assert (got, ended) == (reward, True)
        assert info["conditions"] == {"question 1": bool(reward)}
        assert seen["question"] == ""
        env.close()


def test_questions_are_about_things_that_were_seen_with_answers_from_those_days():
    env = small("AnswerQuestions", task_steps=20)
    env.reset(seed=0)
    house = env.unwrapped._house
    thing = next(t for t, s in state(PLAN, 0).spots.items() if s.surface == "top")
    env.step(to_action(stand_before(house, thing)))
    rooms = {name: glimpse.where.room for name, glimpse in house.last_seen.items()}
    furniture = {name: glimpse.where.furniture for name, glimpse in house.last_seen.items()}
    env.step(NIGHT)
    seen, *_ = env.step(NIGHT)
    asked = 0
    while seen["question"]:
        question = seen["question"]
        label = next(iter(named(question, [t.label for t in PLAN.things])), None)
        name = next((t.id for t in PLAN.things if t.label == label), None)
        if name is None:
            answer = "No."
        elif question.startswith("Which room"):
            answer = f"In the {rooms[name]}."
        elif question.startswith("On which day"):
            answer = "day 1"
        else:
            answer = f"On the {PLAN.furniture_by_id[furniture[name]].label}."
        asked += 1
        seen, reward, ended, _, info = env.step(spoken(answer))
    assert ended
    assert asked == len(info["conditions"]) >= 2
    assert reward == 1.0, info
    env.close()


def test_environments_step_side_by_side_in_processes_of_their_own():
    envs = gymnasium.make_vec(
        "House/FindObject-v0", num_envs=2, vectorization_mode="async", **SMALL, look_steps=2
    )
    seen, _ = envs.reset(seed=[4, 4])
    assert seen["rgb"].shape == (2, 72, 96, 3)
    assert (seen["rgb"][0] == seen["rgb"][1]).all()
    for _ in range(2):
        envs.action_space.seed(1)
        action = envs.action_space.sample()
        action["hand"][:] = 0
        seen, rewards, *_ = envs.step(action)
    assert rewards.tolist() == [0.0, 0.0]
    envs.close()


def test_an_episode_is_recorded_as_a_video(tmp_path):
    pytest.importorskip("moviepy", reason="gymnasium's RecordVideo writes with moviepy")
    env = small("FindObject", look_steps=1, task_steps=2, render_mode="rgb_array")
    env = gymnasium.wrappers.RecordVideo(env, str(tmp_path), disable_logger=True)
    env.reset(seed=0)
    for _ in range(3):
        env.step(to_action(Command(angular_rad_s=1.0)))
    env.close()
    assert [path.suffix for path in tmp_path.iterdir()] == [".mp4"]


def test_it_is_rendered_from_outside_with_the_robots_own_picture_and_the_plan():
    env = small("FindObject", render_mode="rgb_array")
    env.reset(seed=0)
    first = env.render()
    assert first.dtype == np.uint8
    assert first.shape == (400, 720, 3)
    env.step(to_action(Command(linear_m_s=0.5)))
    second = env.render()
    assert (first[:360, :480] != second[:360, :480]).any()
    assert small("FindObject").unwrapped.render_mode is None
    env.close()


@pytest.mark.parametrize(
    ("change", "named_part"),
    [
        ({"drive": np.zeros(2, np.float64)}, "drive"),
        ({"head": np.array([np.nan, 0], np.float32)}, "head"),
        ({"hand": 99}, "hand"),
        ({"target": np.full(3, 5, np.float32)}, "target"),
        ({"answer": 7}, "answer"),
        ({"done": True, "more": 1}, "dict"),
    ],
)
def test_an_action_outside_the_space_is_refused_and_the_message_names_the_part(
    checked, change, named_part
):
    before = checked._house.base.stamp_ns
    with pytest.raises(InvalidAction, match=named_part):
        checked.step(to_action(Command(linear_m_s=0.3)) | change)
    assert checked._house.base.stamp_ns == before


@pytest.fixture(scope="module")
def checked():
    env = HouseEnv("FindObject", **SMALL, look_steps=50)
    env.reset(seed=0)
    yield env
    env.close()


@pytest.mark.parametrize("hand", ["pick", "place", "open", "close", "push", "press", "give"])
def test_a_hand_with_nothing_in_reach_says_so_and_does_nothing(checked, hand):
    checked.reset(seed=0)
    seen, *_ = checked.step(to_action(Command(hand=hand, target=(0.0, 0.0, 0.0))))
    assert HAND_ENDED[seen["hand"]] in ("nothing there", "out of reach", "hand empty")


def test_a_lift_is_ridden_from_its_cabin_alone():
    env = HouseEnv("FindObject", **(SMALL | {"floors": 2, "home": 3}), look_steps=50)
    env.reset(seed=0)
    house, upstairs = env._house, to_action(Command(floor=1))
    seen, *_ = env.step(upstairs)
    assert (HAND_ENDED[seen["hand"]], house.true_pose.z) == ("out of reach", 0.0)
    house.base.put(house.plan.lift.stops[0])
    seen, *_ = env.step(upstairs)
    assert HAND_ENDED[seen["hand"]] == "done"
    assert house.true_pose.z == house.plan.lift.stops[1].z > 2.0
    env.close()


def test_a_drawer_is_opened_by_its_handle_and_closed_again():
    env = HouseEnv("FindObject", **(SMALL | {"width": 320, "height": 240}), look_steps=50)
    env.reset(seed=0)
    house, drawer = env._house, "bedroom/chest of drawers/drawer 1"
    chest = PLAN.furniture_by_id["bedroom/chest of drawers"]
    x, y, z = chest.kind.openings[0].handle[0].centre
    front = chest.pose.compose(Pose.from_yaw(x + 0.75, y, yaw=math.pi))
    house.base.put(front)
    for hand, out_m in (("open", 0.0), ("close", 0.25)):
        handle = house.base.true_pose.inverse().apply(*chest.pose.apply(x + out_m, y, z))
        look = {"tilt_rad": math.atan2(handle[2] - 1.25, handle[0])}
        env.step(to_action(Command(**look)))
        command = Command(**look, hand=hand, target=handle, aim=(-0.25, 0.0, 0.0))
        seen, *_ = env.step(to_action(command))
        assert HAND_ENDED[seen["hand"]] == "done"
        opened_m = house.world.openness(drawer) * chest.kind.openings[0].travel
        assert opened_m == pytest.approx(0.25 if hand == "open" else 0.0, abs=0.03)
        env.step(to_action(Command(hand="stow")))
    env.close()


def test_a_step_before_reset_and_after_close_is_refused():
    env = HouseEnv("FindObject", **SMALL)
    with pytest.raises(ResetNeeded, match="reset"):
        env.step(to_action(Command()))
    with pytest.raises(ResetNeeded, match="reset"):
        env.render()
    env.close()
    env.close()
    with pytest.raises(ClosedEnvironmentError, match="closed"):
        env.step(to_action(Command()))
    with pytest.raises(ClosedEnvironmentError, match="closed"):
        env.reset()


def test_there_are_no_tasks_and_ways_to_render_but_those_it_names():
    with pytest.raises(ValueError, match="FindObject"):
        HouseEnv("MakeCoffee")
    with pytest.raises(ValueError, match="rgb_array"):
        HouseEnv("FindObject", render_mode="human")


def test_many_resets_leave_no_simulator_behind():
    def clients():
        return sum(pybullet.isConnected(number) for number in range(64))

    before = clients()
    env = small("FindObject", render_mode="rgb_array")
    for _ in range(3):
        env.reset(seed=0)
        env.render()
    assert clients() <= before + 3
    env.close()
    assert clients() == before


def test_names_are_read_from_answers_longest_first():
    labels = ["mug", "red mug", "jam jar"]
    assert named("I saw two red mugs and a jam jar.", labels) == {"red mug", "jam jar"}
    assert named("a smug person", labels) == set()
    assert places_in("the sofa;  the desk in the office\n") == (
        "the sofa",
        "the desk in the office",
    )
    piece = next(p for p in PLAN.furniture if p.label == "sofa")
    assert names_place(f"on the sofa in the {piece.room}", PLAN, piece.id)
    assert not names_place("on the sofa in the kitchen", PLAN, piece.id)


def test_a_command_becomes_an_action_and_limits_hold():
    action = to_action(Command(linear_m_s=9.0, angular_rad_s=-0.75, floor=1))
    assert action["drive"].tolist() == [1.0, -0.5]
    assert action["lift"] == 2
    assert HouseEnv("FindObject").action_space.contains(action)


def test_the_example_of_the_page_runs_and_its_table_names_every_task(capsys):
    page = (Path(__file__).parents[3] / "docs" / "house-tasks.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    exec(compile(example, "house-tasks.md", "exec"), {})
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("Find the ")
    assert second.startswith("{'near': ")
    assert set(re.findall(r"`(House/\w+-v0)` \|", page)) == set(tasks.IDS)
    days = dict(re.findall(r"`House/(\w+)-v0` \| (\d)", page))
    assert days == {name: str(task.days) for name, task in tasks.TASKS.items()}
    for part in (*to_action(Command()), *HouseEnv("FindObject").observation_space.spaces):
        assert f"`{part}`" in page, part
