"""Agents at the table: the same perception, planner and skills, other memories."""

from __future__ import annotations

import math

import gymnasium
import numpy as np
import pytest

pytest.importorskip("gymnasium")

from memory_core.errors import GoalNotUnderstood
from memory_core.types import Pose
from memory_sim.agents.acting import Agent, agent_named
from memory_sim.agents.memories import memory_named
from memory_sim.agents.table import TableAgent
from memory_sim.agents.table.instructions import (
    Choose,
    MeetBall,
    Move,
    OpenDrawer,
    PressButton,
    ReturnAll,
    ShutDrawer,
    Steps,
    TurnPeg,
    plan_of,
)
from memory_sim.agents.table.perception import Thing, things_in
from memory_sim.agents.table.planner import Present, _matched, due
from memory_sim.agents.table.recall import Look, Remembered, deed_told, look_told
from memory_sim.agents.table.skills import LOOKOUT, pointing_down
from memory_sim.agents.table.tracking import ball_in, ball_told, track_of
from memory_sim.task_evaluation import play, wilson
from memory_sim.task_registry import make
from memory_sim.tasks.table import Proprioception, step_towards

BODY = "memory_sim.agents.table"


def successes(task, agent, seeds):
    env, played = make(task, privileged=agent == "oracle"), agent_named(agent, BODY)
    right = sum(play(env, played, seed=seed).success for seed in seeds)
    played.close()
    env.close()
    return right


def seen_from_above(task, seed, *, steps=12, **options):
    """What a picture from the lookout shows, and what is true."""
    env = gymnasium.make(task, cameras=(), privileged=True, **options).unwrapped
    seen, info = env.reset(seed=seed)
    for _ in range(steps):
        felt = Proprioception.read(seen["proprioception"])
        goal = Pose(*LOOKOUT, *pointing_down(0.0))
        seen, _, _, _, info = env.step(step_towards(felt, goal, 0.08))
    found, state = things_in(env.look("wrist")), info["state"]
    env.close()
    return found, state


def nearest(things, pose):
    return min(things, key=lambda thing: math.dist(thing.top[:2], (pose.x, pose.y)))


@pytest.mark.parametrize("task", [
    "MIKASA/RememberColor9-v0", "MIKASA/RememberShape5-v0", "MIKASA/ChainOfColors3-v0",
    "MIKASA/ShellGamePick-v0", "MIKASA/RotateStrictPosNeg-v0", "MIKASA/InterceptGrabMedium-v0",
    "MIKASA/TakeItBack-v0", "MemoryBench/ReopenDrawer-v0", "MemoryBench/RearrangeBlock-v0",
])  # fmt: skip
def test_with_the_memory_the_task_is_done_from_pictures(task):
    assert successes(task, "memory", [0]) == 1


@pytest.mark.parametrize("task", [
    "MIKASA/InterceptFast-v0", "MIKASA/SeqOfColors7-v0", "MIKASA/ShellGamePush-v0",
    "MemoryBench/PutBlockBack-v0",
])  # fmt: skip
def test_the_oracle_shows_that_the_task_can_be_done(task):
    assert successes(task, "oracle", range(2)) == 2


@pytest.mark.parametrize("agent", ["none", "last-frame"])
def test_without_a_memory_it_is_a_guess(agent):
    low, high = wilson(successes("MIKASA/RememberColor5-v0", agent, range(12)), 12)
    assert low <= 1 / 5 <= high < 0.7


def test_a_memory_that_is_emptied_in_mid_episode_leaves_a_guess():
    env, memory = make("MIKASA/RememberColor5-v0"), memory_named("memory")
    right = 0
    for seed in range(12):
        agent = TableAgent(memory)
        seen, _ = env.reset(seed=seed)
        agent.reset(seen["instruction"], seed=1_000 + seed)
        ended, steps = False, 0
        while not ended:
            if steps == 9:  # the table is empty, and the choice has not come
                memory.begin()
            seen["look"] = env.unwrapped.look
            seen, _, ended, late, info = env.step(agent.act(seen))
            ended, steps = ended or late, steps + 1
        right += info["success"]
    memory.close()
    env.close()
    low, high = wilson(right, 12)
    assert low <= 1 / 5 <= high < 0.7


def test_while_it_watches_nothing_but_the_memory_outlasts_a_step():
    env, memory = make("MIKASA/RememberColor9-v0"), memory_named("memory")
    agent = TableAgent(memory)
    seen, _ = env.reset(seed=3)
    agent.reset(seen["instruction"])
    ended = False
    while not ended:
        if agent._doing is None:
            other = TableAgent(memory)
            other._random, other._doing = np.random.default_rng(0), None
            agent = other  # as if it had just been born
        seen["look"] = env.unwrapped.look
        seen, _, ended, late, info = env.step(agent.act(seen))
        ended = ended or late
    assert info["success"]
    memory.close()
    env.close()


def test_both_are_agents_as_the_runner_wants_them():
    for name in ("memory", "oracle"):
        assert isinstance(agent_named(name, BODY), Agent)


def test_a_generated_task_needs_nothing_of_its_own():
    for number, level in ((1, 1), (3, 1)):
        env = gymnasium.make("MemoryTable/Generated-v0", cameras=(), number=number, level=level)
        agent = agent_named("memory", BODY)
        assert play(env, agent, seed=number).success
        agent.close()
        env.close()


def test_cubes_are_found_where_they_are_and_their_colours_told_apart():
    found, state = seen_from_above("MIKASA/RememberColor9-v0", 5)
    cubes = state["things"]
    assert len(found) == len(cubes) == 9
    for pose in cubes.values():
        thing = nearest(found, pose)
        assert thing.kind == "thing"
        assert math.dist(thing.top, (pose.x, pose.y, 0.04)) < 0.01
    red, blue = (nearest(found, cubes[f"{name} cube"]).colour for name in ("red", "blue"))
    assert red[0] > 2 * red[2]
    assert blue[2] > 2 * blue[0]


def test_what_slides_and_what_is_painted_is_told_apart():
    found, state = seen_from_above("MemoryBench/ReopenDrawer-v0", 1)
    drawers = [thing for thing in found if thing.kind == "drawer"]
    assert len(drawers) == 3
    for name in ("drawer 1", "drawer 2", "drawer 3"):
        pose, travel = state["fittings"][name]
        drawer = nearest(drawers, pose)
        assert drawer.travel_m == pytest.approx(travel, abs=0.015)
    found, state = seen_from_above("MemoryBench/PutBlockBack-v0", 3)
    assert sorted(t.kind for t in found) == ["button", *["patch"] * 4, "spot", "thing"]
    spot = next(thing for thing in found if thing.kind == "spot")
    assert math.dist(spot.top[:2], (0.5, 0.0)) < 0.01


def test_a_ball_is_followed_and_its_way_foretold():
    env = gymnasium.make("MIKASA/InterceptSlow-v0", cameras=(), privileged=True).unwrapped
    env.reset(seed=2)
    told = []
    for step in range(24):
        _, _, _, _, info = env.step(np.zeros(7, np.float32))
        at = ball_in(env.look)
        told += [] if at is None else [ball_told(50_000_000 * (step + 1), at)]
    track = track_of(told, 50_000_000 * 24)
    true = info["state"]
    assert math.dist(track.position[:2], true["things"]["ball"].position[:2]) < 0.012
    assert np.subtract(track.velocity, true["answer"]["velocity"]) == pytest.approx(0, abs=0.05)
    assert track_of([], 1) is None
    assert track_of(told[-1:], told[-1].stamp_ns).velocity == (0.0, 0.0, 0.0)
    env.close()


def test_a_cue_of_colour_finds_what_was_shown_whatever_stood_nearer():
    red, blue = np.array([180.0, 20, 20]), np.array([20.0, 40, 180])
    outline = np.zeros(44)
    shown = Thing("thing", (0.5, 0.0, 0.04), red, 0.0, outline)
    other = Thing("thing", (0.4, 0.2, 0.04), blue, 0.0, outline)
    looks = [look_told(stamp, "Watch.", [shown]) for stamp in (10, 20, 30)]
    looks += [look_told(stamp, "Watch.", [other]) for stamp in (40, 50)]
    remembered = Remembered([*looks, deed_told(60, "Touch")])
    asked = Thing("thing", (0.41, 0.2, 0.04), red + 5, 0.3, outline)
    found = remembered.like(asked, ("colour",), lambda run: True)
    assert [run.stamps_ns for run, _ in found] == [(10, 20, 30), (40, 50)]
    (near, far), (nearer, _) = found, remembered.like(asked, ("place",), lambda run: True)
    assert near[1] == pytest.approx(3 * (5 / 16) ** 2, abs=0.02) and far[1] > 50
    assert nearer[0].first.top == other.top
    assert remembered.like(asked, ("colour",), lambda run: False) == []
    assert len(remembered.deeds) == 1


def lumps(**strengths):
    """An outline with some of its waves strong."""
    outline = np.zeros(44)
    for number, strength in strengths.items():
        outline[int(number[1:])] = strength
    return outline


CUBE, STAR, CROSS = lumps(w1=1.0), lumps(w2=1.0), lumps(w3=1.0)
GREY = np.array([90.0, 90, 90])


def test_another_form_in_the_place_of_the_last_is_another_thing():
    looks = []
    for stamp, form in enumerate((CUBE, CUBE, STAR, STAR), start=1):
        blurred = form + 0.02 * (-1) ** stamp
        looks.append(
            look_told(stamp, "Watch.", [Thing("thing", (0.5, 0.0, 0.03), GREY, 0.0, blurred)])
        )
    assert [run.stamps_ns for run in Remembered(looks).runs] == [(1, 2), (3, 4)]


def test_things_that_were_shown_together_are_each_a_thing_of_its_own():
    said = (
        "Remember the things that are shown together. When more things stand on the table, touch "
        "those of the same shape, in any order, and no others."
    )
    shown = [Thing("thing", (0.5, 0.1 * n, 0.03), GREY, 0.0, form)
             for n, form in enumerate((CUBE, 0.6 * CUBE + 0.45 * STAR))]  # fmt: skip
    choice = [Thing("thing", (0.6, 0.1 * n, 0.03), GREY, 0.0, form)
              for n, form in enumerate((0.7 * CUBE + 0.2 * STAR, 0.2 * CUBE + 0.75 * STAR, CROSS))]  # fmt: skip
    looks = [look_told(1, said, shown), look_told(2, said, []), look_told(3, said, choice)]
    now = Look(3, said, tuple(choice))
    wanted = set()
    for done in range(2):
        deeds = [deed_told(10 + n, "Touch") for n in range(done)]
        present = Present(now, Remembered([*looks, *deeds]), 1, np.random.default_rng(0))
        wanted.add(due(plan_of(said), present).top)
    assert wanted == {choice[0].top, choice[1].top}


def test_one_thing_whose_form_was_misread_once_is_one_thing():
    said = (
        "Remember the things that are shown together. When more things stand on the table, touch "
        "those of the same shape, in any order, and no others."
    )
    forms = [CUBE, CUBE, CUBE + 0.6 * CROSS, CUBE, CUBE]
    looks = [look_told(stamp, said, [Thing("thing", (0.5, 0.0, 0.03), GREY, 0.0, form)])
             for stamp, form in enumerate(forms, start=1)]  # fmt: skip
    choice = [Thing("thing", (0.6, 0.1 * n, 0.03), GREY, 0.0, form)
              for n, form in enumerate((CUBE, STAR, CROSS))]  # fmt: skip
    looks += [look_told(6, said, []), look_told(7, said, choice)]
    remembered, at = Remembered(looks), Look(7, said, tuple(choice))
    assert len([run for run in remembered.runs if run.stamps_ns[-1] < 6]) == 2
    assert _matched(plan_of(said), remembered, choice, at) == [0]


def test_what_comes_back_is_not_what_a_first_look_had_missed():
    said = (
        "Remember where the cubes are that are shown one after the other. When they stand in a row, "
        "put each where it was shown, in any order."
    )
    shown = Thing("thing", (0.6, 0.2, 0.04), GREY, 0.0, CUBE)
    missed = [look_told(1, said, []), look_told(2, said, [shown])]
    early = Present(Look(2, said, (shown,)), Remembered(missed), 1, np.random.default_rng(0))
    assert due(plan_of(said), early) is None
    row = Thing("thing", (0.36, 0.0, 0.04), GREY, 0.0, CUBE)
    later = [*missed, look_told(3, said, []), look_told(4, said, [row])]
    present = Present(Look(4, said, (row,)), Remembered(later), 1, np.random.default_rng(0))
    assert due(plan_of(said), present).place == shown.top[:2]


def test_a_drawer_that_stands_open_beside_the_button_is_found():
    found, state = seen_from_above("MemoryBench/ReopenDrawer-v0", 119, steps=4)
    drawers = sorted((t for t in found if t.kind == "drawer"), key=lambda t: t.top[1])
    assert [t.kind for t in found].count("button") == 1
    for number, drawer in enumerate(drawers, start=1):
        _, travel = state["fittings"][f"drawer {number}"]
        assert drawer.travel_m == pytest.approx(travel, abs=0.02)


def test_sentences_are_read_into_plans():
    chain = plan_of(
        "Remember the things that are shown one after the other. When more things stand on the "
        "table, touch those of the same shape and colour, in the order in which they were shown, "
        "and no others."
    )
    assert isinstance(chain, Choose)
    assert (chain.deed, chain.order, set(chain.alike)) == ("touch", "shown", {"colour", "outline"})
    assert plan_of(
        "Close the drawer that is open, press the button, then open the drawer again that was open before."
    ) == Steps((ShutDrawer(), PressButton(), OpenDrawer()))
    assert plan_of(
        "Press the button, then move the block that has not been moved yet to the empty patch."
    ) == Steps((PressButton(), Move("not yet moved", "empty patch")))
    turn = plan_of("Remember: when a peg lies on the table, turn it by 30 degrees clockwise, seen from above, and let go of it.")  # fmt: skip
    assert isinstance(turn, TurnPeg)
    assert turn.angle_rad == pytest.approx(-math.pi / 6)
    later = plan_of("Turn the peg by the angle that you were told, and let go of it.")
    assert isinstance(later, TurnPeg) and later.angle_rad is None
    assert plan_of("A ball rolls over the table. Catch it and lift it up.") == MeetBall(catch=True)
    back = plan_of("Remember where the cube is shown. When it comes back elsewhere, put it where it was shown.")  # fmt: skip
    assert isinstance(back, ReturnAll)


@pytest.mark.parametrize("words", [
    "Sing.", "Press the button, then fly.", "", "Remember the thing that is shown. When pigs fly, touch it.",
    "Remember the thing that is shown. When several things stand on the table, touch the one of the same taste.",
])  # fmt: skip
def test_what_is_not_understood_is_refused_before_anything_moves(words):
    agent = agent_named("memory", BODY)
    with pytest.raises(GoalNotUnderstood):
        agent.reset(words)
    agent.close()
