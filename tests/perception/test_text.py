"""The text encoders: the contract for both, meaning and safety for the real one."""

from __future__ import annotations

import functools
import importlib.util
import shutil
import threading
from types import SimpleNamespace

import numpy as np
import pytest

from memory_core.errors import EncodingError, NotInstalled
from memory_core.perception import text
from memory_core.perception.text import HashingEncoder, SentenceEncoder, default_weights
from tests.contracts.text_encoder import TextEncoderContract


class TestHashingEncoder(TextEncoderContract):
    def make(self):
        return HashingEncoder(256)

    def test_the_same_words_in_another_order_are_the_same(self):
        first, second = self.make().encode(["Red mug, red!", "mug red red"])
        assert np.allclose(first, second)

    @pytest.mark.parametrize("dimension", [8, 64, 1024])
    def test_the_dimension_is_a_choice(self, dimension):
        assert HashingEncoder(dimension).encode(["a mug"]).shape == (1, dimension)


@functools.cache
def loaded():
    """One loaded model for all encoders of this file: weights are read once."""
    pytest.importorskip("sentence_transformers")
    encoder = SentenceEncoder()
    encoder.encode(["warm"])
    return encoder._model


class TestSentenceEncoder(TextEncoderContract):
    def make(self, **options):
        encoder = SentenceEncoder(**options)
        encoder._model = loaded()
        return encoder

    def test_the_space_names_the_weights(self, encoder):
        assert encoder.space.model == "all-MiniLM-L6-v2"
        assert encoder.space.dimension == 384
        assert encoder.space.revision == "53aa51172d142c89"

    @pytest.mark.parametrize("word, near, far", [
        ("mug", "cup", "car"), ("sofa", "couch", "window"), ("fridge", "refrigerator", "stairs"),
        ("where people cook", "kitchen", "bathroom"),
    ])  # fmt: skip
    def test_what_means_the_same_is_near(self, encoder, word, near, far):
        one, other, third = encoder.encode([word, near, far]).astype(np.float64)
        assert one @ other > one @ third + 0.1

    def test_a_small_cache_gives_the_same_vectors(self, encoder):
        small = self.make(cache=2)
        words = [f"thing {n}" for n in range(5)]
        first = small.encode(words)
        assert np.allclose(small.encode(words), first, atol=1e-5)
        assert np.allclose(first, encoder.encode(words), atol=1e-5)

    def test_threads_share_an_encoder(self):
        shared = self.make()
        found: dict[int, object] = {}
        words = [f"thing {n}" for n in range(12)]

        def work(number):
            found[number] = shared.encode(words[number:] + words[:number])

        threads = [threading.Thread(target=work, args=(n,)) for n in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for number, rows in found.items():
            assert np.allclose(np.roll(rows, number, axis=0), found[0], atol=1e-5)
        assert len(found) == 6

    def test_a_model_that_fails_is_an_encoding_error(self):
        def fail(*_, **__):
            raise RuntimeError("out of memory")

        encoder = SentenceEncoder()
        encoder._model = SimpleNamespace(encode=fail, preprocess=fail)
        with pytest.raises(EncodingError, match="out of memory"):
            encoder.encode(["a mug"])
        with pytest.raises(EncodingError, match="out of memory"):
            encoder.encode([f"mug {number}" for number in range(100)])

    def test_a_few_sentences_have_the_vectors_they_have_among_many(self):
        few = [f"a mug on table {number}" for number in range(3)]
        many = SentenceEncoder().encode([*few, *(f"chair {number}" for number in range(20))])
        np.testing.assert_allclose(SentenceEncoder().encode(few), many[:3], atol=1e-6)


@pytest.fixture
def installed_at(monkeypatch):
    """Pretends that the weights' package lies in another folder."""
    default_weights.cache_clear()

    def pretend(folder):
        spec = None if folder is None else SimpleNamespace(submodule_search_locations=[str(folder)])
        monkeypatch.setattr(importlib.util, "find_spec", lambda name: spec)

    yield pretend
    default_weights.cache_clear()


def test_weights_that_were_changed_are_refused(installed_at, tmp_path):
    copy = tmp_path / "package"
    shutil.copytree(default_weights(), copy)
    default_weights.cache_clear()
    installed_at(copy)
    assert default_weights() == copy
    default_weights.cache_clear()
    weights = copy / "model.safetensors"
    weights.chmod(0o644)
    with weights.open("r+b") as file:
        file.seek(-1, 2)
        last = file.read(1)[0]
        file.seek(-1, 2)
        file.write(bytes([last ^ 1]))
    with pytest.raises(EncodingError, match=r"not the file this version was tested with.*pip"):
        SentenceEncoder()


def test_a_package_without_weights_is_refused(installed_at, tmp_path):
    installed_at(tmp_path)
    with pytest.raises(EncodingError, match=r"no model\.safetensors"):
        SentenceEncoder()


def test_a_missing_package_names_the_line_that_installs_it(installed_at):
    installed_at(None)
    with pytest.raises(NotInstalled, match=r"pip install 'robot-memory\[cpu\]'"):
        SentenceEncoder()


def _broken(folder):
    """The real model's folder, its weights replaced by a pickle."""
    shutil.copytree(default_weights(), folder / "model", copy_function=shutil.copyfile)
    (folder / "model" / "model.safetensors").write_bytes(b"\x80\x04 a pickle")
    return folder / "model"


@pytest.mark.parametrize("make", [
    lambda folder: folder / "missing", lambda folder: folder, _broken,
    lambda folder: (folder / "config.json").write_bytes(b"no json") and folder,
])  # fmt: skip
def test_a_model_that_cannot_be_loaded_is_an_encoding_error(make, tmp_path, monkeypatch):
    pytest.importorskip("sentence_transformers")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    encoder = SentenceEncoder(str(make(tmp_path)))
    with pytest.raises(EncodingError, match="cannot be loaded"):
        encoder.encode(["a mug"])


def test_what_is_refused_is_the_same_for_all():
    with pytest.raises(EncodingError, match="sentence 0"):
        text.check_sentences([" "])
