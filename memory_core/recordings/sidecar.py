"""Captions and detections made elsewhere: JSON Lines beside a recording, joined by time.

A line is `{"stamp_ns": …, "text": …, "sightings": [{"label": …, "position": [x, y, z], …}]}`;
`"stamp"` in seconds will do as well. Positions are in the robot's base frame, metres.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from memory_core.errors import InputRejected, InvalidSighting, InvalidStamp, InvalidText
from memory_core.recordings.base import Reading
from memory_core.recordings.files import parse_line, read_lines
from memory_core.recordings.serial import sighting_from_json
from memory_core.types import Json, Sighting
from memory_core.validation import check_stamp

_NO_FRAMES: Mapping[int, int] = {}


def read_sidecar(
    path: Path, reading: Reading, *, frames: Mapping[int, int] = _NO_FRAMES
) -> Iterator[tuple[int, str | None, tuple[Sighting, ...]]]:
    """The lines of a sidecar file: (stamp in ns, text, sightings).

    Args:
        path: JSON Lines, gzipped where its name ends so.
        reading: Where bad lines are counted.
        frames: Stamps of numbered frames, for lines that name their `frame` instead of a time.
    """
    for number, line in enumerate(read_lines(path), start=1):
        if not line.strip():
            continue
        where = f"line {number} of {path.name}"
        try:
            value = parse_line(line, where)
            yield _stamp(value, where, frames), _text(value, where), _sightings(value, where)
        except InputRejected as error:
            reading.refuse(where, error)


def _stamp(value: Json, where: str, frames: Mapping[int, int]) -> int:
    if isinstance(value.get("frame"), int) and value["frame"] in frames:
        return frames[value["frame"]]
    stamp, seconds = value.get("stamp_ns"), value.get("stamp")
    if stamp is None and isinstance(seconds, int | float) and abs(seconds) < 1e10:
        stamp = round(seconds * 1e9)
    if stamp is None:
        raise InvalidStamp(f"{where} has no stamp_ns (nanoseconds) or stamp (seconds)")
    check_stamp(stamp)
    return int(stamp)


def _text(value: Json, where: str) -> str | None:
    text = value.get("text")
    if text is not None and not isinstance(text, str):
        raise InvalidText(f"text in {where} is {type(text).__name__}, not str")
    return text


def _sightings(value: Json, where: str) -> tuple[Sighting, ...]:
    items = value.get("sightings") or []
    if not isinstance(items, list):
        raise InvalidSighting(f"sightings in {where} is {type(items).__name__}, not a list")
    return tuple(sighting_from_json(item, where) for item in items)
