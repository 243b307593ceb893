"""The hand at work: things are taken, carried and put down, drawers and doors move, faults show."""

from __future__ import annotations

import math

import numpy as np
import pytest

pytest.importorskip("pybullet")

from memory_core.types import Pose
from memory_sim.worlds.home.arm import STOWED, tool_pose
from memory_sim.worlds.home.base import EXACT, SimBase
from memory_sim.worlds.home.handling import SimManipulator
from memory_sim.worlds.home.scene import HANDLE
from memory_sim.worlds.home.things import THINGS
from memory_sim.worlds.home.world import World
from tests.sim.home.workroom import AWAY, cloud_of, in_front, workroom

SAMPLE = (
    "apple",
    "book",
    "cereal box",
    "hammer",
    "mug",
    "pen holder",
    "remote control",
    "wine bottle",
)


class Stand:
    """A robot in front of a piece of furniture, with things that wait elsewhere."""

    def __init__(self, world, piece):
        self.world, self.piece = world, piece
        self.base = SimBase(world, odometry_noise=EXACT)
        self.hand = SimManipulator(self.base)

    def clear(self):
        self.hand.let_go()
        for number, thing in enumerate(self.world.things):
            self.world.place(thing, Pose(0.0, 0.0, AWAY.z - 5 * number))
        for opening in self.world.joints:
            self.world.set_openness(opening, 0.0)
            self.hand.jam(opening, jammed=False)

    def stand(self, **where):
        self.base.robot.configure(STOWED)
        self.base.put(in_front(self.piece, **where))

    def on_top(self, thing, *, y=0.0, yaw=0.0, away=0.6, behind=0.12):
        """Put a thing on the furniture, stand in front of it, and look at it."""
        front, height = self.piece.kind.size[0] / 2, self.piece.kind.size[2]
        at = self.piece.pose.compose(Pose.from_yaw(front - behind, y, z=height, yaw=yaw))
        self.world.place(thing, at)
        self.stand(x=front - behind + away, y=y)
        return cloud_of(self.world, self.base, thing)

    def handle(self, opening):
        return cloud_of(self.world, self.base, opening, label=HANDLE)

    def outward(self):
        turned = self.base.true_pose.inverse().compose(self.piece.pose)
        return tuple(turned.matrix()[:3, 0])


@pytest.fixture(scope="module")
def table():
    plan, piece = workroom("kitchen table", SAMPLE)
    with World(plan) as world:
        yield Stand(world, piece)


@pytest.fixture(scope="module")
def chest():
    plan, piece = workroom("chest of drawers", ("soda can",))
    with World(plan) as world:
        yield Stand(world, piece)


@pytest.fixture
def at_table(table):
    table.clear()
    table.hand.slip_probability = 0.0
    return table


@pytest.fixture
def at_chest(chest):
    chest.clear()
    return chest


def some_yaw(kind):
    """Another for each kind, all around."""
    return 2 * math.pi * sorted(THINGS).index(kind) / len(THINGS)


@pytest.mark.parametrize("kind", SAMPLE)
def test_things_of_all_shapes_are_picked_from_a_noisy_picture_and_lifted(at_table, kind):
    cloud = at_table.on_top(f"{kind} 1", yaw=some_yaw(kind))
    assert at_table.hand.pick(cloud).done
    assert at_table.hand.holding
    height = at_table.piece.kind.size[2]
    assert at_table.world.pose_of(f"{kind} 1").z > height + 0.01


def test_what_is_held_moves_with_the_base_and_is_put_down_where_asked(at_table):
    thing, base = "mug 1", at_table.base
    assert at_table.hand.pick(at_table.on_top(thing, y=0.2)).done
    assert at_table.hand.stow().done
    before = base.true_pose.inverse().compose(at_table.world.pose_of(thing))
    assert not base.drive(-0.3, 0.0, 1.0).bumped
    after = base.true_pose.inverse().compose(at_table.world.pose_of(thing))
    assert after.position == pytest.approx(before.position, abs=1e-6)
    front, height = at_table.piece.kind.size[0] / 2, at_table.piece.kind.size[2]
    base.put(in_front(at_table.piece, x=front + 0.45, y=-0.2))
    target = at_table.piece.pose.apply(front - 0.15, -0.2, height)
    assert at_table.hand.place(base.true_pose.inverse().apply(*target)).done
    assert not at_table.hand.holding
    stands = at_table.world.pose_of(thing)
    assert stands.z == pytest.approx(height, abs=1e-3)
    assert math.dist(stands.position, target) < 0.04
    upright = stands.matrix()[2, 2]
    assert upright == pytest.approx(1.0)


def test_nothing_is_taken_where_the_thing_is_gone(at_table):
    cloud = at_table.on_top("apple 1")
    at_table.world.place("apple 1", AWAY)
    done = at_table.hand.pick(cloud)
    assert (done.done, done.reason) == (False, "nothing there")
    assert not at_table.hand.holding


def test_what_is_out_of_reach_or_too_wide_is_said_to_be_so(at_table):
    cloud = at_table.on_top("apple 1")
    assert at_table.hand.pick(cloud + (1.5, 0, 0)).reason == "out of reach"
    far_apart = np.random.default_rng(0).uniform((0.5, -0.3, 0.7), (0.9, 0.3, 1.1), (400, 3))
    assert at_table.hand.pick(far_apart).reason == "too wide"
    assert at_table.hand.pick(np.empty((0, 3))).reason == "nothing there"


def test_a_full_hand_picks_nothing_and_an_empty_one_places_nothing(at_table):
    assert at_table.hand.place((0.6, 0.0, 0.8)).reason == "hand empty"
    cloud = at_table.on_top("apple 1")
    assert at_table.hand.pick(cloud).done
    assert at_table.hand.pick(cloud).reason == "hand full"


def test_what_slips_is_back_on_the_table_and_the_hand_is_empty(at_table):
    cloud = at_table.on_top("pen holder 1")
    at_table.hand.slip_probability = 1.0
    done = at_table.hand.pick(cloud)
    assert (done.done, done.reason) == (False, "slipped")
    assert not at_table.hand.holding
    height = at_table.piece.kind.size[2]
    assert at_table.world.pose_of("pen holder 1").z == pytest.approx(height, abs=1e-3)


def test_what_is_let_go_beside_the_table_falls_to_the_floor(at_table):
    assert at_table.hand.pick(at_table.on_top("apple 1")).done
    at_table.base.put(in_front(at_table.piece, x=1.8))
    at_table.hand.let_go()
    assert at_table.world.pose_of("apple 1").z == pytest.approx(0.0, abs=1e-3)


def test_an_interrupt_ends_a_pick_at_once(at_table):
    cloud = at_table.on_top("apple 1")
    began = at_table.base.stamp_ns
    done = at_table.hand.pick(cloud, interrupted=lambda: at_table.base.stamp_ns > began + 1e9)
    assert (done.done, done.reason) == (False, "interrupted")
    assert at_table.base.stamp_ns - began < 1.6e9


def test_the_same_seeds_give_the_same_pick():
    def picked():
        plan, piece = workroom("kitchen table", ("hammer",))
        with World(plan) as world:
            stand = Stand(world, piece)
            done = stand.hand.pick(stand.on_top("hammer 1", yaw=0.4))
            return done, stand.base.stamp_ns, world.pose_of("hammer 1")

    assert picked() == picked()


def test_a_push_moves_a_thing_along(at_table):
    at_table.on_top("remote control 1", behind=0.2, away=0.6)
    before = at_table.world.pose_of("remote control 1")
    start = at_table.base.true_pose.inverse().apply(*before.apply(0.0, 0.2, 0.015))
    end = at_table.base.true_pose.inverse().apply(*before.apply(0.0, 0.04, 0.015))
    assert at_table.hand.push(start, end).done
    moved = before.inverse().compose(at_table.world.pose_of("remote control 1"))
    # the finger is 2 cm wide and the control 18 cm long: it ends with its middle 10 cm before the tip
    assert moved.y == pytest.approx(0.04 - 0.10, abs=0.02)
    assert moved.z == pytest.approx(0.0, abs=2e-3)


def test_a_press_ends_at_what_it_touches(at_table):
    at_table.on_top("cereal box 1")
    box = at_table.world.pose_of("cereal box 1")
    at = at_table.base.true_pose.inverse().apply(*box.apply(0.03, 0.0, 0.15))
    assert at_table.hand.press(at).done
    assert at_table.hand.press((at[0] - 0.15, at[1], at[2] + 0.3)).reason == "nothing there"


def test_a_drawer_is_pulled_open_with_what_lies_in_it_and_pushed_shut(at_chest):
    drawer = "workroom/chest of drawers/drawer 1"
    front = at_chest.piece.kind.size[0] / 2
    bar = at_chest.world.joints[drawer].kind.handle[0].centre
    can = at_chest.piece.pose.apply(front - 0.1, 0.0, bar[2] - 0.06)
    at_chest.world.place("soda can 1", Pose(*can))
    at_chest.stand(x=bar[0] + 0.75)
    assert at_chest.hand.open(at_chest.handle(drawer), at_chest.outward()).done
    assert at_chest.world.openness(drawer) * at_chest.world.joints[drawer].kind.travel > 0.25
    assert at_chest.world.pose_of("soda can 1").x - can[0] > 0.25
    assert at_chest.hand.stow().done
    assert at_chest.hand.close(at_chest.handle(drawer), at_chest.outward(), travel_m=0.35).done
    assert at_chest.world.openness(drawer) < 0.05


def test_a_jammed_drawer_is_stuck_and_stays_shut(at_chest):
    drawer = "workroom/chest of drawers/drawer 2"
    at_chest.hand.jam(drawer)
    at_chest.stand(x=at_chest.world.joints[drawer].kind.handle[0].centre[0] + 0.75)
    done = at_chest.hand.open(at_chest.handle(drawer), at_chest.outward())
    assert (done.done, done.reason) == (False, "stuck")
    assert at_chest.world.openness(drawer) == 0.0


def test_a_door_swings_about_its_hinge():
    plan, piece = workroom("bathroom cabinet")
    with World(plan) as world:
        stand = Stand(world, piece)
        (name,) = world.joints
        joint = world.joints[name].kind
        bar = joint.handle[0].centre
        stand.stand(x=bar[0] + 0.75, y=bar[1])
        assert stand.hand.open(stand.handle(name), stand.outward(), hinged=True).done
        arc = world.openness(name) * abs(joint.travel) * math.dist(joint.hinge[:2], bar[:2])
        assert arc > 0.25


def test_a_drawer_is_given_back_until_the_arm_can_be_folded(at_chest, monkeypatch):
    """As where an opened door shuts the arm in between itself and a wall."""
    drawer = "workroom/chest of drawers/drawer 1"
    at_chest.stand(x=at_chest.world.joints[drawer].kind.handle[0].centre[0] + 0.75)
    travel = at_chest.world.joints[drawer].kind.travel
    monkeypatch.setattr(
        at_chest.hand._fronts, "_folds_from_here",
        lambda: at_chest.world.openness(drawer) * travel < 0.22,
    )  # fmt: skip
    assert at_chest.hand.open(at_chest.handle(drawer), at_chest.outward()).done
    assert 0.15 < at_chest.world.openness(drawer) * travel < 0.22
    assert at_chest.hand.stow().done


def test_a_hand_that_draws_back_stops_before_what_stands_behind_it(at_table):
    at_table.stand(x=1.2)
    arm = at_table.hand._arm
    reach = arm.reach(tool_pose((0.6, 0.0, 1.2), np.array([1.0, 0, 0]), np.array([0, 1.0, 0])))
    assert not isinstance(reach, str)
    for waits, least_m, most_m in ((False, 0.075, 0.085), (True, 0.02, 0.06)):
        at_table.base.robot.configure(reach.last[-1])
        start = arm.tool()
        behind = at_table.base.true_pose.compose(start).apply(0.0, 0.09, -0.2)
        at_table.world.place("pen holder 1", Pose(*behind) if waits else AWAY)
        arm.back_off(0.08)
        assert least_m <= math.dist(arm.tool().position, start.position) <= most_m
        assert max(at_table.base.robot.depths_m().values(), default=0.0) <= 0.001


def test_a_handle_that_is_not_there_is_reported(at_chest):
    drawer = "workroom/chest of drawers/drawer 1"
    at_chest.stand(x=at_chest.world.joints[drawer].kind.handle[0].centre[0] + 0.75)
    cloud = at_chest.handle(drawer) - (0.12, 0.0, 0.0)
    assert at_chest.hand.open(cloud, at_chest.outward()).reason == "nothing there"
