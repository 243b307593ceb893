"""What every `TextEncoder` promises. A test class inherits it and says how to make one."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

from memory_core.errors import EncodingError
from memory_core.perception.text import TextEncoder

SENTENCES = (
    "a red mug on the kitchen table", "the door of the office is open", "Stairs!", "?",
    "eine grüne Tür", "赤いカップ", "word " * 700, "a red mug on the kitchen table",
)  # fmt: skip


class TextEncoderContract:
    """Inherit, and give `make`."""

    def make(self) -> TextEncoder:
        raise NotImplementedError

    @pytest.fixture
    def encoder(self) -> TextEncoder:
        return self.make()

    def test_it_is_a_text_encoder(self, encoder):
        assert isinstance(encoder, TextEncoder)
        assert encoder.space.model
        assert encoder.space.revision

    def test_rows_are_unit_vectors_of_the_spaces_length(self, encoder):
        found = encoder.encode(SENTENCES)
        assert found.shape == (len(SENTENCES), encoder.space.dimension)
        assert found.dtype == np.float32
        assert np.linalg.norm(found.astype(np.float64), axis=1) == pytest.approx(1, abs=1e-5)

    def test_rows_come_in_the_order_of_the_sentences(self, encoder):
        order = random.Random(3).sample(range(len(SENTENCES)), len(SENTENCES))
        straight = encoder.encode(SENTENCES)
        mixed = self.make().encode([SENTENCES[place] for place in order])
        assert np.allclose(mixed, straight[order], atol=1e-5)

    def test_a_sentence_has_the_same_vector_whatever_its_company(self, encoder):
        together = encoder.encode(SENTENCES)
        for sentence, row in zip(SENTENCES[:3], together, strict=False):
            assert np.allclose(self.make().encode([sentence])[0], row, atol=1e-5)
        assert np.array_equal(together[0], together[-1])

    def test_no_sentences_give_no_rows(self, encoder):
        assert encoder.encode([]).shape == (0, encoder.space.dimension)

    @pytest.mark.parametrize("wrong", ["", "  \n", None, 7])
    def test_one_empty_sentence_refuses_the_whole_batch(self, encoder, wrong: Any):
        with pytest.raises(EncodingError, match="sentence 1 is empty"):
            encoder.encode(["a mug", wrong, "a door"])

    def test_another_sentence_has_another_vector(self, encoder):
        first, second = encoder.encode(["a red mug", "an open door"])
        assert float(first @ second) < 0.9
