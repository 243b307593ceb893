"""Tours of real houses from annotated camera stations (REVERIE, Qi et al. 2020).

A robot's recording is made by a depth-first walk over neighbouring stations at 0.5 m/s from the
first one; at each station everything annotated as visible from there is one observation with
sightings (label, bearing, angular size). The annotators' object ids are ground truth for
scoring: they never enter an observation.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from memory_core.errors import InputRejected, InvalidPose, InvalidSighting, RecordingUnreadable
from memory_core.identity import deterministic_id
from memory_core.recordings.base import Reading, TopicUse, content_identity
from memory_core.recordings.detect import ReadOptions
from memory_core.recordings.files import read_json
from memory_core.types import Json, Observation, Pose, Sighting

SPEED_M_S = 0.5
START_NS = 1_700_000_000_000_000_000
IMAGE_WIDTH, IMAGE_HEIGHT = 640, 480
VERTICAL_FOV = math.radians(60)
FOCAL = IMAGE_HEIGHT / 2 / math.tan(VERTICAL_FOV / 2)


@dataclass(frozen=True, slots=True)
class Station:
    """One camera station: its id, position, height above the floor, and what it sees.

    Attributes:
        id: The data set's name of the station.
        position: Metres.
        height_m: Camera above the floor.
        neighbours: Stations one can walk to in a straight line.
        sightings: In the order of the file; `object_ids` runs parallel, for scorers only.
        object_ids: Hidden identities.
    """

    id: str
    position: tuple[float, float, float]
    height_m: float
    neighbours: tuple[str, ...]
    sightings: tuple[Sighting, ...]
    object_ids: tuple[int, ...]


class HouseTourRecording:
    """One house, walked once."""

    reader = "house tour"

    def __init__(self, path: Path, options: ReadOptions) -> None:
        """Read the house.

        Raises:
            RecordingUnreadable: The file is damaged or not a house tour.
        """
        self.path = path
        self.name = path.name.split(".")[0]
        self.identity = content_identity(path)
        self._options = options
        value = read_json(path)
        if not isinstance(value, dict) or not isinstance(value.get("viewpoints"), list):
            raise RecordingUnreadable(f"{path} has no viewpoints: it is no house tour")
        self._refused: list[tuple[str, InputRejected]] = []
        self.stations: dict[str, Station] = {}
        for entry in value["viewpoints"]:
            try:
                station = _station(entry)
            except InputRejected as error:
                self._refused.append((str(entry)[:40], error))
                continue
            if entry.get("included", True):
                self.stations[station.id] = station
        self.tasks: list[Json] = value.get("tasks", [])

    @property
    def total(self) -> int:
        """Stations."""
        return len(self.stations)

    def topics(self) -> list[TopicUse]:
        """Stations, sightings, tasks."""
        sightings = sum(len(station.sightings) for station in self.stations.values())
        return [
            TopicUse("viewpoints", "camera station", self.total, "poses"),
            TopicUse("viewpoints/objects", "label and bearing", sightings, "sightings"),
            TopicUse("viewpoints/objects/id", "identity", sightings, "", "ground truth"),
            TopicUse("tasks", "sentences", len(self.tasks), "", "for evaluation only"),
        ]

    def anchors(self) -> list[tuple[str, str, Pose]]:
        """None: stations are given in the map."""
        return []

    def geo_origin(self) -> Json:
        """Unknown."""
        return None

    def walk(self) -> list[tuple[Station, float]]:
        """The tour: stations in depth-first order, with the metres walked when each is reached.

        Stations that the neighbours do not connect are visited last, from where the walk ended.
        """
        order: list[tuple[Station, float]] = []
        seen: set[str] = set()
        travelled = 0.0
        here: Station | None = None
        for first in self.stations:
            stack: list[tuple[str, ...]] = [(first,)]
            while stack:
                pending = stack.pop()
                name = pending[0]
                if pending[1:]:
                    stack.append(pending[1:])
                if name in seen or name not in self.stations:
                    continue
                seen.add(name)
                station = self.stations[name]
                if here is not None:
                    travelled += math.dist(here.position, station.position)
                order.append((station, travelled))
                here = station
                if station.neighbours:
                    stack.append(station.neighbours)
        return order

    def observations(self, reading: Reading) -> Iterator[Observation]:
        """See `Recording.observations`: one observation a station."""
        for where, error in self._refused:
            reading.refuse(where, error)
        for station, travelled in self.walk():
            reading.done += 1
            stamp_ns = START_NS + int(travelled / SPEED_M_S * 1e9) + reading.done
            yield Observation(
                id=deterministic_id(self.identity, "panorama", stamp_ns, reading.done),
                stamp_ns=stamp_ns,
                source="panorama",
                robot=self._options.robot,
                session=self._options.session or self.name,
                pose=Pose(*station.position),
                sightings=station.sightings,
                extra={
                    "station": station.id,
                    "height_m": round(station.height_m, 4),
                    "neighbours": list(station.neighbours),
                },
            )


def _station(entry: Json) -> Station:
    if not isinstance(entry, dict):
        raise InputRejected(f"a station is {type(entry).__name__}, not an object")
    name = str(entry.get("id", ""))
    try:
        matrix = np.array(entry["pose"], np.float64).reshape(4, 4)
        height = float(entry.get("height", 0.0))
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise InvalidPose(f"station {name} has no 4x4 pose: {error}") from None
    if not np.isfinite(matrix).all():
        raise InvalidPose(f"pose of station {name} is not finite")
    try:
        objects = list(entry.get("objects", ()))
        sightings = tuple(map(_sighting, objects))
        identities = tuple(int(item.get("id", -1)) for item in objects)
        neighbours = tuple(map(str, entry.get("neighbors", ())))
    except (AttributeError, KeyError, IndexError, TypeError, ValueError) as error:
        raise InvalidSighting(
            f"station {name} has objects that cannot be read: {error!r}"
        ) from None
    x, y, z = matrix[:3, 3].tolist()
    return Station(name, (x, y, z), height, neighbours, sightings, identities)


def _sighting(item: Json) -> Sighting:
    """Bearing and angular size from the view in which the object is best seen whole."""
    views = [view for view in item.get("views", ()) if view["bbox"][2] > 0 and view["bbox"][3] > 0]
    label = re.sub(r"[#_\s]+", " ", str(item["name"])).strip()
    if not label:
        raise ValueError("an object without a name")
    if not views:
        return Sighting(label)
    best = max(views, key=_wholeness)
    x, y, width, height = best["bbox"]
    azimuth, elevation = _bearing(best["view"], x + width / 2, y + height / 2)
    return Sighting(
        label,
        bearing=(azimuth, elevation),
        size=(2 * math.atan(width / 2 / FOCAL), 2 * math.atan(height / 2 / FOCAL), 0.0),
    )


def _wholeness(view: Json) -> tuple[bool, float, float]:
    """Views that do not cut the object first; then the nearest to the picture's centre."""
    x, y, width, height = view["bbox"]
    cut = x <= 0 or y <= 0 or x + width >= IMAGE_WIDTH or y + height >= IMAGE_HEIGHT
    off_centre = math.hypot(x + width / 2 - IMAGE_WIDTH / 2, y + height / 2 - IMAGE_HEIGHT / 2)
    return (not cut, width * height if cut else 0.0, -off_centre)


def _bearing(view: int, u: float, v: float) -> tuple[float, float]:
    """Direction of a pixel of one of the 36 views, as azimuth from +x and elevation."""
    heading = math.radians((view % 12) * 30)
    pitch = math.radians((view // 12 - 1) * 30)
    right = (u - IMAGE_WIDTH / 2) / FOCAL
    up = (IMAGE_HEIGHT / 2 - v) / FOCAL
    forward = math.cos(pitch) - up * math.sin(pitch)
    height = math.sin(pitch) + up * math.cos(pitch)
    azimuth = math.pi / 2 - heading - math.atan2(right, forward)
    azimuth = math.atan2(math.sin(azimuth), math.cos(azimuth))
    return azimuth, math.atan2(height, math.hypot(forward, right))
