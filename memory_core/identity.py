"""Ids: deterministic where an observation can come twice, UUIDv7 where it cannot."""

from __future__ import annotations

import hashlib
import os
import time
import uuid

_NAMESPACE = uuid.UUID("5f0c5d62-3a54-5d3e-9b56-0d1c4f7d6a11")


def deterministic_id(recording: str, source: str, stamp_ns: int, sequence: int = 0) -> str:
    """The id of an observation that a second reading of the same recording finds again.

    Args:
        recording: The recording's own identity (its content's, not its path's).
        source: Sensor or topic.
        stamp_ns: Nanoseconds since the epoch.
        sequence: Tells apart what shares source and stamp.

    Returns:
        A version 5 UUID as text (RFC 9562).
    """
    return str(uuid.uuid5(_NAMESPACE, f"{recording}\n{source}\n{stamp_ns}\n{sequence}"))


def new_id(now_ns: int | None = None) -> str:
    """A UUIDv7 (RFC 9562): 48 bits of milliseconds, then random; sorts by time."""
    milliseconds = (time.time_ns() if now_ns is None else now_ns) // 1_000_000
    value = (milliseconds & (1 << 48) - 1) << 80 | int.from_bytes(os.urandom(10), "big")
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return str(uuid.UUID(int=value))


def can_come_twice(identity: str) -> bool:
    """Whether an observation of this id may be handed in again: all but UUIDv7 may."""
    try:
        return uuid.UUID(identity).version != 7
    except ValueError:
        return True


def digest_of(identity: str) -> int:
    """63 bits that stand for an id where the id itself is not worth its room."""
    digest = hashlib.blake2b(identity.encode("utf-8"), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1
