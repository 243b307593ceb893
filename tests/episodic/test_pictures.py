"""Pictures are found by words where an image encoder is given."""

import logging

import numpy as np
import pytest

from memory_core import EmbeddingSpace, Keyframe, Observation, RobotMemory
from memory_core.errors import EncoderMismatch
from memory_core.perception.keyframes import encode_jpeg

COLOURS = ("red", "green", "blue")


class ColourEncoder:
    """Pictures and words about their mean colour, in three numbers."""

    def __init__(self, revision="1"):
        self.space = EmbeddingSpace("colours", revision, 3)

    def encode_images(self, images):
        means = np.array([np.asarray(image, np.float32).mean(axis=(0, 1)) for image in images])
        return means / np.linalg.norm(means, axis=1, keepdims=True)

    def encode(self, sentences):
        rows = [[float(colour in s) + 1e-3 for colour in COLOURS] for s in sentences]
        return np.array(rows, np.float32) / np.linalg.norm(rows, axis=1, keepdims=True)


def picture(channel):
    image = np.full((24, 32, 3), 20, np.uint8)
    image[:, :, channel] = 240
    return encode_jpeg(image)


def frames():
    return [
        Observation(id=name, stamp_ns=10**18 + n, keyframe=picture(n))
        for n, name in enumerate(COLOURS)
    ]


def test_words_find_the_picture_they_describe(tmp_path):
    with RobotMemory.open(tmp_path, text_encoder=None, image_encoder=ColourEncoder()) as memory:
        memory.observe(frames())
        for colour in COLOURS:
            assert memory.recall(f"something {colour}", k=1).evidence[0].observation.id == colour


def test_a_picture_that_cannot_be_decoded_is_kept_and_not_searched(tmp_path, caplog):
    broken = Observation(
        id="x", stamp_ns=1, keyframe=Keyframe(b"\xff\xd8\xff broken \xff\xd9", 4, 4)
    )
    with (
        RobotMemory.open(tmp_path, text_encoder=None, image_encoder=ColourEncoder()) as memory,
        caplog.at_level(logging.WARNING),
    ):
        assert memory.observe([broken, *frames()]).added == ("x", *COLOURS)
        assert "cannot be searched" in caplog.text
        assert "x" not in {e.observation.id for e in memory.recall("blue", k=3).evidence}


def test_another_image_model_is_refused(tmp_path):
    with RobotMemory.open(tmp_path, text_encoder=None, image_encoder=ColourEncoder()) as memory:
        memory.observe(frames())
    with pytest.raises(EncoderMismatch, match="image vectors"):
        RobotMemory.open(tmp_path, text_encoder=None, image_encoder=ColourEncoder("2"))
