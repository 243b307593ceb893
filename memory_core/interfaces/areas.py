"""What is in an area: rooms, things and what is known of them, as JSON."""

from __future__ import annotations

import math
from collections.abc import Sequence

from memory_core.errors import UnknownId
from memory_core.interfaces import requests
from memory_core.interfaces.structure import entity_json, fact_json, place_json
from memory_core.memory import RobotMemory
from memory_core.types import Box, Filters, Json, Place, Sphere


def area(memory: RobotMemory, request: requests.DescribeArea) -> Json:
    """Describe a place, or a circle around a position.

    Args:
        memory: Whose.
        request: Which.

    Returns:
        `places`, `entities` and `facts` within (the nearest first), and how many `observations`.

    Raises:
        UnknownId: There is no such place.
    """
    places = memory.places()
    region = _region(request, places)
    inside = [p for p in places if p.map_id == request.map_id and _overlaps(p.bounds, region)]
    centre = _centre(region)
    things = [
        entity
        for entity in memory.entities()
        if entity.map_id == request.map_id and _within(entity.position, region)
    ]
    things.sort(key=lambda entity: math.dist(entity.position[:2], centre[:2]))
    shown = things[: request.limit]
    names = {entity.id: entity.label for entity in things}
    names |= {place.id: place.kind or place.id for place in places}
    ids = {entity.id for entity in shown}
    facts = [
        fact_json(fact, names)
        for fact in memory.facts()
        if fact.end_ns is None and fact.subject in ids and fact.object in names
    ]
    told: dict[str, Json] = {
        "map_id": request.map_id, "centre": list(centre),
        "places": [place_json(place) for place in inside[: request.limit]],
        "entities": [entity_json(entity) for entity in shown],
        "facts": facts[: request.limit],
        "observations": len(memory.select(Filters(region=region, maps=(request.map_id,)))),
    }  # fmt: skip
    if max(len(inside), len(things), len(facts)) > request.limit:
        told["truncated"] = True
    return told


def _region(request: requests.DescribeArea, places: Sequence[Place]) -> Box | Sphere:
    if request.position is not None:
        return Sphere(requests.flat_or_not(request.position), request.radius_m)
    wanted = (request.place or "").strip().lower()
    alike = [place for place in places if wanted in (place.id, place.kind.lower())]
    if not alike:
        raise UnknownId(f"no place {request.place!r} is known; `forest` shows places and kinds")
    return max(alike, key=lambda place: place.observations).bounds


def _centre(region: Box | Sphere) -> tuple[float, ...]:
    if isinstance(region, Sphere):
        return region.centre
    return tuple((low + high) / 2 for low, high in zip(region.low, region.high, strict=True))


def _within(position: tuple[float, float, float], region: Box | Sphere) -> bool:
    if isinstance(region, Sphere):
        return math.dist(position[: len(region.centre)], region.centre) <= region.radius_m
    # things stand on and hang above what a place's observers covered
    flat = zip(position[:2], region.low[:2], region.high[:2], strict=True)
    return all(low <= value <= high for value, low, high in flat)


def _overlaps(bounds: Box, region: Box | Sphere) -> bool:
    if isinstance(region, Box):
        return all(
            low <= other_high and other_low <= high
            for low, high, other_low, other_high in zip(
                bounds.low, bounds.high, region.low, region.high, strict=True
            )
        )
    nearest = [
        min(max(value, low), high)
        for value, low, high in zip(region.centre, bounds.low, bounds.high, strict=False)
    ]
    return math.dist(nearest, region.centre) <= region.radius_m
