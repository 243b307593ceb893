"""Place recognition on pictures made here: a textured wall, seen from several sides."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from memory_core.errors import EmptyMemory
from memory_core.perception.camera import Intrinsics
from memory_core.perception.place import (
    MAX_FEATURES,
    VisualPlaces,
    describe,
    epipolar_inliers,
    lift,
    match,
    nearness,
    solve_pose,
    train_vocabulary,
)

pytest.importorskip("sklearn")

LENS = Intrinsics(300.0, 300.0, 160.0, 120.0, 320, 240)
DEPTH_M = 2.0
PIXELS_A_METRE = 150.0


def texture(seed, side=900):
    """Blobs of all sizes, grey, shape (side, side)."""
    rng = np.random.default_rng(seed)
    grey = np.zeros((side, side), np.float32)
    for cells in (8, 30, 90, 300):
        fine = rng.normal(size=(cells, cells)).astype(np.float32)
        grey += cv2.resize(fine, (side, side), interpolation=cv2.INTER_CUBIC)
    low, high = grey.min(), grey.max()
    return ((grey - low) / (high - low) * 255).astype(np.uint8)


def view(wall, x, y, *, degrees=0.0):
    """What a camera 2 m before a wall sees: (picture, camera-to-wall pose, optical frame).

    The wall's frame has x right, y down, z into the wall, metres, zero at its middle.
    """
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    turn = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1.0]])
    metres_a_pixel = DEPTH_M / LENS.fx
    rays = turn[:2, :2] * metres_a_pixel
    origin = np.array([x, y]) + turn[:2, :2] @ (-np.array([LENS.cx, LENS.cy]) * metres_a_pixel)
    to_wall = np.hstack([rays, origin[:, None]]) * PIXELS_A_METRE
    to_wall[:, 2] += wall.shape[0] / 2
    grey = cv2.warpAffine(
        wall, to_wall, (LENS.width, LENS.height), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    )
    pose = np.eye(4)
    pose[:3, :3], pose[:3, 3] = turn, (x, y, -DEPTH_M)
    return cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB), pose


STORED = [(wall, x, y) for wall in range(3) for x, y in ((-0.8, 0.0), (0.0, 0.4), (0.8, -0.4))]


@pytest.fixture(scope="module")
def walls():
    return [texture(seed) for seed in range(3)]


def remembered(walls, *, depth=True):
    """Nine frames of three walls, each wall 100 m from the next along x."""
    features, points, poses = [], [], []
    for wall, x, y in STORED:
        picture, pose = view(walls[wall], x, y)
        pose[0, 3] += 100 * wall
        found = describe(picture)
        seen = lift(found, np.full((240, 320), DEPTH_M), LENS)
        features.append(found)
        points.append(seen @ pose[:3, :3].T + pose[:3, 3] if depth else None)
        poses.append(pose)
    vocabulary = train_vocabulary(features, words=128)
    return VisualPlaces(vocabulary, features, points, np.stack(poses), LENS)


@pytest.fixture(scope="module")
def places(walls):
    return remembered(walls)


QUERIES = [
    (0, -0.6, 0.1, 0.0, 0), (1, 0.1, 0.3, 25.0, 4), (2, 0.7, -0.3, -40.0, 8), (1, -0.8, 0.1, 90.0, 3)
]  # fmt: skip


@pytest.mark.parametrize("wall, x, y, degrees, nearest", QUERIES)
def test_a_place_is_recognised_shifted_and_turned_with_its_pose(
    walls, places, wall, x, y, degrees, nearest
):
    picture, pose = view(walls[wall], x, y, degrees=degrees)
    pose[0, 3] += 100 * wall
    found = places.recognise(describe(picture))
    assert found.sure
    assert np.linalg.norm(found.pose[:3, 3] - pose[:3, 3]) < 0.03
    turn = found.pose[:3, :3].T @ pose[:3, :3]
    assert np.degrees(np.arccos(np.clip((np.trace(turn) - 1) / 2, -1, 1))) < 1.0
    assert found.frame == nearest


def test_without_depth_the_wall_is_recognised_all_the_same(walls):
    places = remembered(walls, depth=False)
    for wall, x, y, degrees, nearest in QUERIES:
        found = places.recognise(describe(view(walls[wall], x, y, degrees=degrees)[0]))
        assert STORED[found.frame][0] == wall
        assert (found.pose, found.sure) == (None, False)
        if degrees == 0:
            assert found.frame == nearest


def test_only_allowed_frames_are_returned(walls, places):
    allowed = np.ones(9, bool)
    allowed[[0, 1]] = False
    found = places.recognise(describe(view(walls[0], -0.6, 0.1)[0]), allowed=allowed)
    assert found.frame in range(2, 9)
    nothing = places.recognise(describe(view(walls[0], 0, 0)[0]), allowed=np.zeros(9, bool))
    assert (nothing.frame, nothing.pose, nothing.inliers) == (-1, None, 0)


def test_a_picture_of_elsewhere_is_not_sure(places):
    found = places.recognise(describe(view(texture(99), 0, 0)[0]))
    assert not found.sure


def test_a_picture_without_texture_has_no_features_and_is_not_recognised(places):
    plain = describe(np.full((240, 320, 3), 128, np.uint8))
    assert plain.pixels.shape == (0, 2)
    assert not places.vocabulary.encode(plain).any()
    found = places.recognise(plain)
    assert (found.pose, found.inliers, found.sure) == (None, 0, False)


def test_two_runs_give_the_same(walls, places):
    again = remembered(walls)
    assert np.array_equal(again.vectors, places.vectors)
    for wall, x, y, degrees, _ in QUERIES:
        query = describe(view(walls[wall], x, y, degrees=degrees)[0])
        first, second = places.recognise(query), again.recognise(query)
        assert (first.frame, first.inliers) == (second.frame, second.inliers)
        assert np.array_equal(first.pose, second.pose)


def test_place_vectors_are_unit_and_like_for_like_views(walls, places):
    vectors = places.vectors.astype(np.float32)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=2e-3)
    shifted = places.vocabulary.encode(describe(view(walls[1], 0.05, 0.4)[0]))
    assert int((vectors @ shifted).argmax()) == 4


def test_features_are_at_most_500_and_grey_is_as_good_as_colour(walls):
    picture, _ = view(walls[0], 0, 0)
    colour, grey = describe(picture), describe(picture[:, :, 0])
    assert len(colour.pixels) == len(colour.descriptors) <= MAX_FEATURES
    assert len(colour.pixels) > 100
    assert np.array_equal(colour.descriptors, grey.descriptors)


def test_matches_are_where_the_picture_was_moved_to(walls):
    before, after = (describe(view(walls[0], x, 0)[0]) for x in (0.0, 0.2))
    mine, theirs = match(before, after)
    assert len(mine) > 80
    assert len(set(theirs.tolist())) == len(theirs)
    moved = before.pixels[mine] - after.pixels[theirs]
    assert np.median(moved, axis=0) == pytest.approx((0.2 * 300 / DEPTH_M, 0), abs=0.5)


def test_features_without_depth_have_no_point():
    found = describe(view(texture(0), 0, 0)[0])
    depth = np.full((240, 320), 3.0)
    depth[:, 160:] = 0
    depth[:120] = 11.0
    points = lift(found, depth, LENS)
    u, v = np.rint(found.pixels).astype(int).T
    known = (u < 160) & (v >= 120)
    assert np.isfinite(points).all(axis=1).tolist() == known.tolist()
    expected = (found.pixels[known] - [160, 120]) / 300 * 3.0
    assert points[known][:, :2] == pytest.approx(expected, abs=1e-5)
    assert points[known][:, 2] == pytest.approx(3.0)


def test_a_pose_is_solved_from_points_among_wrong_ones():
    rng = np.random.default_rng(3)
    points = rng.uniform([-2, -2, 3], [2, 2, 6], (80, 3)) + [5_000, -3_000, 0]
    turn = cv2.Rodrigues(np.array([0.1, -0.2, 0.3]))[0]
    centre = np.array([5_000.3, -2_999.8, 0.2])
    local = (points - centre) @ turn  # camera-to-world is (turn, centre)
    pixels = local[:, :2] / local[:, 2:] * 300 + [160, 120]
    pixels[:20] = rng.uniform(0, 300, (20, 2))
    pose, agreed = solve_pose(points, pixels, LENS)
    assert 60 <= agreed <= 64
    assert pose[:3, 3] == pytest.approx(centre, abs=0.01)
    assert pose[:3, :3] == pytest.approx(turn, abs=0.01)


def test_too_few_points_give_no_pose():
    assert solve_pose(np.zeros((5, 3)), np.zeros((5, 2)), LENS) == (None, 0)
    assert epipolar_inliers(np.zeros((7, 2)), np.zeros((7, 2))) == 0


def test_pictures_without_features_teach_nothing():
    plain = describe(np.zeros((64, 64), np.uint8))
    with pytest.raises(EmptyMemory):
        train_vocabulary([plain, plain])


@pytest.mark.parametrize("metres, degrees, expected", [
    (0.0, 0.0, 0.0), (0.5, 0.0, 1.1), (0.0, 30.0, 1.1), (0.25, 15.0, 0.6), (1.0, 30.0, 2.3),
])  # fmt: skip
def test_half_a_metre_weighs_like_thirty_degrees(metres, degrees, expected):
    pose = np.eye(4)
    pose[0, 3] = metres
    pose[:3, :3] = cv2.Rodrigues(np.array([0, 0, np.radians(degrees)]))[0]
    assert nearness(np.eye(4)[None], pose) == pytest.approx([expected], abs=1e-6)
