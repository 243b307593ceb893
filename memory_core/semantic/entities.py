"""Sightings to things: which sightings of a label are one and the same.

Where depth gave positions, sightings of one label within reach of each other are one thing.
Where only bearings are known, lines of sight from several standpoints must meet: of all
crossings the best supported is taken first, with one sighting a standpoint. A sighting without
direction joins the nearest thing of its label that its standpoint does not see otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from memory_core.types import BoolArray, FloatArray, IntArray

REACH_M = 4.0
NEAREST_M = 0.2
MISS_M = 0.25
LONE_RAY_M = 1.8
UNSEEN_REACH_M = 3.3
SAME_PLACE_M = 0.6
SAME_PLACE_EXTENT = 0.75
MAX_SAME_PLACE_M = 1.5
_PARALLEL = 0.01
_MAX_RAYS = 160


@dataclass(frozen=True, slots=True)
class Sightings:
    """Sightings as arrays, n of them.

    Attributes:
        station: Which standpoint saw it, shape (n,).
        label: Which label, shape (n,).
        ray: Unit direction in the map, shape (n, 3); NaN without one.
        position: In the map, metres, shape (n, 3); NaN without depth.
        size: Area in view (angular or metric), shape (n,).
        extent: Horizontal and vertical extent, metres, shape (n, 2); 0 without depth.
    """

    station: IntArray
    label: IntArray
    ray: FloatArray
    position: FloatArray
    size: FloatArray
    extent: FloatArray


@dataclass(frozen=True, slots=True)
class Thing:
    """One physical thing: its label, where it is (metres), and the sightings of it."""

    label: int
    position: FloatArray
    sightings: IntArray


def associate(sightings: Sightings, origins: FloatArray, labels: int) -> list[Thing]:
    """Group sightings into things.

    Args:
        sightings: The sightings.
        origins: Standpoints in the map, shape (s, 3), metres.
        labels: How many labels there are.
    """
    things: list[Thing] = []
    for label in range(labels):
        of_label = np.flatnonzero(sightings.label == label)
        placed = of_label[~np.isnan(sightings.position[of_label, 0])]
        rest = of_label[np.isnan(sightings.position[of_label, 0])]
        aimed = rest[~np.isnan(sightings.ray[rest, 0])]
        blind = rest[np.isnan(sightings.ray[rest, 0])]
        groups = _by_position(sightings.position[placed], sightings.extent[placed], placed)
        for start in range(0, len(aimed), _MAX_RAYS):
            part = aimed[start : start + _MAX_RAYS]
            stations = sightings.station[part]
            found = meet(origins[stations], sightings.ray[part], stations)
            groups += [(point, [int(part[i]) for i in members]) for point, members in found]
        _place_blind(groups, blind, sightings, origins)
        things += [Thing(label, point, np.array(members)) for point, members in groups]
    return things


Group = tuple[FloatArray, list[int]]


def _by_position(positions: FloatArray, extents: FloatArray, numbers: IntArray) -> list[Group]:
    """Greedy: each sighting joins the nearest group within reach, else begins one.

    What is seen of a large thing depends on the side it is seen from, so reach grows with
    extent: 0.6 m, or three quarters of the extent up to 1.5 m, apart for width and height.
    Groups that their grown reach brings together are joined at the end.
    """
    groups: list[Group] = []
    centres, reaches = np.empty((0, 3)), np.empty((0, 2))
    own = np.clip(SAME_PLACE_EXTENT * extents, SAME_PLACE_M, MAX_SAME_PLACE_M)
    for position, reach, number in zip(positions, own, numbers.tolist(), strict=True):
        apart = _relative_distance(centres - position, np.maximum(reaches, reach))
        nearest = int(apart.argmin()) if len(groups) else -1
        if nearest >= 0 and apart[nearest] < 1:
            centre, members = groups[nearest]
            members.append(number)
            centre = centre + (position - centre) / min(len(members), 50)
            groups[nearest] = (centre, members)
            centres[nearest] = centre
            reaches[nearest] = np.maximum(reaches[nearest], reach)
        else:
            groups.append((position, [number]))
            centres = np.vstack([centres, position[None]])
            reaches = np.vstack([reaches, reach[None]])
    return _joined(groups, centres, reaches)


def _relative_distance(offsets: FloatArray, reaches: FloatArray) -> FloatArray:
    """Distances in units of reach, shape (n,)."""
    flat = np.linalg.norm(offsets[:, :2], axis=1) / reaches[:, 0]
    return np.asarray(np.hypot(flat, offsets[:, 2] / reaches[:, 1]))


def _joined(groups: list[Group], centres: FloatArray, reaches: FloatArray) -> list[Group]:
    """Larger groups take in the smaller ones within their reach."""
    order = sorted(range(len(groups)), key=lambda g: -len(groups[g][1]))
    kept: list[int] = []
    for group in order:
        apart = _relative_distance(centres[kept] - centres[group], reaches[kept])
        near = int(apart.argmin()) if kept else -1
        if near >= 0 and apart[near] < 1:
            groups[kept[near]][1].extend(groups[group][1])
        else:
            kept.append(group)
    return [groups[group] for group in sorted(kept)]


def _place_blind(
    groups: list[Group], blind: IntArray, sightings: Sightings, origins: FloatArray
) -> None:
    """Sightings without direction join a thing near their standpoint, or stand for one."""
    for number in blind.tolist():
        station = int(sightings.station[number])
        best, nearest = None, UNSEEN_REACH_M
        for place, (point, members) in enumerate(groups):
            apart = float(np.linalg.norm(point - origins[station]))
            if apart < nearest and station not in sightings.station[members]:
                best, nearest = place, apart
        if best is None:
            groups.append((origins[station] - np.array([0.0, 0.0, 0.5]), [number]))
        else:
            groups[best][1].append(number)


def meet(origins: FloatArray, rays: FloatArray, stations: IntArray) -> list[Group]:
    """Where lines of sight of one label meet: (point, members), most support first.

    Args:
        origins: Where each line begins, shape (n, 3), metres.
        rays: Unit directions, shape (n, 3).
        stations: The standpoint of each line, shape (n,).

    Returns:
        Every line is in one group; lines that meet no other stand alone at 1.8 m.
    """
    free = np.ones(len(rays), bool)
    groups: list[Group] = []
    points = _crossings(origins, rays, stations)
    if len(points):
        offsets = points[:, None] - origins[None]
        along = np.einsum("pnk,nk->pn", offsets, rays)
        miss = np.linalg.norm(offsets - along[..., None] * rays[None], axis=2)
        fits = (along > NEAREST_M) & (along < REACH_M) & (miss < MISS_M)
        support = np.where(fits, 1 - 0.5 * (miss / MISS_M) ** 2, 0.0)
        while True:
            totals = (support * free).sum(axis=1)
            chosen = int(totals.argmax())
            if totals[chosen] <= 0:
                break
            members = _one_each(fits[chosen] & free, miss[chosen], stations)
            if len(members) < 2:
                support[chosen] = 0
                continue
            groups.append((points[chosen], members))
            free[members] = False
    groups += [(origins[i] + LONE_RAY_M * rays[i], [int(i)]) for i in np.flatnonzero(free)]
    return groups


def _crossings(origins: FloatArray, rays: FloatArray, stations: IntArray) -> FloatArray:
    """Midpoints where two lines from different standpoints all but touch, shape (p, 3)."""
    first, second = np.triu_indices(len(rays), 1)
    apart = np.linalg.norm(origins[first] - origins[second], axis=1)
    usable = (stations[first] != stations[second]) & (apart < 2 * REACH_M) & (apart > 1e-6)
    first, second = first[usable], second[usable]
    between = origins[second] - origins[first]
    cosine = (rays[first] * rays[second]).sum(axis=1)
    crossing = 1 - cosine**2
    usable = crossing > _PARALLEL
    first, second = first[usable], second[usable]
    between, cosine, crossing = between[usable], cosine[usable], crossing[usable]
    along_first = (between * rays[first]).sum(axis=1)
    along_second = (between * rays[second]).sum(axis=1)
    t_first = (along_first - cosine * along_second) / crossing
    t_second = (cosine * along_first - along_second) / crossing
    p_first = origins[first] + t_first[:, None] * rays[first]
    p_second = origins[second] + t_second[:, None] * rays[second]
    near = np.linalg.norm(p_first - p_second, axis=1) < MISS_M
    for t in (t_first, t_second):
        near &= (t > NEAREST_M) & (t < REACH_M)
    return np.asarray((p_first[near] + p_second[near]) / 2)


def _one_each(fits: BoolArray, miss: FloatArray, stations: IntArray) -> list[int]:
    """Of the lines that fit, the closest one of each standpoint."""
    kept: dict[int, int] = {}
    for line in np.flatnonzero(fits).tolist():
        station = int(stations[line])
        if station not in kept or miss[line] < miss[kept[station]]:
            kept[station] = line
    return list(kept.values())
