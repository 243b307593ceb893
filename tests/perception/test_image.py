"""The image encoder on tiny random CLIP and SigLIP checkpoints, loaded as real ones are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from memory_core.errors import EncodingError, InvalidImage
from memory_core.perception.image import ImageEncoder, TransformersImageEncoder
from tests.perception import tiny

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")


@pytest.fixture(scope="module", params=["clip", "siglip"])
def made(request, tmp_path_factory):
    pytest.importorskip("PIL", reason="transformers' picture processors need Pillow")
    path = tiny.image_model(request.param, tmp_path_factory.mktemp(request.param))
    return request.param, TransformersImageEncoder(str(path), device="cpu"), path


def picture(seed, height=32, width=32):
    return np.random.default_rng(seed).integers(0, 255, (height, width, 3), np.uint8)


def unit(rows):
    rows = rows.detach().numpy().astype(np.float64)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_it_is_an_image_encoder_and_names_its_space(made):
    kind, encoder, path = made
    assert isinstance(encoder, ImageEncoder)
    assert (encoder.space.model, encoder.space.dimension) == (
        str(path),
        8 if kind == "clip" else 16,
    )


def test_pictures_of_any_size_become_unit_vectors_in_order(made):
    _, encoder, _ = made
    pictures = [picture(1), picture(2, 60, 90), picture(3, 500, 33)]
    found = encoder.encode_images(pictures)
    assert (found.shape, found.dtype) == ((3, encoder.space.dimension), np.float32)
    assert np.linalg.norm(found, axis=1) == pytest.approx(1, abs=1e-5)
    for number in range(3):
        alone = encoder.encode_images(pictures[number : number + 1])
        assert alone[0] == pytest.approx(found[number], abs=1e-5)


def test_a_pictures_vector_is_the_models_own(made):
    kind, encoder, path = made
    model = transformers.CLIPModel if kind == "clip" else transformers.SiglipModel
    pixels = (picture(5).astype(np.float32) / 255 - 0.5) / 0.5
    tensor = torch.from_numpy(pixels.transpose(2, 0, 1)[None])
    expected = unit(model.from_pretrained(path).get_image_features(tensor).pooler_output)
    assert encoder.encode_images([picture(5)]) == pytest.approx(expected, abs=1e-4)


def test_words_become_unit_vectors_in_order(made):
    _, encoder, _ = made
    words = ["a red mug", "door", "a door"]
    found = encoder.encode(words)
    assert found.shape == (3, encoder.space.dimension)
    assert np.linalg.norm(found, axis=1) == pytest.approx(1, abs=1e-5)
    assert encoder.encode(words[1:2])[0] == pytest.approx(found[1], abs=1e-4)


@pytest.mark.parametrize("made", ["siglip"], indirect=True)
def test_siglip_reads_lower_case_words_padded_to_64(made):
    _, encoder, path = made
    ids = [[tiny.WORDS.index(word) for word in ("a", "red", "mug")] + [tiny.PAD] * 61]
    model = transformers.SiglipModel.from_pretrained(path)
    expected = unit(model.get_text_features(torch.tensor(ids)).pooler_output)
    assert encoder.encode(["a Red mug"]) == pytest.approx(expected, abs=1e-4)
    assert encoder.encode(["mug " * 300]).shape == (1, 16)


@pytest.mark.parametrize("made", ["clip"], indirect=True)
def test_clip_reads_words_as_they_are(made):
    upper, lower = made[1].encode(["Red", "red"])
    assert float(upper @ lower) < 0.999


@pytest.mark.parametrize("wrong", [
    np.zeros((32, 32), np.uint8), np.zeros((32, 32, 4), np.uint8), np.zeros((32, 32, 3)), None,
    np.zeros((3, 32, 32, 3), np.uint8),
], ids=["grey", "alpha", "float", "nothing", "film"])  # fmt: skip
def test_one_wrong_picture_refuses_the_whole_batch(made, wrong):
    with pytest.raises(InvalidImage, match="picture 1"):
        made[1].encode_images([picture(1), wrong])


def test_one_empty_sentence_refuses_the_whole_batch(made):
    with pytest.raises(EncodingError, match="sentence 1"):
        made[1].encode(["a mug", " "])


def test_nothing_gives_no_rows(made):
    _, encoder, _ = made
    assert encoder.encode([]).shape == encoder.encode_images([]).shape == (
        0, encoder.space.dimension)  # fmt: skip


def test_a_model_that_fails_is_an_encoding_error(made, monkeypatch):
    def fail(**_):
        raise RuntimeError("out of memory")

    monkeypatch.setattr(made[1]._model, "get_image_features", fail)
    with pytest.raises(EncodingError, match="out of memory"):
        made[1].encode_images([picture(1)])


@pytest.mark.parametrize("name, data", [
    (None, b""), ("config.json", b"{}"), ("config.json", b"no json"),
    ("config.json", b'{"model_type": "clip"}'), ("pytorch_model.bin", b"pickle"),
])  # fmt: skip
def test_a_folder_that_is_no_model_is_refused_in_words(tmp_path: Path, name, data):
    if name:
        (tmp_path / name).write_bytes(data)
    with pytest.raises(EncodingError, match="cannot be loaded"):
        TransformersImageEncoder(str(tmp_path), device="cpu")


def test_weights_that_are_no_safetensors_are_refused(made, tmp_path):
    for file in made[2].iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "model.safetensors").write_bytes(b"\x80\x04 a pickle")
    with pytest.raises(EncodingError, match="cannot be loaded"):
        TransformersImageEncoder(str(tmp_path), device="cpu")
