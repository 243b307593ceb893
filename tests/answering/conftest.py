"""Memories that all tests of answering share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from memory_core.memory import RobotMemory
from memory_core.types import Answer

from .flat import NOW, fill, ns, sentence_encoder

Ask = Callable[..., Answer]


@pytest.fixture(scope="session")
def flat(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RobotMemory]:
    """The made-up flat, toured on two days."""
    with fill(tmp_path_factory.mktemp("flat") / "memory", sentence_encoder()) as memory:
        yield memory


@pytest.fixture(scope="session")
def ask(flat: RobotMemory) -> Ask:
    """Asks the flat, at noon of the second day, UTC."""

    def asked(question: str, *, now: str = NOW, zone: str = "UTC") -> Answer:
        return flat.ask(question, now_ns=ns(now), zone=zone)

    return asked


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[RobotMemory]:
    """A memory with nothing in it, words compared by spelling."""
    with RobotMemory.open(tmp_path / "memory", text_encoder=None) as memory:
        yield memory
