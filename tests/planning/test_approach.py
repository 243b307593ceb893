"""Where the robot stands to take something: what it gives up for a shorter way, and what not."""

from __future__ import annotations

import math

import pytest
from flat_world import FlatWorld, Thing

from memory_core.memory import RobotMemory
from memory_core.planning.body import Stand
from memory_core.planning.planner import Planner
from memory_core.types import Pose

MUG = (3.0, 0.0, 0.9)
TABLE = Thing("table", (3.0, 0.0, 0.4), (0.6, 1.4, 0.8))
SHELF = Thing("bookshelf", (3.1, 0.0, 0.9), (0.6, 1.4, 1.8))
BEARINGS = (-1.0, -0.5, 0.0, 0.5, 1.0)


def stands(costs, *, away_m=0.55):
    """Poses around the mug on the robot's side, from one end to the other."""
    return tuple(
        Stand(
            Pose.from_yaw(
                MUG[0] - away_m * math.cos(turn), MUG[1] + away_m * math.sin(turn), yaw=-turn
            ),
            cost_m,
        )
        for turn, cost_m in zip(BEARINGS, costs, strict=True)
    )


@pytest.fixture
def stood(tmp_path, monkeypatch):
    """Has the mug fetched off some furniture, and tells where the robot stood to take it."""

    def run(furniture, found):
        with RobotMemory.open(tmp_path / furniture.label) as memory:
            world = FlatWorld(memory, [furniture, Thing("mug", MUG)])
            world.go(Pose.from_yaw(1.0, 0.0))
            world.look(MUG)
            world.go(Pose())
            asked = []
            monkeypatch.setattr(
                world, "standing",
                lambda target, *, near_m, far_m, then=None: asked.append((far_m, then)) or found,
            )  # fmt: skip
            places, pick = [], world.pick

            def noting(cloud, *, interrupted=lambda: False):
                places.append(world.pose)
                return pick(cloud, interrupted=interrupted)

            monkeypatch.setattr(world, "pick", noting)
            assert Planner(memory, world.body(), session="s").do("bring me the mug").done
            return places[0], asked

    return run


def test_off_a_table_it_takes_from_where_the_way_is_shortest(stood):
    found = stands((2.0, 2.3, 2.6, 2.9, 3.2))
    pose, _ = stood(TABLE, found)
    assert pose == found[0].pose


def test_between_boards_it_goes_a_metre_more_to_reach_in_straight(stood):
    found = stands((2.0, 2.9, 3.0, 3.1, 3.2))
    pose, _ = stood(SHELF, found)
    assert pose == found[2].pose


def test_but_not_many_metres(stood):
    found = stands((2.0, 9.0, 9.0, 9.0, 9.0))
    pose, _ = stood(SHELF, found)
    assert pose == found[0].pose


def test_between_boards_it_goes_nearer_to_reach_in_with_ease(stood):
    far, near = stands((2.0,) * 5, away_m=0.7), stands((2.8,) * 5, away_m=0.5)
    assert stood(TABLE, (*far, *near))[0] in [stand.pose for stand in far]
    assert stood(SHELF, (*far, *near))[0] in [stand.pose for stand in near]


def test_where_it_will_bring_the_thing_counts(stood):
    _, asked = stood(TABLE, stands((2.0,) * 5))
    far_m, then = asked[0]
    assert far_m == pytest.approx(0.8)
    assert then == pytest.approx((0.0, 0.0, 0.0))
