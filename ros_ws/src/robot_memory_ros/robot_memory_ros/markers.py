"""Entities and areas of the forest as markers for RViz and Foxglove."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from typing import Any
from zlib import crc32

from geometry_msgs.msg import Point, Vector3
from std_msgs.msg import ColorRGBA
from visualization_msgs.msg import Marker, MarkerArray

from memory_core.types import Entity, ForestNode, Place

SMALLEST_M = 0.15
TEXT_M = 0.18
FADED = 0.25


def entity_markers(
    entities: Iterable[Entity],
    places: Iterable[Place],
    stamp: Any,
    *,
    maps: Container[str],
    most: int,
) -> MarkerArray:
    """
    Show each thing where it was seen last: a box of its colour and its name.

    :param entities: All that are known.
    :param places: Where they may be.
    :param stamp: Of the markers.
    :param maps: The frames there are; what was seen by a robot that was lost lies in none.
    :param most: So many things at most.
    """
    markers = [_clear(stamp)]
    lost = {place.id for place in places if place.map_id not in maps}
    shown = [
        item for item in entities if item.map_id in maps and item.history[-1].place not in lost
    ]
    for entity in shown[:most]:
        number = int(entity.id.split(':')[1]) % 2**31
        box = _marker(stamp, entity.map_id, 'entities', number, Marker.CUBE)
        _place(box, entity.position)
        box.scale = Vector3(
            **{axis: max(size, SMALLEST_M) for axis, size in zip('xyz', entity.size, strict=True)}
        )
        box.color = _colour(entity.label, FADED if entity.gone else 0.8)
        name = _marker(stamp, entity.map_id, 'names', number, Marker.TEXT_VIEW_FACING)
        x, y, z = entity.position
        _place(name, (x, y, z + box.scale.z / 2 + TEXT_M))
        name.scale.z = TEXT_M
        name.text = f'{entity.label} (gone)' if entity.gone else entity.label
        name.color = ColorRGBA(r=1.0, g=1.0, b=1.0, a=1.0)
        markers += [box, name]
    return MarkerArray(markers=markers)


def forest_markers(
    nodes: Sequence[ForestNode],
    places: Iterable[Place],
    stamp: Any,
    *,
    maps: Container[str],
    most: int,
) -> MarkerArray:
    """
    Show each area: its outline above the floor, higher for wider areas, with its words.

    :param nodes: Of the forest.
    :param places: Its leaves, which say in which map an area lies.
    :param stamp: Of the markers.
    :param maps: The frames there are.
    :param most: So many areas at most.
    """
    markers = [_clear(stamp)]
    frames = {place.id: place.map_id for place in places}
    for node in sorted(nodes, key=lambda node: node.level):
        frame = next((frames[child] for child in node.children if child in frames), None)
        frames.setdefault(node.id, frame or '')
    shown = [node for node in nodes if frames[node.id] in maps]
    for number, node in enumerate(shown[:most]):
        frame = frames[node.id]
        low, high = node.bounds.low, node.bounds.high
        height = high[2] + 0.4 * node.level
        outline = _marker(stamp, frame, f'level {node.level}', number, Marker.LINE_STRIP)
        outline.pose.orientation.w = 1.0
        outline.scale.x = 0.02
        corners = ((low[0], low[1]), (high[0], low[1]), (high[0], high[1]), (low[0], high[1]))
        outline.points = [Point(x=x, y=y, z=height) for x, y in (*corners, corners[0])]
        outline.color = _colour(str(node.level), 0.9)
        words = _marker(stamp, frame, f'words {node.level}', number, Marker.TEXT_VIEW_FACING)
        _place(words, ((low[0] + high[0]) / 2, (low[1] + high[1]) / 2, height))
        words.scale.z = TEXT_M * (1 + 0.5 * node.level)
        words.text = node.kind or node.text[:60]
        words.color = ColorRGBA(r=1.0, g=1.0, b=1.0, a=1.0)
        markers += [outline, words]
    return MarkerArray(markers=markers)


def _clear(stamp: Any) -> Marker:
    marker = Marker(action=Marker.DELETEALL)
    marker.header.stamp = stamp
    return marker


def _marker(stamp: Any, frame: str, namespace: str, number: int, kind: int) -> Marker:
    marker = Marker(ns=namespace, id=number, type=kind, action=Marker.ADD)
    marker.header.stamp = stamp
    marker.header.frame_id = frame
    return marker


def _place(marker: Marker, position: Sequence[float]) -> None:
    marker.pose.position = Point(**dict(zip('xyz', map(float, position), strict=True)))
    marker.pose.orientation.w = 1.0


def _colour(name: str, alpha: float) -> ColorRGBA:
    """Choose a colour that a name always has."""
    value = crc32(name.encode())
    red, green, blue = (0.35 + 0.6 * ((value >> shift) & 255) / 255 for shift in (0, 8, 16))
    return ColorRGBA(r=red, g=green, b=blue, a=alpha)
