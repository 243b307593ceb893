"""The detector of the simulation: labels alone, with errors at the rates it is told."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

pytest.importorskip("pybullet")

from memory_core.types import Pose
from memory_sim.worlds.home.camera import Camera, head_pose, towards
from memory_sim.worlds.home.detectors import Detection, SegmentationDetector, similar_labels
from memory_sim.worlds.home.kinds import FURNITURE
from memory_sim.worlds.home.plan import plan_home
from memory_sim.worlds.home.things import THINGS
from memory_sim.worlds.home.world import World


@pytest.fixture(scope="module")
def world():
    with World(plan_home(5, rooms=6)) as built:
        yield built


@pytest.fixture(scope="module")
def frames(world):
    """A look at the front of every piece of furniture with something on it."""
    with_things = {spot.furniture for spot in world.state.spots.values()}
    found = []
    camera = Camera(world, noise=0)
    for piece in world.plan.furniture:
        if piece.id in with_things:
            base = piece.standing(away_m=0.9)
            pan, tilt = towards(base, piece.pose.apply(0.0, 0.0, 0.8))
            found.append(camera.look(head_pose(base, pan_rad=pan, tilt_rad=tilt)))
    camera.close()
    return found


def test_nothing_but_label_mask_and_score_leaves_the_detector(world, frames):
    assert [field.name for field in dataclasses.fields(Detection)] == ["label", "mask", "score"]
    own = {thing.label for thing in world.plan.things} | set(FURNITURE)
    parts = {o.label for p in world.plan.furniture for o in p.kind.openings} | {"handle"}
    for frame in frames:
        for detection in SegmentationDetector(world)(frame):
            assert detection.label in own | parts
            assert detection.mask.shape == frame.depth_m.shape
            assert detection.mask.dtype == bool
            assert detection.mask.sum() >= 20
            assert 0 < detection.score < 1


def test_most_things_in_the_open_are_found_from_before_their_furniture(world, frames):
    found = {d.label for frame in frames for d in SegmentationDetector(world)(frame)}
    open_things = [
        world.plan.thing_by_id[name].label
        for name, spot in world.state.spots.items()
        if not world.plan.surface(spot).opening
    ]
    assert sum(label in found for label in open_things) >= 0.9 * len(open_things)
    assert {"drawer", "handle"} <= found


def test_what_is_in_a_closed_drawer_is_not_seen_until_it_is_opened():
    with World(plan_home(5)) as world:
        thing = next(name for name in world.things if world.inside(name))
        drawer = world.inside(thing)
        world.set_openness(drawer, 0.0)
        piece = world.plan.furniture_by_id[world.joints[drawer].furniture]
        base = piece.standing(away_m=0.8)
        label = world.plan.thing_by_id[thing].label
        detector = SegmentationDetector(world, min_pixels=5)

        def seen():
            pan, tilt = towards(base, world.pose_of(thing).position)
            frame = world.camera.look(head_pose(base, pan_rad=pan, tilt_rad=tilt))
            return {detection.label for detection in detector(frame)}

        assert label not in seen()
        world.set_openness(drawer, 1.0)
        assert label in seen()


def rates(world, frames, rounds=20, **errors):
    """Detections and how many of them bear labels that the exact detector does not give there."""
    exact, noisy = SegmentationDetector(world), SegmentationDetector(world, seed=3, **errors)
    expected = given = strange = 0
    for frame in frames * rounds:
        right = [detection.label for detection in exact(frame) if detection.label != "handle"]
        told = [detection.label for detection in noisy(frame) if detection.label != "handle"]
        expected += len(right)
        given += len(told)
        for label in told:
            if label in right:
                right.remove(label)
            else:
                strange += 1
    return expected, given, strange


def test_misses_leave_out_their_share(world, frames):
    expected, given, strange = rates(world, frames, 6, misses=0.2)
    assert 1 - given / expected == pytest.approx(0.2, abs=0.03)
    assert strange == 0


def test_confusions_give_their_share_a_similar_label(world, frames):
    expected, given, strange = rates(world, frames, 6, confusions=0.1)
    assert given == expected
    # some take the label of another thing in the same picture
    assert 0.06 <= strange / given <= 0.12


def test_things_are_mixed_up_with_things_of_their_shape_or_another_colour(world):
    similar = similar_labels(world.plan)
    by_label = {thing.label: thing for thing in world.plan.things}
    for thing in world.plan.things:
        assert similar[thing.label] or len(THINGS[thing.kind].colours) == 1
        for other in similar[thing.label]:
            assert other != thing.label
            if other in by_label:
                shapes = {THINGS[by_label[label].kind].shape for label in (thing.label, other)}
                assert len(shapes) == 1
            else:
                assert other.endswith(thing.kind)


def test_position_noise_moves_masks_by_its_spread(world, frames):
    exact, noisy = SegmentationDetector(world), SegmentationDetector(world, position_noise_m=0.03)
    shifts = []
    for frame in frames * 8:
        for right, moved in zip(exact(frame), noisy(frame), strict=True):
            rows, columns = np.nonzero(right.mask)
            inside = (
                rows.min() > 40 and rows.max() < 200 and columns.min() > 40 and columns.max() < 280
            )
            if inside and len(rows) < 4000:
                depth = np.median(frame.depth_m[right.mask])
                centre = np.nonzero(moved.mask)[1].mean() - columns.mean()
                shifts.append(centre * depth / frame.intrinsics.fx)
    assert len(shifts) > 80
    assert np.std(shifts) == pytest.approx(0.03, rel=0.25)


def test_the_same_seed_makes_the_same_errors(world, frames):
    errors = {"misses": 0.3, "confusions": 0.3, "position_noise_m": 0.02, "seed": 9}
    first, second = (SegmentationDetector(world, **errors) for _ in range(2))
    for frame in frames[:5]:
        for one, other in zip(first(frame), second(frame), strict=True):
            assert (one.label, one.score) == (other.label, other.score)
            assert np.array_equal(one.mask, other.mask)


@pytest.mark.parametrize(
    "wrong", [{"misses": 1.5}, {"confusions": -0.1}, {"position_noise_m": -1}, {"min_pixels": 0}]
)
def test_errors_that_cannot_be_are_refused(world, wrong):
    with pytest.raises(ValueError, match="expected 0"):
        SegmentationDetector(world, **wrong)


def test_small_patches_are_not_seen(world):
    camera = Camera(world, noise=0)
    frame = camera.look(head_pose(world.plan.dock))
    camera.close()
    assert SegmentationDetector(world, min_pixels=1_000_000)(frame) == []
    assert frame.camera_pose != Pose()
