"""Checkpoints of a few kilobytes with random weights, saved as real ones are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

WORDS = ("<pad>", "<unk>", "<bos>", "<eos>", "a", "red", "mug", "door", "Red", "user", "assistant")
PAD, BOS, EOS = 0, 2, 3


def tokenizer() -> Any:
    """Words between spaces, with their case."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    inner = Tokenizer(
        models.WordLevel({word: n for n, word in enumerate(WORDS)}, unk_token="<unk>")
    )
    inner.pre_tokenizer = pre_tokenizers.Whitespace()
    return PreTrainedTokenizerFast(
        tokenizer_object=inner, pad_token="<pad>", unk_token="<unk>", bos_token="<bos>",
        eos_token="<eos>", model_max_length=64, model_input_names=["input_ids"],
    )  # fmt: skip


def image_model(kind: str, folder: Path) -> Path:
    """A CLIP or SigLIP of 32 x 32 pixels; needs Pillow for its picture processor."""
    import torch
    import transformers as t

    torch.manual_seed(7)
    words = {
        "vocab_size": len(WORDS), "hidden_size": 16, "intermediate_size": 32,
        "num_hidden_layers": 2, "num_attention_heads": 2, "max_position_embeddings": 64,
        "projection_size": 16, "bos_token_id": BOS, "eos_token_id": EOS, "pad_token_id": PAD,
    }  # fmt: skip
    pictures = {
        "hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2,
        "num_attention_heads": 2, "image_size": 32, "patch_size": 16,
    }  # fmt: skip
    half, size = [0.5] * 3, {"height": 32, "width": 32}
    if kind == "siglip":
        model = t.SiglipModel(t.SiglipConfig(text_config=words, vision_config=pictures))
        eyes = t.SiglipImageProcessorPil(size=size, image_mean=half, image_std=half)
        processor = t.SiglipProcessor(image_processor=eyes, tokenizer=tokenizer())
    else:
        config = t.CLIPConfig(text_config=words, vision_config=pictures, projection_dim=8)
        model = t.CLIPModel(config)
        eyes = t.CLIPImageProcessorPil(
            size={"shortest_edge": 32}, crop_size=size, image_mean=half, image_std=half
        )
        processor = t.CLIPProcessor(image_processor=eyes, tokenizer=tokenizer())
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


def language_model(folder: Path, *, template: str | None = None) -> Path:
    """A causal model of two layers."""
    import torch
    import transformers as t

    torch.manual_seed(7)
    config = t.LlamaConfig(
        vocab_size=len(WORDS), hidden_size=16, intermediate_size=32, num_hidden_layers=2,
        num_attention_heads=2, max_position_embeddings=128, bos_token_id=BOS, eos_token_id=EOS,
        pad_token_id=PAD,
    )  # fmt: skip
    words = tokenizer()
    words.chat_template = template
    t.LlamaForCausalLM(config).save_pretrained(folder)
    words.save_pretrained(folder)
    return folder
