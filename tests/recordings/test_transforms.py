"""Frames over time against 4x4 matrices multiplied here."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memory_core.errors import UnknownFrame
from memory_core.recordings.paths import thin_path
from memory_core.recordings.transforms import TransformTree, interpolate
from memory_core.types import Pose

SECOND = 10**9
numbers = st.floats(-20, 20, allow_nan=False)
turns = st.tuples(*[st.floats(-1, 1)] * 4).filter(lambda q: sum(n * n for n in q) > 0.1)


def rotation(q):
    """Rodrigues' formula: the turn by 2 acos(w) about (x, y, z)."""
    x, y, z, w = np.array(q) / np.linalg.norm(q)
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + 2 * w * cross + 2 * cross @ cross


def matrix(xyz, q):
    result = np.eye(4)
    result[:3, :3], result[:3, 3] = rotation(q), xyz
    return result


def pose(xyz, q):
    q = np.array(q) / np.linalg.norm(q)
    return Pose(*xyz, *q.tolist())


placed = st.tuples(st.tuples(numbers, numbers, numbers), turns)


@given(placed, placed, placed, placed)
def test_a_lookup_is_the_product_of_matrices_through_the_common_ancestor(odom, base, camera, hand):
    tree = TransformTree()
    tree.add("map", "odom", SECOND, pose(*odom), static=False)
    tree.add("odom", "base", SECOND, pose(*base), static=False)
    tree.add("base", "camera", 0, pose(*camera), static=True)
    tree.add("base", "hand", 0, pose(*hand), static=True)
    in_map = matrix(*odom) @ matrix(*base) @ matrix(*camera)
    in_hand = np.linalg.inv(matrix(*hand)) @ matrix(*camera)
    assert np.allclose(tree.lookup("map", "camera", SECOND).matrix(), in_map, atol=1e-9)
    assert np.allclose(
        tree.lookup("camera", "map", SECOND).matrix(), np.linalg.inv(in_map), atol=1e-9
    )
    assert np.allclose(tree.lookup("hand", "camera", SECOND).matrix(), in_hand, atol=1e-9)
    assert np.allclose(
        tree.lookup("camera", "hand", SECOND).matrix(), np.linalg.inv(in_hand), atol=1e-9
    )


def test_between_two_stamps_position_and_turn_are_in_proportion():
    tree = TransformTree()
    for second, x, degrees in ((1, 0.0, 0.0), (3, 4.0, 80.0)):
        moved = Pose.from_yaw(x, -x, yaw=np.radians(degrees))
        tree.add("odom", "base", second * SECOND, moved, static=False)
    found = tree.lookup("odom", "base", round(1.5 * SECOND))
    assert found.position == pytest.approx((1.0, -1.0, 0.0))
    assert np.degrees(found.yaw) == pytest.approx(20.0)


def test_interpolation_takes_the_short_way_round():
    half = interpolate(
        Pose.from_yaw(0, 0, yaw=np.radians(170)), Pose.from_yaw(0, 0, yaw=np.radians(-170)), 0.5
    )
    assert abs(np.degrees(half.yaw)) == pytest.approx(180)


def test_transforms_that_arrive_out_of_order_are_put_in_order():
    tree = TransformTree()
    for tenths in (10, 14, 12, 11, 13):
        tree.add("odom", "base", tenths * SECOND // 10, Pose(float(tenths)), static=False)
    assert tree.stamps("base") == [tenths * SECOND // 10 for tenths in range(10, 15)]
    assert tree.lookup("odom", "base", round(1.25 * SECOND)).x == pytest.approx(12.5)


def test_a_static_transform_holds_at_all_times():
    tree = TransformTree()
    tree.add("base", "camera", 5 * SECOND, Pose(1.0), static=True)
    for moment in (1, 5 * SECOND, 10**18):
        assert tree.lookup("base", "camera", moment).x == 1.0


def test_frames_of_two_trees_are_not_connected():
    tree = TransformTree()
    tree.add("map", "base", SECOND, Pose(), static=False)
    tree.add("world", "drone", SECOND, Pose(), static=False)
    with pytest.raises(UnknownFrame, match="connects 'map' and 'drone'"):
        tree.lookup("map", "drone", SECOND)


def test_a_frame_nobody_named_is_unknown():
    tree = TransformTree()
    tree.add("map", "base", SECOND, Pose(), static=False)
    with pytest.raises(UnknownFrame, match="frames: base, map"):
        tree.lookup("map", "hand", SECOND)


@pytest.mark.parametrize("moment, known", [
    (800_000_000, True), (799_999_999, False), (2_200_000_000, True), (2_200_000_001, False),
])  # fmt: skip
def test_nothing_is_extrapolated_beyond_the_tolerance(moment, known):
    tree = TransformTree()
    tree.add("odom", "base", SECOND, Pose(1.0), static=False)
    tree.add("odom", "base", 2 * SECOND, Pose(2.0), static=False)
    if known:
        assert tree.lookup("odom", "base", moment).x == (1.0 if moment < SECOND else 2.0)
    else:
        with pytest.raises(UnknownFrame, match="known from"):
            tree.lookup("odom", "base", moment)


def test_a_frame_that_is_its_own_ancestor_does_not_hang_the_lookup():
    tree = TransformTree()
    tree.add("a", "b", SECOND, Pose(1.0), static=False)
    tree.add("b", "a", SECOND, Pose(-1.0), static=False)
    assert tree.lookup("a", "b", SECOND).x == 1.0
    with pytest.raises(UnknownFrame):
        tree.lookup("map", "b", SECOND)


def test_leading_slashes_do_not_make_other_frames():
    tree = TransformTree()
    tree.add("/map", "/base", SECOND, Pose(3.0), static=False)
    assert tree.lookup("map", "base", SECOND).x == 3.0


def test_a_clock_set_back_begins_a_run_that_nothing_is_interpolated_into():
    tree = TransformTree()
    tree.add("map", "odom", 0, Pose(100.0), static=True)
    for run, offset in ((0, 0.0), (1, 50.0)):
        for second in (10, 12, 14):
            number = tree.add("odom", "base", second * SECOND, Pose(second + offset), static=False)
            assert number == run
    assert tree.lookup("map", "base", 13 * SECOND, run=0).x == pytest.approx(113)
    assert tree.lookup("map", "base", 13 * SECOND, run=1).x == pytest.approx(163)


steps = st.lists(
    st.tuples(st.floats(-0.05, 0.05), st.floats(-0.05, 0.05), st.floats(-0.1, 0.1)),
    min_size=1, max_size=60,
)  # fmt: skip


@given(steps)
def test_a_thinned_path_stays_within_4_mm_and_half_a_degree(moves):
    x = y = yaw = 0.0
    path = []
    for number, (dx, dy, turn) in enumerate(moves):
        x, y, yaw = x + dx, y + dy, yaw + turn
        path.append((SECOND + number * SECOND // 20, Pose.from_yaw(x, y, yaw=yaw)))
    tree = TransformTree()
    kept = thin_path(path)
    for stamp, at in kept:
        tree.add("odom", "base", stamp, at, static=False)
    assert [kept[0], kept[-1]] == [path[0], path[-1]]
    for stamp, at in path:
        found = tree.lookup("odom", "base", stamp)
        assert np.hypot(found.x - at.x, found.y - at.y) <= 0.0041
        apart = np.degrees(abs(np.angle(np.exp(1j * (found.yaw - at.yaw)))))
        assert apart <= 0.51


def test_a_straight_path_is_thinned_to_its_ends_within_a_window():
    path = [(number * SECOND, Pose(float(number))) for number in range(150)]
    assert thin_path(path) == [path[0], path[-1]]


def test_a_pose_is_covered_up_to_the_oldest_of_the_newest_transforms():
    tree = TransformTree()
    assert tree.covered("map", "camera") is None
    tree.add("base", "camera", 0, Pose(0.1), static=True)
    tree.add("map", "odom", 5, Pose(), static=False)
    tree.add("odom", "base", 9, Pose(1.0), static=False)
    assert tree.covered("map", "camera") == 5
    assert tree.covered("odom", "camera") == 9
    assert tree.covered("base", "camera") > 10**18
    assert tree.covered("map", "laser") is None
    assert tree.covered("map", "camera", run=1) is None


def test_pruning_keeps_what_a_lookup_after_the_moment_needs():
    tree = TransformTree()
    for stamp in range(0, 1_000, 10):
        tree.add("odom", "base", stamp, Pose(float(stamp)), static=False)
    tree.prune(505)
    assert tree.stamps("base")[0] == 510
    assert tree.lookup("odom", "base", 515).x == pytest.approx(515.0)
    tree.prune(10**9)
    assert tree.stamps("base") == [990]


def test_a_frame_s_transforms_are_told_amended_and_dropped():
    tree = TransformTree()
    assert tree.newest("odom") is None
    tree.add("map", "odom", 5, Pose(1.0), static=False)
    tree.add("map", "odom", 9, Pose(3.0), static=False)
    tree.add("base", "camera", 0, Pose(0.1), static=True)
    assert tree.newest("odom") == (9, Pose(3.0))
    assert (tree.is_static("camera"), tree.is_static("odom")) == (True, False)
    assert tree.statics() == [("base", "camera", Pose(0.1))]
    tree.amend("odom", Pose(10.0, 1.0))
    assert tree.lookup("map", "odom", 7).position == pytest.approx((12.0, 1.0, 0.0))
    tree.drop("odom")
    assert tree.newest("odom") is None
