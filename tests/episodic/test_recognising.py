"""Where a picture was taken, and whether a robot is where it believes to be."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from memory_core.episodic.recognising import LOOKS, PlaceCheck, Recognised
from memory_core.errors import DimensionMismatch, EmptyMemory, InvalidImage
from memory_core.memory import RobotMemory
from memory_core.perception.keyframes import encode_jpeg
from memory_core.perception.place import describe_small, place_embedding, place_vector
from memory_core.types import PLACE_SPACE, Evidence, Filters, Observation, Parts, Pose, TimeSpan

SPOTS = 6
SECOND = 10**9


def wall(seed):
    """A picture of blobs of many sizes, shape (240, 320, 3)."""
    draw = np.random.default_rng(seed)
    grey = np.zeros((240, 320), np.float32)
    for cells in (6, 20, 60):
        fine = draw.normal(size=(cells * 3 // 4, cells)).astype(np.float32)
        grey += cv2.resize(fine, (320, 240), interpolation=cv2.INTER_CUBIC)
    grey = (grey - grey.min()) / (grey.max() - grey.min()) * 255
    return np.repeat(grey.astype(np.uint8)[:, :, None], 3, axis=2)


def nearer(picture, share=1.2, shift=8):
    """The same from a little nearer and further to the right."""
    rows, columns = picture.shape[:2]
    turn = np.float32([[share, 0, -shift], [0, share, -shift]])
    return cv2.warpAffine(picture, turn, (columns, rows), borderMode=cv2.BORDER_REFLECT)


def seen_at(spot, *, described=True):
    picture = wall(spot)
    return Observation(
        f"o{spot}", (spot + 1) * SECOND, source="camera",
        pose=Pose.from_yaw(2.0 * spot, 1.0, yaw=0.5), keyframe=encode_jpeg(picture),
        embeddings=place_embedding(picture) if described else {},
    )  # fmt: skip


@pytest.fixture
def memory(tmp_path):
    with RobotMemory.open(tmp_path / "memory", text_encoder=None, gpu=False) as memory:
        memory.observe([seen_at(spot) for spot in range(SPOTS)])
        yield memory


def test_a_picture_from_nearby_is_located(memory):
    for spot in range(SPOTS):
        best, *others = memory.recognise(nearer(wall(spot)))
        assert best.evidence.observation.id == f"o{spot}"
        assert best.sure
        assert best.pose.position == pytest.approx((2.0 * spot, 1.0, 0.0))
        assert best.pose.yaw == pytest.approx(0.5)
        assert best.scale == pytest.approx(1.2, abs=0.1)
        assert not any(item.sure for item in others)
        told = best.to_json()
        assert (told["sure"], told["pose"][0]) == (True, pytest.approx(2.0 * spot))


def test_what_was_never_seen_is_not_located(memory):
    assert not any(item.sure for item in memory.recognise(wall(99)))


def test_a_picture_without_texture_is_not_located(memory):
    plain = np.full((240, 320, 3), 90, np.uint8)
    assert place_vector(describe_small(plain)) is None
    assert memory.recognise(plain) == []


def test_only_what_filters_allow_is_told(memory):
    late = Filters(span=TimeSpan(4 * SECOND, None))
    assert memory.recognise(wall(5), filters=late)[0].evidence.observation.id == "o5"
    assert not any(item.sure for item in memory.recognise(wall(0), filters=late))


def test_it_is_located_after_a_restart_and_after_a_correction(tmp_path, memory):
    memory.close()
    with RobotMemory.open(tmp_path / "memory", text_encoder=None, gpu=False) as again:
        again.add_anchor("dock", Pose())
        moved = seen_at(7)
        again.observe(
            Observation(
                moved.id,
                moved.stamp_ns,
                source="camera",
                anchor_id="dock",
                pose=moved.pose,
                keyframe=moved.keyframe,
                embeddings=moved.embeddings,
            )
        )
        assert again.recognise(wall(2))[0].evidence.observation.id == "o2"
        again.move_anchors({"dock": Pose(0.0, 5.0)})
        assert again.recognise(wall(7))[0].pose.position == pytest.approx((14.0, 6.0, 0.0))


def test_pictures_that_are_gone_are_not_compared(memory):
    memory.store.remove([1], kind="retention", reason="room", selection={}, keyframes_only=True)
    assert not any(item.sure for item in memory.recognise(wall(0)))
    assert memory.recognise(wall(1))[0].sure


def test_nothing_described_says_what_to_do(tmp_path):
    with RobotMemory.open(tmp_path / "none", text_encoder=None, gpu=False) as memory:
        memory.observe(seen_at(0, described=False))
        with pytest.raises(EmptyMemory, match="ingest"):
            memory.recognise(wall(0))


@pytest.mark.parametrize("shape", [(240,), (240, 320, 4), (2, 240, 320, 3)])
def test_what_is_no_picture_is_refused(memory, shape):
    with pytest.raises(InvalidImage, match="expected"):
        memory.recognise(np.zeros(shape, np.uint8))
    with pytest.raises(InvalidImage, match="float"):
        memory.recognise(np.zeros((240, 320, 3)))


def test_pictures_of_any_shape_are_described_or_refused(memory):
    for shape in ((1, 2_000, 3), (1, 10_000), (2, 2_000, 3), (1, 1, 3)):
        assert memory.recognise(np.zeros(shape, np.uint8)) == []
        assert place_embedding(np.zeros(shape, np.uint8)) == {}
    with pytest.raises(InvalidImage):
        memory.recognise(np.zeros((0, 0, 3), np.uint8))


def test_a_place_vector_of_another_kind_is_refused(tmp_path):
    item = Observation("o", SECOND, embeddings={PLACE_SPACE: np.ones(128, np.float32)})
    with (
        RobotMemory.open(tmp_path / "other", text_encoder=None, gpu=False) as memory,
        pytest.raises(DimensionMismatch, match="256"),
    ):
        memory.observe(item)


def test_vectors_are_the_same_in_every_memory(memory):
    kept = memory.vectors_of(["o3"], space=PLACE_SPACE)["o3"]
    assert kept @ place_vector(describe_small(wall(3))) == pytest.approx(1.0, abs=1e-3)
    assert memory.store.spaces()[PLACE_SPACE].model == "rootsift-fourier"


# -- whether the robot is where it believes to be ---------------------------------------------


def sight(x, y=0.0, *, yaw=0.0, features=80, scale=1.0):
    observation = Observation("o", SECOND)
    evidence = Evidence(observation, 1.0, Parts(), (x, y, 0.0))
    return Recognised(evidence, Pose.from_yaw(x, y, yaw=yaw), features, scale)


def at(x, y=0.0, *, yaw=0.0):
    return Pose.from_yaw(x, y, yaw=yaw)


def test_a_pose_that_is_wrong_at_every_look_is_doubted():
    check = PlaceCheck()
    for step in range(LOOKS - 1):
        assert check.look(at(step), [sight(step + 4.5)]) is None
    doubt = check.look(at(LOOKS), [sight(LOOKS + 4.5)])
    assert doubt.metres == pytest.approx(4.5)
    assert "4.5 m away" in str(doubt)


def test_doubt_ends_when_what_is_seen_is_here_again():
    check = PlaceCheck()
    for step in range(LOOKS):
        check.look(at(step), [sight(step + 4.5)])
    for step in range(LOOKS - 1):
        assert check.look(at(10 + step), [sight(10 + step)]) is not None
    assert check.look(at(20), [sight(20)]) is None


def test_it_is_at_ease_until_a_look_speaks_against_the_pose():
    check = PlaceCheck()
    assert check.at_ease
    check.look(at(0), [sight(0)])
    assert check.at_ease
    check.look(at(1), [sight(5.5)])
    assert not check.at_ease
    check.look(at(2), [sight(2)])
    assert check.at_ease


def test_looks_from_about_one_place_are_not_enough():
    check = PlaceCheck()
    for step in range(3 * LOOKS):
        assert check.look(at(1 + 0.35 * (step % 3)), [sight(6)]) is None


def test_looks_that_disagree_with_each_other_say_nothing():
    check = PlaceCheck()
    for step, x in enumerate((4.5, 30.0, -12.0, 60.0)):
        assert check.look(at(step), [sight(x)]) is None


def test_standing_still_is_one_look():
    check = PlaceCheck()
    for _ in range(3 * LOOKS):
        assert check.look(at(1), [sight(6)]) is None


@pytest.mark.parametrize(
    "found",
    [
        [],
        [sight(6, features=20)],  # few features agree
        [sight(6, scale=1.6)],  # the same wall from further away
        [sight(6), sight(1.0)],  # one of them is here
        [sight(6), sight(3.0)],  # one of them is perhaps here
        [sight(6), sight(1.0, yaw=2.0)],  # from here, looking elsewhere
    ],
)
def test_what_proves_nothing_raises_no_doubt(found):
    check = PlaceCheck()
    for step in range(3 * LOOKS):
        assert check.look(at(1, 0.4 * (step % 2)), found) is None
