"""Pictures and words to unit vectors of one space (SigLIP 2, CLIP), through transformers.

No weights come with this project: a model is given by name or path. SigLIP 2 was trained on
lower-case text padded to 64 tokens, and is asked in the same way.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np

from memory_core.errors import EncodingError, InvalidImage, NotInstalled
from memory_core.perception.text import check_sentences
from memory_core.types import EmbeddingSpace, FloatArray

SIGLIP_TOKENS = 64


@runtime_checkable
class ImageEncoder(Protocol):
    """Turns pictures, and words about pictures, into unit vectors of one space."""

    @property
    def space(self) -> EmbeddingSpace:
        """Name, revision and dimension of the model."""

    def encode_images(self, images: Sequence[FloatArray]) -> FloatArray:
        """Encode pictures.

        Args:
            images: n pictures, each (h, w, 3), uint8, RGB.

        Returns:
            Shape (n, dimension), float32, rows of length 1.

        Raises:
            InvalidImage: One is not a picture; nothing is returned in part.
            EncodingError: The model failed.
        """

    def encode(self, sentences: Sequence[str]) -> FloatArray:
        """Encode words into the same space; see `TextEncoder.encode`."""


class TransformersImageEncoder:
    """SigLIP, SigLIP 2 or CLIP by name or path; safetensors only, no code from the hub."""

    def __init__(self, model: str, *, revision: str = "main", device: str | None = None) -> None:
        """Load the model.

        Args:
            model: A folder or hub name.
            revision: Which revision of a hub model.
            device: `cuda` or `cpu`; by default a GPU where there is one.

        Raises:
            NotInstalled: transformers or torch is missing.
            EncodingError: The model cannot be loaded.
        """
        try:
            import torch
            from transformers import AutoModel, AutoProcessor
        except ImportError as error:
            raise NotInstalled.part("transformers", "perception") from error
        self._torch: Any = torch
        self._name, self._revision = model, revision
        self._device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        try:
            loaded = AutoModel.from_pretrained(
                model, revision=revision, trust_remote_code=False, use_safetensors=True
            )
            self._processor: Any = AutoProcessor.from_pretrained(
                model, revision=revision, trust_remote_code=False
            )
        except Exception as error:  # transformers and safetensors raise all kinds of errors
            raise EncodingError(
                f"the image model {model!r} cannot be loaded ({error}); give the path of a folder "
                "with its safetensors and preprocessor files"
            ) from error
        self._model: Any = loaded.eval().to(self._device)
        self._siglip = "siglip" in str(self._model.config.model_type)
        self._dimension = self.encode_images([np.zeros((32, 32, 3), np.uint8)]).shape[1]

    @property
    def space(self) -> EmbeddingSpace:
        """See `ImageEncoder.space`."""
        return EmbeddingSpace(self._name, self._revision, self._dimension)

    def encode_images(self, images: Sequence[FloatArray]) -> FloatArray:
        """See `ImageEncoder.encode_images`."""
        for place, image in enumerate(images):
            if (
                np.ndim(image) != 3
                or np.shape(image)[2] != 3
                or np.asarray(image).dtype != np.uint8
            ):
                raise InvalidImage(f"picture {place} is not (h, w, 3) of uint8")
        if not len(images):
            return np.empty((0, self._dimension), np.float32)
        inputs = self._processor(images=[np.asarray(i) for i in images], return_tensors="pt")
        return self._run("get_image_features", inputs)

    def encode(self, sentences: Sequence[str]) -> FloatArray:
        """See `ImageEncoder.encode`."""
        check_sentences(sentences)
        if not len(sentences):
            return np.empty((0, self._dimension), np.float32)
        if self._siglip:
            inputs = self._processor(
                text=[sentence.lower() for sentence in sentences], padding="max_length",
                max_length=SIGLIP_TOKENS, truncation=True, return_tensors="pt",
            )  # fmt: skip
        else:
            inputs = self._processor(
                text=list(sentences), padding=True, truncation=True, return_tensors="pt"
            )
        return self._run("get_text_features", inputs)

    def _run(self, method: str, inputs: Any) -> FloatArray:
        try:
            with self._torch.inference_mode():
                found = getattr(self._model, method)(**inputs.to(self._device))
        except (RuntimeError, ValueError, IndexError, TypeError) as error:
            raise EncodingError(f"{self._name} failed: {error}") from error
        found = getattr(found, "pooler_output", found)  # transformers 5 wraps the features
        vectors = np.asarray(found.float().cpu().numpy(), np.float32)
        return np.asarray(
            vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
        )
