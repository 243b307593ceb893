"""Files that people take away from the viewer: the map, the things, the forest."""

from __future__ import annotations

import csv
import io
import json
import tempfile
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path

from memory_core.interfaces.forest_view import Forest, write_graphml
from memory_core.interfaces.web.scenery import Scenery
from memory_core.interfaces.web.tracing import paths_on
from memory_core.language import times
from memory_core.types import Json


class Name(StrEnum):
    """What there is."""

    MAP = "map.geojson"
    THINGS = "things.csv"
    FOREST = "forest.graphml"


def made(scenery: Scenery, name: Name) -> tuple[bytes, str]:
    """A file's content and media type.

    Args:
        scenery: Of the memory.
        name: Which.
    """
    make, media_type = _MAKERS[name]
    return make(scenery), media_type


def _map(scenery: Scenery) -> bytes:
    """Places, things and paths (RFC 7946 in form; coordinates are metres of the map, not degrees)."""
    features: list[Json] = []
    for place in scenery.places().values():
        (x0, y0, _), (x1, y1, _) = place.bounds.low, place.bounds.high
        ring = [[x0, y0], [x1, y0], [x1, y1], [x0, y1], [x0, y0]]
        features.append(
            _feature(
                "Polygon",
                [ring],
                what="place",
                id=place.id,
                kind=place.kind,
                text=place.text,
                map_id=place.map_id,
                floor=place.floor,
                centre=list(place.centre),
            )
        )
    features += [
        _feature(
            "Point",
            list(item.position),
            what="thing",
            id=item.id,
            label=item.label,
            map_id=item.map_id,
            gone=item.gone,
            first_ns=item.first_ns,
            last_ns=item.last_ns,
        )
        for item in scenery.entities()
    ]
    for level in scenery.cloud().known:
        for run in paths_on(scenery, level.number)["runs"]:
            line = [[x / 100, y / 100] for x, y in zip(run["x"], run["y"], strict=True)]
            features.append(
                _feature(
                    "LineString",
                    line,
                    what="path",
                    robot=run["robot"],
                    map_id=level.map_id,
                    floor=level.floor,
                    start_ms=run["start_ms"],
                )
            )
    told = {"type": "FeatureCollection", "units": "metres", "features": features}
    return json.dumps(told, ensure_ascii=False).encode("utf-8")


def _feature(shape: str, coordinates: Json, **properties: Json) -> Json:
    return {
        "type": "Feature",
        "geometry": {"type": shape, "coordinates": coordinates},
        "properties": properties,
    }


def _things(scenery: Scenery) -> bytes:
    """A line for every stay of every thing."""
    zone = times.zone("UTC")
    table = io.StringIO()
    lines = csv.writer(table)
    lines.writerow(["id", "label", "x_m", "y_m", "z_m", "place", "map", "from_utc", "last_seen_utc",
                    "found_gone_utc", "sightings"])  # fmt: skip
    for item in scenery.entities():
        for stay in item.history:
            moments = [
                "" if stamp is None else times.from_ns(stamp, zone).isoformat()
                for stamp in (stay.start_ns, stay.last_ns, stay.end_ns)
            ]
            where = [f"{value:.3f}" for value in stay.position]
            lines.writerow([item.id, _plain(item.label), *where, stay.place or "",
                            _plain(item.map_id), *moments, stay.sightings])  # fmt: skip
    return table.getvalue().encode("utf-8")


def _plain(words: str) -> str:
    """Remembered words that a spreadsheet takes for words, never for a formula."""
    return f"'{words}" if words[:1] in ("=", "+", "-", "@", "\t", "\r") else words


def _forest(scenery: Scenery) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / Name.FOREST
        write_graphml(path, Forest.of(list(scenery.forest().values())))
        return path.read_bytes()


_MAKERS: dict[Name, tuple[Callable[[Scenery], bytes], str]] = {
    Name.MAP: (_map, "application/geo+json"),
    Name.THINGS: (_things, "text/csv; charset=utf-8"),
    Name.FOREST: (_forest, "application/graphml+xml"),
}
CONTENT = {
    media_type: {"schema": {"type": "object" if "json" in media_type else "string"}}
    for _, media_type in _MAKERS.values()
}
"""As OpenAPI describes it."""
