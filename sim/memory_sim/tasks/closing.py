"""Environments that know when they were closed."""

from __future__ import annotations

from memory_core.errors import NotInstalled

try:
    from gymnasium.error import ClosedEnvironmentError
except ImportError as missing:
    raise NotInstalled.part("gymnasium", "sim") from missing


class Closable:
    """Beside `gymnasium.Env`: what was closed is of no more use."""

    _closed = False

    def close(self) -> None:
        """The environment is of no more use."""
        self._closed = True

    def _refuse_when_closed(self) -> None:
        if self._closed:
            raise ClosedEnvironmentError("the environment was closed; make another one")
