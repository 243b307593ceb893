"""Attention over a scene's chunks: what it weighs, and that it is one softmax in the limit."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from memory_core.language.directions import parse
from memory_core.perception.text import HashingEncoder
from memory_core.semantic.attend import ALL, attend, attention
from memory_core.semantic.chunks import CUTS_M, gather
from memory_core.semantic.scene import Scene, build_scene
from memory_core.types import Pose

from .making import placed, scene_of, standpoint

WEST, EAST = (0.0, 0.0), (30.0, 0.0)


def two_rooms(*, encode=None, upper: bool = False) -> Scene:
    """A chair and a window in each of two rooms 30 m apart, with other things beside them."""
    made = []
    for (x, y), other in ((WEST, "piano"), (EAST, "bookshelf")):
        for turn in range(2):
            stand = Pose.from_yaw(x, y, z=1.4, yaw=turn)
            seen = [("chair", (x + 1, y, 0.5)), ("window", (x, y + 2, 1.5))]
            seen.append((other, (x - 1, y - 1, 0.6)))
            if upper:
                seen += [("picture", (x + 2, y - 2, 1.2)), ("picture", (x + 2, y - 2, 2.2))]
            made.append(standpoint(len(made), stand, *(placed(stand, *thing) for thing in seen)))
    if encode is None:
        return scene_of(*made)
    found = build_scene(made, encode)
    assert found is not None
    return found


def likeliest(scene: Scene, sentence: str, **options) -> tuple[str, list[float]]:
    found = attend(scene, parse(sentence), None, **options)
    best = int(found.things.argmax())
    return scene.labels[int(scene.thing_label[best])], scene.thing_position[best].tolist()


@st.composite
def scored(draw):
    chunk = draw(arrays.arrays(np.int64, st.integers(1, 30), elements=st.integers(0, 5)))
    _, chunk = np.unique(chunk, return_inverse=True)
    finite = st.floats(-40, 40, allow_nan=False)
    return draw(arrays.arrays(np.float64, len(chunk), elements=finite)), chunk


@given(scored())
def test_at_temperature_one_the_product_is_one_softmax_over_all_things(case):
    score, chunk = case
    coarse, fine = attention(score, chunk, 1.0)
    expected = np.exp(score) / np.exp(score).sum()
    np.testing.assert_allclose(coarse[chunk] * fine, expected, atol=1e-12)


@given(scored(), st.floats(0.2, 5.0))
def test_chunks_and_the_things_in_each_share_out_the_whole(case, temperature):
    score, chunk = case
    coarse, fine = attention(score, chunk, temperature)
    assert coarse.sum() == pytest.approx(1)
    np.testing.assert_allclose(np.bincount(chunk, fine), 1)


@given(scored(), st.floats(1.5, 5.0))
@settings(max_examples=50)
def test_a_higher_temperature_never_makes_the_first_chunk_surer(case, temperature):
    score, chunk = case
    assert (
        attention(score, chunk, temperature)[0].max()
        <= attention(score, chunk, 1.0)[0].max() + 1e-9
    )


def test_relevance_is_shared_by_the_things_of_a_chunk_as_counted_by_hand():
    score, chunk = np.log(np.array([1.0, 3.0, 12.0])), np.array([0, 0, 1])
    coarse, fine = attention(score, chunk, 2.0)  # masses 4 and 12, their roots 2 and 3.4641
    np.testing.assert_allclose(coarse, [0.366025, 0.633975], atol=1e-6)
    np.testing.assert_allclose(fine, [0.25, 0.75, 1.0])


def test_chunks_of_one_level_lie_inside_chunks_of_the_next():
    rng = np.random.default_rng(3)
    made = []
    for number in range(30):
        x, y = rng.uniform(0, 30, 2)
        stand = Pose.from_yaw(x, y, z=1.4)
        made.append(standpoint(number, stand, placed(stand, f"thing {number}", (x + 1, y, 1.0))))
    levels = gather(scene_of(*made)).levels
    assert len(levels) == len(CUTS_M)
    for fine, wide in itertools.pairwise(levels):
        pairs = set(zip(fine.chunk.tolist(), wide.chunk.tolist(), strict=True))
        assert len(pairs) == fine.chunk.max() + 1


def test_rooms_far_apart_are_different_chunks_and_hold_what_is_in_them():
    scene = two_rooms()
    for level in gather(scene).levels:
        held = [{scene.labels[i] for i in np.flatnonzero(row)} for row in level.holds]
        assert sorted(map(sorted, held)) == [
            ["bookshelf", "chair", "window"], ["chair", "piano", "window"],
        ]  # fmt: skip


def test_things_of_different_maps_share_no_chunk():
    made = []
    for number, name in enumerate(("house", "shed")):
        stand = Pose.from_yaw(0, 0, z=1.4)
        made.append(
            standpoint(number, stand, placed(stand, "chair", (1, number * 0.1, 0.5)), map_id=name)
        )
    assert all(len(set(level.chunk.tolist())) == 2 for level in gather(scene_of(*made)).levels)


def test_one_thing_is_a_whole_scene():
    stand = Pose.from_yaw(0, 0, z=1.4)
    found = attend(
        scene_of(standpoint(0, stand, placed(stand, "cup", (1, 0, 1)))), parse("the cup"), None
    )
    assert found.things.tolist() == [1.0]
    assert found.paths.tolist() == [[0, 0, 0]]


@pytest.mark.parametrize(("other", "x"), [("piano", 1.0), ("bookshelf", 31.0)])
def test_what_else_is_in_the_room_tells_which_of_two_is_meant(other, x):
    label, at = likeliest(two_rooms(), f"bring me the chair from the room with the {other}")
    assert (label, round(at[0])) == ("chair", x)


@pytest.mark.parametrize(("word", "height"), [("upper", 2.2), ("lower", 1.2), ("top", 2.2)])
def test_the_upper_and_the_lower_of_two_are_told_apart(word, height):
    label, at = likeliest(two_rooms(upper=True), f"clean the {word} picture by the piano")
    assert (label, round(at[2], 1)) == ("picture", height)


def test_the_upper_level_asks_for_no_upper_thing():
    scene = two_rooms(upper=True)
    found = attend(scene, parse("clean the picture on the upper level"), None)
    assert not found.parts["higher"].any()


@pytest.mark.parametrize(("word", "y"), [("left", 1.0), ("right", -1.0)])
def test_the_left_and_the_right_of_two_are_told_apart_as_seen(word, y):
    stand = Pose.from_yaw(0, 0, z=1.4)
    seen = [placed(stand, "door", (3, 1, 1)), placed(stand, "door", (3, -1, 1))]
    _, at = likeliest(scene_of(standpoint(0, stand, *seen)), f"open the door on the {word}")
    assert at[1] == pytest.approx(y)


def test_beside_is_what_is_close_in_view():
    scene = two_rooms()
    beside = gather(scene).beside
    chair = int(np.flatnonzero(scene.thing_label == scene.labels.index("chair"))[0])
    # from (0, 0, 1.4) the chair lies straight ahead, the window to the left: over 80 degrees
    assert beside[chair, scene.labels.index("window")] < 1e-4
    assert beside[chair, scene.labels.index("chair")] == 0


def test_each_row_of_the_ablation_adds_its_own_parts():
    scene = two_rooms(encode=HashingEncoder().encode)
    chunks, directions = gather(scene), parse("the upper chair next to the piano in the lounge")
    encode = HashingEncoder().encode
    names = [
        set(attend(scene, directions, encode, chunks=chunks, parts=ALL[:row]).parts)
        for row in range(len(ALL) + 1)
    ]
    assert names[0] == set()
    assert all(before < after for before, after in itertools.pairwise(names))


def test_without_any_part_all_things_are_alike():
    scene = two_rooms()
    found = attend(scene, parse("the chair"), None, parts=())
    np.testing.assert_allclose(found.things, 1 / len(scene.thing_label))


def test_the_weights_along_the_path_multiply_to_the_belief():
    scene = two_rooms(encode=HashingEncoder().encode)
    found = attend(scene, parse("the chair by the piano"), HashingEncoder().encode)
    np.testing.assert_allclose(found.coarse[found.chunk] * found.fine, found.things)
    np.testing.assert_array_equal(found.paths[:, 1], found.chunk)
    assert found.things.sum() == pytest.approx(1)
    first, mass = found.standpoints(scene, 1)[0]
    assert mass == pytest.approx(float(found.things @ scene.sees[:, first]))


def test_keys_kept_from_before_give_the_same_belief():
    scene = two_rooms()
    directions = parse("the window by the bookshelf")
    np.testing.assert_array_equal(
        attend(scene, directions, None).things,
        attend(scene, directions, None, chunks=gather(scene)).things,
    )
