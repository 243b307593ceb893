"""A corrected map carries what was made of it.

Where every observation is still there, structure is made anew and exact. What outlived its
observations cannot be: it moves with the anchor of the stored observation nearest in space and time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np

from memory_core.episodic.codec import pack, unpack
from memory_core.episodic.records import Record
from memory_core.episodic.store import EpisodicStore
from memory_core.semantic.bearings import Line
from memory_core.semantic.episodes import EventRow
from memory_core.semantic.places import PlaceRow
from memory_core.semantic.things import Things, frame_name
from memory_core.semantic.tracks import Estimate, Thing, Track, Vantage
from memory_core.types import Box, FloatArray, Pose, Vector3

HOUR_NS = 3_600 * 10**9
_READ = 20_000


class Correction:
    """How far what was known of a spot at a moment moves, by frame."""

    def __init__(self, store: EpisodicStore, map_id: str, poses: Mapping[str, Pose]) -> None:
        """Read which anchor was in use where and when; the store's anchors have not moved yet.

        Args:
            store: The memory's rows.
            map_id: The map that is corrected.
            poses: New poses of anchors in the map.
        """
        from scipy.spatial import cKDTree

        known = store.anchor_poses()
        self._moves = {
            number: poses[name].compose(pose.inverse())
            for number, (of_map, name, pose) in known.items()
            if of_map == map_id and name in poses
        }
        used: dict[str, list[tuple[float, ...]]] = {}
        after = 0
        while found := store.column_rows(after, _READ):
            for _, stamp_ns, x, y, z, *_, anchor, localised in found:
                of_map, name, pose = known[anchor]
                if x is not None and of_map == map_id:
                    frame = frame_name(map_id, name, localised=bool(localised))
                    spot = _spot(pose.apply(x, y, z), stamp_ns)
                    used.setdefault(frame, []).append((*spot, float(anchor)))
            after = int(found[-1][0])
        tables = {frame: np.array(rows) for frame, rows in used.items()}
        self._trees = {frame: cKDTree(table[:, :4]) for frame, table in tables.items()}
        self._anchors = {frame: table[:, 4].astype(int) for frame, table in tables.items()}

    def at(self, frame: str, position: Sequence[float], stamp_ns: int) -> Pose | None:
        """The correction of what was somewhere (metres) at a moment; None where it stays."""
        if frame not in self._trees:
            return None
        _, nearest = self._trees[frame].query(_spot(position, stamp_ns))
        return self._moves.get(int(self._anchors[frame][nearest]))


def _spot(position: Sequence[float], stamp_ns: int) -> tuple[float, float, float, float]:
    """Space and time as one: an hour counts as a metre."""
    x, y, z = position
    return x, y, z, stamp_ns / HOUR_NS


def moved_records(store: EpisodicStore, things: Things, correction: Correction) -> list[Record]:
    """Things, lines of sight, standpoints, places and events where a correction puts them."""
    put: list[Record] = []
    for kind, family in (("thing", Thing), ("track", Track), ("vantage", Vantage)):
        for record in store.records(kind):
            frame = things.frame(record.number)
            known: Any = unpack(family, record.body)
            item = _moved(known, frame, correction)
            if item is not None:
                put.append(Record(kind, record.number, pack(item)))
    put += [_line(record, correction) for record in store.records("line")]
    for record in store.records("event"):
        row = unpack(EventRow, record.body)
        bounds = row.event.bounds
        if bounds is None:
            continue
        move = correction.at(row.event.map_id, _middle(bounds), row.event.start_ns)
        if move is not None:
            event = replace(row.event, bounds=_box(move, bounds))
            put.append(Record("event", record.number, pack(replace(row, event=event))))
    return put + _places(store, correction)


def _moved(
    item: Thing | Track | Vantage, frame: str, correction: Correction
) -> Thing | Track | Vantage | None:
    """Where an item is after a correction; None where it stays."""
    if isinstance(item, Vantage):
        move = correction.at(frame, item.position, item.first_ns)
        return None if move is None else replace(item, position=move.apply(*item.position))
    last_ns = item.last_ns if isinstance(item, Track) else item.stays[-1].last_ns
    stood = []
    for vantage in item.vantages:
        move = correction.at(frame, vantage, last_ns)
        stood.append(vantage if move is None else move.apply(*vantage))
    item.vantages = tuple(stood)
    if isinstance(item, Track):
        item.where = _estimate(correction, frame, item.where, last_ns)
    else:
        item.stays = tuple(
            replace(stay, where=_estimate(correction, frame, stay.where, stay.last_ns))
            for stay in item.stays
        )
    return item


def _estimate(correction: Correction, frame: str, where: Estimate, stamp_ns: int) -> Estimate:
    move = correction.at(frame, where.mean.tolist(), stamp_ns)
    if move is None:
        return where
    rotation: FloatArray = move.matrix()[:3, :3]
    mean = np.array(move.apply(*where.mean.tolist()))
    return Estimate(mean, rotation @ where.covariance @ rotation.T)


def _line(record: Record, correction: Correction) -> Record:
    body = dict(record.body)
    lines = [unpack(Line, line) for line in body["lines"]]
    moved = []
    for line in lines:
        move = correction.at(body["frame"], line.origin, line.stamp_ns)
        if move is not None:
            ray = None if line.ray is None else _turned(move, line.ray)
            line = replace(line, origin=move.apply(*line.origin), ray=ray)
        moved.append(line)
    last_ns = max(line.stamp_ns for line in lines)
    move = correction.at(body["frame"], body["position"], last_ns)
    if move is not None:
        body["position"] = list(move.apply(*body["position"]))
    body["lines"] = pack(moved)
    return Record("line", record.number, body)


def _turned(move: Pose, ray: Vector3) -> Vector3:
    x, y, z = (move.matrix()[:3, :3] @ np.array(ray)).tolist()
    return x, y, z


def _places(store: EpisodicStore, correction: Correction) -> list[Record]:
    """Places, and the heights of the storeys the first of them began."""
    put = []
    heights: dict[str, list[tuple[float, float]]] = {}
    for record in store.records("place"):
        row = unpack(PlaceRow, record.body)
        move = correction.at(row.map_id, row.anchor, row.first_ns)
        if move is None:
            continue
        anchor = move.apply(*row.anchor)
        heights.setdefault(row.map_id, []).append((row.anchor[2], anchor[2]))
        row = replace(
            row, anchor=anchor, centre=move.apply(*row.centre), bounds=_box(move, row.bounds)
        )
        put.append(Record("place", record.number, pack(row)))
    for record in store.records("storey"):
        frame, height = record.body["frame"], record.body["height"]
        if frame in heights:
            before, after = min(heights[frame], key=lambda pair: abs(pair[0] - height))
            body = {"frame": frame, "height": height + after - before}
            put.append(Record("storey", record.number, body))
    return put


def _middle(box: Box) -> Vector3:
    x, y, z = ((np.array(box.low) + np.array(box.high)) / 2).tolist()
    return x, y, z


def _box(move: Pose, box: Box) -> Box:
    """The box around a box after a correction."""
    corners = np.array([move.apply(*c) for c in product(*zip(box.low, box.high, strict=True))])
    (a, b, c), (x, y, z) = corners.min(axis=0).tolist(), corners.max(axis=0).tolist()
    return Box((a, b, c), (x, y, z))
