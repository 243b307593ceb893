"""The network that comes with the package, looking at homes it never learned from."""

from __future__ import annotations

import argparse
import dataclasses
import math

import numpy as np
import pytest

pytest.importorskip("pybullet")
pytest.importorskip("torch")
pytest.importorskip("safetensors")

from memory_core.errors import EncodingError, InvalidQuery
from memory_core.types import Pose
from memory_sim.detecting.choice import Errors, detector_named, errors_of
from memory_sim.detecting.classes import FURNITURES, PARTS, exact_name
from memory_sim.detecting.detector import NetworkDetector
from memory_sim.detecting.pictures import channels, windows
from memory_sim.detecting.views import tilt_of
from memory_sim.worlds.home.camera import Camera, head_pose, towards
from memory_sim.worlds.home.detectors import SegmentationDetector
from memory_sim.worlds.home.plan import plan_home
from memory_sim.worlds.home.things import THINGS
from memory_sim.worlds.home.world import World

SEED = 130_000


@pytest.fixture(scope="module")
def world():
    with World(plan_home(SEED)) as built:
        yield built


@pytest.fixture(scope="module")
def frames(world):
    """The two pieces of furniture with most things in the open, seen from before them."""
    on = {}
    for spot in world.state.spots.values():
        if not world.plan.surface(spot).opening:
            on[spot.furniture] = on.get(spot.furniture, 0) + 1
    camera, found = Camera(world), []
    for name in sorted(on, key=lambda name: -on[name])[:2]:
        piece = world.plan.furniture_by_id[name]
        base = piece.standing(away_m=0.9)
        pan, tilt = towards(base, piece.pose.apply(0.0, 0.0, 0.8))
        found.append(camera.look(head_pose(base, pan_rad=pan, tilt_rad=tilt)))
    camera.close()
    return found


def overlapping(truth, found):
    """How many true areas an area of the same label overlaps by half of the union."""
    return sum(
        any(f.label == t.label and (f.mask & t.mask).sum() >= 0.5 * (f.mask | t.mask).sum()
            for f in found)
        for t in truth
    )  # fmt: skip


def test_some_of_the_things_are_found_under_their_names(world, frames):
    """How many, `robot-memory eval detector` measures over many homes: it is a weak network."""
    network, exact = detector_named("network", world), SegmentationDetector(world)
    own = {thing.label for thing in world.plan.things}
    right, there = 0, 0
    for frame in frames:
        truth = [one for one in exact(frame) if one.label in own]
        right += overlapping(truth, network(frame))
        there += len(truth)
    assert there >= 6
    assert right >= 1


def test_only_labels_masks_and_scores_leave_it_and_all_are_words_it_was_told(world, frames):
    own = {thing.label for thing in world.plan.things}
    for frame in frames:
        told = detector_named("network", world)(frame)
        assert told
        for one in told:
            assert one.label in own | set(FURNITURES[1:]) | set(PARTS[2:])
            assert one.mask.shape == frame.depth_m.shape
            assert one.mask.dtype == bool
            assert one.mask.sum() >= 20
            assert 0 < one.score <= 1


def test_it_sees_no_more_than_picture_depth_and_tilt(world, frames):
    detector = detector_named("network", world)
    for frame in frames:
        camera = frame.camera_pose
        elsewhere = Pose.from_yaw(7.0, -3.0, yaw=1.0).compose(
            Pose(qy=math.sin(-tilt_of(camera) / 2), qw=math.cos(tilt_of(camera) / 2))
        )
        blind = dataclasses.replace(
            frame, owners=np.zeros_like(frame.owners), camera_pose=elsewhere
        )
        first, second = detector(frame), detector(blind)
        assert [one.label for one in first] == [one.label for one in second]
        for one, other in zip(first, second, strict=True):
            assert (one.mask == other.mask).mean() > 0.999


def test_without_a_households_names_things_are_told_by_kind_and_colour(frames):
    exact = {exact_name(kind, colour) for kind in THINGS for colour in THINGS[kind].colours}
    labels = {one.label for frame in frames for one in NetworkDetector()(frame)}
    assert labels - set(FURNITURES) - set(PARTS) <= exact
    assert labels & exact


def test_unknown_names_and_detectors_are_refused(world):
    with pytest.raises(EncodingError, match="no words for unicorn"):
        NetworkDetector(["mug", "unicorn"])
    with pytest.raises(InvalidQuery, match="segmentation, network"):
        detector_named("clairvoyant", world)


def test_errors_told_change_the_usual_ones_and_are_the_segmentations_alone():
    none = {"misses": None, "confusions": None, "position_noise": None}
    usual = Errors(misses=0.2, confusions=0.05)
    told = argparse.Namespace(detector="segmentation", **{**none, "position_noise": 0.02})
    assert errors_of(told, usual=usual) == Errors(0.2, 0.05, 0.02)
    assert errors_of(argparse.Namespace(detector="network", **none), usual=usual) == usual
    with pytest.raises(InvalidQuery, match="of its own"):
        errors_of(argparse.Namespace(detector="network", **{**none, "misses": 0.1}))


def test_a_picture_of_nothing_shows_nothing(frames):
    grey = dataclasses.replace(
        frames[0], image=np.full_like(frames[0].image, 128),
        depth_m=np.zeros_like(frames[0].depth_m),
    )  # fmt: skip
    assert NetworkDetector([])(grey) == [] or all(
        one.label in FURNITURES for one in NetworkDetector([])(grey)
    )


def test_height_above_the_floor_is_told_from_tilt_and_depth(world):
    """A camera that looks at the floor measures heights of zero there."""
    camera = Camera(world, noise=0)
    frame = camera.look(head_pose(world.plan.dock, tilt_rad=-0.9))
    camera.close()
    floor = frame.owners == 0
    told = channels(frame.image, frame.depth_m, tilt_of(frame.camera_pose))
    low = told[4][floor & (np.arange(240)[:, None] > 180)]
    assert np.median(low) == pytest.approx(-1.0, abs=0.02)  # one camera's height below the camera


def test_windows_are_of_one_width_in_metres():
    """A square of 0.2 m fills half of the window's width at any depth."""
    for depth, side in ((1.0, 42), (2.0, 20)):
        picture = np.zeros((6, 240, 320), np.float32)
        places = np.zeros((120, 160), np.int64)
        half = side // 4
        places[60 - half : 60 + half, 80 - half : 80 + half] = 1
        shown, depths = windows(
            picture, np.full((240, 320), depth, np.float32), places, np.array([1])
        )
        assert depths[0] == depth
        wide = float(shown[0, 4].sum(1).max()) / 48
        assert wide == pytest.approx(0.5, abs=0.07)
