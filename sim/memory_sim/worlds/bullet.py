"""PyBullet's clients: made without a window and without a word, and released whole."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from memory_core.errors import NotInstalled


def connect() -> Any:
    """A new PyBullet client without a window.

    Raises:
        NotInstalled: PyBullet is missing.
    """
    with _silent():
        try:
            import pybullet
            from pybullet_utils.bullet_client import BulletClient
        except ImportError as error:
            raise NotInstalled.part("pybullet", "sim") from error
        return BulletClient(pybullet.DIRECT)


def release(client: Any) -> None:
    """End a client; PyBullet keeps the shapes of one that was not emptied first."""
    if client.isConnected():
        client.resetSimulation()
        client.disconnect()


@contextmanager
def _silent() -> Iterator[None]:
    """PyBullet announces itself on standard output from C; programs read that as JSON."""
    sys.stdout.flush()
    kept, nowhere = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 1)
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nowhere)
