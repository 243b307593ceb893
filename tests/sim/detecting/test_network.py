"""The network by itself: shapes, weights that are kept, weights that are refused."""

from __future__ import annotations

import pytest

pytest.importorskip("torch")
pytest.importorskip("safetensors")

import torch
from safetensors.torch import save_file

from memory_core.errors import EncodingError
from memory_sim.detecting.classes import COLOUR_NAMES, FURNITURES, KINDS, PARTS
from memory_sim.detecting.network import Namer, Network, Segmenter, load, save


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return Network(Segmenter().eval(), Namer().eval())


@pytest.mark.parametrize(("rows", "columns"), [(240, 320), (72, 96), (90, 130)])
def test_parts_are_told_at_half_and_furniture_at_quarter_size(network, rows, columns):
    with torch.inference_mode():
        told = network.segmenter(torch.zeros(2, 6, rows, columns))
    half, quarter = (-(-rows // 2), -(-columns // 2)), (-(-rows // 4), -(-columns // 4))
    assert told.parts.shape == (2, len(PARTS), *half)
    assert told.part_heat.shape == (2, 3, *half)
    assert told.part_way.shape == (2, 2, *half)
    assert told.furniture.shape == (2, len(FURNITURES), *quarter)
    assert told.furniture_heat.shape == (2, 1, *quarter)
    assert told.furniture_way.shape == (2, 2, *quarter)


def test_there_are_words_for_all_kinds_of_the_home():
    assert (len(KINDS), len(FURNITURES) - 1, len(COLOUR_NAMES)) == (89, 51, 12)


def test_kept_weights_say_the_same_but_for_rounding(network, tmp_path):
    path = tmp_path / "weights.safetensors"
    save(network, path, about={"made": "in a test"})
    again = load(path)
    pictures, things = torch.rand(1, 6, 72, 96), torch.rand(3, 5, 48, 48)
    with torch.inference_mode():
        for part in ("parts", "part_way", "furniture", "furniture_heat"):
            first, second = (getattr(n.segmenter(pictures), part) for n in (network, again))
            assert torch.allclose(first, second, atol=0.02)
        for first, second in zip(network.namer(things), again.namer(things), strict=True):
            assert torch.allclose(first, second, atol=0.02)
    assert path.stat().st_size <= 10_000_000


def test_weights_that_are_none_or_of_other_words_are_refused(network, tmp_path):
    path = tmp_path / "weights.safetensors"
    with pytest.raises(EncodingError, match="can be read"):
        load(path)
    path.write_bytes(b"no weights")
    with pytest.raises(EncodingError, match="can be read"):
        load(path)
    save_file({"segmenter.x": torch.zeros(1)}, path, metadata={"kinds": "mug"})
    with pytest.raises(EncodingError, match="train it anew"):
        load(path)
    save(network, path, about={"furniture": "sofa"})
    with pytest.raises(EncodingError, match="train it anew"):
        load(path)


def test_weights_of_another_build_are_refused(network, tmp_path):
    path = tmp_path / "weights.safetensors"
    save(Network(network.segmenter, torch.nn.Linear(1, 1)), path, about={})
    with pytest.raises(EncodingError, match="another build"):
        load(path)
