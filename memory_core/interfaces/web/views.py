"""What the viewer asks for: maps, paths, places, things, time and the forest, thinned on the server.

Times are milliseconds since the epoch here, as a browser's are; positions are metres in the map.
Everything is read, nothing changes. Remembered words go out as data, cut to a length.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Query, Response

from memory_core.errors import InvalidQuery, UnknownId
from memory_core.interfaces.service import MemoryService
from memory_core.interfaces.structure import entity_json, fact_json
from memory_core.interfaces.web import downloads
from memory_core.interfaces.web.ground import ground_of
from memory_core.interfaces.web.scenery import MS, Scenery, rounded
from memory_core.interfaces.web.tracing import paths_on, points_in, timeline_of
from memory_core.types import Entity, Evidence, ForestNode, Json, Place

STATIC = Path(__file__).parent / "static"
"""The built page: `index.html` and its assets."""

WORDS = 240
THINGS = 5_000
PLACES = 5_000
NEAREST, LOOKED_AT = 12, 80
SHOWING = 12
FACTS = 40
ATTENDED = 200
LEAST = 1e-4
"""Less attention than this is not shown."""
SAME_M = 0.3

Metres = Annotated[float, Query(ge=-1e7, le=1e7, allow_inf_nan=False)]
Moment = Annotated[float | None, Query(ge=0, le=1e14, allow_inf_nan=False)]
LevelNumber = Annotated[int, Query(ge=0, le=10_000)]
Words = Annotated[str, Query(min_length=1, max_length=1_000)]
Id = Annotated[str, Query(min_length=1, max_length=256)]


def views(service: MemoryService) -> APIRouter:
    """The routes under `/api/view/`.

    Args:
        service: Over an open memory.
    """
    memory = service.memory
    scenery = Scenery(memory)
    router = APIRouter(prefix="/api/view", tags=["viewer"])

    @router.get("/overview")
    def overview() -> Json:
        """Levels, span and counts: what the page draws its frame from."""
        cloud = scenery.cloud()
        stamps = cloud.stamps_ms
        return {
            "observations": len(stamps),
            "complete": cloud.complete,
            "span_ms": [float(stamps[0]), float(stamps[-1])] if len(stamps) else None,
            "robots": sorted(memory.store.names("robot")),
            "levels": [
                {
                    "number": level.number, "map_id": level.map_id, "floor": level.floor,
                    "floors": level.floors, "height_m": round(level.height_m, 3),
                    "low": list(level.low), "high": list(level.high),
                    "observations": level.observations,
                }
                for level in cloud.known
            ],
        }  # fmt: skip

    @router.get("/suggestions")
    def suggestions() -> Json:
        """Questions this memory should be able to answer."""
        return {"questions": _suggested(scenery.entities(), scenery.places().values())}

    @router.get("/points")
    def points(
        level: LevelNumber,
        x0: Metres,
        y0: Metres,
        x1: Metres,
        y1: Metres,
        cell_m: Annotated[float, Query(gt=1e-3, le=1e6, allow_inf_nan=False)],
        start_ms: Moment = None,
        end_ms: Moment = None,
    ) -> Json:
        """Where observations were made: one by one where they are few, else counts by cell."""
        return points_in(
            scenery.cloud(), level, (x0, y0, x1, y1),
            cell_m=cell_m, start_ms=start_ms, end_ms=end_ms,
        )  # fmt: skip

    @router.get("/near")
    def near(
        level: LevelNumber,
        x: Metres,
        y: Metres,
        radius_m: Annotated[float, Query(gt=0, le=1e6, allow_inf_nan=False)],
        start_ms: Moment = None,
        end_ms: Moment = None,
    ) -> Json:
        """The observations made nearest to a position, with their words."""
        cloud = scenery.cloud()
        rows = cloud.rows_on(level, start_ms, end_ms)
        away = np.hypot(cloud.positions[rows, 0] - x, cloud.positions[rows, 1] - y)
        inside = np.flatnonzero(away <= radius_m)
        nearest = inside[np.argsort(away[inside], kind="stable")[:LOOKED_AT]]
        stored = memory.store.fetch(cloud.rowids[rows[nearest]].tolist())
        told = [_evidence(memory.evidence(item)) for item in stored]
        told.sort(key=lambda item: (not item["keyframe"], not item["text"]))
        return {"total": len(inside), "observations": told[:NEAREST]}

    @router.get("/path")
    def path(level: LevelNumber) -> Json:
        """Where robots drove, the newest part where it is long."""
        return scenery.kept("path", level, paths_on)

    @router.get("/ground")
    def ground(level: LevelNumber) -> Json:
        """The ground that is known, cell by cell, with the place each cell belongs to."""
        return scenery.kept("ground", level, ground_of)

    @router.get("/places")
    def places() -> Json:
        """Regions of space, by kind and level."""
        known = list(scenery.places().values())
        shown = sorted(known, key=lambda place: -place.observations)[:PLACES]
        return {
            "total": len(known),
            "places": [_place(place, scenery.place_level(place)) for place in shown],
        }

    @router.get("/entities")
    def entities() -> Json:
        """Things, each with where it was and until when."""
        known, rooms = scenery.entities(), scenery.places()
        shown = sorted(known, key=lambda item: -item.last_ns)[:THINGS]
        return {"total": len(known), "entities": [_thing(scenery, item, rooms) for item in shown]}

    @router.get("/entity")
    def entity(entity_id: Annotated[str, Query(alias="id", min_length=1, max_length=256)]) -> Json:
        """One thing: its history, what is known about it, and what it was seen in."""
        found = scenery.entity(entity_id)
        rooms = scenery.places()
        names = {item.id: item.label for item in scenery.entities()}
        names |= {place.id: place.kind or place.id for place in rooms.values()}
        facts = [fact for fact in memory.facts() if entity_id in (fact.subject, fact.object)]
        facts.sort(key=lambda fact: (fact.end_ns is not None, -fact.confidence))
        rowids = [row.observation for row in memory.store.showing([_number(entity_id)])]
        stored = memory.store.fetch(sorted(rowids)[-SHOWING:][::-1])
        levels = [scenery.stay_level(found, stay, rooms) for stay in found.history]
        told = entity_json(found)
        for stay, level in zip(told["history"], levels, strict=True):
            room = rooms.get(stay["place"] or "")
            stay |= {"level": level, "kind": room.kind if room is not None else ""}
        return told | {
            "facts": [_dated(fact_json(fact, names)) for fact in facts[:FACTS]],
            "seen_in": [_evidence(memory.evidence(item)) for item in stored],
        }

    @router.get("/timeline")
    def timeline(
        bins: Annotated[int, Query(ge=1, le=2_000)] = 200,
        start_ms: Moment = None,
        end_ms: Moment = None,
    ) -> Json:
        """How much was observed when, and the largest events."""
        return timeline_of(scenery, bins=bins, start_ms=start_ms, end_ms=end_ms)

    @router.get("/forest")
    def forest(parent: Annotated[str | None, Query(max_length=256)] = None) -> Json:
        """The roots of the forest, or the nodes right below one, each with those below it."""
        known = scenery.forest()
        if parent is not None and parent not in known:
            raise UnknownId(f"the forest has no node {parent!r}; it may have grown: start anew")
        top = (
            [node for node in known.values() if node.parent is None]
            if parent is None
            else [known[child] for child in known[parent].children if child in known]
        )
        return {
            "parent": parent,
            "ancestors": [_node(scenery, known[item]) for item in _ancestors(known, parent)],
            "nodes": [
                _node(scenery, node)
                | {"nodes": [_node(scenery, known[c]) for c in node.children if c in known]}
                for node in top
            ],
        }

    @router.get("/below")
    def below(node: Id) -> Json:
        """The places at and below a node of the forest."""
        known = scenery.forest()
        waiting, leaves = [node], []
        while waiting:
            found = known.get(waiting.pop())
            if found is None:
                raise UnknownId(f"the forest has no node {node!r}; it may have grown: start anew")
            waiting += found.children
            if not found.children:
                leaves.append(found.id)
        return {"node": _node(scenery, known[node]), "places": leaves}

    @router.get("/attention")
    def attention(question: Words) -> Json:
        """Where a question's attention goes: shares of nodes and places, and points."""
        if "\x00" in question or not question.strip():
            raise InvalidQuery("the question is blank; ask for example: where is the red mug?")
        found = memory.recall(question, k=ATTENDED)
        meant = found.objects or found.evidence
        nodes: dict[str, float] = {}
        for item in meant:
            for node, weight in zip(item.path[:-1], item.path_weights, strict=False):
                nodes[node] = max(nodes.get(node, 0.0), weight)
        cloud, things = scenery.cloud(), scenery.entities()
        known, names = scenery.forest(), scenery.names()
        points = [
            _evidence(item)
            | {
                "level": cloud.level_at(item.map_id, item.position[2]),
                "entity": _same(item, things),
            }
            for item in _best(meant)
            if item.position is not None
        ]
        return {
            "nodes": {node: round(weight, 5) for node, weight in nodes.items() if weight > LEAST},
            "names": {id: name for id, name in names.items() if id in known and known[id].children},
            "points": points,
            "considered": found.considered,
            "seconds": round(found.seconds, 4),
        }

    @router.get(
        "/download/{name}", response_class=Response,
        responses={200: {"content": downloads.CONTENT}},
    )  # fmt: skip
    def download(name: downloads.Name) -> Response:
        """The map (GeoJSON), the things (CSV) or the forest (GraphML) as a file."""
        content, media_type = downloads.made(scenery, name)
        return Response(
            content, media_type=media_type,
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )  # fmt: skip

    return router


def _best(items: Iterable[Evidence]) -> list[Evidence]:
    return [item for item in items if item.attention > LEAST]


def _same(item: Evidence, things: Iterable[Entity]) -> str | None:
    """The thing that evidence shows, where one of that label was once there."""
    if item.sighting is None or item.position is None:
        return None
    label, at = item.sighting.label, item.position
    near = [
        (min(math.dist(at, stay.position) for stay in thing.history), thing.id)
        for thing in things
        if thing.label == label
    ]
    away, found = min(near, default=(math.inf, None))
    return found if away <= SAME_M else None


def _evidence(item: Evidence) -> dict[str, Any]:
    """An observation as the page shows it."""
    told: dict[str, Any] = item.to_json()
    return {
        "id": told["id"], "stamp_ms": told["stamp_ns"] / MS, "text": (told["text"] or "")[:WORDS],
        "position": told["position"], "weight": told["weight"], "attention": told["attention"],
        "path": told["path"], "path_weights": told["path_weights"], "map_id": told["map_id"],
        "keyframe": item.keyframe > 0, "source": told["source"],
        "standpoint": rounded(item.standpoint) if item.standpoint is not None else None,
    }  # fmt: skip


def _place(place: Place, level: int | None) -> Json:
    return {
        "id": place.id, "level": level, "centre": rounded(place.centre),
        "low": rounded(place.bounds.low), "high": rounded(place.bounds.high),
        "kind": place.kind, "confidence": round(place.confidence, 3),
        "text": place.text[:WORDS], "observations": place.observations,
    }  # fmt: skip


def _thing(scenery: Scenery, entity: Entity, rooms: dict[str, Place]) -> Json:
    return {
        "id": entity.id, "label": entity.label[:WORDS],
        "confidence": round(entity.confidence, 3), "gone": entity.gone,
        "stays": [
            {
                "level": scenery.stay_level(entity, stay, rooms), "place": stay.place,
                "x": round(stay.position[0], 3), "y": round(stay.position[1], 3),
                "z": round(stay.position[2], 3), "start_ms": stay.start_ns / MS,
                "last_ms": stay.last_ns / MS,
                "end_ms": None if stay.end_ns is None else stay.end_ns / MS,
            }
            for stay in entity.history
        ],
    }  # fmt: skip


def _node(scenery: Scenery, node: ForestNode) -> Json:
    start, end = node.span.start_ns, node.span.end_ns
    return {
        "id": node.id, "name": scenery.names().get(node.id, node.id), "parent": node.parent,
        "tree_level": node.level, "kind": node.kind, "text": node.text[:WORDS],
        "count": node.count, "children": len(node.children), "level": scenery.node_level(node),
        "low": rounded(node.bounds.low), "high": rounded(node.bounds.high),
        "span_ms": None if start is None or end is None else [start / MS, end / MS],
    }  # fmt: skip


def _ancestors(known: Any, node_id: str | None) -> list[str]:
    """The way down to a node, itself included."""
    way: list[str] = []
    while node_id is not None:
        way.append(node_id)
        node_id = known[node_id].parent
    return way[::-1]


def _dated(fact: Json) -> Json:
    end = fact["end_ns"]
    return {
        **{name: fact[name] for name in
           ("subject", "subject_name", "relation", "object", "object_name", "confidence")},
        "start_ms": fact["start_ns"] / MS, "end_ms": None if end is None else end / MS,
        "evidence": fact["evidence"][-3:],
    }  # fmt: skip


def _number(entity_id: str) -> int:
    return int(entity_id.partition(":")[2])


def _suggested(entities: list[Entity], places: Iterable[Place]) -> list[str]:
    """Where small, single things are; what is in the room best known."""
    alike = Counter(item.label for item in entities)
    single = [item for item in entities if alike[item.label] == 1 and not item.gone]
    single.sort(key=lambda item: (math.prod(item.size) or math.inf, item.id))
    asked = [f"Where is the {item.label}?" for item in single[:2]]
    rooms = sorted((p for p in places if p.kind), key=lambda p: (-p.confidence, p.id))
    asked += [f"What is in the {place.kind}?" for place in rooms[:1]]
    moved = next((item for item in entities if len(item.history) > 1), None)
    if moved is not None:
        asked.append(f"When did you last see the {moved.label}?")
    return [question[:WORDS] for question in asked]
