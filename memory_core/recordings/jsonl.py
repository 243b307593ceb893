"""JSON Lines: observations as this project writes them, and captioned places.

A file of captioned places (Embodied-RAG, Xie et al. 2024) has lines with `longitude`,
`latitude` and `caption`; they become local metres (east, north) about the first place, whose
coordinates are kept as the map's origin.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path

from memory_core.errors import InputRejected, InvalidPose, InvalidStamp, RecordingUnreadable
from memory_core.identity import deterministic_id
from memory_core.recordings.base import Reading, Recording, TopicUse, content_identity
from memory_core.recordings.detect import ReadOptions
from memory_core.recordings.files import parse_line, read_lines
from memory_core.recordings.serial import observation_from_json, pose_from_json
from memory_core.types import DEFAULT_MAP, ORIGIN, Json, Observation, Pose

EARTH_RADIUS_M = 6_371_008.8
_LINES_TRIED = 100


def open_json_lines(path: Path, options: ReadOptions) -> Recording:
    """Choose by the first line that is JSON: captioned places, or observations.

    Raises:
        RecordingUnreadable: The file is empty or damaged at its start.
    """
    lines = 0
    for line in islice((line for line in read_lines(path) if line.strip()), _LINES_TRIED):
        lines += 1
        try:
            value = parse_line(line, path.name)
        except InputRejected:
            continue
        if {"longitude", "latitude"} <= value.keys():
            return CaptionedPlacesRecording(path, options)
        break
    if not lines:
        raise RecordingUnreadable(f"{path} is empty")
    return JsonLinesRecording(path, options)


def _count_lines(path: Path) -> int:
    """How many lines can be read; damage is told where the reading meets it."""
    count = 0
    with suppress(RecordingUnreadable):
        for _ in read_lines(path):
            count += 1
    return count


class JsonLinesRecording:
    """Observations, one a line; the first line may be a header with anchors."""

    reader = "jsonl"

    def __init__(self, path: Path, options: ReadOptions) -> None:
        """Count the lines and read the header."""
        self.path = path
        self.name = path.name
        self.identity = content_identity(path)
        self._options = options
        self._header: Json = {}
        self.removals: list[Json] = []
        self._total = _count_lines(path)
        with suppress(InputRejected):  # told where the reading meets it
            for line in islice(read_lines(path), 1):
                if line.lstrip().startswith(b'{"robot_memory_export"'):
                    self._header = parse_line(line, f"line 1 of {path.name}")

    @property
    def total(self) -> int:
        """Lines."""
        return self._total

    def topics(self) -> list[TopicUse]:
        """One row: the lines."""
        return [TopicUse(self.path.name, "JSON Lines", self._total, "observations")]

    def anchors(self) -> list[tuple[str, str, Pose]]:
        """The header's anchors."""
        return [
            (item["map_id"], item["anchor_id"], pose_from_json(item["pose"], "the header"))
            for item in self._header.get("anchors", ())
        ]

    def geo_origin(self) -> Json:
        """The header's origin, where there is one."""
        return self._header.get("origin")

    @property
    def header(self) -> Json:
        """The header of an export; empty where there is none."""
        return self._header

    def observations(self, reading: Reading) -> Iterator[Observation]:
        """See `Recording.observations`."""
        for number, line in enumerate(read_lines(self.path), start=1):
            reading.done = number
            if not line.strip() or (number == 1 and self._header):
                continue
            where = f"line {number} of {self.name}"
            try:
                value = parse_line(line, where)
                if value.get("removal") is not None:
                    self.removals.append(value["removal"])
                    continue
                if value.get("record") is not None:  # made anew from the observations
                    continue
                yield observation_from_json(
                    value,
                    where,
                    default_id=deterministic_id(self.identity, "line", number),
                )
            except InputRejected as error:
                reading.refuse(where, error)


class CaptionedPlacesRecording:
    """Captions at longitudes and latitudes."""

    reader = "captioned places"

    def __init__(self, path: Path, options: ReadOptions) -> None:
        """Read the first place, which is the origin, and count the lines."""
        self.path = path
        self.name = path.name
        self.identity = content_identity(path)
        self._options = options
        self._total = _count_lines(path)
        self._origin = self._first_place()

    def _first_place(self) -> tuple[float, float]:
        for number, line in enumerate(read_lines(self.path), start=1):
            try:
                return _coordinates(parse_line(line, f"line {number}"), f"line {number}")
            except InputRejected:
                continue
        raise RecordingUnreadable(f"{self.path} names no place with longitude and latitude")

    @property
    def total(self) -> int:
        """Lines."""
        return self._total

    def topics(self) -> list[TopicUse]:
        """One row: the places."""
        return [TopicUse(self.path.name, "captioned places", self._total, "captions and positions")]

    def anchors(self) -> list[tuple[str, str, Pose]]:
        """None: positions are relative to the map's origin."""
        return []

    def geo_origin(self) -> Json:
        """The first place's coordinates, degrees."""
        return {"longitude": self._origin[0], "latitude": self._origin[1]}

    def observations(self, reading: Reading) -> Iterator[Observation]:
        """See `Recording.observations`; stamps are made from the month and the line."""
        for number, line in enumerate(read_lines(self.path), start=1):
            reading.done = number
            if not line.strip():
                continue
            where = f"line {number} of {self.name}"
            try:
                yield self._observation(parse_line(line, where), number, where)
            except InputRejected as error:
                reading.refuse(where, error)

    def _observation(self, value: Json, number: int, where: str) -> Observation:
        longitude, latitude = _coordinates(value, where)
        east, north = local_metres(longitude, latitude, origin=self._origin)
        stamp_ns = _month_start(value.get("month"), where) + number * 1_000_000_000
        name, caption = value.get("name"), value.get("caption")
        text = ". ".join(str(part).strip().rstrip(".") for part in (name, caption) if part)
        place = str(value.get("id", number))
        return Observation(
            id=deterministic_id(self.identity, "place", stamp_ns, number),
            stamp_ns=stamp_ns,
            source="place",
            robot=self._options.robot,
            session=self._options.session or str(value.get("month") or self.path.stem),
            map_id=DEFAULT_MAP,
            anchor_id=ORIGIN,
            pose=Pose(east, north),
            text=text or None,
            extra={"place": place, "longitude": longitude, "latitude": latitude, "name": name},
        )


def _coordinates(value: Json, where: str) -> tuple[float, float]:
    try:
        longitude, latitude = float(value["longitude"]), float(value["latitude"])
    except (KeyError, TypeError, ValueError, OverflowError):
        raise InvalidPose(f"{where} has no longitude and latitude") from None
    if not (-180 <= longitude <= 180 and -90 <= latitude <= 90):
        raise InvalidPose(f"{where}: longitude {longitude}, latitude {latitude} is not on Earth")
    return longitude, latitude


def local_metres(
    longitude: float, latitude: float, *, origin: tuple[float, float]
) -> tuple[float, float]:
    """East and north of an origin, metres (equirectangular: within 1e-4 up to 10 km).

    Args:
        longitude: Degrees.
        latitude: Degrees.
        origin: Longitude and latitude of the origin, degrees.
    """
    scale = math.cos(math.radians((origin[1] + latitude) / 2))
    east = math.radians(math.remainder(longitude - origin[0], 360)) * EARTH_RADIUS_M * scale
    return east, math.radians(latitude - origin[1]) * EARTH_RADIUS_M


def _month_start(month: object, where: str) -> int:
    if not month:
        return 1_000_000_000
    try:
        moment = dt.datetime.strptime(str(month), "%Y-%m").replace(tzinfo=dt.timezone.utc)
    except ValueError:
        raise InvalidStamp(f"month in {where} is {month!r}; expected YYYY-MM") from None
    return int(moment.timestamp()) * 1_000_000_000
