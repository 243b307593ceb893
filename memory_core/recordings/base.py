"""What every reader offers, and what they share: identity, topics in a table, clocks."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, runtime_checkable

from memory_core.errors import InputRejected
from memory_core.types import Json, Observation, Pose, Refusal

_SAMPLE = 65_536


@dataclass(frozen=True, slots=True)
class TopicUse:
    """One topic (or file kind) of a recording and what became of it.

    Attributes:
        name: Topic or file kind.
        type: Message or file type.
        count: Messages found.
        use: What it is used for; empty where it is ignored.
        reason: Why it is ignored, or what to know about it.
    """

    name: str
    type: str
    count: int
    use: str = ""
    reason: str = ""


@dataclass(slots=True)
class Reading:
    """The running account of one reading.

    Attributes:
        refused: Inputs that were refused, with code and words.
        notes: Things a person should know (no transforms, clock jumped, silent topics).
        done: Units read so far (messages, frames, lines).
    """

    refused: list[Refusal] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    done: int = 0

    def refuse(self, where: str, error: InputRejected) -> None:
        """Count an input that cannot be used."""
        self.refused.append(Refusal(where, error.code, str(error)))

    def note(self, text: str) -> None:
        """Keep a remark, once."""
        if text not in self.notes:
            self.notes.append(text)


@runtime_checkable
class Recording(Protocol):
    """A recording that can be read as observations."""

    reader: str
    name: str
    identity: str

    @property
    def total(self) -> int:
        """Units to read (messages, frames, lines), for progress."""

    def topics(self) -> list[TopicUse]:
        """What was found, what is used, what is ignored and why."""

    def anchors(self) -> list[tuple[str, str, Pose]]:
        """Anchors the observations refer to: (map, anchor, pose in the map)."""

    def geo_origin(self) -> Json:
        """Where on Earth the map's origin lies; None where unknown."""

    def observations(self, reading: Reading) -> Iterator[Observation]:
        """The observations, in the order of the recording.

        Args:
            reading: The account; updated while reading.

        Raises:
            RecordingUnreadable: The recording ends in damage; what came before was yielded.
        """


def content_identity(*files: Path) -> str:
    """The identity of a recording: a digest of names, sizes, and both ends of its files.

    Args:
        files: The files it consists of.

    Returns:
        32 hexadecimal digits; the same wherever the files lie.
    """
    digest = hashlib.sha256()
    for path in sorted(files, key=lambda item: item.name):
        size = path.stat().st_size
        digest.update(f"{path.name}\0{size}\0".encode())
        with path.open("rb") as file:
            digest.update(file.read(_SAMPLE))
            if size > 2 * _SAMPLE:
                file.seek(-_SAMPLE, 2)
                digest.update(file.read(_SAMPLE))
    return digest.hexdigest()[:32]


class SessionClock:
    """Counts how often a clock was set back by over a second: each time a new session begins."""

    def __init__(self, *, tolerance_ns: int = 1_000_000_000) -> None:
        """Begin the first session.

        Args:
            tolerance_ns: Messages may arrive this much out of order.
        """
        self._tolerance = tolerance_ns
        self._latest = 0
        self.jumps = 0

    def run(self, stamp_ns: int) -> int:
        """The number of the session a stamp belongs to, from 0."""
        if stamp_ns < self._latest - self._tolerance:
            self.jumps += 1
            self._latest = stamp_ns
        self._latest = max(self._latest, stamp_ns)
        return self.jumps
