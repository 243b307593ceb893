"""Which frames are kept, and pictures as bytes."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from memory_core.errors import InvalidImage
from memory_core.perception.keyframes import (
    KeyframeRule,
    KeyframeSelector,
    decode_image,
    encode_jpeg,
)
from memory_core.types import Pose
from memory_core.validation import check_keyframe

SECOND = 10**9


def picture(seed=0, height=96, width=128):
    blocks = np.random.default_rng(seed).integers(0, 255, (height // 16, width // 16, 3))
    return np.kron(blocks, np.ones((16, 16, 1))).astype(np.uint8)


SAME = picture(1)


@pytest.fixture
def selector():
    """Has kept a frame at second 1, at the origin."""
    chosen = KeyframeSelector()
    assert chosen.wants(SECOND, Pose(), SAME)
    return chosen


@pytest.mark.parametrize("seconds, pose, image, kept", [
    (1.5, Pose(), SAME, False),
    (1.5, Pose(0.49), SAME, False),
    (1.5, Pose(0.5), SAME, True),
    (1.5, Pose(0.3, 0.3, 0.3), SAME, True),
    (1.5, Pose.from_yaw(0, 0, yaw=0.34), SAME, False),
    (1.5, Pose.from_yaw(0, 0, yaw=0.36), SAME, True),
    (1.1, Pose(9.0), picture(2), False),  # too soon after the last one
    (1.5, Pose(), picture(2), True),
    (1.5, None, picture(2), True),
    (1.5, None, SAME, False),
    (1.5, Pose(), None, False),
    (1.5, None, None, True),  # nothing tells that it is the same
    (61.5, Pose(), SAME, False),  # a robot at rest before a still picture
    (61.5, Pose(), None, True),
    (0.5, Pose(), SAME, True),  # the clock was set back
])  # fmt: skip
def test_a_frame_is_kept_when_something_differs(selector, seconds, pose, image, kept):
    assert selector.wants(round(seconds * SECOND), pose, image) is kept


def test_a_small_change_is_kept_after_a_minute_only(selector):
    slightly = SAME.copy()
    slightly[:16, :48] = 255 - slightly[:16, :48]
    assert not selector.wants(2 * SECOND, Pose(), slightly)
    assert selector.wants(62 * SECOND, Pose(), slightly)


def test_brightness_alone_is_no_change(selector):
    darker = (SAME * 0.6).astype(np.uint8)
    assert not selector.wants(2 * SECOND, Pose(), darker)


def test_distance_counts_from_the_last_frame_that_was_kept(selector):
    kept = [
        step
        for step in range(1, 31)
        if selector.wants(SECOND + step * SECOND, Pose(0.2 * step), SAME)
    ]
    assert kept == [3, 6, 9, 12, 15, 18, 21, 24, 27, 30]


def test_the_rule_can_be_chosen():
    selector = KeyframeSelector(KeyframeRule(distance_m=2.0, min_gap_s=0.0))
    kept = [n for n in range(9) if selector.wants(SECOND + n, Pose(float(n)), SAME)]
    assert kept == [0, 2, 4, 6, 8]


def test_a_picture_survives_the_way_through_jpeg():
    frame = encode_jpeg(SAME, quality=95)
    check_keyframe(frame)
    back = decode_image(frame.jpeg)
    assert (frame.width, frame.height) == (128, 96)
    assert back.shape == SAME.shape
    assert np.abs(back.astype(int) - SAME).mean() < 4


def test_colours_are_red_green_blue():
    red = np.zeros((32, 32, 3), np.uint8)
    red[..., 0] = 250
    assert decode_image(encode_jpeg(red).jpeg)[16, 16, 0] > 230
    as_png = cv2.imencode(".png", red[:, :, ::-1])[1].tobytes()
    assert np.array_equal(decode_image(as_png), red)


@pytest.mark.parametrize("quality", [1, 100])
def test_quality_is_the_size_of_the_file(quality):
    noisy = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
    size = len(encode_jpeg(noisy, quality=quality).jpeg)
    assert (size < 2_000) if quality == 1 else (size > 6_000)


@pytest.mark.parametrize("data", [
    b"", b"no picture", b"\xff\xd8\xff", encode_jpeg(SAME).jpeg[:300],
    encode_jpeg(SAME).jpeg[:-200], cv2.imencode(".png", SAME)[1].tobytes()[:200],
])  # fmt: skip
def test_bytes_that_are_not_a_whole_picture_are_refused(data):
    with pytest.raises(InvalidImage, match="cannot be decoded"):
        decode_image(data)


@pytest.mark.parametrize("shape", [(0, 4, 3), (4, 4, 2), (70_000, 2, 3)])
def test_what_is_not_a_picture_cannot_be_encoded(shape):
    with pytest.raises(InvalidImage, match="cannot be encoded"):
        encode_jpeg(np.zeros(shape, np.uint8))
