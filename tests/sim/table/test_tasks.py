"""What success takes in each task, done by a hand that knows the truth; and what spoils it."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

pytest.importorskip("pybullet")
pytest.importorskip("gymnasium")

from memory_core.errors import InvalidQuery
from memory_sim.tasks.table.generating import KINDS, Recipe
from tests.sim.table.hand import Hand, made, quarter


@pytest.fixture
def play():
    envs = []

    def begin(name, seed, **options):
        envs.append(made(name, **options))
        return Hand(envs[-1], seed)

    yield begin
    for env in envs:
        env.close()


def shown(hand):
    return sorted(hand.info["state"]["things"])


def another(hand, of):
    return next(n for n in hand.info["state"]["things"] if n.startswith(of) and n not in hand.answer["things"])  # fmt: skip


def test_remember_color_shows_one_thing_then_nothing_then_all(play):
    hand = play("MIKASA/RememberColor5-v0", 1)
    seen = [shown(hand)]
    for _ in range(10):
        hand.wait(1)
        seen.append(shown(hand))
    assert [len(names) for names in seen] == [1] * 5 + [0] * 5 + [5]
    assert seen[0] == hand.answer["things"]
    assert seen[0][0] in seen[10]


@pytest.mark.parametrize("name", ["RememberColor9", "RememberShape9", "RememberShapeAndColor5x3"])
def test_touching_what_was_shown_is_success_and_anything_else_spoils_it(play, name):
    right = play(f"MIKASA/{name}-v0", 3)
    right.wait_for_choice()
    right.touch(right.answer["things"][0])
    assert (right.reward, right.ended, right.info["success"]) == (1.0, True, True)
    wrong = play(f"MIKASA/{name}-v0", 3)
    wrong.wait_for_choice()
    chosen = another(wrong, "")
    wrong.touch(chosen)
    assert (wrong.reward, wrong.ended, wrong.info["success"]) == (0.0, True, False)
    assert chosen in wrong.info["spoiled"]


def test_a_hand_that_passes_over_a_thing_without_resting_does_not_touch_it(play):
    hand = play("MIKASA/RememberColor3-v0", 2)
    hand.wait_for_choice()
    at = hand.thing(another(hand, ""))
    hand.go(at.x, at.y + 0.15, 0.06)
    for _ in range(4):
        hand.go(at.x, at.y - 0.2, 0.06, steps=1)
    assert not hand.over


def test_a_bunch_is_touched_in_any_order_and_a_chain_in_the_order_shown(play):
    for name, reverse, success in (
        ("BunchOfColors3", True, True), ("SeqOfColors3", True, True),
        ("ChainOfColors3", False, True), ("ChainOfColors3", True, False),
    ):  # fmt: skip
        hand = play(f"MIKASA/{name}-v0", 4)
        hand.wait_for_choice()
        due = list(hand.answer["things"])
        for thing in due[::-1] if reverse else due:
            hand.touch(thing)
        assert hand.ended
        assert hand.info["success"] == success, name


def test_conditions_come_about_one_after_the_other(play):
    hand = play("MIKASA/SeqOfColors3-v0", 4)
    hand.wait_for_choice()
    assert list(hand.info["conditions"].values()) == [False, False, False]
    hand.touch(hand.answer["things"][1])
    assert list(hand.info["conditions"]) == ["touched 1 of 3", "touched 2 of 3", "touched 3 of 3"]
    assert list(hand.info["conditions"].values()) == [True, False, False]
    assert len(hand.answer["things"]) == 2


def test_a_sequence_shows_one_thing_at_a_time_and_a_bunch_all_at_once(play):
    sequence, bunch = play("MIKASA/SeqOfColors5-v0", 1), play("MIKASA/BunchOfColors5-v0", 1)
    assert len(shown(bunch)) == 5
    turns = []
    for _ in range(5):
        turns += shown(sequence)
        sequence.wait(5)
    assert turns == sequence.answer["things"]
    assert shown(sequence) == []


def push(hand, name, by):
    at = hand.thing(name)
    hand.width = 0.0
    hand.go(at.x - 0.1, at.y, 0.14, yaw=0.0)
    hand.go(at.x - 0.1, at.y, 0.03, yaw=0.0)
    hand.go(at.x - 0.03 + by, at.y, 0.03, yaw=0.0, speed=0.5)
    hand.wait(4)


def lift(hand, name):
    at = hand.thing(name)
    hand.grasp(at.x, at.y, 0.055)
    hand.go(at.x, at.y, 0.16)


DEEDS = {
    "Touch": lambda hand, name: hand.touch(name, above=0.07),
    "Push": lambda hand, name: push(hand, name, 0.13),
    "Pick": lift,
}


@pytest.mark.parametrize("deed", DEEDS)
def test_the_shell_game_is_won_at_the_cup_over_the_ball_alone(play, deed):
    for right in (True, False):
        hand = play(f"MIKASA/ShellGame{deed}-v0", 6)
        assert shown(hand) == ["ball 1"]
        hand.wait_for_choice()
        cup = hand.answer["things"][0] if right else another(hand, "cup")
        assert len(shown(hand)) == 4
        DEEDS[deed](hand, cup)
        assert (hand.ended, hand.info["success"]) == (True, right)


def test_a_cup_pushed_less_than_ten_centimetres_is_not_pushed_yet(play):
    hand = play("MIKASA/ShellGamePush-v0", 6)
    hand.wait_for_choice()
    push(hand, hand.answer["things"][0], 0.02)
    assert not hand.over


def turn(hand, angle):
    at = hand.thing("peg")
    yaw = (at.yaw + math.pi / 2) % math.pi - math.pi / 2
    hand.grasp(at.x, at.y, 0.02, yaw=yaw)
    hand.go(at.x, at.y, 0.022, yaw=yaw + angle, speed=0.6)
    hand.wait(6, width=0.08)
    hand.go(at.x, at.y, 0.14)


def test_the_angle_is_told_before_the_peg_comes_and_not_again(play):
    hand = play("MIKASA/RotateLenientPosNeg-v0", 3)
    degrees = str(round(abs(math.degrees(hand.answer["angle_rad"]))))
    for _ in range(5):
        assert degrees in hand.seen["instruction"]
        assert shown(hand) == []
        hand.wait(1)
    assert degrees not in hand.seen["instruction"]
    assert shown(hand) == ["peg"]


@pytest.mark.parametrize("name", ["RotateLenientPos", "RotateStrictPosNeg"])
def test_a_peg_turned_by_the_angle_and_let_go_is_success(play, name):
    hand = play(f"MIKASA/{name}-v0", 5)
    hand.wait_for_choice()
    turn(hand, hand.answer["angle_rad"])
    hand.wait(3)
    assert hand.info["success"]


def test_a_peg_turned_otherwise_or_carried_away_is_not(play):
    off = play("MIKASA/RotateLenientPos-v0", 5)
    off.wait_for_choice()
    turn(off, off.answer["angle_rad"] - 0.2)
    assert not off.info["success"]
    moved = play("MIKASA/RotateStrictPos-v0", 5)
    moved.wait_for_choice()
    at = moved.thing("peg")
    yaw = (at.yaw + math.pi / 2) % math.pi - math.pi / 2
    moved.grasp(at.x, at.y, 0.02, yaw=yaw)
    moved.go(at.x + 0.08, at.y, 0.022, yaw=yaw + moved.answer["angle_rad"], speed=0.6)
    moved.wait(6, width=0.08)
    assert abs(moved.answer["angle_rad"]) < 0.1
    assert not moved.info["success"]


def test_the_cube_is_taken_to_the_target_which_changes_and_back(play):
    hand = play("MIKASA/TakeItBack-v0", 2)
    start = hand.thing("cube")
    before = hand.env.look("front").rgb.astype(int)
    hand.carry("cube", hand.answer["place"])
    assert hand.info["conditions"] == {"on the target": True, "back": False}
    after = hand.env.look("front").rgb.astype(int)
    assert (np.abs(before - after).sum(axis=2) > 60).sum() > 100
    assert hand.answer["place"] == pytest.approx((start.x, start.y), abs=1e-6)
    hand.carry("cube", hand.answer["place"])
    assert hand.info["success"]


def test_a_cube_left_elsewhere_after_the_target_spoils_it(play):
    hand = play("MIKASA/TakeItBack-v0", 2)
    hand.carry("cube", hand.answer["place"])
    x, y = hand.answer["place"]
    hand.carry("cube", (x, y - 0.15 if y > 0 else y + 0.15))
    assert (hand.ended, hand.info["success"]) == (True, False)


def blocked(hand):
    """Stop the ball with the nearly closed fingers across its path."""
    vx, vy, _ = hand.answer["velocity"]
    at = hand.thing("ball")
    y = at.y + 1.2 * vy
    hand.width = 0.02
    hand.go(at.x + 1.2 * vx, y + 0.028, 0.02, yaw=math.pi / 2, steps=22)
    while not hand.over and hand.thing("ball").y < y - 0.02:
        hand.wait(1)
    hand.wait(4)
    hand.go(*hand.felt.tool.position[:2], 0.08)


def test_a_ball_that_is_stopped_and_pushed_to_the_target_is_success(play):
    hand = play("MIKASA/InterceptSlow-v0", 3)
    blocked(hand)
    assert hand.info["conditions"] == {"hit": True, "on the target": False}
    ball, goal = hand.thing("ball"), np.array(hand.answer["place"])
    way = goal - (ball.x, ball.y)
    yaw = (math.atan2(way[1], way[0]) + math.pi / 2) % math.pi - math.pi / 2
    behind = np.array((ball.x, ball.y)) - 0.07 * way / np.linalg.norm(way)
    hand.go(*behind, 0.08, yaw=yaw)
    hand.go(*behind, 0.02, yaw=yaw)
    hand.go(*goal, 0.02, yaw=yaw, speed=0.5)
    assert hand.info["success"]


def test_a_ball_that_is_stopped_grasped_and_lifted_is_caught(play):
    hand = play("MIKASA/InterceptGrabSlow-v0", 3)
    blocked(hand)
    for _ in range(2):
        ball = hand.thing("ball")
        hand.grasp(ball.x, ball.y, 0.02, yaw=math.pi / 2)
        hand.go(ball.x, ball.y, 0.12)
    assert hand.info["success"]
    assert list(hand.info["conditions"]) == ["held", "lifted 5 cm"]


def test_a_ball_that_is_let_pass_is_gone(play):
    hand = play("MIKASA/InterceptFast-v0", 3)
    hand.wait(60)
    assert (hand.ended, hand.info["spoiled"]) == (True, "the ball is gone")


def reopen(hand, name):
    knob, _ = hand.fitting(name)
    hand.grasp(knob.x, knob.y, 0.06)
    hand.go(knob.x - 0.22, knob.y, 0.06, speed=0.5)


def shut(hand, name):
    knob, travel = hand.fitting(name)
    hand.wait(1, width=0.0)
    hand.go(knob.x - 0.06, knob.y, 0.2, yaw=0.0)
    hand.go(knob.x - 0.06, knob.y, 0.055, yaw=0.0)
    hand.go(knob.x + travel - 0.015, knob.y, 0.055, speed=0.5)
    hand.go(knob.x - 0.1, knob.y, 0.06)
    hand.go(knob.x - 0.1, knob.y, 0.16)


def test_the_drawer_that_was_open_is_opened_again_after_the_button(play):
    hand = play("MemoryBench/ReopenDrawer-v0", 2)
    right = hand.answer["drawer"]
    assert hand.fitting(right)[1] == pytest.approx(0.21, abs=0.005)
    shut(hand, right)
    hand.wait(10)
    assert hand.info["conditions"] == {"closed": True, "button pressed": False, "open again": False}
    travels = [travel for name, (_, travel) in hand.info["state"]["fittings"].items() if name != "button"]  # fmt: skip
    assert max(travels) < 0.002  # nothing shows which one was open
    hand.press("button")
    reopen(hand, right)
    assert hand.info["success"]


def test_the_drawer_opened_before_the_button_is_pressed_does_not_count(play):
    hand = play("MemoryBench/ReopenDrawer-v0", 2)
    right = hand.answer["drawer"]
    shut(hand, right)
    reopen(hand, right)
    assert hand.info["conditions"] == {"closed": True, "button pressed": False, "open again": False}
    assert not hand.over


def test_another_drawer_opened_spoils_it(play):
    hand = play("MemoryBench/ReopenDrawer-v0", 2)
    right = hand.answer["drawer"]
    shut(hand, right)
    wrong = next(name for name in ("drawer 1", "drawer 3") if name != right)
    reopen(hand, wrong)
    assert (hand.ended, hand.info["spoiled"]) == (True, f"opened {wrong}")


@pytest.mark.parametrize("name", ["PutBlockBack", "RearrangeBlock"])
def test_blocks_go_to_the_right_places_around_the_button(play, name):
    hand = play(f"MemoryBench/{name}-v0", 1)
    hand.carry(hand.answer["things"][0], hand.answer["place"])
    assert list(hand.info["conditions"].values())[:3] == [True, True, False]
    hand.press("button")
    hand.carry(hand.answer["things"][0], hand.answer["place"])
    assert hand.info["success"]


def test_a_block_put_on_another_patch_spoils_it(play):
    hand = play("MemoryBench/PutBlockBack-v0", 1)
    hand.carry("block", hand.answer["place"])
    hand.press("button")
    right = hand.answer["place"]
    patches = [at for n, at in hand.info["state"]["things"].items() if n.startswith("patch")]
    wrong = max(patches, key=lambda at: math.dist((at.x, at.y), right))
    hand.carry("block", (wrong.x, wrong.y))
    assert (hand.ended, hand.info["success"]) == (True, False)


def test_moving_the_block_that_is_not_due_spoils_it(play):
    hand = play("MemoryBench/RearrangeBlock-v0", 1)
    hand.carry("second block", (0.4, 0.0))
    assert (hand.ended, hand.info["spoiled"]) == (True, "moved the second block")


def general(hand, deed):
    """What is due, whatever the recipe."""
    hand.wait_for_choice()
    for _ in range(30):
        if hand.over:
            return
        answer = hand.answer
        if "press" in answer:
            hand.press(answer["press"][0])
        elif "place" in answer:
            hand.carry(answer["things"][0], answer["place"])
            hand.wait(2)
        elif deed == "pick":
            at, tall = hand.thing(answer["things"][0]), "cup" in answer["things"][0]
            hand.grasp(at.x, at.y, 0.055 if tall else 0.012, yaw=0 if tall else quarter(at.yaw))
            hand.go(at.x, at.y, 0.14)
            hand.go(at.x, at.y, 0.057 if tall else 0.014)
            hand.wait(6, width=0.08)
        else:
            hand.width = 0.0
            hand.touch(answer["things"][0], above=0.07 if "cup" in answer["things"][0] else 0.04)


RECIPES = (
    {"kind": "colour", "distractors": 2, "remembered": 2, "things": 4, "order": "reverse",
     "manner": "in turn", "deed": "touch"},
    {"kind": "shape", "deed": "pick", "things": 4, "remembered": 1, "manner": "together",
     "order": "any"},
    {"kind": "cups", "things": 5, "remembered": 2, "order": "shown", "manner": "in turn",
     "deed": "touch"},
    {"kind": "lights", "things": 3, "remembered": 3, "order": "reverse"},
    {"kind": "places", "things": 2, "remembered": 2, "manner": "in turn", "order": "any"},
)  # fmt: skip


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe["kind"])
def test_a_generated_task_can_be_done_by_who_remembers(play, recipe):
    hand = play("MemoryTable/Generated-v0", 2, **recipe, delay=3)
    general(hand, recipe.get("deed"))
    assert hand.info["success"], hand.info


@pytest.mark.parametrize("kind", KINDS)
def test_parts_that_are_drawn_fit_to_those_that_are_given(kind):
    for number in range(40):
        for level in (1, 6):
            recipe = Recipe.with_options({"kind": kind, "number": number, "level": level})
            assert recipe.kind == kind
            assert recipe.wrong() == ""


def test_recipes_repeat_from_their_number_and_grow_with_the_level():
    assert Recipe.drawn(3, 4) == Recipe.drawn(3, 4)
    means = [np.mean([[r.remembered, r.delay] for r in (Recipe.drawn(n, level) for n in range(60))], axis=0)
             for level in (1, 3, 10, 40)]  # fmt: skip
    assert all((after > before).all() for before, after in itertools.pairwise(means))
    assert {Recipe.drawn(n, 3).kind for n in range(60)} == set(KINDS)


@pytest.mark.parametrize("level", [1, 2, 5, 30])
def test_every_recipe_can_be_set_on_the_table(play, level):
    for number in range(6):
        hand = play("MemoryTable/Generated-v0", 0, number=number, level=level)
        hand.wait(2)
        assert 0 < hand.env.entry.chance < 1


@pytest.mark.parametrize(
    "wrong",
    [{"kind": "smell"}, {"things": 12, "kind": "places"}, {"remembered": 0}, {"delay": -1},
     {"remembered": 5, "things": 3, "kind": "colour"}, {"level": 0}, {"colour": "red"},
     {"kind": "both", "things": 5}, {"kind": "colour", "things": 9, "deed": "push"},
     {"manner": "together", "order": "shown", "kind": "cups"},
     {"kind": "shape", "distractors": 1},
     {"kind": "shape", "things": 3, "remembered": 3, "order": "any"}],
)  # fmt: skip
def test_recipes_that_no_table_holds_are_refused(wrong):
    with pytest.raises(InvalidQuery):
        made("MemoryTable/Generated-v0", **wrong)
