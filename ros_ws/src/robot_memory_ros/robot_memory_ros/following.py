"""The memory that memory_node writes: read from its folder, written through its service."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from rclpy.node import Node

from memory_core import RobotMemory
from memory_core.errors import InputRejected, MemoryUnavailable
from memory_core.types import Filters, IntArray, Observation
from robot_memory_ros.calling import ANSWERED_S, POLL_S
from robot_memory_ros.client import MemoryClient
from robot_memory_ros.convert import make_message, observation_message


class FollowedMemory:
    """
    What a planner needs of a memory that another process writes.

    The folder is opened read-only and follows the writer within a second; what the planner adds
    goes through `Observe`, so that one process alone writes.
    """

    def __init__(
        self,
        node: Node,
        folder: Path,
        *,
        encoder: Callable[[], Any],
        robot: str,
        patience_s: Callable[[], float],
    ) -> None:
        """
        Find the writer; the folder is opened when it is there.

        :param node: Whose executor carries the answers.
        :param folder: Of the memory, on this computer.
        :param encoder: Makes the text encoder; the writer's.
        :param robot: Whose observations are written.
        :param patience_s: How long the writer is waited for, seconds.
        """
        self._folder, self._robot = folder, robot
        self._encoder, self._patience_s = encoder, patience_s
        self._client = MemoryClient(node)
        self._read: RobotMemory | None = None
        self._lock = threading.Lock()

    def open(self) -> RobotMemory:
        """
        Open the memory for reading, or tell why it cannot be.

        :raises RobotMemoryError: There is none yet, or it is not readable.
        """
        with self._lock:
            if self._read is None:
                self._read = RobotMemory.open(
                    self._folder, read_only=True, text_encoder=self._encoder()
                )
            return self._read

    def close(self) -> None:
        """Close it."""
        with self._lock:
            if self._read is not None:
                self._read.close()
                self._read = None

    @property
    def store(self) -> Any:
        """Read the rows on disk."""
        return self.open().store

    def select(self, filters: Filters) -> IntArray:
        """See `RobotMemory.select`."""
        return self.open().select(filters)

    def observe(self, observation: Observation) -> None:
        """
        Have an observation stored; returns when it is on disk.

        :raises MemoryUnavailable: memory_node does not answer.
        :raises InputRejected: It refused.
        """
        message = observation_message(replace(observation, robot=self._robot), make_message)
        until_s = time.monotonic() + self._patience_s()
        while time.monotonic() < until_s:
            if not self._client.ready():
                time.sleep(POLL_S)
                continue
            told = self._answer(self._client.observe(message))
            if told is None or told.error_code:  # it went down, or is not active yet
                time.sleep(POLL_S)
                continue
            refused = told.acknowledgement
            if refused.refused:
                raise InputRejected(f'{refused.codes[0]}: {refused.messages[0]}')
            return
        raise MemoryUnavailable(
            f'memory_node stored nothing within {self._patience_s():g} s; see '
            '`ros2 lifecycle get memory_node`'
        )

    @staticmethod
    def _answer(future: Any) -> Any:
        """Wait for an answer; None where none comes: what is sent again is stored once."""
        until_s = time.monotonic() + ANSWERED_S
        while not future.done():
            if time.monotonic() > until_s:
                future.cancel()
                return None
            time.sleep(POLL_S)
        return future.result()
