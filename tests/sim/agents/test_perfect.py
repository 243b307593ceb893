"""Perfect knowledge: what is read off the simulator."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

pytest.importorskip("pybullet")

from memory_core.types import Pose
from memory_sim.agents.perfect import Perfect
from memory_sim.worlds.home import truth
from memory_sim.worlds.home.plan import plan_home
from memory_sim.worlds.home.world import World
from tests.sim.agents.seen import NOW_NS, straight

WHERE = {"now_ns": NOW_NS, "travel_m": straight}


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with World(plan_home(3, rooms=4), width=8, height=8) as world:
        yield world


@pytest.fixture(scope="module")
def perfect(world: World) -> Perfect:
    return Perfect(world, truth.whereabouts(world))


def labelled_once(world: World, *, shut: bool) -> truth.Whereabouts:
    """A thing of a label that no other has, shut away or in the open."""
    places = list(truth.whereabouts(world).values())
    labels = [where.label for where in places]
    return next(
        where for where in places if labels.count(where.label) == 1 and bool(where.opening) is shut
    )


def test_a_thing_is_where_it_is(world, perfect):
    where = labelled_once(world, shut=False)
    candidate = perfect.meant(where.label, **WHERE).candidates[0]
    assert candidate.position == pytest.approx(where.position)


def test_a_thing_that_is_moved_is_known_elsewhere_and_its_first_place_too(world, perfect):
    where = labelled_once(world, shut=False)
    before = world.pose_of(where.thing)
    world.place(where.thing, Pose(before.x + 0.3, before.y, before.z))
    now = perfect.meant(where.label, **WHERE).candidates[0].position
    (stay,) = perfect.meant(where.label, **WHERE).candidates[0].earlier
    first = perfect.ask(f"where did you first see the {where.label}?", now_ns=NOW_NS).position
    world.place(where.thing, before)
    assert now[0] - where.position[0] == pytest.approx(0.3, abs=0.05)
    assert first == pytest.approx(where.position)
    assert stay.position == pytest.approx(where.position)
    assert not perfect.meant(where.label, **WHERE).candidates[0].earlier


def test_the_shut_drawer_that_holds_a_thing_is_opened_first(world, perfect):
    where = labelled_once(world, shut=True)
    region = perfect.regions(where.label, **WHERE)[0]
    assert region.shut
    assert region.name == world.joints[where.opening].kind.label


def test_regions_within_a_room_are_in_it(world, perfect):
    room = world.plan.room_by_name["kitchen"]
    regions = perfect.regions("mug", within="kitchen", **WHERE)
    assert regions
    assert all(room.holds(*region.centre[:2]) for region in regions)


def test_a_room_is_its_middle(world, perfect):
    room = world.plan.room_by_name["bathroom"]
    assert perfect.room("bathroom", **WHERE) == pytest.approx((*room.centre, room.z))
