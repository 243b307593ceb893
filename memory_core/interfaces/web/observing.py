"""Observations handed in over HTTP: the objects of JSON Lines, many at once."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from memory_core.errors import CallNotEnabled, InputRejected, RobotMemoryError
from memory_core.identity import new_id
from memory_core.interfaces.guarding import AUDIT_NAME, AuditLog
from memory_core.interfaces.service import MemoryService
from memory_core.recordings.serial import observation_from_json
from memory_core.types import Json, Observation, Refusal

NAME = "observe"
MOST = 500
MAX_BODY = 32 * 2**20


class Observe(BaseModel):
    """Observations, as a line of JSON Lines each."""

    model_config = ConfigDict(extra="forbid")
    observations: list[dict[str, Any]] = Field(
        min_length=1, max_length=MOST,
        description="as `robot-memory export` writes them; only stamp_ns must be there",
    )  # fmt: skip


class Refused(BaseModel):
    """One that was not stored."""

    id: str
    code: str
    message: str


class Observed(BaseModel):
    """What became of them; what was added is on disk."""

    added: list[str]
    known: list[str] = Field(description="stored, or removed, before; nothing was done")
    refused: list[Refused]


class Observer:
    """Takes observations from outside, where that was enabled."""

    def __init__(self, service: MemoryService, *, enabled: bool) -> None:
        """Stand over a memory.

        Args:
            service: Whose memory, open for writing where observing is enabled.
            enabled: Whether anything is taken.
        """
        self.enabled = enabled
        self._memory = service.memory
        self._audit = service.audit or AuditLog(service.memory.folder / AUDIT_NAME)

    def observe(self, request: Observe, *, client: str) -> dict[str, Json]:
        """Remember observations; those that are wrong are refused one by one.

        Args:
            request: What came.
            client: From whom.

        Raises:
            CallNotEnabled: Observing was not enabled.
            RobotMemoryError: What the memory says; nothing was stored.
        """
        if not self.enabled:
            raise CallNotEnabled(
                "observe changes the memory and is off; whoever starts the server can enable it "
                "with --allow observe"
            )
        told = {"observations": len(request.observations)}
        self._audit.write(NAME, told, client=client, outcome="asked")
        good: list[Observation] = []
        refused: list[Refusal] = []
        for place, value in enumerate(request.observations):
            where = f"observation {place}"
            try:
                good.append(observation_from_json(value, where, default_id=new_id()))
            except InputRejected as error:
                refused.append(Refusal(str(value.get("id", where))[:256], error.code, str(error)))
        if refused:
            self._memory.count_refusals(refused)
        try:
            done = self._memory.observe(good)
        except RobotMemoryError as error:
            self._audit.write(NAME, told, client=client, outcome=error.code)
            raise
        refused += done.refused
        self._audit.write(NAME, told, client=client, outcome="done", added=len(done.added))
        return {
            "added": list(done.added), "known": list(done.known),
            "refused": [
                {"id": item.id, "code": item.code, "message": item.message} for item in refused
            ],
        }  # fmt: skip
