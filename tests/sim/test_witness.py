"""What a witness notes of frames: what is whole in view, and where the camera was."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("pybullet")

from memory_core.types import Pose
from memory_sim.witness import Witness
from memory_sim.worlds.home.plan import plan_home
from memory_sim.worlds.home.world import World

HOME = plan_home(7, rooms=4, floors=1)
S = 10**9


@pytest.fixture(scope="module")
def watched():
    """Six frames, two in each of three rooms; the first thing is whole in three, the second cut."""
    with World(HOME, day=0, width=8, height=8) as world:
        witness, things = Witness(world), world.things
    witness.see(SimpleNamespace())  # nobody is followed yet
    robot = SimpleNamespace(base=SimpleNamespace(stamp_ns=0))
    witness.follow(robot)
    rooms = [HOME.room_by_name[name] for name in ("kitchen", "bedroom", "bathroom")]
    for number in range(6):
        robot.base.stamp_ns = (10 + number * number) * S
        owners = np.zeros((40, 60), np.int64)
        if number in (1, 2, 4):
            owners[10:20, 10:20] = 1
        owners[30:40, 30:40] = 2
        owners[5:10, 40:45] = 3  # too few pixels
        pose = Pose(*rooms[number // 2].centre, 1.25)
        witness.see(SimpleNamespace(owners=owners, camera_pose=pose))
    return witness, things


def test_what_was_whole_in_view_in_three_frames_was_seen(watched):
    witness, things = watched
    assert witness.seen(things[0])
    assert not witness.seen(things[1])
    assert not witness.seen(things[2])
    assert witness.first_ns(things[0]) == 11 * S


def test_stays_last_until_the_next_frame(watched):
    witness, _ = watched
    assert witness.stays_s() == {"kitchen": 4.0, "bedroom": 12.0, "bathroom": 9.0}


def test_the_camera_is_found_at_a_moment_and_at_the_ends(watched):
    witness, _ = watched
    bedroom, bathroom = (HOME.room_by_name[name].centre for name in ("bedroom", "bathroom"))
    assert witness.camera_at(13 * S).position[:2] == bedroom
    assert witness.camera_at(99 * S).position[:2] == bathroom
