"""Films: the robot from outside, its own picture and the plan, as a video and as a strip."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

pytest.importorskip("pybullet")

from memory_core.errors import InvalidQuery
from memory_core.memory import RobotMemory
from memory_core.types import Pose
from memory_sim.film import SIZE, Film, Shown, compose
from memory_sim.onlooker import VIEW, Onlooker
from memory_sim.robot import HouseRobot
from memory_sim.worlds.home.base import SimBase
from memory_sim.worlds.home.layout import STOREY_M
from memory_sim.worlds.home.plan import plan_home
from memory_sim.worlds.home.world import World

PLAN = plan_home(30, rooms=4, floors=1)
START_NS = 1_772_528_400_000_000_000


@pytest.fixture
def world():
    with World(PLAN, width=96, height=72) as built:
        yield built


def filmed(world, memory, film):
    robot = HouseRobot(world, memory, start_ns=START_NS, session="one", watch=film.see)
    film.follow(robot)
    film.plan("look about")
    film.step("turn")
    robot.navigator.turn(1.5, interrupted=film.tick)
    film.step("look")
    robot.look()
    return robot


@pytest.fixture(params=[".mp4", ".gif"])
def made(request, world, tmp_path):
    path = tmp_path / "films" / f"film{request.param}"
    with RobotMemory.open(tmp_path / "memory", text_encoder=None) as memory:
        with Film(world, path) as film:
            filmed(world, memory, film)
            strip = film.strip(tmp_path / "strip.png")
        return path, strip, film


def test_a_film_holds_every_frame_and_the_strip_its_moments(made):
    path, strip, film = made
    reader = cv2.VideoCapture(str(path))
    if path.suffix == ".gif" and not reader.isOpened():
        frames = _gif_frames(path)
    else:
        frames = []
        while True:
            read, frame = reader.read()
            if not read:
                break
            frames.append(frame)
    assert len(frames) == film.frames >= 3
    assert any((frames[0] != frame).any() for frame in frames[1:])
    picture = cv2.imread(str(strip))
    assert picture.shape == (SIZE[1], 2 * SIZE[0], 3)


def _gif_frames(path):
    from PIL import Image, ImageSequence

    with Image.open(path) as film:
        return [np.array(frame.convert("RGB")) for frame in ImageSequence.Iterator(film)]


def test_a_film_under_another_name_and_a_strip_of_nothing_are_refused(world, tmp_path):
    with pytest.raises(InvalidQuery, match=r"\.mp4 or \.gif"):
        Film(world, tmp_path / "film.txt")
    with Film(world) as film, pytest.raises(InvalidQuery, match="nothing was filmed"):
        film.strip(tmp_path / "strip.png")


def test_the_robot_is_seen_from_outside_wherever_it_stands(world):
    base = SimBase(world)
    onlooker = Onlooker(world)
    there = onlooker.look(base.true_pose).astype(int)
    at = base.true_pose
    base.put(Pose(z=-100.0))
    gone = onlooker.look(at).astype(int)
    differs = np.abs(there - gone).sum(axis=2) > 30
    rows, columns = np.nonzero(differs)
    assert differs.sum() > 1000
    assert abs(columns.mean() - VIEW[0] / 2) < 60
    assert abs(rows.mean() - VIEW[1] / 2) < 80
    onlooker.close()


def test_what_is_moved_or_opened_is_moved_and_opened_in_the_view(world):
    SimBase(world)
    onlooker = Onlooker(world)
    opening = next(name for name, joint in world.joints.items() if joint.kind.hinge is None)
    piece = PLAN.furniture_by_id[world.joints[opening].furniture]
    closed = onlooker.look(piece.pose)
    world.set_openness(opening, 1.0)
    opened = onlooker.look(piece.pose)
    assert (closed != opened).any()
    world.set_openness(opening, 0.0)
    assert (onlooker.look(piece.pose) == closed).all()
    onlooker.close()


def test_the_pictures_of_the_robot_and_its_contacts_are_the_same_while_it_is_watched():
    def lived(watched):
        with World(PLAN, width=96, height=72) as world:
            base = SimBase(world)
            onlooker = Onlooker(world) if watched else None
            base.drive(0.4, 0.3, 3.0)
            if onlooker is not None:
                onlooker.look(base.true_pose)
            scan = base.scan().ranges_m
            frame = world.camera.look(base.true_pose.compose(base.camera_pose))
            if onlooker is not None:
                onlooker.close()
            return base.true_pose, scan, frame.image

    alone, watched = lived(False), lived(True)
    assert alone[0] == watched[0]
    assert (alone[1] == watched[1]).all()
    assert (alone[2] == watched[2]).all()


def test_upper_storeys_are_taken_off_when_the_robot_is_below_and_there_when_it_is_above():
    plan = plan_home(3, rooms=4, floors=2)
    with World(plan, width=96, height=72) as world:
        SimBase(world)
        onlooker = Onlooker(world)
        upper = next(room for room in plan.rooms if room.floor == 1)
        below = Pose(*upper.centre, 0.0)
        first = onlooker.look(below)
        above = onlooker.look(Pose(*upper.centre, STOREY_M))
        again = onlooker.look(below)
        onlooker.close()
    assert (first == again).all()
    assert (first != above).any(axis=2).mean() > 0.3


def test_a_frame_shows_the_robots_picture_beside_the_view_and_where_it_goes(world):
    SimBase(world)
    onlooker = Onlooker(world)
    red = np.full((72, 96, 3), (255, 0, 0), np.uint8)
    plain = compose(onlooker, PLAN, Shown(PLAN.dock, red, "fetch the mug"))
    goal = PLAN.rooms[0].centre
    marked = compose(onlooker, PLAN, Shown(PLAN.dock, red, "fetch the mug", goals=[(*goal, 0.5)]))
    onlooker.close()
    assert plain.shape == (SIZE[1], SIZE[0], 3)
    assert (plain[:180, VIEW[0] :] == (255, 0, 0)).all()
    assert (plain[VIEW[1] :] < 128).any()
    changed = (plain != marked).any(axis=2)
    assert changed[180 : VIEW[1], VIEW[0] :].any()
    assert not changed[:180].any()


def test_a_caption_too_long_for_the_picture_is_cut_and_stays_readable(world):
    SimBase(world)
    onlooker = Onlooker(world)
    frame = compose(onlooker, PLAN, Shown(PLAN.dock, None, "bring me the mug \u2014 " * 40))
    onlooker.close()
    assert (frame[VIEW[1] :, -10:] == 255).all()
