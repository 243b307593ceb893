"""The memory that the options of a command name, opened."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Literal

from memory_core.errors import InvalidQuery
from memory_core.interfaces.console import progress
from memory_core.memory import RobotMemory

if TYPE_CHECKING:
    from memory_core.language.model import LanguageModel
    from memory_core.perception.image import ImageEncoder
    from memory_core.perception.text import TextEncoder
    from memory_core.semantic.consolidation import Retention


def encoder_of(name: str) -> TextEncoder | Literal["default"] | None:
    """The encoder an option names."""
    if name == "default":
        return "default"
    if name == "none":
        return None
    from memory_core.perception.text import HashingEncoder, SentenceEncoder

    return HashingEncoder() if name == "hashing" else SentenceEncoder(name)


def loaded_encoder(name: str) -> TextEncoder | None:
    """The encoder an option names, the default one loaded.

    Raises:
        NotInstalled: The default one's packages are missing.
    """
    encoder = encoder_of(name)
    if encoder != "default":
        return encoder
    from memory_core.perception.text import SentenceEncoder

    return SentenceEncoder()


def language_model(options: argparse.Namespace) -> LanguageModel | None:
    """The language model that `--llm` names, if any."""
    if not options.llm:
        return None
    from memory_core.language.model import OpenAICompatibleModel, TransformersModel

    if "://" in options.llm:
        return OpenAICompatibleModel(options.llm, options.llm_model)
    return TransformersModel(options.llm)


def image_encoder_of(name: str | None) -> ImageEncoder | None:
    """The image encoder an option names; loading it takes a while."""
    if not name:
        return None
    from memory_core.perception.image import TransformersImageEncoder

    return TransformersImageEncoder(name)


def retention_of(options: argparse.Namespace) -> Retention | None:
    """The bound that the options set on what is kept.

    Raises:
        InvalidQuery: It is no positive number.
    """
    kept = getattr(options, "keep_observations", None)
    if kept is None:
        return None
    if kept < 1:
        raise InvalidQuery(f"--keep-observations is {kept}; expected 1 or more")
    from memory_core.semantic.consolidation import Retention

    return Retention(kept, options.policy)


def open_memory(options: argparse.Namespace, *, write: bool, create: bool = False) -> RobotMemory:
    """The memory the options name."""
    retention = retention_of(options)
    return RobotMemory.open(
        options.memory, read_only=not write, create=create,
        text_encoder=encoder_of(options.encoder),
        image_encoder=image_encoder_of(options.image_encoder),
        retention=retention,
    )  # fmt: skip


def open_for_many(options: argparse.Namespace, *, write: bool) -> RobotMemory:
    """The memory the options name, for a server: what several clients ask is encoded together."""
    from memory_core.perception.batching import BatchingEncoder

    encoder = loaded_encoder(options.encoder)
    return RobotMemory.open(
        options.memory, read_only=not write, create=False,
        text_encoder=None if encoder is None else BatchingEncoder(encoder),
        image_encoder=image_encoder_of(options.image_encoder),
    )  # fmt: skip


def bar(options: argparse.Namespace, title: str) -> AbstractContextManager[Callable[..., None]]:
    """A progress bar, where the options want one."""
    return progress(title, quiet=options.quiet or options.json)
