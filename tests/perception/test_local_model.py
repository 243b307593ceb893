"""A local language model, on a tiny random checkpoint loaded as real ones are."""

from __future__ import annotations

import pytest

from memory_core.errors import EncodingError
from memory_core.language.model import LanguageModel, TransformersModel
from tests.perception import tiny

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

ASKED = [{"role": "user", "content": "a red mug"}]
TEMPLATE = "{% for m in messages %}{{ m['content'] }} {% endfor %}{% if add_generation_prompt %}assistant{% endif %}"


@pytest.fixture(scope="module", params=[None, TEMPLATE], ids=["plain", "template"])
def made(request, tmp_path_factory):
    path = tiny.language_model(tmp_path_factory.mktemp("lm"), template=request.param)
    return request.param, path


def greedy(path, prompt, count):
    """The likeliest word after word, without `generate`."""
    model = transformers.LlamaForCausalLM.from_pretrained(path)
    ids = [tiny.WORDS.index(word) if word in tiny.WORDS else 1 for word in prompt.split()]
    said = []
    while len(said) < count:
        best = int(model(torch.tensor([ids])).logits[0, -1].argmax())
        if best == tiny.EOS:
            break
        ids.append(best)
        said.append(best)
    return " ".join(tiny.WORDS[n] for n in said if n > tiny.EOS)


def test_it_completes_with_the_likeliest_words(made):
    template, path = made
    model = TransformersModel(str(path), max_new_tokens=5)
    assert isinstance(model, LanguageModel)
    prompt = "a red mug assistant" if template else "user : a red mug assistant :"
    reply = model.complete(ASKED)
    assert reply.split() == greedy(path, prompt, 5).split()
    assert model.complete(ASKED) == reply


@pytest.mark.parametrize("name, data", [
    (None, b""), ("config.json", b"{}"), ("config.json", b"no json"),
    ("config.json", b'{"model_type": "llama"}'),
])  # fmt: skip
def test_a_folder_that_is_no_model_is_refused_in_words(tmp_path, name, data):
    if name:
        (tmp_path / name).write_bytes(data)
    with pytest.raises(EncodingError, match="cannot be loaded"):
        TransformersModel(str(tmp_path))


def test_weights_that_are_no_safetensors_are_refused(tmp_path):
    tiny.language_model(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"\x80\x04 a pickle")
    with pytest.raises(EncodingError, match="cannot be loaded"):
        TransformersModel(str(tmp_path))


def test_a_model_that_fails_is_an_encoding_error(made, monkeypatch):
    model = TransformersModel(str(made[1]), max_new_tokens=3)

    def fail(**_):
        raise RuntimeError("out of memory")

    monkeypatch.setattr(model._model, "generate", fail)
    with pytest.raises(EncodingError, match="out of memory"):
        model.complete(ASKED)
