"""Captions and detections made elsewhere: JSON Lines beside a recording, joined by time.

A line is `{"stamp_ns": …, "text": …, "sightings": [{"label": …, "position": [x, y, z], …}]}`;
`"stamp"` in seconds will do as well. Positions are in the robot's base frame, metres.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from memory_core.errors import InputRejected, InvalidStamp
from memory_core.recordings.base import Reading
from memory_core.recordings.files import parse_line, read_lines
from memory_core.recordings.serial import sighting_from_json
from memory_core.types import Json, Sighting


def read_sidecar(
    path: Path, reading: Reading
) -> Iterator[tuple[int, str | None, tuple[Sighting, ...], Json]]:
    """The lines of a sidecar file: (stamp in ns, text, sightings, the line itself).

    Args:
        path: JSON Lines, gzipped where its name ends so.
        reading: Where bad lines are counted.
    """
    for number, line in enumerate(read_lines(path), start=1):
        if not line.strip():
            continue
        where = f"line {number} of {path.name}"
        try:
            value = parse_line(line, where)
            yield (
                _stamp(value, where),
                value.get("text"),
                tuple(sighting_from_json(item, where) for item in value.get("sightings", ())),
                value,
            )
        except InputRejected as error:
            reading.refuse(where, error)


def _stamp(value: Json, where: str) -> int:
    stamp = value.get("stamp_ns")
    if isinstance(stamp, int) and not isinstance(stamp, bool):
        return stamp
    seconds = value.get("stamp")
    if isinstance(seconds, int | float) and not isinstance(seconds, bool):
        return round(seconds * 1e9)
    raise InvalidStamp(f"{where} has no stamp_ns (nanoseconds) or stamp (seconds)")
