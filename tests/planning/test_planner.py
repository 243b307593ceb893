"""The planner in a flat world: what it does, in which order, and what it remembers of it."""

from __future__ import annotations

import math
import os
import shutil
import signal
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest
from flat_world import FlatWorld, Thing

from memory_core.errors import GoalNotUnderstood
from memory_core.memory import RobotMemory
from memory_core.planning.absence import STILL_AROUND
from memory_core.planning.body import Done
from memory_core.planning.errand import SEEN_APART_M
from memory_core.planning.finding import STOOD
from memory_core.planning.knowledge import Remembered
from memory_core.planning.passing import Passed
from memory_core.planning.patrolling import VIEWS
from memory_core.planning.planner import Planner
from memory_core.planning.regions import evidence, room_kinds, searchable
from memory_core.planning.skills import Search, Skill
from memory_core.types import Observation, Pose, Sighting


def furnished() -> list[Thing]:
    """Kitchen at (6, 0), office at (0, 6), bedroom at (-6, 0)."""
    return [
        Thing("stove", (7.5, 1.5, 0.45), (0.6, 0.6, 0.9)),
        Thing("fridge", (7.5, -1.5, 0.9), (0.6, 0.6, 1.8)),
        Thing("sink", (7.5, 0.6, 0.8), (0.5, 0.5, 0.2)),
        Thing("kitchen counter", (7.5, 0.0, 0.45), (0.6, 1.4, 0.9)),
        Thing("kettle", (7.5, -0.4, 1.0), (0.15, 0.15, 0.2)),
        Thing("red mug", (7.4, 0.3, 0.95)),
        Thing("desk", (0.0, 7.5, 0.37), (1.4, 0.7, 0.74)),
        Thing("computer", (0.3, 7.6, 0.9), (0.4, 0.2, 0.3)),
        Thing("office chair", (0.0, 6.6, 0.45), (0.5, 0.5, 0.9)),
        Thing("stapler", (-0.3, 7.4, 0.78)),
        Thing("blue mug", (0.1, 7.4, 0.8)),
        Thing("bed", (-7.5, 0.0, 0.3), (2.0, 1.6, 0.6)),
        Thing("nightstand", (-7.2, 1.4, 0.25), (0.5, 0.5, 0.5)),
        Thing("alarm clock", (-7.2, 1.4, 0.55)),
    ]


@pytest.fixture(scope="module")
def toured_once(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int]:
    """A memory of a look into every room, and when that ended."""
    folder = tmp_path_factory.mktemp("toured") / "memory"
    with RobotMemory.open(folder) as memory:
        return folder, tour(FlatWorld(memory, furnished())).stamp_ns


@pytest.fixture
def world(toured_once: tuple[Path, int], tmp_path: Path) -> Iterator[FlatWorld]:
    """The world after a look into every room."""
    folder, stamp_ns = toured_once
    shutil.copytree(folder, tmp_path / "memory")
    with RobotMemory.open(tmp_path / "memory") as memory:
        yield FlatWorld(memory, furnished(), stamp_ns)


def tour(world: FlatWorld) -> FlatWorld:
    for x, y in ((5.5, 0.0), (0.0, 5.5), (-5.5, 0.0), (0.0, 0.0)):
        world.go(Pose.from_yaw(x, y, yaw=math.atan2(y, x)))
        world.turn(math.tau)
    world.travelled_m = 0.0
    return world


def planner(world: FlatWorld) -> Planner:
    return Planner(world.memory, world.body(), session=world.session)


def test_what_is_where_it_was_is_brought_on_the_straight_way(world):
    outcome = planner(world).do("bring me the red mug")
    assert outcome.done, outcome
    assert world.given == ["red mug"]
    assert world.travelled_m <= 2 * 7.5 + 0.5


def test_a_plan_keeps_attention_and_its_path_and_moves_nothing(world):
    plan = planner(world).plan("bring me the red mug")
    assert world.travelled_m == 0.0 and world.held is None
    first = plan.candidates[0]
    assert first.label == "red mug" and math.dist(first.position, (7.4, 0.3, 0.95)) < 0.1
    assert 0 < first.evidence.attention <= 1
    assert first.evidence.path[-1] == first.evidence.observation.id
    assert len(first.evidence.path_weights) == len(first.evidence.path) > 1
    assert [step["skill"] for step in plan.to_json()["steps"]] == [
        "approach", "look", "pick", "goto", "give",
    ]  # fmt: skip
    assert "red mug" in plan.told and "kitchen" in plan.told


def approached(plan):
    return [step["target"] for step in plan.to_json()["steps"] if step["skill"] == "approach"]


def test_the_plan_of_a_return_leads_to_where_the_thing_was_first_seen(world):
    world.next_day()
    world.thing("red mug").at = (-0.4, 7.4, 0.8)
    assert planner(world).do("find the red mug").done
    plan = planner(world).plan("go back to where you first saw the red mug")
    (at,) = approached(plan)
    assert math.dist(at, (7.4, 0.3, 0.95)) < 1.0


def test_the_plan_to_a_room_leads_there_and_not_to_a_thing(world):
    plan = planner(world).plan("go to the kitchen")
    (at,) = approached(plan)
    outcome = planner(world).do("go to the kitchen")
    assert outcome.done and math.dist(at[:2], world.pose.position[:2]) < 1.5
    assert plan.way


def test_the_plan_to_put_a_thing_somewhere_names_that_place(world):
    plan = planner(world).plan("put the red mug on the desk")
    place = next(step for step in plan.to_json()["steps"] if step["skill"] == "place")
    assert math.dist(place["at"][:2], world.thing("desk").at[:2]) < 0.6


def test_a_plan_for_what_nobody_knows_says_so(world):
    plan = planner(world).plan("go to the unicorn")
    assert (plan.steps, plan.reason) == ((), "nothing known")
    assert "nothing known" in plan.told


def test_a_thing_that_was_moved_is_found_elsewhere_and_it_says_where_it_had_been(world):
    world.next_day()
    world.thing("red mug").at = (-0.4, 7.4, 0.8)
    outcome = planner(world).do("bring me the red mug")
    assert outcome.done, outcome
    assert world.given == ["red mug"]
    assert "had been in the kitchen" in outcome.said


def test_who_found_a_thing_turns_to_it(world, monkeypatch):
    standing = world.standing

    def askance(target, **distances):
        return tuple(
            replace(stand, pose=stand.pose.compose(Pose.from_yaw(0.0, 0.0, yaw=0.9)))
            for stand in standing(target, **distances)
        )

    monkeypatch.setattr(world, "standing", askance)
    assert planner(world).do("find the red mug").done
    x, y, _ = world.pose.inverse().apply(*world.thing("red mug").at)
    assert abs(math.atan2(y, x)) < 0.1


def test_what_was_seen_while_it_was_lost_is_nowhere_to_go(world):
    mug = Sighting("red mug", position=(1.0, 0.0, 0.9))
    astray = Pose(-3.0, -3.0)  # by the wheels, from where they began
    seen = [
        Observation(f"lost {n}", world.stamp_ns + n, pose=astray, localised=False, sightings=(mug,))
        for n in range(3)
    ]
    world.memory.observe(seen)
    world.stamp_ns += 10
    for words in ("bring me the red mug", "find the red mug"):
        for candidate in planner(world).plan(words).candidates:
            assert math.dist(candidate.position, (-2.0, -3.0, 0.9)) > 1.0
    assert planner(world).do("bring me the red mug").done


def test_it_does_not_look_first_where_it_failed_before(world):
    world.next_day()
    mug = world.thing("red mug")
    world.things.remove(mug)
    first = planner(world).do("find the red mug")
    assert not first.done and first.reason == "not found"
    there = "drive to see the red mug"
    assert first.steps[0].told == there
    world.pose = Pose()
    mug.at = (-7.2, 1.3, 0.55)
    world.things.append(mug)
    plan = planner(world).plan("find the red mug")
    assert plan.recalled and not plan.recalled[0].done
    outcome = planner(world).do("find the red mug")
    assert outcome.done
    went = [step.told for step in outcome.steps if step.skill == "approach"]
    assert there not in went[:-1], "it went where it had failed"
    assert went[-1] == there and math.dist(outcome.looked[-1].position, mug.at) < 0.3


def test_what_is_nowhere_ends_with_a_reason_and_no_place_is_looked_at_thrice(world):
    outcome = planner(world).do("bring me the green umbrella")
    assert not outcome.done and outcome.reason in ("not found", "nothing known")
    looks = Counter(told_place(look.position) for look in outcome.looked)
    assert len(looks) > 2 and max(looks.values()) <= STOOD
    assert "umbrella" in outcome.said


def told_place(at: tuple[float, float, float]) -> tuple[float, ...]:
    return tuple(round(value, 2) + 0.0 for value in at)


def test_who_searches_glances_round_about_before_he_drives_on(world):
    world.next_day()
    world.pose = Pose.from_yaw(6.2, 0.0, yaw=math.pi)  # its back to the kitchen
    world.thing("red mug").at = (7.6, 1.6, 0.95)
    world.looks.clear()
    outcome = planner(world).do("find the red mug")
    assert outcome.done, outcome
    assert [step.skill for step in outcome.steps if step.skill == "search"] == []
    assert any(abs(look[1] - 1.5) < 0.6 for look in world.looks), "it looked at the stove"
    assert world.travelled_m < 1.5


@pytest.mark.parametrize("walled", [False, True])
def test_nobody_glances_at_what_a_wall_hides(world, monkeypatch, walled):
    glanced, glance = [], Passed.glance

    def noting(passed, regions, *seen):
        glanced.extend(region.name for region in regions)
        glance(passed, regions, *seen)

    monkeypatch.setattr(Passed, "glance", noting)
    world.next_day()
    world.walled = lambda at: walled
    outcome = planner(world).do("find the green umbrella")
    assert outcome.reason == "not found"
    assert bool(glanced) != walled


def test_who_stops_to_look_says_so_as_often_as_it_is_asked(world):
    """A navigator may ask twice whether it is interrupted, and drives on where it is not."""
    go, asked = world.go, []

    def going(goal, **how):
        arrival = go(goal, **how)
        if arrival.reason == "interrupted":
            asked.append([how["interrupted"]() for _ in range(3)])
        return arrival

    world.go = going
    world.next_day()
    world.things.append(Thing("yellow umbrella", (0.3, 7.4, 0.8)))
    assert planner(world).do("find the yellow umbrella").done
    assert asked and all(all(answers) for answers in asked)


def test_what_hides_a_surface_is_looked_past_from_elsewhere(world, monkeypatch):
    middle, stood = world.thing("nightstand").at, []
    look, around = world.look, world._facing

    def looking(at=None):
        if at is not None and math.dist(at[:2], middle[:2]) < 0.1:
            stood.append(world.pose)
        return look(at)

    def facing(target, near_m, far_m):
        here, away_m = world.pose, (near_m + far_m) / 2
        others = [
            Pose.from_yaw(
                target[0] + away_m * math.cos(turn), target[1] + away_m * math.sin(turn),
                yaw=turn + math.pi,
            )
            for turn in (0.0, 0.8, 1.6)
        ]  # fmt: skip
        return (*around(target, near_m, far_m), *(other for other in others if here != other))

    def at_once_from_elsewhere(thing):
        """Whether the second way to the nightstand was part of the first search of it."""
        stood.clear()
        world.pose = Pose()
        steps = planner(world).do(f"find the {thing}").steps
        skills = [step.skill for step in steps if "nightstand" in step.told]
        assert sorted(set(skills)) == ["approach", "search"] and skills.count("approach") == 2
        return skills[:2] == ["approach", "approach"]

    monkeypatch.setattr(world, "look", looking)
    monkeypatch.setattr(world, "_facing", facing)
    assert not at_once_from_elsewhere("green umbrella")
    wall = np.stack(np.meshgrid([-6.6], np.arange(1.0, 2.0, 0.05), np.arange(0.0, 1.0, 0.05)), -1)
    monkeypatch.setattr(world, "cloud", lambda: wall.reshape(-1, 3))
    assert at_once_from_elsewhere("yellow umbrella")
    first, second = stood[-3], stood[-1]
    assert math.dist(first.position, second.position) >= SEEN_APART_M


def test_where_there_is_no_elsewhere_a_surface_is_looked_at_once(world, monkeypatch):
    wall = np.stack(np.meshgrid([-6.6], np.arange(1.0, 2.0, 0.05), np.arange(0.0, 1.0, 0.05)), -1)
    monkeypatch.setattr(world, "cloud", lambda: wall.reshape(-1, 3))
    facing, only = world._facing, {}

    def one(target, near_m, far_m):
        return only.setdefault(told_place(target), facing(target, near_m, far_m)[:1])

    monkeypatch.setattr(world, "_facing", one)
    outcome = planner(world).do("find the green umbrella")
    looks = Counter(told_place(look.position) for look in outcome.looked)
    assert len(looks) > 2 and set(looks.values()) == {1}


def test_what_is_where_it_was_is_seen_by_a_search_of_its_room_too(world):
    world.next_day()
    world.pose = Pose.from_yaw(5.0, 0.0, yaw=0.0)
    outcome = planner(world).do("search the kitchen for the red mug")
    assert outcome.done, outcome
    assert world.travelled_m < 2.0


def test_a_grasp_that_slips_is_tried_again(world):
    world.slips = 2
    assert planner(world).do("fetch the stapler").done
    assert world.given == ["stapler"]


def test_a_grasp_that_never_holds_ends_the_errand(world):
    world.slips = 1_000
    outcome = planner(world).do("fetch the stapler")
    assert not outcome.done and outcome.reason == "slipped"


def test_it_stops_where_it_is_when_told_to(world):
    outcome = planner(world).do("bring me the red mug", interrupted=lambda: world.travelled_m > 2.0)
    assert not outcome.done and outcome.reason == "interrupted"
    assert world.travelled_m < 2.6


def test_a_patrol_stops_between_two_looks(world):
    world.things.append(Thing("bookshelf", (2.0, 7.5, 0.9), (0.8, 0.4, 1.8)))
    world.go(Pose.from_yaw(1.0, 6.0, yaw=1.2))
    world.turn(math.tau)
    world.looks.clear()
    told = planner(world).do("patrol the house")
    assert told.done
    boards, at = len(world.looks), world.looks[-1]
    world.looks.clear()
    outcome = planner(world).do(
        "patrol the house", interrupted=lambda: len(world.looks) == boards - 1
    )
    assert not outcome.done and outcome.reason == "interrupted"
    assert len(world.looks) == boards - 1 and at not in world.looks


def test_a_patrol_looks_from_farther_at_what_every_picture_cut_off(world):
    wardrobe = (-7.6, 0.3, 1.0)
    world.things.append(Thing("wardrobe", wardrobe, (0.6, 1.0, 2.0)))
    world.cut_within_m["wardrobe"] = 1.6
    world.go(Pose.from_yaw(-6.0, 0.0, yaw=math.pi))
    assert wardrobes(world) == []
    for patrol in ("it is looked for as a whole", "it is known, and visited as a surface"):
        told = planner(world).do("patrol the house")
        assert told.done, patrol
        assert sum("wardrobe" in step.told for step in told.steps) == 1, patrol
        (found,) = wardrobes(world)
        assert math.dist(found, wardrobe) < 0.1


def test_what_no_picture_ever_shows_as_a_whole_ends_no_patrol(world):
    world.things.append(Thing("wardrobe", (-7.6, 0.3, 1.0), (0.6, 1.0, 2.0)))
    world.cut_within_m["wardrobe"] = 9.0
    world.go(Pose.from_yaw(-6.0, 0.0, yaw=math.pi))
    told = planner(world).do("patrol the house")
    assert told.done
    assert 1 <= sum("wardrobe" in step.told for step in told.steps) <= VIEWS
    assert wardrobes(world) == []


def test_walls_and_people_are_not_looked_at_as_a_whole(world):
    for label in ("brick wall", "woman", "window"):
        world.things.append(Thing(label, (-7.6, 0.3, 1.0), (0.6, 1.0, 2.0)))
        world.cut_within_m[label] = 9.0
    world.go(Pose.from_yaw(-6.0, 0.0, yaw=math.pi))
    told = planner(world).do("patrol the house")
    assert told.done
    assert not any(word in step.told for step in told.steps for word in ("wall", "woman", "window"))


def wardrobes(world: FlatWorld) -> list[tuple[float, float, float]]:
    known = Remembered(world.memory).meant(
        "wardrobe", now_ns=world.stamp_ns, travel_m=world.travel_m
    )
    return [candidate.position for candidate in known.candidates]


def test_who_does_not_know_where_he_is_does_not_drive(world):
    world.lost = True
    outcome = planner(world).do("go to the kitchen")
    assert not outcome.done and outcome.reason == "lost"
    assert world.travelled_m == 0.0


def test_an_arm_that_was_left_stretched_out_is_folded_before_the_robot_drives(world):
    world.arm_out, go, out = True, world.go, []

    def going(goal, **how):
        out.append(world.arm_out)
        return go(goal, **how)

    world.go = going
    assert planner(world).do("go to the kitchen").done
    assert out and not any(out)


def test_a_blocked_room_is_given_up_with_its_reason(world):
    world.blocked = lambda at: at[0] > 3.0
    outcome = planner(world).do("bring me the red mug")
    assert not outcome.done
    assert world.pose.x <= 3.0


def test_things_are_put_where_they_are_asked_to_be(world):
    outcome = planner(world).do("put the stapler on the nightstand")
    assert outcome.done, outcome
    at = world.thing("stapler").at
    assert abs(at[0] + 7.2) <= 0.25 and abs(at[1] - 1.4) <= 0.25 and 0.5 <= at[2] <= 0.62


def test_a_destination_that_nobody_knows_is_named(world):
    outcome = planner(world).do("put the stapler on the aquarium")
    assert not outcome.done and outcome.reason == "destination unknown"
    assert "aquarium" in outcome.said


def test_the_only_one_there_is_may_be_in_a_room_of_another_name(world):
    outcome = planner(world).do("put the stapler on the nightstand in the hallway")
    assert outcome.done, outcome
    assert math.dist(world.thing("stapler").at[:2], (-7.2, 1.4)) < 0.4


def test_what_stood_behind_something_is_found_from_elsewhere_once_all_was_searched(world):
    world.next_day()
    world.thing("red mug").at = (0.0, 7.6, 0.8)

    steps: list[Skill] = []
    aside: list[float] = []

    def hidden(label: str) -> bool:
        """Something stands before it, until the desk was searched and one comes to its side."""
        searched = any(isinstance(step, Search) and step.region[:4] == "desk" for step in steps)
        near = math.dist(world.pose.position, (0.0, 7.5, 0.0)) < 1.6
        if searched and near and abs(world.pose.x) > 0.4:
            aside.append(world.pose.x)
        return label == "red mug" and not aside

    world.unseen = hidden
    robot = Planner(world.memory, world.body(), session=world.session, told=steps.append)
    outcome = robot.do("bring me the red mug")
    assert outcome.done, outcome
    regions = [step.region for step in steps if isinstance(step, Search)]
    first = next(place for place, region in enumerate(regions) if region[:4] == "desk")
    assert len(regions) > first + 2, "it looked twice at once, with nothing before the desk"


def test_a_thing_is_put_back_where_it_used_to_be(world):
    world.next_day()
    world.thing("red mug").at = (-0.4, 7.4, 0.8)
    tour(world)
    outcome = planner(world).do("put the red mug back")
    assert outcome.done, outcome
    assert math.dist(world.thing("red mug").at[:2], (7.5, 0.0)) < 1.0


def test_a_thing_is_put_back_on_the_seat_and_not_on_what_is_higher_beside_it(world):
    seat = (0.0, 4.0, 0.2)
    world.things += [
        Thing("stool", seat, (0.5, 0.5, 0.4)),
        Thing("sideboard", (0.75, 4.0, 0.3), (0.9, 0.9, 0.6)),
        Thing("passport", (0.0, 4.0, 0.42)),
    ]
    tour(world)
    world.next_day()
    world.thing("passport").at = (-0.4, 7.4, 0.8)
    tour(world)
    outcome = planner(world).do("put the passport back")
    assert outcome.done, outcome
    x, y, z = world.thing("passport").at
    assert math.dist((x, y), seat[:2]) < 0.25 and z < 0.5


def passport_seen_in(world: FlatWorld, front: str) -> None:
    """A passport is in a drawer or behind a door that stood open on the tour, and is shut now."""
    world.things += [
        Thing(front, (-6.95, 1.4, 0.4), (0.05, 0.4, 0.15)),
        Thing(f"{front} handle", (-6.92, 1.4, 0.4), (0.02, 0.1, 0.02)),
        Thing("passport", (-7.1, 1.4, 0.4), inside=front),
    ]
    world.opened.add(front)
    tour(world)
    world.opened.discard(front)


def test_a_drawer_is_opened_for_what_was_seen_in_it(world):
    passport_seen_in(world, "drawer")
    outcome = planner(world).do("bring me the passport")
    assert outcome.done, outcome
    assert world.given == ["passport"]
    assert "drawer" not in world.opened, "it left the drawer open"


def test_a_door_is_opened_further_where_it_is_in_the_hands_way(world, monkeypatch):
    passport_seen_in(world, "cupboard door")
    pick, tries = world.pick, []

    def hindered(cloud, *, interrupted=lambda: False):
        tries.append(len(tries))
        return pick(cloud, interrupted=interrupted) if len(tries) > 1 else Done(False, "collision")

    monkeypatch.setattr(world, "pick", hindered)
    outcome = planner(world).do("bring me the passport")
    assert outcome.done, outcome
    done = [step.skill for step in outcome.steps if step.skill in ("open", "pick")]
    assert done == ["open", "pick", "open", "pick"]


def test_a_drawer_that_people_left_open_is_closed_where_it_is_in_the_hands_way(world, monkeypatch):
    drawer = Thing("drawer", (-6.8, 1.4, 0.4), (0.05, 0.4, 0.15))
    handle = Thing("drawer handle", (-6.77, 1.4, 0.4), (0.02, 0.1, 0.02))
    world.things += [drawer, handle]
    pick = world.pick

    def hindered(cloud, *, interrupted=lambda: False):
        if handle.at[0] > -6.9:
            return Done(False, "out of reach")
        return pick(cloud, interrupted=interrupted)

    monkeypatch.setattr(world, "pick", hindered)
    outcome = planner(world).do("bring me the alarm clock")
    assert outcome.done, outcome
    done = [step.skill for step in outcome.steps if step.skill in ("close", "pick")]
    assert done == ["pick", "close", "pick"]


def test_goals_of_other_kinds_are_carried_out(world):
    assert planner(world).do("go to the kitchen").done
    assert world.pose.x > 4.0
    assert planner(world).do("say dinner is ready").done and "dinner is ready" in world.said
    before = world.stamp_ns
    assert planner(world).do("wait for 3 seconds").done
    assert world.stamp_ns - before >= 3 * 10**9
    answered = planner(world).do("where is the blue mug?")
    assert answered.done and math.dist(answered.position, (0.1, 7.4, 0.8)) < 0.2


def test_words_that_ask_for_nothing_are_refused(world):
    before = world.memory.info()["observations"]
    with pytest.raises(GoalNotUnderstood):
        planner(world).do("frobnicate the blorp")
    assert world.memory.info()["observations"] == before


class PowerCut(BaseException):
    """The robot's power fails."""


def test_after_a_power_cut_it_goes_on_with_what_it_holds(world):

    def cut() -> bool:
        if world.held is not None and world.pose.x < 4.0:
            raise PowerCut
        return False

    with pytest.raises(PowerCut):
        planner(world).do("bring me the red mug", interrupted=cut)
    outcome = planner(world).resume()
    assert outcome is not None and outcome.done, outcome
    assert world.given == ["red mug"]
    assert math.hypot(world.pose.x, world.pose.y) < 0.5, "it was not brought to the asker"
    assert planner(world).resume() is None


def killed_on_its_way_back(folder: Path, stamp_ns: int) -> None:
    """Run an errand until the mug is in the hand and the robot halfway back; then nothing more."""
    with RobotMemory.open(folder) as memory:
        world = FlatWorld(memory, furnished(), stamp_ns)

        def cut() -> bool:
            if world.held is not None and world.pose.x < 4.0:
                os.kill(os.getpid(), signal.SIGKILL)
            return False

        planner(world).do("bring me the red mug", interrupted=cut)


def test_another_process_goes_on_where_one_was_killed(toured_once, tmp_path):
    folder, stamp_ns = toured_once
    shutil.copytree(folder, tmp_path / "memory")
    process = get_context("spawn").Process(
        target=killed_on_its_way_back, args=(tmp_path / "memory", stamp_ns)
    )
    process.start()
    process.join(120)
    assert process.exitcode == -signal.SIGKILL
    with RobotMemory.open(tmp_path / "memory") as memory:
        assert memory.verify().clean
        world = FlatWorld(memory, furnished(), memory.store.newest_ns() + 10**9)
        world.held = world.thing("red mug")
        outcome = planner(world).resume()
        assert outcome is not None and outcome.done, outcome
        assert world.given == ["red mug"]
        assert "pick" not in [step.skill for step in outcome.steps]


def test_where_a_thing_was_seen_to_be_gone_is_not_where_it_is_searched_first(world):
    def chances():
        known = Remembered(world.memory)
        found = known.regions("stapler", now_ns=world.stamp_ns, travel_m=lambda at: 1.0)
        return {region.name: region.probability for region in found}

    before = chances()
    assert before["desk"] == max(before.values()), "it is where such things were seen"
    world.next_day()
    world.thing("stapler").at = (-7.3, 0.0, 0.65)
    world.unseen = lambda label: label == "stapler"  # wherever it is now
    tour(world)
    after = chances()
    odds = [chance["desk"] / (1 - chance["desk"]) for chance in (before, after)]
    assert odds[1] == pytest.approx(STILL_AROUND * odds[0], rel=0.3)


def test_the_room_that_a_thing_was_in_speaks_for_the_places_in_it(world):
    context = world.memory.understand("where is the stapler?", now_ns=world.stamp_ns)
    found = np.array(list(searchable(context.scene)))
    rooms = room_kinds(context, context.scene, found)
    before = evidence(context, context.scene, found, "stapler", rooms)[:, -1]
    assert {room for room, was in zip(rooms, before, strict=True) if was} == {"office"}
    assert before.sum() == rooms.count("office") < len(rooms)
    never_seen = evidence(context, context.scene, found, "violin", rooms)[:, -1]
    assert not never_seen.any()
